//! Whether a map's Jacobians are those of its step.

use crate::linalg::{Matrix, Vector};
use crate::{Dynamics, Error, Result};

/// Checks that a state fits, and what the map makes of it.
///
/// # Errors
/// [`Error::Shape`] if the state, the next one or the Jacobian has not the map's own size.
pub(crate) fn check_shapes(map: &dyn Dynamics, state: &[f64]) -> Result<()> {
    map.check(state)?;
    let n = state.len();
    let (next, jacobian) = map.step_and_jacobian(state);
    for (what, found) in [
        ("next state", next.len()),
        ("rows of the Jacobian", jacobian.nrows()),
        ("columns of the Jacobian", jacobian.ncols()),
    ] {
        if found != n {
            return Err(Error::shape(what, found, n));
        }
    }
    Ok(())
}

/// How far a map's Jacobian is from central differences of its step: the largest difference of an entry, as a
/// share of the largest entry.
///
/// About 1e-8 or less where the Jacobian is right, the map smooth and its derivatives not much smaller than its
/// values; a wrong entry gives its share. What the map keeps of a step for its Jacobian
/// ([`Dynamics::evaluate`]) is held to the same. NaN where an entry is not finite.
///
/// # Errors
/// [`Error::Shape`] for a state of the wrong size, or a map whose parts do not fit each other.
///
/// ```
/// # use accrue_dynamics::{Dynamics, check_jacobian};
/// # use accrue_numerics::linalg::{Matrix, Vector};
/// struct Cosine;
/// impl Dynamics for Cosine {
///     fn state_size(&self) -> usize {
///         1
///     }
///     fn step(&self, h: &[f64]) -> Vector {
///         Vector::from_vec(vec![h[0].cos()])
///     }
///     fn jacobian(&self, h: &[f64]) -> Matrix {
///         Matrix::from_element(1, 1, h[0].sin()) // the sign is wrong
///     }
/// }
/// assert!(check_jacobian(&Cosine, &[0.5]).unwrap() > 1.0);
/// ```
pub fn check_jacobian(map: &dyn Dynamics, state: &[f64]) -> Result<f64> {
    check_shapes(map, state)?;
    let differences = central_differences(state, |h| Ok(map.step(h)))?;
    let (next, kept) = map.step_and_jacobian(state);
    let step = map.step(state);
    let errors = [
        relative(&map.jacobian(state), &differences),
        relative(&kept, &differences),
        relative(&Matrix::from_columns(&[next]), &Matrix::from_columns(&[step])),
    ];
    Ok(worst(errors))
}

/// The same of the Jacobian by the input.
///
/// # Errors
/// As [`check_jacobian`], and [`Error::Usage`] for a map whose input cannot be changed.
pub fn check_input_jacobian(map: &dyn Dynamics, state: &[f64]) -> Result<f64> {
    check_shapes(map, state)?;
    let jacobian = map.input_jacobian(state);
    let inputs = map.input().len();
    if jacobian.shape() != (state.len(), inputs) {
        return Err(Error::shape("columns of the input Jacobian", jacobian.ncols(), inputs));
    }
    let differences = central_differences(map.input(), |x| Ok(map.with_input(x)?.step(state)))?;
    Ok(relative(&jacobian, &differences))
}

/// `(F(x + δ e_j) − F(x − δ e_j))/2δ`, a column an entry of `x`.
fn central_differences(x: &[f64], f: impl Fn(&[f64]) -> Result<Vector>) -> Result<Matrix> {
    // The cube root balances the two errors, δ² of the difference and ε/δ of its rounding.
    let delta = |x: f64| f64::EPSILON.cbrt() * (1.0 + x.abs());
    let column = |j: usize| -> Result<Vector> {
        let (mut above, mut below) = (x.to_vec(), x.to_vec());
        above[j] += delta(x[j]);
        below[j] -= delta(x[j]);
        Ok((f(&above)? - f(&below)?) / (above[j] - below[j]))
    };
    let columns: Vec<Vector> = (0..x.len()).map(column).collect::<Result<_>>()?;
    Ok(if columns.is_empty() {
        Matrix::zeros(f(x)?.len(), 0)
    } else {
        Matrix::from_columns(&columns)
    })
}

/// Largest difference of an entry, as a share of the largest entry of either.
fn relative(a: &Matrix, b: &Matrix) -> f64 {
    let largest = |m: &Matrix| worst(m.iter().map(|x| x.abs()));
    let difference = largest(&(a - b));
    if difference == 0.0 { 0.0 } else { difference / largest(a).max(largest(b)) }
}

/// The largest of some numbers, 0 for none; NaN if one is.
fn worst(values: impl IntoIterator<Item = f64>) -> f64 {
    values
        .into_iter()
        .fold(0.0, |m: f64, x| if m.is_nan() || x.is_nan() { f64::NAN } else { m.max(x) })
}
