//! Is a feature that does not matter gated, or does it only look so?

use super::{TaskExperiment, grid::Axis};
use crate::analyses::gating::{Generated, Shown};
use crate::setting;
use serde::{Deserialize, Serialize};

/// Responses whose gating is known, and networks whose gating is asked for, seen by the same analyses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gating {
    /// Folder under `reports/`; empty: the name of the folder the file lies in.
    pub study: String,
    /// Folder under the study; empty: the file's name.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// Seed of what is shown and of every draw; each network has a seed of its own.
    pub seed: u64,
    /// What is shown to generator and networks.
    pub shown: Shown,
    /// Responses made by a formula.
    pub generated: Generated,
    /// What every network does, but for the axes: `Integration` or `Labels`.
    pub of: TaskExperiment,
    /// Settings of `of` and the values they take; none: no networks.
    pub grid: Vec<Axis>,
    /// Largest error on test trials, as a share of the best constant answer's, of a network that has learned.
    #[serde(deserialize_with = "setting::positive")]
    pub learned: f64,
}

impl Default for Gating {
    fn default() -> Self {
        Self {
            study: String::new(),
            name: String::new(),
            title: String::new(),
            seed: 1,
            shown: Shown::default(),
            generated: Generated::default(),
            of: TaskExperiment::default(),
            grid: Vec::new(),
            learned: 0.05,
        }
    }
}
