//! Adam (Kingma & Ba 2015) over the arrays of a network.

use super::settings::Settings;
use crate::ops::denormals::FlushDenormals;
use crate::{Error, Result};
use candle_core::{CpuStorage, InplaceOp1, Layout, Var};
use rayon::prelude::*;
use std::sync::Mutex;

/// Numbers that one piece of work moves; the order of all sums hangs on it.
const CHUNK: usize = 16 * 1024;

/// Gradient of one array.
pub enum Gradient {
    /// One number a parameter.
    Dense(Vec<f32>),
    /// Rows of a table, all others zero: `rows[i]` (ascending) has
    /// `numbers[i * width..]`.
    Rows {
        /// Rows that have a gradient.
        rows: Vec<u32>,
        /// Their gradients, end to end.
        numbers: Vec<f32>,
        /// Numbers a row.
        width: usize,
    },
}

/// Means of the gradients of one array, and of their squares.
pub use accrue_descent::Moments;

/// Numbers of one step that are the same for every parameter.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// `b1`.
    pub beta1: f32,
    /// `b2`.
    pub beta2: f32,
    /// `eps`.
    pub epsilon: f32,
    /// `1/(1 − b1^k)`, `k` counted from 1.
    pub first_correction: f32,
    /// `1/√(1 − b2^k)`.
    pub second_correction: f32,
    /// `lr_k`.
    pub learning_rate: f32,
    /// What gradients are multiplied by to respect the clip.
    pub clip: f32,
}

impl Step {
    /// Step `k`, counted from 0, with a gradient of this global norm.
    pub fn new(settings: &Settings, k: usize, norm: f64) -> Self {
        let power = (k + 1) as f64;
        let clip =
            if settings.clip > 0.0 && norm > settings.clip { settings.clip / norm } else { 1.0 };
        Self {
            beta1: settings.beta1 as f32,
            beta2: settings.beta2 as f32,
            epsilon: settings.epsilon as f32,
            first_correction: (1.0 / (1.0 - settings.beta1.powf(power))) as f32,
            second_correction: (1.0 / (1.0 - settings.beta2.powf(power)).sqrt()) as f32,
            learning_rate: settings.learning_rate_at(k) as f32,
            clip: clip as f32,
        }
    }

    /// The same for a card, with a penalty's factor.
    #[cfg(feature = "cuda")]
    pub(super) fn numbers(&self, shrink: f32) -> crate::ops::cuda::optimiser::Numbers {
        let Self { beta1, beta2, epsilon, first_correction, second_correction, .. } = *self;
        let Self { learning_rate, clip, .. } = *self;
        [beta1, beta2, epsilon, first_correction, second_correction, learning_rate, clip, shrink]
    }

    /// `θ ← θ − lr · m̂/(√v̂ + eps)` for a run of numbers with gradient
    /// `clip·(g + shrink·θ)`.
    fn walk(&self, x: &mut [f32], g: &[f32], shrink: f32, m: &mut [f32], v: &mut [f32]) {
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for (((x, &g), m), v) in x.iter_mut().zip(g).zip(m).zip(v) {
                    let g = self.clip * (g + shrink * *x);
                    *m = self.beta1 * *m + (1.0 - self.beta1) * g;
                    *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
                    let root = v.sqrt() * self.second_correction + self.epsilon;
                    *x -= self.learning_rate * self.first_correction * *m / root;
                }
            },
        );
    }
}

/// Sum of squares of an array, in f64, in a fixed order.
///
/// # Errors
/// [`Error::Candle`] if the array is not on the processor.
pub fn square_sum(var: &Var) -> Result<f64> {
    Ok(squares(&var.flatten_all()?.to_vec1::<f32>()?))
}

/// Sums that a run of numbers is added to in turn: one sum alone would wait for itself.
const SUMS: usize = 16;

fn squares(numbers: &[f32]) -> f64 {
    let partial: Vec<f64> = numbers
        .par_chunks(CHUNK)
        .map(|chunk| {
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || {
                    let mut sums = [0.0; SUMS];
                    for run in chunk.chunks(SUMS) {
                        for (sum, &x) in sums.iter_mut().zip(run) {
                            *sum += f64::from(x) * f64::from(x);
                        }
                    }
                    sums.iter().sum::<f64>()
                },
            )
        })
        .collect();
    partial.iter().sum()
}

/// Sum of squares of `g + shrink·θ`.
///
/// # Errors
/// [`Error::Candle`] if the array is not on the processor.
pub fn gradient_square_sum(var: &Var, gradient: &Gradient, shrink: f32) -> Result<f64> {
    match gradient {
        Gradient::Dense(g) | Gradient::Rows { numbers: g, .. } if shrink == 0.0 => Ok(squares(g)),
        gradient => {
            let x: Vec<f32> = var.flatten_all()?.to_vec1()?;
            let dense = gradient.dense(x.len());
            let whole: Vec<f32> = x.iter().zip(dense).map(|(x, g)| g + shrink * x).collect();
            Ok(squares(&whole))
        }
    }
}

impl Gradient {
    fn dense(&self, count: usize) -> Vec<f32> {
        match self {
            Gradient::Dense(g) => g.clone(),
            Gradient::Rows { rows, numbers, width } => {
                let mut dense = vec![0.0; count];
                for (&row, numbers) in rows.iter().zip(numbers.chunks(*width)) {
                    dense[row as usize * width..][..*width].copy_from_slice(numbers);
                }
                dense
            }
        }
    }
}

/// One step of one array.
///
/// # Errors
/// [`Error::Candle`] if the array is not f32 on the processor.
pub fn step(
    step: Step,
    var: &Var,
    gradient: &Gradient,
    shrink: f32,
    moments: &mut Moments,
) -> Result<()> {
    let update = Update { step, gradient, shrink, moments: Mutex::new(moments) };
    var.inplace_op1(&update).map_err(Error::from)
}

/// The step as candle sees it: it moves the array where it lies.
struct Update<'a> {
    step: Step,
    gradient: &'a Gradient,
    shrink: f32,
    moments: Mutex<&'a mut Moments>,
}

impl InplaceOp1 for Update<'_> {
    fn name(&self) -> &'static str {
        "adam"
    }

    fn cpu_fwd(&self, storage: &mut CpuStorage, layout: &Layout) -> candle_core::Result<()> {
        let CpuStorage::F32(numbers) = storage else {
            candle_core::bail!("Adam moves f32 arrays");
        };
        let Some((from, to)) = layout.contiguous_offsets() else {
            candle_core::bail!("Adam moves contiguous arrays");
        };
        let mut moments = self.moments.lock().expect("no step panics while it holds the lock");
        let x = &mut numbers[from..to];
        let Moments { first, second } = &mut **moments;
        // Whole rows a chunk, so that a table's gradient rows are found once.
        let chunk = match self.gradient {
            Gradient::Dense(_) => CHUNK,
            Gradient::Rows { width, .. } => (CHUNK / width).max(1) * width,
        };
        x.par_chunks_mut(chunk)
            .zip(first.par_chunks_mut(chunk))
            .zip(second.par_chunks_mut(chunk))
            .enumerate()
            .for_each(|(c, ((x, m), v))| {
                let _flush = FlushDenormals::on_this_thread();
                match self.gradient {
                    Gradient::Dense(g) => {
                        let g = &g[c * chunk..][..x.len()];
                        self.step.walk(x, g, self.shrink, m, v);
                    }
                    Gradient::Rows { rows, numbers, width } => {
                        self.rows(c * chunk / width, *width, rows, numbers, x, m, v);
                    }
                }
            });
        Ok(())
    }
}

impl Update<'_> {
    /// A run of whole rows from row `first` on.
    #[allow(clippy::too_many_arguments)]
    fn rows(
        &self,
        first: usize,
        width: usize,
        rows: &[u32],
        numbers: &[f32],
        x: &mut [f32],
        m: &mut [f32],
        v: &mut [f32],
    ) {
        let nothing = vec![0.0; width];
        let mut next = rows.partition_point(|&r| (r as usize) < first);
        let triples = x.chunks_mut(width).zip(m.chunks_mut(width)).zip(v.chunks_mut(width));
        for (r, ((x, m), v)) in triples.enumerate() {
            let here = rows.get(next) == Some(&((first + r) as u32));
            let g = if here { &numbers[next * width..][..width] } else { &nothing[..] };
            next += here as usize;
            self.step.walk(x, g, self.shrink, m, v);
        }
    }
}
