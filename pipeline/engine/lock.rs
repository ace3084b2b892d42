//! Locks that die with their process.

use super::record::folder_name;
use super::store::Store;
use crate::{Error, Result, interrupt};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Time between two looks at a lock that another process holds.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A lock on a file, which is removed with it; the system lets go of it when the process ends, however it ends.
///
/// A file system without locks locks nothing: stages appear whole under their keys all the same.
#[derive(Debug)]
pub struct Lock {
    /// `None` where the file system has no locks.
    file: Option<File>,
    path: PathBuf,
}

impl Lock {
    /// Locks `path`, or says who holds it.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be made. The outer `Ok` holds `Err` with the holder's own words
    /// where another process has it.
    pub fn attempt(path: &Path) -> Result<std::result::Result<Self, String>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        loop {
            let mut options = OpenOptions::new();
            let options = options.create(true).read(true).write(true).truncate(false);
            let mut file = options.open(path).map_err(Error::io(path))?;
            match file.try_lock() {
                // Its last holder may have removed it between the two calls.
                Ok(()) if !is_at(&file, path) => continue,
                Ok(()) => {
                    let holder = format!("process {} on {}", std::process::id(), host());
                    // Words for people alone: a lock without them locks as well.
                    let _ = file
                        .set_len(0)
                        .and_then(|()| file.seek(SeekFrom::Start(0)))
                        .and_then(|_| file.write_all(holder.as_bytes()));
                    return Ok(Ok(Self { file: Some(file), path: path.into() }));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let _ = file.read_to_string(&mut holder);
                    let named = holder.starts_with("process");
                    return Ok(Err(if named { holder } else { "another process".into() }));
                }
                Err(TryLockError::Error(_)) => {
                    return Ok(Ok(Self { file: None, path: path.into() }));
                }
            }
        }
    }

    /// Locks the folder of a run or grid, `study` and `name` below `out`.
    ///
    /// # Errors
    /// [`Error::Usage`] for names that are no folders below `out`, and, naming the process, while another one works
    /// there; [`Error::Io`] where nothing can be written.
    pub fn of_run(out: &Path, study: &str, name: &str) -> Result<Self> {
        folder_name("study", study)?;
        folder_name("name", name)?;
        let held = format!("{}.run", crate::files::hash(&format!("{study}\n{name}")));
        Self::attempt(&Store::of(out).lock(&held))?.map_err(|holder| {
            Error::Usage(format!(
                "{}: {holder} works on this run; wait for it, or give this one a `name` of its own",
                out.join(study).join(name).display()
            ))
        })
    }

    /// Locks `path`, waiting while another holds it.
    ///
    /// # Errors
    /// As [`Lock::attempt`], and [`Error::Interrupted`] where an end is asked for meanwhile.
    pub fn wait(path: &Path) -> Result<Self> {
        loop {
            if let Ok(lock) = Self::attempt(path)? {
                return Ok(lock);
            }
            interrupt::check("while another process makes the same stage")?;
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // While it is still locked: nobody else can hold the file of this name.
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Whether the open file is the one that lies at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(own), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else { return false };
    (own.dev(), own.ino()) == (there.dev(), there.ino())
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.is_file()
}

/// Name of this machine.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "this machine".into() } else { name.into() }
}
