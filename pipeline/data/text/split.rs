//! Setting documents apart: stratified, fixed by the seed.

use super::settings::Settings;
use crate::seed::{self, Stream};
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// Rows of a training file that go to training, validation and test, each ascending.
///
/// * `strata`: the labels of each row
/// * `there`: whether validation and test have files of their own
pub fn three(
    strata: &[impl AsRef<[usize]>],
    (validation, test): (bool, bool),
    settings: &Settings,
    seed: u64,
) -> [Vec<usize>; 3] {
    let labels = |rows: &[usize]| -> Vec<&[usize]> {
        rows.iter().map(|&row| strata[row].as_ref()).collect()
    };
    let pick = |rows: &[usize], kept: Vec<usize>| -> Vec<usize> {
        kept.iter().map(|&k| rows[k]).collect()
    };
    let aside = |train: &mut Vec<usize>, share: f64, name: &str| {
        let mut stream = seed::stream(seed, &format!("corpus/{name}"));
        let (stay, aside) = apart(&labels(train), share, settings.together, &mut stream);
        let part = pick(train, aside);
        *train = pick(train, stay);
        part
    };
    let mut train: Vec<usize> = (0..strata.len()).collect();
    let test = match test {
        true => Vec::new(),
        false => aside(&mut train, settings.test, "test split"),
    };
    let validation = match validation {
        true => Vec::new(),
        false => aside(&mut train, settings.validation, "validation split"),
    };
    if settings.variant.balanced {
        let kept = balanced(&labels(&train), &mut seed::stream(seed, "corpus/balanced"));
        train = pick(&train, kept);
    }
    if let Some(most) = settings.variant.documents {
        let kept = limited(&labels(&train), most, &mut seed::stream(seed, "corpus/limited"));
        train = pick(&train, kept);
    }
    [train, validation, test]
}

/// Cuts documents in two: those that stay and those set apart, each ascending.
///
/// Documents are grouped by `strata` (their labels). Each group of `m` falls into runs of `together`
/// neighbours, of `m·share` where that is less, and a share of `share` of the runs, rounded, is set apart.
pub fn apart(
    strata: &[impl AsRef<[usize]>],
    share: f64,
    together: usize,
    stream: &mut Stream,
) -> (Vec<usize>, Vec<usize>) {
    let mut aside: Vec<usize> = Vec::new();
    for members in groups(strata).into_values() {
        let enough = (members.len() as f64 * share).round() as usize;
        let mut runs: Vec<&[usize]> = members.chunks(together.min(enough).max(1)).collect();
        runs.shuffle(stream);
        runs.truncate((runs.len() as f64 * share).round() as usize);
        aside.extend(runs.concat());
    }
    aside.sort_unstable();
    let stay = (0..strata.len()).filter(|d| aside.binary_search(d).is_err()).collect();
    (stay, aside)
}

/// At most `most` documents, each group in its proportion, ascending.
pub fn limited(strata: &[impl AsRef<[usize]>], most: usize, stream: &mut Stream) -> Vec<usize> {
    if most >= strata.len() {
        return (0..strata.len()).collect();
    }
    apart(strata, most as f64 / strata.len() as f64, 1, stream).1
}

/// As many documents of each group as the smallest has, ascending.
pub fn balanced(strata: &[impl AsRef<[usize]>], stream: &mut Stream) -> Vec<usize> {
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

/// The documents of each label, or set of labels.
pub(super) fn groups<S: AsRef<[usize]>>(strata: &[S]) -> BTreeMap<&[usize], Vec<usize>> {
    let mut groups: BTreeMap<&[usize], Vec<usize>> = BTreeMap::new();
    for (d, labels) in strata.iter().enumerate() {
        groups.entry(labels.as_ref()).or_default().push(d);
    }
    groups
}
