//! Whole sequences through one cell on the CPU: in tokens, out states; and back.
//!
//! # The scheme
//! 1. *Table.* `A x + b_ih` is computed once for each *distinct* token of the
//!    batch. A one-hot input is a column of `A`; no dense product is made.
//! 2. *Loop.* Each [`Shard`] of rows runs through all its tokens on one
//!    thread: one product of its states with the packed recurrent weights
//!    ([`Panels`]), then the cell's [`equations`] row by row while the rows are
//!    in the first-level cache. What the way back needs stays in the slots.
//! 3. *Back.* The same loop in reverse turns saved gates into gradients of
//!    pre-activations, in place, and carries the gradient of the state.
//! 4. *Weights.* `dW` is one product over all slots after the loop; the
//!    gradients of the input side are summed by distinct token first.
//!
//! Work is cut by shard, by token or by rows of a result, never by thread, and
//! every sum has a fixed order: the bits do not depend on the thread count.
//! [`FlushDenormals`] holds in every piece of work.

use super::CellKind;
use super::batch::{Batch, Shard};
use super::buffers::Buffer;
use super::denormals::FlushDenormals;
use super::equations::{self, input_gradient_blocks, saved_blocks};
use super::panel::{Panels, Start, Vectors};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Units are padded to a multiple of this: whole vectors on every processor.
const PAD: usize = 16;

/// Rows of a result that one piece of work computes.
const CHUNK: usize = 64;

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
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The cell.
    pub kind: CellKind,
    /// Units `n`.
    pub units: usize,
    /// What enters.
    pub entry: Entry,
}

impl Sizes {
    fn padded(&self) -> usize {
        self.units.next_multiple_of(PAD)
    }

    /// State numbers per row, padded.
    fn state(&self) -> usize {
        self.kind.state_size(self.padded())
    }

    /// Saved numbers per slot, padded.
    fn saved(&self) -> usize {
        saved_blocks(self.kind) * self.padded()
    }

    /// Numbers in one row of the input table, padded.
    fn table(&self) -> usize {
        self.kind.gates() * self.padded()
    }

    /// Numbers that enter at each token.
    pub fn inputs(&self) -> usize {
        match self.entry {
            Entry::Vectors(u) | Entry::OneHot(u) => u,
        }
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

/// What a forward pass keeps for the way back.
pub struct Saved {
    /// State before each slot's token: `[slots, state]`.
    before: Buffer,
    /// The saved blocks of each slot: `[slots, saved]`.
    gates: Buffer,
}

/// Gradients of everything that entered, in the shapes in which it entered.
pub struct Gradients {
    /// `A [G·n, u]`, `W [G·n, n]`, `b_ih [G·n]`, `b_hh [G·n]`, end to end.
    pub parameters: Vec<f32>,
    /// `[distinct, u]`; empty for one-hot entry.
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
    let arch = Arch::new();
    let [a, w, b_ih, b_hh] = sizes.split(parameters);
    let table = table(arch, sizes, batch, a, b_ih, vectors);
    let weights = ForwardWeights::pack(arch, sizes, w, b_hh);
    let initial = pad_blocks(initial, sizes.units, sizes.padded());

    let all = keep || pool == Pool::Every;
    let (s, saved) = (sizes.state(), sizes.saved());
    let slots = batch.slots();
    let mut before = Buffer::of(if all { slots * s } else { 0 });
    let mut gates = Buffer::of(if keep { slots * saved } else { 0 });
    let mut pooled = Buffer::of(batch.len() * s);
    let mut work = Vec::new();
    let (mut rest_before, mut rest_gates, mut rest_pooled) =
        (&mut before[..], &mut gates[..], &mut pooled[..]);
    for shard in &batch.shards {
        work.push(ShardForward {
            sizes,
            pool,
            shard,
            weights: &weights,
            table: &table,
            tokens: &batch.token_of_slot[shard.first..shard.first + shard.slots()],
            initial: &initial,
            before: all.then(|| take(&mut rest_before, shard.slots() * s)),
            gates: keep.then(|| take(&mut rest_gates, shard.slots() * saved)),
            pooled: take(&mut rest_pooled, shard.rows.len() * s),
        });
    }
    work.into_par_iter().for_each(|shard| {
        let _flush = FlushDenormals::on_this_thread();
        arch.dispatch(shard);
    });
    let out = match pool {
        Pool::Every => every_state(sizes, batch, &before, &pooled),
        Pool::Last | Pool::Mean => unshuffle(sizes, batch, &pooled),
    };
    (out, keep.then_some(Saved { before, gates }))
}

/// Runs `batch` backward from the gradient of what [`forward`] returned.
pub fn backward(
    sizes: Sizes,
    pool: Pool,
    batch: &Batch,
    parameters: &[f32],
    vectors: &[f32],
    saved: &mut Saved,
    gradient: &[f32],
) -> Gradients {
    let arch = Arch::new();
    let [a, w, ..] = sizes.split(parameters);
    let weights = BackwardWeights::pack(arch, sizes, w);
    let (n, np, s) = (sizes.units, sizes.padded(), sizes.state());
    let gradient = pad_blocks(gradient, n, np);

    let mut work = Vec::new();
    let mut sums = vec![0.0; batch.shards.len() * (s + np)];
    let (mut rest_gates, mut rest_sums) = (&mut saved.gates[..], &mut sums[..]);
    for shard in &batch.shards {
        let range = shard.first * s..(shard.first + shard.slots()) * s;
        work.push(ShardBackward {
            sizes,
            pool,
            shard,
            lengths: &batch.lengths,
            longest: batch.longest(),
            weights: &weights,
            gradient: &gradient,
            before: &saved.before[range],
            gates: take(&mut rest_gates, shard.slots() * sizes.saved()),
            initial: take(&mut rest_sums, s),
            candidate_bias: take(&mut rest_sums, np),
        });
    }
    work.into_par_iter().for_each(|shard| {
        let _flush = FlushDenormals::on_this_thread();
        arch.dispatch(shard);
    });
    let shard_sum = |range: std::ops::Range<usize>| -> Vec<f32> {
        range.map(|i| sums.chunks_exact(s + np).map(|shard| shard[i]).sum()).collect()
    };

    let (by_token, d_b_ih) = sum_by_token(arch, sizes, batch, &saved.gates);
    let mut d_b_hh = d_b_ih.clone();
    if sizes.kind == CellKind::Gru {
        d_b_hh[2 * np..3 * np].copy_from_slice(&shard_sum(s..s + np));
    }
    let d_w = recurrent_gradient(sizes, batch.slots(), saved);
    let (d_a, d_vectors) = input_gradients(arch, sizes, batch, a, vectors, &by_token);

    let mut all = Vec::with_capacity(sizes.parameters());
    all.extend_from_slice(&d_a);
    for row in d_w.chunks_exact(np).enumerate().filter(|(i, _)| i % np < n).map(|(_, row)| row) {
        all.extend_from_slice(&row[..n]);
    }
    for bias in [d_b_ih, d_b_hh] {
        bias.chunks_exact(np).for_each(|block| all.extend_from_slice(&block[..n]));
    }
    let initial = shard_sum(0..s).chunks_exact(np).flat_map(|block| block[..n].to_vec()).collect();
    Gradients { parameters: all, vectors: d_vectors, initial }
}

/// The next `len` numbers of `rest`.
fn take<'a>(rest: &mut &'a mut [f32], len: usize) -> &'a mut [f32] {
    let (head, tail) = std::mem::take(rest).split_at_mut(len);
    *rest = tail;
    head
}

/// Copies blocks of `n` numbers to blocks of `np`, zeros between.
fn pad_blocks(blocks: &[f32], n: usize, np: usize) -> Vec<f32> {
    let mut padded = vec![0.0; blocks.len() / n * np];
    for (to, from) in padded.chunks_exact_mut(np).zip(blocks.chunks_exact(n)) {
        to[..n].copy_from_slice(from);
    }
    padded
}

/// Vector length of this processor.
struct Lanes;

impl WithSimd for Lanes {
    type Output = Vectors;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vectors {
        Vectors::of(simd)
    }
}

/// `C [rows, n] = start + A [rows, k] · B`, cut into chunks of rows.
fn parallel_product(arch: Arch, b: &Panels, a: &[f32], c: &mut [f32], bias: Option<&[f32]>) {
    struct Chunk<'a> {
        b: &'a Panels,
        a: &'a [f32],
        c: &'a mut [f32],
        bias: Option<&'a [f32]>,
    }
    impl WithSimd for Chunk<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (k, n) = (self.b.k(), self.b.n());
            let start = self.bias.map_or(Start::Zero, Start::Bias);
            let rows = self.c.len() / n;
            assert!(self.a.len() == rows * k, "each row of C has its row of A");
            // SAFETY: both slices hold `rows` whole rows and are distinct borrows.
            unsafe {
                self.b.product(simd, rows, self.a.as_ptr(), k, self.c.as_mut_ptr(), n, start);
            }
        }
    }
    c.par_chunks_mut(CHUNK * b.n()).zip(a.par_chunks(CHUNK * b.k())).for_each(|(c, a)| {
        let _flush = FlushDenormals::on_this_thread();
        arch.dispatch(Chunk { b, a, c, bias });
    });
}

/// `A x + b_ih` for each distinct token: `[distinct, G·np]`.
fn table(
    arch: Arch,
    sizes: Sizes,
    batch: &Batch,
    a: &[f32],
    b_ih: &[f32],
    vectors: &[f32],
) -> Buffer {
    let (n, np, width) = (sizes.units, sizes.padded(), sizes.table());
    let mut table = Buffer::of(batch.distinct.len() * width);
    let bias = pad_blocks(b_ih, n, np);
    match sizes.entry {
        Entry::OneHot(v) => {
            table.par_chunks_exact_mut(width).zip(&batch.distinct).for_each(|(row, &token)| {
                row.copy_from_slice(&bias);
                for (g, block) in row.chunks_exact_mut(np).enumerate() {
                    for (i, entry) in block[..n].iter_mut().enumerate() {
                        *entry += a[(g * n + i) * v + token as usize];
                    }
                }
            });
        }
        Entry::Vectors(u) => {
            let mut packed = Panels::default();
            packed.pack(arch.dispatch(Lanes), u, width, |p, j| {
                let (g, i) = (j / np, j % np);
                if i < n { a[(g * n + i) * u + p] } else { 0.0 }
            });
            parallel_product(arch, &packed, vectors, &mut table, Some(&bias));
        }
    }
    table
}

/// Recurrent weights as the forward loop reads them.
struct ForwardWeights {
    /// `[n, G·np]`, or only `r` and `u` for the GRU that resets before.
    recurrent: Panels,
    /// `[n, np]`: the candidate's weights of the GRU that resets before.
    candidate: Panels,
    /// `[G·np]`.
    bias: Vec<f32>,
}

impl ForwardWeights {
    fn pack(arch: Arch, sizes: Sizes, w: &[f32], b_hh: &[f32]) -> Self {
        let (n, np) = (sizes.units, sizes.padded());
        let lanes = arch.dispatch(Lanes);
        let split = sizes.kind == CellKind::GruResetBefore;
        let blocks = if split { 2 } else { sizes.kind.gates() };
        let (mut recurrent, mut candidate) = (Panels::default(), Panels::default());
        let entry = |first: usize| {
            move |p: usize, j: usize| {
                let (g, i) = (first + j / np, j % np);
                if i < n { w[(g * n + i) * n + p] } else { 0.0 }
            }
        };
        recurrent.pack(lanes, n, blocks * np, entry(0));
        if split {
            candidate.pack(lanes, n, np, entry(2));
        }
        Self { recurrent, candidate, bias: pad_blocks(b_hh, n, np) }
    }
}

/// Recurrent weights as the backward loop reads them.
struct BackwardWeights {
    /// `[G·np, np]`, or `[2·np, np]` for the GRU that resets before.
    recurrent: Panels,
    /// `[np, np]`: the candidate's weights of the GRU that resets before.
    candidate: Panels,
}

impl BackwardWeights {
    fn pack(arch: Arch, sizes: Sizes, w: &[f32]) -> Self {
        let (n, np) = (sizes.units, sizes.padded());
        let lanes = arch.dispatch(Lanes);
        let split = sizes.kind == CellKind::GruResetBefore;
        let blocks = if split { 2 } else { sizes.kind.gates() };
        let (mut recurrent, mut candidate) = (Panels::default(), Panels::default());
        let entry = |first: usize| {
            move |p: usize, j: usize| {
                let (g, i) = (first + p / np, p % np);
                if i < n && j < n { w[(g * n + i) * n + j] } else { 0.0 }
            }
        };
        recurrent.pack(lanes, blocks * np, np, entry(0));
        if split {
            candidate.pack(lanes, np, np, entry(2));
        }
        Self { recurrent, candidate }
    }
}

/// One shard's way forward.
struct ShardForward<'a> {
    sizes: Sizes,
    pool: Pool,
    shard: &'a Shard,
    weights: &'a ForwardWeights,
    table: &'a [f32],
    /// Index of each of the shard's slots' token in the table.
    tokens: &'a [u32],
    initial: &'a [f32],
    /// `[slots, state]` if states are kept, else two steps take turns.
    before: Option<&'a mut [f32]>,
    /// `[slots, saved]` if a way back follows, else one step's.
    gates: Option<&'a mut [f32]>,
    /// `[rows, state]`: the last state, or the mean, of each row.
    pooled: &'a mut [f32],
}

impl WithSimd for ShardForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, pool, shard, weights, table, tokens, initial, before, gates, pooled } =
            self;
        let (kind, n) = (sizes.kind, sizes.padded());
        let (s, blocks, wide) = (sizes.state(), sizes.saved(), sizes.table());
        let rows = shard.rows.len();
        let (mut own_before, mut own_gates) = (Buffer::default(), Buffer::default());
        let keep_before = before.is_some();
        let keep_gates = gates.is_some();
        let before = before.unwrap_or_else(|| {
            own_before = Buffer::of(2 * rows * s);
            &mut own_before
        });
        let gates = gates.unwrap_or_else(|| {
            own_gates = Buffer::of(rows * blocks);
            &mut own_gates
        });
        let step_before = |t: usize| if keep_before { shard.offset[t] } else { t % 2 * rows };
        let step_gates = |t: usize| if keep_gates { shard.offset[t] } else { 0 };
        let mut last = vec![0.0_f32; rows * s];

        for row in before[..rows * s].chunks_exact_mut(s) {
            row.copy_from_slice(initial);
        }
        if pool == Pool::Mean {
            pooled.fill(0.0);
        }
        for t in 0..shard.tokens() {
            let (active, next) = (shard.active(t), shard.active(t + 1));
            let tokens = &tokens[shard.offset[t]..shard.offset[t] + active];
            // SAFETY: slots of step t hold `active` rows of `s` and `blocks`
            // numbers; the state after goes to the first `next` rows of step
            // t + 1, or to the row's last state, neither of which is read here;
            // `table` has a row of `wide` numbers for each token index.
            unsafe {
                let h = before.as_mut_ptr().add(step_before(t) * s);
                let g = gates.as_mut_ptr().add(step_gates(t) * blocks);
                let after = |r: usize, before: *mut f32, last: *mut f32| {
                    if r < next {
                        before.add((step_before(t + 1) + r) * s)
                    } else {
                        last.add(r * s)
                    }
                };
                weights.recurrent.product(
                    simd,
                    active,
                    h,
                    s,
                    g,
                    blocks,
                    Start::Bias(&weights.bias),
                );
                for (r, &token) in tokens.iter().enumerate() {
                    let to = after(r, before.as_mut_ptr(), last.as_mut_ptr());
                    let a = table.as_ptr().add(token as usize * wide);
                    equations::forward(simd, kind, n, g.add(r * blocks), a, h.add(r * s), to);
                }
                if kind == CellKind::GruResetBefore {
                    let bias = Start::Bias(&weights.bias[2 * n..]);
                    let (rh, w_c) = (g.add(3 * n), g.add(2 * n));
                    weights.candidate.product(simd, active, rh, blocks, w_c, blocks, bias);
                    for (r, &token) in tokens.iter().enumerate() {
                        let to = after(r, before.as_mut_ptr(), last.as_mut_ptr());
                        let a = table.as_ptr().add(token as usize * wide);
                        equations::forward_candidate(
                            simd,
                            n,
                            g.add(r * blocks),
                            a,
                            h.add(r * s),
                            to,
                        );
                    }
                }
                if pool == Pool::Mean {
                    for r in 0..active {
                        let from = after(r, before.as_mut_ptr(), last.as_mut_ptr());
                        add(simd, s, pooled.as_mut_ptr().add(r * s), from);
                    }
                }
            }
        }
        if pool == Pool::Mean {
            for (r, mean) in pooled.chunks_exact_mut(s).enumerate() {
                let share = 1.0 / shard.row_length(r) as f32;
                mean.iter_mut().for_each(|x| *x *= share);
            }
        } else {
            pooled.copy_from_slice(&last);
        }
    }
}

/// `to += from` over `n` numbers.
///
/// # Safety
/// Both hold `n` numbers, a multiple of the vector length, and do not overlap.
#[inline(always)]
unsafe fn add<S: Simd>(simd: S, n: usize, to: *mut f32, from: *const f32) {
    use super::panel::{load, store};
    // SAFETY: the caller's.
    unsafe {
        for j in (0..n).step_by(S::F32_LANES) {
            let sum = simd.add_f32s(load::<S>(to.add(j)), load::<S>(from.add(j)));
            store::<S>(to.add(j), sum);
        }
    }
}

/// One shard's way back.
struct ShardBackward<'a> {
    sizes: Sizes,
    pool: Pool,
    shard: &'a Shard,
    lengths: &'a [usize],
    /// Tokens of the batch's longest sequence: the stride of [`Pool::Every`].
    longest: usize,
    weights: &'a BackwardWeights,
    /// `[b, state]` or `[b, t, state]`, padded.
    gradient: &'a [f32],
    before: &'a [f32],
    gates: &'a mut [f32],
    /// Sum over the shard's rows of the gradient of the initial state.
    initial: &'a mut [f32],
    /// Sum over the shard's slots of `dc∘r` (the GRU that resets after).
    candidate_bias: &'a mut [f32],
}

impl WithSimd for ShardBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let (kind, n) = (self.sizes.kind, self.sizes.padded());
        let (s, blocks) = (self.sizes.state(), self.sizes.saved());
        let (shard, weights) = (self.shard, self.weights);
        let rows = shard.rows.len();
        let mut d = vec![0.0_f32; rows * s];
        let mut d_rh = vec![0.0_f32; if kind == CellKind::GruResetBefore { rows * n } else { 0 }];
        for t in (0..shard.tokens()).rev() {
            let (active, next) = (shard.active(t), shard.active(t + 1));
            self.enter(simd, t, active, next, &mut d);
            // SAFETY: slots of step t hold `active` rows; `d` and `d_rh` are our own.
            unsafe {
                let h = self.before.as_ptr().add(shard.offset[t] * s);
                let g = self.gates.as_mut_ptr().add(shard.offset[t] * blocks);
                let d = d.as_mut_ptr();
                for r in 0..active {
                    let (g, h, d) = (g.add(r * blocks), h.add(r * s), d.add(r * s));
                    equations::backward(simd, kind, n, g, h, d);
                    if kind == CellKind::Gru {
                        add(simd, n, self.candidate_bias.as_mut_ptr(), g.add(2 * n));
                    }
                }
                if kind == CellKind::GruResetBefore {
                    let d_rh = d_rh.as_mut_ptr();
                    let dc = g.add(2 * n);
                    weights.candidate.product(simd, active, dc, blocks, d_rh, n, Start::Zero);
                    for r in 0..active {
                        let (g, h) = (g.add(r * blocks), h.add(r * s));
                        equations::backward_candidate(simd, n, g, h, d_rh.add(r * n), d.add(r * s));
                    }
                }
                weights.recurrent.product(simd, active, g, blocks, d, s, Start::Sum);
            }
        }
        for row in d.chunks_exact(s) {
            self.initial.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
    }
}

impl ShardBackward<'_> {
    /// Adds what the pooled output passes to the state after token `t`.
    #[inline(always)]
    fn enter<S: Simd>(&self, _: S, t: usize, active: usize, next: usize, d: &mut [f32]) {
        let s = self.sizes.state();
        for (r, d) in d.chunks_exact_mut(s).enumerate().take(active) {
            let row = self.shard.rows[r];
            match self.pool {
                Pool::Last if r >= next => d.copy_from_slice(&self.gradient[row * s..][..s]),
                Pool::Last => {}
                Pool::Mean => {
                    let share = 1.0 / self.lengths[row] as f32;
                    let gradient = &self.gradient[row * s..][..s];
                    d.iter_mut().zip(gradient).for_each(|(d, g)| *d += g * share);
                }
                Pool::Every => {
                    let gradient = &self.gradient[(row * self.longest + t) * s..][..s];
                    d.iter_mut().zip(gradient).for_each(|(d, g)| *d += g);
                }
            }
        }
    }
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

/// The state after every token, unpadded: `[b, t, state]`.
fn every_state(sizes: Sizes, batch: &Batch, before: &[f32], last: &[f32]) -> Vec<f32> {
    let (n, np, s) = (sizes.units, sizes.padded(), sizes.state());
    let (state, longest) = (sizes.kind.state_size(n), batch.longest());
    let mut out = vec![0.0; batch.len() * longest * state];
    let mut first_row = 0;
    for shard in &batch.shards {
        for (r, &row) in shard.rows.iter().enumerate() {
            for t in 0..batch.lengths[row] {
                let from = if r < shard.active(t + 1) {
                    &before[(shard.first + shard.offset[t + 1] + r) * s..][..s]
                } else {
                    &last[(first_row + r) * s..][..s]
                };
                let to = &mut out[(row * longest + t) * state..][..state];
                for (to, from) in to.chunks_exact_mut(n).zip(from.chunks_exact(np)) {
                    to.copy_from_slice(&from[..n]);
                }
            }
        }
        first_row += shard.rows.len();
    }
    out
}

/// Gradients of `A x + b_ih` summed over each distinct token's slots, `[distinct,
/// G·np]`, and over all slots, `[G·np]`.
fn sum_by_token(arch: Arch, sizes: Sizes, batch: &Batch, gates: &[f32]) -> (Buffer, Vec<f32>) {
    struct Tokens<'a> {
        sizes: Sizes,
        batch: &'a Batch,
        gates: &'a [f32],
        first: usize,
        sums: &'a mut [f32],
        /// Sum of this piece's rows.
        total: &'a mut [f32],
    }
    impl WithSimd for Tokens<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { sizes, batch, gates, first, sums, total } = self;
            let (np, blocks) = (sizes.padded(), sizes.saved());
            sums.fill(0.0);
            for (d, sums) in sums.chunks_exact_mut(sizes.table()).enumerate() {
                let d = first + d;
                let slots = &batch.slots_by_token[batch.occurrences[d]..batch.occurrences[d + 1]];
                for &slot in slots {
                    let from = &gates[slot as usize * blocks..][..blocks];
                    for (g, &block) in input_gradient_blocks(sizes.kind).iter().enumerate() {
                        // SAFETY: block `block` of a slot and gate `g` of a sum hold np numbers.
                        unsafe {
                            let from = from.as_ptr().add(block * np);
                            add(simd, np, sums.as_mut_ptr().add(g * np), from);
                        }
                    }
                }
                // SAFETY: both hold the table's width, whole vectors.
                unsafe { add(simd, sums.len(), total.as_mut_ptr(), sums.as_ptr()) };
            }
        }
    }
    let width = sizes.table();
    let mut sums = Buffer::of(batch.distinct.len() * width);
    let mut totals = vec![0.0; batch.distinct.len().div_ceil(CHUNK) * width];
    let pieces = sums.par_chunks_mut(CHUNK * width).zip(totals.par_chunks_mut(width));
    pieces.enumerate().for_each(|(chunk, (sums, total))| {
        let _flush = FlushDenormals::on_this_thread();
        arch.dispatch(Tokens { sizes, batch, gates, first: chunk * CHUNK, sums, total });
    });
    let mut total = vec![0.0; width];
    for piece in totals.chunks_exact(width) {
        total.iter_mut().zip(piece).for_each(|(sum, x)| *sum += x);
    }
    (sums, total)
}

/// `C [m, n] = Aᵀ B` over `k` rows, in chunks of `C`'s rows.
///
/// * `a`: `k` rows, `lda` apart, `m` numbers used of each; `b` likewise with `n`
fn transposed_product(
    (m, n, k): (usize, usize, usize),
    (a, lda): (&[f32], usize),
    (b, ldb): (&[f32], usize),
    c: &mut [f32],
) {
    /// Pieces of C: as many as small machines have threads, no more, because
    /// each packs B again. A fixed number, so that the bits stay the same.
    const PIECES: usize = 4;
    let rows = m.div_ceil(PIECES).next_multiple_of(64);
    assert!(k == 0 || (a.len() >= (k - 1) * lda + m && b.len() >= (k - 1) * ldb + n));
    c[..m * n].par_chunks_mut(rows * n).enumerate().for_each(|(chunk, c)| {
        let _flush = FlushDenormals::on_this_thread();
        // SAFETY: strides and sizes stay within the slices, as asserted.
        unsafe {
            gemm::gemm(
                c.len() / n,
                n,
                k,
                c.as_mut_ptr(),
                1,
                n as isize,
                false,
                a.as_ptr().add(chunk * rows),
                lda as isize,
                1,
                b.as_ptr(),
                1,
                ldb as isize,
                0.0,
                1.0,
                false,
                false,
                false,
                gemm::Parallelism::None,
            );
        }
    });
}

/// `dW [G·np, np]`: gradients of pre-activations times the states they multiplied.
fn recurrent_gradient(sizes: Sizes, slots: usize, saved: &Saved) -> Vec<f32> {
    let (np, s, blocks) = (sizes.padded(), sizes.state(), sizes.saved());
    let rows = sizes.table();
    let mut d_w = vec![0.0; rows * np];
    let (gates, before) = (&saved.gates[..], &saved.before[..]);
    if sizes.kind == CellKind::GruResetBefore {
        let (d_ru, d_c) = d_w.split_at_mut(2 * np * np);
        transposed_product((2 * np, np, slots), (gates, blocks), (before, s), d_ru);
        let (dc, rh) = (&gates[2 * np..], &gates[3 * np..]);
        transposed_product((np, np, slots), (dc, blocks), (rh, blocks), d_c);
    } else {
        transposed_product((rows, np, slots), (gates, blocks), (before, s), &mut d_w);
    }
    d_w
}

/// `dA [G·n, u]` and the gradient of the token vectors `[distinct, u]`.
fn input_gradients(
    arch: Arch,
    sizes: Sizes,
    batch: &Batch,
    a: &[f32],
    vectors: &[f32],
    by_token: &[f32],
) -> (Vec<f32>, Vec<f32>) {
    let (n, np, width) = (sizes.units, sizes.padded(), sizes.table());
    let tokens = batch.distinct.len();
    let rows = sizes.kind.gates() * n;
    match sizes.entry {
        Entry::OneHot(v) => {
            let mut d_a = vec![0.0; rows * v];
            d_a.par_chunks_exact_mut(v).enumerate().for_each(|(row, d_a)| {
                let column = row / n * np + row % n;
                for (d, &token) in batch.distinct.iter().enumerate() {
                    d_a[token as usize] = by_token[d * width + column];
                }
            });
            (d_a, Vec::new())
        }
        Entry::Vectors(u) => {
            let mut padded = vec![0.0; width * u];
            transposed_product((width, u, tokens), (by_token, width), (vectors, u), &mut padded);
            let d_a = padded
                .chunks_exact(np * u)
                .flat_map(|block| block[..n * u].iter().copied())
                .collect();

            let up = u.next_multiple_of(PAD);
            let mut packed = Panels::default();
            packed.pack(arch.dispatch(Lanes), width, up, |p, j| {
                let (g, i) = (p / np, p % np);
                if i < n && j < u { a[(g * n + i) * u + j] } else { 0.0 }
            });
            let mut wide = Buffer::of(tokens * up);
            parallel_product(arch, &packed, by_token, &mut wide, None);
            let d_vectors =
                wide.chunks_exact(up).flat_map(|row| row[..u].iter().copied()).collect();
            (d_a, d_vectors)
        }
    }
}
