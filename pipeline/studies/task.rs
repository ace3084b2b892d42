//! One network on a task whose law is known: does it solve it, and by which fixed points?
//!
//! Stages: trials → train → states → fixed points → transitions → curves → geometry → claims → report.

use super::curves;
use super::text::{self, Claim, FixedPointProblem, NONE, Options};
use super::transitions::Flow;
use crate::analyses::flow::signs;
use crate::analyses::tasks::{Selection, selection, spread, turning};
use crate::data::tasks::own::Own;
use crate::data::tasks::{Drawn, Law, integration, memory, sine};
use crate::data::{Sequences, Task};
use crate::dynamics::Map;
use crate::dynamics::explore::Start;
use crate::engine::{Context, Finished, Run, Stage, StageOutput, StageRecord, Workspace};
use crate::experiment::{FixedPointSettings, TaskExperiment};
use crate::geometry::{Moments, Pca, participation_ratio, varied};
use crate::linalg::Complex;
use crate::model::{Head, Network, Reads, StaticInput, foreign, static_input};
use crate::ops::{Cell, CellKind, Pool, cuda};
use crate::records::{self, column, keys};
use crate::report::{Summary, page, plot};
use crate::summary::{self, pearson};
use crate::{Error, Result, notation, train};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Names of the stages, in order.
pub const STAGES: [&str; 8] =
    ["train", "states", "fixed_points", "transitions", "curves", "geometry", "claims", "report"];

/// Runs every stage that is not in place; returns the run's folder.
///
/// # Errors
/// What the stages return; what earlier ones made stays. [`Error::Usage`] for inputs that a task does not have.
pub fn run(e: &TaskExperiment, options: Options) -> Result<PathBuf> {
    let Options { out, force, watch, .. } = options;
    let (e, file) = &with_file(e)?;
    if let Some(note) = own_note(e) {
        watch.note(&note);
    }
    let held = inputs(e)?;
    text::check_tolerances(&e.fixed_points)?;
    if let Some(unknown) = force.iter().find(|f| !STAGES.contains(&f.as_str())) {
        let hint = crate::nearest::hint(unknown, &STAGES);
        return Err(Error::Usage(format!("--force {unknown}: no such stage here; {hint}")));
    }
    check_size(e)?;
    let law = (&e.task, e.trials, e.seed, file);
    let stages = vec![
        // 2: errors by condition; 3: sums of input weights' gradients in another order; 4: the readout in the loop.
        Stage::new("train", 4, &(&law, &e.model, &e.training), &[]),
        Stage::new("states", 1, &(&law, &e.states), &["train"]),
        // 2: searches without a limit of distance; 3: on where a point is missing, and counted by proof; 4: its
        // starts are drawn as exploring draws them; 5: proofs between kinks.
        Stage::new(
            "fixed_points",
            5,
            &text::points_part(&e.fixed_points, e.seed)?,
            &["train", "states"],
        ),
        // 2: an orbit that creeps is no cycle; 3: an output of 0 has no sign.
        Stage::new(
            "transitions",
            3,
            &(&e.transitions, &e.fixed_points, e.seed),
            &["train", "states", "fixed_points"],
        ),
        // 2: a bifurcation that two curves come by is one.
        Stage::new(
            "curves",
            2,
            &(&e.curves, &e.fixed_points),
            &["train", "states", "fixed_points"],
        ),
        // 2: outputs without a name are numbered.
        Stage::new("geometry", 2, &e.fixed_points, &["train", "states", "fixed_points"]),
        // 2: sine and integration; 3: the graph of a memory, the frequency of a wave.
        Stage::new(
            "claims",
            3,
            &(&e.task, &e.fixed_points),
            &["train", "states", "fixed_points", "transitions", "geometry"],
        ),
        // 2: steps and trials.
        Stage::new("report", 2, e, &STAGES[..STAGES.len() - 1]),
    ];
    let device = cuda::current_name();
    let context = Context { out, study: &e.study, name: &e.name, force, device: &device };
    let mut run = Run::open(context, e.clone(), stages)?;
    watch.left(run.left());
    for name in STAGES {
        watch.begin(name);
        let ran = run.pass(name, |place, rows| {
            let folder = place.folder();
            match name {
                "train" => trained(e, place, watch),
                "states" => states(e, folder),
                "fixed_points" => {
                    let network = network_of(folder)?;
                    let cell = network.cell()?;
                    text::find_fixed_points(&problem(e, &network, &cell, &held)?, folder)
                }
                "transitions" => {
                    let network = network_of(folder)?;
                    let cell = network.cell()?;
                    let problem = problem(e, &network, &cell, &held)?;
                    let settings = &e.transitions;
                    Flow { problem: &problem, settings, label: &signs }.write(folder)
                }
                "curves" => {
                    let network = network_of(folder)?;
                    let cell = network.cell()?;
                    curves::write(&problem(e, &network, &cell, &held)?, &e.curves, folder)
                }
                "geometry" => {
                    let readout = network_of(folder)?.readout()?.0;
                    text::measure(&readout, (&[], "output"), folder)
                }
                "claims" => text::write_claims(&claims(e, folder)?, folder),
                _ => report(e, folder, rows),
            }
        })?;
        let seconds = run.stages().last().map(|s| s.seconds);
        watch.passed(name, seconds.filter(|_| ran));
    }
    plot::place(&out.join("assets"))?;
    Ok(run.folder().to_path_buf())
}

/// Writes the report of a finished run again, from its tables and record. Whether `folder` holds a task;
/// any other is left alone.
///
/// # Errors
/// [`Error::Input`] if what stands there does not belong together; [`Error::Io`] if the folder cannot be written to.
pub fn rewrite(folder: &Path) -> Result<bool> {
    let Ok(e) = Finished::open(folder, &[]).and_then(|f| f.experiment::<TaskExperiment>()) else {
        return Ok(false);
    };
    let finished = Finished::open(folder, &STAGES[..STAGES.len() - 1])?;
    let (e, _) = with_file(&e)?;
    let place = (e.study.as_str(), e.name.as_str());
    finished.rewrite(&e, place, "report", |folder, rows| report(&e, folder, rows))?;
    Ok(true)
}

/// The experiment with the trials of its file, and the file's hash, where its task is one's own.
///
/// # Errors
/// [`Error::Io`] if the file cannot be read, [`Error::Input`] for arrays that do not fit.
fn with_file(e: &TaskExperiment) -> Result<(TaskExperiment, Option<String>)> {
    let mut e = e.clone();
    let Task::File(own) = &mut e.task else { return Ok((e, None)) };
    if own.file.as_os_str().is_empty() {
        return Err(Error::Usage(
            "task: File(file: \"…\"): name an .npz with `inputs` and `targets`".into(),
        ));
    }
    let hash = crate::files::fingerprint(&own.file)?.1;
    let remedy = "numpy.savez(file, inputs=[trial, step, u], targets=[trial, step, k])";
    let (arrays, others) = foreign::read_numbers(&own.file, remedy)?;
    let file = own.file.display().to_string();
    let trials = Own::new(&file, &arrays, &others)?;
    if let Some((name, input)) = own.held.iter().find(|(_, x)| x.len() != trials.inputs()) {
        return Err(Error::Usage(format!(
            "task.held: `{name}` has {} numbers, an input of {file} {}",
            input.len(),
            trials.inputs()
        )));
    }
    own.trials = Some(Arc::new(trials));
    Ok((e, Some(hash)))
}

/// How the trials of a file are used, and what of it is not read; nothing for a task with a law.
fn own_note(e: &TaskExperiment) -> Option<String> {
    let Task::File(settings) = &e.task else { return None };
    let own = settings.trials.as_ref()?;
    let counts = e.trials;
    let [train, validation, test] =
        [(counts.train, "train"), (counts.validation, "validation"), (counts.test, "test")]
            .map(|(count, split)| e.draw(count, split).inputs.len());
    let mut note = format!(
        "{}: {train} trials to learn from, {validation} to stop by, {test} to measure on, of {}; at most seven, one and two \
         tenths of them (`trials`)",
        settings.file.display(),
        own.count()
    );
    if !own.unread().is_empty() {
        note += &format!("; not read: {}", own.unread().join(", "));
    }
    Some(note)
}

/// Most numbers of all trials: 4 GB.
const MOST_NUMBERS: usize = 1_000_000_000;

/// Refuses trials that fill the memory.
fn check_size(e: &TaskExperiment) -> Result<()> {
    let trials = e.trials.train + e.trials.validation + e.trials.test;
    let (steps, width) = (e.task.steps(), e.task.inputs().saturating_add(e.task.outputs()));
    let numbers = trials.saturating_mul(steps).saturating_mul(width);
    if numbers > MOST_NUMBERS {
        return Err(Error::Usage(format!(
            "trials: {trials} of up to {steps} steps and {width} inputs and outputs are {numbers} numbers, at most \
             {MOST_NUMBERS}; lower `trials.train` or `task.steps`"
        )));
    }
    Ok(())
}

/// Names and vectors of the inputs that are held: those of the task where the settings name none.
fn inputs(e: &TaskExperiment) -> Result<Vec<(String, Vec<f64>)>> {
    // What stands there where nobody chose: the mean token of a corpus, which a task does not have.
    let unchosen = FixedPointSettings::default().inputs;
    if e.fixed_points.inputs.is_empty() || e.fixed_points.inputs == unchosen {
        return text::apart(e.task.held().into_iter().map(|h| (h.name, h.input)).collect());
    }
    let held = |input: &StaticInput| match input {
        StaticInput::Zero => Ok((input.to_string(), vec![0.0; e.task.inputs()])),
        StaticInput::Given(values) => {
            Ok((input.to_string(), static_input::given(values, e.task.inputs())?))
        }
        other => Err(Error::Usage(format!(
            "fixed_points.inputs: {other}: a task has no words; hold its input at `Zero` or `Given([…])`"
        ))),
    };
    text::apart(e.fixed_points.inputs.iter().map(held).collect::<Result<_>>()?)
}

fn problem<'a>(
    e: &'a TaskExperiment,
    network: &Network,
    cell: &'a Cell,
    held: &[(String, Vec<f64>)],
) -> Result<FixedPointProblem<'a>> {
    Ok(FixedPointProblem {
        settings: &e.fixed_points,
        seed: e.seed,
        cell,
        inputs: held.to_vec(),
        readout: network.readout()?,
    })
}

fn network_of(folder: &Path) -> Result<Network> {
    Network::load(&folder.join("model.safetensors"))
}

/// Why there is no error.
const UNSCORED: &str = "no step of the test trials counts (`mask`): there is no error on them";

fn trained(
    e: &TaskExperiment,
    place: &Workspace,
    watch: &mut dyn text::Watch,
) -> Result<StageOutput> {
    let [train, validation, test] =
        [(e.trials.train, "train"), (e.trials.validation, "validation"), (e.trials.test, "test")]
            .map(|(count, split)| e.draw(count, split));
    let reads = Reads::Vectors(e.task.inputs());
    let network = Network::new(&e.model, Head::Steps, reads, e.task.outputs(), e.seed)?;
    let trials = ((&train).into(), (&validation).into(), (&test).into());
    let made = text::fitted_on(&network, trials, (&e.training, e.seed), place, watch)?;
    let mut made = made;
    if let Some(table) = by_condition(e, &network, &test)? {
        made.files.push(table.write(place.folder())?);
    }
    let error = train::score(&network, &test)?.mean_loss();
    if !error.is_finite() {
        watch.note(UNSCORED);
    }
    let scores = e.task.scores();
    let made = made.with(keys::TASK_ERROR, error).with(keys::TASK_CHANCE, scores.chance);
    Ok(if scores.best.is_nan() { made } else { made.with(keys::TASK_BEST, scores.best) })
}

/// Errors of each condition of the test trials; `None` where there is one, or where each trial is its own.
fn by_condition(
    e: &TaskExperiment,
    network: &Network,
    test: &Drawn,
) -> Result<Option<records::Conditions>> {
    let targets = train::loss::Targets::new(Head::Steps, test);
    let mut found: BTreeMap<u32, (train::Tally, Vec<usize>)> = BTreeMap::new();
    network.outputs_of(Sequences::Vectors(&test.inputs), |indices, said| {
        for (&trial, row) in indices.iter().zip(said.chunks(said.len() / indices.len())) {
            let (tally, trials) = found.entry(test.conditions[trial]).or_default();
            tally.add(&targets.measure(&[trial], row).0);
            trials.push(trial);
        }
        Ok(())
    })?;
    if found.len() < 2 || found.len() == test.conditions.len() {
        return Ok(None);
    }
    let names = e.task.conditions();
    let name = |condition: u32| {
        names.get(condition as usize).cloned().unwrap_or(format!("condition {condition}"))
    };
    Ok(Some(records::Conditions {
        condition: column(found.keys().map(|&c| c as usize)),
        name: column(found.keys().map(|&c| name(c))),
        trials: column(found.values().map(|(_, trials)| trials.len())),
        error: column(found.values().map(|(tally, _)| tally.mean_loss())),
        constant: column(found.values().map(|(_, trials)| spread(test, trials))),
    }))
}

/// A state on its way.
struct Visited {
    trial: usize,
    step: usize,
    state: Vec<f64>,
}

/// States of test trials, and their principal components.
fn states(e: &TaskExperiment, folder: &Path) -> Result<StageOutput> {
    let network = network_of(folder)?;
    let test = e.draw(e.trials.test.min(e.states.documents), "test");
    let every = test.inputs.steps().div_ceil(e.states.most).max(1);
    let (moments, mut kept) = walk(&network, &test, every)?;
    kept.sort_by_key(|k| (k.trial, k.step));
    let pca = Pca::from_moments(&moments)?;
    let reads = Reads::Vectors(e.task.inputs());
    let untrained = Network::new(&e.model, Head::Steps, reads, e.task.outputs(), e.seed)?;
    let before = Pca::from_moments(&walk(&untrained, &test, usize::MAX)?.0)?.variances;
    let readout = network.readout()?;
    let said: Vec<Vec<f64>> = kept.iter().map(|k| text::logits(&readout, &k.state)).collect();
    let points: Vec<Vec<f64>> =
        kept.iter().map(|k| text::padded(pca.coordinates(&k.state, 3))).collect();
    let width = test.targets.width;
    let wanted = |k: &Visited| {
        let at = (test.inputs.start(k.trial) + k.step) * width;
        test.targets.values[at..at + width].iter().map(|&y| y as f64).collect::<Vec<f64>>()
    };
    let table = records::States {
        document: column(kept.iter().map(|k| k.trial)),
        token: column(kept.iter().map(|k| k.step)),
        length: Some(column(kept.iter().map(|k| test.inputs.length(k.trial)))),
        word: None,
        label: column(kept.iter().map(|k| signs(&wanted(k)))),
        predicted: Some(column(said.iter().map(|y| signs(y)))),
        pc_1: column(points.iter().map(|p| p[0])),
        pc_2: column(points.iter().map(|p| p[1])),
        pc_3: column(points.iter().map(|p| p[2])),
        readout: Some(column(&said)),
        state: column(kept.iter().map(|k| k.state.as_slice())),
    };
    let files = [table.write(folder)?, text::axes(folder, &pca, Some(&before))?];
    let first_two: f64 = pca.ratios().iter().take(2).sum();
    Ok(StageOutput::files(files)
        .with(keys::DIMENSION_UNTRAINED, participation_ratio(&before))
        .with(keys::DIMENSION_STATES, participation_ratio(varied(&pca.variances)))
        .with(keys::STATES_VARIANCE_2, first_two))
}

/// Sums over all states of the trials, and every `every`-th state of each.
fn walk(network: &Network, trials: &Drawn, every: usize) -> Result<(Moments, Vec<Visited>)> {
    let size = network.state_size();
    let mut moments = Moments::new(size);
    let mut kept = Vec::new();
    let inputs = Sequences::Vectors(&trials.inputs);
    network.walk_sequences(Pool::Every, inputs, |indices, states| {
        let flat: Vec<f32> = states.flatten_all()?.to_vec1()?;
        for (&trial, rows) in indices.iter().zip(flat.chunks(flat.len() / indices.len())) {
            let rows = rows[..trials.inputs.length(trial) * size].iter();
            let rows: Vec<f64> = rows.map(|&x| x as f64).collect();
            moments.add(&rows);
            let picked = rows.chunks(size).enumerate().skip(trial % every).step_by(every);
            kept.extend(picked.filter(|_| every != usize::MAX).map(|(step, state)| Visited {
                trial,
                step,
                state: state.to_vec(),
            }));
        }
        Ok(())
    })?;
    Ok((moments, kept))
}

/// Fixed points of a memory of `n` signs with `k` unstable directions: `C(n, k) 2^(n−k)`, where `k` channels stand
/// undecided between their signs.
fn expected(n: usize, k: usize) -> usize {
    let choose = (0..k).fold(1, |c, i| c * (n - i) / (i + 1));
    choose << (n - k)
}

/// Names of the claims by number of unstable directions.
const BY_INDEX: [&str; 4] = ["M2", "M3", "M4", "M5"];

/// Whether two corners, as `++− | +−−`, differ in one sign.
fn is_edge(reaches: &str) -> bool {
    let ends: Vec<&str> = reaches.split(" | ").collect();
    matches!(ends[..], [a, b] if a.chars().zip(b.chars()).filter(|(a, b)| a != b).count() == 1)
}

/// What the law says of the fixed points, beside what was found and proved.
fn claims(e: &TaskExperiment, folder: &Path) -> Result<Vec<Claim>> {
    match &e.task {
        Task::Memory(law) => memory_claims(e, law, folder),
        Task::Sine(law) => sine_claims(e, law, folder),
        Task::Integration(law) => integration_claims(e, law, folder),
        // Nobody has said how many points there are.
        Task::Discrimination(_)
        | Task::Path(_)
        | Task::File(_)
        | Task::Accumulation(_)
        | Task::Labels(_)
        | Task::Rules(_) => Ok(Vec::new()),
    }
}

/// Fixed points under each cue: the pair that turns there goes as fast as the wave.
fn sine_claims(e: &TaskExperiment, law: &sine::Settings, folder: &Path) -> Result<Vec<Claim>> {
    let table = records::FixedPoints::read(folder)?;
    let (input, tolerance) = (table.input()?, table.tolerance()?);
    let (far, certified) = (table.distance_from_states()?, table.certified()?);
    let smallest = e.fixed_points.finder.smallest();
    let modes = records::Eigenvalues::read(folder)?;
    let (point, re, im) = (modes.point()?, modes.re()?, modes.im()?);
    let spectrum = |row: usize| -> Vec<Complex> {
        let of = (0..point.len()).filter(|&i| point[i] == row);
        of.map(|i| Complex::new(re[i], im[i])).collect()
    };
    let (mut asked, mut found, mut alone) = (Vec::new(), Vec::new(), 0);
    for (j, held) in law.held().iter().enumerate() {
        let rows: Vec<usize> = (0..input.len())
            .filter(|&i| input[i] == held.name && tolerance[i] == smallest)
            .filter(|&i| certified[i] == Some(true))
            .collect();
        alone += (rows.len() == 1) as usize;
        let nearest = rows.into_iter().min_by(|&a, &b| far[a].total_cmp(&far[b]));
        if let Some(angle) = nearest.and_then(|row| turning(&spectrum(row))) {
            asked.push(law.frequency(j));
            found.push(angle);
        }
    }
    let correlation = if asked.len() > 2 { pearson(&asked, &found) } else { f64::NAN };
    let rotation = sine_orbits(law, folder)?;
    Ok(vec![
        Claim {
            name: "U4",
            statement: format!(
                "the fixed point nearest the states turns as fast as the wave that is asked for: correlation over {} of {} \
                 cues with a point that turns",
                asked.len(),
                law.frequencies
            ),
            measured: correlation,
            interval: NONE,
            n: asked.len(),
            reference: "one frequency each (Sussillo & Barak 2013; arXiv 1907.08549); at least .95, at nine of ten cues",
            holds: correlation >= 0.95 && 10 * asked.len() >= 9 * law.frequencies,
        },
        rotation,
        Claim {
            name: "U4a",
            statement: "cues under which one fixed point is proved and no other found".into(),
            measured: alone as f64,
            interval: NONE,
            n: law.frequencies,
            reference: "one under each (arXiv 1907.08549)",
            holds: alone == law.frequencies,
        },
    ])
}

/// The orbit in which the network ends under each cue goes round as fast as the wave.
fn sine_orbits(law: &sine::Settings, folder: &Path) -> Result<Claim> {
    let cycles = records::Cycles::read(folder)?;
    let (input, rotation, starts) = (cycles.input()?, cycles.rotation()?, cycles.starts()?);
    let (mut asked, mut error) = (Vec::new(), Vec::new());
    for (j, held) in law.held().iter().enumerate() {
        let of = (0..input.len()).filter(|&i| input[i] == held.name && rotation[i].is_finite());
        if let Some(row) = of.max_by_key(|&i| starts[i]) {
            asked.push(law.frequency(j));
            error.push((rotation[row] / law.frequency(j) - 1.0).abs());
        }
    }
    let median = summary::median(&error).unwrap_or(f64::NAN);
    Ok(Claim {
        name: "U4b",
        statement: format!(
            "the cycle in which the network ends goes round as fast as the wave that is asked for: median relative error \
             over {} of {} cues with a cycle",
            asked.len(),
            law.frequencies
        ),
        measured: median,
        interval: NONE,
        n: asked.len(),
        reference: "the wave is a limit cycle (arXiv 1907.08549); at most .05, at nine of ten cues",
        holds: median <= 0.05 && 10 * asked.len() >= 9 * law.frequencies,
    })
}

/// Points under each cue that are linearised.
const LINEARISED: usize = 32;

/// Under each cue the slowest mode reads the cued stream and not the other one.
fn integration_claims(
    e: &TaskExperiment,
    law: &integration::Settings,
    folder: &Path,
) -> Result<Vec<Claim>> {
    let network = network_of(folder)?;
    let (cell, readout) = (network.cell()?, network.readout()?.0);
    let table = records::FixedPoints::read(folder)?;
    let (input, tolerance) = (table.input()?, table.tolerance()?);
    let (start, states) = (table.start()?, table.state()?);
    let mut all: Vec<(usize, Selection)> = Vec::new();
    for (context, held) in law.held().iter().enumerate() {
        let rows: Vec<usize> = (0..states.len())
            .filter(|&i| input[i] == held.name && tolerance[i] == e.fixed_points.primary)
            .filter(|&i| start[i] == Start::Near.name())
            .collect();
        let every = rows.len().div_ceil(LINEARISED).max(1);
        let points: Vec<&[f64]> =
            rows.iter().step_by(every).map(|&i| states[i].as_slice()).collect();
        let map = Map::new(&cell, &held.input)?;
        let streams = [context, 1 - context];
        all.push((points.len(), selection(&map, &points, streams, &readout, law.steps)?));
    }
    let least = all.iter().map(|(_, s)| s.ratio()).fold(f64::INFINITY, |m, r| match r.is_nan() {
        true => f64::NAN,
        false => m.min(r),
    });
    let modes: Vec<f64> = all.iter().flat_map(|(_, s)| s.modes.iter().copied()).collect();
    let median = summary::median(&modes).unwrap_or(f64::NAN);
    Ok(vec![
        Claim {
            name: "U5",
            statement: "under each cue the slowest mode reads so many times more of the cued stream than of the other: the \
                        smaller of both medians over slow points"
                .into(),
            measured: least,
            interval: NONE,
            n: all.iter().map(|(points, _)| points).sum(),
            reference: "the selection vector follows the context (Mante et al. 2013; arXiv 1907.08549); at least 3",
            holds: least >= 3.0,
        },
        Claim {
            name: "U6",
            statement: "modes that give what is left of a unit of the cued stream at a trial's end to a tenth, median over slow \
                        points".into(),
            measured: median,
            interval: NONE,
            n: modes.len(),
            reference: "one in networks without gates, several in gated ones (arXiv 1907.08549, figure 3f)",
            holds: match e.model.cell {
                CellKind::Vanilla | CellKind::VanillaRelu => median == 1.0,
                _ => median > 1.0,
            },
        },
    ])
}

/// Proved fixed points without input, by unstable directions.
fn memory_claims(e: &TaskExperiment, law: &memory::Settings, folder: &Path) -> Result<Vec<Claim>> {
    let table = records::FixedPoints::read(folder)?;
    let (tolerance, certified) = (table.tolerance()?, table.certified()?);
    let (unstable, stable) = (table.unstable()?, table.stable()?);
    let input = table.input()?;
    let held = inputs(e)?;
    let smallest = e.fixed_points.finder.smallest();
    let proved: Vec<usize> = (0..table.height())
        .filter(|&i| input[i] == held[0].0 && tolerance[i] == smallest)
        .filter(|&i| certified[i] == Some(true))
        .collect();
    let claim = |name, statement: String, measured: usize, wanted: usize, reference| Claim {
        name,
        statement,
        measured: measured as f64,
        interval: NONE,
        n: proved.len(),
        reference,
        holds: measured == wanted,
    };
    let n = law.bits;
    let mut all = vec![claim(
        "M1",
        format!(
            "proved fixed points without input; the law asks for 3^{n} = {}",
            3_usize.pow(n as u32)
        ),
        proved.len(),
        3_usize.pow(n as u32),
        "a point for every channel at +1, −1 or undecided (Sussillo & Barak 2013; arXiv 1907.08549)",
    )];
    let stable = proved.iter().filter(|&&i| stable[i] == Some(true)).count();
    for (k, name) in BY_INDEX.into_iter().enumerate().take(n + 1) {
        let found = match k {
            0 => stable,
            k => proved.iter().filter(|&&i| unstable[i] == Some(k)).count(),
        };
        let statement = match k {
            0 => format!("of them proved stable; the law asks for {}", expected(n, k)),
            1 => format!("with one unstable direction; the law asks for {}", expected(n, k)),
            k => format!("with {k} unstable directions; the law asks for {}", expected(n, k)),
        };
        let reference = match k {
            0 => "corners of a cube: every channel holds a sign",
            _ => "edges, faces and inside of the cube: undecided channels are unstable",
        };
        all.push(claim(name, statement, found, expected(n, k), reference));
    }
    let saddles = records::Saddles::read(folder)?;
    let edges: Vec<String> = saddles
        .unstable()?
        .into_iter()
        .zip(saddles.reaches()?)
        .filter(|(k, _)| *k == 1)
        .map(|(_, reaches)| reaches)
        .collect();
    let along = edges.iter().filter(|reaches| is_edge(reaches)).count();
    all.push(Claim {
        n: edges.len(),
        ..claim(
            "M6",
            format!(
                "saddles with one unstable direction whose two orbits end at corners that differ in one sign; a cube has {} \
                 edges",
                expected(n, 1)
            ),
            along,
            expected(n, 1),
            "transitions run along the edges of a cube (arXiv 1907.08549)",
        )
    });
    Ok(all)
}

fn report(e: &TaskExperiment, folder: &Path, stages: &[StageRecord]) -> Result<StageOutput> {
    let mut summary = Summary::of(stages);
    text::costs(&mut summary, stages, e.seed);
    let counts = e.trials;
    let note = own_note(e).unwrap_or_else(|| {
        format!(
            "{} trials to learn from, {} to stop by, {} to measure on, drawn by the law of the task",
            counts.train, counts.validation, counts.test
        )
    });
    let mut notes = vec![("train", note)];
    if summary.get(keys::TASK_ERROR).is_none_or(|error| !error.is_finite()) {
        notes.push(("train", UNSCORED.into()));
    }
    notes.extend(curves::left_out(&e.curves, e.fixed_points.finder.smallest(), folder)?);
    let mut files = vec![text::write_notes(folder, &notes)?, summary.write(folder)?];
    let name = e.task.name();
    let network = format!(
        "{:?}, {} units, {} inputs, {} outputs",
        e.model.cell,
        e.model.units,
        e.task.inputs(),
        e.task.outputs()
    );
    let page = page::Page {
        title: if e.title.is_empty() { &name } else { &e.title },
        corpus: &name,
        network: &network,
        reads: page::Reads::Trials,
        labels: 0,
        lists: false,
        settings: &notation::to_ron(e),
        stages,
        assets: &text::assets(&e.study, &e.name),
        walk: None,
    };
    files.extend(page::write(folder, &page, &summary)?);
    Ok(StageOutput::files(files))
}

#[cfg(test)]
mod tests {
    use super::expected;

    #[test]
    fn three_bits_have_eight_corners_twelve_edges_six_faces_and_a_middle() {
        assert_eq!([0, 1, 2, 3].map(|k| expected(3, k)), [8, 12, 6, 1]);
        assert_eq!((0..=4).map(|k| expected(4, k)).sum::<usize>(), 81);
    }
}
