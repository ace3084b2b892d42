//! Modifiers: groups, decays, subspaces and places, against plants and hand calculations.

use accrue::dynamics::Map;
use accrue::modifiers::barcode::{Barcodes, Decay, ModifierProbe};
use accrue::modifiers::clusters::clusters;
use accrue::modifiers::position::Reader;
use accrue::modifiers::subspace::{Subspace, blocked};
use accrue::ops::{Cell, CellKind};
use accrue::seed;
use rand::Rng;

/// `h' = A h + B x` with a diagonal `A` and a diagonal `B` of ones.
fn linear(diagonal: &[f64]) -> Cell {
    let units = diagonal.len();
    let square = |of: &dyn Fn(usize) -> f64| -> Vec<f64> {
        (0..units * units)
            .map(|i| if i / units == i % units { of(i / units) } else { 0.0 })
            .collect()
    };
    Cell {
        kind: CellKind::Linear,
        units,
        inputs: units,
        input_weights: square(&|_| 1.0),
        recurrent_weights: square(&|i| diagonal[i]),
        input_bias: vec![0.0; units],
        recurrent_bias: vec![0.0; units],
    }
}

#[test]
fn a_planted_subspace_is_found_and_taken_away() {
    // Displacements along e_1 (the line), e_2 and e_3, the second twice as long; e_4 stays empty.
    let mut stream = seed::stream(1, "tests/modifiers");
    let mut draw = |size: f64| stream.random_range(-size..size);
    let moved: Vec<Vec<f64>> =
        (0..200).map(|_| vec![draw(9.0), draw(2.0), draw(1.0), 0.0]).collect();
    let found = Subspace::of(&moved, &[1.0, 0.0, 0.0, 0.0], 0.9).unwrap().unwrap();
    assert_eq!(found.basis.ncols(), 2);
    // Variances of uniform draws go as the squares of their widths: 4 to 1.
    assert!((found.shares[0] - 0.8).abs() < 0.04, "{:?}", found.shares);
    let one = Subspace::of(&moved, &[1.0, 0.0, 0.0, 0.0], 0.5).unwrap().unwrap();
    assert_eq!(one.basis.ncols(), 1);
    assert!((found.inside(&[0.0, 3.0, -4.0, 0.0]) - 1.0).abs() < 1e-12);
    assert!((found.inside(&[3.0, 0.0, 4.0, 0.0]) - 0.8).abs() < 1e-12);
    // The part in the subspace becomes that of the nearest point, the rest stays.
    let points = [vec![0.0, 0.5, 0.0, 0.0], vec![5.0, -0.5, 0.0, 0.0]];
    let without = found.without(&[4.0, 2.0, 1.0, 7.0], &points);
    let wanted = [4.0, -0.5, 0.0, 7.0];
    assert!(without.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9), "{without:?}");
    // Words that move the state along the line alone have no subspace.
    assert!(Subspace::of(&[vec![1.0, 0.0], vec![-2.0, 0.0]], &[1.0, 0.0], 0.9).unwrap().is_none());
}

#[test]
fn blocking_takes_the_subspace_from_the_tokens_that_are_named() {
    let map = Map::new(&linear(&[1.0, 0.5]), &[0.0, 0.0]).unwrap();
    // Word 0 is evidence, word 1 moves the second unit.
    let inputs = [vec![1.0, 0.0], vec![0.0, 4.0]];
    let points = [vec![0.0, 0.0]];
    let subspace = Subspace::of(&[vec![0.0, 4.0]], &[1.0, 0.0], 0.9).unwrap().unwrap();
    let around = (&map, inputs.as_slice(), points.as_slice());
    let start: (&[f64], &[u32]) = (&[0.0, 8.0], &[0, 1, 0]);
    let read = |block: fn(u32) -> bool| blocked(around, &subspace, start, block).unwrap();
    assert_eq!(read(|_| false), [2.0, 3.0]); // 8 → 4 → 2 + 4 → 3
    assert_eq!(read(|token| token == 1), [2.0, 0.0]);
    assert_eq!(read(|_| true), [2.0, 0.0]);
    assert_eq!(read(|token| token == 0), [2.0, 0.0]); // the last word is one of them
}

#[test]
fn barcodes_fall_into_the_groups_of_their_directions() {
    let codes: [&[f64]; 6] =
        [&[1.0, 0.1], &[-2.0, 0.1], &[5.0, -0.2], &[-1.0, 0.0], &[0.3, 0.0], &[0.0, 4.0]];
    assert_eq!(clusters(&codes, 0.5), [0, 1, 0, 1, 0, 2]);
    assert_eq!(clusters(&codes, -2.0), [0; 6]);
    assert_eq!(clusters(&codes[..1], 0.5), [0]);
    // Average linkage, by hand: the third joins at its mean cosine to the first two.
    let at = |degrees: f64| [degrees.to_radians().cos(), degrees.to_radians().sin()];
    let (a, b, c) = (at(0.0), at(20.0), at(60.0));
    let three: [&[f64]; 3] = [&a, &b, &c];
    // cos 60° = .5 and cos 40° = .766: the mean is .633.
    assert_eq!(clusters(&three, 0.63), [0, 0, 0]);
    assert_eq!(clusters(&three, 0.64), [0, 0, 1]);
}

#[test]
fn decays_of_known_exponentials() {
    let exact: Vec<f64> = (0..40).map(|k| 3.0 * (-(k as f64) / 4.0).exp()).collect();
    let found = Decay::of(&exact);
    assert!((found.fitted.unwrap() - 4.0).abs() < 1e-9, "{found:?}");
    assert!((found.interval.1 - found.interval.0).abs() < 1e-6);
    // Half is left at 4 ln 2, between two lags read off a straight line.
    assert!((found.half.unwrap() - 4.0).abs() < 0.05, "{found:?}");

    // With noise the interval holds the truth nineteen times in twenty: here 200 times.
    let mut stream = seed::stream(2, "tests/modifiers");
    let mut held = 0;
    for _ in 0..200 {
        let noisy: Vec<f64> = (0..40)
            .map(|k| {
                // A sum of twelve uniform draws is nearly normal, with variance 1.
                let normal = (0..12).map(|_| stream.random_range(-0.5..0.5)).sum::<f64>();
                (-(k as f64) / 20.0 + 0.05 * normal).exp()
            })
            .collect();
        let (low, high) = Decay::of(&noisy).interval;
        held += (low <= 20.0 && 20.0 <= high) as usize;
    }
    assert!((176..=200).contains(&held), "{held} of 200");
    assert_eq!(Decay::of(&[1.0, 1.1, 1.2, 1.3]).fitted, None);
    assert_eq!(Decay::of(&[1.0, 0.01]).fitted, None);
    assert!(Decay::of(&[1.0; 40]).half.is_none());
}

#[test]
fn places_at_the_end_have_the_modes_that_are_not_yet_forgotten() {
    // One mode that stays and one that forgets by half a token, both read.
    let map = Map::new(&linear(&[1.0, 0.5]), &[0.0, 0.0]).unwrap();
    let (first, second) = ([1.0, 2.0], [-1.0, -2.0]);
    let reader =
        Reader { map: &map, probes: vec![&first, &second], readout: &[1.0, 1.0], later: 20 };
    // Δ_k = ±(1 + 2·2^{−k}).
    let usual = 1.0 + 2.0 * 0.5_f64.powi(20);
    for (k, gain) in reader.end(&[0.0, 0.0]).unwrap().into_iter().enumerate() {
        assert!((gain - (1.0 + 2.0 * 0.5_f64.powi(k as i32)) / usual).abs() < 1e-12, "{k}: {gain}");
    }
    // A linear network reads words alike from every state.
    let states = [vec![3.0, -1.0], vec![0.0, 9.0]];
    for gain in reader.beginning(&[0.0, 0.0], &states).unwrap() {
        assert!((gain - 1.0).abs() < 1e-12, "{gain}");
    }
}

/// Two tanh units: the first keeps what words say; the second is moved far by two words alone,
/// out to where it is flat. They are modifiers among words of valence and words of nothing.
#[test]
fn two_planted_modifiers_stand_out_of_twelve_words() {
    let units = 2;
    let cell = Cell {
        kind: CellKind::Vanilla,
        units,
        inputs: 2,
        input_weights: vec![1.0, 0.0, 0.0, 1.0],
        recurrent_weights: vec![1.0, 0.0, 0.0, 0.3],
        input_bias: vec![0.0; 2],
        recurrent_bias: vec![0.0; 2],
    };
    let map = Map::new(&cell, &[0.0, 0.0]).unwrap();
    let mut stream = seed::stream(3, "tests/modifiers");
    let mut inputs: Vec<Vec<f64>> = (0..10)
        .map(|w| vec![[0.1, -0.1, 0.2, -0.2, 0.0][w % 5], stream.random_range(-0.01..0.01)])
        .collect();
    inputs.extend([vec![0.0, 1.2], vec![0.0, -1.5]]);
    // Probes speak through both units.
    let probes = [0, 1, 2, 3];
    let mut with_second: Vec<Vec<f64>> = inputs.clone();
    probes.iter().for_each(|&p| with_second[p][1] = with_second[p][0]);
    let scene = ModifierProbe {
        map: &map,
        centre: &[0.0, 0.0],
        readout: &[0.5, 1.0],
        slow: &[1.0, 0.0],
        inputs: &with_second,
        probes: &probes,
    };
    let all: Vec<usize> = (0..12).collect();
    let found: Barcodes = scene.barcodes(&all).unwrap();
    let null = scene.null(&found, &all, 500, 1).unwrap();
    assert_eq!(null.len(), 500);
    for w in 0..12 {
        let beyond = null.iter().filter(|n| **n < found.effect[w]).count() as f64 / 500.0;
        assert_eq!(
            beyond >= 0.99,
            w >= 10,
            "word {w}: {:.3} of the null, {:?}",
            beyond,
            found.effect
        );
    }
    // Pushed out to where tanh is flat, words say less: gains below 0.
    assert!(found.gain[10] < -0.03 && found.gain[11] < -0.03, "{:?}", found.gain);
}
