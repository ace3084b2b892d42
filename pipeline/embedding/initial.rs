//! Parameters before training.

use crate::{Layout, Reads, seed};
use rand::Rng;
use rand_distr::StandardNormal;

/// Standard deviation of each number of `θ_n` at the start.
const NEAR_ZERO: f64 = 0.1;

/// Draws all parameters. `A` and `W` are normal with variance `1/n`, `C` with `1/p`, `R` with `2/(k + s)` and `V_n` with `1/s`;
/// `θ_n` is near 0, biases and `h̃_0` are 0, but for 1 on the gate that keeps an LSTM's state. Each array has a stream of its own, and
/// so has each base model by its name: adding one moves no other.
pub fn parameters(layout: &Layout, names: &[String], seed: u64) -> Vec<f32> {
    let mut all = vec![0.0; layout.parameters()];
    let shape = &layout.shape;
    let (n, s) = (shape.units, shape.state());
    let mut fill = |range: std::ops::Range<usize>, name: &str, scale: f64| {
        let mut stream = seed::stream(seed, &format!("initial weights/meta-model/{name}"));
        for x in &mut all[range] {
            let draw: f64 = stream.sample(StandardNormal);
            *x = (scale * draw) as f32;
        }
    };
    let weights = shape.gates() * (shape.sizes().inputs() + n);
    let cell = layout.cell().start;
    fill(cell..cell + weights, "cell", 1.0 / (n as f64).sqrt());
    if let Reads::Embedded(..) = shape.reads {
        fill(layout.words(), "words", 1.0);
    }
    fill(layout.conditioning(), "conditioning", 1.0 / (shape.dimension as f64).sqrt());
    fill(layout.readout(), "readout", (2.0 / (shape.outputs + s) as f64).sqrt());
    for (model, name) in names.iter().enumerate() {
        fill(layout.theta(model), &format!("theta/{name}"), NEAR_ZERO);
        fill(layout.map(model), &format!("map/{name}"), 1.0 / (s as f64).sqrt());
    }
    let facts = shape.cell.facts();
    if let Some(gate) = facts.keeping_gate {
        let bias = cell + weights + gate * n;
        all[bias..bias + n].fill(facts.keeping_bias as f32);
    }
    all
}
