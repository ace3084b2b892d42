//! Runs side by side.

use super::Summary;
use crate::engine::Finished;
use crate::records::{self, Key, keys};
use crate::{Error, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Components of a spectrum that are compared.
const COMPONENTS: usize = 5;

/// Summary numbers that are compared, in this order, with their digits.
const NUMBERS: [(Key<f64>, usize); 18] = [
    (keys::ACCURACY_NETWORK, 4),
    (keys::ACCURACY_BAG_OF_WORDS, 4),
    (keys::ACCURACY_AUGMENTED, 4),
    (keys::RECOVERED_FRACTION, 2),
    (keys::TEXT_GAINS_AGREEMENT, 2),
    (keys::DIMENSION_STATES, 2),
    (keys::DIMENSION_FIXED_POINTS, 2),
    (keys::DIMENSION_UNTRAINED, 2),
    (keys::DIMENSION_PREDICTED, 2),
    (keys::DIMENSION_PREDICTED_SCALED, 2),
    (keys::FIXED_POINTS_COUNT, 0),
    (keys::FIXED_POINTS_REACHED, 3),
    (keys::FIXED_POINTS_CERTIFIED, 0),
    (keys::FIXED_POINTS_STABLE, 0),
    (keys::FIXED_POINTS_TAU_1, 1),
    (keys::FIXED_POINTS_SLOW_MODES, 0),
    (keys::TRAIN_SECONDS, 1),
    (keys::MEMORY_PEAK_BYTES, 0),
];

/// One line of the comparison: a value a run, `None` where the run has none.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// `numbers`, `spectrum`, `geometry` or `claims`.
    pub group: &'static str,
    /// Key, source and component, or claim.
    pub name: String,
    /// What it means.
    pub about: String,
    /// Digits after the point.
    pub digits: usize,
    /// One a run.
    pub values: Vec<Option<f64>>,
}

/// Some runs, side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Their folders.
    pub runs: Vec<PathBuf>,
    /// Short names that tell them apart.
    pub names: Vec<String>,
    /// What differs, and what does not.
    pub rows: Vec<Row>,
}

impl Comparison {
    /// Reads the runs.
    ///
    /// # Errors
    /// [`Error::Input`] for a folder without a finished run.
    pub fn of(runs: &[PathBuf]) -> Result<Self> {
        let parts = runs.iter().map(|run| Parts::read(run)).collect::<Result<Vec<_>>>()?;
        let mut rows = Vec::new();
        let mut add =
            |group, name: &str, about: &str, digits, value: &dyn Fn(&Parts) -> Option<f64>| {
                let values: Vec<Option<f64>> =
                    parts.iter().map(|p| value(p).filter(|x| x.is_finite())).collect();
                if values.iter().any(Option::is_some) {
                    let (name, about) = (name.to_string(), about.to_string());
                    rows.push(Row { group, name, about, digits, values });
                }
            };
        for (key, digits) in NUMBERS {
            add("numbers", key.name(), key.about(), digits, &|p| p.summary.get(key));
        }
        for source in ["states", "fixed_points", "predicted_scaled"] {
            for component in 1..=COMPONENTS {
                let name = format!("{source} {component}");
                let about = format!("share of variance in component {component} of {source}");
                add("spectrum", &name, &about, 3, &|p| p.share(source, component));
            }
        }
        add(
            "geometry",
            "readout angle",
            "mean angle between two readout vectors, degrees",
            1,
            &|p| p.angle,
        );
        add(
            "geometry",
            "in span",
            "mean share of a readout vector in the span of the others",
            3,
            &|p| p.in_span,
        );
        let mut claims: Vec<&str> =
            parts.iter().flat_map(|p| p.claims.iter().map(|c| c.0.as_str())).collect();
        claims.sort_unstable();
        claims.dedup();
        for claim in claims {
            let about = "1 where the claim holds on this run, 0 where it does not";
            add("claims", claim, about, 0, &|p| {
                p.claims.iter().find(|c| c.0 == claim).map(|c| c.1 as u8 as f64)
            });
        }
        Ok(Self { runs: runs.to_vec(), names: names(runs), rows })
    }
}

/// What is compared of one run.
struct Parts {
    summary: Summary,
    /// Source, component, share.
    spectrum: Vec<(String, usize, f64)>,
    angle: Option<f64>,
    in_span: Option<f64>,
    claims: Vec<(String, bool)>,
}

impl Parts {
    fn read(run: &Path) -> Result<Self> {
        if !run.join(super::summary::FILE).is_file() {
            let problem = "no finished run here (no summary.json)";
            let remedy = "give folders that `accrue run` or `accrue analyze` printed";
            return Err(Error::input(run.display(), "", problem, remedy));
        }
        let finished = Finished::open(run, &["report"])?;
        let stages: Vec<&str> = finished.stages().iter().map(|s| s.name.as_str()).collect();
        Finished::open(run, &stages)?;
        let mut spectrum = Vec::new();
        let mut add = |source: Vec<String>, component: Vec<usize>, ratio: Vec<f64>| {
            let rows = source.into_iter().zip(component).zip(ratio);
            spectrum.extend(rows.map(|((s, c), r)| (s, c, r)));
        };
        if records::Spectrum::is_in(run) {
            let table = records::Spectrum::read(run)?;
            add(table.source()?, table.component()?, table.ratio()?);
        }
        if records::SpectrumPredicted::is_in(run) {
            let table = records::SpectrumPredicted::read(run)?;
            add(table.source()?, table.component()?, table.ratio()?);
        }
        let (mut angle, mut in_span) = (None, None);
        if records::Readouts::is_in(run) {
            let table = records::Readouts::read(run)?;
            let angles = table.angles()?;
            table.are_long("angles", &angles, angles.len())?;
            if angles.len() > 1 {
                let pairs: Vec<f64> = (0..angles.len())
                    .flat_map(|i| (0..i).map(move |j| (i, j)))
                    .map(|(i, j)| angles[i][j])
                    .collect();
                angle = Some(pairs.iter().sum::<f64>() / pairs.len() as f64);
                let shares = table.in_span()?;
                in_span = Some(shares.iter().sum::<f64>() / shares.len() as f64);
            }
        }
        let mut claims = Vec::new();
        if records::Claims::is_in(run) {
            let table = records::Claims::read(run)?;
            claims.extend(table.claim()?.into_iter().zip(table.holds()?));
        }
        Ok(Self { summary: Summary::read(run)?, spectrum, angle, in_span, claims })
    }

    fn share(&self, source: &str, component: usize) -> Option<f64> {
        self.spectrum.iter().find(|s| s.0 == source && s.1 == component).map(|s| s.2)
    }
}

/// The shortest endings of the paths that tell them apart.
fn names(runs: &[PathBuf]) -> Vec<String> {
    let parts: Vec<Vec<String>> = runs
        .iter()
        .map(|run| run.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect())
        .collect();
    let longest = parts.iter().map(Vec::len).max().unwrap_or(0);
    let ending = |p: &Vec<String>, k: usize| p[p.len().saturating_sub(k)..].join("/");
    for k in 1..=longest {
        let names: Vec<String> = parts.iter().map(|p| ending(p, k)).collect();
        let mut different = names.clone();
        different.sort();
        different.dedup();
        if different.len() == names.len() {
            return names;
        }
    }
    runs.iter().map(|r| r.display().to_string()).collect()
}
