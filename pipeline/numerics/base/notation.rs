//! RON, as this program reads and writes it, and settings as it shows them.

use crate::nearest::nearest;
use crate::{Error, Result};
use ron::error::SpannedError;
use ron::extensions::Extensions;
use ron::ser::PrettyConfig;
use serde::{Serialize, de::DeserializeOwned};

/// How this program reads and writes RON: `Some(…)` and the brackets of
/// one-field variants may be left out.
pub fn options() -> ron::Options {
    ron::Options::default().with_default_extension(extensions())
}

fn extensions() -> Extensions {
    Extensions::IMPLICIT_SOME | Extensions::UNWRAP_VARIANT_NEWTYPES | Extensions::UNWRAP_NEWTYPES
}

/// Any plain struct as RON, one field a line.
///
/// # Panics
/// If the value holds something RON cannot say, which no setting does.
pub fn to_ron(value: &impl Serialize) -> String {
    let config = PrettyConfig::new().indentor("    ".to_string()).compact_arrays(true);
    let mut text = options()
        .to_string_pretty(value, config)
        .expect("settings hold numbers, text, lists and choices only");
    text.push('\n');
    text
}

/// A number of things: `1 network`, `2 networks`.
pub fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

/// Brackets within brackets that RON of this program's settings may have; theirs are 6 deep.
const DEEPEST: usize = 64;

/// Reads RON, with a place, the setting's name, and the nearest name for what is refused.
///
/// # Errors
/// [`Error::Experiment`].
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T> {
    let refuse = |e: SpannedError, setting: String| Error::Experiment {
        file: file.into(),
        line: e.span.start.line,
        column: e.span.start.col,
        problem: match &e.code {
            // What a setting's own check said; it does not know its name.
            ron::Error::Message(problem) if setting != "." => format!("`{setting}`: {problem}"),
            code => explain(code),
        },
    };
    let options = options().with_recursion_limit(DEEPEST);
    let mut source = ron::Deserializer::from_str_with_options(text, &options)
        .map_err(|e| refuse(e, ".".into()))?;
    let value = serde_path_to_error::deserialize(&mut source).map_err(|e| {
        let setting = e.path().to_string();
        refuse(source.span_error(e.into_inner()), setting)
    })?;
    source.end().map_err(|e| refuse(source.span_error(e), ".".into()))?;
    Ok(value)
}

/// What tells texts apart: each without the words that all of them begin or end with.
///
/// * `key`: characters that a shared beginning is cut at only, or none: with `"(,"` the texts keep the names that
///   stand before what differs
pub fn told_apart<'a>(texts: &'a [String], key: &str) -> Vec<&'a str> {
    let Some(first) = texts.first().filter(|_| texts.len() > 1) else {
        return texts.iter().map(String::as_str).collect();
    };
    let word = |c: char| c.is_alphanumeric() || "-._".contains(c);
    let shared = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| {
        a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum::<usize>()
    };
    let all = |each: &dyn Fn(&String) -> usize| texts.iter().map(each).min().unwrap_or(0);
    let mut head = all(&|t| shared(&mut first.chars(), &mut t.chars()));
    let within = |c: char| if key.is_empty() { word(c) } else { !key.contains(c) };
    while first[..head].chars().next_back().is_some_and(within) {
        head -= first[..head].chars().next_back().map_or(0, char::len_utf8);
    }
    let mut tail = all(&|t| shared(&mut first[head..].chars().rev(), &mut t[head..].chars().rev()));
    let before = |t: &String, tail| t[head..t.len() - tail].chars().next_back().is_some_and(word);
    while first[first.len() - tail..].chars().next().is_some_and(word)
        && texts.iter().any(|t| before(t, tail))
    {
        tail -= first[first.len() - tail..].chars().next().map_or(0, char::len_utf8);
    }
    // A text that others go on from is told apart by all of it.
    if texts.iter().any(|t| t.len() == head + tail) {
        tail = 0;
    }
    texts.iter().map(|t| t[head..t.len() - tail].trim_start()).collect()
}

/// RON's complaint with the nearest valid name.
fn explain(code: &ron::Error) -> String {
    use ron::Error as Ron;
    let choices = |found: &str, expected: &[&str]| match nearest(found, expected) {
        Some(near) => format!("did you mean `{near}`? All: {}", expected.join(", ")),
        None => format!("valid are {}", expected.join(", ")),
    };
    match code {
        Ron::NoSuchStructField { expected, found, .. } => {
            format!("no setting `{found}` here; {}", choices(found, expected))
        }
        Ron::NoSuchEnumVariant { expected, found, .. } => {
            format!("`{found}` is no choice here; {}", choices(found, expected))
        }
        Ron::ExceededRecursionLimit => {
            format!("brackets more than {DEEPEST} deep: no setting is; count them")
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_keep_what_tells_them_apart() {
        let texts = [
            "Synthetic(kind: Unordered(classes: 2), train: 40)",
            "Synthetic(kind: Unordered(classes: 10), train: 40)",
        ];
        let texts = texts.map(String::from);
        assert_eq!(told_apart(&texts, ""), ["2", "10"]);
        assert_eq!(told_apart(&texts, "(,"), ["classes: 2", "classes: 10"]);
        let prefix = ["All(1e-3)".to_string(), "All(1e-31)".to_string()];
        assert_eq!(told_apart(&prefix, ""), ["1e-3", "1e-31"]);
        let within = ["aéb".to_string(), "aèb".to_string()];
        assert_eq!(told_apart(&within, ""), ["aéb", "aèb"]);
        assert_eq!(told_apart(&["Gru".to_string()], "(,"), ["Gru"]);
        let longer = ["Toy, train: 9".to_string(), "Toy, beginning: 5, train: 9".to_string()];
        assert_eq!(told_apart(&longer, ""), ["train: 9", "beginning: 5, train: 9"]);
        assert_eq!(told_apart(&longer, "(,"), ["train: 9", "beginning: 5, train: 9"]);
    }
}
