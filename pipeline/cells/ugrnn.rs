//! The update-gate cell (Collins et al. 2017).
//!
//! ```text
//! u = σ(a_u + w_u)    c = tanh(a_c + w_c)    h' = u∘h + (1 − u)∘c
//! J_rec = D(u) + D((h − c) u(1 − u)) W_u + D((1 − u)(1 − c²)) W_c
//! J_inp =        D((h − c) u(1 − u)) A_u + D((1 − u)(1 − c²)) A_c
//! ```

use crate::bounds::{
    TANH_2, logistic_errors, mixed_curvature, mixed_errors, row_sums, tanh_errors,
};
use crate::cell::Facts;
use crate::equations::{Equations, Evaluation, RoundingErrors};
use crate::linalg::{Matrix, Vector};
use crate::map::Map;
use crate::products::{add_diagonal, add_scaled, logistic, scaled, sigmoid_prime, tanh_prime};

pub(crate) const FACTS: Facts = Facts {
    name: "UGRNN",
    spelling: "ugrnn",
    gates: &["u", "c"],
    state: &["h"],
    keeping_gate: Some(0),
    keeping_bias: 0.0,
};

const U: usize = 0;
const C: usize = 1;

/// `u∘h + (1 − u)∘c`.
pub(crate) fn mixed(u: &[f64], h: &[f64], c: &[f64]) -> Vector {
    Vector::from_iterator(u.len(), (0..u.len()).map(|i| u[i] * h[i] + (1.0 - u[i]) * c[i]))
}

pub(crate) struct Ugrnn;

impl Ugrnn {
    /// `D((h − c) u(1 − u)) M_u + D((1 − u)(1 − c²)) M_c`.
    fn turned(h: &[f64], at: &Evaluation, m_u: &Matrix, m_c: &Matrix) -> Matrix {
        let (u, c) = (&at.kept[U], &at.kept[C]);
        let mut j = scaled(|i| (h[i] - c[i]) * sigmoid_prime(u[i]), m_u);
        add_scaled(&mut j, |i| (1.0 - u[i]) * tanh_prime(c[i]), m_c);
        j
    }
}

impl Equations for Ugrnn {
    fn evaluate(&self, map: &Map, h: &[f64]) -> Evaluation {
        let (u, c) = (map.gate(U, h, logistic), map.gate(C, h, f64::tanh));
        Evaluation { next: mixed(&u, h, &c), kept: vec![u, c] }
    }

    fn jacobian(&self, map: &Map, h: &[f64], at: &Evaluation) -> Matrix {
        let mut j = Self::turned(h, at, map.recurrent(U), map.recurrent(C));
        add_diagonal(&mut j, &at.kept[U]);
        j
    }

    fn input_jacobian(&self, map: &Map, h: &[f64], at: &Evaluation) -> Matrix {
        Self::turned(h, at, map.input_weights(U), map.input_weights(C))
    }

    fn curvature(&self, map: &Map, h: &[f64], radius: f64) -> Option<Vec<f64>> {
        let rho = row_sums(map);
        let row = |i: usize| {
            let (u, c) = (rho[U][i], rho[C][i]);
            mixed_curvature(h[i].abs() + radius, u, c, TANH_2 * c * c)
        };
        Some((0..h.len()).map(row).collect())
    }

    fn rounding(&self, map: &Map, h: &[f64]) -> RoundingErrors {
        let rho = row_sums(map);
        let (s, t) = (logistic_errors(map, U, h), tanh_errors(map, C, h));
        let row = |i: usize| mixed_errors(h[i], (s[i], t[i]), rho[U][i], (rho[C][i], 0.0));
        RoundingErrors::of((0..h.len()).map(row))
    }

    /// [−1, 1]ⁿ: `h'` lies between `h` and `c`, `|c| < 1`, and is `h` only where `h = c`.
    fn invariant_box(&self, map: &Map) -> Option<Vec<(f64, f64)>> {
        Some(vec![(-1.0, 1.0); map.cell().units])
    }
}
