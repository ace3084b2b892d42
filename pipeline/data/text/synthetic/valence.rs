//! Words of known valence: a substitute for film reviews.

use crate::seed;
use rand::Rng;

/// Words with a positive valence, and as many with a negative one.
const SIGNED: usize = 10;
/// Neutral words.
const NEUTRAL: usize = 20;

/// The 40 words and their valences: 20 neutral, 10 positive, 10 negative with
/// strengths uniform in [0.5, 2), from the stream `synthetic/valences`.
pub fn valences(seed: u64) -> Vec<(String, f64)> {
    let mut stream = seed::stream(seed, "synthetic/valences");
    let mut words: Vec<(String, f64)> = (0..NEUTRAL).map(|i| (format!("plain{i}"), 0.0)).collect();
    for (name, sign) in [("good", 1.0), ("bad", -1.0)] {
        words.extend(
            (0..SIGNED).map(|i| (format!("{name}{i}"), sign * stream.random_range(0.5..2.0))),
        );
    }
    words
}
