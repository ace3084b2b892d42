//! The recurrent cells: their equations in f64, what they are called, how their weights lie, what enters them.
//!
//! One file a cell holds everything that is particular to it: its step, its two Jacobians, how much it bends
//! and how far rounding may lead ([`Equations`]), and its names ([`Facts`]). [`Map`] is a cell with its input
//! held. Sequences in f32, forward and backward, are in `accrue-ops`; searches and proofs, for any map, in
//! `accrue-dynamics`.
//!
//! # A new cell
//!
//! 1. A file here with its [`Facts`] and its [`Equations`]; `tests/dynamics.rs` holds the Jacobians against
//!    central differences and `tests/references/precise.py` the rounding bounds against 50 digits.
//! 2. A variant of [`CellKind`], and its line in [`CellKind::ALL`], [`CellKind::facts`] and [`CellKind::equations`].
//! 3. To train it: forward and backward in `accrue-ops`, which says how.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, linalg, rounding};

mod activation;
mod bounds;
mod cell;
mod equations;
mod gru;
mod gru_reset_before;
mod inputs;
mod linear;
mod lstm;
mod map;
mod products;
mod relu;
mod ugrnn;
mod vanilla;

pub use activation::Nonlinearity;
pub use cell::{Cell, CellKind, Facts};
pub use equations::{Equations, Evaluation, RoundingErrors};
pub use inputs::Inputs;
pub use map::Map;
