//! Singular values, and eigenvalues of symmetric matrices: exact, dense.

use super::{Matrix, finite, view};
use crate::{Error, Result};
use faer::Side;

/// `A = U diag(s) Vᵀ`, thin.
///
/// Singular values descend; the entry of largest magnitude in each column of
/// `V` is positive.
#[derive(Clone, Debug)]
pub struct Svd {
    /// `[rows, k]`, `k` the smaller side.
    pub u: Matrix,
    /// `[k]`.
    pub singular: Vec<f64>,
    /// `[columns, k]`.
    pub v: Matrix,
}

fn failed() -> Error {
    Error::NotFinite {
        what: "singular values".into(),
        place: "the iteration".into(),
        remedy: "the matrix may hold numbers near the limits of f64".into(),
    }
}

/// Thin singular value decomposition.
///
/// # Errors
/// [`Error::NotFinite`] for NaN or infinite entries.
pub fn svd(a: &Matrix) -> Result<Svd> {
    finite("matrix", a)?;
    let found = view(a).thin_svd().map_err(|_| failed())?;
    let k = a.nrows().min(a.ncols());
    let singular: Vec<f64> = found.S().column_vector().iter().copied().collect();
    let mut u = Matrix::from_fn(a.nrows(), k, |i, j| found.U()[(i, j)]);
    let mut v = Matrix::from_fn(a.ncols(), k, |i, j| found.V()[(i, j)]);
    for j in 0..k {
        if largest(v.column(j).iter()) < 0.0 {
            v.column_mut(j).neg_mut();
            u.column_mut(j).neg_mut();
        }
    }
    Ok(Svd { u, singular, v })
}

/// Singular values alone, descending.
///
/// # Errors
/// [`Error::NotFinite`] for NaN or infinite entries.
pub fn singular_values(a: &Matrix) -> Result<Vec<f64>> {
    finite("matrix", a)?;
    view(a).singular_values().map_err(|_| failed())
}

/// Eigenvalues (descending) and orthonormal eigenvectors (columns, the entry
/// of largest magnitude positive) of a symmetric matrix, from its lower triangle.
///
/// # Errors
/// [`Error::NotFinite`] for NaN or infinite entries.
pub fn symmetric(a: &Matrix) -> Result<(Vec<f64>, Matrix)> {
    finite("matrix", a)?;
    let n = a.nrows();
    let found = view(a).self_adjoint_eigen(Side::Lower).map_err(|_| failed())?;
    let ascending: Vec<f64> = found.S().column_vector().iter().copied().collect();
    let mut vectors = Matrix::from_fn(n, n, |i, j| found.U()[(i, n - 1 - j)]);
    for mut column in vectors.column_iter_mut() {
        if largest(column.iter()) < 0.0 {
            column.neg_mut();
        }
    }
    Ok((ascending.into_iter().rev().collect(), vectors))
}

/// The entry of largest magnitude; the first of nearly equal ones.
fn largest<'a>(entries: impl Iterator<Item = &'a f64>) -> f64 {
    entries.fold(0.0, |best: f64, &x| if x.abs() > best.abs() * (1.0 + 1e-9) { x } else { best })
}
