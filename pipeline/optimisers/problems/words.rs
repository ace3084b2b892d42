//! Logistic regression on the word counts of a corpus: text as an optimiser meets it.

use super::network::{Network, Shape};
use super::{Problem, Real, cast, normal};
use crate::seed::{self, Stream};
use crate::{Error, Result, setting};
use rand::Rng;
use rand::seq::index::sample;
use serde::{Deserialize, Serialize};

/// Word counts of documents with two labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    /// Words, by falling frequency.
    pub words: Vec<String>,
    /// Words of each document with their counts.
    pub documents: Vec<Vec<(u32, u32)>>,
    /// Whether each document has the second label.
    pub labels: Vec<bool>,
}

impl Counts {
    /// Documents of a planted language, for tests: every third word speaks for the second label.
    pub fn planted(documents: usize, words: usize, seed: u64) -> Self {
        let mut stream = seed::stream(seed, "planted counts");
        let mut all = Vec::with_capacity(documents);
        let mut labels = Vec::with_capacity(documents);
        for _ in 0..documents {
            let label: bool = stream.random();
            let mut counts = vec![0_u32; words];
            for _ in 0..40 {
                let word = stream.random_range(0..words);
                let speaks = word % 3 == 0;
                counts[word] += (!speaks || label || stream.random::<f64>() < 0.5) as u32;
            }
            let there = counts.iter().enumerate().filter(|(_, c)| **c > 0);
            all.push(there.map(|(w, c)| (w as u32, *c)).collect());
            labels.push(label);
        }
        Self { words: (0..words).map(|w| format!("w{w}")).collect(), documents: all, labels }
    }
}

/// Some documents of a corpus and some of its words, drawn anew for each problem: logistic regression on the roots of
/// their counts, each word's divided by their standard deviation over the documents. Problems that are tested read the last fifth of
/// the documents, all others the rest. Documents of one label alone are drawn anew: there would be nothing to tell apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Words {
    /// Words of a problem.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub words: usize,
    /// Commonest words of the corpus that they are drawn from.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub of: usize,
    /// Documents of a problem.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000000>")]
    pub documents: usize,
    /// Factor of the weights' Euclidean norm (not squared) in the loss.
    #[serde(deserialize_with = "setting::not_negative")]
    pub penalty: f64,
}

impl Default for Words {
    fn default() -> Self {
        Self { words: 50, of: 1000, documents: 128, penalty: 5e-3 }
    }
}

/// Draws of documents until both labels are among them; where both are at hand, two documents of one label have a half, or more.
const DRAWS: usize = 1000;

impl Words {
    /// Documents of a problem, of `many` from `first` on.
    fn documents(
        &self,
        counts: &Counts,
        (first, many): (usize, usize),
        part: &str,
        stream: &mut Stream,
    ) -> Result<Vec<usize>> {
        let both = |of: &[usize]| of.iter().any(|&d| counts.labels[d] != counts.labels[of[0]]);
        let all: Vec<usize> = (first..first + many).collect();
        if both(&all) {
            for _ in 0..DRAWS {
                let drawn = sample(stream, many, self.documents);
                let chosen: Vec<usize> = drawn.into_iter().map(|d| first + d).collect();
                if both(&chosen) {
                    return Ok(chosen);
                }
            }
        }
        let of = all.iter().filter(|&&d| counts.labels[d]).count();
        Err(Error::Usage(format!(
            "corpus: {part} of the documents ({many}) has {of} of the second label and {} of the first; give documents of both, and more",
            many - of
        )))
    }

    pub(super) fn draw<R: Real>(
        &self,
        counts: &Counts,
        test: bool,
        stream: &mut Stream,
    ) -> Result<impl Problem<R> + use<R>> {
        let all = counts.documents.len();
        let held_out = all / 5;
        let (first, many) = if test { (all - held_out, held_out) } else { (0, all - held_out) };
        let part = if test { "the test fifth" } else { "the training part" };
        if many < self.documents {
            return Err(Error::Usage(format!(
                "task.documents: a problem takes {} documents, and {part} of {all} has {many}; give fewer, or a larger corpus",
                self.documents
            )));
        }
        let there = counts.words.len();
        let of = self.of.min(there);
        if of < self.words {
            let remedy = match there < self.words {
                true => "give fewer, or a larger corpus (`corpus.tokens.vocabulary` may cut it)",
                false => "give fewer, or raise `task.of`",
            };
            return Err(Error::Usage(format!(
                "task.words: a problem takes {} words of {of} (`task.of` is {}, the corpus has {there}); {remedy}",
                self.words, self.of
            )));
        }
        let mut place = vec![usize::MAX; counts.words.len()];
        for (k, word) in sample(stream, of, self.words).into_iter().enumerate() {
            place[word] = k;
        }
        let n = self.documents;
        let chosen = self.documents(counts, (first, many), part, stream)?;
        let mut inputs = vec![0.0; self.words * n];
        for (d, &document) in chosen.iter().enumerate() {
            for &(word, count) in &counts.documents[document] {
                if let Some(row) = place.get(word as usize).filter(|k| **k != usize::MAX) {
                    inputs[row * n + d] = (count as f64).sqrt();
                }
            }
        }
        for row in inputs.chunks_mut(n) {
            let mean = row.iter().sum::<f64>() / n as f64;
            let spread = (row.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64).sqrt();
            // A word of no document, or the same in all, stays as it is.
            if spread > 0.0 {
                row.iter_mut().for_each(|x| *x = (*x - mean) / spread);
            }
        }
        let start: Vec<f64> = normal(stream, self.words + 1).iter().map(|x| 0.1 * x).collect();
        Ok(Network {
            shape: Shape::dense(&[self.words, 1]).into(),
            inputs: cast(&inputs),
            labels: chosen.iter().map(|&d| counts.labels[d] as usize).collect(),
            penalty: R::of(self.penalty),
            start: cast(&start),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(words: &Words, counts: &Counts, test: bool) -> String {
        let drawn = words.draw::<f64>(counts, test, &mut seed::stream(1, "words"));
        drawn.err().expect("it is refused").to_string()
    }

    #[test]
    fn a_problem_has_documents_of_both_labels() {
        let counts = Counts::planted(40, 6, 3);
        let words = Words { words: 3, documents: 2, ..Words::default() };
        for i in 0..200 {
            let stream = &mut seed::stream(i, "words");
            let chosen = words.documents(&counts, (0, 32), "", stream).unwrap();
            assert_ne!(counts.labels[chosen[0]], counts.labels[chosen[1]]);
        }
        let sorted = Counts { labels: (0..40).map(|d| d >= 20).collect(), ..counts };
        assert!(words.draw::<f64>(&sorted, false, &mut seed::stream(1, "words")).is_ok());
        let said = refused(&words, &sorted, true);
        assert!(
            said.contains("the test fifth of the documents (8) has 8 of the second label"),
            "{said}"
        );
    }

    #[test]
    fn too_few_words_and_documents_are_told_with_what_there_is() {
        let counts = Counts::planted(55, 34, 3);
        let many = Words { words: 500, documents: 2, ..Words::default() };
        let said = refused(&many, &counts, false);
        assert!(
            said.contains("`task.of` is 1000, the corpus has 34") && said.contains("larger corpus"),
            "{said}"
        );
        let few = Words { words: 20, of: 10, documents: 2, ..Words::default() };
        assert!(refused(&few, &counts, false).contains("raise `task.of`"));
        let said = refused(&Words { words: 3, documents: 32, ..Words::default() }, &counts, true);
        assert!(said.contains("the test fifth of 55 has 11"), "{said}");
    }
}
