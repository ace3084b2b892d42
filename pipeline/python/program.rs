//! The command line within the wheel, and runs from Python.

use crate::arrays::told;
use crate::calls::long;
use accrue::command::Arguments;
use accrue::experiment::{Settings, Study};
use accrue::studies::explain::explain as explained;
use accrue::{Error, Result, notation};
use pyo3::prelude::*;
use serde::de::DeserializeOwned;
use std::ffi::OsString;
use std::path::PathBuf;

/// Revision of the source that the wheel was built from.
const REVISION: &str = match option_env!("ACCRUE_REVISION") {
    Some(revision) => revision,
    None => "unknown",
};

/// Settings from JSON.
///
/// # Errors
/// [`Error::Usage`] with the field that is wrong.
pub fn parsed<T: DeserializeOwned>(json: &str) -> Result<T> {
    serde_json::from_str(json).map_err(|e| Error::Usage(e.to_string()))
}

/// `accrue WORDS…` of a terminal, `words` with the program's name first; its exit status.
#[pyfunction]
pub fn status(words: Vec<OsString>) -> u8 {
    accrue::command::status(REVISION, words)
}

/// The same within a Python that goes on: errors are raised, Ctrl-C stops at the next safe place.
#[pyfunction]
pub fn command(py: Python<'_>, words: Vec<OsString>) -> PyResult<()> {
    accrue::engine::built_from(REVISION);
    let arguments = told(Arguments::within(words))?;
    long(py, None, |_| arguments.go())
}

/// Folders of an experiment file's run, below the folder of runs: its study and its name.
#[pyfunction]
pub fn folder(file: PathBuf, set: Vec<String>) -> PyResult<(String, String)> {
    fn of(settings: &mut impl Settings) -> (String, String) {
        (settings.study().clone(), settings.name().clone())
    }
    Ok(match told(Study::read(&file, &set))? {
        Study::Text(mut e) => of(&mut *e),
        Study::Task(mut e) => of(&mut *e),
        Study::Population(mut e) => of(&mut *e),
        Study::Switching(mut e) => of(&mut *e),
        Study::Gating(mut e) => of(&mut *e),
        Study::Recording(mut e) => of(&mut *e),
        Study::LearnedOptimiser(mut e) => of(&mut *e),
        Study::MetaModel(mut e) => of(&mut *e),
    })
}

/// What each word of a text says to a run's network and its bags of words, as JSON.
#[pyfunction]
pub fn explain(py: Python<'_>, run: PathBuf, text: &str) -> PyResult<String> {
    let found = told(py.detach(|| explained(&run, text)))?;
    Ok(serde_json::to_string(&found).expect("numbers are plain data"))
}

/// A value as RON, which experiment files are written in.
pub fn ron<T: serde::Serialize>(value: &T) -> String {
    notation::to_ron(value)
}
