//! Who may use whom: crates by their manifests, the rooms of the program's own crate by their imports.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Crates in reading order, each with the crates of this workspace it may use: none below it.
const CRATES: &[(&str, &[&str])] = &[
    ("pipeline/numerics", &[]),
    ("pipeline/cells", &["numerics"]),
    ("pipeline/ops", &["numerics", "cells"]),
    ("pipeline/descent", &["numerics", "ops"]),
    ("pipeline/dynamics", &["numerics", "cells"]),
    ("pipeline/optimisers", &["numerics", "cells", "ops", "descent", "dynamics"]),
    ("pipeline/embedding", &["numerics", "cells", "ops", "descent", "dynamics"]),
    ("pipeline/data", &["numerics"]),
    ("pipeline/data/text", &["numerics", "data"]),
    // Predictions from words see no network.
    ("pipeline/words", &["numerics", "text"]),
    ("pipeline/model", &["numerics", "cells", "data", "ops"]),
    // Whatever is trained on comes as trials: no table is read here.
    ("pipeline/train", &["numerics", "cells", "data", "ops", "descent", "model"]),
    ("pipeline/switching", &["numerics", "cells", "ops", "descent", "dynamics"]),
    // Whatever was recorded: numbers in, numbers out.
    ("pipeline/recordings", &["numerics"]),
    // Everything through the program's own crate.
    ("pipeline/python", &[]),
];

/// Libraries that a crate must build without.
const WITHOUT: &[(&str, &[&str])] = &[
    ("pipeline/cells", &["candle", "polars"]),
    ("pipeline/data", &["candle", "polars"]),
    ("pipeline/descent", &["polars"]),
    ("pipeline/dynamics", &["candle", "polars"]),
    ("pipeline/switching", &["candle", "polars"]),
    ("pipeline/optimisers", &["polars"]),
    ("pipeline/embedding", &["candle", "polars"]),
    ("pipeline/train", &["polars"]),
    ("pipeline/recordings", &["candle", "polars"]),
];

/// Names under which the program's own crate knows the crates below it.
const BELOW: &[&str] = &[
    "baseline",
    "corpus",
    "data",
    "dynamics",
    "embedding",
    "error",
    "files",
    "geometry",
    "interrupt",
    "linalg",
    "model",
    "nearest",
    "notation",
    "ops",
    "optimisers",
    "parquet",
    "recordings",
    "rounding",
    "seed",
    "setting",
    "similarity",
    "stats",
    "summary",
    "switching",
    "train",
];

/// Rooms of the program's own crate in reading order, single files included: each uses those before it only,
/// and of the crates below what is named here (`*`: all).
const ROOMS: &[(&str, &[&str], &[&str])] = &[
    // What tables hold and mean: no network, no stage.
    ("records", &[], &["error", "files", "parquet"]),
    // Stages know no network, and no folder but their own.
    ("engine", &["records"], &["error", "files", "interrupt", "notation"]),
    // Values in, values out.
    (
        "analyses",
        &[],
        &[
            "data",
            "dynamics",
            "geometry",
            "linalg",
            "recordings",
            "seed",
            "setting",
            "similarity",
            "summary",
            "switching",
        ],
    ),
    ("modifiers", &[], &["dynamics", "geometry", "linalg", "ops", "seed", "summary"]),
    // Pages are made of tables: they see no network.
    ("report", &["records", "engine"], &["error", "files", "notation", "summary"]),
    ("experiment", &["analyses", "engine"], &["*"]),
    ("studies", &["*"], &["*"]),
    ("command", &["*"], &["*"]),
];

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

fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_path_buf()
}

/// What a manifest's `[dependencies]` name.
fn dependencies(manifest: &Path) -> Vec<String> {
    let text =
        std::fs::read_to_string(manifest).unwrap_or_else(|e| panic!("{}: {e}", manifest.display()));
    let lines = text.lines().skip_while(|l| *l != "[dependencies]").skip(1);
    let lines = lines.take_while(|l| !l.starts_with('['));
    lines.filter_map(|l| l.split(['=', '.', ' ']).next()).map(String::from).collect()
}

#[test]
fn crates_use_only_the_crates_above_them() {
    for (folder, allowed) in CRATES {
        let used = dependencies(&top().join(folder).join("Cargo.toml"));
        for used in used.iter().filter_map(|u| u.strip_prefix("accrue-")) {
            assert!(allowed.contains(&used), "{folder} uses `{used}`");
        }
    }
    let members =
        std::fs::read_to_string(top().join("Cargo.toml")).expect("the workspace has a manifest");
    let listed = members.lines().filter(|l| l.trim_start().starts_with("\"pipeline/")).count();
    assert_eq!(listed, CRATES.len(), "a crate is missing from this test");
}

#[test]
fn fixed_points_need_neither_tensors_nor_tables() {
    for (folder, without) in WITHOUT {
        let used = dependencies(&top().join(folder).join("Cargo.toml"));
        for library in *without {
            assert!(!used.iter().any(|u| u.starts_with(library)), "{folder} uses {library}");
        }
    }
    // The error type wraps both where they are asked for, and only there.
    let numerics = std::fs::read_to_string(top().join("pipeline/numerics/Cargo.toml")).unwrap();
    for library in ["candle-core", "polars-error"] {
        let line = numerics.lines().find(|l| l.starts_with(library)).expect("it is named");
        assert!(line.contains("optional = true"), "{line}");
    }
    assert!(!numerics.contains("default ="), "no feature is on by itself");
}

#[test]
fn rooms_use_only_the_rooms_above_them() {
    let pipeline = top().join("pipeline");
    let crates: Vec<PathBuf> = CRATES.iter().map(|(folder, _)| top().join(folder)).collect();
    let mut there = BTreeSet::new();
    for entry in std::fs::read_dir(&pipeline).expect("pipeline/ is there") {
        let path = entry.expect("its entries can be listed").path();
        let name = path.file_stem().expect("entries have names").to_string_lossy().into_owned();
        let of_crate = crates.iter().any(|c| c.starts_with(&path));
        let entrance = ["lib", "main", "cuda", "experiments"].contains(&name.as_str());
        if !of_crate && !entrance && (path.is_dir() || path.extension().is_some_and(|e| e == "rs"))
        {
            there.insert(name);
        }
    }
    let named_here: BTreeSet<String> = ROOMS.iter().map(|(room, ..)| room.to_string()).collect();
    assert_eq!(there, named_here, "every room is listed here");
    let rooms: Vec<String> = ROOMS
        .iter()
        .map(|(room, ..)| *room)
        .chain(BELOW.iter().copied())
        .map(String::from)
        .collect();
    let mut wrong = Vec::new();
    for (i, (room, own, below)) in ROOMS.iter().enumerate() {
        let above: Vec<&str> = ROOMS[..i].iter().map(|(room, ..)| *room).collect();
        let may = |used: &str| {
            used == *room
                || (above.contains(&used) && (own.contains(&used) || own.contains(&"*")))
                || (BELOW.contains(&used) && (below.contains(&used) || below.contains(&"*")))
        };
        let folder = pipeline.join(room);
        let all = if folder.is_dir() { files(&folder) } else { vec![folder.with_extension("rs")] };
        for file in all {
            let text = std::fs::read_to_string(&file).expect("a source file is text");
            let used = named(&text, &rooms);
            wrong.extend(
                used.iter().filter(|u| !may(u)).map(|u| format!("{} uses `{u}`", file.display())),
            );
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
