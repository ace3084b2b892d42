//! Responses whose gating is known: two features, a decision, noise.
//!
//! ```text
//! r = m a_m + c a_c + s d a_d + σ ε        d = x + σ_d ε_d        choice = sign(d)
//! ```
//!
//! `x` is the relevant one of the features `m`, `c`; the irrelevant one enters times `γ`. Axes are orthonormal and drawn by
//! chance. Without gating (`γ = 1`) distances still grow less along the irrelevant feature, because the decision grows
//! along the relevant one ([`super::geometry::apparent_ratio`]).

use crate::geometry::Condition;
use crate::linalg::Matrix;
use crate::targeted::orthonormal;
use crate::{Result, seed};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// Along what the decision lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decision {
    /// One axis for both contexts.
    #[default]
    Shared,
    /// Each context has an axis of its own.
    Own,
    /// One axis, and the answer lies where the first feature points; the place of the other feature's answer is drawn
    /// anew in every trial. So were motion and target tied in the recordings, and colour and target not.
    TiedToFirst,
}

/// How responses are made.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    /// Units.
    pub units: usize,
    /// Trials of each condition.
    pub trials: usize,
    /// `s`: the decision signal, in units of the input's.
    pub strength: f64,
    /// `γ`: the irrelevant feature enters times this.
    pub gate: f64,
    /// `σ`, of each unit.
    pub noise: f64,
    /// `σ_d`, of the decision: without it choice and relevant feature cannot be told apart.
    pub decision_noise: f64,
    /// Along what the decision lies.
    pub decision: Decision,
}

/// Trials: responses, and what was shown and chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Trials {
    /// `[trials, units]`.
    pub responses: Matrix,
    /// The condition of each trial.
    pub condition: Vec<usize>,
    /// −1 or 1: the side that was chosen.
    pub choice: Vec<f64>,
    /// What the choice is the sign of: where the decision lies on its axis, but for the strength.
    pub decision: Vec<f64>,
    /// Axes by which a decision is read, `[units, 1 or 2]`.
    pub readout: Matrix,
}

impl Generator {
    /// Trials of all conditions, drawn from streams `gating/…` of `seed`. Trials of a condition follow each other.
    ///
    /// # Errors
    /// [`crate::Error::Input`] for fewer units than axes.
    pub fn draw(&self, conditions: &[Condition], seed: u64) -> Result<Trials> {
        let mut stream = seed::stream(seed, "gating/axes");
        let drawn = Matrix::from_fn(self.units, 4, |_, _| stream.sample(StandardNormal));
        let axes = orthonormal(&drawn)?;
        let count = conditions.len() * self.trials;
        let mut responses = Matrix::zeros(count, self.units);
        let (mut condition, mut decision) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (c, of) in conditions.iter().enumerate() {
            let mut stream = seed::stream(seed, &format!("gating/trials/{c}"));
            for t in 0..self.trials {
                let row = c * self.trials + t;
                let decided =
                    of.relevant() + self.decision_noise * stream.sample::<f64, _>(StandardNormal);
                let (side, axis) = match (self.decision, of.context) {
                    (Decision::TiedToFirst, 1) => (if stream.random() { 1.0 } else { -1.0 }, 2),
                    (Decision::Own, 1) => (1.0, 3),
                    _ => (1.0, 2),
                };
                let mut gates = [1.0; 2];
                gates[1 - of.context] = self.gate;
                let response = axes.column(0) * (gates[0] * of.features[0])
                    + axes.column(1) * (gates[1] * of.features[1])
                    + axes.column(axis) * (self.strength * side * decided);
                let mut to = responses.row_mut(row);
                for (i, r) in response.iter().enumerate() {
                    to[i] = r + self.noise * stream.sample::<f64, _>(StandardNormal);
                }
                condition.push(c);
                decision.push(side * decided);
            }
        }
        let of_decision = if self.decision == Decision::Own { 2 } else { 1 };
        let readout = axes.columns(2, of_decision).into_owned();
        let choice = decision.iter().map(|d| d.signum()).collect();
        Ok(Trials { responses, condition, choice, decision, readout })
    }
}

/// Mean responses of each condition in each of so many folds of trials: the `k`-th trial of a condition belongs to fold
/// `k mod folds`.
///
/// # Errors
/// [`crate::Error::Input`] for a condition with fewer trials than folds.
pub fn folds(
    responses: &Matrix,
    condition: &[usize],
    conditions: usize,
    folds: usize,
) -> Result<Vec<Matrix>> {
    let mut means = vec![Matrix::zeros(conditions, responses.ncols()); folds];
    let mut counts = vec![0usize; conditions];
    for (row, &c) in condition.iter().enumerate() {
        let mut to = means[counts[c] % folds].row_mut(c);
        to += responses.row(row);
        counts[c] += 1;
    }
    if let Some(c) = counts.iter().position(|n| *n < folds) {
        return Err(crate::Error::input(
            "trials",
            format!("condition {}", c + 1),
            format!("{} trials for {folds} folds", counts[c]),
            "give every condition a trial in each fold",
        ));
    }
    for (f, mean) in means.iter_mut().enumerate() {
        for (c, n) in counts.iter().enumerate() {
            let own = (n + folds - 1 - f) / folds;
            mean.row_mut(c).unscale_mut(own as f64);
        }
    }
    Ok(means)
}
