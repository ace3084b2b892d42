//! Stage `states`: the states visited on test documents, before and after training.

use super::{label_text, logits, predicted_text, read};
use crate::corpus::Corpus;
use crate::engine::StageOutput;
use crate::experiment::Experiment;
use crate::geometry::{Moments, Pca, participation_ratio, varied};
use crate::linalg::{Matrix, Vector};
use crate::model::Network;
use crate::ops::Pool;
use crate::records::{self, Frame, column, keys};
use crate::{Result, seed};
use rand::seq::SliceRandom;
use std::path::Path;

/// One state that is kept.
struct Kept {
    document: usize,
    token: usize,
    state: Vec<f64>,
}

pub fn stage(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let (corpus, network) = read(folder)?;
    let mut chosen: Vec<usize> = (0..corpus.test.documents.len()).collect();
    chosen.shuffle(&mut seed::stream(e.corpus_seed(), "states/documents"));
    chosen.truncate(e.states.documents);
    chosen.sort_unstable();
    let tokens: usize = chosen.iter().map(|&d| corpus.test.documents.get(d).len()).sum();
    let every = tokens.div_ceil(e.states.most).max(1);

    let (moments, mut kept) = walk(&network, &corpus, &chosen, every)?;
    kept.sort_by_key(|k| (k.document, k.token));
    let pca = Pca::from_moments(&moments)?;
    // How weights from elsewhere started is not known.
    let before = match e.weights {
        Some(_) => None,
        None => {
            let config = network.config().clone();
            let (words, outputs) = (network.vocabulary(), network.outputs());
            let untrained = Network::new(&config, network.head(), words, outputs, e.seed)?;
            Some(Pca::from_moments(&walk(&untrained, &corpus, &chosen, usize::MAX)?.0)?.variances)
        }
    };
    let states = write(folder, &corpus, &network, &pca, &kept)?;
    let mut made = StageOutput::files([states, axes(folder, &pca, before.as_deref())?]);
    if let Some(before) = &before {
        made = made.with(keys::DIMENSION_UNTRAINED, participation_ratio(before));
    }
    let first_two: f64 = pca.ratios().iter().take(2).sum();
    Ok(made
        .with(keys::DIMENSION_STATES, participation_ratio(varied(&pca.variances)))
        .with(keys::STATES_VARIANCE_2, first_two))
}

/// Sums over all states of the chosen documents, and every `every`-th state of each.
fn walk(
    network: &Network,
    corpus: &Corpus,
    chosen: &[usize],
    every: usize,
) -> Result<(Moments, Vec<Kept>)> {
    let documents: Vec<&[u32]> = chosen.iter().map(|&d| corpus.test.documents.get(d)).collect();
    let size = network.state_size();
    let mut moments = Moments::new(size);
    let mut kept = Vec::new();
    network.walk(Pool::Every, &documents, |indices, states| {
        let flat: Vec<f32> = states.flatten_all()?.to_vec1()?;
        let stride = flat.len() / indices.len();
        for (&i, rows) in indices.iter().zip(flat.chunks(stride)) {
            let used = documents[i].len() * size;
            let rows: Vec<f64> = rows[..used].iter().map(|&x| x as f64).collect();
            moments.add(&rows);
            // A phase of its own a document, so that early states are kept too.
            let phase = i % every;
            let picked = rows.chunks(size).enumerate().skip(phase).step_by(every);
            kept.extend(picked.filter(|_| every != usize::MAX).map(|(token, state)| Kept {
                document: chosen[i],
                token,
                state: state.to_vec(),
            }));
        }
        Ok(())
    })?;
    Ok((moments, kept))
}

fn write(
    folder: &Path,
    corpus: &Corpus,
    network: &Network,
    pca: &Pca,
    kept: &[Kept],
) -> Result<String> {
    let readout = network.readout()?;
    let outputs: Vec<Vec<f64>> = kept.iter().map(|k| logits(&readout, &k.state)).collect();
    let points: Vec<Vec<f64>> = kept.iter().map(|k| padded(pca.coordinates(&k.state, 3))).collect();
    let names = &corpus.label_names;
    let test = &corpus.test;
    records::States {
        document: column(kept.iter().map(|k| k.document)),
        token: column(kept.iter().map(|k| k.token)),
        length: Some(column(kept.iter().map(|k| test.documents.get(k.document).len()))),
        word: Some(column(
            kept.iter()
                .map(|k| corpus.words[test.documents.get(k.document)[k.token] as usize].as_str()),
        )),
        label: column(kept.iter().map(|k| label_text(test, k.document, names))),
        predicted: Some(column(outputs.iter().map(|o| predicted_text(network.head(), o, names)))),
        pc_1: column(points.iter().map(|p| p[0])),
        pc_2: column(points.iter().map(|p| p[1])),
        pc_3: column(points.iter().map(|p| p[2])),
        readout: Some(column(&outputs)),
        state: column(kept.iter().map(|k| k.state.as_slice())),
    }
    .write(folder)
}

/// Documents whose states are in the table `states`, in its order.
pub fn visited(table: &Frame<records::States>) -> Result<Vec<usize>> {
    let mut all = table.document()?;
    all.dedup();
    Ok(all)
}

/// Three coordinates, missing ones zero (networks of one or two units).
pub fn padded(mut coordinates: Vec<f64>) -> Vec<f64> {
    coordinates.resize(3, 0.0);
    coordinates
}

/// Writes the principal components, with the variances before training where known.
pub(in crate::studies) fn axes(
    folder: &Path,
    pca: &Pca,
    untrained: Option<&[f64]>,
) -> Result<String> {
    let mut rows: Vec<Vec<f64>> = vec![pca.mean.as_slice().to_vec()];
    rows.extend(pca.directions.column_iter().map(|c| c.iter().copied().collect()));
    let with_mean = |variances: &[f64]| [&[0.0], variances].concat();
    records::Axes {
        component: column(0..rows.len()),
        variance: column(with_mean(&pca.variances)),
        untrained_variance: untrained.map(|before| column(with_mean(before))),
        direction: column(&rows),
    }
    .write(folder)
}

/// The stored principal components, and the variances before training (none
/// for weights from elsewhere).
pub fn read_axes(folder: &Path) -> Result<(Pca, Vec<f64>)> {
    let table = records::Axes::read(folder)?;
    let rows = table.direction()?;
    let Some(size) = rows.first().map(Vec::len).filter(|size| *size > 0) else {
        return Err(table.refuse("", "no mean state"));
    };
    let directions = Matrix::from_fn(size, rows.len() - 1, |i, a| rows[a + 1][i]);
    let pca = Pca {
        mean: Vector::from_column_slice(&rows[0]),
        variances: table.variance()?[1..].to_vec(),
        directions,
        count: 0,
    };
    let before = table.untrained_variance()?.map_or(Vec::new(), |v| v[1..].to_vec());
    Ok((pca, before))
}
