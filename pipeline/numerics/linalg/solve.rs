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

    /// The sign of `det L U`: 1, −1, or 0 where a pivot is zero or no number.
    pub fn determinant_sign(&self) -> i8 {
        let (forward, _) = self.0.P().arrays();
        let mut sign = if is_odd(forward) { -1 } else { 1 };
        for i in 0..self.1 {
            let pivot = self.0.U()[(i, i)];
            sign *= if pivot > 0.0 {
                1
            } else if pivot < 0.0 {
                -1
            } else {
                0
            };
        }
        sign
    }

    /// Sums over the rows of `|L| |U|`, in the order of the rows of `A`: times `γ_n` they bound those of
    /// `|A − Pᵀ L U|` (Higham 2002, theorem 9.3).
    pub fn row_growth(&self) -> Vec<f64> {
        let n = self.1;
        let (l, u) = (self.0.L(), self.0.U());
        let row_u: Vec<f64> = (0..n).map(|k| (k..n).map(|j| u[(k, j)].abs()).sum()).collect();
        let (forward, _) = self.0.P().arrays();
        let mut growth = vec![0.0; n];
        for (i, &row) in forward.iter().enumerate() {
            growth[row] = (0..=i).map(|k| l[(i, k)].abs() * row_u[k]).sum();
        }
        growth
    }
}

/// Whether a permutation is odd: each cycle of even length swaps once more.
fn is_odd(permutation: &[usize]) -> bool {
    let mut seen = vec![false; permutation.len()];
    let mut odd = false;
    for begin in 0..permutation.len() {
        let (mut at, mut length) = (begin, 0);
        while !seen[at] {
            seen[at] = true;
            at = permutation[at];
            length += 1;
        }
        odd ^= length > 0 && length % 2 == 0;
    }
    odd
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn determinants_have_their_sign_and_factors_give_the_matrix() {
        let cases = [
            (Matrix::from_row_slice(2, 2, &[0.0, 1.0, 1.0, 0.0]), -1),
            (Matrix::from_row_slice(3, 3, &[0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0]), 1),
            (Matrix::from_row_slice(2, 2, &[2.0, 1.0, 1.0, 2.0]), 1),
            (Matrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 1.0]), -1),
            (Matrix::from_row_slice(2, 2, &[1.0, 2.0, 2.0, 4.0]), 0),
            // det = −2 (Laplace along the first row).
            (Matrix::from_row_slice(3, 3, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.5]), -1),
        ];
        for (a, sign) in cases {
            let lu = Lu::new(&a);
            assert_eq!(lu.determinant_sign(), sign, "{a}");
            // |L||U| is at least |A|, row by row.
            for (i, growth) in lu.row_growth().iter().enumerate() {
                let row: f64 = a.row(i).iter().map(|x| x.abs()).sum();
                assert!(*growth >= row * (1.0 - 1e-12), "row {i} of {a}: {growth} < {row}");
            }
        }
    }
}
