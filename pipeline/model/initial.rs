//! Weights before training, drawn from named streams of the run's seed.

use super::config::{Config, Initialisation};
use crate::seed::{self, Stream};
use rand::Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

/// Standard deviation of the readout's bias at the start.
const READOUT_BIAS_DEVIATION: f64 = 0.01;

/// The cell's parameters, flat as [`Sizes::split`](crate::ops::Sizes::split) reads them.
pub fn cell(config: &Config, inputs: usize, seed: u64) -> Vec<f32> {
    let (gates, n) = (config.cell.gates(), config.units);
    let rows = gates * n;
    let width = 1.0 / (n as f64).sqrt();
    let mut flat = Vec::with_capacity(rows * (inputs + n + 2));
    let mut draw = |name: &str, count: usize, biases: bool| {
        let mut stream = seed::stream(seed, name);
        flat.extend((0..count).map(|_| match config.initialisation {
            Initialisation::Papers if biases => 0.0,
            Initialisation::Papers => normal(&mut stream, width),
            Initialisation::Torch => stream.random_range(-width..width) as f32,
        }));
    };
    draw("initial weights/input", rows * inputs, false);
    draw("initial weights/recurrent", rows * n, false);
    draw("initial weights/input bias", rows, true);
    draw("initial weights/recurrent bias", rows, true);
    let keep = config.gate_bias.unwrap_or(config.cell.facts().keeping_bias);
    if let Some(gate) = config.cell.facts().keeping_gate {
        let first = rows * (inputs + n) + gate * n;
        flat[first..first + n].iter_mut().for_each(|b| *b += keep as f32);
    }
    flat
}

/// Readout weights `[outputs, state]` and bias `[outputs]`.
pub fn readout(config: &Config, outputs: usize, seed: u64) -> (Vec<f32>, Vec<f32>) {
    let state = config.cell.state_size(config.units);
    let mut stream = seed::stream(seed, "initial weights/readout");
    let mut bias_stream = seed::stream(seed, "initial weights/readout bias");
    let glorot = (2.0 / (state + outputs) as f64).sqrt();
    let width = 1.0 / (state as f64).sqrt();
    let weights = (0..outputs * state).map(|_| match config.initialisation {
        Initialisation::Papers => normal(&mut stream, glorot),
        Initialisation::Torch => stream.random_range(-width..width) as f32,
    });
    let weights = weights.collect();
    let bias = (0..outputs).map(|_| match config.initialisation {
        _ if !config.readout_bias => 0.0,
        Initialisation::Papers => normal(&mut bias_stream, READOUT_BIAS_DEVIATION),
        Initialisation::Torch => bias_stream.random_range(-width..width) as f32,
    });
    (weights, bias.collect())
}

/// Embedding `[vocabulary, inputs]`.
///
/// [`Initialisation::Papers`]: orthonormal columns, so that a row has squared
/// norm about `inputs / vocabulary`; where there are more columns than words,
/// the first `vocabulary` columns are orthonormal and the others normal of the
/// same length.
pub fn embedding(config: &Config, vocabulary: usize, inputs: usize, seed: u64) -> Vec<f32> {
    match config.initialisation {
        Initialisation::Torch => {
            let mut stream = seed::stream(seed, "initial weights/embedding");
            (0..vocabulary * inputs).map(|_| normal(&mut stream, 1.0)).collect()
        }
        Initialisation::Papers => {
            let columns = orthonormal_columns(vocabulary, inputs, seed);
            (0..vocabulary).flat_map(|w| columns.iter().map(move |c| c[w] as f32)).collect()
        }
    }
}

/// Gram–Schmidt, each column cleaned twice (Giraud et al. 2005: twice is enough).
fn orthonormal_columns(rows: usize, columns: usize, seed: u64) -> Vec<Vec<f64>> {
    let mut done: Vec<Vec<f64>> = Vec::with_capacity(columns);
    for c in 0..columns {
        let mut stream = seed::stream(seed, &format!("initial weights/embedding {c}"));
        let mut column: Vec<f64> = (0..rows).map(|_| StandardNormal.sample(&mut stream)).collect();
        let earlier = if c < rows { &done[..] } else { &[] };
        for _ in 0..2 {
            let overlaps: Vec<f64> = earlier.par_iter().map(|e| dot(e, &column)).collect();
            for (e, overlap) in earlier.iter().zip(overlaps) {
                column.iter_mut().zip(e).for_each(|(x, y)| *x -= overlap * y);
            }
        }
        let norm = dot(&column, &column).sqrt();
        column.iter_mut().for_each(|x| *x /= norm);
        done.push(column);
    }
    done
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn normal(stream: &mut Stream, deviation: f64) -> f32 {
    let z: f64 = StandardNormal.sample(stream);
    (z * deviation) as f32
}
