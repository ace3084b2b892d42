//! What a network reads, and what is asked of it.
//!
//! [`Trials`] are sequences of token ids or of vectors, each with a target: a class, labels, or a vector at every
//! step with a mask, and a condition that says which trials are alike. Documents of a corpus are one producer
//! ([`documents`]), the [`tasks`] of systems neuroscience, whose law is known, are another.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

use accrue_numerics::{seed, setting};

pub mod documents;
pub mod tasks;
pub mod trials;

pub use documents::{Corpus, Documents, Labels, Split};
pub use tasks::Task;
pub use trials::{Sequences, StepLoss, StepTargets, Targets, Trials, Vectors};
