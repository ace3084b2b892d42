//! What is optimised: problems with value, gradient, and the gradient's derivative along a direction.
//!
//! A [`Task`] is a family of problems; number `i` of a split is drawn from a stream of its own, so that a problem is the
//! same whoever asks for it. Problems are drawn in f64 and work in f32, in which they are trained on, or f64, in which
//! tests compare them with central differences.
//!
//! # A new task
//!
//! A file with its settings, its problem and its `draw`; a variant of [`Task`] and its lines in [`Task::draw`] and
//! those that say how many parameters it has. The tests below hold each task's gradient and Hessian against central differences, and
//! [`training`](crate::training)'s the gradient through the whole unroll.

mod digits;
mod moons;
mod network;
mod phrases;
mod quadratic;
mod rosenbrock;
mod words;

pub use digits::Digits;
pub use moons::Moons;
pub use phrases::Phrases;
pub use quadratic::{Quadratic, QuadraticProblem};
pub use rosenbrock::Rosenbrock;
pub use words::{Counts, Words};

use crate::seed::{self, Stream};
use crate::{Error, Result};
use num_traits::Float;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// f32 or f64.
pub trait Real:
    Float + std::ops::AddAssign + std::ops::MulAssign + std::iter::Sum + Send + Sync + 'static
{
    /// The nearest number.
    fn of(x: f64) -> Self;

    /// As f64.
    fn wide(self) -> f64;

    /// `tanh x`, in f32 by a fraction that is done in vectors.
    fn hyperbolic_tangent(self) -> Self;
}

impl Real for f32 {
    fn of(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn hyperbolic_tangent(self) -> Self {
        accrue_ops::activation::tanh(pulp::Scalar, self)
    }

    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn of(x: f64) -> Self {
        x
    }

    fn hyperbolic_tangent(self) -> Self {
        self.tanh()
    }

    fn wide(self) -> f64 {
        self
    }
}

/// A list in another precision.
pub(crate) fn cast<R: Real>(numbers: &[f64]) -> Vec<R> {
    numbers.iter().map(|&x| R::of(x)).collect()
}

/// A function of some parameters, and where the search for its least value begins.
pub trait Problem<R: Real>: Send + Sync {
    /// `x_0`, `[parameters]`.
    fn start(&self) -> &[R];

    /// `f(x)`; `gradient` becomes `∇f(x)`, `[parameters]`.
    fn evaluate(&self, x: &[R], gradient: &mut [R]) -> R;

    /// `out = ∇²f(x) v`, the derivative of the gradient along `v`, `[parameters]`.
    fn hessian_product(&self, x: &[R], v: &[R], out: &mut [R]);

    /// Parameters.
    fn parameters(&self) -> usize {
        self.start().len()
    }
}

/// A family of problems.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// Random quadratic functions.
    Quadratic(Quadratic),
    /// The Rosenbrock function from random points.
    Rosenbrock(Rosenbrock),
    /// Two half circles, told apart by a small network.
    Moons(Moons),
    /// Softmax regression on phrases of a synthetic language.
    Phrases(Phrases),
    /// Logistic regression on the word counts of a corpus.
    Words(Words),
    /// A convolutional network that reads 8 × 8 digits.
    Digits(Digits),
}

impl Default for Task {
    fn default() -> Self {
        Task::Quadratic(Quadratic::default())
    }
}

/// What tasks read that no seed gives.
#[derive(Clone, Debug, Default)]
pub struct Data {
    /// Word counts of documents with two labels.
    pub counts: Option<Arc<Counts>>,
    /// Images and labels of digits.
    pub digits: Option<Arc<digits::Images>>,
}

pub use digits::Images;

/// Problems of one family and one split.
pub struct Family<'a> {
    /// Which.
    pub task: &'a Task,
    /// What it reads.
    pub data: &'a Data,
    /// Seed of the draws.
    pub seed: u64,
    /// Name of the split: problems of different splits are different.
    pub split: &'a str,
}

impl Family<'_> {
    /// Problem number `index`.
    ///
    /// # Errors
    /// [`Error::Usage`] if the task reads what is not there.
    pub fn problem<R: Real>(&self, index: usize) -> Result<Box<dyn Problem<R>>> {
        let mut stream = seed::stream(self.seed, &format!("problem/{}/{index}", self.split));
        self.task.draw(self.data, self.split, &mut stream)
    }

    /// The first `count` problems.
    ///
    /// # Errors
    /// As [`Family::problem`].
    pub fn problems<R: Real>(&self, count: usize) -> Result<Vec<Box<dyn Problem<R>>>> {
        (0..count).map(|index| self.problem(index)).collect()
    }
}

impl Task {
    /// A problem from a stream of random numbers.
    ///
    /// # Errors
    /// [`Error::Usage`] if the task reads what is not there.
    pub fn draw<R: Real>(
        &self,
        data: &Data,
        split: &str,
        stream: &mut Stream,
    ) -> Result<Box<dyn Problem<R>>> {
        Ok(match self {
            Task::Quadratic(of) => Box::new(of.draw::<R>(stream)),
            Task::Rosenbrock(of) => Box::new(of.draw::<R>(stream)),
            Task::Moons(of) => Box::new(of.draw::<R>(stream)),
            Task::Phrases(of) => Box::new(of.draw::<R>(stream)),
            Task::Words(of) => {
                let counts =
                    data.counts.as_ref().ok_or_else(|| missing("the counts of a corpus"))?;
                Box::new(of.draw::<R>(counts, split == "test", stream)?)
            }
            Task::Digits(of) => {
                let images = data.digits.as_ref().ok_or_else(|| missing("images of digits"))?;
                Box::new(of.draw::<R>(images, split == "test", stream)?)
            }
        })
    }

    /// Its name for people.
    pub fn name(&self) -> &'static str {
        match self {
            Task::Quadratic(_) => "random quadratics",
            Task::Rosenbrock(_) => "Rosenbrock",
            Task::Moons(_) => "two moons",
            Task::Phrases(_) => "synthetic phrases",
            Task::Words(_) => "bags of words",
            Task::Digits(_) => "digits",
        }
    }

    /// Least and largest curvature, where the family has such numbers: the optimal momentum follows from them.
    pub fn curvature(&self) -> Option<(f64, f64)> {
        match self {
            Task::Quadratic(of) => Some((10f64.powf(of.least), 10f64.powf(of.largest))),
            _ => None,
        }
    }
}

fn missing(what: &str) -> Error {
    Error::Usage(format!("task: {what} are not there; the study that names the task reads them"))
}

/// Normal numbers.
pub(crate) fn normal(stream: &mut Stream, count: usize) -> Vec<f64> {
    use rand::Rng;
    (0..count).map(|_| stream.sample(rand_distr::StandardNormal)).collect()
}

/// `Σ a_i b_i`.
pub(crate) fn dot<R: Real>(a: &[R], b: &[R]) -> R {
    a.iter().zip(b).map(|(a, b)| *a * *b).sum()
}

/// `ln(1 + e^z)`, without overflow.
pub(crate) fn softplus<R: Real>(z: R) -> R {
    z.max(R::zero()) + (-z.abs()).exp().ln_1p()
}

/// `1/(1 + e^{−z})`.
pub(crate) fn logistic<R: Real>(z: R) -> R {
    R::one() / (R::one() + (-z).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tasks() -> Vec<Task> {
        vec![
            Task::Quadratic(Quadratic::default()),
            Task::Rosenbrock(Rosenbrock::default()),
            Task::Rosenbrock(Rosenbrock { logarithm: true, ..Rosenbrock::default() }),
            Task::Moons(Moons { points: 24, hidden: vec![5, 4], ..Moons::default() }),
            Task::Phrases(Phrases { documents: 24, words: 12, ..Phrases::default() }),
            Task::Words(Words { documents: 30, words: 10, ..Words::default() }),
            Task::Digits(Digits { images: 6, channels: vec![2, 3], ..Digits::default() }),
        ]
    }

    fn data() -> Data {
        let counts = Counts::planted(200, 25, 7);
        Data { counts: Some(Arc::new(counts)), digits: Some(Arc::new(Images::planted(40, 3))) }
    }

    #[test]
    fn gradients_and_hessian_products_equal_central_differences() {
        let data = data();
        for task in tasks() {
            let family = Family { task: &task, data: &data, seed: 5, split: "train" };
            let problem = family.problem::<f64>(3).unwrap();
            let n = problem.parameters();
            let mut stream = seed::stream(9, "direction");
            let v = normal(&mut stream, n);
            let x: Vec<f64> = problem
                .start()
                .iter()
                .zip(normal(&mut stream, n))
                .map(|(x, e)| x + 0.1 * e)
                .collect();
            let mut g = vec![0.0; n];
            problem.evaluate(&x, &mut g);
            let moved =
                |by: f64| -> Vec<f64> { x.iter().zip(&v).map(|(x, v)| x + by * v).collect() };
            let step = 1e-5;
            let (mut up, mut down) = (vec![0.0; n], vec![0.0; n]);
            let slope = (problem.evaluate(&moved(step), &mut up)
                - problem.evaluate(&moved(-step), &mut down))
                / (2.0 * step);
            let along = dot(&g, &v);
            let name = task.name();
            assert!((slope - along).abs() < 1e-7 * (1.0 + along.abs()), "{name}: {slope} {along}");
            let mut product = vec![f64::NAN; n];
            problem.hessian_product(&x, &v, &mut product);
            let size = product.iter().fold(1e-3_f64, |m, x| m.max(x.abs()));
            for i in 0..n {
                let expected = (up[i] - down[i]) / (2.0 * step);
                let off = (product[i] - expected).abs();
                assert!(off < 1e-6 * size, "{name} {i}: {} {expected}", product[i]);
            }
        }
    }

    #[test]
    fn a_problem_is_the_same_in_both_precisions_and_differs_by_index_and_split() {
        let data = data();
        for task in tasks() {
            let of = |split, index| {
                let family = Family { task: &task, data: &data, seed: 5, split };
                let problem = family.problem::<f64>(index).unwrap();
                let x = problem.start().to_vec();
                problem.evaluate(&x, &mut vec![0.0; x.len()])
            };
            let narrow = {
                let family = Family { task: &task, data: &data, seed: 5, split: "train" };
                let problem = family.problem::<f32>(0).unwrap();
                let x = problem.start().to_vec();
                problem.evaluate(&x, &mut vec![0.0; x.len()])
            };
            let wide = of("train", 0);
            assert!((narrow as f64 - wide).abs() < 1e-5 * wide.abs(), "{}", task.name());
            assert_ne!(of("train", 0), of("train", 1));
            assert_ne!(of("train", 0), of("test", 0));
        }
    }
}
