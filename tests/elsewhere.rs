//! Weights trained elsewhere: looked at as they are, and trained further.

use super::experiment::{Ran, run, small};
use accrue::experiment::Experiment;
use accrue::model::StaticInput;
use accrue::model::foreign;
use accrue::records::{self, Key, keys};
use accrue::report::Summary;
use accrue::studies::states_only;
use accrue::studies::text::{self, Options, STAGES};
use std::path::Path;

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
