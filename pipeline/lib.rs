pub mod error;
pub mod experiment;
pub mod notation;
pub mod run;
pub mod seed;
pub mod setting;

pub mod corpus;
pub mod linalg;
pub mod ops;

pub mod stats;

pub mod model;
pub mod train;

pub mod dynamics;
pub mod geometry;

pub mod baseline;

pub mod report;

pub mod studies;

pub use error::{Error, Result};
