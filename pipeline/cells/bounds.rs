//! Bounds that cells share: of second derivatives, and of what rounding may do.
//!
//! Errors are carried through each cell's equations: `σ` has slope at most ¼, `tanh` at most 1, and both
//! are taken to be within [`LIBM`] roundoffs of the truth; a rectifier rounds nothing. Writing `e(x)` for the bound of `x`'s error, products
//! obey `e(xy) ≤ |x| e(y) + |y| e(x) + e(x) e(y)`; the last term and the few roundings of elementary
//! operations are covered by [`FEW`].

use crate::activation::{Activation, Argument, Over};
use crate::map::Map;
use crate::rounding::{FEW, INFLATE, LIBM, U, gamma};

/// `sup |σ''| = 1/(6√3)`.
pub(crate) const SIGMA_2: f64 = 0.096_225_044_864_937_64;
/// `sup |tanh''| = 4/(3√3)`.
pub(crate) const TANH_2: f64 = 0.769_800_358_919_501;

/// `ρ_g,i = Σ_j |W_g,ij|`, a gate.
pub(crate) fn row_sums(map: &Map) -> Vec<Vec<f64>> {
    let sums = |g: usize| {
        let w = map.recurrent(g);
        (0..w.nrows()).map(|i| INFLATE * w.row(i).iter().map(|x| x.abs()).sum::<f64>()).collect()
    };
    (0..map.cell().kind.gates()).map(sums).collect()
}

/// `W_g h + b_hh` of gate `g`, summed in plain order.
pub(crate) fn plain_product(map: &Map, g: usize, h: &[f64]) -> Vec<f64> {
    let n = map.cell().units;
    let w = map.recurrent(g);
    let b = &map.cell().recurrent_bias[g * n..][..n];
    (0..n).map(|i| b[i] + w.row(i).iter().zip(h).map(|(w, h)| w * h).sum::<f64>()).collect()
}

/// Curvature of `h' = u h + (1 − u) c = c + u (h − c)`, a row:
/// `u'' |h − c| + 2 u' (1 + c') + c''`, as `|1 − u| ≤ 1`, with `c' = φ' z'` and `c'' = φ'' z'² + φ' z''`.
///
/// * `size`: largest `|h|` in the ball; `rho_u`: row sum of `|W_u|`
/// * `c`: the candidate in the ball; `z_1`, `z_2`: bounds of the first and second derivatives of its argument
pub(crate) fn mixed_curvature(size: f64, rho_u: f64, c: Over, (z_1, z_2): (f64, f64)) -> f64 {
    let (c_1, c_2) = (c.slope * z_1, c.bend * z_1 * z_1 + c.slope * z_2);
    SIGMA_2 * rho_u * rho_u * (size + c.size) + 2.0 * (rho_u / 4.0) * (1.0 + c_1) + c_2
}

/// Sums of absolute values in gate `g` of `A x + b_ih` and of `W h + b_hh`, and
/// their errors.
pub(crate) struct Products {
    pub(crate) drive_error: Vec<f64>,
    pub(crate) recurrent: Vec<f64>,
    pub(crate) recurrent_error: Vec<f64>,
}

impl Products {
    /// * `h`: what `W_g` multiplies; `h_error`: error of each entry of it
    pub(crate) fn of(map: &Map, g: usize, h: &[f64], h_error: Option<&[f64]>) -> Self {
        let cell = map.cell();
        let (n, u) = (cell.units, cell.inputs);
        let w = map.recurrent(g);
        let (gamma_u, gamma_n) = (gamma(u + 2), gamma(n + 2));
        let (mut drive_error, mut recurrent, mut recurrent_error) = (vec![], vec![], vec![]);
        for i in 0..n {
            let row = g * n + i;
            let a = &cell.input_weights[row * u..][..u];
            let drive: f64 = a.iter().zip(map.input()).map(|(a, x)| (a * x).abs()).sum();
            drive_error.push(gamma_u * (drive + cell.input_bias[row].abs()));
            let sum: f64 = w.row(i).iter().zip(h).map(|(w, h)| (w * h).abs()).sum();
            let sum = sum + cell.recurrent_bias[row].abs();
            let passed: f64 = h_error
                .map_or(0.0, |e| w.row(i).iter().zip(e).map(|(w, e)| (w * e).abs()).sum::<f64>());
            recurrent.push(INFLATE * sum);
            recurrent_error.push(INFLATE * (gamma_n * sum + passed));
        }
        Self { drive_error, recurrent, recurrent_error }
    }
}

/// Error of gate `g`'s pre-activation, a unit: both halves and their sum.
pub(crate) fn pre_activation_errors(map: &Map, g: usize, state: &[f64]) -> Vec<f64> {
    let n = map.cell().units;
    let p = Products::of(map, g, &state[..n], None);
    (0..n)
        .map(|i| {
            let drive = map.drive(g)[i].abs();
            p.drive_error[i] + p.recurrent_error[i] + U * (drive + p.recurrent[i])
        })
        .collect()
}

/// `W_g h + b_hh + A_g x* + b_ih` of gate `g`, summed in plain order.
pub(crate) fn arguments(map: &Map, g: usize, state: &[f64]) -> Vec<Argument> {
    let w = plain_product(map, g, &state[..map.cell().units]);
    let z = w.iter().zip(map.drive(g)).map(|(w, a)| w + a);
    let errors = pre_activation_errors(map, g, state);
    z.zip(errors).map(|(value, error)| Argument { value, error }).collect()
}

/// Error of gate `g`, a logistic function.
pub(crate) fn logistic_errors(map: &Map, g: usize, state: &[f64]) -> Vec<f64> {
    pre_activation_errors(map, g, state).iter().map(|e| e / 4.0 + LIBM * U).collect()
}

/// Error of gate `g`, a candidate.
pub(crate) fn candidate_errors<A: Activation>(map: &Map, g: usize, state: &[f64]) -> Vec<f64> {
    pre_activation_errors(map, g, state).into_iter().map(A::error).collect()
}

/// Bound of the size of gate `g`, a candidate, at a state.
pub(crate) fn candidate_sizes<A: Activation>(map: &Map, g: usize, state: &[f64]) -> Vec<f64> {
    let p = Products::of(map, g, &state[..map.cell().units], None);
    p.recurrent.iter().zip(map.drive(g)).map(|(w, a)| A::size(w + a.abs())).collect()
}

/// Errors of `h' = u h + (1 − u) c`, and of its row of the Jacobian
/// `u + (h − c) u' W_u + (1 − u) c' D` with `D` the candidate's own.
///
/// * `c`: bound of `|c|`; `s`, `t`: errors of `u` and `c`; `rho_u`: row sum of `|W_u|`
/// * `d`, `d_error`: row sums of `|D|` and of its error
pub(crate) fn mixed_errors<A: Activation>(
    (h, c): (f64, f64),
    (s, t): (f64, f64),
    rho_u: f64,
    (d, d_error): (f64, f64),
) -> (f64, f64) {
    let step = s * (h.abs() + c) + t + FEW * U * (h.abs() + c);
    let of_gate = rho_u * ((s + FEW * U) * (h.abs() + c) + t / 4.0);
    let of_candidate = (s + A::slope_error(t) + FEW * U) * d + d_error;
    (step, s + of_gate + of_candidate + FEW * U)
}
