//! Stage `train`: weights from a seed, and their accuracy on the test split.

use super::Watch;
use crate::Result;
use crate::corpus::store;
use crate::experiment::Experiment;
use crate::model::Network;
use crate::report::Table;
use crate::run::Made;
use crate::train::{self, Record};
use std::path::Path;

/// Name of the checkpoint while training goes on.
const CHECKPOINT: &str = "checkpoint.safetensors";

pub fn stage(e: &Experiment, folder: &Path, key: &str, watch: &mut dyn Watch) -> Result<Made> {
    let corpus = store::read(folder)?;
    let classes = corpus.label_names.len();
    let head = train::head(e.model.head, &corpus.train.labels, classes);
    let network = Network::new(&e.model, head, corpus.words.len(), head.outputs(classes), e.seed)?;
    let checkpoint = folder.join(CHECKPOINT);
    let fit = {
        let mut watcher = watch.training();
        train::fit(
            &network,
            &corpus.train,
            &corpus.validation,
            &e.training,
            e.seed,
            (&checkpoint, key),
            &mut *watcher,
        )?
    };
    network.save(&folder.join("model.safetensors"))?;
    let test = train::score(&network, &corpus.test)?;
    let table = write(folder, &fit.records)?;
    // The weights are safe: the checkpoint has served.
    let _ = std::fs::remove_file(&checkpoint);
    Ok(Made::files(["model.safetensors".to_string(), table])
        .with("accuracy.network", test.accuracy())
        .with("train.tokens_per_second", fit.tokens_per_second())
        .with("train.seconds", fit.seconds)
        .with("train.steps", fit.steps as f64)
        .with("train.stopped_early", fit.stopped_early as u8 as f64))
}

fn write(folder: &Path, records: &[Record]) -> Result<String> {
    let column = |f: fn(&Record) -> f64| records.iter().map(f).collect::<Vec<_>>();
    Table::new("training")
        .u64("step", records.iter().map(|r| r.step))
        .f64("epoch", column(|r| r.epoch))
        .f64("loss", column(|r| r.loss))
        .f64("penalty", column(|r| r.penalty))
        .f64("accuracy", column(|r| r.accuracy))
        .f64("learning_rate", column(|r| r.learning_rate))
        .f64("gradient_norm", column(|r| r.gradient_norm))
        .u64("tokens", records.iter().map(|r| r.tokens as usize))
        .f64("seconds", column(|r| r.seconds))
        .maybe_f64("validation_loss", records.iter().map(|r| r.validation_loss))
        .maybe_f64("validation_accuracy", records.iter().map(|r| r.validation_accuracy))
        .write(folder)
}
