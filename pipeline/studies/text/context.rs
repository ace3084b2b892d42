//! Stage `context`: which words are modifiers, and how far words in context get.

use super::modes::SlowPointAnalysis;
use super::{blocking, probes, read};
use crate::baseline::context::{self, Context, Family};
use crate::baseline::gains::{self, Agreement, Gain};
use crate::baseline::{self, Model, recovered};
use crate::corpus::synthetic::Kind;
use crate::corpus::{Corpus, Documents, Labels, Source, Split};
use crate::dynamics::linearise::Linearisation;
use crate::engine::StageOutput;
use crate::experiment::Experiment;
use crate::modifiers::barcode::Decay;
use crate::modifiers::clusters::clusters;
use crate::modifiers::{self, Barcodes};
use crate::records::{self, Frame, Table, column, keys};
use crate::stats::evidence;
use crate::studies::explain::CONTEXT;
use crate::summary;
use crate::{Error, Result, model::Network, seed, train};
use rand::seq::SliceRandom;
use std::path::Path;

/// Effects of shuffled displacements behind the null.
const NULL: usize = 2000;
/// Words with the strongest effects whose time constants are measured, and whose
/// barcodes make the components.
const FOLLOWED: usize = 200;
/// Modifiers whose clusters and subspace are looked at.
const MODIFIERS: usize = 100;
/// Mean cosine of barcodes below which modifiers are in different clusters.
const ALIKE: f64 = 0.5;
/// Places along the line, besides its middle, where words are tried: shares of the slow points.
const CONTEXTS: [f64; 4] = [0.1, 0.3, 0.7, 0.9];
/// Quantile of the null beyond which a word counts as a modifier of the network.
pub(in crate::studies) const BEYOND: f64 = 0.99;

/// The models in context, in the order of the table: their names and extensions.
pub const FAMILIES: [(&str, Family); 7] = [
    ("ends", family(false, false, true, false)),
    ("modifiers", family(true, false, false, false)),
    ("modifiers_untied", family(true, true, false, false)),
    ("modifiers_ends", family(true, false, true, false)),
    ("modifiers_untied_ends", family(true, true, true, false)),
    ("taps", family(true, false, false, true)),
    ("taps_ends", family(true, false, true, true)),
];

const fn family(modifiers: bool, untied: bool, ends: bool, taps: bool) -> Family {
    Family { modifiers, untied, ends, taps }
}

pub fn stage(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let mut made = StageOutput::default();
    let scene = SlowPointAnalysis::new(e, folder)?;
    if matches!(&e.corpus.source, Source::Synthetic(of) if of.kind == Kind::Toy) {
        made = probes::stage(e, folder, &scene, made)?;
    }
    let said = said(e, folder, &scene.corpus)?;
    made.files.push(text_gains(&scene.corpus.words, &said).write(folder)?);
    made = made
        .with(keys::TEXT_GAINS_COUNT, said.iter().filter(|g| g.is_significant()).count() as f64);
    let mut list: Vec<u32> = Vec::new();
    let sets = scene.sets(e, folder)?;
    let probes: Vec<usize> = sets.positive.iter().chain(&sets.negative).copied().collect();
    // In a corpus so small that no word is frequent (`modes.least`) there is none to be read after others.
    if !probes.is_empty() {
        let (tables, strongest, network) = search(e, folder, &scene, &probes)?;
        let alike = Agreement::of(&said, &network, e.seed);
        made = made
            .with(keys::TEXT_GAINS_AGREEMENT, alike.correlation)
            .with(keys::TEXT_GAINS_AGREEMENT_LOW, alike.interval.0)
            .with(keys::TEXT_GAINS_AGREEMENT_HIGH, alike.interval.1)
            .with(keys::TEXT_GAINS_COMPARED, alike.words as f64);
        for table in tables {
            made.files.push(table.write(folder)?);
        }
        list.extend(strongest);
    }
    if !e.context.fit {
        return Ok(made);
    }
    for id in listed(e, &scene.corpus.words)? {
        if !list.contains(&id) {
            list.push(id);
        }
    }
    let (corpus, network) = read(folder)?;
    augment(e, folder, &corpus, &network, &list, made)
}

/// Ids of the words that `context.list` names.
///
/// # Errors
/// [`Error::Usage`] for one that the vocabulary lacks, with the nearest that it has.
pub(super) fn listed(e: &Experiment, words: &[String]) -> Result<Vec<u32>> {
    let named = e.context.list.iter().filter(|_| e.context.fit);
    let id = |word: &String| {
        words.iter().position(|w| w == word).map(|id| id as u32).ok_or_else(|| {
            let all: Vec<&str> = words.iter().map(String::as_str).collect();
            Error::Usage(format!(
                "context.list: `{word}` is not in the vocabulary of {} words; {}, or leave it out: `--set context.list=[…]`",
                words.len(),
                crate::nearest::hint(word, &all)
            ))
        })
    };
    named.map(id).collect()
}

/// Effects of all words and what follows from them, the strongest that occur often enough, and the gain of each.
fn search(
    e: &Experiment,
    folder: &Path,
    scene: &SlowPointAnalysis,
    probes: &[usize],
) -> Result<(Vec<Table>, Vec<u32>, Vec<f64>)> {
    let (axes, _) = super::states::read_axes(folder)?;
    let mean = axes.mean.as_slice();
    // A network without a slow point reads words in context too: there from the mean of its states.
    let centre = if scene.points.is_empty() { mean } else { scene.nearest(mean) };
    let direction = scene.direction();
    let near = Linearisation::at(&scene.map, centre, Some(&direction))?;
    let left: Vec<f64> = near.eigen.left.column(0).iter().map(|z| z.re).collect();
    let line: Vec<f64> = near.eigen.right.column(0).iter().map(|z| z.re).collect();
    let watched = modifiers::ModifierProbe {
        map: &scene.map,
        centre,
        readout: &direction,
        slow: &left,
        inputs: &scene.inputs,
        probes,
    };
    let counts = records::Words::read(folder)?.count()?;
    let mut often: Vec<usize> =
        (0..counts.len()).filter(|&w| counts[w] >= e.context.least).collect();
    // A vocabulary of few words has none that are rare.
    if often.len() < 2 {
        often = (0..counts.len()).collect();
    }
    let found: Barcodes = watched.barcodes(&often)?;
    let null = watched.null(&found, &often, NULL, e.seed)?;
    let below = |effect: f64| {
        null.iter().filter(|n| **n < effect).count() as f64 / null.len().max(1) as f64
    };
    often.sort_by(|&a, &b| found.effect[b].total_cmp(&found.effect[a]).then(a.cmp(&b)));
    let strong = &often[..often.len().min(FOLLOWED)];
    let component = found.component(strong)?;
    let decay: Vec<Option<Decay>> = {
        let mut all = vec![None; counts.len()];
        strong.iter().for_each(|&w| all[w] = Some(watched.decay(&found, w)));
        all
    };
    let fitted = |w: usize| decay[w].filter(|d| d.fitted.is_some());
    let elsewhere = barcodes_along_line(scene, &watched, &often)?;
    let everywhere: Vec<Vec<f64>> = often
        .iter()
        .map(|&w| elsewhere.iter().map(|b| b.gain[w]).chain([found.gain[w]]).collect())
        .collect();
    let quantiles: Vec<f64> = often.iter().map(|&w| below(found.effect[w])).collect();
    let p: Vec<f64> = quantiles.iter().map(|q| p_value(*q)).collect();
    let rates = summary::discovery_rates(&p);
    let beyond = often.iter().zip(&quantiles).filter(|(_, q)| **q >= BEYOND);
    let modifiers: Vec<usize> = beyond.map(|(&w, _)| w).take(MODIFIERS).collect();
    let codes: Vec<&[f64]> = modifiers.iter().map(|&w| found.code(w)).collect();
    let mut cluster = vec![None; counts.len()];
    for (&w, number) in modifiers.iter().zip(clusters(&codes, ALIKE)) {
        cluster[w] = Some(number as f64 + 1.0);
    }
    let table = records::Modifiers {
        word: column(often.iter().map(|&w| scene.corpus.words[w].as_str())),
        id: column(often.iter().copied()),
        count: column(often.iter().map(|&w| counts[w])),
        effect: column(often.iter().map(|&w| found.effect[w])),
        null_quantile: column(quantiles),
        discovery_rate: column(rates),
        gain: column(often.iter().map(|&w| found.gain[w])),
        gain_mean: column(everywhere.iter().map(|g| summary::mean(g))),
        gain_deviation: column(everywhere.iter().map(|g| summary::deviation(g))),
        contexts: column(often.iter().map(|_| elsewhere.len() + 1)),
        tau: column(often.iter().map(|&w| decay[w].and_then(|d| d.half))),
        tau_fitted: column(often.iter().map(|&w| fitted(w).and_then(|d| d.fitted))),
        tau_low: column(often.iter().map(|&w| fitted(w).map(|d| d.interval.0))),
        tau_high: column(often.iter().map(|&w| fitted(w).map(|d| d.interval.1))),
        component_1: column(often.iter().map(|&w| component[w])),
        cluster: column(often.iter().map(|&w| cluster[w])),
    };
    let strongest = modifiers.iter().take(e.context.from_network).map(|&w| w as u32).collect();
    let all =
        blocking::Found { scene, watched: &watched, codes: &found, list: &modifiers, line: &line };
    let mut tables = vec![table.table()];
    tables.extend(blocking::tables(e, &all)?);
    Ok((tables, strongest, found.gain))
}

/// The p-value of a quantile of the null: no smaller than one in the number of draws.
pub(in crate::studies) fn p_value(quantile: f64) -> f64 {
    (1.0 - quantile).max(1.0 / (NULL + 1) as f64)
}

/// Barcodes at other points along the line: words act there too, or only in the middle. None where
/// there is no slow point.
fn barcodes_along_line(
    scene: &SlowPointAnalysis,
    watched: &modifiers::ModifierProbe,
    usual: &[usize],
) -> Result<Vec<Barcodes>> {
    let said = |p: &[f64]| p.iter().zip(watched.readout).map(|(p, w)| p * w).sum::<f64>();
    let mut along: Vec<&[f64]> = scene.points.iter().map(Vec::as_slice).collect();
    along.sort_by(|a, b| said(a).total_cmp(&said(b)));
    if along.is_empty() {
        return Ok(Vec::new());
    }
    let at = |share: f64| along[((along.len() - 1) as f64 * share).round() as usize];
    let mut points: Vec<&[f64]> = CONTEXTS.iter().map(|&share| at(share)).collect();
    points.dedup();
    points.retain(|p| *p != watched.centre);
    let barcodes = |point: &[f64]| -> Result<Barcodes> {
        let near = Linearisation::at(&scene.map, point, Some(watched.readout))?;
        let left: Vec<f64> = near.eigen.left.column(0).iter().map(|z| z.re).collect();
        modifiers::ModifierProbe { centre: point, slow: &left, ..*watched }.barcodes(usual)
    };
    points.into_iter().map(barcodes).collect()
}

/// Fits the family, and says how much of the network's gain each model recovers.
fn augment(
    e: &Experiment,
    folder: &Path,
    corpus: &Corpus,
    network: &Network,
    list: &[u32],
    mut made: StageOutput,
) -> Result<StageOutput> {
    let classes = corpus.label_names.len();
    let weights = records::Words::read(folder)?.bag_of_words()?;
    let bag = bag(folder, &weights)?;
    let asked = baseline::candidates::candidates(&bag, &corpus.train, classes, e.context.least);
    made.files.push(candidates(corpus, &asked).write(folder)?);
    let mut list = list.to_vec();
    for (word, _) in asked.iter().take(e.context.from_text) {
        if !list.contains(word) {
            list.push(*word);
        }
    }
    let splits = (&corpus.train, &corpus.validation);
    let mut models: Vec<(&str, Context)> = Vec::new();
    for (name, family) in FAMILIES {
        if family.modifiers && list.is_empty() {
            continue;
        }
        let fitted = context::fit(&bag, splits, classes, family, &list, &e.context)?;
        models.push((name, fitted));
    }
    let words = bag.score(&corpus.test, classes);
    let (own, rights) = read_by(network, &corpus.test)?;
    // The model that validation data prefer speaks for the family.
    let chosen = models
        .iter()
        .min_by(|a, b| a.1.validation_loss.total_cmp(&b.1.validation_loss))
        .expect("the ends need no modifiers");
    let bag_right = bag.right(&corpus.test, classes);
    let mut rows = vec![Row::plain(
        "bag_of_words",
        words.accuracy,
        bag.score(&corpus.validation, classes).loss,
    )];
    for (name, model) in &models {
        let accuracy = model.score(&corpus.test, classes).accuracy;
        let mut row = Row::plain(name, accuracy, model.validation_loss);
        row.recovered = recovered::fraction(words.accuracy, accuracy, own);
        if let Some(net) = &rights {
            let own = model.right(&corpus.test, classes);
            row.interval = recovered::over_documents(&bag_right, &own, net, e.seed);
        }
        rows.push(row);
    }
    let other = shuffled(&corpus.test, e.seed);
    let (accuracy, other) = read_by(network, &other)?;
    let mut row = Row::plain("network_shuffled", accuracy, f64::NAN);
    row.recovered = recovered::fraction(words.accuracy, accuracy, own);
    if let (Some(net), Some(other)) = (&rights, other) {
        row.interval = recovered::over_documents(&bag_right, &other, net, e.seed);
    }
    rows.push(row);
    rows.push(Row::plain("network", own, f64::NAN));
    let score = matches!(corpus.test.labels, Labels::Score(_));
    let share = |a: f64| {
        if score { (f64::NAN, f64::NAN) } else { evidence::share_interval(a, words.count) }
    };
    let table = records::Augmented {
        model: column(rows.iter().map(|r| r.name)),
        accuracy: column(rows.iter().map(|r| r.accuracy)),
        low: column(rows.iter().map(|r| share(r.accuracy).0)),
        high: column(rows.iter().map(|r| share(r.accuracy).1)),
        n: column(rows.iter().map(|_| words.count)),
        validation_loss: column(rows.iter().map(|r| r.validation_loss)),
        recovered: column(rows.iter().map(|r| r.recovered)),
        recovered_low: column(rows.iter().map(|r| r.interval.0)),
        recovered_high: column(rows.iter().map(|r| r.interval.1)),
    };
    made.files.push(table.write(folder)?);
    made.files.push(parameters(corpus, &chosen.1).write(folder)?);
    let model = serde_json::to_string(&chosen.1).expect("a fitted model is plain data");
    crate::files::replace(&folder.join(CONTEXT), model.as_bytes())?;
    made.files.push(CONTEXT.into());
    let row = rows.iter().find(|r| r.name == chosen.0).expect("it was added");
    Ok(made
        .with(keys::ACCURACY_AUGMENTED, row.accuracy)
        .with(keys::RECOVERED_FRACTION, row.recovered)
        .with(keys::RECOVERED_FRACTION_LOW, row.interval.0)
        .with(keys::RECOVERED_FRACTION_HIGH, row.interval.1))
}

/// What the text says each word does to the next ones.
fn said(e: &Experiment, folder: &Path, corpus: &Corpus) -> Result<Vec<Gain>> {
    let penalty = penalty(&records::BagOfWords::read(folder)?)?;
    let (words, classes) = (corpus.words.len(), corpus.label_names.len());
    gains::gains(&corpus.train, words, classes, penalty, e.context.least)
}

/// What the text says of each word, as a table.
///
/// * `words`: the vocabulary
pub fn text_gains(words: &[String], said: &[Gain]) -> records::TextGains {
    records::TextGains {
        word: column(said.iter().map(|g| words[g.word as usize].as_str())),
        id: column(said.iter().map(|g| g.word as usize)),
        documents: column(said.iter().map(|g| g.documents)),
        gain: column(said.iter().map(|g| g.gain)),
        low: column(said.iter().map(|g| g.interval().0)),
        high: column(said.iter().map(|g| g.interval().1)),
        p: column(said.iter().map(Gain::p)),
        discovery_rate: column(said.iter().map(|g| g.rate)),
        converged: column(said.iter().map(|g| g.converged)),
    }
}

/// What the text asks for, before any fit.
fn candidates(corpus: &Corpus, asked: &[(u32, f64)]) -> records::Candidates {
    records::Candidates {
        word: column(asked.iter().map(|a| corpus.words[a.0 as usize].as_str())),
        id: column(asked.iter().map(|a| a.0 as usize)),
        score: column(asked.iter().map(|a| a.1)),
    }
}

/// One model of the table.
struct Row {
    name: &'static str,
    accuracy: f64,
    validation_loss: f64,
    recovered: f64,
    interval: (f64, f64),
}

impl Row {
    fn plain(name: &'static str, accuracy: f64, validation_loss: f64) -> Self {
        let none = f64::NAN;
        Self { name, accuracy, validation_loss, recovered: none, interval: (none, none) }
    }
}

/// The bag of words as stage `baselines` stored it.
fn bag(folder: &Path, weights: &[Vec<f64>]) -> Result<Model> {
    let table = records::BagOfWords::read(folder)?;
    let outputs = weights.first().map_or(0, Vec::len);
    let by_output = (0..outputs).map(|o| weights.iter().map(|w| w[o]).collect()).collect();
    Ok(baseline::Model::plain(by_output, table.bias()?, penalty(&table)?))
}

/// Its penalty, the same in every row.
fn penalty(table: &Frame<records::BagOfWords>) -> Result<f64> {
    Ok(table.penalty()?.first().copied().unwrap_or(0.0))
}

/// Every document with its words in another order: what is read rightly there is not owed to context.
fn shuffled(split: &Split, seed: u64) -> Split {
    let mut stream = seed::stream(seed, "context/shuffled");
    let mut documents = Documents::new();
    for tokens in split.documents.iter() {
        let mut other = tokens.to_vec();
        other.shuffle(&mut stream);
        documents.push(&other);
    }
    Split { documents, labels: split.labels.clone() }
}

/// What the network makes of a split: its accuracy (R² for a score), and the share of right answers a document; `None`
/// for a score.
fn read_by(network: &Network, split: &Split) -> Result<(f64, Option<Vec<f64>>)> {
    if matches!(split.labels, Labels::Score(_)) {
        return Ok((train::score(network, split)?.accuracy(), None));
    }
    let documents: Vec<&[u32]> = split.documents.iter().collect();
    let said = network.predict(&documents)?;
    let right = |(d, z): (usize, &Vec<f32>)| -> f64 {
        match &split.labels {
            Labels::Class(c) if z.len() == 1 => ((z[0] > 0.0) as u32 == c[d]) as u8 as f64,
            Labels::Class(c) => (train::loss::argmax(z) == c[d] as usize) as u8 as f64,
            Labels::Multi { labels, flags } => {
                let own = &flags[d * labels..][..*labels];
                let good = z.iter().zip(own).filter(|(z, f)| (**z >= 0.0) == **f).count();
                good as f64 / *labels as f64
            }
            Labels::Score(_) => f64::NAN,
        }
    };
    let rights: Vec<f64> = said.iter().enumerate().map(right).collect();
    Ok((summary::mean(&rights), Some(rights)))
}

/// Every fitted number of the chosen model, a word.
fn parameters(corpus: &Corpus, model: &Context) -> records::ContextWords {
    let mut counts = vec![0; corpus.words.len()];
    corpus.train.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let at = |w: usize| model.modifiers.iter().position(|&m| m as usize == w);
    let words = 0..corpus.words.len();
    let ends = model.ends();
    let repeat = |x: Option<f64>| words.clone().map(move |_| x).collect::<Vec<_>>();
    records::ContextWords {
        word: column(corpus.words.iter().map(String::as_str)),
        count: column(counts),
        valence: column(words.clone().map(|w| model.valence(w))),
        modified: column(words.clone().map(|w| model.modified(w))),
        strength: column(words.clone().map(|w| Some(model.modifier(at(w)?)?.0))),
        tau: column(words.clone().map(|w| Some(model.modifier(at(w)?)?.1))),
        taps: column(words.clone().map(|w| at(w).and_then(|m| model.taps(m)).unwrap_or(&[]))),
        beginning: column(repeat(ends.map(|e| e.0))),
        beginning_tau: column(repeat(ends.map(|e| e.1))),
        end: column(repeat(ends.map(|e| e.2))),
        end_tau: column(repeat(ends.map(|e| e.3))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shuffled_documents_keep_their_words_and_labels() {
        let mut documents = Documents::new();
        for d in 0..20 {
            documents.push(&(d..2 * d).collect::<Vec<u32>>());
        }
        let split = Split { documents, labels: Labels::Class((0..20).collect()) };
        let other = shuffled(&split, 3);
        assert_eq!(other.labels, split.labels);
        assert_eq!(other.documents.len(), 20);
        let sorted = |tokens: &[u32]| {
            let mut tokens = tokens.to_vec();
            tokens.sort_unstable();
            tokens
        };
        for (a, b) in split.documents.iter().zip(other.documents.iter()) {
            assert_eq!(a, sorted(b));
        }
        // Ten words or more stay as they were once in 3.6 million times.
        assert!((10..20).all(|d| split.documents.get(d) != other.documents.get(d)));
        assert_eq!(shuffled(&split, 3), other);
        assert_ne!(shuffled(&split, 4), other);
    }
}
