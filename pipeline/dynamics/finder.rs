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
use std::sync::Arc;

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

    /// Checks that there are tolerances, all above 0.
    pub(crate) fn check(&self) -> Result<()> {
        if self.tolerances.is_empty() || self.tolerances.iter().any(|t| !(*t > 0.0)) {
            return Err(Error::Usage("fixed_points: give tolerances above 0".into()));
        }
        Ok(())
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
    finder.check()?;
    let most = finder.max_distance * scale;
    let finder = Arc::new(finder.clone());
    let mut states = initial_states.into_iter().enumerate();
    loop {
        let block: Vec<(usize, &[f64])> = states.by_ref().take(BLOCK).collect();
        if block.is_empty() {
            return Ok(());
        }
        for (number, state) in &block {
            map.check(state)?;
            check_finite(state, *number)?;
        }
        if let Some((0, state)) = block.first() {
            check_shapes(map, state)?;
        }
        let found: Vec<SearchResult> = block
            .par_iter()
            .map(|&(number, state)| descend(map, state, number, most, finder.clone()))
            .collect();
        for result in found {
            each(result)?;
        }
    }
}

/// Checks that a state to begin at is finite.
pub(crate) fn check_finite(state: &[f64], number: usize) -> Result<()> {
    if state.iter().all(|x| x.is_finite()) {
        return Ok(());
    }
    Err(Error::NotFinite {
        what: "state".into(),
        place: format!("initial state {number}"),
        remedy: "the network's states overflow; check its weights".into(),
    })
}

/// Median Euclidean norm of states: a network's own length. Of those that are not 0 where half or more are silent; 1 where all
/// are, or none is there.
pub fn median_norm<'a>(states: impl IntoIterator<Item = &'a [f64]>) -> f64 {
    let norm = |s: &[f64]| s.iter().map(|x| x * x).sum::<f64>().sqrt();
    let mut norms: Vec<f64> = states.into_iter().map(norm).collect();
    norms.sort_by(f64::total_cmp);
    if norms.get(norms.len() / 2) == Some(&0.0) {
        norms.retain(|norm| *norm > 0.0);
    }
    norms.get(norms.len() / 2).copied().unwrap_or(1.0)
}

/// One state's way down, at most `most` away from it.
fn descend(
    map: &dyn Dynamics,
    state: &[f64],
    number: usize,
    most: f64,
    finder: Arc<Finder>,
) -> SearchResult {
    let mut way = Descent::new(state, number, most, finder);
    let mut here = map.evaluate(state);
    way.tell_step(&here.next);
    loop {
        match way.wants() {
            Want::Step(trial) => {
                let there = map.evaluate(trial);
                if way.tell_step(&there.next) {
                    here = there;
                }
            }
            Want::Jacobian(state) => {
                let jacobian = map.jacobian_at(state, &here);
                way.tell_jacobian(jacobian);
            }
            Want::Nothing => return way.result(),
        }
    }
}

/// What a search has to be told before it goes on.
pub(crate) enum Want<'a> {
    /// `F(h, x*)` at this state.
    Step(&'a [f64]),
    /// `J_rec` at this state, the last one from which it was told that it went there.
    Jacobian(&'a [f64]),
    /// Nothing: it has ended.
    Nothing,
}

/// Where a search stands between two questions.
enum Phase {
    /// The step at its first state.
    First,
    /// The Jacobian where it is.
    Jacobian,
    /// The step at a trial, and the decrease of `q` that was predicted there.
    Trial(Vector, f64),
    /// At its end.
    Ended(Stop),
}

/// One search that asks for what it needs, so that many can be answered together.
pub(crate) struct Descent {
    finder: Arc<Finder>,
    number: usize,
    most: f64,
    start: Vector,
    h: Vector,
    r: Vector,
    q: f64,
    reached: Vec<Option<SlowPoint>>,
    damping: f64,
    growth: f64,
    steps: usize,
    /// `AᵀA`, its diagonal and `Aᵀ r` where it is.
    normal: Matrix,
    diagonal: Vector,
    gradient: Vector,
    /// Whether a trial since the last step lay too far away.
    beyond: bool,
    phase: Phase,
}

impl Descent {
    /// A search from `state`, at most `most` away from it; it wants the step there first.
    pub(crate) fn new(state: &[f64], number: usize, most: f64, finder: Arc<Finder>) -> Self {
        let start = Vector::from_column_slice(state);
        let empty = || Vector::zeros(0);
        let reached = vec![None; finder.tolerances.len()];
        Self {
            finder,
            number,
            most,
            h: start.clone(),
            start,
            r: empty(),
            q: f64::NAN,
            reached,
            damping: f64::NAN,
            growth: 2.0,
            steps: 0,
            normal: Matrix::zeros(0, 0),
            diagonal: empty(),
            gradient: empty(),
            beyond: false,
            phase: Phase::First,
        }
    }

    /// What it has to be told next.
    pub(crate) fn wants(&self) -> Want<'_> {
        match &self.phase {
            Phase::First => Want::Step(self.h.as_slice()),
            Phase::Trial(trial, _) => Want::Step(trial.as_slice()),
            Phase::Jacobian => Want::Jacobian(self.h.as_slice()),
            Phase::Ended(_) => Want::Nothing,
        }
    }

    /// Takes `F(h, x*)` at the state that was asked about; whether it went there.
    pub(crate) fn tell_step(&mut self, next: &Vector) -> bool {
        match std::mem::replace(&mut self.phase, Phase::First) {
            Phase::First => {
                self.r = next - &self.h;
                self.q = 0.5 * self.r.norm_squared();
                self.arrive();
                true
            }
            Phase::Trial(trial, predicted) => {
                let trial_r = next - &trial;
                let trial_q = 0.5 * trial_r.norm_squared();
                let ratio = (self.q - trial_q) / predicted;
                if !(trial_q < self.q && ratio > 0.0) {
                    if self.raise() {
                        self.propose();
                    }
                    return false;
                }
                let change = 1.0 - (2.0 * ratio - 1.0).powi(3);
                let least = LEAST_DAMPING * self.largest();
                self.damping = (self.damping * change.max(1.0 / 3.0)).max(least);
                self.growth = 2.0;
                let decrease = 1.0 - trial_q / self.q;
                (self.h, self.r, self.q) = (trial, trial_r, trial_q);
                self.steps += 1;
                if decrease < LEVEL && self.q >= self.finder.smallest() {
                    self.phase = Phase::Ended(self.stuck());
                } else {
                    self.arrive();
                }
                true
            }
            _ => panic!("a search is told what it asked for"),
        }
    }

    /// Takes `J_rec` where it is.
    pub(crate) fn tell_jacobian(&mut self, jacobian: Matrix) {
        (self.normal, self.gradient) = normal_equations(jacobian, &self.r);
        self.diagonal = self.normal.diagonal();
        if self.damping.is_nan() {
            self.damping = FIRST_DAMPING * self.largest();
        }
        self.beyond = false;
        self.propose();
    }

    /// Notes the tolerances reached here; ends, or wants the Jacobian.
    fn arrive(&mut self) {
        let here = self.last();
        for (point, tolerance) in self.reached.iter_mut().zip(&self.finder.tolerances) {
            if point.is_none() && self.q < *tolerance {
                *point = Some(here.clone());
            }
        }
        self.phase = if self.q < self.finder.smallest() {
            Phase::Ended(Stop::Converged)
        } else if self.steps == self.finder.steps {
            Phase::Ended(Stop::OutOfSteps)
        } else {
            Phase::Jacobian
        };
    }

    /// Raises the damping until a step stays near, and asks about where it leads; ends where none does.
    fn propose(&mut self) {
        loop {
            let Some(delta) =
                damped_step(&mut self.normal, &self.diagonal, &self.gradient, self.damping)
            else {
                self.damping *= self.growth;
                self.growth *= 2.0;
                if !(self.damping < MOST_DAMPING * self.largest()) {
                    self.phase = Phase::Ended(self.stuck());
                    return;
                }
                continue;
            };
            if delta.norm() <= STILL * (self.h.norm() + STILL) {
                self.phase = Phase::Ended(self.stuck());
                return;
            }
            let trial = &self.h + &delta;
            // A whole step along a slow mode may lead far; a shorter one, to a point as slow as asked.
            if (&trial - &self.start).norm() > self.most {
                self.beyond = true;
                if !self.raise() {
                    return;
                }
                continue;
            }
            let predicted = 0.5 * delta.dot(&(&delta * self.damping - &self.gradient));
            self.phase = Phase::Trial(trial, predicted);
            return;
        }
    }

    /// Raises the damping after a trial that led nowhere; whether there is more to try.
    fn raise(&mut self) -> bool {
        self.damping *= self.growth;
        self.growth *= 2.0;
        let more = self.damping < MOST_DAMPING * self.largest();
        if !more {
            self.phase = Phase::Ended(self.stuck());
        }
        more
    }

    /// Why no step leads on.
    fn stuck(&self) -> Stop {
        if self.beyond { Stop::TooFar } else { Stop::Stalled }
    }

    fn largest(&self) -> f64 {
        self.diagonal.max().max(f64::MIN_POSITIVE)
    }

    /// The point where it is.
    fn last(&self) -> SlowPoint {
        SlowPoint {
            state: self.h.as_slice().to_vec(),
            speed: self.q,
            distance_from_init: (&self.h - &self.start).norm(),
            steps: self.steps,
        }
    }

    /// What became of it.
    pub(crate) fn result(self) -> SearchResult {
        let Phase::Ended(stop) = self.phase else { panic!("a search has a result at its end") };
        let last = self.last();
        SearchResult { initial_state: self.number, reached: self.reached, last, stop }
    }
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
