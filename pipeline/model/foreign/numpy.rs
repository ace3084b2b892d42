//! NumPy's files: `.npy`, and `.npz`, a zip of them.
//!
//! The format is NumPy's own description (NEP 1): a magic, a version, the length of a header, a Python dictionary
//! with `descr`, `fortran_order` and `shape`, and the numbers. Nothing a header says is believed before the bytes
//! are there.

use super::bounds::{Allowance, Number, count, each_place, open};
use super::zipped::Zipped;
use crate::{Error, Result};
use std::io::Read;
use std::path::Path;

/// What every `.npy` begins with.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// Longest header that is read: a shape of 64 axes needs a few hundred bytes.
const HEADER: usize = 1 << 16;

/// Numbers that are read at once.
const PIECE: usize = 1 << 14;

/// What a header says.
#[derive(Debug, PartialEq)]
struct Header {
    /// The type as NumPy writes it, without quotation marks.
    descr: String,
    /// How a number lies, and whether the largest byte comes first; `None`: no real numbers.
    number: Option<(Number, bool)>,
    fortran: bool,
    shape: Vec<usize>,
}

/// An array of an archive.
pub enum Entry {
    /// Its shape, and its numbers row by row.
    Numbers(Vec<usize>, Vec<f32>),
    /// Something else, in words.
    Other(String),
}

/// One array of any real numbers, row by row.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened; [`Error::Input`] if it is damaged or holds no real numbers.
pub fn read_npy(path: &Path, remedy: &str) -> Result<(Vec<usize>, Vec<f64>)> {
    let (file, bytes) = open(path, remedy)?;
    let refuse = |problem: String| Error::input(path.display(), "", problem, remedy);
    let mut file = std::io::BufReader::new(file);
    let header = header(&mut file).map_err(refuse)?;
    let Some(number) = header.number else {
        return Err(refuse(format!("an array of {}", described(&header.descr))));
    };
    let numbers = numbers(&mut file, &header, number, bytes).map_err(refuse)?;
    Ok((header.shape, numbers))
}

/// The arrays of an `.npz`, in its order; whole numbers are something else than weights.
///
/// # Errors
/// [`Error::Input`] if it is damaged.
pub fn read_npz(path: &Path, remedy: &str) -> Result<Vec<(String, Entry)>> {
    read(path, remedy, Number::is_float)
}

/// An array: its name, and its shape and numbers row by row.
pub type Named = (String, (Vec<usize>, Vec<f32>));

/// An array that holds no numbers: its name, and what it holds.
pub type Unread = (String, String);

/// Names, shapes and numbers of all arrays of an `.npz`, whole numbers and true and false (1 and 0) too; beside them the names
/// of those that hold something else, and what.
///
/// # Errors
/// [`Error::Input`] if it is damaged.
pub fn read_numbers(path: &Path, remedy: &str) -> Result<(Vec<Named>, Vec<Unread>)> {
    let (mut numbers, mut others) = (Vec::new(), Vec::new());
    for (name, entry) in read(path, remedy, |_| true)? {
        match entry {
            Entry::Numbers(shape, all) => numbers.push((name, (shape, all))),
            Entry::Other(what) => others.push((name, what)),
        }
    }
    Ok((numbers, others))
}

fn read(path: &Path, remedy: &str, wanted: fn(Number) -> bool) -> Result<Vec<(String, Entry)>> {
    let mut zip = Zipped::open(path, remedy)?;
    let mut allowance = Allowance::of(zip.bytes());
    let mut all = Vec::new();
    for (index, name) in zip.names()?.into_iter().enumerate() {
        let array = name.strip_suffix(".npy").unwrap_or(&name).to_string();
        let refuse = |problem: String| {
            Error::input(path.display(), format!("array `{array}`"), problem, remedy)
        };
        let mut entry = zip.entry(index).map_err(refuse)?;
        let header = match header(&mut entry) {
            Ok(header) => header,
            Err(_) if !name.ends_with(".npy") => {
                all.push((name, Entry::Other("no array".into())));
                continue;
            }
            Err(problem) => return Err(refuse(problem)),
        };
        let Some(number) = header.number.filter(|&(n, _)| wanted(n)) else {
            all.push((array, Entry::Other(described(&header.descr))));
            continue;
        };
        let claimed = count(&header.shape).and_then(|n| n.checked_mul(number.0.bytes()));
        let claimed = claimed.ok_or_else(|| refuse(impossible(&header.shape)))? as u64;
        allowance.take(claimed).map_err(refuse)?;
        let numbers: Vec<f32> =
            numbers(&mut entry, &header, number, claimed).map_err(refuse)?.into_iter().collect();
        entry.finish().map_err(refuse)?;
        all.push((array, Entry::Numbers(header.shape, numbers)));
    }
    Ok(all)
}

fn impossible(shape: &[usize]) -> String {
    format!("its header says shape {shape:?}, more than any memory holds")
}

/// A type of NumPy's in words.
fn described(descr: &str) -> String {
    let bare = descr.trim_start_matches(['<', '>', '=', '|']);
    let what = match bare.chars().next() {
        Some('U' | 'S') => "text",
        Some('O') => "Python objects",
        Some('b' | '?') => "true and false",
        Some('i' | 'u') => "whole numbers",
        Some('c') => "complex numbers",
        Some('M' | 'm') => "dates",
        Some('V') if bare == "V2" => "raw bytes (bfloat16 of JAX: save it as float32)",
        Some('f') => "numbers of more than 64 bits (save them as float32)",
        _ => "records",
    };
    format!("{what} ({descr})")
}

/// Reads up to the first number.
fn header(from: &mut impl Read) -> Result<Header, String> {
    let cut = |e: std::io::Error| format!("cut short within its header ({e})");
    let mut start = [0; 8];
    from.read_exact(&mut start).map_err(|_| "no NumPy array".to_string())?;
    if &start[..6] != MAGIC {
        return Err("no NumPy array".into());
    }
    let length = match start[6] {
        1 => {
            let mut bytes = [0; 2];
            from.read_exact(&mut bytes).map_err(cut)?;
            u16::from_le_bytes(bytes) as usize
        }
        2 | 3 => {
            let mut bytes = [0; 4];
            from.read_exact(&mut bytes).map_err(cut)?;
            u32::from_le_bytes(bytes) as usize
        }
        other => return Err(format!("version {other} of the format; 1 to 3 are known")),
    };
    if length > HEADER {
        return Err(format!("a header of {length} bytes"));
    }
    let mut text = vec![0; length];
    from.read_exact(&mut text).map_err(cut)?;
    parse(&String::from_utf8_lossy(&text))
        .ok_or_else(|| "a header that says no `descr`, `fortran_order` and `shape`".to_string())
}

/// `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
fn parse(text: &str) -> Option<Header> {
    let after = |key: &str| -> Option<&str> {
        let at = text.find(&format!("'{key}'")).or_else(|| text.find(&format!("\"{key}\"")))?;
        text[at + key.len() + 2..].trim_start().strip_prefix(':').map(str::trim_start)
    };
    let descr = after("descr")?;
    let descr = match descr.chars().next()? {
        quote @ ('\'' | '"') => descr[1..].split(quote).next()?.to_string(),
        _ => "several fields".into(),
    };
    let fortran = after("fortran_order")?.starts_with("True");
    let inside = after("shape")?.strip_prefix('(')?.split(')').next()?;
    let sides = inside.split(',').map(str::trim).filter(|side| !side.is_empty());
    let shape: Option<Vec<usize>> =
        sides.map(|side| side.trim_end_matches('L').parse().ok()).collect();
    Some(Header { number: number(&descr), descr, fortran, shape: shape? })
}

/// `<f4` and the like.
fn number(descr: &str) -> Option<(Number, bool)> {
    let big = descr.starts_with('>');
    let bare = descr.trim_start_matches(['<', '>', '=', '|']);
    let number = match bare {
        "f2" => Number::Half,
        "f4" => Number::Single,
        "f8" => Number::Double,
        // True and false are 1 and 0; as weights they are nothing.
        "b1" => Number::Integer(false, 1),
        _ => match (bare.get(..1)?, bare.get(1..)?) {
            (sign @ ("i" | "u"), "1" | "2" | "4" | "8") => {
                Number::Integer(sign == "i", bare[1..].parse().ok()?)
            }
            _ => return None,
        },
    };
    Some((number, big))
}

/// The numbers behind a header, row by row; at most `bytes` are there.
fn numbers<T: Narrow>(
    from: &mut impl Read,
    header: &Header,
    (number, big): (Number, bool),
    bytes: u64,
) -> Result<Vec<T>, String> {
    let width = number.bytes();
    let count = count(&header.shape).ok_or_else(|| impossible(&header.shape))?;
    let claimed = (count as u64).saturating_mul(width as u64);
    if claimed > bytes {
        return Err(format!(
            "its header says shape {:?}, {claimed} bytes, and {bytes} are there",
            header.shape
        ));
    }
    // Room for what was read, not for what was said: an archive may hold less than it claims.
    let mut all: Vec<T> = Vec::new();
    let mut piece = vec![0; PIECE * width];
    while all.len() < count {
        let next = (count - all.len()).min(PIECE) * width;
        from.read_exact(&mut piece[..next])
            .map_err(|e| format!("cut short after {} of {count} numbers ({e})", all.len()))?;
        all.extend(piece[..next].chunks_exact(width).map(|b| T::narrowed(number.read(b, big))));
    }
    Ok(if header.fortran && header.shape.len() > 1 { by_rows(&all, &header.shape) } else { all })
}

/// f32 or f64, from f64.
trait Narrow: Copy {
    fn narrowed(x: f64) -> Self;
}

impl Narrow for f32 {
    fn narrowed(x: f64) -> Self {
        x as f32
    }
}

impl Narrow for f64 {
    fn narrowed(x: f64) -> Self {
        x
    }
}

/// Numbers whose first axis runs fastest, in an order in which the last one does.
fn by_rows<T: Copy>(numbers: &[T], shape: &[usize]) -> Vec<T> {
    let mut strides = vec![1; shape.len()];
    for axis in 1..shape.len() {
        strides[axis] = strides[axis - 1] * shape[axis - 1];
    }
    let mut all = Vec::with_capacity(numbers.len());
    each_place(shape, &strides, |place| all.push(numbers[place]));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of version 1.
    fn file(descr: &str, fortran: &str, shape: &str, numbers: &[u8]) -> Vec<u8> {
        let text =
            format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
        [MAGIC, &[1, 0], &(text.len() as u16).to_le_bytes(), text.as_bytes(), numbers].concat()
    }

    fn read(bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.npy");
        std::fs::write(&path, bytes).unwrap();
        read_npy(&path, "save it again")
    }

    #[test]
    fn columns_first_and_the_largest_byte_first_are_the_same_table() {
        let rows = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
        let columns = [1.0_f32, 4.0, 2.0, 5.0, 3.0, 6.0];
        let little: Vec<u8> = rows.iter().flat_map(|x| x.to_le_bytes()).collect();
        let big: Vec<u8> = columns.iter().flat_map(|x| x.to_be_bytes()).collect();
        let a = read(&file("<f4", "False", "(2, 3)", &little)).unwrap();
        let b = read(&file(">f4", "True", "(2, 3)", &big)).unwrap();
        assert_eq!(a, (vec![2, 3], rows.map(f64::from).to_vec()));
        assert_eq!(a, b);
    }

    #[test]
    fn what_a_header_claims_is_held_against_the_bytes() {
        let message = read(&file("<f4", "False", "(5,)", &[0; 16])).unwrap_err().to_string();
        assert!(message.contains("cut short") && message.contains("of 5 numbers"), "{message}");
        for shape in ["(99999999999,)", "(4294967296, 4294967296, 3)"] {
            let message = read(&file("<f4", "False", shape, &[0; 16])).unwrap_err().to_string();
            assert!(
                message.contains("header says shape") && message.contains("a.npy"),
                "{message}"
            );
        }
        let message = read(&file("<f4", "False", "(-2,)", &[0; 16])).unwrap_err().to_string();
        assert!(message.contains("`shape`"), "{message}");
        let message = read(&file("<U8", "False", "(1,)", &[0; 32])).unwrap_err().to_string();
        assert!(message.contains("text (<U8)"), "{message}");
        assert!(read(b"\x93NUMPY\x02\x00\xff\xff\xff\xff").is_err());
        assert!(read(b"\x93NUM").is_err());
    }
}
