//! The tanh cell (Elman 1990), `h' = tanh(a + w)`.
//!
//! ```text
//! J_rec = D(1 − h'²) W        J_inp = D(1 − h'²) A
//! ```

use crate::activation::{Nonlinearity, Tanh};
use crate::bounds::{TANH_2, candidate_errors, row_sums};
use crate::cell::{CellKind, Facts};
use crate::equations::{Equations, Evaluation, RoundingErrors};
use crate::linalg::{Matrix, Vector};
use crate::map::Map;
use crate::products::{scaled, tanh_prime};
use crate::rounding::{FEW, U};

pub(crate) const FACTS: Facts = Facts {
    name: "tanh cell",
    spelling: "vanilla",
    gates: &["c"],
    state: &["h"],
    keeping_gate: None,
    keeping_bias: 0.0,
    architecture: CellKind::Vanilla,
    nonlinearity: Nonlinearity::Tanh,
};

pub(crate) struct Vanilla;

impl Equations for Vanilla {
    fn evaluate(&self, map: &Map, state: &[f64]) -> Evaluation {
        let next = Vector::from_vec(map.gate(0, state, f64::tanh));
        Evaluation { next, kept: Vec::new() }
    }

    fn jacobian(&self, map: &Map, _: &[f64], at: &Evaluation) -> Matrix {
        scaled(|i| tanh_prime(at.next[i]), map.recurrent(0))
    }

    fn input_jacobian(&self, map: &Map, _: &[f64], at: &Evaluation) -> Matrix {
        scaled(|i| tanh_prime(at.next[i]), map.input_weights(0))
    }

    /// `|tanh''| ρ²`.
    fn curvature(&self, map: &Map, _: &[f64], _: f64) -> Option<Vec<f64>> {
        Some(row_sums(map)[0].iter().map(|r| TANH_2 * r * r).collect())
    }

    /// `1 − t²` errs by `2 e(t)`.
    fn rounding(&self, map: &Map, state: &[f64]) -> RoundingErrors {
        let step = candidate_errors::<Tanh>(map, 0, state);
        let rho = row_sums(map);
        let jacobian = step.iter().zip(&rho[0]).map(|(e, r)| (2.0 * e + FEW * U) * r).collect();
        RoundingErrors { step, jacobian }
    }

    /// [−1, 1]ⁿ: `|tanh| < 1`.
    fn invariant_box(&self, map: &Map) -> Option<Vec<(f64, f64)>> {
        Some(vec![(-1.0, 1.0); map.cell().units])
    }
}
