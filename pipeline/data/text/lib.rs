//! Which token ids, which labels, which split.
//!
//! [`load`](load::load) goes from [`Settings`] to a [`Corpus`]: [`sources`] says which files a path means, they are
//! read by [`read`] (`stream` unpacks and decodes, `separated`, `json` and `frames` know the formats), label values
//! become indices in [`labelling`], missing splits
//! are set apart in [`split`] ([`neighbours`] says where single documents will not do), text becomes token ids in [`tokens`], and
//! [`store`] keeps the result for later stages. [`pieces`] reads what is larger than memory. [`synthetic`] draws corpora of
//! known structure, and [`catalogue`] knows public ones by name.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, files, guard, interrupt, nearest, notation, seed, setting};

pub mod catalogue;
pub mod fetch;
mod frames;
mod json;
pub mod labelling;
pub mod load;
pub mod neighbours;
pub mod overview;
pub mod parquet;
pub mod pieces;
pub mod read;
mod separated;
pub mod settings;
pub mod sources;
pub mod split;
pub mod store;
mod stream;
pub mod synthetic;
pub mod tokens;
pub mod words;

pub use accrue_data::documents;
pub use accrue_data::{Corpus, Documents, Labels, Split};
pub use load::{Loaded, load};
pub use pieces::Pieces;
pub use settings::{Settings, Source};
