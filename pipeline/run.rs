//! A run's folder and its stages.
//!
//! A stage reads files and writes files. Its key is the hash of its part of
//! the experiment, the keys of the stages it reads, and its own version. A
//! stage whose key stands in `run.ron` and whose files are in place is not run
//! again. Files appear by rename, so that a run killed at any moment goes on
//! to the same bits as one that was not.

use crate::files::{replace, short};
use crate::ops::cuda;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

/// Name of the file that tells what a folder holds.
pub const RECORD: &str = "run.ron";

/// What was done once, and what it cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageRecord {
    /// Name of the stage.
    pub name: String,
    /// Hash of everything its files follow from.
    pub key: String,
    /// Seconds it took.
    pub seconds: f64,
    /// Largest resident memory of the process while it ran, in bytes; 0 where
    /// the system does not say.
    pub peak_bytes: u64,
    /// Where its networks were: `cpu`, or the card's number and name.
    #[serde(default)]
    pub device: String,
    /// Its files, relative to the folder, with their sizes in bytes.
    pub files: Vec<(String, u64)>,
    /// The numbers it adds to `summary.json`.
    #[serde(default)]
    pub numbers: BTreeMap<String, f64>,
}

/// What a stage made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Made {
    /// Files it wrote, relative to the folder.
    pub files: Vec<String>,
    /// Headline numbers under their keys in `summary.json`.
    pub numbers: BTreeMap<String, f64>,
}

impl Made {
    /// Files alone.
    pub fn files(files: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { files: files.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// The same with one more number.
    pub fn with(mut self, key: &str, number: f64) -> Self {
        self.numbers.insert(key.into(), number);
        self
    }
}

/// The file [`RECORD`]: the resolved experiment and one row a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Record<E> {
    /// Version of the program.
    program: String,
    /// Revision of its source, where it was built from one.
    revision: String,
    /// The experiment, every setting written out.
    experiment: E,
    /// What was done.
    stages: Vec<StageRecord>,
}

/// A stage as a study declares it.
pub struct Stage<'a> {
    /// Name, also what `--force` takes.
    pub name: &'static str,
    /// Raised when the same settings give other files.
    pub version: u32,
    /// The part of the experiment that it depends on, as JSON.
    pub part: serde_json::Value,
    /// Stages whose files it reads.
    pub reads: &'a [&'static str],
}

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

/// A run: its folder, what was already done there, and what is to be done again.
pub struct Run<E> {
    folder: PathBuf,
    record: Record<E>,
    /// Rows of an earlier sitting, by stage.
    earlier: BTreeMap<String, StageRecord>,
    force: Vec<String>,
    /// Stages that ran in this sitting because they, or one they read, were forced.
    forced: Vec<&'static str>,
}

impl<E: Serialize> Run<E> {
    /// Opens the folder, making it where it is not there.
    ///
    /// * `force`: stages to run again whatever is in place; those that read
    ///   them follow
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be made or its record not be read,
    /// [`Error::Input`] if the record is damaged.
    pub fn open(folder: &Path, experiment: E, force: &[String]) -> Result<Self> {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        let path = folder.join(RECORD);
        let earlier = match std::fs::read_to_string(&path) {
            Ok(text) => stages_of(&path.display().to_string(), &text)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(Error::io(&path)(e)),
        };
        let record = Record {
            program: PROGRAM.into(),
            revision: revision().into(),
            experiment,
            stages: Vec::new(),
        };
        Ok(Self {
            folder: folder.into(),
            record,
            earlier: earlier.into_iter().map(|s| (s.name.clone(), s)).collect(),
            force: force.to_vec(),
            forced: Vec::new(),
        })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Rows of the stages that stand, in the order they were passed.
    pub fn stages(&self) -> &[StageRecord] {
        &self.record.stages
    }

    /// Hash of a stage's part, version, and the keys of the stages it reads.
    ///
    /// # Panics
    /// If the stage reads one that has not been passed.
    pub fn key(&self, stage: &Stage) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text.as_bytes());
        };
        add(stage.name);
        add(&stage.version.to_string());
        add(&stage.part.to_string());
        for &read in stage.reads {
            let found = self.record.stages.iter().find(|s| s.name == read);
            add(&found.expect("a stage comes after those it reads").key);
        }
        short(hash)
    }

    /// Whether the stage's files are in place under its key.
    pub fn in_place(&self, stage: &Stage) -> bool {
        let Some(earlier) = self.earlier.get(stage.name) else { return false };
        earlier.key == self.key(stage)
            && !self.is_forced(stage)
            && earlier.files.iter().all(|(file, bytes)| {
                std::fs::metadata(self.folder.join(file)).is_ok_and(|m| m.len() == *bytes)
            })
    }

    /// Whether the stage, or one it reads, is to run again whatever is in place.
    fn is_forced(&self, stage: &Stage) -> bool {
        self.force.iter().any(|f| f == stage.name)
            || stage.reads.iter().any(|read| self.forced.contains(read))
    }

    /// Passes a stage: runs `work` unless its files are in place. Returns
    /// whether it ran.
    ///
    /// `work` gets the folder and the key and returns what it made.
    ///
    /// # Errors
    /// What `work` returns; what earlier stages made stays.
    pub fn pass(
        &mut self,
        stage: &Stage,
        work: impl FnOnce(&Path, &str) -> Result<Made>,
    ) -> Result<bool> {
        let key = self.key(stage);
        if self.in_place(stage) {
            self.record.stages.push(self.earlier[stage.name].clone());
            self.write()?;
            return Ok(false);
        }
        crate::interrupt::check(&format!("before stage `{}`", stage.name))?;
        memory::restart_peak();
        let begin = Instant::now();
        let Made { files, numbers } = work(&self.folder, &key)?;
        if self.is_forced(stage) {
            self.forced.push(stage.name);
        }
        let files = files.into_iter().map(|file| {
            let path = self.folder.join(&file);
            let bytes = std::fs::metadata(&path).map_err(Error::io(&path))?.len();
            Ok((file, bytes))
        });
        let files = files.collect::<Result<Vec<_>>>()?;
        // What this stage made under other settings and no longer makes would be
        // read by later stages as if it were of this run.
        for (stale, _) in self.earlier.get(stage.name).iter().flat_map(|e| &e.files) {
            if !files.iter().any(|(file, _)| file == stale) {
                let _ = std::fs::remove_file(self.folder.join(stale));
            }
        }
        self.record.stages.push(StageRecord {
            name: stage.name.into(),
            key,
            seconds: begin.elapsed().as_secs_f64(),
            peak_bytes: memory::peak(),
            device: cuda::current_name(),
            files,
            numbers,
        });
        self.write()?;
        Ok(true)
    }

    /// Writes the record: rows of this sitting, then those of an earlier one
    /// that have not been passed yet, so that a second kill loses nothing.
    fn write(&self) -> Result<()> {
        let passed = &self.record.stages;
        let waiting =
            self.earlier.values().filter(|e| !passed.iter().any(|p| p.name == e.name)).cloned();
        let record = Record {
            program: self.record.program.clone(),
            revision: self.record.revision.clone(),
            experiment: &self.record.experiment,
            stages: passed.iter().cloned().chain(waiting).collect(),
        };
        let text = crate::notation::to_ron(&record);
        replace(&self.folder.join(RECORD), text.as_bytes())
    }
}

/// Rows of stages in the text of a record, whatever its experiment says.
///
/// # Errors
/// [`Error::Input`] if the text is no record; `file` names it in the message.
pub fn stages_of(file: &str, text: &str) -> Result<Vec<StageRecord>> {
    #[derive(Deserialize)]
    struct Stages {
        stages: Vec<StageRecord>,
    }
    let stages = crate::notation::options().from_str::<Stages>(text).map_err(|e| {
        let place = format!("line {}, column {}", e.span.start.line, e.span.start.col);
        Error::input(file, place, e.code, "remove the file to run all stages again")
    })?;
    Ok(stages.stages)
}

/// The experiment in the text of a record.
///
/// # Errors
/// [`Error::Input`] if the text is no record of such an experiment.
pub fn experiment_of<E: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<E> {
    #[derive(Deserialize)]
    struct Whole<E> {
        experiment: E,
    }
    let whole = crate::notation::options().from_str::<Whole<E>>(text).map_err(|e| {
        let place = format!("line {}, column {}", e.span.start.line, e.span.start.col);
        Error::input(file, place, e.code, "run the experiment again")
    })?;
    Ok(whole.experiment)
}

/// Resident memory of this process, as Linux tells it.
pub mod memory {
    /// Starts the count of the peak anew; does nothing where it cannot.
    pub fn restart_peak() {
        // Writing 5 resets the high-water mark (proc(5)).
        let _ = std::fs::write("/proc/self/clear_refs", "5");
    }

    /// Largest resident memory since the start of the count, in bytes; 0 where unknown.
    pub fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
        kibibytes.unwrap_or(0) * 1024
    }
}
