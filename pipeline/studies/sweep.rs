//! Many networks, made part by part, on one machine or on many.
//!
//! A [`Sweep`] is a grid or a population. What is made of it is read from the networks' own folders; its parts and their
//! engine are [`engine::sweep`](crate::engine::sweep)'s and the command line's.

use super::grid::{self, Outcome, Plan, Progress};
use super::population;
use crate::corpus::Source;
use crate::data::{Task, tasks::Law};
use crate::engine::{Finished, Lock};
use crate::experiment::grid::{Case, cases};
use crate::experiment::{Experiment, Population, Settings, Study, TaskExperiment};
use crate::ops::CellKind;
use crate::{Error, Result, files, notation, summary, train};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Many networks of one file.
pub enum Sweep {
    /// On text.
    Grid(Box<Experiment>, Vec<Case<Experiment>>),
    /// On a task.
    Population(Box<Population>, Vec<Case<TaskExperiment>>),
}

/// Seconds that a network which is in place takes: its files are checked.
const CHECK: f64 = 0.05;

/// Floating-point operations a second of one core where nothing was measured: what a small network reaches.
const NOMINAL: f64 = 1e9;

/// What the networks of a sweep are expected to cost.
pub struct Costs {
    /// Seconds of each on one core.
    pub seconds: Vec<f64>,
    /// Networks that these follow from, made before; 0: they are an estimate.
    pub measured: usize,
}

impl Sweep {
    /// The sweep that a file asks for; `None` for a single network.
    ///
    /// # Errors
    /// As [`cases`].
    pub fn of(study: Study, seed: Option<u64>) -> Result<Option<Self>> {
        Ok(match study {
            Study::Text(mut e) if !e.grid.is_empty() => {
                e.seed = seed.unwrap_or(e.seed);
                let all = cases(&e)?;
                Some(Self::Grid(e, all))
            }
            Study::Population(mut p) => {
                p.seed = seed.unwrap_or(p.seed);
                let all = population::cases(&p)?;
                Some(Self::Population(p, all))
            }
            // One network, or studies that compare few networks at once.
            _ => None,
        })
    }

    /// Study and name.
    pub fn place(&self) -> (&str, &str) {
        match self {
            Self::Grid(e, _) => (&e.study, &e.name),
            Self::Population(p, _) => (&p.study, &p.name),
        }
    }

    /// Its folder.
    pub fn folder(&self, out: &Path) -> PathBuf {
        let (study, name) = self.place();
        out.join(study).join(name)
    }

    /// Hash of all settings of all networks.
    pub fn key(&self) -> String {
        match self {
            Self::Grid(e, _) => files::hash(&notation::to_ron(e)),
            Self::Population(p, _) => files::hash(&notation::to_ron(p)),
        }
    }

    /// How many networks.
    pub fn len(&self) -> usize {
        match self {
            Self::Grid(_, all) => all.len(),
            Self::Population(_, all) => all.len(),
        }
    }

    /// Whether it has none, which no sweep has.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name of a network.
    pub fn name(&self, case: usize) -> &str {
        match self {
            Self::Grid(_, all) => &all[case].name,
            Self::Population(_, all) => &all[case].name,
        }
    }

    /// Seconds that each network took, where it was made to its end with these settings.
    pub fn made(&self, out: &Path) -> Vec<Option<f64>> {
        match self {
            Self::Grid(_, all) => all.iter().map(|case| made(case, out)).collect(),
            Self::Population(_, all) => all.iter().map(|case| made(case, out)).collect(),
        }
    }

    /// What each network is expected to cost: what is in place nothing but a look, others their operations at the speed of
    /// those that were made, of the same cell where there are some.
    ///
    /// * `made`: as [`Sweep::made`] returned it
    pub fn costs(&self, made: &[Option<f64>]) -> Costs {
        let work: Vec<(CellKind, f64)> = match self {
            Self::Grid(_, all) => all.iter().map(|c| c.experiment.work()).collect(),
            Self::Population(_, all) => all.iter().map(|c| c.experiment.work()).collect(),
        };
        let mut by_cell: HashMap<CellKind, Vec<f64>> = HashMap::new();
        let mut every = Vec::new();
        for ((cell, operations), seconds) in work.iter().zip(made) {
            if let Some(seconds) = seconds {
                by_cell.entry(*cell).or_default().push(seconds / operations);
                every.push(seconds / operations);
            }
        }
        let overall = summary::median(&every).unwrap_or(1.0 / NOMINAL);
        let by_cell: HashMap<CellKind, f64> = by_cell
            .into_iter()
            .filter_map(|(cell, ratios)| Some((cell, summary::median(&ratios)?)))
            .collect();
        let seconds = work.iter().zip(made).map(|((cell, operations), made)| match made {
            Some(_) => CHECK,
            None => CHECK + operations * by_cell.get(cell).unwrap_or(&overall),
        });
        Costs { seconds: seconds.collect(), measured: every.len() }
    }

    /// Makes what of these networks is not in place, in this order.
    ///
    /// # Errors
    /// [`Error::Interrupted`] if the end was asked for. A network that fails is no error: it is listed.
    pub fn make(
        &self,
        share: &[usize],
        plan: &Plan,
        progress: &dyn Progress,
    ) -> Result<Vec<Outcome>> {
        match self {
            Self::Grid(_, all) => {
                let own: Vec<_> = share.iter().map(|&i| &all[i]).collect();
                grid::make(&own, plan, progress)
            }
            Self::Population(_, all) => {
                let own: Vec<_> = share.iter().map(|&i| &all[i]).collect();
                population::make(&own, plan, progress)
            }
        }
    }

    /// Writes tables and page of what is there; returns the sweep's folder and how many networks are not.
    ///
    /// * `reasons`: why networks failed, by their names
    ///
    /// # Errors
    /// [`Error::Usage`] where no network is there, or another process gathers them; [`Error::Io`] if the folder cannot be
    /// written to.
    pub fn gather(
        &self,
        out: &Path,
        reasons: &HashMap<String, String>,
    ) -> Result<(PathBuf, usize)> {
        let (study, name) = self.place();
        let _lock = Lock::of_run(out, study, name)?;
        match self {
            Self::Grid(e, all) => grid::finish(e, out, all, &outcomes(all, out, reasons)?),
            Self::Population(p, all) => {
                population::finish(p, out, all, &outcomes(all, out, reasons)?)
            }
        }
    }
}

/// A network of a sweep.
trait Network: Settings + Clone {
    /// Stages whose files tables and page of the whole are made of.
    const READ: &'static [&'static str];

    /// Its cell, and about how many floating-point operations it takes.
    fn work(&self) -> (CellKind, f64);

    /// Whether a record's experiment is this one.
    fn is(&self, recorded: &Self) -> bool;
}

/// Operations of training and of the search for fixed points: `6 w` a step of training, where `w` counts the recurrent
/// weights (forward `2 w`, backward `4 w`), and `4 w` at each of about 500 steps of a search.
fn operations(
    training: &train::Settings,
    (cell, units, inputs): (CellKind, usize, usize),
    (sequences, steps): (usize, usize),
    searches: usize,
) -> f64 {
    let weights = (cell.gates() * units * (units + inputs)) as f64;
    let batches = training.epochs * sequences.div_ceil(training.batch);
    let updates = if training.steps > 0 { batches.min(training.steps) } else { batches };
    let trained = updates as f64 * (training.batch.min(sequences) * steps) as f64 * 6.0 * weights;
    trained + searches as f64 * 500.0 * 4.0 * weights
}

impl Network for Experiment {
    const READ: &'static [&'static str] = &["claims", "report"];

    fn work(&self) -> (CellKind, f64) {
        // What a corpus of texts holds is not known before it is read: reviews of a film, say.
        let (documents, tokens) = match &self.corpus.source {
            Source::Synthetic(s) => (s.train, s.length),
            Source::Named(_) | Source::File(_) => (25_000, 100),
        };
        let shape = (self.model.cell, self.model.units, self.model.embedding.unwrap_or(0));
        let searches = self.fixed_points.initial_states * self.fixed_points.inputs.len();
        (self.model.cell, operations(&self.training, shape, (documents, tokens), searches))
    }

    fn is(&self, recorded: &Self) -> bool {
        // Weights that come from elsewhere say themselves what the network is.
        let told = |e: &Self| {
            let mut e = e.clone();
            if e.weights.take().is_some() {
                e.model = Default::default();
                e.corpus.tokens = Default::default();
            }
            e
        };
        self.weights.is_some() == recorded.weights.is_some() && told(self) == told(recorded)
    }
}

impl Network for TaskExperiment {
    const READ: &'static [&'static str] = &["states", "fixed_points", "claims", "report"];

    fn work(&self) -> (CellKind, f64) {
        // What a file of trials holds is not known before it is read.
        let (inputs, held, steps) = match &self.task {
            Task::File(_) => (1, 2, 100),
            task => (task.inputs(), task.held().len(), task.steps()),
        };
        let shape = (self.model.cell, self.model.units, inputs);
        let searches = self.fixed_points.initial_states * held;
        (self.model.cell, operations(&self.training, shape, (self.trials.train, steps), searches))
    }

    fn is(&self, recorded: &Self) -> bool {
        self == recorded
    }
}

/// The folder of a case.
fn folder<E: Settings + Clone>(case: &Case<E>, out: &Path) -> PathBuf {
    let mut named = case.experiment.clone();
    out.join(named.study().as_str()).join(named.name().as_str())
}

/// Seconds that all stages took, where the record says that the case was made to its end with these settings.
fn made<E: Network>(case: &Case<E>, out: &Path) -> Option<f64> {
    let finished = Finished::open(&folder(case, out), &[]).ok()?;
    finished.key("report")?;
    let recorded: E = finished.experiment().ok()?;
    let seconds = || finished.stages().iter().map(|stage| stage.seconds).sum();
    case.experiment.is(&recorded).then(seconds)
}

/// How each case stands, its files checked.
fn outcomes<E: Network>(
    cases: &[Case<E>],
    out: &Path,
    reasons: &HashMap<String, String>,
) -> Result<Vec<Outcome>> {
    let all: Vec<Outcome> = cases
        .iter()
        .map(|case| {
            let folder = folder(case, out);
            let failure = match made(case, out) {
                Some(_) => Finished::open(&folder, E::READ).err().map(|e| e.to_string()),
                None => {
                    let known = reasons.get(&case.name).cloned();
                    Some(known.unwrap_or_else(|| "not made yet".into()))
                }
            };
            Outcome { failure, folder }
        })
        .collect();
    if all.iter().all(|outcome| outcome.failure.is_some()) {
        return Err(Error::Usage(format!(
            "none of the {} networks is there yet: nothing to gather",
            all.len()
        )));
    }
    Ok(all)
}
