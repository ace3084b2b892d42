//! Ending on request: where everything made so far stays.
//!
//! Ctrl-C, and the signals by which clusters and terminals end a process, only raise a flag. Training looks at it after every step, saves its
//! checkpoint and stops; stages look before they begin. The same command goes on
//! from there, to the same bits.

use crate::{Error, Result};
use std::sync::atomic::{AtomicI32, Ordering};

/// Number of the signal that asked for an end; 0: none did.
static REQUESTED: AtomicI32 = AtomicI32::new(0);

/// Asks for an end; returns whether it had been asked for before.
///
/// * `signal`: number of the signal that asks, 2 for Ctrl-C
pub fn request(signal: i32) -> bool {
    REQUESTED.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed).is_err()
}

/// Takes the request back, where the process goes on after what it ended.
pub fn clear() {
    REQUESTED.store(0, Ordering::Relaxed);
}

/// Whether an end was asked for.
pub fn requested() -> bool {
    signal().is_some()
}

/// The signal that asked for an end.
pub fn signal() -> Option<i32> {
    Some(REQUESTED.load(Ordering::Relaxed)).filter(|&signal| signal != 0)
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
