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

/// Groups of networks with their colours. Where kinds are too many to have one each, an architecture has one, lighter for
/// those of its nonlinearities that come after its first; architectures beyond [`GROUPS`] share the last.
fn groups(architecture: &[String], activation: &[String]) -> Vec<(String, RGBColor)> {
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for kind in architecture.iter().zip(activation).map(|(a, b)| (a.as_str(), b.as_str())) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    let mut first: Vec<(&str, &str)> = Vec::new();
    for &kind in &kinds {
        if !first.iter().any(|f| f.0 == kind.0) {
            first.push(kind);
        }
    }
    let own = |i: usize, (a, b): (&str, &str)| match kinds.len() <= GROUPS {
        true => colour(i),
        false => {
            let at = first.iter().position(|f| f.0 == a).expect("every architecture has a first");
            let full = colour(at.min(GROUPS - 1));
            if first[at].1 == b { full } else { axes::lighter(full) }
        }
    };
    let named = |(i, &(a, b)): (usize, &(&str, &str))| (format!("{a}, {b}"), own(i, (a, b)));
    kinds.iter().enumerate().map(named).collect()
}

/// A map for each measure.
pub fn maps(networks: &Frame<Networks>, maps: &Frame<NetworkMaps>) -> Result<Vec<Figure>> {
    let (case, name) = (networks.case()?, networks.name()?);
    let (architecture, activation) = (networks.architecture()?, networks.activation()?);
    let units = networks.units()?;
    let row: BTreeMap<usize, usize> = case.iter().enumerate().map(|(i, c)| (*c, i)).collect();
    let (measure, of, stress) = (maps.measure()?, maps.case()?, maps.stress()?);
    let (x, y) = (maps.x()?, maps.y()?);
    let groups = groups(&architecture, &activation);
    let group = |i: usize| {
        let kind = format!("{}, {}", architecture[i], activation[i]);
        groups.iter().position(|(name, _)| *name == kind).expect("each is in a group")
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
            let keys: Vec<axes::Key> =
                groups.iter().map(|(name, colour)| key(*colour, name)).collect();
            let xs = range(rows.iter().map(|&i| x[i]));
            let ys = range(rows.iter().map(|&i| y[i]));
            let (xs, ys) = equal(xs, ys, &keys);
            let mut chart =
                chart(&area, &keys, (xs, "first coordinate"), (ys, "second coordinate"));
            for &i in &rows {
                let style = groups[group(row[&of[i]])].1.mix(0.8);
                dots(&mut chart, [(x[i], y[i])], 4, style.filled());
            }
            area.present().expect("drawing into text cannot fail");
        }
        let mut series: Vec<Series> = groups
            .iter()
            .map(|(name, colour)| Series::points(name, axes::in_css(*colour), 8.0, 0.8))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_architectures_of_two_nonlinearities_have_eight_colours_two_shades_each() {
        let names = |all: &[&str]| all.iter().map(|n| n.to_string()).collect::<Vec<String>>();
        let architecture = names(&["a", "a", "b", "b", "c", "c", "d", "d", "a"]);
        let activation =
            names(&["tanh", "ReLU", "tanh", "ReLU", "tanh", "ReLU", "tanh", "ReLU", "tanh"]);
        let found = groups(&architecture, &activation);
        assert_eq!(found.len(), 8);
        for (i, (name, own)) in found.iter().enumerate() {
            assert!(found[..i].iter().all(|(_, c)| c != own), "{name}");
        }
        assert_eq!((found[2].1, found[3].1), (colour(1), axes::lighter(colour(1))));
        // Few kinds have a full colour each.
        let few = groups(&architecture[..3], &activation[..3]);
        assert_eq!(few.iter().map(|g| g.1).collect::<Vec<_>>(), [colour(0), colour(1), colour(2)]);
    }
}
