//! What is asked of networks that optimise.

use crate::corpus;
use crate::optimisers::{self, LearnedSettings, Task, TrainingSettings, baseline, measure};
use crate::setting;
use serde::{Deserialize, Serialize};

/// Recurrent networks trained to optimise one family of problems, compared with tuned methods and opened up.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LearnedOptimiser {
    /// Folder under `reports/`; empty: the name of the folder the file lies in.
    pub study: String,
    /// Folder under the study; empty: the file's name.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// Every random draw follows from it.
    pub seed: u64,
    /// What is optimised.
    pub task: Task,
    /// The corpus of two classes that `Words` count, here or in `transfer`.
    pub corpus: Option<corpus::Settings>,
    /// The optimiser.
    pub model: LearnedSettings,
    /// How it is trained.
    pub training: TrainingSettings,
    /// Optimisers that are trained; they differ by their seed alone.
    #[serde(deserialize_with = "setting::whole::<_, 1, 64>")]
    pub networks: usize,
    /// How the methods beside it are tuned.
    pub baselines: baseline::Settings,
    /// Problems on which all are compared; none of them is trained or tuned on.
    #[serde(deserialize_with = "setting::whole::<_, 2, 100000>")]
    pub test: usize,
    /// How it is looked at.
    pub analysis: measure::Settings,
    /// Other problems on which it is compared, without more training; the methods are tuned on each anew.
    pub transfer: Vec<Transfer>,
}

/// Problems that an optimiser was not trained on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Transfer {
    /// Its name in tables; empty: that of the task.
    pub name: String,
    /// The problems.
    pub task: Task,
    /// Losses of a run, at least 2; 0: as in training.
    #[serde(deserialize_with = "steps")]
    pub steps: usize,
}

/// None, or enough to move once.
fn steps<'de, D: serde::Deserializer<'de>>(de: D) -> Result<usize, D::Error> {
    match setting::whole::<_, 0, 100000>(de)? {
        1 => Err(serde::de::Error::custom(
            "1 is impossible here: at least 2, or 0 for the steps of training",
        )),
        steps => Ok(steps),
    }
}

impl Default for LearnedOptimiser {
    fn default() -> Self {
        Self {
            study: String::new(),
            name: String::new(),
            title: String::new(),
            seed: 1,
            task: Task::default(),
            corpus: None,
            model: LearnedSettings::default(),
            training: TrainingSettings::default(),
            networks: 3,
            baselines: optimisers::baseline::Settings::default(),
            test: 64,
            analysis: measure::Settings::default(),
            transfer: Vec::new(),
        }
    }
}
