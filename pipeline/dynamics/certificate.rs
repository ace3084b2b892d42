//! Proofs that a fixed point exists, is alone, and is stable.
//!
//! # Existence and uniqueness
//! For `G(h) = F(h, x*) − h` near `h̃`, with any matrix `C` (an approximate
//! inverse of `DG(h̃)`), let in the maximum norm
//!
//! * `Y ≥ ‖C G(h̃)‖`, `Z₀ ≥ ‖I − C DG(h̃)‖`,
//! * `Z₂ ≥ sup ‖C (DG(h) − DG(h̃))‖ / ‖h − h̃‖` over the ball of radius `R`.
//!
//! If `p(ρ) = Z₂ ρ² − (1 − Z₀) ρ + Y < 0` for some `ρ ≤ R`, then `h ↦ h − C G(h)`
//! maps the ball of radius `ρ` into itself and contracts there, so that exactly
//! one fixed point lies within it (the Newton–Kantorovich theorem in the form
//! of radii polynomials; Day, Lessard & Mischaikow 2007).
//!
//! `Z₂` needs second derivatives of the cell. With `ρ_g,i = Σ_j |W_g,ij|`, row
//! `i` of `F` has `|D²F_i[v, w]| ≤ K_i ‖v‖‖w‖`, from `|σ'| ≤ 1/4`,
//! `|σ''| ≤ 1/(6√3)`, `|tanh'| ≤ 1`, `|tanh''| ≤ 4/(3√3)` and the product rule;
//! [`curvature`] spells it for each cell.
//!
//! # Stability
//! With approximate eigenvectors `R` of `J`, any `C` with `‖I − C R‖ ≤ ε < 1`
//! gives `ρ(J*) ≤ ‖C J* R‖/(1 − ε)` for the Jacobian `J*` at the proved point,
//! and `‖C J* R‖ ≤ ‖C J R‖ + ‖C‖ ‖J* − J‖ ‖R‖`. A bound below 1 proves that the
//! point attracts.
//!
//! # Rounding
//! All bounds are computed in f64, round to nearest. Each computed quantity gets
//! an explicit error term, see [`rounding`](super::rounding); sums of bounds are
//! inflated by [`INFLATE`] for the rounding of the bounds' own arithmetic.

use super::rounding::{Errors, INFLATE, U, gamma, weights};
use super::step::Map;
use crate::Result;
use crate::linalg::{Complex, ComplexMatrix, Eigen, Lu, Matrix, Vector, eig};
use accrue_cells::CellKind;

/// `sup |σ''| = 1/(6√3)`.
const SIGMA_2: f64 = 0.096_225_044_864_937_64;
/// `sup |tanh''| = 4/(3√3)`.
const TANH_2: f64 = 0.769_800_358_919_501;
/// Largest radius tried, as a share of `1 + ‖h̃‖`.
const LARGEST_RADIUS: f64 = 1e-2;

/// What was proved about a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certificate {
    /// Within this distance of the point (maximum norm) lies exactly one fixed
    /// point of the f64 network; `None`: not proved.
    pub radius: Option<f64>,
    /// Upper bound of the spectral radius at that fixed point; `None`: none
    /// below infinity was found, or no fixed point was proved.
    pub spectral_bound: Option<f64>,
}

impl Certificate {
    /// A fixed point was proved.
    pub fn exists(&self) -> bool {
        self.radius.is_some()
    }

    /// The fixed point was proved to attract.
    pub fn is_stable(&self) -> bool {
        self.spectral_bound.is_some_and(|b| b < 1.0)
    }
}

/// Newton steps from the point before the proof is tried.
const POLISH: usize = 8;

/// Tries to prove a fixed point near `point`, and its stability.
///
/// The proof is tried at a state a few Newton steps on, where the residual is
/// at the end of f64's digits; the distance to it is part of the radius.
///
/// Eigenvectors for the stability bound are those of the Jacobian at that state:
/// a Jacobian 1e-6 away already moves the bound by that times the condition of
/// its eigenvectors, which is large for trained networks.
///
/// # Errors
/// [`crate::Error::Shape`] for a state of the wrong size.
pub fn certify(map: &Map, point: &[f64]) -> Result<Certificate> {
    map.check(point)?;
    let polished = polish(map, point);
    let mut found = certify_at(map, &polished)?;
    let moved = largest(polished.iter().zip(point).map(|(a, b)| (a - b).abs()));
    found.radius = found.radius.map(|r| INFLATE * (r + moved));
    Ok(found)
}

/// Newton's method on `F(h) − h`, as long as the residual falls.
fn polish(map: &Map, point: &[f64]) -> Vec<f64> {
    let mut h = Vector::from_column_slice(point);
    let (next, mut jacobian) = map.step_and_jacobian(point);
    let mut r = next - &h;
    for _ in 0..POLISH {
        (0..h.len()).for_each(|i| jacobian[(i, i)] -= 1.0);
        let trial = &h - Lu::new(&jacobian).solve(&r);
        if trial.iter().any(|x| !x.is_finite()) {
            break;
        }
        let (next, trial_jacobian) = map.step_and_jacobian(trial.as_slice());
        let trial_r = next - &trial;
        if !(trial_r.amax() < r.amax()) {
            break;
        }
        (h, r, jacobian) = (trial, trial_r, trial_jacobian);
    }
    h.as_slice().to_vec()
}

/// The proof at one state; its radius is around that state.
fn certify_at(map: &Map, point: &[f64]) -> Result<Certificate> {
    let nothing = Certificate { radius: None, spectral_bound: None };
    let n = point.len();
    let (next, jacobian) = map.step_and_jacobian(point);
    let cap = LARGEST_RADIUS * (1.0 + largest(point.iter().copied()));
    let errors = Errors::at(map, point);
    let Some(bend) = curvature(map, point, cap) else { return Ok(nothing) };
    let mut a = jacobian.clone();
    (0..n).for_each(|i| a[(i, i)] -= 1.0);
    let c = Lu::new(&a).inverse();
    if c.iter().any(|x| !x.is_finite()) {
        return Ok(nothing);
    }
    let weighted = |weights: &dyn Fn(usize) -> f64| -> f64 {
        largest((0..n).map(|i| (0..n).map(|j| c[(i, j)].abs() * weights(j)).sum()))
    };
    let gamma = gamma(n + 4);
    // Y: |C| (|G| + error of G), and the rounding of the product is covered by
    // taking absolute values term by term.
    let y =
        INFLATE * weighted(&|j| (next[j] - point[j]).abs() + errors.step[j] + U * point[j].abs());
    let product = &c * &a;
    let z0 = INFLATE
        * largest((0..n).map(|i| {
            let off: f64 = (0..n).map(|j| (product[(i, j)] - (i == j) as u8 as f64).abs()).sum();
            // Rounding of the product: γ |C| |A|, row sums.
            let rounding: f64 = (0..n)
                .map(|k| {
                    let row: f64 = (0..n).map(|j| a[(k, j)].abs()).sum();
                    c[(i, k)].abs() * (gamma * row + errors.jacobian[k] + U)
                })
                .sum();
            off + rounding
        }));
    let z2 = INFLATE * weighted(&|j| bend[j]);
    let Some(radius) = radius(y, z0, z2, cap) else { return Ok(nothing) };
    // Without eigenvectors there is no bound; the fixed point stands all the same.
    let spectral_bound = eig::eigen(&jacobian).ok().and_then(|e| {
        let change: Vec<f64> =
            (0..n).map(|i| INFLATE * (bend[i] * radius + errors.jacobian[i])).collect();
        spectral_bound(&jacobian, &change, &e)
    });
    Ok(Certificate { radius: Some(radius), spectral_bound })
}

/// The smallest radius for which `p(ρ) < 0`, if it is within `cap`.
fn radius(y: f64, z0: f64, z2: f64, cap: f64) -> Option<f64> {
    let slack = 1.0 - z0;
    if !(slack > 0.0) || !y.is_finite() || !z2.is_finite() {
        return None;
    }
    let negative = |rho: f64| INFLATE * (z2 * rho * rho + y) < slack * rho / INFLATE;
    // Twice Y/(1 − Z₀) is below the larger root wherever there is one.
    let rho = 2.0 * y / slack;
    let rho = if rho > 0.0 { rho } else { f64::MIN_POSITIVE.sqrt() };
    (rho <= cap && negative(rho)).then_some(rho)
}

/// `‖C J* R‖/(1 − ε)` for every `J*` with `|J* − J|` row sums within `change`.
fn spectral_bound(jacobian: &Matrix, change: &[f64], eigen: &Eigen) -> Option<f64> {
    let n = jacobian.nrows();
    let r = &eigen.right;
    let c = eig::inverse(r);
    if c.iter().any(|z| !(z.re.is_finite() && z.im.is_finite())) {
        return None;
    }
    let real = jacobian.map(|x| Complex::new(x, 0.0));
    let (row_c, row_r, row_j) = (row_sums(&c), row_sums(r), row_sums(&real));
    let (norm_c, norm_r) = (largest(row_c.iter().copied()), largest(row_r.iter().copied()));
    // Complex products err by γ of twice the length.
    let gamma = gamma(2 * n + 8);
    let norm_j = largest(row_j.iter().copied());
    let identity = eig::product(&c, r);
    let epsilon = INFLATE
        * largest((0..n).map(|i| {
            let off = (0..n).map(|j| {
                let one = if i == j { 1.0 } else { 0.0 };
                (identity[(i, j)] - Complex::new(one, 0.0)).norm()
            });
            off.sum::<f64>() + gamma * row_c[i] * norm_r
        }));
    let turned = eig::product(&c, &eig::product(&real, r));
    let product = INFLATE
        * largest((0..n).map(|i| {
            let row: f64 = (0..n).map(|j| turned[(i, j)].norm()).sum();
            row + 2.0 * gamma * row_c[i] * norm_j * norm_r
        }));
    let moved = INFLATE * norm_c * largest(change.iter().copied()) * norm_r;
    (epsilon < 1.0).then(|| INFLATE * (product + moved) / (1.0 - epsilon))
}

fn row_sums(a: &ComplexMatrix) -> Vec<f64> {
    (0..a.nrows()).map(|i| INFLATE * a.row(i).iter().map(|z| z.norm()).sum::<f64>()).collect()
}

fn largest(values: impl Iterator<Item = f64>) -> f64 {
    // NaN must not be lost: it disproves.
    values.fold(0.0, |m, x| if x <= m { m } else { x })
}

/// `K_i`: bound of `|D²F_i[v, w]|/(‖v‖‖w‖)` in the maximum norm over the ball
/// of radius `cap` around `state`, a row of `F`; `None` where the cell is not
/// smooth in the ball (a ReLU with a unit at its corner).
///
/// In the rows below, `x1` and `x2` are bounds of the first and second
/// derivatives of `x`.
pub fn curvature(map: &Map, state: &[f64], cap: f64) -> Option<Vec<f64>> {
    let n = map.cell().units;
    let rho = weights(map);
    let size = |i: usize| state[i].abs() + cap;
    // h' = c + u (h − c): u2 |h − c| + 2 u1 (1 + c1) + c2, as |1 − u| ≤ 1.
    let mixed = |i: usize, rho_u: f64, c1: f64, c2: f64| {
        SIGMA_2 * rho_u * rho_u * (size(i) + 1.0) + 2.0 * (rho_u / 4.0) * (1.0 + c1) + c2
    };
    let bend: Vec<f64> = match map.cell().kind {
        CellKind::Vanilla => rho[0].iter().map(|r| TANH_2 * r * r).collect(),
        CellKind::Linear => vec![0.0; n],
        CellKind::VanillaRelu => {
            // Linear as long as no pre-activation changes its sign.
            let z = pre_activations(map, state);
            let fixed = z[0].iter().zip(&rho[0]).all(|(z, r)| z.abs() > INFLATE * r * cap);
            return fixed.then(|| vec![0.0; n]);
        }
        CellKind::Ugrnn => {
            (0..n).map(|i| mixed(i, rho[0][i], rho[1][i], TANH_2 * rho[1][i] * rho[1][i])).collect()
        }
        CellKind::Gru => {
            // z = a + r∘w_c: z1 = r1 |w_c| + ρ_c, z2 = r2 |w_c| + 2 r1 ρ_c.
            let w_c = candidate_products(map, state);
            (0..n)
                .map(|i| {
                    let (r, c) = (rho[0][i], rho[2][i]);
                    let w = w_c[i].abs() * INFLATE + c * cap;
                    let z1 = r / 4.0 * w + c;
                    let z2 = SIGMA_2 * r * r * w + 2.0 * (r / 4.0) * c;
                    mixed(i, rho[1][i], z1, TANH_2 * z1 * z1 + z2)
                })
                .collect()
        }
        CellKind::GruResetBefore => {
            // y = r∘h: y1 = r1 |h| + 1, y2 = r2 |h| + 2 r1; z = a + W_c y.
            let y1: Vec<f64> = (0..n).map(|j| rho[0][j] / 4.0 * size(j) + 1.0).collect();
            let y2: Vec<f64> = (0..n)
                .map(|j| SIGMA_2 * rho[0][j] * rho[0][j] * size(j) + rho[0][j] / 2.0)
                .collect();
            let w = map.recurrent(2);
            let through = |i: usize, y: &[f64]| -> f64 {
                INFLATE * w.row(i).iter().zip(y).map(|(w, y)| w.abs() * y).sum::<f64>()
            };
            (0..n)
                .map(|i| {
                    let (z1, z2) = (through(i, &y1), through(i, &y2));
                    mixed(i, rho[1][i], z1, TANH_2 * z1 * z1 + z2)
                })
                .collect()
        }
        CellKind::Lstm => {
            let mut all = vec![0.0; 2 * n];
            for k in 0..n {
                let [i, f, g, o] = [0, 1, 2, 3].map(|gate| rho[gate][k]);
                let c = state[n + k].abs() + cap;
                let (i1, f1, g1, o1) = (i / 4.0, f / 4.0, g, o / 4.0);
                let (i2, f2, g2, o2) =
                    (SIGMA_2 * i * i, SIGMA_2 * f * f, TANH_2 * g * g, SIGMA_2 * o * o);
                // c' = f c + i g.
                let c1 = f1 * c + 1.0 + i1 + g1;
                let c2 = f2 * c + 2.0 * f1 + i2 + 2.0 * i1 * g1 + g2;
                // h' = o tanh(c').
                all[k] = o2 + 2.0 * o1 * c1 + TANH_2 * c1 * c1 + c2;
                all[n + k] = c2;
            }
            all
        }
    };
    Some(bend.into_iter().map(|k| INFLATE * k).collect())
}

/// `W_g h + b_hh` of gate `g`.
fn products(map: &Map, state: &[f64], g: usize) -> Vec<f64> {
    let n = map.cell().units;
    let w = map.recurrent(g);
    let b = &map.cell().recurrent_bias[g * n..][..n];
    (0..n).map(|i| b[i] + w.row(i).iter().zip(state).map(|(w, h)| w * h).sum::<f64>()).collect()
}

fn candidate_products(map: &Map, state: &[f64]) -> Vec<f64> {
    products(map, state, 2)
}

/// `A x* + b_ih + W_g h + b_hh`, a gate.
fn pre_activations(map: &Map, state: &[f64]) -> Vec<Vec<f64>> {
    let n = map.cell().units;
    (0..map.cell().kind.gates())
        .map(|g| {
            let w = products(map, state, g);
            w.iter().zip(&map.entry()[g * n..]).map(|(w, a)| w + a).collect()
        })
        .collect()
}
