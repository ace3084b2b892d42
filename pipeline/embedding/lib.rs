//! A map of many networks: one meta-model that emulates each of them at a point of a low-dimensional space.
//!
//! Given trained networks ("base models") that read the same inputs, dynamical model embedding (DYNAMO; Cotler, Tai, Hernández,
//! Elias and Sussillo 2023, arXiv 2302.14078) learns one recurrent network whose behaviour depends on a vector `θ`. At
//! `θ = θ_n` its states, seen through a linear map of base model `n`, are that model's states, and its outputs are that
//! model's outputs. The `θ_n` are a map of the collection: near points compute in like ways, whatever the order of their
//! units, as the linear maps are free.
//!
//! ```text
//! h^n_t = F_n(h^n_{t−1}, x_t),  y^n_t = G_n(h^n_t)                   base model n, given
//! h̃_t  = F̃(h̃_{t−1}, x_t; b + C θ),  ỹ_t = R h̃_t + r              the meta-model
//!
//! loss = mean_n mean_x (1/T) Σ_t [ λ ‖V_n h̃_t + v_n − h^n_t‖² / Var h^n + D(ỹ_t, y^n_t) ]
//! ```
//!
//! `Var h^n` is the total variance of the base model's states over the phrases, so that the first term is the share of it that is
//! missed. `D` is the Kullback–Leibler divergence of the outputs' distributions, or the squared error as a share of the
//! outputs' variance. `b + C θ` are the biases of all gates: the same as `θ` entering at every step beside the input. Learned
//! together are `F̃`, `C`, `R`, `r`, `h̃_0`, every `θ_n`, `V_n` and `v_n`.
//!
//! # Where to look
//!
//! | to change or understand | read |
//! |---|---|
//! | sizes and places of the parameters | [`shape`] |
//! | phrases, and what a base model did on them | [`recording`] |
//! | numbers too many to be held in memory | [`rows`] |
//! | all models and phrases, forward and backward, in f32 | [`pass`] |
//! | the loss in f64 from its equations, never optimised: the truth of the tests | [`reference`](mod@reference) |
//! | parameters at the start | [`initial`] |
//! | steps, checkpoints, a new base model with all else frozen | [`train`] |
//! | `θ` from a few labels | [`search`] |
//! | the meta-model at a `θ`, as a cell | [`meta`] |
//! | fidelity, the map, copies | [`analysis`] |
//! | fixed points at a place of the map | [`topology`] |
//! | fixed points followed from one place to another | [`segment`] |
//! | clusters of the map | [`mod@clusters`] |
//! | which dimension and weight | [`choice`] |

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, seed, setting};
use accrue_ops as ops;

pub mod analysis;
pub mod choice;
pub mod clusters;
pub mod initial;
pub mod meta;
pub mod pass;
pub mod recording;
pub mod reference;
pub mod rows;
pub mod search;
pub mod segment;
pub mod shape;
pub mod topology;
pub mod train;

pub use accrue_cells::CellKind;
pub use meta::MetaModel;
pub use pass::{Gradient, Objective, Terms, Trace, emulate, gradient};
pub use recording::{Measure, Phrases, Recording, Said, check};
pub use rows::Rows;
pub use shape::{Layout, Reads, Shape};

#[cfg(test)]
mod tests;
