//! A tokenised corpus on disk, for the stages that come after.

use super::{Corpus, Documents, Labels, Split};
use crate::files::replace;
use crate::{Error, Result};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The documents: `split`, `document`, `tokens`, `label` or `labels` or `score`.
pub const DOCUMENTS: &str = "tables/documents.parquet";
/// The vocabulary: `id`, `word`, `count` in the training split.
pub const VOCABULARY: &str = "tables/vocabulary.parquet";
/// Name, label names and notes.
pub const CORPUS: &str = "corpus.json";

/// What stands in [`CORPUS`].
#[derive(Serialize, Deserialize)]
struct About {
    name: String,
    label_names: Vec<String>,
    notes: Vec<String>,
}

/// Writes a corpus into a run's folder, by rename; returns the files.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be written to.
pub fn write(folder: &Path, corpus: &Corpus) -> Result<Vec<String>> {
    let splits = [&corpus.train, &corpus.validation, &corpus.test];
    let mut frames = Vec::new();
    for (split, name) in splits.into_iter().zip(["train", "validation", "test"]) {
        frames.push(frame(split, name).map_err(Error::polars(folder.join(DOCUMENTS)))?);
    }
    let mut all = frames.remove(0);
    for frame in &frames {
        all.vstack_mut(frame).map_err(Error::polars(folder.join(DOCUMENTS)))?;
    }
    parquet(&folder.join(DOCUMENTS), &mut all)?;

    let mut counts = vec![0_u32; corpus.words.len()];
    corpus.train.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let mut vocabulary = df!(
        "id" => (0..corpus.words.len() as u32).collect::<Vec<_>>(),
        "word" => &corpus.words,
        "count" => counts,
    )
    .map_err(Error::polars(folder.join(VOCABULARY)))?;
    parquet(&folder.join(VOCABULARY), &mut vocabulary)?;

    let about = About {
        name: corpus.name.clone(),
        label_names: corpus.label_names.clone(),
        notes: corpus.notes.clone(),
    };
    let text = serde_json::to_string_pretty(&about).expect("names and notes are plain text");
    replace(&folder.join(CORPUS), text.as_bytes())?;
    Ok([DOCUMENTS, VOCABULARY, CORPUS].map(String::from).to_vec())
}

fn frame(split: &Split, name: &str) -> PolarsResult<DataFrame> {
    let documents = &split.documents;
    let list = |name: &str, pieces: Vec<Series>| Column::new(name.into(), pieces);
    let piece = |values: &[u32]| Series::new("".into(), values);
    let tokens = list("tokens", documents.iter().map(piece).collect());
    let labels = match &split.labels {
        Labels::Class(classes) => Column::new("label".into(), classes),
        Labels::Multi { labels, flags } => {
            let carried = flags.chunks(*labels).map(|flags| {
                let ids: Vec<u32> =
                    (0..flags.len() as u32).filter(|&k| flags[k as usize]).collect();
                piece(&ids)
            });
            list("labels", carried.collect())
        }
        Labels::Score(scores) => {
            let runs = (0..documents.len()).map(|d| {
                let (from, count) = (documents.start(d), documents.get(d).len());
                Series::new("".into(), &scores[from..from + count])
            });
            list("score", runs.collect())
        }
    };
    DataFrame::new_infer_height(vec![
        Column::new("split".into(), vec![name; documents.len()]),
        Column::new("document".into(), (0..documents.len() as u32).collect::<Vec<_>>()),
        tokens,
        labels,
    ])
}

/// Writes a table, by rename.
fn parquet(path: &Path, frame: &mut DataFrame) -> Result<()> {
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes)
        .with_compression(ParquetCompression::Zstd(None))
        .finish(frame)
        .map_err(Error::polars(path))?;
    replace(path, &bytes)
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// [`Error::Io`] if a file is missing, [`Error::Input`] if it is not as it was
/// written.
pub fn read(folder: &Path) -> Result<Corpus> {
    let path = folder.join(CORPUS);
    let text = std::fs::read_to_string(&path).map_err(Error::io(&path))?;
    let remedy = "run again with `--force tokenize`";
    let about: About =
        serde_json::from_str(&text).map_err(|e| Error::input(path.display(), "", e, remedy))?;
    let table = |name: &str| -> Result<DataFrame> {
        let path = folder.join(name);
        let file = std::fs::File::open(&path).map_err(Error::io(&path))?;
        ParquetReader::new(file).finish().map_err(Error::polars(&path))
    };
    let vocabulary = table(VOCABULARY)?;
    let documents = table(DOCUMENTS)?;
    let damaged = || Error::polars(folder.join(DOCUMENTS));
    let words = vocabulary.column("word").and_then(|c| c.str().cloned()).map_err(damaged())?;
    let words = words.iter().map(|w| w.unwrap_or_default().to_string()).collect();
    let [train, validation, test] =
        splits(&documents, about.label_names.len()).map_err(damaged())?;
    let About { name, label_names, notes } = about;
    Ok(Corpus { name, words, label_names, train, validation, test, notes })
}

fn splits(frame: &DataFrame, classes: usize) -> PolarsResult<[Split; 3]> {
    let names = frame.column("split")?.str()?.clone();
    let tokens = frame.column("tokens")?.list()?.clone();
    let kind = ["label", "labels", "score"].into_iter().find(|k| frame.column(k).is_ok());
    let kind = kind.ok_or_else(|| polars_err!(ColumnNotFound: "label, labels or score"))?;
    let blank = || Split {
        documents: Documents::new(),
        labels: match kind {
            "label" => Labels::Class(Vec::new()),
            "labels" => Labels::Multi { labels: classes, flags: Vec::new() },
            _ => Labels::Score(Vec::new()),
        },
    };
    let mut splits = [blank(), blank(), blank()];
    let label = frame.column(kind)?;
    for row in 0..frame.height() {
        let split = match names.get(row) {
            Some("train") => 0,
            Some("validation") => 1,
            Some("test") => 2,
            other => polars_bail!(InvalidOperation: "row {row}: no split {other:?}"),
        };
        let document = tokens.get_as_series(row).unwrap_or_default();
        let document: Vec<u32> = document.u32()?.into_no_null_iter().collect();
        splits[split].documents.push(&document);
        match &mut splits[split].labels {
            Labels::Class(all) => {
                let class = label.u32()?.get(row);
                all.push(class.ok_or_else(|| polars_err!(NoData: "row {row}: no label"))?);
            }
            Labels::Multi { flags, .. } => {
                let first = flags.len();
                flags.resize(first + classes, false);
                let carried = label.list()?.get_as_series(row).unwrap_or_default();
                for k in carried.u32()?.into_no_null_iter() {
                    flags[first + k as usize] = true;
                }
            }
            Labels::Score(all) => {
                let run = label.list()?.get_as_series(row).unwrap_or_default();
                all.extend(run.f32()?.into_no_null_iter());
            }
        }
    }
    Ok(splits)
}
