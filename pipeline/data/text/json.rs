//! JSON objects of a file, one a row: JSON Lines, objects one after the other, or one array of them.

use super::stream::{Stream, brief};
use crate::{Error, Result, interrupt};
use memchr::memchr_iter;
use rayon::prelude::*;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes that are read at once.
const BYTES: usize = 8 << 20;

/// Bytes of the longest object: more is a bracket that nobody closes.
const LONGEST: usize = 256 << 20;

/// Objects whose keys are shown where a column is not there.
const LOOKED_AT: usize = 100;

/// What stands under one key.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Cell {
    /// Nothing, or `null`.
    #[default]
    Missing,
    Text(String),
    /// A number as it is written.
    Number(String),
    Flag(bool),
    List(Vec<Cell>),
    /// An object.
    Object,
}

/// A file of JSON objects.
pub(super) struct Objects {
    path: PathBuf,
    stream: Stream,
    /// Whether every line is one object.
    lines: bool,
    /// Keys of the first objects.
    pub names: Vec<String>,
    /// What was found out.
    pub notes: Vec<String>,
}

impl Objects {
    /// Looks at the first objects.
    ///
    /// # Errors
    /// [`Error::Input`] where the first of them cannot be read.
    pub fn open(path: &Path, stream: Stream) -> Result<Self> {
        let mut notes = stream.notes.clone();
        let mut head = Vec::new();
        let read = stream.read()?.take(BYTES as u64).read_to_end(&mut head);
        read.map_err(|e| stream.failed(e))?;
        let begins = head.iter().copied().find(|b| !b.is_ascii_whitespace());
        if begins == Some(b'[') {
            notes.push("one JSON array".into());
        }
        let first_line = head.trim_ascii_start().split(|b| *b == b'\n').next().unwrap_or_default();
        let lines =
            begins == Some(b'{') && serde_json::from_slice::<IgnoredAny>(first_line).is_ok();
        let mut opened = Self { path: path.into(), stream, lines, names: Vec::new(), notes };
        let mut names: Vec<String> = Vec::new();
        let mut objects = 0;
        opened.slices(|slices| {
            for slice in slices.iter().take(LOOKED_AT) {
                for name in opened.parsed(slice, Keys)? {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                }
                objects += 1;
            }
            Ok(objects < LOOKED_AT)
        })?;
        if objects == 1
            && let [only] = &names[..]
        {
            return Err(Error::input(
                path.display(),
                "",
                format!("one object with the one key `{}`, and each row is an object", brief(only)),
                "save the list under that key alone: `[{…}, {…}]`, or one object a line",
            ));
        }
        opened.names = names;
        Ok(opened)
    }

    /// Whether any object has this key.
    ///
    /// # Errors
    /// As [`Objects::each`].
    pub fn has(&self, name: &str) -> Result<bool> {
        if self.names.iter().any(|n| n == name) {
            return Ok(true);
        }
        let mut found = false;
        self.slices(|slices| {
            for slice in slices {
                found |= self.parsed(slice, Keys)?.iter().any(|n| n == name);
            }
            Ok(!found)
        })?;
        Ok(found)
    }

    /// Hands on the cells of the keys `wanted`, some objects at a time, in their order.
    ///
    /// # Errors
    /// [`Error::Input`] with row and line for an object that cannot be read; the first of `each`.
    pub fn each(
        &self,
        wanted: &[&str],
        mut each: impl FnMut(Vec<Vec<Cell>>) -> Result<()>,
    ) -> Result<()> {
        self.slices(|slices| {
            interrupt::check("while reading")?;
            let cells: Vec<Result<Vec<Cell>>> =
                slices.par_iter().map(|s| self.parsed(s, Wanted(wanted))).collect();
            each(cells.into_iter().collect::<Result<_>>()?)?;
            Ok(true)
        })
    }

    fn parsed<'a, S: DeserializeSeed<'a>>(&self, slice: &Slice<'a>, seed: S) -> Result<S::Value> {
        let refuse = |line: usize, problem: String| {
            let remedy = if problem.starts_with("EOF") {
                "the file may be cut short: fetch or export it again"
            } else {
                "mend it, or export the file again, one JSON object a line"
            };
            let place = format!("row {} (line {line})", slice.row + 1);
            Error::input(self.path.display(), place, problem, remedy)
        };
        let text = std::str::from_utf8(slice.bytes).map_err(|e| {
            let before = memchr_iter(b'\n', &slice.bytes[..e.valid_up_to()]).count();
            refuse(slice.line + before, "not valid UTF-8 (name its encoding: --encoding)".into())
        })?;
        let mut from = serde_json::Deserializer::from_str(text);
        let value = seed.deserialize(&mut from).and_then(|value| from.end().map(|()| value));
        value.map_err(|e| {
            let problem = e.to_string();
            let problem = problem.split(" at line ").next().unwrap_or_default().to_string();
            let column = if e.column() > 0 {
                format!(", at character {}", e.column())
            } else {
                String::new()
            };
            refuse(slice.line + e.line().max(1) - 1, problem + &column)
        })
    }

    /// Hands on the bytes of whole objects, until `each` has enough.
    fn slices(&self, mut each: impl FnMut(&[Slice]) -> Result<bool>) -> Result<()> {
        let mut source = self.stream.read()?;
        let mut buffer: Vec<u8> = Vec::new();
        let mut scan = Scan { lines: self.lines, ..Scan::default() };
        loop {
            let more = BYTES.max(buffer.len());
            let read = source.by_ref().take(more as u64).read_to_end(&mut buffer);
            let ended = read.map_err(|e| self.stream.failed(e))? == 0;
            let mut found = Vec::new();
            let used =
                scan.cut(&buffer, ended, &mut found).map_err(|fault| self.fault(&scan, fault))?;
            if !found.is_empty() && !each(&found)? {
                return Ok(());
            }
            buffer.drain(..used);
            if ended {
                return Ok(());
            }
            if buffer.len() > LONGEST {
                return Err(
                    self.fault(&scan, "an object of over 256 MB; is a bracket missing?".into())
                );
            }
        }
    }

    fn fault(&self, scan: &Scan, problem: String) -> Error {
        let place = format!("row {} (line {})", scan.row + 1, scan.line);
        let remedy = "give one JSON object a line, or one array of objects; from pandas: \
                      `df.to_json(path, orient=\"records\", lines=True)`";
        Error::input(self.path.display(), place, problem, remedy)
    }
}

/// The bytes of one object, and where it stands.
struct Slice<'a> {
    bytes: &'a [u8],
    row: usize,
    line: usize,
}

/// How far the objects of a file are cut.
struct Scan {
    lines: bool,
    row: usize,
    /// Line in which what follows begins.
    line: usize,
    /// Whether an array holds the objects, and has ended.
    array: bool,
    closed: bool,
}

impl Default for Scan {
    fn default() -> Self {
        Self { lines: false, row: 0, line: 1, array: false, closed: false }
    }
}

impl Scan {
    /// Cuts whole objects off; returns how many bytes are done with.
    fn cut<'a>(
        &mut self,
        bytes: &'a [u8],
        ended: bool,
        found: &mut Vec<Slice<'a>>,
    ) -> Result<usize, String> {
        if self.lines {
            return Ok(self.cut_lines(bytes, ended, found));
        }
        let mut at = 0;
        loop {
            while let Some(b) =
                bytes.get(at).filter(|b| b.is_ascii_whitespace() || (self.array && **b == b','))
            {
                self.line += (*b == b'\n') as usize;
                at += 1;
            }
            match bytes.get(at) {
                None if ended && self.array && !self.closed => {
                    return Err("the array is never closed: the file may be cut short".into());
                }
                None => return Ok(at),
                Some(b'[') if self.row == 0 && !self.array => {
                    self.array = true;
                    at += 1;
                }
                Some(b']') if self.array && !self.closed => {
                    self.closed = true;
                    at += 1;
                }
                Some(b'{') if !self.closed => match object_end(&bytes[at..]) {
                    Some(length) => {
                        let bytes = &bytes[at..at + length];
                        found.push(Slice { bytes, row: self.row, line: self.line });
                        self.line += memchr_iter(b'\n', bytes).count();
                        self.row += 1;
                        at += length;
                    }
                    None if ended => {
                        return Err(
                            "an object that is never closed: the file may be cut short".into()
                        );
                    }
                    None => return Ok(at),
                },
                Some(_) => {
                    let shown =
                        brief(&String::from_utf8_lossy(&bytes[at..bytes.len().min(at + 99)]));
                    return Err(format!("`{shown}` is no JSON object"));
                }
            }
        }
    }

    fn cut_lines<'a>(&mut self, bytes: &'a [u8], ended: bool, found: &mut Vec<Slice<'a>>) -> usize {
        let mut start = 0;
        let last = if ended { Some(bytes.len()) } else { None };
        for end in memchr_iter(b'\n', bytes).chain(last) {
            let line = bytes[start.min(end)..end].trim_ascii();
            // An empty line is no row.
            if !line.is_empty() {
                found.push(Slice { bytes: line, row: self.row, line: self.line });
                self.row += 1;
            }
            self.line += 1;
            start = end + 1;
        }
        start.min(bytes.len())
    }
}

/// Bytes of the object that begins here, if it ends here too.
fn object_end(bytes: &[u8]) -> Option<usize> {
    let (mut depth, mut within, mut at) = (0_usize, false, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if within => at += 1,
            b'"' => within = !within,
            b'{' | b'[' if !within => depth += 1,
            b'}' | b']' if !within => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

/// The keys of an object.
struct Keys;

impl<'de> DeserializeSeed<'de> for Keys {
    type Value = Vec<String>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Keys {
    type Value = Vec<String>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object, one a row")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut keys = Vec::new();
        while let Some((key, IgnoredAny)) = map.next_entry::<String, IgnoredAny>()? {
            keys.push(key);
        }
        Ok(keys)
    }
}

/// The cells of some keys; others are passed over.
struct Wanted<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Wanted<'_> {
    type Value = Vec<Cell>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Wanted<'_> {
    type Value = Vec<Cell>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object, one a row")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cells = vec![Cell::Missing; self.0.len()];
        while let Some(at) = map.next_key_seed(Place(self.0))? {
            match at {
                Some(at) => cells[at] = map.next_value()?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(cells)
    }
}

/// Which of the keys asked for a key is.
struct Place<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Place<'_> {
    type Value = Option<usize>;
    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a key")
    }
    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.iter().position(|wanted| *wanted == key))
    }
}

impl<'de> serde::Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Cell;
            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a value")
            }
            fn visit_unit<E>(self) -> Result<Cell, E> {
                Ok(Cell::Missing)
            }
            fn visit_bool<E>(self, flag: bool) -> Result<Cell, E> {
                Ok(Cell::Flag(flag))
            }
            fn visit_i64<E>(self, number: i64) -> Result<Cell, E> {
                Ok(Cell::Number(number.to_string()))
            }
            fn visit_u64<E>(self, number: u64) -> Result<Cell, E> {
                Ok(Cell::Number(number.to_string()))
            }
            fn visit_f64<E>(self, number: f64) -> Result<Cell, E> {
                Ok(Cell::Number(number.to_string()))
            }
            fn visit_str<E>(self, text: &str) -> Result<Cell, E> {
                Ok(Cell::Text(text.into()))
            }
            fn visit_string<E>(self, text: String) -> Result<Cell, E> {
                Ok(Cell::Text(text))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<Cell, A::Error> {
                let mut list = Vec::new();
                while let Some(cell) = all.next_element()? {
                    list.push(cell);
                }
                Ok(Cell::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Cell::Object)
            }
        }
        from.deserialize_any(Any)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_cut_at_their_last_bracket() {
        let text = b" [{\"a\": \"}\\\"\"},\n {\"a\": [1, {\"b\": 2}]}]\n";
        let mut scan = Scan::default();
        let mut found = Vec::new();
        let used = scan.cut(text, true, &mut found).unwrap();
        let shown: Vec<_> = found.iter().map(|s| (s.bytes, s.row, s.line)).collect();
        assert_eq!(shown, [(&text[2..14], 0, 1), (&text[17..37], 1, 2)]);
        assert_eq!(used, text.len());
        let mut scan = Scan::default();
        assert!(
            scan.cut(b"[{\"a\": 1}", true, &mut Vec::new()).unwrap_err().contains("never closed")
        );
    }
}
