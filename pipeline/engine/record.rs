//! The file `run.ron`: the resolved experiment, and a row for each stage.

use crate::records::Key;
use crate::{Error, Result, notation};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::{Component, Path};

/// Name of the file that tells what a folder holds.
pub const RECORD: &str = "run.ron";

/// Most bytes of a record.
pub(super) const LARGEST: u64 = 64 << 20;

/// A file of a stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredFile {
    /// Place relative to the run's folder.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// What was done once, and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRecord {
    /// Name of the stage.
    pub name: String,
    /// Hash of everything its files follow from.
    pub key: String,
    /// Stages it read, with their keys.
    pub reads: Vec<(String, String)>,
    /// Seconds it took.
    pub seconds: f64,
    /// Largest resident memory of the process while it ran, in bytes; 0 where
    /// the system does not say.
    pub peak_bytes: u64,
    /// Where its networks were: `cpu`, or the card's number and name.
    pub device: String,
    /// Its files.
    pub files: Vec<StoredFile>,
    /// The numbers it adds to `summary.json`.
    pub numbers: BTreeMap<String, f64>,
    /// The text it adds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub texts: BTreeMap<String, String>,
}

impl StageRecord {
    /// A number it adds to `summary.json`.
    pub fn number(&self, key: Key<f64>) -> Option<f64> {
        self.numbers.get(key.name()).copied()
    }

    /// Refuses files outside the folder.
    pub(super) fn check(&self, file: &str) -> Result<()> {
        match self.files.iter().find(|f| !lies_within(&f.path)) {
            None => Ok(()),
            Some(outside) => Err(Error::input(
                file,
                format!("stage `{}`", self.name),
                format!("`{}` lies outside the folder", outside.path),
                "no run writes that: remove the file to run all stages again",
            )),
        }
    }
}

/// The file [`RECORD`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Record<E> {
    /// Version of the program.
    pub program: String,
    /// Revision of its source, where it was built from one.
    pub revision: String,
    /// The experiment, every setting written out.
    pub experiment: E,
    /// What was done.
    pub stages: Vec<StageRecord>,
}

/// Whether a relative path stays below the folder it is relative to.
fn lies_within(path: &str) -> bool {
    let mut parts = Path::new(path).components().peekable();
    parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)))
}

/// Checks that `study` or `name` of an experiment names a folder below another one.
///
/// # Errors
/// [`Error::Usage`] for a path that is absolute, empty, or goes up.
pub fn folder_name(setting: &str, value: &str) -> Result<()> {
    // A leading dot is the store's.
    let plain = |part: &str| !part.is_empty() && part.trim() == part && !part.starts_with('.');
    let plain = value.split('/').all(plain);
    if lies_within(value) && plain && !value.contains('\\') && !value.contains('\0') {
        return Ok(());
    }
    Err(Error::Usage(format!(
        "{setting}: {value:?} names no folder below the runs' own; give a name such as \"gru\" or \
         \"first/gru\", without `..`, a leading `/` or empty parts"
    )))
}

fn parsed<T: DeserializeOwned>(file: &str, text: &str, remedy: &str) -> Result<T> {
    notation::options().from_str(text).map_err(|e| {
        let place = format!("line {}, column {}", e.span.start.line, e.span.start.col);
        Error::input(file, place, e.code, remedy)
    })
}

/// Rows of stages in the text of a record, whatever its experiment says.
///
/// # Errors
/// [`Error::Input`] if the text is no record, or names files outside its folder; `file` names it in the message.
pub(super) fn stages_of(file: &str, text: &str) -> Result<Vec<StageRecord>> {
    #[derive(Deserialize)]
    struct Stages {
        stages: Vec<StageRecord>,
    }
    let remedy =
        "a run of an earlier version, or a damaged file: remove it to run all stages again";
    let Stages { stages } = parsed(file, text, remedy)?;
    stages.iter().try_for_each(|stage| stage.check(file))?;
    Ok(stages)
}

/// The experiment in the text of a record.
///
/// # Errors
/// [`Error::Input`] if the text is no record of such an experiment.
pub fn experiment_of<E: DeserializeOwned>(file: &str, text: &str) -> Result<E> {
    #[derive(Deserialize)]
    struct Whole<E> {
        experiment: E,
    }
    Ok(parsed::<Whole<E>>(file, text, "run the experiment again")?.experiment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_folders_stay_below_the_runs_folder() {
        for good in ["gru", "first/gru", "gru.2", "cases/001-Gru-1", "Über uns"] {
            assert!(folder_name("name", good).is_ok(), "{good}");
        }
        for bad in [
            "",
            ".store",
            "a/.b",
            "/abs",
            "../x",
            "a/../../b",
            "a/..",
            ".",
            "./a",
            "a//b",
            "a/",
            " a",
            "a\\b",
        ] {
            assert!(folder_name("name", bad).is_err(), "{bad:?}");
        }
    }
}
