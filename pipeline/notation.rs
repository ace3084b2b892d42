//! RON, as this program reads and writes it.

use crate::corpus::nearest::nearest;
use crate::{Error, Result};
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

/// Reads RON, with a place and the nearest name for what is refused.
///
/// # Errors
/// [`Error::Experiment`].
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T> {
    options().from_str(text).map_err(|e| Error::Experiment {
        file: file.into(),
        line: e.span.start.line,
        column: e.span.start.col,
        problem: explain(&e.code),
    })
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
        other => other.to_string(),
    }
}
