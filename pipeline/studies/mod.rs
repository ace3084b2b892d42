//! The claim under test: settings, a run of stages, and calls into the rooms.
//!
//! Three studies, a page each: [`line`](mod@line), [`geometry`] and [`context`]. All of them are [`text`] studies of
//! one network, or a [`grid`] of them.

/// What to type, from a first run to your own text and network.
#[doc = include_str!("tour.md")]
pub mod tour {}

/// A thousand networks on your cluster: parts, Slurm, HyperQueue.
#[doc = include_str!("cluster.md")]
pub mod cluster {}

/// The line attractor of sentiment: question, method, figures.
#[doc = include_str!("line.md")]
pub mod line {}

/// Shape and dimension from the labels: question, method, figures.
#[doc = include_str!("geometry.md")]
pub mod geometry {}

/// Words that change how others are read: question, method, figures.
#[doc = include_str!("context.md")]
pub mod context {}

pub mod classify;
mod curves;
pub mod embedding;
pub mod explain;
pub mod gating;
pub mod grid;
pub mod optimiser;
pub mod population;
pub mod recording;
pub mod shared;
pub mod states_only;
pub mod sweep;
pub mod switching;
pub mod task;
pub mod text;
mod transitions;
