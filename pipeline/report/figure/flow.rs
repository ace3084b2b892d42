//! What leads where, and how fixed points move with the input.

use super::Figure;
use super::axes::{self, GREY, INK, PAPER, area, chart, colour, dots, equal, key, line, range};
use crate::Result;
use crate::notation::counted;
use crate::records::{
    Bifurcations, CurvePoints, Curves, Cycles, FixedPoints, Frame, Saddles, Transitions,
};
use plotters::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Most attractors that are named in the figure.
const NAMED: usize = 32;

/// Attractors, saddles and the orbits between them; none without an attractor.
pub fn graph(
    points: &Frame<FixedPoints>,
    edges: &Frame<Transitions>,
    saddles: &Frame<Saddles>,
    cycles: &Frame<Cycles>,
) -> Result<Option<Figure>> {
    let (x, y) = (points.pc_1()?, points.pc_2()?);
    let (input, unstable) = (points.input()?, points.unstable()?);
    let (from, to, label) = (edges.from()?, edges.to()?, edges.label()?);
    let cycle = edges.cycle()?;
    let known = |row: usize| row < x.len();
    let mut lines: BTreeSet<(usize, usize)> = BTreeSet::new();
    let mut names: BTreeMap<usize, &str> = BTreeMap::new();
    for i in (0..from.len()).filter(|&i| known(from[i])) {
        if let Some(end) = to[i].filter(|&end| known(end)) {
            lines.insert((from[i], end));
            names.entry(end).or_insert(&label[i]);
        }
    }
    let orbits = rings(cycles, input.first().map(String::as_str))?;
    let mut spokes: BTreeSet<(usize, usize)> = BTreeSet::new();
    for i in (0..from.len()).filter(|&i| known(from[i])) {
        if let Some(ring) = cycle[i].filter(|&c| c < orbits.len()) {
            spokes.insert((from[i], ring));
        }
    }
    if lines.is_empty() && spokes.is_empty() {
        return Ok(None);
    }
    let rows: BTreeSet<usize> = lines.iter().flat_map(|&(a, b)| [a, b]).collect();
    let rows: BTreeSet<usize> = rows.into_iter().chain(spokes.iter().map(|s| s.0)).collect();
    let at = |row: usize| (x[row], y[row]);
    let modes = |row: usize| unstable[row].unwrap_or(0);
    let indices: BTreeSet<usize> = rows.iter().map(|&r| modes(r)).collect();
    let shade = |k: usize| if k == 0 { INK } else { colour(k - 1) };
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<axes::Key> = indices
            .iter()
            .take(7)
            .map(|&k| {
                let name = match k {
                    0 => "attracts".to_string(),
                    1 => "saddle, 1 unstable mode".to_string(),
                    k => format!("{k} unstable modes"),
                };
                key(shade(k), name)
            })
            .collect();
        let rings = || orbits.iter().flatten();
        let xs = range(rows.iter().map(|&r| x[r]).chain(rings().map(|p| p.0)));
        let ys = range(rows.iter().map(|&r| y[r]).chain(rings().map(|p| p.1)));
        let (xs, ys) = equal(xs, ys, &keys);
        let mut chart = chart(
            &area,
            &keys,
            (xs, "first principal component"),
            (ys, "second principal component"),
        );
        for &(a, b) in &lines {
            line(&mut chart, &[at(a), at(b)], shade(modes(a)).mix(0.6).stroke_width(1));
        }
        for ring in &orbits {
            line(&mut chart, ring, GREY.stroke_width(2));
        }
        for &(a, ring) in &spokes {
            if let Some(&first) = orbits[ring].first() {
                line(&mut chart, &[at(a), first], shade(modes(a)).mix(0.6).stroke_width(1));
            }
        }
        for &k in indices.iter().rev() {
            let of = || rows.iter().copied().filter(|&r| modes(r) == k).map(at);
            dots(&mut chart, of(), 6, PAPER.filled());
            dots(&mut chart, of(), 5, shade(k).filled());
        }
        let attractors: Vec<((f64, f64), &str)> =
            names.iter().filter(|(r, _)| modes(**r) == 0).map(|(&r, &n)| (at(r), n)).collect();
        if attractors.len() <= NAMED {
            axes::all_names(&mut chart, attractors);
        }
        area.present().expect("drawing into text cannot fail");
    }
    let count = |k: usize| saddles.unstable().map(|u| u.iter().filter(|m| **m == k).count());
    let attracting = rows.iter().filter(|&&r| modes(r) == 0).count();
    Ok(Some(Figure {
        name: "transitions",
        title: "What leads where",
        caption: format!(
            "From each saddle, just off it along its unstable directions, the map was run until it came to rest: a line goes \
             from the saddle to each attractor reached. {} orbits leave {} saddles ({} with one unstable mode) and end at \
             {attracting} fixed points that attract{}. Names: what the network says there.",
            from.len(),
            saddles.height(),
            count(1)?,
            match orbits.len() {
                0 => String::new(),
                n => format!(" or in {n} cycles (grey)"),
            }
        ),
        alt: format!(
            "Graph of {} fixed points and {} transitions in the plane of the states' first two components.",
            rows.len(),
            lines.len() + spokes.len()
        ),
        tables: &[Transitions::NAME, Saddles::NAME, Cycles::NAME, FixedPoints::NAME],
        svg,
        plot: None,
    }))
}

/// Cycles of an input, as closed lines in the plane; what no line can be drawn through is empty.
fn rings(cycles: &Frame<Cycles>, input: Option<&str>) -> Result<Vec<Vec<(f64, f64)>>> {
    let (of, kind) = (cycles.input()?, cycles.kind()?);
    let (x, y) = (cycles.pc_1()?, cycles.pc_2()?);
    let rows = (0..of.len()).filter(|&i| Some(of[i].as_str()) == input);
    let ring = |i: usize| -> Vec<(f64, f64)> {
        let points = x[i].iter().copied().zip(y[i].iter().copied());
        let points = points.filter(|p| p.0.is_finite() && p.1.is_finite());
        let mut points: Vec<(f64, f64)> = points.collect();
        match kind[i].as_str() {
            "cycle" => points.extend(points.first().copied()),
            // Its states lie on the curve in no order along it.
            _ => by_angle(&mut points),
        }
        points
    };
    Ok(rows.map(ring).collect())
}

/// Points around their mean, in the order of their angle, the first one again at the end.
fn by_angle(points: &mut Vec<(f64, f64)>) {
    let n = points.len().max(1) as f64;
    let sum = points.iter().fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
    let (cx, cy) = (sum.0 / n, sum.1 / n);
    let angle = |p: &(f64, f64)| (p.1 - cy).atan2(p.0 - cx);
    points.sort_by(|a, b| angle(a).total_cmp(&angle(b)));
    points.extend(points.first().copied());
}

/// Fixed points while the held input moves: the first output along the way; none without a curve.
pub fn curves(
    table: &Frame<Curves>,
    points: &Frame<CurvePoints>,
    events: &Frame<Bifurcations>,
) -> Result<Option<Figure>> {
    let (from, to) = (table.from_input()?, table.to_input()?);
    let (of, lambda) = (points.curve()?, points.lambda()?);
    let (unstable, readout) = (points.unstable()?, points.readout()?);
    let pc = points.pc_1()?;
    let known = |curve: usize| curve < to.len();
    let outputs = readout.first().is_some_and(|r| !r.is_empty());
    let up =
        |i: usize| if outputs { readout[i].first().copied().unwrap_or(f64::NAN) } else { pc[i] };
    let rows: Vec<usize> = (0..of.len()).filter(|&i| known(of[i])).collect();
    if rows.len() < 2 {
        return Ok(None);
    }
    let (crossing, event_lambda) = (events.crossing()?, events.lambda()?);
    let (event_readout, event_pc) = (events.readout()?, events.pc_1()?);
    let event_up = |i: usize| {
        if outputs { event_readout[i].first().copied().unwrap_or(f64::NAN) } else { event_pc[i] }
    };
    let kinds = [
        ("fold", "fold"),
        ("branching", "another branch crosses"),
        ("period_doubling", "period doubling"),
        ("neimark_sacker", "Neimark–Sacker"),
    ];
    let met: Vec<(usize, &str, &str)> = kinds
        .iter()
        .enumerate()
        .filter(|(_, k)| crossing.iter().any(|c| c == k.0))
        .map(|(i, k)| (i, k.0, k.1))
        .collect();
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let mut keys = vec![key(INK, "attracts"), key(GREY, "unstable")];
        keys.extend(met.iter().map(|(i, _, name)| key(colour(*i), *name)));
        let xs = range(rows.iter().map(|&i| lambda[i]));
        let ys = range(rows.iter().map(|&i| up(i)));
        let name = if outputs { "first output" } else { "first principal component" };
        let mut chart = chart(&area, &keys, (xs, "share of the way, λ"), (ys, name));
        for pair in rows.windows(2).filter(|p| of[p[0]] == of[p[1]]) {
            let stable = unstable[pair[0]] == 0 && unstable[pair[1]] == 0;
            let (style, width) = if stable { (INK, 2) } else { (GREY, 1) };
            let ends = [(lambda[pair[0]], up(pair[0])), (lambda[pair[1]], up(pair[1]))];
            line(&mut chart, &ends, style.stroke_width(width));
        }
        for (i, kind, _) in &met {
            let here = (0..crossing.len()).filter(|&e| crossing[e] == *kind);
            let at: Vec<(f64, f64)> = here.map(|e| (event_lambda[e], event_up(e))).collect();
            dots(&mut chart, at, 4, colour(*i).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let ways: BTreeSet<(&str, &str)> =
        from.iter().map(String::as_str).zip(to.iter().map(String::as_str)).collect();
    let ways: Vec<String> = ways.iter().take(4).map(|(a, b)| format!("{a} to {b}")).collect();
    let ends = table.end()?;
    let whole = ends.iter().filter(|e| *e == "boundary").count();
    Ok(Some(Figure {
        name: "curves",
        title: "How fixed points move with the input",
        caption: format!(
            "{} of fixed points while the held input moves from {}; {whole} reach an end of the way, the others \
             close, are lost or run out of steps. Black where the point attracts; coloured where an eigenvalue crosses the \
             unit circle (two curves that meet in a fold both come by it).",
            counted(to.len(), "curve"),
            ways.join(", from "),
        ),
        alt: format!("{} over the share of the way.", counted(to.len(), "curve")),
        tables: &[Curves::NAME, CurvePoints::NAME, Bifurcations::NAME],
        svg,
        plot: None,
    }))
}
