//! Trials: sequences, and what should be said of them.

use super::documents::{Documents, Labels, Split};

/// Vectors of many sequences, laid end to end.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Vectors {
    /// Numbers of a vector, `u`.
    width: usize,
    /// `[steps of all sequences, u]`, row-major.
    numbers: Vec<f32>,
    /// Where each sequence ends, in steps.
    ends: Vec<usize>,
}

impl Vectors {
    /// No sequences yet.
    ///
    /// # Panics
    /// If vectors have no numbers.
    pub fn new(width: usize) -> Self {
        assert!(width > 0, "a vector has a number at least");
        Self { width, ..Self::default() }
    }

    /// Adds one sequence, `[t, u]`.
    ///
    /// # Panics
    /// If the numbers do not fill whole vectors.
    pub fn push(&mut self, sequence: &[f32]) {
        assert!(sequence.len().is_multiple_of(self.width), "a sequence has whole vectors");
        self.numbers.extend_from_slice(sequence);
        self.ends.push(self.numbers.len() / self.width);
    }

    /// Numbers of a vector, `u`.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no sequences.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Steps of all sequences together.
    pub fn steps(&self) -> usize {
        self.ends.last().copied().unwrap_or(0)
    }

    /// Steps before sequence `i`.
    pub fn start(&self, i: usize) -> usize {
        if i == 0 { 0 } else { self.ends[i - 1] }
    }

    /// Steps of sequence `i`.
    pub fn length(&self, i: usize) -> usize {
        self.ends[i] - self.start(i)
    }

    /// Sequence `i`, `[t, u]`.
    ///
    /// # Panics
    /// If there is no sequence `i`.
    pub fn get(&self, i: usize) -> &[f32] {
        &self.numbers[self.start(i) * self.width..self.ends[i] * self.width]
    }

    /// The vector of sequence `i` at step `t`, `[u]`.
    ///
    /// # Panics
    /// If there is none.
    pub fn at(&self, i: usize, t: usize) -> &[f32] {
        &self.get(i)[t * self.width..][..self.width]
    }
}

/// What a network reads.
#[derive(Clone, Copy, Debug)]
pub enum Sequences<'a> {
    /// Token ids.
    Tokens(&'a Documents),
    /// Vectors.
    Vectors(&'a Vectors),
}

impl Sequences<'_> {
    /// Number of sequences.
    pub fn len(&self) -> usize {
        match self {
            Sequences::Tokens(documents) => documents.len(),
            Sequences::Vectors(vectors) => vectors.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Tokens or vectors of sequence `i`.
    pub fn length(&self, i: usize) -> usize {
        match self {
            Sequences::Tokens(documents) => documents.get(i).len(),
            Sequences::Vectors(vectors) => vectors.length(i),
        }
    }
}

/// What the loss of a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepLoss {
    /// `(y_k − ŷ_k)²`, mean over outputs and the steps that count.
    Squared,
    /// `−Σ_k ŷ_k ln softmax(y)_k`, nats, mean over the steps that count; the targets of a step sum to 1.
    Softmax,
    /// `−ŷ_k ln σ(y_k) − (1 − ŷ_k) ln σ(−y_k)`, nats, mean over outputs and the steps that count.
    Logistic,
}

/// A vector to be said at every step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepTargets {
    /// Numbers of a target, `k`.
    pub width: usize,
    /// `[steps of all sequences, k]`, row-major, in the order of the inputs.
    pub values: Vec<f32>,
    /// `[steps of all sequences]`: how much a step counts; 0 leaves it out.
    pub mask: Vec<f32>,
    /// What is made small.
    pub loss: StepLoss,
}

/// What should be said.
#[derive(Clone, Copy, Debug)]
pub enum Targets<'a> {
    /// A class or labels a sequence, or a number at every token.
    Labels(&'a Labels),
    /// A vector at every step.
    Steps(&'a StepTargets),
}

/// Sequences with what should be said of each.
#[derive(Clone, Copy, Debug)]
pub struct Trials<'a> {
    /// What is read.
    pub inputs: Sequences<'a>,
    /// What should be said.
    pub targets: Targets<'a>,
    /// A number a sequence: which of them are alike; empty where nobody asks.
    pub conditions: &'a [u32],
}

impl Trials<'_> {
    /// Number of trials.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }
}

impl<'a> From<&'a Split> for Trials<'a> {
    fn from(split: &'a Split) -> Self {
        Self {
            inputs: Sequences::Tokens(&split.documents),
            targets: Targets::Labels(&split.labels),
            conditions: &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_found_where_they_were_put() {
        let mut all = Vectors::new(2);
        all.push(&[1.0, 2.0, 3.0, 4.0]);
        all.push(&[5.0, 6.0]);
        assert_eq!((all.len(), all.steps(), all.length(0), all.length(1)), (2, 3, 2, 1));
        assert_eq!((all.at(0, 1), all.get(1), all.start(1)), (&[3.0, 4.0][..], &[5.0, 6.0][..], 2));
    }
}
