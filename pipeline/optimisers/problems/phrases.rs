//! Softmax regression on phrases of a synthetic language.

use super::network::{Network, Shape};
use super::{Problem, Real, cast, normal};
use crate::seed::Stream;
use crate::setting;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Phrases of words that each speak for a class, more or less; the label is the class with the largest sum. A linear
/// readout of the words' shares learns it by the mean cross-entropy. What the words say is new in each problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Phrases {
    /// Classes.
    #[serde(deserialize_with = "setting::whole::<_, 2, 64>")]
    pub classes: usize,
    /// Words of the language.
    #[serde(deserialize_with = "setting::whole::<_, 2, 4096>")]
    pub words: usize,
    /// Words of a phrase.
    #[serde(deserialize_with = "setting::whole::<_, 1, 4096>")]
    pub length: usize,
    /// Phrases of a problem.
    #[serde(deserialize_with = "setting::whole::<_, 2, 100000>")]
    pub documents: usize,
    /// Factor of the weights' Euclidean norm (not squared) in the loss.
    #[serde(deserialize_with = "setting::not_negative")]
    pub penalty: f64,
}

impl Default for Phrases {
    fn default() -> Self {
        Self { classes: 3, words: 30, length: 20, documents: 64, penalty: 5e-3 }
    }
}

impl Phrases {
    pub(super) fn draw<R: Real>(&self, stream: &mut Stream) -> impl Problem<R> + use<R> {
        let Self { classes, words, length, documents, .. } = *self;
        let worth = normal(stream, words * classes);
        let mut inputs = vec![0.0; words * documents];
        let mut labels = Vec::with_capacity(documents);
        let scale = 1.0 / (length as f64).sqrt();
        for d in 0..documents {
            let mut scores = vec![0.0; classes];
            for _ in 0..length {
                let word = stream.random_range(0..words);
                inputs[word * documents + d] += scale;
                scores.iter_mut().zip(&worth[word * classes..]).for_each(|(s, w)| *s += w);
            }
            let best = (0..classes).max_by(|&a, &b| scores[a].total_cmp(&scores[b]));
            labels.push(best.expect("there are classes"));
        }
        let start: Vec<f64> =
            normal(stream, classes * (words + 1)).iter().map(|x| 0.1 * x).collect();
        Network {
            shape: Shape::dense(&[words, classes]).into(),
            inputs: cast(&inputs),
            labels,
            penalty: R::of(self.penalty),
            start: cast(&start),
        }
    }
}
