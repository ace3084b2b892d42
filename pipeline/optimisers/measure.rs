//! Everything that is measured on one optimiser, and how runs are summed up.

use crate::adaptation::{Arms, SETTLED, Standing, arms, standing_points};
use crate::assembled::{Curve, Parts, linear};
use crate::clipping::{UpdateFunction, relative_slope, update_function};
use crate::learned::Learned;
use crate::linalg::Matrix;
use crate::map::OptimiserMap;
use crate::momentum::{Momentum, momentum};
use crate::objective::Objective;
use crate::schedule::{Schedule, schedule};
use crate::unroll::{Boxed, Prepared, Runs, run, shard};
use crate::{Result, setting};
use accrue_dynamics::Dynamics;
use accrue_dynamics::geometry::{Moments, Pca};
use accrue_numerics::summary::{deviation, mean, quantile, spearman};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How an optimiser is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Visited states that fixed points are sought from.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub initial_states: usize,
    /// Share of the met gradients that are smaller than the largest constant gradient that fixed points are followed to.
    #[serde(deserialize_with = "setting::share")]
    pub largest: f64,
    /// Constant gradients on each side of 0.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000>")]
    pub gradients: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { initial_states: 256, largest: 0.95, gradients: 20 }
    }
}

/// Share of the met gradients below the one at which saturation is judged.
pub const STEEP: f64 = 0.95;
/// Distances along the slowest mode at which the update function is looked at.
pub const SHIFTS: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];
/// Gradients on each side of an update function.
const FINE: usize = 60;
/// Most gradients that quantiles are taken of.
const SAMPLE: usize = 200_000;
/// Problems whose states are looked at.
const WATCHED: usize = 8;

/// What was measured.
pub struct Measured {
    /// Magnitudes of gradients met on test problems, rising; a sample.
    pub met: Vec<f64>,
    /// Distinct fixed points at gradient 0; first the one nearest to where the first state comes to rest without gradient.
    pub points: Vec<Standing>,
    /// Searches that ended in none.
    pub unfinished: usize,
    /// Principal components of the states.
    pub pca: Pca,
    /// What follows from a fixed point; `None` where there is none.
    pub around: Option<Around>,
    /// The autonomous trajectory from the first state.
    pub schedule: Schedule,
    /// The update function at the first state.
    pub at_start: UpdateFunction,
    /// Its slope at the 95th percentile of the gradients, as a share of that at 0.
    pub slope_at_start: f64,
}

/// What follows from the first fixed point.
pub struct Around {
    /// Modes.
    pub momentum: Momentum,
    /// The update function at rest, and away along the slowest mode by each of [`SHIFTS`].
    pub shifted: Vec<UpdateFunction>,
    /// Slope at rest at the 95th percentile, as a share of that at 0.
    pub slope_at_rest: f64,
    /// Fixed points under constant gradients.
    pub arms: Arms,
    /// Rank correlation of learning rate and `|g|` along the arms.
    pub falls: f64,
    /// `U_{h*}(0)`: what it does at rest.
    pub drift: f64,
}

/// Runs on many problems, shard by shard, over all threads; in the order of the problems.
pub fn runs(learned: &Learned, problems: &[Boxed], steps: usize, states: bool) -> Vec<Runs> {
    let prepared = Prepared::new(learned);
    let size = problems.first().map_or(1, |p| p.parameters());
    problems.par_chunks(shard(size)).map(|own| run(&prepared, own, steps, states)).collect()
}

/// Even numbers from `−largest` to `largest`, `2 count + 1` of them.
fn both_sides(largest: f64, count: usize) -> Vec<f64> {
    let count = count as i64;
    (-count..=count).map(|k| largest * k as f64 / count as f64).collect()
}

/// Measures an optimiser on problems that it was not trained on.
///
/// # Errors
/// [`crate::Error::NotFinite`] for weights with NaN.
pub fn measure(
    learned: &Learned,
    problems: &[Boxed],
    steps: usize,
    settings: &Settings,
) -> Result<Measured> {
    let map = OptimiserMap::new(learned, 0.0)?;
    let (initial, ..) = learned.ends();
    let watched = &problems[..problems.len().min(WATCHED)];
    let (mut states, mut met) = (Vec::new(), Vec::new());
    let size = map.state_size();
    for run in runs(learned, watched, steps, true) {
        let finite = run.states.chunks(size).filter(|h| h.iter().all(|x| x.is_finite()));
        states.extend(finite.map(|h| h.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>()));
    }
    for run in runs(learned, problems, steps, false) {
        met.extend(run.gradients.iter().map(|g| f64::from(g.abs())).filter(|g| g.is_finite()));
    }
    let every = met.len().div_ceil(SAMPLE).max(1);
    let mut met: Vec<f64> = met.into_iter().step_by(every).collect();
    met.sort_by(f64::total_cmp);
    let at = |share: f64| quantile(&met, share).unwrap_or(0.0);
    let map = map.with_width(at(0.5).max(f64::MIN_POSITIVE));
    let mut moments = Moments::new(size);
    states.iter().for_each(|h| moments.add(h));
    let pca = Pca::from_moments(&moments)?;
    let every = states.len().div_ceil(settings.initial_states).max(1);
    let mut begin: Vec<Vec<f64>> = states.into_iter().step_by(every).collect();
    begin.extend([initial.clone(), vec![0.0; size]]);
    let (mut points, unfinished) = standing_points(&map, &begin)?;
    // Where it comes to rest by itself stands first.
    let mut rest = initial.clone();
    for _ in 0..SETTLED {
        rest = map.step(&rest).as_slice().to_vec();
    }
    let far =
        |p: &Standing| -> f64 { p.state.iter().zip(&rest).map(|(a, b)| (a - b).powi(2)).sum() };
    points.sort_by(|a, b| far(a).total_cmp(&far(b)));
    let steep = at(STEEP);
    let gradients = both_sides(steep.max(f64::MIN_POSITIVE), FINE);
    let around = match points.first() {
        None => None,
        Some(first) => {
            let rest = &first.state;
            let momentum = momentum(&map, rest)?;
            let along = momentum.linearisation.eigen.right.column(0).into_owned();
            let shifted = SHIFTS.iter().map(|p| {
                let moved: Vec<f64> =
                    rest.iter().zip(along.iter()).map(|(h, r)| h + p * r.re).collect();
                update_function(&map, &moved, &gradients)
            });
            let arms =
                arms(&map, rest, at(settings.largest).max(f64::MIN_POSITIVE), settings.gradients)?;
            let (sizes, rates): (Vec<f64>, Vec<f64>) =
                arms.points.iter().map(|p| (p.gradient.abs(), p.rate)).unzip();
            Some(Around {
                shifted: shifted.collect::<Result<_>>()?,
                slope_at_rest: relative_slope(&map, rest, steep)?,
                falls: if sizes.len() > 2 { spearman(&rates, &sizes) } else { f64::NAN },
                drift: map.update(rest),
                momentum,
                arms,
            })
        }
    };
    Ok(Measured {
        points,
        unfinished,
        pca,
        around,
        schedule: schedule(&map, &initial, steps),
        at_start: update_function(&map, &initial, &gradients)?,
        slope_at_start: relative_slope(&map, &initial, steep)?,
        met,
    })
}

/// A method's name, and its loss curve on each problem.
pub type Curves = Vec<(&'static str, Vec<Vec<f64>>)>;

/// Hand-made optimisers from the measured parts, from momentum alone to all of them, and the sum of all linear modes: names
/// and the losses on each problem.
///
/// # Errors
/// [`crate::Error::NotFinite`] for weights with NaN.
pub fn assembled(
    learned: &Learned,
    measured: &Measured,
    problems: &[Boxed],
    steps: usize,
) -> Result<Curves> {
    let Some(around) = &measured.around else { return Ok(Vec::new()) };
    let map = OptimiserMap::new(learned, 0.0)?;
    let rest = &measured.points[0].state;
    let first = around.momentum.modes[0];
    let last = measured.schedule.rates.last().copied().unwrap_or(1.0);
    let schedule: Vec<f64> = measured.schedule.rates.iter().map(|r| r / last).collect();
    let largest = measured.met.last().copied().unwrap_or(1.0).max(f64::MIN_POSITIVE);
    let clipping = clipping(&map, rest, largest, measured.met[measured.met.len() / 2])?;
    let centre = around.arms.points.iter().find(|p| p.gradient == 0.0).map_or(1.0, |p| p.rate);
    let adaptation = Curve {
        x: around.arms.points.iter().map(|p| p.gradient).collect(),
        y: around.arms.points.iter().map(|p| p.rate / centre).collect(),
    };
    let mut parts = Parts {
        alpha: first.alpha.re,
        beta: first.beta.re,
        schedule: None,
        clipping: None,
        adaptation: None,
    };
    let over = |f: &(dyn Fn(&Boxed) -> Vec<f64> + Sync)| problems.par_iter().map(f).collect();
    let kernel: Vec<f64> = (0..steps).map(|s| around.momentum.impulse(s)).collect();
    let mut all: Vec<(&'static str, Vec<Vec<f64>>)> = vec![
        ("all modes, linear", over(&|p| linear(&**p, steps, &kernel, around.drift))),
        ("slowest mode", over(&|p| parts.run(&**p, steps))),
    ];
    parts.schedule = Some(schedule);
    all.push(("… with schedule", over(&|p| parts.run(&**p, steps))));
    parts.clipping = Some(clipping);
    all.push(("… and clipping", over(&|p| parts.run(&**p, steps))));
    if !adaptation.x.is_empty() {
        parts.adaptation = Some(adaptation);
        all.push(("… and adaptation", over(&|p| parts.run(&**p, steps))));
    }
    Ok(all)
}

/// `C(g) = (U(g) − U(0))/U'(0)` up to the largest gradient met, finely near 0.
fn clipping(map: &OptimiserMap, rest: &[f64], largest: f64, middle: f64) -> Result<Curve> {
    let unit = if middle > 0.0 { middle } else { largest };
    let end = (largest / unit).asinh();
    let x: Vec<f64> = both_sides(end, 400).into_iter().map(|u| unit * u.sinh()).collect();
    let found = update_function(map, rest, &x)?;
    let (zero, slope) = (map.update(rest), map.update_slope(rest));
    let y = found.updates.iter().map(|u| (u - zero) / slope).collect();
    Ok(Curve { x, y })
}

/// Losses of many problems, summed up.
#[derive(Clone, Debug, PartialEq)]
pub struct Summed {
    /// Mean loss of each step over the problems that are not lost.
    pub loss: Vec<f64>,
    /// Standard error of that mean.
    pub error: Vec<f64>,
    /// Mean of `f_t/f_0`.
    pub share: Vec<f64>,
    /// Objective of each problem; not finite for one that is lost.
    pub objectives: Vec<f64>,
    /// Mean objective over the others, and its standard error.
    pub objective: f64,
    /// The error.
    pub objective_error: f64,
    /// Problems that diverged or had nothing to win.
    pub lost: usize,
    /// Of the others, those whose last loss is above their first: on the way to diverging. One of them can outweigh all others.
    pub worse: usize,
}

/// Sums up the losses `[problems][T]`.
pub fn summed(losses: &[Vec<f64>], objective: Objective) -> Summed {
    let objectives: Vec<f64> = losses.iter().map(|l| objective.of(l)).collect();
    let good: Vec<usize> = (0..losses.len()).filter(|&i| objectives[i].is_finite()).collect();
    let steps = losses.first().map_or(0, Vec::len);
    let root = (good.len() as f64).sqrt();
    let at = |t: usize| -> Vec<f64> { good.iter().map(|&i| losses[i][t]).collect() };
    let values: Vec<f64> = good.iter().map(|&i| objectives[i]).collect();
    let share = |t: usize| {
        let shares: Vec<f64> = good.iter().map(|&i| losses[i][t] / losses[i][0]).collect();
        mean(&shares)
    };
    Summed {
        loss: (0..steps).map(|t| mean(&at(t))).collect(),
        error: (0..steps).map(|t| deviation(&at(t)) / root).collect(),
        share: (0..steps).map(share).collect(),
        objective: mean(&values),
        objective_error: deviation(&values) / root,
        lost: losses.len() - good.len(),
        worse: good.iter().filter(|&&i| losses[i].last() > losses[i].first()).count(),
        objectives,
    }
}

/// Coordinates of states in the plane of the first two components.
pub fn plane(pca: &Pca, state: &[f64]) -> (f64, f64) {
    let c = pca.coordinates(state, 2);
    (c.first().copied().unwrap_or(0.0), c.get(1).copied().unwrap_or(0.0))
}

/// How far states lie from the straight line that fits them best, as the share of their variance off it.
///
/// # Errors
/// [`crate::Error::NotFinite`] for states with NaN.
pub fn off_line(states: &[&[f64]]) -> Result<f64> {
    let Some(first) = states.first() else { return Ok(f64::NAN) };
    let flat: Vec<f64> = states.iter().flat_map(|s| s.iter().copied()).collect();
    let pca = Pca::of(&Matrix::from_row_slice(states.len(), first.len(), &flat))?;
    Ok(1.0 - pca.ratios().first().copied().unwrap_or(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_that_end_above_their_start_are_counted_and_lost_ones_left_out() {
        let runs = [vec![4.0, 2.0, 0.0], vec![1.0, 2.0, 9.0], vec![1.0, f64::INFINITY, f64::NAN]];
        let found = summed(&runs, Objective::Mean);
        assert_eq!((found.lost, found.worse), (1, 1));
        // (6/3)/4 and (12/3)/1 by hand.
        assert_eq!((found.objectives[0], found.objectives[1], found.objective), (0.5, 4.0, 2.25));
        assert_eq!(
            (&found.loss[..], &found.share[..]),
            (&[2.5, 2.0, 4.5][..], &[1.0, 1.25, 4.5][..])
        );
    }
}
