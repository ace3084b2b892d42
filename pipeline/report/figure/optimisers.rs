//! Learned optimisers: losses, modes as momentum, update functions, schedules, arms.

use super::Figure;
use super::axes::{
    self, GREY, INK, Key, area, chart, chart_with, colour, dots, equal, key, line, range,
    small_power,
};
use crate::Result;
use crate::records::*;
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;

/// A named line.
struct Curve {
    key: Key,
    points: Vec<(f64, f64)>,
    width: u32,
}

impl Curve {
    fn new(i: usize, name: impl Into<String>, points: Vec<(f64, f64)>) -> Self {
        Self { key: key(colour(i), name), points, width: 2 }
    }
}

/// Words of a figure.
struct Words {
    name: &'static str,
    title: &'static str,
    caption: String,
    x: &'static str,
    y: &'static str,
    tables: &'static [&'static str],
}

/// Lines on two axes; up the side plain numbers or powers of ten.
fn lines(
    words: Words,
    curves: &[Curve],
    powers: bool,
    bands: &[(usize, Vec<(f64, f64)>)],
) -> Figure {
    let keys: Vec<Key> = curves.iter().map(|c| c.key.clone()).collect();
    let all = || curves.iter().flat_map(|c| c.points.iter());
    let (xs, ys) = (range(all().map(|p| p.0)), range(all().map(|p| p.1)));
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let up: axes::Numbers = if powers { small_power } else { axes::plain };
        let mut chart = chart_with(&area, &keys, (xs, words.x), (ys, words.y), up);
        for (i, band) in bands {
            let style = curves[*i].key.colour.mix(0.15);
            let inside =
                band.iter().map(|&(x, y)| (x, y.clamp(chart.y_range().start, chart.y_range().end)));
            let inside: Vec<(f64, f64)> = inside.collect();
            axes::draw(&mut chart, [Polygon::new(inside, style.filled())]);
        }
        for curve in curves {
            line(&mut chart, &curve.points, curve.key.colour.stroke_width(curve.width));
        }
        area.present().expect("drawing into text cannot fail");
    }
    let shown: Vec<&str> = keys.iter().map(|k| k.name.as_str()).collect();
    Figure {
        name: words.name,
        title: words.title,
        alt: format!("{}: {}.", words.title, shown.join(", ")),
        caption: words.caption,
        tables: words.tables,
        svg,
        plot: Some(Plot {
            series: curves
                .iter()
                .map(|c| {
                    let RGBColor(r, g, b) = c.key.colour;
                    Series::line(&c.key.name, format!("#{r:02x}{g:02x}{b:02x}"), &c.points)
                })
                .collect(),
            x: words.x,
            y: words.y,
            equal: false,
            search: false,
        }),
    }
}

/// Values that occur, in the order in which they do.
fn kinds<T: PartialEq + Clone>(values: &[T]) -> Vec<T> {
    let mut all: Vec<T> = Vec::new();
    for value in values {
        if !all.contains(value) {
            all.push(value.clone());
        }
    }
    all
}

/// The name of a learned optimiser.
fn named(network: usize) -> String {
    format!("optimiser {network}")
}

/// All figures of a run, in the order of the page.
///
/// * `optimum`: the best momentum `(α*, β*)` where it is known
///
/// # Errors
/// [`crate::Error::Polars`] if a table cannot be understood.
pub fn all(run: &std::path::Path, optimum: Option<(f64, f64)>) -> Result<Vec<Figure>> {
    let mut figures = losses(run)?;
    figures.push(training(run)?);
    figures.push(spectrum(run)?);
    figures.push(momentum(run, optimum)?);
    figures.push(along_mode(run)?);
    figures.push(clipping(run)?);
    figures.push(schedule(run)?);
    figures.push(arms(run)?);
    figures.push(rates(run)?);
    Ok(figures)
}

/// Loss curves on test problems; a figure for the problems of training, one for all others.
fn losses(run: &std::path::Path) -> Result<Vec<Figure>> {
    let table = LossCurves::read(run)?;
    let (problems, optimiser) = (table.problems()?, table.optimiser()?);
    let (network, step) = (table.network()?, table.step()?);
    let (loss, error) = (table.loss()?, table.error()?);
    let score = OptimiserScores::read(run)?.n()?.into_iter().max().unwrap_or(0);
    let mut figures = Vec::new();
    for (number, family) in kinds(&problems).into_iter().enumerate().take(2) {
        let rows: Vec<usize> = (0..step.len()).filter(|&i| problems[i] == family).collect();
        let who: Vec<(String, Option<usize>)> =
            kinds(&rows.iter().map(|&i| (optimiser[i].clone(), network[i])).collect::<Vec<_>>());
        let (mut curves, mut bands, mut lost) = (Vec::new(), Vec::new(), Vec::new());
        let least =
            rows.iter().map(|&i| loss[i]).filter(|l| *l > 0.0).fold(f64::INFINITY, f64::min);
        // Methods first: the learned ones are drawn over them.
        for (i, (name, of)) in who.iter().enumerate() {
            let own =
                || rows.iter().copied().filter(|&r| optimiser[r] == *name && network[r] == *of);
            // Nothing is drawn of what diverged: `max` with a NaN would be the lowest of all.
            let known = || own().filter(|&r| loss[r].is_finite());
            let log = |x: f64| if x.is_nan() { f64::NAN } else { x.max(least).log10() };
            let points: Vec<(f64, f64)> = known().map(|r| (step[r] as f64, log(loss[r]))).collect();
            if points.is_empty() {
                lost.push(of.map_or(name.clone(), |n| format!("learned {n}")));
                continue;
            }
            let shown = of.map_or(name.clone(), |n| format!("learned {n}"));
            let mut curve = Curve::new(i, shown, points);
            if of.is_some() {
                curve.key.colour = INK;
            }
            let edge = |sign: f64| -> Vec<(f64, f64)> {
                let at = |r: usize| (step[r] as f64, log(loss[r] + sign * error[r]));
                known().filter(|&r| error[r].is_finite()).map(at).collect()
            };
            let mut band = edge(1.0);
            band.extend(edge(-1.0).into_iter().rev());
            bands.push((curves.len(), band));
            curves.push(curve);
        }
        let (name, title) = match number {
            0 => ("losses", "Learned against tuned"),
            _ => ("losses_elsewhere", "On problems of another kind"),
        };
        let caption = format!(
            "{family}: mean loss over at most {score} test problems (logarithmic), with its standard error. Every method \
             was tuned by random search on the same objective; the learned optimisers (black) were trained on other \
             problems.{}",
            match lost.is_empty() {
                true => String::new(),
                false =>
                    format!(" Not drawn, as they diverge on every problem: {}.", lost.join(", ")),
            }
        );
        let words = Words {
            name,
            title,
            caption,
            x: "step",
            y: "loss",
            tables: &[LossCurves::NAME, OptimiserScores::NAME, TunedMethods::NAME],
        };
        figures.push(lines(words, &curves, true, &bands));
    }
    Ok(figures)
}

fn training(run: &std::path::Path) -> Result<Figure> {
    let table = MetaTraining::read(run)?;
    let (network, step, objective) = (table.network()?, table.step()?, table.objective()?);
    let curves: Vec<Curve> = kinds(&network)
        .into_iter()
        .enumerate()
        .map(|(i, n)| {
            let own = (0..step.len()).filter(|&r| network[r] == n && objective[r] > 0.0);
            let points = own.map(|r| (step[r] as f64, objective[r].log10()));
            Curve { width: 1, ..Curve::new(i, named(n), points.collect()) }
        })
        .collect();
    let caption = "What was minimised: the objective on the problems of each step, all of them new (logarithmic). 1 is an \
                   optimiser that does nothing.";
    let words = Words {
        name: "meta_training",
        title: "Learning to optimise",
        caption: caption.into(),
        x: "step of training",
        y: "objective",
        tables: &[MetaTraining::NAME],
    };
    Ok(lines(words, &curves, true, &[]))
}

/// Points of each network on two axes.
fn scatter(
    words: Words,
    groups: &[(Key, Vec<(f64, f64)>)],
    square: bool,
    behind: &[(f64, f64)],
    marks: &[((f64, f64), &str)],
) -> Figure {
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys: Vec<Key> = groups.iter().map(|g| g.0.clone()).collect();
        let all = || {
            let points = groups.iter().flat_map(|g| g.1.iter()).chain(behind);
            points.copied().chain(marks.iter().map(|m| m.0))
        };
        let (xs, ys) = (range(all().map(|p| p.0)), range(all().map(|p| p.1)));
        let (xs, ys) = if square { equal(xs, ys, &keys) } else { (xs, ys) };
        let mut chart = chart(&area, &keys, (xs, words.x), (ys, words.y));
        line(&mut chart, behind, GREY.stroke_width(1));
        for (key, points) in groups {
            dots(&mut chart, points.iter().copied(), 4, key.colour.mix(0.75).filled());
        }
        for (at, text) in marks {
            axes::draw(&mut chart, [Cross::new(*at, 7, INK.stroke_width(2))]);
            axes::name(&mut chart, *at, text, INK);
        }
        area.present().expect("drawing into text cannot fail");
    }
    let series = groups.iter().map(|(key, points)| {
        let RGBColor(r, g, b) = key.colour;
        let mut series = Series::points(&key.name, format!("#{r:02x}{g:02x}{b:02x}"), 7.0, 0.8);
        points.iter().for_each(|p| series.add(p.0, p.1, key.name.clone()));
        series
    });
    Figure {
        name: words.name,
        title: words.title,
        alt: format!("{}.", words.title),
        caption: words.caption,
        tables: words.tables,
        plot: Some(Plot {
            series: series.collect(),
            x: words.x,
            y: words.y,
            equal: square,
            search: false,
        }),
        svg,
    }
}

fn spectrum(run: &std::path::Path) -> Result<Figure> {
    let table = OptimiserModes::read(run)?;
    let (network, re, im) = (table.network()?, table.beta()?, table.beta_imaginary()?);
    let groups: Vec<(Key, Vec<(f64, f64)>)> = kinds(&network)
        .into_iter()
        .enumerate()
        .map(|(i, n)| {
            let own = (0..re.len()).filter(|&r| network[r] == n).map(|r| (re[r], im[r]));
            (key(colour(i), named(n)), own.collect())
        })
        .collect();
    let circle: Vec<(f64, f64)> = (0..=720)
        .map(|i| {
            let angle = i as f64 / 720.0 * std::f64::consts::TAU;
            (angle.cos(), angle.sin())
        })
        .collect();
    let words = Words {
        name: "optimiser_spectrum",
        title: "Modes at rest",
        caption: "Eigenvalues of the state's map at the fixed point without gradient. One real mode apart from the others \
                  is momentum."
            .into(),
        x: "real part",
        y: "imaginary part",
        tables: &[OptimiserModes::NAME, OptimiserPoints::NAME],
    };
    Ok(scatter(words, &groups, true, &circle, &[]))
}

fn momentum(run: &std::path::Path, optimum: Option<(f64, f64)>) -> Result<Figure> {
    let table = OptimiserModes::read(run)?;
    let (network, beta, alpha) = (table.network()?, table.beta()?, table.alpha()?);
    let groups: Vec<(Key, Vec<(f64, f64)>)> = kinds(&network)
        .into_iter()
        .enumerate()
        .map(|(i, n)| {
            let own = (0..beta.len()).filter(|&r| network[r] == n).map(|r| (beta[r], alpha[r]));
            (key(colour(i), named(n)), own.collect())
        })
        .collect();
    let mark: Vec<((f64, f64), &str)> =
        optimum.iter().map(|(alpha, beta)| ((*beta, *alpha), "best")).collect();
    let words = Words {
        name: "momentum",
        title: "Modes as momentum",
        caption: match optimum {
            Some((alpha, beta)) => format!(
                "Each mode as momentum: a gradient moves the parameter by −α β^s after s steps. The cross is the best for \
                 these curvatures, α {alpha:.2}, β {beta:.3}."
            ),
            None => {
                "Each mode as momentum: a gradient moves the parameter by −α β^s after s steps."
                    .into()
            }
        },
        x: "momentum β (real part)",
        y: "learning rate α",
        tables: &[OptimiserModes::NAME],
    };
    Ok(scatter(words, &groups, false, &[], &mark))
}

fn along_mode(run: &std::path::Path) -> Result<Figure> {
    let table = UpdateFunctions::read(run)?;
    let (network, at, shift) = (table.network()?, table.at()?, table.shift()?);
    let (gradient, update) = (table.gradient()?, table.update()?);
    let first: Vec<usize> =
        (0..at.len()).filter(|&i| at[i] == "mode" && network[i] == network[0]).collect();
    let shifts = kinds(&first.iter().map(|&i| shift[i].to_bits()).collect::<Vec<_>>());
    let curves: Vec<Curve> = shifts
        .into_iter()
        .enumerate()
        .map(|(k, bits)| {
            let own = first.iter().filter(|&&i| shift[i].to_bits() == bits);
            let points = own.map(|&i| (gradient[i], update[i])).collect();
            Curve::new(k, format!("{:+}", f64::from_bits(bits)), points)
        })
        .collect();
    let words = Words {
        name: "along_mode",
        title: "Updates along the slowest mode",
        caption: "What optimiser 1 adds to a parameter, by the gradient, at rest and moved along its slowest mode (a unit \
                  is 1 in the state). Parallel lines are momentum: what went before adds to what the gradient says."
            .into(),
        x: "gradient",
        y: "update",
        tables: &[UpdateFunctions::NAME],
    };
    Ok(lines(words, &curves, false, &[]))
}

fn clipping(run: &std::path::Path) -> Result<Figure> {
    let table = UpdateFunctions::read(run)?;
    let (network, at) = (table.network()?, table.at()?);
    let (gradient, update) = (table.gradient()?, table.update()?);
    let mut curves: Vec<Curve> = kinds(&network)
        .into_iter()
        .enumerate()
        .map(|(k, n)| {
            let own = (0..at.len()).filter(|&i| network[i] == n && at[i] == "start");
            Curve::new(k, named(n), own.map(|i| (gradient[i], update[i])).collect())
        })
        .collect();
    let met = MetGradients::read(run)?;
    let (of, share, size) = (met.network()?, met.share()?, met.gradient()?);
    let span = range(curves.iter().flat_map(|c| c.points.iter().map(|p| p.1)));
    let first = of.first().copied();
    for (percent, grey) in [(50, 0.4), (75, 0.7)] {
        let here = (0..of.len())
            .find(|&i| Some(of[i]) == first && (share[i] - percent as f64 / 100.0).abs() < 1e-9);
        let Some(i) = here else { continue };
        let (x, gap) = (size[i], (f64::INFINITY, 0.0));
        let points = vec![(-x, span.start), (-x, span.end), gap, (x, span.start), (x, span.end)];
        let mut curve =
            Curve { width: 1, ..Curve::new(6, format!("{percent} % of gradients"), points) };
        let RGBColor(r, g, b) = GREY;
        let fade = |c: u8| (c as f64 * grey + 200.0 * (1.0 - grey)) as u8;
        curve.key.colour = RGBColor(fade(r), fade(g), fade(b));
        curves.push(curve);
    }
    let words = Words {
        name: "clipping",
        title: "Updates at the first state",
        caption: "What is added to a parameter at the first step, by the gradient, up to the 95th percentile of the gradients \
                  that are met. A line is gradient descent; where it flattens, gradients are clipped. Vertical lines: half \
                  and three quarters of the gradients that optimiser 1 meets are smaller."
            .into(),
        x: "gradient",
        y: "update",
        tables: &[UpdateFunctions::NAME, MetGradients::NAME],
    };
    Ok(lines(words, &curves, false, &[]))
}

fn schedule(run: &std::path::Path) -> Result<Figure> {
    let table = Schedules::read(run)?;
    let (network, step, rate) = (table.network()?, table.step()?, table.rate()?);
    let curves: Vec<Curve> = kinds(&network)
        .into_iter()
        .enumerate()
        .map(|(k, n)| {
            let own = (0..step.len()).filter(|&i| network[i] == n);
            Curve::new(k, named(n), own.map(|i| (step[i] as f64, rate[i])).collect())
        })
        .collect();
    let words = Words {
        name: "schedule",
        title: "A schedule of its own",
        caption: "Learning rate for a small gradient, along the way that the state takes without any gradient.".into(),
        x: "step",
        y: "learning rate",
        tables: &[Schedules::NAME],
    };
    Ok(lines(words, &curves, false, &[]))
}

fn arms(run: &std::path::Path) -> Result<Figure> {
    let table = ConstantGradients::read(run)?;
    let (network, gradient) = (table.network()?, table.gradient()?);
    let (x, y) = (table.pc_1()?, table.pc_2()?);
    let first = network.first().copied();
    let own = |sign: fn(f64) -> bool| -> Vec<(f64, f64)> {
        let here = (0..x.len()).filter(|&i| Some(network[i]) == first && sign(gradient[i]));
        here.map(|i| (x[i], y[i])).collect()
    };
    let groups = vec![
        (key(colour(0), "negative gradients"), own(|g| g < 0.0)),
        (key(colour(1), "positive gradients"), own(|g| g > 0.0)),
        (key(INK, "no gradient"), own(|g| g == 0.0)),
    ];
    let alone = Schedules::read(run)?;
    let (of, a, b) = (alone.network()?, alone.pc_1()?, alone.pc_2()?);
    let way: Vec<(f64, f64)> =
        (0..a.len()).filter(|&i| Some(of[i]) == first).map(|i| (a[i], b[i])).collect();
    let words = Words {
        name: "arms",
        title: "Where it stands under constant gradients",
        caption: "Fixed points of optimiser 1 under constant gradients, in the plane of the states' first two principal \
                  components; grey, the way of the state without gradient. An S-curve is one arm for each sign."
            .into(),
        x: "first component",
        y: "second component",
        tables: &[ConstantGradients::NAME, Schedules::NAME],
    };
    Ok(scatter(words, &groups, false, &way, &[]))
}

fn rates(run: &std::path::Path) -> Result<Figure> {
    let table = ConstantGradients::read(run)?;
    let (network, gradient, rate) = (table.network()?, table.gradient()?, table.rate()?);
    let curves: Vec<Curve> = kinds(&network)
        .into_iter()
        .enumerate()
        .map(|(k, n)| {
            let own = (0..rate.len()).filter(|&i| network[i] == n);
            Curve::new(k, named(n), own.map(|i| (gradient[i], rate[i])).collect())
        })
        .collect();
    let words = Words {
        name: "adaptation",
        title: "Learning rate by the gradient's size",
        caption: "Learning rate at the fixed point under each constant gradient: small where gradients are large, as with \
                  RMSProp."
            .into(),
        x: "constant gradient",
        y: "learning rate",
        tables: &[ConstantGradients::NAME],
    };
    Ok(lines(words, &curves, false, &[]))
}
