//! The slow mode: how long it keeps, what it selects, how fast states fall onto
//! the manifold, and how far one linear step carries.

use super::Figure;
use super::axes::{self, area, chart, chart_with, colour, dots, key, line, power, range};
use crate::Result;
use crate::report::Frame;
use plotters::prelude::*;

/// Time constants along the points.
pub fn along(table: &Frame) -> Result<Figure> {
    let theta = table.f64("theta")?;
    let log = |x: f64| x.clamp(1e-2, 1e7).log10();
    let series: Vec<Vec<(f64, f64)>> = ["tau_1", "tau_2", "tau_3"]
        .iter()
        .map(|name| {
            let tau = table.f64(name)?;
            let pairs = theta.iter().copied().zip(tau).filter(|(_, t)| t.is_finite());
            Ok(pairs.map(|(x, t)| (x, log(t))).collect())
        })
        .collect::<Result<_>>()?;
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys =
            [key(colour(0), "slowest mode"), key(colour(1), "second"), key(colour(2), "third")];
        let ys = range(series.iter().flatten().map(|p| p.1));
        let mut chart = chart_with(
            &area,
            &keys,
            (-1.08..1.08, "coordinate along the slow points"),
            (ys, "time constant, tokens"),
            power,
        );
        for (i, points) in series.into_iter().enumerate() {
            dots(&mut chart, points, 3, colour(i).mix(0.8).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Figure {
        name: "modes",
        title: "How long evidence is kept along the manifold",
        caption: format!(
            "The three slowest time constants at {} slow points along their own coordinate \
             (locally linear embedding). On a line attractor one mode is far above the others \
             all along.",
            theta.len()
        ),
        alt: format!("Three time constants at each of {} slow points.", theta.len()),
        tables: &["modes"],
        svg,
        plot: None,
    })
}

/// Names of the sets of words, in the order of their colours.
const SETS: [&str; 3] = ["positive", "negative", "neutral"];
/// Words with fewer occurrences are left out.
const LEAST: f64 = 20.0;

/// What each word adds to the slow mode, against its coefficient in the bag of words.
pub fn selected(table: &Frame) -> Result<Option<Figure>> {
    let (words, counts) = (table.text("word")?, table.f64("count")?);
    let (x, y) = (table.f64("coefficient")?, table.f64("selected")?);
    let sets = table.text("set")?;
    let kept: Vec<usize> = (0..words.len()).filter(|&w| counts[w] >= LEAST).collect();
    if kept.len() < 3 {
        return Ok(None);
    }
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [
            key(colour(0), "most positive by counts"),
            key(colour(1), "most negative"),
            key(colour(2), "closest to zero"),
            key(axes::GREY, "other words"),
        ];
        let mut chart = chart(
            &area,
            &keys,
            (range(kept.iter().map(|&w| x[w])), "bag-of-words coefficient, logits"),
            (range(kept.iter().map(|&w| y[w])), "what the slow mode selects"),
        );
        let of = |set: &str| -> Vec<(f64, f64)> {
            kept.iter().filter(|&&w| sets[w] == set).map(|&w| (x[w], y[w])).collect()
        };
        dots(&mut chart, of("none"), 2, axes::GREY.mix(0.35).filled());
        for (i, set) in SETS.iter().enumerate() {
            dots(&mut chart, of(set), 3, colour(i).mix(0.8).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: "selected",
        title: "What the slow mode selects",
        caption: format!(
            "{} words with at least {LEAST} training occurrences: the projection of their \
             immediate effect on the slowest left eigenvector at the central slow point, against \
             the coefficient that the bag of words gives them.",
            kept.len()
        ),
        alt: format!("Scatter plot of {} words.", kept.len()),
        tables: &["word_modes"],
        svg,
        plot: None,
    }))
}

/// Speed of visited states under the held input.
pub fn relaxation(table: &Frame) -> Result<Figure> {
    let step = table.f64("step")?;
    let log = |x: f64| x.clamp(1e-8, 1e8).log10();
    let column = |name: &str| -> Result<Vec<(f64, f64)>> {
        Ok(step.iter().copied().zip(table.f64(name)?).map(|(s, v)| (s, log(v))).collect())
    };
    let (low, middle, high) = (column("low")?, column("median")?, column("high")?);
    let n = table.f64("n")?.first().copied().unwrap_or(0.0);
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [key(colour(0), "median"), key(colour(5), "10th and 90th percentile")];
        let ys = range(low.iter().chain(&high).map(|p| p.1));
        let mut chart = chart_with(
            &area,
            &keys,
            (range(step.iter().copied()), "tokens with the input held"),
            (ys, "step, share of the state"),
            axes::small_power,
        );
        line(&mut chart, &low, colour(5).stroke_width(2));
        line(&mut chart, &high, colour(5).stroke_width(2));
        line(&mut chart, &middle, colour(0).stroke_width(3));
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Figure {
        name: "relaxation",
        title: "States fall onto the manifold, and stay",
        caption: format!(
            "Length of each step relative to the state, from {n:.0} visited states, while the \
             input is held. A fast fall, then a slow drift along the manifold."
        ),
        alt: format!("Step length over {} tokens.", step.len()),
        tables: &["relaxation"],
        svg,
        plot: None,
    })
}
