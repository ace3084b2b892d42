//! What stands around the loop over tokens: the table of inputs before it, the gradients of the input
//! side after it.

use super::batch::Batch;
use super::buffers::{Buffer, pad_blocks};
use super::denormals::FlushDenormals;
use super::equations::input_gradient_blocks;
use super::outer::{Outer, SLOTS};
use super::panel::{Lanes, Panels, Start, Vectors, ask_for};
use super::sequence::{Entry, PAD, Sizes};
use super::shard::add;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

/// Rows of a result that one piece of work computes.
const CHUNK: usize = 64;

/// Rows that one piece of work sums up: a fixed number, so that the bits stay the same.
const PIECE: usize = 8 * SLOTS;

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

/// What `A x + b_ih` is read from.
pub(super) enum Projection<'a> {
    /// From a table: a row for each distinct token, `[distinct, G·np]`.
    Table(Buffer),
    /// From products, a step at a time: where each vector occurs once a table would be as long as the batch, written once
    /// and read once.
    Products {
        /// `A`, as `[u, G·np]`.
        weights: Panels,
        /// `b_ih`, `[G·np]`.
        bias: Vec<f32>,
        /// `[distinct, u]`.
        vectors: &'a [f32],
    },
}

/// Prepares `A x + b_ih` of the batch's tokens.
pub(super) fn project<'a>(
    arch: Arch,
    sizes: Sizes,
    batch: &Batch,
    a: &[f32],
    b_ih: &[f32],
    vectors: &'a [f32],
) -> Projection<'a> {
    let (n, np, width) = (sizes.units, sizes.padded(), sizes.table());
    let bias = pad_blocks(b_ih, n, np);
    match sizes.entry {
        Entry::OneHot(v) => {
            let mut table = Buffer::of(batch.distinct.len() * width);
            table.par_chunks_exact_mut(width).zip(&batch.distinct).for_each(|(row, &token)| {
                row.copy_from_slice(&bias);
                for (g, block) in row.chunks_exact_mut(np).enumerate() {
                    for (i, entry) in block[..n].iter_mut().enumerate() {
                        *entry += a[(g * n + i) * v + token as usize];
                    }
                }
            });
            Projection::Table(table)
        }
        Entry::Vectors(u) => {
            let mut weights = Panels::default();
            weights.pack(arch.dispatch(Lanes), u, width, |p, j| {
                let (g, i) = (j / np, j % np);
                if i < n { a[(g * n + i) * u + p] } else { 0.0 }
            });
            if batch.each_once() {
                return Projection::Products { weights, bias, vectors };
            }
            let mut table = Buffer::of(batch.distinct.len() * width);
            parallel_product(arch, &weights, vectors, &mut table, Some(&bias));
            Projection::Table(table)
        }
    }
}

/// One shard's part of the gradient of `A` and `b_ih`, gathered while its factors are near: a sum of outer products of the
/// vectors, each with a 1 behind it, with the gradients of pre-activations.
pub(super) struct InputWeightGradient {
    /// First saved block, and `[inputs, blocks·np]`, of each run of saved blocks that lie side by side.
    runs: Vec<(usize, Outer)>,
    /// Numbers of a vector with its 1, made even.
    inputs: usize,
}

impl InputWeightGradient {
    pub(super) fn new(lanes: Vectors, sizes: Sizes) -> Self {
        let (np, inputs) = (sizes.padded(), sizes.with_one());
        let runs = input_gradient_blocks(sizes.kind).chunk_by(|a, b| a + 1 == *b);
        let runs = runs.map(|run| (run[0], Outer::new(lanes, inputs, run.len() * np))).collect();
        Self { runs, inputs }
    }

    /// Adds the slots from `first` up to `end`.
    ///
    /// * `gates`: what the way back left of all, `[slots, saved]`
    /// * `entered`: their vectors, each with its 1, `[slots, inputs]`
    #[inline(always)]
    pub(super) fn add<S: Simd>(
        &mut self,
        simd: S,
        sizes: Sizes,
        (first, end): (usize, usize),
        gates: &[f32],
        entered: &[f32],
    ) {
        let (np, blocks) = (sizes.padded(), sizes.saved());
        let gates = &gates[first * blocks..end * blocks];
        let x = &entered[first * self.inputs..end * self.inputs];
        for (run, sum) in &mut self.runs {
            let from = gates[*run * np..].as_ptr();
            // SAFETY: each slot has `blocks` blocks of np numbers, and its vector in `x`.
            unsafe { sum.add(simd, end - first, (x.as_ptr(), self.inputs), (from, blocks)) };
        }
    }

    /// Adds the transposed gradient, `[inputs, G·np]`, to `sum`.
    fn add_to(&self, sum: &mut [f32]) {
        let width = sum.len() / self.inputs;
        let mut column = 0;
        for (_, outer) in &self.runs {
            let mut part = vec![0.0; self.inputs * outer.columns()];
            outer.add_to(0, &mut part);
            for (to, from) in sum.chunks_exact_mut(width).zip(part.chunks_exact(outer.columns())) {
                let to = &mut to[column..][..from.len()];
                to.iter_mut().zip(from).for_each(|(sum, x)| *sum += x);
            }
            column += outer.columns();
        }
        debug_assert_eq!(column, width, "each gate has its block");
    }
}

/// `dA [G·n, u]` and the gradient of `b_ih`, `[G·np]`, from what the shards have summed up.
pub(super) fn input_weight_gradient(
    sizes: Sizes,
    parts: &[&InputWeightGradient],
) -> (Vec<f32>, Vec<f32>) {
    let (n, np, u, width) = (sizes.units, sizes.padded(), sizes.inputs(), sizes.table());
    let mut sum = vec![0.0; sizes.with_one() * width];
    parts.iter().for_each(|part| part.add_to(&mut sum));
    let rows = (0..width).filter(|i| i % np < n);
    let d_a = rows.flat_map(|i| (0..u).map(move |p| p * width + i)).map(|at| sum[at]).collect();
    (d_a, sum[u * width..][..width].to_vec())
}

/// Gradients of `A x + b_ih` summed over each distinct token's slots, `[distinct,
/// G·np]`, and over all slots, `[G·np]`.
///
/// * `frequent`: the sums of the batch's frequent tokens, `[places, G·np]`
pub(super) fn sum_by_token(
    arch: Arch,
    sizes: Sizes,
    batch: &Batch,
    gates: &[f32],
    frequent: &[f32],
) -> (Buffer, Vec<f32>) {
    struct Tokens<'a> {
        sizes: Sizes,
        batch: &'a Batch,
        gates: &'a [f32],
        frequent: &'a [f32],
        first: usize,
        sums: &'a mut [f32],
        /// Sum of this piece's rows.
        total: &'a mut [f32],
    }
    impl WithSimd for Tokens<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let Self { sizes, batch, gates, frequent, first, sums, total } = self;
            let (np, blocks, wide) = (sizes.padded(), sizes.saved(), sizes.table());
            for (d, sums) in sums.chunks_exact_mut(wide).enumerate() {
                let d = first + d;
                let slots = match batch.frequent[d] {
                    Some(place) => {
                        sums.copy_from_slice(&frequent[place as usize * wide..][..wide]);
                        &[]
                    }
                    None => &batch.slots_by_token[batch.occurrences[d]..batch.occurrences[d + 1]],
                };
                for (i, &slot) in slots.iter().enumerate() {
                    let from = &gates[slot as usize * blocks..][..blocks];
                    // Slots lie far apart: the next is asked for while this one is added.
                    let next = slots.get(i + 1).map_or(from.as_ptr(), |&next| {
                        gates.as_ptr().wrapping_add(next as usize * blocks)
                    });
                    for (g, &block) in input_gradient_blocks(sizes.kind).iter().enumerate() {
                        for j in (0..np).step_by(PAD) {
                            ask_for(next.wrapping_add(block * np + j));
                        }
                        let (from, to) = (&from[block * np..][..np], &mut sums[g * np..][..np]);
                        if i == 0 {
                            to.copy_from_slice(from);
                        } else {
                            // SAFETY: both are np numbers.
                            unsafe { add(simd, np, to.as_mut_ptr(), from.as_ptr()) };
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
        let first = chunk * CHUNK;
        arch.dispatch(Tokens { sizes, batch, gates, frequent, first, sums, total });
    });
    let mut total = vec![0.0; width];
    for piece in totals.chunks_exact(width) {
        total.iter_mut().zip(piece).for_each(|(sum, x)| *sum += x);
    }
    (sums, total)
}

/// `Aᵀ B [m, n]` over all rows, in pieces of rows.
fn transposed_product(arch: Arch, a: &[f32], m: usize, b: &[f32], n: usize) -> Vec<f32> {
    struct Piece<'a> {
        a: &'a [f32],
        m: usize,
        b: &'a [f32],
        n: usize,
    }
    impl WithSimd for Piece<'_> {
        type Output = Outer;
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> Outer {
            let Self { a, m, b, n } = self;
            let k = a.len() / m;
            assert!(a.len() == k * m && b.len() == k * n, "each row of A has its row of B");
            let mut sum = Outer::new(Vectors::of(simd), m, n);
            // SAFETY: both slices hold k whole rows.
            unsafe { sum.add(simd, k, (a.as_ptr(), m), (b.as_ptr(), n)) };
            sum
        }
    }
    let parts: Vec<Outer> = a
        .par_chunks(PIECE * m)
        .zip(b.par_chunks(PIECE * n))
        .map(|(a, b)| {
            let _flush = FlushDenormals::on_this_thread();
            arch.dispatch(Piece { a, m, b, n })
        })
        .collect();
    let mut c = vec![0.0; m * n];
    c.par_chunks_mut(CHUNK * n).enumerate().for_each(|(chunk, c)| {
        parts.iter().for_each(|part| part.add_to(chunk * CHUNK, c));
    });
    c
}

/// `dA [G·n, u]` and the gradient of the token vectors `[distinct, u]`.
pub(super) fn input_gradients(
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
            let padded = transposed_product(arch, by_token, width, vectors, u);
            let d_a = if n == np {
                padded
            } else {
                let blocks = padded.chunks_exact(np * u);
                blocks.flat_map(|block| block[..n * u].iter().copied()).collect()
            };

            let up = u.next_multiple_of(PAD);
            let mut packed = Panels::default();
            packed.pack(arch.dispatch(Lanes), width, up, |p, j| {
                let (g, i) = (p / np, p % np);
                if i < n && j < u { a[(g * n + i) * u + j] } else { 0.0 }
            });
            let mut wide = Buffer::of(tokens * up);
            parallel_product(arch, &packed, by_token, &mut wide, None);
            let d_vectors = if u == up {
                wide.to_vec()
            } else {
                wide.chunks_exact(up).flat_map(|row| row[..u].iter().copied()).collect()
            };
            (d_a, d_vectors)
        }
    }
}
