//! Steps of Adam on the joint loss.

use crate::loss::Losses;
use crate::{Gradient, Result, Terms, setting};
use accrue_descent::{Adam, Found, Plan, descend};
use serde::{Deserialize, Serialize};

pub use accrue_descent::Checkpoint;

/// One row of the training table.
pub type Record = accrue_descent::Record<Terms>;
/// A trained network.
pub type Trained = accrue_descent::Trained<Terms>;

/// How a network is trained. Learning rate, decay, `epsilon` and clip are those published (arXiv 2111.01256), steps and batch
/// a small profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000000>")]
    pub steps: usize,
    /// Trials or documents a step.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub batch: usize,
    /// Learning rate `lr₀` at step 0; `lr₀ · decay^k` at step `k`.
    #[serde(deserialize_with = "setting::positive")]
    pub learning_rate: f64,
    /// See `learning_rate`.
    #[serde(deserialize_with = "setting::positive")]
    pub decay: f64,
    /// Adam's decay of the mean gradient.
    #[serde(deserialize_with = "setting::share")]
    pub beta1: f64,
    /// Adam's decay of the mean squared gradient.
    #[serde(deserialize_with = "setting::share")]
    pub beta2: f64,
    /// Added to Adam's root.
    #[serde(deserialize_with = "setting::positive")]
    pub epsilon: f64,
    /// Largest global gradient norm; longer gradients are scaled down. 0 for none.
    #[serde(deserialize_with = "setting::not_negative")]
    pub clip: f64,
    /// Steps over which the weights of the linear system's terms grow from 0 to their full size, in a straight line; 0:
    /// they have it from the first step.
    #[serde(deserialize_with = "setting::count")]
    pub warm_up: usize,
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
            steps: 5000,
            batch: 64,
            learning_rate: 0.02,
            decay: 0.9999,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 0.1,
            clip: 10.0,
            warm_up: 0,
            checkpoint_every: 500,
            record_every: 50,
        }
    }
}

impl Settings {
    /// Weights of the terms at step `k`, counted from 0.
    pub fn losses_at(&self, losses: &Losses, k: usize) -> Losses {
        let share = match self.warm_up {
            0 => 1.0,
            steps => ((k + 1) as f64 / steps as f64).min(1.0),
        };
        Losses {
            jslds: share * losses.jslds,
            expansion: share * losses.expansion,
            state: share * losses.state,
            ..*losses
        }
    }
}

/// Trains from `parameters` on.
///
/// * `gradient`: the loss and gradient at step `k`, for these parameters and these weights of the terms
/// * `watch`: told each step's number
///
/// # Errors
/// Those of [`descend`], and what `gradient` returns.
pub fn train(
    parameters: Vec<f32>,
    settings: &Settings,
    losses: &Losses,
    checkpoint: Option<Checkpoint>,
    mut gradient: impl FnMut(&[f32], &Losses, usize) -> Result<Gradient>,
    watch: impl FnMut(usize),
) -> Result<Trained> {
    let Settings { beta1, beta2, epsilon, clip, .. } = *settings;
    let plan = Plan {
        steps: settings.steps,
        adam: Adam { beta1, beta2, epsilon, clip, shrink: 2.0 * losses.l2, rates: None },
        learning_rate: &|k| settings.learning_rate * settings.decay.powf(k as f64),
        checkpoint_every: settings.checkpoint_every,
        record_every: settings.record_every,
    };
    let find = |parameters: &[f32], k: usize| {
        let now = settings.losses_at(losses, k);
        let Gradient { terms, parameters: gradient, .. } = gradient(parameters, &now, k)?;
        Ok(Found { terms, loss: now.total(&terms), gradient })
    };
    descend(parameters, &plan, checkpoint, find, watch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_linear_terms_grow_during_the_warm_up() {
        let settings = Settings { warm_up: 10, ..Settings::default() };
        let at = |k| settings.losses_at(&Losses::default(), k);
        assert_eq!((at(0).rnn, at(0).expansion, at(4).state), (3.0, 10.0, 5.0));
        assert_eq!((at(9), at(50)), (Losses::default(), Losses::default()));
    }
}
