//! `accrue predict CORPUS`.

use super::{Common, terminal};
use accrue::corpus::{self, Source, settings};
use accrue::experiment::Experiment;
use accrue::report::Summary;
use accrue::stats::{Prediction, predict};
use accrue::studies::portrait::prediction_numbers;
use accrue::{Error, Result};
use clap::Args;
use std::path::Path;

#[derive(Args, Debug)]
pub struct Predict {
    /// A name of the catalogue, a file of your own text (parquet, CSV, TSV,
    /// JSON Lines, a folder of label/*.txt), or an experiment file (.ron)
    corpus: String,
    #[command(flatten)]
    columns: Columns,
    /// Print the summary keys as JSON
    #[arg(long)]
    json: bool,
}

/// Columns of a file of your own text.
#[derive(Args, Clone, Debug, Default)]
pub struct Columns {
    /// Columns of your file that hold the text, joined by a blank [default: text]
    #[arg(long = "text", value_name = "COLUMN,…", value_delimiter = ',')]
    text: Vec<String>,
    /// Column of your file that holds the label [default: label, or labels]
    #[arg(long = "label", value_name = "COLUMN")]
    label: Option<String>,
}

impl Columns {
    /// Sets the columns of a file.
    ///
    /// # Errors
    /// [`Error::Usage`] where the corpus is no file.
    fn apply(&self, source: &mut Source) -> Result<()> {
        match source {
            Source::File(file) => {
                if !self.text.is_empty() {
                    file.text = self.text.clone();
                }
                if let Some(label) = &self.label {
                    file.label = label.clone();
                }
                Ok(())
            }
            _ if self.text.is_empty() && self.label.is_none() => Ok(()),
            _ => Err(Error::Usage(
                "--text and --label name columns of a file of your own; a corpus of the catalogue \
                 has its own"
                    .into(),
            )),
        }
    }
}

impl Predict {
    pub fn go(self, common: &Common) -> Result<()> {
        let experiment = experiment(&self.corpus, &self.columns, common)?;
        terminal::say(common.quiet, "counting words …");
        let loaded = corpus::load(&experiment.corpus, &common.data, experiment.seed)?.corpus;
        loaded.notes.iter().for_each(|note| terminal::say(common.quiet, format!("note: {note}")));
        let found = predict(
            &loaded.train,
            &loaded.label_names,
            loaded.words.len(),
            &experiment.prediction,
            experiment.seed,
        )?;
        let mut summary = Summary::new();
        prediction_numbers(&found).iter().for_each(|(key, number)| summary.number(key, *number));
        summary.text("shape.predicted", found.shape.name());
        summary.text("corpus.name", loaded.name.as_str());
        summary.number("corpus.documents", loaded.train.documents.len() as f64);
        summary.number("corpus.tokens", loaded.train.documents.token_count() as f64);
        summary.number("corpus.vocabulary", loaded.words.len() as f64);
        if self.json {
            print!("{}", summary.to_json());
        } else {
            print!("{}", text(&loaded.name, loaded.train.documents.len(), &found));
        }
        Ok(())
    }
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
        experiment.corpus.source = if path.exists() {
            Source::File(settings::File { train: path.into(), ..Default::default() })
        } else if path.components().count() > 1 || path.extension().is_some() {
            let remedy = "give an existing file, or a name of `accrue corpus list`";
            return Err(Error::input(typed, "", "no such file", remedy));
        } else {
            Source::Named(typed.into())
        };
        common.set.iter().try_fold(experiment, |e, assignment| e.with(assignment))?
    };
    columns.apply(&mut experiment.corpus.source)?;
    if let Some(seed) = common.seed {
        experiment.seed = seed;
    }
    Ok(experiment)
}

/// The prediction for a terminal, 80 columns.
fn text(name: &str, documents: usize, found: &Prediction) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    let _ = writeln!(text, "{name}: {} rows, {documents} training documents", found.rows.len());
    for (what, i) in [
        ("dimension", &found.dimension),
        ("… without sampling noise", &found.dimension_unbiased),
        ("… words by what they say", &found.dimension_scaled),
    ] {
        let _ = writeln!(
            text,
            "  {what:<25} {:>6.2}   95 % interval {:.2} – {:.2}",
            i.value, i.low, i.high
        );
    }
    let _ = writeln!(text, "  {:<25} {:>6}", "shape", found.shape.name());
    let total: f64 = found.variances.iter().sum();
    let unbiased: f64 = found.unbiased.iter().map(|v| v.max(0.0)).sum();
    let _ = writeln!(text, "  component   share   without noise");
    for (i, (v, u)) in found.variances.iter().zip(&found.unbiased).take(10).enumerate() {
        let bar = "▇".repeat((40.0 * v / total).round() as usize);
        let _ = writeln!(
            text,
            "  {:>9}  {:>6.3}   {:>6.3}  {bar}",
            i + 1,
            (v / total).max(0.0),
            (u / unbiased).max(0.0)
        );
    }
    text
}
