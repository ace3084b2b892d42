//! Typed tables: one declaration says what a table holds, in which units, and what it means.
//!
//! From it come the writer (a struct with a field a column: a forgotten, unknown or ill-typed column does not
//! compile), the reader (a [`Frame`] with a method a column) and the dictionary's entry in `reports/README.md`.
//!
//! ```
//! use accrue::records::{Readouts, column};
//! let run = std::env::temp_dir().join("accrue-records");
//! let norms = [1.5, 2.0];
//! let table = Readouts {
//!     output: column(0..2),
//!     name: column(["good", "bad"]),
//!     norm: column(norms),
//!     pc_1: column(norms),
//!     pc_2: column([0.0; 2]),
//!     pc_3: column([0.0; 2]),
//!     in_span: column([0.0; 2]),
//!     angles: column([&[0.0, 90.0][..], &[90.0, 0.0]]),
//! };
//! table.write(&run)?;
//! assert_eq!(Readouts::read(&run)?.norm()?, norms);
//! # Ok::<(), accrue::Error>(())
//! ```
//!
//! A forgotten column does not compile,
//!
//! ```compile_fail,E0063
//! use accrue::records::{Notes, column};
//! Notes { note: column(["cut"]) };
//! ```
//!
//! nor does one that was not declared,
//!
//! ```compile_fail,E0560
//! use accrue::records::{Notes, column};
//! Notes { stage: column(["train"]), note: column(["cut"]), secret: column(["s"]) };
//! ```
//!
//! nor one of another type,
//!
//! ```compile_fail,E0277
//! use accrue::records::{Notes, column};
//! Notes { stage: column(["train"]), note: column([1.0]) };
//! ```
//!
//! nor reading what is not there.
//!
//! ```compile_fail,E0599
//! use accrue::records::Notes;
//! Notes::read(".".as_ref())?.secret()?;
//! # Ok::<(), accrue::Error>(())
//! ```

// `[state]` in a column's meaning is a shape, no link.
#![allow(rustdoc::broken_intra_doc_links)]

mod claims;
mod context;
mod corpus;
mod embedding;
mod fixed_points;
mod flow;
mod gating;
mod geometry;
mod grid;
pub mod keys;
mod kind;
mod modes;
mod optimisers;
mod population;
mod recording;
mod schema;
mod states;
mod switching;
mod table;
mod training;
mod words;

pub use claims::*;
pub use context::*;
pub use corpus::*;
pub use embedding::*;
pub use fixed_points::*;
pub use flow::*;
pub use gating::*;
pub use geometry::*;
pub use grid::*;
pub use keys::Key;
pub use kind::{Cell, Column, Even, Field, Kind, Optional, column};
pub use modes::*;
pub use optimisers::*;
pub use population::*;
pub use recording::*;
pub use schema::{Presence, Schema};
pub use states::*;
pub use switching::*;
pub use table::{Frame, Record, Table, csv, is_there};
pub use training::*;
pub use words::*;

/// Every table, in the order of the dictionary.
pub fn tables() -> impl Iterator<Item = &'static Schema> {
    let files = [
        corpus::TABLES,
        training::TABLES,
        states::TABLES,
        geometry::TABLES,
        fixed_points::TABLES,
        flow::TABLES,
        modes::TABLES,
        population::TABLES,
        switching::TABLES,
        gating::TABLES,
        recording::TABLES,
        optimisers::TABLES,
        embedding::TABLES,
        words::TABLES,
        context::TABLES,
        claims::TABLES,
        grid::TABLES,
    ];
    files.into_iter().flatten()
}

/// The table of that name.
pub fn described(name: &str) -> Option<&'static Schema> {
    tables().find(|t| t.name == name)
}
