//! Weights on disk: safetensors, PyTorch's names and shapes, the config in the metadata.

use super::config::{Config, Head, Reads};
use super::network::Network;
use super::whole::Whole;
use crate::{Error, Result, files};
use candle_core::Tensor;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

/// Metadata key under which a network's make-up stands in its weights file.
pub const METADATA: &str = "accrue";

/// What the metadata says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Described {
    config: Config,
    head: Head,
    /// Words it knows; 0 where it reads vectors.
    vocabulary: usize,
    outputs: usize,
    /// Numbers of the vectors it reads, where it reads vectors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    vectors: Option<usize>,
    /// The larger network that it is one cell of; its arrays' names begin with `whole.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<Whole>,
}

/// Named f32 arrays with their shapes.
pub type Arrays = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

impl Network {
    /// Its weights under PyTorch's names.
    ///
    /// | name | shape |
    /// |---|---|
    /// | `embedding.weight` | `[vocabulary, inputs]`, absent for one-hot entry |
    /// | `rnn.weight_ih_l0`, `rnn.weight_hh_l0` | `[gates·n, inputs]`, `[gates·n, n]` |
    /// | `rnn.bias_ih_l0`, `rnn.bias_hh_l0` | `[gates·n]` |
    /// | `initial_state` | `[state]` |
    /// | `readout.weight`, `readout.bias` | `[outputs, state]`, `[outputs]` |
    ///
    /// Rows of the cell stand in PyTorch's gate order (LSTM `i, f, g, o`; GRU
    /// `r, z, n`), so that a GRU or LSTM loads into `torch.nn` as it is.
    ///
    /// # Errors
    /// [`Error::Candle`] if the weights cannot be brought to the processor.
    pub fn arrays(&self) -> Result<Arrays> {
        let mut arrays = Arrays::new();
        let sizes = self.sizes();
        let rows = sizes.kind.gates() * sizes.units;
        let flat = self.flat("cell")?.expect("every network has a cell");
        let [a, w, b_ih, b_hh] = sizes.split(&flat);
        let mut add = |name: &str, shape: &[usize], numbers: &[f32]| {
            arrays.insert(name.into(), (shape.to_vec(), numbers.to_vec()));
        };
        add("rnn.weight_ih_l0", &[rows, sizes.inputs()], a);
        add("rnn.weight_hh_l0", &[rows, sizes.units], w);
        add("rnn.bias_ih_l0", &[rows], b_ih);
        add("rnn.bias_hh_l0", &[rows], b_hh);
        if let Some(embedding) = self.flat("embedding")? {
            add("embedding.weight", &[self.vocabulary(), sizes.inputs()], &embedding);
        }
        let whole = "every network has a readout and an initial state";
        add("initial_state", &[self.state_size()], &self.flat("initial_state")?.expect(whole));
        add(
            "readout.weight",
            &[self.outputs(), self.state_size()],
            &self.flat("readout")?.expect(whole),
        );
        add("readout.bias", &[self.outputs()], &self.flat("bias")?.expect(whole));
        Ok(arrays)
    }

    fn flat(&self, name: &str) -> Result<Option<Vec<f32>>> {
        Ok(self.array(name).map(|v| v.flatten_all()?.to_vec1::<f32>()).transpose()?)
    }

    /// Takes over weights as [`Network::arrays`] gives them.
    ///
    /// # Errors
    /// [`Error::Shape`] for an array that is missing or does not fit.
    pub fn set_arrays(&self, arrays: &Arrays) -> Result<()> {
        let sizes = self.sizes();
        let rows = sizes.kind.gates() * sizes.units;
        let find = |name: &str, shape: &[usize]| -> Result<&[f32]> {
            match arrays.get(name) {
                Some((found, numbers)) if found == shape => Ok(numbers),
                Some((found, _)) => {
                    Err(Error::shape(name, format!("{found:?}"), format!("{shape:?}")))
                }
                None => Err(Error::shape(name, "absent", format!("{shape:?}"))),
            }
        };
        let set = |name: &str, numbers: Vec<f32>| -> Result<()> {
            let var = self.array(name).expect("only arrays of this network are set");
            Ok(var.set(&Tensor::from_vec(numbers, var.shape(), var.device())?)?)
        };
        let mut cell = find("rnn.weight_ih_l0", &[rows, sizes.inputs()])?.to_vec();
        cell.extend_from_slice(find("rnn.weight_hh_l0", &[rows, sizes.units])?);
        cell.extend_from_slice(find("rnn.bias_ih_l0", &[rows])?);
        cell.extend_from_slice(find("rnn.bias_hh_l0", &[rows])?);
        set("cell", cell)?;
        if self.array("embedding").is_some() {
            let shape = [self.vocabulary(), sizes.inputs()];
            set("embedding", find("embedding.weight", &shape)?.to_vec())?;
        }
        set("initial_state", find("initial_state", &[self.state_size()])?.to_vec())?;
        let shape = [self.outputs(), self.state_size()];
        set("readout", find("readout.weight", &shape)?.to_vec())?;
        set("bias", find("readout.bias", &[self.outputs()])?.to_vec())
    }

    /// Writes the weights; the file appears whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written to.
    pub fn save(&self, path: &Path) -> Result<()> {
        let described = Described {
            config: self.config().clone(),
            head: self.head(),
            vocabulary: self.vocabulary(),
            outputs: self.outputs(),
            vectors: match self.reads() {
                Reads::Vectors(width) => Some(width),
                Reads::Words(_) => None,
            },
            whole: self.whole().cloned(),
        };
        let text = serde_json::to_string(&described).expect("a description has only plain fields");
        let mut arrays = self.arrays()?;
        if let Some(whole) = self.whole() {
            arrays.extend(whole.arrays());
        }
        write(path, &arrays, HashMap::from([(METADATA.to_string(), text)]))
    }

    /// Reads a network that [`Network::save`] wrote.
    ///
    /// # Errors
    /// [`Error::Input`] if the file is not a weights file of this program.
    pub fn load(path: &Path) -> Result<Self> {
        let (arrays, metadata) = read(path)?;
        let retrain = "train again, or give a file that `accrue run` wrote";
        let text = metadata.get(METADATA).ok_or_else(|| {
            Error::input(path.display(), "metadata", "no description of a network", retrain)
        })?;
        let described: Described = serde_json::from_str(text)
            .map_err(|e| Error::input(path.display(), "metadata", e, retrain))?;
        let reads = described.vectors.map_or(Reads::Words(described.vocabulary), Reads::Vectors);
        let network = Network::new(&described.config, described.head, reads, described.outputs, 0)?;
        network.set_arrays(&arrays)?;
        Ok(match described.whole {
            None => network,
            Some(mut whole) => {
                whole.set_arrays(&arrays)?;
                network.with_whole(whole)
            }
        })
    }
}

/// Writes named arrays as safetensors, by rename.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be written to.
pub fn write(path: &Path, arrays: &Arrays, metadata: HashMap<String, String>) -> Result<()> {
    let bytes: Vec<Vec<u8>> =
        arrays.values().map(|(_, x)| x.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = arrays.iter().zip(&bytes).map(|((name, (shape, _)), bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        (name, view.expect("an array has as many numbers as its shape says"))
    });
    // Keys of the metadata in a fixed order: one key only is ever written by us.
    let text = safetensors::serialize(views, Some(metadata))
        .expect("names and shapes of our own arrays are valid");
    files::replace(path, &text)
}

/// Reads named f32 arrays and the metadata.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Input`] if it is cut short,
/// is no safetensors file, or holds another number type.
pub fn read(path: &Path) -> Result<(Arrays, HashMap<String, String>)> {
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let bad = |problem: String| {
        Error::input(path.display(), "", problem, "remove it and run the stage again")
    };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| bad(e.to_string()))?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
    let mut arrays = Arrays::new();
    for (name, view) in tensors.iter() {
        if view.dtype() != Dtype::F32 {
            return Err(bad(format!("array `{name}` is {:?}, not F32", view.dtype())));
        }
        let numbers = view
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes(b.try_into().expect("a chunk of four bytes")));
        arrays.insert(name.to_string(), (view.shape().to_vec(), numbers.collect()));
    }
    Ok((arrays, header.metadata().clone().unwrap_or_default()))
}
