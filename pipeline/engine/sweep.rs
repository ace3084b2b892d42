//! What the parts of a sweep agree on, and what each says of itself.
//!
//! ```text
//! <sweep>/parts/<id>/plan.ron        what every case is expected to cost: all parts share them out by it
//! <sweep>/parts/<id>/3-of-20.ron     what part 3 does and has done; only that part writes it
//! <sweep>/parts/<id>/3.log           what part 3 said
//! ```
//!
//! A plan never changes: parts that read it at any time share the cases out alike, whatever others have finished
//! meanwhile. Its folder appears by one rename, which fails where another process was quicker; both then read that one.

use super::{PROGRAM, Part, lock, revision};
use crate::files::{self, replace};
use crate::{Error, Result, notation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Folder of the plans below a sweep's.
pub const PARTS: &str = "parts";

/// Name of a plan's file.
const PLAN: &str = "plan.ron";

/// Most bytes of a plan or of a journal.
const LARGEST: u64 = 64 << 20;

/// Longest time between two looks of life of a part.
const BEAT: Duration = Duration::from_secs(30);

/// Shortest time between two: cases may end many times a second.
const PACE: Duration = Duration::from_secs(5);

/// A part that was not heard of for so long is gone.
pub const SILENT: Duration = Duration::from_secs(180);

/// Difference between a node's clock and the file system's that is worth a word.
const APART: u64 = 60;

/// What the cases of a sweep are expected to cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Version of the program that the parts are for.
    pub program: String,
    /// Revision of its source.
    pub revision: String,
    /// Hash of all cases' settings.
    pub cases: String,
    /// The cases that are shared out, by their place in the sweep.
    pub members: Vec<usize>,
    /// Seconds that each of them is expected to take.
    pub seconds: Vec<f64>,
    /// How many networks that had been made before these seconds were measured on; 0: they are an estimate.
    pub measured: usize,
}

impl Plan {
    /// A plan for this program.
    pub fn new(cases: String, members: Vec<usize>, seconds: Vec<f64>, measured: usize) -> Self {
        Self {
            program: PROGRAM.into(),
            revision: revision().into(),
            cases,
            members,
            seconds,
            measured,
        }
    }

    /// The cases of a part, costliest first.
    pub fn share(&self, part: Part) -> Vec<usize> {
        let mut shares = super::part::shares(&self.seconds, part.of);
        let own = std::mem::take(&mut shares[part.number - 1]);
        own.into_iter().map(|i| self.members[i]).collect()
    }

    /// Seconds that a case is expected to take; 0 where it is not in the plan.
    pub fn expected(&self, case: usize) -> f64 {
        let at = self.members.iter().position(|&m| m == case);
        at.map_or(0.0, |i| self.seconds[i])
    }
}

/// A plan on disk, and the folder of those who follow it.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// Its folder.
    pub folder: PathBuf,
    /// The plan.
    pub plan: Plan,
}

impl Frozen {
    /// Puts a plan down under a name that follows from what it says.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written to.
    pub fn sent(sweep: &Path, plan: Plan) -> Result<Self> {
        let id = files::hash(&notation::to_ron(&plan))[..12].to_string();
        Self::put(sweep, &id, || Ok(plan))
    }

    /// The plan of parts that were started by hand: the first of them makes it.
    ///
    /// # Errors
    /// What `make` returns; [`Error::Io`] if the folder cannot be written to; [`Error::Input`] for a plan of another program.
    pub fn by_hand(sweep: &Path, cases: &str, make: impl FnOnce() -> Result<Plan>) -> Result<Self> {
        let frozen = Self::put(sweep, &cases[..12], make)?;
        frozen.check(cases)?;
        Ok(frozen)
    }

    /// A plan that was sent.
    ///
    /// # Errors
    /// [`Error::Input`] where it cannot be seen, is for other cases, or for another program.
    pub fn of(sweep: &Path, id: &str, cases: &str) -> Result<Self> {
        let folder = sweep.join(PARTS).join(id);
        let path = folder.join(PLAN);
        if !path.is_file() {
            return Err(Error::input(
                path.display(),
                "",
                format!("`accrue submit` wrote it, and {} does not see it", lock::host()),
                "put `--out` on a file system that all nodes share, or submit again if it was removed",
            ));
        }
        let frozen = Self { plan: read(&path)?, folder };
        frozen.check(cases)?;
        Ok(frozen)
    }

    fn put(sweep: &Path, id: &str, make: impl FnOnce() -> Result<Plan>) -> Result<Self> {
        let folder = sweep.join(PARTS).join(id);
        let path = folder.join(PLAN);
        if !path.is_file() {
            let own = files::partial(&folder);
            let plan = make()?;
            replace(&own.join(PLAN), notation::to_ron(&plan).as_bytes())?;
            let appeared = std::fs::rename(&own, &folder);
            let _ = std::fs::remove_dir_all(&own);
            // Another part was quicker: its plan is the one.
            if !path.is_file() {
                appeared.map_err(Error::io(&folder))?;
            }
        }
        Ok(Self { plan: read(&path)?, folder })
    }

    /// Refuses a plan for other cases, or for another program, whose bits may be others.
    fn check(&self, cases: &str) -> Result<()> {
        let Plan { program, revision: of, .. } = &self.plan;
        let shown = self.folder.join(PLAN).display().to_string();
        if program != PROGRAM || of != revision() {
            return Err(Error::input(
                shown,
                "",
                format!(
                    "its parts are for accrue {program} ({of}); {} has {PROGRAM} ({})",
                    lock::host(),
                    revision()
                ),
                format!(
                    "give all nodes one program and submit again; parts by hand begin anew without {}",
                    self.folder.display()
                ),
            ));
        }
        if self.plan.cases != cases {
            return Err(Error::input(
                shown,
                "",
                "the experiment file says other networks than when its parts were sent",
                "submit it again",
            ));
        }
        Ok(())
    }
}

/// A case that is worked on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Working {
    /// Its name.
    pub case: String,
    /// When it began, in seconds since 1970 by the node's clock.
    pub since: u64,
}

/// A case that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// Its name.
    pub case: String,
    /// Seconds it took.
    pub seconds: f64,
    /// Why it failed; empty where it did not.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub failure: String,
}

/// What a part does and has done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Journal {
    /// Number of the part, from 1.
    pub part: usize,
    /// Of how many.
    pub of: usize,
    /// Node.
    pub host: String,
    /// Number of the process there.
    pub process: u32,
    /// The engine's name for the task, where one started it.
    pub job: String,
    /// Times it was started.
    pub sitting: usize,
    /// Cases side by side.
    pub jobs: usize,
    /// When it began, in seconds since 1970 by the node's clock.
    pub begun: u64,
    /// When this was written, by the node's clock.
    pub at: u64,
    /// Cases in work.
    pub working: Vec<Working>,
    /// Cases that ended in this sitting.
    pub ended: Vec<Ended>,
    /// Whether its process has ended, as far as it could still say so.
    pub over: bool,
}

/// A part that was heard of.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What it said last.
    pub journal: Journal,
    /// How long ago, by the file system's clock.
    pub ago: Duration,
    /// Seconds by which the node's clock is ahead of the file system's, where that is worth a word.
    pub ahead: Option<i64>,
}

impl Heard {
    /// Whether it still works, as far as can be seen from here.
    pub fn lives(&self) -> bool {
        let Journal { host, process, over, .. } = &self.journal;
        // On this machine a process that was killed is gone at once.
        let gone = *host == lock::host()
            && Path::new("/proc/self").exists()
            && !Path::new("/proc").join(process.to_string()).exists();
        !over && !gone && self.ago < SILENT
    }
}

/// Writes a part's journal until it is dropped.
pub struct Writer {
    journal: Arc<Mutex<Journal>>,
    path: PathBuf,
    tell: Option<Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Writer {
    /// Begins the journal of a part.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written to.
    pub fn begin(frozen: &Frozen, part: Part, jobs: usize, job: String) -> Result<Self> {
        let path = frozen.folder.join(format!("{}-of-{}.ron", part.number, part.of));
        let earlier: Option<Journal> = read(&path).ok();
        let journal = Journal {
            part: part.number,
            of: part.of,
            host: lock::host(),
            process: std::process::id(),
            job,
            sitting: earlier.map_or(1, |j| j.sitting + 1),
            jobs,
            begun: now(),
            at: now(),
            working: Vec::new(),
            ended: Vec::new(),
            over: false,
        };
        write(&path, &journal)?;
        let journal = Arc::new(Mutex::new(journal));
        let (tell, told) = channel();
        let thread = std::thread::spawn({
            let (journal, path) = (journal.clone(), path.clone());
            move || {
                // What happens first is written at once.
                let begun = Instant::now();
                let (mut written, mut news) = (begun.checked_sub(PACE).unwrap_or(begun), false);
                loop {
                    let due = if news { PACE } else { BEAT };
                    match told.recv_timeout(due.saturating_sub(written.elapsed())) {
                        Err(RecvTimeoutError::Disconnected) => break,
                        Ok(()) => news = true,
                        Err(RecvTimeoutError::Timeout) => {
                            let now = journal.lock().unwrap_or_else(|e| e.into_inner()).clone();
                            // What a full disk keeps from the journal, the runs' own folders say.
                            let _ = write(&path, &now);
                            (written, news) = (Instant::now(), false);
                        }
                    }
                }
            }
        });
        Ok(Self { journal, path, tell: Some(tell), thread: Some(thread) })
    }

    fn change(&self, change: impl FnOnce(&mut Journal)) {
        change(&mut self.journal.lock().unwrap_or_else(|e| e.into_inner()));
        if let Some(tell) = &self.tell {
            let _ = tell.send(());
        }
    }

    /// A case begins.
    pub fn begins(&self, case: &str) {
        self.change(|j| j.working.push(Working { case: case.into(), since: now() }));
    }

    /// A case was put down before its end.
    pub fn stopped(&self, case: &str) {
        self.change(|j| j.working.retain(|w| w.case != case));
    }

    /// A case has ended.
    pub fn ended(&self, case: &str, seconds: f64, failure: Option<&str>) {
        self.change(|j| {
            j.working.retain(|w| w.case != case);
            let failure = failure.unwrap_or_default().into();
            j.ended.push(Ended { case: case.into(), seconds, failure });
        });
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.tell = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let mut journal = self.journal.lock().unwrap_or_else(|e| e.into_inner());
        journal.working.clear();
        journal.over = true;
        let _ = write(&self.path, &journal);
    }
}

/// Every part that was heard of in one plan's folder, those heard of last at the end.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read.
pub fn heard(folder: &Path) -> Result<Vec<Heard>> {
    let clock = file_clock(folder);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !(name.contains("-of-") && name.ends_with(".ron")) {
            continue;
        }
        // It may be replaced while it is read.
        let (Ok(journal), Ok(about)) = (read::<Journal>(&path), std::fs::metadata(&path)) else {
            continue;
        };
        let written = about.modified().unwrap_or(UNIX_EPOCH);
        let ago = clock.duration_since(written).unwrap_or_default();
        let there = written.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let ahead = (journal.at.abs_diff(there) > APART).then(|| journal.at as i64 - there as i64);
        found.push(Heard { journal, ago, ahead });
    }
    found.sort_by(|a, b| b.ago.cmp(&a.ago).then(a.journal.part.cmp(&b.journal.part)));
    Ok(found)
}

/// Every plan of a sweep for these cases, the newest last.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be read.
pub fn plans(sweep: &Path, cases: &str) -> Result<Vec<Frozen>> {
    let parts = sweep.join(PARTS);
    let entries = match std::fs::read_dir(&parts) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(&parts)(e)),
    };
    let mut found = Vec::new();
    for entry in entries.filter_map(|e| e.ok()) {
        // One that is being put down, or was when its process was killed.
        if entry.file_name().to_string_lossy().contains('.') {
            continue;
        }
        let path = entry.path().join(PLAN);
        let Ok(time) = std::fs::metadata(&path).and_then(|about| about.modified()) else {
            continue;
        };
        if let Ok(plan) = read::<Plan>(&path)
            && plan.cases == cases
        {
            found.push((time, Frozen { folder: entry.path(), plan }));
        }
    }
    found.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.folder.cmp(&b.1.folder)));
    Ok(found.into_iter().map(|(_, frozen)| frozen).collect())
}

/// The time as the file system has it, whose clock may not be this machine's.
fn file_clock(folder: &Path) -> SystemTime {
    let probe = files::partial(&folder.join("clock"));
    let time = std::fs::write(&probe, b"").and_then(|()| std::fs::metadata(&probe)?.modified());
    let _ = std::fs::remove_file(&probe);
    time.unwrap_or_else(|_| SystemTime::now())
}

/// Seconds since 1970 by this machine's clock.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn write(path: &Path, journal: &Journal) -> Result<()> {
    let journal = Journal { at: now(), ..journal.clone() };
    replace(path, notation::to_ron(&journal).as_bytes())
}

/// A file of this program's own.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Input`] if it is damaged.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = files::text(path, LARGEST)?;
    notation::options().from_str(&text).map_err(|e| {
        let place = format!("line {}, column {}", e.span.start.line, e.span.start.col);
        let remedy =
            "a damaged file, or one of another version: remove its folder and submit again";
        Error::input(path.display(), place, e.code, remedy)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(seconds: &[f64]) -> Plan {
        let all = (0..seconds.len()).collect();
        Plan::new("0123456789abcdef".into(), all, seconds.to_vec(), 0)
    }

    #[test]
    fn the_first_plan_is_the_one_that_every_part_follows() {
        let sweep = tempfile::tempdir().unwrap();
        let cases = "0123456789abcdef";
        let first = plan(&[1.0, 2.0, 3.0]);
        let found = Frozen::by_hand(sweep.path(), cases, || Ok(first.clone())).unwrap();
        assert_eq!(found.plan, first);
        // A sibling that begins later has measured other costs.
        let later = Frozen::by_hand(sweep.path(), cases, || Ok(plan(&[9.0, 0.0, 0.0]))).unwrap();
        assert_eq!(later.plan, first);
        // Many at once: all follow one of them.
        let other = tempfile::tempdir().unwrap();
        let taken: Vec<Plan> = std::thread::scope(|scope| {
            let all: Vec<_> = (0..8)
                .map(|i| {
                    let make = move || Ok(plan(&[i as f64, 1.0]));
                    let other = other.path();
                    scope.spawn(move || Frozen::by_hand(other, cases, make).unwrap().plan)
                })
                .collect();
            all.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(taken.iter().all(|p| *p == taken[0]), "{taken:?}");
        assert_eq!(std::fs::read_dir(other.path().join(PARTS)).unwrap().count(), 1);
    }

    #[test]
    fn a_node_that_does_not_see_the_plan_or_has_another_program_says_so() {
        let sweep = tempfile::tempdir().unwrap();
        let sent = Frozen::sent(sweep.path(), plan(&[1.0])).unwrap();
        let id = sent.folder.file_name().unwrap().to_str().unwrap().to_string();
        assert!(Frozen::of(sweep.path(), &id, &sent.plan.cases).is_ok());
        let elsewhere = tempfile::tempdir().unwrap();
        let said = Frozen::of(elsewhere.path(), &id, &sent.plan.cases).unwrap_err().to_string();
        assert!(said.contains("does not see it") && said.contains("all nodes share"), "{said}");
        let said = Frozen::of(sweep.path(), &id, "another").unwrap_err().to_string();
        assert!(said.contains("other networks") && said.contains("submit it again"), "{said}");
        let older = Plan { program: "0.0.9".into(), ..plan(&[1.0]) };
        let sent = Frozen::sent(sweep.path(), older).unwrap();
        let id = sent.folder.file_name().unwrap().to_str().unwrap().to_string();
        let said = Frozen::of(sweep.path(), &id, &sent.plan.cases).unwrap_err().to_string();
        assert!(said.contains("0.0.9") && said.contains(PROGRAM), "{said}");
    }

    #[test]
    fn what_a_part_does_can_be_read_while_it_works_and_after_its_end() {
        let sweep = tempfile::tempdir().unwrap();
        let sent = Frozen::sent(sweep.path(), plan(&[1.0, 1.0])).unwrap();
        let part = Part { number: 1, of: 2 };
        for sitting in 1..3 {
            let writer = Writer::begin(&sent, part, 1, String::new()).unwrap();
            writer.begins("001");
            writer.ended("001", 0.5, Some("no such file"));
            writer.begins("002");
            let found = heard(&sent.folder).unwrap();
            assert!(found[0].lives() && found[0].journal.sitting == sitting);
            drop(writer);
            let found = &heard(&sent.folder).unwrap()[0];
            assert!(!found.lives());
            assert_eq!(found.journal.working, []);
            assert_eq!(found.journal.ended[0].failure, "no such file");
        }
    }

    #[test]
    fn a_clock_that_goes_wrong_makes_no_part_older_and_is_told() {
        let sweep = tempfile::tempdir().unwrap();
        let sent = Frozen::sent(sweep.path(), plan(&[1.0])).unwrap();
        drop(Writer::begin(&sent, Part { number: 1, of: 1 }, 1, String::new()).unwrap());
        let path = sent.folder.join("1-of-1.ron");
        let mut journal: Journal = read(&path).unwrap();
        journal.at += 3600;
        replace(&path, notation::to_ron(&journal).as_bytes()).unwrap();
        let found = &heard(&sent.folder).unwrap()[0];
        assert!(found.ago < SILENT, "{:?}", found.ago);
        assert!(found.ahead.is_some_and(|s| (3598..=3602).contains(&s)), "{:?}", found.ahead);
    }
}
