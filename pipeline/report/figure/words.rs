//! What words do to the network against what their counts say.

use super::Figure;
use super::axes::{self, area, chart, colour, dots, range};
use crate::Result;
use crate::records::{Frame, Modifiers, TextGains, Words};
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;
use std::collections::BTreeMap;

/// Words with fewer occurrences are left out: their counts say little.
const LEAST: usize = 20;
/// Most words in the plot that can be asked, the most frequent.
const PLOTTED: usize = 8000;
/// Quantile of the null beyond which a word counts as a modifier.
const BEYOND: f64 = 0.99;
/// An axis of counts.
const OCCURRENCES: &str = "occurrences, as a power of ten";
/// Rate of false discoveries below which the text tells a word's gain from none.
const CALLED: f64 = 0.05;
/// Half the widest interval of a gain by the text that is shown.
const KNOWN: f64 = 1.0;
/// Words named, at each end.
const NAMED: usize = 6;

/// The figure for the last output; none without words or evidence.
pub fn draw(table: &Frame<Words>) -> Result<Option<Figure>> {
    let words = table.word()?;
    let counts = table.count()?;
    let (evidence, network) = (table.evidence()?, table.network()?);
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
        let named = named.into_iter().map(|i| (points[i], words[kept[i]].as_str()));
        let taken = axes::names(&mut chart, named, axes::GREY);
        dots(&mut chart, taken, 3, colour(1).filled());
        area.present().expect("drawing into text cannot fail");
    }
    let mut order: Vec<usize> = (0..kept.len()).collect();
    order.sort_by(|&a, &b| counts[kept[b]].cmp(&counts[kept[a]]));
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
        tables: &[Words::NAME],
        svg,
        plot: Some(plot),
    }))
}

/// Words as points, those that stand out in a colour of their own.
struct Cloud {
    points: Vec<(f64, f64)>,
    stands_out: Vec<bool>,
    /// Of those that do not, and of those that do.
    names: [&'static str; 2],
    axes: (&'static str, &'static str),
    /// Whether both axes count from zero, or the first alone.
    from_zero: bool,
}

impl Cloud {
    const COLOURS: [usize; 2] = [6, 1];

    fn svg<'a>(&self, named: impl Iterator<Item = ((f64, f64), &'a str)>) -> String {
        let mut svg = String::new();
        let area = area(&mut svg);
        let [plain, strong] = Self::COLOURS.map(colour);
        let keys = [axes::key(plain, self.names[0]), axes::key(strong, self.names[1])];
        let zero = self.from_zero.then_some(0.0);
        let mut chart = chart(
            &area,
            &keys,
            (range(self.points.iter().map(|p| p.0).chain([0.0])), self.axes.0),
            (range(self.points.iter().map(|p| p.1).chain(zero)), self.axes.1),
        );
        if self.from_zero {
            let (x, y) = (chart.x_range(), chart.y_range());
            axes::line(&mut chart, &[(x.start, 0.0), (x.end, 0.0)], axes::GREY.stroke_width(1));
            axes::line(&mut chart, &[(0.0, y.start), (0.0, y.end)], axes::GREY.stroke_width(1));
        }
        for (stands_out, style) in [(false, plain.mix(0.5)), (true, strong.mix(0.8))] {
            let own = self.points.iter().zip(&self.stands_out).filter(|p| *p.1 == stands_out);
            dots(&mut chart, own.map(|p| *p.0), 3, style.filled());
        }
        axes::names(&mut chart, named, axes::GREY);
        area.present().expect("drawing into text cannot fail");
        drop(chart);
        drop(area);
        svg
    }

    /// Points that can be asked, the first [`PLOTTED`].
    ///
    /// * `text`: what is said of each
    fn series(&self, size: f64, opacity: f64, text: impl Fn(usize) -> String) -> Vec<Series> {
        let both = [0, 1].map(|g| (Self::COLOURS[g], self.names[g]));
        let mut series = both.map(|(c, name)| Series::points(name, axes::css(c), size, opacity));
        for (i, &(x, y)) in self.points.iter().enumerate().take(PLOTTED) {
            series[self.stands_out[i] as usize].add(x, y, text(i));
        }
        series.into()
    }
}

/// What the text says a word does to the next ones, and what the network does after it; none for fewer than two words
/// of which the text says enough.
pub fn text_gains(text: &Frame<TextGains>, network: &Frame<Modifiers>) -> Result<Option<Figure>> {
    let (words, gain, rate) = (text.word()?, text.gain()?, text.discovery_rate()?);
    let (low, high) = (text.low()?, text.high()?);
    let measured: BTreeMap<String, f64> =
        network.word()?.into_iter().zip(network.gain()?).collect();
    // The gain of a rare word is anything, and would set the range.
    let settled = text.converged()?;
    let sure = |i: usize| settled[i] && high[i] - low[i] <= 2.0 * KNOWN;
    let shown: Vec<(usize, f64)> = (0..words.len())
        .filter(|&i| sure(i))
        .filter_map(|i| Some((i, *measured.get(&words[i])?)))
        .collect();
    let told = |i: usize| rate[i] < CALLED;
    let mut called: Vec<&(usize, f64)> = shown.iter().filter(|s| told(s.0)).collect();
    called.sort_by(|a, b| gain[b.0].abs().total_cmp(&gain[a.0].abs()));
    if shown.len() < 2 {
        return Ok(None);
    }
    let (across, up) = ("gain on the next words, by the text", "gain, by the network");
    let cloud = Cloud {
        points: shown.iter().map(|s| (gain[s.0], s.1)).collect(),
        stands_out: shown.iter().map(|s| told(s.0)).collect(),
        names: ["not told from none", "told from none by the text"],
        axes: (across, up),
        from_zero: true,
    };
    let named = called.iter().take(4 * NAMED);
    let svg = cloud.svg(named.map(|s| ((gain[s.0], s.1), words[s.0].as_str())));
    let series = cloud.series(7.0, 0.75, |k| {
        let (i, y) = shown[k];
        format!(
            "{}: {:+.2} ({:+.2} to {:+.2}) by the text, {y:+.3} by the network",
            words[i], gain[i], low[i], high[i]
        )
    });
    let alike = called.iter().filter(|s| (s.1 > 0.0) == (gain[s.0] > 0.0)).count();
    Ok(Some(Figure {
        name: "text_gains",
        title: "What the text says a word does to the next ones, and what the network does",
        caption: format!(
            "{} words. Across: how much more or less the next two words count after it, by the labels of the training \
             texts and no network (−2 turns good into as much of bad, +1 doubles it). Up: what the network \
             does. The text tells {} of them from none at a rate of false discoveries of .05; the network changes \
             what follows in the same direction after {alike}. Words whose gain by the text is not \
             known to ±{KNOWN} are left out.",
            shown.len(),
            called.len()
        ),
        alt: format!(
            "Scatter plot of {} words, gain by the network against gain by the text.",
            shown.len()
        ),
        tables: &[TextGains::NAME, Modifiers::NAME],
        svg,
        plot: Some(Plot { series, x: across, y: up, equal: false, search: true }),
    }))
}

/// Words by how they change the reading of others: gain and effect; none for fewer
/// than two words.
pub fn modifiers(table: &Frame<Modifiers>) -> Result<Option<Figure>> {
    let (words, gain, effect) = (table.word()?, table.gain()?, table.effect()?);
    let (tau, beyond, counts) = (table.tau()?, table.null_quantile()?, table.count()?);
    if words.len() < 2 {
        return Ok(None);
    }
    let stands_out = |i: usize| beyond[i] >= BEYOND;
    let at = |i: usize| (gain[i], (counts[i].max(1) as f64).log10());
    // Named on either side are those that change most of the text.
    let mut named: Vec<usize> = (0..words.len()).filter(|&i| stands_out(i)).collect();
    let changed = |i: usize| gain[i].abs() * counts[i] as f64;
    named.sort_by(|&a, &b| changed(b).total_cmp(&changed(a)));
    let turns = |i: &usize| gain[*i] < 0.0;
    let (turning, strengthening): (Vec<usize>, Vec<usize>) = named.into_iter().partition(turns);
    let many = turning.len() + strengthening.len();
    let cloud = Cloud {
        points: (0..words.len()).map(at).collect(),
        stands_out: (0..words.len()).map(stands_out).collect(),
        names: ["within the null", "beyond 99 % of the null"],
        axes: ("gain on the next words", OCCURRENCES),
        from_zero: false,
    };
    let named = turning.iter().take(NAMED).chain(strengthening.iter().take(NAMED));
    let svg = cloud.svg(named.map(|&i| (at(i), words[i].as_str())));
    let series = cloud.series(6.0, 0.7, |i| {
        let lasts =
            if tau[i].is_nan() { String::new() } else { format!(", lasts {:.1} tokens", tau[i]) };
        format!(
            "{}: effect {:.3}, gain {:+.3}{lasts}, {:.0} times",
            words[i], effect[i], gain[i], counts[i]
        )
    });
    Ok(Some(Figure {
        name: "modifiers",
        title: "Words that change how others are read",
        caption: format!(
            "{} words: how the readout of probe words changes after them (−2 turns good into as much of \
             bad, +1 doubles it), and how often they are read. {many} of them lie beyond 99 % of shuffled \
             displacements; named are those that change most of the text, gain times occurrences, on \
             either side.",
            words.len()
        ),
        alt: format!("Scatter plot of {} words, occurrences against gain.", words.len()),
        tables: &[Modifiers::NAME],
        svg,
        plot: Some(Plot {
            series,
            x: "gain on the next words",
            y: OCCURRENCES,
            equal: false,
            search: true,
        }),
    }))
}
