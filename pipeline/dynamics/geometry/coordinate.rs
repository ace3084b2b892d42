//! A coordinate along a one-dimensional manifold.
//!
//! Locally linear embedding (Roweis & Saul 2000): each point is written as an
//! affine combination of its `k` nearest neighbours, and the coordinate is the one
//! that the same combinations reproduce best: the second eigenvector, from
//! below, of `(I − W)ᵀ(I − W)`. Maheswaranathan, Williams et al. (2019,
//! arXiv:1906.10720) order their slow points by it.
//!
//! Where the points fall into clusters farther apart than their neighbours, each
//! cluster would reproduce itself and the coordinate would jump between them. The
//! edges of the shortest spanning tree are neighbours too, so that the graph hangs
//! together.

use crate::Result;
use crate::linalg::{Cholesky, Matrix, Vector, symmetric};

/// Added to the diagonal of each local Gram matrix, as a share of its trace.
const REGULAR: f64 = 1e-3;

/// The coordinate of each point, rescaled to −1 … 1.
///
/// * `points`: `[points, size]`; `neighbours`: `k`, at most `points − 1` are used
///
/// The sign is arbitrary. Fewer than three points get their rank on the line
/// between them.
///
/// # Errors
/// [`crate::Error::NotFinite`] for points with NaN.
pub fn along(points: &Matrix, neighbours: usize) -> Result<Vec<f64>> {
    let m = points.nrows();
    if m < 3 {
        return Ok((0..m).map(|i| if m == 2 { 2.0 * i as f64 - 1.0 } else { 0.0 }).collect());
    }
    let k = neighbours.clamp(1, m - 1);
    let mut rest = Matrix::identity(m, m);
    let tree = spanning_tree(points);
    for i in 0..m {
        let mut near = nearest(points, i, k);
        let beside = tree.iter().filter_map(|&(a, b)| match i {
            _ if i == a => Some(b),
            _ if i == b => Some(a),
            _ => None,
        });
        for j in beside {
            if !near.contains(&j) {
                near.push(j);
            }
        }
        for (&j, weight) in near.iter().zip(weights(points, i, &near)) {
            rest[(i, j)] -= weight;
        }
    }
    let (_, vectors) = symmetric(&(rest.transpose() * rest))?;
    // Descending: the last is constant, the one before it is the coordinate.
    let values: Vec<f64> = vectors.column(m - 2).iter().copied().collect();
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)));
    let span = if high > low { high - low } else { 1.0 };
    Ok(values.iter().map(|x| 2.0 * (x - low) / span - 1.0).collect())
}

/// The `k` points nearest to point `i`, nearest first.
fn nearest(points: &Matrix, i: usize, k: usize) -> Vec<usize> {
    let mut others: Vec<(f64, usize)> = (0..points.nrows())
        .filter(|&j| j != i)
        .map(|j| ((points.row(j) - points.row(i)).norm_squared(), j))
        .collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    others.truncate(k);
    others.into_iter().map(|(_, j)| j).collect()
}

/// The shortest tree that joins all points (Prim's algorithm).
fn spanning_tree(points: &Matrix) -> Vec<(usize, usize)> {
    let m = points.nrows();
    let apart = |i: usize, j: usize| (points.row(i) - points.row(j)).norm_squared();
    // For each point outside the tree: its distance to the tree, and to which point.
    let mut outside: Vec<(usize, f64, usize)> = (1..m).map(|j| (j, apart(0, j), 0)).collect();
    let mut edges = Vec::with_capacity(m.saturating_sub(1));
    while !outside.is_empty() {
        let next = (0..outside.len())
            .min_by(|&a, &b| outside[a].1.total_cmp(&outside[b].1))
            .expect("some are outside");
        let (joined, _, at) = outside.swap_remove(next);
        edges.push((at, joined));
        for (j, distance, to) in &mut outside {
            let closer = apart(joined, *j);
            if closer < *distance {
                (*distance, *to) = (closer, joined);
            }
        }
    }
    edges
}

/// Weights with sum 1 that bring the neighbours closest to point `i`.
fn weights(points: &Matrix, i: usize, near: &[usize]) -> Vec<f64> {
    let k = near.len();
    let offset = |a: usize| points.row(near[a]) - points.row(i);
    let mut gram = Matrix::from_fn(k, k, |a, b| offset(a).dot(&offset(b)));
    let trace = gram.trace();
    let ridge = if trace > 0.0 { REGULAR * trace } else { 1.0 };
    (0..k).for_each(|a| gram[(a, a)] += ridge);
    let solved = match Cholesky::new(&gram) {
        Some(factor) => factor.solve(&Vector::from_element(k, 1.0)),
        None => Vector::from_element(k, 1.0),
    };
    let sum = solved.sum();
    solved.iter().map(|w| w / sum).collect()
}

/// Distance of each state from the line through the points: from the nearest of the pieces
/// that join neighbours along the coordinate.
///
/// * `points`: `[points, size]`; `coordinate`: of each; `states`: `[size]` each
///
/// Infinite without points.
pub fn off_line(points: &Matrix, coordinate: &[f64], states: &[Vec<f64>]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..points.nrows()).collect();
    order.sort_by(|&a, &b| coordinate[a].total_cmp(&coordinate[b]).then(a.cmp(&b)));
    let from = |state: &Vector, a: usize, b: usize| {
        let start = points.row(a).transpose();
        let along = points.row(b).transpose() - &start;
        let length = along.norm_squared();
        let offset = state - &start;
        let share = if length > 0.0 { (offset.dot(&along) / length).clamp(0.0, 1.0) } else { 0.0 };
        (offset - along * share).norm()
    };
    let off = |state: &Vec<f64>| {
        let state = Vector::from_column_slice(state);
        match order[..] {
            [] => f64::INFINITY,
            [only] => from(&state, only, only),
            _ => order.windows(2).map(|w| from(&state, w[0], w[1])).fold(f64::INFINITY, f64::min),
        }
    };
    states.iter().map(off).collect()
}

/// Unit tangent at each point: from its neighbour below to the one above along
/// the coordinate, `[points, size]`; zero where neighbours coincide.
pub fn tangents(points: &Matrix, coordinate: &[f64]) -> Matrix {
    let m = points.nrows();
    let mut order: Vec<usize> = (0..m).collect();
    order.sort_by(|&a, &b| coordinate[a].total_cmp(&coordinate[b]).then(a.cmp(&b)));
    let mut all = Matrix::zeros(m, points.ncols());
    for (place, &i) in order.iter().enumerate() {
        let (below, above) = (order[place.saturating_sub(1)], order[(place + 1).min(m - 1)]);
        let step = points.row(above) - points.row(below);
        let norm = step.norm();
        if norm > 0.0 {
            all.row_mut(i).copy_from(&(step / norm));
        }
    }
    all
}
