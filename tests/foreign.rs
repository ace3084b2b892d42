//! Networks of other frameworks against what they said there
//! (`references/foreign.py`).

use accrue::model::foreign::{Foreign, Settings, read_states};
use accrue::model::{Config, weights};
use accrue::ops::CellKind;
use serde::Deserialize;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
struct File {
    texts: Vec<Vec<u32>>,
    cases: Vec<Case>,
}

#[derive(Clone, Deserialize)]
struct Case {
    name: String,
    kind: CellKind,
    arrays: Vec<Array>,
    outputs: Vec<Vec<f64>>,
}

#[derive(Clone, Deserialize)]
struct Array {
    name: String,
    shape: Vec<usize>,
    numbers: Vec<f32>,
}

fn references() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/references")
}

fn file() -> File {
    let text = std::fs::read_to_string(references().join("foreign.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn case(name: &str) -> Case {
    file().cases.into_iter().find(|c| c.name == name).expect("a case of the references")
}

impl Case {
    /// The arrays as a safetensors file.
    fn save(&self, folder: &Path) -> Settings {
        let path = folder.join("network.safetensors");
        let arrays =
            self.arrays.iter().map(|a| (a.name.clone(), (a.shape.clone(), a.numbers.clone())));
        weights::write(&path, &arrays.collect(), HashMap::new()).unwrap();
        // The networks of PyTorch there have a norm that they do not use.
        Settings { file: path, norm: Some("none".into()), ..Settings::default() }
    }

    fn with(&mut self, name: &str, shape: &[usize]) {
        let count = shape.iter().product();
        self.arrays.push(Array {
            name: name.into(),
            shape: shape.into(),
            numbers: vec![0.1; count],
        });
    }
}

/// Largest difference between what the network says here and said there.
fn difference(settings: &Settings, texts: &[Vec<u32>], outputs: &[Vec<f64>]) -> f64 {
    let foreign = Foreign::read(settings).unwrap();
    let head = foreign.head(2, false).unwrap();
    let texts: Vec<&[u32]> = texts.iter().map(Vec::as_slice).collect();
    let network = foreign.network(&Config::default(), head, &texts).unwrap();
    let found = network.predict(&texts).unwrap();
    let pairs = found.iter().zip(outputs).flat_map(|(f, o)| f.iter().zip(o));
    pairs.map(|(f, o)| (*f as f64 - o).abs()).fold(0.0, f64::max)
}

#[test]
fn networks_of_every_framework_say_what_they_said_there() {
    let folder = tempfile::tempdir().unwrap();
    let File { texts, cases } = file();
    assert!(cases.len() >= 14, "only {} cases", cases.len());
    for case in cases {
        let settings = case.save(folder.path());
        let found = Foreign::read(&settings).unwrap_or_else(|e| panic!("{}: {e}", case.name));
        assert_eq!(found.kind, case.kind, "{}", case.name);
        let far = difference(&settings, &texts, &case.outputs);
        assert!(far < 2e-6, "{}: {far:e}", case.name);
    }
}

#[test]
fn pickled_and_numpy_files_hold_the_same_network() {
    let (file, gru) = (file(), case("torch GRU"));
    for name in ["foreign/gru.pt", "foreign/gru.npz"] {
        let file_of = references().join(name);
        let settings = Settings { file: file_of, norm: Some("none".into()), ..Settings::default() };
        let far = difference(&settings, &file.texts, &gru.outputs);
        assert!(far < 2e-6, "{name}: {far:e}");
    }
}

#[test]
fn what_an_array_was_taken_as_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let found = Foreign::read(&case("torch GRU").save(folder.path())).unwrap();
    let role = |name: &str| found.taken.iter().find(|t| t.array == name).unwrap().role;
    assert_eq!(role("encoder.rnn.weight_hh_l0"), "recurrent weights");
    assert_eq!(role("embedding.weight"), "embedding");
    assert_eq!(role("classifier.weight"), "readout");
    assert_eq!(role("norm.weight"), "not used");
}

/// The message with which a file is refused.
fn refused(case: &Case, change: impl Fn(&mut Settings)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = case.save(folder.path());
    change(&mut settings);
    Foreign::read(&settings).unwrap_err().to_string()
}

#[test]
fn what_can_be_read_in_two_ways_lists_both() {
    let mut two = case("torch GRU");
    two.with("decoder.weight_hh_l0", &[12, 4]);
    let message = refused(&two, |_| {});
    assert!(message.contains("`decoder.`") && message.contains("`encoder.rnn.`"), "{message}");
    assert!(message.contains("--recurrent"), "{message}");

    let mut two = case("torch GRU");
    two.with("auxiliary.weight", &[5, 4]);
    let message = refused(&two, |_| {});
    assert!(message.contains("auxiliary.weight [5, 4]") && message.contains("classifier.weight"));
    let message = refused(&two, |s| s.readout = Some("norm.weight".into()));
    assert!(message.contains("`norm.weight` is no matrix"), "{message}");

    let mut layers = case("torch GRU");
    layers.with("head.weight", &[3, 2]);
    assert!(refused(&layers, |_| {}).contains("two layers"));

    let gru = case("torch GRU");
    assert!(refused(&gru, |s| s.cell = Some(CellKind::Lstm)).contains("3 blocks of rows"));
    assert!(refused(&gru, |s| s.recurrent = Some("rnn2".into())).contains("`rnn2` is none of"));
}

#[test]
fn a_file_without_a_network_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.npz");
    std::fs::write(&path, b"no archive").unwrap();
    let read = |path: &Path| {
        Foreign::read(&Settings { file: path.into(), ..Settings::default() })
            .unwrap_err()
            .to_string()
    };
    assert!(read(&path).contains("states.npz"));
    assert!(read(&folder.path().join("nothing.pt")).contains("nothing.pt"));
    let odd = folder.path().join("model.onnx");
    std::fs::write(&odd, b"x").unwrap();
    assert!(read(&odd).contains("save_file"));
    let mut empty = case("torch GRU");
    empty.arrays.retain(|a| a.name.starts_with("norm"));
    assert!(refused(&empty, |_| {}).contains("no recurrent cell"));
    let mut broken = case("torch GRU");
    broken.arrays[2].numbers[1] = f32::NAN;
    assert!(refused(&broken, |_| {}).contains("not finite"));
}

#[test]
fn states_come_from_numpy_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("states.npy");
    let numbers: Vec<f32> = (0..12).map(|x| x as f32).collect();
    let tensor = candle_core::Tensor::from_vec(numbers, (2, 3, 2), &candle_core::Device::Cpu);
    tensor.unwrap().write_npy(&path).unwrap();
    let read = read_states(&path).unwrap();
    assert_eq!((read.states.len(), read.walk), (6, 3));
    assert_eq!(read.states[5], [10.0, 11.0]);
    let tensor = candle_core::Tensor::new(&[1.0_f32, 2.0], &candle_core::Device::Cpu).unwrap();
    tensor.write_npy(&path).unwrap();
    assert!(read_states(&path).unwrap_err().to_string().contains("shape [2]"));
}

#[test]
fn a_state_dict_in_memory_is_what_its_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let mut read = 0;
    for case in file().cases {
        let settings = case.save(folder.path());
        let arrays =
            case.arrays.iter().map(|a| (a.name.clone(), (a.shape.clone(), a.numbers.clone())));
        match (Foreign::read(&settings), Foreign::of(&settings, arrays.collect())) {
            (Ok(file), Ok(memory)) => {
                assert_eq!(file.cell(), memory.cell(), "{}", case.name);
                assert_eq!(file.taken, memory.taken, "{}", case.name);
                assert_eq!(file.embedding, memory.embedding, "{}", case.name);
                assert_eq!(file.readout, memory.readout, "{}", case.name);
                read += 1;
            }
            (file, memory) => {
                assert_eq!(file.unwrap_err().to_string(), memory.unwrap_err().to_string());
            }
        }
    }
    assert!(read >= 6, "{read}");
    let nothing = Foreign::of(&Settings::default(), Default::default()).unwrap_err().to_string();
    assert!(nothing.contains("no array of decimal numbers"), "{nothing}");
}
