//! The page of learned optimisers.

use super::claims::{self, Told};
use super::drawn::drawn;
use super::figure::optimisers as figure;
use super::page::{OF_OPTIMISERS, cited, shell, table, table_link};
use super::plot;
use crate::Result;
use crate::files::replace;
use crate::records::{
    self, AssembledScores, Claims, Notes, OptimiserDynamics, OptimiserScores, TunedMethods,
};
use maud::{Markup, html};
use std::path::Path;

/// How claims are told.
const CLAIMS: Told = Told {
    id: "claims",
    heading: "The claims",
    counted: "Networks",
    note: "A claim holds where every network meets its criterion. Measured: the mean over networks; interval: bootstrap over them.",
};

/// What the page says beyond tables.
pub struct Page<'a> {
    /// Heading.
    pub title: &'a str,
    /// What is optimised.
    pub problems: &'a str,
    /// The optimiser in a few words.
    pub optimiser: &'a str,
    /// The best momentum `(α*, β*)`, where it is known.
    pub optimum: Option<(f64, f64)>,
    /// What the objective says of a run, as `its last loss is`.
    pub worth: &'a str,
    /// The resolved experiment, as RON.
    pub settings: &'a str,
    /// The way from the run's folder to what all pages share.
    pub assets: &'a str,
}

/// Draws the figures and writes `index.html`; returns the files.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to, [`crate::Error::Polars`] if a table cannot be understood.
pub fn write(run: &Path, page: &Page) -> Result<Vec<String>> {
    let figures = figure::all(run, page.optimum)?;
    let mut files = Vec::new();
    for figure in &figures {
        files.push(figure.write(run)?);
    }
    let mut tables: Vec<&str> = figures.iter().flat_map(|f| f.tables).copied().collect();
    tables.extend([Claims::NAME, OptimiserDynamics::NAME, AssembledScores::NAME]);
    tables.sort_unstable();
    tables.dedup();
    for name in tables {
        files.push(records::csv(run, name)?);
    }
    let notes = Notes::read(run)?.note()?;
    let (first, rest) = figures.split_at(1);
    let body = html! {
        header {
            p.kicker { "accrue · " (page.problems) }
            h1 { (page.title) }
            p.finding { (sentence(run, page.worth)?) }
        }
        main {
            @for f in first { (drawn(f)) }
            (claims::section(run, &CLAIMS)?)
            (scores(run)?)
            @for f in rest { (drawn(f)) }
            (dynamics(run)?)
            (assembled(run)?)
            @if !notes.is_empty() {
                section #notes { h2 { "Notes" } ul { @for note in &notes { li { (note) } } } }
            }
            section #settings {
                h2 { "Settings" }
                p { (page.optimiser) ". The whole resolved experiment; " code { "run.ron" } " holds the same." }
                details { summary { "Show" } pre { (page.settings) } }
            }
            (cited(&OF_OPTIMISERS))
        }
        (plot::script(page.assets))
    };
    replace(&run.join("index.html"), shell(page.title, &body).as_bytes())?;
    files.push("index.html".into());
    Ok(files)
}

/// What was found, in a sentence.
fn sentence(run: &Path, worth: &str) -> Result<String> {
    let rows = OptimiserScores::read(run)?;
    let (problems, optimiser, network) = (rows.problems()?, rows.optimiser()?, rows.network()?);
    let (objective, lost) = (rows.objective()?, rows.lost()?);
    let own: Vec<f64> = (0..objective.len())
        .filter(|&i| problems[i] == problems[0] && network[i].is_some())
        .map(|i| objective[i])
        .collect();
    let all = own.len();
    let own: Vec<f64> = own.into_iter().filter(|x| x.is_finite()).collect();
    let methods =
        (0..objective.len()).filter(|&i| problems[i] == problems[0] && network[i].is_none());
    let best =
        methods.filter(|&i| lost[i] == 0).min_by(|&a, &b| objective[a].total_cmp(&objective[b]));
    let low = own.iter().copied().fold(f64::INFINITY, f64::min);
    let high = own.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut text = format!(
        "A small recurrent network works on each parameter, reads its gradient and moves it. On new {} ",
        problems[0]
    );
    text += &match (own.len(), all - own.len()) {
        (0, lost) => format!("it diverges on every problem ({lost} networks)"),
        (n, 0) => format!("{worth} {} to {} of the first ({n} networks)", short(low), short(high)),
        (n, lost) => format!(
            "{worth} {} to {} of the first ({n} networks; {lost} diverge on every problem)",
            short(low),
            short(high)
        ),
    };
    if let Some(best) = best {
        text +=
            &format!("; the best tuned method, {}, has {:.4}", optimiser[best], objective[best]);
    }
    text.push('.');
    Ok(text)
}

/// So many digits after the point; a dash for what diverged, powers of ten where there is no room.
fn to(x: f64, digits: usize) -> String {
    match x.abs() {
        size if size < 1e5 => format!("{x:.digits$}"),
        size if size.is_finite() => format!("{x:.2e}"),
        _ => "–".into(),
    }
}

/// Four digits, for objectives.
fn short(x: f64) -> String {
    to(x, 4)
}

fn scores(run: &Path) -> Result<Markup> {
    let rows = OptimiserScores::read(run)?;
    let (problems, optimiser, network) = (rows.problems()?, rows.optimiser()?, rows.network()?);
    let (objective, error) = (rows.objective()?, rows.error()?);
    let (n, lost) = (rows.n()?, rows.lost()?);
    let tuned = TunedMethods::read(run)?;
    let (of, method) = (tuned.problems()?, tuned.method()?);
    let (rate, beta, beta_2) = (tuned.learning_rate()?, tuned.beta()?, tuned.beta_2()?);
    let decay = tuned.decay()?;
    let numbers = |i: usize| {
        let row = (0..of.len()).find(|&r| of[r] == problems[i] && method[r] == optimiser[i]);
        row.map_or(String::new(), |r| {
            let mut text = match rate[r] {
                small if small < 0.01 => format!("rate {small:.1e}"),
                rate => format!("rate {rate:.3}"),
            };
            for (name, value) in [("β", beta[r]), ("β₂", beta_2[r])] {
                if !value.is_nan() {
                    text += &format!(", {name} {value:.3}");
                }
            }
            if decay[r] < 1.0 {
                text += &format!(", falling to {:.1} %", 100.0 * decay[r]);
            }
            text
        })
    };
    Ok(html! {
        section #scores {
            h2 { "All optimisers" }
            div.wide {
                (table(["Problems", "Optimiser", "Objective", "Standard error", "Problems", "Lost", "Tuned numbers"], html! {
                    @for i in 0..n.len() {
                        tr {
                            td.text { (problems[i]) }
                            td.text { (optimiser[i]) @if let Some(k) = network[i] { " " (k) } }
                            td { (short(objective[i])) }
                            td { (short(error[i])) }
                            td { (n[i]) } td { (lost[i]) }
                            td.text { (numbers(i)) }
                        }
                    }
                }))
            }
            p.small { (table_link(OptimiserScores::NAME)) " · " (table_link(TunedMethods::NAME)) }
        }
    })
}

fn dynamics(run: &Path) -> Result<Markup> {
    let rows = OptimiserDynamics::read(run)?;
    let (network, points, certified) = (rows.network()?, rows.points()?, rows.certified()?);
    let (v1, v2) = (rows.variance_1()?, rows.variance_2()?);
    let (beta, alpha, gap) = (rows.beta()?, rows.alpha()?, rows.gap()?);
    let (start, rest) = (rows.slope_start()?, rows.slope_rest()?);
    let (peak, schedule) = (rows.peak()?, rows.schedule()?);
    let (falls, off) = (rows.adaptation()?, rows.off_line()?);
    let heads = [
        "Optimiser",
        "Fixed points",
        "Proved",
        "Variance, 1",
        "2",
        "β₁",
        "α₁",
        "Gap",
        "Slope, start",
        "at rest",
        "Peak",
        "Largest/last",
        "Rate by size",
        "Off line",
    ];
    Ok(html! {
        section #dynamics {
            h2 { "The dynamics in numbers" }
            div.wide {
                (table(heads, html! {
                    @for i in 0..network.len() {
                        tr {
                            td { (network[i]) } td { (points[i]) } td { (certified[i]) }
                            td { (to(v1[i], 3)) } td { (to(v2[i], 3)) }
                            td { (to(beta[i], 3)) } td { (to(alpha[i], 2)) }
                            td { (to(gap[i], 3)) }
                            td { (to(start[i], 2)) } td { (to(rest[i], 2)) }
                            td { (peak[i]) } td { (to(schedule[i], 2)) }
                            td { (to(falls[i], 2)) } td { (to(off[i], 3)) }
                        }
                    }
                }))
            }
            p.small { code { "accrue dictionary" } " describes every column. " (table_link(OptimiserDynamics::NAME)) }
        }
    })
}

fn assembled(run: &Path) -> Result<Markup> {
    let rows = AssembledScores::read(run)?;
    let (network, parts) = (rows.network()?, rows.parts()?);
    let (objective, error, lost) = (rows.objective()?, rows.error()?, rows.lost()?);
    Ok(html! {
        section #assembled {
            h2 { "Put together again" }
            p {
                "Optimisers made by hand from the measured parts: all linear modes, then the slowest mode as momentum, with \
                 the schedule, the clipping and the adaptation added in turn. Where the last does as well as the learned \
                 optimiser, the parts are enough."
            }
            div.wide {
                (table(["Optimiser", "Parts", "Objective", "Standard error", "Lost"], html! {
                    @for i in 0..network.len() {
                        tr {
                            td { (network[i]) } td.text { (parts[i]) }
                            td { (short(objective[i])) } td { (short(error[i])) }
                            td { (lost[i]) }
                        }
                    }
                }))
            }
            p.small { (table_link(AssembledScores::NAME)) }
        }
    })
}
