//! What each principal component remembers: sums of the words' evidence that forget more or less.

use super::states::{read_axes, visited};
use crate::Result;
use crate::corpus::{Corpus, Labels};
use crate::linalg::Matrix;
use crate::records::{self, column};
use crate::stats::evidence::log_odds;
use crate::stats::memory::{MEMORIES, explained, leaky_sums};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Components that are explained.
const COMPONENTS: usize = 6;

/// Share of each component's variance over visited states that sums of evidence explain, for each
/// memory and for all together, in every other document; no table for running scores, whose words have no evidence.
pub fn write(corpus: &Corpus, folder: &Path) -> Result<Option<String>> {
    if matches!(corpus.train.labels, Labels::Score(_)) {
        return Ok(None);
    }
    let (axes, _) = read_axes(folder)?;
    let table = records::States::read(folder)?;
    let (documents, tokens) = (table.document()?, table.token()?);
    let states = table.state()?;
    let count = COMPONENTS.min(axes.variances.len());
    let points: Vec<Vec<f64>> = states.iter().map(|s| axes.coordinates(s, count)).collect();
    let points = Matrix::from_fn(points.len(), count, |i, a| points[i][a]);
    let visited = visited(&table)?;
    let even: BTreeSet<usize> = visited.iter().copied().step_by(2).collect();
    let fitted: Vec<bool> = documents.iter().map(|d| even.contains(d)).collect();
    let labels = corpus.label_names.len();
    let evidence = log_odds(&corpus.train, corpus.words.len(), labels);
    let total: f64 = axes.variances.iter().sum();
    let mut rows: Vec<(usize, f64, f64)> = Vec::new();
    let mut every = Matrix::zeros(documents.len(), labels * MEMORIES.len());
    for (m, memory) in MEMORIES.into_iter().enumerate() {
        let sums: BTreeMap<usize, Vec<Vec<f64>>> = visited
            .iter()
            .map(|&d| (d, leaky_sums(corpus.test.documents.get(d), &evidence, memory)))
            .collect();
        let at = |i: usize, k: usize| sums[&documents[i]][tokens[i]][k];
        let features = Matrix::from_fn(documents.len(), labels, at);
        every.columns_mut(m * labels, labels).copy_from(&features);
        let shares = explained(&features, &points, &fitted);
        rows.extend(shares.into_iter().enumerate().map(|(a, share)| (a + 1, memory, share)));
    }
    let together = explained(&every, &points, &fitted);
    let held_out = fitted.iter().filter(|&&f| !f).count();
    let table = records::Memory {
        component: column(rows.iter().map(|r| r.0)),
        ratio: column(rows.iter().map(|r| axes.variances[r.0 - 1] / total)),
        memory: column(rows.iter().map(|r| r.1)),
        explained: column(rows.iter().map(|r| r.2)),
        together: column(rows.iter().map(|r| together[r.0 - 1])),
        n: column(rows.iter().map(|_| held_out)),
    };
    Ok(Some(table.write(folder)?))
}
