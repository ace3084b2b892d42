//! SVD, eigenvectors, least squares, in our fixed conventions.
//!
//! Types are nalgebra's; the big decompositions are faer's, run on one thread
//! each so that the bits do not hang on the number of threads (work is split
//! over matrices instead).

pub mod eig;
pub mod solve;
pub mod svd;

pub use eig::{Eigen, eigen, eigenvalues, time_constant};
pub use solve::{Cholesky, Lu};
pub use svd::{Svd, singular_values, svd, symmetric};

use crate::{Error, Result};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

/// Dense f64 matrix, column-major (nalgebra's storage).
pub type Matrix = nalgebra::DMatrix<f64>;
/// Dense f64 vector.
pub type Vector = nalgebra::DVector<f64>;
/// Complex f64.
pub type Complex = nalgebra::Complex<f64>;
/// Dense complex matrix, column-major.
pub type ComplexMatrix = nalgebra::DMatrix<Complex>;

/// A nalgebra matrix as faer sees it, without a copy.
fn view<T>(a: &nalgebra::DMatrix<T>) -> MatRef<'_, T>
where
    T: nalgebra::Scalar,
{
    faer::set_global_parallelism(Par::Seq);
    MatRef::from_column_major_slice(a.as_slice(), a.nrows(), a.ncols())
}

/// `Aᵀ B`, by faer's product on one thread.
///
/// # Panics
/// If the numbers of rows differ.
pub fn inner(a: &Matrix, b: &Matrix) -> Matrix {
    assert_eq!(a.nrows(), b.nrows(), "both factors have a row for each sample");
    let mut product = Matrix::zeros(a.ncols(), b.ncols());
    let to = MatMut::from_column_major_slice_mut(product.as_mut_slice(), a.ncols(), b.ncols());
    matmul(to, Accum::Replace, view(a).transpose(), view(b), 1.0, Par::Seq);
    product
}

/// Refuses a matrix with NaN or infinite entries, which faer would report as
/// "no convergence".
fn finite(what: &str, a: &Matrix) -> Result<()> {
    match a.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NotFinite {
            what: what.into(),
            place: format!("row {}, column {}", at % a.nrows(), at / a.nrows()),
            remedy: "check the weights it was computed from".into(),
        }),
    }
}
