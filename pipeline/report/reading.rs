//! A text word by word, as a page of its own.

use super::page::shell;
use maud::html;

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
    let colour = |x: f64| shade(x / largest.max(f64::MIN_POSITIVE));
    let body = html! {
        header {
            p.kicker { "accrue explain" }
            h1 { "Evidence for " (label) }
            p.finding {
                "What each word adds, in logits: " span style=(shade(1.0)) { "for" } " and "
                span style=(shade(-1.0)) { "against" } "."
            }
        }
        main {
            @for reader in readers {
                section {
                    h2 { (reader.name) ": " (reader.verdict) }
                    p.reading {
                        @for (word, x) in words.iter().zip(&reader.evidence) {
                            span title=(format!("{x:+.2}")) style=(colour(*x)) { (word) } " "
                        }
                    }
                }
            }
            section {
                h2 { "Numbers" }
                table {
                    thead { tr { th { "Word" } @for reader in readers { th { (reader.name) } } } }
                    tbody {
                        @for (i, word) in words.iter().enumerate() {
                            tr {
                                td { (word) }
                                @for reader in readers { td { (format!("{:+.2}", reader.evidence[i])) } }
                            }
                        }
                    }
                }
            }
        }
    };
    shell(&format!("Evidence for {label}"), &body)
}

/// Blue for, orange against (as in the figures), the stronger the larger.
fn shade(share: f64) -> String {
    let (r, g, b) = if share >= 0.0 { (0, 114, 178) } else { (213, 94, 0) };
    format!("background:rgba({r},{g},{b},{:.2})", 0.6 * share.abs().min(1.0))
}
