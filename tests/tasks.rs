//! Tasks: from a file to proved fixed points and a page.

use accrue::data::tasks::Law;
use accrue::data::{Sequences, Targets, Trials};
use accrue::experiment::{Settings, Study, TaskExperiment};
use accrue::model::{Config, Head, Network, Reads};
use accrue::ops::CellKind;
use accrue::records::{self, keys};
use accrue::report::Summary;
use accrue::studies::task;
use accrue::studies::text::Options;
use accrue::train;
use std::path::Path;

/// Two bits: small enough for a test, and nine fixed points by its law.
const TWO_BITS: &str = "
    // A comment before the study's name.
    Task(
        study: \"tests\",
        name: \"two_bits\",
        task: Memory(bits: 2, steps: 24, pulse: 0.2),
        trials: (train: 1024, validation: 64, test: 128),
        model: (cell: Gru, units: 16, embedding: None),
        training: (
            batch: 64,
            epochs: 100,
            steps: 1200,
            learning_rate: 0.01,
            decay: 0.997,
            decay_steps: 1,
            clip: 1.0,
        ),
        states: (documents: 64, most: 1500),
        fixed_points: (inputs: [Zero]),
    )";

fn two_bits(folder: &Path, set: &[&str]) -> TaskExperiment {
    let file = folder.join("two_bits.ron");
    std::fs::write(&file, TWO_BITS).unwrap();
    let set: Vec<String> = set.iter().map(|s| s.to_string()).collect();
    match Study::read(&file, &set).unwrap() {
        Study::Task(experiment) => *experiment,
        other => panic!("a task was asked for: {other:?}"),
    }
}

#[test]
fn a_network_that_holds_two_signs_has_the_nine_fixed_points_of_its_law() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = two_bits(folder.path(), &[]);
    let out = folder.path().join("reports");
    let mut watch = super::experiment::Ran::default();
    let options = Options { data: Path::new("data"), out: &out, force: &[], watch: &mut watch };
    let run = task::run(&experiment, options).unwrap();
    let summary = Summary::read(&run).unwrap();
    assert!(summary.get(keys::TASK_ERROR).unwrap() < 0.05, "{:?}", summary.get(keys::TASK_ERROR));
    assert_eq!(summary.get(keys::TASK_CHANCE), Some(1.0));
    let points = records::FixedPoints::read(&run).unwrap();
    let (tolerance, certified) = (points.tolerance().unwrap(), points.certified().unwrap());
    let (unstable, stable) = (points.unstable().unwrap(), points.stable().unwrap());
    let proved: Vec<usize> = (0..tolerance.len())
        .filter(|&i| tolerance[i] == 1e-12 && certified[i] == Some(true))
        .collect();
    // Each sign held or undecided: 2², 2 · 2, 1 by the number of undecided signs.
    let by_index = [0, 1, 2].map(|k| proved.iter().filter(|&&i| unstable[i] == Some(k)).count());
    assert_eq!(by_index, [4, 4, 1]);
    // Corners and the middle have index 1, edges −1: 4 − 4 + 1.
    assert_eq!(summary.get(keys::FIXED_POINTS_INDEX_SUM), Some(1.0));
    let found =
        [keys::FIXED_POINTS_DISTINCT, keys::FIXED_POINTS_STABLE, keys::FIXED_POINTS_UNSTABLE];
    assert_eq!(found.map(|key| summary.get(key)), [Some(9.0), Some(4.0), Some(5.0)]);
    // What is proved stands on one row with the spectrum, and nothing is said where nothing was computed.
    let (stability, tau) = (points.stability().unwrap(), points.tau_1().unwrap());
    for i in 0..tolerance.len() {
        let proved = match unstable[i] {
            _ if tolerance[i] != 1e-12 => None,
            Some(0) => Some("stable"),
            _ => Some("unstable"),
        };
        assert_eq!(stability[i].as_deref(), proved, "row {i}");
        assert_eq!(unstable[i].is_none(), tau[i].is_nan(), "row {i}");
    }
    assert_eq!(proved.iter().filter(|&&i| stable[i] == Some(true)).count(), 4);
    // Every stable point says one of the four pairs of signs.
    let said = points.readout().unwrap();
    let mut signs: Vec<(bool, bool)> = proved
        .iter()
        .filter(|&&i| stable[i] == Some(true))
        .map(|&i| (said[i][0] > 0.0, said[i][1] > 0.0))
        .collect();
    signs.sort_unstable();
    assert_eq!(signs, [(false, false), (false, true), (true, false), (true, true)]);
    let claims = records::Claims::read(&run).unwrap();
    assert_eq!(claims.claim().unwrap(), ["M1", "M2", "M3", "M4", "M6"]);
    // A square: each of four saddles between two corners that differ in one sign.
    let saddles = records::Saddles::read(&run).unwrap();
    let mut reached: Vec<(usize, String)> =
        saddles.unstable().unwrap().into_iter().zip(saddles.reaches().unwrap()).collect();
    reached.sort();
    let (middle, ends) = reached.pop().unwrap();
    // The middle leads to corners alone, to two at least: others may lie behind thin sectors.
    assert!(middle == 2 && ends.split(" | ").count() >= 2, "{ends}");
    assert!(ends.split(" | ").all(|end| ["++", "+−", "−+", "−−"].contains(&end)), "{ends}");
    let named = |k: usize, ends: &str| (k, ends.to_string());
    assert_eq!(
        reached,
        [named(1, "++ | +−"), named(1, "++ | −+"), named(1, "+− | −−"), named(1, "−+ | −−")]
    );
    assert_eq!(summary.get(keys::TRANSITIONS_ENDED), summary.get(keys::TRANSITIONS_ORBITS));
    assert!(claims.holds().unwrap().iter().all(|holds| *holds));
    let page = std::fs::read_to_string(run.join("index.html")).unwrap();
    assert!(page.contains("2-bit memory") && page.contains("id=\"claims\""));
    // The page is written again from tables and record; a folder of no task is left alone.
    std::fs::remove_file(run.join("index.html")).unwrap();
    assert!(task::rewrite(&run).unwrap() && !task::rewrite(folder.path()).unwrap());
    assert_eq!(std::fs::read_to_string(run.join("index.html")).unwrap(), page);
    // What no longer is the file that was made is not shown.
    std::fs::write(run.join("tables/claims.parquet"), "nothing").unwrap();
    let message = task::rewrite(&run).unwrap_err().to_string();
    assert!(message.contains("claims.parquet") && message.contains("accrue run"), "{message}");
}

#[test]
fn points_that_no_search_came_to_are_found_by_their_indices_and_counted_by_proof() {
    let folder = tempfile::tempdir().unwrap();
    let set = [
        "task=Memory(bits: 1, steps: 20, pulse: 0.2)",
        "model.units=2",
        "training.steps=600",
        "training.learning_rate=0.03",
        // One search, from one state: of three points two are missing.
        "fixed_points=(inputs: [Zero], initial_states: 1, explore: (running: 0, visited: 0, noisy: 0, mixtures: 0, uniform: 0))",
    ];
    let experiment = two_bits(folder.path(), &set);
    let out = folder.path().join("reports");
    let mut watch = super::experiment::Ran::default();
    let options = Options { data: Path::new("data"), out: &out, force: &[], watch: &mut watch };
    let run = task::run(&experiment, options).unwrap();
    let summary = Summary::read(&run).unwrap();
    let points = records::FixedPoints::read(&run).unwrap();
    let (start, tolerance) = (points.start().unwrap(), points.tolerance().unwrap());
    let of = |kind: &str| {
        (0..start.len()).filter(|&i| start[i] == kind && tolerance[i] == 1e-12).count()
    };
    assert_eq!(of("near"), 1);
    assert_eq!(of("near") + of("deflated") + of("census"), 3, "{start:?}");
    assert_eq!(summary.get(keys::FIXED_POINTS_CERTIFIED), Some(3.0));
    assert_eq!(summary.get(keys::FIXED_POINTS_INDEX_SUM), Some(1.0));
    assert_eq!(summary.get(keys::FIXED_POINTS_COMPLETE), Some(1.0));
}

#[test]
fn trials_of_ones_own_go_from_a_file_to_fixed_points() {
    let folder = tempfile::tempdir().unwrap();
    // A bit of memory, as NumPy writes it: f64, compressed, conditions as whole numbers.
    let (n, steps) = (400, 12);
    let mut state = 1_u64;
    let mut draw = move || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / (1_u64 << 31) as f64
    };
    let (mut inputs, mut targets) = (vec![0.0; n * steps], vec![0.0; n * steps]);
    for i in 0..n {
        let mut held = 0.0;
        for t in 0..steps {
            let pulse =
                if t == 0 || draw() < 0.2 { if draw() < 0.5 { 1.0 } else { -1.0 } } else { 0.0 };
            held = if pulse == 0.0 { held } else { pulse };
            (inputs[i * steps + t], targets[i * steps + t]) = (pulse, held);
        }
    }
    let file = folder.path().join("bit.npz");
    let save = |inputs: &[f64], targets: &[f64]| {
        let array = |x: &[f64]| {
            let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
            super::archive::npy("<f8", false, &[n, steps, 1], &bytes)
        };
        let groups: Vec<u8> = (0..n as i64).flat_map(|i| (i % 2).to_le_bytes()).collect();
        let entries = [
            ("inputs.npy", array(inputs)),
            ("targets.npy", array(targets)),
            ("conditions.npy", super::archive::npy("<i8", false, &[n], &groups)),
        ];
        std::fs::write(&file, super::archive::zip(&entries, true)).unwrap();
    };
    save(&inputs, &targets);
    let own = format!("task=File(file: \"{}\")", file.display());
    let set = [own.as_str(), "model.units=8", "training.steps=500", "training.learning_rate=0.03"];
    let experiment = two_bits(folder.path(), &set);
    let out = folder.path().join("reports");
    let mut watch = super::experiment::Ran::default();
    let options = Options { data: Path::new("data"), out: &out, force: &[], watch: &mut watch };
    let run = task::run(&experiment, options).unwrap();
    let summary = Summary::read(&run).unwrap();
    assert!(summary.get(keys::TASK_ERROR).unwrap() < 0.1, "{:?}", summary.get(keys::TASK_ERROR));
    assert_eq!(summary.get(keys::TASK_BEST), None, "what can be reached is not known");
    assert_eq!(summary.get(keys::FIXED_POINTS_STABLE), Some(2.0));
    let note = records::Notes::read(&run).unwrap().note().unwrap().concat();
    assert!(
        note.contains("280 trials to learn from, 40 to stop by, 80 to measure on, of 400"),
        "{note}"
    );
    assert!(task::rewrite(&run).unwrap());
    // Another file is another task: nothing of the first stands in for it.
    inputs[0] = f64::NAN;
    save(&inputs, &targets);
    let options = Options { data: Path::new("data"), out: &out, force: &[], watch: &mut watch };
    let said = task::run(&experiment, options).unwrap_err().to_string();
    assert!(said.contains("bit.npz") && said.contains("trial 0, step 0"), "{said}");
}

#[test]
fn settings_of_a_task_are_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let changed = two_bits(folder.path(), &["task=Memory(bits: 1)", "model.units=3", "seed=9"]);
    assert_eq!((changed.model.units, changed.seed, changed.task.outputs()), (3, 9, 1));
    let said = changed.with("corpus.seed=2").unwrap_err().to_string();
    assert!(said.contains("corpus"), "{said}");
    // A task has no words to hold the input at.
    let mut experiment = two_bits(folder.path(), &["fixed_points.inputs=[Mean]"]);
    experiment.study = "tests".into();
    let mut watch = super::experiment::Ran::default();
    let options =
        Options { data: Path::new("data"), out: folder.path(), force: &[], watch: &mut watch };
    let message = task::run(&experiment, options).unwrap_err().to_string();
    assert!(message.contains("fixed_points.inputs") && message.contains("Zero"), "{message}");
    // A study that nobody knows is named with its place.
    let file = folder.path().join("wrong.ron");
    std::fs::write(&file, "// first\nTusk(seed: 1)").unwrap();
    let message = Study::read(&file, &[]).unwrap_err().to_string();
    assert!(
        message.contains("wrong.ron:2:1") && message.contains("did you mean `Task`"),
        "{message}"
    );
}

/// Mean loss of a network on trials by the reference's order of work: logits of each step, then the loss written out.
fn loss_by_hand(network: &Network, trials: Trials) -> f64 {
    let (Sequences::Vectors(inputs), Targets::Steps(targets)) = (trials.inputs, trials.targets)
    else {
        panic!("a task has vectors in and out")
    };
    let map = accrue::dynamics::Map::new(&network.cell().unwrap(), &vec![0.0; inputs.width()]);
    let map = map.unwrap();
    let (weights, bias) = network.readout().unwrap();
    let (mut sum, mut count) = (0.0, 0.0);
    for i in 0..inputs.len() {
        let mut state = network.initial_state().unwrap();
        for t in 0..inputs.length(i) {
            let x: Vec<f64> = inputs.at(i, t).iter().map(|&x| x as f64).collect();
            let held = map.with_input(&x).unwrap();
            state = accrue::dynamics::Dynamics::step(&held, &state).as_slice().to_vec();
            let slot = inputs.start(i) + t;
            for (k, b) in bias.iter().enumerate() {
                let row = &weights[k * state.len()..][..state.len()];
                let y = b + row.iter().zip(&state).map(|(w, s)| w * s).sum::<f64>();
                let error = y - targets.values[slot * targets.width + k] as f64;
                sum += targets.mask[slot] as f64 * error * error;
                count += targets.mask[slot] as f64;
            }
        }
    }
    sum / count
}

#[test]
fn the_loss_of_steps_is_the_masked_mean_of_squares_in_every_cell() {
    let folder = tempfile::tempdir().unwrap();
    let task =
        two_bits(folder.path(), &["task=Memory(bits: 2, steps: 12, grace: 2, noise: 0.1)"]).task;
    let drawn = task.draw(7, 1, "test");
    assert!(drawn.targets.mask.contains(&0.0), "some steps are not scored");
    for cell in [
        CellKind::Vanilla,
        CellKind::Ugrnn,
        CellKind::Gru,
        CellKind::GruResetBefore,
        CellKind::Lstm,
    ] {
        let config = Config { cell, units: 5, embedding: None, ..Config::default() };
        let network = Network::new(&config, Head::Steps, Reads::Vectors(2), 2, 1).unwrap();
        let found = train::score(&network, &drawn).unwrap().mean_loss();
        let wanted = loss_by_hand(&network, (&drawn).into());
        assert!((found - wanted).abs() < 1e-5 * wanted, "{cell:?}: {found} and {wanted}");
    }
}

#[test]
fn one_step_of_training_follows_the_gradient_of_the_masked_loss() {
    let folder = tempfile::tempdir().unwrap();
    let experiment = two_bits(
        folder.path(),
        &[
            "task=Memory(bits: 2, steps: 8, grace: 1)",
            "training.clip=0",
            "training.batch=6",
            "training.steps=1",
        ],
    );
    let drawn = experiment.task.draw(6, 1, "train");
    let config = Config { cell: CellKind::Gru, units: 4, embedding: None, ..Config::default() };
    let fresh = || Network::new(&config, Head::Steps, Reads::Vectors(2), 2, 1).unwrap();
    // A huge epsilon makes Adam's first step the gradient itself, times rate/epsilon.
    let mut settings = experiment.training.clone();
    (settings.learning_rate, settings.epsilon, settings.beta1, settings.beta2) =
        (1e3, 1e6, 0.0, 0.0);
    let network = fresh();
    let place = folder.path().join("checkpoint.safetensors");
    train::fit(&network, &drawn, &drawn, &settings, 1, (&place, "key"), &mut ()).unwrap();
    let (before, after) = (fresh().arrays().unwrap(), network.arrays().unwrap());
    for (name, at) in [("rnn.weight_ih_l0", 5), ("rnn.weight_hh_l0", 17), ("readout.weight", 3)] {
        let moved = after[name].1[at] - before[name].1[at];
        let gradient = -moved as f64 / (1e3 / 1e6);
        let shifted = |by: f32| {
            let network = fresh();
            let mut arrays = before.clone();
            arrays.get_mut(name).unwrap().1[at] += by;
            network.set_arrays(&arrays).unwrap();
            loss_by_hand(&network, (&drawn).into())
        };
        let step = 1e-2;
        let central = (shifted(step) - shifted(-step)) / (2.0 * step as f64);
        assert!(
            (gradient - central).abs() < 2e-3 * central.abs().max(0.1),
            "{name}: {gradient}, {central}"
        );
    }
}

#[test]
fn inputs_and_states_of_ones_own_are_held_and_searched_from_and_jacobians_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("states.npy");
    // One state of zeros, f64: NumPy's format is its header and the numbers.
    let npy = |states: usize| {
        let mut header =
            format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({states}, 16), }}");
        header.push_str(&" ".repeat(117 - header.len()));
        let mut bytes = b"\x93NUMPY\x01\x00\x76\x00".to_vec();
        bytes.extend(header.bytes());
        bytes.push(b'\n');
        bytes.extend(std::iter::repeat_n(0_u8, states * 16 * 8));
        std::fs::write(&file, bytes).unwrap();
    };
    npy(1);
    let given = format!("fixed_points.given=\"{}\"", file.display());
    let set = [
        "training.steps=20",
        "fixed_points.inputs=[Given([1, 0]), Zero]",
        "fixed_points.save_jacobians=true",
        "fixed_points.initial_states=16",
        "fixed_points.explore=(running: 0, visited: 0, noisy: 0, mixtures: 0, uniform: 4)",
        &given,
    ];
    let experiment = two_bits(folder.path(), &set);
    let out = folder.path().join("reports");
    let mut watch = super::experiment::Ran::default();
    let options = Options { data: Path::new("data"), out: &out, force: &[], watch: &mut watch };
    let run = task::run(&experiment, options).unwrap();
    let from = records::Explorations::read(&run).unwrap();
    assert_eq!(from.input().unwrap(), ["[1.0, 0.0]", "[1.0, 0.0]", "zero", "zero"]);
    assert_eq!(from.start().unwrap(), ["uniform", "given", "uniform", "given"]);
    assert_eq!(from.searches().unwrap(), [4, 1, 4, 1]);
    // J R = R Λ and Lᵀ R = I, from what stands in the tables.
    let kept = records::Jacobians::read(&run).unwrap();
    let (point, jacobian) = (kept.point().unwrap(), kept.jacobian().unwrap());
    let [right_re, right_im] = [kept.right_re().unwrap(), kept.right_im().unwrap()];
    let [left_re, left_im] = [kept.left_re().unwrap(), kept.left_im().unwrap()];
    let modes = records::Eigenvalues::read(&run).unwrap();
    let (of, re, im) = (modes.point().unwrap(), modes.re().unwrap(), modes.im().unwrap());
    assert!(!point.is_empty());
    let n = 16;
    for (row, p) in point.iter().enumerate() {
        let values: Vec<(f64, f64)> =
            (0..of.len()).filter(|&i| of[i] == *p).map(|i| (re[i], im[i])).collect();
        let times = |a: (f64, f64), b: (f64, f64)| (a.0 * b.0 - a.1 * b.1, a.0 * b.1 + a.1 * b.0);
        let right = |i: usize, a: usize| (right_re[row][i * n + a], right_im[row][i * n + a]);
        let left = |i: usize, a: usize| (left_re[row][i * n + a], left_im[row][i * n + a]);
        for (a, value) in values.iter().enumerate() {
            for i in 0..n {
                let j = |k: usize| jacobian[row][i * n + k];
                let moved = (0..n).fold((0.0, 0.0), |s, k| {
                    (s.0 + j(k) * right(k, a).0, s.1 + j(k) * right(k, a).1)
                });
                let scaled = times(*value, right(i, a));
                let off = (moved.0 - scaled.0).hypot(moved.1 - scaled.1);
                assert!(off < 1e-9, "point {p}, mode {a}: {off}");
                let product = (0..n).fold((0.0, 0.0), |s, k| {
                    let x = times(left(k, i), right(k, a));
                    (s.0 + x.0, s.1 + x.1)
                });
                let one = (i == a) as u8 as f64;
                assert!((product.0 - one).hypot(product.1) < 1e-6, "point {p}: {product:?}");
            }
        }
    }
    // Other states in the file of that name are another search.
    npy(2);
    let options = Options { data: Path::new("data"), out: &out, force: &[], watch: &mut watch };
    let run = task::run(&experiment, options).unwrap();
    assert_eq!(records::Explorations::read(&run).unwrap().searches().unwrap(), [4, 2, 4, 2]);
}
