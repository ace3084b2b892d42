//! Setting documents apart: stratified, fixed by the seed.

use crate::seed::Stream;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// Cuts documents in two: those that stay and those set apart, each ascending.
///
/// Documents are grouped by `strata` (their labels); of each group of `m`,
/// `m·share`, rounded, are set apart.
pub fn apart(strata: &[Vec<usize>], share: f64, stream: &mut Stream) -> (Vec<usize>, Vec<usize>) {
    let mut aside: Vec<usize> = Vec::new();
    for mut members in groups(strata).into_values() {
        members.shuffle(stream);
        members.truncate((members.len() as f64 * share).round() as usize);
        aside.extend(members);
    }
    aside.sort_unstable();
    let stay = (0..strata.len()).filter(|d| aside.binary_search(d).is_err()).collect();
    (stay, aside)
}

/// At most `most` documents, each group in its proportion, ascending.
pub fn limited(strata: &[Vec<usize>], most: usize, stream: &mut Stream) -> Vec<usize> {
    if most >= strata.len() {
        return (0..strata.len()).collect();
    }
    apart(strata, most as f64 / strata.len() as f64, stream).1
}

/// As many documents of each group as the smallest has, ascending.
pub fn balanced(strata: &[Vec<usize>], stream: &mut Stream) -> Vec<usize> {
    let groups = groups(strata);
    let least = groups.values().map(Vec::len).min().unwrap_or(0);
    let mut kept: Vec<usize> = Vec::new();
    for mut members in groups.into_values() {
        members.shuffle(stream);
        kept.extend(&members[..least]);
    }
    kept.sort_unstable();
    kept
}

fn groups(strata: &[Vec<usize>]) -> BTreeMap<&[usize], Vec<usize>> {
    let mut groups: BTreeMap<&[usize], Vec<usize>> = BTreeMap::new();
    for (d, labels) in strata.iter().enumerate() {
        groups.entry(labels).or_default().push(d);
    }
    groups
}
