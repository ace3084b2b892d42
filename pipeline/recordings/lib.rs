//! What is asked of units that were recorded together, in a brain or in a network.
//!
//! Everything here takes numbers and gives numbers: responses `[trials, units]` or `[samples, units]`, and what was
//! varied. A question has a file of its own:
//!
//! * [`rdm`]: how far apart are the responses of two conditions; [`geometry`]: which arrangement of conditions do these
//!   distances have, and how much is the irrelevant feature compressed;
//! * [`regression`]: least squares, free and non-negative, with designs that cannot be solved refused;
//! * [`targeted`]: which axis carries choice, which a feature; responses without an axis;
//! * [`generator`]: responses whose gating is known; [`selection`]: by which of three mechanisms is an input selected;
//! * [`kernel`]: how much does each moment's evidence weigh in a choice;
//! * [`encoding`]: how much of the activity do groups of regressors explain;
//! * [`process`]: smooth random signals; [`synthetic`]: a recording whose shares of variance are known.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, linalg, seed, summary};

pub mod encoding;
pub mod generator;
pub mod geometry;
pub mod kernel;
pub mod process;
pub mod rdm;
pub mod regression;
pub mod selection;
pub mod synthetic;
pub mod targeted;

#[cfg(test)]
mod tests;
