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
        let lines = self.file.as_os_str() == "-"
            || self.file.extension().is_some_and(|e| e.eq_ignore_ascii_case("txt"));
        let texts: Vec<String> = if self.file.as_os_str() == "-" {
            let mut text = String::new();
            let from = std::io::stdin().read_to_string(&mut text);
            from.map_err(Error::io("standard input"))?;
            text.lines().map(str::to_string).collect()
        } else if lines {
            let text = std::fs::read_to_string(&self.file).map_err(Error::io(&self.file))?;
            text.lines().map(str::to_string).collect()
        } else {
            let file = settings::File {
                train: self.file.clone(),
                text: self.text.clone(),
                no_header: self.no_header,
                ..settings::File::default()
            };
            let (texts, notes) = load::unlabelled(&file)?;
            notes.iter().for_each(|n| terminal::say(common.quiet, format!("note: {n}")));
            texts
        };
        let answers = classifier.answer(&texts)?;
        if self.json {
            for answer in &answers {
                outln!("{}", serde_json::to_string(answer).expect("answers are plain data"));
            }
        } else {
            out!("{}", table(&answers));
        }
        let empty = answers.iter().filter(|a| a.words == 0).count();
        let words: usize = answers.iter().map(|a| a.words).sum();
        let unknown: usize = answers.iter().map(|a| a.unknown).sum();
        if empty > 0 {
            terminal::say(
                common.quiet,
                format!("note: {empty} of {} texts have no word: no answer", answers.len()),
            );
        }
        if unknown > 0 {
            let share = 100.0 * unknown as f64 / words as f64;
            terminal::say(
                common.quiet,
                format!("note: {share:.1} % of {words} words are not in the run's vocabulary"),
            );
        }
        Ok(())
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
