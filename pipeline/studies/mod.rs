//! The claim under test: settings, a run of stages, and calls into the rooms.

pub mod bare;
pub mod explain;
pub mod grid;
pub mod portrait;
