//! Networks beside a recording (arXiv 1906.09622): behaviour, movements, and which strategy is used.
//!
//! Every network, hidden behind a block or candidate beside it, is a run of its own below `cases/`.

mod claims;
mod door;

use super::grid::{self, Gathered, Outcome, Plan, Progress};
use super::task;
use super::text::{write_claims, write_notes};
use crate::analyses::gating::settled;
use crate::analyses::recording::{
    Block, Found, Observed, Portrait, block, dynamical, kept, observed, representational,
};
use crate::data::tasks::Law;
use crate::data::tasks::accumulation::{self, Strategy};
use crate::data::{Sequences, Task, Vectors};
use crate::dynamics::Map;
use crate::dynamics::linearise::Linearisation;
use crate::engine::{Lock, gathered, record_gathered};
use crate::experiment::grid::Case;
use crate::experiment::{Recording, TaskExperiment};
use crate::linalg::Matrix;
use crate::model::Network;
use crate::ops::{CellKind, Pool};
use crate::recordings::encoding::Share;
use crate::records::{self, column, keys};
use crate::report::{Summary, recording as page};
use crate::{Error, Result, summary};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Trains hidden networks and candidates, makes the recording, analyses it; returns the folder and how many networks
/// failed.
///
/// # Errors
/// [`Error::Usage`] for another task, and fewer than two strategies; [`Error::Io`] if the folder cannot be written to. A
/// network that fails is no error: it is listed, and its block left out; nor is one that has not learned.
pub fn run(r: &Recording, plan: &Plan, progress: &dyn Progress) -> Result<(PathBuf, usize)> {
    plan.check(&task::STAGES)?;
    let networks = networks(r)?;
    r.analysis.check(r.of.task.steps())?;
    // A file that cannot be used, or analysed, is told before hours of training.
    if let Some(file) = &r.data {
        let (seen, notes) = door::read(file, r.of.task.steps())?;
        notes.iter().for_each(|note| progress.note(&format!("{}: {note}", file.display())));
        found_in(r, file, seen)?;
    }
    let cases: Vec<Case<TaskExperiment>> = networks.iter().map(|n| n.case.clone()).collect();
    let folder = plan.out.join(&r.study).join(&r.name);
    let _lock = Lock::of_run(plan.out, &r.study, &r.name)?;
    grid::tidy(&folder);
    let all: Vec<&Case<TaskExperiment>> = cases.iter().collect();
    let outcomes = grid::side_by_side(&all, plan, progress, |experiment, options| {
        task::run(experiment, options).map(|_| ())
    })?;
    write(&folder, r, &networks, &cases, &outcomes)?;
    page::write(&folder, title(r))?;
    Ok((folder, outcomes.iter().filter(|o| o.failure.is_some()).count()))
}

fn title(r: &Recording) -> &str {
    if r.title.is_empty() { &r.name } else { &r.title }
}

/// Writes the page of a recording again, from its tables. Whether `folder` is that of one; any other is left alone.
///
/// # Errors
/// [`Error::Input`] if the tables do not belong together; [`Error::Io`] if the folder cannot be written to.
pub fn rewrite(folder: &Path) -> Result<bool> {
    if !records::Blocks::is_in(folder) {
        return Ok(false);
    }
    page::write(folder, title(&gathered::<Recording>(folder)?))?;
    Ok(true)
}

/// A network of the study.
struct Planned {
    strategy: Strategy,
    cell: CellKind,
    /// Its block, from 1; none for a candidate.
    block: Option<usize>,
    case: Case<TaskExperiment>,
}

/// Hidden networks, then candidates; every network has a seed and trials of its own.
fn networks(r: &Recording) -> Result<Vec<Planned>> {
    let Task::Accumulation(law) = &r.of.task else {
        return Err(Error::Usage(
            "of.task: a recording is of networks that do `Accumulation`".into(),
        ));
    };
    if r.strategies.len() < 2 || r.candidates.is_empty() {
        return Err(Error::Usage(format!(
            "strategies: {}, candidates: {}; give at least two strategies and one cell of candidates",
            r.strategies.len(),
            r.candidates.len()
        )));
    }
    for (i, strategy) in r.strategies.iter().enumerate() {
        if r.strategies[..i].contains(strategy) {
            return Err(Error::Usage(format!(
                "strategies: {strategy:?} stands there twice; give every strategy once"
            )));
        }
        let fits = match *strategy {
            Strategy::Perfect => true,
            Strategy::Leaky(tau) => tau > 1.0 && tau < 1e9,
            Strategy::Bounded(bound) => bound > law.noise / 10.0 && bound < 1e9,
        };
        if !fits {
            return Err(Error::Usage(format!(
                "strategies: {strategy:?} is impossible: a leak lasts more than a step, and a bound is more than a tenth of \
                 the evidence's deviation ({})",
                law.noise
            )));
        }
    }
    let mut all = Vec::new();
    let mut add = |strategy: Strategy, cell: CellKind, block: Option<usize>| {
        let number = all.len() + 1;
        let mut e = r.of.clone();
        e.task = Task::Accumulation(accumulation::Settings { strategy, ..law.clone() });
        e.model.cell = cell;
        e.seed = r.seed.wrapping_mul(1000).wrapping_add(number as u64);
        let role = if block.is_some() { "hidden" } else { "candidate" };
        let name = format!("{number:03}-{role}-{}-{cell:?}", strategy.name());
        (e.study, e.name) = (r.study.clone(), format!("{}/cases/{name}", r.name));
        e.title = format!("{} {} {cell:?}", told(r, strategy), role);
        let settings = vec![
            ("task.strategy".to_string(), format!("{strategy:?}")),
            ("model.cell".to_string(), format!("{cell:?}")),
            ("seed".to_string(), e.seed.to_string()),
        ];
        all.push(Planned { strategy, cell, block, case: Case { name, settings, experiment: e } });
    };
    let mut blocks = 0;
    for _ in 0..r.blocks {
        for &strategy in &r.strategies {
            blocks += 1;
            add(strategy, r.of.model.cell, Some(blocks));
        }
    }
    for &cell in &r.candidates {
        r.strategies.iter().for_each(|&strategy| add(strategy, cell, None));
    }
    Ok(all)
}

/// What a strategy is called: its kind, and its number where another of its kind stands beside it.
fn told(r: &Recording, of: Strategy) -> String {
    let alike = r.strategies.iter().filter(|s| s.name() == of.name()).count();
    match of {
        Strategy::Leaky(x) | Strategy::Bounded(x) if alike > 1 => format!("{} {x}", of.name()),
        _ => of.name().into(),
    }
}

/// What a measure can tell apart: kernels the kinds of strategies, all others every strategy.
fn answers(r: &Recording, measure: &str) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for strategy in &r.strategies {
        let name = answer(r, measure, *strategy);
        if !all.contains(&name) {
            all.push(name);
        }
    }
    all
}

/// The right answer of a measure.
fn answer(r: &Recording, measure: &str, strategy: Strategy) -> String {
    if measure == "kernel" { strategy.name().into() } else { told(r, strategy) }
}

/// Visited states of a network that settle without evidence and are linearised there.
const LINEARISED: usize = 32;

/// A network that was trained.
struct Trained<'a> {
    case: usize,
    planned: &'a Planned,
    network: Network,
    /// On test trials, as a share of the best constant answer's.
    error: f64,
    /// Whether that is small enough.
    learned: bool,
    portrait: Portrait,
}

impl<'a> Trained<'a> {
    fn read(r: &Recording, case: usize, planned: &'a Planned, folder: &Path) -> Result<Self> {
        let e = &planned.case.experiment;
        let found = Summary::read(folder)?;
        let number = |key| found.get(key).unwrap_or(f64::NAN);
        let network = Network::load(&folder.join("model.safetensors"))?;
        let (cell, readout) = (network.cell()?, network.readout()?.0);
        let map = Map::new(&cell, &[0.0])?;
        let states = records::States::read(folder)?.state()?;
        let every = states.len().div_ceil(LINEARISED).max(1);
        let states: Vec<&[f64]> = states.iter().step_by(every).map(Vec::as_slice).collect();
        let steps = e.task.steps();
        let (mut slow, mut longest) = (Vec::new(), Vec::new());
        for point in settled(&map, &states, steps) {
            let near = Linearisation::at(&map, &point, Some(&readout))?;
            slow.push(near.time_constants().iter().filter(|t| **t >= steps as f64).count() as f64);
            longest.extend(kept(&map, &near, &readout, steps / 2)?);
        }
        let median = |of: &[f64]| summary::median(of).unwrap_or(f64::NAN);
        let error = number(keys::TASK_ERROR) / e.task.scores().chance;
        Ok(Self {
            case,
            planned,
            network,
            error,
            learned: error <= r.learned,
            portrait: Portrait {
                stable: number(keys::FIXED_POINTS_STABLE),
                slow: median(&slow),
                tau: median(&longest),
            },
        })
    }

    /// States in the first trials, end to end, and the output at the end of every trial.
    fn walk(&self, inputs: &Vectors, recorded: usize) -> Result<(Matrix, Vec<f64>)> {
        let (size, steps) = (self.network.state_size(), inputs.length(0));
        let readout = self.network.readout()?;
        let mut states = Matrix::zeros(recorded * steps, size);
        let mut decision = vec![0.0; inputs.len()];
        self.network.walk_sequences(Pool::Every, Sequences::Vectors(inputs), |indices, rows| {
            let flat: Vec<f32> = rows.flatten_all()?.to_vec1()?;
            for (&trial, rows) in indices.iter().zip(flat.chunks(flat.len() / indices.len())) {
                let at = |t: usize| rows[t * size..(t + 1) * size].iter().map(|&x| x as f64);
                let last: Vec<f64> = at(steps - 1).collect();
                decision[trial] = super::text::logits(&readout, &last)[0];
                for t in (0..steps).filter(|_| trial < recorded) {
                    let mut to = states.row_mut(trial * steps + t);
                    at(t).enumerate().for_each(|(i, x)| to[i] = x);
                }
            }
            Ok(())
        })?;
        Ok((states, decision))
    }
}

/// A block, analysed.
struct Analysed<'a> {
    /// The hidden network; none behind a recording of one's own.
    of: Option<&'a Trained<'a>>,
    block: usize,
    by_kernel: String,
    found: Found,
    distances: Vec<Distance<'a>>,
}

/// Of a block to a candidate.
struct Distance<'a> {
    measure: &'static str,
    candidate: &'a Trained<'a>,
    value: f64,
}

/// What the recency of a kernel speaks of.
fn by_recency(r: &Recording, recency: f64) -> &'static str {
    if recency > r.analysis.recency {
        "leaky"
    } else if recency < -r.analysis.recency {
        "bounded"
    } else {
        "perfect"
    }
}

/// The value that the strategy of a kernel gives to evidence.
fn latent(r: &Recording, recency: f64, evidence: &[f64]) -> Vec<f64> {
    let spoken = by_recency(r, recency);
    let known = r.strategies.iter().find(|s| s.name() == spoken);
    known.copied().unwrap_or_default().run(evidence)
}

/// What behaviour and activity of a recording of one's own say, its file named where they say nothing.
fn found_in(r: &Recording, file: &Path, seen: Observed) -> Result<Found> {
    observed(&r.analysis, seen, |recency, e| latent(r, recency, e), r.seed).map_err(|e| match e {
        Error::Input { file: part, place, problem, remedy } => {
            let place = if place.is_empty() { part } else { format!("{part}, {place}") };
            Error::input(file.display(), place, problem, remedy)
        }
        other => other,
    })
}

/// A recording of one's own beside the candidates, and what was assumed of it; nothing where no file is named.
fn given<'a>(
    r: &Recording,
    number: usize,
    candidates: &[&'a Trained<'a>],
) -> Result<Option<(Analysed<'a>, Vec<String>)>> {
    let Some(file) = &r.data else { return Ok(None) };
    let (seen, notes) = door::read(file, r.of.task.steps())?;
    let mut inputs = Vectors::new(1);
    for row in seen.evidence.row_iter() {
        inputs.push(&row.iter().map(|&e| e as f32).collect::<Vec<f32>>());
    }
    let recorded = inputs.len();
    let found = found_in(r, file, seen)?;
    let mut distances = Vec::new();
    for &candidate in candidates {
        let states = candidate.walk(&inputs, recorded)?.0;
        let value = representational(&found.corrected, &states, r.analysis.components)?;
        distances.push(Distance { measure: "svcca", candidate, value });
    }
    let by_kernel = by_recency(r, found.kernel.recency()).to_string();
    Ok(Some((Analysed { of: None, block: number, by_kernel, found, distances }, notes)))
}

fn analyse<'a>(
    r: &Recording,
    of: &'a Trained<'a>,
    number: usize,
    candidates: &[&'a Trained<'a>],
) -> Result<Analysed<'a>> {
    let Task::Accumulation(law) = &of.planned.case.experiment.task else {
        unreachable!("every network does accumulation")
    };
    // Evidence that no network learned from.
    let drawn = law.draw(r.analysis.trials, r.seed, &format!("block {number}"));
    let (trials, steps) = (r.analysis.trials, law.steps);
    let evidence = Matrix::from_fn(trials, steps, |t, s| drawn.inputs.at(t, s)[0] as f64);
    let recorded = r.analysis.recorded.min(trials);
    let (states, decision) = of.walk(&drawn.inputs, recorded)?;
    let latent = |recency: f64, evidence: &[f64]| latent(r, recency, evidence);
    let name = format!("recording/{number}");
    let found = block(&r.analysis, Block { evidence, decision, states }, latent, r.seed, &name)?;
    let portraits: Vec<Portrait> = candidates.iter().map(|c| c.portrait).collect();
    let far = dynamical(&of.portrait, &portraits);
    let mut distances = Vec::new();
    for (&candidate, far) in candidates.iter().zip(far) {
        let states = candidate.walk(&drawn.inputs, recorded)?.0;
        let value = representational(&found.corrected, &states, r.analysis.components)?;
        distances.push(Distance { measure: "svcca", candidate, value });
        distances.extend(far.map(|value| Distance { measure: "dynamics", candidate, value }));
    }
    let by_kernel = by_recency(r, found.kernel.recency()).to_string();
    Ok(Analysed { of: Some(of), block: number, by_kernel, found, distances })
}

/// An inference of a block's strategy.
struct Inferred {
    measure: &'static str,
    cell: String,
    block: usize,
    strategy: String,
    inferred: String,
}

/// The strategy of the nearest candidate of each cell, by each measure, and the kind that the kernel speaks of; and what could not be
/// inferred. Where a strategy has no candidate with a distance, the nearest of the others would tell nothing.
fn inferred(r: &Recording, blocks: &[Analysed]) -> (Vec<Inferred>, Vec<String>) {
    let (mut all, mut notes) = (Vec::new(), Vec::new());
    let mut lacking: BTreeMap<(&str, String, String), usize> = BTreeMap::new();
    if answers(r, "kernel").len() < 2 {
        notes.push("all strategies are of one kind: kernels tell no strategy from another".into());
    }
    for b in blocks {
        let Some(strategy) = b.of.map(|t| t.planned.strategy) else { continue };
        let mut add = |measure, cell: String, inferred| {
            let strategy = answer(r, measure, strategy);
            all.push(Inferred { measure, cell, block: b.block, strategy, inferred });
        };
        if answers(r, "kernel").len() > 1 {
            add("kernel", String::new(), b.by_kernel.clone());
        }
        for measure in ["svcca", "dynamics"] {
            for cell in &r.candidates {
                let own: Vec<&Distance> = b
                    .distances
                    .iter()
                    .filter(|d| d.measure == measure && d.candidate.planned.cell == *cell)
                    .collect();
                let there = |s: &&Strategy| own.iter().any(|d| d.candidate.planned.strategy == **s);
                let without: Vec<String> =
                    r.strategies.iter().filter(|s| !there(s)).map(|s| told(r, *s)).collect();
                let nearest = own.iter().min_by(|x, y| x.value.total_cmp(&y.value));
                match nearest.filter(|_| without.is_empty()) {
                    Some(nearest) => {
                        let strategy = nearest.candidate.planned.strategy;
                        add(measure, format!("{cell:?}"), answer(r, measure, strategy));
                    }
                    None => {
                        let key = (measure, format!("{cell:?}"), without.join(", "));
                        *lacking.entry(key).or_default() += 1;
                    }
                }
            }
        }
    }
    notes.extend(lacking.into_iter().map(|((measure, cell, without), count)| {
        format!(
            "{measure}, {cell}: in {count} blocks no distance to a candidate of: {without}; no strategy is inferred there"
        )
    }));
    (all, notes)
}

fn write(
    folder: &Path,
    r: &Recording,
    networks: &[Planned],
    cases: &[Case<TaskExperiment>],
    outcomes: &[Outcome],
) -> Result<()> {
    let Gathered { parts, .. } = grid::gather(folder, cases, outcomes)?;
    let trained: Vec<Trained> = (0..networks.len())
        .filter(|&i| outcomes[i].failure.is_none())
        .map(|i| Trained::read(r, i, &networks[i], &outcomes[i].folder))
        .collect::<Result<_>>()?;
    let learned = || trained.iter().filter(|t| t.learned);
    let candidates: Vec<&Trained> = learned().filter(|t| t.planned.block.is_none()).collect();
    let hidden: Vec<(&Trained, usize)> =
        learned().filter_map(|t| Some((t, t.planned.block?))).collect();
    let count = hidden.len();
    let mut blocks: Vec<Analysed> = hidden
        .into_par_iter()
        .map(|(t, number)| analyse(r, t, number, &candidates))
        .collect::<Result<_>>()?;
    let number = r.blocks * r.strategies.len() + 1;
    let own = given(r, number, &candidates)?;
    let (own, assumed) = own.map_or((None, Vec::new()), |(own, notes)| (Some(own), notes));
    blocks.extend(own);
    let (inferred, not_inferred) = inferred(r, &blocks);
    write_tables(folder, r, &trained, &blocks, &inferred)?;
    write_claims(&claims::all(r, &trained, &blocks[..count], &inferred), folder)?;
    let made = if r.data.is_some() {
        format!("all blocks but {number} are synthetic")
    } else {
        "the recording is synthetic".into()
    };
    let mut notes = vec![(
        "recording",
        format!(
            "{made}: {} units that mix a hidden network's states, movements and noise; {} blocks of {} \
             trials, units recorded in {}",
            r.analysis.units, count, r.analysis.trials, r.analysis.recorded
        ),
    )];
    notes.extend(trained.iter().filter(|t| !t.learned).map(|t| {
        let what = if t.planned.block.is_some() { "no block is made of it" } else { "nothing is compared with it" };
        let (case, error, most) = (&t.planned.case.name, t.error, r.learned);
        (
            "networks",
            format!(
                "{case}: its error is {error:.3} of the best constant answer's, above {most} (`learned`): {what}; train longer (`of.training`)"
            ),
        )
    }));
    notes.extend(not_inferred.into_iter().map(|note| ("inference", note)));
    for (i, strategy) in r.strategies.iter().enumerate() {
        let first = r.strategies[..i].iter().find(|s| s.name() == strategy.name());
        if let Some(first) = first {
            let (first, other) = (told(r, *first), told(r, *strategy));
            notes.push((
                "encoding",
                format!(
                    "where a kernel speaks of the kind of {first} and {other}, the value that {first} gives is the regressor"
                ),
            ));
        }
    }
    if let Some(file) = &r.data {
        let known = "behaviour, encoding and distances of states alone: nobody knows its strategy, and it has no fixed points";
        notes.push(("recording", format!("block {number} is {}: {known}", file.display())));
        notes.extend(assumed.into_iter().map(|n| ("recording", n)));
    }
    let unknown = learned().filter(|t| t.portrait.tau.is_nan()).count();
    if unknown > 0 {
        notes.push((
            "dynamics",
            format!("in {unknown} networks the response to evidence turns its sign: no dynamical distance"),
        ));
    }
    write_notes(folder, &notes)?;
    let all = [
        "cases",
        "case_settings",
        "case_numbers",
        "case_claims",
        "blocks",
        "portraits",
        "candidate_distances",
        "confusion",
        "claims",
        "notes",
    ];
    let files: Vec<String> = all.iter().map(|name| format!("tables/{name}.parquet")).collect();
    record_gathered(folder, r, parts, &files)
}

fn write_tables(
    folder: &Path,
    r: &Recording,
    trained: &[Trained],
    blocks: &[Analysed],
    inferred: &[Inferred],
) -> Result<()> {
    let share = |b: &Analysed, group: usize, f: fn(&Share) -> f64| {
        b.found.shares.get(group).map(f).filter(|x| x.is_finite())
    };
    let planted =
        |b: &Analysed, group: usize| Some(b.found.planted[group]).filter(|x| x.is_finite());
    records::Blocks {
        block: column(blocks.iter().map(|b| b.block)),
        case: column(blocks.iter().map(|b| b.of.map(|t| t.case))),
        strategy: column(
            blocks.iter().map(|b| b.of.map_or(String::new(), |t| told(r, t.planned.strategy))),
        ),
        by_kernel: column(blocks.iter().map(|b| b.by_kernel.as_str())),
        recency: column(blocks.iter().map(|b| b.found.kernel.recency())),
        kernel: column(blocks.iter().map(|b| &b.found.kernel.weights)),
        explained: column(blocks.iter().map(|b| b.found.explained)),
        task_alone: column(blocks.iter().map(|b| share(b, 0, |s| s.alone))),
        task_unique: column(blocks.iter().map(|b| share(b, 0, |s| s.unique))),
        task_part: column(blocks.iter().map(|b| share(b, 0, |s| s.part))),
        task_planted: column(blocks.iter().map(|b| planted(b, 0))),
        movement_alone: column(blocks.iter().map(|b| share(b, 1, |s| s.alone))),
        movement_unique: column(blocks.iter().map(|b| share(b, 1, |s| s.unique))),
        movement_part: column(blocks.iter().map(|b| share(b, 1, |s| s.part))),
        movement_planted: column(blocks.iter().map(|b| planted(b, 1))),
    }
    .write(folder)?;
    records::Portraits {
        case: column(trained.iter().map(|t| t.case)),
        role: column(trained.iter().map(|t| match t.planned.block {
            Some(_) => "hidden",
            None => "candidate",
        })),
        strategy: column(trained.iter().map(|t| told(r, t.planned.strategy))),
        cell: column(trained.iter().map(|t| format!("{:?}", t.planned.cell))),
        error: column(trained.iter().map(|t| t.error)),
        learned: column(trained.iter().map(|t| t.learned)),
        stable: column(trained.iter().map(|t| t.portrait.stable)),
        slow: column(trained.iter().map(|t| t.portrait.slow)),
        tau: column(trained.iter().map(|t| t.portrait.tau)),
    }
    .write(folder)?;
    let pairs: Vec<(usize, &Distance)> =
        blocks.iter().flat_map(|b| b.distances.iter().map(|d| (b.block, d))).collect();
    records::CandidateDistances {
        block: column(pairs.iter().map(|p| p.0)),
        case: column(pairs.iter().map(|p| p.1.candidate.case)),
        measure: column(pairs.iter().map(|p| p.1.measure)),
        cell: column(pairs.iter().map(|p| format!("{:?}", p.1.candidate.planned.cell))),
        strategy: column(pairs.iter().map(|p| told(r, p.1.candidate.planned.strategy))),
        distance: column(pairs.iter().map(|p| p.1.value)),
    }
    .write(folder)?;
    let mut ways: Vec<(&str, &str)> =
        inferred.iter().map(|i| (i.measure, i.cell.as_str())).collect();
    ways.sort_unstable();
    ways.dedup();
    let mut rows = Vec::new();
    for (measure, cell) in ways {
        let own: Vec<&Inferred> =
            inferred.iter().filter(|i| (i.measure, i.cell.as_str()) == (measure, cell)).collect();
        let truths = answers(r, measure);
        // A kernel may speak of a kind that no block has.
        let mut all_said = truths.clone();
        for i in &own {
            if !all_said.contains(&i.inferred) {
                all_said.push(i.inferred.clone());
            }
        }
        for truth in &truths {
            for said in &all_said {
                let is = |i: &&&Inferred| (&i.strategy, &i.inferred) == (truth, said);
                let count = own.iter().filter(is).count();
                rows.push((measure, cell, truth.clone(), said.clone(), count));
            }
        }
    }
    records::Confusion {
        measure: column(rows.iter().map(|r| r.0)),
        cell: column(rows.iter().map(|r| r.1)),
        strategy: column(rows.iter().map(|r| r.2.as_str())),
        inferred: column(rows.iter().map(|r| r.3.as_str())),
        count: column(rows.iter().map(|r| r.4)),
    }
    .write(folder)?;
    Ok(())
}
