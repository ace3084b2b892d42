//! Where the input is held while fixed points are sought.

use crate::Inputs;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Where the input is held.
///
/// It matters on real text: a network trained on film reviews has no slow
/// points near its states at zero input, but a clean line at the mean token of
/// its corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum StaticInput {
    /// `x* = 0`.
    Zero,
    /// The mean token of the training split: embedding rows (or one-hot
    /// vectors) weighted by how often each word occurs.
    Mean,
    /// The mean over the vocabulary: `1/V` for one-hot words.
    Uniform,
    /// One word.
    Word(String),
    /// A vector of one's own, `[inputs]`.
    Given(Vec<f64>),
}

impl std::fmt::Display for StaticInput {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            StaticInput::Zero => f.write_str("zero"),
            StaticInput::Mean => f.write_str("mean"),
            StaticInput::Uniform => f.write_str("uniform"),
            StaticInput::Word(word) => f.write_str(word),
            StaticInput::Given(values) => write!(f, "{values:?}"),
        }
    }
}

impl StaticInput {
    /// The input vector, `[inputs]`.
    ///
    /// * `words`: the vocabulary
    /// * `frequencies`: share of each word among the corpus's tokens, `[words]`;
    ///   `None` without a corpus
    ///
    /// # Errors
    /// [`Error::Usage`] for a word that is not in the vocabulary, or the mean
    /// token without a corpus.
    pub fn vector(
        &self,
        inputs: &Inputs,
        words: &[String],
        frequencies: Option<&[f64]>,
    ) -> Result<Vec<f64>> {
        match self {
            StaticInput::Zero => Ok(vec![0.0; inputs.width()]),
            StaticInput::Given(values) => given(values, inputs.width()),
            StaticInput::Mean => match frequencies {
                Some(shares) => Ok(inputs.mean(shares)),
                None => refuse("the mean token is that of a corpus, and none was given".into()),
            },
            StaticInput::Uniform => {
                let count = inputs.words();
                Ok(inputs.mean(&vec![1.0 / count as f64; count]))
            }
            StaticInput::Word(word) => match words.iter().position(|w| w == word) {
                Some(id) => Ok(inputs.vector(id)),
                None => refuse(format!("`{word}` is not in the vocabulary")),
            },
        }
    }
}

/// A vector of one's own, if it has the width and is finite.
///
/// # Errors
/// [`Error::Usage`] otherwise.
pub fn given(values: &[f64], width: usize) -> Result<Vec<f64>> {
    if values.len() != width {
        return refuse(format!("{values:?} has {} numbers, an input {width}", values.len()));
    }
    if values.iter().any(|x| !x.is_finite()) {
        return refuse(format!("{values:?}: give finite numbers"));
    }
    Ok(values.to_vec())
}

fn refuse(problem: String) -> Result<Vec<f64>> {
    Err(Error::Usage(format!("fixed_points.inputs: {problem}")))
}
