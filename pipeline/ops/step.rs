//! One step of many rows, forward and backward, for loops in which something else happens between steps.
//!
//! [`sequence`](super::sequence) knows all inputs before it begins. Where the next input follows from the state, as
//! in an optimiser that reads the gradient at the point it moved to, the loop belongs to the caller, and these are its
//! parts. Rows are laid out as in [`equations`]: padded, a step's rows one after another.

use super::equations::{self, Ahead, known};
use super::outer::SLOTS;
use super::panel::{Lanes, Start};
use super::sequence::Sizes;
use super::shard::{BackwardWeights, ForwardWeights, RecurrentGradient};
use crate::CellKind;
use pulp::{Arch, Simd};

/// Recurrent weights as both ways read them.
pub struct Weights {
    sizes: Sizes,
    forward: ForwardWeights,
    backward: BackwardWeights,
}

impl Weights {
    /// * `w`: `W`, `[G·n, n]`; `b_hh`: `[G·n]`
    pub fn pack(sizes: Sizes, w: &[f32], b_hh: &[f32]) -> Self {
        let arch = Arch::new();
        Self {
            sizes,
            forward: ForwardWeights::pack(arch, sizes, w, b_hh),
            backward: BackwardWeights::pack(arch, sizes, w),
        }
    }

    /// A step of `rows` rows: `h' = F(h, a)`.
    ///
    /// * `before`, `after`: `[rows, state]`; `table`: `a = A x + b_ih` of each row, `[rows, G·np]`
    /// * `saved`: `[rows, saved]`, what the way back needs
    ///
    /// # Safety
    /// All pointers reach that far; `after` and `saved` overlap nothing else.
    #[inline(always)]
    pub unsafe fn forward<S: Simd>(
        &self,
        simd: S,
        rows: usize,
        before: *const f32,
        table: *const f32,
        saved: *mut f32,
        after: *mut f32,
    ) {
        let (kind, n) = (self.sizes.kind, self.sizes.padded());
        let (s, blocks, wide) = (self.sizes.state(), self.sizes.saved(), self.sizes.table());
        // SAFETY: the caller's.
        unsafe {
            let bias = Start::Bias(self.forward.bias());
            self.forward.recurrent().product(simd, rows, before, s, saved, blocks, bias);
            for r in 0..rows {
                let (g, a, h) = (saved.add(r * blocks), table.add(r * wide), before.add(r * s));
                let to = after.add(r * s);
                let ahead = Ahead {
                    saved: g.wrapping_add(blocks),
                    after: to.wrapping_add(s),
                    table: a.wrapping_add(wide),
                };
                known!(kind, equations::forward(simd, kind, n, g, a, h, to, ahead));
            }
            if kind.architecture() == CellKind::GruResetBefore {
                let bias = Start::Bias(&self.forward.bias()[2 * n..]);
                let (rh, w_c) = (saved.add(3 * n), saved.add(2 * n));
                self.forward.candidate().product(simd, rows, rh, blocks, w_c, blocks, bias);
                for r in 0..rows {
                    let (g, a, h) = (saved.add(r * blocks), table.add(r * wide), before.add(r * s));
                    equations::forward_candidate(simd, kind, n, g, a, h, after.add(r * s));
                }
            }
        }
    }

    /// The way back through a step: `saved` becomes the gradients of the pre-activations, `d`, which holds the gradient
    /// of the state after it, that of the state before it.
    ///
    /// * `room`: `[rows, np]`, used by the GRU that resets before the product
    ///
    /// # Safety
    /// As [`Weights::forward`].
    #[inline(always)]
    pub unsafe fn backward<S: Simd>(
        &self,
        simd: S,
        rows: usize,
        before: *const f32,
        saved: *mut f32,
        d: *mut f32,
        room: *mut f32,
    ) {
        let (kind, n) = (self.sizes.kind, self.sizes.padded());
        let (s, blocks) = (self.sizes.state(), self.sizes.saved());
        // SAFETY: the caller's.
        unsafe {
            for r in 0..rows {
                let (g, h, d) = (saved.add(r * blocks), before.add(r * s), d.add(r * s));
                let soon = (g.wrapping_add(blocks).cast_const(), h.wrapping_add(s));
                known!(kind, equations::backward(simd, kind, n, g, h, d, soon));
            }
            if kind.architecture() == CellKind::GruResetBefore {
                let dc = saved.add(2 * n).cast_const();
                self.backward.candidate().product(simd, rows, dc, blocks, room, n, Start::Zero);
                for r in 0..rows {
                    let (g, h) = (saved.add(r * blocks), before.add(r * s));
                    equations::backward_candidate(simd, n, g, h, room.add(r * n), d.add(r * s));
                }
            }
            self.backward.recurrent().product(simd, rows, saved, blocks, d, s, Start::Sum);
        }
    }
}

/// The gradient of the recurrent weights, summed over steps and rows.
pub struct WeightGradient {
    sizes: Sizes,
    sum: RecurrentGradient,
}

impl WeightGradient {
    /// Zeros.
    pub fn new(sizes: Sizes) -> Self {
        Self { sizes, sum: RecurrentGradient::new(Arch::new().dispatch(Lanes), sizes) }
    }

    /// Rows that are best added at a time: they stay in the nearest cache.
    pub const fn rows_at_a_time() -> usize {
        SLOTS
    }

    /// Adds `count` rows: what [`Weights::backward`] left in `saved`, with the states before.
    #[inline(always)]
    pub fn add<S: Simd>(&mut self, simd: S, count: usize, saved: &[f32], before: &[f32]) {
        self.sum.add(simd, self.sizes, (0, count), saved, before);
    }

    /// Adds the sum to `w`, `[G·n, n]`.
    pub fn add_to(&self, w: &mut [f32]) {
        let (n, np) = (self.sizes.units, self.sizes.padded());
        for gate in 0..self.sizes.kind.gates() {
            let mut block = vec![0.0; np * np];
            self.sum.add_to(gate, &mut block);
            for (to, from) in w[gate * n * n..][..n * n].chunks_mut(n).zip(block.chunks(np)) {
                to.iter_mut().zip(from).for_each(|(w, x)| *w += x);
            }
        }
    }
}
