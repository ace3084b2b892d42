//! What a network is made of.

use crate::ops::{CellKind, Entry, Pool, Sizes};
use crate::setting;
use serde::{Deserialize, Serialize};

/// Size and parts of a network; what the corpus decides (vocabulary, outputs) is not here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The recurrent cell.
    pub cell: CellKind,
    /// Units `n`. 256 in the papers' natural-text networks, 128 in the synthetic ones.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::WIDEST }>")]
    pub units: usize,
    /// Numbers of an embedding row; `None` feeds one-hot vectors, as the
    /// papers do for their small synthetic vocabularies. 128 for natural text.
    #[serde(deserialize_with = "setting::optional::<_, 1, { setting::WIDEST }>")]
    pub embedding: Option<usize>,
    /// Which states the readout sees.
    pub pool: Pool,
    /// What the readout says.
    pub head: HeadChoice,
    /// The state before the first token.
    pub initial_state: InitialState,
    /// Whether the readout has a bias `b`.
    pub readout_bias: bool,
    /// How the weights start.
    pub initialisation: Initialisation,
    /// Added at the start to the bias of the gate that keeps the state (the
    /// LSTM's `f`, the `u` of GRU and UGRNN). `None`: 1 for the LSTM, else 0,
    /// as the papers have it.
    #[serde(deserialize_with = "setting::any")]
    pub gate_bias: Option<f64>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            cell: CellKind::Gru,
            units: 128,
            embedding: Some(128),
            pool: Pool::Last,
            head: HeadChoice::Auto,
            initial_state: InitialState::Trained,
            readout_bias: true,
            initialisation: Initialisation::Papers,
            gate_bias: None,
        }
    }
}

impl Config {
    /// Sizes of the recurrent pass over what is read.
    pub fn sizes(&self, reads: Reads) -> Sizes {
        let entry = match (reads, self.embedding) {
            (Reads::Vectors(width), _) | (Reads::Words(_), Some(width)) => Entry::Vectors(width),
            (Reads::Words(vocabulary), None) => Entry::OneHot(vocabulary),
        };
        Sizes { kind: self.cell, units: self.units, entry }
    }
}

/// What a network reads at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// One of so many words, as a row of an embedding or as a one-hot vector.
    Words(usize),
    /// A vector of so many numbers, as it is.
    Vectors(usize),
}

impl From<usize> for Reads {
    fn from(vocabulary: usize) -> Self {
        Self::Words(vocabulary)
    }
}

/// What the readout says, as an experiment file may ask for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HeadChoice {
    /// By the labels: two classes one logit, more classes a softmax, label
    /// lists sigmoids, numbers a score.
    #[default]
    Auto,
    /// One logit a class, softmax cross-entropy.
    Softmax,
    /// One logit for two classes, sigmoid cross-entropy.
    Binary,
}

/// What the readout says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Head {
    /// `N` logits, softmax cross-entropy (nats); the class is the largest.
    Softmax,
    /// One logit, sigmoid cross-entropy (nats); class 1 where it is above 0.
    Binary,
    /// One logit a label, mean sigmoid cross-entropy; a label is given where
    /// its logit is at least 0 (the papers' rule: ties count).
    MultiLabel,
    /// One number at every token, mean squared error.
    Score,
    /// Numbers at every step, whose loss the trials say ([`StepLoss`](crate::data::StepLoss)).
    Steps,
}

impl Head {
    /// Numbers the readout gives for `classes` label names, or numbers of a target.
    pub fn outputs(self, classes: usize) -> usize {
        match self {
            Head::Softmax | Head::MultiLabel | Head::Steps => classes,
            Head::Binary | Head::Score => 1,
        }
    }

    /// Whether it says something at every step, and not once a sequence.
    pub fn is_stepwise(self) -> bool {
        matches!(self, Head::Score | Head::Steps)
    }
}

/// The state before the first token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InitialState {
    /// A parameter, zero at the start of training (the papers).
    #[default]
    Trained,
    /// Zero for good (PyTorch's default).
    Zero,
}

/// How weights start, before training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Initialisation {
    /// The papers': `A` and `W` normal with standard deviation `1/√n` (both;
    /// the published initialiser takes `n` for the fan-in of `A` too), biases
    /// 0, an embedding with orthonormal columns, a Glorot-normal readout with
    /// bias of standard deviation .01.
    #[default]
    Papers,
    /// PyTorch's: all of the cell uniform in `±1/√n`, embedding rows standard
    /// normal, readout uniform in `±1/√s` for a state of `s` numbers.
    Torch,
}
