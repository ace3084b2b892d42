//! `--set path=value`: where a setting stands in an experiment's text.

use crate::notation::{parse, to_ron};
use crate::{Error, Result};
use serde::{Serialize, de::DeserializeOwned};

/// Settings with one of them changed: `path=value`, the path with dots, the value as RON would have it.
///
/// # Errors
/// [`Error::Experiment`] for an unknown path or an impossible value.
pub(super) fn assigned<E: Serialize + DeserializeOwned>(of: &E, assignment: &str) -> Result<E> {
    let shown = format!("--set {assignment}");
    let refuse = |problem: String, column: usize| Error::Experiment {
        file: shown.clone(),
        line: 1,
        column,
        problem,
    };
    let Some((path, value)) = assignment.split_once('=') else {
        return Err(refuse("write `--set path=value`, as `--set training.epochs=3`".into(), 1));
    };
    let value = value.trim();
    let path: Vec<&str> = path.trim().split('.').map(super::renamed).collect();
    let path = path.join(".");
    let path = path.as_str();
    let text = to_ron(of);
    let Some(place) = Place::of(&text, path) else {
        return Err(refuse(format!("`{path}` lies in a setting that has none of its own"), 1));
    };
    parse(&shown, &place.filled(&text, value)).or_else(|first| {
        // A bare word is text where text is wanted.
        let quoted = serde_json::to_string(value).expect("a string becomes JSON");
        parse(&shown, &place.filled(&text, &quoted)).map_err(|_| match first {
            Error::Experiment { problem, .. } => refuse(problem, path.len() + 2),
            other => other,
        })
    })
}

/// Where a setting stands in text that [`to_ron`] wrote, or would stand: some are not written while they are off.
pub(super) struct Place<'a> {
    /// Its value; empty where it is not written.
    span: std::ops::Range<usize>,
    /// Its name, and those of the settings it lies in, from the first that is not written.
    unwritten: Vec<&'a str>,
}

impl<'a> Place<'a> {
    /// The setting `path`, or none if it lies in one that has no settings.
    pub(super) fn of(text: &str, path: &'a str) -> Option<Self> {
        let mut span = 0..text.len();
        let names: Vec<&str> = path.split('.').collect();
        for (depth, name) in names.iter().enumerate() {
            let fields = fields(text, span.clone());
            match fields.iter().find(|(field, _)| field == name) {
                Some((_, value)) => span = value.clone(),
                None => {
                    let end = span.start + text[span].trim_end().strip_suffix(')')?.len();
                    return Some(Self { span: end..end, unwritten: names[depth..].to_vec() });
                }
            }
        }
        Some(Self { span, unwritten: Vec::new() })
    }

    /// The text with `value` there.
    pub(super) fn filled(&self, text: &str, value: &str) -> String {
        let named = self.unwritten.iter().rev().enumerate();
        let value = named.fold(value.to_string(), |value, (depth, name)| match depth {
            0 => format!("{name}: {value}"),
            _ => format!("{name}: ({value})"),
        });
        format!("{}{value}{}", &text[..self.span.start], &text[self.span.end..])
    }
}

/// The outermost `name: value` lines within a part of pretty-printed RON.
fn fields(text: &str, within: std::ops::Range<usize>) -> Vec<(&str, std::ops::Range<usize>)> {
    let mut found: Vec<(&str, std::ops::Range<usize>)> = Vec::new();
    let mut outermost = None;
    let mut start = within.start;
    for line in text[within.clone()].split_inclusive('\n') {
        let trimmed = line.trim_start();
        let indent = line.len() - trimmed.len();
        let name = trimmed.split_once(':').map(|(name, _)| name).filter(|name| {
            indent > 0 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        });
        if let Some(name) = name.filter(|_| outermost.is_none_or(|o| indent == o)) {
            outermost = Some(indent);
            let begin = start + indent + name.len() + 1;
            found.push((name, begin..begin));
        }
        // A value ends with the comma at its own field's depth.
        if let (Some(depth), Some((_, value))) = (outermost, found.last_mut()) {
            let ends =
                line.trim_end().ends_with(',') && (indent == depth) && value.start == value.end;
            if ends {
                let end = start + line.trim_end().len() - 1;
                let lead = text[value.start..end].len() - text[value.start..end].trim_start().len();
                *value = value.start + lead..end;
            }
        }
        start += line.len();
    }
    found
}
