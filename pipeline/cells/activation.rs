//! What a candidate's argument goes through: `tanh`, or a rectifier.
//!
//! The gated cells are written once and compiled for either. With a rectifier the *candidate alone* changes: gates
//! stay logistic, and the LSTM still reads its cell through `tanh`, `h' = o∘tanh(c')`. The rectifier has a corner at
//! 0: the cell is smooth in every ball over which no candidate's argument changes its sign.

use crate::bounds::TANH_2;
use crate::rounding::{INFLATE, LIBM, U};
use serde::{Deserialize, Serialize};

/// What a cell's candidate goes through; of a cell without gates, its whole step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Nonlinearity {
    /// `tanh(z)`.
    Tanh,
    /// `max(0, z)`.
    Relu,
    /// `z`.
    Identity,
}

/// A candidate's argument at one state, as computed, and how far that may be from the truth.
#[derive(Clone, Copy)]
pub(crate) struct Argument {
    pub(crate) value: f64,
    pub(crate) error: f64,
}

/// What holds of a candidate `c = φ(z)` over a ball of states.
pub(crate) struct Over {
    /// Largest `|c|`.
    pub(crate) size: f64,
    /// Largest `|φ'|`.
    pub(crate) slope: f64,
    /// Largest `|φ''|`.
    pub(crate) bend: f64,
}

/// `φ` with its slope and the bounds that proofs need.
pub(crate) trait Activation: Sync {
    /// Whether `|φ| < 1` whatever the argument.
    const BOUNDED: bool;

    /// `φ(z)`.
    fn of(z: f64) -> f64;

    /// `φ'(z)`, from the value `φ(z)`.
    fn slope(value: f64) -> f64;

    /// Bound of `|φ(z)|` where `|z| ≤ argument`.
    fn size(argument: f64) -> f64;

    /// Error of `φ(z)` from that of `z`.
    fn error(argument: f64) -> f64;

    /// Error of [`Activation::slope`] from that of the value.
    fn slope_error(value: f64) -> f64;

    /// Over arguments within `reach` of one; `None` where a corner is among them.
    fn over(z: impl Fn() -> Argument, reach: f64) -> Option<Over>;
}

/// `tanh`.
pub(crate) struct Tanh;

impl Activation for Tanh {
    const BOUNDED: bool = true;

    fn of(z: f64) -> f64 {
        z.tanh()
    }

    fn slope(value: f64) -> f64 {
        1.0 - value * value
    }

    fn size(_: f64) -> f64 {
        1.0
    }

    fn error(argument: f64) -> f64 {
        argument + LIBM * U
    }

    fn slope_error(value: f64) -> f64 {
        2.0 * value
    }

    fn over(_: impl Fn() -> Argument, _: f64) -> Option<Over> {
        Some(Over { size: 1.0, slope: 1.0, bend: TANH_2 })
    }
}

/// `max(0, z)`.
pub(crate) struct Rectifier;

impl Activation for Rectifier {
    const BOUNDED: bool = false;

    fn of(z: f64) -> f64 {
        if z > 0.0 { z } else { 0.0 }
    }

    /// 1 where the unit is open.
    fn slope(value: f64) -> f64 {
        (value > 0.0) as u8 as f64
    }

    fn size(argument: f64) -> f64 {
        argument
    }

    fn error(argument: f64) -> f64 {
        argument
    }

    /// It is 0 or 1: which, is for [`Activation::over`] to secure.
    fn slope_error(_: f64) -> f64 {
        0.0
    }

    /// Linear as long as no argument changes its sign, rounding included.
    fn over(z: impl Fn() -> Argument, reach: f64) -> Option<Over> {
        let Argument { value, error } = z();
        let reach = INFLATE * (reach + error);
        if !(value.abs() > reach) {
            return None;
        }
        Some(match value > 0.0 {
            true => Over { size: value + reach, slope: 1.0, bend: 0.0 },
            false => Over { size: 0.0, slope: 0.0, bend: 0.0 },
        })
    }
}
