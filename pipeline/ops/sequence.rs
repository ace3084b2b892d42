//! Whole sequences through one cell on the CPU: in tokens, out states; and back.
//!
//! # The scheme
//! 1. *Table* ([`input_projection`](super::input_projection)). `A x + b_ih` is computed once for each *distinct* token of the
//!    batch. A one-hot input is a column of `A`; no dense product is made. Where each vector occurs once, as on tasks, there is no
//!    table: the loop multiplies a step's vectors.
//! 2. *Loop* ([`shard`](super::shard)). Each [`Shard`](super::batch::Shard) of rows runs through all its tokens on one
//!    thread: one product of its states with the packed recurrent weights
//!    ([`Panels`](super::panel::Panels)), then the cell's [`equations`](super::equations) row by row while the rows are
//!    in the first-level cache. What the way back needs stays in the slots.
//! 3. *Back.* The same loop in reverse turns saved gates into gradients of
//!    pre-activations, in place, and carries the gradient of the state. Every few steps the
//!    shard adds them, times the states they multiplied, to its part of `dW`
//!    ([`Outer`](super::outer)), while both are in the caches.
//! 4. *Inputs* ([`input_projection`](super::input_projection)). The gradients of the input side are summed by
//!    distinct token before they are multiplied; those of the most frequent tokens by the shards,
//!    while they are in the caches. Where each vector occurs once and its own gradient is not wanted, shards add
//!    outer products with the vectors, as they do with states.
//!
//! Work is cut by shard, by token or by rows of a result, never by thread, and
//! every sum has a fixed order: the bits do not depend on the thread count.
//! [`FlushDenormals`] holds in every piece of work.

use super::CellKind;
use super::batch::{Batch, FREQUENT};
use super::buffers::{Buffer, pad_blocks, padded};
use super::denormals::FlushDenormals;
use super::equations::saved_blocks;
use super::input_projection::{
    Projection, input_gradients, input_weight_gradient, project, sum_by_token,
};
use super::readout::{
    BackwardReadout, ForwardReadout, Readout, ReadoutGradient, ReadoutSum, ShardReadout,
};
use super::shard::{BackwardWeights, ForwardWeights, ShardBackward, ShardForward, ShardGradients};
use candle_core::Shape;
use pulp::Arch;
use rayon::prelude::*;

/// Units are padded to a multiple of this: whole vectors on every processor.
pub(super) const PAD: usize = 16;

/// Which states leave the sequence.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Pool {
    /// The state after the last token: `[b, s]`. The papers' readout.
    #[default]
    Last,
    /// The mean of the states after each token: `[b, s]`.
    Mean,
    /// The state after every token: `[b, t, s]`, zero after a sequence's end.
    Every,
}

/// What enters at each token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A vector of this many numbers, given for each distinct token of the batch.
    Vectors(usize),
    /// A one-hot vector over a vocabulary of this size.
    OneHot(usize),
}

/// Sizes of one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The cell.
    pub kind: CellKind,
    /// Units `n`.
    pub units: usize,
    /// What enters.
    pub entry: Entry,
}

impl Sizes {
    /// Units `np`, in whole vectors of every processor.
    pub fn padded(&self) -> usize {
        self.units.next_multiple_of(PAD)
    }

    /// State numbers per row, padded.
    pub fn state(&self) -> usize {
        self.kind.state_size(self.padded())
    }

    /// Saved numbers per slot, padded.
    pub fn saved(&self) -> usize {
        saved_blocks(self.kind) * self.padded()
    }

    /// Numbers in one row of the input table, padded.
    pub fn table(&self) -> usize {
        self.kind.gates() * self.padded()
    }

    /// Numbers that enter at each token.
    pub fn inputs(&self) -> usize {
        match self.entry {
            Entry::Vectors(u) | Entry::OneHot(u) => u,
        }
    }

    /// Numbers of an input vector with a 1 behind it, made even: what the gradient of `A` and `b_ih` is a sum of.
    pub(super) fn with_one(&self) -> usize {
        (self.inputs() + 1).next_multiple_of(2)
    }

    /// Number of parameters of the cell: `G·n·(u + n + 2)`.
    pub fn parameters(&self) -> usize {
        self.kind.gates() * self.units * (self.inputs() + self.units + 2)
    }

    /// Splits a flat array of the cell's parameters: `A [G·n, u]`, `W [G·n, n]`, `b_ih`, `b_hh`.
    pub fn split<'a>(&self, flat: &'a [f32]) -> [&'a [f32]; 4] {
        let rows = self.kind.gates() * self.units;
        let (a, rest) = flat.split_at(rows * self.inputs());
        let (w, rest) = rest.split_at(rows * self.units);
        let (b_ih, b_hh) = rest.split_at(rows);
        [a, w, b_ih, b_hh]
    }
}

/// Shape of a batch's pooled states.
pub fn pooled_shape(sizes: Sizes, pool: Pool, batch: &Batch) -> Shape {
    let state = sizes.kind.state_size(sizes.units);
    match pool {
        Pool::Last | Pool::Mean => Shape::from((batch.len(), state)),
        Pool::Every => Shape::from((batch.len(), batch.longest(), state)),
    }
}

/// What a forward pass keeps for the way back.
pub struct Saved {
    /// State before each slot's token: `[slots, state]`.
    pub(super) before: Buffer,
    /// The saved blocks of each slot: `[slots, saved]`.
    pub(super) gates: Buffer,
    /// Each slot's vector with its 1, where vectors meet their weights in the loop: `[slots, inputs]`.
    entered: Buffer,
    /// The last state of each row of the shards, where something is said after each token: `[rows, state]`.
    last: Buffer,
}

/// Gradients of everything that entered, in the shapes in which it entered.
pub struct Gradients {
    /// `A [G·n, u]`, `W [G·n, n]`, `b_ih [G·n]`, `b_hh [G·n]`, end to end.
    pub parameters: Vec<f32>,
    /// `[distinct, u]`; empty for one-hot entry, and where they were not wanted.
    pub vectors: Vec<f32>,
    /// `[state]`.
    pub initial: Vec<f32>,
}

/// Runs `batch` forward.
///
/// * `parameters`: see [`Sizes::split`]
/// * `vectors`: `[distinct, u]`, one row for each of `batch.distinct`; empty for one-hot
/// * `initial`: `[state]`, the state before the first token
/// * `keep`: whether a way back will follow
///
/// Returns the pooled states (see [`Pool`] for the shape) and what the way back needs.
pub fn forward(
    sizes: Sizes,
    pool: Pool,
    batch: &Batch,
    parameters: &[f32],
    vectors: &[f32],
    initial: &[f32],
    keep: bool,
) -> (Vec<f32>, Option<Saved>) {
    let all = keep || pool == Pool::Every;
    let saved = run(sizes, pool, batch, [parameters, vectors, initial], (all, keep), None);
    let out = match pool {
        Pool::Every => every_state(sizes, batch, &saved.before, &saved.last),
        Pool::Last | Pool::Mean => unshuffle(sizes, batch, &saved.last),
    };
    (out, keep.then_some(saved))
}

/// Runs `batch` forward and reads the state after every token.
///
/// Arguments as [`forward`]'s. Returns the outputs, `[b, t, outputs]`, zero after a sequence's end, and what the way back
/// needs.
pub fn forward_read(
    sizes: Sizes,
    batch: &Batch,
    parameters: &[f32],
    vectors: &[f32],
    initial: &[f32],
    readout: Readout,
) -> (Vec<f32>, Saved) {
    let outputs = readout.bias.len();
    let mut said = Buffer::of(batch.slots() * outputs);
    let given = [parameters, vectors, initial];
    let packed = ForwardReadout::pack(Arch::new(), sizes, readout);
    let saved = run(sizes, Pool::Every, batch, given, (true, true), Some((&packed, &mut said[..])));
    let longest = batch.longest();
    let mut out = vec![0.0; batch.len() * longest * outputs];
    for shard in &batch.shards {
        for t in 0..shard.tokens() {
            let from = &said[(shard.first + shard.offset[t]) * outputs..];
            for (from, &row) in from.chunks_exact(outputs).zip(&shard.rows[..shard.active(t)]) {
                let to = &mut out[(row * longest + t) * outputs..][..outputs];
                to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
            }
        }
    }
    (out, saved)
}

/// Runs all shards forward.
///
/// * `given`: parameters, vectors and the initial state
/// * `(all, keep)`: whether states before each token are kept, and gates
/// * `said`: the readout, and where its outputs go, `[slots, outputs]`
///
/// What leaves each row by `pool` is in the field `last`.
fn run(
    sizes: Sizes,
    pool: Pool,
    batch: &Batch,
    [parameters, vectors, initial]: [&[f32]; 3],
    (all, keep): (bool, bool),
    said: Option<(&ForwardReadout, &mut [f32])>,
) -> Saved {
    let arch = Arch::new();
    let [a, w, b_ih, b_hh] = sizes.split(parameters);
    let projection = project(arch, sizes, batch, a, b_ih, vectors);
    let weights = ForwardWeights::pack(arch, sizes, w, b_hh);
    let initial = pad_blocks(initial, sizes.units, sizes.padded());

    let (s, gates, inputs) = (sizes.state(), sizes.saved(), sizes.with_one());
    let slots = batch.slots();
    let meets = keep && matches!(projection, Projection::Products { .. });
    let mut saved = Saved {
        before: Buffer::of(if all { slots * s } else { 0 }),
        gates: Buffer::of(if keep { slots * gates } else { 0 }),
        entered: Buffer::of(if meets { slots * inputs } else { 0 }),
        last: Buffer::of(batch.len() * s),
    };
    if meets && inputs > sizes.inputs() + 1 {
        saved.entered.fill(0.0);
    }
    let (readout, outputs) = match said {
        Some((readout, said)) => (Some(readout), said),
        None => (None, &mut [][..]),
    };
    let wide = outputs.len() / slots;
    let (mut rest_before, mut rest_gates) = (&mut saved.before[..], &mut saved.gates[..]);
    let (mut rest_entered, mut rest_last) = (&mut saved.entered[..], &mut saved.last[..]);
    let mut rest_said = outputs;
    let mut work = Vec::new();
    for shard in &batch.shards {
        let slots = shard.slots();
        work.push(ShardForward {
            sizes,
            pool,
            shard,
            weights: &weights,
            projection: &projection,
            tokens: &batch.token_of_slot[shard.first..shard.first + slots],
            initial: &initial,
            noise: batch.noise.as_ref(),
            before: all.then(|| take(&mut rest_before, slots * s)),
            gates: keep.then(|| take(&mut rest_gates, slots * gates)),
            entered: meets.then(|| take(&mut rest_entered, slots * inputs)),
            said: readout.map(|readout| (readout, take(&mut rest_said, slots * wide))),
            pooled: take(&mut rest_last, shard.rows.len() * s),
        });
    }
    work.into_par_iter().for_each(|shard| {
        let _flush = FlushDenormals::on_this_thread();
        arch.dispatch(shard);
    });
    saved
}

/// Whose gradients are wanted beside those of the parameters and the initial state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The input vectors', too.
    Vectors,
    /// No others.
    Parameters,
}

/// Runs `batch` backward from the gradient of what [`forward`] returned.
#[allow(clippy::too_many_arguments)]
pub fn backward(
    sizes: Sizes,
    pool: Pool,
    batch: &Batch,
    parameters: &[f32],
    vectors: &[f32],
    saved: &mut Saved,
    gradient: &[f32],
    wanted: Wanted,
) -> Gradients {
    let gradient = padded(gradient, sizes.units, sizes.padded());
    run_back(sizes, pool, batch, (parameters, vectors), saved, Entering::States(&gradient), wanted)
        .0
}

/// Runs `batch` backward from the slope of the loss in what [`forward_read`] returned, `[b, t, outputs]`.
#[allow(clippy::too_many_arguments)]
pub fn backward_read(
    sizes: Sizes,
    batch: &Batch,
    parameters: &[f32],
    vectors: &[f32],
    saved: &mut Saved,
    readout: Readout,
    slope: &[f32],
    wanted: Wanted,
) -> (Gradients, ReadoutGradient) {
    let packed = BackwardReadout::pack(Arch::new(), sizes, readout);
    let given = (parameters, vectors);
    run_back(sizes, Pool::Every, batch, given, saved, Entering::Outputs(&packed, slope), wanted)
}

/// What enters on the way back.
enum Entering<'a> {
    /// The gradient of the pooled states, padded.
    States(&'a [f32]),
    /// The slope of the outputs.
    Outputs(&'a BackwardReadout, &'a [f32]),
}

fn run_back(
    sizes: Sizes,
    pool: Pool,
    batch: &Batch,
    (parameters, vectors): (&[f32], &[f32]),
    saved: &mut Saved,
    entering: Entering,
    wanted: Wanted,
) -> (Gradients, ReadoutGradient) {
    let arch = Arch::new();
    let [a, w, ..] = sizes.split(parameters);
    let weights = BackwardWeights::pack(arch, sizes, w);
    let (n, np, s) = (sizes.units, sizes.padded(), sizes.state());

    let in_shards = wanted == Wanted::Parameters
        && matches!(sizes.entry, Entry::Vectors(_))
        && batch.each_once();
    let frequent = if in_shards { 0 } else { batch.distinct.len().min(FREQUENT) * sizes.table() };
    let each = s + np + frequent;
    let mut work = Vec::new();
    let mut sums = vec![0.0; batch.shards.len() * each];
    let (mut rest_gates, mut rest_sums) = (&mut saved.gates[..], &mut sums[..]);
    let (mut rest_last, inputs) = (&saved.last[..], sizes.with_one());
    for shard in &batch.shards {
        let slots = shard.first..shard.first + shard.slots();
        let (last, after) = rest_last.split_at(shard.rows.len() * s);
        rest_last = after;
        let (gradient, said) = match entering {
            Entering::States(gradient) => (gradient, None),
            Entering::Outputs(readout, slope) => {
                let longest = batch.longest();
                (&[][..], Some(ShardReadout { readout, slope, last, longest }))
            }
        };
        work.push(ShardBackward {
            sizes,
            pool,
            shard,
            lengths: &batch.lengths,
            longest: batch.longest(),
            weights: &weights,
            gradient,
            before: &saved.before[slots.start * s..slots.end * s],
            gates: take(&mut rest_gates, shard.slots() * sizes.saved()),
            initial: take(&mut rest_sums, s),
            candidate_bias: take(&mut rest_sums, np),
            tokens: &batch.token_of_slot[slots.clone()],
            places: &batch.frequent,
            frequent: take(&mut rest_sums, frequent),
            entered: in_shards.then(|| &saved.entered[slots.start * inputs..slots.end * inputs]),
            said,
        });
    }
    let mut d_w = vec![0.0; sizes.table() * np];
    let parts: Vec<ShardGradients> = work
        .into_par_iter()
        .map(|shard| {
            let _flush = FlushDenormals::on_this_thread();
            arch.dispatch(shard)
        })
        .collect();
    d_w.par_chunks_exact_mut(np * np).enumerate().for_each(|(gate, d_w)| {
        parts.iter().for_each(|part| part.recurrent.add_to(gate, d_w));
    });
    let shard_sum = |range: std::ops::Range<usize>| -> Vec<f32> {
        range.map(|i| sums.chunks_exact(each).map(|shard| shard[i]).sum()).collect()
    };

    let input: Vec<_> = parts.iter().filter_map(|part| part.input.as_ref()).collect();
    let (d_a, d_b_ih, d_vectors) = if in_shards {
        let (d_a, d_b_ih) = input_weight_gradient(sizes, &input);
        (d_a, d_b_ih, Vec::new())
    } else {
        let frequent = shard_sum(s + np..each);
        let (by_token, d_b_ih) = sum_by_token(arch, sizes, batch, &saved.gates, &frequent);
        let (d_a, d_vectors) = input_gradients(arch, sizes, batch, a, vectors, &by_token);
        (d_a, d_b_ih, d_vectors)
    };
    let mut d_b_hh = d_b_ih.clone();
    if sizes.kind.architecture() == CellKind::Gru {
        d_b_hh[2 * np..3 * np].copy_from_slice(&shard_sum(s..s + np));
    }

    let mut all = Vec::with_capacity(sizes.parameters());
    all.extend_from_slice(&d_a);
    for row in d_w.chunks_exact(np).enumerate().filter(|(i, _)| i % np < n).map(|(_, row)| row) {
        all.extend_from_slice(&row[..n]);
    }
    for bias in [d_b_ih, d_b_hh] {
        bias.chunks_exact(np).for_each(|block| all.extend_from_slice(&block[..n]));
    }
    let initial = shard_sum(0..s).chunks_exact(np).flat_map(|block| block[..n].to_vec()).collect();
    let read: Vec<_> = parts.iter().filter_map(|part| part.readout.as_ref()).collect();
    let readout = ReadoutSum::total(sizes, &read);
    (Gradients { parameters: all, vectors: d_vectors, initial }, readout)
}

/// The next `len` numbers of `rest`.
fn take<'a>(rest: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    let (head, tail) = std::mem::take(rest).split_at_mut(len);
    *rest = tail;
    head
}

/// Pooled states in the order in which the sequences were given, unpadded: `[b, state]`.
fn unshuffle(sizes: Sizes, batch: &Batch, pooled: &[f32]) -> Vec<f32> {
    let (n, np, s) = (sizes.units, sizes.padded(), sizes.state());
    let state = sizes.kind.state_size(n);
    let mut out = vec![0.0; batch.len() * state];
    let rows = batch.shards.iter().flat_map(|shard| &shard.rows);
    for (from, &row) in pooled.chunks_exact(s).zip(rows) {
        let to = &mut out[row * state..(row + 1) * state];
        for (to, from) in to.chunks_exact_mut(n).zip(from.chunks_exact(np)) {
            to.copy_from_slice(&from[..n]);
        }
    }
    out
}

/// The state after every token, unpadded: `[b, t, state]`, zeros after a sequence's end.
fn every_state(sizes: Sizes, batch: &Batch, before: &[f32], last: &[f32]) -> Vec<f32> {
    let (n, np, s) = (sizes.units, sizes.padded(), sizes.state());
    let (state, longest) = (sizes.kind.state_size(n), batch.longest());
    // Where each sequence lies: its shard, its row there, and among all shards' rows.
    let mut places = vec![(&batch.shards[0], 0, 0); batch.len()];
    let rows = batch
        .shards
        .iter()
        .flat_map(|shard| shard.rows.iter().enumerate().map(move |r| (shard, r)));
    for (i, (shard, (r, &row))) in rows.enumerate() {
        places[row] = (shard, r, i);
    }
    // Filled in order: it is as large as all else together, and nothing of it is written twice.
    let mut out = Vec::with_capacity(batch.len() * longest * state);
    for ((shard, r, i), &length) in places.into_iter().zip(&batch.lengths) {
        for t in 0..length {
            let from = if r < shard.active(t + 1) {
                &before[(shard.first + shard.offset[t + 1] + r) * s..][..s]
            } else {
                &last[i * s..][..s]
            };
            from.chunks_exact(np).for_each(|from| out.extend_from_slice(&from[..n]));
        }
        out.resize(out.len() + (longest - length) * state, 0.0);
    }
    out
}
