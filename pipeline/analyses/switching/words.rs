//! Which words move the expansion point.

use super::wide;
use crate::geometry::Moments;
use crate::switching::{Shape, Trace};

/// Least places of a word whose mean is told.
const LEAST_PLACES: usize = 5;

/// What a word does to the expansion point, over all its places in test documents.
#[derive(Clone, Debug, PartialEq)]
pub struct WordMove {
    /// Number of the word.
    pub word: u32,
    /// Places.
    pub count: usize,
    /// Mean `‖e_{t+1} − e_t‖`, in units of the root mean square distance of expansion points from their mean.
    pub moved: f64,
    /// Mean change of the network's first output.
    pub said: f64,
}

/// How far each word moves the expansion point of the next step, farthest first.
pub fn word_moves(traces: &[Trace], tokens: &[Vec<u32>], shape: &Shape) -> Vec<WordMove> {
    let (s, k) = (shape.state(), shape.outputs);
    let mut sums = std::collections::BTreeMap::<u32, (usize, f64, f64)>::new();
    let mut moments = Moments::new(s);
    for (trace, tokens) in traces.iter().zip(tokens) {
        let points: Vec<Vec<f64>> = trace.expansion_points.chunks(s).map(wide).collect();
        points.iter().for_each(|p| moments.add(p));
        for t in 0..points.len().saturating_sub(1) {
            let far = crate::dynamics::select::distance(&points[t], &points[t + 1]);
            let before = if t == 0 { 0.0 } else { trace.outputs[(t - 1) * k] as f64 };
            let sum = sums.entry(tokens[t]).or_default();
            *sum = (sum.0 + 1, sum.1 + far, sum.2 + trace.outputs[t * k] as f64 - before);
        }
    }
    let spread = moments.covariance().trace().sqrt();
    let of = |(word, (count, far, said)): (u32, (usize, f64, f64))| WordMove {
        word,
        count,
        moved: far / count as f64 / spread,
        said: said / count as f64,
    };
    let mut all: Vec<WordMove> =
        sums.into_iter().filter(|(_, sum)| sum.0 >= LEAST_PLACES).map(of).collect();
    all.sort_by(|a, b| b.moved.total_cmp(&a.moved).then(a.word.cmp(&b.word)));
    all
}
