//! The page of a study of gating.

use super::claims::{self, Told};
use super::drawn::drawn;
use super::escape::link;
use super::figure::gating as figure;
use super::page::{shell, table_link};
use crate::Result;
use crate::files::replace;
use crate::records::{self, Claims, Gates, GatingPlaces, Mechanisms};
use maud::{Markup, html};
use std::path::Path;

/// How claims are told.
pub(super) const CLAIMS: Told =
    Told { id: "claims", heading: "What holds", counted: "n", note: "" };

/// Writes `index.html` and the figures of a study of gating.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to; [`crate::Error::Polars`] for a table that cannot be
/// understood.
pub fn write(folder: &Path, title: &str) -> Result<()> {
    let gates = Gates::read(folder)?;
    let (places, mechanisms) = (GatingPlaces::read(folder)?, Mechanisms::read(folder)?);
    let figures = figure::all(&gates, &places, &mechanisms)?;
    for figure in &figures {
        figure.write(folder)?;
    }
    let notes = records::Notes::read(folder)?.note()?;
    let body = html! {
        header {
            p.kicker { "accrue · gating" }
            h1 { (title) }
            p.finding { (finding(folder)?) }
        }
        main {
            section #question {
                h2 { "The question" }
                p {
                    "In some contexts a feature of what is seen does not matter. If responses hardly differ by it, is it kept out, \
                     or do they differ so much by the decision that little else shows? Distances between conditions cannot \
                     tell; distances without the decision can."
                }
            }
            (claims::section(folder, &CLAIMS)?)
            @for figure in &figures { (drawn(figure)) }
            (networks(folder)?)
            @if !notes.is_empty() {
                section #notes { h2 { "Notes" } ul { @for note in &notes { li { (note) } } } }
            }
            p.small { (table_link(Gates::NAME)) " · " (table_link(Mechanisms::NAME)) " · " (table_link(GatingPlaces::NAME)) }
        }
    };
    replace(&folder.join("index.html"), shell(title, &body).as_bytes())
}

/// What was found, in a sentence or two.
///
/// # Errors
/// As [`write()`].
pub fn finding(folder: &Path) -> Result<String> {
    let rows = Claims::read(folder)?;
    let (claim, measured, holds) = (rows.claim()?, rows.measured()?, rows.holds()?);
    let of = |name: &str| (0..claim.len()).find(|&i| claim[i] == name).map(|i| measured[i]);
    let held = holds.iter().filter(|h| **h).count();
    let mut text = String::new();
    if let Some(ratio) = of("F1") {
        text += &format!(
            "Without any gate, distances along the irrelevant feature are {ratio:.2} of those along the relevant one. "
        );
    }
    if let (Some(before), Some(after)) = (of("F8"), of("F9")) {
        text += &format!(
            "In trained networks without a gate the ratio is {before:.2}, and {after:.2} once the axes of choice are taken out. "
        );
    }
    if let Some(ratio) = of("F13") {
        text +=
            &format!("Networks that are asked one of two labels: unasked over asked {ratio:.2}. ");
    }
    text += &format!("{held} of {} claims hold.", holds.len());
    Ok(text)
}

/// Every network, with a link to its page.
pub(super) fn networks(folder: &Path) -> Result<Markup> {
    let cases = records::Cases::read(folder)?;
    let (name, failure) = (cases.name()?, cases.failure()?);
    Ok(html! {
        @if !name.is_empty() {
            section #networks {
                h2 { "The networks" }
                p { "Each has a page of its own, with its fixed points." }
                ul {
                    @for (name, failure) in name.iter().zip(&failure) {
                        li {
                            a href={ "cases/" (link(name)) "/index.html" } { (name) }
                            @if !failure.is_empty() { ": failed: " (failure) }
                        }
                    }
                }
            }
        }
    })
}
