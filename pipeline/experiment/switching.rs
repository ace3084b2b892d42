//! Networks trained together with a switching linear system.

use crate::data::Task;
use crate::ops::CellKind;
use crate::switching::initial::Initial;
use crate::switching::{Activation, Losses, train};
use crate::{analyses, corpus, setting};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Networks, each trained together with its linear system, and alone for comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switching {
    /// Folder under `reports/`; empty: the name of the folder the file lies in.
    pub study: String,
    /// Folder under the study; empty: the file's name.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// Seed of the first network of each part; the next ones have the next numbers.
    pub seed: u64,
    /// Networks of each part that differ by their seed alone.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000>")]
    pub replicates: usize,
    /// What is trained.
    pub parts: Vec<Part>,
    /// Whether each network is also trained without its linear system.
    pub alone: bool,
    /// Whether each is also trained without the term of expansion points, and without that of states.
    pub ablations: bool,
    /// What is looked at.
    pub inspect: analyses::switching::Inspect,
}

impl Default for Switching {
    fn default() -> Self {
        Self {
            study: String::new(),
            name: String::new(),
            title: String::new(),
            seed: 1,
            replicates: 3,
            parts: Vec::new(),
            alone: true,
            ablations: false,
            inspect: Default::default(),
        }
    }
}

/// One network and what it reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Part {
    /// Its name in tables.
    pub name: String,
    /// What it reads.
    pub reads: Source,
    /// A network with its linear system that was trained elsewhere: nothing is trained, and units and layers are the
    /// file's. Its arrays' names: `accrue analyze --help`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Which cell.
    pub cell: CellKind,
    /// Units.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1024>")]
    pub units: usize,
    /// Weights at the start.
    pub initial: Initial,
    /// The expansion network.
    pub expansion: Expansion,
    /// Weights of the terms of the loss.
    pub losses: Losses,
    /// How it is trained.
    pub training: train::Settings,
}

impl Default for Part {
    fn default() -> Self {
        Self {
            name: String::new(),
            reads: Source::default(),
            weights: None,
            cell: CellKind::Gru,
            units: 32,
            initial: Initial::default(),
            expansion: Expansion::default(),
            losses: Losses::default(),
            training: train::Settings::default(),
        }
    }
}

/// What a network reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// Trials of a task, drawn anew for every step.
    Task(Task),
    /// Documents with a class, their words embedded.
    Text(Box<Text>),
}

impl Default for Source {
    fn default() -> Self {
        Self::Task(Task::default())
    }
}

/// Documents with a class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Text {
    /// Which text.
    pub corpus: corpus::Settings,
    /// Numbers of a word's vector.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1024>")]
    pub embedding: usize,
}

impl Default for Text {
    fn default() -> Self {
        Self { corpus: Default::default(), embedding: 64 }
    }
}

/// The expansion network.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expansion {
    /// Its layers; with none the expansion point is the linear system's own state.
    #[serde(deserialize_with = "setting::whole::<_, 0, 8>")]
    pub layers: usize,
    /// What a layer does.
    pub activation: Activation,
    /// `u*`, the input around which the network is linearised.
    pub input: AtRest,
}

impl Default for Expansion {
    fn default() -> Self {
        Self { layers: 2, activation: Activation::Tanh, input: AtRest::Zero }
    }
}

/// The input around which a network is linearised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum AtRest {
    /// No input.
    #[default]
    Zero,
    /// The inputs that are the same at all steps of a trial, the others 0.
    Static,
    /// The mean word of the training documents.
    Mean,
}
