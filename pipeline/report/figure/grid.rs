//! Predicted against measured dimension over the cases of a grid.

use super::Figure;
use super::axes::{self, area, chart, colour, dots, equal, key, line, range};
use crate::records::{self, keys};
use crate::report::grid::Cases;
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;

/// Most groups with a colour of their own.
const GROUPS: usize = 6;

/// How two series are correlated; handed in, because this room computes nothing.
pub type Correlation = fn(&[f64], &[f64]) -> f64;

/// One network.
pub struct Pair<'a> {
    /// Group, which gives the colour.
    pub group: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Dimension predicted from counts.
    pub predicted: f64,
    /// Dimension of the states.
    pub found: f64,
}

/// The figure over a grid's cases; none where no case has a prediction.
pub fn dimensions(cases: &Cases, correlation: Correlation) -> Option<Figure> {
    // The values of the first axis, without what all of them share.
    let first = cases.settings.first().is_some_and(|settings| !settings.is_empty());
    let groups = if first { cases.shown(0) } else { vec![String::new(); cases.names.len()] };
    let pairs: Vec<Pair> = cases
        .numbers
        .iter()
        .enumerate()
        .filter_map(|(i, numbers)| {
            let predicted = numbers.get(keys::DIMENSION_PREDICTED_SCALED.name())?;
            Some(Pair {
                group: &groups[i],
                name: &cases.names[i],
                predicted: *predicted,
                found: *numbers.get(keys::DIMENSION_STATES.name())?,
            })
        })
        .collect();
    scatter(&pairs, correlation, &[records::CaseNumbers::NAME, records::CaseSettings::NAME])
}

/// Predicted against found; none without networks.
pub fn scatter(
    pairs: &[Pair],
    correlation: Correlation,
    tables: &'static [&'static str],
) -> Option<Figure> {
    let mut names: Vec<&str> = Vec::new();
    let mut points: Vec<(usize, (f64, f64))> = Vec::new();
    for &Pair { group, predicted: x, found: y, .. } in pairs {
        if !names.contains(&group) {
            names.push(group);
        }
        let at = names.iter().position(|n| *n == group).expect("it was added");
        points.push((at.min(GROUPS - 1), (x, y)));
    }
    if points.is_empty() {
        return None;
    }
    let mut keys: Vec<axes::Key> =
        names.iter().take(GROUPS).enumerate().map(|(g, n)| key(colour(g), *n)).collect();
    if names.len() > GROUPS {
        keys[GROUPS - 1].name = "others".into();
    }
    keys.push(key(axes::GREY, "equal"));
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let all = points.iter().flat_map(|(_, p)| [p.0, p.1]).chain([0.0]);
        let span = range(all);
        let (xs, ys) = equal(span.clone(), span.clone(), &keys);
        let mut chart = chart(
            &area,
            &keys,
            (xs, "dimension predicted from word counts"),
            (ys, "dimension of the network's states"),
        );
        // In small pieces: what lies outside the plot is left out.
        let at = |i: i32| span.start + (span.end - span.start) * i as f64 / 400.0;
        let diagonal: Vec<(f64, f64)> = (0..=400).map(|i| (at(i), at(i))).collect();
        line(&mut chart, &diagonal, axes::GREY.stroke_width(1));
        for (g, p) in &points {
            dots(&mut chart, [*p], 4, colour(*g).mix(0.75).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let error = points.iter().map(|(_, p)| (p.0 - p.1).abs()).sum::<f64>() / points.len() as f64;
    let mut series: Vec<Series> = keys[..keys.len() - 1]
        .iter()
        .enumerate()
        .map(|(g, k)| Series::points(&k.name, axes::css(g), 9.0, 0.8))
        .collect();
    for (pair, (g, (x, y))) in pairs.iter().zip(&points) {
        series[*g].add(*x, *y, pair.name.into());
    }
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().map(|(_, p)| *p).unzip();
    Some(Figure {
        name: "dimensions",
        title: "Predicted and found",
        caption: format!(
            "Participation ratio of the class means of word counts (scaled, without noise), \
             against that of the network's states: {} networks, mean absolute difference \
             {error:.2}{}.",
            points.len(),
            match correlation(&x, &y) {
                r if r.is_finite() && points.len() > 2 => format!(", correlation {r:.2}"),
                _ => String::new(),
            }
        ),
        alt: format!("Scatter plot of {} networks.", points.len()),
        tables,
        svg,
        plot: Some(Plot {
            series,
            x: "dimension predicted from word counts",
            y: "dimension of the network's states",
            equal: true,
            search: true,
        }),
    })
}
