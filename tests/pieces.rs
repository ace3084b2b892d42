//! Corpora larger than memory, read in pieces.

use accrue::corpus::settings::File;
use accrue::corpus::{Pieces, Settings, Source, load};
use accrue::seed;
use accrue::stats::predict::{Interval, Rows, Settings as PredictSettings};
use accrue::stats::{Prediction, predict, predict_pieces};
use accrue::{Error, Result};
use rand::Rng;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Documents that take more than two pieces.
const ROWS: usize = 70_000;

fn settings(path: &Path) -> Settings {
    Settings {
        source: Source::File(File { train: path.into(), ..File::default() }),
        ..Settings::default()
    }
}

fn whole(settings: &Settings, how: &PredictSettings) -> (Prediction, usize) {
    let corpus = load(settings, Path::new("data"), 1).unwrap().corpus;
    let names = &corpus.label_names;
    let found = predict(&corpus.train, names, corpus.words.len(), how, 1).unwrap();
    (found, corpus.train.documents.token_count())
}

fn pieces(settings: &Settings, how: &PredictSettings) -> Result<(Prediction, usize)> {
    let pieces = Pieces::open(settings, Path::new("data"), 1, &mut |_, _| ())?;
    let mut counted = Vec::new();
    let read = predict_pieces(&pieces, how, 1, &mut |done, of| counted.push((done, of)))?;
    assert!(counted.len() > 2 && counted.last() == Some(&(ROWS, ROWS)), "{counted:?}");
    Ok((read.prediction, read.tokens))
}

/// A word of a class, or one of any; neither half as frequent as the other.
fn document(stream: &mut impl Rng, class: usize) -> String {
    let word = |stream: &mut dyn rand::RngCore| match stream.random_range(0..3) {
        0 => format!("of{class}x{}", stream.random_range(0..9)),
        _ => format!("w{}", stream.random_range(0..400)),
    };
    let words: Vec<String> = (0..stream.random_range(1..12)).map(|_| word(stream)).collect();
    words.join(" ")
}

fn same(whole: &Prediction, pieces: &Prediction) {
    assert_eq!(whole.rows, pieces.rows);
    assert_eq!(whole.documents, pieces.documents);
    assert_eq!(whole.shape, pieces.shape);
    for (a, b) in whole.variances.iter().zip(&pieces.variances) {
        assert!((a - b).abs() < 1e-12 * whole.variances[0], "{a} {b}");
    }
    let close = |a: Interval, b: Interval, what: &str| {
        let (wide, other) = (a.high - a.low, b.high - b.low);
        // Two hundred resamples and two hundred groups: each interval to about a tenth.
        assert!(other > 0.6 * wide && other < 1.6 * wide, "{what}: {wide} {other}");
        assert!((a.value - b.value).abs() < 0.5 * wide, "{what}: {a:?} {b:?}");
    };
    close(whole.dimension, pieces.dimension, "raw");
    close(whole.dimension_unbiased, pieces.dimension_unbiased, "unbiased");
    close(whole.dimension_scaled, pieces.dimension_scaled, "scaled");
}

#[test]
fn a_corpus_in_pieces_predicts_what_it_predicts_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.csv");
    let mut stream = seed::stream(1, "tests/pieces");
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    writeln!(file, "label,text").unwrap();
    for d in 0..ROWS {
        // Text that a cut at a line's end would tear apart.
        let class = [0, 0, 0, 1, 1, 2][d % 6];
        let text = document(&mut stream, class);
        let name = ["bad", "middling", "good"][class];
        writeln!(file, "{name},\"{text}\n\"\"quoted\"\", line\"").unwrap();
    }
    drop(file);
    let mut settings = settings(&path);
    settings.tokens.least = 3;
    settings.variant.balanced = true;
    let how = PredictSettings { least: 4, ..Default::default() };
    let (one, tokens) = whole(&settings, &how);
    let (other, read) = pieces(&settings, &how).unwrap();
    assert_eq!(tokens, read);
    assert!(one.documents.iter().all(|n| *n == one.documents[0]), "balanced");
    same(&one, &other);
}

#[test]
fn lists_of_labels_in_pieces_have_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.jsonl");
    let mut stream = seed::stream(2, "tests/pieces");
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    for d in 0..ROWS {
        let labels = [vec!["a"], vec!["a", "b"], vec![], vec!["c", "b"]][d % 4].clone();
        let text = document(&mut stream, d % 4);
        writeln!(file, "{}", serde_json::json!({"text": text, "labels": labels})).unwrap();
    }
    drop(file);
    for (rows, number) in [(Rows::Auto, 4), (Rows::Labels, 3)] {
        let how = PredictSettings { rows, ..Default::default() };
        let (one, _) = whole(&settings(&path), &how);
        let (other, _) = pieces(&settings(&path), &how).unwrap();
        assert_eq!(one.rows.len(), number, "{:?}", one.rows);
        same(&one, &other);
    }
}

#[test]
fn an_error_in_a_late_piece_names_its_row() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.csv");
    let mut text = String::from("text,label\n");
    for d in 0..ROWS {
        text += if d == 50_000 { "some,\n" } else { ["some words,a\n", "others,b\n"][d % 2] };
    }
    fs::write(&path, text).unwrap();
    match pieces(&settings(&path), &PredictSettings::default()) {
        Err(Error::Input { place, problem, .. }) => {
            let said = (place.as_str(), problem.as_str());
            assert_eq!(said, ("row 50001, column `label`", "nothing in column `label`"));
        }
        other => panic!("{:?}", other.err()),
    }
}

/// Most memory that a process ever held, in MB; `None` once it is gone, or where the system does
/// not tell.
fn peak(process: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|l| l.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<usize>().ok()? / 1024)
}

#[test]
fn five_million_documents_are_counted_under_a_gigabyte() {
    let own = std::process::id();
    if peak(own).is_none() {
        let text = "SKIPPED: this system does not tell how much memory a process takes\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
        return;
    }
    const DOCUMENTS: usize = 5_000_000;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("five_million.csv");
    let mut stream = seed::stream(3, "tests/pieces");
    let pool: Vec<String> = (0..3000).map(|d| document(&mut stream, d % 3)).collect();
    let mut file = BufWriter::new(fs::File::create(&path).unwrap());
    writeln!(file, "text,label").unwrap();
    for d in 0..DOCUMENTS {
        // Two texts of the same class.
        let one = |stream: &mut seed::Stream| &pool[3 * stream.random_range(0..1000) + d % 3];
        let (a, b) = (one(&mut stream), one(&mut stream));
        writeln!(file, "{a} {b},class {}", d % 3).unwrap();
    }
    drop(file);
    let mut child = Command::new(env!("CARGO_BIN_EXE_accrue"))
        .args(["predict", "--json"])
        .arg(&path)
        .args(["--set", "prediction.bootstrap=20", "--pieces"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut most = 0;
    while child.try_wait().unwrap().is_none() {
        most = most.max(peak(child.id()).unwrap_or(0));
        std::thread::sleep(Duration::from_millis(20));
    }
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success());
    let said: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    // A fifth is set apart for testing, a tenth of the rest for validation.
    let counted = said["corpus.documents"].as_f64().unwrap();
    assert!((counted - 3_600_000.0).abs() < 10.0, "{counted}");
    assert_eq!(said["shape.predicted"], "simplex");
    let dimension = said["dimension.predicted"].as_f64().unwrap();
    assert!((dimension - 2.0).abs() < 0.02, "{dimension}");
    assert!(most > 50 && most < 1000, "{most} MB");
}
