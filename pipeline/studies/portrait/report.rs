//! Stage `report`: summary, figures, page.

use crate::corpus::{Labels, store};
use crate::experiment::Experiment;
use crate::model::Config;
use crate::report::{Summary, Table, page};
use crate::run::{Made, StageRecord};
use crate::{Result, notation};
use std::path::Path;

pub fn stage(e: &Experiment, folder: &Path, stages: &[StageRecord]) -> Result<Made> {
    let corpus = store::read(folder)?;
    let mut summary = Summary::new();
    for (key, number) in stages.iter().flat_map(|s| &s.numbers) {
        match key.strip_prefix("shape.") {
            Some(shape) => summary.text("shape.predicted", shape),
            None => summary.number(key, *number),
        }
    }
    summary.number("time.seconds", stages.iter().map(|s| s.seconds).sum());
    summary
        .number("memory.peak_bytes", stages.iter().map(|s| s.peak_bytes).max().unwrap_or(0) as f64);
    summary.number("seed", e.seed as f64);
    summary.text("corpus.name", corpus.name.as_str());
    let notes = Table::new("notes")
        .text("stage", corpus.notes.iter().map(|_| "tokenize"))
        .text("note", corpus.notes.iter().map(String::as_str))
        .write(folder)?;
    let title = if e.title.is_empty() { &corpus.name } else { &e.title };
    let settings = notation::to_ron(e);
    let network = describe(&e.model);
    let page = page::Page {
        title,
        corpus: &corpus.name,
        network: &network,
        labels: corpus.label_names.len(),
        lists: matches!(corpus.train.labels, Labels::Multi { .. }),
        settings: &settings,
        stages,
    };
    let mut files = vec![notes, summary.write(folder)?];
    files.extend(page::write(folder, &page, &summary)?);
    Ok(Made::files(files))
}

/// The network in a few words.
fn describe(config: &Config) -> String {
    let entry = match config.embedding {
        Some(size) => format!("words as vectors of {size} numbers"),
        None => "one-hot words".into(),
    };
    format!("{:?}, {} units, {entry}", config.cell, config.units)
}
