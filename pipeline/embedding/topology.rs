//! Fixed points of the meta-model along its map: where does topology change?

use crate::{MetaModel, Result};
use accrue_cells::{Cell, Map};
use accrue_dynamics::certificate::certify;
use accrue_dynamics::finder::median_norm;
use accrue_dynamics::geometry::{Moments, Pca, participation_ratio};
use accrue_dynamics::linearise::Linearisation;
use accrue_dynamics::select::{Selection, select};
use accrue_dynamics::{Finder, search};

/// Speed below which a point is slow: there the state moves by a hundredth a step, a fraction of its way along a phrase of tens of steps.
const SLOW: f64 = 1e-4;
/// Farthest a slow point may lie from the state its search began at, in units of the states' median norm.
const FARTHEST: f64 = 1.0;
/// Speed of a point at which a proof is tried.
const STILL: f64 = 1e-12;
/// Most slow points that are linearised, and most that are proved.
const LOOKED: usize = 24;

/// What was found at a place of the map.
#[derive(Clone, Debug, PartialEq)]
pub struct Topology {
    /// Distinct slow points.
    pub slow: usize,
    /// Participation ratio of these points; NaN for fewer than two.
    pub dimension: f64,
    /// Median number of modes whose time constant is at least `length` steps, of a sample of them.
    pub slow_modes: f64,
    /// Points for which a proof was tried.
    pub tried: usize,
    /// Points proved to be fixed.
    pub proved: usize,
    /// Of these, proved to attract.
    pub stable: usize,
    /// Of these, proved to repel along some direction.
    pub unstable: usize,
    /// Searches that reached no slow point.
    pub missed: usize,
    /// The points proved to be fixed, `[state]` each.
    pub fixed: Vec<Vec<f64>>,
}

/// The meta-model's cell with `θ` beside the input, `[x; θ]`: its input weights are `[A | C]`. Held at a place of the map it is the
/// meta-model there, and what follows a fixed point while the input moves follows it along the map.
pub fn cell(meta: &MetaModel) -> Cell {
    let p = meta.layout.shape.dimension;
    let wide = meta.wide();
    let plain = crate::meta::cell(&meta.layout, &wide, &vec![0.0; p]);
    let c = &wide[meta.layout.conditioning()];
    let rows = plain.input_weights.chunks_exact(plain.inputs).zip(c.chunks_exact(p));
    let input_weights = rows.flat_map(|(a, c)| [a, c].concat()).collect();
    Cell { inputs: plain.inputs + p, input_weights, ..plain }
}

/// Searches from visited states, with the input held.
///
/// * `input`: the input, `[u]`; `starts`: visited states, `[state]` each
/// * `length`: steps that a slow mode must outlast
///
/// # Errors
/// [`crate::Error::NotFinite`] for a meta-model with NaN.
pub fn at(
    meta: &MetaModel,
    theta: &[f64],
    input: &[f64],
    starts: &[Vec<f64>],
    length: f64,
) -> Result<Topology> {
    let map = Map::new(&cell(meta), &[input, theta].concat())?;
    let scale = median_norm(starts.iter().map(Vec::as_slice));
    let finder =
        Finder { tolerances: vec![SLOW, STILL], max_distance: FARTHEST, ..Finder::default() };
    let (mut slow, mut still, mut missed) = (Vec::new(), Vec::new(), 0);
    search(&map, starts.iter().map(Vec::as_slice), scale, &finder, |found| {
        let mut reached = found.reached.into_iter();
        match reached.next().flatten() {
            Some(point) => slow.push(point),
            None => missed += 1,
        }
        still.extend(reached.next().flatten());
        Ok(())
    })?;
    let distinct = |points: &[accrue_dynamics::SlowPoint]| {
        let of: Vec<(&[f64], f64)> = points.iter().map(|p| (p.state.as_slice(), p.speed)).collect();
        select(&of, scale, &Selection::default())
    };
    let (kept, candidates) = (distinct(&slow), distinct(&still));
    let mut moments = Moments::new(meta.layout.shape.state());
    kept.iter().for_each(|&i| moments.add(&slow[i].state));
    let dimension = match kept.len() {
        0 | 1 => f64::NAN,
        _ => participation_ratio(&Pca::from_moments(&moments)?.variances),
    };
    let mut modes = Vec::new();
    for &i in kept.iter().step_by(kept.len().div_ceil(LOOKED).max(1)) {
        let around = Linearisation::at(&map, &slow[i].state, None)?;
        modes.push(around.time_constants().iter().filter(|tau| **tau >= length).count() as f64);
    }
    let (mut fixed, mut stable, mut unstable) = (Vec::new(), 0, 0);
    let tried: Vec<usize> =
        candidates.iter().copied().step_by(candidates.len().div_ceil(LOOKED).max(1)).collect();
    for &i in &tried {
        let certificate = certify(&map, &still[i].state)?;
        if certificate.exists() {
            fixed.push(still[i].state.clone());
        }
        stable += certificate.is_stable() as usize;
        unstable += certificate.is_unstable() as usize;
    }
    Ok(Topology {
        slow: kept.len(),
        dimension,
        slow_modes: accrue_numerics::summary::median(&modes).unwrap_or(f64::NAN),
        tried: tried.len(),
        proved: fixed.len(),
        stable,
        unstable,
        missed,
        fixed,
    })
}
