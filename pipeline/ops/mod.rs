//! A whole sequence through one recurrent cell, forward and backward.

pub mod cell;

pub use cell::{Cell, CellKind};
