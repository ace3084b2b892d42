//! Weights from a seed.
//!
//! [`fit`](fit::fit) walks batches of similar length in an order fixed by the
//! seed, takes Adam steps with a continuously decaying learning rate, measures
//! the validation split, stops early, and leaves checkpoints from which a
//! killed run goes on to the same bits.

pub mod adam;
pub mod batches;
pub mod checkpoint;
pub mod fit;
pub mod loss;
pub mod penalty;
pub mod settings;

pub use fit::{Fit, Record, Watch, fit, score};
pub use loss::{Tally, head};
pub use settings::{Penalty, Settings};
