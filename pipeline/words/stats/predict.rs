//! The attractor's dimension from class means of word counts.
//!
//! Aitken et al. (2021, arXiv:2010.15114) predict the network's dimension from the data
//! alone: with `m_c` the mean word counts of class `c` per token, centred by the mean
//! over all documents, the principal components of the `N × V` matrix of class means
//! have as many non-negligible variances as the network has integration directions.
//!
//! # Noise
//! With thousands of words and finitely many documents, `m_c` carries sampling
//! noise, and noise has full rank: `N` classes drawn from one process still
//! spread in `N − 1` directions. Besides the raw spectrum this room therefore
//! gives one that is unbiased: with the documents of each class halved at
//! random, the product of one half's mean with the other's has no noise on
//! average. Variances that are not above zero by this measure are no evidence
//! for a direction. A class of a single document cannot be halved: it makes no row. Where a class has too
//! few documents for two halves by chance, the halves are drawn again; what still cannot be halved gets no
//! unbiased number and no interval.
//!
//! # Scale
//! Raw shares of tokens differ most in the commonest words. A network weighs a word by what
//! it says, not by how often it comes; dividing each word's share by the root of its overall
//! share (the residuals of a χ² test, as correspondence analysis has them) makes sampling noise
//! equal in all words and puts evidence in their place. On four topics of news the raw
//! spectrum says 2.1 dimensions, the scaled one 2.8, the network has 2.9.

use super::means::{Each, Groups, Spectra, Units, spectra};
use crate::corpus::{Labels, Pieces, Split};
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

/// How the dimension is predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Samples of documents, with replacement, behind each interval.
    #[serde(deserialize_with = "setting::whole::<_, 0, 100000>")]
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
    /// Names of the rows of the class-mean matrix: labels of two documents or more, or combinations.
    pub rows: Vec<String>,
    /// Documents of each row.
    pub documents: Vec<usize>,
    /// Variances of the class means along their principal components,
    /// descending.
    pub variances: Vec<f64>,
    /// The same corrected for sampling noise, from split halves; may be negative; NaN where a row cannot be halved.
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
    /// Combinations of labels that make no row, and how many documents carry them.
    pub left_out: LeftOut,
}

/// Combinations of labels that are too rare for a row of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// How many combinations.
    pub combinations: usize,
    /// Documents that carry them.
    pub documents: usize,
    /// Documents altogether.
    pub of: usize,
}

impl LeftOut {
    /// A sentence; nothing where all are rows.
    pub fn note(&self) -> Option<String> {
        let LeftOut { combinations, documents, of } = self;
        (*combinations > 0).then(|| {
            format!(
                "{combinations} combinations of labels in fewer than {LEAST_DOCUMENTS} documents each, or beyond the \
                 {MOST_COMBINATIONS} commonest, make no row: {documents} of {of} documents play no part in the prediction \
                 (`prediction.rows: Labels` takes single labels)"
            )
        })
    }
}

/// What the counts of a training split say that was read in pieces.
pub struct InPieces {
    /// The prediction.
    pub prediction: Prediction,
    /// Documents counted.
    pub documents: usize,
    /// Tokens counted.
    pub tokens: usize,
    /// What was cut, dropped or doubtful.
    pub notes: Vec<String>,
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
    /// All classes have the same mean counts: nothing to tell them by.
    Point,
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
            Shape::Point => "point",
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
/// the published `Σ counts/(n_c L)` where all documents have `L` tokens; the global
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
    let carried = carried(&split.labels)?;
    let mut sets: BTreeMap<&[usize], usize> = BTreeMap::new();
    carried.iter().for_each(|set| *sets.entry(set).or_default() += 1);
    let lists = matches!(split.labels, Labels::Multi { .. });
    let rows = Layout::new(sets, lists, names, settings.rows);
    let members: Vec<Vec<usize>> = carried.iter().map(|set| rows.of(set)).collect();
    let mut documents = vec![0; rows.names.len()];
    members.iter().flatten().for_each(|&row| documents[row] += 1);
    let size = (rows.names.len(), vocabulary);
    let units = Each::new(&split.documents, members, size, settings.least);
    of_units(&units, rows, documents, settings, seed)
}

/// Predicts from a training split that is read in pieces.
///
/// As [`predict`]; documents are drawn again in groups, of which only the sums stay in memory.
///
/// * `progress`: is told how many rows are counted, of how many
///
/// # Errors
/// As [`Pieces::each`]; [`Error::Usage`] where the sums of so many rows and words would not
/// fit into memory.
pub fn predict_pieces(
    pieces: &Pieces,
    settings: &Settings,
    seed: u64,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<InPieces> {
    let sets = pieces.label_sets();
    let sets = sets.iter().map(|(set, count)| (set.as_slice(), *count)).collect();
    let rows = Layout::new(sets, pieces.lists, &pieces.label_names, settings.rows);
    let mut groups = Groups::new((rows.names.len(), pieces.words.len()), seed)?;
    let (mut documents, mut tokens) = (0, 0);
    let notes = pieces.each(progress, |split| {
        documents += split.documents.len();
        tokens += split.documents.token_count();
        for (document, set) in split.documents.iter().zip(carried(&split.labels)?) {
            groups.push(document, &rows.of(&set));
        }
        Ok(())
    })?;
    groups.drop_rare(settings.least);
    let by_row = groups.documents.clone();
    let prediction = of_units(&groups, rows, by_row, settings, seed)?;
    Ok(InPieces { prediction, documents, tokens, notes })
}

/// Spectra of all units, and their spread over draws among the units.
fn of_units(
    units: &dyn Units,
    rows: Layout,
    documents: Vec<usize>,
    settings: &Settings,
    seed: u64,
) -> Result<Prediction> {
    let whole = spectra(units, &vec![1; units.len()], seed, 0)?;
    let samples: Vec<Spectra> = (0..settings.bootstrap)
        .into_par_iter()
        .map(|b| {
            let mut stream = seed::stream(seed, &format!("prediction/bootstrap {b}"));
            let mut weights = vec![0_u32; units.len()];
            for _ in 0..units.len() {
                weights[stream.random_range(0..units.len())] += 1;
            }
            spectra(units, &weights, seed, b + 1)
        })
        .collect::<Result<_>>()?;
    let interval = |of: &dyn Fn(&Spectra) -> f64| {
        // A sample without some row, or with one that cannot be halved, tells nothing.
        let mut values: Vec<f64> = samples.iter().map(of).filter(|x| x.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        if 2 * values.len() < samples.len() {
            values.clear();
        }
        let at = |share: f64| match values.len() {
            0 => f64::NAN,
            n => values[((n - 1) as f64 * share).round() as usize],
        };
        let (value, middle) = (of(&whole), at(0.5));
        if !value.is_finite() || middle.is_nan() {
            return Interval { value, low: f64::NAN, high: f64::NAN };
        }
        // A participation ratio is at least 1.
        let low = (value + at(0.025) - middle).max(value.min(1.0));
        Interval { value, low, high: value + at(0.975) - middle }
    };
    Ok(Prediction {
        dimension: interval(&|s| participation(&s.raw)),
        dimension_unbiased: interval(&|s| participation(&s.unbiased)),
        dimension_scaled: interval(&|s| participation(&s.scaled)),
        scaled: whole.scaled.clone(),
        shape: shape(&whole, rows.product),
        variances: whole.raw.clone(),
        unbiased: whole.unbiased.clone(),
        documents,
        left_out: rows.left_out,
        rows: rows.names,
    })
}

/// Labels of each document, ascending.
fn carried(labels: &Labels) -> Result<Vec<Vec<usize>>> {
    match labels {
        Labels::Class(classes) => Ok(classes.iter().map(|&c| vec![c as usize]).collect()),
        Labels::Score(_) => Err(Error::Usage(
            "a running score has no classes: the dimension is predicted for labelled documents"
                .into(),
        )),
        Labels::Multi { labels: 0, .. } => Err(Error::Usage(
            "no document carries a label: there is nothing to predict from".into(),
        )),
        Labels::Multi { labels, flags } => {
            Ok(flags.chunks(*labels).map(|f| (0..*labels).filter(|&k| f[k]).collect()).collect())
        }
    }
}

/// What the rows of the class-mean matrix are.
struct Layout {
    names: Vec<String>,
    /// The row of each combination of labels; none: labels are rows.
    combinations: Option<BTreeMap<Vec<usize>, usize>>,
    /// The row of each label, where labels are rows and it is one.
    labels: Vec<Option<usize>>,
    /// Whether the rows are combinations of independent labels.
    product: bool,
    left_out: LeftOut,
}

impl Layout {
    /// * `sets`: combinations of labels, with their documents
    /// * `lists`: whether documents carry lists of labels
    fn new(sets: BTreeMap<&[usize], usize>, lists: bool, names: &[String], rows: Rows) -> Self {
        let single = match rows {
            _ if !lists => true,
            Rows::Labels => true,
            Rows::Combinations => false,
            Rows::Auto => names.len() > 3,
        };
        if single {
            let mut carried = vec![0; names.len()];
            for (set, documents) in &sets {
                set.iter().for_each(|&k| carried[k] += documents);
            }
            let mut kept: Vec<usize> = (0..names.len()).filter(|&k| carried[k] != 1).collect();
            if kept.len() < 2 {
                kept = (0..names.len()).collect();
            }
            let mut labels = vec![None; names.len()];
            kept.iter().enumerate().for_each(|(row, &k)| labels[k] = Some(row));
            let names = kept.iter().map(|&k| names[k].clone()).collect();
            let left_out = LeftOut::default();
            return Self { names, combinations: None, labels, product: false, left_out };
        }
        let of: usize = sets.values().sum();
        let combinations = sets.len();
        let mut frequent: Vec<(&[usize], usize)> =
            sets.into_iter().filter(|(_, n)| *n >= LEAST_DOCUMENTS).collect();
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        frequent.truncate(MOST_COMBINATIONS);
        frequent.sort();
        let left_out = LeftOut {
            combinations: combinations - frequent.len(),
            documents: of - frequent.iter().map(|(_, n)| n).sum::<usize>(),
            of,
        };
        let name = |set: &[usize]| match set.len() {
            0 => "none".to_string(),
            _ => {
                let parts: Vec<&str> = set.iter().map(|&k| names[k].as_str()).collect();
                parts.join(" + ")
            }
        };
        Self {
            names: frequent.iter().map(|(set, _)| name(set)).collect(),
            product: frequent.len() != names.len(),
            labels: Vec::new(),
            left_out,
            combinations: Some(frequent.iter().map(|(set, _)| set.to_vec()).zip(0..).collect()),
        }
    }

    /// The rows that a document with these labels counts for.
    fn of(&self, set: &[usize]) -> Vec<usize> {
        match &self.combinations {
            None => set.iter().filter_map(|&k| self.labels[k]).collect(),
            Some(rows) => rows.get(set).copied().into_iter().collect(),
        }
    }
}

/// Participation ratio, negative variances (noise) left out.
fn participation(variances: &[f64]) -> f64 {
    if variances.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
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
    let scatter: f64 = spectra.raw.iter().map(|v| v.max(0.0)).sum();
    if !(scatter > 0.0) {
        return Shape::Point;
    }
    if n <= 2 {
        return Shape::Line;
    }
    if spectra.scaled.iter().any(|v| v.is_nan()) {
        return Shape::Other;
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
