//! Products with a matrix that is used many times: packed once, kept near.
//!
//! A recurrent step multiplies a few dozen rows of states with the same
//! weights at every token. [`Panels`] holds such a matrix `B [k, n]` in the
//! order in which the product reads it: vertical panels a few vector registers
//! wide, each row of a panel contiguous. The product computes a tile of
//! registers at a time: 8 rows of 3 where there are 32 (AVX-512, NEON: 24
//! accumulators), 6 rows of 2 where there are 16 (AVX2: 12 accumulators, two
//! for `B`, one for `A`; 4 rows of 3 would need all sixteen, and spill). It reads each
//! packed number once a tile, and broadcasts the rows of `A` straight from where the
//! states lie.

use super::buffers::{Buffer, LINE};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// How many rows before it is read a row of a packed panel is asked for: a panel comes from the
/// second-level cache, again for each tile of rows, and the processor's own guesses come late.
const AHEAD: usize = 16;

/// How a processor's vectors cut a matrix into panels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vectors {
    /// Numbers of a vector.
    pub lanes: usize,
    /// Vectors in a panel's width.
    pub width: usize,
    /// Rows of the tallest tile.
    pub height: usize,
}

impl Vectors {
    /// Those of an instruction set.
    pub fn of<S: Simd>(_: S) -> Self {
        let (height, width) = if S::REGISTER_COUNT >= 32 { (8, 3) } else { (6, 2) };
        Self { lanes: S::F32_LANES, width, height }
    }

    /// Panels over `count` vectors: first vector and width of each.
    ///
    /// One vector beside three keeps too few products in flight, each with a broadcast of its own,
    /// and takes 1.6 times its share of the time: four are cut in halves.
    pub fn cut(self, count: usize) -> impl Iterator<Item = (usize, usize)> {
        let mut first = 0;
        std::iter::from_fn(move || {
            let left = count - first;
            let wide = if left == 4 && self.width == 3 { 2 } else { self.width.min(left) };
            let panel = (first, wide);
            first += wide;
            (wide > 0).then_some(panel)
        })
    }
}

/// A matrix `[k, n]` packed for [`Panels::product`]; `n` in whole vectors.
#[derive(Debug, Default)]
pub struct Panels {
    k: usize,
    n: usize,
    packed: Buffer,
}

/// What a product starts from.
#[derive(Clone, Copy)]
pub enum Start<'a> {
    /// `C = bias + A B`, the same bias `[n]` for each row.
    Bias(&'a [f32]),
    /// `C = C + A B`.
    Sum,
    /// `C = A B`.
    Zero,
}

impl Panels {
    /// Packs `B [k, n]`, given by its entry function, for the vectors that the
    /// product will use.
    ///
    /// # Panics
    /// If `n` is not in whole vectors.
    pub fn pack(
        &mut self,
        vectors: Vectors,
        k: usize,
        n: usize,
        entry: impl Fn(usize, usize) -> f32 + Sync,
    ) {
        assert!(n.is_multiple_of(vectors.lanes), "padded widths are whole vectors");
        (self.k, self.n) = (k, n);
        self.packed = Buffer::of(k * n);
        let (mut panels, mut rest) = (Vec::new(), &mut self.packed[..]);
        for (first, wide) in vectors.cut(n / vectors.lanes) {
            let (panel, after) = rest.split_at_mut(k * wide * vectors.lanes);
            panels.push((first * vectors.lanes, wide * vectors.lanes, panel));
            rest = after;
        }
        panels.into_par_iter().for_each(|(first, width, panel)| {
            for (p, row) in panel.chunks_exact_mut(width).enumerate() {
                row.iter_mut().enumerate().for_each(|(j, x)| *x = entry(p, first + j));
            }
        });
    }

    /// Rows of the packed matrix.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Columns of the packed matrix.
    pub fn n(&self) -> usize {
        self.n
    }

    /// `C[r, j] = start + Σ_p A[r, p] B[p, j]` for `rows` rows.
    ///
    /// * `a`: rows `lda` apart, `k` numbers used of each
    /// * `c`: rows `ldc` apart, `n` numbers written of each
    ///
    /// # Safety
    /// `a` must be readable for `(rows−1)·lda + k` numbers and `c` writable for
    /// `(rows−1)·ldc + n`; they must not overlap.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub unsafe fn product<S: Simd>(
        &self,
        simd: S,
        rows: usize,
        a: *const f32,
        lda: usize,
        c: *mut f32,
        ldc: usize,
        start: Start,
    ) {
        let vectors = Vectors::of(simd);
        let lanes = vectors.lanes;
        // SAFETY: tiles cover columns [0, n) and rows [0, rows) once; a panel of
        // width w holds k·w numbers and lies right after the panels before it.
        unsafe {
            for (v, wide) in vectors.cut(self.n / lanes) {
                let b = self.packed.as_ptr().add(v * lanes * self.k);
                let c = c.add(v * lanes);
                let start = match start {
                    Start::Bias(bias) => Start::Bias(&bias[v * lanes..]),
                    other => other,
                };
                match wide {
                    1 => panel::<S, 1>(simd, self.k, rows, a, lda, b, c, ldc, start),
                    2 => panel::<S, 2>(simd, self.k, rows, a, lda, b, c, ldc, start),
                    _ => panel::<S, 3>(simd, self.k, rows, a, lda, b, c, ldc, start),
                }
            }
        }
    }
}

/// All row tiles of one panel.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn panel<S: Simd, const V: usize>(
    simd: S,
    k: usize,
    rows: usize,
    a: *const f32,
    lda: usize,
    b: *const f32,
    c: *mut f32,
    ldc: usize,
    start: Start,
) {
    let mut r = 0;
    // SAFETY: as `product`; each call stays within rows [r, rows).
    unsafe {
        if S::REGISTER_COUNT >= 32 {
            while rows - r >= 8 {
                tile::<S, 8, V>(simd, k, a.add(r * lda), lda, b, c.add(r * ldc), ldc, start);
                r += 8;
            }
        } else {
            // Eight rows are two tiles of four: a tile of two keeps too little in flight.
            while rows - r >= 6 && rows - r != 8 {
                tile::<S, 6, V>(simd, k, a.add(r * lda), lda, b, c.add(r * ldc), ldc, start);
                r += 6;
            }
        }
        while rows - r >= 4 {
            tile::<S, 4, V>(simd, k, a.add(r * lda), lda, b, c.add(r * ldc), ldc, start);
            r += 4;
        }
        if rows - r >= 2 {
            tile::<S, 2, V>(simd, k, a.add(r * lda), lda, b, c.add(r * ldc), ldc, start);
            r += 2;
        }
        if rows - r == 1 {
            tile::<S, 1, V>(simd, k, a.add(r * lda), lda, b, c.add(r * ldc), ldc, start);
        }
    }
}

/// One tile of `R` rows and `V` vectors, held in registers over all of `k`.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
unsafe fn tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    k: usize,
    a: *const f32,
    lda: usize,
    b: *const f32,
    c: *mut f32,
    ldc: usize,
    start: Start,
) {
    let lanes = S::F32_LANES;
    // Vectors of a cache line.
    let vectors = (LINE / lanes).max(1);
    let mut sum = [[simd.splat_f32s(0.0); V]; R];
    // SAFETY: as `product`.
    unsafe {
        // C is written when the sums are done, and by then it is near.
        for r in 0..R {
            for v in (0..V).step_by(vectors) {
                ask_for(c.wrapping_add(r * ldc + v * lanes));
            }
        }
        match start {
            Start::Bias(bias) => {
                for v in 0..V {
                    let bias = load::<S>(bias.as_ptr().add(v * lanes));
                    for row in &mut sum {
                        row[v] = bias;
                    }
                }
            }
            Start::Sum => {
                for (r, row) in sum.iter_mut().enumerate() {
                    for (v, sum) in row.iter_mut().enumerate() {
                        *sum = load::<S>(c.add(r * ldc + v * lanes));
                    }
                }
            }
            Start::Zero => {}
        }
        for p in 0..k {
            let mut bv = [simd.splat_f32s(0.0); V];
            for (v, bv) in bv.iter_mut().enumerate() {
                *bv = load::<S>(b.add((p * V + v) * lanes));
            }
            for v in (0..V).step_by(vectors) {
                ask_for(b.wrapping_add(((p + AHEAD) * V + v) * lanes));
            }
            for (r, row) in sum.iter_mut().enumerate() {
                let x = simd.splat_f32s(*a.add(r * lda + p));
                for v in 0..V {
                    row[v] = simd.mul_add_f32s(x, bv[v], row[v]);
                }
            }
        }
        for (r, row) in sum.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                store::<S>(c.add(r * ldc + v * lanes), *sum);
            }
        }
    }
}

/// Reads one vector from anywhere.
///
/// # Safety
/// `from` must be readable for one vector.
#[inline(always)]
pub unsafe fn load<S: Simd>(from: *const f32) -> S::f32s {
    // SAFETY: the caller's; vectors are plain data.
    unsafe { (from as *const S::f32s).read_unaligned() }
}

/// Writes one vector anywhere.
///
/// # Safety
/// `to` must be writable for one vector.
#[inline(always)]
pub unsafe fn store<S: Simd>(to: *mut f32, value: S::f32s) {
    // SAFETY: the caller's; vectors are plain data.
    unsafe { (to as *mut S::f32s).write_unaligned(value) }
}

/// Asks for the cache line at `at`, to be read or written next; any address will do.
#[inline(always)]
pub(super) fn ask_for(at: *const f32) {
    ask::<true>(at);
}

/// [`ask_for`] a line that will be wanted a step later: it goes to the second-level cache.
#[inline(always)]
pub(super) fn ask_early_for(at: *const f32) {
    ask::<false>(at);
}

/// Rust has no such hint for other processors yet.
#[inline(always)]
fn ask<const NEXT: bool>(at: *const f32) {
    // SAFETY: a hint reads nothing; every x86-64 has it.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _MM_HINT_T1, _mm_prefetch};
        if NEXT {
            _mm_prefetch::<_MM_HINT_T0>(at.cast());
        } else {
            _mm_prefetch::<_MM_HINT_T1>(at.cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = at;
}

/// Vector length of this processor.
pub(super) struct Lanes;

impl WithSimd for Lanes {
    type Output = Vectors;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vectors {
        Vectors::of(simd)
    }
}
