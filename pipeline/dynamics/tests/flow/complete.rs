use crate::maps::{
    Ring, bits, circulant, finder, fixed_points, random_cell, states, tanh_map, views,
};
use accrue_cells::{CellKind, Map};
use accrue_dynamics::certificate::{Certificate, certify};
use accrue_dynamics::complete::{Counted, IndexSum, count};
use accrue_dynamics::deflation::search_on;
use accrue_dynamics::{Census, Deflate, Dynamics};
use accrue_numerics::linalg::Matrix;
use accrue_numerics::seed;
use rand::Rng;
use rayon::prelude::*;

fn indices(map: &dyn Dynamics, counted: &Counted) -> IndexSum {
    IndexSum::of(map, counted.points.iter().map(|p| &p.certificate))
}

#[test]
fn circulant_maps_are_proved_to_have_three_three_and_nine_fixed_points() {
    for (n, points) in [(2, 3), (3, 3), (4, 9)] {
        let map = circulant(n);
        let clock = std::time::Instant::now();
        let counted = count(&map, &[], &Census::default()).unwrap();
        println!("circulant {n}: {} parts, {:?}", counted.boxes, clock.elapsed());
        assert!(counted.is_proved(), "{n} units: {:?}", counted.undecided);
        assert_eq!(counted.points.len(), points, "{n} units: {:?}", counted.points);
        assert!(!counted.list_is_complete(), "nothing was listed");
        let sum = indices(&map, &counted);
        assert_eq!((sum.sum, sum.can_be_complete()), (1, Some(true)));
        let list: Vec<Vec<f64>> = counted.points.iter().map(|p| p.state.clone()).collect();
        assert!(count(&map, &list, &Census::default()).unwrap().list_is_complete());
    }
}

#[test]
fn a_list_that_lacks_a_point_is_told() {
    let map = bits(2, 2.0);
    let list = fixed_points(&map, &states(&map, 400, 1));
    assert_eq!(list.len(), 9);
    let counted = count(&map, &list, &Census::default()).unwrap();
    assert!(counted.list_is_complete());
    for gone in 0..9 {
        let mut short = list.clone();
        short.remove(gone);
        let counted = count(&map, &short, &Census::default()).unwrap();
        assert!(counted.is_proved() && !counted.list_is_complete());
        let found: Vec<_> = counted.points.iter().filter(|p| p.listed.is_none()).collect();
        assert_eq!(found.len(), 1);
        let off = found[0].state.iter().zip(&list[gone]).map(|(a, b)| (a - b).abs());
        assert!(off.fold(0.0, f64::max) < 1e-9);
        let proofs: Vec<Certificate> = short.iter().map(|p| certify(&map, p).unwrap()).collect();
        let sum = IndexSum::of(&map, &proofs);
        assert_eq!(sum.can_be_complete(), Some(false), "one index of ±1 is missing: {sum:?}");
    }
    // The same point twice, and one that is none.
    let doubled = vec![list[0].clone(), list[0].clone(), vec![0.5, 0.5]];
    let counted = count(&map, &doubled, &Census::default()).unwrap();
    assert!(counted.unproved.contains(&1), "{:?}", counted.unproved);
    assert_eq!(counted.points.len(), 9);
}

#[test]
fn without_a_box_or_bounds_or_enough_parts_nothing_is_claimed() {
    let ring = Ring { a: 0.5, turn: 0.3, lock: 0.0, k: 1.0 };
    let refused = count(&ring, &[], &Census::default()).unwrap_err().to_string();
    assert!(refused.contains("no box"), "{refused}");
    assert_eq!(IndexSum::of(&ring, []).can_be_complete(), None);
    let map = circulant(4);
    let few = count(&map, &[], &Census { boxes: 100, ..Census::default() }).unwrap();
    assert!(few.out_of_boxes && !few.is_proved() && few.boxes <= 100);
    // A pitchfork at its very point: tanh(h) touches h three times at once.
    let map = bits(1, 1.0);
    let touching = count(&map, &[], &Census::default()).unwrap();
    assert!(!touching.is_proved() && !touching.out_of_boxes, "{touching:?}");
    for part in &touching.undecided {
        assert!(part[0].0 > -0.1 && part[0].1 < 0.1, "{part:?}");
    }
}

#[test]
fn a_point_is_alone_as_far_as_its_certificate_says_and_no_farther_than_there_is_another() {
    let map = bits(1, 1.05);
    let list = fixed_points(&map, &states(&map, 100, 1));
    assert_eq!(list.len(), 3);
    for point in &list {
        let proof = certify(&map, point).unwrap();
        let alone = proof.alone_within.unwrap();
        let other = list.iter().map(|p| (p[0] - point[0]).abs()).filter(|d| *d > 1e-9);
        assert!(alone < other.fold(f64::INFINITY, f64::min), "{point:?}: {alone}");
        assert!(alone > 1e-3 && alone > proof.radius.unwrap(), "{point:?}: {alone}");
    }
}

/// A random tanh map: weights uniform in ±3, biases in ±0.5.
fn random_tanh(n: usize, number: u64) -> Map {
    let mut stream = seed::stream(number, "flow/complete");
    let w = Matrix::from_fn(n, n, |_, _| stream.random_range(-3.0..3.0));
    let b: Vec<f64> = (0..n).map(|_| stream.random_range(-0.5..0.5)).collect();
    tanh_map(&w, &vec![0.0; n], &b, 0.0)
}

/// What a map's list lacks: points found from few states, then beyond them, held against the proof.
fn compare_with_the_census(
    map: &Map,
    number: u64,
    patience: usize,
) -> (usize, usize, Option<String>) {
    let starts = states(map, 512, number);
    let first = fixed_points(map, &starts[..8]);
    let few = Deflate { patience, ..Deflate::default() };
    let beyond = search_on(map, &first, &views(&starts), &finder(), &few).unwrap();
    let mut list = first;
    list.extend(beyond.points.into_iter().map(|p| p.state));
    let proofs: Vec<Certificate> = list.iter().map(|p| certify(map, p).unwrap()).collect();
    let sum = IndexSum::of(map, &proofs);
    let counted = count(map, &list, &Census::default()).unwrap();
    let wrong = if sum.can_be_complete() != Some(true) {
        Some(format!("{sum:?}"))
    } else if !counted.list_is_complete() || counted.points.len() != list.len() {
        let missing: Vec<_> = counted.points.iter().filter(|p| p.listed.is_none()).collect();
        Some(format!("{} parts left, missing {missing:?}", counted.undecided.len()))
    } else if indices(map, &counted).sum != 1 {
        Some("the census itself has another sum".into())
    } else if count(map, &[], &Census::default()).unwrap().points.len() != list.len() {
        Some("without a list the census has another number".into())
    } else {
        None
    };
    (list.len(), counted.boxes, wrong.map(|w| format!("map {number}: {w}")))
}

fn all_random_maps_agree(maps: u64, patience: usize) {
    let clock = std::time::Instant::now();
    let found: Vec<_> = (0..maps)
        .into_par_iter()
        .map(|number| compare_with_the_census(&random_tanh(2, number), number, patience))
        .collect();
    let mut counts = std::collections::BTreeMap::<usize, usize>::new();
    found.iter().for_each(|(points, _, _)| *counts.entry(*points).or_default() += 1);
    let most = found.iter().map(|f| f.1).max().unwrap();
    let mean = found.iter().map(|f| f.1).sum::<usize>() / found.len();
    println!(
        "{maps} maps, {:?}: {counts:?}; parts: {mean} on average, {most} at most",
        clock.elapsed()
    );
    let wrong: Vec<&String> = found.iter().filter_map(|f| f.2.as_ref()).collect();
    assert!(wrong.is_empty(), "{} of {maps}: {wrong:#?}", wrong.len());
    assert!(
        counts.keys().all(|points| points % 2 == 1),
        "indices of ±1 that add up to 1 are odd in number"
    );
    assert!(counts.len() >= 3, "maps with one, with three and with more points: {counts:?}");
}

#[test]
fn lists_of_a_thousand_random_maps_have_index_sum_one_and_are_proved_complete() {
    all_random_maps_agree(1000, 16);
}

#[test]
#[ignore = "takes twenty times as long"]
fn lists_of_ten_thousand_random_maps_have_index_sum_one_and_are_proved_complete() {
    all_random_maps_agree(10_000, 32);
}

#[test]
fn cells_stay_within_their_invariant_boxes_and_all_their_fixed_points_lie_there() {
    let kinds = [
        CellKind::Vanilla,
        CellKind::Ugrnn,
        CellKind::Gru,
        CellKind::GruResetBefore,
        CellKind::Lstm,
        CellKind::LstmRelu,
    ];
    for kind in kinds {
        for seed in 0..20 {
            let map = random_cell(kind, 2, 3.0, seed);
            let sides = map.invariant_box().unwrap();
            assert_eq!(sides.len(), map.state_size());
            let inside =
                |h: &[f64]| sides.iter().zip(h).all(|((low, high), x)| low <= x && x <= high);
            let mut starts = states(&map, 50, seed);
            // Every corner of it, too.
            starts.extend((0..1 << sides.len()).map(|corner: usize| {
                let side = |(i, (low, high)): (usize, &(f64, f64))| {
                    if corner >> i & 1 == 1 { *high } else { *low }
                };
                sides.iter().enumerate().map(side).collect::<Vec<f64>>()
            }));
            for start in starts {
                let mut h = start.clone();
                for _ in 0..20 {
                    h = map.step(&h).as_slice().to_vec();
                    assert!(
                        inside(&h),
                        "{kind:?} {seed}: {start:?} leads to {h:?} outside {sides:?}"
                    );
                }
            }
            // From far outside too: what is proved to rest, rests within. An update gate may be 1 there as far as f64
            // can tell, where the search then ends and the proof does not hold.
            let far: Vec<Vec<f64>> = states(&map, 20, seed + 100)
                .into_iter()
                .map(|h| h.into_iter().map(|x| 4.0 * x).collect())
                .collect();
            for point in fixed_points(&map, &far) {
                let proved = certify(&map, &point).unwrap().exists();
                assert!(!proved || inside(&point), "{kind:?} {seed}: a fixed point at {point:?}");
            }
        }
    }
    // Nothing bounds these: their index sum is not promised to be 1.
    for kind in CellKind::ALL.into_iter().filter(|kind| !kinds.contains(kind)) {
        assert!(random_cell(kind, 2, 3.0, 0).invariant_box().is_none(), "{kind:?}");
    }
}

#[test]
fn the_box_of_an_lstm_is_that_of_its_largest_forget_gate() {
    // Without weights: f = σ(1), i = σ(0.5), g = tanh(0.3), so that |c| ≤ i g/(1 − f).
    let mut cell = random_cell(CellKind::Lstm, 1, 1.0, 0).cell().clone();
    cell.input_weights.fill(0.0);
    cell.recurrent_weights.fill(0.0);
    cell.recurrent_bias.fill(0.0);
    cell.input_bias = vec![0.5, 1.0, 0.3, 0.0];
    let map = Map::new(&cell, &[0.0]).unwrap();
    let sigma = |z: f64| 1.0 / (1.0 + (-z).exp());
    let c = sigma(0.5) * 0.3_f64.tanh() / (1.0 - sigma(1.0));
    let sides = map.invariant_box().unwrap();
    assert_eq!(sides[0], (-1.0, 1.0));
    assert!(sides[1].1 >= c && sides[1].1 < c * (1.0 + 1e-9), "{sides:?}, {c}");
    // A forget gate that is open as far as f64 can tell bounds nothing.
    cell.input_bias[1] = 800.0;
    assert!(Map::new(&cell, &[0.0]).unwrap().invariant_box().is_none());
}

#[test]
fn where_a_candidate_has_its_kink_nothing_is_counted_out() {
    // Gates at ½, g = max(0, 4 h + b): fixed at 0 and, for b < 0, where c = 2 tanh c + b; without weights a kink at the centre.
    let mut cell = random_cell(CellKind::LstmRelu, 1, 1.0, 0).cell().clone();
    cell.input_weights.fill(0.0);
    cell.recurrent_bias.fill(0.0);
    cell.recurrent_weights = vec![0.0, 0.0, 4.0, 0.0];
    for (bias, points) in [(-0.1, 3), (0.0, 1)] {
        cell.input_bias = vec![0.0, 0.0, bias, 0.0];
        let map = Map::new(&cell, &[0.0]).unwrap();
        let census = Census { boxes: 2000, ..Census::default() };
        let counted = count(&map, &[], &census).unwrap();
        assert_eq!(counted.points.len(), points, "{bias}: {counted:?}");
        assert!(!counted.is_proved(), "{bias}: parts at the kink stay undecided");
    }
}

#[test]
fn fixed_points_of_gated_cells_are_counted_by_proof() {
    for (kind, units) in
        [(CellKind::Gru, 2), (CellKind::Ugrnn, 2), (CellKind::Lstm, 1), (CellKind::Lstm, 2)]
    {
        for seed in 0..3 {
            let map = random_cell(kind, units, 2.0, seed);
            let starts = states(&map, 64, seed);
            let mut first = fixed_points(&map, &starts[..8]);
            // A search that may go anywhere also ends where an update gate is 1 as far as f64 can tell.
            let sides = map.invariant_box().unwrap();
            let inside =
                |h: &[f64]| sides.iter().zip(h).all(|((low, high), x)| low <= x && x <= high);
            first.retain(|point| inside(point));
            let beyond =
                search_on(&map, &first, &views(&starts), &finder(), &Deflate::default()).unwrap();
            let list: Vec<Vec<f64>> =
                first.into_iter().chain(beyond.points.into_iter().map(|p| p.state)).collect();
            let clock = std::time::Instant::now();
            let counted = count(&map, &list, &Census::default()).unwrap();
            println!(
                "{kind:?} {seed}: {} points, {} parts, {:?}",
                list.len(),
                counted.boxes,
                clock.elapsed()
            );
            assert!(counted.list_is_complete(), "{kind:?} {seed}: {counted:?}");
            assert_eq!(counted.points.len(), list.len(), "{kind:?} {seed}: {list:?}");
            assert_eq!(indices(&map, &counted).sum, 1);
        }
    }
}

#[test]
fn random_maps_of_three_and_four_units_are_counted_by_proof_with_and_without_a_list() {
    for n in [3, 4] {
        let mut several = 0;
        for number in 0..12 {
            let map = random_tanh(n, number);
            let starts = states(&map, 256, number);
            let settings = Deflate::default();
            let found = search_on(&map, &[], &views(&starts), &finder(), &settings).unwrap();
            let list: Vec<Vec<f64>> = found.points.into_iter().map(|p| p.state).collect();
            let with = count(&map, &list, &Census::default()).unwrap();
            let without = count(&map, &[], &Census::default()).unwrap();
            assert!(with.list_is_complete() && without.is_proved(), "{n} units, map {number}");
            assert_eq!(with.points.len(), without.points.len(), "{n} units, map {number}");
            assert_eq!(indices(&map, &without).sum, 1, "{n} units, map {number}");
            several += (list.len() > 1) as usize;
        }
        assert!(several >= 3, "{n} units: {several} maps with more than one fixed point");
    }
}

#[test]
fn every_setting_of_a_count_and_of_deflation_counts() {
    let map = bits(1, 1.0);
    let wide = count(&map, &[], &Census { narrowest: 1e-2, ..Census::default() }).unwrap();
    let narrow = count(&map, &[], &Census { narrowest: 1e-4, ..Census::default() }).unwrap();
    let size = |c: &Counted| c.undecided.iter().map(|p| p[0].1 - p[0].0).sum::<f64>();
    assert!(size(&wide) > size(&narrow) && wide.boxes < narrow.boxes, "{wide:?}");
    let map = bits(2, 2.0);
    let starts = states(&map, 40, 1);
    let run = |d: Deflate| search_on(&map, &[], &views(&starts), &finder(), &d).unwrap();
    let usual = run(Deflate::default());
    assert_ne!(run(Deflate { length: 0.1, ..Deflate::default() }), usual);
    assert!(run(Deflate { patience: 10, ..Deflate::default() }).searches < usual.searches);
    // Points half as far apart as the box is wide are one then.
    assert!(run(Deflate { unique: 0.6, ..Deflate::default() }).points.len() < usual.points.len());
}
