//! The GRU whose reset gate acts before the product (Cho et al. 2014, v3; the papers' own).
//!
//! ```text
//! r = σ(a_r + w_r)    u = σ(a_u + w_u)    c = φ(a_c + W_c (r∘h) + b_hc)    h' = u∘h + (1 − u)∘c
//! J_rec = D(u) + D((h − c) u(1 − u)) W_u + D((1 − u) φ') W_c (D(r) + D(h r(1 − r)) W_r)
//! J_inp =        D((h − c) u(1 − u)) A_u + D((1 − u) φ') (A_c + W_c D(h r(1 − r)) A_r)
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
use crate::rounding::{FEW, INFLATE, U as ROUNDOFF, gamma};
use crate::ugrnn::mixed;
use std::cell::LazyCell;
use std::marker::PhantomData;

pub(crate) const FACTS: Facts = Facts {
    name: "GRU that resets before the product (Keras: reset_after=False)",
    spelling: "gru-reset-before",
    gates: &["r", "u", "c"],
    state: &["h"],
    keeping_gate: Some(1),
    keeping_bias: 0.0,
    architecture: CellKind::GruResetBefore,
    nonlinearity: Nonlinearity::Tanh,
};

pub(crate) const RECTIFIED: Facts = Facts {
    name: "GRU that resets before the product, with a ReLU candidate",
    spelling: "gru-reset-before-relu",
    nonlinearity: Nonlinearity::Relu,
    ..FACTS
};

const R: usize = 0;
const U: usize = 1;
const C: usize = 2;

pub(crate) struct GruResetBefore<A>(pub(crate) PhantomData<A>);

/// The product behind the candidate's argument, where `r` errs by `r_error`.
fn products(map: &Map, h: &[f64], r_error: &[f64]) -> Products {
    let reset: Vec<f64> = h.iter().zip(r_error).map(|(h, r)| h.abs() * (r + ROUNDOFF)).collect();
    Products::of(map, C, h, Some(&reset))
}

/// Error of the candidate's argument `z = a + W_c (r∘h) + b_hc`.
fn argument_error(map: &Map, p: &Products, i: usize) -> f64 {
    let drive = map.drive(C)[i].abs();
    p.drive_error[i] + p.recurrent_error[i] + FEW * ROUNDOFF * (drive + p.recurrent[i])
}

/// `a + W_c (r∘h) + b_hc` at a state, with its error.
fn argument(map: &Map, h: &[f64]) -> Vec<Argument> {
    let r = map.gate(R, h, logistic);
    let reset: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
    let w = plain_product(map, C, &reset);
    let p = products(map, h, &logistic_errors(map, R, h));
    let of =
        |i: usize| Argument { value: map.drive(C)[i] + w[i], error: argument_error(map, &p, i) };
    (0..h.len()).map(of).collect()
}

impl<A: Activation> Equations for GruResetBefore<A> {
    fn evaluate(&self, map: &Map, h: &[f64]) -> Evaluation {
        let (r, u) = (map.gate(R, h, logistic), map.gate(U, h, logistic));
        let reset: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
        let c = map.gate(C, &reset, A::of);
        Evaluation { next: mixed(&u, h, &c), kept: vec![r, u, c] }
    }

    fn jacobian(&self, map: &Map, h: &[f64], at: &Evaluation) -> Matrix {
        let (r, u, c) = (&at.kept[R], &at.kept[U], &at.kept[C]);
        let mut inner = scaled(|i| h[i] * sigmoid_prime(r[i]), map.recurrent(R));
        add_diagonal(&mut inner, r);
        let mut j = scaled(|i| (h[i] - c[i]) * sigmoid_prime(u[i]), map.recurrent(U));
        let candidate = map.recurrent(C) * inner;
        add_scaled(&mut j, |i| (1.0 - u[i]) * A::slope(c[i]), &candidate);
        add_diagonal(&mut j, u);
        j
    }

    fn input_jacobian(&self, map: &Map, h: &[f64], at: &Evaluation) -> Matrix {
        let (r, u, c) = (&at.kept[R], &at.kept[U], &at.kept[C]);
        let reset = map.recurrent(C) * scaled(|i| h[i] * sigmoid_prime(r[i]), map.input_weights(R));
        let mut j = scaled(|i| (h[i] - c[i]) * sigmoid_prime(u[i]), map.input_weights(U));
        let candidate = map.input_weights(C) + reset;
        add_scaled(&mut j, |i| (1.0 - u[i]) * A::slope(c[i]), &candidate);
        j
    }

    /// `y = r∘h` has `y' ≤ r' |h| + 1` and `y'' ≤ r'' |h| + 2 r'`; the candidate's argument is `a + W_c y`.
    fn curvature(&self, map: &Map, h: &[f64], radius: f64) -> Option<Vec<f64>> {
        let n = h.len();
        let rho = row_sums(map);
        let size = |i: usize| h[i].abs() + radius;
        let y_1: Vec<f64> = (0..n).map(|j| rho[R][j] / 4.0 * size(j) + 1.0).collect();
        let y_2: Vec<f64> =
            (0..n).map(|j| SIGMA_2 * rho[R][j] * rho[R][j] * size(j) + rho[R][j] / 2.0).collect();
        let w = map.recurrent(C);
        let through = |i: usize, y: &[f64]| -> f64 {
            INFLATE * w.row(i).iter().zip(y).map(|(w, y)| w.abs() * y).sum::<f64>()
        };
        let z = LazyCell::new(|| argument(map, h));
        let row = |i: usize| {
            let (z_1, z_2) = (through(i, &y_1), through(i, &y_2));
            let c = A::over(|| z[i], z_1 * radius)?;
            Some(mixed_curvature(size(i), rho[U][i], c, (z_1, z_2)))
        };
        (0..n).map(row).collect()
    }

    fn rounding(&self, map: &Map, h: &[f64]) -> RoundingErrors {
        let n = h.len();
        let rho = row_sums(map);
        let (r, u) = (logistic_errors(map, R, h), logistic_errors(map, U, h));
        let p = products(map, h, &r);
        let w = map.recurrent(C);
        let through = |i: usize, x: &dyn Fn(usize) -> f64| -> f64 {
            (0..n).map(|j| w[(i, j)].abs() * x(j)).sum()
        };
        RoundingErrors::of((0..n).map(|i| {
            let t = A::error(argument_error(map, &p, i));
            let c = A::size(map.drive(C)[i].abs() + p.recurrent[i]);
            // D = W_c (r + h r' W_r).
            let inner = |j: usize| 1.0 + h[j].abs() / 4.0 * rho[R][j];
            let d = through(i, &inner);
            let inner_error =
                |j: usize| r[j] * (1.0 + h[j].abs() * rho[R][j]) + FEW * ROUNDOFF * inner(j);
            let d_error = through(i, &inner_error) + gamma(n + 2) * d;
            mixed_errors::<A>((h[i], c), (u[i], t), rho[U][i], (d, d_error))
        }))
    }

    /// With `tanh` [−1, 1]ⁿ: `h'` lies between `h` and `c`, `|c| < 1`, and is `h` only where `h = c`. A rectified
    /// candidate is bounded by nothing.
    fn invariant_box(&self, map: &Map) -> Option<Vec<(f64, f64)>> {
        A::BOUNDED.then(|| vec![(-1.0, 1.0); map.cell().units])
    }
}
