//! Large buffers that outlive one training step, so that none is allocated in the loop.

use std::sync::Mutex;

/// At most so many buffers wait; more are handed back to the system.
const KEPT: usize = 64;

/// A buffer serves a request of at least this part of it: a small one must not take
/// the buffer that the next large one would have to ask the system for.
const USED: usize = 4;

static WAITING: Mutex<Vec<Vec<f32>>> = Mutex::new(Vec::new());

/// A buffer of f32 that returns to the waiting ones when dropped.
///
/// Its numbers are whatever the last user left: write before you read.
#[derive(Debug, Default)]
pub struct Buffer(Vec<f32>);

impl Buffer {
    /// A buffer of `len` numbers of no particular value.
    pub fn of(len: usize) -> Self {
        let mut waiting = WAITING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let fits = (0..waiting.len())
            .filter(|&i| (len..=len.saturating_mul(USED)).contains(&waiting[i].capacity()))
            .min_by_key(|&i| waiting[i].capacity());
        let mut numbers = match fits {
            Some(i) => waiting.swap_remove(i),
            None => {
                // The largest of those too small, but not by much, is given up, so that
                // growing batches do not leave a trail of outgrown buffers.
                let outgrown =
                    |i: &usize| (len.div_ceil(USED)..len).contains(&waiting[*i].capacity());
                let largest = (0..waiting.len()).filter(outgrown);
                if let Some(i) = largest.max_by_key(|&i| waiting[i].capacity()) {
                    waiting.swap_remove(i);
                }
                Vec::with_capacity(len)
            }
        };
        drop(waiting);
        if numbers.len() < len {
            numbers.resize(len, 0.0);
        }
        numbers.truncate(len);
        Self(numbers)
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let numbers = std::mem::take(&mut self.0);
        if numbers.capacity() == 0 {
            return;
        }
        let mut waiting = WAITING.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if waiting.len() < KEPT {
            waiting.push(numbers);
        }
    }
}

impl std::ops::Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl std::ops::DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
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
