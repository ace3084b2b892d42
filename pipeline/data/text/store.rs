//! A tokenised corpus on disk, for the stages that come after.

use super::{Corpus, Documents, Labels, Split, parquet};
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

/// Most bytes of [`CORPUS`].
const LARGEST_ABOUT: u64 = 64 << 20;

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
    write_table(&folder.join(DOCUMENTS), &mut all)?;

    let mut counts = vec![0_u32; corpus.words.len()];
    corpus.train.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let mut vocabulary = df!(
        "id" => (0..corpus.words.len() as u32).collect::<Vec<_>>(),
        "word" => &corpus.words,
        "count" => counts,
    )
    .map_err(Error::polars(folder.join(VOCABULARY)))?;
    write_table(&folder.join(VOCABULARY), &mut vocabulary)?;

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
fn write_table(path: &Path, frame: &mut DataFrame) -> Result<()> {
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
    let about = read_about(folder)?;
    let remedy = "run again with `--force tokenize`";
    let damaged = |name: &str| {
        let file = folder.join(name).display().to_string();
        move |e: PolarsError| Error::input(file, "", e, remedy)
    };
    let vocabulary = parquet::read(&folder.join(VOCABULARY), remedy)?;
    let documents = parquet::read(&folder.join(DOCUMENTS), remedy)?;
    let words = words(&vocabulary).map_err(damaged(VOCABULARY))?;
    let [train, validation, test] =
        splits(&documents, words.len(), about.label_names.len()).map_err(damaged(DOCUMENTS))?;
    let About { name, label_names, notes } = about;
    Ok(Corpus { name, words, label_names, train, validation, test, notes })
}

/// Label names and notes of a corpus that [`write()`] wrote.
///
/// # Errors
/// As [`read`].
pub fn about(folder: &Path) -> Result<(Vec<String>, Vec<String>)> {
    let About { label_names, notes, .. } = read_about(folder)?;
    Ok((label_names, notes))
}

fn read_about(folder: &Path) -> Result<About> {
    let path = folder.join(CORPUS);
    let text = crate::files::text(&path, LARGEST_ABOUT)?;
    let remedy = "run again with `--force tokenize`";
    serde_json::from_str(&text).map_err(|e| Error::input(path.display(), "", e, remedy))
}

/// The words, each in the row of its id.
fn words(frame: &DataFrame) -> PolarsResult<Vec<String>> {
    let (ids, words) = (frame.column("id")?.u32()?, frame.column("word")?.str()?);
    let pairs = ids.iter().zip(words.iter()).enumerate();
    pairs
        .map(|(row, (id, word))| match (id, word) {
            (Some(id), Some(word)) if id as usize == row => Ok(word.to_string()),
            (Some(_), Some(_)) => {
                polars_bail!(InvalidOperation: "row {}: ids are not 0, 1, 2, …", row + 1)
            }
            _ => polars_bail!(NoData: "row {}: no id or no word", row + 1),
        })
        .collect()
}

/// * `words`, `classes`: how many there are
fn splits(frame: &DataFrame, words: usize, classes: usize) -> PolarsResult<[Split; 3]> {
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
            other => polars_bail!(InvalidOperation: "row {}: no split {other:?}", row + 1),
        };
        let document = tokens.get_as_series(row).unwrap_or_default();
        let document = document.u32()?;
        polars_ensure!(document.null_count() == 0, NoData: "row {}: a token is missing", row + 1);
        let document: Vec<u32> = document.into_no_null_iter().collect();
        if let Some(token) = document.iter().find(|&&t| t as usize >= words) {
            polars_bail!(OutOfBounds: "row {}: token {token} of a vocabulary of {words}", row + 1);
        }
        splits[split].documents.push(&document);
        match &mut splits[split].labels {
            Labels::Class(all) => {
                let class = label.u32()?.get(row);
                let class =
                    class.ok_or_else(|| polars_err!(NoData: "row {}: no label", row + 1))?;
                polars_ensure!((class as usize) < classes, OutOfBounds: "row {}: label {class} of {classes}", row + 1);
                all.push(class);
            }
            Labels::Multi { flags, .. } => {
                let first = flags.len();
                flags.resize(first + classes, false);
                let carried = label.list()?.get_as_series(row).unwrap_or_default();
                for k in carried.u32()?.iter() {
                    match k.map(|k| k as usize).filter(|k| *k < classes) {
                        Some(k) => flags[first + k] = true,
                        None => {
                            polars_bail!(OutOfBounds: "row {}: label {k:?} of {classes}", row + 1)
                        }
                    }
                }
            }
            Labels::Score(all) => {
                let run = label.list()?.get_as_series(row).unwrap_or_default();
                let run = run.f32()?;
                polars_ensure!(
                    run.len() == document.len() && run.null_count() == 0,
                    ShapeMismatch: "row {}: {} scores for {} tokens", row + 1, run.len(), document.len()
                );
                all.extend(run.into_no_null_iter());
            }
        }
    }
    Ok(splits)
}
