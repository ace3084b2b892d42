use crate::maps::{Ring, bits, circulant, fixed_points, states};
use accrue_dynamics::graph::{Connection, Direction, Edge, End, Graph, Node, compare, transitions};
use accrue_dynamics::{Cycles, Dynamics, Follow};
use std::collections::{BTreeMap, BTreeSet};
use std::f64::consts::PI;

/// Signs of a state's entries: −, 0, +.
fn signs(state: &[f64]) -> String {
    let sign = |x: &f64| {
        if *x > 0.3 {
            '+'
        } else if *x < -0.3 {
            '-'
        } else {
            '0'
        }
    };
    state.iter().map(sign).collect()
}

/// Each unit is at 0 or at either zero of `tanh(g h) − h`: to the last bit, so that an orbit along a mode stays on it.
fn flip_flop(gain: f64, settings: &Follow) -> Graph {
    let map = bits(3, gain);
    let h = (0..1000).fold(0.9, |h: f64, _| (gain * h).tanh());
    let at = |k: usize| [0.0, h, -h][k];
    let points: Vec<Vec<f64>> =
        (0..27).map(|k| vec![at(k % 3), at(k / 3 % 3), at(k / 9)]).collect();
    transitions(&map, &points, &[], 1.0, settings, &Cycles::default(), 1).unwrap()
}

#[test]
fn the_transition_graph_of_three_bits_is_the_cube() {
    let graph = flip_flop(2.0, &Follow { drawn: 0, ..Follow::default() });
    // A point with k zeros is unstable in k directions: corners 0, edges 1, faces 2, the middle 3.
    for Node { state, unstable } in &graph.points {
        let zeros = signs(state).chars().filter(|c| *c == '0').count();
        assert_eq!(*unstable, zeros, "{state:?}");
    }
    assert_eq!(graph.attractors().count(), 8);
    // Along each unit that is off, both ways, to the point where it is on and all else as before.
    let mut leads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for edge in &graph.edges {
        let End::Point(to) = edge.end else { panic!("{edge:?} has no end") };
        let from = signs(&graph.points[edge.from].state);
        leads.entry(from).or_default().insert(signs(&graph.points[to].state));
    }
    assert_eq!(leads.len(), 19);
    for (from, to) in leads {
        let mut truth = BTreeSet::new();
        for (i, _) in from.char_indices().filter(|(_, c)| *c == '0') {
            for on in ["+", "-"] {
                let mut next = from.clone();
                next.replace_range(i..i + 1, on);
                truth.insert(next);
            }
        }
        assert_eq!(to, truth, "from {from}");
    }
    // In the end an edge reaches 2 corners, a face 4, the middle all 8.
    for (i, node) in graph.points.iter().enumerate().filter(|(_, n)| n.unstable > 0) {
        assert_eq!(graph.reaches(i).len(), 1 << node.unstable, "{:?}", node.state);
    }
}

#[test]
fn directions_between_modes_reach_the_corners_themselves_and_pass_saddles() {
    let graph = flip_flop(2.0, &Follow { drawn: 64, near: 0.3, ..Follow::default() });
    let (mut to_corners, mut passed) = (0, 0);
    for edge in graph.edges.iter().filter(|e| matches!(e.direction, Direction::Drawn(_))) {
        let from = signs(&graph.points[edge.from].state);
        let End::Point(to) = edge.end else { panic!("{edge:?} has no end") };
        let to = signs(&graph.points[to].state);
        assert!(!to.contains('0'), "{from} leads to {to}");
        // Units that are on stay on.
        assert!(from.chars().zip(to.chars()).all(|(a, b)| a == '0' || a == b), "{from} → {to}");
        to_corners += 1;
        for pass in &edge.passes {
            assert!(pass.distance <= 0.3 && pass.point != edge.from && pass.step <= edge.steps);
            passed += 1;
        }
        assert!(edge.passes.is_sorted_by(|a, b| a.distance <= b.distance));
    }
    assert_eq!(to_corners, 7 * 64, "six faces and the middle");
    assert!(passed > 0);
}

#[test]
fn graphs_agree_by_what_their_attractors_mean_not_by_where_they_are() {
    let label = |states: &[Vec<f64>]| signs(&states[0]);
    let (weak, strong) = (flip_flop(1.5, &Follow::default()), flip_flop(3.0, &Follow::default()));
    let (a, b) = (weak.connections(label), strong.connections(label));
    let same = compare(&a, &b);
    assert_eq!(same.similarity(), 1.0, "{same:?}");
    assert_eq!(same.shared.values().sum::<usize>(), 19);
    let edge = Connection { unstable: 1, reaches: ["+++", "++-"].map(String::from).into() };
    assert_eq!(same.shared.get(&edge), Some(&1));
    // Another reading of the outputs is another graph.
    let first_bit = |states: &[Vec<f64>]| signs(&states[0])[..1].to_string();
    assert!(compare(&a, &weak.connections(first_bit)).similarity() < 0.1);
    assert_eq!(compare(&BTreeMap::new(), &BTreeMap::new()).similarity(), 1.0);
    let counts =
        compare(&BTreeMap::from([(edge.clone(), 3)]), &BTreeMap::from([(edge.clone(), 1)]));
    assert_eq!((counts.similarity(), counts.first_only[&edge]), (1.0 / 3.0, 2));
}

#[test]
fn saddles_of_a_circulant_map_lead_to_both_attractors() {
    let map = circulant(4);
    let points = fixed_points(&map, &states(&map, 800, 1));
    assert_eq!(points.len(), 9);
    let graph =
        transitions(&map, &points, &[], 1.0, &Follow::default(), &Cycles::default(), 1).unwrap();
    assert_eq!(graph.count(End::Unended) + graph.count(End::Diverged), 0, "{:?}", graph.edges);
    assert_eq!(graph.attractors().count(), 2);
    let again =
        transitions(&map, &points, &[], 1.0, &Follow::default(), &Cycles::default(), 1).unwrap();
    assert_eq!(graph, again, "same seed, same bits");
    // The map is odd: from the origin the same number leads each way.
    let to: Vec<usize> = graph.attractors().map(|i| graph.count(End::Point(i))).collect();
    assert!(to.iter().all(|count| *count > 0), "{to:?}");
}

#[test]
fn orbits_that_end_in_cycles_on_circles_or_nowhere_are_counted() {
    let (settings, ends) = (Follow { steps: 500, ..Follow::default() }, Cycles::default());
    // Around the middle of a ring everything turns outward, as a complex pair.
    let middle = [vec![1e-12 * 0.3_f64.cos(), 1e-12 * 0.3_f64.sin()]];
    for (turn, lock, states) in [(2.0 * PI / 5.0, -0.02, 5), (2.0, 0.0, ends.window)] {
        let map = Ring { a: 0.25, turn, lock, k: 5.0 };
        let graph = transitions(&map, &middle, &[], 1.0, &settings, &ends, 1).unwrap();
        assert_eq!(graph.points[0].unstable, 2);
        assert_eq!(graph.edges.len(), settings.phases + settings.drawn);
        assert_eq!(graph.cycles.len(), 1, "turn {turn}: {:?}", graph.edges);
        assert_eq!(graph.cycles[0].len(), states);
        assert_eq!(graph.count(End::Cycle(0)), graph.edges.len());
        // A cycle that is known is reached by name.
        let known = [graph.cycles[0].clone()];
        let graph = transitions(&map, &middle, &known, 1.0, &settings, &ends, 1).unwrap();
        assert_eq!(graph.cycles.len(), 1);
        assert_eq!(graph.count(End::Cycle(0)), graph.edges.len());
        // 1.25 a step out from a thousandth, then .6 of the rest a step: some fifty steps to a circle, between its samples too.
        let last = graph.edges.iter().map(|e| e.steps).max().unwrap();
        assert!(states < ends.window || last <= 60, "{last}");
    }
    /// `h' = 2 h`.
    struct Doubling;
    impl Dynamics for Doubling {
        fn state_size(&self) -> usize {
            1
        }
        fn step(&self, h: &[f64]) -> accrue_numerics::linalg::Vector {
            accrue_numerics::linalg::Vector::from_element(1, 2.0 * h[0])
        }
        fn jacobian(&self, _: &[f64]) -> accrue_numerics::linalg::Matrix {
            accrue_numerics::linalg::Matrix::from_element(1, 1, 2.0)
        }
    }
    let far = Follow { steps: 5000, ..Follow::default() };
    let graph = transitions(&Doubling, &[vec![0.0]], &[], 1.0, &far, &ends, 1).unwrap();
    assert_eq!(graph.count(End::Diverged), 2);
    // An attractor that is not in the list is no known end.
    let map = bits(1, 2.0);
    let graph = transitions(&map, &[vec![0.0]], &[], 1.0, &settings, &ends, 1).unwrap();
    assert_eq!(graph.count(End::Unended), 2);
}

#[test]
fn every_setting_of_an_orbit_from_a_saddle_counts() {
    let usual = flip_flop(2.0, &Follow::default());
    let with = |follow: Follow| flip_flop(2.0, &follow);
    let steps = |graph: &Graph| graph.edges.iter().map(|e| e.steps).sum::<usize>();
    let passes = |graph: &Graph| graph.edges.iter().map(|e| e.passes.len()).sum::<usize>();
    assert!(steps(&with(Follow { offset: 1e-2, ..Follow::default() })) < steps(&usual));
    assert!(steps(&with(Follow { arrived: 1e-2, ..Follow::default() })) < steps(&usual));
    assert!(passes(&with(Follow { near: 0.5, ..Follow::default() })) > passes(&usual));
    assert_eq!(
        with(Follow { drawn: 3, ..Follow::default() }).edges.len(),
        12 * 2 + 6 * (4 + 3) + 6 + 3
    );
    // Of 12 · 2 + 6 · (4 + 16) + 6 + 16 orbits: the middle and the faces keep as many as are left when edges have their two.
    let few = with(Follow { orbits: 66, ..Follow::default() });
    let mut of: Vec<usize> =
        (0..27).map(|i| few.edges.iter().filter(|e| e.from == i).count()).collect();
    of.sort_unstable();
    assert_eq!((of[8..20].to_vec(), of[20..].to_vec()), (vec![2; 12], vec![6; 7]));
    assert_eq!((few.edges.len(), few.left_out, usual.left_out), (66, 166 - 66, 0));
    // Modes come before what is drawn.
    assert!(few.edges.iter().all(|e| usual.edges.contains(e)));
    let drawn = |graph: &Graph| {
        let is = |e: &&Edge| matches!(e.direction, Direction::Drawn(_));
        graph.edges.iter().filter(is).count()
    };
    assert_eq!((drawn(&few), drawn(&usual)), (12, 7 * 16));
    let short = with(Follow { steps: 2, ..Follow::default() });
    assert!(short.edges.iter().all(|e| e.steps <= 2));
    let map = Ring { a: 0.25, turn: 2.0, lock: 0.0, k: 1.0 };
    let middle = [vec![1e-12, 0.0]];
    for phases in [3, 5] {
        let settings = Follow { phases, drawn: 0, steps: 100, ..Follow::default() };
        let graph = transitions(&map, &middle, &[], 1.0, &settings, &Cycles::default(), 1).unwrap();
        assert_eq!(graph.edges.len(), phases);
    }
}
