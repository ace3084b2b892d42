//! How long differences last while the documents are read.

use super::states::visited;
use crate::Result;
use crate::corpus::Corpus;
use crate::dynamics::{Map, lyapunov};
use crate::model::Network;
use crate::report::{Frame, Table};
use crate::summary::{bootstrap, mean};
use std::path::Path;

/// Exponents that are computed.
const MODES: usize = 8;
/// Tokens that are read for them, at most; whole documents, one at least.
const TOKENS: usize = 4000;

/// Lyapunov exponents along the documents whose states are in the table `states`.
pub fn write(corpus: &Corpus, network: &Network, seed: u64, folder: &Path) -> Result<String> {
    let mut read = 0;
    let documents: Vec<&[u32]> = visited(&Frame::read(folder, "states")?)?
        .iter()
        .map(|&d| corpus.test.documents.get(d))
        .take_while(|d| {
            read += d.len();
            read <= TOKENS || read == d.len()
        })
        .collect();
    let (inputs, start) = (network.inputs()?, network.initial_state()?);
    let map = Map::new(&network.cell()?, &inputs.vector(0))?;
    let found = lyapunov::of_documents(&map, &inputs, &start, &documents, MODES, seed)?;
    let count = found.first().map_or(0, Vec::len);
    let of: Vec<Vec<f64>> =
        (0..count).map(|i| found.iter().map(|document| document[i]).collect()).collect();
    let means: Vec<f64> = of.iter().map(|values| mean(values)).collect();
    let interval = |(i, values): (usize, &Vec<f64>)| {
        bootstrap(values, |v| Some(mean(v)), seed, &format!("lyapunov/interval/{i}"))
    };
    let intervals: Vec<(f64, f64)> = of.iter().enumerate().map(interval).collect();
    Table::new("lyapunov")
        .u64("mode", 1..=count)
        .f64("exponent", means.iter().copied())
        .f64("low", intervals.iter().map(|i| i.0))
        .f64("high", intervals.iter().map(|i| i.1))
        .f64("tau", means.iter().map(|m| 1.0 / m.abs()))
        .u64("n", (0..count).map(|_| found.len()))
        .write(folder)
}
