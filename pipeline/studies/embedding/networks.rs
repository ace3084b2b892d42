//! Base models as arrays and numbers: what they do on phrases, copies with other orders of units, averages of weights.

use crate::data::Sequences;
use crate::model::weights::Arrays;
use crate::model::{Head, Network};
use crate::ops::{CellKind, Pool};
use crate::{Error, Result};

/// States `[steps, state]` and outputs `[steps, k]` of a network after every step, in the order of the sequences. Outputs are
/// probabilities of the classes (of two classes with one logit, of both), or numbers.
///
/// A network that reads the mean of its states says at a step what it would say if the sequence ended there.
///
/// # Errors
/// [`Error::Input`] for a network whose outputs are no classes or numbers of its own state.
pub fn record(name: &str, network: &Network, inputs: Sequences) -> Result<(Vec<f32>, Vec<f32>)> {
    let refuse = |problem: &str| {
        let remedy = "leave it out of the collection";
        Err(Error::input(format!("base model `{name}`"), "", problem, remedy))
    };
    if network.whole().is_some() {
        return refuse("what it says comes from more than the state of its one cell");
    }
    if network.head() == Head::MultiLabel {
        return refuse(
            "it gives lists of labels, and distributions over classes or numbers are emulated",
        );
    }
    let (size, k) = (network.state_size(), outputs(network));
    let starts: Vec<usize> = {
        let mut at = 0;
        (0..inputs.len())
            .map(|i| {
                at += inputs.length(i);
                at - inputs.length(i)
            })
            .collect()
    };
    let steps = (0..inputs.len()).map(|i| inputs.length(i)).sum::<usize>();
    let (mut states, mut said) = (vec![0.0; steps * size], vec![0.0; steps * k]);
    let mean = network.pool() == Pool::Mean;
    let (weights, bias) = network.readout()?;
    network.walk_sequences(Pool::Every, inputs, |indices, found| {
        let longest = found.dims()[1];
        let flat: Vec<f32> = found.flatten_all()?.to_vec1()?;
        for (row, &i) in indices.iter().enumerate() {
            let mut sum = vec![0.0_f64; size];
            for t in 0..inputs.length(i) {
                let h = &flat[(row * longest + t) * size..][..size];
                let to = starts[i] + t;
                states[to * size..][..size].copy_from_slice(h);
                sum.iter_mut().zip(h).for_each(|(s, x)| {
                    *s = if mean { *s + f64::from(*x) } else { f64::from(*x) };
                });
                let by = if mean { (t + 1) as f64 } else { 1.0 };
                let raw = |o: usize| {
                    let row = weights[o * size..][..size].iter().zip(&sum);
                    bias[o] + row.map(|(w, s)| w * s / by).sum::<f64>()
                };
                let logits: Vec<f64> = (0..bias.len()).map(raw).collect();
                let own = told(network.head(), logits);
                said[to * k..][..k].copy_from_slice(&own);
            }
        }
        Ok(())
    })?;
    Ok((states, said))
}

/// Numbers of an output as a meta-model emulates it.
pub fn outputs(network: &Network) -> usize {
    if network.head() == Head::Binary { 2 } else { network.outputs() }
}

fn told(head: Head, logits: Vec<f64>) -> Vec<f32> {
    let logits = match head {
        Head::Softmax => logits,
        Head::Binary => vec![0.0, logits[0]],
        _ => return logits.into_iter().map(|x| x as f32).collect(),
    };
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logits.iter().map(|x| (x - most).exp()).sum();
    logits.into_iter().map(|x| ((x - most).exp() / total) as f32).collect()
}

/// The same network with its units in another order: its unit `i` is unit `order[i]` of the other.
pub fn permuted(arrays: &Arrays, cell: CellKind, order: &[usize]) -> Arrays {
    let n = order.len();
    let blocks = |count: usize| -> Vec<usize> {
        (0..count).flat_map(|b| order.iter().map(move |i| b * n + i)).collect()
    };
    let (gates, state) = (blocks(cell.gates()), blocks(cell.state_blocks()));
    let pick =
        |numbers: &[f32], width: usize, rows: Option<&[usize]>, columns: Option<&[usize]>| {
            let all: Vec<usize> = (0..numbers.len() / width).collect();
            let across: Vec<usize> = (0..width).collect();
            let (rows, columns) = (rows.unwrap_or(&all), columns.unwrap_or(&across));
            let row = |r: usize| columns.iter().map(move |c| numbers[r * width + c]);
            rows.iter().flat_map(|&r| row(r)).collect::<Vec<f32>>()
        };
    let mut all = arrays.clone();
    for (name, (shape, numbers)) in &mut all {
        let width = shape.last().copied().unwrap_or(1);
        *numbers = match name.as_str() {
            "rnn.weight_ih_l0" => pick(numbers, width, Some(&gates), None),
            "rnn.weight_hh_l0" => pick(numbers, width, Some(&gates), Some(order)),
            "rnn.bias_ih_l0" | "rnn.bias_hh_l0" => pick(numbers, 1, Some(&gates), None),
            "initial_state" => pick(numbers, 1, Some(&state), None),
            "readout.weight" => pick(numbers, width, None, Some(&state)),
            _ => continue,
        };
    }
    all
}

/// The mean of the weights of networks of one shape.
pub fn averaged(all: &[Arrays]) -> Arrays {
    let mut mean = all[0].clone();
    for (name, (_, numbers)) in &mut mean {
        for (i, x) in numbers.iter_mut().enumerate() {
            *x = all.iter().map(|a| a[name].1[i]).sum::<f32>() / all.len() as f32;
        }
    }
    mean
}
