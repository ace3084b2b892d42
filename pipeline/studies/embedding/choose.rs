//! Stage `choose`: which dimension of the map and which weight of the states, on phrases held out from training.

use super::collection;
use super::{layout_of, names, objective};
use crate::embedding::choice::{Measured, choose};
use crate::embedding::train::{Checkpoint, Collection, Settings, train};
use crate::embedding::{self, Recording, analysis, initial};
use crate::engine::{StageOutput, Workspace};
use crate::experiment::MetaModel;
use crate::records::{self, column, keys};
use crate::studies::text::Watch;
use crate::{Error, Result, summary};
use std::path::Path;

/// Trains a meta-model for every pair of a dimension and a weight; writes the table. Without pairs nothing is done.
///
/// # Errors
/// [`Error::Usage`] for too few phrases; what training returns.
pub fn stage(e: &MetaModel, place: &Workspace, watch: &mut dyn Watch) -> Result<StageOutput> {
    let pairs = e.choose.pairs(e);
    if pairs.is_empty() {
        return Ok(StageOutput::default());
    }
    let opened = collection::open(e, place.folder())?;
    let phrases = &opened.phrases;
    let held = (e.choose.held_out * phrases.len() as f64).round() as usize;
    if held == 0 || held >= phrases.len() {
        return Err(Error::Usage(format!(
            "choose: a share of {} of {} training phrases leaves none to learn from or none to measure on; give more `phrases`, or \
             another `choose.held_out`",
            e.choose.held_out,
            phrases.len()
        )));
    }
    let learned = 0..phrases.len() - held;
    let rest = learned.end..phrases.len();
    let part = |of: &std::ops::Range<usize>| -> Vec<Recording> {
        opened.recordings.iter().map(|r| r.part(phrases, of.clone())).collect()
    };
    let (own, own_recordings) = (phrases.part(learned.clone()), part(&learned));
    let (fresh, fresh_recordings) = (phrases.part(rest.clone()), part(&rest));
    let steps = e.choose.steps;
    let mut all = Vec::new();
    for (i, &(dimension, lambda)) in pairs.iter().enumerate() {
        let layout = layout_of(e, &opened, dimension);
        let settings = Settings { steps, lambda, ..e.training.clone() };
        let of = Collection {
            layout: &layout,
            phrases: &own,
            recordings: &own_recordings,
            objective: embedding::Objective { lambda, ..objective(e, &opened) },
        };
        let path = place.checkpoint(&format!("choose_{i}"));
        let key = format!("{} choose {i}", place.key());
        let at = Some(Checkpoint { path: &path, key: &key });
        let start = initial::parameters(&layout, &names(&opened), e.seed);
        let done = train(&of, start, &settings, e.seed, at, |k| {
            watch.progress("settings compared", i * steps + k, pairs.len() * steps);
        })?;
        let meta = embedding::MetaModel::new(layout, names(&opened), done.parameters)?;
        // A copy is its original once more, and would make the standard error small.
        let of =
            |n: usize| analysis::fidelity(&meta, n, &fresh, &fresh_recordings[n], opened.measure);
        let fidelity = opened.originals().into_iter().map(of).collect();
        all.push(Measured { dimension, lambda, fidelity });
    }
    let chosen = choose(&all);
    let output = StageOutput::files([write(place.folder(), &all, (chosen, fresh.len()))?]);
    let Some(chosen) = chosen.map(|i| &all[i]) else { return Ok(output) };
    Ok(output
        .with(keys::EMBEDDING_CHOSEN_DIMENSION, chosen.dimension as f64)
        .with(keys::EMBEDDING_CHOSEN_LAMBDA, chosen.lambda))
}

fn write(
    folder: &Path,
    all: &[Measured],
    (chosen, phrases): (Option<usize>, usize),
) -> Result<String> {
    let each = |f: &dyn Fn(&analysis::Fidelity) -> f64| {
        let mean = |m: &Measured| summary::mean(&m.fidelity.iter().map(f).collect::<Vec<_>>());
        column(all.iter().map(mean).collect::<Vec<f64>>())
    };
    records::EmbeddingChoices {
        dimension: column(all.iter().map(|m| m.dimension)),
        lambda: column(all.iter().map(|m| m.lambda)),
        r2: each(&|f| f.r2),
        divergence: each(&|f| f.divergence),
        agreement: each(&|f| f.agreement),
        missed: column(all.iter().map(|m| m.mean_missed().0)),
        error: column(all.iter().map(|m| m.mean_missed().1)),
        n: column(all.iter().map(|m| m.fidelity.len())),
        phrases: column(all.iter().map(|_| phrases)),
        chosen: column((0..all.len()).map(|i| Some(i) == chosen)),
    }
    .write(folder)
}
