//! Latent semantic analysis of single documents: the leading singular vectors of
//! the sparse document–term matrix.
//!
//! With `X` the `[documents, words]` counts, a block of directions of word space is
//! multiplied by `XᵀX` again and again, each image made orthonormal to all before it, and
//! the singular directions are sought in the span of all of them (randomised block
//! Krylov: Musco & Musco 2015), until for each of the first `k`
//!
//! ```text
//! ‖XᵀX v − σ² v‖ ≤ tolerance · σ₁²
//! ```
//!
//! The error is measured, not assumed: it stands beside the result. A matrix with few
//! columns or rows is decomposed exactly.

use super::Counts;
use crate::linalg::{Matrix, svd, symmetric};
use crate::{Error, Result, seed};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// Directions of a block beside those that were asked for.
const BESIDE: usize = 4;
/// Multiplications before the search is given up.
const STEPS: usize = 60;
/// Documents a piece of work; the order of all sums hangs on it.
const CHUNK: usize = 1024;

/// The leading singular values and directions.
#[derive(Clone, Debug)]
pub struct Lsa {
    /// `σ`, descending.
    pub singular: Vec<f64>,
    /// Directions of word space, `[words, k]`, orthonormal.
    pub directions: Matrix,
    /// Largest `‖XᵀX v − σ² v‖ / σ₁²` over them.
    pub error: f64,
    /// Multiplications by `XᵀX`.
    pub steps: usize,
}

/// The first `k` singular values and directions of the counts.
///
/// # Errors
/// [`Error::Usage`] if `k` is 0 or above the smaller side; [`Error::NotFinite`] for
/// counts that are not finite.
pub fn documents(counts: &Counts, k: usize, tolerance: f64, seed: u64) -> Result<Lsa> {
    let (rows, words) = (counts.len(), counts.vocabulary());
    if k == 0 || k > rows.min(words) {
        return Err(Error::Usage(format!(
            "LSA: {k} components of {rows} documents and {words} words"
        )));
    }
    let width = k + BESIDE;
    if 3 * width >= rows.min(words) {
        let mut dense = Matrix::zeros(rows, words);
        for d in 0..rows {
            counts.document(d).for_each(|(w, c)| dense[(d, w as usize)] = c as f64);
        }
        let found = svd(&dense)?;
        let directions = found.v.columns(0, k).into_owned();
        return Ok(Lsa {
            singular: found.singular[..k].to_vec(),
            directions,
            error: 0.0,
            steps: 0,
        });
    }
    let mut stream = seed::stream(seed, "stats/lsa");
    let start = Matrix::from_fn(words, width, |_, _| StandardNormal.sample(&mut stream));
    let mut blocks = vec![orthonormal(&start)?];
    let mut images = vec![gram(counts, &blocks[0])];
    loop {
        // XᵀX within the span, block by block.
        let size = blocks.len() * width;
        let mut inner = Matrix::zeros(size, size);
        for (i, block) in blocks.iter().enumerate() {
            for (j, image) in images.iter().enumerate().take(i + 1) {
                let part = block.tr_mul(image);
                inner.view_mut((j * width, i * width), (width, width)).copy_from(&part.transpose());
                inner.view_mut((i * width, j * width), (width, width)).copy_from(&part);
            }
        }
        let (values, turn) = symmetric(&inner)?;
        let along = |parts: &[Matrix]| {
            let mut sum = Matrix::zeros(words, k);
            for (i, part) in parts.iter().enumerate() {
                sum.gemm(1.0, part, &turn.view((i * width, 0), (width, k)), 1.0);
            }
            sum
        };
        let (directions, turned) = (along(&blocks), along(&images));
        let error = (0..k)
            .map(|a| (turned.column(a) - directions.column(a) * values[a]).norm() / values[0])
            .fold(0.0, f64::max);
        let steps = images.len();
        if error <= tolerance || steps >= STEPS || size + width > words {
            let singular = values[..k].iter().map(|v| v.max(0.0).sqrt()).collect();
            return Ok(Lsa { singular, directions, error, steps });
        }
        // The next block: the last image without what is known already, twice.
        let mut next = images[steps - 1].clone();
        for _ in 0..2 {
            for block in &blocks {
                let shares = block.tr_mul(&next);
                next.gemm(-1.0, block, &shares, 1.0);
            }
            next = orthonormal(&next)?;
        }
        images.push(gram(counts, &next));
        blocks.push(next);
    }
}

/// An orthonormal basis of the columns, by the Cholesky factor of their products, twice
/// (CholeskyQR2); columns are scaled first, so that the factor exists.
fn orthonormal(columns: &Matrix) -> Result<Matrix> {
    let mut q = columns.clone();
    q.column_iter_mut().for_each(|mut c| {
        let norm = c.norm();
        c /= norm.max(f64::MIN_POSITIVE);
    });
    for _ in 0..2 {
        let products = q.tr_mul(&q);
        let Some(factor) = products.clone().cholesky() else {
            // Nearly dependent columns: the eigenvectors of their products are a basis.
            let (values, vectors) = symmetric(&products)?;
            let scaled = Matrix::from_fn(vectors.nrows(), vectors.ncols(), |i, j| {
                vectors[(i, j)] / values[j].max(1e-14 * values[0]).sqrt()
            });
            q *= scaled;
            continue;
        };
        let inverse = factor.l().transpose().try_inverse().ok_or_else(|| Error::NotFinite {
            what: "the basis".into(),
            place: "its triangle".into(),
            remedy: "ask for fewer components".into(),
        })?;
        q *= inverse;
    }
    Ok(q)
}

/// `XᵀX B` for a block `B` of word space, chunks of documents side by side and added
/// in their order.
fn gram(counts: &Counts, block: &Matrix) -> Matrix {
    let (words, width) = block.shape();
    // A row a word, so that a document gathers whole rows.
    let by_word: Vec<f64> = block.transpose().as_slice().to_vec();
    let chunks = counts.len().div_ceil(CHUNK);
    let groups = rayon::current_num_threads().max(1) * 2;
    let mut total = vec![0.0; words * width];
    let chunk_sum = |c: usize, sum: &mut Vec<f64>| {
        let mut z = vec![0.0; width];
        for d in c * CHUNK..((c + 1) * CHUNK).min(counts.len()) {
            z.fill(0.0);
            for (w, count) in counts.document(d) {
                let row = &by_word[w as usize * width..][..width];
                z.iter_mut().zip(row).for_each(|(z, x)| *z += count as f64 * x);
            }
            for (w, count) in counts.document(d) {
                let row = &mut sum[w as usize * width..][..width];
                row.iter_mut().zip(&z).for_each(|(s, z)| *s += count as f64 * z);
            }
        }
    };
    // Pieces of a fixed size are added in a fixed order, whatever the threads.
    let pieces = chunks.div_ceil(PIECES);
    let order: Vec<usize> = (0..pieces).collect();
    for round in order.chunks(groups) {
        let sums: Vec<Vec<f64>> = round
            .par_iter()
            .map(|&p| {
                let mut sum = vec![0.0; words * width];
                (p * PIECES..((p + 1) * PIECES).min(chunks)).for_each(|c| chunk_sum(c, &mut sum));
                sum
            })
            .collect();
        sums.iter().for_each(|s| total.iter_mut().zip(s).for_each(|(t, s)| *t += s));
    }
    Matrix::from_column_slice(width, words, &total).transpose()
}

/// Chunks of documents that share a sum.
const PIECES: usize = 8;
