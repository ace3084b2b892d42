//! The first meta-model as the page runs it.

use super::collection::Opened;
use super::inspect::Placed;
use crate::embedding::{self, Reads, analysis};
use crate::geometry::Pca;
use crate::linalg::Matrix;
use crate::report::knob::{Knob, Phrase, Place};
use crate::report::walk::Packed;
use crate::{Result, files};
use std::collections::BTreeMap;
use std::path::Path;

/// Most numbers of words that travel: a page of some MB.
const MOST: usize = 1_500_000;
/// Phrases that travel.
const PHRASES: usize = 60;
/// File that the report reads.
pub const FILE: &str = "knob.json";

/// Writes the page's part; nothing where the meta-model reads vectors, or too many words.
pub fn write(
    folder: &Path,
    meta: &embedding::MetaModel,
    opened: &Opened,
    placed: &[Placed],
    (words, labels): (&[String], &[String]),
) -> Result<String> {
    let knob = knob(meta, opened, placed, (words, labels))?;
    let text = serde_json::to_vec(&knob).expect("plain data");
    files::replace(&folder.join(FILE), &text)?;
    Ok(FILE.into())
}

fn knob(
    meta: &embedding::MetaModel,
    opened: &Opened,
    placed: &[Placed],
    (words, labels): (&[String], &[String]),
) -> Result<Option<Knob>> {
    let (layout, shape) = (&meta.layout, meta.layout.shape);
    let gates = shape.gates();
    let Some(all) = opened.labels.as_ref() else { return Ok(None) };
    if matches!(shape.reads, Reads::Vectors(_)) || words.len() * gates > MOST {
        return Ok(None);
    }
    let wide = meta.wide();
    let cell = meta.cell(&vec![0.0; shape.dimension]);
    let u = cell.inputs;
    let table: Vec<f64> = (0..words.len())
        .flat_map(|w| {
            let (cell, wide) = (&cell, &wide);
            (0..gates).map(move |r| match shape.reads {
                Reads::Embedded(..) => {
                    let x = &wide[layout.words()][w * u..][..u];
                    cell.input_weights[r * u..][..u].iter().zip(x).map(|(a, x)| a * x).sum()
                }
                _ => cell.input_weights[r * u + w],
            })
        })
        .collect();
    let count = opened.test.len().min(PHRASES);
    let batch: Vec<usize> = (0..count).collect();
    let traces = meta.emulate(&meta.theta(0), &opened.test, &batch);
    let (s, k) = (shape.state(), shape.outputs);
    // The plane is that of the states of all base models' places together.
    let mut states: Vec<f64> = Vec::new();
    for model in 0..layout.models() {
        for trace in meta.emulate(&meta.theta(model), &opened.test, &batch[..count.min(10)]) {
            states.extend(trace.states.iter().map(|x| f64::from(*x)));
        }
    }
    let pca = Pca::of(&Matrix::from_row_slice(states.len() / s, s, &states))?;
    let direction = |a: usize| pca.directions.column(a).iter().copied().collect::<Vec<f64>>();
    let axes = [pca.mean.as_slice().to_vec(), direction(0), direction(1.min(s - 1))].concat();
    let pack = |range: std::ops::Range<usize>, columns: usize| Packed::new(&wide[range], columns);
    let arrays = BTreeMap::from([
        ("words", Packed::new(&table, gates)),
        ("conditioning", pack(layout.conditioning(), shape.dimension)),
        ("recurrent_weights", Packed::new(&cell.recurrent_weights, shape.units)),
        ("input_bias", Packed::new(&cell.input_bias, gates)),
        ("recurrent_bias", Packed::new(&cell.recurrent_bias, gates)),
        ("initial", pack(layout.initial(), s)),
        ("readout", pack(layout.readout(), s)),
        ("bias", pack(layout.readout_bias(), k)),
        ("axes", Packed::new(&axes, s)),
    ]);
    let thetas = meta.thetas();
    let (middle, along) = analysis::axes(&thetas)?;
    Ok(Some(Knob {
        cell: format!("{:?}", shape.cell),
        units: shape.units,
        arrays,
        vocabulary: words.to_vec(),
        labels: labels.to_vec(),
        groups: opened.groups.clone(),
        places: placed
            .iter()
            .zip(&opened.bases)
            .map(|(p, b)| Place {
                name: b.name.clone(),
                group: b.group,
                theta: p.theta.clone(),
                at: p.at,
            })
            .collect(),
        phrases: batch
            .iter()
            .map(|&i| Phrase {
                tokens: opened.test.words(i).iter().map(|w| *w as usize).collect(),
                labels: all.iter().map(|l| l[i] as usize).collect(),
            })
            .collect(),
        said: traces.iter().map(|t| t.outputs[t.outputs.len() - k..].to_vec()).collect(),
        middle,
        along,
    }))
}
