//! Sums of outer products, `C += Aᵀ B`: gradients of weights, gathered while their factors are near.
//!
//! The gradient of a weight matrix is a sum over slots: gradients of
//! pre-activations (a row of `A`) times what they multiplied (a row of `B`).
//! Done as one product after the loop, every factor comes back from memory;
//! here some slots at a time are added as soon as they are known, from the
//! caches in which they still lie.
//!
//! `C` is kept in tiles, in the order in which they are computed, each one
//! stretch of memory. A panel of `B` is packed and stays in the first-level
//! cache while all rows of `C` pass; `A` is broadcast from where it lies.

use super::buffers::Buffer;
use super::panel::{Vectors, load, store};
use pulp::Simd;

/// Slots that are added at a time: a panel of `B` (48 numbers a slot with AVX-512) fills three
/// quarters of a first-level cache of 32 KiB. Part of the definition of the results' bits.
pub(super) const SLOTS: usize = 128;

/// A matrix `C [m, n]` that outer products are added to.
pub(super) struct Outer {
    m: usize,
    n: usize,
    vectors: Vectors,
    /// Panel after panel of columns, in each the tiles of its rows; then room for a panel of `B`.
    numbers: Buffer,
}

impl Outer {
    /// Zeros.
    ///
    /// # Panics
    /// If `m` is odd: rows come in tiles of 8, 6, 4 and 2.
    pub(super) fn new(vectors: Vectors, m: usize, n: usize) -> Self {
        assert!(m.is_multiple_of(2), "rows come in tiles of 8, 6, 4 and 2");
        let tiles = m * n.next_multiple_of(vectors.lanes);
        let mut numbers = Buffer::of(tiles + SLOTS * vectors.width * vectors.lanes);
        numbers[..tiles].fill(0.0);
        Self { m, n, vectors, numbers }
    }

    /// `C += Aᵀ B` over `k` rows of `A` and `B`.
    ///
    /// * `a`: rows `lda` apart, `m` numbers used of each
    /// * `b`: rows `ldb` apart, `n` numbers used of each
    ///
    /// # Safety
    /// `a` must be readable for `(k−1)·lda + m` numbers, `b` for `(k−1)·ldb + n`;
    /// `simd` has the vectors that `new` was told.
    #[inline(always)]
    pub(super) unsafe fn add<S: Simd>(
        &mut self,
        simd: S,
        k: usize,
        (a, lda): (*const f32, usize),
        (b, ldb): (*const f32, usize),
    ) {
        debug_assert_eq!(self.vectors, Vectors::of(simd));
        for first in (0..k).step_by(SLOTS) {
            // SAFETY: rows [first, first + k) of both.
            unsafe {
                let (a, b) = ((a.add(first * lda), lda), (b.add(first * ldb), ldb));
                self.some(simd, SLOTS.min(k - first), a, b);
            }
        }
    }

    /// [`add`](Self::add) for at most [`SLOTS`] rows.
    #[inline(always)]
    unsafe fn some<S: Simd>(
        &mut self,
        simd: S,
        k: usize,
        a: (*const f32, usize),
        (b, ldb): (*const f32, usize),
    ) {
        let Vectors { lanes, width } = self.vectors;
        let (wide, m) = (lanes * width, self.m);
        let (tiles, panel) = self.numbers.split_at_mut(m * self.n.next_multiple_of(lanes));
        let panel = panel.as_mut_ptr();
        for first in (0..self.n).step_by(wide) {
            let real = wide.min(self.n - first);
            let vectors = real.div_ceil(lanes);
            // SAFETY: the panel holds SLOTS rows of the widest; columns [first, first + real)
            // of B are within the caller's; tiles of earlier panels hold m·first numbers.
            unsafe {
                for p in 0..k {
                    let (from, to) = (b.add(p * ldb + first), panel.add(p * vectors * lanes));
                    from.copy_to_nonoverlapping(to, real);
                    to.add(real).write_bytes(0, vectors * lanes - real);
                }
                let c = tiles.as_mut_ptr().add(m * first);
                match vectors {
                    1 => column::<S, 1>(simd, m, k, a, panel, c),
                    2 => column::<S, 2>(simd, m, k, a, panel, c),
                    _ => column::<S, 3>(simd, m, k, a, panel, c),
                }
            }
        }
    }

    /// Adds the rows of `C` from `row` on to as many as `sum` has: `[rows, n]`.
    pub(super) fn add_to(&self, row: usize, sum: &mut [f32]) {
        let Vectors { lanes, width } = self.vectors;
        for first in (0..self.n).step_by(lanes * width) {
            let real = (lanes * width).min(self.n - first);
            let wide = real.next_multiple_of(lanes);
            let tiles = &self.numbers[self.m * first..][..self.m * wide];
            let rows = tiles[row * wide..].chunks_exact(wide);
            for (sum, tile) in sum.chunks_exact_mut(self.n).zip(rows) {
                sum[first..first + real].iter_mut().zip(tile).for_each(|(sum, x)| *sum += x);
            }
        }
    }
}

/// All tiles of a panel of `V` vectors.
#[inline(always)]
unsafe fn column<S: Simd, const V: usize>(
    simd: S,
    m: usize,
    k: usize,
    (a, lda): (*const f32, usize),
    b: *const f32,
    c: *mut f32,
) {
    let wide = V * S::F32_LANES;
    let mut i = 0;
    // SAFETY: as `add`; each call stays within rows [i, m) of C.
    unsafe {
        if S::REGISTER_COUNT >= 32 {
            while m - i >= 8 {
                tile::<S, 8, V>(simd, k, (a.add(i), lda), b, c.add(i * wide));
                i += 8;
            }
        } else {
            while m - i >= 6 {
                tile::<S, 6, V>(simd, k, (a.add(i), lda), b, c.add(i * wide));
                i += 6;
            }
        }
        while m - i >= 4 {
            tile::<S, 4, V>(simd, k, (a.add(i), lda), b, c.add(i * wide));
            i += 4;
        }
        if m - i >= 2 {
            tile::<S, 2, V>(simd, k, (a.add(i), lda), b, c.add(i * wide));
        }
    }
}

/// One tile of `R` rows and `V` vectors, its sums held in registers over all of `k`.
#[inline(always)]
unsafe fn tile<S: Simd, const R: usize, const V: usize>(
    simd: S,
    k: usize,
    (a, lda): (*const f32, usize),
    b: *const f32,
    c: *mut f32,
) {
    let lanes = S::F32_LANES;
    let mut sum = [[simd.splat_f32s(0.0); V]; R];
    // SAFETY: as `add`.
    unsafe {
        for p in 0..k {
            let mut bv = [simd.splat_f32s(0.0); V];
            for (v, bv) in bv.iter_mut().enumerate() {
                *bv = load::<S>(b.add((p * V + v) * lanes));
            }
            for (r, row) in sum.iter_mut().enumerate() {
                let x = simd.splat_f32s(*a.add(p * lda + r));
                for v in 0..V {
                    row[v] = simd.mul_add_f32s(x, bv[v], row[v]);
                }
            }
        }
        for (r, row) in sum.iter().enumerate() {
            for (v, sum) in row.iter().enumerate() {
                let c = c.add((r * V + v) * lanes);
                store::<S>(c, simd.add_f32s(load::<S>(c), *sum));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, WithSimd};

    /// `[m, n, k]`, strides of A and B, numbers.
    struct Sum<'a>([usize; 3], (&'a [f32], usize), (&'a [f32], usize));

    impl WithSimd for Sum<'_> {
        type Output = Vec<f32>;
        fn with_simd<S: Simd>(self, simd: S) -> Vec<f32> {
            let Sum([m, n, k], (a, lda), (b, ldb)) = self;
            let mut outer = Outer::new(Vectors::of(simd), m, n);
            // SAFETY: the test's arrays hold k rows of lda and ldb numbers.
            unsafe { outer.add(simd, k, (a.as_ptr(), lda), (b.as_ptr(), ldb)) };
            let mut c = vec![1.0; m * n];
            let (above, below) = c.split_at_mut(m / 2 * n);
            outer.add_to(m / 2, below);
            outer.add_to(0, above);
            c
        }
    }

    #[test]
    fn sums_of_outer_products_equal_their_definition_on_every_vector_width() {
        for (m, n, k) in [(2, 1, 1), (4, 5, 127), (10, 16, 129), (18, 50, 300), (34, 101, 40)] {
            let (lda, ldb) = (m + 3, n + 1);
            // Small integers: every sum is exact, in any order.
            let a: Vec<f32> = (0..k * lda).map(|i| (i * 7 % 11) as f32 - 5.0).collect();
            let b: Vec<f32> = (0..k * ldb).map(|i| (i * 5 % 13) as f32 - 6.0).collect();
            let at = |i, j| (0..k).map(|p| a[p * lda + i] * b[p * ldb + j]).sum::<f32>() + 1.0;
            let exact: Vec<f32> = (0..m * n).map(|x| at(x / n, x % n)).collect();
            let sum = || Sum([m, n, k], (&a, lda), (&b, ldb));
            assert_eq!(Arch::new().dispatch(sum()), exact, "{m} × {n}, {k} rows");
            assert_eq!(sum().with_simd(pulp::Scalar), exact, "{m} × {n}, {k} rows, no vectors");
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = pulp::x86::V3::try_new() {
                assert_eq!(Simd::vectorize(avx2, sum()), exact, "{m} × {n}, {k} rows, AVX2");
            }
        }
    }
}
