//! The update-gate cell (Collins et al. 2017).
//!
//! ```text
//! u = σ(a_u + w_u)    c = φ(a_c + w_c)    h' = u∘h + (1 − u)∘c
//! J_rec = D(u) + D((h − c) u(1 − u)) W_u + D((1 − u) φ') W_c
//! J_inp =        D((h − c) u(1 − u)) A_u + D((1 − u) φ') A_c
//! ```
//!
//! `φ` is `tanh` with `φ' = 1 − c²`, or a rectifier with `φ' = 1` where `c > 0`, else 0.

use crate::activation::{Activation, Nonlinearity};
use crate::bounds::{
    arguments, candidate_errors, candidate_sizes, logistic_errors, mixed_curvature, mixed_errors,
    row_sums,
};
use crate::cell::{CellKind, Facts};
use crate::equations::{Equations, Evaluation, RoundingErrors};
use crate::linalg::{Matrix, Vector};
use crate::map::Map;
use crate::products::{add_diagonal, add_scaled, logistic, scaled, sigmoid_prime};
use std::cell::LazyCell;
use std::marker::PhantomData;

pub(crate) const FACTS: Facts = Facts {
    name: "UGRNN",
    spelling: "ugrnn",
    gates: &["u", "c"],
    state: &["h"],
    keeping_gate: Some(0),
    keeping_bias: 0.0,
    architecture: CellKind::Ugrnn,
    nonlinearity: Nonlinearity::Tanh,
};

pub(crate) const RECTIFIED: Facts = Facts {
    name: "UGRNN with a ReLU candidate",
    spelling: "ugrnn-relu",
    nonlinearity: Nonlinearity::Relu,
    ..FACTS
};

const U: usize = 0;
const C: usize = 1;

/// `u∘h + (1 − u)∘c`.
pub(crate) fn mixed(u: &[f64], h: &[f64], c: &[f64]) -> Vector {
    Vector::from_iterator(u.len(), (0..u.len()).map(|i| u[i] * h[i] + (1.0 - u[i]) * c[i]))
}

pub(crate) struct Ugrnn<A>(pub(crate) PhantomData<A>);

impl<A: Activation> Ugrnn<A> {
    /// `D((h − c) u(1 − u)) M_u + D((1 − u) c') M_c`.
    fn turned(h: &[f64], at: &Evaluation, m_u: &Matrix, m_c: &Matrix) -> Matrix {
        let (u, c) = (&at.kept[U], &at.kept[C]);
        let mut j = scaled(|i| (h[i] - c[i]) * sigmoid_prime(u[i]), m_u);
        add_scaled(&mut j, |i| (1.0 - u[i]) * A::slope(c[i]), m_c);
        j
    }
}

impl<A: Activation> Equations for Ugrnn<A> {
    fn evaluate(&self, map: &Map, h: &[f64]) -> Evaluation {
        let (u, c) = (map.gate(U, h, logistic), map.gate(C, h, A::of));
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
        let z = LazyCell::new(|| arguments(map, C, h));
        let row = |i: usize| {
            let z_1 = rho[C][i];
            let c = A::over(|| z[i], z_1 * radius)?;
            Some(mixed_curvature(h[i].abs() + radius, rho[U][i], c, (z_1, 0.0)))
        };
        (0..h.len()).map(row).collect()
    }

    fn rounding(&self, map: &Map, h: &[f64]) -> RoundingErrors {
        let rho = row_sums(map);
        let (s, t) = (logistic_errors(map, U, h), candidate_errors::<A>(map, C, h));
        let c = candidate_sizes::<A>(map, C, h);
        let row =
            |i: usize| mixed_errors::<A>((h[i], c[i]), (s[i], t[i]), rho[U][i], (rho[C][i], 0.0));
        RoundingErrors::of((0..h.len()).map(row))
    }

    /// With `tanh` [−1, 1]ⁿ: `h'` lies between `h` and `c`, `|c| < 1`, and is `h` only where `h = c`. A rectified
    /// candidate is bounded by nothing.
    fn invariant_box(&self, map: &Map) -> Option<Vec<(f64, f64)>> {
        A::BOUNDED.then(|| vec![(-1.0, 1.0); map.cell().units])
    }
}
