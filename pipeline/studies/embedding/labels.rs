//! Networks from a few labels: a place on the map, a fresh network, a base model trained further.

use super::collection::Opened;
use crate::data::{Documents, Labels, Split};
use crate::embedding::{self, Phrases, analysis, search};
use crate::engine::Workspace;
use crate::experiment::MetaModel;
use crate::model::Network;
use crate::{Result, interrupt, seed, train};
use rand::Rng;
use rand::seq::index::sample;

/// One network from few labels.
pub struct Few {
    pub group: usize,
    pub labels: usize,
    pub draw: usize,
    pub method: &'static str,
    pub accuracy: f64,
}

/// Test phrases with a group's labels.
pub fn test_split(opened: &Opened, group: usize) -> Split {
    let documents: Documents = (0..opened.test.len()).map(|i| opened.test.words(i)).collect();
    let labels = opened.labels.as_ref().map_or_else(Vec::new, |l| l[group].clone());
    Split { documents, labels: Labels::Class(labels) }
}

/// Accuracy of a base model on the test phrases, by its group's labels.
pub fn accuracy(opened: &Opened, base: usize) -> Option<f64> {
    let labels = &opened.labels.as_ref()?[opened.bases[base].group];
    let (k, said) = (opened.outputs, &opened.held_out[base].outputs);
    let right = |(i, label): (usize, &u32)| {
        let last = opened.test.range(i).end - 1;
        (analysis::largest(&said[last * k..][..k]) == *label as usize) as usize
    };
    Some(labels.iter().enumerate().map(right).sum::<usize>() as f64 / labels.len() as f64)
}

/// Every method for every group's labels, number of labels and draw.
pub fn few(
    e: &MetaModel,
    seed: u64,
    meta: &embedding::MetaModel,
    opened: &Opened,
    place: &Workspace,
) -> Result<Vec<Few>> {
    let mut all = Vec::new();
    let originals = opened.originals();
    // Groups with the same labels ask the same question.
    let mut asked: Vec<usize> = Vec::new();
    let labels = opened.labels.as_ref().expect("labels were asked for");
    for g in 0..opened.groups.len() {
        if !asked.iter().any(|&other| labels[other] == labels[g]) {
            asked.push(g);
        }
    }
    for &group in &asked {
        let (split, test) = (&opened.splits[group], test_split(opened, group));
        let Labels::Class(classes) = &split.labels else { continue };
        for &count in &e.inspect.labels {
            for draw in 0..e.inspect.draws {
                interrupt::check("while networks were made from few labels")?;
                let name = format!("embedding/few labels/{group}/{count}/{draw}");
                let mut stream = seed::stream(seed, &name);
                let count = count.min(split.documents.len());
                let chosen = sample(&mut stream, split.documents.len(), count).into_vec();
                let documents: Documents = chosen.iter().map(|&d| split.documents.get(d)).collect();
                let own: Vec<u32> = chosen.iter().map(|&d| classes[d]).collect();
                let mut add = |method, accuracy| {
                    all.push(Few { group, labels: count, draw, method, accuracy });
                };
                let phrases = Phrases::of_words(documents.iter())?;
                let draws_seed = stream.random::<u64>();
                let (theta, _) =
                    search::search(meta, &phrases, &own, &e.inspect.search, draws_seed)?;
                let Labels::Class(wanted) = &test.labels else { continue };
                add("theta", analysis::accuracy(meta, &theta, &opened.test, wanted));
                let labelled = Split { documents, labels: Labels::Class(own) };
                let tune = |of: &Network, method: &str| -> Result<f64> {
                    let network =
                        Network::new(of.config(), of.head(), of.reads(), of.outputs(), draws_seed)?;
                    if method != "fresh" {
                        network.set_arrays(&of.arrays()?)?;
                    }
                    let settings = train::Settings {
                        epochs: e.inspect.tuning,
                        steps: e.inspect.tuning,
                        checkpoint_every: usize::MAX,
                        patience: 0,
                        validate_every: usize::MAX,
                        crop: train::Crop::default(),
                        ..e.trained.training.clone()
                    };
                    let path = place.checkpoint("few_labels");
                    let key = format!("{name}/{method}");
                    let at = (path.as_path(), key.as_str());
                    train::fit(&network, &labelled, &labelled, &settings, draws_seed, at, &mut ())?;
                    Ok(train::score(&network, &test)?.accuracy())
                };
                let drawn = originals[stream.random_range(0..originals.len())];
                let mut best = (f64::INFINITY, drawn);
                for &i in &originals {
                    let loss = train::score(&opened.bases[i].network, &labelled)?.mean_loss();
                    if loss < best.0 {
                        best = (loss, i);
                    }
                }
                let network = |i: usize| &opened.bases[i].network;
                add("fresh", tune(network(drawn), "fresh")?);
                add("tuned", tune(network(drawn), "tuned")?);
                add("chosen", tune(network(best.1), "chosen")?);
            }
        }
    }
    Ok(all)
}
