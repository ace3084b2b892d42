//! Large buffers that outlive one training step, so that none is allocated in the loop.

use std::borrow::Cow;
use std::sync::Mutex;

/// At most so many buffers wait; more are handed back to the system.
const KEPT: usize = 64;

/// A buffer serves a request of at least this part of it: a small one must not take
/// the buffer that the next large one would have to ask the system for.
const USED: usize = 4;

/// Numbers in a cache line.
pub(super) const LINE: usize = 16;

/// A cache line: no vector that is read from a whole multiple of its length lies across two.
#[repr(C, align(64))]
#[derive(Clone, Copy, Debug)]
struct Line([f32; LINE]);

static WAITING: Mutex<Vec<Vec<Line>>> = Mutex::new(Vec::new());

/// A buffer of f32 from the start of a cache line on; it returns to the waiting ones when dropped.
///
/// Its numbers are whatever the last user left: write before you read.
#[derive(Debug, Default)]
pub struct Buffer {
    lines: Vec<Line>,
    len: usize,
}

impl Buffer {
    /// A buffer of `len` numbers of no particular value.
    pub fn of(len: usize) -> Self {
        let needed = len.div_ceil(LINE);
        let mut waiting = WAITING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let fits = (0..waiting.len())
            .filter(|&i| (needed..=needed.saturating_mul(USED)).contains(&waiting[i].capacity()))
            .min_by_key(|&i| waiting[i].capacity());
        let mut lines = match fits {
            Some(i) => waiting.swap_remove(i),
            None => {
                // The largest of those too small, but not by much, is given up, so that
                // growing batches do not leave a trail of outgrown buffers.
                let outgrown =
                    |i: &usize| (needed.div_ceil(USED)..needed).contains(&waiting[*i].capacity());
                let largest = (0..waiting.len()).filter(outgrown);
                if let Some(i) = largest.max_by_key(|&i| waiting[i].capacity()) {
                    waiting.swap_remove(i);
                }
                Vec::with_capacity(needed)
            }
        };
        drop(waiting);
        if lines.len() < needed {
            lines.resize(needed, Line([0.0; LINE]));
        }
        Self { lines, len }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines.capacity() == 0 {
            return;
        }
        let mut waiting = WAITING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if waiting.len() < KEPT {
            waiting.push(lines);
        }
    }
}

impl std::ops::Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: a line is 16 numbers without padding, and `of` has made lines for `len`.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl From<&[f32]> for Buffer {
    fn from(numbers: &[f32]) -> Self {
        let mut buffer = Self::of(numbers.len());
        buffer.copy_from_slice(numbers);
        buffer
    }
}

impl PartialEq for Buffer {
    fn eq(&self, other: &Self) -> bool {
        self[..] == other[..]
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as `deref`.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

/// Copies blocks of `n` numbers to blocks of `np`, zeros between.
pub(super) fn pad_blocks(blocks: &[f32], n: usize, np: usize) -> Vec<f32> {
    let mut padded = vec![0.0; blocks.len() / n * np];
    for (to, from) in padded.chunks_exact_mut(np).zip(blocks.chunks_exact(n)) {
        to[..n].copy_from_slice(from);
    }
    padded
}

/// [`pad_blocks`] of many numbers, which are not copied where there is nothing to pad.
pub(super) fn padded(blocks: &[f32], n: usize, np: usize) -> Cow<'_, [f32]> {
    if n == np { Cow::Borrowed(blocks) } else { Cow::Owned(pad_blocks(blocks, n, np)) }
}
