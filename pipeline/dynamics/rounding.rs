//! How far `F` and `J`, as [`Map`] computes them in f64, may be from the truth.
//!
//! A dot product of `m` terms errs by at most `γ_m Σ|a_k b_k|` in any order
//! (Higham 2002, ch. 3). From there errors are carried through each cell's
//! equations: `σ` has slope at most ¼, `tanh` at most 1, and both are taken to
//! be within [`LIBM`] roundoffs of the truth. Writing `e(x)` for the bound of
//! `x`'s error, products obey `e(xy) ≤ |x| e(y) + |y| e(x) + e(x) e(y)`; the last
//! term and the few roundings of elementary operations are covered by [`FEW`].

use super::step::Map;
use accrue_cells::CellKind;

/// Unit roundoff of f64.
pub const U: f64 = f64::EPSILON / 2.0;
/// Roundoffs that an activation (from `exp` or `tanh`) may be off; the C
/// library's are below 2.
pub const LIBM: f64 = 8.0;
/// Factor on sums of non-negative bounds, larger than the rounding of any of
/// them (`1 + γ_m` for `m` up to 10⁵).
pub const INFLATE: f64 = 1.0 + 1e-10;
/// Roundoffs for the elementary operations of one entry of `F` or one factor of
/// `J`, products of two errors included.
pub const FEW: f64 = 16.0;

/// `γ_m = m u/(1 − m u)`.
pub fn gamma(m: usize) -> f64 {
    let mu = m as f64 * U;
    mu / (1.0 - mu)
}

/// `ρ_g,i = Σ_j |W_g,ij|`, a gate.
pub fn weights(map: &Map) -> Vec<Vec<f64>> {
    let gates = map.cell().kind.gates();
    let sums = |g: usize| {
        let w = map.recurrent(g);
        (0..w.nrows()).map(|i| INFLATE * w.row(i).iter().map(|x| x.abs()).sum::<f64>()).collect()
    };
    (0..gates).map(sums).collect()
}

/// Bounds of the rounding errors at one state, against exact arithmetic with
/// the same f64 weights.
pub struct Errors {
    /// Of each entry of `F`, `[state]`.
    pub step: Vec<f64>,
    /// Of each row of `J`, as a sum over its entries, `[state]`.
    pub jacobian: Vec<f64>,
}

impl Errors {
    /// The bounds at `state`.
    pub fn at(map: &Map, state: &[f64]) -> Self {
        let n = map.cell().units;
        let found = match map.cell().kind {
            CellKind::Vanilla | CellKind::VanillaRelu | CellKind::Linear => elman(map, state),
            CellKind::Ugrnn => ugrnn(map, state),
            CellKind::Gru => gru(map, state),
            CellKind::GruResetBefore => gru_reset_before(map, state),
            CellKind::Lstm => lstm(map, state),
        };
        debug_assert!(found.step.len() == map.state_size() && n > 0);
        let inflate = |rows: Vec<f64>| rows.into_iter().map(|x| INFLATE * x).collect();
        Self { step: inflate(found.step), jacobian: inflate(found.jacobian) }
    }
}

/// Sums of absolute values in gate `g` of `A x + b_ih` and of `W h + b_hh`, and
/// their errors.
struct Products {
    entry_error: Vec<f64>,
    recurrent: Vec<f64>,
    recurrent_error: Vec<f64>,
}

/// * `h`: what `W_g` multiplies; `h_error`: error of each entry of it
fn products(map: &Map, g: usize, h: &[f64], h_error: Option<&[f64]>) -> Products {
    let cell = map.cell();
    let (n, u) = (cell.units, cell.inputs);
    let w = map.recurrent(g);
    let (gamma_u, gamma_n) = (gamma(u + 2), gamma(n + 2));
    let (mut entry_error, mut recurrent, mut recurrent_error) = (vec![], vec![], vec![]);
    for i in 0..n {
        let row = g * n + i;
        let a = &cell.input_weights[row * u..][..u];
        let entry: f64 = a.iter().zip(map.input()).map(|(a, x)| (a * x).abs()).sum();
        entry_error.push(gamma_u * (entry + cell.input_bias[row].abs()));
        let sum: f64 = w.row(i).iter().zip(h).map(|(w, h)| (w * h).abs()).sum();
        let sum = sum + cell.recurrent_bias[row].abs();
        let passed: f64 = h_error
            .map_or(0.0, |e| w.row(i).iter().zip(e).map(|(w, e)| (w * e).abs()).sum::<f64>());
        recurrent.push(INFLATE * sum);
        recurrent_error.push(INFLATE * (gamma_n * sum + passed));
    }
    Products { entry_error, recurrent, recurrent_error }
}

/// Error of gate `g`'s pre-activation, a unit: both halves and their sum.
fn pre(map: &Map, g: usize, state: &[f64]) -> Vec<f64> {
    let n = map.cell().units;
    let p = products(map, g, &state[..n], None);
    (0..n)
        .map(|i| {
            let entry = map.entry()[g * n + i].abs();
            p.entry_error[i] + p.recurrent_error[i] + U * (entry + p.recurrent[i])
        })
        .collect()
}

/// Error of `σ` of it.
fn sigmoids(pre: &[f64]) -> Vec<f64> {
    pre.iter().map(|e| e / 4.0 + LIBM * U).collect()
}

/// Error of `tanh` of it.
fn tanhs(pre: &[f64]) -> Vec<f64> {
    pre.iter().map(|e| e + LIBM * U).collect()
}

fn elman(map: &Map, state: &[f64]) -> Errors {
    let rho = weights(map);
    let pre = pre(map, 0, state);
    if map.cell().kind != CellKind::Vanilla {
        // Rows of J are rows of W, or nothing: which, is for the caller to secure.
        return Errors { jacobian: vec![0.0; pre.len()], step: pre };
    }
    let step = tanhs(&pre);
    let jacobian = step.iter().zip(&rho[0]).map(|(e, r)| (2.0 * e + FEW * U) * r).collect();
    Errors { step, jacobian }
}

/// `h' = u h + (1 − u) c`, and its Jacobian
/// `u + (h − c) u' W_u + (1 − u) c' D` with `D` the candidate's own.
///
/// * `s`, `t`: errors of `u` and `c`; `rho_u`: row sums of `|W_u|`
/// * `d`, `d_error`: row sums of `|D|` and of its error
fn mixed(h: f64, s: f64, t: f64, rho_u: f64, d: f64, d_error: f64) -> (f64, f64) {
    let step = s * (h.abs() + 1.0) + t + FEW * U * (h.abs() + 1.0);
    let of_gate = rho_u * ((s + FEW * U) * (h.abs() + 1.0) + t / 4.0);
    let of_candidate = (s + 2.0 * t + FEW * U) * d + d_error;
    (step, s + of_gate + of_candidate + FEW * U)
}

fn collect(rows: impl Iterator<Item = (f64, f64)>) -> Errors {
    let (step, jacobian) = rows.unzip();
    Errors { step, jacobian }
}

fn ugrnn(map: &Map, state: &[f64]) -> Errors {
    let rho = weights(map);
    let (s, t) = (sigmoids(&pre(map, 0, state)), tanhs(&pre(map, 1, state)));
    let n = map.cell().units;
    collect((0..n).map(|i| mixed(state[i], s[i], t[i], rho[0][i], rho[1][i], 0.0)))
}

fn gru(map: &Map, state: &[f64]) -> Errors {
    let rho = weights(map);
    let n = map.cell().units;
    let (r, u) = (sigmoids(&pre(map, 0, state)), sigmoids(&pre(map, 1, state)));
    let p = products(map, 2, &state[..n], None);
    collect((0..n).map(|i| {
        let (w, e) = (p.recurrent[i], p.recurrent_error[i]);
        // z = a + r w: |r| ≤ 1.
        let entry = map.entry()[2 * n + i].abs();
        let z = p.entry_error[i] + w * r[i] + e + FEW * U * (entry + w);
        // D = r W_c + w r' W_r.
        let d = rho[2][i] + w / 4.0 * rho[0][i];
        let d_error = r[i] * rho[2][i] + (w * r[i] + e / 4.0) * rho[0][i] + FEW * U * d;
        mixed(state[i], u[i], z + LIBM * U, rho[1][i], d, d_error)
    }))
}

fn gru_reset_before(map: &Map, state: &[f64]) -> Errors {
    let rho = weights(map);
    let n = map.cell().units;
    let h = &state[..n];
    let (r, u) = (sigmoids(&pre(map, 0, state)), sigmoids(&pre(map, 1, state)));
    let reset_error: Vec<f64> = (0..n).map(|j| h[j].abs() * (r[j] + U)).collect();
    let p = products(map, 2, h, Some(&reset_error));
    let w = map.recurrent(2);
    let through = |i: usize, x: &dyn Fn(usize) -> f64| -> f64 {
        (0..n).map(|j| w[(i, j)].abs() * x(j)).sum()
    };
    collect((0..n).map(|i| {
        let entry = map.entry()[2 * n + i].abs();
        let z = p.entry_error[i] + p.recurrent_error[i] + FEW * U * (entry + p.recurrent[i]);
        // D = W_c (r + h r' W_r).
        let inner = |j: usize| 1.0 + h[j].abs() / 4.0 * rho[0][j];
        let d = through(i, &inner);
        let d_error = through(i, &|j| r[j] * (1.0 + h[j].abs() * rho[0][j]) + FEW * U * inner(j))
            + gamma(n + 2) * d;
        mixed(h[i], u[i], z + LIBM * U, rho[1][i], d, d_error)
    }))
}

fn lstm(map: &Map, state: &[f64]) -> Errors {
    let rho = weights(map);
    let n = map.cell().units;
    let [i, f, o] = [0, 1, 3].map(|g| sigmoids(&pre(map, g, state)));
    let g = tanhs(&pre(map, 2, state));
    let rows: Vec<[(f64, f64); 2]> = (0..n)
        .map(|k| {
            let c = state[n + k].abs();
            // c' = f c + i g, and its row f' c W_f + i' g W_i + i g' W_g, f.
            let c_step = f[k] * c + i[k] + g[k] + FEW * U * (c + 1.0);
            let c_row = rho[1][k] * (f[k] + FEW * U) * c
                + rho[0][k] * (i[k] + g[k] / 4.0 + FEW * U)
                + rho[2][k] * (2.0 * g[k] + i[k] + FEW * U)
                + f[k];
            // h' = o tanh(c'), and its row o' tanh(c') W_o + o (1 − tanh²) ∂c'.
            let d = rho[1][k] / 4.0 * c + rho[0][k] / 4.0 + rho[2][k] + 1.0;
            let t = c_step + LIBM * U;
            let h_step = o[k] + t + FEW * U;
            let h_row =
                rho[3][k] * (o[k] + t / 4.0 + FEW * U) + (o[k] + 2.0 * t + FEW * U) * d + c_row;
            [(h_step, h_row), (c_step, c_row)]
        })
        .collect();
    collect((0..2).flat_map(|half| rows.iter().map(move |r| r[half]).collect::<Vec<_>>()))
}
