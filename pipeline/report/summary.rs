//! The headline numbers, for programs and for the terminal.

use super::dictionary;
use crate::files::replace;
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::path::Path;

/// The file in a run's folder.
pub const FILE: &str = "summary.json";

/// Headline numbers that lists of networks show: key, name, digits.
pub const SHOWN: [(&str, &str, usize); 6] = [
    ("accuracy.network", "Network", 3),
    ("accuracy.bag_of_words", "Words", 3),
    ("dimension.predicted_scaled", "Predicted", 2),
    ("dimension.states", "States", 2),
    ("dimension.fixed_points", "Slow points", 2),
    ("fixed_points.tau_1", "τ₁", 0),
];

/// Flat keys with numbers or text, in the order of the dictionary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary(Map<String, Value>);

impl Summary {
    /// Every number with its key, in order.
    pub fn numbers(&self) -> impl Iterator<Item = (String, f64)> + '_ {
        self.0.iter().filter_map(|(key, value)| Some((key.clone(), value.as_f64()?)))
    }

    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a number; one that is not finite is left out, as JSON has none.
    ///
    /// # Panics
    /// If the dictionary does not describe the key.
    pub fn number(&mut self, key: &str, value: f64) {
        described(key);
        if let Some(number) = serde_json::Number::from_f64(value) {
            // Counts stay whole.
            let whole = value.fract() == 0.0 && value.abs() < 9e15;
            let value = if whole { Value::from(value as i64) } else { Value::Number(number) };
            self.0.insert(key.into(), value);
        }
    }

    /// Adds text.
    ///
    /// # Panics
    /// If the dictionary does not describe the key.
    pub fn text(&mut self, key: &str, value: impl Into<String>) {
        described(key);
        self.0.insert(key.into(), Value::String(value.into()));
    }

    /// A number, if it is there.
    pub fn get(&self, key: &str) -> Option<f64> {
        self.0.get(key).and_then(Value::as_f64)
    }

    /// Text, if it is there.
    pub fn get_text(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    /// As JSON, keys in the order of the dictionary.
    pub fn to_json(&self) -> String {
        let known = dictionary::SUMMARY.iter().filter(|f| self.0.contains_key(f.name));
        let lines: Vec<String> =
            known.map(|f| format!("  {:?}: {}", f.name, self.0[f.name])).collect();
        format!("{{\n{}\n}}\n", lines.join(",\n"))
    }

    /// Writes `summary.json`, by rename.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written to.
    pub fn write(&self, run: &Path) -> Result<String> {
        replace(&run.join(FILE), self.to_json().as_bytes())?;
        Ok(FILE.into())
    }

    /// Reads `summary.json`.
    ///
    /// # Errors
    /// [`Error::Io`] if it is not there, [`Error::Input`] if it is damaged.
    pub fn read(run: &Path) -> Result<Self> {
        let path = run.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(|e| Error::input(path.display(), "", e, "run again with `--force report`"))
    }

    /// The headline for a terminal, at most 80 columns.
    pub fn headline(&self) -> String {
        let mut text = String::new();
        let number = |key: &str, digits: usize| {
            self.get(key).map_or("–".into(), |x| format!("{x:.digits$}"))
        };
        let range =
            |key: &str| match (self.get(&format!("{key}.low")), self.get(&format!("{key}.high"))) {
                (Some(low), Some(high)) => format!(" [{low:.2}, {high:.2}]"),
                _ => String::new(),
            };
        let has = |key: &str| self.get(key).is_some();
        if has("accuracy.network") {
            let _ = writeln!(
                text,
                "  accuracy     network {}, bag of words {}, commonest answer {}",
                number("accuracy.network", 4),
                number("accuracy.bag_of_words", 4),
                number("accuracy.majority", 4)
            );
        }
        let _ = writeln!(
            text,
            "  dimension    states {}, slow points {}{}",
            number("dimension.states", 2),
            number("dimension.fixed_points", 2),
            match self.get("dimension.untrained") {
                Some(before) => format!(" (before training {before:.2})"),
                None => String::new(),
            }
        );
        if self.get("dimension.predicted").is_some() {
            let _ = writeln!(
                text,
                "  predicted    {}{} from word counts alone, {}",
                number("dimension.predicted", 2),
                range("dimension.predicted"),
                match self.get_text("shape.predicted") {
                    Some("other") => "no simple shape".into(),
                    Some(shape) => format!("a {shape}"),
                    None => "–".into(),
                }
            );
            let _ = writeln!(
                text,
                "               {}{} without sampling noise",
                number("dimension.predicted_unbiased", 2),
                range("dimension.predicted_unbiased")
            );
            let _ = writeln!(
                text,
                "               {}{} each word weighed by what it says",
                number("dimension.predicted_scaled", 2),
                range("dimension.predicted_scaled")
            );
        }
        let _ = writeln!(
            text,
            "  slow points  {}; of {} tried, {} proved to be fixed points, {} stable",
            number("fixed_points.count", 0),
            number("fixed_points.tried", 0),
            number("fixed_points.certified", 0),
            number("fixed_points.stable", 0)
        );
        if self.get("fixed_points.count") == Some(0.0) {
            text +=
                "               none below the tolerance; try --set fixed_points.headline=1e-4\n";
        }
        if let (Some(held), Some(tested)) = (self.get("claims.held"), self.get("claims.tested")) {
            let _ = writeln!(text, "  claims       {held:.0} of {tested:.0} hold");
        }
        if has("train.steps") {
            let _ = writeln!(
                text,
                "  training     {} steps, {:.0} s, {:.0}k tokens/s",
                number("train.steps", 0),
                self.get("train.seconds").unwrap_or(f64::NAN),
                self.get("train.tokens_per_second").unwrap_or(f64::NAN) / 1e3
            );
        }
        let _ = write!(
            text,
            "  all stages   {:.0} s, peak memory {:.0} MB",
            self.get("time.seconds").unwrap_or(f64::NAN),
            self.get("memory.peak_bytes").unwrap_or(f64::NAN) / 1e6
        );
        text
    }
}

fn described(key: &str) {
    let known = dictionary::SUMMARY.iter().any(|f| f.name == key);
    assert!(known, "summary key `{key}` is not in the dictionary");
}
