//! From the shards' parts to the gradient, in the order of the parameters.

use super::affine::bare;
use super::prepared::{Prepared, vector};
use super::shard::Part;
use super::{Gradient, Objective, Terms};
use crate::ops::CellKind;
use crate::{Phrases, Reads};

/// Sums of the parts, in the order of the parameters.
pub(super) fn gathered(
    p: &Prepared,
    parameters: &[f32],
    (phrases, distinct): (&Phrases, &[usize]),
    (parts, chunks): (&[Part], usize),
    objective: &Objective,
) -> Gradient {
    let (layout, sizes) = (p.layout, p.sizes);
    let (n, np, wide, s) = (sizes.units, sizes.padded(), sizes.table(), sizes.state());
    let dimension = layout.shape.dimension;
    let mut all = vec![0.0_f32; layout.parameters()];
    let mut table = vec![0.0_f32; p.table.len()];
    let mut conditioning = vec![0.0_f32; layout.conditioning().len()];
    let c = &parameters[layout.conditioning()];
    let models = layout.models() as f64;
    let mut terms = vec![Terms::default(); layout.models()];
    for (model, own) in parts.chunks(chunks).enumerate() {
        let mut drive = vec![0.0_f32; wide];
        for part in own {
            terms[model].states += part.terms.states * models;
            terms[model].outputs += part.terms.outputs * models;
            for row in part.table.chunks_exact(wide) {
                drive.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            if objective.shared {
                table.iter_mut().zip(&part.table).for_each(|(sum, x)| *sum += x);
            }
            if let Some(map) = &part.map {
                let (dp, d) = (part.map_bias.len(), layout.widths[model]);
                let mut sum = vec![0.0; dp * s];
                map.add_to(0, &mut sum);
                let to = &mut all[layout.map(model)];
                let rows = bare(&sum[..d * s], n, np);
                to.iter_mut().zip(rows).for_each(|(to, x)| *to += x);
                let to = &mut all[layout.map_bias(model)];
                to.iter_mut().zip(&part.map_bias).for_each(|(to, x)| *to += x);
            }
        }
        let drive: Vec<f32> = bare(&drive, n, np).collect();
        let theta = layout.theta(model);
        for (i, d) in drive.iter().enumerate() {
            for j in 0..dimension {
                all[theta.start + j] += c[i * dimension + j] * d;
                conditioning[i * dimension + j] += d * parameters[theta.start + j];
            }
        }
    }
    if !objective.shared {
        return Gradient { terms, parameters: all };
    }
    let conditioned = layout.conditioning();
    all[conditioned].copy_from_slice(&conditioning);
    shared(p, parts, &mut all);
    entered(p, parameters, (phrases, distinct), &table, &mut all);
    Gradient { terms, parameters: all }
}

/// Recurrent weights and bias of the candidate, first state, readout.
fn shared(p: &Prepared, parts: &[Part], all: &mut [f32]) {
    let (layout, sizes) = (p.layout, p.sizes);
    let (n, np, s) = (sizes.units, sizes.padded(), sizes.state());
    let (k, kp) = (p.readout.d, p.readout.dp);
    let u = sizes.inputs();
    let w = layout.cell().start + layout.shape.gates() * u;
    let bias_hh = w + layout.shape.gates() * (n + 1);
    let mut readout = vec![0.0_f32; kp * s];
    for part in parts {
        if let Some(sum) = &part.recurrent {
            sum.add_to(&mut all[w..w + layout.shape.gates() * n]);
        }
        if sizes.kind.architecture() == CellKind::Gru {
            let to = &mut all[bias_hh + 2 * n..bias_hh + 3 * n];
            to.iter_mut().zip(&part.candidate_bias).for_each(|(to, x)| *to += x);
        }
        let to = &mut all[layout.initial()];
        to.iter_mut().zip(bare(&part.initial, n, np)).for_each(|(to, x)| *to += x);
        if let Some(sum) = &part.readout {
            sum.add_to(0, &mut readout);
        }
        let to = &mut all[layout.readout_bias()];
        to.iter_mut().zip(&part.readout_bias).for_each(|(to, x)| *to += x);
    }
    let to = &mut all[layout.readout()];
    to.iter_mut().zip(bare(&readout[..k * s], n, np)).for_each(|(to, x)| *to += x);
}

/// What entered at the steps: input weights and biases, rows of words.
fn entered(
    p: &Prepared,
    parameters: &[f32],
    (phrases, distinct): (&Phrases, &[usize]),
    table: &[f32],
    all: &mut [f32],
) {
    let (layout, sizes) = (p.layout, p.sizes);
    let (n, np, wide, u) = (sizes.units, sizes.padded(), sizes.table(), sizes.inputs());
    let gates = layout.shape.gates();
    let cell = layout.cell().start;
    let [a, ..] = sizes.split(&parameters[layout.cell()]);
    let b_ih = cell + gates * (u + n);
    for (row, &key) in table.chunks_exact(wide).zip(distinct) {
        let row: Vec<f32> = bare(row, n, np).collect();
        let x = vector(layout, parameters, phrases, key);
        for (i, d) in row.iter().enumerate() {
            all[b_ih + i] += d;
            match layout.shape.reads {
                Reads::Words(_) => all[cell + i * u + key] += d,
                _ => {
                    let to = &mut all[cell + i * u..][..u];
                    to.iter_mut().zip(x).for_each(|(to, x)| *to += d * x);
                }
            }
            if let Reads::Embedded(..) = layout.shape.reads {
                let to = &mut all[layout.words().start + key * u..][..u];
                to.iter_mut().zip(&a[i * u..][..u]).for_each(|(to, a)| *to += d * a);
            }
        }
    }
    // The recurrent bias enters where the other does, but for a candidate behind a reset gate.
    let rest = if sizes.kind.architecture() == CellKind::Gru { 2 * n } else { gates };
    for i in 0..rest {
        all[b_ih + gates + i] = all[b_ih + i];
    }
}
