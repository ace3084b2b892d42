//! Eigenvalues and eigenvectors of a general real matrix.

use super::{Complex, ComplexMatrix, Matrix, finite, view};
use crate::{Error, Result};

/// Condition number of the eigenvectors above which a matrix counts as nearly
/// defective: at `1/√ε` half of the digits of the left vectors are gone.
pub const DEFECTIVE: f64 = 6.7e7;

/// `A = R Λ Lᵀ` with `Lᵀ R = I`, where `A` is not nearly defective.
///
/// Largest modulus first; of equal moduli the larger real part first, then the
/// positive imaginary part. Columns of `R` have unit norm, and the entry of
/// largest modulus in each is real and positive.
#[derive(Clone, Debug)]
pub struct Eigen {
    /// `λ_a`, `[n]`.
    pub values: Vec<Complex>,
    /// `R`: right vectors as columns, `[n, n]`.
    pub right: ComplexMatrix,
    /// `L`: left vectors as columns, `[n, n]`; transposed without conjugation.
    pub left: ComplexMatrix,
    /// `‖R‖_F ‖R⁻¹‖_F / n`: 1 for a normal matrix.
    pub condition: f64,
}

impl Eigen {
    /// Whether `A` is nearly defective, and left vectors can be trusted for modes apart from the others alone.
    pub fn is_nearly_defective(&self) -> bool {
        self.condition.is_nan() || self.condition > DEFECTIVE
    }
}

/// Time constant of a mode in tokens: `τ = |1/ln|λ||` (infinite for `|λ| = 1`).
pub fn time_constant(value: Complex) -> f64 {
    (1.0 / value.norm().ln()).abs()
}

/// Order of eigenvalues; moduli within `1e-12` of each other count as equal,
/// so that the two of a complex pair come in a fixed order.
fn order(values: &[Complex]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..values.len()).collect();
    indices.sort_by(|&i, &j| values[j].norm().total_cmp(&values[i].norm()));
    let mut start = 0;
    while start < indices.len() {
        let modulus = values[indices[start]].norm();
        let equal = |&&i: &&usize| values[i].norm() >= modulus * (1.0 - 1e-12);
        let end = start + indices[start..].iter().take_while(equal).count();
        indices[start..end].sort_by(|&i, &j| {
            let (a, b) = (values[i], values[j]);
            // Real parts of a pair may differ in the last bit.
            let close = (a.re - b.re).abs() <= 1e-12 * modulus;
            let by_real = if close { std::cmp::Ordering::Equal } else { b.re.total_cmp(&a.re) };
            by_real.then(b.im.total_cmp(&a.im))
        });
        start = end.max(start + 1);
    }
    indices
}

fn failed() -> Error {
    Error::NotFinite {
        what: "eigenvalues".into(),
        place: "the QR iteration".into(),
        remedy: "the matrix may hold numbers near the limits of f64".into(),
    }
}

/// Eigenvalues of a square matrix, in the order of [`Eigen`].
///
/// # Errors
/// [`Error::NotFinite`] for NaN or infinite entries.
///
/// # Panics
/// If the matrix is not square.
pub fn eigenvalues(a: &Matrix) -> Result<Vec<Complex>> {
    finite("matrix", a)?;
    let values: Vec<Complex> = view(a).eigenvalues().map_err(|_| failed())?;
    Ok(order(&values).into_iter().map(|i| values[i]).collect())
}

/// Eigenvalues, right and left vectors of a square matrix.
///
/// A defective matrix has no full set of right vectors, and those of a nearly defective one are inverted with few
/// digits or none, which [`Eigen::is_nearly_defective`] tells. Left vectors are then those of `Aᵀ`, each with the
/// right vector whose eigenvalue is nearest: as good as ever for a mode that is apart from the others,
/// scaled to `lᵀ r = 1`; of unit length for one that has lost its partner (`lᵀ r = 0`).
///
/// # Errors
/// [`Error::NotFinite`] for NaN or infinite entries.
///
/// # Panics
/// If the matrix is not square.
pub fn eigen(a: &Matrix) -> Result<Eigen> {
    finite("matrix", a)?;
    let n = a.nrows();
    let (values, right) = right_vectors(a)?;
    let inverse = inverse(&right);
    let frobenius = |m: &ComplexMatrix| m.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
    let condition = frobenius(&right) * frobenius(&inverse) / n as f64;
    let mut found = Eigen { values, left: inverse.transpose(), right, condition };
    if found.is_nearly_defective() {
        found.left = left_vectors(a, &found)?;
    }
    Ok(found)
}

/// Eigenvalues in their order and the right vectors, normed.
fn right_vectors(a: &Matrix) -> Result<(Vec<Complex>, ComplexMatrix)> {
    let n = a.nrows();
    let found = view(a).eigen().map_err(|_| failed())?;
    let unordered: Vec<Complex> = found.S().column_vector().iter().copied().collect();
    let order = order(&unordered);
    let values: Vec<Complex> = order.iter().map(|&i| unordered[i]).collect();
    let mut right = ComplexMatrix::from_fn(n, n, |i, a| found.U()[(i, order[a])]);
    for mut column in right.column_iter_mut() {
        let norm = column.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
        let largest = column.iter().fold(Complex::new(0.0, 0.0), |best: Complex, &z| {
            // A margin, so that rounding does not choose between equal entries.
            if z.norm() > best.norm() * (1.0 + 1e-9) { z } else { best }
        });
        let phase = largest.conj() / largest.norm() / norm;
        column.iter_mut().for_each(|z| *z *= phase);
    }
    Ok((values, right))
}

/// `|lᵀ r|` of unit vectors below which a mode has no partner: half of the digits.
const LOST: f64 = 1.5e-8;

/// Left vectors from `Aᵀ`, which no other mode's vector can spoil.
fn left_vectors(a: &Matrix, of: &Eigen) -> Result<ComplexMatrix> {
    let (values, found) = right_vectors(&a.transpose())?;
    let mut free: Vec<usize> = (0..values.len()).collect();
    let mut left = ComplexMatrix::zeros(values.len(), values.len());
    for (i, value) in of.values.iter().enumerate() {
        let far = |&j: &usize| (values[j] - value).norm();
        let nearest = (0..free.len()).min_by(|&p, &q| far(&free[p]).total_cmp(&far(&free[q])));
        let column = found.column(free.remove(nearest.expect("as many as there are values")));
        let along: Complex = column.iter().zip(of.right.column(i).iter()).map(|(l, r)| l * r).sum();
        let scale = if along.norm() > LOST { along.inv() } else { Complex::new(1.0, 0.0) };
        left.column_mut(i).iter_mut().zip(column.iter()).for_each(|(to, l)| *to = l * scale);
    }
    Ok(left)
}

/// Inverse of a complex square matrix; not finite if it is singular.
pub fn inverse(a: &ComplexMatrix) -> ComplexMatrix {
    use faer::linalg::solvers::DenseSolveCore;
    let inverse = view(a).partial_piv_lu().inverse();
    ComplexMatrix::from_fn(a.nrows(), a.ncols(), |i, j| inverse[(i, j)])
}

/// `A B` of complex matrices, by faer's product.
pub fn product(a: &ComplexMatrix, b: &ComplexMatrix) -> ComplexMatrix {
    let product = view(a) * view(b);
    ComplexMatrix::from_fn(a.nrows(), b.ncols(), |i, j| product[(i, j)])
}
