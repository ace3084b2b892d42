//! How words move the state, and whether their order matters (claims G7 and G14,
//! arXiv:2010.15114).

use super::modes::SlowPointAnalysis;
use super::states::{padded, read_axes};
use super::{logits, predicted_text};
use crate::Result;
use crate::dynamics::{Dynamics, deflection};
use crate::experiment::Experiment;
use crate::geometry::readouts::cosine;
use crate::records::{self, Table, column};
use crate::seed;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::path::Path;

/// Words of each label, and neutral words.
const WORDS: usize = 5;
/// Labels that have words here.
const LABELS: usize = 12;
/// Least evidence beyond the other labels', as a share of the largest: a word that says
/// less speaks for none.
const LEAST: f64 = 0.1;
/// States at which the field of a label's first word is written down.
const ARROWS: usize = 80;

/// A word that was chosen, and for what: a label, or nothing.
struct Chosen {
    word: usize,
    label: Option<usize>,
}

/// The words with the largest evidence for each label by counts, and the most neutral.
fn choose(evidence: &[Vec<f64>], counts: &[usize], least: usize) -> Vec<Chosen> {
    let labels = evidence.first().map_or(0, Vec::len).min(LABELS);
    let often: Vec<usize> = (0..counts.len()).filter(|&w| counts[w] >= least).collect();
    // What a word says for a label beyond what it says for the best of the others.
    let margin = |w: usize, k: usize| {
        let others = (0..evidence[w].len()).filter(|&j| j != k).map(|j| evidence[w][j]);
        evidence[w][k] - others.fold(f64::NEG_INFINITY, f64::max).max(0.0)
    };
    let all = often.iter().flat_map(|&w| (0..labels).map(move |k| margin(w, k)));
    let enough = LEAST * all.fold(0.0, f64::max);
    let mut chosen = Vec::new();
    for k in 0..labels {
        let mut best: Vec<usize> =
            often.iter().copied().filter(|&w| margin(w, k) > enough).collect();
        best.sort_by(|&a, &b| margin(b, k).total_cmp(&margin(a, k)).then(a.cmp(&b)));
        chosen.extend(best.into_iter().take(WORDS).map(|word| Chosen { word, label: Some(k) }));
    }
    let size = |w: usize| evidence[w].iter().fold(0.0, |m: f64, x| m.max(x.abs()));
    let mut neutral: Vec<usize> =
        often.into_iter().filter(|w| !chosen.iter().any(|c| c.word == *w)).collect();
    neutral.sort_by(|&a, &b| size(a).total_cmp(&size(b)).then(a.cmp(&b)));
    chosen.extend(neutral.into_iter().take(WORDS).map(|word| Chosen { word, label: None }));
    chosen
}

/// Tables `deflections` and `deflection_field`; nothing for a running score.
pub(super) fn tables(
    e: &Experiment,
    folder: &Path,
    scene: &SlowPointAnalysis,
) -> Result<Vec<Table>> {
    let words = records::Words::read(folder)?;
    let (evidence, counts) = (words.evidence()?, words.count()?);
    let names = &scene.corpus.label_names;
    if names.is_empty() || evidence.first().is_none_or(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let chosen = choose(&evidence, &counts, e.modes.least);
    let states = super::modes::visited(e, folder, "modes/deflections")?;
    let from: Vec<&[f64]> = states.iter().map(Vec::as_slice).collect();
    let (axes, _) = read_axes(folder)?;
    let size = scene.map.state_size();
    let (weights, _) = scene.readout();
    let readouts: Vec<&[f64]> = weights.chunks(size).collect();
    // The plane of the states: as many components as classes less one, or labels.
    let plane = match readouts.len() {
        n if n == names.len() && scene.is_exclusive() => n - 1,
        n => n,
    };
    let towards = |label: usize| -> Vec<f64> {
        match readouts.len() {
            // One logit speaks for the second of two classes.
            1 if names.len() == 2 && label == 0 => readouts[0].iter().map(|w| -w).collect(),
            1 => readouts[0].to_vec(),
            _ => readouts[label].to_vec(),
        }
    };
    let (mut rows, mut arrows) = (Vec::new(), Vec::new());
    let every = from.len().div_ceil(ARROWS).max(1);
    let mut drawn: Vec<Option<usize>> = Vec::new();
    for c in &chosen {
        let map = scene.map.with_input(&scene.inputs[c.word])?;
        let field = deflection::field(&map, &from);
        let mean = deflection::mean(&field, size);
        let along = c.label.map_or(f64::NAN, |k| {
            cosine(&axes.turned(mean.as_slice(), plane), &axes.turned(&towards(k), plane))
        });
        let inside: f64 = axes.turned(mean.as_slice(), plane).iter().map(|x| x * x).sum();
        let lengths = (mean.norm(), inside.sqrt());
        rows.push((c, lengths, padded(axes.turned(mean.as_slice(), 3)), along));
        if !drawn.contains(&c.label) {
            drawn.push(c.label);
            for (h, d) in from.iter().zip(&field).step_by(every) {
                arrows.push((
                    c,
                    padded(axes.coordinates(h, 2)),
                    padded(axes.turned(d.as_slice(), 2)),
                ));
            }
        }
    }
    let word = |c: &Chosen| scene.corpus.words[c.word].as_str();
    let label = |c: &Chosen| c.label.map_or("", |k| names[k].as_str());
    let table = records::Deflections {
        word: column(rows.iter().map(|r| word(r.0))),
        label: column(rows.iter().map(|r| label(r.0))),
        length: column(rows.iter().map(|r| r.1.0)),
        in_plane: column(rows.iter().map(|r| r.1.1)),
        pc_1: column(rows.iter().map(|r| r.2[0])),
        pc_2: column(rows.iter().map(|r| r.2[1])),
        pc_3: column(rows.iter().map(|r| r.2[2])),
        along: column(rows.iter().map(|r| r.3)),
        n: column(rows.iter().map(|_| from.len())),
    };
    let field = records::DeflectionField {
        word: column(arrows.iter().map(|a| word(a.0))),
        label: column(arrows.iter().map(|a| label(a.0))),
        from_1: column(arrows.iter().map(|a| a.1[0])),
        from_2: column(arrows.iter().map(|a| a.1[1])),
        by_1: column(arrows.iter().map(|a| a.2[0])),
        by_2: column(arrows.iter().map(|a| a.2[1])),
    };
    Ok(vec![table.table(), field.table()])
}

/// Each drawn document with its words in another order: how far the last state is from
/// where it was, and whether the answer stays.
pub(super) fn shuffled(
    e: &Experiment,
    scene: &SlowPointAnalysis,
) -> Result<Option<records::Shuffled>> {
    let names = &scene.corpus.label_names;
    if names.is_empty() {
        return Ok(None);
    }
    let chosen = super::modes::documents(e, scene, e.modes.rollouts, "modes/shuffle");
    let head = scene.head();
    let rows: Vec<(usize, f64, bool)> = chosen
        .par_iter()
        .map(|&d| {
            let tokens = scene.corpus.test.documents.get(d);
            let mut other = tokens.to_vec();
            other.shuffle(&mut seed::stream(e.seed, &format!("modes/shuffle/{d}")));
            let (end, moved) = (scene.last(tokens)?, scene.last(&other)?);
            let change = super::modes::distance(&moved, &end);
            let size = end.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
            let said = |state: &[f64]| predicted_text(head, &logits(scene.readout(), state), names);
            Ok((d, change / size, said(&moved) == said(&end)))
        })
        .collect::<Result<_>>()?;
    let table = records::Shuffled {
        document: column(rows.iter().map(|r| r.0)),
        change: column(rows.iter().map(|r| r.1)),
        agrees: column(rows.iter().map(|r| r.2)),
    };
    Ok(Some(table))
}
