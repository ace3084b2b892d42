//! The GRU whose reset gate acts after the product, as in PyTorch and cuDNN (Cho et al. 2014, v1).
//!
//! With `w_c = W_c h + b_hc` and `d = (1 − u) φ'`,
//!
//! ```text
//! r = σ(a_r + w_r)    u = σ(a_u + w_u)    c = φ(a_c + r∘w_c)    h' = u∘h + (1 − u)∘c
//! J_rec = D(u) + D((h − c) u(1 − u)) W_u + D(d r) W_c + D(d w_c r(1 − r)) W_r
//! J_inp =        D((h − c) u(1 − u)) A_u + D(d) A_c   + D(d w_c r(1 − r)) A_r
//! ```
//!
//! `φ` is `tanh` with `φ' = 1 − c²`, or a rectifier with `φ' = 1` where `c > 0`, else 0.

use crate::activation::{Activation, Argument, Nonlinearity};
use crate::bounds::{
    Products, SIGMA_2, logistic_errors, mixed_curvature, mixed_errors, plain_product, row_sums,
};
use crate::cell::{CellKind, Facts};
use crate::equations::{Equations, Evaluation, RoundingErrors};
use crate::linalg::Matrix;
use crate::map::Map;
use crate::products::{add_diagonal, add_scaled, logistic, scaled, sigmoid_prime};
use crate::rounding::{FEW, INFLATE, U as ROUNDOFF};
use crate::ugrnn::mixed;
use std::cell::LazyCell;
use std::marker::PhantomData;

pub(crate) const FACTS: Facts = Facts {
    name: "GRU",
    spelling: "gru",
    gates: &["r", "u", "c"],
    state: &["h"],
    keeping_gate: Some(1),
    keeping_bias: 0.0,
    architecture: CellKind::Gru,
    nonlinearity: Nonlinearity::Tanh,
};

pub(crate) const RECTIFIED: Facts = Facts {
    name: "GRU with a ReLU candidate",
    spelling: "gru-relu",
    nonlinearity: Nonlinearity::Relu,
    ..FACTS
};

const R: usize = 0;
const U: usize = 1;
const C: usize = 2;
/// Where an evaluation keeps `W_c h + b_hc`.
const W_C: usize = 3;

pub(crate) struct Gru<A>(pub(crate) PhantomData<A>);

/// Error of the candidate's argument `z = a + r∘w_c`, where `|r| ≤ 1` errs by `r`.
fn argument_error(map: &Map, p: &Products, r: f64, i: usize) -> f64 {
    let (w, drive) = (p.recurrent[i], map.drive(C)[i].abs());
    p.drive_error[i] + w * r + p.recurrent_error[i] + FEW * ROUNDOFF * (drive + w)
}

/// `a + r∘w_c` at a state, with its error.
fn argument(map: &Map, h: &[f64], w_c: &[f64]) -> Vec<Argument> {
    let (r, p) = (map.gate(R, h, logistic), Products::of(map, C, h, None));
    let errors = logistic_errors(map, R, h);
    let of = |i: usize| Argument {
        value: map.drive(C)[i] + r[i] * w_c[i],
        error: argument_error(map, &p, errors[i], i),
    };
    (0..h.len()).map(of).collect()
}

impl<A: Activation> Equations for Gru<A> {
    fn evaluate(&self, map: &Map, h: &[f64]) -> Evaluation {
        let (r, u) = (map.gate(R, h, logistic), map.gate(U, h, logistic));
        let w_c = map.product(C, h);
        let reset: Vec<f64> = r.iter().zip(&w_c).map(|(r, w)| r * w).collect();
        let c = map.driven(C, &reset, A::of);
        Evaluation { next: mixed(&u, h, &c), kept: vec![r, u, c, w_c] }
    }

    fn jacobian(&self, map: &Map, h: &[f64], at: &Evaluation) -> Matrix {
        let (r, u, c, w_c) = (&at.kept[R], &at.kept[U], &at.kept[C], &at.kept[W_C]);
        let d = |i: usize| (1.0 - u[i]) * A::slope(c[i]);
        let mut j = scaled(|i| (h[i] - c[i]) * sigmoid_prime(u[i]), map.recurrent(U));
        add_scaled(&mut j, |i| d(i) * r[i], map.recurrent(C));
        add_scaled(&mut j, |i| d(i) * w_c[i] * sigmoid_prime(r[i]), map.recurrent(R));
        add_diagonal(&mut j, u);
        j
    }

    fn input_jacobian(&self, map: &Map, h: &[f64], at: &Evaluation) -> Matrix {
        let (r, u, c, w_c) = (&at.kept[R], &at.kept[U], &at.kept[C], &at.kept[W_C]);
        let d = |i: usize| (1.0 - u[i]) * A::slope(c[i]);
        let mut j = scaled(|i| (h[i] - c[i]) * sigmoid_prime(u[i]), map.input_weights(U));
        add_scaled(&mut j, d, map.input_weights(C));
        add_scaled(&mut j, |i| d(i) * w_c[i] * sigmoid_prime(r[i]), map.input_weights(R));
        j
    }

    /// The candidate's argument `z = a + r∘w_c` has `z' ≤ r' |w_c| + ρ_c` and `z'' ≤ r'' |w_c| + 2 r' ρ_c`.
    fn curvature(&self, map: &Map, h: &[f64], radius: f64) -> Option<Vec<f64>> {
        let rho = row_sums(map);
        let w_c = plain_product(map, C, h);
        let z = LazyCell::new(|| argument(map, h, &w_c));
        let row = |i: usize| {
            let (r, c) = (rho[R][i], rho[C][i]);
            let w = w_c[i].abs() * INFLATE + c * radius;
            let z_1 = r / 4.0 * w + c;
            let z_2 = SIGMA_2 * r * r * w + 2.0 * (r / 4.0) * c;
            let c = A::over(|| z[i], z_1 * radius)?;
            Some(mixed_curvature(h[i].abs() + radius, rho[U][i], c, (z_1, z_2)))
        };
        (0..h.len()).map(row).collect()
    }

    fn rounding(&self, map: &Map, h: &[f64]) -> RoundingErrors {
        let rho = row_sums(map);
        let (r, u) = (logistic_errors(map, R, h), logistic_errors(map, U, h));
        let p = Products::of(map, C, h, None);
        RoundingErrors::of((0..h.len()).map(|i| {
            let (w, e) = (p.recurrent[i], p.recurrent_error[i]);
            let t = A::error(argument_error(map, &p, r[i], i));
            let c = A::size(map.drive(C)[i].abs() + w);
            // D = r W_c + w r' W_r.
            let d = rho[C][i] + w / 4.0 * rho[R][i];
            let d_error = r[i] * rho[C][i] + (w * r[i] + e / 4.0) * rho[R][i] + FEW * ROUNDOFF * d;
            mixed_errors::<A>((h[i], c), (u[i], t), rho[U][i], (d, d_error))
        }))
    }

    /// With `tanh` [−1, 1]ⁿ: `h'` lies between `h` and `c`, `|c| < 1`, and is `h` only where `h = c`. A rectified
    /// candidate is bounded by nothing.
    fn invariant_box(&self, map: &Map) -> Option<Vec<(f64, f64)>> {
        A::BOUNDED.then(|| vec![(-1.0, 1.0); map.cell().units])
    }
}
