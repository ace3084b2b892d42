//! Sums of outer products, `C += Aᵀ B`: gradients of weights, gathered while their factors are near.
//!
//! The gradient of a weight matrix is a sum over slots: gradients of
//! pre-activations (a row of `A`) times what they multiplied (a row of `B`).
//! Done as one product after the loop, every factor comes back from memory;
//! here some slots at a time are added as soon as they are known, from the
//! caches in which they still lie.
//!
//! `C` is kept in tiles, each one stretch of memory. `B` is packed in panels once; of `A`, a few
//! columns at a time (rows of `C`), so that each of its lines is fetched once: they lie
//! kilobytes apart, where a cache has room for few of them.

use super::buffers::{Buffer, LINE};
use super::panel::{Vectors, ask_for, load, store};
use pulp::Simd;

/// Slots that are added at a time: a panel of `B` (48 numbers a slot with AVX-512) and a tile's
/// columns of `A` (8, in lines of 16) fill a first-level cache of 32 KiB. Part of the definition of the results' bits.
pub(super) const SLOTS: usize = 128;

/// Tiles of rows of `C` whose columns of `A` are packed together: whole cache lines, twice as many
/// as one, for half as many visits to their pages.
const TILES: usize = 4;

/// A matrix `C [m, n]` that outer products are added to.
pub struct Outer {
    m: usize,
    n: usize,
    vectors: Vectors,
    /// Tile after tile of rows, in each its panels of columns; then room for the panels of `B` and
    /// for some columns of `A`.
    numbers: Buffer,
}

/// Tiles over `rows` rows: first row and height of each.
fn tiles(vectors: Vectors, rows: usize) -> impl Iterator<Item = (usize, usize)> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let left = rows - first;
        let height = [vectors.height, 4, 2].into_iter().find(|&height| height <= left)?;
        first += height;
        Some((first - height, height))
    })
}

impl Outer {
    /// Zeros.
    ///
    /// # Panics
    /// If `m` is odd: rows come in tiles of 8, 6, 4 and 2.
    pub fn new(vectors: Vectors, m: usize, n: usize) -> Self {
        assert!(m.is_multiple_of(2), "rows come in tiles of 8, 6, 4 and 2");
        let wide = n.next_multiple_of(vectors.lanes);
        let mut numbers = Buffer::of(m * wide + SLOTS * wide + SLOTS * TILES * vectors.height);
        numbers[..m * wide].fill(0.0);
        Self { m, n, vectors, numbers }
    }

    /// `n`.
    pub(super) fn columns(&self) -> usize {
        self.n
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
    pub unsafe fn add<S: Simd>(
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
        (a, lda): (*const f32, usize),
        (b, ldb): (*const f32, usize),
    ) {
        let (lanes, m) = (self.vectors.lanes, self.m);
        let wide = self.n.next_multiple_of(lanes);
        let panels = || self.vectors.cut(wide / lanes);
        let c = self.numbers.as_mut_ptr();
        // SAFETY: `new` made room for C, then for SLOTS rows of B, then for SLOTS rows of some
        // tiles' columns of A; columns [first, first + real) of B are within the caller's.
        unsafe {
            let b_packed = c.add(m * wide);
            let a_packed = b_packed.add(SLOTS * wide);
            for (first, vectors) in panels() {
                let (first, width) = (first * lanes, vectors * lanes);
                let real = width.min(self.n - first);
                for p in 0..k {
                    let (from, to) = (b.add(p * ldb + first), b_packed.add(k * first + p * width));
                    if real == width {
                        for v in (0..width).step_by(lanes) {
                            store::<S>(to.add(v), load::<S>(from.add(v)));
                        }
                    } else {
                        from.copy_to_nonoverlapping(to, real);
                        to.add(real).write_bytes(0, width - real);
                    }
                }
            }
            let columns = TILES * Vectors::of(simd).height;
            for row in (0..m).step_by(columns) {
                let rows = columns.min(m - row);
                for p in 0..k {
                    let (from, to) = (a.add(p * lda + row), a_packed.add(p * columns));
                    match rows {
                        32 => from.copy_to_nonoverlapping(to, 32),
                        24 => from.copy_to_nonoverlapping(to, 24),
                        few => from.copy_to_nonoverlapping(to, few),
                    }
                }
                for (first, vectors) in panels() {
                    let b = b_packed.add(k * first * lanes);
                    for (i, height) in tiles(self.vectors, rows) {
                        let a = (a_packed.add(i).cast_const(), columns);
                        let c = c.add((row + i) * wide + height * first * lanes);
                        match vectors {
                            1 => tall::<S, 1>(simd, height, k, a, b, c),
                            2 => tall::<S, 2>(simd, height, k, a, b, c),
                            _ => tall::<S, 3>(simd, height, k, a, b, c),
                        }
                    }
                }
            }
        }
    }

    /// Adds the rows of `C` from `row` on to as many as `sum` has: `[rows, n]`.
    pub fn add_to(&self, row: usize, sum: &mut [f32]) {
        let lanes = self.vectors.lanes;
        let wide = self.n.next_multiple_of(lanes);
        let rows = row..row + sum.len() / self.n;
        for (first, height) in tiles(self.vectors, self.m) {
            for r in rows.start.max(first)..rows.end.min(first + height) {
                let sum = &mut sum[(r - row) * self.n..][..self.n];
                for (panel, vectors) in self.vectors.cut(wide / lanes) {
                    let (panel, width) = (panel * lanes, vectors * lanes);
                    let tile = &self.numbers[first * wide + height * panel + (r - first) * width..];
                    let real = width.min(self.n - panel);
                    sum[panel..panel + real].iter_mut().zip(tile).for_each(|(s, x)| *s += x);
                }
            }
        }
    }
}

/// One tile of `height` rows and `V` vectors.
#[inline(always)]
unsafe fn tall<S: Simd, const V: usize>(
    simd: S,
    height: usize,
    k: usize,
    a: (*const f32, usize),
    b: *const f32,
    c: *mut f32,
) {
    // SAFETY: as `add`.
    unsafe {
        match height {
            8 if S::REGISTER_COUNT >= 32 => tile::<S, 8, V>(simd, k, a, b, c),
            6 if S::REGISTER_COUNT < 32 => tile::<S, 6, V>(simd, k, a, b, c),
            4 => tile::<S, 4, V>(simd, k, a, b, c),
            _ => tile::<S, 2, V>(simd, k, a, b, c),
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
        for at in (0..R * V * lanes).step_by(LINE) {
            ask_for(c.wrapping_add(at));
        }
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
