//! How a network is trained.

use crate::ops::cuda::Precision;
use crate::setting;
use serde::{Deserialize, Serialize};

/// Settings of training; the defaults are those of the papers' natural-text
/// networks (arXiv:2010.15114; ramasesh/rnn_dynamics) where nothing else is said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Passes over the training split.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub epochs: usize,
    /// Steps after which training ends in any case; 0 for no such limit.
    #[serde(deserialize_with = "setting::count")]
    pub steps: usize,
    /// What is read of a document: all of it, or a crop that is drawn anew in each pass (see [`super::batches`]).
    #[serde(skip_serializing_if = "Crop::is_off")]
    pub crop: Crop,
    /// Documents a step.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub batch: usize,
    /// Learning rate `lr₀` at step 0.
    #[serde(deserialize_with = "setting::positive")]
    pub learning_rate: f64,
    /// The learning rate at step `k` is `lr₀ · decay^(k/decay_steps)`, no staircase.
    #[serde(deserialize_with = "setting::positive")]
    pub decay: f64,
    /// See `decay`.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub decay_steps: usize,
    /// Adam's decay of the mean gradient.
    #[serde(deserialize_with = "setting::share")]
    pub beta1: f64,
    /// Adam's decay of the mean squared gradient.
    #[serde(deserialize_with = "setting::share")]
    pub beta2: f64,
    /// Added to Adam's root; 0.1 in the papers' synthetic studies, which is
    /// what makes learning rates of 0.02–0.1 work there.
    #[serde(deserialize_with = "setting::positive")]
    pub epsilon: f64,
    /// Largest global gradient norm; longer gradients are scaled down. 0 for none.
    #[serde(deserialize_with = "setting::not_negative")]
    pub clip: f64,
    /// Added to the loss.
    pub penalty: Penalty,
    /// How exact the products of training are; anything but `F32` wants a card (`--device cuda`). What is
    /// measured after training has exact products in any case.
    pub precision: Precision,
    /// Share of the pooled state's numbers set to zero at each step.
    #[serde(deserialize_with = "setting::share")]
    pub dropout: f64,
    /// Share of the input vectors' numbers set to zero at each step; a word
    /// loses the same numbers at all its places in a batch. Embeddings only.
    #[serde(deserialize_with = "setting::share")]
    pub input_dropout: f64,
    /// Standard deviation of the normal noise added to every number of the state after each token, in training
    /// alone and on the processor, in the state's own units; 0 for none. Published for the toy language
    /// (arXiv:2004.08013): .003.
    #[serde(deserialize_with = "setting::not_negative", skip_serializing_if = "setting::is_zero")]
    pub state_noise: f64,
    /// Steps over which weights are averaged: what is validated and kept is the mean of the weights over about
    /// the last so many steps, older ones forgotten exponentially (see [`super::average`]); 0: the weights
    /// of one step.
    #[serde(deserialize_with = "setting::count")]
    pub average: usize,
    /// Steps between measurements on the validation split; 0: once an epoch.
    #[serde(deserialize_with = "setting::count")]
    pub validate_every: usize,
    /// Measurements without a lower validation loss after which training
    /// stops, and the weights with the lowest are kept; 0: never, and the last
    /// weights are kept.
    #[serde(deserialize_with = "setting::count")]
    pub patience: usize,
    /// Steps between checkpoints.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub checkpoint_every: usize,
    /// Steps that one row of the training table sums up.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub record_every: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            epochs: 5,
            steps: 0,
            crop: Crop::default(),
            batch: 64,
            learning_rate: 1e-3,
            decay: 0.2,
            decay_steps: 1000,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            clip: 10.0,
            penalty: Penalty::None,
            precision: Precision::F32,
            dropout: 0.0,
            input_dropout: 0.0,
            state_noise: 0.0,
            average: 0,
            validate_every: 0,
            patience: 0,
            checkpoint_every: 250,
            record_every: 20,
        }
    }
}

impl Settings {
    /// Learning rate of step `k`, counted from 0.
    pub fn learning_rate_at(&self, k: usize) -> f64 {
        self.learning_rate * self.decay.powf(k as f64 / self.decay_steps as f64)
    }
}

/// How long the crops are that documents are read in, in tokens. Validation and test documents are always read whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Lengths")]
pub struct Crop {
    /// Of the shortest; documents that are no longer are read whole.
    pub shortest: usize,
    /// Of the longest; 0 where documents are not cropped.
    pub longest: usize,
}

impl Crop {
    fn is_off(&self) -> bool {
        *self == Self::default()
    }
}

/// A [`Crop`] as it stands in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Lengths {
    #[serde(deserialize_with = "setting::count")]
    shortest: usize,
    #[serde(deserialize_with = "setting::count")]
    longest: usize,
}

impl TryFrom<Lengths> for Crop {
    type Error = String;

    fn try_from(Lengths { shortest, longest }: Lengths) -> Result<Self, String> {
        if shortest == 0 || longest < shortest {
            return Err(format!(
                "crops of {shortest} to {longest} tokens are impossible: at least 1 token, and the longest no \
                 shorter than the shortest; leave `crop` out to read whole documents"
            ));
        }
        Ok(Self { shortest, longest })
    }
}

/// The three conventions for "L2" in the papers' code, and one that has two of them as its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Penalty {
    /// Nothing.
    #[default]
    None,
    /// `λ Σθ²` over all parameters, readout and initial state included.
    All(f64),
    /// `λ Σθ²` over the recurrent cell: weights, biases, initial state.
    Recurrent(f64),
    /// `λ ‖θ‖₂`, not squared, over all parameters.
    Norm(f64),
    /// `λ Σθ²` over the cell and `μ Σθ²` over everything else. With a weak `μ` cells of
    /// unordered classes keep evidence longer at the same `λ`; with none the readout never forgets what it started with.
    Parts {
        /// `λ`, of the recurrent cell: weights, biases, initial state.
        recurrent: f64,
        /// `μ`, of embedding and readout.
        rest: f64,
    },
}
