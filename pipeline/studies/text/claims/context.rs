//! C1–C8: words in context (Maheswaranathan & Sussillo 2020, arXiv:2004.08013).

use super::super::probes::TURNING;
use super::{Claim, NONE};
use crate::Result;
use crate::dynamics::linearise::REAL;
use crate::records;
use crate::summary::median;
use std::path::Path;

/// C1–C5: the toy language, where every answer is known.
pub(super) fn toy(folder: &Path) -> Result<Vec<Claim>> {
    if !records::Probes::is_in(folder) {
        return Ok(Vec::new());
    }
    let scores = records::Probes::read(folder)?;
    let (context, word) = (scores.context()?, scores.word()?);
    let (planted, linear) = (scores.planted()?, scores.linear()?);
    let full = scores.full()?;
    let mut claims = Vec::new();
    let table = records::Eigenvalues::read(folder)?;
    let (point, mode) = (table.point()?, table.mode()?);
    let (re, im) = (table.re()?, table.im()?);
    let modulus = |i: usize| re[i].hypot(im[i]);
    let primary = table.primary()?;
    let points: Vec<usize> = {
        let mut all: Vec<usize> =
            (0..point.len()).filter(|&i| primary[i]).map(|i| point[i]).collect();
        all.dedup();
        all
    };
    // At each point: the slowest, the next, and the slowest turning pair.
    let spectra: Vec<(f64, f64, Option<f64>)> = points
        .iter()
        .map(|p| {
            let of: Vec<usize> = (0..point.len()).filter(|&i| point[i] == *p).collect();
            let at = |m: usize| of.iter().find(|&&i| mode[i] == m).map_or(0.0, |&i| modulus(i));
            let turns = |i: &&usize| {
                im[**i].abs() > REAL && (TURNING.0..=TURNING.1).contains(&modulus(**i))
            };
            (at(1), at(2), of.iter().find(turns).map(|&i| modulus(i)))
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
    let table = records::ProbeStates::read(folder)?;
    let (error, scored) = (table.error()?[0], table.scored()?[0]);
    let ratio = |far: &[f64]| (far[1] / far[0]).min(far[2] / far[0]);
    let (zero, noise) = (table.off_line()?, table.off_noise_line()?);
    // Phrases of neutral words stay at the line that the network has while it reads one; the line
    // at zero input lies beside them, by an offset that is no noise.
    let (far, which) = match noise[0].is_nan() {
        true => (&zero, "at zero input".to_string()),
        false => {
            let other = format!("at a neutral word's input; at zero input {:.2}", ratio(&zero));
            (&noise, other)
        }
    };
    claims.push(Claim {
        name: "C4",
        statement: format!(
            "modifiers move the state off the line (very {:.2}, not {:.2}, neutral words {:.2}; the line \
             {which}): least ratio",
            far[1], far[2], far[0]
        ),
        measured: ratio(far),
        interval: NONE,
        n: table.n()?[0],
        reference: "norms 2.27 before, 2.58 very, 3.15 not; at least 2",
        holds: ratio(far) >= 2.0,
    });
    let table = records::ModeDeletion::read(folder)?;
    let (modifier, value) = (table.modifier()?, table.modified()?);
    let (deleted, plain) = (table.deleted()?, table.plain()?);
    let (without, modes) = (table.plain_deleted()?, table.modes()?);
    if let Some(i) = modifier.iter().position(|m| m == "not4") {
        let changed = (without[i] - plain[i]).abs() / plain[i].abs();
        // Several pairs may share the work.
        let more = (i..modifier.len()).find(|&j| modifier[j] == "not4" && deleted[j] < 0.0);
        let more = more.filter(|&j| j > i).map_or(String::new(), |j| {
            format!("; without {:.0} pairs {:+.2}", modes[j], deleted[j])
        });
        claims.push(Claim {
            name: "C5",
            statement: format!(
                "without the turning pair \"not bad\" ({:+.2}) is read as bad; plain bad ({:+.2}) \
                 changes by {changed:.2} of it{more}: what is left of \"not bad\"",
                value[i], plain[i]
            ),
            measured: deleted[i],
            interval: NONE,
            n: 1,
            reference: "+1.0 to -.83; the sign turns, plain bad changes by at most .2",
            holds: value[i] > 0.0 && deleted[i] < 0.0 && changed <= 0.2,
        });
    }
    claims.insert(
        0,
        Claim {
            name: "C1",
            statement: "the network follows the running score: mean squared error over all steps"
                .into(),
            measured: error,
            interval: NONE,
            n: scored,
            reference: ".006; at most .05 (variance of the score at the end: 53)",
            holds: error <= 0.05,
        },
    );
    Ok(claims)
}

/// Words at the beginning over which the gain is averaged.
const FIRST: usize = 5;

/// C7: the initial state makes the first words count more.
pub(super) fn beginning(folder: &Path) -> Result<Option<Claim>> {
    if !records::Positions::is_in(folder) {
        return Ok(None);
    }
    let table = records::Positions::read(folder)?;
    let (from, gain) = (table.from()?, table.gain()?);
    let (blocked, inside) = (table.gain_blocked()?, table.initial_inside()?);
    let first: Vec<usize> =
        (0..from.len()).filter(|&i| from[i] == "beginning").take(FIRST).collect();
    let mean = |of: &[f64]| first.iter().map(|&i| of[i]).sum::<f64>() / first.len() as f64;
    let without = match mean(&blocked) {
        x if x.is_nan() => "no modifier subspace was found".to_string(),
        x => {
            format!(
                "{x:.2} once the initial state's part in the modifier subspace, of length {:.2}, is removed",
                inside[0]
            )
        }
    };
    Ok(Some(Claim {
        name: "C7",
        statement: format!(
            "the initial state makes the first {FIRST} words count more than those in the middle \
             ({without}): mean gain"
        ),
        measured: mean(&gain),
        interval: NONE,
        n: first.len(),
        reference: "intensifies, through the modifier subspace; above 1",
        holds: mean(&gain) > 1.0,
    }))
}

/// C6 and C8: modifiers, and how much of the network's gain words in context recover.
///
/// * `turned`: whether C6 is about this kind of label
pub(super) fn in_context(folder: &Path, turned: bool) -> Result<Vec<Claim>> {
    let mut claims = Vec::new();
    if turned && records::Modifiers::is_in(folder) {
        let table = records::Modifiers::read(folder)?;
        let (word, gain) = (table.word()?, table.gain()?);
        let beyond = table.null_quantile()?.iter().filter(|q| **q >= 0.99).count();
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
                     strongest, {no} ({less:+.2}) and {very} ({more:+.2}); words beyond the null distribution’s \
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
    if records::Augmented::is_in(folder) {
        let table = records::Augmented::read(folder)?;
        let (loss, recovered) = (table.validation_loss()?, table.recovered()?);
        let accuracy = table.accuracy()?;
        let (low, high) = (table.recovered_low()?, table.recovered_high()?);
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
                    table.model()?[i].replace('_', " "),
                    accuracy[i]
                ),
                measured: recovered[i],
                interval: (low[i], high[i]),
                n: table.n()?[i],
                reference: "more than .90; at least .90",
                holds: recovered[i] >= 0.9,
            });
        }
    }
    Ok(claims)
}
