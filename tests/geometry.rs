//! Dimensions of planted clouds.

use accrue::geometry::{Moments, Pca, participation_ratio, readouts, variance_dimension};
use accrue::linalg::Matrix;
use accrue::seed;
use rand::Rng;

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
        // e_i − 1/n: a regular simplex (SPEC GEOMETRY 5.1).
        let rows = Matrix::from_fn(n, n, |i, j| (i == j) as u8 as f64 - 1.0 / n as f64);
        let angles = readouts::angles(&rows);
        assert!((angles[(0, 1)] - readouts::simplex_angle(n)).abs() < 1e-9);
        assert!(readouts::in_span(&rows).unwrap().iter().all(|s| (s - 1.0).abs() < 1e-9));
    }
    let orthogonal = Matrix::identity(3, 5);
    assert!(readouts::in_span(&orthogonal).unwrap().iter().all(|s| *s < 1e-12));
}
