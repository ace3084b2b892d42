//! What an experiment file may say.
//!
//! An experiment is a RON file that says only what differs from the defaults.
//! Unknown fields, wrong types and impossible values are refused with line,
//! column and the nearest valid name. `--set path=value` changes one setting
//! as if it stood in the file.

mod assignment;
pub mod embedding;
mod gating;
pub mod grid;
mod learned_optimiser;
mod population;
mod recording;
mod switching;
mod task;
mod text;

pub use embedding::{Group, MetaModel, Training};
pub use gating::Gating;
pub use learned_optimiser::{LearnedOptimiser, Transfer};
pub use population::Population;
pub use recording::Recording;
pub use switching::{AtRest, Expansion, Part, Source, Switching, Text as SwitchingText};
pub use task::{Counts, TaskExperiment};
pub use text::{FixedPointSettings, ModesSettings, SearchMethod, StatesOrder, StatesSettings};

use crate::analyses::flow::{Curves, Transitions};
use crate::analyses::population::Compare;
use crate::engine::folder_name;
use crate::notation::parse;
use crate::{Error, Result, baseline, corpus, files, model, setting, stats, train};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::Path;

/// Most bytes of an experiment file; they have some hundreds.
const LARGEST: u64 = 1 << 20;

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
    /// How orbits are followed from states and saddles.
    #[serde(skip_serializing_if = "text::is_default")]
    pub transitions: Transitions,
    /// How fixed points are followed while the input moves.
    #[serde(skip_serializing_if = "text::is_default")]
    pub curves: Curves,
    /// How the dimension is predicted from counts.
    pub prediction: stats::predict::Settings,
    /// The bag of words.
    pub baseline: baseline::logistic::Settings,
    /// The bag of words that knows about context.
    pub context: baseline::context::Settings,
    /// Settings and the values they take: one network for every combination.
    pub grid: Vec<grid::Axis>,
    /// How the networks of the grid are compared by their states and fixed points; `None`: they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub similarity: Option<Similarity>,
    /// What is asked of the slow modes.
    pub modes: ModesSettings,
}

/// How networks on one text are compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Similarity {
    /// Largest test error, as a share of the commonest answer's, of a network that has learned; others are counted and
    /// left out.
    #[serde(deserialize_with = "setting::positive")]
    pub learned: f64,
    /// Measures and tests.
    pub compare: Compare,
}

impl Default for Similarity {
    fn default() -> Self {
        Self { learned: 0.6, compare: Compare::default() }
    }
}

impl Experiment {
    /// The seed by which the corpus is drawn.
    pub fn corpus_seed(&self) -> u64 {
        self.corpus.seed.unwrap_or(self.seed)
    }
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
            transitions: Default::default(),
            curves: Default::default(),
            prediction: Default::default(),
            baseline: Default::default(),
            context: Default::default(),
            grid: Vec::new(),
            similarity: None,
            modes: Default::default(),
        }
    }
}

/// What a file asks for: it names its study, `Task(…)`, or nothing for a network on text.
#[derive(Clone, Debug, PartialEq)]
pub enum Study {
    /// One network on one corpus, or a grid of them.
    Text(Box<Experiment>),
    /// One network on a task whose law is known.
    Task(Box<TaskExperiment>),
    /// Many networks on one task, compared.
    Population(Box<Population>),
    /// Networks trained together with a switching linear system.
    Switching(Box<Switching>),
    /// Known and trained responses: is the irrelevant feature gated?
    Gating(Box<Gating>),
    /// Networks beside a recording.
    Recording(Box<Recording>),
    /// Networks that optimise.
    LearnedOptimiser(Box<LearnedOptimiser>),
    /// One meta-model over many networks.
    MetaModel(Box<MetaModel>),
}

/// An experiment as files and `--set` change it, and as folders are named after it.
pub trait Settings: Serialize + DeserializeOwned + Default + PartialEq {
    /// Folder under `reports/`.
    fn study(&mut self) -> &mut String;
    /// Folder under the study.
    fn name(&mut self) -> &mut String;
    /// One line for the head of the report.
    fn title(&mut self) -> &mut String;
    /// Seed of every random draw.
    fn seed(&mut self) -> &mut u64;

    /// The experiment with one setting changed: `path=value`, the path with
    /// dots, the value as RON would have it.
    ///
    /// # Errors
    /// [`Error::Experiment`] for an unknown path or an impossible value.
    fn with(&self, assignment: &str) -> Result<Self> {
        assignment::assigned(self, assignment)
    }
}

/// Fields of these names make an experiment.
macro_rules! settings {
    ($($experiment:ty)+) => {
        $(impl Settings for $experiment {
            fn study(&mut self) -> &mut String {
                &mut self.study
            }

            fn name(&mut self) -> &mut String {
                &mut self.name
            }

            fn title(&mut self) -> &mut String {
                &mut self.title
            }

            fn seed(&mut self) -> &mut u64 {
                &mut self.seed
            }
        })+
    };
}
settings!(Experiment TaskExperiment Population Switching Gating Recording LearnedOptimiser MetaModel);

impl Study {
    /// Reads an experiment file and applies settings of the command line.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be read; [`Error::Experiment`] with
    /// line and column for anything that is not a setting; [`Error::Usage`] for a name that is no folder.
    pub fn read(path: &Path, set: &[String]) -> Result<Self> {
        Self::parse(path, &files::text(path, LARGEST)?, set)
    }

    /// Reads the text of an experiment file and applies settings of the command line.
    ///
    /// * `path`: names the file in messages, and what the file does not name itself
    ///
    /// # Errors
    /// As [`Study::read`].
    pub fn parse(path: &Path, text: &str, set: &[String]) -> Result<Self> {
        Ok(match study_of(text) {
            Some("Task") => {
                // The name of a struct may stand before its fields; ours is the study's.
                Self::Task(Box::new(finished(path, &text.replacen("Task", "", 1), set)?))
            }
            Some("Population") => Self::Population(Box::new(finished(
                path,
                &text.replacen("Population", "", 1),
                set,
            )?)),
            Some("Switching") => {
                Self::Switching(Box::new(finished(path, &text.replacen("Switching", "", 1), set)?))
            }
            Some("Gating") => {
                Self::Gating(Box::new(finished(path, &text.replacen("Gating", "", 1), set)?))
            }
            Some("Recording") => {
                Self::Recording(Box::new(finished(path, &text.replacen("Recording", "", 1), set)?))
            }
            Some("LearnedOptimiser") => Self::LearnedOptimiser(Box::new(finished(
                path,
                &text.replacen("LearnedOptimiser", "", 1),
                set,
            )?)),
            Some("MetaModel") => {
                Self::MetaModel(Box::new(finished(path, &text.replacen("MetaModel", "", 1), set)?))
            }
            Some("Text") => {
                Self::Text(Box::new(finished(path, &text.replacen("Text", "", 1), set)?))
            }
            Some(other) => {
                let place = text.find(other).unwrap_or(0);
                let before = &text[..place];
                return Err(Error::Experiment {
                    file: path.display().to_string(),
                    line: 1 + before.matches('\n').count(),
                    column: 1 + before.len() - before.rfind('\n').map_or(0, |at| at + 1),
                    problem: format!(
                        "no study `{other}`; {}",
                        crate::nearest::hint(
                            other,
                            &[
                                "Text",
                                "Task",
                                "Population",
                                "Switching",
                                "Gating",
                                "Recording",
                                "LearnedOptimiser",
                                "MetaModel"
                            ]
                        )
                    ),
                });
            }
            None => Self::Text(Box::new(finished(path, text, set)?)),
        })
    }
}

/// Names of settings and choices of the program's first version, with today's.
const RENAMED: [(&str, &str); 6] = [
    ("seeds", "initial_states"),
    ("headline", "primary"),
    ("Each", "Sequential"),
    ("Together", "Joint"),
    ("along", "linked"),
    ("reach", "max_distance"),
];

/// Today's name of a setting.
fn renamed(name: &str) -> &str {
    RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

/// What a file says in names of the program's first version: they are read, and will not be for ever.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read.
pub fn superseded(path: &Path) -> Result<Vec<String>> {
    let text = files::text(path, LARGEST)?;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        // Names stand outside quotes and comments.
        let outside = line.split("//").next().unwrap_or_default().split('"').step_by(2);
        let mut words =
            outside.flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'));
        if let Some((old, new)) = words.find_map(|w| RENAMED.iter().find(|(old, _)| *old == w)) {
            found.push(format!(
                "{}:{}: `{old}` is now called `{new}`; the old name is read until the next release",
                path.display(),
                number + 1
            ));
        }
    }
    Ok(found)
}

/// The word that stands before the settings, where there is one; comments are passed over.
fn study_of(text: &str) -> Option<&str> {
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("//") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after).trim_start();
        } else if let Some(attribute) = rest.strip_prefix("#!") {
            rest = attribute.split_once(']').map_or("", |(_, after)| after).trim_start();
        } else {
            break;
        }
    }
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
    Some(&rest[..end]).filter(|word| !word.is_empty())
}

/// An experiment of a file's text, with the settings of the command line, named after the file where it names
/// nothing itself.
fn finished<E: Settings>(path: &Path, text: &str, set: &[String]) -> Result<E> {
    let mut experiment: E = parse(&path.display().to_string(), text)?;
    if set.is_empty() && experiment == E::default() {
        let remedy =
            "say at least which text, `corpus: (source: …)`, or which task, `Task(task: …)`";
        let problem = "an experiment that says nothing: every setting has its default";
        return Err(Error::input(path.display(), "", problem, remedy));
    }
    for assignment in set {
        experiment = experiment.with(assignment)?;
    }
    let part = |p: Option<&std::ffi::OsStr>| p.map(|s| s.to_string_lossy().into_owned());
    if experiment.name().is_empty() {
        *experiment.name() = part(path.file_stem()).unwrap_or_else(|| "experiment".into());
    }
    if experiment.study().is_empty() {
        let absolute = std::path::absolute(path).map_err(Error::io(path))?;
        let folder = part(absolute.parent().and_then(Path::file_name)).unwrap_or_default();
        // Hidden folders are the store's.
        let folder = folder.trim_start_matches('.').trim();
        *experiment.study() = if folder.is_empty() { "experiments" } else { folder }.into();
    }
    folder_name("study", experiment.study())?;
    folder_name("name", experiment.name())?;
    Ok(experiment)
}

impl Experiment {
    /// Reads the file of a study on text ([`Study::read`]).
    ///
    /// # Errors
    /// As [`Study::read`], and [`Error::Usage`] for a file of another study.
    pub fn read(path: &Path, set: &[String]) -> Result<Self> {
        match Study::read(path, set)? {
            Study::Text(experiment) => Ok(*experiment),
            _ => Err(Error::Usage(format!(
                "{}: a study of a task; here one on text is needed",
                path.display()
            ))),
        }
    }

    /// [`Settings::with`], for those who have not imported the trait.
    ///
    /// # Errors
    /// As [`Settings::with`].
    pub fn with(&self, assignment: &str) -> Result<Self> {
        assignment::assigned(self, assignment)
    }
}
