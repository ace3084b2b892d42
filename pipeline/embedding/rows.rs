//! Numbers that need not lie in memory: held, or in a file that the system reads as they are asked for.

use crate::{Error, Result};
use accrue_numerics::files;
use memmap2::Mmap;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;

/// Numbers in f32, shared by clones and parts.
#[derive(Clone)]
pub struct Rows {
    all: Arc<Place>,
    range: Range<usize>,
}

enum Place {
    Memory(Vec<f32>),
    File(Mmap),
}

impl Place {
    fn numbers(&self) -> &[f32] {
        match self {
            Self::Memory(numbers) => numbers,
            Self::File(bytes) => {
                // SAFETY: every pattern of bits is an f32; what is not aligned lands in the ends, which are asserted to be empty.
                let (before, numbers, after) = unsafe { bytes.align_to::<f32>() };
                assert!(before.is_empty() && after.is_empty(), "pages begin at whole numbers");
                numbers
            }
        }
    }
}

impl From<Vec<f32>> for Rows {
    fn from(numbers: Vec<f32>) -> Self {
        let range = 0..numbers.len();
        Self { all: Arc::new(Place::Memory(numbers)), range }
    }
}

impl Deref for Rows {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.all.numbers()[self.range.clone()]
    }
}

impl PartialEq for Rows {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Rows {
    /// Some of them; nothing is copied.
    pub fn part(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.len(), "a part of what is there");
        let first = self.range.start;
        Self { all: self.all.clone(), range: first + range.start..first + range.end }
    }

    /// Whether they lie in memory.
    pub fn held(&self) -> bool {
        matches!(*self.all, Place::Memory(_))
    }

    /// The same numbers in a file, in this machine's order of bytes. The file is this process's own and must not be changed while they
    /// are used; it may be removed where the system lets it.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written or mapped.
    pub fn stored(&self, path: &Path) -> Result<Self> {
        if self.is_empty() {
            return Ok(self.clone());
        }
        let bytes: Vec<u8> = self.iter().flat_map(|x| x.to_ne_bytes()).collect();
        files::replace(path, &bytes)?;
        drop(bytes);
        let file = std::fs::File::open(path).map_err(Error::io(path))?;
        // SAFETY: nobody else writes this file.
        let map = unsafe { Mmap::map(&file) }.map_err(Error::io(path))?;
        Ok(Self { all: Arc::new(Place::File(map)), range: 0..self.len() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_a_file_are_the_numbers_in_memory_also_in_part_and_after_the_file_is_gone() {
        let folder = std::env::temp_dir().join(format!("accrue-rows-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let numbers: Vec<f32> =
            (0..3000).map(|i| (i as f32).sin()).chain([f32::MIN_POSITIVE, -0.0]).collect();
        let held = Rows::from(numbers.clone());
        let stored = held.stored(&folder.join("numbers")).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(held.held() && !stored.held());
        let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(&stored), bits(&numbers));
        assert_eq!(bits(&stored.part(7..2999).part(1..4)), bits(&numbers[8..11]));
        assert!(Rows::from(Vec::new()).stored(&folder).unwrap().is_empty());
    }
}
