//! What an experiment file may say.
//!
//! An experiment is a RON file that says only what differs from the defaults.
//! Unknown fields, wrong types and impossible values are refused with line,
//! column and the nearest valid name. `--set path=value` changes one setting
//! as if it stood in the file.

mod assignment;
pub mod grid;
mod text;

pub use text::{FixedPointSettings, ModesSettings, Search, StatesSettings};

use crate::notation::{parse, to_ron};
use crate::{Error, Result, baseline, corpus, model, stats, train};
use assignment::Place;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// One experiment on one corpus with one network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Experiment {
    /// Folder under `reports/`; empty: the name of the folder the file lies in.
    pub study: String,
    /// Folder under the study; empty: the file's name.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// Every random draw follows from it.
    pub seed: u64,
    /// Which text.
    pub corpus: corpus::Settings,
    /// Which network.
    pub model: model::Config,
    /// Weights trained elsewhere, taken instead of training: what they hold is
    /// the network, whatever `model` says of its size.
    pub weights: Option<model::foreign::Settings>,
    /// How it is trained.
    pub training: train::Settings,
    /// Which states are looked at.
    pub states: StatesSettings,
    /// How fixed points are sought.
    pub fixed_points: FixedPointSettings,
    /// How the dimension is predicted from counts.
    pub prediction: stats::predict::Settings,
    /// The bag of words.
    pub baseline: baseline::logistic::Settings,
    /// The bag of words that knows about context.
    pub context: baseline::context::Settings,
    /// Settings and the values they take: one network for every combination.
    pub grid: Vec<grid::Axis>,
    /// What is asked of the slow modes.
    pub modes: ModesSettings,
}

impl Default for Experiment {
    fn default() -> Self {
        Self {
            study: String::new(),
            name: String::new(),
            title: String::new(),
            seed: 1,
            corpus: Default::default(),
            model: Default::default(),
            weights: None,
            training: Default::default(),
            states: Default::default(),
            fixed_points: Default::default(),
            prediction: Default::default(),
            baseline: Default::default(),
            context: Default::default(),
            grid: Vec::new(),
            modes: Default::default(),
        }
    }
}

impl Experiment {
    /// Reads an experiment file and applies settings of the command line.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; [`Error::Experiment`] with
    /// line and column for anything that is not a setting.
    pub fn read(path: &Path, set: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let mut experiment: Experiment = parse(&path.display().to_string(), &text)?;
        for assignment in set {
            experiment = experiment.with(assignment)?;
        }
        let part = |p: Option<&std::ffi::OsStr>| p.map(|s| s.to_string_lossy().into_owned());
        if experiment.name.is_empty() {
            experiment.name = part(path.file_stem()).unwrap_or_else(|| "experiment".into());
        }
        if experiment.study.is_empty() {
            let absolute = std::path::absolute(path).map_err(Error::io(path))?;
            experiment.study = part(absolute.parent().and_then(Path::file_name))
                .unwrap_or_else(|| "experiments".into());
        }
        Ok(experiment)
    }

    /// The experiment with one setting changed: `path=value`, the path with
    /// dots, the value as RON would have it.
    ///
    /// # Errors
    /// [`Error::Experiment`] for an unknown path or an impossible value.
    pub fn with(&self, assignment: &str) -> Result<Self> {
        let shown = format!("--set {assignment}");
        let refuse = |problem: String, column: usize| Error::Experiment {
            file: shown.clone(),
            line: 1,
            column,
            problem,
        };
        let Some((path, value)) = assignment.split_once('=') else {
            return Err(refuse("write `--set path=value`, as `--set training.epochs=3`".into(), 1));
        };
        let (path, value) = (path.trim(), value.trim());
        let text = to_ron(self);
        let Some(place) = Place::of(&text, path) else {
            return Err(refuse(format!("`{path}` lies in a setting that has none of its own"), 1));
        };
        parse(&shown, &place.filled(&text, value)).or_else(|first| {
            // A bare word is text where text is wanted.
            let quoted = serde_json::to_string(value).expect("a string becomes JSON");
            parse(&shown, &place.filled(&text, &quoted)).map_err(|_| match first {
                Error::Experiment { problem, .. } => refuse(problem, path.len() + 2),
                other => other,
            })
        })
    }
}
