//! What is in a corpus, in numbers a person can take in.

use super::{Corpus, Labels, Split};
use serde::Serialize;
use std::fmt::Write;

/// Numbers of one split.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Part {
    /// train, validation or test.
    pub name: &'static str,
    /// Documents.
    pub documents: usize,
    /// Tokens of all of them.
    pub tokens: usize,
    /// Tokens of the median document.
    pub median: usize,
    /// Tokens of the document that nine in ten are no longer than.
    pub ninetieth: usize,
    /// Tokens of the longest.
    pub longest: usize,
    /// Share of tokens that the vocabulary does not know (token 0 of a
    /// tokenizer; 0 for synthetic corpora, which know every word).
    pub unknown: f64,
    /// Documents that carry each label; empty for scores.
    pub labels: Vec<usize>,
}

/// Numbers of a corpus.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overview {
    /// Its name.
    pub name: String,
    /// Words of the vocabulary.
    pub vocabulary: usize,
    /// Label names by index.
    pub label_names: Vec<String>,
    /// Training, validation and test split.
    pub splits: [Part; 3],
    /// What was cut, dropped or doubtful.
    pub notes: Vec<String>,
}

impl Overview {
    /// Counts.
    ///
    /// * `tokenized`: whether token 0 is the unknown one
    pub fn of(corpus: &Corpus, tokenized: bool) -> Self {
        let labels = corpus.label_names.len();
        let part = |name, split| part(name, split, labels, tokenized);
        Self {
            name: corpus.name.clone(),
            vocabulary: corpus.words.len(),
            label_names: corpus.label_names.clone(),
            splits: [
                part("train", &corpus.train),
                part("validation", &corpus.validation),
                part("test", &corpus.test),
            ],
            notes: corpus.notes.clone(),
        }
    }
}

fn part(name: &'static str, split: &Split, labels: usize, tokenized: bool) -> Part {
    let mut lengths: Vec<usize> = split.documents.iter().map(<[u32]>::len).collect();
    lengths.sort_unstable();
    let at = |share: f64| {
        let last = lengths.len().saturating_sub(1);
        lengths.get((share * last as f64).round() as usize).copied().unwrap_or(0)
    };
    let tokens = split.documents.token_count();
    let unknown = split.documents.tokens().iter().filter(|&&t| tokenized && t == 0).count();
    let mut carried = vec![0; labels];
    match &split.labels {
        Labels::Class(classes) => classes.iter().for_each(|&c| carried[c as usize] += 1),
        Labels::Multi { labels, flags } => {
            (0..flags.len()).filter(|&i| flags[i]).for_each(|i| carried[i % labels] += 1);
        }
        Labels::Score(_) => {}
    }
    Part {
        name,
        documents: split.documents.len(),
        tokens,
        median: at(0.5),
        ninetieth: at(0.9),
        longest: at(1.0),
        unknown: unknown as f64 / tokens.max(1) as f64,
        labels: carried,
    }
}

impl std::fmt::Display for Overview {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}: {} words", self.name, self.vocabulary)?;
        writeln!(f, "  split       documents     tokens  median   90 %  longest  unknown")?;
        for p in &self.splits {
            writeln!(
                f,
                "  {:<11} {:>9} {:>10} {:>7} {:>6} {:>8} {:>7.1}%",
                p.name,
                p.documents,
                p.tokens,
                p.median,
                p.ninetieth,
                p.longest,
                100.0 * p.unknown
            )?;
        }
        if !self.label_names.is_empty() {
            writeln!(f, "  label                          train  validation    test")?;
        }
        for (k, name) in self.label_names.iter().enumerate() {
            let [a, b, c] = [0, 1, 2].map(|s| self.splits[s].labels[k]);
            let mut name: String = name.clone();
            if name.chars().count() > 28 {
                name = name.chars().take(27).collect::<String>() + "…";
            }
            writeln!(f, "  {name:<28} {a:>7} {b:>11} {c:>7}")?;
        }
        let mut notes = String::new();
        self.notes.iter().try_for_each(|note| writeln!(notes, "  note: {note}"))?;
        f.write_str(&notes)
    }
}
