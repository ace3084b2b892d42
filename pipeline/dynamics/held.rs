//! Where the input is held while fixed points are sought.

use crate::model::Network;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Where the input is held.
///
/// It matters on real text: a network trained on film reviews has no slow
/// points near its states at zero input, but a clean line at the mean token of
/// its corpus.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// `x* = 0`.
    Zero,
    /// The mean token of the training split: embedding rows (or one-hot
    /// vectors) weighted by how often each word occurs.
    Mean,
    /// The mean over the vocabulary: `1/V` for one-hot words.
    Uniform,
    /// One word.
    Word(String),
}

impl std::fmt::Display for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Held::Zero => "zero",
            Held::Mean => "mean",
            Held::Uniform => "uniform",
            Held::Word(word) => word,
        })
    }
}

impl Held {
    /// The input vector, `[inputs]`.
    ///
    /// * `words`: the vocabulary
    /// * `frequencies`: share of each word among the corpus's tokens, `[words]`
    ///
    /// # Errors
    /// [`Error::Usage`] for a word that is not in the vocabulary.
    pub fn vector(
        &self,
        network: &Network,
        words: &[String],
        frequencies: &[f64],
    ) -> Result<Vec<f64>> {
        let inputs = network.sizes().inputs();
        match self {
            Held::Zero => Ok(vec![0.0; inputs]),
            Held::Mean => weighted(network, frequencies),
            Held::Uniform => weighted(network, &vec![1.0 / words.len() as f64; words.len()]),
            Held::Word(word) => {
                let id = words.iter().position(|w| w == word).ok_or_else(|| {
                    Error::Usage(format!("fixed_points.inputs: `{word}` is not in the vocabulary"))
                })?;
                let mut one = vec![0.0; words.len()];
                one[id] = 1.0;
                weighted(network, &one)
            }
        }
    }
}

/// `Σ_w share_w x_w`, `[inputs]`.
fn weighted(network: &Network, shares: &[f64]) -> Result<Vec<f64>> {
    let Some(embedding) = network.embedding()? else { return Ok(shares.to_vec()) };
    let inputs = network.sizes().inputs();
    let mut sum = vec![0.0; inputs];
    for (row, share) in embedding.chunks(inputs).zip(shares) {
        sum.iter_mut().zip(row).for_each(|(s, x)| *s += share * x);
    }
    Ok(sum)
}
