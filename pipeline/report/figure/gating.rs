//! What looks gated, what is, and by which mechanisms networks select.

use super::Figure;
use super::axes::{
    COLOURS, GREY, INK, area, chart, colour, dots, draw, equal, key, line, name, numbers, range,
};
use crate::Result;
use crate::records::{Frame, Gates, GatingPlaces, Mechanisms};
use plotters::prelude::*;

/// Names of the models as the table has them in its lists, and their colours' numbers.
const MODELS: [&str; 5] = ["grid", "rotated grid", "diagonal", "orthogonal", "parallel"];

/// Values of a column by another, in order, each with its mean.
fn means(points: impl IntoIterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = points.into_iter().filter(|p| p.1.is_finite()).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mean =
        |run: &[(f64, f64)]| (run[0].0, run.iter().map(|p| p.1).sum::<f64>() / run.len() as f64);
    points.chunk_by(|a, b| a.0 == b.0).map(mean).collect()
}

/// Different values, largest first.
fn different(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
    let mut all: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
    all.sort_by(|a, b| b.total_cmp(a));
    all.dedup();
    all
}

/// Every figure for which there are rows.
pub fn all(
    gates: &Frame<Gates>,
    places: &Frame<GatingPlaces>,
    mechanisms: &Frame<Mechanisms>,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    figures.extend(formula(gates)?);
    figures.extend(models(gates, "shared")?);
    figures.extend(models(gates, "own")?);
    figures.extend(space(places)?);
    figures.extend(distances(places)?);
    figures.extend(course(gates)?);
    figures.extend(removal(gates)?);
    figures.extend(triangle(mechanisms)?);
    Ok(figures)
}

/// Ratio against the decision signal, with the formula as curve.
fn formula(gates: &Frame<Gates>) -> Result<Option<Figure>> {
    let (decision, strength, gate) = (gates.decision()?, gates.strength()?, gates.gate()?);
    let (ratio, after) = (gates.ratio()?, gates.without_choice()?);
    let rows: Vec<usize> = (0..gate.len()).filter(|&i| decision[i] == "shared").collect();
    let values = different(rows.iter().map(|&i| gate[i]));
    if rows.is_empty() {
        return Ok(None);
    }
    let most = rows.iter().map(|&i| strength[i]).fold(0.0, f64::max);
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let named = |(g, v): (usize, &f64)| key(colour(g), format!("γ = {v}"));
        let mut keys: Vec<_> = values.iter().enumerate().map(named).collect();
        keys.push(key(GREY, "paler: without the axes of choice; line: formula"));
        let up = range(rows.iter().flat_map(|&i| [ratio[i], after[i], 0.0, 1.0]));
        let across = range([0.0, most]);
        let axes = (
            (across, "decision signal s, in units of the input"),
            (up, "irrelevant over relevant"),
        );
        let mut chart = chart(&area, &keys, axes.0, axes.1);
        for (g, value) in values.iter().enumerate() {
            let curve: Vec<(f64, f64)> = (0..=100)
                .map(|k| most * k as f64 / 100.0)
                .map(|s| (s, value * value / (1.0 + s * s)))
                .collect();
            line(&mut chart, &curve, colour(g).mix(0.8).stroke_width(2));
            let of = |column: &[f64]| {
                let own = rows.iter().filter(|&&i| gate[i] == *value);
                own.map(|&i| (strength[i], column[i])).collect::<Vec<_>>()
            };
            dots(&mut chart, of(&ratio), 3, colour(g).mix(0.8).filled());
            dots(&mut chart, of(&after), 3, colour(g).mix(0.3).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: "gating_formula",
        title: "Irrelevant over relevant, by decision signal",
        caption: format!(
            "{} draws of axes and noise with one axis of choice. By the formula, irrelevant over relevant squared distances fall with \
             the decision signal as γ²/(1 + s²) (lines), and without the axes of choice γ² is left (paler dots).",
            rows.len()
        ),
        alt: "Ratio of distances against the decision signal, by gate.".into(),
        tables: &[Gates::NAME],
        svg,
        plot: None,
    }))
}

/// Weights of the models against the decision signal.
fn models(gates: &Frame<Gates>, of: &str) -> Result<Option<Figure>> {
    let (decision, strength, gate) = (gates.decision()?, gates.strength()?, gates.gate()?);
    let weights = gates.weights()?;
    let rows: Vec<usize> = (0..gate.len())
        .filter(|&i| decision[i] == of && gate[i] == 1.0 && weights[i].len() == MODELS.len())
        .collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let share = |i: usize, m: usize| weights[i][m] / weights[i].iter().sum::<f64>();
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<_> = MODELS.iter().enumerate().map(|(m, n)| key(colour(m), *n)).collect();
        let across = range(rows.iter().map(|&i| strength[i]));
        let axes = (
            (across, "decision signal s, in units of the input"),
            (range([0.0, 1.0]), "share of the weights"),
        );
        let mut chart = chart(&area, &keys, axes.0, axes.1);
        for m in 0..MODELS.len() {
            let curve = means(rows.iter().map(|&i| (strength[i], share(i, m))));
            line(&mut chart, &curve, colour(m).stroke_width(2));
            dots(
                &mut chart,
                rows.iter().map(|&i| (strength[i], share(i, m))),
                2,
                colour(m).filled(),
            );
        }
        area.present().expect("drawing into text cannot fail");
    }
    // What wins is read off the largest signal that was drawn.
    let most = rows.iter().map(|&i| strength[i]).fold(f64::NEG_INFINITY, f64::max);
    let at_most = |m: &usize| {
        let own: Vec<f64> =
            rows.iter().filter(|&&i| strength[i] == most).map(|&i| share(i, *m)).collect();
        own.iter().sum::<f64>() / own.len() as f64
    };
    let best = (0..MODELS.len()).max_by(|a, b| at_most(a).total_cmp(&at_most(b))).unwrap_or(0);
    let (name, title, would) = match of {
        "shared" => (
            "gating_models",
            "Models of the distances, one axis of choice for both contexts",
            "parallel (the relevant feature alone, on one axis)",
        ),
        _ => (
            "gating_models_own",
            "Models of the distances, an axis of choice for each context",
            "orthogonal (the relevant feature alone, an axis a context)",
        ),
    };
    Ok(Some(Figure {
        name,
        title,
        caption: format!(
            "{} draws without a gate. Non-negative weights of five models of the distances, as shares; lines are means. At the \
             largest signal ({most}) the {} has most, {:.2}. By derivation a strong signal favours {would}, none the grid (both features).",
            rows.len(),
            MODELS[best],
            at_most(&best)
        ),
        alt: "Weights of five models against the decision signal.".into(),
        tables: &[Gates::NAME],
        svg,
        plot: None,
    }))
}

/// Conditions of the first context along the relevant axis and that of choice, ungated and gated side by side.
fn space(places: &Frame<GatingPlaces>) -> Result<Option<Figure>> {
    let (source, gate, context) = (places.source()?, places.gate()?, places.context()?);
    let (relevant, irrelevant) = (places.relevant()?, places.irrelevant()?);
    let (mut x, mut y) = (places.along_choice()?, places.along_irrelevant()?);
    let network = source.iter().any(|s| s == "network");
    let wanted = if network { "network" } else { "generator" };
    let rows: Vec<usize> =
        (0..gate.len()).filter(|&i| source[i] == wanted && context[i] == 1).collect();
    let values = different(rows.iter().map(|&i| gate[i]));
    if rows.is_empty() {
        return Ok(None);
    }
    // Where all conditions lie together says nothing, and differs between gates.
    for value in &values {
        let own: Vec<usize> = rows.iter().copied().filter(|&i| gate[i] == *value).collect();
        for column in [&mut x, &mut y] {
            let mean = own.iter().map(|&i| column[i]).sum::<f64>() / own.len() as f64;
            own.iter().for_each(|&i| column[i] -= mean);
        }
    }
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<_> =
            values.iter().enumerate().map(|(g, v)| key(colour(g), format!("γ = {v}"))).collect();
        let (xs, ys) = (range(rows.iter().map(|&i| x[i])), range(rows.iter().map(|&i| y[i])));
        let (xs, ys) = equal(xs, ys, &keys);
        let mut chart = chart(
            &area,
            &keys,
            (xs, "along the axis of choice"),
            (ys, "along the irrelevant feature"),
        );
        for (g, value) in values.iter().enumerate() {
            let own: Vec<usize> = rows.iter().copied().filter(|&i| gate[i] == *value).collect();
            // Conditions that share a level of the relevant feature are joined.
            for level in different(own.iter().map(|&i| relevant[i])) {
                let mut run: Vec<usize> =
                    own.iter().copied().filter(|&i| relevant[i] == level).collect();
                run.sort_by(|&i, &j| irrelevant[i].total_cmp(&irrelevant[j]));
                let points: Vec<(f64, f64)> = run.iter().map(|&i| (x[i], y[i])).collect();
                line(&mut chart, &points, colour(g).mix(0.6));
            }
            dots(&mut chart, own.iter().map(|&i| (x[i], y[i])), 4, colour(g).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: "gating_space",
        title: "Conditions of one context, along choice and the irrelevant feature",
        caption: format!(
            "Mean responses of {} conditions of the first context in one {wanted}; less their mean; lines join those with the same \
             relevant feature. A gate shrinks what lies up, not what lies across.",
            rows.len() / values.len().max(1)
        ),
        alt: "Mean responses of conditions along the axes of choice and irrelevant feature.".into(),
        tables: &[GatingPlaces::NAME],
        svg,
        plot: None,
    }))
}

/// Squared distances of all pairs of conditions, darker the farther.
fn distances(places: &Frame<GatingPlaces>) -> Result<Option<Figure>> {
    let (source, gate) = (places.source()?, places.gate()?);
    let lists = places.distances()?;
    let network = source.iter().any(|s| s == "network");
    let wanted = if network { "network" } else { "generator" };
    let rows: Vec<usize> =
        (0..gate.len()).filter(|&i| source[i] == wanted && gate[i] == 1.0).collect();
    let n = rows.len();
    if n < 2 || rows.iter().any(|&i| lists[i].len() != n) {
        return Ok(None);
    }
    let most = rows.iter().flat_map(|&i| lists[i].iter().copied()).fold(0.0, f64::max);
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let (xs, ys) = equal(0.0..n as f64, 0.0..n as f64, &[]);
        let mut chart =
            chart(&area, &[], (xs, "condition (first half: first context)"), (ys, "condition"));
        let cell = |i: usize, j: usize| {
            let shade = (lists[rows[i]][j] / most).clamp(0.0, 1.0);
            let corner = (i as f64, j as f64);
            Rectangle::new(
                [corner, (corner.0 + 1.0, corner.1 + 1.0)],
                COLOURS[0].mix(shade).filled(),
            )
        };
        draw(&mut chart, (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| cell(i, j)));
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: "gating_distances",
        title: "Distances of all pairs of conditions",
        caption: format!(
            "{n} conditions of one {wanted} without a gate; the darker, the farther apart (largest squared distance {most:.3}). \
             Within a context conditions are sorted by the first feature, then the second."
        ),
        alt: "Matrix of distances between conditions.".into(),
        tables: &[GatingPlaces::NAME],
        svg,
        plot: None,
    }))
}

/// What of a row is drawn, and its name.
type Drawn<'a> = (&'a [f64], &'static str);

/// Ratios of networks without a gate, window by window.
fn course(gates: &Frame<Gates>) -> Result<Option<Figure>> {
    let (source, gate, window) = (gates.source()?, gates.gate()?, gates.window()?);
    let (ratio, choice) = (gates.ratio()?, gates.without_choice()?);
    let decision = gates.without_decision()?;
    let rows: Vec<usize> =
        (0..gate.len()).filter(|&i| source[i] == "network" && gate[i] == 1.0).collect();
    if rows.is_empty() {
        return Ok(None);
    }
    let windows = numbers(&window);
    let drawn: [Drawn; 3] = [
        (&ratio, "as measured"),
        (&choice, "without the axes of choice"),
        (&decision, "without choice and decision variable"),
    ];
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<_> = drawn.iter().enumerate().map(|(k, (_, n))| key(colour(k), *n)).collect();
        let all = rows.iter().flat_map(|&i| drawn.iter().map(move |(c, _)| c[i]));
        let up = range(all.chain([0.0, 1.0]));
        let across = range(rows.iter().map(|&i| windows[i]));
        let mut chart =
            chart(&area, &keys, (across, "window of the trial"), (up, "irrelevant over relevant"));
        for (k, (column, _)) in drawn.iter().enumerate() {
            let points = || rows.iter().map(|&i| (windows[i], column[i]));
            dots(&mut chart, points(), 3, colour(k).mix(0.5).filled());
            line(&mut chart, &means(points()), colour(k).stroke_width(2));
        }
        area.present().expect("drawing into text cannot fail");
    }
    let networks = different(rows.iter().map(|&i| gates_case(gates, i))).len();
    Ok(Some(Figure {
        name: "gating_course",
        title: "Irrelevant over relevant along a trial",
        caption: format!(
            "{networks} networks whose input has no gate: dots; lines are means. Where evidence is added up, distances along the \
             relevant feature should outgrow the others."
        ),
        alt: "Ratio of distances by window of the trial.".into(),
        tables: &[Gates::NAME],
        svg,
        plot: None,
    }))
}

/// The case of a row; NaN for the generator.
fn gates_case(gates: &Frame<Gates>, row: usize) -> f64 {
    let case = gates.case().ok().and_then(|c| c.get(row).copied().flatten());
    case.map_or(f64::NAN, |c| c as f64)
}

/// Networks through every gate at the end of their trials.
fn removal(gates: &Frame<Gates>) -> Result<Option<Figure>> {
    let (source, gate, window) = (gates.source()?, gates.gate()?, gates.window()?);
    let (ratio, after) = (gates.ratio()?, gates.without_decision()?);
    let last = window.iter().copied().max().unwrap_or(0);
    let rows: Vec<usize> =
        (0..gate.len()).filter(|&i| source[i] == "network" && window[i] == last).collect();
    let values = different(rows.iter().map(|&i| gate[i]));
    if values.len() < 2 {
        return Ok(None);
    }
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [
            key(colour(0), "as measured"),
            key(colour(1), "without choice and decision variable"),
            key(INK, "γ²"),
        ];
        let up = range(rows.iter().flat_map(|&i| [ratio[i], after[i], 0.0, 1.0]));
        let mut chart = chart(
            &area,
            &keys,
            (range([0.0, 1.0]), "γ: the irrelevant input enters times this"),
            (up, "irrelevant over relevant"),
        );
        let curve: Vec<(f64, f64)> =
            (0..=50).map(|k| k as f64 / 50.0).map(|g| (g, g * g)).collect();
        line(&mut chart, &curve, INK.mix(0.6));
        dots(&mut chart, rows.iter().map(|&i| (gate[i], ratio[i])), 4, colour(0).mix(0.7).filled());
        dots(&mut chart, rows.iter().map(|&i| (gate[i], after[i])), 4, colour(1).mix(0.7).filled());
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: "gating_removal",
        title: "Gates at the input, before and after the decision is taken out",
        caption: format!(
            "{} networks at the end of their trials, the irrelevant input multiplied by γ before it enters.",
            rows.len() / values.len()
        ),
        alt: "Ratio of distances by gate, before and after the decision is taken out.".into(),
        tables: &[Gates::NAME],
        svg,
        plot: None,
    }))
}

/// Shares of three mechanisms as places in a triangle.
fn triangle(mechanisms: &Frame<Mechanisms>) -> Result<Option<Figure>> {
    let (direct, selection) = (mechanisms.direct()?, mechanisms.selection()?);
    let (stream, indirect) = (mechanisms.stream()?, mechanisms.indirect()?);
    if stream.is_empty() {
        return Ok(None);
    }
    let height = 3f64.sqrt() / 2.0;
    // Corners: direct left, indirect right, selection vector above.
    let place = |i: usize| (indirect[i] + selection[i] / 2.0, height * selection[i]);
    let corners = [(0.0, 0.0), (1.0, 0.0), (0.5, height), (0.0, 0.0)];
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [key(colour(0), "first stream"), key(colour(1), "second stream")];
        let all = || (0..stream.len()).map(place).chain(corners);
        let (xs, ys) = (range(all().map(|p| p.0)), range(all().map(|p| p.1)));
        let (xs, ys) = equal(xs.start - 0.1..xs.end + 0.1, ys.start - 0.1..ys.end + 0.1, &keys);
        let mut chart = chart(
            &area,
            &keys,
            (xs, "indirect + ½ selection vector"),
            (ys, "selection vector, scaled"),
        );
        line(&mut chart, &corners, INK.mix(0.6));
        for (k, of) in [1, 2].into_iter().enumerate() {
            let own = (0..stream.len()).filter(|&i| stream[i] == of).map(place);
            dots(&mut chart, own, 5, colour(k).mix(0.7).filled());
        }
        // Off the edges.
        let below = |corner: (f64, f64)| (corner.0, corner.1 - 0.06);
        let places = [below(corners[0]), below(corners[1]), (corners[2].0, height + 0.03)];
        for (at, text) in
            places.into_iter().zip(["direct input", "indirect input", "selection vector"])
        {
            name(&mut chart, at, text, GREY);
        }
        area.present().expect("drawing into text cannot fail");
    }
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    Ok(Some(Figure {
        name: "gating_mechanisms",
        title: "By which mechanism a stream is selected",
        caption: format!(
            "{} streams of networks between three pure solutions; what lies outside the triangle has a mechanism that works \
             against selection. Means: direct {:.2}, indirect {:.2}, selection vector {:.2}.",
            stream.len(),
            mean(&direct),
            mean(&indirect),
            mean(&selection)
        ),
        alt: "Shares of three mechanisms as places in a triangle.".into(),
        tables: &[Mechanisms::NAME],
        svg,
        plot: None,
    }))
}
