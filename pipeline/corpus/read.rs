//! Files to texts and label values, by polars.

use super::nearest;
use crate::{Error, Result};
use polars::prelude::*;
use std::path::Path;

/// Texts with what stands in their label column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Raw {
    /// Texts.
    pub texts: Vec<String>,
    /// Values of the label column: one a document, or a list.
    pub labels: Vec<Vec<Value>>,
    /// Whether the label column holds lists.
    pub lists: bool,
}

/// What stands in a label column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A whole number.
    Number(i64),
    /// Text.
    Name(String),
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Number(number) => write!(f, "{number}"),
            Value::Name(name) => f.write_str(name),
        }
    }
}

/// Formats by file ending.
const ENDINGS: &str = "parquet, csv, tsv, jsonl or ndjson";

/// Reads the text and label columns of one file; other columns stay unread.
///
/// * `text`: columns, joined by a blank
///
/// # Errors
/// [`Error::Io`] if it cannot be opened; [`Error::Input`] naming file, row or
/// column, and remedy, for anything in it that cannot be used.
pub fn file(path: &Path, text: &[String], label: &str) -> Result<Raw> {
    let shown = path.display().to_string();
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size == 0 {
        return Err(Error::input(shown, "", "the file is empty", "fetch or export it again"));
    }
    let frame = scan(path, path)?;
    let columns = columns(path, frame.clone())?;
    let names: Vec<&str> = columns.iter().map(|c| c.as_str()).collect();
    for wanted in text.iter().map(String::as_str).chain([label]) {
        if !names.contains(&wanted) {
            let hint = format!(
                "{}. Name yours with --text COLUMN,… and --label COLUMN, or in the experiment: \
                 `File(train: …, text: [\"…\"], label: \"…\")`",
                nearest::hint(wanted, &names)
            );
            let problem = format!("no column `{wanted}`");
            return Err(Error::input(shown, "", problem, hint));
        }
    }
    let wanted = text.iter().map(String::as_str).chain([label]).map(col).collect::<Vec<_>>();
    let frame = frame.select(wanted).collect().map_err(|e| refused(path, e))?;
    if frame.height() == 0 {
        return Err(Error::input(shown, "", "no rows", "give a file with documents"));
    }
    let column = |name: &str| frame.column(name).map_err(|e| refused(path, e));
    let mut texts = strings(path, column(&text[0])?)?;
    for further in &text[1..] {
        let more = strings(path, column(further)?)?;
        texts.iter_mut().zip(more).for_each(|(t, m)| {
            t.push(' ');
            t.push_str(&m);
        });
    }
    let (labels, lists) = values(path, column(label)?)?;
    Ok(Raw { texts, labels, lists })
}

/// A lazy reader of `path` by the ending of `name` (a file in the Hub's cache
/// has none of its own).
pub(super) fn scan(path: &Path, name: &Path) -> Result<LazyFrame> {
    let ending = name.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let at = PlRefPath::try_from_path(path).map_err(Error::polars(path))?;
    let csv = |separator| LazyCsvReader::new(at.clone()).with_separator(separator).finish();
    let frame = match ending.as_str() {
        "parquet" => LazyFrame::scan_parquet(at.clone(), Default::default()),
        "csv" => csv(b','),
        "tsv" => csv(b'\t'),
        "jsonl" | "ndjson" => LazyJsonLineReader::new(at.clone()).finish(),
        _ => {
            let problem = format!("`.{ending}` is no format of this program");
            let remedy = format!("give a file that ends in {ENDINGS}, or a folder of label/*.txt");
            return Err(Error::input(path.display(), "", problem, remedy));
        }
    };
    frame.map_err(|e| refused(path, e))
}

pub(super) fn columns(path: &Path, mut frame: LazyFrame) -> Result<Vec<String>> {
    let schema = frame.collect_schema().map_err(|e| refused(path, e))?;
    Ok(schema.iter_names().map(|n| n.to_string()).collect())
}

/// What polars refused, with the row where the bytes tell it.
fn refused(path: &Path, error: PolarsError) -> Error {
    let binary = path.extension().is_some_and(|e| e == "parquet");
    let place = if binary { None } else { invalid_utf8(path) };
    match place {
        Some(line) => Error::input(
            path.display(),
            format!("line {line}"),
            "not valid UTF-8",
            "save the file in the encoding UTF-8",
        ),
        None => {
            // polars adds the plan it was in; the first line is the cause.
            let cause = error.to_string();
            let cause = cause.lines().next().unwrap_or("unreadable").trim_end_matches(':');
            let remedy = if binary {
                "the file may be cut short or no parquet; fetch or export it again"
            } else {
                "mend that row, or export the file again with quotes around text"
            };
            Error::input(path.display(), "", cause, remedy)
        }
    }
}

/// First line that is not UTF-8, counted from 1.
fn invalid_utf8(path: &Path) -> Option<usize> {
    let bytes = std::fs::read(path).ok()?;
    let upto = std::str::from_utf8(&bytes).err()?.valid_up_to();
    Some(1 + bytes[..upto].iter().filter(|&&b| b == b'\n').count())
}

fn empty_cell(path: &Path, row: usize, column: &str) -> Error {
    Error::input(
        path.display(),
        format!("row {}", row + 1),
        format!("nothing in column `{column}`"),
        "fill it in, or remove the row",
    )
}

fn strings(path: &Path, column: &Column) -> Result<Vec<String>> {
    let name = column.name().to_string();
    let column = column.cast(&DataType::String).map_err(|e| refused(path, e))?;
    let strings = column.str().map_err(|e| refused(path, e))?;
    let rows = strings.iter().enumerate();
    rows.map(|(row, s)| s.map(str::to_owned).ok_or_else(|| empty_cell(path, row, &name))).collect()
}

/// Label values a row, and whether they are lists.
fn values(path: &Path, column: &Column) -> Result<(Vec<Vec<Value>>, bool)> {
    let name = column.name().to_string();
    if let DataType::List(_) = column.dtype() {
        let lists = column.list().map_err(|e| refused(path, e))?;
        let mut all = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let inner = lists.get_as_series(row).ok_or_else(|| empty_cell(path, row, &name))?;
            all.push(plain(path, &inner, &name, Some(row))?);
        }
        return Ok((all, true));
    }
    let series = column.as_materialized_series();
    Ok((plain(path, series, &name, None)?.into_iter().map(|v| vec![v]).collect(), false))
}

/// Values of a column; `list_row`: the row whose list this is.
fn plain(path: &Path, series: &Series, name: &str, list_row: Option<usize>) -> Result<Vec<Value>> {
    let at = |i: usize| list_row.unwrap_or(i);
    match series.dtype() {
        DataType::String => {
            let strings = series.str().map_err(|e| refused(path, e))?;
            let value = |(i, s): (usize, Option<&str>)| {
                let s = s.ok_or_else(|| empty_cell(path, at(i), name))?;
                Ok(Value::Name(s.trim().to_string()))
            };
            strings.iter().enumerate().map(value).collect()
        }
        dtype if dtype.is_primitive_numeric() || *dtype == DataType::Boolean => {
            let numbers = series.cast(&DataType::Float64).map_err(|e| refused(path, e))?;
            let numbers = numbers.f64().map_err(|e| refused(path, e))?;
            let value = |(i, x): (usize, Option<f64>)| {
                let x = x.ok_or_else(|| empty_cell(path, at(i), name))?;
                if x.fract() == 0.0 && x.abs() < 9e15 {
                    return Ok(Value::Number(x as i64));
                }
                Err(Error::input(
                    path.display(),
                    format!("row {}, column `{name}`", at(i) + 1),
                    format!("label {x} is not a whole number"),
                    "give integers, text, or lists of either",
                ))
            };
            numbers.iter().enumerate().map(value).collect()
        }
        DataType::Null => Ok(Vec::new()),
        other => Err(Error::input(
            path.display(),
            format!("column `{name}`"),
            format!("labels of type {other}"),
            "give integers, text, or lists of either",
        )),
    }
}

/// Reads a folder of `label/*.txt`; files in the order of their names.
///
/// # Errors
/// As [`file()`].
pub fn folder(path: &Path) -> Result<Raw> {
    let mut raw = Raw::default();
    for label in sorted(path)?.into_iter().filter(|p| p.is_dir()) {
        let name = label.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for text in
            sorted(&label)?.into_iter().filter(|p| p.extension().is_some_and(|e| e == "txt"))
        {
            let bytes = std::fs::read(&text).map_err(Error::io(&text))?;
            let text = String::from_utf8(bytes).map_err(|_| {
                Error::input(text.display(), "", "not valid UTF-8", "save it in the encoding UTF-8")
            })?;
            raw.texts.push(text);
            raw.labels.push(vec![Value::Name(name.clone())]);
        }
    }
    if raw.texts.is_empty() {
        let remedy = "place texts as LABEL/NAME.txt in it";
        return Err(Error::input(path.display(), "", "no label/*.txt in this folder", remedy));
    }
    Ok(raw)
}

fn sorted(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(Error::io(folder))?.path());
    }
    paths.sort();
    Ok(paths)
}
