//! One experiment file, many networks: settings, the values each takes, and their combinations.

use super::{Experiment, Settings};
use crate::notation::told_apart;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most cases of a grid.
const MOST_CASES: usize = 100_000;

/// A setting and the values it takes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// The setting, as `--set` takes it: `model.cell`.
    pub set: String,
    /// Its values, as `--set` takes them: `["Gru", "Lstm"]`, `[1, 2, 3]`.
    pub to: Vec<Value>,
    /// Settings linked to it: as many values each, the first of them beside the axis's first. They make no
    /// cases of their own; a case's `run.ron` has them, its name and the tables do not.
    #[serde(alias = "along", default, skip_serializing_if = "Vec::is_empty")]
    pub linked: Vec<Linked>,
}

/// A setting linked to an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linked {
    /// The setting, as `--set` takes it.
    pub set: String,
    /// Its value beside each value of the axis; `"_"` leaves it as the file and the axes before say.
    pub to: Vec<Value>,
}

/// A value of an axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// A whole number.
    Whole(i64),
    /// A number.
    Number(f64),
    /// Anything else, as it would stand in the file.
    Text(String),
}

impl Value {
    /// Whether it stands for what is there already.
    fn is_left(&self) -> bool {
        *self == Value::Text("_".into())
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Whole(x) => write!(f, "{x}"),
            Value::Number(x) => write!(f, "{x}"),
            Value::Text(x) => f.write_str(x),
        }
    }
}

/// One combination of values.
#[derive(Clone, Debug, PartialEq)]
pub struct Case<E> {
    /// Its folder's name.
    pub name: String,
    /// Settings and values.
    pub settings: Vec<(String, String)>,
    /// The experiment.
    pub experiment: E,
}

/// Every case of an experiment's own grid ([`combined`]).
///
/// # Errors
/// As [`combined`]; [`Error::Usage`] for an axis that changes what compared networks read.
pub fn cases(experiment: &Experiment) -> Result<Vec<Case<Experiment>>> {
    let mut base = experiment.clone();
    base.grid.clear();
    if base.similarity.take().is_some() {
        // One corpus, whatever a network's own seed.
        base.corpus.seed = base.corpus.seed.or(Some(experiment.seed));
        same_samples(&experiment.grid, &["corpus", "states", "weights"])?;
    }
    combined(base, &experiment.grid)
}

/// Refuses axes over which compared networks would not visit the same states.
///
/// * `rooms`: settings of what they read
///
/// # Errors
/// [`Error::Usage`] with the axis.
pub fn same_samples(axes: &[Axis], rooms: &[&str]) -> Result<()> {
    let sets = axes.iter().flat_map(|axis| {
        std::iter::once(&axis.set).chain(axis.linked.iter().map(|linked| &linked.set))
    });
    for set in sets {
        if rooms.contains(&set.split('.').next().unwrap_or_default()) {
            return Err(Error::Usage(format!(
                "grid: `{set}`: networks are compared on the same states of the same trials or documents; give each \
                 value a population of its own"
            )));
        }
    }
    Ok(())
}

/// Every combination of the axes' values, the last axis fastest.
///
/// * `base`: the experiment that they change
///
/// # Errors
/// [`Error::Experiment`] for an axis or a value that is no setting; [`Error::Usage`]
/// for an axis without values or with a value twice, two axes of one setting, a setting that is linked to more or fewer values, or
/// one that only a whole grid has.
pub fn combined<E: Settings + Clone>(mut base: E, axes: &[Axis]) -> Result<Vec<Case<E>>> {
    let name = base.name().clone();
    let mut all = vec![Case { name: String::new(), settings: Vec::new(), experiment: base }];
    for (number, axis) in axes.iter().enumerate() {
        if axis.to.is_empty() {
            return Err(Error::Usage(format!("grid: `{}` has no values", axis.set)));
        }
        if axes[..number].iter().any(|other| other.set == axis.set) {
            let problem = format!("grid: two axes set `{}`: the second would win", axis.set);
            return Err(Error::Usage(problem));
        }
        let twice = (0..axis.to.len()).find(|&i| axis.to[..i].contains(&axis.to[i]));
        if let Some(i) = twice.filter(|_| axis.linked.is_empty()) {
            return Err(Error::Usage(format!(
                "grid: `{}` is {} twice: the two networks would be the same, and count as two; leave one out",
                axis.set, axis.to[i]
            )));
        }
        let linked = axis.linked.iter().map(|linked| &linked.set);
        for set in std::iter::once(&axis.set).chain(linked) {
            if ["name", "study", "grid", "title"].contains(&set.as_str()) {
                let problem = format!("grid: `{set}` belongs to the grid as a whole");
                return Err(Error::Usage(problem));
            }
        }
        if let Some(linked) = axis.linked.iter().find(|linked| linked.to.len() != axis.to.len()) {
            return Err(Error::Usage(format!(
                "grid: `{}` is linked to `{}` and has {} values to its {}; give one beside each",
                linked.set,
                axis.set,
                linked.to.len(),
                axis.to.len()
            )));
        }
        let combined = all.len().saturating_mul(axis.to.len());
        if combined > MOST_CASES {
            return Err(Error::Usage(format!(
                "grid: {combined} cases and more; at most {MOST_CASES} make one grid: give an axis fewer values"
            )));
        }
        let mut next = Vec::with_capacity(combined);
        for case in &all {
            for (i, value) in axis.to.iter().enumerate() {
                let mut settings = case.settings.clone();
                settings.push((axis.set.clone(), value.to_string()));
                let mut experiment = case.experiment.with(&format!("{}={value}", axis.set))?;
                let moved = axis.linked.iter().filter(|linked| !linked.to[i].is_left());
                for linked in moved {
                    experiment = experiment.with(&format!("{}={}", linked.set, linked.to[i]))?;
                }
                next.push(Case { name: String::new(), settings, experiment });
            }
        }
        all = next;
    }
    let short: Vec<BTreeMap<String, String>> = axes.iter().map(folders).collect();
    for (i, case) in all.iter_mut().enumerate() {
        let values: Vec<&str> =
            short.iter().zip(&case.settings).map(|(axis, (_, v))| axis[v].as_str()).collect();
        case.name = format!("{:03}-{}", i + 1, values.join("-"));
        *case.experiment.name() = format!("{name}/cases/{}", case.name);
        if case.experiment.title().is_empty() {
            *case.experiment.title() = name.clone();
        }
    }
    Ok(all)
}

/// What tells an axis's values apart, as parts of a folder's name.
fn folders(axis: &Axis) -> BTreeMap<String, String> {
    let values: Vec<String> = axis.to.iter().map(Value::to_string).collect();
    let plain = |c: char| if c.is_alphanumeric() || "-._".contains(c) { c } else { '-' };
    let short = |text: &str| -> String {
        let text: String = text.chars().map(plain).take(24).collect();
        text.trim_matches('-').to_string()
    };
    let parts = told_apart(&values, "");
    values.iter().cloned().zip(parts.iter().map(|part| short(part))).collect()
}
