//! The README: what it says to type can be typed.

use accrue::experiment::Experiment;
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

#[test]
fn every_command_of_the_readme_is_one_of_the_program() {
    let (top, text) = readme();
    let commands: Vec<Vec<String>> =
        text.lines().filter_map(|l| l.strip_prefix("    accrue ")).map(words).collect();
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

#[test]
fn the_experiment_of_the_readme_is_one() {
    let (_, text) = readme();
    let begin = text.find("    // reviews.ron").expect("the README shows an experiment");
    let block: String = text[begin..]
        .lines()
        .take_while(|l| l.is_empty() || l.starts_with("    "))
        .take_while(|l| !l.trim_start().starts_with("accrue"))
        .map(|l| format!("{l}\n"))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reviews.ron");
    std::fs::write(&path, block).unwrap();
    let experiment = Experiment::read(&path, &[]).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(experiment.name, "reviews");
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
