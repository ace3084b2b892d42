//! Targeted dimensionality reduction: which axis of the state carries choice, which a feature (Mante et al. 2013).

use crate::linalg::Matrix;
use crate::regression::Design;
use crate::{Error, Result};

/// Axes of regressors in the space of the units.
#[derive(Clone, Debug, PartialEq)]
pub struct Axes {
    /// Weight of each z-scored regressor in each unit, `[units, regressors]`.
    pub weights: Matrix,
    /// The same made orthonormal in the order of the regressors, `[units, regressors]`.
    pub orthonormal: Matrix,
}

/// Regresses each unit on the regressors, which are z-scored, and makes their axes orthonormal in the order given.
///
/// * `responses`: `[trials, units]`; `regressors`: names and values `[trials]`
///
/// # Errors
/// As [`Design::new`]; [`Error::Shape`] for responses of other trials; [`Error::Input`] for an axis that lies in those
/// before it.
pub fn axes(responses: &Matrix, regressors: &[(&str, &[f64])]) -> Result<Axes> {
    let design = Design::new(regressors.iter().copied())?;
    let weights = design.each(responses)?.transpose();
    let orthonormal = orthonormal(&weights)?;
    Ok(Axes { weights, orthonormal })
}

/// Columns made orthonormal in their order (Gram & Schmidt, twice for the digits).
///
/// # Errors
/// [`Error::Input`] for a column that is zero or lies in those before it.
pub fn orthonormal(columns: &Matrix) -> Result<Matrix> {
    let mut q = columns.clone();
    for k in 0..q.ncols() {
        let mut v = q.column(k).into_owned();
        let before = v.norm();
        for _ in 0..2 {
            for j in 0..k {
                let along = q.column(j).dot(&v);
                v -= q.column(j) * along;
            }
        }
        let norm = v.norm();
        if !(norm > 1e-12 * before) {
            return Err(Error::input(
                "axes",
                format!("axis {}", k + 1),
                "it is zero, or lies in those before it",
                "leave the regressor out, or give more units",
            ));
        }
        q.set_column(k, &(v / norm));
    }
    Ok(q)
}

/// Responses without what lies along some axes: `r (I − Q Qᵀ)` with an orthonormal basis `Q` of them.
///
/// * `responses`: `[rows, units]`; `axes`: `[units, axes]`, orthonormal or not
///
/// # Errors
/// As [`orthonormal`]; [`Error::Shape`] for axes of other units.
pub fn without(responses: &Matrix, axes: &Matrix) -> Result<Matrix> {
    if responses.ncols() != axes.nrows() {
        return Err(Error::shape("axes", axes.nrows(), format!("{} units", responses.ncols())));
    }
    let q = orthonormal(axes)?;
    Ok(responses - (responses * &q) * q.transpose())
}
