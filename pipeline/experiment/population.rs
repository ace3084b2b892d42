//! Many networks on one task: what is universal, what is individual.

use super::{TaskExperiment, grid::Axis};
use crate::analyses::population::Compare;
use crate::setting;
use serde::{Deserialize, Serialize};

/// Networks that differ in the settings of the axes, trained on the same trials and compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Population {
    /// Folder under `reports/`; empty: the name of the folder the file lies in.
    pub study: String,
    /// Folder under the study; empty: the file's name.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// Seed of the trials, and of every draw that compares networks; each network has a seed of its own.
    pub seed: u64,
    /// What every network does, but for the axes.
    pub of: TaskExperiment,
    /// Settings of `of` and the values they take, as `(set: "model.cell", to: ["Gru", "Lstm"])`: one network for every
    /// combination.
    pub grid: Vec<Axis>,
    /// Largest error on test trials, as a share of the best constant answer's, of a network that has learned; others are
    /// counted and left out of every comparison.
    #[serde(deserialize_with = "setting::positive")]
    pub learned: f64,
    /// How networks are compared.
    pub similarity: Compare,
}

impl Default for Population {
    fn default() -> Self {
        Self {
            study: String::new(),
            name: String::new(),
            title: String::new(),
            seed: 1,
            of: TaskExperiment::default(),
            grid: Vec::new(),
            learned: 0.02,
            similarity: Compare::default(),
        }
    }
}
