//! How far do words alone get.

pub mod context;
pub mod lbfgs;
pub mod logistic;
pub mod newton;

pub use logistic::{Model, Settings, fit};
