//! What values a setting may take, checked where the value stands in the file.
//!
//! Used as `#[serde(deserialize_with = "setting::positive")]`: the experiment reader adds line, column and the
//! setting's name to the sentence that is returned here. Every number has both bounds: one that asks for more memory or
//! time than any machine has is a slip of the hand, and is told before work begins.

use serde::{Deserialize, Deserializer, de::Error};
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Most of anything that is counted and costs next to nothing each: steps, words, occurrences.
pub const MOST: usize = 1_000_000_000;
/// Most of what is drawn, walked or sought one by one: documents, trials, states.
pub const MANY: usize = 10_000_000;
/// Widest layer: its square in f32 is 256 MB, an LSTM's weights a GB.
pub const WIDEST: usize = 8_192;
/// Largest number of any kind: training is in f32.
const LARGEST: f64 = 1e38;
/// Most values of a list of numbers, such as penalties or tolerances.
const LISTED: usize = 64;

/// Checks `value`; `must` says what is allowed.
fn checked<T: Display, E: Error>(value: T, fits: bool, must: impl Display) -> Result<T, E> {
    if fits {
        return Ok(value);
    }
    Err(E::custom(format!("{value} is impossible here: {must}")))
}

fn within<E: Error>(n: usize, range: RangeInclusive<usize>) -> Result<usize, E> {
    let (least, most) = (*range.start(), *range.end());
    let must = match least {
        0 => format!("at most {most}"),
        _ => format!("at least {least}, at most {most}"),
    };
    checked(n, range.contains(&n), must)
}

/// Whether a setting that was added later has its old meaning; it is not written then, so
/// that runs of before stay what they were.
pub fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A whole number from `LEAST` to `MOST`.
pub fn whole<'de, D: Deserializer<'de>, const LEAST: usize, const MOST: usize>(
    de: D,
) -> Result<usize, D::Error> {
    within(usize::deserialize(de)?, LEAST..=MOST)
}

/// Nothing, or a whole number from `LEAST` to `MOST`.
pub fn optional<'de, D: Deserializer<'de>, const LEAST: usize, const MOST: usize>(
    de: D,
) -> Result<Option<usize>, D::Error> {
    Option::<usize>::deserialize(de)?.map(|n| within(n, LEAST..=MOST)).transpose()
}

/// A whole number of at least one.
pub fn at_least_one<'de, D: Deserializer<'de>>(de: D) -> Result<usize, D::Error> {
    whole::<D, 1, MOST>(de)
}

/// A whole number of at least two.
pub fn at_least_two<'de, D: Deserializer<'de>>(de: D) -> Result<usize, D::Error> {
    whole::<D, 2, MOST>(de)
}

/// A whole number, zero included.
pub fn count<'de, D: Deserializer<'de>>(de: D) -> Result<usize, D::Error> {
    whole::<D, 0, MOST>(de)
}

/// A finite number above zero.
pub fn positive<'de, D: Deserializer<'de>>(de: D) -> Result<f64, D::Error> {
    let x = f64::deserialize(de)?;
    checked(x, x > 0.0 && x <= LARGEST, "a number above 0, at most 1e38")
}

/// A finite number of zero or more.
pub fn not_negative<'de, D: Deserializer<'de>>(de: D) -> Result<f64, D::Error> {
    let x = f64::deserialize(de)?;
    checked(x, (0.0..=LARGEST).contains(&x), "0 or more, at most 1e38")
}

/// Nothing, or a finite number of either sign.
pub fn any<'de, D: Deserializer<'de>>(de: D) -> Result<Option<f64>, D::Error> {
    let x = Option::<f64>::deserialize(de)?;
    x.map(|x| checked(x, x.abs() <= LARGEST, "a number from -1e38 to 1e38")).transpose()
}

/// A share: from 0 up to, not including, 1.
pub fn share<'de, D: Deserializer<'de>>(de: D) -> Result<f64, D::Error> {
    let x = f64::deserialize(de)?;
    checked(x, (0.0..1.0).contains(&x), "from 0 up to, not including, 1")
}

/// A list of finite numbers of zero or more, not too many to try one by one.
pub fn numbers<'de, D: Deserializer<'de>>(de: D) -> Result<Vec<f64>, D::Error> {
    let all = Vec::<f64>::deserialize(de)?;
    let most = format!("numbers, at most {LISTED} of them");
    checked(all.len(), all.len() <= LISTED, most)?;
    for &x in &all {
        checked(x, (0.0..=LARGEST).contains(&x), "0 or more, at most 1e38")?;
    }
    Ok(all)
}
