//! What leads where: from each saddle along its unstable directions to what attracts.
//!
//! A saddle is a place where the map decides. Just off it, along an unstable direction, an orbit leaves it and ends at
//! an attractor; the pairs of attractors that saddles connect are the computation's plan (Maheswaranathan, Williams et
//! al. 2019, arXiv:1907.08549: the topology of fixed points and of the transitions between them). Networks share it
//! while their states look nothing alike, so that graphs are compared by what attractors *mean*, not by where they
//! are ([`Graph::connections`], [`compare`]).
//!
//! An orbit begins at `h* ± ε r` for a real mode `r`, at `h* + ε Re(e^{iφ} r)` for several phases `φ` of a complex
//! pair, and at `h* + ε v` for directions `v` drawn in the span of all unstable modes where there are two or more: the
//! modes alone are a few directions of many, and of equal eigenvalues any. On its way it may pass other saddles: a near
//! pass is a candidate for a connection of saddles that a small change of the weights makes or breaks.

use crate::cycles::{Cycle, Cycles, Orbit, distance, look, nearest, same};
use crate::linalg::{Complex, Matrix, eigen};
use crate::{Dynamics, Result, seed, setting};
use rand::Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::PI;

/// How orbits are followed from saddles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Follow {
    /// `ε`: how far off the saddle an orbit begins, in units of the states' scale.
    #[serde(deserialize_with = "setting::positive")]
    pub offset: f64,
    /// Phases of a complex pair from which orbits begin.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub phases: usize,
    /// Directions drawn in the span of two or more unstable modes; 0: modes alone.
    pub drawn: usize,
    /// Most orbits in all. Where there are more, each saddle's first are followed, as many of each: modes by falling modulus,
    /// then what is drawn.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub orbits: usize,
    /// Most steps of an orbit.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub steps: usize,
    /// An orbit this near to an attractor has arrived, in the same units.
    #[serde(deserialize_with = "setting::positive")]
    pub arrived: f64,
    /// Other saddles passed nearer than this are recorded, in the same units.
    #[serde(deserialize_with = "setting::not_negative")]
    pub near: f64,
}

impl Default for Follow {
    fn default() -> Self {
        Self {
            offset: 1e-3,
            phases: 8,
            drawn: 16,
            orbits: 1024,
            steps: 10_000,
            arrived: 1e-4,
            near: 0.1,
        }
    }
}

/// A fixed point of a graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// `[state]`.
    pub state: Vec<f64>,
    /// Eigenvalues outside the unit circle; 0: it attracts.
    pub unstable: usize,
}

/// Along what an orbit leaves a saddle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Direction {
    /// A mode, by its number (largest modulus first), turned by a phase, rad: 0 or π for a real one.
    Mode {
        /// Its number.
        mode: usize,
        /// `φ`.
        phase: f64,
    },
    /// A direction drawn in the span of all unstable modes, by its number.
    Drawn(usize),
}

/// Where an orbit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// At a fixed point, by its number. A saddle, where symmetry leaves an orbit on its stable manifold.
    Point(usize),
    /// In a cycle or on an invariant circle, by its number.
    Cycle(usize),
    /// Outside the numbers.
    Diverged,
    /// At none that is known within the steps allowed.
    Unended,
}

/// Another saddle near an orbit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    /// Its number.
    pub point: usize,
    /// The least distance (Euclid).
    pub distance: f64,
    /// The step at which the orbit was nearest.
    pub step: usize,
}

/// An orbit from a saddle.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// The saddle, by its number.
    pub from: usize,
    /// Along what.
    pub direction: Direction,
    /// Where it ends.
    pub end: End,
    /// Steps until there.
    pub steps: usize,
    /// Other saddles it passes, nearest first.
    pub passes: Vec<Pass>,
}

/// Fixed points, cycles, and what leads where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// Fixed points, in the order given.
    pub points: Vec<Node>,
    /// States of each cycle or circle: those given, then those in which an orbit ended.
    pub cycles: Vec<Vec<Vec<f64>>>,
    /// Orbits, in the order of their saddles.
    pub edges: Vec<Edge>,
    /// Orbits beyond [`Follow::orbits`], which were not followed.
    pub left_out: usize,
}

/// What a saddle connects: the labels of all attractors that its orbits reach, and by how many modes it is unstable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Connection {
    /// Eigenvalues outside the unit circle.
    pub unstable: usize,
    /// Labels of attractors, each once.
    pub reaches: BTreeSet<String>,
}

impl Graph {
    /// Orbits that ended so.
    pub fn count(&self, end: End) -> usize {
        self.edges.iter().filter(|edge| edge.end == end).count()
    }

    /// Fixed points that attract, by their numbers.
    pub fn attractors(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.points.len()).filter(|&i| self.points[i].unstable == 0)
    }

    /// Attractors that orbits from a point reach; where an orbit ends at another saddle, what that one reaches.
    pub fn reaches(&self, point: usize) -> BTreeSet<End> {
        let (mut seen, mut open) = (BTreeSet::from([point]), vec![point]);
        let mut found = BTreeSet::new();
        while let Some(at) = open.pop() {
            for edge in self.edges.iter().filter(|edge| edge.from == at) {
                match edge.end {
                    End::Point(to) if self.points[to].unstable > 0 => {
                        if seen.insert(to) {
                            open.push(to);
                        }
                    }
                    end => {
                        found.insert(end);
                    }
                }
            }
        }
        found
    }

    /// What each saddle connects, as often as there are saddles that do: what networks can share.
    ///
    /// * `label`: of an attractor by its states, one for a fixed point: what the network says there
    ///
    /// Orbits that diverge or do not end carry the labels `diverged` and `unended`.
    pub fn connections(
        &self,
        label: impl Fn(&[Vec<f64>]) -> String,
    ) -> BTreeMap<Connection, usize> {
        let named = |end: End| match end {
            End::Point(i) => label(std::slice::from_ref(&self.points[i].state)),
            End::Cycle(i) => label(&self.cycles[i]),
            End::Diverged => "diverged".into(),
            End::Unended => "unended".into(),
        };
        let mut all = BTreeMap::new();
        for (i, node) in self.points.iter().enumerate().filter(|(_, node)| node.unstable > 0) {
            let reaches = self.reaches(i).into_iter().map(named).collect();
            *all.entry(Connection { unstable: node.unstable, reaches }).or_default() += 1;
        }
        all
    }
}

/// How alike two graphs are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Connections of both, with the smaller of their numbers.
    pub shared: BTreeMap<Connection, usize>,
    /// What the first has more of.
    pub first_only: BTreeMap<Connection, usize>,
    /// What the second has more of.
    pub second_only: BTreeMap<Connection, usize>,
}

impl Comparison {
    /// Shared connections over all of either, counted as often as they are there: 1 for graphs that agree, also for two
    /// without a saddle.
    pub fn similarity(&self) -> f64 {
        let count = |of: &BTreeMap<Connection, usize>| of.values().sum::<usize>() as f64;
        let shared = count(&self.shared);
        let all = shared + count(&self.first_only) + count(&self.second_only);
        if all == 0.0 { 1.0 } else { shared / all }
    }
}

/// What two networks' saddles connect, side by side.
pub fn compare(
    first: &BTreeMap<Connection, usize>,
    second: &BTreeMap<Connection, usize>,
) -> Comparison {
    let mut out = Comparison::default();
    let keys: BTreeSet<&Connection> = first.keys().chain(second.keys()).collect();
    for key in keys {
        let (a, b) = (first.get(key).copied().unwrap_or(0), second.get(key).copied().unwrap_or(0));
        let parts = [
            (&mut out.shared, a.min(b)),
            (&mut out.first_only, a.saturating_sub(b)),
            (&mut out.second_only, b.saturating_sub(a)),
        ];
        for (to, count) in parts {
            if count > 0 {
                to.insert(key.clone(), count);
            }
        }
    }
    out
}

/// A modulus this little above 1 is one that rounding has moved.
const OUTSIDE: f64 = 1.0 + 1e-9;
/// A step in which no number changes by more than this share of one or the largest is none.
const AT_REST: f64 = 4.0 * f64::EPSILON;

/// Follows orbits from every saddle, over all threads.
///
/// * `points`: fixed points, `[state]` each; `known`: states of attracting cycles or circles that are known
/// * `scale`: the length that settings are in units of, usually [`median_norm`](crate::finder::median_norm)
/// * `ends`: how a cycle is told where an orbit has not arrived; its `settle` is not used
///
/// # Errors
/// [`crate::Error::Shape`] for a state of the wrong size, [`crate::Error::NotFinite`] for a Jacobian with NaN.
pub fn transitions(
    map: &dyn Dynamics,
    points: &[Vec<f64>],
    known: &[Vec<Vec<f64>>],
    scale: f64,
    settings: &Follow,
    ends: &Cycles,
    seed: u64,
) -> Result<Graph> {
    points.iter().chain(known.iter().flatten()).try_for_each(|state| map.check(state))?;
    let left: Vec<Leaving> = points
        .par_iter()
        .enumerate()
        .map(|(i, point)| directions(map, i, point, settings, seed))
        .collect::<Result<_>>()?;
    let nodes: Vec<Node> = points
        .iter()
        .zip(&left)
        .map(|(state, left)| Node { state: state.clone(), unstable: left.unstable })
        .collect();
    let mut along: Vec<usize> = left.iter().map(|left| left.along.len()).collect();
    let all: usize = along.iter().sum();
    fair(&mut along, settings.orbits);
    let starts: Vec<(usize, Direction, Vec<f64>)> = left
        .into_iter()
        .enumerate()
        .flat_map(|(i, left)| left.along.into_iter().take(along[i]).map(move |(d, v)| (i, d, v)))
        .map(|(i, d, v)| {
            let from = points[i].iter().zip(v).map(|(h, v)| h + settings.offset * scale * v);
            (i, d, from.collect())
        })
        .collect();
    let ends = Cycles { settle: 1, ..ends.clone() };
    let arrived = settings.arrived * scale;
    // Of a circle there are samples: an orbit that turns as they do may keep its distance from them for ever.
    let within = |states: &Vec<Vec<f64>>| match states.len() > ends.period {
        true => arrived.max(gaps(states)),
        false => arrived,
    };
    let known_within = known.iter().map(|states| (within(states), states)).collect();
    let walk = Walk { map, nodes: &nodes, known: known_within, settings, scale };
    let followed: Vec<(Edge, Option<Orbit>)> = starts
        .par_iter()
        .map(|(from, direction, start)| {
            let (mut edge, last) = walk.follow(*from, *direction, start);
            let orbit = last.map(|last| look(map, &last, &ends, seed, false)).transpose()?;
            if let Some(Orbit::Point(point)) = &orbit {
                edge.end = walk.arrived(point).unwrap_or(End::Unended);
            }
            Ok((edge, orbit))
        })
        .collect::<Result<_>>()?;
    let left_out = all - starts.len();
    let mut graph = Graph { points: nodes, cycles: known.to_vec(), edges: Vec::new(), left_out };
    let mut cycles: Vec<(usize, Cycle)> = Vec::new();
    for (mut edge, orbit) in followed {
        match orbit {
            Some(Orbit::Cycle(cycle)) => {
                let at = cycles.iter().find(|(_, c)| same(c, &cycle)).map(|(at, _)| *at);
                edge.end = End::Cycle(at.unwrap_or_else(|| {
                    graph.cycles.push(cycle.states.clone());
                    cycles.push((graph.cycles.len() - 1, cycle));
                    graph.cycles.len() - 1
                }));
            }
            Some(Orbit::Circle(circle)) => {
                // A known curve is near in all its states.
                let near = gaps(&circle.states);
                let given = |c: &Vec<Vec<f64>>| nearest(&circle.states, &c[0]) < near;
                let at = graph.cycles.iter().position(given);
                edge.end = End::Cycle(at.unwrap_or_else(|| {
                    graph.cycles.push(circle.states);
                    graph.cycles.len() - 1
                }));
            }
            Some(Orbit::Diverged) => edge.end = End::Diverged,
            _ => (),
        }
        graph.edges.push(edge);
    }
    Ok(graph)
}

/// Cuts the largest of some numbers until they add up to `most`, the last of equals first.
fn fair(counts: &mut [usize], most: usize) {
    let mut sum: usize = counts.iter().sum();
    while sum > most {
        let largest =
            (0..counts.len()).max_by_key(|&i| counts[i]).expect("they add up to something");
        counts[largest] -= 1;
        sum -= 1;
    }
}

/// How near to a sample of a closed curve the curve itself is taken to be: by so many mean gaps circles are told apart.
fn gaps(states: &[Vec<f64>]) -> f64 {
    let mut centre = vec![0.0; states[0].len()];
    for state in states {
        centre.iter_mut().zip(state).for_each(|(c, x)| *c += x / states.len() as f64);
    }
    let radius = states.iter().map(|s| distance(s, &centre)).fold(0.0, f64::max);
    16.0 * 2.0 * PI * radius / states.len() as f64
}

/// How a point is left.
struct Leaving {
    /// Modes that are unstable.
    unstable: usize,
    /// Unit directions in which they lead, `[state]` each.
    along: Vec<(Direction, Vec<f64>)>,
}

fn directions(
    map: &dyn Dynamics,
    number: usize,
    point: &[f64],
    settings: &Follow,
    seed: u64,
) -> Result<Leaving> {
    let modes = eigen(&map.jacobian(point))?;
    let unstable = modes.values.iter().take_while(|l| l.norm() > OUTSIDE).count();
    let mut found = Vec::new();
    let mut basis: Vec<Vec<f64>> = Vec::new();
    let turned = |mode: usize, phase: f64| -> Vec<f64> {
        let turn = Complex::from_polar(1.0, phase);
        unit(modes.right.column(mode).iter().map(|r| (r * turn).re).collect())
    };
    let mut mode = 0;
    while mode < unstable {
        let paired = modes.values[mode].im != 0.0 && mode + 1 < modes.values.len();
        let phases = if paired { settings.phases } else { 2 };
        for k in 0..phases {
            let phase = 2.0 * PI * k as f64 / phases as f64;
            found.push((Direction::Mode { mode, phase }, turned(mode, phase)));
        }
        basis.push(turned(mode, 0.0));
        if paired {
            basis.push(turned(mode, 0.5 * PI));
        }
        mode += 1 + paired as usize;
    }
    if unstable > 1 {
        // Directions are uniform in the span once its basis is orthonormal.
        let span = Matrix::from_fn(point.len(), basis.len(), |i, k| basis[k][i]).qr().q();
        let mut stream = seed::stream(seed, &format!("graph/{number}"));
        for k in 0..settings.drawn {
            let draw: Vec<f64> =
                (0..span.ncols()).map(|_| stream.sample::<f64, _>(StandardNormal)).collect();
            let v = (0..point.len()).map(|i| (0..draw.len()).map(|a| span[(i, a)] * draw[a]).sum());
            found.push((Direction::Drawn(k), unit(v.collect())));
        }
    }
    Ok(Leaving { unstable, along: found })
}

fn unit(v: Vec<f64>) -> Vec<f64> {
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.into_iter().map(|x| x / norm).collect()
}

/// What orbits are followed among.
struct Walk<'a> {
    map: &'a dyn Dynamics,
    nodes: &'a [Node],
    /// States of each cycle or circle, and how near to them an orbit has arrived.
    known: Vec<(f64, &'a Vec<Vec<f64>>)>,
    settings: &'a Follow,
    scale: f64,
}

impl Walk<'_> {
    /// The first of some points that a state is at.
    fn at(&self, h: &[f64], of: impl Fn(&Node) -> bool) -> Option<End> {
        let arrived = self.settings.arrived * self.scale;
        let here = |node: &Node| of(node) && distance(h, &node.state) < arrived;
        self.nodes.iter().position(here).map(End::Point)
    }

    /// What attracts, where an orbit has arrived at it.
    fn arrived(&self, h: &[f64]) -> Option<End> {
        let cycle = || self.known.iter().position(|(within, states)| nearest(states, h) < *within);
        self.at(h, |node| node.unstable == 0).or_else(|| cycle().map(End::Cycle))
    }

    /// One orbit; with its last state where it has not arrived.
    fn follow(&self, from: usize, direction: Direction, start: &[f64]) -> (Edge, Option<Vec<f64>>) {
        let saddles = self.nodes.iter().enumerate();
        let mut passes: Vec<Pass> = saddles
            .filter(|(i, node)| node.unstable > 0 && *i != from)
            .map(|(point, _)| Pass { point, distance: f64::INFINITY, step: 0 })
            .collect();
        let mut h = start.to_vec();
        let (mut steps, mut still) = (0, false);
        let end = loop {
            for pass in &mut passes {
                let distance = distance(&h, &self.nodes[pass.point].state);
                if distance < pass.distance {
                    (pass.distance, pass.step) = (distance, steps);
                }
            }
            if let Some(end) = self.arrived(&h) {
                break end;
            }
            if still {
                break self.at(&h, |_| true).unwrap_or(End::Unended);
            }
            if steps == self.settings.steps {
                break End::Unended;
            }
            let next = self.map.step(&h).as_slice().to_vec();
            if next.iter().any(|x| !x.is_finite()) {
                break End::Diverged;
            }
            let size = next.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
            still = next.iter().zip(&h).all(|(a, b)| (a - b).abs() <= AT_REST * size);
            (h, steps) = (next, steps + 1);
        };
        let near = self.settings.near * self.scale;
        passes.retain(|p| p.distance <= near && end != End::Point(p.point));
        passes.sort_by(|a, b| a.distance.total_cmp(&b.distance).then(a.point.cmp(&b.point)));
        let last = (end == End::Unended && !still).then_some(h);
        (Edge { from, direction, end, steps, passes }, last)
    }
}
