//! A map of models: the study from its file to its page.

use accrue::engine::Finished;
use accrue::experiment::{MetaModel, Settings, Study};
use accrue::model::weights;
use accrue::records::{self, keys};
use accrue::report::Summary;
use accrue::studies::embedding;
use accrue::studies::text::{Options, Watch};
use std::path::{Path, PathBuf};

struct Silent;

impl Watch for Silent {
    fn begin(&mut self, _: &str) {}
    fn passed(&mut self, _: &str, _: Option<f64>) {}
    fn training(&mut self) -> Box<dyn accrue::train::Watch + '_> {
        Box::new(())
    }
}

fn experiment(folder: &Path, text: &str) -> MetaModel {
    let file = folder.join("small.ron");
    std::fs::write(&file, text).unwrap();
    match Study::read(&file, &[]).unwrap() {
        Study::MetaModel(e) => *e,
        other => panic!("a meta-model was asked for: {other:?}"),
    }
}

fn run(e: &MetaModel, folder: &Path) -> accrue::Result<PathBuf> {
    let out = folder.join("reports");
    embedding::run(
        e,
        Options { data: Path::new("data"), out: &out, force: &[], watch: &mut Silent },
    )
}

const SMALL: &str = "MetaModel(
    study: \"tests\",
    trained: (
        corpus: (source: Synthetic(kind: Unordered(classes: 3), length: 8, train: 600, validation: 60, test: 300)),
        model: (embedding: None),
        training: (epochs: 100, steps: 150, batch: 32, learning_rate: 0.01, decay: 0.5, decay_steps: 150),
        groups: [
            (name: \"all words\", cells: [Gru], units: [8, 12], replicates: 1),
            (name: \"last evidence\", reads: LastEvidence, cells: [Gru], units: [8], replicates: 2),
        ],
        copies: 1,
        learned: 0.0,
    ),
    model: (units: 16),
    training: (steps: 300, learning_rate: 0.01, last_rate: 0.001, checkpoint_every: 100),
    choose: (dimensions: [1, 2], weights: [0.5, 1], steps: 40),
    replicates: 2,
    phrases: 80,
    test: 60,
    inspect: (labels: [5], draws: 1, search: (restarts: 3, steps: 20), tuning: 20, places: 3, ways: 2, grid: 2, starts: 6),
)";

#[test]
fn a_map_of_models_goes_from_its_file_to_its_page() {
    let folder = tempfile::tempdir().unwrap();
    let e = experiment(folder.path(), SMALL);
    let place = run(&e, folder.path()).unwrap();
    let claims = records::Claims::read(&place).unwrap();
    assert_eq!(claims.claim().unwrap(), ["D1", "D2", "D2a", "D3", "D4"]);
    assert!(claims.n().unwrap().iter().all(|n| *n == 2));
    // Four networks, and a copy in each of two groups.
    let summary = Summary::read(&place).unwrap();
    assert_eq!(summary.get(keys::EMBEDDING_BASE_MODELS), Some(6.0));
    assert!(summary.get(keys::EMBEDDING_R2).unwrap() > 0.5, "better than the mean state");
    let places = records::Embeddings::read(&place).unwrap();
    assert_eq!(places.height(), 2 * 6);
    // A copy says what its original says: its units stand in another order, no more.
    let bases = records::BaseModels::read(&place).unwrap();
    let (number, copy_of) = (bases.base_model().unwrap(), bases.copy_of().unwrap());
    let accuracy = bases.accuracy().unwrap();
    let copies: Vec<usize> = (0..number.len()).filter(|&i| copy_of[i].is_some()).collect();
    assert_eq!(copies.len(), 2);
    for copy in copies {
        let original = number.iter().position(|n| *n == copy_of[copy]).unwrap();
        assert_eq!(accuracy[copy], accuracy[original]);
    }
    // Two dimensions with two weights, measured on a fifth of the phrases; one is chosen, of the least missed or of a smaller dimension.
    let choices = records::EmbeddingChoices::read(&place).unwrap();
    assert_eq!(choices.phrases().unwrap(), [16; 4]);
    assert_eq!(choices.dimension().unwrap(), [1, 1, 2, 2]);
    assert_eq!(choices.lambda().unwrap(), [0.5, 1.0, 0.5, 1.0]);
    let (missed, r2) = (choices.missed().unwrap(), choices.r2().unwrap());
    let divergence = choices.divergence().unwrap();
    (0..4).for_each(|i| assert!((missed[i] - (1.0 - r2[i] + divergence[i])).abs() < 1e-12));
    let chosen = choices.chosen().unwrap();
    assert_eq!(chosen.iter().filter(|c| **c).count(), 1);
    let at = chosen.iter().position(|c| *c).unwrap();
    assert_eq!(summary.get(keys::EMBEDDING_CHOSEN_LAMBDA), Some(choices.lambda().unwrap()[at]));
    let best = (0..4).min_by(|&a, &b| missed[a].total_cmp(&missed[b])).unwrap();
    assert!(missed[at] <= missed[best] + choices.error().unwrap()[best]);
    // Two maps of the four originals beside; distances on each, and of the one and the other, ranked against those of each θ.
    let maps = records::BaseMaps::read(&place).unwrap().measure().unwrap();
    assert_eq!(maps.iter().filter(|m| *m == "svcca").count(), 4);
    assert_eq!(maps.iter().filter(|m| *m == "dsa").count(), 4);
    let tests = records::EmbeddingTests::read(&place).unwrap();
    let (statistic, value) = (tests.statistic().unwrap(), tests.value().unwrap());
    let ranked: Vec<usize> = (0..value.len()).filter(|&i| statistic[i] == "mantel").collect();
    assert_eq!(ranked.len(), 2 * 2 + 1);
    assert!(ranked.iter().all(|&i| (-1.0..=1.0).contains(&value[i])));
    // Three places on two ways inside groups and two between, of each meta-model.
    let ways = records::EmbeddingWays::read(&place).unwrap();
    assert_eq!(ways.height(), 2 * 3 * (2 + 2));
    // Two groups' labels, four methods.
    assert_eq!(records::FewLabels::read(&place).unwrap().height(), 2 * 2 * 4);
    assert_eq!(records::EmbeddingPoints::read(&place).unwrap().height(), 2 + 4);
    // Two groups, one segment: what its curves do is what its points and crossings say.
    let curves = records::EmbeddingCurves::read(&place).unwrap();
    assert!(curves.height() > 0, "no fixed point of a middle was proved");
    let (from, to) = (curves.from().unwrap(), curves.to().unwrap());
    assert!(from.iter().all(|f| f == "all words") && to.iter().all(|t| t == "last evidence"));
    let points = records::EmbeddingCurvePoints::read(&place).unwrap();
    let (of, share, lengths) =
        (points.curve().unwrap(), points.share().unwrap(), curves.points().unwrap());
    let met = records::EmbeddingBifurcations::read(&place).unwrap().curve().unwrap();
    for (c, passes) in curves.passes().unwrap().into_iter().enumerate() {
        let own: Vec<usize> = (0..of.len()).filter(|&i| of[i] == c).collect();
        assert_eq!(own.len(), lengths[c]);
        let crosses = (share[own[0]] - share[own[own.len() - 1]]).abs() > 1.0 - 1e-9;
        assert_eq!(passes, crosses && !met.contains(&c), "curve {c}");
    }
    assert_eq!(summary.get(keys::EMBEDDING_CURVES), Some(lengths.len() as f64));
    assert_eq!(summary.get(keys::EMBEDDING_BIFURCATIONS), Some(met.len() as f64));
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    for anchor in [
        "map",
        "maps",
        "map_svcca",
        "map_dsa",
        "choices",
        "compared",
        "segment_1",
        "crossings",
        "claims",
        "ways",
        "few_labels",
        "fixed_points",
        "averages",
        "networks",
    ] {
        assert!(page.contains(&format!("id=\"{anchor}\"")), "{anchor}");
    }
    // The meta-model in the page says what this program's says.
    if let Some(browser) = super::browser::browser() {
        let (dom, said) = super::browser::open(&browser, &place.join("index.html"), "knob");
        assert!(said.is_empty(), "{said:?}");
        assert!(
            dom.contains("data-wrong=\"0\"") && dom.contains("nearest all words"),
            "the map to move"
        );
    }
    // Written again from its tables, to the same bytes.
    assert!(embedding::rewrite(&place).unwrap());
    assert_eq!(std::fs::read_to_string(place.join("index.html")).unwrap(), page);
    Finished::open(&place, &embedding::STAGES).unwrap();
    // The same seed elsewhere: the same weights.
    let again = tempfile::tempdir().unwrap();
    let other = run(&e, again.path()).unwrap();
    let weights = |place: &Path| std::fs::read(place.join("meta_model_2.safetensors")).unwrap();
    assert_eq!(weights(&place), weights(&other));
    // With states in a file instead of memory: the same weights, and it is told.
    let streamed = tempfile::tempdir().unwrap();
    let set =
        ["held_megabytes=0", "choose.dimensions=[]", "choose.weights=[]", "inspect.labels=[]"];
    let e = set.iter().fold(e, |e, set| e.with(set).unwrap());
    let other = run(&e, streamed.path()).unwrap();
    assert_eq!(weights(&place), weights(&other));
    assert_eq!(Summary::read(&other).unwrap().get(keys::EMBEDDING_STREAMED), Some(1.0));
    assert_eq!(summary.get(keys::EMBEDDING_STREAMED), Some(0.0));
    let left: Vec<PathBuf> =
        std::fs::read_dir(&other).unwrap().map(|f| f.unwrap().path()).collect();
    assert!(left.iter().all(|f| !f.to_string_lossy().contains("recorded_")), "{left:?}");
}

#[test]
fn collections_that_cannot_be_are_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let e = experiment(folder.path(), SMALL);
    let refused = |set: &str| run(&e.with(set).unwrap(), folder.path()).unwrap_err().to_string();
    let said = refused("trained.groups=[]");
    assert!(said.contains("fewer than two networks") && said.contains("collection: ["), "{said}");
    let said = refused("collection=[\"reports/nothing/*\"]");
    assert!(said.contains("leave one of them out"), "{said}");
    let said = run(
        &e.with("trained.groups=[]").unwrap().with("collection=[\"reports/nothing/*\"]").unwrap(),
        folder.path(),
    );
    assert!(said.unwrap_err().to_string().contains("no run lies there"));
    let said = refused("trained.corpus.source=Synthetic(kind: Valence)");
    assert!(said.contains("unordered classes"), "{said}");
    assert!(e.with("model.dimension=0").unwrap_err().to_string().contains("at least 1"));
}

/// Arrays of a run's network as another program names them.
fn renamed(run: &Path) -> weights::Arrays {
    let (own, _) = weights::read(&run.join("model.safetensors")).unwrap();
    assert!(own["initial_state"].1.iter().all(|x| *x == 0.0), "it has no name elsewhere");
    let other = |name: &str| name.replace("rnn.", "encoder.").replace("readout.", "fc.");
    let kept = own.into_iter().filter(|(name, _)| name != "initial_state");
    kept.map(|(name, array)| (other(&name), array)).collect()
}

#[test]
fn weights_from_elsewhere_stand_beside_runs_and_say_what_the_run_says() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let (_, finished) =
        super::experiment::run(&super::experiment::small(&["model.initial_state=Zero"]), &out, &[]);
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let arrays = renamed(&finished);
    let placed = |name: &str, arrays: &weights::Arrays| {
        let file = elsewhere.join(name);
        weights::write(&file, arrays, std::collections::HashMap::new()).unwrap();
        file
    };
    placed("twin.safetensors", &arrays);
    std::fs::write(elsewhere.join("readme.txt"), "not weights").unwrap();
    let collection = format!("collection: [{:?}, {:?}]", finished, elsewhere);
    let rest = "study: \"tests\", name: \"map\", model: (units: 8), training: (steps: 20), replicates: 1, phrases: 40, test: 30, \
                inspect: (labels: [], grid: 0, starts: 4)";
    let e = experiment(folder.path(), &format!("MetaModel({collection}, {rest})"));
    let place = run(&e, folder.path()).unwrap();
    let bases = records::BaseModels::read(&place).unwrap();
    assert_eq!(bases.group().unwrap(), ["elsewhere", "tests"]);
    let accuracy = bases.accuracy().unwrap();
    // The same numbers under other names: the same answers.
    let own = Summary::read(&finished).unwrap().get(keys::ACCURACY_NETWORK).unwrap();
    assert_eq!(accuracy, [own, own]);
    let notes = records::Notes::read(&place).unwrap().note().unwrap();
    assert!(notes.iter().any(|n| n.contains("row by row its")), "{notes:?}");
    // A run that has learned less than is asked for is no part of the map, and one network is no map.
    let said = run(&e.with("learned=0.999999").unwrap(), folder.path()).unwrap_err().to_string();
    assert!(said.contains("1 of 2 networks of the collection have learned"), "{said}");
    let alone = format!("MetaModel(collection: [{finished:?}], {rest})");
    let said = run(&experiment(folder.path(), &alone), folder.path()).unwrap_err().to_string();
    assert!(said.contains("1 network; a map is of at least two"), "{said}");
    // More phrases than there are: told.
    let many = e.with("phrases=100000").unwrap();
    let place = run(&many, folder.path()).unwrap();
    let notes = records::Notes::read(&place).unwrap().note().unwrap();
    let told = "100000 training phrases were asked for (`phrases`); the text has";
    assert!(notes.iter().any(|n| n.contains(told)), "{notes:?}");
    let refused = |collection: &str| {
        let e = experiment(folder.path(), &format!("MetaModel({collection}, {rest})"));
        run(&e, folder.path()).unwrap_err().to_string()
    };
    let said = refused(&format!("collection: [{elsewhere:?}]"));
    assert!(said.contains("files of weights alone") && said.contains("accrue analyze"), "{said}");
    // One word less: every row of the input weights is a number shorter.
    let (shape, numbers) = arrays["encoder.weight_ih_l0"].clone();
    let short = numbers.chunks(shape[1]).flat_map(|row| row[1..].to_vec()).collect();
    let mut other = arrays.clone();
    other.insert("encoder.weight_ih_l0".into(), (vec![shape[0], shape[1] - 1], short));
    placed("short.safetensors", &other);
    let said = refused(&collection);
    assert!(
        said.contains("short.safetensors")
            && said.contains(&format!("it reads {} words", shape[1] - 1))
            && said.contains(&format!("reads {} words", shape[1]))
            && said.contains("must agree"),
        "{said}"
    );
    // Two classes where the others have three.
    std::fs::remove_file(elsewhere.join("short.safetensors")).unwrap();
    let mut other = arrays.clone();
    for name in ["fc.weight", "fc.bias"] {
        let (mut shape, mut numbers) = arrays[name].clone();
        numbers.truncate(numbers.len() / 3 * 2);
        shape[0] = 2;
        other.insert(name.into(), (shape, numbers));
    }
    placed("two.safetensors", &other);
    let said = refused(&collection);
    assert!(said.contains("two.safetensors") && said.contains("it has 2 outputs"), "{said}");
}
