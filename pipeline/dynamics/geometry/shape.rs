//! How much a set of points looks like a simplex or a cube.

use crate::linalg::{Matrix, Vector, svd};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Smallest over largest distance between the vertices, `[vertices, size]`: 1
/// for a regular simplex.
///
/// # Errors
/// [`Error::Usage`] for fewer than two vertices.
pub fn simplex(vertices: &Matrix) -> Result<f64> {
    let n = vertices.nrows();
    if n < 2 {
        return Err(Error::Usage("a simplex has at least two vertices".into()));
    }
    let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
    let distance = |(i, j): (usize, usize)| (vertices.row(i) - vertices.row(j)).norm();
    let (low, high) =
        pairs.map(distance).fold((f64::INFINITY, 0.0_f64), |(l, h), d| (l.min(d), h.max(d)));
    Ok(if high > 0.0 { low / high } else { 0.0 })
}

/// Mean point of each combination of signs that occurs: corners `[combinations, size]` and
/// their codes `[combinations, labels]` of ±1.
///
/// * `points`: `[points, size]`; `signs`: for each point, whether each label is on
pub fn corners(points: &Matrix, signs: &[Vec<bool>]) -> (Matrix, Matrix) {
    let mut by: BTreeMap<&[bool], Vec<usize>> = BTreeMap::new();
    for (i, signs) in signs.iter().enumerate() {
        by.entry(signs).or_default().push(i);
    }
    let groups: Vec<(&[bool], Vec<usize>)> = by.into_iter().collect();
    let labels = groups.first().map_or(0, |g| g.0.len());
    let mean = |c: usize, j: usize| {
        let of = &groups[c].1;
        of.iter().map(|&i| points[(i, j)]).sum::<f64>() / of.len() as f64
    };
    let code = |c: usize, k: usize| if groups[c].0[k] { 1.0 } else { -1.0 };
    (
        Matrix::from_fn(groups.len(), points.ncols(), mean),
        Matrix::from_fn(groups.len(), labels, code),
    )
}

/// How well points at the corners of a cube are explained by their codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cube {
    /// Share of the corners' variance that the codes explain: 1 for a
    /// parallelepiped.
    pub r2: f64,
    /// Largest |cosine| between two fitted edges: 0 for a cuboid.
    pub cosine: f64,
}

/// Regresses corner points on their `±1` codes with an intercept.
///
/// * `corners`: `[corners, size]`; `codes`: `[corners, labels]`, entries ±1
///
/// # Errors
/// [`Error::Shape`] if the numbers of rows differ; [`Error::Usage`] for fewer
/// corners than labels and intercept.
pub fn cube(corners: &Matrix, codes: &Matrix) -> Result<Cube> {
    let (m, k) = (codes.nrows(), codes.ncols());
    if corners.nrows() != m {
        return Err(Error::shape("codes", m, corners.nrows()));
    }
    if m < k + 1 {
        return Err(Error::Usage(format!("{m} corners cannot tell {k} edges")));
    }
    let design = Matrix::from_fn(m, k + 1, |i, j| if j < k { codes[(i, j)] } else { 1.0 });
    let parts = svd(&design)?;
    let largest = parts.singular.first().copied().unwrap_or(0.0);
    // Least squares by the pseudo-inverse: [k + 1, size].
    let mut inverse = parts.v.clone();
    for (mut column, s) in inverse.column_iter_mut().zip(&parts.singular) {
        let scale = if *s > 1e-12 * largest { 1.0 / s } else { 0.0 };
        column *= scale;
    }
    let fitted = inverse * parts.u.transpose() * corners;
    let left = corners - &design * &fitted;
    let mean = corners.row_mean();
    let total: f64 = corners.row_iter().map(|r| (r - &mean).norm_squared()).sum();
    let edges: Vec<Vector> = (0..k).map(|j| fitted.row(j).transpose()).collect();
    let pairs = (0..k).flat_map(|i| (0..i).map(move |j| (i, j)));
    let cosine = pairs
        .map(|(i, j)| {
            let norms = edges[i].norm() * edges[j].norm();
            if norms > 0.0 { (edges[i].dot(&edges[j]) / norms).abs() } else { 1.0 }
        })
        .fold(0.0, f64::max);
    Ok(Cube { r2: if total > 0.0 { 1.0 - left.norm_squared() / total } else { 0.0 }, cosine })
}
