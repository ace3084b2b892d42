//! Dimensions of planted clouds.

use accrue::geometry::{
    Moments, Pca, coordinate, participation_ratio, readouts, shape, variance_dimension, varied,
};
use accrue::linalg::Matrix;
use accrue::seed;
use accrue::summary::spearman;
use rand::Rng;

#[test]
fn a_silenced_network_has_no_dimension() {
    // Variances of the states of a GRU under a penalty of .3 a weight, and of one under .03.
    let (silenced, speaking) = ([4.8e-73, 2.3e-73, 2.6e-74], [9.9, 2.2, 0.1]);
    assert_eq!(participation_ratio(varied(&silenced)), 0.0);
    assert_eq!(variance_dimension(varied(&silenced), 0.9), 0);
    assert_eq!(varied(&speaking), speaking);
}

#[test]
fn participation_ratio_by_hand() {
    assert_eq!(participation_ratio(&[2.0, 2.0, 2.0]), 3.0);
    assert_eq!(participation_ratio(&[5.0, 0.0]), 1.0);
    // (3 + 1)²/(9 + 1).
    assert!((participation_ratio(&[3.0, 1.0]) - 1.6).abs() < 1e-15);
    assert_eq!(participation_ratio(&[0.0, 0.0]), 0.0);
}

#[test]
fn variance_dimension_counts_until_the_share_is_reached() {
    assert_eq!(variance_dimension(&[6.0, 3.0, 1.0], 0.9), 2);
    assert_eq!(variance_dimension(&[6.0, 3.0, 1.0], 0.91), 3);
    assert_eq!(variance_dimension(&[6.0, 3.0, 1.0], 1.0), 3);
}

#[test]
fn a_circle_in_many_dimensions_is_two_dimensional() {
    let m = 400;
    let points = Matrix::from_fn(m, 30, |i, j| {
        let angle = i as f64 / m as f64 * std::f64::consts::TAU;
        match j {
            4 => 3.0 * angle.cos(),
            9 => 3.0 * angle.sin(),
            _ => 7.0,
        }
    });
    let pca = Pca::of(&points).unwrap();
    assert!((participation_ratio(&pca.variances) - 2.0).abs() < 1e-9);
    // Variance of 3 cos over the circle: 9/2, times m/(m − 1).
    assert!((pca.variances[0] - 4.5 * 400.0 / 399.0).abs() < 1e-9);
}

#[test]
fn streamed_moments_give_the_exact_components() {
    let mut stream = seed::stream(1, "tests/cloud");
    let (m, n) = (1500, 12);
    let rows: Vec<f64> =
        (0..m * n).map(|i| 1e4 + stream.random::<f64>() * (1 + i % n) as f64).collect();
    let mut moments = Moments::new(n);
    // In uneven pieces.
    moments.add(&rows[..7 * n]);
    moments.add(&rows[7 * n..900 * n]);
    moments.add(&rows[900 * n..]);
    let streamed = Pca::from_moments(&moments).unwrap();
    let exact = Pca::of(&Matrix::from_row_slice(m, n, &rows)).unwrap();
    for (a, b) in streamed.variances.iter().zip(&exact.variances) {
        assert!((a - b).abs() < 1e-9 * exact.variances[0], "{a} {b}");
    }
    assert!((streamed.mean - exact.mean).norm() < 1e-8);
    assert!((streamed.directions - exact.directions).norm() < 1e-6);
}

#[test]
fn simplex_readouts_have_the_simplex_angle_and_span_each_other() {
    for n in [3, 4, 6] {
        // e_i − 1/n: a regular simplex.
        let rows = Matrix::from_fn(n, n, |i, j| (i == j) as u8 as f64 - 1.0 / n as f64);
        let angles = readouts::angles(&rows);
        assert!((angles[(0, 1)] - readouts::simplex_angle(n)).abs() < 1e-9);
        assert!(readouts::in_span(&rows).unwrap().iter().all(|s| (s - 1.0).abs() < 1e-9));
    }
    let orthogonal = Matrix::identity(3, 5);
    assert!(readouts::in_span(&orthogonal).unwrap().iter().all(|s| *s < 1e-12));
}

/// A noisy-free arc of a helix in five dimensions, in shuffled order.
fn helix(count: usize) -> (Matrix, Vec<f64>) {
    let place = |i: usize| (i * 37 % count) as f64 / (count - 1) as f64;
    let points = Matrix::from_fn(count, 5, |i, j| {
        let t = place(i);
        [t, (2.0 * t).cos(), (2.0 * t).sin(), 0.3 * t, 0.0][j]
    });
    (points, (0..count).map(place).collect())
}

#[test]
fn the_coordinate_of_a_bent_line_is_its_order() {
    let (points, truth) = helix(101);
    let found = coordinate::along(&points, 8).unwrap();
    assert!(spearman(&found, &truth).abs() > 0.9999);
    let low = found.iter().copied().fold(f64::INFINITY, f64::min);
    let high = found.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    assert!((low + 1.0).abs() < 1e-12 && (high - 1.0).abs() < 1e-12);
    // Tangents: the derivative of the helix, (1, −2 sin 2t, 2 cos 2t, .3, 0).
    let tangents = coordinate::tangents(&points, &found);
    for (i, t) in truth.iter().enumerate().filter(|(_, t)| (0.05..0.95).contains(*t)) {
        let exact = [1.0, -2.0 * (2.0 * t).sin(), 2.0 * (2.0 * t).cos(), 0.3, 0.0];
        let norm = exact.iter().map(|x| x * x).sum::<f64>().sqrt();
        let cosine: f64 = (0..5).map(|j| tangents[(i, j)] * exact[j] / norm).sum();
        assert!(cosine.abs() > 0.999, "{cosine}");
    }
}

#[test]
fn clusters_far_apart_keep_their_order_on_the_line() {
    // Four clusters of ten along a bent line; with four neighbours each cluster is alone.
    let points = Matrix::from_fn(40, 6, |i, j| {
        let t = (i / 10) as f64 + 0.01 * (i % 10) as f64;
        match j {
            0 => t,
            3 => 0.1 * t * t,
            _ => 0.0,
        }
    });
    let found = coordinate::along(&points, 4).unwrap();
    let order: Vec<f64> = (0..40).map(|i| i as f64).collect();
    assert!(spearman(&found, &order).abs() > 0.999, "{found:?}");
}

#[test]
fn the_distance_to_a_line_is_to_its_pieces_not_its_points() {
    // Points at 0, 1, 2 on an axis; by hand.
    let points = Matrix::from_row_slice(3, 2, &[0.0, 0.0, 2.0, 0.0, 1.0, 0.0]);
    let along = [-1.0, 1.0, 0.0];
    let off = |x: f64, y: f64| coordinate::off_line(&points, &along, &[vec![x, y]])[0];
    assert_eq!(off(0.5, 3.0), 3.0);
    assert_eq!(off(5.0, 4.0), 5.0);
    assert_eq!(off(1.0, 0.0), 0.0);
    assert_eq!(coordinate::off_line(&Matrix::zeros(0, 2), &[], &[vec![1.0, 1.0]]), [f64::INFINITY]);
    let one = Matrix::from_row_slice(1, 2, &[0.0, 0.0]);
    assert_eq!(coordinate::off_line(&one, &[0.0], &[vec![3.0, 4.0]]), [5.0]);
}

#[test]
fn few_points_have_a_coordinate_too() {
    assert_eq!(coordinate::along(&Matrix::zeros(0, 3), 5).unwrap(), Vec::<f64>::new());
    assert_eq!(coordinate::along(&Matrix::zeros(1, 3), 5).unwrap(), [0.0]);
    let two = Matrix::from_row_slice(2, 1, &[3.0, 5.0]);
    assert_eq!(coordinate::along(&two, 5).unwrap(), [-1.0, 1.0]);
    // Points that coincide give no NaN.
    assert!(coordinate::along(&Matrix::zeros(5, 3), 3).unwrap().iter().all(|x| x.is_finite()));
}

#[test]
fn planted_simplices_and_cubes_score_one() {
    // The unit vectors of three dimensions: a regular triangle with side √2.
    assert!((shape::simplex(&Matrix::identity(3, 3)).unwrap() - 1.0).abs() < 1e-12);
    let squashed = Matrix::from_row_slice(3, 2, &[0.0, 0.0, 1.0, 0.0, 0.5, 0.0]);
    assert!((shape::simplex(&squashed).unwrap() - 0.5).abs() < 1e-12);

    let codes = Matrix::from_fn(8, 3, |i, j| if i >> j & 1 == 1 { 1.0 } else { -1.0 });
    let turn = Matrix::from_row_slice(3, 3, &[0.6, 0.8, 0.0, -0.8, 0.6, 0.0, 0.0, 0.0, 1.0]);
    let cube = shape::cube(&(&codes * &turn), &codes).unwrap();
    assert!((cube.r2 - 1.0).abs() < 1e-12 && cube.cosine < 1e-12, "{cube:?}");
    // Sheared by 45 degrees: edges (1, 0, 0) and (1, 1, 0) have cosine 1/√2.
    let shear = Matrix::from_row_slice(3, 3, &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let sheared = shape::cube(&(&codes * shear), &codes).unwrap();
    assert!((sheared.cosine - 0.5_f64.sqrt()).abs() < 1e-12 && (sheared.r2 - 1.0).abs() < 1e-12);
    // The product of two labels is not explained by either (exclusive or).
    let xor = Matrix::from_fn(4, 1, |i, _| if i == 0 || i == 3 { 1.0 } else { -1.0 });
    let two = Matrix::from_fn(4, 2, |i, j| if i >> j & 1 == 1 { 1.0 } else { -1.0 });
    assert!(shape::cube(&xor, &two).unwrap().r2.abs() < 1e-12);
    assert!(shape::cube(&xor, &codes).is_err() && shape::simplex(&Matrix::zeros(1, 2)).is_err());
}

/// Points drawn evenly from a cube of `d` dimensions, laid crookedly into ten.
fn cube(d: usize, count: usize) -> Matrix {
    let mut stream = accrue::seed::stream(d as u64, "tests/cube");
    let axes = Matrix::from_fn(d, 10, |_, _| stream.random_range(-1.0..1.0));
    let (axes, _) = axes.transpose().qr().unpack();
    let inside = Matrix::from_fn(count, d, |_, _| stream.random_range(0.0..1.0));
    inside * axes.transpose()
}

#[test]
fn dimensions_from_close_by_are_those_of_planted_cubes() {
    use accrue::geometry::intrinsic::{Distances, local_participation_ratio};
    for d in 1..=3 {
        let points = cube(d, 1500);
        let distances = Distances::of(&points);
        let wanted = d as f64;
        // Neighbourhoods at the faces of a cube are cut: all estimates lie a little below.
        let found = distances.levina_bickel([10])[0].unwrap();
        // The mean of inverses is above the truth by (k − 1)/(k − 2) at 10 neighbours.
        assert!((found - wanted).abs() < 0.2 * wanted, "Levina-Bickel, {d}: {found}");
        let found = distances.correlation().unwrap();
        assert!((found - wanted).abs() < 0.35 * wanted, "correlation, {d}: {found}");
        let found = local_participation_ratio(&points, &distances, 20, 60).unwrap().unwrap();
        assert!((found - wanted).abs() < 0.25 * wanted, "local, {d}: {found}");
    }
}

#[test]
fn a_circle_is_a_line_from_close_by() {
    use accrue::geometry::intrinsic::{Distances, local_participation_ratio};
    let angle = |i: usize| i as f64 / 800.0 * std::f64::consts::TAU;
    let circle =
        Matrix::from_fn(800, 2, |i, j| if j == 0 { angle(i).cos() } else { angle(i).sin() });
    let all = participation_ratio(&Pca::of(&circle).unwrap().variances);
    assert!((all - 2.0).abs() < 1e-9, "{all}");
    let distances = Distances::of(&circle);
    let near = local_participation_ratio(&circle, &distances, 20, 20).unwrap().unwrap();
    assert!(near < 1.01, "{near}");
}

#[test]
fn levina_and_bickel_by_hand() {
    use accrue::geometry::intrinsic::Distances;
    // Points 0, 1 and 3 on a line: second over first distance 3/1, 2/1, 3/2.
    let points = Matrix::from_row_slice(3, 1, &[0.0, 1.0, 3.0]);
    let wanted = [3.0_f64, 2.0, 1.5].map(|ratio| 1.0 / ratio.ln()).iter().sum::<f64>() / 3.0;
    let found = Distances::of(&points).levina_bickel([2])[0].unwrap();
    assert!((found - wanted).abs() < 1e-12, "{found} {wanted}");
    assert!(Distances::of(&points).levina_bickel([3])[0].is_none(), "there are two neighbours");
    // Points all alike have no dimension.
    let alike = Matrix::from_element(9, 2, 0.5);
    assert!(Distances::of(&alike).levina_bickel([3])[0].is_none());
    assert!(Distances::of(&alike).correlation().is_none());
}

#[test]
fn a_point_restricted_to_its_components() {
    let points = Matrix::from_row_slice(4, 2, &[1.0, 1.0, 3.0, 3.0, 5.0, 5.2, 7.0, 6.8]);
    let pca = Pca::of(&points).unwrap();
    let point = [2.0, 9.0];
    let whole = pca.restricted(&point, 2);
    assert!(whole.iter().zip(point).all(|(a, b)| (a - b).abs() < 1e-12), "{whole:?}");
    let none = pca.restricted(&point, 0);
    assert!((none[0] - 4.0).abs() < 1e-12 && (none[1] - 4.0).abs() < 1e-12, "the mean: {none:?}");
}
