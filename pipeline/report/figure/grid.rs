//! Predicted against measured dimension over the cases of a grid.

use super::Figure;
use super::axes::{self, area, chart, colour, dots, equal, key, line, range};
use crate::report::grid::Cases;
use plotters::prelude::*;

/// Most groups with a colour of their own.
const GROUPS: usize = 6;

/// The figure; none where no case has a prediction.
pub fn dimensions(cases: &Cases) -> Option<Figure> {
    let group = |i: usize| cases.settings[i].first().map_or("", |s| s.1.as_str());
    let mut names: Vec<&str> = Vec::new();
    let mut points: Vec<(usize, (f64, f64))> = Vec::new();
    for (i, numbers) in cases.numbers.iter().enumerate() {
        let predicted = numbers.get("dimension.predicted_scaled");
        let Some((x, y)) = predicted.zip(numbers.get("dimension.states")) else { continue };
        if !names.contains(&group(i)) {
            names.push(group(i));
        }
        let at = names.iter().position(|n| *n == group(i)).expect("it was added");
        points.push((at.min(GROUPS - 1), (*x, *y)));
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
        let ends = [(span.start, span.start), (span.end, span.end)];
        line(&mut chart, &ends, axes::GREY.stroke_width(1));
        for (g, p) in &points {
            dots(&mut chart, [*p], 4, colour(*g).mix(0.75).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let error = points.iter().map(|(_, p)| (p.0 - p.1).abs()).sum::<f64>() / points.len() as f64;
    Some(Figure {
        name: "dimensions",
        title: "Predicted and found",
        caption: format!(
            "Participation ratio of the class means of word counts (scaled, without noise), \
             against that of the network's states: {} networks, mean absolute difference \
             {error:.2}.",
            points.len()
        ),
        alt: format!("Scatter plot of {} networks.", points.len()),
        tables: &["case_numbers", "case_settings"],
        svg,
        plot: None,
    })
}
