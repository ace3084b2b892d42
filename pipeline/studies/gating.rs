//! Is the irrelevant feature gated, or does it only look so (arXiv 2306.16733)?
//!
//! Responses of a formula, whose gating is known, and of trained networks, whose inputs are not gated or gated by us, are
//! put through the same analyses. Each network is a run of its own below `cases/`.

mod claims;

use super::grid::{self, Gathered, Outcome, Plan, Progress};
use super::task;
use super::text::{write_claims, write_notes};
use crate::analyses::gating::{
    Draw, Measured, Trials, decision_name, generated, measure, mechanisms, settled,
};
use crate::data::tasks::Law;
use crate::data::{Sequences, Task, Vectors};
use crate::dynamics::Map;
use crate::engine::{Lock, gathered, record_gathered};
use crate::experiment::grid::{Case, combined};
use crate::experiment::{Gating, TaskExperiment};
use crate::linalg::Matrix;
use crate::model::Network;
use crate::ops::Pool;
use crate::recordings::geometry::Condition;
use crate::recordings::selection::Mixture;
use crate::records::{self, column, keys};
use crate::report::{Summary, gating as page};
use crate::{Error, Result, seed};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Measures generator and networks; returns the study's folder and how many networks failed.
///
/// # Errors
/// [`Error::Usage`] for axes that make no network, a task without two features, and levels that make no conditions;
/// [`Error::Io`] if the folder cannot be written to. A network that fails is no error: it is listed.
pub fn run(g: &Gating, plan: &Plan, progress: &dyn Progress) -> Result<(PathBuf, usize)> {
    plan.check(&task::STAGES)?;
    let conditions = g.shown.conditions()?;
    let cases = cases(g)?;
    if let Some(note) = ungated(g).filter(|_| !cases.is_empty()) {
        progress.note(&note);
    }
    let folder = plan.out.join(&g.study).join(&g.name);
    let _lock = Lock::of_run(plan.out, &g.study, &g.name)?;
    grid::tidy(&folder);
    let outcomes = match cases.is_empty() {
        true => Vec::new(),
        false => grid::side_by_side(
            &cases.iter().collect::<Vec<_>>(),
            plan,
            progress,
            |experiment, options| task::run(experiment, options).map(|_| ()),
        )?,
    };
    let draws = generated(&g.generated, &g.shown, g.seed)?;
    write(&folder, g, &conditions, &draws, (&cases, &outcomes))?;
    page::write(&folder, title(g))?;
    Ok((folder, outcomes.iter().filter(|o| o.failure.is_some()).count()))
}

fn title(g: &Gating) -> &str {
    if g.title.is_empty() { &g.name } else { &g.title }
}

/// Writes the page of a study of gating again, from its tables. Whether `folder` is that of one; any other is left alone.
///
/// # Errors
/// [`Error::Input`] if the tables do not belong together; [`Error::Io`] if the folder cannot be written to.
pub fn rewrite(folder: &Path) -> Result<bool> {
    if !records::Gates::is_in(folder) {
        return Ok(false);
    }
    page::write(folder, title(&gathered::<Gating>(folder)?))?;
    Ok(true)
}

/// What is to be known where gates cannot stand before networks.
fn ungated(g: &Gating) -> Option<String> {
    (matches!(g.of.task, Task::Labels(_)) && g.shown.gates != [1.0]).then(|| {
        format!(
            "shown.gates: {:?} are the formula's alone; a word of two labels enters whole, so that networks on labels are looked at without \
             a gate (γ = 1)",
            g.shown.gates
        )
    })
}

/// Every network; none where the file names no axis.
fn cases(g: &Gating) -> Result<Vec<Case<TaskExperiment>>> {
    if g.grid.is_empty() {
        return Ok(Vec::new());
    }
    if !matches!(g.of.task, Task::Integration(_) | Task::Labels(_)) {
        return Err(Error::Usage(
            "of.task: gating is asked of tasks with two features and a context: Integration or Labels".into(),
        ));
    }
    let beyond = g.shown.levels.iter().find(|l| l.abs() > 1.0);
    if let (Task::Labels(_), Some(level)) = (&g.of.task, beyond) {
        return Err(Error::Usage(format!(
            "shown.levels: {level}; of labels a level is the mean of what words say, which lies between −1 and 1"
        )));
    }
    let mut base = g.of.clone();
    (base.study, base.name, base.title) = (g.study.clone(), g.name.clone(), g.title.clone());
    base.trials.seed = base.trials.seed.or(Some(g.seed));
    combined(base, &g.grid)
}

/// A network that learned, seen through one gate in one window.
struct Seen {
    case: usize,
    gate: f64,
    window: usize,
    measured: Measured,
}

/// A network's selection of one stream.
struct Selects {
    case: usize,
    stream: usize,
    mixture: Mixture,
    points: usize,
}

fn write(
    folder: &Path,
    g: &Gating,
    conditions: &[Condition],
    draws: &[Draw],
    (cases, outcomes): (&[Case<TaskExperiment>], &[Outcome]),
) -> Result<()> {
    let Gathered { parts, .. } = grid::gather(folder, cases, outcomes)?;
    let (mut seen, mut selects, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    if !cases.is_empty() {
        notes.extend(ungated(g).map(|note| ("networks", note)));
    }
    for (i, (case, outcome)) in cases.iter().zip(outcomes).enumerate() {
        if outcome.failure.is_some() {
            continue;
        }
        let e = &case.experiment;
        let error = Summary::read(&outcome.folder)?.get(keys::TASK_ERROR).unwrap_or(f64::NAN);
        let share = error / e.task.scores().chance;
        if !(share <= g.learned) {
            notes.push((
                "networks",
                format!(
                    "{}: its error is {share:.3} of the best constant answer's, above {} (`learned`): left out",
                    case.name, g.learned
                ),
            ));
            continue;
        }
        let network = Network::load(&outcome.folder.join("model.safetensors"))?;
        let gates: &[f64] = match e.task {
            Task::Integration(_) => &g.shown.gates,
            _ => &[1.0],
        };
        let looked: Result<Vec<Vec<Seen>>> =
            gates.iter().map(|&gate| look(g, e, &network, conditions, (i, gate))).collect();
        match looked {
            Ok(rows) => seen.extend(rows.into_iter().flatten()),
            // One network without an axis of choice is no reason to lose all others.
            Err(why @ Error::Input { .. }) => {
                notes.push(("networks", left_out(&case.name, &why)));
                continue;
            }
            Err(other) => return Err(other),
        }
        match select(e, &network, &outcome.folder)? {
            Some((mixtures, points)) => {
                selects.extend(mixtures.into_iter().enumerate().map(|(k, mixture)| Selects {
                    case: i,
                    stream: k + 1,
                    mixture,
                    points,
                }))
            }
            None if matches!(e.task, Task::Integration(_)) => notes.push((
                "mechanisms",
                format!(
                    "{}: in a context the slowest mode turns everywhere: not measured",
                    case.name
                ),
            )),
            None => {}
        }
    }
    write_tables(folder, draws, &seen, &selects, conditions)?;
    write_claims(&claims::all(g, draws, &seen, &selects), folder)?;
    write_notes(folder, &notes)?;
    let all = [
        "cases",
        "case_settings",
        "case_numbers",
        "case_claims",
        "gating",
        "gating_places",
        "mechanisms",
        "claims",
        "notes",
    ];
    let files: Vec<String> = all.iter().map(|name| format!("tables/{name}.parquet")).collect();
    record_gathered(folder, g, parts, &files)
}

/// Why a network that learned is left out.
fn left_out(case: &str, why: &Error) -> String {
    format!(
        "{case}: {why}: left out; its answers to what is shown may all be alike: train it longer, or show other levels (`shown.levels`)"
    )
}

/// Shows a network all conditions, the irrelevant input through a gate, and measures window by window.
fn look(
    g: &Gating,
    e: &TaskExperiment,
    network: &Network,
    conditions: &[Condition],
    (case, gate): (usize, f64),
) -> Result<Vec<Seen>> {
    let (mut inputs, mut open) = (Vectors::new(e.task.inputs()), Vectors::new(e.task.inputs()));
    let mut condition = Vec::new();
    for (c, of) in conditions.iter().enumerate() {
        for trial in 0..g.shown.trials {
            let bias = of.features.map(|f| f * g.shown.scale());
            let draw = |gate: f64| {
                let mut stream = seed::stream(g.seed, &format!("gating/shown/{c}/{trial}"));
                match &e.task {
                    Task::Integration(law) => law.trial(of.context, bias, gate, &mut stream),
                    Task::Labels(law) => law.phrase(of.context, bias, &mut stream).0,
                    _ => unreachable!("other tasks were refused"),
                }
            };
            inputs.push(&draw(gate));
            // What was shown, before any gate.
            open.push(&draw(1.0));
            condition.push(c);
        }
    }
    let windows = windows(network, &inputs, g.shown.windows)?;
    let shown = shown(&e.task, &open, windows.states.len());
    let choice: Vec<f64> = windows.last_output.iter().map(|y| y.signum()).collect();
    let pairs: Vec<(&Matrix, &Vec<f64>)> = windows.states.iter().zip(&windows.outputs).collect();
    let of = |(w, (states, outputs)): (usize, (&Matrix, &Vec<f64>))| {
        let trials = Trials {
            responses: states,
            condition: &condition,
            shown: &shown[w],
            choice: &choice,
            decision: outputs,
        };
        let measured = measure(&trials, conditions, g.shown.folds)?;
        Ok::<_, Error>(Seen { case, gate, window: w + 1, measured })
    };
    pairs.into_par_iter().enumerate().map(of).collect()
}

/// Both features as they were shown in each window of each trial: the mean of a stream, or of what words say of a label.
fn shown(task: &Task, inputs: &Vectors, windows: usize) -> Vec<Vec<[f64; 2]>> {
    let said = |x: &[f32], k: usize| match task {
        Task::Labels(law) => law.said(x, k),
        _ => x[k] as f64,
    };
    let steps = inputs.length(0);
    let of = |w: usize, trial: usize| {
        let range = w * steps / windows..(w + 1) * steps / windows;
        let n = range.len() as f64;
        [0, 1].map(|k| range.clone().map(|t| said(inputs.at(trial, t), k)).sum::<f64>() / n)
    };
    (0..windows).map(|w| (0..inputs.len()).map(|trial| of(w, trial)).collect()).collect()
}

/// States and outputs, averaged over windows of the trials.
struct Windows {
    /// `[trials, state]` each.
    states: Vec<Matrix>,
    /// `[trials]` each.
    outputs: Vec<Vec<f64>>,
    /// At the last step.
    last_output: Vec<f64>,
}

fn windows(network: &Network, inputs: &Vectors, count: usize) -> Result<Windows> {
    let (size, trials, steps) = (network.state_size(), inputs.len(), inputs.length(0));
    let count = count.min(steps);
    let readout = network.readout()?;
    let mut all = Windows {
        states: vec![Matrix::zeros(trials, size); count],
        outputs: vec![vec![0.0; trials]; count],
        last_output: vec![0.0; trials],
    };
    let said = |state: &[f64]| super::text::logits(&readout, state)[0];
    network.walk_sequences(Pool::Every, Sequences::Vectors(inputs), |indices, states| {
        let flat: Vec<f32> = states.flatten_all()?.to_vec1()?;
        for (&trial, rows) in indices.iter().zip(flat.chunks(flat.len() / indices.len())) {
            for w in 0..count {
                let range = w * steps / count..(w + 1) * steps / count;
                let n = range.len() as f64;
                let rows = &rows[range.start * size..range.end * size];
                let mean: Vec<f64> = (0..size)
                    .map(|i| rows.iter().skip(i).step_by(size).map(|&x| x as f64).sum::<f64>() / n)
                    .collect();
                all.outputs[w][trial] = said(&mean);
                all.states[w].row_mut(trial).copy_from_slice(&mean);
            }
            let last: Vec<f64> =
                rows[(steps - 1) * size..steps * size].iter().map(|&x| x as f64).collect();
            all.last_output[trial] = said(&last);
        }
        Ok(())
    })?;
    Ok(all)
}

/// Visited states that settle under each context and are linearised there.
const LINEARISED: usize = 32;

/// The mechanisms by which a network of context-dependent integration selects; nothing for another task.
fn select(
    e: &TaskExperiment,
    network: &Network,
    folder: &Path,
) -> Result<Option<([Mixture; 2], usize)>> {
    let Task::Integration(law) = &e.task else { return Ok(None) };
    let table = records::States::read(folder)?;
    let states = table.state()?;
    let every = states.len().div_ceil(LINEARISED).max(1);
    let states: Vec<&[f64]> = states.iter().step_by(every).map(Vec::as_slice).collect();
    let (cell, readout) = (network.cell()?, network.readout()?.0);
    let held = law.held();
    let maps = [Map::new(&cell, &held[0].input)?, Map::new(&cell, &held[1].input)?];
    // A trial's length: what fades slower is no fast mode.
    let rest = [0, 1].map(|c| settled(&maps[c], &states, law.steps));
    let points = rest.each_ref().map(|r| r.iter().map(Vec::as_slice).collect::<Vec<&[f64]>>());
    mechanisms([&maps[0], &maps[1]], [&points[0], &points[1]], &readout)
}

/// A row of the table of gates.
struct Row<'a> {
    source: &'static str,
    case: Option<usize>,
    draw: usize,
    decision: &'static str,
    strength: Option<f64>,
    gate: f64,
    window: usize,
    formula: Option<f64>,
    measured: &'a Measured,
}

fn write_tables(
    folder: &Path,
    draws: &[Draw],
    seen: &[Seen],
    selects: &[Selects],
    conditions: &[Condition],
) -> Result<()> {
    let drawn = draws.iter().map(|d| Row {
        source: "generator",
        case: None,
        draw: d.draw,
        decision: decision_name(d.decision),
        strength: Some(d.strength),
        gate: d.gate,
        window: 0,
        formula: Some(d.formula),
        measured: &d.measured,
    });
    let seen = seen.iter().map(|s| Row {
        source: "network",
        case: Some(s.case),
        draw: 0,
        decision: "",
        strength: None,
        gate: s.gate,
        window: s.window,
        formula: None,
        measured: &s.measured,
    });
    let rows: Vec<Row> = drawn.chain(seen).collect();
    records::Gates {
        source: column(rows.iter().map(|r| r.source)),
        case: column(rows.iter().map(|r| r.case)),
        draw: column(rows.iter().map(|r| r.draw)),
        decision: column(rows.iter().map(|r| r.decision)),
        strength: column(rows.iter().map(|r| r.strength)),
        gate: column(rows.iter().map(|r| r.gate)),
        window: column(rows.iter().map(|r| r.window)),
        ratio: column(rows.iter().map(|r| r.measured.before[0])),
        ratio_first: column(rows.iter().map(|r| r.measured.before[1])),
        ratio_second: column(rows.iter().map(|r| r.measured.before[2])),
        without_choice: column(rows.iter().map(|r| r.measured.without_choice)),
        without_decision: column(rows.iter().map(|r| r.measured.without_decision)),
        formula: column(rows.iter().map(|r| r.formula)),
        winner: column(rows.iter().map(|r| r.measured.models.winner.name())),
        winner_after: column(rows.iter().map(|r| r.measured.models_after.winner.name())),
        weights: column(rows.iter().map(|r| &r.measured.models.weights)),
        weights_after: column(rows.iter().map(|r| &r.measured.models_after.weights)),
        correlations: column(rows.iter().map(|r| &r.measured.models.correlations)),
        explained: column(rows.iter().map(|r| r.measured.models.explained)),
    }
    .write(folder)?;
    write_places(folder, &rows, conditions)?;
    records::Mechanisms {
        case: column(selects.iter().map(|s| s.case)),
        stream: column(selects.iter().map(|s| s.stream)),
        direct: column(selects.iter().map(|s| s.mixture.shares()[0])),
        indirect: column(selects.iter().map(|s| s.mixture.shares()[1])),
        selection: column(selects.iter().map(|s| s.mixture.shares()[2])),
        relevant: column(selects.iter().map(|s| s.mixture.relevant)),
        irrelevant: column(selects.iter().map(|s| s.mixture.irrelevant)),
        points: column(selects.iter().map(|s| s.points)),
    }
    .write(folder)?;
    Ok(())
}

/// Decision signal of the draw whose places are kept.
const SHOWN_STRENGTH: f64 = 3.0;

/// Places of one draw and one network through each gate, the network at the end of its trials.
fn write_places(folder: &Path, rows: &[Row], conditions: &[Condition]) -> Result<()> {
    let last = rows.iter().map(|r| r.window).max().unwrap_or(0);
    let first = rows.iter().filter_map(|r| r.case).min();
    let kept: Vec<&Row> = rows
        .iter()
        .filter(|r| match r.case {
            Some(_) => r.case == first && r.window == last,
            None => r.draw == 0 && r.decision == "shared" && r.strength == Some(SHOWN_STRENGTH),
        })
        .collect();
    let n = conditions.len();
    let all: Vec<(&Row, usize)> = kept.iter().flat_map(|&r| (0..n).map(move |c| (r, c))).collect();
    let lists: Vec<Vec<f64>> =
        all.iter().map(|(r, c)| (0..n).map(|j| r.measured.distances.at(*c, j)).collect()).collect();
    records::GatingPlaces {
        source: column(all.iter().map(|(r, _)| r.source)),
        gate: column(all.iter().map(|(r, _)| r.gate)),
        condition: column(all.iter().map(|(_, c)| *c)),
        context: column(all.iter().map(|(_, c)| conditions[*c].context + 1)),
        relevant: column(all.iter().map(|(_, c)| conditions[*c].relevant())),
        irrelevant: column(all.iter().map(|(_, c)| conditions[*c].irrelevant())),
        along_relevant: column(all.iter().map(|(r, c)| r.measured.places[*c][0])),
        along_irrelevant: column(all.iter().map(|(r, c)| r.measured.places[*c][1])),
        along_choice: column(all.iter().map(|(r, c)| r.measured.places[*c][2])),
        distances: column(lists.iter()),
    }
    .write(folder)?;
    Ok(())
}
