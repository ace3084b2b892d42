//! Delayed discrimination: two stimuli with a pause between them; which was the larger one?
//!
//! ```text
//! stimulus a … pause … stimulus b … decision        a ≠ b from m evenly spaced values in [−1, 1]
//! x_t = (the stimulus, or 0; 1 while the decision is asked for)
//! ŷ_t = sign(a − b) while the decision is asked for; other steps are not scored
//! ```
//!
//! After Romo et al. (1999), as arXiv 2410.03972 trains networks on it. The solution keeps `a` through the pause: a
//! line of slow points, or as many stable ones as there are values.

use super::{Drawn, Held, Law, Scores};
use crate::{StepLoss, StepTargets, Vectors, seed, setting};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How trials are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Values `m` that a stimulus may have.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub values: usize,
    /// Steps of a stimulus.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub stimulus: usize,
    /// Least steps of the pause.
    #[serde(deserialize_with = "setting::count")]
    pub pause_least: usize,
    /// Most steps of the pause; each number from least to most is as likely.
    #[serde(deserialize_with = "setting::count")]
    pub pause_most: usize,
    /// Steps of the decision.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub decision: usize,
    /// Standard deviation of normal noise on the stimulus channel.
    #[serde(deserialize_with = "setting::not_negative")]
    pub noise: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { values: 7, stimulus: 5, pause_least: 10, pause_most: 30, decision: 5, noise: 0.0 }
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        "delayed discrimination".into()
    }

    fn inputs(&self) -> usize {
        2
    }

    fn outputs(&self) -> usize {
        1
    }

    fn steps(&self) -> usize {
        2 * self.stimulus + self.pause_most.max(self.pause_least) + self.decision
    }

    /// The condition is `a m + b`, both as numbers of their values.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let most = self.pause_most.max(self.pause_least);
        let value = |i: usize| (2.0 * i as f64 / (self.values - 1) as f64 - 1.0) as f32;
        let mut inputs = Vectors::new(2);
        let (mut values, mut mask, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
        for trial in 0..count {
            let mut stream = seed::stream(seed, &format!("task/{split}/{trial}"));
            let a = stream.random_range(0..self.values);
            let other = stream.random_range(0..self.values - 1);
            let b = if other < a { other } else { other + 1 };
            let pause = stream.random_range(self.pause_least..=most);
            let phases = [
                (self.stimulus, value(a), false),
                (pause, 0.0, false),
                (self.stimulus, value(b), false),
                (self.decision, 0.0, true),
            ];
            let mut sequence = Vec::new();
            for (steps, x, asked) in phases {
                for _ in 0..steps {
                    let noise = match self.noise > 0.0 {
                        true => self.noise as f32 * stream.sample::<f32, _>(StandardNormal),
                        false => 0.0,
                    };
                    sequence.extend([x + noise, asked as u8 as f32]);
                    values.push(if !asked {
                        0.0
                    } else if a > b {
                        1.0
                    } else {
                        -1.0
                    });
                    mask.push(asked as u8 as f32);
                }
            }
            inputs.push(&sequence);
            conditions.push((a * self.values + b) as u32);
        }
        let targets = StepTargets { width: 1, values, mask, loss: StepLoss::Squared };
        Drawn { inputs, targets, conditions }
    }

    /// Both answers are as likely: the best constant is 0 and errs by 1. Without noise nothing need be left; with
    /// noise 0 is a lower bound.
    fn scores(&self) -> Scores {
        Scores { chance: 1.0, best: 0.0 }
    }

    /// The pause.
    fn held(&self) -> Vec<Held> {
        vec![Held { name: "pause".into(), input: vec![0.0, 0.0] }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_decision_compares_the_two_stimuli_and_alone_is_scored() {
        let settings = Settings::default();
        let drawn = settings.draw(200, 4, "train");
        let mut larger = 0;
        let mut pauses = std::collections::BTreeSet::new();
        for trial in 0..200 {
            let first = drawn.inputs.start(trial);
            let steps = drawn.inputs.length(trial);
            let at = |t: usize| drawn.inputs.at(trial, t);
            let (a, b) = (at(0)[0], at(steps - 6)[0]);
            assert_ne!(a, b);
            pauses.insert(steps - 15);
            for t in 0..steps {
                let asked = t + 5 >= steps;
                assert_eq!(at(t)[1] == 1.0, asked);
                assert_eq!(drawn.targets.mask[first + t] == 1.0, asked);
                if asked {
                    assert_eq!(drawn.targets.values[first + t], (a - b).signum());
                }
            }
            larger += (a > b) as usize;
        }
        assert!((70..=130).contains(&larger), "{larger} of 200");
        assert!(
            pauses.len() > 10 && *pauses.first().unwrap() >= 10 && *pauses.last().unwrap() <= 30
        );
    }
}
