//! The slow mode: how long it keeps, what it selects, how fast states fall onto
//! the manifold, and how far one linear step carries.

use super::Figure;
use super::axes::{self, area, chart, chart_with, colour, dots, key, line, power, range};
use crate::Result;
use crate::records::{
    DeflectionField, Deflections, Frame, Impulse, Modes, OneStep, Relaxation, Units, WordModes,
};
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;

/// Time constants along the points.
pub fn along(table: &Frame<Modes>) -> Result<Figure> {
    let theta = table.theta()?;
    let log = |x: f64| x.clamp(1e-2, 1e7).log10();
    let series: Vec<Vec<(f64, f64)>> = [table.tau_1()?, table.tau_2()?, table.tau_3()?]
        .into_iter()
        .map(|tau| {
            let pairs = theta.iter().copied().zip(tau).filter(|(_, t)| t.is_finite());
            pairs.map(|(x, t)| (x, log(t))).collect()
        })
        .collect();
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
        for (i, points) in series.iter().enumerate() {
            dots(&mut chart, points.iter().copied(), 3, colour(i).mix(0.8).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let live = series
        .iter()
        .zip(["slowest mode", "second", "third"])
        .enumerate()
        .map(|(i, (points, name))| {
            let mut live = Series::points(name, axes::css(i), 7.0, 0.8);
            for &(x, y) in points {
                live.add(x, y, format!("{:.3} tokens at {x:.3}", 10f64.powf(y)));
            }
            live
        })
        .collect();
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
        tables: &[Modes::NAME],
        svg,
        plot: Some(Plot {
            series: live,
            x: "coordinate along the slow points",
            y: "time constant, powers of ten tokens",
            equal: false,
            search: false,
        }),
    })
}

/// Names of the sets of words, in the order of their colours.
const SETS: [&str; 3] = ["positive", "negative", "neutral"];
/// Words with fewer occurrences are left out.
const LEAST: usize = 20;

/// What each word adds to the slow mode, against its coefficient in the bag of words.
pub fn selected(table: &Frame<WordModes>) -> Result<Option<Figure>> {
    let (words, counts) = (table.word()?, table.count()?);
    let (x, y) = (table.coefficient()?, table.selected()?);
    let sets = table.set()?;
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
    let live = ["none"].iter().chain(&SETS).map(|set| {
        let place = SETS.iter().position(|s| s == set);
        let paint = place.map_or_else(|| "#7d7d7d".to_string(), axes::css);
        let name = if place.is_some() { set } else { "other words" };
        let mut live = Series::points(name, paint, 6.0, if place.is_some() { 0.85 } else { 0.4 });
        kept.iter()
            .filter(|&&w| sets[w] == *set)
            .for_each(|&w| live.add(x[w], y[w], words[w].clone()));
        live
    });
    let plot = Plot {
        series: live.collect(),
        x: "bag-of-words coefficient, logits",
        y: "what the slow mode selects",
        equal: false,
        search: true,
    };
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
        tables: &[WordModes::NAME],
        svg,
        plot: Some(plot),
    }))
}

/// Speed of visited states under the held input.
pub fn relaxation(table: &Frame<Relaxation>) -> Result<Figure> {
    let step = axes::numbers(&table.step()?);
    let log = |x: f64| x.clamp(1e-8, 1e8).log10();
    let curve = |values: Vec<f64>| -> Vec<(f64, f64)> {
        step.iter().copied().zip(values).map(|(s, v)| (s, log(v))).collect()
    };
    let (low, middle, high) = (curve(table.low()?), curve(table.median()?), curve(table.high()?));
    let n = table.n()?.first().copied().unwrap_or(0);
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
        tables: &[Relaxation::NAME],
        svg,
        plot: None,
    })
}

/// Immediate effects of words at the central point, in the plane of the slow points.
pub fn effects(table: &Frame<WordModes>) -> Result<Option<Figure>> {
    let (words, sets) = (table.word()?, table.set()?);
    let (x, y) = (table.effect_1()?, table.effect_2()?);
    let arrow = (table.selects_1()?, table.selects_2()?);
    let shown: Vec<usize> = (0..words.len()).filter(|&w| sets[w] != "none").collect();
    if shown.len() < 3 {
        return Ok(None);
    }
    let reach = shown.iter().map(|&w| x[w].hypot(y[w])).fold(0.0, f64::max);
    let length = arrow.0[0].hypot(arrow.1[0]).max(f64::MIN_POSITIVE);
    let tip = (arrow.0[0] / length * reach, arrow.1[0] / length * reach);
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [
            key(colour(0), "most positive by counts"),
            key(colour(1), "most negative"),
            key(colour(2), "closest to zero"),
            key(axes::INK, "what the slow mode selects"),
        ];
        let xs = range(shown.iter().map(|&w| x[w]).chain([tip.0, -tip.0]));
        let ys = range(shown.iter().map(|&w| y[w]).chain([tip.1, -tip.1]));
        let (xs, ys) = axes::equal(xs, ys, &keys);
        let mut chart = chart(
            &area,
            &keys,
            (xs, "effect along the first component of the slow points"),
            (ys, "along the second"),
        );
        line(&mut chart, &[(-tip.0, -tip.1), tip], axes::INK.stroke_width(2));
        for (i, set) in SETS.iter().enumerate() {
            let of = shown.iter().filter(|&&w| sets[w] == *set).map(|&w| (x[w], y[w]));
            dots(&mut chart, of, 3, colour(i).mix(0.75).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let plot = Plot {
        series: SETS
            .iter()
            .enumerate()
            .map(|(i, set)| {
                let mut series = Series::points(set, axes::css(i), 7.0, 0.8);
                let of_set = shown.iter().filter(|&&w| sets[w] == *set);
                of_set.for_each(|&w| series.add(x[w], y[w], words[w].clone()));
                series
            })
            .collect(),
        x: "effect along the first component",
        y: "along the second",
        equal: true,
        search: true,
    };
    Ok(Some(Figure {
        name: "effects",
        title: "Where words push the state",
        caption: format!(
            "Immediate effect of {} words on the state at the central slow point, in the plane of \
             the slow points, and the direction that the slowest left eigenvector selects. Words of \
             opposite valence push to opposite ends of it; words at rest in the middle do not.",
            shown.len()
        ),
        alt: format!("Scatter plot of {} word effects in three sets.", shown.len()),
        tables: &[WordModes::NAME],
        svg,
        plot: Some(plot),
    }))
}

/// Labels that have a colour of their own in the field.
const FIELDS: usize = 5;
/// Length of an arrow's head, as a share of its length.
const HEAD: f64 = 0.3;

/// Where the first word of each label moves the state, from all over the manifold.
pub fn field(table: &Frame<DeflectionField>) -> Result<Option<Figure>> {
    let (words, labels) = (table.word()?, table.label()?);
    let (x, y) = (table.from_1()?, table.from_2()?);
    let (dx, dy) = (table.by_1()?, table.by_2()?);
    let mut drawn: Vec<(&str, &str)> = Vec::new();
    for (word, label) in words.iter().zip(&labels) {
        if !drawn.contains(&(word.as_str(), label.as_str())) {
            drawn.push((word, label));
        }
    }
    // The neutral word is the last; it stays.
    let neutral = drawn.iter().position(|d| d.1.is_empty());
    let mut shown: Vec<(&str, &str)> =
        drawn.iter().copied().filter(|d| !d.1.is_empty()).take(FIELDS).collect();
    shown.extend(neutral.map(|i| drawn[i]));
    if shown.len() < 2 {
        return Ok(None);
    }
    let paint = |i: usize| if shown[i].1.is_empty() { axes::GREY } else { colour(i) };
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<axes::Key> = shown
            .iter()
            .enumerate()
            .map(|(i, (word, label))| {
                let whose = if label.is_empty() { "neutral" } else { label };
                key(paint(i), format!("{word} ({whose})"))
            })
            .collect();
        let ends = |from: &[f64], by: &[f64]| -> Vec<f64> {
            from.iter().copied().chain(from.iter().zip(by).map(|(f, b)| f + b)).collect()
        };
        let (xs, ys) = axes::equal(range(ends(&x, &dx)), range(ends(&y, &dy)), &keys);
        let names = ("first principal component of the states", "second principal component");
        let mut chart = chart(&area, &keys, (xs, names.0), (ys, names.1));
        for (i, which) in shown.iter().enumerate().rev() {
            for r in (0..x.len()).filter(|&r| (words[r].as_str(), labels[r].as_str()) == *which) {
                let tip = (x[r] + dx[r], y[r] + dy[r]);
                let style = paint(i).mix(0.8).stroke_width(1);
                line(&mut chart, &[(x[r], y[r]), tip], style);
                for side in [-1.0, 1.0] {
                    let turned = (
                        tip.0 - HEAD * (dx[r] - side * 0.5 * dy[r]),
                        tip.1 - HEAD * (dy[r] + side * 0.5 * dx[r]),
                    );
                    line(&mut chart, &[tip, turned], style);
                }
            }
        }
        area.present().expect("drawing into text cannot fail");
    }
    let arrows = x.len() / drawn.len().max(1);
    Ok(Some(Figure {
        name: "deflections",
        title: "How words move the state",
        caption: format!(
            "From about {arrows} visited states, the step that one word makes: for each of {} labels \
             the word with most evidence for it by counts, and the most neutral word. Evidence words \
             move the state alike wherever it is; what a neutral word does is the network's own \
             drift.",
            shown.len() - 1
        ),
        alt: format!("Arrows of {} words over the plane of the states.", shown.len()),
        tables: &[DeflectionField::NAME, Deflections::NAME],
        svg,
        plot: None,
    }))
}

/// What words leave behind, token after token.
pub fn impulse(table: &Frame<Impulse>) -> Result<Figure> {
    let (sets, later) = (table.set()?, axes::numbers(&table.later()?));
    let (network, linear) = (table.network()?, table.linear()?);
    let slow = table.slow_mode()?;
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [
            key(colour(0), "positive words, network"),
            key(colour(1), "negative words"),
            key(colour(2), "neutral words"),
            key(axes::INK, "all linear modes"),
            key(axes::GREY, "the slow mode alone"),
        ];
        let ys = range(network.iter().chain(&linear).chain(&slow).copied());
        let mut chart = chart(
            &area,
            &keys,
            (range(later.iter().copied()), "tokens later, the input held"),
            (ys, "change of the readout"),
        );
        for (i, set) in SETS.iter().enumerate() {
            let of = |values: &[f64]| -> Vec<(f64, f64)> {
                let rows = (0..later.len()).filter(|&r| sets[r] == *set);
                rows.map(|r| (later[r], values[r])).collect()
            };
            line(&mut chart, &of(&network), colour(i).stroke_width(4));
            line(&mut chart, &of(&slow), axes::GREY.stroke_width(1));
            line(&mut chart, &of(&linear), axes::INK.stroke_width(1));
        }
        area.present().expect("drawing into text cannot fail");
    }
    let n = table.n()?.first().copied().unwrap_or(0);
    Ok(Figure {
        name: "impulse",
        title: "What one word leaves behind",
        caption: format!(
            "One word read at the central slow point, then the input held: how far the readout is \
             from where it would have been, mean over {n:.0} words of each set. Thick: the network \
             itself; thin black: the sum over its linear modes; grey: the slowest alone. Where grey \
             and thick meet, the slow mode is all that is remembered."
        ),
        alt: format!("Readout change over {} delays for three sets of words.", later.len() / 3),
        tables: &[Impulse::NAME],
        svg,
        plot: None,
    })
}

/// Bars of a histogram.
const BARS: usize = 40;

/// Errors of single linear steps.
pub fn one_step(table: &Frame<OneStep>) -> Result<Option<Figure>> {
    let mut errors: Vec<f64> =
        table.error()?.into_iter().filter(|e| e.is_finite() && *e > 0.0).collect();
    errors.sort_by(f64::total_cmp);
    if errors.len() < 2 {
        return Ok(None);
    }
    let logs: Vec<f64> = errors.iter().map(|e| e.clamp(1e-8, 1e4).log10()).collect();
    let (low, high) = logs.iter().fold((f64::MAX, f64::MIN), |(l, h), &x| (l.min(x), h.max(x)));
    let width = ((high - low) / BARS as f64).max(1e-6);
    let mut counts = vec![0.0; BARS];
    logs.iter().for_each(|x| counts[(((x - low) / width) as usize).min(BARS - 1)] += 1.0);
    let largest = counts.iter().fold(0.0, |a: f64, b| a.max(*b)) / logs.len() as f64;
    let middle = errors[errors.len() / 2];
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys =
            [key(colour(0), "steps"), key(colour(1), "median"), key(axes::GREY, "one tenth")];
        let mut chart = axes::chart_both(
            &area,
            &keys,
            (range([low, high, -1.0]), "relative error of one linear step"),
            (0.0..1.1 * largest, "share of the steps"),
            (axes::small_power, axes::plain),
        );
        for (i, count) in counts.iter().enumerate() {
            let from = low + i as f64 * width;
            let corners = [(from, 0.0), (from + width, count / logs.len() as f64)];
            axes::draw(&mut chart, [Rectangle::new(corners, colour(0).mix(0.7).filled())]);
        }
        let upright = |x: f64| [(x, 0.0), (x, 1.1 * largest)];
        line(&mut chart, &upright(-1.0), axes::GREY.stroke_width(2));
        line(&mut chart, &upright(middle.log10()), colour(1).stroke_width(2));
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: "one_step",
        title: "How far one linear step is off",
        caption: format!(
            "Each of {} steps of test documents against the linear step at the nearest slow point: \
             ‖h − h_lin‖/‖h‖, median {middle:.3}. Published networks are off by about one tenth.",
            errors.len()
        ),
        alt: format!("Histogram of {} relative errors, median {middle:.3}.", errors.len()),
        tables: &[OneStep::NAME],
        svg,
        plot: None,
    }))
}

/// Single units over two documents.
pub fn units(table: &Frame<Units>) -> Result<Figure> {
    let (labels, token) = (table.label()?, axes::numbers(&table.token()?));
    let (unit, activation) = (table.unit()?, table.activation()?);
    let mut all = unit.clone();
    all.sort_unstable();
    all.dedup();
    let mut classes: Vec<&str> = labels.iter().map(String::as_str).collect();
    classes.dedup();
    // A table of two documents has two, and a dozen units.
    classes.truncate(8);
    all.truncate(64);
    let spread =
        1.25 * activation.iter().fold(0.0, |a: f64, b| a.max(b.abs())).max(f64::MIN_POSITIVE);
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<axes::Key> =
            classes.iter().enumerate().map(|(i, c)| key(colour(i), *c)).collect();
        let mut chart = axes::chart_both(
            &area,
            &keys,
            (range(token.iter().copied()), "tokens read"),
            (-1.0..all.len() as f64, "units, one above the other"),
            (axes::plain, axes::nothing),
        );
        for (i, class) in classes.iter().enumerate() {
            for (row, one) in all.iter().enumerate() {
                let points: Vec<(f64, f64)> = (0..token.len())
                    .filter(|&r| labels[r] == *class && unit[r] == *one)
                    .map(|r| (token[r], row as f64 + activation[r] / spread))
                    .collect();
                line(&mut chart, &points, colour(i).mix(0.8).stroke_width(2));
            }
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Figure {
        name: "units",
        title: "Single units tell little",
        caption: format!(
            "{} evenly spaced units while the network reads one document of each of two classes. \
             What all of them do together is the line above; no one of them shows it.",
            all.len()
        ),
        alt: format!("{} units over two documents.", all.len()),
        tables: &[Units::NAME],
        svg,
        plot: None,
    })
}
