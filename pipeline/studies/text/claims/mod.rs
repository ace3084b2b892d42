//! Stage `claims`: the papers' claims, measured on this run.
//!
//! Each row is one claim: what was measured, its interval, the published value, and whether our
//! criterion holds. One network, one seed: the intervals are over points, steps or documents, not
//! over networks.

mod context;
mod geometry;
mod line;

use super::read;
use crate::Result;
use crate::corpus::Source;
use crate::corpus::synthetic::Kind;
use crate::engine::StageOutput;
use crate::experiment::Experiment;
use crate::model::Head;
use crate::records::{self, Frame, column, keys};
use std::path::Path;

/// One claim, measured.
pub(in crate::studies) struct Claim {
    pub name: &'static str,
    pub statement: String,
    pub measured: f64,
    pub interval: (f64, f64),
    pub n: usize,
    pub reference: &'static str,
    pub holds: bool,
}

impl Claim {
    /// By paper, then by number; what is no paper's claim comes first.
    fn order(&self) -> (usize, u32) {
        let number = self.name.get(1..).and_then(|n| n.parse().ok());
        let paper = self.name.chars().next().and_then(|c| "LGC".find(c));
        paper.zip(number).map_or((0, 0), |(paper, number)| (1 + paper, number))
    }
}

/// No interval.
pub(in crate::studies) const NONE: (f64, f64) = (f64::NAN, f64::NAN);

pub fn stage(e: &Experiment, folder: &Path) -> Result<StageOutput> {
    let (corpus, network) = read(folder)?;
    let classes = corpus.label_names.len();
    let claims = match network.head() {
        Head::Binary => line::attractor(e, folder)?,
        Head::Softmax if classes == 2 => line::attractor(e, folder)?,
        Head::Softmax => geometry::several(e, folder, classes, &corpus.label_names)?,
        Head::MultiLabel => geometry::product(folder, classes)?,
        Head::Score => context::toy(folder)?,
        // Text has an answer a document, or a score.
        Head::Steps => Vec::new(),
    };
    // Sentiment and its toy have words that turn others; topics need not.
    let planted = match &e.corpus.source {
        Source::Synthetic(of) => Some((matches!(of.kind, Kind::Toy), of.beginning > 0)),
        _ => None,
    };
    let sentiment = classes == 2 || network.head() == Head::Score;
    let (turned, weighed) = planted.unwrap_or((sentiment, sentiment));
    let mut claims = claims;
    let unordered =
        matches!(&e.corpus.source, Source::Synthetic(of) if matches!(of.kind, Kind::Unordered(_)));
    if unordered && classes == 2 {
        claims.extend(geometry::two(e, folder)?);
    }
    claims.extend(context::in_context(folder, turned)?);
    if weighed {
        claims.extend(context::beginning(folder)?);
    }
    claims.sort_by_key(|c| c.order());
    write(&claims, folder)
}

/// The table of claims, and how many of them hold.
pub(in crate::studies) fn write(claims: &[Claim], folder: &Path) -> Result<StageOutput> {
    let table = records::Claims {
        claim: column(claims.iter().map(|c| c.name)),
        statement: column(claims.iter().map(|c| c.statement.as_str())),
        measured: column(claims.iter().map(|c| c.measured)),
        low: column(claims.iter().map(|c| c.interval.0)),
        high: column(claims.iter().map(|c| c.interval.1)),
        n: column(claims.iter().map(|c| c.n)),
        reference: column(claims.iter().map(|c| c.reference)),
        holds: column(claims.iter().map(|c| c.holds)),
    };
    let held = claims.iter().filter(|c| c.holds).count();
    Ok(StageOutput::files([table.write(folder)?])
        .with(keys::CLAIMS_TESTED, claims.len() as f64)
        .with(keys::CLAIMS_HELD, held as f64))
}

/// Cumulative share of the first `k` components of a source in `spectrum`.
fn share(table: &Frame<records::Spectrum>, source: &str, k: usize) -> Result<f64> {
    let (sources, component) = (table.source()?, table.component()?);
    let cumulative = table.cumulative()?;
    let found = (0..sources.len())
        .filter(|&i| sources[i] == source && component[i] <= k)
        .map(|i| cumulative[i]);
    Ok(found.fold(f64::NAN, f64::max))
}

/// Participation ratio of the states.
fn states_dimension(table: &Frame<records::Dimensions>) -> Result<f64> {
    Ok(dimension("states", (&table.source()?, &table.measure()?, &table.value()?)))
}

/// Participation ratio of a prediction.
fn predicted_dimension(table: &Frame<records::DimensionsPredicted>, source: &str) -> Result<f64> {
    Ok(dimension(source, (&table.source()?, &table.measure()?, &table.value()?)))
}

/// The participation ratio of a source, of the columns `source`, `measure`, `value`; NaN where there is none.
fn dimension(of: &str, (source, measure, value): (&[String], &[String], &[f64])) -> f64 {
    let mut rows = 0..source.len();
    let at = rows.find(|&i| source[i] == of && measure[i] == "participation_ratio");
    at.map_or(f64::NAN, |i| value[i])
}

/// Time constants of the primary points by mode, `[modes][points]`.
fn time_constants(folder: &Path, modes: usize) -> Result<Vec<Vec<f64>>> {
    let table = records::Eigenvalues::read(folder)?;
    let (primary, mode, tau) = (table.primary()?, table.mode()?, table.tau()?);
    let of = |m: usize| {
        (0..mode.len()).filter(|&i| primary[i] && mode[i] == m).map(|i| tau[i]).collect()
    };
    Ok((1..=modes).map(of).collect())
}
