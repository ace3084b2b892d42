//! Files that appear whole, and what they hold, as a hash.

use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Writes a file that appears whole or not at all, and is on disk when it appears.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be written to.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    // A name of its own: others may write the same file at the same time.
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let partial = beside(path, &format!(".{}.{number}.partial", std::process::id()));
    let written = std::fs::File::create(&partial).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let appeared = written.and_then(|()| std::fs::rename(&partial, path));
    appeared.map_err(|e| {
        let _ = std::fs::remove_file(&partial);
        Error::io(path)(e)
    })
}

/// A path with something added to its last part.
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
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
