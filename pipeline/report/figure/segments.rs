//! Fixed points over segments of a map of models.

use super::Figure;
use super::axes::{GREY, INK, area, chart, colour, css, dots, key, line, range};
use crate::Result;
use crate::records::{EmbeddingBifurcations, EmbeddingCurvePoints, EmbeddingCurves};
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;
use std::path::Path;

/// Most segments that are drawn: those of three groups.
const NAMES: [&str; 3] = ["segment_1", "segment_2", "segment_3"];
const TITLES: [&str; 3] = [
    "Fixed points on the first segment",
    "Fixed points on the second segment",
    "Fixed points on the third segment",
];
/// Kinds of crossings, as the tables and as figures call them.
pub const CROSSINGS: [(&str, &str); 4] = [
    ("fold", "fold"),
    ("branching", "another branch crosses"),
    ("period_doubling", "period doubling"),
    ("neimark_sacker", "Neimark–Sacker"),
];
const X: &str = "share of the way";
const Y: &str = "outputs, first component";

/// One figure a segment, the first three.
///
/// # Errors
/// [`crate::Error::Polars`] if a table cannot be understood.
pub fn all(run: &Path) -> Result<Vec<Figure>> {
    let table = EmbeddingCurves::read(run)?;
    let (from, to, passes) = (table.from()?, table.to()?, table.passes()?);
    let points = EmbeddingCurvePoints::read(run)?;
    let (of, share) = (points.curve()?, points.share()?);
    let (unstable, said) = (points.unstable()?, points.said()?);
    let events = EmbeddingBifurcations::read(run)?;
    let (on, crossing) = (events.curve()?, events.crossing()?);
    let (place, up) = (events.share()?, events.said()?);
    let mut segments: Vec<(&str, &str)> = Vec::new();
    for pair in from.iter().map(String::as_str).zip(to.iter().map(String::as_str)) {
        if !segments.contains(&pair) {
            segments.push(pair);
        }
    }
    let mut figures = Vec::new();
    for (s, &(a, b)) in segments.iter().enumerate().take(NAMES.len()) {
        let own = |curve: usize| curve < from.len() && (&from[curve][..], &to[curve][..]) == (a, b);
        let curves: Vec<usize> = (0..from.len()).filter(|&c| own(c)).collect();
        let rows: Vec<usize> = (0..of.len()).filter(|&i| own(of[i])).collect();
        let met: Vec<usize> = (0..on.len()).filter(|&e| own(on[e])).collect();
        let kinds: Vec<(usize, &str, &str)> = CROSSINGS
            .iter()
            .enumerate()
            .filter(|(_, k)| met.iter().any(|&e| crossing[e] == k.0))
            .map(|(i, k)| (i, k.0, k.1))
            .collect();
        let mut keys = vec![key(INK, "attracts"), key(GREY, "unstable")];
        keys.extend(kinds.iter().map(|(i, _, name)| key(colour(*i), *name)));
        let mut svg = String::new();
        {
            let area = area(&mut svg);
            let ys = range(rows.iter().map(|&i| said[i]));
            let mut chart = chart(&area, &keys, (-0.02..1.02, X), (ys, Y));
            for pair in rows.windows(2).filter(|p| of[p[0]] == of[p[1]]) {
                let stable = unstable[pair[0]] == 0 && unstable[pair[1]] == 0;
                let (style, width) = if stable { (INK, 2) } else { (GREY, 1) };
                let ends = pair.iter().map(|&i| (share[i], said[i])).collect::<Vec<_>>();
                line(&mut chart, &ends, style.stroke_width(width));
            }
            for (i, kind, _) in &kinds {
                let here = met.iter().filter(|&&e| crossing[e] == *kind);
                dots(&mut chart, here.map(|&e| (place[e], up[e])), 5, colour(*i).filled());
            }
            area.present().expect("drawing into text cannot fail");
        }
        let mut series: Vec<Series> = curves
            .iter()
            .map(|&c| {
                let own = rows.iter().filter(|&&i| of[i] == c);
                let points: Vec<(f64, f64)> = own.map(|&i| (share[i], said[i])).collect();
                let name = format!("curve {c}{}", if passes[c] { "" } else { ", changed" });
                Series { mode: "lines", ..Series::line(&name, "ink".into(), &points) }
            })
            .collect();
        for (i, kind, name) in &kinds {
            let mut own = Series::points(name, css(*i), 9.0, 1.0);
            for &e in met.iter().filter(|&&e| crossing[e] == *kind) {
                own.add(place[e], up[e], format!("{name} at {:.4} of the way", place[e]));
            }
            series.push(own);
        }
        let passed = curves.iter().filter(|&&c| passes[c]).count();
        let caption = format!(
            "From the middle of {a} (0) to that of {b} (1), under an input without evidence, in the first meta-model: {} of {} curves of fixed \
             points pass untouched, {} meet a bifurcation or do not reach the other end. Up: the first principal component of the outputs.",
            passed,
            curves.len(),
            curves.len() - passed
        );
        figures.push(Figure {
            name: NAMES[s],
            title: TITLES[s],
            alt: format!("Curves of fixed points from {a} to {b}: {} bifurcations.", met.len()),
            caption,
            tables: &[
                EmbeddingCurves::NAME,
                EmbeddingCurvePoints::NAME,
                EmbeddingBifurcations::NAME,
            ],
            svg,
            plot: Some(Plot { series, x: X, y: Y, equal: false, search: false }),
        });
    }
    Ok(figures)
}
