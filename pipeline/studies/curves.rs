//! Stage `curves`: fixed points followed while the held input moves.

use super::text::{FixedPointProblem, logits, read_axes};
use crate::Result;
use crate::analyses::flow::Curves;
use crate::dynamics::Map;
use crate::dynamics::continuation::{Branch, BranchEnd, Crossing, Event, follow};
use crate::engine::StageOutput;
use crate::records::{self, column, keys};
use rayon::prelude::*;
use std::path::Path;

/// Bifurcations nearer than this on the way from input to input are one, and their states within its root: beside a fold a state
/// moves with the root of the way.
const PLACE: f64 = 1e-6;

/// A fixed point and the way it went.
struct Curve<'a> {
    point: usize,
    to: &'a str,
    branch: Branch,
}

/// Follows fixed points of the first input to the others; writes tables `curves`, `curve_points` and `bifurcations`.
///
/// # Errors
/// As [`follow`].
pub(super) fn write(
    problem: &FixedPointProblem,
    settings: &Curves,
    folder: &Path,
) -> Result<StageOutput> {
    let [(from, start), others @ ..] = &problem.inputs[..] else {
        unreachable!("an input is held");
    };
    let others = match others.len() > settings.inputs {
        true => &others[others.len() - 1..],
        false => others,
    };
    let points = proved(problem, settings.points, folder)?;
    let map = Map::new(problem.cell, start)?;
    let along = |(point, state): &(usize, Vec<f64>)| {
        let ways = others.iter().map(|(to, input)| {
            let branch = follow(&map, state, input, &settings.follow)?;
            Ok(Curve { point: *point, to, branch })
        });
        ways.collect::<Result<Vec<_>>>()
    };
    let curves: Vec<Vec<Curve>> = points.par_iter().map(along).collect::<Result<_>>()?;
    let curves: Vec<Curve> = curves.into_iter().flatten().collect();
    let (axes, _) = read_axes(folder)?;
    let place = |state: &[f64]| axes.coordinates(state, 2);
    let said = |state: &[f64]| logits(&problem.readout, state);
    let files = vec![
        write_curves(folder, from, &curves)?,
        write_points(folder, &curves, (&place, &said))?,
        write_events(folder, &curves, (&place, &said))?,
    ];
    Ok(StageOutput::files(files)
        .with(keys::CURVES_COUNT, curves.len() as f64)
        .with(keys::CURVES_BIFURCATIONS, places(&curves) as f64))
}

/// Bifurcations, each once: the two branches that meet in a fold both come by it.
fn places(curves: &[Curve]) -> usize {
    let mut seen: Vec<(&str, &Event)> = Vec::new();
    for curve in curves {
        for event in &curve.branch.events {
            let is = |(to, other): &(&str, &Event)| *to == curve.to && same(event, other);
            if !seen.iter().any(is) {
                seen.push((curve.to, event));
            }
        }
    }
    seen.len()
}

/// Whether two bifurcations are one, as far as their place is found.
fn same(a: &Event, b: &Event) -> bool {
    let apart = a.state.iter().zip(&b.state).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let size = a.state.iter().fold(1.0, |m: f64, x| m.max(x.abs()));
    a.crossing == b.crossing && (a.lambda - b.lambda).abs() < PLACE && apart < PLACE.sqrt() * size
}

/// What is not followed, for the report.
///
/// * `smallest`: the tolerance of proved points
///
/// # Errors
/// As reading the tables.
pub(super) fn left_out(
    settings: &Curves,
    smallest: f64,
    folder: &Path,
) -> Result<Vec<(&'static str, String)>> {
    let (table, points) = (records::Curves::read(folder)?, records::FixedPoints::read(folder)?);
    let (from, to) = (table.from_input()?, table.to_input()?);
    let Some(from) = from.first() else { return Ok(Vec::new()) };
    let input = points.input()?;
    let mut others: Vec<&String> = input.iter().filter(|name| *name != from).collect();
    others.dedup();
    let proved = input.iter().zip(points.tolerance()?).zip(points.certified()?);
    let proved = proved
        .filter(|((name, tolerance), certified)| {
            *name == from && *tolerance == smallest && *certified == Some(true)
        })
        .count();
    let mut notes = Vec::new();
    if proved > settings.points {
        notes.push((
            "curves",
            format!(
                "{} of {proved} proved fixed points are followed, those found first (`curves.points`)",
                settings.points
            ),
        ));
    }
    if others.len() > settings.inputs {
        notes.push((
            "curves",
            format!(
                "fixed points are followed to the last of {} other inputs alone, {} (`curves.inputs`)",
                others.len(),
                to[0]
            ),
        ));
    }
    Ok(notes)
}

/// Rows and states of the first `most` proved fixed points of the first input.
fn proved(
    problem: &FixedPointProblem,
    most: usize,
    folder: &Path,
) -> Result<Vec<(usize, Vec<f64>)>> {
    let table = records::FixedPoints::read(folder)?;
    let (input, tolerance, certified) = (table.input()?, table.tolerance()?, table.certified()?);
    let smallest = problem.settings.finder.smallest();
    let is = |i: &usize| {
        input[*i] == problem.inputs[0].0 && tolerance[*i] == smallest && certified[*i] == Some(true)
    };
    let states = table.state()?.into_iter().enumerate();
    Ok(states.filter(|(i, _)| is(i)).take(most).collect())
}

fn write_curves(folder: &Path, from: &str, curves: &[Curve]) -> Result<String> {
    let end = |c: &Curve| match c.branch.end {
        BranchEnd::Boundary => "boundary",
        BranchEnd::Closed => "closed",
        BranchEnd::OutOfSteps => "out_of_steps",
        BranchEnd::Lost => "lost",
        BranchEnd::NoStart => "no_start",
    };
    let count = |of: Crossing| {
        let here = move |c: &Curve| c.branch.events.iter().filter(|e| e.crossing == of).count();
        column(curves.iter().map(here))
    };
    let lambda = |c: &Curve| c.branch.points.last().map_or(0.0, |p| p.lambda);
    records::Curves {
        point: column(curves.iter().map(|c| c.point)),
        from_input: column(curves.iter().map(|_| from)),
        to_input: column(curves.iter().map(|c| c.to)),
        points: column(curves.iter().map(|c| c.branch.points.len())),
        end: column(curves.iter().map(end)),
        lambda: column(curves.iter().map(lambda)),
        folds: count(Crossing::Fold),
        branchings: count(Crossing::Branching),
        doublings: count(Crossing::PeriodDoubling),
        circles: count(Crossing::NeimarkSacker),
    }
    .write(folder)
}

/// Where a state lies, and what the network says there.
type Seen<'a> = (&'a dyn Fn(&[f64]) -> Vec<f64>, &'a dyn Fn(&[f64]) -> Vec<f64>);

fn write_points(folder: &Path, curves: &[Curve], (place, said): Seen) -> Result<String> {
    let all = || {
        let of = curves.iter().enumerate();
        of.flat_map(|(i, c)| c.branch.points.iter().map(move |p| (i, p)))
    };
    let at: Vec<Vec<f64>> = all().map(|(_, p)| place(&p.state)).collect();
    let outputs: Vec<Vec<f64>> = all().map(|(_, p)| said(&p.state)).collect();
    records::CurvePoints {
        curve: column(all().map(|(i, _)| i)),
        lambda: column(all().map(|(_, p)| p.lambda)),
        index: column(all().map(|(_, p)| f64::from(p.index))),
        unstable: column(all().map(|(_, p)| p.unstable)),
        readout: column(outputs.iter().map(Vec::as_slice)),
        pc_1: column(at.iter().map(|p| p[0])),
        pc_2: column(at.iter().map(|p| p.get(1).copied().unwrap_or(0.0))),
    }
    .write(folder)
}

fn write_events(folder: &Path, curves: &[Curve], (place, said): Seen) -> Result<String> {
    let all = || {
        let of = curves.iter().enumerate();
        of.flat_map(|(i, c)| c.branch.events.iter().map(move |e| (i, e)))
    };
    let name = |crossing: Crossing| match crossing {
        Crossing::Fold => "fold",
        Crossing::Branching => "branching",
        Crossing::PeriodDoubling => "period_doubling",
        Crossing::NeimarkSacker => "neimark_sacker",
    };
    let at: Vec<Vec<f64>> = all().map(|(_, e)| place(&e.state)).collect();
    let outputs: Vec<Vec<f64>> = all().map(|(_, e)| said(&e.state)).collect();
    records::Bifurcations {
        curve: column(all().map(|(i, _)| i)),
        crossing: column(all().map(|(_, e)| name(e.crossing))),
        lambda: column(all().map(|(_, e)| e.lambda)),
        re: column(all().map(|(_, e)| e.critical.re)),
        im: column(all().map(|(_, e)| e.critical.im)),
        readout: column(outputs.iter().map(Vec::as_slice)),
        pc_1: column(at.iter().map(|p| p[0])),
        pc_2: column(at.iter().map(|p| p.get(1).copied().unwrap_or(0.0))),
        state: column(all().map(|(_, e)| e.state.as_slice())),
    }
    .write(folder)
}
