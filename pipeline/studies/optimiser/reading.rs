//! What the tasks of learned optimisers read: bags of words and digits.

use super::targets;
use crate::corpus::{self, Corpus};
use crate::data::Labels;
use crate::engine::StageOutput;
use crate::experiment::LearnedOptimiser;
use crate::optimisers::Task;
use crate::optimisers::problems::{Counts, Data, Images};
use crate::studies::text;
use crate::{Error, Result, files, parquet};
use polars::prelude::DataType;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Folder of the digits below that of the corpora.
const DIGITS: &str = "digits";

/// Whether some target is of this kind.
fn any(e: &LearnedOptimiser, is: fn(&Task) -> bool) -> bool {
    targets(e).iter().any(|t| is(&t.task))
}

/// Hashes of the files that the tasks read.
pub fn sources(e: &LearnedOptimiser, data: &Path) -> Result<Vec<String>> {
    let mut all = match &e.corpus {
        Some(corpus) => text::fingerprint(corpus, data)?,
        None if any(e, |t| matches!(t, Task::Words(_))) => {
            return Err(Error::Usage(
                "task: bags of words are those of a corpus; name one of two classes, `corpus: (source: …)`".into(),
            ));
        }
        None => Vec::new(),
    };
    if any(e, |t| matches!(t, Task::Digits(_))) {
        for split in ["train", "test"] {
            let path = data.join(DIGITS).join(format!("{split}.parquet"));
            all.push(files::fingerprint(&path)?.1);
        }
    }
    Ok(all)
}

pub fn tokenize(e: &LearnedOptimiser, data: &Path, folder: &Path) -> Result<StageOutput> {
    match &e.corpus {
        None => Ok(StageOutput::default()),
        Some(settings) => text::tokenize(settings, data, e.seed, None, folder),
    }
}

/// What the tasks read.
pub fn read(e: &LearnedOptimiser, data: &Path, folder: &Path) -> Result<Data> {
    let counts = match &e.corpus {
        Some(_) => Some(Arc::new(counted(&corpus::store::read(folder)?)?)),
        None => None,
    };
    let digits = match any(e, |t| matches!(t, Task::Digits(_))) {
        true => Some(Arc::new(images(&data.join(DIGITS))?)),
        false => None,
    };
    Ok(Data { counts, digits })
}

/// Word counts of the training documents.
fn counted(corpus: &Corpus) -> Result<Counts> {
    let Labels::Class(labels) = &corpus.train.labels else {
        return Err(Error::Usage("corpus: bags of words are told apart by class".into()));
    };
    let mut total = vec![0_usize; corpus.words.len()];
    let documents: Vec<&[u32]> = corpus.train.documents.iter().collect();
    documents.iter().flat_map(|d| d.iter()).for_each(|w| total[*w as usize] += 1);
    let mut order: Vec<usize> = (0..total.len()).collect();
    order.sort_by(|&a, &b| total[b].cmp(&total[a]).then(a.cmp(&b)));
    let mut place = vec![0; total.len()];
    order.iter().enumerate().for_each(|(rank, &w)| place[w] = rank as u32);
    let count = |document: &&[u32]| {
        let mut all: BTreeMap<u32, u32> = BTreeMap::new();
        document.iter().for_each(|w| *all.entry(place[*w as usize]).or_default() += 1);
        all.into_iter().collect()
    };
    // Of several classes the later half against the earlier.
    let half = corpus.label_names.len().div_ceil(2) as u32;
    Ok(Counts {
        words: order.iter().map(|&w| corpus.words[w].clone()).collect(),
        documents: documents.iter().map(count).collect(),
        labels: labels.iter().map(|l| *l >= half).collect(),
    })
}

/// Digits of `train.parquet` and `test.parquet`: `pixels`, 64 numbers from 0 to 16, and `label`.
fn images(folder: &Path) -> Result<Images> {
    let mut all = Images { pixels: Vec::new(), labels: Vec::new(), train: 0 };
    for split in ["train", "test"] {
        let path = folder.join(format!("{split}.parquet"));
        let remedy = "put the 8 × 8 digits there, columns `pixels` and `label`";
        let table = parquet::read(&path, remedy)?;
        let bad = |problem: &str| Error::input(path.display(), "", problem, remedy);
        let list = table.column("pixels").map_err(|_| bad("no column `pixels`"))?;
        let list = list.list().map_err(|_| bad("`pixels` holds no lists"))?;
        for i in 0..list.len() {
            let row = list.get_as_series(i).ok_or_else(|| bad("an image is missing"))?;
            let row = row.cast(&DataType::Float64).map_err(|_| bad("a pixel is no number"))?;
            let row: Vec<f64> =
                row.f64().map_err(|e| bad(&e.to_string()))?.iter().flatten().collect();
            if row.len() != 64 {
                return Err(bad("an image has not 64 pixels"));
            }
            all.pixels.extend(row.iter().map(|x| x / 16.0));
        }
        let label = table.column("label").map_err(|_| bad("no column `label`"))?;
        let label = label.cast(&DataType::Int64).map_err(|_| bad("a label is no number"))?;
        for label in label.i64().map_err(|e| bad(&e.to_string()))?.iter() {
            let label = label.filter(|l| (0..10).contains(l));
            all.labels.push(label.ok_or_else(|| bad("a label is no digit"))? as usize);
        }
        if split == "train" {
            all.train = all.labels.len();
        }
    }
    Ok(all)
}
