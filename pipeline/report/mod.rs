//! Tables, figures, pages: what people look at.
//!
//! Every number is computed by the stage that names it; this room only writes.
//! A figure is drawn from a table and from nothing else; tables and summary keys
//! are those of [`records`](crate::records), and the [`dictionary`] describes them.

mod claims;
pub mod compare;
mod conditions;
mod context;
pub mod dictionary;
mod drawn;
pub mod embedding;
pub mod escape;
pub mod figure;
pub mod gating;
pub mod grid;
pub mod index;
pub mod knob;
pub mod optimisers;
pub mod page;
pub mod plot;
pub mod population;
pub mod reading;
pub mod recording;
pub mod summary;
pub mod switching;
pub mod walk;

pub use summary::Summary;
