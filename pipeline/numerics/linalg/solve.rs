//! Linear systems.

use super::{Matrix, Vector, view};
use faer::linalg::solvers::{DenseSolveCore, Llt, PartialPivLu, SolveCore};
use faer::{Conj, MatMut, Side};

/// `P A = L U` of a square matrix.
pub struct Lu(PartialPivLu<f64>, usize);

impl Lu {
    /// Factors a square matrix; solving with a singular one gives numbers that
    /// are not finite.
    ///
    /// # Panics
    /// If the matrix is not square.
    pub fn new(a: &Matrix) -> Self {
        assert_eq!(a.nrows(), a.ncols(), "only square systems have an LU solution");
        Self(view(a).partial_piv_lu(), a.nrows())
    }

    /// `A⁻¹ b`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn solve(&self, b: &Vector) -> Vector {
        assert_eq!(b.len(), self.1, "the right-hand side has a row for each row of the matrix");
        let mut x = b.clone();
        let columns = MatMut::from_column_major_slice_mut(x.as_mut_slice(), self.1, 1);
        self.0.solve_in_place_with_conj(Conj::No, columns);
        x
    }

    /// `A⁻¹`.
    pub fn inverse(&self) -> Matrix {
        let inverse = self.0.inverse();
        Matrix::from_fn(self.1, self.1, |i, j| inverse[(i, j)])
    }
}

/// `A = L Lᵀ` of a symmetric positive definite matrix.
pub struct Cholesky(Llt<f64>, usize);

impl Cholesky {
    /// Factors from the lower triangle; `None` if the matrix is not positive
    /// definite to working precision.
    pub fn new(a: &Matrix) -> Option<Self> {
        view(a).llt(Side::Lower).ok().map(|llt| Self(llt, a.nrows()))
    }

    /// `A⁻¹ b`.
    ///
    /// # Panics
    /// If the lengths differ.
    pub fn solve(&self, b: &Vector) -> Vector {
        assert_eq!(b.len(), self.1, "the right-hand side has a row for each row of the matrix");
        let mut x = b.clone();
        let columns = MatMut::from_column_major_slice_mut(x.as_mut_slice(), self.1, 1);
        self.0.solve_in_place_with_conj(Conj::No, columns);
        x
    }
}
