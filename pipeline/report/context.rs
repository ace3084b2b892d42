//! The section of a page on words in context.

use super::page::escape;
use super::summary::Summary;
use crate::Result;
use crate::records::{self, Blocking, Frame, Phrases, keys};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// Words in context, and the modifiers.
pub fn section(body: &mut String, run: &Path, summary: &Summary) -> Result<()> {
    body.push_str("<section id=augmented><h2>Words in context</h2>");
    if records::Augmented::is_in(run) {
        let table = records::Augmented::read(run)?;
        let (model, accuracy) = (table.model()?, table.accuracy()?);
        let recovered = table.recovered()?;
        let (low, high) = (table.recovered_low()?, table.recovered_high()?);
        body.push_str(
            "<p>A bag of words, then with words that change how the next ones are read, with a \
             heavier beginning and end, and both: how much of what the network gains over words \
             do they recover? The network itself, each document's words in another order, tells how \
             much of its gain is not owed to context.</p><table><thead><tr><th>Model</th><th>Test</th><th>Recovered</th>\
             <th>95 % interval</th></tr></thead><tbody>",
        );
        for i in 0..model.len() {
            let number = |x: f64| if x.is_nan() { String::new() } else { format!("{x:.2}") };
            let interval = if low[i].is_nan() {
                String::new()
            } else {
                format!("{:.2} – {:.2}", low[i], high[i])
            };
            let _ = write!(
                body,
                "<tr><td>{}</td><td>{:.4}</td><td>{}</td><td>{interval}</td></tr>",
                escape(&model[i].replace('_', " ")),
                accuracy[i],
                number(recovered[i])
            );
        }
        body.push_str("</tbody></table>");
        let (words, network) = (accuracy[0], accuracy[accuracy.len() - 1]);
        if network <= words {
            body.push_str(
                "<p>This network reads no better than words alone: there is no gain to recover.</p>",
            );
        }
    } else {
        body.push_str(
            "<p>Not fitted on this run: <code>context: (fit: true)</code> fits them.</p>",
        );
    }
    if records::Modifiers::is_in(run) {
        let table = records::Modifiers::read(run)?;
        let (word, effect, gain) = (table.word()?, table.effect()?, table.gain()?);
        let (tau, beyond) = (table.tau()?, table.null_quantile()?);
        let text = text_gains(run)?;
        body.push_str(
            "<p>The words after which this network reads others most differently, beyond what \
             words of their own valence do. Gain: −2 turns good into as much of bad, +1 doubles; by the \
             text: what the training labels say of the next two words, without any network.\
             </p><table><thead><tr><th>Word</th><th>Effect</th><th>Gain</th><th>Lasts, tokens</th>\
             <th>Quantile of the null</th><th>By the text</th><th>95 % interval</th></tr></thead><tbody>",
        );
        for i in 0..word.len().min(12) {
            let lasts = if tau[i].is_nan() { "–".into() } else { format!("{:.1}", tau[i]) };
            let said = match text.get(&word[i]) {
                Some([gain, low, high]) => {
                    format!("<td>{gain:+.2}</td><td>{low:+.2} – {high:+.2}</td>")
                }
                None => "<td></td><td></td>".into(),
            };
            let _ = write!(
                body,
                "<tr><td>{}</td><td>{:.3}</td><td>{:+.3}</td><td>{lasts}</td><td>{:.3}</td>{said}</tr>",
                escape(&word[i]),
                effect[i],
                gain[i],
                beyond[i]
            );
        }
        body.push_str("</tbody></table>");
        agreement(body, summary);
        body.push_str(
            "<p class=small><a href=\"tables/modifiers.parquet\">modifiers.parquet</a>, \
             <a href=\"tables/text_gains.parquet\">text_gains.parquet</a></p>",
        );
    }
    if records::Blocking::is_in(run) {
        blocking(body, &records::Blocking::read(run)?)?;
    }
    if records::Phrases::is_in(run) {
        phrases(body, &records::Phrases::read(run)?)?;
    }
    body.push_str("</section>\n");
    Ok(())
}

/// How far the network does what the text says.
fn agreement(body: &mut String, summary: &Summary) {
    if let (Some(correlation), Some((low, high)), Some(words)) = (
        summary.get(keys::TEXT_GAINS_AGREEMENT),
        summary.interval(keys::TEXT_GAINS_AGREEMENT),
        summary.get(keys::TEXT_GAINS_COMPARED),
    ) {
        let _ = write!(
            body,
            "<p>Could the text have told? Over the {words:.0} words whose gain the labels give to ±1, that gain and \
             the network's have a rank correlation of {correlation:.2} ({low:.2} – {high:.2}).</p>"
        );
    }
}

/// Gain by the text and its interval, of every word whose fit converged; none in a folder of an earlier version.
fn text_gains(run: &Path) -> Result<BTreeMap<String, [f64; 3]>> {
    if !records::TextGains::is_in(run) {
        return Ok(BTreeMap::new());
    }
    let table = records::TextGains::read(run)?;
    let (gain, low, high) = (table.gain()?, table.low()?, table.high()?);
    let (words, converged) = (table.word()?, table.converged()?);
    let known = words.into_iter().enumerate().filter(|(i, _)| converged[*i]);
    Ok(known.map(|(i, word)| (word, [gain[i], low[i], high[i]])).collect())
}

/// What the network reads where modifiers cannot move its state.
fn blocking(body: &mut String, table: &Frame<Blocking>) -> Result<()> {
    let (documents, reading) = (table.documents()?, table.reading()?);
    let (value, n, measure) = (table.value()?, table.n()?, table.measure()?);
    let accuracy = measure.first().is_some_and(|m| m == "accuracy");
    let what = if accuracy { "Share right" } else { "Squared error at the end" };
    let _ = write!(
        body,
        "<h3>Without the modifier subspace</h3><p>The state's part in the directions in which \
         modifiers move it is set to that of the nearest slow point, after modifiers or at every \
         token. {what}, test documents with and without a modifier:</p><table><thead><tr>\
         <th>Documents</th><th>n</th><th>Open</th><th>Blocked after modifiers</th>\
         <th>Blocked always</th></tr></thead><tbody>"
    );
    for (set, name) in [("all", "all"), ("with", "with a modifier"), ("without", "without")] {
        let row =
            |which: &str| (0..value.len()).find(|&i| documents[i] == set && reading[i] == which);
        let Some(first) = row("open") else { continue };
        let _ = write!(body, "<tr><td>{name}</td><td>{:.0}</td>", n[first]);
        for which in ["open", "after_modifiers", "always"] {
            let shown = row(which).map_or(String::new(), |i| format!("{:.3}", value[i]));
            let _ = write!(body, "<td>{shown}</td>");
        }
        body.push_str("</tr>");
    }
    body.push_str(
        "</tbody></table><p class=small><a href=\"tables/blocking.parquet\">blocking.parquet</a></p>",
    );
    Ok(())
}

/// Pairs of a modifier and a word.
fn phrases(body: &mut String, table: &Frame<Phrases>) -> Result<()> {
    let (modifier, word) = (table.modifier()?, table.word()?);
    let numbers = [table.plain()?, table.modified()?, table.blocked()?];
    body.push_str(
        "<p>What words say in the middle of the line, after a modifier, and after it with the \
         subspace blocked (change of the readout):</p><table><thead><tr><th>Phrase</th>\
         <th>Word alone</th><th>After the modifier</th><th>Blocked</th></tr></thead><tbody>",
    );
    for i in 0..word.len() {
        let _ = write!(body, "<tr><td>{} {}</td>", escape(&modifier[i]), escape(&word[i]));
        for of in &numbers {
            let _ = write!(body, "<td>{:+.3}</td>", of[i]);
        }
        body.push_str("</tr>");
    }
    body.push_str(
        "</tbody></table><p class=small><a href=\"tables/phrases.parquet\">phrases.parquet</a></p>",
    );
    Ok(())
}
