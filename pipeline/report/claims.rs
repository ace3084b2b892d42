//! Claims over many networks or draws, as a table.

use super::page::table_link;
use crate::Result;
use crate::records::Claims;
use maud::{Markup, html};
use std::path::Path;

/// How a study tells its claims.
pub(super) struct Told<'a> {
    /// Anchor of the section.
    pub id: &'a str,
    /// Its heading.
    pub heading: &'a str,
    /// What `n` counts.
    pub counted: &'a str,
    /// What a reader must know of measure and interval.
    pub note: &'a str,
}

/// The section of table `claims`; nothing where there is no claim.
///
/// # Errors
/// [`crate::Error::Polars`] if the table cannot be understood.
pub(super) fn section(folder: &Path, told: &Told) -> Result<Markup> {
    let rows = Claims::read(folder)?;
    let (claim, statement) = (rows.claim()?, rows.statement()?);
    let (measured, low, high) = (rows.measured()?, rows.low()?, rows.high()?);
    let (n, reference, holds) = (rows.n()?, rows.reference()?, rows.holds()?);
    Ok(html! {
        @if !claim.is_empty() {
            section id=(told.id) {
                h2 { (told.heading) }
                div.wide {
                    table.claims {
                        thead {
                            tr {
                                th { "Claim" } th { "Holds" } th { "What" } th { "Measured" }
                                th { "Published, and the criterion" }
                            }
                        }
                        tbody {
                            @for i in 0..claim.len() {
                                tr {
                                    td { (claim[i]) }
                                    td { @if holds[i] { "yes" } @else { strong { "no" } } }
                                    td { (statement[i]) br; span.small { (told.counted) ": " (n[i]) } }
                                    td data-name="Measured" {
                                        (short(measured[i]))
                                        @if !low[i].is_nan() {
                                            br; span.small { (short(low[i])) " – " (short(high[i])) }
                                        }
                                    }
                                    td data-name="Published, and the criterion" { (reference[i]) }
                                }
                            }
                        }
                    }
                }
                p.small { "Below a number: its 95 % interval. " @if !told.note.is_empty() { (told.note) " " } (table_link(Claims::NAME)) }
            }
        }
    })
}

/// Three digits after the point; powers of ten where there is no room for it, a dash for what is no number.
fn short(x: f64) -> String {
    match x.abs() {
        size if size < 1e5 => format!("{x:.3}"),
        size if size.is_finite() => format!("{x:.2e}"),
        _ => "–".into(),
    }
}
