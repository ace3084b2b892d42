//! Fetching: the real download code against a server on loopback that speaks
//! the Hub's addresses, and breaks when told to.

use accrue::corpus::catalogue::{Columns, Entry, Origin, Structure};
use accrue::corpus::fetch::{self, Hub, LOCK, fetch};
use accrue::corpus::{Settings, Source, load};
use accrue::{Error, Result};
use polars::prelude::*;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

/// What the server serves and how it fails.
#[derive(Default)]
struct Served {
    /// Contents by path.
    files: HashMap<String, Vec<u8>>,
    /// The name that the Hub would give a file, where it is not its SHA-256.
    etags: HashMap<String, String>,
    /// Bytes after which the next transfers of a whole file break off.
    breaks: Vec<usize>,
    /// Requests: path, range, authorisation.
    seen: Vec<(String, String, String)>,
}

struct Server {
    address: String,
    served: Arc<Mutex<Served>>,
}

impl Server {
    fn start(files: &[(&str, Vec<u8>)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let files = files.iter().map(|(path, bytes)| (path.to_string(), bytes.clone())).collect();
        let served = Arc::new(Mutex::new(Served { files, ..Served::default() }));
        let shared = served.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let shared = shared.clone();
                std::thread::spawn(move || answer(stream.unwrap(), &shared));
            }
        });
        Self { address, served }
    }

    fn hub(&self, cache: &Path) -> Hub {
        Hub { endpoint: Some(self.address.clone()), token: None, cache: Some(cache.into()) }
    }

    /// Requests for more than a file's first byte.
    fn transfers(&self) -> Vec<String> {
        let seen = self.served.lock().unwrap();
        let whole = seen.seen.iter().filter(|(_, range, _)| range != "bytes=0-0");
        whole.map(|(_, range, _)| range.clone()).collect()
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn answer(stream: TcpStream, served: &Mutex<Served>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut request, mut range, mut token) = (String::new(), String::new(), String::new());
    reader.read_line(&mut request).unwrap();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() < 3 {
            break;
        }
        let (name, value) = line.trim().split_once(": ").unwrap();
        match name.to_lowercase().as_str() {
            "range" => range = value.into(),
            "authorization" => token = value.into(),
            _ => {}
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_string();
    let mut served = served.lock().unwrap();
    served.seen.push((path.clone(), range.clone(), token.clone()));
    let mut stream = stream;
    let close = "Connection: close\r\n";
    let Some(bytes) = served.files.get(&path).cloned() else {
        let _ = write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n{close}\r\n");
        return;
    };
    let (from, upto) = match range.strip_prefix("bytes=").and_then(|r| r.split_once('-')) {
        Some((from, upto)) => (
            from.parse().unwrap(),
            upto.parse::<usize>().map_or(bytes.len(), |u| (u + 1).min(bytes.len())),
        ),
        None => (0, bytes.len()),
    };
    if from >= bytes.len() {
        let _ = write!(stream, "HTTP/1.1 416 No\r\nContent-Length: 0\r\n{close}\r\n");
        return;
    }
    let etag = served.etags.get(&path).cloned().unwrap_or_else(|| sha256(&bytes));
    let mut part = &bytes[from..upto];
    let length = part.len();
    if upto == bytes.len() && length > 1 && !served.breaks.is_empty() {
        let keep = served.breaks.remove(0);
        part = &part[..keep.min(part.len())];
    }
    drop(served);
    let status = if range.is_empty() { "200 OK" } else { "206 Partial Content" };
    let total = bytes.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nContent-Range: bytes {from}-{}/{total}\r\n\
         ETag: \"{etag}\"\r\nX-Repo-Commit: {}\r\n{close}\r\n",
        upto - 1,
        sha256(&bytes)
    );
    let _ = stream.write_all(part);
}

fn parquet(labels: &[i64]) -> Vec<u8> {
    let texts: Vec<String> = (0..labels.len()).map(|i| format!("text number {i}")).collect();
    let mut frame = df!("text" => texts, "label" => labels).unwrap();
    let mut bytes = Vec::new();
    ParquetWriter::new(&mut bytes).finish(&mut frame).unwrap();
    bytes
}

fn entry(source: Origin, columns: &[&str]) -> Entry {
    Entry {
        name: "films".into(),
        about: "for tests".into(),
        source,
        text: vec!["text".into()],
        label: "label".into(),
        columns: columns.iter().map(|c| c.to_string()).collect(),
        names: vec!["neg".into(), "pos".into()],
        structure: Structure::Ordered,
        rows: vec![("train".into(), 40), ("test".into(), 20)],
        licence: "none".into(),
        cite: "nobody".into(),
    }
}

fn on_hub(train: &[&str], test: &[&str], columns: Option<Columns>) -> Entry {
    let names = |names: &[&str]| names.iter().map(|n| n.to_string()).collect();
    let files = vec![("train".into(), names(train)), ("test".into(), names(test))];
    let (repository, revision) = ("owner/films".into(), "main".into());
    entry(Origin::Hub { repository, revision, files, columns }, &[])
}

const AT: &str = "/datasets/owner/films/resolve/main/";

fn labels(n: usize) -> Vec<i64> {
    (0..n as i64).map(|i| i % 2).collect()
}

/// A server with a corpus of two parquet files.
fn films() -> (Server, Entry) {
    let (train, test) = (parquet(&labels(40)), parquet(&labels(20)));
    let server = Server::start(&[
        (&format!("{AT}data/train.parquet"), train),
        (&format!("{AT}data/test.parquet"), test),
    ]);
    (server, on_hub(&["data/train.parquet"], &["data/test.parquet"], None))
}

fn said<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("not refused"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_corpus_comes_from_the_hub_and_is_checked_from_then_on() {
    let (server, entry) = films();
    let folder = tempfile::tempdir().unwrap();
    let (data, cache) = (folder.path().join("data"), folder.path().join("cache"));
    let mut hub = server.hub(&cache);
    hub.token = Some("secret".into());
    let found = fetch(&entry, &data, &hub, &mut ()).unwrap();
    assert!(!found.in_place && found.notes.is_empty(), "{found:?}");
    assert_eq!(found.files.iter().map(|f| f.1).collect::<Vec<_>>(), [Some(40), Some(20)]);
    assert!(server.served.lock().unwrap().seen.iter().all(|s| s.2 == "Bearer secret"));

    // The program can read it.
    let catalogue = accrue::notation::to_ron(&vec![&entry]);
    std::fs::write(data.join("corpora.ron"), catalogue).unwrap();
    let settings = Settings { source: Source::Named("films".into()), ..Settings::default() };
    let corpus = load(&settings, &data, 1).unwrap().corpus;
    assert_eq!((corpus.train.documents.len(), corpus.test.documents.len()), (36, 20));

    // The second time nothing is transferred.
    let before = server.served.lock().unwrap().seen.len();
    assert!(fetch(&entry, &data, &hub, &mut ()).unwrap().in_place);
    assert_eq!(server.served.lock().unwrap().seen.len(), before);

    // A file that is gone comes back from the shared cache.
    std::fs::remove_file(data.join("films/test.parquet")).unwrap();
    let transfers = server.transfers().len();
    assert!(!fetch(&entry, &data, &hub, &mut ()).unwrap().in_place);
    assert_eq!(server.transfers().len(), transfers);

    // A file that was changed is refused by size, then by checksum.
    let path = data.join("films/train.parquet");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let error = fetch(&entry, &data, &hub, &mut ()).unwrap_err();
    assert!(matches!(error, Error::Checksum { what: "sha256", .. }), "{error}");
    std::fs::write(&path, &bytes[1..]).unwrap();
    let error = fetch(&entry, &data, &hub, &mut ()).unwrap_err();
    assert!(matches!(error, Error::Checksum { what: "size", .. }), "{error}");
    assert!(error.to_string().contains("train.parquet"), "{error}");
}

#[test]
fn files_placed_by_hand_are_looked_at_and_recorded() {
    let (server, entry) = films();
    let folder = tempfile::tempdir().unwrap();
    let (data, cache) = (folder.path().join("data"), folder.path().join("cache"));
    std::fs::create_dir_all(data.join("films")).unwrap();
    let place = |name: &str, bytes: Vec<u8>| std::fs::write(data.join("films").join(name), bytes);
    place("train.parquet", parquet(&labels(40))).unwrap();
    place("test.parquet", parquet(&labels(20))).unwrap();

    // Columns that the catalogue does not expect are named before anything is recorded.
    let other = Entry { label: "stars".into(), ..entry.clone() };
    let error = fetch(&other, &data, &server.hub(&cache), &mut ()).unwrap_err().to_string();
    assert!(
        error.contains("no column `stars`") && !data.join("films/lock.ron").exists(),
        "{error}"
    );

    let found = fetch(&entry, &data, &server.hub(&cache), &mut ()).unwrap();
    assert!(found.in_place && found.notes[0].contains("placed by hand"), "{found:?}");
    assert!(server.transfers().is_empty());

    // From then on they are held to what they were.
    place("test.parquet", parquet(&labels(19))).unwrap();
    let error = fetch(&entry, &data, &server.hub(&cache), &mut ()).unwrap_err();
    assert!(matches!(error, Error::Checksum { .. }), "{error}");
}

#[test]
fn a_broken_transfer_goes_on_where_it_stopped() {
    let (server, entry) = films();
    let size = server.served.lock().unwrap().files[&format!("{AT}data/train.parquet")].len();
    server.served.lock().unwrap().breaks = vec![200, 100];
    let folder = tempfile::tempdir().unwrap();
    let hub = server.hub(&folder.path().join("cache"));
    let found = fetch(&entry, &folder.path().join("data"), &hub, &mut ()).unwrap();
    assert_eq!(found.files[0].1, Some(40));
    assert!(size > 300);
    assert_eq!(server.transfers()[..3], ["bytes=0-", "bytes=200-", "bytes=300-"]);
}

#[test]
fn a_transfer_that_keeps_breaking_fails_and_a_later_fetch_goes_on() {
    let (server, entry) = films();
    server.served.lock().unwrap().breaks = vec![50, 50, 50, 50];
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let hub = server.hub(&folder.path().join("cache"));
    let message = said(fetch(&entry, &data, &hub, &mut ()));
    assert!(message.contains("broke") && message.contains("goes on where it stopped"), "{message}");
    assert!(!data.join("films/train.parquet").exists());
    fetch(&entry, &data, &hub, &mut ()).unwrap();
    assert_eq!(server.transfers()[4], "bytes=200-");
}

#[test]
fn a_missing_file_a_wrong_checksum_and_no_network_say_what_to_do() {
    let (server, entry) = films();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let hub = server.hub(&folder.path().join("cache"));

    let gone = on_hub(&["data/other.parquet"], &["data/test.parquet"], None);
    let message = said(fetch(&gone, &data, &hub, &mut ()));
    for part in ["404", "data/other.parquet", "films/train.parquet", "by hand"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }

    let path = format!("{AT}data/train.parquet");
    server.served.lock().unwrap().etags.insert(path.clone(), sha256(b"another file"));
    let error = fetch(&entry, &data, &hub, &mut ()).unwrap_err();
    assert!(matches!(error, Error::Checksum { what: "sha256", .. }), "{error}");
    // What was damaged is not kept: without the fault it is transferred anew.
    server.served.lock().unwrap().etags.clear();
    fetch(&entry, &data, &hub, &mut ()).unwrap();

    // The source changes after it was recorded.
    std::fs::remove_file(data.join("films/train.parquet")).unwrap();
    server.served.lock().unwrap().files.insert(path, parquet(&labels(42)));
    let message = said(fetch(&entry, &data, &hub, &mut ()));
    assert!(message.contains("lock.ron to accept it"), "{message}");
    std::fs::remove_file(data.join("films").join(LOCK)).unwrap();
    let found = fetch(&entry, &data, &hub, &mut ()).unwrap();
    assert!(found.notes[0].contains("42 rows, expected 40"), "{:?}", found.notes);

    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let hub = Hub { endpoint: Some(format!("http://{closed}")), ..hub };
    let message = said(fetch(&entry, &folder.path().join("new"), &hub, &mut ()));
    for part in ["no answer", "new/films/train.parquet", "new/films/test.parquet", "columns text"] {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
}

#[test]
fn other_formats_and_columns_become_the_entrys_parquet() {
    let rows: String =
        (0..40).map(|i| format!("{},\"title {i}\",\"body, {i}\"\n", i % 2 + 1)).collect();
    let csv = format!("class_index,review_title,review_text\n{rows}");
    let server = Server::start(&[
        (&format!("{AT}a.csv"), csv.clone().into_bytes()),
        (&format!("{AT}b.csv"), csv.into_bytes()),
    ]);
    let columns = Columns {
        text: vec!["review_title".into(), "review_text".into()],
        label: "class_index".into(),
        first: 1,
    };
    let entry = on_hub(&["a.csv", "b.csv"], &["a.csv"], Some(columns));
    let folder = tempfile::tempdir().unwrap();
    let hub = server.hub(&folder.path().join("cache"));
    let found = fetch(&entry, folder.path(), &hub, &mut ()).unwrap();
    assert_eq!(found.files[0].1, Some(80));
    let file = std::fs::File::open(folder.path().join("films/train.parquet")).unwrap();
    let table = ParquetReader::new(file).finish().unwrap();
    let texts = table.column("text").unwrap().str().unwrap().clone();
    assert_eq!(texts.get(41), Some("title 1 body, 1"));
    let labels = table.column("label").unwrap().cast(&DataType::Int64).unwrap();
    assert_eq!(labels.i64().unwrap().iter().take(3).flatten().collect::<Vec<_>>(), [0, 1, 0]);
}

/// An archive as the film reviews come: `top/SPLIT/LABEL/ID_RATING.txt`.
fn archive() -> Vec<u8> {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(encoder);
    let mut add = |path: String, text: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text).unwrap();
    };
    for (split, count) in [("train", 20), ("test", 10)] {
        for i in 0..count {
            let (bad, good) = (i % 4 + 1, i % 4 + 7);
            let text = format!("dull film number {i}");
            add(format!("top/{split}/neg/{i}_{bad}.txt"), text.as_bytes());
            add(format!("top/{split}/pos/{i}_{good}.txt"), b"bright caf\xe9 film");
            add(format!("top/{split}/unsup/{i}_0.txt"), b"no label");
        }
    }
    add("top/README".into(), b"read me");
    tar.into_inner().unwrap().finish().unwrap()
}

fn in_archive(address: &str) -> Entry {
    let splits = ["train", "test"].map(|s| (s.to_string(), format!("top/{s}"))).to_vec();
    let url = format!("{address}/films.tar.gz");
    entry(Origin::Archive { url, splits, number: Some("rating".into()) }, &["rating"])
}

#[test]
fn an_archive_becomes_tables_with_the_number_of_its_file_names() {
    let server = Server::start(&[("/films.tar.gz", archive())]);
    server.served.lock().unwrap().breaks = vec![100];
    let folder = tempfile::tempdir().unwrap();
    let entry = in_archive(&server.address);
    let found = fetch(&entry, folder.path(), &Hub::default(), &mut ()).unwrap();
    assert_eq!(found.files.iter().map(|f| f.1).collect::<Vec<_>>(), [Some(40), Some(20)]);
    assert_eq!(server.transfers(), ["", "bytes=100-"]);
    let file = std::fs::File::open(folder.path().join("films/train.parquet")).unwrap();
    let table = ParquetReader::new(file).finish().unwrap();
    let numbers = |name: &str| -> Vec<i64> {
        table.column(name).unwrap().i64().unwrap().iter().flatten().collect()
    };
    let (labels, ratings) = (numbers("label"), numbers("rating"));
    assert_eq!(labels.iter().sum::<i64>(), 20);
    assert!(labels.iter().zip(&ratings).all(|(l, r)| (*l == 1) == (*r >= 7)));
    let texts = table.column("text").unwrap().str().unwrap().clone();
    assert!(texts.iter().flatten().any(|t| t == "bright café film"));
    assert!(!folder.path().join("films/films.tar.gz").exists());
}

#[test]
fn a_damaged_archive_is_refused_and_can_be_fetched_again() {
    let whole = archive();
    let mut damaged = whole.clone();
    let middle = whole.len() / 2;
    damaged.truncate(middle);
    let server = Server::start(&[("/films.tar.gz", damaged)]);
    let folder = tempfile::tempdir().unwrap();
    let entry = in_archive(&server.address);
    let message = said(fetch(&entry, folder.path(), &Hub::default(), &mut ()));
    assert!(message.contains("films.tar.gz") && message.contains("fetch again"), "{message}");
    assert!(!folder.path().join("films/train.parquet").exists());
    server.served.lock().unwrap().files.insert("/films.tar.gz".into(), whole);
    fetch(&entry, folder.path(), &Hub::default(), &mut ()).unwrap();

    let missing = in_archive(&format!("{}/elsewhere", server.address));
    let elsewhere = tempfile::tempdir().unwrap();
    let message = said(fetch(&missing, elsewhere.path(), &Hub::default(), &mut ()));
    assert!(message.contains("404") && message.contains("films/train.parquet"), "{message}");
}

/// Adds up what it is told.
#[derive(Default)]
struct Told {
    expected: u64,
    arrived: u64,
    ended: usize,
}

impl fetch::Watch for Told {
    fn begin(&mut self, _: &str, bytes: u64) {
        (self.expected, self.arrived) = (bytes, 0);
    }
    fn advance(&mut self, bytes: u64) {
        self.arrived += bytes;
    }
    fn end(&mut self) {
        assert_eq!(self.arrived, self.expected);
        self.ended += 1;
    }
}

#[test]
fn progress_adds_up_to_the_size_also_after_a_break() {
    let (server, entry) = films();
    server.served.lock().unwrap().breaks = vec![150];
    let folder = tempfile::tempdir().unwrap();
    let hub = server.hub(&folder.path().join("cache"));
    let mut told = Told::default();
    fetch(&entry, &folder.path().join("data"), &hub, &mut told).unwrap();
    assert_eq!(told.ended, 2);
}

#[test]
fn the_program_fetches_by_name_and_obeys_the_environment() {
    let (server, entry) = films();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("corpora.ron"), accrue::notation::to_ron(&vec![entry])).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_accrue"))
        .args(["corpus", "fetch", "films", "--data"])
        .arg(&data)
        .env("HF_ENDPOINT", &server.address)
        .env("HF_HUB_CACHE", folder.path().join("cache"))
        .env("HF_TOKEN", "secret")
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{err}");
    assert!(out.contains("train.parquet: 40 documents"), "{out}");
    assert!(err.contains("data/train.parquet"), "{err}");
    assert!(server.served.lock().unwrap().seen.iter().all(|s| s.2 == "Bearer secret"));
    assert!(data.join("films/lock.ron").is_file());
}

#[test]
fn an_encoder_comes_from_the_hub_once() {
    let at = "/owner/encoder/resolve/main/";
    let server = Server::start(&[
        (&format!("{at}config.json"), b"{}".to_vec()),
        (&format!("{at}model.safetensors"), vec![7; 5000]),
    ]);
    let folder = tempfile::tempdir().unwrap();
    let hub = server.hub(&folder.path().join("cache"));
    let to = folder.path().join("encoders/owner/encoder");
    let names = ["config.json", "model.safetensors"];
    accrue::corpus::fetch::model("owner/encoder", &names, &to, &hub, &mut ()).unwrap();
    assert_eq!(std::fs::read(to.join("model.safetensors")).unwrap(), vec![7; 5000]);
    let before = server.served.lock().unwrap().seen.len();
    accrue::corpus::fetch::model("owner/encoder", &names, &to, &hub, &mut ()).unwrap();
    assert_eq!(server.served.lock().unwrap().seen.len(), before, "the second time it is here");
    let missing = ["config.json", "tokenizer.json"];
    let message = said(accrue::corpus::fetch::model("owner/encoder", &missing, &to, &hub, &mut ()));
    assert!(
        message.contains("tokenizer.json") && message.contains("place config.json"),
        "{message}"
    );
}

#[test]
fn an_archive_that_grows_without_measure_is_stopped_and_the_limit_told() {
    let encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut tar = tar::Builder::new(encoder);
    let mut header = tar::Header::new_gnu();
    // 80 MB of one letter, in a third of a MB.
    let size = 80 << 20;
    header.set_size(size);
    header.set_mode(0o644);
    tar.append_data(&mut header, "top/train/neg/0_1.txt", std::io::repeat(b'a').take(size))
        .unwrap();
    let bomb = tar.into_inner().unwrap().finish().unwrap();
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    let server = Server::start(&[("/films.tar.gz", bomb)]);
    let folder = tempfile::tempdir().unwrap();
    let entry = in_archive(&server.address);
    let message = said(fetch(&entry, folder.path(), &Hub::default(), &mut ()));
    assert!(
        message.contains("films.tar.gz") && message.contains("unpack to more than"),
        "{message}"
    );
    assert!(message.contains("50 times"), "{message}");
}
