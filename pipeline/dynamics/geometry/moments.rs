//! Mean and covariance of many points, in one pass.

use crate::linalg::{Matrix, Vector};
use rayon::prelude::*;

/// Points a block: each block's products are one matrix product.
const BLOCK: usize = 512;

/// Sums over points from which mean and covariance follow.
///
/// Points are shifted by the first one before they are multiplied, so that a
/// cloud far from the origin loses no digits.
#[derive(Clone, Debug)]
pub struct Moments {
    count: usize,
    shift: Vector,
    sum: Vector,
    /// `Σ (x − shift)(x − shift)ᵀ`.
    products: Matrix,
}

impl Moments {
    /// No points yet, of `size` coordinates.
    pub fn new(size: usize) -> Self {
        Self {
            count: 0,
            shift: Vector::zeros(size),
            sum: Vector::zeros(size),
            products: Matrix::zeros(size, size),
        }
    }

    /// Adds points: `rows` holds whole rows of coordinates, end to end.
    ///
    /// The sums are taken block by block in the order given, so that they do
    /// not hang on the number of threads.
    ///
    /// # Panics
    /// If `rows` is no whole number of points.
    pub fn add(&mut self, rows: &[f64]) {
        let size = self.shift.len();
        assert_eq!(rows.len() % size, 0, "points come as whole rows");
        if rows.is_empty() {
            return;
        }
        if self.count == 0 {
            self.shift.copy_from_slice(&rows[..size]);
        }
        let blocks: Vec<(Vector, Matrix)> = rows
            .par_chunks(BLOCK * size)
            .map(|block| {
                let mut points = Matrix::from_column_slice(size, block.len() / size, block);
                points.column_iter_mut().for_each(|mut p| p -= &self.shift);
                (points.column_sum(), &points * points.transpose())
            })
            .collect();
        for (sum, products) in blocks {
            self.sum += sum;
            self.products += products;
        }
        self.count += rows.len() / size;
    }

    /// Number of points.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Mean point; zero for none.
    pub fn mean(&self) -> Vector {
        &self.shift + &self.sum / (self.count.max(1) as f64)
    }

    /// Covariance with `1/(m − 1)`; zero for fewer than two points.
    pub fn covariance(&self) -> Matrix {
        if self.count < 2 {
            return Matrix::zeros(self.shift.len(), self.shift.len());
        }
        let m = self.count as f64;
        let centred = &self.products - &self.sum * self.sum.transpose() / m;
        centred / (m - 1.0)
    }
}
