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
//! of radii polynomials; Day, Lessard & Mischaikow 2007). A larger ball, `ρ ≤ min(R, (1 − Z₀)/Z₂)`, may leave
//! itself, but `h ↦ h − C G(h)` still contracts there: it holds no second fixed point.
//!
//! `Z₂` needs second derivatives: the map's own [`Dynamics::curvature`], `|D²F_i[v, w]| ≤ K_i ‖v‖‖w‖` for row
//! `i`. For a cell with `ρ_g,i = Σ_j |W_g,ij|` they follow from `|σ'| ≤ 1/4`, `|σ''| ≤ 1/(6√3)`, `|tanh'| ≤ 1`,
//! `|tanh''| ≤ 4/(3√3)` and the product rule; the cell's file spells it.
//!
//! # Stability
//! With approximate eigenvectors `R` of `J`, any `C` with `‖I − C R‖ ≤ ε < 1`
//! gives `ρ(J*) ≤ ‖C J* R‖/(1 − ε)` for the Jacobian `J*` at the proved point,
//! and `‖C J* R‖ ≤ ‖C J R‖ + ‖C‖ ‖J* − J‖ ‖R‖`. A bound below 1 proves that the
//! point attracts.
//!
//! `R⁻¹ J* R = C J* R + F C J* R` with `‖F‖ ≤ ε/(1 − ε)` has the eigenvalues of `J*`. They lie in Gershgorin's discs
//! around the diagonal of `C J R`, widened by both errors. Where no disc meets the unit circle, those outside it
//! hold as many eigenvalues as there are discs: the number of unstable modes, proved.
//!
//! # Index
//! `sign det(I − J*)`, the fixed point's index. `A = J − I` and `A* = J* − I` have determinants of one sign, since
//! nothing between them is singular where `Z₀ + Z₂ ρ < 1`; so have `A` and its factors `Pᵀ L U` where
//! `‖|C| γ_n |L||U|‖ < 1 − Z₀`.
//!
//! # Rounding
//! All bounds are computed in f64, round to nearest. Each computed quantity gets
//! an explicit error term, see [`rounding`](accrue_numerics::rounding), that of the map being its own
//! [`Dynamics::rounding`]; sums of bounds are inflated by [`INFLATE`] for the rounding of the bounds' own arithmetic.
//!
//! # Maps without bounds
//! A map that does not bound its curvature and its rounding gets no proof, and its certificate says why
//! ([`Unproved`]).

use crate::linalg::{Complex, ComplexMatrix, Eigen, Lu, Matrix, Vector, eig};
use crate::{Dynamics, Error, Result};
use accrue_numerics::rounding::{INFLATE, U, gamma};

/// Largest radius tried, as a share of `1 + ‖h̃‖`.
const LARGEST_RADIUS: f64 = 1e-2;
/// Smallest radius for which bounds of second derivatives are asked for, as the same share: below, rounding decides.
const SMALLEST_RADIUS: f64 = 1e-11;
/// By so much a radius shrinks where the map has no bounds within it.
const SHRINK: f64 = 1.0 / 16.0;

/// What was proved about a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Certificate {
    /// Within this distance of the point (maximum norm) lies exactly one fixed
    /// point of the map with its f64 parameters; `None`: not proved.
    pub radius: Option<f64>,
    /// Within this distance of the point (maximum norm), usually much farther, lies no second fixed point.
    pub alone_within: Option<f64>,
    /// Upper bound of the spectral radius at that fixed point; `None`: none
    /// below infinity was found, or no fixed point was proved.
    pub spectral_bound: Option<f64>,
    /// Eigenvalues outside the unit circle at that fixed point, all others being inside; `None`: some may lie on
    /// it, as far as the bounds say, or no fixed point was proved.
    pub unstable_modes: Option<usize>,
    /// `sign det(I − J)` at that fixed point, 1 or −1; `None`: not proved.
    pub index: Option<i8>,
    /// Why no fixed point was proved; `None` where one was.
    pub unproved: Option<Unproved>,
}

/// Why no fixed point was proved. None of them says that there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unproved {
    /// The map bounds no rounding errors: no proof was tried.
    NoRoundingBounds,
    /// The map bounds no second derivatives around the point, or is not smooth there: no proof was tried.
    NoCurvatureBounds,
    /// `J − I` has no inverse in f64.
    Singular,
    /// No ball around the point is contracted: it is far from a fixed point, or that is not alone.
    NoContraction,
}

impl std::fmt::Display for Unproved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Unproved::NoRoundingBounds => "the map bounds no rounding errors",
            Unproved::NoCurvatureBounds => "no bounds of second derivatives hold around the point",
            Unproved::Singular => "J − I has no inverse",
            Unproved::NoContraction => "no ball around the point is contracted",
        })
    }
}

impl Certificate {
    fn none(why: Unproved) -> Self {
        Self {
            radius: None,
            alone_within: None,
            spectral_bound: None,
            unstable_modes: None,
            index: None,
            unproved: Some(why),
        }
    }

    /// A fixed point was proved.
    pub fn exists(&self) -> bool {
        self.radius.is_some()
    }

    /// The fixed point was proved to attract.
    pub fn is_stable(&self) -> bool {
        self.spectral_bound.is_some_and(|b| b < 1.0) || self.unstable_modes == Some(0)
    }

    /// The fixed point was proved to repel along some direction.
    pub fn is_unstable(&self) -> bool {
        self.unstable_modes.is_some_and(|count| count > 0)
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
/// [`Error::Shape`] for a state of the wrong size, or bounds of another size.
pub fn certify(map: &dyn Dynamics, point: &[f64]) -> Result<Certificate> {
    map.check(point)?;
    let polished = polish(map, point);
    let mut cap = LARGEST_RADIUS * size(&polished);
    // A map with kinks, such as a rectified cell, has bounds between them alone.
    while map.curvature(&polished, cap).is_none() && cap > SMALLEST_RADIUS * size(&polished) {
        cap *= SHRINK;
    }
    let mut found = certify_at(map, &polished, cap)?;
    let moved = INFLATE * largest(polished.iter().zip(point).map(|(a, b)| (a - b).abs()));
    found.radius = found.radius.map(|r| INFLATE * (r + moved));
    found.alone_within = found.alone_within.map(|r| r / INFLATE - moved).filter(|r| *r > 0.0);
    Ok(found)
}

/// `1 + max(0, max_i h_i)`, what radii are shares of.
pub(crate) fn size(point: &[f64]) -> f64 {
    1.0 + largest(point.iter().copied())
}

/// Newton's method on `F(h) − h` from a state, as long as the residual falls; `[state]`.
pub fn polish(map: &dyn Dynamics, point: &[f64]) -> Vec<f64> {
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

/// The proof at one state; its radii are around that state.
///
/// * `cap`: `R`, the largest radius tried
pub(crate) fn certify_at(map: &dyn Dynamics, point: &[f64], cap: f64) -> Result<Certificate> {
    let n = point.len();
    let Some(errors) = map.rounding(point) else {
        return Ok(Certificate::none(Unproved::NoRoundingBounds));
    };
    let Some(bend) = map.curvature(point, cap) else {
        return Ok(Certificate::none(Unproved::NoCurvatureBounds));
    };
    if !(bounds("rounding errors of a step", &errors.step, n)?
        && bounds("rounding errors of the Jacobian", &errors.jacobian, n)?)
    {
        return Ok(Certificate::none(Unproved::NoRoundingBounds));
    }
    if !bounds("curvature", &bend, n)? {
        return Ok(Certificate::none(Unproved::NoCurvatureBounds));
    }
    let (next, jacobian) = map.step_and_jacobian(point);
    let mut a = jacobian.clone();
    (0..n).for_each(|i| a[(i, i)] -= 1.0);
    let lu = Lu::new(&a);
    let c = lu.inverse();
    if c.iter().any(|x| !x.is_finite()) {
        return Ok(Certificate::none(Unproved::Singular));
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
    let Some(radius) = radius(y, z0, z2, cap) else {
        return Ok(Certificate::none(Unproved::NoContraction));
    };
    let factored = INFLATE
        * weighted(&{
            let growth = lu.row_growth();
            move |j| INFLATE * gamma * growth[j]
        });
    let regular = INFLATE * (z0 + z2 * radius) < 1.0 && INFLATE * (factored + z0) < 1.0;
    // det(I − J) = (−1)ⁿ det(J − I).
    let turned = if n % 2 == 1 { -1 } else { 1 };
    let index = Some(turned * lu.determinant_sign()).filter(|sign| regular && *sign != 0);
    // Without eigenvectors there is no bound; the fixed point stands all the same.
    let spectrum = eig::eigen(&jacobian).ok().and_then(|e| {
        let change: Vec<f64> =
            (0..n).map(|i| INFLATE * (bend[i] * radius + errors.jacobian[i])).collect();
        spectrum(&jacobian, &change, &e)
    });
    let contracted = (1.0 - z0) / (INFLATE * INFLATE * z2);
    Ok(Certificate {
        radius: Some(radius),
        alone_within: Some(if contracted < cap { contracted } else { cap }),
        spectral_bound: spectrum.map(|s| s.bound),
        unstable_modes: spectrum.and_then(|s| s.unstable),
        index,
        unproved: None,
    })
}

/// Whether these are bounds: none below zero, none NaN.
fn bounds(what: &str, values: &[f64], n: usize) -> Result<bool> {
    if values.len() != n {
        return Err(Error::shape(what, values.len(), n));
    }
    Ok(values.iter().all(|x| *x >= 0.0))
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

/// What holds of the spectra of all matrices near one.
#[derive(Clone, Copy)]
struct Spectrum {
    /// Upper bound of their spectral radius.
    bound: f64,
    /// Eigenvalues outside the unit circle, where none can lie on it.
    unstable: Option<usize>,
}

/// The spectrum of every `J*` with `|J* − J|` row sums within `change`.
fn spectrum(jacobian: &Matrix, change: &[f64], eigen: &Eigen) -> Option<Spectrum> {
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
    let rounding = |i: usize| 2.0 * gamma * row_c[i] * norm_j * norm_r;
    let product = INFLATE
        * largest((0..n).map(|i| {
            let row: f64 = (0..n).map(|j| turned[(i, j)].norm()).sum();
            row + rounding(i)
        }));
    let most_change = largest(change.iter().copied());
    let moved = INFLATE * norm_c * most_change * norm_r;
    if !(epsilon < 1.0) {
        return None;
    }
    let bound = INFLATE * (product + moved) / (1.0 - epsilon);
    // How far from the diagonal of `C J R` the eigenvalues of row `i` may be.
    let inexact = INFLATE * epsilon / (1.0 - epsilon) * (product + moved);
    let mut unstable = Some(0);
    for i in 0..n {
        let off: f64 = (0..n).filter(|j| *j != i).map(|j| turned[(i, j)].norm()).sum();
        let own = rounding(i) + INFLATE * row_c[i] * most_change * norm_r;
        let disc = INFLATE * (off + own + inexact);
        let centre = turned[(i, i)].norm();
        unstable = match unstable {
            Some(count) if centre - disc > INFLATE => Some(count + 1),
            // The modulus itself is rounded.
            Some(count) if INFLATE * (centre + disc) < 1.0 => Some(count),
            _ => None,
        };
    }
    Some(Spectrum { bound, unstable })
}

fn row_sums(a: &ComplexMatrix) -> Vec<f64> {
    (0..a.nrows()).map(|i| INFLATE * a.row(i).iter().map(|z| z.norm()).sum::<f64>()).collect()
}

pub(crate) fn largest(values: impl Iterator<Item = f64>) -> f64 {
    // NaN must not be lost, wherever it comes: it disproves.
    values.fold(0.0, |m, x| if x <= m || m.is_nan() { m } else { x })
}
