//! A recording of one's own, from an `.npz`, `.safetensors` or `.parquet`.
//!
//! | array | shape | what |
//! |---|---|---|
//! | `evidence` | `[trials, steps]` | evidence at each step, in units of the task's: candidates read it |
//! | `choice` | `[trials]` | 0 or −1: left; 1: right |
//! | `activity` | `[trials, steps, units]` | rates or counts, binned as the evidence is |
//! | `movement` | `[trials, steps, variables]` | optional: what was filmed or measured |
//!
//! ```python
//! numpy.savez("session.npz", evidence=evidence, choice=choice, activity=activity, movement=movement)
//! ```
//!
//! A parquet table has a row a trial and step, in any order: `trial`, `step` (consecutive whole numbers, the same in every
//! trial), `evidence`, `choice` (the same in all rows of a trial), a column `unit_1`, `unit_2`, … for each unit, and `movement_1`, … for
//! each variable. A column without a number, as `unit_quality`, is not read, which is told.

use crate::analyses::recording::Observed;
use crate::corpus::parquet;
use crate::linalg::Matrix;
use crate::model::foreign::{read_arrays, read_numbers};
use crate::{Error, Result};
use polars::prelude::{DataFrame, DataType};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Arrays by name: shape and numbers, row-major.
type Arrays = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// Names of the arrays.
const KNOWN: [&str; 4] = ["evidence", "choice", "activity", "movement"];

const REMEDY: &str = "save it by numpy.savez(file, evidence=[trials, steps], choice=[trials], \
                      activity=[trials, steps, units]), and movement=[trials, steps, variables] where there is some";

/// Endings of the files that are read.
const ENDINGS: [&str; 3] = ["npz", "safetensors", "parquet"];

/// What is wrong with an array's number, in words of a recording: the reader of arrays speaks of weights.
fn of_arrays(path: &Path, error: Error) -> Error {
    let Error::Input { place, problem, remedy, .. } = error else { return error };
    if problem.contains("not finite") {
        let order = "counted over trials, steps and units or variables, the last fastest";
        let remedy = "leave the trial out, or fill in what was not measured";
        return Error::input(path.display(), place, format!("{problem} ({order})"), remedy);
    }
    let remedy = if remedy.contains("weights") || remedy.contains("state_dict") {
        REMEDY.into()
    } else {
        remedy
    };
    Error::input(path.display(), place, problem, remedy)
}

/// Reads a recording; what was assumed, or not read.
///
/// * `steps`: of the candidates' task
///
/// # Errors
/// [`Error::Io`] if the file cannot be opened; [`Error::Input`] naming the array that is missing or has another shape.
pub(super) fn read(path: &Path, steps: usize) -> Result<(Observed, Vec<String>)> {
    let ending = path.extension().map_or(String::new(), |e| e.to_string_lossy().to_lowercase());
    if !ENDINGS.contains(&ending.as_str()) {
        let problem = match ending.is_empty() {
            true => "a file without an ending".to_string(),
            false => format!("`.{ending}` is no recording"),
        };
        let remedy = format!("{REMEDY}; or give a table, .parquet: {TABLE}");
        return Err(Error::input(path.display(), "", problem, remedy));
    }
    let (arrays, mut notes) = match ending.as_str() {
        "parquet" => of_table(path)?,
        "npz" => of_numpy(path)?,
        _ => {
            let read = read_arrays(path, None).map_err(|e| of_arrays(path, e))?;
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
    if trials < 2 {
        let remedy = "give many trials: choices are fitted on some and predicted on others";
        return Err(Error::input(
            path.display(),
            "array `evidence`",
            format!("{trials} trial"),
            remedy,
        ));
    }
    if own != steps {
        let remedy =
            format!("set `of.task.steps` to {own}, or bin the recording into {steps} steps");
        let problem = format!("{own} steps a trial; the candidates' task has {steps}");
        return Err(Error::input(path.display(), "array `evidence`", problem, remedy));
    }
    if choice.0.iter().product::<usize>() != trials {
        return Err(refuse("choice", format!("shape {:?}, {trials} trials are needed", choice.0)));
    }
    let right = sides(&choice.1).map_err(|problem| {
        let remedy = "code left as 0 or −1 and right as 1, and leave out trials without a choice";
        Error::input(path.display(), "array `choice`", problem, remedy)
    })?;
    let samples = |name: &str, (shape, values): &(Vec<usize>, Vec<f32>)| match shape[..] {
        [t, s, width] if t == trials && s == steps && width > 0 => {
            Ok(Matrix::from_fn(t * s, width, |i, j| values[i * width + j] as f64))
        }
        _ => Err(refuse(name, format!("shape {shape:?}, [{trials}, {steps}, …] is needed"))),
    };
    if !arrays.contains_key("movement") {
        notes.push("no `movement`: activity is explained by evidence and choice alone".into());
    }
    let movement = arrays.get("movement").map(|m| samples("movement", m)).transpose()?;
    let still = |m: &Matrix| m.column_iter().position(|c| c.iter().all(|x| *x == c[0]));
    if let Some(variable) = movement.as_ref().and_then(still) {
        let place = format!("array `movement`, variable {}", variable + 1);
        return Err(Error::input(path.display(), place, "it does not vary", "leave it out"));
    }
    let seen = Observed {
        evidence: Matrix::from_fn(trials, steps, |t, s| evidence.1[t * steps + s] as f64),
        right,
        activity: samples("activity", activity)?,
        movement,
    };
    Ok((seen, notes))
}

/// The arrays of an `.npz`: of any numbers, whole ones and true and false too.
fn of_numpy(path: &Path) -> Result<(Arrays, Vec<String>)> {
    let (arrays, others) = read_numbers(path, REMEDY)?;
    if let Some((name, what)) = others.iter().find(|(name, _)| KNOWN.contains(&name.as_str())) {
        let place = format!("array `{name}`");
        return Err(Error::input(path.display(), place, format!("it holds {what}"), REMEDY));
    }
    for (name, (shape, numbers)) in arrays.iter().filter(|(name, _)| KNOWN.contains(&name.as_str()))
    {
        let Some(at) = numbers.iter().position(|x| !x.is_finite()) else { continue };
        let mut rest = at;
        let mut places: Vec<String> = Vec::new();
        for (axis, size) in ["unit or variable", "step", "trial"][3 - shape.len().min(3)..]
            .iter()
            .zip(shape.iter().rev())
        {
            places.push(format!("{axis} {}", rest % size + 1));
            rest /= size;
        }
        places.reverse();
        let problem = format!("{} is not finite", numbers[at]);
        let remedy = "leave the trial out, or fill in what was not measured";
        let place = format!("array `{name}`, {}", places.join(", "));
        return Err(Error::input(path.display(), place, problem, remedy));
    }
    let unread = others.into_iter().map(|(name, what)| format!("not read: {name} ({what})"));
    Ok((arrays.into_iter().collect(), unread.collect()))
}

/// Whether each choice is right; else what is wrong with their code.
fn sides(choice: &[f32]) -> std::result::Result<Vec<bool>, String> {
    let mut values: Vec<f32> = Vec::new();
    for c in choice {
        if !values.contains(c) {
            values.push(*c);
        }
    }
    values.sort_by(f32::total_cmp);
    let shown = || values.iter().take(6).map(f32::to_string).collect::<Vec<_>>().join(", ");
    let right: Vec<bool> = choice.iter().map(|c| *c > 0.0).collect();
    let count = right.iter().filter(|r| **r).count();
    match values.len() {
        // A third value is a trial without a choice, or a choice that is no side.
        many @ 3.. => {
            let more = if many > 6 { "…" } else { "" };
            Err(format!("{many} values ({}{more}), two are needed", shown()))
        }
        _ if count == 0 || count == right.len() => Err(format!(
            "{count} of {} choices are right: its values are {}, and right is what is above 0",
            right.len(),
            shown()
        )),
        _ => Ok(right),
    }
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
        names.iter().filter(|n| is_numbered(n, prefix)).cloned().collect()
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
        let problem = format!("no column `unit_1`, `unit_2`, …; there are: {}", names.join(", "));
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
        .filter(|n| !read.contains(n) && !is_numbered(n, "unit") && !is_numbered(n, "movement"))
        .collect();
    let mut notes = vec![format!(
        "{} trials of {} steps, {} units, {} variables of movement",
        trials.len(),
        steps.len(),
        units.len(),
        moved.len()
    )];
    for (what, columns) in [("units", &units), ("movement", &moved)] {
        notes.extend(in_short(columns).map(|of| format!("read as {what}: {of}")));
    }
    if !unread.is_empty() {
        let hint = match unread.iter().any(|n| n.starts_with("unit") || n.starts_with("movement")) {
            true => {
                " (units and variables of movement are columns with a number: unit_1, movement_1)"
            }
            false => "",
        };
        notes.push(format!("not read: {}{hint}", unread.join(", ")));
    }
    Ok((arrays, notes))
}

/// Whether a column is one of many of a kind: `unit_12`, `unit12`.
fn is_numbered(name: &str, kind: &str) -> bool {
    let rest = name.strip_prefix(kind).map(|r| r.strip_prefix('_').unwrap_or(r));
    rest.is_some_and(|r| !r.is_empty() && r.bytes().all(|b| b.is_ascii_digit()))
}

/// Names of columns; of many the first, the last and how many.
fn in_short(columns: &[String]) -> Option<String> {
    match columns {
        [] => None,
        few if few.len() < 7 => Some(few.join(", ")),
        [first, .., last] => Some(format!("{first} … {last} ({})", columns.len())),
        [one] => Some(one.clone()),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_units_by_their_number_alone() {
        for taken in ["unit_1", "unit_007", "unit12"] {
            assert!(is_numbered(taken, "unit"), "{taken}");
        }
        for left in ["unit_quality", "units_n", "unit", "unit_", "unit_1_mean", "movement_1"] {
            assert!(!is_numbered(left, "unit"), "{left}");
        }
        assert!(is_numbered("movement_2", "movement"));
        assert!(!is_numbered("movement_onset", "movement"));
        let many: Vec<String> = (0..9).map(|u| format!("unit_{u}")).collect();
        assert_eq!(in_short(&many).unwrap(), "unit_0 … unit_8 (9)");
        assert_eq!(in_short(&many[..1]).unwrap(), "unit_0");
        assert_eq!(in_short(&[]), None);
    }

    #[test]
    fn choices_have_two_values_of_which_one_is_above_0() {
        assert_eq!(sides(&[0.0, 1.0, 1.0]).unwrap(), [false, true, true]);
        assert_eq!(sides(&[-1.0, 1.0]).unwrap(), [false, true]);
        let said = |choice: &[f32]| sides(choice).unwrap_err();
        assert!(said(&[0.0, 1.0, 2.0]).contains("3 values (0, 1, 2"), "{}", said(&[0.0, 1.0, 2.0]));
        assert!(said(&[1.0, 2.0]).contains("2 of 2 choices are right: its values are 1, 2"));
        assert!(said(&[0.0, 0.0]).contains("0 of 2 choices are right"));
    }

    #[test]
    fn a_file_that_is_no_recording_is_refused_in_words_of_recordings() {
        for name in ["session.csv", "session", "session.npy"] {
            let said = match read(Path::new(name), 8) {
                Err(e) => e.to_string(),
                Ok(_) => panic!("{name} was read"),
            };
            assert!(said.contains("numpy.savez") && !said.contains("weights"), "{said}");
        }
        // A name's case says nothing: this one is looked for.
        let said = read(Path::new("nowhere/session.PARQUET"), 8).err().unwrap();
        assert!(matches!(said, Error::Io { .. }), "{said}");
        let found = of_arrays(
            Path::new("session.npz"),
            Error::input("session.npz", "array `activity`, number 7", "NaN is not finite", "train"),
        );
        let said = found.to_string();
        assert!(
            said.contains("number 7: NaN is not finite") && said.contains("leave the trial out")
        );
        assert!(!said.contains("train"), "{said}");
    }
}
