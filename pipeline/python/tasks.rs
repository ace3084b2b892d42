//! Tasks whose law is known.

use crate::arrays::{bytes, single_bytes, told};
use crate::program::{parsed, ron};
use accrue::Error;
use accrue::data::Task;
use accrue::data::tasks::Law;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Most numbers of a draw: 4 GB.
const MOST: usize = 1 << 30;

/// What a task says of itself: name, sizes, held inputs, scores.
///
/// * `settings`: JSON of [`Task`]
#[pyfunction]
pub fn task<'py>(py: Python<'py>, settings: &str) -> PyResult<Bound<'py, PyDict>> {
    let task: Task = told(parsed(settings))?;
    let out = PyDict::new(py);
    out.set_item("name", task.name())?;
    out.set_item("inputs", task.inputs())?;
    out.set_item("outputs", task.outputs())?;
    out.set_item("steps", task.steps())?;
    let held = PyDict::new(py);
    for input in task.held() {
        held.set_item(input.name, input.input)?;
    }
    out.set_item("held", held)?;
    let scores = task.scores();
    out.set_item("chance", scores.chance)?;
    out.set_item("best", scores.best)?;
    out.set_item("ron", ron(&task))?;
    Ok(out)
}

/// Trials: `inputs` `[all steps, u]`, `targets` `[all steps, k]`, `mask` `[all steps]` as f32, `conditions` and `lengths`
/// `[trial]`.
#[pyfunction]
pub fn draw<'py>(
    py: Python<'py>,
    settings: &str,
    count: usize,
    seed: u64,
    split: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let task: Task = told(parsed(settings))?;
    let numbers = (task.inputs() + task.outputs() + 1).saturating_mul(task.steps());
    if numbers.saturating_mul(count) > MOST {
        let problem = format!(
            "count: {count} trials of {} steps are more than {MOST} numbers; draw them in parts, a seed each",
            task.steps()
        );
        return told(Err(Error::Usage(problem)));
    }
    let drawn = py.detach(|| task.draw(count, seed, split));
    let out = PyDict::new(py);
    let lengths: Vec<usize> = (0..drawn.inputs.len()).map(|i| drawn.inputs.length(i)).collect();
    let inputs: Vec<f32> =
        (0..drawn.inputs.len()).flat_map(|i| drawn.inputs.get(i).iter().copied()).collect();
    out.set_item("inputs", single_bytes(py, &inputs))?;
    out.set_item("targets", single_bytes(py, &drawn.targets.values))?;
    out.set_item("mask", single_bytes(py, &drawn.targets.mask))?;
    out.set_item("conditions", bytes(py, drawn.conditions.iter().map(|&c| c.into())))?;
    out.set_item("lengths", lengths)?;
    Ok(out)
}
