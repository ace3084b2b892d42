//! Where an orbit ends that finds no rest: limit cycles and invariant circles.
//!
//! # Cycles
//! A cycle of period `T` is a fixed point of `F^T` that is none of `F^d` for a divisor `d < T`. Its Floquet multipliers
//! are the eigenvalues of `D(F^T) = J(h_{T−1}) ⋯ J(h_0)`; all inside the unit circle, it attracts (Kuznetsov 2004,
//! ch. 4). [`classify`] runs the map, takes the first near return of the orbit for `T` and solves
//! `F^T(h) − h = 0` by Newton's method from there; [`of_period`] looks for cycles of one period from any states,
//! repelling ones included.
//!
//! # Invariant circles
//! A map can turn by an angle that no integer number of steps brings round. The orbit then fills a closed curve. Its
//! rotation is the mean angle it turns by in a step, seen from the mean state in the plane of its first two principal
//! components; the Lyapunov exponent along the curve is 0, those across it are below.

use crate::certificate::polish;
use crate::finder::{Finder, Stop, search};
use crate::geometry::Pca;
use crate::linalg::{Complex, Matrix, Vector, eigenvalues};
use crate::{Dynamics, Error, Result, lyapunov, setting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// `F^T` as a map: `T` steps at once. It bounds nothing, so that nothing is proved of it.
pub struct Iterated<'a> {
    map: &'a dyn Dynamics,
    period: usize,
}

impl<'a> Iterated<'a> {
    /// * `period`: `T`, steps
    pub fn new(map: &'a dyn Dynamics, period: usize) -> Self {
        Self { map, period }
    }
}

impl Dynamics for Iterated<'_> {
    fn state_size(&self) -> usize {
        self.map.state_size()
    }

    fn step(&self, state: &[f64]) -> Vector {
        let mut h = Vector::from_column_slice(state);
        (0..self.period).for_each(|_| h = self.map.step(h.as_slice()));
        h
    }

    fn jacobian(&self, state: &[f64]) -> Matrix {
        self.step_and_jacobian(state).1
    }

    /// `J(h_{T−1}) ⋯ J(h_0)`.
    fn step_and_jacobian(&self, state: &[f64]) -> (Vector, Matrix) {
        let mut h = Vector::from_column_slice(state);
        let mut product = Matrix::identity(h.len(), h.len());
        for _ in 0..self.period {
            let (next, jacobian) = self.map.step_and_jacobian(h.as_slice());
            product = jacobian * product;
            h = next;
        }
        (h, product)
    }
}

/// How an orbit's end is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cycles {
    /// Steps before the orbit is looked at.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub settle: usize,
    /// Longest period sought, steps.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub period: usize,
    /// How near an orbit must return for a period to be tried, as a share of its extent.
    #[serde(deserialize_with = "setting::positive")]
    pub close: f64,
    /// Steps over which rotation and exponents are means.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub window: usize,
    /// Exponents computed of an orbit without a period.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub exponents: usize,
    /// An exponent nearer to 0 than this counts as 0, per step: a mean over the window is off by its inverse times
    /// the logarithm of what the steps differ by.
    #[serde(deserialize_with = "setting::positive")]
    pub neutral: f64,
}

impl Default for Cycles {
    fn default() -> Self {
        Self { settle: 2000, period: 64, close: 1e-2, window: 3000, exponents: 2, neutral: 5e-3 }
    }
}

/// A periodic orbit.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle {
    /// Its states in their order, as many as its period, `[state]` each.
    pub states: Vec<Vec<f64>>,
    /// Floquet multipliers: eigenvalues of `D(F^T)`, largest modulus first, `[state]`.
    pub multipliers: Vec<Complex>,
    /// Largest entry of `F^T(h) − h` at the first state.
    pub residual: f64,
}

impl Cycle {
    /// Steps until it is where it was.
    pub fn period(&self) -> usize {
        self.states.len()
    }

    /// All multipliers lie inside the unit circle.
    pub fn is_stable(&self) -> bool {
        self.multipliers.iter().all(|m| m.norm() < 1.0)
    }

    /// Mean angle of a step about the mean of its states in the plane of their first two principal components, rad,
    /// from 0 to π; `None` where it goes round nothing.
    ///
    /// # Errors
    /// As [`Pca::of`].
    pub fn rotation(&self) -> Result<Option<f64>> {
        let round: Vec<Vec<f64>> = self.states.iter().chain(self.states.first()).cloned().collect();
        Ok(rotation(&round)?.map(|turn| turn.angle))
    }

    /// Distance of a state to the nearest of the orbit's (Euclid).
    pub fn distance(&self, state: &[f64]) -> f64 {
        nearest(&self.states, state)
    }
}

/// Distance of a state to the nearest of some (Euclid).
pub(crate) fn nearest(states: &[Vec<f64>], state: &[f64]) -> f64 {
    states.iter().map(|s| distance(s, state)).fold(f64::INFINITY, f64::min)
}

pub(crate) fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// A closed curve that an orbit fills.
#[derive(Clone, Debug, PartialEq)]
pub struct Circle {
    /// Mean angle of a step, rad, from 0 to π: a sense of rotation is seen from one side only.
    pub rotation: f64,
    /// The largest Lyapunov exponents, per step, descending: 0 as far as the settings tell, then below 0.
    pub exponents: Vec<f64>,
    /// Mean state, `[state]`.
    pub centre: Vec<f64>,
    /// Least and largest distance from the mean in the plane of the first two principal components.
    pub radii: (f64, f64),
    /// States of the orbit, in their order, `[state]` each.
    pub states: Vec<Vec<f64>>,
}

/// Where an orbit ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Orbit {
    /// At a fixed point, `[state]`.
    Point(Vec<f64>),
    /// In a cycle of two or more steps.
    Cycle(Cycle),
    /// On a closed curve.
    Circle(Circle),
    /// In none of these as far as the settings tell, with its largest exponents: chaotic where the first is above 0,
    /// not yet at rest where it is below.
    Irregular(Vec<f64>),
    /// Outside the numbers.
    Diverged,
}

/// Extent below which an orbit stands still, as a share of one and its norm.
const STILL: f64 = 1e-9;
/// Largest entry of `F^T(h) − h` that counts as zero, as the same share.
const CLOSED: f64 = 1e-10;
/// A curve that comes nearer to its mean than this share of its largest distance goes round nothing.
const ROUND: f64 = 0.02;

/// A cycle takes an orbit at least this share of its extent away before it brings it back: one that drifts is near where it
/// was for as long as it is looked at.
const AWAY: f64 = 0.1;

/// Where the map leads to from a state.
///
/// # Errors
/// [`Error::Shape`] for a state of the wrong size, [`Error::NotFinite`] if a Jacobian is not finite.
pub fn classify(map: &dyn Dynamics, start: &[f64], settings: &Cycles, seed: u64) -> Result<Orbit> {
    look(map, start, settings, seed, true)
}

/// [`classify`]; an orbit that goes round nothing has its exponents only where they are `wanted`, for they cost more than the rest.
pub(crate) fn look(
    map: &dyn Dynamics,
    start: &[f64],
    settings: &Cycles,
    seed: u64,
    wanted: bool,
) -> Result<Orbit> {
    map.check(start)?;
    let mut h = start.to_vec();
    for _ in 0..settings.settle {
        h = map.step(&h).as_slice().to_vec();
        if h.iter().any(|x| !x.is_finite()) {
            return Ok(Orbit::Diverged);
        }
    }
    let orbit = orbit(map, &h, settings.window.max(settings.period + 1));
    if orbit.iter().any(|s| s.iter().any(|x| !x.is_finite())) {
        return Ok(Orbit::Diverged);
    }
    let size = 1.0 + distance(&h, &vec![0.0; h.len()]);
    let extent = orbit.iter().map(|s| distance(s, &h)).fold(0.0, f64::max);
    if extent <= STILL * size {
        return Ok(Orbit::Point(polish(map, &h)));
    }
    let mut away: f64 = 0.0;
    for (period, state) in orbit.iter().enumerate().take(settings.period + 1).skip(1) {
        let back = distance(state, &h);
        away = away.max(back);
        let returned = period == 1 || away > AWAY * extent;
        if back < settings.close * extent
            && returned
            && let Some(cycle) = closed(map, &h, period)?
            && cycle.distance(&h) < extent
        {
            return Ok(match period {
                1 => Orbit::Point(cycle.states.into_iter().next().expect("a period has a state")),
                _ => Orbit::Cycle(cycle),
            });
        }
    }
    let turn = rotation(&orbit)?;
    if turn.is_none() && !wanted {
        return Ok(Orbit::Irregular(Vec::new()));
    }
    let steps = [settings.window * 3 / 2];
    let found = lyapunov::exponents(&steps, |_, _| Ok(map), &h, settings.exponents, seed)?;
    let exponents = found.into_iter().next().unwrap_or_default();
    let neutral = |x: &f64| x.abs() < settings.neutral;
    let flat = exponents.first().is_some_and(neutral)
        && exponents.get(1).is_some_and(|x| *x < -settings.neutral);
    Ok(match turn {
        Some(Turn { angle, centre, radii }) if flat => {
            Orbit::Circle(Circle { rotation: angle, exponents, centre, radii, states: orbit })
        }
        _ => Orbit::Irregular(exponents),
    })
}

/// So many steps from a state, that state first.
fn orbit(map: &dyn Dynamics, start: &[f64], steps: usize) -> Vec<Vec<f64>> {
    let next = |h: &Vec<f64>| Some(map.step(h).as_slice().to_vec());
    std::iter::successors(Some(start.to_vec()), next).take(steps).collect()
}

/// The cycle of this very period near a state; `None` if Newton's method finds none.
fn closed(map: &dyn Dynamics, near: &[f64], period: usize) -> Result<Option<Cycle>> {
    let h = polish(&Iterated::new(map, period), near);
    let states = orbit(map, &h, period + 1);
    let largest = |a: &[f64], b: &[f64]| {
        a.iter()
            .zip(b)
            .fold(0.0, |m: f64, (a, b)| if (a - b).abs() <= m { m } else { (a - b).abs() })
    };
    let limit = CLOSED * (1.0 + largest(&h, &vec![0.0; h.len()]));
    let residual = largest(&states[period], &h);
    // A shorter period, found again. Near returns are wider than rounding, by far.
    let shorter = (1..period)
        .filter(|d| period.is_multiple_of(*d))
        .any(|d| largest(&states[d], &h) < limit.sqrt());
    if !(residual < limit) || shorter {
        return Ok(None);
    }
    let multipliers = eigenvalues(&Iterated::new(map, period).jacobian(&h))?;
    Ok(Some(Cycle { states: states[..period].to_vec(), multipliers, residual }))
}

/// How an orbit turns about its mean.
struct Turn {
    /// Mean angle of a step, rad, without its sense.
    angle: f64,
    /// The mean, `[state]`.
    centre: Vec<f64>,
    /// Least and largest distance from it in the plane.
    radii: (f64, f64),
}

/// `None` for an orbit that goes round nothing.
fn rotation(orbit: &[Vec<f64>]) -> Result<Option<Turn>> {
    let size = orbit[0].len();
    if size < 2 {
        return Ok(None);
    }
    let pca = Pca::of(&Matrix::from_fn(orbit.len(), size, |t, i| orbit[t][i]))?;
    let plane: Vec<Complex> = orbit
        .iter()
        .map(|s| {
            let c = pca.coordinates(s, 2);
            Complex::new(c[0], c[1])
        })
        .collect();
    let radii = plane.iter().map(|z| z.norm());
    let (low, high) =
        radii.fold((f64::INFINITY, 0.0_f64), |(low, high), r| (low.min(r), high.max(r)));
    if !(low > ROUND * high) {
        return Ok(None);
    }
    let turns: Vec<Complex> =
        plane.windows(2).map(|w| (w[1] / w[0]) / (w[1] / w[0]).norm()).collect();
    // Angles are counted from their common direction, so that none is cut at ±π.
    let common = turns.iter().sum::<Complex>().arg();
    let off = turns.iter().map(|turn| (turn * Complex::from_polar(1.0, -common)).arg());
    let mean = common + off.sum::<f64>() / turns.len() as f64;
    let angle = ((mean + PI).rem_euclid(2.0 * PI) - PI).abs();
    Ok(Some(Turn { angle, centre: pca.mean.as_slice().to_vec(), radii: (low, high) }))
}

/// What all orbits from some states end in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ends {
    /// For each start, in the order given.
    pub orbits: Vec<Orbit>,
    /// Cycles, each once, in the order in which they were found first.
    pub cycles: Vec<Cycle>,
    /// Invariant circles, each once.
    pub circles: Vec<Circle>,
}

/// [`classify`] from every state, over all threads, and what was found, each once.
///
/// # Errors
/// As [`classify`].
pub fn ends(map: &dyn Dynamics, starts: &[&[f64]], settings: &Cycles, seed: u64) -> Result<Ends> {
    let orbits: Vec<Orbit> =
        starts.par_iter().map(|h| classify(map, h, settings, seed)).collect::<Result<_>>()?;
    let mut found = Ends::default();
    for orbit in &orbits {
        match orbit {
            Orbit::Cycle(cycle) if !found.cycles.iter().any(|c| same(c, cycle)) => {
                found.cycles.push(cycle.clone());
            }
            Orbit::Circle(circle) if !found.circles.iter().any(|c| same_circle(c, circle)) => {
                found.circles.push(circle.clone());
            }
            _ => (),
        }
    }
    found.orbits = orbits;
    Ok(found)
}

/// Two cycles of one period that share a state, as far as Newton's method solves for it.
pub fn same(a: &Cycle, b: &Cycle) -> bool {
    let size = 1.0 + distance(&b.states[0], &vec![0.0; b.states[0].len()]);
    a.period() == b.period() && a.distance(&b.states[0]) < CLOSED.sqrt() * size
}

/// Two samples of one curve: a state of the one lies between neighbours of the other.
pub fn same_circle(a: &Circle, b: &Circle) -> bool {
    // States fill the curve: a gap is seldom wider than some times the mean one.
    let gap = 2.0 * PI * a.radii.1 / a.states.len() as f64;
    nearest(&a.states, &b.states[0]) < 16.0 * gap
}

/// Cycles of one period, stable or not, by second-order searches for zeros of `F^T(h) − h`; each once.
///
/// * `initial_states`: `[state]` each
/// * `finder`: its smallest tolerance and steps; its distance is not used
///
/// # Errors
/// As [`search`]; [`Error::Usage`] for a period of 0.
pub fn of_period(
    map: &dyn Dynamics,
    period: usize,
    initial_states: &[&[f64]],
    finder: &Finder,
) -> Result<Vec<Cycle>> {
    if period == 0 {
        return Err(Error::Usage("a cycle has a period of 1 or more".into()));
    }
    let finder = Finder { max_distance: f64::INFINITY, ..finder.clone() };
    let mut ends = Vec::new();
    let iterated = Iterated::new(map, period);
    search(&iterated, initial_states.iter().copied(), 1.0, &finder, |result| {
        ends.push(result);
        Ok(())
    })?;
    let mut cycles: Vec<Cycle> = Vec::new();
    for end in ends.into_iter().filter(|end| end.stop == Stop::Converged) {
        if let Some(cycle) = closed(map, &end.last.state, period)?
            && !cycles.iter().any(|c| same(c, &cycle))
        {
            cycles.push(cycle);
        }
    }
    Ok(cycles)
}
