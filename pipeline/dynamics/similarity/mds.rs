//! Networks as points of a plane: multidimensional scaling.

use super::DistanceMatrix;
use crate::linalg::{Matrix, symmetric};
use crate::{Error, Result, seed};
use rand::Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;

/// A map by eigenvectors.
#[derive(Clone, Debug)]
pub struct Classical {
    /// `[networks, dimensions]`, mean 0; columns beyond the positive eigenvalues are 0.
    pub points: Matrix,
    /// All eigenvalues of `−½ J D² J`, descending, `[networks]`: squared distance along each axis.
    pub eigenvalues: Vec<f64>,
    /// `Σ |negative|/Σ |all|`: 0 for distances between points of some flat space, the share of them that no flat map
    /// can show.
    pub negative: f64,
    /// Share of the positive eigenvalues in the axes kept.
    pub explained: f64,
}

/// Share of the largest magnitude below which an eigenvalue is rounding.
const ROUNDING: f64 = 1e-13;

fn dimensions_of(distances: &DistanceMatrix, dimensions: usize) -> Result<()> {
    if distances.count() == 0 || dimensions == 0 {
        let networks = distances.count();
        let problem = format!("no map of {networks} networks in {dimensions} dimensions");
        return Err(Error::Usage(format!("{problem}; at least one of each")));
    }
    Ok(())
}

/// Classical scaling (Torgerson 1952): the points whose scalar products are nearest to `−½ J D² J`, `J` the centring.
///
/// Exact for distances between points of a space of that many dimensions. One network is a point at 0.
///
/// # Errors
/// [`Error::Usage`] for no network or no dimension.
pub fn classical_mds(distances: &DistanceMatrix, dimensions: usize) -> Result<Classical> {
    dimensions_of(distances, dimensions)?;
    let n = distances.count();
    let squares = Matrix::from_fn(n, n, |i, j| distances.at(i, j).powi(2));
    let (rows, all) = (squares.column_mean(), squares.mean());
    let products = Matrix::from_fn(n, n, |i, j| -0.5 * (squares[(i, j)] - rows[i] - rows[j] + all));
    let (eigenvalues, vectors) = symmetric(&products)?;
    let most = eigenvalues.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let floor = ROUNDING * n as f64 * most;
    let sum = |keep: &dyn Fn(f64) -> bool| -> f64 {
        eigenvalues.iter().filter(|x| x.abs() > floor && keep(**x)).map(|x| x.abs()).sum()
    };
    let (positive, total) = (sum(&|x| x > 0.0), sum(&|_| true));
    let mut points = Matrix::zeros(n, dimensions);
    let mut kept = 0.0;
    for (a, value) in eigenvalues.iter().take(dimensions).enumerate().filter(|(_, v)| **v > floor) {
        points.column_mut(a).copy_from(&(vectors.column(a) * value.sqrt()));
        kept += value;
    }
    Ok(Classical {
        points,
        negative: if total > 0.0 { (total - positive) / total } else { 0.0 },
        explained: if positive > 0.0 { kept / positive } else { 1.0 },
        eigenvalues,
    })
}

/// How [`stress_mds`] looks for its map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Random starts, beside the classical map.
    pub starts: usize,
    /// Steps of one start at most.
    pub steps: usize,
    /// Relative fall of the stress in a step at which a start has converged.
    pub tolerance: f64,
    /// Of the random starts.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { starts: 4, steps: 3000, tolerance: 1e-9, seed: 0 }
    }
}

/// A map with little stress.
#[derive(Clone, Debug)]
pub struct Stress {
    /// `[networks, dimensions]`, mean 0.
    pub points: Matrix,
    /// Kruskal's (1964) stress-1, `√(Σ (d − δ)²/Σ d²)` of distances `d` in the map and `δ` given: below 0.05 good,
    /// above 0.2 poor by his own words; it grows with the number of networks.
    pub stress: f64,
    /// Whether the best start came to rest.
    pub converged: bool,
    /// Steps of the best start.
    pub steps: usize,
    /// The best start: 0 is the classical map, others are random.
    pub start: usize,
}

/// The map whose distances differ least from those given, by majorisation (SMACOF; de Leeuw 1977).
///
/// Each step is Guttman's transform, after which `Σ (d − δ)²` is never larger: `x_i ← (1/n) Σ_j (δ_ij/d_ij)(x_i − x_j)`.
///
/// # Errors
/// As [`classical_mds`].
pub fn stress_mds(
    distances: &DistanceMatrix,
    dimensions: usize,
    settings: &Settings,
) -> Result<Stress> {
    let first = classical_mds(distances, dimensions)?;
    let n = distances.count();
    let spread = distances.values().iter().map(|d| d * d).sum::<f64>().sqrt() / n as f64;
    let drawn = |start: usize| {
        let mut stream = seed::stream(settings.seed, &format!("mds/start {start}"));
        Matrix::from_fn(n, dimensions, |_, _| spread * stream.sample::<f64, _>(StandardNormal))
    };
    let one = |start: usize| {
        let points = if start == 0 { first.points.clone() } else { drawn(start) };
        let (points, stress, converged, steps) = majorise(distances, points, settings);
        Stress { points, stress, converged, steps, start }
    };
    let found: Vec<Stress> = (0..=settings.starts).into_par_iter().map(one).collect();
    let best = found.into_iter().reduce(|best, s| if s.stress < best.stress { s } else { best });
    Ok(best.expect("there is the classical start"))
}

/// Points from a start, with stress, whether it came to rest, and steps.
fn majorise(
    distances: &DistanceMatrix,
    start: Matrix,
    settings: &Settings,
) -> (Matrix, f64, bool, usize) {
    // Points as columns: the inner loop runs along memory.
    let mut points = start.transpose();
    let (dimensions, n) = points.shape();
    let mut next = points.clone();
    let mut last = f64::INFINITY;
    for step in 0.. {
        let (mut raw, mut size) = (0.0, 0.0);
        for i in 0..n {
            let mut sum = vec![0.0; dimensions];
            for (j, &wanted) in distances.row(i).iter().enumerate() {
                let (x, y) =
                    (&points.as_slice()[i * dimensions..], &points.as_slice()[j * dimensions..]);
                let square: f64 = (0..dimensions).map(|a| (x[a] - y[a]).powi(2)).sum();
                let d = square.sqrt();
                raw += (d - wanted).powi(2);
                size += square;
                // Points that coincide do not push each other.
                let ratio = if d > 0.0 { wanted / d } else { 0.0 };
                sum.iter_mut().enumerate().for_each(|(a, s)| *s += ratio * (x[a] - y[a]));
            }
            next.column_mut(i).iter_mut().zip(&sum).for_each(|(to, s)| *to = s / n as f64);
        }
        let stress = match (raw > 0.0, size > 0.0) {
            (false, _) => 0.0,
            (true, true) => (raw / size).sqrt(),
            (true, false) => 1.0,
        };
        let rests =
            !(raw < last * (1.0 - settings.tolerance)) || raw <= f64::EPSILON.powi(2) * size;
        if rests || step == settings.steps {
            let mean = points.column_mean();
            points.column_iter_mut().for_each(|mut p| p -= &mean);
            return (points.transpose(), stress, rests, step);
        }
        last = raw;
        std::mem::swap(&mut points, &mut next);
    }
    unreachable!("the loop ends at its last step")
}
