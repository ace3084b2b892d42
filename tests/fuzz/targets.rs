//! Every reader of files that anyone may have written, as a function of bytes: an answer or an error, never a panic,
//! within memory that follows from the file's size.
//!
//! Three drivers call them: the suite (`broken`, some hundred inputs each), `make fuzz MINUTES=n` (`tests/fuzz/main.rs`,
//! millions, in processes of their own) and `cargo fuzz run TARGET --fuzz-dir tests/fuzz` (by coverage).

use accrue::corpus::catalogue::Catalogue;
use accrue::corpus::overview::Overview;
use accrue::corpus::settings::File;
use accrue::corpus::tokens::{Kind, Tokenizer};
use accrue::corpus::{Pieces, Settings, Source, load, pieces, store};
use accrue::engine::Finished;
use accrue::experiment::{Experiment, Study, TaskExperiment, grid};
use accrue::model::foreign::{self, Foreign, read_states};
use accrue::notation::to_ron;
use accrue::report::{Summary, figure};
use accrue::{parquet, records, stats};
use polars::prelude::*;
use rand::Rng;
use rand::rngs::StdRng;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// An input near a good one that keeps its form.
pub type Shaped = fn(&[u8], &mut StdRng) -> Vec<u8>;

/// One reader.
pub struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// Good inputs to start from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Words of the format.
    pub tokens: &'static [&'static str],
    /// Changes that know the format; `None`: bytes alone.
    pub shaped: Option<Shaped>,
    /// Reads; whatever it answers is right.
    pub run: fn(&[u8], &Path),
}

const RON: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "Some(",
    "None",
    "\"",
    "'",
    "/*",
    "*/",
    "//",
    "r#\"",
    "\"#",
    "#![enable(",
    ":",
    ",",
    "Synthetic(",
    "Unordered(",
    "Ordered(",
    "Labels(",
    "Toy",
    "TwoScores(",
    "File(",
    "grid",
    "All(",
    "Sequential",
    "..",
];
const JSON: &[&str] =
    &["{", "}", "[", "]", "\"", ":", ",", "null", "true", "\\u0000", "\\ud800", "{}", "[]"];
const TEXT: &[&str] =
    &[",", "\t", "\n", "\r\n", "\"", "\"\"", "\u{feff}", "\0", "label", "text", "ü", "\u{202e}"];

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "ron", seeds: experiments, tokens: RON, shaped: None, run: ron },
    Target { name: "set", seeds: assignments, tokens: RON, shaped: None, run: set },
    Target {
        name: "csv",
        seeds: csvs,
        tokens: TEXT,
        shaped: None,
        run: |b, at| corpus(b, at, "csv"),
    },
    Target {
        name: "tsv",
        seeds: tsvs,
        tokens: TEXT,
        shaped: None,
        run: |b, at| corpus(b, at, "tsv"),
    },
    Target {
        name: "jsonl",
        seeds: jsonls,
        tokens: JSON,
        shaped: None,
        run: |b, at| corpus(b, at, "jsonl"),
    },
    Target {
        name: "parquet",
        seeds: parquets,
        tokens: &[],
        shaped: Some(reshaped),
        run: |b, at| corpus(b, at, "parquet"),
    },
    Target {
        name: "safetensors",
        seeds: tensors,
        tokens: JSON,
        shaped: None,
        run: |b, at| weights(b, at, "safetensors"),
    },
    Target {
        name: "npz",
        seeds: npzs,
        tokens: NUMPY,
        shaped: None,
        run: |b, at| weights(b, at, "npz"),
    },
    Target { name: "npy", seeds: npys, tokens: NUMPY, shaped: None, run: npy },
    Target { name: "pt", seeds: pts, tokens: &[], shaped: None, run: |b, at| weights(b, at, "pt") },
    Target { name: "tokenizer", seeds: tokenizers, tokens: JSON, shaped: None, run: tokenizer },
    Target { name: "vocabulary", seeds: vocabularies, tokens: JSON, shaped: None, run: vocabulary },
    Target { name: "catalogue", seeds: catalogues, tokens: RON, shaped: None, run: catalogue },
    Target { name: "record", seeds: run_records, tokens: RON, shaped: None, run: record },
    Target { name: "summary", seeds: summaries, tokens: JSON, shaped: None, run: summary },
    Target { name: "tables", seeds: tables, tokens: &[], shaped: Some(reshaped), run: table },
    Target { name: "figures", seeds: tables, tokens: &[], shaped: Some(reshaped), run: drawn },
];

const NUMPY: &[&str] = &[
    "{'descr': '<f4', 'fortran_order': False, 'shape': (",
    "'<f8'",
    "True",
    "), }",
    "'>f4'",
    "'|O'",
];

/// The target of that name.
pub fn named(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|t| t.name == name)
}

/// One input of `cargo fuzz`, in a folder that stays for the process.
#[allow(dead_code)]
pub fn by_coverage(name: &str, bytes: &[u8]) {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder can be made"));
    let target = named(name).expect("a file of `fuzz_targets` is called as its target is");
    (target.run)(bytes, folder.path());
}

fn written(bytes: &[u8], at: &Path, name: &str) -> PathBuf {
    let path = at.join(name);
    std::fs::write(&path, bytes).expect("the folder can be written to");
    path
}

// ---- experiments ------------------------------------------------------------

fn experiments() -> Vec<Vec<u8>> {
    let mut grid = Experiment::default();
    grid.context.fit = true;
    let whole = to_ron(&grid);
    let task = to_ron(&TaskExperiment::default());
    let with_grid = "(\n corpus: (source: Named(\"sst2\")),\n grid: [(set: \"model.cell\", to: [\"Gru\", \"Lstm\"], \
                     linked: [(set: \"training.batch\", to: [1, \"_\"])]), (set: \"seed\", to: [1, 2.5])],\n)";
    let file = "(corpus: (source: File(train: \"a.csv\", names: [\"bad\", \"good\"]), variant: (keep: [1, \"x\"], groups: \
                [(name: \"a\", labels: [0])])), training: (crop: (shortest: 2, longest: 9), penalty: Parts(recurrent: \
                1e-4, rest: 0)), fixed_points: (inputs: [Word(\"the\"), Mean]))";
    [whole, format!("Task{task}"), with_grid.into(), file.into(), "()".into()]
        .map(String::into_bytes)
        .to_vec()
}

fn ron(bytes: &[u8], at: &Path) {
    let path = written(bytes, at, "experiment.ron");
    let _ = accrue::experiment::superseded(&path);
    if let Ok(Study::Text(experiment)) = Study::read(&path, &[]) {
        let _ = grid::cases(&experiment);
        synthetic(&experiment);
    }
}

/// Draws a small corpus where the experiment asks for one.
fn synthetic(experiment: &Experiment) {
    if let Source::Synthetic(settings) = &experiment.corpus.source {
        let mut settings = settings.clone();
        (settings.train, settings.validation, settings.test) = (8, 8, 8);
        settings.length = settings.length.min(60);
        let _ = accrue::corpus::synthetic::generate(&settings, 1);
    }
}

fn assignments() -> Vec<Vec<u8>> {
    [
        "training.epochs=3",
        "model.embedding=None",
        "corpus.source=Named(\"sst2\")",
        "model.cell=Lstm",
        "corpus.source.kind=Ordered(classes: 3)",
        "fixed_points.inputs=[Mean, Zero]",
        "title=a b",
        "grid=[]",
        "training.penalty=All(1e-3)",
        "corpus.tokens.kind=List(\"words.txt\")",
        "weights.file=a.pt",
        "baseline.encoder.longest=12",
        "corpus.source.length=12",
        "training.crop.shortest=2",
    ]
    .map(|s| s.as_bytes().to_vec())
    .to_vec()
}

fn set(bytes: &[u8], _: &Path) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(experiment) = Experiment::default().with(&text) {
        synthetic(&experiment);
    }
    use accrue::experiment::Settings;
    let _ = TaskExperiment::default().with(&text);
}

// ---- corpora ----------------------------------------------------------------

fn csvs() -> Vec<Vec<u8>> {
    let mut plain = String::from("text,label\n");
    for i in 0..24 {
        plain += &format!("\"a film, number {i}\",{}\n", ["good", "bad"][i % 2]);
    }
    [
        plain,
        "text;label\nein Satz;1\nnoch einer;0\n".into(),
        "label,text\n1,\"a \"\"b\"\"\nc\"\n0,d\n".into(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

fn tsvs() -> Vec<Vec<u8>> {
    csvs()
        .into_iter()
        .map(|c| c.into_iter().map(|b| if b == b',' { b'\t' } else { b }).collect())
        .collect()
}

fn jsonls() -> Vec<Vec<u8>> {
    let mut plain = String::new();
    for i in 0..24 {
        plain += &format!("{{\"text\": \"a film {i}\", \"label\": {}}}\n", i % 2);
    }
    [
        plain,
        "{\"text\": \"a\", \"labels\": [\"x\", \"y\"]}\n{\"text\": \"b\", \"labels\": []}\n".into(),
    ]
    .map(String::into_bytes)
    .to_vec()
}

fn stored(mut frame: DataFrame, compression: ParquetCompression) -> Vec<u8> {
    let mut bytes = Vec::new();
    let writer = ParquetWriter::new(&mut bytes).with_compression(compression);
    writer.finish(&mut frame).expect("a small table is written");
    bytes
}

fn parquets() -> Vec<Vec<u8>> {
    let texts: Vec<String> = (0..24).map(|i| format!("a film, number {i}")).collect();
    let labels: Vec<i64> = (0..24).map(|i| i % 2).collect();
    let frame = df!("text" => &texts, "label" => &labels).expect("columns of one length");
    let lists: Vec<Series> = (0..24_u32).map(|i| Series::new("".into(), &[i % 2, 2][..])).collect();
    let lists = df!("text" => texts, "labels" => lists).expect("columns of one length");
    vec![
        stored(frame.clone(), ParquetCompression::Uncompressed),
        stored(frame, ParquetCompression::Zstd(None)),
        stored(lists, ParquetCompression::Uncompressed),
    ]
}

fn corpus(bytes: &[u8], at: &Path, ending: &str) {
    let path = written(bytes, at, &format!("corpus.{ending}"));
    let _ = load::unlabelled(&File { train: path.clone(), ..File::default() });
    let source = Source::File(File { train: path, ..File::default() });
    let settings = Settings { source, ..Settings::default() };
    let _ = pieces::large(&settings, at);
    let how = stats::predict::Settings { bootstrap: 2, ..Default::default() };
    if let Ok(read) = Pieces::open(&settings, at, 1, &mut |_, _| ()) {
        let _ = stats::predict_pieces(&read, &how, 1, &mut |_, _| ());
    }
    if let Ok(loaded) = load(&settings, at, 1) {
        let corpus = &loaded.corpus;
        let _ = Overview::of(corpus, Some(0), loaded.left_out).to_string();
        let _ = stats::predict(&corpus.train, &corpus.label_names, corpus.words.len(), &how, 1);
    }
}

// ---- weights ----------------------------------------------------------------

fn tensors() -> Vec<Vec<u8>> {
    use candle_core::{Device, Tensor};
    let array = |rows: usize, columns: usize| {
        Tensor::zeros((rows, columns), candle_core::DType::F32, &Device::Cpu)
            .expect("a small array")
    };
    let arrays = std::collections::HashMap::from([
        ("weight_ih_l0", array(9, 2)),
        ("weight_hh_l0", array(9, 3)),
        ("embedding.weight", array(5, 2)),
        ("readout.weight", array(2, 3)),
    ]);
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("a.safetensors");
    candle_core::safetensors::save(&arrays, &path).expect("small arrays are written");
    vec![std::fs::read(path).expect("it was written")]
}

fn npzs() -> Vec<Vec<u8>> {
    vec![include_bytes!("../references/foreign/gru.npz").to_vec()]
}

fn pts() -> Vec<Vec<u8>> {
    vec![include_bytes!("../references/foreign/gru.pt").to_vec()]
}

fn npys() -> Vec<Vec<u8>> {
    use candle_core::{DType, Device, Tensor};
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = folder.path().join("a.npy");
    let array = |dtype| {
        let array = Tensor::zeros((6, 4), dtype, &Device::Cpu).expect("a small array");
        array.write_npy(&path).expect("it is written");
        std::fs::read(&path).expect("it was written")
    };
    vec![array(DType::F32), array(DType::F64)]
}

fn weights(bytes: &[u8], at: &Path, ending: &str) {
    let file = written(bytes, at, &format!("weights.{ending}"));
    let _ = Foreign::read(&foreign::Settings { file, ..Default::default() });
}

fn npy(bytes: &[u8], at: &Path) {
    let _ = read_states(&written(bytes, at, "states.npy"));
}

// ---- words ------------------------------------------------------------------

/// A tokenizer of bytes, merged by pairs, as GPT-2 has it.
const BYTES: &str = r###"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[{"id":6,"content":"<s>",
"single_word":false,"lstrip":false,"rstrip":false,"normalized":false,"special":true}],"normalizer":null,
"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
"post_processor":null,"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
"model":{"type":"BPE","dropout":null,"unk_token":null,"continuing_subword_prefix":null,"end_of_word_suffix":null,
"fuse_unk":false,"byte_fallback":false,"ignore_merges":false,"vocab":{"a":0,"b":1,"c":2,"Ġ":3,"ab":4,"Ġab":5},
"merges":[["a","b"],["Ġ","ab"]]}}"###;
const UNIGRAM: &str = r###"{"version":"1.0","truncation":null,"padding":null,"added_tokens":[],"normalizer":{"type":
"Lowercase"},"pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},
"post_processor":null,"decoder":null,"model":{"type":"Unigram","unk_id":0,"vocab":[["<unk>",0.0],["▁a",-1.5],
["b",-2.0],["ab",-2.5]],"byte_fallback":false}}"###;

fn tokenizers() -> Vec<Vec<u8>> {
    let texts: Vec<String> = (0..9).map(|i| format!("a film of {i} don't")).collect();
    let learned = |kind| {
        let settings = accrue::corpus::tokens::Settings {
            kind,
            least: 1,
            vocabulary: 60,
            ..Default::default()
        };
        Tokenizer::new(&settings, &texts).expect("small texts have words").to_json().into_bytes()
    };
    vec![learned(Kind::Words), learned(Kind::WordPiece), BYTES.into(), UNIGRAM.into()]
}

fn tokenizer(bytes: &[u8], at: &Path) {
    let path = written(bytes, at, "tokenizer.json");
    if let Ok(tokenizer) = Tokenizer::read(&path) {
        let _ = (tokenizer.words(), tokenizer.unknown(), tokenizer.to_json());
        let _ = tokenizer.encode(&["a Film of abc, don't ü\u{0}".into(), String::new()]);
    }
}

fn vocabularies() -> Vec<Vec<u8>> {
    ["a\nfilm\nthe\n<unk>\n", "[\"a\", \"film\", \"the\"]", "{\"a\": 0, \"film\": 1, \"[UNK]\": 2}"]
        .map(|s| s.as_bytes().to_vec())
        .to_vec()
}

fn vocabulary(bytes: &[u8], at: &Path) {
    for name in ["words.txt", "words.json"] {
        let kind = Kind::List(written(bytes, at, name));
        let settings = accrue::corpus::tokens::Settings { kind, ..Default::default() };
        if let Ok(tokenizer) = Tokenizer::new(&settings, &[]) {
            let _ = (tokenizer.words(), tokenizer.encode(&["a film of the".into()]));
        }
    }
}

// ---- what runs and catalogues leave -------------------------------------------

fn catalogues() -> Vec<Vec<u8>> {
    vec![
        include_bytes!("../../data/corpora.ron").to_vec(),
        Vec::from(
            "[(name: \"mine\", about: \"a\", source: Archive(url: \"https://a.b/c.tar.gz\", splits: [(\"train\", \"t\")]), \
         text: [\"text\"], label: \"label\", names: [\"a\"], structure: Unordered, rows: [(\"train\", 3)], \
         licence: \"\", cite: \"\")]",
        ),
    ]
}

fn catalogue(bytes: &[u8], _: &Path) {
    if let Ok(entries) = Catalogue::parse("corpora.ron", &String::from_utf8_lossy(bytes)) {
        for entry in entries {
            let data = Path::new("data");
            // Nothing is read or written elsewhere than in the corpus's own folder.
            for (_, file) in entry.files(data) {
                let parts = file.components().all(|c| matches!(c, std::path::Component::Normal(_)));
                assert!(
                    parts && file.starts_with(data) && file.components().count() == 3,
                    "{}",
                    file.display()
                );
            }
            let _ = (entry.to_string(), entry.by_hand(data));
        }
    }
}

/// A small finished run, made once a process.
pub fn finished() -> &'static Path {
    static MADE: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = MADE.get_or_init(|| {
        let out = tempfile::tempdir().expect("a folder can be made");
        let text = "(study: \"fuzz\", name: \"run\",
            corpus: (source: Synthetic(length: 10, train: 300, validation: 30, test: 60)),
            model: (embedding: None, units: 6),
            training: (epochs: 20, batch: 30, learning_rate: 0.1, decay: 0.999, decay_steps: 1, epsilon: 0.1),
            states: (documents: 20),
            fixed_points: (inputs: [Uniform], primary: 1e-4, initial_states: 24, spectra: 4, proofs: 2),
            prediction: (bootstrap: 5), context: (fit: true, least: 1, steps: 5, penalties: [3e-3]),
            modes: (least: 1, states: 20, documents: 5, rollouts: 10))";
        let path = out.path().join("run.ron");
        let Ok(Study::Text(experiment)) = Study::parse(&path, text, &[]) else {
            panic!("the experiment is one on text");
        };
        let mut watch = Silent;
        let options = accrue::studies::text::Options {
            data: Path::new("data"),
            out: out.path(),
            force: &[],
            watch: &mut watch,
        };
        accrue::studies::text::run(&experiment, options).expect("a small run ends");
        out
    });
    static RUN: OnceLock<PathBuf> = OnceLock::new();
    RUN.get_or_init(|| folder.path().join("fuzz/run"))
}

struct Silent;

impl accrue::studies::text::Watch for Silent {
    fn begin(&mut self, _: &str) {}
    fn passed(&mut self, _: &str, _: Option<f64>) {}
    fn training(&mut self) -> Box<dyn accrue::train::Watch + '_> {
        Box::new(())
    }
}

fn run_records() -> Vec<Vec<u8>> {
    vec![std::fs::read(finished().join("run.ron")).expect("a run has a record")]
}

fn record(bytes: &[u8], at: &Path) {
    written(bytes, at, "run.ron");
    if let Ok(finished) = Finished::open(at, &[]) {
        let _ = finished.experiment::<Experiment>();
        let _ = finished.experiment::<TaskExperiment>();
    }
}

fn summaries() -> Vec<Vec<u8>> {
    vec![std::fs::read(finished().join("summary.json")).expect("a run has a summary")]
}

fn summary(bytes: &[u8], at: &Path) {
    written(bytes, at, "summary.json");
    if let Ok(summary) = Summary::read(at) {
        let _ = (summary.headline(), summary.to_json());
    }
}

/// Tables of the run, by name: an input's first byte says which one it takes the place of.
fn table_names() -> &'static [String] {
    static NAMES: OnceLock<Vec<String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let folder = std::fs::read_dir(finished().join("tables")).expect("a run has tables");
        let names = folder.filter_map(|e| e.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|n| n.ends_with(".parquet")).collect();
        names.sort();
        names
    })
}

pub fn tables() -> Vec<Vec<u8>> {
    let with = |(i, name): (usize, &String)| {
        let bytes = std::fs::read(finished().join("tables").join(name)).expect("it is there");
        [&[i as u8][..], &bytes].concat()
    };
    table_names().iter().enumerate().map(with).collect()
}

/// A folder in which a table of the run has been exchanged; the others are links.
pub fn exchanged(bytes: &[u8], at: &Path) -> bool {
    let Some((which, bytes)) = bytes.split_first() else { return false };
    let names = table_names();
    let folder = at.join("tables");
    if !folder.is_dir() {
        std::fs::create_dir_all(&folder).expect("the folder can be written to");
        for name in names {
            link(name, &folder);
        }
        let others = std::fs::read_dir(finished()).expect("it is there");
        for other in others.map(|e| e.expect("it can be listed")).filter(|e| e.path().is_file()) {
            std::fs::copy(other.path(), at.join(other.file_name()))
                .expect("the folder can be written to");
        }
    }
    // The one that was exchanged last is put back.
    static LAST: std::sync::Mutex<Option<(PathBuf, usize)>> = std::sync::Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(|e| e.into_inner());
    if let Some((_, last)) = last.take().filter(|(place, _)| place == at) {
        link(&names[last], &folder);
    }
    let which = *which as usize % names.len();
    *last = Some((at.into(), which));
    let path = folder.join(&names[which]);
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, bytes).expect("the folder can be written to");
    true
}

fn link(name: &str, folder: &Path) {
    let to = folder.join(name);
    let _ = std::fs::remove_file(&to);
    std::fs::copy(finished().join("tables").join(name), to).expect("the folder can be written to");
}

fn table(bytes: &[u8], at: &Path) {
    let Some((which, rest)) = bytes.split_first() else { return };
    let _ = parquet::parse("table.parquet", rest.to_vec(), "");
    // The corpus's tables are read whole; the others where they are drawn.
    if exchanged(bytes, at) {
        let _ = store::read(at);
        let name = &table_names()[*which as usize % table_names().len()];
        let _ = records::csv(at, name.trim_end_matches(".parquet"));
    }
}

fn drawn(bytes: &[u8], at: &Path) {
    if !exchanged(bytes, at) {
        return;
    }
    let _ = figure::all(at);
    let (Ok(summary), Ok(corpus)) = (Summary::read(at), store::read(at)) else { return };
    let page = accrue::report::page::Page {
        title: "t",
        corpus: &corpus.name,
        reads: accrue::report::page::Reads::Documents,
        network: "n",
        labels: corpus.label_names.len(),
        lists: false,
        settings: "",
        stages: &[],
        assets: "..",
        walk: None,
    };
    let _ = accrue::report::page::write(at, &page, &summary);
    let _ = accrue::report::compare::Comparison::of(&[at.to_path_buf(), at.to_path_buf()]);
    let _ = (explained(at), rewritten(at));
}

/// A text explained by a run whose record vouches for its tables.
pub fn explained(at: &Path) -> accrue::Result<accrue::studies::explain::Explained> {
    vouched(at);
    accrue::studies::explain::explain(at, "kinda0 the")
}

/// Its report, written again.
pub fn rewritten(at: &Path) -> accrue::Result<()> {
    vouched(at);
    accrue::studies::text::rewrite(at)
}

/// Makes the record say that the tables are those of the run: what reads them meets what they hold.
fn vouched(at: &Path) {
    let record = std::fs::read_to_string(finished().join("run.ron")).expect("a run has a record");
    let mut said: Vec<String> = record.lines().map(String::from).collect();
    for i in 0..said.len() {
        let Some(path) = said[i].trim().strip_prefix("path: \"") else { continue };
        let path = at.join(path.trim_end_matches("\","));
        if let (true, Ok((bytes, hash))) = (path.is_file(), accrue::files::fingerprint(&path)) {
            said[i + 1] = format!("bytes: {bytes},");
            said[i + 2] = format!("sha256: \"{hash}\",");
        }
    }
    std::fs::write(at.join("run.ron"), said.join("\n")).expect("the folder can be written to");
}

/// A table with cells, rows or columns that no run writes.
///
/// * `bytes`: a table, after a byte that says which one where it does not begin as parquet does
fn reshaped(bytes: &[u8], draw: &mut StdRng) -> Vec<u8> {
    let (head, rest) = match bytes.starts_with(b"PAR1") {
        true => (&bytes[..0], bytes),
        false => bytes.split_at(1.min(bytes.len())),
    };
    let Ok(mut frame) = parquet::parse("seed", rest.to_vec(), "") else { return bytes.to_vec() };
    for _ in 0..draw.random_range(1..=3) {
        let height = frame.height();
        let names: Vec<String> = frame.get_column_names().iter().map(|n| n.to_string()).collect();
        if names.is_empty() {
            break;
        }
        let name = &names[draw.random_range(0..names.len())];
        let changed = match draw.random_range(0..10) {
            0 => Ok(frame.head(Some(draw.random_range(0..=height)))),
            1 => frame.vstack(&frame.tail(Some(draw.random_range(0..=height)))),
            2 => frame.drop(name),
            3 => frame.clone().rename(name, "other".into()).cloned(),
            4 => {
                let types = [
                    DataType::Float64,
                    DataType::UInt64,
                    DataType::UInt32,
                    DataType::String,
                    DataType::Int8,
                ];
                let to = &types[draw.random_range(0..types.len())];
                frame.column(name).and_then(|c| c.cast(to)).and_then(|c| replaced(&frame, c))
            }
            5 => {
                let column = frame
                    .column(name)
                    .map(|c| Column::full_null(c.name().clone(), height, c.dtype()));
                column.and_then(|c| replaced(&frame, c))
            }
            _ => frame
                .column(name)
                .cloned()
                .and_then(|c| cells(&c, draw))
                .and_then(|c| replaced(&frame, c)),
        };
        frame = changed.unwrap_or(frame);
    }
    [head, &stored(frame, ParquetCompression::Uncompressed)].concat()
}

fn replaced(frame: &DataFrame, column: Column) -> PolarsResult<DataFrame> {
    let mut frame = frame.clone();
    frame.with_column(column)?;
    Ok(frame)
}

/// Some cells of a column changed.
fn cells(column: &Column, draw: &mut StdRng) -> PolarsResult<Column> {
    const FLOATS: [f64; 10] =
        [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e308, -1e308, 1e-320, 0.0, -1.0, 1e15, 2.0];
    const WHOLE: [u64; 8] = [0, 1, 7, 1 << 20, u32::MAX as u64, 1 << 32, u64::MAX >> 1, u64::MAX];
    const TEXTS: [&str; 9] = [
        "",
        "<!-- x <script>",
        "\u{1b}[31m",
        "a\0b",
        "\u{202e}abc",
        "\"'&<>",
        "]]>",
        "\n\t",
        "states",
    ];
    let share = [0.02, 0.3, 1.0][draw.random_range(0..3)];
    let name = column.name().clone();
    macro_rules! some {
        ($cells:expr, $new:expr) => {{
            let fixed = draw.random::<bool>().then(|| $new(draw));
            let cells: Vec<_> = $cells
                .map(|old| match draw.random::<f64>() < share {
                    true => Some(fixed.clone().unwrap_or_else(|| $new(draw))),
                    false => old,
                })
                .collect();
            cells
        }};
    }
    let float = |draw: &mut StdRng| FLOATS[draw.random_range(0..FLOATS.len())];
    let whole = |draw: &mut StdRng| WHOLE[draw.random_range(0..WHOLE.len())];
    Ok(match column.dtype() {
        DataType::Float64 => Column::new(name, some!(column.f64()?.iter(), float)),
        DataType::UInt64 => Column::new(name, some!(column.u64()?.iter(), whole)),
        DataType::UInt32 => {
            Column::new(name, some!(column.u32()?.iter(), |d: &mut StdRng| whole(d) as u32))
        }
        DataType::Boolean => {
            Column::new(name, some!(column.bool()?.iter(), |d: &mut StdRng| d.random::<bool>()))
        }
        DataType::String => {
            let long = "x".repeat(10_000);
            let text = |d: &mut StdRng| match d.random_range(0..12) {
                0 => long.clone(),
                _ => TEXTS[d.random_range(0..TEXTS.len())].to_string(),
            };
            Column::new(name, some!(column.str()?.iter().map(|s| s.map(String::from)), text))
        }
        DataType::List(inner) if **inner == DataType::Float64 || **inner == DataType::UInt32 => {
            let lists = column.list()?;
            let changed: Vec<Option<Series>> = (0..lists.len())
                .map(|row| {
                    let list = lists.get_as_series(row)?;
                    if draw.random::<f64>() >= share {
                        return Some(list);
                    }
                    Some(match draw.random_range(0..4) {
                        0 => list.head(Some(draw.random_range(0..=list.len()))),
                        1 => list.clear(),
                        2 => list.extend_constant(list.get(0).ok()?.into_static(), 3).ok()?,
                        _ => cells(&list.into_column(), draw).ok()?.take_materialized_series(),
                    })
                })
                .collect();
            Column::new(name, changed)
        }
        _ => column.clone(),
    })
}
