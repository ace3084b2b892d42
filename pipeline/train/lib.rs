//! Weights from a seed.
//!
//! [`fit`](fit::fit) walks batches of similar length in an order fixed by the
//! seed, takes Adam steps with a continuously decaying learning rate, measures
//! the validation split, stops early, and leaves checkpoints from which a
//! killed run goes on to the same bits. What is validated and kept may be the [`average`] of the weights of many
//! steps. [`fit_together`] trains many networks side
//! by side on a card.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_data as data;
use accrue_model as model;
use accrue_numerics::{Error, Result, interrupt, seed, setting};
use accrue_ops as ops;

pub mod adam;
pub mod average;
pub mod batches;
pub mod checkpoint;
pub mod fit;
pub mod loss;
pub mod penalty;
pub mod settings;
#[cfg(feature = "cuda")]
mod stack;

pub use fit::{Fit, Member, Record, Watch, fit, fit_together, score};
pub use loss::{Tally, head};
pub use settings::{Crop, Penalty, Settings};
