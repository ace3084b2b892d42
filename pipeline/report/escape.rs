//! Text of users in pages, figures and on the terminal: an escape for each context.
//!
//! Labels, words, titles and file names are anything. In HTML they are escaped by [`html`], in SVG by plotters; data
//! for scripts by [`json`], addresses by [`link`]. What no context may hold, control characters, becomes visible
//! where a page, a figure or a line leaves the program: [`visible`].

use serde::Serialize;
use std::borrow::Cow;
use std::fmt::Write;

/// Whether a character moves the cursor, turns the direction of reading, or is none: terminals obey them, XML refuses
/// them.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Embeddings, overrides and isolates of the direction of writing; line and paragraph separators.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}' => true,
        '\u{fffe}' | '\u{ffff}' => true,
        c => c.is_control(),
    }
}

/// Text whose control characters are shown as JSON writes them, `\u001b`; ends of lines and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match is_hidden(c) {
            true => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            false => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// [`visible`] on one line: a word, a label, a file's name.
pub fn on_a_line(text: &str) -> String {
    visible(text).replace('\n', "\\n").replace('\t', "\\t")
}

/// Text that means itself in HTML, between tags and in quoted attributes.
pub fn html(text: &str) -> String {
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

/// Data as JSON that a `<script>` may hold: no sequence of it opens or ends an element or a comment.
///
/// # Panics
/// If the value holds what JSON cannot say, which no figure does.
pub fn json(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).expect("numbers and names are plain data");
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out
}

/// A path as an address relative to a page: nothing in it is a scheme, a query or a fragment.
pub fn link(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(byte as char);
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}
