//! Losses of the four heads, their slopes, and accuracy.

use crate::data::{Labels, Sequences, StepLoss, StepTargets, Targets as Wanted, Trials};
use crate::model::{Head, HeadChoice};

/// The head for these labels over `classes` label names.
pub fn head(choice: HeadChoice, labels: &Labels, classes: usize) -> Head {
    match (labels, choice) {
        (Labels::Multi { .. }, _) => Head::MultiLabel,
        (Labels::Score(_), _) => Head::Score,
        (Labels::Class(_), HeadChoice::Softmax) => Head::Softmax,
        (Labels::Class(_), _) if classes == 2 => Head::Binary,
        (Labels::Class(_), _) => Head::Softmax,
    }
}

/// What trials should have been answered with.
pub struct Targets<'a> {
    head: Head,
    trials: Trials<'a>,
}

/// Sums over documents from which loss and accuracy follow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    /// Sum of losses, in nats (squared score units for a score).
    pub loss: f64,
    /// What was right: documents, labels, or (for a score) nothing.
    pub right: f64,
    /// What could be right: documents, labels, or tokens.
    pub count: f64,
    /// For a score: `Σ y` and `Σ y²`.
    pub score: (f64, f64),
}

impl Tally {
    /// Adds another one.
    pub fn add(&mut self, other: &Tally) {
        self.loss += other.loss;
        self.right += other.right;
        self.count += other.count;
        self.score.0 += other.score.0;
        self.score.1 += other.score.1;
    }

    /// Mean loss: nats a document (a label, for label lists), or mean squared error.
    pub fn mean_loss(&self) -> f64 {
        self.loss / self.count
    }

    /// Share right; for a score `R² = 1 − Σ(y − ŷ)²/Σ(y − ȳ)²`.
    pub fn accuracy(&self) -> f64 {
        if self.score.1 > 0.0 {
            1.0 - self.loss / (self.score.1 - self.score.0 * self.score.0 / self.count)
        } else {
            self.right / self.count
        }
    }
}

impl<'a> Targets<'a> {
    /// Targets of `trials` for `head`.
    ///
    /// # Panics
    /// If the targets are not of the head's kind, which [`head`] rules out.
    pub fn new(head: Head, trials: impl Into<Trials<'a>>) -> Self {
        let trials = trials.into();
        let fits = matches!(
            (head, trials.targets),
            (Head::Softmax | Head::Binary, Wanted::Labels(Labels::Class(_)))
                | (Head::MultiLabel, Wanted::Labels(Labels::Multi { .. }))
                | (Head::Score, Wanted::Labels(Labels::Score(_)))
                | (Head::Steps, Wanted::Steps(_))
        );
        assert!(fits, "a {head:?} head is trained on targets of its kind");
        Self { head, trials }
    }

    /// Sums over the documents `indices`, and the slope of their *mean* loss
    /// in the readout numbers.
    ///
    /// * `logits`: `[b, outputs]`, for a score `[b, t]`, for steps `[b, t, outputs]`, with `t` the longest
    ///
    /// The slope has the shape of `logits`, zero after a document's end.
    pub fn measure(&self, indices: &[usize], logits: &[f32]) -> (Tally, Vec<f32>) {
        let width = logits.len() / indices.len();
        let mut tally = Tally::default();
        let mut slope = vec![0.0; logits.len()];
        for ((&d, row), out) in
            indices.iter().zip(logits.chunks(width)).zip(slope.chunks_mut(width))
        {
            tally.add(&self.document(d, row, out));
        }
        // A batch in which no step counts teaches nothing.
        let scale = if tally.count > 0.0 { 1.0 / tally.count as f32 } else { 0.0 };
        slope.iter_mut().for_each(|s| *s *= scale);
        (tally, slope)
    }

    /// One document: its sums, and the slope of its summed loss.
    fn document(&self, d: usize, row: &[f32], out: &mut [f32]) -> Tally {
        let labels = match self.trials.targets {
            Wanted::Labels(labels) => labels,
            Wanted::Steps(targets) => return self.steps(targets, d, row, out),
        };
        match labels {
            Labels::Class(classes) if self.head == Head::Binary => {
                let (loss, slope) = sigmoid_cross_entropy(row[0] as f64, classes[d] == 1);
                out[0] = slope as f32;
                let right = (row[0] > 0.0) == (classes[d] == 1);
                Tally { loss, right: right as u8 as f64, count: 1.0, score: (0.0, 0.0) }
            }
            Labels::Class(classes) => softmax_cross_entropy(row, classes[d] as usize, out),
            Labels::Multi { labels, flags } => {
                let flags = &flags[d * labels..(d + 1) * labels];
                let mut tally = Tally { count: *labels as f64, ..Tally::default() };
                for ((&x, &flag), out) in row.iter().zip(flags).zip(out) {
                    let (loss, slope) = sigmoid_cross_entropy(x as f64, flag);
                    *out = slope as f32;
                    tally.loss += loss;
                    tally.right += ((x >= 0.0) == flag) as u8 as f64;
                }
                tally
            }
            Labels::Score(scores) => {
                let first = self.first_step(d);
                let length = self.trials.inputs.length(d);
                let mut tally = Tally { count: length as f64, ..Tally::default() };
                let wanted = &scores[first..first + length];
                for ((&x, &y), out) in row.iter().zip(wanted).zip(out) {
                    let error = x as f64 - y as f64;
                    *out = 2.0 * error as f32;
                    tally.loss += error * error;
                    tally.score.0 += y as f64;
                    tally.score.1 += (y as f64) * (y as f64);
                }
                tally
            }
        }
    }

    /// Steps of all sequences before sequence `i`.
    fn first_step(&self, i: usize) -> usize {
        match self.trials.inputs {
            Sequences::Tokens(documents) => documents.start(i),
            Sequences::Vectors(vectors) => vectors.start(i),
        }
    }

    /// One trial with a target at every step.
    fn steps(&self, targets: &StepTargets, i: usize, row: &[f32], out: &mut [f32]) -> Tally {
        let (k, first) = (targets.width, self.first_step(i));
        let mut tally = Tally::default();
        let all = row.chunks(k).zip(out.chunks_mut(k)).take(self.trials.inputs.length(i));
        for (t, (row, out)) in all.enumerate() {
            let weight = targets.mask[first + t] as f64;
            if weight == 0.0 {
                continue;
            }
            let wanted = &targets.values[(first + t) * k..][..k];
            match targets.loss {
                StepLoss::Squared => {
                    for ((&y, &wanted), out) in row.iter().zip(wanted).zip(out) {
                        let error = y as f64 - wanted as f64;
                        *out = (weight * 2.0 * error) as f32;
                        tally.loss += weight * error * error;
                        tally.score.0 += weight * wanted as f64;
                        tally.score.1 += weight * (wanted as f64) * (wanted as f64);
                    }
                    tally.count += weight * k as f64;
                }
                StepLoss::Softmax => {
                    tally.loss += weight * step_cross_entropy(row, wanted, weight, out);
                    tally.right += weight * (argmax(row) == argmax(wanted)) as u8 as f64;
                    tally.count += weight;
                }
                StepLoss::Logistic => {
                    for ((&y, &wanted), out) in row.iter().zip(wanted).zip(out) {
                        let (y, wanted) = (y as f64, wanted as f64);
                        let loss = y.max(0.0) - y * wanted + (-y.abs()).exp().ln_1p();
                        *out = (weight * (1.0 / (1.0 + (-y).exp()) - wanted)) as f32;
                        tally.loss += weight * loss;
                        tally.right += weight * ((y >= 0.0) == (wanted >= 0.5)) as u8 as f64;
                    }
                    tally.count += weight * k as f64;
                }
            }
        }
        tally
    }
}

/// `ln Σ exp y − Σ_k ŷ_k y_k` for targets that sum to 1; its slope times `weight` goes to `out`.
fn step_cross_entropy(row: &[f32], wanted: &[f32], weight: f64, out: &mut [f32]) -> f64 {
    let largest = row.iter().fold(f64::NEG_INFINITY, |m, &y| m.max(y as f64));
    let total: f64 = row.iter().map(|&y| (y as f64 - largest).exp()).sum();
    let mut loss = total.ln() + largest;
    for ((&y, &wanted), out) in row.iter().zip(wanted).zip(out) {
        loss -= y as f64 * wanted as f64;
        *out = (weight * ((y as f64 - largest).exp() / total - wanted as f64)) as f32;
    }
    loss
}

/// `−ln σ(x)` where the answer is yes, `−ln σ(−x)` where it is no; and the
/// slope `σ(x) − y`. Written so that no exponential overflows.
fn sigmoid_cross_entropy(x: f64, yes: bool) -> (f64, f64) {
    let y = yes as u8 as f64;
    let loss = x.max(0.0) - x * y + (-x.abs()).exp().ln_1p();
    (loss, 1.0 / (1.0 + (-x).exp()) - y)
}

/// `ln Σ exp x − x_class`, slope `softmax(x) − one-hot(class)`.
fn softmax_cross_entropy(row: &[f32], class: usize, out: &mut [f32]) -> Tally {
    let largest = row.iter().fold(f64::NEG_INFINITY, |m, &x| m.max(x as f64));
    let total: f64 = row.iter().map(|&x| (x as f64 - largest).exp()).sum();
    for (k, (&x, out)) in row.iter().zip(out).enumerate() {
        let share = (x as f64 - largest).exp() / total;
        *out = (share - (k == class) as u8 as f64) as f32;
    }
    let loss = total.ln() + largest - row[class] as f64;
    let right = (argmax(row) == class) as u8 as f64;
    Tally { loss, right, count: 1.0, score: (0.0, 0.0) }
}

/// Index of the largest; ties to the lowest index.
pub fn argmax(row: &[f32]) -> usize {
    row.iter().enumerate().fold(0, |best, (k, &x)| if x > row[best] { k } else { best })
}
