//! Discrete memory: each channel holds the sign of its last pulse.
//!
//! ```text
//! x_t,k = s with probability p, else 0, s = ±1 evenly     (a pulse at t = 0 in any case)
//! ŷ_t,k = the last x_k that was not 0
//! ```
//!
//! The task of Sussillo & Barak (2013), of arXiv 1907.08549 and, with p = .5 and 64 steps, of the example
//! that comes with the public fixed-point finders. Rare pulses force attractors: between two
//! pulses of a channel lie `1/p` steps on average. With `n` channels, `2^n` stable points stand at the corners of a
//! cube; along its edges, on its faces and within lie `3^n − 2^n` more, with as many unstable directions as
//! channels stand undecided between their signs.

use super::{Drawn, Held, Law, Scores};
use crate::{StepLoss, StepTargets, Vectors, seed, setting};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How trials are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Channels `n`.
    #[serde(deserialize_with = "setting::whole::<_, 1, 16>")]
    pub bits: usize,
    /// Steps of a trial.
    #[serde(deserialize_with = "setting::whole::<_, 2, 100000>")]
    pub steps: usize,
    /// Probability `p` of a pulse, a channel and step.
    #[serde(deserialize_with = "setting::share")]
    pub pulse: f64,
    /// Standard deviation of normal noise on the inputs.
    #[serde(deserialize_with = "setting::not_negative")]
    pub noise: f64,
    /// Steps after a channel's target changes that are not scored, the step of the pulse itself first.
    #[serde(deserialize_with = "setting::count")]
    pub grace: usize,
    /// Whether a channel has two inputs of 0 or 1, one for each sign, down first, and noise on both.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub paired: bool,
    /// Whether channels hold −1 before their first pulse; if not, each has a pulse at the first step.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub starts_down: bool,
    /// First steps of a trial that are not scored.
    #[serde(deserialize_with = "setting::count", skip_serializing_if = "setting::is_zero")]
    pub unscored: usize,
}

impl Default for Settings {
    /// Three channels, 64 steps; pulses as rare as .2, which leaves stretches long enough that only attractors help.
    fn default() -> Self {
        Self {
            bits: 3,
            steps: 64,
            pulse: 0.2,
            noise: 0.0,
            grace: 0,
            paired: false,
            starts_down: false,
            unscored: 0,
        }
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        format!("{}-bit memory", self.bits)
    }

    fn inputs(&self) -> usize {
        self.bits * if self.paired { 2 } else { 1 }
    }

    fn outputs(&self) -> usize {
        self.bits
    }

    fn steps(&self) -> usize {
        self.steps
    }

    /// The condition is which signs the channels hold at the end, channel `k` as bit `k`.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let n = self.bits;
        let mut inputs = Vectors::new(self.inputs());
        let mut values = Vec::with_capacity(count * self.steps * n);
        let mut mask = Vec::with_capacity(count * self.steps);
        let mut conditions = Vec::with_capacity(count);
        for trial in 0..count {
            let mut stream = seed::stream(seed, &format!("task/{split}/{trial}"));
            let mut sequence = Vec::with_capacity(self.steps * self.inputs());
            let mut held = vec![if self.starts_down { -1.0_f32 } else { 0.0 }; n];
            let mut unscored = 0;
            for t in 0..self.steps {
                let mut changed = false;
                for k in held.iter_mut() {
                    let first = t == 0 && !self.starts_down;
                    let pulse = first || stream.random::<f64>() < self.pulse;
                    let sign = if stream.random::<bool>() { 1.0 } else { -1.0 };
                    let x = if pulse { sign } else { 0.0 };
                    if pulse {
                        changed |= *k != sign;
                        *k = sign;
                    }
                    let mut noise = || match self.noise > 0.0 {
                        true => self.noise as f32 * stream.sample::<f32, _>(StandardNormal),
                        false => 0.0,
                    };
                    if self.paired {
                        sequence.push((x < 0.0) as u8 as f32 + noise());
                        sequence.push((x > 0.0) as u8 as f32 + noise());
                    } else {
                        sequence.push(x + noise());
                    }
                }
                if changed {
                    unscored = self.grace;
                }
                mask.push((unscored == 0 && t >= self.unscored) as u8 as f32);
                unscored = unscored.saturating_sub(1);
                values.extend_from_slice(&held);
            }
            inputs.push(&sequence);
            let bits = held.iter().enumerate().map(|(k, &s)| ((s > 0.0) as u32) << k);
            conditions.push(bits.sum());
        }
        let targets = StepTargets { width: n, values, mask, loss: StepLoss::Squared };
        Drawn { inputs, targets, conditions }
    }

    /// Signs are ±1 evenly: the best constant is 0 and errs by 1. Without noise the last pulse is known, and
    /// nothing is left; with noise of deviation `σ` a pulse is told from none, and its sign, with an error that this
    /// does not count: 0 is a lower bound.
    fn scores(&self) -> Scores {
        Scores { chance: 1.0, best: 0.0 }
    }

    /// No pulse.
    fn held(&self) -> Vec<Held> {
        vec![Held { name: "zero".into(), input: vec![0.0; self.inputs()] }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_the_signs_of_the_last_pulses() {
        let settings = Settings { steps: 40, pulse: 0.3, ..Settings::default() };
        let drawn = settings.draw(5, 7, "train");
        for trial in 0..5 {
            let first = drawn.inputs.start(trial);
            for k in 0..3 {
                let mut held = 0.0;
                for t in 0..40 {
                    let x = drawn.inputs.at(trial, t)[k];
                    held = if x == 0.0 { held } else { x };
                    assert_eq!(drawn.targets.values[(first + t) * 3 + k], held);
                    assert!(held.abs() == 1.0, "a pulse at the first step");
                }
                let bit = (drawn.conditions[trial] >> k) & 1;
                assert_eq!(bit == 1, held > 0.0);
            }
        }
        assert!(drawn.targets.mask.iter().all(|&m| m == 1.0));
    }

    #[test]
    fn pulses_come_as_often_as_asked_and_with_even_signs() {
        let settings = Settings { steps: 200, pulse: 0.1, ..Settings::default() };
        let drawn = settings.draw(100, 1, "train");
        let after_first =
            (0..100).flat_map(|i| drawn.inputs.get(i)[3..].iter().copied()).collect::<Vec<f32>>();
        let (n, p) = (after_first.len() as f64, 0.1);
        let pulses = after_first.iter().filter(|x| **x != 0.0).count() as f64;
        // Four standard deviations of a binomial count, and of the sum of its signs.
        assert!((pulses - n * p).abs() < 4.0 * (n * p * (1.0 - p)).sqrt(), "{pulses}");
        let sum: f32 = after_first.iter().sum();
        assert!((sum as f64).abs() < 4.0 * (n * p).sqrt(), "{sum}");
    }

    #[test]
    fn steps_after_a_change_are_not_scored_and_repeated_signs_change_nothing() {
        let settings = Settings { bits: 1, steps: 60, pulse: 0.2, grace: 2, ..Settings::default() };
        let drawn = settings.draw(1, 3, "test");
        let values = &drawn.targets.values;
        for t in 0..60 {
            let changed = |t: usize| t == 0 || values[t] != values[t - 1];
            let within = changed(t) || (t > 0 && changed(t - 1));
            assert_eq!(drawn.targets.mask[t] == 0.0, within, "step {t}");
        }
    }

    #[test]
    fn pairs_say_which_sign_a_pulse_has_and_trials_that_start_down_need_none() {
        let settings = Settings {
            steps: 50,
            pulse: 2.0 / 3.0,
            paired: true,
            starts_down: true,
            unscored: 5,
            ..Settings::default()
        };
        let drawn = settings.draw(40, 7, "train");
        let mut first = [0; 3];
        for trial in 0..40 {
            let start = drawn.inputs.start(trial);
            for k in 0..3 {
                let mut held = -1.0;
                for t in 0..50 {
                    let pair = &drawn.inputs.at(trial, t)[2 * k..2 * k + 2];
                    let kind = match pair {
                        [1.0, 0.0] => 0,
                        [0.0, 0.0] => 1,
                        [0.0, 1.0] => 2,
                        _ => panic!("{pair:?} is no pair"),
                    };
                    held = [-1.0, held, 1.0][kind];
                    first[kind] += (t == 0) as usize;
                    assert_eq!(drawn.targets.values[(start + t) * 3 + k], held);
                    assert_eq!(drawn.targets.mask[start + t] == 0.0, t < 5);
                }
            }
        }
        // Down, nothing, up: a third each. Four standard deviations of 120 draws are 21.
        assert!(first.iter().all(|n| (19..=61).contains(n)), "{first:?}");
    }

    #[test]
    fn a_constant_answer_of_nothing_errs_by_the_chance_score() {
        let settings = Settings::default();
        let drawn = settings.draw(20, 1, "test");
        let error: f32 = drawn.targets.values.iter().map(|y| y * y).sum();
        assert_eq!(error as f64 / drawn.targets.values.len() as f64, settings.scores().chance);
        let noisy = Settings { noise: 0.15, ..settings.clone() }.draw(20, 1, "test");
        let off: Vec<f64> = noisy.inputs.get(0).iter().map(|x| (x - x.round()) as f64).collect();
        let deviation = (off.iter().map(|x| x * x).sum::<f64>() / off.len() as f64).sqrt();
        assert!((deviation - 0.15).abs() < 0.05, "{deviation}");
    }
}
