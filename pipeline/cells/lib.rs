//! The recurrent cells: what they are called, how their weights lie, what enters them.

#![warn(missing_docs)]

mod cell;
mod inputs;

pub use cell::{Cell, CellKind};
pub use inputs::Inputs;
