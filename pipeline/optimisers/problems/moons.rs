//! Two half circles, told apart by a small network.

use super::network::{Network, Shape};
use super::{Problem, Real, cast, normal};
use crate::seed::Stream;
use crate::setting;
use rand::Rng;
use serde::{Deserialize, Serialize};

/// Points on two half circles that reach into each other, with noise; the mean logistic loss of a network with tanh
/// layers, and a penalty on the norm of its weights. Points and first weights are new in each problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Moons {
    /// Points, half of them on each circle.
    #[serde(deserialize_with = "setting::whole::<_, 2, 100000>")]
    pub points: usize,
    /// Standard deviation of the noise on both coordinates.
    #[serde(deserialize_with = "setting::not_negative")]
    pub noise: f64,
    /// Units of the hidden layers.
    pub hidden: Vec<usize>,
    /// Factor of the weights' Euclidean norm (not squared) in the loss.
    #[serde(deserialize_with = "setting::not_negative")]
    pub penalty: f64,
}

impl Default for Moons {
    fn default() -> Self {
        Self { points: 1024, noise: 0.1, hidden: vec![16, 16], penalty: 5e-3 }
    }
}

impl Moons {
    pub(super) fn draw<R: Real>(&self, stream: &mut Stream) -> impl Problem<R> + use<R> {
        let n = self.points;
        let noise = normal(stream, 2 * n);
        let (mut inputs, mut labels) = (vec![0.0; 2 * n], Vec::with_capacity(n));
        for i in 0..n {
            let angle = std::f64::consts::PI * stream.random::<f64>();
            let second = i % 2 == 1;
            let (x, y) = match second {
                false => (angle.cos(), angle.sin()),
                true => (1.0 - angle.cos(), 0.5 - angle.sin()),
            };
            inputs[i] = x + self.noise * noise[2 * i];
            inputs[n + i] = y + self.noise * noise[2 * i + 1];
            labels.push(second as usize);
        }
        let sizes: Vec<usize> =
            [2].into_iter().chain(self.hidden.iter().copied()).chain([1]).collect();
        let shape = Shape::dense(&sizes);
        let start = cast(&shape.initial(stream));
        let penalty = R::of(self.penalty);
        Network { shape: shape.into(), inputs: cast(&inputs), labels, penalty, start }
    }
}
