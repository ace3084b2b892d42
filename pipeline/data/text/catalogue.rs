//! The corpora that the program knows by name.

use crate::{Error, Result, files, nearest, notation};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The catalogue as it stands in the repository.
const BUILT_IN: &str = include_str!("../../../data/corpora.ron");

/// Most bytes of a catalogue.
const LARGEST: u64 = 4 << 20;

/// Split names, in the order in which they are read.
pub const SPLITS: [&str; 3] = ["train", "validation", "test"];

/// One corpus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Name, and folder under the data folder.
    pub name: String,
    /// What it is, in one line.
    pub about: String,
    /// Where it comes from.
    pub source: Origin,
    /// Column of the text.
    pub text: Vec<String>,
    /// Column of the label, or label list.
    pub label: String,
    /// Further label columns that a variant may ask for.
    #[serde(default)]
    pub columns: Vec<String>,
    /// Label names by index.
    pub names: Vec<String>,
    /// How the labels hang together.
    pub structure: Structure,
    /// Expected rows of each split.
    pub rows: Vec<(String, usize)>,
    /// Licence or terms of use.
    pub licence: String,
    /// Whom to cite.
    pub cite: String,
}

/// How labels hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Structure {
    /// Classes without an order.
    Unordered,
    /// Classes along one scale.
    Ordered,
    /// Any number of labels a document.
    MultiLabel,
}

/// Where a corpus comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Origin {
    /// Files of a data set repository on the Hugging Face Hub.
    Hub {
        /// `owner/name`.
        repository: String,
        /// Branch, tag or commit.
        revision: String,
        /// Files of each split; several are joined.
        files: Vec<(String, Vec<String>)>,
        /// What has to be renamed or joined; none where the files have the
        /// entry's own columns.
        #[serde(default)]
        columns: Option<Columns>,
    },
    /// A compressed tar archive of `FOLDER/LABEL/NAME` texts.
    Archive {
        /// Its address.
        url: String,
        /// Folder of each split inside it.
        splits: Vec<(String, String)>,
        /// Column made of the number after the last `_` of a file's name, as
        /// the ratings of the film reviews (`ID_RATING.txt`).
        #[serde(default)]
        number: Option<String>,
    },
}

/// Columns of a source that are not called as the entry calls them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Columns that make the text, joined by a blank.
    pub text: Vec<String>,
    /// Column of the label.
    pub label: String,
    /// The smallest label there, which becomes 0.
    #[serde(default)]
    pub first: i64,
}

impl Entry {
    /// Refuses what would be written elsewhere than into the corpus's own folder, and what cannot be a corpus.
    fn check(&self, file: &str) -> Result<()> {
        let refuse = |problem: String, remedy: &str| {
            Err(Error::input(file, format!("corpus {:?}", self.name), problem, remedy))
        };
        let plain = |name: &str| {
            let letter = |c: char| c.is_alphanumeric() || "-_.".contains(c);
            !name.is_empty()
                && name.len() <= 100
                && !name.starts_with('.')
                && name.chars().all(letter)
        };
        if !plain(&self.name) {
            let remedy = "give a name of letters, digits, `-` and `_`, such as `my_reviews`";
            return refuse("its name is that of a folder, and no path".into(), remedy);
        }
        let of_source: Vec<&String> = match &self.source {
            Origin::Hub { files, .. } => files.iter().map(|(split, _)| split).collect(),
            Origin::Archive { splits, .. } => splits.iter().map(|(split, _)| split).collect(),
        };
        let splits = self.rows.iter().map(|(split, _)| split).chain(of_source);
        if let Some(split) = splits.into_iter().find(|s| !SPLITS.contains(&s.as_str())) {
            let problem = format!("no split {split:?}");
            return refuse(problem, "splits are called train, validation and test");
        }
        if !self.rows.iter().any(|(split, _)| split == SPLITS[0]) {
            return refuse("no split `train`".into(), "say in `rows` how many documents it has");
        }
        if self.text.is_empty() {
            return refuse("no text column".into(), "name one in `text`");
        }
        if let Origin::Archive { url, .. } = &self.source
            && !plain(url.rsplit('/').next().unwrap_or_default())
        {
            let remedy = "give the address of the archive itself";
            return refuse(format!("{url:?} does not end with the name of a file"), remedy);
        }
        Ok(())
    }

    /// Files of the corpus under a data folder: those splits that are expected.
    pub fn files(&self, data: &Path) -> Vec<(String, PathBuf)> {
        let folder = data.join(&self.name);
        let file = |split: &String| (split.clone(), folder.join(format!("{split}.parquet")));
        self.rows.iter().map(|(split, _)| file(split)).collect()
    }

    /// Where the files come from, as an address for people.
    pub fn address(&self) -> String {
        match &self.source {
            Origin::Hub { repository, .. } => format!("huggingface.co/datasets/{repository}"),
            Origin::Archive { url, .. } => url.clone(),
        }
    }

    /// Which files to put where when they cannot be fetched.
    pub fn by_hand(&self, data: &Path) -> String {
        let files: Vec<String> =
            self.files(data).iter().map(|(_, path)| path.display().to_string()).collect();
        format!(
            "place {} (columns {}, {}) there by hand; they come from {}",
            files.join(" and "),
            self.text.join(", "),
            self.label,
            self.address()
        )
    }
}

/// All corpora.
#[derive(Clone, Debug, PartialEq)]
pub struct Catalogue {
    entries: Vec<Entry>,
}

impl Catalogue {
    /// The catalogue of the repository, with the entries of `corpora.ron` in
    /// the data folder added or put in place of those of the same name.
    ///
    /// # Errors
    /// [`Error::Experiment`] with line and column if the file in the data
    /// folder cannot be understood.
    pub fn open(data: &Path) -> Result<Self> {
        let mut entries = Self::parse("data/corpora.ron", BUILT_IN)?;
        let path = data.join("corpora.ron");
        if path.exists() {
            let own = Self::parse(&path.display().to_string(), &files::text(&path, LARGEST)?)?;
            for entry in own {
                match entries.iter_mut().find(|e| e.name == entry.name) {
                    Some(old) => *old = entry,
                    None => entries.push(entry),
                }
            }
        }
        Ok(Self { entries })
    }

    /// The entries of a catalogue's text; `file` names it in messages.
    ///
    /// # Errors
    /// [`Error::Experiment`] with line and column if it cannot be understood, [`Error::Input`] for names that lead
    /// out of the data folder, or a corpus without a text column.
    pub fn parse(file: &str, text: &str) -> Result<Vec<Entry>> {
        let entries: Vec<Entry> = notation::parse(file, text)?;
        for entry in &entries {
            entry.check(file)?;
        }
        Ok(entries)
    }

    /// The entries in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The corpus of that name.
    ///
    /// # Errors
    /// [`Error::Usage`] with the nearest name.
    pub fn get(&self, name: &str) -> Result<&Entry> {
        let found = self.entries.iter().find(|e| e.name == name);
        found.ok_or_else(|| {
            let names: Vec<&str> = self.entries.iter().map(|e| e.name.as_str()).collect();
            let hint = nearest::hint(name, &names);
            Error::Usage(format!("no corpus `{name}` in the catalogue; {hint}"))
        })
    }

    /// One line a corpus: name, whether it is in the data folder, what it is.
    pub fn list(&self, data: &Path) -> String {
        let mut text = String::new();
        for entry in &self.entries {
            let here = entry.files(data).iter().all(|(_, path)| path.is_file());
            let mark = if here { "here" } else { "-" };
            let _ = writeln!(text, "{:<17} {mark:<5} {}", entry.name, entry.about);
        }
        text
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}: {}", self.name, self.about)?;
        writeln!(f, "  from       {}", self.address())?;
        let rows: Vec<String> =
            self.rows.iter().map(|(split, rows)| format!("{split} {rows}")).collect();
        writeln!(f, "  documents  {}", rows.join(", "))?;
        writeln!(f, "  columns    {}, {}", self.text.join(", "), self.label)?;
        if !self.columns.is_empty() {
            writeln!(f, "  also       {}", self.columns.join(", "))?;
        }
        let names = self.names.join(", ");
        writeln!(f, "  labels     {} ({:?}): {names}", self.names.len(), self.structure)?;
        writeln!(f, "  licence    {}", self.licence)?;
        write!(f, "  cite       {}", self.cite)
    }
}
