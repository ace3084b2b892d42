//! Weights trained elsewhere: looked at as they are, and trained further.

use super::experiment::{Ran, run, small};
use super::foreign_files::drawn;
use accrue::dynamics::{Dynamics, Map};
use accrue::experiment::{Experiment, StatesOrder};
use accrue::model::StaticInput;
use accrue::model::{foreign, weights};
use accrue::records::{self, Key, keys};
use accrue::report::Summary;
use accrue::studies::states_only;
use accrue::studies::text::{self, Options, STAGES};
use std::collections::HashMap;
use std::path::Path;
use std::process::Command;

#[test]
fn weights_from_elsewhere_make_the_portrait_that_training_made() {
    let out = tempfile::tempdir().unwrap();
    let own = small(&[]);
    let (_, folder) = run(&own, out.path(), &[]);
    let file = folder.join("model.safetensors");
    let weights = foreign::Settings { file, ..Default::default() };
    let mut experiment = own.clone();
    experiment.name = "elsewhere".into();
    // What the file holds counts, whatever the experiment says.
    experiment.model.units = 3;
    experiment.weights = Some(weights.clone());
    let (ran, again) = run(&experiment, out.path(), &[]);
    assert_eq!(ran, STAGES);
    let (before, after) = (Summary::read(&folder).unwrap(), Summary::read(&again).unwrap());
    for key in [keys::ACCURACY_NETWORK, keys::DIMENSION_STATES, keys::DIMENSION_FIXED_POINTS] {
        assert_eq!(before.get(key), after.get(key), "{key:?}");
    }
    assert!(
        after.get(keys::DIMENSION_UNTRAINED).is_none() && after.get(keys::TRAIN_STEPS).is_none()
    );
    assert!(!again.join("tables/training.parquet").exists());
    let page = std::fs::read_to_string(again.join("index.html")).unwrap();
    assert!(page.contains("Reading a document") && !page.contains("before training"));
    assert!(run(&experiment, out.path(), &[]).0.is_empty(), "in place the second time");

    // The network alone, from the states it visited: the same slow points.
    let states = records::States::read(&folder).unwrap().state().unwrap();
    let (rows, width) = (states.len(), states[0].len());
    let tensor =
        candle_core::Tensor::from_vec(states.concat(), (rows, width), &candle_core::Device::Cpu);
    let given = out.path().join("states.npy");
    tensor.unwrap().write_npy(&given).unwrap();
    let mut alone = Experiment { fixed_points: own.fixed_points.clone(), ..Experiment::default() };
    alone.study = "tests".into();
    alone.name = "alone".into();
    alone.weights = Some(weights);
    alone.states.given = Some(given.clone());
    alone.fixed_points.inputs = vec![StaticInput::Uniform, StaticInput::Zero];
    let bare = |experiment: &Experiment| {
        let mut watch = Ran::default();
        let options =
            Options { data: Path::new("data"), out: out.path(), force: &[], watch: &mut watch };
        states_only::run(experiment, &[], options)
    };
    let found = Summary::read(&bare(&alone).unwrap()).unwrap();
    assert_eq!(found.get(keys::FIXED_POINTS_COUNT), before.get(keys::FIXED_POINTS_COUNT));
    let near = |key: Key<f64>| (found.get(key).unwrap() - before.get(key).unwrap()).abs();
    assert!(near(keys::DIMENSION_FIXED_POINTS) < 1e-6);
    assert!(near(keys::DIMENSION_STATES) < 0.05, "the table holds every state of these documents");
    let page = std::fs::read_to_string(out.path().join("tests/alone/index.html")).unwrap();
    assert!(page.contains("No corpus was given") && page.contains("id=\"manifold\""));

    // States of another network are refused.
    let narrow =
        candle_core::Tensor::zeros((4, 3), candle_core::DType::F32, &candle_core::Device::Cpu);
    narrow.unwrap().write_npy(&given).unwrap();
    let message = bare(&alone).unwrap_err().to_string();
    assert!(message.contains("states.npy") && message.contains("the cell has 16"), "{message}");
}

#[test]
fn training_goes_on_from_the_weights_of_an_earlier_run() {
    let out = tempfile::tempdir().unwrap();
    let (_, folder) = run(&small(&["training.epochs=8"]), out.path(), &[]);
    // So small a rate leaves weights where they are: what is read and scored are the earlier network's.
    let still = &["name=still", "training.learning_rate=1e-30", "training.epochs=1"];
    let mut experiment = small(still);
    // A run is named as it lies below the folder of runs.
    let file = Path::new("tests/small").to_path_buf();
    experiment.weights = Some(foreign::Settings { file, train: true, ..Default::default() });
    let (ran, again) = run(&experiment, out.path(), &[]);
    assert_eq!(ran, STAGES);
    let (before, after) = (Summary::read(&folder).unwrap(), Summary::read(&again).unwrap());
    let earlier = before.get(keys::ACCURACY_NETWORK).unwrap();
    assert_eq!(after.get(keys::ACCURACY_START), Some(earlier));
    assert_eq!(after.get(keys::ACCURACY_NETWORK), Some(earlier));
    assert_eq!(before.get(keys::DIMENSION_STATES), after.get(keys::DIMENSION_STATES));
    assert!(run(&experiment, out.path(), &[]).0.is_empty(), "in place the second time");

    // At a rate that moves them, it starts where the other ended and learns on.
    experiment.name = "further".into();
    experiment.training.learning_rate = 0.05;
    experiment.training.epochs = 20;
    let (_, further) = run(&experiment, out.path(), &[]);
    let losses = |folder: &Path| records::Training::read(folder).unwrap().loss().unwrap();
    let (first, then) = (losses(&folder), losses(&further));
    assert!(then[0] < 0.8 * first[0], "{} after {}", then[0], first[0]);
    assert!(then.last().unwrap() < first.last().unwrap());
    let summary = Summary::read(&further).unwrap();
    assert_eq!(summary.get(keys::ACCURACY_START), Some(earlier));
    assert!(summary.get(keys::ACCURACY_NETWORK).unwrap() > earlier);
    let notes = records::Notes::read(&further).unwrap().note().unwrap();
    let said = format!("which read {earlier:.3} of the test split right");
    assert!(notes.iter().any(|n| n.contains(&said)), "{notes:?}");
    assert!(further.join("tables/weights.parquet").exists());

    // Without its readout it starts as one that knows words and no labels. (The seed of the run before would draw the
    // readout that its states grew towards.)
    experiment.seed = 7;
    experiment.name = "anew".into();
    experiment.weights.as_mut().unwrap().readout = Some("none".into());
    let (_, anew) = run(&experiment, out.path(), &[]);
    let start = Summary::read(&anew).unwrap().get(keys::ACCURACY_START).unwrap();
    assert!(start < earlier, "{start} with a drawn readout, {earlier} with its own");
}

#[test]
fn of_a_grid_the_case_with_the_same_cell_and_seed_is_taken() {
    let out = tempfile::tempdir().unwrap();
    let case = |name: &str, seed: usize| {
        let set = [format!("name=many/cases/{name}"), format!("seed={seed}")];
        let mut set: Vec<&str> = set.iter().map(String::as_str).collect();
        set.push("training.epochs=2");
        run(&small(&set), out.path(), &[]).1
    };
    let second = [case("001-1", 1), case("002-2", 2)][1].clone();
    let mut experiment =
        small(&["name=on", "training.learning_rate=1e-30", "training.epochs=1", "seed=2"]);
    let file = Path::new("tests/many").to_path_buf();
    experiment.weights = Some(foreign::Settings { file, train: true, ..Default::default() });
    let (_, folder) = run(&experiment, out.path(), &[]);
    let taken = std::fs::read_to_string(folder.join("run.ron")).unwrap();
    assert!(taken.contains("002-2/model.safetensors"), "{taken}");
    let accuracy =
        |folder: &Path| Summary::read(folder).unwrap().get(keys::ACCURACY_NETWORK).unwrap();
    assert_eq!(accuracy(&folder), accuracy(&second));

    let refused = |experiment: &Experiment| {
        let mut watch = Ran::default();
        let options =
            Options { data: Path::new("data"), out: out.path(), force: &[], watch: &mut watch };
        text::run(experiment, options).unwrap_err().to_string()
    };
    experiment.seed = 3;
    let message = refused(&experiment);
    assert!(
        message.contains("0 cases with the cell") && message.contains("the seed 3"),
        "{message}"
    );
    experiment.weights.as_mut().unwrap().file = "tests/none".into();
    let message = refused(&experiment);
    assert!(message.contains("tests/none") && message.contains("no run of this name"), "{message}");
}

/// Arrays of a file, numbers that look drawn.
fn arrays(shapes: &[(&str, &[usize])]) -> weights::Arrays {
    let named = shapes.iter().zip(1..).map(|((name, shape), seed)| {
        (name.to_string(), (shape.to_vec(), drawn(shape.iter().product(), seed)))
    });
    named.collect()
}

fn placed(folder: &Path, name: &str, arrays: &weights::Arrays) -> foreign::Settings {
    let file = folder.join(name);
    weights::write(&file, arrays, HashMap::new()).unwrap();
    foreign::Settings { file, ..Default::default() }
}

#[test]
fn directions_and_layers_go_through_every_stage_with_the_answers_of_the_whole() {
    let out = tempfile::tempdir().unwrap();
    let own = small(&[]);
    let words =
        accrue::corpus::load(&own.corpus, Path::new("data"), own.seed).unwrap().corpus.words;
    let vocabulary = words.len();
    let two_directions = arrays(&[
        ("embedding.weight", &[vocabulary, 5]),
        ("rnn.weight_ih_l0", &[24, 5]),
        ("rnn.weight_hh_l0", &[24, 6]),
        ("rnn.weight_ih_l0_reverse", &[24, 5]),
        ("rnn.weight_hh_l0_reverse", &[24, 6]),
        ("fc.weight", &[3, 12]),
    ]);
    let two_layers = arrays(&[
        ("rnn.weight_ih_l0", &[18, vocabulary]),
        ("rnn.weight_hh_l0", &[18, 6]),
        ("rnn.weight_ih_l1", &[18, 6]),
        ("rnn.weight_hh_l1", &[18, 6]),
        ("fc.weight", &[3, 6]),
        ("norm.weight", &[6]),
        ("norm.bias", &[6]),
    ]);
    for (name, arrays) in [("directions", two_directions), ("layers", two_layers)] {
        let mut settings = placed(out.path(), "network.safetensors", &arrays);
        settings.reads = Some("last".into());
        let mut experiment = own.clone();
        experiment.name = name.into();
        experiment.weights = Some(settings.clone());
        let (ran, folder) = run(&experiment, out.path(), &[]);
        // What follows from the corpus alone may be in the store.
        assert!(ran.contains(&"train".into()) && ran.contains(&"report".into()), "{name}: {ran:?}");
        let corpus = accrue::corpus::store::read(&folder).unwrap();
        let found = foreign::Foreign::read(&settings).unwrap();
        let head = found.head(3, false).unwrap();
        let network = found.network(&experiment.model, head, &[&[0]]).unwrap();
        let documents: Vec<&[u32]> = corpus.test.documents.iter().collect();
        let said = network.predict(&documents).unwrap();
        let accrue::corpus::Labels::Class(classes) = &corpus.test.labels else { panic!("classes") };
        let right = said
            .iter()
            .zip(classes)
            .filter(|(z, k)| accrue::train::loss::argmax(z) == **k as usize);
        let accuracy = right.count() as f64 / documents.len() as f64;
        assert_eq!(Summary::read(&folder).unwrap().get(keys::ACCURACY_NETWORK), Some(accuracy));
        let notes = records::Notes::read(&folder).unwrap().note().unwrap();
        assert!(notes.iter().any(|n| n.contains("accuracy are of the whole network")), "{notes:?}");
        let page = std::fs::read_to_string(folder.join("index.html")).unwrap();
        assert!(!page.contains("id=walk"), "the page runs one cell");
        let text = [words[1].as_str(), &words[2], &words[1]].join(" ");
        let explained = accrue::studies::explain::explain(&folder, &text).unwrap();
        assert_eq!(explained.words.len(), 3);
    }
}

#[test]
fn answers_that_fit_other_labels_or_other_rows_are_told_with_the_option_that_mends_it() {
    let out = tempfile::tempdir().unwrap();
    let own = small(&["model.embedding=Some(6)", "training.epochs=30"]);
    let (_, folder) = run(&own, out.path(), &[]);
    let right = Summary::read(&folder).unwrap().get(keys::ACCURACY_NETWORK).unwrap();
    assert!(right > 0.8, "{right}");
    let (plain, _) = weights::read(&folder.join("model.safetensors")).unwrap();
    let noted = |name: &str, arrays: &weights::Arrays, first_word: usize| {
        let mut experiment = own.clone();
        experiment.name = name.into();
        let settings = placed(out.path(), &format!("{name}.safetensors"), arrays);
        experiment.weights = Some(foreign::Settings { first_word, ..settings });
        let (_, folder) = run(&experiment, out.path(), &[]);
        let accuracy = Summary::read(&folder).unwrap().get(keys::ACCURACY_NETWORK).unwrap();
        (accuracy, records::Notes::read(&folder).unwrap().note().unwrap().join("\n"))
    };
    let names = accrue::corpus::store::read(&folder).unwrap().label_names;

    // The readout's rows in another order: the network's outputs stand for the labels 2, 0, 1.
    let mut turned = plain.clone();
    let width = turned["readout.weight"].0[1];
    turned.get_mut("readout.weight").unwrap().1.rotate_right(width);
    turned.get_mut("readout.bias").unwrap().1.rotate_right(1);
    let (accuracy, notes) = noted("turned", &turned, 0);
    assert!(accuracy < 0.5, "{accuracy}");
    let order = format!("--label-order {},{},{}", names[2], names[0], names[1]);
    assert!(notes.contains("warning") && notes.contains(&order), "{notes}");

    // A row of padding before the words.
    let mut shifted = plain.clone();
    let (shape, rows) = shifted.get_mut("embedding.weight").unwrap();
    shape[0] += 1;
    let padding = vec![0.0; shape[1]];
    rows.splice(0..0, padding);
    let (accuracy, notes) = noted("shifted", &shifted, 0);
    assert!(accuracy < right - 0.2, "{accuracy}");
    assert!(
        notes.contains("`--first-word 1`") && notes.contains(&format!("{right:.3} with")),
        "{notes}"
    );
    let (accuracy, notes) = noted("mended", &shifted, 1);
    assert_eq!(accuracy, right);
    assert!(!notes.contains("warning"), "{notes}");
}

#[test]
fn states_that_no_lstm_comes_to_are_refused_with_their_likely_order() {
    let out = tempfile::tempdir().unwrap();
    let shapes: [(&str, &[usize]); 2] =
        [("rnn.weight_ih_l0", &[16, 3]), ("rnn.weight_hh_l0", &[16, 4])];
    let weights = placed(out.path(), "lstm.safetensors", &arrays(&shapes));
    let cell = foreign::Foreign::read(&weights).unwrap().cell();
    let mut state = vec![0.0; 8];
    let walk: Vec<Vec<f64>> = (0..40)
        .map(|t| {
            let mut input = vec![0.0; 3];
            input[t * t % 3] = 1.5;
            state = Map::new(&cell, &input).unwrap().step(&state).as_slice().to_vec();
            state.clone()
        })
        .collect();
    let mut experiment = Experiment::default();
    (experiment.study, experiment.name) = ("tests".into(), "order".into());
    experiment.weights = Some(weights);
    experiment.fixed_points.inputs = vec![StaticInput::Zero];
    experiment.fixed_points.initial_states = 20;
    let mut given = |name: &str, states: &[Vec<f64>], order: StatesOrder| {
        let bytes: Vec<u8> = states.concat().iter().flat_map(|x| x.to_le_bytes()).collect();
        let path = out.path().join(name);
        let shape = [states.len(), states[0].len()];
        std::fs::write(&path, super::archive::npy("<f8", false, &shape, &bytes)).unwrap();
        experiment.states.given = Some(path);
        experiment.states.order = order;
        let mut watch = Ran::default();
        let options =
            Options { data: Path::new("data"), out: out.path(), force: &[], watch: &mut watch };
        states_only::run(&experiment, &[], options).map_err(|e| e.to_string())
    };
    let turned: Vec<Vec<f64>> = walk.iter().map(|s| [&s[4..], &s[..4]].concat()).collect();
    let points =
        |folder: &Path| Summary::read(folder).unwrap().get(keys::FIXED_POINTS_COUNT).unwrap();
    let straight = points(&given("hc.npy", &walk, StatesOrder::Hc).unwrap());
    let refused = given("ch.npy", &turned, StatesOrder::Hc).unwrap_err();
    assert!(
        refused.contains("ch.npy, row 0") && refused.contains("--states-order ch"),
        "{refused}"
    );
    assert_eq!(points(&given("ch.npy", &turned, StatesOrder::Ch).unwrap()), straight);
    let refused = given("hc.npy", &walk, StatesOrder::Ch).unwrap_err();
    assert!(refused.contains("leave `--states-order` out"), "{refused}");
    let against: Vec<Vec<f64>> = walk
        .iter()
        .map(|s| s.iter().enumerate().map(|(i, x)| if i < 4 { -x } else { *x }).collect())
        .collect();
    let refused = given("sign.npy", &against, StatesOrder::Hc).unwrap_err();
    assert!(refused.contains("has the sign of c"), "{refused}");
    let far = vec![vec![3.0; 8]; 2];
    assert!(given("far.npy", &far, StatesOrder::Hc).unwrap_err().contains("never beyond tanh c"));
}

#[test]
fn inputs_are_held_and_searches_begun_where_the_command_says() {
    let out = tempfile::tempdir().unwrap();
    let shapes: [(&str, &[usize]); 2] =
        [("rnn.weight_ih_l0", &[6, 3]), ("rnn.weight_hh_l0", &[6, 6])];
    let weights = placed(out.path(), "rnn.safetensors", &arrays(&shapes));
    let states = |name: &str, rows: usize, far: f64| {
        let numbers: Vec<f64> = (0..6 * rows).map(|i| far * (i as f64 * 0.7).sin()).collect();
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        let npy = super::archive::npy("<f8", false, &[rows, 6], &bytes);
        std::fs::write(out.path().join(name), npy).unwrap();
    };
    states("visited.npy", 30, 0.2);
    states("noise.npy", 5, 0.9);
    let analyze = |more: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_accrue"))
            .current_dir(out.path())
            .args(["analyze", weights.file.to_str().unwrap(), "--states", "visited.npy"])
            .args(["--set", "fixed_points.initial_states=8"])
            .args(more)
            .output()
            .unwrap()
    };
    let held = |more: &[&str]| -> Vec<String> {
        let ended = analyze(more);
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        let run = out.path().join("reports/analyze/rnn");
        let mut inputs = records::FixedPoints::read(&run).unwrap().input().unwrap();
        inputs.dedup();
        inputs
    };
    assert_eq!(held(&[]), ["zero"]);
    let given = ["--static-input", "0,0,0", "--static-input", "[-0.5, 0, 1]"];
    assert_eq!(held(&given), ["[0.0, 0.0, 0.0]", "[-0.5, 0.0, 1.0]"]);
    // A setting of the search is heeded too.
    assert_eq!(held(&["--set", "fixed_points.inputs=[Given([0, 1, 0])]"]), ["[0.0, 1.0, 0.0]"]);
    // More states to search from are no states of the network.
    let states = |more: &[&str]| {
        held(more);
        let run = out.path().join("reports/analyze/rnn");
        let begun = records::Explorations::read(&run).unwrap();
        let given = begun
            .start()
            .unwrap()
            .iter()
            .zip(begun.searches().unwrap())
            .filter(|(start, _)| *start == "given")
            .map(|(_, n)| n)
            .sum::<usize>();
        (records::States::read(&run).unwrap().height(), given)
    };
    assert_eq!(states(&["--initial-states", "noise.npy"]), (30, 5));
    let refused = analyze(&["--static-input", "0,0"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("2 numbers, an input 3"), "{said}");
}

#[test]
fn the_ways_to_read_a_readout_are_listed_with_what_each_reads_right() {
    let out = tempfile::tempdir().unwrap();
    let words: Vec<String> = (0..9).map(|i| format!("w{i}")).collect();
    std::fs::write(out.path().join("words.txt"), words.join("\n")).unwrap();
    let network = arrays(&[
        ("embedding.weight", &[9, 5]),
        ("lstm.weight_ih_l0", &[24, 5]),
        ("lstm.weight_hh_l0", &[24, 6]),
        ("fc.weight", &[2, 12]),
    ]);
    let settings = placed(out.path(), "lstm.safetensors", &network);
    let texts: Vec<Vec<u32>> = (0..120_u32)
        .map(|d| (0..6 + d % 5).map(|t| (d * 7 + t * t * (d % 4 + 1) + t) % 9).collect())
        .collect();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let (_, own) = foreign::Foreign::readings(&settings)
        .into_iter()
        .find(|(way, _)| way == "max-mean")
        .unwrap();
    let head = own.head(2, false).unwrap();
    let said = own.network(&Default::default(), head, &texts).unwrap().predict(&texts).unwrap();
    // Halves of the documents, so that no answer is the commonest.
    let mut gaps: Vec<f32> = said.iter().map(|z| z[1] - z[0]).collect();
    gaps.sort_by(f32::total_cmp);
    let middle = gaps[gaps.len() / 2];
    let mut even = network.clone();
    even.insert("fc.bias".into(), (vec![2], vec![middle, 0.0]));
    let settings = placed(out.path(), "lstm.safetensors", &even);
    let mut csv = String::from("text,label\n");
    for (text, z) in texts.iter().zip(&said) {
        let text: Vec<&str> = text.iter().map(|&w| words[w as usize].as_str()).collect();
        let label = if z[1] - z[0] > middle { "good" } else { "bad" };
        csv.push_str(&format!("{},{label}\n", text.join(" ")));
    }
    std::fs::write(out.path().join("reviews.csv"), csv).unwrap();
    let analyze = |more: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_accrue"))
            .current_dir(out.path())
            .args(["analyze", settings.file.to_str().unwrap(), "--corpus", "reviews.csv"])
            .args(["--vocabulary", "words.txt"])
            .args(more)
            .output()
            .unwrap()
    };
    let refused = analyze(&[]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("can be read in several ways"), "{told}");
    let line = told.lines().find(|l| l.contains("--readout-reads max-mean")).unwrap();
    assert!(line.trim().ends_with("1.000"), "{told}");
    let read = analyze(&["--readout-reads", "max-mean"]);
    let told = String::from_utf8_lossy(&read.stderr).into_owned();
    assert!(read.status.success(), "{told}");
    let summary = Summary::read(&out.path().join("reports/analyze/lstm")).unwrap();
    assert_eq!(summary.get(keys::ACCURACY_NETWORK), Some(1.0));
    assert!(told.contains("outputs and accuracy are of the whole network"), "{told}");
}
