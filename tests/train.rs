//! Training: it learns, resumes to the same bits, and says when it diverges.

use accrue::corpus::Corpus;
use accrue::corpus::synthetic::{self, generate};
use accrue::model::{Config, Network};
use accrue::ops::cuda::Precision;
use accrue::train::{self, Penalty, Settings, batches};

/// Phrases of three topics.
pub fn corpus() -> Corpus {
    let settings = synthetic::Settings {
        length: 12,
        train: 600,
        validation: 60,
        test: 120,
        ..Default::default()
    };
    generate(&settings, 1).unwrap()
}

fn network(corpus: &Corpus) -> Network {
    let config = Config { units: 16, embedding: None, ..Config::default() };
    let head = train::head(config.head, &corpus.train.labels, 3);
    Network::new(&config, head, corpus.words.len(), head.outputs(3), 3).unwrap()
}

fn settings() -> Settings {
    Settings {
        epochs: 40,
        batch: 30,
        learning_rate: 0.1,
        decay: 0.999,
        decay_steps: 1,
        epsilon: 0.1,
        penalty: Penalty::All(1e-4),
        checkpoint_every: 7,
        ..Settings::default()
    }
}

#[test]
fn a_small_network_learns_three_topics() {
    let corpus = corpus();
    let network = network(&corpus);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let fit = train::fit(
        &network,
        &corpus.train,
        &corpus.validation,
        &settings(),
        1,
        (&path, "key"),
        &mut (),
    )
    .unwrap();
    assert_eq!(fit.steps, 800);
    let accuracy = train::score(&network, &corpus.test).unwrap().accuracy();
    assert!(accuracy > 0.9, "{accuracy}");
    assert!(fit.records.last().unwrap().loss < fit.records[0].loss);
}

#[test]
fn a_run_that_was_cut_off_goes_on_to_the_same_bits() {
    for average in [0, 60] {
        goes_on_to_the_same_bits(average);
    }
}

fn goes_on_to_the_same_bits(average: usize) {
    let settings = || Settings { average, ..settings() };
    let corpus = corpus();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let fit = |network: &Network, steps: usize, path: &std::path::Path| {
        let settings = Settings { steps, ..settings() };
        train::fit(network, &corpus.train, &corpus.validation, &settings, 1, (path, "key"), &mut ())
            .unwrap()
    };
    let whole = network(&corpus);
    fit(&whole, 50, &folder.path().join("other"));
    // Ends after 31 steps; its last checkpoint is that of step 28.
    fit(&network(&corpus), 31, &path);
    assert!(path.is_file(), "a checkpoint is left");
    let resumed = network(&corpus);
    fit(&resumed, 50, &path);
    assert_eq!(resumed.arrays().unwrap(), whole.arrays().unwrap());
    // A checkpoint of another configuration is not taken up.
    let fresh = network(&corpus);
    let settings = Settings { steps: 50, ..settings() };
    train::fit(&fresh, &corpus.train, &corpus.validation, &settings, 1, (&path, "other"), &mut ())
        .unwrap();
    assert_eq!(fresh.arrays().unwrap(), whole.arrays().unwrap());
}

#[test]
fn averaged_weights_are_the_mean_of_those_of_the_steps() {
    let corpus = corpus();
    let folder = tempfile::tempdir().unwrap();
    let arrays = |average: usize, steps: usize| {
        let network = network(&corpus);
        let settings = Settings { average, steps, ..settings() };
        let path = folder.path().join(format!("{average} {steps}"));
        let place = (path.as_path(), "key");
        train::fit(&network, &corpus.train, &corpus.validation, &settings, 1, place, &mut ())
            .unwrap();
        network.arrays().unwrap()
    };
    // Twenty weights of a horizon: of each step, and of every third. One more is forgotten by a twentieth.
    for (horizon, steps, every, kept) in [(20, 5, 1, 5), (60, 10, 3, 3), (20, 22, 1, 20)] {
        let singles: Vec<_> = (1..=steps / every).map(|n| arrays(0, n * every)).collect();
        for (name, (_, mean)) in arrays(horizon, steps) {
            for (i, &mean) in mean.iter().enumerate() {
                let mut wanted = 0.0;
                for (n, single) in singles.iter().enumerate() {
                    wanted += (f64::from(single[&name].1[i]) - wanted) / (n + 1).min(kept) as f64;
                }
                assert!(
                    (f64::from(mean) - wanted).abs() < 1e-6,
                    "{name} {i}: {mean}, not {wanted}"
                );
            }
        }
    }
}

#[test]
fn a_loss_that_is_no_number_stops_with_step_rate_and_norm() {
    let corpus = corpus();
    let network = network(&corpus);
    let mut arrays = network.arrays().unwrap();
    arrays.get_mut("readout.weight").unwrap().1[0] = f32::NAN;
    network.set_arrays(&arrays).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let error = train::fit(
        &network,
        &corpus.train,
        &corpus.validation,
        &settings(),
        1,
        (&path, "key"),
        &mut (),
    )
    .unwrap_err();
    let message = error.to_string();
    for part in ["step 1", "learning rate 1e-1", "gradient norm", "no checkpoint"] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn rounded_products_on_the_processor_are_refused_with_the_remedy() {
    let corpus = corpus();
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings { precision: Precision::Tf32, ..settings() };
    let checkpoint = folder.path().join("checkpoint");
    let place = (checkpoint.as_path(), "key");
    let (train, validation) = (&corpus.train, &corpus.validation);
    let error =
        train::fit(&network(&corpus), train, validation, &settings, 1, place, &mut ()).unwrap_err();
    for part in ["training.precision: Tf32", "--device cuda"] {
        assert!(error.to_string().contains(part), "{error}");
    }
    let said: Settings = accrue::notation::parse("training", "(precision: Bf16)").unwrap();
    assert_eq!(said.precision, Precision::Bf16);
}

#[test]
fn an_epoch_holds_each_document_once() {
    let lengths: Vec<usize> = (0..1003).map(|d| 1 + d * 7 % 91).collect();
    let epoch = batches::epoch(&lengths, 64, 5, 2);
    let mut all: Vec<usize> = epoch.concat();
    all.sort_unstable();
    assert_eq!(all, (0..1003).collect::<Vec<_>>());
    assert_eq!(epoch, batches::epoch(&lengths, 64, 5, 2));
    assert_ne!(epoch, batches::epoch(&lengths, 64, 5, 3));
    // Similar lengths: little is padded.
    let padded: usize =
        epoch.iter().map(|b| b.len() * b.iter().map(|&d| lengths[d]).max().unwrap()).sum();
    assert!((padded as f64) < 1.1 * lengths.iter().sum::<usize>() as f64);
}
