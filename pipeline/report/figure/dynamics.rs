//! Spectra, eigenvalues, time constants, training curves.

use super::Figure;
use super::axes::{
    self, GREY, Key, area, chart, chart_with, colour, dots, equal, key, line, plain, power, range,
};
use crate::Result;
use crate::records::{
    Eigenvalues, Frame, Lyapunov, Memory, Spectrum, SpectrumPredicted, States, Training,
};
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;

/// Components shown.
const COMPONENTS: f64 = 12.0;
/// Modes of a point that can be asked, slowest first.
const ASKED: usize = 32;
/// Modes shown.
const MODES: usize = 8;

/// Cumulative variance of every source.
///
/// * `found`: of points; `predicted`: of the counts, where there is a prediction
pub fn spectrum(
    found: &Frame<Spectrum>,
    predicted: Option<&Frame<SpectrumPredicted>>,
) -> Result<Figure> {
    let found = (found.source()?, axes::numbers(&found.component()?), found.cumulative()?);
    let known = predicted.is_some();
    let predicted = match predicted {
        Some(p) => (p.source()?, axes::numbers(&p.component()?), p.cumulative()?),
        None => Default::default(),
    };
    let order = [
        (&found, "states", "states"),
        (&found, "fixed_points", "slow points"),
        (&predicted, "predicted_scaled", "predicted from counts"),
        (&found, "untrained", "states before training"),
    ];
    // A state of few numbers has no more components.
    let most = found.1.iter().chain(&predicted.1).fold(1.0, |m: f64, c| m.max(*c)).min(COMPONENTS);
    let mut curves = Vec::new();
    for (i, ((sources, component, cumulative), source, name)) in order.into_iter().enumerate() {
        let mut points: Vec<(f64, f64)> = (0..sources.len())
            .filter(|&r| sources[r] == source && component[r] <= most)
            .map(|r| (component[r], cumulative[r]))
            .collect();
        if points.is_empty() {
            continue;
        }
        // The prediction has as many components as there are classes; no more is to come.
        let last = points[points.len() - 1];
        points.extend((last.0 as usize + 1..=most as usize).map(|c| (c as f64, last.1)));
        curves.push((key(colour(i), name), points));
    }
    let keys: Vec<_> = curves.iter().map(|c| c.0.clone()).collect();
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let mut chart = chart(
            &area,
            &keys,
            (0.5..most + 0.5, "principal components"),
            (0.0..1.04, "share of variance explained"),
        );
        for (key, points) in &curves {
            line(&mut chart, points, key.colour.stroke_width(2));
            dots(&mut chart, points.iter().copied(), 3, key.colour.filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let seen: Vec<&str> = keys.iter().map(|k| k.name.as_str()).collect();
    Ok(Figure {
        name: "spectrum",
        title: "How many dimensions",
        caption: format!(
            "Share of variance in the first principal components. A curve that reaches the top \
             after d components is d-dimensional{}.",
            match known {
                true => "; the prediction has seen word counts only, never the network",
                false => "",
            }
        ),
        alt: format!("Cumulative variance curves of {}.", seen.join(", ")),
        tables: &[Spectrum::NAME, SpectrumPredicted::NAME],
        svg,
        plot: Some(Plot {
            series: curves
                .iter()
                .enumerate()
                .map(|(i, (key, points))| Series::line(&key.name, axes::css(i), points))
                .collect(),
            x: "principal components",
            y: "share of variance explained",
            equal: false,
            search: false,
        }),
    })
}

/// Whether a step reads a word.
fn is_text(states: &Frame<States>) -> Result<bool> {
    Ok(states.word()?.is_some())
}

/// What one step reads: a token of text, or nothing but a step of time.
fn step(states: &Frame<States>) -> Result<&'static str> {
    Ok(if is_text(states)? { "tokens" } else { "steps" })
}

/// Eigenvalues in the complex plane.
pub fn plane(table: &Frame<Eigenvalues>, states: &Frame<States>) -> Result<Figure> {
    let (re, im) = (table.re()?, table.im()?);
    let mode = table.mode()?;
    let shown = shown(table)?;
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [
            key(colour(1), "two slowest modes"),
            key(colour(0), "other modes"),
            key(GREY, "unit circle"),
        ];
        // The whole circle: what lies outside it is unstable.
        let xs = range(shown.iter().map(|&i| re[i]).chain([-1.05, 1.05]));
        let ys = range(shown.iter().flat_map(|&i| [im[i], -im[i]]).chain([-1.05, 1.05]));
        let (xs, ys) = equal(xs, ys, &keys);
        let mut chart = chart(&area, &keys, (xs, "real part"), (ys, "imaginary part"));
        let circle: Vec<(f64, f64)> = (0..=720)
            .map(|i| {
                let angle = i as f64 / 720.0 * std::f64::consts::TAU;
                (angle.cos(), angle.sin())
            })
            .collect();
        line(&mut chart, &circle, GREY.stroke_width(2));
        let pick = |slow: bool| -> Vec<(f64, f64)> {
            let modes = shown.iter().filter(|&&i| (mode[i] <= 2) == slow);
            modes.map(|&i| (re[i], im[i])).collect()
        };
        dots(&mut chart, pick(false), 2, colour(0).mix(0.25).filled());
        dots(&mut chart, pick(true), 3, colour(1).mix(0.6).filled());
        area.present().expect("drawing into text cannot fail");
    }
    let point = table.point()?;
    let points = shown.iter().map(|&i| point[i]).collect::<std::collections::BTreeSet<_>>().len();
    Ok(Figure {
        name: "eigenvalues",
        title: "How the state moves near the slow points",
        caption: format!(
            "Eigenvalues of the Jacobian at {points} slow points. A mode near 1 keeps what it is \
             given for many {}; one near 0 forgets at once; off the real axis it rotates.",
            step(states)?
        ),
        alt: format!("{} eigenvalues in the complex plane with the unit circle.", shown.len()),
        tables: &[Eigenvalues::NAME],
        svg,
        plot: Some(eigenvalues(table, step(states)?)?),
    })
}

/// Rows of the primary points; of all points where none is primary.
fn shown(table: &Frame<Eigenvalues>) -> Result<Vec<usize>> {
    let primary = table.primary()?;
    let any = primary.contains(&true);
    Ok((0..primary.len()).filter(|&i| primary[i] || !any).collect())
}

/// The slowest modes of every point, with their time constants to ask for.
fn eigenvalues(table: &Frame<Eigenvalues>, step: &str) -> Result<Plot> {
    let (re, im) = (table.re()?, table.im()?);
    let (mode, tau, point) = (table.mode()?, table.tau()?, table.point()?);
    let mut slow = Series::points("two slowest modes", axes::css(1), 6.0, 0.7);
    let mut others = Series::points("other modes", axes::css(0), 4.0, 0.35);
    for i in shown(table)?.into_iter().filter(|&i| mode[i] <= ASKED) {
        let series = if mode[i] <= 2 { &mut slow } else { &mut others };
        let text = format!(
            "point {:.0}, mode {:.0}: λ = {:.4} {:+.4}i, τ = {:.1} {step}",
            point[i], mode[i], re[i], im[i], tau[i]
        );
        series.add(re[i], im[i], text);
    }
    let circle: Vec<(f64, f64)> = (0..=180)
        .map(|i| {
            let angle = i as f64 / 180.0 * std::f64::consts::TAU;
            (angle.cos(), angle.sin())
        })
        .collect();
    let unit = Series { mode: "lines", ..Series::line("unit circle", "#7d7d7d".into(), &circle) };
    let series = vec![unit, others, slow];
    Ok(Plot { series, x: "real part", y: "imaginary part", equal: true, search: false })
}

/// Median time constant of each mode, with the band from 10 to 90 %.
///
/// * `along`: those along the documents, where they are known
pub fn time_constants(
    table: &Frame<Eigenvalues>,
    states: &Frame<States>,
    along: Option<&Frame<Lyapunov>>,
) -> Result<Figure> {
    let (mode, tau) = (table.mode()?, table.tau()?);
    let shown = shown(table)?;
    let at =
        |values: &[f64], share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let mut rows = Vec::new();
    for m in 1..=MODES {
        let mut values: Vec<f64> =
            shown.iter().filter(|&&i| mode[i] == m).map(|&i| tau[i].max(1e-2)).collect();
        values.sort_by(f64::total_cmp);
        if !values.is_empty() {
            rows.push((m as f64, at(&values, 0.1), at(&values, 0.5), at(&values, 0.9)));
        }
    }
    let mut lengths = axes::numbers(&states.length()?.unwrap_or_default());
    lengths.sort_by(f64::total_cmp);
    let length = if lengths.is_empty() { f64::NAN } else { at(&lengths, 0.5) };
    let step = step(states)?;
    let text = is_text(states)?;
    let sequence = if text { "document" } else { "trial" };
    let log = |x: f64| x.clamp(1e-2, 1e7).log10();
    let reading: Vec<f64> = along.map(|t| t.tau()).transpose()?.unwrap_or_default();
    let while_read = || (1..=MODES).zip(&reading).map(|(m, &tau)| (m as f64, log(tau)));
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let ends = rows.iter().flat_map(|r| [log(r.1), log(r.3)]);
        let ys =
            ends.chain(length.is_finite().then(|| log(length))).chain(while_read().map(|r| r.1));
        let mut keys = vec![key(colour(0), "median over the slow points, 10 to 90 %")];
        if length.is_finite() {
            keys.push(key(colour(1), format!("median {sequence} length")));
        }
        if !reading.is_empty() {
            keys.push(key(colour(2), "while documents are read"));
        }
        let mut chart = chart_with(
            &area,
            &keys,
            (0.5..MODES as f64 + 0.5, "mode, slowest first"),
            (range(ys), if text { "time constant, tokens" } else { "time constant, steps" }),
            power,
        );
        let band = |r: &(f64, f64, f64, f64)| {
            let ends = [(r.0, log(r.1)), (r.0, log(r.3))];
            PathElement::new(ends, colour(0).mix(0.4).stroke_width(6))
        };
        axes::draw(&mut chart, rows.iter().map(band));
        dots(&mut chart, rows.iter().map(|r| (r.0, log(r.2))), 5, colour(0).filled());
        dots(&mut chart, while_read(), 5, colour(2).filled());
        if length.is_finite() {
            let ends = [(0.5, log(length)), (MODES as f64 + 0.5, log(length))];
            line(&mut chart, &ends, colour(1).stroke_width(2));
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Figure {
        name: "time_constants",
        title: if text { "How long evidence is kept" } else { "How long the state remembers" },
        caption: format!(
            "Time constants τ = |1/ln|λ|| of the slowest modes over the slow points: median and 10 \
             to 90 % band.{}{}",
            if reading.is_empty() {
                String::new()
            } else {
                let listed: Vec<String> = reading.iter().map(|tau| format!("{tau:.0}")).collect();
                format!(
                    " While test documents are read, differences last {} tokens (Lyapunov exponents along \
                     {:.0} documents): no input is held there.",
                    listed.join(", "),
                    along.map(|t| t.n()).transpose()?.and_then(|n| n.first().copied()).unwrap_or(0)
                )
            },
            if length.is_finite() {
                format!(
                    " Modes above the line (median {sequence} length, {length:.0} {step}) carry {} to the end of a \
                     {sequence}.",
                    if text { "evidence" } else { "what entered" }
                )
            } else {
                String::new()
            }
        ),
        alt: format!("Time constants of {} modes on a logarithmic scale.", rows.len()),
        tables: if along.is_some() {
            &[Eigenvalues::NAME, Lyapunov::NAME, States::NAME]
        } else {
            &[Eigenvalues::NAME, States::NAME]
        },
        svg,
        plot: None,
    })
}

/// How much of each component leaky sums of evidence explain, along their memory.
pub fn memory(table: &Frame<Memory>) -> Result<Figure> {
    let (component, ratio) = (&table.component()?, table.ratio()?);
    let (memory, explained) = (table.memory()?, table.explained()?);
    let together = table.together()?;
    let longest = memory.iter().copied().filter(|m| m.is_finite()).fold(1.0, f64::max);
    // Sums that forget nothing stand where the longest memory would double.
    let place = |m: f64| if m.is_finite() { m.log2() } else { longest.log2() + 1.0 };
    let rows = |c: usize| (0..component.len()).filter(move |&i| component[i] == c);
    let there: std::collections::BTreeSet<usize> = component.iter().copied().collect();
    let there: Vec<usize> = there.into_iter().filter(|c| *c > 0).take(MODES).collect();
    let count = there.len();
    let best = |c: usize| rows(c).max_by(|&i, &j| explained[i].total_cmp(&explained[j]));
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let named = |c: usize| {
            let share = rows(c).next().map_or(0.0, |i| ratio[i]);
            key(colour(c - 1), format!("component {c} ({:.1} %)", 100.0 * share))
        };
        let keys: Vec<Key> = there.iter().copied().map(named).collect();
        let mut chart = axes::chart_both(
            &area,
            &keys,
            (
                range(memory.iter().map(|&m| place(m))),
                "memory of the sums, tokens (∞: nothing is forgotten)",
            ),
            (-0.05..1.05, "R² in other documents"),
            (doubled, plain),
        );
        for &c in &there {
            let points: Vec<(f64, f64)> =
                rows(c).map(|i| (place(memory[i]), explained[i].max(0.0))).collect();
            let (whole, fading): (Vec<_>, Vec<_>) =
                points.into_iter().partition(|p| p.0 > longest.log2() + 0.5);
            line(&mut chart, &fading, colour(c - 1).stroke_width(2));
            dots(&mut chart, fading.into_iter().chain(whole), 4, colour(c - 1).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let said = |c: usize| {
        let i = best(c).filter(|&i| together[i] >= 0.5)?;
        let what = match memory[i] {
            1.0 => "of 1 token".into(),
            m if m.is_finite() => format!("of {m:.0} tokens"),
            _ => "that forgets nothing".into(),
        };
        Some(format!(
            "component {c}, a memory {what} (R² {:.2}; all memories together {:.2})",
            explained[i], together[i]
        ))
    };
    let said: Vec<String> = there.iter().copied().filter_map(said).collect();
    let n = table.n()?.first().copied().unwrap_or(0);
    Ok(Figure {
        name: "memory",
        title: "What each direction remembers",
        caption: format!(
            "Sums of the evidence of the words read so far (log odds from counts alone), in which words \
             fade with a time constant or not at all, fitted to each principal component in half of the \
             documents and measured on {n:.0} states of the others (below 0 is drawn as 0). {}",
            if said.is_empty() {
                "They explain half of no component.".into()
            } else {
                format!("What fits best: {}.", said.join("; "))
            }
        ),
        alt: format!(
            "Variance explained for {count} components at {} memories.",
            component.len() / count.max(1)
        ),
        tables: &[Memory::NAME],
        svg,
        plot: None,
    })
}

/// A memory on its axis of doublings: the table's are 1 to 128 tokens, then that of no forgetting.
fn doubled(x: &f64) -> String {
    let doublings = x.round();
    match doublings as i64 {
        _ if (x - doublings).abs() > 1e-6 => String::new(),
        8 => "∞".into(),
        0..=7 => format!("{:.0}", doublings.exp2()),
        _ => String::new(),
    }
}

/// Loss along training.
pub fn training(table: &Frame<Training>) -> Result<Figure> {
    let step = axes::numbers(&table.step()?);
    let loss = table.loss()?;
    let validation = table.validation_loss()?;
    let pairs = |values: &[f64]| -> Vec<(f64, f64)> {
        let all = step.iter().copied().zip(values.iter().copied());
        all.filter(|(_, y)| y.is_finite()).collect()
    };
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let ys = loss.iter().chain(&validation).copied().chain([0.0]);
        let keys = [key(colour(0), "training"), key(colour(1), "validation")];
        let steps = range(step.iter().copied().chain([0.0]));
        let mut chart = chart(&area, &keys, (steps, "optimiser steps"), (range(ys), "loss"));
        line(&mut chart, &pairs(&loss), colour(0).stroke_width(2));
        let measured = pairs(&validation);
        line(&mut chart, &measured, colour(1).stroke_width(2));
        dots(&mut chart, measured, 3, colour(1).filled());
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
        tables: &[Training::NAME],
        svg,
        plot: Some(Plot {
            series: vec![
                Series::line("training", axes::css(0), &pairs(&loss)),
                Series::line("validation", axes::css(1), &pairs(&validation)),
            ],
            x: "optimiser steps",
            y: "loss",
            equal: false,
            search: false,
        }),
    })
}
