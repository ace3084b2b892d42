//! Many networks on one task: trained on the same trials, compared, and asked what they share.
//!
//! Each network is a run of its own below `cases/`, with its page; those that did not learn are counted and left out of
//! every comparison.

use super::grid::{self, Gathered, Outcome, Plan, Progress};
use super::task;
use super::text::{Claim, NONE, write_claims};
use crate::Result;
use crate::analyses::population::{Compare, Compared, Member, Test, compare, less_by, tests};
use crate::data::Task;
use crate::engine::{Finished, Lock, gathered, record_gathered};
use crate::experiment::grid::{Case, combined, same_samples};
use crate::experiment::{Population, TaskExperiment};
use crate::notation::counted;
use crate::ops::{CellKind, Nonlinearity};
use crate::records::{self, column, keys};
use crate::report::{Summary, population as page};
use crate::summary;
use std::path::{Path, PathBuf};

/// Trains, analyses and compares; returns the population's folder and how many networks failed.
///
/// # Errors
/// [`crate::Error::Usage`] for axes that make no network; [`crate::Error::Io`] if the folder cannot be written to. A network that
/// fails is no error: it is listed.
pub fn run(p: &Population, plan: &Plan, progress: &dyn Progress) -> Result<(PathBuf, usize)> {
    let cases = cases(p)?;
    let _lock = Lock::of_run(plan.out, &p.study, &p.name)?;
    let outcomes = make(&cases.iter().collect::<Vec<_>>(), plan, progress)?;
    finish(p, plan.out, &cases, &outcomes)
}

/// Trains and analyses networks that are not in place.
///
/// # Errors
/// As [`grid::side_by_side`].
pub(super) fn make(
    cases: &[&Case<TaskExperiment>],
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Vec<Outcome>> {
    grid::side_by_side(cases, plan, progress, |experiment, options| {
        task::run(experiment, options).map(|_| ())
    })
}

/// Compares the networks, writes tables and page; returns the population's folder and how many networks failed.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to.
pub(super) fn finish(
    p: &Population,
    out: &Path,
    cases: &[Case<TaskExperiment>],
    outcomes: &[Outcome],
) -> Result<(PathBuf, usize)> {
    let folder = out.join(&p.study).join(&p.name);
    grid::tidy(&folder);
    write(&folder, p, cases, outcomes)?;
    page::write(&folder, title(p))?;
    Ok((folder, outcomes.iter().filter(|o| o.failure.is_some()).count()))
}

fn title(p: &Population) -> &str {
    if p.title.is_empty() { &p.name } else { &p.title }
}

/// Writes the page of a population again, from its tables. Whether `folder` is that of one; any other is left alone.
///
/// # Errors
/// [`crate::Error::Input`] if the tables do not belong together; [`crate::Error::Io`] if the folder cannot be written to.
pub fn rewrite(folder: &Path) -> Result<bool> {
    // A grid on text may compare its networks too.
    if !records::Networks::is_in(folder) || records::CaseTrends::is_in(folder) {
        return Ok(false);
    }
    page::write(folder, title(&gathered::<Population>(folder)?))?;
    Ok(true)
}

/// Every network: the trials are those of the population's seed, whatever the network's own.
pub(super) fn cases(p: &Population) -> Result<Vec<Case<TaskExperiment>>> {
    let mut base = p.of.clone();
    (base.study, base.name, base.title) = (p.study.clone(), p.name.clone(), p.title.clone());
    base.trials.seed = base.trials.seed.or(Some(p.seed));
    same_samples(&p.grid, &["task", "trials", "states"])?;
    combined(base, &p.grid)
}

/// Architecture, and the nonlinearity of its candidate.
fn kind(cell: CellKind) -> (&'static str, &'static str) {
    let architecture = match cell.architecture() {
        CellKind::Vanilla => "Vanilla",
        gated => gated.facts().name,
    };
    let activation = match cell.nonlinearity() {
        Nonlinearity::Tanh => "tanh",
        Nonlinearity::Relu => "ReLU",
        Nonlinearity::Identity => "linear",
    };
    (architecture, activation)
}

/// A network that ended, with what its tables say.
pub(super) struct Network<'a> {
    case: usize,
    name: &'a str,
    cell: CellKind,
    units: usize,
    error: f64,
    dimension: f64,
    /// Participation ratio of its slow points.
    attractor: f64,
    proved: usize,
    stable: usize,
    unstable: usize,
    index_sum: Option<f64>,
    /// Steps between two states of a trial that are in the table.
    every: Option<usize>,
    member: Member,
}

/// What a case says of its network beside its tables.
pub(super) struct About<'a> {
    pub case: usize,
    pub name: &'a str,
    pub cell: CellKind,
    pub units: usize,
    /// Smallest tolerance of its search.
    pub smallest: f64,
    /// Error as a share of the best constant answer's.
    pub error: f64,
}

impl<'a> Network<'a> {
    pub(super) fn read(about: About<'a>, folder: &Path) -> Result<Self> {
        Finished::open(folder, &["states", "fixed_points", "transitions", "claims", "report"])?;
        let summary = Summary::read(folder)?;
        let number = |key| summary.get(key).unwrap_or(f64::NAN);
        let states = records::States::read(folder)?;
        let rows = states.state()?;
        let (trial, step) = (states.document()?, states.token()?);
        let every =
            (1..trial.len()).find(|&i| trial[i] == trial[i - 1]).map(|i| step[i] - step[i - 1]);
        let mut steps: Vec<usize> = Vec::new();
        let mut last = None;
        for trial in trial {
            if last == Some(trial) {
                *steps.last_mut().expect("its trial has begun") += 1;
            } else {
                steps.push(1);
                last = Some(trial);
            }
        }
        let points = records::FixedPoints::read(folder)?;
        let (tolerance, unstable) = (points.tolerance()?, points.unstable()?);
        let certified = points.certified()?;
        let indices = (0..tolerance.len())
            .filter(|&i| tolerance[i] == about.smallest && certified[i] == Some(true))
            .filter_map(|i| unstable[i]);
        let saddles = records::Saddles::read(folder)?;
        let count = |key| number(key) as usize;
        Ok(Self {
            case: about.case,
            name: about.name,
            cell: about.cell,
            units: about.units,
            error: about.error,
            attractor: number(keys::DIMENSION_FIXED_POINTS),
            dimension: number(keys::DIMENSION_STATES),
            proved: count(keys::FIXED_POINTS_CERTIFIED),
            stable: count(keys::FIXED_POINTS_STABLE),
            unstable: count(keys::FIXED_POINTS_UNSTABLE),
            index_sum: summary.get(keys::FIXED_POINTS_INDEX_SUM),
            every,
            member: Member {
                name: about.name.to_string(),
                units: rows.first().map_or(0, Vec::len),
                states: rows.concat(),
                steps,
                indices: indices.collect(),
                saddles: saddles
                    .unstable()?
                    .into_iter()
                    .zip(saddles.reaches()?)
                    .filter(|(unstable, _)| *unstable == 1)
                    .collect(),
            },
        })
    }
}

fn write(
    folder: &Path,
    p: &Population,
    cases: &[Case<TaskExperiment>],
    outcomes: &[Outcome],
) -> Result<()> {
    let Gathered { parts, .. } = grid::gather(folder, cases, outcomes)?;
    let ended = (0..cases.len()).filter(|&i| outcomes[i].failure.is_none());
    let network = |i: usize| {
        let e = &cases[i].experiment;
        let summary = Summary::read(&outcomes[i].folder)?;
        let number = |key| summary.get(key).unwrap_or(f64::NAN);
        let about = About {
            case: i,
            name: &cases[i].name,
            cell: e.model.cell,
            units: e.model.units,
            smallest: e.fixed_points.finder.smallest(),
            error: number(keys::TASK_ERROR) / number(keys::TASK_CHANCE),
        };
        Network::read(about, &outcomes[i].folder)
    };
    let networks: Vec<Network> = ended.map(network).collect::<Result<_>>()?;
    let asked =
        Asked { cases: cases.len(), learned: p.learned, similarity: &p.similarity, seed: p.seed };
    let every = "of.states.most";
    let found = compared(folder, &networks, &asked, every)?;
    let claims = claims(p, folder, &found)?;
    write_claims(&claims, folder)?;
    super::text::write_notes(folder, &found.notes)?;
    let mut all = vec!["cases", "case_settings", "case_numbers", "case_claims"];
    all.extend(TABLES);
    let files: Vec<String> = all.iter().map(|name| format!("tables/{name}.parquet")).collect();
    record_gathered(folder, p, parts, &files)
}

/// Tables that a comparison writes.
pub(super) const TABLES: [&str; 6] =
    ["networks", "network_distances", "network_maps", "network_tests", "claims", "notes"];

/// How networks are compared, and which.
pub(super) struct Asked<'a> {
    /// Networks that were asked for.
    pub cases: usize,
    /// Largest error of a network that has learned.
    pub learned: f64,
    pub similarity: &'a Compare,
    pub seed: u64,
}

/// What a comparison found.
pub(super) struct Found<'a> {
    pub learned: Vec<&'a Network<'a>>,
    compared: Vec<Compared>,
    asked: Vec<Test>,
    architectures: Vec<String>,
    pub notes: Vec<(&'static str, String)>,
}

/// Compares those networks that learned; writes all tables but claims and notes.
///
/// * `every`: the setting that thins states
pub(super) fn compared<'a>(
    folder: &Path,
    networks: &'a [Network<'a>],
    by: &Asked,
    every: &str,
) -> Result<Found<'a>> {
    let learned: Vec<&Network> = networks.iter().filter(|n| n.error <= by.learned).collect();
    records::Networks {
        case: column(networks.iter().map(|n| n.case)),
        name: column(networks.iter().map(|n| n.name)),
        architecture: column(networks.iter().map(|n| kind(n.cell).0)),
        activation: column(networks.iter().map(|n| kind(n.cell).1)),
        units: column(networks.iter().map(|n| n.units)),
        error: column(networks.iter().map(|n| n.error)),
        learned: column(networks.iter().map(|n| n.error <= by.learned)),
        fixed_points: column(networks.iter().map(|n| n.proved)),
        stable: column(networks.iter().map(|n| n.stable)),
        unstable: column(networks.iter().map(|n| n.unstable)),
        index_sum: column(networks.iter().map(|n| n.index_sum)),
        dimension: column(networks.iter().map(|n| n.dimension)),
    }
    .write(folder)?;
    let members: Vec<Member> = learned.iter().map(|n| n.member.clone()).collect();
    let (compared, told) = match members.len() {
        0 | 1 => (Vec::new(), Vec::new()),
        _ => compare(&members, by.similarity, by.seed)?,
    };
    let of = |f: &dyn Fn(&Network) -> String| learned.iter().map(|n| f(n)).collect::<Vec<String>>();
    let labels = [
        ("architecture", of(&|n| kind(n.cell).0.into())),
        ("activation", of(&|n| kind(n.cell).1.into())),
        ("units", of(&|n| n.units.to_string())),
    ];
    let asked = tests(&compared, &labels, by.similarity, by.seed)?;
    write_comparisons(folder, &learned, &compared, &asked)?;
    let mut notes: Vec<(&str, String)> = told.into_iter().map(|note| ("compare", note)).collect();
    if networks.len() < by.cases {
        notes.push((
            "compare",
            format!(
                "{} of {} networks are not there, for the reasons listed: every number is of the others",
                by.cases - networks.len(),
                by.cases
            ),
        ));
    }
    let unproved = members.iter().filter(|m| m.indices.is_empty()).count();
    if unproved > 0 && members.len() > 1 {
        notes.push((
            "compare",
            format!("{unproved} networks have no proved fixed point: none is compared by them"),
        ));
    }
    if let Some(k) = learned.first().and_then(|n| n.every).filter(|k| *k > 1) {
        notes.push((
            "compare",
            format!("one state in {k} is compared (`{every}`): DSA's delays are {k} steps apart"),
        ));
    }
    let unknown = networks.iter().filter(|n| !n.error.is_finite()).count();
    if unknown > 0 {
        notes.push((
            "compare",
            format!(
                "{unknown} of {} networks have no error: no step of the test trials counts, or a constant answer is right \
                 on all; they are in no comparison",
                networks.len(),
            ),
        ));
    }
    let left_out = networks.len() - learned.len() - unknown;
    if left_out > 0 {
        notes.push((
            "compare",
            format!(
                "{left_out} of {} networks err by more than {} of the best constant answer and are in no comparison \
                 (`learned`)",
                networks.len(),
                by.learned
            ),
        ));
    }
    if members.len() < 3 {
        notes.push((
            "compare",
            format!("{} learned: three make a map", counted(members.len(), "network")),
        ));
    }
    let [(_, architectures), ..] = labels;
    Ok(Found { learned, compared, asked, architectures, notes })
}

fn write_comparisons(
    folder: &Path,
    learned: &[&Network],
    compared: &[Compared],
    asked: &[Test],
) -> Result<()> {
    let n = learned.len();
    let pairs: Vec<(&str, usize, usize, f64)> = compared
        .iter()
        .flat_map(|c| {
            let pairs = (0..n).flat_map(|j| (0..j).map(move |i| (i, j)));
            pairs.map(|(i, j)| (c.measure, learned[i].case, learned[j].case, c.distances.at(i, j)))
        })
        .collect();
    records::NetworkDistances {
        measure: column(pairs.iter().map(|p| p.0)),
        a: column(pairs.iter().map(|p| p.1)),
        b: column(pairs.iter().map(|p| p.2)),
        distance: column(pairs.iter().map(|p| p.3)),
    }
    .write(folder)?;
    let placed: Vec<(&str, usize, f64, f64, f64)> = compared
        .iter()
        .filter_map(|c| Some((c.measure, c.map.as_ref()?)))
        .flat_map(|(measure, map)| {
            (0..n).map(move |i| {
                (measure, learned[i].case, map.points[(i, 0)], map.points[(i, 1)], map.stress)
            })
        })
        .collect();
    records::NetworkMaps {
        measure: column(placed.iter().map(|p| p.0)),
        case: column(placed.iter().map(|p| p.1)),
        x: column(placed.iter().map(|p| p.2)),
        y: column(placed.iter().map(|p| p.3)),
        stress: column(placed.iter().map(|p| p.4)),
    }
    .write(folder)?;
    records::NetworkTests {
        measure: column(asked.iter().map(|t| t.measure)),
        statistic: column(asked.iter().map(|t| t.statistic)),
        by: column(asked.iter().map(|t| t.by.as_str())),
        value: column(asked.iter().map(|t| t.found.value)),
        chance: column(asked.iter().map(|t| t.found.chance)),
        low: column(asked.iter().map(|t| t.found.range.0)),
        high: column(asked.iter().map(|t| t.found.range.1)),
        p: column(asked.iter().map(|t| t.found.p)),
        n: column(asked.iter().map(|_| n)),
    }
    .write(folder)?;
    Ok(())
}

/// U1 to U6 over the networks that learned.
fn claims(p: &Population, folder: &Path, found: &Found) -> Result<Vec<Claim>> {
    let learned = &found.learned;
    let n = learned.len();
    let mut all = Vec::new();
    if let Task::Memory(law) = &p.of.task {
        let corners = 1 << law.bits;
        let right: Vec<f64> =
            learned.iter().map(|network| (network.stable == corners) as u8 as f64).collect();
        let share = summary::mean(&right);
        all.push(Claim {
            name: "U1",
            statement: format!("share of networks with {corners} fixed points proved stable"),
            measured: share,
            interval: interval(&right, p.seed, "U1"),
            n,
            reference: "8 of 3-bit memory (Sussillo & Barak 2013; arXiv 1907.08549); at least .9",
            holds: share >= 0.9,
        });
    }
    all.extend(found.universal(p.seed)?);
    let of_cases = of_cases(p, folder, learned)?;
    all.extend(of_cases);
    Ok(all)
}

impl Found<'_> {
    /// U2 and U3: what states tell of the architecture, and what fixed points tell.
    pub(super) fn universal(&self, seed: u64) -> Result<Vec<Claim>> {
        let Found { learned, compared, asked, architectures, .. } = self;
        let n = learned.len();
        let mut all = Vec::new();
        let neighbours = |measure: &str, by: &str| {
            let of = |t: &&Test| t.measure == measure && t.statistic == "neighbours" && t.by == by;
            asked.iter().find(of).map(|t| t.found)
        };
        if let Some(found) = neighbours("svcca", "architecture") {
            all.push(Claim {
            name: "U2",
            statement: format!(
                "networks whose nearest other one by SVCCA has their architecture (by permuted labels {:.2})",
                found.chance
            ),
            measured: found.value,
            interval: NONE,
            n,
            reference: "architectures are clusters (arXiv 1907.08549); above 99 % of permutations",
            holds: found.p <= 0.01,
        });
        }
        let by = |measure: &str| compared.iter().find(|c| c.measure == measure);
        if let (Some(states), Some(points), Some(_)) =
            (by("svcca"), by("indices"), neighbours("svcca", "architecture"))
        {
            let less = less_by(&points.distances, &states.distances, architectures, seed)?;
            all.push(Claim {
            name: "U3",
            statement: "fixed points tell architectures worse than states do: nearest-neighbour accuracy by the number of \
                        unstable modes, less that by SVCCA"
                .into(),
            measured: less.value,
            interval: (less.low, less.high),
            n,
            reference: "topology is shared, geometry is not (arXiv 1907.08549); below 0 with its whole interval",
            holds: less.high < 0.0,
        });
        }
        Ok(all)
    }

    /// U7: the slow points of a network that tells `classes` apart spread in one dimension less.
    pub(super) fn shared_dimension(&self, classes: usize, seed: u64) -> Option<Claim> {
        let wanted = classes.checked_sub(1).filter(|d| *d > 0)? as f64;
        let near: Vec<f64> = self
            .learned
            .iter()
            .map(|n| ((n.attractor - wanted).abs() <= NEAR) as u8 as f64)
            .collect();
        let share = summary::mean(&near);
        Some(Claim {
            name: "U7",
            statement: format!(
                "share of networks, over all architectures and sizes, whose slow points spread in {wanted} dimensions (within \
                 {NEAR})"
            ),
            measured: share,
            interval: interval(&near, seed, "U7"),
            n: near.len(),
            reference: "one less than classes (arXiv 2010.15114), whatever the architecture; at least .9",
            holds: share >= 0.9,
        })
    }
}

/// Largest distance of a dimension from the one that is shared (arXiv 2010.15114 has .35 for states).
const NEAR: f64 = 0.35;

/// U4 to U6: what each network was asked for itself, by the paper.
fn of_cases(p: &Population, folder: &Path, learned: &[&Network]) -> Result<Vec<Claim>> {
    let mut all = Vec::new();
    let table = records::CaseClaims::read(folder)?;
    let (case, claim) = (table.case()?, table.claim()?);
    let (holds, measured) = (table.holds()?, table.measured()?);
    for (name, reference) in [
        (
            "U4",
            "linear frequency follows the cue (arXiv 1907.08549); in at least .9 of the networks",
        ),
        (
            "U4b",
            "the cycle goes round as fast as the wave (arXiv 1907.08549); in at least .9 of the networks",
        ),
        ("U5", "selection follows the context (arXiv 1907.08549); in at least .9 of the networks"),
    ] {
        let own: Vec<f64> = (0..case.len())
            .filter(|&i| claim[i] == name && learned.iter().any(|l| l.case == case[i]))
            .map(|i| holds[i] as u8 as f64)
            .collect();
        if !own.is_empty() {
            let share = summary::mean(&own);
            all.push(Claim {
                name,
                statement: format!("share of networks in which {name} holds"),
                measured: share,
                interval: interval(&own, p.seed, name),
                n: own.len(),
                reference,
                holds: share >= 0.9,
            });
        }
    }
    let modes = |gated: bool| -> Vec<f64> {
        let of = |l: &&&Network| (kind(l.cell).0 != "Vanilla") == gated;
        let of = learned.iter().filter(of);
        of.filter_map(|l| (0..case.len()).find(|&i| claim[i] == "U6" && case[i] == l.case))
            .map(|i| measured[i])
            .collect()
    };
    let (plain, gated) = (modes(false), modes(true));
    if let (Some(own), Some(other)) = (summary::median(&plain), summary::median(&gated)) {
        all.push(Claim {
            name: "U6",
            statement: format!(
                "modes of the linearised response, median: {own} in networks without gates ({} of them), in gated ones",
                plain.len()
            ),
            measured: other,
            interval: NONE,
            n: gated.len(),
            reference: "one without gates, several with (arXiv 1907.08549, figure 3f)",
            holds: own == 1.0 && gated.iter().all(|m| *m > 1.0),
        });
    }
    Ok(all)
}

/// 95 % interval of the mean over networks.
fn interval(values: &[f64], seed: u64, name: &str) -> (f64, f64) {
    summary::bootstrap(values, |v| Some(summary::mean(v)), seed, &format!("population/{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectified_candidate_changes_the_nonlinearity_and_not_the_architecture() {
        for (plain, rectified) in [
            (CellKind::Vanilla, CellKind::VanillaRelu),
            (CellKind::Ugrnn, CellKind::UgrnnRelu),
            (CellKind::Gru, CellKind::GruRelu),
            (CellKind::GruResetBefore, CellKind::GruResetBeforeRelu),
            (CellKind::Lstm, CellKind::LstmRelu),
        ] {
            let ((a, tanh), (b, relu)) = (kind(plain), kind(rectified));
            assert_eq!((a, tanh, relu), (b, "tanh", "ReLU"));
        }
    }
}
