//! Geometry of points, and how alike networks are.

use crate::arrays::{by_rows, bytes, matrix, numbers, told};
use accrue::geometry::intrinsic::Distances;
use accrue::geometry::{self, Pca, readouts, shape, variance_dimension};
use accrue::linalg::Matrix;
use accrue::similarity::dsa::{Embedding, Operator, Trajectories};
use accrue::similarity::procrustes::Measure;
use accrue::similarity::statistics::{self, AgainstChance, Correlation};
use accrue::similarity::{self, Basis, DistanceMatrix, Features, Keep, Shape, States, rotation};
use accrue::{Error, Result};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};

/// Principal components of points `[n, columns]`: mean, variances, directions `[components, columns]`.
#[pyfunction]
pub fn pca<'py>(
    py: Python<'py>,
    points: &[u8],
    columns: usize,
) -> PyResult<[Bound<'py, PyBytes>; 3]> {
    let points = matrix(points, columns)?;
    let found = told(py.detach(|| Pca::of(&points)))?;
    Ok([
        bytes(py, found.mean.iter().copied()),
        bytes(py, found.variances.iter().copied()),
        // Columns one after the other: row by row of the transpose.
        bytes(py, found.directions.iter().copied()),
    ])
}

/// Participation ratio of variances, and how many explain a share of them.
#[pyfunction]
pub fn dimension(variances: &[u8], share: f64) -> (f64, usize) {
    let variances = numbers(variances);
    let varied = geometry::varied(&variances);
    (geometry::participation_ratio(varied), variance_dimension(varied, share))
}

/// How regular a simplex is, its vertices `[n, columns]`.
#[pyfunction]
pub fn simplex(vertices: &[u8], columns: usize) -> PyResult<f64> {
    told(shape::simplex(&matrix(vertices, columns)?))
}

/// How well points `[n, columns]` at the corners of a cube follow their codes `[n, labels]` of ±1: share of variance,
/// and the largest cosine of two edges.
#[pyfunction]
pub fn cube(corners: &[u8], columns: usize, codes: &[u8], labels: usize) -> PyResult<(f64, f64)> {
    let found = told(shape::cube(&matrix(corners, columns)?, &matrix(codes, labels)?))?;
    Ok((found.r2, found.cosine))
}

/// Angles between rows `[n, columns]`, degrees: `[n, n]`.
#[pyfunction]
pub fn readout_angles<'py>(
    py: Python<'py>,
    rows: &[u8],
    columns: usize,
) -> PyResult<Bound<'py, PyBytes>> {
    Ok(bytes(py, by_rows(&readouts::angles(&matrix(rows, columns)?))))
}

/// Levina–Bickel estimate from `k` neighbours, and the correlation dimension.
#[pyfunction]
pub fn intrinsic_dimension(
    py: Python<'_>,
    points: &[u8],
    columns: usize,
    neighbours: usize,
) -> PyResult<(Option<f64>, Option<f64>)> {
    let points = matrix(points, columns)?;
    Ok(py.detach(|| {
        let distances = Distances::of(&points);
        let [levina_bickel] = distances.levina_bickel([neighbours]);
        (levina_bickel, distances.correlation())
    }))
}

/// Name, numbers and columns of a network's states.
type Given = (String, PyBackedBytes, usize);

fn states(networks: &[Given]) -> Result<Vec<States>> {
    let one = |(name, bytes, columns): &Given| {
        let all = numbers(bytes);
        States::new(name, &all, [all.len() / (*columns).max(1), *columns])
    };
    networks.iter().map(one).collect()
}

fn all<'py>(py: Python<'py>, found: &DistanceMatrix) -> Bound<'py, PyBytes> {
    bytes(py, found.values().iter().copied())
}

fn keep(share: Option<f64>, components: Option<usize>) -> Keep {
    match (components, share) {
        (Some(count), _) => Keep::Components(count),
        (None, Some(share)) => Keep::Share(share),
        (None, None) => Keep::All,
    }
}

/// `1 − mean ρ` of all pairs `[m, m]`; and for each pair `i < j` its correlations.
#[pyfunction]
pub fn svcca<'py>(
    py: Python<'py>,
    networks: Vec<Given>,
    share: Option<f64>,
    components: Option<usize>,
) -> PyResult<(Bound<'py, PyBytes>, Vec<Vec<f64>>)> {
    let (found, pairs) = told(py.detach(|| -> Result<_> {
        let keep = keep(share, components);
        let bases: Vec<Basis> =
            states(&networks)?.iter().map(|s| Basis::of(s, keep)).collect::<Result<_>>()?;
        let of = |(i, j): (usize, usize)| Ok(similarity::cca(&bases[i], &bases[j])?.correlations);
        let pairs = (0..bases.len()).flat_map(|i| (i + 1..bases.len()).map(move |j| (i, j)));
        let pairs = pairs.map(of).collect::<Result<Vec<_>>>()?;
        Ok((similarity::svcca_distances(&bases)?, pairs))
    }))?;
    Ok((all(py, &found), pairs))
}

/// `1 − CKA` of all pairs, `[m, m]`.
#[pyfunction]
pub fn cka<'py>(
    py: Python<'py>,
    networks: Vec<Given>,
    debiased: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let found = told(py.detach(|| -> Result<_> {
        let features: Vec<Features> =
            states(&networks)?.iter().map(Features::of).collect::<Result<_>>()?;
        let of = |i: usize, j: usize| match debiased {
            true => Ok(1.0 - similarity::cka::debiased_cka(&features[i], &features[j])?),
            false => Ok(1.0 - similarity::cka(&features[i], &features[j])?),
        };
        let count = features.len();
        let pairs: Vec<f64> = (0..count * count)
            .map(|k| (k / count, k % count))
            .map(|(i, j)| if i == j { Ok(0.0) } else { of(i.min(j), i.max(j)) })
            .collect::<Result<_>>()?;
        Ok(pairs)
    }))?;
    Ok(bytes(py, found))
}

/// Distances of shapes of all pairs, `[m, m]`.
#[pyfunction]
pub fn procrustes<'py>(
    py: Python<'py>,
    networks: Vec<Given>,
    angular: bool,
) -> PyResult<Bound<'py, PyBytes>> {
    let measure = if angular { Measure::Angular } else { Measure::Euclidean };
    let found = told(py.detach(|| -> Result<_> {
        let shapes: Vec<Shape> = states(&networks)?.iter().map(Shape::of).collect::<Result<_>>()?;
        similarity::shape_distances(&shapes, measure)
    }))?;
    Ok(all(py, &found))
}

/// Name, numbers and shape `[trials, steps, columns]` of a network's trajectories.
type Walks = (String, PyBackedBytes, [usize; 3]);

/// Distances of laws of motion of all pairs `[m, m]`; pairs that did not converge, that one ascent alone found, and of
/// different rank; and the share of the next step that each law predicts.
#[pyfunction]
#[allow(clippy::too_many_arguments, clippy::type_complexity)]
pub fn dsa<'py>(
    py: Python<'py>,
    networks: Vec<Walks>,
    delays: usize,
    interval: usize,
    share: Option<f64>,
    components: Option<usize>,
    angular: bool,
    seed: u64,
) -> PyResult<(Bound<'py, PyBytes>, [usize; 3], Vec<f64>)> {
    let embedding =
        Embedding { delays, interval, rank: keep(share, components), ..Embedding::default() };
    let settings = rotation::Settings { seed, ..Default::default() };
    let measure = if angular { Measure::Angular } else { Measure::Euclidean };
    let (found, laws) = told(py.detach(|| -> Result<_> {
        let law = |(name, bytes, shape): &Walks| {
            let walks = Trajectories::new(name, &numbers(bytes), *shape)?;
            Operator::of(&walks, &embedding)
        };
        let laws: Vec<Operator> = networks.iter().map(law).collect::<Result<_>>()?;
        Ok((similarity::dsa_distances(&laws, measure, &settings)?, laws))
    }))?;
    let counts = [found.not_converged, found.found_once, found.padded];
    let predicted = laws.iter().map(|law| law.predicted).collect();
    Ok((all(py, &found.distances), counts, predicted))
}

fn distances(values: &[u8], count: usize) -> Result<DistanceMatrix> {
    DistanceMatrix::new(count, numbers(values))
}

/// A map of networks whose distances `[m, m]` are given: points `[m, dimensions]`, its stress (none of the classical
/// map), and the share of negative eigenvalues (of the classical map).
#[pyfunction]
pub fn mds<'py>(
    py: Python<'py>,
    values: &[u8],
    count: usize,
    dimensions: usize,
    classical: bool,
    seed: u64,
) -> PyResult<(Bound<'py, PyBytes>, Option<f64>, Option<f64>)> {
    let given = told(distances(values, count))?;
    let (points, stress, negative): (Matrix, _, _) = told(py.detach(|| -> Result<_> {
        if classical {
            let found = similarity::classical_mds(&given, dimensions)?;
            return Ok((found.points, None, Some(found.negative)));
        }
        let settings = similarity::mds::Settings { seed, ..Default::default() };
        let found = similarity::stress_mds(&given, dimensions, &settings)?;
        Ok((found.points, Some(found.stress), None))
    }))?;
    Ok((bytes(py, by_rows(&points)), stress, negative))
}

fn against_chance<'py>(py: Python<'py>, found: &AgainstChance) -> PyResult<Bound<'py, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("value", found.value)?;
    out.set_item("chance", found.chance)?;
    out.set_item("range", found.range)?;
    out.set_item("p", found.p)?;
    out.set_item("permutations", found.permutations)?;
    Ok(out)
}

/// Whether two matrices of distances `[m, m]` agree, against permutations.
#[pyfunction]
pub fn mantel<'py>(
    py: Python<'py>,
    first: &[u8],
    second: &[u8],
    counts: (usize, usize),
    ranks: bool,
    permutations: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let a = told(distances(first, counts.0))?;
    let b = told(distances(second, counts.1))?;
    let how = if ranks { Correlation::Rank } else { Correlation::Pearson };
    let found = told(py.detach(|| statistics::mantel(&a, &b, how, permutations, seed)))?;
    against_chance(py, &found)
}

/// How often the nearest other network has the same label, against permutations.
#[pyfunction]
pub fn neighbours<'py>(
    py: Python<'py>,
    values: &[u8],
    labels: Vec<String>,
    permutations: usize,
    seed: u64,
) -> PyResult<Bound<'py, PyDict>> {
    let count = numbers(values).len().isqrt();
    if count != labels.len() {
        return told(Err(Error::shape("labels", labels.len(), count)));
    }
    let given = told(distances(values, count))?;
    let found =
        told(py.detach(|| statistics::neighbour_accuracy(&given, &labels, permutations, seed)))?;
    against_chance(py, &found.accuracy)
}
