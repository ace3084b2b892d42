//! The headline numbers, for programs and for the terminal.

use crate::engine::StageRecord;
use crate::files::replace;
use crate::notation::counted;
use crate::records::{Key, keys};
use crate::{Error, Result};
use serde_json::{Map, Value};
use std::fmt::Write;
use std::path::Path;

/// The file in a run's folder.
pub const FILE: &str = "summary.json";

/// Most bytes of a summary.
const LARGEST: u64 = 1 << 20;

/// Headline numbers that lists of networks show: key, name, digits.
pub const SHOWN: [(Key<f64>, &str, usize); 6] = [
    (keys::ACCURACY_NETWORK, "Network", 3),
    (keys::ACCURACY_BAG_OF_WORDS, "Words", 3),
    (keys::DIMENSION_PREDICTED_SCALED, "Predicted", 2),
    (keys::DIMENSION_STATES, "States", 2),
    (keys::DIMENSION_FIXED_POINTS, "Slow points", 2),
    (keys::FIXED_POINTS_TAU_1, "τ₁", 0),
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

    /// What stages have recorded; nothing under keys of another version of the program.
    pub fn of(stages: &[StageRecord]) -> Self {
        let mut all = Self::new();
        for stage in stages {
            stage.numbers.iter().for_each(|(key, value)| all.put_number(key, *value));
            stage.texts.iter().for_each(|(key, text)| all.put_text(key, text.clone()));
        }
        all.0.retain(|key, _| keys::KEYS.iter().any(|k| k.name == key));
        all
    }

    /// Adds a number; one that is not finite is left out, as JSON has none.
    pub fn number(&mut self, key: Key<f64>, value: f64) {
        self.put_number(key.name(), value);
    }

    /// Adds text.
    pub fn text(&mut self, key: Key<String>, value: impl Into<String>) {
        self.put_text(key.name(), value.into());
    }

    fn put_text(&mut self, key: &str, value: String) {
        self.0.insert(key.into(), Value::String(value));
    }

    fn put_number(&mut self, key: &str, value: f64) {
        if let Some(number) = serde_json::Number::from_f64(value) {
            // Counts stay whole.
            let whole = value.fract() == 0.0 && value.abs() < 9e15;
            let value = if whole { Value::from(value as i64) } else { Value::Number(number) };
            self.0.insert(key.into(), value);
        }
    }

    /// A number, if it is there.
    pub fn get(&self, key: Key<f64>) -> Option<f64> {
        self.0.get(key.name()).and_then(Value::as_f64)
    }

    /// The ends of a number's interval, under its key with `.low` and `.high`, if they are there.
    pub fn interval(&self, key: Key<f64>) -> Option<(f64, f64)> {
        let end = |end: &str| self.0.get(&format!("{}.{end}", key.name())).and_then(Value::as_f64);
        end("low").zip(end("high"))
    }

    /// Text, if it is there.
    pub fn get_text(&self, key: Key<String>) -> Option<&str> {
        self.0.get(key.name()).and_then(Value::as_str)
    }

    /// As JSON, keys in the order of the dictionary.
    pub fn to_json(&self) -> String {
        let known = keys::KEYS.iter().filter(|f| self.0.contains_key(f.name));
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
        let text = crate::files::text(&path, LARGEST)?;
        serde_json::from_str(&text)
            .map(Self)
            .map_err(|e| Error::input(path.display(), "", e, "run again with `--force report`"))
    }

    /// How the searches for slow and fixed points ended.
    fn points(&self) -> String {
        let mut text = String::new();
        let whole = |key: Key<f64>| self.get(key).unwrap_or(0.0);
        let count = whole(keys::FIXED_POINTS_COUNT);
        let searches = whole(keys::FIXED_POINTS_SEARCHES);
        let reached = (whole(keys::FIXED_POINTS_REACHED) * searches).round();
        let _ = writeln!(
            text,
            "  slow points  {count:.0} near the states, from {reached:.0} of {searches:.0} searches"
        );
        // Why the others did not arrive, and what changes it.
        let ends = [
            (keys::FIXED_POINTS_TOO_FAR, "would go too far", "fixed_points.finder.max_distance"),
            (keys::FIXED_POINTS_STALLED, "came to no fixed point", "fixed_points.primary"),
            (keys::FIXED_POINTS_OUT_OF_STEPS, "ran out of steps", "fixed_points.finder.steps"),
        ];
        for (key, what, setting) in ends {
            let ended = whole(key);
            if ended > 0.0 {
                let _ = writeln!(text, "               {ended:.0} {what} ({setting})");
            }
        }
        let distinct = whole(keys::FIXED_POINTS_DISTINCT);
        let _ = writeln!(
            text,
            "  fixed points {distinct:.0} found, {:.0} of them farther from the states",
            whole(keys::FIXED_POINTS_FARTHER)
        );
        let _ = writeln!(
            text,
            "               {:.0} tried, {:.0} proved: {:.0} stable, {:.0} unstable",
            whole(keys::FIXED_POINTS_TRIED),
            whole(keys::FIXED_POINTS_CERTIFIED),
            whole(keys::FIXED_POINTS_STABLE),
            whole(keys::FIXED_POINTS_UNSTABLE),
        );
        if let Some(sum) = self.get(keys::FIXED_POINTS_INDEX_SUM) {
            let _ = match sum == 1.0 {
                true => writeln!(
                    text,
                    "               indices add up to 1, as those of all there are do"
                ),
                false => writeln!(
                    text,
                    "               indices add up to {sum:.0}, not 1: some were not found\n\
                     \x20              (more: fixed_points.explore.noisy, mixtures, uniform)"
                ),
            };
        }
        if let Some(complete) = self.get(keys::FIXED_POINTS_COMPLETE) {
            let _ = match complete == 1.0 {
                true => writeln!(text, "               proved: there are no others"),
                false => writeln!(
                    text,
                    "               whether there are others is not decided (fixed_points.census.boxes)"
                ),
            };
        }
        if let Some(saddles) = self.get(keys::TRANSITIONS_SADDLES) {
            let _ = writeln!(
                text,
                "  transitions  {:.0} of {:.0} orbits from {} end at one of {}",
                whole(keys::TRANSITIONS_ENDED),
                whole(keys::TRANSITIONS_ORBITS),
                counted(saddles as usize, "saddle"),
                counted(whole(keys::TRANSITIONS_ATTRACTORS) as usize, "attractor")
            );
            let left_out = self.get(keys::TRANSITIONS_LEFT_OUT).unwrap_or(0.0);
            if left_out > 0.0 {
                let _ = writeln!(
                    text,
                    "               {left_out:.0} more were not followed (transitions.follow.orbits)"
                );
            }
        }
        text
    }

    /// The headline for a terminal, at most 80 columns.
    pub fn headline(&self) -> String {
        let mut text = String::new();
        let number = |key: Key<f64>, digits: usize| {
            self.get(key).map_or("–".into(), |x| format!("{x:.digits$}"))
        };
        let range = |key: Key<f64>| match self.interval(key) {
            Some((low, high)) => format!(" [{low:.2}, {high:.2}]"),
            None => String::new(),
        };
        let has = |key: Key<f64>| self.get(key).is_some();
        if let Some(error) = self.get(keys::TASK_ERROR) {
            let (chance, best) = (self.get(keys::TASK_CHANCE), self.get(keys::TASK_BEST));
            let _ = writeln!(
                text,
                "  mean square  network {error:.2e}, best constant {}, best possible {}",
                chance.map_or("–".into(), |x| format!("{x:.2}")),
                best.map_or("–".into(), |x| format!("{x:.2}")),
            );
        } else if let Some(objective) = self.get(keys::OPTIMISER_OBJECTIVE) {
            let best = number(keys::OPTIMISER_BEST_METHOD, 4);
            let _ =
                writeln!(text, "  objective    learned {objective:.4}, best tuned method {best}");
        } else if has(keys::ACCURACY_NETWORK) {
            let _ = writeln!(
                text,
                "  accuracy     network {}, bag of words {}, commonest answer {}",
                number(keys::ACCURACY_NETWORK, 4),
                number(keys::ACCURACY_BAG_OF_WORDS, 4),
                number(keys::ACCURACY_MAJORITY, 4)
            );
        }
        if let Some(error) = self.get(keys::SWITCHING_STATE_ERROR) {
            let _ = write!(text, "  state error  linear system {error:.3} rolled out");
            if let Some(step) = self.get(keys::SWITCHING_ONE_STEP_ERROR) {
                let _ = write!(text, "; one step at slow points {step:.3}");
            }
            text.push('\n');
        }
        if has(keys::DIMENSION_STATES) {
            let _ = writeln!(
                text,
                "  dimension    states {}, slow points {}{}",
                number(keys::DIMENSION_STATES, 2),
                number(keys::DIMENSION_FIXED_POINTS, 2),
                match self.get(keys::DIMENSION_UNTRAINED) {
                    Some(before) => format!(" (before training {before:.2})"),
                    None => String::new(),
                }
            );
        }
        if self.get(keys::DIMENSION_PREDICTED).is_some() {
            let _ = writeln!(
                text,
                "  predicted    {}{} from word counts alone, {}",
                number(keys::DIMENSION_PREDICTED, 2),
                range(keys::DIMENSION_PREDICTED),
                match self.get_text(keys::SHAPE_PREDICTED) {
                    Some("other") => "no simple shape".into(),
                    Some("point") => "no shape: all classes have the same word counts".into(),
                    Some(shape) => format!("a {shape}"),
                    None => "–".into(),
                }
            );
            let _ = writeln!(
                text,
                "               {}{} corrected for sampling noise",
                number(keys::DIMENSION_PREDICTED_UNBIASED, 2),
                range(keys::DIMENSION_PREDICTED_UNBIASED)
            );
            let _ = writeln!(
                text,
                "               {}{} each word weighed by what it says",
                number(keys::DIMENSION_PREDICTED_SCALED, 2),
                range(keys::DIMENSION_PREDICTED_SCALED)
            );
        }
        if has(keys::FIXED_POINTS_SEARCHES) {
            text += &self.points();
        }
        if let (Some(held), Some(tested)) =
            (self.get(keys::CLAIMS_HELD), self.get(keys::CLAIMS_TESTED))
        {
            let _ = writeln!(text, "  claims       {held:.0} of {tested:.0} hold");
        }
        if let Some(speed) = self.get(keys::META_STEPS_PER_SECOND) {
            let _ = writeln!(
                text,
                "  training     {} steps, {:.0} s, {speed:.1} steps/s",
                number(keys::TRAIN_STEPS, 0),
                self.get(keys::TRAIN_SECONDS).unwrap_or(f64::NAN),
            );
        } else if has(keys::TRAIN_STEPS) {
            let _ = writeln!(
                text,
                "  training     {} steps, {:.0} s{}",
                number(keys::TRAIN_STEPS, 0),
                self.get(keys::TRAIN_SECONDS).unwrap_or(f64::NAN),
                match self.get(keys::TRAIN_TOKENS_PER_SECOND) {
                    Some(tokens) => format!(", {:.0}k tokens/s", tokens / 1e3),
                    None => String::new(),
                }
            );
        }
        let _ = write!(
            text,
            "  all stages   {:.0} s, peak memory {:.0} MB",
            self.get(keys::TIME_SECONDS).unwrap_or(f64::NAN),
            self.get(keys::MEMORY_PEAK_BYTES).unwrap_or(f64::NAN) / 1e6
        );
        text
    }
}
