//! Networks beside a recording: which strategy does the brain use?

use super::TaskExperiment;
use crate::analyses::recording::Analysis;
use crate::data::Task;
use crate::data::tasks::accumulation::{self, Strategy};
use crate::ops::CellKind;
use crate::setting;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Blocks of a synthetic recording, each of a hidden network that uses one strategy, and candidate networks beside them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Recording {
    /// Folder under `reports/`; empty: the name of the folder the file lies in.
    pub study: String,
    /// Folder under the study; empty: the file's name.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// Every random draw follows from it.
    pub seed: u64,
    /// Strategies of blocks and candidates.
    pub strategies: Vec<Strategy>,
    /// Blocks of each strategy, each with a hidden network of its own.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000>")]
    pub blocks: usize,
    /// Cells of the candidates; the hidden networks have that of `of.model.cell`.
    pub candidates: Vec<CellKind>,
    /// What every network does, but for strategy, cell and seed: `Accumulation`.
    pub of: TaskExperiment,
    /// Largest error on test trials, as a share of the best constant answer's, of a network that has learned; no block is made of
    /// others, and nothing compared with them.
    #[serde(deserialize_with = "setting::positive")]
    pub learned: f64,
    /// A recording of your own, `.npz` or `.safetensors`, as one more block: `evidence` `[trials, steps]`, `choice` `[trials]` (0 or −1:
    /// left; 1: right), `activity` `[trials, steps, units]` and, where there is some, `movement` `[trials, steps, variables]`. Or a
    /// `.parquet` with a row a trial and step: `trial`, `step`, `evidence`, `choice`, a column `unit_1`, `unit_2`, … each unit and
    /// `movement_1`, … each variable.
    pub data: Option<PathBuf>,
    /// How the recording is made and looked at.
    pub analysis: Analysis,
}

impl Default for Recording {
    fn default() -> Self {
        let task = Task::Accumulation(accumulation::Settings::default());
        Self {
            study: String::new(),
            name: String::new(),
            title: String::new(),
            seed: 1,
            strategies: vec![Strategy::Perfect, Strategy::Leaky(8.0), Strategy::Bounded(0.6)],
            blocks: 5,
            candidates: vec![CellKind::Vanilla, CellKind::Gru],
            of: TaskExperiment { task, ..TaskExperiment::default() },
            learned: 0.5,
            data: None,
            analysis: Analysis::default(),
        }
    }
}
