//! One measurement for `tests/peers/analysis.py`, printed as JSON: counting words,
//! their singular directions, the bag of words, spectra of Jacobians.
//!
//! `analysis THREADS count|logistic|lsa FOLDER` reads `train.parquet` of FOLDER;
//! `analysis THREADS spectra UNITS POINTS` draws a GRU;
//! `analysis THREADS search RUN` seeks slow points of a finished run's network;
//! `analysis THREADS context RUN` fits the bags of words in context on its corpus.

use accrue::baseline::{self, Settings, context};
use accrue::corpus::{Documents, Labels, Split, store, tokens};
use accrue::dynamics::finder::{median_norm, search};
use accrue::dynamics::{Dynamics, Finder, Map};
use accrue::linalg::eigen;
use accrue::model::StaticInput;
use accrue::model::{Config, Head, Network};
use accrue::records;
use accrue::stats::{Counts, evidence, lsa};
use accrue::studies::text;
use polars::prelude::{DataType, ParquetReader, SerReader};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Words of the vocabulary.
const WORDS: usize = 20_000;
/// Rounds; the median counts.
const ROUNDS: usize = 3;

fn median(mut run: impl FnMut()) -> f64 {
    let mut seconds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let begin = Instant::now();
            run();
            begin.elapsed().as_secs_f64()
        })
        .collect();
    seconds.sort_by(f64::total_cmp);
    seconds[ROUNDS / 2]
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [threads, what, rest @ ..] = &arguments[..] else {
        println!(
            "analysis THREADS count|logistic|lsa FOLDER, THREADS spectra UNITS POINTS, THREADS search|context RUN"
        );
        return;
    };
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.parse().expect("a number of threads"))
        .build_global()
        .expect("the pool is built once");
    match what.as_str() {
        "spectra" => spectra(&rest[0], &rest[1]),
        "search" => find_fixed_points(Path::new(&rest[0])),
        "context" => families(Path::new(&rest[0])),
        _ => words(what, Path::new(&rest[0])),
    }
}

/// Texts and classes of a file with the columns `text` and `label`.
fn documents_of(path: &Path) -> (Vec<String>, Vec<u32>) {
    let file = std::fs::File::open(path).unwrap();
    let frame = ParquetReader::new(file).finish().unwrap();
    let texts = frame.column("text").unwrap().str().unwrap();
    let labels = frame.column("label").unwrap().cast(&DataType::UInt32).unwrap();
    let labels = labels.u32().unwrap().iter().map(|l| l.expect("every text has a class"));
    (texts.iter().map(|t| t.unwrap_or_default().to_string()).collect(), labels.collect())
}

fn words(what: &str, folder: &Path) {
    let (texts, labels) = documents_of(&folder.join("train.parquet"));
    let texts = &texts;
    let settings = tokens::Settings { vocabulary: WORDS, least: 1, ..Default::default() };
    let tokenizer = tokens::Tokenizer::new(&settings, texts).unwrap();
    let tokens = tokenizer.encode(texts).unwrap();
    let documents: Documents = tokens.iter().map(Vec::as_slice).collect();
    match what {
        "count" => {
            let seconds = median(|| {
                let tokens = tokenizer.encode(texts).unwrap();
                let documents: Documents = tokens.iter().map(Vec::as_slice).collect();
                std::hint::black_box(Counts::of(&documents, WORDS));
            });
            let words = serde_json::to_string(&tokenizer.words()).unwrap();
            let total = documents.token_count();
            println!("{{\"seconds\": {seconds}, \"tokens\": {total}, \"words\": {words}}}");
        }
        "lsa" => {
            // The peer knows no unknown word.
            let known: Vec<Vec<u32>> =
                tokens.iter().map(|t| t.iter().copied().filter(|t| *t != 0).collect()).collect();
            let known: Documents = known.iter().map(Vec::as_slice).collect();
            let counts = Counts::of(&known, WORDS);
            let mut found = None;
            let seconds = median(|| found = Some(lsa::documents(&counts, 10, 1e-6, 1).unwrap()));
            let found = found.unwrap();
            println!(
                "{{\"seconds\": {seconds}, \"singular\": {:?}, \"error\": {:e}, \"steps\": {}}}",
                found.singular, found.error, found.steps
            );
        }
        "logistic" => {
            let split = Split { documents, labels: Labels::Class(labels) };
            let settings = Settings {
                penalties: vec![1.0 / split.documents.len() as f64],
                tolerance: 1e-6,
                ..Settings::default()
            };
            let mut model = None;
            let seconds = median(|| {
                model = Some(baseline::fit(&split, &split, WORDS, 2, &settings).unwrap());
            });
            let model = model.unwrap();
            println!(
                "{{\"seconds\": {seconds}, \"weights\": {:?}, \"bias\": {}, \"converged\": {}}}",
                model.weights[0], model.bias[0], model.tried[0].3
            );
        }
        other => panic!("no measurement `{other}`"),
    }
}

/// Seconds of every model in context, with as many modifiers as a run takes at most.
fn families(run: &Path) {
    let corpus = store::read(run).unwrap();
    let (words, classes) = (corpus.words.len(), corpus.label_names.len());
    let splits = (&corpus.train, &corpus.validation);
    let bag = baseline::fit(splits.0, splits.1, words, classes, &Settings::default()).unwrap();
    let settings = context::Settings::default();
    let asked = baseline::candidates::candidates(&bag, splits.0, classes, settings.least);
    let most = settings.from_network + settings.from_text;
    let list: Vec<u32> = asked.iter().take(most).map(|asked| asked.0).collect();
    let seconds: BTreeMap<&str, f64> = text::FAMILIES
        .iter()
        .map(|&(name, family)| {
            let begin = Instant::now();
            context::fit(&bag, splits, classes, family, &list, &settings).unwrap();
            (name, begin.elapsed().as_secs_f64())
        })
        .collect();
    println!(
        "{{\"documents\": {}, \"tokens\": {}, \"modifiers\": {}, \"seconds\": {}}}",
        corpus.train.documents.len(),
        corpus.train.documents.token_count(),
        list.len(),
        serde_json::to_string(&seconds).unwrap()
    );
}

fn spectra(units: &str, points: &str) {
    let (units, points): (usize, usize) = (units.parse().unwrap(), points.parse().unwrap());
    let config = Config { units, embedding: Some(8), ..Config::default() };
    let network = Network::new(&config, Head::Softmax, 4, 2, 1).unwrap();
    let map = Map::new(&network.cell().unwrap(), &[0.1; 8]).unwrap();
    let states: Vec<Vec<f64>> =
        (0..points).map(|p| (0..units).map(|i| ((p * 7 + i * 3) as f64).sin()).collect()).collect();
    let seconds = median(|| {
        let all: Vec<f64> =
            states.par_iter().map(|s| eigen(&map.jacobian(s)).unwrap().values[0].norm()).collect();
        std::hint::black_box(all);
    });
    println!("{{\"seconds\": {seconds}, \"units\": {units}, \"points\": {points}}}");
}

/// Seeds of a search.
const SEEDS: usize = 512;

/// From evenly spaced visited states to the smallest tolerance, the mean input held.
fn find_fixed_points(run: &Path) {
    let corpus = store::read(run).unwrap();
    let network = Network::load(&run.join("model.safetensors")).unwrap();
    let frequencies = evidence::frequencies(&corpus.train, corpus.words.len());
    let words = network.inputs().unwrap();
    let x = StaticInput::Mean.vector(&words, &corpus.words, Some(&frequencies)).unwrap();
    let map = Map::new(&network.cell().unwrap(), &x).unwrap();
    let all = records::States::read(run).unwrap().state().unwrap();
    let seeds: Vec<&[f64]> =
        (0..SEEDS.min(all.len())).map(|i| &all[i * all.len() / SEEDS.min(all.len())][..]).collect();
    let scale = median_norm(seeds.iter().copied());
    let finder = Finder { max_distance: 10.0, ..Finder::default() };
    let (mut speeds, mut moved) = (Vec::new(), Vec::new());
    let (mut steps, mut ends) = (0, BTreeMap::new());
    let seconds = median(|| {
        (speeds, moved, steps, ends) = (Vec::new(), Vec::new(), 0, BTreeMap::new());
        search(&map, seeds.iter().copied(), scale, &finder, |d| {
            speeds.push(map.speed(&d.last.state));
            moved.push(d.last.distance_from_init);
            steps += d.last.steps;
            *ends.entry(d.stop.name()).or_insert(0) += 1;
            Ok(())
        })
        .unwrap();
    });
    let mean = steps as f64 / seeds.len() as f64;
    let ends = serde_json::to_string(&ends).unwrap();
    println!(
        "{{\"steps\": {mean}, \"ends\": {ends}, \"seconds\": {seconds}, \"q\": {speeds:?}, \"moved\": {moved:?}}}"
    );
}
