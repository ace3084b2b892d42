//! Which documents make up which batch: similar lengths, an order fixed by the seed.

use crate::seed;
use rand::seq::SliceRandom;

/// Batches whose documents are sorted by length together. More would sort
/// better and mix worse: at 50 the padding left is below 3 % on film reviews.
pub const BATCHES_SORTED: usize = 50;

/// The batches of epoch `epoch`, each the indices of at most `size` documents.
///
/// The documents are shuffled, cut into runs of [`BATCHES_SORTED`] batches,
/// sorted by length within a run, cut into batches, and the batches shuffled;
/// all from the stream `batch order/epoch …`.
pub fn epoch(lengths: &[usize], size: usize, seed: u64, epoch: usize) -> Vec<Vec<usize>> {
    let mut stream = seed::stream(seed, &format!("batch order/epoch {epoch}"));
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.shuffle(&mut stream);
    let mut batches: Vec<Vec<usize>> = Vec::with_capacity(lengths.len().div_ceil(size));
    for run in order.chunks_mut(size * BATCHES_SORTED) {
        run.sort_by_key(|&d| lengths[d]);
        batches.extend(run.chunks(size).map(<[usize]>::to_vec));
    }
    batches.shuffle(&mut stream);
    batches
}
