//! A recurrent network that optimises, and what it has learned (arXiv 2011.02159).
//!
//! One copy of a cell works on each parameter `x` of a problem, reads its gradient `g` and moves it:
//!
//! ```text
//! h' = F(h, φ(g))        x' = x + s (wᵀ h' + b)
//! ```
//!
//! [`problems`] are what it works on, with gradients and products with the Hessian; [`learned`] is the optimiser;
//! [`unroll`] runs it and goes all the way back, fused, in f32; [`training`] finds its weights. [`baseline`] holds the
//! methods it is compared with, tuned by random search.
//!
//! From [`map`] on it is a map of its state with the gradient held, [`Dynamics`](accrue_dynamics::Dynamics), in f64:
//! [`momentum`] reads learning rates and momenta off its modes, [`clipping`] how its update saturates, [`schedule`] what
//! it does by itself, [`adaptation`] where it stands under constant gradients. [`assembled`] puts these parts together
//! again, to see whether they are enough; [`measure`] calls them all.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, linalg, seed, setting};

pub mod adaptation;
pub mod assembled;
pub mod baseline;
pub mod clipping;
pub mod learned;
pub mod map;
pub mod measure;
pub mod momentum;
pub mod objective;
pub mod problems;
pub mod reference;
pub mod schedule;
pub mod training;
pub mod unroll;

pub use learned::{Features, Learned, Settings as LearnedSettings};
pub use objective::Objective;
pub use problems::{Problem, Task};
pub use training::Settings as TrainingSettings;
