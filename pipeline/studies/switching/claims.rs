//! J1 to J6: what the paper claims of the linear system, over the seeds of a part.

use crate::Result;
use crate::data::Task;
use crate::experiment::{Source, Switching};
use crate::records::{self, SwitchingNetworks};
use crate::studies::text::Claim;
use crate::summary;
use std::path::Path;

/// Rows of the networks' table.
struct Networks {
    part: Vec<String>,
    seed: Vec<usize>,
    training: Vec<String>,
    table: records::Frame<SwitchingNetworks>,
}

impl Networks {
    /// A column's numbers for a part's networks of one training, seed by seed.
    fn of(&self, part: &str, training: &str, values: &[f64]) -> Vec<f64> {
        let mut rows: Vec<usize> = (0..self.part.len())
            .filter(|&i| self.part[i] == part && self.training[i] == training)
            .collect();
        rows.sort_by_key(|&i| self.seed[i]);
        rows.into_iter().map(|i| values[i]).collect()
    }

    /// One-step errors that the linear system is compared with, and whose they are: of the network trained alone where
    /// there is one.
    fn standard(&self, part: &str) -> Result<(Vec<f64>, &'static str)> {
        let errors = self.table.one_step_error()?;
        let alone = self.of(part, "alone", &errors);
        Ok(match alone.is_empty() {
            false => (alone, "the network trained alone"),
            true => (self.of(part, "joint", &errors), "the same network"),
        })
    }
}

pub fn claims(e: &Switching, folder: &Path) -> Result<Vec<Claim>> {
    let table = SwitchingNetworks::read(folder)?;
    let networks =
        Networks { part: table.part()?, seed: table.seed()?, training: table.training()?, table };
    let mut all = Vec::new();
    for part in &e.parts {
        match &part.reads {
            Source::Task(Task::Memory(law)) => {
                all.extend(memory(e, &part.name, law.bits, &networks)?);
            }
            Source::Task(Task::Integration(_)) => {
                all.extend(integration(e, &part.name, &networks)?)
            }
            _ => {}
        }
        if e.ablations && part.weights.is_none() {
            all.extend(ablations(e, &part.name, &networks)?);
        }
    }
    all.sort_by_key(|c: &Claim| c.name);
    Ok(all)
}

/// 95 % interval of the mean over seeds.
fn interval(values: &[f64], seed: u64, name: &str) -> (f64, f64) {
    summary::bootstrap(values, |v| Some(summary::mean(v)), seed, &format!("switching/{name}"))
}

fn memory(e: &Switching, part: &str, bits: usize, networks: &Networks) -> Result<Vec<Claim>> {
    let of = |training: &str, column: &[f64]| networks.of(part, training, column);
    let errors = of("joint", &networks.table.state_error()?);
    let (standard, whose) = networks.standard(part)?;
    let (error, other) = (summary::mean(&errors), summary::mean(&standard));
    let clusters = of("joint", &networks.table.clusters()?);
    let moduli = of("joint", &networks.table.largest_modulus()?);
    let largest = moduli.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let selection = of("joint", &networks.table.selection()?);
    let read = summary::mean(&of("joint", &networks.table.read()?));
    let corners = (1 << bits) as f64;
    let right = clusters.iter().filter(|c| **c == corners).count();
    let mut all = vec![
        Claim {
            name: "J1",
            statement: format!(
                "{part}: relative error of the linear system's state, rolled out from the first step; of one step of \
                 {whose} around the nearest slow point: {other:.3}"
            ),
            measured: error,
            interval: interval(&errors, e.seed, "J1"),
            n: errors.len(),
            reference: ".047 and .268 (arXiv 2111.01256's code); at most .15, and below that of the network alone",
            holds: error <= 0.15 && error < other,
        },
        Claim {
            name: "J3",
            statement: format!(
                "{part}: clusters of expansion points; {right} of {} networks have {corners}, and the largest modulus of an \
                 eigenvalue at their centres is {largest:.3}",
                clusters.len()
            ),
            measured: summary::mean(&clusters),
            interval: interval(&clusters, e.seed, "J3"),
            n: clusters.len(),
            reference: "8 for three bits, marginally stable, no saddles (arXiv 2111.01256's code); all networks, moduli up \
                        to 1.05",
            holds: right == clusters.len() && largest <= 1.05,
        },
    ];
    all.push(Claim {
        name: "J4",
        statement: format!(
            "{part}: what enters the {bits} slowest modes of inputs that flip a bit, over that of inputs that do not; the \
             readout sees {read:.0} times as much of them"
        ),
        measured: summary::mean(&selection),
        interval: interval(&selection, e.seed, "J4"),
        n: selection.len(),
        reference: "non-zero for flipping inputs alone (arXiv 2111.01256's code); at least 5",
        holds: summary::mean(&selection) >= 5.0,
    });
    Ok(all)
}

fn integration(e: &Switching, part: &str, networks: &Networks) -> Result<Vec<Claim>> {
    let errors = networks.of(part, "joint", &networks.table.state_error()?);
    let (standard, whose) = networks.standard(part)?;
    let (error, other) = (summary::mean(&errors), summary::mean(&standard));
    let ratio = other / error;
    Ok(vec![Claim {
        name: "J2",
        statement: format!(
            "{part}: relative error of the linear system's state; of one step of {whose} around the nearest slow point: \
             {other:.3}, {ratio:.1} times as much"
        ),
        measured: error,
        interval: interval(&errors, e.seed, "J2"),
        n: errors.len(),
        reference: ".0097 and .27 to .39 (arXiv 2111.01256's code); at most .05, and a ratio of 5 at least",
        holds: error <= 0.05 && ratio >= 5.0,
    }])
}

fn ablations(e: &Switching, part: &str, networks: &Networks) -> Result<Vec<Claim>> {
    let ratio = |training: &str, column: &[f64]| -> Vec<f64> {
        let (without, with) =
            (networks.of(part, training, column), networks.of(part, "joint", column));
        without.iter().zip(&with).map(|(a, b)| a / b).collect()
    };
    let of = |name, training, column: &[f64], statement: &str, least: f64, reference| {
        let ratios = ratio(training, column);
        Claim {
            name,
            statement: format!("{part}: {statement}"),
            measured: summary::mean(&ratios),
            interval: interval(&ratios, e.seed, name),
            n: ratios.len(),
            reference,
            holds: summary::mean(&ratios) >= least,
        }
    };
    Ok(vec![
        of(
            "J5",
            "without_expansion",
            &networks.table.residual()?,
            "how far expansion points are from being fixed without λ_e, over that with it",
            10.0,
            "losses and their ablation (arXiv 2111.01256, appendix); at least 10",
        ),
        of(
            "J6",
            "without_state",
            &networks.table.state_error()?,
            "relative error of the linear system's state without λ_a, over that with it",
            3.0,
            "losses and their ablation (arXiv 2111.01256, appendix); at least 3",
        ),
    ])
}
