//! Parts of a sweep: processes that know nothing of each other make what one process makes.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Six small networks, a quarter of a second each.
const SIX: &str = "
    Population(
        study: \"tests\",
        name: \"six\",
        of: (
            task: Memory(bits: 1, steps: 12, pulse: 0.2),
            trials: (train: 128, validation: 16, test: 16),
            model: (units: 6, embedding: None),
            training: (batch: 32, epochs: 50, steps: 60, learning_rate: 0.02, checkpoint_every: 5),
            states: (documents: 8, most: 100),
            fixed_points: (
                initial_states: 8,
                explore: (running: 2, steps: 50, visited: 4, noisy: 4, mixtures: 2, uniform: 2),
            ),
        ),
        learned: 1.0,
        grid: [(set: \"model.cell\", to: [\"Gru\", \"Vanilla\"]), (set: \"seed\", to: [1, 2, 3])],
        similarity: (permutations: 19, delays: 2, rank: 2),
    )";

struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("six.ron"), SIX).unwrap();
        Self(folder)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accrue"));
        command.args(words).current_dir(self.0.path()).env_remove("ACCRUE_DATA");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn accrue(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    /// What it says where it ends well.
    fn well(&self, words: &[&str]) -> String {
        let output = self.accrue(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// What it says where it refuses.
    fn refused(&self, words: &[&str]) -> String {
        let output = self.accrue(words);
        assert!(!output.status.success(), "{words:?} went well");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn sweep(&self) -> PathBuf {
        self.0.path().join("reports/tests/six")
    }

    /// Tables and weights of the sweep and of its networks; what holds measured time left out.
    fn tables(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut folders = vec![self.sweep()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                if path.is_dir() {
                    folders.extend((name != "parts").then_some(path));
                } else if ["parquet", "safetensors"].iter().any(|e| name.ends_with(e))
                    && !["training.parquet", "case_numbers.parquet"].contains(&name.as_str())
                {
                    let below = path.strip_prefix(self.sweep()).unwrap().to_path_buf();
                    found.insert(below, std::fs::read(path).unwrap());
                }
            }
        }
        found
    }
}

fn counts(status: &str) -> BTreeMap<String, usize> {
    let pair = |line: &str| {
        let mut words = line.strip_prefix("  ")?.split_whitespace();
        Some((words.next()?.to_string(), words.next()?.parse().ok()?))
    };
    status.lines().filter_map(pair).collect()
}

#[test]
fn parts_side_by_side_and_again_make_the_tables_of_one_process() {
    let whole = Desk::new();
    whole.well(&["run", "six.ron", "--quiet"]);
    let desk = Desk::new();
    // Two at once, that begin with no plan; one of them twice.
    let spawned: Vec<_> = ["1/3", "3/3", "1/3"]
        .iter()
        .map(|&part| {
            desk.command(&["run", "six.ron", "--part", part, "--threads", "1"]).spawn().unwrap()
        })
        .collect();
    for child in spawned {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(std::fs::read_dir(desk.sweep().join("parts")).unwrap().count(), 1, "one plan");
    assert!(!desk.sweep().join("index.html").exists(), "no part writes the page of the whole");
    let status = desk.well(&["status", "six.ron"]);
    assert_eq!(counts(&status)["done"], 4, "{status}");
    let gathered = desk.well(&["gather", "six.ron"]);
    assert!(gathered.contains("4 of 6 networks gathered, 2 missing"), "{gathered}");
    assert!(desk.sweep().join("index.html").exists());
    desk.well(&["run", "six.ron", "--part", "2/3", "--quiet"]);
    let weights = |desk: &Desk| {
        let mut of: Vec<_> = desk.tables().into_keys().collect();
        of.retain(|path| path.ends_with("model.safetensors"));
        of.into_iter()
            .map(|path| std::fs::metadata(desk.sweep().join(path)).unwrap().modified().unwrap())
            .collect::<Vec<_>>()
    };
    let before = weights(&desk);
    assert_eq!(before.len(), 6);
    // Another number of parts finds everything in place.
    for part in ["1/2", "2/2"] {
        desk.well(&["run", "six.ron", "--part", part, "--quiet"]);
    }
    assert_eq!(weights(&desk), before, "nothing was trained again");
    let gathered = desk.well(&["gather", "six.ron"]);
    assert!(gathered.contains("6 of 6 networks gathered, 0 missing"), "{gathered}");
    let (found, expected) = (desk.tables(), whole.tables());
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (path, bytes) in &expected {
        assert!(found[path] == *bytes, "{} is another", path.display());
    }
}

#[cfg(unix)]
#[test]
fn a_part_that_is_killed_goes_on_and_a_network_that_fails_is_told_and_tried_again() {
    let desk = Desk::new();
    let part = ["run", "six.ron", "--part", "1/1", "--jobs", "1", "--threads", "1"];
    let mut child = desk.command(&part).spawn().unwrap();
    let one = desk.sweep().join("cases/001-Gru-1/index.html");
    let begin = std::time::Instant::now();
    while !one.exists() && begin.elapsed().as_secs() < 60 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let status = desk.well(&["status", "six.ron"]);
    assert!(counts(&status)["done"] < 6 && counts(&status)["running"] == 0, "{status}");
    // A file where a network's folder should be: it fails, the others do not.
    let cases = desk.sweep().join("cases");
    let broken = cases.join("006-Vanilla-3");
    let _ = std::fs::remove_dir_all(&broken);
    std::fs::write(&broken, b"in the way").unwrap();
    let said = desk.refused(&part);
    assert!(said.contains("1 networks failed") && said.contains("accrue retry"), "{said}");
    let status = desk.well(&["status", "six.ron"]);
    assert_eq!((counts(&status)["done"], counts(&status)["failed"]), (5, 1), "{status}");
    assert!(status.contains("006-Vanilla-3: "), "{status}");
    let gathered = desk.well(&["gather", "six.ron"]);
    assert!(gathered.contains("5 of 6 networks gathered, 1 missing (1 failed)"), "{gathered}");
    std::fs::remove_file(&broken).unwrap();
    desk.well(&part);
    let status = desk.well(&["status", "six.ron"]);
    assert_eq!((counts(&status)["done"], counts(&status)["failed"]), (6, 0), "{status}");
}

#[test]
fn a_sweep_on_this_machine_is_submitted_and_retried() {
    let desk = Desk::new();
    let said = desk.refused(&["retry", "six.ron"]);
    assert!(said.contains("submit them first"), "{said}");
    desk.well(&["submit", "six.ron", "--engine", "local", "--parts", "2", "--go"]);
    assert_eq!(counts(&desk.well(&["status", "six.ron"]))["done"], 6);
    assert!(desk.sweep().join("index.html").exists());
    assert!(desk.well(&["retry", "six.ron"]).contains("nothing to send again"));
    // Two networks are lost: they alone are sent again.
    for case in ["002-Gru-2", "005-Vanilla-2"] {
        std::fs::remove_dir_all(desk.sweep().join("cases").join(case)).unwrap();
    }
    let plans = || std::fs::read_dir(desk.sweep().join("parts")).unwrap().count();
    let before = plans();
    desk.well(&["retry", "six.ron", "--go"]);
    assert_eq!(plans(), before + 1);
    assert_eq!(counts(&desk.well(&["status", "six.ron"]))["done"], 6);
}

#[test]
fn what_no_part_and_no_engine_can_do_is_said_with_what_to_do() {
    let desk = Desk::new();
    for (part, word) in [("7/3", "from 1 to 3"), ("0/3", "from 1 to 3"), ("x", "--part 3/20")] {
        let said = desk.refused(&["run", "six.ron", "--part", part]);
        assert!(said.contains(word), "{said}");
    }
    let said = desk.refused(&["gather", "six.ron"]);
    assert!(said.contains("none of the 6 networks is there yet"), "{said}");
    let said = desk.refused(&["submit", "six.ron", "--engine", "slurm", "--parts", "0"]);
    assert!(said.contains("--parts 0: at least 1"), "{said}");
    // No engine in the path.
    for engine in ["slurm", "hyperqueue"] {
        let mut command = desk.command(&["submit", "six.ron", "--engine", engine, "--go"]);
        let output = command.env("PATH", "/nowhere").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && said.contains("no `") && said.contains("--go"),
            "{said}"
        );
    }
    // Sent, and then the file, the folder or the program is another.
    desk.well(&["submit", "six.ron", "--engine", "local", "--parts", "2"]);
    let parts = desk.sweep().join("parts");
    let id = std::fs::read_dir(&parts).unwrap().next().unwrap().unwrap();
    let id = id.file_name().to_string_lossy().into_owned();
    let part = |more: &[&str]| {
        desk.refused(
            &[&["run", "six.ron", "--part", "1/2", "--sweep", id.as_str()][..], more].concat(),
        )
    };
    let said = part(&["--set", "of.seed=9"]);
    assert!(said.contains("other networks") && said.contains("submit it again"), "{said}");
    let said = part(&["--out", "elsewhere"]);
    assert!(said.contains("does not see it"), "{said}");
    let plan = parts.join(&id).join("plan.ron");
    let text = std::fs::read_to_string(&plan).unwrap();
    let version = format!("program: \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version), "{text}");
    std::fs::write(&plan, text.replace(&version, "program: \"0.0.9\"")).unwrap();
    let said = part(&[]);
    assert!(said.contains("0.0.9") && said.contains("one program"), "{said}");
    assert!(!desk.sweep().join("cases").exists(), "nothing was begun");
    // One network is no sweep; its first part makes it, the others have nothing to do.
    let one = "Task(task: Memory(bits: 1, steps: 12), trials: (train: 32, validation: 8, test: 8), training: (steps: 1))";
    std::fs::write(desk.0.path().join("one.ron"), one).unwrap();
    assert!(desk.refused(&["status", "one.ron"]).contains("parts are for grids and populations"));
    assert!(desk.well(&["run", "one.ron", "--part", "2/2"]).contains("nothing to do"));
}

/// Two networks on a synthetic corpus.
const TEXT: &str = "(
    study: \"tests\",
    name: \"six\",
    corpus: (source: Synthetic(length: 10, train: 300, validation: 30, test: 60)),
    model: (embedding: None, units: 6),
    training: (epochs: 2, batch: 30),
    states: (documents: 30, most: 100),
    fixed_points: (inputs: [Uniform], primary: 1e-4, initial_states: 8, spectra: 2, proofs: 2),
    prediction: (bootstrap: 5),
    baseline: (penalties: [1e-2]),
    context: (fit: true, least: 1, steps: 2, penalties: [3e-3]),
    modes: (words: 2, documents: 2, rollouts: 5, states: 5, relaxation: 5, later: 2),
    grid: [(set: \"model.units\", to: [6, 7])],
)";

#[test]
fn a_grid_on_text_is_made_in_parts_that_share_one_corpus() {
    let (whole, desk) = (Desk::new(), Desk::new());
    for folder in [&whole, &desk] {
        std::fs::write(folder.0.path().join("text.ron"), TEXT).unwrap();
    }
    whole.well(&["run", "text.ron", "--quiet"]);
    // Both need the corpus at once: one makes it.
    let parts = ["1/2", "2/2"];
    let spawned: Vec<_> = parts
        .iter()
        .map(|&part| {
            // The second works on a disk of its own.
            let disk: &[&str] = if part == "2/2" { &["--scratch", "disk"] } else { &[] };
            desk.command(&[&["run", "text.ron", "--part", part][..], disk].concat())
                .spawn()
                .unwrap()
        })
        .collect();
    for child in spawned {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let disk = desk.0.path().join("disk");
    assert_eq!(std::fs::read_dir(disk).unwrap().count(), 0, "nothing is left there");
    let gathered = desk.well(&["gather", "text.ron"]);
    assert!(gathered.contains("2 of 2 networks gathered, 0 missing"), "{gathered}");
    let (found, expected) = (desk.tables(), whole.tables());
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    for (path, bytes) in &expected {
        assert!(found[path] == *bytes, "{} is another", path.display());
    }
}

#[test]
fn a_sweep_over_trials_of_a_file_that_nobody_has_read_yet_is_looked_at() {
    let desk = Desk::new();
    let of_file =
        SIX.replace("Memory(bits: 1, steps: 12, pulse: 0.2)", "File(file: \"trials.npz\")");
    std::fs::write(desk.0.path().join("six.ron"), of_file).unwrap();
    assert_eq!(counts(&desk.well(&["status", "six.ron"]))["waiting"], 6);
    let said = desk.refused(&["run", "six.ron", "--part", "1/6"]);
    assert!(said.contains("trials.npz"), "{said}");
}
