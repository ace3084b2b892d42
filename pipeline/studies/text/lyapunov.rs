//! How long differences last while the documents are read.

use super::states::visited;
use crate::Result;
use crate::corpus::Corpus;
use crate::dynamics::{Map, lyapunov};
use crate::model::Network;
use crate::records::{self, column};
use crate::summary::{bootstrap, mean};
use std::path::Path;

/// Exponents that are computed.
const MODES: usize = 8;
/// Tokens that are read for them, at most; whole documents, one at least.
const TOKENS: usize = 4000;

/// Lyapunov exponents along the documents whose states are in the table `states`.
pub fn write(corpus: &Corpus, network: &Network, seed: u64, folder: &Path) -> Result<String> {
    let mut read = 0;
    let documents: Vec<&[u32]> = visited(&records::States::read(folder)?)?
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
    records::Lyapunov {
        mode: column(1..=count),
        exponent: column(means.iter().copied()),
        low: column(intervals.iter().map(|i| i.0)),
        high: column(intervals.iter().map(|i| i.1)),
        tau: column(means.iter().map(|m| 1.0 / m.abs())),
        n: column((0..count).map(|_| found.len())),
    }
    .write(folder)
}
