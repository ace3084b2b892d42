//! Training: it learns, resumes to the same bits, and says when it diverges.

use accrue::corpus::Corpus;
use accrue::corpus::synthetic::{self, generate};
use accrue::model::{Config, Network};
use accrue::ops::cuda::Precision;
use accrue::train::batches::{self, Excerpt};
use accrue::train::{self, Crop, Penalty, Settings};

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
    let (whole, crop) = (Crop::default(), Crop { shortest: 3, longest: 9 });
    for (average, crop, state_noise) in [(0, whole, 0.0), (60, whole, 0.01), (0, crop, 0.0)] {
        goes_on_to_the_same_bits(Settings { average, crop, state_noise, ..settings() });
    }
}

fn goes_on_to_the_same_bits(settings: Settings) {
    let settings = || settings.clone();
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
    let whole = Crop::default();
    let epoch = batches::epoch(&lengths, whole, 64, 5, 2);
    let mut all: Vec<usize> = epoch.iter().flatten().map(|e| e.document).collect();
    all.sort_unstable();
    assert_eq!(all, (0..1003).collect::<Vec<_>>());
    assert_eq!(epoch, batches::epoch(&lengths, whole, 64, 5, 2));
    assert_ne!(epoch, batches::epoch(&lengths, whole, 64, 5, 3));
    // Similar lengths: little is padded.
    let longest = |b: &[Excerpt]| b.iter().map(|e| e.tokens.len()).max().unwrap();
    let padded: usize = epoch.iter().map(|b| b.len() * longest(b)).sum();
    assert!((padded as f64) < 1.1 * lengths.iter().sum::<usize>() as f64);
}

#[test]
fn crops_lie_within_their_documents_and_are_drawn_anew() {
    let lengths: Vec<usize> = (0..4000).map(|d| 1 + d % 400).collect();
    let crop = Crop { shortest: 5, longest: 80 };
    let epoch = |number| {
        let mut all = batches::epoch(&lengths, crop, 64, 5, number).concat();
        all.sort_by_key(|e| e.document);
        all
    };
    let (third, fourth) = (epoch(3), epoch(4));
    assert_eq!(third.len(), lengths.len());
    let mut cropped = Vec::new();
    for (d, (excerpt, &length)) in third.iter().zip(&lengths).enumerate() {
        assert_eq!(excerpt.document, d);
        assert!(excerpt.tokens.end <= length);
        match length {
            ..=5 => assert_eq!(excerpt.tokens, 0..length),
            _ => assert!((5..=80).contains(&excerpt.tokens.len()), "{excerpt:?}"),
        }
        if length > 80 {
            cropped.push(excerpt.clone());
        }
    }
    // As many below the geometric mean of 5 and 80 as above it: 20, give or take four standard errors. Halves
    // round, so that of 20 tokens half are below.
    let below = |e: &&Excerpt| 2 * e.tokens.len() < 41;
    let share = cropped.iter().filter(below).count() as f64 / cropped.len() as f64;
    let rounded = (20.5_f64 / 5.0).ln() / 16.0_f64.ln();
    assert!((share - rounded).abs() < 4.0 * 0.5 / (cropped.len() as f64).sqrt(), "{share}");
    // They begin anywhere: what lies before them is on average as long as what follows.
    let before: f64 = cropped.iter().map(|e| e.tokens.start as f64).sum();
    let after: f64 = cropped.iter().map(|e| (lengths[e.document] - e.tokens.end) as f64).sum();
    assert!((before / after - 1.0).abs() < 0.05, "{before} {after}");
    let moved = third.iter().zip(&fourth).filter(|(a, b)| a != b).count();
    assert!(moved > 3500, "{moved}");
}

#[test]
fn a_network_reads_its_crops_and_validates_on_whole_documents() {
    let corpus = corpus();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let settings = Settings { crop: Crop { shortest: 1, longest: 1 }, epochs: 20, ..settings() };
    let network = network(&corpus);
    let place = (path.as_path(), "key");
    let fit = train::fit(&network, &corpus.train, &corpus.validation, &settings, 1, place, &mut ())
        .unwrap();
    // One token of each of 600 phrases, twenty times.
    assert_eq!(fit.tokens, 20 * 600);
    let last = fit.records.last().unwrap();
    let scored = train::score(&network, &corpus.validation).unwrap();
    assert_eq!(last.validation_accuracy, Some(scored.accuracy()));
}

#[test]
fn crops_that_cannot_be_are_refused() {
    for said in ["(crop: (shortest: 0, longest: 9))", "(crop: (shortest: 9, longest: 5))"] {
        let error = accrue::notation::parse::<Settings>("training", said).unwrap_err().to_string();
        assert!(error.contains("crops of") && error.contains("leave `crop` out"), "{error}");
    }
    let said: Settings =
        accrue::notation::parse("training", "(crop: (shortest: 5, longest: 9))").unwrap();
    assert_eq!(said.crop, Crop { shortest: 5, longest: 9 });
    // Runs of before keep their keys.
    assert!(!accrue::notation::to_ron(&Settings::default()).contains("crop"));
}

#[test]
fn crops_of_documents_with_a_score_at_every_token_are_refused() {
    let toy = synthetic::Settings {
        kind: synthetic::Kind::Toy,
        length: 12,
        train: 20,
        validation: 5,
        test: 5,
        ..Default::default()
    };
    let corpus = generate(&toy, 1).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let settings = Settings { crop: Crop { shortest: 3, longest: 9 }, ..settings() };
    let (train, validation, place) = (&corpus.train, &corpus.validation, (path.as_path(), "key"));
    let error =
        train::fit(&network(&corpus), train, validation, &settings, 1, place, &mut ()).unwrap_err();
    for part in ["training.crop", "every token", "leave the setting out"] {
        assert!(error.to_string().contains(part), "{error}");
    }
}
