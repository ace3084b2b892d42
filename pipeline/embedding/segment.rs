//! Fixed points followed along a straight segment of the map: where on the way does topology change?
//!
//! With `θ` beside the input ([`crate::topology::cell`]) the segment from `θ_a` to `θ_b` is a segment of inputs, `[x; θ_a]` to
//! `[x; θ_b]`, and [`accrue_dynamics::continuation`] follows a fixed point along it by pseudo-arclength. Curves begin at the fixed
//! points of both ends: one that is born on the way and lives at the far end alone is seen from there. A fixed point that an earlier
//! curve has ended at begins none of its own.

use crate::{MetaModel, Result, topology};
use accrue_cells::Map;
use accrue_dynamics::certificate::polish;
use accrue_dynamics::continuation::{Branch, BranchEnd, Continuation, Event, follow};
use accrue_dynamics::linearise::Linearisation;
use accrue_numerics::linalg::Complex;
use rayon::prelude::*;

/// Distance, as a share of one and the state's norm, below which two fixed points at one end are one.
const SAME: f64 = 1e-6;
/// Largest distance from 0 or 1 of the share of the way at which an end counts as reached.
const AT_END: f64 = 1e-9;

/// An end of the segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// `θ_a`, share 0.
    First,
    /// `θ_b`, share 1.
    Second,
}

/// A curve of fixed points over the segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Followed {
    /// Where it was begun.
    pub begun: End,
    /// Its points and crossings; `lambda` is the share of the way from `θ_a` to `θ_b`, wherever it was begun.
    pub branch: Branch,
}

impl Followed {
    /// The end of the segment that the curve reaches; `None` where it closes, is lost or runs out of steps.
    pub fn reaches(&self) -> Option<End> {
        let last = self.branch.points.last()?.lambda;
        match self.branch.end {
            BranchEnd::Boundary if last < AT_END => Some(End::First),
            BranchEnd::Boundary if last > 1.0 - AT_END => Some(End::Second),
            _ => None,
        }
    }

    /// Whether the fixed point goes from the one end to the other and no eigenvalue crosses the unit circle.
    pub fn passes(&self) -> bool {
        self.branch.events.is_empty() && self.reaches().is_some_and(|reached| reached != self.begun)
    }
}

/// Follows the fixed points of both ends along the segment.
///
/// * `ends`: `θ_a` and `θ_b`, `[p]` each
/// * `input`: held on the way, `[u]`
/// * `starts`: fixed points at either end, or states near them, `[state]` each
///
/// Returns curves begun at `θ_a`, then those begun at `θ_b` that no other curve ends at. [`Continuation::interval`] and
/// `backward` play no part: the way is the segment.
///
/// # Errors
/// As [`follow`].
pub fn along(
    meta: &MetaModel,
    ends: [&[f64]; 2],
    input: &[f64],
    starts: [&[Vec<f64>]; 2],
    settings: &Continuation,
) -> Result<Vec<Followed>> {
    let cell = topology::cell(meta);
    let [first, second] = ends.map(|theta| [input, theta].concat());
    let settings = Continuation { interval: (0.0, 1.0), backward: false, ..settings.clone() };
    let mut all: Vec<Followed> = Vec::new();
    let ways = [(End::First, &first, &second), (End::Second, &second, &first)];
    for ((begun, from, to), starts) in ways.into_iter().zip(starts) {
        let map = Map::new(&cell, from)?;
        let still: Vec<Vec<f64>> = starts.par_iter().map(|h| polish(&map, h)).collect();
        let open = still.into_iter().filter(|h| !ended_at(&all, begun, h)).collect::<Vec<_>>();
        let found: Vec<Branch> =
            open.par_iter().map(|h| follow(&map, h, to, &settings)).collect::<Result<_>>()?;
        for (h, mut branch) in open.iter().zip(found) {
            // Two starts may lie on one curve that turns back.
            if ended_at(&all, begun, h) {
                continue;
            }
            if begun == End::Second {
                branch.points.iter_mut().for_each(|p| p.lambda = 1.0 - p.lambda);
                branch.events.iter_mut().for_each(|e| e.lambda = 1.0 - e.lambda);
            }
            all.push(Followed { begun, branch });
        }
    }
    Ok(all)
}

/// Whether a curve that is known begins or ends at a fixed point of an end.
fn ended_at(all: &[Followed], end: End, state: &[f64]) -> bool {
    let norm = state.iter().map(|x| x * x).sum::<f64>().sqrt();
    let near = |other: &[f64]| {
        let far = other.iter().zip(state).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        far <= SAME * (1.0 + norm)
    };
    all.iter().any(|f| {
        let begins = (f.begun == end).then(|| f.branch.points.first()).flatten();
        let ends = (f.reaches() == Some(end)).then(|| f.branch.points.last()).flatten();
        begins.into_iter().chain(ends).any(|p| near(&p.state))
    })
}

/// What crosses the unit circle at a crossing, and what else lies outside it.
#[derive(Clone, Debug, PartialEq)]
pub struct CriticalMode {
    /// Eigenvalues outside the unit circle besides the one that crosses, or the pair.
    pub unstable: usize,
    /// What the outputs gain where the state moves by one along the mode, `R r` of its right eigenvector of unit length: the real
    /// part, the largest entry positive, `[outputs]`.
    pub outputs: Vec<f64>,
}

/// The mode that crosses at `event`, at its `θ`.
///
/// # Errors
/// As [`Linearisation::at`].
pub fn critical_mode(
    meta: &MetaModel,
    theta: &[f64],
    input: &[f64],
    event: &Event,
) -> Result<CriticalMode> {
    let map = Map::new(&topology::cell(meta), &[input, theta].concat())?;
    let around = Linearisation::at(&map, &event.state, None)?;
    let values = &around.eigen.values;
    let far = |z: &Complex| (z - event.critical).norm();
    let order = |a: &usize, b: &usize| far(&values[*a]).total_cmp(&far(&values[*b]));
    let own = (0..values.len()).min_by(order).expect("a state has a number");
    let pair = |z: &Complex| (z - values[own].conj()).norm() <= f64::EPSILON.sqrt();
    let others = values.iter().enumerate().filter(|(a, z)| *a != own && !pair(z));
    let mode = around.eigen.right.column(own);
    let (s, wide) = (meta.layout.shape.state(), meta.wide());
    let readout = &wide[meta.layout.readout()];
    let mut outputs: Vec<f64> = readout
        .chunks_exact(s)
        .map(|row| row.iter().zip(mode.iter()).map(|(w, r)| w * r.re).sum())
        .collect();
    let largest =
        outputs.iter().copied().fold(0.0, |m: f64, x| if x.abs() > m.abs() { x } else { m });
    if largest < 0.0 {
        outputs.iter_mut().for_each(|x| *x = -*x);
    }
    Ok(CriticalMode { unstable: others.filter(|(_, z)| z.norm() > 1.0).count(), outputs })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CellKind, Layout, Reads, Shape};
    use accrue_dynamics::continuation::Crossing;

    /// `h' = tanh(w h + c θ)`, `ỹ = 3 h`: one unit, one number of `θ`, an input without weight.
    fn one_unit(w: f32, c: f32) -> MetaModel {
        let reads = Reads::Vectors(1);
        let shape = Shape { cell: CellKind::Vanilla, units: 1, reads, outputs: 1, dimension: 1 };
        let layout = Layout { shape, widths: Vec::new() };
        let mut parameters = vec![0.0; layout.parameters()];
        let at = layout.cell().start;
        parameters[at + 1] = w;
        parameters[layout.conditioning().start] = c;
        parameters[layout.readout().start] = 3.0;
        MetaModel::new(layout, Vec::new(), parameters).unwrap()
    }

    fn curves(meta: &MetaModel, ends: [f64; 2], starts: [&[f64]; 2]) -> Vec<Followed> {
        let states = starts.map(|s| s.iter().map(|h| vec![*h]).collect::<Vec<_>>());
        let settings = Continuation { largest_step: 0.1, ..Continuation::default() };
        let ends = [&ends[..1], &ends[1..]];
        along(meta, ends, &[0.0], [&states[0], &states[1]], &settings).unwrap()
    }

    /// `θ` of the fixed point `h` of `h = tanh(w h + c θ)`.
    fn theta(w: f64, c: f64, h: f64) -> f64 {
        (h.atanh() - w * h) / c
    }

    #[test]
    fn a_fixed_point_folds_at_the_theta_where_its_slope_is_one() {
        // 1 = w (1 − h²): h = ±√(1 − 1/w), twice on the way from θ = −2 to 2.
        let meta = one_unit(2.0, 0.5);
        let h = 0.5_f64.sqrt();
        let found = curves(&meta, [-2.0, 2.0], [&[-0.99], &[0.99]]);
        assert_eq!(found.len(), 1, "the far end's fixed point lies on the first curve");
        let [curve] = &found[..] else { unreachable!() };
        assert_eq!(curve.reaches(), Some(End::Second));
        assert!(!curve.passes());
        let events = &curve.branch.events;
        assert_eq!(events.len(), 2);
        for (event, h) in events.iter().zip([-h, h]) {
            assert_eq!(event.crossing, Crossing::Fold);
            let share = (theta(2.0, 0.5, h) + 2.0) / 4.0;
            assert!((event.lambda - share).abs() < 1e-9, "{} {share}", event.lambda);
            // λ stands still where h moves: h is known to the root of what λ is known to.
            assert!((event.state[0] - h).abs() < 1e-4);
            let mode = critical_mode(&meta, &[theta(2.0, 0.5, h)], &[0.0], event).unwrap();
            assert_eq!(mode.unstable, 0);
            assert!((mode.outputs[0] - 3.0).abs() < 1e-12);
        }
    }

    #[test]
    fn curves_that_meet_are_one_and_those_that_reach_the_other_end_untouched_pass() {
        let meta = one_unit(2.0, 0.5);
        // From three fixed points to one: the lower two meet where h = −√½, the upper one passes.
        let found = curves(&meta, [-0.5, 2.0], [&[-0.98, 0.3, 0.9], &[0.99]]);
        assert_eq!(found.len(), 2);
        let passed: Vec<bool> = found.iter().map(Followed::passes).collect();
        assert_eq!(passed, [false, true]);
        assert_eq!(found[0].reaches(), Some(End::First));
        let share = (theta(2.0, 0.5, -0.5_f64.sqrt()) + 0.5) / 2.5;
        assert!((found[0].branch.events[0].lambda - share).abs() < 1e-9);
        // The same segment walked the other way begins with one fixed point; the two that are born on it are seen from the far end.
        let back = curves(&meta, [2.0, -0.5], [&[0.99], &[-0.98, 0.3, 0.9]]);
        let passed: Vec<bool> = back.iter().map(Followed::passes).collect();
        assert_eq!(passed, [true, false]);
        assert_eq!(back[1].begun, End::Second);
        assert!((back[1].branch.events[0].lambda - (1.0 - share)).abs() < 1e-9);
        // Between the folds all three pass.
        let found = curves(&meta, [-0.5, 0.5], [&[-0.98, 0.3, 0.9], &[-0.9, -0.3, 0.98]]);
        assert_eq!(found.iter().map(Followed::passes).collect::<Vec<_>>(), [true; 3]);
    }

    #[test]
    fn a_cycle_of_two_steps_is_born_at_the_theta_where_the_slope_is_minus_one() {
        // −1 = w (1 − h²) with w = −2: h = √½.
        let meta = one_unit(-2.0, 0.5);
        let found = curves(&meta, [0.0, 8.0], [&[0.0], &[]]);
        let [curve] = &found[..] else { panic!("one curve, not {}", found.len()) };
        let [event] = &curve.branch.events[..] else { panic!("{:?}", curve.branch.events) };
        assert_eq!(event.crossing, Crossing::PeriodDoubling);
        assert!((8.0 * event.lambda - theta(-2.0, 0.5, 0.5_f64.sqrt())).abs() < 1e-8);
    }
}
