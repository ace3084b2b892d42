//! The matrix of a regression: a row a document, a column a feature.

use super::logistic::Weighting;
use crate::stats::Counts;
use rayon::prelude::*;

/// Rows of features, read in both directions.
pub trait Design: Sync {
    /// Documents.
    fn rows(&self) -> usize;
    /// Features.
    fn columns(&self) -> usize;
    /// Adds `X v` of row `row` to `z`, one number an output; `v` holds
    /// `columns + 1` numbers an output.
    fn add_row(&self, row: usize, v: &[f64], z: &mut [f64]);
    /// `Σ_d x_dj s_d` for every feature `j`, written over `out`; `s` has a number a document.
    fn gather(&self, s: &[f64], out: &mut [f64]);
    /// `Σ_d x_dj² s_d` for every feature `j`, written over `out`.
    fn gather_squares(&self, s: &[f64], out: &mut [f64]);
}

/// Features a piece of work.
const PIECE: usize = 512;

/// Counts of words, mostly zero.
pub struct Sparse<'a> {
    counts: &'a Counts,
    weighting: Weighting,
    /// Documents that have each word, for products with the transposed matrix
    /// that need no sums over threads.
    by_word: Vec<Vec<(u32, f32)>>,
}

impl<'a> Sparse<'a> {
    /// The counts, weighed.
    pub fn new(counts: &'a Counts, weighting: Weighting) -> Self {
        let mut by_word = vec![Vec::new(); counts.vocabulary()];
        for d in 0..counts.len() {
            for (word, count) in counts.document(d) {
                by_word[word as usize].push((d as u32, weighting.of(count) as f32));
            }
        }
        Self { counts, weighting, by_word }
    }

    /// What a count counts, as the transposed matrix has it.
    fn value(&self, count: f32) -> f64 {
        (self.weighting.of(count) as f32) as f64
    }
}

impl Design for Sparse<'_> {
    fn rows(&self) -> usize {
        self.counts.len()
    }

    fn columns(&self) -> usize {
        self.counts.vocabulary()
    }

    fn add_row(&self, row: usize, v: &[f64], z: &mut [f64]) {
        let stride = self.columns() + 1;
        if let [z] = z {
            *z += self
                .counts
                .document(row)
                .map(|(word, count)| self.value(count) * v[word as usize])
                .sum::<f64>();
            return;
        }
        for (word, count) in self.counts.document(row) {
            let value = self.value(count);
            for (o, z) in z.iter_mut().enumerate() {
                *z += value * v[o * stride + word as usize];
            }
        }
    }

    fn gather(&self, s: &[f64], out: &mut [f64]) {
        out.par_iter_mut().zip(&self.by_word).with_min_len(PIECE).for_each(|(out, column)| {
            *out = column.iter().map(|&(d, x)| x as f64 * s[d as usize]).sum();
        });
    }

    fn gather_squares(&self, s: &[f64], out: &mut [f64]) {
        out.par_iter_mut().zip(&self.by_word).with_min_len(PIECE).for_each(|(out, column)| {
            let square = |x: f32| x as f64 * x as f64;
            *out = column.iter().map(|&(d, x)| square(x) * s[d as usize]).sum();
        });
    }
}

/// A number for every feature of every document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dense {
    /// Features.
    pub width: usize,
    /// `[documents, width]`, row-major.
    pub values: Vec<f32>,
}

impl Dense {
    /// The features of one document.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.width..][..self.width]
    }

    /// Sums over documents of `f(x) s`, pieces of the documents side by side and
    /// added in their order.
    fn sums(&self, s: &[f64], f: impl Fn(f64) -> f64 + Sync, out: &mut [f64]) {
        let parts: Vec<Vec<f64>> = self
            .values
            .par_chunks(PIECE * self.width)
            .enumerate()
            .map(|(piece, rows)| {
                let mut sum = vec![0.0; self.width];
                for (d, row) in rows.chunks(self.width).enumerate() {
                    let weight = s[piece * PIECE + d];
                    sum.iter_mut().zip(row).for_each(|(t, &x)| *t += f(x as f64) * weight);
                }
                sum
            })
            .collect();
        out.fill(0.0);
        parts.iter().for_each(|p| out.iter_mut().zip(p).for_each(|(o, p)| *o += p));
    }
}

impl Design for Dense {
    fn rows(&self) -> usize {
        self.values.len() / self.width
    }

    fn columns(&self) -> usize {
        self.width
    }

    fn add_row(&self, row: usize, v: &[f64], z: &mut [f64]) {
        let x = self.row(row);
        for (z, v) in z.iter_mut().zip(v.chunks(self.width + 1)) {
            *z += x.iter().zip(v).map(|(&x, v)| x as f64 * v).sum::<f64>();
        }
    }

    fn gather(&self, s: &[f64], out: &mut [f64]) {
        self.sums(s, |x| x, out);
    }

    fn gather_squares(&self, s: &[f64], out: &mut [f64]) {
        self.sums(s, |x| x * x, out);
    }
}
