//! Planted networks with known distances, the known traps, and numbers of NumPy and SciPy.

mod geometry;
mod laws;
mod maps;
mod reference;
mod speed;

use super::rotation::random;
use super::{Basis, Features, Keep, Shape, States};
use crate::linalg::Matrix;
use crate::seed;
use rand::Rng;
use rand_distr::StandardNormal;

/// Independent normal numbers.
fn normal(rows: usize, columns: usize, name: &str) -> Matrix {
    let mut stream = seed::stream(5, name);
    Matrix::from_fn(rows, columns, |_, _| stream.sample(StandardNormal))
}

/// A cloud with a few large and many small components, off the origin.
fn cloud(samples: usize, units: usize, name: &str) -> Matrix {
    let mut points = normal(samples, units, name);
    for (i, mut column) in points.column_iter_mut().enumerate() {
        column *= 1.0 / (1.0 + i as f64);
        column.add_scalar_mut(3.0);
    }
    points * random(units, 5, &format!("{name}/axes"))
}

fn states(points: &Matrix) -> States {
    States::of("a network", points).unwrap()
}

fn basis(points: &Matrix, keep: Keep) -> Basis {
    Basis::of(&states(points), keep).unwrap()
}

fn features(points: &Matrix) -> Features {
    Features::of(&states(points)).unwrap()
}

fn shape(points: &Matrix) -> Shape {
    Shape::of(&states(points)).unwrap()
}

#[track_caller]
fn close(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found}, expected {expected} ± {tolerance:e}");
}
