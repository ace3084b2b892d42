//! The attractor's dimension from class means of word counts.
//!
//! Aitken et al. (2021) predict the network's dimension from the data alone
//! (SPEC 9): with `m_c` the mean word counts of class `c` per token, centred by
//! the mean over all documents, the principal components of the `N × V` matrix
//! of class means have as many non-negligible variances as the network has
//! integration directions.
//!
//! # Noise
//! With thousands of words and finitely many documents, `m_c` carries sampling
//! noise, and noise has full rank: `N` classes drawn from one process still
//! spread in `N − 1` directions. Besides the raw spectrum this room therefore
//! gives one that is unbiased: with the documents of each class halved at
//! random, the product of one half's mean with the other's has no noise on
//! average. Variances that are not above zero by this measure are no evidence
//! for a direction.
//!
//! # Scale
//! Raw shares of tokens differ most in the commonest words. A network weighs a word by what
//! it says, not by how often it comes; dividing each word's share by the root of its overall
//! share (the residuals of a χ² test, as correspondence analysis has them) makes sampling noise
//! equal in all words and puts evidence in their place. On four topics of news the raw
//! spectrum says 2.1 dimensions, the scaled one 2.8, the network has 2.9.

use super::counts::row;
use crate::corpus::{Labels, Split};
use crate::linalg::{Matrix, symmetric};
use crate::{Error, Result, seed, setting};
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Combinations of labels with fewer documents are left out of the rows: their
/// means are noise.
const LEAST_DOCUMENTS: usize = 20;
/// Most combinations of labels that make rows; the most frequent stay.
const MOST_COMBINATIONS: usize = 64;

/// Occurrences below which a word has no part in the scaled spectrum.
const LEAST_SCALED: f64 = 20.0;

/// How the dimension is predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Samples of documents, with replacement, behind each interval.
    pub bootstrap: usize,
    /// Words with fewer occurrences in the training split play no part.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub least: usize,
    /// For label lists: what makes a row.
    pub rows: Rows,
}

impl Default for Settings {
    fn default() -> Self {
        Self { bootstrap: 200, least: 1, rows: Rows::Auto }
    }
}

/// What makes a row of the class-mean matrix, for label lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rows {
    /// Combinations for up to three labels, else labels.
    #[default]
    Auto,
    /// Combinations of labels that occur in at least 20 documents.
    Combinations,
    /// Single labels; a document counts for each label it carries.
    Labels,
}

/// What the counts say.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// Names of the rows of the class-mean matrix.
    pub rows: Vec<String>,
    /// Documents of each row.
    pub documents: Vec<usize>,
    /// Variances of the class means along their principal components,
    /// descending (SPEC 9).
    pub variances: Vec<f64>,
    /// The same without sampling noise, from split halves; may be negative.
    pub unbiased: Vec<f64>,
    /// Participation ratio of `variances`.
    pub dimension: Interval,
    /// Participation ratio of `unbiased`, its negative variances set to zero.
    pub dimension_unbiased: Interval,
    /// As `unbiased`, each word's share divided by the root of its overall share.
    pub scaled: Vec<f64>,
    /// Participation ratio of `scaled`.
    pub dimension_scaled: Interval,
    /// Shape of the class means, scaled and without noise.
    pub shape: Shape,
}

/// A number with its bootstrap interval over documents.
///
/// A resample has its sampling noise twice, once from the documents and once from drawing
/// among them, which lifts a participation ratio: on a few hundred documents the plain one
/// lay below all of its resamples. The interval is the resamples' spread about their own
/// median, laid around the value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// From all documents.
    pub value: f64,
    /// 2.5th percentile, less the resamples' median, plus the value; NaN without bootstrap.
    pub low: f64,
    /// The same with the 97.5th.
    pub high: f64,
}

/// What figure the class means draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Two classes: a line.
    Line,
    /// Ordered along one axis, or bent in a plane.
    Curve,
    /// As far from each other as they can be: a simplex.
    Simplex,
    /// Combinations of independent labels: a (hyper)cube.
    Product,
    /// None of these.
    Other,
}

impl Shape {
    /// Its name in sentences.
    pub fn name(self) -> &'static str {
        match self {
            Shape::Line => "line",
            Shape::Curve => "curve",
            Shape::Simplex => "simplex",
            Shape::Product => "product",
            Shape::Other => "other",
        }
    }
}

/// Predicts from the training split.
///
/// * `names`: label names, by index
/// * `vocabulary`: number of words
///
/// A class's mean is `m_c = Σ counts / Σ lengths` over its documents, which is
/// SPEC 9's `Σ counts/(n_c L)` where all documents have `L` tokens; the global
/// mean is that of all documents.
///
/// # Errors
/// [`Error::Usage`] for labels that are a running score, which has no classes.
pub fn predict(
    split: &Split,
    names: &[String],
    vocabulary: usize,
    settings: &Settings,
    seed: u64,
) -> Result<Prediction> {
    let (rows, members) = rows(&split.labels, names, settings.rows)?;
    let words = frequent(split, vocabulary, settings.least);
    let documents: Vec<Vec<(u32, f32)>> = (0..split.documents.len())
        .into_par_iter()
        .map(|d| {
            let kept = row(split.documents.get(d)).into_iter();
            kept.filter_map(|(w, c)| words[w as usize].map(|w| (w, c))).collect()
        })
        .collect();
    let lengths: Vec<f64> = split.documents.iter().map(|d| d.len() as f64).collect();
    let width = words.iter().flatten().count();
    let data = Data { documents: &documents, lengths: &lengths, members: &members, width };

    let whole = data.spectra(&vec![1; documents.len()], seed, 0)?;
    let samples: Vec<Spectra> = (0..settings.bootstrap)
        .into_par_iter()
        .map(|b| {
            let mut stream = seed::stream(seed, &format!("prediction/bootstrap {b}"));
            let mut weights = vec![0_u32; documents.len()];
            for _ in 0..documents.len() {
                weights[stream.random_range(0..documents.len())] += 1;
            }
            data.spectra(&weights, seed, b + 1)
        })
        .collect::<Result<_>>()?;
    let interval = |of: &dyn Fn(&Spectra) -> f64| {
        let mut values: Vec<f64> = samples.iter().map(of).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| match values.len() {
            0 => f64::NAN,
            n => values[((n - 1) as f64 * share).round() as usize],
        };
        let (value, middle) = (of(&whole), at(0.5));
        // A participation ratio is at least 1.
        let low = (value + at(0.025) - middle).max(value.min(1.0));
        Interval { value, low, high: value + at(0.975) - middle }
    };
    let counts: Vec<usize> =
        (0..rows.len()).map(|r| members.iter().filter(|m| m.contains(&r)).count()).collect();
    let product = matches!(split.labels, Labels::Multi { .. }) && rows.len() != names.len();
    Ok(Prediction {
        dimension: interval(&|s| participation(&s.raw)),
        dimension_unbiased: interval(&|s| participation(&s.unbiased)),
        dimension_scaled: interval(&|s| participation(&s.scaled)),
        scaled: whole.scaled.clone(),
        shape: shape(&whole, product),
        variances: whole.raw.clone(),
        unbiased: whole.unbiased.clone(),
        documents: counts,
        rows,
    })
}

/// Row names, and for each document the rows it counts for.
fn rows(labels: &Labels, names: &[String], rows: Rows) -> Result<(Vec<String>, Vec<Vec<usize>>)> {
    match labels {
        Labels::Class(classes) => {
            Ok((names.to_vec(), classes.iter().map(|&c| vec![c as usize]).collect()))
        }
        Labels::Score(_) => Err(Error::Usage(
            "a running score has no classes: the dimension is predicted for labelled documents"
                .into(),
        )),
        Labels::Multi { labels, flags } => {
            let single = match rows {
                Rows::Labels => true,
                Rows::Combinations => false,
                Rows::Auto => *labels > 3,
            };
            let carried: Vec<Vec<usize>> =
                flags.chunks(*labels).map(|f| (0..*labels).filter(|&k| f[k]).collect()).collect();
            if single {
                return Ok((names.to_vec(), carried));
            }
            let mut found: BTreeMap<&Vec<usize>, usize> = BTreeMap::new();
            carried.iter().for_each(|c| *found.entry(c).or_default() += 1);
            let mut frequent: Vec<(&Vec<usize>, usize)> =
                found.into_iter().filter(|(_, n)| *n >= LEAST_DOCUMENTS).collect();
            frequent.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
            frequent.truncate(MOST_COMBINATIONS);
            frequent.sort();
            let index: BTreeMap<&Vec<usize>, usize> =
                frequent.iter().enumerate().map(|(i, (c, _))| (*c, i)).collect();
            let name = |combination: &Vec<usize>| match combination.len() {
                0 => "none".to_string(),
                _ => {
                    let parts: Vec<&str> = combination.iter().map(|&k| names[k].as_str()).collect();
                    parts.join(" + ")
                }
            };
            let rows = frequent.iter().map(|(c, _)| name(c)).collect();
            let members =
                carried.iter().map(|c| index.get(c).copied().into_iter().collect()).collect();
            Ok((rows, members))
        }
    }
}

/// New indices of the words that occur often enough.
fn frequent(split: &Split, vocabulary: usize, least: usize) -> Vec<Option<u32>> {
    let mut counts = vec![0; vocabulary];
    split.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let mut next = 0;
    let kept = counts.into_iter().map(|count: usize| {
        (count >= least.max(1)).then(|| {
            next += 1;
            next - 1
        })
    });
    kept.collect()
}

/// Counts as the bootstrap needs them.
struct Data<'a> {
    documents: &'a [Vec<(u32, f32)>],
    lengths: &'a [f64],
    members: &'a [Vec<usize>],
    width: usize,
}

/// Eigenvalues of the class means' covariance.
struct Spectra {
    raw: Vec<f64>,
    unbiased: Vec<f64>,
    scaled: Vec<f64>,
    /// Centred Gram matrix of the scaled class means, without noise.
    gram: Matrix,
}

impl Data<'_> {
    /// Spectra with each document counted `weights[d]` times.
    fn spectra(&self, weights: &[u32], seed: u64, sample: usize) -> Result<Spectra> {
        let rows = self.members.iter().flatten().max().map_or(0, |m| m + 1);
        let mut halves = vec![vec![0.0_f64; self.width]; 2 * rows];
        let mut tokens = vec![0.0_f64; 2 * rows];
        let mut all = vec![0.0_f64; self.width];
        let mut all_tokens = 0.0;
        let mut stream = seed::stream(seed, &format!("prediction/halves {sample}"));
        for (d, document) in self.documents.iter().enumerate() {
            // Every copy of a document goes into the same half: a copy in each
            // would correlate their noise.
            let half = stream.random::<bool>() as usize;
            if weights[d] == 0 {
                continue;
            }
            let weight = weights[d] as f64;
            all_tokens += weight * self.lengths[d];
            document.iter().for_each(|&(w, c)| all[w as usize] += weight * c as f64);
            for &row in &self.members[d] {
                let slot = 2 * row + half;
                tokens[slot] += weight * self.lengths[d];
                let sums = &mut halves[slot];
                document.iter().for_each(|&(w, c)| sums[w as usize] += weight * c as f64);
            }
        }
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
        Ok(Spectra {
            raw: spectrum(&gram)?,
            unbiased: spectrum(&cross)?,
            scaled: spectrum(&scaled)?,
            gram: scaled,
        })
    }
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

/// Participation ratio, negative variances (noise) left out.
fn participation(variances: &[f64]) -> f64 {
    let total: f64 = variances.iter().map(|v| v.max(0.0)).sum();
    let squares: f64 = variances.iter().map(|v| v.max(0.0).powi(2)).sum();
    if squares > 0.0 { total * total / squares } else { 0.0 }
}

/// Ratio of smallest to largest distance above which points count as a
/// regular simplex: half-way between a square (0.71) and a simplex (1).
const SIMPLEX: f64 = 0.85;
/// Share of variance in two components above which points count as a curve.
const CURVE: f64 = 0.9;

fn shape(spectra: &Spectra, product: bool) -> Shape {
    let gram = &spectra.gram;
    let n = gram.nrows();
    if n <= 2 {
        return Shape::Line;
    }
    if product {
        return Shape::Product;
    }
    let pairs = (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
    let distances: Vec<f64> = pairs
        .map(|(i, j)| (gram[(i, i)] + gram[(j, j)] - 2.0 * gram[(i, j)]).max(0.0).sqrt())
        .collect();
    let (least, most) = (
        distances.iter().copied().fold(f64::INFINITY, f64::min),
        distances.iter().copied().fold(0.0, f64::max),
    );
    let variances = &spectra.scaled;
    let total: f64 = variances.iter().map(|v| v.max(0.0)).sum();
    let (one, two) = (variances[0] / total, (variances[0] + variances[1]) / total);
    if least > SIMPLEX * most {
        Shape::Simplex
    } else if one > CURVE {
        Shape::Line
    } else if two > CURVE {
        Shape::Curve
    } else {
        Shape::Other
    }
}
