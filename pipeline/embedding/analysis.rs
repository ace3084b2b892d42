//! How well base models are emulated, and what their map says.

use crate::pass::Trace;
use crate::{Error, Measure, MetaModel, Phrases, Recording, Result};
use accrue_dynamics::geometry::Pca;
use accrue_dynamics::similarity::DistanceMatrix;
use accrue_numerics::linalg::Matrix;

/// How well one base model is emulated on phrases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fidelity {
    /// Share of phrases after whose last step the largest output is the base model's; for numbers `1 −` the squared error of
    /// the last step as a share of the variance.
    pub agreement: f64,
    /// The same over all steps.
    pub agreement_of_steps: f64,
    /// Mean divergence over all steps in nats, or the squared error as a share of the variance.
    pub divergence: f64,
    /// `1 − ‖V h̃ + v − h‖² / Var h` over all steps.
    pub r2: f64,
}

/// Number of the largest.
pub fn largest(x: &[f32]) -> usize {
    (0..x.len()).fold(0, |best, i| if x[i] > x[best] { i } else { best })
}

fn off(measure: Measure, said: &[f32], y: &[f32], weight: f64) -> f64 {
    match measure {
        Measure::Distribution => {
            let most = said.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let total: f64 = said.iter().map(|x| f64::from(x - most).exp()).sum();
            let of = |(x, y): (&f32, &f32)| match *y > 0.0 {
                true => f64::from(*y) * (f64::from(*y).ln() - (f64::from(x - most) - total.ln())),
                false => 0.0,
            };
            said.iter().zip(y).map(of).sum()
        }
        Measure::Numbers => {
            weight * said.iter().zip(y).map(|(x, y)| f64::from(x - y).powi(2)).sum::<f64>()
        }
    }
}

/// Compares the meta-model at `θ_n` with base model `n` on phrases that neither was trained on.
///
/// * `recording`: what the base model did on all of `phrases`, in the units of its recording for training
pub fn fidelity(
    meta: &MetaModel,
    model: usize,
    phrases: &Phrases,
    recording: &Recording,
    measure: Measure,
) -> Fidelity {
    let all: Vec<usize> = (0..phrases.len()).collect();
    let traces = meta.emulate(&meta.theta(model), phrases, &all);
    let (d, k) = (meta.layout.widths[model], meta.layout.shape.outputs);
    let (mut last, mut every, mut divergence, mut missed) = (0.0, 0.0, 0.0, 0.0);
    let mut sums = (vec![0.0; d], 0.0);
    for (i, trace) in traces.iter().enumerate() {
        let range = phrases.range(i);
        let seen = meta.seen(model, &trace.states);
        for (t, step) in range.clone().enumerate() {
            let said = &trace.outputs[t * k..][..k];
            let y = &recording.outputs[step * k..][..k];
            let own = off(measure, said, y, recording.weight);
            let agrees = match measure {
                Measure::Distribution => (largest(said) == largest(y)) as u8 as f64,
                Measure::Numbers => 1.0 - own,
            };
            divergence += own;
            every += agrees;
            if step + 1 == range.end {
                last += agrees;
            }
            let z = &recording.states[step * d..][..d];
            for ((x, z), sum) in seen[t * d..][..d].iter().zip(z).zip(&mut sums.0) {
                missed += f64::from(x - z).powi(2);
                *sum += f64::from(*z);
                sums.1 += f64::from(*z).powi(2);
            }
        }
    }
    let steps = phrases.steps() as f64;
    let variance = sums.1 - sums.0.iter().map(|s| s * s / steps).sum::<f64>();
    Fidelity {
        agreement: last / phrases.len() as f64,
        agreement_of_steps: every / steps,
        divergence: divergence / steps,
        r2: 1.0 - missed / variance,
    }
}

/// Share of phrases whose label the meta-model gives at a `θ`.
pub fn accuracy(meta: &MetaModel, theta: &[f32], phrases: &Phrases, labels: &[u32]) -> f64 {
    let all: Vec<usize> = (0..phrases.len()).collect();
    let k = meta.layout.shape.outputs;
    let right = |(trace, label): (&Trace, &u32)| {
        largest(&trace.outputs[trace.outputs.len() - k..]) == *label as usize
    };
    let traces = meta.emulate(theta, phrases, &all);
    let right = traces.iter().zip(labels).filter(|pair| right(*pair)).count();
    right as f64 / labels.len() as f64
}

/// Distances of places on the map (Euclid).
///
/// # Errors
/// [`Error::NotFinite`] for places that are not finite.
pub fn distances(thetas: &[Vec<f64>]) -> Result<DistanceMatrix> {
    DistanceMatrix::between(thetas.len(), |i, j| {
        let far =
            thetas[i].iter().zip(&thetas[j]).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
        match far.is_finite() {
            true => Ok(far),
            false => Err(Error::NotFinite {
                what: "a distance on the map".into(),
                place: format!("base models {i} and {j}"),
                remedy: "lower `training.learning_rate`".into(),
            }),
        }
    })
}

/// Mean distance of pairs of different groups.
pub fn between_groups(distances: &DistanceMatrix, groups: &[usize]) -> f64 {
    let n = groups.len();
    let pairs = (0..n).flat_map(|j| (0..j).map(move |i| (i, j)));
    let apart: Vec<f64> =
        pairs.filter(|(i, j)| groups[*i] != groups[*j]).map(|(i, j)| distances.at(i, j)).collect();
    accrue_numerics::summary::mean(&apart)
}

/// Places in the plane of the first two components, and the share of the variance in it. A map of one dimension has 0 for the
/// second.
///
/// # Errors
/// [`Error::NotFinite`] for places that are not finite.
pub fn plane(thetas: &[Vec<f64>]) -> Result<(Vec<[f64; 2]>, f64)> {
    let p = thetas.first().map_or(0, Vec::len);
    if p <= 2 {
        let of = |t: &Vec<f64>| [t[0], t.get(1).copied().unwrap_or(0.0)];
        return Ok((thetas.iter().map(of).collect(), 1.0));
    }
    let pca = Pca::of(&Matrix::from_row_slice(thetas.len(), p, &thetas.concat()))?;
    let of = |t: &Vec<f64>| {
        let c = pca.coordinates(t, 2);
        [c[0], c.get(1).copied().unwrap_or(0.0)]
    };
    Ok((thetas.iter().map(of).collect(), pca.ratios().iter().take(2).sum()))
}

/// Where the plane of [`plane`] lies: the `θ` at its origin, and what `θ` gains along each of its coordinates, `[2][p]`.
///
/// # Errors
/// As [`plane`].
pub fn axes(thetas: &[Vec<f64>]) -> Result<(Vec<f64>, Vec<Vec<f64>>)> {
    let p = thetas.first().map_or(0, Vec::len);
    if p <= 2 {
        let unit = |a: usize| (0..p).map(|j| (a == j) as u8 as f64).collect();
        return Ok((vec![0.0; p], vec![unit(0), unit(1)]));
    }
    let pca = Pca::of(&Matrix::from_row_slice(thetas.len(), p, &thetas.concat()))?;
    let column = |a: usize| pca.directions.column(a).iter().copied().collect();
    Ok((pca.mean.as_slice().to_vec(), vec![column(0), column(1)]))
}

/// All products of at most `degree` of the coordinates, 1 included.
fn monomials(x: &[f64], degree: usize) -> Vec<f64> {
    let mut all = vec![1.0];
    let mut last = vec![(0, 1.0)];
    for _ in 0..degree {
        let longer = last.iter().flat_map(|&(from, y)| (from..x.len()).map(move |j| (j, y * x[j])));
        last = longer.collect();
        all.extend(last.iter().map(|(_, y)| *y));
    }
    all
}

/// How well known places follow from found ones by a smooth map: for each coordinate of `known`, the correlation with it of what a
/// polynomial of `degree` in the coordinates of `found`, fitted by least squares to all other places, says of each place.
///
/// # Errors
/// [`Error::Shape`] for different numbers of places, or fewer than the polynomial has coefficients.
pub fn recovered(found: &[Vec<f64>], known: &[Vec<f64>], degree: usize) -> Result<Vec<f64>> {
    if found.len() != known.len() {
        return Err(Error::shape("places", found.len(), known.len()));
    }
    let rows: Vec<Vec<f64>> = found.iter().map(|x| monomials(x, degree)).collect();
    let (m, width) = (rows.len(), rows.first().map_or(0, Vec::len));
    if m <= width {
        return Err(Error::shape("places", m, format!("more than {width}")));
    }
    let u = accrue_numerics::linalg::svd(&Matrix::from_row_slice(m, width, &rows.concat()))?.u;
    let leverage = |i: usize| u.row(i).iter().map(|x| x * x).sum::<f64>();
    let of = |c: usize| {
        let wanted: Vec<f64> = known.iter().map(|k| k[c]).collect();
        let along: Vec<f64> =
            (0..width).map(|a| u.column(a).iter().zip(&wanted).map(|(u, w)| u * w).sum()).collect();
        // Without place i the fit misses it by its residual over 1 less its leverage.
        let told = |i: usize| {
            let fit: f64 = u.row(i).iter().zip(&along).map(|(u, a)| u * a).sum();
            wanted[i] - (wanted[i] - fit) / (1.0 - leverage(i))
        };
        accrue_numerics::summary::pearson(&(0..m).map(told).collect::<Vec<_>>(), &wanted)
    };
    Ok((0..known.first().map_or(0, Vec::len)).map(of).collect())
}
