//! Going downhill: Adam over one list of numbers, until the steps are done or somebody interrupts.
//!
//! Whoever has a loss with a gradient calls [`descend`]: it steps, sums the terms of the loss up in a table, writes
//! checkpoints, and goes on from one to the same bits. Networks of several arrays, which train with dropout, validation
//! and early stops, have a loop of their own (`accrue-train`).
//!
//! | to change or understand | read |
//! |---|---|
//! | one step | `adam.rs` |
//! | the file that a descent goes on from | `checkpoint.rs` |
//! | the loop, and its table | `lib.rs` |

// `!(x > 0.0)` is meant: it is true for NaN, which no threshold may let through.
#![allow(clippy::neg_cmp_op_on_partial_ord)]
#![warn(missing_docs)]

mod adam;
mod checkpoint;
#[cfg(test)]
mod tests;

pub use accrue_numerics::{Error, Result};
pub use adam::{Adam, Moments};
pub use checkpoint::Checkpoint;

use accrue_numerics::interrupt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::ops::{AddAssign, Mul};

/// Terms of a loss, which a table takes the mean of.
pub trait Terms:
    Copy + Default + AddAssign + Mul<f64, Output = Self> + Serialize + DeserializeOwned
{
}

impl<T> Terms for T where
    T: Copy + Default + AddAssign + Mul<f64, Output = T> + Serialize + DeserializeOwned
{
}

/// One row of the training table: means over the steps since the row before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Terms")]
pub struct Record<T> {
    /// Steps taken.
    pub step: usize,
    /// The terms of the loss.
    pub terms: T,
    /// Global gradient norm before the clip.
    pub norm: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
}

/// How far to go, and how.
pub struct Plan<'a> {
    /// Steps.
    pub steps: usize,
    /// How each step is made.
    pub adam: Adam<'a>,
    /// Learning rate of step `k`, counted from 0.
    pub learning_rate: &'a dyn Fn(usize) -> f64,
    /// Steps between checkpoints.
    pub checkpoint_every: usize,
    /// Steps that one row of the table sums up.
    pub record_every: usize,
}

/// What there is to know at one place.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// Terms of the loss.
    pub terms: T,
    /// The loss.
    pub loss: f64,
    /// Its gradient, as long as the parameters.
    pub gradient: Vec<f32>,
}

/// What a descent came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained<T> {
    /// All parameters.
    pub parameters: Vec<f32>,
    /// The training table.
    pub records: Vec<Record<T>>,
    /// Seconds in steps, all sittings together.
    pub seconds: f64,
}

/// Where a descent stands, besides its arrays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(bound = "T: Terms")]
struct Progress<T> {
    key: String,
    step: usize,
    seconds: f64,
    records: Vec<Record<T>>,
    /// Sums of the row that is being filled.
    open: Record<T>,
    opened: usize,
}

/// Goes down from `parameters`.
///
/// * `find`: the loss and its gradient at these parameters, at step `k`
/// * `watch`: told each step's number
///
/// # Errors
/// [`Error::Diverged`] where the loss or the gradient is not finite; [`Error::Interrupted`] after a checkpoint was written; what
/// `find` returns; [`Error::Input`] for a damaged checkpoint.
pub fn descend<T: Terms>(
    parameters: Vec<f32>,
    plan: &Plan,
    checkpoint: Option<Checkpoint>,
    mut find: impl FnMut(&[f32], usize) -> Result<Found<T>>,
    mut watch: impl FnMut(usize),
) -> Result<Trained<T>> {
    let mut moments = Moments::new(parameters.len());
    let (mut parameters, mut progress) = (parameters, Progress::default());
    if let Some(from) = checkpoint
        && let Some(found) = from.read(&mut parameters, &mut moments)?
    {
        progress = found;
    }
    while progress.step < plan.steps {
        if interrupt::requested() {
            if let Some(to) = checkpoint {
                to.write(&progress, &parameters, &moments)?;
            }
            return Err(interrupt::stopped(&format!("after training step {}", progress.step)));
        }
        let started = std::time::Instant::now();
        let Found { terms, loss, gradient } = find(&parameters, progress.step)?;
        let norm = plan.adam.norm(&parameters, &gradient);
        let learning_rate = (plan.learning_rate)(progress.step);
        if !(loss.is_finite() && norm.is_finite()) {
            let kept = match checkpoint.filter(|c| c.path.exists()) {
                Some(_) => "the last checkpoint was kept".into(),
                None => "no checkpoint was written yet".into(),
            };
            return Err(Error::Diverged {
                step: progress.step + 1,
                loss: loss as f32,
                learning_rate,
                gradient_norm: norm,
                kept,
            });
        }
        plan.adam.step(
            progress.step,
            learning_rate,
            norm,
            &gradient,
            &mut parameters,
            &mut moments,
        );
        progress.step += 1;
        progress.seconds += started.elapsed().as_secs_f64();
        progress.add(terms, norm, learning_rate, plan);
        watch(progress.step);
        if let Some(to) = checkpoint
            && (progress.step.is_multiple_of(plan.checkpoint_every) || progress.step == plan.steps)
        {
            to.write(&progress, &parameters, &moments)?;
        }
    }
    let Progress { records, seconds, .. } = progress;
    Ok(Trained { parameters, records, seconds })
}

impl<T: Terms> Progress<T> {
    fn add(&mut self, terms: T, norm: f64, learning_rate: f64, plan: &Plan) {
        self.open.terms += terms;
        self.open.norm += norm;
        self.opened += 1;
        if self.step.is_multiple_of(plan.record_every) || self.step == plan.steps {
            let share = 1.0 / self.opened as f64;
            self.records.push(Record {
                step: self.step,
                terms: self.open.terms * share,
                norm: self.open.norm * share,
                learning_rate,
            });
            (self.open, self.opened) = (Record::default(), 0);
        }
    }
}
