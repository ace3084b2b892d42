//! From settings to a corpus.

use super::catalogue::Catalogue;
use super::labelling::Labelling;
use super::neighbours::Shared;
use super::read::{self, Raw};
use super::settings::{File, Settings, Source};
use super::tokens::{self, Tokenizer, TooLong};
use super::{Corpus, Documents, Labels, Split, split, synthetic};
use crate::{Error, Result};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A corpus with the tokenizer that made it; none for synthetic corpora.
pub struct Loaded {
    /// The corpus.
    pub corpus: Corpus,
    /// The tokenizer.
    pub tokenizer: Option<Tokenizer>,
}

/// Texts of the documents of each split, in the order of the corpus.
pub type Texts = [Vec<String>; 3];

/// Documents and labels of one split before tokens.
#[derive(Default)]
struct Labelled {
    texts: Vec<String>,
    labels: Vec<Vec<usize>>,
}

impl Labelled {
    fn take(&mut self, keep: &[usize]) -> Labelled {
        Labelled {
            texts: keep.iter().map(|&d| std::mem::take(&mut self.texts[d])).collect(),
            labels: keep.iter().map(|&d| std::mem::take(&mut self.labels[d])).collect(),
        }
    }
}

/// What the files of a source are, before they are read.
pub(super) struct Files {
    pub(super) name: String,
    pub(super) train: PathBuf,
    pub(super) validation: Option<PathBuf>,
    pub(super) test: Option<PathBuf>,
    pub(super) text: Vec<String>,
    pub(super) label: String,
    pub(super) names: Vec<String>,
}

impl Files {
    /// The label column; where none was named, either usual name will do.
    pub(super) fn label_column(&self, path: &Path) -> Result<String> {
        if !self.label.is_empty() {
            return Ok(self.label.clone());
        }
        let names = read::names(path)?;
        let has = |name: &str| names.iter().any(|n| n == name);
        Ok(if !has("label") && has("labels") { "labels" } else { "label" }.into())
    }
}

/// Files that a corpus is read from; none for synthetic corpora. A run is
/// stale when one of them has changed.
///
/// # Errors
/// [`Error::Usage`] for a name that is not in the catalogue, [`Error::Input`]
/// if its files are not there.
pub fn files(settings: &Settings, data: &Path) -> Result<Vec<PathBuf>> {
    let Some(files) = locate(settings, data)? else { return Ok(Vec::new()) };
    let mut all: Vec<PathBuf> =
        [Some(files.train), files.validation, files.test].into_iter().flatten().collect();
    if let tokens::Kind::Given(path) | tokens::Kind::List(path) = &settings.tokens.kind {
        all.push(path.clone());
    }
    Ok(all)
}

/// Reads, splits and tokenises a corpus.
///
/// * `data`: folder of the catalogue's corpora
/// * `seed`: decides splits, samples and synthetic phrases
///
/// # Errors
/// [`Error::Input`] for anything in the files that cannot be used, with file,
/// row and remedy; [`Error::Usage`] for impossible settings.
pub fn load(settings: &Settings, data: &Path, seed: u64) -> Result<Loaded> {
    load_with(settings, data, seed, None)
}

/// The texts behind a corpus, for what reads them with a tokenizer of its own;
/// none for synthetic corpora.
///
/// # Errors
/// As [`load`].
pub fn texts(settings: &Settings, data: &Path, seed: u64) -> Result<Option<Texts>> {
    if matches!(settings.source, Source::Synthetic(_)) {
        return Ok(None);
    }
    let mut texts = Texts::default();
    load_with(settings, data, seed, Some(&mut texts))?;
    Ok(Some(texts))
}

fn load_with(
    settings: &Settings,
    data: &Path,
    seed: u64,
    mut kept: Option<&mut Texts>,
) -> Result<Loaded> {
    if let Source::Synthetic(synthetic) = &settings.source {
        let corpus = synthetic::generate(synthetic, seed)?;
        return Ok(Loaded { corpus, tokenizer: None });
    }
    let files = locate(settings, data)?.expect("only synthetic corpora have no files");
    let mut notes = Vec::new();
    let (names, lists, [mut train, mut validation, mut test]) =
        splits(settings, &files, seed, &mut notes)?;
    count_duplicates(&train, &test, &mut notes);
    if settings.together == 1 && (files.validation.is_none() || files.test.is_none()) {
        neighbours(&train, &mut notes);
    }

    let tokenizer = Tokenizer::new(&settings.tokens, &train.texts)?;
    let words = tokenizer.words();
    let mut encode = |part: &mut Labelled, name: &str, at: usize| -> Result<Split> {
        let mut texts = std::mem::take(&mut part.texts);
        let tokens = tokenizer.encode(&texts)?;
        let labels = std::mem::take(&mut part.labels);
        let cut = (&settings.tokens, tokenizer.unknown());
        let mut tally = Tally::default();
        let (split, rows) = collect(cut, tokens, labels, (names.len(), lists), &mut tally);
        notes.extend(tally.notes(name, &settings.tokens));
        if let Some(kept) = &mut kept {
            kept[at] = rows.into_iter().map(|d| std::mem::take(&mut texts[d])).collect();
        }
        Ok(split)
    };
    let train = encode(&mut train, "training", 0)?;
    let validation = encode(&mut validation, "validation", 1)?;
    let test = encode(&mut test, "test", 2)?;
    for (part, share) in [(&train, "train"), (&validation, "validation"), (&test, "test")] {
        if part.documents.is_empty() {
            let remedy = "give more documents, or set `corpus.validation` and `corpus.test`";
            return Err(Error::input(files.name, share, "no documents in this split", remedy));
        }
    }
    let corpus =
        Corpus { name: files.name, words, label_names: names, train, validation, test, notes };
    Ok(Loaded { corpus, tokenizer: Some(tokenizer) })
}

/// Notes documents that seem to belong together and were set apart one by one.
fn neighbours(train: &Labelled, notes: &mut Vec<String>) {
    if let Some(shared) = Shared::of(&train.texts, &train.labels)
        && shared.belong_together()
    {
        notes.push(format!(
            "documents that stand side by side share {:.2} rare words, others of the same label {:.2}: they may \
             belong together, as reviews of one film do, and single documents that were set apart look easier than \
             new text is. `corpus.together: 100` sets so many neighbours apart at once",
            shared.near, shared.far
        ));
    }
}

/// Where the files are and what is in their columns.
pub(super) fn locate(settings: &Settings, data: &Path) -> Result<Option<Files>> {
    let column = settings.variant.column.clone();
    match &settings.source {
        Source::Synthetic(_) => Ok(None),
        Source::Named(name) => {
            let catalogue = Catalogue::open(data)?;
            let entry = catalogue.get(name)?;
            let mut found = entry.files(data);
            if let Some((_, missing)) = found.iter().find(|(_, path)| !path.is_file()) {
                let remedy = entry.by_hand(data);
                return Err(Error::input(missing.display(), "", "not there", remedy));
            }
            let mut take = |split: &str| {
                let at = found.iter().position(|(s, _)| s == split)?;
                Some(found.remove(at).1)
            };
            let own_column = column.as_ref().is_none_or(|c| *c == entry.label);
            Ok(Some(Files {
                name: name.clone(),
                train: take("train").expect("every corpus has a training split"),
                validation: take("validation"),
                test: take("test"),
                text: entry.text.clone(),
                label: column.unwrap_or_else(|| entry.label.clone()),
                names: if own_column { entry.names.clone() } else { Vec::new() },
            }))
        }
        Source::File(file) => Ok(Some(own(file, column)?)),
    }
}

/// Files of one's own text.
fn own(file: &File, column: Option<String>) -> Result<Files> {
    let shown = file.train.display().to_string();
    if file.train.as_os_str().is_empty() {
        return Err(Error::Usage("corpus.source: `train` names no file".into()));
    }
    if !file.train.exists() {
        return Err(Error::input(shown, "", "no such file or folder", "check `corpus.source`"));
    }
    let (mut train, mut test) = (file.train.clone(), file.test.clone());
    if train.is_dir() && train.join("train").is_dir() {
        if test.is_none() && train.join("test").is_dir() {
            test = Some(train.join("test"));
        }
        train = train.join("train");
    }
    let name = file.train.file_stem().map(|s| s.to_string_lossy().into_owned());
    Ok(Files {
        name: name.unwrap_or(shown),
        train,
        validation: file.validation.clone(),
        test,
        text: if file.text.is_empty() { vec!["text".into()] } else { file.text.clone() },
        label: column.unwrap_or_else(|| file.label.clone()),
        names: file.names.clone(),
    })
}

fn raw(path: &Path, files: &Files) -> Result<Raw> {
    if path.is_dir() {
        return read::folder(path);
    }
    read::file(path, &files.text, &files.label_column(path)?)
}

/// Label names, whether labels are lists, and the three splits.
type Splits = (Vec<String>, bool, [Labelled; 3]);

fn splits(
    settings: &Settings,
    files: &Files,
    seed: u64,
    notes: &mut Vec<String>,
) -> Result<Splits> {
    let train_raw = raw(&files.train, files)?;
    let folder = files.train.is_dir();
    let column = if folder { "label".to_owned() } else { files.label_column(&files.train)? };
    let column = column.as_str();
    let shown = files.train.display().to_string();
    let present = train_raw.labels.iter().flatten().cloned().collect();
    let place = (&*shown, column);
    let present = (present, train_raw.lists);
    let labelling = Labelling::new(&files.names, &settings.variant, present, place)?;
    let mut labelled = |raw: Raw, path: &Path| -> Result<Labelled> {
        let shown = path.display().to_string();
        let indexed = labelling.apply(&raw, (&shown, column))?;
        let dropped = indexed.iter().filter(|i| i.is_none()).count();
        if dropped > 0 {
            notes.push(format!("{shown}: {dropped} documents carry none of the labels kept"));
        }
        let pairs = raw.texts.into_iter().zip(indexed).filter_map(|(t, i)| Some((t, i?)));
        let (texts, labels) = pairs.unzip();
        Ok(Labelled { texts, labels })
    };
    let mut train = labelled(train_raw, &files.train)?;
    let mut other = |path: &Option<PathBuf>| -> Result<Option<Labelled>> {
        path.as_ref().map(|p| labelled(raw(p, files)?, p)).transpose()
    };
    let validation = other(&files.validation)?;
    let test = other(&files.test)?;

    let there = (validation.is_some(), test.is_some());
    let [stay, to_validation, to_test] = split::three(&train.labels, there, settings, seed);
    let validation = validation.unwrap_or_else(|| train.take(&to_validation));
    let test = test.unwrap_or_else(|| train.take(&to_test));
    let train = train.take(&stay);
    let names = labelling.names().to_vec();
    absent(train.labels.iter().flatten().copied(), &names, place)?;
    Ok((names, labelling.lists, [train, validation, test]))
}

/// A class that the training split does not have cannot be learned.
pub(super) fn absent(
    present: impl Iterator<Item = usize>,
    names: &[String],
    (file, column): (&str, &str),
) -> Result<()> {
    let present: HashSet<usize> = present.collect();
    let missing: Vec<&str> =
        (0..names.len()).filter(|k| !present.contains(k)).map(|k| names[k].as_str()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Error::input(
        file,
        format!("column `{column}`"),
        format!("no training document of {}", missing.join(", ")),
        "add some, or name the labels that are there in `corpus.variant.keep`",
    ))
}

/// Letters and digits alone, lower-cased: two copies of a text that differ in
/// white space or punctuation are the same text.
pub fn essence(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn count_duplicates(train: &Labelled, test: &Labelled, notes: &mut Vec<String>) {
    let mut seen: HashSet<String> = train.texts.iter().map(|t| essence(t)).collect();
    // Texts without a letter are counted elsewhere.
    seen.remove("");
    let shared = test.texts.iter().filter(|t| seen.contains(&essence(t))).count();
    if shared > 0 {
        notes.push(format!(
            "{shared} of {} test documents also stand in the training split (letters and digits \
             compared); they were left in",
            test.texts.len()
        ));
    }
}

/// Documents that were cut, dropped or are doubtful, counted.
#[derive(Default)]
pub(super) struct Tally {
    empty: usize,
    long: usize,
    unknown: usize,
}

impl Tally {
    /// What there is to say of a split.
    pub(super) fn notes(&self, name: &str, settings: &tokens::Settings) -> Vec<String> {
        let longest = settings.longest;
        let long = match settings.too_long {
            TooLong::Cut => format!("documents were cut to their first {longest} tokens"),
            TooLong::Drop => format!("documents of over {longest} tokens were left out"),
        };
        let all = [
            (self.empty, "documents without a token were left out"),
            (self.long, long.as_str()),
            (self.unknown, "documents hold only unknown words; they were left in"),
        ];
        let counted = all.into_iter().filter(|(count, _)| *count > 0);
        counted.map(|(count, what)| format!("{name} split: {count} {what}")).collect()
    }
}

/// Cuts or drops documents, and lays tokens and labels end to end; also which
/// documents stayed.
pub(super) fn collect(
    (settings, unknown_id): (&tokens::Settings, Option<u32>),
    tokens: Vec<Vec<u32>>,
    labels: Vec<Vec<usize>>,
    (classes, lists): (usize, bool),
    tally: &mut Tally,
) -> (Split, Vec<usize>) {
    let mut documents = Documents::new();
    let mut kept: Vec<Vec<usize>> = Vec::with_capacity(labels.len());
    let mut rows = Vec::with_capacity(labels.len());
    for (row, (tokens, labels)) in tokens.into_iter().zip(labels).enumerate() {
        if tokens.is_empty() {
            tally.empty += 1;
            continue;
        }
        let mut tokens = &tokens[..];
        if tokens.len() > settings.longest {
            tally.long += 1;
            if settings.too_long == TooLong::Drop {
                continue;
            }
            tokens = &tokens[..settings.longest];
        }
        tally.unknown += tokens.iter().all(|&t| Some(t) == unknown_id) as usize;
        documents.push(tokens);
        kept.push(labels);
        rows.push(row);
    }
    let labels = if lists {
        let mut flags = vec![false; kept.len() * classes];
        for (d, labels) in kept.iter().enumerate() {
            labels.iter().for_each(|&k| flags[d * classes + k] = true);
        }
        Labels::Multi { labels: classes, flags }
    } else {
        Labels::Class(kept.iter().map(|l| l[0] as u32).collect())
    };
    (Split { documents, labels }, rows)
}
