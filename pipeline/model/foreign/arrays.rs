//! Named arrays from the files that people have.

use super::bounds::open;
use super::zipped::Zipped;
use super::{checkpoint, names, numpy};
use crate::config::Config;
use crate::weights::METADATA;
use crate::{Error, Result};
use safetensors::tensor::{Dtype, SafeTensors};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

/// Named arrays: shape and numbers, row-major.
pub type Named = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The arrays, half and double precision brought to f32.
    pub arrays: Named,
    /// The make-up, where the file is one of this program's own and says it.
    pub described: Option<Config>,
    /// What was left out, put together or chosen.
    pub notes: Vec<String>,
}

const REMEDY: &str = "save the weights as safetensors: from safetensors.torch import save_file; \
                      save_file(model.state_dict(), \"model.safetensors\")";

/// Names told of arrays that are left out; the rest are counted.
const TOLD: usize = 8;

impl Read {
    /// Tells arrays that are no weights.
    pub fn skipped(&mut self, mut names: Vec<String>) {
        if names.is_empty() {
            return;
        }
        let more = names.len().saturating_sub(TOLD);
        names.truncate(TOLD);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        self.notes.push(format!("left out, no decimal numbers: {}{more}", names.join(", ")));
    }
}

/// Reads the arrays of a file, under the names that their frameworks give them.
///
/// Arrays of other kinds (counts of batches, words, objects) are left out, and told.
///
/// * `state_dict`: where in a checkpoint the network stands; `None`: found
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Input`] if it is of no known
/// kind, damaged, or holds a number that is not finite.
pub fn read(path: &Path, state_dict: Option<&str>) -> Result<Read> {
    let refuse = |problem: String, remedy: &str| Error::input(path.display(), "", problem, remedy);
    let mut start = [0; 16];
    let (file, _) = open(path, REMEDY)?;
    let mut filled = Vec::new();
    file.take(16).read_to_end(&mut filled).map_err(Error::io(path))?;
    start[..filled.len()].copy_from_slice(&filled);
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let kind = match Kind::of(&start, &ending) {
        Kind::Archive => Kind::of_archive(path)?,
        kind => kind,
    };
    let torch = matches!(kind, Kind::Torch);
    let mut read = match kind {
        Kind::Safetensors => safetensors(path)?,
        Kind::Numpy => numpy_archive(path)?,
        Kind::Torch => checkpoint::read(path, state_dict)?,
        Kind::Archive => unreachable!("an archive was looked into"),
        Kind::Foreign(problem, remedy) => return Err(refuse(problem, remedy)),
    };
    if let (Some(key), false) = (state_dict, torch) {
        // Here names are whole: the key is what they begin with.
        let with = |name: &str, separator| name.starts_with(&format!("{key}{separator}"));
        let keep = |name: &String| with(name, '.') || with(name, '/');
        if !read.arrays.keys().any(keep) {
            return Err(refuse(
                format!("no array's name begins with `{key}.`"),
                "leave `--state-dict` out",
            ));
        }
        read.arrays.retain(|name, _| keep(name));
    }
    settled(path, read)
}

/// Arrays under plain names, all finite.
///
/// * `path`: what messages name
///
/// # Errors
/// [`Error::Input`] for none, or for a number that is not finite.
pub fn settled(path: &Path, mut read: Read) -> Result<Read> {
    for (name, (_, numbers)) in &read.arrays {
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            let place = format!("array `{name}`, number {}", at + 1);
            let problem = format!("{} is not finite", numbers[at]);
            let remedy = "training diverged; give a checkpoint from before";
            return Err(Error::input(path.display(), place, problem, remedy));
        }
    }
    if read.arrays.is_empty() {
        let skipped: String = read.notes.iter().map(|note| format!("; {note}")).collect();
        let problem = format!("no array of decimal numbers{skipped}");
        return Err(Error::input(path.display(), "", problem, REMEDY));
    }
    names::settle(path, &mut read)?;
    Ok(read)
}

/// What a file is.
enum Kind {
    Safetensors,
    Numpy,
    Torch,
    /// A zip, which all of them use: what stands in it says whose.
    Archive,
    /// Another framework's own: what it is, and how that framework saves what is read here.
    Foreign(String, &'static str),
}

impl Kind {
    /// By how it begins, and by its name where that says nothing.
    fn of(start: &[u8; 16], ending: &str) -> Self {
        let foreign = |what: &str, remedy| Self::Foreign(what.into(), remedy);
        let keras = |what| foreign(what, KERAS);
        match ending {
            "keras" => return keras("a model of Keras (.keras), which is not read"),
            "h5" | "hdf5" => return keras("a file of Keras in HDF5 (.h5), which is not read"),
            "msgpack" => {
                return foreign(
                    "a file of Flax in msgpack, which is not read",
                    "save it as NumPy's: tree = flax.serialization.msgpack_restore(open(\"model.msgpack\", \
                     \"rb\").read()); numpy.savez(\"weights.npz\", \
                     **flax.traverse_util.flatten_dict(tree, sep=\"/\"))",
                );
            }
            "eqx" => {
                return foreign(
                    "a file of Equinox (.eqx), which holds numbers without names",
                    "load the model and save its arrays with their names: numpy.savez(\"weights.npz\", \
                     **{jax.tree_util.keystr(k): v for k, v in jax.tree_util.tree_leaves_with_path(\
                     equinox.filter(model, equinox.is_array))})",
                );
            }
            _ => {}
        }
        if start.starts_with(b"\x89HDF") {
            return keras("a file of Keras in HDF5, which is not read");
        }
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Self::Archive;
        }
        if start.starts_with(numpy::MAGIC) {
            return foreign(
                "a single array of NumPy, without a name",
                "save all arrays with their names: numpy.savez(\"weights.npz\", **arrays)",
            );
        }
        // A header's length comes first, in eight bytes, then the header.
        if start[8] == b'{' && start[5..8] == [0; 3] {
            return Self::Safetensors;
        }
        if start[0] == 0x80 && start[1] <= 5 {
            // PyTorch before 1.6 began with this number, pickled.
            if start[2..].starts_with(b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19") {
                return foreign(
                    "a file of PyTorch from before 2020 (1.6), which is not read",
                    "write it in today's format: torch.save(torch.load(\"old.pt\", map_location=\"cpu\"), \
                     \"new.pt\")",
                );
            }
            return foreign(
                "a pickle, which may hold any program and is not read",
                "save its arrays as NumPy's: numpy.savez(\"weights.npz\", **pickle.load(open(\"model.pkl\", \
                 \"rb\"))); for PyTorch torch.save(model.state_dict(), \"model.pt\")",
            );
        }
        match ending {
            "safetensors" => Self::Safetensors,
            "npz" => Self::Numpy,
            "pt" | "pth" | "bin" | "ckpt" => Self::Torch,
            _ => foreign("neither .safetensors nor .pt, .pth, .ckpt or .npz", REMEDY),
        }
    }
}

impl Kind {
    /// Whose archive a zip is.
    fn of_archive(path: &Path) -> Result<Self> {
        let names = Zipped::open(path, REMEDY)?.names()?;
        let any = |ending: &str| names.iter().any(|name| name.ends_with(ending));
        Ok(if any("data.pkl") {
            Self::Torch
        } else if any(".npy") {
            Self::Numpy
        } else if any("model.weights.h5") {
            Self::Foreign("a model of Keras, which is not read".into(), KERAS)
        } else {
            Self::Foreign("an archive, of neither PyTorch nor NumPy".into(), REMEDY)
        })
    }
}

const KERAS: &str = "load the model in Keras and save its arrays: numpy.savez(\"weights.npz\", \
                     **{w.path: w.numpy() for w in model.weights})";

fn safetensors(path: &Path) -> Result<Read> {
    let refuse = |e: &dyn std::fmt::Display| Error::input(path.display(), "", e, REMEDY);
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| refuse(&e))?;
    let mut read = Read {
        described: header.metadata().as_ref().and_then(|m| make_up(m.get(METADATA)?)),
        ..Read::default()
    };
    let mut skipped = Vec::new();
    for (name, view) in SafeTensors::deserialize(&bytes).map_err(|e| refuse(&e))?.iter() {
        let number = match view.dtype() {
            Dtype::F16 => super::bounds::Number::Half,
            Dtype::BF16 => super::bounds::Number::Brain,
            Dtype::F32 => super::bounds::Number::Single,
            Dtype::F64 => super::bounds::Number::Double,
            other => {
                skipped.push(format!("`{name}` ({other:?})"));
                continue;
            }
        };
        let numbers =
            view.data().chunks_exact(number.bytes()).map(|b| number.read(b, false) as f32);
        read.arrays.insert(name.to_string(), (view.shape().to_vec(), numbers.collect()));
    }
    skipped.sort();
    read.skipped(skipped);
    Ok(read)
}

fn numpy_archive(path: &Path) -> Result<Read> {
    let mut read = Read::default();
    let mut skipped = Vec::new();
    let remedy = "save them again: numpy.savez(\"weights.npz\", **arrays)";
    for (name, entry) in numpy::read_npz(path, remedy)? {
        match entry {
            numpy::Entry::Numbers(shape, numbers) => {
                read.arrays.insert(name, (shape, numbers));
            }
            numpy::Entry::Other(what) => skipped.push(format!("`{name}`: {what}")),
        }
    }
    read.skipped(skipped);
    Ok(read)
}

/// The make-up that this program's own description names.
fn make_up(text: &str) -> Option<Config> {
    #[derive(serde::Deserialize)]
    struct Described {
        config: Config,
    }
    serde_json::from_str::<Described>(text).ok().map(|d| d.config)
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
    let (dims, flat) = numpy::read_npy(path, remedy)?;
    let Some(&width) = dims.last().filter(|_| dims.len() >= 2) else {
        return Err(refuse(String::new(), &format!("an array of shape {dims:?}")));
    };
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
