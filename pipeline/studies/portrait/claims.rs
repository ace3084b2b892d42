//! Stage `claims`: the papers' claims, measured on this run.
//!
//! Each row is a row of SPEC 13: what was measured, its interval, the published
//! value, and whether the proposed criterion holds. One network, one seed: the
//! intervals are over points, steps or documents, not over networks.

use super::geometry::headline;
use super::{predicted_text, read};
use crate::Result;
use crate::corpus::Source;
use crate::corpus::synthetic::Kind;
use crate::experiment::Experiment;
use crate::geometry::{readouts, shape};
use crate::linalg::Matrix;
use crate::model::Head;
use crate::ops::CellKind;
use crate::report::{Frame, Table};
use crate::run::Made;
use crate::seed;
use crate::stats::evidence;
use crate::stats::summary::{bootstrap, median, quantile};
use rand::Rng;
use rand_distr::StandardNormal;
use std::path::Path;

/// One claim, measured.
struct Claim {
    name: &'static str,
    statement: String,
    measured: f64,
    interval: (f64, f64),
    n: usize,
    reference: &'static str,
    holds: bool,
}

/// No interval.
const NONE: (f64, f64) = (f64::NAN, f64::NAN);

pub fn stage(e: &Experiment, folder: &Path) -> Result<Made> {
    let (corpus, network) = read(folder)?;
    let classes = corpus.label_names.len();
    let claims = match network.head() {
        Head::Binary => line(e, folder)?,
        Head::Softmax if classes == 2 => line(e, folder)?,
        Head::Softmax => several(e, folder, classes, &corpus.label_names)?,
        Head::MultiLabel => product(e, folder, classes)?,
        Head::Score => toy(e, folder)?,
    };
    // Sentiment and its toy have words that turn others; topics need not.
    let planted = match &e.corpus.source {
        Source::Synthetic(of) => Some(matches!(of.kind, Kind::Toy)),
        _ => None,
    };
    let turned = planted.unwrap_or(classes == 2 || network.head() == Head::Score);
    let claims: Vec<Claim> = claims.into_iter().chain(in_context(folder, turned)?).collect();
    let table = Table::new("claims")
        .text("claim", claims.iter().map(|c| c.name))
        .text("statement", claims.iter().map(|c| c.statement.as_str()))
        .f64("measured", claims.iter().map(|c| c.measured))
        .f64("low", claims.iter().map(|c| c.interval.0))
        .f64("high", claims.iter().map(|c| c.interval.1))
        .u64("n", claims.iter().map(|c| c.n))
        .text("reference", claims.iter().map(|c| c.reference))
        .maybe_bool("holds", claims.iter().map(|c| Some(c.holds)));
    let held = claims.iter().filter(|c| c.holds).count();
    Ok(Made::files([table.write(folder)?])
        .with("claims.tested", claims.len() as f64)
        .with("claims.held", held as f64))
}

/// Whether a stage before this one wrote the table.
fn have(folder: &Path, table: &str) -> bool {
    folder.join(format!("tables/{table}.parquet")).is_file()
}

/// Cumulative share of the first `k` components of a source in `spectrum`.
fn share(table: &Frame, source: &str, k: usize) -> Result<f64> {
    let (sources, component) = (table.text("source")?, table.f64("component")?);
    let cumulative = table.f64("cumulative")?;
    let found = (0..sources.len())
        .filter(|&i| sources[i] == source && component[i] <= k as f64)
        .map(|i| cumulative[i]);
    Ok(found.fold(f64::NAN, f64::max))
}

/// A dimension of `dimensions` or `dimensions_predicted`.
fn dimension(table: &Frame, source: &str) -> Result<f64> {
    let (sources, measures) = (table.text("source")?, table.text("measure")?);
    let values = table.f64("value")?;
    let at =
        (0..sources.len()).find(|&i| sources[i] == source && measures[i] == "participation_ratio");
    Ok(at.map_or(f64::NAN, |i| values[i]))
}

/// Time constants of the headline's points by mode, `[modes][points]`.
fn time_constants(folder: &Path, modes: usize) -> Result<Vec<Vec<f64>>> {
    let table = Frame::read(folder, "eigenvalues")?;
    let (mode, tau) = (table.f64("mode")?, table.f64("tau")?);
    let of = |m: usize| (0..mode.len()).filter(|&i| mode[i] == m as f64).map(|i| tau[i]).collect();
    Ok((1..=modes).map(of).collect())
}

/// Published test accuracies (LINE, Table 1): bag of words, then Vanilla, UGRNN, GRU, LSTM.
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
    let table = Frame::read(folder, "accuracies")?;
    let (model, accuracy) = (table.text("model")?, table.f64("accuracy")?);
    let (low, high) = (table.f64("low")?, table.f64("high")?);
    let at = |name: &str| model.iter().position(|m| m == name);
    let Some((network, words)) = at("network").zip(at("bag_of_words")) else { return Ok(None) };
    Ok(Some(Claim {
        name: "L1",
        statement: format!(
            "test accuracy, published {:.4} (bag of words {:.4}, published {:.4})",
            theirs[cell], accuracy[words], theirs[0]
        ),
        measured: accuracy[network],
        interval: (low[network], high[network]),
        n: table.f64("n")?[network] as usize,
        reference: "Table 1; within two points",
        holds: (accuracy[network] - theirs[cell]).abs() <= 0.02,
    }))
}

/// L1–L8: the line attractor.
fn line(e: &Experiment, folder: &Path) -> Result<Vec<Claim>> {
    let spectrum = Frame::read(folder, "spectrum")?;
    let mut claims = Vec::from_iter(published(e, folder)?);
    let states = Frame::read(folder, "states")?;
    let (trained, before) = (share(&spectrum, "states", 3)?, share(&spectrum, "untrained", 3)?);
    // Weights from elsewhere come without their start; the share is NaN then.
    let compared = if before.is_nan() {
        "its start is not known".into()
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
    let points = headline(e, folder)?.nrows();
    claims.push(Claim {
        name: "L3",
        statement: "the slow points lie on a line: share of their first component".into(),
        measured: first,
        interval: NONE,
        n: points,
        reference: "about 500 points, one dimension; at least .85",
        holds: points > 2 && first >= 0.85,
    });
    if !have(folder, "modes") {
        return Ok(claims);
    }
    let modes = Frame::read(folder, "modes")?;
    let (tau_1, tau_2) = (modes.f64("tau_1")?, modes.f64("tau_2")?);
    let count = modes.height();
    let boot = |values: &[f64], name: &str| bootstrap(values, median, e.seed, name);
    let middle = |values: &[f64]| median(values).unwrap_or(f64::NAN);
    let length = middle(&states.f64("length")?);
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
    let overlap = modes.f64("overlap_tangent")?;
    let size = states.lists("state")?.first().map_or(0, Vec::len);
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
    let auc = modes.f64("auc")?;
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
    let errors = Frame::read(folder, "one_step")?.f64("error")?;
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
    let table = Frame::read(folder, "linear")?;
    let (model, accuracy) = (table.text("model")?, table.f64("accuracy")?);
    let of = |name: &str| model.iter().position(|m| m == name).map(|i| accuracy[i]);
    let (drawn, rolled) = (of("network"), of("linearised_nearest"));
    let Some(((drawn, rolled), trained)) = drawn.zip(rolled).zip(of("linear_trained")) else {
        return Ok(None);
    };
    let all = Frame::read(folder, "accuracies")?;
    let names = all.text("model")?;
    let at = names.iter().position(|m| m == "network").expect("the network has its row");
    let network = all.f64("accuracy")?[at];
    let (lost, rolled_lost) = (network - trained, drawn - rolled);
    Ok(Some(Claim {
        name: "L8",
        statement: format!(
            "a trained linear model loses {lost:.3} to the network ({network:.3}), the network's \
             own linear pieces rolled out lose more"
        ),
        measured: rolled_lost,
        interval: NONE,
        n: table.f64("n")?[0] as usize,
        reference: "trained linear loses .03, linearised much more",
        holds: lost > 0.0 && rolled_lost > lost,
    }))
}

/// C1–C5: the toy language, where every answer is known.
fn toy(e: &Experiment, folder: &Path) -> Result<Vec<Claim>> {
    if !have(folder, "probes") {
        return Ok(Vec::new());
    }
    let scores = Frame::read(folder, "probes")?;
    let (context, word) = (scores.text("context")?, scores.text("word")?);
    let (planted, linear) = (scores.f64("planted")?, scores.f64("linear")?);
    let full = scores.f64("full")?;
    let mut claims = Vec::new();
    let table = Frame::read(folder, "eigenvalues")?;
    let (point, mode) = (table.f64("point")?, table.f64("mode")?);
    let (re, im) = (table.f64("re")?, table.f64("im")?);
    let modulus = |i: usize| re[i].hypot(im[i]);
    let points: Vec<f64> = {
        let mut all = point.clone();
        all.dedup();
        all
    };
    // At each point: the slowest, the next, and the slowest turning pair.
    let spectra: Vec<(f64, f64, Option<f64>)> = points
        .iter()
        .map(|p| {
            let of: Vec<usize> = (0..point.len()).filter(|&i| point[i] == *p).collect();
            let at = |m: f64| of.iter().find(|&&i| mode[i] == m).map_or(0.0, |&i| modulus(i));
            let turns = |i: &&usize| im[**i].abs() > 1e-6 && (0.3..=0.8).contains(&modulus(**i));
            (at(1.0), at(2.0), of.iter().find(turns).map(|&i| modulus(i)))
        })
        .collect();
    let first = median(&spectra.iter().map(|s| s.0).collect::<Vec<_>>()).unwrap_or(f64::NAN);
    let gap = median(&spectra.iter().map(|s| s.0 - s.1).collect::<Vec<_>>()).unwrap_or(f64::NAN);
    let pairs: Vec<f64> = spectra.iter().filter_map(|s| s.2).collect();
    claims.push(Claim {
        name: "C2",
        statement: format!(
            "one slow mode, {gap:.2} above the next, and a turning pair ({:.2}) at {} of {} points: \
             median largest modulus",
            median(&pairs).unwrap_or(f64::NAN),
            pairs.len(),
            points.len()
        ),
        measured: first,
        interval: NONE,
        n: points.len(),
        reference: "1.03, next .915, pair .53; in [.95, 1.05], next lower by .04, pair in [.3, .8]",
        holds: (0.95..=1.05).contains(&first) && gap >= 0.04 && 2 * pairs.len() > points.len(),
    });
    let right = (0..planted.len()).filter(|&i| linear[i] * planted[i] > 0.0).count();
    let off = |i: usize| (linear[i] - full[i]).abs() / full[i].abs();
    let worst = (0..planted.len()).max_by(|&a, &b| off(a).total_cmp(&off(b)));
    if let Some(worst) = worst {
        claims.push(Claim {
            name: "C3",
            statement: format!(
                "the input Jacobian in context reads {right} of {} words with the planted sign; its \
                 largest difference to the network's own reading ({} after {}), share of it",
                planted.len(),
                word[worst],
                if context[worst].is_empty() { "neutral words" } else { &context[worst] }
            ),
            measured: off(worst),
            interval: NONE,
            n: planted.len(),
            reference: "not good -.90 linear, -1.03 full; every sign, at most .35",
            holds: right == planted.len() && off(worst) <= 0.35,
        });
    }
    let table = Frame::read(folder, "probe_states")?;
    let far = table.f64("off_line")?;
    let least = (far[1] / far[0]).min(far[2] / far[0]);
    claims.push(Claim {
        name: "C4",
        statement: format!(
            "modifiers move the state off the line (very {:.2}, not {:.2}, neutral words {:.2}): least \
             ratio",
            far[1], far[2], far[0]
        ),
        measured: least,
        interval: NONE,
        n: table.f64("n")?[0] as usize,
        reference: "norms 2.27 before, 2.58 very, 3.15 not; at least 2",
        holds: least >= 2.0,
    });
    let table = Frame::read(folder, "mode_deletion")?;
    let (modifier, value) = (table.text("modifier")?, table.f64("modified")?);
    let (deleted, plain) = (table.f64("deleted")?, table.f64("plain")?);
    let without = table.f64("plain_deleted")?;
    if let Some(i) = modifier.iter().position(|m| m == "not4") {
        let changed = (without[i] - plain[i]).abs() / plain[i].abs();
        claims.push(Claim {
            name: "C5",
            statement: format!(
                "without the turning pair \"not bad\" ({:+.2}) is read as bad; plain bad ({:+.2}) \
                 changes by {changed:.2} of it: what is left of \"not bad\"",
                value[i], plain[i]
            ),
            measured: deleted[i],
            interval: NONE,
            n: 1,
            reference: "+1.0 to -.83; the sign turns, plain bad changes by at most .2",
            holds: value[i] > 0.0 && deleted[i] < 0.0 && changed <= 0.2,
        });
    }
    let error = Frame::read(folder, "probe_states")?.f64("error")?[0];
    claims.insert(
        0,
        Claim {
            name: "C1",
            statement: "the network follows the running score: mean squared error over all steps"
                .into(),
            measured: error,
            interval: NONE,
            n: e.modes.rollouts.min(500),
            reference: ".006; at most .05 (variance of the score at the end: 53)",
            holds: error <= 0.05,
        },
    );
    Ok(claims)
}

/// C6 and C8: modifiers, and how much of the network's gain words in context recover.
///
/// * `turned`: whether C6 is about this kind of label
fn in_context(folder: &Path, turned: bool) -> Result<Vec<Claim>> {
    let mut claims = Vec::new();
    if turned && have(folder, "modifiers") {
        let table = Frame::read(folder, "modifiers")?;
        let (word, gain) = (table.text("word")?, table.f64("gain")?);
        let beyond = table.f64("null_quantile")?.iter().filter(|q| **q >= 0.99).count();
        let strongest = |negative: bool| {
            (0..word.len())
                .find(|&i| (gain[i] < 0.0) == negative)
                .map(|i| (word[i].as_str(), gain[i]))
        };
        if let Some(((no, less), (very, more))) = strongest(true).zip(strongest(false)) {
            claims.push(Claim {
                name: "C6",
                statement: format!(
                    "some words turn how others are read, some strengthen it: gains of the \
                     strongest, {no} ({less:+.2}) and {very} ({more:+.2}); words beyond the null's \
                     99th percentile"
                ),
                measured: beyond as f64,
                interval: NONE,
                n: word.len(),
                reference: "negators and intensifiers; gains beyond .1 either way",
                holds: less < -0.1 && more > 0.1,
            });
        }
    }
    if have(folder, "augmented") {
        let table = Frame::read(folder, "augmented")?;
        let (loss, recovered) = (table.f64("validation_loss")?, table.f64("recovered")?);
        let accuracy = table.f64("accuracy")?;
        let (low, high) = (table.f64("recovered_low")?, table.f64("recovered_high")?);
        let best = (0..loss.len())
            .filter(|&i| loss[i].is_finite() && recovered[i].is_finite())
            .min_by(|&a, &b| loss[a].total_cmp(&loss[b]));
        let (words, network) = (accuracy[0], accuracy[accuracy.len() - 1]);
        if let Some(i) = best {
            let small = if network - words < 0.01 {
                "; the network's own gain is too small to divide by"
            } else {
                ""
            };
            claims.push(Claim {
                name: "C8",
                statement: format!(
                    "words in context ({}, {:.3}) recover the network's gain ({network:.3}) over \
                     words ({words:.3}){small}",
                    table.text("model")?[i].replace('_', " "),
                    accuracy[i]
                ),
                measured: recovered[i],
                interval: (low[i], high[i]),
                n: table.f64("n")?[i] as usize,
                reference: "more than .90; at least .90",
                holds: network > words && recovered[i] >= 0.9,
            });
        }
    }
    Ok(claims)
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

/// G1–G7, G12 and G14: several classes without an order make a simplex.
fn several(e: &Experiment, folder: &Path, n: usize, names: &[String]) -> Result<Vec<Claim>> {
    let (dimensions, spectrum) =
        (Frame::read(folder, "dimensions")?, Frame::read(folder, "spectrum")?);
    let predicted = Frame::read(folder, "dimensions_predicted")?;
    let expected = dimension(&predicted, "predicted_scaled")?;
    let states = Frame::read(folder, "states")?.height();
    let measured = dimension(&dimensions, "states")?;
    let mut claims = vec![Claim {
        name: "dimension",
        statement: format!("the states' dimension is the one the counts predict ({expected:.2})"),
        measured,
        interval: NONE,
        n: states,
        reference: "predicted; within .5",
        holds: (measured - expected).abs() <= 0.5,
    }];
    if let Source::Synthetic(of) = &e.corpus.source
        && matches!(of.kind, Kind::Ordered(_))
    {
        claims.extend(ordered(folder, n, measured, states)?);
        claims.extend(order(folder)?);
        return Ok(claims);
    }
    // The simplex is claimed of classes that the counts say are apart from each other alike.
    if (expected - (n as f64 - 1.0)).abs() > 0.1 * (n as f64 - 1.0) {
        return Ok(claims);
    }
    let d = n - 1;
    if matches!(e.corpus.source, Source::Synthetic(_)) {
        claims.push(right(folder)?);
    }
    let first = share(&spectrum, "states", d)?;
    claims.push(Claim {
        name: "G2",
        statement: format!("the first {d} components hold most of the states' variance"),
        measured: first,
        interval: NONE,
        n: states,
        reference: ".97 for three classes; at least .90",
        holds: first >= 0.90,
    });
    claims.push(Claim {
        name: "G3",
        statement: format!("participation ratio of the states, against N - 1 = {d}"),
        measured,
        interval: NONE,
        n: states,
        reference: "2.11 for three classes; within .35 of N - 1",
        holds: (measured - d as f64).abs() <= 0.35,
    });
    let readout = Frame::read(folder, "readouts")?;
    let angles = readout.lists("angles")?;
    let pairs: Vec<f64> =
        (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| angles[i][j]).collect();
    let (mean, ideal) =
        (pairs.iter().sum::<f64>() / pairs.len() as f64, readouts::simplex_angle(n));
    let inside = readout.f64("in_span")?.into_iter().fold(1.0, f64::min);
    claims.push(Claim {
        name: "G4",
        statement: format!(
            "readout vectors make the simplex's angle ({ideal:.1} degrees) and lie in each \
             other's span (least {inside:.3}): mean angle"
        ),
        measured: mean,
        interval: NONE,
        n: pairs.len(),
        reference: "arccos(-1/(N-1)), in-span .997; within 5 degrees, at least .97",
        holds: (mean - ideal).abs() <= 5.0 && inside >= 0.97,
    });
    claims.extend(corners(e, folder, n, names)?);
    let tau = time_constants(folder, n)?;
    if let (Some(slow), Some(fast)) = (median(&tau[d - 1]), median(&tau[d])) {
        let ratios: Vec<f64> = tau[d - 1].iter().zip(&tau[d]).map(|(a, b)| a / b).collect();
        claims.push(Claim {
            name: "G6",
            statement: format!(
                "exactly {d} slow modes: median time constant of mode {d} ({slow:.0} tokens) over \
                 that of mode {n} ({fast:.0})"
            ),
            measured: slow / fast,
            interval: bootstrap(&ratios, median, e.seed, "claims/G6"),
            n: ratios.len(),
            reference: "N - 1 slow modes; at least 3",
            holds: slow >= 3.0 * fast,
        });
    }
    claims.extend(deflected(folder)?);
    claims.extend(order(folder)?);
    let counts = dimension(&predicted, "predicted")?;
    claims.push(Claim {
        name: "G12",
        statement: format!("participation ratio of the class means of counts, against {d}"),
        measured: counts,
        interval: (
            predicted.f64("low")?.first().copied().unwrap_or(f64::NAN),
            predicted.f64("high")?.first().copied().unwrap_or(f64::NAN),
        ),
        n: predicted.f64("n")?.first().map_or(0, |n| *n as usize),
        reference: "N - 1; within .1",
        holds: (counts - d as f64).abs() <= 0.1,
    });
    Ok(claims)
}

/// G1, where the text is synthetic and the task can be solved.
fn right(folder: &Path) -> Result<Claim> {
    let table = Frame::read(folder, "accuracies")?;
    let model = table.text("model")?;
    let at = model.iter().position(|m| m == "network").expect("the network has its row");
    let accuracy = table.f64("accuracy")?[at];
    Ok(Claim {
        name: "G1",
        statement: "the network solves the task: accuracy".into(),
        measured: accuracy,
        interval: (table.f64("low")?[at], table.f64("high")?[at]),
        n: table.f64("n")?[at] as usize,
        reference: ".993 for three classes; at least .95",
        holds: accuracy >= 0.95,
    })
}

/// G8, G9: ordered classes.
fn ordered(folder: &Path, n: usize, measured: f64, states: usize) -> Result<Vec<Claim>> {
    let first = share(&Frame::read(folder, "spectrum")?, "states", 1)?;
    let tau = time_constants(folder, 3)?;
    let slow: Vec<f64> = tau.iter().filter_map(|t| median(t)).collect();
    let claim = if n == 3 {
        Claim {
            name: "G8",
            statement: format!(
                "three ordered classes lie on a line (first component {first:.2}): participation \
                 ratio"
            ),
            measured,
            interval: NONE,
            n: states,
            reference: "1.30, first component .865; at most 1.6, at least .75",
            holds: first >= 0.75 && measured <= 1.6,
        }
    } else {
        let two = slow.len() == 3 && slow[1] >= 3.0 * slow[2];
        let said: Vec<String> = slow.iter().map(|t| format!("{t:.0}")).collect();
        Claim {
            name: "G9",
            statement: format!(
                "{n} ordered classes lie on a line that bends, with two slow modes (median time \
                 constants {} tokens): participation ratio",
                said.join(", ")
            ),
            measured,
            interval: NONE,
            n: states,
            reference: "2.03 for five classes, time constants 52, 52, 15; at most 2.6, the second \
                        three times the third",
            holds: measured <= 2.6 && two,
        }
    };
    Ok(vec![claim])
}

/// G7: words move the state along their readouts.
fn deflected(folder: &Path) -> Result<Option<Claim>> {
    if !have(folder, "deflections") {
        return Ok(None);
    }
    let table = Frame::read(folder, "deflections")?;
    let (label, length, along) =
        (table.text("label")?, table.f64("in_plane")?, table.f64("along")?);
    let of = |neutral: bool| -> Vec<usize> {
        (0..label.len()).filter(|&i| label[i].is_empty() == neutral).collect()
    };
    let (evidence, neutral) = (of(false), of(true));
    let lengths = |rows: &[usize]| rows.iter().map(|&i| length[i]).collect::<Vec<f64>>();
    let Some((word, rest)) = median(&lengths(&evidence)).zip(median(&lengths(&neutral))) else {
        return Ok(None);
    };
    let least = evidence.iter().map(|&i| along[i]).fold(f64::INFINITY, f64::min);
    let middle = median(&evidence.iter().map(|&i| along[i]).collect::<Vec<_>>());
    let middle = middle.unwrap_or(f64::NAN);
    Ok(Some(Claim {
        name: "G7",
        statement: format!(
            "evidence words move the state along their class's readout (least cosine {least:.2}), \
             neutral words little ({:.2} of their length in the plane): median cosine",
            rest / word
        ),
        measured: middle,
        interval: NONE,
        n: evidence.len(),
        reference: "along the readout; at least .8, at most .25",
        holds: middle >= 0.8 && rest <= 0.25 * word,
    }))
}

/// G14: the order of words matters little.
fn order(folder: &Path) -> Result<Option<Claim>> {
    if !have(folder, "shuffled") {
        return Ok(None);
    }
    let table = Frame::read(folder, "shuffled")?;
    let (change, agrees) = (table.f64("change")?, table.bool("agrees")?);
    let same = agrees.iter().filter(|a| **a == Some(true)).count();
    let share = same as f64 / agrees.len().max(1) as f64;
    Ok(Some(Claim {
        name: "G14",
        statement: format!(
            "words in another order leave the answer as it was (the last state moves by {:.3} of \
             its norm, median): share of documents",
            median(&change).unwrap_or(f64::NAN)
        ),
        measured: share,
        interval: evidence::share_interval(share, agrees.len()),
        n: agrees.len(),
        reference: ".98, state moved by .168; at least .93",
        holds: share >= 0.93,
    }))
}

/// G5: the slow points fill the simplex.
fn corners(e: &Experiment, folder: &Path, n: usize, names: &[String]) -> Result<Option<Claim>> {
    let points = headline(e, folder)?;
    let said = headline_readouts(e, folder)?;
    if points.nrows() < n {
        return Ok(None);
    }
    // The corner of a class: the point that speaks most for it against the rest.
    let margin = |row: &[f64], k: usize| {
        let rest = (0..n).filter(|&j| j != k).map(|j| row[j]).fold(f64::NEG_INFINITY, f64::max);
        row[k] - rest
    };
    let best = |k: usize| {
        (0..said.len())
            .max_by(|&a, &b| margin(&said[a], k).total_cmp(&margin(&said[b], k)))
            .expect("there are points")
    };
    let vertices: Vec<usize> = (0..n).map(best).collect();
    let missing: Vec<&str> = (0..n)
        .filter(|&k| predicted_text(Head::Softmax, &said[vertices[k]], names) != names[k])
        .map(|k| names[k].as_str())
        .collect();
    let size = points.ncols();
    let score = shape::simplex(&Matrix::from_fn(n, size, |i, j| points[(vertices[i], j)]))?;
    let inside = share(&Frame::read(folder, "spectrum")?, "fixed_points", n - 1)?;
    let lacking = if missing.is_empty() {
        String::new()
    } else {
        format!("; none for {}", missing.join(", "))
    };
    Ok(Some(Claim {
        name: "G5",
        statement: format!(
            "slow points fill a simplex: {inside:.3} of their variance in {} components, shortest \
             over longest side{lacking}",
            n - 1
        ),
        measured: score,
        interval: NONE,
        n: points.nrows(),
        reference: "a filled triangle; at least .95, and .7",
        holds: missing.is_empty() && inside >= 0.95 && score >= 0.7,
    }))
}

/// Label lists: the dimension is that of the counts, and slow points sit at the corners of
/// a cube.
fn product(e: &Experiment, folder: &Path, labels: usize) -> Result<Vec<Claim>> {
    let dimensions = Frame::read(folder, "dimensions")?;
    let predicted = Frame::read(folder, "dimensions_predicted")?;
    let expected = dimension(&predicted, "predicted_scaled")?;
    let measured = dimension(&dimensions, "states")?;
    let states = Frame::read(folder, "states")?.height();
    let mut claims = vec![Claim {
        name: "dimension",
        statement: format!("the states' dimension is the one the counts predict ({expected:.2})"),
        measured,
        interval: NONE,
        n: states,
        reference: "predicted; within .5",
        holds: (measured - expected).abs() <= 0.5,
    }];
    if labels > 3 {
        return Ok(claims);
    }
    let points = headline(e, folder)?;
    let said = headline_readouts(e, folder)?;
    let signs: Vec<Vec<bool>> =
        said.iter().map(|y| y.iter().map(|y| *y >= 0.0).collect()).collect();
    let (corners, codes) = shape::corners(&points, &signs);
    let near = (measured - labels as f64).abs() <= 0.4;
    let shape = if labels == 2 { "square" } else { "cube" };
    let (found, holds) = if corners.nrows() == 1 << labels {
        let cube = shape::cube(&corners, &codes)?;
        let text = format!(
            "R² of the corners on their labels {:.2}, largest cosine of two edges {:.2}",
            cube.r2, cube.cosine
        );
        (text, cube.r2 >= 0.9 && cube.cosine <= 0.2)
    } else {
        (format!("slow points in {} of {} corners", corners.nrows(), 1 << labels), false)
    };
    claims.push(Claim {
        name: if labels == 2 { "G10" } else { "G11" },
        statement: format!(
            "{labels} labels make a {shape} ({found}): participation ratio of the states"
        ),
        measured,
        interval: NONE,
        n: points.nrows(),
        reference: "2.11 for two labels, 3.16 for three; within .4, R² at least .9, cosine at most .2",
        holds: near && holds,
    });
    Ok(claims)
}

/// Readouts of the headline's slow points, `[points][outputs]`.
fn headline_readouts(e: &Experiment, folder: &Path) -> Result<Vec<Vec<f64>>> {
    let table = Frame::read(folder, "fixed_points")?;
    let (inputs, tolerances) = (table.text("input")?, table.f64("tolerance")?);
    let all = table.lists("readout")?;
    let first = e.fixed_points.inputs[0].to_string();
    let kept = (0..all.len())
        .filter(|&i| inputs[i] == first && tolerances[i] == e.fixed_points.headline)
        .map(|i| all[i].clone());
    Ok(kept.collect())
}
