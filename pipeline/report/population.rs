//! The page of a population: maps, what is shared and what is not, every network.

use super::claims::{self, Told};
use super::drawn::drawn;
use super::escape::link;
use super::figure::population as figure;
use super::page::{shell, table, table_link};
use super::plot;
use crate::Result;
use crate::files::replace;
use crate::records::{self, NetworkMaps, NetworkTests, Networks};
use maud::{Markup, html};
use std::path::Path;

/// How claims are told.
const CLAIMS: Told = Told {
    id: "shared",
    heading: "What is shared, and what is not",
    counted: "Networks",
    note: "",
};

/// Writes `index.html` and the figures of a population.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to; [`crate::Error::Polars`] for a table that cannot be
/// understood.
pub fn write(folder: &Path, title: &str) -> Result<()> {
    let networks = Networks::read(folder)?;
    let learned = networks.learned()?.iter().filter(|l| **l).count();
    let cases = records::Cases::read(folder)?.height();
    let notes = records::Notes::read(folder)?.note()?;
    let body = html! {
        header {
            p.kicker { "accrue · a population" }
            h1 { (title) }
            p.finding { (sentence(folder, learned, cases)?) }
        }
        main {
            (shared(folder)?)
            (list(folder, &networks)?)
            @if !notes.is_empty() {
                section #notes { h2 { "Notes" } ul { @for note in &notes { li { (note) } } } }
            }
        }
        // A population lies two folders below what all pages share.
        (plot::script("../../assets"))
    };
    replace(&folder.join("index.html"), shell(title, &body).as_bytes())
}

/// Claims over all networks, maps and tests; draws the maps.
pub(super) fn shared(folder: &Path) -> Result<Markup> {
    let maps = figure::maps(&Networks::read(folder)?, &NetworkMaps::read(folder)?)?;
    for map in &maps {
        map.write(folder)?;
    }
    Ok(html! {
        (claims::section(folder, &CLAIMS)?)
        @for map in &maps { (drawn(map)) }
        (tests(folder)?)
    })
}

/// What was found, in a sentence.
fn sentence(folder: &Path, learned: usize, cases: usize) -> Result<String> {
    let table = NetworkTests::read(folder)?;
    let (measure, statistic, by) = (table.measure()?, table.statistic()?, table.by()?);
    let (value, chance) = (table.value()?, table.chance()?);
    let of = |of: &str, label: &str| {
        let is = |&i: &usize| measure[i] == of && statistic[i] == "neighbours" && by[i] == label;
        (0..value.len()).find(is).map(|i| (value[i], chance[i]))
    };
    let told = |(value, chance): (f64, f64)| {
        format!("{:.0} % (chance {:.0} %)", 100.0 * value, 100.0 * chance)
    };
    let mut text = format!("{learned} of {cases} networks learned the task.");
    for (label, what) in [("architecture", "architecture"), ("activation", "nonlinearity")] {
        let Some(states) = of("svcca", label) else { continue };
        text += &format!(
            " By their states a network's nearest neighbour has its {what} in {}",
            told(states)
        );
        if let Some(points) = of("indices", label) {
            text += &format!(", by their fixed points in {}", told(points));
        }
        text.push('.');
    }
    Ok(text)
}

fn tests(folder: &Path) -> Result<Markup> {
    let rows = NetworkTests::read(folder)?;
    let (measure, statistic, by) = (rows.measure()?, rows.statistic()?, rows.by()?);
    let (value, chance) = (rows.value()?, rows.chance()?);
    let (low, high, p) = (rows.low()?, rows.high()?, rows.p()?);
    let asked = |i: usize| match statistic[i].as_str() {
        "neighbours" => format!("nearest neighbour has the same {}", by[i]),
        "silhouette" => format!("groups by {} lie apart (silhouette)", by[i]),
        _ => format!("agrees with {} (rank correlation of distances)", by[i]),
    };
    Ok(html! {
        @if !measure.is_empty() {
            section #tests {
                h2 { "Against chance" }
                p {
                    "Labels were permuted; a value beyond the middle 95 % of the permutations is no accident. Whether topology \
                     differs by activation is disputed in the literature: both answers stand here."
                }
                div.wide {
                    (table(["Measure", "Question", "Value", "Chance", "95 % of permutations", "p"], html! {
                        @for i in 0..measure.len() {
                            tr {
                                td { (measure[i]) } td.text { (asked(i)) }
                                td { (format!("{:.3}", value[i])) } td { (format!("{:.3}", chance[i])) }
                                td { (format!("{:.3} – {:.3}", low[i], high[i])) } td { (format!("{:.3}", p[i])) }
                            }
                        }
                    }))
                }
                p.small { (table_link(NetworkTests::NAME)) " · " (table_link(records::NetworkDistances::NAME)) }
            }
        }
    })
}

fn list(folder: &Path, networks: &records::Frame<Networks>) -> Result<Markup> {
    let (case, name) = (networks.case()?, networks.name()?);
    let (architecture, activation) = (networks.architecture()?, networks.activation()?);
    let (units, error, learned) = (networks.units()?, networks.error()?, networks.learned()?);
    let (points, stable) = (networks.fixed_points()?, networks.stable()?);
    let (unstable, sum) = (networks.unstable()?, networks.index_sum()?);
    let dimension = networks.dimension()?;
    let all = records::Cases::read(folder)?;
    let (number, names, failure) = (all.case()?, all.name()?, all.failure()?);
    let heads = [
        "Network",
        "Cell",
        "Units",
        "Error",
        "Learned",
        "Fixed points",
        "Stable",
        "Unstable",
        "Index sum",
        "Dimension",
    ];
    Ok(html! {
        section #networks {
            h2 { "The networks" }
            p { "Error: of the best constant answer's. Fixed points: those proved. Each name opens the network's own page." }
            div.wide {
                (table(heads, html! {
                    @for i in 0..case.len() {
                        tr {
                            td.text { a href={ "cases/" (link(&name[i])) "/index.html" } { (name[i]) } }
                            td.text { (architecture[i]) ", " (activation[i]) }
                            td { (units[i]) } td { (format!("{:.1e}", error[i])) }
                            td { @if learned[i] { "yes" } @else { "no" } }
                            td { (points[i]) } td { (stable[i]) } td { (unstable[i]) }
                            td { @if sum[i].is_nan() { "–" } @else { (format!("{:.0}", sum[i])) } }
                            td { (format!("{:.2}", dimension[i])) }
                        }
                    }
                    @for i in (0..number.len()).filter(|&i| !failure[i].is_empty()) {
                        tr { td.text { (names[i]) } td.text colspan="9" { "failed: " (failure[i]) } }
                    }
                }))
            }
            p.small { (table_link(Networks::NAME)) " · " (table_link(records::CaseNumbers::NAME)) }
        }
    })
}
