//! Archives: stored or deflated, each entry held against its checksum.

use super::bounds::open;
use crate::{Error, Result};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};
use zip::{CompressionMethod, ZipArchive};

/// Entries of an archive, at most: a network has some hundred arrays.
const ENTRIES: usize = 100_000;

/// An open archive.
pub struct Zipped {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
    bytes: u64,
    remedy: String,
}

impl Zipped {
    /// # Errors
    /// [`Error::Io`] if it cannot be opened, [`Error::Input`] if it is no archive.
    pub fn open(path: &Path, remedy: &str) -> Result<Self> {
        let (file, bytes) = open(path, remedy)?;
        let refuse = |problem: String| Error::input(path.display(), "", problem, remedy);
        let archive = ZipArchive::new(BufReader::new(file))
            .map_err(|e| refuse(format!("a damaged archive: {e}")))?;
        if archive.len() > ENTRIES {
            return Err(refuse(format!("an archive of {} entries", archive.len())));
        }
        Ok(Self { path: path.into(), archive, bytes, remedy: remedy.into() })
    }

    /// Size of the file.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Names of the entries, in the archive's order.
    ///
    /// # Errors
    /// [`Error::Input`] for a name that is no text.
    pub fn names(&self) -> Result<Vec<String>> {
        let refuse = |e: zip::result::ZipError| {
            Error::input(self.path.display(), "", format!("a damaged archive: {e}"), &self.remedy)
        };
        self.archive.file_names().map(|name| Ok(name.map_err(refuse)?.into_owned())).collect()
    }

    /// What stands in an entry, unpacked as it is read.
    pub fn entry(&mut self, index: usize) -> Result<Unpacked<'_>, String> {
        let raw = self.archive.by_index_raw(index).map_err(|e| format!("damaged: {e}"))?;
        if raw.encrypted() {
            return Err("encrypted".into());
        }
        let (method, crc, size) = (raw.compression(), raw.crc32(), raw.size());
        let from: Box<dyn Read> = match method {
            CompressionMethod::Stored => Box::new(raw),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(raw)),
            other => return Err(format!("packed by a method that is not read ({other:?})")),
        };
        Ok(Unpacked { from, wanted: crc, size, crc: Crc::new() })
    }
}

/// An entry on its way out of the archive.
pub struct Unpacked<'a> {
    from: Box<dyn Read + 'a>,
    wanted: u32,
    size: u64,
    crc: Crc,
}

impl Unpacked<'_> {
    /// Bytes it claims to hold, unpacked.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Everything, if it is no more than `most` bytes.
    pub fn whole(mut self, most: u64) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        let read = (&mut self).take(most + 1).read_to_end(&mut all);
        read.map_err(|e| format!("damaged: {e}"))?;
        if all.len() as u64 > most {
            return Err(format!("more than {most} bytes where few belong"));
        }
        self.finish()?;
        Ok(all)
    }

    /// Reads what is left, and compares the checksum.
    pub fn finish(mut self) -> Result<(), String> {
        let mut rest = [0; 4096];
        let mut left = 1 << 20;
        loop {
            match self.read(&mut rest).map_err(|e| format!("damaged: {e}"))? {
                0 => break,
                read if read > left => return Err("more bytes than its header says".into()),
                read => left -= read,
            }
        }
        if self.crc.sum() == self.wanted {
            Ok(())
        } else {
            Err("damaged: its checksum is another one".into())
        }
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, to: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(to)?;
        self.crc.update(&to[..read]);
        Ok(read)
    }
}
