//! Tables of what was found.

use super::beside::Beside;
use super::collection::Opened;
use super::inspect::{Looked, Test};
use super::standing::{Curve, Segment, Stand, Standing};
use crate::Result;
use crate::dynamics::continuation::{BranchEnd, Crossing};
use crate::embedding::segment::End;
use crate::records::{self, column};
use std::path::Path;

pub fn write(
    folder: &Path,
    opened: &Opened,
    all: &[Looked],
    beside: &Beside,
    found: &Standing,
) -> Result<Vec<String>> {
    let mut files = vec![places(folder, all)?, tests(folder, all, beside)?, ways(folder, all)?];
    let rows: Vec<(&str, usize, f64, f64, f64)> = beside
        .maps
        .iter()
        .flat_map(|m| m.map.iter().map(move |map| (m.measure, map)))
        .flat_map(|(measure, map)| {
            let of = move |(r, i): (usize, &usize)| {
                (measure, *i, map.points[(r, 0)], map.points[(r, 1)], map.stress)
            };
            beside.originals.iter().enumerate().map(of).collect::<Vec<_>>()
        })
        .collect();
    let table = records::BaseMaps {
        measure: column(rows.iter().map(|r| r.0)),
        base_model: column(rows.iter().map(|r| r.1)),
        x: column(rows.iter().map(|r| r.2)),
        y: column(rows.iter().map(|r| r.3)),
        stress: column(rows.iter().map(|r| r.4)),
    };
    files.push(table.write(folder)?);
    files.extend(by_group(folder, opened, all)?);
    files.push(points(folder, &found.stands)?);
    files.extend(curves(folder, &found.segments)?);
    Ok(files)
}

fn places(folder: &Path, all: &[Looked]) -> Result<String> {
    let rows: Vec<_> = all
        .iter()
        .flat_map(|l| l.placed.iter().enumerate().map(move |(i, p)| (l.seed as usize, i, p)))
        .collect();
    records::Embeddings {
        seed: column(rows.iter().map(|r| r.0)),
        base_model: column(rows.iter().map(|r| r.1)),
        theta: column(&rows.iter().map(|r| r.2.theta.clone()).collect::<Vec<_>>()),
        x: column(rows.iter().map(|r| r.2.at[0])),
        y: column(rows.iter().map(|r| r.2.at[1])),
        agreement: column(rows.iter().map(|r| r.2.fidelity.agreement)),
        agreement_of_steps: column(rows.iter().map(|r| r.2.fidelity.agreement_of_steps)),
        divergence: column(rows.iter().map(|r| r.2.fidelity.divergence)),
        r2: column(rows.iter().map(|r| r.2.fidelity.r2)),
        accuracy: column(rows.iter().map(|r| r.2.accuracy)),
    }
    .write(folder)
}

fn tests(folder: &Path, all: &[Looked], beside: &Beside) -> Result<String> {
    let mut rows: Vec<(Option<usize>, &Test)> = Vec::new();
    for looked in all {
        rows.extend(looked.tests.iter().map(|t| (Some(looked.seed as usize), t)));
    }
    rows.extend(beside.tests.iter().map(|t| (None, t)));
    records::EmbeddingTests {
        seed: column(rows.iter().map(|r| r.0)),
        map: column(rows.iter().map(|r| r.1.map)),
        by: column(rows.iter().map(|r| r.1.by)),
        statistic: column(rows.iter().map(|r| r.1.statistic)),
        value: column(rows.iter().map(|r| r.1.found.value)),
        chance: column(rows.iter().map(|r| r.1.found.chance)),
        p: column(rows.iter().map(|r| r.1.found.p)),
        n: column(rows.iter().map(|r| r.1.n)),
    }
    .write(folder)
}

fn ways(folder: &Path, all: &[Looked]) -> Result<String> {
    let rows: Vec<_> =
        all.iter().flat_map(|l| l.ways.iter().map(move |w| (l.seed as usize, w))).collect();
    records::EmbeddingWays {
        seed: column(rows.iter().map(|r| r.0)),
        from: column(rows.iter().map(|r| r.1.from)),
        to: column(rows.iter().map(|r| r.1.to)),
        kind: column(rows.iter().map(|r| r.1.kind)),
        share: column(rows.iter().map(|r| r.1.share)),
        accuracy_from: column(rows.iter().map(|r| r.1.accuracies[0])),
        accuracy_to: column(rows.iter().map(|r| r.1.accuracies[1])),
    }
    .write(folder)
}

fn by_group(folder: &Path, opened: &Opened, all: &[Looked]) -> Result<[String; 3]> {
    let copies: Vec<_> =
        all.iter().flat_map(|l| l.copies.iter().map(move |c| (l.seed as usize, c))).collect();
    let averages: Vec<_> =
        all.iter().flat_map(|l| l.averages.iter().map(move |a| (l.seed as usize, a))).collect();
    let few: Vec<_> =
        all.iter().flat_map(|l| l.few.iter().map(move |f| (l.seed as usize, f))).collect();
    let group = |g: usize| opened.groups[g].as_str();
    Ok([
        records::EmbeddingCopies {
            seed: column(copies.iter().map(|r| r.0)),
            base_model: column(copies.iter().map(|r| r.1.original)),
            copy: column(copies.iter().map(|r| r.1.copy)),
            distance: column(copies.iter().map(|r| r.1.distance)),
            share: column(copies.iter().map(|r| r.1.share)),
        }
        .write(folder)?,
        records::ModelAverages {
            seed: column(averages.iter().map(|r| r.0)),
            group: column(averages.iter().map(|r| group(r.1.group))),
            theta: column(averages.iter().map(|r| r.1.theta)),
            base: column(averages.iter().map(|r| r.1.base)),
            weights: column(averages.iter().map(|r| r.1.weights)),
            n: column(averages.iter().map(|r| r.1.n)),
        }
        .write(folder)?,
        records::FewLabels {
            seed: column(few.iter().map(|r| r.0)),
            group: column(few.iter().map(|r| group(r.1.group))),
            labels: column(few.iter().map(|r| r.1.labels)),
            draw: column(few.iter().map(|r| r.1.draw)),
            method: column(few.iter().map(|r| r.1.method)),
            accuracy: column(few.iter().map(|r| r.1.accuracy)),
        }
        .write(folder)?,
    ])
}

fn points(folder: &Path, stands: &[Stand]) -> Result<String> {
    let known = |x: f64| Some(x).filter(|x| x.is_finite());
    records::EmbeddingPoints {
        place: column(stands.iter().map(|s| s.place.as_str())),
        theta: column(&stands.iter().map(|s| s.theta.clone()).collect::<Vec<_>>()),
        x: column(stands.iter().map(|s| s.at[0])),
        y: column(stands.iter().map(|s| s.at[1])),
        slow: column(stands.iter().map(|s| s.found.slow)),
        dimension: column(stands.iter().map(|s| known(s.found.dimension))),
        slow_modes: column(stands.iter().map(|s| known(s.found.slow_modes))),
        tried: column(stands.iter().map(|s| s.found.tried)),
        proved: column(stands.iter().map(|s| s.found.proved)),
        stable: column(stands.iter().map(|s| s.found.stable)),
        unstable: column(stands.iter().map(|s| s.found.unstable)),
        missed: column(stands.iter().map(|s| s.found.missed)),
    }
    .write(folder)
}

fn curves(folder: &Path, segments: &[Segment]) -> Result<[String; 3]> {
    let all: Vec<(&Segment, &Curve)> =
        segments.iter().flat_map(|s| s.curves.iter().map(move |c| (s, c))).collect();
    let branches = || all.iter().map(|(_, c)| &c.followed.branch);
    let end = |end: BranchEnd| match end {
        BranchEnd::Boundary => "boundary",
        BranchEnd::Closed => "closed",
        BranchEnd::OutOfSteps => "out_of_steps",
        BranchEnd::Lost => "lost",
        BranchEnd::NoStart => "no_start",
    };
    let begun = |c: &Curve| if c.followed.begun == End::First { "from" } else { "to" };
    let name = |crossing: Crossing| match crossing {
        Crossing::Fold => "fold",
        Crossing::Branching => "branching",
        Crossing::PeriodDoubling => "period_doubling",
        Crossing::NeimarkSacker => "neimark_sacker",
    };
    let count = |of: Crossing| {
        column(branches().map(move |b| b.events.iter().filter(|e| e.crossing == of).count()))
    };
    let table = records::EmbeddingCurves {
        from: column(all.iter().map(|(s, _)| s.from.as_str())),
        to: column(all.iter().map(|(s, _)| s.to.as_str())),
        begun: column(all.iter().map(|(_, c)| begun(c))),
        points: column(branches().map(|b| b.points.len())),
        end: column(branches().map(|b| end(b.end))),
        share: column(branches().map(|b| b.points.last().map_or(f64::NAN, |p| p.lambda))),
        folds: count(Crossing::Fold),
        branchings: count(Crossing::Branching),
        doublings: count(Crossing::PeriodDoubling),
        circles: count(Crossing::NeimarkSacker),
        unstable_first: column(branches().map(|b| b.points.first().map_or(0, |p| p.unstable))),
        unstable_last: column(branches().map(|b| b.points.last().map_or(0, |p| p.unstable))),
        passes: column(all.iter().map(|(_, c)| c.followed.passes())),
    };
    let points: Vec<_> = all
        .iter()
        .enumerate()
        .flat_map(|(i, (_, c))| {
            c.followed.branch.points.iter().zip(&c.said).map(move |(p, said)| (i, p, said))
        })
        .collect();
    let along = records::EmbeddingCurvePoints {
        curve: column(points.iter().map(|p| p.0)),
        share: column(points.iter().map(|p| p.1.lambda)),
        index: column(points.iter().map(|p| f64::from(p.1.index))),
        unstable: column(points.iter().map(|p| p.1.unstable)),
        readout: column(points.iter().map(|p| p.2.0.as_slice())),
        said: column(points.iter().map(|p| p.2.1)),
    };
    let met: Vec<_> = all
        .iter()
        .enumerate()
        .flat_map(|(i, (_, c))| {
            c.followed.branch.events.iter().zip(&c.met).map(move |(e, met)| (i, e, met))
        })
        .collect();
    let bifurcations = records::EmbeddingBifurcations {
        curve: column(met.iter().map(|m| m.0)),
        crossing: column(met.iter().map(|m| name(m.1.crossing))),
        share: column(met.iter().map(|m| m.1.lambda)),
        theta: column(met.iter().map(|m| m.2.theta.as_slice())),
        re: column(met.iter().map(|m| m.1.critical.re)),
        im: column(met.iter().map(|m| m.1.critical.im)),
        unstable: column(met.iter().map(|m| m.2.mode.unstable)),
        mode: column(met.iter().map(|m| m.2.mode.outputs.as_slice())),
        readout: column(met.iter().map(|m| m.2.said.0.as_slice())),
        said: column(met.iter().map(|m| m.2.said.1)),
        state: column(met.iter().map(|m| m.1.state.as_slice())),
    };
    Ok([table.write(folder)?, along.write(folder)?, bifurcations.write(folder)?])
}
