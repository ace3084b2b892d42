//! What may be typed after `accrue`.

mod analyze;
mod card;
mod classify;
mod compare;
mod corpus;
mod explain;
mod predict;
mod report;
mod run;
mod submit;
mod sweep;
mod terminal;

use crate::{Error, Result};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// How a recurrent network that classifies text adds up evidence, and whether
/// word counts alone could have told.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  accrue run pipeline/experiments/quickstart.ron
  accrue run pipeline/experiments/imdb.ron --set training.epochs=3 --seed 2
  accrue run pipeline/experiments/tasks/memory.ron
  accrue run pipeline/experiments/population/quick.ron
  accrue predict ag_news
  accrue analyze gru.safetensors --corpus imdb --tokenizer tokenizer.json
  accrue compare reports/sst2/gru reports/imdb/gru
  accrue explain reports/imdb/gru \"not a bad film, but far too long\"
  accrue classify reports/imdb/gru new_reviews.csv --text review
  accrue predict reviews.csv --set corpus.source.label=stars";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment: tokenize, train, states, fixed_points, transitions, curves,
    /// geometry, predict, baselines, modes, context, claims, report
    Run(run::Run),
    Submit(submit::Submit),
    Status(sweep::Status),
    Retry(submit::Retry),
    Gather(sweep::Gather),
    Analyze(Box<analyze::Analyze>),
    /// List and describe the corpora known by name
    #[command(subcommand)]
    Corpus(corpus::Corpus),
    /// Predict the attractor's dimension and shape from word counts alone
    Predict(predict::Predict),
    /// What each word of a text says to a run's network, and to its bag of words
    Explain(explain::Explain),
    Classify(classify::Classify),
    Compare(compare::Compare),
    /// Write the report of a finished run or grid again, from its tables
    Report(report::Report),
    /// Remove stages from the store that no run holds any more
    ///
    /// Runs below --out share what they have in common in `.store/`: a thousand networks keep one corpus. When settings
    /// change or folders are removed, stages stay there that nobody reads.
    Prune {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Print what a shell needs to complete the words of this program
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
    /// Write man pages, one a command
    Man {
        /// Folder they go to
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Write the data dictionary (reports/README.md)
    #[command(hide = true)]
    Dictionary,
}

/// Options of every command.
#[derive(Args, Debug)]
pub struct Common {
    /// Folder of the corpora
    #[arg(long, global = true, env = "ACCRUE_DATA", default_value = "data", value_name = "DIR")]
    pub data: PathBuf,
    /// Folder of the runs
    #[arg(long, global = true, default_value = "reports", value_name = "DIR")]
    pub out: PathBuf,
    /// Where networks are trained and run: the processor, or NVIDIA's card N
    #[arg(long, global = true, default_value = "cpu", value_name = "cpu|cuda[:N]")]
    pub device: String,
    /// Threads; never changes a number, only the time [default: all cores]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<usize>,
    /// Seed of every random draw [default: the experiment's]; networks of a grid over `seed` have the seeds it lists
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Change one setting of the experiment, as `training.epochs=3`; repeatable
    #[arg(long, global = true, value_name = "PATH=VALUE")]
    pub set: Vec<String>,
    /// Say nothing on the way; results only
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Whether this runs within another program, whose signals are its own
    #[arg(skip)]
    within: bool,
}

/// Most threads that may be asked for; no machine has more cores, and each takes memory.
const MOST_THREADS: usize = 1024;

/// The program.
///
/// * `revision`: of the source it was built from; it goes into what runs record
pub fn main(revision: &str) -> ExitCode {
    ExitCode::from(status(revision, std::env::args_os().collect()))
}

/// The program with its words given, its own name first; returns its exit status. Words that make no sense, and
/// `--help`, end the process.
///
/// * `revision`: as for [`main`]
pub fn status(revision: &str, words: Vec<OsString>) -> u8 {
    crate::engine::built_from(revision);
    match Arguments::parse_from(words).go() {
        Ok(()) => 0,
        Err(error) => {
            terminal::errln!("accrue: {error}");
            // As a shell has it: 128 and the number of the signal that asked for the end.
            match (&error, crate::interrupt::signal()) {
                (Error::Interrupted(_), Some(signal)) => 128 + signal as u8,
                _ => error.exit_status(),
            }
        }
    }
}

impl Arguments {
    /// What was typed, for a program that goes on afterwards: signals are left to it, which may ask for an end by
    /// [`interrupt::request`](crate::interrupt::request).
    ///
    /// * `words`: the program's name first
    ///
    /// # Errors
    /// [`Error::Usage`] for words that make no sense.
    pub fn within(words: Vec<OsString>) -> Result<Self> {
        let mut read = Self::try_parse_from(words)
            .map_err(|refused| Error::Usage(refused.to_string().trim_end().to_string()))?;
        read.common.within = true;
        Ok(read)
    }

    /// Does what was asked.
    pub fn go(self) -> Result<()> {
        let common = self.common;
        common.prepare()?;
        match self.command {
            Command::Run(run) => run.go(&common),
            Command::Submit(submit) => submit.go(&common),
            Command::Status(status) => status.go(&common),
            Command::Retry(retry) => retry.go(&common),
            Command::Gather(gather) => gather.go(&common),
            Command::Analyze(analyze) => analyze.go(&common),
            Command::Corpus(corpus) => corpus.go(&common),
            Command::Predict(predict) => predict.go(&common),
            Command::Explain(explain) => explain.go(&common),
            Command::Classify(classify) => classify.go(&common),
            Command::Report(report) => report.go(&common),
            Command::Compare(compare) => compare.go(&common),
            Command::Prune { dry_run } => {
                let found = crate::engine::Store::of(&common.out).prune(dry_run)?;
                let done = if dry_run { "would be removed" } else { "removed" };
                let megabytes = found.bytes as f64 / 1e6;
                terminal::outln!(
                    "{} stages that no run holds {done}: {megabytes:.1} MB",
                    found.stages
                );
                Ok(())
            }
            Command::Completions { shell } => {
                let mut words = Arguments::command();
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut words, "accrue", &mut script);
                terminal::out!("{}", String::from_utf8_lossy(&script));
                Ok(())
            }
            Command::Man { folder } => {
                std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
                clap_mangen::generate_to(Arguments::command(), &folder).map_err(Error::io(&folder))
            }
            Command::Dictionary => {
                terminal::out!("{}", crate::report::dictionary::readme());
                Ok(())
            }
        }
    }
}

/// Ends without the tear-down that libraries register for a process's end: with a card's driver gone, the
/// threads that still use it would crash.
#[cfg(unix)]
fn end_at_once(status: i32) -> ! {
    // SAFETY: the call takes a number and never comes back.
    unsafe { libc::_exit(status) }
}

#[cfg(not(unix))]
fn end_at_once(status: i32) -> ! {
    std::process::exit(status)
}

/// Listens for what asks a process to end; `first` is called once, with the signal's number.
#[cfg(unix)]
fn listen(first: impl Fn(i32) + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])
        .expect("the system knows these signals");
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if crate::interrupt::request(signal) {
                end_at_once(128 + signal);
            }
            first(signal);
        }
    });
}

#[cfg(not(unix))]
fn listen(_: impl Fn(i32) + Send + 'static) {}

impl Common {
    /// From here on Ctrl-C, and the signals by which clusters and terminals end a process, ask for an end at a safe
    /// place; the second one ends at once. For commands that look at [`crate::interrupt`] alone: others just end.
    fn end_safely(&self) {
        if self.within {
            return;
        }
        let quiet = self.quiet;
        listen(move |_| {
            let line = "stopping at the next safe place; once more stops at once (what is \
                        finished stays)";
            terminal::say(quiet, line);
        });
    }

    /// Threads and device, before anything else runs.
    fn prepare(&self) -> Result<()> {
        match self.within {
            false => card::choose(&self.device)?,
            // A device is chosen once a process, and a card has a program of its own.
            true if self.device == "cpu" => {}
            true => {
                return Err(Error::Usage(format!(
                    "--device {}: within another program the processor alone; type the command in a terminal",
                    self.device
                )));
            }
        }
        if let Some(threads) = self.threads {
            if !(1..=MOST_THREADS).contains(&threads) {
                let problem = format!("--threads {threads}: at least 1, at most {MOST_THREADS}");
                return Err(Error::Usage(problem));
            }
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
            pool.map_err(|e| {
                Error::Usage(format!("--threads {threads}: {e}; ask for fewer threads"))
            })?;
        }
        Ok(())
    }
}
