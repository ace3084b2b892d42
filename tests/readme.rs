//! The README: what it says to type can be typed.

use accrue::experiment::Experiment;
use accrue::model::{Config, Head, Network};
use accrue::seed;
use candle_core::{Device, Tensor};
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

/// Six hundred short reviews of one to five stars.
fn reviews() -> String {
    let good = ["lovely", "charming", "bright", "moving", "superb", "warm"];
    let bad = ["dull", "tired", "grim", "clumsy", "empty", "cold"];
    let rest = ["the", "film", "a", "story", "with", "and", "of", "an", "actor", "scene"];
    let mut stream = seed::stream(1, "tests/readme");
    let mut text = String::from("title,body,stars\n");
    for i in 0..600 {
        let stars = 1 + i % 5;
        let words: Vec<&str> = (0..stream.random_range(6..25))
            .map(|_| {
                if stream.random_range(0.0..1.0) < 0.6 {
                    rest[stream.random_range(0..rest.len())]
                } else if stream.random_range(0.0..4.0) < (stars - 1) as f64 {
                    good[stream.random_range(0..good.len())]
                } else {
                    bad[stream.random_range(0..bad.len())]
                }
            })
            .collect();
        text += &format!("{},\"{}.\",{stars}\n", words[..3].join(" "), words[3..].join(" "));
    }
    text
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
        let done = Command::new(env!("CARGO_BIN_EXE_accrue"))
            .args(&command)
            .current_dir(folder.path())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert!(done.status.success(), "accrue {}: {said}", command.join(" "));
        assert!(!done.stdout.is_empty(), "accrue {} says nothing", command.join(" "));
    }
    // The study of an experiment file is the name of its folder.
    let runs = place("reports");
    let pages = ["analyze/gru/index.html", "index.html"];
    assert!(pages.iter().all(|p| runs.join(p).is_file()));
    let study = folder.path().file_name().unwrap();
    assert!(runs.join(study).join("reviews/index.html").is_file());
}

#[test]
fn every_verb_of_the_readme_is_one_of_the_makefile() {
    let (top, text) = readme();
    let makefile = std::fs::read_to_string(top.join("Makefile")).unwrap();
    let verbs: Vec<&str> = text
        .split("`make ")
        .skip(1)
        .filter_map(|rest| rest.split('`').next())
        .chain(text.lines().filter_map(|l| l.strip_prefix("    make ")?.split_whitespace().next()))
        .collect();
    assert!(verbs.len() >= 3);
    for verb in verbs {
        assert!(makefile.contains(&format!("\n{verb}:")), "make {verb}");
    }
}
