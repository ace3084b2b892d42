//! What leads where under a held input: attractors, cycles, and the orbits that leave saddles.

use crate::dynamics::cycles::{Circle, Cycle, Cycles, Orbit, ends, same, same_circle};
use crate::dynamics::graph::{End, Follow, Graph, transitions};
use crate::dynamics::{Continuation, Dynamics};
use crate::{Result, setting};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// How orbits are followed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transitions {
    /// Visited states from which the map is run under each held input, evenly spread; 0: none, and no cycle is looked for.
    #[serde(deserialize_with = "setting::whole::<_, 0, 100000>")]
    pub starts: usize,
    /// Saddles from which orbits are followed, those first found; the others are left out of the graph.
    #[serde(deserialize_with = "setting::whole::<_, 0, 100000>")]
    pub saddles: usize,
    /// How orbits leave saddles, and when they have arrived.
    pub follow: Follow,
    /// How cycles are told.
    pub cycles: Cycles,
}

impl Default for Transitions {
    fn default() -> Self {
        // Of eight octants around a saddle with three unstable modes, 64 directions miss one in 600.
        let follow = Follow { phases: 4, drawn: 64, ..Follow::default() };
        Self { starts: 4, saddles: 128, follow, cycles: Cycles::default() }
    }
}

/// How fixed points are followed from the first held input to the others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Curves {
    /// Fixed points of the first input that are followed, those first found; 0: none.
    #[serde(deserialize_with = "setting::whole::<_, 0, 100000>")]
    pub points: usize,
    /// Held inputs up to which each is moved to; of more, the last one alone.
    pub inputs: usize,
    /// How a curve is followed.
    pub follow: Continuation,
}

impl Default for Curves {
    fn default() -> Self {
        let follow = Continuation { steps: 400, ..Continuation::default() };
        Self { points: 4, inputs: 4, follow }
    }
}

/// A cycle or an invariant circle in which orbits from visited states end.
pub enum Closed {
    /// A cycle of a whole number of steps.
    Cycle(Cycle),
    /// A closed curve that an orbit fills.
    Circle(Circle),
}

impl Closed {
    /// Its states, in their order, `[state]` each.
    pub fn states(&self) -> &[Vec<f64>] {
        match self {
            Closed::Cycle(cycle) => &cycle.states,
            Closed::Circle(circle) => &circle.states,
        }
    }

    /// Mean angle of a step about the mean of its states, rad, from 0 to π; `None` where it goes round nothing.
    ///
    /// # Errors
    /// As [`Cycle::rotation`].
    pub fn rotation(&self) -> Result<Option<f64>> {
        match self {
            Closed::Cycle(cycle) => cycle.rotation(),
            Closed::Circle(circle) => Ok(Some(circle.rotation)),
        }
    }
}

/// How orbits from visited states end.
pub struct Ending {
    /// Cycles, then circles, each once, and the number of orbits that end in it.
    pub closed: Vec<(Closed, usize)>,
    /// Orbits that end at a fixed point, in a cycle, on a circle, in none of these, outside the numbers.
    pub counts: [usize; 5],
}

/// Runs the map from `settings.starts` of the visited states.
///
/// # Errors
/// As [`ends`].
pub fn ending(
    map: &dyn Dynamics,
    visited: &[&[f64]],
    settings: &Transitions,
    seed: u64,
) -> Result<Ending> {
    let every = visited.len().div_ceil(settings.starts.max(1)).max(1);
    let starts: Vec<&[f64]> =
        visited.iter().copied().step_by(every).take(settings.starts).collect();
    let found = ends(map, &starts, &settings.cycles, seed)?;
    let mut counts = [0; 5];
    for orbit in &found.orbits {
        counts[match orbit {
            Orbit::Point(_) => 0,
            Orbit::Cycle(_) => 1,
            Orbit::Circle(_) => 2,
            Orbit::Irregular(_) => 3,
            Orbit::Diverged => 4,
        }] += 1;
    }
    let count = |is: &dyn Fn(&Orbit) -> bool| found.orbits.iter().filter(|o| is(o)).count();
    let of_cycle = |c: &Cycle| count(&|o| matches!(o, Orbit::Cycle(own) if same(c, own)));
    let of_circle = |c: &Circle| count(&|o| matches!(o, Orbit::Circle(own) if same_circle(c, own)));
    let cycles = found.cycles.iter().map(|c| (Closed::Cycle(c.clone()), of_cycle(c)));
    let circles = found.circles.iter().map(|c| (Closed::Circle(c.clone()), of_circle(c)));
    Ok(Ending { closed: cycles.chain(circles).collect(), counts })
}

/// Orbits from the saddles among some fixed points, to these points and to the cycles that are known.
///
/// # Errors
/// As [`transitions`].
pub fn graph(
    map: &dyn Dynamics,
    points: &[Vec<f64>],
    known: &[&Closed],
    scale: f64,
    settings: &Transitions,
    seed: u64,
) -> Result<Graph> {
    let known: Vec<Vec<Vec<f64>>> = known.iter().map(|c| c.states().to_vec()).collect();
    transitions(map, points, &known, scale, &settings.follow, &settings.cycles, seed)
}

/// What a saddle's orbits reach: labels of the attractors, each once, and how many attractors those are.
pub fn reached(
    graph: &Graph,
    saddle: usize,
    label: impl Fn(&[Vec<f64>]) -> String,
) -> (BTreeSet<String>, usize) {
    let ends = graph.reaches(saddle);
    let attractors = ends.iter().filter(|e| matches!(e, End::Point(_) | End::Cycle(_))).count();
    let labels = ends.into_iter().map(|end| match end {
        End::Point(i) => label(std::slice::from_ref(&graph.points[i].state)),
        End::Cycle(i) => label(&graph.cycles[i]),
        End::Diverged => "diverged".into(),
        End::Unended => "unended".into(),
    });
    (labels.collect(), attractors)
}

/// An output this near to 0 is 0 that was rounded: the mean over a cycle that is as often above as below.
const ROUNDING: f64 = 1e-9;

/// Outputs by their signs, as `+−0`: what a memory of signs holds.
pub fn signs(outputs: &[f64]) -> String {
    let sign = |&y: &f64| match y {
        _ if y.abs() < ROUNDING => '0',
        _ if y > 0.0 => '+',
        _ => '−',
    };
    outputs.iter().map(sign).collect()
}

/// What outputs say of classes: the name of the largest, or of one output's sign; the signs where labels are no
/// classes.
///
/// * `names`: of the classes; empty for a score
pub fn answer(outputs: &[f64], names: &[String], lists: bool) -> String {
    match outputs {
        [one] if names.len() == 2 => names[(*one > 0.0) as usize].clone(),
        _ if lists || names.len() != outputs.len() => signs(outputs),
        _ => {
            let largest = (0..outputs.len()).max_by(|&a, &b| outputs[a].total_cmp(&outputs[b]));
            names[largest.expect("there are classes")].clone()
        }
    }
}

/// Share of the saddles that two networks do not have in common, each told by its unstable modes and by what it
/// reaches: 0 for networks that connect the same attractors by as many saddles, 1 for none in common. Two networks
/// without a saddle are told apart by their attractors alone, which [`crate::similarity::index_distance`] does.
///
/// * `a`, `b`: for each saddle, its number of unstable modes and what it reaches
pub fn graph_distance(a: &[(usize, String)], b: &[(usize, String)]) -> f64 {
    let count =
        |of: &[(usize, String)], key: &(usize, String)| of.iter().filter(|x| *x == key).count();
    let keys: BTreeSet<&(usize, String)> = a.iter().chain(b).collect();
    let (mut shared, mut all) = (0, 0);
    for key in keys {
        let (x, y) = (count(a, key), count(b, key));
        shared += x.min(y);
        all += x.max(y);
    }
    if all == 0 { 0.0 } else { 1.0 - shared as f64 / all as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    #[test]
    fn an_output_that_is_rounded_zero_has_no_sign() {
        // Half a turn apart: the mean over the cycle is 0 but for rounding, on whichever side.
        let mean =
            |phase: f64| (0..4).map(|k| (phase + 0.5 * PI * k as f64).cos()).sum::<f64>() / 4.0;
        assert!([0.1, 0.7, 1.3].iter().any(|phase| mean(*phase) != 0.0));
        for phase in [0.1, 0.7, 1.3] {
            assert_eq!(signs(&[mean(phase), 0.2, -0.2]), "0+−");
        }
    }

    #[test]
    fn graphs_that_share_two_of_four_saddles_are_half_apart() {
        let saddle = |k: usize, s: &str| (k, s.to_string());
        let a = [saddle(1, "+ | −"), saddle(1, "+ | −"), saddle(2, "+ | − | 0")];
        let b = [saddle(1, "+ | −"), saddle(2, "+ | − | 0"), saddle(1, "0 | −")];
        // Shared: one of the two first, and the second. Of either: two, one and one.
        assert_eq!(graph_distance(&a, &b), 0.5);
        assert_eq!(graph_distance(&a, &a), 0.0);
        assert_eq!(graph_distance(&a, &[]), 1.0);
    }
}
