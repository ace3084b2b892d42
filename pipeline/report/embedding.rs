//! The page of a map of models.

use super::claims::{self, Told};
use super::drawn::drawn;
use super::figure::embedding as figure;
use super::figure::segments::CROSSINGS;
use super::page::{OF_EMBEDDING, cited, shell, table, table_link};
use super::{knob, plot};
use crate::Result;
use crate::files::replace;
use crate::records::{
    self, BaseModels, Claims, EmbeddingBifurcations, EmbeddingChoices, EmbeddingCopies,
    EmbeddingCurves, EmbeddingPoints, EmbeddingTests, Embeddings, ModelAverages, Notes,
};
use crate::summary;
use maud::{Markup, html};
use std::path::Path;

/// How claims are told.
const CLAIMS: Told = Told {
    id: "claims",
    heading: "The claims",
    counted: "Meta-models",
    note: "A claim holds where every meta-model meets its criterion. Measured: the mean over meta-models that differ by their seed; \
           interval: bootstrap over them. Base models are the same ones.",
};

/// What the page says beyond tables.
pub struct Page<'a> {
    /// Heading.
    pub title: &'a str,
    /// The meta-model in a few words.
    pub meta: &'a str,
    /// The meta-model for the page, as JSON of [`Knob`](super::knob::Knob); `null` for none.
    pub knob: &'a str,
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
    let figures = figure::all(run)?;
    let mut files = Vec::new();
    for figure in &figures {
        files.push(figure.write(run)?);
    }
    let mut tables: Vec<&str> = figures.iter().flat_map(|f| f.tables).copied().collect();
    tables.extend([
        Claims::NAME,
        EmbeddingTests::NAME,
        EmbeddingCopies::NAME,
        ModelAverages::NAME,
        EmbeddingPoints::NAME,
        EmbeddingCurves::NAME,
        EmbeddingBifurcations::NAME,
    ]);
    tables.sort_unstable();
    tables.dedup();
    for name in tables {
        files.push(records::csv(run, name)?);
    }
    let notes = Notes::read(run)?.note()?;
    let (first, rest) = figures.split_at(1);
    let body = html! {
        header {
            p.kicker { "accrue · a map of models" }
            h1 { (page.title) }
            p.finding { (sentence(run)?) @if let Some(more) = changed(run)? { " " (more) } }
        }
        main {
            @for f in first { (drawn(f)) }
            (knob::section(page.knob))
            (claims::section(run, &CLAIMS)?)
            @for f in rest { (drawn(f)) }
            (choices(run)?)
            (tests(run)?)
            (averages(run)?)
            (middles(run)?)
            (crossings(run)?)
            (list(run)?)
            @if !notes.is_empty() {
                section #notes { h2 { "Notes" } ul { @for note in &notes { li { (note) } } } }
            }
            section #settings {
                h2 { "Settings" }
                p { (page.meta) ". The whole resolved experiment; " code { "run.ron" } " holds the same." }
                details { summary { "Show" } pre { (page.settings) } }
            }
            (cited(&OF_EMBEDDING))
        }
        (plot::script(page.assets))
    };
    replace(&run.join("index.html"), shell(page.title, &body).as_bytes())?;
    files.push("index.html".into());
    Ok(files)
}

/// What was found, in a sentence.
fn sentence(run: &Path) -> Result<String> {
    let table = Embeddings::read(run)?;
    let mut bases = table.base_model()?;
    bases.sort_unstable();
    bases.dedup();
    let mut seeds = table.seed()?;
    seeds.dedup();
    let (agreement, r2) = (table.agreement()?, table.r2()?);
    Ok(format!(
        "One recurrent network with a vector θ as a knob does what {} networks do: set to the place of one of them on the map, it gives that \
         one's answer on {:.1} % of new phrases and carries {:.1} % of the variance of its states ({} meta-models).",
        bases.len(),
        100.0 * summary::mean(&agreement),
        100.0 * summary::mean(&r2),
        seeds.len()
    ))
}

/// A map as it is called on the page.
fn named(map: &str) -> String {
    if map == "theta" { "θ".into() } else { map.to_uppercase() }
}

/// How many curves of fixed points change between middles; nothing where none were followed.
fn changed(run: &Path) -> Result<Option<String>> {
    let curves = EmbeddingCurves::read(run)?;
    let (from, to, passes) = (curves.from()?, curves.to()?, curves.passes()?);
    let mut segments: Vec<_> = from.iter().zip(&to).collect();
    segments.dedup();
    let changed = passes.iter().filter(|p| !**p).count();
    let pairs = match segments.len() {
        1 => "one pair".to_string(),
        count => format!("{count} pairs"),
    };
    let what = match changed {
        0 => "none changes on the way: all reach the other end and meet no bifurcation".to_string(),
        _ => format!(
            "{changed} change on the way: they meet a bifurcation or do not reach the other end"
        ),
    };
    let said = format!(
        "Of {} curves of fixed points between {pairs} of places on the map, {what}.",
        passes.len()
    );
    Ok((!passes.is_empty()).then_some(said))
}

/// Every bifurcation between middles.
fn crossings(run: &Path) -> Result<Markup> {
    let curves = EmbeddingCurves::read(run)?;
    let (from, to) = (curves.from()?, curves.to()?);
    let met = EmbeddingBifurcations::read(run)?;
    let (curve, crossing, share) = (met.curve()?, met.crossing()?, met.share()?);
    let (theta, re, im) = (met.theta()?, met.re()?, met.im()?);
    let (unstable, mode) = (met.unstable()?, met.mode()?);
    let list = |of: &[f64]| of.iter().map(|x| format!("{x:.2}")).collect::<Vec<_>>().join(", ");
    let kind = |i: usize| {
        let named = CROSSINGS.iter().find(|k| k.0 == crossing[i]);
        named.map_or(crossing[i].as_str(), |k| k.1)
    };
    let rows = (0..curve.len()).filter(|&i| curve[i] < from.len());
    let heads = ["From", "To", "Curve", "Crossing", "Share", "θ", "Eigenvalue", "Unstable", "Mode"];
    Ok(html! {
        @if !from.is_empty() {
            section #crossings {
                h2 { "Where fixed points change" }
                p {
                    "Fixed points at the middles were followed along straight segments of the map (pseudo-arclength). Each row is a place where \
                     an eigenvalue crosses the unit circle. Unstable: other eigenvalues outside it. Mode: what the outputs gain along the mode \
                     that crosses."
                }
                @if curve.is_empty() { p { "None of the " (from.len()) " curves meets one." } }
                @else {
                    div.wide {
                        (table(heads, html! {
                            @for i in rows {
                                tr {
                                    td.text { (from[curve[i]]) } td.text { (to[curve[i]]) } td { (curve[i]) }
                                    td.text { (kind(i)) } td { (format!("{:.4}", share[i])) } td { (list(&theta[i])) }
                                    td { (format!("{:.3}", re[i])) @if im[i] != 0.0 { (format!(" ± {:.3}i", im[i].abs())) } }
                                    td { (unstable[i]) } td { (list(&mode[i])) }
                                }
                            }
                        }))
                    }
                }
                p.small { (table_link(EmbeddingCurves::NAME)) " · " (table_link(EmbeddingBifurcations::NAME)) }
            }
        }
    })
}

fn tests(run: &Path) -> Result<Markup> {
    let rows = EmbeddingTests::read(run)?;
    let (seed, map, by) = (rows.seed()?, rows.map()?, rows.by()?);
    let (statistic, value) = (rows.statistic()?, rows.value()?);
    let (chance, p, n) = (rows.chance()?, rows.p()?, rows.n()?);
    let asked = |i: usize| match statistic[i].as_str() {
        "neighbours" => format!("nearest neighbour has the same {}", by[i]),
        "mantel" => format!("distances rank as by {} (correlation)", named(&by[i])),
        _ => format!("lie apart by {} (silhouette)", by[i]),
    };
    let which = |i: usize| match seed[i] {
        Some(seed) if map[i] == "theta" => format!("θ, seed {seed}"),
        Some(seed) => format!("{}, beside seed {seed}", named(&map[i])),
        None => named(&map[i]),
    };
    Ok(html! {
        @if !map.is_empty() {
            section #tests {
                h2 { "What lies together" }
                p {
                    "Labels (for a correlation of two maps, networks) were permuted 1000 times; p is the share of permutations that reach the \
                     value. Copies are left out."
                }
                div.wide {
                    (table(["Map", "Question", "Value", "Chance", "p", "Networks"], html! {
                        @for i in 0..map.len() {
                            tr {
                                td.text { (which(i)) } td.text { (asked(i)) }
                                td { (format!("{:.3}", value[i])) } td { (format!("{:.3}", chance[i])) }
                                td { (format!("{:.3}", p[i])) } td { (n[i]) }
                            }
                        }
                    }))
                }
                p.small { (table_link(EmbeddingTests::NAME)) " · " (table_link(EmbeddingCopies::NAME)) }
            }
        }
    })
}

/// Dimensions and weights that were compared.
fn choices(run: &Path) -> Result<Markup> {
    let Some(rows) = EmbeddingChoices::read_if_there(run)? else { return Ok(html! {}) };
    let (p, lambda, r2) = (rows.dimension()?, rows.lambda()?, rows.r2()?);
    let (divergence, agreement) = (rows.divergence()?, rows.agreement()?);
    let (missed, error, chosen) = (rows.missed()?, rows.error()?, rows.chosen()?);
    let heads =
        ["p", "λ", "R² of states", "Divergence", "Agreement", "Missed", "± error", "Chosen"];
    Ok(html! {
        section #compared {
            h2 { "Dimensions and weights compared" }
            p {
                "Meta-models that differ by the numbers of θ (p) and the weight of the states (λ) alone, on training phrases held out. Missed: \
                 (1 − R²) plus the divergence, whatever λ was. The smallest p within one standard error of the best is chosen."
            }
            div.wide {
                (table(heads, html! {
                    @for i in 0..p.len() {
                        tr {
                            td { (p[i]) } td { (lambda[i]) } td { (format!("{:.4}", r2[i])) }
                            td { (format!("{:.4}", divergence[i])) } td { (format!("{:.3}", agreement[i])) }
                            td { (format!("{:.4}", missed[i])) } td { (format!("{:.4}", error[i])) }
                            td.text { @if chosen[i] { "chosen" } }
                        }
                    }
                }))
            }
            p.small { (table_link(EmbeddingChoices::NAME)) }
        }
    })
}

fn averages(run: &Path) -> Result<Markup> {
    let rows = ModelAverages::read(run)?;
    let (seed, group, n) = (rows.seed()?, rows.group()?, rows.n()?);
    let (theta, base, weights) = (rows.theta()?, rows.base()?, rows.weights()?);
    Ok(html! {
        @if !seed.is_empty() {
            section #averages {
                h2 { "Means of networks" }
                p {
                    "The meta-model at the mean θ of a group, beside its base models and beside networks whose weights are means over base \
                     models of one cell and size."
                }
                div.wide {
                    (table(["Seed", "Group", "At the mean θ", "Base models", "Mean of weights", "Networks"], html! {
                        @for i in 0..seed.len() {
                            tr {
                                td { (seed[i]) } td.text { (group[i]) }
                                td { (format!("{:.3}", theta[i])) } td { (format!("{:.3}", base[i])) }
                                td { @if !weights[i].is_nan() { (format!("{:.3}", weights[i])) } }
                                td { (n[i]) }
                            }
                        }
                    }))
                }
                p.small { (table_link(ModelAverages::NAME)) }
            }
        }
    })
}

fn middles(run: &Path) -> Result<Markup> {
    let rows = EmbeddingPoints::read(run)?;
    let (place, slow, dimension) = (rows.place()?, rows.slow()?, rows.dimension()?);
    let (modes, tried, proved) = (rows.slow_modes()?, rows.tried()?, rows.proved()?);
    let (stable, unstable, missed) = (rows.stable()?, rows.unstable()?, rows.missed()?);
    let heads = [
        "Group",
        "Slow points",
        "Dimension",
        "Slow modes",
        "Tried",
        "Proved",
        "Stable",
        "Unstable",
        "Missed",
    ];
    let number = |x: f64| if x.is_nan() { String::new() } else { format!("{x:.2}") };
    Ok(html! {
        @if !place.is_empty() {
            section #middles {
                h2 { "Slow points at the groups' middles" }
                div.wide {
                    (table(heads, html! {
                        @for i in (0..place.len()).filter(|&i| place[i] != "grid") {
                            tr {
                                td.text { (place[i]) } td { (slow[i]) } td { (number(dimension[i])) }
                                td { (number(modes[i])) } td { (tried[i]) } td { (proved[i]) }
                                td { (stable[i]) } td { (unstable[i]) } td { (missed[i]) }
                            }
                        }
                    }))
                }
                p.small { (table_link(EmbeddingPoints::NAME)) }
            }
        }
    })
}

/// Every network, with how well it is emulated, mean over meta-models.
fn list(run: &Path) -> Result<Markup> {
    let bases = BaseModels::read(run)?;
    let (name, group, number) = (bases.name()?, bases.group()?, bases.base_model()?);
    let (cell, units, accuracy) = (bases.cell()?, bases.units()?, bases.accuracy()?);
    let rows = Embeddings::read(run)?;
    let (base, agreement) = (rows.base_model()?, rows.agreement()?);
    let (steps, r2, own) = (rows.agreement_of_steps()?, rows.r2()?, rows.accuracy()?);
    let mean = |n: Option<usize>, values: &[f64]| {
        let of: Vec<f64> =
            (0..base.len()).filter(|&i| Some(base[i]) == n).map(|i| values[i]).collect();
        match of.is_empty() || of.iter().any(|x| x.is_nan()) {
            true => String::new(),
            false => format!("{:.3}", summary::mean(&of)),
        }
    };
    let heads = [
        "Network",
        "Group",
        "Cell",
        "Units",
        "Accuracy",
        "Emulated",
        "Agreement",
        "Of steps",
        "R²",
    ];
    Ok(html! {
        section #networks {
            h2 { "Every network" }
            p { "Emulated: accuracy of the meta-model at its place. A network without further numbers did not learn and is left out." }
            div.wide {
                (table(heads, html! {
                    @for i in 0..name.len() {
                        tr {
                            td.text { (name[i]) } td.text { (group[i]) } td.text { (cell[i]) } td { (units[i]) }
                            td { @if !accuracy[i].is_nan() { (format!("{:.3}", accuracy[i])) } }
                            td { (mean(number[i], &own)) } td { (mean(number[i], &agreement)) }
                            td { (mean(number[i], &steps)) } td { (mean(number[i], &r2)) }
                        }
                    }
                }))
            }
            p.small { (table_link(BaseModels::NAME)) " · " (table_link(Embeddings::NAME)) }
        }
    })
}
