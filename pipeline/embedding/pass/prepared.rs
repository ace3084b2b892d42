//! What the shards of a batch share: its distinct inputs, packed weights, what each input adds to the gates.

use super::affine::{Affine, Widths, padded};
use crate::ops::Sizes;
use crate::ops::step::Weights;
use crate::{Layout, Phrases, Reads};
use pulp::Arch;
use std::collections::BTreeMap;

/// A batch as the shards read it.
pub(super) struct Laid {
    /// Phrases, longest first: which of the batch, and the table's row of each step.
    pub(super) phrases: Vec<(usize, Vec<u32>)>,
    /// Distinct words, or steps of vectors.
    pub(super) distinct: Vec<usize>,
}

pub(super) fn lay_out(reads: Reads, phrases: &Phrases, batch: &[usize]) -> Laid {
    let words = !matches!(reads, Reads::Vectors(_));
    let mut places: BTreeMap<usize, u32> = BTreeMap::new();
    let key = |step: usize| match words {
        true => phrases.word(step).expect("phrases of words") as usize,
        false => step,
    };
    for &b in batch {
        phrases.range(b).for_each(|step| {
            places.insert(key(step), 0);
        });
    }
    let distinct: Vec<usize> = places.keys().copied().collect();
    places.values_mut().enumerate().for_each(|(i, place)| *place = i as u32);
    let mut laid: Vec<(usize, Vec<u32>)> = batch
        .iter()
        .enumerate()
        .map(|(i, &b)| (i, phrases.range(b).map(|step| places[&key(step)]).collect()))
        .collect();
    laid.sort_by_key(|(_, steps)| std::cmp::Reverse(steps.len()));
    Laid { phrases: laid, distinct }
}

/// What the shards share.
pub(super) struct Prepared<'a> {
    pub(super) layout: &'a Layout,
    pub(super) sizes: Sizes,
    pub(super) weights: Weights,
    /// `A x + b_ih`, `[distinct, G·np]`.
    pub(super) table: Vec<f32>,
    /// `h̃_0`.
    pub(super) initial: Vec<f32>,
    pub(super) readout: Affine,
}

/// The vector of a distinct input; none for a one-hot word.
pub(super) fn vector<'a>(
    layout: &Layout,
    parameters: &'a [f32],
    phrases: &'a Phrases,
    key: usize,
) -> &'a [f32] {
    match layout.shape.reads {
        Reads::Words(_) => &[],
        Reads::Embedded(_, width) => &parameters[layout.words()][key * width..][..width],
        Reads::Vectors(_) => phrases.vector(key),
    }
}

impl<'a> Prepared<'a> {
    pub(super) fn new(
        layout: &'a Layout,
        parameters: &[f32],
        phrases: &Phrases,
        distinct: &[usize],
    ) -> Self {
        let vectors = Arch::new().dispatch(Widths);
        let sizes = layout.shape.sizes();
        let (n, np, u) = (sizes.units, sizes.padded(), sizes.inputs());
        let [a, w, b_ih, b_hh] = sizes.split(&parameters[layout.cell()]);
        let mut table = vec![0.0; distinct.len() * sizes.table()];
        for (row, &key) in table.chunks_exact_mut(sizes.table()).zip(distinct) {
            let x = vector(layout, parameters, phrases, key);
            for (j, to) in row.iter_mut().enumerate().filter(|(j, _)| j % np < n) {
                let i = j / np * n + j % np;
                *to = b_ih[i]
                    + match layout.shape.reads {
                        Reads::Words(_) => a[i * u + key],
                        _ => a[i * u..][..u].iter().zip(x).map(|(a, x)| a * x).sum::<f32>(),
                    };
            }
        }
        Self {
            layout,
            sizes,
            weights: Weights::pack(sizes, w, b_hh),
            table,
            initial: padded(&parameters[layout.initial()], n, np),
            readout: Affine::pack(
                vectors,
                sizes,
                &parameters[layout.readout()],
                &parameters[layout.readout_bias()],
            ),
        }
    }

    /// `C θ`, `[G·np]`.
    pub(super) fn conditioned(&self, parameters: &[f32], theta: &[f32]) -> Vec<f32> {
        let c = &parameters[self.layout.conditioning()];
        let of = |row: &[f32]| row.iter().zip(theta).map(|(c, t)| c * t).sum::<f32>();
        let all: Vec<f32> = c.chunks_exact(theta.len()).map(of).collect();
        padded(&all, self.sizes.units, self.sizes.padded())
    }
}
