//! The loss in f64, written from its equations and never optimised: the truth that the fused pass is tested against.

use crate::meta::cell;
use crate::pass::{Objective, Terms};
use crate::{Layout, Measure, Phrases, Reads, Recording, Result, Said};
use accrue_cells::Map;

/// Terms of base model `model` on phrases `batch`.
///
/// # Errors
/// As [`Map::new`].
pub fn terms(
    layout: &Layout,
    parameters: &[f64],
    phrases: &Phrases,
    (model, recording): (usize, &Recording),
    batch: &[usize],
    objective: &Objective,
) -> Result<Terms> {
    let shape = &layout.shape;
    let (s, k, d) = (shape.state(), shape.outputs, layout.widths[model]);
    let theta = &parameters[layout.theta(model)];
    let cell = cell(layout, parameters, theta);
    let held = Map::new(&cell, &vec![0.0; cell.inputs])?;
    let input = |step: usize| -> Vec<f64> {
        match (shape.reads, phrases.word(step)) {
            (Reads::Words(words), Some(word)) => {
                (0..words).map(|w| if w == word as usize { 1.0 } else { 0.0 }).collect()
            }
            (Reads::Embedded(_, width), Some(word)) => {
                parameters[layout.words()][word as usize * width..][..width].to_vec()
            }
            _ => phrases.vector(step).iter().map(|x| f64::from(*x)).collect(),
        }
    };
    let affine = |m: &[f64], bias: &[f64], h: &[f64]| -> Vec<f64> {
        let row =
            |i: usize| bias[i] + m[i * s..][..s].iter().zip(h).map(|(m, h)| m * h).sum::<f64>();
        (0..bias.len()).map(row).collect()
    };
    let mut all = Terms::default();
    for &b in batch {
        let mut h = parameters[layout.initial()].to_vec();
        let range = phrases.range(b);
        let (first, steps) = (range.start, range.len() as f64);
        for step in range {
            let map = held.with_input(&input(step))?;
            h = cell.kind.equations().evaluate(&map, &h).next.as_slice().to_vec();
            let emulated =
                affine(&parameters[layout.map(model)], &parameters[layout.map_bias(model)], &h);
            let states = &recording.states[step * d..][..d];
            let missed: f64 =
                emulated.iter().zip(states).map(|(x, z)| (x - f64::from(*z)).powi(2)).sum();
            all.states += missed / steps / batch.len() as f64;
            let said =
                affine(&parameters[layout.readout()], &parameters[layout.readout_bias()], &h);
            let y: Vec<f64> =
                recording.outputs[step * k..][..k].iter().map(|y| f64::from(*y)).collect();
            let off = match objective.measure {
                Measure::Distribution => {
                    let total: f64 = said.iter().map(|x| x.exp()).sum();
                    let of = |(x, y): (&f64, &f64)| match *y > 0.0 {
                        true => y * (y.ln() - (x.exp() / total).ln()),
                        false => 0.0,
                    };
                    said.iter().zip(&y).map(of).sum::<f64>()
                }
                Measure::Numbers => {
                    let of = |(x, y): (&f64, &f64)| (x - y).powi(2);
                    recording.weight * said.iter().zip(&y).map(of).sum::<f64>()
                }
            };
            let counts = match objective.said {
                Said::Every => 1.0 / steps,
                Said::Last => (step + 1 == first + steps as usize) as u8 as f64,
            };
            all.outputs += counts * off / batch.len() as f64;
        }
    }
    Ok(all)
}

/// `mean_n (λ states + outputs)`.
///
/// # Errors
/// As [`terms`].
pub fn loss(
    layout: &Layout,
    parameters: &[f64],
    phrases: &Phrases,
    recordings: &[Recording],
    batch: &[usize],
    objective: &Objective,
) -> Result<f64> {
    let mut sum = 0.0;
    for own in recordings.iter().enumerate() {
        let found = terms(layout, parameters, phrases, own, batch, objective)?;
        sum += objective.lambda * found.states + found.outputs;
    }
    Ok(sum / recordings.len() as f64)
}
