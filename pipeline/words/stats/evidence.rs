//! What each word says about each label, by its counts.

use crate::corpus::{Labels, Split};
use crate::summary::NORMAL_WIDTH;

/// Occurrences added to every word in every class before shares are compared
/// (Jeffreys' prior): a word seen once does not decide.
pub const PRIOR: f64 = 0.5;

/// Evidence of each word for each label, `[words][labels]`, in nats:
/// `ln(share of the word among the label's tokens) − ln(share among the others')`,
/// with [`PRIOR`] added to every count. Empty rows for a running score.
pub fn log_odds(split: &Split, vocabulary: usize, labels: usize) -> Vec<Vec<f64>> {
    let carries = |d: usize, k: usize| match &split.labels {
        Labels::Class(classes) => classes[d] as usize == k,
        Labels::Multi { labels, flags } => flags[d * labels + k],
        Labels::Score(_) => false,
    };
    if matches!(split.labels, Labels::Score(_)) {
        return vec![Vec::new(); vocabulary];
    }
    let mut inside = vec![vec![PRIOR; vocabulary]; labels];
    let mut total = vec![PRIOR; vocabulary];
    for (d, tokens) in split.documents.iter().enumerate() {
        tokens.iter().for_each(|&t| total[t as usize] += 1.0);
        for (_, counts) in inside.iter_mut().enumerate().filter(|(k, _)| carries(d, *k)) {
            tokens.iter().for_each(|&t| counts[t as usize] += 1.0);
        }
    }
    let all: f64 = total.iter().sum();
    let sums: Vec<f64> = inside.iter().map(|c| c.iter().sum()).collect();
    let evidence = |w: usize| {
        let one = |k: usize| {
            let others = total[w] - inside[k][w] + PRIOR;
            let rest = all - sums[k] + PRIOR * vocabulary as f64;
            (inside[k][w] / sums[k]).ln() - (others / rest).ln()
        };
        (0..labels).map(one).collect()
    };
    (0..vocabulary).map(evidence).collect()
}

/// 95 % interval of a share of `n` answers (Wilson 1927).
pub fn share_interval(share: f64, n: usize) -> (f64, f64) {
    const Z: f64 = NORMAL_WIDTH;
    let n = n as f64;
    let centre = share + Z * Z / (2.0 * n);
    let half = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    ((centre - half) / scale, (centre + half) / scale)
}

/// Mean share of each word among the tokens, `[words]`.
pub fn frequencies(split: &Split, vocabulary: usize) -> Vec<f64> {
    let mut counts = vec![0.0; vocabulary];
    split.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1.0);
    let total = split.documents.token_count() as f64;
    counts.iter_mut().for_each(|c| *c /= total);
    counts
}
