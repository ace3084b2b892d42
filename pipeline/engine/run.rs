//! A run: its folder, what stands there, and what is still to be done.

use super::lock::Lock;
use super::record::{self, RECORD, Record, StageRecord};
use super::store::{Store, Workspace, is_intact};
use super::{PROGRAM, Stage, StageOutput, revision};
use crate::files::{replace, short, sweep};
use crate::{Error, Result, interrupt, notation};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What a run is told besides its stages.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Folder of the runs.
    pub out: &'a Path,
    /// Folder below it.
    pub study: &'a str,
    /// Folder below that.
    pub name: &'a str,
    /// Stages to run again whatever is in place; those that read them follow.
    pub force: &'a [String],
    /// Where networks are: `cpu`, or a card's number and name.
    pub device: &'a str,
}

/// A run whose folder this process works on.
pub struct Run<E> {
    folder: PathBuf,
    store: Store,
    record: Record<E>,
    stages: Vec<Stage>,
    keys: BTreeMap<&'static str, String>,
    /// Rows that stood in the folder's record and are of this run, by stage.
    earlier: BTreeMap<String, StageRecord>,
    /// Stages that left the folder because they are of other settings.
    left: Vec<String>,
    force: Vec<String>,
    /// Stages that ran in this sitting because they, or one they read, were forced.
    forced: Vec<&'static str>,
    device: String,
    /// `None` where the folder cannot be written: everything must be in place then.
    lock: Option<Lock>,
}

impl<E: Serialize> Run<E> {
    /// Opens the folder for these stages. What it holds of other settings leaves it; it stays in the store.
    ///
    /// * `stages`: each after those it reads
    ///
    /// # Errors
    /// [`Error::Usage`] for a study or name that is no folder below `out`, and while another process works on
    /// the folder; [`Error::Io`] if its record cannot be read; [`Error::Input`] if the record is damaged or names files outside
    /// the folder.
    ///
    /// # Panics
    /// If a stage reads one that does not come before it.
    pub fn open(context: Context, experiment: E, stages: Vec<Stage>) -> Result<Self> {
        record::folder_name("study", context.study)?;
        record::folder_name("name", context.name)?;
        let folder = context.out.join(context.study).join(context.name);
        let store = Store::of(context.out);
        let lock = match Lock::of_run(context.out, context.study, context.name) {
            // Finished runs can be looked at where nothing can be written.
            Err(Error::Io { .. }) => None,
            held => Some(held?),
        };
        if lock.is_some() {
            for below in ["", "tables", "figures"] {
                sweep(&folder.join(below));
            }
            store.tidy();
        }
        if folder.join("cases").is_dir() {
            let problem =
                "many networks lie here, and one would take their page's and tables' place";
            let remedy = "give this one another name: --set name=…";
            return Err(Error::input(folder.display(), "cases", problem, remedy));
        }
        let path = folder.join(RECORD);
        let earlier = match std::fs::read_to_string(&path) {
            Ok(text) => record::stages_of(&path.display().to_string(), &text)?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(e) => return Err(Error::io(&path)(e)),
        };
        let mut keys = BTreeMap::new();
        for stage in &stages {
            let key = key(stage, &keys);
            keys.insert(stage.name, key);
        }
        let own = |row: &StageRecord| keys.get(row.name.as_str()).is_some_and(|k| *k == row.key);
        let (own, other): (Vec<_>, Vec<_>) = earlier.into_iter().partition(own);
        let record = Record {
            program: PROGRAM.into(),
            revision: revision().into(),
            experiment,
            stages: Vec::new(),
        };
        let run = Self {
            folder,
            store,
            record,
            stages,
            keys,
            earlier: own.into_iter().map(|s| (s.name.clone(), s)).collect(),
            left: other.iter().map(|s| s.name.clone()).collect(),
            force: context.force.to_vec(),
            forced: Vec::new(),
            device: context.device.into(),
            lock,
        };
        if !other.is_empty() {
            // First the files, then their rows: what a kill between leaves is a row without its file,
            // and that is seen.
            run.writable()?;
            let kept: Vec<&str> = run.files().collect();
            for file in other.iter().flat_map(|row| &row.files) {
                if !kept.contains(&file.path.as_str()) {
                    let _ = std::fs::remove_file(run.folder.join(&file.path));
                }
            }
            run.write()?;
        }
        Ok(run)
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Rows of the stages that were passed, in order.
    pub fn stages(&self) -> &[StageRecord] {
        &self.record.stages
    }

    /// Stages that left the folder when it was opened: they are of other settings.
    pub fn left(&self) -> &[String] {
        &self.left
    }

    /// Files of the rows that are of this run.
    fn files(&self) -> impl Iterator<Item = &str> {
        let rows = self.record.stages.iter().chain(self.earlier.values());
        rows.flat_map(|row| row.files.iter().map(|f| f.path.as_str()))
    }

    /// Whether the stage, or one it reads, is to run again whatever is in place.
    fn is_forced(&self, stage: &Stage) -> bool {
        self.force.iter().any(|f| f == stage.name)
            || stage.reads.iter().any(|read| self.forced.contains(read))
    }

    fn writable(&self) -> Result<()> {
        match self.lock {
            Some(_) => Ok(()),
            None => Err(Error::Usage(format!(
                "{}: the folder cannot be written, and not everything is in place there; give \
                 another one with --out",
                self.folder.display()
            ))),
        }
    }

    /// Passes a stage: makes it by `work` unless it is in the folder or the store. Returns whether it was made.
    ///
    /// `work` gets the folder it reads from and writes to, and the rows of the stages passed before.
    ///
    /// # Errors
    /// What `work` returns; what earlier stages made stays.
    ///
    /// # Panics
    /// If the run was opened without a stage of that name, or one that it reads was not passed.
    pub fn pass(
        &mut self,
        name: &str,
        work: impl FnOnce(&Workspace, &[StageRecord]) -> Result<StageOutput>,
    ) -> Result<bool> {
        let stage = self.stages.iter().find(|s| s.name == name);
        let stage = stage.unwrap_or_else(|| panic!("the run was opened without `{name}`")).clone();
        let key = self.keys[stage.name].clone();
        let forced = self.is_forced(&stage);
        if !forced
            && let Some(row) = self.earlier.get(stage.name)
            && row.files.iter().all(|file| is_intact(&self.folder, file))
        {
            self.record.stages.push(row.clone());
            return Ok(false);
        }
        self.writable()?;
        interrupt::check(&format!("before stage `{}`", stage.name))?;
        let passed = &self.record.stages;
        let inputs: Vec<&StageRecord> = stage
            .reads
            .iter()
            .map(|read| {
                let row = passed.iter().find(|row| row.name == *read);
                row.unwrap_or_else(|| panic!("`{}` comes after `{read}`", stage.name))
            })
            .collect();
        // What it reads may stand in the folder and no longer in the store.
        for input in &inputs {
            self.store.adopt(input, &self.folder)?;
        }
        let (row, made) =
            self.store.make(stage.name, &key, &inputs, &self.device, forced, |workspace| {
                work(workspace, passed)
            })?;
        if forced {
            self.forced.push(stage.name);
        }
        // The row first: what a kill between leaves is a row without its file, and that is seen.
        let stale = self.earlier.remove(stage.name);
        self.record.stages.push(row);
        self.write()?;
        let row = self.record.stages.last().expect("it was just added");
        self.store.lay_out(row, &self.folder)?;
        let kept: Vec<&str> = self.files().collect();
        for file in stale.iter().flat_map(|row| &row.files) {
            if !kept.contains(&file.path.as_str()) {
                let _ = std::fs::remove_file(self.folder.join(&file.path));
            }
        }
        Ok(made)
    }

    /// Whether a stage is in the folder or the store, and nobody forces it.
    ///
    /// # Panics
    /// If the run was opened without a stage of that name.
    pub fn is_made(&self, name: &str) -> bool {
        let stage = self.stages.iter().find(|s| s.name == name);
        let stage = stage.unwrap_or_else(|| panic!("the run was opened without `{name}`"));
        let here = |row: &StageRecord| row.files.iter().all(|f| is_intact(&self.folder, f));
        let there = || self.store.get(&self.keys[stage.name]).is_some();
        !self.is_forced(stage) && (self.earlier.get(name).is_some_and(here) || there())
    }

    /// A checkpoint of a stage that is not made yet, with the stage's key.
    ///
    /// # Panics
    /// If the run was opened without a stage of that name.
    pub fn checkpoint(&self, stage: &str, name: &str) -> (PathBuf, String) {
        let key = self.keys[stage].clone();
        (self.store.checkpoint(&key, name), key)
    }

    /// Writes the record as it stands; of a run that changed nothing it stays as it was.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written to.
    fn write(&self) -> Result<()> {
        let record = Record {
            program: self.record.program.clone(),
            revision: self.record.revision.clone(),
            experiment: &self.record.experiment,
            stages: self.record.stages.iter().chain(self.waiting()).cloned().collect(),
        };
        replace(&self.folder.join(RECORD), notation::to_ron(&record).as_bytes())
    }

    /// Rows of an earlier sitting that have not been passed yet.
    fn waiting(&self) -> impl Iterator<Item = &StageRecord> {
        let passed = |row: &&StageRecord| !self.record.stages.iter().any(|p| p.name == row.name);
        self.earlier.values().filter(passed)
    }
}

/// Hash of a stage's name, version, part, and the keys of the stages it reads.
fn key(stage: &Stage, keys: &BTreeMap<&'static str, String>) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    };
    add(stage.name);
    add(&stage.version.to_string());
    add(&stage.part.to_string());
    for read in &stage.reads {
        add(keys.get(read).unwrap_or_else(|| panic!("`{}` comes after `{read}`", stage.name)));
    }
    short(hash)
}
