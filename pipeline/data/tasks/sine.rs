//! Frequency-cued sine: a constant input says which sine wave to say.
//!
//! ```text
//! x_t = (j + 1)/k + offset                    the cue of frequency j = 0 … k−1, the same at every step
//! ŷ_t = sin(ω_j t),  ω_j = low + (high − low) j/(k − 1)   rad a step
//! ```
//!
//! After Sussillo & Barak (2013) and arXiv 1907.08549. Under each cue the solution is a fixed point with an unstable
//! complex pair and a cycle around it, whose frequency near the point is the angle of that pair.

use super::{Drawn, Held, Law, Scores};
use crate::{StepLoss, StepTargets, Vectors, seed, setting};
use rand::Rng;
use serde::{Deserialize, Serialize};

/// How trials are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Frequencies `k`.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub frequencies: usize,
    /// Steps of a trial.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub steps: usize,
    /// The slowest, rad a step.
    #[serde(deserialize_with = "setting::positive")]
    pub low: f64,
    /// The fastest, rad a step.
    #[serde(deserialize_with = "setting::positive")]
    pub high: f64,
    /// What every cue is moved by.
    pub offset: f64,
}

impl Default for Settings {
    /// 51 frequencies from .1 to .6 rad a step, 100 steps, cues from .27 to 1.25.
    fn default() -> Self {
        Self { frequencies: 51, steps: 100, low: 0.1, high: 0.6, offset: 0.25 }
    }
}

impl Settings {
    /// `ω_j`, rad a step.
    pub fn frequency(&self, j: usize) -> f64 {
        self.low + (self.high - self.low) * j as f64 / (self.frequencies - 1) as f64
    }

    /// The cue of frequency `j`.
    pub fn cue(&self, j: usize) -> f64 {
        (j + 1) as f64 / self.frequencies as f64 + self.offset
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        format!("sine waves of {} frequencies", self.frequencies)
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

    /// The condition is the number of the frequency.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let mut inputs = Vectors::new(1);
        let mut values = Vec::with_capacity(count * self.steps);
        let mut conditions = Vec::with_capacity(count);
        let mut stream = seed::stream(seed, &format!("task/{split}/sine"));
        for _ in 0..count {
            let j = stream.random_range(0..self.frequencies);
            inputs.push(&vec![self.cue(j) as f32; self.steps]);
            values.extend((0..self.steps).map(|t| (self.frequency(j) * t as f64).sin() as f32));
            conditions.push(j as u32);
        }
        let mask = vec![1.0; values.len()];
        let targets = StepTargets { width: 1, values, mask, loss: StepLoss::Squared };
        Drawn { inputs, targets, conditions }
    }

    /// Nothing is random but the frequency: the best constant is the mean of all waves, and errs by their variance.
    fn scores(&self) -> Scores {
        let all = (0..self.frequencies)
            .flat_map(|j| (0..self.steps).map(move |t| (self.frequency(j) * t as f64).sin()));
        let (mut n, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for y in all {
            (n, sum, squares) = (n + 1.0, sum + y, squares + y * y);
        }
        let mean: f64 = sum / n;
        Scores { chance: squares / n - mean * mean, best: 0.0 }
    }

    /// Every cue.
    fn held(&self) -> Vec<Held> {
        let held = |j| Held { name: format!("frequency {}", j + 1), input: vec![self.cue(j)] };
        (0..self.frequencies).map(held).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trial_is_the_wave_that_its_cue_stands_for() {
        let settings = Settings::default();
        let drawn = settings.draw(40, 3, "train");
        for trial in 0..40 {
            let j = drawn.conditions[trial] as usize;
            let first = drawn.inputs.start(trial);
            for t in 0..100 {
                assert_eq!(drawn.inputs.at(trial, t), [settings.cue(j) as f32]);
                let y = drawn.targets.values[first + t] as f64;
                assert!((y - (settings.frequency(j) * t as f64).sin()).abs() < 1e-6);
            }
        }
        assert_eq!((settings.frequency(0), settings.frequency(50)), (0.1, 0.6));
        assert_eq!((settings.cue(0), settings.cue(50)), (1.0 / 51.0 + 0.25, 1.25));
        assert!(drawn.conditions.iter().collect::<std::collections::BTreeSet<_>>().len() > 20);
    }

    #[test]
    fn a_constant_answer_errs_by_the_chance_score() {
        // One wave of a whole period: mean 0, variance ½.
        let whole = std::f64::consts::TAU / 50.0;
        let settings =
            Settings { frequencies: 2, steps: 50, low: whole, high: whole, ..Settings::default() };
        assert!((settings.scores().chance - 0.5).abs() < 1e-12);
        // Many trials: the variance of what is drawn.
        let settings = Settings::default();
        let y = settings.draw(4000, 1, "test").targets.values;
        let n = y.len() as f64;
        let mean = y.iter().map(|&y| y as f64).sum::<f64>() / n;
        let variance = y.iter().map(|&y| (y as f64 - mean).powi(2)).sum::<f64>() / n;
        assert!((variance - settings.scores().chance).abs() < 0.005, "{variance}");
    }
}
