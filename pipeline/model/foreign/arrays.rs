//! Named arrays from the files that people have.

use crate::config::Config;
use crate::ops::CellKind;
use crate::weights::METADATA;
use crate::{Error, Result};
use candle_core::{DType, Device, Tensor};
use safetensors::tensor::SafeTensors;
use std::collections::BTreeMap;
use std::path::Path;

/// Named arrays: shape and numbers, row-major.
pub type Named = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

const REMEDY: &str = "save the weights as safetensors: from safetensors.torch import save_file; \
                      save_file(model.state_dict(), \"model.safetensors\")";

const KERAS: &str = "load the model in Keras and save its arrays: numpy.savez(\"weights.npz\", \
                     **{w.path: w.numpy() for w in model.weights})";

/// Reads the arrays of a file, half and double precision brought to f32; and
/// the cell, where the file is one of this program's own and says it.
///
/// Integer arrays (counts of batches and the like) are left out.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Input`] if it is of no known
/// kind, damaged, or holds a number that is not finite.
pub fn read(path: &Path) -> Result<(Named, Option<CellKind>)> {
    let refuse = |e: &dyn std::fmt::Display| Error::input(path.display(), "", e, REMEDY);
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    std::fs::File::open(path).map_err(Error::io(path))?;
    let (tensors, described): (Vec<(String, Tensor)>, _) = match ending.as_str() {
        "safetensors" => {
            let bytes = std::fs::read(path).map_err(Error::io(path))?;
            let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| refuse(&e))?;
            let described = header.metadata().as_ref().and_then(|m| cell(m.get(METADATA)?));
            let tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu);
            (tensors.map_err(|e| refuse(&e))?.into_iter().collect(), described)
        }
        "npz" => (Tensor::read_npz(path).map_err(|e| refuse(&e))?, None),
        "pt" | "pth" | "bin" | "ckpt" => {
            (candle_core::pickle::read_all(path).map_err(|e| refuse(&e))?, None)
        }
        "h5" | "hdf5" | "keras" => {
            let problem = format!("files of Keras in .{ending} are not read");
            return Err(Error::input(path.display(), "", problem, KERAS));
        }
        _ => return Err(refuse(&"neither .safetensors nor .pt, .pth or .npz")),
    };
    let mut arrays = Named::new();
    for (name, tensor) in tensors {
        if !tensor.dtype().is_float() {
            continue;
        }
        let numbers = flat(&tensor).map_err(|e| refuse(&e))?;
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            let place = format!("array `{name}`, number {}", at + 1);
            let problem = format!("{} is not finite", numbers[at]);
            let remedy = "training diverged; give a checkpoint from before";
            return Err(Error::input(path.display(), place, problem, remedy));
        }
        // TensorFlow's names end in `:0`.
        let name = name.trim_end_matches(":0").to_string();
        arrays.insert(name, (tensor.dims().to_vec(), numbers));
    }
    if arrays.is_empty() {
        return Err(refuse(&"no array of numbers"));
    }
    Ok((arrays, described))
}

fn flat(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
}

/// The cell that this program's own description names.
fn cell(text: &str) -> Option<CellKind> {
    #[derive(serde::Deserialize)]
    struct Described {
        config: Config,
    }
    serde_json::from_str::<Described>(text).ok().map(|d| d.config.cell)
}

/// States that were visited elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub struct States {
    /// One a row.
    pub states: Vec<Vec<f64>>,
    /// Consecutive rows that belong to one walk; 1 where the file does not say.
    pub walk: usize,
}

/// States `[n, state]`, or walks `[documents, tokens, state]`, from a NumPy file.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Input`] if it is no table of
/// numbers, empty, or holds a number that is not finite.
pub fn read_states(path: &Path) -> Result<States> {
    let remedy = "save an array of shape [n, units]: numpy.save(\"states.npy\", states)";
    let refuse =
        |place: String, e: &dyn std::fmt::Display| Error::input(path.display(), place, e, remedy);
    std::fs::File::open(path).map_err(Error::io(path))?;
    let tensor = Tensor::read_npy(path).map_err(|e| refuse(String::new(), &e))?;
    let dims = tensor.dims().to_vec();
    let Some(&width) = dims.last().filter(|_| dims.len() >= 2) else {
        return Err(refuse(String::new(), &format!("an array of shape {dims:?}")));
    };
    let flat = tensor.to_dtype(DType::F64).and_then(|t| t.flatten_all()?.to_vec1::<f64>());
    let flat = flat.map_err(|e| refuse(String::new(), &e))?;
    if flat.is_empty() {
        return Err(refuse(String::new(), &"no state"));
    }
    let walk = if dims.len() > 2 { dims[dims.len() - 2] } else { 1 };
    let rows: Vec<Vec<f64>> = flat.chunks(width).map(<[f64]>::to_vec).collect();
    if let Some(row) = rows.iter().position(|r| r.iter().any(|x| !x.is_finite())) {
        return Err(refuse(format!("row {row}"), &"a number that is not finite"));
    }
    Ok(States { states: rows, walk })
}
