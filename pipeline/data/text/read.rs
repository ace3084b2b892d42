//! Files to texts and label values, by polars.

use super::frames::Frames;
use crate::nearest;
use crate::{Error, Result, interrupt};
use polars::prelude::*;
use std::path::Path;

/// Rows of a piece.
const PIECE: usize = 1 << 15;

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

/// Reads the text and label columns of one file; other columns stay unread.
///
/// * `text`: columns, joined by a blank
///
/// # Errors
/// [`Error::Io`] if it cannot be opened; [`Error::Input`] naming file, row or
/// column, and remedy, for anything in it that cannot be used.
pub fn file(path: &Path, text: &[String], label: &str) -> Result<Raw> {
    let (frames, wanted) = selected(path, text, label)?;
    let frame = frames.whole(&wanted)?;
    if frame.height() == 0 {
        return Err(no_rows(path));
    }
    raw(&frames, &frame, text, (label, 0))
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
    let (frames, wanted) = selected(path, text, label)?;
    let mut rows = 0;
    frames.each(&wanted, |frame| {
        for first in (0..frame.height()).step_by(PIECE) {
            interrupt::check("while reading")?;
            let piece = frame.slice(first as i64, PIECE);
            each(raw(&frames, &piece, text, (label, rows))?, rows)?;
            rows += piece.height();
        }
        Ok(true)
    })?;
    if rows == 0 { Err(no_rows(path)) } else { Ok(()) }
}

/// Names of a file's columns.
///
/// # Errors
/// As [`file()`].
pub fn names(path: &Path) -> Result<Vec<String>> {
    Ok(opened(path)?.names)
}

fn opened(path: &Path) -> Result<Frames> {
    if std::fs::metadata(path).map_err(Error::io(path))?.len() == 0 {
        let remedy = "fetch or export it again";
        return Err(Error::input(path.display(), "", "the file is empty", remedy));
    }
    Frames::open(path, path)
}

fn no_rows(path: &Path) -> Error {
    Error::input(path.display(), "", "no rows", "give a file with documents")
}

/// The columns asked for, which must be there; one that is asked for twice is read once.
fn selected<'a>(path: &Path, text: &'a [String], label: &'a str) -> Result<(Frames, Vec<&'a str>)> {
    let frames = opened(path)?;
    let names: Vec<&str> = frames.names.iter().map(String::as_str).collect();
    let mut columns: Vec<&str> = Vec::with_capacity(text.len() + 1);
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
        if !columns.contains(&wanted) {
            columns.push(wanted);
        }
    }
    Ok((frames, columns))
}

/// Texts and label values of a frame; `before`: rows of the file that lie before it.
fn raw(
    from: &Frames,
    frame: &DataFrame,
    text: &[String],
    (label, before): (&str, usize),
) -> Result<Raw> {
    let column = |name: &str| frame.column(name).map_err(|e| from.refused(e));
    let mut texts = Vec::new();
    for (i, name) in text.iter().enumerate() {
        let strings = strings(from, column(name)?, before)?;
        if i == 0 {
            texts = strings;
            continue;
        }
        texts.iter_mut().zip(strings).for_each(|(t, m)| {
            t.push(' ');
            t.push_str(&m);
        });
    }
    let (labels, lists) = values(from, column(label)?, before)?;
    Ok(Raw { texts, labels, lists })
}

fn empty_cell(path: &Path, row: usize, column: &str) -> Error {
    Error::input(
        path.display(),
        format!("row {}", row + 1),
        format!("nothing in column `{column}`"),
        "fill it in, or remove the row",
    )
}

fn strings(from: &Frames, column: &Column, before: usize) -> Result<Vec<String>> {
    let name = column.name().to_string();
    let column = column.cast(&DataType::String).map_err(|e| from.refused(e))?;
    let strings = column.str().map_err(|e| from.refused(e))?;
    let string = |(row, s): (usize, Option<&str>)| {
        s.map(str::to_owned).ok_or_else(|| empty_cell(&from.path, before + row, &name))
    };
    strings.iter().enumerate().map(string).collect()
}

/// Label values a row, and whether they are lists.
fn values(from: &Frames, column: &Column, before: usize) -> Result<(Vec<Vec<Value>>, bool)> {
    let name = column.name().to_string();
    // A fixed array is a list of as many in every row.
    let column = match column.dtype() {
        DataType::Array(inner, _) => {
            &column.cast(&DataType::List(inner.clone())).map_err(|e| from.refused(e))?
        }
        _ => column,
    };
    if let DataType::List(_) = column.dtype() {
        let lists = column.list().map_err(|e| from.refused(e))?;
        let mut all = Vec::with_capacity(lists.len());
        for row in 0..lists.len() {
            let at = before + row;
            let inner =
                lists.get_as_series(row).ok_or_else(|| empty_cell(&from.path, at, &name))?;
            all.push(plain(from, &inner, &name, &|_| at)?);
        }
        return Ok((all, true));
    }
    let series = column.as_materialized_series();
    let values = plain(from, series, &name, &|i| before + i)?;
    Ok((values.into_iter().map(|v| vec![v]).collect(), false))
}

/// Values of a column; `at`: the row of the file where each stands.
fn plain(
    from: &Frames,
    series: &Series,
    name: &str,
    at: &dyn Fn(usize) -> usize,
) -> Result<Vec<Value>> {
    match series.dtype() {
        // Categories are names.
        DataType::Categorical(..) | DataType::Enum(..) => {
            let names = series.cast(&DataType::String).map_err(|e| from.refused(e))?;
            plain(from, &names, name, at)
        }
        DataType::String => {
            let strings = series.str().map_err(|e| from.refused(e))?;
            let value = |(i, s): (usize, Option<&str>)| {
                let s = s.ok_or_else(|| empty_cell(&from.path, at(i), name))?;
                Ok(Value::Name(s.trim().to_string()))
            };
            strings.iter().enumerate().map(value).collect()
        }
        dtype
            if dtype.is_primitive_numeric()
                || matches!(dtype, DataType::Boolean | DataType::Decimal(..)) =>
        {
            let numbers = series.cast(&DataType::Float64).map_err(|e| from.refused(e))?;
            let numbers = numbers.f64().map_err(|e| from.refused(e))?;
            let value = |(i, x): (usize, Option<f64>)| {
                let x = x.ok_or_else(|| empty_cell(&from.path, at(i), name))?;
                if x.fract() == 0.0 && x.abs() < 9e15 {
                    return Ok(Value::Number(x as i64));
                }
                Err(Error::input(
                    from.path.display(),
                    format!("row {}, column `{name}`", at(i) + 1),
                    format!("label {x} is not a whole number"),
                    "give integers, text, or lists of either",
                ))
            };
            numbers.iter().enumerate().map(value).collect()
        }
        DataType::Null => Ok(Vec::new()),
        other => Err(Error::input(
            from.path.display(),
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
