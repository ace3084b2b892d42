//! From values of a label column to label indices, and the variants of a corpus.

use super::read::{Raw, Value};
use super::settings::{Label, Variant};
use crate::nearest;
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap};

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

/// Label indices of a split's documents; `None` for documents that are left out.
pub type Indexed = Vec<Option<Vec<usize>>>;

impl Labelling {
    /// The labelling of a corpus.
    ///
    /// * `names`: label names by index, where the source tells them; else the
    ///   values of the training split are the labels, in order
    /// * `present`: the values of the training split; `lists`: whether they stand in lists
    /// * `file`, `column`: for messages
    ///
    /// # Errors
    /// [`Error::Input`] for a variant that names a label which is not there.
    pub fn new(
        names: &[String],
        variant: &Variant,
        (present, lists): (BTreeSet<Value>, bool),
        (file, column): (&str, &str),
    ) -> Result<Self> {
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
                let hint = nearest::hint(&label.to_string(), &all);
                Error::input(
                    file,
                    format!("column `{column}`"),
                    format!("no label `{label}`"),
                    hint,
                )
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
            of_value.extend(shown.into_iter().map(Value::Name).zip(becomes));
        }
        if kept.len() < 2 && !lists {
            let problem = format!("{} class", kept.len());
            let remedy = "a classifier needs two: check the label column and `variant`";
            return Err(Error::input(file, format!("column `{column}`"), problem, remedy));
        }
        Ok(Self {
            names: kept,
            of_value,
            lists,
            keep_unlabelled: variant.keep_unlabelled || variant.keep.is_empty(),
        })
    }

    /// Names of the labels, by index.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Labels of each document of a split.
    ///
    /// # Errors
    /// [`Error::Input`] with file and row for a value that is no label.
    pub fn apply(&self, raw: &Raw, (file, column): (&str, &str)) -> Result<Indexed> {
        if raw.lists != self.lists {
            let problem = "lists in one split and single labels in another";
            return Err(Error::input(file, format!("column `{column}`"), problem, "use one form"));
        }
        let rows = raw.labels.iter().enumerate();
        rows.map(|(row, values)| self.document(values, row, (file, column))).collect()
    }

    /// Labels of the document in row `row`, ascending; `None` where it is left out.
    ///
    /// # Errors
    /// As [`Labelling::apply`].
    pub fn document(
        &self,
        values: &[Value],
        row: usize,
        (file, column): (&str, &str),
    ) -> Result<Option<Vec<usize>>> {
        let mut indices = Vec::with_capacity(values.len());
        for value in values {
            let index = self.of_value.get(value).ok_or_else(|| {
                let mut known: Vec<String> = self.of_value.keys().map(Value::to_string).collect();
                known.sort();
                known.truncate(12);
                Error::input(
                    file,
                    format!("row {}, column `{column}`", row + 1),
                    format!("label `{value}` is none of the {} known", self.of_value.len()),
                    format!("correct it; known are {}", known.join(", ")),
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
