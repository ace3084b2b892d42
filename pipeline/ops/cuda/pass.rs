//! A stack of batches through one cell each, forward and backward, on the card.

use super::Way;
use super::kernels::{self, Kernels, Launch, failed};
use super::layout::{Part, Stacked};
use super::plan::{Cut, Precision, Share, THREADS};
use crate::equations::{input_gradient_blocks, saved_blocks};
use crate::{CellKind, Entry, Pool, Sizes};
use candle_core::cuda_backend::cudarc::cublas::{result as cublas, sys as blas};
use candle_core::cuda_backend::cudarc::driver::{CudaSlice, CudaStream, DevicePtr};
use candle_core::op::BackpropOp;
use candle_core::{CudaDevice, CudaStorage, Layout, Result, Shape, Storage, Tensor};
use std::ffi::c_void;
use std::sync::Arc;

/// Threads of a block of the plain kernels.
const PLAIN: usize = 256;

/// Blocks of rows that a sum over all slots is cut into.
const PIECES: usize = 64;

/// `kernels/sequence.cuh`, `Pass`: the same fields in the same order.
#[repr(C)]
#[derive(Clone, Copy)]
struct Pass {
    first_network: i32,
    rows: i32,
    units: i32,
    slots: i32,
    distinct: i32,
    longest: i32,
    pool: i32,
    group_rows: i32,
    blocks: i32,
    width: i32,
    padded: i32,
    first_row: i32,
    groups: i32,
    clustered: i32,
    parameters: i64,
    recurrent: u64,
    input_bias: u64,
    recurrent_bias: u64,
    table: u64,
    initial: u64,
    token: u64,
    offset: u64,
    length: u64,
    row: u64,
    before: u64,
    gates: u64,
    pooled: u64,
    gradient: u64,
    initial_gradient: u64,
    exchange: u64,
    arrivals: u64,
}

/// Batches on the card, one a network.
pub struct Laid {
    /// Their sizes; the arrays themselves are on the card.
    pub stacked: Stacked,
    numbers: CudaSlice<i32>,
}

impl Laid {
    /// Brings batches to the card.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn new(device: &CudaDevice, stacked: &Stacked) -> Result<Self> {
        let numbers = device.clone_htod(&stacked.numbers)?;
        Ok(Self { stacked: stacked.sizes(), numbers })
    }

    /// Address of an array.
    pub fn part(&self, stream: &CudaStream, part: Part) -> u64 {
        address(&self.numbers, stream) + 4 * self.stacked.start(part) as u64
    }
}

/// What a forward pass keeps for the way back.
pub struct Saved {
    before: CudaSlice<f32>,
    gates: CudaSlice<f32>,
}

/// Gradients of everything that entered.
pub struct Gradients {
    /// `[networks, parameters]`.
    pub parameters: CudaSlice<f32>,
    /// `[networks, distinct, u]`; none for one-hot entry.
    pub vectors: Option<CudaSlice<f32>>,
    /// `[networks, state]`.
    pub initial: CudaSlice<f32>,
}

/// Address of an array of the card; all work is on one stream, in order.
pub fn address<T>(slice: &impl DevicePtr<T>, stream: &CudaStream) -> u64 {
    slice.device_ptr(stream).0
}

/// Address of a contiguous f32 tensor of the card.
///
/// # Errors
/// [`candle_core::Error`] if it is not one.
pub fn tensor_address(tensor: &Tensor) -> Result<u64> {
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cuda(storage) => storage_address(storage, layout),
        _ => candle_core::bail!("an array on the card was expected"),
    }
}

/// The same of a tensor's storage and layout.
///
/// # Errors
/// As [`tensor_address`].
pub fn storage_address(storage: &CudaStorage, layout: &Layout) -> Result<u64> {
    let Some((from, _)) = layout.contiguous_offsets() else {
        candle_core::bail!("a contiguous array was expected");
    };
    let slice = storage.as_cuda_slice::<f32>()?;
    Ok(address(slice, &storage.device.cuda_stream()) + 4 * from as u64)
}

/// An array of the card as a tensor.
pub fn tensor(numbers: CudaSlice<f32>, shape: impl Into<Shape>, device: &CudaDevice) -> Tensor {
    let storage = Storage::Cuda(CudaStorage::wrap_cuda_slice(numbers, device.clone()));
    Tensor::from_storage(storage, shape, BackpropOp::none(), false)
}

/// One pass over a stack of batches.
pub struct Run<'a> {
    device: &'a CudaDevice,
    stream: Arc<CudaStream>,
    kernels: Arc<Kernels>,
    sizes: Sizes,
    pool: Pool,
    laid: &'a Laid,
    way: Way,
}

impl<'a> Run<'a> {
    /// A pass of cells of `sizes` over `laid`.
    ///
    /// # Errors
    /// What the driver reports.
    pub fn new(
        device: &'a CudaDevice,
        sizes: Sizes,
        pool: Pool,
        laid: &'a Laid,
        way: Way,
    ) -> Result<Self> {
        let (stream, kernels) = (device.cuda_stream(), kernels::of(device)?);
        Ok(Self { device, stream, kernels, sizes, pool, laid, way })
    }

    /// Numbers of the pooled states of one network.
    pub fn pooled(&self) -> usize {
        let stacked = &self.laid.stacked;
        let tokens = if self.pool == Pool::Every { stacked.longest } else { 1 };
        stacked.rows * tokens * self.state()
    }

    fn state(&self) -> usize {
        self.sizes.kind.state_size(self.sizes.units)
    }

    fn precision(&self) -> Precision {
        if let Way::Rounded(precision) = self.way { precision } else { Precision::F32 }
    }

    fn rows_of_weights(&self) -> usize {
        self.sizes.kind.gates() * self.sizes.units
    }

    /// Forward: pooled states `[networks, …]` (see [`Pool`]; zero beyond a row's end), and what the
    /// way back needs if `keep`.
    ///
    /// # Safety
    /// The addresses are those of arrays of f32 on this card: `parameters` `[networks, parameters]`,
    /// `vectors` `[networks, distinct, u]` (ignored for one-hot entry), `initial` `[networks, state]`.
    ///
    /// # Errors
    /// What the driver reports.
    pub unsafe fn forward(
        &self,
        parameters: u64,
        vectors: u64,
        initial: u64,
        keep: bool,
    ) -> Result<(CudaSlice<f32>, Option<Saved>)> {
        let stacked = &self.laid.stacked;
        let (networks, units) = (stacked.networks, self.sizes.units);
        let table = self.table(parameters, vectors)?;
        let pooled = self.device.alloc_zeros::<f32>(networks * self.pooled())?;
        // Slots that a shorter batch does not have are zero: they meet others' in products.
        let slots = networks * stacked.slots;
        let saved = keep
            .then(|| -> Result<Saved> {
                Ok(Saved {
                    before: self.array(slots * self.state(), networks > 1)?,
                    gates: self
                        .array(slots * saved_blocks(self.sizes.kind) * units, networks > 1)?,
                })
            })
            .transpose()?;
        let mut pass = self.pass(parameters, initial);
        pass.table = address(&table, &self.stream);
        pass.pooled = address(&pooled, &self.stream);
        if let Some(saved) = &saved {
            pass.before = address(&saved.before, &self.stream);
            pass.gates = address(&saved.gates, &self.stream);
        }
        self.sweep("forward", pass)?;
        Ok((pooled, saved))
    }

    /// Backward, from `gradient`, that of what [`Run::forward`] returned.
    ///
    /// # Safety
    /// As [`Run::forward`]; `gradient` has the shape of the pooled states.
    ///
    /// # Errors
    /// What the driver reports.
    pub unsafe fn backward(
        &self,
        parameters: u64,
        vectors: u64,
        initial: u64,
        saved: Saved,
        gradient: u64,
    ) -> Result<Gradients> {
        let stacked = &self.laid.stacked;
        let (networks, state) = (stacked.networks, self.state());
        let mut pass = self.pass(parameters, initial);
        pass.before = address(&saved.before, &self.stream);
        pass.gates = address(&saved.gates, &self.stream);
        pass.gradient = gradient;
        let parts = self.sweep("backward", pass)?;
        let initial = self.array(networks * state, false)?;
        let groups = parts.len() / networks / state;
        self.sum_rows(address(&parts, &self.stream), groups, state, &initial, 0, state)?;
        let (parameters, vectors) = self.weights(parameters, vectors, &saved)?;
        Ok(Gradients { parameters, vectors, initial })
    }

    fn array(&self, count: usize, zero: bool) -> Result<CudaSlice<f32>> {
        if zero {
            self.device.alloc_zeros::<f32>(count)
        } else {
            // SAFETY: whoever asks writes all of it before anyone reads.
            unsafe { self.device.alloc::<f32>(count) }
        }
    }

    /// Where the parameters' parts begin, in numbers: `A | W | b_ih | b_hh`.
    fn parts(&self) -> [usize; 4] {
        let (rows, u) = (self.rows_of_weights(), self.sizes.inputs());
        [0, rows * u, rows * (u + self.sizes.units), rows * (u + self.sizes.units + 1)]
    }

    fn pass(&self, parameters: u64, initial: u64) -> Pass {
        let stacked = &self.laid.stacked;
        let [_, w, b_ih, b_hh] = self.parts().map(|start| parameters + 4 * start as u64);
        let part = |part| self.laid.part(&self.stream, part);
        Pass {
            first_network: 0,
            rows: stacked.rows as i32,
            units: self.sizes.units as i32,
            slots: stacked.slots as i32,
            distinct: stacked.distinct as i32,
            longest: stacked.longest as i32,
            pool: self.pool as i32,
            group_rows: 0,
            blocks: 1,
            width: 0,
            padded: 0,
            first_row: 0,
            groups: 0,
            clustered: 0,
            parameters: self.sizes.parameters() as i64,
            recurrent: w,
            input_bias: b_ih,
            recurrent_bias: b_hh,
            table: 0,
            initial,
            token: part(Part::Token),
            offset: part(Part::Offset),
            length: part(Part::Length),
            row: part(Part::Row),
            before: 0,
            gates: 0,
            pooled: 0,
            gradient: 0,
            initial_gradient: 0,
            exchange: 0,
            arrivals: 0,
        }
    }

    /// `A x` of each distinct token: `[networks, distinct, G·n]`.
    fn table(&self, parameters: u64, vectors: u64) -> Result<CudaSlice<f32>> {
        let stacked = &self.laid.stacked;
        let (rows, distinct) = (self.rows_of_weights(), stacked.distinct);
        let table = self.array(stacked.networks * distinct * rows, false)?;
        let to = address(&table, &self.stream);
        match self.sizes.entry {
            Entry::Vectors(u) => self.product(
                (rows, distinct, u),
                (parameters, u, self.sizes.parameters(), true),
                (vectors, u, distinct * u, false),
                (to, rows, distinct * rows),
            )?,
            Entry::OneHot(vocabulary) => self.columns("columns", to, parameters, vocabulary)?,
        }
        Ok(table)
    }

    /// `columns` or `columns_back` over all distinct tokens.
    fn columns(&self, name: &str, to: u64, from: u64, vocabulary: usize) -> Result<()> {
        let stacked = &self.laid.stacked;
        let (mut to, mut from, mut stride) = (to, from, self.sizes.parameters() as i64);
        let mut tokens = self.laid.part(&self.stream, Part::Distinct);
        let (mut distinct, mut rows) = (stacked.distinct as i32, self.rows_of_weights() as i32);
        let mut vocabulary = vocabulary as i32;
        let launch = Launch::plain((stacked.distinct, stacked.networks, 1), PLAIN);
        let mut arguments = [
            void(&mut to),
            void(&mut from),
            void(&mut stride),
            void(&mut tokens),
            void(&mut distinct),
            void(&mut rows),
            void(&mut vocabulary),
        ];
        // SAFETY: the kernel's parameters in their order; a column for each distinct token.
        unsafe { self.kernels.launch(&self.stream, name, launch, &mut arguments) }
    }

    /// Carries all rows through all tokens; on the way back, the gradient of the initial state in
    /// parts: `[networks, parts, state]`.
    fn sweep(&self, which: &str, mut pass: Pass) -> Result<CudaSlice<f32>> {
        let kind = self.sizes.kind;
        let mut card = self.kernels.card;
        card.clusters &= self.way != Way::Global;
        let cut = (self.way != Way::Naive)
            .then(|| Cut::of(kind, self.sizes.units, self.precision(), &card))
            .flatten();
        let Some(cut) = cut else { return self.sweep_naively(which, pass) };
        let rounded = match cut.precision {
            Precision::F32 => "",
            Precision::Tf32 => "tf32_",
            Precision::Bf16 => "bf16_",
        };
        let name = format!("{which}_{rounded}{}_{}_{}", cell_name(kind), cut.slice, cut.width);
        let stacked = &self.laid.stacked;
        let networks = stacked.networks;
        let share = |cut: &Cut, teams| Share::of(kind, cut, &card, teams, networks, stacked.rows);
        let apart = Cut { clustered: false, ..cut };
        let mut best = share(&apart, card.processors / cut.blocks).map(|share| (apart, share));
        if cut.clustered {
            // Fewer clusters than blocks would fill may run at once. A cluster meets sooner.
            let teams = self.kernels.clusters(&self.stream, &name, THREADS, cut.blocks)?;
            let other = best.map_or(usize::MAX, |(_, share)| share.tiles);
            best = share(&cut, teams).filter(|s| s.tiles <= other).map(|s| (cut, s)).or(best);
        }
        let Some((cut, share)) = best else { return self.sweep_naively(which, pass) };
        let parts = self.array(networks * share.groups * self.state(), false)?;
        pass.initial_gradient = address(&parts, &self.stream);
        pass.group_rows = share.group_rows as i32;
        pass.blocks = cut.blocks as i32;
        pass.width = cut.width as i32;
        pass.padded = cut.padded as i32;
        pass.clustered = cut.clustered as i32;
        for network in (0..networks).step_by(share.networks) {
            let networks = share.networks.min(networks - network);
            for group in (0..share.groups).step_by(share.at_once) {
                let groups = share.at_once.min(share.groups - group);
                let teams = networks * groups;
                let held = if cut.clustered { 0 } else { teams };
                let exchange = 2 * share.group_rows * cut.row(kind.gates());
                let exchange = self.device.alloc_zeros::<f32>((held * exchange).max(1))?;
                let arrivals = self.device.alloc_zeros::<u32>(held.max(1))?;
                pass.exchange = address(&exchange, &self.stream);
                pass.arrivals = address(&arrivals, &self.stream);
                pass.first_network = network as i32;
                pass.first_row = (group * share.group_rows) as i32;
                pass.groups = groups as i32;
                let launch = Launch {
                    grid: ((teams * cut.blocks) as u32, 1, 1),
                    threads: THREADS,
                    shared: if which == "forward" { share.forward } else { share.backward },
                    cluster: if cut.clustered { cut.blocks } else { 1 },
                    cooperative: !cut.clustered,
                };
                // SAFETY: the one parameter is a `Pass`, whose arrays have the sizes it names.
                unsafe { self.kernels.launch(&self.stream, &name, launch, &mut [void(&mut pass)])? }
            }
        }
        Ok(parts)
    }

    fn sweep_naively(&self, which: &str, mut pass: Pass) -> Result<CudaSlice<f32>> {
        let stacked = &self.laid.stacked;
        let rows = stacked.networks * stacked.rows;
        let parts = self.array(rows * self.state(), false)?;
        pass.initial_gradient = address(&parts, &self.stream);
        let launch = Launch {
            // h, c, G products, r∘h, two sums
            shared: 4 * (self.sizes.kind.gates() + 5) * self.sizes.units,
            ..Launch::plain((rows, 1, 1), PLAIN)
        };
        let name = format!("naive_{which}_{}", cell_name(self.sizes.kind));
        // SAFETY: as in `sweep`.
        unsafe { self.kernels.launch(&self.stream, &name, launch, &mut [void(&mut pass)])? }
        Ok(parts)
    }

    /// Gradients of the parameters and of the input vectors, from those of the pre-activations.
    fn weights(
        &self,
        parameters: u64,
        vectors: u64,
        saved: &Saved,
    ) -> Result<(CudaSlice<f32>, Option<CudaSlice<f32>>)> {
        let stacked = &self.laid.stacked;
        let (networks, distinct, slots) = (stacked.networks, stacked.distinct, stacked.slots);
        let (kind, n, rows, state) =
            (self.sizes.kind, self.sizes.units, self.rows_of_weights(), self.state());
        let blocks = saved_blocks(kind);
        let (count, width) = (self.sizes.parameters(), blocks * n);
        let one_hot = matches!(self.sizes.entry, Entry::OneHot(_));
        let d = self.array(networks * count, one_hot)?;
        let [d_a, d_w, d_b_ih, d_b_hh] =
            self.parts().map(|start| address(&d, &self.stream) + 4 * start as u64);
        let (gates, before) =
            (address(&saved.gates, &self.stream), address(&saved.before, &self.stream));
        let number = 4_u64;

        let over_slots = |m: usize, gate: usize, with: (u64, usize), to: usize| {
            self.product(
                (n, m * n, slots),
                (with.0, with.1, slots * with.1, false),
                (gates + number * (gate * n) as u64, width, slots * width, true),
                (d_w + number * (to * n * n) as u64, n, count),
            )
        };
        if kind.architecture() == CellKind::GruResetBefore {
            over_slots(2, 0, (before, state), 0)?;
            over_slots(1, 2, (gates + number * (3 * n) as u64, width), 2)?;
        } else {
            over_slots(kind.gates(), 0, (before, state), 0)?;
        }

        let by_token = self.sum_by_token(gates)?;
        let sums = address(&by_token, &self.stream);
        self.sum_rows(sums, distinct, rows, &d, d_b_ih - address(&d, &self.stream), count)?;
        // What W's products were given: the saved blocks 0…G−1.
        if kind.architecture() == CellKind::Gru {
            let total = self.array(networks * width, false)?;
            self.sum_rows(gates, slots, width, &total, 0, width)?;
            self.copy_rows((address(&total, &self.stream), width), (d_b_hh, count), rows)?;
        } else {
            self.copy_rows((d_b_ih, count), (d_b_hh, count), rows)?;
        }

        let d_vectors = match self.sizes.entry {
            Entry::OneHot(vocabulary) => {
                self.columns("columns_back", d_a, sums, vocabulary)?;
                None
            }
            Entry::Vectors(u) => {
                self.product(
                    (u, rows, distinct),
                    (vectors, u, distinct * u, false),
                    (sums, rows, distinct * rows, true),
                    (d_a, u, count),
                )?;
                let d_vectors = self.array(networks * distinct * u, false)?;
                self.product(
                    (u, distinct, rows),
                    (parameters, u, count, false),
                    (sums, rows, distinct * rows, false),
                    (address(&d_vectors, &self.stream), u, distinct * u),
                )?;
                Some(d_vectors)
            }
        };
        Ok((d, d_vectors))
    }

    /// Gradients of `A x + b_ih` by distinct token: `[networks, distinct, G·n]`.
    fn sum_by_token(&self, gates: u64) -> Result<CudaSlice<f32>> {
        let stacked = &self.laid.stacked;
        let (kind, rows) = (self.sizes.kind, self.rows_of_weights());
        let columns = rows.div_ceil(PLAIN);
        let of_runs = self.array(stacked.networks * stacked.runs * rows, false)?;
        let packed =
            input_gradient_blocks(kind).iter().rev().fold(0, |all, &block| all << 4 | block);
        let (mut between, mut gates) = (address(&of_runs, &self.stream), gates);
        let mut by_token = self.laid.part(&self.stream, Part::SlotsByToken);
        let mut runs = self.laid.part(&self.stream, Part::Runs);
        let mut numbers = [
            stacked.runs,
            stacked.slots,
            self.sizes.units,
            kind.gates(),
            saved_blocks(kind),
            packed,
        ]
        .map(|x| x as i32);
        let mut arguments =
            vec![void(&mut between), void(&mut gates), void(&mut by_token), void(&mut runs)];
        arguments.extend(numbers.iter_mut().map(void));
        let launch = Launch::plain((stacked.runs, columns, stacked.networks), PLAIN);
        // SAFETY: the kernel's parameters in their order.
        unsafe { self.kernels.launch(&self.stream, "sum_runs", launch, &mut arguments)? }

        let sums = self.array(stacked.networks * stacked.distinct * rows, false)?;
        let mut to = address(&sums, &self.stream);
        let mut first_run = self.laid.part(&self.stream, Part::FirstRun);
        let mut numbers = [stacked.distinct, stacked.runs, rows].map(|x| x as i32);
        let mut arguments = vec![void(&mut to), void(&mut between), void(&mut first_run)];
        arguments.extend(numbers.iter_mut().map(void));
        let launch = Launch::plain((stacked.distinct, columns, stacked.networks), PLAIN);
        // SAFETY: likewise.
        unsafe { self.kernels.launch(&self.stream, "sum_tokens", launch, &mut arguments)? }
        Ok(sums)
    }

    /// Sums `rows` rows of `columns` numbers of each network's matrix at `from`: to `to`, `offset`
    /// bytes on, networks `stride` numbers apart.
    fn sum_rows(
        &self,
        from: u64,
        rows: usize,
        columns: usize,
        to: &CudaSlice<f32>,
        offset: u64,
        stride: usize,
    ) -> Result<()> {
        let networks = self.laid.stacked.networks;
        let to = address(to, &self.stream) + offset;
        let whole = rows * columns;
        if rows <= PIECES {
            return self.sum_pieces((from, whole), (to, stride), rows, columns, 1);
        }
        let pieces = self.array(networks * PIECES * columns, false)?;
        let (between, apart) = (address(&pieces, &self.stream), PIECES * columns);
        self.sum_pieces((from, whole), (between, apart), rows, columns, PIECES)?;
        self.sum_pieces((between, apart), (to, stride), PIECES, columns, 1)
    }

    /// The first `count` numbers of each network's row at `from` to that at `to`; both with the
    /// numbers between two networks.
    fn copy_rows(&self, from: (u64, usize), to: (u64, usize), count: usize) -> Result<()> {
        // The sum of one row.
        self.sum_pieces(from, to, 1, count, 1)
    }

    /// Sums runs of rows, `pieces` of them a network: addresses and numbers between two networks.
    fn sum_pieces(
        &self,
        (mut from, from_stride): (u64, usize),
        (mut to, to_stride): (u64, usize),
        rows: usize,
        columns: usize,
        pieces: usize,
    ) -> Result<()> {
        let (mut rows, mut columns32) = (rows as i32, columns as i32);
        let (mut from_stride, mut to_stride) = (from_stride as i64, to_stride as i64);
        let grid = (columns.div_ceil(PLAIN), pieces, self.laid.stacked.networks);
        let mut arguments = [
            void(&mut to),
            void(&mut from),
            void(&mut rows),
            void(&mut columns32),
            void(&mut from_stride),
            void(&mut to_stride),
        ];
        let launch = Launch::plain(grid, PLAIN);
        // SAFETY: the kernel's parameters in their order.
        unsafe { self.kernels.launch(&self.stream, "sum_rows", launch, &mut arguments) }
    }

    /// `C = op(A) · B` in cuBLAS's column-major terms, one product a network: `C` is `[m, n]`.
    ///
    /// * `a`: address, leading dimension, numbers between networks, whether transposed
    /// * `b`: likewise; `c`: address, leading dimension, numbers between networks
    fn product(
        &self,
        (m, n, k): (usize, usize, usize),
        a: (u64, usize, usize, bool),
        b: (u64, usize, usize, bool),
        c: (u64, usize, usize),
    ) -> Result<()> {
        use blas::cublasComputeType_t::*;
        use blas::cublasOperation_t::{CUBLAS_OP_N, CUBLAS_OP_T};
        let op = |transposed| if transposed { CUBLAS_OP_T } else { CUBLAS_OP_N };
        let handle = self.device.cublas_handle();
        let f32 = blas::cudaDataType::CUDA_R_32F;
        let compute = match self.precision() {
            Precision::F32 => CUBLAS_COMPUTE_32F,
            Precision::Tf32 => CUBLAS_COMPUTE_32F_FAST_TF32,
            Precision::Bf16 => CUBLAS_COMPUTE_32F_FAST_16BF,
        };
        let (one, zero) = (1.0_f32, 0.0_f32);
        // SAFETY: addresses, sizes and strides are those of arrays allocated for this pass, or the
        // caller's; `one` and `zero` are read before the call returns.
        unsafe {
            cublas::gemm_strided_batched_ex(
                *handle.handle(),
                op(a.3),
                op(b.3),
                m as i32,
                n as i32,
                k as i32,
                std::ptr::from_ref(&one).cast(),
                a.0 as *const c_void,
                f32,
                a.1 as i32,
                a.2 as i64,
                b.0 as *const c_void,
                f32,
                b.1 as i32,
                b.2 as i64,
                std::ptr::from_ref(&zero).cast(),
                c.0 as *mut c_void,
                f32,
                c.1 as i32,
                c.2 as i64,
                self.laid.stacked.networks as i32,
                compute,
                blas::cublasGemmAlgo_t::CUBLAS_GEMM_DEFAULT,
            )
        }
        .map_err(failed)
    }
}

/// A kernel's parameter.
pub fn void<T>(value: &mut T) -> *mut c_void {
    std::ptr::from_mut(value).cast()
}

fn cell_name(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Vanilla => "vanilla",
        CellKind::VanillaRelu => "relu",
        CellKind::Linear => "linear",
        CellKind::Ugrnn => "ugrnn",
        CellKind::Gru => "gru",
        CellKind::GruResetBefore => "gru_before",
        CellKind::Lstm => "lstm",
        CellKind::UgrnnRelu => "ugrnn_relu",
        CellKind::GruRelu => "gru_relu",
        CellKind::GruResetBeforeRelu => "gru_before_relu",
        CellKind::LstmRelu => "lstm_relu",
    }
}
