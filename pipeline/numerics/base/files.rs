//! Files that appear whole, and what they hold, as a hash.

use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Writes a file that appears whole or not at all.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be written to.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    std::fs::write(&partial, bytes).map_err(Error::io(&partial))?;
    std::fs::rename(&partial, path).map_err(Error::io(path))
}

/// The first half of a SHA-256, lower-case hexadecimal: a name for what it was made of.
pub fn short(hash: Sha256) -> String {
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A name that follows from a text.
pub fn hash(text: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(text.as_bytes());
    short(hash)
}

/// Size in bytes and SHA-256 (lower-case hexadecimal) of a file.
///
/// # Errors
/// [`Error::Io`] if it cannot be read.
pub fn fingerprint(path: &Path) -> Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut file = std::fs::File::open(path).map_err(Error::io(path))?;
    let mut block = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut block).map_err(Error::io(path))?;
        if read == 0 {
            break;
        }
        hash.update(&block[..read]);
        bytes += read as u64;
    }
    Ok((bytes, hash.finalize().iter().map(|b| format!("{b:02x}")).collect()))
}
