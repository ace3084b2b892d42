//! What values a setting may take, checked where the value stands in the file.
//!
//! Used as `#[serde(deserialize_with = "setting::positive")]`: the experiment
//! reader adds line and column to the sentence that is returned here.

use serde::{Deserialize, Deserializer, de::Error};

fn checked<'de, D, T>(de: D, fits: impl Fn(&T) -> bool, must: &str) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + std::fmt::Display,
{
    let value = T::deserialize(de)?;
    if fits(&value) {
        Ok(value)
    } else {
        Err(D::Error::custom(format!("{value} is impossible here: {must}")))
    }
}

/// Whether a setting that was added later has its old meaning; it is not written then, so
/// that runs of before stay what they were.
pub fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A whole number of at least one.
pub fn at_least_one<'de, D: Deserializer<'de>>(de: D) -> Result<usize, D::Error> {
    checked(de, |&n: &usize| n >= 1, "at least 1")
}

/// A whole number of at least two.
pub fn at_least_two<'de, D: Deserializer<'de>>(de: D) -> Result<usize, D::Error> {
    checked(de, |&n: &usize| n >= 2, "at least 2")
}

/// A finite number above zero.
pub fn positive<'de, D: Deserializer<'de>>(de: D) -> Result<f64, D::Error> {
    checked(de, |x: &f64| x.is_finite() && *x > 0.0, "a number above 0")
}

/// A finite number of zero or more.
pub fn not_negative<'de, D: Deserializer<'de>>(de: D) -> Result<f64, D::Error> {
    checked(de, |x: &f64| x.is_finite() && *x >= 0.0, "0 or more")
}

/// A share: from 0 up to, not including, 1.
pub fn share<'de, D: Deserializer<'de>>(de: D) -> Result<f64, D::Error> {
    checked(de, |x: &f64| (0.0..1.0).contains(x), "from 0 up to, not including, 1")
}
