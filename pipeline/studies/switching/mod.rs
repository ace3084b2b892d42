//! Networks trained together with a switching linear system: does it stay with them, where are its expansion points, and
//! what do inputs do there?
//!
//! Stages: train → inspect → claims → report. Each part of the experiment is trained once a seed together with its linear
//! system, and where asked for alone and without single terms of the loss.

mod claims;
pub mod explain;
mod given;
mod reading;

use super::text::{self, Options, Watch};
use crate::analyses::switching::{Inspection, Network, WordMove, inspect, mean_along, word_moves};
use crate::data::Task;
use crate::engine::{Context, Finished, Run, Stage, StageOutput, StageRecord, Workspace};
use crate::experiment::{Part, Source, Switching};
use crate::model::weights;
use crate::ops::cuda;
use crate::records::{self, column, keys};
use crate::report::{Summary, plot, switching as page};
use crate::switching::train::{Checkpoint, Record, Trained, train};
use crate::switching::{Losses, Shape, Trace, initial, run as roll_out};
use crate::{Error, Result, notation};
use reading::Reading;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Names of the stages, in order.
pub const STAGES: [&str; 4] = ["train", "inspect", "claims", "report"];

/// Pairs of biases of integration, every one of them with every other (arXiv 2111.01256).
const BIASES: [f64; 6] = [-0.04, -0.02, -0.009, 0.009, 0.02, 0.04];
/// Trials of each pair.
const CONDITIONED: usize = 32;

/// One network to train.
#[derive(Clone, Debug)]
struct Job<'a> {
    part: &'a Part,
    seed: u64,
    training: &'static str,
    losses: Losses,
}

impl Job<'_> {
    fn is_joint(&self) -> bool {
        self.losses.is_joint()
    }

    fn file(&self) -> String {
        format!("networks/{}-{}-{}.safetensors", self.part.name, self.seed, self.training)
    }

    fn shape(&self, reading: &Reading) -> Shape {
        Shape {
            kind: self.part.cell,
            units: self.part.units,
            inputs: reading.inputs(),
            outputs: reading.outputs(),
            layers: self.part.expansion.layers,
            activation: self.part.expansion.activation,
        }
    }
}

/// Every network, part by part, seed by seed.
fn jobs(e: &Switching) -> Vec<Job<'_>> {
    let mut all = Vec::new();
    for part in &e.parts {
        if part.weights.is_some() {
            // It is what it is: no seed, nothing trained without a term.
            all.push(Job { part, seed: e.seed, training: "joint", losses: part.losses });
            continue;
        }
        for seed in (0..e.replicates as u64).map(|r| e.seed + r) {
            let mut add = |training, losses| all.push(Job { part, seed, training, losses });
            add("joint", part.losses);
            if e.alone {
                add("alone", part.losses.alone());
            }
            if e.ablations {
                add("without_expansion", Losses { expansion: 0.0, ..part.losses });
                add("without_state", Losses { state: 0.0, ..part.losses });
            }
        }
    }
    all
}

fn check(e: &Switching) -> Result<()> {
    if e.parts.is_empty() {
        let example = "parts: [(name: \"memory\", reads: Task(Memory(bits: 3)))]";
        return Err(Error::Usage(format!(
            "a study without parts; say what is trained: `{example}`"
        )));
    }
    for (i, part) in e.parts.iter().enumerate() {
        crate::engine::folder_name("part", &part.name)?;
        if part.name.contains(['/', '\\']) {
            return Err(Error::Usage(format!("part `{}`: no slash in a name", part.name)));
        }
        if e.parts[..i].iter().any(|other| other.name == part.name) {
            return Err(Error::Usage(format!("two parts are called `{}`", part.name)));
        }
        if part.losses.total(&crate::switching::Terms {
            rnn: 1.0,
            jslds: 1.0,
            ..Default::default()
        }) == 0.0
        {
            return Err(Error::Usage(format!(
                "part `{}`: `losses.rnn` and `losses.jslds` are 0: nothing asks for the task; give one of them a weight",
                part.name
            )));
        }
        if matches!(part.reads, Source::Task(Task::File(_))) {
            return Err(Error::Usage(format!(
                "part `{}`: a task from a file is not co-trained yet; train on it alone: `Task(task: File(…))`",
                part.name
            )));
        }
        if !part.losses.is_joint() {
            return Err(Error::Usage(format!(
                "part `{}`: `losses.jslds`, `expansion` and `state` are 0: there is no linear system; give one of them a weight",
                part.name
            )));
        }
    }
    Ok(())
}

/// Runs every stage that is not in place; returns the run's folder.
///
/// # Errors
/// What the stages return; [`Error::Usage`] for parts that cannot be trained.
pub fn run(e: &Switching, options: Options) -> Result<PathBuf> {
    let Options { data, out, force, watch } = options;
    check(e)?;
    let (e, hashes) = &given::sized(e)?;
    if let Some(unknown) = force.iter().find(|f| !STAGES.contains(&f.as_str())) {
        let hint = crate::nearest::hint(unknown, &STAGES);
        return Err(Error::Usage(format!("--force {unknown}: no such stage here; {hint}")));
    }
    let mut sources = hashes.clone();
    for part in &e.parts {
        if let Source::Text(of) = &part.reads {
            sources.extend(text::fingerprint(&of.corpus, data)?);
        }
    }
    let what = (&e.parts, e.seed, e.replicates, e.alone, e.ablations, sources);
    let stages = vec![
        Stage::new("train", 1, &what, &[]),
        // 2: inputs at rest that are not searched are counted; 3: test documents are drawn.
        Stage::new("inspect", 3, &(&what, &e.inspect), &["train"]),
        // 2: one network has no interval.
        Stage::new("claims", 2, &e.parts, &["inspect"]),
        Stage::new("report", 1, e, &STAGES[..STAGES.len() - 1]),
    ];
    let device = cuda::current_name();
    let context = Context { out, study: &e.study, name: &e.name, force, device: &device };
    let mut run = Run::open(context, e.clone(), stages)?;
    watch.left(run.left());
    for name in STAGES {
        watch.begin(name);
        let ran = run.pass(name, |place, rows| match name {
            "train" => trained(e, data, place, watch),
            "inspect" => inspected(e, data, place.folder(), watch),
            "claims" => text::write_claims(&claims::claims(e, place.folder())?, place.folder()),
            _ => report(e, place.folder(), rows),
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
    let Ok(e) = Finished::open(folder, &[]).and_then(|f| f.experiment::<Switching>()) else {
        return Ok(false);
    };
    let finished = Finished::open(folder, &STAGES[..STAGES.len() - 1])?;
    let place = (e.study.as_str(), e.name.as_str());
    finished.rewrite(&e, place, "report", |folder, rows| report(&e, folder, rows))?;
    Ok(true)
}

fn trained(
    e: &Switching,
    data: &Path,
    place: &Workspace,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let jobs = jobs(e);
    let trained = jobs.iter().filter(|job| job.part.weights.is_none());
    let steps: usize = trained.map(|job| job.part.training.steps).sum();
    let (mut files, mut rows, mut done) = (Vec::new(), Vec::new(), 0);
    let mut seconds = 0.0;
    for job in &jobs {
        let found = match &job.part.weights {
            Some(file) => given(job, file, data, watch)?,
            None => train_one(job, data, place, |k| watch.progress("train", done + k, steps))?,
        };
        done += job.part.training.steps;
        seconds += found.seconds;
        let reading = Reading::open(job.part, data, job.seed)?;
        let metadata = HashMap::from([
            ("part".to_string(), notation::to_ron(job.part)),
            ("seconds".into(), found.seconds.to_string()),
        ]);
        let path = place.folder().join(job.file());
        if let Some(below) = path.parent() {
            std::fs::create_dir_all(below).map_err(Error::io(below))?;
        }
        weights::write(&path, &arrays(job, &reading, &found.parameters), metadata)?;
        files.push(job.file());
        rows.extend(found.records.into_iter().map(|row| (job, row)));
    }
    files.push(write_training(place.folder(), &rows)?);
    Ok(StageOutput::files(files)
        .with(keys::TRAIN_SECONDS, seconds)
        .with(keys::TRAIN_STEPS, steps as f64))
}

/// A network from elsewhere, as if it had been trained in no time.
fn given(job: &Job, file: &Path, data: &Path, watch: &mut dyn Watch) -> Result<Trained> {
    let reading = Reading::open(job.part, data, job.seed)?;
    let (parameters, notes) = given::parameters(file, job.part, &job.shape(&reading), &reading)?;
    notes.iter().for_each(|note| watch.note(&format!("{}: {note}", file.display())));
    Ok(Trained { parameters, records: Vec::new(), seconds: 0.0 })
}

fn train_one(
    job: &Job,
    data: &Path,
    place: &Workspace,
    watch: impl FnMut(usize),
) -> Result<Trained> {
    let mut reading = Reading::open(job.part, data, job.seed)?;
    let shape = job.shape(&reading);
    let mut parameters = initial::parameters(&shape, &job.part.initial, job.seed);
    parameters.extend(reading.embedding(job.seed));
    let path = place.checkpoint(&format!("{}-{}-{}", job.part.name, job.seed, job.training));
    let at = Checkpoint { path: &path, key: place.key() };
    let settings = &job.part.training;
    train(
        parameters,
        settings,
        &job.losses,
        Some(at),
        |p, losses, k| reading.gradient(&shape, p, losses, (k, job.seed, settings.batch)),
        watch,
    )
}

fn arrays(job: &Job, reading: &Reading, parameters: &[f32]) -> weights::Arrays {
    let shape = job.shape(reading);
    let mut all = weights::Arrays::new();
    for array in shape.arrays() {
        all.insert(array.name, (array.shape, parameters[array.range].to_vec()));
    }
    let words = reading.words().len();
    if words > 0 {
        let table = parameters[shape.parameters()..].to_vec();
        all.insert("embedding.weight".into(), (vec![words, shape.inputs], table));
    }
    all
}

/// Parameters of a trained network, in their order.
fn read(job: &Job, reading: &Reading, folder: &Path) -> Result<(Vec<f32>, f64)> {
    let path = folder.join(job.file());
    let (arrays, metadata) = weights::read(&path)?;
    let shape = job.shape(reading);
    let names = shape.arrays().into_iter().map(|a| (a.name, a.range.len()));
    let table = Some(reading.words().len()).filter(|words| *words > 0);
    let names = names.chain(table.map(|words| ("embedding.weight".into(), words * shape.inputs)));
    let mut all = Vec::new();
    for (name, count) in names {
        match arrays.get(&name) {
            Some((_, numbers)) if numbers.len() == count => all.extend_from_slice(numbers),
            _ => {
                let problem = format!("no array `{name}` of {count} numbers");
                return Err(Error::input(path.display(), "", problem, "train again"));
            }
        }
    }
    let seconds = metadata.get("seconds").and_then(|s| s.parse().ok()).unwrap_or(f64::NAN);
    Ok((all, seconds))
}

fn write_training(folder: &Path, rows: &[(&Job, Record)]) -> Result<String> {
    let each = |f: fn(&Record) -> f64| column(rows.iter().map(|(_, r)| f(r)));
    records::SwitchingTraining {
        part: column(rows.iter().map(|(job, _)| job.part.name.as_str())),
        seed: column(rows.iter().map(|(job, _)| job.seed as usize)),
        training: column(rows.iter().map(|(job, _)| job.training)),
        step: column(rows.iter().map(|(_, r)| r.step)),
        rnn: each(|r| r.terms.rnn),
        jslds: each(|r| r.terms.jslds),
        expansion: each(|r| r.terms.expansion),
        state: each(|r| r.terms.state),
        gradient_norm: each(|r| r.norm),
        learning_rate: each(|r| r.learning_rate),
    }
    .write(folder)
}

/// What was found of one network.
struct Looked<'a> {
    job: Job<'a>,
    seconds: f64,
    found: Inspection,
    shown: Vec<Shown>,
    trajectories: Vec<Trajectory>,
    /// Word of each sampled expansion point.
    words: Vec<String>,
    /// What words do to expansion points, each with its name.
    moves: Vec<(String, WordMove)>,
}

/// One step of a trial that is shown.
struct Shown {
    trial: usize,
    step: usize,
    word: String,
    target: Vec<f64>,
    outputs: [Vec<f64>; 2],
    /// First two components of `h`, `a` and `e`.
    components: [Vec<f64>; 3],
}

/// Mean of trials under one context with one pair of biases.
struct Trajectory {
    context: usize,
    bias: [f64; 2],
    step: usize,
    state: Vec<f64>,
    expansion_point: Vec<f64>,
}

fn inspected(
    e: &Switching,
    data: &Path,
    folder: &Path,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let jobs = jobs(e);
    let (count, mut all) = (jobs.len(), Vec::new());
    for (i, job) in jobs.into_iter().enumerate() {
        watch.progress("inspect", i, count);
        all.push(look(e, job, data, folder)?);
    }
    let mut files = vec![write_networks(folder, &all)?];
    files.extend(write_points(folder, &all)?);
    files.push(write_shown(folder, &all)?);
    if all.iter().any(|l| !l.found.contexts.is_empty()) {
        files.extend(write_contexts(folder, &all)?);
    }
    if all.iter().any(|l| !l.moves.is_empty()) {
        files.push(write_words(folder, &all)?);
    }
    let first = &e.parts[0].name;
    let mean = |training: &str, of: fn(&Inspection) -> Option<f64>| {
        let of_first = |l: &&Looked| l.job.part.name == *first && l.job.training == training;
        let values: Vec<f64> = all.iter().filter(of_first).filter_map(|l| of(&l.found)).collect();
        crate::summary::mean(&values)
    };
    Ok(StageOutput::files(files)
        .with(keys::SWITCHING_STATE_ERROR, mean("joint", |i| i.state_error))
        .with(keys::SWITCHING_ONE_STEP_ERROR, mean("alone", |i| i.one_step_error)))
}

fn look<'a>(e: &Switching, job: Job<'a>, data: &Path, folder: &Path) -> Result<Looked<'a>> {
    let reading = Reading::open(job.part, data, job.seed)?;
    let shape = job.shape(&reading);
    let (all, seconds) = read(&job, &reading, folder)?;
    let parameters = &all[..shape.parameters()];
    let network = Network { shape: &shape, parameters };
    let examples = reading.test(&all, &shape, e.inspect.trials, job.seed);
    let asked = (&e.inspect, reading.chance(), reading.mechanism(), job.is_joint());
    let (found, traces) = inspect(network, &examples, asked)?;
    let word = |trial: usize, step: usize| match examples.tokens.get(trial) {
        Some(tokens) => reading.words()[tokens[step] as usize].clone(),
        None => String::new(),
    };
    let words = found.points.iter().map(|p| word(p.trial, p.step)).collect();
    let shown = match job.is_joint() {
        true => shown(e, &shape, &found, &traces, &examples, &word),
        false => Vec::new(),
    };
    let trajectories = trajectories(&job, &found, network)?;
    let moves = match job.is_joint() {
        true => word_moves(&traces, &examples.tokens, &shape),
        false => Vec::new(),
    };
    let named = |m: WordMove| (reading.words()[m.word as usize].clone(), m);
    let moves = moves.into_iter().map(named).collect();
    Ok(Looked { job, seconds, found, shown, trajectories, words, moves })
}

fn shown(
    e: &Switching,
    shape: &Shape,
    found: &Inspection,
    traces: &[Trace],
    examples: &crate::analyses::switching::Examples,
    word: &dyn Fn(usize, usize) -> String,
) -> Vec<Shown> {
    let (s, k) = (shape.state(), shape.outputs);
    let wide = |x: &[f32]| x.iter().map(|x| *x as f64).collect::<Vec<f64>>();
    let pca = found.pca.as_ref().expect("states were looked at");
    let mut all = Vec::new();
    for (trial, trace) in traces.iter().enumerate().take(e.inspect.shown) {
        for step in 0..trace.states.len() / s {
            let at = |x: &[f32]| pca.coordinates(&wide(&x[step * s..][..s]), 2);
            all.push(Shown {
                trial,
                step,
                word: word(trial, step),
                target: examples.wanted.at(trial, step, k),
                outputs: [&trace.outputs, &trace.linear_outputs].map(|o| wide(&o[step * k..][..k])),
                components: [&trace.states, &trace.linear_states, &trace.expansion_points]
                    .map(|x| at(x)),
            });
        }
    }
    all
}

fn trajectories(job: &Job, found: &Inspection, network: Network) -> Result<Vec<Trajectory>> {
    let (Source::Task(Task::Integration(law)), Some(axes)) = (&job.part.reads, &found.axes) else {
        return Ok(Vec::new());
    };
    let mut all = Vec::new();
    for context in 0..2 {
        for (i, b1) in BIASES.into_iter().enumerate() {
            for (j, b2) in BIASES.into_iter().enumerate() {
                let split = format!("condition/{context}/{i}/{j}");
                let bias = [b1, b2];
                let drawn = law.conditioned(context, bias, CONDITIONED, job.seed, &split);
                let examples = crate::analyses::switching::Examples::of_task(&drawn, |x| {
                    crate::analyses::switching::constant_parts(x, network.shape.inputs)
                });
                let sequences = examples.sequences();
                let (_, traces) = roll_out(network.shape, network.parameters, &sequences, true)?;
                let mean = |of: fn(&Trace) -> &Vec<f32>| {
                    let all: Vec<&[f32]> = traces.iter().map(|t| of(t).as_slice()).collect();
                    mean_along(axes, &all)
                };
                let (states, points) = (mean(|t| &t.states), mean(|t| &t.expansion_points));
                let steps = states.into_iter().zip(points).enumerate();
                all.extend(steps.map(|(step, (state, expansion_point))| Trajectory {
                    context,
                    bias,
                    step,
                    state,
                    expansion_point,
                }));
            }
        }
    }
    Ok(all)
}

fn write_networks(folder: &Path, all: &[Looked]) -> Result<String> {
    let largest = |l: &Looked| {
        let of = l.found.centres.iter().filter_map(|c| c.moduli.first().copied());
        of.fold(None, |m: Option<f64>, x| Some(m.map_or(x, |m| m.max(x))))
    };
    let number = |f: &dyn Fn(&Looked) -> f64| column(all.iter().map(f));
    let maybe = |f: &dyn Fn(&Looked) -> Option<f64>| column(all.iter().map(f));
    records::SwitchingNetworks {
        part: column(all.iter().map(|l| l.job.part.name.as_str())),
        seed: column(all.iter().map(|l| l.job.seed as usize)),
        training: column(all.iter().map(|l| l.job.training)),
        cell: column(all.iter().map(|l| l.job.part.cell.facts().name)),
        units: column(all.iter().map(|l| l.job.part.units)),
        steps: column(all.iter().map(|l| match l.job.part.weights {
            Some(_) => 0,
            None => l.job.part.training.steps,
        })),
        seconds: number(&|l| l.seconds),
        error: number(&|l| l.found.error),
        linear_error: maybe(&|l| l.found.linear_error),
        state_error: maybe(&|l| l.found.state_error),
        residual: maybe(&|l| l.found.residual),
        one_step_error: maybe(&|l| l.found.one_step_error),
        slow_points: column(all.iter().map(|l| l.found.slow_points)),
        unsearched: column(all.iter().map(|l| l.found.unsearched)),
        proved: column(all.iter().map(|l| l.found.proved)),
        clusters: maybe(&|l| l.job.is_joint().then_some(l.found.centres.len() as f64)),
        largest_modulus: maybe(&largest),
        selection: maybe(&|l| l.found.selection),
        read: maybe(&|l| l.found.read),
        distance: maybe(&|l| l.found.distance),
        dimension: maybe(&|l| l.found.dimension),
        dimension_states: number(&|l| l.found.dimension_states),
    }
    .write(folder)
}

/// Rows of all networks with the network they are of.
fn rows<'a, T>(
    all: &'a [Looked<'a>],
    of: fn(&'a Looked<'a>) -> &'a [T],
) -> Vec<(&'a Job<'a>, &'a T)> {
    all.iter().flat_map(|l| of(l).iter().map(move |row| (&l.job, row))).collect()
}

fn write_points(folder: &Path, all: &[Looked]) -> Result<Vec<String>> {
    let joint: Vec<&Looked> = all.iter().filter(|l| l.job.training == "joint").collect();
    let points: Vec<_> = joint
        .iter()
        .flat_map(|l| l.found.points.iter().zip(&l.words).map(|(p, w)| (&l.job, p, w.as_str())))
        .collect();
    let component = |a: usize| column(points.iter().map(move |(_, p, _)| p.components[a]));
    let sampled = records::ExpansionPoints {
        part: column(points.iter().map(|p| p.0.part.name.as_str())),
        seed: column(points.iter().map(|p| p.0.seed as usize)),
        trial: column(points.iter().map(|p| p.1.trial)),
        step: column(points.iter().map(|p| p.1.step)),
        word: column(points.iter().map(|p| p.2)),
        pc_1: component(0),
        pc_2: component(1),
        pc_3: component(2),
        cluster: column(points.iter().map(|p| p.1.cluster)),
        distance: column(points.iter().map(|p| p.1.distance)),
    };
    let centres: Vec<_> = joint
        .iter()
        .flat_map(|l| l.found.centres.iter().enumerate().map(|(i, c)| (&l.job, i, c)))
        .collect();
    let unstable = |moduli: &[f64]| moduli.iter().filter(|m| **m > 1.0).count();
    let clusters = records::ExpansionClusters {
        part: column(centres.iter().map(|c| c.0.part.name.as_str())),
        seed: column(centres.iter().map(|c| c.0.seed as usize)),
        cluster: column(centres.iter().map(|c| c.1)),
        share: column(centres.iter().map(|c| c.2.share)),
        outputs: column(centres.iter().map(|c| &c.2.outputs)),
        moduli: column(centres.iter().map(|c| &c.2.moduli)),
        unstable: column(centres.iter().map(|c| unstable(&c.2.moduli))),
        residual: column(centres.iter().map(|c| c.2.residual)),
    };
    let effects: Vec<_> =
        joint.iter().flat_map(|l| l.found.effects.iter().map(|x| (&l.job, x))).collect();
    let inputs = records::EffectiveInputs {
        part: column(effects.iter().map(|x| x.0.part.name.as_str())),
        seed: column(effects.iter().map(|x| x.0.seed as usize)),
        cluster: column(effects.iter().map(|x| x.1.cluster)),
        input: column(effects.iter().map(|x| x.1.input)),
        flips: column(effects.iter().map(|x| x.1.flips)),
        selected: column(effects.iter().map(|x| x.1.selected)),
        outputs: column(effects.iter().map(|x| &x.1.outputs)),
    };
    Ok(vec![sampled.write(folder)?, clusters.write(folder)?, inputs.write(folder)?])
}

fn write_shown(folder: &Path, all: &[Looked]) -> Result<String> {
    let rows = rows(all, |l| &l.shown);
    let rows: Vec<_> = rows.into_iter().filter(|(job, _)| job.training == "joint").collect();
    records::SwitchingTrials {
        part: column(rows.iter().map(|r| r.0.part.name.as_str())),
        seed: column(rows.iter().map(|r| r.0.seed as usize)),
        trial: column(rows.iter().map(|r| r.1.trial)),
        step: column(rows.iter().map(|r| r.1.step)),
        word: column(rows.iter().map(|r| r.1.word.as_str())),
        target: column(rows.iter().map(|r| &r.1.target)),
        outputs: column(rows.iter().map(|r| &r.1.outputs[0])),
        linear_outputs: column(rows.iter().map(|r| &r.1.outputs[1])),
        state: column(rows.iter().map(|r| &r.1.components[0])),
        linear_state: column(rows.iter().map(|r| &r.1.components[1])),
        expansion_point: column(rows.iter().map(|r| &r.1.components[2])),
    }
    .write(folder)
}

fn write_words(folder: &Path, all: &[Looked]) -> Result<String> {
    let rows = rows(all, |l| &l.moves);
    let rows: Vec<_> = rows.into_iter().filter(|(job, _)| job.training == "joint").collect();
    records::SwitchingWords {
        part: column(rows.iter().map(|r| r.0.part.name.as_str())),
        seed: column(rows.iter().map(|r| r.0.seed as usize)),
        word: column(rows.iter().map(|r| r.1.0.as_str())),
        count: column(rows.iter().map(|r| r.1.1.count)),
        moved: column(rows.iter().map(|r| r.1.1.moved)),
        said: column(rows.iter().map(|r| r.1.1.said)),
    }
    .write(folder)
}

fn write_contexts(folder: &Path, all: &[Looked]) -> Result<Vec<String>> {
    let joint = |rows: &(&Job, &Trajectory)| rows.0.training == "joint";
    let rows: Vec<_> = rows(all, |l| &l.trajectories).into_iter().filter(joint).collect();
    let paths = records::ContextTrajectories {
        part: column(rows.iter().map(|r| r.0.part.name.as_str())),
        seed: column(rows.iter().map(|r| r.0.seed as usize)),
        context: column(rows.iter().map(|r| r.1.context)),
        bias_1: column(rows.iter().map(|r| r.1.bias[0])),
        bias_2: column(rows.iter().map(|r| r.1.bias[1])),
        step: column(rows.iter().map(|r| r.1.step)),
        state: column(rows.iter().map(|r| &r.1.state)),
        expansion_point: column(rows.iter().map(|r| &r.1.expansion_point)),
    };
    let of: Vec<_> = all
        .iter()
        .filter(|l| l.job.training == "joint")
        .flat_map(|l| l.found.contexts.iter().enumerate().map(|(i, c)| (&l.job, i, c)))
        .collect();
    let selection = records::ContextSelection {
        part: column(of.iter().map(|r| r.0.part.name.as_str())),
        seed: column(of.iter().map(|r| r.0.seed as usize)),
        context: column(of.iter().map(|r| r.1)),
        along: column(of.iter().map(|r| &r.2.along)),
        relevant: column(of.iter().map(|r| r.2.relevant)),
        irrelevant: column(of.iter().map(|r| r.2.irrelevant)),
        slowest: column(of.iter().map(|r| r.2.slowest)),
    };
    Ok(vec![paths.write(folder)?, selection.write(folder)?])
}

fn report(e: &Switching, folder: &Path, stages: &[StageRecord]) -> Result<StageOutput> {
    let mut summary = Summary::of(stages);
    text::costs(&mut summary, stages, e.seed);
    let notes = notes(e, folder)?;
    let mut files = vec![text::write_notes(folder, &notes)?, summary.write(folder)?];
    let title = if e.title.is_empty() { &e.name } else { &e.title };
    files.extend(page::write(folder, title, &notation::to_ron(e))?);
    Ok(StageOutput::files(files))
}

/// What was assumed and left out.
fn notes(e: &Switching, folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let i = &e.inspect;
    let networks = records::SwitchingNetworks::read(folder)?;
    let mut left: Vec<(String, usize)> =
        networks.part()?.into_iter().zip(networks.unsearched()?).filter(|n| n.1 > 0).collect();
    left.dedup();
    let left = left.into_iter().map(|(part, n)| {
        let note = format!(
            "{part}: under {n} of the inputs at rest, the rarest, no slow point was sought"
        );
        ("inspect", note)
    });
    let mut notes = vec![
        (
            "train",
            match e.parts.iter().all(|part| part.weights.is_some()) {
                true => "the networks are given; nothing was trained".into(),
                false => format!(
                    "{} from {} on; trials of tasks are drawn anew for every step",
                    notation::counted(e.replicates, "seed"),
                    e.seed
                ),
            },
        ),
        (
            "inspect",
            format!(
                "up to {} test trials; expansion points of the first {} steps of a trial are left out, {} at most are \
                 sampled; groups with less than {:.0} % of them are no clusters",
                i.trials,
                i.skip,
                i.points,
                100.0 * i.least
            ),
        ),
        (
            "inspect",
            format!(
                "the one-step error is around the nearest of the slow points that {} searches from visited states found, \
                 for each input at rest",
                i.searches
            ),
        ),
        (
            "report",
            "the hybrid with LFADS of arXiv 2111.01256 (recordings of motor cortex) is not part of this study".into(),
        ),
    ];
    notes.extend(left);
    Ok(notes)
}
