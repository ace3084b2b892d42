//! Ending on request: where everything made so far stays.
//!
//! Ctrl-C only raises a flag. Training looks at it after every step, saves its
//! checkpoint and stops; stages look before they begin. The same command goes on
//! from there, to the same bits.

use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};

static REQUESTED: AtomicBool = AtomicBool::new(false);

/// Asks for an end; returns whether it had been asked for before.
pub fn request() -> bool {
    REQUESTED.swap(true, Ordering::Relaxed)
}

/// Whether an end was asked for.
pub fn requested() -> bool {
    REQUESTED.load(Ordering::Relaxed)
}

/// Goes on, or stops here.
///
/// # Errors
/// [`Error::Interrupted`], naming the place, where an end was asked for.
pub fn check(place: &str) -> Result<()> {
    match requested() {
        true => Err(stopped(place)),
        false => Ok(()),
    }
}

/// The error with which work stops at `place`.
pub fn stopped(place: &str) -> Error {
    Error::Interrupted(format!("stopped {place}; the same command goes on from there"))
}
