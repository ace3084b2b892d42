//! Gated or not, and networks beside recordings: settings to tables, claims and pages.

use crate::archive;
use accrue::analyses::gating::{Generated, Shown, generated, mechanisms};
use accrue::analyses::recording::{Portrait, dynamical};
use accrue::data::tasks::accumulation::Strategy;
use accrue::dynamics::Map;
use accrue::experiment::Study;
use accrue::ops::{Cell, CellKind};
use accrue::records;
use accrue::report::dictionary;
use accrue::seed;
use accrue::studies::grid::{Outcome, Plan, Progress};
use accrue::studies::{gating, recording};
use candle_core::{Device, Tensor};
use rand::Rng;
use rand_distr::StandardNormal;
use std::collections::HashMap;
use std::path::Path;

struct Silent;

impl Progress for Silent {
    fn ended(&self, _: usize, _: usize, case: &str, outcome: &Outcome, _: f64) {
        assert_eq!(outcome.failure, None, "{case}");
    }
}

/// A study's file, read.
fn study(folder: &Path, text: &str) -> Result<Study, accrue::Error> {
    let file = folder.join("small.ron");
    std::fs::write(&file, text).unwrap();
    Study::read(&file, &[])
}

const GATING: &str = "
    Gating(
        study: \"tests\",
        name: \"gating\",
        generated: (draws: 2, units: 40, trials: 8, strengths: [0, 3]),
        shown: (levels: [-0.04, 0.02, 0.04], trials: 16, folds: 2, windows: 2, gates: [1, 0]),
        learned: 10,
        of: (
            task: Integration(steps: 6),
            trials: (train: 128, validation: 16, test: 16),
            model: (cell: Vanilla, units: 6, embedding: None),
            training: (batch: 32, epochs: 10, steps: 40, learning_rate: 0.01),
            states: (documents: 8, most: 100),
            fixed_points: (initial_states: 8),
        ),
        grid: [(set: \"seed\", to: [1, 2])],
    )";

#[test]
fn a_study_of_gating_goes_from_settings_to_claims_that_the_dictionary_knows() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 2 };
    let Study::Gating(g) = study(folder.path(), GATING).unwrap() else {
        panic!("a study of gating")
    };
    let (place, failed) = gating::run(&g, &plan, &Silent).unwrap();
    assert_eq!(failed, 0);
    let gates = records::Gates::read(&place).unwrap();
    let source = gates.source().unwrap();
    // Two draws of two strengths: two gates, an axis a context, and one tied; two networks, gates and windows.
    assert_eq!(source.iter().filter(|s| *s == "generator").count(), 2 * 2 * 4);
    assert_eq!(source.iter().filter(|s| *s == "network").count(), 2 * 2 * 2);
    for claim in records::Claims::read(&place).unwrap().claim().unwrap() {
        assert_ne!(dictionary::claim(&claim), "", "{claim} stands in the dictionary");
    }
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    assert!(page.contains("gating_formula") && page.contains("gating_course"));
    std::fs::remove_file(place.join("index.html")).unwrap();
    assert!(gating::rewrite(&place).unwrap());
    assert_eq!(std::fs::read_to_string(place.join("index.html")).unwrap(), page);
    assert!(!recording::rewrite(&place).unwrap());
    // The same file gives the same numbers.
    let before = gates.ratio().unwrap();
    gating::run(&g, &plan, &Silent).unwrap();
    assert_eq!(records::Gates::read(&place).unwrap().ratio().unwrap(), before);
}

/// What was told on the way.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<String>>);

impl Progress for Told {
    fn note(&self, note: &str) {
        self.0.lock().unwrap().push(note.into());
    }

    fn ended(&self, _: usize, _: usize, case: &str, outcome: &Outcome, _: f64) {
        assert_eq!(outcome.failure, None, "{case}");
    }
}

#[test]
fn gates_that_do_not_stand_before_networks_on_labels_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 2 };
    let text = GATING
        .replace("Integration(steps: 6)", "Labels(words: 5)")
        .replace("levels: [-0.04, 0.02, 0.04]", "levels: [-0.6, 0.3, 0.6]")
        .replace("name: \"gating\"", "name: \"labels\"");
    let Study::Gating(g) = study(folder.path(), &text).unwrap() else { panic!("gating") };
    let told = Told::default();
    let (place, failed) = gating::run(&g, &plan, &told).unwrap();
    assert_eq!(failed, 0, "a network without axes of choice ends no study");
    let note = "shown.gates: [1.0, 0.0] are the formula's alone";
    assert!(told.0.lock().unwrap().iter().any(|n| n.contains(note)));
    let notes = records::Notes::read(&place).unwrap().note().unwrap();
    assert!(notes.iter().any(|n| n.contains(note)), "{notes:?}");
    let gates = records::Gates::read(&place).unwrap();
    let (source, gate) = (gates.source().unwrap(), gates.gate().unwrap());
    assert!((0..gate.len()).all(|i| source[i] == "generator" || gate[i] == 1.0));
    let beyond = text.replace("0.3, 0.6]", "0.3, 1.6]");
    let Study::Gating(g) = study(folder.path(), &beyond).unwrap() else { panic!("gating") };
    let e = gating::run(&g, &plan, &Silent).unwrap_err().to_string();
    assert!(e.contains("shown.levels: 1.6") && e.contains("between −1 and 1"), "{e}");
}

#[test]
fn a_stage_that_no_network_has_leaves_a_finished_study_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let misspelt = ["trian".to_string()];
    let plan = Plan { data: Path::new("data"), out: &out, force: &misspelt, jobs: 2 };
    let Study::Gating(g) = study(folder.path(), GATING).unwrap() else { panic!("gating") };
    let e = gating::run(&g, &plan, &Silent).unwrap_err().to_string();
    assert!(e.contains("--force trian: no such stage"), "{e}");
    assert!(!out.exists());
}

#[test]
fn levels_gates_and_tasks_that_ask_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 1 };
    for (from, to, part) in [
        ("levels: [-0.04, 0.02, 0.04]", "levels: [0.04]", "make no two conditions"),
        ("gates: [1, 0]", "gates: []", "1 is an open gate"),
        ("trials: 16, folds: 2", "trials: 4, folds: 9", "9 folds of 4 trials"),
        ("Integration(steps: 6)", "Memory()", "Integration or Labels"),
    ] {
        let Study::Gating(g) = study(folder.path(), &GATING.replace(from, to)).unwrap() else {
            panic!("a study of gating")
        };
        let e = gating::run(&g, &plan, &Silent).unwrap_err().to_string();
        assert!(e.contains(part), "{e}");
    }
}

#[test]
fn the_formula_is_met_and_the_gate_found_on_drawn_responses() {
    let settings = Generated { draws: 3, strengths: vec![0.0, 3.0], ..Generated::default() };
    let shown = Shown { gates: vec![1.0, 0.3], ..Shown::default() };
    for draw in generated(&settings, &shown, 11).unwrap() {
        let found = &draw.measured;
        match accrue::analyses::gating::decision_name(draw.decision) {
            "shared" => {
                let off = found.before[0] - draw.formula;
                assert!(off.abs() < 0.1 * draw.gate, "{off} at s = {}", draw.strength);
                let gate = draw.gate * draw.gate;
                assert!((found.without_choice - gate).abs() < 0.1, "{}", found.without_choice);
            }
            // The second context's answer lies anywhere: nothing is hidden there.
            "tied" if draw.strength > 0.0 => {
                assert!(found.before[1] < 0.2 && found.before[2] > 0.7, "{:?}", found.before);
            }
            _ => {}
        }
    }
}

#[test]
fn a_linear_integrator_that_reads_both_streams_alike_selects_by_no_mechanism() {
    // Contexts enter as inputs and change nothing in a linear cell: s and i are those of the other context.
    let cell = Cell {
        kind: CellKind::Linear,
        units: 2,
        inputs: 4,
        input_weights: vec![1.0, 0.5, 0.0, 0.0, 0.3, 2.0, 1.0, -1.0],
        recurrent_weights: vec![1.0, 0.0, 0.0, 0.5],
        input_bias: vec![0.0; 2],
        recurrent_bias: vec![0.0; 2],
    };
    let maps = [[0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]].map(|x| Map::new(&cell, &x).unwrap());
    let points: [&[f64]; 1] = [&[0.0, 0.0]];
    let found = mechanisms([&maps[0], &maps[1]], [&points, &points], &[1.0, 1.0]).unwrap();
    let ([first, second], n) = found.expect("the slowest mode is real");
    assert_eq!(n, 2);
    assert!(first.total().abs() < 1e-12 && second.total().abs() < 1e-12);
    assert!((first.relevant - 1.0).abs() < 1e-12 && (second.relevant - 0.5).abs() < 1e-12);
}

#[test]
fn the_nearest_portrait_is_that_of_the_same_fixed_points() {
    let portrait = |stable, slow, tau| Portrait { stable, slow, tau };
    let candidates = [portrait(1.0, 0.0, 7.5), portrait(0.0, 1.0, 900.0), portrait(2.0, 1.0, 40.0)];
    for (i, own) in candidates.iter().enumerate() {
        let far = dynamical(own, &candidates);
        assert_eq!(far[i], Some(0.0));
        assert!(far.iter().enumerate().all(|(j, d)| j == i || d.unwrap() > 0.5), "{far:?}");
    }
}

#[test]
fn a_network_without_a_time_constant_has_no_dynamical_distance() {
    let portrait = |stable, slow, tau| Portrait { stable, slow, tau };
    let known = [portrait(1.0, 0.0, 7.5), portrait(0.0, 1.0, 900.0)];
    let none = portrait(1.0, 0.0, f64::NAN);
    assert_eq!(dynamical(&none, &known), [None, None]);
    // A candidate without one has no part in the others' distances.
    let far = dynamical(&known[0], &[known[0], none, known[1]]);
    let alone = dynamical(&known[0], &known);
    assert_eq!(far, [alone[0], None, alone[1]]);
    assert!(alone[1].unwrap() > 0.5);
    // One that keeps evidence for ever is no such network.
    let ever = portrait(0.0, 1.0, f64::INFINITY);
    assert!(dynamical(&ever, &known).iter().all(|d| d.unwrap().is_finite()));
}

#[test]
fn a_recording_goes_from_settings_to_claims_that_the_dictionary_knows() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 2 };
    let text = "
    Recording(
        study: \"tests\",
        name: \"recording\",
        strategies: [Perfect, Leaky(3)],
        blocks: 1,
        learned: 100,
        candidates: [Vanilla],
        analysis: (trials: 200, recorded: 40, units: 12, bins: 4, folds: 4, lags: 1, components: 2),
        of: (
            task: Accumulation(steps: 8),
            trials: (train: 256, validation: 16, test: 16),
            model: (cell: Vanilla, units: 6, embedding: None),
            training: (batch: 32, epochs: 20, steps: 150, learning_rate: 0.02),
            states: (documents: 8, most: 100),
            fixed_points: (initial_states: 8),
        ),
    )";
    let Study::Recording(r) = study(folder.path(), text).unwrap() else { panic!("a recording") };
    let (place, failed) = recording::run(&r, &plan, &Silent).unwrap();
    assert_eq!(failed, 0);
    let blocks = records::Blocks::read(&place).unwrap();
    assert_eq!(blocks.strategy().unwrap(), ["perfect", "leaky"]);
    for (planted, want) in
        [(blocks.task_planted().unwrap(), 0.2), (blocks.movement_planted().unwrap(), 0.4)]
    {
        assert!(planted.iter().all(|p| (p - want).abs() < 0.06), "{planted:?}");
    }
    assert_eq!(records::Portraits::read(&place).unwrap().height(), 4);
    let confusion = records::Confusion::read(&place).unwrap().count().unwrap();
    assert_eq!(confusion.iter().sum::<usize>(), 3 * 2, "three ways, two blocks");
    for claim in records::Claims::read(&place).unwrap().claim().unwrap() {
        assert_ne!(dictionary::claim(&claim), "", "{claim} stands in the dictionary");
    }
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    assert!(page.contains("2 blocks of behaviour") && page.contains("confusion"));
    // A heading says what stands below it.
    let (alone, lost) = (blocks.task_alone().unwrap()[0], blocks.task_unique().unwrap()[0]);
    let cells: Vec<&str> = page
        .split("id=\"blocks\"")
        .nth(1)
        .and_then(|section| section.split("<tbody><tr>").nth(1))
        .map(|row| row.split("</tr>").next().unwrap().split("<td").skip(1).collect())
        .unwrap();
    let heads = page.split("id=\"blocks\"").nth(1).unwrap().split("</thead>").next().unwrap();
    let under = |head: &str| {
        let heads: Vec<&str> = heads.split("<th>").skip(1).collect();
        let at = heads.iter().position(|h| h.starts_with(head)).expect(head);
        cells[at].trim_start_matches('>').split('<').next().unwrap().to_string()
    };
    assert_eq!(under("Task alone explains"), format!("{alone:.3}"));
    assert_eq!(under("Lost without task"), format!("{lost:.3}"));
    assert_ne!(format!("{alone:.3}"), format!("{lost:.3}"));
    std::fs::remove_file(place.join("index.html")).unwrap();
    assert!(recording::rewrite(&place).unwrap());
    assert_eq!(std::fs::read_to_string(place.join("index.html")).unwrap(), page);
    own_recording(folder.path(), text, &plan);
    unlearned(folder.path(), text, &plan);
    let e = study(folder.path(), &text.replace("Leaky(3)", "Leaky(0.5)")).unwrap();
    let Study::Recording(r) = e else { panic!("a recording") };
    assert!(recording::run(&r, &plan, &Silent).unwrap_err().to_string().contains("Leaky(0.5)"));
    for (from, to, part) in [
        ("Leaky(3)", "Perfect", "Perfect stands there twice"),
        ("bins: 4", "bins: 9", "analysis.bins: 9 bins of 8 steps"),
        ("recorded: 40", "recorded: 400", "analysis.recorded: 400 of 200 trials"),
        ("lags: 1", "lags: 1, shares: (task: 0.8, movement: 0.4)", "below 1 together"),
    ] {
        let e = study(folder.path(), &text.replace(from, to)).unwrap();
        let Study::Recording(r) = e else { panic!("a recording") };
        // Before any network is trained: none would be in place.
        let elsewhere = folder.path().join("elsewhere");
        let plan = Plan { data: Path::new("data"), out: &elsewhere, force: &[], jobs: 1 };
        let e = recording::run(&r, &plan, &Silent).unwrap_err().to_string();
        assert!(e.contains(part), "{e}");
        assert!(!elsewhere.exists(), "nothing was begun");
    }
}

/// Networks that have not learned stand behind no block and beside none; a stage that nobody has leaves what is finished.
fn unlearned(folder: &Path, text: &str, plan: &Plan) {
    let of = |learned: &str| {
        let text = text.replace("learned: 100", &format!("learned: {learned}"));
        let Study::Recording(r) = study(folder, &text).unwrap() else { panic!("a recording") };
        r
    };
    let place = recording::run(&of("100"), plan, &Silent).unwrap().0;
    let portraits = records::Portraits::read(&place).unwrap();
    assert!(portraits.learned().unwrap().iter().all(|l| *l));
    let before = std::fs::read(place.join("index.html")).unwrap();
    let misspelt = ["trian".to_string()];
    let forced = Plan { force: &misspelt, ..*plan };
    let e = recording::run(&of("100"), &forced, &Silent).unwrap_err().to_string();
    assert!(e.contains("--force trian: no such stage") && e.contains("train"), "{e}");
    assert_eq!(std::fs::read(place.join("index.html")).unwrap(), before);
    // The better half of the networks by their error.
    let mut errors = portraits.error().unwrap();
    errors.sort_by(f64::total_cmp);
    let between = (errors[1] + errors[2]) / 2.0;
    let place = recording::run(&of(&between.to_string()), plan, &Silent).unwrap().0;
    let portraits = records::Portraits::read(&place).unwrap();
    let learned = portraits.learned().unwrap();
    assert_eq!(learned.iter().filter(|l| **l).count(), 2);
    let role = portraits.role().unwrap();
    let hidden = (0..4).filter(|&i| learned[i] && role[i] == "hidden").count();
    assert_eq!(records::Blocks::read(&place).unwrap().height(), hidden);
    let notes = records::Notes::read(&place).unwrap().note().unwrap();
    assert_eq!(notes.iter().filter(|n| n.contains("(`learned`)")).count(), 2, "{notes:?}");
    // With one candidate of two strategies, the nearest says nothing.
    let confusion = records::Confusion::read(&place).unwrap();
    assert!(confusion.measure().unwrap().iter().all(|m| m == "kernel" || hidden == 0));
    let place = recording::run(&of("0.000000001"), plan, &Silent).unwrap().0;
    assert_eq!(records::Blocks::read(&place).unwrap().height(), 0);
    assert_eq!(records::Claims::read(&place).unwrap().height(), 0);
}

#[test]
fn two_leaks_are_two_strategies_that_kernels_do_not_tell_apart() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let plan = Plan { data: Path::new("data"), out: &out, force: &[], jobs: 2 };
    let text = "
    Recording(
        study: \"tests\",
        name: \"leaks\",
        strategies: [Leaky(1.5), Leaky(12)],
        blocks: 2,
        learned: 100,
        candidates: [Vanilla],
        analysis: (trials: 200, recorded: 40, units: 12, bins: 4, folds: 4, lags: 1, components: 2),
        of: (
            task: Accumulation(steps: 8),
            trials: (train: 256, validation: 16, test: 16),
            model: (cell: Vanilla, units: 6, embedding: None),
            training: (batch: 32, epochs: 40, steps: 300, learning_rate: 0.02),
            states: (documents: 8, most: 100),
            fixed_points: (initial_states: 8),
        ),
    )";
    let Study::Recording(r) = study(folder.path(), text).unwrap() else { panic!("a recording") };
    let (place, failed) = recording::run(&r, &plan, &Silent).unwrap();
    assert_eq!(failed, 0);
    let blocks = records::Blocks::read(&place).unwrap();
    assert_eq!(blocks.strategy().unwrap(), ["leaky 1.5", "leaky 12", "leaky 1.5", "leaky 12"]);
    let confusion = records::Confusion::read(&place).unwrap();
    let (measure, truth) = (confusion.measure().unwrap(), confusion.strategy().unwrap());
    let (said, count) = (confusion.inferred().unwrap(), confusion.count().unwrap());
    assert!(measure.iter().all(|m| m != "kernel"));
    let of = |way: &str| -> Vec<(String, String)> {
        let rows = (0..count.len()).filter(|&i| measure[i] == way);
        rows.map(|i| (truth[i].clone(), said[i].clone())).collect()
    };
    assert_eq!(of("svcca").len(), 4);
    assert!(of("svcca").contains(&("leaky 1.5".into(), "leaky 12".into())));
    let claims = records::Claims::read(&place).unwrap();
    let (name, statement) = (claims.claim().unwrap(), claims.statement().unwrap());
    assert!(!name.contains(&"R4".to_string()), "{name:?}");
    // Each leak beside its own: what is left after a step is 1 − 1/τ.
    for factor in [1.0 - 1.0 / 1.5, 1.0 - 1.0 / 12.0] {
        let own = format!("is a factor of {factor:.3} a step");
        assert!(
            (0..name.len()).any(|i| name[i] == "R3" && statement[i].contains(&own)),
            "{statement:?}"
        );
    }
    let notes = records::Notes::read(&place).unwrap().note().unwrap();
    assert!(notes.iter().any(|n| n.contains("all strategies are of one kind")), "{notes:?}");
}

/// A recording of one's own stands as one more block: a leaky observer, units that mix its sum and a movement.
fn own_recording(folder: &Path, text: &str, plan: &Plan) {
    let (trials, steps, units) = (300, 8, 10);
    let mut stream = seed::stream(3, "own recording");
    let mut draw = || stream.sample::<f64, _>(StandardNormal);
    let (mut evidence, mut choice) = (Vec::new(), Vec::new());
    let (mut activity, mut movement) = (Vec::new(), Vec::new());
    let mixing: Vec<[f64; 2]> = (0..units).map(|_| [draw(), draw()]).collect();
    for _ in 0..trials {
        let own: Vec<f64> = (0..steps).map(|_| 0.2 * draw()).collect();
        let v = Strategy::Leaky(3.0).run(&own);
        choice.push(if v[steps - 1] > 0.0 { 1.0 } else { 0.0 });
        for (e, v) in own.iter().zip(&v) {
            let moved = draw();
            evidence.push(*e as f32);
            movement.push(moved as f32);
            activity.extend(mixing.iter().map(|m| (5.0 * m[0] * v + m[1] * moved) as f32));
        }
    }
    let array = |values: Vec<f32>, shape: &[usize]| {
        Tensor::from_vec(values, shape, &Device::Cpu).expect("as many numbers as the shape says")
    };
    let mut arrays = HashMap::from([
        ("evidence", array(evidence, &[trials, steps])),
        ("choice", array(choice, &[trials])),
        ("activity", array(activity, &[trials, steps, units])),
        ("movement", array(movement, &[trials, steps, 1])),
    ]);
    let file = folder.join("session.safetensors");
    candle_core::safetensors::save(&arrays, &file).unwrap();
    let text =
        text.replace("blocks: 1,", &format!("blocks: 1, data: {:?},", file.display().to_string()));
    let run = || {
        let Study::Recording(r) = study(folder, &text).unwrap() else { panic!("a recording") };
        recording::run(&r, plan, &Silent)
    };
    let place = run().unwrap().0;
    let blocks = records::Blocks::read(&place).unwrap();
    assert_eq!(blocks.strategy().unwrap(), ["perfect", "leaky", ""]);
    assert_eq!(blocks.case().unwrap()[2], None);
    assert_eq!(blocks.by_kernel().unwrap()[2], "leaky");
    // All of it is linear in what is known.
    assert!(blocks.explained().unwrap()[2] > 0.95, "{:?}", blocks.explained().unwrap());
    let table = records::CandidateDistances::read(&place).unwrap();
    assert_eq!(table.block().unwrap().iter().filter(|b| **b == 3).count(), 2, "two candidates");
    let explained = blocks.explained().unwrap();
    // The same as a table, its rows from the last to the first: the same numbers.
    let parquet = folder.join("session.parquet");
    write_session(&parquet, &arrays, "choice");
    let table = text.replace("session.safetensors", "session.parquet");
    let run_table = || {
        let Study::Recording(r) = study(folder, &table).unwrap() else { panic!("a recording") };
        recording::run(&r, plan, &Silent)
    };
    let place = run_table().unwrap().0;
    assert_eq!(records::Blocks::read(&place).unwrap().explained().unwrap(), explained);
    let notes = records::Notes::read(&place).unwrap().note().unwrap();
    assert!(notes.iter().any(|n| n == "300 trials of 8 steps, 10 units, 1 variables of movement"));
    assert!(notes.iter().any(|n| n == "read as units: unit_0 … unit_9 (10)"), "{notes:?}");
    assert!(notes.iter().any(|n| n.starts_with("not read: unit_quality (")), "{notes:?}");
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    let own = "by states the nearest candidate is the";
    assert!(page.contains("Block 3 is a recording of your own") && page.contains(own));
    assert!(!page.contains("so that the answer is known"));
    // NumPy's, choices as true and false: the same numbers.
    let numpy = folder.join("session.npz");
    let write = |spoilt: Option<usize>| {
        let mut files = Vec::new();
        for (name, of) in ["evidence.npy", "activity.npy", "movement.npy", "choice.npy"]
            .map(|f| (f, f.trim_end_matches(".npy")))
        {
            let mut values: Vec<f32> = arrays[of].flatten_all().unwrap().to_vec1().unwrap();
            if let (Some(at), "activity") = (spoilt, of) {
                values[at] = f32::NAN;
            }
            let bytes: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
            let (descr, bytes) = match of {
                "choice" => ("|b1", values.iter().map(|x| *x as u8).collect()),
                _ => ("<f4", bytes),
            };
            files.push((name, archive::npy(descr, false, arrays[of].dims(), &bytes)));
        }
        std::fs::write(&numpy, archive::zip(&files, false)).unwrap();
    };
    let own = text.replace("session.safetensors", "session.npz");
    let run_numpy = || {
        let Study::Recording(r) = study(folder, &own).unwrap() else { panic!("a recording") };
        recording::run(&r, plan, &Silent)
    };
    write(None);
    let place = run_numpy().unwrap().0;
    assert_eq!(records::Blocks::read(&place).unwrap().explained().unwrap(), explained);
    write(Some((2 * steps + 3) * units + 4));
    let e = run_numpy().unwrap_err().to_string();
    assert!(e.contains("array `activity`, trial 3, step 4, unit or variable 5: NaN"), "{e}");
    write_session(&parquet, &arrays, "chosen");
    let e = run_table().unwrap_err().to_string();
    assert!(
        e.contains("column `choice`: it is missing; there are: trial, step, evidence, chosen"),
        "{e}"
    );
    arrays.remove("activity");
    candle_core::safetensors::save(&arrays, &file).unwrap();
    let e = run().unwrap_err().to_string();
    assert!(e.contains("array `activity`: it is missing; there are: choice"), "{e}");
}

/// The session as a table, a row a trial and step, from the last to the first.
fn write_session(path: &Path, arrays: &HashMap<&str, Tensor>, choice: &str) {
    let of = |name: &str| -> Vec<f32> { arrays[name].flatten_all().unwrap().to_vec1().unwrap() };
    let (trials, steps, units) = arrays["activity"].dims3().unwrap();
    let rows: Vec<usize> = (0..trials * steps).rev().collect();
    let column = |name: &str, at: &dyn Fn(usize) -> f32| {
        let values: Vec<f32> = rows.iter().map(|&r| at(r)).collect();
        polars::prelude::Column::new(name.into(), values)
    };
    let whole = |name: &str, at: &dyn Fn(usize) -> i64| {
        let values: Vec<i64> = rows.iter().map(|&r| at(r)).collect();
        polars::prelude::Column::new(name.into(), values)
    };
    let (evidence, chosen) = (of("evidence"), of("choice"));
    let (activity, movement) = (of("activity"), of("movement"));
    let mut columns = vec![
        whole("trial", &|r| (r / steps) as i64),
        whole("step", &|r| (r % steps) as i64 + 1),
        column("evidence", &|r| evidence[r]),
        column(choice, &|r| chosen[r / steps]),
    ];
    for u in 0..units {
        columns.push(column(&format!("unit_{u}"), &|r| activity[r * units + u]));
    }
    columns.push(column("unit_quality", &|r| r as f32));
    columns.push(column("movement_1", &|r| movement[r]));
    let mut table = polars::prelude::DataFrame::new_infer_height(columns).unwrap();
    let file = std::fs::File::create(path).unwrap();
    polars::prelude::ParquetWriter::new(file).finish(&mut table).unwrap();
}
