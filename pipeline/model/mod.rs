//! Embedding, recurrent cell, readout: `h ↦ F(h, x)` and what stands around it.
//!
//! A [`Network`] reads tokens `x_t` (rows of an embedding, or one-hot), carries
//! its state `h_t = F(h_{t−1}, x_t)` through one recurrent [`Cell`](crate::ops::Cell)
//! and says `y = W s + b` of a pooled state `s`. Weights are f32 and named as in
//! PyTorch; [`Network::cell`] hands them to the dynamics in f64.

pub mod config;
pub mod foreign;
pub mod initial;
pub mod inputs;
pub mod network;
pub mod weights;

pub use config::{Config, Head, HeadChoice, InitialState, Initialisation};
pub use foreign::Foreign;
pub use inputs::Inputs;
pub use network::{Network, Parameter};
