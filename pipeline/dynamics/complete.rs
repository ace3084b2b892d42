//! Was every fixed point found? What must hold of a complete list, and a proof that one is.
//!
//! # The sum of indices
//! A map that takes a box into its interior has fixed points there, and where `det(I − J)` vanishes at none of them
//! their indices `sign det(I − J)` add up to 1 (Brouwer's degree; Lefschetz 1926). A list of proved points with
//! another sum lacks at least one. A sum of 1 proves nothing: a saddle and a stable point may both be missing.
//!
//! # Branch and bound
//! For small states the box is searched through. With `G(h) = F(h) − h`, `A = J − I` at the centre `c` of a part with
//! half widths `w`, `W = max_j w_j`, curvatures `K` and any matrix `C`, each fixed point `h = c + d` of the part obeys
//!
//! ```text
//! |G_i(c)| ≤ Σ_j |A_ij| w_j + ½ K_i W²                                        (plain)
//! |d_i + (C G(c))_i| ≤ Σ_j |I − C A|_ij w_j + ½ Σ_k |C_ik| K_k W²              (preconditioned)
//! ```
//!
//! by Taylor's theorem with the rest of second order. A part for which an entry of the first fails holds none. The
//! second, with `C ≈ A⁻¹`, says where within the part a fixed point can be (Krawczyk 1969): the part shrinks to that,
//! or vanishes. What is left is kept as known where it lies in the ball in which a proved point is
//! [alone](crate::certificate::Certificate::alone_within), else split across its widest side.
//!
//! # Rounding
//! As in [`certificate`](crate::certificate): errors of the step and the Jacobian by the map's own bounds, those of
//! products by `γ`, those of the bounds' arithmetic by [`INFLATE`]. Half widths are rounded up, sides outward.

use crate::certificate::{Certificate, certify_at, largest, polish, size};
use crate::linalg::Matrix;
use crate::{Dynamics, Error, Result, setting};
use accrue_numerics::rounding::{INFLATE, U, gamma};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What the indices of a list of fixed points say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexSum {
    /// Sum of the proved indices.
    pub sum: i32,
    /// Points whose index is not proved.
    pub unproved: usize,
    /// What the sum over all fixed points is: 1 for a map with an invariant box; `None` for others.
    pub expected: Option<i32>,
}

impl IndexSum {
    /// Over a list of points that are all different.
    pub fn of<'a>(
        map: &dyn Dynamics,
        certificates: impl IntoIterator<Item = &'a Certificate>,
    ) -> Self {
        let (mut sum, mut unproved) = (0, 0);
        for certificate in certificates {
            match certificate.index {
                Some(index) => sum += i32::from(index),
                None => unproved += 1,
            }
        }
        Self { sum, unproved, expected: map.invariant_box().map(|_| 1) }
    }

    /// Whether the list can be complete: `Some(false)` proves that it is not; `None` where nothing can be said.
    pub fn can_be_complete(&self) -> Option<bool> {
        let expected = self.expected.filter(|_| self.unproved == 0)?;
        Some(self.sum == expected)
    }
}

/// How long the search through a box may take.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Census {
    /// Most parts of the box that are looked at. Their number grows exponentially with the state: tens for two
    /// numbers, thousands to a hundred thousand for four.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub boxes: usize,
    /// Parts narrower than this are not split: there, fixed points lie too close to each other, or are one that
    /// bifurcates. State units.
    #[serde(deserialize_with = "setting::positive")]
    pub narrowest: f64,
}

impl Default for Census {
    fn default() -> Self {
        Self { boxes: 1_000_000, narrowest: 1e-10 }
    }
}

/// A part of the state space: least and largest value of each number, `[state]`.
pub type Part = Vec<(f64, f64)>;

/// A fixed point that is proved to exist.
#[derive(Clone, Debug, PartialEq)]
pub struct Proved {
    /// Its approximation, `[state]`.
    pub state: Vec<f64>,
    /// The proof, around that state.
    pub certificate: Certificate,
    /// Its place in the list that was given; `None` for one that only the search through the box has found.
    pub listed: Option<usize>,
}

/// What the search through a box has proved.
#[derive(Clone, Debug, PartialEq)]
pub struct Counted {
    /// Proved fixed points, all different: those listed, then others.
    pub points: Vec<Proved>,
    /// Listed points that could not be proved, or not to differ from an earlier one.
    pub unproved: Vec<usize>,
    /// Parts in which other fixed points may lie.
    pub undecided: Vec<Part>,
    /// Parts that were looked at.
    pub boxes: usize,
    /// Whether the limit on parts ended it.
    pub out_of_boxes: bool,
}

impl Counted {
    /// The proved points are all that there are.
    pub fn is_proved(&self) -> bool {
        self.undecided.is_empty()
    }

    /// The points that were listed are all that there are.
    pub fn list_is_complete(&self) -> bool {
        self.is_proved() && self.points.iter().all(|p| p.listed.is_some())
    }
}

/// All fixed points of a map with an invariant box, counted by proof.
///
/// Parts are looked at level by level, over all threads; from one that cannot be thrown out a Newton search begins,
/// and what it proves joins the list.
///
/// * `listed`: fixed points that were found, `[state]` each; may be empty
///
/// # Errors
/// [`Error::Usage`] for a map without an invariant box, curvature or rounding bounds; [`Error::Shape`] for points or
/// bounds that do not fit it.
pub fn count(map: &dyn Dynamics, listed: &[Vec<f64>], settings: &Census) -> Result<Counted> {
    let n = map.state_size();
    let Some(whole) = map.invariant_box() else {
        return Err(Error::Usage(
            "this map names no box that holds all its fixed points: they cannot be counted".into(),
        ));
    };
    if whole.len() != n {
        return Err(Error::shape("invariant box", whole.len(), n));
    }
    if let Some(side) = whole.iter().find(|(low, high)| !(low < high)) {
        return Err(Error::Usage(format!(
            "the invariant box has a side from {} to {}",
            side.0, side.1
        )));
    }
    let inner = |share: f64| -> Vec<f64> {
        whole.iter().map(|(low, high)| low + share * (high - low)).collect()
    };
    // A map with kinks may have one at the very centre.
    let bend = [0.5, 0.37].iter().find_map(|share| map.curvature(&inner(*share), 0.0));
    let (Some(bend), Some(errors)) = (bend, map.rounding(&inner(0.5))) else {
        return Err(Error::Usage(
            "this map bounds no second derivatives or no rounding errors: its fixed points cannot be counted"
                .into(),
        ));
    };
    for (what, found) in [
        ("curvature", bend.len()),
        ("rounding errors of a step", errors.step.len()),
        ("rounding errors of the Jacobian", errors.jacobian.len()),
    ] {
        if found != n {
            return Err(Error::shape(what, found, n));
        }
    }
    let mut points: Vec<Proved> = Vec::new();
    let mut unproved = Vec::new();
    for (number, point) in listed.iter().enumerate() {
        map.check(point)?;
        match proved(map, point)? {
            Some(new) if is_another(&points, &new) == Some(true) => {
                points.push(Proved { listed: Some(number), ..new });
            }
            _ => unproved.push(number),
        }
    }
    let (mut boxes, mut out_of_boxes) = (0, false);
    let mut undecided = Vec::new();
    let mut parts = vec![whole];
    while !parts.is_empty() {
        if boxes + parts.len() > settings.boxes {
            out_of_boxes = true;
            undecided.append(&mut parts);
            break;
        }
        boxes += parts.len();
        let looked: Vec<Look> = parts.par_iter().map(|part| look(map, part, &points)).collect();
        parts.clear();
        for look in looked {
            let Some(left) = look.left else { continue };
            let known = |state: &Vec<f64>| points.iter().any(|p| covers(p, &point_of(state)));
            if let Some(state) = look.near.filter(|state| !known(state))
                && let Some(new) = proved(map, &state)?
                && is_another(&points, &new) == Some(true)
            {
                points.push(new);
            }
            // What an earlier part of this level has found may cover this one.
            if points.iter().any(|p| covers(p, &left)) {
                continue;
            }
            match split(&left, settings.narrowest).filter(|_| !look.rounding) {
                Some((low, high)) => parts.extend([low, high]),
                None => undecided.push(left),
            }
        }
    }
    Ok(Counted { points, unproved, undecided, boxes, out_of_boxes })
}

/// What the ball around a point is narrowed by as long as that helps.
const NARROWER: f64 = 0.25;

/// A fixed point near a state, with the widest ball in which it is proved to be alone.
fn proved(map: &dyn Dynamics, from: &[f64]) -> Result<Option<Proved>> {
    let state = polish(map, from);
    let mut cap = size(&state);
    let mut best: Option<Certificate> = None;
    // Curvatures are bounds over a ball, which is wider than needed at first.
    for _ in 0..16 {
        let found = certify_at(map, &state, cap)?;
        let reach = |c: &Certificate| c.alone_within.unwrap_or(0.0);
        if found.exists() && best.as_ref().is_none_or(|b| reach(&found) > reach(b)) {
            best = Some(found);
        }
        if best.as_ref().is_some_and(|b| reach(b) >= NARROWER * cap) {
            break;
        }
        cap *= NARROWER;
    }
    Ok(best.map(|certificate| Proved { state, certificate, listed: None }))
}

/// A part that is one state.
fn point_of(state: &[f64]) -> Part {
    state.iter().map(|x| (*x, *x)).collect()
}

/// Distance in the maximum norm.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    largest(a.iter().zip(b).map(|(a, b)| (a - b).abs()))
}

/// Whether a proved point is none of these: `None` where the proofs do not tell.
fn is_another(points: &[Proved], new: &Proved) -> Option<bool> {
    let radius = |p: &Proved| p.certificate.radius.unwrap_or(f64::INFINITY);
    let mut apart = Some(true);
    for point in points {
        let far = distance(&point.state, &new.state);
        if far / INFLATE > INFLATE * (radius(point) + radius(new)) {
            continue;
        }
        let alone = point.certificate.alone_within.unwrap_or(0.0);
        if INFLATE * (far + radius(new)) <= alone {
            return Some(false);
        }
        apart = None;
    }
    apart
}

/// Whether a part lies in the ball in which a point is alone.
fn covers(point: &Proved, part: &Part) -> bool {
    let Some(alone) = point.certificate.alone_within else { return false };
    let far = part.iter().zip(&point.state).map(|((low, high), x)| (high - x).max(x - low));
    INFLATE * largest(far) <= alone
}

/// Whether a state lies in a part.
fn within(state: &[f64], part: &Part) -> bool {
    part.iter().zip(state).all(|((low, high), x)| low <= x && x <= high)
}

/// Both halves across the widest side; `None` if that is too narrow.
fn split(part: &Part, narrowest: f64) -> Option<(Part, Part)> {
    let width = |side: &(f64, f64)| side.1 - side.0;
    let widest = (0..part.len()).max_by(|&i, &j| width(&part[i]).total_cmp(&width(&part[j])))?;
    let (low, high) = part[widest];
    let middle = 0.5 * (low + high);
    let wide = high - low > narrowest && low < middle && middle < high;
    if !wide {
        return None;
    }
    let (mut first, mut second) = (part.clone(), part.clone());
    first[widest] = (low, middle);
    second[widest] = (middle, high);
    Some((first, second))
}

/// What is left of a part.
#[derive(Default)]
struct Look {
    /// Where in it unknown fixed points may be; `None`: nowhere.
    left: Option<Part>,
    /// Where Newton's method leads to from there, if to rest, and no known point lies in the part.
    near: Option<Vec<f64>>,
    /// `G` varies less over it than rounding may: to split it tells nothing.
    rounding: bool,
}

/// Speed below which Newton's method has come to rest: a proof is worth trying.
const AT_REST: f64 = 1e-20;
/// Times a part is shrunk before it is split.
const SHRINKS: usize = 8;
/// A part is shrunk again if its widest side is now below this share of what it was.
const SHRUNK: f64 = 0.5;

/// Throws a part out, keeps it as known, or shrinks it.
fn look(map: &dyn Dynamics, part: &Part, points: &[Proved]) -> Look {
    let (mut left, mut rounding) = (part.clone(), false);
    let widest = |part: &Part| largest(part.iter().map(|(low, high)| high - low));
    for _ in 0..SHRINKS {
        if points.iter().any(|p| covers(p, &left)) {
            return Look::default();
        }
        let before = widest(&left);
        match narrowed(map, &left) {
            Narrowed::Nothing => return Look::default(),
            Narrowed::Unknown => break,
            Narrowed::Rounding => {
                rounding = true;
                break;
            }
            Narrowed::To(part) => left = part,
        }
        if !(widest(&left) < SHRUNK * before) {
            break;
        }
    }
    if points.iter().any(|p| covers(p, &left)) {
        return Look::default();
    }
    // Where a proved point lies within the part, another search would end at it.
    if points.iter().any(|p| within(&p.state, &left)) {
        return Look { left: Some(left), near: None, rounding };
    }
    let from: Vec<f64> = left.iter().map(|(low, high)| 0.5 * (low + high)).collect();
    let near = Some(polish(map, &from)).filter(|state| map.speed(state) < AT_REST);
    Look { left: Some(left), near, rounding }
}

/// What the two inequalities leave of a part.
enum Narrowed {
    Nothing,
    /// The map has no bounds here, or numbers that are not finite.
    Unknown,
    /// `G` varies less over the part than rounding may.
    Rounding,
    To(Part),
}

fn narrowed(map: &dyn Dynamics, part: &Part) -> Narrowed {
    let Some(taylor) = Taylor::of(map, part) else { return Narrowed::Unknown };
    match taylor.plain() {
        Plain::Excluded => Narrowed::Nothing,
        Plain::Rounding => Narrowed::Rounding,
        Plain::Possible => taylor.preconditioned(part),
    }
}

/// `G` over a part, to second order, each with what rounding may do.
struct Taylor {
    /// `c`, the centre.
    centre: Vec<f64>,
    /// `w`, half widths, rounded up.
    half: Vec<f64>,
    /// `G(c)`, and what it may be off as computed.
    g: Vec<f64>,
    off: Vec<f64>,
    /// `A = J(c) − I`.
    a: Matrix,
    /// The rest of second order, with the error of the Jacobian over the part.
    rest: Vec<f64>,
}

/// What the plain inequality says.
enum Plain {
    Excluded,
    /// Nothing, and nothing of narrower parts either.
    Rounding,
    Possible,
}

impl Taylor {
    /// `None` where the map has no bounds over the part.
    fn of(map: &dyn Dynamics, part: &Part) -> Option<Self> {
        let n = part.len();
        let centre: Vec<f64> = part.iter().map(|(low, high)| 0.5 * (low + high)).collect();
        let half: Vec<f64> = part
            .iter()
            .zip(&centre)
            .map(|((low, high), c)| INFLATE * (high - c).max(c - low) + f64::MIN_POSITIVE)
            .collect();
        let reach = largest(half.iter().copied());
        let (bend, errors) = (map.curvature(&centre, reach)?, map.rounding(&centre)?);
        let bounds = |x: &[f64]| x.iter().all(|x| *x >= 0.0);
        if !(bounds(&bend) && bounds(&errors.step) && bounds(&errors.jacobian)) {
            return None;
        }
        let (next, mut a) = map.step_and_jacobian(&centre);
        (0..n).for_each(|i| a[(i, i)] -= 1.0);
        let g = (0..n).map(|i| next[i] - centre[i]).collect();
        let off = |i: usize| INFLATE * (errors.step[i] + U * (next[i].abs() + centre[i].abs()));
        let rest = |i: usize| {
            let entry = errors.jacobian[i] + U * (a[(i, i)].abs() + 1.0);
            INFLATE * (0.5 * bend[i] * reach * reach + entry * reach)
        };
        let (off, rest) = ((0..n).map(off).collect(), (0..n).map(rest).collect());
        Some(Self { centre, half, g, off, a, rest })
    }

    /// `|G_i(c)| ≤ Σ_j |A_ij| w_j + ½ K_i W²`.
    fn plain(&self) -> Plain {
        let n = self.centre.len();
        let mut rounding = true;
        for i in 0..n {
            let slope: f64 = (0..n).map(|j| self.a[(i, j)].abs() * self.half[j]).sum();
            if self.g[i].abs() > INFLATE * (slope + self.off[i] + self.rest[i]) {
                return Plain::Excluded;
            }
            rounding &= slope + self.rest[i] <= self.off[i];
        }
        if rounding { Plain::Rounding } else { Plain::Possible }
    }

    /// `|d_i + (C G(c))_i| ≤ Σ_j |I − C A|_ij w_j + ½ Σ_k |C_ik| K_k W²`.
    fn preconditioned(&self, part: &Part) -> Narrowed {
        let n = part.len();
        let inverse = self.a.clone().try_inverse();
        let Some(c) = inverse.filter(|c| c.iter().all(|x| x.is_finite())) else {
            return Narrowed::To(part.clone());
        };
        let gamma = gamma(n + 4);
        let product = &c * &self.a;
        let row = |f: &dyn Fn(usize) -> f64| -> f64 { (0..n).map(f).sum() };
        let mut out = Vec::with_capacity(n);
        for (i, side) in part.iter().enumerate() {
            let newton = row(&|k| c[(i, k)] * self.g[k]);
            let turned = row(&|j| {
                let one = if i == j { 1.0 } else { 0.0 };
                // Rounding of the product: γ |C| |A|.
                let rounding = gamma * row(&|k| (c[(i, k)] * self.a[(k, j)]).abs());
                (INFLATE * (product[(i, j)] - one).abs() + rounding + U) * self.half[j]
            });
            let through =
                row(&|k| c[(i, k)].abs() * (self.off[k] + self.rest[k] + gamma * self.g[k].abs()));
            let centre = self.centre[i] - newton;
            let half = INFLATE * (turned + through) + U * (self.centre[i].abs() + newton.abs());
            // The sides are rounded away from the centre.
            let half = half + 4.0 * U * (centre.abs() + half);
            let (low, high) = (side.0.max(centre - half), side.1.min(centre + half));
            if (centre - half).is_nan() || (centre + half).is_nan() {
                return Narrowed::To(part.clone());
            }
            if low > high {
                return Narrowed::Nothing;
            }
            out.push((low, high));
        }
        Narrowed::To(out)
    }
}
