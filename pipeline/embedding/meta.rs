//! A trained meta-model.

use crate::pass::{Trace, emulate};
use crate::{Error, Layout, Phrases, Result};
use accrue_cells::Cell;

/// The meta-model's cell at a `θ`: its input biases are `b + C θ`.
///
/// * `parameters`: in the order of [`Layout`]
pub fn cell(layout: &Layout, parameters: &[f64], theta: &[f64]) -> Cell {
    let (shape, sizes) = (&layout.shape, layout.shape.sizes());
    let (gates, u) = (shape.gates(), sizes.inputs());
    let flat = &parameters[layout.cell()];
    let (a, rest) = flat.split_at(gates * u);
    let (w, rest) = rest.split_at(gates * shape.units);
    let (b_ih, b_hh) = rest.split_at(gates);
    let c = &parameters[layout.conditioning()];
    let bias = |i: usize| {
        let row = c[i * theta.len()..][..theta.len()].iter();
        b_ih[i] + row.zip(theta).map(|(c, t)| c * t).sum::<f64>()
    };
    Cell {
        kind: shape.cell,
        units: shape.units,
        inputs: u,
        input_weights: a.to_vec(),
        recurrent_weights: w.to_vec(),
        input_bias: (0..gates).map(bias).collect(),
        recurrent_bias: b_hh.to_vec(),
    }
}

/// A meta-model with its base models' places.
#[derive(Clone, Debug, PartialEq)]
pub struct MetaModel {
    /// Sizes and places.
    pub layout: Layout,
    /// Names of the base models.
    pub names: Vec<String>,
    /// In the order of the layout.
    pub parameters: Vec<f32>,
}

impl MetaModel {
    /// # Errors
    /// [`Error::Shape`] for parameters or names that do not fit.
    pub fn new(layout: Layout, names: Vec<String>, parameters: Vec<f32>) -> Result<Self> {
        if parameters.len() != layout.parameters() {
            let (found, wanted) = (parameters.len(), layout.parameters());
            return Err(Error::shape("parameters of a meta-model", found, wanted));
        }
        if names.len() != layout.models() {
            return Err(Error::shape("names of base models", names.len(), layout.models()));
        }
        Ok(Self { layout, names, parameters })
    }

    /// `θ_n`.
    pub fn theta(&self, model: usize) -> Vec<f32> {
        self.parameters[self.layout.theta(model)].to_vec()
    }

    /// Every `θ_n`, in f64.
    pub fn thetas(&self) -> Vec<Vec<f64>> {
        let wide = |n: usize| self.theta(n).iter().map(|x| f64::from(*x)).collect();
        (0..self.layout.models()).map(wide).collect()
    }

    /// All parameters in f64.
    pub fn wide(&self) -> Vec<f64> {
        self.parameters.iter().map(|x| f64::from(*x)).collect()
    }

    /// The cell at a `θ`, in f64.
    pub fn cell(&self, theta: &[f64]) -> Cell {
        cell(&self.layout, &self.wide(), theta)
    }

    /// What it does at a `θ` on some phrases.
    pub fn emulate(&self, theta: &[f32], phrases: &Phrases, batch: &[usize]) -> Vec<Trace> {
        emulate(&self.layout, &self.parameters, theta, phrases, batch)
    }

    /// States `[t, state]` as base model `model` would have them, in the units of its recording, `[t, d_n]`.
    pub fn seen(&self, model: usize, states: &[f32]) -> Vec<f32> {
        let (s, d) = (self.layout.shape.state(), self.layout.widths[model]);
        let v = &self.parameters[self.layout.map(model)];
        let bias = &self.parameters[self.layout.map_bias(model)];
        let at = |h: &[f32], i: usize| {
            bias[i] + v[i * s..][..s].iter().zip(h).map(|(v, h)| v * h).sum::<f32>()
        };
        states.chunks_exact(s).flat_map(|h| (0..d).map(move |i| at(h, i))).collect()
    }
}
