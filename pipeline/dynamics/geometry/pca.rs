//! Principal components.

use super::Moments;
use crate::Result;
use crate::linalg::{Matrix, Vector, svd, symmetric};

/// Principal components of a cloud of points, by exact dense decomposition.
#[derive(Clone, Debug)]
pub struct Pca {
    /// Mean point, `[size]`.
    pub mean: Vector,
    /// Variances along the components, descending, with `1/(m − 1)`: *all* of
    /// them, as many as coordinates (or points, if fewer).
    pub variances: Vec<f64>,
    /// Unit directions as columns, `[size, components]`; the entry of largest
    /// magnitude of each is positive.
    pub directions: Matrix,
    /// Points.
    pub count: usize,
}

impl Pca {
    /// From the points themselves, `[points, size]`, by singular values.
    ///
    /// # Errors
    /// [`crate::Error::NotFinite`] for points with NaN.
    pub fn of(points: &Matrix) -> Result<Self> {
        let m = points.nrows();
        let mean = Vector::from_iterator(points.ncols(), points.row_mean().iter().copied());
        let mut centred = points.clone();
        centred.row_iter_mut().for_each(|mut row| row -= mean.transpose());
        let svd = svd(&centred)?;
        let divisor = m.saturating_sub(1).max(1) as f64;
        let variances = svd.singular.iter().map(|s| s * s / divisor).collect();
        Ok(Self { mean, variances, directions: svd.v, count: m })
    }

    /// From sums over points that were never all in memory.
    ///
    /// Variances below `1e-15` of the largest are rounding; they are cut at 0.
    ///
    /// # Errors
    /// [`crate::Error::NotFinite`] for points with NaN.
    pub fn from_moments(moments: &Moments) -> Result<Self> {
        let (variances, directions) = symmetric(&moments.covariance())?;
        let floor = 1e-15 * variances.first().copied().unwrap_or(0.0).max(0.0);
        let variances = variances.into_iter().map(|v| if v > floor { v } else { 0.0 }).collect();
        Ok(Self { mean: moments.mean(), variances, directions, count: moments.count() })
    }

    /// Share of the variance along each component; zeros for a single point.
    pub fn ratios(&self) -> Vec<f64> {
        let total: f64 = self.variances.iter().sum();
        self.variances.iter().map(|v| if total > 0.0 { v / total } else { 0.0 }).collect()
    }

    /// The first `k` coordinates of a point relative to the mean.
    pub fn coordinates(&self, point: &[f64], k: usize) -> Vec<f64> {
        let centred = Vector::from_column_slice(point) - &self.mean;
        (0..k.min(self.directions.ncols()))
            .map(|a| self.directions.column(a).dot(&centred))
            .collect()
    }

    /// The point with only its first `k` components kept: `m + P_k P_kᵀ (x − m)`.
    pub fn restricted(&self, point: &[f64], k: usize) -> Vec<f64> {
        let kept = self.coordinates(point, k);
        let mut out = self.mean.as_slice().to_vec();
        for (a, c) in kept.iter().enumerate() {
            out.iter_mut().zip(self.directions.column(a).iter()).for_each(|(x, d)| *x += c * d);
        }
        out
    }

    /// The first `k` coordinates of a direction (the mean plays no part).
    pub fn turned(&self, direction: &[f64], k: usize) -> Vec<f64> {
        let direction = Vector::from_column_slice(direction);
        (0..k.min(self.directions.ncols()))
            .map(|a| self.directions.column(a).dot(&direction))
            .collect()
    }
}
