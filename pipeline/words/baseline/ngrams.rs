//! Bags of words and of sequences of words.
//!
//! A document of words `w_1 … w_T` becomes the words themselves and, for every
//! frequent pair `w_t w_{t+1}` (and triple), a token of its own behind the
//! vocabulary; the bag of these is fitted as the bag of words is.

use crate::corpus::{Documents, Split};
use std::collections::HashMap;

/// Frequent sequences of words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ngrams {
    ids: HashMap<Vec<u32>, u32>,
    longest: usize,
    vocabulary: usize,
}

impl Ngrams {
    /// Sequences of 2 to `longest` words that occur `least` times or more in the
    /// training documents; at most four times as many as there are words, the most
    /// frequent.
    pub fn of(documents: &Documents, vocabulary: usize, longest: usize, least: usize) -> Self {
        let mut counts: HashMap<&[u32], usize> = HashMap::new();
        for document in documents.iter() {
            for length in 2..=longest {
                document.windows(length).for_each(|w| *counts.entry(w).or_default() += 1);
            }
        }
        let mut frequent: Vec<(&[u32], usize)> =
            counts.into_iter().filter(|(_, count)| *count >= least).collect();
        frequent.sort_by(|a, b| (b.1, a.0).cmp(&(a.1, b.0)));
        frequent.truncate(4 * vocabulary);
        let ids = frequent.into_iter().zip(vocabulary as u32..);
        Self { ids: ids.map(|((w, _), id)| (w.to_vec(), id)).collect(), longest, vocabulary }
    }

    /// Words and sequences together.
    pub fn size(&self) -> usize {
        self.vocabulary + self.ids.len()
    }

    /// The documents with a token for every sequence behind their words.
    pub fn apply(&self, split: &Split) -> Split {
        let mut documents = Documents::new();
        for document in split.documents.iter() {
            let mut all = document.to_vec();
            for length in 2..=self.longest {
                all.extend(document.windows(length).filter_map(|w| self.ids.get(w)));
            }
            documents.push(&all);
        }
        Split { documents, labels: split.labels.clone() }
    }
}
