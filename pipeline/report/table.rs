//! Tidy tables as parquet, through polars.

use crate::files::replace;
use crate::records;
use crate::{Error, Result};
use polars::prelude::*;
use std::path::Path;

/// A table on its way to disk.
pub struct Table {
    name: &'static str,
    columns: Vec<Column>,
}

impl Table {
    /// An empty table.
    ///
    /// # Panics
    /// If the dictionary does not describe a table of that name.
    pub fn new(name: &'static str) -> Self {
        assert!(records::described(name).is_some(), "table `{name}` is not in the dictionary");
        Self { name, columns: Vec::new() }
    }

    fn add(mut self, column: Column) -> Self {
        let described = records::described(self.name).expect("checked when the table was made");
        let name = column.name();
        assert!(
            described.columns.iter().any(|c| c.name == name.as_str()),
            "column `{name}` of table `{}` is not in the dictionary",
            self.name
        );
        self.columns.push(column);
        self
    }

    /// A column of numbers.
    pub fn f64(self, name: &str, values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        self.add(Column::new(name.into(), values))
    }

    /// A column of numbers, some of which may be missing.
    pub fn maybe_f64(self, name: &str, values: impl IntoIterator<Item = Option<f64>>) -> Self {
        let values: Vec<Option<f64>> = values.into_iter().collect();
        self.add(Column::new(name.into(), values))
    }

    /// A column of whole numbers.
    pub fn u64(self, name: &str, values: impl IntoIterator<Item = usize>) -> Self {
        let values: Vec<u64> = values.into_iter().map(|v| v as u64).collect();
        self.add(Column::new(name.into(), values))
    }

    /// A column of yes and no, some of which may be unknown.
    pub fn maybe_bool(self, name: &str, values: impl IntoIterator<Item = Option<bool>>) -> Self {
        let values: Vec<Option<bool>> = values.into_iter().collect();
        self.add(Column::new(name.into(), values))
    }

    /// A column of text.
    pub fn text<S: Into<String>>(self, name: &str, values: impl IntoIterator<Item = S>) -> Self {
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        self.add(Column::new(name.into(), values))
    }

    /// A column of lists of numbers.
    pub fn lists<'a>(self, name: &str, values: impl IntoIterator<Item = &'a [f64]>) -> Self {
        let lists: Vec<Series> =
            values.into_iter().map(|v| Series::new(PlSmallStr::EMPTY, v)).collect();
        let column = if lists.is_empty() {
            // polars cannot tell the type of no list.
            Column::new_empty(name.into(), &DataType::List(Box::new(DataType::Float64)))
        } else {
            Column::new(name.into(), lists)
        };
        self.add(column)
    }

    /// Writes `tables/NAME.parquet` below `run`, by rename; returns the path
    /// relative to `run`.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written to, [`Error::Polars`] for
    /// columns of different lengths.
    pub fn write(self, run: &Path) -> Result<String> {
        let relative = format!("tables/{}.parquet", self.name);
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

/// A table read back.
pub struct Frame {
    frame: DataFrame,
    file: String,
}

impl Frame {
    /// Reads `tables/NAME.parquet` below `run`.
    ///
    /// # Errors
    /// [`Error::Io`] if it is not there, [`Error::Polars`] if it is damaged.
    pub fn read(run: &Path, name: &str) -> Result<Self> {
        let path = run.join(format!("tables/{name}.parquet"));
        let file = std::fs::File::open(&path).map_err(Error::io(&path))?;
        let frame = ParquetReader::new(file).finish().map_err(Error::polars(&path))?;
        Ok(Self { frame, file: path.display().to_string() })
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.frame.height()
    }

    /// Whether there is a column of that name.
    pub fn has(&self, name: &str) -> bool {
        self.frame.column(name).is_ok()
    }

    fn column(&self, name: &str) -> Result<&Column> {
        self.frame.column(name).map_err(Error::polars(&self.file))
    }

    /// Numbers of a column; NaN where missing.
    ///
    /// # Errors
    /// [`Error::Polars`] if there is no such column of numbers.
    pub fn f64(&self, name: &str) -> Result<Vec<f64>> {
        let column =
            self.column(name)?.cast(&DataType::Float64).map_err(Error::polars(&self.file))?;
        let numbers = column.f64().map_err(Error::polars(&self.file))?;
        Ok(numbers.iter().map(|x| x.unwrap_or(f64::NAN)).collect())
    }

    /// Text of a column.
    ///
    /// # Errors
    /// [`Error::Polars`] if there is no such column of text.
    pub fn text(&self, name: &str) -> Result<Vec<String>> {
        let text = self.column(name)?.str().map_err(Error::polars(&self.file))?;
        Ok(text.iter().map(|s| s.unwrap_or_default().to_string()).collect())
    }

    /// Yes or no; `None` where unknown.
    ///
    /// # Errors
    /// [`Error::Polars`] if there is no such column.
    pub fn bool(&self, name: &str) -> Result<Vec<Option<bool>>> {
        let flags = self.column(name)?.bool().map_err(Error::polars(&self.file))?;
        Ok(flags.iter().collect())
    }

    /// Lists of numbers.
    ///
    /// # Errors
    /// [`Error::Polars`] if there is no such column of lists.
    pub fn lists(&self, name: &str) -> Result<Vec<Vec<f64>>> {
        let wrong = || Error::polars(&self.file);
        let lists = self.column(name)?.list().map_err(wrong())?;
        let list = |row: usize| -> PolarsResult<Vec<f64>> {
            let inner = lists.get_as_series(row).unwrap_or_default();
            let inner = inner.cast(&DataType::Float64)?;
            Ok(inner.f64()?.iter().map(|x| x.unwrap_or(f64::NAN)).collect())
        };
        (0..lists.len()).map(|row| list(row).map_err(wrong())).collect()
    }
}

/// Writes `tables/NAME.csv` beside the parquet table, for spreadsheets; columns of lists,
/// which CSV cannot hold, are left out. Returns the path relative to `run`.
///
/// # Errors
/// [`Error::Io`] if the table is not there or the folder cannot be written to,
/// [`Error::Polars`] if it is damaged.
pub fn csv(run: &Path, name: &str) -> Result<String> {
    let frame = Frame::read(run, name)?;
    let relative = format!("tables/{name}.csv");
    let path = run.join(&relative);
    let plain: Vec<Column> = frame
        .frame
        .columns()
        .iter()
        .filter(|c| !matches!(c.dtype(), DataType::List(_)))
        .cloned()
        .collect();
    let mut plain = DataFrame::new_infer_height(plain).map_err(Error::polars(&path))?;
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).finish(&mut plain).map_err(Error::polars(&path))?;
    replace(&path, &bytes)?;
    Ok(relative)
}
