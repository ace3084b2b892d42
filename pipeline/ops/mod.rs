//! A whole sequence through one recurrent cell, forward and backward.

pub mod activation;
pub mod batch;
pub mod buffers;
pub mod cell;
pub mod denormals;
pub mod equations;
pub mod fused;
pub mod panel;
pub mod reference;
pub mod sequence;

pub use batch::Batch;
pub use cell::{Cell, CellKind};
pub use sequence::{Entry, Pool, Sizes};
