//! States, slow points and readouts in the plane of the first two components.

use super::Figure;
use super::axes::{self, GREY, area, chart, colour, dots, equal, key, range};
use crate::Result;
use crate::records::{FixedPoints, Frame, Readouts, States};
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;
use std::collections::BTreeMap;
use std::ops::Range;

/// Labels that get a colour of their own; further ones share the last.
const COLOURED: usize = 6;
/// Most states drawn; the table has them all.
const DRAWN: usize = 4000;
/// Trajectories drawn a label.
const TRAJECTORIES: usize = 2;

/// The figure; none if there is no state.
pub fn draw(
    states: &Frame<States>,
    fixed: &Frame<FixedPoints>,
    readouts: Option<&Frame<Readouts>>,
) -> Result<Option<Figure>> {
    let (x, y) = (states.pc_1()?, states.pc_2()?);
    if x.is_empty() {
        return Ok(None);
    }
    let labels = states.label()?;
    let names = by_count(&labels);
    let shown = |label: &str| names.iter().position(|n| *n == label).unwrap_or(0).min(COLOURED);

    let marks = marks(fixed, range(x.iter().copied()), range(y.iter().copied()))?;
    let drawn: Vec<usize> = (0..x.len()).step_by(x.len().div_ceil(DRAWN)).collect();
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let groups = names.len().min(COLOURED + 1);
        let rest = names.len() > COLOURED + 1;
        let mut keys: Vec<axes::Key> = (0..groups)
            .map(|g| key(colour(g), if rest && g == COLOURED { "others" } else { names[g] }))
            .collect();
        if marks.any() {
            let rings = if marks.unstable.is_empty() { "" } else { "; rings: unstable" };
            keys.push(key(axes::INK, format!("slow and fixed points{rings}")));
        }
        let xs = range(x.iter().copied().chain(marks.all().map(|p| p.0)));
        let ys = range(y.iter().copied().chain(marks.all().map(|p| p.1)));
        let (xs, ys) = equal(xs, ys, &keys);
        let mut chart = chart(
            &area,
            &keys,
            (xs, "first principal component"),
            (ys, "second principal component"),
        );
        // One class does not lie on another: rows as they come, thinned evenly.
        for &i in &drawn {
            let style = colour(shown(&labels[i])).mix(0.4);
            dots(&mut chart, [(x[i], y[i])], 2, style.filled());
        }
        trajectories(&mut chart, states, &labels, &shown)?;
        if let Some(readouts) = readouts {
            arrows(&mut chart, readouts, &x, &y)?;
        }
        let solid = || marks.slow.iter().chain(&marks.stable).copied();
        dots(&mut chart, solid(), 4, axes::PAPER.filled());
        dots(&mut chart, solid(), 3, axes::INK.filled());
        dots(&mut chart, marks.unstable.iter().copied(), 5, axes::INK.filled());
        dots(&mut chart, marks.unstable.iter().copied(), 3, axes::PAPER.filled());
        area.present().expect("drawing into text cannot fail");
    }
    let plot = plot(states, &labels, &names, &shown, &marks)?;
    let documents: std::collections::BTreeSet<usize> = states.document()?.into_iter().collect();
    Ok(Some(Figure {
        name: "manifold",
        title: "Where the state lives",
        caption: if states.word()?.is_some() {
            format!(
                "{} of {} states of {} test documents in their first two principal components, \
                 to one scale, coloured by the document's label; {}; arrows: the readout vectors, scaled to \
                 the plot; thin lines: single documents from their first word on.",
                drawn.len(),
                x.len(),
                documents.len(),
                marks.text()
            )
        } else if labels.iter().any(|l| l != "given") {
            format!(
                "{} of {} states of {} test trials in their first two principal components, to one \
                 scale, coloured by the right output; {}; arrows: the readout vectors, scaled to the plot; \
                 thin lines: single trials.",
                drawn.len(),
                x.len(),
                documents.len(),
                marks.text()
            )
        } else {
            format!(
                "{} of {} states that were given in their first two principal components, to one \
                 scale; {}.{}",
                drawn.len(),
                x.len(),
                marks.text(),
                if documents.len() < x.len() { " Thin lines: single trajectories." } else { "" }
            )
        },
        alt: format!(
            "Scatter plot of {} network states with {} slow points and {} readout arrows.",
            drawn.len(),
            marks.all().count(),
            readouts.map_or(0, Frame::height)
        ),
        tables: if readouts.is_some() {
            &[States::NAME, FixedPoints::NAME, Readouts::NAME]
        } else {
            &[States::NAME, FixedPoints::NAME]
        },
        svg,
        plot: Some(plot),
    }))
}

/// Times the states' own range within which points are drawn.
const AROUND: f64 = 1.5;

/// Slow and fixed points in the plane.
#[derive(Default)]
struct Marks {
    /// Slow points that figures are about, nothing being proved of them.
    slow: Vec<(f64, f64)>,
    /// Fixed points that are proved to attract.
    stable: Vec<(f64, f64)>,
    /// Fixed points that are proved to repel along some direction.
    unstable: Vec<(f64, f64)>,
    /// Points that lie too far out to be drawn.
    outside: usize,
}

impl Marks {
    fn all(&self) -> impl Iterator<Item = &(f64, f64)> {
        self.slow.iter().chain(&self.stable).chain(&self.unstable)
    }

    fn any(&self) -> bool {
        self.all().next().is_some()
    }

    fn text(&self) -> String {
        let outside = match self.outside {
            0 => String::new(),
            n => format!("; {n} more lie farther out than the picture shows"),
        };
        format!(
            "{} points where the state nearly stands still (black) and, of the fixed points, {} proved stable (black) and {} \
             proved unstable (rings){outside}",
            self.slow.len(),
            self.stable.len(),
            self.unstable.len()
        )
    }
}

/// The primary slow points, and what was proved under the same input.
fn marks(fixed: &Frame<FixedPoints>, xs: Range<f64>, ys: Range<f64>) -> Result<Marks> {
    let (input, primary, stability) = (fixed.input()?, fixed.primary()?, fixed.stability()?);
    let (x, y) = (fixed.pc_1()?, fixed.pc_2()?);
    let within = |range: &Range<f64>, v: f64| {
        let (middle, half) = ((range.start + range.end) / 2.0, (range.end - range.start) / 2.0);
        (v - middle).abs() <= AROUND * half
    };
    let mut marks = Marks::default();
    for i in (0..input.len()).filter(|&i| input[i] == input[0]) {
        let group = match stability[i].as_deref() {
            Some("stable") => &mut marks.stable,
            Some("unstable") => &mut marks.unstable,
            _ if primary[i] => &mut marks.slow,
            _ => continue,
        };
        if within(&xs, x[i]) && within(&ys, y[i]) {
            group.push((x[i], y[i]));
        } else {
            marks.outside += 1;
        }
    }
    Ok(marks)
}

/// Most states in the plot that can be asked.
const PLOTTED: usize = 3000;

/// States with their words, and the slow points.
fn plot(
    states: &Frame<States>,
    labels: &[String],
    names: &[&str],
    shown: &dyn Fn(&str) -> usize,
    marks: &Marks,
) -> Result<Plot> {
    let (x, y) = (states.pc_1()?, states.pc_2()?);
    let (document, token) = (states.document()?, states.token()?);
    let words = states.word()?;
    let groups = names.len().min(COLOURED + 1);
    let rest = names.len() > COLOURED + 1;
    let mut series: Vec<Series> = (0..groups)
        .map(|g| {
            let name = if rest && g == COLOURED { "others" } else { names[g] };
            Series::points(name, axes::css(g), 4.0, 0.5)
        })
        .collect();
    for i in (0..x.len()).step_by(x.len().div_ceil(PLOTTED).max(1)) {
        let (place, step) = (document[i], token[i] + 1);
        let text = match &words {
            Some(w) => format!("after “{}”, document {place}, word {step}: {}", w[i], labels[i]),
            None => format!("trial {place}, step {step}: {}", labels[i]),
        };
        series[shown(&labels[i])].add(x[i], y[i], text);
    }
    for (name, colour, points, text) in [
        ("slow points", "ink", &marks.slow, "slow point"),
        ("stable fixed points", "ink", &marks.stable, "fixed point, proved stable"),
        ("unstable fixed points", "#d55e00", &marks.unstable, "fixed point, proved unstable"),
    ] {
        if !points.is_empty() {
            let mut own = Series::points(name, colour.into(), 6.0, 1.0);
            points.iter().for_each(|p| own.add(p.0, p.1, text.into()));
            series.push(own);
        }
    }
    Ok(Plot {
        series,
        x: "first principal component",
        y: "second principal component",
        equal: true,
        search: false,
    })
}

/// Labels, commonest first.
fn by_count(labels: &[String]) -> Vec<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    labels.iter().for_each(|l| *counts.entry(l).or_default() += 1);
    let mut names: Vec<&str> = counts.keys().copied().collect();
    names.sort_by_key(|n| (std::cmp::Reverse(counts[n]), *n));
    names
}

/// The colour of each label of the states in this figure, as CSS has it, and of
/// further names in their order.
pub fn colours(labels: &[String], more: &[&[String]]) -> BTreeMap<String, String> {
    let css = |i: usize| {
        let RGBColor(r, g, b) = colour(i.min(COLOURED));
        format!("#{r:02x}{g:02x}{b:02x}")
    };
    let names = by_count(labels).into_iter().enumerate();
    let mut all: BTreeMap<String, String> = names.map(|(i, n)| (n.into(), css(i))).collect();
    for (i, name) in more.iter().flat_map(|names| names.iter().enumerate()) {
        all.entry(name.clone()).or_insert_with(|| css(i));
    }
    all
}

fn trajectories(
    chart: &mut axes::Chart,
    states: &Frame<States>,
    labels: &[String],
    shown: &dyn Fn(&str) -> usize,
) -> Result<()> {
    let (x, y) = (states.pc_1()?, states.pc_2()?);
    let (documents, tokens) = (states.document()?, states.token()?);
    let mut paths: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    (0..x.len()).for_each(|i| paths.entry(documents[i]).or_default().push(i));
    let mut drawn: BTreeMap<usize, usize> = BTreeMap::new();
    for path in paths.values_mut().filter(|p| p.len() > 2) {
        path.sort_by_key(|&i| tokens[i]);
        let group = shown(&labels[path[0]]);
        let count = drawn.entry(group).or_default();
        if *count == TRAJECTORIES {
            continue;
        }
        *count += 1;
        let points: Vec<(f64, f64)> = path.iter().map(|&i| (x[i], y[i])).collect();
        if points.iter().any(|p| !p.0.is_finite() || !p.1.is_finite()) {
            continue;
        }
        axes::draw(chart, [PathElement::new(points, colour(group).stroke_width(1))]);
    }
    Ok(())
}

/// Readout vectors from the origin, the longest to 95 % of the way to the edge.
fn arrows(chart: &mut axes::Chart, readouts: &Frame<Readouts>, x: &[f64], y: &[f64]) -> Result<()> {
    let (dx, dy) = (readouts.pc_1()?, readouts.pc_2()?);
    let names = readouts.name()?;
    if names.len() > 2 * COLOURED {
        return Ok(());
    }
    let reach = |values: &[f64]| values.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
    let (width, height) = (reach(x), reach(y));
    let longest = dx
        .iter()
        .zip(&dy)
        .fold(0.0_f64, |m, (a, b)| m.max((a / width).abs()).max((b / height).abs()));
    let scale = 0.95 / longest;
    if !scale.is_finite() {
        return Ok(());
    }
    let tips: Vec<(f64, f64)> = dx.iter().zip(&dy).map(|(a, b)| (a * scale, b * scale)).collect();
    for &tip in &tips {
        axes::draw(chart, [PathElement::new([(0.0, 0.0), tip], GREY.stroke_width(2))]);
    }
    dots(chart, tips.iter().copied(), 3, GREY.filled());
    axes::all_names(chart, tips.into_iter().zip(names.iter().map(String::as_str)));
    Ok(())
}
