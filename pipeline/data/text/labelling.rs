//! From values of a label column to label indices, and the variants of a corpus.

use super::read::{Places, Value, flag};
use super::settings::{File, Label, Variant};
use super::stream::{brief, listed};
use crate::nearest;
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Separators that several labels in one cell are looked for with.
const JOINED: [&str; 4] = [",", ";", "|", "/"];

/// Documents from which on labels that occur once each are no labels.
const ALONE: usize = 10;

/// How the cells of a label column are read. It is decided by the whole column of the training split, never by its
/// first rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// What joins labels in a cell.
    separator: Option<String>,
    /// Whether cells are lists as a programming language writes them, `[1, 2]`.
    bracketed: bool,
    /// Whether all values are whole numbers.
    numbers: bool,
    /// Places of 0/1 vectors, one a label.
    vectors: Option<usize>,
    /// Whether the cells themselves are lists.
    listed: bool,
    /// Whether documents carry lists.
    pub lists: bool,
    /// What was found out.
    pub notes: Vec<String>,
}

impl Form {
    /// Decides by the cells of the training split.
    ///
    /// * `cells`: each distinct cell with the first row that has it
    /// * `listed`: whether cells are lists
    ///
    /// # Errors
    /// [`Error::Input`] with file, row and column for a value that is no label.
    pub fn of(
        cells: &[(&[Value], usize)],
        listed: bool,
        file: &File,
        (places, column): (&Places, &str),
    ) -> Result<Self> {
        let name = places.of(0).0.to_string();
        let place = || format!("column `{}`", brief(column));
        let mut form = Self {
            separator: Some(file.label_separator.clone()).filter(|s| !s.is_empty()),
            bracketed: false,
            numbers: false,
            vectors: None,
            listed,
            lists: listed,
            notes: Vec::new(),
        };
        let bracketed = |(cell, _): &(&[Value], usize)| {
            text(cell).is_some_and(|t| t.starts_with('[') && t.ends_with(']'))
        };
        if form.separator.is_some() && (listed || cells.iter().all(bracketed)) {
            let remedy = "leave --label-separator out";
            return Err(Error::input(name, place(), "cells are lists already", remedy));
        }
        if !listed {
            let texts: Vec<&str> = cells.iter().filter_map(|(cell, _)| text(cell)).collect();
            let brackets = |t: &&str| t.starts_with('[') && t.ends_with(']');
            form.bracketed = form.separator.is_none()
                && texts.len() == cells.len()
                && texts.iter().all(brackets);
            if form.bracketed {
                form.notes.push(format!(
                    "{name}: the cells of column `{}`, as `{}`, were read as lists of labels",
                    brief(column),
                    brief(texts[0])
                ));
            } else if form.separator.is_none() {
                form.notes.extend(looks_joined(&texts, &name, column));
                form.notes.extend(looks_like_flags(&texts, &name, column));
            }
            form.lists = form.bracketed || form.separator.is_some();
        }
        let split: Vec<(Vec<Value>, usize)> =
            cells.iter().map(|(cell, row)| (form.split(cell), *row)).collect();
        form.numbers = all_numbers(&split, places, column)?;
        form.vectors = form.width(&split, file, places, column)?;
        Ok(form)
    }

    /// Length of the vectors, if the lists are such.
    fn width(
        &mut self,
        cells: &[(Vec<Value>, usize)],
        file: &File,
        places: &Places,
        column: &str,
    ) -> Result<Option<usize>> {
        let one_hot = !file.labels.is_empty();
        if !self.lists || one_hot || self.separator.is_some() || file.label_vectors == Some(false) {
            return Ok(None);
        }
        let width = cells.first().map_or(0, |(cell, _)| cell.len());
        let is_vector =
            |cell: &[Value]| cell.len() == width && cell.iter().all(|v| flag(v).is_some());
        let other = cells.iter().find(|(cell, _)| !is_vector(cell));
        match (other, file.label_vectors) {
            (Some((_, row)), Some(true)) => {
                let problem = format!("no vector of {width} numbers, each 0 or 1");
                return Err(places.error(*row, column, problem, "leave `label_vectors` out"));
            }
            (Some(_), _) => {
                self.almost_vectors(cells, places, column)?;
                return Ok(None);
            }
            (None, None) if width < 2 => return Ok(None),
            _ => {}
        }
        if !file.names.is_empty() && file.names.len() != width {
            let problem = format!("vectors of {width} places, and {} names", file.names.len());
            return Err(places.error(0, column, problem, "give a name for each place"));
        }
        self.notes.push(format!(
            "{}: column `{}` holds vectors of 0 and 1: place k says whether label k is there. Where they are lists of labels 0 and 1: `label_vectors: Some(false)`",
            places.of(0).0,
            brief(column)
        ));
        Ok(Some(width))
    }

    /// Refuses lists of 0 and 1, or 1 and −1, that are vectors but for a few rows: one value stands twice in a list, which
    /// in a list of labels it would not.
    fn almost_vectors(
        &self,
        cells: &[(Vec<Value>, usize)],
        places: &Places,
        column: &str,
    ) -> Result<()> {
        let signed =
            |v: &Value| matches!(v.to_string().as_str(), "0" | "1" | "-1" | "0.0" | "1.0" | "-1.0");
        let mut widths = HashMap::<usize, usize>::new();
        cells.iter().for_each(|(cell, _)| *widths.entry(cell.len()).or_default() += 1);
        let Some((&width, _)) = widths.iter().max_by_key(|(width, n)| (**n, **width)) else {
            return Ok(());
        };
        let twice = |cell: &[Value]| cell.iter().enumerate().any(|(i, v)| cell[..i].contains(v));
        if width < 2
            || !cells.iter().all(|(cell, _)| cell.iter().all(signed))
            || !cells.iter().any(|(cell, _)| twice(cell))
        {
            return Ok(());
        }
        let odd = cells.iter().find(|(cell, _)| cell.len() != width);
        let (row, problem) = match odd {
            Some((cell, row)) => (
                *row,
                format!(
                    "a list of {}, where others are vectors of {width} zeros and ones",
                    cell.len()
                ),
            ),
            None => (cells[0].1, format!("vectors of {width} numbers with −1 among them")),
        };
        let remedy = "correct the row, or write 1 for a label that is there and 0 for one that is not; lists of labels 0 and 1: \
                      `label_vectors: Some(false)`";
        Err(places.error(row, column, problem, remedy))
    }

    /// Number of labels that vectors have.
    pub fn places(&self) -> Option<usize> {
        self.vectors
    }

    /// Whether labels are whole numbers, or places of vectors.
    pub fn is_numbered(&self) -> bool {
        self.numbers || self.vectors.is_some()
    }

    /// Parts of a cell, as they are written.
    fn split(&self, cell: &[Value]) -> Vec<Value> {
        let Some(text) = text(cell) else { return cell.to_vec() };
        let name = |part: &str| Value::Name(part.to_string());
        if let Some(separator) = &self.separator {
            let parts = text.split(separator.as_str()).map(str::trim).filter(|p| !p.is_empty());
            return parts.map(name).collect();
        }
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']'));
        if let (true, Some(inner)) = (self.bracketed, inner) {
            let inner = inner.trim();
            let bare = |part: &str| part.trim().trim_matches(['\'', '"']).to_string();
            let parts: Vec<String> = match inner.contains(',') {
                true => inner.split(',').map(bare).collect(),
                // As NumPy prints an array.
                false => inner.split_whitespace().map(bare).collect(),
            };
            return parts.into_iter().filter(|p| !p.is_empty()).map(Value::Name).collect();
        }
        cell.to_vec()
    }

    /// Labels of the cell in row `row`.
    ///
    /// * `listed`: whether that split's cells are lists
    ///
    /// # Errors
    /// [`Error::Input`] with file and row for a cell of another form than the training split's.
    pub fn read(
        &self,
        cell: &[Value],
        listed: bool,
        row: usize,
        (places, column): (&Places, &str),
    ) -> Result<Vec<Value>> {
        let refuse = |problem: String| Err(places.error(row, column, problem, "use one form"));
        if listed != self.listed {
            return refuse("lists in one split and single labels in another".into());
        }
        match self.values(cell) {
            Some(values) => Ok(values),
            None => {
                refuse(format!("no vector of {} places, each 0 or 1", self.vectors.unwrap_or(0)))
            }
        }
    }

    /// Labels of a cell; none where vectors are expected and this is not one.
    fn values(&self, cell: &[Value]) -> Option<Vec<Value>> {
        let mut values = self.split(cell);
        if let Some(width) = self.vectors {
            let flags: Option<Vec<bool>> = values.iter().map(flag).collect();
            let flags = flags.filter(|f| f.len() == width)?;
            return Some(
                (0..width).filter(|&k| flags[k]).map(|k| Value::Number(k as i64)).collect(),
            );
        }
        for value in &mut values {
            match (self.numbers, &*value) {
                (true, Value::Name(text)) => {
                    if let Number::Whole(number) = Number::of(text) {
                        *value = Value::Number(number);
                    }
                }
                (false, Value::Number(number)) => *value = Value::Name(number.to_string()),
                _ => {}
            }
        }
        Some(values)
    }
}

/// The one text of a cell.
fn text(cell: &[Value]) -> Option<&str> {
    match cell {
        [Value::Name(text)] => Some(text),
        _ => None,
    }
}

/// What a text is as a number.
enum Number {
    Whole(i64),
    /// A whole number beyond all labels.
    Large,
    Fraction,
    None,
}

impl Number {
    /// `007` is a name: as a number it would be the same label as `7`.
    fn of(text: &str) -> Self {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let (whole, rest) = digits.split_once('.').unwrap_or((digits, ""));
        let plain = !whole.is_empty()
            && whole.bytes().all(|b| b.is_ascii_digit())
            && (whole == "0" || !whole.starts_with('0'));
        if plain && rest.bytes().all(|b| b == b'0') {
            let sign = if digits.len() < text.len() { "-" } else { "" };
            return format!("{sign}{whole}").parse().map_or(Number::Large, Number::Whole);
        }
        let number = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        let leading_zero = whole.len() > 1 && whole.starts_with('0');
        match text.parse::<f64>() {
            Ok(x) if number && !leading_zero && x.is_finite() => Number::Fraction,
            _ => Number::None,
        }
    }
}

/// Whether all values of a column are whole numbers.
///
/// # Errors
/// [`Error::Input`] where all are numbers, and one has a fraction or is too large.
fn all_numbers(cells: &[(Vec<Value>, usize)], places: &Places, column: &str) -> Result<bool> {
    let mut odd: Option<(usize, &str, bool)> = None;
    for (cell, row) in cells {
        for value in cell {
            let Value::Name(text) = value else { continue };
            let large = match Number::of(text) {
                Number::Whole(_) => continue,
                Number::None => return Ok(false),
                Number::Large => true,
                Number::Fraction => false,
            };
            if odd.is_none_or(|(first, ..)| *row < first) {
                odd = Some((*row, text, large));
            }
        }
    }
    let Some((row, text, large)) = odd else { return Ok(true) };
    let problem = match large {
        true => format!("label {} is too large to be one of a few classes", brief(text)),
        false => format!("label {} is not a whole number", brief(text)),
    };
    Err(places.error(row, column, problem, "give integers, text, or lists of either"))
}

/// A line that says which label is which, in the order of a network's outputs.
pub fn in_order(names: &[String]) -> String {
    format!("{} labels, in this order: {}", names.len(), listed(names))
}

/// A note where cells look like several labels: their parts occur alone, or far fewer parts than cells are distinct.
fn looks_joined(texts: &[&str], file: &str, column: &str) -> Option<String> {
    let alone: HashSet<&str> = texts.iter().copied().collect();
    JOINED.iter().find_map(|separator| {
        let joined: Vec<&&str> = texts.iter().filter(|t| t.contains(separator)).collect();
        let parts: HashSet<&str> =
            joined.iter().flat_map(|t| t.split(separator)).map(str::trim).collect();
        let known = parts.iter().filter(|p| alone.contains(**p)).count();
        let short = parts.iter().all(|p| !p.is_empty() && p.len() < 40);
        let repeated = joined.len() >= 3 && 2 * parts.len() <= joined.len();
        if joined.is_empty() || !short || 2 * known < parts.len() && !repeated {
            return None;
        }
        let labels: HashSet<&str> =
            texts.iter().flat_map(|t| t.split(separator)).map(str::trim).collect();
        Some(format!(
            "{file}: cells of column `{}` such as `{}` look like several labels; each was taken as one. `--label-separator \"{separator}\"` (`label_separator`) reads lists of {} labels",
            brief(column),
            brief(joined[0]),
            labels.len()
        ))
    })
}

/// A note where cells are as many zeros and ones each, as `1 0 1` or `101`, with or without blanks.
fn looks_like_flags(texts: &[&str], file: &str, column: &str) -> Option<String> {
    let flags = |t: &&str| {
        let bits: Vec<char> = t.chars().filter(|c| !matches!(c, ' ' | ',' | ';' | '|')).collect();
        bits.iter().all(|c| matches!(c, '0' | '1')).then_some(bits.len())
    };
    let width = flags(texts.first()?).filter(|n| *n >= 2)?;
    let all = texts.len() > 2 && texts.iter().all(|t| flags(t) == Some(width));
    all.then(|| {
        format!(
            "{file}: cells of column `{}` such as `{}` look like {width} labels that are there (1) or not (0); each was taken \
             as one class. Write them as lists, `[1, 0, 1]`",
            brief(column),
            brief(texts[0])
        )
    })
}

/// Which value is which label, and what the labels are called.
#[derive(Clone, Debug)]
pub struct Labelling {
    names: Vec<String>,
    /// Label indices of each value; none: the document (or the label) is dropped.
    of_value: HashMap<Value, Option<usize>>,
    /// Whether documents carry lists.
    pub lists: bool,
    keep_unlabelled: bool,
}

impl Labelling {
    /// The labelling of a corpus.
    ///
    /// * `names`: label names by index, where the source tells them; else the
    ///   values of the training split are the labels, in order
    /// * `present`: the values of the training split; `lists`: whether they stand in lists
    /// * `file`, `column`: for messages; `rows`: of the training split
    ///
    /// # Errors
    /// [`Error::Input`] for a variant that names a label which is not there.
    pub fn new(
        names: &[String],
        variant: &Variant,
        (present, lists): (BTreeSet<Value>, bool),
        (file, column, rows): (&str, &str, usize),
    ) -> Result<Self> {
        let place = format!("column `{}`", brief(column));
        let most = variant.most.unwrap_or(Variant::MOST);
        let found = if names.is_empty() { present.len() } else { names.len() };
        if names.is_empty() && !lists && found == rows && rows >= ALONE {
            let problem =
                format!("{found} different labels in {rows} rows: each document has its own");
            return Err(Error::input(file, place, problem, "name the label column with --label"));
        }
        if found > most && variant.keep.is_empty() && variant.groups.is_empty() {
            let problem =
                format!("{found} different labels in {rows} rows, and {most} are taken at most");
            let remedy = format!(
                "if it is a column of ids or of text, name another with --label; else `--set \
                 corpus.variant.most={found}`"
            );
            return Err(Error::input(file, place, problem, remedy));
        }
        let values: Vec<Value> = if names.is_empty() {
            present.into_iter().collect()
        } else {
            (0..names.len() as i64).map(Value::Number).collect()
        };
        let shown: Vec<String> = if names.is_empty() {
            values.iter().map(Value::to_string).collect()
        } else {
            names.to_vec()
        };
        let find = |label: &Label| -> Result<usize> {
            let found = match label {
                Label::Number(number) => values.iter().position(|v| *v == Value::Number(*number)),
                Label::Name(name) => shown.iter().position(|s| s == name),
            };
            found.ok_or_else(|| {
                let all: Vec<&str> = shown.iter().map(String::as_str).collect();
                let near = nearest::nearest(&label.to_string(), &all);
                let near = near.map(|n| format!("did you mean `{}`? There", brief(n)));
                let hint = format!("{} are: {}", near.as_deref().unwrap_or("there"), listed(&all));
                Error::input(file, &place, format!("no label `{label}`"), hint)
            })
        };
        // What each label of the source becomes.
        let mut becomes: Vec<Option<usize>> = vec![None; values.len()];
        let mut kept: Vec<String> = Vec::new();
        if variant.keep.is_empty() {
            kept = shown.clone();
            becomes = (0..values.len()).map(Some).collect();
        }
        for label in &variant.keep {
            let old = find(label)?;
            becomes[old] = Some(kept.len());
            kept.push(shown[old].clone());
        }
        if !variant.groups.is_empty() {
            let mut grouped = vec![None; values.len()];
            for (new, group) in variant.groups.iter().enumerate() {
                for label in &group.of {
                    let old = find(label)?;
                    grouped[old] = becomes[old].map(|_| new);
                }
            }
            becomes = grouped;
            kept = variant.groups.iter().map(|g| g.name.clone()).collect();
        }
        let mut of_value: HashMap<Value, Option<usize>> =
            values.into_iter().zip(becomes.iter().copied()).collect();
        if !names.is_empty() {
            // The column may hold the names themselves.
            of_value.extend(shown.iter().cloned().map(Value::Name).zip(becomes.iter().copied()));
            if let [no, yes] = becomes[..] {
                let flags = [("false", no), ("true", yes), ("False", no), ("True", yes)];
                for (name, label) in flags {
                    of_value.entry(Value::Name(name.into())).or_insert(label);
                }
            }
        }
        if kept.len() < 2 && !lists {
            let problem = format!("{} class", kept.len());
            let remedy = match variant.keep.len() {
                0 => "a classifier needs two: check the label column and `variant`",
                _ => {
                    "`--label-order` (`corpus.variant.keep`) names the labels that are kept: name all of them"
                }
            };
            return Err(Error::input(file, place, problem, remedy));
        }
        Ok(Self {
            names: kept,
            of_value,
            lists,
            // Labels that are all named are put in order, and none is dropped.
            keep_unlabelled: variant.keep_unlabelled
                || variant.keep.is_empty()
                || variant.keep.len() == shown.len(),
        })
    }

    /// Names of the labels, by index.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Labels of the document in row `row`, ascending; `None` where it is left out.
    ///
    /// # Errors
    /// [`Error::Input`] with file and row for a value that is no label.
    pub fn document(
        &self,
        values: &[Value],
        row: usize,
        (places, column): (&Places, &str),
    ) -> Result<Option<Vec<usize>>> {
        let mut indices = Vec::with_capacity(values.len());
        for value in values {
            let index = self.of_value.get(value).ok_or_else(|| {
                let mut known: Vec<&Value> = self.of_value.keys().collect();
                known.sort();
                let known: Vec<String> = known.into_iter().map(Value::to_string).collect();
                let value = brief(&value.to_string());
                let problem = format!("label `{value}` is none of the {} known", known.len());
                places.error(
                    row,
                    column,
                    problem,
                    format!("correct it; known are {}", listed(&known)),
                )
            })?;
            indices.extend(*index);
        }
        indices.sort_unstable();
        indices.dedup();
        let dropped = indices.is_empty() && !(self.lists && self.keep_unlabelled);
        Ok((!dropped).then_some(indices))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(cells: &[&[&str]], listed: bool, file: &File) -> Form {
        let cells: Vec<Vec<Value>> = cells
            .iter()
            .map(|cell| cell.iter().map(|v| Value::Name((*v).into())).collect())
            .collect();
        let cells: Vec<(&[Value], usize)> = cells.iter().map(Vec::as_slice).zip(0..).collect();
        Form::of(&cells, listed, file, (&Places::default(), "label")).unwrap()
    }

    #[test]
    fn labels_are_numbers_only_if_all_of_them_are() {
        let value = |v: &str| vec![Value::Name(v.into())];
        let all = form(&[&["1"], &["-2.0"]], false, &File::default());
        assert_eq!(all.values(&value("1.0")).unwrap(), [Value::Number(1)]);
        let some = form(&[&["1"], &["unsure"]], false, &File::default());
        assert_eq!(some.values(&value("1")).unwrap(), value("1"));
        let codes = form(&[&["07"], &["7"]], false, &File::default());
        assert_eq!(codes.values(&value("7")).unwrap(), value("7"));
    }

    #[test]
    fn lists_of_as_many_zeros_and_ones_are_vectors() {
        let file = File::default();
        let found = form(&[&["0", "1"], &["1", "1"]], true, &file);
        assert_eq!(found.places(), Some(2));
        let both = ["1", "1"].map(|v| Value::Name(v.into()));
        assert_eq!(found.values(&both).unwrap(), [Value::Number(0), Value::Number(1)]);
        assert_eq!(found.values(&both[..1]), None, "too short");
        assert_eq!(form(&[&["0"], &["1"]], true, &file).places(), None);
        assert_eq!(form(&[&["0", "2"], &["1", "1"]], true, &file).places(), None);
        let lists = File { label_vectors: Some(false), ..file };
        assert_eq!(form(&[&["0", "1"], &["1", "1"]], true, &lists).places(), None);
    }

    #[test]
    fn vectors_but_for_one_row_are_refused_with_that_row_and_packed_flags_are_noticed() {
        let refused = |cells: &[&[&str]]| {
            let cells: Vec<Vec<Value>> = cells
                .iter()
                .map(|cell| cell.iter().map(|v| Value::Name((*v).into())).collect())
                .collect();
            let cells: Vec<(&[Value], usize)> = cells.iter().map(Vec::as_slice).zip(0..).collect();
            Form::of(&cells, true, &File::default(), (&Places::default(), "label"))
                .unwrap_err()
                .to_string()
        };
        let short: &[&[&str]] = &[&["0", "1", "1"], &["1", "0", "0"], &["1", "0"]];
        let said = refused(short);
        assert!(said.contains("row 3") && said.contains("a list of 2"), "{said}");
        let signs: &[&[&str]] = &[&["1", "-1", "1"], &["-1", "-1", "1"]];
        assert!(refused(signs).contains("−1 among them"));
        // Lists of the labels 0 and 1 hold each of them once.
        let lists: &[&[&str]] = &[&["0", "1"], &["1"], &["0"]];
        assert_eq!(form(lists, true, &File::default()).places(), None);
        for cells in [["1 0 1", "0 0 1", "1 1 1"], ["101", "001", "111"]] {
            let cells: Vec<&[&str]> = cells.iter().map(std::slice::from_ref).collect();
            let notes = form(&cells, false, &File::default()).notes;
            assert!(notes.iter().any(|n| n.contains("look like 3 labels")), "{notes:?}");
        }
        let bracketed: Vec<Value> = vec![Value::Name("[1, 0]".into())];
        let file = File { label_separator: ",".into(), ..File::default() };
        let said = Form::of(&[(&bracketed, 0)], false, &file, (&Places::default(), "label"));
        assert!(said.unwrap_err().to_string().contains("leave --label-separator out"));
    }

    #[test]
    fn joined_labels_are_noticed_and_split_where_that_is_asked_for() {
        let cells: &[&[&str]] = &[&["4"], &["2,4"], &["2"]];
        let found = form(cells, false, &File::default());
        assert!(!found.lists && found.notes[0].contains("--label-separator"), "{:?}", found.notes);
        let split = form(cells, false, &File { label_separator: ",".into(), ..File::default() });
        assert!(split.lists && split.notes.is_empty());
        let both = split.values(&[Value::Name("2, 4".into())]).unwrap();
        assert_eq!(both, [Value::Number(2), Value::Number(4)]);
        let sentence: &[&[&str]] = &[&["Sci/Tech"], &["World"], &["Sports"]];
        assert!(form(sentence, false, &File::default()).notes.is_empty());
    }

    #[test]
    fn lists_as_python_writes_them_are_lists() {
        let cells: &[&[&str]] = &[&["['a', \"b\"]"], &["[]"]];
        let found = form(cells, false, &File::default());
        assert!(found.lists);
        let both = found.values(&[Value::Name("['a', \"b\"]".into())]).unwrap();
        assert_eq!(both, ["a", "b"].map(|v| Value::Name(v.into())));
    }
}
