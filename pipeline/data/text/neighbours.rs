//! Do documents that stand side by side belong together?
//!
//! Reviews of one film share the names of its actors. Where a file keeps them side by side, a validation
//! split of single documents holds reviews of films that were trained on, and whatever learns
//! the names by heart looks better there than it is.

use super::split::groups;
use rayon::prelude::*;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Documents that a rare word is in: in fewer it is a misspelling, in more it is no name.
const RARE: std::ops::RangeInclusive<u32> = 3..=40;

/// Documents that are looked at: the first of a file.
const MOST: usize = 50_000;

/// Distinct rare words that two documents of one label share, on average.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shared {
    /// Those that stand one after the other.
    pub near: f64,
    /// Those that stand half of the label's documents apart.
    pub far: f64,
}

impl Shared {
    /// Counts; `None` where no label has three documents.
    ///
    /// * `strata`: the labels of each document
    pub fn of(texts: &[String], strata: &[impl AsRef<[usize]>]) -> Option<Self> {
        let mut words: Vec<Vec<u64>> =
            texts.par_iter().take(MOST).map(|text| distinct(text)).collect();
        let mut documents_with: HashMap<u64, u32> = HashMap::new();
        words.iter().flatten().for_each(|&word| *documents_with.entry(word).or_default() += 1);
        words.par_iter_mut().for_each(|of| of.retain(|word| RARE.contains(&documents_with[word])));
        let groups = groups(&strata[..strata.len().min(MOST)]);
        let (mut near, mut far, mut pairs) = (0, 0, 0);
        for group in groups.values().filter(|group| group.len() > 2) {
            for i in 0..group.len() - 1 {
                let other = group[(i + group.len() / 2) % group.len()];
                near += common(&words[group[i]], &words[group[i + 1]]);
                far += common(&words[group[i]], &words[other]);
                pairs += 1;
            }
        }
        let mean = |sum: usize| sum as f64 / pairs as f64;
        (pairs > 0).then(|| Self { near: mean(near), far: mean(far) })
    }

    /// Whether neighbours share so much more that a split of single documents misleads.
    pub fn belong_together(self) -> bool {
        self.near > 3.0 * self.far && self.near - self.far > 0.1
    }
}

/// A text's words, each once, as numbers, ascending.
fn distinct(text: &str) -> Vec<u64> {
    let of = |word: &str| {
        let mut hasher = DefaultHasher::new();
        word.to_lowercase().hash(&mut hasher);
        hasher.finish()
    };
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut words: Vec<u64> = words.map(of).collect();
    words.sort_unstable();
    words.dedup();
    words
}

fn common(a: &[u64], b: &[u64]) -> usize {
    a.iter().filter(|word| b.binary_search(word).is_ok()).count()
}
