//! The README: what it says to type can be typed.

use accrue::corpus::catalogue::Catalogue;
use accrue::experiment::Experiment;
use accrue::model::{Config, Head, Network};
use accrue::seed;
use accrue::studies::portrait::STAGES;
use candle_core::{Device, Tensor};
use polars::prelude::*;
use rand::Rng;
use std::path::Path;
use std::process::Command;

fn readme() -> (std::path::PathBuf, String) {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf();
    let text = std::fs::read_to_string(top.join("README.md")).unwrap();
    (top, text)
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
    joined.lines().filter_map(|l| l.strip_prefix("    accrue ")).map(words).collect()
}

#[test]
fn every_command_of_the_readme_is_one_of_the_program() {
    let (top, text) = readme();
    let commands = commands(&text);
    assert!(commands.len() >= 10, "{commands:?}");
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
            Experiment::read(&top.join(file), &set).unwrap_or_else(|e| panic!("{words:?}: {e}"));
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

/// The experiment that the README shows.
fn shown(text: &str) -> String {
    let begin = text.find("    // reviews.ron").expect("the README shows an experiment");
    text[begin..]
        .lines()
        .take_while(|l| l.is_empty() || l.starts_with("    "))
        .take_while(|l| !l.trim_start().starts_with("accrue"))
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

/// Types the commands of "Five minutes" in a folder that has small corpora under the public
/// names, and takes steps away from the two that draw their own corpus and train for minutes
/// (other tests run those whole).
#[test]
fn what_the_readme_types_in_five_minutes_runs() {
    let (top, text) = readme();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for sub in ["line", "context"] {
        std::fs::create_dir_all(at("pipeline/experiments").join(sub)).unwrap();
    }
    for (name, classes) in [("imdb", 2), ("sst2", 2), ("ag_news", 4)] {
        stand_in(&at("data"), name, classes);
    }
    let own = ["reviews.", "gru.safetensors"];
    let commands: Vec<Vec<String>> = commands(&text)
        .into_iter()
        .filter(|c| !c.iter().any(|w| own.iter().any(|o| w.starts_with(o))))
        .collect();
    assert_eq!(commands.len(), 12, "{commands:?}");
    for command in &commands {
        for file in command.iter().filter(|w| w.ends_with(".ron")) {
            std::fs::copy(top.join(file), at(file)).unwrap();
        }
        run(folder.path(), &shortened(command));
    }
    let runs = ["imdb/gru", "imdb/lstm", "sst2/gru", "line/valences", "context/toy"];
    for run in runs {
        assert!(at("reports").join(run).join("index.html").is_file(), "{run}");
    }
    assert!(at("film.html").is_file());
    let compare = ["compare", "reports/imdb/gru", "reports/imdb/lstm"].map(String::from);
    assert!(text.contains("`accrue compare RUN RUN …`"));
    run(folder.path(), &compare);
}

/// Types the README's commands on one's own text and network, word for word, in a folder
/// that has the files they name.
#[test]
fn what_the_readme_types_on_your_own_text_and_network_runs() {
    let (_, text) = readme();
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::write(place("reviews.csv"), reviews()).unwrap();
    std::fs::write(place("reviews.ron"), shown(&text)).unwrap();
    let experiment = Experiment::read(&place("reviews.ron"), &[]).unwrap();
    assert_eq!(experiment.name, "reviews");

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

    let own: Vec<Vec<String>> = commands(&text)
        .into_iter()
        .filter(|c| c.iter().any(|w| w.starts_with("reviews.") || w == "gru.safetensors"))
        .collect();
    assert_eq!(
        own.len(),
        5,
        "stats, predict, run, analyze with a corpus, analyze without: {own:?}"
    );
    for command in own {
        run(folder.path(), &command);
    }
    // The study of an experiment file is the name of its folder.
    let runs = place("reports");
    let pages = ["analyze/gru/index.html", "index.html"];
    assert!(pages.iter().all(|p| runs.join(p).is_file()));
    let study = folder.path().file_name().unwrap();
    assert!(runs.join(study).join("reviews/index.html").is_file());
}

/// Make asks for a run again where its experiment or the program is newer than its page.
#[test]
fn make_goes_by_the_times_of_experiment_program_and_page() {
    let (top, _) = readme();
    let out = tempfile::tempdir().unwrap();
    let program = out.path().join("program");
    std::fs::write(&program, "").unwrap();
    let asked = |more: &[&str]| -> Vec<&'static str> {
        let done = Command::new("make")
            .current_dir(&top)
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
fn every_verb_of_the_readme_is_one_of_the_makefile() {
    let (top, text) = readme();
    let makefile = std::fs::read_to_string(top.join("Makefile")).unwrap();
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
