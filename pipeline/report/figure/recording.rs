//! A recording beside networks: kernels, explained variance, portraits, confusion.

use super::Figure;
use super::axes::{
    INK, area, chart, chart_both, colour, dots, draw, key, line, name, nothing, plain, power, range,
};
use crate::Result;
use crate::records::{Blocks, Confusion, Frame, Portraits};
use plotters::prelude::*;

/// Every figure for which there are rows.
pub fn all(
    blocks: &Frame<Blocks>,
    portraits: &Frame<Portraits>,
    confusion: &Frame<Confusion>,
) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    figures.extend(kernels(blocks)?);
    figures.extend(explained(blocks)?);
    figures.extend(dynamics(portraits)?);
    figures.extend(confused(confusion)?);
    Ok(figures)
}

/// Names in the order of their first row.
fn names(of: &[String]) -> Vec<&str> {
    let mut all: Vec<&str> = Vec::new();
    for name in of {
        if !all.contains(&name.as_str()) {
            all.push(name);
        }
    }
    all
}

fn kernels(blocks: &Frame<Blocks>) -> Result<Option<Figure>> {
    let (mut strategy, kernel) = (blocks.strategy()?, blocks.kernel()?);
    // A recording of one's own has none that is known.
    strategy.iter_mut().filter(|s| s.is_empty()).for_each(|s| *s = "not known".into());
    let bins = kernel.first().map_or(0, Vec::len);
    if bins == 0 {
        return Ok(None);
    }
    let strategies = names(&strategy);
    // Weights hang on how noisy choices are: only their course is compared.
    let relative = |k: &Vec<f64>| -> Vec<(f64, f64)> {
        let mean = k.iter().sum::<f64>() / k.len() as f64;
        k.iter().enumerate().map(|(b, w)| ((b + 1) as f64, w / mean)).collect()
    };
    let lines: Vec<Vec<(f64, f64)>> = kernel.iter().map(relative).collect();
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<_> = strategies.iter().enumerate().map(|(s, n)| key(colour(s), *n)).collect();
        let up = range(lines.iter().flatten().map(|p| p.1).chain([0.0]));
        let across = range([1.0, bins as f64]);
        let mut chart = chart(
            &area,
            &keys,
            (across, "time bin of the trial"),
            (up, "weight in the choice, of its mean"),
        );
        for (i, points) in lines.iter().enumerate() {
            let s = strategies.iter().position(|n| *n == strategy[i]).unwrap_or(0);
            line(&mut chart, points, colour(s).mix(0.6).stroke_width(2));
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: "kernels",
        title: "How much evidence weighs, by when it came",
        caption: format!(
            "{} blocks: logistic regression of the choice on the evidence of {bins} time bins. A leak weighs late evidence \
             more, a bound early evidence.",
            lines.len()
        ),
        alt: "Weights of evidence by time bin, a line a block.".into(),
        tables: &[Blocks::NAME],
        svg,
        plot: None,
    }))
}

fn explained(blocks: &Frame<Blocks>) -> Result<Option<Figure>> {
    let number = blocks.block()?;
    let columns = [blocks.task_part()?, blocks.movement_part()?];
    let planted = [blocks.task_planted()?, blocks.movement_planted()?];
    let unique = [blocks.task_unique()?, blocks.movement_unique()?];
    if number.is_empty() {
        return Ok(None);
    }
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = [
            key(colour(0), "task"),
            key(colour(1), "movements, on top"),
            key(INK, "line: planted; dots: lost without it"),
        ];
        let most = number.len() as f64;
        let mut chart =
            chart(&area, &keys, (0.4..most + 0.6, "block"), (0.0..1.0, "share of the variance"));
        for i in 0..number.len() {
            let x = (i + 1) as f64;
            let mut below = 0.0;
            for (g, heights) in columns.iter().enumerate() {
                // Movements may not have been measured.
                let height = heights[i].max(0.0);
                let corners = [(x - 0.4, below), (x + 0.4, below + height)];
                draw(&mut chart, [Rectangle::new(corners, colour(g).mix(0.5).filled())]);
                below += height;
            }
            let (task, both) = (planted[0][i], planted[0][i] + planted[1][i]);
            for y in [task, both] {
                line(&mut chart, &[(x - 0.45, y), (x + 0.45, y)], INK.stroke_width(2));
            }
            for (g, alone) in unique.iter().enumerate() {
                dots(&mut chart, [(x, alone[i])], 4, colour(g).filled());
            }
        }
        area.present().expect("drawing into text cannot fail");
    }
    let shown = number.len();
    Ok(Some(Figure {
        name: "explained",
        title: "What task and movements explain",
        caption: format!(
            "{shown} blocks: variance of the part of each group in held-out predictions of a ridge regression, stacked; lines \
             are what was planted. Dots: what the model loses when a group is shuffled."
        ),
        alt: "Stacked shares of variance of task and movements, a bar a block.".into(),
        tables: &[Blocks::NAME],
        svg,
        plot: None,
    }))
}

fn dynamics(portraits: &Frame<Portraits>) -> Result<Option<Figure>> {
    let (strategy, role) = (portraits.strategy()?, portraits.role()?);
    let (tau, stable) = (portraits.tau()?, portraits.stable()?);
    let known: Vec<usize> =
        (0..tau.len()).filter(|&i| tau[i].is_finite() && tau[i] > 0.0).collect();
    if known.is_empty() {
        return Ok(None);
    }
    let strategies = names(&strategy);
    let x = |i: usize| tau[i].min(1e4).log10();
    // Networks that agree would lie on each other.
    let y = |i: usize| stable[i] + 0.05 * ((i % 7) as f64 - 3.0);
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let mut keys: Vec<_> =
            strategies.iter().enumerate().map(|(s, n)| key(colour(s), *n)).collect();
        keys.push(key(INK, "larger: candidates"));
        let axes = (
            (range(known.iter().map(|&i| x(i))), "steps for which evidence is kept"),
            (range(known.iter().map(|&i| y(i)).chain([0.0])), "proved stable points"),
        );
        let mut chart = chart_both(&area, &keys, axes.0, axes.1, (power, plain));
        for &i in &known {
            let s = strategies.iter().position(|n| *n == strategy[i]).unwrap_or(0);
            let size = if role[i] == "candidate" { 7 } else { 4 };
            dots(&mut chart, [(x(i), y(i))], size, colour(s).mix(0.6).filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    Ok(Some(Figure {
        name: "portraits",
        title: "Fixed points of the strategies",
        caption: format!(
            "{} networks. Perfect integration: a line of slow points; a leak: one stable point as fast as the leak; a bound: \
             stable ends. 10,000 steps are for ever; dots are moved apart a little.",
            known.len()
        ),
        alt: "Networks by slowest time constant and number of stable points.".into(),
        tables: &[Portraits::NAME],
        svg,
        plot: None,
    }))
}

fn confused(confusion: &Frame<Confusion>) -> Result<Option<Figure>> {
    let (measure, cell) = (confusion.measure()?, confusion.cell()?);
    let (truth, said, count) = (confusion.strategy()?, confusion.inferred()?, confusion.count()?);
    if count.is_empty() {
        return Ok(None);
    }
    let ways: Vec<String> =
        measure.iter().zip(&cell).map(|(m, c)| format!("{m} {c}").trim().to_string()).collect();
    let each = names(&ways);
    // Kernels tell kinds of strategies, and may speak of a kind that no block has.
    let of = |way: &str| -> [Vec<&str>; 2] {
        let rows: Vec<usize> = (0..count.len()).filter(|&i| ways[i] == way).collect();
        [&truth, &said].map(|column| {
            let mut all: Vec<&str> = Vec::new();
            for name in rows.iter().map(|&i| column[i].as_str()) {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
            all
        })
    };
    let sets: Vec<[Vec<&str>; 2]> = each.iter().map(|way| of(way)).collect();
    let widest = sets.iter().map(|s| s[1].len()).max().unwrap_or(1);
    let tallest = sets.iter().map(|s| s[0].len()).max().unwrap_or(1);
    let place = |all: &[&str], s: &str| all.iter().position(|n| *n == s).unwrap_or(0) as f64;
    // Rows are named at the left of the first matrix, and again where another has other rows.
    const BESIDE: f64 = 2.4;
    let named = |w: usize| w == 0 || sets[w][0] != sets[w - 1][0];
    let mut lefts = Vec::new();
    let mut at = 0.0;
    for w in 0..each.len() {
        at += if named(w) { BESIDE } else { 0.0 };
        lefts.push(at);
        at += widest as f64 + 1.0;
    }
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let mut chart = chart_both(
            &area,
            &[],
            (-0.3..at, "inferred strategy (columns), by measure"),
            (-0.7..tallest as f64 + 0.7, "strategy of the block"),
            (nothing, nothing),
        );
        for (w, way) in each.iter().enumerate() {
            let ([rows, columns], left) = (&sets[w], lefts[w]);
            for i in (0..count.len()).filter(|&i| ways[i] == **way) {
                let (x, y) = (left + place(columns, &said[i]), place(rows, &truth[i]));
                let all: usize = (0..count.len())
                    .filter(|&j| ways[j] == ways[i] && truth[j] == truth[i])
                    .map(|j| count[j])
                    .sum();
                let share = count[i] as f64 / all.max(1) as f64;
                let corners = [(x, y), (x + 0.95, y + 0.95)];
                draw(
                    &mut chart,
                    [Rectangle::new(corners, colour(0).mix(0.08 + 0.8 * share).filled())],
                );
                name(&mut chart, (x + 0.3, y + 0.4), &count[i].to_string(), INK);
            }
            for (k, column) in columns.iter().enumerate() {
                // Columns are narrow: their first letters, in full at the rows and in the caption.
                let short = match column.split_once(' ') {
                    Some((kind, number)) => {
                        format!("{} {number}", kind.chars().take(1).collect::<String>())
                    }
                    None => column.chars().take(4).collect(),
                };
                name(&mut chart, (left + k as f64, -0.3), &short, INK);
            }
            if named(w) {
                for (k, row) in rows.iter().enumerate() {
                    name(&mut chart, (left - BESIDE, k as f64 + 0.4), row, INK);
                }
            }
            name(&mut chart, (left, rows.len() as f64 + 0.3), way, INK);
        }
        area.present().expect("drawing into text cannot fail");
    }
    let listed: Vec<String> = each
        .iter()
        .zip(&sets)
        .map(|(way, [_, columns])| format!("{way}: {}", columns.join(", ")))
        .collect();
    Ok(Some(Figure {
        name: "confusion",
        title: "Which strategy is inferred",
        caption: format!(
            "Blocks by strategy (rows) and inferred strategy (columns, by their first letters), for the kernel, which tells kinds alone, and \
             for the nearest candidate by each measure. Columns: {}.",
            listed.join("; ")
        ),
        alt: "Confusion matrices of strategies.".into(),
        tables: &[Confusion::NAME],
        svg,
        plot: None,
    }))
}
