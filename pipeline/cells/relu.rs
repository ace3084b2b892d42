//! The rectified cell, `h' = max(0, a + w)`.
//!
//! With `p` 1 where `h' > 0`, else 0: `J_rec = D(p) W`, `J_inp = D(p) A`.

use crate::activation::{Activation, Nonlinearity, Rectifier};
use crate::bounds::{arguments, pre_activation_errors, row_sums};
use crate::cell::{CellKind, Facts};
use crate::equations::{Equations, Evaluation, RoundingErrors};
use crate::linalg::{Matrix, Vector};
use crate::map::Map;
use crate::products::scaled;

pub(crate) const FACTS: Facts = Facts {
    name: "ReLU cell",
    spelling: "relu",
    gates: &["c"],
    state: &["h"],
    keeping_gate: None,
    keeping_bias: 0.0,
    architecture: CellKind::Vanilla,
    nonlinearity: Nonlinearity::Relu,
};

pub(crate) struct Relu;

/// 1 where a unit is open.
fn open(at: &Evaluation) -> impl Fn(usize) -> f64 {
    |i| Rectifier::slope(at.next[i])
}

impl Equations for Relu {
    fn evaluate(&self, map: &Map, state: &[f64]) -> Evaluation {
        Evaluation { next: Vector::from_vec(map.gate(0, state, Rectifier::of)), kept: Vec::new() }
    }

    fn jacobian(&self, map: &Map, _: &[f64], at: &Evaluation) -> Matrix {
        scaled(open(at), map.recurrent(0))
    }

    fn input_jacobian(&self, map: &Map, _: &[f64], at: &Evaluation) -> Matrix {
        scaled(open(at), map.input_weights(0))
    }

    /// Linear as long as no pre-activation changes its sign.
    fn curvature(&self, map: &Map, state: &[f64], radius: f64) -> Option<Vec<f64>> {
        let rho = row_sums(map);
        let z = arguments(map, 0, state);
        let row = |i: usize| Some(Rectifier::over(|| z[i], rho[0][i] * radius)?.bend);
        (0..z.len()).map(row).collect()
    }

    /// Rows of `J` are rows of `W`, or nothing: which, is for the curvature to secure.
    fn rounding(&self, map: &Map, state: &[f64]) -> RoundingErrors {
        let step = pre_activation_errors(map, 0, state);
        RoundingErrors { jacobian: vec![0.0; step.len()], step }
    }
}
