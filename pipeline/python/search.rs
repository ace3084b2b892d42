//! Searches whose map is a function of Python's: told what it says for many states at once.

use crate::arrays::{bytes, numbers, rows, told};
use accrue::Error;
use accrue::dynamics::batch::{Ask, Batch};
use accrue::dynamics::finder::{Finder, SearchResult};
use accrue::dynamics::select::Selection;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

/// Searches from some states, which ask for steps and Jacobians and are told.
#[pyclass(module = "accrue._native")]
pub struct Search(Option<Batch>);

impl Search {
    fn batch(&mut self) -> PyResult<&mut Batch> {
        told(self.0.as_mut().ok_or_else(|| Error::Usage("this search has ended".into())))
    }
}

#[pymethods]
impl Search {
    #[new]
    fn new(
        states: &[u8],
        size: usize,
        tolerance: f64,
        steps: usize,
        max_distance: f64,
    ) -> PyResult<Self> {
        let states = rows(states, size)?;
        let finder = Finder { tolerances: vec![tolerance], steps, max_distance };
        Ok(Self(Some(told(Batch::new(&states, 1.0, &finder))?)))
    }

    /// What it has to be told: `steps` or `jacobians` at states `[k, state]`, or `nothing`.
    fn ask<'py>(&mut self, py: Python<'py>) -> PyResult<(&'static str, Bound<'py, PyBytes>)> {
        let (what, states) = match self.batch()?.ask() {
            Ask::Steps(states) => ("steps", states),
            Ask::Jacobians(states) => ("jacobians", states),
            Ask::Nothing => ("nothing", Vec::new()),
        };
        Ok((what, bytes(py, states)))
    }

    /// Takes the next states, `[k, state]`.
    fn tell_steps(&mut self, py: Python<'_>, next: &[u8]) -> PyResult<()> {
        let next = numbers(next);
        let batch = self.batch()?;
        told(py.detach(|| batch.tell_steps(&next)))
    }

    /// Takes the Jacobians, `[k, state, state]`.
    fn tell_jacobians(&mut self, py: Python<'_>, jacobians: &[u8]) -> PyResult<()> {
        let jacobians = numbers(jacobians);
        let batch = self.batch()?;
        told(py.detach(|| batch.tell_jacobians(&jacobians)))
    }

    /// Searches that have ended.
    fn ended(&mut self) -> PyResult<usize> {
        Ok(self.batch()?.ended())
    }

    /// What became of each; ends the search.
    fn results<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let batch = self.batch()?;
        if batch.ask() != Ask::Nothing {
            return told(Err(Error::Usage("not every search has ended".into())));
        }
        let batch = self.0.take().expect("it was there a line ago");
        results(py, batch.results())
    }
}

/// What became of searches, a column each: `state` `[k, state]`, `q`, `distance_from_init`, `steps` `[k]`, and `stop`.
pub fn results(py: Python<'_>, found: Vec<SearchResult>) -> PyResult<Bound<'_, PyDict>> {
    let out = PyDict::new(py);
    out.set_item("stop", found.iter().map(|r| r.stop.name()).collect::<Vec<_>>())?;
    out.set_item("q", bytes(py, found.iter().map(|r| r.last.speed)))?;
    let moved = found.iter().map(|r| r.last.distance_from_init);
    out.set_item("distance_from_init", bytes(py, moved))?;
    out.set_item("steps", found.iter().map(|r| r.last.steps).collect::<Vec<_>>())?;
    out.set_item("state", bytes(py, found.into_iter().flat_map(|r| r.last.state)))?;
    Ok(out)
}

/// Which states are kept where those nearer than `unique` are one: their numbers, slowest first.
///
/// * `states`: `[k, size]`; `q`: `[k]`, their speeds; `unique`: a distance (Euclid)
#[pyfunction]
#[pyo3(name = "select")]
pub fn select(
    py: Python<'_>,
    states: &[u8],
    size: usize,
    q: &[u8],
    unique: f64,
) -> PyResult<Vec<usize>> {
    let (states, q) = (rows(states, size)?, numbers(q));
    if q.len() != states.len() {
        return told(Err(Error::shape("speeds", q.len(), states.len())));
    }
    let points: Vec<(&[f64], f64)> = states.iter().map(Vec::as_slice).zip(q).collect();
    let selection = Selection { unique, outlier: 0.0 };
    Ok(py.detach(|| accrue::dynamics::select::select(&points, 1.0, &selection)))
}
