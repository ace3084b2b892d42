//! Accumulation of evidence by one of three strategies.
//!
//! ```text
//! e_t = σ ε_t      perfect v_t = v_{t−1} + e_t      leaky v_t = (1 − 1/τ) v_{t−1} + e_t
//! bounded: as perfect, cut at ±B, where v stays once it is there              ŷ_t = v_t
//! ```
//!
//! A network that has learned it is an integrator of that kind: a line attractor, a single stable point, a line that ends
//! in two attractors.

use super::{Drawn, Held, Law, Scores};
use crate::{StepLoss, StepTargets, Vectors, seed, setting};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// What becomes of evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Strategy {
    /// It is kept.
    #[default]
    Perfect,
    /// It is forgotten with this time constant, in steps: what is left after a step is `1 − 1/τ`.
    Leaky(f64),
    /// It is kept until the sum reaches this bound, above 0, and stays there; what comes later is ignored.
    Bounded(f64),
}

impl Strategy {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Strategy::Perfect => "perfect",
            Strategy::Leaky(_) => "leaky",
            Strategy::Bounded(_) => "bounded",
        }
    }

    /// The next value.
    pub fn step(self, v: f64, evidence: f64) -> f64 {
        match self {
            Strategy::Perfect => v + evidence,
            Strategy::Leaky(tau) => (1.0 - 1.0 / tau) * v + evidence,
            Strategy::Bounded(bound) if v.abs() >= bound => v,
            Strategy::Bounded(bound) => (v + evidence).clamp(-bound, bound),
        }
    }

    /// All values, from 0.
    pub fn run(self, evidence: &[f64]) -> Vec<f64> {
        let mut v = 0.0;
        evidence
            .iter()
            .map(|&e| {
                v = self.step(v, e);
                v
            })
            .collect()
    }
}

/// How trials are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps of a trial.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub steps: usize,
    /// Standard deviation `σ` of the evidence of a step.
    #[serde(deserialize_with = "setting::positive")]
    pub noise: f64,
    /// What becomes of evidence.
    pub strategy: Strategy,
}

impl Default for Settings {
    fn default() -> Self {
        Self { steps: 30, noise: 0.2, strategy: Strategy::Perfect }
    }
}

/// Points of a standard deviation on the grid by which a bounded sum's variance is computed.
const FINE: f64 = 12.0;

impl Settings {
    /// `E v_t²` at each step.
    fn squares(&self) -> Vec<f64> {
        let variance = self.noise.powi(2);
        let n = self.steps as i32;
        match self.strategy {
            Strategy::Perfect => (1..=n).map(|t| t as f64 * variance).collect(),
            Strategy::Leaky(tau) => {
                let kept = (1.0 - 1.0 / tau).powi(2);
                let mut v = 0.0;
                (0..n)
                    .map(|_| {
                        v = kept * v + variance;
                        v
                    })
                    .collect()
            }
            Strategy::Bounded(bound) => self.bounded_squares(bound),
        }
    }

    /// The density of a sum that has not reached its bound is carried on from step to step on a grid; what reaches the
    /// bound stays there.
    fn bounded_squares(&self, bound: f64) -> Vec<f64> {
        let width = self.noise / FINE;
        let inside = (bound / width).ceil() as usize;
        let reach = (6.0 * FINE) as usize;
        let half = inside + reach;
        let at = |i: usize| (i as f64 - half as f64) * width;
        let weight: Vec<f64> = (0..=2 * reach)
            .map(|k| (-0.5 * ((k as f64 - reach as f64) / FINE).powi(2)).exp())
            .collect();
        let norm: f64 = weight.iter().sum();
        let mut free = vec![0.0; 2 * half + 1];
        free[half] = 1.0;
        let mut stopped = 0.0;
        let mut squares = Vec::new();
        for _ in 0..self.steps {
            let mut next = vec![0.0; free.len()];
            for (i, p) in free.iter().enumerate().filter(|(_, p)| **p > 0.0) {
                for (k, w) in weight.iter().enumerate() {
                    next[i + k - reach] += p * w / norm;
                }
            }
            let mut square = stopped;
            for (i, p) in next.iter_mut().enumerate() {
                if at(i).abs() >= bound {
                    stopped += *p * bound * bound;
                    square += *p * bound * bound;
                    *p = 0.0;
                } else {
                    square += *p * at(i).powi(2);
                }
            }
            free = next;
            squares.push(square);
        }
        squares
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        format!("{} accumulation", self.strategy.name())
    }

    fn inputs(&self) -> usize {
        1
    }

    fn outputs(&self) -> usize {
        1
    }

    fn steps(&self) -> usize {
        self.steps
    }

    /// Trials are all alike.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let mut inputs = Vectors::new(1);
        let mut values = Vec::with_capacity(count * self.steps);
        for trial in 0..count {
            let mut stream = seed::stream(seed, &format!("task/{split}/{trial}"));
            let evidence: Vec<f32> = (0..self.steps)
                .map(|_| (self.noise * stream.sample::<f64, _>(StandardNormal)) as f32)
                .collect();
            inputs.push(&evidence);
            let evidence: Vec<f64> = evidence.iter().map(|&e| e as f64).collect();
            values.extend(self.strategy.run(&evidence).iter().map(|&v| v as f32));
        }
        let mask = vec![1.0; values.len()];
        let targets = StepTargets { width: 1, values, mask, loss: StepLoss::Squared };
        Drawn { inputs, targets, conditions: vec![0; count] }
    }

    /// `v` is as often above 0 as below: the best constant is 0, and errs by the mean of `E v_t²`: `t σ²` for a perfect
    /// sum, `σ² (1 − κ^{2t})/(1 − κ²)` for a leaky one, by steps on a grid for a bounded one. All evidence is seen:
    /// nothing need be left.
    fn scores(&self) -> Scores {
        let squares = self.squares();
        Scores { chance: squares.iter().sum::<f64>() / squares.len() as f64, best: 0.0 }
    }

    /// No evidence.
    fn held(&self) -> Vec<Held> {
        vec![Held { name: "no evidence".into(), input: vec![0.0] }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strategies_keep_forget_and_stop() {
        let evidence = [1.0, 1.0, -0.5];
        assert_eq!(Strategy::Perfect.run(&evidence), [1.0, 2.0, 1.5]);
        assert_eq!(Strategy::Leaky(2.0).run(&evidence), [1.0, 1.5, 0.25]);
        assert_eq!(Strategy::Bounded(1.5).run(&evidence), [1.0, 1.5, 1.5]);
    }

    #[test]
    fn the_best_constant_errs_as_the_law_says() {
        for strategy in [Strategy::Perfect, Strategy::Leaky(8.0), Strategy::Bounded(0.6)] {
            let settings = Settings { strategy, ..Settings::default() };
            let drawn = settings.draw(8000, 5, "test");
            let y = &drawn.targets.values;
            let found = y.iter().map(|&y| (y as f64).powi(2)).sum::<f64>() / y.len() as f64;
            let chance = settings.scores().chance;
            assert!((found / chance - 1.0).abs() < 0.05, "{strategy:?}: {found}, by hand {chance}");
        }
    }
}
