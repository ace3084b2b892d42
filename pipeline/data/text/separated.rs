//! Files of separated fields: which separator, which rows, where one cannot be read.
//!
//! The usual readers take what stands behind a closing quotation mark as more text, and an unclosed mark
//! as text up to the end of the file, without a word. Here both are errors that name their row.

use super::stream::{Stream, brief};
use crate::{Error, Result};
use memchr::{memchr, memchr2, memchr3};
use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

/// Bytes that are read at once.
const BYTES: usize = 4 << 20;

/// Bytes of the longest row: more is a quotation mark that nobody closes.
const LONGEST: usize = 64 << 20;

/// Bytes from whose whole rows the separator is told.
const HEAD: usize = 1 << 20;

/// Separators that are looked for, with their names.
const SEPARATORS: [(u8, &str); 4] =
    [(b',', "commas"), (b';', "semicolons"), (b'\t', "tabs"), (b'|', "vertical bars")];

/// How rows and fields are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub separator: u8,
    /// `"` around a field holds it together, `""` in it is one mark (RFC 4180).
    pub quotes: bool,
    /// `\` before a character takes its meaning away.
    pub backslash: bool,
    /// Rows end with a carriage return alone.
    returns: bool,
    /// Blanks may stand around quoted fields.
    spaced: bool,
    /// The first line says `sep=;` and no more.
    declared: bool,
}

/// What was typed of a file's form; the rest is found out.
#[derive(Clone, Debug, Default)]
pub(super) struct Typed<'a> {
    pub separator: &'a str,
    pub quotes: Option<bool>,
    pub backslash: bool,
    pub no_header: bool,
}

/// One field of a row, as places in the buffer.
#[derive(Clone, Copy, Debug)]
struct Field {
    start: usize,
    end: usize,
    quoted: bool,
    /// Whether marks or backslashes in it stand for something else.
    escaped: bool,
}

/// What a cut of one row came to.
enum Cut {
    /// Where the next row begins.
    Row(usize),
    /// The row goes on behind what is read.
    More,
    /// A quotation mark at this place is not closed.
    Unclosed(usize),
    /// A field that opens at the first place is closed before the second, and goes on.
    GoesOn(usize, usize),
}

/// A file of separated fields.
pub(super) struct Separated {
    stream: Stream,
    path: std::path::PathBuf,
    pub dialect: Dialect,
    /// Names of the columns; numbers from 1 where the file has none.
    pub names: Vec<String>,
    no_header: bool,
    /// What was found out.
    pub notes: Vec<String>,
}

impl Separated {
    /// Finds out how fields are told apart, and reads the names of the columns.
    ///
    /// * `tabs`: whether the file's name promises tabs, between which marks are just marks
    /// * `fits`: whether these names have what is asked for
    ///
    /// # Errors
    /// [`Error::Input`] for a separator that is none, and where the first row cannot be read.
    pub fn open(
        path: &Path,
        stream: Stream,
        typed: &Typed,
        tabs: bool,
        fits: &dyn Fn(&[String]) -> bool,
    ) -> Result<Self> {
        let mut head = Vec::new();
        let read = stream.read()?.take(HEAD as u64).read_to_end(&mut head);
        let whole = read.map_err(|e| stream.failed(e))? < HEAD;
        let sample = Sample { head: &head, whole, no_header: typed.no_header };
        let declared = declared(&head);
        let named = match typed.separator {
            "" => declared,
            typed => Some(separator(path, typed)?),
        };
        let usual = Dialect {
            separator: if tabs { b'\t' } else { b',' },
            quotes: typed.quotes.unwrap_or(!tabs),
            backslash: typed.backslash,
            returns: only_returns(&head),
            spaced: false,
            declared: declared.is_some(),
        };
        let mut notes = stream.notes.clone();
        let with = |separator: u8| {
            // Between other separators than tabs text is quoted, whatever the file is called.
            let quotes = typed.quotes.unwrap_or(separator != b'\t' || !tabs);
            let spaced = quotes && sample.has_blank_before_mark(separator);
            Dialect { separator, quotes, spaced, ..usual }
        };
        let mut dialect = with(named.unwrap_or(usual.separator));
        if named.is_none() && !sample.suits(&dialect, fits) {
            let others = SEPARATORS.map(|(separator, _)| with(separator));
            let found = others.into_iter().find(|d| sample.suits(d, fits));
            let even = || {
                let wide = |d: &Dialect| sample.even(d).is_some_and(|width| width > 1);
                std::iter::once(dialect).chain(others).find(wide)
            };
            if let Some(other) = found.or_else(even) {
                dialect = other;
            }
        }
        if dialect.separator != usual.separator && typed.separator.is_empty() {
            let name = SEPARATORS.iter().find(|(s, _)| *s == dialect.separator);
            let name =
                name.map_or_else(|| format!("`{}`", dialect.separator as char), |n| n.1.into());
            notes.push(format!("fields are separated by {name}"));
        }
        if dialect.returns {
            notes.push("rows end with carriage returns alone".into());
        }
        let mut opened = Self {
            stream,
            path: path.into(),
            dialect,
            names: Vec::new(),
            no_header: typed.no_header,
            notes,
        };
        if tabs && dialect.separator == b'\t' && typed.quotes.is_none() && opened.is_quoted()? {
            opened.dialect.quotes = true;
            opened.notes.push(
                "text stands in quotation marks, as in CSV; `--quotes no` takes them as they are"
                    .into(),
            );
        }
        opened.names = opened.head()?;
        Ok(opened)
    }

    /// Names of the columns.
    fn head(&self) -> Result<Vec<String>> {
        let mut rows = self.rows_from_the_top()?;
        if !rows.next()? {
            return Ok(Vec::new());
        }
        if self.no_header {
            return Ok((1..=rows.len()).map(|n| n.to_string()).collect());
        }
        (0..rows.len()).map(|f| Ok(rows.text(f)?.trim().to_string())).collect()
    }

    /// Whether quotation marks hold fields of this file of tabs together: only so its rows are even, or
    /// every mark at a field's beginning is closed at its end with others doubled between, or all
    /// fields of a column stand in marks.
    fn is_quoted(&self) -> Result<bool> {
        let mut marked: Vec<usize> = Vec::new();
        let (mut all, mut uneven, mut width) = (0, 0, 0);
        let mut plain = self.rows_from_the_top()?;
        while plain.next()? {
            marked.resize(marked.len().max(plain.len()), 0);
            width = if all == 0 { plain.len() } else { width };
            uneven += (plain.len() != width) as usize;
            for (f, marked) in marked.iter_mut().enumerate().take(plain.len()) {
                *marked += plain.raw(f).starts_with(b"\"") as usize;
            }
            all += 1;
        }
        if marked.iter().all(|&n| n == 0) {
            return Ok(false);
        }
        let mut quoted = self.rows_from_the_top()?;
        quoted.dialect.quotes = true;
        let (mut rows, mut doubled) = (0, false);
        loop {
            match quoted.next() {
                Ok(true) => {}
                Ok(false) => break,
                Err(Error::Input { .. }) => return Ok(false),
                Err(other) => return Err(other),
            }
            width = if rows == 0 { quoted.len() } else { width };
            if quoted.len() != width {
                return Ok(false);
            }
            doubled |= quoted.fields.iter().any(|f| f.quoted && f.escaped);
            rows += 1;
        }
        let headless = all - !self.no_header as usize;
        Ok(uneven > 0 || doubled || marked.iter().any(|&n| n >= headless))
    }

    fn rows_from_the_top(&self) -> Result<Rows<'_>> {
        let mut rows = Rows {
            path: &self.path,
            stream: &self.stream,
            source: self.stream.read()?,
            dialect: self.dialect,
            header: !self.no_header,
            buffer: Vec::new(),
            at: 0,
            ended: false,
            line: 1,
            next_line: 1,
            row: 0,
            width: 0,
            blank: 0,
            fields: Vec::new(),
            lines_in_fields: false,
        };
        if self.dialect.declared {
            rows.skip_line()?;
        }
        Ok(rows)
    }

    /// The rows, behind the names.
    pub fn rows(&self) -> Result<Rows<'_>> {
        let mut rows = self.rows_from_the_top()?;
        if !self.no_header {
            rows.next()?;
            rows.row = 0;
            rows.blank = 0;
        }
        rows.width = self.names.len();
        Ok(rows)
    }

    /// Whether the names look like a row of data: a number, a whole sentence, nothing or one name twice.
    pub fn header_looks_like_a_row(&self) -> bool {
        let data = |name: &String| {
            name.parse::<f64>().is_ok() || name.split_whitespace().count() > 4 || name.len() > 60
        };
        !self.no_header && self.names.iter().any(data)
    }
}

/// Rows of a file, one after the other.
pub(super) struct Rows<'a> {
    path: &'a Path,
    stream: &'a Stream,
    source: Box<dyn Read + Send>,
    dialect: Dialect,
    header: bool,
    buffer: Vec<u8>,
    /// Where the next row begins in the buffer.
    at: usize,
    ended: bool,
    /// Line in which the row begins, from 1, and the next one.
    line: usize,
    next_line: usize,
    /// Rows handed on.
    row: usize,
    /// Fields of every row; 0: not known yet.
    width: usize,
    /// Rows whose fields are all empty.
    pub blank: usize,
    fields: Vec<Field>,
    /// Whether a field of the row holds an end of line.
    lines_in_fields: bool,
}

impl Rows<'_> {
    /// Goes to the next row; false at the end. Blank lines are no rows.
    ///
    /// # Errors
    /// [`Error::Input`] with row and line for a row that cannot be read.
    pub fn next(&mut self) -> Result<bool> {
        loop {
            if self.at >= self.buffer.len() {
                if self.ended {
                    return Ok(false);
                }
                self.fill()?;
                continue;
            }
            let cut = cut(&self.buffer, self.at, self.ended, &self.dialect, &mut self.fields);
            let next = match cut {
                Cut::Row(next) => next,
                Cut::More if self.buffer.len() - self.at > LONGEST => {
                    return Err(self.unclosed(self.at));
                }
                Cut::More => {
                    self.fill()?;
                    continue;
                }
                Cut::Unclosed(opens) => return Err(self.unclosed(opens)),
                Cut::GoesOn(opens, at) => return Err(self.goes_on(opens, at)),
            };
            self.line = self.next_line;
            let within = self.fields.iter().filter(|f| f.quoted);
            let ends = if self.dialect.returns { b'\r' } else { b'\n' };
            let lines = |f: &Field| memchr::memchr_iter(ends, &self.buffer[f.start..f.end]).count();
            let lines: usize = within.map(lines).sum();
            self.lines_in_fields = lines > 0;
            self.next_line += 1 + lines;
            self.at = next;
            // Old programs of DOS end a file with the byte 26.
            let empty = |f: &Field| {
                let is_blank = |b: &u8| b.is_ascii_whitespace() || matches!(b, 0 | 26);
                self.buffer[f.start..f.end].iter().all(is_blank)
            };
            if self.fields.iter().all(empty) {
                // A line without a separator is a blank line, not a row.
                self.blank += (self.fields.len() > 1) as usize;
                continue;
            }
            self.row += 1;
            if self.width > 0 && self.fields.len() != self.width {
                self.even()?;
            }
            return Ok(true);
        }
    }

    /// Empty fields behind the last column are none.
    fn even(&mut self) -> Result<()> {
        let extra = self.fields.get(self.width..).unwrap_or_default();
        if self.fields.len() > self.width && extra.iter().all(|f| f.start == f.end) {
            self.fields.truncate(self.width);
            return Ok(());
        }
        let (found, width) = (self.fields.len(), self.width);
        let last = if found > width { width - 1 } else { found - 1 };
        let shown = brief(&String::from_utf8_lossy(self.raw(last)));
        let problem = format!(
            "{found} fields, and there are {width} columns (field {}: `{shown}`)",
            last + 1
        );
        let separator = shown_separator(self.dialect.separator);
        let remedy = if found < width {
            "an end of line within text needs quotation marks around that text".to_string()
        } else if self.header && self.row == 1 && found == width + 1 {
            // R writes row names without a name in the header.
            format!(
                "put quotation marks around text that holds {separator}; if each row begins with its name, as R writes \
                 them: row.names = FALSE"
            )
        } else if self.dialect.quotes {
            format!("put quotation marks around text that holds {separator}")
        } else {
            format!("text must not hold {separator}; if it stands in quotation marks: --quotes yes")
        };
        Err(Error::input(self.path.display(), self.place(), problem, remedy))
    }

    /// Where the row is.
    pub fn place(&self) -> String {
        place(self.row, self.line, self.header && self.width == 0)
    }

    fn unclosed(&self, opens: usize) -> Error {
        let before = &self.buffer[self.at..opens];
        let line = self.next_line + memchr::memchr_iter(b'\n', before).count();
        let shown =
            brief(&String::from_utf8_lossy(&self.buffer[opens..self.buffer.len().min(opens + 99)]));
        let place = place(self.row + 1, line, self.header && self.width == 0);
        let problem = format!("a quotation mark opens here and is never closed: `{shown}`");
        let remedy = if !self.dialect.backslash
            && memchr::memmem::find(&self.buffer[opens..], b"\\\"").is_some()
        {
            "if `\\\"` stands for a mark: --backslash; else close it, or write it twice"
        } else {
            "close it, or write it twice; if marks are just text: --quotes no"
        };
        Error::input(self.path.display(), place, problem, remedy)
    }

    fn goes_on(&self, opens: usize, at: usize) -> Error {
        let before = &self.buffer[self.at..opens];
        let line = self.next_line + memchr::memchr_iter(b'\n', before).count();
        let spans = memchr::memchr_iter(b'\n', &self.buffer[opens..at]).count();
        let place = place(self.row + 1, line, self.header && self.width == 0);
        let shown =
            brief(&String::from_utf8_lossy(&self.buffer[at..self.buffer.len().min(at + 99)]));
        let backslash = self.buffer[at - 2] == b'\\';
        let beyond = match spans {
            0 => String::new(),
            n => format!(" {n} lines further on"),
        };
        let (problem, remedy) = match backslash {
            true => (
                format!(
                    "a quotation mark behind a backslash ends the field, and `{shown}` follows"
                ),
                "if `\\\"` stands for a mark: --backslash; else write the mark twice",
            ),
            false => (
                format!(
                    "a field that opens here with a quotation mark is closed{beyond}, and `{shown}` follows"
                ),
                "write marks within text twice and put one around it; if marks are just text: --quotes no",
            ),
        };
        Error::input(self.path.display(), place, problem, remedy)
    }

    fn skip_line(&mut self) -> Result<()> {
        let end = if self.dialect.returns { b'\r' } else { b'\n' };
        self.fill()?;
        self.at = memchr(end, &self.buffer).map_or(self.buffer.len(), |at| at + 1);
        self.next_line += 1;
        Ok(())
    }

    fn fill(&mut self) -> Result<()> {
        self.buffer.drain(..self.at);
        self.at = 0;
        // Twice as much for a long row, so that it is not cut from its beginning again and again.
        let more = BYTES.max(self.buffer.len());
        let read = self.source.by_ref().take(more as u64).read_to_end(&mut self.buffer);
        self.ended = read.map_err(|e| self.stream.failed(e))? == 0;
        Ok(())
    }

    /// Number of fields.
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    fn raw(&self, field: usize) -> &[u8] {
        let Field { start, end, .. } = self.fields[field];
        &self.buffer[start..end]
    }

    /// Whether the row spans several lines.
    pub fn spans_lines(&self) -> bool {
        self.lines_in_fields
    }

    /// What the lines within fields would carry in column `label`, if each were a row of its own.
    pub fn lines_as_rows(&self, label: usize) -> Vec<String> {
        let (mut labels, mut fields) = (Vec::new(), Vec::new());
        let dialect = Dialect { quotes: false, ..self.dialect };
        for (place, field) in self.fields.iter().enumerate().filter(|(_, f)| f.quoted) {
            // The line in which the field opens, where the label comes behind it: of a text of several lines that line
            // ends within the text.
            let within = &self.buffer[field.start..field.end];
            if let (Some(end), true) = (memchr(b'\n', within), label > place)
                && let Cut::Row(_) = cut(&within[..end], 0, true, &dialect, &mut fields)
                && place + fields.len() == self.width
                && let Field { start, end, .. } = fields[label - place]
                && let Ok(label) = std::str::from_utf8(&within[start..end])
            {
                labels.push(label.trim().to_string());
            }
            for line in self.buffer[field.start..field.end].split(|b| *b == b'\n').skip(1) {
                if let Cut::Row(_) = cut(line, 0, true, &dialect, &mut fields)
                    && fields.len() == self.width
                    && let Field { start, end, .. } = fields[label]
                    && let Ok(label) = std::str::from_utf8(&line[start..end])
                {
                    labels.push(label.trim().to_string());
                }
            }
        }
        labels
    }

    /// Text of a field.
    ///
    /// # Errors
    /// [`Error::Input`] with row and line for bytes that are not UTF-8.
    pub fn text(&self, field: usize) -> Result<Cow<'_, str>> {
        let raw = self.raw(field);
        let text = std::str::from_utf8(raw).map_err(|e| {
            let at = e.valid_up_to();
            let start = self.fields[field].start + at;
            // A few characters before, and what they would be in the most usual other encoding.
            let from = (0..=12.min(at)).rev().map(|back| at - back);
            let from = from.clone().find(|&f| std::str::from_utf8(&raw[f..at]).is_ok()).unwrap_or(at);
            let near = &raw[from..raw.len().min(at + 12)];
            let (guess, _, _) = encoding_rs::WINDOWS_1252.decode(near);
            let before = memchr::memchr_iter(b'\n', &raw[..at]).count();
            let problem = format!("not valid UTF-8 (byte 0x{:02x})", self.buffer[start]);
            let remedy = format!(
                "if `{}` reads well: --encoding windows-1252; else name its encoding, or save the file \
                 as UTF-8",
                brief(&guess)
            );
            let place = match before {
                0 => self.place(),
                n => format!("row {}, line {}", self.row, self.line + n),
            };
            Error::input(self.path.display(), place, problem, remedy)
        })?;
        Ok(match self.fields[field].escaped {
            true => Cow::Owned(unescaped(text, &self.dialect, self.fields[field].quoted)),
            false => Cow::Borrowed(text),
        })
    }
}

fn place(row: usize, line: usize, header: bool) -> String {
    match header {
        true => format!("line {line}"),
        false => format!("row {row} (line {line})"),
    }
}

/// A field without what took meanings away.
fn unescaped(text: &str, dialect: &Dialect, quoted: bool) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('"', Some('"')) if quoted => {
                rest.next();
                plain.push('"');
            }
            ('\\', Some(&next)) if dialect.backslash => {
                rest.next();
                match next {
                    'n' => plain.push('\n'),
                    'r' => plain.push('\r'),
                    't' => plain.push('\t'),
                    '"' | '\\' | '\'' | '\n' | '\r' => plain.push(next),
                    c if c == dialect.separator as char => plain.push(c),
                    c => plain.extend(['\\', c]),
                }
            }
            (c, _) => plain.push(c),
        }
    }
    plain
}

/// Cuts the row that begins at a place; `last`: whether nothing follows what is there.
fn cut(bytes: &[u8], mut at: usize, last: bool, dialect: &Dialect, fields: &mut Vec<Field>) -> Cut {
    fields.clear();
    let Dialect { separator, quotes, backslash, returns, spaced, .. } = *dialect;
    let end_of_row = if returns { b'\r' } else { b'\n' };
    let blanks = |mut at: usize| {
        while spaced && bytes.get(at) == Some(&b' ') {
            at += 1;
        }
        at
    };
    loop {
        let opens = blanks(at);
        if quotes && bytes.get(opens) == Some(&b'"') {
            let (mut from, mut escaped) = (opens + 1, false);
            let closes = loop {
                let rest = bytes.get(from..).unwrap_or_default();
                let found = if backslash { memchr2(b'"', b'\\', rest) } else { memchr(b'"', rest) };
                match found.map(|found| from + found) {
                    None if last => return Cut::Unclosed(opens),
                    None => return Cut::More,
                    Some(slash) if bytes[slash] == b'\\' => {
                        escaped = true;
                        from = slash + 2;
                    }
                    Some(mark) => match bytes.get(mark + 1) {
                        Some(b'"') => {
                            escaped = true;
                            from = mark + 2;
                        }
                        None if !last => return Cut::More,
                        _ => break mark,
                    },
                }
            };
            fields.push(Field { start: opens + 1, end: closes, quoted: true, escaped });
            let mut next = blanks(closes + 1);
            while !returns && bytes.get(next) == Some(&b'\r') {
                next += 1;
            }
            match bytes.get(next) {
                Some(&b) if b == separator && next == blanks(closes + 1) => at = next + 1,
                Some(&b) if b == end_of_row => return Cut::Row(next + 1),
                None if last => return Cut::Row(next),
                None => return Cut::More,
                Some(_) => return Cut::GoesOn(opens, closes + 1),
            }
            continue;
        }
        let (mut from, mut escaped) = (at, false);
        let ends = loop {
            let rest = bytes.get(from..).unwrap_or_default();
            let found = match backslash {
                true => memchr3(separator, end_of_row, b'\\', rest),
                false => memchr2(separator, end_of_row, rest),
            };
            match found.map(|found| from + found) {
                None if last => break bytes.len(),
                None => return Cut::More,
                Some(slash) if bytes[slash] == b'\\' && separator != b'\\' => {
                    escaped = true;
                    from = slash + 2;
                }
                Some(end) => break end,
            }
        };
        let separated = bytes.get(ends) == Some(&separator);
        let mut end = ends;
        while !separated && !returns && end > at && bytes[end - 1] == b'\r' {
            end -= 1;
        }
        fields.push(Field { start: at, end, quoted: false, escaped });
        if !separated {
            return Cut::Row((ends + 1).min(bytes.len()));
        }
        at = ends + 1;
    }
}

/// The beginning of a file.
struct Sample<'a> {
    head: &'a [u8],
    whole: bool,
    no_header: bool,
}

impl Sample<'_> {
    /// The whole rows, as long as they can be read.
    fn each(&self, dialect: &Dialect, mut row: impl FnMut(&[Field]) -> bool) {
        let mut at = 0;
        if dialect.declared {
            let end = if dialect.returns { b'\r' } else { b'\n' };
            at = memchr(end, self.head).map_or(self.head.len(), |at| at + 1);
        }
        let mut fields = Vec::new();
        while at < self.head.len() {
            let Cut::Row(next) = cut(self.head, at, self.whole, dialect, &mut fields) else {
                return;
            };
            at = next;
            let blank = fields.iter().all(|f| self.head[f.start..f.end].trim_ascii().is_empty());
            if !blank && !row(&fields) {
                return;
            }
        }
    }

    /// Whether the columns asked for are there.
    fn suits(&self, dialect: &Dialect, fits: &dyn Fn(&[String]) -> bool) -> bool {
        let mut names: Vec<String> = Vec::new();
        self.each(dialect, |fields| {
            let name = |(n, f): (usize, &Field)| match self.no_header {
                true => (n + 1).to_string(),
                false => String::from_utf8_lossy(&self.head[f.start..f.end]).trim().to_string(),
            };
            names = fields.iter().enumerate().map(name).collect();
            false
        });
        fits(&names) && (!self.no_header || self.even(dialect).is_some())
    }

    /// Fields of a row, where all have as many.
    fn even(&self, dialect: &Dialect) -> Option<usize> {
        let (mut width, mut even) = (None, true);
        self.each(dialect, |fields| {
            even &= *width.get_or_insert(fields.len()) == fields.len();
            even
        });
        width.filter(|_| even)
    }

    /// Whether the first rows have a blank between separator and quotation mark.
    fn has_blank_before_mark(&self, separator: u8) -> bool {
        let first = &self.head[..self.head.len().min(4096)];
        let head = first.split(|b| *b == b'\n').next().unwrap_or_default();
        memchr::memmem::find(head, &[separator, b' ', b'"']).is_some() && head.starts_with(b"\"")
    }
}

/// The separator of a first line that says `sep=;` and no more.
fn declared(head: &[u8]) -> Option<u8> {
    let line = head.split(|b| matches!(b, b'\n' | b'\r')).next()?;
    match line {
        [s, e, p, b'=', separator] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*separator),
        _ => None,
    }
}

/// Whether rows end with carriage returns alone, as on old Macs: the first end of line outside of quotation
/// marks tells.
fn only_returns(head: &[u8]) -> bool {
    let mut within = false;
    for (at, &byte) in head.iter().enumerate() {
        match byte {
            b'"' => within = !within,
            b'\n' if !within => return false,
            b'\r' if !within => {
                let rest = head[at..].iter().find(|b| **b != b'\r');
                return rest != Some(&b'\n');
            }
            _ => {}
        }
    }
    false
}

/// A separator as it is typed.
fn separator(path: &Path, typed: &str) -> Result<u8> {
    match typed {
        "tab" | "\\t" | "\t" => Ok(b'\t'),
        "comma" => Ok(b','),
        "semicolon" => Ok(b';'),
        "pipe" | "bar" => Ok(b'|'),
        "space" => Ok(b' '),
        one if one.len() == 1 && !matches!(one, "\n" | "\r" | "\"") => Ok(one.as_bytes()[0]),
        other => {
            let problem = format!("`{}` separates no fields", brief(other));
            let remedy = "give one character, or tab, as --separator";
            Err(Error::input(path.display(), "", problem, remedy))
        }
    }
}

fn shown_separator(separator: u8) -> String {
    let named = [(b',', "a comma"), (b';', "a semicolon"), (b'\t', "a tab"), (b'|', "a `|`")];
    match named.iter().find(|(s, _)| *s == separator) {
        Some((_, name)) => (*name).to_string(),
        None => format!("`{}`", separator as char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str, dialect: Dialect) -> Option<Vec<String>> {
        let mut fields = Vec::new();
        let Cut::Row(_) = cut(text.as_bytes(), 0, true, &dialect, &mut fields) else { return None };
        let text = |f: &Field| unescaped(&text[f.start..f.end], &dialect, f.quoted);
        Some(fields.iter().map(text).collect())
    }

    const PLAIN: Dialect = Dialect {
        separator: b',',
        quotes: true,
        backslash: false,
        returns: false,
        spaced: false,
        declared: false,
    };

    #[test]
    fn fields_are_cut_as_rfc_4180_has_them() {
        let cut = |text: &str| fields(text, PLAIN).unwrap();
        assert_eq!(cut("a,b\r\nc"), ["a", "b"]);
        assert_eq!(cut("\"a, \"\"b\"\"\nc\",d"), ["a, \"b\"\nc", "d"]);
        assert_eq!(cut("5\" pipe,\"\""), ["5\" pipe", ""]);
        assert_eq!(cut("a,"), ["a", ""]);
        assert!(fields("\"a\"b,c", PLAIN).is_none() && fields("\"a,b", PLAIN).is_none());
    }

    #[test]
    fn a_backslash_takes_the_meaning_of_what_follows() {
        let dialect = Dialect { backslash: true, ..PLAIN };
        let cut = |text: &str| fields(text, dialect).unwrap();
        assert_eq!(cut("\"say \\\"hi\\\", ok\",b"), ["say \"hi\", ok", "b"]);
        assert_eq!(cut("a\\,b,c\\\\"), ["a,b", "c\\"]);
        assert_eq!(cut("\"a\\nb\\d\",c"), ["a\nb\\d", "c"]);
        assert!(fields("\"a\\", dialect).is_none());
    }

    #[test]
    fn without_quoting_marks_are_text() {
        let dialect = Dialect { separator: b'\t', quotes: false, ..PLAIN };
        assert_eq!(fields("\"in a\" b\t\"c", dialect).unwrap(), ["\"in a\" b", "\"c"]);
    }

    #[test]
    fn the_first_end_of_line_tells_how_rows_end() {
        assert!(only_returns(b"a,b\rc,d\r"));
        assert!(!only_returns(b"a,b\r\nc\rd"));
        assert!(!only_returns(b"a,b\r\r\nc"));
        assert!(only_returns(b"\"a\nb\",c\rd"));
    }
}
