//! The README and the tour: what they say to type can be typed, and what they point at is there.

use accrue::corpus::catalogue::Catalogue;
use accrue::experiment::{Experiment, Study};
use accrue::model::{Config, Head, Network};
use accrue::records::{self, column};
use accrue::seed;
use accrue::studies::text::STAGES;
use candle_core::{Device, Tensor};
use polars::prelude::*;
use rand::Rng;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Pages with commands.
const README: &str = "README.md";
const TOUR: &str = "pipeline/studies/tour.md";
const CLUSTER: &str = "pipeline/studies/cluster.md";

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

fn page(name: &str) -> String {
    std::fs::read_to_string(top().join(name)).unwrap()
}

/// Words of a command line, quotes taken off.
fn words(line: &str) -> Vec<String> {
    let line = line.split("  #").next().unwrap();
    let mut out = Vec::new();
    for (i, part) in line.split('"').enumerate() {
        match i % 2 {
            0 => out.extend(part.split_whitespace().map(String::from)),
            _ => out.push(part.to_string()),
        }
    }
    out
}

/// The commands of a text, a backslash at a line's end joining it with the next.
fn commands(text: &str) -> Vec<Vec<String>> {
    let joined = text.replace("\\\n", " ");
    let typed = |l: &str| l.strip_prefix("    ").unwrap_or(l).strip_prefix("accrue ").map(words);
    joined.lines().filter_map(typed).collect()
}

#[test]
fn every_command_of_the_pages_is_one_of_the_program() {
    let top = top();
    let commands: Vec<Vec<String>> =
        [README, TOUR, CLUSTER].iter().flat_map(|name| commands(&page(name))).collect();
    assert!(commands.len() >= 26, "{commands:?}");
    for words in commands {
        let verbs = if words[0] == "corpus" { 2 } else { 1 };
        let help = Command::new(env!("CARGO_BIN_EXE_accrue"))
            .args(&words[..verbs])
            .arg("--help")
            .output()
            .unwrap();
        assert!(help.status.success(), "{words:?}");
        let help = String::from_utf8(help.stdout).unwrap();
        for option in words.iter().filter(|w| w.starts_with("--")) {
            assert!(help.contains(option.as_str()), "{words:?}: no {option}");
        }
        let files: Vec<&String> = words.iter().filter(|w| w.ends_with(".ron")).collect();
        let set: Vec<String> = words
            .windows(2)
            .filter(|pair| pair[0] == "--set")
            .map(|pair| pair[1].clone())
            .collect();
        for file in files.into_iter().filter(|f| f.contains('/')) {
            Study::read(&top.join(file), &set).unwrap_or_else(|e| panic!("{words:?}: {e}"));
        }
    }
}

/// `--force` takes a stage: the help says which there are.
#[test]
fn the_help_names_every_stage() {
    for command in [&["--help"][..], &["run", "--help"]] {
        let help = Command::new(env!("CARGO_BIN_EXE_accrue")).args(command).output().unwrap();
        let help = String::from_utf8(help.stdout).unwrap();
        for stage in STAGES {
            assert!(help.contains(stage), "accrue {command:?}: no {stage}");
        }
    }
}

/// The experiment file that a page shows.
fn shown(text: &str, file: &str) -> String {
    let begin = text.find(&format!("// {file}\n")).expect("the page shows an experiment");
    text[begin..]
        .lines()
        .take_while(|l| !l.starts_with("```") && !l.trim_start().starts_with("accrue"))
        .map(|l| format!("{l}\n"))
        .collect()
}

/// Short texts of classes in turn, whose words say how far up the class is.
fn texts(number: usize, classes: usize, draw: u64) -> Vec<(String, usize)> {
    let good = ["lovely", "charming", "bright", "moving", "superb", "warm"];
    let bad = ["dull", "tired", "grim", "clumsy", "empty", "cold"];
    let rest = ["the", "film", "a", "story", "with", "and", "of", "an", "actor", "not"];
    let mut stream = seed::stream(draw, "tests/readme");
    let mut text = |class: usize| -> String {
        let words: Vec<&str> = (0..stream.random_range(6..25))
            .map(|_| {
                if stream.random_range(0.0..1.0) < 0.6 {
                    rest[stream.random_range(0..rest.len())]
                } else if stream.random_range(0.0..(classes - 1) as f64) < class as f64 {
                    good[stream.random_range(0..good.len())]
                } else {
                    bad[stream.random_range(0..bad.len())]
                }
            })
            .collect();
        words.join(" ")
    };
    (0..number).map(|i| (text(i % classes), i % classes)).collect()
}

/// Six hundred short reviews of one to five stars.
fn reviews() -> String {
    let mut file = String::from("title,body,stars\n");
    for (text, class) in texts(600, 5, 1) {
        let (title, body) = text.split_at(text.match_indices(' ').nth(2).unwrap().0);
        file += &format!("{title},\"{body}.\",{}\n", class + 1);
    }
    file
}

/// A small corpus under the name and in the columns of a public one.
fn stand_in(data: &Path, name: &str, classes: usize) {
    let entry = Catalogue::open(data).unwrap().get(name).unwrap().clone();
    for (draw, (split, path)) in entry.files(data).into_iter().enumerate() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let number = if split == "train" { 480 } else { 120 };
        let (texts, labels): (Vec<String>, Vec<i64>) = texts(number, classes, 2 + draw as u64)
            .into_iter()
            .map(|(text, class)| (text, class as i64))
            .unzip();
        let mut frame = df!(&entry.text[0] => texts, &entry.label => labels).unwrap();
        let file = std::fs::File::create(path).unwrap();
        ParquetWriter::new(file).finish(&mut frame).unwrap();
    }
}

fn run(folder: &Path, command: &[String]) {
    let done = Command::new(env!("CARGO_BIN_EXE_accrue"))
        .args(command)
        .current_dir(folder)
        .env_remove("ACCRUE_DATA")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "accrue {}: {said}", command.join(" "));
    assert!(!done.stdout.is_empty(), "accrue {} says nothing", command.join(" "));
}

/// What makes a command of minutes one of seconds, where its corpus is drawn.
fn shortened(command: &[String]) -> Vec<String> {
    let sets: &[&str] = match command.iter().find(|w| w.ends_with(".ron")).map(String::as_str) {
        Some(file) if file.ends_with("valences.ron") => &[
            "corpus.source=Synthetic(kind: Valence, length: 20, train: 600)",
            "training.epochs=1",
            "states.documents=60",
            "grid=[(set: \"model.cell\", to: [\"Gru\", \"Lstm\"]), (set: \"seed\", to: [1, 2])]",
        ],
        Some(file) if file.ends_with("toy.ron") => &[
            "corpus.source=Synthetic(kind: Toy, length: 20, train: 1000, validation: 200, test: 200)",
            "training.steps=200",
            "states.documents=60",
        ],
        _ => &[],
    };
    let sets = sets.iter().flat_map(|set| ["--set".to_string(), set.to_string()]);
    command.iter().cloned().chain(sets).collect()
}

/// Whether a command is about one's own text or network.
fn own(command: &[String]) -> bool {
    command.iter().any(|w| w.starts_with("reviews.") || w == "gru.safetensors")
}

/// Types the commands of the tour in a folder that has small corpora under the public
/// names, and takes steps away from the two that draw their own corpus and train for minutes
/// (other tests run those whole).
#[test]
fn what_the_tour_types_runs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for sub in ["line", "context"] {
        std::fs::create_dir_all(at("pipeline/experiments").join(sub)).unwrap();
    }
    for (name, classes) in [("imdb", 2), ("sst2", 2), ("ag_news", 4)] {
        stand_in(&at("data"), name, classes);
    }
    let commands: Vec<Vec<String>> =
        commands(&page(TOUR)).into_iter().filter(|c| !own(c)).collect();
    assert_eq!(commands.len(), 13, "{commands:?}");
    for command in &commands {
        for file in command.iter().filter(|w| w.ends_with(".ron")) {
            std::fs::copy(top().join(file), at(file)).unwrap();
        }
        run(folder.path(), &shortened(command));
    }
    let runs = ["imdb/gru", "imdb/lstm", "sst2/gru", "line/valences", "context/toy"];
    for run in runs {
        assert!(at("reports").join(run).join("index.html").is_file(), "{run}");
    }
    assert!(at("film.html").is_file());
}

/// Types the commands on one's own text and network, word for word, in a folder
/// that has the files they name.
#[test]
fn what_the_pages_type_on_your_own_text_and_network_runs() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("reviews.csv"), reviews()).unwrap();
    for (name, file) in [(README, "reviews.ron"), (TOUR, "grouped.ron")] {
        std::fs::write(place(file), shown(&page(name), file)).unwrap();
        let experiment = Experiment::read(&place(file), &[]).unwrap();
        assert_eq!(format!("{}.ron", experiment.name), file);
    }

    // A network of elsewhere: five classes, and the words of its embedding's rows.
    let words = "<unk> . lovely charming bright moving superb warm dull tired grim clumsy empty cold \
                 the film a story with and of an actor scene";
    let words: Vec<&str> = words.split_whitespace().collect();
    std::fs::write(place("words.txt"), words.join("\n")).unwrap();
    let config = Config { embedding: Some(8), units: 12, ..Config::default() };
    let network = Network::new(&config, Head::Softmax, words.len(), 5, 1).unwrap();
    network.save(&place("gru.safetensors")).unwrap();
    let states = Tensor::rand(-1.0_f32, 1.0, (40, 12), &Device::Cpu).unwrap();
    states.write_npy(place("states.npy")).unwrap();

    let of = |name| commands(&page(name)).into_iter().filter(|c| own(c)).collect::<Vec<_>>();
    let (readme, tour) = (of(README), of(TOUR));
    assert_eq!(readme.len(), 3, "predict, run, analyze with a corpus: {readme:?}");
    assert_eq!(tour.len(), 2, "stats, analyze without a corpus: {tour:?}");
    let grouped = ["run", "grouped.ron", "--set", "training.epochs=2"].map(String::from).to_vec();
    for command in readme.into_iter().chain(tour).chain([grouped]) {
        run(folder.path(), &command);
    }
    // The study of an experiment file is the name of its folder, without the dot of a hidden one.
    let runs = place("reports");
    let pages = ["analyze/gru/index.html", "index.html"];
    assert!(pages.iter().all(|p| runs.join(p).is_file()));
    let name = folder.path().file_name().unwrap().to_string_lossy().into_owned();
    let study = runs.join(name.trim_start_matches('.'));
    assert!(["reviews", "grouped"].iter().all(|run| study.join(run).join("index.html").is_file()));
}

/// Strings in double quotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// Tables, columns and summary keys that Python on a page reads are ones that runs write.
#[test]
fn python_on_the_pages_reads_what_runs_write() {
    let mut blocks = 0;
    for name in [README, TOUR, "reports/README.md"] {
        let text = page(name);
        for block in text.split("```python\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let tables = block.split("tables/").skip(1).map(|t| t.split('.').next().unwrap());
            let tables: Vec<&records::Schema> = tables
                .map(|t| records::described(t).unwrap_or_else(|| panic!("{name}: no table {t}")))
                .collect();
            let column = |c: &str| tables.iter().any(|t| t.columns.iter().any(|f| f.name == c));
            for call in ["col(", "select(", "group_by(", "sort(", "group["] {
                for arguments in block.split(call).skip(1) {
                    let end = arguments.find([')', ']']).unwrap();
                    for c in quoted(&arguments[..end]) {
                        assert!(column(c), "{name}: no column {c} in {block}");
                    }
                }
            }
            for key in block.split("summary[").skip(1).filter_map(|rest| quoted(rest).next()) {
                assert!(records::keys::KEYS.iter().any(|f| f.name == key), "{name}: no key {key}");
            }
            blocks += 1;
        }
    }
    assert_eq!(blocks, 6);
}

/// A Python that has polars: that of `tests/peers/run`, or the system's.
fn python() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let cache = || variable("XDG_CACHE_HOME").or(Some(variable("HOME")?.join(".cache")));
    let peers = variable("ACCRUE_PEERS").or_else(|| Some(cache()?.join("accrue/peers")));
    let candidates = peers.map(|p| p.join("bin/python")).into_iter().chain(["python3".into()]);
    let has_polars = |python: &PathBuf| {
        let tried = Command::new(python).args(["-c", "import polars"]).output();
        tried.is_ok_and(|t| t.status.success())
    };
    candidates.into_iter().find(has_polars)
}

#[test]
fn python_of_the_dictionary_runs_on_a_table_that_was_written() {
    let Some(python) = python() else {
        eprintln!("SKIPPED: no Python with polars here; tests/peers/run makes one");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("reports/quickstart/three_topics");
    let numbers = || column([0.5, -0.5]);
    let unknown = || column([Some(0.5), None]);
    records::FixedPoints {
        input: column(["zero", "mean"]),
        tolerance: numbers(),
        q: numbers(),
        moved: numbers(),
        steps: column([3, 4]),
        stop: column(["converged", "stalled"]),
        primary: column([true, false]),
        start: column(["near", "uniform"]),
        initial_state: column([Some(0), None]),
        distance_from_states: numbers(),
        near: column([true, false]),
        certified: column([Some(true), None]),
        radius: unknown(),
        stable: column([Some(false), None]),
        stability: column([Some("unstable"), None]),
        spectral_bound: unknown(),
        index: unknown(),
        tau_1: unknown(),
        tau_2: unknown(),
        tau_3: unknown(),
        unstable: column([Some(1), None]),
        pc_1: numbers(),
        pc_2: numbers(),
        pc_3: numbers(),
        readout: column([&[1.0][..], &[2.0]]),
        state: column([&[1.0, 2.0][..], &[3.0, 4.0]]),
    }
    .write(&run)
    .unwrap();
    let text = page("reports/README.md");
    let blocks = text.split("```python\n").skip(1).filter_map(|rest| rest.split("```").next());
    // A path with "…" is the reader's own.
    let mut lines: Vec<&str> = blocks.filter(|b| !b.contains('…')).collect();
    assert_eq!(lines.len(), 1);
    lines.push("assert points.height == 2 and points['certified'].to_list() == [True, None]\n");
    lines.push("assert points['state'].to_list() == [[1.0, 2.0], [3.0, 4.0]]\n");
    let mut program = Command::new(python);
    let ran = program.arg("-c").arg(lines.concat()).current_dir(folder.path()).output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn what_the_pages_link_to_is_there() {
    let (top, mut links) = (top(), 0);
    for name in [README, "reports/FINDINGS.md", "reports/BENCHMARKS.md", "CONTRIBUTING.md"] {
        let folder = top.join(name).parent().unwrap().to_path_buf();
        let text = page(name);
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap();
            if !link.contains("://") && !file.is_empty() {
                assert!(folder.join(file).exists(), "{name}: {link}");
                links += 1;
            }
        }
    }
    assert!(links >= 12, "{links}");
}

#[test]
fn the_readme_fits_on_a_page() {
    let size = page(README).len();
    assert!(size <= 6000, "{size} bytes");
}

#[test]
fn the_citation_is_of_this_version() {
    let version = format!("\nversion: {}\n", env!("CARGO_PKG_VERSION"));
    assert!(page("CITATION.cff").contains(&version));
}

/// Make asks for a run again where its experiment or the program is newer than its page.
#[test]
fn make_goes_by_the_times_of_experiment_program_and_page() {
    let out = tempfile::tempdir().unwrap();
    let program = out.path().join("program");
    std::fs::write(&program, "").unwrap();
    let asked = |more: &[&str]| -> Vec<&'static str> {
        let done = Command::new("make")
            .current_dir(top())
            .args(["--dry-run", "reproduce-context", "DATA=nowhere", "--old-file"])
            .arg(&program)
            .arg(format!("PROGRAM={}", program.display()))
            .arg(format!("OUT={}", out.path().display()))
            .args(more)
            .output()
            .unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        let all = ["context/toy.ron", "context/beginning.ron", "experiments/sst2.ron"];
        all.into_iter().filter(|file| said.contains(file)).collect()
    };
    assert_eq!(asked(&[]).len(), 3);
    for run in ["context/toy", "context/beginning", "sst2/gru"] {
        let folder = out.path().join(run);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("index.html"), "").unwrap();
    }
    assert!(asked(&[]).is_empty());
    let changed = ["--what-if", "pipeline/experiments/sst2.ron"];
    assert_eq!(asked(&changed), ["experiments/sst2.ron"]);
    std::fs::remove_file(out.path().join("context/toy/index.html")).unwrap();
    assert_eq!(asked(&[]), ["context/toy.ron"]);
}

#[test]
fn every_verb_of_the_pages_is_one_of_the_makefile() {
    let makefile = page("Makefile");
    let pages = [README, TOUR, "CONTRIBUTING.md", "reports/FINDINGS.md", "reports/BENCHMARKS.md"];
    let text: String = pages.map(page).join("\n");
    let verbs: Vec<&str> = text
        .split("`make ")
        .skip(1)
        .filter_map(|rest| rest.split('`').next()?.split_whitespace().next())
        .chain(text.lines().filter_map(|l| l.strip_prefix("    make ")?.split_whitespace().next()))
        .collect();
    assert!(verbs.len() >= 3);
    for verb in verbs {
        assert!(makefile.contains(&format!("\n{verb}:")), "make {verb}");
    }
}
