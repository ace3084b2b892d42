//! A map of models: places, ways, few labels, fixed points.

use super::Figure;
use super::axes::{
    INK, Key, Places, area, chart, colour, css, dots, equal, key, line, panels, range,
};
use crate::Result;
use crate::records::*;
use crate::report::plot::{Plot, Series};
use crate::summary;
use plotters::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Most groups with a colour of their own.
const GROUPS: usize = 6;

/// Base models by their number: name, group, cell, units, original.
struct Bases {
    names: BTreeMap<usize, String>,
    /// Number of its group.
    group: BTreeMap<usize, usize>,
    copy: BTreeMap<usize, bool>,
    groups: Vec<String>,
}

impl Bases {
    fn read(run: &Path) -> Result<Self> {
        let table = BaseModels::read(run)?;
        let (name, group, number) = (table.name()?, table.group()?, table.base_model()?);
        let (cell, units, copy) = (table.cell()?, table.units()?, table.copy_of()?);
        let mut all = Self {
            names: BTreeMap::new(),
            group: BTreeMap::new(),
            copy: BTreeMap::new(),
            groups: Vec::new(),
        };
        for i in 0..name.len() {
            if !all.groups.contains(&group[i]) {
                all.groups.push(group[i].clone());
            }
            let Some(n) = number[i] else { continue };
            let at = all.groups.iter().position(|g| *g == group[i]).expect("it was added");
            all.names.insert(n, format!("{}: {}, {} units", name[i], cell[i], units[i]));
            all.group.insert(n, at);
            all.copy.insert(n, copy[i].is_some());
        }
        Ok(all)
    }

    fn colour(&self, base: usize) -> usize {
        self.group.get(&base).copied().unwrap_or(0).min(GROUPS - 1)
    }

    fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> =
            self.groups.iter().take(GROUPS).enumerate().map(|(g, n)| key(colour(g), n)).collect();
        if self.groups.len() > GROUPS {
            keys[GROUPS - 1].name = "others".into();
        }
        keys
    }

    fn series(&self) -> Vec<Series> {
        let keys = self.keys();
        keys.iter().enumerate().map(|(g, k)| Series::points(&k.name, css(g), 8.0, 0.8)).collect()
    }
}

/// Places on a plane, one colour a group; copies as rings.
fn places(
    bases: &Bases,
    points: &[(usize, f64, f64)],
    words: (&'static str, &'static str, String, &'static [&'static str]),
) -> Figure {
    let (name, title, caption, tables) = words;
    let mut keys = bases.keys();
    let any_copy = points.iter().any(|p| bases.copy.get(&p.0) == Some(&true));
    if any_copy {
        keys.push(key(INK, "units in another order (rings)"));
    }
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let (xs, ys) = (range(points.iter().map(|p| p.1)), range(points.iter().map(|p| p.2)));
        let (xs, ys) = equal(xs, ys, &keys);
        let mut chart = chart(&area, &keys, (xs, "first coordinate"), (ys, "second coordinate"));
        for &(base, x, y) in points {
            if bases.copy.get(&base) == Some(&true) {
                dots(&mut chart, [(x, y)], 7, INK.stroke_width(1));
            } else {
                dots(&mut chart, [(x, y)], 4, colour(bases.colour(base)).mix(0.8).filled());
            }
        }
        area.present().expect("drawing into text cannot fail");
    }
    let mut series = bases.series();
    if any_copy {
        series.push(Series::points("units in another order", "#8c8c8c".into(), 5.0, 0.9));
    }
    let last = series.len() - 1;
    for &(base, x, y) in points {
        let copy = bases.copy.get(&base) == Some(&true);
        let at = if copy { last } else { bases.colour(base) };
        series[at].add(x, y, bases.names.get(&base).cloned().unwrap_or_default());
    }
    Figure {
        name,
        title,
        alt: format!("{title}: {} networks.", points.len()),
        caption,
        tables,
        svg,
        plot: Some(Plot {
            series,
            x: "first coordinate",
            y: "second coordinate",
            equal: true,
            search: true,
        }),
    }
}

/// A named line.
struct Curve {
    key: Key,
    points: Vec<(f64, f64)>,
}

fn lines(
    words: (&'static str, &'static str, String, &'static [&'static str]),
    (x, y): (&'static str, &'static str),
    curves: Vec<Curve>,
) -> Figure {
    let (name, title, caption, tables) = words;
    let keys: Vec<Key> = curves.iter().map(|c| c.key.clone()).collect();
    let all = || curves.iter().flat_map(|c| c.points.iter());
    let (xs, ys) = (range(all().map(|p| p.0)), range(all().map(|p| p.1)));
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let mut chart = chart(&area, &keys, (xs, x), (ys, y));
        for curve in &curves {
            line(&mut chart, &curve.points, curve.key.colour.stroke_width(2));
            dots(&mut chart, curve.points.iter().copied(), 3, curve.key.colour.filled());
        }
        area.present().expect("drawing into text cannot fail");
    }
    let names: Vec<&str> = keys.iter().map(|k| k.name.as_str()).collect();
    Figure {
        name,
        title,
        alt: format!("{title}: {}.", names.join(", ")),
        caption,
        tables,
        svg,
        plot: Some(Plot {
            series: curves
                .iter()
                .enumerate()
                .map(|(i, c)| Series::line(&c.key.name, css(i), &c.points))
                .collect(),
            x,
            y,
            equal: false,
            search: false,
        }),
    }
}

/// All figures of a run, the map first.
///
/// # Errors
/// [`crate::Error::Polars`] if a table cannot be understood.
pub fn all(run: &Path) -> Result<Vec<Figure>> {
    let bases = Bases::read(run)?;
    let mut figures = vec![map(run, &bases)?];
    figures.extend(side_by_side(run, &bases)?);
    figures.extend(beside(run, &bases)?);
    figures.extend(ways(run)?);
    figures.extend(few(run)?);
    figures.extend(stands(run)?);
    figures.extend(super::segments::all(run)?);
    figures.extend(choices(run)?);
    figures.push(training(run)?);
    Ok(figures)
}

fn map(run: &Path, bases: &Bases) -> Result<Figure> {
    let table = Embeddings::read(run)?;
    let (seed, base) = (table.seed()?, table.base_model()?);
    let (x, y) = (table.x()?, table.y()?);
    let (agreement, r2) = (table.agreement()?, table.r2()?);
    let of = |i: &usize| seed[*i] == seed[0];
    let rows: Vec<usize> = (0..seed.len()).filter(of).collect();
    let points: Vec<_> = rows.iter().map(|&i| (base[i], x[i], y[i])).collect();
    let mean = |v: &[f64]| summary::mean(&rows.iter().map(|&i| v[i]).collect::<Vec<_>>());
    let components = match table.theta()?.first().is_some_and(|t| t.len() > 2) {
        true => "Coordinates are the first two principal components of θ. ",
        false => "",
    };
    let caption = format!(
        "{} base models, each at the θ at which the meta-model of seed {} emulates it: its answers agree with theirs on {:.1} % of test \
         phrases, its states have {:.1} % of the variance of theirs. {components}Near each other lies what computes alike.",
        rows.len(),
        seed[0],
        100.0 * mean(&agreement),
        100.0 * mean(&r2),
    );
    Ok(places(bases, &points, ("map", "The map", caption, &[Embeddings::NAME, BaseModels::NAME])))
}

/// Measures of the maps that no meta-model made: name of the figure, title, what distances are.
const BESIDE: [(&str, &str, &str, &str); 2] = [
    (
        "svcca",
        "map_svcca",
        "The map by SVCCA",
        "The same networks by their states alone: distances are 1 less the mean canonical correlation (SVCCA)",
    ),
    (
        "dsa",
        "map_dsa",
        "The map by DSA",
        "The same networks by their laws of motion: distances are angles between linear laws of their delayed states after the best rotation \
         (DSA)",
    ),
];

/// Places on the map of a measure, with its stress.
type Beside = (Places, f64);

fn beside_map(run: &Path, of: &str) -> Result<Option<Beside>> {
    let table = BaseMaps::read(run)?;
    let (measure, base) = (table.measure()?, table.base_model()?);
    let (x, y, stress) = (table.x()?, table.y()?, table.stress()?);
    let rows: Vec<usize> = (0..base.len()).filter(|&i| measure[i] == of).collect();
    let Some(&first) = rows.first() else { return Ok(None) };
    Ok(Some((rows.iter().map(|&i| (base[i], x[i], y[i])).collect(), stress[first])))
}

fn beside(run: &Path, bases: &Bases) -> Result<Vec<Figure>> {
    let mut all = Vec::new();
    for (measure, name, title, about) in BESIDE {
        let Some((points, stress)) = beside_map(run, measure)? else { continue };
        let caption = format!(
            "{about}, shown with a stress of {stress:.2} (0: as they are; above .2: poorly). Copies are left out: to this measure they are \
             their originals."
        );
        let words = (name, title, caption, &[BaseMaps::NAME, BaseModels::NAME][..]);
        all.push(places(bases, &points, words));
    }
    Ok(all)
}

/// The map of `θ` and the others in one row.
fn side_by_side(run: &Path, bases: &Bases) -> Result<Option<Figure>> {
    let table = Embeddings::read(run)?;
    let (seed, base, x, y) = (table.seed()?, table.base_model()?, table.x()?, table.y()?);
    let own = |i: &usize| seed[*i] == seed[0] && bases.copy.get(&base[*i]) != Some(&true);
    let places: Vec<_> = (0..seed.len()).filter(own).map(|i| (base[i], x[i], y[i])).collect();
    let mut maps = vec![("θ".to_string(), places)];
    for (measure, ..) in BESIDE {
        if let Some((points, stress)) = beside_map(run, measure)? {
            maps.push((format!("{}, stress {stress:.2}", measure.to_uppercase()), points));
        }
    }
    if maps.len() < 2 {
        return Ok(None);
    }
    let tests = EmbeddingTests::read(run)?;
    let (of, map, by) = (tests.seed()?, tests.map()?, tests.by()?);
    let (statistic, value) = (tests.statistic()?, tests.value()?);
    let found = |is: &dyn Fn(usize) -> bool| {
        let all: Vec<f64> = (0..map.len()).filter(|&i| is(i)).map(|i| value[i]).collect();
        (!all.is_empty()).then(|| summary::mean(&all))
    };
    let mut told = Vec::new();
    for (m, name) in [("theta", "θ"), ("svcca", "SVCCA"), ("dsa", "DSA")] {
        let is = |i: usize| map[i] == m && by[i] == "group" && statistic[i] == "silhouette";
        let Some(apart) = found(&is) else { continue };
        let like = found(&|i| {
            map[i] == m && by[i] == "theta" && statistic[i] == "mantel" && of[i].is_some()
        });
        told.push(match like {
            Some(like) => {
                format!("{name} {apart:.2} (rank correlation with distances of θ {like:.2})")
            }
            None => format!("{name} {apart:.2}"),
        });
    }
    let said = match told.is_empty() {
        true => String::new(),
        false => format!(
            " How far groups lie apart (silhouette, mean over meta-models): {}.",
            told.join(", ")
        ),
    };
    let names: Vec<&str> = maps.iter().map(|m| m.0.as_str()).collect();
    Ok(Some(Figure {
        name: "maps",
        title: "Maps side by side",
        alt: format!("The same networks on {} maps: {}.", maps.len(), names.join("; ")),
        caption: format!(
            "Places by θ of the first meta-model, by their states (SVCCA) and by their laws of motion (DSA). A map may be turned and mirrored; \
             copies are left out.{said}"
        ),
        tables: &[Embeddings::NAME, BaseMaps::NAME, EmbeddingTests::NAME],
        svg: panels(&maps, &bases.keys(), |base| colour(bases.colour(base))),
        plot: None,
    }))
}

fn ways(run: &Path) -> Result<Option<Figure>> {
    let table = EmbeddingWays::read(run)?;
    let (kind, share) = (table.kind()?, table.share()?);
    let (from, to) = (table.accuracy_from()?, table.accuracy_to()?);
    let mut shares = share.clone();
    shares.sort_by(f64::total_cmp);
    shares.dedup();
    let curve = |i: usize, name: &str, of: &str, values: &[f64]| {
        let at = |s: f64| {
            let own: Vec<f64> = (0..share.len())
                .filter(|&i| kind[i] == of && share[i] == s)
                .map(|i| values[i])
                .collect();
            (s, summary::mean(&own))
        };
        Curve { key: key(colour(i), name), points: shares.iter().map(|s| at(*s)).collect() }
    };
    let mut curves = Vec::new();
    for (i, name, of, values) in [
        (0, "inside a group", "inside", &from),
        (1, "between groups: labels of the first", "between", &from),
        (2, "between groups: labels of the second", "between", &to),
    ] {
        if kind.iter().any(|k| k == of) {
            curves.push(curve(i, name, of, values));
        }
    }
    if curves.is_empty() {
        return Ok(None);
    }
    let caption = "Accuracy of the meta-model along straight ways between two base models on the map, mean over ways and meta-models. \
                   Inside a group every place is a working network; between groups one rule gives way to the other."
        .to_string();
    let words = ("ways", "Along ways on the map", caption, &[EmbeddingWays::NAME][..]);
    Ok(Some(lines(words, ("share of the way", "accuracy"), curves)))
}

fn few(run: &Path) -> Result<Option<Figure>> {
    let table = FewLabels::read(run)?;
    let (labels, method, accuracy) = (table.labels()?, table.method()?, table.accuracy()?);
    if labels.is_empty() {
        return Ok(None);
    }
    let mut counts = labels.clone();
    counts.sort_unstable();
    counts.dedup();
    let curve = |(i, (name, of)): (usize, (&str, &str))| {
        let at = |count: &usize| {
            let own: Vec<f64> = (0..labels.len())
                .filter(|&i| method[i] == of && labels[i] == *count)
                .map(|i| accuracy[i])
                .collect();
            (*count as f64, summary::mean(&own))
        };
        Curve { key: key(colour(i), name), points: counts.iter().map(at).collect() }
    };
    let named = [
        ("θ sought, the meta-model frozen", "theta"),
        ("a base model drawn, trained further", "tuned"),
        ("a fresh network", "fresh"),
        ("the base model that fits best, trained further", "chosen"),
    ];
    let caption = "Accuracy on test phrases of networks made from few labelled phrases, mean over the groups' labels, draws and meta-models. \
                   The drawn base model may be of another group; the last one is picked from the whole collection by the same labels."
        .to_string();
    let words = ("few_labels", "From few labels", caption, &[FewLabels::NAME][..]);
    let curves = named.into_iter().enumerate().map(curve).collect();
    Ok(Some(lines(words, ("labelled phrases", "accuracy"), curves)))
}

fn stands(run: &Path) -> Result<Option<Figure>> {
    let table = EmbeddingPoints::read(run)?;
    let (place, x, y) = (table.place()?, table.x()?, table.y()?);
    let (slow, modes, dimension) = (table.slow()?, table.slow_modes()?, table.dimension()?);
    let (stable, unstable) = (table.stable()?, table.unstable()?);
    let grid: Vec<usize> = (0..place.len()).filter(|&i| place[i] == "grid").collect();
    if grid.is_empty() {
        return Ok(None);
    }
    // No slow point comes before none that is slow.
    let number = |i: usize| if modes[i].is_nan() { -1.0 } else { modes[i].round() };
    let name = |number: f64| match number {
        n if n < 0.0 => "no slow point".to_string(),
        1.0 => "1 slow mode".to_string(),
        n => format!("{n:.0} slow modes"),
    };
    let mut kinds: Vec<f64> = grid.iter().map(|&i| number(i)).collect();
    kinds.sort_by(f64::total_cmp);
    kinds.dedup();
    let more = if kinds.len() > GROUPS { " and more" } else { "" };
    let names: Vec<String> = kinds
        .iter()
        .take(GROUPS)
        .enumerate()
        .map(|(i, &k)| name(k) + if i + 1 == GROUPS { more } else { "" })
        .collect();
    let keys: Vec<Key> = names
        .iter()
        .enumerate()
        .map(|(i, k)| key(colour(i), k))
        .chain([key(INK, "middles of groups (rings)")])
        .collect();
    let at = |i: usize| kinds.iter().position(|k| *k == number(i)).unwrap_or(0).min(GROUPS - 1);
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let (xs, ys) = (range(x.iter().copied()), range(y.iter().copied()));
        let (xs, ys) = equal(xs, ys, &keys);
        let mut chart = chart(&area, &keys, (xs, "first coordinate"), (ys, "second coordinate"));
        for &i in &grid {
            dots(&mut chart, [(x[i], y[i])], 6, colour(at(i)).mix(0.8).filled());
        }
        let middles = (0..place.len()).filter(|&i| place[i] != "grid");
        dots(&mut chart, middles.map(|i| (x[i], y[i])), 8, INK.stroke_width(1));
        area.present().expect("drawing into text cannot fail");
    }
    let mut series: Vec<Series> =
        names.iter().enumerate().map(|(i, k)| Series::points(k, css(i), 11.0, 0.8)).collect();
    series.push(Series::points("middles of groups", "#8c8c8c".into(), 7.0, 0.9));
    let last = series.len() - 1;
    for i in 0..place.len() {
        let text = format!(
            "{}: {} slow points in {:.1} dimensions, {}; proved {} stable, {} unstable",
            place[i],
            slow[i],
            dimension[i],
            name(number(i)),
            stable[i],
            unstable[i]
        );
        let to = if place[i] == "grid" { at(i) } else { last };
        series[to].add(x[i], y[i], text);
    }
    Ok(Some(Figure {
        name: "fixed_points",
        title: "Slow points along the map",
        alt: format!("Places on the map by their number of slow modes: {}.", names.join(", ")),
        caption: format!(
            "At {} places of the first meta-model's map, slow points were sought under an input without evidence. Colours: the median \
             number of modes, at these points, that outlast a phrase of median length. Hover for their number and dimension.",
            place.len()
        ),
        tables: &[EmbeddingPoints::NAME],
        svg,
        plot: Some(Plot {
            series,
            x: "first coordinate",
            y: "second coordinate",
            equal: true,
            search: false,
        }),
    }))
}

/// What is missed on held-out phrases by dimension, one line a weight.
fn choices(run: &Path) -> Result<Option<Figure>> {
    let Some(table) = EmbeddingChoices::read_if_there(run)? else { return Ok(None) };
    let (p, lambda, missed) = (table.dimension()?, table.lambda()?, table.missed()?);
    let (error, n, chosen) = (table.error()?, table.n()?, table.chosen()?);
    let phrases = table.phrases()?;
    let mut weights = lambda.clone();
    weights.sort_by(f64::total_cmp);
    weights.dedup();
    let curves: Vec<Curve> = weights
        .iter()
        .enumerate()
        .map(|(i, weight)| {
            let own = (0..p.len()).filter(|&r| lambda[r] == *weight);
            let mut points: Vec<(f64, f64)> = own.map(|r| (p[r] as f64, missed[r])).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            Curve { key: key(colour(i), format!("λ = {weight}")), points }
        })
        .collect();
    let Some(best) = (0..p.len()).min_by(|&a, &b| missed[a].total_cmp(&missed[b])) else {
        return Ok(None);
    };
    let rule = chosen.iter().position(|c| *c).map_or(String::new(), |c| {
        format!(
            " Chosen: p = {} and λ = {}, the smallest dimension within one standard error ({:.4}) of the least missed ({:.4}, at p = {} and λ = {}), \
             and there the weight that misses least.",
            p[c], lambda[c], error[best], missed[best], p[best], lambda[best]
        )
    });
    let caption = format!(
        "What meta-models miss on {} held-out training phrases, (1 − R²) of the states plus the outputs' divergence (nats; for numbers the squared \
         error as a share of the variance), mean over {} base models, copies left out. λ weighs the first against the second in training.{rule}",
        phrases[best], n[best]
    );
    let words = ("choices", "How many numbers θ needs", caption, &[EmbeddingChoices::NAME][..]);
    Ok(Some(lines(words, ("numbers of θ, p", "missed"), curves)))
}

fn training(run: &Path) -> Result<Figure> {
    let table = EmbeddingTraining::read(run)?;
    let (seed, step) = (table.seed()?, table.step()?);
    let (states, outputs) = (table.states()?, table.outputs()?);
    let mut seeds = seed.clone();
    seeds.dedup();
    let curve = |i: usize, name: &str, values: &[f64]| {
        let first: Vec<usize> = (0..seed.len()).filter(|&r| seed[r] == seeds[0]).collect();
        let at = |&r: &usize| {
            let own: Vec<f64> =
                (0..seed.len()).filter(|&o| step[o] == step[r]).map(|o| values[o]).collect();
            (step[r] as f64, summary::mean(&own).max(1e-12).log10())
        };
        Curve { key: key(colour(i), name), points: first.iter().map(at).collect() }
    };
    let curves = vec![
        curve(0, "states: share of the variance that is missed", &states),
        curve(1, "outputs: divergence or squared error", &outputs),
    ];
    let caption = format!(
        "Both terms of the loss while the meta-models were trained, mean over base models and {} meta-models, as powers of ten.",
        seeds.len()
    );
    let words = ("training", "Training", caption, &[EmbeddingTraining::NAME][..]);
    Ok(lines(words, ("step", "log₁₀"), curves))
}
