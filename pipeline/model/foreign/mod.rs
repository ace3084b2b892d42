//! Weights trained elsewhere: which array is what.
//!
//! A file of named arrays becomes a [`Network`]. The recurrent cell is found by
//! its arrays' names, its kind and sizes by their shapes; the embedding and the
//! readout by names, shapes and whether a bias stands beside them. What could be
//! read in two ways is an error that lists both and says which setting decides.
//!
//! | trained with | recurrent arrays | what is done with them |
//! |---|---|---|
//! | PyTorch `nn.RNN`, `nn.GRU`, `nn.LSTM`, and their `Cell`s | `weight_ih[_l0]`, `weight_hh[_l0]`, `bias_ih[_l0]`, `bias_hh[_l0]` | taken as they are |
//! | Equinox `GRUCell`, `LSTMCell` | `weight_ih`, `weight_hh`, `bias`, `bias_n` | `bias` enters with the input, `bias_n` with the state |
//! | Keras `SimpleRNN`, `GRU`, `LSTM` | `kernel`, `recurrent_kernel`, `bias` | transposed; GRU gates `z, r, h` become `r, z, h`; two rows of biases mean that it resets after the product, one that it resets before |
//! | Flax (linen) `SimpleCell`, `GRUCell`, `LSTMCell` | `i`, `h`; `ir iz in hr hz hn`; `ii if ig io hi hf hg ho`, each with `kernel` | transposed and stacked |
//!
//! Names may stand behind any prefix, parted by `.` or `/`. One layer that reads
//! forwards; more layers, two directions and projections are refused by name.

mod arrays;
mod recognise;

pub use arrays::read as read_arrays;
pub use arrays::{States, read_states};

use super::config::{Config, Head, InitialState};
use super::network::Network;
use crate::ops::{Cell, CellKind};
use crate::{Error, Result, setting};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which weights, and what they are where their names do not say it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The file: safetensors, a PyTorch state dict (`.pt`, `.pth`) or NumPy's `.npz`. Or a folder under `reports/`,
    /// of a run or of a grid (of its cases the one with this cell and seed): that run's network, and its words.
    pub file: PathBuf,
    /// Whether they are only the start, and the network is trained further on the corpus, as `training` says.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub train: bool,
    /// The cell; `None`: by the shapes (one block of rows is a tanh cell, two a
    /// UGRNN, three a GRU, four an LSTM).
    pub cell: Option<CellKind>,
    /// What stands before the recurrent arrays' names; `None`: found.
    pub recurrent: Option<String>,
    /// Name of the embedding's array, `none` for none; `None`: found.
    pub embedding: Option<String>,
    /// Name of the readout's weights, `none` for none (one that is trained further then starts with a readout drawn by
    /// the seed); `None`: found.
    pub readout: Option<String>,
}

/// What one array of the file was taken as.
#[derive(Clone, Debug, PartialEq)]
pub struct ArrayRole {
    /// Its name in the file.
    pub array: String,
    /// Its shape there.
    pub shape: Vec<usize>,
    /// What it is.
    pub role: &'static str,
}

/// An affine readout of the state.
#[derive(Clone, Debug, PartialEq)]
pub struct Readout {
    /// `[outputs, state]`, row-major; zeros where an LSTM's readout sees `h` alone.
    pub weights: Vec<f32>,
    /// `[outputs]`.
    pub bias: Vec<f32>,
}

/// A network trained elsewhere.
#[derive(Clone, Debug)]
pub struct Foreign {
    /// The file, as given.
    pub file: PathBuf,
    /// The cell's equations.
    pub kind: CellKind,
    /// Units `n`.
    pub units: usize,
    /// Inputs `u`.
    pub inputs: usize,
    /// `A`, `W`, `b_ih`, `b_hh` in this program's layout.
    pub parts: [Vec<f32>; 4],
    /// Rows `[vocabulary, inputs]`.
    pub embedding: Option<Vec<f32>>,
    /// The readout.
    pub readout: Option<Readout>,
    /// The state before the first token; `None`: zero.
    pub initial: Option<Vec<f32>>,
    /// Every array of the file and what it was taken as.
    pub taken: Vec<ArrayRole>,
    /// What had to be assumed.
    pub notes: Vec<String>,
}

impl Foreign {
    /// Reads and recognises the arrays of a file.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened; [`Error::Input`] if it holds no
    /// recurrent cell of a known form, or more than one reading is possible.
    pub fn read(settings: &Settings) -> Result<Self> {
        let (arrays, described) = arrays::read(&settings.file)?;
        recognise::recognise(settings, &arrays, described)
    }

    /// Words it knows: rows of its embedding, or one-hot inputs.
    pub fn vocabulary(&self) -> usize {
        self.embedding.as_ref().map_or(self.inputs, |e| e.len() / self.inputs)
    }

    /// Numbers its readout gives; 0 without one.
    pub fn outputs(&self) -> usize {
        self.readout.as_ref().map_or(0, |r| r.bias.len())
    }

    /// The make-up as an experiment would have it; pooling and head stay those of `base`.
    pub fn config(&self, base: &Config) -> Config {
        Config {
            cell: self.kind,
            units: self.units,
            embedding: self.embedding.as_ref().map(|_| self.inputs),
            initial_state: match self.initial {
                Some(_) => InitialState::Trained,
                None => InitialState::Zero,
            },
            ..base.clone()
        }
    }

    /// What its readout says about one of `classes`, or about several labels.
    ///
    /// # Errors
    /// [`Error::Input`] if it gives another count of numbers, or has none.
    pub fn head(&self, classes: usize, lists: bool) -> Result<Head> {
        let refuse = |problem: String, remedy: &str| {
            Err(Error::input(self.file.display(), "readout", problem, remedy))
        };
        match (self.outputs(), lists) {
            (0, _) => refuse(
                "no readout was found".into(),
                "name it (`--readout`), or leave the corpus out and give `--seeds`",
            ),
            (outputs, true) if outputs == classes => Ok(Head::MultiLabel),
            (1, false) if classes == 2 => Ok(Head::Binary),
            (outputs, false) if outputs == classes => Ok(Head::Softmax),
            (outputs, _) => refuse(
                format!("{outputs} numbers for {classes} labels"),
                "choose the labels it was trained on (`--set corpus.variant…`)",
            ),
        }
    }

    /// The whole network.
    ///
    /// # Errors
    /// [`Error::Shape`] if it has no readout.
    pub fn network(&self, base: &Config, head: Head) -> Result<Network> {
        if self.readout.is_none() {
            return Err(Error::shape("readout", "absent", "[outputs, state]"));
        }
        self.start(base, head, self.outputs(), 0)
    }

    /// The network that training starts from: what the file has no array for is drawn by `seed`, as in
    /// [`Network::new`].
    ///
    /// # Errors
    /// [`Error::Shape`] if its readout gives another count of numbers than `outputs`.
    pub fn start(&self, base: &Config, head: Head, outputs: usize, seed: u64) -> Result<Network> {
        let config = self.config(base);
        let network = Network::new(&config, head, self.vocabulary(), outputs, seed)?;
        let mut arrays = network.arrays()?;
        let state = network.state_size();
        let rows = self.kind.gates() * self.units;
        let mut add = |name: &str, shape: &[usize], numbers: &[f32]| {
            arrays.insert(name.into(), (shape.to_vec(), numbers.to_vec()));
        };
        let [a, w, b_ih, b_hh] = &self.parts;
        add("rnn.weight_ih_l0", &[rows, self.inputs], a);
        add("rnn.weight_hh_l0", &[rows, self.units], w);
        add("rnn.bias_ih_l0", &[rows], b_ih);
        add("rnn.bias_hh_l0", &[rows], b_hh);
        if let Some(embedding) = &self.embedding {
            add("embedding.weight", &[self.vocabulary(), self.inputs], embedding);
        }
        let zero = vec![0.0; state];
        add("initial_state", &[state], self.initial.as_ref().unwrap_or(&zero));
        if let Some(readout) = &self.readout {
            add("readout.weight", &[self.outputs(), state], &readout.weights);
            add("readout.bias", &[self.outputs()], &readout.bias);
        }
        network.set_arrays(&arrays)?;
        Ok(network)
    }

    /// The cell alone, in f64.
    pub fn cell(&self) -> Cell {
        let wide = |x: &[f32]| x.iter().map(|&x| x as f64).collect();
        let [a, w, b_ih, b_hh] = &self.parts;
        Cell {
            kind: self.kind,
            units: self.units,
            inputs: self.inputs,
            input_weights: wide(a),
            recurrent_weights: wide(w),
            input_bias: wide(b_ih),
            recurrent_bias: wide(b_hh),
        }
    }
}
