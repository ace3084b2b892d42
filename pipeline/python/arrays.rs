//! Arrays as bytes, as Python has them.

use crate::calls::raised;
use accrue::linalg::{Complex, ComplexMatrix, Matrix};
use accrue::{Error, Result};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// Numbers of an array of f64.
pub fn numbers(bytes: &[u8]) -> Vec<f64> {
    let (whole, _) = bytes.as_chunks::<8>();
    whole.iter().map(|b| f64::from_ne_bytes(*b)).collect()
}

/// Numbers of an array of f32.
pub fn singles(bytes: &[u8]) -> Vec<f32> {
    let (whole, _) = bytes.as_chunks::<4>();
    whole.iter().map(|b| f32::from_ne_bytes(*b)).collect()
}

/// Rows of `[n, size]`.
///
/// # Errors
/// [`Error::Shape`] where the numbers do not fill whole rows.
pub fn rows(bytes: &[u8], size: usize) -> PyResult<Vec<Vec<f64>>> {
    let all = numbers(bytes);
    if size == 0 || !all.len().is_multiple_of(size) {
        return Err(raised(Error::shape("states", all.len(), format!("rows of {size}"))));
    }
    Ok(all.chunks(size).map(<[f64]>::to_vec).collect())
}

/// A matrix `[n, columns]`.
///
/// # Errors
/// As [`rows`].
pub fn matrix(bytes: &[u8], columns: usize) -> PyResult<Matrix> {
    let all = numbers(bytes);
    if columns == 0 || !all.len().is_multiple_of(columns) {
        return Err(raised(Error::shape("points", all.len(), format!("rows of {columns}"))));
    }
    Ok(Matrix::from_row_slice(all.len() / columns, columns, &all))
}

/// f64 as bytes.
pub fn bytes<'py>(py: Python<'py>, numbers: impl IntoIterator<Item = f64>) -> Bound<'py, PyBytes> {
    let all: Vec<u8> = numbers.into_iter().flat_map(f64::to_ne_bytes).collect();
    PyBytes::new(py, &all)
}

/// f32 as bytes.
pub fn single_bytes<'py>(py: Python<'py>, numbers: &[f32]) -> Bound<'py, PyBytes> {
    let all: Vec<u8> = numbers.iter().copied().flat_map(f32::to_ne_bytes).collect();
    PyBytes::new(py, &all)
}

/// A matrix, row by row.
pub fn by_rows(m: &Matrix) -> impl Iterator<Item = f64> + '_ {
    (0..m.nrows()).flat_map(move |i| (0..m.ncols()).map(move |j| m[(i, j)]))
}

/// A complex matrix, row by row, each number as real and imaginary part.
pub fn complex_by_rows(m: &ComplexMatrix) -> impl Iterator<Item = f64> + '_ {
    (0..m.nrows()).flat_map(move |i| (0..m.ncols()).flat_map(move |j| pair(m[(i, j)])))
}

/// Real and imaginary part.
pub fn pair(z: Complex) -> [f64; 2] {
    [z.re, z.im]
}

/// What a function of `accrue` returns, as Python has it.
pub fn told<T>(result: Result<T>) -> PyResult<T> {
    result.map_err(raised)
}
