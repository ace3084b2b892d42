//! An experiment: what its file may say, and a run from its first stage to its
//! report, cut off, forced, and on any number of threads.

use accrue::experiment::{Experiment, Study, superseded};
use accrue::records::{self, keys};
use accrue::report::Summary;
use accrue::studies::text::{self, Options, STAGES};
use accrue::{Error, train};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Three topics, small enough to run whole in a few seconds.
const SMALL: &str = "(
    study: \"tests\",
    name: \"small\",
    corpus: (source: Synthetic(length: 12, train: 900, validation: 90, test: 180)),
    model: (embedding: None, units: 16),
    training: (
        epochs: 60,
        batch: 30,
        learning_rate: 0.1,
        decay: 0.999,
        decay_steps: 1,
        epsilon: 0.1,
        penalty: All(1e-4),
        checkpoint_every: 20,
    ),
    states: (documents: 120),
    fixed_points: (inputs: [Uniform, Zero], primary: 1e-4, initial_states: 96, spectra: 8, proofs: 8),
    prediction: (bootstrap: 50),
    context: (fit: true, least: 1, steps: 20, penalties: [3e-3]),
)";

fn write(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("small.ron");
    std::fs::write(&path, text).unwrap();
    path
}

/// Every `.ron` below the folder of experiments.
fn experiments(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> = entries
        .flat_map(|p| if p.is_dir() { experiments(&p) } else { vec![p] })
        .filter(|p| p.extension().is_some_and(|e| e == "ron"))
        .collect();
    found.sort();
    found
}

fn refusal(text: &str) -> (usize, usize, String) {
    let folder = tempfile::tempdir().unwrap();
    match Experiment::read(&write(folder.path(), text), &[]) {
        Err(Error::Experiment { file, line, column, problem }) => {
            assert!(file.ends_with("small.ron"));
            (line, column, problem)
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn every_experiment_file_parses() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline/experiments");
    let all = experiments(&top);
    assert!(all.len() >= 2, "{all:?}");
    for path in all {
        let (study, name, title) = match Study::read(&path, &[]).unwrap_or_else(|e| panic!("{e}")) {
            Study::Text(e) => (e.study, e.name, e.title),
            Study::Task(e) => (e.study, e.name, e.title),
            Study::Population(p) => (p.study, p.name, p.title),
            Study::Switching(s) => (s.study, s.name, s.title),
            Study::Gating(g) => (g.study, g.name, g.title),
            Study::Recording(r) => (r.study, r.name, r.title),
            Study::LearnedOptimiser(e) => (e.study, e.name, e.title),
            Study::MetaModel(e) => (e.study, e.name, e.title),
        };
        assert!(!study.is_empty() && !name.is_empty());
        assert!(!title.is_empty(), "{} has no title", path.display());
        assert!(superseded(&path).unwrap().is_empty(), "{} has old names", path.display());
    }
}

#[test]
fn an_unknown_field_is_refused_with_its_place_and_the_nearest_name() {
    let (line, column, problem) = refusal("(\n    training: (\n        epoch: 3,\n    ),\n)");
    assert_eq!((line, column), (3, 9), "{problem}");
    assert!(problem.contains("no setting `epoch`"), "{problem}");
    assert!(problem.contains("did you mean `epochs`"), "{problem}");
}

#[test]
fn an_unknown_choice_is_refused_with_the_nearest_name() {
    let (line, _, problem) = refusal("(\n  model: (cell: Gruu),\n)");
    assert_eq!(line, 2, "{problem}");
    assert!(problem.contains("`Gruu`") && problem.contains("`Gru`"), "{problem}");
}

#[test]
fn a_wrong_type_is_refused_with_its_place() {
    let (line, column, problem) = refusal("(\n    model: (units: \"many\"),\n)");
    assert_eq!(line, 2, "{problem}");
    assert!((19..=26).contains(&column), "{column}: {problem}");
    assert!(problem.contains("integer"), "{problem}");
}

#[test]
fn impossible_values_are_refused_where_they_stand() {
    for (text, said) in [
        ("(\n training: (learning_rate: -1.0))", "above 0"),
        ("(\n training: (batch: 0))", "at least 1"),
        ("(\n training: (dropout: 1.0))", "up to"),
        ("(\n corpus: (test: 1.5))", "up to"),
        ("(\n model: (units: 0))", "at least 1"),
        ("(\n fixed_points: (primary: 0.0))", "above 0"),
        ("(\n states: (documents: 0))", "at least 1"),
    ] {
        let (line, column, problem) = refusal(text);
        assert_eq!(line, 2, "{text}: {problem}");
        assert!(column > 10, "{text}: {column}");
        assert!(problem.contains("impossible") && problem.contains(said), "{text}: {problem}");
    }
}

#[test]
fn a_setting_of_the_command_line_stands_as_if_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), SMALL);
    let set = |s: &str| Experiment::read(&path, &[s.to_string()]);
    let plain = Experiment::read(&path, &[]).unwrap();
    let mut expected = plain.clone();
    expected.training.epochs = 3;
    assert_eq!(set("training.epochs=3").unwrap(), expected);
    expected = plain.clone();
    expected.title = "My own title".into();
    assert_eq!(set("title=My own title").unwrap(), expected);
    expected = plain.clone();
    expected.model.embedding = Some(7);
    assert_eq!(set("model.embedding=7").unwrap(), expected);
    assert_eq!(set("model.embedding=Some(7)").unwrap(), expected);
    let named = set("corpus.source=Named(\"imdb\")").unwrap();
    assert_eq!(named.corpus.source, accrue::corpus::Source::Named("imdb".into()));

    // One that is not written while it is off.
    expected = plain.clone();
    expected.training.crop = accrue::train::Crop { shortest: 5, longest: 9 };
    let cropped = set("training.crop=(shortest: 5, longest: 9)").unwrap();
    assert_eq!(cropped, expected);
    assert_eq!(cropped.with("training.crop.shortest=5").unwrap(), expected);

    let said = |s: &str| set(s).unwrap_err().to_string();
    assert!(said("training.crop.shortest=5").contains("longest"));
    assert!(said("training.batch.size=3").contains("`training.batch.size` lies in a setting"));
    assert!(said("training.epoch=3").contains("did you mean `epochs`"));
    assert!(said("training.epochs").contains("path=value"));
    assert!(said("training.epochs=many").contains("--set training.epochs=many"));
    assert!(said("training.batch=0").contains("at least 1"));
    assert_eq!(set("training.batch=0").unwrap_err().exit_status(), 2);
}

#[test]
fn the_resolved_experiment_reads_back_the_same() {
    for path in experiments(&Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline/experiments")) {
        let read = Study::read(&path, &[]).unwrap();
        let text = match &read {
            Study::Text(experiment) => accrue::notation::to_ron(experiment),
            Study::Task(experiment) => format!("Task{}", accrue::notation::to_ron(experiment)),
            Study::Population(p) => format!("Population{}", accrue::notation::to_ron(p)),
            Study::Switching(s) => format!("Switching{}", accrue::notation::to_ron(s)),
            Study::Gating(g) => format!("Gating{}", accrue::notation::to_ron(g)),
            Study::Recording(r) => format!("Recording{}", accrue::notation::to_ron(r)),
            Study::LearnedOptimiser(e) => {
                format!("LearnedOptimiser{}", accrue::notation::to_ron(e))
            }
            Study::MetaModel(e) => format!("MetaModel{}", accrue::notation::to_ron(e)),
        };
        let folder = tempfile::tempdir().unwrap();
        let copy = write(folder.path(), &text);
        assert_eq!(Study::read(&copy, &[]).unwrap(), read);
    }
}

/// Writes down which stages ran.
#[derive(Default)]
pub(super) struct Ran(Vec<String>);

impl text::Watch for Ran {
    fn begin(&mut self, _: &str) {}
    fn passed(&mut self, stage: &str, ran: Option<f64>) {
        self.0.extend(ran.map(|_| stage.to_string()));
    }
    fn training(&mut self) -> Box<dyn train::Watch + '_> {
        Box::new(())
    }
}

pub(super) fn run(experiment: &Experiment, out: &Path, force: &[&str]) -> (Vec<String>, PathBuf) {
    let force: Vec<String> = force.iter().map(|s| s.to_string()).collect();
    let mut watch = Ran::default();
    let options = Options { data: Path::new("data"), out, force: &force, watch: &mut watch };
    let folder = text::run(experiment, options).unwrap();
    (watch.0, folder)
}

pub(super) fn small(set: &[&str]) -> Experiment {
    let folder = tempfile::tempdir().unwrap();
    let set: Vec<String> = set.iter().map(|s| s.to_string()).collect();
    Experiment::read(&write(folder.path(), SMALL), &set).unwrap()
}

#[test]
fn a_run_makes_everything_once_and_again_only_what_changed() {
    let out = tempfile::tempdir().unwrap();
    let experiment = small(&[]);
    let (ran, folder) = run(&experiment, out.path(), &[]);
    assert_eq!(ran, STAGES);
    assert_eq!(folder, out.path().join("tests/small"));

    let summary = Summary::read(&folder).unwrap();
    for key in [
        keys::ACCURACY_NETWORK,
        keys::ACCURACY_BAG_OF_WORDS,
        keys::DIMENSION_STATES,
        keys::DIMENSION_FIXED_POINTS,
        keys::DIMENSION_PREDICTED,
        keys::FIXED_POINTS_COUNT,
        keys::TRAIN_TOKENS_PER_SECOND,
        keys::TIME_SECONDS,
        keys::MEMORY_PEAK_BYTES,
    ] {
        assert!(summary.get(key).is_some_and(f64::is_finite), "{key:?}: {:?}", summary.get(key));
    }
    assert!(summary.get(keys::ACCURACY_NETWORK).unwrap() > 0.8);
    assert!((summary.get(keys::DIMENSION_PREDICTED).unwrap() - 2.0).abs() < 0.1);
    assert!(summary.get(keys::FIXED_POINTS_COUNT).unwrap() > 3.0);
    for file in ["run.ron", "summary.json", "model.safetensors", "index.html"] {
        assert!(folder.join(file).is_file(), "{file}");
    }
    let page = std::fs::read_to_string(folder.join("index.html")).unwrap();
    assert!(!page.contains("src=\"http") && !page.contains("<link"), "the page is whole offline");

    // The corpus is written below this crate, and is what is declared here.
    let documents = records::Documents::read(&folder).unwrap();
    let train = documents.split().unwrap().iter().filter(|s| *s == "train").count();
    assert_eq!(summary.get(keys::CORPUS_DOCUMENTS), Some(train as f64));
    assert_eq!(documents.document().unwrap().len(), documents.tokens().unwrap().len());
    assert!(documents.label().unwrap().is_some() && documents.score().unwrap().is_none());
    let vocabulary = records::Vocabulary::read(&folder).unwrap();
    assert_eq!(vocabulary.id().unwrap().len(), vocabulary.word().unwrap().len());
    let counts = vocabulary.count().unwrap();
    let tokens: u64 = counts.iter().map(|&n| n as u64).sum();
    assert_eq!(summary.get(keys::CORPUS_TOKENS), Some(tokens as f64));
    // Every file of a table is declared.
    for entry in std::fs::read_dir(folder.join("tables")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned();
        assert!(records::described(&name).is_some(), "{name}");
    }
    assert!(summary.get_text(keys::SHAPE_PREDICTED).is_some_and(|shape| !shape.is_empty()));

    // A text, word by word: what is added up is what is said.
    let found = accrue::studies::explain::explain(&folder, "kinda1 the kinda1 kinda0").unwrap();
    assert_eq!((found.network.as_str(), found.alone.as_str()), ("class 1", "class 1"));
    assert_eq!(found.words.len(), 4);
    let evidence: f64 = found.words.iter().map(|w| w.network).sum();
    assert!(evidence > 0.0 && found.words[0].alone > found.words[3].alone, "{found:?}");
    assert!(found.words.iter().all(|w| w.in_context.is_some()));
    let error = accrue::studies::explain::explain(&folder, "kinda7").unwrap_err();
    assert!(error.to_string().contains("did you mean"), "{error}");

    // Topics' words are drawn one by one: their order tells nothing, and costs the network next to nothing.
    let augmented = records::Augmented::read(&folder).unwrap();
    let model = augmented.model().unwrap();
    assert_eq!(&model[model.len() - 2..], ["network_shuffled", "network"]);
    let accuracy = augmented.accuracy().unwrap();
    let (other, own) = (accuracy[model.len() - 2], accuracy[model.len() - 1]);
    // Two binomial deviations of a difference between 180 documents each.
    let error = 2.0 * (own * (1.0 - own) * 2.0 / 180.0).sqrt();
    assert!((own - other).abs() < error, "{own} {other} {error}");

    // Nothing is done twice.
    assert_eq!(run(&experiment, out.path(), &[]).0, Vec::<String>::new());
    // A forced stage takes those that read it along.
    let (ran, _) = run(&experiment, out.path(), &["states"]);
    assert_eq!(
        ran,
        [
            "states",
            "fixed_points",
            "transitions",
            "curves",
            "geometry",
            "baselines",
            "modes",
            "context",
            "claims",
            "report"
        ]
    );
    // A changed setting runs its own stage and those after it.
    let changed = small(&["fixed_points.initial_states=64"]);
    let (ran, _) = run(&changed, out.path(), &[]);
    assert_eq!(
        ran,
        [
            "fixed_points",
            "transitions",
            "curves",
            "geometry",
            "baselines",
            "modes",
            "context",
            "claims",
            "report"
        ]
    );
    // What a stage made under other settings does not stand in for this run's.
    assert!(folder.join("tables/augmented.parquet").is_file());
    // Words alone decide this corpus: the page says that there is nothing for words in context to recover.
    let summary = Summary::read(&folder).unwrap();
    assert!(summary.get(keys::ACCURACY_NETWORK) <= summary.get(keys::ACCURACY_BAG_OF_WORDS));
    let page = std::fs::read_to_string(folder.join("index.html")).unwrap();
    assert!(page.contains("reads no better than words alone"));
    let (ran, _) =
        run(&small(&["fixed_points.initial_states=64", "context.fit=false"]), out.path(), &[]);
    assert_eq!(ran, ["context", "claims", "report"]);
    assert!(!folder.join("tables/augmented.parquet").exists());
    assert!(Summary::read(&folder).unwrap().get(keys::RECOVERED_FRACTION).is_none());
    run(&changed, out.path(), &[]);
    // A file that is gone comes back from the store; one that is gone there too is made again.
    let gone = folder.join("tables/prediction.parquet");
    std::fs::remove_file(&gone).unwrap();
    assert!(run(&changed, out.path(), &[]).0.is_empty() && gone.is_file());
    std::fs::remove_file(&gone).unwrap();
    let text = std::fs::read_to_string(folder.join("run.ron")).unwrap();
    let row = text.split("name: \"predict\"").nth(1).unwrap();
    let key = row.split("key: \"").nth(1).unwrap().split('"').next().unwrap();
    std::fs::remove_dir_all(out.path().join(".store").join(&key[..2]).join(key)).unwrap();
    assert_eq!(run(&changed, out.path(), &[]).0, ["predict"]);
    // A stage that does not exist is refused before anything runs.
    let force = ["state".to_string()];
    let mut watch = Ran::default();
    let options =
        Options { data: Path::new("data"), out: out.path(), force: &force, watch: &mut watch };
    let error = text::run(&changed, options).unwrap_err();
    assert!(error.to_string().contains("states"), "{error}");
}

/// The program, quiet, on the small experiment.
fn program(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_accrue"));
    command.arg("run").arg(write(folder, SMALL)).arg("--out").arg(folder).arg("--quiet");
    command.args(arguments).stdout(Stdio::null()).stderr(Stdio::inherit());
    command
}

/// Contents of a run's files that carry no time.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for name in ["states", "axes", "fixed_points", "eigenvalues", "words", "spectrum_predicted"] {
        let path = format!("tables/{name}.parquet");
        all.insert(path.clone(), std::fs::read(folder.join(path)).unwrap());
    }
    all.insert("model".into(), std::fs::read(folder.join("model.safetensors")).unwrap());
    all
}

fn same(a: &Path, b: &Path, what: &str) {
    let (a, b) = (contents(a), contents(b));
    for (name, bytes) in &a {
        assert!(*bytes == b[name], "{name} differs: {what}");
    }
}

/// The checkpoint of a training that is not at its end, in the store of the runs below `out`.
fn checkpoint(out: &Path) -> Option<std::path::PathBuf> {
    let stages = std::fs::read_dir(out.join(".store/resume")).ok()?;
    let files = stages.map(|stage| stage.unwrap().path().join("checkpoint.safetensors"));
    files.into_iter().find(|file| file.is_file())
}

#[test]
fn a_killed_process_goes_on_to_the_same_bits_on_any_number_of_threads() {
    let (whole, killed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(program(whole.path(), &["--threads", "2"]).status().unwrap().success());

    // Killed three times, each time once a new checkpoint is there.
    let run = killed.path().join("tests/small");
    let checkpoint = || checkpoint(killed.path());
    let written = || checkpoint().and_then(|file| file.metadata().ok()?.modified().ok());
    let mut kills = 0;
    for threads in ["1", "2", "3"] {
        let before = written();
        let mut child = program(killed.path(), &["--threads", threads]).spawn().unwrap();
        let begin = Instant::now();
        while written() == before && begin.elapsed() < Duration::from_secs(60) {
            if child.try_wait().unwrap().is_some() {
                break;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            kills += 1;
        }
        child.wait().unwrap();
        assert!(!run.join("index.html").exists(), "killed before its end");
    }
    assert!(kills == 3 && checkpoint().is_some(), "{kills} kills");
    assert!(program(killed.path(), &["--threads", "1"]).status().unwrap().success());
    same(&whole.path().join("tests/small"), &run, "killed and resumed, 1 thread against 2");
    assert!(checkpoint().is_none(), "a finished run leaves no checkpoint");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_at_a_safe_place_and_the_same_command_goes_on() {
    let (whole, stopped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    assert!(program(whole.path(), &[]).status().unwrap().success());
    let run = stopped.path().join("tests/small");
    let checkpoint = || checkpoint(stopped.path());
    let child = program(stopped.path(), &[]).stderr(Stdio::piped()).spawn().unwrap();
    let begin = Instant::now();
    while checkpoint().is_none() && begin.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(
        said.contains("training at step") && said.contains("the same command goes on"),
        "{said}"
    );
    assert!(checkpoint().is_some() && !run.join("index.html").exists());
    assert!(program(stopped.path(), &[]).status().unwrap().success());
    same(&whole.path().join("tests/small"), &run, "interrupted and resumed");
}

#[test]
fn runs_stand_side_by_side_and_on_one_page() {
    use accrue::report::compare::Comparison;
    let out = tempfile::tempdir().unwrap();
    let (_, a) = run(&small(&[]), out.path(), &[]);
    let (_, b) = run(&small(&["name=other", "model.cell=Lstm"]), out.path(), &[]);
    let found = Comparison::of(&[a.clone(), b.clone()]).unwrap();
    assert_eq!(found.names, ["small", "other"]);
    let row = |name: &str| found.rows.iter().find(|r| r.name == name).unwrap();
    let accuracy = |folder: &Path| Summary::read(folder).unwrap().get(keys::ACCURACY_NETWORK);
    assert_eq!(row("accuracy.network").values, [accuracy(&a), accuracy(&b)]);
    let shares: f64 = (1..=5).map(|k| row(&format!("states {k}")).values[0].unwrap()).sum();
    assert!(shares > 0.95 && shares < 1.0 + 1e-9, "{shares}");
    assert!(found.rows.iter().any(|r| r.group == "claims" && r.name == "G3"));
    let message = Comparison::of(&[a, out.path().join("nothing")]).unwrap_err().to_string();
    assert!(message.contains("no finished run"), "{message}");

    let page = std::fs::read_to_string(
        accrue::report::index::write(out.path(), accrue::summary::pearson).unwrap(),
    )
    .unwrap();
    assert!(page.contains("tests/small/index.html") && page.contains("tests/other/index.html"));
}

#[test]
fn what_knows_more_than_words_stands_in_the_accuracies() {
    let out = tempfile::tempdir().unwrap();
    // "not bad" against "not good": pairs tell what words cannot.
    let texts = ["good film", "not bad", "bad film", "not good"];
    let rows: Vec<String> = (0..160)
        .map(|i| format!("{} {},{}\n", texts[i % 4], ["a", "."][i / 4 % 2], (i % 4 < 2) as u8))
        .collect();
    let csv = out.path().join("texts.csv");
    std::fs::write(&csv, format!("text,label\n{}", rows.concat())).unwrap();
    let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references/encoder/bert");
    let mut experiment = small(&["name=more", "context.fit=false"]);
    experiment.corpus = Default::default();
    let file = accrue::corpus::settings::File { train: csv, ..Default::default() };
    experiment.corpus.source = accrue::corpus::Source::File(file);
    experiment.model.embedding = Some(4);
    experiment.training.epochs = 2;
    experiment.baseline.ngrams = 2;
    experiment.baseline.encoder = Some(accrue::baseline::encoder::Settings {
        model: encoder.display().to_string(),
        ..Default::default()
    });
    let (_, folder) = run(&experiment, out.path(), &[]);
    let summary = Summary::read(&folder).unwrap();
    assert_eq!(summary.get(keys::ACCURACY_BIGRAMS), Some(1.0));
    assert!(summary.get(keys::ACCURACY_BAG_OF_WORDS).unwrap() < 0.8);
    // Random weights tell four texts apart.
    assert_eq!(summary.get(keys::ACCURACY_ENCODER), Some(1.0));
    let models = records::Accuracies::read(&folder).unwrap().model().unwrap();
    assert_eq!(models, ["network", "bag_of_words", "bigrams", "encoder", "majority"]);
    // Another network on the same corpus finds the features made.
    let features = || std::fs::read_dir(out.path().join("features")).unwrap().count();
    assert_eq!(features(), 1);
    experiment.name = "again".into();
    run(&experiment, out.path(), &[]);
    assert_eq!(features(), 1);
    experiment.baseline.ngrams = 4;
    let mut watch = Ran::default();
    let options =
        Options { data: Path::new("data"), out: out.path(), force: &[], watch: &mut watch };
    let message = text::run(&experiment, options).unwrap_err().to_string();
    assert!(message.contains("baseline.ngrams: 4") && watch.0.is_empty(), "{message}");
}

#[test]
fn wrong_usage_exits_with_2_and_bad_input_with_1() {
    let folder = tempfile::tempdir().unwrap();
    let status = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accrue"));
        let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = status(&["run", "nowhere.ron"]);
    assert!(code == Some(1) && said.contains("nowhere.ron"), "{code:?} {said}");
    let (code, said) = status(&["predict", "imbd"]);
    assert!(code == Some(2) && said.contains("imdb"), "{code:?} {said}");
    let (code, said) = status(&["predict", "imdb"]);
    assert!(code == Some(1) && said.contains("train.parquet"), "{code:?} {said}");
    let (code, _) = status(&["walk"]);
    assert_eq!(code, Some(2));
    write(folder.path(), "(training: (epoch: 1))");
    let (code, said) = status(&["run", "small.ron"]);
    assert!(code == Some(2) && said.contains("small.ron:1:"), "{code:?} {said}");
}

#[test]
fn a_text_says_which_words_modify_before_any_network_is_trained() {
    use rand::Rng;
    let folder = tempfile::tempdir().unwrap();
    let mut stream = accrue::seed::stream(7, "pairs");
    let before =
        [("the", 1.0), ("a", 1.0), ("this", 1.0), ("its", 1.0), ("not", -0.8), ("very", 2.2)];
    let valued = [("good", 0.9), ("fine", 0.6), ("bad", -0.9), ("dull", -0.6)];
    let mut text = String::from("text,label\n");
    for _ in 0..4000 {
        let mut evidence = 0.0;
        for _ in 0..4 {
            let (first, times) = before[stream.random_range(0..before.len())];
            let (second, value) = valued[stream.random_range(0..valued.len())];
            evidence += times * value;
            text += &format!("{first} {second} ");
        }
        let positive = stream.random::<f64>() < 1.0 / (1.0 + f64::exp(-evidence));
        text += if positive { ",up\n" } else { ",down\n" };
    }
    std::fs::write(folder.path().join("pairs.csv"), text).unwrap();
    let said = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_accrue"));
        let command = command.args(["predict", "pairs.csv", "--set", "prediction.bootstrap=20"]);
        let output = command.args(arguments).current_dir(folder.path()).output().unwrap();
        let [out, error] = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap());
        (output.status.code(), out, error)
    };
    let (code, out, error) = said(&["--modifiers", "--json"]);
    assert_eq!(code, Some(0), "{error}");
    let json: serde_json::Value = serde_json::from_str(&out).unwrap();
    let words = json["text_gains.words"].as_str().unwrap().split(' ').collect::<Vec<_>>();
    assert!(words[..2].contains(&"not") && words[..2].contains(&"very"), "{out}");
    assert_eq!(json["text_gains.count"].as_f64(), Some(words.len() as f64));
    // For people: a row a word, with the sign it was planted with, no line beyond 80 columns.
    let (_, out, _) = said(&["--modifiers"]);
    let row = |word: &str| out.lines().find(|l| l.trim_start().starts_with(word)).unwrap();
    assert!(row("not ").contains(" -1.") && row("very ").contains(" +1."), "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    // All of them as a table, beside the prediction's.
    let (code, _, error) = said(&["--modifiers", "--tables", "told"]);
    assert!(code == Some(0) && error.contains("told/tables/text_gains.parquet"), "{error}");
    let folder_of_tables = folder.path().join("told");
    let gains = records::TextGains::read(&folder_of_tables).unwrap();
    assert!(gains.height() > words.len() && words.contains(&gains.word().unwrap()[0].as_str()));
    let found = records::DimensionsPredicted::read(&folder_of_tables).unwrap();
    assert_eq!(found.value().unwrap()[0], json["dimension.predicted"].as_f64().unwrap());
    // Pieces of a text hold no bag of words.
    let (code, _, error) = said(&["--modifiers", "--pieces"]);
    assert!(code == Some(2) && error.contains("--pieces"), "{error}");
}

/// Writes down how cases ended.
#[derive(Default)]
struct Ended(std::sync::Mutex<Vec<(String, Option<String>)>>);

impl accrue::studies::grid::Progress for Ended {
    fn ended(
        &self,
        _: usize,
        _: usize,
        case: &str,
        outcome: &accrue::studies::grid::Outcome,
        _: f64,
    ) {
        self.0.lock().unwrap().push((case.to_string(), outcome.failure.clone()));
    }
}

#[test]
fn a_grid_runs_every_case_once_and_lists_those_that_fail() {
    use accrue::studies::grid::{self, Plan};
    let out = tempfile::tempdir().unwrap();
    let text = SMALL.replace("epochs: 60", "epochs: 10").replace(
        "prediction:",
        "grid: [
            (set: \"model.cell\", to: [\"Gru\", \"Lstm\"]),
            (set: \"training.learning_rate\", to: [0.05, 1e30]),
        ],
        prediction:",
    );
    let folder = tempfile::tempdir().unwrap();
    let experiment = Experiment::read(&write(folder.path(), &text), &[]).unwrap();
    let names: Vec<String> =
        accrue::experiment::grid::cases(&experiment).unwrap().into_iter().map(|c| c.name).collect();
    assert_eq!(names.len(), 4);
    assert!(names[0] == "001-Gru-0.05" && names[3].starts_with("004-Lstm-"), "{names:?}");

    let plan = Plan { data: Path::new("data"), out: out.path(), force: &[], jobs: 2 };
    let ended = Ended::default();
    let (made, failed) = grid::run(&experiment, &plan, &ended).unwrap();
    assert_eq!(failed, 2, "{:?}", ended.0);
    let ended = ended.0.into_inner().unwrap();
    assert_eq!(ended.len(), 4);
    for (name, failure) in &ended {
        let diverges = name.starts_with("002") || name.starts_with("004");
        assert_eq!(failure.as_ref().is_some_and(|f| f.contains("diverged")), diverges, "{name}");
    }
    let cases = accrue::report::grid::Cases::read(&made).unwrap();
    assert_eq!(cases.names, names);
    assert!(cases.numbers[0].contains_key("accuracy.network"));
    assert!(cases.numbers[1].is_empty() && cases.failures[1].contains("learning rate"));
    assert_eq!(cases.settings[2][0], ("model.cell".to_string(), "Lstm".to_string()));
    assert!(made.join("index.html").is_file());
    assert!(made.join("cases/001-Gru-0.05/index.html").is_file());
    let page = std::fs::read_to_string(made.join("index.html")).unwrap();
    // Claims by cell, and along the rates, of which one has no networks.
    let crossed = page.split("Where they hold along training.learning_rate").nth(1);
    let crossed = crossed.map_or("", |rest| rest.split("</table>").next().unwrap());
    assert!(!page.contains("Where they hold along model.cell"));
    assert!(crossed.is_empty(), "no claim is tested at two rates: {crossed}");
    std::fs::remove_file(made.join("index.html")).unwrap();
    assert!(grid::rewrite(&made).unwrap() && !grid::rewrite(folder.path()).unwrap());
    assert_eq!(std::fs::read_to_string(made.join("index.html")).unwrap(), page);
    // A case alone gives the same bits as within the grid.
    let mut alone = accrue::experiment::grid::cases(&experiment).unwrap().remove(0).experiment;
    alone.name = "alone".into();
    let (_, own) = run(&alone, out.path(), &[]);
    same(&own, &made.join("cases/001-Gru-0.05"), "alone and within a grid");

    // Trained together first, as a card does it, the cases find their networks in place; the one that
    // diverges says so in its own run. On the processor the bits are the same.
    let other = tempfile::tempdir().unwrap();
    let cases = accrue::experiment::grid::cases(&experiment).unwrap();
    let all: Vec<&Experiment> = cases.iter().map(|case| &case.experiment).collect();
    let stacks = std::sync::Mutex::new(Vec::new());
    accrue::studies::text::train_together(&all, Path::new("data"), other.path(), &|networks| {
        stacks.lock().unwrap().push(networks);
        Box::new(())
    })
    .unwrap();
    assert_eq!(stacks.into_inner().unwrap(), [2, 2], "two networks of each shape");
    let trained = |case: &str| other.path().join(format!("tests/small/cases/{case}"));
    let place = trained("003-Lstm-0.05").join("model.safetensors");
    let before = std::fs::metadata(&place).unwrap().modified().unwrap();
    assert!(!trained(&cases[1].name).join("model.safetensors").exists());
    let plan = Plan { out: other.path(), ..plan };
    let (again, failed) = grid::run(&experiment, &plan, &Ended::default()).unwrap();
    assert_eq!(failed, 2);
    assert_eq!(std::fs::metadata(&place).unwrap().modified().unwrap(), before);
    for case in ["001-Gru-0.05", "003-Lstm-0.05"] {
        same(&again.join("cases").join(case), &made.join("cases").join(case), "trained together");
    }

    let wrong = |axis: &str| {
        let text = SMALL.replace("prediction:", &format!("grid: [{axis}],\n prediction:"));
        let experiment = Experiment::read(&write(folder.path(), &text), &[]).unwrap();
        accrue::experiment::grid::cases(&experiment).unwrap_err().to_string()
    };
    assert!(wrong("(set: \"model.cel\", to: [1])").contains("did you mean `cell`"));
    assert!(wrong("(set: \"seed\", to: [])").contains("no values"));
    assert!(wrong("(set: \"name\", to: [\"a\"])").contains("as a whole"));
    let along =
        |set: &str| format!("(set: \"seed\", to: [1, 2], linked: [(set: \"{set}\", to: [3])])");
    assert!(wrong(&along("training.epochs")).contains("has 1 values to its 2"));
    assert!(wrong(&along("title")).contains("as a whole"));
}

#[test]
fn a_setting_that_goes_along_makes_no_cases_of_its_own() {
    let text = SMALL.replace(
        "prediction:",
        "grid: [
            (
                set: \"model.cell\",
                to: [\"Gru\", \"Lstm\"],
                linked: [(set: \"training.learning_rate\", to: [0.01, 0.04])],
            ),
            // What an axis before has set stays where the value is left open.
            (set: \"seed\", to: [1, 2], linked: [(set: \"training.learning_rate\", to: [\"_\", 0.5])]),
        ],
        prediction:",
    );
    let folder = tempfile::tempdir().unwrap();
    let experiment = Experiment::read(&write(folder.path(), &text), &[]).unwrap();
    let cases = accrue::experiment::grid::cases(&experiment).unwrap();
    let rates: Vec<f64> = cases.iter().map(|c| c.experiment.training.learning_rate).collect();
    assert_eq!(rates, [0.01, 0.5, 0.04, 0.5]);
    assert_eq!(cases[3].name, "004-Lstm-2");
    assert_eq!(cases[3].settings.len(), 2);
}

#[test]
fn cases_are_named_by_what_tells_their_settings_apart() {
    let text = SMALL.replace(
        "prediction:",
        "grid: [
            (set: \"corpus.source\", to: [
                \"Synthetic(kind: Unordered(classes: 3, correlated: [(0, 1, 0.25)]), train: 600)\",
                \"Synthetic(kind: Unordered(classes: 3, correlated: [(0, 1, 0.5)]), train: 600)\",
            ]),
            (set: \"training.penalty\", to: [\"All(1e-3)\", \"All(1e-2)\"]),
            (set: \"model.cell\", to: [\"Gru\"]),
            (set: \"seed\", to: [1, 10]),
        ],
        prediction:",
    );
    let folder = tempfile::tempdir().unwrap();
    let experiment = Experiment::read(&write(folder.path(), &text), &[]).unwrap();
    let cases = accrue::experiment::grid::cases(&experiment).unwrap();
    assert_eq!(cases[0].name, "001-0.25-1e-3-Gru-1");
    assert_eq!(cases[7].name, "008-0.5-1e-2-Gru-10");
}
