//! Which text, and how it is cut into tokens and labels.

use super::synthetic;
use super::tokens;
use crate::setting;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where documents and labels come from.
    pub source: Source,
    /// Which labels count, and under what name.
    pub variant: Variant,
    /// How text becomes token ids; without meaning for synthetic corpora.
    pub tokens: tokens::Settings,
    /// Share of the training split that is set apart for validation where the
    /// source has no validation split; stratified, fixed by the seed.
    #[serde(deserialize_with = "setting::share")]
    pub validation: f64,
    /// Share of all documents that is set apart for testing where the source
    /// has no test split; stratified, fixed by the seed.
    #[serde(deserialize_with = "setting::share")]
    pub test: f64,
    /// Documents of a label that stand one after the other and are set apart together, so many at once,
    /// because they belong together: reviews of one film, posts of one thread; fewer where a label has too few
    /// documents. 1: each by itself.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub together: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            source: Source::default(),
            variant: Variant::default(),
            tokens: tokens::Settings::default(),
            validation: 0.1,
            test: 0.2,
            together: 1,
        }
    }
}

/// Where documents and labels come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Source {
    /// A corpus of the catalogue (`accrue corpus list`).
    Named(String),
    /// Your own text.
    File(File),
    /// Drawn from a process whose structure is known.
    Synthetic(synthetic::Settings),
}

impl Default for Source {
    fn default() -> Self {
        Source::Synthetic(synthetic::Settings::default())
    }
}

/// Your own text: parquet, CSV, TSV or JSON Lines by the file's ending, or a
/// folder of `label/*.txt` (or `train/label/*.txt` and `test/label/*.txt`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// The training file, or the folder.
    pub train: PathBuf,
    /// The test file; `None` sets apart a share of the training file.
    pub test: Option<PathBuf>,
    /// The validation file; `None` sets apart a share of the training file.
    pub validation: Option<PathBuf>,
    /// Text columns, joined by a blank; empty: the one called `text`.
    pub text: Vec<String>,
    /// Label column (integers, text, or a list of either for label lists);
    /// empty: the one called `label` or `labels`.
    pub label: String,
    /// Names of integer labels, by index; empty: the numbers are the names.
    pub names: Vec<String>,
}

/// Which labels count, and under what name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variant {
    /// Label column to read instead of the source's own, as `rating` of the
    /// film reviews.
    pub column: Option<String>,
    /// Labels to keep, in this order; documents with others are dropped
    /// (label lists: other labels are dropped). Empty: all.
    pub keep: Vec<Label>,
    /// New labels made of old ones; documents whose label is in no group are
    /// dropped. Empty: no merging. Applied after `keep`.
    pub groups: Vec<Group>,
    /// Keep documents of a label list that carry none of the kept labels.
    pub keep_unlabelled: bool,
    /// Draw the same number of documents of every class (training split): that
    /// of the rarest class.
    pub balanced: bool,
    /// Largest number of training documents, drawn stratified; `None`: all.
    #[serde(deserialize_with = "setting::optional::<_, 1, { setting::MOST }>")]
    pub documents: Option<usize>,
}

/// A label, by its value in the label column or by its name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// The integer that stands in the label column.
    Number(i64),
    /// Its name.
    Name(String),
}

impl std::fmt::Display for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Label::Number(number) => write!(f, "{number}"),
            Label::Name(name) => write!(f, "{name}"),
        }
    }
}

/// A new label made of old ones.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What belongs to it.
    pub of: Vec<Label>,
}
