//! Files to texts and label values, by polars.

use super::nearest;
use crate::{Error, Result, interrupt};
use polars::prelude::*;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::mpsc;
use std::thread;

/// Rows of a piece.
const PIECE: NonZeroUsize = NonZeroUsize::new(1 << 15).expect("more than none");
/// Pieces that may wait to be taken.
const WAITING: usize = 1;

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
    let frame = selected(path, text, label)?.collect().map_err(|e| refused(path, e))?;
    if frame.height() == 0 {
        return Err(no_rows(path));
    }
    raw(path, &frame, text, (label, 0))
}

/// Reads the same columns piece by piece, in the order of the rows, so that a file larger
/// than memory can be read.
///
/// * `text`: as for [`file()`]; empty: the labels alone are read
/// * `each`: gets a piece, and the number of rows before it
///
/// # Errors
/// As [`file()`], the first of `each`, and [`Error::Interrupted`].
pub fn pieces(
    path: &Path,
    text: &[String],
    label: &str,
    mut each: impl FnMut(Raw, usize) -> Result<()>,
) -> Result<()> {
    let frame = selected(path, text, label)?;
    let (send, receive) = mpsc::sync_channel::<DataFrame>(WAITING);
    // The reader stops where nobody takes its pieces any more.
    let hand_on = PlanCallback::new(move |piece| Ok(send.send(piece).is_err()));
    let query = frame.sink_batches(hand_on, true, Some(PIECE)).map_err(|e| refused(path, e))?;
    let reader = thread::spawn(move || query.collect_with_engine(Engine::Streaming).map(drop));
    let mut rows = 0;
    let mut taken = Ok(());
    for piece in &receive {
        taken = interrupt::check("while reading")
            .and_then(|()| raw(path, &piece, text, (label, rows)))
            .and_then(|raw| each(raw, rows));
        if taken.is_err() {
            break;
        }
        rows += piece.height();
    }
    drop(receive);
    let read = reader.join().expect("a reader hands its errors on");
    taken?;
    read.map_err(|e| refused(path, e))?;
    if rows == 0 { Err(no_rows(path)) } else { Ok(()) }
}

/// Names of a file's columns.
///
/// # Errors
/// As [`file()`].
pub fn names(path: &Path) -> Result<Vec<String>> {
    columns(path, opened(path)?)
}

fn opened(path: &Path) -> Result<LazyFrame> {
    if std::fs::metadata(path).map_err(Error::io(path))?.len() == 0 {
        let remedy = "fetch or export it again";
        return Err(Error::input(path.display(), "", "the file is empty", remedy));
    }
    scan(path, path)
}

fn no_rows(path: &Path) -> Error {
    Error::input(path.display(), "", "no rows", "give a file with documents")
}

/// The columns asked for, which must be there.
fn selected(path: &Path, text: &[String], label: &str) -> Result<LazyFrame> {
    let frame = opened(path)?;
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
            return Err(Error::input(path.display(), "", problem, hint));
        }
    }
    Ok(frame.select(text.iter().map(String::as_str).chain([label]).map(col).collect::<Vec<_>>()))
}

/// Texts and label values of a frame; `before`: rows of the file that lie before it.
fn raw(
    path: &Path,
    frame: &DataFrame,
    text: &[String],
    (label, before): (&str, usize),
) -> Result<Raw> {
    let column = |name: &str| frame.column(name).map_err(|e| refused(path, e));
    let mut texts = Vec::new();
    for (i, name) in text.iter().enumerate() {
        let strings = strings(path, column(name)?, before)?;
        if i == 0 {
            texts = strings;
            continue;
        }
        texts.iter_mut().zip(strings).for_each(|(t, m)| {
            t.push(' ');
            t.push_str(&m);
        });
    }
    let (labels, lists) = values(path, column(label)?, before)?;
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

fn strings(path: &Path, column: &Column, before: usize) -> Result<Vec<String>> {
    let name = column.name().to_string();
    let column = column.cast(&DataType::String).map_err(|e| refused(path, e))?;
    let strings = column.str().map_err(|e| refused(path, e))?;
    let string = |(row, s): (usize, Option<&str>)| {
        s.map(str::to_owned).ok_or_else(|| empty_cell(path, before + row, &name))
    };
    strings.iter().enumerate().map(string).collect()
}

/// Label values a row, and whether they are lists.
fn values(path: &Path, column: &Column, before: usize) -> Result<(Vec<Vec<Value>>, bool)> {
    let name = column.name().to_string();
    if let DataType::List(_) = column.dtype() {
        let lists = column.list().map_err(|e| refused(path, e))?;
        let mut all = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let at = before + row;
            let inner = lists.get_as_series(row).ok_or_else(|| empty_cell(path, at, &name))?;
            all.push(plain(path, &inner, &name, &|_| at)?);
        }
        return Ok((all, true));
    }
    let series = column.as_materialized_series();
    let values = plain(path, series, &name, &|i| before + i)?;
    Ok((values.into_iter().map(|v| vec![v]).collect(), false))
}

/// Values of a column; `at`: the row of the file where each stands.
fn plain(
    path: &Path,
    series: &Series,
    name: &str,
    at: &dyn Fn(usize) -> usize,
) -> Result<Vec<Value>> {
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
