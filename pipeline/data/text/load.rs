//! From settings to a corpus.

use super::catalogue::Catalogue;
use super::labelling::{Form, Labelling};
use super::neighbours::Shared;
use super::read::{Input, Noticed, Places, Raw, Value};
use super::settings::{File, Settings, Source};
use super::sources::{self, Sources};
use super::stream::{self, brief, listed};
use super::tokens::{self, Tokenizer, TooLong};
use super::{Corpus, Documents, Labels, Split, split, synthetic};
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

/// A corpus with the tokenizer that made it; none for synthetic corpora.
pub struct Loaded {
    /// The corpus.
    pub corpus: Corpus,
    /// The tokenizer.
    pub tokenizer: Option<Tokenizer>,
    /// Words of each split that the vocabulary does not have and has no word for: they were left out.
    pub left_out: [usize; 3],
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
    pub(super) sources: Sources,
    /// Columns and form of the files.
    pub(super) form: File,
}

impl Files {
    /// Opens the training files.
    pub(super) fn train(&self) -> Result<Input> {
        Input::open(&self.sources.train, &self.form)
    }
}

/// Texts of files without labels, in their order, and what was found out of the files' form.
///
/// # Errors
/// As [`load`].
pub fn unlabelled(file: &File) -> Result<(Vec<String>, Vec<String>)> {
    // A label is asked of every row of a corpus; here the text stands for it, and where there is none, none.
    let text = if file.text.is_empty() { vec!["text".to_string()] } else { file.text.clone() };
    let form = File { label: text[0].clone(), text, label_separator: "\0".into(), ..file.clone() };
    let sources = sources::find(&form)?;
    let input = Input::open(&sources.train, &form)?;
    let mut all = Vec::new();
    input.each(true, |raw, _| {
        all.extend(raw.texts);
        Ok(())
    })?;
    Ok((all, input.notes()))
}

/// Files that a corpus is read from; none for synthetic corpora. A run is
/// stale when one of them has changed.
///
/// # Errors
/// [`Error::Usage`] for a name that is not in the catalogue, [`Error::Input`]
/// if its files are not there.
pub fn files(settings: &Settings, data: &Path) -> Result<Vec<PathBuf>> {
    let Some(files) = locate(settings, data)? else { return Ok(Vec::new()) };
    let Sources { train, validation, test, label_names, .. } = files.sources;
    let mut all: Vec<PathBuf> = [train, validation, test].concat();
    if files.form.names.is_empty() {
        all.extend(label_names);
    }
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
        return Ok(Loaded { corpus, tokenizer: None, left_out: [0; 3] });
    }
    let files = locate(settings, data)?.expect("only synthetic corpora have no files");
    let mut notes = files.sources.notes.clone();
    let there = (!files.sources.validation.is_empty(), !files.sources.test.is_empty());
    let (names, lists, [mut train, mut validation, mut test]) =
        splits(settings, &files, there, seed, &mut notes)?;
    count_duplicates(&train, &test, &mut notes);
    if settings.together == 1 && there != (true, true) {
        neighbours(&train, &mut notes);
    }

    let tokenizer = Tokenizer::new(&settings.tokens, &train.texts)?;
    notes.extend(tokenizer.notes(&settings.tokens));
    let better = tokenizer.better(&settings.tokens, &train.texts);
    let words = tokenizer.words();
    let mut left_out = [0; 3];
    let mut encode = |part: &mut Labelled, name: &str, at: usize| -> Result<Split> {
        let mut texts = std::mem::take(&mut part.texts);
        let labels = std::mem::take(&mut part.labels);
        let mut tally = Tally::default();
        tally.see(&tokenizer, &settings.tokens, &texts);
        let (tokens, without) = tokenizer.encode_counting(&texts)?;
        left_out[at] = without;
        tally.left_out += without;
        let cut = (&settings.tokens, tokenizer.unknown());
        let (split, rows) = collect(cut, tokens, labels, (names.len(), lists), &mut tally);
        notes.extend(tally.notes(name, &settings.tokens, &tokenizer));
        if at == 0 {
            notes.extend(better.clone());
            let carried = each_label(&split.labels, names.len());
            notes.extend(single(&carried, &names, lists));
        }
        if let Some(kept) = &mut kept {
            kept[at] = rows.into_iter().map(|d| std::mem::take(&mut texts[d])).collect();
        }
        Ok(split)
    };
    let train = encode(&mut train, "training", 0)?;
    let validation = encode(&mut validation, "validation", 1)?;
    let test = encode(&mut test, "test", 2)?;
    let splits = [(&train, "train"), (&validation, "validation"), (&test, "test")];
    for (at, (part, share)) in splits.into_iter().enumerate() {
        if part.documents.is_empty() && left_out[at] > 0 {
            let problem =
                format!("none of the {} words of this split is in the vocabulary", left_out[at]);
            let remedy = "is it the list of this corpus, one word a line, cut in the same way?";
            return Err(Error::input(files.name, share, problem, remedy));
        }
        if part.documents.is_empty() {
            let remedy = "give more documents, or set `corpus.validation` and `corpus.test`";
            return Err(Error::input(files.name, share, "no documents in this split", remedy));
        }
    }
    let corpus =
        Corpus { name: files.name, words, label_names: names, train, validation, test, notes };
    Ok(Loaded { corpus, tokenizer: Some(tokenizer), left_out })
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
            let form = File {
                text: entry.text.clone(),
                label: column.unwrap_or_else(|| entry.label.clone()),
                names: if own_column { entry.names.clone() } else { Vec::new() },
                // What the catalogue knows is told apart already.
                label_vectors: Some(false),
                ..File::default()
            };
            let sources = Sources {
                train: take("train").into_iter().collect(),
                validation: take("validation").into_iter().collect(),
                test: take("test").into_iter().collect(),
                ..Sources::default()
            };
            Ok(Some(Files { name: name.clone(), sources, form }))
        }
        Source::File(file) => {
            let name = file.train.file_name().map(|s| s.to_string_lossy().into_owned());
            let stem = name.map(|name| sources::stem(&name).to_string());
            let label = column.unwrap_or_else(|| file.label.clone());
            Ok(Some(Files {
                name: stem.unwrap_or_else(|| file.train.display().to_string()),
                sources: sources::find(file)?,
                form: File { label, ..file.clone() },
            }))
        }
    }
}

/// Decides how labels are read.
///
/// * `cells`: each distinct cell of the training split with the first row that has it
/// * `lists`: whether cells are lists; `rows`: of the training split
pub(super) fn label_form(
    settings: &Settings,
    files: &Files,
    (cells, lists, rows): (&[(&[Value], usize)], bool, usize),
    (places, column): (&Places, &str),
    notes: &mut Vec<String>,
) -> Result<(Form, Labelling)> {
    let form = Form::of(cells, lists, &files.form, (places, column))?;
    notes.extend(form.notes.iter().cloned());
    let mut present: BTreeSet<Value> = BTreeSet::new();
    for (cell, row) in cells {
        present.extend(form.read(cell, lists, *row, (places, column))?);
    }
    let mut names = files.form.names.clone();
    if names.is_empty() && form.is_numbered() {
        names = beside(&files.sources, &form, &present, notes)?;
    }
    if names.is_empty() {
        names = match form.places() {
            Some(places) => (0..places).map(|k| format!("label {k}")).collect(),
            // Columns of 0 and 1 are labels in the order in which they were named.
            None => Vec::new(),
        };
    }
    let mut variant = settings.variant.clone();
    if !files.form.labels.is_empty() && variant.keep.is_empty() && variant.groups.is_empty() {
        let labels = files.form.labels.iter().cloned();
        variant.keep = labels.map(super::settings::Label::Name).collect();
        variant.keep_unlabelled = true;
        present.extend(files.form.labels.iter().cloned().map(Value::Name));
    }
    let file = places.of(0).0.to_string();
    let at = (file.as_str(), column, rows);
    let labelling = Labelling::new(&names, &variant, (present, form.lists), at)?;
    Ok((form, labelling))
}

/// Names of numbered labels in a `labels.json` beside the file, where there are enough of them.
fn beside(
    sources: &Sources,
    form: &Form,
    present: &BTreeSet<Value>,
    notes: &mut Vec<String>,
) -> Result<Vec<String>> {
    let Some(path) = &sources.label_names else { return Ok(Vec::new()) };
    let text = stream::small(path, 1 << 20)?;
    let names: Vec<String> = serde_json::from_str(&text).unwrap_or_default();
    let fits = match form.places() {
        Some(places) => names.len() == places,
        None => present
            .iter()
            .all(|v| matches!(v, Value::Number(k) if (0..names.len() as i64).contains(k))),
    };
    if names.len() < 2 || !fits {
        notes
            .push(format!("{}: its names do not fit the labels and were not used", path.display()));
        return Ok(Vec::new());
    }
    notes.push(format!("{}: names of the labels: {}", path.display(), listed(&names)));
    Ok(names)
}

/// Label names, whether labels are lists, and the three splits.
type Splits = (Vec<String>, bool, [Labelled; 3]);

/// One split's files before their labels are read.
struct Opened {
    input: Input,
    raw: Raw,
    noticed: Noticed,
}

fn splits(
    settings: &Settings,
    files: &Files,
    there: (bool, bool),
    seed: u64,
    notes: &mut Vec<String>,
) -> Result<Splits> {
    let open = |paths: &[PathBuf]| -> Result<Opened> {
        let input = Input::open(paths, &files.form)?;
        let (raw, noticed) = input.whole()?;
        Ok(Opened { input, raw, noticed })
    };
    let first = open(&files.sources.train)?;
    let column = first.input.column();
    let mut rows_of: HashMap<&[Value], usize> = HashMap::new();
    for (row, cell) in first.raw.labels.iter().enumerate() {
        rows_of.entry(cell).or_insert(row);
    }
    let mut cells: Vec<(&[Value], usize)> = rows_of.into_iter().collect();
    cells.sort_unstable_by_key(|(_, row)| *row);
    let known = (&cells[..], first.raw.lists, first.raw.labels.len());
    let (form, labelling) =
        label_form(settings, files, known, (&first.raw.places, &column), notes)?;
    let is_label = is_label(&cells);
    drop(cells);

    let mut labelled = |opened: Opened| -> Result<Labelled> {
        let Opened { input, raw, noticed } = opened;
        notes.extend(input.notes());
        notes.extend(noticed.notes(&input, &raw.places, &is_label));
        let column = input.column();
        let at = (&raw.places, column.as_str());
        let mut found = Labelled::default();
        let mut dropped = 0;
        for (row, (cell, text)) in raw.labels.iter().zip(raw.texts).enumerate() {
            let values = form.read(cell, raw.lists, row, at)?;
            match labelling.document(&values, row, at)? {
                Some(labels) => {
                    found.texts.push(text);
                    found.labels.push(labels);
                }
                None => dropped += 1,
            }
        }
        notes.extend(none_kept(raw.places.of(0).0, dropped));
        Ok(found)
    };
    let place = first.raw.places.of(0).0.to_string();
    let mut train = labelled(first)?;
    let mut others: Vec<Option<Labelled>> = Vec::new();
    for paths in [&files.sources.validation, &files.sources.test] {
        others.push(match paths.is_empty() {
            true => None,
            false => Some(labelled(open(paths)?)?),
        });
    }
    let [validation, test] = others.try_into().unwrap_or_default();

    let [stay, to_validation, to_test] = split::three(&train.labels, there, settings, seed);
    let validation = validation.unwrap_or_else(|| train.take(&to_validation));
    let test = test.unwrap_or_else(|| train.take(&to_test));
    let train = train.take(&stay);
    let names = labelling.names().to_vec();
    absent(train.labels.iter().flatten().copied(), &names, (&place, &column))?;
    Ok((names, labelling.lists, [train, validation, test]))
}

/// Whether something is a label of the training split, as it is written.
pub(super) fn is_label(cells: &[(&[Value], usize)]) -> impl Fn(&str) -> bool + use<> {
    let written: HashSet<String> =
        cells.iter().flat_map(|(c, _)| *c).map(Value::to_string).collect();
    move |text| written.contains(text)
}

/// A note on documents of labels that are not kept.
pub(super) fn none_kept(file: &str, dropped: usize) -> Option<String> {
    (dropped > 0).then(|| format!("{file}: {dropped} documents carry none of the labels kept"))
}

/// Documents that carry each label.
pub(super) fn each_label(labels: &Labels, count: usize) -> Vec<usize> {
    let mut carried = vec![0; count];
    match labels {
        Labels::Class(classes) => classes.iter().for_each(|&c| carried[c as usize] += 1),
        Labels::Multi { labels, flags } => {
            (0..flags.len()).filter(|&i| flags[i]).for_each(|i| carried[i % labels] += 1);
        }
        Labels::Score(_) => {}
    }
    carried
}

/// A note on classes of a single document.
pub(super) fn single(carried: &[usize], names: &[String], lists: bool) -> Option<String> {
    let single: Vec<&str> =
        (0..names.len()).filter(|&k| carried[k] == 1).map(|k| names[k].as_str()).collect();
    let what = if lists { "label" } else { "class" };
    let plural = if lists { "labels" } else { "classes" };
    (!single.is_empty()).then(|| {
        let what = if single.len() == 1 { format!("1 {what} has") } else { format!("{} {plural} have", single.len()) };
        format!(
            "training split: {what} a single document ({}): too few to halve, so the prediction from counts leaves it \
             out; `corpus.variant.keep` and `groups` choose and merge labels",
            listed(&single)
        )
    })
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
        format!("column `{}`", brief(column)),
        format!("no training document of {}", listed(&missing)),
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
    /// Documents of unknown words alone.
    unknown: usize,
    /// Words, those among them that are unknown, and those that were left out besides.
    words: usize,
    unknown_words: usize,
    pub(super) left_out: usize,
    /// Documents of scripts without blanks between words.
    unspaced: usize,
    /// Documents in which a listed word would be cut, did it not stand in the list.
    kept_whole: usize,
}

impl Tally {
    /// Looks at texts before they are cut into words.
    pub(super) fn see(
        &mut self,
        tokenizer: &Tokenizer,
        settings: &tokens::Settings,
        texts: &[String],
    ) {
        let seen = tokenizer.see(settings, texts);
        self.unspaced += seen.unspaced;
        self.kept_whole += seen.kept_whole;
    }

    /// What there is to say of a split.
    pub(super) fn notes(
        &self,
        name: &str,
        settings: &tokens::Settings,
        tokenizer: &Tokenizer,
    ) -> Vec<String> {
        let longest = settings.longest;
        let long = match settings.too_long {
            TooLong::Cut => {
                format!(
                    "documents were cut to their first {longest} tokens (`corpus.tokens.longest`)"
                )
            }
            TooLong::Drop => {
                format!(
                    "documents of over {longest} tokens were left out (`corpus.tokens.longest`)"
                )
            }
        };
        let unspaced = "documents are of a script without blanks between words, so a whole phrase counts as one \
                        word; put blanks between words and set `corpus.tokens.cut=Whitespace`, or give a tokenizer.json";
        let kept_whole = "documents hold listed words that would be cut elsewhere, as `low-key`; they were kept whole";
        let all = [
            (self.empty, "documents without a token were left out"),
            (self.long, long.as_str()),
            (self.unknown, "documents hold only unknown words; they were left in"),
            (self.unspaced, unspaced),
            (self.kept_whole, kept_whole),
        ];
        let counted = all.into_iter().filter(|(count, _)| *count > 0);
        let mut notes: Vec<String> =
            counted.map(|(count, what)| format!("{name} split: {count} {what}")).collect();
        let (unknown, words) = (self.unknown_words + self.left_out, self.words + self.left_out);
        if words > 0 && (unknown > 0 || tokenizer.is_given() && name == "training") {
            let share = 100.0 * unknown as f64 / words as f64;
            let became = match self.left_out {
                0 => "are unknown",
                _ => "are not in the vocabulary and were left out",
            };
            let setting = match tokenizer.is_given() {
                true => "",
                false => " (`corpus.tokens.vocabulary`, `least`)",
            };
            notes.push(format!("{name} split: {share:.1} % of {words} words {became}{setting}"));
        }
        notes
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
        let unknown = tokens.iter().filter(|&&t| Some(t) == unknown_id).count();
        tally.words += tokens.len();
        tally.unknown_words += unknown;
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
