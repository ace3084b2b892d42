//! How far do words alone get, and how far what knows more.
//!
//! [`logistic`] is the bag of words, [`ngrams`] counts sequences of words beside
//! them, [`context`] knows which words change how others are read, [`gains`] says
//! what the text tells of that before any fit, and [`encoder`] is the upper bound:
//! a pretrained encoder, frozen, under a logistic probe.

pub mod candidates;
pub mod context;
pub mod design;
pub mod encoder;
pub mod gains;
pub mod lbfgs;
pub mod leaky;
pub mod logistic;
pub mod newton;
pub mod ngrams;
pub mod recovered;

pub use logistic::{Model, Settings, fit};
