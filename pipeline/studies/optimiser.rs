//! Networks that learn to optimise (arXiv 2011.02159): trained, compared with tuned methods, opened up.
//!
//! Stages: (tokenize →) train → compare → dynamics → claims → report.

use super::text::{self, Claim, Options, Watch};
use crate::corpus::{self, Corpus};
use crate::data::Labels;
use crate::engine::{Context, Finished, Run, Stage, StageOutput, StageRecord, Workspace};
use crate::experiment::{LearnedOptimiser, Transfer};
use crate::model::weights;
use crate::optimisers::baseline::{Method, Tuned, tune};
use crate::optimisers::measure::{self, Measured, Summed, summed};
use crate::optimisers::momentum::{optimal_rate, optimum};
use crate::optimisers::problems::{Counts, Data, Family, Images, Problem};
use crate::optimisers::training::{self, Progress};
use crate::optimisers::{Learned, Task};
use crate::records::{self, column, keys};
use crate::report::{Summary, optimisers as page, plot};
use crate::summary;
use crate::{Error, Result, files, interrupt, parquet};
use polars::prelude::DataType;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names of the stages, in order.
pub const STAGES: [&str; 6] = ["tokenize", "train", "compare", "dynamics", "claims", "report"];

/// Folder of the digits below that of the corpora.
const DIGITS: &str = "digits";

/// Runs every stage that is not in place; returns the run's folder.
///
/// # Errors
/// What the stages return; what earlier ones made stays.
pub fn run(e: &LearnedOptimiser, options: Options) -> Result<PathBuf> {
    let Options { data, out, force, watch } = options;
    let sources = sources(e, data)?;
    if let Some(unknown) = force.iter().find(|f| !STAGES.contains(&f.as_str())) {
        let hint = crate::nearest::hint(unknown, &STAGES);
        return Err(Error::Usage(format!("--force {unknown}: no such stage here; {hint}")));
    }
    let training = (&e.task, &e.model, &e.training, e.networks, e.seed, &sources);
    let compared = (&e.baselines, e.test, &e.transfer);
    let stages = vec![
        Stage::new("tokenize", 1, &(&e.corpus, &sources), &[]),
        Stage::new("train", 1, &training, &["tokenize"]),
        Stage::new("compare", 1, &compared, &["tokenize", "train"]),
        Stage::new("dynamics", 1, &(&e.analysis, e.test), &["tokenize", "train"]),
        Stage::new("claims", 1, &(), &["train", "compare", "dynamics"]),
        Stage::new("report", 1, e, &STAGES[..STAGES.len() - 1]),
    ];
    let context = Context { out, study: &e.study, name: &e.name, force, device: "cpu" };
    let mut run = Run::open(context, e.clone(), stages)?;
    watch.left(run.left());
    for name in STAGES {
        watch.begin(name);
        let ran = run.pass(name, |place, rows| {
            let folder = place.folder();
            let read = || read(e, data, folder);
            match name {
                "tokenize" => tokenize(e, data, folder),
                "train" => trained(e, &read()?, place, watch),
                "compare" => compare(e, &read()?, folder, watch),
                "dynamics" => dynamics(e, &read()?, folder, watch),
                "claims" => text::write_claims(&claims(e, folder)?, folder),
                _ => report(e, folder, rows),
            }
        })?;
        let seconds = run.stages().last().map(|s| s.seconds);
        if name != "tokenize" || e.corpus.is_some() {
            watch.passed(name, seconds.filter(|_| ran));
        }
    }
    plot::place(&out.join("assets"))?;
    Ok(run.folder().to_path_buf())
}

/// Writes the report of a finished run again, from its tables and record. Whether `folder` holds a learned optimiser; any
/// other is left alone.
///
/// # Errors
/// [`Error::Input`] if what stands there does not belong together; [`Error::Io`] if the folder cannot be written to.
pub fn rewrite(folder: &Path) -> Result<bool> {
    let Ok(e) = Finished::open(folder, &[]).and_then(|f| f.experiment::<LearnedOptimiser>()) else {
        return Ok(false);
    };
    let finished = Finished::open(folder, &STAGES[..STAGES.len() - 1])?;
    let place = (e.study.as_str(), e.name.as_str());
    finished.rewrite(&e, place, "report", |folder, rows| report(&e, folder, rows))?;
    Ok(true)
}

/// The families of problems on which optimisers are compared: that of training first.
fn targets(e: &LearnedOptimiser) -> Vec<Transfer> {
    let own = Transfer { name: String::new(), task: e.task.clone(), steps: 0 };
    let all = std::iter::once(own).chain(e.transfer.iter().cloned());
    let mut named: Vec<Transfer> = Vec::new();
    for mut target in all {
        if target.name.is_empty() {
            target.name = target.task.name().into();
        }
        // One name, one family.
        while named.iter().any(|t| t.name == target.name) {
            target.name.push('′');
        }
        if target.steps < 2 {
            target.steps = e.training.inner_steps;
        }
        named.push(target);
    }
    named
}

/// Whether some target is of this kind.
fn any(e: &LearnedOptimiser, is: fn(&Task) -> bool) -> bool {
    targets(e).iter().any(|t| is(&t.task))
}

/// Hashes of the files that the tasks read.
fn sources(e: &LearnedOptimiser, data: &Path) -> Result<Vec<String>> {
    let mut all = match &e.corpus {
        Some(corpus) => text::fingerprint(corpus, data)?,
        None if any(e, |t| matches!(t, Task::Words(_))) => {
            return Err(Error::Usage(
                "task: bags of words are those of a corpus; name one of two classes, `corpus: (source: …)`".into(),
            ));
        }
        None => Vec::new(),
    };
    if any(e, |t| matches!(t, Task::Digits(_))) {
        for split in ["train", "test"] {
            let path = data.join(DIGITS).join(format!("{split}.parquet"));
            all.push(files::fingerprint(&path)?.1);
        }
    }
    Ok(all)
}

fn tokenize(e: &LearnedOptimiser, data: &Path, folder: &Path) -> Result<StageOutput> {
    match &e.corpus {
        None => Ok(StageOutput::default()),
        Some(settings) => text::tokenize(settings, data, e.seed, None, folder),
    }
}

/// What the tasks read.
fn read(e: &LearnedOptimiser, data: &Path, folder: &Path) -> Result<Data> {
    let counts = match &e.corpus {
        Some(_) => Some(Arc::new(counted(&corpus::store::read(folder)?)?)),
        None => None,
    };
    let digits = match any(e, |t| matches!(t, Task::Digits(_))) {
        true => Some(Arc::new(images(&data.join(DIGITS))?)),
        false => None,
    };
    Ok(Data { counts, digits })
}

/// Word counts of the training documents.
fn counted(corpus: &Corpus) -> Result<Counts> {
    let Labels::Class(labels) = &corpus.train.labels else {
        return Err(Error::Usage("corpus: bags of words are told apart by class".into()));
    };
    let mut total = vec![0_usize; corpus.words.len()];
    let documents: Vec<&[u32]> = corpus.train.documents.iter().collect();
    documents.iter().flat_map(|d| d.iter()).for_each(|w| total[*w as usize] += 1);
    let mut order: Vec<usize> = (0..total.len()).collect();
    order.sort_by(|&a, &b| total[b].cmp(&total[a]).then(a.cmp(&b)));
    let mut place = vec![0; total.len()];
    order.iter().enumerate().for_each(|(rank, &w)| place[w] = rank as u32);
    let count = |document: &&[u32]| {
        let mut all: BTreeMap<u32, u32> = BTreeMap::new();
        document.iter().for_each(|w| *all.entry(place[*w as usize]).or_default() += 1);
        all.into_iter().collect()
    };
    // Of several classes the later half against the earlier.
    let half = corpus.label_names.len().div_ceil(2) as u32;
    Ok(Counts {
        words: order.iter().map(|&w| corpus.words[w].clone()).collect(),
        documents: documents.iter().map(count).collect(),
        labels: labels.iter().map(|l| *l >= half).collect(),
    })
}

/// Digits of `train.parquet` and `test.parquet`: `pixels`, 64 numbers from 0 to 16, and `label`.
fn images(folder: &Path) -> Result<Images> {
    let mut all = Images { pixels: Vec::new(), labels: Vec::new(), train: 0 };
    for split in ["train", "test"] {
        let path = folder.join(format!("{split}.parquet"));
        let remedy = "put the 8 × 8 digits there, columns `pixels` and `label`";
        let table = parquet::read(&path, remedy)?;
        let bad = |problem: &str| Error::input(path.display(), "", problem, remedy);
        let list = table.column("pixels").map_err(|_| bad("no column `pixels`"))?;
        let list = list.list().map_err(|_| bad("`pixels` holds no lists"))?;
        for i in 0..list.len() {
            let row = list.get_as_series(i).ok_or_else(|| bad("an image is missing"))?;
            let row = row.cast(&DataType::Float64).map_err(|_| bad("a pixel is no number"))?;
            let row: Vec<f64> =
                row.f64().map_err(|e| bad(&e.to_string()))?.iter().flatten().collect();
            if row.len() != 64 {
                return Err(bad("an image has not 64 pixels"));
            }
            all.pixels.extend(row.iter().map(|x| x / 16.0));
        }
        let label = table.column("label").map_err(|_| bad("no column `label`"))?;
        let label = label.cast(&DataType::Int64).map_err(|_| bad("a label is no number"))?;
        for label in label.i64().map_err(|e| bad(&e.to_string()))?.iter() {
            let label = label.filter(|l| (0..10).contains(l));
            all.labels.push(label.ok_or_else(|| bad("a label is no digit"))? as usize);
        }
        if split == "train" {
            all.train = all.labels.len();
        }
    }
    Ok(all)
}

/// Where the weights of an optimiser lie.
fn file_of(network: usize) -> String {
    format!("optimiser_{}.safetensors", network + 1)
}

/// Writes weights under PyTorch's names.
fn save(learned: &Learned, folder: &Path, network: usize) -> Result<String> {
    let settings = &learned.settings;
    let (n, inputs) = (settings.units, settings.features.count());
    let rows = settings.cell.gates() * n;
    let [cell, initial, readout, bias] = learned.parts();
    let [a, w, b_ih, b_hh] = settings.sizes().split(cell);
    let arrays: weights::Arrays = [
        ("rnn.weight_ih_l0", vec![rows, inputs], a),
        ("rnn.weight_hh_l0", vec![rows, n], w),
        ("rnn.bias_ih_l0", vec![rows], b_ih),
        ("rnn.bias_hh_l0", vec![rows], b_hh),
        ("initial_state", vec![initial.len()], initial),
        ("readout.weight", vec![1, readout.len()], readout),
        ("readout.bias", vec![1], bias),
    ]
    .into_iter()
    .map(|(name, shape, numbers)| (name.to_string(), (shape, numbers.to_vec())))
    .collect();
    let about = serde_json::to_string(settings).expect("settings are plain data");
    let file = file_of(network);
    weights::write(&folder.join(&file), &arrays, HashMap::from([("optimiser".into(), about)]))?;
    Ok(file)
}

/// Reads what [`save`] wrote.
fn load(e: &LearnedOptimiser, folder: &Path, network: usize) -> Result<Learned> {
    let path = folder.join(file_of(network));
    let (arrays, _) = weights::read(&path)?;
    let order = [
        "rnn.weight_ih_l0",
        "rnn.weight_hh_l0",
        "rnn.bias_ih_l0",
        "rnn.bias_hh_l0",
        "initial_state",
        "readout.weight",
        "readout.bias",
    ];
    let mut parameters = Vec::with_capacity(e.model.parameters());
    for name in order {
        let missing =
            || Error::input(path.display(), "", format!("no array `{name}`"), "train again");
        parameters.extend_from_slice(&arrays.get(name).ok_or_else(missing)?.1);
    }
    if parameters.len() != e.model.parameters() {
        return Err(Error::shape(
            "weights of an optimiser",
            parameters.len(),
            e.model.parameters(),
        ));
    }
    Ok(Learned { settings: e.model.clone(), parameters })
}

/// Seed of an optimiser and its problems: the first has the experiment's own.
fn seed_of(e: &LearnedOptimiser, network: usize) -> u64 {
    e.seed.wrapping_add(network as u64)
}

fn trained(
    e: &LearnedOptimiser,
    data: &Data,
    place: &Workspace,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let (mut made, mut rows, mut seconds) = (Vec::new(), Vec::new(), 0.0);
    let steps = e.training.outer_steps;
    for network in 0..e.networks {
        let family = Family { task: &e.task, data, seed: seed_of(e, network), split: "train" };
        let learned = Learned::new(&e.model, seed_of(e, network));
        let checkpoint = place.checkpoint(&format!("optimiser_{}.json", network + 1));
        let begun = match std::fs::read(&checkpoint) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| {
                let remedy = "remove it to train from the start";
                Error::input(checkpoint.display(), "", e.to_string(), remedy)
            })?,
            Err(_) => Progress::new(&learned),
        };
        let keep = |progress: &Progress| {
            let text = serde_json::to_vec(progress).expect("finite numbers and counts");
            if let Some(folder) = checkpoint.parent() {
                std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
            }
            files::replace(&checkpoint, &text)
        };
        let done = training::train(&learned, &family, &e.training, begun, |progress| {
            let what = format!("optimiser {} of {}", network + 1, e.networks);
            watch.progress(&what, progress.step, steps);
            let last = progress.step == steps;
            let stop = interrupt::requested();
            if stop || last || progress.step.is_multiple_of(e.training.checkpoint_every) {
                keep(progress)?;
            }
            match stop && !last {
                true => Err(interrupt::stopped(&format!("training at step {}", progress.step))),
                false => Ok(()),
            }
        })?;
        let learned = Learned { parameters: done.parameters.clone(), ..learned };
        made.push(save(&learned, place.folder(), network)?);
        rows.extend(done.records.iter().map(|r| (network + 1, *r)));
        seconds += done.seconds;
    }
    let table = records::MetaTraining {
        network: column(rows.iter().map(|r| r.0)),
        step: column(rows.iter().map(|r| r.1.step)),
        objective: column(rows.iter().map(|r| r.1.objective)),
        gradient: column(rows.iter().map(|r| r.1.gradient)),
        lost: column(rows.iter().map(|r| r.1.lost)),
    };
    made.push(table.write(place.folder())?);
    Ok(StageOutput::files(made)
        .with(keys::TRAIN_SECONDS, seconds)
        .with(keys::TRAIN_STEPS, (steps * e.networks) as f64)
        .with(keys::META_STEPS_PER_SECOND, (steps * e.networks) as f64 / seconds))
}

/// A row of the comparison.
struct Compared {
    problems: String,
    optimiser: String,
    network: Option<usize>,
    summed: Summed,
}

fn compare(
    e: &LearnedOptimiser,
    data: &Data,
    folder: &Path,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let objective = e.training.objective;
    let (mut rows, mut tuned): (Vec<Compared>, Vec<(String, Tuned)>) = Default::default();
    let targets = targets(e);
    let work = targets.len() * (Method::ALL.len() + e.networks);
    let mut done = 0;
    for Transfer { name, task, steps } in &targets {
        let of = |split, count| Family { task, data, seed: e.seed, split }.problems::<f32>(count);
        let (tuning, test) = (of("tuning", e.baselines.problems)?, of("test", e.test)?);
        for method in Method::ALL {
            done += 1;
            watch.progress(&format!("tuning {}", method.name()), done, work);
            let found = tune(method, &tuning, *steps, objective, &e.baselines, e.seed);
            let losses: Vec<Vec<f64>> =
                test.iter().map(|p| found.baseline.run(&**p, *steps)).collect();
            rows.push(Compared {
                problems: name.clone(),
                optimiser: method.name().into(),
                network: None,
                summed: summed(&losses, objective),
            });
            tuned.push((name.clone(), found));
            interrupt::check("while methods were tuned")?;
        }
        for network in 0..e.networks {
            done += 1;
            watch.progress("learned optimisers", done, work);
            let learned = load(e, folder, network)?;
            rows.push(Compared {
                problems: name.clone(),
                optimiser: LEARNED.into(),
                network: Some(network + 1),
                summed: summed(&losses(&learned, &test, *steps), objective),
            });
        }
    }
    let curves: Vec<(&Compared, usize)> =
        rows.iter().flat_map(|row| (0..row.summed.loss.len()).map(move |t| (row, t))).collect();
    let first = &targets[0].name;
    let objective_of = |row: &&Compared| row.summed.objective;
    let own: Vec<f64> = rows
        .iter()
        .filter(|r| r.problems == *first && r.network.is_some())
        .map(|r| objective_of(&r))
        .collect();
    let best = rows
        .iter()
        .filter(|r| r.problems == *first && r.network.is_none() && r.summed.lost == 0)
        .map(|r| objective_of(&r))
        .fold(f64::NAN, f64::min);
    let tables = [
        records::LossCurves {
            problems: column(curves.iter().map(|(r, _)| r.problems.as_str())),
            optimiser: column(curves.iter().map(|(r, _)| r.optimiser.as_str())),
            network: column(curves.iter().map(|(r, _)| r.network)),
            step: column(curves.iter().map(|(_, t)| *t)),
            loss: column(curves.iter().map(|(r, t)| r.summed.loss[*t])),
            error: column(curves.iter().map(|(r, t)| r.summed.error[*t])),
            share: column(curves.iter().map(|(r, t)| r.summed.share[*t])),
        }
        .write(folder)?,
        records::OptimiserScores {
            problems: column(rows.iter().map(|r| r.problems.as_str())),
            optimiser: column(rows.iter().map(|r| r.optimiser.as_str())),
            network: column(rows.iter().map(|r| r.network)),
            objective: column(rows.iter().map(|r| r.summed.objective)),
            error: column(rows.iter().map(|r| r.summed.objective_error)),
            n: column(rows.iter().map(|r| r.summed.objectives.len() - r.summed.lost)),
            lost: column(rows.iter().map(|r| r.summed.lost)),
        }
        .write(folder)?,
        records::TunedMethods {
            problems: column(tuned.iter().map(|t| t.0.as_str())),
            method: column(tuned.iter().map(|t| t.1.baseline.method.name())),
            learning_rate: column(tuned.iter().map(|t| t.1.baseline.learning_rate)),
            beta: column(tuned.iter().map(|t| known(t.1.baseline.beta1))),
            beta_2: column(tuned.iter().map(|t| known(t.1.baseline.beta2))),
            decay: column(tuned.iter().map(|t| t.1.baseline.decay)),
            tuned: column(tuned.iter().map(|t| t.1.objective)),
            trials: column(tuned.iter().map(|_| e.baselines.trials)),
            diverged: column(tuned.iter().map(|t| t.1.diverged)),
        }
        .write(folder)?,
    ];
    Ok(StageOutput::files(tables)
        .with(keys::OPTIMISER_OBJECTIVE, summary::mean(&own))
        .with(keys::OPTIMISER_BEST_METHOD, best))
}

/// What a learned optimiser is called in tables.
const LEARNED: &str = "learned";

/// A number that a method has.
fn known(x: f64) -> Option<f64> {
    Some(x).filter(|x| *x != 0.0)
}

fn losses(learned: &Learned, problems: &[Box<dyn Problem<f32>>], steps: usize) -> Vec<Vec<f64>> {
    measure::runs(learned, problems, steps, false).into_iter().flat_map(|r| r.losses).collect()
}

fn dynamics(
    e: &LearnedOptimiser,
    data: &Data,
    folder: &Path,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let family = Family { task: &e.task, data, seed: e.seed, split: "test" };
    let problems = family.problems::<f32>(e.test)?;
    let steps = e.training.inner_steps;
    let mut all: Vec<(usize, Measured)> = Vec::new();
    let mut made: Vec<(usize, &str, Summed)> = Vec::new();
    for network in 0..e.networks {
        watch.progress("dynamics", network, e.networks);
        interrupt::check("while dynamics were measured")?;
        let learned = load(e, folder, network)?;
        let measured = measure::measure(&learned, &problems, steps, &e.analysis)?;
        for (name, losses) in measure::assembled(&learned, &measured, &problems, steps)? {
            made.push((network + 1, name, summed(&losses, e.training.objective)));
        }
        all.push((network + 1, measured));
    }
    let assembled = records::AssembledScores {
        network: column(made.iter().map(|r| r.0)),
        parts: column(made.iter().map(|r| r.1)),
        objective: column(made.iter().map(|r| r.2.objective)),
        error: column(made.iter().map(|r| r.2.objective_error)),
        n: column(made.iter().map(|r| r.2.objectives.len() - r.2.lost)),
        lost: column(made.iter().map(|r| r.2.lost)),
    };
    let mut tables = vec![assembled.write(folder)?];
    tables.extend(write_points(&all, folder)?);
    tables.extend(write_updates(&all, folder)?);
    tables.extend(write_courses(&all, folder)?);
    tables.push(write_numbers(&all, folder)?);
    Ok(StageOutput::files(tables))
}

/// Fixed points at gradient 0 and their modes.
fn write_points(all: &[(usize, Measured)], folder: &Path) -> Result<[String; 2]> {
    let points: Vec<_> = all
        .iter()
        .flat_map(|(network, m)| m.points.iter().enumerate().map(move |(i, p)| (*network, i, p)))
        .collect();
    let modes: Vec<_> = all
        .iter()
        .filter_map(|(network, m)| Some((*network, m.around.as_ref()?)))
        .flat_map(|(network, a)| {
            a.momentum.modes.iter().enumerate().map(move |(k, m)| (network, k, m))
        })
        .collect();
    Ok([
        records::OptimiserPoints {
            network: column(points.iter().map(|p| p.0)),
            point: column(points.iter().map(|p| p.1)),
            q: column(points.iter().map(|p| p.2.speed)),
            certified: column(points.iter().map(|p| p.2.certificate.exists())),
            radius: column(points.iter().map(|p| p.2.certificate.radius)),
            unstable: column(points.iter().map(|p| p.2.certificate.unstable_modes)),
            drift: column(points.iter().map(|p| p.2.update)),
        }
        .write(folder)?,
        records::OptimiserModes {
            network: column(modes.iter().map(|m| m.0)),
            mode: column(modes.iter().map(|m| m.1 + 1)),
            beta: column(modes.iter().map(|m| m.2.beta.re)),
            beta_imaginary: column(modes.iter().map(|m| m.2.beta.im)),
            alpha: column(modes.iter().map(|m| m.2.alpha.re)),
            alpha_imaginary: column(modes.iter().map(|m| m.2.alpha.im)),
        }
        .write(folder)?,
    ])
}

/// Update functions, and the gradients that are met.
fn write_updates(all: &[(usize, Measured)], folder: &Path) -> Result<[String; 2]> {
    let mut rows: Vec<(usize, &str, f64, f64, f64, f64)> = Vec::new();
    let mut met: Vec<(usize, f64, f64)> = Vec::new();
    for (network, m) in all {
        let mut add = |at, shift, f: &crate::optimisers::clipping::UpdateFunction| {
            let values = f.gradients.iter().zip(&f.updates).zip(&f.rates);
            rows.extend(values.map(|((g, u), r)| (*network, at, shift, *g, *u, *r)));
        };
        add("start", 0.0, &m.at_start);
        if let Some(around) = &m.around {
            for (shift, function) in measure::SHIFTS.iter().zip(&around.shifted) {
                add("mode", *shift, function);
            }
        }
        for percent in 0..=100 {
            let share = percent as f64 / 100.0;
            let gradient = summary::quantile(&m.met, share).unwrap_or(f64::NAN);
            met.push((*network, share, gradient));
        }
    }
    Ok([
        records::UpdateFunctions {
            network: column(rows.iter().map(|r| r.0)),
            at: column(rows.iter().map(|r| r.1)),
            shift: column(rows.iter().map(|r| r.2)),
            gradient: column(rows.iter().map(|r| r.3)),
            update: column(rows.iter().map(|r| r.4)),
            rate: column(rows.iter().map(|r| r.5)),
        }
        .write(folder)?,
        records::MetGradients {
            network: column(met.iter().map(|r| r.0)),
            share: column(met.iter().map(|r| r.1)),
            gradient: column(met.iter().map(|r| r.2)),
        }
        .write(folder)?,
    ])
}

/// What it does without a gradient, and under constant ones.
fn write_courses(all: &[(usize, Measured)], folder: &Path) -> Result<[String; 2]> {
    let schedule: Vec<_> = all
        .iter()
        .flat_map(|(network, m)| {
            let rows = m.schedule.states.iter().zip(&m.schedule.rates).enumerate();
            rows.map(move |(t, (h, rate))| (*network, t, *rate, measure::plane(&m.pca, h)))
        })
        .collect();
    let standing: Vec<_> = all
        .iter()
        .filter_map(|(network, m)| Some((*network, m, m.around.as_ref()?)))
        .flat_map(|(network, m, a)| {
            a.arms.points.iter().map(move |p| (network, p, measure::plane(&m.pca, &p.state)))
        })
        .collect();
    Ok([
        records::Schedules {
            network: column(schedule.iter().map(|r| r.0)),
            step: column(schedule.iter().map(|r| r.1)),
            rate: column(schedule.iter().map(|r| r.2)),
            pc_1: column(schedule.iter().map(|r| r.3.0)),
            pc_2: column(schedule.iter().map(|r| r.3.1)),
        }
        .write(folder)?,
        records::ConstantGradients {
            network: column(standing.iter().map(|r| r.0)),
            gradient: column(standing.iter().map(|r| r.1.gradient)),
            rate: column(standing.iter().map(|r| r.1.rate)),
            update: column(standing.iter().map(|r| r.1.update)),
            certified: column(standing.iter().map(|r| r.1.certificate.exists())),
            unstable: column(standing.iter().map(|r| r.1.certificate.unstable_modes)),
            pc_1: column(standing.iter().map(|r| r.2.0)),
            pc_2: column(standing.iter().map(|r| r.2.1)),
        }
        .write(folder)?,
    ])
}

/// A row an optimiser.
fn write_numbers(all: &[(usize, Measured)], folder: &Path) -> Result<String> {
    let around = |f: &dyn Fn(&measure::Around) -> f64| -> Vec<f64> {
        all.iter().map(|(_, m)| m.around.as_ref().map_or(f64::NAN, f)).collect()
    };
    let counted = |f: &dyn Fn(&measure::Around) -> usize| -> Vec<usize> {
        all.iter().map(|(_, m)| m.around.as_ref().map_or(0, f)).collect()
    };
    let share = |k: usize| all.iter().map(move |(_, m)| m.pca.ratios().iter().take(k).sum::<f64>());
    let off_line = all.iter().map(|(_, m)| {
        let points = m.around.iter().flat_map(|a| &a.arms.points);
        measure::off_line(&points.map(|p| p.state.as_slice()).collect::<Vec<_>>())
    });
    records::OptimiserDynamics {
        network: column(all.iter().map(|r| r.0)),
        points: column(all.iter().map(|(_, m)| m.points.len())),
        certified: column(
            all.iter().map(|(_, m)| m.points.iter().filter(|p| p.certificate.exists()).count()),
        ),
        unfinished: column(all.iter().map(|(_, m)| m.unfinished)),
        variance_1: column(share(1)),
        variance_2: column(share(2)),
        beta: column(around(&|a| a.momentum.modes[0].beta.re)),
        alpha: column(around(&|a| a.momentum.modes[0].alpha.re)),
        gap: column(around(&|a| a.momentum.gap())),
        slope_start: column(all.iter().map(|(_, m)| m.slope_at_start)),
        slope_rest: column(around(&|a| a.slope_at_rest)),
        peak: column(all.iter().map(|(_, m)| m.schedule.peak())),
        schedule: column(all.iter().map(|(_, m)| m.schedule.ratio())),
        adaptation: column(around(&|a| a.falls)),
        off_line: column(off_line.collect::<Result<Vec<f64>>>()?),
        crossings: column(counted(&|a| a.arms.crossings)),
        missing: column(counted(&|a| a.arms.missing)),
    }
    .write(folder)
}

/// Least distance in modulus of an isolated mode from all others.
const ISOLATED: f64 = 0.04;

/// Numbers of all optimisers, and how many of them meet a criterion.
struct Over<'a> {
    values: &'a [f64],
    held: usize,
    seed: u64,
}

impl<'a> Over<'a> {
    fn new(seed: u64, values: &'a [f64], holds: impl Fn(usize) -> bool) -> Self {
        Self { values, held: (0..values.len()).filter(|&i| holds(i)).count(), seed }
    }

    /// Of all of them: the mean, its interval over networks, and whether every one meets the criterion.
    fn claim(&self, name: &'static str, statement: String, reference: &'static str) -> Claim {
        let n = self.values.len();
        let mean = |v: &[f64]| Some(summary::mean(v));
        Claim {
            name,
            statement: format!("{statement}; in {} of {n} networks", self.held),
            measured: summary::mean(self.values),
            interval: summary::bootstrap(
                self.values,
                mean,
                self.seed,
                &format!("optimiser/{name}"),
            ),
            n,
            reference,
            holds: self.held == n,
        }
    }
}

/// O1 to O6.
fn claims(e: &LearnedOptimiser, folder: &Path) -> Result<Vec<Claim>> {
    let table = records::OptimiserDynamics::read(folder)?;
    let mut all = scores(e, folder)?;
    let at = all.iter().position(|c| c.name == "O6").unwrap_or(all.len());
    let of = |values: &[f64], holds: &dyn Fn(f64) -> bool, name, statement: &str, reference| {
        Over::new(e.seed, values, |i| holds(values[i])).claim(name, statement.into(), reference)
    };
    let mut own = Vec::new();
    if let Some((least, largest)) = e.task.curvature() {
        let (alpha, beta) = optimum(least, largest);
        let (alphas, betas, gaps) = (table.alpha()?, table.beta()?, table.gap()?);
        let holds = |i: usize| {
            let near = (betas[i] - beta).abs() <= 0.08;
            let factor = alphas[i] / alpha;
            near && (1.0 / 1.5..=1.5).contains(&factor) && gaps[i] >= ISOLATED
        };
        let statement = format!(
            "the slowest mode is momentum near the best for these curvatures (α {:.2}, β {beta:.3}; without momentum a rate \
             of {:.2}): its α {:.2} on average, at least {:.3} from the next mode; its β",
            alpha,
            optimal_rate(least, largest),
            summary::mean(&alphas),
            gaps.iter().copied().fold(f64::INFINITY, f64::min),
        );
        own.push(Over::new(e.seed, &betas, holds).claim(
            "O2",
            statement,
            "(3.65, .91) for the best (3.76, .881) (arXiv 2011.02159); one isolated real mode, β within .08, α within a \
             factor of 1.5",
        ));
    }
    let (start, rest) = (table.slope_start()?, table.slope_rest()?);
    own.push(of(
        &start,
        &|x| x <= 0.5,
        "O3",
        &format!(
            "large gradients are clipped: slope of the update at the 95th percentile of the gradients met, as a share of \
             that at 0, at the first state (at rest {:.2})",
            summary::mean(&rest)
        ),
        "the update saturates (arXiv 2011.02159; little on linear regression, much on Rosenbrock); at most .5",
    ));
    let (ratio, peak) = (table.schedule()?, table.peak()?);
    own.push(of(
        &ratio,
        &|x| x >= 1.5,
        "O4",
        &format!(
            "without gradients the learning rate changes by itself: largest over last (largest at steps {})",
            peak.iter().map(|p| p.to_string()).collect::<Vec<_>>().join(", ")
        ),
        "a rise of about 25 steps, then a decay (arXiv 2011.02159); at least 1.5",
    ));
    let falls = table.adaptation()?;
    own.push(of(
        &falls,
        &|x| x <= -0.9,
        "O5",
        &format!(
            "under constant gradients the learning rate falls along both arms: rank correlation with the size of the \
             gradient ({:.0} % of the points' variance lies off a straight line)",
            100.0 * summary::mean(&table.off_line()?)
        ),
        "an S-curve along which learning slows (arXiv 2011.02159); at most −.9",
    ));
    all.splice(at..at, own);
    Ok(all)
}

/// O1 on the problems of training, O6 on others: against tuned methods.
fn scores(e: &LearnedOptimiser, folder: &Path) -> Result<Vec<Claim>> {
    let table = records::OptimiserScores::read(folder)?;
    let (problems, optimiser) = (table.problems()?, table.optimiser()?);
    let (network, objective) = (table.network()?, table.objective()?);
    let lost = table.lost()?;
    let mut all = Vec::new();
    for (number, target) in targets(e).iter().enumerate() {
        let here: Vec<usize> =
            (0..problems.len()).filter(|&i| problems[i] == target.name).collect();
        let learned: Vec<usize> = here.iter().copied().filter(|&i| network[i].is_some()).collect();
        let method = |name: &str| {
            here.iter().find(|&&i| optimiser[i] == name).map_or(f64::NAN, |&i| objective[i])
        };
        let tuned = here.iter().filter(|&&i| network[i].is_none() && lost[i] == 0);
        let best = tuned.min_by(|&&a, &&b| objective[a].total_cmp(&objective[b]));
        let (best, by) =
            best.map_or((f64::NAN, "none"), |&i| (objective[i], optimiser[i].as_str()));
        let against = |other: f64| -> Vec<f64> {
            learned
                .iter()
                .map(|&i| if lost[i] == 0 { objective[i] / other } else { f64::NAN })
                .collect()
        };
        let mean: Vec<f64> = learned.iter().map(|&i| objective[i]).collect();
        let mean = summary::mean(&mean);
        let mut add = |name, other: f64, of: &str, most: f64, reference| {
            let ratios = against(other);
            let statement = format!(
                "objective on test problems ({}), {mean:.4}, over that of {of}, {other:.4}",
                target.name
            );
            let over = Over::new(e.seed, &ratios, |i| ratios[i] <= most);
            all.push(over.claim(name, statement, reference));
        };
        if number == 0 {
            add(
                "O1",
                method("gradient descent"),
                "tuned gradient descent",
                0.5,
                ".055 over .26 (demonstration of arXiv 2011.02159); at most .5",
            );
            add(
                "O1a",
                best,
                &format!("the best tuned method ({by})"),
                1.0,
                "better than tuned momentum, RMSProp and Adam on all tasks (arXiv 2011.02159); at most 1",
            );
        } else {
            add("O6", method("Adam"), "tuned Adam", 1.0, "none published; at most 1");
        }
    }
    Ok(all)
}

fn report(e: &LearnedOptimiser, folder: &Path, stages: &[StageRecord]) -> Result<StageOutput> {
    let mut summary = Summary::of(stages);
    text::costs(&mut summary, stages, e.seed);
    let notes = notes(e, folder)?;
    let mut files = vec![text::write_notes(folder, &notes)?, summary.write(folder)?];
    let optimum = e.task.curvature().map(|(least, largest)| optimum(least, largest));
    let page = page::Page {
        title: if e.title.is_empty() { e.task.name() } else { &e.title },
        problems: e.task.name(),
        optimiser: &format!("{}, {} units", e.model.cell.facts().name, e.model.units),
        optimum,
        settings: &crate::notation::to_ron(e),
        assets: &text::assets(&e.study, &e.name),
    };
    files.extend(page::write(folder, &page)?);
    Ok(StageOutput::files(files))
}

/// What was lost, left out or not found, counted.
fn notes(e: &LearnedOptimiser, folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let mut notes = Vec::new();
    let lost: usize = records::MetaTraining::read(folder)?.lost()?.iter().sum();
    let all = e.training.outer_steps * e.training.batch * e.networks;
    if lost > 0 {
        notes.push((
            "train",
            format!(
                "{lost} of {all} problems of training diverged, had nothing to win or a gradient that overflowed; they are \
                 left out of their steps"
            ),
        ));
    }
    let scores = records::OptimiserScores::read(folder)?;
    let (problems, optimiser, lost) = (scores.problems()?, scores.optimiser()?, scores.lost()?);
    for i in (0..lost.len()).filter(|&i| lost[i] > 0) {
        notes.push((
            "compare",
            format!(
                "{}: {} of {} test problems of {} diverged or had nothing to win; they are left out of its curve",
                optimiser[i], lost[i], e.test, problems[i]
            ),
        ));
    }
    let table = records::OptimiserDynamics::read(folder)?;
    let (points, unfinished) = (table.points()?, table.unfinished()?);
    let (missing, network) = (table.missing()?, table.network()?);
    for i in 0..network.len() {
        if points[i] != 1 || unfinished[i] > 0 {
            notes.push((
                "dynamics",
                format!(
                    "optimiser {}: {} fixed points at gradient 0; {} searches ended in none",
                    network[i], points[i], unfinished[i]
                ),
            ));
        }
        if missing[i] > 0 {
            notes.push((
                "dynamics",
                format!(
                    "optimiser {}: no fixed point was followed to {} of {} constant gradients",
                    network[i],
                    missing[i],
                    2 * e.analysis.gradients + 1
                ),
            ));
        }
    }
    let draws = e.baselines.trials;
    notes.push((
        "compare",
        format!(
            "each method was tuned by {draws} random draws on {} problems, the learned optimisers read {} problems each; {} \
             others test all",
            e.baselines.problems,
            e.training.outer_steps * e.training.batch,
            e.test
        ),
    ));
    Ok(notes)
}
