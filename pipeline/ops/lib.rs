//! A whole sequence through one recurrent cell, forward and backward.
//!
//! A batch goes through a cell as *one* operation: a node of candle's graph ([`fused`]) or, in training,
//! by itself, which spares the graph's copies of large gradients; what happens inside, step by step, is told in
//! [`sequence`]. Beside it stands [`reference`](mod@reference), the same
//! from the equations in differentiable tensor operations, never optimised: every test of
//! outputs and gradients compares the two.
//!
//! # Where to look
//!
//! | to change or understand | read |
//! |---|---|
//! | a cell's equations, forward and backward | [`equations`], then `reference.rs` (the truth in the tests); in f64, with Jacobians, the cell's file in [`accrue_cells`] |
//! | names, gates and weight layout of a cell | [`accrue_cells`] |
//! | a whole pass: its parts and their order | [`sequence`] |
//! | the loop over tokens of one shard of rows | [`shard`] |
//! | one step by itself, for loops in which something else happens between steps | [`step`] |
//! | the table of inputs, gradients of the input side | [`input_projection`] |
//! | products with the recurrent weights | [`panel`] |
//! | gradients of weights, sums over all tokens | [`outer`] |
//! | the readout of every step, forward and backward | [`readout`] |
//! | which tokens a batch holds, padding, sorting by length | [`batch`] |
//! | `tanh` and the logistic function, and their errors | [`activation`] |
//! | memory that is used again from batch to batch | [`buffers`] |
//! | numbers too small to matter | [`denormals`] |
//! | the same on an NVIDIA GPU | [`cuda`], `kernels/persistent.cu` |
//!
//! # A new cell, in order
//!
//! 1. Its file in [`accrue_cells`], with a variant of [`CellKind`]: gates, equations and Jacobians in f64.
//! 2. Its step in `reference.rs`, from the paper.
//! 3. In [`equations`]: how many blocks a token saves, `forward`, `backward`, and which
//!    saved block holds which gate's gradient. The tests of `tests/ops.rs` run over every kind and
//!    say where the two disagree, down to one unit, one token, one row.
//!
//! # What it costs
//!
//! Per token and gate, forward, backward and weight gradient are each one product of `n × n`:
//! `6 G n²` operations a token, plus the input side once for each *distinct* token of the batch.
//! `make bench` measures every cell, `make bench-peers` the same beside PyTorch.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, seed};

pub mod activation;

pub mod batch;
pub mod buffers;
pub mod cuda;
pub mod denormals;
pub mod equations;
pub mod fused;
pub mod input_projection;
pub mod outer;
pub mod panel;
pub mod readout;
pub mod reference;
pub mod sequence;
pub mod shard;
pub mod step;

pub use accrue_cells::{Cell, CellKind, Nonlinearity};
pub use batch::{Batch, Noise};
pub use sequence::{Entry, Pool, Sizes};
