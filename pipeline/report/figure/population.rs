//! Maps of networks: near where they are alike.

use super::Figure;
use super::axes::{self, area, chart, colour, dots, equal, key, range};
use crate::Result;
use crate::records::{Frame, NetworkMaps, Networks};
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;
use std::collections::BTreeMap;

/// Names of measures, of their figures, and what their distances are.
const MAPS: [(&str, &str, &str, &str); 6] = [
    (
        "svcca",
        "map_svcca",
        "States alike up to any linear map (SVCCA)",
        "1 less the mean canonical correlation of the states' main components",
    ),
    (
        "cka",
        "map_cka",
        "States alike up to rotation, large components first (CKA)",
        "1 less the linear CKA of the states",
    ),
    (
        "shape",
        "map_shape",
        "States alike up to rotation (shape distance)",
        "the angle that is left between both clouds of states after the best rotation",
    ),
    (
        "dsa",
        "map_dsa",
        "Moving by the same law (DSA)",
        "the angle that is left between the linear laws of delayed states after the best rotation",
    ),
    (
        "indices",
        "map_indices",
        "The same fixed points, by unstable modes",
        "the share of proved fixed points that differs once they are sorted by their number of unstable modes",
    ),
    (
        "graph",
        "map_graph",
        "The same transitions between attractors",
        "the share of saddles with one unstable mode that differs, each told by the outputs at the attractors it leads to",
    ),
];

/// Most groups with a colour of their own.
const GROUPS: usize = 6;

/// A map for each measure.
pub fn maps(networks: &Frame<Networks>, maps: &Frame<NetworkMaps>) -> Result<Vec<Figure>> {
    let (case, name) = (networks.case()?, networks.name()?);
    let (architecture, activation) = (networks.architecture()?, networks.activation()?);
    let units = networks.units()?;
    let row: BTreeMap<usize, usize> = case.iter().enumerate().map(|(i, c)| (*c, i)).collect();
    let (measure, of, stress) = (maps.measure()?, maps.case()?, maps.stress()?);
    let (x, y) = (maps.x()?, maps.y()?);
    let kinds: Vec<String> =
        architecture.iter().zip(&activation).map(|(a, b)| format!("{a}, {b}")).collect();
    let mut names: Vec<&str> = Vec::new();
    for kind in &kinds {
        if !names.contains(&kind.as_str()) {
            names.push(kind);
        }
    }
    let group = |i: usize| {
        let at = names.iter().position(|n| *n == kinds[i]).expect("it was added");
        at.min(GROUPS - 1)
    };
    let mut figures = Vec::new();
    for (of_measure, figure, title, distance) in MAPS {
        let rows: Vec<usize> = (0..of.len())
            .filter(|&i| measure[i] == of_measure && row.contains_key(&of[i]))
            .collect();
        let Some(&first) = rows.first() else { continue };
        let mut svg = String::new();
        {
            let area = area(&mut svg);
            let mut keys: Vec<axes::Key> =
                names.iter().take(GROUPS).enumerate().map(|(g, n)| key(colour(g), *n)).collect();
            if names.len() > GROUPS {
                keys[GROUPS - 1].name = "others".into();
            }
            let xs = range(rows.iter().map(|&i| x[i]));
            let ys = range(rows.iter().map(|&i| y[i]));
            let (xs, ys) = equal(xs, ys, &keys);
            let mut chart =
                chart(&area, &keys, (xs, "first coordinate"), (ys, "second coordinate"));
            for &i in &rows {
                let style = colour(group(row[&of[i]])).mix(0.8);
                dots(&mut chart, [(x[i], y[i])], 4, style.filled());
            }
            area.present().expect("drawing into text cannot fail");
        }
        let mut series: Vec<Series> = names
            .iter()
            .take(GROUPS)
            .enumerate()
            .map(|(g, n)| {
                let name = if names.len() > GROUPS && g == GROUPS - 1 { "others" } else { n };
                Series::points(name, axes::css(g), 8.0, 0.8)
            })
            .collect();
        for &i in &rows {
            let r = row[&of[i]];
            series[group(r)].add(x[i], y[i], format!("{}, {} units", name[r], units[r]));
        }
        figures.push(Figure {
            name: figure,
            title,
            caption: format!(
                "{} networks; near each other where they are alike. Distances are {distance}; the plane shows them with a \
                 stress of {:.2} (0: as they are; above .2: poorly).",
                rows.len(),
                stress[first]
            ),
            alt: format!("Map of {} networks by {of_measure}.", rows.len()),
            tables: &[NetworkMaps::NAME, Networks::NAME],
            svg,
            plot: Some(Plot {
                series,
                x: "first coordinate",
                y: "second coordinate",
                equal: true,
                search: false,
            }),
        });
    }
    Ok(figures)
}
