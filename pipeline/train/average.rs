//! The mean of the weights along training.
//!
//! Late in training the weights of single steps wander around a valley of the loss, further the higher the rate
//! of learning is. Their mean lies deeper than any of them, and where documents are few
//! it generalises better (Polyak and Juditsky 1992, "Acceleration of stochastic approximation by averaging";
//! Izmailov et al. 2018, arXiv 1803.05407). Averaging moves no step of training itself.

use crate::Result;
use crate::model::{Network, weights::Arrays};

/// Weights that a mean over its whole horizon has seen.
const SAMPLES: usize = 20;

/// A running mean of a network's weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Average {
    /// The mean, by the names of [`Network::arrays`].
    pub arrays: Arrays,
    /// Weights that went into it.
    pub count: usize,
}

/// Whether weights are taken into a mean over `horizon` steps after step `k`, counted from 1.
///
/// Twenty times in a horizon; a mean of every step's weights would hardly differ.
pub fn is_due(horizon: usize, k: usize) -> bool {
    horizon > 0 && k.is_multiple_of((horizon / SAMPLES).max(1))
}

impl Average {
    /// The mean of the weights as they are.
    ///
    /// # Errors
    /// What reading the weights reports.
    pub fn new(network: &Network) -> Result<Self> {
        Ok(Self { arrays: network.arrays()?, count: 1 })
    }

    /// Takes the weights in: `mean += (θ − mean) / n`, where `n` counts them up to the twenty of one horizon. The
    /// mean is an even one at first; later a weight's share falls by `1 − 1/20` with each that follows.
    ///
    /// # Errors
    /// What reading the weights reports.
    pub fn add(&mut self, network: &Network, horizon: usize) -> Result<()> {
        self.count += 1;
        let share = 1.0 / self.count.min(SAMPLES.min(horizon)) as f32;
        for (name, (_, now)) in network.arrays()? {
            let (_, mean) = self.arrays.get_mut(&name).expect("a network keeps its arrays");
            mean.iter_mut().zip(&now).for_each(|(mean, now)| *mean += (now - *mean) * share);
        }
        Ok(())
    }
}
