//! CCA, SVCCA, CKA, Procrustes: what each must not see, and what it must.

use super::*;
use crate::similarity::cca::chance;
use crate::similarity::cka::debiased_cka;
use crate::similarity::procrustes::Measure;
use crate::similarity::{cca, cka, cka_distances, procrustes, shape_distances, svcca_distances};

const KEPT: [Keep; 3] = [Keep::All, Keep::Share(0.99), Keep::Components(4)];

/// SVCCA for each way to keep components, CKA, angle and Euclidean distance.
fn all_distances(a: &Matrix, b: &Matrix) -> Vec<f64> {
    let mut found: Vec<f64> =
        KEPT.iter().map(|&k| cca(&basis(a, k), &basis(b, k)).unwrap().distance()).collect();
    found.push(1.0 - cka(&features(a), &features(b)).unwrap());
    let shapes = procrustes(&shape(a), &shape(b)).unwrap();
    found.extend([shapes.angular, shapes.euclidean]);
    found
}

#[test]
fn no_measure_sees_a_rotation_a_shift_or_a_scale() {
    let points = cloud(300, 8, "rotated");
    let turned = &points * random(8, 1, "turn");
    let mut moved = &turned * 1e-6;
    moved.column_iter_mut().for_each(|mut c| c.add_scalar_mut(1.0));
    for (other, tolerance) in [(&points, 1e-13), (&turned, 1e-13), (&(&points * 1e180), 1e-13)] {
        for distance in all_distances(&points, other) {
            close(distance, 0.0, tolerance);
        }
    }
    // States of 1e−6 beside an offset of 1 keep ten digits.
    for distance in all_distances(&points, &moved) {
        close(distance, 0.0, 1e-8);
    }
}

#[test]
fn an_invertible_linear_map_is_seen_by_shape_and_not_by_cca() {
    let points = normal(300, 6, "mapped");
    let mapped = &points * normal(6, 6, "map");
    let bases = [&points, &mapped].map(|p| basis(p, Keep::All));
    close(cca(&bases[0], &bases[1]).unwrap().distance(), 0.0, 1e-12);
    let found = procrustes(&shape(&points), &shape(&mapped)).unwrap();
    assert!(found.angular > 0.2, "{found:?}");
    assert!(cka(&features(&points), &features(&mapped)).unwrap() < 0.95);
}

#[test]
fn measures_are_symmetric_and_within_their_bounds() {
    let (a, b) = (cloud(200, 5, "one"), cloud(200, 9, "other"));
    let (there, back) = (all_distances(&a, &b), all_distances(&b, &a));
    for ((there, back), most) in there.iter().zip(&back).zip([1.0, 1.0, 1.0, 1.0, 1.6, 1.42]) {
        close(*there, *back, 1e-12);
        assert!(*there > 0.0 && *there < most, "{there}");
    }
}

#[test]
fn independent_networks_come_to_the_chance_level() {
    for [k1, k2, samples] in [[10, 10, 400], [5, 20, 300], [30, 30, 200]] {
        let one = |i: usize| {
            let a = normal(samples, k1, &format!("chance a {i} {k1} {samples}"));
            let b = normal(samples, k2, &format!("chance b {i} {k2} {samples}"));
            cca(&basis(&a, Keep::All), &basis(&b, Keep::All)).unwrap()
        };
        let found: Vec<_> = (0..40).map(one).collect();
        let mean = |of: &dyn Fn(&crate::similarity::Cca) -> f64| {
            found.iter().map(of).sum::<f64>() / found.len() as f64
        };
        // Mean ρ² is exactly max(k₁, k₂)/(samples − 1): the trace of a random projection.
        let squares = |c: &crate::similarity::Cca| {
            c.correlations.iter().map(|r| r * r).sum::<f64>() / c.correlations.len() as f64
        };
        let expected = k1.max(k2) as f64 / (samples - 1) as f64;
        close(mean(&squares), expected, 0.05 * expected);
        let expected = chance([k1, k2], samples);
        close(mean(&|c| c.mean()), expected, 0.03 * expected);
    }
}

#[test]
fn plain_cka_of_independent_networks_is_far_from_zero_and_the_debiased_one_is_not() {
    let pairs: Vec<(f64, f64)> = (0..30)
        .map(|i| {
            let of = |side| features(&normal(60, 50, &format!("cka {side} {i}")));
            let (a, b) = (of("a"), of("b"));
            (cka(&a, &b).unwrap(), debiased_cka(&a, &b).unwrap())
        })
        .collect();
    let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / 30.0;
    assert!(mean(|p| p.0) > 0.4, "{}", mean(|p| p.0));
    close(mean(|p| p.1), 0.0, 0.02);
    let same = features(&normal(60, 5, "cka same"));
    close(debiased_cka(&same, &same).unwrap(), 1.0, 1e-14);
}

#[test]
fn the_angle_between_shapes_obeys_the_triangle_inequality() {
    for i in 0..60 {
        // Widths differ: narrower networks are padded.
        let draw = |side: &str, units| {
            let common = normal(12, 3, &format!("triple {i}")) * normal(3, units, side);
            shape(&(common + normal(12, units, &format!("triple {side} {i}")) * 0.7))
        };
        let triple = [draw("a", 3), draw("b", 4), draw("c", 5 + i % 10)];
        for measure in [Measure::Angular, Measure::Euclidean] {
            let d = shape_distances(&triple, measure).unwrap();
            for (x, y, z) in [(0, 1, 2), (1, 2, 0), (2, 0, 1)] {
                assert!(d.at(x, y) <= d.at(x, z) + d.at(z, y) + 1e-12, "triple {i}: {d:?}");
            }
        }
    }
}

#[test]
fn small_angles_between_shapes_keep_their_digits() {
    // A circle pulled by 1 ± e along its axes: overlap 1/√(1 + e²), an angle of arctan e.
    let e = 1e-9_f64;
    let circle = |pull: f64| {
        Matrix::from_fn(64, 2, |s, i| {
            let angle = s as f64 / 64.0 * std::f64::consts::TAU;
            if i == 0 { (1.0 + pull) * angle.cos() } else { (1.0 - pull) * angle.sin() }
        })
    };
    let found = procrustes(&shape(&circle(0.0)), &shape(&circle(e))).unwrap();
    close(found.angular, e, 1e-15);
    close(found.euclidean, e, 1e-15);
}

#[test]
fn a_network_padded_with_silent_units_is_the_same_network() {
    let (a, b) = (cloud(80, 4, "narrow"), cloud(80, 7, "wide"));
    let padded = a.clone().resize_horizontally(7, 0.25);
    for (plain, padded) in all_distances(&a, &b).iter().zip(all_distances(&padded, &b)) {
        close(*plain, padded, 1e-12);
    }
    let of = basis(&padded, Keep::All);
    assert_eq!((of.units(), of.rank(), of.dimensions()), (7, 4, 4));
}

#[test]
fn wide_networks_are_turned_before_they_are_multiplied_and_nothing_changes() {
    // More units than samples: by the definition, on the full matrices.
    let (a, b) = (cloud(20, 50, "wide a"), cloud(20, 35, "wide b"));
    let (x, y) = (states(&a), states(&b));
    let (x, y) = (x.centred(), y.centred());
    let norm = |m: &Matrix| m.norm();
    let expected = norm(&(x.transpose() * y)).powi(2)
        / (norm(&(x.transpose() * x)) * norm(&(y.transpose() * y)));
    close(cka(&features(&a), &features(&b)).unwrap(), expected, 1e-13);
    let nuclear: f64 = (x.transpose() * y).singular_values().sum();
    let expected = nuclear / (norm(x) * norm(y));
    close(procrustes(&shape(&a), &shape(&b)).unwrap().overlap, expected, 1e-12);
}

#[test]
fn more_units_than_samples_leave_cca_nothing_to_say() {
    let (a, b) = (normal(20, 30, "full a"), normal(20, 8, "full b"));
    let error = cca(&basis(&a, Keep::All), &basis(&b, Keep::All)).unwrap_err().to_string();
    assert!(error.contains("19 and 8 dimensions in 20 samples: 8 of 8"), "{error}");
    assert!(error.contains("more than 27 samples"), "{error}");
    // Some of them only: told by cca, refused in a map of many.
    let (a, b) = (normal(20, 15, "half a"), normal(20, 8, "half b"));
    let bases = [basis(&b, Keep::All), basis(&a, Keep::All)];
    let found = cca(&bases[0], &bases[1]).unwrap();
    assert_eq!(found.forced, 15 + 8 - 19);
    assert!(found.correlations[..4].iter().all(|r| *r > 1.0 - 1e-12), "{found:?}");
    assert!(found.correlations[4] < 1.0 - 1e-6, "{found:?}");
    let error = svcca_distances(&bases).unwrap_err().to_string();
    assert!(error.contains("15 and 8 dimensions in 20 samples: 4 of 8"), "{error}");
    // A few components each are fine.
    let bases = [&a, &b].map(|p| basis(p, Keep::Components(3)));
    assert!(svcca_distances(&bases).unwrap().at(0, 1) > 0.1);
}

#[test]
fn a_network_that_ignores_its_input_is_named() {
    for states in [
        States::new("quiet", &[0.25_f32; 40], [10, 4]),
        // The last bits of f32 are no variation.
        States::new("quiet", &[0.7_f32, f32::from_bits(0.7_f32.to_bits() + 1), 0.7], [3, 1]),
        States::new("quiet", &[0.0_f64; 40], [10, 4]),
    ] {
        let error = states.unwrap_err().to_string();
        assert!(error.contains("quiet: its states do not vary"), "{error}");
    }
}

#[test]
fn bad_states_are_refused_with_their_place() {
    let mut values = vec![0.5_f32; 12];
    values[7] = f32::NAN;
    let error = States::new("broken", &values, [4, 3]).unwrap_err().to_string();
    assert!(error.contains("`broken` is not finite at sample 2, unit 1"), "{error}");
    let error = States::new("short", &[1.0_f64; 11], [4, 3]).unwrap_err().to_string();
    assert!(error.contains("shape 11, expected 4 samples · 3 units"), "{error}");
    assert!(States::new("one sample", &[1.0_f64; 3], [1, 3]).is_err());
    let other = |m| basis(&normal(m, 3, "other"), Keep::All);
    let error = svcca_distances(&[other(40), other(40), other(41)]).unwrap_err().to_string();
    assert!(error.contains("shape 41 samples, expected 40"), "{error}");
    for keep in [Keep::Share(0.0), Keep::Share(1.1), Keep::Share(f64::NAN), Keep::Components(0)] {
        assert!(Basis::of(&states(&normal(40, 3, "other")), keep).is_err(), "{keep:?}");
    }
}

#[test]
fn identical_networks_are_at_zero_and_one_network_is_a_map() {
    let points = cloud(100, 5, "identical");
    let bases = [(); 3].map(|_| basis(&points, Keep::default()));
    assert!(svcca_distances(&bases).unwrap().values().iter().all(|d| d.abs() < 1e-14));
    let shapes = [(); 3].map(|_| shape(&points));
    let found = shape_distances(&shapes, Measure::Angular).unwrap();
    assert!(found.values().iter().all(|d| d.abs() < 1e-14), "{found:?}");
    assert_eq!(svcca_distances(&bases[..1]).unwrap().values(), [0.0]);
    assert_eq!(cka_distances(&[features(&points)]).unwrap().values(), [0.0]);
    assert_eq!(svcca_distances(&[]).unwrap().count(), 0);
}

#[test]
fn rank_and_components_are_told() {
    // Three directions in six units, each column from the same three: rank 3 in f64 and in f32.
    let points = normal(90, 3, "rank") * normal(3, 6, "into six");
    assert_eq!(basis(&points, Keep::All).rank(), 3);
    let rows: Vec<f32> = points.transpose().iter().map(|x| *x as f32).collect();
    let single = States::new("single", &rows, [90, 6]).unwrap();
    assert_eq!(Basis::of(&single, Keep::All).unwrap().rank(), 3);
    // Variances 9, 3.24 and .09 of 12.33: 73 %, 99.3 %.
    let mut axes = Matrix::zeros(4000, 3);
    let q = normal(4000, 3, "exact");
    let q = states(&q).centred().clone().qr().q();
    for (i, s) in [3.0, 1.8, 0.3].into_iter().enumerate() {
        axes.column_mut(i).copy_from(&(q.column(i) * s));
    }
    for (share, dimensions) in [(0.7, 1), (0.74, 2), (0.99, 2), (0.995, 3), (1.0, 3)] {
        assert_eq!(basis(&axes, Keep::Share(share)).dimensions(), dimensions, "{share}");
    }
    close(basis(&axes, Keep::Components(2)).explained(), 12.24 / 12.33, 1e-12);
    assert_eq!(basis(&axes, Keep::Components(20)).dimensions(), 3);
}

#[test]
fn f32_states_give_the_distances_of_f64() {
    let (a, b) = (cloud(200, 6, "double a"), cloud(200, 6, "double b"));
    let rounded = |points: &Matrix| {
        let rows: Vec<f32> = points.transpose().iter().map(|x| *x as f32).collect();
        States::new("rounded", &rows, [200, 6]).unwrap()
    };
    let keep = Keep::Components(4);
    let double = cca(&basis(&a, keep), &basis(&b, keep)).unwrap().distance();
    let [x, y] = [&a, &b].map(|p| Basis::of(&rounded(p), keep).unwrap());
    close(cca(&x, &y).unwrap().distance(), double, 1e-5);
}

#[test]
fn a_map_holds_the_distances_of_its_pairs() {
    // More networks than a tile, of different widths.
    let bases: Vec<Basis> =
        (0..11).map(|i| basis(&cloud(2300, 3 + i % 4, &format!("pairs {i}")), Keep::All)).collect();
    let found = svcca_distances(&bases).unwrap();
    for (i, a) in bases.iter().enumerate() {
        for (j, b) in bases.iter().enumerate() {
            close(found.at(i, j), cca(a, b).unwrap().distance(), 1e-13);
        }
    }
}

#[test]
fn distances_do_not_hang_on_the_number_of_threads() {
    let bases: Vec<Basis> =
        (0..11).map(|i| basis(&cloud(120, 6, &format!("thread {i}")), Keep::default())).collect();
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| svcca_distances(&bases).unwrap())
    };
    assert_eq!(on(1), on(3));
}
