//! Which token ids, which labels, which split.

pub mod documents;

pub use documents::{Corpus, Documents, Labels, Split};
