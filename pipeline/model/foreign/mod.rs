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
//! | Flax (NNX) | `dense_i`, `dense_h`; `ii if_ ig io hi hf hg ho`, each with `kernel` | transposed |
//!
//! Names may stand behind any prefix, parted by `.` or `/`. Layers and directions of one module belong to one network,
//! whose outputs are those of the whole ([`Whole`]); what is analysed is its uppermost layer, forwards. Projections are
//! refused by name.

mod arrays;
mod bounds;
mod case;
mod cells;
mod checkpoint;
mod embedding;
mod names;
mod numpy;
mod pickle;
mod places;
mod reading;
mod readout;
mod recognise;
mod zipped;

pub use arrays::read as read_arrays;
pub use arrays::{Named, States, read_states};
pub use numpy::read_numbers;

use super::config::{Config, Head, InitialState};
use super::network::Network;
use crate::ops::{Cell, CellKind, Pool};
use crate::whole::Whole;
use crate::{Error, Result, setting};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which weights, and what they are where their names do not say it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The file: safetensors, a PyTorch state dict or checkpoint (`.pt`, `.pth`, `.ckpt`) or NumPy's `.npz`. Or a folder under `reports/`,
    /// of a run or of a grid (of its cases the one with this cell and seed): that run's network, and its words.
    pub file: PathBuf,
    /// Whether they are only the start, and the network is trained further on the corpus, as `training` says.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub train: bool,
    /// The cell; `None`: by the shapes (one block of rows is a tanh cell, two a
    /// UGRNN, three a GRU, four an LSTM, all with `tanh`: whether a candidate is rectified no file says).
    pub cell: Option<CellKind>,
    /// What stands before the recurrent arrays' names; `None`: found. Several, parted by commas, are layers from below;
    /// `lstm_l0_reverse` is one direction alone.
    pub recurrent: Option<String>,
    /// Name of the embedding's array, `none` for none; `None`: found.
    pub embedding: Option<String>,
    /// Name of the readout's weights, `none` for none (one that is trained further then starts with a readout drawn by
    /// the seed); `None`: found.
    pub readout: Option<String>,
    /// What the readout reads: `h`, `c`, `hc`, `ch`; `last`, `mean`, `max` over the words, several joined by `-`;
    /// `end`, `sum`, `average` of two directions; `layers`. `None`: found, or refused where there are several ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<String>,
    /// Where in a checkpoint the network stands: keys parted by dots; several, parted by commas. `None`: found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_dict: Option<String>,
    /// Where a norm stands: `readout`, `words` or `none`, or `PREFIX=` one of them, parted by commas. `None`: by its
    /// size.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm: Option<String>,
    /// What a norm adds to the variance; `None`: its framework's default (PyTorch 1e-5, Keras 1e-3, Flax 1e-6, and 1e-5
    /// for batch norms).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm_epsilon: Option<f64>,
    /// Row of the embedding in which the vocabulary's first word stands, counted from 0: rows before it are left out.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub first_word: usize,
}

/// Documents over which means are taken for the readout of single states.
const MEANS: usize = 1000;

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
    /// Whether words enter it; else the states of a layer that was not named.
    pub reads_words: bool,
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
    /// Which states the readout sees, where the file or the settings say it.
    pub pool: Option<Pool>,
    /// The whole network, where `parts` are one cell of it; it brings its own readout.
    pub whole: Option<Whole>,
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
        recognise::recognise(
            settings,
            arrays::read(&settings.file, settings.state_dict.as_deref())?,
        )
    }

    /// Recognises arrays that are in memory: a state dict.
    ///
    /// * `settings`: its `file` is what messages name
    ///
    /// # Errors
    /// [`Error::Input`] as [`Foreign::read`].
    pub fn of(settings: &Settings, arrays: Named) -> Result<Self> {
        let read = arrays::Read { arrays, ..Default::default() };
        recognise::recognise(settings, arrays::settled(&settings.file, read)?)
    }

    /// Every way in which the readout of a file could be read, with the network that it makes; none where it says
    /// itself, or the settings do.
    pub fn readings(settings: &Settings) -> Vec<(String, Self)> {
        let Ok(read) = arrays::read(&settings.file, settings.state_dict.as_deref()) else {
            return Vec::new();
        };
        if settings.reads.is_some() || read.described.is_some() {
            return Vec::new();
        }
        let ways = reading::names().into_iter().filter_map(|name| {
            let settings = Settings { reads: Some(name.clone()), ..settings.clone() };
            Some((name, recognise::recognise(&settings, read.clone()).ok()?))
        });
        ways.filter(|(_, network)| network.outputs() > 0).collect()
    }

    /// Words it knows: rows of its embedding, or one-hot inputs.
    pub fn vocabulary(&self) -> usize {
        let (embedding, inputs) = match &self.whole {
            Some(whole) if !whole.reads_words() => {
                (whole.embedding.as_ref(), whole.layers[0][0].inputs)
            }
            _ => (self.embedding.as_ref(), self.inputs),
        };
        embedding.map_or(inputs, |rows| rows.len() / inputs)
    }

    /// Words as vectors of so many numbers; `None` where they are one-hot.
    pub fn word_vectors(&self) -> Option<usize> {
        match &self.whole {
            Some(whole) if !whole.layers[0][0].one_hot => Some(whole.layers[0][0].inputs),
            Some(_) => None,
            None => self.embedding.as_ref().map(|_| self.inputs),
        }
    }

    /// Numbers its readout gives; 0 without one.
    pub fn outputs(&self) -> usize {
        let own = self.readout.as_ref().map_or(0, |r| r.bias.len());
        self.whole.as_ref().map_or(own, |w| w.bias.len())
    }

    /// The make-up as an experiment would have it; the head stays that of `base`, and pooling where nothing says it.
    pub fn config(&self, base: &Config) -> Config {
        Config {
            cell: self.kind,
            units: self.units,
            embedding: match &self.whole {
                // A layer that reads another one's states reads vectors.
                Some(whole) if !whole.reads_words() => Some(self.inputs),
                _ => self.embedding.as_ref().map(|_| self.inputs),
            },
            pool: match self.whole {
                Some(_) => Pool::Last,
                None => self.pool.unwrap_or(base.pool),
            },
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
                "name it (`--readout`), or leave the corpus out and give `--states`",
            ),
            (outputs, true) if outputs == classes => Ok(Head::MultiLabel),
            (1, false) if classes == 2 => Ok(Head::Binary),
            (outputs, false) if outputs == classes => Ok(Head::Softmax),
            (outputs, _) => refuse(
                format!("{outputs} numbers for {classes} labels"),
                "name the labels it was trained on, all of them in the order of its outputs: `--label-order a,b,…` (`corpus.variant.keep`)",
            ),
        }
    }

    /// The whole network.
    ///
    /// * `documents`: what it reads, for means of what a readout of single states leaves out
    ///
    /// # Errors
    /// [`Error::Shape`] if it has no readout.
    pub fn network(&self, base: &Config, head: Head, documents: &[&[u32]]) -> Result<Network> {
        if self.outputs() == 0 {
            return Err(Error::shape("readout", "absent", "[outputs, state]"));
        }
        let Some(whole) = &self.whole else { return self.start(base, head, self.outputs(), 0) };
        let documents = &documents[..documents.len().min(MEANS)];
        let mut alone = Self { whole: None, ..self.clone() };
        let table = match whole.reads_words() {
            true => self.embedding.as_deref(),
            false => {
                let table = whole.embedding.as_deref();
                let rows = whole.words_from_below(documents, table, self.vocabulary())?;
                alone.embedding = Some(rows);
                table
            }
        };
        let (weights, bias) = whole.beside(documents, table)?;
        alone.readout = Some(Readout { weights, bias });
        alone.pool = Some(Pool::Last);
        Ok(alone.start(base, head, self.outputs(), 0)?.with_whole(whole.clone()))
    }

    /// The network that training starts from: what the file has no array for is drawn by `seed`, as in
    /// [`Network::new`].
    ///
    /// # Errors
    /// [`Error::Input`] for layers, directions and mixtures, which are not trained here; [`Error::Shape`] if its readout
    /// gives another count of numbers than `outputs`.
    pub fn start(&self, base: &Config, head: Head, outputs: usize, seed: u64) -> Result<Network> {
        if self.whole.is_some() {
            return Err(Error::input(
                self.file.display(),
                "",
                "training goes on from one layer with an affine readout of its states, and this network is more",
                "leave `--train` out, or train it where it comes from",
            ));
        }
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

    /// Weights `[outputs, state]` and bias of the readout of single states, in f64; empty where there is none, or where
    /// it depends on other cells too.
    ///
    /// * `states`: some that were visited, for the mean deviation of a layer norm
    pub fn readout_of_states(&self, states: &[Vec<f64>]) -> (Vec<f64>, Vec<f64>) {
        let wide = |x: &[f32]| x.iter().map(|&x| x as f64).collect();
        match (&self.readout, &self.whole) {
            (Some(own), _) => (wide(&own.weights), wide(&own.bias)),
            (None, Some(whole)) if whole.reads_one_cell() => {
                let (weights, bias) = whole.affine(&whole.standing(states));
                (wide(&weights), wide(&bias))
            }
            _ => (Vec::new(), Vec::new()),
        }
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
