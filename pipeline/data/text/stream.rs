//! The bytes of a file as UTF-8: unpacked and decoded, as both are found in its first bytes.

use crate::{Error, Result, guard};
use encoding_rs::{DecoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bytes in which packing and encoding are looked for.
const LOOKED_AT: usize = 1 << 12;

/// Share of zero bytes at odd (or even) places from which text is UTF-16 without a mark.
const ZEROS: f64 = 0.4;

/// First bytes of what people give by mistake, and what to do instead.
const OTHERS: [(&[u8], &str, &str); 10] = [
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "unpack it, or save it as CSV UTF-8"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "save it as CSV UTF-8"),
    (b"BZh", "compressed with bzip2", "unpack it first (bunzip2)"),
    (b"\xfd7zXZ", "compressed with xz", "unpack it first (unxz)"),
    (b"%PDF", "a PDF", "give the data themselves"),
    (b"ARROW1", "an Arrow file", "save it as parquet: `Dataset.to_parquet(path)`"),
    (b"SQLite format 3", "an SQLite data base", "export the table as CSV"),
    (b"version https://git-lfs", "a Git LFS pointer", "fetch the file itself: `git lfs pull`"),
    (b"<!DOCTYPE", "a web page", "fetch the file itself; often a log-in was asked for"),
    (b"<html", "a web page", "fetch the file itself; often a log-in was asked for"),
];

/// First bytes of a parquet file.
pub(super) const PARQUET: &[u8] = b"PAR1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

/// A file of text.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    path: PathBuf,
    packing: Packing,
    encoding: &'static Encoding,
    /// The first bytes, unpacked, not decoded.
    pub(super) first: Vec<u8>,
    /// What was found out.
    pub(super) notes: Vec<String>,
}

/// Refuses what is no regular file: reading a pipe or a device may never end, and a pipe is read once.
///
/// # Errors
/// [`Error::Io`] if it is not there, [`Error::Input`] if it is something else.
pub(super) fn regular(path: &Path) -> Result<u64> {
    let about = std::fs::metadata(path).map_err(Error::io(path))?;
    if about.is_file() {
        return Ok(about.len());
    }
    let (problem, remedy) = match about.is_dir() {
        true => ("a folder, where a file is expected", "name the file in it"),
        false => ("a pipe or a device, no regular file", "write it to a file first"),
    };
    Err(Error::input(path.display(), "", problem, remedy))
}

/// Text of a small regular file, such as a list of words.
///
/// # Errors
/// As [`regular`]; [`Error::Input`] where it has more than `most` bytes, or is not UTF-8.
pub(super) fn small(path: &Path, most: u64) -> Result<String> {
    let length = regular(path)?;
    if length > most {
        let problem = format!("{} MB, and {} are read at most", length >> 20, most >> 20);
        return Err(Error::input(path.display(), "", problem, "is it the right file?"));
    }
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    let bytes = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(rest) => rest.to_vec(),
        None => bytes,
    };
    String::from_utf8(bytes).map_err(|e| {
        let upto = e.utf8_error().valid_up_to();
        let line = 1 + memchr::memchr_iter(b'\n', &e.as_bytes()[..upto]).count();
        let remedy = "save the file in the encoding UTF-8";
        Error::input(path.display(), format!("line {line}"), "not valid UTF-8", remedy)
    })
}

impl Stream {
    /// Looks at the first bytes.
    ///
    /// * `encoding`: as the Web names it (`windows-1252`, `gbk`); empty: found out
    ///
    /// # Errors
    /// [`Error::Input`] for an unknown encoding and for what is no file of rows.
    pub(super) fn open(path: &Path, encoding: &str) -> Result<Self> {
        if regular(path)? == 0 {
            let remedy = "fetch or export it again";
            return Err(Error::input(path.display(), "", "the file is empty", remedy));
        }
        let mut found = Self {
            path: path.into(),
            packing: Packing::None,
            encoding: UTF_8,
            first: Vec::new(),
            notes: Vec::new(),
        };
        found.first = found.beginning()?;
        found.packing = match &found.first[..] {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            _ => Packing::None,
        };
        if found.packing != Packing::None {
            found.notes.push(format!("compressed with {}", found.packing()));
            found.first = found.beginning()?;
        }
        let begins = |with: &&(&[u8], &str, &str)| found.first.starts_with(with.0);
        if let Some((_, what, remedy)) = OTHERS.iter().find(begins) {
            return Err(Error::input(path.display(), "", *what, *remedy));
        }
        if found.first.starts_with(b"\xff\xfe\0\0") || found.first.starts_with(b"\0\0\xfe\xff") {
            let remedy = "save the file in the encoding UTF-8";
            return Err(Error::input(path.display(), "", "encoded in UTF-32", remedy));
        }
        let marked = Encoding::for_bom(&found.first).map(|(encoding, _)| encoding);
        found.encoding = match (marked, encoding) {
            (Some(marked), _) => marked,
            (None, "") => unmarked(&found.first),
            (None, named) => Encoding::for_label(named.as_bytes()).ok_or_else(|| {
                let remedy = "name one as the Web does: utf-8, utf-16le, windows-1252, \
                              windows-1251, gbk, big5, shift_jis, euc-kr, …";
                let problem = format!("no encoding `{}`", brief(named));
                Error::input(path.display(), "", problem, remedy)
            })?,
        };
        if found.encoding != UTF_8 {
            found.notes.push(format!("read as {}", found.encoding.name()));
        }
        Ok(found)
    }

    fn packing(&self) -> &'static str {
        match self.packing {
            Packing::None => "nothing",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }

    fn beginning(&self) -> Result<Vec<u8>> {
        let mut first = Vec::new();
        let read = self.unpacked()?.take(LOOKED_AT as u64).read_to_end(&mut first);
        read.map_err(|e| self.failed(e))?;
        Ok(first)
    }

    fn unpacked(&self) -> Result<Box<dyn Read + Send>> {
        let file = BufReader::new(File::open(&self.path).map_err(Error::io(&self.path))?);
        Ok(match self.packing {
            Packing::None => Box::new(file),
            Packing::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Packing::Zstd => {
                let unpacked = zstd::stream::read::Decoder::with_buffer(file);
                Box::new(unpacked.map_err(|e| self.failed(e))?)
            }
        })
    }

    /// The text from its beginning, as UTF-8 without a byte-order mark. What a file of UTF-8 holds is not
    /// checked here.
    pub(super) fn read(&self) -> Result<Box<dyn Read + Send>> {
        let mut bytes = self.unpacked()?;
        if self.encoding == UTF_8 {
            let mark = if self.first.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
            bytes.read_exact(&mut [0; 3][..mark]).map_err(|e| self.failed(e))?;
            return Ok(bytes);
        }
        Ok(Box::new(Decoded {
            bytes,
            decoder: self.encoding.new_decoder_with_bom_removal(),
            encoded: vec![0; 1 << 16],
            decoded: Vec::new(),
            left: 0..0,
            ended: false,
        }))
    }

    /// What went wrong on the way.
    pub(super) fn failed(&self, error: io::Error) -> Error {
        if let Some(bad) = error.get_ref().and_then(|e| e.downcast_ref::<Undecodable>()) {
            let remedy = "name the right encoding (--encoding), or save the file as UTF-8";
            return Error::input(self.path.display(), "", bad, remedy);
        }
        if self.packing == Packing::None {
            return Error::io(&self.path)(error);
        }
        let problem = format!("its {} data are damaged or cut short ({error})", self.packing());
        Error::input(self.path.display(), "", problem, "fetch or compress it again")
    }
}

/// UTF-16 is full of zero bytes, UTF-8 has none.
fn unmarked(first: &[u8]) -> &'static Encoding {
    let zeros = |place: usize| {
        let all = first.iter().skip(place).step_by(2);
        all.clone().filter(|b| **b == 0).count() as f64 / all.count().max(1) as f64
    };
    match (zeros(0), zeros(1)) {
        (even, odd) if odd > ZEROS && even < 0.1 * odd => UTF_16LE,
        (even, odd) if even > ZEROS && odd < 0.1 * even => UTF_16BE,
        _ => UTF_8,
    }
}

/// Bytes that mean nothing in their encoding.
#[derive(Debug)]
struct Undecodable(&'static str);

impl std::fmt::Display for Undecodable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not valid {}", self.0)
    }
}

impl std::error::Error for Undecodable {}

/// Text of another encoding as UTF-8.
struct Decoded {
    bytes: Box<dyn Read + Send>,
    decoder: encoding_rs::Decoder,
    encoded: Vec<u8>,
    decoded: Vec<u8>,
    /// What of `decoded` is not handed on yet.
    left: std::ops::Range<usize>,
    ended: bool,
}

impl Decoded {
    /// Decodes the next bytes.
    fn decode(&mut self) -> io::Result<()> {
        let read = self.bytes.read(&mut self.encoded)?;
        self.ended = read == 0;
        let room = self.decoder.max_utf8_buffer_length_without_replacement(read);
        self.decoded.resize(room.expect("a block of bytes is small"), 0);
        let (result, _, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.encoded[..read],
            &mut self.decoded,
            self.ended,
        );
        self.left = 0..written;
        match result {
            DecoderResult::Malformed(..) => {
                let name = self.decoder.encoding().name();
                Err(io::Error::new(io::ErrorKind::InvalidData, Undecodable(name)))
            }
            _ => Ok(()),
        }
    }
}

impl Read for Decoded {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() && !self.ended {
            self.decode()?;
        }
        let count = out.len().min(self.left.len());
        out[..count].copy_from_slice(&self.decoded[self.left.start..][..count]);
        self.left.start += count;
        Ok(count)
    }
}

/// Runs what may panic on a file that contradicts itself; the panic's message is the error.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    guard::guarded(work).map_err(|said| brief(&said))
}

/// Something of a file, short enough for a message.
pub(super) fn brief(text: &str) -> String {
    shortened(text, 40)
}

/// A text of at most so many characters.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let plain: String =
        text.chars().take(most + 1).map(|c| if c.is_control() { ' ' } else { c }).collect();
    match plain.chars().count() > most {
        true => plain.chars().take(most).collect::<String>() + "…",
        false => plain,
    }
}

/// Names of columns, or of labels, short enough for a message.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    const MOST: usize = 12;
    let mut shown: Vec<String> = names.iter().take(MOST).map(|n| brief(n.as_ref())).collect();
    if names.len() > MOST {
        shown.push(format!("… and {} more", names.len() - MOST));
    }
    shown.join(", ")
}
