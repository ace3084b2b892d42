//! Where does the state stand still, and how does it move nearby.
//!
//! [`step::Map`] is the cell with its input held fixed, in f64, with analytic
//! Jacobians. [`finder`] walks from visited states to slow points, keeping the
//! meaning of "nearby"; [`select`] thins them; [`certificate`] proves which of
//! them are fixed points and stable; [`linearise`] gives modes and time
//! constants, [`lyapunov`] how long differences last while documents are read,
//! [`deflection`] how words move the state, [`impulse`] what one token leaves
//! behind, [`patchwork`] the map as linear pieces, [`relaxation`] how fast states come to rest, and [`manifold`]
//! brings them onto a slow manifold that has no fixed points.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, linalg, seed, setting};

pub mod adam;
pub mod certificate;
pub mod deflection;
pub mod finder;
pub mod geometry;
pub mod impulse;
pub mod linearise;
pub mod lyapunov;
pub mod manifold;
pub mod patchwork;
pub mod relaxation;
pub mod rounding;
pub mod select;
pub mod step;

pub use finder::{Descent, Finder, SlowPoint, Stop, search};
pub use step::Map;
