//! Files that appear whole, and what they hold, as a hash.

use crate::{Error, Result};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Opens a file that has an end: no folder, no pipe, no device such as `/dev/zero`. Also its size in bytes.
///
/// # Errors
/// [`Error::Io`] if it cannot be opened, [`Error::Input`] if it is no file.
pub fn open(path: &Path) -> Result<(std::fs::File, u64)> {
    // Before it is opened: opening a pipe waits for whoever writes into it.
    let about = std::fs::metadata(path).map_err(Error::io(path))?;
    if !about.is_file() {
        let problem = if about.is_dir() { "a folder, no file" } else { "no regular file" };
        return Err(Error::input(path.display(), "", problem, "give the name of a file"));
    }
    let file = std::fs::File::open(path).map_err(Error::io(path))?;
    Ok((file, about.len()))
}

/// The text of a file of at most `most` bytes.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::Input`] if it is no file, larger, or not UTF-8.
pub fn text(path: &Path, most: u64) -> Result<String> {
    let (file, size) = open(path)?;
    let large = |size: u64| {
        let problem = format!("{size} bytes; such a file has at most {most}");
        Error::input(path.display(), "", problem, "check that it is the file that was meant")
    };
    if size > most {
        return Err(large(size));
    }
    let mut bytes = Vec::with_capacity(size as usize + 1);
    // It may grow while it is read.
    file.take(most + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    if bytes.len() as u64 > most {
        return Err(large(bytes.len() as u64));
    }
    String::from_utf8(bytes).map_err(|e| {
        let place = format!("byte {}", e.utf8_error().valid_up_to() + 1);
        Error::input(path.display(), place, "not UTF-8 text", "save the file as UTF-8")
    })
}

/// Writes a file that appears whole or not at all, and is on disk when it appears.
///
/// # Errors
/// [`Error::Io`] if the folder cannot be written to.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = partial(path);
    // The folder is there most often, and a shared file system is not asked for nothing.
    let created = match (std::fs::File::create(&partial), path.parent()) {
        (Err(e), Some(folder)) if e.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
            std::fs::File::create(&partial)
        }
        (created, _) => created,
    };
    let written = created.and_then(|mut file| {
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
fn host() -> &'static str {
    static LETTERS: LazyLock<String> = LazyLock::new(|| {
        let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        hash(name.trim())[..6].to_string()
    });
    &LETTERS
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
/// [`Error::Io`] if it cannot be read, [`Error::Input`] for a pipe or a device, which may never end.
pub fn fingerprint(path: &Path) -> Result<(u64, String)> {
    let about = std::fs::metadata(path).map_err(Error::io(path))?;
    if !about.is_file() {
        let what =
            if about.is_dir() { "a folder, where a file is read" } else { "no regular file" };
        return Err(Error::input(path.display(), "", what, "give a file"));
    }
    let mut hash = Sha256::new();
    let (mut file, _) = open(path)?;
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
