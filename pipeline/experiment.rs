//! What an experiment file may say.
//!
//! An experiment is a RON file that says only what differs from the defaults.
//! Unknown fields, wrong types and impossible values are refused with line,
//! column and the nearest valid name. `--set path=value` changes one setting
//! as if it stood in the file.

use crate::notation::{parse, to_ron};
use crate::{Error, Result, baseline, corpus, model, stats, studies, train};
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
    pub states: studies::portrait::StatesSettings,
    /// How fixed points are sought.
    pub fixed_points: studies::portrait::FixedPointSettings,
    /// How the dimension is predicted from counts.
    pub prediction: stats::predict::Settings,
    /// The bag of words.
    pub baseline: baseline::logistic::Settings,
    /// The bag of words that knows about context.
    pub context: baseline::context::Settings,
    /// Settings and the values they take: one network for every combination.
    pub grid: Vec<studies::grid::Axis>,
    /// What is asked of the slow modes.
    pub modes: studies::portrait::ModesSettings,
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

/// Where a setting stands in text that [`to_ron`] wrote, or would stand: some are not written while they are off.
struct Place<'a> {
    /// Its value; empty where it is not written.
    span: std::ops::Range<usize>,
    /// Its name, and those of the settings it lies in, from the first that is not written.
    unwritten: Vec<&'a str>,
}

impl<'a> Place<'a> {
    /// The setting `path`, or none if it lies in one that has no settings.
    fn of(text: &str, path: &'a str) -> Option<Self> {
        let mut span = 0..text.len();
        let names: Vec<&str> = path.split('.').collect();
        for (depth, name) in names.iter().enumerate() {
            let fields = fields(text, span.clone());
            match fields.iter().find(|(field, _)| field == name) {
                Some((_, value)) => span = value.clone(),
                None => {
                    let end = span.start + text[span].trim_end().strip_suffix(')')?.len();
                    return Some(Self { span: end..end, unwritten: names[depth..].to_vec() });
                }
            }
        }
        Some(Self { span, unwritten: Vec::new() })
    }

    /// The text with `value` there.
    fn filled(&self, text: &str, value: &str) -> String {
        let named = self.unwritten.iter().rev().enumerate();
        let value = named.fold(value.to_string(), |value, (depth, name)| match depth {
            0 => format!("{name}: {value}"),
            _ => format!("{name}: ({value})"),
        });
        format!("{}{value}{}", &text[..self.span.start], &text[self.span.end..])
    }
}

/// The outermost `name: value` lines within a part of pretty-printed RON.
fn fields(text: &str, within: std::ops::Range<usize>) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut found: Vec<(&str, std::ops::Range<usize>)> = Vec::new();
    let mut outermost = None;
    let mut start = within.start;
    for line in text[within.clone()].split_inclusive('\n') {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let name = trimmed.split_once(':').map(|(name, _)| name).filter(|name| {
            indent > 0 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        if let Some(name) = name.filter(|_| outermost.is_none_or(|o| indent == o)) {
            outermost = Some(indent);
            let begin = start + indent + name.len() + 1;
            found.push((name, begin..begin));
        }
        // A value ends with the comma at its own field's depth.
        if let (Some(depth), Some((_, value))) = (outermost, found.last_mut()) {
            let ends =
                line.trim_end().ends_with(',') && (indent == depth) && value.start == value.end;
            if ends {
                let end = start + line.trim_end().len() - 1;
                let lead = text[value.start..end].len() - text[value.start..end].trim_start().len();
                *value = value.start + lead..end;
            }
        }
        start += line.len();
    }
    found
}
