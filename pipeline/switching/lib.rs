//! A recurrent network trained together with a switching linear system that explains it.
//!
//! Searching for fixed points after training leaves two questions: around which of them the network is to be
//! linearised at a given state, and how far linear steps lead astray. A Jacobian switching linear dynamical system
//! (JSLDS; Smith, Linderman and Sussillo 2021, arXiv 2111.01256) answers both while the network learns. An *expansion network*
//! proposes a point at every step; the network is linearised there, and the linear steps, rolled out on their own, must do
//! the task too:
//!
//! ```text
//! h_t = F(h_{t−1}, u_t)                                              the network
//! e_t = M(a_{t−1})                                                   its expansion point
//! a_t = e_t + J_rec(e_t, u*)(a_{t−1} − e_t) + J_inp(e_t, u*)(u_t − u*)   the linear system, a_0 = h_0
//! o_t = W h_t + b,   ô_t = W a_t + b                                 one readout for both
//!
//! loss = λ_rnn mean(o − y)² + λ_jslds mean(ô − y)² + λ_e mean(e − F(e, u*))² + λ_a mean(a − h)² + λ_2 ‖θ‖²
//! ```
//!
//! The third term presses `e` to be a fixed point, the fourth the linear system to stay with the network.
//!
//! # Where to look
//!
//! | to change or understand | read |
//! |---|---|
//! | sizes, names and places of the parameters | [`shape`] |
//! | the terms of the loss, and what a sequence asks | [`loss`] |
//! | a cell's equations, forward and backward, for numbers and for numbers with tangents | `equations.rs` |
//! | numbers with tangents | `ring.rs` |
//! | the whole sequence, forward and backward, in f32 | [`fused`], `shard.rs` |
//! | the same in f64 with Jacobians as matrices, never optimised: the truth of the tests | [`reference`](mod@reference) |
//! | weights at the start | [`initial`] |
//! | steps, checkpoints | [`train`] |
//! | errors, clusters of expansion points, what inputs do there | [`analysis`] |
//! | an output as a sum over the inputs of a sequence | [`contributions`] |

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, linalg, seed, setting, summary};
use accrue_ops as ops;

pub mod analysis;
pub mod contributions;
mod equations;
pub mod fused;
pub mod initial;
pub mod loss;
pub mod reference;
mod ring;
pub mod shape;
mod shard;
pub mod train;

pub use accrue_cells::CellKind;
pub use fused::{Gradient, Trace, gradient, run};
pub use loss::{Losses, Sequence, Target, Terms};
pub use shape::{Activation, Shape};
