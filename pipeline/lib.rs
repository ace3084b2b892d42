pub mod error;
pub mod seed;
pub mod setting;

pub mod corpus;
pub mod linalg;
pub mod ops;

pub use error::{Error, Result};
