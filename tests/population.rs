//! Many networks on one task, compared; new texts, classified.

use accrue::analyses::tasks::{selection, turning};
use accrue::data::Task;
use accrue::data::tasks::{Law, sine};
use accrue::dynamics::Map;
use accrue::experiment::{Population, Study};
use accrue::linalg::Complex;
use accrue::ops::{Cell, CellKind};
use accrue::records;
use accrue::studies::classify::Classifier;
use accrue::studies::explain::explain;
use accrue::studies::grid::{Outcome, Plan, Progress};
use accrue::studies::{grid, population};
use std::path::Path;

struct Silent;

impl Progress for Silent {
    fn ended(&self, _: usize, _: usize, case: &str, outcome: &Outcome, _: f64) {
        assert_eq!(outcome.failure, None, "{case}");
    }
}

/// One bit in four small networks.
const FOUR: &str = "
    Population(
        study: \"tests\",
        name: \"four\",
        of: (
            task: Memory(bits: 1, steps: 20, pulse: 0.2),
            trials: (train: 512, validation: 32, test: 32),
            model: (units: 8, embedding: None),
            training: (batch: 32, epochs: 100, steps: 500, learning_rate: 0.02, decay: 0.995, decay_steps: 1),
            states: (documents: 16, most: 1000),
            fixed_points: (initial_states: 32),
        ),
        grid: [(set: \"model.cell\", to: [\"Gru\", \"Vanilla\"]), (set: \"seed\", to: [1, 2])],
        similarity: (permutations: 99, delays: 3, rank: 4),
    )";

fn four(folder: &Path, text: &str) -> Population {
    let file = folder.join("four.ron");
    std::fs::write(&file, text).unwrap();
    match Study::read(&file, &[]).unwrap() {
        Study::Population(p) => *p,
        other => panic!("a population was asked for: {other:?}"),
    }
}

#[test]
fn networks_of_a_population_read_the_same_trials_and_are_compared_in_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 2 };
    let p = four(folder.path(), FOUR);
    let (place, failed) = population::run(&p, &plan, &Silent).unwrap();
    assert_eq!(failed, 0);
    let networks = records::Networks::read(&place).unwrap();
    assert_eq!(networks.architecture().unwrap(), ["GRU", "GRU", "Vanilla", "Vanilla"]);
    assert!(networks.learned().unwrap().iter().all(|l| *l), "{:?}", networks.error().unwrap());
    // A bit: two stable points and the saddle between them, whose indices add up to 1.
    assert_eq!(networks.fixed_points().unwrap(), [3; 4]);
    assert_eq!(networks.stable().unwrap(), [2; 4]);
    assert!(networks.index_sum().unwrap().iter().all(|sum| *sum == 1.0));
    // The same trials, step by step; other states.
    let names = networks.name().unwrap();
    let states = |i: usize| records::States::read(&place.join("cases").join(&names[i])).unwrap();
    let (first, last) = (states(0), states(3));
    assert_eq!(first.label().unwrap(), last.label().unwrap());
    assert_ne!(first.state().unwrap(), last.state().unwrap());
    let table = records::NetworkDistances::read(&place).unwrap();
    let (measure, distance) = (table.measure().unwrap(), table.distance().unwrap());
    for of in ["svcca", "cka", "shape", "dsa", "indices", "graph"] {
        let own: Vec<f64> =
            (0..distance.len()).filter(|&i| measure[i] == of).map(|i| distance[i]).collect();
        assert_eq!(own.len(), 6, "pairs of four networks by {of}");
        // Three points, and a saddle between + and −, in each of them.
        let alike = ["indices", "graph"].contains(&of);
        assert!(own.iter().all(|d| if alike { *d == 0.0 } else { *d > 0.0 }), "{of}: {own:?}");
    }
    for claim in records::Claims::read(&place).unwrap().claim().unwrap() {
        assert_ne!(
            accrue::report::dictionary::claim(&claim),
            "",
            "{claim} stands in the dictionary"
        );
    }
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    assert!(page.contains("4 of 4 networks learned") && page.contains("map_svcca"));
    assert!(page.contains(&format!("cases/{}/index.html", names[0])));
    // The page is written again from the tables; a network's own folder is none of a population.
    std::fs::remove_file(place.join("index.html")).unwrap();
    assert!(population::rewrite(&place).unwrap());
    assert_eq!(std::fs::read_to_string(place.join("index.html")).unwrap(), page);
    assert!(!population::rewrite(&place.join("cases").join(&names[0])).unwrap());
}

#[test]
fn networks_that_did_not_learn_are_counted_and_in_no_comparison() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 2 };
    let untaught = FOUR.replace("steps: 500", "steps: 1");
    let p = four(folder.path(), &untaught);
    let (place, failed) = population::run(&p, &plan, &Silent).unwrap();
    assert_eq!(failed, 0);
    let networks = records::Networks::read(&place).unwrap();
    assert!(networks.learned().unwrap().iter().all(|l| !l), "{:?}", networks.error().unwrap());
    assert_eq!(records::NetworkDistances::read(&place).unwrap().height(), 0);
    let notes = records::Notes::read(&place).unwrap().note().unwrap();
    assert!(notes.iter().any(|n| n.contains("4 of 4 networks")), "{notes:?}");
}

#[test]
fn an_axis_that_changes_what_is_compared_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 1 };
    for set in ["task.pulse", "trials.seed", "states.most"] {
        let p = four(folder.path(), &FOUR.replace("\"seed\", to", &format!("\"{set}\", to")));
        let said = population::run(&p, &plan, &Silent).unwrap_err().to_string();
        assert!(said.contains(set) && said.contains("the same trials"), "{said}");
    }
}

#[test]
fn a_task_holds_an_input_for_every_cue() {
    let law = sine::Settings { frequencies: 5, ..sine::Settings::default() };
    let held = Task::Sine(law.clone()).held();
    assert_eq!(held.len(), 5);
    assert_eq!(held[4].input, [law.cue(4)]);
    for task in [Task::Integration(Default::default()), Task::Path(Default::default())] {
        assert!(task.held().iter().all(|h| h.input.len() == task.inputs()), "{}", task.name());
    }
}

#[test]
fn new_texts_are_answered_as_a_text_alone_is_explained() {
    let out = tempfile::tempdir().unwrap();
    let (_, run) = super::experiment::run(&super::experiment::small(&[]), out.path(), &[]);
    let texts = ["kinda1 the kinda1 kinda0", "kinda2 kinda2 the", ""].map(String::from);
    let (answers, left_out) = Classifier::open(&run).unwrap().answer(&texts).unwrap();
    assert_eq!(left_out, 0);
    for (text, answer) in texts.iter().zip(&answers).take(2) {
        let alone = explain(&run, text).unwrap();
        assert_eq!(answer.network.as_ref().unwrap().label, alone.network);
        assert_eq!(answer.alone.as_ref().unwrap().label, alone.alone);
        assert_eq!(answer.in_context.as_ref().map(|a| &a.label), alone.in_context.as_ref());
        // Three classes: the probability of the answer follows from the outputs.
        let z: Vec<f64> = alone.outputs.iter().map(|o| o.network).collect();
        let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let share = 1.0 / z.iter().map(|z| (z - most).exp()).sum::<f64>();
        let found = answer.network.as_ref().unwrap().probability;
        assert!((found - share).abs() < 1e-4, "{found}, from the outputs {share}");
        let read: Vec<&str> = alone.words.iter().map(|w| w.word.as_str()).collect();
        assert_eq!(read, text.split(' ').collect::<Vec<_>>());
    }
    assert_eq!((answers[2].words, answers[2].network.as_ref()), (0, None));
    let wrong = Classifier::open(&run).unwrap().answer(&["kinda7".to_string()]).unwrap_err();
    assert!(wrong.to_string().contains("did you mean"), "{wrong}");
}

#[test]
fn the_state_turns_by_the_angle_of_the_slowest_pair() {
    let (sin, cos) = 0.3_f64.sin_cos();
    let pair = [Complex::new(1.1 * cos, 1.1 * sin), Complex::new(1.1 * cos, -1.1 * sin)];
    let spectrum = [&[Complex::new(1.2, 0.0)], &pair[..]].concat();
    assert!((turning(&spectrum).unwrap() - 0.3).abs() < 1e-12);
    assert_eq!(turning(&[Complex::new(0.9, 0.0)]), None);
}

#[test]
fn a_linear_integrator_of_one_stream_reads_it_by_its_slow_mode() {
    // h₁ adds up stream 1 and a fifth of stream 2 for ever; h₂ forgets all but .05 of itself a step.
    let cell = Cell {
        kind: CellKind::Linear,
        units: 2,
        inputs: 2,
        input_weights: vec![1.0, 0.2, 3.0, 3.0],
        recurrent_weights: vec![1.0, 0.0, 0.0, 0.05],
        input_bias: vec![0.0; 2],
        recurrent_bias: vec![0.0; 2],
    };
    let map = Map::new(&cell, &[0.0, 0.0]).unwrap();
    let found = selection(&map, &[&[0.0, 0.0]], [0, 1], &[1.0, 1.0], 10).unwrap();
    assert!((found.relevant[0] - 1.0).abs() < 1e-12 && (found.irrelevant[0] - 0.2).abs() < 1e-12);
    assert!((found.ratio() - 5.0).abs() < 1e-9);
    // At the end 1 + 3 · .05¹⁰ is left: one mode gives it.
    assert_eq!(found.modes, [1.0]);
    // After one step 1 + .15: two modes are needed.
    let early = selection(&map, &[&[0.0, 0.0]], [0, 1], &[1.0, 1.0], 1).unwrap();
    assert_eq!(early.modes, [2.0]);
}

/// Networks on one text: each is its own seed's, the corpus and the documents that are looked at are not.
#[test]
fn networks_on_text_read_one_corpus_and_are_compared_like_those_on_a_task() {
    use accrue::experiment::grid::cases;
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 2 };
    let file = folder.path().join("text.ron");
    std::fs::write(&file, TEXT).unwrap();
    let Study::Text(e) = Study::read(&file, &[]).unwrap() else { panic!("no study is named") };
    let (place, failed) = grid::run(&e, &plan, &Silent).unwrap();
    assert_eq!(failed, 0);
    let networks = records::Networks::read(&place).unwrap();
    assert_eq!(networks.units().unwrap(), [6, 6, 8, 8]);
    let names = networks.name().unwrap();
    let states = |i: usize| records::States::read(&place.join("cases").join(&names[i])).unwrap();
    let (first, last) = (states(0), states(3));
    assert_eq!(first.word().unwrap(), last.word().unwrap());
    assert_eq!(first.document().unwrap(), last.document().unwrap());
    assert_ne!(first.pc_1().unwrap(), last.pc_1().unwrap());
    let table = records::NetworkDistances::read(&place).unwrap();
    let measure = table.measure().unwrap();
    assert_eq!(measure.iter().filter(|m| *m == "svcca").count(), 6, "pairs of four networks");
    assert!(records::Claims::read(&place).unwrap().claim().unwrap().contains(&"U7".to_string()));
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    assert!(page.contains("id=\"shared\"") && page.contains("id=\"map_svcca\""));
    // The page begins with what was found, not with how many networks there are alone.
    let finding = page.split("class=\"finding\">").nth(1).unwrap();
    assert!(
        finding.starts_with("4 of 4 networks finished. Their median test accuracy is "),
        "{finding:.200}"
    );
    // Without the setting, the tables of the comparison would speak of other networks.
    let mut alone = *e;
    alone.similarity = None;
    alone.corpus.seed = Some(1);
    grid::run(&alone, &plan, &Silent).unwrap();
    assert!(!records::Networks::is_in(&place));
    // What would let them read different states is refused, with the axis.
    let axis =
        TEXT.replace("(set: \"seed\", to: [1, 2])", "(set: \"corpus.tokens.least\", to: [1, 2])");
    std::fs::write(&file, axis).unwrap();
    let Study::Text(other) = Study::read(&file, &[]).unwrap() else { panic!("no study is named") };
    let said = cases(&other).unwrap_err().to_string();
    assert!(
        said.contains("corpus.tokens.least") && said.contains("population of its own"),
        "{said}"
    );
}

/// Two sizes, two seeds, on a tiny synthetic language.
const TEXT: &str = "
(
    study: \"tests\",
    name: \"text\",
    seed: 1,
    corpus: (source: Synthetic(kind: Unordered(classes: 3), length: 12, train: 600, validation: 60, test: 120)),
    model: (cell: Gru, embedding: None, readout_bias: false),
    training: (batch: 60, epochs: 3, steps: 30, learning_rate: 0.05),
    states: (documents: 12, most: 300),
    fixed_points: (inputs: [Uniform], initial_states: 8, primary: 1e-4),
    curves: (points: 0),
    grid: [(set: \"model.units\", to: [6, 8]), (set: \"seed\", to: [1, 2])],
    similarity: (learned: 10.0, compare: (permutations: 19, delays: 2, rank: 4)),
)";
