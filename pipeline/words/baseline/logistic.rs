//! Bag of words: logistic regression on word counts.
//!
//! `z = b + Σ_t β[w_t]`, order-free. The loss is the mean over documents (one
//! logit for two classes, softmax for more, one sigmoid a label for label
//! lists, squares for a score) plus `λ/2 ‖β‖²`; the bias is not penalised.

use super::design::{Design, Sparse};
use super::newton::{Objective, minimise};
use crate::corpus::{Labels, Split};
use crate::stats::Counts;
use crate::{Error, Result, setting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Most Newton steps a penalty.
const STEPS: usize = 100;
/// Documents a piece of work; the order of all sums hangs on it.
const CHUNK: usize = 512;

/// How the bag of words is fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What a word counts.
    pub weighting: Weighting,
    /// Penalties `λ` to choose from on the validation split.
    #[serde(deserialize_with = "setting::numbers")]
    pub penalties: Vec<f64>,
    /// Largest entry of the gradient at which a fit counts as converged.
    #[serde(deserialize_with = "setting::positive")]
    pub tolerance: f64,
    /// Longest sequences of words that bags for comparison count beside words: 2
    /// for pairs, 3 for pairs and triples; 0 for none.
    #[serde(deserialize_with = "setting::count")]
    pub ngrams: usize,
    /// Occurrences in the training split below which a sequence is not counted.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub ngram_least: usize,
    /// A frozen pretrained encoder with a logistic probe: how much there is to know
    /// beyond words in context.
    pub encoder: Option<super::encoder::Settings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            weighting: Weighting::Counts,
            penalties: vec![1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5],
            tolerance: 1e-5,
            ngrams: 0,
            ngram_least: 5,
            encoder: None,
        }
    }
}

/// What a word counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Weighting {
    /// Its occurrences, as in the papers.
    #[default]
    Counts,
    /// `ln(1 + occurrences)`.
    Logarithm,
    /// 1 if it occurs.
    Presence,
}

impl Weighting {
    pub(super) fn of(self, count: f32) -> f64 {
        match self {
            Weighting::Counts => count as f64,
            Weighting::Logarithm => (count as f64).ln_1p(),
            Weighting::Presence => 1.0,
        }
    }
}

/// A fitted bag of words.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// `[outputs][words]`: what a word adds to each output.
    pub weights: Vec<Vec<f64>>,
    /// `[outputs]`.
    pub bias: Vec<f64>,
    /// The chosen penalty.
    pub penalty: f64,
    /// For every penalty tried: `λ`, validation loss, validation accuracy,
    /// whether the fit converged.
    pub tried: Vec<(f64, f64, f64, bool)>,
    weighting: Weighting,
}

/// Loss and accuracy over a split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Mean loss a document (a label, for label lists), nats or squared units.
    pub loss: f64,
    /// Share right; for a score `R²`.
    pub accuracy: f64,
    /// Answers behind the accuracy.
    pub count: usize,
}

/// What is to be said of each document, as numbers.
pub(super) struct Answers {
    kind: AnswerKind,
    outputs: usize,
    /// Class indices, flags, or scores, `[documents, outputs or 1]`.
    values: Vec<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AnswerKind {
    Sigmoid,
    Softmax,
    Squares,
}

impl Answers {
    pub(super) fn of(split: &Split, classes: usize) -> Self {
        match &split.labels {
            Labels::Class(c) if classes == 2 => Self {
                kind: AnswerKind::Sigmoid,
                outputs: 1,
                values: c.iter().map(|&c| c as f64).collect(),
            },
            Labels::Class(c) => Self {
                kind: AnswerKind::Softmax,
                outputs: classes,
                values: c.iter().map(|&c| c as f64).collect(),
            },
            Labels::Multi { labels, flags } => Self {
                kind: AnswerKind::Sigmoid,
                outputs: *labels,
                values: flags.iter().map(|&f| f as u8 as f64).collect(),
            },
            Labels::Score(scores) => {
                let last = |d: usize| {
                    let documents = &split.documents;
                    scores[documents.start(d) + documents.get(d).len() - 1] as f64
                };
                Self {
                    kind: AnswerKind::Squares,
                    outputs: 1,
                    values: (0..split.documents.len()).map(last).collect(),
                }
            }
        }
    }

    /// Loss of document `d` with outputs `z`, its slope in them written to
    /// `slope`, and how many of its answers are right.
    pub(super) fn document(&self, d: usize, z: &[f64], slope: &mut [f64]) -> (f64, f64) {
        match self.kind {
            AnswerKind::Sigmoid => {
                let mut sums = (0.0, 0.0);
                let wanted = &self.values[d * self.outputs..][..self.outputs];
                for ((&z, &y), slope) in z.iter().zip(wanted).zip(slope) {
                    sums.0 += z.max(0.0) - z * y + (-z.abs()).exp().ln_1p();
                    sums.1 += ((z >= 0.0) == (y > 0.5)) as u8 as f64;
                    *slope = 1.0 / (1.0 + (-z).exp()) - y;
                }
                sums
            }
            AnswerKind::Softmax => {
                let class = self.values[d] as usize;
                let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let total: f64 = z.iter().map(|z| (z - top).exp()).sum();
                for (k, (z, slope)) in z.iter().zip(slope).enumerate() {
                    *slope = (z - top).exp() / total - (k == class) as u8 as f64;
                }
                let first = z.iter().position(|&x| x == top);
                (total.ln() + top - z[class], (first == Some(class)) as u8 as f64)
            }
            AnswerKind::Squares => {
                let error = z[0] - self.values[d];
                slope[0] = 2.0 * error;
                (error * error, 0.0)
            }
        }
    }

    /// Second derivative of a document's loss along two directions of its outputs `z`.
    pub(super) fn curvature(&self, z: &[f64], a: &[f64], b: &[f64]) -> f64 {
        let pairs = z.iter().zip(a.iter().zip(b));
        match self.kind {
            AnswerKind::Sigmoid => pairs
                .map(|(z, (a, b))| {
                    let p = 1.0 / (1.0 + (-z).exp());
                    p * (1.0 - p) * a * b
                })
                .sum(),
            AnswerKind::Softmax => {
                let top = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let (mut all, mut of_a, mut of_b, mut both) = (0.0, 0.0, 0.0, 0.0);
                for (z, (a, b)) in pairs {
                    let p = (z - top).exp();
                    all += p;
                    of_a += p * a;
                    of_b += p * b;
                    both += p * a * b;
                }
                both / all - of_a * of_b / (all * all)
            }
            AnswerKind::Squares => 2.0 * a[0] * b[0],
        }
    }

    /// Nats that one unit of the loss is: 1, and `1/(2σ²)` for squares, `σ²` their mean.
    pub(super) fn nats(&self, documents: usize, outputs: impl Fn(usize) -> Vec<f64> + Sync) -> f64 {
        match self.kind {
            AnswerKind::Squares => 0.5 / self.score(documents, outputs).loss,
            _ => 1.0,
        }
    }

    pub(super) fn count(&self) -> usize {
        self.values.len()
    }

    /// Loss and right answers of each document by its outputs.
    fn each(
        &self,
        documents: usize,
        outputs: impl Fn(usize) -> Vec<f64> + Sync,
    ) -> Vec<(f64, f64)> {
        let one = |d: usize| {
            let z = outputs(d);
            self.document(d, &z, &mut vec![0.0; z.len()])
        };
        (0..documents).into_par_iter().map(one).collect()
    }

    /// Mean loss and accuracy by the outputs of each document.
    pub(super) fn score(
        &self,
        documents: usize,
        outputs: impl Fn(usize) -> Vec<f64> + Sync,
    ) -> Score {
        let all = self.each(documents, outputs);
        let loss: f64 = all.iter().map(|(l, _)| l).sum();
        let right: f64 = all.iter().map(|(_, r)| r).sum();
        let n = self.count() as f64;
        let accuracy = match self.kind {
            AnswerKind::Squares => {
                let mean = self.values.iter().sum::<f64>() / n;
                1.0 - loss / self.values.iter().map(|y| (y - mean).powi(2)).sum::<f64>()
            }
            _ => right / n,
        };
        Score { loss: loss / n, accuracy, count: self.count() }
    }

    /// For each document the share of its answers that are right.
    pub(super) fn right(
        &self,
        documents: usize,
        outputs: impl Fn(usize) -> Vec<f64> + Sync,
    ) -> Vec<f64> {
        let per = self.count() as f64 / documents.max(1) as f64;
        self.each(documents, outputs).into_iter().map(|(_, r)| r / per).collect()
    }
}

/// Fits on `train`, with the penalty of lowest validation loss.
///
/// * `classes`: number of label names
///
/// # Errors
/// [`Error::Usage`] if no penalty is given.
pub fn fit(
    train: &Split,
    validation: &Split,
    vocabulary: usize,
    classes: usize,
    settings: &Settings,
) -> Result<Model> {
    let answers = Answers::of(train, classes);
    let counts = Counts::of(&train.documents, vocabulary);
    let design = Sparse::new(&counts, settings.weighting);
    let mut best: Option<(f64, Model)> = None;
    let mut tried = Vec::new();
    Regression::new(&design, &answers).path(settings, |penalty, x, converged| {
        let rows = x.chunks(vocabulary + 1);
        let model = Model {
            weights: rows.clone().map(|r| r[..vocabulary].to_vec()).collect(),
            bias: rows.map(|r| r[vocabulary]).collect(),
            penalty,
            tried: Vec::new(),
            weighting: settings.weighting,
        };
        let score = model.score(validation, classes);
        tried.push((penalty, score.loss, score.accuracy, converged));
        if best.as_ref().is_none_or(|(lowest, _)| score.loss < *lowest) {
            best = Some((score.loss, model));
        }
    })?;
    let (_, mut model) = best.expect("at least one penalty was tried");
    model.tried = tried;
    Ok(model)
}

impl Model {
    /// Outputs for one document.
    pub fn outputs(&self, tokens: &[u32]) -> Vec<f64> {
        let mut z = self.bias.clone();
        for (word, count) in crate::stats::counts::row(tokens) {
            let value = self.weighting.of(count);
            for (z, weights) in z.iter_mut().zip(&self.weights) {
                *z += value * weights.get(word as usize).copied().unwrap_or(0.0);
            }
        }
        z
    }

    /// Loss and accuracy on a split.
    pub fn score(&self, split: &Split, classes: usize) -> Score {
        Answers::of(split, classes)
            .score(split.documents.len(), |d| self.outputs(split.documents.get(d)))
    }

    /// For each document of a split, the share of its answers that are right.
    pub fn right(&self, split: &Split, classes: usize) -> Vec<f64> {
        Answers::of(split, classes)
            .right(split.documents.len(), |d| self.outputs(split.documents.get(d)))
    }

    /// A model with given numbers that counts occurrences.
    pub fn plain(weights: Vec<Vec<f64>>, bias: Vec<f64>, penalty: f64) -> Self {
        Self { weights, bias, penalty, tried: Vec::new(), weighting: Weighting::Counts }
    }
}

/// The penalised mean loss as a function of `[outputs, features + 1]` numbers.
pub(super) struct Regression<'a, D: Design> {
    design: &'a D,
    answers: &'a Answers,
    penalty: f64,
    outputs: usize,
    /// `[documents, outputs]`: probabilities at the point evaluated last.
    probabilities: Vec<f64>,
}

impl<'a, D: Design> Regression<'a, D> {
    pub(super) fn new(design: &'a D, answers: &'a Answers) -> Self {
        let outputs = answers.outputs;
        Self { design, answers, penalty: 0.0, outputs, probabilities: Vec::new() }
    }

    /// Fits at each penalty, from the strongest down, each fit from where the
    /// last ended; `each` gets the penalty, weights `[outputs, features + 1]` and
    /// whether the fit converged.
    pub(super) fn path(
        &mut self,
        settings: &Settings,
        mut each: impl FnMut(f64, &[f64], bool),
    ) -> Result<()> {
        if settings.penalties.is_empty() || settings.penalties.iter().any(|p| !(*p > 0.0)) {
            return Err(Error::Usage("baseline.penalties: give numbers above 0".into()));
        }
        let mut x = vec![0.0; self.outputs * (self.design.columns() + 1)];
        let mut penalties = settings.penalties.clone();
        penalties.sort_by(|a, b| b.total_cmp(a));
        for penalty in penalties {
            self.penalty = penalty;
            let outcome = minimise(self, &mut x, settings.tolerance, STEPS);
            each(penalty, &x, outcome.converged);
        }
        Ok(())
    }

    fn stride(&self) -> usize {
        self.design.columns() + 1
    }

    /// Losses are means over this many answers.
    fn divisor(&self) -> f64 {
        self.answers.count() as f64
    }

    /// `X v`: `[documents, outputs]`.
    fn forward(&self, v: &[f64]) -> Vec<f64> {
        let (k, stride) = (self.outputs, self.stride());
        let mut z = vec![0.0; self.design.rows() * k];
        z.par_chunks_mut(CHUNK * k).enumerate().for_each(|(chunk, z)| {
            for (d, z) in z.chunks_mut(k).enumerate() {
                for (o, z) in z.iter_mut().enumerate() {
                    *z = v[(o + 1) * stride - 1];
                }
                self.design.add_row(chunk * CHUNK + d, v, z);
            }
        });
        z
    }

    /// `Xᵀ s/divisor`, written over `out`.
    fn backward(&self, s: &[f64], out: &mut [f64]) {
        let (k, stride, share) = (self.outputs, self.stride(), 1.0 / self.divisor());
        out.par_chunks_mut(stride).enumerate().for_each(|(o, out)| {
            let (bias, out) = out.split_last_mut().expect("there is a bias");
            let own: Vec<f64> = s.iter().skip(o).step_by(k).copied().collect();
            *bias = own.iter().sum::<f64>() * share;
            self.design.gather(&own, out);
            out.iter_mut().for_each(|x| *x *= share);
        });
    }

    /// Whether parameter `i` is a penalised weight and not a bias.
    fn penalised(&self, i: usize) -> bool {
        i % self.stride() != self.design.columns()
    }

    /// Curvature of the loss in document `d`'s outputs, times `v`.
    fn bend(&self, d: usize, v: &[f64], out: &mut [f64]) {
        let p = &self.probabilities[d * self.outputs..][..self.outputs];
        match self.answers.kind {
            AnswerKind::Sigmoid => {
                out.iter_mut().zip(v).zip(p).for_each(|((o, v), p)| *o = p * (1.0 - p) * v);
            }
            AnswerKind::Softmax => {
                let mean: f64 = p.iter().zip(v).map(|(p, v)| p * v).sum();
                out.iter_mut().zip(v).zip(p).for_each(|((o, v), p)| *o = p * (v - mean));
            }
            AnswerKind::Squares => out[0] = 2.0 * v[0],
        }
    }
}

impl<D: Design> Objective for Regression<'_, D> {
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64 {
        let k = self.outputs;
        let z = self.forward(x);
        let mut slopes = vec![0.0; z.len()];
        let losses: Vec<f64> = slopes
            .par_chunks_mut(CHUNK * k)
            .zip(z.par_chunks(CHUNK * k))
            .enumerate()
            .map(|(chunk, (slopes, z))| {
                let pairs = slopes.chunks_mut(k).zip(z.chunks(k)).enumerate();
                pairs.map(|(d, (s, z))| self.answers.document(chunk * CHUNK + d, z, s).0).sum()
            })
            .collect();
        self.backward(&slopes, gradient);
        // The slope is probability minus answer.
        self.probabilities = slopes;
        match self.answers.kind {
            AnswerKind::Sigmoid => {
                let answers = &self.answers.values;
                self.probabilities.iter_mut().zip(answers).for_each(|(p, y)| *p += y);
            }
            AnswerKind::Softmax => {
                for (d, &class) in self.answers.values.iter().enumerate() {
                    self.probabilities[d * k + class as usize] += 1.0;
                }
            }
            AnswerKind::Squares => {}
        }
        let mut squares = 0.0;
        for (i, (g, x)) in gradient.iter_mut().zip(x).enumerate() {
            if self.penalised(i) {
                *g += self.penalty * x;
                squares += x * x;
            }
        }
        losses.iter().sum::<f64>() / self.divisor() + 0.5 * self.penalty * squares
    }

    fn curvature(&self, v: &[f64], out: &mut [f64]) {
        let k = self.outputs;
        let z = self.forward(v);
        let mut bent = vec![0.0; z.len()];
        bent.par_chunks_mut(CHUNK * k).zip(z.par_chunks(CHUNK * k)).enumerate().for_each(
            |(chunk, (bent, z))| {
                for (d, (b, z)) in bent.chunks_mut(k).zip(z.chunks(k)).enumerate() {
                    self.bend(chunk * CHUNK + d, z, b);
                }
            },
        );
        self.backward(&bent, out);
        for (i, (o, v)) in out.iter_mut().zip(v).enumerate() {
            if self.penalised(i) {
                *o += self.penalty * v;
            }
        }
    }

    fn diagonal(&self, out: &mut [f64]) {
        let (k, stride, share) = (self.outputs, self.stride(), 1.0 / self.divisor());
        let bend = |d: usize, o: usize| {
            let p = self.probabilities[d * k + o];
            if self.answers.kind == AnswerKind::Squares { 2.0 } else { p * (1.0 - p) }
        };
        out.par_chunks_mut(stride).enumerate().for_each(|(o, out)| {
            let (bias, out) = out.split_last_mut().expect("there is a bias");
            let own: Vec<f64> = (0..self.design.rows()).map(|d| bend(d, o)).collect();
            *bias = own.iter().sum::<f64>() * share + 1e-12;
            self.design.gather_squares(&own, out);
            out.iter_mut().for_each(|x| *x = *x * share + self.penalty);
        });
    }
}
