//! All base models on a batch of phrases, forward and backward, in f32.
//!
//! # The scheme
//! 1. What words or vectors add to the gates, `A x + b_ih`, is computed once for each distinct one of the batch: it is the same
//!    for every base model. `C θ_n` is added to it once a base model.
//! 2. A shard is the phrases of one base model, at most [`ROWS`]: one product of their states with the recurrent weights a step
//!    ([`accrue_ops::step`]). All that the way back needs stays near.
//! 3. On the way back the shard meets `V_n` and the readout step by step; gradients of weights are summed over all its steps at once.
//! 4. Parts are summed in the order of the shards: the bits do not depend on the number of threads.
//!
//! Per step and row `G n² + d_n s` products forward and twice as many back.

mod affine;
mod prepared;
mod shard;
mod sums;

use crate::{Layout, Measure, Phrases, Recording, Said};
use affine::{Affine, Widths};
use prepared::{Prepared, lay_out};
use pulp::Arch;
use rayon::prelude::*;
use shard::{Asked, Part, Shard};
use sums::gathered;

/// Phrases that one thread carries together. Part of the definition of the results' bits.
pub const ROWS: usize = 32;

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// `λ`, of the states' term.
    pub lambda: f64,
    /// What outputs are.
    pub measure: Measure,
    /// Which steps' outputs count.
    pub said: Said,
    /// Whether gradients of what all base models share are wanted, or those of `θ_n`, `V_n` and `v_n` alone.
    pub shared: bool,
}

/// Terms of the loss of one base model, means over the phrases.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Terms {
    /// `mean_t ‖V h̃ + v − h‖² / Var h`: the share of the states that is missed.
    pub states: f64,
    /// `mean_t D(ỹ, y)`, in nats or as a share of the variance; of the last step alone for [`Said::Last`].
    pub outputs: f64,
}

impl std::ops::AddAssign for Terms {
    fn add_assign(&mut self, other: Self) {
        self.states += other.states;
        self.outputs += other.outputs;
    }
}

impl std::ops::Mul<f64> for Terms {
    type Output = Self;

    fn mul(self, share: f64) -> Self {
        Self { states: share * self.states, outputs: share * self.outputs }
    }
}

/// Loss and gradient of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// Terms of each base model.
    pub terms: Vec<Terms>,
    /// Of the mean over base models, in the order of the parameters; zero where it was not asked for.
    pub parameters: Vec<f32>,
}

impl Gradient {
    /// `mean_n (λ states + outputs)`.
    pub fn loss(&self, objective: &Objective) -> f64 {
        let of = |t: &Terms| objective.lambda * t.states + t.outputs;
        self.terms.iter().map(of).sum::<f64>() / self.terms.len() as f64
    }
}

/// What the meta-model did on one phrase.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// `h̃_t`, `[t, state]`, from `h̃_1` on.
    pub states: Vec<f32>,
    /// `ỹ_t`, `[t, outputs]`: logits or numbers.
    pub outputs: Vec<f32>,
}

/// Loss of a batch of phrases for all base models, and its gradient.
///
/// * `recordings`: one a base model, over all of `phrases`
/// * `batch`: which phrases
pub fn gradient(
    layout: &Layout,
    parameters: &[f32],
    phrases: &Phrases,
    recordings: &[Recording],
    batch: &[usize],
    objective: &Objective,
) -> Gradient {
    let arch = Arch::new();
    let vectors = arch.dispatch(Widths);
    let laid = lay_out(layout.shape.reads, phrases, batch);
    let prepared = Prepared::new(layout, parameters, phrases, &laid.distinct);
    let models = layout.models();
    let share = 1.0 / (batch.len() * models) as f64;
    let chunks = laid.phrases.len().div_ceil(ROWS);
    let parts: Vec<Part> = (0..models * chunks)
        .into_par_iter()
        .map(|i| {
            let (model, chunk) = (i / chunks, i % chunks);
            let first = chunk * ROWS;
            let asked = Asked {
                objective,
                recording: &recordings[model],
                map: Affine::pack(
                    vectors,
                    prepared.sizes,
                    &parameters[layout.map(model)],
                    &parameters[layout.map_bias(model)],
                ),
                phrases,
                batch,
                share,
            };
            arch.dispatch(Shard {
                prepared: &prepared,
                added: prepared.conditioned(parameters, &parameters[layout.theta(model)]),
                rows: &laid.phrases[first..(first + ROWS).min(laid.phrases.len())],
                asked: Some(asked),
            })
        })
        .collect();
    gathered(&prepared, parameters, (phrases, &laid.distinct), (&parts, chunks), objective)
}

/// The meta-model at a `θ` on phrases `batch`.
pub fn emulate(
    layout: &Layout,
    parameters: &[f32],
    theta: &[f32],
    phrases: &Phrases,
    batch: &[usize],
) -> Vec<Trace> {
    let laid = lay_out(layout.shape.reads, phrases, batch);
    let prepared = Prepared::new(layout, parameters, phrases, &laid.distinct);
    let arch = Arch::new();
    let parts: Vec<Part> = laid
        .phrases
        .par_chunks(ROWS)
        .map(|rows| {
            let added = prepared.conditioned(parameters, theta);
            arch.dispatch(Shard { prepared: &prepared, added, rows, asked: None })
        })
        .collect();
    let mut traces: Vec<(usize, Trace)> = parts.into_iter().flat_map(|p| p.traces).collect();
    traces.sort_by_key(|(i, _)| *i);
    traces.into_iter().map(|(_, trace)| trace).collect()
}
