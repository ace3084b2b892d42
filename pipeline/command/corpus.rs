//! `accrue corpus …`.

use super::terminal::{out, outln};
use super::{Common, predict, terminal};
use crate::Result;
use crate::corpus::catalogue::Catalogue;
use crate::corpus::fetch::{self, Hub};
use crate::corpus::overview::Overview;
use crate::corpus::{Corpus as Loaded, load};
use crate::stats::evidence;
use clap::Subcommand;

/// Words shown for each label.
const WORDS_SHOWN: usize = 8;
/// Words with fewer occurrences are not shown: their odds are chance.
const LEAST: usize = 20;

#[derive(Debug, Subcommand)]
pub enum Corpus {
    /// The corpora that are known by name, and which are here
    List,
    /// Everything about one corpus
    Show {
        /// Name in the catalogue
        name: String,
    },
    /// Bring corpora into the data folder, or check that they are unchanged
    Fetch {
        /// Names in the catalogue
        #[arg(required = true, value_name = "NAME")]
        names: Vec<String>,
    },
    /// Count documents, tokens, labels and telling words
    Stats {
        /// A name of the catalogue, a file of your own text (also a folder, or a
        /// pattern), or an experiment file (.ron)
        corpus: String,
        #[command(flatten)]
        columns: predict::Columns,
        /// Print the numbers as JSON
        #[arg(long)]
        json: bool,
    },
}

impl Corpus {
    pub fn go(self, common: &Common) -> Result<()> {
        let catalogue = Catalogue::open(&common.data)?;
        match self {
            Corpus::List => out!("{}", catalogue.list(&common.data)),
            Corpus::Show { name } => outln!("{}", catalogue.get(&name)?),
            Corpus::Fetch { names } => {
                let entries: Result<Vec<_>> = names.iter().map(|n| catalogue.get(n)).collect();
                for entry in entries? {
                    let mut watch = terminal::Transfer::new(common.quiet);
                    let hub = Hub::from_env();
                    let found = fetch::fetch(entry, &common.data, &hub, &mut watch)?;
                    drop(watch);
                    for (path, rows) in &found.files {
                        match rows {
                            Some(rows) => outln!("{}: {rows} documents", path.display()),
                            None => outln!("{}: in place", path.display()),
                        }
                    }
                    found.notes.iter().for_each(|n| terminal::say(false, format!("note: {n}")));
                    terminal::say(common.quiet, format!("terms: {}", entry.licence));
                }
            }
            Corpus::Stats { corpus, columns, json } => {
                let experiment = predict::experiment(&corpus, &columns, common)?;
                terminal::say(common.quiet, "counting …");
                let loaded = load(&experiment.corpus, &common.data, experiment.corpus_seed())?;
                let unknown = loaded.tokenizer.as_ref().and_then(|t| t.unknown());
                let overview = Overview::of(&loaded.corpus, unknown, loaded.left_out);
                if json {
                    let text = serde_json::to_string_pretty(&overview);
                    outln!("{}", text.expect("counts are plain data"));
                } else {
                    out!("{overview}{}", telling(&loaded.corpus));
                }
            }
        }
        Ok(())
    }
}

/// The words that speak most for each label, by the log-odds of their counts.
fn telling(corpus: &Loaded) -> String {
    let (vocabulary, labels) = (corpus.words.len(), corpus.label_names.len());
    let mut text = String::new();
    if labels == 0 {
        return text;
    }
    let odds = evidence::log_odds(&corpus.train, vocabulary, labels);
    let mut counts = vec![0; vocabulary];
    corpus.train.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    text += &format!("  telling words (log-odds in nats; {LEAST} occurrences or more)\n");
    for (k, name) in corpus.label_names.iter().enumerate() {
        let mut words: Vec<usize> = (0..vocabulary).filter(|&w| counts[w] >= LEAST).collect();
        words.sort_by(|&a, &b| odds[b][k].total_cmp(&odds[a][k]));
        let mut line = format!("  {name:<14}");
        for &w in words.iter().take(WORDS_SHOWN) {
            let item = format!(" {} {:.1}", corpus.words[w], odds[w][k]);
            if line.chars().count() + item.chars().count() > 80 {
                break;
            }
            line += &item;
        }
        text += &line;
        text.push('\n');
    }
    text
}
