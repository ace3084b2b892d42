//! Jacobians, the finder, selection and proofs against planted systems.

use accrue::dynamics::certificate::certify;
use accrue::dynamics::finder::{median_norm, search};
use accrue::dynamics::impulse::Impulse;
use accrue::dynamics::linearise::Linearisation;
use accrue::dynamics::lyapunov;
use accrue::dynamics::manifold;
use accrue::dynamics::piecewise_linear::PiecewiseLinear;
use accrue::dynamics::select::{Selection, select};
use accrue::dynamics::{Dynamics, Finder, Map, SearchResult, Stop};
use accrue::geometry::{Pca, participation_ratio};
use accrue::linalg::{Complex, Matrix, eigen, eigenvalues};
use accrue::model::Inputs;
use accrue::ops::{Cell, CellKind};
use accrue::seed;
use rand::Rng;

const CELLS: [CellKind; 11] = CellKind::ALL;

pub fn random_cell(kind: CellKind, units: usize, inputs: usize, seed: u64) -> Cell {
    let mut stream = seed::stream(seed, "tests/cell");
    let width = 1.5 / (units as f64).sqrt();
    let mut draw = |n: usize| (0..n).map(|_| stream.random_range(-width..width)).collect();
    let rows = kind.gates() * units;
    Cell {
        kind,
        units,
        inputs,
        input_weights: draw(rows * inputs),
        recurrent_weights: draw(rows * units),
        input_bias: draw(rows),
        recurrent_bias: draw(rows),
    }
}

/// `h' = tanh(gain · h)`, unit by unit.
pub fn separate(units: usize, gain: f64) -> Cell {
    let mut weights = vec![0.0; units * units];
    (0..units).for_each(|i| weights[i * units + i] = gain);
    Cell {
        kind: CellKind::Vanilla,
        units,
        inputs: 1,
        input_weights: vec![0.0; units],
        recurrent_weights: weights,
        input_bias: vec![0.0; units],
        recurrent_bias: vec![0.0; units],
    }
}

pub fn states(count: usize, size: usize, width: f64, seed: u64) -> Vec<Vec<f64>> {
    let mut stream = seed::stream(seed, "tests/states");
    (0..count).map(|_| (0..size).map(|_| stream.random_range(-width..width)).collect()).collect()
}

fn find(map: &dyn Dynamics, initial_states: &[Vec<f64>], finder: &Finder) -> Vec<SearchResult> {
    let scale = median_norm(initial_states.iter().map(Vec::as_slice));
    let mut found = Vec::new();
    search(map, initial_states.iter().map(Vec::as_slice), scale, finder, |d| {
        found.push(d);
        Ok(())
    })
    .unwrap();
    found
}

/// States that converged, thinned.
fn kept(found: &[SearchResult], unique: f64) -> Vec<Vec<f64>> {
    let points: Vec<(&[f64], f64)> = found
        .iter()
        .filter(|d| d.stop == Stop::Converged)
        .map(|d| (d.last.state.as_slice(), d.last.speed))
        .collect();
    let selection = Selection { unique, outlier: 0.0 };
    select(&points, 1.0, &selection).into_iter().map(|i| points[i].0.to_vec()).collect()
}

#[test]
fn a_network_that_is_silent_half_of_the_time_has_a_length_of_its_own() {
    let norm = |states: &[[f64; 2]]| median_norm(states.iter().map(|s| &s[..]));
    assert_eq!(norm(&[[3.0, 4.0], [0.0, 1.0], [0.0, 2.0]]), 2.0);
    assert_eq!(norm(&[[0.0; 2], [0.0; 2], [3.0, 4.0]]), 5.0);
    assert_eq!((norm(&[[0.0; 2]]), norm(&[])), (1.0, 1.0));
}

#[test]
fn jacobians_agree_with_central_differences() {
    const STEP: f64 = 1e-5;
    for kind in CELLS {
        for (units, inputs) in [(1, 1), (7, 3)] {
            let cell = random_cell(kind, units, inputs, 3);
            let x = &states(1, inputs, 1.0, 4)[0];
            let h = &states(1, cell.state_size(), 0.9, 5)[0];
            let map = Map::new(&cell, x).unwrap();
            let (analytic, by_input) = (map.jacobian(h), map.input_jacobian(h));
            let size = analytic.norm().max(1.0);
            for j in 0..h.len() {
                let moved = |by: f64| {
                    let mut h = h.clone();
                    h[j] += by;
                    map.step(&h)
                };
                let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                assert!((slope - analytic.column(j)).norm() < 1e-6 * size, "{kind:?} ∂h_{j}");
            }
            for j in 0..inputs {
                let moved = |by: f64| {
                    let mut x = x.clone();
                    x[j] += by;
                    Map::new(&cell, &x).unwrap().step(h)
                };
                let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
                assert!((slope - by_input.column(j)).norm() < 1e-6 * size, "{kind:?} ∂x_{j}");
            }
        }
    }
}

#[test]
fn a_contraction_has_the_origin_alone() {
    let map = Map::new(&separate(5, 0.5), &[0.0]).unwrap();
    let finder = Finder { tolerances: vec![1e-20], max_distance: 10.0, ..Finder::default() };
    let found = find(&map, &states(50, 5, 1.0, 1), &finder);
    assert!(found.iter().all(|d| d.stop == Stop::Converged));
    let kept = kept(&found, 1e-6);
    assert_eq!(kept.len(), 1);
    assert!(kept[0].iter().all(|x| x.abs() < 1e-9));
}

#[test]
fn a_three_bit_flip_flop_has_eight_attractors_and_nineteen_saddles() {
    let map = Map::new(&separate(3, 2.0), &[0.0]).unwrap();
    let finder = Finder { tolerances: vec![1e-20], max_distance: 10.0, steps: 200 };
    let initial_states = states(2000, 3, 1.2, 2);
    let found = find(&map, &initial_states, &finder);
    for d in &found {
        assert!((map.speed(&d.last.state) - d.last.speed).abs() < 1e-25, "q is that of the point");
    }
    let points = kept(&found, 1e-4);
    assert_eq!(points.len(), 27);
    let stable: Vec<bool> =
        points.iter().map(|p| eigenvalues(&map.jacobian(p)).unwrap()[0].norm() < 1.0).collect();
    assert_eq!(stable.iter().filter(|s| **s).count(), 8);
    for (p, stable) in points.iter().zip(stable) {
        let proof = certify(&map, p).unwrap();
        assert!(proof.exists(), "a hyperbolic fixed point is proved");
        assert!(proof.radius.unwrap() < 1e-6);
        assert_eq!(proof.is_stable(), stable, "stability is proved where it holds, only there");
    }
    // The order of the states changes nothing.
    let mut reversed = initial_states.clone();
    reversed.reverse();
    assert_eq!(kept(&find(&map, &reversed, &finder), 1e-4).len(), 27);
}

#[test]
fn nothing_is_proved_where_there_is_no_fixed_point() {
    // h' = tanh(h + 2): the only fixed point is near 1, far from these states.
    let mut cell = separate(1, 1.0);
    cell.input_bias[0] = 2.0;
    let map = Map::new(&cell, &[0.0]).unwrap();
    // A line attractor's neutral direction: h' = tanh(h) at 0 has λ = 1, degenerate.
    let marginal = Map::new(&separate(1, 1.0), &[0.0]).unwrap();
    assert!(!certify(&marginal, &[0.0]).unwrap().exists());
    // Near the true one it is proved, and the radius covers it.
    let proof = certify(&map, &[0.99]).unwrap();
    let truth = (0..200).fold(0.99_f64, |h, _| (h + 2.0).tanh());
    assert!((truth - 0.99).abs() <= proof.radius.unwrap());
}

#[test]
fn every_cell_has_proofs_that_hold() {
    for kind in CELLS {
        let mut cell = random_cell(kind, 6, 2, 11);
        cell.recurrent_weights.iter_mut().for_each(|w| *w *= 0.3);
        let map = Map::new(&cell, &[0.1, -0.2]).unwrap();
        // Contracting cells: iterate to the fixed point by themselves.
        let mut h = vec![0.0; cell.state_size()];
        (0..3000).for_each(|_| h = map.step(&h).as_slice().to_vec());
        let e = eigen(&map.jacobian(&h)).unwrap();
        let proof = certify(&map, &h).unwrap();
        assert!(proof.exists(), "{kind:?}");
        assert!(proof.is_stable(), "{kind:?}: bound {:?}", proof.spectral_bound);
        assert!(proof.spectral_bound.unwrap() >= e.values[0].norm() - 1e-12);
    }
}

#[test]
fn the_distance_allowed_keeps_the_search_local() {
    let map = Map::new(&separate(2, 0.5), &[0.0]).unwrap();
    let finder = Finder { tolerances: vec![1e-12], max_distance: 0.1, ..Finder::default() };
    let initial_states = states(20, 2, 1.0, 8);
    let scale = median_norm(initial_states.iter().map(Vec::as_slice));
    for d in find(&map, &initial_states, &finder) {
        assert!(d.last.distance_from_init <= 0.1 * scale);
        let norm = initial_states[d.initial_state].iter().map(|x| x * x).sum::<f64>().sqrt();
        assert_eq!(d.stop == Stop::TooFar, norm > 0.1 * scale);
    }
}

/// One unit forgets in a hundred tokens, one at once. A whole step ends at the origin, out of reach; points as
/// slow as asked (`q = ½ (h/100)²`, so `|h| < .775`) are nearer.
#[test]
fn a_slow_point_within_reach_is_found_where_a_whole_step_leaves() {
    let mut cell = separate(2, 0.0);
    cell.kind = CellKind::Linear;
    (cell.recurrent_weights[0], cell.recurrent_weights[3]) = (0.99, 0.3);
    let map = Map::new(&cell, &[0.0]).unwrap();
    let initial_states: Vec<Vec<f64>> = [1.0, -1.0].into_iter().map(|h| vec![h, 0.2]).collect();
    let finder = Finder { tolerances: vec![3e-5, 1e-8], max_distance: 0.4, ..Finder::default() };
    for d in find(&map, &initial_states, &finder) {
        let point = d.reached[0].as_ref().expect("there is one within reach");
        let (slow, fast) = (point.state[0].abs(), point.state[1].abs());
        assert!(slow < 0.775 && slow > 0.6 && fast < 0.02, "{:?}", point.state);
        assert!(map.speed(&point.state) < 3e-5);
        assert!(d.reached[1].is_none());
        assert_eq!(d.stop, Stop::TooFar);
    }
}

#[test]
fn a_planted_line_stays_a_line() {
    let points: Vec<Vec<f64>> = (0..1000).map(|i| vec![i as f64 / 999.0, 0.0]).collect();
    let with_speed: Vec<(&[f64], f64)> = points.iter().map(|p| (p.as_slice(), 0.0)).collect();
    let kept = select(&with_speed, 1.0, &Selection { unique: 0.01, outlier: 0.05 });
    // Neighbours just above 0.01 apart: about 100 of a line of length 1.
    assert!((90..=101).contains(&kept.len()), "{}", kept.len());
    let far = kept.iter().any(|&i| points[i][0] > 0.98);
    assert!(far, "the far end is kept");
}

#[test]
fn the_index_of_places_changes_nothing() {
    // Against the definition, word for word, on a cloud with ties and doubles.
    let mut points = states(400, 3, 1.0, 11);
    points.extend(states(100, 3, 1.0, 11));
    points.push(vec![3.0, 0.0, 0.0]);
    let speeds: Vec<f64> = (0..points.len()).map(|i| (i % 7) as f64).collect();
    let given: Vec<(&[f64], f64)> =
        points.iter().map(Vec::as_slice).zip(speeds.iter().copied()).collect();
    let apart = |i: usize, j: usize| {
        let square = points[i].iter().zip(&points[j]).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        square.sqrt()
    };
    for (unique, outlier) in [(0.0, 0.0), (0.2, 0.0), (0.3, 0.35), (5.0, 0.0)] {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&i, &j| {
            let by_place = points[i].partial_cmp(&points[j]).unwrap();
            speeds[i].total_cmp(&speeds[j]).then(by_place)
        });
        let mut truth: Vec<usize> = Vec::new();
        for c in order {
            if truth.iter().all(|&k| apart(k, c) > unique) {
                truth.push(c);
            }
        }
        if outlier > 0.0 {
            let all = truth.clone();
            truth.retain(|&i| all.iter().any(|&j| j != i && apart(i, j) <= outlier));
        }
        assert_eq!(select(&given, 1.0, &Selection { unique, outlier }), truth, "{unique}");
    }
}

#[test]
fn impossible_input_is_a_clear_error() {
    let mut cell = separate(2, 0.5);
    assert!(Map::new(&cell, &[0.0, 0.0]).is_err(), "input of the wrong size");
    let map = Map::new(&cell, &[0.0]).unwrap();
    assert!(map.check(&[0.0]).is_err(), "state of the wrong size");
    let state = [f64::NAN, 0.0];
    let message = search(&map, [&state[..]], 1.0, &Finder::default(), |_| Ok(())).unwrap_err();
    assert!(message.to_string().contains("initial state 0"));
    assert!(search(&map, [], 1.0, &Finder::default(), |_| Ok(())).is_ok(), "no states: nothing");
    cell.recurrent_weights[1] = f64::INFINITY;
    assert!(Map::new(&cell, &[0.0]).unwrap_err().to_string().contains("recurrent weights"));
}

#[test]
fn the_distance_allowed_is_read_by_its_former_name_too() {
    let read = |text: &str| serde_json::from_str::<Finder>(text);
    let expected = Finder { max_distance: 0.3, ..Finder::default() };
    assert_eq!(read(r#"{"reach": 0.3}"#).unwrap(), expected);
    assert_eq!(read(r#"{"max_distance": 0.3}"#).unwrap(), expected);
    assert!(read(r#"{"max_distance": 0.0}"#).is_err());
}

/// A cell of `references/precise.py`; numbers as nearest f64 and what is left over.
#[derive(serde::Deserialize)]
struct Precise {
    kind: CellKind,
    units: usize,
    inputs: usize,
    a: Vec<f64>,
    w: Vec<f64>,
    b_ih: Vec<f64>,
    b_hh: Vec<f64>,
    x: Vec<f64>,
    state: Vec<f64>,
    next: Vec<(f64, f64)>,
    jacobian: Vec<Vec<(f64, f64)>>,
}

#[test]
fn rounding_errors_are_within_their_bounds_and_the_bounds_are_tight() {
    let cells: Vec<Precise> =
        serde_json::from_str(include_str!("references/precise.json")).unwrap();
    for p in cells {
        let cell = Cell {
            kind: p.kind,
            units: p.units,
            inputs: p.inputs,
            input_weights: p.a,
            recurrent_weights: p.w,
            input_bias: p.b_ih,
            recurrent_bias: p.b_hh,
        };
        let map = Map::new(&cell, &p.x).unwrap();
        let (next, jacobian) = map.step_and_jacobian(&p.state);
        let bounds = map.rounding(&p.state).expect("a cell bounds them");
        let error = |found: f64, exact: (f64, f64)| ((found - exact.0) - exact.1).abs();
        for i in 0..p.next.len() {
            let step = error(next[i], p.next[i]);
            let row: f64 =
                (0..p.next.len()).map(|j| error(jacobian[(i, j)], p.jacobian[i][j])).sum();
            let (of_step, of_row) = (bounds.step[i], bounds.jacobian[i]);
            assert!(step <= of_step, "{:?} F_{i}: {step:e} > {of_step:e}", p.kind);
            assert!(row <= of_row, "{:?} J row {i}: {row:e} > {of_row:e}", p.kind);
            // Some hundred roundings, no more: loose bounds prove nothing.
            assert!(of_step < 1e-13 && of_row < 1e-11, "{:?}: {of_step:e}, {of_row:e}", p.kind);
        }
    }
}

/// `h' = W h + b` where no sum is negative: a ReLU cell that is linear here.
fn drifting() -> Map {
    let mut cell = separate(2, 0.0);
    cell.kind = CellKind::VanillaRelu;
    // The first unit drifts by 0.01 a token; the second follows half of it.
    cell.recurrent_weights = vec![1.0, 0.0, 0.5, 0.2];
    cell.input_bias = vec![0.01, 0.0];
    Map::new(&cell, &[0.0]).unwrap()
}

#[test]
fn a_state_comes_onto_the_slow_manifold_without_sliding_along_it() {
    // By hand: r_s ∝ (1, .625), and F(h) − h must be parallel to it, so that
    // .5 h₁ − .8 h₂ = .00625.
    let found = manifold::project(&drifting(), &[2.0, 0.3], 1, 20).unwrap();
    assert!((found.state[0] - 2.0).abs() < 1e-12);
    assert!((found.state[1] - (1.0 - 0.00625) / 0.8).abs() < 1e-12);
    assert!((found.drift - 0.01 * (1.0 + 0.625_f64.powi(2)).sqrt()).abs() < 1e-12);
    assert!(found.off < 1e-12);
    // With nothing held back it is Newton's method, and there is no fixed point to find.
    assert!(manifold::project(&drifting(), &[2.0, 0.3], 0, 20).unwrap().off > 1e-3);
    assert!(manifold::project(&drifting(), &[2.0], 1, 20).is_err());
    assert!(manifold::project(&drifting(), &[2.0, 0.3], 3, 20).is_err());
}

#[test]
fn a_fixed_point_between_kinks_is_proved_however_near_they_are_and_one_on_a_kink_never() {
    let of = |bias: f64| {
        let mut cell = separate(2, 0.0);
        cell.kind = CellKind::VanillaRelu;
        // h₁' = .5 h₁ + .1, fixed at .2; h₂' = max(0, 3 h₂ + b), fixed at −b/2 while that is above 0.
        cell.recurrent_weights = vec![0.5, 0.0, 0.0, 3.0];
        cell.input_bias = vec![0.1, bias];
        Map::new(&cell, &[0.0]).unwrap()
    };
    for near in [1e-1, 1e-3, 1e-6] {
        let found = certify(&of(-near), &[0.2, near / 2.0]).unwrap();
        assert!(found.radius.is_some_and(|r| r < 1e-12), "{near}: {found:?}");
        assert_eq!((found.unstable_modes, found.index), (Some(1), Some(-1)), "{near}");
        // Below the kink the second unit is shut: a stable point.
        let shut = certify(&of(-near), &[0.2, 0.0]).unwrap();
        assert!(shut.is_stable() && shut.index == Some(1), "{near}: {shut:?}");
        // The proof tells the two from each other.
        assert!(found.alone_within.is_some_and(|r| r < near / 2.0), "{near}: {found:?}");
    }
    assert!(!certify(&of(0.0), &[0.2, 0.0]).unwrap().exists(), "two pieces meet there");
}

#[test]
fn linear_pieces_are_exact_at_their_points_and_off_by_the_square_nearby() {
    let cell = random_cell(CellKind::Gru, 6, 3, 21);
    let (held, input) = ([0.1, -0.2, 0.3], [0.1, 0.1, 0.3]);
    let map = Map::new(&cell, &held).unwrap();
    let points = states(4, 6, 0.5, 22);
    let views: Vec<&[f64]> = points.iter().map(Vec::as_slice).collect();
    let pieces = PiecewiseLinear::of(&map, &views).unwrap();
    let error = |scale: f64| -> f64 {
        let h: Vec<f64> = points[2].iter().map(|x| x + 0.1 * scale).collect();
        let x: Vec<f64> = (0..3).map(|k| held[k] + scale * (input[k] - held[k])).collect();
        let (nearest, far) = pieces.nearest(&h);
        assert!(nearest == 2 && (far - 0.1 * scale * 6.0_f64.sqrt()).abs() < 1e-12);
        (pieces.step(2, &h, &x) - map.with_input(&x).unwrap().step(&h)).norm()
    };
    assert!(error(0.0) < 1e-15);
    let ratio = error(0.1) / error(0.05);
    assert!((ratio - 4.0).abs() < 0.3, "second order: {ratio}");
}

/// `h' = M h` scaled by a ReLU pair for each sign would be needed for a true ring;
/// tanh units in pairs turned by 30 degrees with gain 1.5 make a limit cycle.
#[test]
fn a_limit_cycle_has_no_fixed_point_but_the_one_it_turns_around() {
    let (sin, cos) = (30.0_f64.to_radians().sin(), 30.0_f64.to_radians().cos());
    let mut cell = separate(2, 0.0);
    cell.recurrent_weights = vec![1.5 * cos, -1.5 * sin, 1.5 * sin, 1.5 * cos];
    let map = Map::new(&cell, &[0.0]).unwrap();
    let mut h = vec![0.9, 0.0];
    let initial_states: Vec<Vec<f64>> = (0..60)
        .map(|_| {
            h = map.step(&h).as_slice().to_vec();
            h.clone()
        })
        .collect();
    let speed = initial_states.iter().map(|s| map.speed(s)).fold(f64::INFINITY, f64::min);
    assert!(speed > 1e-2, "states on the cycle never stand still: {speed}");
    // A search that must stay near finds nothing; one that may go far, the centre.
    let near = Finder { tolerances: vec![1e-12], max_distance: 0.3, ..Finder::default() };
    assert!(find(&map, &initial_states, &near).iter().all(|d| d.reached[0].is_none()));
    let far = Finder { tolerances: vec![1e-12], max_distance: 10.0, ..Finder::default() };
    let found = kept(&find(&map, &initial_states, &far), 1e-4);
    assert_eq!(found.len(), 1);
    assert!(found[0].iter().all(|x| x.abs() < 1e-5));
    let proof = certify(&map, &found[0]).unwrap();
    assert!(proof.exists() && !proof.is_stable());
}

/// A plane attractor: two units that keep what they are given, two that forget.
#[test]
fn a_planted_plane_stays_a_plane() {
    let mut cell = separate(4, 0.0);
    cell.kind = CellKind::Linear;
    for (i, keep) in [1.0, 1.0, 0.3, 0.5].into_iter().enumerate() {
        cell.recurrent_weights[i * 4 + i] = keep;
    }
    let map = Map::new(&cell, &[0.0]).unwrap();
    let initial_states = states(300, 4, 1.0, 31);
    let finder = Finder { tolerances: vec![1e-12], max_distance: 10.0, ..Finder::default() };
    let found = kept(&find(&map, &initial_states, &finder), 1e-3);
    assert!(found.len() > 200, "{}", found.len());
    let points = Matrix::from_fn(found.len(), 4, |i, j| found[i][j]);
    let spectrum = Pca::of(&points).unwrap().variances;
    assert!((participation_ratio(&spectrum) - 2.0).abs() < 0.1, "{spectrum:?}");
    assert!(points.column(2).amax() < 1e-5 && points.column(3).amax() < 1e-5);
    // The search does not slide: along the plane each point is where its search began.
    for d in find(&map, &initial_states, &finder) {
        let point = &d.reached[0].as_ref().unwrap().state;
        let start = &initial_states[d.initial_state];
        assert!((point[0] - start[0]).abs() < 1e-9 && (point[1] - start[1]).abs() < 1e-9);
    }
    // Not isolated: nothing is proved, rightly.
    assert!(found.iter().take(5).all(|p| !certify(&map, p).unwrap().exists()));
}

/// `h' = tanh(W h)` with `W_ij = (2 g/n) cos(θ_i − θ_j)`, `θ_i` evenly round the circle:
/// where `g > 1`, states `tanh(g a cos(θ_i − φ))` stand still for every direction `φ`,
/// exactly for `n` of them and to rounding in between.
fn ring(units: usize, gain: f64) -> Cell {
    let angle = |i: usize| i as f64 / units as f64 * std::f64::consts::TAU;
    let mut cell = separate(units, 0.0);
    for i in 0..units {
        for j in 0..units {
            let share = 2.0 * gain / units as f64;
            cell.recurrent_weights[i * units + j] = share * (angle(i) - angle(j)).cos();
        }
    }
    cell
}

#[test]
fn a_planted_ring_stays_a_ring() {
    const UNITS: usize = 48;
    let map = Map::new(&ring(UNITS, 1.5), &[0.0]).unwrap();
    let finder = Finder { tolerances: vec![1e-12], ..Finder::default() };
    // States near the ring, as a network in use visits them.
    let mut stream = seed::stream(3, "tests/ring");
    let initial_states: Vec<Vec<f64>> = (0..300)
        .map(|_| {
            let (turn, far) =
                (stream.random_range(0.0..std::f64::consts::TAU), stream.random_range(0.75..1.1));
            let angle = |i: usize| i as f64 / UNITS as f64 * std::f64::consts::TAU;
            (0..UNITS)
                .map(|i| far * (angle(i) - turn).cos() + stream.random_range(-0.05..0.05))
                .collect()
        })
        .collect();
    let found = find(&map, &initial_states, &finder);
    let points: Vec<Vec<f64>> =
        found.iter().filter_map(|d| Some(d.reached[0].as_ref()?.state.clone())).collect();
    // A state's direction and length in the plane of the ring.
    let place = |h: &[f64]| {
        let angle = |i: usize| i as f64 / UNITS as f64 * std::f64::consts::TAU;
        let sum = |f: fn(f64) -> f64| (0..UNITS).map(|i| h[i] * f(angle(i))).sum::<f64>();
        let (x, y) = (sum(f64::cos), sum(f64::sin));
        (y.atan2(x), 2.0 * x.hypot(y) / UNITS as f64)
    };
    // The radius from its own equation: a = (2/n) Σ tanh(g a cos θ) cos θ.
    let angles = (0..UNITS).map(|i| (i as f64 / UNITS as f64 * std::f64::consts::TAU).cos());
    let cosines: Vec<f64> = angles.collect();
    let next =
        |a: f64| cosines.iter().map(|c| (1.5 * a * c).tanh() * c).sum::<f64>() * 2.0 / UNITS as f64;
    let radius = (0..500).fold(1.0, |a, _| next(a));
    let on: Vec<(f64, f64)> = points.iter().map(|h| place(h)).filter(|p| p.1 > 0.1).collect();
    assert!(on.len() > 250, "{} of 300 on the ring", on.len());
    assert!(on.iter().all(|p| (p.1 - radius).abs() < 1e-4), "all at the radius {radius}");
    // Searches do not slide along the ring: every direction is kept.
    let sectors: std::collections::BTreeSet<i64> =
        on.iter().map(|p| (p.0 / std::f64::consts::TAU * 12.0).floor() as i64).collect();
    assert_eq!(sectors.len(), 12, "{sectors:?}");
    // One neutral direction, along the ring; across it states return. No proof of a
    // single point: it is not alone.
    let point = points.iter().find(|h| place(h).1 > 0.1).unwrap();
    let e = eigen(&map.jacobian(point)).unwrap();
    assert!((e.values[0].norm() - 1.0).abs() < 1e-5, "{}", e.values[0]);
    assert!(e.values[1].norm() < 0.9, "{}", e.values[1]);
    assert!(!certify(&map, point).unwrap().exists());
}

#[test]
fn what_a_word_leaves_behind_is_the_sum_over_modes_and_exact_where_the_map_is_linear() {
    // A linear cell: the map's two paths and the modes' sum are the same numbers.
    let cell = random_cell(CellKind::Linear, 6, 3, 5);
    let map = Map::new(&cell, &[0.1, -0.2, 0.3]).unwrap();
    let near = Linearisation::at(&map, &[0.0; 6], None).unwrap();
    let (w, word) = ([1.0, 0.5, -1.0, 0.2, 0.0, 0.3], [1.0, 2.0, -1.0]);
    let impulse = Impulse::of(&map, &near, &w, &word, 12).unwrap();
    for k in 0..=12 {
        let (a, b) = (impulse.map[k], impulse.linear[k]);
        assert!((a - b).abs() < 1e-12 * a.abs().max(1.0), "{k}: {a} {b}");
    }
    // By hand: two units that forget by half and by a tenth, one input into both.
    let mut cell = separate(2, 0.0);
    cell.kind = CellKind::Linear;
    cell.recurrent_weights = vec![0.5, 0.0, 0.0, 0.1];
    cell.input_weights = vec![1.0, 3.0];
    let map = Map::new(&cell, &[0.0]).unwrap();
    let near = Linearisation::at(&map, &[0.0; 2], None).unwrap();
    let impulse = Impulse::of(&map, &near, &[1.0, 1.0], &[2.0], 3).unwrap();
    for k in 0..=3 {
        let (slow, fast) = (2.0 * 0.5f64.powi(k), 6.0 * 0.1f64.powi(k));
        assert!((impulse.linear[k as usize] - slow - fast).abs() < 1e-12);
        assert!((impulse.slow[k as usize] - slow).abs() < 1e-12);
    }
    assert!(Impulse::of(&map, &near, &[1.0, 1.0], &[2.0, 0.0], 3).is_err(), "input of wrong size");
}

/// Through its only pair of modes a plane that turns hands on all that enters, with a sign.
#[test]
fn a_slow_mode_that_turns_is_seen_from_the_readout() {
    let (shrinks, angle) = (0.97_f64, 0.3_f64);
    let (c, s) = (shrinks * angle.cos(), shrinks * angle.sin());
    let mut cell = separate(2, 0.0);
    cell.kind = CellKind::Linear;
    cell.recurrent_weights = vec![c, -s, s, c];
    cell.input_weights = vec![1.0, 3.0];
    let map = Map::new(&cell, &[0.0]).unwrap();
    for w in [[1.0, 0.0], [-0.3, 2.0], [-1.0, -1.0]] {
        let near = Linearisation::at(&map, &[0.0; 2], Some(&w)).unwrap();
        let along: Complex = near.eigen.right.column(0).iter().zip(&w).map(|(r, w)| r * *w).sum();
        assert!(along.im.abs() < 1e-12 && along.re > 0.0, "{along}");
        for v in [[1.0, 0.0], [0.2, -1.0], [-3.0, 0.5]] {
            let (first, second) = (near.selected(0, &v), near.selected(1, &v));
            let added = w[0] * v[0] + w[1] * v[1];
            assert!((2.0 * along.re * first.re - added).abs() < 1e-12, "{w:?} {v:?}");
            assert!((first - second.conj()).norm() < 1e-12);
        }
    }
}

/// A linear cell with a triangular matrix shrinks by its diagonal, whatever it reads; a gated one that
/// reads one word for ever by the eigenvalues of where it comes to rest.
#[test]
fn lyapunov_exponents_are_those_of_known_systems() {
    let (units, inputs) = (5, Inputs::new(3, None));
    let mut linear = random_cell(CellKind::Linear, units, 3, 2);
    let rates = [0.98, -0.9, 0.6, 0.3, 0.1];
    for (i, row) in linear.recurrent_weights.chunks_mut(units).enumerate() {
        row[..i].fill(0.0);
        row[i] = rates[i];
    }
    let map = Map::new(&linear, &inputs.vector(0)).unwrap();
    let mut stream = seed::stream(4, "tests/lyapunov");
    let document: Vec<u32> = (0..600).map(|_| stream.random_range(0..3)).collect();
    let found =
        lyapunov::of_documents(&map, &inputs, &[0.0; 5], &[&document, &[1, 2]], 4, 1).unwrap();
    assert_eq!(found.len(), 1, "two tokens are too few");
    for (found, rate) in found[0].iter().zip(rates) {
        assert!((found - rate.abs().ln()).abs() < 0.02, "{found} of {rate}");
    }

    for kind in [CellKind::Ugrnn, CellKind::Gru, CellKind::GruResetBefore, CellKind::Lstm] {
        let cell = random_cell(kind, 6, 3, 8);
        let map = Map::new(&cell, &inputs.vector(1)).unwrap();
        let mut rest = vec![0.0; map.state_size()];
        (0..3000).for_each(|_| rest = map.step(&rest).as_slice().to_vec());
        let wanted = eigenvalues(&map.jacobian(&rest)).unwrap();
        let mut wanted: Vec<f64> = wanted.iter().map(|l| l.norm().ln()).collect();
        wanted.sort_by(|a, b| b.total_cmp(a));
        let document = vec![1; 1500];
        let start = vec![0.0; rest.len()];
        let found = lyapunov::of_documents(&map, &inputs, &start, &[&document], 3, 1).unwrap();
        // The second of a pair turns: its mean is over whole turns only in the long run.
        assert!((found[0][0] - wanted[0]).abs() < 0.02, "{kind:?}: {found:?}, {wanted:?}");
        let (sum, wanted): (f64, f64) = (found[0].iter().sum(), wanted[..3].iter().sum());
        assert!((sum - wanted).abs() < 0.05, "{kind:?}: {sum}, {wanted}");
    }
}
