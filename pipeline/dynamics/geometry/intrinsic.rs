//! The dimension of a set of points, seen from close by.
//!
//! The participation ratio of all points is that of the smallest flat space that holds
//! them; a bent surface fills more of it than it has dimensions. These measures look at
//! neighbourhoods instead, as the published analysis does
//! (Aitken et al. 2021, arXiv:2010.15114).

use super::dimension::participation_ratio;
use super::pca::Pca;
use crate::Result;
use crate::linalg::Matrix;
use rayon::prelude::*;

/// Radii between which the correlation dimension is a slope.
const RADII: usize = 100;
/// Quantiles of the pair distances between which the radii lie.
const QUANTILES: [f64; 2] = [0.025, 0.975];

/// Distances between all pairs of some points.
pub struct Distances {
    count: usize,
    /// `[count, count]`.
    all: Vec<f64>,
}

impl Distances {
    /// Euclidean distances between the rows of `points`.
    pub fn of(points: &Matrix) -> Self {
        let count = points.nrows();
        let rows: Vec<Vec<f64>> = points.row_iter().map(|r| r.iter().copied().collect()).collect();
        let far = |i: usize| {
            let distance = |j: usize| {
                rows[i].iter().zip(&rows[j]).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
            };
            (0..count).map(distance).collect::<Vec<f64>>()
        };
        let all = (0..count).into_par_iter().flat_map_iter(far).collect();
        Self { count, all }
    }

    /// Point `i`'s distances to the others, ascending.
    fn sorted(&self, i: usize) -> Vec<f64> {
        let row = &self.all[i * self.count..][..self.count];
        let mut others: Vec<f64> = (0..self.count).filter(|&j| j != i).map(|j| row[j]).collect();
        others.sort_by(f64::total_cmp);
        others
    }

    /// Levina–Bickel estimates, for each `k` from the `k` nearest neighbours: the mean over points of
    /// `[ (1/(k−1)) Σ_{j<k} ln(T_k/T_j) ]⁻¹`, `T_j` the distance to the `j`-th one.
    ///
    /// Points that coincide with a neighbour have no such number and are left out;
    /// `None` where none is left, or there are no `k` neighbours.
    pub fn levina_bickel<const K: usize>(&self, ks: [usize; K]) -> [Option<f64>; K] {
        let one = |i: usize| {
            let t = self.sorted(i);
            ks.map(|k| {
                if k < 2 || self.count <= k {
                    return None;
                }
                let sum: f64 = t[..k - 1].iter().map(|x| (t[k - 1] / x).ln()).sum();
                Some((k - 1) as f64 / sum).filter(|found| found.is_finite())
            })
        };
        let points: Vec<[Option<f64>; K]> = (0..self.count).into_par_iter().map(one).collect();
        std::array::from_fn(|k| {
            let found: Vec<f64> = points.iter().filter_map(|point| point[k]).collect();
            (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
        })
    }

    /// Correlation dimension: the slope of `log C(r)` against `log r`, `C(r)` the share of
    /// pairs closer than `r`, over 100 radii between the 2.5th and the 97.5th percentile of
    /// the pair distances. `None` for fewer than three points, or points all alike.
    pub fn correlation(&self) -> Option<f64> {
        let mut pairs: Vec<f64> =
            (0..self.count).flat_map(|i| self.all[i * self.count..][..i].iter().copied()).collect();
        if self.count < 3 {
            return None;
        }
        pairs.sort_by(f64::total_cmp);
        let at = |share: f64| pairs[((pairs.len() - 1) as f64 * share).round() as usize];
        let [low, high] = QUANTILES.map(|q| at(q).ln());
        if !(low.is_finite() && high > low) {
            return None;
        }
        let points: Vec<(f64, f64)> = (0..RADII)
            .map(|i| low + (high - low) * i as f64 / (RADII - 1) as f64)
            .map(|r| (r, pairs.partition_point(|d| d.ln() < r).max(1) as f64))
            .map(|(r, closer)| (r, (closer / pairs.len() as f64).ln()))
            .collect();
        Some(slope(&points))
    }
}

/// Slope of the least-squares line.
fn slope(points: &[(f64, f64)]) -> f64 {
    let n = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0 / n, s.1 + p.1 / n));
    let above: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    above / points.iter().map(|p| (p.0 - x) * (p.0 - x)).sum::<f64>()
}

/// Mean participation ratio of the `k` nearest neighbours of `centres` points, evenly
/// spread over the rows. `None` where there are no `k` neighbours.
///
/// # Errors
/// [`crate::Error::NotFinite`] for points that are not finite.
pub fn local_participation_ratio(
    points: &Matrix,
    distances: &Distances,
    centres: usize,
    k: usize,
) -> Result<Option<f64>> {
    let count = points.nrows();
    if k < 2 || count <= k || centres == 0 {
        return Ok(None);
    }
    let chosen: Vec<usize> =
        (0..centres.min(count)).map(|c| c * count / centres.min(count)).collect();
    let one = |&i: &usize| -> Result<f64> {
        let row = &distances.all[i * count..][..count];
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| row[a].total_cmp(&row[b]).then(a.cmp(&b)));
        let near = points.select_rows(&order[..=k]);
        Ok(participation_ratio(&Pca::of(&near)?.variances))
    };
    let found: Vec<f64> = chosen.par_iter().map(one).collect::<Result<_>>()?;
    Ok(Some(found.iter().sum::<f64>() / found.len() as f64))
}
