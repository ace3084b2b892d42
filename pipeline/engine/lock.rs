//! Locks that die with their process, or with its node.
//!
//! A lock is the system's own on an open file (`flock`): it goes when its process ends, however it ends. Its holder also
//! *beats*: every [`BEAT`] the file's time moves. A file server may keep the lock of a node that died (NFS version 3 does so
//! until the node is back, version 4 for its lease of about 90 s); whoever finds a lock taken and sees no beat for [`SILENT`]
//! on its own clock takes the file away and locks a new one. No clocks of two machines are compared.
//!
//! Where a file system has no locks, or keeps them within a node, two processes may make one stage. Both make the same bits,
//! and stages appear whole by rename: the work is done twice, nothing is lost.

use super::record::folder_name;
use super::store::Store;
use crate::{Error, Result, interrupt};
use std::collections::HashMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, Once, Weak};
use std::time::{Duration, Instant, SystemTime};

/// Time between two looks at a lock that another process holds.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Time between two beats of a lock that is held.
const BEAT: Duration = Duration::from_secs(10);

/// Time without a beat after which a holder is gone: twelve beats, and twice what NFS keeps a file's time for.
const SILENT: Duration = Duration::from_secs(120);

/// Locks of this process, for their beats.
static HELD: Mutex<Vec<Weak<File>>> = Mutex::new(Vec::new());

/// When a file's time and its holder's words were first seen by this process.
type Seen = (Option<SystemTime>, String, Instant);

/// Last beats of locks that others hold.
static SEEN: LazyLock<Mutex<HashMap<PathBuf, Seen>>> = LazyLock::new(Mutex::default);

/// A lock on a file, which is removed with it.
#[derive(Debug)]
pub struct Lock {
    /// `None` where the file system has no locks.
    file: Option<Arc<File>>,
    path: PathBuf,
    since: Instant,
}

impl Lock {
    fn of(file: Option<Arc<File>>, path: &Path) -> Self {
        Self { file, path: path.into(), since: Instant::now() }
    }

    /// Locks `path`, or says who holds it.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be made. The outer `Ok` holds `Err` with the holder's own words
    /// where another process has it.
    pub fn attempt(path: &Path) -> Result<std::result::Result<Self, String>> {
        Self::attempt_after(path, SILENT)
    }

    /// [`Lock::attempt`], with the time after which a silent holder is gone.
    fn attempt_after(path: &Path, silent: Duration) -> Result<std::result::Result<Self, String>> {
        loop {
            let mut options = OpenOptions::new();
            let options = options.create(true).read(true).write(true).truncate(false);
            let mut file = match (options.open(path), path.parent()) {
                (Err(e), Some(folder)) if e.kind() == std::io::ErrorKind::NotFound => {
                    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
                    options.open(path).map_err(Error::io(path))?
                }
                (file, _) => file.map_err(Error::io(path))?,
            };
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
                    SEEN.lock().unwrap_or_else(|e| e.into_inner()).remove(path);
                    return Ok(Ok(Self::of(Some(beating(file)), path)));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    let _ = file.read_to_string(&mut holder);
                    if is_silent(path, &file, &holder, silent) {
                        // Its holder locks a file that is no longer here; the next one is ours to lock.
                        let _ = std::fs::remove_file(path);
                        SEEN.lock().unwrap_or_else(|e| e.into_inner()).remove(path);
                        continue;
                    }
                    let named = holder.starts_with("process");
                    return Ok(Err(if named { holder } else { "another process".into() }));
                }
                Err(TryLockError::Error(_)) => {
                    return Ok(Ok(Self::of(None, path)));
                }
            }
        }
    }

    /// Locks the folder of a run or grid, `study` and `name` below `out`.
    ///
    /// # Errors
    /// [`Error::Usage`] for names that are no folders below `out`; [`Error::Busy`], naming the process, while another one
    /// works there; [`Error::Io`] where nothing can be written.
    pub fn of_run(out: &Path, study: &str, name: &str) -> Result<Self> {
        folder_name("study", study)?;
        folder_name("name", name)?;
        Self::attempt(&of_folder(out, study, name))?.map_err(|holder| {
            Error::Busy(format!(
                "{}: {holder} works on this run; wait for it, or give this one a `name` of its own",
                out.join(study).join(name).display()
            ))
        })
    }

    /// Who works on the folder of a run, if another process does.
    ///
    /// # Errors
    /// [`Error::Io`] where nothing can be written.
    pub fn holder(out: &Path, study: &str, name: &str) -> Result<Option<String>> {
        Ok(Self::attempt(&of_folder(out, study, name))?.err())
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
        // While it is still locked: nobody else can hold the file of this name, unless this process stood still for
        // so long that it was taken away.
        let own = |file: &Arc<File>| self.since.elapsed() < SILENT || is_at(file, &self.path);
        if self.file.as_ref().is_some_and(own) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The file, with a beat until it is closed.
fn beating(file: File) -> Arc<File> {
    static BEATS: Once = Once::new();
    let file = Arc::new(file);
    HELD.lock().unwrap_or_else(|e| e.into_inner()).push(Arc::downgrade(&file));
    BEATS.call_once(|| {
        std::thread::spawn(|| {
            loop {
                std::thread::sleep(BEAT);
                let held = {
                    let mut held = HELD.lock().unwrap_or_else(|e| e.into_inner());
                    held.retain(|file| file.strong_count() > 0);
                    held.clone()
                };
                // That the time changes is all that is read: whose clock it is does not matter.
                for file in held.iter().filter_map(Weak::upgrade) {
                    let _ = file.set_modified(SystemTime::now());
                }
            }
        });
    });
    file
}

/// Whether the holder of a lock gave no beat for so long while this process looked.
fn is_silent(path: &Path, file: &File, holder: &str, silent: Duration) -> bool {
    let time = file.metadata().and_then(|about| about.modified()).ok();
    let mut seen = SEEN.lock().unwrap_or_else(|e| e.into_inner());
    match seen.get(path) {
        Some((last, words, since)) if *last == time && words == holder => since.elapsed() >= silent,
        _ => {
            seen.insert(path.into(), (time, holder.into(), Instant::now()));
            false
        }
    }
}

/// The file that is locked while a run's folder is worked on.
fn of_folder(out: &Path, study: &str, name: &str) -> PathBuf {
    let held = format!("{}.run", crate::files::hash(&format!("{study}\n{name}")));
    Store::of(out).lock(&held)
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
pub fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "this machine".into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_whose_holder_gives_no_beat_is_taken_over_and_one_that_beats_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("held");
        let silent = Duration::from_millis(50);
        let attempt = || Lock::attempt_after(&path, silent).unwrap();
        // As a dead node leaves it: locked, with words, and without a beat.
        let mut dead = File::create(&path).unwrap();
        dead.write_all(b"process 7 on n1").unwrap();
        dead.lock().unwrap();
        assert_eq!(attempt().unwrap_err(), "process 7 on n1");
        std::thread::sleep(silent);
        dead.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(attempt().is_err(), "it has just beaten, on a clock of its own");
        std::thread::sleep(silent);
        let own = attempt().expect("nobody was heard of");
        assert!(attempt().is_err(), "the new lock holds");
        // The old holder comes back, and leaves what is no longer its own.
        let long_ago = Instant::now().checked_sub(SILENT).expect("the machine is up for minutes");
        drop(Lock { file: Some(Arc::new(dead)), path: path.clone(), since: long_ago });
        assert!(path.exists());
        drop(own);
        assert!(!path.exists());
    }
}
