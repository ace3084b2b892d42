//! One shard of rows through all its steps, forward and backward, on one thread.
//!
//! Rows of a step lie together, finished ones drop out. Each step has three sets of rows: `h`, `e` and `v`; without the
//! linear system `h` alone.

#[macro_use]
mod rows;
mod backward;
mod forward;
mod products;
mod sums;
mod trace;

use crate::fused::{Packed, Sizes, Trace};
use crate::loss::Counts;
use crate::ops::batch::Shard;
use crate::ops::buffers::Buffer;
use crate::ops::panel::Start;
use crate::{Losses, Sequence, Terms};
use backward::{Back, Backward};
use forward::Forward;
use products::multiply;
use pulp::{Simd, WithSimd};

/// What one shard is asked.
pub(crate) struct Pass<'a> {
    pub sizes: &'a Sizes,
    pub packed: &'a Packed,
    pub shard: &'a Shard,
    pub sequences: &'a [Sequence<'a>],
    pub losses: Option<(&'a Losses, Counts)>,
    pub joint: bool,
    pub trace: bool,
}

/// A row's number, and the gradients of its inputs and of its `u*`.
type InputGradients = (usize, (Vec<f32>, Vec<f32>));

/// What one shard gives; rows by their number in the batch.
#[derive(Default)]
pub(crate) struct Part {
    pub terms: Terms,
    pub parameters: Vec<f32>,
    pub inputs: Vec<InputGradients>,
    pub traces: Vec<(usize, Trace)>,
}

/// All that a shard keeps on its way.
struct Work {
    /// Sets of rows: 3, or 1 without the linear system.
    sets: usize,
    /// `h`, `e`, `v` before each step, `[sets·slots, s]`.
    x: Buffer,
    /// Kept numbers of each, `[sets·slots, kept]`.
    z: Buffer,
    /// `h` after each step, `[slots, s]`.
    h: Buffer,
    /// `a` after each step.
    a: Buffer,
    /// `e − F(e)`.
    residual: Buffer,
    /// Input of each layer of the expansion network, `[slots, s]`; the first is `a` before the step.
    layers: Vec<Buffer>,
    /// `A u + b_ih`, `[slots, G·np]`; on the way back its gradient.
    drive: Buffer,
    /// The same of `u*`, `[rows, G·np]`.
    resting: Buffer,
    /// `u`, `[slots, u]`, and `u*`, `[rows, u]`.
    inputs: Vec<f32>,
    at_rest: Vec<f32>,
}

impl Work {
    fn new(pass: &Pass) -> Self {
        let (sizes, slots, rows) = (pass.sizes, pass.shard.slots(), pass.shard.rows.len());
        let sets = if pass.joint { 3 } else { 1 };
        let linear = if pass.joint { slots } else { 0 };
        let u = sizes.shape.inputs;
        let mut inputs = Vec::with_capacity(slots * u);
        for t in 0..pass.shard.tokens() {
            for &row in &pass.shard.rows[..pass.shard.active(t)] {
                inputs.extend_from_slice(&pass.sequences[row].inputs[t * u..][..u]);
            }
        }
        let at_rest = pass.shard.rows.iter();
        let at_rest: Vec<f32> =
            at_rest.flat_map(|&row| pass.sequences[row].expansion_input).copied().collect();
        Self {
            sets,
            x: Buffer::of(sets * slots * sizes.s),
            z: Buffer::of(sets * slots * sizes.kept),
            h: Buffer::of(slots * sizes.s),
            a: Buffer::of(linear * sizes.s),
            residual: Buffer::of(linear * sizes.s),
            layers: (0..sizes.shape.layers.max(1)).map(|_| Buffer::of(linear * sizes.s)).collect(),
            drive: Buffer::of(slots * sizes.g),
            resting: Buffer::of(rows * sizes.g),
            inputs,
            at_rest,
        }
    }
}

impl WithSimd for Pass<'_> {
    type Output = Part;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Part {
        let mut work = Work::new(&self);
        let (u, g) = (self.sizes.shape.inputs, self.sizes.g);
        let bias = Start::Bias(&self.packed.input_bias);
        let (slots, rows) = (self.shard.slots(), self.shard.rows.len());
        // SAFETY: `Work::new` made room for a row of `g` numbers a slot, and one a row.
        unsafe {
            let (inputs, at_rest) = (work.inputs.as_ptr(), work.at_rest.as_ptr());
            let to = (work.drive.as_mut_ptr(), g);
            multiply(simd, &self.packed.input, slots, (inputs, u), to, bias);
            let to = (work.resting.as_mut_ptr(), g);
            multiply(simd, &self.packed.input, rows, (at_rest, u), to, bias);
        }
        for t in 0..self.shard.tokens() {
            simd.vectorize(Forward { pass: &self, work: &mut work, t });
        }
        let mut part = Part::default();
        if let (Some((losses, counts)), Some(back)) = (self.losses, &self.packed.back) {
            let mut way = Back::new(simd, &self, losses, counts);
            for t in (0..self.shard.tokens()).rev() {
                simd.vectorize(Backward { pass: &self, back, work: &mut work, way: &mut way, t });
            }
            way.finish(simd, &self, back, &mut work, &mut part);
        } else if let Some((_, counts)) = self.losses {
            let mut way = Back::new(simd, &self, &NOTHING, counts);
            for t in 0..self.shard.tokens() {
                way.losses(simd, &self, None, &work, t);
            }
            part.terms = way.terms;
        }
        if self.trace {
            part.traces = self.traces(simd, &work);
        }
        part
    }
}

const NOTHING: Losses = Losses { rnn: 0.0, jslds: 0.0, expansion: 0.0, state: 0.0, l2: 0.0 };
