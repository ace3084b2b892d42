//! Networks from files and state dicts.

use crate::arrays::{single_bytes, singles, told};
use crate::program::parsed;
use accrue::model::{Foreign, foreign};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyDict;

/// What was recognised, for Python: sizes, arrays of f32, roles and notes.
fn described(py: Python<'_>, found: Foreign) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("cell", found.kind.facts().spelling)?;
    out.set_item("units", found.units)?;
    out.set_item("inputs", found.inputs)?;
    let parts = found.parts.iter().map(|part| single_bytes(py, part)).collect::<Vec<_>>();
    out.set_item("parts", parts)?;
    out.set_item("embedding", found.embedding.as_ref().map(|e| single_bytes(py, e)))?;
    out.set_item("initial", found.initial.as_ref().map(|h| single_bytes(py, h)))?;
    let readout = found.readout.as_ref();
    out.set_item("readout", readout.map(|r| single_bytes(py, &r.weights)))?;
    out.set_item("bias", readout.map(|r| single_bytes(py, &r.bias)))?;
    let roles: Vec<(String, &str, Vec<usize>)> =
        found.taken.into_iter().map(|t| (t.array, t.role, t.shape)).collect();
    out.set_item("taken", roles)?;
    out.set_item("notes", found.notes)?;
    Ok(out)
}

/// The network of a file: safetensors, PyTorch, NumPy's `.npz`, or the folder of a run.
///
/// * `settings`: JSON of what the command line's options say
#[pyfunction]
pub fn network_from_file<'py>(py: Python<'py>, settings: &str) -> PyResult<Bound<'py, PyDict>> {
    let settings: foreign::Settings = told(parsed(settings))?;
    let found = told(py.detach(|| Foreign::read(&settings)))?;
    described(py, found)
}

/// The network of a state dict: name, shape and numbers (f32) of each array.
///
/// * `settings`: as [`network_from_file`]; its `file` is what messages name
#[pyfunction]
pub fn network_from_arrays<'py>(
    py: Python<'py>,
    settings: &str,
    arrays: Vec<(String, Vec<usize>, PyBackedBytes)>,
) -> PyResult<Bound<'py, PyDict>> {
    let settings: foreign::Settings = told(parsed(settings))?;
    let named = arrays.into_iter().map(|(name, shape, bytes)| (name, (shape, singles(&bytes))));
    let found = told(Foreign::of(&settings, named.collect()))?;
    described(py, found)
}
