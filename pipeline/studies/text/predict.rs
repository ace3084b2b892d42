//! Stage `predict`: the dimension from word counts, without the network.

use super::geometry::spectrum;
use crate::corpus::{Labels, store};
use crate::engine::StageOutput;
use crate::experiment::Experiment;
use crate::records::{self, Table, column};
use crate::stats::{Prediction, predict};
use crate::{Result, stats};
use std::path::Path;

pub fn stage(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let corpus = store::read(folder)?;
    if matches!(corpus.train.labels, Labels::Score(_)) {
        // A running score has no classes; the summary has no prediction.
        return Ok(StageOutput::default());
    }
    let names = &corpus.label_names;
    let vocabulary = corpus.words.len();
    let found = predict(&corpus.train, names, vocabulary, &e.prediction, e.seed)?;
    let mut made = StageOutput::default();
    for table in tables(&found, corpus.train.documents.len()) {
        made.files.push(table.write(folder)?);
    }
    for (key, number) in numbers(&found) {
        made = made.with(&key, number);
    }
    Ok(made.with(&format!("shape.{}", found.shape.name()), 1.0))
}

/// A prediction as tables.
///
/// * `documents`: that it was made from
pub fn tables(found: &Prediction, documents: usize) -> [Table; 3] {
    let records::Spectrum { source, component, variance, ratio, cumulative } = spectrum(&[
        ("predicted", &found.variances),
        ("predicted_unbiased", &found.unbiased),
        ("predicted_scaled", &found.scaled),
    ]);
    let spectra = records::SpectrumPredicted { source, component, variance, ratio, cumulative };
    let rows = records::Prediction {
        row: column(found.rows.iter().map(String::as_str)),
        documents: column(found.documents.iter().copied()),
    };
    let pair = [&found.dimension, &found.dimension_unbiased, &found.dimension_scaled];
    let dimensions = records::DimensionsPredicted {
        source: column(["predicted", "predicted_unbiased", "predicted_scaled"]),
        measure: column(["participation_ratio"; 3]),
        value: column(pair.map(|i| i.value)),
        low: column(pair.map(|i| i.low)),
        high: column(pair.map(|i| i.high)),
        n: column([documents; 3]),
    };
    [spectra.table(), rows.table(), dimensions.table()]
}

/// Summary keys of a prediction.
pub fn numbers(found: &Prediction) -> Vec<(String, f64)> {
    let interval = |key: &str, i: &stats::predict::Interval| {
        [("", i.value), (".low", i.low), (".high", i.high)]
            .map(|(end, number)| (format!("dimension.{key}{end}"), number))
    };
    let mut all = interval("predicted", &found.dimension).to_vec();
    all.extend(interval("predicted_unbiased", &found.dimension_unbiased));
    all.extend(interval("predicted_scaled", &found.dimension_scaled));
    all.retain(|(_, number)| number.is_finite());
    all
}
