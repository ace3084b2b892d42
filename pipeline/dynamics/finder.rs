//! From visited states to slow points, by second-order steps.
//!
//! The residual is `r(h) = F(h, x*) − h`, the speed `q = ½‖r‖²`. A step of
//! Levenberg–Marquardt solves `(AᵀA + μI) δ = −Aᵀ r` with `A = J − I`; the
//! damping `μ` follows the ratio of the decrease of `q` to the predicted one
//! (Nielsen 1999). On a line of slow points `A` is nearly singular along the
//! line; the damping keeps the search from sliding along it, so that a point
//! stays near the state it came from.

use crate::check::check_shapes;
use crate::linalg::{Cholesky, Matrix, Vector};
use crate::{Dynamics, Error, Result, setting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Searches that are in memory at once.
const BLOCK: usize = 512;

/// First damping, as a share of the largest diagonal entry of `AᵀA`.
const FIRST_DAMPING: f64 = 1e-3;
/// Least damping, as the same share: keeps the normal equations positive
/// definite where `A` is singular to working precision.
const LEAST_DAMPING: f64 = 1e-15;
/// Damping above which a step no longer moves the state.
const MOST_DAMPING: f64 = 1e12;
/// Decrease of `q`, as a share, below which a step has led nowhere: a hundred such
/// steps would not change its fourth digit.
const LEVEL: f64 = 1e-6;
/// Relative step length below which the search stands still.
const STILL: f64 = 1e-14;

/// How slow points are sought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Finder {
    /// Speeds `q` (half the sum over units) at which a point is reported on
    /// the way down; the search ends at the smallest.
    #[serde(deserialize_with = "setting::numbers")]
    pub tolerances: Vec<f64>,
    /// Most steps from one state.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub steps: usize,
    /// Farthest a point may lie from the state its search began at, in units of these states' median
    /// norm. Slow points farther away say nothing about the states visited.
    #[serde(deserialize_with = "setting::positive", alias = "reach")]
    pub max_distance: f64,
}

impl Default for Finder {
    fn default() -> Self {
        Self { tolerances: vec![1e-4, 1e-6, 1e-8, 1e-12], steps: 100, max_distance: 0.5 }
    }
}

impl Finder {
    /// The smallest tolerance: where a search ends.
    pub fn smallest(&self) -> f64 {
        self.tolerances.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

/// Why a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Stop {
    /// Below the smallest tolerance.
    Converged,
    /// At a minimum of `q` that is no zero, or at the end of f64's digits.
    Stalled,
    /// Within the distance allowed none is stiller: what goes further down leaves it.
    TooFar,
    /// Out of steps.
    OutOfSteps,
}

impl Stop {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Stop::Converged => "converged",
            Stop::Stalled => "stalled",
            Stop::TooFar => "too_far",
            Stop::OutOfSteps => "out_of_steps",
        }
    }
}

/// A point on a way down, with everything measured at that very point.
#[derive(Clone, Debug, PartialEq)]
pub struct SlowPoint {
    /// The state, `[state]`.
    pub state: Vec<f64>,
    /// `q = ½ Σ (F − h)²` at this state.
    pub speed: f64,
    /// Distance from the state the search began at (Euclid).
    pub distance_from_init: f64,
    /// Steps from there.
    pub steps: usize,
}

/// What became of one search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchResult {
    /// Number of the state it began at, in the order given.
    pub initial_state: usize,
    /// For each tolerance, in the order of the settings, the first point below it.
    pub reached: Vec<Option<SlowPoint>>,
    /// Where the search ended.
    pub last: SlowPoint,
    /// Why.
    pub stop: Stop,
}

/// Searches from every initial state, over all threads; the results come in the order
/// of the states, block by block, so that memory does not grow with their number.
///
/// * `initial_states`: `[state]` each
/// * `scale`: the length that [`Finder::max_distance`] multiplies, usually [`median_norm`]
///
/// # Errors
/// [`Error::Shape`] for a state of the wrong size or a map whose Jacobian has another, [`Error::NotFinite`] for one
/// with NaN, [`Error::Usage`] for no or impossible tolerances, and what `each` returns.
pub fn search<'a>(
    map: &dyn Dynamics,
    initial_states: impl IntoIterator<Item = &'a [f64]>,
    scale: f64,
    finder: &Finder,
    mut each: impl FnMut(SearchResult) -> Result<()>,
) -> Result<()> {
    if finder.tolerances.is_empty() || finder.tolerances.iter().any(|t| !(*t > 0.0)) {
        return Err(Error::Usage("fixed_points: give tolerances above 0".into()));
    }
    let most = finder.max_distance * scale;
    let mut states = initial_states.into_iter().enumerate();
    loop {
        let block: Vec<(usize, &[f64])> = states.by_ref().take(BLOCK).collect();
        if block.is_empty() {
            return Ok(());
        }
        for (number, state) in &block {
            map.check(state)?;
            if state.iter().any(|x| !x.is_finite()) {
                return Err(Error::NotFinite {
                    what: "state".into(),
                    place: format!("initial state {number}"),
                    remedy: "the network's states overflow; check its weights".into(),
                });
            }
        }
        if let Some((0, state)) = block.first() {
            check_shapes(map, state)?;
        }
        let found: Vec<SearchResult> = block
            .par_iter()
            .map(|&(number, state)| descend(map, state, number, most, finder))
            .collect();
        for result in found {
            each(result)?;
        }
    }
}

/// Median Euclidean norm of states; 0 for none.
pub fn median_norm<'a>(states: impl IntoIterator<Item = &'a [f64]>) -> f64 {
    let norm = |s: &[f64]| s.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut norms: Vec<f64> = states.into_iter().map(norm).collect();
    norms.sort_by(f64::total_cmp);
    if norms.is_empty() { 0.0 } else { norms[norms.len() / 2] }
}

/// One state's way down, at most `most` away from it.
fn descend(
    map: &dyn Dynamics,
    state: &[f64],
    number: usize,
    most: f64,
    finder: &Finder,
) -> SearchResult {
    let start = Vector::from_column_slice(state);
    let smallest = finder.smallest();
    let mut h = start.clone();
    let mut here = map.evaluate(h.as_slice());
    let mut r = &here.next - &h;
    let mut q = 0.5 * r.norm_squared();
    let mut reached: Vec<Option<SlowPoint>> = vec![None; finder.tolerances.len()];
    let (mut damping, mut growth) = (f64::NAN, 2.0);
    let mut steps = 0;
    let stop = loop {
        let point_here = || SlowPoint {
            state: h.as_slice().to_vec(),
            speed: q,
            distance_from_init: (&h - &start).norm(),
            steps,
        };
        for (point, tolerance) in reached.iter_mut().zip(&finder.tolerances) {
            if point.is_none() && q < *tolerance {
                *point = Some(point_here());
            }
        }
        if q < smallest {
            break Stop::Converged;
        }
        if steps == finder.steps {
            break Stop::OutOfSteps;
        }
        let (mut normal, gradient) = normal_equations(map.jacobian_at(h.as_slice(), &here), &r);
        let diagonal = normal.diagonal();
        let largest = diagonal.max().max(f64::MIN_POSITIVE);
        if damping.is_nan() {
            damping = FIRST_DAMPING * largest;
        }
        // Raise the damping until a step goes down and stays near, or none does.
        let mut beyond = false;
        let outcome = loop {
            let Some(delta) = damped_step(&mut normal, &diagonal, &gradient, damping) else {
                damping *= growth;
                growth *= 2.0;
                if !(damping < MOST_DAMPING * largest) {
                    break Err(Stop::Stalled);
                }
                continue;
            };
            if delta.norm() <= STILL * (h.norm() + STILL) {
                break Err(Stop::Stalled);
            }
            let trial = &h + &delta;
            // A whole step along a slow mode may lead far; a shorter one, to a point as slow as asked.
            if (&trial - &start).norm() > most {
                beyond = true;
            } else {
                let predicted = 0.5 * delta.dot(&(&delta * damping - &gradient));
                let there = map.evaluate(trial.as_slice());
                let trial_r = &there.next - &trial;
                let trial_q = 0.5 * trial_r.norm_squared();
                let ratio = (q - trial_q) / predicted;
                if trial_q < q && ratio > 0.0 {
                    let change = 1.0 - (2.0 * ratio - 1.0).powi(3);
                    damping = (damping * change.max(1.0 / 3.0)).max(LEAST_DAMPING * largest);
                    growth = 2.0;
                    break Ok((trial, there, trial_r, trial_q));
                }
            }
            damping *= growth;
            growth *= 2.0;
            if !(damping < MOST_DAMPING * largest) {
                break Err(Stop::Stalled);
            }
        };
        match outcome {
            Err(Stop::Stalled) if beyond => break Stop::TooFar,
            Err(stop) => break stop,
            Ok((trial, there, trial_r, trial_q)) => {
                let decrease = 1.0 - trial_q / q;
                (h, here, r, q) = (trial, there, trial_r, trial_q);
                steps += 1;
                if decrease < LEVEL && q >= smallest {
                    break if beyond { Stop::TooFar } else { Stop::Stalled };
                }
            }
        }
    };
    let distance_from_init = (&h - &start).norm();
    let last = SlowPoint { state: h.as_slice().to_vec(), speed: q, distance_from_init, steps };
    SearchResult { initial_state: number, reached, last, stop }
}

/// `AᵀA` and `Aᵀ r` with `A = J − I`.
fn normal_equations(mut a: Matrix, r: &Vector) -> (Matrix, Vector) {
    let n = a.nrows();
    (0..n).for_each(|i| a[(i, i)] -= 1.0);
    let gradient = a.tr_mul(r);
    (gram(&a), gradient)
}

/// `AᵀA`, lower triangle, by faer's product.
fn gram(a: &Matrix) -> Matrix {
    use faer::linalg::matmul::triangular::{BlockStructure, matmul};
    use faer::{Accum, MatMut, MatRef, Par};
    let n = a.ncols();
    let mut out = Matrix::zeros(n, n);
    let view = MatRef::from_column_major_slice(a.as_slice(), a.nrows(), n);
    matmul(
        MatMut::from_column_major_slice_mut(out.as_mut_slice(), n, n),
        BlockStructure::TriangularLower,
        Accum::Replace,
        view.transpose(),
        BlockStructure::Rectangular,
        view,
        BlockStructure::Rectangular,
        1.0,
        Par::Seq,
    );
    out
}

/// `δ = −(AᵀA + μI)⁻¹ Aᵀ r`; `None` if that is not positive definite.
///
/// * `diagonal`: of `AᵀA`; that of `normal` is overwritten
fn damped_step(
    normal: &mut Matrix,
    diagonal: &Vector,
    gradient: &Vector,
    damping: f64,
) -> Option<Vector> {
    (0..diagonal.len()).for_each(|i| normal[(i, i)] = diagonal[i] + damping);
    let delta = -Cholesky::new(normal)?.solve(gradient);
    delta.iter().all(|x| x.is_finite()).then_some(delta)
}
