//! The page of a recording beside networks.

use super::claims;
use super::drawn::drawn;
use super::figure::recording as figure;
use super::gating::{CLAIMS, networks};
use super::page::{shell, table, table_link};
use crate::Result;
use crate::files::replace;
use crate::records::{self, Blocks, CandidateDistances, Claims, Confusion, Portraits};
use maud::{Markup, html};
use std::path::Path;

/// Writes `index.html` and the figures of a recording.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to; [`crate::Error::Polars`] for a table that cannot be
/// understood.
pub fn write(folder: &Path, title: &str) -> Result<()> {
    let blocks = Blocks::read(folder)?;
    let figures = figure::all(&blocks, &Portraits::read(folder)?, &Confusion::read(folder)?)?;
    for figure in &figures {
        figure.write(folder)?;
    }
    let notes = records::Notes::read(folder)?.note()?;
    let holds = Claims::read(folder)?.holds()?;
    let held = holds.iter().filter(|h| **h).count();
    let body = html! {
        header {
            p.kicker { "accrue · a recording beside networks" }
            h1 { (title) }
            p.finding {
                (blocks.height()) " blocks of behaviour and activity; " (held) " of " (holds.len()) " claims hold."
            }
        }
        main {
            section #question {
                h2 { "The question" }
                p {
                    "An animal adds up evidence, forgets some of it, or stops at a bound. Its choices tell which; so may the \
                     activity of its neurons beside networks that were trained on each strategy, once what movements \
                     explain is taken out. Here the recording is made from hidden networks, so that the answer is known."
                }
            }
            (claims::section(folder, &CLAIMS)?)
            @for figure in &figures { (drawn(figure)) }
            (list(&blocks)?)
            (networks(folder)?)
            @if !notes.is_empty() {
                section #notes { h2 { "Notes" } ul { @for note in &notes { li { (note) } } } }
            }
            p.small { (table_link(Portraits::NAME)) " · " (table_link(CandidateDistances::NAME)) " · " (table_link(Confusion::NAME)) }
        }
    };
    replace(&folder.join("index.html"), shell(title, &body).as_bytes())
}

fn list(blocks: &records::Frame<Blocks>) -> Result<Markup> {
    let (number, strategy, kernel) = (blocks.block()?, blocks.strategy()?, blocks.by_kernel()?);
    let (recency, explained) = (blocks.recency()?, blocks.explained()?);
    let (task, movement) = (blocks.task_unique()?, blocks.movement_unique()?);
    let heads = [
        "Block",
        "Strategy",
        "By its kernel",
        "Recency",
        "Explained",
        "Task alone explains",
        "Movements alone explain",
    ];
    let share = |x: f64| if x.is_nan() { "–".to_string() } else { format!("{x:.3}") };
    Ok(html! {
        section #blocks {
            h2 { "The blocks" }
            div.wide {
                (table(heads, html! {
                    @for i in 0..number.len() {
                        tr {
                            td { (number[i]) } td.text { @if strategy[i].is_empty() { "not known" } @else { (strategy[i]) } } td.text { (kernel[i]) }
                            td { (format!("{:.2}", recency[i])) } td { (format!("{:.3}", explained[i])) }
                            td { (share(task[i])) } td { (share(movement[i])) }
                        }
                    }
                }))
            }
            p.small { (table_link(Blocks::NAME)) }
        }
    })
}
