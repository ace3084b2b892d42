//! Sizes of a network with its linear system, and where its parameters lie.

use crate::{CellKind, Error, Result};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What a layer of the expansion network does with its input `z`. With `W = 0` and `b` as at the start, `z` passes
/// nearly unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Activation {
    /// `tanh(z + W z + b)`: for states within −1 and 1.
    #[default]
    Tanh,
    /// `max(0, z + W z + b)`, `b = .01` at the start: for states that are never negative.
    Relu,
    /// `z + tanh(W z + b)`, not of the paper: for states of any size, such as an LSTM's `c`.
    Residual,
}

/// Sizes of a network with its expansion network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Which recurrent cell.
    pub kind: CellKind,
    /// Units `n`.
    pub units: usize,
    /// Inputs `u`.
    pub inputs: usize,
    /// Outputs `k`.
    pub outputs: usize,
    /// Layers of the expansion network.
    pub layers: usize,
    /// What a layer does.
    pub activation: Activation,
}

/// Where each array lies among the parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
    /// `A`, `[G·n, u]`.
    pub input_weights: Range<usize>,
    /// `W`, `[G·n, n]`.
    pub recurrent_weights: Range<usize>,
    /// `b_ih`, `[G·n]`.
    pub input_bias: Range<usize>,
    /// `b_hh`, `[G·n]`.
    pub recurrent_bias: Range<usize>,
    /// `h_0`, `[s]`.
    pub initial: Range<usize>,
    /// `[k, s]`.
    pub readout_weights: Range<usize>,
    /// `[k]`.
    pub readout_bias: Range<usize>,
    /// `W_l [s, s]` and `b_l [s]` of each layer of the expansion network.
    pub expansion: Vec<(Range<usize>, Range<usize>)>,
}

/// An array's name in files, its shape and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    /// PyTorch's name where it has one.
    pub name: String,
    /// Sizes, row-major.
    pub shape: Vec<usize>,
    /// Place among the parameters.
    pub range: Range<usize>,
}

impl Shape {
    /// Numbers of the state `s`: `n`, or `2 n` for the LSTM's `[h; c]`.
    pub fn state(&self) -> usize {
        self.kind.state_size(self.units)
    }

    /// Where each array lies.
    pub fn ranges(&self) -> Ranges {
        let (rows, n, s) = (self.kind.gates() * self.units, self.units, self.state());
        let mut end = 0;
        let mut take = |count: usize| {
            end += count;
            end - count..end
        };
        Ranges {
            input_weights: take(rows * self.inputs),
            recurrent_weights: take(rows * n),
            input_bias: take(rows),
            recurrent_bias: take(rows),
            initial: take(s),
            readout_weights: take(self.outputs * s),
            readout_bias: take(self.outputs),
            expansion: (0..self.layers).map(|_| (take(s * s), take(s))).collect(),
        }
    }

    /// All arrays by name, in the order of the parameters.
    pub fn arrays(&self) -> Vec<Array> {
        let (rows, n, s) = (self.kind.gates() * self.units, self.units, self.state());
        let of = self.ranges();
        let array = |name: &str, shape: &[usize], range: &Range<usize>| Array {
            name: name.into(),
            shape: shape.to_vec(),
            range: range.clone(),
        };
        let mut all = vec![
            array("cell.weight_ih", &[rows, self.inputs], &of.input_weights),
            array("cell.weight_hh", &[rows, n], &of.recurrent_weights),
            array("cell.bias_ih", &[rows], &of.input_bias),
            array("cell.bias_hh", &[rows], &of.recurrent_bias),
            array("initial", &[s], &of.initial),
            array("readout.weight", &[self.outputs, s], &of.readout_weights),
            array("readout.bias", &[self.outputs], &of.readout_bias),
        ];
        for (l, (weights, bias)) in of.expansion.iter().enumerate() {
            all.push(array(&format!("expansion.{l}.weight"), &[s, s], weights));
            all.push(array(&format!("expansion.{l}.bias"), &[s], bias));
        }
        all
    }

    /// Numbers of all parameters.
    pub fn parameters(&self) -> usize {
        let of = self.ranges();
        of.expansion.last().map_or(of.readout_bias.end, |(_, bias)| bias.end)
    }

    /// Whether there are units, inputs and outputs, and as many numbers as parameters.
    ///
    /// # Errors
    /// [`Error::Shape`] naming what does not fit.
    pub fn check(&self, parameters: usize) -> Result<()> {
        let sizes = [("units", self.units), ("inputs", self.inputs), ("outputs", self.outputs)];
        if let Some((what, _)) = sizes.iter().find(|(_, size)| *size == 0) {
            return Err(Error::shape(*what, 0, "at least 1"));
        }
        if parameters != self.parameters() {
            return Err(Error::shape("parameters", parameters, self.parameters()));
        }
        Ok(())
    }

    /// The cell with its weights in f64.
    pub fn cell(&self, parameters: &[f64]) -> accrue_cells::Cell {
        let of = self.ranges();
        accrue_cells::Cell {
            kind: self.kind,
            units: self.units,
            inputs: self.inputs,
            input_weights: parameters[of.input_weights].to_vec(),
            recurrent_weights: parameters[of.recurrent_weights].to_vec(),
            input_bias: parameters[of.input_bias].to_vec(),
            recurrent_bias: parameters[of.recurrent_bias].to_vec(),
        }
    }
}
