//! Files to texts and label values: one way for all kinds of files, whole or in pieces.

use super::frames::Frames;
use super::json::{Cell, Objects};
use super::separated::{Separated, Typed};
use super::settings::File;
use super::sources;
use super::stream::{self, Stream, brief, listed};
use crate::nearest;
use crate::{Error, Result, interrupt};
use polars::prelude::*;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rows of a piece.
const PIECE: usize = 1 << 15;

/// Formats by file ending.
const ENDINGS: &str = "parquet, csv, tsv, txt, json, jsonl or ndjson (also .gz, .zst)";

/// Fields of several lines that are looked into for rows of their own.
const SPANNING: usize = 1000;

/// Texts with what stands in their label column.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Raw {
    /// Texts.
    pub texts: Vec<String>,
    /// Values of the label column: one a document, or a list.
    pub labels: Vec<Vec<Value>>,
    /// Whether the label column holds lists.
    pub lists: bool,
    /// Where the rows come from.
    pub places: Places,
}

/// Which row of which file a row is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// First row of each file, and its name.
    starts: Vec<(usize, String)>,
}

impl Places {
    /// The file, and the row in it, from 0.
    pub fn of(&self, row: usize) -> (&str, usize) {
        let at = self.starts.partition_point(|(start, _)| *start <= row);
        match self.starts.get(at.saturating_sub(1)) {
            Some((start, file)) => (file, row - start),
            None => ("", row),
        }
    }

    /// An error about a row.
    pub fn error(&self, row: usize, column: &str, problem: String, remedy: impl ToString) -> Error {
        let (file, row) = self.of(row);
        Error::input(file, format!("row {}, column `{}`", row + 1, brief(column)), problem, remedy)
    }
}

/// What stands in a label column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A whole number.
    Number(i64),
    /// Text; also a number that is none of the above.
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

impl From<f64> for Value {
    fn from(x: f64) -> Self {
        match x.fract() == 0.0 && x.abs() < 9e15 {
            true => Value::Number(x as i64),
            false => Value::Name(x.to_string()),
        }
    }
}

/// The files of a split, read as one.
pub(super) struct Input {
    tables: Vec<Table>,
    /// Columns of the text.
    text: Vec<String>,
    /// Columns of the label: one, or one a label.
    pub label: Vec<String>,
    /// Whether each label has a column of 0 and 1.
    one_hot: bool,
    /// Whether a cell without a label is a document that carries none.
    may_be_missing: bool,
}

struct Table {
    path: PathBuf,
    kind: Kind,
    notes: Vec<String>,
}

enum Kind {
    Parquet(Frames),
    Separated(Box<Separated>),
    Json(Objects),
    Texts,
}

/// What is noticed while rows are read.
#[derive(Clone, Debug, Default)]
pub(super) struct Noticed {
    /// Documents without text in a column, by column.
    empty: BTreeMap<String, usize>,
    /// Rows whose fields are all empty.
    blank: usize,
    /// Documents whose text is a list of words.
    words: usize,
    /// Rows of several lines, with what the lines would carry as label if each were a row.
    spanning: Vec<(usize, Vec<String>)>,
}

impl Input {
    /// Opens files and looks for the columns.
    ///
    /// # Errors
    /// [`Error::Io`] if one cannot be opened; [`Error::Input`] naming file, row or column, and remedy, for
    /// anything in it that cannot be used.
    pub fn open(paths: &[PathBuf], file: &File) -> Result<Self> {
        let text = if file.text.is_empty() { vec!["text".to_string()] } else { file.text.clone() };
        let one_hot = !file.labels.is_empty();
        let mut label = match (one_hot, file.label.as_str()) {
            (true, _) => file.labels.clone(),
            (false, "") => Vec::new(),
            (false, label) => vec![label.to_string()],
        };
        let mut tables: Vec<Table> = Vec::new();
        for path in paths {
            if path.is_dir() {
                let (path, notes) = (path.clone(), Vec::new());
                tables.push(Table { path, kind: Kind::Texts, notes });
                label = vec!["label".into()];
                continue;
            }
            let table = Table::open(path, file, &text, &label)?;
            if label.is_empty() {
                // Where none was named, either usual name will do.
                let usual = !table.has("label")? && table.has("labels")?;
                label = vec![if usual { "labels" } else { "label" }.into()];
            }
            for wanted in text.iter().chain(&label) {
                table.require(wanted, file)?;
            }
            tables.push(table);
        }
        Ok(Self { tables, text, label, one_hot, may_be_missing: !file.label_separator.is_empty() })
    }

    /// The label column for messages.
    pub fn column(&self) -> String {
        self.label.join(",")
    }

    /// What was found out of the files' form.
    pub fn notes(&self) -> Vec<String> {
        let mut all: Vec<(&str, Vec<&Path>)> = Vec::new();
        for table in &self.tables {
            for note in &table.notes {
                match all.iter_mut().find(|(n, _)| n == note) {
                    Some((_, files)) => files.push(&table.path),
                    None => all.push((note, vec![&table.path])),
                }
            }
        }
        let shown = |(note, files): (&str, Vec<&Path>)| match files.len() {
            1 => format!("{}: {note}", files[0].display()),
            n => format!("{} and {} more files: {note}", files[0].display(), n - 1),
        };
        all.into_iter().map(shown).collect()
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// As [`Input::open`].
    pub fn whole(&self) -> Result<(Raw, Noticed)> {
        let mut all = Raw::default();
        let noticed = self.each(true, |raw, _| {
            all.texts.extend(raw.texts);
            all.labels.extend(raw.labels);
            all.lists = raw.lists;
            all.places = raw.places;
            Ok(())
        })?;
        Ok((all, noticed))
    }

    /// Reads rows piece by piece, in their order, so that files larger than memory can be read.
    ///
    /// * `texts`: whether texts are read, or labels alone
    /// * `each`: gets a piece, and the number of rows before it
    ///
    /// # Errors
    /// As [`Input::open`], the first of `each`, and [`Error::Interrupted`].
    pub fn each(
        &self,
        texts: bool,
        mut each: impl FnMut(Raw, usize) -> Result<()>,
    ) -> Result<Noticed> {
        let mut rows = Rows {
            input: self,
            texts,
            raw: Raw::default(),
            before: 0,
            lists: None,
            noticed: Noticed::default(),
            each: &mut each,
        };
        for table in &self.tables {
            let first = rows.number();
            rows.flush()?;
            rows.raw.places.starts.push((first, table.path.display().to_string()));
            rows.read(table)?;
            if rows.number() == first {
                let remedy = "give a file with documents";
                return Err(Error::input(table.path.display(), "", "no rows", remedy));
            }
        }
        rows.flush()?;
        Ok(rows.noticed)
    }
}

impl Table {
    fn open(path: &Path, file: &File, text: &[String], label: &[String]) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stream = Stream::open(path, &file.encoding)?;
        let ending = sources::ending(&name).map(|(_, ending)| ending).unwrap_or_default();
        let begins = stream.first.trim_ascii_start().first().copied();
        let kind = if ending == "parquet" || stream.first.starts_with(stream::PARQUET) {
            Kind::Parquet(Frames::open(path, Path::new("a.parquet"))?)
        } else if matches!(ending.as_str(), "json" | "jsonl" | "ndjson") {
            Kind::Json(Objects::open(path, stream)?)
        } else if matches!(ending.as_str(), "csv" | "tsv" | "tab" | "txt" | "psv") {
            let typed = Typed {
                separator: &file.separator,
                quotes: file.quotes,
                backslash: file.backslash,
                no_header: file.no_header,
            };
            let fits = |names: &[String]| {
                let has = |name: &str| names.iter().any(|n| n == name);
                let labelled = match label {
                    [] => has("label") || has("labels"),
                    named => named.iter().all(|name| has(name)),
                };
                labelled && text.iter().all(|name| has(name))
            };
            let tabs = matches!(ending.as_str(), "tsv" | "tab" | "txt");
            Kind::Separated(Box::new(Separated::open(path, stream, &typed, tabs, &fits)?))
        } else {
            let problem = match (begins, ending.as_str()) {
                (Some(b'{' | b'['), _) => "JSON in a file that is not called so".to_string(),
                (_, "") => "its name tells no format".to_string(),
                (_, ending) => format!("`.{}` is no format of this program", brief(ending)),
            };
            let remedy = format!("give a file that ends in {ENDINGS}, or a folder of label/*.txt");
            return Err(Error::input(path.display(), "", problem, remedy));
        };
        let notes = match &kind {
            Kind::Separated(table) => table.notes.clone(),
            Kind::Json(objects) => objects.notes.clone(),
            _ => Vec::new(),
        };
        Ok(Self { path: path.into(), kind, notes })
    }

    fn names(&self) -> &[String] {
        match &self.kind {
            Kind::Parquet(frames) => &frames.names,
            Kind::Separated(table) => &table.names,
            Kind::Json(objects) => &objects.names,
            Kind::Texts => &[],
        }
    }

    fn has(&self, name: &str) -> Result<bool> {
        match &self.kind {
            // Not every object has every key.
            Kind::Json(objects) => objects.has(name),
            _ => Ok(self.names().iter().any(|n| n == name)),
        }
    }

    /// Refuses a column that is not there, or there twice.
    fn require(&self, wanted: &str, file: &File) -> Result<()> {
        let names = self.names();
        let twice = names.iter().filter(|n| *n == wanted).count() > 1;
        if self.has(wanted)? && !twice {
            return Ok(());
        }
        let path = self.path.display();
        if twice {
            let problem = format!("two columns are called `{}`", brief(wanted));
            let remedy = "rename one, or take columns by number: --no-header";
            return Err(Error::input(path, "", problem, remedy));
        }
        let shown: Vec<&str> = names.iter().map(String::as_str).collect();
        let near = nearest::nearest(wanted, &shown)
            .map(|near| format!("did you mean `{}`? There are", brief(near)));
        let hint = format!("{}: {}", near.unwrap_or_else(|| "there are".into()), listed(names));
        let by_number = numbered(names);
        let own = match &self.kind {
            Kind::Separated(table) if table.header_looks_like_a_row() => by_number.as_str(),
            _ if names.iter().any(|n| n.starts_with("__label__")) => {
                "These are fastText's labels: write a table instead, with the header `label,text` and the label without \
                 `__label__` in a column of its own"
            }
            _ if file.no_header => "Name columns by number: --text 1 --label 2",
            _ => {
                "Name yours with --text COLUMN,… and --label COLUMN, or in the experiment: `File(train: …, \
                 text: [\"…\"], label: \"…\")`"
            }
        };
        let problem = format!("no column `{}`", brief(wanted));
        Err(Error::input(path, "", problem, format!("{hint}. {own}")))
    }
}

/// What to type where the first row is data: the longest field is taken for the text.
fn numbered(row: &[String]) -> String {
    let said = "The first row looks like data: --no-header takes columns by number";
    let longest = (0..row.len()).max_by_key(|&i| (row[i].len(), row.len() - i)).unwrap_or(0);
    match row.len() {
        0 | 1 => said.into(),
        // Beside the text: the column after it, or else the first one.
        n => {
            let label = if longest + 1 < n { longest + 2 } else { 1 };
            format!("{said}, for instance --no-header --text {} --label {label}", longest + 1)
        }
    }
}

/// Rows on their way into pieces.
struct Rows<'a> {
    input: &'a Input,
    texts: bool,
    raw: Raw,
    /// Rows handed on.
    before: usize,
    /// Whether labels are lists, once a row has told.
    lists: Option<bool>,
    noticed: Noticed,
    each: &'a mut dyn FnMut(Raw, usize) -> Result<()>,
}

/// What stands in the label column of one row.
enum Label {
    Missing,
    One(Value),
    Many(Vec<Value>),
}

impl Rows<'_> {
    /// Rows so far.
    fn number(&self) -> usize {
        self.before + self.raw.labels.len()
    }

    fn flush(&mut self) -> Result<()> {
        if self.raw.labels.is_empty() {
            return Ok(());
        }
        interrupt::check("while reading")?;
        self.raw.lists = self.lists == Some(true);
        let places = self.raw.places.clone();
        let raw = std::mem::replace(&mut self.raw, Raw { places, ..Raw::default() });
        let rows = raw.labels.len();
        (self.each)(raw, self.before)?;
        self.before += rows;
        Ok(())
    }

    fn read(&mut self, table: &Table) -> Result<()> {
        let input = self.input;
        let text: &[String] = if self.texts { &input.text } else { &[] };
        let wanted: Vec<&str> = text.iter().chain(&input.label).map(String::as_str).collect();
        match &table.kind {
            Kind::Separated(file) => self.separated(file, &wanted, text.len()),
            Kind::Json(objects) => objects.each(&wanted, |rows| {
                for mut cells in rows {
                    let labels = cells.split_off(text.len());
                    let texts =
                        cells.into_iter().map(|c| self.words(c)).collect::<Result<Vec<_>>>()?;
                    let labels =
                        labels.into_iter().map(|c| self.label_of(c)).collect::<Result<_>>()?;
                    self.push(texts.into_iter().map(|t| t.map(Cow::Owned)), labels)?;
                }
                Ok(())
            }),
            Kind::Parquet(frames) => self.parquet(frames, &wanted, text.len()),
            Kind::Texts => {
                for (text, label) in folder(&table.path)? {
                    let label = Label::One(Value::Name(label));
                    self.push(
                        [Some(Cow::Owned(text))].into_iter().take(self.texts as usize),
                        vec![label],
                    )?;
                }
                Ok(())
            }
        }
    }

    fn separated(&mut self, file: &Separated, wanted: &[&str], texts: usize) -> Result<()> {
        let place = |name: &&str| file.names.iter().position(|n| n == name);
        let places: Vec<usize> = wanted.iter().filter_map(place).collect();
        let mut rows = file.rows()?;
        while rows.next()? {
            let mut parts = Vec::with_capacity(texts);
            let mut labels = Vec::with_capacity(places.len() - texts);
            for &at in &places[texts..] {
                let label = rows.text(at)?;
                let label = label.trim();
                labels.push(match label.is_empty() {
                    true => Label::Missing,
                    false => Label::One(Value::Name(label.into())),
                });
            }
            if self.texts && rows.spans_lines() && self.noticed.spanning.len() < SPANNING {
                let lines = rows.lines_as_rows(places[texts]);
                if !lines.is_empty() {
                    self.noticed.spanning.push((self.number(), lines));
                }
            }
            for &at in &places[..texts] {
                parts.push(Some(rows.text(at)?));
            }
            self.push(parts.into_iter(), labels)?;
        }
        self.noticed.blank += rows.blank;
        Ok(())
    }

    fn parquet(&mut self, frames: &Frames, wanted: &[&str], texts: usize) -> Result<()> {
        let mut once = wanted.to_vec();
        once.sort_unstable();
        once.dedup();
        frames.each(&once, |frame| {
            let column = |name: &&str| frame.column(name).map_err(|e| frames.refused(e));
            let (parts, labels) = frames.unbroken(|| {
                let mut parts = Vec::with_capacity(texts);
                for name in &wanted[..texts] {
                    parts.push(self.strings(frames, column(name)?)?);
                }
                let labels: Result<Vec<Vec<Label>>> =
                    wanted[texts..].iter().map(|n| label_cells(frames, column(n)?)).collect();
                Ok((parts, labels?))
            })?;
            let mut lengths =
                parts.iter().map(StringChunked::len).chain(labels.iter().map(Vec::len));
            if let Some(other) = lengths.find(|n| *n != frame.height()) {
                let problem = format!(
                    "a damaged parquet file: columns of {} and {other} rows",
                    frame.height()
                );
                let remedy = "fetch or export it again";
                return Err(Error::input(frames.path.display(), "", problem, remedy));
            }
            let mut labels: Vec<_> = labels.into_iter().map(Vec::into_iter).collect();
            for row in 0..frame.height() {
                let cells = labels.iter_mut().map(|l| l.next().unwrap_or(Label::Missing)).collect();
                self.push(parts.iter().map(|p| p.get(row).map(Cow::Borrowed)), cells)?;
            }
            Ok(true)
        })
    }

    /// A text column; lists of words are joined by blanks.
    fn strings(&mut self, frames: &Frames, column: &Column) -> Result<StringChunked> {
        let refused = |e| frames.refused(e);
        if let DataType::List(inner) = column.dtype()
            && **inner == DataType::String
        {
            let lists = column.list().map_err(refused)?;
            self.noticed.words += lists.len();
            let joined = (0..lists.len()).map(|row| {
                let words = lists.get_as_series(row)?;
                let words: Vec<&str> = words.str().ok()?.iter().flatten().collect();
                Some(words.join(" "))
            });
            return Ok(joined.collect());
        }
        if column.dtype().is_nested() {
            let problem = format!("text of type {}", column.dtype());
            let place = format!("column `{}`", brief(column.name()));
            return Err(Error::input(frames.path.display(), place, problem, "give text"));
        }
        let strings = column.cast(&DataType::String).map_err(refused)?;
        strings.str().cloned().map_err(refused)
    }

    /// A JSON text.
    fn words(&mut self, cell: Cell) -> Result<Option<String>> {
        let list = match cell {
            Cell::Missing => return Ok(None),
            Cell::Text(text) | Cell::Number(text) => return Ok(Some(text)),
            Cell::Flag(flag) => return Ok(Some(flag.to_string())),
            Cell::List(list) => list,
            Cell::Object => return Err(self.refuse("text", "an object, where text is expected")),
        };
        self.noticed.words += 1;
        let mut words = Vec::with_capacity(list.len());
        for cell in list {
            match cell {
                Cell::Text(word) | Cell::Number(word) => words.push(word),
                Cell::Missing => {}
                _ => return Err(self.refuse("text", "a list of lists, where text is expected")),
            }
        }
        Ok(Some(words.join(" ")))
    }

    /// A JSON label.
    fn label_of(&self, cell: Cell) -> Result<Label> {
        let value = |cell: Cell| match cell {
            Cell::Text(text) => Some(Value::Name(text.trim().to_string())),
            Cell::Number(text) => Some(number(text)),
            Cell::Flag(flag) => Some(Value::Name(flag.to_string())),
            _ => None,
        };
        let refused = |what| self.refuse("label", what);
        match cell {
            Cell::Missing => Ok(Label::Missing),
            Cell::List(list) => {
                let values: Option<Vec<Value>> = list.into_iter().map(value).collect();
                values
                    .map(Label::Many)
                    .ok_or_else(|| refused("a list with something that is no label"))
            }
            Cell::Object => Err(refused("an object, where a label is expected")),
            one => Ok(value(one).map_or(Label::Missing, Label::One)),
        }
    }

    fn refuse(&self, what: &str, problem: &str) -> Error {
        let column = if what == "text" { self.input.text.join(",") } else { self.input.column() };
        let remedy = match problem.starts_with("an object") {
            true => {
                "give one value a row; from pandas: `df.to_json(path, orient=\"records\", lines=True)`"
            }
            false => "give integers, text, or lists of either",
        };
        self.raw.places.error(self.number(), &column, problem.into(), remedy)
    }

    /// Adds a row.
    fn push<'t>(
        &mut self,
        parts: impl Iterator<Item = Option<Cow<'t, str>>>,
        labels: Vec<Label>,
    ) -> Result<()> {
        let values = self.values(labels)?;
        if self.texts {
            let mut all = String::new();
            for (column, part) in self.input.text.iter().zip(parts) {
                let part = part.unwrap_or_default();
                if part.trim().is_empty() {
                    *self.noticed.empty.entry(column.clone()).or_default() += 1;
                } else if all.is_empty() {
                    all = part.into_owned();
                } else {
                    all.push(' ');
                    all.push_str(&part);
                }
            }
            self.raw.texts.push(all);
        }
        self.raw.labels.push(values);
        if self.raw.labels.len() == PIECE { self.flush() } else { Ok(()) }
    }

    fn values(&mut self, mut labels: Vec<Label>) -> Result<Vec<Value>> {
        let row = self.number();
        let error = |column: &str, problem: String, remedy: &str| {
            Err(self.raw.places.error(row, column, problem, remedy))
        };
        if self.input.one_hot {
            self.lists = Some(true);
            let mut carried = Vec::new();
            for (name, cell) in self.input.label.iter().zip(labels) {
                let value = match &cell {
                    Label::One(value) => flag(value),
                    _ => None,
                };
                match (value, cell) {
                    (Some(true), _) => carried.push(Value::Name(name.clone())),
                    (Some(false), _) => {}
                    (None, Label::One(value)) => {
                        let problem = format!("`{}` is neither 0 nor 1", brief(&value.to_string()));
                        return error(name, problem, "one column a label holds 0 and 1 alone");
                    }
                    (None, _) => {
                        return error(
                            name,
                            "neither 0 nor 1".into(),
                            "one column a label holds 0 and 1 alone",
                        );
                    }
                }
            }
            return Ok(carried);
        }
        let column = &self.input.label[0];
        let (values, list) = match labels.pop() {
            Some(Label::One(Value::Name(name)))
                if name.is_empty() && !self.input.may_be_missing =>
            {
                return error(column, format!("nothing in column `{}`", brief(column)), EMPTY);
            }
            Some(Label::One(value)) => (vec![value], false),
            Some(Label::Many(values)) => (values, true),
            _ if self.input.may_be_missing => (Vec::new(), false),
            _ => return error(column, format!("nothing in column `{}`", brief(column)), EMPTY),
        };
        match self.lists {
            Some(lists) if lists != list => {
                let remedy = "use one form";
                error(column, "a list in one row and a single label in another".into(), remedy)
            }
            _ => {
                self.lists = Some(list);
                Ok(values)
            }
        }
    }
}

const EMPTY: &str = "fill it in, or remove the row";

/// 0 and 1 however they are written.
pub(super) fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Number(0) => Some(false),
        Value::Number(1) => Some(true),
        Value::Number(_) => None,
        Value::Name(name) => match name.to_lowercase().as_str() {
            "0" | "0.0" | "false" => Some(false),
            "1" | "1.0" | "true" => Some(true),
            _ => None,
        },
    }
}

/// A number of a file as a label.
fn number(written: String) -> Value {
    match (written.parse::<i64>(), written.parse::<f64>()) {
        (Ok(whole), _) => Value::Number(whole),
        (_, Ok(x)) => match Value::from(x) {
            Value::Number(whole) => Value::Number(whole),
            Value::Name(_) => Value::Name(written),
        },
        _ => Value::Name(written),
    }
}

/// What stands in the label column of each row.
fn label_cells(from: &Frames, column: &Column) -> Result<Vec<Label>> {
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
            all.push(match lists.get_as_series(row) {
                None => Label::Missing,
                Some(inner) => {
                    let values = plain(from, &inner, &name)?;
                    // A label that is missing in a list is no label.
                    Label::Many(values.into_iter().flatten().collect())
                }
            });
        }
        return Ok(all);
    }
    let values = plain(from, column.as_materialized_series(), &name)?;
    Ok(values.into_iter().map(|v| v.map_or(Label::Missing, Label::One)).collect())
}

/// Values of a series.
fn plain(from: &Frames, series: &Series, name: &str) -> Result<Vec<Option<Value>>> {
    let refused = |e| from.refused(e);
    match series.dtype() {
        // Categories are names.
        DataType::Categorical(..) | DataType::Enum(..) => {
            plain(from, &series.cast(&DataType::String).map_err(refused)?, name)
        }
        DataType::String => {
            let strings = series.str().map_err(refused)?;
            Ok(strings.iter().map(|s| Some(Value::Name(s?.trim().to_string()))).collect())
        }
        DataType::Boolean => {
            let flags = series.bool().map_err(refused)?;
            Ok(flags.iter().map(|f| Some(Value::Name(f?.to_string()))).collect())
        }
        dtype if dtype.is_integer() => {
            let whole = series.cast(&DataType::Int64).map_err(refused)?;
            let whole = whole.i64().map_err(refused)?;
            let value = |(row, x): (usize, Option<i64>)| match x {
                Some(x) => Some(Value::Number(x)),
                // Larger than what an index can be: as text, which is refused where it is read.
                None => match series.get(row) {
                    Ok(AnyValue::Null) | Err(_) => None,
                    Ok(large) => Some(Value::Name(large.to_string())),
                },
            };
            Ok(whole.iter().enumerate().map(value).collect())
        }
        dtype if dtype.is_primitive_numeric() || matches!(dtype, DataType::Decimal(..)) => {
            let numbers = series.cast(&DataType::Float64).map_err(refused)?;
            let numbers = numbers.f64().map_err(refused)?;
            Ok(numbers.iter().map(|x| x.map(Value::from)).collect())
        }
        DataType::Null => Ok(vec![None; series.len()]),
        other => Err(Error::input(
            from.path.display(),
            format!("column `{}`", brief(name)),
            format!("labels of type {other}"),
            "give integers, text, or lists of either",
        )),
    }
}

impl Noticed {
    /// What there is to say of a split's files.
    ///
    /// * `texts`: number of text columns
    /// * `known`: whether something is a label
    pub fn notes(
        &self,
        file: &Input,
        places: &Places,
        known: &dyn Fn(&str) -> bool,
    ) -> Vec<String> {
        let name = places.of(0).0;
        let mut notes = Vec::new();
        if file.text.len() > 1 {
            for (column, count) in &self.empty {
                notes.push(format!(
                    "{name}: nothing in column `{}` of {count} rows; it was read as empty text",
                    brief(column)
                ));
            }
        }
        if self.blank > 0 {
            notes.push(format!("{name}: {} rows of empty fields were passed over", self.blank));
        }
        if self.words > 0 {
            notes.push(format!(
                "{name}: the text of {} rows is a list; its words were joined by blanks and are cut again, \
                 unless `corpus.tokens.cut` is Whitespace",
                self.words
            ));
        }
        let doubtful = self.spanning.iter().find(|(_, labels)| labels.iter().any(|l| known(l)));
        if let Some((row, labels)) = doubtful {
            let count = self.spanning.iter().filter(|(_, l)| l.iter().any(|l| known(l))).count();
            let (file, row) = places.of(*row);
            let label = labels.iter().find(|l| known(l)).map(|l| brief(l)).unwrap_or_default();
            notes.push(format!(
                "{file}: {count} rows hold lines that look like rows of their own, first row {} (a line with the \
                 label `{label}`): a quotation mark may stand in the text; if marks are just text: --quotes no",
                row + 1
            ));
        }
        notes
    }
}

/// Texts and labels of a folder of `label/*.txt`; files in the order of their names.
fn folder(path: &Path) -> Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for label in sorted(path)?.into_iter().filter(|p| p.is_dir()) {
        let name = label.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let texts = sorted(&label)?;
        for text in texts.into_iter().filter(|p| p.extension().is_some_and(|e| e == "txt")) {
            all.push((stream::small(&text, u64::MAX)?, name.clone()));
        }
    }
    if all.is_empty() {
        let remedy = "place texts as LABEL/NAME.txt in it";
        return Err(Error::input(path.display(), "", "no label/*.txt in this folder", remedy));
    }
    Ok(all)
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(Error::io(folder))?.path());
    }
    paths.sort();
    Ok(paths)
}
