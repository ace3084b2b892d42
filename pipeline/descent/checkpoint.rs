//! The file that a descent goes on from.

use crate::{Error, Moments, Progress, Result, Terms};
use accrue_numerics::files;
use std::path::Path;

/// A place on disk where a descent can be put down, and the hash of all that decides its bits.
///
/// The file is a line of JSON, then parameters and both means, in f32 of the low end first.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// The file.
    pub path: &'a Path,
    /// What is written with it; a file of another is not used.
    pub key: &'a str,
}

impl Checkpoint<'_> {
    pub(crate) fn write<T: Terms>(
        &self,
        progress: &Progress<T>,
        parameters: &[f32],
        moments: &Moments,
    ) -> Result<()> {
        let progress = Progress { key: self.key.into(), ..progress.clone() };
        let mut bytes = serde_json::to_vec(&progress).expect("progress is plain and finite");
        bytes.push(b'\n');
        for array in [parameters, &moments.first, &moments.second] {
            bytes.extend(array.iter().flat_map(|x| x.to_le_bytes()));
        }
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        files::replace(self.path, &bytes)
    }

    /// Nothing if there is no file, or one of another key.
    pub(crate) fn read<T: Terms>(
        &self,
        parameters: &mut Vec<f32>,
        moments: &mut Moments,
    ) -> Result<Option<Progress<T>>> {
        let bytes = match std::fs::read(self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(Error::io(self.path)(e)),
        };
        let damaged = |problem: &str| {
            Error::input(self.path.display(), "", problem, "remove it to train from the start")
        };
        let end = bytes.iter().position(|b| *b == b'\n');
        let end = end.ok_or_else(|| damaged("not a checkpoint"))?;
        let progress: Progress<T> =
            serde_json::from_slice(&bytes[..end]).map_err(|e| damaged(&e.to_string()))?;
        if progress.key != self.key {
            return Ok(None);
        }
        let count = parameters.len();
        let (numbers, rest) = bytes[end + 1..].as_chunks::<4>();
        if numbers.len() != 3 * count || !rest.is_empty() {
            return Err(damaged("its arrays are cut short"));
        }
        let part = |i: usize| -> Vec<f32> {
            numbers[i * count..][..count].iter().map(|x| f32::from_le_bytes(*x)).collect()
        };
        *parameters = part(0);
        *moments = Moments { first: part(1), second: part(2) };
        Ok(Some(progress))
    }
}
