//! What is in a corpus, in numbers a person can take in.

use super::load::each_label;
use super::{Corpus, Split};
use serde::Serialize;
use std::collections::HashSet;
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
    /// Share of words that the vocabulary does not know, whether they became its unknown word or were left out; 0
    /// for synthetic corpora, which know every word.
    pub unknown: f64,
    /// Documents whose tokens are, word for word, those of an earlier document of this split.
    pub doubled: usize,
    /// Documents that the training split has too, word for word; 0 for that split itself.
    pub seen: usize,
    /// Documents that carry each label; empty for scores.
    pub labels: Vec<usize>,
}

/// How long the training documents are.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lengths {
    /// Tokens from which each bar counts; each ends where the next begins.
    pub from: Vec<usize>,
    /// Documents of each bar; the last counts all that are longer, too.
    pub documents: Vec<usize>,
}

/// Bars of the histogram.
const BARS: usize = 12;

impl Lengths {
    /// Twelve bars of one width up to the 98th percentile, rounded to a width that reads well.
    fn of(lengths: &[usize]) -> Self {
        let mut sorted = lengths.to_vec();
        sorted.sort_unstable();
        let Some(&last) = sorted.last() else { return Self { from: vec![], documents: vec![] } };
        let most = sorted[(0.98 * (sorted.len() - 1) as f64).round() as usize];
        let plain = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 5000, 10_000];
        let wide = |w: &&usize| **w * BARS > most;
        let width = plain.iter().find(wide).copied().unwrap_or(last / BARS + 1);
        let bars = (last / width + 1).min(BARS);
        let mut documents = vec![0; bars];
        sorted.iter().for_each(|&length| documents[(length / width).min(bars - 1)] += 1);
        Self { from: (0..bars).map(|b| b * width).collect(), documents }
    }
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
    /// Lengths of the training documents.
    pub lengths: Lengths,
    /// What was cut, dropped or doubtful.
    pub notes: Vec<String>,
}

impl Overview {
    /// Counts.
    ///
    /// * `unknown`: the token of unknown words, where there is one; `left_out`: words of each split that were left
    ///   out
    pub fn of(corpus: &Corpus, unknown: Option<u32>, left_out: [usize; 3]) -> Self {
        let labels = corpus.label_names.len();
        let train: HashSet<&[u32]> = corpus.train.documents.iter().collect();
        let part = |name, split: &Split, left_out: usize| {
            let mut part = part(name, split, labels, (unknown, left_out));
            if !std::ptr::eq(split, &corpus.train) {
                part.seen = split.documents.iter().filter(|d| train.contains(d)).count();
            }
            part
        };
        let lengths: Vec<usize> = corpus.train.documents.iter().map(<[u32]>::len).collect();
        Self {
            name: corpus.name.clone(),
            vocabulary: corpus.words.len(),
            label_names: corpus.label_names.clone(),
            splits: [
                part("train", &corpus.train, left_out[0]),
                part("validation", &corpus.validation, left_out[1]),
                part("test", &corpus.test, left_out[2]),
            ],
            lengths: Lengths::of(&lengths),
            notes: corpus.notes.clone(),
        }
    }
}

fn part(
    name: &'static str,
    split: &Split,
    labels: usize,
    (unknown, left_out): (Option<u32>, usize),
) -> Part {
    let mut lengths: Vec<usize> = split.documents.iter().map(<[u32]>::len).collect();
    lengths.sort_unstable();
    let at = |share: f64| {
        let last = lengths.len().saturating_sub(1);
        lengths.get((share * last as f64).round() as usize).copied().unwrap_or(0)
    };
    let tokens = split.documents.token_count();
    let unknown = split.documents.tokens().iter().filter(|&&t| Some(t) == unknown).count();
    Part {
        name,
        documents: split.documents.len(),
        tokens,
        median: at(0.5),
        ninetieth: at(0.9),
        longest: at(1.0),
        unknown: (unknown + left_out) as f64 / (tokens + left_out).max(1) as f64,
        doubled: split.documents.len() - split.documents.iter().collect::<HashSet<_>>().len(),
        seen: 0,
        labels: each_label(&split.labels, labels),
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
        let [train, validation, test] = &self.splits;
        writeln!(
            f,
            "  the vocabulary knows {:.1} % of the training words, {:.1} % of the test words",
            100.0 * (1.0 - train.unknown),
            100.0 * (1.0 - test.unknown)
        )?;
        writeln!(
            f,
            "  doubled within training: {}; also in training: {} of validation, {} of test",
            train.doubled, validation.seen, test.seen
        )?;
        let most = self.lengths.documents.iter().copied().max().unwrap_or(0).max(1);
        writeln!(f, "  tokens of a training document")?;
        for (b, (from, count)) in self.lengths.from.iter().zip(&self.lengths.documents).enumerate()
        {
            let range = match self.lengths.from.get(b + 1) {
                Some(next) => format!("{from} – {}", next - 1),
                None => format!("{from} –"),
            };
            let bar = "▇".repeat((44 * count).div_ceil(most));
            let line = format!("  {range:>14} {count:>8}  {bar}");
            writeln!(f, "{}", line.trim_end())?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_hold_every_document_once_and_the_last_the_longest() {
        // 98th percentile of 1..=100 is 98: the narrowest width with 12 bars beyond it is 10.
        let lengths: Vec<usize> = (1..=100).chain([5000]).collect();
        let found = Lengths::of(&lengths);
        assert_eq!(found.from, (0..12).map(|b| 10 * b).collect::<Vec<_>>());
        assert_eq!(found.documents[0], 9);
        assert_eq!(found.documents[1..10], [10; 9]);
        // 100 is in the eleventh bar; 5000 in the last, which has no end.
        assert_eq!(found.documents[10..], [1, 1]);
        assert_eq!(Lengths::of(&[]).documents.len(), 0);
        assert_eq!(Lengths::of(&[0]).documents, [1]);
    }
}
