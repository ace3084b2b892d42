//! Class means of word counts and the spectra of their spread, for documents one by one or in
//! groups.
//!
//! A bootstrap draws *units*. In memory a unit is a document. Of a corpus larger than memory
//! only sums are kept: each document joins one of up to 200 groups at random, and a
//! unit is such a group. Means over all units are the same; an interval from `G` groups
//! is itself uncertain by a share of about `1/√(2G)`, 5 % for 200.

use super::counts::row;
use crate::corpus::Documents;
use crate::linalg::{Matrix, symmetric};
use crate::seed::{self, Stream};
use crate::{Error, Result};
use rand::Rng;
use rayon::prelude::*;

/// Occurrences below which a word has no part in the scaled spectrum.
const LEAST_SCALED: f64 = 20.0;
/// Most groups.
const MOST_GROUPS: usize = 200;
/// Fewest groups that an interval can be drawn from.
const LEAST_GROUPS: usize = 20;
/// Bytes that the sums of all groups may take.
const GROUP_BYTES: usize = 1 << 28;

/// Eigenvalues of the class means' covariance.
pub(super) struct Spectra {
    pub raw: Vec<f64>,
    pub unbiased: Vec<f64>,
    pub scaled: Vec<f64>,
    /// Centred Gram matrix of the scaled class means, without noise.
    pub gram: Matrix,
}

/// What a bootstrap draws among.
pub(super) trait Units: Sync {
    /// Number of units.
    fn len(&self) -> usize;
    /// Numbers of rows and of words.
    fn size(&self) -> (usize, usize);
    /// Whether a unit has tokens of a row.
    fn has(&self, unit: usize, row: usize) -> bool;
    /// Adds a unit's counts, `weight` times, to one half of its rows' sums.
    fn add(&self, unit: usize, weight: f64, half: usize, sums: &mut Sums);
}

/// Sums of counts and of tokens.
pub(super) struct Sums {
    /// Counts by word: of row `r`, half `h`, at `2r + h`.
    halves: Vec<Vec<f64>>,
    /// Tokens, in the same order.
    tokens: Vec<f64>,
    /// Counts by word of all documents, also those of no row.
    all: Vec<f64>,
    all_tokens: f64,
}

/// Documents, one by one.
pub(super) struct Each {
    documents: Vec<Vec<(u32, f32)>>,
    lengths: Vec<f64>,
    members: Vec<Vec<usize>>,
    size: (usize, usize),
}

impl Each {
    /// * `members`: the rows each document counts for
    /// * `least`: occurrences below which a word plays no part
    pub fn new(
        documents: &Documents,
        members: Vec<Vec<usize>>,
        (rows, vocabulary): (usize, usize),
        least: usize,
    ) -> Self {
        let words = frequent(documents, vocabulary, least);
        let kept = |d: usize| -> Vec<(u32, f32)> {
            let kept = row(documents.get(d)).into_iter();
            kept.filter_map(|(w, c)| words[w as usize].map(|w| (w, c))).collect()
        };
        Self {
            documents: (0..documents.len()).into_par_iter().map(kept).collect(),
            lengths: documents.iter().map(|d| d.len() as f64).collect(),
            members,
            size: (rows, words.iter().flatten().count()),
        }
    }
}

impl Units for Each {
    fn len(&self) -> usize {
        self.documents.len()
    }

    fn size(&self) -> (usize, usize) {
        self.size
    }

    fn has(&self, d: usize, row: usize) -> bool {
        self.lengths[d] > 0.0 && self.members[d].contains(&row)
    }

    fn add(&self, d: usize, weight: f64, half: usize, sums: &mut Sums) {
        let (document, tokens) = (&self.documents[d], weight * self.lengths[d]);
        let add = |to: &mut [f64]| {
            document.iter().for_each(|&(w, c)| to[w as usize] += weight * c as f64);
        };
        sums.all_tokens += tokens;
        add(&mut sums.all);
        for &row in &self.members[d] {
            sums.tokens[2 * row + half] += tokens;
            add(&mut sums.halves[2 * row + half]);
        }
    }
}

/// New indices of the words that occur often enough.
fn frequent(documents: &Documents, vocabulary: usize, least: usize) -> Vec<Option<u32>> {
    let mut counts = vec![0; vocabulary];
    documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let mut next = 0;
    let kept = counts.into_iter().map(|count: usize| {
        (count >= least.max(1)).then(|| {
            next += 1;
            next - 1
        })
    });
    kept.collect()
}

/// Documents in groups, of which only sums are kept.
pub(super) struct Groups {
    /// Counts by group, row and word; after a group's rows, those of all its documents.
    sums: Vec<u32>,
    /// Tokens by group and row, likewise.
    tokens: Vec<f64>,
    /// Documents of each row.
    pub documents: Vec<usize>,
    groups: usize,
    rows: usize,
    words: usize,
    stream: Stream,
}

impl Groups {
    /// No documents yet; `seed` decides who joins which group.
    ///
    /// # Errors
    /// [`Error::Usage`] where the sums would not fit into memory.
    pub fn new((rows, words): (usize, usize), seed: u64) -> Result<Self> {
        let group = (rows + 1) * words;
        let groups = (GROUP_BYTES / (4 * group.max(1))).min(MOST_GROUPS);
        if groups < LEAST_GROUPS {
            return Err(Error::Usage(format!(
                "{rows} rows of {words} words do not fit into {} MB of sums: lower \
                 `corpus.tokens.vocabulary`, or set `prediction.rows` to Labels",
                GROUP_BYTES >> 20
            )));
        }
        Ok(Self {
            sums: vec![0; groups * group],
            tokens: vec![0.0; groups * (rows + 1)],
            documents: vec![0; rows],
            groups,
            rows,
            words,
            stream: seed::stream(seed, "prediction/groups"),
        })
    }

    /// Adds a document that counts for some rows.
    pub fn push(&mut self, tokens: &[u32], members: &[usize]) {
        let group = self.stream.random_range(0..self.groups);
        for &row in members.iter().chain([&self.rows]) {
            let at = group * (self.rows + 1) + row;
            self.tokens[at] += tokens.len() as f64;
            let sums = &mut self.sums[at * self.words..][..self.words];
            tokens.iter().for_each(|&t| sums[t as usize] += 1);
        }
        members.iter().for_each(|&row| self.documents[row] += 1);
    }

    /// Leaves words out that occur less often.
    pub fn drop_rare(&mut self, least: usize) {
        let all = self.sums.chunks(self.words).skip(self.rows).step_by(self.rows + 1);
        let mut counts = vec![0_u64; self.words];
        all.for_each(|sums| counts.iter_mut().zip(sums).for_each(|(c, s)| *c += *s as u64));
        for sums in self.sums.chunks_mut(self.words) {
            sums.iter_mut()
                .zip(&counts)
                .filter(|(_, c)| **c < least as u64)
                .for_each(|(s, _)| *s = 0);
        }
    }
}

impl Units for Groups {
    fn len(&self) -> usize {
        self.groups
    }

    fn size(&self) -> (usize, usize) {
        (self.rows, self.words)
    }

    fn has(&self, group: usize, row: usize) -> bool {
        self.tokens[group * (self.rows + 1) + row] > 0.0
    }

    fn add(&self, group: usize, weight: f64, half: usize, sums: &mut Sums) {
        let first = group * (self.rows + 1);
        let add = |row: usize, to: &mut [f64]| {
            let from = &self.sums[(first + row) * self.words..][..self.words];
            to.iter_mut().zip(from).for_each(|(to, &from)| *to += weight * from as f64);
        };
        for row in 0..self.rows {
            sums.tokens[2 * row + half] += weight * self.tokens[first + row];
            add(row, &mut sums.halves[2 * row + half]);
        }
        sums.all_tokens += weight * self.tokens[first + self.rows];
        add(self.rows, &mut sums.all);
    }
}

/// Draws of halves before a row counts as one that cannot be halved: of two units, all of them leave one half
/// empty with a chance of 2⁻³².
const DRAWS: usize = 32;

/// Whether each row has tokens in both halves.
fn halved(tokens: &[f64]) -> bool {
    tokens.iter().all(|&t| t > 0.0)
}

/// Spectra with each unit counted `weights[u]` times. Those of halves are NaN where a row has less than two units,
/// all where a row has none.
pub(super) fn spectra(
    units: &dyn Units,
    weights: &[u32],
    seed: u64,
    sample: usize,
) -> Result<Spectra> {
    let (rows, width) = units.size();
    let mut stream = seed::stream(seed, &format!("prediction/halves {sample}"));
    let mut draw = || {
        let mut sums = Sums {
            halves: vec![vec![0.0; width]; 2 * rows],
            tokens: vec![0.0; 2 * rows],
            all: vec![0.0; width],
            all_tokens: 0.0,
        };
        for (unit, &weight) in weights.iter().enumerate() {
            // Every copy of a unit goes into the same half: a copy in each would correlate their noise.
            let half = stream.random::<bool>() as usize;
            if weight > 0 {
                units.add(unit, weight as f64, half, &mut sums);
            }
        }
        sums
    };
    let mut sums = draw();
    if !halved(&sums.tokens) {
        let of = |row: usize| {
            let has = |unit: &usize| weights[*unit] > 0 && units.has(*unit, row);
            (0..units.len()).filter(has).take(2).count()
        };
        if (0..rows).all(|row| of(row) == 2) {
            for _ in 1..DRAWS {
                sums = draw();
                if halved(&sums.tokens) {
                    break;
                }
            }
        }
    }
    let halved = halved(&sums.tokens);
    let Sums { halves, tokens, all, all_tokens } = sums;
    let there = (0..rows).all(|r| tokens[2 * r] + tokens[2 * r + 1] > 0.0);
    let global: Vec<f64> = all.iter().map(|x| x / all_tokens).collect();
    let per_token = |sums: &[f64], tokens: f64| -> Vec<f64> {
        let share = if tokens > 0.0 { 1.0 / tokens } else { 0.0 };
        sums.iter().zip(&global).map(|(x, g)| x * share - g).collect()
    };
    let half = |which: usize| -> Vec<Vec<f64>> {
        (0..rows).map(|r| per_token(&halves[2 * r + which], tokens[2 * r + which])).collect()
    };
    let whole: Vec<Vec<f64>> = (0..rows)
        .map(|r| {
            let (a, b) = (&halves[2 * r], &halves[2 * r + 1]);
            let sums: Vec<f64> = a.iter().zip(b).map(|(a, b)| a + b).collect();
            per_token(&sums, tokens[2 * r] + tokens[2 * r + 1])
        })
        .collect();
    let (first, second) = (half(0), half(1));
    let gram = centred(&products(&whole, &whole));
    let cross = products(&first, &second);
    let cross = centred(&((&cross + cross.transpose()) * 0.5));
    let divisor = rows.saturating_sub(1).max(1) as f64;
    let spectrum = |m: &Matrix| -> Result<Vec<f64>> {
        Ok(symmetric(m)?.0.into_iter().map(|v| v / divisor).collect())
    };
    // Rare words have shares of nothing but noise, which the root would enlarge.
    let scale: Vec<f64> = all
        .iter()
        .zip(&global)
        .map(|(count, share)| if *count >= LEAST_SCALED { 1.0 / share.sqrt() } else { 0.0 })
        .collect();
    let scaled = |rows: Vec<Vec<f64>>| -> Vec<Vec<f64>> {
        let row = |r: Vec<f64>| r.iter().zip(&scale).map(|(x, s)| x * s).collect();
        rows.into_iter().map(row).collect()
    };
    let product = products(&scaled(first), &scaled(second));
    let scaled = centred(&((&product + product.transpose()) * 0.5));
    let told = |told: bool, m: &Matrix| if told { spectrum(m) } else { Ok(vec![f64::NAN; rows]) };
    Ok(Spectra {
        raw: told(there, &gram)?,
        unbiased: told(halved, &cross)?,
        scaled: told(halved, &scaled)?,
        gram: scaled,
    })
}

/// `a_i · b_j`.
fn products(a: &[Vec<f64>], b: &[Vec<f64>]) -> Matrix {
    let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| x * y).sum::<f64>();
    Matrix::from_fn(a.len(), b.len(), |i, j| dot(&a[i], &b[j]))
}

/// Rows and columns centred: the Gram matrix of points about their mean.
fn centred(gram: &Matrix) -> Matrix {
    let n = gram.nrows() as f64;
    let rows: Vec<f64> = gram.row_iter().map(|r| r.sum() / n).collect();
    let columns: Vec<f64> = gram.column_iter().map(|c| c.sum() / n).collect();
    let mean = rows.iter().sum::<f64>() / n;
    Matrix::from_fn(gram.nrows(), gram.ncols(), |i, j| gram[(i, j)] - rows[i] - columns[j] + mean)
}
