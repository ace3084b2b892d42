//! `accrue classify RUN FILE`.

use super::terminal::{out, outln};
use super::{Common, terminal};
use crate::corpus::{load, settings};
use crate::studies::classify::{Answer, Classified, Classifier};
use crate::{Error, Result};
use clap::Args;
use std::io::Read;
use std::path::PathBuf;

/// Label new texts with a finished run: by its network, by words alone, by words in context
///
/// Prints CSV, one row a text, in their order.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Classify {
    /// Folder of a finished run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The texts: a table with a text column (parquet, CSV, TSV, JSON, JSON Lines), a file of
    /// one text a line (.txt), or - for lines from standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Columns that hold the text, joined by a blank [default: text]
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    text: Vec<String>,
    /// The first row is data: columns are called 1, 2, 3, …
    #[arg(long)]
    no_header: bool,
    /// Print JSON Lines instead of CSV
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  accrue classify reports/imdb/gru new_reviews.csv --text review > answers.csv
  echo \"not a bad film\" | accrue classify reports/imdb/gru -";

impl Classify {
    pub fn go(self, common: &Common) -> Result<()> {
        let classifier = Classifier::open(&self.run)?;
        let texts = self.texts(common)?;
        let (answers, left_out) = classifier.answer(&texts)?;
        if self.json {
            for answer in &answers {
                outln!("{}", serde_json::to_string(answer).expect("answers are plain data"));
            }
        } else {
            out!("{}", table(&answers));
        }
        let note = |text: String| terminal::say(common.quiet, format!("note: {text}"));
        let empty = answers.iter().filter(|a| a.words == 0).count();
        let words: usize = answers.iter().map(|a| a.words).sum();
        let unknown: usize = answers.iter().map(|a| a.unknown).sum();
        if empty > 0 {
            note(format!("{empty} of {} texts have no word: no answer", answers.len()));
        }
        if unknown > 0 {
            let share = 100.0 * unknown as f64 / words as f64;
            note(format!("{share:.1} % of {words} words are not in the run's vocabulary"));
        }
        if left_out > 0 {
            note(format!("{left_out} words are not in the run's vocabulary and were left out"));
        }
        Ok(())
    }

    /// The texts to label.
    fn texts(&self, common: &Common) -> Result<Vec<String>> {
        let note = |text: String| terminal::say(common.quiet, format!("note: {text}"));
        let lines = |text: String, from: &str| -> Vec<String> {
            let lines: Vec<String> = text.lines().map(str::to_string).collect();
            note(format!("{from}: each of {} lines is a text", lines.len()));
            lines
        };
        if self.file.as_os_str() == "-" {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(Error::io("standard input"))?;
            return Ok(lines(text, "standard input"));
        }
        if self.file.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt")) {
            let text = std::fs::read_to_string(&self.file).map_err(Error::io(&self.file))?;
            return Ok(lines(text, &self.file.display().to_string()));
        }
        let file = settings::File {
            train: self.file.clone(),
            text: self.text.clone(),
            no_header: self.no_header,
            ..settings::File::default()
        };
        let (texts, notes) = load::unlabelled(&file)?;
        notes.into_iter().for_each(note);
        Ok(texts)
    }
}

/// A cell of CSV.
fn csv_cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.into(),
    }
}

fn table(answers: &[Classified]) -> String {
    let mut text = String::from(
        "row,network,network_probability,words_alone,words_alone_probability,words_in_context,\
         words_in_context_probability,words,unknown\n",
    );
    let cells = |answer: &Option<Answer>| match answer {
        Some(a) => format!("{},{:.4}", csv_cell(&a.label), a.probability),
        None => ",".into(),
    };
    for (i, a) in answers.iter().enumerate() {
        text += &format!(
            "{},{},{},{},{},{}\n",
            i + 1,
            cells(&a.network),
            cells(&a.alone),
            cells(&a.in_context),
            a.words,
            a.unknown
        );
    }
    text
}
