//! Stage `train`: weights from a seed, or from elsewhere, and their accuracy on
//! the test split.

use super::{Watch, check};
use crate::Result;
use crate::corpus::{Corpus, Labels, store};
use crate::data::Trials;
use crate::engine::{Run, StageOutput, Workspace};
use crate::experiment::Experiment;
use crate::model::{Foreign, Network};
use crate::records::{self, column, keys};
use crate::train::{self, Fit, Member, Record};
use std::path::{Path, PathBuf};

/// Name of the checkpoint while training goes on.
const CHECKPOINT: &str = "checkpoint.safetensors";

pub fn stage(e: &Experiment, place: &Workspace, watch: &mut dyn Watch) -> Result<StageOutput> {
    let (corpus, network) = untrained(e, place.folder())?;
    fitted(e, &corpus, &network, place, watch)
}

/// Weights trained elsewhere, trained further.
pub fn further(
    e: &Experiment,
    foreign: &Foreign,
    place: &Workspace,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let corpus = store::read(place.folder())?;
    let classes = corpus.label_names.len();
    let head = match foreign.outputs() {
        0 => train::head(e.model.head, &corpus.train.labels, classes),
        _ => foreign.head(classes, matches!(corpus.train.labels, Labels::Multi { .. }))?,
    };
    let network = foreign.start(&e.model, head, head.outputs(classes), e.seed)?;
    let before = train::score(&network, &corpus.test)?.accuracy();
    let mut made = fitted(e, &corpus, &network, place, watch)?;
    made.files.push(write_taken(place.folder(), foreign)?);
    Ok(made.with(keys::ACCURACY_START, before))
}

/// Trains a network in place.
fn fitted(
    e: &Experiment,
    corpus: &Corpus,
    network: &Network,
    place: &Workspace,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let trials = ((&corpus.train).into(), (&corpus.validation).into(), (&corpus.test).into());
    fitted_on(network, trials, (&e.training, e.seed), place, watch)
}

/// Trains a network in place, on any trials.
fn fit_on(
    network: &Network,
    train: Trials,
    validation: Trials,
    (settings, seed): (&train::Settings, u64),
    place: &Workspace,
    watch: &mut dyn Watch,
) -> Result<Fit> {
    let checkpoint = place.checkpoint(CHECKPOINT);
    let mut watcher = watch.training();
    let at = (checkpoint.as_path(), place.key());
    train::fit(network, train, validation, settings, seed, at, &mut *watcher)
}

/// The corpus as it was tokenized, and a network that knows nothing yet.
fn untrained(e: &Experiment, folder: &Path) -> Result<(Corpus, Network)> {
    let corpus = store::read(folder)?;
    let classes = corpus.label_names.len();
    let head = train::head(e.model.head, &corpus.train.labels, classes);
    let network = Network::new(&e.model, head, corpus.words.len(), head.outputs(classes), e.seed)?;
    Ok((corpus, network))
}

/// Trains a network on trials and leaves weights, table and scores on those of `test`.
pub(in crate::studies) fn fitted_on(
    network: &Network,
    (train, validation, test): (Trials, Trials, Trials),
    how: (&train::Settings, u64),
    place: &Workspace,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let fit = fit_on(network, train, validation, how, place, watch)?;
    made(place.folder(), test, network, &fit)
}

/// What training leaves.
fn made(folder: &Path, test: Trials, network: &Network, fit: &Fit) -> Result<StageOutput> {
    network.save(&folder.join("model.safetensors"))?;
    let test = train::score(network, test)?;
    let table = write(folder, &fit.records)?;
    Ok(StageOutput::files(["model.safetensors".to_string(), table])
        .with(keys::ACCURACY_NETWORK, test.accuracy())
        .with(keys::TRAIN_TOKENS_PER_SECOND, fit.tokens_per_second())
        .with(keys::TRAIN_SECONDS, fit.seconds)
        .with(keys::TRAIN_STEPS, fit.steps as f64)
        .with(keys::TRAIN_STOPPED_EARLY, fit.stopped_early as u8 as f64))
}

/// A case of a grid that is to be trained.
pub struct Waiting<'a> {
    run: Run<Experiment>,
    experiment: &'a Experiment,
    corpus: Corpus,
    network: Network,
}

impl<'a> Waiting<'a> {
    /// Of a run that has passed `tokenize`.
    ///
    /// # Errors
    /// As training's own.
    pub fn new(run: Run<Experiment>, experiment: &'a Experiment) -> Result<Self> {
        let (corpus, network) = untrained(experiment, run.folder())?;
        Ok(Self { run, experiment, corpus, network })
    }

    /// What networks must share to be trained side by side.
    pub fn shape(&self) -> String {
        let (network, e) = (&self.network, self.experiment);
        let head = (network.head(), network.outputs(), network.vocabulary());
        format!("{:?} {head:?} {:?}", e.model, e.training.precision)
    }
}

/// Trains networks of one shape side by side; one that fails keeps its reason for its own run.
///
/// # Errors
/// What the card reports.
pub fn together(mut waiting: Vec<Waiting>, watch: &mut dyn train::Watch) -> Result<()> {
    let places: Vec<(PathBuf, String)> =
        waiting.iter().map(|w| w.run.checkpoint("train", CHECKPOINT)).collect();
    let mut silent = vec![(); waiting.len()];
    let mut watches: Vec<&mut dyn train::Watch> = vec![watch];
    watches.extend(silent.iter_mut().skip(1).map(|w| w as &mut dyn train::Watch));
    let members =
        waiting.iter().zip(&places).zip(watches).map(|((w, (path, key)), watch)| Member {
            network: &w.network,
            train: (&w.corpus.train).into(),
            validation: (&w.corpus.validation).into(),
            settings: &w.experiment.training,
            seed: w.experiment.seed,
            checkpoint: (path, key),
            watch,
        });
    let fits = train::fit_together(members.collect())?;
    for (w, fit) in waiting.iter_mut().zip(fits) {
        let Ok(fit) = fit else { continue };
        let Waiting { run, corpus, network, .. } = w;
        run.pass("train", |place, _| made(place.folder(), (&corpus.test).into(), network, &fit))?;
    }
    Ok(())
}

/// Weights trained elsewhere in the place of training.
pub fn import(e: &Experiment, foreign: &Foreign, folder: &Path) -> Result<StageOutput> {
    let corpus = store::read(folder)?;
    let lists = matches!(corpus.train.labels, Labels::Multi { .. });
    let head = foreign.head(corpus.label_names.len(), lists)?;
    let documents: Vec<&[u32]> = corpus.train.documents.iter().collect();
    let network = foreign.network(&e.model, head, &documents)?;
    network.save(&folder.join("model.safetensors"))?;
    let test = train::score(&network, &corpus.test)?;
    let mut notes = check::notes(&corpus, &network)?;
    notes.extend(check::better(&corpus, e, foreign, test.accuracy()));
    let checks = check::write(folder, &notes)?;
    let table = write_taken(folder, foreign)?;
    Ok(StageOutput::files(["model.safetensors".to_string(), table, checks])
        .with(keys::ACCURACY_NETWORK, test.accuracy()))
}

/// Which array of the file was taken as what.
pub(in crate::studies) fn write_taken(folder: &Path, foreign: &Foreign) -> Result<String> {
    let shapes: Vec<Vec<f64>> =
        foreign.taken.iter().map(|t| t.shape.iter().map(|&s| s as f64).collect()).collect();
    records::Weights {
        array: column(foreign.taken.iter().map(|t| t.array.as_str())),
        shape: column(&shapes),
        role: column(foreign.taken.iter().map(|t| t.role)),
    }
    .write(folder)
}

fn write(folder: &Path, rows: &[Record]) -> Result<String> {
    let each = |f: fn(&Record) -> f64| column(rows.iter().map(f));
    records::Training {
        step: column(rows.iter().map(|r| r.step)),
        epoch: each(|r| r.epoch),
        loss: each(|r| r.loss),
        penalty: each(|r| r.penalty),
        accuracy: each(|r| r.accuracy),
        learning_rate: each(|r| r.learning_rate),
        gradient_norm: each(|r| r.gradient_norm),
        tokens: column(rows.iter().map(|r| r.tokens as usize)),
        seconds: each(|r| r.seconds),
        validation_loss: column(rows.iter().map(|r| r.validation_loss)),
        validation_accuracy: column(rows.iter().map(|r| r.validation_accuracy)),
    }
    .write(folder)
}
