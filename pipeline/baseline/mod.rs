//! How far do words alone get.

pub mod logistic;
pub mod newton;

pub use logistic::{Model, Settings, fit};
