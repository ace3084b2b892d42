//! `accrue predict CORPUS`.

use super::terminal::out;
use super::{Common, terminal};
use crate::baseline::gains::{self, Gain};
use crate::corpus::{self, Corpus, Pieces, Source, labelling, pieces, settings, sources};
use crate::experiment::Experiment;
use crate::records::Table;
use crate::records::keys;
use crate::report::Summary;
use crate::stats::{Prediction, predict, predict_pieces};
use crate::studies::text::{prediction_numbers, prediction_tables, text_gains};
use crate::{Error, Result, baseline};
use clap::Args;
use std::path::{Path, PathBuf};

#[derive(Args, Debug)]
pub struct Predict {
    /// A name of the catalogue, a file of your own text (parquet, CSV, TSV, JSON,
    /// JSON Lines; a folder of them or of label/*.txt; a pattern, as
    /// "train-*.parquet"), or an experiment file (.ron)
    corpus: String,
    #[command(flatten)]
    columns: Columns,
    /// Read the file piece by piece, as is done by itself for files above 256 MB:
    /// no more than a few hundred MB of memory, whatever its size
    #[arg(long)]
    pieces: bool,
    /// Also say which words change how the next ones count, as the labels tell
    /// without any network; the file is read whole and bags of words are fitted, a
    /// quarter of a minute on 25,000 reviews
    #[arg(long, conflicts_with = "pieces")]
    modifiers: bool,
    /// Also write tables, below this folder: the predicted spectrum and dimensions,
    /// and with --modifiers every word's gain (`accrue dictionary` describes them)
    #[arg(long, value_name = "DIR")]
    tables: Option<PathBuf>,
    /// Print the summary keys as JSON
    #[arg(long)]
    json: bool,
}

/// Heading of what tells the form of a file in every command's help.
const FORM: &str = "A file of your own text";

/// Columns and form of a file of your own text.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct Columns {
    /// Columns that hold the text, joined by a blank [default: text]
    #[arg(help_heading = FORM, long = "text", value_name = "COLUMN,…", value_delimiter = ',')]
    text: Vec<String>,
    /// Column that holds the label [default: label, or labels]; several: columns
    /// of 0 and 1, one a label
    #[arg(help_heading = FORM, long = "label", value_name = "COLUMN,…", value_delimiter = ',')]
    label: Vec<String>,
    /// What joins several labels in one cell, as the comma in `4,27`
    #[arg(help_heading = FORM, long, value_name = "TEXT", allow_hyphen_values = true)]
    label_separator: Option<String>,
    /// Names of labels that are numbers from 0, or places of 0/1 vectors [default:
    /// those of a labels.json beside the file]
    #[arg(help_heading = FORM, long, value_name = "NAME,…", value_delimiter = ',')]
    label_names: Vec<String>,
    /// The first row is data: columns are called 1, 2, 3, …
    #[arg(help_heading = FORM, long)]
    no_header: bool,
    /// What separates fields: one character, or tab [default: found out]
    #[arg(help_heading = FORM, long, value_name = "CHAR", allow_hyphen_values = true)]
    separator: Option<String>,
    /// Whether quotation marks hold a field together [default: yes; between tabs
    /// only where the file shows it]
    #[arg(help_heading = FORM, long, value_name = "yes|no", value_parser = yes_or_no)]
    quotes: Option<bool>,
    /// A backslash takes the meaning of the next character away, as in \"
    #[arg(help_heading = FORM, long)]
    backslash: bool,
    /// Encoding, as windows-1252 or gbk [default: UTF-8, or UTF-16 if it is that]
    #[arg(help_heading = FORM, long, value_name = "NAME")]
    encoding: Option<String>,
    /// Add the special tokens of a given tokenizer.json, as `[CLS]` … `[SEP]`
    #[arg(help_heading = FORM, long)]
    special_tokens: bool,
}

/// An answer as it is typed.
fn yes_or_no(typed: &str) -> std::result::Result<bool, String> {
    match typed {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        other => Err(format!("`{other}` is neither yes nor no")),
    }
}

impl Columns {
    /// Sets columns and form of a file.
    ///
    /// # Errors
    /// [`Error::Usage`] where the corpus is no file.
    fn apply(&self, corpus: &mut settings::Settings) -> Result<()> {
        corpus.tokens.special |= self.special_tokens;
        let of_a_file = Self { special_tokens: false, ..self.clone() };
        let Source::File(file) = &mut corpus.source else {
            return match of_a_file == Self::default() {
                true => Ok(()),
                false => Err(Error::Usage(
                    "--text, --label and what tells a file's form are for a file of your own; a corpus \
                     of the catalogue has its own columns"
                        .into(),
                )),
            };
        };
        let Self { text, label, label_names, .. } = of_a_file;
        if !text.is_empty() {
            file.text = text;
        }
        match label.len() {
            0 => {}
            1 => (file.label, file.labels) = (label[0].clone(), Vec::new()),
            _ => file.labels = label,
        }
        if !label_names.is_empty() {
            file.names = label_names;
        }
        for (typed, setting) in [
            (&self.label_separator, &mut file.label_separator),
            (&self.separator, &mut file.separator),
            (&self.encoding, &mut file.encoding),
        ] {
            if let Some(typed) = typed {
                *setting = typed.clone();
            }
        }
        file.quotes = self.quotes.or(file.quotes);
        file.no_header |= self.no_header;
        file.backslash |= self.backslash;
        Ok(())
    }
}

impl Predict {
    pub fn go(self, common: &Common) -> Result<()> {
        let experiment = experiment(&self.corpus, &self.columns, common)?;
        let settings = &experiment.corpus;
        // Bags of words are fitted to the whole text.
        let pieces = self.pieces || !self.modifiers && pieces::large(settings, &common.data)?;
        let counted = if pieces {
            in_pieces(&experiment, common)?
        } else {
            terminal::say(common.quiet, "counting words …");
            whole(&experiment, common, self.modifiers)?
        };
        if !counted.labels.is_empty() {
            terminal::say(common.quiet, format!("note: {}", labelling::in_order(&counted.labels)));
        }
        counted
            .found
            .left_out
            .note()
            .into_iter()
            .for_each(|note| terminal::say(common.quiet, format!("note: {note}")));
        counted.notes.iter().for_each(|note| terminal::say(common.quiet, format!("note: {note}")));
        let mut summary = Summary::new();
        prediction_numbers(&counted.found)
            .iter()
            .for_each(|(key, number)| summary.number(*key, *number));
        summary.text(keys::SHAPE_PREDICTED, counted.found.shape.name());
        summary.text(keys::CORPUS_NAME, counted.name.as_str());
        summary.number(keys::CORPUS_DOCUMENTS, counted.documents as f64);
        summary.number(keys::CORPUS_TOKENS, counted.tokens as f64);
        summary.number(keys::CORPUS_VOCABULARY, counted.vocabulary as f64);
        if let Some(told) = &counted.told {
            let words: Vec<&str> = told.called().map(|(word, _)| word).collect();
            summary.number(keys::TEXT_GAINS_COUNT, words.len() as f64);
            summary.text(keys::TEXT_GAINS_WORDS, words.join(" "));
        }
        if let Some(folder) = &self.tables {
            for file in counted.write(folder)? {
                terminal::say(common.quiet, folder.join(file).to_string_lossy());
            }
        }
        if self.json {
            out!("{}", summary.to_json());
        } else {
            out!("{}", text(&counted));
            out!("{}", counted.told.as_ref().map(Told::text).unwrap_or_default());
        }
        Ok(())
    }
}

/// A prediction and what it was made from.
struct Counted {
    name: String,
    documents: usize,
    tokens: usize,
    vocabulary: usize,
    found: Prediction,
    /// Where it was asked for.
    told: Option<Told>,
    notes: Vec<String>,
    labels: Vec<String>,
}

impl Counted {
    /// Writes its tables; returns their files.
    fn write(&self, folder: &Path) -> Result<Vec<String>> {
        let mut tables: Vec<Table> = prediction_tables(&self.found, self.documents).into();
        tables.extend(self.told.as_ref().map(Told::table));
        tables.into_iter().map(|table| table.write(folder)).collect()
    }
}

/// What the text says each word does to the next ones, the surest first.
struct Told {
    words: Vec<String>,
    gains: Vec<Gain>,
}

impl Told {
    fn of(corpus: &Corpus, e: &Experiment) -> Result<Self> {
        let (words, classes) = (corpus.words.len(), corpus.label_names.len());
        let (train, validation) = (&corpus.train, &corpus.validation);
        let bag = baseline::fit(train, validation, words, classes, &e.baseline)?;
        let gains = gains::gains(train, words, classes, bag.penalty, e.context.least)?;
        Ok(Self { words: corpus.words.clone(), gains })
    }

    /// Words told from such as change nothing.
    fn called(&self) -> impl Iterator<Item = (&str, &Gain)> {
        let told = self.gains.iter().filter(|gain| gain.is_significant());
        told.map(|gain| (self.words[gain.word as usize].as_str(), gain))
    }

    fn table(&self) -> Table {
        text_gains(&self.words, &self.gains).table()
    }

    /// For a terminal, 80 columns.
    fn text(&self) -> String {
        let called = self.called().count();
        let mut text = format!(
            "  by the labels {called} of {} words change the next ones (1 in 20 wrongly)\n",
            self.gains.len()
        );
        if called > 0 {
            text += "  word               gain   95 % interval    documents\n";
        }
        for (word, gain) in self.called().take(LISTED) {
            let (low, high) = gain.interval();
            text += &format!(
                "  {word:<16} {:>+6.2}   {low:+.2} – {high:+.2}   {:>9}\n",
                gain.gain, gain.documents
            );
        }
        if called > LISTED {
            text += &format!("  … and {} more; --tables DIR writes all\n", called - LISTED);
        }
        text
    }
}

/// Words listed in a terminal.
const LISTED: usize = 20;

/// Counts with the corpus in memory.
fn whole(e: &Experiment, common: &Common, modifiers: bool) -> Result<Counted> {
    let corpus = corpus::load(&e.corpus, &common.data, e.corpus_seed())?.corpus;
    let (names, vocabulary) = (&corpus.label_names, corpus.words.len());
    let found = predict(&corpus.train, names, vocabulary, &e.prediction, e.seed)?;
    if modifiers {
        terminal::say(common.quiet, "fitting bags of words …");
    }
    Ok(Counted {
        told: modifiers.then(|| Told::of(&corpus, e)).transpose()?,
        found,
        documents: corpus.train.documents.len(),
        tokens: corpus.train.documents.token_count(),
        vocabulary,
        labels: corpus.label_names.clone(),
        name: corpus.name,
        notes: corpus.notes,
    })
}

/// Counts piece by piece.
fn in_pieces(e: &Experiment, common: &Common) -> Result<Counted> {
    terminal::say(common.quiet, "reading labels …");
    let watch = |what: &'static str| {
        let mut steps = terminal::Steps::new(common.quiet);
        move |done: usize, of: usize| steps.show(what, done, of)
    };
    let (mut words, mut counts) = (watch("learning words"), watch("counting words"));
    let pieces = Pieces::open(&e.corpus, &common.data, e.corpus_seed(), &mut words)?;
    let read = predict_pieces(&pieces, &e.prediction, e.seed, &mut counts)?;
    Ok(Counted {
        found: read.prediction,
        told: None,
        documents: read.documents,
        tokens: read.tokens,
        vocabulary: pieces.words.len(),
        name: pieces.name.clone(),
        notes: read.notes,
        labels: pieces.label_names.clone(),
    })
}

/// What was typed for a corpus as an experiment's settings.
///
/// # Errors
/// [`Error::Input`] for a path that leads nowhere, and what an experiment file
/// or `--set` is refused for.
pub fn experiment(typed: &str, columns: &Columns, common: &Common) -> Result<Experiment> {
    let path = Path::new(typed);
    let mut experiment = if path.extension().is_some_and(|e| e == "ron") {
        Experiment::read(path, &common.set)?
    } else {
        let mut experiment = Experiment::default();
        // A path is a path; what leads nowhere and asks for several files is a pattern of them.
        experiment.corpus.source = if path.exists() || sources::is_pattern(path) {
            Source::File(settings::File { train: path.into(), ..Default::default() })
        } else if path.components().count() > 1 || path.extension().is_some() {
            let remedy = "give an existing file, or a name of `accrue corpus list`";
            return Err(Error::input(typed, "", "no such file", remedy));
        } else {
            Source::Named(typed.into())
        };
        common.set.iter().try_fold(experiment, |e, assignment| e.with(assignment))?
    };
    columns.apply(&mut experiment.corpus)?;
    if let Some(seed) = common.seed {
        experiment.seed = seed;
    }
    Ok(experiment)
}

/// The prediction for a terminal, 80 columns.
fn text(counted: &Counted) -> String {
    use std::fmt::Write;
    let Counted { name, documents, found, .. } = counted;
    let mut text = String::new();
    let _ = writeln!(text, "{name}: {} rows, {documents} training documents", found.rows.len());
    for (what, i) in [
        ("dimension", &found.dimension),
        ("… corrected for sampling noise", &found.dimension_unbiased),
        ("… words by what they say", &found.dimension_scaled),
    ] {
        let told = |x: f64| if x.is_finite() { format!("{x:.2}") } else { "–".into() };
        let (value, low, high) = (told(i.value), told(i.low), told(i.high));
        let _ = writeln!(text, "  {what:<25} {value:>6}   95 % interval {low} – {high}");
    }
    let _ = writeln!(text, "  {:<25} {:>6}", "shape", found.shape.name());
    let total: f64 = found.variances.iter().sum();
    let unbiased: f64 = found.unbiased.iter().map(|v| v.max(0.0)).sum();
    let _ = writeln!(text, "  component   share   without noise");
    for (i, (v, u)) in found.variances.iter().zip(&found.unbiased).take(10).enumerate() {
        let bar = "▇".repeat((40.0 * v / total).round() as usize);
        let _ = writeln!(
            text,
            "  {:>9}  {:>6.3}   {:>6}  {bar}",
            i + 1,
            (v / total).max(0.0),
            if unbiased > 0.0 { format!("{:.3}", (u / unbiased).max(0.0)) } else { "–".into() }
        );
    }
    text
}
