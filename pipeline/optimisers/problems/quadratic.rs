//! Random quadratic functions: where momentum is known to be best, and by how much.

use super::{Problem, Real, cast, dot, normal};
use crate::linalg::Matrix;
use crate::seed::Stream;
use crate::setting;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// `f(x) = ½ xᵀ H x + xᵀ v + c` with `min f = 0`; `H` has a random orthonormal basis and eigenvalues whose decimal
/// logarithms are uniform, `v` and the first `x` are standard normal (arXiv 2011.02159).
///
/// The mean of the first value is `n/2 (E[1/λ] + E[λ])`, 362 for the defaults, with a heavy tail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Quadratic {
    /// Parameters `n`.
    #[serde(deserialize_with = "setting::whole::<_, 1, 512>")]
    pub size: usize,
    /// Decimal logarithm of the least curvature.
    pub least: f64,
    /// Decimal logarithm of the largest curvature.
    pub largest: f64,
}

impl Default for Quadratic {
    fn default() -> Self {
        Self { size: 5, least: -3.0, largest: 0.0 }
    }
}

/// `f(y) = ½ yᵀ H y`, with `y = x − x*`.
///
/// Around the least value nothing cancels, so that f32 tells values near 0 apart; an optimiser sees gradients alone
/// and moves `y` as it would move `x`.
pub struct QuadraticProblem<R> {
    start: Vec<R>,
    /// `H`, `[n, n]`, symmetric.
    curvature: Vec<R>,
}

impl Quadratic {
    /// A function and its first point.
    pub fn draw<R: Real>(&self, stream: &mut Stream) -> QuadraticProblem<R> {
        let n = self.size;
        let (low, high) = (self.least.min(self.largest), self.largest.max(self.least));
        let eigenvalues: Vec<f64> =
            (0..n).map(|_| 10f64.powf(low + (high - low) * stream.random::<f64>())).collect();
        let basis = orthonormal(n, normal(stream, n * n));
        let h = &basis * Matrix::from_fn(n, n, |i, j| eigenvalues[i] * basis[(j, i)]);
        let (v, x) = (normal(stream, n), normal(stream, n));
        // y = x − x* with x* = −H⁻¹ v.
        let inverse = &basis * Matrix::from_fn(n, n, |i, j| basis[(j, i)] / eigenvalues[i]);
        let start: Vec<f64> =
            (0..n).map(|i| x[i] + (0..n).map(|j| inverse[(i, j)] * v[j]).sum::<f64>()).collect();
        QuadraticProblem::new(&start, h.as_slice())
    }
}

/// Gram and Schmidt, twice for the sake of rounding: uniform over all bases where the entries are normal.
fn orthonormal(n: usize, entries: Vec<f64>) -> Matrix {
    let mut q = Matrix::from_vec(n, n, entries);
    for j in 0..n {
        for _ in 0..2 {
            for k in 0..j {
                let along = q.column(k).dot(&q.column(j));
                let other = q.column(k).clone_owned();
                q.column_mut(j).axpy(-along, &other, 1.0);
            }
        }
        let norm = q.column(j).norm();
        q.column_mut(j).scale_mut(1.0 / norm);
    }
    q
}

impl<R: Real> QuadraticProblem<R> {
    /// From the first point, relative to the best one, and the curvature `H`, `[n, n]`.
    pub fn new(start: &[f64], curvature: &[f64]) -> Self {
        Self { start: cast(start), curvature: cast(curvature) }
    }

    fn product(&self, v: &[R], out: &mut [R]) {
        for (o, row) in out.iter_mut().zip(self.curvature.chunks(v.len())) {
            *o = dot(row, v);
        }
    }
}

impl<R: Real> Problem<R> for QuadraticProblem<R> {
    fn start(&self) -> &[R] {
        &self.start
    }

    fn evaluate(&self, x: &[R], gradient: &mut [R]) -> R {
        self.product(x, gradient);
        R::of(0.5) * dot(x, gradient)
    }

    fn hessian_product(&self, _: &[R], v: &[R], out: &mut [R]) {
        self.product(v, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed;

    #[test]
    fn the_first_value_has_the_mean_that_follows_from_the_curvatures() {
        // Half as far in the exponent as the default: the mean of 1/λ has a tail that 4,000 draws would not catch.
        let of = Quadratic { least: -1.0, ..Quadratic::default() };
        let mut stream = seed::stream(3, "values");
        let values: Vec<f64> = (0..4000)
            .map(|_| {
                let problem = of.draw::<f64>(&mut stream);
                problem.evaluate(&problem.start, &mut [0.0; 5])
            })
            .collect();
        // E[1/λ] = (10 − 1)/ln 10, E[λ] = (1 − 1/10)/ln 10.
        let expected = 2.5 * (9.0 + 0.9) / 10f64.ln();
        let mean = accrue_numerics::summary::mean(&values);
        let error = accrue_numerics::summary::deviation(&values) / 4000f64.sqrt();
        assert!((mean - expected).abs() < 4.0 * error, "{mean} {expected} ± {error}");
    }
}
