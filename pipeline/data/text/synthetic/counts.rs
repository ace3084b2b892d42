//! Phrases: how often each word occurs, then in which order.

use super::{Kind, Lexicon, Settings};
use crate::seed::Stream;
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// Where phrases come from.
pub enum Source {
    /// Every token uniform over `words`.
    Independent {
        /// Size of the vocabulary.
        words: u32,
    },
    /// Count vectors of `words` scored words, uniform over all with a total of
    /// at most the length.
    UniformCounts {
        /// Scored words.
        words: usize,
    },
    /// Three words: a score `s` uniform in `−L … L`, `|s|` words of its sign, one neutral word if
    /// `s` is odd; the rest pairs, a uniform number of them (neutral, neutral), the others (good, bad).
    Pairs,
    /// A score uniform over those that occur, then a count vector uniform
    /// within it.
    UniformScore {
        /// Count vectors by score.
        groups: Vec<Vec<Vec<u8>>>,
    },
}

impl Source {
    /// The source of `settings`.
    pub fn new(settings: &Settings, lexicon: &Lexicon) -> Self {
        let words = lexicon.words.len();
        match &settings.kind {
            Kind::Unordered(u) if !u.independent => Source::UniformCounts { words: words - 1 },
            Kind::Ordered(o) if !o.independent && !o.five_words => Source::Pairs,
            Kind::Ordered(o) if !o.independent => by_score(lexicon, settings.length),
            Kind::TwoScores(_) => by_score(lexicon, settings.length),
            _ => Source::Independent { words: words as u32 },
        }
    }

    /// One phrase of `length` tokens.
    pub fn phrase(&self, length: usize, stream: &mut Stream) -> Vec<u32> {
        let mut phrase = match self {
            Source::Independent { words } => {
                return (0..length).map(|_| stream.random_range(0..*words)).collect();
            }
            Source::UniformCounts { words } => {
                spread(&uniform_counts(*words, length, stream), length)
            }
            Source::Pairs => pairs(length, stream),
            Source::UniformScore { groups } => {
                let group = &groups[stream.random_range(0..groups.len())];
                let counts = &group[stream.random_range(0..group.len())];
                let counts: Vec<usize> = counts.iter().map(|&c| c as usize).collect();
                spread(&counts, length)
            }
        };
        assert_eq!(phrase.len(), length, "a phrase has the length that was asked for");
        phrase.shuffle(stream);
        phrase
    }
}

/// A count vector uniform among all of `words` numbers with a total of at most
/// `length`: choose `words` of `length + words` positions, and count the free
/// ones between them (stars and bars).
fn uniform_counts(words: usize, length: usize, stream: &mut Stream) -> Vec<usize> {
    let mut bars = rand::seq::index::sample(stream, length + words, words).into_vec();
    bars.sort_unstable();
    let mut from = 0;
    let gaps = bars.into_iter().map(|bar| {
        let gap = bar - from;
        from = bar + 1;
        gap
    });
    gaps.collect()
}

/// `counts[i]` copies of word `i + 1`, filled up with the neutral word.
fn spread(counts: &[usize], length: usize) -> Vec<u32> {
    let mut phrase: Vec<u32> =
        counts.iter().enumerate().flat_map(|(i, &c)| vec![i as u32 + 1; c]).collect();
    phrase.resize(length.max(phrase.len()), 0);
    phrase
}

/// Three ordered words: good is 1, bad is 2, the neutral word 0.
fn pairs(length: usize, stream: &mut Stream) -> Vec<u32> {
    let l = length as i64;
    let score = stream.random_range(-l..=l);
    let word = if score > 0 { 1 } else { 2 };
    let mut phrase = vec![word; score.unsigned_abs() as usize];
    if score % 2 != 0 {
        phrase.push(0);
    }
    let rest = (length - phrase.len()) / 2;
    let neutral = stream.random_range(0..=rest);
    phrase.extend(std::iter::repeat_n([0, 0], neutral).flatten());
    phrase.extend(std::iter::repeat_n([1, 2], rest - neutral).flatten());
    phrase
}

/// Every count vector of the scored words, grouped by its scores.
fn by_score(lexicon: &Lexicon, length: usize) -> Source {
    let words = lexicon.words.len() - 1;
    let mut groups: BTreeMap<Vec<i64>, Vec<Vec<u8>>> = BTreeMap::new();
    let mut counts = vec![0_u8; words];
    loop {
        // Doubled, so that half points are whole numbers.
        let key = (0..lexicon.scores[0].len()).map(|s| {
            let total: f64 =
                counts.iter().enumerate().map(|(w, &c)| c as f64 * lexicon.scores[w + 1][s]).sum();
            (2.0 * total) as i64
        });
        groups.entry(key.collect()).or_default().push(counts.clone());
        // The next vector in an odometer's order, totals above the length skipped.
        let mut place = 0;
        loop {
            if place == words {
                return Source::UniformScore { groups: groups.into_values().collect() };
            }
            counts[place] += 1;
            if counts.iter().map(|&c| c as usize).sum::<usize>() <= length {
                break;
            }
            counts[place] = 0;
            place += 1;
        }
    }
}
