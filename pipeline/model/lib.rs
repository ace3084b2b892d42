//! Embedding, recurrent cell, readout: `h ↦ F(h, x)` and what stands around it.
//!
//! A [`Network`] reads tokens `x_t` (rows of an embedding, or one-hot), carries
//! its state `h_t = F(h_{t−1}, x_t)` through one recurrent [`Cell`](crate::ops::Cell)
//! and says `y = W s + b` of a pooled state `s`. Weights are f32 and named as in
//! PyTorch; [`Network::cell`] hands them to the dynamics in f64.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_data as data;
use accrue_numerics::{Error, Result, files, seed, setting};
use accrue_ops as ops;

pub mod config;
pub mod foreign;
pub mod initial;

pub mod network;
pub mod static_input;
pub mod weights;
pub mod whole;

pub use accrue_cells::Inputs;
pub use config::{Config, Head, HeadChoice, InitialState, Initialisation, Reads};
pub use foreign::Foreign;
pub use network::{Network, Parameter};
pub use static_input::StaticInput;
pub use whole::Whole;
