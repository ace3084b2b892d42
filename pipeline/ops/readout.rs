//! The readout `y = W h + b` after every token, in the loop that makes the states.
//!
//! Networks that say something at every step read thousands of states a batch with a few outputs each: done apart, it is
//! memory traffic. A shard reads a step's states while they are in the caches, so that what leaves the loop are the
//! outputs; on the way back the slopes of the outputs enter, and the gradients of states are nowhere written out.

use super::batch::Shard;
use super::outer::Outer;
use super::panel::{Lanes, Panels, Start, Vectors};
use super::sequence::{PAD, Sizes};
use pulp::{Arch, Simd};

/// Weights of a readout.
#[derive(Clone, Copy, Debug)]
pub struct Readout<'a> {
    /// `W`, `[outputs, state]`.
    pub weights: &'a [f32],
    /// `b`, `[outputs]`.
    pub bias: &'a [f32],
}

/// Gradients of a readout.
#[derive(Debug, Default, PartialEq)]
pub struct ReadoutGradient {
    /// In `W`, `[outputs, state]`.
    pub weights: Vec<f32>,
    /// In `b`, `[outputs]`.
    pub bias: Vec<f32>,
}

impl Readout<'_> {
    /// `W[output, j]` for place `j` of a padded state; 0 between the blocks.
    fn entry(&self, sizes: Sizes) -> impl Fn(usize, usize) -> f32 + Sync {
        let (n, np, state) = (sizes.units, sizes.padded(), sizes.kind.state_size(sizes.units));
        move |output, j| {
            let (block, unit) = (j / np, j % np);
            if unit < n && output < self.bias.len() {
                self.weights[output * state + block * n + unit]
            } else {
                0.0
            }
        }
    }
}

/// A readout as the forward loop reads it.
pub(super) struct ForwardReadout {
    /// `Wᵀ`, `[s, kp]`.
    weights: Panels,
    /// `[kp]`.
    bias: Vec<f32>,
    outputs: usize,
}

impl ForwardReadout {
    pub(super) fn pack(arch: Arch, sizes: Sizes, readout: Readout) -> Self {
        let outputs = readout.bias.len();
        let kp = outputs.next_multiple_of(PAD);
        let (mut weights, entry) = (Panels::default(), readout.entry(sizes));
        weights.pack(arch.dispatch(Lanes), sizes.state(), kp, |j, output| entry(output, j));
        let mut bias = readout.bias.to_vec();
        bias.resize(kp, 0.0);
        Self { weights, bias, outputs }
    }

    /// Outputs of the states after a step.
    ///
    /// * `states`: runs of rows: where they begin, and how many
    /// * `said`: `[rows, outputs]`
    ///
    /// # Safety
    /// Each run holds its rows of `s` numbers.
    #[inline(always)]
    pub(super) unsafe fn read<S: Simd>(
        &self,
        simd: S,
        states: [(*const f32, usize); 2],
        wide: &mut Vec<f32>,
        said: &mut [f32],
    ) {
        let (s, kp, outputs) = (self.weights.k(), self.weights.n(), self.outputs);
        wide.resize(said.len() / outputs * kp, 0.0);
        let mut first = 0;
        for (from, rows) in states {
            // SAFETY: the caller's; `wide` has a row of `kp` numbers for each.
            unsafe {
                let to = wide.as_mut_ptr().add(first * kp);
                self.weights.product(simd, rows, from, s, to, kp, Start::Bias(&self.bias));
            }
            first += rows;
        }
        for (said, wide) in said.chunks_exact_mut(outputs).zip(wide.chunks_exact(kp)) {
            said.iter_mut().zip(wide).for_each(|(y, x)| *y = *x);
        }
    }
}

/// A readout as the backward loop reads it.
pub(super) struct BackwardReadout {
    /// `W`, `[outputs, s]`.
    weights: Panels,
}

impl BackwardReadout {
    pub(super) fn pack(arch: Arch, sizes: Sizes, readout: Readout) -> Self {
        let mut weights = Panels::default();
        let (outputs, entry) = (readout.bias.len(), readout.entry(sizes));
        weights.pack(arch.dispatch(Lanes), outputs, sizes.state(), entry);
        Self { weights }
    }
}

/// One shard's readout on the way back.
pub(super) struct ShardReadout<'a> {
    pub(super) readout: &'a BackwardReadout,
    /// Slope of the loss in the outputs, `[b, t, outputs]`.
    pub(super) slope: &'a [f32],
    /// The last state of each of the shard's rows, `[rows, s]`.
    pub(super) last: &'a [f32],
    /// `t`: the stride of `slope`.
    pub(super) longest: usize,
}

/// One shard's part of the gradient of a readout.
pub(super) struct ReadoutSum {
    /// `[outputs made even, s]`.
    weights: Outer,
    /// `[outputs]`.
    bias: Vec<f32>,
    /// A step's slopes, `[rows, outputs made even]`.
    slopes: Vec<f32>,
}

impl ReadoutSum {
    pub(super) fn new(lanes: Vectors, of: &ShardReadout, rows: usize) -> Self {
        let (outputs, s) = (of.readout.weights.k(), of.readout.weights.n());
        let even = outputs.next_multiple_of(2);
        Self {
            weights: Outer::new(lanes, even, s),
            bias: vec![0.0; outputs],
            slopes: vec![0.0; rows * even],
        }
    }

    /// What the outputs after token `t` pass to the states after it, added to `d`; and the slots' part of the sums.
    ///
    /// * `before`: the shard's states before each slot's token; `d`: `[rows, s]`
    #[inline(always)]
    pub(super) fn enter<S: Simd>(
        &mut self,
        simd: S,
        of: &ShardReadout,
        shard: &Shard,
        t: usize,
        before: &[f32],
        d: &mut [f32],
    ) {
        let (outputs, s) = (self.bias.len(), of.readout.weights.n());
        let even = outputs.next_multiple_of(2);
        let (active, next) = (shard.active(t), shard.active(t + 1));
        for (to, &row) in self.slopes.chunks_exact_mut(even).zip(&shard.rows[..active]) {
            let slope = &of.slope[(row * of.longest + t) * outputs..][..outputs];
            for ((to, sum), y) in to.iter_mut().zip(&mut self.bias).zip(slope) {
                *to = *y;
                *sum += y;
            }
        }
        let after = &before[shard.offset[t + 1] * s..][..next * s];
        let ended = &of.last[next * s..active * s];
        let (slopes, d) = (self.slopes.as_ptr(), d.as_mut_ptr());
        // SAFETY: `d` has a row for each active one, `slopes` too; `after` and `ended` have theirs together.
        unsafe {
            of.readout.weights.product(simd, active, slopes, even, d, s, Start::Sum);
            self.weights.add(simd, next, (slopes, even), (after.as_ptr(), s));
            let slopes = slopes.add(next * even);
            self.weights.add(simd, active - next, (slopes, even), (ended.as_ptr(), s));
        }
    }

    /// The gradient that several shards have summed up.
    pub(super) fn total(sizes: Sizes, parts: &[&Self]) -> ReadoutGradient {
        let Some(first) = parts.first() else { return ReadoutGradient::default() };
        let (outputs, s) = (first.bias.len(), sizes.state());
        let (mut weights, mut bias) = (vec![0.0; outputs * s], vec![0.0; outputs]);
        for part in parts {
            part.weights.add_to(0, &mut weights);
            bias.iter_mut().zip(&part.bias).for_each(|(sum, x)| *sum += x);
        }
        let units = weights.chunks_exact(sizes.padded());
        let weights = units.flat_map(|block| block[..sizes.units].iter().copied()).collect();
        ReadoutGradient { weights, bias }
    }
}
