//! The recurrent pass on an NVIDIA GPU.
//!
//! The same function as [`sequence`](super::sequence), by kernels of our own (`ops/kernels`): one
//! launch carries a batch through all its tokens, forward or backward, with the recurrent weights in
//! registers. Many networks go through one launch side by side.
//!
//! [`plan`] says how work is cut into blocks and [`layout`] how batches lie; neither needs a GPU.
//! What talks to the card is compiled with the feature `cuda` alone (`make cuda`).
//!
//! # Exactness
//! Products and sums are f32 with exact products; the logistic function and `tanh` are within 3e-7.
//! Every sum has a fixed order, so that two runs on one card give the same bits. The processor's bits
//! differ in rounding: sums have another order there.
//!
//! Training can round the operands of its products, to 10 bits after the point ([`Precision::Tf32`]) or 7
//! ([`Precision::Bf16`]), and multiply on the tensor cores; sums stay f32, and so do the gates, the states
//! that are kept, losses and Adam. What that costs, measured by `tests/cuda.rs` on an H200 after 100 tokens, 128 units, as
//! `‖found − exact‖ / ‖exact‖` of states and of gradients:
//!
//! | cell | f32 | tf32 | bf16 |
//! |---|---|---|---|
//! | GRU | 1.5e-7, 1.1e-7 | 2.5e-4, 2.3e-4 | 7.5e-4, 8.6e-4 |
//! | UGRNN | 1.4e-7, 1.1e-7 | 4.7e-4, 4.2e-4 | 2.1e-3, 2.6e-3 |
//!
//! Cells of more than 512 units keep exact products within the recurrence.
//!
//! # What it costs
//! Forward, a token of a GRU of 256 units takes a group of blocks 1.6 µs to meet and finish, and 1.0 µs for
//! every 4 rows (H200, through global memory). The multiplications alone would take 0.4 µs for 4 rows: 64
//! documents use 15 % of that bound, 256 documents 27 %. 15 clusters of 8 blocks run at once there, and 64
//! documents want 16: that is why they meet through global memory. The tensor cores take 8 rows at
//! once, so that 8 clusters are enough: 1.20 and 1.55 times the speed for 64 and 256 documents with GRUs, 1.22 and 1.70 with LSTMs.

pub mod layout;
pub mod plan;

#[cfg(feature = "cuda")]
mod kernels;
#[cfg(feature = "cuda")]
pub mod optimiser;
#[cfg(feature = "cuda")]
pub mod pass;

pub use plan::Precision;

use crate::{Error, Result};
use candle_core::Device;
use std::sync::OnceLock;

/// Which kernels carry the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// The persistent ones where the weights fit.
    #[default]
    Fast,
    /// The plain ones: the truth on the card.
    Naive,
    /// The persistent ones, meeting in global memory.
    Global,
    /// The persistent ones on the tensor cores, with rounded operands.
    Rounded(Precision),
}

impl From<Precision> for Way {
    fn from(precision: Precision) -> Self {
        if precision == Precision::F32 { Self::Fast } else { Self::Rounded(precision) }
    }
}

/// The device called `cpu`, `cuda` or `cuda:N`.
///
/// # Errors
/// [`Error::Usage`] for another name, or for `cuda` where this program, or this machine, has none;
/// the message says which, and what to do.
pub fn device(name: &str) -> Result<Device> {
    let ordinal = match name.split_once(':').unwrap_or((name, "0")) {
        ("cpu", "0") if name == "cpu" => return Ok(Device::Cpu),
        ("cuda", number) => number.parse().ok(),
        _ => None,
    };
    let Some(ordinal) = ordinal else {
        return Err(Error::Usage(format!(
            "--device {name}: no such device; `cpu`, `cuda` or `cuda:N` (card N, counted from 0)"
        )));
    };
    card(name, ordinal)
}

static CURRENT: OnceLock<Device> = OnceLock::new();

/// Where networks are made, trained and run from now on: said once, before the first.
///
/// # Panics
/// If it was said before.
pub fn use_device(device: Device) {
    assert!(CURRENT.set(device).is_ok(), "the device is chosen once");
}

/// The device of [`use_device`], or the processor: also for a thread that [stays
/// there](stay_on_processor).
pub fn current() -> Device {
    match CURRENT.get() {
        Some(device) if !STAYS.get() => device.clone(),
        _ => Device::Cpu,
    }
}

/// Its name for a run's record: `cpu`, or `cuda:0 (NVIDIA H200)`.
pub fn current_name() -> String {
    let device = current();
    #[cfg(feature = "cuda")]
    if let Device::Cuda(card) = &device {
        let stream = card.cuda_stream();
        let context = stream.context();
        let name = context.name().unwrap_or_else(|_| "no name".into());
        return format!("cuda:{} ({name})", context.ordinal());
    }
    if device.is_cpu() { "cpu".into() } else { format!("{:?}", device.location()) }
}

thread_local! {
    static STAYS: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// From now on this thread makes its networks on the processor. A card's libraries are no place for
/// many threads at once.
pub fn stay_on_processor() {
    STAYS.set(true);
}

#[cfg(not(feature = "cuda"))]
fn card(name: &str, _: usize) -> Result<Device> {
    Err(Error::Usage(format!(
        "--device {name}: this program was built without CUDA; `make cuda` builds \
         target/release/accrue-cuda (it brings NVIDIA's compiler along; no root, no GPU needed to build)"
    )))
}

#[cfg(feature = "cuda")]
fn card(name: &str, ordinal: usize) -> Result<Device> {
    let problem = |what: String| {
        Error::Usage(format!("--device {name}: {what}; `--device cpu` works everywhere"))
    };
    // A stream of its own: a thread's own would be another in every thread.
    let device = Device::new_cuda_with_stream(ordinal)
        .map_err(|e| problem(format!("no such card can be used here ({})", first_line(&e))))?;
    kernels::of(device.as_cuda_device()?).map_err(|e| {
        problem(format!("this program's kernels do not run on it ({})", first_line(&e)))
    })?;
    // SAFETY: everything on this device is on its one stream, in order.
    unsafe { device.as_cuda_device()?.disable_event_tracking() };
    Ok(device)
}

#[cfg(feature = "cuda")]
fn first_line(error: &candle_core::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}
