//! One fixed point, followed while the static input moves.
//!
//! Along `x(λ) = x₀ + λ (x₁ − x₀)` the zeros of `G(h, λ) = F(h, x(λ)) − h` form curves. They are followed by
//! pseudo-arclength (Keller 1977; Allgower & Georg 1990): from a point `y = (h, λ)` with unit tangent `t`,
//! `[J − I, J_inp (x₁ − x₀)] t = 0`, a step `s` predicts `y + s t`, and Newton's method corrects it on
//!
//! ```text
//! G(y') = 0        tᵀ (y' − y − s t) = 0
//! ```
//!
//! so that a curve that turns back in `λ` is followed round. Steps grow where few corrections do, and shrink where they
//! fail or the tangent turns far.
//!
//! On the way, eigenvalues of `J` cross the unit circle (Kuznetsov 2004, ch. 4):
//!
//! * through 1, where `λ` turns: a fold, in which two fixed points meet and vanish;
//! * through 1, where it does not: another branch crosses (a pitchfork of a symmetric map);
//! * through −1, `det(I + J) = 0`: a cycle of two steps is born or dies;
//! * as a complex pair `e^{±iθ}`: so is an invariant circle that turns by about `θ` a step (Neimark–Sacker).
//!
//! Each is located by bisection along the step on which a sign or the count of unstable modes changed.

use crate::certificate::polish;
use crate::linalg::{Complex, Lu, Matrix, Vector, eigenvalues};
use crate::{Dynamics, Error, Result, setting};
use serde::{Deserialize, Serialize};

/// How a fixed point is followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Continuation {
    /// Least and largest `λ`; 0 is `x₀`, 1 is `x₁`.
    pub interval: (f64, f64),
    /// Whether `λ` falls at first.
    pub backward: bool,
    /// First step, a length in `(h, λ)`.
    #[serde(deserialize_with = "setting::positive")]
    pub step: f64,
    /// Step below which the curve counts as lost.
    #[serde(deserialize_with = "setting::positive")]
    pub least_step: f64,
    /// Largest step.
    #[serde(deserialize_with = "setting::positive")]
    pub largest_step: f64,
    /// Most steps.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub steps: usize,
    /// Length along the curve to which crossings are located.
    #[serde(deserialize_with = "setting::positive")]
    pub located: f64,
}

impl Default for Continuation {
    fn default() -> Self {
        Self {
            interval: (0.0, 1.0),
            backward: false,
            step: 0.01,
            least_step: 1e-7,
            largest_step: 0.05,
            steps: 5000,
            located: 1e-10,
        }
    }
}

/// A fixed point on the curve.
#[derive(Clone, Debug, PartialEq)]
pub struct BranchPoint {
    /// `λ`.
    pub lambda: f64,
    /// `[state]`.
    pub state: Vec<f64>,
    /// `sign det(I − J)`: 1, −1, or 0 where it is singular in f64.
    pub index: i8,
    /// Eigenvalues outside the unit circle.
    pub unstable: usize,
}

/// What crosses the unit circle, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Crossing {
    /// Through 1, and `λ` turns.
    Fold,
    /// Through 1, and `λ` goes on: another branch crosses.
    Branching,
    /// Through −1.
    PeriodDoubling,
    /// A complex pair.
    NeimarkSacker,
}

/// A crossing, located.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Which.
    pub crossing: Crossing,
    /// `λ` where it happens.
    pub lambda: f64,
    /// The fixed point there, `[state]`.
    pub state: Vec<f64>,
    /// The eigenvalue that crosses; of a pair, that with the positive imaginary part.
    pub critical: Complex,
}

/// Why a curve ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BranchEnd {
    /// At an end of the interval.
    Boundary,
    /// Where it began.
    Closed,
    /// Out of steps.
    OutOfSteps,
    /// Corrections failed at the least step.
    Lost,
    /// There is no fixed point near the state given.
    NoStart,
}

/// The curve of one fixed point.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// Points in their order.
    pub points: Vec<BranchPoint>,
    /// Crossings in their order.
    pub events: Vec<Event>,
    /// Why it ended.
    pub end: BranchEnd,
}

/// Largest entry of `G`, as a share of one and that of the state, that counts as zero.
const ZERO: f64 = 1e-13;
/// Corrections before a step counts as failed, and up to which the next may grow.
const CORRECTIONS: usize = 8;
const EASY: usize = 3;
/// Cosine of the angle by which the tangent may turn in a step.
const TURN: f64 = 0.95;
/// Crossings looked for in one step.
const MOST_EVENTS: usize = 32;

/// Follows a fixed point from `λ = 0`.
///
/// * `map`: with its input held at `x₀`; `to`: `x₁`, `[inputs]`
/// * `start`: the fixed point at `x₀`, or a state near it, `[state]`
///
/// # Errors
/// [`Error::Shape`] for a state or an input that does not fit, [`Error::Usage`] for a map whose input cannot be
/// changed or an interval without 0, [`Error::NotFinite`] for a Jacobian with NaN.
pub fn follow(
    map: &dyn Dynamics,
    start: &[f64],
    to: &[f64],
    settings: &Continuation,
) -> Result<Branch> {
    map.check(start)?;
    if to.len() != map.input().len() {
        return Err(Error::shape("input", to.len(), map.input().len()));
    }
    let (low, high) = settings.interval;
    if !(low <= 0.0 && 0.0 <= high && low < high) {
        return Err(Error::Usage(format!(
            "continuation: the interval ({low}, {high}) must hold 0, where the fixed point is given"
        )));
    }
    let change = to.iter().zip(map.input()).map(|(to, from)| to - from);
    let curve = Curve { map, change: Vector::from_iterator(to.len(), change) };
    let state = polish(map, start);
    let mut y = Vector::from_iterator(state.len() + 1, state.into_iter().chain([0.0]));
    let mut branch = Branch { points: Vec::new(), events: Vec::new(), end: BranchEnd::NoStart };
    if !curve.is_zero(&y, &curve.system(&y)?.0) {
        return Ok(branch);
    }
    let mut up = Vector::zeros(y.len());
    up[y.len() - 1] = if settings.backward { -1.0 } else { 1.0 };
    let Some(mut tangent) = curve.tangent(&y, &up)? else {
        branch.end = BranchEnd::Lost;
        return Ok(branch);
    };
    let (first, first_tangent) = (y.clone(), tangent.clone());
    let mut here = curve.signs(&y, &tangent)?;
    branch.points.push(here.point(&y));
    let mut length = settings.step.min(settings.largest_step);
    branch.end = BranchEnd::OutOfSteps;
    for _ in 0..settings.steps {
        let Some((mut next, corrections)) = curve.corrected(&y, &tangent, length)? else {
            length *= 0.5;
            if length < settings.least_step {
                branch.end = BranchEnd::Lost;
                break;
            }
            continue;
        };
        let turned = curve.tangent(&next, &tangent)?;
        let Some(mut turned) = turned.filter(|t| t.dot(&tangent) > TURN) else {
            length *= 0.5;
            if length < settings.least_step {
                branch.end = BranchEnd::Lost;
                break;
            }
            continue;
        };
        let lambda = |y: &Vector| y[y.len() - 1];
        let outside = |y: &Vector| lambda(y) < low || lambda(y) > high;
        let leaves = outside(&next);
        let mut taken = length;
        if leaves {
            let (mut inner, mut outer) = (0.0, length);
            while outer - inner > f64::EPSILON * length {
                let middle = 0.5 * (inner + outer);
                match curve.corrected(&y, &tangent, middle)? {
                    Some((trial, _)) if !outside(&trial) => inner = middle,
                    _ => outer = middle,
                }
            }
            taken = inner;
            (next, _) = curve.corrected(&y, &tangent, inner)?.unwrap_or((y.clone(), 0));
            turned = curve.tangent(&next, &tangent)?.unwrap_or(turned);
        }
        let there = curve.signs(&next, &turned)?;
        if there != here {
            let found = curve.locate(&y, &tangent, taken, here, settings.located)?;
            branch.events.extend(found);
        }
        branch.points.push(there.point(&next));
        (y, tangent, here) = (next, turned, there);
        if leaves {
            branch.end = BranchEnd::Boundary;
            break;
        }
        if branch.points.len() > 3
            && (&y - &first).norm() < length
            && tangent.dot(&first_tangent) > TURN
        {
            branch.end = BranchEnd::Closed;
            break;
        }
        if corrections <= EASY {
            length = (1.5 * length).min(settings.largest_step);
        }
    }
    Ok(branch)
}

/// The zeros of `G(h, λ)`; `y = (h, λ)`, `[state + 1]`.
struct Curve<'a> {
    map: &'a dyn Dynamics,
    /// `x₁ − x₀`, `[inputs]`.
    change: Vector,
}

/// What changes where an eigenvalue crosses the unit circle.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Signs {
    /// Whether `λ` rises.
    rises: bool,
    /// `sign det(I − J)`.
    index: i8,
    /// `sign det(I + J)`.
    flip: i8,
    unstable: usize,
}

impl Signs {
    fn point(&self, y: &Vector) -> BranchPoint {
        let n = y.len() - 1;
        let state = y.as_slice()[..n].to_vec();
        BranchPoint { lambda: y[n], state, index: self.index, unstable: self.unstable }
    }
}

impl Curve<'_> {
    fn map_at(&self, y: &Vector) -> Result<Box<dyn Dynamics + '_>> {
        let input = Vector::from_column_slice(self.map.input()) + &self.change * y[y.len() - 1];
        self.map.with_input(input.as_slice())
    }

    /// `G`, `[state]`, and its derivatives by `h` and `λ`, `[state, state + 1]`.
    fn system(&self, y: &Vector) -> Result<(Vector, Matrix)> {
        let n = y.len() - 1;
        let h = &y.as_slice()[..n];
        let map = self.map_at(y)?;
        let (next, jacobian) = map.step_and_jacobian(h);
        let mut wide = Matrix::zeros(n, n + 1);
        wide.view_mut((0, 0), (n, n)).copy_from(&jacobian);
        (0..n).for_each(|i| wide[(i, i)] -= 1.0);
        wide.set_column(n, &(map.input_jacobian(h) * &self.change));
        Ok((next - Vector::from_column_slice(h), wide))
    }

    fn is_zero(&self, y: &Vector, g: &Vector) -> bool {
        g.amax() <= ZERO * (1.0 + y.amax())
    }

    /// `[wide; row]`, square.
    fn bordered(wide: &Matrix, row: &Vector) -> Lu {
        let n = wide.nrows();
        let mut all = wide.clone().insert_row(n, 0.0);
        all.set_row(n, &row.transpose());
        Lu::new(&all)
    }

    /// The unit tangent that does not turn back from another; `None` where it has no single direction.
    fn tangent(&self, y: &Vector, along: &Vector) -> Result<Option<Vector>> {
        let (_, wide) = self.system(y)?;
        let mut right = Vector::zeros(y.len());
        right[y.len() - 1] = 1.0;
        let t = Self::bordered(&wide, along).solve(&right);
        let norm = t.norm();
        Ok((norm.is_finite() && norm > 0.0).then(|| t / norm))
    }

    /// The point of the curve a step of `length` on, with the corrections it took; `None` if it does not converge.
    fn corrected(
        &self,
        from: &Vector,
        tangent: &Vector,
        length: f64,
    ) -> Result<Option<(Vector, usize)>> {
        let predicted = from + tangent * length;
        let mut y = predicted.clone();
        for corrections in 0..=CORRECTIONS {
            let (g, wide) = self.system(&y)?;
            if self.is_zero(&y, &g) {
                return Ok(Some((y, corrections)));
            }
            let mut right = g.insert_row(wide.nrows(), 0.0);
            right[wide.nrows()] = tangent.dot(&(&y - &predicted));
            let change = Self::bordered(&wide, tangent).solve(&right);
            // A correction longer than the step leads to another curve.
            if !(change.norm() <= 2.0 * length.max(f64::EPSILON.sqrt())) {
                return Ok(None);
            }
            y -= change;
        }
        Ok(None)
    }

    fn signs(&self, y: &Vector, tangent: &Vector) -> Result<Signs> {
        let (jacobian, values) = self.spectrum(y)?;
        let n = jacobian.nrows();
        let identity = Matrix::identity(n, n);
        Ok(Signs {
            rises: tangent[n] > 0.0,
            index: Lu::new(&(&identity - &jacobian)).determinant_sign(),
            flip: Lu::new(&(&identity + &jacobian)).determinant_sign(),
            unstable: values.iter().filter(|l| l.norm() > 1.0).count(),
        })
    }

    fn spectrum(&self, y: &Vector) -> Result<(Matrix, Vec<Complex>)> {
        let jacobian = self.map_at(y)?.jacobian(&y.as_slice()[..y.len() - 1]);
        let values = eigenvalues(&jacobian)?;
        Ok((jacobian, values))
    }

    /// The crossings on a step that begins with the signs `here`.
    fn locate(
        &self,
        from: &Vector,
        tangent: &Vector,
        length: f64,
        mut here: Signs,
        located: f64,
    ) -> Result<Vec<Event>> {
        let at = |s: f64| -> Result<Option<(Vector, Signs)>> {
            let Some((y, _)) = self.corrected(from, tangent, s)? else { return Ok(None) };
            let Some(turned) = self.tangent(&y, tangent)? else { return Ok(None) };
            let signs = self.signs(&y, &turned)?;
            Ok(Some((y, signs)))
        };
        let mut events = Vec::new();
        let mut begin = 0.0;
        for _ in 0..MOST_EVENTS {
            match at(length)? {
                Some((_, end)) if end != here && begin < length => (),
                _ => break,
            }
            let (mut low, mut high) = (begin, length);
            while high - low > located.max(8.0 * f64::EPSILON * length) {
                let middle = 0.5 * (low + high);
                match at(middle)? {
                    // Where nothing converges, something is near.
                    Some((_, signs)) if signs == here => low = middle,
                    _ => high = middle,
                }
            }
            // Signs that change together may do so a rounding apart.
            let beyond = (high + 16.0 * located).min(length);
            let Some((y, _)) = at(0.5 * (low + high))?.or(at(low)?).or(at(high)?) else { break };
            let Some((_, there)) = at(beyond)? else { break };
            events.extend(self.events(&y, here, there)?);
            (here, begin) = (there, beyond);
        }
        Ok(events)
    }

    /// What has crossed between two sets of signs, at a point between.
    fn events(&self, y: &Vector, before: Signs, after: Signs) -> Result<Vec<Event>> {
        let (_, values) = self.spectrum(y)?;
        let nearest = |far: &dyn Fn(&Complex) -> f64| -> Complex {
            let by = |a: &&Complex, b: &&Complex| far(a).total_cmp(&far(b));
            *values.iter().min_by(by).expect("a state has a number")
        };
        let n = y.len() - 1;
        let event = |crossing, critical| Event {
            crossing,
            lambda: y[n],
            state: y.as_slice()[..n].to_vec(),
            critical,
        };
        let mut found = Vec::new();
        let one = |z: &Complex| (z - Complex::new(1.0, 0.0)).norm();
        if before.rises != after.rises {
            found.push(event(Crossing::Fold, nearest(&one)));
        } else if before.index != after.index {
            found.push(event(Crossing::Branching, nearest(&one)));
        }
        if before.flip != after.flip {
            let minus_one = |z: &Complex| (z + Complex::new(1.0, 0.0)).norm();
            found.push(event(Crossing::PeriodDoubling, nearest(&minus_one)));
        }
        if found.is_empty() && before.unstable.abs_diff(after.unstable) >= 2 {
            let circle = |z: &Complex| {
                if z.im > 0.0 { (z.norm() - 1.0).abs() } else { f64::INFINITY }
            };
            found.push(event(Crossing::NeimarkSacker, nearest(&circle)));
        }
        Ok(found)
    }
}
