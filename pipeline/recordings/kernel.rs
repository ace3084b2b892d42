//! How much the evidence of each moment weighs in a choice: psychophysical kernels.
//!
//! Logistic regression `P(right) = σ(b + Σ_t w_t e_t)`, with the penalty `½ λ Σ w²` whose held-out likelihood is largest.
//! Weights that rise towards the choice speak of a leak, weights that fall of a bound, flat ones of a perfect integrator.

use crate::linalg::{Cholesky, Matrix, Vector};
use crate::{Error, Result};
use rayon::prelude::*;

/// Weights of a kernel.
#[derive(Clone, Debug, PartialEq)]
pub struct Kernel {
    /// `w_t`, one a time bin.
    pub weights: Vec<f64>,
    /// `b`: the side that is preferred without evidence.
    pub bias: f64,
    /// The penalty that was chosen.
    pub penalty: f64,
    /// Mean log likelihood of a held-out choice, nats.
    pub likelihood: f64,
}

/// Penalties that are tried.
pub const PENALTIES: [f64; 7] = [1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3, 1e4];
/// Newton steps: the fit is convex and its steps halved until they improve.
const STEPS: usize = 50;

impl Kernel {
    /// Fits choices on evidence.
    ///
    /// * `evidence`: `[trials, bins]`; `right`: the choices; `folds`: of trials, the `i`-th belongs to fold `i mod folds`
    ///
    /// # Errors
    /// [`Error::Input`] for fewer trials than bins, choices that are all alike, and bins without evidence;
    /// [`Error::Shape`] for choices of other trials.
    pub fn fit(evidence: &Matrix, right: &[bool], folds: usize) -> Result<Self> {
        let (trials, bins) = evidence.shape();
        if right.len() != trials {
            return Err(Error::shape("choices", right.len(), trials));
        }
        let refuse = |problem: String, remedy: &str| {
            Err(Error::input("psychophysical kernel", "", problem, remedy))
        };
        if trials < bins + 2 || folds < 2 {
            let problem = format!("{trials} trials and {folds} folds for {bins} time bins");
            return refuse(problem, "give more trials, or wider bins");
        }
        let chosen = right.iter().filter(|r| **r).count();
        if chosen < folds || trials - chosen < folds {
            let problem = format!("{chosen} of {trials} choices are right");
            return refuse(problem, "choices must go both ways in every fold");
        }
        if let Some(k) = (0..bins).find(|&k| evidence.column(k).amax() == 0.0) {
            return refuse(format!("bin {} has no evidence", k + 1), "leave it out");
        }
        let mut all = Vec::new();
        for &penalty in &PENALTIES {
            let held: Vec<f64> = (0..folds)
                .into_par_iter()
                .map(|fold| {
                    let of = |i: &usize| i % folds != fold;
                    let train: Vec<usize> = (0..trials).filter(of).collect();
                    let beta = newton(evidence, right, &train, penalty);
                    let test = (0..trials).filter(|i| !of(i));
                    test.map(|i| log_likelihood(score(evidence, i, &beta), right[i])).sum::<f64>()
                })
                .collect();
            all.push((penalty, held.iter().sum::<f64>() / trials as f64));
        }
        let best = all.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).expect("some were tried");
        let everyone: Vec<usize> = (0..trials).collect();
        let beta = newton(evidence, right, &everyone, best.0);
        let weights = beta.iter().skip(1).copied().collect();
        Ok(Self { weights, bias: beta[0], penalty: best.0, likelihood: best.1 })
    }

    /// Mean weight of the last third less that of the first, over the mean of all: above 0 what comes late weighs more.
    pub fn recency(&self) -> f64 {
        let n = self.weights.len();
        let third = (n / 3).max(1);
        let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
        (mean(&self.weights[n - third..]) - mean(&self.weights[..third])) / mean(&self.weights)
    }
}

/// `b + w · e` of a trial.
fn score(evidence: &Matrix, trial: usize, beta: &Vector) -> f64 {
    beta[0] + evidence.row(trial).iter().zip(beta.iter().skip(1)).map(|(e, w)| e * w).sum::<f64>()
}

/// `ln σ(±x)`, without overflow.
fn log_likelihood(x: f64, right: bool) -> f64 {
    let x = if right { x } else { -x };
    -(-x.abs()).exp().ln_1p() + x.min(0.0)
}

fn objective(evidence: &Matrix, right: &[bool], rows: &[usize], penalty: f64, b: &Vector) -> f64 {
    let fit: f64 = rows.iter().map(|&i| log_likelihood(score(evidence, i, b), right[i])).sum();
    fit - 0.5 * penalty * b.iter().skip(1).map(|w| w * w).sum::<f64>()
}

/// `[b, w]` of the penalised likelihood, by Newton's method.
fn newton(evidence: &Matrix, right: &[bool], rows: &[usize], penalty: f64) -> Vector {
    let p = evidence.ncols() + 1;
    let mut beta = Vector::zeros(p);
    let mut value = objective(evidence, right, rows, penalty, &beta);
    for _ in 0..STEPS {
        let (mut gradient, mut hessian) = (Vector::zeros(p), Matrix::zeros(p, p));
        let mut x = vec![1.0; p];
        for &i in rows {
            x[1..].iter_mut().zip(evidence.row(i).iter()).for_each(|(to, e)| *to = *e);
            let chance = 1.0 / (1.0 + (-score(evidence, i, &beta)).exp());
            let (error, weight) = (right[i] as u8 as f64 - chance, chance * (1.0 - chance));
            for (a, xa) in x.iter().enumerate() {
                gradient[a] += error * xa;
                for (b, xb) in x.iter().enumerate().skip(a) {
                    hessian[(b, a)] += weight * xa * xb;
                }
            }
        }
        for a in 1..p {
            gradient[a] -= penalty * beta[a];
            hessian[(a, a)] += penalty;
        }
        // The bias has no penalty: where every choice is certain it has no curvature either.
        hessian[(0, 0)] += 1e-9;
        let Some(factor) = Cholesky::new(&hessian) else { break };
        let mut step = factor.solve(&gradient);
        let gain = loop {
            let trial = &beta + &step;
            let there = objective(evidence, right, rows, penalty, &trial);
            if there >= value {
                let gain = there - value;
                (beta, value) = (trial, there);
                break gain;
            }
            step *= 0.5;
            if step.amax() < 1e-12 {
                break 0.0;
            }
        };
        if gain < 1e-9 {
            break;
        }
    }
    beta
}
