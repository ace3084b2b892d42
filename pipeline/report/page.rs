//! One offline page a run.

use super::figure::{self, Figure};
use super::summary::Summary;
use super::{context, plot};
use crate::Result;
use crate::engine::StageRecord;
use crate::files::replace;
use crate::records::{self, Accuracies, Claims, Dimensions, Key, Searches, keys};
use std::fmt::Write;
use std::path::Path;

/// What the page says beyond tables and summary.
pub struct Page<'a> {
    /// Heading.
    pub title: &'a str,
    /// The corpus's name.
    pub corpus: &'a str,
    /// The network in a few words ("GRU, 128 units, one-hot words").
    pub network: &'a str,
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
    pub walk: Option<String>,
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

/// Text that means itself in HTML.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
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
    let mut body = String::new();
    let title = escape(page.title);
    let _ = writeln!(
        body,
        "<header><p class=kicker>accrue · {}</p><h1>{title}</h1><p class=finding>{}</p></header>",
        escape(page.corpus),
        escape(&sentence(page, summary))
    );
    body.push_str("<nav aria-label=\"Contents\"><ul>");
    for (anchor, name) in contents(run, page, figures) {
        let _ = write!(body, "<li><a href=\"#{anchor}\">{name}</a></li>");
    }
    body.push_str("</ul></nav>\n<main>\n");
    let mut drawn = figures.iter();
    if let Some(first) = drawn.next() {
        section(&mut body, run, first);
    }
    if Claims::is_in(run) {
        claims(&mut body, run)?;
    }
    if let Some(walk) = &page.walk {
        body.push_str(walk);
    }
    numbers(&mut body, page, summary);
    drawn.for_each(|f| section(&mut body, run, f));
    close_by(&mut body, run)?;
    if Accuracies::is_in(run) {
        accuracies(&mut body, run)?;
        context::section(&mut body, run, summary)?;
    }
    searches(&mut body, run)?;
    notes(&mut body, run)?;
    stages(&mut body, page);
    let _ = writeln!(
        body,
        "<section id=settings><h2>Settings</h2><p>{}. Everything below is the whole resolved \
         experiment; <code>run.ron</code> holds the same.</p><details><summary>Show</summary>\
         <pre>{}</pre></details></section>",
        escape(page.network),
        escape(page.settings)
    );
    body.push_str(CITE);
    body.push_str("</main>\n");
    body.push_str(&plot::script(page.assets));
    Ok(shell(&title, &body))
}

/// A whole page around its body, offline, with the look that all share.
pub fn shell(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=en>\n<head>\n<meta charset=utf-8>\n<meta name=viewport \
         content=\"width=device-width, initial-scale=1\">\n<title>{title} · accrue</title>\n\
         <style>{CSS}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )
}

fn contents<'a>(run: &Path, page: &Page, figures: &'a [Figure]) -> Vec<(&'a str, &'a str)> {
    let mut all: Vec<(&str, &str)> = figures.iter().map(|f| (f.name, f.title)).collect();
    let after = 1.min(all.len());
    all.insert(after, ("numbers", "The numbers"));
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

fn section(body: &mut String, run: &Path, figure: &Figure) {
    let links: Vec<String> = figure
        .tables
        .iter()
        .filter(|t| records::is_there(run, t))
        .map(|t| {
            format!(
                "<a href=\"tables/{t}.parquet\">{t}.parquet</a> \
                 (<a href=\"tables/{t}.csv\" download>CSV</a>)"
            )
        })
        .collect();
    let svg = figure.svg.replacen(
        "<svg ",
        &format!("<svg role=img aria-label=\"{}\" ", escape(&figure.alt)),
        1,
    );
    let _ = writeln!(
        body,
        "<section id={}><h2>{}</h2><figure>{svg}<figcaption>{} <span class=links>{} · \
         <a href=\"figures/{}.svg\">SVG</a></span></figcaption></figure>{}</section>",
        figure.name,
        figure.title,
        escape(&figure.caption),
        links.join(" · "),
        figure.name,
        figure.plot.as_ref().map_or(String::new(), |p| p.island(figure.name))
    );
}

fn numbers(body: &mut String, page: &Page, summary: &Summary) {
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
        ("… without sampling noise", keys::DIMENSION_PREDICTED_UNBIASED),
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
    rows.push(("Slowest time constant, tokens", whole(keys::FIXED_POINTS_TAU_1), String::new()));
    if summary.get(keys::FIXED_POINTS_SLOW_MODES).is_some() {
        rows.push(("Slow modes", whole(keys::FIXED_POINTS_SLOW_MODES), String::new()));
    }
    body.push_str(
        "<section id=numbers><h2>The numbers</h2><table><thead><tr><th>Measure</th><th>Value\
         </th><th>95 % interval</th></tr></thead><tbody>",
    );
    for (name, value, interval) in rows {
        let _ = write!(body, "<tr><td>{name}</td><td>{value}</td><td>{interval}</td></tr>");
    }
    body.push_str(
        "</tbody></table><p class=small>Dimensions are participation ratios, (Σλ)²/Σλ², over all \
         principal variances. Intervals: bootstrap over training documents. One network, one \
         seed: no spread over seeds is claimed. <a href=\"summary.json\">summary.json</a> · \
         <a href=\"tables/dimensions.parquet\">dimensions.parquet</a></p></section>\n",
    );
}

/// The papers' claims on this run.
fn claims(body: &mut String, run: &Path) -> Result<()> {
    let table = Claims::read(run)?;
    let (claim, statement) = (table.claim()?, table.statement()?);
    let (measured, low, high) = (table.measured()?, table.low()?, table.high()?);
    let (n, reference) = (table.n()?, table.reference()?);
    let holds = table.holds()?;
    body.push_str("<section id=claims><h2>The claims</h2>");
    if claim.is_empty() {
        body.push_str("<p>None of the papers' claims is about this kind of label.</p></section>\n");
        return Ok(());
    }
    body.push_str(
        "<div class=wide><table class=claims><thead><tr><th>Claim</th><th>On this run</th>\
         <th>Measured</th><th>Published; criterion</th><th>Holds</th></tr></thead><tbody>",
    );
    for i in 0..claim.len() {
        let interval = if low[i].is_nan() {
            String::new()
        } else {
            format!("<br><span class=small>{} – {}</span>", short(low[i]), short(high[i]))
        };
        let answer = if holds[i] { "yes" } else { "<strong>no</strong>" };
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{}<br><span class=small>n = {:.0}</span></td><td>{}{interval}\
             </td><td>{}</td><td>{answer}</td></tr>",
            escape(&claim[i]),
            escape(&statement[i]),
            n[i],
            short(measured[i]),
            escape(&reference[i])
        );
    }
    body.push_str(
        "</tbody></table></div><p class=small>One network, one seed; intervals are over points, \
         steps or documents. <a href=\"tables/claims.parquet\">claims.parquet</a> (<a href=\"tables/claims.csv\" \
         download>CSV</a>)</p></section>\n",
    );
    Ok(())
}

/// A number with three digits that count, large ones whole.
fn short(x: f64) -> String {
    if x.abs() >= 100.0 { format!("{x:.0}") } else { format!("{x:.3}") }
}

/// Dimensions from close by, and what the first components are worth.
fn close_by(body: &mut String, run: &Path) -> Result<()> {
    let table = Dimensions::read(run)?;
    let (source, measure) = (table.source()?, table.measure()?);
    let value = table.value()?;
    let get = |s: &str, m: &str| {
        let at = (0..source.len()).find(|&i| source[i] == s && measure[i] == m);
        at.map_or("–".into(), |i| format!("{:.2}", value[i]))
    };
    body.push_str(
        "<section id=close><h2>Dimension from close by</h2><p>A bent surface fills more flat space \
         than it has dimensions. Neighbourhoods say how many it has: by the participation ratio of \
         the nearest points, by how distances to neighbours grow, by the share of close pairs.</p>\
         <table><thead><tr><th>Measure</th><th>States</th><th>Slow points</th></tr></thead><tbody>",
    );
    for (name, key) in [
        ("Participation ratio of all", "participation_ratio"),
        ("… of neighbourhoods", "local_participation_ratio"),
        ("Levina–Bickel, 10 neighbours", "levina_bickel_10"),
        ("Levina–Bickel, 50 neighbours", "levina_bickel_50"),
        ("Correlation dimension", "correlation"),
    ] {
        let (states, slow) = (get("states", key), get("fixed_points", key));
        let _ = write!(body, "<tr><td>{name}</td><td>{states}</td><td>{slow}</td></tr>");
    }
    body.push_str("</tbody></table>");
    if records::Restricted::is_in(run) {
        let table = records::Restricted::read(run)?;
        let (components, accuracy) = (table.components()?, table.accuracy()?);
        body.push_str(
            "<p>Accuracy when the state that is read keeps only its first components:</p><table>\
             <thead><tr><th>Components kept</th>",
        );
        for k in &components {
            let _ = write!(body, "<th>{k:.0}</th>");
        }
        body.push_str("</tr></thead><tbody><tr><td>Test accuracy</td>");
        for a in &accuracy {
            let _ = write!(body, "<td>{a:.3}</td>");
        }
        body.push_str("</tr></tbody></table>");
    }
    body.push_str(
        "<p class=small><a href=\"tables/dimensions.parquet\">dimensions.parquet</a> · \
         <a href=\"tables/restricted.parquet\">restricted.parquet</a></p></section>\n",
    );
    Ok(())
}

fn accuracies(body: &mut String, run: &Path) -> Result<()> {
    let table = Accuracies::read(run)?;
    let (model, accuracy) = (table.model()?, table.accuracy()?);
    let (low, high, n) = (table.low()?, table.high()?, table.n()?);
    body.push_str(
        "<section id=accuracies><h2>Accuracy</h2><table><thead><tr><th>Model</th><th>Test</th>\
         <th>95 % interval</th><th>Answers</th></tr></thead><tbody>",
    );
    for i in 0..model.len() {
        let interval = if low[i].is_nan() {
            String::new()
        } else {
            format!("{:.4} – {:.4}", low[i], high[i])
        };
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{:.4}</td><td>{interval}</td><td>{:.0}</td></tr>",
            escape(&model[i].replace('_', " ")),
            accuracy[i],
            n[i]
        );
    }
    body.push_str(
        "</tbody></table><p class=small><a href=\"tables/accuracies.parquet\">accuracies.parquet\
         </a></p></section>\n",
    );
    Ok(())
}

fn searches(body: &mut String, run: &Path) -> Result<()> {
    let table = Searches::read(run)?;
    let (input, tolerance) = (table.input()?, table.tolerance()?);
    let (seeds, reached, kept) = (table.searches()?, table.reached()?, table.kept()?);
    let (moved, dimension) = (table.median_moved()?, table.participation_ratio()?);
    let (far, stalled) = (table.too_far()?, table.stalled()?);
    body.push_str(
        "<section id=searches><h2>Slow points</h2><p>From visited states down to where the state \
         nearly stands still under a held input: half the squared step, q, below each tolerance. \
         Not arriving is a result; it is counted here.</p><div class=wide><table><thead><tr>\
         <th>Input</th><th>q below</th><th>Searches</th><th>Reached</th><th>Kept</th><th>Moved</th>\
         <th>Dimension</th><th>Too far</th><th>Stalled</th></tr></thead><tbody>",
    );
    for i in 0..input.len() {
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{:.0e}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td>{:.2}</td><td>{}</td><td>{}</td></tr>",
            escape(&input[i]),
            tolerance[i],
            seeds[i],
            reached[i],
            kept[i],
            if moved[i].is_nan() { "–".into() } else { format!("{:.2}", moved[i]) },
            dimension[i],
            far[i],
            stalled[i]
        );
    }
    body.push_str(
        "</tbody></table></div><p class=small>Moved: median distance from the initial state, in median \
         state norms. Too far: what goes further down lies farther from the initial state than \
         <code>fixed_points.finder.max_distance</code>. Stalled: at a minimum of q that is no zero. <a href=\"tables/searches.parquet\">searches.parquet</a> · \
         <a href=\"tables/fixed_points.parquet\">fixed_points.parquet</a></p></section>\n",
    );
    Ok(())
}

fn notes(body: &mut String, run: &Path) -> Result<()> {
    let table = records::Notes::read(run)?;
    let notes = table.note()?;
    body.push_str("<section id=notes><h2>Notes</h2>");
    if notes.is_empty() {
        body.push_str("<p>Nothing was cut, dropped or doubtful.</p>");
    } else {
        body.push_str("<ul>");
        notes.iter().for_each(|n| {
            let _ = write!(body, "<li>{}</li>", escape(n));
        });
        body.push_str("</ul>");
    }
    body.push_str("</section>\n");
    Ok(())
}

fn stages(body: &mut String, page: &Page) {
    body.push_str(
        "<section id=stages><h2>Stages</h2><table><thead><tr><th>Stage</th><th>Seconds</th>\
         <th>Peak memory</th></tr></thead><tbody>",
    );
    for stage in page.stages {
        let _ = write!(
            body,
            "<tr><td>{}</td><td>{:.1}</td><td>{:.0} MB</td></tr>",
            escape(&stage.name),
            stage.seconds,
            stage.peak_bytes as f64 / 1e6
        );
    }
    body.push_str("</tbody></table></section>\n");
}

const CITE: &str = "<section id=cite><h2>How to cite</h2><p>The analyses follow:</p><ul>\
<li>Maheswaranathan, Williams, Golub, Ganguli, Sussillo: Reverse engineering recurrent networks \
for sentiment classification reveals line attractor dynamics. NeurIPS 2019. arXiv:1906.10720</li>\
<li>Maheswaranathan, Sussillo: How recurrent networks implement contextual processing in \
sentiment analysis. ICML 2020. arXiv:2004.08013</li>\
<li>Aitken, Ramasesh, Garg, Cao, Sussillo, Maheswaranathan: The geometry of integration in text \
classification RNNs. ICLR 2021. arXiv:2010.15114</li></ul></section>\n";

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
.claims td:nth-child(2),.claims th:nth-child(2),.claims td:nth-child(4),.claims th:nth-child(4){text-align:left}
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
@media(max-width:36rem){body{font-size:16px;padding-top:1.25rem}h1{font-size:1.5rem}.finding{font-size:1.05rem}}
";
