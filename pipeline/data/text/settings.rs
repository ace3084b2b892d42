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
    /// Seed by which splits and synthetic documents are drawn, and the documents that are looked at; `None`: the
    /// experiment's. Networks that are compared read the same corpus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
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
            seed: None,
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

/// Your own text: parquet, CSV, TSV, JSON or JSON Lines, packed with gzip or zstd or not, or a folder of
/// `label/*.txt` (or `train/label/*.txt` and `test/label/*.txt`).
///
/// A path is a path. One that leads nowhere and holds `*` or `?` is a pattern of several files, which are read as
/// one; so is a folder of files, whose names tell training, validation and test apart. What is read is noted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    /// The training file, or the folder.
    pub train: PathBuf,
    /// The test file; `None` sets apart a share of the training file.
    pub test: Option<PathBuf>,
    /// The validation file; `None` sets apart a share of the training file.
    pub validation: Option<PathBuf>,
    /// Text columns, joined by a blank; empty: the one called `text`. An empty part is empty text.
    pub text: Vec<String>,
    /// Label column (numbers, text, or a list of either for label lists); empty: the one called `label` or
    /// `labels`. Labels are numbers if all of the column are.
    pub label: String,
    /// Names of integer labels, by index, or of the places of 0/1 vectors; empty: those of a `labels.json` beside
    /// the file, or the numbers.
    pub names: Vec<String>,
    /// Instead of one label column: columns of 0 and 1, one a label, in this order.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub labels: Vec<String>,
    /// What joins several labels in one cell, as `,` in `4,27`; empty: a cell is one label.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub label_separator: String,
    /// Whether label lists are vectors of 0 and 1, one place a label. `None`: they are where all are equally long,
    /// longer than one, and hold nothing else.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub label_vectors: Option<bool>,
    /// The first row is data: columns are called by their number, from 1.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub no_header: bool,
    /// What separates fields, one character or `tab`; empty: found out.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub separator: String,
    /// Encoding, as the Web names it (`windows-1252`); empty: UTF-8, or UTF-16 where the bytes say so.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub encoding: String,
    /// Whether quotation marks hold a field together. `None`: between tabs they do not, else they do.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub quotes: Option<bool>,
    /// Whether a backslash takes the meaning of the next character away, as in `\"`.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub backslash: bool,
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
    /// Largest number of labels; `None`: 1,000. With more, the label column is rather one of ids or of text.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub most: Option<usize>,
}

impl Variant {
    /// Labels of a corpus without another limit.
    pub const MOST: usize = 1000;
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
