//! Stage `predict`: the dimension from word counts, without the network.

use super::geometry::spectrum;
use crate::Result;
use crate::corpus::{Labels, store};
use crate::engine::StageOutput;
use crate::experiment::Experiment;
use crate::records::{self, Key, Table, column, keys};
use crate::stats::{Prediction, predict};
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
        made = made.with(key, number);
    }
    Ok(made.with_text(keys::SHAPE_PREDICTED, found.shape.name()))
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

/// Summary numbers of a prediction.
pub fn numbers(found: &Prediction) -> Vec<(Key<f64>, f64)> {
    let Prediction { dimension, dimension_unbiased, dimension_scaled, .. } = found;
    let left_out = found.left_out.documents;
    let rare = (left_out > 0).then_some((keys::PREDICTION_LEFT_OUT, left_out as f64));
    let mut all: Vec<_> = rare.into_iter().collect();
    all.extend([
        (keys::DIMENSION_PREDICTED, dimension.value),
        (keys::DIMENSION_PREDICTED_LOW, dimension.low),
        (keys::DIMENSION_PREDICTED_HIGH, dimension.high),
        (keys::DIMENSION_PREDICTED_UNBIASED, dimension_unbiased.value),
        (keys::DIMENSION_PREDICTED_UNBIASED_LOW, dimension_unbiased.low),
        (keys::DIMENSION_PREDICTED_UNBIASED_HIGH, dimension_unbiased.high),
        (keys::DIMENSION_PREDICTED_SCALED, dimension_scaled.value),
        (keys::DIMENSION_PREDICTED_SCALED_LOW, dimension_scaled.low),
        (keys::DIMENSION_PREDICTED_SCALED_HIGH, dimension_scaled.high),
    ]);
    all.retain(|(_, number)| number.is_finite());
    all
}
