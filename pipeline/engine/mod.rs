//! Runs: stages with declared inputs, keys, a store that runs share, and folders that hold one run each.
//!
//! A [`Stage`] names the stages whose files it reads, its part of the settings and its version. Its key is
//! the hash of these and of the keys of what it reads, so it is known before anything is computed. A stage
//! runs in a folder of its own in which it finds the files of the stages it declared and no others;
//! what it made is hashed, written to disk for good, and appears in the [`Store`] under its key by one rename. A
//! [`Run`]'s folder holds links to the files of its stages, and the file [`RECORD`], which says which they are.
//!
//! What is killed at any moment goes on from the last stage in the store, to the same bits. Two processes that need one
//! stage make it once: the other waits. Two that work on one folder do not: the second is refused and told who works there.
//! Before a folder is written, what it holds of other settings leaves it; a reader
//! ([`Finished`]) checks that the stages of a folder belong together and that their files are what was recorded.
//!
//! Many runs are a sweep. Its cases are shared out to [`Part`]s by costs that are put down once ([`sweep`]); a part
//! knows no engine, and does what of its share is not in place.

mod finished;
mod lock;
pub mod memory;
mod part;
mod record;
mod run;
mod store;
pub mod sweep;

pub use finished::{Finished, check_gathered, gathered, record_gathered};
pub use lock::Lock;
pub use part::{MOST_PARTS, Part};
pub use record::{RECORD, StageRecord, StoredFile, experiment_of, folder_name};
pub use run::{Context, Run};
pub use store::{FOLDER, Pruned, Scratch, Store, Workspace, work_on};

use crate::records::Key;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Version of the program.
pub const PROGRAM: &str = env!("CARGO_PKG_VERSION");

static REVISION: OnceLock<String> = OnceLock::new();

/// Says which revision of the source the program was built from; the first call counts.
pub fn built_from(revision: &str) {
    REVISION.get_or_init(|| revision.into());
}

/// Revision of the source the program was built from, `unknown` where nobody said.
pub fn revision() -> &'static str {
    REVISION.get().map_or("unknown", String::as_str)
}

/// A stage as a study declares it.
#[derive(Clone, Debug)]
pub struct Stage {
    /// Name, also what `--force` takes.
    pub name: &'static str,
    /// Raised when the same settings give other files.
    pub version: u32,
    /// The part of the experiment that it depends on, as JSON.
    pub part: serde_json::Value,
    /// Stages whose files it reads: it finds no others.
    pub reads: Vec<&'static str>,
}

impl Stage {
    /// * `part`: every setting that its files follow from
    ///
    /// # Panics
    /// If the part is no plain data, which every setting is.
    pub fn new(
        name: &'static str,
        version: u32,
        part: &impl Serialize,
        reads: &[&'static str],
    ) -> Self {
        let part = serde_json::to_value(part).expect("settings are plain data");
        Self { name, version, part, reads: reads.to_vec() }
    }
}

/// What a stage made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StageOutput {
    /// Files it wrote, relative to its folder.
    pub files: Vec<String>,
    /// Headline numbers under their keys in `summary.json`.
    pub numbers: BTreeMap<String, f64>,
    /// Text under its keys there.
    pub texts: BTreeMap<String, String>,
}

impl StageOutput {
    /// Files alone.
    pub fn files(files: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { files: files.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same with one more number.
    pub fn with(mut self, key: Key<f64>, number: f64) -> Self {
        self.numbers.insert(key.name().into(), number);
        self
    }

    /// The same with one more text.
    pub fn with_text(mut self, key: Key<String>, text: impl Into<String>) -> Self {
        self.texts.insert(key.name().into(), text.into());
        self
    }
}
