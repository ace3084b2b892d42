//! A cell with its input held fixed.

use crate::cell::Cell;
use crate::linalg::Matrix;
use crate::products::add_product;
use crate::{Error, Result};
use std::sync::Arc;

/// A cell with its input held fixed: `h ↦ F(h, x*)`.
///
/// `A x* + b_ih` is computed once; `W` and `A` are kept as a matrix a gate.
#[derive(Clone, Debug)]
pub struct Map {
    cell: Arc<Cell>,
    input: Vec<f64>,
    /// `a = A x* + b_ih`, `[gates·n]`.
    drive: Vec<f64>,
    /// `W_g`, `[n, n]`, in the order of the gates.
    recurrent: Arc<Vec<Matrix>>,
    /// `A_g`, `[n, inputs]`, likewise.
    input_weights: Arc<Vec<Matrix>>,
}

/// `A x + b_ih`, `[gates·n]`; zeros of one-hot inputs cost nothing.
fn drive(cell: &Cell, input: &[f64]) -> Vec<f64> {
    let u = cell.inputs;
    let used: Vec<(usize, f64)> =
        input.iter().copied().enumerate().filter(|(_, x)| *x != 0.0).collect();
    let row = |(row, bias): (usize, &f64)| {
        let a = &cell.input_weights[row * u..][..u];
        bias + used.iter().map(|&(k, x)| a[k] * x).sum::<f64>()
    };
    cell.input_bias.iter().enumerate().map(row).collect()
}

impl Map {
    /// Holds the input of `cell` at `input`.
    ///
    /// # Errors
    /// [`Error::Shape`] if `input` does not fit the cell, or the cell its own
    /// sizes; [`Error::NotFinite`] for NaN or infinite weights or input.
    pub fn new(cell: &Cell, input: &[f64]) -> Result<Self> {
        let (n, u, gates) = (cell.units, cell.inputs, cell.kind.gates());
        let sizes = [
            ("input", input.len(), u),
            ("input weights", cell.input_weights.len(), gates * n * u),
            ("recurrent weights", cell.recurrent_weights.len(), gates * n * n),
            ("input bias", cell.input_bias.len(), gates * n),
            ("recurrent bias", cell.recurrent_bias.len(), gates * n),
        ];
        for (what, found, expected) in sizes {
            if found != expected {
                return Err(Error::shape(what, found, expected));
            }
        }
        let arrays = [
            ("input", input),
            ("input weights", &cell.input_weights),
            ("recurrent weights", &cell.recurrent_weights),
            ("input bias", &cell.input_bias),
            ("recurrent bias", &cell.recurrent_bias),
        ];
        for (what, numbers) in arrays {
            if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite {
                    what: what.into(),
                    place: format!("entry {at}"),
                    remedy: "train again, or give weights that are finite".into(),
                });
            }
        }
        let block = |weights: &[f64], g: usize, columns: usize| {
            Matrix::from_row_slice(n, columns, &weights[g * n * columns..][..n * columns])
        };
        let recurrent = (0..gates).map(|g| block(&cell.recurrent_weights, g, n)).collect();
        let input_weights = (0..gates).map(|g| block(&cell.input_weights, g, u)).collect();
        Ok(Self {
            cell: Arc::new(cell.clone()),
            input: input.to_vec(),
            drive: drive(cell, input),
            recurrent: Arc::new(recurrent),
            input_weights: Arc::new(input_weights),
        })
    }

    /// The same cell with its input held elsewhere, `[inputs]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if it does not fit, [`Error::NotFinite`] for NaN in it.
    pub fn with_input(&self, input: &[f64]) -> Result<Self> {
        if input.len() != self.cell.inputs {
            return Err(Error::shape("input", input.len(), self.cell.inputs));
        }
        if let Some(at) = input.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite {
                what: "input".into(),
                place: format!("entry {at}"),
                remedy: "give an input that is finite".into(),
            });
        }
        Ok(Self {
            cell: self.cell.clone(),
            input: input.to_vec(),
            drive: drive(&self.cell, input),
            recurrent: self.recurrent.clone(),
            input_weights: self.input_weights.clone(),
        })
    }

    /// The cell.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// The input that is held, `[inputs]`.
    pub fn input(&self) -> &[f64] {
        &self.input
    }

    /// What the held input adds to the gates, `A x* + b_ih`, `[gates·n]`.
    pub fn input_drive(&self) -> &[f64] {
        &self.drive
    }

    /// `A_g x* + b_ih`, `[n]`, of gate `g`.
    pub(crate) fn drive(&self, g: usize) -> &[f64] {
        let n = self.cell.units;
        &self.drive[g * n..][..n]
    }

    /// `W_g`, `[n, n]`, of gate `g`.
    pub fn recurrent(&self, g: usize) -> &Matrix {
        &self.recurrent[g]
    }

    /// `A_g`, `[n, inputs]`, of gate `g`.
    pub fn input_weights(&self, g: usize) -> &Matrix {
        &self.input_weights[g]
    }

    /// A box that the map takes into its interior and that holds every fixed point, `[state]`; `None` for cells
    /// that have none for any weights ([`Equations::invariant_box`](crate::Equations::invariant_box)).
    pub fn invariant_box(&self) -> Option<Vec<(f64, f64)>> {
        self.cell.kind.equations().invariant_box(self)
    }

    /// `W_g h + b_hh` of gate `g`.
    pub(crate) fn product(&self, g: usize, h: &[f64]) -> Vec<f64> {
        let n = self.cell.units;
        let mut out = self.cell.recurrent_bias[g * n..][..n].to_vec();
        add_product(&mut out, &self.recurrent[g], h);
        out
    }

    /// `f(w + a)`, unit by unit, with what the input adds to gate `g`.
    pub(crate) fn driven(&self, g: usize, w: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
        w.iter().zip(self.drive(g)).map(|(w, a)| f(w + a)).collect()
    }

    /// `f(W_g h + b_hh + A_g x* + b_ih)`: gate `g` at a state.
    pub(crate) fn gate(&self, g: usize, h: &[f64], f: impl Fn(f64) -> f64) -> Vec<f64> {
        self.driven(g, &self.product(g, h), f)
    }
}
