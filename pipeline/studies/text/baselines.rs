//! Stage `baselines`: how far words alone get, what knows more than words, and
//! what each word does.

use super::{Watch, logits, read};
use crate::baseline;
use crate::baseline::design::Dense;
use crate::baseline::encoder::{self, Encoder, Probe};
use crate::baseline::ngrams::Ngrams;
use crate::corpus::{self, Corpus, Labels, fetch};
use crate::dynamics::{Dynamics, Map};
use crate::engine::StageOutput;
use crate::experiment::Experiment;
use crate::model::{Network, weights};
use crate::records::{self, column, keys};
use crate::stats::evidence;
use crate::{Error, Result, interrupt, train};
use rayon::prelude::*;
use std::path::{Path, PathBuf};

/// Names of bags of words and sequences, from pairs on.
pub const NGRAMS: [&str; 2] = ["bigrams", "trigrams"];

/// Where texts and features are.
pub struct Place<'a> {
    /// Folder of the corpora.
    pub data: &'a Path,
    /// Folder of the runs: features of an encoder are kept there for all of them.
    pub out: &'a Path,
    /// Hashes of the corpus's files.
    pub sources: &'a [String],
}

pub fn stage(
    e: &Experiment,
    place: &Place,
    folder: &Path,
    watch: &mut dyn Watch,
) -> Result<StageOutput> {
    let (corpus, network) = read(folder)?;
    let (vocabulary, classes) = (corpus.words.len(), corpus.label_names.len());
    let model = baseline::fit(&corpus.train, &corpus.validation, vocabulary, classes, &e.baseline)?;
    let words = model.score(&corpus.test, classes);
    let majority = majority(&corpus);
    let own = train::score(&network, &corpus.test)?;

    let mut rows = vec![("network", own.accuracy()), ("bag_of_words", words.accuracy)];
    for longest in 2..=e.baseline.ngrams {
        rows.push((NGRAMS[longest - 2], ngrams(e, &corpus, longest)?));
    }
    if let Some(settings) = &e.baseline.encoder {
        rows.push(("encoder", encoder(e, settings, place, &corpus, watch)?));
    }
    rows.push(("majority", majority));
    let score = matches!(corpus.test.labels, Labels::Score(_));
    let interval = |share: f64| {
        if score { (f64::NAN, f64::NAN) } else { evidence::share_interval(share, words.count) }
    };
    let accuracies = records::Accuracies {
        model: column(rows.iter().map(|r| r.0)),
        accuracy: column(rows.iter().map(|r| r.1)),
        low: column(rows.iter().map(|r| interval(r.1).0)),
        high: column(rows.iter().map(|r| interval(r.1).1)),
        n: column(rows.iter().map(|_| words.count)),
    };
    let penalties = records::Penalties {
        penalty: column(model.tried.iter().map(|t| t.0)),
        validation_loss: column(model.tried.iter().map(|t| t.1)),
        validation_accuracy: column(model.tried.iter().map(|t| t.2)),
        converged: column(model.tried.iter().map(|t| t.3)),
    };
    let effects = word_effects(e, folder, &corpus, &network)?;
    let words_table = write_words(&corpus, &model, &effects);
    let bias = records::BagOfWords {
        output: column(0..model.bias.len()),
        bias: column(model.bias.iter().copied()),
        penalty: column(model.bias.iter().map(|_| model.penalty)),
    };
    let files = [
        accuracies.write(folder)?,
        penalties.write(folder)?,
        words_table.write(folder)?,
        bias.write(folder)?,
    ];
    let mut made = StageOutput::files(files)
        .with(keys::ACCURACY_BAG_OF_WORDS, words.accuracy)
        .with(keys::ACCURACY_MAJORITY, majority);
    for (name, accuracy) in &rows {
        let key = match *name {
            "bigrams" => keys::ACCURACY_BIGRAMS,
            "trigrams" => keys::ACCURACY_TRIGRAMS,
            "encoder" => keys::ACCURACY_ENCODER,
            _ => continue,
        };
        made = made.with(key, *accuracy);
    }
    Ok(made)
}

/// Accuracy of a bag of words and of sequences of up to `longest` words.
fn ngrams(e: &Experiment, corpus: &Corpus, longest: usize) -> Result<f64> {
    let documents = &corpus.train.documents;
    let table = Ngrams::of(documents, corpus.words.len(), longest, e.baseline.ngram_least);
    let [train, validation, test] =
        [&corpus.train, &corpus.validation, &corpus.test].map(|split| table.apply(split));
    let classes = corpus.label_names.len();
    let model = baseline::fit(&train, &validation, table.size(), classes, &e.baseline)?;
    Ok(model.score(&test, classes).accuracy)
}

/// Accuracy of a logistic probe on a pretrained encoder.
fn encoder(
    e: &Experiment,
    settings: &encoder::Settings,
    place: &Place,
    corpus: &Corpus,
    watch: &mut dyn Watch,
) -> Result<f64> {
    let source = source(settings, place.data);
    if !source.join(encoder::FILES[2]).is_file() {
        let hub = fetch::Hub::from_env();
        let mut transfer = Transfer { watch: &mut *watch, done: 0, of: 0 };
        fetch::model(&settings.model, &encoder::FILES, &source, &hub, &mut transfer)?;
    }
    let key = (&e.corpus, e.corpus_seed(), place.sources, settings, prints(settings, place.data));
    let key = serde_json::to_string(&key).expect("settings are plain data");
    let cache =
        place.out.join("features").join(format!("{}.safetensors", crate::files::hash(&key)));
    let features = if cache.is_file() {
        read_features(&cache)?
    } else {
        let Some(texts) = corpus::load::texts(&e.corpus, place.data, e.corpus_seed())? else {
            let problem = "baseline.encoder: synthetic phrases are no text for an encoder";
            return Err(Error::Usage(problem.into()));
        };
        let encoder = Encoder::open(&source, settings)?;
        let total: usize = texts.iter().map(Vec::len).sum();
        let mut before = 0;
        let mut features = Vec::new();
        for split in &texts {
            features.push(encoder.features(split, |done| {
                watch.progress("encoding", before + done, total);
                interrupt::check("while encoding")
            })?);
            before += split.len();
        }
        write_features(&cache, &features)?;
        features
    };
    let classes = corpus.label_names.len();
    let [train, validation, test] = features.as_slice() else {
        let remedy = "remove the file and run the stage again";
        return Err(Error::input(cache.display(), "", "not three splits", remedy));
    };
    let probe =
        Probe::fit((train, &corpus.train), (validation, &corpus.validation), classes, &e.baseline)?;
    Ok(probe.score(test, &corpus.test, classes).accuracy)
}

/// Hands the progress of a transfer on, in bytes.
struct Transfer<'a> {
    watch: &'a mut dyn Watch,
    done: usize,
    of: usize,
}

impl fetch::Watch for Transfer<'_> {
    fn begin(&mut self, _: &str, bytes: u64) {
        (self.done, self.of) = (0, bytes as usize);
    }

    fn advance(&mut self, bytes: u64) {
        self.done = (self.done + bytes as usize).min(self.of);
        self.watch.progress("fetching the encoder, bytes", self.done, self.of);
    }

    fn end(&mut self) {}
}

/// Hashes of an encoder's files, as far as they are there.
pub fn prints(settings: &encoder::Settings, data: &Path) -> Vec<String> {
    let source = source(settings, data);
    let print = |name: &&str| crate::files::fingerprint(&source.join(name)).ok();
    encoder::FILES.iter().filter_map(print).map(|(_, hash)| hash).collect()
}

/// Folder of an encoder: the one that was named, or that of a repository of the Hub.
fn source(settings: &encoder::Settings, data: &Path) -> PathBuf {
    let given = PathBuf::from(&settings.model);
    if given.is_dir() { given } else { data.join("encoders").join(&settings.model) }
}

const SPLITS: [&str; 3] = ["train", "validation", "test"];

fn write_features(path: &Path, features: &[Dense]) -> Result<()> {
    let folder = path.parent().expect("the file lies in a folder");
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    let arrays = SPLITS.iter().zip(features).map(|(name, f)| {
        (name.to_string(), (vec![f.values.len() / f.width, f.width], f.values.clone()))
    });
    weights::write(path, &arrays.collect(), Default::default())
}

fn read_features(path: &Path) -> Result<Vec<Dense>> {
    let (mut arrays, _) = weights::read(path)?;
    let take = |name: &&str| arrays.remove(*name);
    let found = SPLITS.iter().filter_map(take);
    Ok(found.map(|(shape, values)| Dense { width: shape[1], values }).collect())
}

/// Share right of always giving the training split's commonest answer.
fn majority(corpus: &Corpus) -> f64 {
    match (&corpus.train.labels, &corpus.test.labels) {
        (Labels::Class(train), Labels::Class(test)) => {
            let mut counts = vec![0; corpus.label_names.len()];
            train.iter().for_each(|&c| counts[c as usize] += 1);
            let most = (0..counts.len()).max_by_key(|&c| (counts[c], usize::MAX - c)).unwrap_or(0);
            test.iter().filter(|&&c| c as usize == most).count() as f64 / test.len() as f64
        }
        (Labels::Multi { labels, flags: train }, Labels::Multi { flags: test, .. }) => {
            let share = |k: usize| {
                let carried = train.iter().skip(k).step_by(*labels).filter(|f| **f).count();
                let usual = 2 * carried > train.len() / labels;
                test.iter().skip(k).step_by(*labels).filter(|f| **f == usual).count()
            };
            (0..*labels).map(share).sum::<usize>() as f64 / test.len() as f64
        }
        _ => 0.0,
    }
}

/// Change of the readout by each word at the central state, beyond the change
/// by the held input, `[words][outputs]`.
///
/// The central state is the slow point (primary input and tolerance) nearest
/// to the mean state; where there is none, the mean state itself.
fn word_effects(
    e: &Experiment,
    folder: &Path,
    corpus: &Corpus,
    network: &Network,
) -> Result<Vec<Vec<f64>>> {
    let (axes, _) = super::states::read_axes(folder)?;
    let table = records::FixedPoints::read(folder)?;
    let first = &e.fixed_points.inputs[0];
    let (primary, states) = (table.primary()?, table.state()?);
    let distance =
        |s: &[f64]| s.iter().zip(axes.mean.iter()).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    let centre = (0..states.len())
        .filter(|&i| primary[i])
        .min_by(|&i, &j| distance(&states[i]).total_cmp(&distance(&states[j])))
        .map_or_else(|| axes.mean.as_slice().to_vec(), |i| states[i].clone());

    let cell = network.cell()?;
    let readout = network.readout()?;
    let frequencies = evidence::frequencies(&corpus.train, corpus.words.len());
    let inputs = network.inputs()?;
    let held = Map::new(&cell, &first.vector(&inputs, &corpus.words, Some(&frequencies))?)?;
    let quiet = logits(&readout, held.step(&centre).as_slice());
    let effect = |w: usize| -> Result<Vec<f64>> {
        let map = held.with_input(&inputs.vector(w))?;
        let said = logits(&readout, map.step(&centre).as_slice());
        Ok(said.iter().zip(&quiet).map(|(a, b)| a - b).collect())
    };
    (0..corpus.words.len()).into_par_iter().map(effect).collect()
}

fn write_words(corpus: &Corpus, model: &baseline::Model, effects: &[Vec<f64>]) -> records::Words {
    let vocabulary = corpus.words.len();
    let mut counts = vec![0; vocabulary];
    corpus.train.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let evidence = evidence::log_odds(&corpus.train, vocabulary, corpus.label_names.len());
    let weights: Vec<Vec<f64>> =
        (0..vocabulary).map(|w| model.weights.iter().map(|o| o[w]).collect()).collect();
    records::Words {
        word: column(corpus.words.iter().map(String::as_str)),
        id: column(0..vocabulary),
        count: column(counts),
        evidence: column(&evidence),
        bag_of_words: column(&weights),
        network: column(effects),
    }
}
