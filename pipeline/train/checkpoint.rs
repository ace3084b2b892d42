//! A training run put down on disk, whole: weights, moments, and where it stood.

use super::adam::Moments;
use super::average::Average;
use super::fit::Record;
use super::loss::Tally;
use crate::model::{Network, Parameter, weights};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::Path;

/// Metadata key of the progress.
const METADATA: &str = "progress";

/// What the names of arrays begin with: the best weights so far, and their mean.
const BEST: &str = "best.";
const AVERAGE: &str = "average.";

/// Where a run stands, besides its arrays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Hash of everything that decides the weights; a checkpoint of another is not used.
    pub key: String,
    /// Steps taken.
    pub step: usize,
    /// Current epoch, from 0.
    pub epoch: usize,
    /// Batches of the epoch already used.
    pub batch: usize,
    /// Tokens read in training steps.
    pub tokens: u64,
    /// Seconds in training steps, all sittings together.
    pub seconds: f64,
    /// Rows of the training table so far.
    pub records: Vec<Record>,
    /// Lowest validation loss so far and its step.
    pub best: Option<(f64, usize)>,
    /// Measurements since the lowest.
    pub waited: usize,
    /// Weights that went into their mean.
    #[serde(default)]
    pub averaged: usize,
    /// Sums of the row of the training table that is being filled.
    pub open: Open,
}

/// Sums over the steps since the last row of the training table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Open {
    /// Steps summed.
    pub steps: usize,
    /// Sum of data losses.
    pub loss: f64,
    /// Right answers and answers.
    pub right: (f64, f64),
    /// Sum of gradient norms before the clip.
    pub norm: f64,
    /// Last penalty.
    pub penalty: f64,
    /// `Σ y`, `Σ y²` for a score, with the sum of squared errors in `squares`.
    pub score: (f64, f64),
    /// Sum of squared errors for a score.
    pub squares: f64,
}

impl Open {
    /// Adds one step.
    pub fn add(&mut self, tally: &Tally, norm: f64, penalty: f64) {
        self.steps += 1;
        self.loss += tally.mean_loss();
        self.right.0 += tally.right;
        self.right.1 += tally.count;
        self.norm += norm;
        self.penalty = penalty;
        self.score.0 += tally.score.0;
        self.score.1 += tally.score.1;
        self.squares += tally.loss;
    }

    /// Accuracy over the steps, as [`Tally::accuracy`].
    pub fn accuracy(&self) -> f64 {
        let (right, count) = self.right;
        Tally { loss: self.squares, right, count, score: self.score }.accuracy()
    }
}

/// Writes a checkpoint; it appears whole or not at all.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be written to.
pub fn write(
    path: &Path,
    progress: &Progress,
    network: &Network,
    moments: &[Moments],
    best: Option<&weights::Arrays>,
    average: Option<&Average>,
) -> Result<()> {
    let mut arrays = network.arrays()?;
    for (parameter, moments) in network.parameters().iter().zip(moments) {
        let mut add = |which: &str, numbers: &[f32]| {
            let name = format!("adam.{which}.{}", parameter.name);
            arrays.insert(name, (vec![numbers.len()], numbers.to_vec()));
        };
        add("first", &moments.first);
        add("second", &moments.second);
    }
    let mut add = |prefix: &str, all: Option<&weights::Arrays>| {
        for (name, array) in all.into_iter().flatten() {
            arrays.insert(format!("{prefix}{name}"), array.clone());
        }
    };
    add(BEST, best);
    add(AVERAGE, average.map(|average| &average.arrays));
    let averaged = average.map_or(0, |average| average.count);
    let text = serde_json::to_string(&Progress { averaged, ..progress.clone() })
        .expect("progress has only plain, finite fields");
    weights::write(path, &arrays, HashMap::from([(METADATA.to_string(), text)]))
}

/// What [`read`] brings back.
pub struct Restored {
    /// Where it stood.
    pub progress: Progress,
    /// Moments, in the order of [`Network::parameters`].
    pub moments: Vec<Moments>,
    /// The best weights so far.
    pub best: Option<weights::Arrays>,
    /// The mean of the weights so far.
    pub average: Option<Average>,
}

/// Reads a checkpoint into `network`; `None` if there is none, or it belongs
/// to another configuration.
///
/// # Errors
/// [`Error::Input`] if the file is damaged.
pub fn read(path: &Path, key: &str, network: &Network) -> Result<Option<Restored>> {
    if !path.exists() {
        return Ok(None);
    }
    let damaged = |problem: String| {
        Error::input(path.display(), "", problem, "remove it to train from the start")
    };
    let (mut arrays, metadata) = weights::read(path)?;
    let text = metadata.get(METADATA).ok_or_else(|| damaged("not a checkpoint".into()))?;
    let progress: Progress = serde_json::from_str(text).map_err(|e| damaged(e.to_string()))?;
    if progress.key != key {
        return Ok(None);
    }
    let mut moments = Vec::new();
    for Parameter { name, var, .. } in network.parameters() {
        let mut take = |which: &str| {
            arrays
                .remove(&format!("adam.{which}.{name}"))
                .map(|(_, numbers)| numbers)
                .filter(|numbers| numbers.len() == var.elem_count())
                .ok_or_else(|| damaged(format!("no moments of `{name}`")))
        };
        moments.push(Moments { first: take("first")?, second: take("second")? });
    }
    let mut take = |prefix: &str| -> Option<weights::Arrays> {
        let of = |name: &String| name.starts_with(prefix);
        let names: Vec<String> = arrays.keys().filter(|name| of(name)).cloned().collect();
        let take = |name: String| {
            let array = arrays.remove(&name).expect("its name was just read");
            (name[prefix.len()..].to_string(), array)
        };
        let taken: weights::Arrays = names.into_iter().map(take).collect();
        (!taken.is_empty()).then_some(taken)
    };
    let (best, average) = (take(BEST), take(AVERAGE));
    network.set_arrays(&arrays)?;
    let average = average.map(|arrays| Average { arrays, count: progress.averaged });
    Ok(Some(Restored { progress, moments, best, average }))
}
