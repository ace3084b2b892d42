//! One shard of rows through all its tokens, forward and backward, on one thread.

use super::CellKind;
use super::batch::{Noise, Shard};
use super::buffers::{Buffer, pad_blocks};
use super::equations::{self, known};
use super::input_projection::{InputWeightGradient, Projection};
use super::outer::{Outer, SLOTS};
use super::panel::{Lanes, Panels, Start, Vectors, load, store};
use super::readout::{ForwardReadout, ReadoutSum, ShardReadout};
use super::sequence::{Pool, Sizes};
use pulp::{Arch, Simd, WithSimd};

/// Recurrent weights as the forward loop reads them.
pub(super) struct ForwardWeights {
    /// `[n, G·np]`, or only `r` and `u` for the GRU that resets before.
    recurrent: Panels,
    /// `[n, np]`: the candidate's weights of the GRU that resets before.
    candidate: Panels,
    /// `[G·np]`.
    bias: Vec<f32>,
}

impl ForwardWeights {
    pub(super) fn pack(arch: Arch, sizes: Sizes, w: &[f32], b_hh: &[f32]) -> Self {
        let (n, np) = (sizes.units, sizes.padded());
        let lanes = arch.dispatch(Lanes);
        let split = sizes.kind.architecture() == CellKind::GruResetBefore;
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

    #[inline(always)]
    pub(super) fn recurrent(&self) -> &Panels {
        &self.recurrent
    }

    #[inline(always)]
    pub(super) fn candidate(&self) -> &Panels {
        &self.candidate
    }

    #[inline(always)]
    pub(super) fn bias(&self) -> &[f32] {
        &self.bias
    }
}

/// Recurrent weights as the backward loop reads them.
pub(super) struct BackwardWeights {
    /// `[G·np, np]`, or `[2·np, np]` for the GRU that resets before.
    recurrent: Panels,
    /// `[np, np]`: the candidate's weights of the GRU that resets before.
    candidate: Panels,
}

impl BackwardWeights {
    pub(super) fn pack(arch: Arch, sizes: Sizes, w: &[f32]) -> Self {
        let (n, np) = (sizes.units, sizes.padded());
        let lanes = arch.dispatch(Lanes);
        let split = sizes.kind.architecture() == CellKind::GruResetBefore;
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

    #[inline(always)]
    pub(super) fn recurrent(&self) -> &Panels {
        &self.recurrent
    }

    #[inline(always)]
    pub(super) fn candidate(&self) -> &Panels {
        &self.candidate
    }
}

/// One shard's way forward.
pub(super) struct ShardForward<'a> {
    pub(super) sizes: Sizes,
    pub(super) pool: Pool,
    pub(super) shard: &'a Shard,
    pub(super) weights: &'a ForwardWeights,
    pub(super) projection: &'a Projection<'a>,
    /// Index of each of the shard's slots' token among the batch's distinct ones.
    pub(super) tokens: &'a [u32],
    pub(super) initial: &'a [f32],
    pub(super) noise: Option<&'a Noise>,
    /// `[slots, state]` if states are kept, else two steps take turns.
    pub(super) before: Option<&'a mut [f32]>,
    /// `[slots, saved]` if a way back follows, else one step's.
    pub(super) gates: Option<&'a mut [f32]>,
    /// `[slots, inputs with their 1]` if a way back follows, where vectors meet their weights in the loop.
    pub(super) entered: Option<&'a mut [f32]>,
    /// What is said after each token, and its place, `[slots, outputs]`.
    pub(super) said: Option<(&'a ForwardReadout, &'a mut [f32])>,
    /// `[rows, state]`: the last state, or the mean, of each row.
    pub(super) pooled: &'a mut [f32],
}

impl WithSimd for ShardForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sizes, pool, shard, weights, projection, tokens, initial, noise, .. } = self;
        let Self { before, gates, pooled, entered, mut said, .. } = self;
        let (kind, n) = (sizes.kind, sizes.padded());
        let (s, blocks, wide) = (sizes.state(), sizes.saved(), sizes.table());
        let rows = shard.rows.len();
        let (mut own_before, mut own_gates) = (Buffer::default(), Buffer::default());
        let (keep_before, keep_gates) = (before.is_some(), gates.is_some());
        let keep_entered = entered.is_some();
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
        let (u, with_one) = (sizes.inputs(), sizes.with_one());
        let meets = matches!(projection, Projection::Products { .. });
        let mut products = Buffer::of(if meets { rows * wide } else { 0 });
        let mut own_entered = Vec::new();
        let entered = entered.unwrap_or_else(|| {
            own_entered = vec![0.0_f32; if meets { rows * with_one } else { 0 }];
            &mut own_entered
        });
        let mut wide_said = Vec::new();
        let mut noise: Vec<_> =
            noise.map_or_else(Vec::new, |noise| shard.rows.iter().map(|&r| noise.of(r)).collect());

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
            // `table` has a row of `wide` numbers for each token index, `products` for each row.
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
                if let Projection::Products { weights, bias, vectors } = projection {
                    let at = if keep_entered { shard.offset[t] } else { 0 };
                    let x = &mut entered[at * with_one..][..active * with_one];
                    for (x, &token) in x.chunks_exact_mut(with_one).zip(tokens) {
                        let vector = &vectors[token as usize * u..][..u];
                        x.iter_mut().zip(vector).for_each(|(x, y)| *x = *y);
                        x[u] = 1.0;
                    }
                    let (x, to) = (x.as_ptr(), products.as_mut_ptr());
                    weights.product(simd, active, x, with_one, to, wide, Start::Bias(bias));
                }
                // The row after the last is asked for and not read.
                let row = |r: usize| match projection {
                    Projection::Table(table) => {
                        let token = tokens.get(r).map_or(0, |&token| token as usize);
                        table.as_ptr().add(token * wide)
                    }
                    Projection::Products { .. } => products.as_ptr().wrapping_add(r * wide),
                };
                for r in 0..active {
                    let to = after(r, before.as_mut_ptr(), last.as_mut_ptr());
                    let g = g.add(r * blocks);
                    let ahead = equations::Ahead {
                        saved: g.wrapping_add(active * blocks),
                        after: to.wrapping_add(active * s),
                        table: row(r + 1),
                    };
                    let (a, h) = (row(r), h.add(r * s));
                    known!(kind, equations::forward(simd, kind, n, g, a, h, to, ahead));
                }
                if kind.architecture() == CellKind::GruResetBefore {
                    let bias = Start::Bias(&weights.bias[2 * n..]);
                    let (rh, w_c) = (g.add(3 * n), g.add(2 * n));
                    weights.candidate.product(simd, active, rh, blocks, w_c, blocks, bias);
                    for r in 0..active {
                        let to = after(r, before.as_mut_ptr(), last.as_mut_ptr());
                        let (g, h) = (g.add(r * blocks), h.add(r * s));
                        equations::forward_candidate(simd, kind, n, g, row(r), h, to);
                    }
                }
                for (r, noise) in noise.iter_mut().enumerate().take(active) {
                    let to = after(r, before.as_mut_ptr(), last.as_mut_ptr());
                    for block in 0..kind.state_blocks() {
                        for (j, x) in (0..sizes.units).zip(&mut *noise) {
                            *to.add(block * n + j) += x;
                        }
                    }
                }
                if let Some((readout, said)) = &mut said {
                    let after =
                        before.as_ptr().add(if next > 0 { step_before(t + 1) * s } else { 0 });
                    let states = [(after, next), (last.as_ptr().add(next * s), active - next)];
                    let outputs = said.len() / shard.slots();
                    let said = &mut said[shard.offset[t] * outputs..][..active * outputs];
                    readout.read(simd, states, &mut wide_said, said);
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
pub(super) unsafe fn add<S: Simd>(simd: S, n: usize, to: *mut f32, from: *const f32) {
    // SAFETY: the caller's.
    unsafe {
        for j in (0..n).step_by(S::F32_LANES) {
            let sum = simd.add_f32s(load::<S>(to.add(j)), load::<S>(from.add(j)));
            store::<S>(to.add(j), sum);
        }
    }
}

/// One shard's way back.
pub(super) struct ShardBackward<'a> {
    pub(super) sizes: Sizes,
    pub(super) pool: Pool,
    pub(super) shard: &'a Shard,
    pub(super) lengths: &'a [usize],
    /// Tokens of the batch's longest sequence: the stride of [`Pool::Every`].
    pub(super) longest: usize,
    pub(super) weights: &'a BackwardWeights,
    /// `[b, state]` or `[b, t, state]`, padded.
    pub(super) gradient: &'a [f32],
    pub(super) before: &'a [f32],
    pub(super) gates: &'a mut [f32],
    /// Sum over the shard's rows of the gradient of the initial state.
    pub(super) initial: &'a mut [f32],
    /// Sum over the shard's slots of `dc∘r` (the GRU that resets after).
    pub(super) candidate_bias: &'a mut [f32],
    /// Index of each of the shard's slots' token in the batch's.
    pub(super) tokens: &'a [u32],
    /// For each of the batch's tokens, its place in `frequent`, if it has one.
    pub(super) places: &'a [Option<u8>],
    /// Sums over each frequent token's slots of the gradients of its input, `[places, G·np]`.
    pub(super) frequent: &'a mut [f32],
    /// Each slot's vector with its 1, where the shard sums the gradient of the weights they meet.
    pub(super) entered: Option<&'a [f32]>,
    /// What is said after each token, in place of `gradient`.
    pub(super) said: Option<ShardReadout<'a>>,
}

/// What a shard sums up over its slots.
pub(super) struct ShardGradients {
    pub(super) recurrent: RecurrentGradient,
    /// If [`ShardBackward::entered`] was given.
    pub(super) input: Option<InputWeightGradient>,
    /// If [`ShardBackward::said`] was.
    pub(super) readout: Option<ReadoutSum>,
}

/// One shard's part of the gradient of the recurrent weights.
pub(super) struct RecurrentGradient {
    /// `[G·np, np]`, or `[2·np, np]` for the GRU that resets before.
    recurrent: Outer,
    /// `[np, np]`: the candidate's weights of the GRU that resets before.
    candidate: Option<Outer>,
    /// `np`.
    units: usize,
}

impl RecurrentGradient {
    pub(super) fn new(vectors: Vectors, sizes: Sizes) -> Self {
        let n = sizes.padded();
        let split = sizes.kind.architecture() == CellKind::GruResetBefore;
        let rows = if split { 2 * n } else { sizes.table() };
        let candidate = split.then(|| Outer::new(vectors, n, n));
        Self { recurrent: Outer::new(vectors, rows, n), candidate, units: n }
    }

    /// Adds the slots from `first` up to `end`.
    #[inline(always)]
    pub(super) fn add<S: Simd>(
        &mut self,
        simd: S,
        sizes: Sizes,
        (first, end): (usize, usize),
        gates: &[f32],
        before: &[f32],
    ) {
        let (n, s, blocks) = (sizes.padded(), sizes.state(), sizes.saved());
        let gates = &gates[first * blocks..end * blocks];
        let (a, b) = (gates.as_ptr(), before[first * s..end * s].as_ptr());
        // SAFETY: both slices hold whole slots; block 2 is the candidate's, 3 is r∘h.
        unsafe {
            self.recurrent.add(simd, end - first, (a, blocks), (b, s));
            if let Some(candidate) = &mut self.candidate {
                let (dc, rh) = ((a.add(2 * n), blocks), (a.add(3 * n), blocks));
                candidate.add(simd, end - first, dc, rh);
            }
        }
    }

    /// Adds the rows of gate `gate` to `d_w [np, np]`.
    pub(super) fn add_to(&self, gate: usize, d_w: &mut [f32]) {
        match &self.candidate {
            Some(candidate) if gate == 2 => candidate.add_to(0, d_w),
            _ => self.recurrent.add_to(gate * self.units, d_w),
        }
    }
}

impl WithSimd for ShardBackward<'_> {
    type Output = ShardGradients;

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) -> ShardGradients {
        let (kind, n) = (self.sizes.kind, self.sizes.padded());
        let (s, blocks) = (self.sizes.state(), self.sizes.saved());
        let (shard, weights) = (self.shard, self.weights);
        let rows = shard.rows.len();
        let mut d = vec![0.0_f32; rows * s];
        let lanes = Vectors::of(simd);
        let mut d_w = RecurrentGradient::new(lanes, self.sizes);
        let mut d_a = self.entered.map(|_| InputWeightGradient::new(lanes, self.sizes));
        let mut d_read = self.said.as_ref().map(|said| ReadoutSum::new(lanes, said, rows));
        // Slots from this one on are in the sum.
        let mut added = shard.slots();
        let resets_before = kind.architecture() == CellKind::GruResetBefore;
        let mut d_rh = vec![0.0_f32; if resets_before { rows * n } else { 0 }];
        for t in (0..shard.tokens()).rev() {
            let (active, next) = (shard.active(t), shard.active(t + 1));
            match (&mut d_read, &self.said) {
                (Some(sum), Some(said)) => sum.enter(simd, said, shard, t, self.before, &mut d),
                _ => self.enter(simd, t, active, next, &mut d),
            }
            // SAFETY: slots of step t hold `active` rows; `d` and `d_rh` are our own.
            unsafe {
                let h = self.before.as_ptr().add(shard.offset[t] * s);
                let (all_before, all_gates) = (self.before.as_ptr(), self.gates.as_ptr());
                let g = self.gates.as_mut_ptr().add(shard.offset[t] * blocks);
                let d = d.as_mut_ptr();
                for r in 0..active {
                    // The row after the last is the first of the step before.
                    let soon = if r + 1 < active {
                        shard.offset[t] + r + 1
                    } else {
                        shard.offset[t.saturating_sub(1)]
                    };
                    let soon =
                        (all_gates.wrapping_add(soon * blocks), all_before.wrapping_add(soon * s));
                    let (g, h, d) = (g.add(r * blocks), h.add(r * s), d.add(r * s));
                    known!(kind, equations::backward(simd, kind, n, g, h, d, soon));
                    if kind.architecture() == CellKind::Gru {
                        add(simd, n, self.candidate_bias.as_mut_ptr(), g.add(2 * n));
                    }
                }
                if kind.architecture() == CellKind::GruResetBefore {
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
            let (first, before) = (shard.offset[t], shard.offset[t.saturating_sub(1)]);
            if t == 0 || added - before > SLOTS {
                d_w.add(simd, self.sizes, (first, added), self.gates, self.before);
                match (&mut d_a, self.entered) {
                    (Some(d_a), Some(entered)) => {
                        d_a.add(simd, self.sizes, (first, added), self.gates, entered);
                    }
                    _ => self.sum_frequent(simd, first..added),
                }
                added = first;
            }
        }
        for row in d.chunks_exact(s) {
            self.initial.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        ShardGradients { recurrent: d_w, input: d_a, readout: d_read }
    }
}

impl ShardBackward<'_> {
    /// Adds the gradients of these slots' inputs to the sums of the frequent tokens.
    #[inline(always)]
    fn sum_frequent<S: Simd>(&mut self, simd: S, slots: std::ops::Range<usize>) {
        let (np, blocks, wide) = (self.sizes.padded(), self.sizes.saved(), self.sizes.table());
        for slot in slots {
            let Some(place) = self.places[self.tokens[slot] as usize] else { continue };
            let from = &self.gates[slot * blocks..][..blocks];
            let to = &mut self.frequent[place as usize * wide..][..wide];
            for (g, &block) in equations::input_gradient_blocks(self.sizes.kind).iter().enumerate()
            {
                let (to, from) = (&mut to[g * np..][..np], &from[block * np..][..np]);
                // SAFETY: both are np numbers.
                unsafe { add(simd, np, to.as_mut_ptr(), from.as_ptr()) };
            }
        }
    }

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
