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
