//! `accrue run FILE.ron`.

use super::terminal::{out, outln};
use super::{Common, sweep, terminal};
use crate::engine::{self, Part};
use crate::experiment::{Experiment, Study, superseded};
use crate::notation::counted;
use crate::report::{self, Summary, index};
use crate::studies::sweep::Sweep;
use crate::studies::text::{self, Options};
use crate::studies::{embedding, gating, grid, optimiser, population, recording, switching, task};
use crate::summary;
use crate::{Error, Result, train};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub struct Run {
    /// The experiment file
    #[arg(value_name = "FILE.ron")]
    file: PathBuf,
    /// Run this stage again, and those that read it; repeatable
    #[arg(long, value_name = "STAGE")]
    force: Vec<String>,
    /// Networks of a grid that are trained side by side [default: one a thread]
    #[arg(long, value_name = "N")]
    jobs: Option<usize>,
    /// Only this part of a grid or population; `all`: all of it, also where Slurm or HyperQueue started this
    /// [default: as SLURM_ARRAY_TASK_ID or HQ_TASK_ID says, else all]
    #[arg(long, value_name = "I/N")]
    part: Option<String>,
    /// A disk of this machine alone, as $TMPDIR of a node: stages are made there and copied below --out when they are
    /// done, which asks a shared file system for less
    #[arg(long, value_name = "DIR")]
    scratch: Option<PathBuf>,
    /// The plan of `accrue submit` that the part belongs to
    #[arg(long, value_name = "ID", requires = "part", hide = true)]
    sweep: Option<String>,
    /// Print summary.json instead of the headline; of many networks their number and the claims
    #[arg(long)]
    json: bool,
}

/// Most networks that are trained side by side.
const MOST_JOBS: usize = 1024;

impl Run {
    pub fn go(self, common: &Common) -> Result<()> {
        common.end_safely();
        for note in superseded(&self.file)? {
            terminal::say(common.quiet, note);
        }
        let _scratch = self.scratch.as_deref().map(engine::work_on).transpose()?;
        if self.is_part(common)? {
            return Ok(());
        }
        let mut watch = Watch::new(common.quiet);
        let options =
            Options { data: &common.data, out: &common.out, force: &self.force, watch: &mut watch };
        let folder = match Study::read(&self.file, &common.set)? {
            Study::Task(mut experiment) => {
                experiment.seed = common.seed.unwrap_or(experiment.seed);
                task::run(&experiment, options)?
            }
            Study::LearnedOptimiser(mut experiment) => {
                experiment.seed = common.seed.unwrap_or(experiment.seed);
                optimiser::run(&experiment, options)?
            }
            Study::MetaModel(mut experiment) => {
                experiment.seed = common.seed.unwrap_or(experiment.seed);
                embedding::run(&experiment, options)?
            }
            Study::Population(mut population) => {
                population.seed = common.seed.unwrap_or(population.seed);
                let (plan, progress) = (self.plan(common)?, terminal::Cases::new(common.quiet));
                let (folder, failed) = population::run(&population, &plan, &progress)?;
                return self.gathered(&folder, failed, common);
            }
            Study::Switching(mut experiment) => {
                experiment.seed = common.seed.unwrap_or(experiment.seed);
                switching::run(&experiment, options)?
            }
            Study::Gating(mut study) => {
                study.seed = common.seed.unwrap_or(study.seed);
                let (plan, progress) = (self.plan(common)?, terminal::Cases::new(common.quiet));
                let (folder, failed) = gating::run(&study, &plan, &progress)?;
                let found = report::gating::finding(&folder)?;
                return self.gathered_with(&folder, failed, Some(found), common);
            }
            Study::Recording(mut study) => {
                study.seed = common.seed.unwrap_or(study.seed);
                let (plan, progress) = (self.plan(common)?, terminal::Cases::new(common.quiet));
                let (folder, failed) = recording::run(&study, &plan, &progress)?;
                let found = report::recording::finding(&folder)?;
                return self.gathered_with(&folder, failed, Some(found), common);
            }
            Study::Text(mut experiment) => {
                experiment.seed = common.seed.unwrap_or(experiment.seed);
                if !experiment.grid.is_empty() {
                    return self.grid(&experiment, common);
                }
                text::run(&experiment, options)?
            }
        };
        finished(&folder, self.json, common)
    }

    /// Makes a part where one is asked for; whether there is nothing else to do.
    fn is_part(&self, common: &Common) -> Result<bool> {
        if self.part.is_none() && !sweep::is_task() {
            return Ok(false);
        }
        let Some(many) = Sweep::of(Study::read(&self.file, &common.set)?, common.seed)? else {
            // One network is the first part's.
            let Some(part) = self.part.as_deref().filter(|part| *part != "all") else {
                return Ok(false);
            };
            let part: Part = part.parse()?;
            if part.number > 1 {
                outln!("part {part}: one network, which part 1 makes; nothing to do");
            }
            return Ok(part.number > 1);
        };
        let Some(part) = sweep::asked(self.part.as_deref(), many.len(), common)? else {
            return Ok(false);
        };
        sweep::part(&many, (part, self.sweep.as_deref()), &self.plan(common)?, common)?;
        Ok(true)
    }

    /// Every combination of a grid.
    fn grid(&self, experiment: &Experiment, common: &Common) -> Result<()> {
        let (plan, progress) = (self.plan(common)?, terminal::Cases::new(common.quiet));
        let (folder, failed) = grid::run(experiment, &plan, &progress)?;
        self.gathered(&folder, failed, common)
    }

    fn plan<'a>(&'a self, common: &'a Common) -> Result<grid::Plan<'a>> {
        let jobs = self.jobs.unwrap_or_else(rayon::current_num_threads);
        if !(1..=MOST_JOBS).contains(&jobs) {
            return Err(Error::Usage(format!("--jobs {jobs}: at least 1, at most {MOST_JOBS}")));
        }
        Ok(grid::Plan { data: &common.data, out: &common.out, force: &self.force, jobs })
    }

    fn gathered(&self, folder: &Path, failed: usize, common: &Common) -> Result<()> {
        let told = told(folder, common)?;
        self.gathered_with(folder, failed, told, common)
    }

    /// Lists many networks with the other runs, and says where their page is and what was found.
    fn gathered_with(
        &self,
        folder: &Path,
        failed: usize,
        found: Option<String>,
        common: &Common,
    ) -> Result<()> {
        list(common)?;
        if self.json {
            outln!("{}", of_many(folder, failed)?);
        } else {
            outln!("{}", folder.join("index.html").display());
            found.iter().for_each(|found| outln!("{found}"));
        }
        if failed > 0 {
            let table = crate::records::Cases::path(folder);
            let remedy = "the others stand; mend the setting and run again";
            return Err(Error::input(
                table.display(),
                "",
                format!("{failed} cases failed"),
                remedy,
            ));
        }
        Ok(())
    }
}

/// Writes the list of all runs; where nothing can be written it stays as it is, and that is said.
pub(super) fn list(common: &Common) -> Result<()> {
    for below in ["", "figures", "tables", "assets"] {
        crate::files::sweep(&common.out.join(below));
    }
    match index::write(&common.out, summary::pearson) {
        Err(Error::Io { path, source }) if !writable(&source) => {
            let line =
                format!("the list of all runs stays as it was: {}: {source}", path.display());
            terminal::say(common.quiet, line);
            Ok(())
        }
        done => done.map(|_| ()),
    }
}

/// Whether an error is another one than that of a disk, or folder, that is for reading alone.
fn writable(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    !matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem)
}

/// Many networks as JSON: where their page is, how many there are, and what was claimed. What is no number is null.
fn of_many(folder: &Path, failed: usize) -> Result<String> {
    let cases = crate::records::Cases::read(folder)?.height();
    let mut claims = Vec::new();
    if crate::records::Claims::is_in(folder) {
        let table = crate::records::Claims::read(folder)?;
        let (claim, statement) = (table.claim()?, table.statement()?);
        let (measured, low, high) = (table.measured()?, table.low()?, table.high()?);
        let (n, holds) = (table.n()?, table.holds()?);
        claims.extend((0..claim.len()).map(|i| {
            serde_json::json!({
                "claim": claim[i], "statement": statement[i], "measured": measured[i], "low": low[i], "high": high[i],
                "n": n[i], "holds": holds[i],
            })
        }));
    }
    let page = folder.join("index.html").display().to_string();
    let all = serde_json::json!({"page": page, "cases": cases, "failed": failed, "claims": claims});
    Ok(serde_json::to_string_pretty(&all).expect("text, numbers and lists are plain"))
}

/// How many claims hold over many networks; what is to be said of them goes to the terminal.
fn told(folder: &Path, common: &Common) -> Result<Option<String>> {
    if let Some(notes) = crate::records::Notes::read_if_there(folder)? {
        for note in notes.note()? {
            terminal::say(common.quiet, format!("note: {note}"));
        }
    }
    let Some(claims) = crate::records::Claims::read_if_there(folder)? else { return Ok(None) };
    let holds = claims.holds()?;
    let held = holds.iter().filter(|h| **h).count();
    Ok((!holds.is_empty()).then(|| format!("  claims       {held} of {} hold", holds.len())))
}

/// Lists a finished run with the others, and says where its report is and what it found.
pub fn finished(folder: &Path, json: bool, common: &Common) -> Result<()> {
    list(common)?;
    let summary = Summary::read(folder)?;
    if json {
        out!("{}", summary.to_json());
    } else {
        outln!("{}", folder.join("index.html").display());
        outln!("{}", summary.headline());
    }
    Ok(())
}

/// Says which stage runs.
pub struct Watch {
    quiet: bool,
    bar: terminal::Steps,
}

impl Watch {
    pub fn new(quiet: bool) -> Self {
        Self { quiet, bar: terminal::Steps::new(quiet) }
    }
}

impl text::Watch for Watch {
    fn left(&mut self, stages: &[String]) {
        if !stages.is_empty() {
            let line = format!(
                "{} of other settings left the folder ({}); they stay in the store",
                counted(stages.len(), "stage"),
                stages.join(", ").replace('_', " ")
            );
            terminal::say(self.quiet, line);
        }
    }

    fn begin(&mut self, _: &str) {
        self.bar.begin();
    }

    fn passed(&mut self, stage: &str, ran: Option<f64>) {
        let shown = stage.replace('_', " ");
        terminal::say(
            self.quiet,
            match ran {
                Some(seconds) => format!("{shown:<13} {seconds:>7.1} s"),
                None => format!("{shown:<13} in place"),
            },
        );
    }

    fn note(&mut self, note: &str) {
        terminal::say(self.quiet, format!("note: {note}"));
    }

    fn progress(&mut self, what: &str, done: usize, of: usize) {
        self.bar.show(what, done, of);
    }

    fn training(&mut self) -> Box<dyn train::Watch + '_> {
        Box::new(terminal::Training::new(self.quiet))
    }
}
