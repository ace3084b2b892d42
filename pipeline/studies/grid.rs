//! One experiment file, many networks.
//!
//! An experiment with a `grid` names settings and the values each of them takes;
//! every combination is a *case*, a run of its own with its own folder, stages
//! and report, so that a grid that was stopped goes on with the cases that are
//! missing. Cases run side by side, one network a thread (on a card, all networks of
//! one shape are trained together first); a case that fails does
//! not stop the others and is listed with its reason. One set of tables holds
//! the numbers and claims of all of them.

use super::population::{self, About, Asked, Network};
use super::shared;
use super::text::{self, Options, Watch, write_claims};
use crate::engine::{Finished, Lock, check_gathered, record_gathered};
use crate::experiment::grid::{Case, cases};
use crate::experiment::{Experiment, Settings, Similarity};
use crate::ops::cuda;
use crate::records::{self, Key, column, keys};
use crate::report::{Summary, grid as page};
use crate::summary;
use crate::train::Penalty;
use crate::{Result, engine, files, interrupt, train};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// How a case ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Why it failed; `None` where it did not.
    pub failure: Option<String>,
    /// Its folder.
    pub folder: PathBuf,
}

/// Who is told how a grid goes.
pub trait Progress: Sync {
    /// What is to be known of a user's file: what was assumed, and what was not read.
    fn note(&self, _note: &str) {}

    /// The case of this name begins.
    fn began(&self, _case: &str) {}

    /// Another process works on the case of this name, which waits until the others are done.
    fn waits(&self, _case: &str, _holder: &str) {}

    /// The case of this name has ended.
    fn ended(&self, done: usize, cases: usize, case: &str, outcome: &Outcome, seconds: f64);

    /// So many networks are trained side by side; the watcher follows the first of them.
    fn training(&self, _networks: usize) -> Box<dyn train::Watch> {
        Box::new(())
    }
}

/// What a grid may be told besides its experiment.
pub struct Plan<'a> {
    /// Folder of the corpora.
    pub data: &'a Path,
    /// Folder of the runs.
    pub out: &'a Path,
    /// Stages to run again, in every case.
    pub force: &'a [String],
    /// Cases side by side.
    pub jobs: usize,
}

impl Plan<'_> {
    /// Refuses to run stages again that no case has: every case would fail, and the page of what is finished be written without them.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::Error::Usage) with the nearest name.
    pub(super) fn check(&self, stages: &[&str]) -> Result<()> {
        match self.force.iter().find(|f| !stages.contains(&f.as_str())) {
            None => Ok(()),
            Some(unknown) => {
                let hint = crate::nearest::hint(unknown, stages);
                let problem = format!("--force {unknown}: no such stage of the networks; {hint}");
                Err(crate::Error::Usage(problem))
            }
        }
    }
}

/// Runs every case that is not in place; returns the grid's folder and how many failed.
///
/// # Errors
/// As [`cases`]; [`Error::Io`](crate::Error::Io) if the folder cannot be written to. A case that
/// fails is no error: it is listed.
pub fn run(
    experiment: &Experiment,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<(PathBuf, usize)> {
    plan.check(&text::STAGES)?;
    let cases = cases(experiment)?;
    let _lock = Lock::of_run(plan.out, &experiment.study, &experiment.name)?;
    let outcomes = make(&cases.iter().collect::<Vec<_>>(), plan, progress)?;
    finish(experiment, plan.out, &cases, &outcomes)
}

/// Removes what a writer that was killed left half written in the folder of many networks.
pub(super) fn tidy(folder: &Path) {
    ["", "tables", "figures"].iter().for_each(|below| files::sweep(&folder.join(below)));
}

/// Runs cases that are not in place.
///
/// # Errors
/// As [`side_by_side`].
pub(super) fn make(
    cases: &[&Case<Experiment>],
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>> {
    // On a card, networks of one shape are trained side by side before anything else.
    if cuda::current().is_cuda() && plan.force.is_empty() {
        let all: Vec<&Experiment> = cases.iter().map(|case| &case.experiment).collect();
        text::train_together(&all, plan.data, plan.out, &|n| progress.training(n))?;
    }
    side_by_side(cases, plan, progress, |experiment, options| {
        text::run(experiment, options).map(|_| ())
    })
}

/// Writes tables and page of all cases; returns the grid's folder and how many failed.
///
/// # Errors
/// [`Error::Io`](crate::Error::Io) if the folder cannot be written to.
pub(super) fn finish(
    experiment: &Experiment,
    out: &Path,
    cases: &[Case<Experiment>],
    outcomes: &[Outcome],
) -> Result<(PathBuf, usize)> {
    let folder = out.join(&experiment.study).join(&experiment.name);
    tidy(&folder);
    write(&folder, experiment, cases, outcomes)?;
    let title = if experiment.title.is_empty() { &experiment.name } else { &experiment.title };
    page::write(&folder, title, summary::pearson)?;
    Ok((folder, outcomes.iter().filter(|o| o.failure.is_some()).count()))
}

/// Runs these cases, as many at once as the plan says, in this order; one that fails does not stop the others. What another
/// process works on is waited for when the rest is done: where that process ends before its case does, it is made here.
///
/// # Errors
/// [`crate::Error::Interrupted`] if the end was asked for.
pub(super) fn side_by_side<E: Settings + Clone + Sync>(
    cases: &[&Case<E>],
    plan: &Plan,
    progress: &dyn Progress,
    work: impl Fn(&E, Options) -> Result<()> + Sync,
) -> Result<Vec<Outcome>> {
    let jobs = plan.jobs.clamp(1, cases.len().max(1));
    let threads = (rayon::current_num_threads() / jobs).max(1);
    let (next, done) = (Mutex::new(0), Mutex::new(0));
    let outcomes: Mutex<Vec<Option<Outcome>>> = Mutex::new(vec![None; cases.len()]);
    // Whether it was made: another process may have begun since it was seen to be free.
    let make = |i: usize| {
        let begin = Instant::now();
        progress.began(&cases[i].name);
        let Some(outcome) = one(cases[i], plan, &work) else { return false };
        let mut done = done.lock().expect("no worker panics with the lock held");
        *done += 1;
        let seconds = begin.elapsed().as_secs_f64();
        progress.ended(*done, cases.len(), &cases[i].name, &outcome, seconds);
        outcomes.lock().expect("no worker panics with the lock held")[i] = Some(outcome);
        true
    };
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                let pool = rayon::ThreadPoolBuilder::new()
                    .num_threads(threads)
                    .start_handler(|_| cuda::stay_on_processor())
                    .build();
                let pool = pool.expect("threads can be started");
                let mut waiting = Vec::new();
                loop {
                    let i = {
                        let mut next = next.lock().expect("no worker panics with the lock held");
                        *next += 1;
                        *next - 1
                    };
                    let Some(case) = cases.get(i).filter(|_| !interrupt::requested()) else {
                        break;
                    };
                    match holder(case, plan) {
                        Some(holder) => {
                            progress.waits(&case.name, &holder);
                            waiting.push(i);
                        }
                        None => {
                            if !pool.install(|| make(i)) {
                                waiting.push(i);
                            }
                        }
                    }
                }
                for i in waiting {
                    while !interrupt::requested()
                        && (holder(cases[i], plan).is_some() || !pool.install(|| make(i)))
                    {
                        std::thread::sleep(LOOK_EVERY);
                    }
                }
            });
        }
    });
    let outcomes = outcomes.into_inner().expect("no worker panicked");
    if interrupt::requested() {
        let ended = outcomes.iter().flatten().filter(|o| o.failure.is_none()).count();
        return Err(interrupt::stopped(&format!("with {ended} of {} networks done", cases.len())));
    }
    Ok(outcomes.into_iter().map(|o| o.expect("every case was taken")).collect())
}

/// Time between two looks at a case that another process works on.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Who works on a case, if another process does. Where that cannot be told, the run itself says why.
fn holder<E: Settings + Clone>(case: &Case<E>, plan: &Plan) -> Option<String> {
    let mut named = case.experiment.clone();
    let (study, name) = (named.study().clone(), named.name().clone());
    Lock::holder(plan.out, &study, &name).ok().flatten()
}

/// Writes the page of a grid again, from its tables; the pages of its networks stay as they are.
/// Whether `folder` is that of a grid; any other is left alone.
///
/// # Errors
/// [`Error::Input`](crate::Error::Input) if the tables cannot be understood; [`Error::Io`](crate::Error::Io) if the folder cannot be written to.
pub fn rewrite(folder: &Path) -> Result<bool> {
    if !records::Cases::is_in(folder) {
        return Ok(false);
    }
    check_gathered(folder, |case| folder.join("cases").join(case), "report")?;
    // The networks carry the grid's title.
    let title = records::Cases::read(folder)?.name()?.into_iter().find_map(|case| {
        let path = folder.join("cases").join(case).join(engine::RECORD);
        let text = std::fs::read_to_string(&path).ok()?;
        engine::experiment_of::<Experiment>(&path.display().to_string(), &text).ok()
    });
    let title = title.map_or_else(|| "A grid".to_string(), |experiment| experiment.title);
    page::write(folder, &title, summary::pearson)?;
    Ok(true)
}

/// A watcher that looks away: many cases at once would talk over each other.
struct Quiet;

impl Watch for Quiet {
    fn begin(&mut self, _: &str) {}
    fn passed(&mut self, _: &str, _: Option<f64>) {}
    fn training(&mut self) -> Box<dyn train::Watch + '_> {
        Box::new(())
    }
}

/// Runs one case; `None` while another process works on it.
fn one<E: Settings + Clone>(
    case: &Case<E>,
    plan: &Plan,
    work: &dyn Fn(&E, Options) -> Result<()>,
) -> Option<Outcome> {
    let mut named = case.experiment.clone();
    let folder = plan.out.join(named.study().as_str()).join(named.name().as_str());
    let options = Options { data: plan.data, out: plan.out, force: plan.force, watch: &mut Quiet };
    let failure = match work(&case.experiment, options) {
        Err(crate::Error::Busy(_)) => return None,
        ended => ended.err().map(|e| e.to_string()),
    };
    Some(Outcome { failure, folder })
}

/// What all cases say together.
pub(super) struct Gathered {
    /// Names of the cases that ended, with the keys of their last stage.
    pub parts: Vec<(String, String)>,
    /// Case, key and value of every summary number.
    pub numbers: Vec<(usize, String, f64)>,
}

/// Writes the tables of cases, their settings, numbers and claims.
pub(super) fn gather<E>(
    folder: &Path,
    cases: &[Case<E>],
    outcomes: &[Outcome],
) -> Result<Gathered> {
    let mut parts = Vec::new();
    let (mut settings, mut numbers, mut claims) = (Vec::new(), Vec::new(), Vec::new());
    for (i, (case, outcome)) in cases.iter().zip(outcomes).enumerate() {
        settings.extend(case.settings.iter().map(|(s, v)| (i, s.as_str(), v.as_str())));
        if outcome.failure.is_some() {
            continue;
        }
        let finished = Finished::open(&outcome.folder, &["claims", "report"])?;
        let key = finished.key("report").expect("the stage was asked for");
        parts.push((case.name.clone(), key.clone()));
        numbers.extend(Summary::read(&outcome.folder)?.numbers().map(|(k, v)| (i, k, v)));
        let table = records::Claims::read(&outcome.folder)?;
        let (claim, measured) = (table.claim()?, table.measured()?);
        let (holds, reference) = (table.holds()?, table.reference()?);
        claims.extend(
            (0..claim.len())
                .map(|c| (i, claim[c].clone(), measured[c], holds[c], reference[c].clone())),
        );
    }
    records::Cases {
        case: column(0..cases.len()),
        name: column(cases.iter().map(|c| c.name.as_str())),
        finished: column(outcomes.iter().map(|o| o.failure.is_none())),
        failure: column(outcomes.iter().map(|o| o.failure.clone().unwrap_or_default())),
    }
    .write(folder)?;
    records::CaseSettings {
        case: column(settings.iter().map(|s| s.0)),
        setting: column(settings.iter().map(|s| s.1)),
        value: column(settings.iter().map(|s| s.2)),
    }
    .write(folder)?;
    records::CaseNumbers {
        case: column(numbers.iter().map(|n| n.0)),
        key: column(numbers.iter().map(|n| n.1.as_str())),
        value: column(numbers.iter().map(|n| n.2)),
    }
    .write(folder)?;
    records::CaseClaims {
        case: column(claims.iter().map(|c| c.0)),
        claim: column(claims.iter().map(|c| c.1.as_str())),
        measured: column(claims.iter().map(|c| c.2)),
        holds: column(claims.iter().map(|c| c.3)),
        reference: column(claims.iter().map(|c| c.4.as_str())),
    }
    .write(folder)?;
    Ok(Gathered { parts, numbers })
}

fn write(
    folder: &Path,
    experiment: &Experiment,
    cases: &[Case<Experiment>],
    outcomes: &[Outcome],
) -> Result<()> {
    let Gathered { parts, numbers } = gather(folder, cases, outcomes)?;
    let trends = trends(cases, &numbers);
    records::CaseTrends {
        setting: column(trends.iter().map(|t| t.setting.as_str())),
        stratum: column(trends.iter().map(|t| t.stratum.as_str())),
        key: column(trends.iter().map(|t| t.key.name())),
        spearman: column(trends.iter().map(|t| t.spearman)),
        falls: column(trends.iter().map(|t| t.falls)),
        medians: column(trends.iter().map(|t| t.medians.as_slice())),
        n: column(trends.iter().map(|t| t.n)),
        claim: column(trends.iter().map(|t| t.claim.map_or("", |c| c.statement))),
        holds: column(trends.iter().map(|t| t.claim.map(|c| c.holds))),
    }
    .write(folder)?;
    // Those that an earlier grid left in this folder would speak of other networks.
    for table in [records::CaseModifiers::path(folder), records::CaseAugmented::path(folder)] {
        let _ = std::fs::remove_file(table);
    }
    let replicates = replicates(cases, outcomes);
    if let Some(table) = shared::modifiers(&replicates)? {
        table.write(folder)?;
    }
    if let Some(table) = shared::augmented(&replicates)? {
        table.write(folder)?;
    }
    let compared = match &experiment.similarity {
        Some(_) => {
            compare(folder, experiment, cases, outcomes)?;
            &population::TABLES[..]
        }
        None => {
            // An earlier comparison would speak of other networks.
            for table in population::TABLES {
                let _ = std::fs::remove_file(folder.join(format!("tables/{table}.parquet")));
            }
            &[]
        }
    };
    let all = ["cases", "case_settings", "case_numbers", "case_claims", "case_trends"];
    let files = all.iter().chain(&["case_modifiers", "case_augmented"]).chain(compared);
    let files = files.map(|name| format!("tables/{name}.parquet"));
    let files: Vec<String> = files.filter(|file| folder.join(file).is_file()).collect();
    record_gathered(folder, experiment, parts, &files)
}

/// Compares the states and fixed points of networks on one text; writes the tables of a population.
fn compare(
    folder: &Path,
    experiment: &Experiment,
    cases: &[Case<Experiment>],
    outcomes: &[Outcome],
) -> Result<()> {
    let Some(Similarity { learned, ref compare }) = experiment.similarity else { return Ok(()) };
    let error = |s: &Summary| {
        let number = |key| s.get(key).unwrap_or(f64::NAN);
        (1.0 - number(keys::ACCURACY_NETWORK)) / (1.0 - number(keys::ACCURACY_MAJORITY))
    };
    let ended = (0..cases.len()).filter(|&i| outcomes[i].failure.is_none());
    let network = |i: usize| {
        let e = &cases[i].experiment;
        let about = About {
            case: i,
            name: &cases[i].name,
            cell: e.model.cell,
            units: e.model.units,
            smallest: e.fixed_points.finder.smallest(),
            error: error(&Summary::read(&outcomes[i].folder)?),
        };
        Network::read(about, &outcomes[i].folder)
    };
    let networks: Vec<Network> = ended.map(network).collect::<Result<_>>()?;
    let asked = Asked { cases: cases.len(), learned, similarity: compare, seed: experiment.seed };
    let found = population::compared(folder, &networks, &asked, "states.most")?;
    let classes = outcomes.iter().find(|o| o.failure.is_none()).map_or(Ok(0), |o| {
        let corpus = crate::corpus::store::about(&o.folder)?;
        Ok::<_, crate::Error>(corpus.0.len())
    })?;
    let mut claims = found.universal(experiment.seed)?;
    claims.extend(found.shared_dimension(classes, experiment.seed));
    write_claims(&claims, folder)?;
    text::write_notes(folder, &found.notes)?;
    Ok(())
}

/// Folders of the cases that ended well, those together that differ by their seed alone.
fn replicates<'a>(
    cases: &[Case<Experiment>],
    outcomes: &'a [Outcome],
) -> Vec<(String, Vec<&'a Path>)> {
    let ended = (0..cases.len()).filter(|&i| outcomes[i].failure.is_none());
    let folders =
        |members: Vec<usize>| members.iter().map(|&i| outcomes[i].folder.as_path()).collect();
    grouped(cases, ended, &["seed"]).into_iter().map(|(name, m)| (name, folders(m))).collect()
}

/// Cases with the same settings along the grid's axes but for those left out, in the order they come.
fn grouped(
    cases: &[Case<Experiment>],
    members: impl Iterator<Item = usize>,
    left_out: &[&str],
) -> Vec<(String, Vec<usize>)> {
    let mut groups: Vec<(String, Vec<usize>)> = Vec::new();
    for i in members {
        let others = cases[i].settings.iter().filter(|(s, _)| !left_out.contains(&s.as_str()));
        let others: Vec<String> = others.map(|(s, value)| format!("{s} = {value}")).collect();
        let name = others.join(", ");
        match groups.iter_mut().find(|g| g.0 == name) {
            Some((_, group)) => group.push(i),
            None => groups.push((name, vec![i])),
        }
    }
    groups
}

/// Summary numbers that are followed along an axis.
const FOLLOWED: [Key<f64>; 5] = [
    keys::ACCURACY_NETWORK,
    keys::DIMENSION_PREDICTED_SCALED,
    keys::DIMENSION_STATES,
    keys::DIMENSION_FIXED_POINTS,
    keys::FIXED_POINTS_SLOW_MODES,
];

/// Those that a paper speaks of, followed in networks that are otherwise alike too.
const CLAIMED: [Key<f64>; 2] = [keys::DIMENSION_PREDICTED_SCALED, keys::DIMENSION_STATES];
/// A penalty takes all dimensions away somewhere on a grid that spans this factor.
const WIDE: f64 = 100.0;

/// How a number changes along an axis of the grid, in the order of its values.
struct Trend {
    setting: String,
    /// The settings that the cases share along the other axes; empty for all of them together.
    stratum: String,
    key: Key<f64>,
    /// Rank correlation of the number with the value's place on the axis.
    spearman: f64,
    /// Whether the median over the other axes falls from each value to the next.
    falls: bool,
    /// The axis.
    values: Vec<String>,
    medians: Vec<f64>,
    n: usize,
    claim: Option<Claim>,
}

/// What a paper says of a number along an axis, and whether it is so.
#[derive(Clone, Copy)]
struct Claim {
    statement: &'static str,
    holds: bool,
}

/// Judges the trends that a paper speaks of (G13 and G15, arXiv:2010.15114).
fn judge(trends: &mut [Trend]) {
    for i in 0..trends.len() {
        let Trend { setting, stratum, key, spearman, falls, values, .. } = &trends[i];
        let apart = trends.iter().any(|t| t.setting == *setting && !t.stratum.is_empty());
        if *key != keys::DIMENSION_STATES || (apart && stratum.is_empty()) {
            continue;
        }
        // Claimed of classes that are more and more alike: the counts must say that they are.
        let is_level = || {
            let beside = |t: &&Trend| t.setting == *setting && t.stratum == *stratum;
            let mut beside = trends.iter().filter(beside);
            beside.any(|t| t.key == keys::DIMENSION_PREDICTED_SCALED && t.falls)
        };
        let claim = match setting.as_str() {
            "training.penalty" if wide(values) => Some(Claim {
                statement: "G13: falls as the penalty grows, rank correlation at most -.8",
                holds: *spearman <= -0.8,
            }),
            "corpus.source" if is_level() => Some(Claim {
                statement: "G15: falls as classes share more evidence",
                holds: *falls,
            }),
            _ => None,
        };
        trends[i].claim = claim;
    }
}

/// Whether penalties over all weights are a factor [`WIDE`] or more apart.
fn wide(values: &[String]) -> bool {
    let of = |value: &String| match ron::from_str(value) {
        Ok(Penalty::All(x)) => Some(x),
        _ => None,
    };
    let all: Option<Vec<f64>> = values.iter().map(of).collect();
    all.is_some_and(|all| all.last() >= all.first().map(|x| x * WIDE).as_ref())
}

/// A number along one axis of the grid, in some of its cases.
fn follow(
    cases: &[Case<Experiment>],
    axis: usize,
    (stratum, members): (&str, &[usize]),
    numbers: &[(usize, String, f64)],
    key: Key<f64>,
) -> Option<Trend> {
    let values = values(cases, axis);
    let place = |case: usize| values.iter().position(|v| *v == cases[case].settings[axis].1);
    let (places, found): (Vec<f64>, Vec<f64>) = numbers
        .iter()
        .filter(|n| n.1 == key.name() && members.contains(&n.0))
        .map(|n| (place(n.0).expect("every value is listed") as f64, n.2))
        .unzip();
    let middle = |v: usize| {
        let here = places.iter().zip(&found).filter(|(place, _)| **place == v as f64);
        summary::median(&here.map(|(_, x)| *x).collect::<Vec<f64>>())
    };
    let medians = (0..values.len()).map(middle).collect::<Option<Vec<f64>>>()?;
    Some(Trend {
        setting: cases[0].settings[axis].0.clone(),
        stratum: stratum.into(),
        key,
        spearman: summary::spearman(&places, &found),
        falls: medians.windows(2).all(|m| m[1] < m[0]),
        values,
        medians,
        n: found.len(),
        claim: None,
    })
}

/// The values of an axis, in the order of the grid.
fn values(cases: &[Case<Experiment>], axis: usize) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    for case in cases {
        let value = &case.settings[axis].1;
        if !values.contains(value) {
            values.push(value.clone());
        }
    }
    values
}

/// Along every axis of three values or more, but not seeds and cells, which have no order: over all
/// cases, and over those that are otherwise alike.
fn trends(cases: &[Case<Experiment>], numbers: &[(usize, String, f64)]) -> Vec<Trend> {
    let mut all = Vec::new();
    let axes = cases.first().map_or(0, |c| c.settings.len());
    for axis in 0..axes {
        let setting = cases[0].settings[axis].0.as_str();
        if values(cases, axis).len() < 3 || ["seed", "model.cell"].contains(&setting) {
            continue;
        }
        let groups = grouped(cases, 0..cases.len(), &["seed", setting]);
        let whole: Vec<usize> = (0..cases.len()).collect();
        all.extend(
            FOLLOWED.into_iter().filter_map(|k| follow(cases, axis, ("", &whole), numbers, k)),
        );
        if groups.len() > 1 {
            for (stratum, members) in &groups {
                let own = |k: Key<f64>| follow(cases, axis, (stratum, members), numbers, k);
                all.extend(CLAIMED.into_iter().filter_map(own));
            }
        }
    }
    judge(&mut all);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn along(setting: &str, found: [f64; 6], predicted: [f64; 3]) -> Vec<Trend> {
        let values = ["All(1e-3)", "All(1e-2)", "All(1e-1)"].repeat(2);
        let cases: Vec<Case<Experiment>> = values
            .iter()
            .map(|value| Case {
                name: String::new(),
                settings: vec![(setting.into(), (*value).into())],
                experiment: Experiment::default(),
            })
            .collect();
        let of = |key: Key<f64>, i: usize, x: f64| (i, key.name().to_string(), x);
        let mut numbers: Vec<_> = (0..6).map(|i| of(keys::DIMENSION_STATES, i, found[i])).collect();
        numbers.extend((0..6).map(|i| of(keys::DIMENSION_PREDICTED_SCALED, i, predicted[i % 3])));
        trends(&cases, &numbers)
    }

    fn verdict(trends: &[Trend]) -> Option<(Key<f64>, bool)> {
        let of: Vec<_> = trends.iter().filter_map(|t| t.claim.map(|c| (t.key, c.holds))).collect();
        assert!(of.len() <= 1, "one number is claimed");
        of.first().copied()
    }

    #[test]
    fn what_is_claimed_along_an_axis_is_judged_by_its_numbers() {
        let falling = [2.0, 1.5, 1.0, 2.1, 1.4, 1.1];
        let level = [2.0, 1.9, 2.1, 2.0, 2.2, 1.9];
        let states = Some((keys::DIMENSION_STATES, true));
        let replicates = [3.0, 2.0, 1.0];
        assert_eq!(verdict(&along("training.penalty", falling, [1.0; 3])), states);
        // Ranks 1 2 3 twice against two falling triples: rho = −.956 by hand.
        let trend = &along("training.penalty", falling, [1.0; 3])[1];
        // The nearest rank of two is the upper one.
        assert_eq!(trend.medians, [2.1, 1.5, 1.1]);
        assert!((trend.spearman + 0.956).abs() < 5e-4, "{}", trend.spearman);
        let not = Some((keys::DIMENSION_STATES, false));
        assert_eq!(verdict(&along("training.penalty", level, [1.0; 3])), not);
        assert_eq!(verdict(&along("corpus.source", falling, replicates)), states);
        assert_eq!(verdict(&along("corpus.source", level, replicates)), not);
        // Corpora that share no more and more evidence: nothing is claimed of them.
        assert_eq!(verdict(&along("corpus.source", falling, [1.0, 2.0, 3.0])), None);
        assert_eq!(verdict(&along("model.units", falling, replicates)), None);
    }

    /// Two cells of which one falls: together they have no verdict, each has its own.
    #[test]
    fn networks_are_judged_with_those_that_are_otherwise_alike() {
        let judged = |penalties: [&str; 3]| -> Vec<(String, bool)> {
            let mut cases = Vec::new();
            let mut numbers = Vec::new();
            for (cell, found) in [("Gru", [3.0, 2.0, 1.0]), ("Lstm", [1.0, 2.0, 3.0])] {
                for (penalty, x) in penalties.iter().zip(found) {
                    numbers.push((cases.len(), keys::DIMENSION_STATES.name().to_string(), x));
                    let set = |name: &str, value: &str| (name.to_string(), value.to_string());
                    cases.push(Case {
                        name: String::new(),
                        settings: vec![set("model.cell", cell), set("training.penalty", penalty)],
                        experiment: Experiment::default(),
                    });
                }
            }
            let trends = trends(&cases, &numbers);
            assert_eq!((trends[0].stratum.as_str(), trends[0].spearman), ("", 0.0));
            let of = |t: &Trend| t.claim.map(|c| (t.stratum.clone(), c.holds));
            trends.iter().filter_map(of).collect()
        };
        let expected = [("model.cell = Gru".into(), true), ("model.cell = Lstm".into(), false)];
        assert_eq!(judged(["All(1e-3)", "All(1e-2)", "All(1e-1)"]), expected);
        // Penalties of about one size say nothing of a collapse.
        assert_eq!(judged(["All(5e-3)", "All(1e-2)", "All(2e-2)"]), []);
    }
}
