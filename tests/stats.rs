//! The predicted dimension against reference spectra: those of large samples of each process.

use accrue::corpus::synthetic::{Kind, LabelCount, Ordered, Settings, Unordered, generate};
use accrue::corpus::{Documents, Labels, Split};
use accrue::linalg::Matrix;
use accrue::stats::memory::{MEMORIES, explained, leaky_sums};
use accrue::stats::predict::{Rows, Settings as PredictSettings, Shape};
use accrue::stats::{Prediction, evidence, predict};
use rand::Rng;

fn predicted(kind: Kind, length: usize, size: usize) -> Prediction {
    let settings =
        Settings { kind, length, train: size, validation: 60, test: 60, ..Settings::default() };
    let corpus = generate(&settings, 1).unwrap();
    let settings = PredictSettings { bootstrap: 20, ..Default::default() };
    predict(&corpus.train, &corpus.label_names, corpus.words.len(), &settings, 1).unwrap()
}

#[test]
fn unordered_classes_predict_one_less_than_their_number() {
    for n in 2..=5 {
        let kind = Kind::Unordered(Unordered { classes: n, ..Default::default() });
        let found = predicted(kind, 50, 20_000);
        let wanted = n as f64 - 1.0;
        assert!((found.dimension.value - wanted).abs() < 0.1, "{n}: {:?}", found.dimension);
        assert!((found.dimension_unbiased.value - wanted).abs() < 0.1);
        assert!(found.dimension.low <= found.dimension.high);
        assert_eq!(found.shape, if n == 2 { Shape::Line } else { Shape::Simplex });
    }
}

#[test]
fn combinations_too_rare_for_a_row_are_counted() {
    let documents: Vec<Vec<u32>> = (0..65).map(|i| vec![i % 3, i % 5, 1]).collect();
    // 30 documents of neither label, 30 of the first, 5 of both.
    let flags = (0..65).flat_map(|i| [i >= 30, i >= 60]).collect();
    let split = Split {
        documents: documents.iter().map(Vec::as_slice).collect(),
        labels: Labels::Multi { labels: 2, flags },
    };
    let names = ["a".to_string(), "b".to_string()];
    let settings = PredictSettings { bootstrap: 0, ..Default::default() };
    let found = predict(&split, &names, 5, &settings, 1).unwrap();
    assert_eq!(found.rows, ["none", "a"]);
    let left = found.left_out;
    assert_eq!((left.combinations, left.documents, left.of), (1, 5, 65));
    assert!(left.note().unwrap().contains("5 of 65 documents play no part"));
    let settings = PredictSettings { rows: Rows::Labels, ..settings };
    let single = predict(&split, &names, 5, &settings, 1).unwrap();
    assert_eq!((single.rows.len(), single.left_out.note()), (2, None));
}

#[test]
fn ordered_classes_have_their_reference_spectra() {
    // Large samples, three words: N = 3 → PR 1.27, N = 5 → PR 1.33.
    for (n, wanted) in [(3, 1.27), (5, 1.33)] {
        let kind = Kind::Ordered(Ordered { classes: n, ..Default::default() });
        let found = predicted(kind, 50, 20_000).dimension.value;
        assert!((found - wanted).abs() < 0.05, "{n}: {found}");
    }
}

#[test]
fn independent_labels_predict_their_number() {
    for k in [2, 3] {
        let found = predicted(Kind::Labels(LabelCount { labels: k }), 50, 20_000);
        assert!((found.dimension.value - k as f64).abs() < 0.1, "{k}: {:?}", found.dimension);
        assert_eq!(found.rows.len(), 1 << k);
        assert_eq!(found.shape, Shape::Product);
    }
}

#[test]
fn correlated_classes_predict_fewer_dimensions() {
    // Large samples: c = 0, .25 → PR 2.00, 1.16 (i.i.d. words, one pair of three classes).
    for (c, wanted) in [(0.0, 2.0), (0.25, 1.16)] {
        let correlated = vec![(0, 1, c)];
        let kind =
            Kind::Unordered(Unordered { correlated, independent: true, ..Default::default() });
        let found = predicted(kind, 50, 20_000).dimension.value;
        assert!((found - wanted).abs() < 0.05, "{c}: {found}");
    }
}

#[test]
fn log_odds_of_an_evidence_word_point_at_its_class() {
    let corpus = generate(&Settings { train: 3000, ..Settings::default() }, 2).unwrap();
    let evidence = evidence::log_odds(&corpus.train, corpus.words.len(), 3);
    for class in 0..3 {
        assert!(evidence[class + 1][class] > 0.5);
        assert!((0..3).filter(|k| *k != class).all(|k| evidence[class + 1][k] < 0.0));
        assert!(evidence[0][class].abs() < 0.15, "the neutral word says little");
    }
}

#[test]
fn the_share_interval_is_wilsons() {
    // 8 of 10, by Wilson's formula by hand: 0.4902 – 0.9433.
    let (low, high) = evidence::share_interval(0.8, 10);
    assert!((low - 0.4902).abs() < 1e-4 && (high - 0.9433).abs() < 1e-4, "{low} {high}");
}

#[test]
fn quantiles_ranks_and_areas_by_hand() {
    use accrue::summary::{auc, bootstrap, median, pearson, quantile, spearman};
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(quantile(&[1.0, 2.0, f64::NAN, 3.0, 4.0, 5.0], 0.25), Some(2.0));
    assert_eq!(median(&[]), None);
    // Of the six pairs, four are won and one is a tie.
    assert_eq!(auc(&[2.0, 3.0], &[1.0, 2.0, 2.5]), Some(4.5 / 6.0));
    assert_eq!(auc(&[], &[1.0]), None);
    assert!(
        (pearson(&[1.0, 2.0, 3.0], &[2.0, 4.0, 7.0]) - 5.0 / (2.0 * 38.0_f64 / 3.0).sqrt()).abs()
            < 1e-12
    );
    // A monotone relation has rank correlation 1; ties share the mean rank.
    assert!((spearman(&[1.0, 5.0, 9.0], &[1.0, 100.0, 101.0]) - 1.0).abs() < 1e-12);
    assert!((spearman(&[1.0, 1.0, 2.0], &[3.0, 4.0, 5.0]) - 0.75_f64.sqrt()).abs() < 1e-12);
    // The mean of a fair coin thrown 400 times: 0.5 ± 1.96·0.025.
    let coin: Vec<f64> = (0..400).map(|i| (i % 2) as f64).collect();
    let mean = |v: &[f64]| Some(v.iter().sum::<f64>() / v.len() as f64);
    let (low, high) = bootstrap(&coin, mean, 1, "tests/coin");
    assert!((low - 0.451).abs() < 0.012 && (high - 0.549).abs() < 0.012, "{low} {high}");
}

#[test]
fn one_value_has_no_interval() {
    let mean = |v: &[f64]| Some(v.iter().sum::<f64>() / v.len() as f64);
    for few in [&[][..], &[8.346]] {
        let (low, high) = accrue::summary::bootstrap(few, mean, 1, "tests/one");
        assert!(low.is_nan() && high.is_nan(), "{few:?}: {low} {high}");
    }
}

#[test]
fn scaled_counts_see_evidence_in_rare_words_as_in_common_ones() {
    use accrue::linalg::{Matrix, symmetric};
    // Words 0-2 speak for a class each, ten times as often in it; word 0 is common.
    let rates = [0.3, 0.03, 0.03];
    let share = |class: usize, w: usize| if class == w { rates[w] } else { 0.1 * rates[w] };
    let mut stream = accrue::seed::stream(3, "tests/scaled");
    let (mut documents, mut classes) = (Documents::new(), Vec::new());
    for d in 0..9000 {
        let class = d % 3;
        let tokens: Vec<u32> = (0..40)
            .map(|_| {
                let mut x = stream.random::<f64>();
                for w in 0..3 {
                    x -= share(class, w);
                    if x < 0.0 {
                        return w as u32;
                    }
                }
                3
            })
            .collect();
        documents.push(&tokens);
        classes.push(class as u32);
    }
    let split = Split { documents, labels: Labels::Class(classes) };
    let names = ["a", "b", "c"].map(String::from);
    let found = predict(&split, &names, 4, &PredictSettings::default(), 1).unwrap();
    // The same from the shares themselves, without a draw.
    let dimension = |scaled: bool| {
        let full = |c: usize, w: usize| {
            if w < 3 { share(c, w) } else { 1.0 - (0..3).map(|w| share(c, w)).sum::<f64>() }
        };
        let mean = |w: usize| (0..3).map(|c| full(c, w)).sum::<f64>() / 3.0;
        let rows = Matrix::from_fn(3, 4, |c, w| {
            (full(c, w) - mean(w)) / if scaled { mean(w).sqrt() } else { 1.0 }
        });
        let values = symmetric(&(&rows * rows.transpose())).unwrap().0;
        values.iter().sum::<f64>().powi(2) / values.iter().map(|v| v * v).sum::<f64>()
    };
    let (raw, scaled) = (dimension(false), dimension(true));
    assert!(raw < 1.1 && scaled > 1.2, "{raw} {scaled}");
    assert!((found.dimension_unbiased.value - raw).abs() < 0.02, "{raw}");
    assert!((found.dimension_scaled.value - scaled).abs() < 0.04, "{scaled}: {found:?}");
}

#[test]
fn documents_have_the_singular_values_of_the_dense_matrix() {
    use accrue::corpus::Documents;
    use accrue::linalg::{Matrix, svd};
    use accrue::stats::{Counts, lsa};
    let mut stream = accrue::seed::stream(2, "tests/lsa");
    let (rows, words) = (3000, 90);
    // Three topics with words of their own, and noise.
    let texts: Vec<Vec<u32>> = (0..rows)
        .map(|d| {
            let topic = d % 3;
            (0..20)
                .map(|_| match stream.random_range(0..3) {
                    0 => stream.random_range(0..words as u32),
                    _ => (topic * 7 + stream.random_range(0..7)) as u32,
                })
                .collect::<Vec<u32>>()
        })
        .collect();
    let documents: Documents = texts.iter().map(Vec::as_slice).collect();
    let counts = Counts::of(&documents, words);
    let mut dense = Matrix::zeros(rows, words);
    for d in 0..rows {
        counts.document(d).for_each(|(w, c)| dense[(d, w as usize)] = c as f64);
    }
    let exact = svd(&dense).unwrap();
    let found = lsa::documents(&counts, 4, 1e-9, 1).unwrap();
    assert!(found.error <= 1e-9 && found.steps > 0, "{} after {}", found.error, found.steps);
    for a in 0..4 {
        let (s, t) = (found.singular[a], exact.singular[a]);
        assert!((s - t).abs() < 1e-7 * t, "component {a}: {s} {t}");
        let along = found.directions.column(a).dot(&exact.v.column(a)).abs();
        assert!(along > 1.0 - 1e-6, "component {a}: cosine {along}");
    }
    // All components of a small matrix: exact.
    let few: Documents = documents.iter().take(8).collect();
    let all = lsa::documents(&Counts::of(&few, words), 8, 1e-9, 1).unwrap();
    assert_eq!((all.singular.len(), all.steps), (8, 0));
    assert!(lsa::documents(&counts, 91, 1e-9, 1).is_err());
    // The same bits on any number of threads.
    let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let again = alone.install(|| lsa::documents(&counts, 4, 1e-9, 1)).unwrap();
    assert_eq!(again.singular, found.singular);
}

#[test]
fn false_discovery_rates_by_hand() {
    use accrue::summary::{deviation, discovery_rates, mean};
    // n = 5: .01·5/1, .02·5/2, .03·5/3 and .5·5/4, the least from the right.
    let found = discovery_rates(&[0.03, 0.01, 0.9, 0.02, 0.5]);
    let wanted = [0.05, 0.05, 0.9, 0.05, 0.625];
    assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-12), "{found:?}");
    assert_eq!((mean(&[1.0, 2.0, 6.0]), deviation(&[1.0, 3.0])), (3.0, 2.0_f64.sqrt()));
}

#[test]
fn several_p_values_make_one() {
    use accrue::summary::combined;
    // By hand: e^{−x/2} (1 + x/2) with x/2 = −2 ln .05.
    assert!((combined(&[0.05, 0.05]) - 0.017479).abs() < 1e-6);
    assert!((combined(&[0.3]) - 0.3).abs() < 1e-12, "one is itself");
    assert_eq!(combined(&[]), 1.0);
    assert!(combined(&[0.5, 0.5, 0.5, 0.5]) > 0.5 && combined(&[1.0, 1.0]) <= 1.0);
    assert!(combined(&[5e-4; 6]) < 1e-13);
}

/// Quantities that are planted: a sum that forgets nothing, one with a time constant of 8 tokens, and noise.
#[test]
fn a_leaky_sum_is_explained_by_its_own_memory() {
    let mut stream = accrue::seed::stream(3, "tests/memory");
    let evidence: Vec<Vec<f64>> =
        (0..7).map(|w| vec![w as f64 - 3.0, ((w * w) % 5) as f64]).collect();
    let documents: Vec<Vec<u32>> =
        (0..60).map(|_| (0..50).map(|_| stream.random_range(0..7)).collect()).collect();
    let sums = |memory: f64| -> Vec<Vec<f64>> {
        documents.iter().flat_map(|d| leaky_sums(d, &evidence, memory)).collect()
    };
    // By hand: 1·e⁻¹ + 3 after two words.
    let two = leaky_sums(&[4, 6], &evidence, 1.0);
    assert!((two[1][0] - (1.0 * (-1.0_f64).exp() + 3.0)).abs() < 1e-12 && two[0] == evidence[4]);
    let (whole, eight) = (sums(f64::INFINITY), sums(8.0));
    let planted = Matrix::from_fn(whole.len(), 3, |i, j| match j {
        0 => 2.0 * whole[i][0] - whole[i][1] + 5.0,
        1 => eight[i][0] + 0.5 * eight[i][1],
        _ => stream.random_range(-1.0..1.0),
    });
    let fitted: Vec<bool> = (0..whole.len()).map(|i| (i / 50) % 2 == 0).collect();
    let found: Vec<Vec<f64>> = MEMORIES
        .iter()
        .map(|&memory| {
            let sums = sums(memory);
            // A feature twice over: evidence of two classes is collinear.
            let features = Matrix::from_fn(sums.len(), 3, |i, j| sums[i][j % 2]);
            explained(&features, &planted, &fitted)
        })
        .collect();
    for (shares, memory) in found.iter().zip(MEMORIES) {
        assert_eq!(shares[0] > 1.0 - 1e-6, memory.is_infinite(), "{memory}: {shares:?}");
        assert_eq!(shares[1] > 1.0 - 1e-6, memory == 8.0, "{memory}: {shares:?}");
        assert!(shares[2].abs() < 0.02, "{memory}: {shares:?}");
    }
}
