//! Corpora: files of every form, labels, variants, splits, and what is refused.

use accrue::corpus::catalogue::Catalogue;
use accrue::corpus::settings::{File, Group, Label, Variant};
use accrue::corpus::tokens::{self, Tokenizer, TooLong};
use accrue::corpus::{Corpus, Labels, Settings, Source, Split, load, split, store};
use accrue::{Error, Result};
use polars::prelude::*;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Folder of the real corpora; says so, past any capture, where it is absent.
fn real(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let data = std::env::var_os("ACCRUE_DATA").map_or(beside, PathBuf::from);
    if data.join(name).join("train.parquet").is_file() {
        return Some(data);
    }
    let text = format!("SKIPPED: {} holds no `{name}`; set ACCRUE_DATA\n", data.display());
    std::io::stderr().write_all(text.as_bytes()).unwrap();
    None
}

/// Twelve texts of two kinds, with what a CSV has to quote.
fn texts() -> Vec<(String, usize)> {
    let document = |i: usize| match i % 2 {
        0 => (format!("A dull, \"flat\" film; number {i}.\nReally bad."), 0),
        _ => (format!("A bright film, number {i}: really good!"), 1),
    };
    (0..12).map(document).collect()
}

fn settings(train: impl Into<PathBuf>) -> Settings {
    Settings {
        source: Source::File(File { train: train.into(), ..File::default() }),
        validation: 0.25,
        test: 0.25,
        ..Settings::default()
    }
}

fn read(settings: &Settings) -> Result<Corpus> {
    load(settings, Path::new("data"), 1).map(|l| l.corpus)
}

fn refused(settings: &Settings) -> String {
    match read(settings) {
        Ok(_) => panic!("not refused"),
        Err(error) => error.to_string(),
    }
}

fn csv(texts: &[(String, usize)], separator: char, names: Option<[&str; 2]>) -> String {
    let mut file = format!("text{separator}label\n");
    for (text, label) in texts {
        let text = text.replace('"', "\"\"");
        let label = names.map_or(label.to_string(), |n| n[*label].to_string());
        file += &format!("\"{text}\"{separator}{label}\n");
    }
    file
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

fn parquet(folder: &Path, name: &str, mut frame: DataFrame) -> PathBuf {
    let path = folder.join(name);
    let file = std::fs::File::create(&path).unwrap();
    ParquetWriter::new(file).finish(&mut frame).unwrap();
    path
}

#[test]
fn a_parquet_page_of_fewer_than_no_values_is_refused_before_memory_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    // Values that are missing make the reader count by the page's header, where 37 is written as 74 (zigzag).
    let text: Vec<Option<&str>> = (0..37).map(|i| (i != 5).then_some("good")).collect();
    let label: Vec<Option<i64>> = (0..37).map(|i| (i != 5).then_some(i % 2)).collect();
    let frame = df!("text" => text, "label" => label).unwrap();
    let path = parquet(folder.path(), "page.parquet", frame);
    let mut bytes = std::fs::read(&path).unwrap();
    let headers: Vec<usize> =
        (0..bytes.len() - 1).filter(|&i| bytes[i..i + 2] == [0x15, 74]).collect();
    assert!(!headers.is_empty());
    headers.into_iter().for_each(|i| bytes[i + 1] = 73);
    std::fs::write(&path, bytes).unwrap();
    let said = refused(&settings(&path));
    assert!(said.contains("page.parquet") && said.contains("less than nothing"), "{said}");
}

/// Documents and labels of all splits as words, sorted.
fn content(corpus: &Corpus) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for split in [&corpus.train, &corpus.validation, &corpus.test] {
        for (d, tokens) in split.documents.iter().enumerate() {
            let words: Vec<&str> =
                tokens.iter().map(|&t| corpus.words[t as usize].as_str()).collect();
            all.push((words.join(" "), labels(corpus, split, d)));
        }
    }
    all.sort();
    all
}

fn labels(corpus: &Corpus, split: &Split, d: usize) -> Vec<String> {
    let name = |k: usize| corpus.label_names[k].clone();
    match &split.labels {
        Labels::Class(classes) => vec![name(classes[d] as usize)],
        Labels::Multi { labels, flags } => {
            (0..*labels).filter(|k| flags[d * labels + k]).map(name).collect()
        }
        Labels::Score(_) => Vec::new(),
    }
}

#[test]
fn every_form_of_file_gives_the_same_documents() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let texts = texts();
    let names = ["bad", "good"];
    let comma = write(folder, "reviews.csv", csv(&texts, ',', Some(names)));
    let tab = write(folder, "reviews.tsv", csv(&texts, '\t', Some(names)));
    let line = |(text, label): &(String, usize)| {
        serde_json::json!({"text": text, "label": names[*label], "other": 1}).to_string() + "\n"
    };
    let json = write(folder, "reviews.jsonl", texts.iter().map(line).collect::<String>());
    for (i, (text, label)) in texts.iter().enumerate() {
        write(folder, &format!("reviews/{}/{i:02}.txt", names[*label]), text);
    }
    let frame = df!(
        "text" => texts.iter().map(|t| t.0.as_str()).collect::<Vec<_>>(),
        "label" => texts.iter().map(|t| names[t.1]).collect::<Vec<_>>(),
    );
    let table = parquet(folder, "reviews.parquet", frame.unwrap());

    let expected = content(&read(&settings(&comma)).unwrap());
    assert_eq!(expected.len(), 12);
    let dull = expected.iter().find(|c| c.0.contains("dull")).unwrap();
    assert!(dull.1 == ["bad"] && dull.0.contains("flat \" film"), "{dull:?}");
    for path in [tab, json, folder.join("reviews"), table] {
        let corpus = read(&settings(&path)).unwrap();
        assert_eq!(corpus.label_names, names, "{}", path.display());
        assert_eq!(content(&corpus).len(), 12, "{}", path.display());
        let (mut a, mut b) = (Vec::new(), Vec::new());
        content(&corpus).into_iter().for_each(|c| a.push(c.1));
        expected.iter().for_each(|c| b.push(c.1.clone()));
        a.sort();
        b.sort();
        assert_eq!(a, b, "{}", path.display());
    }
}

#[test]
fn integer_labels_take_the_given_names() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "numbers.csv", csv(&texts(), ',', None));
    let mut own = settings(&path);
    assert_eq!(read(&own).unwrap().label_names, ["0", "1"]);
    let Source::File(file) = &mut own.source else { unreachable!() };
    file.names = vec!["bad".into(), "good".into()];
    let corpus = read(&own).unwrap();
    assert_eq!(corpus.label_names, ["bad", "good"]);
    assert!(content(&corpus).iter().filter(|c| c.1 == ["good"]).count() == 6);
}

#[test]
fn text_of_several_columns_is_joined_and_label_lists_are_flags() {
    let folder = tempfile::tempdir().unwrap();
    let titles: Vec<String> = (0..20).map(|i| format!("title{}", i % 3)).collect();
    let bodies: Vec<String> = (0..20).map(|i| format!("body{}", i % 2)).collect();
    let lists: Vec<Series> = (0..20)
        .map(|i| {
            let carried: Vec<i64> = [0, 1, 2].into_iter().filter(|k| i >> k & 1 == 1).collect();
            Series::new("".into(), carried)
        })
        .collect();
    let frame = df!("title" => titles, "body" => bodies, "labels" => lists).unwrap();
    let path = parquet(folder.path(), "lists.parquet", frame);
    let mut own = settings(&path);
    let Source::File(file) = &mut own.source else { unreachable!() };
    file.text = vec!["title".into(), "body".into()];
    file.names = vec!["x".into(), "y".into(), "z".into()];
    own.tokens.least = 1;
    let corpus = read(&own).unwrap();
    let content = content(&corpus);
    assert!(content.iter().all(|c| c.0.starts_with("title") && c.0.contains(" body")));
    // Of 0..20, the numbers with bit 2 set: 4-7, 12-15.
    assert_eq!(content.iter().filter(|c| c.1.contains(&"z".to_string())).count(), 8);
    // Documents without any label stay: they are evidence for none.
    assert_eq!(content.iter().filter(|c| c.1.is_empty()).count(), 3);
}

/// A corpus of `stars` 1–5, ten documents each.
fn stars(folder: &Path) -> PathBuf {
    let rows: String =
        (0..50).map(|i| format!("\"film number {i} of kind {}\",{}\n", i % 5, i % 5 + 1)).collect();
    write(folder, "stars.csv", format!("text,label\n{rows}"))
}

#[test]
fn variants_keep_merge_balance_and_limit() {
    let folder = tempfile::tempdir().unwrap();
    let path = stars(folder.path());
    let variant = |variant: Variant| Settings { variant, ..settings(&path) };
    let numbers = |numbers: &[i64]| numbers.iter().map(|&n| Label::Number(n)).collect::<Vec<_>>();
    let size = |c: &Corpus| {
        c.train.documents.len() + c.validation.documents.len() + c.test.documents.len()
    };

    let kept = read(&variant(Variant { keep: numbers(&[5, 1]), ..Variant::default() })).unwrap();
    assert_eq!(kept.label_names, ["5", "1"]);
    assert_eq!(size(&kept), 20);
    assert!(kept.notes.iter().any(|n| n.contains("30 documents")), "{:?}", kept.notes);

    let groups = vec![
        Group { name: "negative".into(), of: numbers(&[1, 2]) },
        Group { name: "positive".into(), of: numbers(&[4, 5]) },
    ];
    let merged = read(&variant(Variant { groups, ..Variant::default() })).unwrap();
    assert_eq!(merged.label_names, ["negative", "positive"]);
    assert_eq!(size(&merged), 40);
    assert!(content(&merged).iter().all(|(text, label)| {
        let kind: usize = text.split(' ').next_back().unwrap().parse().unwrap();
        label[0] == if kind < 2 { "negative" } else { "positive" }
    }));

    let limited = read(&variant(Variant { documents: Some(10), ..Variant::default() })).unwrap();
    assert_eq!(limited.train.documents.len(), 10);
    let unknown = refused(&variant(Variant { keep: numbers(&[1, 7]), ..Variant::default() }));
    assert!(unknown.contains("stars.csv") && unknown.contains("no label `7`"), "{unknown}");
}

#[test]
fn splits_are_stratified_disjoint_and_fixed_by_the_seed() {
    let folder = tempfile::tempdir().unwrap();
    let path = stars(folder.path());
    let own = Settings { test: 0.2, validation: 0.25, ..settings(&path) };
    let corpus = read(&own).unwrap();
    for (split, each) in [(&corpus.test, 2), (&corpus.validation, 2), (&corpus.train, 6)] {
        let Labels::Class(classes) = &split.labels else { panic!("single labels") };
        for class in 0..5 {
            assert_eq!(classes.iter().filter(|&&c| c == class).count(), each);
        }
    }
    assert_eq!(content(&corpus).len(), 50);
    assert_eq!(read(&own).unwrap(), corpus);
    let other = load(&own, Path::new("data"), 2).unwrap().corpus;
    assert_ne!(other.test, corpus.test);
}

#[test]
fn documents_that_belong_together_are_noticed_and_set_apart_together() {
    let folder = tempfile::tempdir().unwrap();
    // Forty films, four reviews each, which name their actor; every second film is bad.
    let review = |i: usize| {
        let (film, verdict) = (i / 4, ["bad", "good"][i / 4 % 2]);
        (format!("number {i}: {verdict}, with actor{film} and more"), film % 2)
    };
    let texts: Vec<_> = (0..160).map(review).collect();
    let path = write(folder.path(), "train.csv", csv(&texts, ',', None));
    let single = settings(&path);
    let corpus = read(&single).unwrap();
    let notes = corpus.notes.join("\n");
    assert!(notes.contains("side by side") && notes.contains("corpus.together: 100"), "{notes}");
    let together = Settings { together: 4, ..single.clone() };
    let corpus = read(&together).unwrap();
    assert!(!corpus.notes.join("\n").contains("side by side"), "{:?}", corpus.notes);
    // Of twenty films of each label five are tested on; of fifteen, four validate (3.75, rounded).
    for (split, films) in [(&corpus.test, 10), (&corpus.validation, 8), (&corpus.train, 22)] {
        assert_eq!(split.documents.len(), 4 * films);
    }
    let labels: Vec<[usize; 1]> = (0..160).map(|i| [i / 4 % 2]).collect();
    let (_, aside) = split::apart(&labels, 0.25, 4, &mut accrue::seed::stream(1, "films"));
    let mut films: Vec<usize> = aside.iter().map(|row| row / 4).collect();
    films.dedup();
    assert_eq!((aside.len(), films.len()), (40, 10), "a film goes with all its reviews");
    // Too few for a run of a hundred: one of sixteen instead, of each label's eighty.
    let (_, aside) = split::apart(&labels, 0.2, 100, &mut accrue::seed::stream(1, "films"));
    assert_eq!(aside.len(), 32);
    // In any other order neighbours are no kin.
    let mixed: Vec<_> = (0..160).map(|i| review(i * 49 % 160)).collect();
    let path = write(folder.path(), "mixed.csv", csv(&mixed, ',', None));
    let notes = read(&settings(&path)).unwrap().notes.join("\n");
    assert!(!notes.contains("side by side"), "{notes}");
}

#[test]
fn bad_files_are_refused_with_file_place_and_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let says = |path: PathBuf, parts: &[&str]| {
        let said = refused(&settings(&path));
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        for part in parts.iter().copied().chain([name.as_str()]) {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
        assert!(!said.contains("panicked") && said.len() < 400, "{said}");
    };
    says(write(folder, "empty.csv", ""), &["the file is empty", "again"]);
    says(write(folder, "header.csv", "text,label\n"), &["no rows"]);
    says(write(folder, "column.csv", "txt,label\na,1\nb,0\n"), &["no column `text`", "txt"]);
    says(write(folder, "label.csv", "text,stars\na,1\nb,0\n"), &["no column `label", "stars"]);
    says(write(folder, "one.csv", "text,label\na,1\nb,1\n"), &["1 class", "needs two"]);
    says(
        write(folder, "half.csv", "text,label\na,1\nb,0.5\n"),
        &["row 2, column `label`", "label 0.5 is not a whole number"],
    );
    says(write(folder, "gap.csv", "text,label\na,1\nb,\nc,0\n"), &["row 2", "column `label`"]);
    says(
        write(folder, "latin.csv", b"text,label\ngood,1\ncaf\xe9,0\n"),
        &["line 3", "not valid UTF-8", "encoding"],
    );
    says(write(folder, "words.docx", "x"), &["`.docx`", "parquet, csv"]);
    says(folder.join("missing.csv"), &["no such file"]);

    let frame = df!("text" => ["a", "b"], "label" => [0, 1]).unwrap();
    let whole = std::fs::read(parquet(folder, "whole.parquet", frame)).unwrap();
    says(write(folder, "cut.parquet", &whole[..whole.len() / 2]), &["cut short", "again"]);
    says(write(folder, "cut2.parquet", &whole[..3]), &["cut short", "again"]);
    says(write(folder, "no.parquet", "this is no parquet file at all"), &["cut short"]);
    says(write(folder, "bad.jsonl", "{\"text\": \"a\", \"label\": 1}\n{\"te"), &["bad.jsonl"]);
    std::fs::create_dir(folder.join("bare")).unwrap();
    says(folder.join("bare"), &["label/*.txt"]);
}

#[test]
fn labels_out_of_range_and_absent_classes_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "range.csv", csv(&texts(), ',', None) + "more,5\n");
    let mut own = settings(&path);
    let Source::File(file) = &mut own.source else { unreachable!() };
    file.names = vec!["bad".into(), "good".into()];
    let said = refused(&own);
    assert!(said.contains("row 13, column `label`") && said.contains("label `5`"), "{said}");

    let path = write(folder.path(), "absent.csv", csv(&texts(), ',', None));
    let mut own = settings(&path);
    let Source::File(file) = &mut own.source else { unreachable!() };
    file.names = vec!["bad".into(), "good".into(), "great".into()];
    let said = refused(&own);
    assert!(said.contains("no training document of great"), "{said}");
}

#[test]
fn empty_unknown_and_doubled_documents_are_counted_and_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let train = write(
        folder.path(),
        "train.csv",
        csv(&texts(), ',', None) + "\" \",0\nsame thing said,1\nsame thing said,0\n",
    );
    let test = write(
        folder.path(),
        "test.csv",
        "text,label\nxyzzy plugh,0\nSame thing -- said!,1\nA bright film,1\n\"  \",0\n",
    );
    let mut own = settings(&train);
    let Source::File(file) = &mut own.source else { unreachable!() };
    file.test = Some(test.clone());
    file.validation = Some(test);
    own.tokens.least = 2;
    let corpus = read(&own).unwrap();
    let notes = corpus.notes.join("\n");
    assert!(notes.contains("1 of 4 test documents also stand in the training split"), "{notes}");
    assert!(notes.contains("training split: 1 documents without a token"), "{notes}");
    assert!(notes.contains("test split: 1 documents hold only unknown words"), "{notes}");
    assert_eq!(corpus.train.documents.len(), 14);
    assert_eq!(corpus.test.documents.len(), 3);
}

#[test]
fn long_documents_are_cut_or_dropped_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String =
        (1..=40).map(|i| format!("{},{}\n", vec!["word"; i].join(" "), i % 2)).collect();
    let path = write(folder.path(), "long.csv", format!("text,label\n{rows}"));
    let mut own = settings(&path);
    own.tokens.longest = 30;
    let cut = read(&own).unwrap();
    assert_eq!(content(&cut).len(), 40);
    let longest = cut.train.documents.iter().map(<[u32]>::len).max();
    assert_eq!(longest, Some(30));
    own.tokens.too_long = TooLong::Drop;
    let dropped = read(&own).unwrap();
    assert_eq!(content(&dropped).len(), 30);
    let counted = |c: &Corpus, end: &str| -> usize {
        let counts = c.notes.iter().filter(|n| n.contains(end));
        counts.map(|n| n.split(' ').nth(2).unwrap().parse::<usize>().unwrap()).sum()
    };
    assert_eq!(counted(&cut, "were cut"), 10);
    assert_eq!(counted(&dropped, "over 30 tokens were left out"), 10);
}

#[test]
fn words_are_lower_case_with_punctuation_apart_and_line_breaks_gone() {
    let texts: Vec<String> = vec!["It's GOOD<br /><br />Not bad, isn’t it? don't".into(); 3];
    let tokenizer = Tokenizer::new(&tokens::Settings::default(), &texts).unwrap();
    let words = tokenizer.words();
    let ids = &tokenizer.encode(&texts[..1]).unwrap()[0];
    let said: Vec<&str> = ids.iter().map(|&t| words[t as usize].as_str()).collect();
    let whole = said.join(" ");
    assert!(!whole.contains("br") && !whole.contains('<'), "{whole}");
    assert!(said.contains(&"good") && said.contains(&","), "{whole}");
    assert!(!said.contains(&"bad,"), "{whole}");
    // What is written is what is read.
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "tokenizer.json", tokenizer.to_json());
    let again = Tokenizer::read(&path).unwrap();
    assert_eq!(again.words(), words);
    assert_eq!(again.encode(&texts).unwrap(), tokenizer.encode(&texts).unwrap());
    let damaged = write(folder.path(), "damaged.json", "{}");
    let said = Tokenizer::read(&damaged).err().unwrap().to_string();
    assert!(said.contains("damaged.json") && said.contains("Hugging Face"), "{said}");
}

#[test]
fn word_pieces_join_to_the_words_they_came_from() {
    let texts: Vec<String> = (0..50)
        .map(|i| format!("walking walked walker talks talking talked number{}", i % 7))
        .collect();
    let settings = tokens::Settings {
        kind: tokens::Kind::WordPiece,
        vocabulary: 60,
        ..tokens::Settings::default()
    };
    let tokenizer = Tokenizer::new(&settings, &texts).unwrap();
    let words = tokenizer.words();
    assert!(words.len() <= 60);
    let ids = &tokenizer.encode(&texts[..1]).unwrap()[0];
    let mut joined = String::new();
    for &t in ids {
        match words[t as usize].strip_prefix("##") {
            Some(rest) => joined.push_str(rest),
            None => joined.push_str(&format!(" {}", words[t as usize])),
        }
    }
    assert_eq!(joined.trim(), texts[0]);
}

#[test]
fn a_corpus_on_disk_reads_back_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = stars(folder.path());
    let corpus = read(&settings(&path)).unwrap();
    store::write(folder.path(), &corpus).unwrap();
    assert_eq!(store::read(folder.path()).unwrap(), corpus);
    let vocabulary = std::fs::File::open(folder.path().join(store::VOCABULARY)).unwrap();
    let table = ParquetReader::new(vocabulary).finish().unwrap();
    let total: u32 = table.column("count").unwrap().u32().unwrap().sum().unwrap();
    assert_eq!(total as usize, corpus.train.documents.token_count());
    std::fs::remove_file(folder.path().join(store::DOCUMENTS)).unwrap();
    assert!(matches!(store::read(folder.path()), Err(Error::Io { .. })));
}

#[test]
fn a_corpus_that_is_not_here_says_which_files_to_place_where() {
    let folder = tempfile::tempdir().unwrap();
    let named = Settings { source: Source::Named("imdb".into()), ..Settings::default() };
    let said = load(&named, folder.path(), 1).err().unwrap().to_string();
    for part in ["imdb/train.parquet", "imdb/test.parquet", "text", "label", "https://"] {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
    let typo = Settings { source: Source::Named("imbd".into()), ..Settings::default() };
    let error = load(&typo, folder.path(), 1).err().unwrap();
    assert!(error.to_string().contains("imdb") && error.exit_status() == 2, "{error}");
}

#[test]
fn the_catalogue_knows_the_nine_corpora_and_takes_ones_own() {
    let folder = tempfile::tempdir().unwrap();
    let names = [
        "imdb",
        "ag_news",
        "dbpedia_14",
        "yelp_review_full",
        "amazon",
        "go_emotions",
        "sst2",
        "sst5",
        "newsgroups",
    ];
    let catalogue = Catalogue::open(folder.path()).unwrap();
    for name in names {
        let entry = catalogue.get(name).unwrap();
        assert!(entry.names.len() >= 2 && !entry.licence.is_empty() && !entry.rows.is_empty());
    }
    assert_eq!(catalogue.list(folder.path()).lines().count(), catalogue.entries().len());
    let own = "[(name: \"mine\", about: \"x\", source: Archive(url: \"u\", splits: []), \
               text: [\"text\"], label: \"label\", names: [\"a\", \"b\"], structure: Unordered, \
               rows: [(\"train\", 2)], licence: \"l\", cite: \"c\")]";
    write(folder.path(), "corpora.ron", own);
    assert!(Catalogue::open(folder.path()).unwrap().get("mine").is_ok());
    write(folder.path(), "corpora.ron", own.replace("licence", "license"));
    let said = Catalogue::open(folder.path()).unwrap_err().to_string();
    assert!(said.contains("corpora.ron:1:") && said.contains("`licence`"), "{said}");
}

#[test]
fn real_corpora_hold_the_rows_their_readme_states() {
    for (name, train, test, labels) in [
        ("sst2", 6920, 1821, 2),
        ("sst5", 8544, 2210, 5),
        ("ag_news", 20208, 7600, 4),
        ("go_emotions", 43410, 5427, 28),
        ("amazon", 9540, 2000, 5),
    ] {
        let Some(data) = real(name) else { continue };
        let named = Settings { source: Source::Named(name.into()), ..Settings::default() };
        let corpus = load(&named, &data, 1).unwrap().corpus;
        // A tenth of the training rows is set apart where there is no validation file.
        let found = (corpus.train.documents.len(), corpus.test.documents.len());
        assert!(found.0.abs_diff(train) <= 2 && found.1 == test, "{name}: {found:?}");
        assert_eq!(corpus.label_names.len(), labels, "{name}");
        if name == "go_emotions" {
            let doubled = corpus.notes.iter().find(|n| n.contains("also stand in"));
            assert!(doubled.is_some_and(|n| n.starts_with("111 of 5427")), "{doubled:?}");
            let Labels::Multi { flags, .. } = &corpus.train.labels else { panic!("lists") };
            let gratitude = flags.iter().skip(15).step_by(28).filter(|f| **f).count();
            assert_eq!(gratitude, 2662);
        }
    }
}

/// Texts of letters of many scripts, marks, digits, apostrophes, tags, blanks.
pub(crate) fn odd_text() -> impl proptest::strategy::Strategy<Value = String> {
    use proptest::prelude::*;
    let piece = prop_oneof![
        "[a-zA-Z]{1,6}",
        "[0-9_]{1,3}",
        "(don't|it's|rock'n'roll|'tis|o''clock|x'2|İstanbul|ẞ|ǅ|straße|ΑΣ)",
        "(<br />|<BR>|<br\t/>|<br|<br / >|<b>)",
        r"\PC",
        "[éàüñçø漢字かなЖдαβγⅣ²½ⓐ́̈ःাี’‘“”…—€🙂]{1,3}",
        "[ \t\n\u{a0}\u{2003}]{1,2}",
        "[.,;:!?()'\"-]",
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

#[test]
fn marks_of_young_scripts_are_ordered_as_the_stored_tokenizer_orders_them() {
    use accrue::corpus::tokens::{Settings, Tokenizer};
    // Nag Mundari (Unicode 15): tables that know its marks put the diaeresis first.
    let texts = ["\u{1e4ec}\u{308}".to_string()];
    let own = Tokenizer::new(&Settings { least: 1, ..Settings::default() }, &texts).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokenizer.json");
    std::fs::write(&path, own.to_json()).unwrap();
    assert_eq!(own.encode(&texts).unwrap(), [[1]]);
    assert_eq!(Tokenizer::read(&path).unwrap().encode(&texts).unwrap(), [[1]]);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 400, failure_persistence: None, ..Default::default()
    })]
    #[test]
    fn words_are_those_of_the_stored_tokenizer(texts in proptest::collection::vec(odd_text(), 1..12)) {
        use accrue::corpus::tokens::{Settings, Tokenizer};
        let settings = Settings { least: 1, vocabulary: 60, ..Settings::default() };
        let own = Tokenizer::new(&settings, &texts).unwrap();
        // Stored and read back, the general machinery does the work.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, own.to_json()).unwrap();
        let stored = Tokenizer::read(&path).unwrap();
        proptest::prop_assert_eq!(own.words(), stored.words());
        proptest::prop_assert_eq!(own.encode(&texts).unwrap(), stored.encode(&texts).unwrap());
    }
}

#[test]
fn the_vocabulary_is_the_most_frequent_words_in_a_fixed_order() {
    use accrue::corpus::tokens::{Settings, Tokenizer};
    let texts = ["b a b c a b <unk>", "C d d e", "<br/>e f’s"].map(String::from);
    let words = |least, vocabulary| {
        let settings = Settings { least, vocabulary, ..Settings::default() };
        Tokenizer::new(&settings, &texts).unwrap().words()
    };
    assert_eq!(words(2, 100), ["<unk>", "b", "a", "c", "d", "e"]);
    assert_eq!(words(2, 3), ["<unk>", "b", "a"]);
    assert!(words(1, 100).contains(&"f's".to_string()));
}

#[test]
fn a_vocabulary_that_is_given_decides_the_ids() {
    use accrue::corpus::tokens::{Kind, Settings, Tokenizer};
    let folder = tempfile::tempdir().unwrap();
    let texts = ["good film , bad Film".to_string()];
    let with = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        Tokenizer::new(&Settings { kind: Kind::List(path), ..Settings::default() }, &[])
    };
    // Without a word for the unknown, unknown words are left out.
    let plain = with("words.txt", "<pad>\nfilm\ngood\n").unwrap();
    assert_eq!(plain.encode(&texts).unwrap(), [[2, 1, 1]]);
    assert_eq!(plain.words(), ["<pad>", "film", "good"]);
    let unknown = with("words.json", "{\"film\": 3, \"[UNK]\": 1}").unwrap();
    assert_eq!(unknown.encode(&texts).unwrap(), [[1, 3, 1, 1, 3]]);
    assert_eq!(unknown.unknown(), Some(1));
    assert_eq!(unknown.words()[0], "[0]");
    // A vocabulary with capitals keeps those of the text.
    let cased = with("cased.txt", "UNK\nfilm\nFilm\ngood\n").unwrap();
    assert_eq!(cased.encode(&texts).unwrap(), [[3, 1, 0, 0, 2]]);
    let lower = with("lower.txt", "UNK\nfilm\ngood\n").unwrap();
    assert_eq!(lower.encode(&texts).unwrap(), [[2, 1, 0, 0, 1]]);
    // What is stored says the same.
    for given in [&plain, &cased] {
        let path = folder.path().join("tokenizer.json");
        std::fs::write(&path, given.to_json()).unwrap();
        let stored = Tokenizer::read(&path).unwrap();
        assert_eq!(stored.encode(&texts).unwrap(), given.encode(&texts).unwrap());
        assert_eq!(stored.words(), given.words());
    }
    for (name, text, problem) in [
        ("twice.txt", "a\nb\na\n", "`a` is word 1 too"),
        ("empty.txt", "\n\n", "no word"),
        ("broken.json", "{\"a\": }", "line 1"),
    ] {
        let message = with(name, text).err().expect("refused").to_string();
        assert!(message.contains(problem) && message.contains(name), "{message}");
    }
}
