//! Networks that learn to optimise (arXiv 2011.02159): trained, compared with tuned methods, opened up.
//!
//! Stages: (tokenize →) train → compare → dynamics → claims → report.

mod claims;
mod reading;
mod tables;
mod weights;

use super::text::{self, Options, Watch};
use crate::engine::{Context, Finished, Run, Stage, StageOutput, StageRecord, Workspace};
use crate::experiment::{LearnedOptimiser, Transfer};
use crate::optimisers::baseline::{Method, Tuned, tune};
use crate::optimisers::measure::{self, Measured, Summed, summed};
use crate::optimisers::momentum::optimum;
use crate::optimisers::problems::{Data, Family, Problem};
use crate::optimisers::training::{self, Progress};
use crate::optimisers::{Learned, Objective};
use crate::records::{self, column, keys};
use crate::report::{Summary, optimisers as page, plot};
use crate::{Error, Result, files, interrupt, summary};
use std::path::{Path, PathBuf};

/// Names of the stages, in order.
pub const STAGES: [&str; 6] = ["tokenize", "train", "compare", "dynamics", "claims", "report"];

/// Runs every stage that is not in place; returns the run's folder.
///
/// # Errors
/// What the stages return; what earlier ones made stays.
pub fn run(e: &LearnedOptimiser, options: Options) -> Result<PathBuf> {
    let Options { data, out, force, watch } = options;
    let sources = reading::sources(e, data)?;
    if let Some(unknown) = force.iter().find(|f| !STAGES.contains(&f.as_str())) {
        let hint = crate::nearest::hint(unknown, &STAGES);
        return Err(Error::Usage(format!("--force {unknown}: no such stage here; {hint}")));
    }
    let training = (&e.task, &e.model, &e.training, e.networks, e.seed, &sources);
    let compared = (&e.baselines, e.test, &e.transfer);
    // 2, 3, 2: documents in an order of their own, and of both labels in every problem; what reads no words is as it was.
    let [of_training, of_comparison, of_dynamics] =
        if reading::words(e) { [2, 3, 2] } else { [1, 2, 1] };
    let stages = vec![
        Stage::new("tokenize", 1, &(&e.corpus, &sources), &[]),
        Stage::new("train", of_training, &training, &["tokenize"]),
        Stage::new("compare", of_comparison, &compared, &["tokenize", "train"]),
        Stage::new("dynamics", of_dynamics, &(&e.analysis, e.test), &["tokenize", "train"]),
        // 3: none against a method that diverged wherever it was tuned; no interval of one network.
        Stage::new("claims", 3, &(), &["train", "compare", "dynamics"]),
        // 2: what diverged is told.
        Stage::new("report", 2, e, &STAGES[..STAGES.len() - 1]),
    ];
    let context = Context { out, study: &e.study, name: &e.name, force, device: "cpu" };
    let mut run = Run::open(context, e.clone(), stages)?;
    watch.left(run.left());
    for name in STAGES {
        watch.begin(name);
        let ran = run.pass(name, |place, rows| {
            let folder = place.folder();
            let read = || reading::read(e, data, folder);
            match name {
                "tokenize" => reading::tokenize(e, data, folder),
                "train" => {
                    let read = read()?;
                    drawn(e, &read)?;
                    trained(e, &read, place, watch)
                }
                "compare" => compare(e, &read()?, folder, watch),
                "dynamics" => dynamics(e, &read()?, folder, watch),
                "claims" => text::write_claims(&claims::claims(e, folder)?, folder),
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
        if target.steps == 0 {
            target.steps = e.training.inner_steps;
        }
        named.push(target);
    }
    named
}

/// Draws a problem of every kind that will be asked for: what cannot be drawn is told before hours of training.
fn drawn(e: &LearnedOptimiser, data: &Data) -> Result<()> {
    for Transfer { task, .. } in targets(e) {
        for split in ["train", "tuning", "test"] {
            Family { task: &task, data, seed: e.seed, split }.problem::<f32>(0)?;
        }
    }
    Ok(())
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
            let what = format!("optimiser {} of {}, step", network + 1, e.networks);
            watch.progress(&what, network * steps + progress.step, e.networks * steps);
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
        made.push(weights::save(&learned, place.folder(), network)?);
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
            watch.progress(&format!("tuning {}", method.name()), done, work);
            done += 1;
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
            watch.progress("learned optimisers", done, work);
            done += 1;
            let learned = weights::load(e, folder, network)?;
            let summed = summed(&losses(&learned, &test, *steps), objective);
            if summed.lost > 0 {
                watch.note(&format!(
                    "learned optimiser {} diverges, or has nothing to win, on {} of {} test problems ({name})",
                    network + 1,
                    summed.lost,
                    e.test
                ));
            }
            rows.push(Compared {
                problems: name.clone(),
                optimiser: LEARNED.into(),
                network: Some(network + 1),
                summed,
            });
        }
    }
    watch.progress("learned optimisers", work, work);
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
            worse: column(rows.iter().map(|r| r.summed.worse)),
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
        let learned = weights::load(e, folder, network)?;
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
    tables.extend(tables::write_points(&all, folder)?);
    tables.extend(tables::write_updates(&all, folder)?);
    tables.extend(tables::write_courses(&all, folder)?);
    tables.push(tables::write_numbers(&all, folder)?);
    Ok(StageOutput::files(tables))
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
        worth: match e.training.objective {
            Objective::Mean => "its loss, averaged over the steps, is",
            Objective::Last => "its last loss is",
            Objective::Least => "its least loss on the way is",
        },
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
    let network = scores.network()?;
    let who = |i: usize| match network[i] {
        Some(network) => format!("{} {network}", optimiser[i]),
        None => optimiser[i].clone(),
    };
    for i in (0..lost.len()).filter(|&i| lost[i] > 0) {
        notes.push((
            "compare",
            format!(
                "{}: {} of {} test problems of {} diverged or had nothing to win; they are left out of its curve",
                who(i), lost[i], e.test, problems[i]
            ),
        ));
    }
    let tuned = records::TunedMethods::read(folder)?;
    let (of, method, to) = (tuned.problems()?, tuned.method()?, tuned.tuned()?);
    for i in (0..to.len()).filter(|&i| !to[i].is_finite()) {
        notes.push((
            "compare",
            format!(
                "{}: it diverges on {} whatever its numbers: no claim compares with it; give smaller `baselines.learning_rates`, or more \
                 `baselines.trials`",
                method[i], of[i]
            ),
        ));
    }
    if let Some(text) = reading::halves(e, folder)? {
        notes.push(("tokenize", text));
    }
    let worse = scores.worse()?;
    for i in (0..worse.len()).filter(|&i| worse[i] > 0) {
        notes.push((
            "compare",
            format!(
                "{}: {} of {} test problems of {} end above their first loss; they weigh most in its mean",
                who(i), worse[i], e.test, problems[i]
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
