//! Claims about the meta-model, each against an independent truth.

use crate::pass::{Objective, gradient};
use crate::recording::Agreement;
use crate::train::{Checkpoint, Collection, Settings, train};
use crate::*;
use rand::Rng;
use rand_distr::StandardNormal;

fn phrases(count: usize, words: u32, length: std::ops::Range<usize>, seed: u64) -> Phrases {
    let mut stream = seed::stream(seed, "phrases");
    let all: Vec<Vec<u32>> = (0..count)
        .map(|_| {
            let length = stream.random_range(length.clone());
            (0..length).map(|_| stream.random_range(0..words)).collect()
        })
        .collect();
    Phrases::of_words(all.iter().map(Vec::as_slice)).unwrap()
}

fn objective(measure: Measure, said: Said) -> Objective {
    Objective { lambda: 0.7, measure, said, shared: true }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("model {i}")).collect()
}

/// Every parameter away from 0.
fn drawn(layout: &Layout, seed: u64) -> Vec<f32> {
    let mut all = initial::parameters(layout, &names(layout.models()), seed);
    let mut stream = seed::stream(seed, "more");
    for x in &mut all {
        let more: f64 = stream.sample(StandardNormal);
        *x += (0.1 * more) as f32;
    }
    all
}

/// A base model without meaning: numbers drawn.
fn noise(
    name: &str,
    width: usize,
    k: usize,
    of: &Phrases,
    measure: Measure,
    seed: u64,
) -> Recording {
    let mut stream = seed::stream(seed, name);
    let mut normal = |count: usize| -> Vec<f32> {
        (0..count).map(|_| stream.sample::<f64, _>(StandardNormal) as f32).collect()
    };
    let states = normal(of.steps() * width);
    let mut outputs = normal(of.steps() * k);
    if measure == Measure::Distribution {
        for row in outputs.chunks_exact_mut(k) {
            let total: f32 = row.iter().map(|x| x.exp()).sum();
            row.iter_mut().for_each(|x| *x = x.exp() / total);
        }
    }
    Recording::new(name, width, &states, k, outputs).unwrap()
}

/// Names and places of the groups of parameters.
fn groups(layout: &Layout) -> Vec<(String, std::ops::Range<usize>)> {
    let cell = layout.cell();
    let (gates, n, u) = (layout.shape.gates(), layout.shape.units, layout.shape.sizes().inputs());
    let (a, w) = (cell.start + gates * u, cell.start + gates * (u + n));
    let mut all: Vec<(String, std::ops::Range<usize>)> = [
        ("words", layout.words()),
        ("A", cell.start..a),
        ("W", a..w),
        ("b_ih", w..w + gates),
        ("b_hh", w + gates..cell.end),
        ("C", layout.conditioning()),
        ("h_0", layout.initial()),
        ("R", layout.readout()),
        ("r", layout.readout_bias()),
    ]
    .map(|(name, range)| (name.to_string(), range))
    .to_vec();
    for m in 0..layout.models() {
        let of = [("θ", layout.theta(m)), ("V", layout.map(m)), ("v", layout.map_bias(m))];
        all.extend(of.map(|(name, range)| (format!("{name} of {m}"), range)));
    }
    all.retain(|(_, range)| !range.is_empty());
    all
}

/// Fused f32 against the equations in f64: the value, and central differences along a direction of each group.
fn compare(shape: Shape, of: &Phrases, measure: Measure, said: Said) {
    let objective = objective(measure, said);
    let widths = vec![3, 0, 5];
    let recordings: Vec<Recording> = widths
        .iter()
        .enumerate()
        .map(|(i, &d)| noise(&format!("model {i}"), d, shape.outputs, of, measure, 3))
        .collect();
    let layout = Layout { shape, widths };
    let parameters = drawn(&layout, 5);
    let batch: Vec<usize> = (0..of.len()).rev().step_by(2).collect();
    let found = gradient(&layout, &parameters, of, &recordings, &batch, &objective);
    let exact = |x: &[f32]| {
        let wide: Vec<f64> = x.iter().map(|x| f64::from(*x)).collect();
        reference::loss(&layout, &wide, of, &recordings, &batch, &objective).unwrap()
    };
    let value = exact(&parameters);
    let name = format!("{:?} {:?} {measure:?} {said:?}", shape.cell, shape.reads);
    let off = (found.loss(&objective) - value).abs();
    assert!(off < 1e-5 * value.abs(), "{name}: {} {value}", found.loss(&objective));
    for (group, range) in groups(&layout) {
        let mut stream = seed::stream(9, &group);
        let direction: Vec<f64> = range.clone().map(|_| stream.sample(StandardNormal)).collect();
        // Parameters are f32: a step that they can hold, and over which no rectifier turns.
        let by = 2f64.powi(-18);
        let moved = |sign: f64| {
            let mut other = parameters.clone();
            for (x, v) in other[range.clone()].iter_mut().zip(&direction) {
                *x += (sign * by * v) as f32;
            }
            (exact(&other), other[range.clone()].to_vec())
        };
        let ((up, high), (down, low)) = (moved(1.0), moved(-1.0));
        let parts: Vec<f64> = found.parameters[range.clone()]
            .iter()
            .zip(high.iter().zip(&low))
            .map(|(g, (h, l))| f64::from(*g) * f64::from(h - l))
            .collect();
        let (own, scale) = (parts.iter().sum::<f64>(), parts.iter().map(|p| p.abs()).sum::<f64>());
        let off = (own - (up - down)).abs();
        assert!(
            off < 2e-3 * scale + 5e-6 * by * value.abs(),
            "{name}, {group}: {own:e} by the way back, {:e} by differences",
            up - down
        );
    }
}

fn shape(cell: CellKind, units: usize, reads: Reads) -> Shape {
    Shape { cell, units, reads, outputs: 3, dimension: 2 }
}

#[test]
fn gradients_of_every_parameter_equal_central_differences_for_every_cell() {
    // Phrases of different lengths: some rows end earlier.
    let of = phrases(9, 4, 2..7, 1);
    for cell in CellKind::ALL {
        compare(shape(cell, 6, Reads::Words(4)), &of, Measure::Distribution, Said::Every);
    }
}

#[test]
fn gradients_equal_central_differences_for_words_vectors_and_both_losses() {
    let of = phrases(70, 4, 2..5, 2);
    let gru = |reads| shape(CellKind::Gru, 17, reads);
    compare(gru(Reads::Embedded(4, 3)), &of, Measure::Distribution, Said::Last);
    let mut stream = seed::stream(1, "vectors");
    let vectors: Vec<Vec<f32>> = (0..6)
        .map(|i| (0..2 * (3 + i)).map(|_| stream.sample::<f64, _>(StandardNormal) as f32).collect())
        .collect();
    let of = Phrases::of_vectors(2, vectors.iter().map(Vec::as_slice)).unwrap();
    compare(gru(Reads::Vectors(2)), &of, Measure::Numbers, Said::Every);
    compare(shape(CellKind::Lstm, 5, Reads::Vectors(2)), &of, Measure::Numbers, Said::Last);
}

#[test]
fn freezing_what_is_shared_leaves_the_other_gradients_as_they_are() {
    let of = phrases(5, 4, 4..6, 1);
    let layout = Layout { shape: shape(CellKind::Gru, 8, Reads::Words(4)), widths: vec![4, 6] };
    let recordings =
        [0, 1].map(|i| noise(&format!("{i}"), layout.widths[i], 3, &of, Measure::Distribution, 1));
    let all = objective(Measure::Distribution, Said::Every);
    let of_gradient = |objective: &Objective| {
        gradient(&layout, &drawn(&layout, 2), &of, &recordings, &[0, 1, 2, 3, 4], objective)
    };
    let whole = of_gradient(&all);
    let frozen = of_gradient(&Objective { shared: false, ..all });
    let shared = layout.shared();
    assert_eq!(whole.terms, frozen.terms);
    assert_eq!(whole.parameters[shared..], frozen.parameters[shared..]);
    assert!(frozen.parameters[..shared].iter().all(|g| *g == 0.0));
    assert!(whole.parameters[..shared].iter().any(|g| *g != 0.0));
}

#[test]
fn exchanging_two_identical_base_models_exchanges_nothing_else() {
    let of = phrases(20, 4, 5..8, 4);
    let same = noise("one", 4, 3, &of, Measure::Distribution, 7);
    let other = noise("other", 5, 3, &of, Measure::Distribution, 7);
    let twin = Recording { name: "two".into(), ..same.clone() };
    let layout = Layout { shape: shape(CellKind::Gru, 16, Reads::Words(4)), widths: vec![4, 4, 5] };
    let run = |order: [&Recording; 2]| {
        let recordings = [order[0].clone(), order[1].clone(), other.clone()];
        let names: Vec<String> = recordings.iter().map(|r| r.name.clone()).collect();
        let settings = Settings { steps: 30, batch: 6, ..Settings::default() };
        let of = Collection {
            layout: &layout,
            phrases: &of,
            recordings: &recordings,
            objective: objective(Measure::Distribution, Said::Every),
        };
        let start = initial::parameters(&layout, &names, 3);
        train(&of, start, &settings, 2, None, |_| ()).unwrap().parameters
    };
    let (there, back) = (run([&same, &twin]), run([&twin, &same]));
    // Sums over base models are in their order: rounding may differ.
    let near = |a: &[f32], b: &[f32]| {
        a.iter().zip(b).for_each(|(a, b)| assert!((a - b).abs() < 1e-4, "{a} {b}"));
    };
    near(&there[..layout.shared()], &back[..layout.shared()]);
    near(&there[layout.of_model(0)], &back[layout.of_model(1)]);
    near(&there[layout.of_model(1)], &back[layout.of_model(0)]);
    near(&there[layout.of_model(2)], &back[layout.of_model(2)]);
    assert_ne!(there[layout.theta(0)], there[layout.theta(1)]);
}

/// What a known meta-model does at some `θ`, seen through maps of its own: base models whose places are known.
struct Planted {
    truth: MetaModel,
    thetas: Vec<Vec<f64>>,
}

impl Planted {
    fn new(count: usize, widths: usize, (dimension, spread): (usize, f64), seed: u64) -> Self {
        let shape =
            Shape { cell: CellKind::Gru, units: 10, reads: Reads::Words(4), outputs: 3, dimension };
        let layout = Layout { shape, widths: vec![widths; count] };
        let mut parameters = initial::parameters(&layout, &names(count), seed);
        // Words move the state visibly, `θ` changes what they do.
        parameters[layout.conditioning()].iter_mut().for_each(|c| *c *= 1.5);
        parameters[layout.readout()].iter_mut().for_each(|r| *r *= 3.0);
        let mut stream = seed::stream(seed, "places");
        let mut thetas = Vec::new();
        for m in 0..count {
            let theta: Vec<f64> =
                (0..dimension).map(|_| stream.random_range(-spread..spread)).collect();
            for (at, t) in layout.theta(m).zip(&theta) {
                parameters[at] = *t as f32;
            }
            thetas.push(theta);
        }
        let truth = MetaModel::new(layout, names(count), parameters).unwrap();
        Self { truth, thetas }
    }

    fn recording(&self, m: usize, of: &Phrases) -> Recording {
        let all: Vec<usize> = (0..of.len()).collect();
        let (mut states, mut outputs) = (Vec::new(), Vec::new());
        for trace in self.truth.emulate(&self.truth.theta(m), of, &all) {
            states.extend(self.truth.seen(m, &trace.states));
            for row in trace.outputs.chunks_exact(3) {
                let total: f32 = row.iter().map(|x| x.exp()).sum();
                outputs.extend(row.iter().map(|x| x.exp() / total));
            }
        }
        let width = self.truth.layout.widths[m];
        Recording::new(&self.truth.names[m], width, &states, 3, outputs).unwrap()
    }
}

/// A meta-model of some planted base models.
fn learned(
    planted: &Planted,
    models: std::ops::Range<usize>,
    of: &Phrases,
    units: usize,
    settings: &Settings,
) -> (MetaModel, Vec<Recording>) {
    let recordings: Vec<Recording> = models.map(|m| planted.recording(m, of)).collect();
    let shape = Shape { units, ..planted.truth.layout.shape };
    let layout = Layout { shape, widths: recordings.iter().map(|r| r.width).collect() };
    let names: Vec<String> = recordings.iter().map(|r| r.name.clone()).collect();
    let objective = Objective { lambda: 1.0, ..objective(Measure::Distribution, Said::Every) };
    let collection =
        Collection { layout: &layout, phrases: of, recordings: &recordings, objective };
    let start = initial::parameters(&layout, &names, 11);
    let done = train(&collection, start, settings, 11, None, |_| ()).unwrap();
    (MetaModel::new(layout, names, done.parameters).unwrap(), recordings)
}

#[test]
fn one_base_model_is_distilled_through_one_dimension() {
    let of = phrases(200, 4, 12..13, 8);
    let planted = Planted::new(1, 12, (1, 1.0), 21);
    let settings =
        Settings { steps: 1200, learning_rate: 5e-3, last_rate: 5e-4, ..Settings::default() };
    let (meta, recordings) = learned(&planted, 0..1, &of, 24, &settings);
    let fresh = phrases(100, 4, 12..13, 9);
    let held = planted.recording(0, &fresh);
    let found = analysis::fidelity(&meta, 0, &fresh, &held, Measure::Distribution);
    assert!(found.r2 >= 0.95, "{found:?}");
    assert!(found.agreement >= 0.95, "{found:?}");
    assert_eq!(recordings.len(), 1);
}

#[test]
fn places_of_planted_base_models_are_recovered_up_to_an_invertible_map_and_a_new_one_finds_its_own()
{
    // `θ` moves biases by ±.3 or so, away from where gates saturate and places cannot be told apart. The map between the known and
    // the found places is nearly linear: a quadratic fit to all other places tells each one.
    let of = phrases(300, 4, 10..11, 8);
    let planted = Planted::new(31, 8, (2, 0.3), 22);
    let settings =
        Settings { steps: 2500, learning_rate: 5e-3, last_rate: 2e-4, ..Settings::default() };
    let (meta, _) = learned(&planted, 0..30, &of, 24, &settings);
    let known = &planted.thetas[..30];
    let found = analysis::recovered(&meta.thetas(), known, 2).unwrap();
    assert!(found.iter().all(|r| *r >= 0.99), "{found:?}");
    // The last one is embedded with all else frozen: the same map takes it to its place.
    let recording = planted.recording(30, &of);
    let objective = Objective { lambda: 1.0, ..objective(Measure::Distribution, Said::Every) };
    let settings = Settings { steps: 800, theta_rate: 4.0, ..settings };
    let new = train::embed(&meta, &of, &recording, &objective, &settings, 1).unwrap();
    assert_eq!(new.parameters[..new.layout.shared()], meta.parameters[..meta.layout.shared()]);
    let all: Vec<Vec<f64>> = meta.thetas().into_iter().chain(new.thetas()).collect();
    let found = analysis::recovered(&all, &planted.thetas, 2).unwrap();
    assert!(found.iter().all(|r| *r >= 0.99), "with the new one: {found:?}");
}

#[test]
fn theta_is_found_from_labels_of_a_planted_base_model() {
    let planted = Planted::new(6, 8, (2, 1.0), 23);
    let meta = &planted.truth;
    let of = phrases(60, 4, 10..11, 30);
    let all: Vec<usize> = (0..of.len()).collect();
    let labels = |phrases: &Phrases, batch: &[usize]| -> Vec<u32> {
        let traces = meta.emulate(&meta.theta(4), phrases, batch);
        let last = |t: &Trace| analysis::largest(&t.outputs[t.outputs.len() - 3..]) as u32;
        traces.iter().map(last).collect()
    };
    let settings = search::Settings { restarts: 8, ..search::Settings::default() };
    let (theta, loss) = search::search(meta, &of, &labels(&of, &all), &settings, 1).unwrap();
    let fresh = phrases(200, 4, 10..11, 31);
    let batch: Vec<usize> = (0..fresh.len()).collect();
    let share = analysis::accuracy(meta, &theta, &fresh, &labels(&fresh, &batch));
    assert!(share >= 0.9, "{share} right at loss {loss}");
}

#[test]
fn training_goes_on_from_a_checkpoint_to_the_same_bits_on_any_number_of_threads() {
    let of = phrases(40, 4, 3..8, 4);
    let planted = Planted::new(3, 5, (2, 1.0), 2);
    let recordings: Vec<Recording> = (0..3).map(|m| planted.recording(m, &of)).collect();
    let layout = Layout { shape: shape(CellKind::Gru, 8, Reads::Words(4)), widths: vec![5, 5, 5] };
    let collection = Collection {
        layout: &layout,
        phrases: &of,
        recordings: &recordings,
        objective: objective(Measure::Distribution, Said::Every),
    };
    let folder = std::env::temp_dir().join(format!("accrue-embedding-{}", std::process::id()));
    let path = folder.join("checkpoint");
    let settings = Settings {
        steps: 24,
        batch: 36,
        checkpoint_every: 7,
        record_every: 5,
        ..Settings::default()
    };
    let run = |threads: usize, settings: &Settings, checkpoint: Option<Checkpoint>| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let start = initial::parameters(&layout, &names(3), 6);
        pool.install(|| train(&collection, start, settings, 5, checkpoint, |_| ()))
    };
    let whole = run(1, &settings, None).unwrap();
    // Killed after step 17: the checkpoint of step 14 stays.
    let to = Some(Checkpoint { path: &path, key: "a" });
    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let start = initial::parameters(&layout, &names(3), 6);
        let watch = |k: usize| assert!(k < 17, "killed");
        train(&collection, start, &settings, 5, to, watch)
    }));
    assert!(stopped.is_err());
    let resumed = run(3, &settings, to).unwrap();
    assert_eq!(resumed.parameters, whole.parameters);
    assert_eq!(resumed.records, whole.records);
    // Another experiment's checkpoint is not used; a damaged one is named.
    let other = Some(Checkpoint { path: &path, key: "b" });
    assert_eq!(run(2, &settings, other).unwrap().parameters, whole.parameters);
    std::fs::write(&path, b"{}").unwrap();
    let said = run(1, &settings, to).unwrap_err().to_string();
    assert!(said.contains("remove it"), "{said}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn base_models_that_cannot_share_a_meta_model_are_told_what_must_agree() {
    let of = |name: &str, words: &[&str], inputs, outputs| Agreement {
        name: name.into(),
        words: words.iter().map(|w| w.to_string()).collect(),
        inputs,
        outputs,
    };
    let first = of("a", &["x", "y"], 0, 3);
    let said = |other: Agreement| check(&[first.clone(), other]).unwrap_err().to_string();
    assert!(check(&[first.clone(), of("b", &["x", "y"], 0, 3)]).is_ok());
    for (other, part) in [
        (of("b", &["x"], 0, 3), "it reads 1 words, `a` reads 2 words"),
        (of("b", &["x", "z"], 0, 3), "its word 1 is `z`, that of `a` is `y`"),
        (of("b", &["x", "y"], 0, 2), "it has 2 outputs, `a` has 3"),
        (of("b", &[], 4, 3), "it reads vectors of 4"),
    ] {
        let said = said(other);
        assert!(
            said.contains(part) && said.contains("must agree") && said.contains("`b`"),
            "{said}"
        );
    }
    assert!(said(of("b", &["x", "z"], 0, 3)).contains("`corpus.seed` is the same in all"));
    assert!(check(&[]).unwrap_err().to_string().contains("without base models"));
}

#[test]
fn states_that_stand_still_or_are_not_finite_name_the_base_model() {
    let still = Recording::new("tired", 2, &[1.0, 2.0, 1.0, 2.0], 1, vec![0.0, 0.0]).unwrap_err();
    assert!(still.to_string().contains("`tired`"), "{still}");
    let lost = Recording::new("lost", 1, &[f32::NAN, 0.0], 1, vec![0.0, 0.0]).unwrap_err();
    assert!(lost.to_string().contains("`lost`"), "{lost}");
}
