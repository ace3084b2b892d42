//! What counts alone say of a text.

use crate::arrays::told;
use crate::calls::long;
use crate::program::parsed;
use accrue::experiment::Experiment;
use accrue::stats::predict::Interval;
use accrue::{baseline, corpus, stats};
use pyo3::prelude::*;
use serde_json::{Value, json};
use std::path::PathBuf;

fn interval(i: &Interval) -> Value {
    // JSON has no NaN: what could not be computed is null.
    json!({ "value": i.value, "low": i.low, "high": i.high })
}

/// The dimension and shape that word counts predict, as JSON.
///
/// * `experiment`: JSON of what differs from an experiment's defaults; `data`: folder of the corpora
#[pyfunction]
pub fn predict(py: Python<'_>, experiment: &str, data: PathBuf) -> PyResult<String> {
    let e: Experiment = told(parsed(experiment))?;
    let (corpus, found) = long(py, None, |_| {
        let corpus = corpus::load(&e.corpus, &data, e.corpus_seed())?.corpus;
        let (names, words) = (&corpus.label_names, corpus.words.len());
        let found = stats::predict(&corpus.train, names, words, &e.prediction, e.seed)?;
        Ok((corpus, found))
    })?;
    Ok(json!({
        "corpus": corpus.name,
        "labels": corpus.label_names,
        "vocabulary": corpus.words.len(),
        "documents": corpus.train.documents.len(),
        "tokens": corpus.train.documents.token_count(),
        "notes": corpus.notes,
        "rows": found.rows,
        "documents_of_rows": found.documents,
        "variances": found.variances,
        "unbiased": found.unbiased,
        "scaled": found.scaled,
        "dimension": interval(&found.dimension),
        "dimension_unbiased": interval(&found.dimension_unbiased),
        "dimension_scaled": interval(&found.dimension_scaled),
        "shape": found.shape.name(),
    })
    .to_string())
}

/// Which words change how the next ones count, as the labels tell, as JSON.
///
/// * `experiment`, `data`: as [`predict`]
#[pyfunction]
pub fn context_words(py: Python<'_>, experiment: &str, data: PathBuf) -> PyResult<String> {
    let e: Experiment = told(parsed(experiment))?;
    let (corpus, gains) = long(py, None, |_| {
        let corpus = corpus::load(&e.corpus, &data, e.corpus_seed())?.corpus;
        let (words, classes) = (corpus.words.len(), corpus.label_names.len());
        let (train, validation) = (&corpus.train, &corpus.validation);
        let bag = baseline::fit(train, validation, words, classes, &e.baseline)?;
        let found = baseline::gains::gains(train, words, classes, bag.penalty, e.context.least)?;
        Ok((corpus, found))
    })?;
    let rows = gains.iter().map(|g| {
        let (low, high) = g.interval();
        json!({
            "word": corpus.words[g.word as usize],
            "gain": g.gain,
            "low": low,
            "high": high,
            "documents": g.documents,
            "p": g.p(),
            "rate": g.rate,
            "significant": g.is_significant(),
        })
    });
    Ok(json!({ "notes": corpus.notes, "words": rows.collect::<Vec<_>>() }).to_string())
}
