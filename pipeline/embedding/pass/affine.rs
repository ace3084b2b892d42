//! Affine maps and blocks of units padded to whole vectors.

use crate::ops::Sizes;
use crate::ops::panel::{Panels, Vectors};
use pulp::{Simd, WithSimd};

/// Units are padded to a multiple of this: whole vectors on every processor.
const PAD: usize = 16;

/// Copies blocks of `n` numbers to blocks of `np`, zeros between.
pub(super) fn padded(numbers: &[f32], n: usize, np: usize) -> Vec<f32> {
    let mut all = vec![0.0; numbers.len() / n * np];
    for (to, from) in all.chunks_exact_mut(np).zip(numbers.chunks_exact(n)) {
        to[..n].copy_from_slice(from);
    }
    all
}

/// The same back.
pub(super) fn bare(numbers: &[f32], n: usize, np: usize) -> impl Iterator<Item = f32> {
    numbers.chunks_exact(np).flat_map(move |block| block[..n].iter().copied())
}

/// How wide this processor's vectors are.
pub(super) struct Widths;

impl WithSimd for Widths {
    type Output = Vectors;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vectors {
        Vectors::of(simd)
    }
}

/// An affine map of padded states, as both ways read it: `m [d, s]`, `bias [d]`.
pub(super) struct Affine {
    pub(super) d: usize,
    /// Padded.
    pub(super) dp: usize,
    pub(super) forward: Panels,
    pub(super) backward: Panels,
    pub(super) bias: Vec<f32>,
}

impl Affine {
    pub(super) fn pack(vectors: Vectors, sizes: Sizes, m: &[f32], bias: &[f32]) -> Self {
        let (n, np, d) = (sizes.units, sizes.padded(), bias.len());
        let (s, sp, dp) = (sizes.kind.state_size(n), sizes.state(), d.next_multiple_of(PAD));
        let at = |row: usize, column: usize| {
            let (block, i) = (column / np, column % np);
            if row < d && i < n { m[row * s + block * n + i] } else { 0.0 }
        };
        let (mut forward, mut backward) = (Panels::default(), Panels::default());
        if d > 0 {
            forward.pack(vectors, sp, dp, |p, j| at(j, p));
            backward.pack(vectors, dp, sp, at);
        }
        let mut bias = bias.to_vec();
        bias.resize(dp, 0.0);
        Self { d, dp, forward, backward, bias }
    }
}
