//! A recording of one's own, from an `.npz` or `.safetensors`.
//!
//! | array | shape | what |
//! |---|---|---|
//! | `evidence` | `[trials, steps]` | evidence at each step, in units of the task's: candidates read it |
//! | `choice` | `[trials]` | above 0: right; else left |
//! | `activity` | `[trials, steps, units]` | rates or counts, binned as the evidence is |
//! | `movement` | `[trials, steps, variables]` | optional: what was filmed or measured |
//!
//! ```python
//! numpy.savez("session.npz", evidence=evidence, choice=choice, activity=activity, movement=movement)
//! ```

use crate::analyses::recording::Observed;
use crate::linalg::Matrix;
use crate::model::foreign::read_arrays;
use crate::{Error, Result};
use std::path::Path;

const REMEDY: &str = "save it by numpy.savez(file, evidence=[trials, steps], choice=[trials], \
                      activity=[trials, steps, units]), and movement=[trials, steps, variables] where there is some, all as \
                      decimal numbers";

/// Reads a recording.
///
/// * `steps`: of the candidates' task
///
/// # Errors
/// [`Error::Io`] if the file cannot be opened; [`Error::Input`] naming the array that is missing or has another shape.
pub(super) fn read(path: &Path, steps: usize) -> Result<Observed> {
    let arrays = read_arrays(path, None)?.arrays;
    let refuse = |array: &str, problem: String| {
        Error::input(path.display(), format!("array `{array}`"), problem, REMEDY)
    };
    let get = |name: &str| match arrays.get(name) {
        Some(found) => Ok(found),
        None => {
            let there: Vec<&str> = arrays.keys().map(String::as_str).collect();
            Err(refuse(name, format!("it is missing; there are: {}", there.join(", "))))
        }
    };
    let (evidence, choice, activity) = (get("evidence")?, get("choice")?, get("activity")?);
    let [trials, own] = evidence.0[..] else {
        return Err(refuse("evidence", format!("shape {:?}, two axes are needed", evidence.0)));
    };
    if own != steps {
        let remedy =
            format!("set `of.task.steps` to {own}, or bin the recording into {steps} steps");
        let problem = format!("{own} steps a trial; the candidates' task has {steps}");
        return Err(Error::input(path.display(), "array `evidence`", problem, remedy));
    }
    if choice.0.iter().product::<usize>() != trials {
        return Err(refuse("choice", format!("shape {:?}, {trials} trials are needed", choice.0)));
    }
    let samples = |name: &str, (shape, values): &(Vec<usize>, Vec<f32>)| match shape[..] {
        [t, s, width] if t == trials && s == steps && width > 0 => {
            Ok(Matrix::from_fn(t * s, width, |i, j| values[i * width + j] as f64))
        }
        _ => Err(refuse(name, format!("shape {shape:?}, [{trials}, {steps}, …] is needed"))),
    };
    Ok(Observed {
        evidence: Matrix::from_fn(trials, steps, |t, s| evidence.1[t * steps + s] as f64),
        right: choice.1.iter().map(|c| *c > 0.0).collect(),
        activity: samples("activity", activity)?,
        movement: arrays.get("movement").map(|m| samples("movement", m)).transpose()?,
    })
}
