//! One offline page a run.

use super::drawn::linked;
use super::escape::{self, visible};
use super::figure::{self, Figure};
use super::summary::Summary;
use super::{conditions, context, plot};
use crate::Result;
use crate::engine::StageRecord;
use crate::files::replace;
use crate::records::{self, Accuracies, Claims, Conditions, Dimensions, Key, Searches, keys};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::fmt::Write;
use std::path::Path;

/// What a network's states were visited in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Documents, token by token.
    Documents,
    /// Trials of a task, step by step.
    Trials,
    /// Nothing: the states were given.
    Given,
}

/// What the page says beyond tables and summary.
pub struct Page<'a> {
    /// Heading.
    pub title: &'a str,
    /// The corpus's name.
    pub corpus: &'a str,
    /// The network in a few words ("GRU, 128 units, one-hot words").
    pub network: &'a str,
    /// What the network reads.
    pub reads: Reads,
    /// Number of classes or labels; 0 for a running score.
    pub labels: usize,
    /// Whether documents carry label lists.
    pub lists: bool,
    /// The resolved experiment, as RON.
    pub settings: &'a str,
    /// Rows of the run's record.
    pub stages: &'a [StageRecord],
    /// The way from the run's folder to what all pages share.
    pub assets: &'a str,
    /// The section in which documents are read, where there is one.
    pub walk: Option<Markup>,
}

/// Draws the figures and writes `index.html`; returns the files.
///
/// # Errors
/// [`crate::Error::Io`] if the folder cannot be written to, [`crate::Error::Polars`] if a
/// table cannot be understood.
pub fn write(run: &Path, page: &Page, summary: &Summary) -> Result<Vec<String>> {
    let figures = figure::all(run)?;
    let mut files = Vec::new();
    for figure in &figures {
        files.push(figure.write(run)?);
    }
    let mut tables: Vec<&str> = figures.iter().flat_map(|f| f.tables).copied().collect();
    tables.extend([Claims::NAME, Accuracies::NAME, Dimensions::NAME, Searches::NAME]);
    tables.sort_unstable();
    tables.dedup();
    for name in tables.into_iter().filter(|name| records::is_there(run, name)) {
        files.push(records::csv(run, name)?);
    }
    let html = html(run, page, summary, &figures)?;
    replace(&run.join("index.html"), html.as_bytes())?;
    files.push("index.html".into());
    Ok(files)
}

/// The finding in one or two sentences, numbers from the summary.
pub fn sentence(page: &Page, summary: &Summary) -> String {
    let get = |key: Key<f64>| summary.get(key);
    let mut text = String::new();
    if let Some(dimension) = get(keys::DIMENSION_STATES) {
        let _ = write!(text, "The states of this network spread in {dimension:.2} dimensions");
        if let Some(slow) = get(keys::DIMENSION_FIXED_POINTS).filter(|d| *d > 0.0) {
            let _ = write!(text, " around slow points that spread in {slow:.2}");
        }
        if let (Some(predicted), Some(shape)) =
            (get(keys::DIMENSION_PREDICTED), summary.get_text(keys::SHAPE_PREDICTED))
        {
            let figure = match shape {
                // Classes whose texts have the same counts: no figure, and nothing to learn from words.
                "point" => {
                    "single point: the texts of all classes have the same word counts".to_string()
                }
                "simplex" if page.labels == 3 => "triangle".to_string(),
                "simplex" if page.labels == 4 => "tetrahedron".to_string(),
                "product" if page.labels == 2 => "square".to_string(),
                "product" if page.labels == 3 => "cube".to_string(),
                "other" => "figure of no simple kind".to_string(),
                other => other.to_string(),
            };
            let _ = write!(
                text,
                "; word counts alone, without the network, predict {predicted:.2} and a {figure}"
            );
            if let Some(scaled) = get(keys::DIMENSION_PREDICTED_SCALED) {
                let _ = write!(text, " ({scaled:.2} once each word weighs what it says)");
            }
        }
        text.push_str(". ");
    }
    if let (Some(error), Some(chance)) = (get(keys::TASK_ERROR), get(keys::TASK_CHANCE)) {
        let _ = write!(
            text,
            "Its mean squared error on test trials is {error:.2e}; the best constant answer has {chance:.2}."
        );
    }
    if let (Some(network), Some(words)) =
        (get(keys::ACCURACY_NETWORK), get(keys::ACCURACY_BAG_OF_WORDS))
    {
        let measure = if page.labels == 0 { "R²" } else { "accuracy" };
        let _ = write!(
            text,
            "It reaches a test {measure} of {network:.3}; adding up words reaches {words:.3}."
        );
    }
    text
}

fn html(run: &Path, page: &Page, summary: &Summary, figures: &[Figure]) -> Result<String> {
    let (first, rest) = figures.split_at(figures.len().min(1));
    let context = match Accuracies::is_in(run) {
        true => Some((accuracies(run)?, context::section(run, summary)?)),
        false => None,
    };
    let body = html! {
        header {
            p.kicker { "accrue · " (page.corpus) }
            h1 { (page.title) }
            p.finding { (sentence(page, summary)) }
        }
        nav aria-label="Contents" {
            ul {
                @for (anchor, name) in contents(run, page, figures) {
                    li { a href={ "#" (anchor) } { (name) } }
                }
            }
        }
        main {
            @for figure in first { (section(run, figure)) }
            @if Claims::is_in(run) { (claims(run, page.reads)?) }
            @if let Some(walk) = &page.walk { (walk) }
            (numbers(page, summary))
            @if Conditions::is_in(run) { (conditions::section(run)?) }
            @for figure in rest { (section(run, figure)) }
            (close_by(run)?)
            @if let Some((accuracies, context)) = context { (accuracies) (context) }
            (searches(run)?)
            (notes(run)?)
            (stages(page))
            section #settings {
                h2 { "Settings" }
                p {
                    (page.network) ". Everything below is the whole resolved experiment; "
                    code { "run.ron" } " holds the same."
                }
                details { summary { "Show" } pre { (page.settings) } }
            }
            (cite(page.reads))
        }
        (plot::script(page.assets))
    };
    Ok(shell(page.title, &body))
}

/// A whole page around its body, offline, with the look that all share.
pub fn shell(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) " · accrue" }
                style { (PreEscaped(CSS)) }
            }
            body { (body) }
        }
    };
    let mut page = visible(&page.into_string()).into_owned();
    page.push('\n');
    page
}

fn contents<'a>(run: &Path, page: &Page, figures: &'a [Figure]) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<(&str, &str)> = figures.iter().map(|f| (f.name, f.title)).collect();
    let after = 1.min(all.len());
    all.insert(after, ("numbers", "The numbers"));
    if Conditions::is_in(run) {
        all.insert(after + 1, ("conditions", "Errors by condition"));
    }
    if page.walk.is_some() {
        all.insert(after, ("walk", "Reading a document"));
    }
    if Claims::is_in(run) {
        all.insert(after, ("claims", "The claims"));
    }
    if Accuracies::is_in(run) {
        all.extend([("accuracies", "Accuracy"), ("augmented", "Words in context")]);
    }
    all.push(("close", "Dimension from close by"));
    all.extend([
        ("searches", "Slow points"),
        ("notes", "Notes"),
        ("stages", "Stages"),
        ("settings", "Settings"),
        ("cite", "How to cite"),
    ]);
    all
}

/// A link to a table of the run, by its name.
pub(super) fn table_link(name: &str) -> Markup {
    html! { a href={ "tables/" (name) ".parquet" } { (name) ".parquet" } }
}

/// The same, and to its CSV.
fn table_links(name: &str) -> Markup {
    html! { (table_link(name)) " (" a href={ "tables/" (name) ".csv" } download { "CSV" } ")" }
}

/// Parts with ` · ` between them.
pub(super) fn dotted(parts: impl IntoIterator<Item = Markup>) -> Markup {
    html! {
        @for (i, part) in parts.into_iter().enumerate() {
            @if i > 0 { " · " }
            (part)
        }
    }
}

/// A drawing, for those too who cannot see it; plotters has escaped its text.
pub(super) fn drawing(figure: &Figure) -> Markup {
    let open = format!("<svg role=\"img\" aria-label=\"{}\" ", escape::html(&figure.alt));
    PreEscaped(figure.svg.replacen("<svg ", &open, 1))
}

fn section(run: &Path, figure: &Figure) -> Markup {
    let tables = figure.tables.iter().filter(|t| records::is_there(run, t));
    linked(figure, dotted(tables.map(|t| table_links(t))))
}

fn numbers(page: &Page, summary: &Summary) -> Markup {
    let mut rows = Vec::new();
    let number = |key: Key<f64>| summary.get(key).map_or("–".into(), |x| format!("{x:.2}"));
    let range = |key: Key<f64>| match summary.interval(key) {
        Some((low, high)) => format!("{low:.2} – {high:.2}"),
        None => String::new(),
    };
    rows.push(("Dimension of the states", number(keys::DIMENSION_STATES), String::new()));
    if summary.get(keys::DIMENSION_UNTRAINED).is_some() {
        rows.push(("… before training", number(keys::DIMENSION_UNTRAINED), String::new()));
    }
    rows.push((
        "Dimension of the slow points",
        number(keys::DIMENSION_FIXED_POINTS),
        String::new(),
    ));
    for (name, key) in [
        ("Predicted from word counts", keys::DIMENSION_PREDICTED),
        ("… corrected for sampling noise", keys::DIMENSION_PREDICTED_UNBIASED),
        ("… and each word weighed by what it says", keys::DIMENSION_PREDICTED_SCALED),
    ] {
        if summary.get(key).is_some() {
            rows.push((name, number(key), range(key)));
        }
    }
    if page.labels > 1 && !page.lists {
        rows.push(("Classes − 1", format!("{}", page.labels - 1), String::new()));
    }
    let whole = |key: Key<f64>| summary.get(key).map_or("–".into(), |x| format!("{x:.0}"));
    rows.push(("Slow points near the states", whole(keys::FIXED_POINTS_COUNT), String::new()));
    rows.push((
        "Points that stand still",
        format!(
            "{}, {} farther from the states",
            whole(keys::FIXED_POINTS_DISTINCT),
            whole(keys::FIXED_POINTS_FARTHER)
        ),
        String::new(),
    ));
    rows.push((
        "Proved to be fixed points",
        format!(
            "{} of {} tried",
            whole(keys::FIXED_POINTS_CERTIFIED),
            whole(keys::FIXED_POINTS_TRIED)
        ),
        String::new(),
    ));
    rows.push((
        "Of these, proved stable and unstable",
        format!("{} and {}", whole(keys::FIXED_POINTS_STABLE), whole(keys::FIXED_POINTS_UNSTABLE)),
        String::new(),
    ));
    let slowest = match page.reads {
        Reads::Documents => "Slowest time constant, tokens",
        Reads::Trials | Reads::Given => "Slowest time constant, steps",
    };
    rows.push((slowest, whole(keys::FIXED_POINTS_TAU_1), String::new()));
    if summary.get(keys::FIXED_POINTS_SLOW_MODES).is_some() {
        rows.push(("Slow modes", whole(keys::FIXED_POINTS_SLOW_MODES), String::new()));
    }
    html! {
        section #numbers {
            h2 { "The numbers" }
            @if rows.iter().any(|r| !r.2.is_empty()) {
                (table(["Measure", "Value", "95 % interval"], html! {
                    @for (name, value, interval) in &rows {
                        tr { td { (name) } td { (value) } td { (interval) } }
                    }
                }))
            } @else {
                (table(["Measure", "Value"], html! {
                    @for (name, value, _) in &rows { tr { td { (name) } td { (value) } } }
                }))
            }
            p.small {
                "Dimensions are participation ratios, (Σλ)²/Σλ², over all principal variances. "
                @if page.reads == Reads::Documents { "Intervals: bootstrap over training documents. " }
                "One network, one seed: no spread over seeds is claimed. "
                a href="summary.json" { "summary.json" } " · " (table_link(Dimensions::NAME))
            }
        }
    }
}

/// A table with its heads.
pub(super) fn table<const N: usize>(heads: [&str; N], rows: Markup) -> Markup {
    html! {
        table {
            thead { tr { @for head in heads { th { (head) } } } }
            tbody { (rows) }
        }
    }
}

/// The papers' claims on this run.
fn claims(run: &Path, reads: Reads) -> Result<Markup> {
    let rows = Claims::read(run)?;
    let (claim, statement) = (rows.claim()?, rows.statement()?);
    let (measured, low, high) = (rows.measured()?, rows.low()?, rows.high()?);
    let (n, reference) = (rows.n()?, rows.reference()?);
    let holds = rows.holds()?;
    Ok(html! {
        section #claims {
            h2 { "The claims" }
            @if claim.is_empty() {
                p { "None of the papers' claims is about this kind of label or task." }
            } @else {
                div.wide {
                    table.claims {
                        thead {
                            tr {
                                th { "Claim" } th { "Holds" } th { "On this run" } th { "Measured" }
                                th { "Published; criterion" }
                            }
                        }
                        tbody {
                            @for i in 0..claim.len() {
                                tr {
                                    td { (claim[i]) }
                                    td { @if holds[i] { "holds" } @else { strong { "does not" } } }
                                    td { (statement[i]) br; span.small { "n = " (n[i]) } }
                                    td data-name="Measured" {
                                        (short(measured[i]))
                                        @if !low[i].is_nan() {
                                            br; span.small { (short(low[i])) " – " (short(high[i])) }
                                        }
                                    }
                                    td data-name="Published; criterion" { (reference[i]) }
                                }
                            }
                        }
                    }
                }
                p.small {
                    "One network, one seed; intervals are over points, steps or "
                    @if reads == Reads::Documents { "documents. " } @else { "trials. " }
                    (table_links(Claims::NAME))
                }
            }
        }
    })
}

/// A number with three digits that count, counts and large ones whole.
fn short(x: f64) -> String {
    if x.abs() >= 100.0 || x.fract() == 0.0 { format!("{x:.0}") } else { format!("{x:.3}") }
}

/// Dimensions from close by, and what the first components are worth.
fn close_by(run: &Path) -> Result<Markup> {
    let rows = Dimensions::read(run)?;
    let (source, measure) = (rows.source()?, rows.measure()?);
    let value = rows.value()?;
    let get = |s: &str, m: &str| {
        let at = (0..source.len()).find(|&i| source[i] == s && measure[i] == m);
        at.map_or("–".into(), |i| format!("{:.2}", value[i]))
    };
    let restricted = match records::Restricted::read_if_there(run)? {
        Some(rows) => Some((rows.components()?, rows.accuracy()?)),
        None => None,
    };
    let measures = [
        ("Participation ratio of all", "participation_ratio"),
        ("… of neighbourhoods", "local_participation_ratio"),
        ("Levina–Bickel, 10 neighbours", "levina_bickel_10"),
        ("Levina–Bickel, 50 neighbours", "levina_bickel_50"),
        ("Correlation dimension", "correlation"),
    ];
    Ok(html! {
        section #close {
            h2 { "Dimension from close by" }
            p {
                "A bent surface fills more flat space than it has dimensions. Neighbourhoods say how many it has: by \
                 the participation ratio of the nearest points, by how distances to neighbours grow, by the share of \
                 close pairs."
            }
            (table(["Measure", "States", "Slow points"], html! {
                @for (name, key) in measures {
                    tr { td { (name) } td { (get("states", key)) } td { (get("fixed_points", key)) } }
                }
            }))
            @if let Some((components, accuracy)) = &restricted {
                p { "Accuracy when the state that is read keeps only its first components:" }
                table {
                    thead { tr { th { "Components kept" } @for k in components { th { (k) } } } }
                    tbody {
                        tr { td { "Test accuracy" } @for a in accuracy { td { (format!("{a:.3}")) } } }
                    }
                }
            }
            p.small {
                (dotted([Dimensions::NAME, records::Restricted::NAME].map(table_link)))
            }
        }
    })
}

fn accuracies(run: &Path) -> Result<Markup> {
    let rows = Accuracies::read(run)?;
    let (model, accuracy) = (rows.model()?, rows.accuracy()?);
    let (low, high, n) = (rows.low()?, rows.high()?, rows.n()?);
    Ok(html! {
        section #accuracies {
            h2 { "Accuracy" }
            (table(["Model", "Test", "95 % interval", "Answers"], html! {
                @for i in 0..model.len() {
                    tr {
                        td { (model[i].replace('_', " ")) }
                        td { (format!("{:.4}", accuracy[i])) }
                        td { @if !low[i].is_nan() { (format!("{:.4} – {:.4}", low[i], high[i])) } }
                        td { (n[i]) }
                    }
                }
            }))
            p.small { (table_link(Accuracies::NAME)) }
        }
    })
}

fn searches(run: &Path) -> Result<Markup> {
    let rows = Searches::read(run)?;
    let (input, tolerance) = (rows.input()?, rows.tolerance()?);
    let (searches, reached, kept) = (rows.searches()?, rows.reached()?, rows.kept()?);
    let (moved, dimension) = (rows.median_moved()?, rows.participation_ratio()?);
    let (far, stalled) = (rows.too_far()?, rows.stalled()?);
    let heads = [
        "Input",
        "q below",
        "Searches",
        "Reached",
        "Kept",
        "Moved",
        "Dimension",
        "Too far",
        "Stalled",
    ];
    Ok(html! {
        section #searches {
            h2 { "Slow points" }
            p {
                "From visited states down to where the state nearly stands still under a held input: half the squared \
                 step, q, below each tolerance. Not arriving is a result; it is counted here."
            }
            div.wide {
                (table(heads, html! {
                    @for i in 0..input.len() {
                        tr {
                            td { (input[i]) } td { (format!("{:.0e}", tolerance[i])) }
                            td { (searches[i]) } td { (reached[i]) } td { (kept[i]) }
                            td { @if moved[i].is_nan() { "–" } @else { (format!("{:.2}", moved[i])) } }
                            td { (format!("{:.2}", dimension[i])) } td { (far[i]) } td { (stalled[i]) }
                        }
                    }
                }))
            }
            p.small {
                "Moved: median distance from the initial state, in median state norms. Too far: what goes further down \
                 lies farther from the initial state than " code { "fixed_points.finder.max_distance" } ". Stalled: at a \
                 minimum of q that is no zero. "
                (dotted([Searches::NAME, records::FixedPoints::NAME].map(table_link)))
            }
            @if let Some(rows) = records::Explorations::read_if_there(run)? {
                (explorations(&rows)?)
            }
        }
    })
}

/// How searches without a limit of distance went, by what they began at.
fn explorations(rows: &records::Frame<records::Explorations>) -> Result<Markup> {
    let (input, start) = (rows.input()?, rows.start()?);
    let (searches, converged) = (rows.searches()?, rows.converged()?);
    let (points, new, farther) = (rows.points()?, rows.added()?, rows.farther()?);
    let unseen = rows.unseen()?;
    let heads =
        ["Input", "From", "Searches", "Converged", "Points", "New", "Farther", "Next one new"];
    Ok(html! {
        p {
            "Searches without a limit of distance, down to the smallest q: from where the map leads to (running), and from \
             visited states as they are, with noise, mixed two by two, and from anywhere between their extremes."
        }
        div.wide {
            (table(heads, html! {
                @for i in 0..input.len() {
                    tr {
                        td { (input[i]) } td { (start[i]) } td { (searches[i]) } td { (converged[i]) }
                        td { (points[i]) } td { (new[i]) } td { (farther[i]) }
                        td { @if unseen[i].is_nan() { "–" } @else { (format!("{:.2}", unseen[i])) } }
                    }
                }
            }))
        }
        p.small {
            "New: points that no search within the limit, and no line above, had come to. Next one new: the share of searches \
             that came to a point no other came to, about how likely the next one finds another. "
            (table_link(records::Explorations::NAME))
        }
    })
}

fn notes(run: &Path) -> Result<Markup> {
    let notes = records::Notes::read(run)?.note()?;
    Ok(html! {
        section #notes {
            h2 { "Notes" }
            @if notes.is_empty() {
                p { "Nothing was cut, dropped or doubtful." }
            } @else {
                ul { @for note in &notes { li { (note) } } }
            }
        }
    })
}

fn stages(page: &Page) -> Markup {
    html! {
        section #stages {
            h2 { "Stages" }
            (table(["Stage", "Seconds", "Peak memory"], html! {
                @for stage in page.stages {
                    tr {
                        td { (stage.name) }
                        td { (format!("{:.1}", stage.seconds)) }
                        td { (format!("{:.0} MB", stage.peak_bytes as f64 / 1e6)) }
                    }
                }
            }))
        }
    }
}

/// Papers that a text's analyses follow.
const OF_TEXT: [&str; 3] = [
    "Maheswaranathan, Williams, Golub, Ganguli, Sussillo: Reverse engineering recurrent networks for sentiment \
     classification reveals line attractor dynamics. NeurIPS 2019. arXiv:1906.10720",
    "Maheswaranathan, Sussillo: How recurrent networks implement contextual processing in sentiment analysis. ICML 2020. \
     arXiv:2004.08013",
    "Aitken, Ramasesh, Garg, Cao, Sussillo, Maheswaranathan: The geometry of integration in text classification RNNs. ICLR \
     2021. arXiv:2010.15114",
];
/// The paper on fixed points of recurrent networks, and that on many networks.
const OF_POINTS: [&str; 2] = [
    "Sussillo, Barak: Opening the black box: low-dimensional dynamics in high-dimensional recurrent neural networks. Neural \
     Computation 2013",
    "Maheswaranathan, Williams, Golub, Ganguli, Sussillo: Universality and individuality in neural dynamics across large \
     populations of recurrent networks. NeurIPS 2019. arXiv:1907.08549",
];
/// The paper on networks that optimise.
pub(super) const OF_OPTIMISERS: [&str; 1] = [
    "Maheswaranathan, Sussillo, Metz, Sun, Sohl-Dickstein: Reverse engineering learned optimizers reveals known and novel \
      mechanisms. NeurIPS 2021. arXiv:2011.02159",
];

pub(super) const OF_EMBEDDING: [&str; 1] = [
    "Cotler, Tai, Hernández, Elias, Sussillo: Analyzing populations of neural networks via dynamical model embedding. 2023. \
      arXiv:2302.14078",
];

fn cite(reads: Reads) -> Markup {
    cited(match reads {
        Reads::Documents => &OF_TEXT,
        Reads::Trials => &OF_POINTS,
        Reads::Given => &OF_POINTS[..1],
    })
}

/// The section that names papers.
pub(super) fn cited(papers: &[&str]) -> Markup {
    html! {
        section #cite {
            h2 { "How to cite" }
            p { "The analyses follow:" }
            ul { @for paper in papers { li { (paper) } } }
        }
    }
}

const CSS: &str = "
:root{color-scheme:light dark;--ink:#1c1f23;--soft:#5b6470;--line:#dfe3e8;--paper:#fff;--tint:#f5f7f9;--link:#0a5ea8}
@media(prefers-color-scheme:dark){:root{--ink:#e6e9ed;--soft:#9aa4b0;--line:#333a42;--paper:#14171a;--tint:#1b1f24;--link:#7cb8ee}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:52rem;padding:2.5rem 1.25rem 4rem;font:17px/1.6 Georgia,'Times New Roman',serif;color:var(--ink);background:var(--paper)}
h1,h2,.kicker,nav,table,.small,.links,summary{font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}
.kicker{margin:0;color:var(--soft);font-size:.85rem;letter-spacing:.04em}
h1{margin:.2rem 0 .6rem;font-size:2rem;line-height:1.2}
h2{margin:2.6rem 0 .6rem;font-size:1.25rem}
.finding{font-size:1.2rem;line-height:1.5}
nav ul{display:flex;flex-wrap:wrap;gap:.2rem 1rem;padding:.6rem 0;margin:1.2rem 0 0;list-style:none;font-size:.85rem;border-block:1px solid var(--line)}
a{color:var(--link)}
figure{margin:0}
figure svg{width:100%;height:auto;display:block}
figure svg [fill='#141414']{fill:var(--ink)}
figure svg [stroke='#141414']{stroke:var(--ink)}
figure svg [fill='#F5F5F5']{fill:var(--paper)}
figcaption{color:var(--soft);font-size:.95rem}
.links{font-size:.8rem}
.wide{overflow-x:auto}
.wide td.text{min-width:9rem}
@media(min-width:56rem){.wide{position:relative;left:50%;transform:translateX(-50%);width:max-content;min-width:100%;max-width:min(72rem,100vw - 4rem)}.wide td.text,.claims td{max-width:24rem}}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--soft)}
th,td{padding:.35rem .8rem .35rem 0;border-bottom:1px solid var(--line)}
td+td,th+th{text-align:right}
td.text,th.text{text-align:left}
table:has(td:nth-child(2).text) th:nth-child(2),table:has(td:nth-child(3).text) th:nth-child(3),table:has(td:nth-child(4).text) th:nth-child(4),table:has(td:nth-child(5).text) th:nth-child(5),table:has(td:nth-child(6).text) th:nth-child(6),table:has(td:nth-child(7).text) th:nth-child(7){text-align:left}
.claims td:nth-child(-n+3),.claims th:nth-child(-n+3),.claims td:nth-child(5),.claims th:nth-child(5){text-align:left}
.claims td:nth-child(2){white-space:nowrap}
.claims td{vertical-align:top}
.small{color:var(--soft);font-size:.8rem}
canvas{display:block;width:100%;height:min(62vh,27rem);touch-action:none;cursor:grab}
.controls{display:flex;flex-wrap:wrap;gap:.4rem .8rem;align-items:center;margin:.5rem 0;font:.85rem system-ui,sans-serif}
.controls select{max-width:16rem}
.controls form{flex:1;min-width:14rem}
.controls form label{display:inline-flex;gap:.4rem;align-items:center;width:calc(100% - 4.5rem)}
.controls input[type=text]{flex:1;min-width:5rem}
.controls input[type=range]{flex:1;min-width:8rem}
.controls select,.controls input,.controls button{font:inherit;color:inherit;background:var(--tint);border:1px solid var(--line);border-radius:4px;padding:.2rem .5rem}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
.meter{display:flex;gap:.7rem;align-items:center;font:.85rem system-ui,sans-serif}
.meter .name{width:9rem;text-align:right;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.meter .value{width:7.5rem;font-variant-numeric:tabular-nums;color:var(--soft)}
.track{position:relative;flex:1;height:1.3rem;background:linear-gradient(var(--line),var(--line)) center/1px 100% no-repeat}
.track i{position:absolute}
.track .net{top:.15rem;height:.6rem}
.track .words{top:.85rem;height:.25rem;opacity:.65}
.bars{max-height:16rem;overflow-y:auto}
.reading{max-height:14rem;overflow-y:auto;margin-top:.6rem;padding:.6rem .8rem;border:1px solid var(--line);border-radius:4px;line-height:1.8}
.reading span{cursor:pointer;border-radius:3px;padding:0 .1em}
.reading [data-state=ahead]{opacity:.4}
.reading [data-state=now]{outline:2px solid var(--ink)}
.plot{height:29rem}
.modifier{border-bottom:2px dotted var(--soft)}
pre{overflow-x:auto;background:var(--tint);padding:1rem;font-size:.8rem;line-height:1.4}
@media print{nav,details,#walk,.controls{display:none}body{max-width:none;font-size:11pt}section{break-inside:avoid}}
@media(max-width:36rem){.claims thead{display:none}.claims tr{display:block;padding:.6rem 0;border-bottom:1px solid var(--line)}.claims td{display:block;border:0;padding:.1rem 0;text-align:left}.claims td:nth-child(-n+2){display:inline-block;margin-right:.8rem;font-weight:600}.claims td[data-name]::before{content:attr(data-name) ': ';color:var(--soft)}}
@media(max-width:36rem){body{font-size:16px;padding-top:1.25rem}h1{font-size:1.5rem}.finding{font-size:1.05rem}}
";
