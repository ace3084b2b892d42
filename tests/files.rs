//! Text corpora as people have them: each kind of file, read whole and in pieces.

use accrue::corpus::settings::{File, Variant};
use accrue::corpus::tokens::{Cut, Kind, NormalForm, Strip, Tokenizer};
use accrue::corpus::{Corpus, Labels, Pieces, Settings, Source, Split, load, tokens};
use accrue::{Error, Result};
use polars::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Twelve good and twelve bad documents, with what they are called.
fn documents() -> Vec<(String, &'static str)> {
    let document = |i: usize| match i % 2 {
        0 => (format!("a dull film number {} was bad", i / 8), "bad"),
        _ => (format!("a bright film number {} was good", i / 8), "good"),
    };
    (0..24).map(document).collect()
}

/// Those documents with names and a separator.
fn rows(separator: &str, end: &str) -> String {
    let lines =
        documents().into_iter().map(|(text, label)| format!("{text}{separator}{label}{end}"));
    format!("text{separator}label{end}{}", lines.collect::<String>())
}

fn place(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, bytes).unwrap();
    path
}

fn of(file: File) -> Settings {
    let tokens = tokens::Settings { least: 1, ..Default::default() };
    Settings {
        source: Source::File(file),
        tokens,
        validation: 0.25,
        test: 0.25,
        ..Default::default()
    }
}

fn file(path: &Path) -> File {
    File { train: path.into(), ..File::default() }
}

/// The training documents as words with their labels, as they were read.
fn content(split: &Split, words: &[String], names: &[String]) -> Vec<(String, Vec<String>)> {
    let text = |tokens: &[u32]| {
        let words: Vec<&str> = tokens.iter().map(|&t| words[t as usize].as_str()).collect();
        words.join(" ")
    };
    let labels = |d: usize| match &split.labels {
        Labels::Class(classes) => vec![names[classes[d] as usize].clone()],
        Labels::Multi { labels, flags } => {
            let carried = (0..*labels).filter(|k| flags[d * labels + k]);
            carried.map(|k| names[k].clone()).collect()
        }
        Labels::Score(_) => Vec::new(),
    };
    split.documents.iter().enumerate().map(|(d, tokens)| (text(tokens), labels(d))).collect()
}

/// Reads a corpus whole, and in pieces, which must say the same.
fn read(settings: &Settings) -> Result<Corpus> {
    let data = Path::new("data");
    let whole = load(settings, data, 1).map(|l| l.corpus);
    let mut said = Vec::new();
    let mut notes = Vec::new();
    let mut words = Vec::new();
    let pieces = Pieces::open(settings, data, 1, &mut |_, _| ()).and_then(|pieces| {
        words = pieces.words.clone();
        notes = pieces.each(&mut |_, _| (), |split| {
            said.extend(content(split, &pieces.words, &pieces.label_names));
            Ok(())
        })?;
        Ok(pieces.label_names.clone())
    });
    match (&whole, pieces) {
        (Ok(corpus), Ok(names)) => {
            assert_eq!(corpus.label_names, names);
            assert_eq!(corpus.words, words);
            assert_eq!(content(&corpus.train, &corpus.words, &names), said);
            for note in notes {
                assert!(corpus.notes.contains(&note), "{note} is not in {:?}", corpus.notes);
            }
        }
        // Of several faults each way may meet another one first.
        (Err(_), Err(_)) => {}
        (whole, pieces) => panic!("whole {:?}, in pieces {:?}", whole.as_ref().err(), pieces.err()),
    }
    whole
}

fn refused(settings: &Settings) -> String {
    let said = read(settings).expect_err("refused").to_string();
    assert!(said.len() < 500, "{said}");
    said
}

fn noted(corpus: &Corpus, part: &str) {
    assert!(
        corpus.notes.iter().any(|n| n.contains(part)),
        "`{part}` is in no note of {:?}",
        corpus.notes
    );
}

/// All documents of a corpus, sorted.
fn all(corpus: &Corpus) -> Vec<(String, Vec<String>)> {
    let splits = [&corpus.train, &corpus.validation, &corpus.test];
    let mut all: Vec<_> =
        splits.iter().flat_map(|s| content(s, &corpus.words, &corpus.label_names)).collect();
    all.sort();
    all
}

fn sorted() -> Vec<(String, Vec<String>)> {
    let mut all: Vec<_> = documents().into_iter().map(|(t, l)| (t, vec![l.to_string()])).collect();
    all.sort();
    all
}

fn utf16(text: &str) -> Vec<u8> {
    let units = std::iter::once(0xfeff).chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn json() -> Vec<serde_json::Value> {
    let object = |(text, label)| serde_json::json!({"id": 1, "text": text, "label": label});
    documents().into_iter().map(object).collect()
}

#[test]
fn separator_line_ends_encoding_and_packing_are_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let plain = rows(",", "\n");
    let lines: String = json().iter().map(|o| format!("{o}\n")).collect();
    let array = serde_json::to_string_pretty(&json()).unwrap();
    let kinds: [(&str, Vec<u8>, &str); 17] = [
        ("semicolons.csv", rows(";", "\r\n").into(), "semicolons"),
        ("marked.csv", format!("\u{feff}{}", rows(";", "\n")).into(), "semicolons"),
        ("declared.csv", format!("sep=;\r\n{}", rows(";", "\r\n")).into(), "semicolons"),
        ("bars.csv", rows("|", "\n").into(), "vertical bars"),
        ("tabs.csv", rows("\t", "\n").into(), "tabs"),
        ("commas.tsv", plain.clone().into(), "commas"),
        ("mac.csv", rows(",", "\r").into(), "carriage returns"),
        ("utf16.csv", utf16(&rows("\t", "\r\n")), "UTF-16LE"),
        ("unmarked16.csv", utf16(&plain)[2..].to_vec(), "UTF-16LE"),
        ("packed.csv.gz", gzip(plain.as_bytes()), "gzip"),
        ("packed_inside.csv", gzip(plain.as_bytes()), "gzip"),
        ("packed.csv.zst", zstd(plain.as_bytes()), "zstd"),
        ("packed.jsonl.gz", gzip(lines.as_bytes()), "gzip"),
        ("array.json", array.clone().into(), "JSON array"),
        ("array.jsonl", array.into(), "JSON array"),
        ("lines.json", lines.clone().into(), ""),
        ("marked.jsonl", format!("\u{feff}{lines}").into(), ""),
    ];
    for (name, bytes, note) in kinds {
        let path = place(folder, name, bytes);
        let corpus = read(&of(file(&path))).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(all(&corpus), sorted(), "{name}");
        if !note.is_empty() {
            noted(&corpus, note);
        }
    }
    // Objects over several lines, one after the other.
    let pretty: String =
        json().iter().map(|o| serde_json::to_string_pretty(o).unwrap() + "\n").collect();
    let path = place(folder, "pretty.jsonl", pretty);
    assert_eq!(all(&read(&of(file(&path))).unwrap()), sorted());
    // What is found out can be named instead.
    let path = place(folder, "named.csv", rows("~", "\n"));
    assert!(refused(&of(file(&path))).contains("no column `text`"));
    let named = of(File { separator: "~".into(), ..file(&path) });
    assert_eq!(all(&read(&named).unwrap()), sorted());
    let latin = encoded(&rows(",", "\n").replace("bright", "café"));
    let path = place(folder, "latin.csv", latin);
    let said = refused(&of(file(&path)));
    assert!(
        said.contains("row 2 (line 3)") && said.contains("café") && said.contains("--encoding"),
        "{said}"
    );
    let named = of(File { encoding: "windows-1252".into(), ..file(&path) });
    assert!(all(&read(&named).unwrap()).iter().any(|(text, _)| text.contains("a café film")));
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    // A frame of raw blocks, as the format has it (RFC 8878).
    let mut packed = vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0];
    packed.extend((bytes.len() as u32).to_le_bytes());
    let header = (bytes.len() as u32) << 3 | 1;
    packed.extend(&header.to_le_bytes()[..3]);
    packed.extend(bytes);
    packed
}

fn encoded(text: &str) -> Vec<u8> {
    text.chars().map(|c| c as u32 as u8).collect()
}

#[test]
fn rows_that_cannot_be_read_are_named_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let says = |name: &str, text: &str, parts: &[&str]| {
        let path = place(folder.path(), name, text);
        let said = refused(&of(file(&path)));
        for part in parts {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
    };
    let good = rows(",", "\n");
    says(
        "wide.csv",
        &(good.clone() + "one, two,good\n"),
        &["row 25 (line 26)", "3 fields", "quotation"],
    );
    says("narrow.csv", &(good.clone() + "half a row\n"), &["row 25 (line 26)", "1 fields"]);
    says(
        "open.csv",
        &(good.clone() + "\"never closed,good\nmore,bad\n"),
        &["row 25 (line 26)", "never closed"],
    );
    says(
        "within.csv",
        &(good.clone() + "\"quoted\" and more,good\n"),
        &["row 25 (line 26)", "and more", "twice"],
    );
    says(
        "beyond.csv",
        &(good.clone() + "\"opens here,good\nmore,bad\nends\" here,bad\n"),
        &["row 25 (line 26)", "2 lines further on"],
    );
    says(
        "slash.csv",
        &(good.clone() + "\"he said \\\"yes\\\", twice\",good\n"),
        &["row 25 (line 26)", "backslash", "--backslash"],
    );
    says("label.csv", &(good.clone() + "some text,\n"), &["row 25", "nothing in column `label`"]);
    let wide = rows("\t", "\n") + "a\tb\tgood\n";
    says("wide.tsv", &wide, &["row 25 (line 26)", "3 fields", "a tab"]);
    let lines: String = json().iter().map(|o| format!("{o}\n")).collect();
    says("broken.jsonl", &(lines.clone() + "{\"text\": \"a\" \"b\"}\n"), &["row 25 (line 25)"]);
    says(
        "large.jsonl",
        &(lines.replace("\"good\"", "1").replace("\"bad\"", "99999999999999999999999999")),
        &["row 1", "too large"],
    );
    says("object.jsonl", "{\"text\": {\"a\": 1}, \"label\": 1}\n", &["row 1", "object"]);
    says(
        "cut.json",
        "[{\"text\": \"a\", \"label\": 1},\n {\"text\"",
        &["row 2 (line 2)", "cut short"],
    );
    says("columns.json", "{\"text\": {\"0\": \"a\"}, \"label\": {\"0\": 1}}", &["row 1"]);
    // Nothing of the file stands in a message at length.
    let long = "word ".repeat(10_000);
    says("long.csv", &format!("{long};label\n{long};1\n"), &["no column `text`"]);
    says("twice.csv", "text,label,label\na,1,2\n", &["two columns are called `label`"]);
    let path = place(folder.path(), "cut.csv.gz", &gzip(good.as_bytes())[..40]);
    assert!(refused(&of(file(&path))).contains("cut short"));
    let path = place(folder.path(), "book.csv", b"PK\x03\x04 and more");
    assert!(refused(&of(file(&path))).contains("Excel"));
}

#[test]
fn marks_are_text_between_tabs_unless_the_file_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let stray =
        rows("\t", "\n") + "\"in a film\" he said\tgood\na 5\" mark\tbad\nends\" here\tgood\n";
    let path = place(folder.path(), "stray.tsv", stray);
    let corpus = read(&of(file(&path))).unwrap();
    assert_eq!(all(&corpus).len(), 27);
    assert!(all(&corpus).iter().any(|(text, _)| text == "\" in a film \" he said"));
    // As other programs write tabs, quotes and ends of lines into a field.
    let quoted = rows("\t", "\n") + "\"one\n\"\"two\"\"\"\tgood\n";
    let path = place(folder.path(), "quoted.tsv", &quoted);
    let corpus = read(&of(file(&path))).unwrap();
    assert!(all(&corpus).iter().any(|(text, _)| text == "one \" two \""));
    noted(&corpus, "--quotes no");
    let said = refused(&of(File { quotes: Some(false), ..file(&path) }));
    assert!(said.contains("row 25 (line 26)"), "{said}");
    // A mark that swallows rows of CSV is noticed.
    let swallowed = rows(",", "\n") + "\"opens here,good\nmore,bad\nends here\",bad\n";
    let path = place(folder.path(), "swallowed.csv", swallowed);
    let corpus = read(&of(file(&path))).unwrap();
    noted(&corpus, "first row 25");
    // A backslash before a mark, where that is asked for.
    let slash = rows(",", "\n") + "\"he said \\\"yes\\\", twice\",good\n";
    let path = place(folder.path(), "slash.csv", slash);
    let corpus = read(&of(File { backslash: true, ..file(&path) })).unwrap();
    assert!(all(&corpus).iter().any(|(text, _)| text == "he said \" yes \" , twice"));
}

#[test]
fn a_mark_that_closes_in_the_next_line_is_told_and_text_of_several_lines_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let plain = rows(",", "\n");
    let lines: Vec<&str> = plain.lines().collect();
    // Two rows, of which the first begins with a stray mark and the second has one before its label: one row, read so.
    let mut stray = lines.clone();
    let (first, second) = (format!("\"{}", lines[5]), lines[6].replacen(",", "\",", 1));
    (stray[5], stray[6]) = (&first, &second);
    let corpus = read(&of(file(&place(folder.path(), "stray.csv", stray.join("\n"))))).unwrap();
    noted(&corpus, "stray.csv: 1 rows hold lines that look like rows of their own, first row 5");
    // Text of two lines, a comma in the first of them: nothing to tell.
    let mut long = lines.clone();
    let text = "\"a dull film, long\nand was bad\",bad";
    long[5] = text;
    let corpus = read(&of(file(&place(folder.path(), "long.csv", long.join("\n"))))).unwrap();
    assert!(!corpus.notes.iter().any(|n| n.contains("look like rows")), "{:?}", corpus.notes);
}

#[test]
fn blank_lines_are_no_rows_and_empty_parts_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let blank = rows(",", "\n").replace("was bad,bad\n", "was bad,bad\n\n") + "\n,\n \n\n";
    let path = place(folder.path(), "blank.csv", blank);
    let corpus = read(&of(file(&path))).unwrap();
    assert_eq!(all(&corpus), sorted());
    noted(&corpus, "1 rows of empty fields");
    let parts: String = (0..24)
        .map(|i| match i {
            3 => "3,,,good\n".to_string(),
            i if i % 3 == 0 => format!("{i},,body {},{}\n", i % 4, ["bad", "good"][i % 2]),
            i => format!("{i},title {0},body {0},{1}\n", i % 4, ["bad", "good"][i % 2]),
        })
        .collect();
    let path = place(folder.path(), "parts.csv", format!(",title,body,stars\n{parts}"));
    let text = vec!["title".to_string(), "body".to_string()];
    let corpus = read(&of(File { text, label: "stars".into(), ..file(&path) })).unwrap();
    let found = all(&corpus);
    assert_eq!(found.len(), 23, "one document is wholly empty");
    assert!(found.iter().any(|(text, _)| text == "body 0"));
    assert!(found.iter().any(|(text, _)| text == "title 1 body 1"));
    noted(&corpus, "nothing in column `title` of 8 rows");
    noted(&corpus, "nothing in column `body` of 1 rows");
    noted(&corpus, "1 documents without a token were left out");
}

#[test]
fn a_file_without_names_is_read_by_number_and_suspected() {
    let folder = tempfile::tempdir().unwrap();
    let bare = rows("\t", "\n").split_once('\n').unwrap().1.to_string();
    let path = place(folder.path(), "bare.tsv", &bare);
    let said = refused(&of(file(&path)));
    assert!(said.contains("--no-header --text 1 --label 2"), "{said}");
    let numbered =
        File { no_header: true, text: vec!["1".into()], label: "2".into(), ..file(&path) };
    assert_eq!(all(&read(&of(numbered.clone())).unwrap()), sorted());
    let said = refused(&of(File { label: "3".into(), ..numbered }));
    assert!(said.contains("no column `3`"), "{said}");
}

#[test]
fn a_path_is_a_path_and_a_pattern_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    place(folder, "reviews1.csv", "text,label\nwrong,x\nfile,y\n");
    let path = place(folder, "reviews[1].csv", rows(",", "\n"));
    assert_eq!(all(&read(&of(file(&path))).unwrap()), sorted());
    // A name with brackets that is not there is not another file.
    std::fs::remove_file(&path).unwrap();
    assert!(refused(&of(file(&path))).contains("no such file"));
    let star = place(folder, "odd*.csv", rows(",", "\n"));
    place(folder, "odd2.csv", "text,label\nwrong,x\nfile,y\n");
    assert_eq!(all(&read(&of(file(&star))).unwrap()), sorted());

    let halves = documents();
    for (n, half) in halves.chunks(12).enumerate() {
        let texts: Vec<&str> = half.iter().map(|d| d.0.as_str()).collect();
        let labels: Vec<&str> = half.iter().map(|d| d.1).collect();
        let mut frame = df!("text" => texts, "label" => labels).unwrap();
        let path = place(folder, &format!("hub/data/train-{n:05}-of-00002.parquet"), "");
        ParquetWriter::new(std::fs::File::create(path).unwrap()).finish(&mut frame).unwrap();
        let mut test =
            df!("text" => ["a good test", "a bad test"], "label" => ["good", "bad"]).unwrap();
        let path = place(folder, "hub/data/test-00000-of-00001.parquet", "");
        ParquetWriter::new(std::fs::File::create(path).unwrap()).finish(&mut test).unwrap();
    }
    place(folder, "hub/README.md", "about");
    for source in ["hub", "hub/data"] {
        let corpus = read(&of(file(&folder.join(source)))).unwrap();
        assert_eq!(corpus.test.documents.len(), 2);
        assert_eq!(corpus.train.documents.len() + corpus.validation.documents.len(), 24);
        noted(&corpus, "training from 2 files: ");
        noted(&corpus, "test-00000-of-00001.parquet");
    }
    let corpus = read(&of(file(&folder.join("hub/data/train-*.parquet")))).unwrap();
    assert_eq!(all(&corpus), sorted());
    noted(&corpus, "2 files");
    let corpus = read(&of(file(&folder.join("hub/data/train-00001-of-00002.parquet")))).unwrap();
    assert_eq!(all(&corpus).len(), 12);
    noted(&corpus, "part 2 of 2 alone");
    assert!(
        refused(&of(file(&folder.join("hub/none-*.parquet")))).contains("no file is called so")
    );
    // The same rows in two kinds of files are not read twice.
    place(folder, "twice/train.csv", rows(",", "\n"));
    place(folder, "twice/train.tsv", rows("\t", "\n"));
    assert!(refused(&of(file(&folder.join("twice")))).contains("several kinds"));
    // Rows are counted in the file where they stand.
    place(folder, "late/part-0.csv", rows(",", "\n"));
    place(folder, "late/part-1.csv", rows(",", "\n") + "more,\n");
    let said = refused(&of(file(&folder.join("late"))));
    assert!(said.contains("part-1.csv, row 25, column `label`"), "{said}");
}

#[test]
fn types_come_from_the_whole_column_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let mut labels: Vec<String> = (0..150).map(|i| (i % 2).to_string()).collect();
    labels.extend(["unsure".to_string(), "unsure".to_string(), "unsure".to_string()]);
    for (name, reversed) in [("late.csv", false), ("early.csv", true)] {
        if reversed {
            labels.reverse();
        }
        let lines: String = labels.iter().map(|l| format!("some text,{l}\n")).collect();
        let path = place(folder.path(), name, format!("text,label\n{lines}"));
        assert_eq!(read(&of(file(&path))).unwrap().label_names, ["0", "1", "unsure"]);
    }
    let mixed: String = (0..150)
        .map(|i| match i {
            140 => "{\"text\": 404, \"label\": 1, \"other\": [1]}\n".to_string(),
            i => format!("{{\"text\": \"word {i}\", \"label\": {}, \"other\": 7}}\n", i % 2),
        })
        .collect();
    let path = place(folder.path(), "mixed.jsonl", mixed);
    assert!(all(&read(&of(file(&path))).unwrap()).contains(&("404".into(), vec!["1".into()])));
    let whole: String = (0..30).map(|i| format!("word,{}.0\n", i % 3)).collect();
    let path = place(folder.path(), "floats.csv", format!("text,label\n{whole}"));
    assert_eq!(read(&of(file(&path))).unwrap().label_names, ["0", "1", "2"]);
    let path =
        place(folder.path(), "codes.csv", "text,label\n".to_string() + &"a,07\nb,7\n".repeat(9));
    assert_eq!(read(&of(file(&path))).unwrap().label_names, ["07", "7"]);
}

/// Documents that carry each label.
fn carried(corpus: &Corpus) -> Vec<(String, usize)> {
    let found = all(corpus);
    let count = |name: &String| found.iter().filter(|(_, labels)| labels.contains(name)).count();
    corpus.label_names.iter().map(|name| (name.clone(), count(name))).collect()
}

#[test]
fn vectors_of_zeros_and_ones_and_columns_of_them_are_labels() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let vector = |i: usize| {
        [i.is_multiple_of(2) as i64, i.is_multiple_of(3) as i64, i.is_multiple_of(5) as i64]
    };
    let lines: String = (0..60)
        .map(|i| {
            let v = vector(i).map(|x| x as f64);
            serde_json::json!({"text": format!("text {i}"), "labels": v}).to_string() + "\n"
        })
        .collect();
    let path = place(folder, "vectors.jsonl", lines);
    let corpus = read(&of(file(&path))).unwrap();
    let numbered = [("label 0".to_string(), 30), ("label 1".into(), 20), ("label 2".into(), 12)];
    assert_eq!(carried(&corpus), numbered);
    noted(&corpus, "vectors of 0 and 1");
    place(folder, "labels.json", "[\"toxic\", \"obscene\", \"threat\"]");
    let named = [("toxic".to_string(), 30), ("obscene".into(), 20), ("threat".into(), 12)];
    let corpus = read(&of(file(&path))).unwrap();
    assert_eq!(carried(&corpus), named);
    noted(&corpus, "labels.json");
    let lists = File { label_vectors: Some(false), ..file(&path) };
    assert!(refused(&of(lists)).contains("no training document of threat"));
}

#[test]
fn columns_of_zeros_and_ones_are_one_label_each() {
    let folder = tempfile::tempdir().unwrap();
    let line = |i: usize| {
        format!(
            "text {i},{},{},{}\n",
            i.is_multiple_of(2) as u8,
            i.is_multiple_of(3),
            i.is_multiple_of(5) as u8
        )
    };
    let lines: String = (0..60).map(line).collect();
    let path = place(folder.path(), "columns.csv", format!("text,toxic,obscene,threat\n{lines}"));
    let labels: Vec<String> = ["toxic", "obscene", "threat"].map(String::from).into();
    let columns = File { labels, ..file(&path) };
    let named = [("toxic".to_string(), 30), ("obscene".into(), 20), ("threat".into(), 12)];
    assert_eq!(carried(&read(&of(columns.clone())).unwrap()), named);
    let path =
        place(folder.path(), "shares.csv", "text,toxic,obscene,threat\na,1,0,0\nb,0.7,0,1\n");
    let said = refused(&of(File { train: path, ..columns }));
    assert!(said.contains("row 2, column `toxic`") && said.contains("neither 0 nor 1"), "{said}");
}

#[test]
fn joined_labels_are_noticed_and_split_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let cell = |i: usize| ["4", "2,4", "27", "2", "4,27"][i % 5];
    let lines: String = (0..60).map(|i| format!("text {i}\t{}\n", cell(i))).collect();
    let path = place(folder.path(), "joined.tsv", format!("text\tlabel\n{lines}"));
    let corpus = read(&of(file(&path))).unwrap();
    assert_eq!(corpus.label_names, ["2", "2,4", "27", "4", "4,27"]);
    noted(&corpus, "--label-separator");
    let split = read(&of(File { label_separator: ",".into(), ..file(&path) })).unwrap();
    assert_eq!(carried(&split), [("2".to_string(), 24), ("4".into(), 36), ("27".into(), 24)]);
    let path = place(
        folder.path(),
        "python.csv",
        "text,label\n".to_string() + &"a,\"['x', 'y']\"\nb,['y']\nc,[]\n".repeat(8),
    );
    let corpus = read(&of(file(&path))).unwrap();
    assert_eq!(carried(&corpus), [("x".to_string(), 8), ("y".into(), 16)]);
    noted(&corpus, "lists of labels");
}

#[test]
fn a_column_of_ids_is_no_label_column() {
    let folder = tempfile::tempdir().unwrap();
    let lines: String = (0..3000).map(|i| format!("text,id{}\n", i % 1500)).collect();
    let path = place(folder.path(), "ids.csv", format!("text,label\n{lines}"));
    let said = refused(&of(file(&path)));
    assert!(
        said.contains("1500 different labels in 3000 rows") && said.contains("corpus.variant.most"),
        "{said}"
    );
    let lines: String = (0..50).map(|i| format!("text,id{i}\n")).collect();
    let path = place(folder.path(), "own.csv", format!("text,label\n{lines}"));
    assert!(refused(&of(file(&path))).contains("each document has its own"));
    let variant = Variant { most: Some(10), ..Variant::default() };
    let path = place(folder.path(), "few.csv", rows(",", "\n"));
    assert!(read(&Settings { variant, ..of(file(&path)) }).is_ok());
}

#[test]
fn a_class_of_one_document_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = place(folder.path(), "rare.csv", rows(",", "\n") + "what now,unsure\n");
    let corpus = read(&of(file(&path))).unwrap();
    noted(&corpus, "1 class has a single document (unsure)");
    let how = Default::default();
    let names = &corpus.label_names;
    let found = accrue::stats::predict(&corpus.train, names, corpus.words.len(), &how, 1).unwrap();
    assert_eq!(found.rows, ["bad", "good"], "what cannot be halved makes no row");
    assert!(found.dimension_unbiased.value.is_finite());
}

fn tokenizer(settings: &tokens::Settings, texts: &[String]) -> Tokenizer {
    Tokenizer::new(settings, texts).unwrap()
}

/// The words that a tokenizer makes of a text, and those of the stored one, which must be the same.
fn words(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = place(folder.path(), "tokenizer.json", tokenizer.to_json());
    let stored = Tokenizer::read(&path).unwrap();
    let texts = [text.to_string()];
    let ids = tokenizer.encode(&texts).unwrap();
    assert_eq!(stored.encode(&texts).unwrap(), ids, "{text}");
    let words = tokenizer.words();
    ids[0].iter().map(|&id| words[id as usize].clone()).collect()
}

#[test]
fn marks_belong_to_their_letters_and_forms_read_alike() {
    let own = tokens::Settings { least: 1, ..Default::default() };
    let texts =
        ["बहुत कहानी फ़िल्म थी ख़राब", "cafe\u{301} nai\u{308}ve", "नमक्\u{200d}ष", "❤\u{fe0f} ok"]
            .map(String::from);
    let learned = tokenizer(&own, &texts);
    assert_eq!(words(&learned, &texts[0]).len(), 5);
    assert_eq!(words(&learned, &texts[1]), ["café", "naïve"]);
    assert_eq!(words(&learned, "CAFÉ naïve"), ["café", "naïve"]);
    assert_eq!(words(&learned, &texts[2]).len(), 1);
    assert_eq!(words(&learned, &texts[3]), ["❤\u{fe0f}", "ok"]);
    let apart = tokens::Settings { normal_form: NormalForm::None, ..own };
    let learned = tokenizer(&apart, &texts);
    assert_eq!(words(&learned, &texts[1]), ["cafe\u{301}", "nai\u{308}ve"]);
    assert_eq!(words(&learned, "café"), ["<unk>"]);
}

#[test]
fn scripts_without_blanks_are_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let line =
        |i: usize| format!("这部电影非常好看我很喜欢,{}\n这 部 电影 非常 好看,{}\n", i % 2, i % 2);
    let lines: String = (0..20).map(line).collect();
    let path = place(folder.path(), "chinese.csv", format!("text,label\n{lines}"));
    let corpus = read(&of(file(&path))).unwrap();
    noted(&corpus, "documents are of a script without blanks between words");
}

#[test]
fn listed_words_are_never_cut_between_white_space() {
    let folder = tempfile::tempdir().unwrap();
    let list = place(
        folder.path(),
        "words.txt",
        "<unk>\nlow-key\n's\nfilm\nit\n...\nn't\nlow\n-\nkey\n(a|b)\n",
    );
    let listed = tokens::Settings { kind: Kind::List(list.clone()), ..Default::default() };
    let given = tokenizer(&listed, &[]);
    let text = "It 's low-key , ... film... n't low-key. LOW-KEY (a|b)";
    let expected = [
        "it", "'s", "low-key", "<unk>", "...", "film", "<unk>", "<unk>", "<unk>", "n't", "low",
        "-", "key", "<unk>", "low-key", "(a|b)",
    ];
    assert_eq!(words(&given, text), expected);
    let seen = given.see(&listed, &[text.to_string(), "film".to_string()]);
    assert_eq!(seen.kept_whole, 1);
    let cut = tokens::Settings { cut: Cut::Whitespace, ..listed };
    assert_eq!(words(&tokenizer(&cut, &[]), "It 's low-key. film"), ["it", "'s", "<unk>", "film"]);
}

#[test]
fn text_is_cut_as_keras_cuts_it() {
    let folder = tempfile::tempdir().unwrap();
    let list =
        place(folder.path(), "words.txt", "\n[UNK]\nwellmade\nwell\nmade\ndont\ndon't\nfilm\n");
    let with = |strip: Strip| {
        let kind = Kind::List(list.clone());
        tokenizer(&tokens::Settings { kind, strip, ..Default::default() }, &[])
    };
    let text = "Well-made film; don't (well, made)!";
    // By `tf.keras.layers.TextVectorization` and `tf.keras.preprocessing.text.Tokenizer`.
    let vectorized = ["wellmade", "film", "dont", "well", "made"];
    assert_eq!(words(&with(Strip::TextVectorization), text), vectorized);
    let filtered = ["well", "made", "film", "don't", "well", "made"];
    assert_eq!(words(&with(Strip::KerasTokenizer), text), filtered);
    // The share that is not known is told, and what would know more.
    let lines: String =
        (0..40).map(|i| format!("\"well-made film, don't.\",{}\n", i % 2)).collect();
    let path = place(folder.path(), "reviews.csv", format!("text,label\n{lines}"));
    let mut settings = of(file(&path));
    settings.tokens.kind = Kind::List(list);
    // well, -, made, film, `,`, don't, . : three of seven.
    let corpus = read(&settings).unwrap();
    noted(&corpus, "42.9 % of ");
    noted(&corpus, "corpus.tokens.strip=TextVectorization");
    settings.tokens.strip = Strip::TextVectorization;
    noted(&read(&settings).unwrap(), "0.0 % of ");
}

#[test]
fn a_list_of_words_that_is_none_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &str| -> String {
        let kind = Kind::List(place(folder.path(), name, text));
        let settings = tokens::Settings { kind, ..Default::default() };
        Tokenizer::new(&settings, &[]).err().expect("refused").to_string()
    };
    let said = refused("vectors.txt", "the 0.1 -0.2 3e-1\nfilm 1 2 3\ngood 0.5 0.5 0.5\n");
    assert!(said.contains("vectors of words") && said.contains("3 numbers"), "{said}");
    let said = refused("counts.txt", "the 120\nfilm 7\ngood 3\n");
    assert!(said.contains("a word and a number"), "{said}");
    let said = refused("ids.txt", "0\tthe\n1\tfilm\n2\tgood\n");
    assert!(said.contains("a number and a word"), "{said}");
    let said = refused("far.json", "{\"a\": 0, \"faraway\": 4294967295}");
    assert!(said.contains("faraway") && said.contains("4294967295"), "{said}");
    let model = "{\"version\":\"1.0\",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":4294967295},\"merges\":[]}}";
    let path = place(folder.path(), "tokenizer.json", model);
    let said = Tokenizer::read(&path).err().expect("refused").to_string();
    assert!(said.contains("`a` has the id 4294967295"), "{said}");
    for unknown in ["xxunk", "@@UNKNOWN@@", "<unknown>", "unk", "[unk]", "OOV"] {
        let kind =
            Kind::List(place(folder.path(), "list.txt", format!("<pad>\nfilm\n{unknown}\n")));
        let given = tokenizer(&tokens::Settings { kind, ..Default::default() }, &[]);
        assert_eq!(given.unknown(), Some(2));
        assert_eq!(given.encode(&["bad film".to_string()]).unwrap(), [[2, 1]]);
    }
}

#[test]
fn special_tokens_of_a_given_tokenizer_are_told_and_added_on_request() {
    let folder = tempfile::tempdir().unwrap();
    let json = "{\"version\":\"1.0\",\"added_tokens\":[],\"pre_tokenizer\":{\"type\":\"WhitespaceSplit\"},\
        \"post_processor\":{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]},\
        \"model\":{\"type\":\"WordLevel\",\"vocab\":{\"[UNK]\":0,\"film\":1,\"[CLS]\":2,\"[SEP]\":3},\
        \"unk_token\":\"[UNK]\"}}";
    let kind = Kind::Given(place(folder.path(), "tokenizer.json", json));
    let without = tokens::Settings { kind, ..Default::default() };
    let given = tokenizer(&without, &[]);
    assert_eq!(words(&given, "bad film"), ["[UNK]", "film"]);
    assert!(given.notes(&without)[0].contains("--special-tokens"));
    let with = tokens::Settings { special: true, ..without };
    assert_eq!(words(&tokenizer(&with, &[]), "bad film"), ["[CLS]", "[UNK]", "film", "[SEP]"]);
}

#[cfg(unix)]
#[test]
fn only_regular_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let list = |path: &Path| {
        let settings = tokens::Settings { kind: Kind::List(path.into()), ..Default::default() };
        Tokenizer::new(&settings, &[]).err().expect("refused").to_string()
    };
    assert!(list(Path::new("/dev/zero")).contains("no regular file"));
    assert!(list(folder.path()).contains("a folder"));
    let pipe = folder.path().join("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    if made.is_ok_and(|status| status.success()) {
        assert!(refused(&of(file(&pipe))).contains("no regular file"));
    }
}

#[test]
fn new_settings_of_a_file_are_written_only_where_they_are_set() {
    let settings = of(file(Path::new("reviews.csv")));
    let written = serde_json::to_string(&settings).unwrap();
    for new in [
        "labels",
        "separator",
        "backslash",
        "no_header",
        "encoding",
        "cut",
        "strip",
        "normal_form",
        "special",
        "most",
    ] {
        assert!(!written.contains(&format!("\"{new}\"")), "{new} in {written}");
    }
    assert!(matches!(load(&of(File::default()), Path::new("data"), 1), Err(Error::Usage(_))));
}

#[test]
fn rows_in_another_form_are_refused_with_the_remedy_of_that_form() {
    let folder = tempfile::tempdir().unwrap();
    let says = |name: &str, text: &str, parts: &[&str]| {
        let said = refused(&of(file(&place(folder.path(), name, text))));
        parts.iter().for_each(|part| assert!(said.contains(part), "`{part}` is not in: {said}"));
    };
    let list = r#"{"data": [{"text": "good", "label": 1}, {"text": "bad", "label": 0}]}"#;
    says("a.json", list, &["one key `data`", "save the list"]);
    let named = "\"text\",\"label\"\n\"1\",\"good\",1\n\"2\",\"bad\",0\n";
    says("r.csv", named, &["row 1", "3 fields", "row.names = FALSE"]);
    says("f.txt", "__label__pos good\n__label__neg bad\n", &["fastText", "`label,text`"]);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 60, failure_persistence: None, ..Default::default()
    })]
    #[test]
    fn however_text_is_cut_the_stored_tokenizer_cuts_the_same(
        texts in proptest::collection::vec(super::corpus::odd_text(), 1..8)
    ) {
        let folder = tempfile::tempdir().unwrap();
        // Every second stretch between blanks is listed, with whatever stands in it.
        let mut list: Vec<String> = vec!["<unk>".into()];
        for chunk in texts.iter().flat_map(|t| t.split_whitespace()).step_by(2) {
            let chunk = chunk.to_lowercase();
            if !list.contains(&chunk) {
                list.push(chunk);
            }
        }
        let path = place(folder.path(), "words.json", serde_json::to_string(&list).unwrap());
        for (cut, strip) in [
            (Cut::Words, Strip::Nothing),
            (Cut::Whitespace, Strip::Nothing),
            (Cut::Words, Strip::TextVectorization),
            (Cut::Words, Strip::KerasTokenizer),
            (Cut::Words, Strip::Characters("<-^]'".into())),
        ] {
            let kind = Kind::List(path.clone());
            let settings = tokens::Settings { kind, cut, strip, ..Default::default() };
            let given = Tokenizer::new(&settings, &[]).unwrap();
            let stored = place(folder.path(), "tokenizer.json", given.to_json());
            let stored = Tokenizer::read(&stored).unwrap();
            proptest::prop_assert_eq!(stored.encode(&texts).unwrap(), given.encode(&texts).unwrap());
        }
    }
}
