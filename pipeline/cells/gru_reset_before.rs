//! The GRU whose reset gate acts before the product (Cho et al. 2014, v3; the papers' own).
//!
//! ```text
//! r = σ(a_r + w_r)    u = σ(a_u + w_u)    c = tanh(a_c + W_c (r∘h) + b_hc)    h' = u∘h + (1 − u)∘c
//! J_rec = D(u) + D((h − c) u(1 − u)) W_u + D((1 − u)(1 − c²)) W_c (D(r) + D(h r(1 − r)) W_r)
//! J_inp =        D((h − c) u(1 − u)) A_u + D((1 − u)(1 − c²)) (A_c + W_c D(h r(1 − r)) A_r)
//! ```

use crate::bounds::{
    Products, SIGMA_2, TANH_2, logistic_errors, mixed_curvature, mixed_errors, row_sums,
};
use crate::cell::Facts;
use crate::equations::{Equations, Evaluation, RoundingErrors};
use crate::linalg::Matrix;
use crate::map::Map;
use crate::products::{add_diagonal, add_scaled, logistic, scaled, sigmoid_prime, tanh_prime};
use crate::rounding::{FEW, INFLATE, LIBM, U as ROUNDOFF, gamma};
use crate::ugrnn::mixed;

pub(crate) const FACTS: Facts = Facts {
    name: "GRU that resets before the product (Keras: reset_after=False)",
    spelling: "gru-reset-before",
    gates: &["r", "u", "c"],
    state: &["h"],
    keeping_gate: Some(1),
    keeping_bias: 0.0,
};

const R: usize = 0;
const U: usize = 1;
const C: usize = 2;

pub(crate) struct GruResetBefore;

impl Equations for GruResetBefore {
    fn evaluate(&self, map: &Map, h: &[f64]) -> Evaluation {
        let (r, u) = (map.gate(R, h, logistic), map.gate(U, h, logistic));
        let reset: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
        let c = map.gate(C, &reset, f64::tanh);
        Evaluation { next: mixed(&u, h, &c), kept: vec![r, u, c] }
    }

    fn jacobian(&self, map: &Map, h: &[f64], at: &Evaluation) -> Matrix {
        let (r, u, c) = (&at.kept[R], &at.kept[U], &at.kept[C]);
        let mut inner = scaled(|i| h[i] * sigmoid_prime(r[i]), map.recurrent(R));
        add_diagonal(&mut inner, r);
        let mut j = scaled(|i| (h[i] - c[i]) * sigmoid_prime(u[i]), map.recurrent(U));
        let candidate = map.recurrent(C) * inner;
        add_scaled(&mut j, |i| (1.0 - u[i]) * tanh_prime(c[i]), &candidate);
        add_diagonal(&mut j, u);
        j
    }

    fn input_jacobian(&self, map: &Map, h: &[f64], at: &Evaluation) -> Matrix {
        let (r, u, c) = (&at.kept[R], &at.kept[U], &at.kept[C]);
        let reset = map.recurrent(C) * scaled(|i| h[i] * sigmoid_prime(r[i]), map.input_weights(R));
        let mut j = scaled(|i| (h[i] - c[i]) * sigmoid_prime(u[i]), map.input_weights(U));
        let candidate = map.input_weights(C) + reset;
        add_scaled(&mut j, |i| (1.0 - u[i]) * tanh_prime(c[i]), &candidate);
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
        let row = |i: usize| {
            let (z_1, z_2) = (through(i, &y_1), through(i, &y_2));
            mixed_curvature(size(i), rho[U][i], z_1, TANH_2 * z_1 * z_1 + z_2)
        };
        Some((0..n).map(row).collect())
    }

    fn rounding(&self, map: &Map, h: &[f64]) -> RoundingErrors {
        let n = h.len();
        let rho = row_sums(map);
        let (r, u) = (logistic_errors(map, R, h), logistic_errors(map, U, h));
        let reset_error: Vec<f64> = (0..n).map(|j| h[j].abs() * (r[j] + ROUNDOFF)).collect();
        let p = Products::of(map, C, h, Some(&reset_error));
        let w = map.recurrent(C);
        let through = |i: usize, x: &dyn Fn(usize) -> f64| -> f64 {
            (0..n).map(|j| w[(i, j)].abs() * x(j)).sum()
        };
        RoundingErrors::of((0..n).map(|i| {
            let drive = map.drive(C)[i].abs();
            let z =
                p.drive_error[i] + p.recurrent_error[i] + FEW * ROUNDOFF * (drive + p.recurrent[i]);
            // D = W_c (r + h r' W_r).
            let inner = |j: usize| 1.0 + h[j].abs() / 4.0 * rho[R][j];
            let d = through(i, &inner);
            let inner_error =
                |j: usize| r[j] * (1.0 + h[j].abs() * rho[R][j]) + FEW * ROUNDOFF * inner(j);
            let d_error = through(i, &inner_error) + gamma(n + 2) * d;
            mixed_errors(h[i], (u[i], z + LIBM * ROUNDOFF), rho[U][i], (d, d_error))
        }))
    }

    /// [−1, 1]ⁿ: `h'` lies between `h` and `c`, `|c| < 1`, and is `h` only where `h = c`.
    fn invariant_box(&self, map: &Map) -> Option<Vec<(f64, f64)>> {
        Some(vec![(-1.0, 1.0); map.cell().units])
    }
}
