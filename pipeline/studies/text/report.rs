//! Stage `report`: summary, figures, page.

use super::check;
use crate::corpus::{Labels, store};
use crate::engine::{StageOutput, StageRecord};
use crate::experiment::Experiment;
use crate::model::{Config, foreign};
use crate::records::{self, column, keys};
use crate::report::{Summary, page};
use crate::studies::curves;
use crate::{Result, notation};
use std::path::Path;

pub fn stage(e: &Experiment, folder: &Path, stages: &[StageRecord]) -> Result<StageOutput> {
    let corpus = store::read(folder)?;
    let mut summary = Summary::of(stages);
    costs(&mut summary, stages, e.seed);
    summary.text(keys::CORPUS_NAME, corpus.name.as_str());
    let mut notes: Vec<(&str, String)> =
        corpus.notes.iter().map(|n| ("tokenize", n.clone())).collect();
    if let Some(weights) = &e.weights {
        notes.extend(assumed(weights)?.into_iter().map(|n| ("train", n)));
        notes.extend(check::read(folder).into_iter().map(|n| ("train", n)));
        notes.extend(behind_words(stages, corpus.test.documents.len()).map(|n| ("train", n)));
        let before = stages.iter().find_map(|s| s.number(keys::ACCURACY_START));
        notes.extend(before.map(|accuracy| {
            let file = weights.file.display();
            (
                "train",
                format!(
                    "training went on from {file}, which read {accuracy:.3} of the test split right"
                ),
            )
        }));
    }
    if let Some(left) = stages.iter().find_map(|s| s.number(keys::PREDICTION_LEFT_OUT)) {
        let of = corpus.train.documents.len();
        let rare = "carry a combination of labels that is too rare for a row, and play no part in the prediction \
                    (`prediction.rows: Labels` takes single labels)";
        notes.push(("predict", format!("{left:.0} of {of} training documents {rare}")));
    }
    let points = stages.iter().find_map(|s| s.number(keys::FIXED_POINTS_COUNT));
    if points == Some(0.0) {
        let problem = "no slow point at the primary tolerance: what words do, and to each other, is \
                       measured from the mean of the states (`fixed_points.primary` sets the tolerance)";
        notes.push(("context", problem.into()));
    }
    notes.extend(curves::left_out(&e.curves, e.fixed_points.finder.smallest(), folder)?);
    let notes = write_notes(folder, &notes)?;
    let title = if e.title.is_empty() { &corpus.name } else { &e.title };
    let settings = notation::to_ron(e);
    let network = describe(&e.model);
    let page = page::Page {
        title,
        corpus: &corpus.name,
        network: &network,
        reads: page::Reads::Documents,
        labels: corpus.label_names.len(),
        lists: matches!(corpus.train.labels, Labels::Multi { .. }),
        settings: &settings,
        stages,
        assets: &assets(&e.study, &e.name),
        walk: super::walk::gather(e, folder)?.map(|w| w.section()),
    };
    let mut files = vec![notes, summary.write(folder)?];
    files.extend(page::write(folder, &page, &summary)?);
    Ok(StageOutput::files(files))
}

/// What is said where a network from elsewhere reads far worse than a bag of words that was fitted here.
fn behind_words(stages: &[StageRecord], documents: usize) -> Option<String> {
    let number = |key| stages.iter().find_map(|s| s.number(key));
    if number(keys::TRAIN_STEPS).is_some() {
        return None;
    }
    let (network, words) = (number(keys::ACCURACY_NETWORK)?, number(keys::ACCURACY_BAG_OF_WORDS)?);
    // Chance of the draw of test documents, two and a half standard errors.
    let noise = 2.5 * (words * (1.0 - words) / documents.max(1) as f64).sqrt();
    (words - network > noise.max(0.1)).then(|| {
        format!(
            "warning: the network reads {network:.3} of {documents} test documents right, and a bag of words fitted \
             here {words:.3}; if it did better where it was trained, look at: the order of the labels \
             (`--label-order`), {}",
            check::CAUSES
        )
    })
}

/// The way from a run's folder to `assets` beside all runs.
pub(in crate::studies) fn assets(study: &str, name: &str) -> String {
    let below = Path::new(study).join(name).components().count();
    format!("{}assets", "../".repeat(below))
}

/// Time, memory and seed of a run.
pub(in crate::studies) fn costs(summary: &mut Summary, stages: &[StageRecord], seed: u64) {
    summary.number(keys::TIME_SECONDS, stages.iter().map(|s| s.seconds).sum());
    let peak = stages.iter().map(|s| s.peak_bytes).max().unwrap_or(0);
    summary.number(keys::MEMORY_PEAK_BYTES, peak as f64);
    summary.number(keys::SEED, seed as f64);
}

/// The notes' table.
pub(in crate::studies) fn write_notes(folder: &Path, notes: &[(&str, String)]) -> Result<String> {
    records::Notes {
        stage: column(notes.iter().map(|n| n.0)),
        note: column(notes.iter().map(|n| n.1.as_str())),
    }
    .write(folder)
}

/// What was assumed about weights from elsewhere, as sentences.
pub(in crate::studies) fn assumed(weights: &foreign::Settings) -> Result<Vec<String>> {
    let found = foreign::Foreign::read(weights)?;
    let mut notes = found.notes.clone();
    let shown = weights.file.display();
    let unused: Vec<&str> =
        found.taken.iter().filter(|t| t.role == "not used").map(|t| t.array.as_str()).collect();
    if !unused.is_empty() {
        notes.push(format!("{shown}: not used: {}", unused.join(", ")));
    }
    if found.initial.is_none() {
        notes.push(format!("{shown}: no initial state; every document starts at zero"));
    }
    Ok(notes)
}

/// The network in a few words.
pub(in crate::studies) fn describe(config: &Config) -> String {
    let entry = match config.embedding {
        Some(size) => format!("words as vectors of {size} numbers"),
        None => "one-hot words".into(),
    };
    format!("{:?}, {} units, {entry}", config.cell, config.units)
}
