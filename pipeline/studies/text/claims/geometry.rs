//! G1–G15: several classes and labels (Aitken et al. 2021, arXiv:2010.15114).

use super::super::geometry::primary_points;
use super::super::predicted_text;
use super::{Claim, NONE, predicted_dimension, share, states_dimension, time_constants};
use crate::Result;
use crate::corpus::Source;
use crate::corpus::synthetic::Kind;
use crate::experiment::Experiment;
use crate::geometry::{readouts, shape};
use crate::linalg::Matrix;
use crate::model::Head;
use crate::records::{self, Frame};
use crate::stats::evidence;
use crate::summary::{bootstrap, median};
use std::path::Path;

/// G1–G7, G12 and G14: several classes without an order make a simplex.
pub(super) fn several(
    e: &Experiment,
    folder: &Path,
    n: usize,
    names: &[String],
) -> Result<Vec<Claim>> {
    let (dimensions, spectrum) =
        (records::Dimensions::read(folder)?, records::Spectrum::read(folder)?);
    let predicted = records::DimensionsPredicted::read(folder)?;
    let expected = predicted_dimension(&predicted, "predicted_scaled")?;
    let states = records::States::read(folder)?.height();
    let measured = states_dimension(&dimensions)?;
    let mut claims = vec![as_predicted(expected, measured, states)];
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
    // How well more classes can be told apart hangs on how many words decide between them.
    if matches!(e.corpus.source, Source::Synthetic(_)) && n == 3 {
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
    claims.push(as_many(d, measured, states));
    let readout = records::Readouts::read(folder)?;
    let angles = readout.angles()?;
    let pairs: Vec<f64> =
        (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| angles[i][j]).collect();
    let (mean, ideal) =
        (pairs.iter().sum::<f64>() / pairs.len() as f64, readouts::simplex_angle(n));
    let inside = readout.in_span()?.into_iter().fold(1.0, f64::min);
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
    claims.extend(corners(folder, n, names)?);
    claims.extend(slow_modes(e, folder, d)?);
    claims.extend(deflected(folder)?);
    claims.extend(order(folder)?);
    claims.push(counted(&predicted, d)?);
    Ok(claims)
}

/// G1, G3, G6, G12 and G14 of two classes without an order: a simplex of one dimension.
pub(super) fn two(e: &Experiment, folder: &Path) -> Result<Vec<Claim>> {
    let states = records::States::read(folder)?.height();
    let measured = states_dimension(&records::Dimensions::read(folder)?)?;
    let mut claims = vec![right(folder)?, as_many(1, measured, states)];
    claims.extend(slow_modes(e, folder, 1)?);
    claims.extend(order(folder)?);
    claims.push(counted(&records::DimensionsPredicted::read(folder)?, 1)?);
    Ok(claims)
}

/// G3, of `d` dimensions.
fn as_many(d: usize, measured: f64, states: usize) -> Claim {
    Claim {
        name: "G3",
        statement: format!("participation ratio of the states, against N - 1 = {d}"),
        measured,
        interval: NONE,
        n: states,
        reference: "2.11 for three classes; within .35 of N - 1",
        holds: (measured - d as f64).abs() <= 0.35,
    }
}

/// G6, of `d` dimensions.
fn slow_modes(e: &Experiment, folder: &Path, d: usize) -> Result<Option<Claim>> {
    let tau = time_constants(folder, d + 1)?;
    let Some((slow, fast)) = median(&tau[d - 1]).zip(median(&tau[d])) else {
        return Ok(None);
    };
    let ratios: Vec<f64> = tau[d - 1].iter().zip(&tau[d]).map(|(a, b)| a / b).collect();
    let modes = if d == 1 { "mode" } else { "modes" };
    let along = match records::Lyapunov::is_in(folder) {
        true => records::Lyapunov::read(folder)?.tau()?,
        false => Vec::new(),
    };
    let reading = match (along.get(d - 1), along.get(d)) {
        (Some(slow), Some(fast)) => {
            format!("; while documents are read {slow:.0} and {fast:.0} tokens")
        }
        _ => String::new(),
    };
    Ok(Some(Claim {
        name: "G6",
        statement: format!(
            "exactly {d} slow {modes}: median time constant of mode {d} ({slow:.0} tokens) over \
             that of mode {} ({fast:.0}){reading}",
            d + 1
        ),
        measured: slow / fast,
        interval: bootstrap(&ratios, median, e.seed, "claims/G6"),
        n: ratios.len(),
        reference: "N - 1 slow modes; at least 3",
        holds: slow >= 3.0 * fast,
    }))
}

/// G12: the class means of counts have `d` dimensions.
fn counted(predicted: &Frame<records::DimensionsPredicted>, d: usize) -> Result<Claim> {
    let counts = predicted_dimension(predicted, "predicted")?;
    let first = |column: Vec<f64>| column.first().copied().unwrap_or(f64::NAN);
    Ok(Claim {
        name: "G12",
        statement: format!("participation ratio of the class means of counts, against {d}"),
        measured: counts,
        interval: (first(predicted.low()?), first(predicted.high()?)),
        n: predicted.n()?.first().copied().unwrap_or(0),
        reference: "N - 1; within .1",
        holds: (counts - d as f64).abs() <= 0.1,
    })
}

/// The states' dimension against the one that the counts predict.
fn as_predicted(expected: f64, measured: f64, states: usize) -> Claim {
    Claim {
        name: "dimension",
        statement: format!("the states' dimension is the one the counts predict ({expected:.2})"),
        measured,
        interval: NONE,
        n: states,
        reference: "predicted; within .5",
        holds: (measured - expected).abs() <= 0.5,
    }
}

/// G1, where the text is synthetic and the task can be solved.
fn right(folder: &Path) -> Result<Claim> {
    let table = records::Accuracies::read(folder)?;
    let model = table.model()?;
    let at = model.iter().position(|m| m == "network").expect("the network has its row");
    let accuracy = table.accuracy()?[at];
    Ok(Claim {
        name: "G1",
        statement: "the network solves the task: accuracy".into(),
        measured: accuracy,
        interval: (table.low()?[at], table.high()?[at]),
        n: table.n()?[at],
        reference: ".993 for three classes; at least .95",
        holds: accuracy >= 0.95,
    })
}

/// G8, G9: ordered classes.
fn ordered(folder: &Path, n: usize, measured: f64, states: usize) -> Result<Vec<Claim>> {
    let first = share(&records::Spectrum::read(folder)?, "states", 1)?;
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
    if !records::Deflections::is_in(folder) {
        return Ok(None);
    }
    let table = records::Deflections::read(folder)?;
    let (label, length, along) = (table.label()?, table.in_plane()?, table.along()?);
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
    if !records::Shuffled::is_in(folder) {
        return Ok(None);
    }
    let table = records::Shuffled::read(folder)?;
    let (change, agrees) = (table.change()?, table.agrees()?);
    let same = agrees.iter().filter(|a| **a).count();
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
fn corners(folder: &Path, n: usize, names: &[String]) -> Result<Option<Claim>> {
    let points = primary_points(folder)?;
    let said = primary_readouts(folder)?;
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
    let inside = share(&records::Spectrum::read(folder)?, "fixed_points", n - 1)?;
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
pub(super) fn product(folder: &Path, labels: usize) -> Result<Vec<Claim>> {
    let dimensions = records::Dimensions::read(folder)?;
    let predicted = records::DimensionsPredicted::read(folder)?;
    let expected = predicted_dimension(&predicted, "predicted_scaled")?;
    let measured = states_dimension(&dimensions)?;
    let states = records::States::read(folder)?.height();
    let mut claims = vec![as_predicted(expected, measured, states)];
    if labels > 3 {
        return Ok(claims);
    }
    let points = primary_points(folder)?;
    let said = primary_readouts(folder)?;
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

/// Readouts of the primary slow points, `[points][outputs]`.
fn primary_readouts(folder: &Path) -> Result<Vec<Vec<f64>>> {
    let table = records::FixedPoints::read(folder)?;
    let (primary, all) = (table.primary()?, table.readout()?);
    Ok((0..all.len()).filter(|&i| primary[i]).map(|i| all[i].clone()).collect())
}
