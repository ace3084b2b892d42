//! The readout `y = W s + b` of many states at once, forward and backward.
//!
//! Networks that say something at every step read thousands of states a batch with a few outputs each: work that is
//! memory traffic. One pass over the states makes the outputs, one more all gradients; nothing of their size is made beside
//! what is returned. Rows are cut into pieces of a fixed number and sums follow their order: the bits do not depend on
//! the number of threads.

use super::buffers::Buffer;
use super::denormals::FlushDenormals;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows that one piece of work reads.
const PIECE: usize = 256;
/// Sums that a product of two vectors is kept in, so that it runs in whole vectors.
const LANES: usize = 16;

/// Weights of a readout.
#[derive(Clone, Copy, Debug)]
pub struct Readout<'a> {
    /// `W`, `[outputs, state]`.
    pub weights: &'a [f32],
    /// `b`, `[outputs]`.
    pub bias: &'a [f32],
}

/// Gradients of a readout.
#[derive(Debug, PartialEq)]
pub struct ReadoutGradient {
    /// In the states, `[rows, state]`.
    pub states: Buffer,
    /// In `W`, `[outputs, state]`.
    pub weights: Vec<f32>,
    /// In `b`, `[outputs]`.
    pub bias: Vec<f32>,
}

impl Readout<'_> {
    fn state(&self) -> usize {
        self.weights.len() / self.bias.len()
    }

    /// `y = W s + b` of each state, `[rows, outputs]`.
    ///
    /// * `states`: `[rows, state]`
    ///
    /// # Panics
    /// If the states do not fill whole rows.
    pub fn forward(&self, states: &[f32]) -> Vec<f32> {
        let (s, k) = (self.state(), self.bias.len());
        assert!(states.len().is_multiple_of(s), "states fill whole rows");
        let mut said = vec![0.0; states.len() / s * k];
        let arch = Arch::new();
        said.par_chunks_mut(PIECE * k).zip(states.par_chunks(PIECE * s)).for_each(
            |(said, states)| {
                let _flush = FlushDenormals::on_this_thread();
                arch.dispatch(Forward { readout: *self, states, said });
            },
        );
        said
    }

    /// Gradients from that of the outputs.
    ///
    /// * `states`: as they were read; `slope`: `[rows, outputs]`
    ///
    /// # Panics
    /// If the two do not have as many rows.
    pub fn backward(&self, states: &[f32], slope: &[f32]) -> ReadoutGradient {
        let (s, k) = (self.state(), self.bias.len());
        assert_eq!(states.len() / s, slope.len() / k, "each state has the slope of its outputs");
        let mut by_state = Buffer::of(states.len());
        let arch = Arch::new();
        let pieces: Vec<(Vec<f32>, Vec<f32>)> = by_state
            .par_chunks_mut(PIECE * s)
            .zip(states.par_chunks(PIECE * s))
            .zip(slope.par_chunks(PIECE * k))
            .map(|((by_state, states), slope)| {
                let _flush = FlushDenormals::on_this_thread();
                let (mut weights, mut bias) = (vec![0.0; k * s], vec![0.0; k]);
                let (weights_of, bias_of) = (&mut weights, &mut bias);
                let readout = *self;
                arch.dispatch(Backward { readout, states, slope, by_state, weights_of, bias_of });
                (weights, bias)
            })
            .collect();
        let (mut weights, mut bias) = (vec![0.0; k * s], vec![0.0; k]);
        for (of_weights, of_bias) in pieces {
            weights.iter_mut().zip(of_weights).for_each(|(sum, x)| *sum += x);
            bias.iter_mut().zip(of_bias).for_each(|(sum, x)| *sum += x);
        }
        ReadoutGradient { states: by_state, weights, bias }
    }
}

struct Forward<'a> {
    readout: Readout<'a>,
    states: &'a [f32],
    said: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { readout: Readout { weights, bias }, states, said } = self;
        let s = weights.len() / bias.len();
        for (state, said) in states.chunks_exact(s).zip(said.chunks_exact_mut(bias.len())) {
            for ((y, w), b) in said.iter_mut().zip(weights.chunks_exact(s)).zip(bias) {
                *y = b + dot(state, w);
            }
        }
    }
}

struct Backward<'a> {
    readout: Readout<'a>,
    states: &'a [f32],
    slope: &'a [f32],
    by_state: &'a mut [f32],
    weights_of: &'a mut [f32],
    bias_of: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { readout: Readout { weights, bias }, states, slope, by_state, .. } = self;
        let (s, k) = (weights.len() / bias.len(), bias.len());
        let rows = states.chunks_exact(s).zip(slope.chunks_exact(k));
        for ((state, slope), by_state) in rows.zip(by_state.chunks_exact_mut(s)) {
            by_state.fill(0.0);
            for (j, &d) in slope.iter().enumerate() {
                // Steps that do not count, and what lies behind a sequence's end.
                if d == 0.0 {
                    continue;
                }
                self.bias_of[j] += d;
                let places = j * s..(j + 1) * s;
                for (sum, w) in by_state.iter_mut().zip(&weights[places.clone()]) {
                    *sum += d * w;
                }
                for (sum, x) in self.weights_of[places].iter_mut().zip(state) {
                    *sum += d * x;
                }
            }
        }
    }
}

/// `Σ a_i b_i`, in [`LANES`] sums that are added at the end, then what is left over.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (whole_a, rest_a) = a.split_at(a.len() / LANES * LANES);
    let (whole_b, rest_b) = b.split_at(whole_a.len());
    for (a, b) in whole_a.chunks_exact(LANES).zip(whole_b.chunks_exact(LANES)) {
        for i in 0..LANES {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            sums[i] += sums[i + width];
        }
        width /= 2;
    }
    sums[0] + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, from: f64) -> Vec<f32> {
        (0..count).map(|i| ((i as f64 + from) * 1.37).sin() as f32).collect()
    }

    #[test]
    fn outputs_and_gradients_are_those_of_their_sums_in_f64() {
        for (rows, s, k) in [(1, 1, 1), (7, 3, 2), (600, 35, 3), (513, 64, 15)] {
            let (states, weights) = (numbers(rows * s, 0.0), numbers(k * s, 0.3));
            let (bias, mut slope) = (numbers(k, 0.7), numbers(rows * k, 0.9));
            slope.iter_mut().step_by(5).for_each(|x| *x = 0.0);
            let readout = Readout { weights: &weights, bias: &bias };
            let said = readout.forward(&states);
            let found = readout.backward(&states, &slope);
            let at = |of: &[f32], i: usize| of[i] as f64;
            // Rounding of f32 over the longest sum.
            let near = |found: f32, wanted: f64, terms: usize, what: &str| {
                let bound = 2.0 * f32::EPSILON as f64 * (terms as f64 + 2.0) * (1.0 + wanted.abs());
                assert!(
                    (found as f64 - wanted).abs() < bound,
                    "{what} {rows} {s} {k}: {found} {wanted}"
                );
            };
            for r in 0..rows {
                for j in 0..k {
                    let y: f64 =
                        (0..s).map(|i| at(&states, r * s + i) * at(&weights, j * s + i)).sum();
                    near(said[r * k + j], y + at(&bias, j), s, "said");
                }
                for i in 0..s {
                    let d: f64 =
                        (0..k).map(|j| at(&slope, r * k + j) * at(&weights, j * s + i)).sum();
                    near(found.states[r * s + i], d, k, "states");
                }
            }
            for j in 0..k {
                let b: f64 = (0..rows).map(|r| at(&slope, r * k + j)).sum();
                near(found.bias[j], b, rows, "bias");
                for i in 0..s {
                    let w: f64 =
                        (0..rows).map(|r| at(&slope, r * k + j) * at(&states, r * s + i)).sum();
                    near(found.weights[j * s + i], w, rows, "weights");
                }
            }
            let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            assert_eq!(
                one.install(|| readout.backward(&states, &slope)),
                found,
                "any number of threads"
            );
        }
    }
}
