//! Path integration in the plane: from speed and heading to where one is.
//!
//! ```text
//! θ_0 uniform, θ_t = θ_{t−1} + σ ε_t;   v_t uniform in [0, 2 v]
//! x_t = (v_t, cos θ_t, sin θ_t)
//! ŷ_t = Σ_{s ≤ t} v_s (cos θ_s, sin θ_s)
//! ```
//!
//! After Cueva & Wei (arXiv 1803.07770), without walls; arXiv 2410.03972 trains networks on it. The solution is a plane of
//! slow points.

use super::{Drawn, Held, Law, Scores};
use crate::{StepLoss, StepTargets, Vectors, seed, setting};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// How trials are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps of a trial.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub steps: usize,
    /// Mean speed `v`, lengths a step.
    #[serde(deserialize_with = "setting::positive")]
    pub speed: f64,
    /// Standard deviation `σ` of a step's turn, rad.
    #[serde(deserialize_with = "setting::not_negative")]
    pub turn: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { steps: 50, speed: 0.05, turn: 0.3 }
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        "path integration in the plane".into()
    }

    fn inputs(&self) -> usize {
        3
    }

    fn outputs(&self) -> usize {
        2
    }

    fn steps(&self) -> usize {
        self.steps
    }

    /// The condition is the quarter of the plane in which the path ends.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let mut inputs = Vectors::new(3);
        let mut values = Vec::with_capacity(count * self.steps * 2);
        let mut conditions = Vec::with_capacity(count);
        for trial in 0..count {
            let mut stream = seed::stream(seed, &format!("task/{split}/{trial}"));
            let mut heading = TAU * stream.random::<f64>();
            let mut at = [0.0_f64; 2];
            let mut sequence = Vec::with_capacity(self.steps * 3);
            for t in 0..self.steps {
                if t > 0 {
                    heading += self.turn * stream.sample::<f64, _>(StandardNormal);
                }
                let speed = 2.0 * self.speed * stream.random::<f64>();
                let (sin, cos) = heading.sin_cos();
                at = [at[0] + speed * cos, at[1] + speed * sin];
                sequence.extend([speed as f32, cos as f32, sin as f32]);
                values.extend(at.map(|x| x as f32));
            }
            inputs.push(&sequence);
            conditions.push((at[0] < 0.0) as u32 + 2 * (at[1] < 0.0) as u32);
        }
        let mask = vec![1.0; count * self.steps];
        let targets = StepTargets { width: 2, values, mask, loss: StepLoss::Squared };
        Drawn { inputs, targets, conditions }
    }

    /// Headings at steps `s` and `t` have `E cos(θ_s − θ_t) = ρ^|s − t|` with `ρ = exp(−σ²/2)`, speeds `E v² = 4v²/3`
    /// and are independent: a coordinate after `t` steps has mean 0 and variance
    /// `½ (4/3 t v² + 2 v² Σ_{d<t} (t − d) ρ^d)`, `d` from 1. The best constant is 0.
    fn scores(&self) -> Scores {
        let rho = (-self.turn.powi(2) / 2.0).exp();
        let v = self.speed;
        let variance = |t: usize| {
            let apart: f64 = (1..t).map(|d| (t - d) as f64 * rho.powi(d as i32)).sum();
            0.5 * (4.0 / 3.0 * t as f64 * v * v + 2.0 * v * v * apart)
        };
        let chance = (1..=self.steps).map(variance).sum::<f64>() / self.steps as f64;
        Scores { chance, best: 0.0 }
    }

    /// Standing still, facing nowhere.
    fn held(&self) -> Vec<Held> {
        vec![Held { name: "at rest".into(), input: vec![0.0; 3] }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_where_the_steps_lead() {
        let drawn = Settings::default().draw(10, 4, "train");
        for trial in 0..10 {
            let first = drawn.inputs.start(trial);
            let mut at = [0.0_f32; 2];
            for t in 0..50 {
                let x = drawn.inputs.at(trial, t);
                assert!((x[1].hypot(x[2]) - 1.0).abs() < 1e-6 && (0.0..=0.1).contains(&x[0]));
                at = [at[0] + x[0] * x[1], at[1] + x[0] * x[2]];
                let y = &drawn.targets.values[2 * (first + t)..][..2];
                assert!((y[0] - at[0]).abs() < 1e-5 && (y[1] - at[1]).abs() < 1e-5);
            }
        }
    }

    #[test]
    fn the_best_constant_errs_by_the_variance_derived_by_hand() {
        for turn in [0.0, 0.3, 1.5] {
            let settings = Settings { turn, ..Settings::default() };
            let y = settings.draw(4000, 9, "test").targets.values;
            let error = y.iter().map(|&y| (y as f64).powi(2)).sum::<f64>() / y.len() as f64;
            let chance = settings.scores().chance;
            assert!((error / chance - 1.0).abs() < 0.08, "turn {turn}: {error}, by hand {chance}");
        }
    }
}
