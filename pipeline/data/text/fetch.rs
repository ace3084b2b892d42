//! From the network to `data/NAME/{train,validation,test}.parquet`.
//!
//! Files of the Hugging Face Hub come through its own client, which keeps them
//! in the cache it shares with other programs; archives are read here. A broken
//! transfer goes on where it stopped. Size and SHA-256 of everything that was
//! read and made are written to `data/NAME/lock.ron` the first time and
//! enforced from then on.

use super::catalogue::{Columns, Entry, Origin};
use super::frames::Frames;
use crate::files::{fingerprint, replace};
use crate::{Error, Result, notation};
use hf_hub::api::sync::{Api, ApiBuilder, ApiError};
use hf_hub::{Cache, Repo, RepoType};
use polars::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Most bytes of it.
const LARGEST_LOCK: u64 = 4 << 20;
/// Name of the file that records sizes and checksums.
pub const LOCK: &str = "lock.ron";
/// Times a broken transfer is taken up again before it is given up for now.
const RETRIES: usize = 3;

/// Where the Hub is and who asks.
#[derive(Clone, Debug, Default)]
pub struct Hub {
    /// Address; `None`: the Hub's own.
    pub endpoint: Option<String>,
    /// Access token for gated repositories.
    pub token: Option<String>,
    /// Cache shared with other programs; `None`: the Hub's usual folder.
    pub cache: Option<PathBuf>,
}

impl Hub {
    /// As the environment has it: `HF_ENDPOINT`, `HF_TOKEN`, `HF_HUB_CACHE`
    /// (else `HF_HOME`).
    pub fn from_env() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        Self {
            endpoint: set("HF_ENDPOINT"),
            token: set("HF_TOKEN"),
            cache: set("HF_HUB_CACHE").map(PathBuf::from),
        }
    }

    fn cache(&self) -> Cache {
        self.cache.clone().map_or_else(Cache::from_env, Cache::new)
    }

    fn api(&self) -> Result<Api, ApiError> {
        let mut builder = ApiBuilder::from_cache(self.cache()).with_retries(RETRIES);
        if let Some(endpoint) = &self.endpoint {
            builder = builder.with_endpoint(endpoint.clone());
        }
        if let Some(token) = &self.token {
            builder = builder.with_token(Some(token.clone()));
        }
        builder.with_user_agent("accrue", env!("CARGO_PKG_VERSION")).build()
    }
}

/// Who is told how a transfer goes.
pub trait Watch {
    /// A file of `bytes` begins, or goes on; 0 where the size is unknown.
    fn begin(&mut self, file: &str, bytes: u64);
    /// More bytes are here (those of an earlier attempt included).
    fn advance(&mut self, bytes: u64);
    /// The file is here.
    fn end(&mut self);
}

impl Watch for () {
    fn begin(&mut self, _: &str, _: u64) {}
    fn advance(&mut self, _: u64) {}
    fn end(&mut self) {}
}

/// Size and checksum of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recorded {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// What [`LOCK`] says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// Files that were read, by their name at the source.
    pub sources: BTreeMap<String, Recorded>,
    /// Files that were made of them, by their name in the folder.
    pub made: BTreeMap<String, Recorded>,
}

/// What a fetch found or did.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// Files of the corpus, with the rows of those that were made now.
    pub files: Vec<(PathBuf, Option<usize>)>,
    /// Whether everything was here already, and as recorded.
    pub in_place: bool,
    /// Where the number of rows is not what the catalogue expects, in sentences.
    pub notes: Vec<String>,
}

/// Brings a corpus into the data folder, or checks that it is there unchanged.
///
/// # Errors
/// [`Error::Fetch`] where the network or the server fails, with the files to
/// place by hand; [`Error::Checksum`] where a file is not the recorded one;
/// [`Error::Input`] where a source is not what the catalogue says; files that
/// are in place stay untouched in every case.
pub fn fetch(entry: &Entry, data: &Path, hub: &Hub, watch: &mut dyn Watch) -> Result<Fetched> {
    let folder = data.join(&entry.name);
    let mut lock = read_lock(&folder)?;
    let files: Vec<PathBuf> = entry.files(data).into_iter().map(|(_, path)| path).collect();
    if files.iter().all(|f| f.is_file()) {
        return in_place(entry, data, lock, files);
    }
    std::fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
    let tables = match &entry.source {
        Origin::Hub { files, columns, .. } => {
            let local = from_hub(entry, data, hub, &mut lock, watch)?;
            let mut tables = Vec::new();
            for (split, names) in files {
                let files: Vec<(&Path, &Path)> =
                    names.iter().map(|n| (local[n].as_path(), Path::new(n))).collect();
                tables.push((split.clone(), table(entry, &files, columns.as_ref())?));
            }
            tables
        }
        Origin::Archive { url, splits, number } => {
            let path = from_archive(entry, data, url, &mut lock, watch)?;
            let tables = unpack(entry, &path, splits, number.as_deref())?;
            // It is large, and everything in it is in the tables.
            let _ = std::fs::remove_file(&path);
            tables
        }
    };
    let (mut made, mut notes) = (Vec::new(), Vec::new());
    lock.made.clear();
    for (split, mut frame) in tables {
        let path = folder.join(format!("{split}.parquet"));
        let rows = frame.height();
        if let Some((_, expected)) = entry.rows.iter().find(|(s, r)| *s == split && *r != rows) {
            notes.push(format!("{}: {rows} rows, expected {expected}", path.display()));
        }
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Zstd(None))
            .finish(&mut frame)
            .map_err(Error::polars(&path))?;
        replace(&path, &bytes)?;
        lock.made.insert(format!("{split}.parquet"), recorded(&path)?);
        made.push((path, Some(rows)));
    }
    replace(&folder.join(LOCK), notation::to_ron(&lock).as_bytes())?;
    Ok(Fetched { files: made, in_place: false, notes })
}

/// Checks files that are all there; those placed by hand are looked at and recorded.
fn in_place(entry: &Entry, data: &Path, mut lock: Lock, files: Vec<PathBuf>) -> Result<Fetched> {
    let by_hand = lock.made.is_empty();
    for path in &files {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        check(&mut lock.made, &name, path, "remove it and fetch the corpus again")?;
        if !by_hand {
            continue;
        }
        let there = Frames::open(path, path)?.names;
        if let Some(column) = entry.text.iter().chain([&entry.label]).find(|c| !there.contains(c)) {
            let problem = format!("no column `{column}`");
            return Err(Error::input(path.display(), "", problem, entry.by_hand(data)));
        }
    }
    let mut notes = Vec::new();
    if by_hand {
        let at = data.join(&entry.name).join(LOCK);
        notes.push(match replace(&at, notation::to_ron(&lock).as_bytes()) {
            Ok(()) => format!("placed by hand: recorded in {} as they are", at.display()),
            Err(e) => format!("placed by hand, and not recorded: {e}"),
        });
    }
    let files = files.into_iter().map(|f| (f, None)).collect();
    Ok(Fetched { files, in_place: true, notes })
}

fn read_lock(folder: &Path) -> Result<Lock> {
    let path = folder.join(LOCK);
    if !path.exists() {
        return Ok(Lock::default());
    }
    notation::parse(&path.display().to_string(), &crate::files::text(&path, LARGEST_LOCK)?)
}

/// Size and SHA-256 of a file.
fn recorded(path: &Path) -> Result<Recorded> {
    let (bytes, sha256) = fingerprint(path)?;
    Ok(Recorded { bytes, sha256 })
}

/// Enforces what is recorded under `name`, or records it.
fn check(
    records: &mut BTreeMap<String, Recorded>,
    name: &str,
    path: &Path,
    remedy: &str,
) -> Result<()> {
    let found = recorded(path)?;
    let Some(expected) = records.get(name) else {
        records.insert(name.into(), found);
        return Ok(());
    };
    let differs = |what, found: String, expected: String| Error::Checksum {
        file: path.display().to_string(),
        what,
        found,
        expected,
        remedy: remedy.into(),
    };
    if found.bytes != expected.bytes {
        let (found, expected) = (found.bytes.to_string(), expected.bytes.to_string());
        return Err(differs("size", format!("{found} bytes"), expected));
    }
    if found.sha256 != expected.sha256 {
        return Err(differs("sha256", found.sha256, expected.sha256.clone()));
    }
    Ok(())
}

/// What to do where the source is not what it was.
fn changed(folder: &Path) -> String {
    let lock = folder.join(LOCK);
    format!("fetch again; if the source itself has changed, remove {} to accept it", lock.display())
}

/// Files of the Hub in the shared cache, by their name in the repository.
fn from_hub(
    entry: &Entry,
    data: &Path,
    hub: &Hub,
    lock: &mut Lock,
    watch: &mut dyn Watch,
) -> Result<BTreeMap<String, PathBuf>> {
    let Origin::Hub { repository, revision, files, .. } = &entry.source else {
        panic!("the caller has matched a source on the Hub");
    };
    let repo = Repo::with_revision(repository.clone(), RepoType::Dataset, revision.clone());
    let by_hand = entry.by_hand(data);
    let mut local = BTreeMap::new();
    for name in files.iter().flat_map(|(_, names)| names) {
        let path = one_file(hub, &repo, name, &by_hand, watch)?;
        check(&mut lock.sources, name, &path, &changed(&data.join(&entry.name)))?;
        local.insert(name.clone(), path);
    }
    Ok(local)
}

/// Brings files of a model on the Hub into a folder, each under its own name;
/// those that are there stay as they are.
///
/// # Errors
/// [`Error::Fetch`] where the network or the server fails, with the files to
/// place by hand; [`Error::Checksum`] where a transfer was damaged.
pub fn model(
    repository: &str,
    names: &[&str],
    folder: &Path,
    hub: &Hub,
    watch: &mut dyn Watch,
) -> Result<()> {
    let repo = Repo::new(repository.into(), RepoType::Model);
    let by_hand = format!("place {} in {}", names.join(", "), folder.display());
    std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    for name in names {
        let to = folder.join(name);
        if !to.is_file() {
            let from = one_file(hub, &repo, name, &by_hand, watch)?;
            let part = to.with_extension("part");
            std::fs::copy(&from, &part).map_err(Error::io(&part))?;
            std::fs::rename(&part, &to).map_err(Error::io(&to))?;
        }
    }
    Ok(())
}

/// One file of the Hub in the shared cache, whole.
fn one_file(
    hub: &Hub,
    repo: &Repo,
    name: &str,
    by_hand: &str,
    watch: &mut dyn Watch,
) -> Result<PathBuf> {
    let failed = |url: &str, e: ApiError| Error::Fetch {
        url: url.into(),
        problem: said(&e),
        remedy: format!("{}, or {by_hand}", remedy(&e)),
    };
    let api = hub.api().map_err(|e| failed(&repo.url(), e))?;
    let remote = api.repo(repo.clone());
    let url = remote.url(name);
    let metadata = api.metadata(&url).map_err(|e| failed(&url, e))?;
    let size = metadata.size() as u64;
    // A part that is whole, or too long, cannot be gone on with.
    let blob = hub.cache().repo(repo.clone()).blob_path(metadata.etag());
    let part = blob.with_extension("part");
    if std::fs::metadata(&part).is_ok_and(|m| m.len() >= size) {
        std::fs::remove_file(&part).map_err(Error::io(&part))?;
    }
    let here = std::fs::metadata(&blob).is_ok_and(|m| m.len() == size);
    let path = if here {
        blob
    } else {
        let progress = Progress { watch: &mut *watch };
        remote.download_with_progress(name, progress).map_err(|e| failed(&url, e))?
    };
    let found = recorded(&path)?;
    // The Hub names large files by their SHA-256.
    let etag = metadata.etag();
    let named = etag.len() == 64 && etag.bytes().all(|b| b.is_ascii_hexdigit());
    let wrong = if found.bytes != size {
        Some(("size", format!("{} bytes", found.bytes), size.to_string()))
    } else {
        (named && found.sha256 != etag).then(|| ("sha256", found.sha256, etag.to_string()))
    };
    if let Some((what, found, expected)) = wrong {
        // What is damaged is not kept, so that the next attempt starts anew.
        let _ = std::fs::canonicalize(&path).map(std::fs::remove_file);
        let _ = std::fs::remove_file(&path);
        let remedy = format!("the transfer was damaged: fetch again, or {by_hand}");
        return Err(Error::Checksum { file: url, what, found, expected, remedy });
    }
    Ok(path)
}

/// What went wrong, for people.
fn said(error: &ApiError) -> String {
    match error {
        ApiError::RequestError(e) => match e.as_ref() {
            ureq::Error::StatusCode(404) => "not found (404)".into(),
            ureq::Error::StatusCode(code) => format!("the server refused ({code})"),
            other => format!("no answer ({other})"),
        },
        ApiError::TooManyRetries(last) => {
            format!("given up after {RETRIES} retries: {}", said(last))
        }
        ApiError::IoError(e) => format!("the transfer broke ({e})"),
        other => other.to_string(),
    }
}

fn remedy(error: &ApiError) -> &'static str {
    match error {
        ApiError::RequestError(e) => match e.as_ref() {
            ureq::Error::StatusCode(401 | 403) => "set HF_TOKEN to a token that may read it",
            ureq::Error::StatusCode(404) => "check the catalogue's repository and revision",
            _ => "check the network and HF_ENDPOINT",
        },
        ApiError::LockAcquisition(_) => "wait for the other fetch of this file to end",
        _ => "fetch again: it goes on where it stopped",
    }
}

/// Hands the Hub client's progress on.
struct Progress<'a> {
    watch: &'a mut dyn Watch,
}

impl hf_hub::api::Progress for Progress<'_> {
    fn init(&mut self, size: usize, filename: &str) {
        self.watch.begin(filename, size as u64);
    }
    fn update(&mut self, size: usize) {
        self.watch.advance(size as u64);
    }
    fn finish(&mut self) {
        self.watch.end();
    }
}

/// The archive beside the corpus, whole and as recorded.
fn from_archive(
    entry: &Entry,
    data: &Path,
    url: &str,
    lock: &mut Lock,
    watch: &mut dyn Watch,
) -> Result<PathBuf> {
    let folder = data.join(&entry.name);
    let name = url.rsplit('/').next().unwrap_or("archive.tar.gz").to_string();
    let (path, part) = (folder.join(&name), folder.join(format!("{name}.part")));
    let mut broken = None;
    for _ in 0..=RETRIES {
        match transfer(url, &part, &name, watch) {
            Ok(()) => {
                broken = None;
                break;
            }
            Err(e) => {
                let again = !matches!(e, ureq::Error::StatusCode(400..500));
                broken = Some(e);
                if !again {
                    break;
                }
            }
        }
    }
    if let Some(e) = broken {
        let problem = match &e {
            ureq::Error::StatusCode(404) => "not found (404)".into(),
            ureq::Error::StatusCode(code) => format!("the server refused ({code})"),
            other => format!("no answer, or the transfer broke ({other})"),
        };
        let by_hand = entry.by_hand(data);
        let remedy = format!("fetch again: it goes on where it stopped; or {by_hand}");
        return Err(Error::Fetch { url: url.into(), problem, remedy });
    }
    let checked = check(&mut lock.sources, &name, &part, &changed(&folder));
    if checked.is_err() {
        // Whatever it is, it cannot be gone on with.
        let _ = std::fs::remove_file(&part);
    }
    checked?;
    std::fs::rename(&part, &path).map_err(Error::io(&path))?;
    Ok(path)
}

/// Appends what is missing of `url` to `part`.
fn transfer(
    url: &str,
    part: &Path,
    name: &str,
    watch: &mut dyn Watch,
) -> std::result::Result<(), ureq::Error> {
    let mut have = std::fs::metadata(part).map_or(0, |m| m.len());
    let mut request = ureq::get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let response = match request.call() {
        // Nothing is missing: the part is the whole file.
        Err(ureq::Error::StatusCode(416)) => return Ok(()),
        other => other?,
    };
    let goes_on = response.status() == 206;
    if !goes_on {
        have = 0;
    }
    let length = response.headers().get("content-length");
    let rest: Option<u64> = length.and_then(|l| l.to_str().ok()?.parse().ok());
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(goes_on)
        .write(true)
        .truncate(!goes_on)
        .open(part)?;
    watch.begin(name, rest.map_or(0, |r| have + r));
    watch.advance(have);
    let mut body = response.into_body().into_reader();
    let mut block = vec![0; 1 << 16];
    let mut received = 0;
    loop {
        let read = body.read(&mut block)?;
        if read == 0 {
            break;
        }
        file.write_all(&block[..read])?;
        received += read as u64;
        watch.advance(read as u64);
    }
    if rest.is_some_and(|r| received < r) {
        return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
    }
    watch.end();
    Ok(())
}

/// One split of the Hub's files (where they lie, what they are called), in the
/// entry's columns.
fn table(entry: &Entry, files: &[(&Path, &Path)], columns: Option<&Columns>) -> Result<DataFrame> {
    let mut all: Option<DataFrame> = None;
    for (path, name) in files {
        let failed = |e| Error::polars(path)(e);
        let own = Columns { text: entry.text.clone(), label: entry.label.clone(), first: 0 };
        let from = columns.unwrap_or(&own);
        let frames = Frames::open(path, name)?;
        let names = from.text.iter().chain([&from.label]).chain(&entry.columns);
        let names: Vec<&str> = names.map(String::as_str).collect();
        if let Some(missing) = names.iter().find(|n| !frames.names.iter().any(|p| p == *n)) {
            let problem = format!("no column `{missing}`; there are {}", frames.names.join(", "));
            let remedy = format!("put the right columns of `{}` into corpora.ron", entry.name);
            return Err(Error::input(path.display(), "", problem, remedy));
        }
        let frame = frames.whole(&names)?;
        let column = |name: &str| frame.column(name).cloned();
        let mut wanted: Vec<Column> = match columns {
            None => entry.text.iter().map(|c| column(c)).collect::<PolarsResult<_>>(),
            Some(_) => joined(&frame, &from.text, &entry.text[0]).map(|text| vec![text]),
        }
        .map_err(failed)?;
        let label = column(&from.label).map_err(failed)?;
        let label = if from.first == 0 { label } else { label - from.first };
        wanted.push(label.with_name(entry.label.as_str().into()));
        for name in &entry.columns {
            wanted.push(column(name).map_err(failed)?);
        }
        let frame = DataFrame::new_infer_height(wanted).map_err(failed)?;
        match &mut all {
            Some(all) => all.vstack_mut_owned(frame).map_err(failed)?,
            None => {
                all = Some(frame);
                continue;
            }
        };
    }
    all.ok_or_else(|| Error::input(&entry.name, "", "a split without files", "name its files"))
}

/// The columns `pieces` in one called `name`, with blanks between them; a missing text is an empty one.
fn joined(frame: &DataFrame, pieces: &[String], name: &str) -> PolarsResult<Column> {
    let mut all = vec![String::new(); frame.height()];
    for (i, piece) in pieces.iter().enumerate() {
        let strings = frame.column(piece)?.cast(&DataType::String)?;
        for (text, piece) in all.iter_mut().zip(strings.str()?.iter()) {
            if i > 0 {
                text.push(' ');
            }
            text.push_str(piece.unwrap_or_default());
        }
    }
    Ok(Column::new(name.into(), all))
}

/// One text of an archive.
struct Text {
    place: String,
    text: String,
    label: i64,
    number: i64,
}

/// How many times its size an archive may have unpacked, and what it may have in any case, in bytes.
const MOST_GROWTH: u64 = 50;
const LEAST_UNPACKED: u64 = 64 << 20;
const MOST_UNPACKED: u64 = 16 << 30;

/// What is unpacked, up to a limit.
struct Limited<R> {
    inner: R,
    /// Bytes of the archive.
    packed: u64,
    most: u64,
    read: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(into)?;
        self.read += read as u64;
        if self.read > self.most {
            let problem = format!(
                "{} bytes that unpack to more than {}: {MOST_GROWTH} times as many, and at least {LEAST_UNPACKED} and \
                 at most {MOST_UNPACKED} bytes, are the limit",
                self.packed, self.most
            );
            return Err(std::io::Error::new(std::io::ErrorKind::FileTooLarge, problem));
        }
        Ok(read)
    }
}

/// Texts of an archive by split, in the order of their names.
fn unpack(
    entry: &Entry,
    path: &Path,
    splits: &[(String, String)],
    number: Option<&str>,
) -> Result<Vec<(String, DataFrame)>> {
    let damaged = |e: std::io::Error| {
        let remedy = match e.kind() {
            std::io::ErrorKind::FileTooLarge => {
                format!(
                    "look what {} holds; unpack a larger corpus yourself: {}",
                    entry.address(),
                    entry.by_hand(Path::new(""))
                )
            }
            _ => format!("the archive is damaged: remove {} and fetch again", path.display()),
        };
        Error::input(path.display(), "", e, remedy)
    };
    let (file, size) = crate::files::open(path)?;
    // Text becomes a third or a quarter when it is packed; one that grows a hundredfold is no corpus.
    let most = size.saturating_mul(MOST_GROWTH).clamp(LEAST_UNPACKED, MOST_UNPACKED);
    let unpacked = flate2::read::GzDecoder::new(std::io::BufReader::new(file));
    let mut archive = tar::Archive::new(Limited { inner: unpacked, packed: size, most, read: 0 });
    let mut found: BTreeMap<&str, Vec<Text>> = BTreeMap::new();
    for member in archive.entries().map_err(damaged)? {
        let mut member = member.map_err(damaged)?;
        let place = member.path().map_err(damaged)?.to_string_lossy().into_owned();
        let within = splits.iter().find_map(|(split, folder)| {
            let inner = place.strip_prefix("./").unwrap_or(&place).strip_prefix(folder.as_str())?;
            Some((split.as_str(), inner.strip_prefix('/')?.split_once('/')?))
        });
        let Some((split, (label, name))) =
            within.filter(|_| member.header().entry_type().is_file())
        else {
            continue;
        };
        // Folders that are no label (the unlabelled reviews) are left out.
        let Some(label) = entry.names.iter().position(|n| n == label) else { continue };
        let mut bytes = Vec::new();
        member.read_to_end(&mut bytes).map_err(damaged)?;
        // Old posts are Latin-1, whose bytes are the first 256 code points.
        let text = String::from_utf8(bytes)
            .unwrap_or_else(|e| e.into_bytes().iter().map(|&b| b as char).collect());
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let number = match number {
            None => 0,
            Some(column) => {
                let value = stem.rsplit_once('_').and_then(|(_, n)| n.parse().ok());
                value.ok_or_else(|| {
                    let problem = format!("no number for column `{column}` in its name");
                    Error::input(&place, "", problem, "expected ID_NUMBER.txt")
                })?
            }
        };
        found.entry(split).or_default().push(Text { place, text, label: label as i64, number });
    }
    let mut tables = Vec::new();
    for (split, folder) in splits {
        let mut texts = found.remove(split.as_str()).unwrap_or_default();
        if texts.is_empty() {
            let problem = format!("no texts in `{folder}/LABEL/`");
            let remedy = format!("put the right folders of `{}` into corpora.ron", entry.name);
            return Err(Error::input(path.display(), "", problem, remedy));
        }
        texts.sort_by(|a, b| a.place.cmp(&b.place));
        let mut columns = vec![
            Column::new(
                entry.text[0].as_str().into(),
                texts.iter().map(|t| t.text.as_str()).collect::<Vec<_>>(),
            ),
            Column::new(
                entry.label.as_str().into(),
                texts.iter().map(|t| t.label).collect::<Vec<_>>(),
            ),
        ];
        if let Some(name) = number {
            let numbers: Vec<i64> = texts.iter().map(|t| t.number).collect();
            columns.push(Column::new(name.into(), numbers));
        }
        let frame = DataFrame::new_infer_height(columns).map_err(Error::polars(path))?;
        tables.push((split.clone(), frame));
    }
    Ok(tables)
}
