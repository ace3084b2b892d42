//! What words do to the network against what their counts say.

use super::Figure;
use super::axes::{self, area, chart, colour, dots, range};
use crate::Result;
use crate::report::Frame;
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;

/// Words with fewer occurrences are left out: their counts say little.
const LEAST: f64 = 20.0;
/// Most words in the plot that can be asked, the most frequent.
const PLOTTED: usize = 8000;
/// Quantile of the null beyond which a word counts as a modifier.
const BEYOND: f64 = 0.99;
/// Words named, at each end.
const NAMED: usize = 6;

/// The figure for the last output; none without words or evidence.
pub fn draw(table: &Frame) -> Result<Option<Figure>> {
    let words = table.text("word")?;
    let counts = table.f64("count")?;
    let (evidence, network) = (table.lists("evidence")?, table.lists("network")?);
    let Some(output) = network.first().map(Vec::len).filter(|n| *n > 0) else { return Ok(None) };
    let labels = evidence.first().map_or(0, Vec::len);
    if labels == 0 {
        return Ok(None);
    }
    // One logit speaks for the second of two labels.
    let (output, label) = if output == 1 { (0, labels - 1) } else { (0, 0) };
    let kept: Vec<usize> = (0..words.len()).filter(|&w| counts[w] >= LEAST).collect();
    if kept.len() < 2 {
        return Ok(None);
    }
    let points: Vec<(f64, f64)> =
        kept.iter().map(|&w| (evidence[w][label], network[w][output])).collect();
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let mut chart = chart(
            &area,
            &[],
            (range(points.iter().map(|p| p.0)), "evidence by counts, log-odds (nats)"),
            (range(points.iter().map(|p| p.1)), "readout change by the network (logits)"),
        );
        dots(&mut chart, points.iter().copied(), 2, colour(0).mix(0.45).filled());
        let mut order: Vec<usize> = (0..kept.len()).collect();
        order.sort_by(|&a, &b| points[a].1.total_cmp(&points[b].1));
        let ends = order.len().min(NAMED);
        let mut named: Vec<usize> = order[..ends].to_vec();
        named.extend(&order[order.len() - ends..]);
        named.sort_unstable();
        named.dedup();
        let mut taken: Vec<(f64, f64)> = Vec::new();
        let span = |r: std::ops::Range<f64>| r.end - r.start;
        let (width, height) =
            (span(range(points.iter().map(|p| p.0))), span(range(points.iter().map(|p| p.1))));
        for i in named {
            let p = points[i];
            // A name that would lie on another one is left out.
            let covered = |t: &(f64, f64)| {
                (t.0 - p.0).abs() < 0.14 * width && (t.1 - p.1).abs() < 0.04 * height
            };
            if taken.iter().any(covered) {
                continue;
            }
            taken.push(p);
            dots(&mut chart, [p], 3, colour(1).filled());
            axes::name(&mut chart, p, &words[kept[i]], axes::GREY);
        }
        area.present().expect("drawing into text cannot fail");
    }
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by(|&a, &b| counts[kept[b]].total_cmp(&counts[kept[a]]));
    let mut series = Series::points("words", axes::css(0), 5.0, 0.5);
    for i in order.into_iter().take(PLOTTED) {
        let ((x, y), w) = (points[i], kept[i]);
        let text = format!("{}: network {y:+.2}, counts {x:+.2}, {:.0} times", words[w], counts[w]);
        series.add(x, y, text);
    }
    let plot = Plot {
        series: vec![series],
        x: "evidence by counts, log-odds (nats)",
        y: "readout change by the network (logits)",
        equal: false,
        search: true,
    };
    Ok(Some(Figure {
        name: "words",
        title: "What each word does",
        caption: format!(
            "{} words with at least {LEAST} training occurrences: how far the word moves the \
             network's readout at the central state, against the log-odds of its counts \
             (first output; the second class where there is one logit).",
            kept.len()
        ),
        alt: format!("Scatter plot of {} words, network against counts.", kept.len()),
        tables: &["words"],
        svg,
        plot: Some(plot),
    }))
}

/// Words by how they change the reading of others: gain and effect; none for fewer
/// than two words.
pub fn modifiers(table: &Frame) -> Result<Option<Figure>> {
    let (words, gain, effect) = (table.text("word")?, table.f64("gain")?, table.f64("effect")?);
    let (tau, beyond, counts) =
        (table.f64("tau")?, table.f64("null_quantile")?, table.f64("count")?);
    if words.len() < 2 {
        return Ok(None);
    }
    let group = |i: usize| (beyond[i] >= BEYOND) as usize;
    let names = ["within the null", "beyond 99 % of the null"];
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [axes::key(colour(6), names[0]), axes::key(colour(1), names[1])];
        let mut chart = chart(
            &area,
            &keys,
            (range(gain.iter().copied().chain([0.0])), "gain on the next words"),
            (range(effect.iter().copied().chain([0.0])), "effect on the probes, share"),
        );
        for (g, style) in [(0, colour(6).mix(0.5)), (1, colour(1).mix(0.8))] {
            let points = (0..words.len()).filter(|&i| group(i) == g);
            dots(&mut chart, points.map(|i| (gain[i], effect[i])), 3, style.filled());
        }
        // The table is sorted, strongest first.
        for i in 0..words.len().min(NAMED) {
            axes::name(&mut chart, (gain[i], effect[i]), &words[i], axes::GREY);
        }
        area.present().expect("drawing into text cannot fail");
    }
    let mut series = [6, 1].map(|c| Series::points("", axes::css(c), 6.0, 0.7));
    for i in 0..words.len().min(PLOTTED) {
        let lasts =
            if tau[i].is_nan() { String::new() } else { format!(", lasts {:.1} tokens", tau[i]) };
        let text = format!(
            "{}: effect {:.3}, gain {:+.3}{lasts}, {:.0} times",
            words[i], effect[i], gain[i], counts[i]
        );
        series[group(i)].add(gain[i], effect[i], text);
    }
    for (series, name) in series.iter_mut().zip(names) {
        series.name = name.into();
    }
    let many = (0..words.len()).filter(|&i| group(i) == 1).count();
    Ok(Some(Figure {
        name: "modifiers",
        title: "Words that change how others are read",
        caption: format!(
            "{} words: how much the readout of probe words changes after them, against the \
             direction of the change (−2 turns good into as much of bad, +1 doubles it). {many} of \
             them lie beyond 99 % of shuffled displacements.",
            words.len()
        ),
        alt: format!("Scatter plot of {} words, effect against gain.", words.len()),
        tables: &["modifiers"],
        svg,
        plot: Some(Plot {
            series: series.into(),
            x: "gain on the next words",
            y: "effect on the probes, share",
            equal: false,
            search: true,
        }),
    }))
}
