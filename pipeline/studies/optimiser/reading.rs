//! What the tasks of learned optimisers read: bags of words and digits.

use super::targets;
use crate::corpus::{self, Corpus};
use crate::data::Labels;
use crate::engine::StageOutput;
use crate::experiment::LearnedOptimiser;
use crate::optimisers::Task;
use crate::optimisers::problems::{Counts, Data, Images};
use crate::studies::text;
use crate::{Error, Result, files, parquet, seed};
use polars::prelude::{DataFrame, DataType};
use rand::seq::SliceRandom;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

/// Folder of the digits below that of the corpora.
const DIGITS: &str = "digits";

/// Whether some target is of this kind.
fn any(e: &LearnedOptimiser, is: fn(&Task) -> bool) -> bool {
    targets(e).iter().any(|t| is(&t.task))
}

/// Whether some target reads words.
pub fn words(e: &LearnedOptimiser) -> bool {
    any(e, |t| matches!(t, Task::Words(_)))
}

/// How several classes became two, where words are read and there are more.
pub fn halves(e: &LearnedOptimiser, folder: &Path) -> Result<Option<String>> {
    if !words(e) || e.corpus.is_none() {
        return Ok(None);
    }
    Ok(told(&corpus::store::about(folder)?.0))
}

/// Labels of several classes, in halves.
fn told(names: &[String]) -> Option<String> {
    let (first, second) = names.split_at(half(names));
    (names.len() > 2).then(|| {
        format!(
            "bags of words have two labels: the classes {} against {}; name other two with `corpus.variant`, or in the file",
            first.join(", "),
            second.join(", ")
        )
    })
}

/// Of several classes the later half against the earlier: stars are ordered.
fn half(names: &[String]) -> usize {
    names.len().div_ceil(2)
}

/// Hashes of the files that the tasks read.
pub fn sources(e: &LearnedOptimiser, data: &Path) -> Result<Vec<String>> {
    let mut all = match &e.corpus {
        Some(corpus) => text::fingerprint(corpus, data)?,
        None if words(e) => {
            return Err(Error::Usage(
                "task: bags of words are those of a corpus; name one of two classes, `corpus: (source: …)`".into(),
            ));
        }
        None => Vec::new(),
    };
    if any(e, |t| matches!(t, Task::Digits(_))) {
        for split in ["train", "test"] {
            let path = data.join(DIGITS).join(format!("{split}.parquet"));
            let found = files::fingerprint(&path).map_err(|error| match error {
                Error::Io { source, .. } => Error::input(path.display(), "", source, REMEDY),
                other => other,
            })?;
            all.push(found.1);
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
        Some(_) => Some(Arc::new(counted(&corpus::store::read(folder)?, e.seed)?)),
        None => None,
    };
    let digits = match any(e, |t| matches!(t, Task::Digits(_))) {
        true => Some(Arc::new(images(&data.join(DIGITS))?)),
        false => None,
    };
    Ok(Data { counts, digits })
}

/// Word counts of the training documents, in an order drawn by the seed: files may be sorted by label.
fn counted(corpus: &Corpus, seed: u64) -> Result<Counts> {
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
    let half = half(&corpus.label_names) as u32;
    let mut drawn: Vec<usize> = (0..documents.len()).collect();
    drawn.shuffle(&mut seed::stream(seed, "optimiser/documents"));
    Ok(Counts {
        words: order.iter().map(|&w| corpus.words[w].clone()).collect(),
        documents: drawn.iter().map(|&d| count(&documents[d])).collect(),
        labels: drawn.iter().map(|&d| labels[d] >= half).collect(),
    })
}

/// Digits of `train.parquet` and `test.parquet`: `pixels`, 64 numbers from 0 to 16, and `label`.
fn images(folder: &Path) -> Result<Images> {
    let mut all = Images { pixels: Vec::new(), labels: Vec::new(), train: 0 };
    for split in ["train", "test"] {
        let path = folder.join(format!("{split}.parquet"));
        let table = parquet::read(&path, REMEDY)?;
        let (pixels, labels) = digits(&table)
            .map_err(|(place, problem)| Error::input(path.display(), place, problem, REMEDY))?;
        all.pixels.extend(pixels);
        all.labels.extend(labels);
        if split == "train" {
            all.train = all.labels.len();
        }
    }
    Ok(all)
}

const REMEDY: &str = "put 8 × 8 digits there as tables with columns `pixels` (lists of 64 numbers from 0 to 16) and `label` (0 to 9): \
                      those of the UCI repository, which scikit-learn has as sklearn.datasets.load_digits";

/// Pixels from 0 to 1 and labels of a table; else where and why not.
fn digits(table: &DataFrame) -> std::result::Result<(Vec<f64>, Vec<usize>), (String, String)> {
    let column =
        |name: &str| table.column(name).map_err(|_| (String::new(), format!("no column `{name}`")));
    let list = column("pixels")?;
    let bad = |name: &str, row: usize, problem: String| {
        (format!("column `{name}`, row {}", row + 1), problem)
    };
    let list = list.list().map_err(|_| ("column `pixels`".into(), "it holds no lists".into()))?;
    let mut pixels = Vec::with_capacity(64 * list.len());
    for i in 0..list.len() {
        let bad = |problem: String| bad("pixels", i, problem);
        let row = list.get_as_series(i).ok_or_else(|| bad("there is no image".into()))?;
        let row = row.cast(&DataType::Float64).map_err(|e| bad(e.to_string()))?;
        let row = row.f64().map_err(|e| bad(e.to_string()))?;
        if row.len() != 64 {
            return Err(bad(format!("{} pixels, 64 are needed", row.len())));
        }
        for (k, pixel) in row.iter().enumerate() {
            match pixel.filter(|x| (0.0..=16.0).contains(x)) {
                Some(pixel) => pixels.push(pixel / 16.0),
                None => {
                    let shown = pixel.map_or("nothing".to_string(), |x| x.to_string());
                    return Err(bad(format!("pixel {} is {shown}, no number from 0 to 16", k + 1)));
                }
            }
        }
    }
    let label = column("label")?;
    let label = label.cast(&DataType::Float64).map_err(|e| bad("label", 0, e.to_string()))?;
    let label = label.f64().map_err(|e| bad("label", 0, e.to_string()))?;
    let mut labels = Vec::with_capacity(label.len());
    for (i, label) in label.iter().enumerate() {
        match label.filter(|l| (0.0..10.0).contains(l) && l.fract() == 0.0) {
            Some(label) => labels.push(label as usize),
            None => {
                let shown = label.map_or("nothing".to_string(), |l| l.to_string());
                return Err(bad("label", i, format!("{shown} is no digit from 0 to 9")));
            }
        }
    }
    Ok((pixels, labels))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Split;
    use crate::data::Documents;
    use polars::prelude::{Column, NamedFrom, Series};

    fn table(pixels: &[Vec<f64>], labels: &[f64]) -> DataFrame {
        let rows: Vec<Series> =
            pixels.iter().map(|row| Series::new("".into(), row.as_slice())).collect();
        let columns =
            vec![Column::new("pixels".into(), rows), Column::new("label".into(), labels.to_vec())];
        DataFrame::new_infer_height(columns).expect("columns are as long")
    }

    #[test]
    fn digits_are_numbers_from_0_to_16_and_labels_whole() {
        let image = |x: f64| [vec![8.0; 63], vec![x]].concat();
        let (pixels, labels) = digits(&table(&[image(16.0), image(0.0)], &[3.0, 9.0])).unwrap();
        assert_eq!((pixels.len(), pixels[0], pixels[63], pixels[127]), (128, 0.5, 1.0, 0.0));
        assert_eq!(labels, [3, 9]);
        let said = |second: Vec<f64>, label: f64| {
            let (place, problem) =
                digits(&table(&[image(1.0), second], &[1.0, label])).unwrap_err();
            format!("{place}: {problem}")
        };
        assert_eq!(
            said(image(f64::NAN), 1.0),
            "column `pixels`, row 2: pixel 64 is NaN, no number from 0 to 16"
        );
        assert!(said(image(255.0), 1.0).contains("row 2: pixel 64 is 255"));
        assert!(said(image(-1.0), 1.0).contains("is -1"));
        assert!(said(vec![1.0; 63], 1.0).contains("row 2: 63 pixels, 64 are needed"));
        assert_eq!(said(image(1.0), 0.4), "column `label`, row 2: 0.4 is no digit from 0 to 9");
        assert!(said(image(1.0), 10.0).contains("10 is no digit"));
    }

    fn sorted(classes: usize, each: usize) -> Corpus {
        let mut documents = Documents::new();
        let mut labels = Vec::new();
        for class in 0..classes as u32 {
            for _ in 0..each {
                documents.push(&[class, classes as u32]);
                labels.push(class);
            }
        }
        let train = Split { documents, labels: Labels::Class(labels) };
        Corpus {
            name: String::new(),
            words: (0..=classes).map(|w| format!("w{w}")).collect(),
            label_names: ["a", "b", "c"][..classes].iter().map(|n| n.to_string()).collect(),
            validation: train.clone(),
            test: train.clone(),
            train,
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_file_that_is_sorted_by_label_has_both_labels_in_its_test_fifth() {
        let counts = counted(&sorted(2, 50), 1).unwrap();
        let fifth = &counts.labels[80..];
        assert!(fifth.contains(&true) && fifth.contains(&false), "{fifth:?}");
        // A document keeps its label: the first word is that of the class.
        for (document, label) in counts.documents.iter().zip(&counts.labels) {
            let class = document.iter().map(|(w, _)| counts.words[*w as usize].as_str());
            assert_eq!(class.clone().any(|w| w == "w1"), *label, "{:?}", class.collect::<Vec<_>>());
        }
        assert_eq!(counts, counted(&sorted(2, 50), 1).unwrap(), "the same seed, the same order");
        assert_ne!(counts.labels, counted(&sorted(2, 50), 2).unwrap().labels);
    }

    #[test]
    fn three_classes_in_two_halves_are_told_by_name() {
        let said = told(&sorted(3, 1).label_names).unwrap();
        assert!(said.contains("the classes a, b against c"), "{said}");
        assert_eq!(told(&sorted(2, 1).label_names), None);
        let halves = counted(&sorted(3, 2), 1).unwrap();
        assert_eq!(halves.labels.iter().filter(|l| **l).count(), 2);
    }
}
