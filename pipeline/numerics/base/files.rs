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
    let partial = partial(path);
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

/// What names of files that are being written end with.
const PARTIAL: &str = ".partial";

/// A name beside `path` to write to first, that nobody else writes to at the same time.
pub fn partial(path: &Path) -> PathBuf {
    static WRITTEN: AtomicUsize = AtomicUsize::new(0);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}-{}-{number}{PARTIAL}", host(), std::process::id()));
    PathBuf::from(name)
}

/// This machine, in a few letters: folders may be shared by several.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    hash(name.trim())[..6].to_string()
}

/// Removes what killed processes of this machine left half written directly in a folder.
pub fn sweep(folder: &Path) {
    // Elsewhere nobody says which processes live.
    if !Path::new("/proc/self").exists() {
        return;
    }
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let own = host();
    for entry in entries.filter_map(|e| e.ok()) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let writer = name.strip_suffix(PARTIAL).and_then(|rest| rest.rsplit('.').next());
        let Some(writer) = writer else { continue };
        let mut parts = writer.split('-');
        if let (Some(host), Some(process)) = (parts.next(), parts.next())
            && host == own
            && !Path::new("/proc").join(process).exists()
        {
            let _ = std::fs::remove_file(entry.path());
        }
    }
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
