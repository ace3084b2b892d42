//! Words of a text, fast: what [`tokens::Kind::Words`](super::tokens::Kind) says of
//! them, without the general machinery of normalisers and patterns.
//!
//! A word is letters with their marks, digits and underscores with apostrophes inside (`don't`); any other
//! visible character stands alone, with the marks on it; text is composed (NFC) and lower-cased, `<br />` is a
//! blank, `’` is `'`. Tests hold these words against those of the tokenizer that is stored with a
//! run, on the same pattern.

use rayon::prelude::*;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;
use unicode_normalization_alignments::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// Texts a piece of work.
const PIECE: usize = 256;

/// How a text is cut into words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    /// Whether capitals stay.
    pub cased: bool,
    /// Whether characters are left as they are, not composed to Unicode's normal form C.
    pub uncomposed: bool,
    /// Whether white space alone ends a word.
    pub at_blanks: bool,
    /// Characters that are dropped.
    pub dropped: String,
    /// Characters that become blanks.
    pub blanked: String,
    /// Listed words that would be cut otherwise, and are words where they stand between white space.
    pub whole: HashSet<String>,
}

/// Ids by word.
#[derive(Clone, Debug)]
pub struct Scanner {
    ids: HashMap<String, u32>,
    /// What a word becomes that has no id; `None`: it is left out.
    unknown: Option<u32>,
    rules: Rules,
}

impl Scanner {
    /// A vocabulary, the id of words outside it, and how words are cut.
    pub fn new(ids: HashMap<String, u32>, unknown: Option<u32>, rules: Rules) -> Self {
        Self { ids, unknown, rules }
    }

    /// Ids of each text's words, and how many words were left out of it, over all threads.
    pub fn encode(&self, texts: &[String]) -> Vec<(Vec<u32>, usize)> {
        let ids = |text: &String| {
            let mut all = Vec::with_capacity(text.len() / 5);
            let mut left_out = 0;
            each_word(text, &self.rules, |word| {
                match self.ids.get(word).copied().or(self.unknown) {
                    Some(id) => all.push(id),
                    None => left_out += 1,
                }
            });
            (all, left_out)
        };
        texts.par_iter().with_min_len(PIECE).map(ids).collect()
    }

    /// Words of the texts, and those among them that the vocabulary does not have.
    pub fn unknown_of(&self, texts: &[String], rules: &Rules) -> (usize, usize) {
        let (mut words, mut unknown) = (0, 0);
        for text in texts {
            each_word(text, rules, |word| {
                words += 1;
                unknown += match self.ids.get(word) {
                    None => 1,
                    Some(id) => (Some(*id) == self.unknown) as usize,
                };
            });
        }
        (words, unknown)
    }

    /// How words are cut.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Texts with a listed word that is whole only because it is listed.
    pub fn kept_whole(&self, texts: &[String]) -> usize {
        if self.rules.whole.is_empty() {
            return 0;
        }
        let keeps = |text: &&String| {
            let text = normalised(text, &self.rules);
            text.split_whitespace().any(|chunk| self.rules.whole.contains(chunk))
        };
        texts.par_iter().filter(keeps).count()
    }
}

/// How often each word occurs, over all threads.
pub fn count(texts: &[String], rules: &Rules) -> HashMap<String, u64> {
    let pieces: Vec<HashMap<String, u64>> = texts
        .par_chunks(PIECE)
        .fold(HashMap::new, |mut counts: HashMap<String, u64>, texts| {
            for text in texts {
                each_word(text, rules, |word| match counts.get_mut(word) {
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

/// Hands on every word of a text, in order.
pub fn each_word(text: &str, rules: &Rules, mut word: impl FnMut(&str)) {
    let text = normalised(text, rules);
    if rules.at_blanks {
        text.split_whitespace().for_each(word);
    } else if rules.whole.is_empty() {
        cut(&text, &mut word);
    } else {
        for chunk in text.split_whitespace() {
            match rules.whole.contains(chunk) {
                true => word(chunk),
                false => cut(chunk, &mut word),
            }
        }
    }
}

/// Whether a word that stands alone would be cut, or would not be a word at all.
pub fn is_cut(word: &str) -> bool {
    let mut parts = 0;
    cut(word, &mut |part| parts += if part == word { 1 } else { 2 });
    parts != 1
}

/// Cuts text that is in its normal form.
fn cut(text: &str, word: &mut impl FnMut(&str)) {
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
        } else if c.is_whitespace() {
            at += width;
        } else {
            let end = run(text, at + width, |c| !c.is_ascii() && kind(c) & MARK > 0);
            word(&text[at..end]);
            at = end;
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
        false => kind(c) > 0,
    }
}

/// Whether a character is a letter, or a mark that belongs to one.
fn is_letter(c: char) -> bool {
    match c.is_ascii() {
        true => c.is_ascii_alphabetic(),
        false => kind(c) & (LETTER | MARK) > 0,
    }
}

const LETTER: u8 = 1;
/// Marks, and what joins letters in Indian and Persian words.
const MARK: u8 = 2;
const DIGIT: u8 = 4;

/// Characters whose kinds are looked up at once.
const PLANE: usize = 1 << 16;

/// What a character is, by the classes that the tokenizer's pattern has.
fn kind(c: char) -> u8 {
    /// Kinds of the characters of the first plane, and ranges of later ones.
    type Kinds = (Vec<u8>, Vec<(char, char, u8)>);
    static PLANES: OnceLock<Kinds> = OnceLock::new();
    let (first, beyond) = PLANES.get_or_init(|| {
        let mut first = vec![0; PLANE];
        let mut beyond = Vec::new();
        for (pattern, kind) in
            [(r"\p{L}", LETTER), (r"[\p{M}\u{200c}\u{200d}]", MARK), (r"\p{N}", DIGIT)]
        {
            for (start, end) in ranges(pattern) {
                if (start as usize) < PLANE {
                    let last = (end as usize).min(PLANE - 1);
                    first[start as usize..=last].iter_mut().for_each(|k| *k |= kind);
                }
                if end as usize >= PLANE {
                    beyond.push((start, end, kind));
                }
            }
        }
        beyond.sort_unstable();
        (first, beyond)
    });
    if let Some(&kind) = first.get(c as usize) {
        return kind;
    }
    let at = beyond.partition_point(|range| range.1 < c);
    beyond.get(at).map_or(0, |range| if range.0 <= c { range.2 } else { 0 })
}

/// Characters of a class.
fn ranges(pattern: &str) -> Vec<(char, char)> {
    let pattern = regex_syntax::parse(pattern).expect("the class is well-formed");
    match pattern.into_kind() {
        regex_syntax::hir::HirKind::Class(regex_syntax::hir::Class::Unicode(class)) => {
            class.ranges().iter().map(|r| (r.start(), r.end())).collect()
        }
        other => unreachable!("a class of characters, not {other:?}"),
    }
}

/// Scripts that write no blanks between words: Thai, Lao, Tibetan, Burmese, Khmer, Japanese, Chinese.
const UNSPACED: [std::ops::RangeInclusive<char>; 11] = [
    '\u{e00}'..='\u{eff}',
    '\u{f00}'..='\u{fff}',
    '\u{1000}'..='\u{109f}',
    '\u{1780}'..='\u{17ff}',
    '\u{3040}'..='\u{30ff}',
    '\u{3400}'..='\u{4dbf}',
    '\u{4e00}'..='\u{9fff}',
    '\u{f900}'..='\u{faff}',
    '\u{ff66}'..='\u{ff9d}',
    '\u{20000}'..='\u{2fa1f}',
    '\u{30000}'..='\u{323af}',
];

/// Letters of such a script between two blanks, on average, above which they are more than a word.
const PHRASE: usize = 4;

/// Whether most of a text is of a script that writes no blanks between words, and nobody has put blanks there.
pub fn is_unspaced(text: &str) -> bool {
    if text.is_ascii() {
        return false;
    }
    let (mut letters, mut unspaced) = (0, 0);
    for c in text.chars().filter(|c| c.is_alphanumeric()) {
        letters += 1;
        unspaced += (!c.is_ascii() && UNSPACED.iter().any(|script| script.contains(&c))) as usize;
    }
    2 * unspaced > letters && unspaced > PHRASE * text.split_whitespace().count()
}

/// Unicode's normal form C.
pub fn composed(text: &str) -> Cow<'_, str> {
    match text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        true => Cow::Borrowed(text),
        false => Cow::Owned(text.nfc().map(|(c, _)| c).collect()),
    }
}

/// Composed and lower-case unless told otherwise, without what is dropped; straight apostrophes and no line breaks
/// of web pages, unless white space alone ends a word.
pub fn normalised(text: &str, rules: &Rules) -> String {
    let plain = plain(text, rules);
    if rules.dropped.is_empty() && rules.blanked.is_empty() {
        return plain;
    }
    let kept = |c: char| match (rules.dropped.contains(c), rules.blanked.contains(c)) {
        (true, _) => None,
        (_, true) => Some(' '),
        _ => Some(c),
    };
    plain.chars().filter_map(kept).collect()
}

fn plain(text: &str, rules: &Rules) -> String {
    let text = if rules.uncomposed { Cow::Borrowed(text) } else { composed(text) };
    let mut out = String::with_capacity(text.len());
    if text.is_ascii() {
        out.push_str(&text);
        if !rules.cased {
            out.make_ascii_lowercase();
        }
    } else {
        for c in text.chars() {
            match c {
                '’' if !rules.at_blanks => out.push('\''),
                c if rules.cased => out.push(c),
                c if c.is_ascii() => out.push(c.to_ascii_lowercase()),
                c => out.extend(c.to_lowercase()),
            }
        }
    }
    if rules.at_blanks || !out.contains("<br") {
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
