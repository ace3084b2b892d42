//! How long differences last while documents are read.
//!
//! Time constants of a slow point say what one input, read for ever, would leave. What the words of a document
//! leave is in the Jacobians along its own path: their product `J_T ⋯ J_1` stretches or shrinks
//! directions by `e^{λ_i T}`. The Lyapunov exponents `λ_i` of a network that reads text are its memory
//! as it is used: no input has to be chosen.

use super::step::Map;
use crate::linalg::Matrix;
use crate::{Result, seed};
use accrue_cells::Inputs;
use rand::Rng;
use rayon::prelude::*;

/// The exponents of one document: mean `ln` of what each direction is stretched by at a token,
/// the largest first, after the first third of its tokens, in which the directions turn to their places.
///
/// Directions are kept apart by a QR decomposition at every token (Benettin et al. 1980; for recurrent
/// networks, Engelken, Wolf & Abbott 2023).
///
/// * `map`: of the cell, with any input; `inputs`: of all words; `start`: the state before the first token
/// * `count`: exponents wanted
///
/// One list a document, per token; shorter ones for cells with fewer numbers in their state. Documents of
/// fewer than three tokens have none.
///
/// # Errors
/// [`crate::Error::Shape`] if the inputs do not fit the cell.
pub fn exponents(
    map: &Map,
    inputs: &Inputs,
    start: &[f64],
    documents: &[&[u32]],
    count: usize,
    seed: u64,
) -> Result<Vec<Vec<f64>>> {
    let one = |(number, tokens): (usize, &&[u32])| -> Result<Option<Vec<f64>>> {
        let settle = tokens.len() / 3;
        if settle == 0 {
            return Ok(None);
        }
        let (size, mut stream) = (start.len(), seed::stream(seed, &format!("lyapunov/{number}")));
        let drawn = Matrix::from_fn(size, count.min(size), |_, _| stream.random_range(-1.0..1.0));
        let (mut directions, mut state) = (drawn.qr().q(), start.to_vec());
        let mut sums = vec![0.0; directions.ncols()];
        for (t, &word) in tokens.iter().enumerate() {
            let here = map.with_input(&inputs.vector(word as usize))?;
            let (next, jacobian) = here.step_and_jacobian(&state);
            let (q, r) = (jacobian * directions).qr().unpack();
            if t >= settle {
                sums.iter_mut().enumerate().for_each(|(i, s)| *s += r[(i, i)].abs().ln());
            }
            (directions, state) = (q, next.as_slice().to_vec());
        }
        let tokens = (tokens.len() - settle) as f64;
        let mut means: Vec<f64> = sums.into_iter().map(|s| s / tokens).collect();
        means.sort_by(|a, b| b.total_cmp(a));
        Ok(Some(means))
    };
    let found: Vec<_> = documents.par_iter().enumerate().map(one).collect::<Result<_>>()?;
    Ok(found.into_iter().flatten().collect())
}
