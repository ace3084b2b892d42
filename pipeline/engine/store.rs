//! Stages by key, shared by all runs below one folder.

use super::lock::Lock;
use super::record::{RECORD, StageRecord, StoredFile};
use super::{StageOutput, memory};
use crate::files::{self, fingerprint};
use crate::{Error, Result, notation};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock};
use std::time::Instant;

/// Name of the store's folder below that of the runs.
pub const FOLDER: &str = ".store";

/// The file that says what a stage in the store made.
const STAGE: &str = "stage.ron";

/// The store of the runs below one folder.
///
/// ```text
/// .store/<first two of the key>/<key>/   the files of a stage, and stage.ron
/// .store/resume/<key>/                   checkpoints of a stage that is being made
/// .store/building/                       stages that are being made
/// .store/locks/                          who works on which folder, who makes which stage
/// ```
///
/// With a node's own disk to work on ([`work_on`]), stages are made there, read there by the stages that follow, and copied
/// into the store when they are done: a shared file system is asked for half as much.
#[derive(Clone, Debug)]
pub struct Store {
    root: PathBuf,
}

static SCRATCH: OnceLock<PathBuf> = OnceLock::new();

/// Makes stages in a folder of this process's own below `disk`, which only this machine sees; the first call counts.
///
/// # Errors
/// [`Error::Io`] if nothing can be written there.
pub fn work_on(disk: &Path) -> Result<Scratch> {
    let named = |process: &str| format!("accrue-{}-{process}", host_letters());
    let own = disk.join(named(&std::process::id().to_string()));
    // What killed processes left there.
    for left in folders(disk).unwrap_or_default() {
        let name = left.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Some(process) = name.strip_prefix(&named(""))
            && Path::new("/proc/self").exists()
            && !Path::new("/proc").join(process).exists()
        {
            let _ = std::fs::remove_dir_all(left);
        }
    }
    std::fs::create_dir_all(&own).map_err(Error::io(&own))?;
    SCRATCH.get_or_init(|| own.clone());
    Ok(Scratch { _folder: Gone(own) })
}

/// The folder that stages are made in, removed when it is dropped.
pub struct Scratch {
    _folder: Gone,
}

/// Where a stage works.
pub struct Workspace {
    folder: PathBuf,
    resume: PathBuf,
    key: String,
}

impl Workspace {
    /// The folder it reads from and writes to: it holds the files of the stages it declared.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A file that outlives the process, until the stage is done.
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.resume.join(name)
    }

    /// The stage's key.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// What [`Store::prune`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Stages that no run holds.
    pub stages: usize,
    /// Their bytes.
    pub bytes: u64,
}

/// Files whose hash was found right, by what changes when their content does.
static VERIFIED: LazyLock<Mutex<HashMap<Identity, String>>> = LazyLock::new(Mutex::default);

/// Device, inode, size, and times of the last changes of content and of state, ns.
type Identity = (u64, u64, u64, i128, i128);

#[cfg(unix)]
fn identity(about: &std::fs::Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let time = |s: i64, ns: i64| s as i128 * 1_000_000_000 + ns as i128;
    Some((
        about.dev(),
        about.ino(),
        about.len(),
        time(about.mtime(), about.mtime_nsec()),
        time(about.ctime(), about.ctime_nsec()),
    ))
}

#[cfg(not(unix))]
fn identity(_: &std::fs::Metadata) -> Option<Identity> {
    None
}

/// Whether the file below `folder` is the one that was recorded, to the last bit.
pub(super) fn is_intact(folder: &Path, file: &StoredFile) -> bool {
    let path = folder.join(&file.path);
    let Ok(about) = std::fs::symlink_metadata(&path) else { return false };
    if !about.is_file() || about.len() != file.bytes {
        return false;
    }
    let identity = identity(&about);
    let known = |i: &Identity| VERIFIED.lock().expect("no reader panics").get(i).cloned();
    if let Some(hash) = identity.as_ref().and_then(known) {
        return hash == file.sha256;
    }
    let Ok((_, hash)) = fingerprint(&path) else { return false };
    let intact = hash == file.sha256;
    if let Some(identity) = identity {
        VERIFIED.lock().expect("no reader panics").insert(identity, hash);
    }
    intact
}

static PLACES: AtomicUsize = AtomicUsize::new(0);

/// This machine in six letters: process numbers are its own.
fn host_letters() -> &'static str {
    static LETTERS: LazyLock<String> =
        LazyLock::new(|| files::hash(&super::lock::host())[..6].to_string());
    &LETTERS
}

impl Store {
    /// The store of the runs below `out`; nothing is written yet.
    pub fn of(out: &Path) -> Self {
        Self { root: out.join(FOLDER) }
    }

    fn place(&self, key: &str) -> PathBuf {
        self.root.join(&key[..2]).join(key)
    }

    /// A file that outlives the process until the stage of that key is done.
    pub(super) fn checkpoint(&self, key: &str, name: &str) -> PathBuf {
        self.root.join("resume").join(key).join(name)
    }

    /// The file that is locked while `what` is worked on.
    pub(super) fn lock(&self, what: &str) -> PathBuf {
        self.root.join("locks").join(what)
    }

    /// A stage of that key whose files are intact, from the store.
    pub fn get(&self, key: &str) -> Option<StageRecord> {
        let place = self.place(key);
        let path = place.join(STAGE);
        let text = std::fs::read_to_string(&path).ok()?;
        let record: Option<StageRecord> = notation::options().from_str(&text).ok();
        let shown = path.display().to_string();
        let record = record.filter(|r| r.key == key && r.check(&shown).is_ok());
        if let Some(record) = record
            && record.files.iter().all(|file| is_intact(&place, file))
        {
            return Some(record);
        }
        None
    }

    /// A stage from the store, or made by `work`; also whether it was made just now.
    ///
    /// Of processes that ask for one stage at once, one makes it and the others wait.
    ///
    /// * `inputs`: the stages it reads, whose files it finds in its folder
    /// * `again`: makes it although it is there
    ///
    /// # Errors
    /// What `work` returns; [`Error::Io`] if the folder cannot be written to.
    pub fn make(
        &self,
        name: &str,
        key: &str,
        inputs: &[&StageRecord],
        device: &str,
        again: bool,
        work: impl FnOnce(&Workspace) -> Result<StageOutput>,
    ) -> Result<(StageRecord, bool)> {
        if !again && let Some(record) = self.get(key) {
            return Ok((record, false));
        }
        let _lock = Lock::wait(&self.lock(key))?;
        // Another process may have made it meanwhile.
        if !again && let Some(record) = self.get(key) {
            return Ok((record, false));
        }
        let number = PLACES.fetch_add(1, Ordering::Relaxed);
        let building = self.root.join("building");
        let maker = format!("{key}.{}.{}.{number}", host_letters(), std::process::id());
        let scratch = SCRATCH.get();
        let own = scratch.unwrap_or(&building).join(&maker);
        let workspace =
            Workspace { folder: own.clone(), resume: self.checkpoint(key, ""), key: key.into() };
        std::fs::create_dir_all(&own).map_err(Error::io(&own))?;
        let _gone = Gone(own.clone());
        for input in inputs {
            for file in &input.files {
                let from = match scratch {
                    Some(disk) => self.brought(disk, &input.key, file)?,
                    None => self.place(&input.key).join(&file.path),
                };
                // Nobody else knows this folder: no name for the time of writing is needed.
                linked(&from, &own.join(&file.path))?;
            }
        }
        memory::restart_peak();
        let begin = Instant::now();
        let StageOutput { files, numbers, texts } = work(&workspace)?;
        let seconds = begin.elapsed().as_secs_f64();
        let done = building.join(format!("{maker}.done"));
        let _gone = Gone(done.clone());
        let mut stored = Vec::with_capacity(files.len());
        for path in files {
            let (mut from, to) = (own.join(&path), done.join(&path));
            if let Some(disk) = scratch {
                // Here it stays for the stages that read it.
                let kept = disk.join(key).join(&path);
                within(&kept, || std::fs::rename(&from, &kept)).map_err(Error::io(&from))?;
                copied(&kept, &to)?;
                from = kept;
            } else {
                within(&to, || std::fs::rename(&from, &to)).map_err(Error::io(&from))?;
                from = to.clone();
            }
            protect(&to);
            let (bytes, sha256) = fingerprint(&from)?;
            stored.push(StoredFile { path, bytes, sha256 });
        }
        let record = StageRecord {
            name: name.into(),
            key: key.into(),
            reads: inputs.iter().map(|i| (i.name.clone(), i.key.clone())).collect(),
            seconds,
            peak_bytes: memory::peak(),
            device: device.into(),
            files: stored,
            numbers,
            texts,
        };
        record.check(&done.display().to_string())?;
        files::replace(&done.join(STAGE), notation::to_ron(&record).as_bytes())?;
        let place = self.place(key);
        let mut appeared = within(&place, || std::fs::rename(&done, &place));
        if appeared.is_err() && place.exists() {
            // Where nothing can be locked another node may have made it meanwhile: the same bits, which others read.
            if !again && let Some(record) = self.get(key) {
                return Ok((record, false));
            }
            // Only one that is made again, or damaged, is in the way.
            let _ = std::fs::remove_dir_all(&place);
            appeared = std::fs::rename(&done, &place);
        }
        appeared.map_err(Error::io(&place))?;
        let _ = std::fs::remove_dir_all(&workspace.resume);
        Ok((record, true))
    }

    /// A file of a stage on this machine's own disk: from the store, where it was not made here.
    fn brought(&self, disk: &Path, key: &str, file: &StoredFile) -> Result<PathBuf> {
        let (from, to) = (self.place(key).join(&file.path), disk.join(key).join(&file.path));
        if !to.is_file() {
            // Cases side by side may bring the same file: it appears whole.
            let partial = files::partial(&to);
            copied(&from, &partial)?;
            std::fs::rename(&partial, &to).map_err(Error::io(&to))?;
        }
        Ok(to)
    }

    /// Brings a stage that stands in a run's folder back into the store, where it was pruned from.
    ///
    /// # Errors
    /// [`Error::Io`] if the store cannot be written to.
    pub(super) fn adopt(&self, record: &StageRecord, folder: &Path) -> Result<()> {
        let place = self.place(&record.key);
        if place.join(STAGE).is_file() {
            return Ok(());
        }
        let _lock = Lock::wait(&self.lock(&record.key))?;
        if place.join(STAGE).is_file() {
            return Ok(());
        }
        for file in &record.files {
            link(&folder.join(&file.path), &place.join(&file.path))?;
        }
        files::replace(&place.join(STAGE), notation::to_ron(record).as_bytes())
    }

    /// Removes what killed processes of this machine left: stages half made, checkpoints half written, and checkpoints
    /// of stages that are done. Once a process: a thousand nodes that looked at each other's work before every network would
    /// ask the file system for little else.
    pub(super) fn tidy(&self) {
        static TIDIED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());
        {
            let mut tidied = TIDIED.lock().expect("nobody panics with the lock held");
            if tidied.contains(&self.root) {
                return;
            }
            tidied.push(self.root.clone());
        }
        self.sweep(&self.root.join("building"), false);
        for place in folders(&self.root.join("resume")).unwrap_or_default() {
            files::sweep(&place);
            let key = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let done = key.len() > 2 && self.place(&key).join(STAGE).is_file();
            // Whoever makes it again goes on from its checkpoint.
            if done && let Ok(Ok(_free)) = Lock::attempt(&self.lock(&key)) {
                let _ = std::fs::remove_dir_all(&place);
            }
        }
    }

    /// Removes what processes that are gone left half made: those of this machine, or of every one.
    fn sweep(&self, building: &Path, everywhere: bool) {
        let Ok(entries) = std::fs::read_dir(building) else { return };
        let own = host_letters();
        for entry in entries.filter_map(|e| e.ok()) {
            let name = entry.file_name().to_string_lossy().into_owned();
            let mut parts = name.split('.');
            let (key, host) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            // Whoever makes a stage holds its lock; on another machine that lock may be out of sight.
            if !key.is_empty()
                && (everywhere || host == own)
                && let Ok(Ok(_free)) = Lock::attempt(&self.lock(key))
            {
                let _ = std::fs::remove_dir_all(entry.path());
            }
        }
    }

    /// Links a stage's files into a folder, each by rename; files that are there already stay.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be written to.
    pub fn lay_out(&self, record: &StageRecord, folder: &Path) -> Result<()> {
        let place = self.place(&record.key);
        for file in &record.files {
            let (from, to) = (place.join(&file.path), folder.join(&file.path));
            // Most often nothing is there, and a link appears whole.
            if within(&to, || std::fs::hard_link(&from, &to)).is_err() && !is_intact(folder, file) {
                link(&from, &to)?;
            }
        }
        Ok(())
    }

    /// Removes the stages that no run below the store's folder holds, and what was left half made.
    ///
    /// * `dry`: only counts them
    ///
    /// # Errors
    /// [`Error::Io`] if the folders cannot be read.
    pub fn prune(&self, dry: bool) -> Result<Pruned> {
        let out = self.root.parent().unwrap_or(&self.root);
        let mut held = HashSet::new();
        records(out, &self.root, &mut |path| {
            let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
            let stages = super::record::stages_of(&path.display().to_string(), &text)?;
            held.extend(stages.into_iter().map(|s| s.key));
            Ok(())
        })?;
        let mut pruned = Pruned::default();
        for shelf in folders(&self.root)? {
            let name = shelf.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if name.len() != 2 {
                continue;
            }
            for place in folders(&shelf)? {
                let key = place.file_name().unwrap_or_default().to_string_lossy().into_owned();
                if held.contains(&key) {
                    continue;
                }
                pruned.stages += 1;
                pruned.bytes += size(&place);
                if !dry {
                    std::fs::remove_dir_all(&place).map_err(Error::io(&place))?;
                }
            }
        }
        if !dry {
            self.sweep(&self.root.join("building"), true);
        }
        Ok(pruned)
    }
}

/// Puts the file `from` at `to` too, by rename.
fn link(from: &Path, to: &Path) -> Result<()> {
    let partial = files::partial(to);
    linked(from, &partial)?;
    std::fs::rename(&partial, to).map_err(Error::io(to))?;
    // Renaming one link of a file over another one leaves both.
    let _ = std::fs::remove_file(&partial);
    Ok(())
}

/// Puts the file `from` at `to` too, which nobody else writes to.
fn linked(from: &Path, to: &Path) -> Result<()> {
    match within(to, || std::fs::hard_link(from, to)) {
        Ok(()) => return Ok(()),
        // Never into a file that is there: it may be a link of another one.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
            std::fs::remove_file(to).map_err(Error::io(to))?;
            if std::fs::hard_link(from, to).is_ok() {
                return Ok(());
            }
        }
        Err(_) => {}
    }
    // A file system without hard links gets copies.
    std::fs::copy(from, to).map(|_| ()).map_err(Error::io(from))
}

/// Copies a file to where nothing is, for good.
fn copied(from: &Path, to: &Path) -> Result<()> {
    let mut read = std::fs::File::open(from).map_err(Error::io(from))?;
    let mut write = within(to, || std::fs::File::create_new(to)).map_err(Error::io(to))?;
    std::io::copy(&mut read, &mut write).map_err(Error::io(to))?;
    write.sync_all().map_err(Error::io(to))
}

/// Does what puts a file at `to`; makes its folder where that is missing. Most often it is there: one call of the file
/// system in place of three, and of these a network makes some hundreds.
fn within<T>(to: &Path, put: impl Fn() -> std::io::Result<T>) -> std::io::Result<T> {
    match (put(), to.parent()) {
        (Err(e), Some(folder)) if e.kind() == std::io::ErrorKind::NotFound => {
            std::fs::create_dir_all(folder)?;
            put()
        }
        (done, _) => done,
    }
}

/// Files of a stage are read by many runs: nobody writes into them by accident.
fn protect(path: &Path) {
    if let Ok(about) = std::fs::metadata(path) {
        let mut mode = about.permissions();
        mode.set_readonly(true);
        let _ = std::fs::set_permissions(path, mode);
    }
}

/// Removes a folder when it is dropped.
struct Gone(PathBuf);

impl Drop for Gone {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Every record below a folder, the store left out.
fn records(folder: &Path, store: &Path, each: &mut dyn FnMut(&Path) -> Result<()>) -> Result<()> {
    let record = folder.join(RECORD);
    if record.is_file() {
        each(&record)?;
    }
    for below in folders(folder)?.into_iter().filter(|f| f != store) {
        records(&below, store, each)?;
    }
    Ok(())
}

/// Folders directly below one; none where it is not there.
fn folders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io(folder)(e)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io(folder))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries
        .filter_map(|e| e.ok())
        .map(|entry| match entry.metadata() {
            Ok(about) if about.is_dir() => size(&entry.path()),
            Ok(about) => about.len(),
            Err(_) => 0,
        })
        .sum()
}
