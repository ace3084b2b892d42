//! One page over all runs of a folder.

use super::escape::link;
use super::figure::{self, grid::Correlation};
use super::page::{drawing, shell, table, table_link};
use super::plot;
use super::summary::{FILE, SHOWN, Summary};
use crate::Result;
use crate::engine::RECORD;
use crate::files::replace;
use crate::records::{self, column, keys};
use maud::{Markup, html};
use std::path::{Path, PathBuf};

/// Writes `index.html` over every run and grid below `out`; returns its path.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to.
pub fn write(out: &Path, correlation: Correlation) -> Result<PathBuf> {
    let (mut runs, mut grids) = (Vec::new(), Vec::new());
    find(out, &mut runs, &mut grids);
    runs.sort();
    grids.sort();
    // A run that is being written now is listed next time.
    let read = |run: &PathBuf| Some((run.clone(), Summary::read(run).ok()?));
    let runs: Vec<(PathBuf, Summary)> = runs.iter().filter_map(read).collect();
    let predicted = predicted(out, (&runs, &grids), correlation)?;
    let held = |summary: &Summary| {
        let claims = summary.get(keys::CLAIMS_HELD).zip(summary.get(keys::CLAIMS_TESTED));
        claims.map_or("–".into(), |(h, t)| format!("{h:.0} of {t:.0}"))
    };
    let body = html! {
        header {
            p.kicker { "accrue" }
            h1 { "All runs" }
            p.finding {
                "How recurrent networks add up evidence: a page for each network, and one for each grid of them."
            }
        }
        main {
            (predicted)
            @if !grids.is_empty() {
                section #grids {
                    h2 { "Grids and populations" }
                    ul { @for grid in &grids { li { (to_page(&relative(out, grid))) } } }
                }
            }
            section #runs {
                h2 { "Runs" }
                div.wide {
                    table {
                        thead {
                            tr { th { "Run" } @for (_, name, _) in SHOWN { th { (name) } } th { "Claims held" } }
                        }
                        tbody {
                            @for (run, summary) in &runs {
                                tr {
                                    td {
                                        (to_page(&relative(out, run)))
                                        @if let Some(title) = title(run) { br; span.small { (title) } }
                                    }
                                    @for (key, _, digits) in SHOWN {
                                        td { (summary.get(key).map_or("–".into(), |x| format!("{x:.digits$}"))) }
                                    }
                                    td { (held(summary)) }
                                }
                            }
                        }
                    }
                }
                p.small {
                    "Dimensions are participation ratios; " em { "predicted" } " is from word counts alone. Tables are \
                     described in README.md beside this page where the runs lie in the repository's "
                    code { "reports/" } "."
                }
            }
        }
        (plot::script("assets"))
    };
    plot::place(&out.join("assets"))?;
    let path = out.join("index.html");
    replace(&path, shell("All runs", &body).as_bytes())?;
    Ok(path)
}

/// Most bytes of a record that is looked into for a title.
const LARGEST: u64 = 64 << 20;
/// A link to the page of the run or grid at `path` below the page that it stands in.
fn to_page(path: &str) -> Markup {
    html! { a href={ (link(path)) "/index.html" } { (path) } }
}

/// Difference of dimensions that asks for an explanation.
const APART: f64 = 0.5;
/// Accuracy below that of words alone at which a network has not learned its task.
const LESS: f64 = 0.02;

/// Figure and table of predicted against found dimensions, every network of every grid
/// included.
fn predicted(
    out: &Path,
    (runs, grids): (&[(PathBuf, Summary)], &[PathBuf]),
    correlation: Correlation,
) -> Result<Markup> {
    let mut folders = Vec::new();
    for grid in grids {
        let (mut cases, mut none) = (Vec::new(), Vec::new());
        find(&grid.join("cases"), &mut cases, &mut none);
        cases.sort();
        folders.extend(cases);
    }
    let mut rows: Vec<(String, f64, f64, &str)> = Vec::new();
    let of_grids: Vec<(PathBuf, Summary)> =
        folders.iter().filter_map(|f| Some((f.clone(), Summary::read(f).ok()?))).collect();
    for (folder, summary) in runs.iter().chain(&of_grids) {
        let (found, expected) = (keys::DIMENSION_STATES, keys::DIMENSION_PREDICTED_SCALED);
        let Some((x, y)) = summary.get(expected).zip(summary.get(found)) else { continue };
        let less = summary
            .get(keys::ACCURACY_NETWORK)
            .zip(summary.get(keys::ACCURACY_BAG_OF_WORDS))
            .is_some_and(|(network, words)| network < words - LESS);
        let reason = match ((x - y).abs() > APART, less) {
            (false, _) => "",
            (true, true) => "the network reads worse than words alone: it has not learned the task",
            (true, false) if y > x => {
                "the network reads well and uses more dimensions than the counts ask for"
            }
            (true, false) => "the network reads well with fewer dimensions than the counts offer",
        };
        rows.push((relative(out, folder), x, y, reason));
    }
    let group = |path: &str| path.split('/').next().unwrap_or_default().to_string();
    let groups: Vec<String> = rows.iter().map(|r| group(&r.0)).collect();
    let pairs: Vec<figure::grid::Pair> = groups
        .iter()
        .zip(&rows)
        .map(|(g, r)| figure::grid::Pair {
            group: g.as_str(),
            name: r.0.as_str(),
            predicted: r.1,
            found: r.2,
        })
        .collect();
    let Some(figure) = figure::grid::scatter(&pairs, correlation, &[records::Runs::NAME]) else {
        return Ok(Markup::default());
    };
    figure.write(out)?;
    records::Runs {
        run: column(rows.iter().map(|r| r.0.as_str())),
        predicted: column(rows.iter().map(|r| r.1)),
        found: column(rows.iter().map(|r| r.2)),
        reason: column(rows.iter().map(|r| r.3)),
    }
    .write(out)?;
    let failed: Vec<&(String, f64, f64, &str)> = rows.iter().filter(|r| !r.3.is_empty()).collect();
    Ok(html! {
        section #dimensions {
            h2 { (figure.title) }
            figure {
                (drawing(&figure))
                figcaption {
                    (figure.caption) " "
                    span.links { (table_link(records::Runs::NAME)) " · " a href="figures/dimensions.svg" { "SVG" } }
                }
            }
            @if let Some(plot) = &figure.plot { (plot.island(figure.name)) }
            @if !failed.is_empty() {
                details {
                    summary { (failed.len()) " of " (rows.len()) " are more than " (APART.to_string()) " apart" }
                    (table(["Network", "Predicted", "Found", "Why"], html! {
                        @for (path, x, y, reason) in failed {
                            tr {
                                td { (to_page(path)) }
                                td { (format!("{x:.2}")) } td { (format!("{y:.2}")) } td { (reason) }
                            }
                        }
                    }))
                }
            }
        }
    })
}

/// The path below `out`.
fn relative(out: &Path, run: &Path) -> String {
    let below = run.strip_prefix(out).unwrap_or(run);
    let parts: Vec<_> = below.components().map(|c| c.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}

/// Runs and grids below a folder; the cases of a grid have their own page.
fn find(folder: &Path, runs: &mut Vec<PathBuf>, grids: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|e| Some(e.ok()?.path())).filter(|p| p.is_dir()) {
        // The store holds stages, not runs.
        if path.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')) {
            continue;
        }
        if records::Cases::is_in(&path) {
            grids.push(path);
        } else if path.join(FILE).is_file() {
            runs.push(path);
        } else {
            find(&path, runs, grids);
        }
    }
}

/// The title in a run's record.
fn title(run: &Path) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Titled {
        title: String,
    }
    let text = crate::files::text(&run.join(RECORD), LARGEST).ok()?;
    let found: Titled = crate::engine::experiment_of(RECORD, &text).ok()?;
    Some(found.title).filter(|t| !t.is_empty())
}
