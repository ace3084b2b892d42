//! Tables, figures, pages: what people look at.
//!
//! Every number is computed by the stage that names it; this room only writes.
//! A figure is drawn from a table and from nothing else, and a table or a
//! summary key that the [`dictionary`] does not describe is refused.

pub mod compare;
mod context;
pub mod dictionary;
pub mod figure;
pub mod grid;
pub mod index;
pub mod page;
pub mod plot;
pub mod reading;
pub mod summary;

pub mod walk;

pub use summary::Summary;
