//! New texts, answered by the network of a run and by its bags of words.

use super::explain::{bag_of_words, context_of, named, of_a_synthetic_corpus};
use crate::baseline::context::Context;
use crate::corpus::{Corpus, store, tokens::Tokenizer};
use crate::model::{Head, Network};
use crate::{Error, Result};
use serde::Serialize;
use std::path::Path;

/// What a reader says of a text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The label, several joined by ` + `, or `none`.
    pub label: String,
    /// Probability that its outputs give it: of labels that do not exclude each other, that of the least sure one said,
    /// or of none, 1 less that of the surest one.
    pub probability: f64,
}

/// A text, read three ways.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Classified {
    /// By the network; none for a text without a word.
    pub network: Option<Answer>,
    /// By words alone.
    pub alone: Option<Answer>,
    /// By words in context, where the run has such a model.
    pub in_context: Option<Answer>,
    /// Words it has, as the run's tokenizer cuts it.
    pub words: usize,
    /// Of these, words that the vocabulary does not have and a word for what is unknown stands for.
    pub unknown: usize,
}

/// What a run can say of new texts.
pub struct Classifier {
    corpus: Corpus,
    network: Network,
    /// None for a synthetic corpus, which has words alone.
    tokenizer: Option<Tokenizer>,
    coefficients: Vec<Vec<f64>>,
    bias: Vec<f64>,
    context: Option<Context>,
}

impl Classifier {
    /// Of a finished run.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder holds no finished run, [`Error::Usage`] for a run without labels.
    pub fn open(run: &Path) -> Result<Self> {
        super::text::reading(run)?;
        let corpus = store::read(run)?;
        let network = Network::load(&run.join("model.safetensors"))?;
        super::text::check_fit(run, &corpus, &network)?;
        if corpus.label_names.is_empty() {
            let problem = "classify: this run follows a score, it has no labels";
            return Err(Error::Usage(problem.into()));
        }
        let (coefficients, bias) = bag_of_words(run, corpus.words.len(), network.outputs())?;
        let context = context_of(run, corpus.words.len())?;
        let path = run.join("tokenizer.json");
        let tokenizer = path.is_file().then(|| Tokenizer::read(&path)).transpose()?;
        Ok(Self { corpus, network, tokenizer, coefficients, bias, context })
    }

    /// Names of the labels.
    pub fn labels(&self) -> &[String] {
        &self.corpus.label_names
    }

    /// Token ids of each text, and how many words were left out because nothing stands for what is unknown.
    fn tokens(&self, texts: &[String]) -> Result<(Vec<Vec<u32>>, usize)> {
        if let Some(tokenizer) = &self.tokenizer {
            return tokenizer.encode_counting(texts);
        }
        let words = &self.corpus.words;
        let ids = |text: &String| {
            Ok(of_a_synthetic_corpus(text, words)?.into_iter().map(|(id, _)| id).collect())
        };
        Ok((texts.iter().map(ids).collect::<Result<_>>()?, 0))
    }

    /// Answers texts, in their order; also how many words were left out because nothing stands for what is unknown.
    ///
    /// # Errors
    /// What the tokenizer returns; [`Error::Usage`] for a word that a synthetic corpus does not have.
    pub fn answer(&self, texts: &[String]) -> Result<(Vec<Classified>, usize)> {
        let (tokens, left_out) = self.tokens(texts)?;
        let unknown = self.tokenizer.as_ref().and_then(Tokenizer::unknown);
        let filled: Vec<usize> = (0..tokens.len()).filter(|&i| !tokens[i].is_empty()).collect();
        let documents: Vec<&[u32]> = filled.iter().map(|&i| tokens[i].as_slice()).collect();
        let said = self.network.predict(&documents)?;
        let blank =
            Classified { network: None, alone: None, in_context: None, words: 0, unknown: 0 };
        let mut all = vec![blank; texts.len()];
        for (&i, said) in filled.iter().zip(said) {
            let read: Vec<f64> = said.iter().map(|&z| z as f64).collect();
            let own = &tokens[i];
            let mut alone = self.bias.clone();
            for &t in own {
                let words = &self.coefficients[t as usize];
                alone.iter_mut().zip(words).for_each(|(z, w)| *z += w);
            }
            all[i] = Classified {
                network: Some(self.of(&read)),
                alone: Some(self.of(&alone)),
                in_context: self.context.as_ref().map(|c| self.of(&c.outputs(own))),
                words: own.len(),
                unknown: own.iter().filter(|t| Some(**t) == unknown).count(),
            };
        }
        Ok((all, left_out))
    }

    /// Label and probability of outputs.
    fn of(&self, z: &[f64]) -> Answer {
        let head = self.network.head();
        Answer {
            label: named(head, z, &self.corpus.label_names),
            probability: probability(head, z),
        }
    }
}

/// Probability of the answer that outputs give.
fn probability(head: Head, z: &[f64]) -> f64 {
    let logistic = |x: f64| 1.0 / (1.0 + (-x).exp());
    match (head, z) {
        (Head::MultiLabel, _) => {
            let sure = z.iter().filter(|z| **z >= 0.0).copied().fold(f64::INFINITY, f64::min);
            let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            if sure.is_finite() { logistic(sure) } else { 1.0 - logistic(most) }
        }
        (_, [z]) => logistic(z.abs()),
        _ => {
            let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            1.0 / z.iter().map(|z| (z - most).exp()).sum::<f64>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_the_answer_given() {
        // Two classes by one logit: ln 3 is 3 to 1, whichever sign.
        for z in [3.0_f64.ln(), -3.0_f64.ln()] {
            assert!((probability(Head::Binary, &[z]) - 0.75).abs() < 1e-12);
        }
        // 2 : 1 : 1.
        assert!((probability(Head::Softmax, &[2.0_f64.ln(), 0.0, 0.0]) - 0.5).abs() < 1e-12);
        // Said: the labels at 3 to 1 and even; the least sure one is even. None said: 3 to 1 against the surest.
        let odds = 3.0_f64.ln();
        assert!((probability(Head::MultiLabel, &[odds, 0.0, -9.0]) - 0.5).abs() < 1e-12);
        assert!((probability(Head::MultiLabel, &[-odds, -9.0]) - 0.75).abs() < 1e-12);
    }
}
