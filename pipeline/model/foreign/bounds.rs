//! Files that may say anything: what they claim is held against the bytes that are there.

use crate::{Error, Result};
use std::fs::File;
use std::path::Path;

/// Bytes that a file may unpack to beyond [`TIMES`] its size: arrays of zeros in a small file are honest.
const SPARE: u64 = 128 << 20;
/// Times its size that a file may unpack to.
const TIMES: u64 = 16;

/// Opens a regular file; returns its size too.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Input`] for a folder, a pipe or a device, which may never end.
pub fn open(path: &Path, remedy: &str) -> Result<(File, u64)> {
    let about = std::fs::metadata(path).map_err(Error::io(path))?;
    if !about.is_file() {
        let what = if about.is_dir() { "a folder" } else { "no regular file" };
        return Err(Error::input(
            path.display(),
            "",
            format!("{what}, where a file of arrays is read"),
            remedy,
        ));
    }
    Ok((File::open(path).map_err(Error::io(path))?, about.len()))
}

/// What may still be unpacked from a file.
pub struct Allowance(u64);

impl Allowance {
    /// Of a file of so many bytes.
    pub fn of(bytes: u64) -> Self {
        Self(bytes.saturating_mul(TIMES).saturating_add(SPARE))
    }

    /// Takes `bytes` away; the problem in words where so much is not left.
    pub fn take(&mut self, bytes: u64) -> Result<(), String> {
        match self.0.checked_sub(bytes) {
            Some(left) => {
                self.0 = left;
                Ok(())
            }
            None => Err(format!(
                "it unpacks to more than {TIMES} times its size and {} MB",
                SPARE >> 20
            )),
        }
    }
}

/// Product of a shape, where it is a number of this machine.
pub fn count(shape: &[usize]) -> Option<usize> {
    shape.iter().try_fold(1_usize, |product, &side| product.checked_mul(side))
}

/// How a number lies in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Number {
    Half,
    Brain,
    Single,
    Double,
    /// Signed, or not; bytes.
    Integer(bool, usize),
}

impl Number {
    pub fn bytes(self) -> usize {
        match self {
            Self::Half | Self::Brain => 2,
            Self::Single => 4,
            Self::Double => 8,
            Self::Integer(_, bytes) => bytes,
        }
    }

    pub fn is_float(self) -> bool {
        !matches!(self, Self::Integer(..))
    }

    /// The number that these bytes are; `big`: the largest byte first.
    pub fn read(self, bytes: &[u8], big: bool) -> f64 {
        let mut low = [0; 8];
        for (i, &byte) in bytes.iter().enumerate() {
            low[if big { bytes.len() - 1 - i } else { i }] = byte;
        }
        let bits = u64::from_le_bytes(low);
        match self {
            Self::Half => half::f16::from_bits(bits as u16).to_f64(),
            Self::Brain => half::bf16::from_bits(bits as u16).to_f64(),
            Self::Single => f32::from_bits(bits as u32) as f64,
            Self::Double => f64::from_bits(bits),
            Self::Integer(true, bytes) => {
                let shift = 64 - 8 * bytes as u32;
                (((bits << shift) as i64) >> shift) as f64
            }
            Self::Integer(false, _) => bits as f64,
        }
    }
}

/// Where each number of an array lies, the last axis fastest.
///
/// * `strides`: numbers between two neighbours along each axis
pub(super) fn each_place(shape: &[usize], strides: &[usize], mut f: impl FnMut(usize)) {
    let mut at = vec![0; shape.len()];
    for _ in 0..shape.iter().product() {
        f(at.iter().zip(strides).map(|(i, s)| i * s).sum());
        for axis in (0..shape.len()).rev() {
            at[axis] += 1;
            if at[axis] < shape[axis] {
                break;
            }
            at[axis] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_width_and_order_are_what_they_stand_for() {
        assert_eq!(Number::Half.read(&[0x00, 0x3c], false), 1.0);
        assert_eq!(Number::Half.read(&[0xc0, 0x00], true), -2.0);
        assert_eq!(Number::Brain.read(&[0xc0, 0x3f], false), 1.5);
        assert_eq!(Number::Single.read(&1.25_f32.to_be_bytes(), true), 1.25);
        assert_eq!(Number::Double.read(&(-0.1_f64).to_le_bytes(), false), -0.1);
        assert_eq!(Number::Integer(true, 2).read(&[0xff, 0xfe], true), -2.0);
        assert_eq!(Number::Integer(false, 1).read(&[200], false), 200.0);
        assert_eq!(Number::Integer(true, 8).read(&(-5_i64).to_le_bytes(), false), -5.0);
    }

    #[test]
    fn counts_beyond_the_machine_are_no_counts() {
        assert_eq!(count(&[2, 3]), Some(6));
        assert_eq!(count(&[]), Some(1));
        assert_eq!(count(&[usize::MAX, 2]), None);
    }
}
