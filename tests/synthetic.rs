//! Synthetic corpora: every label recounted, every distribution checked.

use accrue::corpus::synthetic::{
    Between, Kind, LabelCount, Ordered, Settings, TwoScores, Unordered, generate, running_score,
    valences,
};
use accrue::corpus::{Corpus, Labels, Split};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn settings(kind: Kind, length: usize, size: usize, balanced: bool) -> Settings {
    Settings {
        kind,
        length,
        train: size,
        validation: 50,
        test: 50,
        balanced,
        shortest: None,
        beginning: 0,
    }
}

fn classes(split: &Split) -> &[u32] {
    match &split.labels {
        Labels::Class(classes) => classes,
        other => panic!("classes expected, not {other:?}"),
    }
}

/// How often each word of the vocabulary occurs in document `d`.
fn counted(corpus: &Corpus, d: usize) -> BTreeMap<&str, i64> {
    let mut counts = BTreeMap::new();
    for &t in corpus.train.documents.get(d) {
        *counts.entry(corpus.words[t as usize].as_str()).or_insert(0) += 1;
    }
    counts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn unordered_labels_are_a_recount(n in 2_usize..8, length in 4_usize..60, independent: bool, seed: u64) {
        let kind = Kind::Unordered(Unordered { classes: n, independent, ..Default::default() });
        let corpus = generate(&settings(kind, length, 200, false), seed).unwrap();
        for (d, &class) in classes(&corpus.train).iter().enumerate() {
            prop_assert_eq!(corpus.train.documents.get(d).len(), length);
            let counts = counted(&corpus, d);
            let score = |i: usize| counts.get(format!("kinda{i}").as_str()).copied().unwrap_or(0);
            // The most; the lowest class of those that tie.
            let most = (0..n).map(score).max().unwrap();
            prop_assert_eq!(class as usize, (0..n).find(|&i| score(i) == most).unwrap());
        }
    }

    #[test]
    fn ordered_labels_are_a_recount(n in 2_usize..7, half in 2_usize..20, five_words: bool, seed: u64) {
        let length = if five_words { half } else { 2 * half };
        let kind = Kind::Ordered(Ordered { classes: n, five_words, ..Default::default() });
        let corpus = generate(&settings(kind, length, 200, false), seed).unwrap();
        let reach = if five_words { 2 * length as i64 } else { length as i64 };
        for (d, &class) in classes(&corpus.train).iter().enumerate() {
            prop_assert_eq!(corpus.train.documents.get(d).len(), length);
            let counts = counted(&corpus, d);
            let of = |w: &str| counts.get(w).copied().unwrap_or(0);
            let score = of("good") - of("bad") + 2 * of("awesome") - 2 * of("awful");
            // t_k = −reach + k (2 reach + 1)/N; at a threshold: the lower class.
            let above = (1..n as i64).filter(|k| (score + reach) * n as i64 > k * (2 * reach + 1));
            prop_assert_eq!(class as usize, above.count());
        }
    }

    #[test]
    fn label_lists_are_a_recount(k in 1_usize..5, seed: u64) {
        let kind = Kind::Labels(LabelCount { labels: k });
        let corpus = generate(&settings(kind, 30, 160, true), seed).unwrap();
        let Labels::Multi { labels, flags } = &corpus.train.labels else { panic!("lists") };
        prop_assert_eq!(*labels, k);
        let mut combinations = BTreeMap::new();
        for (d, flags) in flags.chunks(k).enumerate() {
            let counts = counted(&corpus, d);
            let of = |w: String| counts.get(w.as_str()).copied().unwrap_or(0);
            for (i, &flag) in flags.iter().enumerate() {
                prop_assert_eq!(flag, of(format!("kinda{i}")) >= of(format!("bad{i}")));
            }
            *combinations.entry(flags.to_vec()).or_insert(0) += 1;
        }
        prop_assert!(combinations.values().all(|&n| n == 160 / (1 << k)));
    }
}

#[test]
fn count_vectors_are_hit_uniformly() {
    // C(4 + 3, 3) = 35 vectors; χ² with 34 degrees of freedom: 99.9 % below 65.2.
    let kind = Kind::Unordered(Unordered::default());
    let n = 35_000;
    let corpus = generate(&settings(kind, 4, n, false), 5).unwrap();
    let mut hits: BTreeMap<Vec<i64>, usize> = BTreeMap::new();
    for d in 0..n {
        let counts = counted(&corpus, d);
        let of = |w: &str| counts.get(w).copied().unwrap_or(0);
        *hits.entry(vec![of("kinda0"), of("kinda1"), of("kinda2")]).or_default() += 1;
    }
    assert_eq!(hits.len(), 35);
    let expected = n as f64 / 35.0;
    let chi: f64 = hits.values().map(|&h| (h as f64 - expected).powi(2) / expected).sum();
    assert!(chi < 65.2, "χ² = {chi}");
}

#[test]
fn balanced_classes_are_equal_and_shuffled() {
    let kind = Kind::Ordered(Ordered { classes: 5, ..Default::default() });
    let corpus = generate(&settings(kind, 50, 1000, true), 6).unwrap();
    let found = classes(&corpus.train);
    for class in 0..5 {
        assert_eq!(found.iter().filter(|&&c| c == class).count(), 200);
        let late = found[900..].iter().filter(|&&c| c == class).count();
        assert!((5..40).contains(&late), "the end holds every class, as the whole");
    }
}

#[test]
fn two_scores_give_all_five_classes_by_their_rule() {
    let kind = Kind::TwoScores(TwoScores::default());
    let corpus = generate(&settings(kind, 12, 500, false), 7).unwrap();
    for (d, &class) in classes(&corpus.train).iter().enumerate() {
        let counts = counted(&corpus, d);
        let of = |w: &str| counts.get(w).copied().unwrap_or(0);
        let sentiment = 2 * (2 * of("awesome") + of("good") - of("bad") - 2 * of("awful"));
        let neutrality =
            -2 * of("awesome") + of("good") + of("bad") - 2 * of("awful") + 4 * of("okay");
        let wanted = match (sentiment, neutrality) {
            (s, n) if n > 0 && n >= s.abs() => 2,
            (s, n) if s > 0 && n > 0 => 3,
            (s, _) if s > 0 => 4,
            (s, n) if s < 0 && n > 0 => 1,
            _ => 0,
        };
        assert_eq!(class, wanted, "sentiment {sentiment}/2, neutrality {neutrality}/2");
    }
}

#[test]
fn the_toy_language_has_its_derived_statistics() {
    let corpus = generate(&settings(Kind::Toy, 50, 20_000, false), 8).unwrap();
    let Labels::Score(scores) = &corpus.train.labels else { panic!("a score") };
    let last: Vec<f64> = scores.chunks(50).map(|s| s[49] as f64).collect();
    let mean = last.iter().sum::<f64>() / last.len() as f64;
    let variance = last.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / last.len() as f64;
    assert!((variance - 53.0).abs() < 2.0, "variance {variance}");
    let nots = corpus.train.documents.tokens().iter().filter(|&&t| t == 10).count();
    let rate = nots as f64 / 1e6;
    assert!((rate - 0.0633).abs() < 0.001, "rate of not4 {rate}");
    // The stored example: awful1 two words after not4 counts +2.
    let id = |w: &str| corpus.words.iter().position(|x| x == w).unwrap() as u32;
    let phrase = ["not4", "while", "awful1"].map(id);
    assert_eq!(running_score(&phrase, 0), [0.0, 0.0, 2.0]);
    let phrase = ["not4", "very1", "good1", "good1", "good1", "good1"].map(id);
    assert_eq!(running_score(&phrase, 0), [0.0, 0.0, -2.0, -3.0, -4.0, -3.0]);
    // The first four count double.
    assert_eq!(running_score(&phrase, 4), [0.0, 0.0, -4.0, -6.0, -7.0, -6.0]);
}

#[test]
fn classes_between_unordered_and_ordered_are_a_recount() {
    for eps in [0.0, 0.3, 0.9] {
        let between = Between::Order(eps);
        let kind = Kind::Unordered(Unordered { between, ..Default::default() });
        let corpus = generate(&settings(kind, 50, 1000, false), 9).unwrap();
        for (d, &class) in classes(&corpus.train).iter().enumerate() {
            let counts = counted(&corpus, d);
            let of = |i: usize| counts.get(format!("kinda{i}").as_str()).copied().unwrap_or(0);
            let (a, b, c) = (of(0) as f64, of(1) as f64 * (1.0 - eps), of(2) as f64);
            // Fifty words: the middle is where the outer two differ by less than 3 eps.
            let wanted = if (a - c).abs() < 3.0 * eps {
                1
            } else if a >= b && a >= c {
                0
            } else if b >= c {
                1
            } else {
                2
            };
            assert_eq!(class, wanted, "eps {eps}: {counts:?}");
        }
    }
}

/// Dimension of the counts for one correlated pair of three classes: values derived from the
/// process with independent words.
#[test]
fn correlated_classes_lose_a_dimension() {
    for (c, derived) in [(0.0, 2.0), (0.25, 1.16), (0.5, 1.003)] {
        let correlated = if c == 0.0 { vec![] } else { vec![(0, 1, c)] };
        let kind =
            Kind::Unordered(Unordered { correlated, independent: true, ..Default::default() });
        let corpus = generate(&settings(kind, 50, 30_000, true), 11).unwrap();
        let found = accrue::stats::predict(
            &corpus.train,
            &corpus.label_names,
            corpus.words.len(),
            &accrue::stats::predict::Settings { bootstrap: 20, ..Default::default() },
            1,
        )
        .unwrap();
        let dimension = found.dimension_unbiased.value;
        assert!((dimension - derived).abs() < 0.03, "c = {c}: {dimension}, derived {derived}");
    }
}

#[test]
fn fully_correlated_classes_are_decided_by_a_coin() {
    // At c = 1 a coin decides between the pair: labels no longer follow counts.
    let kind = Kind::Unordered(Unordered { correlated: vec![(0, 1, 1.0)], ..Default::default() });
    let corpus = generate(&settings(kind, 50, 2000, false), 10).unwrap();
    let against = classes(&corpus.train).iter().enumerate().filter(|(d, class)| {
        let counts = counted(&corpus, *d);
        let of = |w: &str| counts.get(w).copied().unwrap_or(0);
        **class == 0 && of("kinda1") > of("kinda0")
    });
    assert!(against.count() > 200);
}

#[test]
fn valences_are_twenty_signed_words() {
    let words = valences(3);
    assert_eq!(words.len(), 40);
    let strengths: Vec<f64> = words.iter().map(|w| w.1).filter(|v| *v != 0.0).collect();
    assert_eq!(strengths.len(), 20);
    assert!(strengths.iter().all(|v| (0.5..2.0).contains(&v.abs())));
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let odd = Kind::Ordered(Ordered::default());
    assert!(generate(&settings(odd, 49, 10, false), 1).unwrap_err().to_string().contains("even"));
    let filter = Unordered { classes: 4, between: Between::Filter(3), ..Default::default() };
    assert!(generate(&settings(Kind::Unordered(filter), 50, 10, false), 1).is_err());
}
