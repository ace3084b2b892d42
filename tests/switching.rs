//! Networks beside their linear systems: the study from file to page.

use accrue::engine::Finished;
use accrue::experiment::{Part, Study, Switching};
use accrue::records;
use accrue::studies::classify::Classifier;
use accrue::studies::switching;
use accrue::studies::text::{Options, Watch};
use std::path::Path;

struct Silent;

impl Watch for Silent {
    fn begin(&mut self, _: &str) {}
    fn passed(&mut self, _: &str, _: Option<f64>) {}
    fn training(&mut self) -> Box<dyn accrue::train::Watch + '_> {
        Box::new(())
    }
}

/// One bit and two streams, small, with everything that can be asked.
const SMALL: &str = "
    Switching(
        study: \"tests\",
        name: \"small\",
        replicates: 1,
        ablations: true,
        parts: [
            (
                name: \"bit\",
                reads: Task(Memory(bits: 1, steps: 12, pulse: 0.5, paired: true, starts_down: true, unscored: 2)),
                units: 8,
                training: (steps: 400, batch: 32, learning_rate: 0.05, record_every: 100),
            ),
            (
                name: \"streams\",
                reads: Task(Integration(steps: 10)),
                cell: Vanilla,
                units: 8,
                expansion: (input: Static),
                losses: (rnn: 1.0),
                training: (steps: 200, batch: 32, record_every: 100),
            ),
            (
                name: \"words\",
                reads: Text(corpus: (source: Synthetic(kind: Unordered(classes: 3), train: 200, validation: 50, test: 60, length: 12)), embedding: 6),
                units: 8,
                training: (steps: 60, batch: 32, record_every: 20),
            ),
        ],
        inspect: (trials: 64, points: 200, searches: 32),
    )";

fn read(folder: &Path, text: &str) -> Switching {
    let file = folder.join("small.ron");
    std::fs::write(&file, text).unwrap();
    match Study::read(&file, &[]).unwrap() {
        Study::Switching(s) => *s,
        other => panic!("a study of linear systems was asked for: {other:?}"),
    }
}

fn run(e: &Switching, out: &Path) -> accrue::Result<std::path::PathBuf> {
    let mut watch = Silent;
    switching::run(e, Options { data: Path::new("data"), out, force: &[], watch: &mut watch })
}

#[test]
fn networks_and_their_linear_systems_go_from_a_file_to_claims_and_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("reports");
    let e = read(folder.path(), SMALL);
    let place = run(&e, &out).unwrap();
    let networks = records::SwitchingNetworks::read(&place).unwrap();
    let (part, training) = (networks.part().unwrap(), networks.training().unwrap());
    assert_eq!(part.len(), 3 * 4);
    let (error, residual) = (networks.error().unwrap(), networks.residual().unwrap());
    let state = networks.state_error().unwrap();
    let at =
        |p: &str, t: &str| (0..part.len()).find(|&i| part[i] == p && training[i] == t).unwrap();
    // One bit is learned, with and without the linear system; the terms do what they are for.
    let (joint, alone) = (at("bit", "joint"), at("bit", "alone"));
    assert!(error[joint] < 0.1 && error[alone] < 0.1, "{error:?}");
    assert!(state[joint] < 0.3 && state[alone].is_nan(), "{state:?}");
    assert!(residual[at("bit", "without_expansion")] > 2.0 * residual[joint], "{residual:?}");
    assert!(state[at("bit", "without_state")] > state[joint], "{state:?}");
    let claims = records::Claims::read(&place).unwrap().claim().unwrap();
    for name in ["J1", "J2", "J3", "J4", "J5", "J6"] {
        assert!(claims.iter().any(|c| c == name), "{claims:?}");
    }
    // Inputs that flip the bit are told from those that do not.
    let inputs = records::EffectiveInputs::read(&place).unwrap();
    assert!(inputs.flips().unwrap().contains(&true) && inputs.flips().unwrap().contains(&false));
    let trials = records::SwitchingTrials::read(&place).unwrap();
    let words = trials.word().unwrap();
    assert!(trials.part().unwrap().iter().zip(&words).all(|(p, w)| (p == "words") != w.is_empty()));
    let page = std::fs::read_to_string(place.join("index.html")).unwrap();
    assert!(page.contains("Step by step") && page.contains("contexts_2"), "the page is whole");
    // The same again is in place; the page can be written anew.
    let before = records::SwitchingNetworks::read(&run(&e, &out).unwrap()).unwrap();
    assert_eq!(before.error().unwrap(), error);
    assert!(switching::rewrite(&place).unwrap());
    assert!(Finished::open(&place, &switching::STAGES).is_ok());
    weights_from_elsewhere_give_the_same_numbers(&e, &place, &out);
    a_text_is_a_sum_over_its_words(&place);
}

/// What the linear system says of a test document that the tables show is the start and its words and points together.
fn a_text_is_a_sum_over_its_words(place: &Path) {
    let trials = records::SwitchingTrials::read(place).unwrap();
    let (part, trial) = (trials.part().unwrap(), trials.trial().unwrap());
    let rows: Vec<usize> =
        (0..part.len()).filter(|&i| part[i] == "words" && trial[i] == 0).collect();
    let (word, outputs) = (trials.word().unwrap(), trials.linear_outputs().unwrap());
    let text: Vec<&str> = rows.iter().map(|&i| word[i].as_str()).collect();
    assert!(switching::explain::is_in(place));
    let found = switching::explain::explain(place, Path::new("data"), &text.join(" ")).unwrap();
    assert_eq!((found.words.len(), found.part.as_str()), (text.len(), "words"));
    let sum = found.start + found.words.iter().map(|w| w.says + w.point).sum::<f64>();
    assert!((sum - found.linear_logit).abs() < 1e-9, "{sum} {found:?}");
    // The same document's outputs of the linear system as the study rolled them out, in f32.
    let last = &outputs[*rows.last().unwrap()];
    let likely = last.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let against = likely - (last.iter().sum::<f64>() - likely) / (last.len() - 1) as f64;
    assert!((against - found.linear_logit).abs() < 1e-3, "{against} {}", found.linear_logit);
    let said = Classifier::open(place).err().expect("it is no network on text alone");
    assert!(said.to_string().contains("beside linear systems (`accrue explain`)"), "{said}");
    let said = switching::explain::explain(place, Path::new("data"), "nonsense").unwrap_err();
    assert!(said.to_string().contains("`nonsense` is no word of this corpus"), "{said}");
}

/// A network's file, given back as if it came from elsewhere, is analysed to the same numbers; one that does not fit is
/// refused by the array's name.
fn weights_from_elsewhere_give_the_same_numbers(e: &Switching, place: &Path, out: &Path) {
    let mut given = e.clone();
    given.name = "given".into();
    given.parts.truncate(1);
    // Sizes are the file's.
    (given.parts[0].units, given.parts[0].expansion.layers) = (3, 0);
    given.parts[0].weights = Some(place.join("networks/bit-1-joint.safetensors"));
    let again = run(&given, out).unwrap();
    let of = |folder: &Path| {
        let rows = records::SwitchingNetworks::read(folder).unwrap();
        let at = |i: &usize| {
            rows.part().unwrap()[*i] == "bit" && rows.training().unwrap()[*i] == "joint"
        };
        let row = (0..rows.height()).find(at).unwrap();
        assert!(rows.state_error().unwrap()[row] > 0.0);
        (
            rows.state_error().unwrap()[row],
            rows.one_step_error().unwrap()[row],
            rows.largest_modulus().unwrap()[row],
        )
    };
    assert_eq!(of(&again), of(place));
    let rows = records::SwitchingNetworks::read(&again).unwrap();
    assert_eq!(rows.height(), 1, "nothing is trained beside it");
    let claims = records::Claims::read(&again).unwrap();
    assert!(claims.statement().unwrap()[0].contains("one step of the same network"));
    given.parts[0].cell = accrue::ops::CellKind::Lstm;
    let said = run(&given, out).unwrap_err().to_string();
    assert!(said.contains("cell.weight_hh") && said.contains("which cell it is"), "{said}");
    given.parts[0] = Part { weights: given.parts[0].weights.clone(), ..e.parts[1].clone() };
    given.parts[0].cell = e.parts[0].cell;
    let said = run(&given, out).unwrap_err().to_string();
    assert!(said.contains("`cell.weight_ih`: shape [24, 2]"), "{said}");
}

#[test]
fn a_study_that_cannot_be_trained_is_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let say = |from: &str, to: &str| {
        let e = read(folder.path(), &SMALL.replace(from, to));
        run(&e, &folder.path().join("reports")).unwrap_err().to_string()
    };
    let none = "losses: (rnn: 0.0, jslds: 0.0)";
    assert!(say("losses: (rnn: 1.0)", none).contains("nothing asks for the task"));
    let alone = "losses: (jslds: 0.0, expansion: 0.0, state: 0.0)";
    assert!(say("losses: (rnn: 1.0)", alone).contains("no linear system"));
    assert!(say("name: \"streams\"", "name: \"bit\"").contains("two parts"));
    assert!(say("input: Static", "input: Mean").contains("a task has no words"));
    assert!(
        say("embedding: 6),", "embedding: 6), expansion: (input: Static),")
            .contains("say Zero or Mean")
    );
    let e = read(folder.path(), "Switching(study: \"tests\", replicates: 2)");
    let said = run(&e, &folder.path().join("reports")).unwrap_err().to_string();
    assert!(said.contains("without parts"), "{said}");
    // A rate at which everything overflows: the step is named.
    let wild = SMALL.replace("learning_rate: 0.05", "learning_rate: 1e30, epsilon: 1e-8");
    let mut e = read(folder.path(), &wild);
    e.parts.truncate(1);
    e.parts[0].cell = accrue::ops::CellKind::VanillaRelu;
    let said = run(&e, &folder.path().join("reports")).unwrap_err().to_string();
    assert!(said.contains("diverged at step"), "{said}");
}
