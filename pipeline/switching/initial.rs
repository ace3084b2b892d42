//! Parameters before training, drawn from named streams of the seed.

use crate::{Activation, Shape, seed};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How large weights are at the start. The defaults are those published (arXiv 2111.01256).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Initial {
    /// Recurrent weights are normal with deviation `recurrent/√n`.
    #[serde(deserialize_with = "crate::setting::not_negative")]
    pub recurrent: f64,
    /// Input weights are normal with deviation `input/√u`.
    #[serde(deserialize_with = "crate::setting::not_negative")]
    pub input: f64,
    /// Deviation of the initial state, which is trained.
    #[serde(deserialize_with = "crate::setting::not_negative")]
    pub state: f64,
    /// Bias of the gate that keeps the state; `None`: as the cell usually has it.
    pub gate_bias: Option<f64>,
}

impl Default for Initial {
    fn default() -> Self {
        Self { recurrent: 0.9, input: 1.0, state: 0.1, gate_bias: Some(0.0) }
    }
}

/// Bias of a rectified expansion layer, so that no unit is dead at the start (the published code's).
const RECTIFIED_BIAS: f32 = 0.01;

/// All parameters of a network of this shape.
pub fn parameters(shape: &Shape, initial: &Initial, seed: u64) -> Vec<f32> {
    let of = shape.ranges();
    let mut all = vec![0.0; shape.parameters()];
    let root = |n: usize| (n as f64).sqrt();
    let mut draw = |name: &str, range: &Range<usize>, deviation: f64| {
        let mut stream = seed::stream(seed, &format!("switching/initial/{name}"));
        for x in &mut all[range.clone()] {
            let z: f64 = StandardNormal.sample(&mut stream);
            *x = (deviation * z) as f32;
        }
    };
    draw("recurrent", &of.recurrent_weights, initial.recurrent / root(shape.units));
    draw("input", &of.input_weights, initial.input / root(shape.inputs));
    draw("state", &of.initial, initial.state);
    draw("readout", &of.readout_weights, 1.0 / root(shape.state()));
    if let Some(gate) = shape.kind.facts().keeping_gate {
        let first = of.input_bias.start + gate * shape.units;
        let bias = initial.gate_bias.unwrap_or(shape.kind.facts().keeping_bias);
        all[first..first + shape.units].fill(bias as f32);
    }
    if shape.activation == Activation::Relu {
        of.expansion.iter().for_each(|(_, bias)| all[bias.clone()].fill(RECTIFIED_BIAS));
    }
    all
}
