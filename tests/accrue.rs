//! The one test binary; a module a room.

mod archive;
mod baseline;
mod broken;
mod browser;
mod corpus;
#[cfg(feature = "cuda")]
mod cuda;
mod dynamics;
mod elsewhere;
mod embedding;
#[cfg(unix)]
mod engine;
mod experiment;
mod fetch;
mod files;
mod foreign;
mod foreign_files;
mod foreign_whole;
mod gating;
mod geometry;
mod layout;
mod linalg;
mod maps;
mod model;
mod modifiers;
mod ops;
mod optimisers;
#[cfg(unix)]
mod parts;
mod pieces;
mod population;
mod readme;
mod rectified;
mod report;
mod stats;
mod studies;
mod switching;
mod synthetic;
mod tasks;
mod torch;
mod train;
