//! Where does the state stand still, and how does it move nearby.
//!
//! Everything here is about a map `h ↦ F(h, x*)` with its input held, in f64, with its Jacobian: any that is
//! [`Dynamics`]. [`Map`] is a recurrent cell as one; a map of your own takes ten lines.
//!
//! [`finder`] walks from visited states to slow points, keeping the meaning of "nearby"; [`batch`] is the same for maps
//! that answer for many states at once; [`explore`] looks everywhere
//! else, [`deflation`] on from what is known; [`select`] thins them; [`certificate`] proves which of them are fixed
//! points and stable, [`complete`] that there are no others. [`linearise`] gives modes and time constants, [`response`]
//! how many modes an input's response needs, [`lyapunov`] how long differences last while inputs change,
//! [`deflection`] how an input moves the state, [`impulse`] what one step's input leaves behind, [`piecewise_linear`]
//! the map as linear pieces, [`relaxation`] how fast states come to rest, and [`manifold`] brings them onto a slow
//! manifold that has no fixed points. What leads where is in [`graph`], what ends in no point in [`cycles`], and what
//! becomes of a fixed point while the input moves in [`continuation`].
//!
//! [`geometry`] sees points, [`similarity`] the states, trajectories and fixed points of several networks.

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

use accrue_numerics::{Error, Result, linalg, seed, setting};

pub mod adam;
pub mod batch;
mod cell;
pub mod certificate;
mod check;
pub mod complete;
pub mod continuation;
pub mod cycles;
pub mod deflation;
pub mod deflection;
pub mod explore;
pub mod finder;
pub mod geometry;
pub mod graph;
pub mod impulse;
pub mod linearise;
pub mod lyapunov;
pub mod manifold;
mod map;
pub mod piecewise_linear;
pub mod relaxation;
pub mod response;
pub mod select;
pub mod similarity;

pub use accrue_cells::{Evaluation, Map, RoundingErrors};
pub use check::{check_input_jacobian, check_jacobian};
pub use complete::Census;
pub use continuation::Continuation;
pub use cycles::Cycles;
pub use deflation::Deflate;
pub use explore::Explore;
pub use finder::{Finder, SearchResult, SlowPoint, Stop, search};
pub use graph::Follow;
pub use map::Dynamics;
