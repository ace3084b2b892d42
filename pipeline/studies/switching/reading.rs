//! What a part's networks read: trials drawn for each step, or documents whose words are embedded.

use crate::analyses::switching::{Examples, Mechanism, Wanted, constant_parts};
use crate::corpus::tokens::Tokenizer;
use crate::corpus::{self, Corpus, Labels, Loaded, Split};
use crate::data::Task;
use crate::data::tasks::Law;
use crate::experiment::{AtRest, Part, Source};
use crate::seed;
use crate::studies::explain::of_a_synthetic_corpus;
use crate::switching::{Gradient, Losses, Shape, gradient};
use crate::train::{Crop, batches};
use crate::{Error, Result};
use rand::seq::SliceRandom;
use rand_distr::{Distribution, StandardNormal};
use std::path::Path;

/// Deviation of an embedding's numbers at the start.
const EMBEDDING: f64 = 0.3;

/// A part's source, opened.
pub enum Reading<'a> {
    /// Trials of a task.
    Trials(&'a Task, AtRest),
    /// Documents.
    Words(Box<Words>),
}

/// A corpus whose documents have a class each.
pub struct Words {
    corpus: Corpus,
    /// None for a synthetic corpus.
    tokenizer: Option<Tokenizer>,
    width: usize,
    rest: AtRest,
    /// Share of each word among the training tokens.
    shares: Vec<f32>,
    /// The batches of one epoch, and which.
    batches: Option<(usize, Vec<Vec<batches::Excerpt>>)>,
}

impl<'a> Reading<'a> {
    /// Opens a part's source.
    ///
    /// # Errors
    /// What loading the corpus returns; [`Error::Usage`] for labels other than classes, or an input at rest that the source
    /// does not have.
    pub fn open(part: &'a Part, data: &Path, seed: u64) -> Result<Self> {
        let rest = part.expansion.input;
        let refuse = |problem: &str| Err(Error::Usage(format!("part `{}`: {problem}", part.name)));
        match &part.reads {
            Source::Task(_) if rest == AtRest::Mean => {
                refuse("`expansion.input: Mean`: a task has no words; say Zero or Static")
            }
            Source::Task(task) => Ok(Self::Trials(task, rest)),
            Source::Text(_) if rest == AtRest::Static => {
                refuse("`expansion.input: Static`: words change at every step; say Zero or Mean")
            }
            Source::Text(text) => {
                let Loaded { corpus, tokenizer, .. } = corpus::load(&text.corpus, data, seed)?;
                if !matches!(corpus.train.labels, Labels::Class(_)) {
                    return refuse("documents with a class each are needed here");
                }
                let mut counts = vec![0.0_f64; corpus.words.len()];
                corpus.train.documents.tokens().iter().for_each(|w| counts[*w as usize] += 1.0);
                let total: f64 = counts.iter().sum();
                let shares = counts.iter().map(|c| (c / total) as f32).collect();
                let width = text.embedding;
                Ok(Self::Words(Box::new(Words {
                    corpus,
                    tokenizer,
                    width,
                    rest,
                    shares,
                    batches: None,
                })))
            }
        }
    }

    /// Numbers that enter at a step.
    pub fn inputs(&self) -> usize {
        match self {
            Self::Trials(task, _) => task.inputs(),
            Self::Words(words) => words.width,
        }
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        match self {
            Self::Trials(task, _) => task.outputs(),
            Self::Words(words) => match words.corpus.label_names.len() {
                2 => 1,
                classes => classes,
            },
        }
    }

    /// Mean squared error of the best constant answer.
    pub fn chance(&self) -> f64 {
        match self {
            Self::Trials(task, _) => task.scores().chance,
            Self::Words(_) => 1.0,
        }
    }

    /// What is asked of inputs.
    pub fn mechanism(&self) -> Mechanism {
        match self {
            Self::Trials(Task::Memory(law), _) => {
                Mechanism::Memory { bits: law.bits, paired: law.paired }
            }
            Self::Trials(Task::Integration(_), AtRest::Static) => Mechanism::Integration,
            _ => Mechanism::None,
        }
    }

    /// Words by their number; none for tasks.
    pub fn words(&self) -> &[String] {
        match self {
            Self::Trials(..) => &[],
            Self::Words(words) => &words.corpus.words,
        }
    }

    /// Names of the classes; none for tasks.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::Trials(..) => &[],
            Self::Words(words) => &words.corpus.label_names,
        }
    }

    /// Tokens of a text with the words that they stand for; none for tasks.
    ///
    /// # Errors
    /// [`Error::Usage`] for a word that a synthetic corpus does not have.
    pub fn cut(&self, text: &str) -> Result<Vec<(u32, String)>> {
        match self {
            Self::Trials(..) => Ok(Vec::new()),
            Self::Words(words) => match &words.tokenizer {
                Some(tokenizer) => tokenizer.encode_with_parts(text),
                None => of_a_synthetic_corpus(text, &words.corpus.words),
            },
        }
    }

    /// Parameters besides the network's: the embedding, `[words, inputs]`.
    pub fn embedding(&self, seed: u64) -> Vec<f32> {
        let mut stream = seed::stream(seed, "switching/initial/embedding");
        let mut draw = || -> f32 {
            let z: f64 = StandardNormal.sample(&mut stream);
            (EMBEDDING * z) as f32
        };
        (0..self.words().len() * self.inputs()).map(|_| draw()).collect()
    }

    /// Vectors of words, end to end, and the input at rest; nothing for tasks.
    ///
    /// * `table`: the embedding, `[words, inputs]`
    pub fn embedded(&self, table: &[f32], tokens: &[u32]) -> (Vec<f32>, Vec<f32>) {
        match self {
            Self::Trials(..) => Default::default(),
            Self::Words(words) => {
                let vector = |w: &u32| &table[*w as usize * words.width..][..words.width];
                (tokens.iter().flat_map(vector).copied().collect(), words.at_rest(table))
            }
        }
    }

    /// Loss and gradient at step `k`.
    ///
    /// # Errors
    /// As [`gradient`].
    pub fn gradient(
        &mut self,
        shape: &Shape,
        parameters: &[f32],
        losses: &Losses,
        (k, seed, batch): (usize, u64, usize),
    ) -> Result<Gradient> {
        match self {
            Self::Trials(task, rest) => {
                let drawn = task.draw(batch, seed, &format!("train/step {k}"));
                let examples = Examples::of_task(&drawn, |x| at_rest(x, task.inputs(), *rest));
                gradient(shape, parameters, losses, &examples.sequences(), false)
            }
            Self::Words(words) => words.gradient(shape, parameters, losses, (k, seed, batch)),
        }
    }

    /// Test trials or documents, at most so many; documents drawn by the seed, for a file may be sorted by label.
    pub fn test(&self, parameters: &[f32], shape: &Shape, most: usize, seed: u64) -> Examples {
        match self {
            Self::Trials(task, rest) => {
                let drawn = task.draw(most, seed, "test");
                Examples::of_task(&drawn, |x| at_rest(x, task.inputs(), *rest))
            }
            Self::Words(words) => {
                let split = &words.corpus.test;
                let excerpts: Vec<batches::Excerpt> = drawn(split.documents.len(), most, seed)
                    .into_iter()
                    .map(|document| batches::Excerpt {
                        document,
                        tokens: 0..split.documents.get(document).len(),
                    })
                    .collect();
                words.examples(split, &excerpts, &parameters[shape.parameters()..])
            }
        }
    }
}

/// Some of so many documents, in their order.
fn drawn(count: usize, most: usize, seed: u64) -> Vec<usize> {
    let mut all: Vec<usize> = (0..count).collect();
    all.shuffle(&mut seed::stream(seed, "switching/test documents"));
    all.truncate(most);
    all.sort_unstable();
    all
}

/// The input at rest of a trial.
fn at_rest(inputs: &[f32], width: usize, rest: AtRest) -> Vec<f32> {
    match rest {
        AtRest::Static => constant_parts(inputs, width),
        AtRest::Zero | AtRest::Mean => vec![0.0; width],
    }
}

impl Words {
    /// The input at rest: zero, or the mean word.
    fn at_rest(&self, table: &[f32]) -> Vec<f32> {
        let mut rest = vec![0.0; self.width];
        if self.rest == AtRest::Mean {
            for (row, share) in table.chunks(self.width).zip(&self.shares) {
                rest.iter_mut().zip(row).for_each(|(r, x)| *r += share * x);
            }
        }
        rest
    }

    fn examples(&self, split: &Split, excerpts: &[batches::Excerpt], table: &[f32]) -> Examples {
        let vector = |w: &u32| &table[*w as usize * self.width..][..self.width];
        let Labels::Class(classes) = &split.labels else {
            unreachable!("other labels are refused when the corpus is opened")
        };
        let tokens: Vec<Vec<u32>> = excerpts
            .iter()
            .map(|e| split.documents.get(e.document)[e.tokens.clone()].to_vec())
            .collect();
        let rest = self.at_rest(table);
        Examples {
            inputs: tokens.iter().map(|of| of.iter().flat_map(vector).copied().collect()).collect(),
            at_rest: vec![rest; excerpts.len()],
            wanted: Wanted::Classes(
                excerpts.iter().map(|e| classes[e.document] as usize).collect(),
            ),
            tokens,
        }
    }

    fn gradient(
        &mut self,
        shape: &Shape,
        parameters: &[f32],
        losses: &Losses,
        (k, seed, batch): (usize, u64, usize),
    ) -> Result<Gradient> {
        let count = self.corpus.train.documents.len().div_ceil(batch);
        let (epoch, place) = (k / count, k % count);
        if self.batches.as_ref().is_none_or(|(of, _)| *of != epoch) {
            let lengths: Vec<usize> =
                self.corpus.train.documents.iter().map(<[u32]>::len).collect();
            let all = batches::epoch(&lengths, Crop::default(), batch, seed, epoch);
            self.batches = Some((epoch, all));
        }
        let (_, batches) = self.batches.as_ref().expect("it was just made");
        let (network, table) = parameters.split_at(shape.parameters());
        let examples = self.examples(&self.corpus.train, &batches[place], table);
        let mut found = gradient(shape, network, losses, &examples.sequences(), true)?;
        let mut slopes = vec![0.0; table.len()];
        for (tokens, of) in examples.tokens.iter().zip(&found.inputs) {
            for (word, slope) in tokens.iter().zip(of.chunks(self.width)) {
                let row = &mut slopes[*word as usize * self.width..][..self.width];
                row.iter_mut().zip(slope).for_each(|(sum, x)| *sum += x);
            }
        }
        if self.rest == AtRest::Mean {
            let mut mean = vec![0.0; self.width];
            for of in &found.expansion_inputs {
                mean.iter_mut().zip(of).for_each(|(sum, x)| *sum += x);
            }
            for (row, share) in slopes.chunks_mut(self.width).zip(&self.shares) {
                row.iter_mut().zip(&mean).for_each(|(sum, x)| *sum += share * x);
            }
        }
        found.parameters.extend(slopes);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_file_sorted_by_label_documents_of_both_are_drawn() {
        let chosen = drawn(2000, 400, 1);
        let second = chosen.iter().filter(|d| **d >= 1000).count();
        // Half of them, within five standard deviations.
        assert!(chosen.len() == 400 && second.abs_diff(200) < 50, "{second}");
        assert!(chosen.is_sorted() && chosen[399] < 2000);
        assert_eq!(drawn(3, 400, 1), [0, 1, 2]);
    }
}
