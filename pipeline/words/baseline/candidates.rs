//! Which words a bag of words asks for as modifiers.

use super::context::{CHUNK, START};
use super::logistic::{Answers, Model};
use crate::corpus::Split;
use rayon::prelude::*;

/// Tokens over which a candidate's effect is summed.
const LAGS: usize = 8;

/// Words by how much the loss of the bag of words asks for them as modifiers: the
/// score statistic `g²/F` of each strength `a_m` at zero, with the starting time
/// constant, `g` the summed slope and `F` the sum of its squares over documents (Rao
/// 1948). About χ² with one degree of freedom for a word that modifies nothing.
///
/// * `least`: occurrences a candidate must have
///
/// Returns word and statistic, largest first.
pub fn candidates(bag: &Model, train: &Split, classes: usize, least: usize) -> Vec<(u32, f64)> {
    let answers = Answers::of(train, classes);
    let words = bag.weights.first().map_or(0, Vec::len);
    let documents = train.documents.len();
    let weights: Vec<f64> = (0..LAGS).map(|s| (-(s as f64) / START).exp()).collect();
    let piece = |chunk: usize| -> (Vec<(f64, f64)>, f64) {
        let (mut sums, mut own, mut whole) = (vec![(0.0, 0.0); words], vec![0.0; words], 0.0);
        let mut slope = vec![0.0; bag.weights.len()];
        for d in chunk * CHUNK..((chunk + 1) * CHUNK).min(documents) {
            let tokens = train.documents.get(d);
            answers.document(d, &bag.outputs(tokens), &mut slope);
            for (t, &word) in tokens.iter().enumerate() {
                let said: f64 =
                    bag.weights.iter().zip(&slope).map(|(b, s)| b[word as usize] * s).sum();
                whole += said;
                let before = tokens[t.saturating_sub(LAGS)..t].iter().rev();
                before.zip(&weights).for_each(|(&m, w)| own[m as usize] += w * said);
            }
            for &m in tokens {
                let g = std::mem::take(&mut own[m as usize]);
                sums[m as usize].0 += g;
                sums[m as usize].1 += g * g;
            }
        }
        (sums, whole)
    };
    let pieces: Vec<(Vec<(f64, f64)>, f64)> =
        (0..documents.div_ceil(CHUNK)).into_par_iter().map(piece).collect();
    let whole: f64 = pieces.iter().map(|p| p.1).sum();
    let reach: f64 = weights.iter().sum();
    let total = train.documents.token_count().max(1) as f64;
    let mut counts = vec![0; words];
    train.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let statistic = |w: usize| {
        // Beyond what scaling every valence would do.
        let usual = counts[w] as f64 / total * reach * whole;
        let g = pieces.iter().map(|p| p.0[w].0).sum::<f64>() - usual;
        let f: f64 = pieces.iter().map(|p| p.0[w].1).sum();
        if f > 0.0 { g * g / f } else { 0.0 }
    };
    let mut all: Vec<(u32, f64)> =
        (0..words).filter(|&w| counts[w] >= least).map(|w| (w as u32, statistic(w))).collect();
    all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    all
}
