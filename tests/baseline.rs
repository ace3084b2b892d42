//! The bag of words against its own optimality conditions and a planted truth.

use accrue::baseline::{Settings, fit};
use accrue::corpus::synthetic::{self, Kind, LabelCount, generate};
use accrue::corpus::{Documents, Labels, Split};

fn small() -> Split {
    let documents: Vec<&[u32]> =
        vec![&[0, 1, 1], &[1, 2], &[2, 2, 0], &[0, 0, 1], &[2], &[1, 0, 2, 2]];
    let documents: Documents = documents.into_iter().collect();
    Split { documents, labels: Labels::Class(vec![0, 1, 1, 0, 1, 0]) }
}

/// Mean logistic loss plus `λ/2‖β‖²`, written from the equation.
fn loss(split: &Split, beta: &[f64], bias: f64, penalty: f64) -> f64 {
    let Labels::Class(classes) = &split.labels else { panic!("classes") };
    let mut sum = 0.0;
    for (d, &class) in classes.iter().enumerate() {
        let z: f64 = bias + split.documents.get(d).iter().map(|&t| beta[t as usize]).sum::<f64>();
        let p = 1.0 / (1.0 + (-z).exp());
        sum -= if class == 1 { p.ln() } else { (1.0 - p).ln() };
    }
    sum / classes.len() as f64 + 0.5 * penalty * beta.iter().map(|b| b * b).sum::<f64>()
}

#[test]
fn the_fit_is_a_minimum_of_the_written_loss() {
    let split = small();
    let settings = Settings { penalties: vec![0.05], tolerance: 1e-10, ..Default::default() };
    let model = fit(&split, &split, 3, 2, &settings).unwrap();
    let (beta, bias) = (model.weights[0].clone(), model.bias[0]);
    assert!(model.tried[0].3, "converged");
    // Central differences of the loss vanish in every direction.
    const STEP: f64 = 1e-5;
    for i in 0..4 {
        let moved = |by: f64| {
            let mut beta = beta.clone();
            let mut bias = bias;
            if i < 3 {
                beta[i] += by
            } else {
                bias += by
            }
            loss(&split, &beta, bias, 0.05)
        };
        let slope = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        assert!(slope.abs() < 1e-9, "direction {i}: {slope}");
        assert!(moved(1e-2) > moved(0.0) && moved(-1e-2) > moved(0.0));
    }
}

#[test]
fn counts_alone_solve_the_synthetic_corpora() {
    let settings = synthetic::Settings { train: 3000, ..Default::default() };
    for kind in [settings.kind.clone(), Kind::Labels(LabelCount { labels: 2 })] {
        let corpus = generate(&synthetic::Settings { kind, ..settings.clone() }, 4).unwrap();
        let classes = corpus.label_names.len();
        let model = fit(
            &corpus.train,
            &corpus.validation,
            corpus.words.len(),
            classes,
            &Settings::default(),
        )
        .unwrap();
        let score = model.score(&corpus.test, classes);
        assert!(score.accuracy > 0.97, "{score:?}");
        assert!(model.tried.iter().all(|t| t.3), "every fit converged: {:?}", model.tried);
    }
}

#[test]
fn a_running_score_is_regressed_with_the_reference_share() {
    // Over 20,000 phrases the best bag of words explains R² = .228.
    let settings =
        synthetic::Settings { kind: Kind::Toy, train: 20_000, test: 10_000, ..Default::default() };
    let corpus = generate(&settings, 5).unwrap();
    let model = fit(&corpus.train, &corpus.validation, 12, 0, &Settings::default()).unwrap();
    let score = model.score(&corpus.test, 0);
    assert!((score.accuracy - 0.228).abs() < 0.03, "{score:?}");
}

#[test]
fn words_in_context_recover_the_rule_of_the_toy_language() {
    use accrue::baseline::context::{self, Family};
    use accrue::corpus::synthetic::{Kind, Settings as Toy, generate};
    let settings = Toy {
        kind: Kind::Toy,
        length: 50,
        train: 4000,
        validation: 500,
        test: 1000,
        ..Default::default()
    };
    let corpus = generate(&settings, 5).unwrap();
    let words = corpus.words.len();
    let bag =
        accrue::baseline::fit(&corpus.train, &corpus.validation, words, 0, &Default::default())
            .unwrap();
    // By the derived statistics, words alone explain .228 of the variance.
    let plain = bag.score(&corpus.test, 0).accuracy;
    assert!((plain - 0.228).abs() < 0.05, "{plain}");

    // The text alone says which words are modifiers.
    let asked = accrue::baseline::candidates::candidates(&bag, &corpus.train, 0, 1);
    let id = |word: &str| corpus.words.iter().position(|w| w == word).unwrap() as u32;
    assert_eq!([asked[0].0, asked[1].0], [id("not4"), id("very1")]);
    assert!(asked[1].1 > 2.0 * asked[2].1, "{asked:?}");

    let list = [id("not4"), id("very1")];
    let fit = |taps: bool| {
        let family = Family { modifiers: true, untied: false, ends: false, taps };
        let settings = context::Settings { penalties: vec![1e-4], ..Default::default() };
        let splits = (&corpus.train, &corpus.validation);
        context::fit(&bag, splits, 0, family, &list, &settings).unwrap()
    };
    // not4 turns the next four words, very1 doubles the next one.
    let exact = fit(true);
    assert!(exact.score(&corpus.test, 0).accuracy > 0.999);
    let rule = [[-2.0, -2.0, -2.0, -2.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0]];
    for (m, rule) in rule.iter().enumerate() {
        for (found, wanted) in exact.taps(m).unwrap().iter().zip(rule) {
            assert!((found - wanted).abs() < 0.05, "{:?}", exact.taps(m));
        }
    }
    // A strength that decays comes part of the way.
    let decaying = fit(false);
    let recovered = (decaying.score(&corpus.test, 0).accuracy - plain) / (1.0 - plain);
    assert!((0.6..0.95).contains(&recovered), "{recovered}");
    let (strength, tau) = decaying.modifier(0).unwrap();
    assert!(strength < 0.0 && (2.0..6.0).contains(&tau), "{strength} {tau}");
}

#[test]
fn a_pretrained_encoder_says_what_it_said_in_another_framework() {
    use accrue::baseline::encoder::{self, Encoder};
    use std::path::Path;
    #[derive(serde::Deserialize)]
    struct Reference {
        texts: Vec<String>,
        longest: usize,
        means: std::collections::BTreeMap<String, Vec<Vec<f64>>>,
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references");
    let text = std::fs::read_to_string(folder.join("encoder.json")).unwrap();
    let Reference { texts, longest, means } = serde_json::from_str(&text).unwrap();
    assert_eq!(means.len(), 2);
    for (family, means) in means {
        // Batches of another size, and another order within them, change nothing.
        for batch in [2, 32] {
            let settings = encoder::Settings { longest, batch, ..Default::default() };
            let encoder = Encoder::open(&folder.join("encoder").join(&family), &settings).unwrap();
            let found = encoder.features(&texts, |_| Ok(())).unwrap();
            assert_eq!(found.width, 8);
            for (d, mean) in means.iter().enumerate() {
                for (x, y) in found.row(d).iter().zip(mean) {
                    assert!((*x as f64 - y).abs() < 1e-5, "{family}, text {d}: {x} {y}");
                }
            }
        }
    }
    let message = match Encoder::open(&folder.join("foreign"), &Default::default()) {
        Ok(_) => panic!("a folder without an encoder was read"),
        Err(error) => error.to_string(),
    };
    assert!(message.contains("config.json"), "{message}");
}

#[test]
fn a_probe_finds_a_planted_direction_and_its_penalty() {
    use accrue::baseline::design::Dense;
    use accrue::baseline::encoder::Probe;
    use rand::Rng;
    let mut stream = accrue::seed::stream(1, "tests/probe");
    // Class 1 where 3 x_0 − x_1 > 0; x_1 on another scale and off zero.
    let mut draw = |count: usize| {
        let (mut values, mut classes) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let x: Vec<f32> = (0..4).map(|_| stream.random_range(-1.0..1.0)).collect();
            classes.push((3.0 * x[0] - x[1] > 0.0) as u32);
            values.extend([x[0], 100.0 * x[1] + 50.0, x[2], x[3]]);
        }
        let documents: Documents = (0..count).map(|_| &[0_u32][..]).collect();
        (Dense { width: 4, values }, Split { documents, labels: Labels::Class(classes) })
    };
    let (train, validation, test) = (draw(2000), draw(300), draw(1000));
    let settings = Settings { penalties: vec![1.0, 1e-2, 1e-4], ..Default::default() };
    let (train, held) = ((&train.0, &train.1), (&validation.0, &validation.1));
    let probe = Probe::fit(train, held, 2, &settings).unwrap();
    assert_eq!(probe.penalty, 1e-4, "separable data want the weakest penalty");
    let score = probe.score(&test.0, &test.1, 2);
    assert!(score.accuracy > 0.985, "{score:?}");
}

#[test]
fn pairs_of_words_tell_what_words_cannot() {
    use accrue::baseline::ngrams::Ngrams;
    // `a b` is one class, `b a` the other: words alone say nothing.
    let documents: Documents =
        (0..40).map(|i| if i % 2 == 0 { &[0_u32, 1, 2][..] } else { &[1, 0, 2] }).collect();
    let labels = Labels::Class((0..40).map(|i| i % 2).collect());
    let split = Split { documents, labels };
    let table = Ngrams::of(&split.documents, 3, 2, 2);
    assert_eq!(table.size(), 3 + 4, "0 1, 1 2, 1 0 and 0 2");
    let pairs = table.apply(&split);
    assert_eq!(pairs.documents.get(0).len(), 5);
    let settings = Settings { penalties: vec![1e-3], ..Default::default() };
    let accuracy = |split: &Split, words: usize| {
        fit(split, split, words, 2, &settings).unwrap().score(split, 2).accuracy
    };
    assert_eq!(accuracy(&split, 3), 0.5);
    assert_eq!(accuracy(&pairs, table.size()), 1.0);
    // Too rare is not counted, and the most frequent come first.
    assert_eq!(Ngrams::of(&split.documents, 3, 3, 21).size(), 3);
}
