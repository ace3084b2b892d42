//! Parquet, read so that no file can break the reader.
//!
//! A parquet file says in many places how much is to come: rows, values, bytes of a page before and after compression.
//! All of these are compared with the size of the file before memory is asked for, and what the library panics at
//! becomes an error that names the file.

use crate::{Error, Result, files, guard};
use polars::io::parquet::read::FileMetadata;
use polars::prelude::*;
use polars_parquet_format::PageHeader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes in memory for each byte of the file, and beyond these, at most: columns of one value take next to nothing on
/// disk.
const MEMORY: (u64, u64) = (20, 100 << 20);
/// Bytes that a value takes in memory, at most; text has more, which its pages hold.
const VALUE: u64 = 16;

/// The same for a single page of a file that is read group by group.
const PAGE: (u64, u64) = (50, 300 << 20);

/// The table of a file.
///
/// * `remedy`: what to do where it cannot be read
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Input`] if it is no table.
pub fn read(path: &Path, remedy: &str) -> Result<DataFrame> {
    let (mut file, size) = files::open(path)?;
    let mut bytes = Vec::with_capacity(size as usize);
    std::io::Read::read_to_end(&mut file, &mut bytes).map_err(Error::io(path))?;
    parse(&path.display().to_string(), bytes, remedy)
}

/// The table of a file's bytes; `file` names it in messages.
///
/// # Errors
/// [`Error::Input`] if they are no table.
pub fn parse(file: &str, bytes: Vec<u8>, remedy: &str) -> Result<DataFrame> {
    let refuse = |problem: String| Error::input(file, "", problem, remedy);
    let read = || -> PolarsResult<std::result::Result<DataFrame, String>> {
        let mut reader = ParquetReader::new(Cursor::new(&bytes))
            .set_rechunk(true)
            .read_parallel(ParallelStrategy::None);
        let about = reader.get_metadata()?.clone();
        let mut claimed = Claimed::default();
        let mut rows = 0_u64;
        for group in &about.row_groups {
            rows = rows.saturating_add(group.num_rows() as u64);
            for column in group.parquet_columns() {
                // Checked before a range is made of them: the library asserts it.
                if column.num_values() < 0 || column.compressed_size() < 0 {
                    return Ok(Err("a column of less than nothing".into()));
                }
                let (range, values) = (column.byte_range(), column.num_values() as u64);
                if let Err(problem) = claimed.pages(&mut Cursor::new(&bytes), range, values) {
                    return Ok(Err(problem));
                }
            }
        }
        if rows != about.num_rows as u64 {
            return Ok(Err(format!("{} rows are named, its groups hold {rows}", about.num_rows)));
        }
        if let Err(problem) = claimed.check(bytes.len() as u64, rows) {
            return Ok(Err(problem));
        }
        Ok(Ok(reader.finish()?))
    };
    match guard::guarded(read) {
        Ok(Ok(Ok(frame))) => Ok(frame),
        Ok(Ok(Err(problem))) => Err(refuse(format!("a damaged parquet file: {problem}"))),
        Ok(Err(e)) => Err(refuse(format!("no parquet table: {e}"))),
        Err(panic) => Err(refuse(format!("a damaged parquet file: {panic}"))),
    }
}

/// Refuses columns whose pages do not hold what they name, before a file is read group by group: the library asks for as
/// much memory as a page says that it has values.
///
/// * `columns`: those that are to be read; others are not looked at
/// * returns the problem, if there is one
pub(super) fn problem(
    file: &mut (impl Read + Seek),
    about: &FileMetadata,
    columns: &[&str],
) -> Option<String> {
    let size = file.seek(SeekFrom::End(0)).ok()?;
    for group in &about.row_groups {
        for column in group.parquet_columns() {
            let path = &column.descriptor().path_in_schema;
            if !path.first().is_some_and(|first| columns.contains(&first.as_str())) {
                continue;
            }
            if column.num_values() < 0 || column.compressed_size() < 0 {
                return Some("a column of less than nothing".into());
            }
            let (range, values) = (column.byte_range(), column.num_values() as u64);
            let mut claimed = Claimed::default();
            if let Err(problem) = claimed.pages(file, range, values) {
                return Some(problem);
            }
            // Groups are read one after the other: the file as a whole may be far larger than what is in memory at once.
            if claimed.page > size.saturating_mul(PAGE.0).saturating_add(PAGE.1) {
                return Some(format!("a page of {} bytes in a file of {size}", claimed.page));
            }
        }
    }
    None
}

/// What a file says that it holds.
#[derive(Default)]
struct Claimed {
    /// Bytes of all pages, decompressed.
    bytes: u64,
    /// Values of all columns.
    values: u64,
    /// Bytes of the largest page, decompressed.
    page: u64,
}

impl Claimed {
    /// Adds the pages of one column.
    fn pages(
        &mut self,
        file: &mut (impl Read + Seek),
        range: std::ops::Range<u64>,
        values: u64,
    ) -> std::result::Result<(), String> {
        let outside = |_| "a column lies outside the file".to_string();
        if file.seek(SeekFrom::End(0)).map_err(outside)? < range.end {
            return Err("a column lies outside the file".into());
        }
        let mut at = file.seek(SeekFrom::Start(range.start)).map_err(outside)?;
        let mut found = 0_u64;
        while at < range.end && found < values {
            let left = range.end - at;
            let mut header = file.by_ref().take(left);
            let mut protocol = TCompactInputProtocol::new(&mut header, left as usize);
            let header = PageHeader::read_from_in_protocol(&mut protocol)
                .map_err(|_| "a page without a header".to_string())?;
            let size =
                |n: i32| u64::try_from(n).map_err(|_| "a page of less than nothing".to_string());
            let packed = size(header.compressed_page_size)?;
            let unpacked = size(header.uncompressed_page_size)?;
            self.bytes = self.bytes.saturating_add(unpacked);
            self.page = self.page.max(unpacked);
            let data = header.data_page_header.as_ref().map(|h| h.num_values);
            let data = data.or(header.data_page_header_v2.as_ref().map(|h| h.num_values));
            found = found.saturating_add(size(data.unwrap_or(0))?);
            // Values of a dictionary: as many as its bytes can hold.
            let named = header.dictionary_page_header.as_ref().map_or(0, |h| h.num_values);
            self.values = self.values.saturating_add(size(named)?);
            let next = file.stream_position().map_err(outside)?.saturating_add(packed);
            if next > range.end {
                return Err("a page that ends behind its column".into());
            }
            at = file.seek(SeekFrom::Start(next)).map_err(outside)?;
        }
        if found != values {
            return Err(format!("a column of {values} values whose pages hold {found}"));
        }
        self.values = self.values.saturating_add(values);
        Ok(())
    }

    /// Refuses what no file of `size` bytes holds.
    fn check(&self, size: u64, rows: u64) -> std::result::Result<(), String> {
        let most = size.saturating_mul(MEMORY.0).saturating_add(MEMORY.1);
        let needed = self.values.max(rows).saturating_mul(VALUE).saturating_add(self.bytes);
        if needed > most {
            return Err(format!(
                "it names {rows} rows and {} values, {needed} bytes in memory, more than a file of {size} bytes can \
                 hold (at most {most})",
                self.values
            ));
        }
        Ok(())
    }
}
