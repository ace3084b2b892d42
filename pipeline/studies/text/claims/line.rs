//! L1–L8: the line attractor (Maheswaranathan, Williams et al. 2019, arXiv:1906.10720).

use super::super::geometry::primary_points;
use super::{Claim, NONE, share};
use crate::Result;
use crate::corpus::Source;
use crate::experiment::Experiment;
use crate::ops::CellKind;
use crate::records;
use crate::seed;
use crate::summary::{bootstrap, median, quantile};
use rand::Rng;
use rand_distr::StandardNormal;
use std::path::Path;

/// Published test accuracies (arXiv:1906.10720, Table 1): bag of words, then Vanilla, UGRNN, GRU, LSTM.
const PUBLISHED: [(&str, [f64; 5]); 3] = [
    ("yelp_review_full", [0.9337, 0.9296, 0.9567, 0.9584, 0.9505]),
    ("imdb", [0.8853, 0.8708, 0.8796, 0.8686, 0.8693]),
    ("sst2", [0.7974, 0.7809, 0.7774, 0.8025, 0.8009]),
];

/// L1, on a corpus that the paper has too.
fn published(e: &Experiment, folder: &Path) -> Result<Option<Claim>> {
    let Source::Named(name) = &e.corpus.source else { return Ok(None) };
    let Some((_, theirs)) = PUBLISHED.iter().find(|(n, _)| n == name) else { return Ok(None) };
    let cell = match e.model.cell {
        CellKind::Vanilla => 1,
        CellKind::Ugrnn => 2,
        CellKind::Gru | CellKind::GruResetBefore => 3,
        CellKind::Lstm => 4,
        _ => return Ok(None),
    };
    let table = records::Accuracies::read(folder)?;
    let (model, accuracy) = (table.model()?, table.accuracy()?);
    let (low, high) = (table.low()?, table.high()?);
    let at = |name: &str| model.iter().position(|m| m == name);
    let Some((network, words)) = at("network").zip(at("bag_of_words")) else { return Ok(None) };
    Ok(Some(Claim {
        name: "L1",
        statement: format!(
            "test accuracy, published {:.4}: {:+.1} points (bag of words {:.4}, published {:.4})",
            theirs[cell],
            (accuracy[network] - theirs[cell]) * 100.0,
            accuracy[words],
            theirs[0]
        ),
        measured: accuracy[network],
        interval: (low[network], high[network]),
        n: table.n()?[network],
        reference: "Table 1; within two points",
        holds: (accuracy[network] - theirs[cell]).abs() <= 0.02,
    }))
}

/// L1–L8: the line attractor.
pub(super) fn attractor(e: &Experiment, folder: &Path) -> Result<Vec<Claim>> {
    let spectrum = records::Spectrum::read(folder)?;
    let mut claims = Vec::from_iter(published(e, folder)?);
    let states = records::States::read(folder)?;
    let (trained, before) = (share(&spectrum, "states", 3)?, share(&spectrum, "untrained", 3)?);
    // Weights from elsewhere come without their start; the share is NaN then.
    let compared = if before.is_nan() {
        "its weights before training were not given".into()
    } else {
        format!("untrained {before:.2}")
    };
    claims.push(Claim {
        name: "L2",
        statement: format!("three components hold most of the states' variance ({compared})"),
        measured: trained,
        interval: NONE,
        n: states.height(),
        reference: "about .90 in 2-3 components; at least .85, untrained lower by .25",
        holds: trained >= 0.85 && !(before > trained - 0.25),
    });
    let first = share(&spectrum, "fixed_points", 1)?.max(0.0);
    let points = primary_points(folder)?.nrows();
    claims.push(Claim {
        name: "L3",
        statement: "the slow points lie on a line: share of their first component".into(),
        measured: first,
        interval: NONE,
        n: points,
        reference: "about 500 points, one dimension; at least .85",
        holds: points > 2 && first >= 0.85,
    });
    if !records::Modes::is_in(folder) {
        return Ok(claims);
    }
    let modes = records::Modes::read(folder)?;
    let (tau_1, tau_2) = (modes.tau_1()?, modes.tau_2()?);
    let count = modes.height();
    let boot = |values: &[f64], name: &str| bootstrap(values, median, e.seed, name);
    let middle = |values: &[f64]| median(values).unwrap_or(f64::NAN);
    let lengths = states.length()?.unwrap_or_default();
    let length = middle(&lengths.iter().map(|&n| n as f64).collect::<Vec<_>>());
    let ratios: Vec<f64> = tau_1.iter().zip(&tau_2).map(|(a, b)| a / b).collect();
    claims.push(Claim {
        name: "L4",
        statement: format!(
            "the slow mode outlasts a document (median {length:.0} tokens) and the next mode \
             ({:.0} times slower): median time constant",
            middle(&ratios)
        ),
        measured: middle(&tau_1),
        interval: boot(&tau_1, "claims/L4"),
        n: count,
        reference: "about 1000 tokens, the next about 100; at least the document, ratio at least 3",
        holds: middle(&tau_1) >= length && middle(&ratios) >= 3.0,
    });
    let overlap = modes.overlap_tangent()?;
    let size = states.state()?.first().map_or(0, Vec::len);
    let null = random_overlap(size, e.seed);
    claims.push(Claim {
        name: "L5",
        statement: format!(
            "the slow mode points along the line: |r1 · tangent| (random directions: {null:.2} at \
             the 95th percentile)"
        ),
        measured: middle(&overlap),
        interval: boot(&overlap, "claims/L5"),
        n: count,
        reference: "near 1; median at least .8, random at most .25",
        holds: middle(&overlap) >= 0.8 && null <= 0.25,
    });
    let auc = modes.auc()?;
    claims.push(Claim {
        name: "L6",
        statement: "positive and negative words enter the slow mode with opposite signs: area \
                    under the curve"
            .into(),
        measured: middle(&auc),
        interval: boot(&auc, "claims/L6"),
        n: count,
        reference: "separate; at least .95",
        holds: middle(&auc) >= 0.95,
    });
    let errors = records::OneStep::read(folder)?.error()?;
    claims.push(Claim {
        name: "L7",
        statement: "one linear step at the nearest point: median relative error".into(),
        measured: middle(&errors),
        interval: (
            quantile(&errors, 0.25).unwrap_or(f64::NAN),
            quantile(&errors, 0.75).unwrap_or(f64::NAN),
        ),
        n: errors.len(),
        reference: "about .10 (interval: quartiles); at most .15",
        holds: middle(&errors) <= 0.15,
    });
    claims.extend(roll_outs(folder)?);
    Ok(claims)
}

/// L8, where a linear model was trained: each model against the network on the
/// same documents.
fn roll_outs(folder: &Path) -> Result<Option<Claim>> {
    let table = records::Linear::read(folder)?;
    let (model, accuracy) = (table.model()?, table.accuracy()?);
    let of = |name: &str| model.iter().position(|m| m == name).map(|i| accuracy[i]);
    let (drawn, rolled) = (of("network"), of("linearised_nearest"));
    let Some(((drawn, rolled), trained)) = drawn.zip(rolled).zip(of("linear_trained")) else {
        return Ok(None);
    };
    let all = records::Accuracies::read(folder)?;
    let names = all.model()?;
    let at = names.iter().position(|m| m == "network").expect("the network has its row");
    let network = all.accuracy()?[at];
    let (lost, rolled_lost) = (network - trained, drawn - rolled);
    Ok(Some(Claim {
        name: "L8",
        statement: format!(
            "a trained linear model loses {lost:.3} to the network ({network:.3}), the network's \
             own linear pieces rolled out lose more"
        ),
        measured: rolled_lost,
        interval: NONE,
        n: table.n()?[0],
        reference: "trained linear loses .03, linearised much more",
        holds: lost > 0.0 && rolled_lost > lost,
    }))
}

/// Samples behind the null of L5.
const RANDOM: usize = 2000;

/// 95th percentile of the |overlap| of random unit vectors with a fixed one.
fn random_overlap(size: usize, seed: u64) -> f64 {
    let mut stream = seed::stream(seed, "claims/random directions");
    let overlaps: Vec<f64> = (0..RANDOM)
        .map(|_| {
            let v: Vec<f64> = (0..size).map(|_| stream.sample(StandardNormal)).collect();
            v[0].abs() / v.iter().map(|x| x * x).sum::<f64>().sqrt()
        })
        .collect();
    quantile(&overlaps, 0.95).unwrap_or(f64::NAN)
}
