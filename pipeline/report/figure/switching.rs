//! Networks beside their linear systems: roll-outs, expansion points, contexts.

use super::Figure;
use super::axes::{
    self, GREY, INK, area, chart, chart_with, colour, dots, equal, key, line, range, small_power,
};
use crate::Result;
use crate::records::{
    ContextSelection, ContextTrajectories, ExpansionPoints, Frame, SwitchingTraining,
    SwitchingTrials,
};
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;

/// A figure's name for the part it is of; a page has a handful of them.
fn named(kind: &str, part: usize) -> &'static str {
    format!("{kind}_{}", part + 1).leak()
}

/// Rows of the first seed of a part.
fn first_seed(parts: &[String], seeds: &[usize], part: &str) -> Vec<usize> {
    let of = |i: &usize| parts[*i] == part;
    let Some(seed) = (0..parts.len()).filter(of).map(|i| seeds[i]).min() else { return Vec::new() };
    (0..parts.len()).filter(|i| of(i) && seeds[*i] == seed).collect()
}

/// Most outputs that are drawn.
const OUTPUTS: usize = 3;

/// Outputs of the network and of the linear system along the first trial that is shown, one above the other.
pub fn roll_out(
    trials: &Frame<SwitchingTrials>,
    part: &str,
    number: usize,
) -> Result<Option<Figure>> {
    let rows = first_seed(&trials.part()?, &trials.seed()?, part);
    let (trial, step) = (trials.trial()?, trials.step()?);
    let Some(first) = rows.first().map(|&i| trial[i]) else { return Ok(None) };
    let rows: Vec<usize> = rows.into_iter().filter(|&i| trial[i] == first).collect();
    let (target, own) = (trials.target()?, trials.outputs()?);
    let linear = trials.linear_outputs()?;
    let count = own[rows[0]].len().min(OUTPUTS);
    let all = || rows.iter().flat_map(|&i| own[i].iter().chain(&linear[i]).chain(&target[i]));
    let bounds = range(all().copied());
    let apart = if count > 1 { 1.1 * (bounds.end - bounds.start) } else { 0.0 };
    let shifted = |of: &[Vec<f64>], k: usize| -> Vec<(f64, f64)> {
        let there = rows.iter().filter(|&&i| of[i].len() > k);
        there.map(|&i| (step[i] as f64, of[i][k] - apart * k as f64)).collect()
    };
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [
            key(GREY, "what should come out"),
            key(colour(0), "network"),
            key(colour(1), "linear system (dots)"),
        ];
        let xs = range(rows.iter().map(|&i| step[i] as f64));
        let ys = bounds.start - apart * (count - 1) as f64..bounds.end;
        let up = if count > 1 { "outputs, one below the other" } else { "output" };
        let mut chart = chart(&area, &keys, (xs, "step"), (ys, up));
        for k in 0..count {
            line(&mut chart, &shifted(&target, k), GREY.stroke_width(5));
            line(&mut chart, &shifted(&own, k), colour(0).stroke_width(2));
            dots(&mut chart, shifted(&linear, k), 4, colour(1).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: named("roll_out", number),
        title: named_title("Both roll-outs along a trial", part),
        caption: format!(
            "{part}: a test trial of {} steps. The linear system starts where the network does and is never corrected.",
            rows.len()
        ),
        alt: format!("Outputs of the network and of its linear system over {} steps.", rows.len()),
        tables: &[SwitchingTrials::NAME],
        svg,
        plot: None,
    }))
}

fn named_title(title: &str, part: &str) -> &'static str {
    format!("{title}: {part}").leak()
}

/// Expansion points in the plane of the states' first two components.
pub fn points(
    points: &Frame<ExpansionPoints>,
    part: &str,
    number: usize,
) -> Result<Option<Figure>> {
    let rows = first_seed(&points.part()?, &points.seed()?, part);
    if rows.is_empty() {
        return Ok(None);
    }
    let (x, y, cluster) = (points.pc_1()?, points.pc_2()?, points.cluster()?);
    let (word, trial, step) = (points.word()?, points.trial()?, points.step()?);
    let groups = rows.iter().filter_map(|&i| cluster[i]).max().map_or(0, |c| c + 1);
    let painted = |i: usize| match cluster[i] {
        Some(c) => colour(c % 6),
        None => GREY,
    };
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [key(INK, format!("{groups} clusters")), key(GREY, "scattered")];
        let (xs, ys) = (range(rows.iter().map(|&i| x[i])), range(rows.iter().map(|&i| y[i])));
        let (xs, ys) = equal(xs, ys, &keys);
        let names = ("first component of the states", "second component");
        let mut chart = chart(&area, &keys, (xs, names.0), (ys, names.1));
        for &i in &rows {
            dots(&mut chart, [(x[i], y[i])], 3, painted(i).mix(0.6).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let mut series = vec![Series::points("expansion points", axes::css(0), 6.0, 0.6)];
    for &i in &rows {
        let said = if word[i].is_empty() { String::new() } else { format!("{}, ", word[i]) };
        let group = cluster[i].map_or("scattered".into(), |c| format!("cluster {c}"));
        series[0].add(x[i], y[i], format!("{said}trial {}, step {}, {group}", trial[i], step[i]));
    }
    Ok(Some(Figure {
        name: named("expansion_points", number),
        title: named_title("Where the network is linearised", part),
        caption: format!(
            "{part}: {} expansion points of test trials, without any search. Colours repeat after six clusters; clusters \
             that lie over each other here may be apart along a third component.",
            rows.len()
        ),
        alt: format!("{} expansion points in {groups} clusters.", rows.len()),
        tables: &[ExpansionPoints::NAME],
        svg,
        plot: Some(Plot {
            series,
            x: "first component of the states",
            y: "second component",
            equal: true,
            search: !word[rows[0]].is_empty(),
        }),
    }))
}

/// Mean trajectories under both contexts along choice and the first stream, with selection vectors.
pub fn contexts(
    paths: &Frame<ContextTrajectories>,
    selection: &Frame<ContextSelection>,
    part: &str,
    number: usize,
) -> Result<Option<Figure>> {
    let rows = first_seed(&paths.part()?, &paths.seed()?, part);
    let (context, step) = (paths.context()?, paths.step()?);
    let (bias_1, bias_2) = (paths.bias_1()?, paths.bias_2()?);
    let (state, points) = (paths.state()?, paths.expansion_point()?);
    if rows.is_empty() {
        return Ok(None);
    }
    let at = |of: &[Vec<f64>], i: usize| (of[i][0], of[i][1]);
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [
            key(colour(0), "first stream cued"),
            key(colour(1), "second stream cued"),
            key(INK, "expansion points"),
        ];
        let both = || rows.iter().flat_map(|&i| [at(&state, i), at(&points, i)]);
        let (xs, ys) = (range(both().map(|p| p.0)), range(both().map(|p| p.1)));
        let mut chart = chart(&area, &keys, (xs, "choice"), (ys, "first stream"));
        let mut from = 0;
        for end in 1..=rows.len() {
            let ends = end == rows.len() || step[rows[end]] == 0;
            if ends {
                let path: Vec<(f64, f64)> =
                    rows[from..end].iter().map(|&i| at(&state, i)).collect();
                line(&mut chart, &path, colour(context[rows[from]]).mix(0.6).stroke_width(1));
                from = end;
            }
        }
        let places = rows.iter().filter(|&&i| step[i] >= 2).map(|&i| at(&points, i));
        dots(&mut chart, places, 1, INK.mix(0.4).filled());
        area.present().expect("drawing into text cannot fail");
    }
    let of = first_seed(&selection.part()?, &selection.seed()?, part);
    let (along, which) = (selection.along()?, selection.context()?);
    let told: Vec<String> = of
        .iter()
        .map(|&i| {
            let [_, a, b] = along[i][..] else { return String::new() };
            format!(
                "context {}: {a:.2} along the first stream, {b:.2} along the second",
                which[i] + 1
            )
        })
        .collect();
    let biases = rows.iter().filter(|&&i| step[i] == 0).count();
    Ok(Some(Figure {
        name: named("contexts", number),
        title: named_title("One line a context", part),
        caption: format!(
            "{part}: means of trials with {biases} pairs of biases ({:.3} to {:.3} and {:.3} to {:.3}). The selection vector \
             of the slowest mode reads: {}.",
            range_of(&bias_1).0,
            range_of(&bias_1).1,
            range_of(&bias_2).0,
            range_of(&bias_2).1,
            told.join("; ")
        ),
        alt: "Mean trajectories under both contexts.".into(),
        tables: &[ContextTrajectories::NAME, ContextSelection::NAME],
        svg,
        plot: None,
    }))
}

fn range_of(values: &[f64]) -> (f64, f64) {
    values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &x| (l.min(x), h.max(x)))
}

/// The terms of the loss along training.
pub fn training(
    rows: &Frame<SwitchingTraining>,
    part: &str,
    number: usize,
) -> Result<Option<Figure>> {
    let training = rows.training()?;
    let of: Vec<usize> = first_seed(&rows.part()?, &rows.seed()?, part)
        .into_iter()
        .filter(|&i| training[i] == "joint")
        .collect();
    if of.is_empty() {
        return Ok(None);
    }
    let step = rows.step()?;
    let terms = [
        ("network", rows.rnn()?),
        ("linear system", rows.jslds()?),
        ("expansion points", rows.expansion()?),
        ("states", rows.state()?),
    ];
    let log = |x: f64| x.max(1e-12).log10();
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<axes::Key> =
            terms.iter().enumerate().map(|(k, (name, _))| key(colour(k), *name)).collect();
        let xs = range(of.iter().map(|&i| step[i] as f64));
        let ys = range(terms.iter().flat_map(|(_, t)| of.iter().map(|&i| log(t[i]))));
        let mut chart = chart_with(&area, &keys, (xs, "training steps"), (ys, "loss"), small_power);
        for (k, (_, values)) in terms.iter().enumerate() {
            let path: Vec<(f64, f64)> =
                of.iter().map(|&i| (step[i] as f64, log(values[i]))).collect();
            line(&mut chart, &path, colour(k).stroke_width(2));
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: named("training", number),
        title: named_title("Training", part),
        caption: format!("{part}: the four terms of the loss, before their weights."),
        alt: "The terms of the loss along training.".into(),
        tables: &[SwitchingTraining::NAME],
        svg,
        plot: None,
    }))
}
