//! Context-dependent integration: two noisy streams, and a cue that says which one to add up.
//!
//! ```text
//! x_t = (b_1 + σ ε_t,1, b_2 + σ ε_t,2, [c = 1], [c = 2])    b_k = scale · (N(0, 1) − ½), one a stream and trial
//! ŷ_t = Σ_{s ≤ t} x_s,c
//! ```
//!
//! After Mante et al. (2013), in the form of arXiv 1907.08549 and 2111.01256. The solution is a line attractor under
//! each cue, onto which the cued stream is projected and the other one is not.

use super::{Drawn, Held, Law, Scores};
use crate::seed::Stream;
use crate::{StepLoss, StepTargets, Vectors, seed, setting};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How trials are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps of a trial.
    #[serde(deserialize_with = "setting::at_least_two")]
    pub steps: usize,
    /// What a stream's bias is scaled by.
    #[serde(deserialize_with = "setting::not_negative")]
    pub bias: f64,
    /// Standard deviation `σ` of the noise of a step.
    #[serde(deserialize_with = "setting::not_negative")]
    pub noise: f64,
}

impl Default for Settings {
    /// 25 steps of a duration of 1: noise .025/√(1/25).
    fn default() -> Self {
        Self { steps: 25, bias: 0.02, noise: 0.125 }
    }
}

/// Streams, and contexts.
pub const STREAMS: usize = 2;

impl Settings {
    /// `count` trials of one context in which the streams' biases are given.
    pub fn conditioned(
        &self,
        context: usize,
        bias: [f64; STREAMS],
        count: usize,
        seed: u64,
        split: &str,
    ) -> Drawn {
        let mut drawing = Drawing::new(count * self.steps);
        for trial in 0..count {
            let mut stream = seed::stream(seed, &format!("task/{split}/{trial}"));
            drawing.add(self, context, bias, &mut stream);
        }
        drawing.done()
    }
}

/// Trials as they are drawn.
struct Drawing {
    inputs: Vectors,
    values: Vec<f32>,
    conditions: Vec<u32>,
}

impl Drawing {
    fn new(steps: usize) -> Self {
        let (inputs, values) = (Vectors::new(2 * STREAMS), Vec::with_capacity(steps));
        Self { inputs, values, conditions: Vec::new() }
    }

    fn add(
        &mut self,
        settings: &Settings,
        context: usize,
        bias: [f64; STREAMS],
        stream: &mut seed::Stream,
    ) {
        let mut sum = 0.0_f32;
        let mut sequence = Vec::with_capacity(settings.steps * 2 * STREAMS);
        for _ in 0..settings.steps {
            for (k, b) in bias.iter().enumerate() {
                let x = (b + settings.noise * stream.sample::<f64, _>(StandardNormal)) as f32;
                sequence.push(x);
                if k == context {
                    sum += x;
                }
            }
            sequence.extend((0..STREAMS).map(|c| (c == context) as u8 as f32));
            self.values.push(sum);
        }
        self.inputs.push(&sequence);
        self.conditions.push(context as u32);
    }

    fn done(self) -> Drawn {
        let mask = vec![1.0; self.values.len()];
        let targets = StepTargets { width: 1, values: self.values, mask, loss: StepLoss::Squared };
        Drawn { inputs: self.inputs, targets, conditions: self.conditions }
    }
}

impl Settings {
    /// The inputs of one trial, `[t, u]`.
    ///
    /// * `bias`: mean of a step of each stream; `gate`: the stream that is not cued enters times this
    pub fn trial(
        &self,
        context: usize,
        bias: [f64; STREAMS],
        gate: f64,
        stream: &mut Stream,
    ) -> Vec<f32> {
        let mut sequence = Vec::with_capacity(self.steps * 2 * STREAMS);
        for _ in 0..self.steps {
            for (k, b) in bias.iter().enumerate() {
                let x = b + self.noise * stream.sample::<f64, _>(StandardNormal);
                sequence.push(if k == context { x } else { gate * x } as f32);
            }
            sequence.extend((0..STREAMS).map(|c| (c == context) as u8 as f32));
        }
        sequence
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        "context-dependent integration".into()
    }

    fn inputs(&self) -> usize {
        2 * STREAMS
    }

    fn outputs(&self) -> usize {
        1
    }

    fn steps(&self) -> usize {
        self.steps
    }

    /// The condition is the context.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let mut drawing = Drawing::new(count * self.steps);
        for trial in 0..count {
            let mut stream = seed::stream(seed, &format!("task/{split}/{trial}"));
            let context = stream.random_range(0..STREAMS);
            let bias: [f64; STREAMS] = std::array::from_fn(|_| {
                self.bias * (stream.sample::<f64, _>(StandardNormal) - 0.5)
            });
            drawing.add(self, context, bias, &mut stream);
        }
        drawing.done()
    }

    /// After `t` steps the sum has mean `−t s/2` and variance `t² s² + t σ²`, with the scale `s` of the bias. The best
    /// constant is the mean over the steps. All that is added up is seen: nothing need be left.
    fn scores(&self) -> Scores {
        let n = self.steps as f64;
        let mean = |t: f64| -0.5 * self.bias * t;
        let constant = mean((n + 1.0) / 2.0);
        let error = |t: f64| {
            t * t * self.bias.powi(2) + t * self.noise.powi(2) + (mean(t) - constant).powi(2)
        };
        let chance = (1..=self.steps).map(|t| error(t as f64)).sum::<f64>() / n;
        Scores { chance, best: 0.0 }
    }

    fn conditions(&self) -> Vec<String> {
        (1..=STREAMS).map(|stream| format!("stream {stream} is cued")).collect()
    }

    /// Each context without evidence.
    fn held(&self) -> Vec<Held> {
        let held = |c: usize| Held {
            name: format!("context {}", c + 1),
            input: (0..2 * STREAMS).map(|i| (i == STREAMS + c) as u8 as f64).collect(),
        };
        (0..STREAMS).map(held).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_add_up_the_cued_stream_and_ignore_the_other() {
        let drawn = Settings::default().draw(30, 5, "train");
        for trial in 0..30 {
            let context = drawn.conditions[trial] as usize;
            let first = drawn.inputs.start(trial);
            let mut sum = 0.0;
            for t in 0..25 {
                let x = drawn.inputs.at(trial, t);
                assert_eq!(x[2 + context], 1.0);
                assert_eq!(x[3 - context], 0.0);
                sum += x[context];
                assert_eq!(drawn.targets.values[first + t], sum);
            }
        }
        let second = drawn.conditions.iter().filter(|&&c| c == 1).count();
        assert!((5..=25).contains(&second), "{second} of 30");
    }

    #[test]
    fn a_constant_answer_errs_by_the_chance_score_and_noise_is_as_asked() {
        let settings = Settings { bias: 0.1, ..Settings::default() };
        let drawn = settings.draw(6000, 2, "test");
        let y = &drawn.targets.values;
        let n = y.len() as f64;
        let mean = y.iter().map(|&y| y as f64).sum::<f64>() / n;
        let variance = y.iter().map(|&y| (y as f64 - mean).powi(2)).sum::<f64>() / n;
        let chance = settings.scores().chance;
        assert!((variance / chance - 1.0).abs() < 0.06, "{variance}, by hand {chance}");
        // Differences of one stream's neighbours have twice the noise's variance, whatever its bias.
        let mut squares = (0.0, 0.0);
        for trial in 0..200 {
            for t in 1..25 {
                let d = drawn.inputs.at(trial, t)[0] - drawn.inputs.at(trial, t - 1)[0];
                squares = (squares.0 + (d * d) as f64, squares.1 + 2.0);
            }
        }
        let deviation = (squares.0 / squares.1).sqrt();
        assert!((deviation - 0.125).abs() < 0.006, "{deviation}");
    }
}
