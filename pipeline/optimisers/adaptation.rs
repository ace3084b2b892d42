//! Where the state stands under a constant gradient, and how fast it learns there (arXiv 2011.02159, section 5.5).

use crate::Result;
use crate::map::OptimiserMap;
use accrue_dynamics::certificate::{Certificate, certify};
use accrue_dynamics::continuation::{Branch, BranchEnd, Continuation, follow};
use accrue_dynamics::{Dynamics, Finder, search};

/// A fixed point under a constant gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// `g`.
    pub gradient: f64,
    /// `h*(g)`, `[state]`.
    pub state: Vec<f64>,
    /// Its speed `q`.
    pub speed: f64,
    /// What was proved.
    pub certificate: Certificate,
    /// `U_{h*(g)}(g)`.
    pub update: f64,
    /// `−∂U/∂g` there: the learning rate for small changes of the gradient.
    pub rate: f64,
}

/// The fixed points on both sides of gradient 0.
#[derive(Clone, Debug)]
pub struct Arms {
    /// By rising gradient.
    pub points: Vec<Standing>,
    /// How the curve ended on the negative and on the positive side.
    pub ends: [BranchEnd; 2],
    /// Folds and other crossings on the way.
    pub crossings: usize,
    /// Gradients at which no fixed point was found.
    pub missing: usize,
}

/// Half-sum speed below which a search has found a fixed point: f64's digits for states of order 1.
const STILL: f64 = 1e-20;

/// A fixed point near a state.
///
/// # Errors
/// As [`search`] and [`certify`].
pub fn stand(map: &OptimiserMap, near: &[f64]) -> Result<Option<Standing>> {
    let finder = Finder { tolerances: vec![STILL], steps: 500, max_distance: f64::INFINITY };
    let mut found = None;
    search(map, [near], 1.0, &finder, |result| {
        found = Some(result.last);
        Ok(())
    })?;
    let Some(point) = found.filter(|p| p.speed <= STILL) else { return Ok(None) };
    Ok(Some(Standing {
        gradient: map.gradient(),
        certificate: certify(map, &point.state)?,
        update: map.update(&point.state),
        rate: -map.update_slope(&point.state),
        speed: point.speed,
        state: point.state,
    }))
}

/// Follows the fixed point from gradient 0 to `±largest` and looks at `count` gradients, evenly spaced, on each side.
///
/// * `map`: with its gradient held at 0; `point`: its fixed point
///
/// # Errors
/// As [`follow`] and [`stand`].
pub fn arms(map: &OptimiserMap, point: &[f64], largest: f64, count: usize) -> Result<Arms> {
    let (below, above) = (side(map, point, -largest, count)?, side(map, point, largest, count)?);
    let mut found = Arms {
        points: Vec::with_capacity(2 * count + 1),
        ends: [below.end, above.end],
        crossings: below.events.len() + above.events.len(),
        missing: 0,
    };
    let places = (-(count as i64)..=count as i64).map(|k| k as f64 / count as f64);
    for place in places {
        let branch = if place < 0.0 { &below } else { &above };
        let at = map.at(place * largest)?;
        let near = if place == 0.0 { Some(point) } else { nearest(branch, place.abs()) };
        match near.map(|near| stand(&at, near)).transpose()?.flatten() {
            Some(point) => found.points.push(point),
            None => found.missing += 1,
        }
    }
    Ok(found)
}

/// The curve of the fixed point from gradient 0, or from the first gradient where it breaks off there: features with a sign
/// jump at 0.
fn side(map: &OptimiserMap, point: &[f64], to: f64, count: usize) -> Result<Branch> {
    let settings = Continuation { largest_step: 0.1, steps: 2000, ..Continuation::default() };
    let whole = follow(map, point, &[to], &settings)?;
    if whole.end == BranchEnd::Boundary {
        return Ok(whole);
    }
    let share = 1.0 / count as f64;
    let first = map.at(share * to)?;
    let mut state = point.to_vec();
    for _ in 0..SETTLED {
        state = first.step(&state).as_slice().to_vec();
    }
    let mut rest = follow(&first, &state, &[to], &settings)?;
    if rest.points.len() <= whole.points.len() {
        return Ok(whole);
    }
    for at in &mut rest.points {
        at.lambda = share + at.lambda * (1.0 - share);
    }
    Ok(rest)
}

/// Steps after which a state has come to rest: an optimiser's slowest mode lasts some tens.
pub const SETTLED: usize = 1000;

/// The state of the curve where it first comes past `lambda`; `None` where it never comes there.
fn nearest(branch: &Branch, lambda: f64) -> Option<&[f64]> {
    let past = branch.points.iter().position(|p| p.lambda >= lambda - 1e-9)?;
    let candidates = [past, past.saturating_sub(1)];
    let by = |a: &usize, b: &usize| {
        let far = |i: usize| (branch.points[i].lambda - lambda).abs();
        far(*a).total_cmp(&far(*b))
    };
    let best = candidates.into_iter().min_by(by)?;
    Some(&branch.points[best].state)
}

/// States that fixed points at gradient 0 are sought from, and what was found: distinct points, each once.
///
/// # Errors
/// As [`search`] and [`certify`].
pub fn standing_points(
    map: &OptimiserMap,
    initial_states: &[Vec<f64>],
) -> Result<(Vec<Standing>, usize)> {
    let finder = Finder { tolerances: vec![STILL], steps: 500, max_distance: f64::INFINITY };
    let mut states: Vec<Vec<f64>> = Vec::new();
    let mut unfinished = 0;
    search(map, initial_states.iter().map(Vec::as_slice), 1.0, &finder, |result| {
        let point = result.last;
        if !(point.speed <= STILL) {
            unfinished += 1;
            return Ok(());
        }
        let far =
            |a: &[f64]| a.iter().zip(&point.state).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if states.iter().all(|known| far(known) > 1e-6) {
            states.push(point.state);
        }
        Ok(())
    })?;
    let mut points = Vec::with_capacity(states.len());
    for state in &states {
        points.extend(stand(map, state)?);
    }
    Ok((points, unfinished))
}
