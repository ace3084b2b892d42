//! What every room stands on: errors, named random streams, RON, files that appear whole, linear
//! algebra in fixed conventions, bounds of rounding, summary statistics.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

pub mod base;
pub mod linalg;
pub mod rounding;
pub mod summary;

pub use base::{error, files, guard, interrupt, nearest, notation, seed, setting};
pub use error::{Error, Result};
