//! On from the fixed points that are known: a search that cannot end at one of them again.
//!
//! With `r(h) = F(h, x*) − h` and known roots `h_k`, the zeros of
//!
//! ```text
//! M(h) r(h)    with    M(h) = Π_k (s²/‖h − h_k‖² + 1)
//! ```
//!
//! are those of `r` without the roots: near `h_k` the factor grows as `r` shrinks, and the square outruns it; far away
//! it is 1, and the second term keeps it from vanishing there (Farrell, Birkisson & Funke 2015, SIAM J. Sci. Comput.
//! 37, A2026, with power 2 and shift 1). [`Deflated`] is `h ↦ h + M r` as a map, whose fixed points these zeros are, so
//! that the [`finder`](crate::finder) that found the first ones finds others from the same states.
//!
//! A root of multiplicity three or more is not divided out by a square; what is found there again is told from the
//! known by its place.

use crate::certificate::{Certificate, certify, polish};
use crate::complete::IndexSum;
use crate::finder::{Finder, SlowPoint, search};
use crate::linalg::{Matrix, Vector};
use crate::{Dynamics, Result, setting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// A map whose fixed points are those of another, without some that are known: `G(h) = h + M(h) (F(h) − h)`.
pub struct Deflated<'a> {
    map: &'a dyn Dynamics,
    known: &'a [Vec<f64>],
    /// `s²`.
    square: f64,
}

/// Known points from which on `s²` shrinks as their number grows: with hundreds of them, factors that are each a
/// little above 1 would leave no digits.
const MANY: f64 = 16.0;

impl<'a> Deflated<'a> {
    /// * `known`: fixed points of `map`, `[state]` each
    /// * `length`: `s`, the distance from a known point at which its factor is 2, in state units; of `k > 16` points,
    ///   `s √(16/k)`
    ///
    /// # Errors
    /// [`crate::Error::Shape`] if a point does not fit the map.
    pub fn new(map: &'a dyn Dynamics, known: &'a [Vec<f64>], length: f64) -> Result<Self> {
        known.iter().try_for_each(|point| map.check(point))?;
        let shrunk = MANY / MANY.max(known.len() as f64);
        Ok(Self { map, known, square: length * length * shrunk })
    }

    /// `M(h)`, and `∇ ln M(h) = Σ_k −2 s² (h − h_k)/(d_k² (d_k² + s²))` with `d_k = ‖h − h_k‖`.
    fn factor(&self, h: &[f64]) -> (f64, Vector) {
        let s = self.square;
        let mut product = 1.0;
        let mut slope = Vector::zeros(h.len());
        for root in self.known {
            let d: f64 = h.iter().zip(root).map(|(a, b)| (a - b) * (a - b)).sum();
            product *= s / d + 1.0;
            let share = -2.0 * s / (d * (d + s));
            slope.iter_mut().zip(h.iter().zip(root)).for_each(|(g, (a, b))| *g += share * (a - b));
        }
        (product, slope)
    }
}

impl Dynamics for Deflated<'_> {
    fn state_size(&self) -> usize {
        self.map.state_size()
    }

    fn step(&self, h: &[f64]) -> Vector {
        let here = Vector::from_column_slice(h);
        let residual = self.map.step(h) - &here;
        here + residual * self.factor(h).0
    }

    /// `I + M (J − I) + r ∇Mᵀ`.
    fn jacobian(&self, h: &[f64]) -> Matrix {
        let (next, mut jacobian) = self.map.step_and_jacobian(h);
        let residual = next - Vector::from_column_slice(h);
        let (factor, slope) = self.factor(h);
        (0..h.len()).for_each(|i| jacobian[(i, i)] -= 1.0);
        jacobian += residual * slope.transpose();
        jacobian *= factor;
        (0..h.len()).for_each(|i| jacobian[(i, i)] += 1.0);
        jacobian
    }
}

/// How a search goes on from known fixed points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Deflate {
    /// `s`: distance from a known point at which its factor is 2, in state units; best a fair part of the distance
    /// between points. Of 1,500 random maps of [−1, 1]², lists from 4 initial states lack a point in 380 with 0.03, in
    /// 153 with 0.3, in 90 with 1, in 106 with 3; without deflation in 395.
    #[serde(deserialize_with = "setting::positive")]
    pub length: f64,
    /// So many initial states in a row that lead to nothing new end it, if no index says that there is more.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub patience: usize,
    /// Most new points: a line of fixed points has no last one.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub points: usize,
    /// Two points closer than this, as a share of one and the norm of the first, are one.
    #[serde(deserialize_with = "setting::positive")]
    pub unique: f64,
}

impl Default for Deflate {
    fn default() -> Self {
        Self { length: 0.5, patience: 32, points: 1000, unique: 1e-7 }
    }
}

/// What a search on from known points has found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundBeyond {
    /// New fixed points, in the order in which they were found, each polished with the map as it is and at rest to
    /// the finder's smallest tolerance. `distance_from_init` and `steps` are of the search that came there.
    pub points: Vec<SlowPoint>,
    /// Searches that were made.
    pub searches: usize,
    /// Of these, how many came to a point that was known, when polished.
    pub again: usize,
    /// Of these, how many came to rest outside the map's invariant box, where only rounding can hold a state still (an
    /// update gate that is 1 as far as f64 can tell).
    pub outside: usize,
    /// Whether it ended for want of new points or of initial states; `false` where the limit on points ended it. The
    /// list may still lack points: see [`IndexSum`].
    pub exhausted: bool,
}

/// Fixed points beyond those that are known, from states that may have led to the known ones.
///
/// From a block of [`Deflate::patience`] states, over all threads, searches with all points divided out that are known
/// by then, and without: a factor can also raise a minimum of its own between a state and a point. Then again from the
/// same states as long as that finds new ones, and on to the next block. A block that finds none at once ends it,
/// unless the points' [indices](IndexSum) prove that one is missing. The order of the states decides the order of the
/// points, not the threads.
///
/// * `known`: fixed points, `[state]` each; `initial_states`: `[state]` each
/// * `finder`: its smallest tolerance and steps; its distance is not used
///
/// # Errors
/// As [`search`].
pub fn search_on(
    map: &dyn Dynamics,
    known: &[Vec<f64>],
    initial_states: &[&[f64]],
    finder: &Finder,
    settings: &Deflate,
) -> Result<FoundBeyond> {
    let tolerance = finder.smallest();
    let finder =
        Finder { max_distance: f64::INFINITY, tolerances: vec![tolerance], steps: finder.steps };
    let sides = map.invariant_box();
    let mut all = known.to_vec();
    let mut found = FoundBeyond::default();
    for block in initial_states.chunks(settings.patience.max(1)) {
        let mut first = true;
        loop {
            let mut ends = Vec::new();
            let mut look = |known: &[Vec<f64>]| {
                let deflated = Deflated::new(map, known, settings.length)?;
                search(&deflated, block.iter().copied(), 1.0, &finder, |result| {
                    ends.push(result);
                    Ok(())
                })
            };
            look(&all)?;
            if first && !all.is_empty() {
                look(&[])?;
            }
            found.searches += ends.len();
            let before = all.len();
            // Also from where a search was stopped: near a point, many factors leave none of f64's digits to M r.
            let polished: Vec<Vec<f64>> =
                ends.par_iter().map(|end| polish(map, &end.last.state)).collect();
            for (end, state) in ends.into_iter().zip(polished) {
                let speed = map.speed(&state);
                if !(speed < tolerance) {
                    continue;
                }
                let sides = sides.iter().flatten().zip(&state);
                if sides.into_iter().any(|((low, high), x)| x < low || x > high) {
                    found.outside += 1;
                    continue;
                }
                if !is_new(&all, &state, settings.unique) {
                    found.again += 1;
                    continue;
                }
                all.push(state.clone());
                found.points.push(SlowPoint { state, speed, ..end.last });
                if found.points.len() == settings.points {
                    return Ok(found);
                }
            }
            if all.len() == before {
                break;
            }
            first = false;
        }
        if first && !lacks(map, &all)? {
            break;
        }
    }
    found.exhausted = true;
    Ok(found)
}

/// Whether the points' indices prove that one is missing.
fn lacks(map: &dyn Dynamics, points: &[Vec<f64>]) -> Result<bool> {
    if map.invariant_box().is_none() {
        return Ok(false);
    }
    let proofs: Vec<Certificate> =
        points.par_iter().map(|point| certify(map, point)).collect::<Result<_>>()?;
    Ok(IndexSum::of(map, &proofs).can_be_complete() == Some(false))
}

/// Whether no known point is where this one is.
fn is_new(known: &[Vec<f64>], state: &[f64], unique: f64) -> bool {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let close = unique * (1.0 + norm(&mut state.iter().copied()));
    known.iter().all(|point| norm(&mut point.iter().zip(state).map(|(a, b)| a - b)) > close)
}
