//! How often each document has each word: a sparse matrix.

use crate::corpus::Documents;
use rayon::prelude::*;

/// Document–term counts in compressed rows: only words that occur are stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counts {
    /// Where each document's entries start; one more than documents.
    starts: Vec<usize>,
    words: Vec<u32>,
    counts: Vec<f32>,
    vocabulary: usize,
}

impl Counts {
    /// Counts the words of every document, over all threads.
    pub fn of(documents: &Documents, vocabulary: usize) -> Self {
        let rows: Vec<Vec<(u32, f32)>> =
            (0..documents.len()).into_par_iter().map(|d| row(documents.get(d))).collect();
        let mut all = Self { starts: vec![0], vocabulary, ..Self::default() };
        for row in rows {
            all.words.extend(row.iter().map(|(w, _)| w));
            all.counts.extend(row.iter().map(|(_, c)| c));
            all.starts.push(all.words.len());
        }
        all
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are no documents.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of words.
    pub fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    /// Words of document `d`, ascending, with their counts.
    pub fn document(&self, d: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = self.starts[d]..self.starts[d + 1];
        self.words[range.clone()].iter().copied().zip(self.counts[range].iter().copied())
    }
}

/// Distinct words of one document, ascending, with their counts.
pub fn row(tokens: &[u32]) -> Vec<(u32, f32)> {
    let mut sorted = tokens.to_vec();
    sorted.sort_unstable();
    let runs = sorted.chunk_by(|a, b| a == b);
    runs.map(|run| (run[0], run.len() as f32)).collect()
}
