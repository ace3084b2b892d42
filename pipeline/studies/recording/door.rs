//! A recording of one's own, from an `.npz`, `.safetensors` or `.parquet`.
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
//!
//! A parquet table has a row a trial and step, in any order: `trial`, `step` (consecutive whole numbers, the same in every
//! trial), `evidence`, `choice` (the same in all rows of a trial), a column `unit…` for each unit, and `movement…` for each
//! variable.

use crate::analyses::recording::Observed;
use crate::corpus::parquet;
use crate::linalg::Matrix;
use crate::model::foreign::read_arrays;
use crate::{Error, Result};
use polars::prelude::{DataFrame, DataType};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Arrays by name: shape and numbers, row-major.
type Arrays = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Names of the arrays.
const KNOWN: [&str; 4] = ["evidence", "choice", "activity", "movement"];

const REMEDY: &str = "save it by numpy.savez(file, evidence=[trials, steps], choice=[trials], \
                      activity=[trials, steps, units]), and movement=[trials, steps, variables] where there is some, all as \
                      decimal numbers";

/// Reads a recording; what was assumed, or not read.
///
/// * `steps`: of the candidates' task
///
/// # Errors
/// [`Error::Io`] if the file cannot be opened; [`Error::Input`] naming the array that is missing or has another shape.
pub(super) fn read(path: &Path, steps: usize) -> Result<(Observed, Vec<String>)> {
    let (arrays, mut notes) = match path.extension().is_some_and(|e| e == "parquet") {
        true => of_table(path)?,
        false => {
            let read = read_arrays(path, None)?;
            (read.arrays, read.notes)
        }
    };
    let unread: Vec<&str> =
        arrays.keys().map(String::as_str).filter(|name| !KNOWN.contains(name)).collect();
    if !unread.is_empty() {
        notes.push(format!("not read: {}", unread.join(", ")));
    }
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
    if !arrays.contains_key("movement") {
        notes.push("no `movement`: activity is explained by evidence and choice alone".into());
    }
    let seen = Observed {
        evidence: Matrix::from_fn(trials, steps, |t, s| evidence.1[t * steps + s] as f64),
        right: choice.1.iter().map(|c| *c > 0.0).collect(),
        activity: samples("activity", activity)?,
        movement: arrays.get("movement").map(|m| samples("movement", m)).transpose()?,
    };
    Ok((seen, notes))
}

const TABLE: &str = "give a row a trial and step with columns trial, step, evidence, choice, unit_1, unit_2, …, and movement_1, … \
                     where there is some";

/// The arrays of a table with a row a trial and step.
fn of_table(path: &Path) -> Result<(Arrays, Vec<String>)> {
    let table = parquet::read(path, TABLE)?;
    let refuse =
        |place: String, problem: String| Error::input(path.display(), place, problem, TABLE);
    let names: Vec<String> = table.get_column_names().iter().map(|n| n.to_string()).collect();
    let like = |prefix: &str| -> Vec<String> {
        names.iter().filter(|n| n.starts_with(prefix)).cloned().collect()
    };
    let numbers = |name: &str| numbers(&table, name).map_err(|(place, p)| refuse(place, p));
    let (trial, step) = (numbers("trial")?, numbers("step")?);
    let each = |of: &[f64]| {
        let all: BTreeSet<i64> = of.iter().map(|x| *x as i64).collect();
        all.into_iter().collect::<Vec<i64>>()
    };
    for (name, of) in [("trial", &trial), ("step", &step)] {
        if let Some(row) = of.iter().position(|x| x.fract() != 0.0 || x.abs() > 1e15) {
            let problem = format!("{} is no whole number", of[row]);
            return Err(refuse(format!("column `{name}`, row {}", row + 1), problem));
        }
    }
    let (trials, steps) = (each(&trial), each(&step));
    let cells = trials.len() * steps.len();
    // Row of each trial and step.
    let mut rows: Vec<Option<usize>> = vec![None; cells];
    for row in 0..trial.len() {
        let place = trials.binary_search(&(trial[row] as i64)).expect("it is one of them")
            * steps.len()
            + steps.binary_search(&(step[row] as i64)).expect("it is one of them");
        if rows[place].replace(row).is_some() {
            let problem = format!("trial {} has step {} twice", trial[row], step[row]);
            return Err(refuse(format!("row {}", row + 1), problem));
        }
    }
    if let Some(place) = rows.iter().position(Option::is_none) {
        let (t, s) = (trials[place / steps.len()], steps[place % steps.len()]);
        let problem = format!(
            "trial {t} has no step {s}, and others have: {} steps each are needed",
            steps.len()
        );
        return Err(refuse("column `step`".into(), problem));
    }
    let rows: Vec<usize> = rows.into_iter().flatten().collect();
    let gathered = |columns: &[String]| -> Result<Vec<f32>> {
        let columns: Vec<Vec<f64>> = columns.iter().map(|n| numbers(n)).collect::<Result<_>>()?;
        Ok(rows.iter().flat_map(|&r| columns.iter().map(move |c| c[r] as f32)).collect())
    };
    let (units, moved) = (like("unit"), like("movement"));
    if units.is_empty() {
        let problem = format!("no column `unit…`; there are: {}", names.join(", "));
        return Err(refuse(String::new(), problem));
    }
    let choice = gathered(&["choice".into()])?;
    if let Some(t) = choice.chunks(steps.len()).position(|c| c.iter().any(|x| *x != c[0])) {
        let problem = format!("trial {} has several", trials[t]);
        return Err(refuse("column `choice`".into(), problem));
    }
    let choice = choice.into_iter().step_by(steps.len()).collect();
    let shape = |width: usize| vec![trials.len(), steps.len(), width];
    let mut arrays = Arrays::from([
        (
            "evidence".to_string(),
            (vec![trials.len(), steps.len()], gathered(&["evidence".into()])?),
        ),
        ("choice".into(), (vec![trials.len()], choice)),
        ("activity".into(), (shape(units.len()), gathered(&units)?)),
    ]);
    if !moved.is_empty() {
        arrays.insert("movement".into(), (shape(moved.len()), gathered(&moved)?));
    }
    let read = ["trial", "step", "evidence", "choice"];
    let unread: Vec<&str> = names
        .iter()
        .map(String::as_str)
        .filter(|n| !read.contains(n) && !n.starts_with("unit") && !n.starts_with("movement"))
        .collect();
    let mut notes = vec![format!(
        "{} trials of {} steps, {} units, {} variables of movement",
        trials.len(),
        steps.len(),
        units.len(),
        moved.len()
    )];
    if !unread.is_empty() {
        notes.push(format!("not read: {}", unread.join(", ")));
    }
    Ok((arrays, notes))
}

/// A column's numbers; else where and why not.
fn numbers(table: &DataFrame, name: &str) -> std::result::Result<Vec<f64>, (String, String)> {
    let place = |row: Option<usize>| match row {
        Some(row) => format!("column `{name}`, row {}", row + 1),
        None => format!("column `{name}`"),
    };
    let column = table.column(name).map_err(|_| {
        let names: Vec<String> = table.get_column_names().iter().map(|n| n.to_string()).collect();
        (place(None), format!("it is missing; there are: {}", names.join(", ")))
    })?;
    let kind = column.dtype();
    if !kind.is_primitive_numeric() && *kind != DataType::Boolean {
        return Err((place(None), format!("it holds no numbers but {kind}")));
    }
    let cast = column.cast(&DataType::Float64).map_err(|e| (place(None), e.to_string()))?;
    let values = cast.f64().map_err(|e| (place(None), e.to_string()))?;
    let all: Vec<f64> = values.iter().map(|x| x.unwrap_or(f64::NAN)).collect();
    match all.iter().position(|x| !x.is_finite()) {
        Some(row) => Err((place(Some(row)), "no finite number stands there".into())),
        None => Ok(all),
    }
}
