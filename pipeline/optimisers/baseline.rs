//! The methods everybody uses, and their settings found by random search.
//!
//! All are maps of a state and a gradient to an update, as the library of arXiv 2011.02159 has them; Adam corrects no
//! bias. The learning rate of step `t` is `α d^{t/T}`.

use crate::objective::Objective;
use crate::problems::Problem;
use crate::{seed, setting};
use rand::Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Added under or to roots.
const EPSILON: f32 = 1e-5;

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Method {
    /// `Δ = −α g`.
    GradientDescent,
    /// `v ← β v + g`, `Δ = −α v`.
    Momentum,
    /// `v ← β v + g`, `Δ = −α (β v + g)`.
    Nesterov,
    /// `G ← G + g²`, `v ← β v + (1 − β) g/√G`, `Δ = −α v`.
    Adagrad,
    /// `m ← β₂ m + (1 − β₂) g²`, `Δ = −α g/√(m + ε)`.
    RmsProp,
    /// `v ← β v + (1 − β) g`, `m ← β₂ m + (1 − β₂) g²`, `Δ = −α v/(√m + ε)`.
    Adam,
}

impl Method {
    /// All of them.
    pub const ALL: [Method; 6] = [
        Method::GradientDescent,
        Method::Momentum,
        Method::Nesterov,
        Method::Adagrad,
        Method::RmsProp,
        Method::Adam,
    ];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Method::GradientDescent => "gradient descent",
            Method::Momentum => "momentum",
            Method::Nesterov => "Nesterov",
            Method::Adagrad => "Adagrad",
            Method::RmsProp => "RMSProp",
            Method::Adam => "Adam",
        }
    }

    /// Whether it has a `β`, and a `β₂`.
    fn has(self) -> (bool, bool) {
        match self {
            Method::GradientDescent => (false, false),
            Method::Momentum | Method::Nesterov | Method::Adagrad => (true, false),
            Method::RmsProp => (false, true),
            Method::Adam => (true, true),
        }
    }
}

/// A method with its numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// Which.
    pub method: Method,
    /// `α`.
    pub learning_rate: f64,
    /// `β`; 0 where it has none.
    pub beta1: f64,
    /// `β₂`; 0 where it has none.
    pub beta2: f64,
    /// `d`: what is left of the learning rate after `T` steps.
    pub decay: f64,
}

impl Baseline {
    /// A method with a constant learning rate.
    pub fn new(method: Method, learning_rate: f64, beta1: f64, beta2: f64) -> Self {
        Self { method, learning_rate, beta1, beta2, decay: 1.0 }
    }

    /// The losses `f(x_t)` of a run, `[T]`; it ends where one is not finite, and the rest are infinite.
    pub fn run(&self, problem: &dyn Problem<f32>, steps: usize) -> Vec<f64> {
        let n = problem.parameters();
        let mut x = problem.start().to_vec();
        let (mut g, mut v, mut m) = (vec![0.0_f32; n], vec![0.0_f32; n], vec![0.0_f32; n]);
        let (b1, b2) = (self.beta1 as f32, self.beta2 as f32);
        let mut losses = Vec::with_capacity(steps);
        for t in 0..steps {
            let loss = problem.evaluate(&x, &mut g);
            if !loss.is_finite() {
                losses.resize(steps, f64::INFINITY);
                break;
            }
            losses.push(f64::from(loss));
            let rate = (self.learning_rate * self.decay.powf(t as f64 / steps as f64)) as f32;
            for i in 0..n {
                let (g, v, m) = (g[i], &mut v[i], &mut m[i]);
                x[i] -= rate
                    * match self.method {
                        Method::GradientDescent => g,
                        Method::Momentum => {
                            *v = b1 * *v + g;
                            *v
                        }
                        Method::Nesterov => {
                            *v = b1 * *v + g;
                            b1 * *v + g
                        }
                        Method::Adagrad => {
                            *m += g * g;
                            let share = if *m > 0.0 { g / m.sqrt() } else { 0.0 };
                            *v = b1 * *v + (1.0 - b1) * share;
                            *v
                        }
                        Method::RmsProp => {
                            *m = b2 * *m + (1.0 - b2) * g * g;
                            g / (*m + EPSILON).sqrt()
                        }
                        Method::Adam => {
                            *v = b1 * *v + (1.0 - b1) * g;
                            *m = b2 * *m + (1.0 - b2) * g * g;
                            *v / (m.sqrt() + EPSILON)
                        }
                    };
            }
        }
        losses
    }
}

/// How baselines are tuned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Draws of each method's numbers.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub trials: usize,
    /// Problems each draw is measured on; none of them is trained or tested on.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub problems: usize,
    /// Least and largest learning rate, both above 0.
    #[serde(deserialize_with = "rates")]
    pub learning_rates: (f64, f64),
}

/// Two learning rates between which others can be drawn.
fn rates<'de, D: serde::Deserializer<'de>>(de: D) -> Result<(f64, f64), D::Error> {
    let (low, high) = <(f64, f64)>::deserialize(de)?;
    if low > 0.0 && low <= high && high.is_finite() {
        return Ok((low, high));
    }
    let problem =
        format!("({low}, {high}) is impossible here: two numbers above 0, the smaller first");
    Err(serde::de::Error::custom(problem))
}

impl Default for Settings {
    fn default() -> Self {
        Self { trials: 500, problems: 64, learning_rates: (1e-5, 10.0) }
    }
}

/// A method's best numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuned {
    /// The best draw.
    pub baseline: Baseline,
    /// Its objective, mean over the problems.
    pub objective: f64,
    /// Draws that diverged on some problem.
    pub diverged: usize,
}

/// Uniform in the logarithm.
fn between(stream: &mut seed::Stream, low: f64, high: f64) -> f64 {
    low * (high / low).powf(stream.random::<f64>())
}

/// Tunes a method by random search: learning rates uniform in their logarithm, and so are `1 − β` from .001 to 1, `1 − β₂`
/// from .0001 to 1, and `d` from .001 to 1; half of the draws keep their learning rate.
pub fn tune(
    method: Method,
    problems: &[Box<dyn Problem<f32>>],
    steps: usize,
    objective: Objective,
    settings: &Settings,
    seed: u64,
) -> Tuned {
    let mut stream = seed::stream(seed, &format!("tuning/{}", method.name()));
    let (has_first, has_second) = method.has();
    let draws: Vec<Baseline> = (0..settings.trials)
        .map(|_| {
            let (low, high) = settings.learning_rates;
            let learning_rate = between(&mut stream, low, high);
            let beta1 = 1.0 - between(&mut stream, 1e-3, 1.0);
            let beta2 = 1.0 - between(&mut stream, 1e-4, 1.0);
            let decay = between(&mut stream, 1e-3, 1.0);
            let constant: bool = stream.random();
            Baseline {
                method,
                learning_rate,
                beta1: if has_first { beta1 } else { 0.0 },
                beta2: if has_second { beta2 } else { 0.0 },
                decay: if constant { 1.0 } else { decay },
            }
        })
        .collect();
    let values: Vec<f64> = draws
        .par_iter()
        .map(|draw| {
            let mut sum = 0.0;
            for problem in problems {
                let value = objective.of(&draw.run(&**problem, steps));
                // A problem with nothing to win tells nothing.
                sum += if value.is_nan() { 0.0 } else { value };
                if sum.is_infinite() {
                    break;
                }
            }
            sum / problems.len() as f64
        })
        .collect();
    let best = (0..draws.len()).min_by(|&a, &b| values[a].total_cmp(&values[b]));
    let best = best.expect("there is a draw");
    let diverged = values.iter().filter(|v| !v.is_finite()).count();
    Tuned { baseline: draws[best], objective: values[best], diverged }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problems::QuadraticProblem;

    #[test]
    fn methods_move_as_their_equations_say() {
        // f = x²/2 · 2 from 3: g = 2x = 6.
        let problem = QuadraticProblem::<f32>::new(&[3.0], &[2.0]);
        let second = |method, a, b1, b2| Baseline::new(method, a, b1, b2).run(&problem, 2)[1];
        let loss = |x: f64| x * x;
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-4, "{a} {b}");
        close(second(Method::GradientDescent, 0.1, 0.0, 0.0), loss(3.0 - 0.6));
        close(second(Method::Momentum, 0.1, 0.9, 0.0), loss(3.0 - 0.6));
        close(second(Method::Nesterov, 0.1, 0.9, 0.0), loss(3.0 - 0.1 * (0.9 * 6.0 + 6.0)));
        close(second(Method::Adagrad, 0.1, 0.5, 0.0), loss(3.0 - 0.1 * 0.5));
        close(second(Method::RmsProp, 0.1, 0.0, 0.75), loss(3.0 - 0.1 * 6.0 / 9f64.sqrt()));
        close(second(Method::Adam, 0.1, 0.5, 0.75), loss(3.0 - 0.1 * 3.0 / 3.0));
        let momentum = Baseline::new(Method::Momentum, 0.1, 0.9, 0.0).run(&problem, 3);
        // x_1 = 2.4, v = .9 · 6 + 4.8.
        close(momentum[2], loss(2.4 - 0.1 * (0.9 * 6.0 + 4.8)));
    }

    #[test]
    fn tuning_finds_the_learning_rate_of_a_single_curvature() {
        // One curvature: the best step is 1/λ and ends at once.
        let problems: Vec<Box<dyn Problem<f32>>> =
            vec![Box::new(QuadraticProblem::new(&[2.0, -1.0], &[0.5, 0.0, 0.0, 0.5]))];
        let settings = Settings { trials: 400, ..Settings::default() };
        let found = tune(Method::GradientDescent, &problems, 30, Objective::Mean, &settings, 1);
        assert!((found.baseline.learning_rate - 2.0).abs() < 0.1, "{found:?}");
        assert!(found.objective < 1.01 / 30.0, "{found:?}");
    }
}
