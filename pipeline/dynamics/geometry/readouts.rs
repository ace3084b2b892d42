//! Norms and angles of readout vectors.

use crate::Result;
use crate::linalg::{Matrix, svd};

/// Angle that the vertices of a regular simplex of `n` vectors make:
/// `arccos(−1/(n − 1))`, in degrees.
pub fn simplex_angle(n: usize) -> f64 {
    (-1.0 / (n as f64 - 1.0)).acos().to_degrees()
}

/// Angle between each pair of rows, in degrees, `[rows, rows]`; NaN where a
/// row is zero.
pub fn angles(rows: &Matrix) -> Matrix {
    let norm = |i: usize| rows.row(i).norm();
    Matrix::from_fn(rows.nrows(), rows.nrows(), |i, j| {
        let cosine = rows.row(i).dot(&rows.row(j)) / (norm(i) * norm(j));
        cosine.clamp(-1.0, 1.0).acos().to_degrees()
    })
}

/// Cosine of the angle between two vectors; NaN where one is zero.
pub fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// For each row, the share of its length that lies in the span of the others:
/// `‖P v‖/‖v‖` with `P` the projector onto that span.
///
/// # Errors
/// [`crate::Error::NotFinite`] for rows with NaN.
pub fn in_span(rows: &Matrix) -> Result<Vec<f64>> {
    let share = |i: usize| {
        let others = rows.clone().remove_row(i);
        in_plane(rows.row(i).transpose().as_slice(), &others.transpose())
    };
    (0..rows.nrows()).map(share).collect()
}

/// `‖P v‖/‖v‖` for the projector `P` on the span of the columns of `plane`;
/// 0 for a zero vector.
///
/// # Errors
/// [`crate::Error::NotFinite`] for entries with NaN.
pub fn in_plane(v: &[f64], plane: &Matrix) -> Result<f64> {
    let basis = svd(plane)?;
    let largest = basis.singular.first().copied().unwrap_or(0.0);
    let norm = v.iter().map(|x| x * x).sum::<f64>();
    if norm == 0.0 {
        return Ok(0.0);
    }
    let inside: f64 = basis
        .u
        .column_iter()
        .zip(&basis.singular)
        .filter(|(_, s)| **s > largest * 1e-12)
        .map(|(u, _)| u.iter().zip(v).map(|(u, x)| u * x).sum::<f64>().powi(2))
        .sum();
    Ok((inside / norm).sqrt())
}
