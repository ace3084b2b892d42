//! `accrue explain RUN TEXT`.

use super::Common;
use super::terminal::{self, outln};
use crate::Result;
use crate::report::escape::on_a_line;
use crate::report::reading::{Reader, page};
use crate::studies::explain::{Explained, explain};
use crate::studies::switching::explain::{self as linear, LinearWord, LinearlyExplained};
use clap::Args;
use std::io::IsTerminal;
use std::path::PathBuf;

#[derive(Args, Debug)]
pub struct Explain {
    /// Folder of a finished run
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The text, in quotes
    text: String,
    /// Print the numbers as JSON
    #[arg(long)]
    json: bool,
    /// Also write a page with the coloured text
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl Explain {
    pub fn go(self, common: &Common) -> Result<()> {
        if linear::is_in(&self.run) {
            return self.by_linear_system(common);
        }
        let found = explain(&self.run, &self.text)?;
        if let Some(file) = &self.html {
            crate::files::replace(file, html(&found).as_bytes())?;
        }
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&found).expect("numbers are plain data"));
        } else {
            let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            terminal::coloured(&text(&found, colours));
        }
        Ok(())
    }
}

impl Explain {
    /// A network that was trained together with a switching linear system: its output is a sum over words.
    fn by_linear_system(&self, common: &Common) -> Result<()> {
        let found = linear::explain(&self.run, &common.data, &self.text)?;
        if let Some(file) = &self.html {
            let words: Vec<&str> = found.words.iter().map(|w| w.word.as_str()).collect();
            let reader = |name, verdict, evidence| Reader { name, verdict, evidence };
            let of = |f: fn(&LinearWord) -> f64| found.words.iter().map(f).collect();
            let readers = [
                reader("Network", &found.network, of(|w| w.network)),
                reader("Linear system, at the end", &found.linear, of(|w| w.says)),
            ];
            crate::files::replace(file, page(&found.evidence_for, &words, &readers).as_bytes())?;
        }
        if self.json {
            outln!("{}", serde_json::to_string_pretty(&found).expect("numbers are plain data"));
        } else {
            let colours = std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
            terminal::coloured(&linear_text(&found, colours));
        }
        Ok(())
    }
}

fn linear_text(found: &LinearlyExplained, colours: bool) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let label = on_a_line(&found.evidence_for);
    let (part, seed) = (on_a_line(&found.part), found.seed);
    let _ = writeln!(out, "evidence for `{label}` (logits), network of part `{part}`, seed {seed}");
    let _ = writeln!(
        out,
        "  {:<LONGEST$} {:>8} {:>8} {:^15} {:>7} {:>7}",
        "word", "network", "says", "", "point", "moved"
    );
    for word in &found.words {
        let shown: String = on_a_line(&word.word).chars().take(LONGEST).collect();
        let _ = writeln!(
            out,
            "  {shown:<LONGEST$} {:>+8.2} {:>+8.2} {} {:>+7.2} {:>7.2}",
            word.network,
            word.says,
            bar(word.says, colours),
            word.point,
            word.moved
        );
    }
    out += &changed(found.words.iter().map(|w| (&*w.word, &*w.token)));
    let sum = |of: fn(&LinearWord) -> f64| found.words.iter().map(of).sum::<f64>();
    let _ = writeln!(
        out,
        "  linear system {:+.2} = {:+.2} at the start {:+.2} by words {:+.2} by expansion points",
        found.linear_logit,
        found.start,
        sum(|w| w.says),
        sum(|w| w.point)
    );
    let _ = writeln!(
        out,
        "  network {:+.2}: it says {}, its linear system {}",
        found.network_logit,
        on_a_line(&found.network),
        on_a_line(&found.linear)
    );
    let _ = writeln!(
        out,
        "  says: what the word is worth at the end; point: where its expansion point pulls to;"
    );
    let _ = writeln!(out, "  moved: how far that point is from the one before");
    out
}

/// The page of an explained text.
fn html(found: &Explained) -> String {
    let words: Vec<&str> = found.words.iter().map(|w| w.word.as_str()).collect();
    let reader = |name, verdict, evidence| Reader { name, verdict, evidence };
    let mut readers = vec![
        reader("Network", &found.network, found.words.iter().map(|w| w.network).collect()),
        reader("Words alone", &found.alone, found.words.iter().map(|w| w.alone).collect()),
    ];
    if let Some(verdict) = &found.in_context {
        let evidence = found.words.iter().filter_map(|w| w.in_context).collect();
        readers.push(reader("Words in context", verdict, evidence));
    }
    page(&found.evidence_for, &words, &readers)
}

/// Letters of the longest word that is shown whole.
const LONGEST: usize = 18;
/// Logits that fill half of the bar.
const FULL: f64 = 2.0;
/// Places on each side of the bar.
const HALF: usize = 7;

/// Evidence of each word as a bar to the left or right of the middle.
fn bar(evidence: f64, colours: bool) -> String {
    let places = ((evidence.abs() / FULL).min(1.0) * HALF as f64).round() as usize;
    let (left, right) = if evidence < 0.0 { (places, 0) } else { (0, places) };
    let (red, green, end) =
        if colours { ("\x1b[31m", "\x1b[32m", "\x1b[0m") } else { ("", "", "") };
    format!(
        "{}{red}{}{end}|{green}{}{end}{}",
        " ".repeat(HALF - left),
        "▇".repeat(left),
        "▇".repeat(right),
        " ".repeat(HALF - right)
    )
}

/// How many words are read as other tokens, with the first of them; nothing where none is.
fn changed<'a>(words: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let words: Vec<(&str, &str)> = words.collect();
    let mut others = words.iter().filter(|(word, token)| word.to_lowercase() != *token).peekable();
    let Some((word, token)) = others.peek() else { return String::new() };
    let (word, token) = (on_a_line(word), on_a_line(token));
    let (count, of) = (others.count(), words.len());
    format!("  {count} of {of} words are read as another: `{word}` as `{token}`\n")
}

fn text(found: &Explained, colours: bool) -> String {
    use std::fmt::Write;
    let mut out = String::new();
    let context = found.in_context.is_some();
    let _ = writeln!(out, "evidence for `{}` (logits)", on_a_line(&found.evidence_for));
    let _ = writeln!(
        out,
        "  {:<LONGEST$} {:>8} {:^15} {:>8}{}",
        "word",
        "network",
        "",
        "alone",
        if context { "  in context" } else { "" }
    );
    for word in &found.words {
        let shown: String = on_a_line(&word.word).chars().take(LONGEST).collect();
        let _ = write!(
            out,
            "  {shown:<LONGEST$} {:>+8.2} {} {:>+8.2}",
            word.network,
            bar(word.network, colours),
            word.alone
        );
        if let Some(evidence) = word.in_context {
            let _ = write!(out, " {evidence:>+8.2} {}", bar(evidence, colours));
        }
        out.push('\n');
    }
    out += &changed(found.words.iter().map(|w| (&*w.word, &*w.token)));
    if found.outputs.len() > 1 {
        let _ = writeln!(out, "  {:<LONGEST$} {:>8} {:>24}", "output (logits)", "network", "alone");
        for output in &found.outputs {
            let shown: String = on_a_line(&output.label).chars().take(LONGEST).collect();
            let _ =
                write!(out, "  {shown:<LONGEST$} {:>+8.2} {:>+24.2}", output.network, output.alone);
            if let Some(z) = output.in_context {
                let _ = write!(out, " {z:>+8.2}");
            }
            out.push('\n');
        }
    }
    let _ = writeln!(
        out,
        "  the network says {}, words alone {}{}",
        on_a_line(&found.network),
        on_a_line(&found.alone),
        found
            .in_context
            .as_ref()
            .map_or(String::new(), |c| format!(", words in context {}", on_a_line(c)))
    );
    out
}
