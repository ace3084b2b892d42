//! `accrue submit` and `accrue retry`: the parts of a sweep as a script for an engine.

mod script;

use super::Common;
use super::sweep::{Standing, read, time, told};
use super::terminal::{errln, out, outln, say};
use crate::engine::sweep::{Frozen, Plan, plans};
use crate::engine::{MOST_PARTS, Part};
use crate::files::replace;
use crate::report::escape::on_a_line;
use crate::studies::sweep::Sweep;
use crate::{Error, Result, notation};
use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Who starts the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
pub enum Engine {
    /// An array of jobs, by `sbatch`
    Slurm,
    /// An array of tasks, by `hq submit`
    Hyperqueue,
    /// Processes on this machine
    Local,
}

impl Engine {
    /// The program that sends to it.
    fn program(self) -> Option<&'static str> {
        match self {
            Self::Slurm => Some("sbatch"),
            Self::Hyperqueue => Some("hq"),
            Self::Local => None,
        }
    }

    /// Seconds that a part is to take where nobody says how many there are: many times what it costs to start one, about a
    /// second with Slurm and some milliseconds with HyperQueue.
    fn aim(self) -> f64 {
        match self {
            Self::Slurm => 300.0,
            Self::Hyperqueue | Self::Local => 60.0,
        }
    }
}

/// What each part gets, and from whom.
#[derive(Args, Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Resources {
    /// Who starts the parts
    #[arg(long)]
    engine: Engine,
    /// Parts [default: as many as take some minutes each]
    #[arg(long, value_name = "N")]
    parts: Option<usize>,
    /// Cores of a part: so many networks at once
    #[arg(long, default_value_t = 1, value_name = "N")]
    cpus: usize,
    /// Time limit of a part, as the engine takes it: 30 is half an hour to Slurm, 30min to HyperQueue
    #[arg(long, value_name = "LIMIT")]
    time: Option<String>,
    /// Memory of a part (Slurm), as 2G
    #[arg(long, value_name = "SIZE")]
    mem: Option<String>,
    /// Partition (Slurm)
    #[arg(long, value_name = "NAME")]
    partition: Option<String>,
    /// A disk of the node alone that networks are made on, as '$TMPDIR', which each node reads for itself
    #[arg(long, value_name = "DIR")]
    scratch: Option<String>,
    /// Any other option of `sbatch` or `hq submit`, as --option=--account=physics; repeatable
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true)]
    option: Vec<String>,
    /// Shell lines that every part runs first, as `module load …`
    #[arg(long, value_name = "FILE")]
    setup: Option<PathBuf>,
}

/// What was sent, beside its plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Submission {
    resources: Resources,
    parts: usize,
}

/// Name of a submission's file.
const SUBMISSION: &str = "submission.ron";

/// The file in which a script that was run keeps the engine's number of the parts' job.
const JOB: &str = "job";

/// Most bytes of a file of shell lines.
const LARGEST: u64 = 1 << 20;

/// Share out a grid or a population to the nodes of a cluster
///
/// Prints the script that sends the parts, and a job that gathers tables and page when they have ended; --go runs it.
/// Nodes need this program, the experiment file and the folders --out and --data under the same paths.
#[derive(Args, Debug)]
pub struct Submit {
    /// The experiment file
    #[arg(value_name = "FILE.ron")]
    file: PathBuf,
    #[command(flatten)]
    resources: Resources,
    /// Send it
    #[arg(long)]
    go: bool,
}

/// Send again what of a submitted grid or population is neither done nor in work
///
/// With the engine and the options of `accrue submit`; networks that failed are tried again.
#[derive(Args, Debug)]
pub struct Retry {
    /// The experiment file
    #[arg(value_name = "FILE.ron")]
    file: PathBuf,
    /// Parts [default: as many as take some minutes each]
    #[arg(long, value_name = "N")]
    parts: Option<usize>,
    /// Send it
    #[arg(long)]
    go: bool,
}

impl Submit {
    pub fn go(self, common: &Common) -> Result<()> {
        let sweep = read(&self.file, common)?;
        let made = sweep.made(&common.out);
        let all = (0..sweep.len()).collect();
        Sending { file: &self.file, sweep: &sweep, common, go: self.go }.send(
            self.resources,
            all,
            &made,
        )
    }
}

impl Retry {
    pub fn go(self, common: &Common) -> Result<()> {
        let sweep = read(&self.file, common)?;
        let standing = Standing::read(&sweep, &common.out)?;
        let known = plans(&sweep.folder(&common.out), &sweep.key())?;
        let sent: Vec<(Frozen, Submission)> = known
            .into_iter()
            .filter_map(|frozen| {
                let submission =
                    crate::engine::sweep::read(&frozen.folder.join(SUBMISSION)).ok()?;
                Some((frozen, submission))
            })
            .collect();
        let Some((_, last)) = sent.last() else {
            return Err(Error::Usage(format!(
                "{}: no `accrue submit` of these networks in {}; submit them first",
                self.file.display(),
                sweep.folder(&common.out).display()
            )));
        };
        // The engine knows best what it still has; of parts that it does not know, their journals speak.
        let mut busy = HashSet::new();
        let mut asked = HashSet::new();
        for (frozen, submission) in &sent {
            if let Some(cases) = waiting(frozen, submission) {
                busy.extend(cases);
                asked.insert(frozen.folder.clone());
            }
        }
        busy.extend(standing.in_work(|frozen| !asked.contains(&frozen.folder)));
        let missing: Vec<usize> =
            (0..sweep.len()).filter(|&i| standing.made[i].is_none()).collect();
        let members: Vec<usize> = missing.iter().copied().filter(|i| !busy.contains(i)).collect();
        let (done, held) = (standing.done(), missing.len() - members.len());
        say(common.quiet, format!("{done} of {} networks are done, {held} in work", sweep.len()));
        if members.is_empty() {
            outln!("nothing to send again");
            if held > 0 {
                outln!(
                    "parts that are gone are taken as such three minutes after their last sign of life"
                );
            }
            return Ok(());
        }
        let resources = Resources { parts: self.parts, ..last.resources.clone() };
        Sending { file: &self.file, sweep: &sweep, common, go: self.go }.send(
            resources,
            members,
            &standing.made,
        )
    }
}

/// Cases of a submission's parts that its engine still has, begun or not; `None` where it cannot be asked, or knows no such
/// job: Slurm forgets one some minutes after its end.
fn waiting(frozen: &Frozen, submission: &Submission) -> Option<HashSet<usize>> {
    let job = crate::files::text(&frozen.folder.join(JOB), LARGEST).ok()?;
    let job = job.trim();
    let tasks = match submission.resources.engine {
        Engine::Slurm => {
            answer("squeue", &["--noheader", "--array", "--format=%K", &format!("--job={job}")])
        }
        Engine::Hyperqueue => answer("hq", &["job", "task-ids", job, "--filter=waiting,running"]),
        Engine::Local => None,
    }?;
    let numbers = tasks.split([',', '\n', ' ']).flat_map(|text| {
        let (a, b) = text.trim().split_once('-').unwrap_or((text.trim(), text.trim()));
        match (a.parse::<usize>(), b.parse::<usize>()) {
            (Ok(a), Ok(b)) => a..b.saturating_add(1),
            _ => 0..0,
        }
    });
    let of = submission.parts;
    let parts = numbers.filter(|number| (1..=of).contains(number));
    Some(parts.flat_map(|number| frozen.plan.share(Part { number, of })).collect())
}

/// What a program says on its standard output, where it is there and ends well.
fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Largest number of a task in an array of Slurm, as its controller says.
fn largest_task() -> Option<usize> {
    let config = answer("scontrol", &["show", "config"])?;
    let line = config.lines().find(|line| line.trim_start().starts_with("MaxArraySize"))?;
    line.split('=').nth(1)?.trim().parse::<usize>().ok()?.checked_sub(1)
}

/// Parts on their way.
struct Sending<'a> {
    file: &'a Path,
    sweep: &'a Sweep,
    common: &'a Common,
    go: bool,
}

impl Sending<'_> {
    /// Puts the plan down, and prints or runs the script.
    fn send(self, resources: Resources, members: Vec<usize>, made: &[Option<f64>]) -> Result<()> {
        let Self { sweep, common, .. } = self;
        let engine = resources.engine;
        if self.go
            && let Some(program) = engine.program()
            && !is_there(program)
        {
            return Err(Error::Usage(format!(
                "--go: no `{program}` here; go to a machine that has it, or leave --go and run the script there"
            )));
        }
        let setup = match &resources.setup {
            Some(file) => crate::files::text(file, LARGEST)?,
            None => String::new(),
        };
        let costs = sweep.costs(made);
        let seconds: Vec<f64> = members.iter().map(|&i| costs.seconds[i]).collect();
        let total = seconds.iter().sum::<f64>() / resources.cpus.max(1) as f64;
        let parts = self.parts(&resources, members.len(), total)?;
        say(
            common.quiet,
            format!(
                "{} networks in {parts} parts, each about {}",
                members.len(),
                told(total / parts as f64, costs.measured)
            ),
        );
        let plan = Plan::new(sweep.key(), members, seconds, costs.measured);
        let frozen = Frozen::sent(&sweep.folder(&common.out), plan)?;
        let script = script::Script {
            sweep,
            common,
            file: &absolute(self.file)?,
            out: &absolute(&common.out)?,
            data: &absolute(&common.data)?,
            program: &std::env::current_exe().map_err(Error::io("this program"))?,
            folder: &absolute(&frozen.folder)?,
            setup: &setup,
            parts,
            cpus: resources.cpus,
            scratch: resources.scratch.as_deref(),
            time: resources.time.as_deref(),
            mem: resources.mem.as_deref(),
            partition: resources.partition.as_deref(),
            options: &resources.option,
        }
        .text(engine);
        let submission = Submission { resources, parts };
        let text = notation::to_ron(&submission);
        replace(&frozen.folder.join(SUBMISSION), text.as_bytes())?;
        if !self.go {
            out!("{script}");
            say(common.quiet, "nothing was sent: pipe this to bash, or say --go");
            return Ok(());
        }
        let path = frozen.folder.join("submit.sh");
        replace(&path, script.as_bytes())?;
        sent(&path, engine)?;
        outln!("`accrue status {}` says how it stands", self.file.display());
        Ok(())
    }

    /// How many parts: those asked for, or as many as take the engine's aim.
    fn parts(&self, resources: &Resources, networks: usize, total: f64) -> Result<usize> {
        let engine = resources.engine;
        if !(1..=1024).contains(&resources.cpus) {
            return Err(Error::Usage(format!(
                "--cpus {}: at least 1, at most 1024",
                resources.cpus
            )));
        }
        let most = match engine {
            Engine::Slurm => {
                let asked = largest_task();
                if asked.is_none() {
                    let line = "no `scontrol` here to ask for MaxArraySize: Slurm's own default is taken, 1000 tasks";
                    say(self.common.quiet, line);
                }
                asked.unwrap_or(1000)
            }
            Engine::Hyperqueue | Engine::Local => MOST_PARTS,
        };
        if let Some(parts) = resources.parts {
            if !(1..=MOST_PARTS).contains(&parts) {
                return Err(Error::Usage(format!(
                    "--parts {parts}: at least 1, at most {MOST_PARTS}"
                )));
            }
            let parts = parts.min(networks);
            if parts > most {
                return Err(Error::Usage(format!(
                    "--parts {parts}: Slurm here takes arrays up to {most} (MaxArraySize); give --parts {most}, each part \
                     then has more networks"
                )));
            }
            let each = total / parts as f64;
            if engine == Engine::Slurm && each < 30.0 {
                let line = format!(
                    "note: a part takes about {}, and a second goes by until Slurm has started it: fewer parts cost less",
                    time(each)
                );
                say(self.common.quiet, line);
            }
            return Ok(parts);
        }
        let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
        let parts = match engine {
            Engine::Local => (cores / resources.cpus).max(1),
            _ => (total / engine.aim()).ceil() as usize,
        };
        Ok(parts.clamp(1, networks.min(most)))
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(Error::io(path))
}

/// Whether a program of this name is in the path.
fn is_there(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Runs a script that sends parts.
fn sent(script: &Path, engine: Engine) -> Result<()> {
    if engine == Engine::Local {
        let status = Command::new("bash").arg(script).stdin(Stdio::null()).status();
        let status = status.map_err(Error::io("bash"))?;
        return match status.success() {
            true => Ok(()),
            false => Err(Error::input(
                script.display(),
                "",
                format!("ended with {status}"),
                "what is done stays: `accrue status` says how it stands, `accrue retry` goes on",
            )),
        };
    }
    let mut command = Command::new("bash");
    command.arg(script).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(Error::io("bash"))?;
    // A full queue makes `sbatch` try again for minutes: what it says meanwhile is for whoever waits.
    let mut problem = Vec::new();
    for line in BufReader::new(child.stderr.take().expect("it is a pipe")).lines() {
        let line = line.map_err(Error::io("bash"))?;
        errln!("{line}");
        problem.push(line);
    }
    let output = child.wait_with_output().map_err(Error::io("bash"))?;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    out!("{said}");
    if output.status.success() {
        return Ok(());
    }
    let problem = problem.join("; ");
    let job = said.lines().find_map(|line| line.strip_prefix("parts: job "));
    let remedy = match job {
        None => {
            "nothing was sent; wait until the queue has room, or ask for less, and submit again"
                .into()
        }
        Some(job) => {
            format!(
                "the parts were sent as job {job}; only gathering was not: `accrue gather` when they have ended"
            )
        }
    };
    Err(Error::input(engine.program().unwrap_or("bash"), "", on_a_line(&problem), remedy))
}
