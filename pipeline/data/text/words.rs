//! Words of a text, fast: what [`tokens::Kind::Words`](super::tokens::Kind) says of
//! them, without the general machinery of normalisers and patterns.
//!
//! A word is letters, digits and underscores with apostrophes inside (`don't`); any other
//! visible character stands alone; text is lower-cased, `<br />` is a blank, `’` is
//! `'`. Tests hold these words against those of the tokenizer that is stored with a
//! run, on the same pattern.

use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::OnceLock;

/// Texts a piece of work.
const PIECE: usize = 256;

/// Ids by word.
#[derive(Clone, Debug)]
pub struct Scanner {
    ids: HashMap<String, u32>,
    /// What a word becomes that has no id; `None`: it is left out.
    unknown: Option<u32>,
    /// Whether capitals stay.
    cased: bool,
}

impl Scanner {
    /// A vocabulary, the id of words outside it, and whether capitals stay.
    pub fn new(ids: HashMap<String, u32>, unknown: Option<u32>, cased: bool) -> Self {
        Self { ids, unknown, cased }
    }

    /// Ids of each text's words, over all threads.
    pub fn encode(&self, texts: &[String]) -> Vec<Vec<u32>> {
        let ids = |text: &String| {
            let mut all = Vec::with_capacity(text.len() / 5);
            each_word(text, self.cased, |word| {
                all.extend(self.ids.get(word).copied().or(self.unknown));
            });
            all
        };
        texts.par_iter().with_min_len(PIECE).map(ids).collect()
    }
}

/// How often each word occurs, over all threads.
pub fn count(texts: &[String]) -> HashMap<String, u64> {
    let pieces: Vec<HashMap<String, u64>> = texts
        .par_chunks(PIECE)
        .fold(HashMap::new, |mut counts: HashMap<String, u64>, texts| {
            for text in texts {
                each_word(text, false, |word| match counts.get_mut(word) {
                    Some(count) => *count += 1,
                    None => {
                        counts.insert(word.into(), 1);
                    }
                });
            }
            counts
        })
        .collect();
    let mut all = HashMap::new();
    for (word, count) in pieces.into_iter().flatten() {
        *all.entry(word).or_default() += count;
    }
    all
}

/// Hands on every word of a text, in order; `cased`: whether capitals stay.
pub fn each_word(text: &str, cased: bool, mut word: impl FnMut(&str)) {
    let text = normalised(text, cased);
    let text = text.as_str();
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let (c, width) = char_at(text, at);
        if is_word(c) {
            let mut end = run(text, at + width, is_word);
            // 'tail: letters alone may follow an apostrophe.
            while bytes.get(end) == Some(&b'\'') {
                let tail = run(text, end + 1, is_letter);
                if tail == end + 1 {
                    break;
                }
                end = tail;
            }
            word(&text[at..end]);
            at = end;
        } else {
            if !c.is_whitespace() {
                word(&text[at..at + width]);
            }
            at += width;
        }
    }
}

/// The character at a place, and its bytes.
fn char_at(text: &str, at: usize) -> (char, usize) {
    let byte = text.as_bytes()[at];
    if byte < 0x80 {
        return (byte as char, 1);
    }
    let c = text[at..].chars().next().expect("a place within the text");
    (c, c.len_utf8())
}

/// Where characters of a kind end.
fn run(text: &str, mut at: usize, kind: impl Fn(char) -> bool) -> usize {
    while at < text.len() {
        let (c, width) = char_at(text, at);
        if !kind(c) {
            break;
        }
        at += width;
    }
    at
}

fn is_word(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphanumeric() || c == '_',
        false => is_letter(c) || c.is_numeric(),
    }
}

/// Whether a character is a letter (`\p{L}`; the standard library's "alphabetic" has
/// some marks besides).
fn is_letter(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_alphabetic();
    }
    static LETTERS: OnceLock<Vec<(char, char)>> = OnceLock::new();
    let letters = LETTERS.get_or_init(|| {
        let pattern = regex_syntax::parse(r"\p{L}").expect("the class is well-formed");
        match pattern.into_kind() {
            regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
                class.ranges().iter().map(|r| (r.start(), r.end())).collect()
            }
            other => unreachable!("a class of characters, not {other:?}"),
        }
    });
    let at = letters.partition_point(|range| range.1 < c);
    letters.get(at).is_some_and(|range| range.0 <= c)
}

/// Lower case unless `cased`, straight apostrophes, no line breaks of web pages.
fn normalised(text: &str, cased: bool) -> String {
    let mut out = String::with_capacity(text.len());
    if text.is_ascii() {
        out.push_str(text);
        if !cased {
            out.make_ascii_lowercase();
        }
    } else {
        for c in text.chars() {
            match c {
                '’' => out.push('\''),
                c if cased => out.push(c),
                c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
                c => out.extend(c.to_lowercase()),
            }
        }
    }
    if !out.contains("<br") {
        return out;
    }
    let mut clean = String::with_capacity(out.len());
    let mut rest = out.as_str();
    while let Some(at) = rest.find("<br") {
        let inside = rest[at + 3..].trim_start();
        let inside = inside.strip_prefix('/').unwrap_or(inside);
        clean.push_str(&rest[..at]);
        match inside.strip_prefix('>') {
            Some(after) => {
                clean.push(' ');
                rest = after;
            }
            None => {
                clean.push_str("<br");
                rest = &rest[at + 3..];
            }
        }
    }
    clean.push_str(rest);
    clean
}
