//! Embedding rows, sums of squares and Adam on the card, for a stack of networks.
//!
//! The equations are those of `train/adam.rs`; every array is `[networks, count]`.

use super::kernels::{self, Kernels, Launch};
use super::layout::Part;
use super::pass::{Laid, void};
use candle_core::cuda_backend::cudarc::driver::CudaStream;
use candle_core::{CudaDevice, Result};
use std::sync::Arc;

/// Threads of a block.
const THREADS: usize = 256;

/// Blocks that share one array of one network.
pub const PIECES: usize = 256;

/// One network's numbers of a step, as `kernels/around.cu`, `Step`, has them: `b1`, `b2`, `eps`,
/// `1/(1 − b1^k)`, `1/√(1 − b2^k)`, the learning rate (0: the network stands still), the clip, and
/// what the penalty adds to the gradient, times the parameter.
pub type Numbers = [f32; 8];

/// Addresses of one stacked array and its gradient.
#[derive(Clone, Copy, Debug)]
pub struct Moving {
    /// Parameters, `[networks, count]`.
    pub x: u64,
    /// Mean of the gradients.
    pub first: u64,
    /// Mean of their squares.
    pub second: u64,
    /// Gradient: `[networks, count]`, or `[networks, rows, width]` with an index.
    pub gradient: u64,
    /// `[networks, count / width]`: a table row's row of the gradient, or −1; 0 for none.
    pub index: u64,
    /// Numbers of one network's array.
    pub count: usize,
    /// Rows of the gradient.
    pub rows: usize,
    /// Numbers of a row.
    pub width: usize,
}

/// The card's optimiser for a stack of networks.
pub struct Optimiser {
    stream: Arc<CudaStream>,
    kernels: Arc<Kernels>,
    networks: usize,
}

impl Optimiser {
    /// For `networks` networks on `device`.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn new(device: &CudaDevice, networks: usize) -> Result<Self> {
        Ok(Self { stream: device.cuda_stream(), kernels: kernels::of(device)?, networks })
    }

    /// Rows of `embedding [networks, vocabulary, width]` for the batch's distinct tokens: to
    /// `vectors [networks, distinct, width]`.
    ///
    /// # Safety
    /// The addresses are those of such arrays on this card.
    ///
    /// # Errors
    /// What the driver reports.
    pub unsafe fn embed(
        &self,
        vectors: u64,
        embedding: u64,
        laid: &Laid,
        width: usize,
        vocabulary: usize,
    ) -> Result<()> {
        let (mut vectors, mut embedding) = (vectors, embedding);
        let mut tokens = laid.part(&self.stream, Part::Distinct);
        let distinct = laid.stacked.distinct;
        let mut numbers = [distinct, width, vocabulary].map(|x| x as i32);
        let mut arguments = vec![void(&mut vectors), void(&mut embedding), void(&mut tokens)];
        arguments.extend(numbers.iter_mut().map(void));
        let launch =
            Launch::plain((distinct, self.networks, 1), THREADS.min(width.next_multiple_of(32)));
        // SAFETY: the caller's; the kernel's parameters in their order.
        unsafe { self.kernels.launch(&self.stream, "embed", launch, &mut arguments) }
    }

    /// Notes in `index [networks, vocabulary]` each distinct token's row, or (`set` false) −1 again.
    ///
    /// # Safety
    /// The address is that of such an array on this card.
    ///
    /// # Errors
    /// What the driver reports.
    pub unsafe fn mark(&self, index: u64, laid: &Laid, vocabulary: usize, set: bool) -> Result<()> {
        let mut index = index;
        let mut tokens = laid.part(&self.stream, Part::Distinct);
        let mut numbers = [laid.stacked.distinct, vocabulary, set as usize].map(|x| x as i32);
        let mut arguments = vec![void(&mut index), void(&mut tokens)];
        arguments.extend(numbers.iter_mut().map(void));
        let grid = (laid.stacked.distinct.div_ceil(THREADS), self.networks, 1);
        // SAFETY: the caller's; the kernel's parameters in their order.
        unsafe {
            self.kernels.launch(&self.stream, "mark", Launch::plain(grid, THREADS), &mut arguments)
        }
    }

    /// Sums of squares of `g + shrink·x` (of `x` alone if `values`): to `sums [networks, PIECES]`, f64.
    ///
    /// # Safety
    /// The addresses are those of arrays on this card; `steps` has one [`Numbers`] a network.
    ///
    /// # Errors
    /// What the driver reports.
    pub unsafe fn squares(&self, sums: u64, array: Moving, steps: u64, values: bool) -> Result<()> {
        let (mut sums, mut steps, mut x) = (sums, steps, array.x);
        let (mut gradient, mut index) = (if values { 0 } else { array.gradient }, array.index);
        let mut count = array.count as i64;
        let mut sizes = [array.rows, array.width].map(|x| x as i32);
        let mut arguments = vec![
            void(&mut sums),
            void(&mut gradient),
            void(&mut x),
            void(&mut index),
            void(&mut steps),
            void(&mut count),
        ];
        arguments.extend(sizes.iter_mut().map(void));
        let launch =
            Launch { shared: 8 * THREADS, ..Launch::plain((PIECES, self.networks, 1), THREADS) };
        // SAFETY: the caller's; the kernel's parameters in their order.
        unsafe { self.kernels.launch(&self.stream, "squares", launch, &mut arguments) }
    }

    /// One step of Adam.
    ///
    /// # Safety
    /// As [`Optimiser::squares`].
    ///
    /// # Errors
    /// What the driver reports.
    pub unsafe fn step(&self, array: Moving, steps: u64) -> Result<()> {
        let Moving { mut x, mut first, mut second, mut gradient, mut index, .. } = array;
        let (mut steps, mut count) = (steps, array.count as i64);
        let mut sizes = [array.rows, array.width].map(|x| x as i32);
        let mut arguments = vec![
            void(&mut x),
            void(&mut first),
            void(&mut second),
            void(&mut gradient),
            void(&mut index),
            void(&mut steps),
            void(&mut count),
        ];
        arguments.extend(sizes.iter_mut().map(void));
        // Enough blocks for the card, however many networks there are.
        let pieces = array.count.div_ceil(THREADS).min(1024);
        let launch = Launch::plain((pieces, self.networks, 1), THREADS);
        // SAFETY: the caller's; the kernel's parameters in their order.
        unsafe { self.kernels.launch(&self.stream, "adam", launch, &mut arguments) }
    }
}
