//! The linear cell, `h' = a + w`, with `J_rec = W` and `J_inp = A`.

use crate::activation::Nonlinearity;
use crate::bounds::pre_activation_errors;
use crate::cell::{CellKind, Facts};
use crate::equations::{Equations, Evaluation, RoundingErrors};
use crate::linalg::{Matrix, Vector};
use crate::map::Map;

pub(crate) const FACTS: Facts = Facts {
    name: "linear cell",
    spelling: "linear",
    gates: &["c"],
    state: &["h"],
    keeping_gate: None,
    keeping_bias: 0.0,
    architecture: CellKind::Vanilla,
    nonlinearity: Nonlinearity::Identity,
};

pub(crate) struct Linear;

impl Equations for Linear {
    fn evaluate(&self, map: &Map, state: &[f64]) -> Evaluation {
        Evaluation { next: Vector::from_vec(map.gate(0, state, |z| z)), kept: Vec::new() }
    }

    fn jacobian(&self, map: &Map, _: &[f64], _: &Evaluation) -> Matrix {
        map.recurrent(0).clone()
    }

    fn input_jacobian(&self, map: &Map, _: &[f64], _: &Evaluation) -> Matrix {
        map.input_weights(0).clone()
    }

    fn curvature(&self, map: &Map, _: &[f64], _: f64) -> Option<Vec<f64>> {
        Some(vec![0.0; map.cell().units])
    }

    fn rounding(&self, map: &Map, state: &[f64]) -> RoundingErrors {
        let step = pre_activation_errors(map, 0, state);
        RoundingErrors { jacobian: vec![0.0; step.len()], step }
    }
}
