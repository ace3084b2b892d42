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
    let own = Own::of(folder, &blocks)?;
    let body = html! {
        header {
            p.kicker { "accrue · a recording beside networks" }
            h1 { (title) }
            p.finding {
                (finding(folder)?)
            }
        }
        main {
            section #question {
                h2 { "The question" }
                p {
                    "An animal adds up evidence, forgets some of it, or stops at a bound. Its choices tell which; so may the \
                     activity of its neurons beside networks that were trained on each strategy, once what movements \
                     explain is taken out. "
                    @match &own {
                        None => "Here the recording is made from hidden networks, so that the answer is known.",
                        Some(own) => {
                            "Block " (own.block) " is a recording of your own, whose answer nobody knows; all others are made from hidden \
                             networks, so that theirs is."
                        }
                    }
                }
            }
            @if let Some(own) = &own { (own.section()) }
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

/// What was found, in a sentence or two.
///
/// # Errors
/// As [`write()`].
pub fn finding(folder: &Path) -> Result<String> {
    let blocks = Blocks::read(folder)?;
    let holds = Claims::read(folder)?.holds()?;
    let held = holds.iter().filter(|h| **h).count();
    let mut text = format!(
        "{} blocks of behaviour and activity; {held} of {} claims hold.",
        blocks.height(),
        holds.len()
    );
    // Of an older program's table nobody knows.
    let learned = Portraits::read(folder)?.learned().unwrap_or_default();
    let lost = learned.iter().filter(|l| !**l).count();
    if lost > 0 {
        text += &format!(
            " {lost} of {} networks have not learned and are left out (see the notes).",
            learned.len()
        );
    }
    if let Some(own) = Own::of(folder, &blocks)? {
        text += &format!(" {}", own.sentence());
    }
    Ok(text)
}

/// A recording of one's own beside the candidates.
struct Own {
    block: usize,
    by_kernel: String,
    recency: f64,
    /// Distance, strategy and cell, the nearest first.
    candidates: Vec<(f64, String, String)>,
}

impl Own {
    /// `None` where every block is of a hidden network.
    fn of(folder: &Path, blocks: &records::Frame<Blocks>) -> Result<Option<Self>> {
        let case = blocks.case()?;
        let Some(row) = case.iter().position(Option::is_none) else { return Ok(None) };
        let number = blocks.block()?[row];
        let table = CandidateDistances::read(folder)?;
        let (block, measure, distance) = (table.block()?, table.measure()?, table.distance()?);
        let (strategy, cell) = (table.strategy()?, table.cell()?);
        let mut candidates: Vec<(f64, String, String)> = (0..block.len())
            .filter(|&i| block[i] == number && measure[i] == "svcca")
            .map(|i| (distance[i], strategy[i].clone(), cell[i].clone()))
            .collect();
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Some(Self {
            block: number,
            by_kernel: blocks.by_kernel()?[row].clone(),
            recency: blocks.recency()?[row],
            candidates,
        }))
    }

    fn sentence(&self) -> String {
        let nearest = match self.candidates.first() {
            None => "no candidate has learned".into(),
            Some((distance, strategy, cell)) => {
                format!(
                    "by states the nearest candidate is the {strategy} {cell} (SVCCA distance {distance:.3})"
                )
            }
        };
        format!(
            "Of your recording (block {}) {nearest}; its kernel, of recency {:.2}, speaks of a {} strategy.",
            self.block, self.recency, self.by_kernel
        )
    }

    fn section(&self) -> Markup {
        html! {
            section #own {
                h2 { "Your recording" }
                p { (self.sentence()) }
                (table(["Candidate", "Cell", "SVCCA distance"], html! {
                    @for (distance, strategy, cell) in &self.candidates {
                        tr { td.text { (strategy) } td.text { (cell) } td { (format!("{distance:.3}")) } }
                    }
                }))
                p.small { "The nearest first; 0 is the same, 1 nothing in common. " (table_link(CandidateDistances::NAME)) }
            }
        }
    }
}

fn list(blocks: &records::Frame<Blocks>) -> Result<Markup> {
    let (number, strategy, kernel) = (blocks.block()?, blocks.strategy()?, blocks.by_kernel()?);
    let (recency, explained) = (blocks.recency()?, blocks.explained()?);
    let (task, movement) = (blocks.task_alone()?, blocks.movement_alone()?);
    let (task_lost, movement_lost) = (blocks.task_unique()?, blocks.movement_unique()?);
    let heads = [
        "Block",
        "Strategy",
        "By its kernel",
        "Recency",
        "Explained",
        "Task alone explains",
        "Movements alone explain",
        "Lost without task",
        "Lost without movements",
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
                            td { (share(task_lost[i])) } td { (share(movement_lost[i])) }
                        }
                    }
                }))
            }
            p.small {
                "Explained: held-out share of the units' variance. Lost without a group: what the whole model loses when the group's \
                 rows are shuffled. " (table_link(Blocks::NAME))
            }
        }
    })
}
