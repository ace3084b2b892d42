//! Who may use whom, proved from the imports.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The rooms in reading order, each with the rooms it may use.
const ROOMS: &[(&str, &[&str])] = &[
    ("corpus", &[]),
    ("linalg", &[]),
    ("ops", &[]),
    ("stats", &["corpus", "linalg"]),
    ("model", &["ops"]),
    ("train", &["corpus", "model", "ops"]),
    ("dynamics", &["model", "ops", "linalg"]),
    ("geometry", &["linalg"]),
    ("baseline", &["corpus", "stats", "linalg"]),
    ("modifiers", &["dynamics", "geometry", "model", "linalg", "ops"]),
    ("report", &[]),
];

/// Rooms that may use every other one.
const OPEN: &[&str] = &["studies", "command"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("its entries can be listed").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Rooms that a file names after `crate::`, tests and comments left out.
fn named(text: &str, rooms: &[String]) -> Vec<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let mut found = Vec::new();
    for part in code.split("crate::").skip(1) {
        let names: Vec<&str> = match part.strip_prefix('{') {
            // `use crate::{corpus::Split, seed}`: the names at the outer depth.
            Some(list) => {
                let mut depth = 0;
                let end = list.char_indices().find(|(_, c)| {
                    depth += (*c == '{') as i32 - (*c == '}') as i32;
                    depth < 0
                });
                let list = &list[..end.map_or(list.len(), |(i, _)| i)];
                let mut depth = 0;
                list.split(|c: char| {
                    depth += (c == '{') as i32 - (c == '}') as i32;
                    c == ',' && depth == 0
                })
                .collect()
            }
            None => vec![part],
        };
        for name in names {
            let name: String =
                name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if rooms.contains(&name) {
                found.push(name);
            }
        }
    }
    found
}

#[test]
fn rooms_use_only_the_rooms_above_them() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline");
    let mut rooms: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&top).expect("pipeline/ is there") {
        let entry = entry.expect("its entries can be listed");
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() && name != "experiments" {
            rooms.push(name);
        }
    }
    let may: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for room in &rooms {
        if OPEN.contains(&room.as_str()) {
            continue;
        }
        let allowed =
            may.get(room.as_str()).unwrap_or_else(|| panic!("room `{room}` is not listed"));
        for file in files(&top.join(room)) {
            let text = std::fs::read_to_string(&file).expect("a source file is text");
            for used in named(&text, &rooms) {
                if used != *room && !allowed.contains(&used.as_str()) {
                    wrong.push(format!("{} uses `{used}`", file.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the order of the rooms:\n{}", wrong.join("\n"));
}

#[test]
fn imports_are_read_from_every_form_of_use() {
    let rooms = ["corpus", "model", "ops"].map(String::from);
    let text = "use crate::{corpus::{Split, model}, seed, ops};\n// crate::model\nlet x = crate::model::Y;";
    assert_eq!(named(text, &rooms), ["corpus", "ops", "model"]);
}

#[test]
fn the_top_level_holds_what_the_design_names() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let tracked = [
        "Cargo.toml",
        "Cargo.lock",
        "Makefile",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "CITATION.cff",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "rustfmt.toml",
        "pipeline/lib.rs",
        "pipeline/main.rs",
        "data/corpora.ron",
        "reports/README.md",
        "reports/FINDINGS.md",
        "reports/BENCHMARKS.md",
        "tests/accrue.rs",
        ".ci/run",
    ];
    for file in tracked {
        assert!(top.join(file).is_file(), "{file} is missing");
    }
}

/// Files below `path` that are text, whatever they are called.
fn texts(path: &Path) -> Vec<(PathBuf, String)> {
    if !path.is_dir() {
        let text = std::fs::read(path).map(String::from_utf8);
        return text.into_iter().flatten().map(|text| (path.to_path_buf(), text)).collect();
    }
    let entries = std::fs::read_dir(path).expect("the folder can be listed");
    entries.flat_map(|entry| texts(&entry.expect("its entries can be listed").path())).collect()
}

/// A source that readers cannot open is none: papers are named by their numbers, equations written out.
#[test]
fn no_page_cites_a_document_that_readers_do_not_have() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let word = ["SP", "EC"].concat();
    let mut places =
        ["pipeline", "tests", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile"]
            .map(|p| top.join(p))
            .to_vec();
    // Folders below reports/ are runs.
    let reports = std::fs::read_dir(top.join("reports")).expect("reports/ is there");
    let reports = reports.map(|entry| entry.expect("its entries can be listed").path());
    places.extend(reports.filter(|path| path.extension().is_some_and(|e| e == "md")));
    let mut wrong = Vec::new();
    for (file, text) in places.iter().flat_map(|place| texts(place)) {
        for (i, line) in text.lines().enumerate() {
            if line.split(|c: char| !c.is_alphanumeric()).any(|part| part == word) {
                wrong.push(format!("{}:{}: {line}", file.display(), i + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
