//! What is asked of one network on a task.

use super::text::is_default;
use super::{FixedPointSettings, StatesSettings};
use crate::analyses::flow::{Curves, Transitions};
use crate::data::Task;
use crate::data::tasks::{Drawn, Law};
use crate::model;
use crate::{setting, train};
use serde::{Deserialize, Serialize};

/// One experiment on one task with one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TaskExperiment {
    /// Folder under `reports/`; empty: the name of the folder the file lies in.
    pub study: String,
    /// Folder under the study; empty: the file's name.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// Every random draw follows from it.
    pub seed: u64,
    /// Which task.
    pub task: Task,
    /// How many trials are drawn.
    pub trials: Counts,
    /// Which network; its inputs and outputs are the task's.
    pub model: model::Config,
    /// How it is trained.
    pub training: train::Settings,
    /// Which states are looked at: of test trials (`documents`), at most so many.
    pub states: StatesSettings,
    /// How fixed points are sought; no input: those that the task holds.
    pub fixed_points: FixedPointSettings,
    /// How orbits are followed from states and saddles.
    #[serde(skip_serializing_if = "is_default")]
    pub transitions: Transitions,
    /// How fixed points are followed while the input moves.
    #[serde(skip_serializing_if = "is_default")]
    pub curves: Curves,
}

impl TaskExperiment {
    /// Trials of a split, `count` of them.
    pub fn draw(&self, count: usize, split: &str) -> Drawn {
        self.task.draw(count, self.trials.seed.unwrap_or(self.seed), split)
    }
}

impl Default for TaskExperiment {
    fn default() -> Self {
        let fixed_points =
            FixedPointSettings { inputs: Vec::new(), ..FixedPointSettings::default() };
        Self {
            study: String::new(),
            name: String::new(),
            title: String::new(),
            seed: 1,
            task: Task::default(),
            trials: Counts::default(),
            model: model::Config { embedding: None, ..model::Config::default() },
            training: train::Settings::default(),
            states: StatesSettings::default(),
            fixed_points,
            transitions: Transitions::default(),
            curves: Curves::default(),
        }
    }
}

/// Trials of each split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Counts {
    /// To learn from.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::MANY }>")]
    pub train: usize,
    /// To stop by.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::MANY }>")]
    pub validation: usize,
    /// To measure on.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::MANY }>")]
    pub test: usize,
    /// Seed they are drawn by; `None`: the experiment's. Networks that are compared read the same trials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
}

impl Default for Counts {
    fn default() -> Self {
        Self { train: 2048, validation: 256, test: 256, seed: None }
    }
}
