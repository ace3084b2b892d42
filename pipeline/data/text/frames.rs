//! Files of rows to frames by polars: parquet, whole or in pieces, and the files of the Hub, whose form is known.

use super::parquet;
use super::stream::caught;
use crate::{Error, Result, guard};
use polars::io::parquet::read::FileMetadata;
use polars::prelude::*;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows that a piece of a parquet file has at most before it is cut further: a row group of
/// more is read in parts.
const ROWS: usize = 1 << 18;

/// Rows of a text file from which the types of its columns are told.
const TYPED: usize = 100;

/// Bytes read at a time where only headers of pages are looked at.
const HEADER: usize = 4096;

/// Formats by file ending.
const ENDINGS: &str = "parquet, csv, tsv, jsonl or ndjson";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Parquet,
    /// Fields separated by this byte, names in the first line.
    Separated(u8),
    /// One JSON object a line.
    JsonLines,
}

/// A file of rows whose column names are known.
pub(super) struct Frames {
    pub(super) path: PathBuf,
    format: Format,
    /// Names of the columns, in the file's order.
    pub(super) names: Vec<String>,
    /// Types of the columns of a text file, by its first rows.
    schema: SchemaRef,
}

impl Frames {
    /// Opens `path` and reads the names of its columns.
    ///
    /// * `name`: what tells the format by its ending (a file in the Hub's cache has none of its own)
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Input`] for another ending or what cannot be read.
    pub(super) fn open(path: &Path, name: &Path) -> Result<Self> {
        let ending =
            name.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
        let format = match ending.as_str() {
            "parquet" => Format::Parquet,
            "csv" => Format::Separated(b','),
            "tsv" => Format::Separated(b'\t'),
            "jsonl" | "ndjson" => Format::JsonLines,
            _ => {
                let problem = format!("`.{ending}` is no format of this program");
                let remedy =
                    format!("give a file that ends in {ENDINGS}, or a folder of label/*.txt");
                return Err(Error::input(path.display(), "", problem, remedy));
            }
        };
        let mut opened =
            Self { path: path.into(), format, names: Vec::new(), schema: Arc::default() };
        let file = opened.file()?;
        match format {
            Format::Parquet => {
                let schema = opened.guarded(|| ParquetReader::new(file).schema())?;
                opened.names = schema.iter_names().map(|n| n.to_string()).collect();
            }
            Format::Separated(_) => {
                let first = opened.separated(None).with_n_rows(Some(TYPED));
                let first = first.into_reader_with_file_handle(file).finish();
                opened.schema = first.map_err(|e| opened.refused(e))?.schema().clone();
            }
            Format::JsonLines => {
                let first = std::num::NonZeroUsize::new(TYPED);
                let schema = polars::io::ndjson::infer_schema(&mut BufReader::new(file), first);
                opened.schema = Arc::new(schema.map_err(|e| opened.refused(e))?);
            }
        }
        if format != Format::Parquet {
            opened.names = opened.schema.iter_names().map(|n| n.to_string()).collect();
        }
        Ok(opened)
    }

    fn file(&self) -> Result<File> {
        File::open(&self.path).map_err(Error::io(&self.path))
    }

    /// How fields are told apart, and which of them are read.
    fn separated(&self, wanted: Option<&[&str]>) -> CsvReadOptions {
        let Format::Separated(separator) = self.format else {
            unreachable!("only files of separated fields have options of separated fields")
        };
        let columns = wanted.map(|w| w.iter().map(|&name| name.into()).collect());
        CsvReadOptions::default()
            .with_columns(columns)
            .map_parse_options(|options| options.with_separator(separator))
    }

    /// Types of the columns asked for alone: others are not parsed.
    fn types(&self, wanted: &[&str]) -> SchemaRef {
        let asked = self.schema.iter().filter(|(name, _)| wanted.contains(&name.as_str()));
        Arc::new(asked.map(|(name, kind)| (name.clone(), kind.clone())).collect())
    }

    /// The columns `wanted` of all rows.
    ///
    /// # Errors
    /// [`Error::Input`] for rows that cannot be read.
    pub(super) fn whole(&self, wanted: &[&str]) -> Result<DataFrame> {
        let file = self.file()?;
        let frame = match self.format {
            Format::Parquet => {
                let columns = wanted.iter().map(|w| w.to_string()).collect();
                let mut reader = ParquetReader::new(file).with_columns(Some(columns));
                let about = self.guarded(|| reader.get_metadata().cloned())?;
                self.sound(&about, wanted)?;
                return self.guarded(|| reader.finish());
            }
            Format::Separated(_) => {
                let options = self.separated(Some(wanted));
                options.into_reader_with_file_handle(file).finish()
            }
            Format::JsonLines => JsonReader::new(file)
                .with_json_format(JsonFormat::JsonLines)
                .with_schema(self.types(wanted))
                .finish(),
        };
        frame.map_err(|e| self.refused(e))
    }

    /// Hands on the columns `wanted` of a parquet file in the order of the rows, row group by row group, those
    /// of more than [`ROWS`] in parts, until `each` says that it has enough.
    ///
    /// # Errors
    /// As [`Frames::whole`], and the first of `each`.
    pub(super) fn each(
        &self,
        wanted: &[&str],
        mut each: impl FnMut(DataFrame) -> Result<bool>,
    ) -> Result<()> {
        let mut first = ParquetReader::new(self.file()?);
        let about = self.guarded(|| first.get_metadata().cloned())?;
        self.sound(&about, wanted)?;
        let mut before = 0;
        for group in &about.row_groups {
            for part in (0..group.num_rows()).step_by(ROWS) {
                let rows = ROWS.min(group.num_rows() - part);
                let mut reader = ParquetReader::new(self.file()?)
                    .with_columns(Some(wanted.iter().map(|w| w.to_string()).collect()))
                    .with_slice(Some((before + part, rows)));
                reader.set_metadata(about.clone());
                if !each(self.guarded(|| reader.finish())?)? {
                    return Ok(());
                }
            }
            before += group.num_rows();
        }
        Ok(())
    }

    /// Refuses a parquet file whose pages do not hold what they name.
    fn sound(&self, about: &FileMetadata, wanted: &[&str]) -> Result<()> {
        let mut file = BufReader::with_capacity(HEADER, self.file()?);
        let problem = guard::guarded(|| parquet::problem(&mut file, about, wanted));
        match problem.unwrap_or_else(Some) {
            None => Ok(()),
            Some(problem) => Err(self.refused(polars_err!(ComputeError: "damaged: {problem}"))),
        }
    }

    /// What polars reads, or why it cannot.
    fn guarded<T>(&self, work: impl FnOnce() -> PolarsResult<T>) -> Result<T> {
        self.unbroken(|| work().map_err(|e| self.refused(e)))
    }

    /// What is made of the file's columns; a damaged file may make polars panic, when it reads and afterwards.
    ///
    /// # Errors
    /// Those of `work`, and [`Error::Input`] where it panicked.
    pub(super) fn unbroken<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        caught(work).unwrap_or_else(|panic| {
            Err(self.refused(polars_err!(ComputeError: "damaged ({panic})")))
        })
    }

    /// What polars refused, with the line where the bytes tell it.
    pub(super) fn refused(&self, error: PolarsError) -> Error {
        refused(&self.path, self.format == Format::Parquet, error)
    }
}

fn refused(path: &Path, binary: bool, error: PolarsError) -> Error {
    let place = if binary { None } else { invalid_utf8(path) };
    match place {
        Some(line) => Error::input(
            path.display(),
            format!("line {line}"),
            "not valid UTF-8",
            "save the file in the encoding UTF-8",
        ),
        None => {
            // polars adds the plan it was in; the first line is the cause.
            let cause = error.to_string();
            let cause = cause.lines().next().unwrap_or("unreadable").trim_end_matches(':');
            let remedy = if binary {
                "the file may be cut short or no parquet; fetch or export it again"
            } else {
                "mend that row, or export the file again with quotes around text"
            };
            Error::input(path.display(), "", cause, remedy)
        }
    }
}

/// First line that is not UTF-8, counted from 1.
fn invalid_utf8(path: &Path) -> Option<usize> {
    let bytes = std::fs::read(path).ok()?;
    let upto = std::str::from_utf8(&bytes).err()?.valid_up_to();
    Some(1 + bytes[..upto].iter().filter(|&&b| b == b'\n').count())
}
