//! A network with its linear system that was trained elsewhere.
//!
//! A file (safetensors, `.npz`, a PyTorch state dict) with these arrays, `s` the state's size, `G` the cell's gates in PyTorch's
//! order, `n` its units:
//!
//! | array | shape | |
//! |---|---|---|
//! | `cell.weight_ih`, `cell.weight_hh` | `[G·n, inputs]`, `[G·n, n]` | the cell |
//! | `cell.bias_ih`, `cell.bias_hh` | `[G·n]` | zeros where they are absent |
//! | `initial` | `[s]` | `h_0 = a_0`; zeros where it is absent |
//! | `readout.weight`, `readout.bias` | `[outputs, s]`, `[outputs]` | one readout for `h` and `a` |
//! | `expansion.0.weight`, `expansion.0.bias`, … | `[s, s]`, `[s]` | layers of the expansion network, numbered without gaps |
//! | `embedding.weight` | `[words, inputs]` | for text alone, rows in the order of the corpus's words |
//!
//! Units and layers follow from the shapes; which cell it is, and what a layer does, the experiment says: by default
//! `z ← tanh(z + W z + b)`, with `W` what the layer adds to the identity (`expansion: (activation: Relu)`: `max(0, z + W z + b)`;
//! `Residual`: `z + tanh(W z + b)`). A layer `tanh(W z + b)` of one's own is the default with `W − 1` in place of `W`.

use super::reading::Reading;
use crate::experiment::{Part, Source, Switching};
use crate::model::foreign;
use crate::switching::{Activation, Shape};
use crate::{Error, Result, files};
use std::path::Path;

/// Arrays that are zeros where a file lacks them.
const OPTIONAL: [&str; 3] = ["cell.bias_ih", "cell.bias_hh", "initial"];

/// The study with sizes of given networks from their files, and each file's hash.
///
/// # Errors
/// [`Error::Io`] if a file cannot be read; [`Error::Input`] if it has no cell, or one of another number of gates.
pub fn sized(e: &Switching) -> Result<(Switching, Vec<String>)> {
    let (mut e, mut hashes) = (e.clone(), Vec::new());
    for part in &mut e.parts {
        let Some(file) = part.weights.clone() else { continue };
        hashes.push(files::fingerprint(&file)?.1);
        let arrays = foreign::read_arrays(&file, None)?.arrays;
        let shape = |name: &str| {
            arrays.get(name).map(|(shape, _)| shape.as_slice()).ok_or_else(|| {
                let has: Vec<&str> = arrays.keys().map(String::as_str).take(12).collect();
                let problem = format!("no array `{name}`; it has {}", has.join(", "));
                Error::input(file.display(), "", problem, REMEDY)
            })
        };
        let (rows, units) = match shape("cell.weight_hh")? {
            &[rows, units] if units > 0 => (rows, units),
            other => {
                let problem = format!("shape {other:?}, and two sizes are needed");
                return Err(Error::input(file.display(), "`cell.weight_hh`", problem, REMEDY));
            }
        };
        let inputs = shape("cell.weight_ih")?.get(1).copied().unwrap_or_default();
        if rows != part.cell.gates() * units {
            let problem = format!(
                "{rows} rows for {units} units; a {} has {}",
                part.cell.facts().name,
                part.cell.gates() * units
            );
            let remedy = "say which cell it is: `cell: …` of the part";
            return Err(Error::input(file.display(), "`cell.weight_hh`", problem, remedy));
        }
        part.units = units;
        let layers =
            (0..).take_while(|l| arrays.contains_key(&format!("expansion.{l}.weight"))).count();
        let of_layers: Vec<&str> = arrays
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with("expansion.") && name.ends_with(".weight"))
            .collect();
        if of_layers.len() != layers {
            let problem = format!("{}: a number is missing between", of_layers.join(", "));
            let remedy = "number the layers 0, 1, 2 … without gaps";
            return Err(Error::input(file.display(), "the expansion network", problem, remedy));
        }
        part.expansion.layers = layers;
        if let Source::Text(text) = &mut part.reads {
            text.embedding = inputs;
        }
    }
    Ok((e, hashes))
}

const REMEDY: &str = "save cell.weight_ih, cell.weight_hh, readout.weight, readout.bias, expansion.0.weight, expansion.0.bias, … \
                      (PyTorch's gate order; `accrue analyze --help`)";

/// Parameters of a given network in their order, its embedding last; what was not used or taken as zeros.
///
/// # Errors
/// [`Error::Input`] for an array that is missing or of another shape.
pub fn parameters(
    file: &Path,
    part: &Part,
    shape: &Shape,
    reading: &Reading,
) -> Result<(Vec<f32>, Vec<String>)> {
    let read = foreign::read_arrays(file, None)?;
    let (mut arrays, mut notes) = (read.arrays, read.notes);
    let mut wanted: Vec<(String, Vec<usize>)> =
        shape.arrays().into_iter().map(|a| (a.name, a.shape)).collect();
    let words = reading.words().len();
    if words > 0 {
        wanted.push(("embedding.weight".into(), vec![words, shape.inputs]));
    }
    let mut all = Vec::new();
    for (name, sizes) in wanted {
        match arrays.remove(&name) {
            Some((found, numbers)) if found == sizes => all.extend(numbers),
            Some((found, _)) => {
                let problem = format!("shape {found:?}; part `{}` needs {sizes:?}", part.name);
                let remedy = match name.as_str() {
                    "embedding.weight" => {
                        "a row for each word of the corpus, in its order; give them: `corpus: (tokens: (kind: List(\"words.txt\")))`"
                    }
                    _ => {
                        "the part says what it reads: inputs, outputs and cell must be those of the file"
                    }
                };
                return Err(Error::input(file.display(), format!("`{name}`"), problem, remedy));
            }
            None if OPTIONAL.contains(&name.as_str()) => {
                notes.push(format!("no `{name}`: taken as zeros"));
                all.extend(vec![0.0; sizes.iter().product()]);
            }
            None => {
                let problem = format!("no array `{name}` of shape {sizes:?}");
                return Err(Error::input(file.display(), "", problem, REMEDY));
            }
        }
    }
    notes.push(match part.expansion.layers {
        0 => "no `expansion.0.weight`: the expansion point is the linear state itself".into(),
        layers => format!(
            "{layers} layers of the expansion network, each {}",
            match part.expansion.activation {
                Activation::Tanh => "tanh(z + W z + b)",
                Activation::Relu => "max(0, z + W z + b)",
                Activation::Residual => "z + tanh(W z + b)",
            }
        ),
    });
    if !arrays.is_empty() {
        let names: Vec<&str> = arrays.keys().map(String::as_str).collect();
        notes.push(format!("not used: {}", names.join(", ")));
    }
    Ok((all, notes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::Settings;
    use crate::model::weights::{self, Arrays};
    use std::collections::HashMap;

    #[test]
    fn layers_of_an_expansion_network_that_skip_a_number_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("given.safetensors");
        let sized = |layers: &[&str]| {
            let square = |name: String| (name, (vec![2, 2], vec![0.5_f32; 4]));
            let mut arrays: Arrays =
                layers.iter().map(|l| square(format!("expansion.{l}.weight"))).collect();
            arrays.extend([square("cell.weight_hh".into()), square("cell.weight_ih".into())]);
            weights::write(&path, &arrays, HashMap::new()).unwrap();
            let part = "(name: \"a\", reads: Task(Memory(bits: 2)), cell: Vanilla, weights: ";
            let text = format!("parts=[{part}{:?})]", path.display().to_string());
            super::sized(&Switching::default().with(&text).unwrap())
        };
        // `torch.nn.Sequential` numbers its nonlinearities too.
        let said = sized(&["0", "2"]).unwrap_err().to_string();
        assert!(said.contains("expansion.2.weight") && said.contains("without gaps"), "{said}");
        assert_eq!(sized(&["0", "1"]).unwrap().0.parts[0].expansion.layers, 2);
        assert_eq!(sized(&[]).unwrap().0.parts[0].expansion.layers, 0);
    }
}
