//! Inputs near good ones, the same for the same seed: bytes flipped, put in, taken out, copied from elsewhere, numbers
//! that readers stumble over, words of the format in the wrong place.

use rand::Rng;
use rand::rngs::StdRng;

/// Numbers at the ends of their types, and counts that nobody has.
const NUMBERS: [&str; 20] = [
    "0",
    "-1",
    "1",
    "255",
    "65536",
    "2147483647",
    "4294967295",
    "4294967296",
    "9223372036854775807",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999",
    "[]",
    "1e308",
    "1e999",
    "-1e308",
    "NaN",
    "inf",
    "1e-320",
    "0.5",
];

/// Whether a byte belongs to a word or a number.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_.-+".contains(&byte)
}

/// The words of a text, as ranges of bytes; one drawn.
fn word(bytes: &[u8], draw: &mut StdRng) -> Option<std::ops::Range<usize>> {
    if bytes.is_empty() {
        return None;
    }
    let near = draw.random_range(0..bytes.len());
    let from = (near..bytes.len()).find(|&i| is_word(bytes[i]))?;
    let start = (0..from).rev().find(|&i| !is_word(bytes[i])).map_or(0, |i| i + 1);
    let end = (from..bytes.len()).find(|&i| !is_word(bytes[i])).unwrap_or(bytes.len());
    Some(start..end)
}

/// `seed` with one to eight changes.
///
/// * `others`: good inputs to copy from; `tokens`: words of the format
pub fn mutated(seed: &[u8], others: &[Vec<u8>], tokens: &[&str], draw: &mut StdRng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..draw.random_range(1..=8) {
        let n = bytes.len();
        let at = draw.random_range(0..=n);
        match draw.random_range(0..14) {
            0 | 1 if n > 0 => bytes[at.min(n - 1)] ^= 1 << draw.random_range(0..8),
            2 if n > 0 => bytes[at.min(n - 1)] = draw.random(),
            3 => bytes.insert(at, draw.random()),
            4 if n > 0 => {
                let end = (at + draw.random_range(1..=16)).min(n);
                bytes.drain(at.min(end)..end);
            }
            5 => bytes.truncate(at),
            // A piece of another one.
            6 | 7 if !others.is_empty() => {
                let other = &others[draw.random_range(0..others.len())];
                if !other.is_empty() {
                    let from = draw.random_range(0..other.len());
                    let piece = &other[from..(from + draw.random_range(1..=64)).min(other.len())];
                    bytes.splice(at..at, piece.iter().copied());
                }
            }
            // Itself again.
            8 if n > 0 => {
                let from = draw.random_range(0..n);
                let piece = bytes[from..(from + draw.random_range(1..=64)).min(n)].to_vec();
                bytes.splice(at..at, piece);
            }
            // A whole number of a binary format.
            9 if n >= 8 => {
                let width = [1, 2, 4, 8][draw.random_range(0..4)];
                let value: u64 = match draw.random_range(0..4) {
                    0 => 0,
                    1 => u64::MAX >> draw.random_range(0..64),
                    2 => 1 << draw.random_range(0..64),
                    _ => draw.random_range(0..1000),
                };
                let at = at.min(n - width);
                bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
            }
            10 | 11 => {
                let number = NUMBERS[draw.random_range(0..NUMBERS.len())];
                if let Some(place) = word(&bytes, draw) {
                    bytes.splice(place, number.bytes());
                }
            }
            12 if !tokens.is_empty() => {
                let token = tokens[draw.random_range(0..tokens.len())];
                match word(&bytes, draw) {
                    Some(place) if draw.random() => bytes.splice(place, token.bytes()).count(),
                    _ => bytes.splice(at..at, token.bytes()).count(),
                };
            }
            // The same many times over: brackets, quotes, digits.
            _ if n > 0 => {
                let again = bytes[at.min(n - 1)];
                let times = 1 << draw.random_range(1..12);
                bytes.splice(at..at, std::iter::repeat_n(again, times));
            }
            _ => {}
        }
    }
    bytes
}
