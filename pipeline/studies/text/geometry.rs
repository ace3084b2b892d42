//! Stage `geometry`: spectra, dimensions, readouts.

use super::states::{padded, read_axes};
use super::{logits, memory, read};
use crate::Result;
use crate::corpus::Corpus;
use crate::engine::StageOutput;
use crate::geometry::dimension::{VARIANCE_KEPT, participation_ratio, variance_dimension, varied};
use crate::geometry::intrinsic::{Distances, local_participation_ratio};
use crate::geometry::{Pca, readouts};
use crate::linalg::Matrix;
use crate::model::{Head, Network};
use crate::records::{self, column};
use crate::train::loss::{Tally, Targets};
use std::path::Path;

/// Variances of some sources, one row a component.
pub fn spectrum(sources: &[(&str, &[f64])]) -> records::Spectrum {
    let mut rows: Vec<(&str, usize, f64, f64, f64)> = Vec::new();
    for (source, variances) in sources {
        let total: f64 = variances.iter().sum();
        let mut sum = 0.0;
        for (i, &variance) in variances.iter().enumerate() {
            let ratio = if total > 0.0 { variance / total } else { 0.0 };
            sum += ratio;
            rows.push((source, i + 1, variance, ratio, sum));
        }
    }
    records::Spectrum {
        source: column(rows.iter().map(|r| r.0)),
        component: column(rows.iter().map(|r| r.1)),
        variance: column(rows.iter().map(|r| r.2)),
        ratio: column(rows.iter().map(|r| r.3)),
        cumulative: column(rows.iter().map(|r| r.4)),
    }
}

pub fn stage(folder: &Path) -> Result<StageOutput> {
    let (corpus, network) = read(folder)?;
    let names = (corpus.label_names.as_slice(), "score");
    let mut made = measure(&network.readout()?.0, names, folder)?;
    // Where outputs are of a larger network, what this cell's state keeps does not decide them.
    if network.head() != Head::Score && network.whole().is_none() {
        made.files.push(restricted(&corpus, &network, folder)?);
    }
    made.files.extend(memory::write(&corpus, folder)?);
    Ok(made)
}

/// Components up to which states are restricted.
const RESTRICTED: usize = 6;

/// Accuracy when the state that is read keeps only its first components.
fn restricted(corpus: &Corpus, network: &Network, folder: &Path) -> Result<String> {
    let (axes, _) = read_axes(folder)?;
    let readout = network.readout()?;
    let test = &corpus.test;
    let targets = Targets::new(network.head(), test);
    let documents: Vec<&[u32]> = test.documents.iter().collect();
    let size = network.state_size();
    let mut tallies = vec![Tally::default(); RESTRICTED.min(size) + 1];
    network.walk(network.pool(), &documents, |indices, states| {
        let flat: Vec<f32> = states.flatten_all()?.to_vec1()?;
        for (k, tally) in tallies.iter_mut().enumerate() {
            let said = |state: &[f32]| {
                let state: Vec<f64> = state.iter().map(|&x| x as f64).collect();
                logits(&readout, &axes.restricted(&state, k))
            };
            let said: Vec<f32> = flat.chunks(size).flat_map(said).map(|x| x as f32).collect();
            tally.add(&targets.measure(indices, &said).0);
        }
        Ok(())
    })?;
    records::Restricted {
        components: column(0..tallies.len()),
        accuracy: column(tallies.iter().map(Tally::accuracy)),
        n: column(tallies.iter().map(|_| test.documents.len())),
    }
    .write(folder)
}

/// Points whose neighbourhoods are measured, at most.
const NEAR: usize = 2000;
/// Points whose own neighbourhoods are decomposed, and neighbours a class.
const LOCAL: (usize, usize) = (20, 50);

/// Dimensions of a set of points seen from close by, by name, with the points used.
fn intrinsic(points: &Matrix, classes: usize) -> Result<Vec<(&'static str, f64, usize)>> {
    let every = points.nrows().div_ceil(NEAR).max(1);
    let rows: Vec<usize> = (0..points.nrows()).step_by(every).collect();
    let points = points.select_rows(&rows);
    let distances = Distances::of(&points);
    let local = local_participation_ratio(&points, &distances, LOCAL.0, LOCAL.1 * classes.max(1))?;
    let [few, some, many] = distances.levina_bickel([10, 50, 100]);
    let all = [
        ("local_participation_ratio", local),
        ("levina_bickel_10", few),
        ("levina_bickel_50", some),
        ("levina_bickel_100", many),
        ("correlation", distances.correlation()),
    ];
    let used = |(name, value): (_, Option<f64>)| Some((name, value?, rows.len()));
    Ok(all.into_iter().filter_map(used).collect())
}

/// Spectra and dimensions of the states and slow points in the tables, and the
/// readouts `[outputs, state]` where there are any.
///
/// * `names`: of the labels, and of an output that stands for none of them
pub(in crate::studies) fn measure(
    readout: &[f64],
    (names, other): (&[String], &str),
    folder: &Path,
) -> Result<StageOutput> {
    let (axes, untrained) = read_axes(folder)?;
    let table = records::States::read(folder)?;
    let states = table.height();
    let points = primary_points(folder)?;
    let fixed = if points.nrows() > 1 { Pca::of(&points)?.variances } else { Vec::new() };
    let mut sources: Vec<(&str, &[f64], usize)> = vec![("states", &axes.variances, states)];
    if !untrained.is_empty() {
        sources.push(("untrained", &untrained, states));
    }
    sources.push(("fixed_points", &fixed, points.nrows()));
    let variances: Vec<(&str, &[f64])> = sources.iter().map(|s| (s.0, s.1)).collect();
    let spectra = spectrum(&variances);
    let classes = names.len() as f64;
    let measures = |variances: &[f64]| {
        let variances = varied(variances);
        let mut all = vec![
            ("participation_ratio", participation_ratio(variances)),
            ("variance_90", variance_dimension(variances, VARIANCE_KEPT[0]) as f64),
            ("variance_95", variance_dimension(variances, VARIANCE_KEPT[1]) as f64),
        ];
        if classes > 0.0 {
            let kept = classes / (classes + 1.0);
            all.push(("variance_n", variance_dimension(variances, kept) as f64));
        }
        all
    };
    let mut rows: Vec<(&str, &str, f64, usize)> = sources
        .iter()
        .flat_map(|(s, v, n)| measures(v).into_iter().map(move |(m, x)| (*s, m, x, *n)))
        .collect();
    let visited = table.state()?;
    let visited = Matrix::from_fn(visited.len(), axes.mean.len(), |i, j| visited[i][j]);
    let near = [("states", &visited, &axes.variances), ("fixed_points", &points, &fixed)];
    for (source, points, _) in near.into_iter().filter(|(.., v)| !varied(v).is_empty()) {
        let found = intrinsic(points, names.len())?.into_iter();
        rows.extend(found.map(|(measure, value, used)| (source, measure, value, used)));
    }
    let dimensions = records::Dimensions {
        source: column(rows.iter().map(|r| r.0)),
        measure: column(rows.iter().map(|r| r.1)),
        value: column(rows.iter().map(|r| r.2)),
        n: column(rows.iter().map(|r| r.3)),
    };
    let mut files = vec![spectra.write(folder)?, dimensions.write(folder)?];
    if !readout.is_empty() {
        let table = write_readouts(readout, &axes, names, other)?;
        files.push(table.write(folder)?);
    }
    Ok(StageOutput::files(files))
}

/// Slow points of the first input at the primary tolerance, `[points, state]`.
pub fn primary_points(folder: &Path) -> Result<Matrix> {
    let table = records::FixedPoints::read(folder)?;
    let (primary, states) = (table.primary()?, table.state()?);
    let kept: Vec<&Vec<f64>> =
        (0..states.len()).filter(|&i| primary[i]).map(|i| &states[i]).collect();
    let size = kept.first().map_or(0, |s| s.len());
    Ok(Matrix::from_fn(kept.len(), size, |i, j| kept[i][j]))
}

fn write_readouts(
    weights: &[f64],
    axes: &Pca,
    names: &[String],
    other: &str,
) -> Result<records::Readouts> {
    let size = axes.mean.len();
    let rows = Matrix::from_row_slice(weights.len() / size, size, weights);
    let in_span =
        if rows.nrows() > 1 { readouts::in_span(&rows)? } else { vec![0.0; rows.nrows()] };
    let angles = readouts::angles(&rows);
    let angles: Vec<Vec<f64>> = angles.row_iter().map(|r| r.iter().copied().collect()).collect();
    let turned: Vec<Vec<f64>> = weights.chunks(size).map(|w| padded(axes.turned(w, 3))).collect();
    // One logit speaks for the second of two classes.
    let name = |o: usize| match (rows.nrows(), names.len()) {
        (1, 2) => names[1].clone(),
        (1, 0) => other.into(),
        _ => names.get(o).cloned().unwrap_or_else(|| format!("{other} {}", o + 1)),
    };
    Ok(records::Readouts {
        output: column(0..rows.nrows()),
        name: column((0..rows.nrows()).map(name)),
        norm: column((0..rows.nrows()).map(|i| rows.row(i).norm())),
        pc_1: column(turned.iter().map(|t| t[0])),
        pc_2: column(turned.iter().map(|t| t[1])),
        pc_3: column(turned.iter().map(|t| t[2])),
        in_span: column(in_span),
        angles: column(&angles),
    })
}
