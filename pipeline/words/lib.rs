//! What words say by themselves: the dimension their counts predict ([`stats`]), and how far bags of
//! words and of words in context get ([`baseline`]).
//!
//! This crate cannot see a recurrent network: it does not depend on the one that holds them.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, linalg, seed, setting, summary};
use accrue_text as corpus;

pub mod baseline;
pub mod stats;
