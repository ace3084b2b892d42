//! Words one by one, and how far they get without order.

use super::kind::Even;
use super::table::tables;

tables! {
    /// One row a word of the vocabulary.
    Words("words") {
        /// text
        word: String,
        /// token id
        id: u64,
        /// occurrences in the training split
        count: u64,
        /// [labels] log-odds of the word inside and outside the label's documents, nats
        evidence: Even<f64>,
        /// [outputs] coefficient of the logistic regression, logits an occurrence
        bag_of_words: Even<f64>,
        /// [outputs] change of the readout by the word at the central state, beyond the held
        /// input's, logits
        network: Even<f64>,
    }

    /// One row a model, on the test split.
    Accuracies("accuracies") {
        /// network, bag_of_words, bigrams, trigrams and encoder (where `baseline` asks), majority
        /// (always the commonest answer)
        model: String,
        /// share right (R² for a score)
        accuracy: f64,
        /// 95 % interval (Wilson); NaN for a score
        low: f64,
        /// its upper end
        high: f64,
        /// answers
        n: u64,
    }

    /// One row a penalty tried for the bag of words.
    Penalties("penalties") {
        /// λ in λ/2‖β‖²
        penalty: f64,
        /// mean loss on the validation split, nats
        validation_loss: f64,
        /// accuracy there
        validation_accuracy: f64,
        /// whether the fit reached its gradient tolerance
        converged: bool,
    }

    /// One row an output of the bag of words; its coefficients are in `words`.
    BagOfWords("bag_of_words") {
        /// index
        output: u64,
        /// logits (for a score, units)
        bias: f64,
        /// the chosen λ (same in every row)
        penalty: f64,
    }
}
