//! A map of models: one meta-model that emulates every network of a collection, each at a point of a map (arXiv 2302.14078).
//!
//! Stages: tokenize → collect → choose → train → inspect → claims → report. `collect` trains base models or reads them from finished
//! runs; `choose` compares dimensions of the map and weights of the states, where it is asked to; `train` learns one meta-model a
//! seed; `inspect` asks it how well it emulates them, what its map says, and what can be done on it.

mod bases;
mod beside;
mod choose;
mod claims;
mod collection;
mod given;
mod inspect;
mod knob;
mod labels;
mod networks;
mod rules;
mod standing;
mod tables;

use super::text::{self, Options, Watch};
use crate::embedding::train::{Checkpoint, Collection, Record, train};
use crate::embedding::{Layout, Objective, Said, Shape, initial};
use crate::engine::{Context, Finished, Run, Stage, StageOutput, StageRecord, Workspace};
use crate::experiment::MetaModel;
use crate::model::weights;
use crate::records::{self, column, keys};
use crate::report::{Summary, embedding as page, plot};
use crate::{Error, Result};
use collection::Opened;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Names of the stages, in order.
pub const STAGES: [&str; 7] =
    ["tokenize", "collect", "choose", "train", "inspect", "claims", "report"];

/// Runs every stage that is not in place; returns the run's folder.
///
/// # Errors
/// What the stages return; [`Error::Usage`] for a collection that cannot be made, [`Error::Input`] for base models that do not
/// agree in vocabulary or outputs.
pub fn run(e: &MetaModel, options: Options) -> Result<PathBuf> {
    let Options { data, out, force, watch } = options;
    collection::check_settings(e)?;
    if let Some(unknown) = force.iter().find(|f| !STAGES.contains(&f.as_str())) {
        let hint = crate::nearest::hint(unknown, &STAGES);
        return Err(Error::Usage(format!("--force {unknown}: no such stage here; {hint}")));
    }
    let sources = given::sources(e, data)?;
    let made = (&e.collection, &e.trained, e.seed, &sources);
    let learned = (&e.model, &e.training, e.replicates, e.phrases);
    let pairs = e.choose.pairs(e);
    let asked = (!pairs.is_empty()).then_some((&e.choose, pairs, &e.model, &e.training, e.phrases));
    let stages = vec![
        Stage::new("tokenize", 1, &(&e.trained.corpus, e.seed, &sources), &[]),
        // 4: labels of every group; runs that have not learned are left out.
        Stage::new("collect", 4, &made, &["tokenize"]),
        Stage::new("choose", 1, &(asked, e.seed), &["tokenize", "collect"]),
        Stage::new("train", 2, &learned, &["tokenize", "collect"]),
        // 4: every group by its own labels.
        Stage::new("inspect", 4, &(&e.inspect, e.test), &["tokenize", "collect", "train"]),
        // 2: no interval of one meta-model.
        Stage::new("claims", 2, &(), &["collect", "train", "inspect"]),
        // 2: fewer phrases than were asked for are told.
        Stage::new("report", 2, e, &STAGES[..STAGES.len() - 1]),
    ];
    let context = Context { out, study: &e.study, name: &e.name, force, device: "cpu" };
    let mut run = Run::open(context, e.clone(), stages)?;
    watch.left(run.left());
    for name in STAGES {
        watch.begin(name);
        let ran = run.pass(name, |place, rows| {
            let folder = place.folder();
            match name {
                "tokenize" => given::tokenize(e, data, folder),
                "collect" => collection::collect(e, place, watch),
                "choose" => choose::stage(e, place, watch),
                "train" => trained(e, place, watch),
                "inspect" => inspect::inspect(e, place, watch),
                "claims" => text::write_claims(&claims::claims(e, folder)?, folder),
                _ => report(e, folder, rows),
            }
        })?;
        let seconds = run.stages().last().map(|s| s.seconds);
        watch.passed(name, seconds.filter(|_| ran));
    }
    plot::place(&out.join("assets"))?;
    Ok(run.folder().to_path_buf())
}

/// Writes the report of a finished run again, from its tables and record. Whether `folder` holds such a study; any other is
/// left alone.
///
/// # Errors
/// [`Error::Input`] if what stands there does not belong together; [`Error::Io`] if the folder cannot be written to.
pub fn rewrite(folder: &Path) -> Result<bool> {
    let Ok(e) = Finished::open(folder, &[]).and_then(|f| f.experiment::<MetaModel>()) else {
        return Ok(false);
    };
    let finished = Finished::open(folder, &STAGES[..STAGES.len() - 1])?;
    let place = (e.study.as_str(), e.name.as_str());
    finished.rewrite(&e, place, "report", |folder, rows| report(&e, folder, rows))?;
    Ok(true)
}

/// Seeds of the meta-models.
fn seeds(e: &MetaModel) -> impl Iterator<Item = u64> {
    let first = e.seed;
    (0..e.replicates as u64).map(move |r| first.wrapping_add(r))
}

fn layout(e: &MetaModel, opened: &Opened) -> Layout {
    layout_of(e, opened, e.model.dimension)
}

/// The same with `θ` of another dimension.
fn layout_of(e: &MetaModel, opened: &Opened, dimension: usize) -> Layout {
    let shape = Shape {
        cell: e.model.cell,
        units: e.model.units,
        reads: opened.reads,
        outputs: opened.outputs,
        dimension,
    };
    Layout { shape, widths: opened.recordings.iter().map(|r| r.width).collect() }
}

fn objective(e: &MetaModel, opened: &Opened) -> Objective {
    let (lambda, measure) = (e.training.lambda, opened.measure);
    Objective { lambda, measure, said: Said::Every, shared: true }
}

fn names(opened: &Opened) -> Vec<String> {
    opened.bases.iter().map(|b| b.name.clone()).collect()
}

fn trained(e: &MetaModel, place: &Workspace, watch: &mut dyn Watch) -> Result<StageOutput> {
    let opened = collection::open(e, place.folder())?;
    let layout = layout(e, &opened);
    let of = Collection {
        layout: &layout,
        phrases: &opened.phrases,
        recordings: &opened.recordings,
        objective: objective(e, &opened),
    };
    let (mut files, mut rows, mut seconds) = (Vec::new(), Vec::new(), 0.0);
    let steps = e.training.steps * e.replicates;
    for (r, seed) in seeds(e).enumerate() {
        let path = place.checkpoint(&format!("meta_{seed}"));
        let key = format!("{} {seed}", place.key());
        let at = Some(Checkpoint { path: &path, key: &key });
        let start = initial::parameters(&layout, &names(&opened), seed);
        let done = train(&of, start, &e.training, seed, at, |k| {
            watch.progress("meta-models", r * e.training.steps + k, steps);
        })?;
        files.push(save(&layout, &done.parameters, (place.folder(), seed))?);
        seconds += done.seconds;
        rows.extend(done.records.into_iter().map(|row| (seed, row)));
    }
    files.push(write_training(place.folder(), &rows)?);
    Ok(StageOutput::files(files)
        .with(keys::TRAIN_SECONDS, seconds)
        .with(keys::TRAIN_STEPS, steps as f64)
        .with(keys::META_STEPS_PER_SECOND, steps as f64 / seconds)
        .with(
            keys::EMBEDDING_STREAMED,
            opened.recordings.iter().any(|r| !r.states.held()) as u8 as f64,
        )
        .with(keys::EMBEDDING_BYTES, opened.bytes as f64))
}

fn write_training(folder: &Path, rows: &[(u64, Record)]) -> Result<String> {
    let each = |f: fn(&Record) -> f64| column(rows.iter().map(|(_, r)| f(r)));
    records::EmbeddingTraining {
        seed: column(rows.iter().map(|(seed, _)| *seed as usize)),
        step: column(rows.iter().map(|(_, r)| r.step)),
        states: each(|r| r.terms.states),
        outputs: each(|r| r.terms.outputs),
        gradient_norm: each(|r| r.norm),
        learning_rate: each(|r| r.learning_rate),
    }
    .write(folder)
}

/// Names, shapes and places of a meta-model's arrays; the cell's are PyTorch's.
fn arrays(layout: &Layout) -> Vec<(String, Vec<usize>, std::ops::Range<usize>)> {
    let shape = &layout.shape;
    let (gates, n, s) = (shape.gates(), shape.units, shape.state());
    let (u, k) = (shape.sizes().inputs(), shape.outputs);
    let cell = layout.cell().start;
    let (w, b) = (cell + gates * u, cell + gates * (u + n));
    let mut all = vec![
        ("embedding.weight".to_string(), vec![layout.words().len() / u.max(1), u], layout.words()),
        ("rnn.weight_ih_l0".into(), vec![gates, u], cell..w),
        ("rnn.weight_hh_l0".into(), vec![gates, n], w..b),
        ("rnn.bias_ih_l0".into(), vec![gates], b..b + gates),
        ("rnn.bias_hh_l0".into(), vec![gates], b + gates..b + 2 * gates),
        ("conditioning.weight".into(), vec![gates, shape.dimension], layout.conditioning()),
        ("initial_state".into(), vec![s], layout.initial()),
        ("readout.weight".into(), vec![k, s], layout.readout()),
        ("readout.bias".into(), vec![k], layout.readout_bias()),
    ];
    all.retain(|(_, _, range)| !range.is_empty());
    for model in 0..layout.models() {
        let d = layout.widths[model];
        all.push((format!("theta.{model}"), vec![shape.dimension], layout.theta(model)));
        all.push((format!("map.{model}.weight"), vec![d, s], layout.map(model)));
        all.push((format!("map.{model}.bias"), vec![d], layout.map_bias(model)));
    }
    all
}

fn file(seed: u64) -> String {
    format!("meta_model_{seed}.safetensors")
}

fn save(layout: &Layout, parameters: &[f32], (folder, seed): (&Path, u64)) -> Result<String> {
    let all: weights::Arrays = arrays(layout)
        .into_iter()
        .map(|(name, shape, range)| (name, (shape, parameters[range].to_vec())))
        .collect();
    let about = serde_json::to_string(&layout.shape).expect("sizes are plain");
    weights::write(&folder.join(file(seed)), &all, HashMap::from([("meta_model".into(), about)]))?;
    Ok(file(seed))
}

fn load(
    layout: &Layout,
    names: Vec<String>,
    (folder, seed): (&Path, u64),
) -> Result<crate::embedding::MetaModel> {
    let path = folder.join(file(seed));
    let (found, _) = weights::read(&path)?;
    let mut parameters = vec![0.0; layout.parameters()];
    for (name, shape, range) in arrays(layout) {
        match found.get(&name) {
            Some((own, numbers)) if *own == shape => parameters[range].copy_from_slice(numbers),
            _ => {
                let problem = format!("no array `{name}` of shape {shape:?}");
                return Err(Error::input(path.display(), "", problem, "train again"));
            }
        }
    }
    crate::embedding::MetaModel::new(layout.clone(), names, parameters)
}

fn report(e: &MetaModel, folder: &Path, stages: &[StageRecord]) -> Result<StageOutput> {
    let mut summary = Summary::of(stages);
    text::costs(&mut summary, stages, e.seed);
    let held: f64 = summary.get(keys::EMBEDDING_BYTES).unwrap_or(0.0);
    let mut notes: Vec<(&str, String)> = collection::notes(folder, collection::NOTES)?
        .into_iter()
        .map(|note| ("collect", note))
        .collect();
    notes.extend(collection::fewer(e, folder)?.into_iter().map(|note| ("tokenize", note)));
    let (megabytes, most) = (held / 1e6, e.held_megabytes);
    notes.push(("train", match summary.get(keys::EMBEDDING_STREAMED) {
        Some(streamed) if streamed > 0.0 => format!(
            "what base models did on the training phrases was computed once, {megabytes:.0} MB; states of all phrases exceed {most} MB \
             (`held_megabytes`) and were read from a file as they were asked for"
        ),
        _ => format!(
            "what base models did on the training phrases was computed once and held in memory: {megabytes:.0} MB"
        ),
    }));
    if let (Some(p), Some(lambda)) =
        (summary.get(keys::EMBEDDING_CHOSEN_DIMENSION), summary.get(keys::EMBEDDING_CHOSEN_LAMBDA))
        && (p, lambda) != (e.model.dimension as f64, e.training.lambda)
    {
        notes.push((
            "choose",
            format!(
                "p = {p} and λ = {lambda} are chosen on held-out phrases; the meta-models here have p = {} and λ = {}, as the file says",
                e.model.dimension, e.training.lambda
            ),
        ));
    }
    notes.extend(inspect::notes(e, folder)?);
    let mut files = vec![text::write_notes(folder, &notes)?, summary.write(folder)?];
    let path = folder.join(knob::FILE);
    let knob = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    let page = page::Page {
        knob: &knob,
        title: if e.title.is_empty() { "A map of models" } else { &e.title },
        meta: &format!(
            "{}, {} units, θ of {} numbers",
            e.model.cell.facts().name,
            e.model.units,
            e.model.dimension
        ),
        settings: &crate::notation::to_ron(e),
        assets: &text::assets(&e.study, &e.name),
    };
    files.extend(page::write(folder, &page)?);
    Ok(StageOutput::files(files))
}
