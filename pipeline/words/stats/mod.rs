//! What dimension do word counts predict.
//!
//! This room cannot see the network: [`predict`](predict::predict) reads
//! documents and labels alone.

pub mod counts;
pub mod evidence;
pub mod lsa;
mod means;
pub mod memory;
pub mod predict;

pub use counts::Counts;
pub use predict::{Prediction, predict, predict_pieces};
