//! A run's folder as a reader sees it.

use super::lock::Lock;
use super::record::{self, RECORD, Record, StageRecord, StoredFile};
use super::store::is_intact;
use super::{PROGRAM, StageOutput, revision};
use crate::files::{self, fingerprint, replace};
use crate::{Error, Result, notation};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// A folder whose stages belong together and whose files are what was recorded.
#[derive(Clone, Debug)]
pub struct Finished {
    folder: PathBuf,
    text: String,
    stages: Vec<StageRecord>,
}

impl Finished {
    /// Reads the record of a folder and checks that every stage was made from the others that stand there.
    ///
    /// * `needed`: stages that must be there
    ///
    /// # Errors
    /// [`Error::Io`] if there is no record; [`Error::Input`] if a needed stage is missing, was made
    /// from another one than the folder holds, or a file of it is not the one that was recorded.
    pub fn open(folder: &Path, needed: &[&str]) -> Result<Self> {
        let path = folder.join(RECORD);
        if !path.exists() {
            let remedy = "give a folder that `accrue run` or `accrue analyze` printed";
            return Err(Error::input(folder.display(), "", "no run here (no run.ron)", remedy));
        }
        let text = files::text(&path, record::LARGEST)?;
        let shown = path.display().to_string();
        let stages = record::stages_of(&shown, &text)?;
        let refuse = |stage: &str, problem: String| {
            let remedy = "`accrue run` the experiment again: it makes what is missing anew";
            Err(Error::input(&shown, format!("stage `{stage}`"), problem, remedy))
        };
        for name in needed {
            if !stages.iter().any(|s| s.name == *name) {
                return refuse(name, "it has not been run with these settings".into());
            }
        }
        for stage in &stages {
            for (read, key) in &stage.reads {
                if !stages.iter().any(|s| s.name == *read && s.key == *key) {
                    let problem = format!("it was made from another `{read}` than stands here");
                    return refuse(&stage.name, problem);
                }
            }
            if needed.contains(&stage.name.as_str())
                && let Some(file) = stage.files.iter().find(|f| !is_intact(folder, f))
            {
                let place = format!("stage `{}`", stage.name);
                return Err(changed(folder, file, place));
            }
        }
        Ok(Self { folder: folder.into(), text, stages })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Rows of its stages.
    pub fn stages(&self) -> &[StageRecord] {
        &self.stages
    }

    /// Key of a stage.
    pub fn key(&self, stage: &str) -> Option<&String> {
        self.stages.iter().find(|s| s.name == stage).map(|s| &s.key)
    }

    /// Makes the files of one stage again in the folder, from those of the others, and records them.
    ///
    /// * `experiment`: that of the folder; `study`, `name`: its own; `work`: gets the folder and the rows of the other
    ///   stages
    ///
    /// # Errors
    /// What `work` returns; [`Error::Io`] if the folder cannot be written to; [`Error::Usage`] while another
    /// process works on the run.
    pub fn rewrite<E: Serialize>(
        self,
        experiment: &E,
        (study, name): (&str, &str),
        stage: &str,
        work: impl FnOnce(&Path, &[StageRecord]) -> Result<StageOutput>,
    ) -> Result<()> {
        // A folder that was copied elsewhere is nobody's: only where a run made it may one work on it.
        let below = Path::new(study).join(name);
        let out = self.folder.ancestors().nth(below.components().count());
        let _lock = match out.filter(|_| self.folder.ends_with(&below)) {
            Some(out) => Some(Lock::of_run(out, study, name)?),
            None => None,
        };
        let (others, mut own): (Vec<_>, Vec<_>) =
            self.stages.into_iter().partition(|row| row.name != stage);
        let StageOutput { files, numbers, texts } = work(&self.folder, &others)?;
        let Some(mut row) = own.pop() else { return Ok(()) };
        (row.numbers, row.texts) = (numbers, texts);
        row.files = files
            .into_iter()
            .map(|path| {
                let (bytes, sha256) = fingerprint(&self.folder.join(&path))?;
                Ok(StoredFile { path, bytes, sha256 })
            })
            .collect::<Result<_>>()?;
        let record = Record {
            program: PROGRAM.into(),
            revision: revision().into(),
            experiment,
            stages: others.into_iter().chain([row]).collect(),
        };
        replace(&self.folder.join(RECORD), notation::to_ron(&record).as_bytes())
    }

    /// Its experiment.
    ///
    /// # Errors
    /// [`Error::Input`] if it is not such an experiment.
    pub fn experiment<E: DeserializeOwned>(&self) -> Result<E> {
        record::experiment_of(&self.folder.join(RECORD).display().to_string(), &self.text)
    }
}

/// A file of a run that is not the one that the run made.
fn changed(folder: &Path, file: &StoredFile, place: String) -> Error {
    let path = folder.join(&file.path);
    let problem = match path.exists() {
        true => "not the file that the run made: its size or SHA-256 is another",
        false => "the run made this file, and it is gone",
    };
    let remedy = format!(
        "put the file back, or `accrue run` the experiment again: its {place} is then made anew"
    );
    Error::input(path.display(), "", problem, remedy)
}

/// Name of the row that says what a folder of many runs was gathered from.
const GATHER: &str = "gather";

/// Records the runs that the tables of a grid were gathered from.
///
/// * `parts`: name of each run, and the key of its last stage ([`Finished::key`]); `files`: the tables
///
/// # Errors
/// [`Error::Io`] if a file cannot be read or the record not be written.
pub fn record_gathered<E: Serialize>(
    folder: &Path,
    experiment: &E,
    parts: Vec<(String, String)>,
    files: &[String],
) -> Result<()> {
    let stored = |path: &String| {
        let (bytes, sha256) = fingerprint(&folder.join(path))?;
        Ok(StoredFile { path: path.clone(), bytes, sha256 })
    };
    let text: Vec<String> = parts.iter().map(|(name, key)| format!("{name} {key}")).collect();
    let row = StageRecord {
        name: GATHER.into(),
        key: crate::files::hash(&text.join("\n")),
        reads: parts,
        seconds: 0.0,
        peak_bytes: 0,
        device: String::new(),
        files: files.iter().map(stored).collect::<Result<_>>()?,
        numbers: Default::default(),
        texts: Default::default(),
    };
    let record = Record {
        program: PROGRAM.into(),
        revision: revision().into(),
        experiment,
        stages: vec![row],
    };
    replace(&folder.join(RECORD), notation::to_ron(&record).as_bytes())
}

/// Checks that the tables of a grid are those that were gathered, and that its runs are still those they
/// were gathered from.
///
/// * `part`: folder of a run by its name; `last`: name of its last stage
///
/// # Errors
/// [`Error::Input`] if a run was made again with other settings, or a table is not the one that was written.
pub fn check_gathered(folder: &Path, part: impl Fn(&str) -> PathBuf, last: &str) -> Result<()> {
    gathered_text(folder, part, last).map(|_| ())
}

/// The experiment whose runs, below `cases/` up to their report, were gathered in a folder, checked as by
/// [`check_gathered`].
///
/// # Errors
/// Those of [`check_gathered`]; [`Error::Input`] if the record is not of such an experiment.
pub fn gathered<E: DeserializeOwned>(folder: &Path) -> Result<E> {
    let text = gathered_text(folder, |case| folder.join("cases").join(case), "report")?;
    record::experiment_of(&folder.join(RECORD).display().to_string(), &text)
}

/// The record of a folder that [`check_gathered`] finds nothing wrong with.
fn gathered_text(folder: &Path, part: impl Fn(&str) -> PathBuf, last: &str) -> Result<String> {
    let path = folder.join(RECORD);
    let text = files::text(&path, record::LARGEST)?;
    let shown = path.display().to_string();
    let remedy = "run the grid to its end first";
    let stages = record::stages_of(&shown, &text)?;
    let Some(row) = stages.iter().find(|s| s.name == GATHER) else {
        return Err(Error::input(shown, "", "no grid was gathered here", remedy));
    };
    if let Some(file) = row.files.iter().find(|f| !is_intact(folder, f)) {
        let problem = format!("{} is missing, or not the file that was written", file.path);
        return Err(Error::input(shown, "", problem, remedy));
    }
    for (name, key) in &row.reads {
        let found = Finished::open(&part(name), &[last])?;
        if found.key(last) != Some(key) {
            let problem =
                "its run was made again with other settings since the tables were gathered";
            return Err(Error::input(shown, format!("case `{name}`"), problem, remedy));
        }
    }
    Ok(text)
}
