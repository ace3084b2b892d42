//! Rosenbrock's valley: two parameters, one narrow curved way to the least value.

use super::{Problem, Real, cast, normal};
use crate::seed::Stream;
use crate::setting;
use serde::{Deserialize, Serialize};

/// `f(x, y) = (1 − x)² + 100 (y − x²)²`, or `ln(1 + f)`, from normal points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rosenbrock {
    /// Standard deviation of the first point around 0.
    #[serde(deserialize_with = "setting::positive")]
    pub spread: f64,
    /// Whether `ln(1 + f)` is optimised: its gradients do not span six orders of magnitude.
    pub logarithm: bool,
}

impl Default for Rosenbrock {
    fn default() -> Self {
        Self { spread: 1.0, logarithm: false }
    }
}

struct Valley<R> {
    start: Vec<R>,
    logarithm: bool,
}

impl Rosenbrock {
    pub(super) fn draw<R: Real>(&self, stream: &mut Stream) -> impl Problem<R> + use<R> {
        let start: Vec<f64> = normal(stream, 2).into_iter().map(|x| self.spread * x).collect();
        Valley { start: cast(&start), logarithm: self.logarithm }
    }
}

fn value_and_gradient<R: Real>(x: &[R]) -> (R, [R; 2]) {
    let (one, two) = (R::one(), R::of(2.0));
    let (a, b) = (one - x[0], x[1] - x[0] * x[0]);
    let value = a * a + R::of(100.0) * b * b;
    (value, [-two * a - R::of(400.0) * x[0] * b, R::of(200.0) * b])
}

impl<R: Real> Problem<R> for Valley<R> {
    fn start(&self) -> &[R] {
        &self.start
    }

    fn evaluate(&self, x: &[R], gradient: &mut [R]) -> R {
        let (value, g) = value_and_gradient(x);
        let scale = if self.logarithm { R::one() / (R::one() + value) } else { R::one() };
        gradient.iter_mut().zip(g).for_each(|(to, g)| *to = scale * g);
        if self.logarithm { value.ln_1p() } else { value }
    }

    /// `H = [[2 − 400 (y − 3x²), −400 x], [−400 x, 200]]`; of `ln(1 + f)`: `H/(1 + f) − ∇f ∇fᵀ/(1 + f)²`.
    fn hessian_product(&self, x: &[R], v: &[R], out: &mut [R]) {
        let across = R::of(-400.0) * x[0];
        let first = R::of(2.0) - R::of(400.0) * (x[1] - R::of(3.0) * x[0] * x[0]);
        out[0] = first * v[0] + across * v[1];
        out[1] = across * v[0] + R::of(200.0) * v[1];
        if self.logarithm {
            let (value, g) = value_and_gradient(x);
            let scale = R::one() / (R::one() + value);
            let along = (g[0] * v[0] + g[1] * v[1]) * scale * scale;
            out.iter_mut().zip(g).for_each(|(o, g)| *o = *o * scale - g * along);
        }
    }
}
