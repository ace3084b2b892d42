//! How the update saturates in the gradient (arXiv 2011.02159, section 5.3).

use crate::Result;
use crate::map::OptimiserMap;

/// The update function at one state, on some gradients.
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateFunction {
    /// `g`.
    pub gradients: Vec<f64>,
    /// `U_h(g)`.
    pub updates: Vec<f64>,
    /// `−∂U_h/∂g`: the learning rate for a gradient of this size.
    pub rates: Vec<f64>,
}

/// `U_h(g)` and its slope.
///
/// # Errors
/// [`crate::Error::NotFinite`] for NaN.
pub fn update_function(
    map: &OptimiserMap,
    state: &[f64],
    gradients: &[f64],
) -> Result<UpdateFunction> {
    let mut found = UpdateFunction {
        gradients: gradients.to_vec(),
        updates: Vec::with_capacity(gradients.len()),
        rates: Vec::with_capacity(gradients.len()),
    };
    for &g in gradients {
        let at = map.at(g)?;
        found.updates.push(at.update(state));
        found.rates.push(-at.update_slope(state));
    }
    Ok(found)
}

/// The slope at `±g`, as a share of that at 0: 1 for a linear update, near 0 where it is clipped.
///
/// # Errors
/// [`crate::Error::NotFinite`] for NaN.
pub fn relative_slope(map: &OptimiserMap, state: &[f64], g: f64) -> Result<f64> {
    let found = update_function(map, state, &[-g, 0.0, g])?;
    Ok(0.5 * (found.rates[0] + found.rates[2]) / found.rates[1])
}
