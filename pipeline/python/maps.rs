//! A cell with its input held, and spectra.

use crate::arrays::{by_rows, bytes, complex_by_rows, matrix, numbers, pair, rows, told};
use crate::calls::long;
use accrue::analyses::flow::{Transitions, ending, graph};
use accrue::dynamics::certificate::{certify, polish};
use accrue::dynamics::deflation::{Deflate, search_on};
use accrue::dynamics::finder::{Finder, SearchResult, median_norm, search};
use accrue::dynamics::graph::{Direction, End};
use accrue::dynamics::{self, Census, Dynamics, complete};
use accrue::linalg::{self, Matrix};
use accrue::ops::{Cell, CellKind};
use accrue::{Error, Result};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};
use rayon::prelude::*;

/// A cell with its input held at `x*`: `h ↦ F(h, x*)`, in f64.
#[pyclass(frozen, module = "accrue._native")]
pub struct Map(dynamics::Map);

/// The cell that is spelled so.
///
/// # Errors
/// [`Error::Usage`] for another.
pub fn kind(spelling: &str) -> Result<CellKind> {
    let found = CellKind::ALL.into_iter().find(|kind| kind.facts().spelling == spelling);
    found.ok_or_else(|| {
        let known: Vec<&str> = CellKind::ALL.iter().map(|kind| kind.facts().spelling).collect();
        Error::Usage(format!("cell `{spelling}`: one of {}", known.join(", ")))
    })
}

impl Map {
    fn each<T: Send>(
        &self,
        py: Python<'_>,
        states: &[u8],
        f: impl Fn(&dynamics::Map, &[f64]) -> Result<T> + Sync,
    ) -> PyResult<Vec<T>> {
        let size = self.0.state_size();
        let states = rows(states, size)?;
        told(py.detach(|| states.par_iter().map(|h| f(&self.0, h)).collect()))
    }
}

#[pymethods]
impl Map {
    #[new]
    #[pyo3(signature = (cell, units, inputs, parts, input))]
    fn new(
        cell: &str,
        units: usize,
        inputs: usize,
        parts: [PyBackedBytes; 4],
        input: &[u8],
    ) -> PyResult<Self> {
        let [a, w, b_ih, b_hh] = parts.map(|part| numbers(&part));
        let cell = Cell {
            kind: told(kind(cell))?,
            units,
            inputs,
            input_weights: a,
            recurrent_weights: w,
            input_bias: b_ih,
            recurrent_bias: b_hh,
        };
        Ok(Self(told(dynamics::Map::new(&cell, &numbers(input)))?))
    }

    /// Numbers in the state.
    #[getter]
    fn size(&self) -> usize {
        self.0.state_size()
    }

    /// The box that the map takes into itself, least and largest value of each number; indices of all fixed points in it
    /// add up to 1.
    #[getter]
    fn invariant_box(&self) -> Option<Vec<(f64, f64)>> {
        self.0.invariant_box()
    }

    /// `F(h, x*)` at states `[k, state]`.
    fn step<'py>(&self, py: Python<'py>, states: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let next = self.each(py, states, |map, h| Ok(map.step(h)))?;
        Ok(bytes(py, next.iter().flat_map(|h| h.iter().copied())))
    }

    /// `∂F/∂h` at states: `[k, state, state]`.
    fn jacobians<'py>(&self, py: Python<'py>, states: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let all = self.each(py, states, |map, h| Ok(map.jacobian(h)))?;
        Ok(bytes(py, all.iter().flat_map(by_rows)))
    }

    /// `∂F/∂x` at states: `[k, state, inputs]`.
    fn input_jacobians<'py>(
        &self,
        py: Python<'py>,
        states: &[u8],
    ) -> PyResult<Bound<'py, PyBytes>> {
        let all = self.each(py, states, |map, h| Ok(map.input_jacobian(h)))?;
        Ok(bytes(py, all.iter().flat_map(by_rows)))
    }

    /// Where the map leads to from states in at most so many steps: `[k, state]`, those that leave the numbers left out.
    fn run<'py>(
        &self,
        py: Python<'py>,
        states: &[u8],
        steps: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let ends = self.each(py, states, |map, h| {
            let mut h = h.to_vec();
            for _ in 0..steps {
                let next = map.step(&h);
                let still = next.as_slice() == h;
                h.copy_from_slice(next.as_slice());
                if still {
                    break;
                }
            }
            Ok(h)
        })?;
        let finite = ends.iter().filter(|h| h.iter().all(|x| x.is_finite()));
        Ok(bytes(py, finite.flatten().copied()))
    }

    /// Searches from states `[k, state]`, each over all threads; as [`results`](crate::search::results).
    fn search<'py>(
        &self,
        py: Python<'py>,
        states: &[u8],
        tolerance: f64,
        steps: usize,
        max_distance: f64,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let states = rows(states, self.0.state_size())?;
        let finder = Finder { tolerances: vec![tolerance], steps, max_distance };
        let found = long(py, progress, |going| {
            let mut found: Vec<SearchResult> = Vec::with_capacity(states.len());
            search(&self.0, states.iter().map(Vec::as_slice), 1.0, &finder, |result| {
                found.push(result);
                going.passed(found.len())
            })?;
            Ok(found)
        })?;
        crate::search::results(py, found)
    }

    /// States after Newton's steps, as long as the residual falls.
    fn polish<'py>(&self, py: Python<'py>, states: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
        let all = self.each(py, states, |map, h| Ok(polish(map, h)))?;
        Ok(bytes(py, all.into_iter().flatten()))
    }

    /// Proofs at states: columns of one value a state, NaN for what was not proved, and reasons.
    fn certify<'py>(&self, py: Python<'py>, states: &[u8]) -> PyResult<Bound<'py, PyDict>> {
        let proofs = self.each(py, states, |map, h| certify(map, h))?;
        let out = PyDict::new(py);
        let column = |f: &dyn Fn(usize) -> Option<f64>| {
            bytes(py, (0..proofs.len()).map(|i| f(i).unwrap_or(f64::NAN)))
        };
        out.set_item("radius", column(&|i| proofs[i].radius))?;
        out.set_item("alone_within", column(&|i| proofs[i].alone_within))?;
        out.set_item("spectral_bound", column(&|i| proofs[i].spectral_bound))?;
        out.set_item("unstable_modes", column(&|i| proofs[i].unstable_modes.map(|k| k as f64)))?;
        out.set_item("index", column(&|i| proofs[i].index.map(f64::from)))?;
        let reasons = proofs.iter().map(|p| p.unproved.map(|why| why.to_string()));
        out.set_item("unproved", reasons.collect::<Vec<_>>())?;
        Ok(out)
    }

    /// Fixed points beyond those known, with these divided out; `[k, state]`.
    fn deflated<'py>(
        &self,
        py: Python<'py>,
        known: &[u8],
        states: &[u8],
        tolerance: f64,
        steps: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let size = self.0.state_size();
        let (known, states) = (rows(known, size)?, rows(states, size)?);
        let finder = Finder { tolerances: vec![tolerance], steps, max_distance: f64::INFINITY };
        let found = long(py, None, |_| {
            let views: Vec<&[f64]> = states.iter().map(Vec::as_slice).collect();
            search_on(&self.0, &known, &views, &finder, &Deflate::default())
        })?;
        Ok(bytes(py, found.points.into_iter().flat_map(|p| p.state)))
    }

    /// All fixed points, counted by proof: `[k, state]`, and whether there are no others.
    fn count<'py>(&self, py: Python<'py>, known: &[u8]) -> PyResult<(Bound<'py, PyBytes>, bool)> {
        let known = rows(known, self.0.state_size())?;
        let counted = long(py, None, |_| complete::count(&self.0, &known, &Census::default()))?;
        let all = counted.is_proved() && counted.unproved.is_empty();
        let new = counted.points.into_iter().filter(|p| p.listed.is_none());
        Ok((bytes(py, new.flat_map(|p| p.state)), all))
    }

    /// What leads where from some fixed points.
    ///
    /// * `visited`: states from which cycles are looked for; `settings`: JSON of
    ///   [`Transitions`](accrue::analyses::flow::Transitions)
    fn transitions<'py>(
        &self,
        py: Python<'py>,
        points: &[u8],
        visited: &[u8],
        settings: &str,
        seed: u64,
    ) -> PyResult<Bound<'py, PyDict>> {
        let size = self.0.state_size();
        let (points, visited) = (rows(points, size)?, rows(visited, size)?);
        let settings: Transitions = told(crate::program::parsed(settings))?;
        let (graph, counts) = long(py, None, |_| {
            let views: Vec<&[f64]> = visited.iter().map(Vec::as_slice).collect();
            let ended = ending(&self.0, &views, &settings, seed)?;
            let known: Vec<_> = ended.closed.iter().map(|(closed, _)| closed).collect();
            let scale = median_norm(views.iter().copied());
            Ok((graph(&self.0, &points, &known, scale, &settings, seed)?, ended.counts))
        })?;
        let out = PyDict::new(py);
        let mode = |d: &Direction| match *d {
            Direction::Mode { mode, phase } => (Some(mode), Some(phase)),
            Direction::Drawn(_) => (None, None),
        };
        let end = |e: &End| match *e {
            End::Point(i) => ("point", Some(i)),
            End::Cycle(i) => ("cycle", Some(i)),
            End::Diverged => ("diverged", None),
            End::Unended => ("unended", None),
        };
        let edges = &graph.edges;
        out.set_item("from", edges.iter().map(|e| e.from).collect::<Vec<_>>())?;
        out.set_item("mode", edges.iter().map(|e| mode(&e.direction).0).collect::<Vec<_>>())?;
        out.set_item("phase", edges.iter().map(|e| mode(&e.direction).1).collect::<Vec<_>>())?;
        out.set_item("end", edges.iter().map(|e| end(&e.end).0).collect::<Vec<_>>())?;
        out.set_item("to", edges.iter().map(|e| end(&e.end).1).collect::<Vec<_>>())?;
        out.set_item("steps", edges.iter().map(|e| e.steps).collect::<Vec<_>>())?;
        let saddles: Vec<usize> =
            (0..graph.points.len()).filter(|&i| graph.points[i].unstable > 0).collect();
        let reaches: Vec<Vec<(&str, Option<usize>)>> =
            saddles.iter().map(|&i| graph.reaches(i).iter().map(end).collect()).collect();
        let unstable: Vec<usize> = saddles.iter().map(|&i| graph.points[i].unstable).collect();
        out.set_item("saddles", saddles)?;
        out.set_item("unstable", unstable)?;
        out.set_item("reaches", reaches)?;
        let cycles = graph.cycles.iter().map(|c| bytes(py, c.iter().flatten().copied()));
        out.set_item("cycles", cycles.collect::<Vec<_>>())?;
        out.set_item("orbits", counts)?;
        Ok(out)
    }
}

/// Eigenvalues of matrices `[k, n, n]`, largest modulus first: `[k, n]`; and, where vectors are asked for, right and left
/// ones as columns, `[k, n, n]` each, with `Lᵀ R = I` and columns of `R` of unit length. All complex.
#[pyfunction]
pub fn eigen<'py>(
    py: Python<'py>,
    matrices: &[u8],
    n: usize,
    vectors: bool,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let all: Vec<Matrix> = match n {
        0 => Vec::new(),
        _ => {
            let stacked = matrix(matrices, n)?;
            if !stacked.nrows().is_multiple_of(n) {
                return told(Err(Error::shape(
                    "matrices",
                    stacked.nrows(),
                    format!("· {n} · {n}"),
                )));
            }
            (0..stacked.nrows() / n).map(|k| stacked.rows(k * n, n).into_owned()).collect()
        }
    };
    if !vectors {
        let values: Vec<_> =
            told(py.detach(|| all.par_iter().map(linalg::eigenvalues).collect::<Result<_>>()))?;
        return Ok(vec![bytes(py, values.into_iter().flatten().flat_map(pair))]);
    }
    let found: Vec<_> =
        told(py.detach(|| all.par_iter().map(linalg::eigen).collect::<Result<_>>()))?;
    Ok(vec![
        bytes(py, found.iter().flat_map(|e| e.values.iter().copied().flat_map(pair))),
        bytes(py, found.iter().flat_map(|e| complex_by_rows(&e.right))),
        bytes(py, found.iter().flat_map(|e| complex_by_rows(&e.left))),
    ])
}
