//! A text word by word, as a page of its own.

use super::page::{escape, shell};
use std::fmt::Write;

/// One reader's evidence for each word, and its verdict.
pub struct Reader<'a> {
    /// Who reads: the network, words alone, words in context.
    pub name: &'a str,
    /// What it says of the whole text.
    pub verdict: &'a str,
    /// Evidence of each word, logits.
    pub evidence: Vec<f64>,
}

/// The page: each reader's coloured line, one scale for all.
pub fn page(label: &str, words: &[&str], readers: &[Reader]) -> String {
    let largest = readers.iter().flat_map(|r| &r.evidence).fold(0.0_f64, |m, x| m.max(x.abs()));
    let mut body = format!(
        "<header><p class=kicker>accrue explain</p><h1>Evidence for {}</h1><p class=finding>What \
         each word adds, in logits: <span style=\"background:{}\">for</span> and <span \
         style=\"background:{}\">against</span>.</p></header><main>",
        escape(label),
        shade(1.0),
        shade(-1.0)
    );
    for reader in readers {
        let _ = write!(
            body,
            "<section><h2>{}: {}</h2><p class=reading>",
            escape(reader.name),
            escape(reader.verdict)
        );
        for (word, x) in words.iter().zip(&reader.evidence) {
            let _ = write!(
                body,
                "<span title=\"{x:+.2}\" style=\"background:{}\">{}</span> ",
                shade(x / largest.max(f64::MIN_POSITIVE)),
                escape(word)
            );
        }
        body.push_str("</p></section>");
    }
    body.push_str("<section><h2>Numbers</h2><table><thead><tr><th>Word</th>");
    readers.iter().for_each(|r| {
        let _ = write!(body, "<th>{}</th>", escape(r.name));
    });
    body.push_str("</tr></thead><tbody>");
    for (i, word) in words.iter().enumerate() {
        let _ = write!(body, "<tr><td>{}</td>", escape(word));
        readers.iter().for_each(|r| {
            let _ = write!(body, "<td>{:+.2}</td>", r.evidence[i]);
        });
        body.push_str("</tr>");
    }
    body.push_str("</tbody></table></section></main>\n");
    shell(&format!("Evidence for {label}"), &body)
}

/// Blue for, orange against (as in the figures), the stronger the larger.
fn shade(share: f64) -> String {
    let (r, g, b) = if share >= 0.0 { (0, 114, 178) } else { (213, 94, 0) };
    format!("rgba({r},{g},{b},{:.2})", 0.6 * share.abs().min(1.0))
}
