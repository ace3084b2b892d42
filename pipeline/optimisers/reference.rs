//! The same run from the equations, a row at a time, in f64 and never optimised: what tests hold the fused one against.

use crate::learned::Learned;
use crate::map::OptimiserMap;
use crate::problems::Problem;
use crate::{Objective, Result};
use accrue_dynamics::Dynamics;

/// The losses `f(x_t)` of a run, `[T]`.
///
/// # Errors
/// As [`OptimiserMap::new`].
pub fn losses(learned: &Learned, problem: &dyn Problem<f64>, steps: usize) -> Result<Vec<f64>> {
    let map = OptimiserMap::new(learned, 0.0)?;
    let (initial, ..) = learned.ends();
    let mut x = problem.start().to_vec();
    let mut g = vec![0.0; x.len()];
    let mut states = vec![initial; x.len()];
    let mut losses = Vec::with_capacity(steps);
    for t in 0..steps {
        losses.push(problem.evaluate(&x, &mut g));
        if t + 1 == steps {
            break;
        }
        for (r, h) in states.iter_mut().enumerate() {
            let at = map.at(g[r])?;
            let next = at.step(h);
            x[r] += at.moved(next.as_slice());
            *h = next.as_slice().to_vec();
        }
    }
    Ok(losses)
}

/// What the run is worth.
///
/// # Errors
/// As [`losses`].
pub fn worth(
    learned: &Learned,
    problem: &dyn Problem<f64>,
    steps: usize,
    objective: Objective,
) -> Result<f64> {
    Ok(objective.of(&losses(learned, problem, steps)?))
}
