//! Runs that cannot mix. The program is started, stopped, killed, given a damaged folder, or started
//! twice; what stands there in the end is what an undisturbed run leaves, bit for bit.
//!
//! Nothing here looks inside the program: processes, signals and files only.

use polars::prelude::*;
use rand::Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// Three topics; training is about half of the second that a run takes. A row of the training table at
/// every other step: many numbers that a run taken up again may get wrong.
const TINY: &str = "(
    study: \"tests\",
    name: \"tiny\",
    corpus: (source: Synthetic(length: 10, train: 600, validation: 60, test: 120)),
    model: (embedding: None, units: 12),
    training: (
        epochs: 60,
        batch: 30,
        learning_rate: 0.1,
        decay: 0.999,
        decay_steps: 1,
        epsilon: 0.1,
        penalty: All(1e-4),
        checkpoint_every: 20,
        record_every: 2,
    ),
    states: (documents: 60, most: 300),
    fixed_points: (inputs: [Uniform, Zero], primary: 1e-4, initial_states: 32, spectra: 4, proofs: 4),
    prediction: (bootstrap: 10),
    baseline: (penalties: [1e-2, 1e-3]),
    context: (fit: true, least: 1, steps: 5, penalties: [3e-3]),
    modes: (words: 3, documents: 5, rollouts: 20, states: 20, relaxation: 10, later: 5),
)";

/// Settings beside those of [`TINY`], as `--set` takes them.
type Settings = &'static [&'static str];

/// The experiment as the file has it.
const ONE: Settings = &[];
/// Another network on another corpus, of the same name: every file of it has the same size or nearly so.
const TWO: Settings = &["seed=2"];
/// Networks of three sizes on one corpus, trained for a third of the time.
const GRID: Settings =
    &["name=grid", "training.steps=400", "grid=[(set: \"model.units\", to: [6, 7, 8])]"];
/// Other networks under the same names, on another corpus.
const OTHER_GRID: Settings =
    &["name=grid", "training.steps=400", "grid=[(set: \"model.units\", to: [6, 7, 8])]", "seed=2"];

/// Columns that hold measured time, which no two runs share: `training.seconds` counts the seconds of training
/// so far.
const MEASURED_COLUMNS: [(&str, &str); 1] = [("training", "seconds")];

/// Keys of `summary.json`, and rows of a grid's `case_numbers`, that hold measured time or memory, or a rate
/// over measured time.
const MEASURED_KEYS: [&str; 4] =
    ["time.seconds", "memory.peak_bytes", "train.seconds", "train.tokens_per_second"];

/// Files that are not compared: the record has the seconds and memory of each stage, the page shows them.
const NOT_COMPARED: [&str; 2] = ["run.ron", "index.html"];

/// Longest that a process of these tests may take, many times what it needs on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A text of the corpus's words, for `accrue explain`.
const TEXT: &str = "kinda1 the kinda1 kinda0";

// ---- a place of its own for every test -------------------------------------------------------------

/// A folder with the experiment file and the program's reports.
struct Desk(tempfile::TempDir);

impl Desk {
    /// One where nothing has run yet.
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("tiny.ron"), TINY).unwrap();
        Self(folder)
    }

    /// One where the undisturbed run of these settings has ended.
    fn after(settings: Settings) -> Self {
        let desk = Self::new();
        copy(&undisturbed(settings).reports, desk.path());
        desk
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Folder of all runs.
    fn out(&self) -> PathBuf {
        self.path().join("reports")
    }

    /// Folder of the run, or grid, with these settings.
    fn run(&self, settings: Settings) -> PathBuf {
        self.out().join("tests").join(name(settings))
    }

    /// The program in this folder; what it says is kept.
    fn accrue(&self, arguments: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accrue"));
        command.args(arguments).current_dir(self.path()).env_remove("ACCRUE_DATA");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `accrue run` with these settings.
    fn experiment(&self, settings: &[&str]) -> Command {
        let mut command = self.accrue(&["run", "tiny.ron"]);
        settings.iter().for_each(|set| {
            command.args(["--set", set]);
        });
        command
    }

    fn start(&self, settings: &[&str]) -> Running {
        Running::new(self.experiment(settings))
    }

    /// Runs these settings to their end; what was said on standard error.
    fn finish(&self, settings: &[&str]) -> String {
        let ended = self.start(settings).end();
        assert!(ended.status.success(), "{settings:?}: {}", said(&ended));
        said(&ended)
    }

    /// Runs these settings to their end, and finds what an undisturbed run of them leaves.
    fn finish_undisturbed(&self, settings: Settings, what: &str) {
        self.finish(settings);
        same(&self.run(settings), &undisturbed(settings).run, what);
    }
}

/// Name of the run with these settings.
fn name(settings: Settings) -> &'static str {
    settings.iter().find_map(|set| set.strip_prefix("name=")).unwrap_or("tiny")
}

/// Copies a folder with its times and links.
fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(copied.success());
}

/// What a run leaves that nobody disturbed.
struct Whole {
    reports: PathBuf,
    run: PathBuf,
    /// How long it took.
    took: Duration,
}

/// The undisturbed run of these settings, done once for all tests.
fn undisturbed(settings: Settings) -> &'static Whole {
    static ALL: Mutex<BTreeMap<Settings, Arc<OnceLock<&'static Whole>>>> =
        Mutex::new(BTreeMap::new());
    let cell = ALL.lock().unwrap().entry(settings).or_default().clone();
    cell.get_or_init(|| {
        let desk = Desk::new();
        let begin = Instant::now();
        desk.finish(settings);
        let took = begin.elapsed();
        let whole = Whole { reports: desk.out(), run: desk.run(settings), took };
        keep_until_the_end(desk);
        Box::leak(Box::new(whole))
    })
}

/// Keeps a folder until the tests end; nothing that is static is dropped by itself.
fn keep_until_the_end(desk: Desk) {
    static KEPT: Mutex<Vec<Desk>> = Mutex::new(Vec::new());
    extern "C" fn drop_all() {
        if let Ok(mut kept) = KEPT.lock() {
            kept.clear();
        }
    }
    let mut kept = KEPT.lock().unwrap();
    if kept.is_empty() {
        // SAFETY: the function takes nothing, does not unwind, and lives as long as the process.
        unsafe { libc::atexit(drop_all) };
    }
    kept.push(desk);
}

// ---- processes -------------------------------------------------------------------------------------

/// A process that does not outlive its test.
struct Running {
    child: Option<Child>,
    /// What it said on standard error so far, where somebody listened.
    heard: Vec<u8>,
}

impl Running {
    fn new(mut command: Command) -> Self {
        Self { child: Some(command.spawn().unwrap()), heard: Vec::new() }
    }

    fn child(&mut self) -> &mut Child {
        self.child.as_mut().expect("it has not been waited for")
    }

    /// Listens to the next line on standard error; none at its end.
    fn line(&mut self) -> Option<String> {
        let (mut line, mut letter) = (Vec::new(), [0]);
        let ear = self.child.as_mut().and_then(|child| child.stderr.as_mut()).unwrap();
        // Letter by letter: what follows the line is for whoever listens next.
        while ear.read(&mut letter).unwrap() == 1 {
            line.push(letter[0]);
            if letter == *b"\n" {
                self.heard.extend(&line);
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
        }
        self.heard.extend(&line);
        None
    }

    /// Listens until it trains and has measured the validation split so many times, which it says each time;
    /// whether it did so before its end.
    fn trains(&mut self, measured: usize) -> bool {
        // The stage before is passed.
        while self.line().is_some_and(|line| !line.starts_with("tokenize")) {}
        (0..measured).all(|_| self.line().is_some_and(|line| line.contains("step")))
    }

    fn id(&mut self) -> u32 {
        self.child().id()
    }

    fn has_ended(&mut self) -> bool {
        self.child().try_wait().unwrap().is_some()
    }

    /// Sends a signal, unless it has ended; whether it was still there.
    fn signal(&mut self, signal: i32) -> bool {
        if self.has_ended() {
            return false;
        }
        let id = self.id() as i32;
        // SAFETY: the call takes two numbers; the child has not been waited for, so its number is its own.
        unsafe { libc::kill(id, signal) == 0 }
    }

    /// Waits until `seen`, or the end of the process; whether it was seen while the process still ran.
    fn until(&mut self, mut seen: impl FnMut() -> bool) -> bool {
        let begin = Instant::now();
        while !self.has_ended() {
            if seen() {
                return true;
            }
            assert!(begin.elapsed() < PATIENCE, "the process neither ends nor gets there");
            std::thread::sleep(Duration::from_micros(200));
        }
        false
    }

    /// Waits until a folder was seen to change so many times, or the end of the process.
    fn until_changed(&mut self, folder: &Path, mut times: usize) -> bool {
        let state = || -> Vec<(PathBuf, i64, i64)> {
            let times = |file: PathBuf| {
                let about = fs::metadata(folder.join(&file)).ok()?;
                Some((file, about.mtime(), about.mtime_nsec()))
            };
            entries(folder).into_iter().filter_map(times).collect()
        };
        let mut last = state();
        self.until(|| {
            let now = state();
            times -= (now != last) as usize;
            last = now;
            times == 0
        })
    }

    /// Waits for its end.
    fn end(mut self) -> Output {
        let child = self.child.take().expect("it is waited for once");
        let id = child.id() as i32;
        let (done, ended) = std::sync::mpsc::channel::<()>();
        let guard = std::thread::spawn(move || {
            if ended.recv_timeout(PATIENCE) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
                // SAFETY: as above; the thread that waits for the child has not come back.
                unsafe { libc::kill(id, libc::SIGKILL) };
            }
        });
        let mut output = child.wait_with_output().unwrap();
        drop(done);
        guard.join().unwrap();
        output.stderr = [std::mem::take(&mut self.heard), output.stderr].concat();
        output
    }

    /// Kills it, and waits until it is gone; whether it had still been there.
    fn kill(mut self) -> bool {
        let there = self.signal(libc::SIGKILL);
        self.end();
        there
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a process said on standard error.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The exit status as a shell would show it.
fn code(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

fn pause(random: &mut impl Rng, longest: Duration) {
    std::thread::sleep(longest.mul_f64(random.random::<f64>()));
}

// ---- what stands in a folder -----------------------------------------------------------------------

/// Everything below a folder, relative to it, hidden files and folders included.
fn entries(folder: &Path) -> BTreeSet<PathBuf> {
    fn below(folder: &Path, top: &Path, found: &mut BTreeSet<PathBuf>) {
        // A folder may go while it is looked at.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                below(&path, top, found);
            }
            found.insert(path.strip_prefix(top).unwrap().to_path_buf());
        }
    }
    let mut found = BTreeSet::new();
    below(folder, folder, &mut found);
    found
}

/// The files among them.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    entries(folder).into_iter().filter(|entry| !folder.join(entry).is_dir()).collect()
}

/// Files that stages made, with their record and page left out where `all` is false.
fn made(folder: &Path, all: bool) -> BTreeSet<PathBuf> {
    let mut made = files(folder);
    made.retain(|file| {
        let name = file.file_name().unwrap().to_string_lossy();
        let hidden = file.iter().any(|part| part.to_string_lossy().starts_with('.'));
        let left_out = if all { name == NOT_COMPARED[0] } else { NOT_COMPARED.contains(&&*name) };
        // What training has not finished with is nothing that a stage made.
        !hidden && !left_out && !name.contains("checkpoint")
    });
    made
}

/// What differs between two folders, file by file, measured time and memory left out.
fn differences(found: &Path, expected: &Path) -> Vec<String> {
    let (here, there) = (made(found, false), made(expected, false));
    let missing = there.difference(&here).map(|file| format!("{} is missing", file.display()));
    let more = here.difference(&there).map(|file| format!("{} should not be", file.display()));
    let mut all: Vec<String> = missing.chain(more).collect();
    for file in here.intersection(&there) {
        let (a, b) = (found.join(file), expected.join(file));
        let same = fs::read(&a).unwrap() == fs::read(&b).unwrap();
        if same {
            continue;
        }
        if file.extension() == Some(OsStr::new("parquet")) {
            all.extend(columns(&a, &b).into_iter().map(|c| format!("{}: {c}", file.display())));
        } else if file.extension() == Some(OsStr::new("csv")) {
            let same = unmeasured(&a) == unmeasured(&b);
            all.extend((!same).then(|| format!("{} differs", file.display())));
        } else if file.ends_with("summary.json") {
            let (a, b) = (numbers(&a), numbers(&b));
            let lines = a.symmetric_difference(&b).cloned().collect::<Vec<_>>().join(" | ");
            all.extend((!lines.is_empty()).then(|| format!("{}: {lines}", file.display())));
        } else {
            all.push(format!("{} differs", file.display()));
        }
    }
    all
}

fn same(found: &Path, expected: &Path, what: &str) {
    let all = differences(found, expected);
    let shown = all.iter().take(12).cloned().collect::<Vec<_>>().join("\n  ");
    assert!(all.is_empty(), "{what}: {} differences in {}\n  {shown}", all.len(), found.display());
}

/// Lines of `summary.json` that were not measured.
fn numbers(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap();
    let measured = |line: &str| MEASURED_KEYS.iter().any(|k| line.contains(&format!("\"{k}\":")));
    let lines = text.lines().filter(|line| !measured(line));
    lines.map(|line| line.trim().trim_end_matches(',').to_string()).collect()
}

/// Lines of a CSV table, measured columns left out.
fn unmeasured(path: &Path) -> Vec<String> {
    let (table, text) = (path.file_stem().unwrap(), fs::read_to_string(path).unwrap());
    let head: Vec<&str> = text.lines().next().unwrap_or_default().split(',').collect();
    let measured = |column: &&str| MEASURED_COLUMNS.iter().any(|(t, c)| table == *t && c == column);
    let Some(left_out) = head.iter().position(measured) else {
        return text.lines().map(str::to_string).collect();
    };
    // Tables with measured columns hold numbers alone: a comma is the end of a cell.
    let kept = |line: &str| -> String {
        let cells = line.split(',').enumerate().filter(|(i, _)| *i != left_out);
        cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
    };
    text.lines().map(kept).collect()
}

/// Columns of two tables that are not the same bits.
fn columns(a: &Path, b: &Path) -> Vec<String> {
    let table = a.file_stem().unwrap().to_string_lossy().into_owned();
    let read = |path: &Path| -> Result<DataFrame, String> {
        let shown = |e: PolarsError| format!("cannot be read: {e}");
        let frame = ParquetReader::new(File::open(path).unwrap()).finish().map_err(shown)?;
        if table != "case_numbers" {
            return Ok(frame);
        }
        let keys = frame.column("key").and_then(|c| c.str().cloned()).map_err(shown)?;
        let kept = keys.iter().map(|k| k.is_none_or(|k| !MEASURED_KEYS.contains(&k)));
        frame.filter(&BooleanChunked::from_iter_values("kept".into(), kept)).map_err(shown)
    };
    // A column as a file of its own: bits, and not what counts as equal.
    let bits = |column: &Column| -> Vec<u8> {
        let mut frame = DataFrame::new_infer_height(vec![column.clone()]).unwrap();
        frame.rechunk_mut();
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
        bytes
    };
    let (a, b) = match (read(a), read(b)) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(problem), _) | (_, Err(problem)) => return vec![problem],
    };
    let names = |frame: &DataFrame| -> Vec<String> {
        frame.get_column_names().into_iter().map(|name| name.to_string()).collect()
    };
    if names(&a) != names(&b) || a.height() != b.height() {
        let shape = |f: &DataFrame| format!("{} rows of {:?}", f.height(), names(f));
        return vec![format!("{} in place of {}", shape(&a), shape(&b))];
    }
    let measured = |name: &str| MEASURED_COLUMNS.contains(&(table.as_str(), name));
    let differ = |name: &String| bits(a.column(name).unwrap()) != bits(b.column(name).unwrap());
    names(&a).into_iter().filter(|name| !measured(name) && differ(name)).collect()
}

/// Keys of the stages in a run's record; none while there is no record.
fn stages(run: &Path) -> BTreeMap<String, String> {
    let text = fs::read_to_string(run.join("run.ron")).unwrap_or_default();
    let mut found = BTreeMap::new();
    let mut name = None;
    for line in text.lines() {
        let value = |field: &str| {
            let rest = line.trim().strip_prefix(field)?.trim().strip_prefix('"')?;
            rest.split('"').next().map(str::to_string)
        };
        name = value("name:").or(name);
        if let (Some(key), Some(name)) = (value("key:"), &name) {
            found.insert(name.clone(), key);
        }
    }
    found
}

/// The seed that a run's record says its experiment has.
fn seed(run: &Path) -> u64 {
    let text = fs::read_to_string(run.join("run.ron")).unwrap();
    let line = text.lines().find_map(|line| line.trim().strip_prefix("seed:"));
    line.expect("an experiment has a seed").trim().trim_end_matches(',').parse().unwrap()
}

/// Files and folders below `out` that have their name for the time of writing.
fn unfinished(out: &Path) -> Vec<PathBuf> {
    let named = |entry: &PathBuf| {
        let name = entry.file_name().unwrap().to_string_lossy();
        ["partial", "tmp", "temporary"].iter().any(|part| name.contains(part))
    };
    entries(out).into_iter().filter(named).collect()
}

/// Nothing half made lies about below `out`.
fn tidy(out: &Path, what: &str) {
    let left = unfinished(out);
    assert!(left.is_empty(), "{what}: left behind {left:?}");
}

/// Changes one byte in the middle of a file and nothing else that a look at its name, size or time would show.
fn damage(path: &Path) {
    let before = fs::metadata(path).unwrap();
    let mut bytes = fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let mode = before.permissions();
    fs::set_permissions(path, fs::Permissions::from_mode(mode.mode() | 0o200)).unwrap();
    // Into the file that is there: the disk's fault, and not a new file of the same name.
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.write_all(&bytes).unwrap();
    file.set_modified(before.modified().unwrap()).unwrap();
    drop(file);
    fs::set_permissions(path, mode).unwrap();
    let after = fs::metadata(path).unwrap();
    assert_eq!((after.len(), after.ino()), (before.len(), before.ino()));
}

// ---- two runs in one folder ------------------------------------------------------------------------

#[test]
fn two_runs_of_different_settings_in_one_folder_never_mix_their_tables() {
    let mut random = accrue::seed::stream(1, "two runs at once");
    for (first, second, apart) in [(ONE, TWO, 0.0), (TWO, ONE, 0.5), (ONE, ONE, 0.2)] {
        let desk = Desk::new();
        let mut a = desk.start(first);
        pause(&mut random, undisturbed(ONE).took.mul_f64(apart));
        let mut b = desk.start(second);
        let ids = [b.id(), a.id()];
        let ended = [a.end(), b.end()];
        let mut done = 0;
        for (end, other) in ended.iter().zip(ids) {
            if end.status.success() {
                done += 1;
            } else {
                let said = said(end);
                assert!(
                    code(end.status) < 101 && said.contains(&other.to_string()),
                    "one run may refuse, and says that process {other} holds the folder: {said}"
                );
            }
        }
        assert!(done >= 1, "one of the two goes to its end");
        let of_record = if seed(&desk.run(ONE)) == 1 { ONE } else { TWO };
        same(&desk.run(ONE), &undisturbed(of_record).run, "what the record says ran");
        for settings in [first, second] {
            desk.finish_undisturbed(settings, "a later run of either settings");
        }
        tidy(&desk.out(), "two runs at once");
    }
}

#[test]
fn weights_of_another_seed_never_count_as_in_place() {
    let desk = Desk::after(ONE);
    let weights = desk.run(ONE).join("model.safetensors");
    let before = fs::read(&weights).unwrap();
    let mut other = desk.start(TWO);
    // Between the file and its record.
    other.until(|| fs::read(&weights).is_ok_and(|now| now != before));
    other.kill();
    desk.finish_undisturbed(ONE, "the earlier settings after a killed run of others");
}

#[test]
fn a_run_killed_at_random_moments_leaves_nothing_in_the_one_before() {
    let mut random = accrue::seed::stream(1, "kills of another run");
    let desk = Desk::after(ONE);
    for kill in 0..4 {
        let mut other = desk.start(TWO);
        if kill % 2 == 0 {
            pause(&mut random, undisturbed(TWO).took);
        } else {
            // So many changes of the folder: most files are written within a small part of the time.
            let changes = random.random_range(1..60);
            other.until_changed(&desk.run(TWO), changes);
        }
        other.kill();
        desk.finish_undisturbed(ONE, "the earlier settings after a killed run of others");
    }
    desk.finish_undisturbed(TWO, "the killed settings in the end");
    tidy(&desk.out(), "kills of another run");
}

/// A folder with a finished run in which one of other settings was killed: it had passed the stage `last`, and
/// the stage `not` it had not.
fn killed_half_way(last: &str, not: &str) -> Desk {
    let whole = stages(&undisturbed(TWO).run);
    for _ in 0..20 {
        let desk = Desk::after(ONE);
        let run = desk.run(ONE);
        let mut other = desk.start(TWO);
        let passed = |stage: &str| stages(&run).get(stage) == Some(&whole[stage]);
        other.until(|| passed(last));
        if other.kill() && !passed(not) {
            return desk;
        }
    }
    panic!("20 runs went past {not} before they could be killed after {last}");
}

#[test]
fn no_page_and_no_answer_is_made_of_two_runs() {
    // The corpus of the one and the network of the other; the network of the one and the analyses of the other.
    for (passed, not) in [("tokenize", "train"), ("train", "claims")] {
        refused_until_finished(&killed_half_way(passed, not));
    }
}

/// Looks at a run that was killed half way, and at the same run once it has ended.
fn refused_until_finished(desk: &Desk) {
    let run = desk.run(ONE).display().to_string();
    let page = fs::read(desk.run(ONE).join("index.html")).ok();
    let other = undisturbed(ONE).run.display().to_string();
    let looks: [&[&str]; 4] = [
        &["report", &run],
        &["explain", &run, TEXT],
        &["compare", &run, &other],
        &["compare", &other, &run, "--json"],
    ];
    for look in looks {
        let ended = Running::new(desk.accrue(look)).end();
        let said = said(&ended);
        assert!(
            (1..101).contains(&code(ended.status)),
            "{look:?} of a run that is half another: {said}{}",
            String::from_utf8_lossy(&ended.stdout)
        );
        let stage = [
            "states",
            "fixed_points",
            "transitions",
            "curves",
            "geometry",
            "predict",
            "baselines",
            "modes",
        ];
        let stage =
            stage.iter().chain(&["context", "claims", "report"]).find(|s| said.contains(**s));
        let remedy = ["run the experiment", "run again", "run it again", "accrue run"];
        assert!(stage.is_some(), "{look:?} names no stage: {said}");
        assert!(remedy.iter().any(|r| said.contains(r)), "{look:?} names no remedy: {said}");
        assert!(ended.stdout.is_empty(), "{look:?} answers and refuses");
    }
    let now = fs::read(desk.run(ONE).join("index.html")).ok();
    assert!(now.is_none() || now == page, "a page was written that speaks of two runs");
    desk.finish_undisturbed(TWO, "the killed run in the end");
    for look in looks {
        let ended = Running::new(desk.accrue(look)).end();
        assert!(ended.status.success(), "{look:?} of the finished run: {}", said(&ended));
    }
}

#[test]
fn no_page_is_made_of_two_grids() {
    let desk = Desk::after(GRID);
    let grid = desk.run(GRID);
    let case = grid.join("cases/002-7");
    let before = stages(&case);
    let mut other = desk.start(OTHER_GRID);
    let reached = other.until(|| stages(&case).get("states") != before.get("states"));
    assert!(other.kill() && reached, "it ended before it could be killed");
    let page = fs::read(grid.join("index.html")).ok();
    let ended = Running::new(desk.accrue(&["report", &grid.display().to_string()])).end();
    let now = fs::read(grid.join("index.html")).ok();
    assert!((1..101).contains(&code(ended.status)), "a page of two grids: {}", said(&ended));
    assert!(now.is_none() || now == page, "a page was written that speaks of two grids");
    desk.finish_undisturbed(OTHER_GRID, "the killed grid in the end");
}

// ---- what others did to the files ------------------------------------------------------------------

/// Looks at a finished run, as people do, and what each said of it.
fn look(desk: &Desk) -> Vec<(&'static str, Output)> {
    let run = desk.run(ONE).display().to_string();
    let other = undisturbed(TWO).run.display().to_string();
    let looks: [(&'static str, &[&str]); 3] = [
        ("explain", &["explain", &run, TEXT, "--json"]),
        ("compare", &["compare", &run, &other]),
        ("report", &["report", &run]),
    ];
    looks.map(|(name, look)| (name, Running::new(desk.accrue(look)).end())).into()
}

#[test]
fn one_changed_byte_of_any_file_is_noticed_by_whoever_reads_it() {
    let intact = Desk::after(ONE);
    let shown = look(&intact);
    let page = fs::read(intact.run(ONE).join("index.html")).unwrap();
    assert!(shown.iter().all(|(_, output)| output.status.success()));
    let mut silent = Vec::new();
    for file in made(&undisturbed(ONE).run, true) {
        let desk = Desk::after(ONE);
        let run = desk.run(ONE);
        damage(&run.join(&file));
        for ((name, now), (_, before)) in look(&desk).into_iter().zip(&shown) {
            let answers = now.status.success();
            // The paths are those of another desk.
            let text = |output: &Output, desk: &Desk| {
                let [whole, own] = [desk.path().as_os_str(), desk.path().file_name().unwrap()];
                let shown = String::from_utf8_lossy(&output.stdout);
                shown.replace(&*whole.to_string_lossy(), "").replace(&*own.to_string_lossy(), "")
            };
            if answers && text(&now, &desk) != text(before, &intact) {
                silent.push(format!("{name} answers out of a damaged {}", file.display()));
            }
            if answers && name == "report" && fs::read(run.join("index.html")).unwrap() != page {
                silent.push(format!("{name} writes a page out of a damaged {}", file.display()));
            }
            if code(now.status) >= 101 {
                silent.push(format!("{name}, {} damaged: {}", file.display(), said(&now)));
            }
        }
    }
    assert!(silent.is_empty(), "{} times:\n  {}", silent.len(), silent.join("\n  "));
}

#[test]
fn one_changed_byte_of_any_file_is_mended_by_the_next_run() {
    let mut desk = Desk::after(ONE);
    let whole = &undisturbed(ONE).run;
    let mut silent = Vec::new();
    for file in made(whole, true) {
        let path = desk.run(ONE).join(&file);
        damage(&path);
        let damaged = fs::read(&path).unwrap();
        let ended = desk.start(ONE).end();
        if !ended.status.success() || fs::read(&path).is_ok_and(|now| now == damaged) {
            silent.push(format!("{}: {}", file.display(), code(ended.status)));
            // The next ones stand by themselves.
            desk = Desk::after(ONE);
        }
    }
    assert!(silent.is_empty(), "{} are still damaged: {silent:?}", silent.len());
    let run = desk.run(ONE);
    same(&run, whole, "all of them damaged, one after the other");
    // All of them at once, and a file replaced by another of the same size.
    for file in made(whole, true) {
        damage(&run.join(&file));
    }
    desk.finish_undisturbed(ONE, "all files damaged at once");
    for file in ["model.safetensors", "corpus.json", "tables/words.parquet"] {
        let (path, other) = (run.join(file), run.join("other"));
        fs::copy(&path, &other).unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
        damage(&other);
        fs::rename(&other, &path).unwrap();
    }
    desk.finish_undisturbed(ONE, "files replaced by others of the same size");
    tidy(&desk.out(), "damaged files");
}

#[test]
fn a_record_that_names_files_elsewhere_moves_nothing_there() {
    for place in ["../victim.txt", "tables/../../victim.txt", "absolute"] {
        let desk = Desk::after(ONE);
        let run = desk.run(ONE);
        let (victim, named) = if place == "absolute" {
            let victim = desk.path().join("victim.txt");
            (victim.clone(), victim.display().to_string())
        } else {
            (run.parent().unwrap().join("victim.txt"), place.to_string())
        };
        fs::write(&victim, "not of any run").unwrap();
        let before = fs::metadata(&victim).unwrap();
        let record = run.join("run.ron");
        let text = fs::read_to_string(&record).unwrap();
        let edited = text.replace("\"summary.json\"", &format!("{named:?}"));
        assert_ne!(text, edited, "the record names what the last stage wrote");
        fs::write(&record, &edited).unwrap();
        // The title changes the last stage alone: what it made before and makes no longer is cleared away.
        for settings in [&["title=Another title"][..], &[]] {
            let ended = desk.start(settings).end();
            let said = said(&ended);
            let after = fs::metadata(&victim);
            let after = after.unwrap_or_else(|e| panic!("{named} was deleted ({e}): {said}"));
            assert_eq!(fs::read_to_string(&victim).unwrap(), "not of any run", "{named}");
            assert_eq!((before.ino(), before.mtime()), (after.ino(), after.mtime()), "{named}");
            if ended.status.success() {
                same(&run, &undisturbed(ONE).run, &named);
            } else {
                assert!(said.contains("run.ron") && code(ended.status) < 101, "{named}: {said}");
            }
        }
    }
}

#[test]
fn a_name_that_leads_out_of_the_reports_folder_is_refused() {
    let desk = Desk::new();
    // What `..` and `a/../../b` would reach lies in a folder of the test's own.
    let out = desk.path().join("deep/down/reports");
    fs::create_dir_all(out.parent().unwrap()).unwrap();
    let absolute = desk.path().join("absolute").display().to_string();
    let elsewhere = || {
        let mut all = entries(desk.path());
        all.retain(|path| !path.starts_with("deep/down/reports"));
        all
    };
    let wrong = ["../x", "..", &absolute, "a/../../b", "a/../b", "a//b", "a/", ".", "a/./b"];
    for (field, set) in [("name", "name: \"tiny\""), ("study", "study: \"tests\"")] {
        for value in wrong {
            let text = TINY.replace(set, &format!("{field}: {value:?}"));
            fs::write(desk.path().join("wrong.ron"), text).unwrap();
            let before = elsewhere();
            let set = format!("{field}={value}");
            let ways = [desk.accrue(&["run", "wrong.ron"]), desk.experiment(&[&set])];
            for (mut command, way) in ways.into_iter().zip(["the file", "--set"]) {
                command.arg("--out").arg(&out).args(["--set", "training.steps=1"]);
                let ended = Running::new(command).end();
                let said = said(&ended);
                assert_eq!(elsewhere(), before, "{field} {value:?} of {way} wrote: {said}");
                assert_eq!(code(ended.status), 2, "{field} {value:?} of {way}: {said}");
                assert!(said.contains(field), "{field} {value:?} of {way}: {said}");
            }
        }
    }
    // A network from elsewhere gets a folder of a name of the person's own too.
    let weights = undisturbed(ONE).run.join("model.safetensors").display().to_string();
    let mut command = desk.accrue(&["analyze", &weights, "--corpus", "tiny.ron", "--name", "../x"]);
    command.arg("--out").arg(&out);
    let ended = Running::new(command).end();
    assert_eq!(code(ended.status), 2, "analyze --name ../x: {}", said(&ended));
}

// ---- stopped in the middle -------------------------------------------------------------------------

#[test]
fn training_that_was_interrupted_goes_on_to_the_same_bits() {
    let mut random = accrue::seed::stream(1, "interruptions");
    let desk = Desk::new();
    let run = desk.run(ONE);
    let mut hits = 0;
    for signal in [libc::SIGKILL, libc::SIGINT, libc::SIGTERM, libc::SIGKILL] {
        let mut process = desk.start(ONE);
        // Of 60 times that it would: all of them fall into training, however fast the machine is.
        process.trains(random.random_range(0..12));
        hits += (process.signal(signal) && !stages(&run).contains_key("train")) as usize;
        process.end();
    }
    assert!(hits >= 3, "{hits} of 4 signals came while it trained");
    desk.finish_undisturbed(ONE, "training was interrupted");
    tidy(&desk.out(), "training was interrupted");
    let left = files(&desk.out()).into_iter().find(|f| f.to_string_lossy().contains("checkpoint"));
    assert_eq!(left, None, "a finished run leaves no checkpoint");
}

#[test]
fn a_request_to_end_writes_the_checkpoint_and_says_how_to_go_on() {
    // Nothing but the request writes a checkpoint.
    const RARE: &str = "training.checkpoint_every=1000000";
    for (signal, expected) in [(libc::SIGTERM, 143), (libc::SIGINT, 130)] {
        let desk = Desk::new();
        let run = desk.run(ONE);
        let mut step = 0;
        for sitting in 0..2 {
            let mut process = desk.start(&[RARE]);
            assert!(process.trains(5), "it never got to training");
            assert!(process.signal(signal), "it ended before it could be asked to");
            let ended = process.end();
            let said = said(&ended);
            assert_eq!(ended.status.code(), Some(expected), "signal {signal}: {said}");
            assert!(said.contains("the same command goes on from there"), "{said}");
            let stopped = said.split("training at step ").nth(1).expect("it says at which step");
            let digits: String = stopped.chars().take_while(char::is_ascii_digit).collect();
            let now: usize = digits.parse().unwrap();
            assert!(now > step, "sitting {sitting} stopped at step {now} and began at {step}");
            step = now;
            let written = files(&desk.out());
            let written = written.iter().any(|f| f.to_string_lossy().contains("checkpoint"));
            assert!(written, "no checkpoint after signal {signal}");
        }
        desk.finish(&[RARE]);
        same(&run, &undisturbed(ONE).run, "asked to end twice, and gone on");
    }
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_run() {
    for (both, lines) in [(true, 1), (true, 0), (false, 0)] {
        let desk = Desk::new();
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = desk.experiment(ONE);
        command.stdout(writer.try_clone().unwrap());
        if both {
            command.stderr(writer);
        } else {
            drop(writer);
        }
        let process = Running::new(command);
        let mut reader = BufReader::new(reader);
        for _ in 0..lines {
            reader.read_line(&mut String::new()).unwrap();
        }
        drop(reader);
        let ended = process.end();
        let what = format!("after {lines} lines, standard error too: {both}");
        assert_eq!(ended.status.code(), Some(0), "{what}: {}", said(&ended));
        assert!(!said(&ended).contains("panicked"), "{what}: {}", said(&ended));
        same(&desk.run(ONE), &undisturbed(ONE).run, &what);
    }
}

#[test]
fn an_answer_that_nobody_reads_to_its_end_is_no_panic() {
    let desk = Desk::after(ONE);
    let run = desk.run(ONE).display().to_string();
    let grid: &[&str] = &["run", "tiny.ron", "--set", "training.steps=5", "--set", "name=grid"];
    let grid = [grid, &["--set", "grid=[(set: \"seed\", to: [1])]"]].concat();
    let answers: [&[&str]; 14] = [
        &["help"],
        &["--version"],
        &["help", "run"],
        &["predict", "tiny.ron"],
        &["predict", "tiny.ron", "--json"],
        &["corpus", "list"],
        &["corpus", "show", "imdb"],
        &["corpus", "stats", "tiny.ron"],
        &["explain", &run, TEXT],
        &["compare", &run, &run],
        &["report", &run],
        &["completions", "bash"],
        &["run", "tiny.ron", "--json"],
        &grid,
    ];
    for answer in answers {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = desk.accrue(answer);
        command.stdout(writer);
        let ended = Running::new(command).end();
        let said = said(&ended);
        assert!(!said.contains("panicked") && code(ended.status) != 101, "{answer:?}: {said}");
        if answer[0] == "run" {
            assert_eq!(ended.status.code(), Some(0), "{answer:?}: {said}");
        }
    }
}

#[test]
fn the_numbers_of_a_run_are_printed_as_they_were_stored() {
    let desk = Desk::after(ONE);
    let mut command = desk.experiment(ONE);
    command.arg("--json");
    let ended = Running::new(command).end();
    let stored = fs::read_to_string(desk.run(ONE).join("summary.json")).unwrap();
    // The last digit too: a number that was read is the number that was written.
    assert_eq!(String::from_utf8_lossy(&ended.stdout), stored, "{}", said(&ended));
}

// ---- a disk that cannot be written to --------------------------------------------------------------

/// How a folder is kept from being written to.
#[derive(Clone, Copy, Debug)]
enum Guard {
    /// Modes: enough for everyone but root.
    Modes,
    /// A read-only mount that the program alone sees.
    Mount,
    /// Modes, and the program runs as nobody.
    Nobody,
}

impl Guard {
    /// A command that runs in the folder and cannot write there.
    fn command(self, folder: &Path, program: &str, arguments: &[&str]) -> Command {
        let mut command;
        match self {
            Guard::Mount => {
                // Entered after the mount: a place that was taken before leads past it.
                let steps = "mount --bind \"$0\" \"$0\" && mount -o remount,bind,ro \"$0\" && \
                             cd \"$0\" && exec \"$@\"";
                command = Command::new("unshare");
                command.args(["-m", "sh", "-c", steps]).arg(folder).arg(program).args(arguments);
            }
            Guard::Modes | Guard::Nobody => {
                command = Command::new(program);
                command.args(arguments);
                if let Guard::Nobody = self {
                    // Everywhere the user with no rights.
                    command.uid(65534).gid(65534);
                }
            }
        }
        command.current_dir(folder).env_remove("ACCRUE_DATA");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The first that works here.
    fn find(folder: &Path) -> Option<Self> {
        let works = |guard: &Guard| {
            let runs = |program: &str, arguments: &[&str]| {
                let output = guard.command(folder, program, arguments).output();
                output.is_ok_and(|output| output.status.success())
            };
            runs(env!("CARGO_BIN_EXE_accrue"), &["--version"])
                && !runs("touch", &["touched"])
                && !runs("touch", &["reports/touched"])
        };
        [Guard::Modes, Guard::Mount, Guard::Nobody].into_iter().find(works)
    }
}

/// Takes everyone's right to write below a folder, and gives it back at the end.
struct Closed<'a>(&'a Path);

impl<'a> Closed<'a> {
    fn new(folder: &'a Path) -> Self {
        Self::set(folder, "a+rX,a-w");
        Self(folder)
    }

    fn set(folder: &Path, mode: &str) {
        let changed = Command::new("chmod").args(["-R", mode]).arg(folder).status().unwrap();
        assert!(changed.success());
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        Self::set(self.0, "u+w");
    }
}

#[test]
fn a_finished_run_on_a_disk_that_cannot_be_written_to_can_be_looked_at() {
    let desk = Desk::after(ONE);
    let shown = look(&desk);
    let closed = Closed::new(desk.path());
    let Some(guard) = Guard::find(desk.path()) else {
        eprintln!(
            "SKIPPED: this process may write everywhere and can neither mount a folder read-only \
             nor become another user"
        );
        return;
    };
    let program = env!("CARGO_BIN_EXE_accrue");
    let run =
        |arguments: &[&str]| Running::new(guard.command(desk.path(), program, arguments)).end();
    let here = "reports/tests/tiny";
    let explained = run(&["explain", here, TEXT, "--json"]);
    assert!(explained.status.success(), "{guard:?}: {}", said(&explained));
    assert_eq!(explained.stdout, shown[0].1.stdout);
    let compared = run(&["compare", here, here]);
    assert!(compared.status.success(), "{guard:?}: {}", said(&compared));
    let ended = run(&["run", "tiny.ron"]);
    let all = said(&ended);
    assert!(ended.status.success(), "{guard:?}: {all}");
    let in_place = all.lines().filter(|line| line.contains("in place")).count();
    assert_eq!(in_place, stages(&desk.run(ONE)).len(), "{all}");
    assert!(String::from_utf8_lossy(&ended.stdout).contains("index.html"), "where its page is");
    // What must write says where it cannot.
    let other = run(&["run", "tiny.ron", "--seed", "2"]);
    assert!((1..101).contains(&code(other.status)), "{}", said(&other));
    assert!(said(&other).contains("reports"), "{}", said(&other));
    drop(closed);
    same(&desk.run(ONE), &undisturbed(ONE).run, "looked at");
}

// ---- many networks ---------------------------------------------------------------------------------

#[test]
fn a_grid_killed_at_random_moments_goes_on_to_the_same_tables() {
    let mut random = accrue::seed::stream(1, "kills of a grid");
    let desk = Desk::new();
    for signal in [libc::SIGKILL, libc::SIGTERM] {
        let mut process = desk.start(GRID);
        let changes = random.random_range(10..50);
        let reached = process.until_changed(&desk.run(GRID), changes);
        assert!(process.signal(signal) && reached, "it ended before {changes} changes were seen");
        process.end();
    }
    desk.finish_undisturbed(GRID, "killed and resumed");
    tidy(&desk.out(), "a grid was killed");
}

/// How many files of this content lie below a folder, names of one file counted once.
fn copies(out: &Path, content: &Path) -> usize {
    let bytes = fs::read(content).unwrap();
    let mut found = BTreeSet::new();
    for file in files(out) {
        let path = out.join(file);
        let about = fs::metadata(&path).unwrap();
        if about.len() == bytes.len() as u64 && fs::read(&path).unwrap() == bytes {
            found.insert((about.dev(), about.ino()));
        }
    }
    found.len()
}

#[test]
fn networks_on_one_corpus_keep_it_once() {
    let desk = Desk::after(GRID);
    let cases = desk.run(GRID).join("cases");
    let mut cases: Vec<PathBuf> = fs::read_dir(cases).unwrap().map(|c| c.unwrap().path()).collect();
    cases.sort();
    assert_eq!(cases.len(), 3);
    let documents = cases[0].join("tables/documents.parquet");
    assert_eq!(copies(&desk.out(), &documents), 1, "of the corpus of {} networks", cases.len());
    // A run of its own beside them reads the same corpus.
    desk.finish(&["training.steps=400", "model.units=6", "name=alone"]);
    let alone = desk.out().join("tests/alone");
    assert_eq!(copies(&desk.out(), &alone.join("tables/documents.parquet")), 1);
    same(&alone, &cases[0], "alone and within a grid");
    assert!(desk.out().join(".store").is_dir(), "what runs share stands in one store");
}

#[test]
fn runs_side_by_side_share_a_corpus_and_leave_each_other_alone() {
    let desk = Desk::new();
    // The one is over while the other trains.
    let slow = desk.start(ONE);
    let quick = desk.start(&["training.steps=20", "name=quick", "model.units=6"]);
    let other = desk.start(&["training.steps=20", "name=other", "model.units=7", "seed=2"]);
    for process in [quick, other, slow] {
        let ended = process.end();
        assert!(ended.status.success(), "{}", said(&ended));
    }
    same(&desk.run(ONE), &undisturbed(ONE).run, "others ended beside it");
    let documents = desk.run(ONE).join("tables/documents.parquet");
    assert_eq!(copies(&desk.out(), &documents), 1, "of the corpus of two runs");
    tidy(&desk.out(), "runs side by side");
}

#[test]
fn what_a_killed_run_left_half_written_goes_with_the_next_one() {
    let desk = Desk::new();
    let mut seen = 0;
    // Caught while a file has its name for the time of writing, wherever that is.
    for _ in 0..4 {
        let mut process = desk.start(ONE);
        seen += process.until(|| !unfinished(&desk.out()).is_empty()) as usize;
        process.kill();
    }
    println!("{seen} of 4 kills came while a file was being written");
    desk.finish_undisturbed(ONE, "killed while files were being written");
    tidy(&desk.out(), "killed while files were being written");
}

#[test]
fn what_was_killed_at_other_settings_leaves_no_half_written_checkpoint() {
    let desk = Desk::new();
    let mut child = Command::new("true").spawn().unwrap();
    child.wait().unwrap();
    let resume = desk.out().join(".store/resume/0123456789abcdef0123456789abcdef");
    fs::create_dir_all(&resume).unwrap();
    let whole = resume.join("checkpoint.safetensors");
    let half = accrue::files::partial(&whole).display().to_string();
    let (own, gone) = (std::process::id().to_string(), child.id().to_string());
    let half = PathBuf::from(half.replace(&format!("-{own}-"), &format!("-{gone}-")));
    fs::write(&half, b"half").unwrap();
    fs::write(&whole, b"whole").unwrap();
    desk.finish_undisturbed(ONE, "after a kill at other settings");
    assert!(!half.exists(), "nobody writes it any more");
    assert!(whole.exists(), "those settings may be asked for again");
}

// ---- many kills ------------------------------------------------------------------------------------

/// A number from the environment.
fn asked(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is no number")))
}

/// Runs and grids of two settings each, stopped at random moments again and again; those that are let to
/// their end leave what undisturbed ones leave.
#[test]
#[ignore = "a quarter of an hour: `make check-kills`; ACCRUE_KILLS says how many, ACCRUE_SEED which"]
fn two_hundred_kills_leave_no_trace() {
    let kills = asked("ACCRUE_KILLS").unwrap_or(200);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = asked("ACCRUE_SEED").unwrap_or(now.as_secs());
    println!("{kills} kills; ACCRUE_SEED={seed} draws the same moments again");
    let mut random = accrue::seed::stream(seed, "two hundred kills");
    let kinds = [(ONE, TWO), (GRID, OTHER_GRID)];
    let (mut hits, mut finished) = (0, 0);
    while hits < kills {
        // What was finished once is in place for good: every round begins with nothing.
        let desk = Desk::new();
        let (one, other) = kinds[random.random_range(0..kinds.len())];
        for _ in 0..random.random_range(1..4) {
            for _ in 0..random.random_range(1..5) {
                let settings = if random.random() { one } else { other };
                let signals = [libc::SIGKILL, libc::SIGKILL, libc::SIGTERM, libc::SIGINT];
                let signal = signals[random.random_range(0..signals.len())];
                let mut process = desk.start(settings);
                // Sometimes two want the folder.
                let rival = (random.random::<f64>() < 0.2).then(|| desk.start(other));
                pause(&mut random, undisturbed(settings).took);
                if process.signal(signal) {
                    hits += 1;
                }
                let ended = process.end();
                let said = said(&ended);
                assert!(code(ended.status) != 101 && !said.contains("panicked"), "{said}");
                if let Some(rival) = rival {
                    pause(&mut random, undisturbed(other).took.mul_f64(0.3));
                    hits += rival.kill() as u64;
                }
                glance(&desk, one, other);
            }
            let settings = if random.random() { one } else { other };
            desk.finish_undisturbed(settings, &format!("ACCRUE_SEED={seed}, {hits} kills"));
            tidy(&desk.out(), &format!("ACCRUE_SEED={seed}, {hits} kills"));
            glance(&desk, one, other);
            finished += 1;
        }
        println!("{hits} kills, {finished} runs to their end");
    }
}

/// Whatever was killed, a look at it says what one of the runs says, or refuses.
fn glance(desk: &Desk, one: Settings, other: Settings) {
    if one != ONE {
        return;
    }
    let explained = |run: &Path| {
        let run = run.display().to_string();
        Running::new(desk.accrue(&["explain", &run, TEXT, "--json"])).end()
    };
    let ended = explained(&desk.run(one));
    assert!(code(ended.status) < 101, "{}", said(&ended));
    if ended.status.success() {
        let either = [one, other].map(|settings| explained(&undisturbed(settings).run).stdout);
        assert!(either.contains(&ended.stdout), "{}", String::from_utf8_lossy(&ended.stdout));
    }
}
