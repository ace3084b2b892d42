//! Tables on their way to parquet and back.

use super::kind::Field;
use super::schema::Schema;
use crate::files::replace;
use crate::{Error, Result, parquet};
use polars::prelude::*;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// What to do about a table that cannot be used.
const REMEDY: &str = "`accrue run` the experiment again: it makes this table anew";

/// Place of a table below a run's folder.
fn relative(name: &str) -> String {
    format!("tables/{name}.parquet")
}

/// A table that a declaration has checked, on its way to disk.
pub struct Table {
    name: &'static str,
    columns: Vec<Column>,
}

impl Table {
    pub(super) fn new(name: &'static str) -> Self {
        Self { name, columns: Vec::new() }
    }

    pub(super) fn place<F: Field>(&mut self, name: &str, written: F::Written) {
        self.columns.extend(F::placed(written).map(|column| column.with_name(name.into())));
    }

    /// Writes `tables/NAME.parquet` below `run`, by rename; returns the path
    /// relative to `run`.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written to, [`Error::Polars`] for
    /// columns of different lengths.
    pub fn write(self, run: &Path) -> Result<String> {
        let relative = relative(self.name);
        let path = run.join(&relative);
        let mut frame = DataFrame::new_infer_height(self.columns).map_err(Error::polars(&path))?;
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Zstd(None))
            .finish(&mut frame)
            .map_err(Error::polars(&path))?;
        replace(&path, &bytes)?;
        Ok(relative)
    }
}

/// A declared table.
pub trait Record: Sized {
    /// What was declared.
    const SCHEMA: Schema;
}

/// A table `T` read back: a method for each of its columns.
pub struct Frame<T> {
    frame: DataFrame,
    file: String,
    of: PhantomData<T>,
}

impl<T: Record> Frame<T> {
    pub(super) fn open(run: &Path) -> Result<Self> {
        let path = path(run, T::SCHEMA.name);
        Ok(Self {
            frame: parquet::read(&path, REMEDY)?,
            file: path.display().to_string(),
            of: PhantomData,
        })
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.frame.height()
    }

    pub(super) fn field<F: Field>(&self, name: &str) -> Result<F::Read> {
        F::found(self.frame.column(name)).map_err(|e| self.refuse(format!("column `{name}`"), e))
    }

    /// Refuses what the table holds at `place`.
    pub fn refuse(&self, place: impl ToString, problem: impl ToString) -> Error {
        Error::input(&self.file, place, problem, REMEDY)
    }

    /// Refuses a table that has not one row for each of `wanted` things, such as words.
    ///
    /// # Errors
    /// [`Error::Input`] with both numbers.
    pub fn has_rows(&self, wanted: usize, things: &str) -> Result<()> {
        match self.height() {
            rows if rows == wanted => Ok(()),
            rows => Err(self.refuse("", format!("{rows} rows for {wanted} {things}"))),
        }
    }

    /// Refuses lists of another length than `wanted`.
    ///
    /// # Errors
    /// [`Error::Input`] with the column and both lengths.
    pub fn are_long<N>(&self, column: &str, lists: &[Vec<N>], wanted: usize) -> Result<()> {
        let Some(row) = lists.iter().position(|list| list.len() != wanted) else { return Ok(()) };
        let problem = format!("{} numbers, {wanted} are needed", lists[row].len());
        Err(self.refuse(format!("column `{column}`, row {}", row + 1), problem))
    }
}

/// Where the folder of a run has a table of that name.
pub(super) fn path(run: &Path, name: &str) -> PathBuf {
    run.join(relative(name))
}

/// Whether the folder of a run holds a table of that name.
pub fn is_there(run: &Path, name: &str) -> bool {
    path(run, name).is_file()
}

/// Writes `tables/NAME.csv` beside the parquet table, for spreadsheets; columns of lists,
/// which CSV cannot hold, are left out. Returns the path relative to `run`.
///
/// # Errors
/// [`Error::Io`] if the table is not there or the folder cannot be written to,
/// [`Error::Input`] if it is damaged.
pub fn csv(run: &Path, name: &str) -> Result<String> {
    let frame = parquet::read(&path(run, name), REMEDY)?;
    let written = format!("tables/{name}.csv");
    let path = run.join(&written);
    let plain = frame.columns().iter().filter(|c| !matches!(c.dtype(), DataType::List(_)));
    let mut plain =
        DataFrame::new_infer_height(plain.cloned().collect()).map_err(Error::polars(&path))?;
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).finish(&mut plain).map_err(Error::polars(&path))?;
    replace(&path, &bytes)?;
    Ok(written)
}

/// Declares tables: for each one a struct with a field a column, which [`column()`](super::column) fills and
/// `write` stores; a [`Frame`] with a method a column; and its [`Schema`]. Comments are the dictionary's text.
macro_rules! tables {
    ($(
        $(#[doc = $about:literal])+
        $table:ident($name:literal) {
            $($(#[doc = $meaning:literal])+ $column:ident: $kind:ty,)+
        }
    )+) => {
        /// The tables of this file, in the order of the dictionary.
        pub(super) const TABLES: &[$crate::records::Schema] =
            &[$(<$table as $crate::records::Record>::SCHEMA),+];

        $(
            $(#[doc = $about])+
            pub struct $table {
                $($(#[doc = $meaning])+ pub $column: <$kind as $crate::records::Field>::Written,)+
            }

            impl $crate::records::Record for $table {
                const SCHEMA: $crate::records::Schema = $crate::records::Schema {
                    name: $name,
                    about: concat!($($about),+).trim_ascii(),
                    columns: &[$($crate::records::schema::Column {
                        name: stringify!($column),
                        kind: <$kind as $crate::records::Field>::KIND,
                        presence: <$kind as $crate::records::Field>::PRESENCE,
                        about: concat!($($meaning),+).trim_ascii(),
                    }),+],
                };
            }

            impl $table {
                /// Name: the file is `tables/NAME.parquet`.
                pub const NAME: &'static str = $name;

                /// The table, its type forgotten.
                pub fn table(self) -> $crate::records::Table {
                    let mut table = $crate::records::Table::new($name);
                    $(table.place::<$kind>(stringify!($column), self.$column);)+
                    table
                }

                /// Writes the table below `run`, by rename; returns the path relative to `run`.
                ///
                /// # Errors
                /// [`Error::Io`](crate::Error::Io) if the folder cannot be written to,
                /// [`Error::Polars`](crate::Error::Polars) for columns of different lengths.
                pub fn write(self, run: &std::path::Path) -> $crate::Result<String> {
                    self.table().write(run)
                }

                /// Where the table lies below `run`.
                pub fn path(run: &std::path::Path) -> std::path::PathBuf {
                    $crate::records::table::path(run, $name)
                }

                /// Whether `run` holds the table.
                pub fn is_in(run: &std::path::Path) -> bool {
                    $crate::records::table::is_there(run, $name)
                }

                /// Reads the table below `run`.
                ///
                /// # Errors
                /// [`Error::Io`](crate::Error::Io) if it is not there,
                /// [`Error::Input`](crate::Error::Input) if it is damaged.
                pub fn read(run: &std::path::Path) -> $crate::Result<$crate::records::Frame<Self>> {
                    $crate::records::Frame::open(run)
                }

                /// Reads the table, where `run` holds it.
                ///
                /// # Errors
                /// [`Error::Input`](crate::Error::Input) if it is damaged.
                pub fn read_if_there(
                    run: &std::path::Path,
                ) -> $crate::Result<Option<$crate::records::Frame<Self>>> {
                    Self::is_in(run).then(|| Self::read(run)).transpose()
                }
            }

            impl $crate::records::Frame<$table> {
                $($(#[doc = $meaning])+
                pub fn $column(&self) -> $crate::Result<<$kind as $crate::records::Field>::Read> {
                    self.field::<$kind>(stringify!($column))
                })+
            }
        )+
    };
}

pub(super) use tables;
