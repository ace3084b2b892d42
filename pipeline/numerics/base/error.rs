//! What can go wrong, in the words a person needs to mend it.

use std::path::{Path, PathBuf};

/// Every error of the program.
///
/// Bad input is an error that names the file, the place in it and the remedy.
/// Not converging is *not* an error: it is a result, counted in the report.
/// A broken invariant of the program itself is a panic with a sentence.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be opened, read, written or renamed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder in question.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// A file that was given holds something that cannot be used.
    #[error("{file}{}: {problem}; {remedy}", at(place))]
    Input {
        /// The file, as the person named it.
        file: String,
        /// Line, row, column or field; empty if the whole file is meant.
        place: String,
        /// What is wrong there.
        problem: String,
        /// What to do about it.
        remedy: String,
    },

    /// An experiment file, or a `--set` on the command line, was refused.
    #[error("{file}:{line}:{column}: {problem}")]
    Experiment {
        /// The experiment file.
        file: String,
        /// Line, counted from 1.
        line: usize,
        /// Column, counted from 1.
        column: usize,
        /// What is wrong, with the nearest valid name where one is near.
        problem: String,
    },

    /// A downloaded or stored file is not the one that was recorded.
    #[error("{file}: {what} is {found}, expected {expected}; {remedy}")]
    Checksum {
        /// The file that was checked.
        file: String,
        /// `size` or `sha256`.
        what: &'static str,
        /// What the file has.
        found: String,
        /// What the lock file says.
        expected: String,
        /// What to do about it.
        remedy: String,
    },

    /// A download did not succeed.
    #[error("{url}: {problem}; {remedy}")]
    Fetch {
        /// The address.
        url: String,
        /// What the server or the network said.
        problem: String,
        /// What to do about it, with the files to place by hand.
        remedy: String,
    },

    /// Two arrays that must fit each other do not.
    #[error("{what}: shape {found}, expected {expected}")]
    Shape {
        /// Which array.
        what: String,
        /// Its shape.
        found: String,
        /// The shape it must have.
        expected: String,
    },

    /// A number that must be finite is not.
    #[error("{what} is not finite at {place}; {remedy}")]
    NotFinite {
        /// Which array.
        what: String,
        /// Where in it.
        place: String,
        /// What to do about it.
        remedy: String,
    },

    /// The training loss became NaN or infinite.
    #[error(
        "training diverged at step {step}: loss {loss}, learning rate {learning_rate:e}, \
         gradient norm {gradient_norm:e}; {kept}; lower `training.learning_rate` or set \
         `training.clip`"
    )]
    Diverged {
        /// Optimiser step, counted from 1.
        step: usize,
        /// The loss that was not finite.
        loss: f32,
        /// Learning rate at that step.
        learning_rate: f64,
        /// Global gradient norm before clipping.
        gradient_norm: f64,
        /// Which checkpoint was kept, as a sentence.
        kept: String,
    },

    /// A command or option that makes no sense as given (exit status 2).
    #[error("{0}")]
    Usage(String),

    /// Another process works where this one was to; the sentence names it.
    #[error("{0}")]
    Busy(String),

    /// The person pressed Ctrl-C; the sentence says how to go on.
    #[error("{0}")]
    Interrupted(String),

    /// candle failed in a way that no check of ours foresaw.
    #[cfg(feature = "candle")]
    #[error("tensor operation: {0}")]
    Candle(#[from] candle_core::Error),

    /// polars failed on a file.
    #[cfg(feature = "polars")]
    #[error("{file}: {source}")]
    Polars {
        /// The file being read or written.
        file: String,
        /// What polars said.
        source: polars_error::PolarsError,
    },
}

/// Result with the program's one error type.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Wraps an operating-system error with the path it is about.
    pub fn io(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.as_ref().to_path_buf();
        move |source| Error::Io { path, source }
    }

    /// Bad input: `file`, `place` in it (may be empty), `problem`, `remedy`.
    pub fn input(
        file: impl ToString,
        place: impl ToString,
        problem: impl ToString,
        remedy: impl ToString,
    ) -> Error {
        Error::Input {
            file: file.to_string(),
            place: place.to_string(),
            problem: problem.to_string(),
            remedy: remedy.to_string(),
        }
    }

    /// Two arrays that do not fit.
    pub fn shape(what: impl ToString, found: impl ToString, expected: impl ToString) -> Error {
        Error::Shape {
            what: what.to_string(),
            found: found.to_string(),
            expected: expected.to_string(),
        }
    }

    /// Wraps a polars error with the file it is about.
    #[cfg(feature = "polars")]
    pub fn polars(file: impl AsRef<Path>) -> impl FnOnce(polars_error::PolarsError) -> Error {
        let file = file.as_ref().display().to_string();
        move |source| Error::Polars { file, source }
    }

    /// Exit status of the program for this error: 2 for wrong usage, else 1.
    pub fn exit_status(&self) -> u8 {
        match self {
            Error::Usage(_) | Error::Busy(_) | Error::Experiment { .. } => 2,
            _ => 1,
        }
    }
}

/// `", row 7"` for a place, nothing for none.
fn at(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!(", {place}") }
}
