//! Claims over many networks or draws, as a table.

use super::page::{table, table_link};
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
    let heads = [
        "Claim",
        "Holds",
        "Measured",
        "95 % interval",
        told.counted,
        "Published, and the criterion",
    ];
    Ok(html! {
        @if !claim.is_empty() {
            section id=(told.id) {
                h2 { (told.heading) }
                div.wide {
                    (table(heads, html! {
                        @for i in 0..claim.len() {
                            tr {
                                td.text { b { (claim[i]) } ": " (statement[i]) }
                                td { @if holds[i] { "yes" } @else { "no" } }
                                td { (format!("{:.3}", measured[i])) }
                                td { @if !low[i].is_nan() { (format!("{:.3} – {:.3}", low[i], high[i])) } }
                                td { (n[i]) }
                                td.text { (reference[i]) }
                            }
                        }
                    }))
                }
                p.small { @if !told.note.is_empty() { (told.note) " " } (table_link(Claims::NAME)) }
            }
        }
    })
}
