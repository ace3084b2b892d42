//! How long differences last while inputs change.
//!
//! Time constants of a slow point say what one input, held for ever, would leave. What the inputs of a
//! trial leave (the words of a document) is in the Jacobians along its own path: their product `J_T ⋯ J_1`
//! stretches or shrinks directions by `e^{λ_i T}`. The Lyapunov exponents `λ_i` of a network that reads are its
//! memory as it is used: no input has to be chosen.

use crate::linalg::Matrix;
use crate::{Dynamics, Map, Result, seed};
use accrue_cells::Inputs;
use rand::Rng;
use rayon::prelude::*;

/// The exponents of each trial: mean `ln` of what each direction is stretched by in a step,
/// the largest first, after the first third of the steps, in which the directions turn to their places.
///
/// Directions are kept apart by a QR decomposition at every step (Benettin et al. 1980; for recurrent
/// networks, Engelken, Wolf & Abbott 2023).
///
/// * `steps`: of each trial; `map`: the map of a trial's step, given both numbers (a reference to one map, where
///   the input is held)
/// * `start`: the state before the first step, `[state]`; `count`: exponents wanted
///
/// One list a trial, per step; shorter ones for maps with fewer numbers in their state. Trials of
/// fewer than three steps have none.
///
/// # Errors
/// [`crate::Error::Shape`] if the start does not fit a map, and what `map` returns.
pub fn exponents<M: Dynamics>(
    steps: &[usize],
    map: impl Fn(usize, usize) -> Result<M> + Sync,
    start: &[f64],
    count: usize,
    seed: u64,
) -> Result<Vec<Vec<f64>>> {
    let one = |(trial, &steps): (usize, &usize)| -> Result<Option<Vec<f64>>> {
        let settle = steps / 3;
        if settle == 0 {
            return Ok(None);
        }
        let (size, mut stream) = (start.len(), seed::stream(seed, &format!("lyapunov/{trial}")));
        let drawn = Matrix::from_fn(size, count.min(size), |_, _| stream.random_range(-1.0..1.0));
        let (mut directions, mut state) = (drawn.qr().q(), start.to_vec());
        let mut sums = vec![0.0; directions.ncols()];
        for t in 0..steps {
            let here = map(trial, t)?;
            here.check(&state)?;
            let (next, jacobian) = here.step_and_jacobian(&state);
            let (q, r) = (jacobian * directions).qr().unpack();
            if t >= settle {
                sums.iter_mut().enumerate().for_each(|(i, s)| *s += r[(i, i)].abs().ln());
            }
            (directions, state) = (q, next.as_slice().to_vec());
        }
        let counted = (steps - settle) as f64;
        let mut means: Vec<f64> = sums.into_iter().map(|s| s / counted).collect();
        means.sort_by(|a, b| b.total_cmp(a));
        Ok(Some(means))
    };
    let found: Vec<_> = steps.par_iter().enumerate().map(one).collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}

/// [`exponents`] of a cell that reads documents, a step a token.
///
/// * `map`: of the cell, with any input; `inputs`: of all words; `documents`: token ids
///
/// # Errors
/// [`crate::Error::Shape`] if the inputs or the start do not fit the cell.
pub fn of_documents(
    map: &Map,
    inputs: &Inputs,
    start: &[f64],
    documents: &[&[u32]],
    count: usize,
    seed: u64,
) -> Result<Vec<Vec<f64>>> {
    let steps: Vec<usize> = documents.iter().map(|d| d.len()).collect();
    let at = |d: usize, t: usize| map.with_input(&inputs.vector(documents[d][t] as usize));
    exponents(&steps, at, start, count, seed)
}
