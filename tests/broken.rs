//! Readers that no file can break, and pages that no text can break.

#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/targets.rs"]
mod targets;

use accrue::corpus::catalogue::Catalogue;
use accrue::engine::Finished;
use accrue::experiment::{Experiment, Study};
use accrue::records::{self, column};
use accrue::report::{escape, figure, page};
use accrue::{files, parquet};
use rand::SeedableRng;
use rand::rngs::StdRng;
use std::path::Path;
use std::time::{Duration, Instant};

/// Labels and words that mean something to a page, a drawing, a script or a terminal.
const NASTY: [&str; 9] = [
    "<!-- x <script>",
    "</script><b>",
    "\u{1b}[31mred\u{9b}0m",
    "a\0b\u{7}",
    "\u{202e}olleh",
    "\"'&<>",
    "]]>",
    "${x}\u{2028}`",
    "\u{ffff}",
];

#[test]
fn inputs_near_good_ones_break_no_reader() {
    let folder = tempfile::tempdir().unwrap();
    for target in targets::TARGETS {
        let begun = Instant::now();
        let seeds = (target.seeds)();
        let place = folder.path().join(target.name);
        std::fs::create_dir(&place).unwrap();
        for number in 0..400 {
            // Readers of single lines are quick, figures are not.
            if begun.elapsed() > Duration::from_millis(500) {
                break;
            }
            let mut draw = StdRng::seed_from_u64(number);
            let good = &seeds[number as usize % seeds.len()];
            let bytes = match target.shaped {
                Some(shaped) if number % 2 == 0 => shaped(good, &mut draw),
                _ => mutate::mutated(good, &seeds, target.tokens, &mut draw),
            };
            let read = std::panic::AssertUnwindSafe(|| (target.run)(&bytes, &place));
            let done = std::panic::catch_unwind(read);
            assert!(
                done.is_ok(),
                "{}, input {number}: {:?}",
                target.name,
                String::from_utf8_lossy(&bytes)
            );
        }
    }
}

#[test]
fn tables_that_a_record_vouches_for_are_read_to_their_end() {
    // Else the target that exchanges tables would meet the hashes alone.
    let folder = tempfile::tempdir().unwrap();
    for seed in targets::tables().into_iter().step_by(9) {
        assert!(targets::exchanged(&seed, folder.path()));
        targets::explained(folder.path()).unwrap();
        targets::rewritten(folder.path()).unwrap();
    }
}

// ---- experiments ------------------------------------------------------------

fn refusal(set: &str) -> String {
    Experiment::default().with(set).unwrap_err().to_string()
}

#[test]
fn every_number_has_bounds_and_the_message_names_setting_value_and_range() {
    for (set, setting, range) in [
        ("prediction.bootstrap=18446744073709551615", "prediction.bootstrap", "at most 100000"),
        ("model.embedding=0", "model.embedding", "at least 1, at most 8192"),
        ("model.embedding=4294967296", "model.embedding", "at most 8192"),
        ("corpus.source.length=0", "length", "at least 1"),
        ("training.epochs=99999999", "training.epochs", "at most 1000000"),
        ("training.clip=inf", "training.clip", "at most 1e38"),
        ("training.learning_rate=NaN", "training.learning_rate", "above 0"),
        ("fixed_points.finder.tolerances=[-1.0]", "fixed_points.finder.tolerances", "0 or more"),
        ("states.most=999999999", "states.most", "at most 1000000"),
    ] {
        let said = refusal(set);
        let value = set.split('=').nth(1).unwrap().trim_matches(['[', ']']).trim_end_matches(".0");
        assert!(
            said.contains(setting) && said.contains(value) && said.contains(range),
            "{set}: {said}"
        );
    }
    // A million classes have a million million scores.
    let many = refusal("corpus.source=Synthetic(kind: Unordered(classes: 1000000))");
    assert!(many.contains("classes") && many.contains("at most 1000"), "{many}");
}

#[test]
fn a_file_that_says_nothing_is_no_experiment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.ron");
    for text in ["()", "Task()", "// later\n(seed: 1)"] {
        std::fs::write(&path, text).unwrap();
        let said = Study::read(&path, &[]).unwrap_err().to_string();
        assert!(said.contains("empty.ron") && said.contains("corpus: (source"), "{text}: {said}");
    }
    // What the command line says counts.
    assert!(Study::read(&path, &["corpus.source=Named(\"sst2\")".into()]).is_ok());
}

#[test]
fn a_network_or_trials_that_no_machine_holds_are_refused_before_memory_is_asked_for() {
    use accrue::model::{Config, Head, Network};
    let config = Config { units: 8192, embedding: Some(8192), ..Config::default() };
    let said =
        Network::new(&config, Head::Softmax, 10_000_000_usize, 2, 1).err().unwrap().to_string();
    assert!(said.contains("model.embedding") && said.contains("at most 2000000000"), "{said}");
}

#[test]
fn brackets_without_end_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["(".repeat(200_000), "[".repeat(200_000), format!("(grid: {}", "[".repeat(50_000))]
    {
        let path = folder.path().join("deep.ron");
        std::fs::write(&path, text).unwrap();
        let said = Experiment::read(&path, &[]).unwrap_err().to_string();
        assert!(said.contains("deep.ron:1:"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn what_has_no_end_is_no_file() {
    let said = Study::read(Path::new("/dev/zero"), &[]).unwrap_err().to_string();
    assert!(said.contains("/dev/zero") && said.contains("no regular file"), "{said}");
    // A corpus is hashed before it is read.
    let said = files::fingerprint(Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(said.contains("no regular file"), "{said}");
    let kind = accrue::corpus::tokens::Kind::List("/dev/zero".into());
    let settings = accrue::corpus::tokens::Settings { kind, ..Default::default() };
    let said = accrue::corpus::tokens::Tokenizer::new(&settings, &[]).err().unwrap().to_string();
    assert!(said.contains("/dev/zero") && said.contains("no regular file"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.ron");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let said = Study::read(&pipe, &[]).unwrap_err().to_string();
    assert!(said.contains("pipe.ron") && said.contains("no regular file"), "{said}");
    let large = folder.path().join("large.ron");
    std::fs::File::create(&large).unwrap().set_len(1 << 33).unwrap();
    let said = Study::read(&large, &[]).unwrap_err().to_string();
    assert!(said.contains("large.ron") && said.contains("at most 1048576"), "{said}");
}

#[test]
fn a_grid_of_more_cases_than_anyone_runs_is_refused() {
    let values = format!("[{}]", (0..400).map(|i| i.to_string()).collect::<Vec<_>>().join(", "));
    let axis = |set: &str| format!("(set: \"{set}\", to: {values})");
    let grid = format!("grid=[{}, {}]", axis("seed"), axis("training.steps"));
    let experiment = Experiment::default().with(&grid).unwrap();
    let said = accrue::experiment::grid::cases(&experiment).unwrap_err().to_string();
    assert!(said.contains("160000") && said.contains("100000"), "{said}");
}

#[test]
fn a_grid_with_one_network_twice_is_refused() {
    let said = |grid: &str| {
        let experiment = Experiment::default().with(grid).unwrap();
        accrue::experiment::grid::cases(&experiment).unwrap_err().to_string()
    };
    let twice = said("grid=[(set: \"seed\", to: [1, 2, 1])]");
    assert!(twice.contains("`seed` is 1 twice"), "{twice}");
    let axes = said("grid=[(set: \"seed\", to: [1, 2]), (set: \"seed\", to: [3, 4])]");
    assert!(axes.contains("two axes set `seed`"), "{axes}");
    // A value that stands beside others is another network each time.
    let linked = "grid=[(set: \"model.cell\", to: [\"Gru\", \"Gru\"], linked: [(set: \"seed\", to: [1, 2])])]";
    let experiment = Experiment::default().with(linked).unwrap();
    assert_eq!(accrue::experiment::grid::cases(&experiment).unwrap().len(), 2);
}

// ---- tables -----------------------------------------------------------------

#[test]
fn a_table_that_was_exchanged_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path().join("run");
    copied(targets::finished(), &run);
    let table = run.join("tables/words.parquet");
    std::fs::remove_file(&table).unwrap();
    std::fs::copy(run.join("tables/notes.parquet"), &table).unwrap();
    let said = Finished::open(&run, &["baselines"]).unwrap_err().to_string();
    assert!(said.contains("words.parquet") && said.contains("SHA-256"), "{said}");
    assert!(said.contains("accrue run"), "{said}");
    std::fs::remove_file(&table).unwrap();
    let said = Finished::open(&run, &["baselines"]).unwrap_err().to_string();
    assert!(said.contains("words.parquet") && said.contains("gone"), "{said}");
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.path().is_dir() {
            true => copied(&entry.path(), &target),
            false => std::fs::copy(entry.path(), target).map(|_| ()).unwrap(),
        }
    }
}

#[test]
fn a_damaged_table_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    records::Notes { stage: column(["train"; 40]), note: column(["cut"; 40]) }
        .write(folder.path())
        .unwrap();
    let path = records::Notes::path(folder.path());
    let good = std::fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        std::fs::write(&path, &bytes).unwrap();
        // Some bytes are names and statistics that nobody reads.
        let read = records::Notes::read(folder.path()).and_then(|t| Ok((t.stage()?, t.note()?)));
        if let Err(e) = read {
            let said = e.to_string();
            assert!(
                said.contains("notes.parquet") && said.contains("accrue run"),
                "byte {at}: {said}"
            );
        }
    }
    for cut in [0, 3, 12, good.len() / 2, good.len() - 1] {
        assert!(parquet::parse("cut.parquet", good[..cut].to_vec(), "").is_err(), "{cut}");
    }
}

#[test]
fn lists_of_other_lengths_and_nulls_are_refused_where_a_matrix_is_declared() {
    let folder = tempfile::tempdir().unwrap();
    let table = |direction: [&[f64]; 2]| records::Axes {
        component: column(0..2),
        variance: column([0.0, 1.0]),
        untrained_variance: None,
        direction: column(direction),
    };
    table([&[1.0, 2.0], &[1.0]]).write(folder.path()).unwrap();
    let said = records::Axes::read(folder.path()).unwrap().direction().unwrap_err().to_string();
    assert!(
        said.contains("axes.parquet") && said.contains("direction") && said.contains("row 2"),
        "{said}"
    );
    table([&[1.0, 2.0], &[1.0, 3.0]]).write(folder.path()).unwrap();
    assert_eq!(records::Axes::read(folder.path()).unwrap().direction().unwrap()[1], [1.0, 3.0]);
}

#[test]
fn figures_of_numbers_that_are_none_are_drawn_without_them() {
    let folder = tempfile::tempdir().unwrap();
    let wild = [f64::NAN, f64::INFINITY, 1e308, -1e308, 1e-320, 0.0];
    let n = wild.len();
    // A component that no state has is no reason to draw as many.
    records::Memory {
        component: column([1, usize::MAX >> 1, 0, 1, 1, 2]),
        ratio: column(wild),
        memory: column(wild),
        explained: column(wild),
        together: column(wild),
        n: column([usize::MAX >> 1; 6]),
    }
    .write(folder.path())
    .unwrap();
    records::Relaxation {
        step: column(0..n),
        low: column(wild),
        median: column(wild),
        high: column(wild),
        n: column([1; 6]),
    }
    .write(folder.path())
    .unwrap();
    assert_eq!(figure::all(folder.path()).unwrap().len(), 2);
    records::Memory {
        component: column(0..0),
        ratio: column([0.0; 0]),
        memory: column([0.0; 0]),
        explained: column([0.0; 0]),
        together: column([0.0; 0]),
        n: column(0..0),
    }
    .write(folder.path())
    .unwrap();
    assert_eq!(figure::all(folder.path()).unwrap().len(), 2, "an empty table has an empty figure");
}

// ---- catalogues ---------------------------------------------------------------

#[test]
fn names_of_a_catalogue_stay_in_the_data_folder() {
    let entry = |name: &str, split: &str| {
        format!(
            "[(name: {name:?}, about: \"\", source: Hub(repository: \"a/b\", revision: \"main\", files: [({split:?}, \
             [\"x\"])]), text: [\"text\"], label: \"label\", names: [], structure: Unordered, rows: [(\"train\", 1), \
             ({split:?}, 1)], licence: \"\", cite: \"\")]"
        )
    };
    assert!(Catalogue::parse("corpora.ron", &entry("my_reviews", "test")).is_ok());
    for (name, split) in [
        ("../up", "test"),
        ("/etc", "test"),
        ("a/b", "test"),
        (".hidden", "test"),
        ("", "test"),
        ("a", "../../x"),
        ("a", "/tmp/x"),
        ("a\0b", "test"),
    ] {
        let said = Catalogue::parse("corpora.ron", &entry(name, split)).unwrap_err().to_string();
        assert!(said.contains("corpora.ron"), "{name:?} {split:?}: {said}");
    }
}

// ---- pages --------------------------------------------------------------------

#[test]
fn control_characters_are_shown_and_not_obeyed() {
    assert_eq!(
        escape::visible("a\u{1b}[31m\u{9b}\0\u{202e}b\n\tc"),
        "a\\u001b[31m\\u009b\\u0000\\u202eb\n\tc"
    );
    assert_eq!(escape::on_a_line("a\nb"), "a\\nb");
    // What was JSON stays JSON of the same text.
    let json = serde_json::to_string(&NASTY).unwrap();
    let read: Vec<String> = serde_json::from_str(&escape::visible(&json)).unwrap();
    assert_eq!(read, NASTY);
}

#[test]
fn a_terminal_is_not_moved_by_a_label() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reviews.csv");
    let mut text = String::from("text,label\n");
    (0..40).for_each(|i| text += &format!("a film of {i},\u{1b}[31mred\nanother {i},blue\n"));
    std::fs::write(&file, text).unwrap();
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_accrue"))
        .args(["corpus", "stats", "--threads", "1"])
        .arg(&file)
        .output()
        .unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    assert!(said.contains("\\u001b[31mred") && !said.contains('\u{1b}'), "{said}");
    // Messages too: a name that is no file, with a colour in it.
    let done = std::process::Command::new(env!("CARGO_BIN_EXE_accrue"))
        .args(["run", "none\u{1b}[2J.ron"])
        .output()
        .unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("none\\u001b[2J.ron") && !said.contains('\u{1b}'), "{said}");
}

#[test]
fn data_for_scripts_opens_and_ends_no_element() {
    let json = escape::json(&NASTY);
    assert!(!json.contains(['<', '>', '&', '\u{2028}']), "{json}");
    let read: Vec<String> = serde_json::from_str(&json).unwrap();
    assert_eq!(read, NASTY);
}

#[test]
fn an_address_is_a_path_whatever_the_folder_is_called() {
    assert_eq!(escape::link("a b/c?d#e/javascript:x"), "a%20b/c%3Fd%23e/javascript%3Ax");
    assert_eq!(escape::link("sst2/gru-1.5_x~"), "sst2/gru-1.5_x~");
}

/// A run whose labels and words are nasty: states, their slow points, readouts and words.
fn nasty(folder: &Path) {
    let n = NASTY.len();
    let zeros = || column(vec![0.5; n]);
    let state: Vec<Vec<f64>> = (0..n).map(|i| vec![i as f64, 1.0]).collect();
    records::States {
        document: column(0..n),
        token: column(0..n),
        length: Some(column(0..n)),
        word: Some(column(NASTY)),
        label: column(NASTY),
        predicted: Some(column(NASTY)),
        pc_1: column((0..n).map(|i| i as f64)),
        pc_2: column((0..n).map(|i| (i * i) as f64)),
        pc_3: zeros(),
        readout: None,
        state: column(&state),
    }
    .write(folder)
    .unwrap();
    records::Readouts {
        output: column(0..n),
        name: column(NASTY),
        norm: zeros(),
        pc_1: column((0..n).map(|i| i as f64)),
        pc_2: zeros(),
        pc_3: zeros(),
        in_span: zeros(),
        angles: column(&vec![vec![90.0; n]; n]),
    }
    .write(folder)
    .unwrap();
    let none = || column(vec![None::<f64>; 0]);
    let empty = || column([0.0; 0]);
    let lists: Vec<Vec<f64>> = Vec::new();
    records::FixedPoints {
        input: column([""; 0]),
        tolerance: empty(),
        q: empty(),
        moved: empty(),
        steps: column(0..0),
        stop: column([""; 0]),
        primary: column([false; 0]),
        start: column([""; 0]),
        initial_state: column(vec![None::<usize>; 0]),
        distance_from_states: empty(),
        near: column([false; 0]),
        certified: column(vec![None::<bool>; 0]),
        radius: none(),
        stable: column(vec![None::<bool>; 0]),
        stability: column(vec![None::<&str>; 0]),
        spectral_bound: none(),
        index: none(),
        tau_1: none(),
        tau_2: none(),
        tau_3: none(),
        unstable: column(vec![None::<usize>; 0]),
        pc_1: empty(),
        pc_2: empty(),
        pc_3: empty(),
        readout: column(&lists),
        state: column(&lists),
    }
    .write(folder)
    .unwrap();
    records::Words {
        word: column(NASTY),
        id: column(0..n),
        count: column(vec![50; n]),
        evidence: column(&state),
        bag_of_words: column(&state),
        network: column(&state),
    }
    .write(folder)
    .unwrap();
    records::Dimensions {
        source: column(["states"]),
        measure: column(["participation_ratio"]),
        value: column([1.0]),
        n: column([9]),
    }
    .write(folder)
    .unwrap();
    records::Searches {
        input: column(NASTY),
        tolerance: zeros(),
        searches: column(0..n),
        reached: column(0..n),
        kept: column(0..n),
        median_moved: column(vec![None::<f64>; n]),
        too_far: column(0..n),
        stalled: column(0..n),
        out_of_steps: column(0..n),
        participation_ratio: zeros(),
    }
    .write(folder)
    .unwrap();
    records::Notes { stage: column(NASTY), note: column(NASTY) }.write(folder).unwrap();
}

#[test]
fn words_of_any_kind_make_pages_that_a_browser_and_drawings_that_an_xml_reader_read() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    nasty(run);
    let mut summary = accrue::report::Summary::new();
    summary.number(records::keys::DIMENSION_STATES, 2.0);
    let title = NASTY.join(" ");
    let page = page::Page {
        title: &title,
        corpus: NASTY[0],
        reads: page::Reads::Documents,
        network: NASTY[1],
        labels: NASTY.len(),
        lists: false,
        settings: NASTY[6],
        stages: &[],
        assets: "assets",
        walk: None,
    };
    page::write(run, &page, &summary).unwrap();
    accrue::report::plot::place(&run.join("assets")).unwrap();
    let mut drawn = 0;
    for figure in figure::all(run).unwrap() {
        let svg =
            std::fs::read_to_string(run.join(format!("figures/{}.svg", figure.name))).unwrap();
        roxmltree::Document::parse(&svg).unwrap_or_else(|e| panic!("{}: {e}", figure.name));
        drawn += 1;
    }
    assert!(drawn >= 2, "states and words");
    let html = std::fs::read_to_string(run.join("index.html")).unwrap();
    assert!(
        !html.contains(|c: char| c.is_control() && c != '\n' && c != '\t'),
        "control characters"
    );
    assert!(!html.contains("<!-- x") && !html.contains("</script><b>"));
    let Some(browser) = super::browser::browser() else { return };
    let (dom, said) = super::browser::open(&browser, &run.join("index.html"), "");
    assert!(said.is_empty(), "{said:?}");
    // The scripts ran: they show their buttons. Nothing that a word says became an element.
    assert!(
        dom.contains("Zoom and hover") && !dom.contains("data-figure=\"manifold\" hidden"),
        "{dom}"
    );
    assert!(!dom.contains("<b>"));
    // A plot that can be asked says its labels as they are.
    let (dom, said) = super::browser::open(&browser, &run.join("index.html"), "plot-manifold");
    assert!(said.is_empty(), "{said:?}");
    let key = dom.split("class=\"legend\"").nth(1).expect("the plot has a key");
    assert!(key.contains("&lt;!-- x &lt;script&gt;") && key.contains("\"'&amp;&lt;&gt;"), "{key}");
}

#[test]
fn texts_that_are_all_alike_predict_no_shape() {
    use accrue::corpus::{Documents, Labels, Split};
    let mut documents = Documents::new();
    (0..40).for_each(|_| documents.push(&[1, 2, 2]));
    let labels = Labels::Class((0..40).map(|i| i % 2).collect());
    let split = Split { documents, labels };
    let names = ["good", "bad"].map(String::from);
    let settings = accrue::stats::predict::Settings { bootstrap: 5, ..Default::default() };
    let found = accrue::stats::predict(&split, &names, 3, &settings, 1).unwrap();
    assert_eq!(found.shape.name(), "point");
}
