//! How a word moves the state, from many states at once: `F(h, x) − h` (Aitken et al. 2021,
//! arXiv:2010.15114).

use crate::Dynamics;
use crate::linalg::Vector;
use rayon::prelude::*;

/// `F(h, x) − h` from each state: one vector `[state]` a state.
///
/// * `map`: with the input held
pub fn field(map: &dyn Dynamics, states: &[&[f64]]) -> Vec<Vector> {
    let from = |h: &&[f64]| map.step(h) - Vector::from_column_slice(h);
    states.par_iter().map(from).collect()
}

/// The mean of a field; zero for no states.
pub fn mean(field: &[Vector], size: usize) -> Vector {
    let sum = field.iter().fold(Vector::zeros(size), |sum, d| sum + d);
    sum / field.len().max(1) as f64
}
