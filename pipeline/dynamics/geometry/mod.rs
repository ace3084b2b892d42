//! What shape and dimension have these points.
//!
//! This room sees matrices only: one point a row. It is tested on circles,
//! simplices and lines, with no network.

pub mod coordinate;
pub mod dimension;
pub mod intrinsic;
pub mod moments;
pub mod pca;
pub mod readouts;
pub mod shape;

pub use dimension::{participation_ratio, variance_dimension, varied};
pub use moments::Moments;
pub use pca::Pca;
