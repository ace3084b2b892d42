//! What the groups of a collection learn: labels by their rules, documents as they read them.

use crate::corpus::synthetic::lexicon;
use crate::corpus::{Corpus, Labels, Source, Split};
use crate::data::Documents;
use crate::experiment::{MetaModel, Training};
use crate::seed;
use rand::seq::SliceRandom;

/// Scores of the phrase's words up to each label rule: `None` where two classes tie or there is no evidence.
fn class(scores: &[Vec<f64>], words: &[u32]) -> Option<u32> {
    let mut totals = vec![0.0; scores[0].len()];
    for &w in words {
        totals.iter_mut().zip(&scores[w as usize]).for_each(|(t, s)| *t += s);
    }
    let best = (0..totals.len()).fold(0, |b, i| if totals[i] > totals[b] { i } else { b });
    let tied = totals.iter().filter(|t| **t == totals[best]).count() > 1;
    (!tied).then_some(best as u32)
}

fn label(scores: &[Vec<f64>], words: &[u32], reads: Training) -> Option<u32> {
    match reads {
        Training::FirstHalf => class(scores, &words[..words.len() / 2]),
        Training::LastEvidence => {
            let last = words.iter().rev().find(|w| scores[**w as usize].iter().any(|s| *s != 0.0));
            class(scores, &[*last?])
        }
        _ => class(scores, words),
    }
}

/// The split as each group reads it. Where some group has labels of its own, phrases on which any group's label is not clear are
/// left out for all.
pub fn splits(e: &MetaModel, corpus: &Corpus, split: &Split) -> (Vec<Split>, usize) {
    let groups = &e.trained.groups;
    if groups.is_empty() {
        return (vec![split.clone()], 0);
    }
    if !groups.iter().any(|g| g.reads.relabels()) {
        return (groups.iter().map(|_| split.clone()).collect(), 0);
    }
    let Source::Synthetic(of) = &e.trained.corpus.source else {
        unreachable!("settings were checked")
    };
    let scores = lexicon(&of.kind, e.trained.corpus.seed.unwrap_or(e.seed)).scores;
    debug_assert_eq!(scores.len(), corpus.words.len());
    let found: Vec<Vec<Option<u32>>> = (0..split.documents.len())
        .map(|d| groups.iter().map(|g| label(&scores, split.documents.get(d), g.reads)).collect())
        .collect();
    let clear = |d: usize| found[d].iter().all(Option::is_some);
    let kept = split.part(clear);
    let left_out = split.documents.len() - kept.documents.len();
    let labels = |g: usize| {
        found.iter().enumerate().filter(|(d, _)| clear(*d)).filter_map(move |(_, l)| l[g])
    };
    let all = (0..groups.len())
        .map(|g| Split {
            documents: kept.documents.clone(),
            labels: Labels::Class(labels(g).collect()),
        })
        .collect();
    (all, left_out)
}

/// The same documents with the words of each in another order.
pub fn shuffled(split: &Split, seed: u64) -> Split {
    let mut documents = Documents::new();
    let mut stream = seed::stream(seed, "embedding/shuffled words");
    for document in split.documents.iter() {
        let mut words = document.to_vec();
        words.shuffle(&mut stream);
        documents.push(&words);
    }
    Split { documents, labels: split.labels.clone() }
}
