//! Spectra, eigenvalues, time constants, training curves.

use super::Figure;
use super::axes::{self, GREY, area, chart, colour, dots, legend, line, range};
use crate::Result;
use crate::report::Frame;
use plotters::prelude::*;

/// Components shown.
const COMPONENTS: f64 = 12.0;
/// Modes shown.
const MODES: usize = 8;

/// Cumulative variance of every source.
pub fn spectrum(table: &Frame) -> Result<Figure> {
    let sources = table.text("source")?;
    let component = table.f64("component")?;
    let cumulative = table.f64("cumulative")?;
    let order = [
        ("states", "states"),
        ("fixed_points", "slow points"),
        ("predicted", "predicted from counts"),
        ("untrained", "states before training"),
    ];
    let mut svg = String::new();
    let mut seen = Vec::new();
    {
        let area = area(&mut svg);
        let mut chart = chart(
            &area,
            (0.5..COMPONENTS + 0.5, "principal components"),
            (0.0..1.04, "share of variance explained"),
        );
        for (i, (source, name)) in order.iter().enumerate() {
            let points: Vec<(f64, f64)> = (0..sources.len())
                .filter(|&r| sources[r] == *source && component[r] <= COMPONENTS)
                .map(|r| (component[r], cumulative[r]))
                .collect();
            if points.is_empty() {
                continue;
            }
            seen.push(*name);
            axes::draw(&mut chart, points.iter().map(|&p| Circle::new(p, 3, colour(i).filled())));
            line(&mut chart, points, colour(i), name);
        }
        legend(&mut chart, SeriesLabelPosition::LowerRight);
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Figure {
        name: "spectrum",
        title: "How many dimensions",
        caption: "Share of variance in the first principal components. A curve that reaches the \
                  top after d components is d-dimensional; the prediction has seen word counts \
                  only, never the network."
            .into(),
        alt: format!("Cumulative variance curves of {}.", seen.join(", ")),
        tables: &["spectrum"],
        svg,
    })
}

/// Eigenvalues in the complex plane.
pub fn plane(table: &Frame) -> Result<Figure> {
    let (re, im) = (table.f64("re")?, table.f64("im")?);
    let mode = table.f64("mode")?;
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let top = im.iter().fold(0.5_f64, |m, x| m.max(x.abs())).max(0.65) * 1.05;
        let xs = re.iter().copied().chain([-0.2, 1.05]);
        let mut chart = chart(&area, (range(xs), "real part"), (-top..top, "imaginary part"));
        let circle = (0..=256).map(|i| {
            let angle = i as f64 / 256.0 * std::f64::consts::TAU;
            (angle.cos(), angle.sin())
        });
        line(&mut chart, circle.collect(), GREY, "unit circle");
        let pick = |slow: bool| -> Vec<(f64, f64)> {
            let modes = (0..re.len()).filter(|&i| (mode[i] <= 2.0) == slow);
            modes.map(|i| (re[i], im[i])).collect()
        };
        dots(&mut chart, pick(false), 2, colour(0).mix(0.25), "other modes");
        dots(&mut chart, pick(true), 3, colour(1).mix(0.6), "two slowest modes");
        legend(&mut chart, SeriesLabelPosition::UpperLeft);
        area.present().expect("drawing into text cannot fail");
    }
    let points = table.f64("point")?.into_iter().map(|p| p as u64);
    let points = points.collect::<std::collections::BTreeSet<_>>().len();
    Ok(Figure {
        name: "eigenvalues",
        title: "How the state moves near the slow points",
        caption: format!(
            "Eigenvalues of the Jacobian at {points} slow points. A mode near 1 keeps what it is \
             given for many tokens; one near 0 forgets at once; off the real axis it rotates."
        ),
        alt: format!("{} eigenvalues in the complex plane with the unit circle.", re.len()),
        tables: &["eigenvalues"],
        svg,
    })
}

/// Median time constant of each mode, with the band from 10 to 90 %.
pub fn time_constants(table: &Frame, states: &Frame) -> Result<Figure> {
    let (mode, tau) = (table.f64("mode")?, table.f64("tau")?);
    let at =
        |values: &[f64], share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let mut rows = Vec::new();
    for m in 1..=MODES {
        let mut values: Vec<f64> =
            (0..mode.len()).filter(|&i| mode[i] == m as f64).map(|i| tau[i].max(1e-2)).collect();
        values.sort_by(f64::total_cmp);
        if !values.is_empty() {
            rows.push((m as f64, at(&values, 0.1), at(&values, 0.5), at(&values, 0.9)));
        }
    }
    let mut lengths = states.f64("length")?;
    lengths.sort_by(f64::total_cmp);
    let length = if lengths.is_empty() { f64::NAN } else { at(&lengths, 0.5) };
    let log = |x: f64| x.clamp(1e-2, 1e7).log10();
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let ys = rows.iter().flat_map(|r| [log(r.1), log(r.3)]).chain([log(length)]);
        let mut chart = chart(
            &area,
            (0.5..MODES as f64 + 0.5, "mode, slowest first"),
            (range(ys), "time constant in tokens, log10"),
        );
        axes::draw(
            &mut chart,
            rows.iter().map(|r| {
                PathElement::new(
                    [(r.0, log(r.1)), (r.0, log(r.3))],
                    colour(0).mix(0.4).stroke_width(6),
                )
            }),
        );
        dots(
            &mut chart,
            rows.iter().map(|r| (r.0, log(r.2))).collect(),
            5,
            colour(0).mix(1.0),
            "median, 10–90 %",
        );
        if length.is_finite() {
            let ends = vec![(0.5, log(length)), (MODES as f64 + 0.5, log(length))];
            line(&mut chart, ends, colour(1), "median document length");
        }
        legend(&mut chart, SeriesLabelPosition::UpperRight);
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Figure {
        name: "time_constants",
        title: "How long evidence is kept",
        caption: format!(
            "Time constants τ = |1/ln|λ|| of the slowest modes over the slow points: median and 10 \
             to 90 % band. Modes above the line (median document length, {length:.0} tokens) \
             carry evidence to the end of a document."
        ),
        alt: format!("Time constants of {} modes on a logarithmic scale.", rows.len()),
        tables: &["eigenvalues", "states"],
        svg,
    })
}

/// Loss along training.
pub fn training(table: &Frame) -> Result<Figure> {
    let step = table.f64("step")?;
    let loss = table.f64("loss")?;
    let validation = table.f64("validation_loss")?;
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let ys = loss.iter().chain(&validation).copied().chain([0.0]);
        let mut chart =
            chart(&area, (range(step.iter().copied()), "optimiser steps"), (range(ys), "loss"));
        let pairs = |values: &[f64]| -> Vec<(f64, f64)> {
            step.iter()
                .copied()
                .zip(values.iter().copied())
                .filter(|(_, y)| y.is_finite())
                .collect()
        };
        line(&mut chart, pairs(&loss), colour(0), "training");
        let measured = pairs(&validation);
        axes::draw(&mut chart, measured.iter().map(|&p| Circle::new(p, 3, colour(1).filled())));
        line(&mut chart, measured, colour(1), "validation");
        legend(&mut chart, SeriesLabelPosition::UpperRight);
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Figure {
        name: "training",
        title: "How it was learned",
        caption: format!(
            "Loss without penalty over {} optimiser steps: means over the training batches, and \
             the validation split.",
            step.last().copied().unwrap_or(0.0)
        ),
        alt: "Training and validation loss against optimiser steps.".into(),
        tables: &["training"],
        svg,
    })
}
