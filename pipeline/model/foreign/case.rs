//! A file under recognition: its arrays by name, and what is said where they do not fit.

use super::Settings;
use super::arrays::Named;
use super::names::plain;
use crate::{Error, Result};

/// A file under recognition.
pub struct Case<'a> {
    pub settings: &'a Settings,
    pub arrays: &'a Named,
}

/// The part of a name after its last `.` or `/`.
pub fn leaf(name: &str) -> &str {
    name.rsplit(['.', '/']).next().unwrap_or(name)
}

/// The part of a name before its leaf, separator included.
pub fn prefix(name: &str) -> &str {
    &name[..name.len() - leaf(name).len()]
}

impl Case<'_> {
    pub fn refuse(&self, place: &str, problem: impl ToString, remedy: &str) -> Error {
        Error::input(self.settings.file.display(), place, problem, remedy)
    }

    pub fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    pub fn shape(&self, name: &str) -> &[usize] {
        self.arrays.get(name).map_or(&[], |(shape, _)| shape)
    }

    /// A name as it stands here, from one as it stands in the file.
    pub fn named(&self, name: &str) -> String {
        let plain = plain(name);
        let bare = plain.strip_prefix("module.").unwrap_or(&plain).to_string();
        [name.to_string(), plain.clone(), bare].into_iter().find(|n| self.has(n)).unwrap_or(plain)
    }

    /// Numbers of an array that must have this shape.
    pub fn take(&self, name: &str, shape: &[usize]) -> Result<&[f32]> {
        match self.arrays.get(name) {
            Some((found, numbers)) if found == shape => Ok(numbers),
            Some((found, _)) => Err(self.refuse(
                &format!("array `{name}`"),
                format!("shape {found:?} where {shape:?} fits the other arrays"),
                "check that the file holds one network whole",
            )),
            None => Err(self.refuse(
                "",
                format!("no array `{name}`"),
                "check that the file holds one network whole",
            )),
        }
    }

    /// Names and shapes, for messages.
    pub fn listed<'n>(&self, names: impl Iterator<Item = &'n str>) -> String {
        let shown: Vec<String> = names.map(|n| format!("{n} {:?}", self.shape(n))).collect();
        if shown.is_empty() { "none".into() } else { shown.join(", ") }
    }
}
