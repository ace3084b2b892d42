//! Parts of a sweep, and how the whole of it stands: `accrue run --part`, `accrue status`, `accrue gather`.

use super::terminal::{outln, say};
use super::{Common, run, terminal};
use crate::engine::Part;
use crate::engine::sweep::{Frozen, Heard, Plan, Writer, heard, plans};
use crate::experiment::Study;
use crate::report::escape::on_a_line;
use crate::studies::grid::{self, Outcome, Progress};
use crate::studies::sweep::Sweep;
use crate::{Error, Result, interrupt, train};
use clap::Args;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// Reads a file that asks for many networks.
///
/// # Errors
/// As [`Study::read`], and [`Error::Usage`] for a study that is no grid or population.
pub fn read(file: &Path, common: &Common) -> Result<Sweep> {
    Sweep::of(Study::read(file, &common.set)?, common.seed)?.ok_or_else(|| {
        Error::Usage(format!(
            "{}: parts are for grids and populations; `accrue run` makes this study whole",
            file.display()
        ))
    })
}

/// Whether an engine started this process as a task of an array.
pub fn is_task() -> bool {
    ["HQ_TASK_ID", "SLURM_ARRAY_TASK_ID"].iter().any(|name| std::env::var_os(name).is_some())
}

/// The part that a command line or an engine asks for: `3/20`; `all` is no part, whatever an engine says.
///
/// # Errors
/// [`Error::Usage`] for what is none.
pub fn asked(given: Option<&str>, cases: usize, common: &Common) -> Result<Option<Part>> {
    match given {
        Some("all") => Ok(None),
        Some(text) => text.parse().map(Some),
        None => {
            let found = Part::of_environment(|name| std::env::var(name).ok(), cases)?;
            Ok(found.map(|(part, variable)| {
                say(common.quiet, format!("part {part}, as {variable} says (`--part all`: all)"));
                part
            }))
        }
    }
}

/// Makes the networks of one part.
///
/// * `id`: the plan that `accrue submit` wrote; `None`: parts by hand, which share one
///
/// # Errors
/// [`Error::Input`] where the plan cannot be followed, or networks failed; [`Error::Interrupted`] if the end was asked for.
pub fn part(
    sweep: &Sweep,
    (part, id): (Part, Option<&str>),
    plan: &grid::Plan,
    common: &Common,
) -> Result<()> {
    let (folder, key) = (sweep.folder(plan.out), sweep.key());
    let frozen = match id {
        Some(id) => Frozen::of(&folder, id, &key)?,
        None => Frozen::by_hand(&folder, &key, || {
            let costs = sweep.costs(&sweep.made(plan.out));
            let all = (0..sweep.len()).collect();
            Ok(Plan::new(key.clone(), all, costs.seconds, costs.measured))
        })?,
    };
    let share = frozen.plan.share(part);
    let seconds: f64 = share.iter().map(|&i| frozen.plan.expected(i)).sum();
    say(
        common.quiet,
        format!(
            "part {part}: {} of {} networks, about {}",
            share.len(),
            sweep.len(),
            told(seconds / plan.jobs as f64, frozen.plan.measured)
        ),
    );
    let writer = Writer::begin(&frozen, part, plan.jobs, job())?;
    let progress = Told { writer, cases: terminal::Cases::new(common.quiet), quiet: common.quiet };
    let outcomes = sweep.make(&share, plan, &progress)?;
    let failed = outcomes.iter().filter(|o| o.failure.is_some()).count();
    let made = outcomes.len() - failed;
    outln!(
        "part {part}: {made} of {} networks are there; `accrue gather` makes the page",
        outcomes.len()
    );
    match failed {
        0 => Ok(()),
        _ => Err(Error::input(
            folder.display(),
            format!("part {part}"),
            format!("{failed} networks failed"),
            "the others are saved; `accrue status` says why, `accrue retry` makes them again",
        )),
    }
}

/// What the engine calls this task; empty where none started it.
fn job() -> String {
    let of = |name: &str| std::env::var(name).ok();
    if let (Some(job), Some(task)) = (of("HQ_JOB_ID"), of("HQ_TASK_ID")) {
        return format!("hyperqueue {job}@{task}");
    }
    match (of("SLURM_ARRAY_JOB_ID"), of("SLURM_ARRAY_TASK_ID"), of("SLURM_JOB_ID")) {
        (Some(job), Some(task), _) => format!("slurm {job}_{task}"),
        (_, _, Some(job)) => format!("slurm {job}"),
        _ => String::new(),
    }
}

/// Seconds as people say them, and what they were measured on.
pub fn told(seconds: f64, measured: usize) -> String {
    match measured {
        0 => format!("{} (an estimate: nothing was measured yet)", time(seconds)),
        n => format!("{} (measured on {n} networks)", time(seconds)),
    }
}

/// `40 s`, `12 min`, `3.5 h`.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 99.5 => format!("{s:.0} s"),
        s if s < 5940.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// Tells the terminal and the journal.
struct Told {
    writer: Writer,
    cases: terminal::Cases,
    quiet: bool,
}

impl Progress for Told {
    fn note(&self, note: &str) {
        self.cases.note(note);
    }

    fn began(&self, case: &str) {
        self.writer.begins(case);
    }

    fn waits(&self, case: &str, holder: &str) {
        let line = format!("{case}: {holder} works on it; waiting until it is done or silent");
        say(self.quiet, line);
    }

    fn ended(&self, done: usize, cases: usize, case: &str, outcome: &Outcome, seconds: f64) {
        // Whoever is asked to end puts its cases down: none of them has failed.
        match outcome.failure.is_some() && interrupt::requested() {
            true => self.writer.stopped(case),
            false => self.writer.ended(case, seconds, outcome.failure.as_deref()),
        }
        self.cases.ended(done, cases, case, outcome, seconds);
    }

    fn training(&self, networks: usize) -> Box<dyn train::Watch> {
        self.cases.training(networks)
    }
}

/// What the folders of a sweep say.
pub struct Standing {
    /// Seconds that each network took, where it is done.
    pub made: Vec<Option<f64>>,
    /// Why networks failed, by name; those that are done, or worked on again, are not here.
    pub failed: BTreeMap<String, String>,
    /// Parts that were heard of, with their plans.
    pub parts: Vec<(Frozen, Heard)>,
}

impl Standing {
    /// Reads the folders.
    ///
    /// # Errors
    /// [`Error::Io`] where they cannot be read.
    pub fn read(sweep: &Sweep, out: &Path) -> Result<Self> {
        let mut parts = Vec::new();
        for frozen in plans(&sweep.folder(out), &sweep.key())? {
            let of = heard(&frozen.folder)?;
            parts.extend(of.into_iter().map(|heard| (frozen.clone(), heard)));
        }
        // The last word counts.
        parts.sort_by_key(|(_, heard)| std::cmp::Reverse(heard.ago));
        let made = sweep.made(out);
        let mut failed = BTreeMap::new();
        for (_, heard) in &parts {
            for ended in &heard.journal.ended {
                match ended.failure.is_empty() {
                    true => failed.remove(&ended.case),
                    false => failed.insert(ended.case.clone(), ended.failure.clone()),
                };
            }
            if heard.lives() {
                heard.journal.working.iter().for_each(|w| {
                    failed.remove(&w.case);
                });
            }
        }
        for (i, _) in made.iter().enumerate().filter(|(_, made)| made.is_some()) {
            failed.remove(sweep.name(i));
        }
        Ok(Self { made, failed, parts })
    }

    /// Networks that are done.
    pub fn done(&self) -> usize {
        self.made.iter().flatten().count()
    }

    /// Networks that parts at work have in their share, done or not.
    ///
    /// * `of`: the plans that are asked about
    pub fn in_work(&self, of: impl Fn(&Frozen) -> bool) -> HashSet<usize> {
        let living = self.parts.iter().filter(|(frozen, heard)| heard.lives() && of(frozen));
        living
            .flat_map(|(frozen, heard)| {
                frozen.plan.share(Part { number: heard.journal.part, of: heard.journal.of })
            })
            .collect()
    }
}

/// How the networks of a grid or a population stand: done, running, failed and why, time left
///
/// Reads the runs' folders alone, on any machine that sees them; no engine is asked.
#[derive(Args, Debug)]
pub struct Status {
    /// The experiment file
    #[arg(value_name = "FILE.ron")]
    file: PathBuf,
    /// Most networks and parts that are listed by name
    #[arg(long, default_value_t = 10, value_name = "N")]
    list: usize,
}

impl Status {
    pub fn go(self, common: &Common) -> Result<()> {
        let sweep = read(&self.file, common)?;
        let standing = Standing::read(&sweep, &common.out)?;
        let costs = sweep.costs(&standing.made);
        let (study, name) = sweep.place();
        let living: Vec<&(Frozen, Heard)> =
            standing.parts.iter().filter(|(_, heard)| heard.lives()).collect();
        let working: HashMap<&str, &Heard> = living
            .iter()
            .flat_map(|(_, heard)| {
                heard.journal.working.iter().map(move |w| (w.case.as_str(), heard))
            })
            .collect();
        let running = (0..sweep.len())
            .filter(|&i| standing.made[i].is_none() && working.contains_key(sweep.name(i)));
        let running: Vec<&str> = running.map(|i| sweep.name(i)).collect();
        let (done, failed) = (standing.done(), standing.failed.len());
        let waiting = sweep.len().saturating_sub(done + failed + running.len());
        outln!("{study}/{name}: {} networks", sweep.len());
        outln!("  done    {done:>6}");
        outln!("  running {:>6}  in {} parts at work", running.len(), living.len());
        outln!("  failed  {failed:>6}");
        outln!("  waiting {waiting:>6}");
        if done < sweep.len() {
            outln!("  {}", left(&sweep, &standing, &living, &costs.seconds, costs.measured));
        }
        let shown = |all: usize| match all > self.list {
            true => format!(", {} of {all} shown (`--list {all}`: all)", self.list),
            false => String::new(),
        };
        if !running.is_empty() {
            outln!("running{}:", shown(running.len()));
        }
        for case in running.iter().take(self.list) {
            let heard = working[case];
            let since =
                heard.journal.working.iter().find(|w| w.case == *case).map_or(0, |w| w.since);
            // Both times are of the node's own clock.
            let seconds = heard.journal.at.saturating_sub(since) + heard.ago.as_secs();
            outln!(
                "  {case}  {} on {}, part {}",
                time(seconds as f64),
                heard.journal.host,
                heard.journal.part
            );
        }
        if failed > 0 {
            outln!("failed{}:", shown(failed));
        }
        for (case, reason) in standing.failed.iter().take(self.list) {
            outln!("  {case}: {}", on_a_line(reason));
        }
        self.lost(&standing, &sweep);
        Ok(())
    }

    /// Parts that ended without a word, and clocks that are apart.
    fn lost(&self, standing: &Standing, sweep: &Sweep) {
        let made: HashSet<&str> = (0..sweep.len())
            .filter(|&i| standing.made[i].is_some())
            .map(|i| sweep.name(i))
            .collect();
        let lost: Vec<&Heard> = standing
            .parts
            .iter()
            .map(|(_, heard)| heard)
            .filter(|h| {
                !h.lives() && h.journal.working.iter().any(|w| !made.contains(w.case.as_str()))
            })
            .collect();
        for heard in lost.iter().take(self.list) {
            let j = &heard.journal;
            let job = if j.job.is_empty() { String::new() } else { format!(", {}", j.job) };
            outln!(
                "part {} of {} on {} (process {}{job}) was last heard of {} ago, at {}: `accrue retry`",
                j.part,
                j.of,
                j.host,
                j.process,
                time(heard.ago.as_secs_f64()),
                j.working.iter().map(|w| w.case.as_str()).collect::<Vec<_>>().join(", ")
            );
        }
        let apart: BTreeMap<&str, i64> = standing
            .parts
            .iter()
            .filter_map(|(_, heard)| Some((heard.journal.host.as_str(), heard.ahead?)))
            .collect();
        for (host, seconds) in apart {
            let way = if seconds > 0 { "ahead of" } else { "behind" };
            let by = time(seconds.unsigned_abs() as f64);
            outln!(
                "the clock of {host} is {by} {way} the file system's; times above go by the file system's"
            );
        }
    }
}

/// One line on the time left.
fn left(
    sweep: &Sweep,
    standing: &Standing,
    living: &[&(Frozen, Heard)],
    seconds: &[f64],
    measured: usize,
) -> String {
    let missing = |&i: &usize| standing.made[i].is_none();
    let of_part = |(frozen, heard): &(Frozen, Heard)| -> f64 {
        let share = frozen.plan.share(Part { number: heard.journal.part, of: heard.journal.of });
        let all: f64 = share.iter().filter(|&i| missing(i)).map(|&i| seconds[i]).sum();
        // What runs has done some of it.
        let spent = heard.journal.working.iter().map(|w| heard.journal.at.saturating_sub(w.since));
        (all - spent.sum::<u64>() as f64).max(0.0) / heard.journal.jobs.max(1) as f64
    };
    let longest = living.iter().map(|part| of_part(part)).fold(0.0, f64::max);
    let covered = standing.in_work(|_| true);
    let idle: Vec<usize> =
        (0..sweep.len()).filter(|i| missing(i) && !covered.contains(i)).collect();
    let alone: f64 = idle.iter().map(|&i| seconds[i]).sum();
    let mut parts = Vec::new();
    if !living.is_empty() {
        parts.push(format!("left    about {} in the parts at work", told(longest, measured)));
    }
    if !idle.is_empty() {
        parts.push(format!(
            "{} networks are in no part at work: {} on one core",
            idle.len(),
            told(alone, measured)
        ));
    }
    parts.join("\n  ")
}

/// Gather tables and page of a grid or a population from what is there
///
/// Works at any time: what is missing is counted, and stands in the page with its reason.
#[derive(Args, Debug)]
pub struct Gather {
    /// The experiment file
    #[arg(value_name = "FILE.ron")]
    file: PathBuf,
}

impl Gather {
    pub fn go(self, common: &Common) -> Result<()> {
        let sweep = read(&self.file, common)?;
        let standing = Standing::read(&sweep, &common.out)?;
        let reasons = standing.failed.into_iter().collect();
        let (folder, missing) = sweep.gather(&common.out, &reasons)?;
        run::list(common)?;
        outln!("{}", folder.join("index.html").display());
        let (all, failed) = (sweep.len(), reasons.len());
        outln!(
            "  {} of {all} networks gathered, {missing} missing ({failed} failed)",
            all - missing
        );
        Ok(())
    }
}
