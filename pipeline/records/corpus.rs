//! The corpus, as the stages read it.

use super::kind::Optional;
use super::table::tables;

tables! {
    /// One row a document of the tokenised corpus.
    Documents("documents") {
        /// train, validation or test
        split: String,
        /// number within the split, from 0
        document: u32,
        /// token ids, rows of `vocabulary`
        tokens: Vec<u32>,
        /// class index (single labels)
        label: Optional<u32>,
        /// label indices (label lists)
        labels: Optional<Vec<u32>>,
        /// running score after each token (toy language)
        score: Optional<Vec<f32>>,
    }

    /// One row a token id.
    Vocabulary("vocabulary") {
        /// token id
        id: u32,
        /// its text
        word: String,
        /// occurrences in the training split
        count: u32,
    }
}
