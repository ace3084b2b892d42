//! Learned optimisers: JAX's numbers, and the study from its file to its page.

use accrue::engine::Finished;
use accrue::experiment::{LearnedOptimiser, Settings, Study};
use accrue::optimisers::problems::{Problem, QuadraticProblem};
use accrue::optimisers::unroll::{Prepared, worth};
use accrue::optimisers::{Learned, LearnedSettings, Objective, reference};
use accrue::records::{self, keys};
use accrue::report::Summary;
use accrue::studies::optimiser;
use accrue::studies::text::{Options, Watch};
use std::path::{Path, PathBuf};

#[derive(serde::Deserialize)]
struct Reference {
    units: usize,
    steps: usize,
    parameters: Vec<f64>,
    curvature: Vec<f64>,
    start: Vec<f64>,
    worth: f64,
    gradient: Vec<f64>,
}

#[test]
fn worth_and_meta_gradient_are_those_of_jax() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references/optimisers.json");
    let of: Reference = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let settings = LearnedSettings { units: of.units, ..LearnedSettings::default() };
    let parameters = of.parameters.iter().map(|&x| x as f32).collect();
    let learned = Learned { settings, parameters };
    let wide = QuadraticProblem::<f64>::new(&of.start, &of.curvature);
    let exact = reference::worth(&learned, &wide, of.steps, Objective::Mean).unwrap();
    assert!((exact - of.worth).abs() < 1e-10 * of.worth, "{exact} {}", of.worth);
    let problem: Box<dyn Problem<f32>> =
        Box::new(QuadraticProblem::<f32>::new(&of.start, &of.curvature));
    let found = worth(&Prepared::new(&learned), vec![problem], of.steps, Objective::Mean);
    assert!((found.values[0] - of.worth).abs() < 1e-5 * of.worth);
    let size = of.gradient.iter().fold(0.0_f64, |m, g| m.max(g.abs()));
    assert_eq!(found.gradient.len(), of.gradient.len());
    for (i, (own, theirs)) in found.gradient.iter().zip(&of.gradient).enumerate() {
        // Rounding of f32 over 24 steps back.
        assert!((f64::from(*own) - theirs).abs() < 2e-4 * size, "{i}: {own} {theirs}");
    }
}

struct Silent;

impl Watch for Silent {
    fn begin(&mut self, _: &str) {}
    fn passed(&mut self, _: &str, _: Option<f64>) {}
    fn training(&mut self) -> Box<dyn accrue::train::Watch + '_> {
        Box::new(())
    }
}

fn experiment(folder: &Path, text: &str) -> LearnedOptimiser {
    let file = folder.join("small.ron");
    std::fs::write(&file, text).unwrap();
    match Study::read(&file, &[]).unwrap() {
        Study::LearnedOptimiser(e) => *e,
        other => panic!("a learned optimiser was asked for: {other:?}"),
    }
}

fn run(e: &LearnedOptimiser, folder: &Path) -> accrue::Result<PathBuf> {
    let out = folder.join("reports");
    let data = Path::new("data");
    optimiser::run(e, Options { data, out: &out, force: &[], watch: &mut Silent })
}

const SMALL: &str = "LearnedOptimiser(
    study: \"tests\",
    task: Quadratic(size: 2, least: -1.0),
    model: (units: 6),
    training: (inner_steps: 30, outer_steps: 60, batch: 16, learning_rate: 0.02, decay_steps: 100, checkpoint_every: 25),
    networks: 2,
    baselines: (trials: 40, problems: 8),
    test: 8,
    analysis: (initial_states: 16, gradients: 4),
    transfer: [(task: Phrases(words: 5, documents: 12), steps: 10)],
)";

#[test]
fn a_study_of_optimisers_goes_from_its_file_to_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let e = experiment(folder.path(), SMALL);
    let place = run(&e, folder.path()).unwrap();
    let summary = Summary::read(&place).unwrap();
    let learned = summary.get(keys::OPTIMISER_OBJECTIVE).unwrap();
    assert!(learned < 0.7, "a minute's training is better than nothing: {learned}");
    let claims = records::Claims::read(&place).unwrap();
    assert_eq!(claims.claim().unwrap(), ["O1", "O1a", "O2", "O3", "O4", "O5", "O6"]);
    assert!(claims.n().unwrap().iter().all(|n| *n == 2));
    let scores = records::OptimiserScores::read(&place).unwrap();
    // Six methods and two networks on each of two families.
    assert_eq!(scores.height(), 16);
    let points = records::OptimiserPoints::read(&place).unwrap();
    assert!(points.certified().unwrap().iter().all(|c| *c));
    let curves = records::LossCurves::read(&place).unwrap();
    assert_eq!(curves.height(), 8 * (30 + 10));
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    for anchor in ["losses", "losses_elsewhere", "momentum", "schedule", "arms", "assembled"] {
        assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    }
    // Written again from its tables, to the same bytes.
    assert!(optimiser::rewrite(&place).unwrap());
    assert_eq!(std::fs::read_to_string(place.join("index.html")).unwrap(), page);
    Finished::open(&place, &optimiser::STAGES).unwrap();
    // The same seed elsewhere: the same weights.
    let again = tempfile::tempdir().unwrap();
    let other = run(&e, again.path()).unwrap();
    let weights = |place: &Path| std::fs::read(place.join("optimiser_2.safetensors")).unwrap();
    assert_eq!(weights(&place), weights(&other));
}

#[test]
fn a_method_that_diverges_wherever_it_is_tuned_is_no_rival() {
    let folder = tempfile::tempdir().unwrap();
    let e = experiment(folder.path(), SMALL);
    let quick = e.with("training.outer_steps=10").unwrap().with("transfer=[]").unwrap();
    let wild = quick.with("baselines.learning_rates=(1e3, 1e5)").unwrap();
    let place = run(&wild, folder.path()).unwrap();
    let tuned = records::TunedMethods::read(&place).unwrap();
    let (method, to) = (tuned.method().unwrap(), tuned.tuned().unwrap());
    let descent = method.iter().position(|m| m == "gradient descent").unwrap();
    assert!(!to[descent].is_finite(), "a quadratic at a rate of a thousand");
    let claims = records::Claims::read(&place).unwrap();
    assert!(!claims.claim().unwrap().contains(&"O1".to_string()));
    let notes = records::Notes::read(&place).unwrap().note().unwrap();
    let told = "gradient descent: it diverges on random quadratics whatever its numbers";
    assert!(notes.iter().any(|n| n.starts_with(told)), "{notes:?}");
    for rates in ["(-1.0, 1e-5)", "(0.0, 1.0)", "(2.0, 1.0)"] {
        let e = quick.with(&format!("baselines.learning_rates={rates}")).unwrap_err().to_string();
        assert!(e.contains("two numbers above 0, the smaller first"), "{e}");
    }
    let e = quick.with("transfer=[(task: Phrases(), steps: 1)]").unwrap_err().to_string();
    assert!(e.contains("at least 2, or 0 for the steps of training"), "{e}");
}

#[test]
fn an_optimiser_that_diverges_everywhere_is_no_lowest_line_and_clips_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let e = experiment(folder.path(), SMALL);
    let e = e.with("training.outer_steps=10").unwrap().with("transfer=[]").unwrap();
    let e = e.with("training.learning_rate=1e30").unwrap().with("training.objective=Last").unwrap();
    let place = run(&e, folder.path()).unwrap();
    let scores = records::OptimiserScores::read(&place).unwrap();
    let (network, n) = (scores.network().unwrap(), scores.n().unwrap());
    assert!((0..n.len()).all(|i| network[i].is_none() || n[i] == 0), "all is lost");
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    assert!(page.contains("it diverges on every problem (2 networks)"));
    assert!(page.contains("Not drawn, as they diverge on every problem: learned 1, learned 2."));
    let claims = records::Claims::read(&place).unwrap();
    let (name, holds) = (claims.claim().unwrap(), claims.holds().unwrap());
    for claim in ["O1", "O2", "O3", "O4", "O5"] {
        let at = name.iter().position(|c| c == claim).expect(claim);
        assert!(!holds[at], "{claim}");
    }
}

#[test]
fn settings_that_cannot_be_are_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let e = experiment(folder.path(), SMALL);
    let said = |set: &str| e.with(set).unwrap_err().to_string();
    assert!(said("training.inner_steps=1").contains("at least 2"));
    assert!(said("model.output_scale=0").contains("above 0"));
    assert!(said("task=Quadratik()").contains("Quadratic"));
    let refused = |set: &str| run(&e.with(set).unwrap(), folder.path()).unwrap_err().to_string();
    assert!(refused("task=Words()").contains("corpus: (source"));
    let digits = refused("task=Digits()");
    assert!(digits.contains("digits"), "{digits}");
}
