//! The section of a page on words in context.

use super::page::{table, table_link};
use super::summary::Summary;
use crate::Result;
use crate::records::{self, Blocking, Frame, Phrases, keys};
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::path::Path;

/// Words in context, and the modifiers.
pub fn section(run: &Path, summary: &Summary) -> Result<Markup> {
    let fitted = records::Augmented::read_if_there(run)?.map(|t| augmented(&t)).transpose()?;
    let found = match records::Modifiers::read_if_there(run)? {
        Some(table) => Some(modifiers(&table, &text_gains(run)?, summary)?),
        None => None,
    };
    let blocked = records::Blocking::read_if_there(run)?.map(|t| blocking(&t)).transpose()?;
    let pairs = records::Phrases::read_if_there(run)?.map(|t| phrases(&t)).transpose()?;
    Ok(html! {
        section #augmented {
            h2 { "Words in context" }
            @if let Some(fitted) = fitted {
                (fitted)
            } @else {
                p { "Not fitted on this run: " code { "context: (fit: true)" } " fits them." }
            }
            @for part in [found, blocked, pairs].into_iter().flatten() { (part) }
        }
    })
}

/// How much of the network's gain words in context recover.
fn augmented(rows: &Frame<records::Augmented>) -> Result<Markup> {
    let (model, accuracy) = (rows.model()?, rows.accuracy()?);
    let recovered = rows.recovered()?;
    let (low, high) = (rows.recovered_low()?, rows.recovered_high()?);
    Ok(html! {
        p {
            "A bag of words, then with words that change how the next ones are read, with a heavier beginning and end, \
             and both: how much of what the network gains over words do they recover? The network itself, each \
             document's words in another order, tells how much of its gain is not owed to context."
        }
        (table(["Model", "Test", "Recovered", "95 % interval"], html! {
            @for i in 0..model.len() {
                tr {
                    td { (model[i].replace('_', " ")) }
                    td { (format!("{:.4}", accuracy[i])) }
                    td { @if !recovered[i].is_nan() { (format!("{:.2}", recovered[i])) } }
                    td { @if !low[i].is_nan() { (format!("{:.2} – {:.2}", low[i], high[i])) } }
                }
            }
        }))
        // The first row is words alone, the last the network.
        @if accuracy.last() <= accuracy.first() {
            p { "This network reads no better than words alone: there is no gain to recover." }
        }
    })
}

/// The words after which the network reads others most differently.
fn modifiers(
    rows: &Frame<records::Modifiers>,
    text: &BTreeMap<String, [f64; 3]>,
    summary: &Summary,
) -> Result<Markup> {
    let (word, effect, gain) = (rows.word()?, rows.effect()?, rows.gain()?);
    let (tau, beyond) = (rows.tau()?, rows.null_quantile()?);
    let heads = [
        "Word",
        "Effect",
        "Gain",
        "Lasts, tokens",
        "Quantile of the null",
        "By the text",
        "95 % interval",
    ];
    Ok(html! {
        p {
            "The words after which this network reads others most differently, beyond what words of their own valence \
             do. Gain: −2 turns good into as much of bad, +1 doubles; by the text: what the training labels say of the \
             next two words, without any network."
        }
        (table(heads, html! {
            @for i in 0..word.len().min(12) {
                tr {
                    td { (word[i]) }
                    td { (format!("{:.3}", effect[i])) }
                    td { (format!("{:+.3}", gain[i])) }
                    td { @if tau[i].is_nan() { "–" } @else { (format!("{:.1}", tau[i])) } }
                    td { (format!("{:.3}", beyond[i])) }
                    @if let Some([gain, low, high]) = text.get(&word[i]) {
                        td { (format!("{gain:+.2}")) } td { (format!("{low:+.2} – {high:+.2}")) }
                    } @else {
                        td {} td {}
                    }
                }
            }
        }))
        (agreement(summary))
        p.small {
            (table_link(records::Modifiers::NAME)) ", " (table_link(records::TextGains::NAME))
        }
    })
}

/// How far the network does what the text says.
fn agreement(summary: &Summary) -> Markup {
    let found = summary
        .get(keys::TEXT_GAINS_AGREEMENT)
        .zip(summary.interval(keys::TEXT_GAINS_AGREEMENT))
        .zip(summary.get(keys::TEXT_GAINS_COMPARED));
    html! {
        @if let Some(((correlation, (low, high)), words)) = found {
            p {
                "Could the text have told? Over the " (format!("{words:.0}")) " words whose gain the labels give to \
                 ±1, that gain and the network's have a rank correlation of "
                (format!("{correlation:.2} ({low:.2} – {high:.2})")) "."
            }
        }
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
fn blocking(rows: &Frame<Blocking>) -> Result<Markup> {
    let (documents, reading) = (rows.documents()?, rows.reading()?);
    let (value, n, measure) = (rows.value()?, rows.n()?, rows.measure()?);
    let accuracy = measure.first().is_some_and(|m| m == "accuracy");
    let what = if accuracy { "Share right" } else { "Squared error at the end" };
    let row = |set: &str, which: &str| {
        (0..value.len()).find(|&i| documents[i] == set && reading[i] == which)
    };
    let sets = [("all", "all"), ("with", "with a modifier"), ("without", "without")];
    let sets = sets.into_iter().filter_map(|(set, name)| Some((set, name, row(set, "open")?)));
    Ok(html! {
        h3 { "Without the modifier subspace" }
        p {
            "The state's part in the directions in which modifiers move it is set to that of the nearest slow point, \
             after modifiers or at every token. " (what) ", test documents with and without a modifier:"
        }
        (table(["Documents", "n", "As it is", "Removed after modifiers", "Removed at every token"], html! {
            @for (set, name, open) in sets {
                tr {
                    td { (name) } td { (n[open]) }
                    @for which in ["open", "after_modifiers", "always"] {
                        td { @if let Some(i) = row(set, which) { (format!("{:.3}", value[i])) } }
                    }
                }
            }
        }))
        p.small { (table_link(Blocking::NAME)) }
    })
}

/// Pairs of a modifier and a word.
fn phrases(rows: &Frame<Phrases>) -> Result<Markup> {
    let (modifier, word) = (rows.modifier()?, rows.word()?);
    let numbers = [rows.plain()?, rows.modified()?, rows.blocked()?];
    Ok(html! {
        p {
            "What words say in the middle of the line, after a modifier, and after it with the subspace blocked \
             (change of the readout):"
        }
        (table(["Phrase", "Word alone", "After the modifier", "Blocked"], html! {
            @for i in 0..word.len() {
                tr {
                    td { (modifier[i]) " " (word[i]) }
                    @for of in &numbers { td { (format!("{:+.3}", of[i])) } }
                }
            }
        }))
        p.small { (table_link(Phrases::NAME)) }
    })
}
