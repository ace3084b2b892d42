//! Weights on disk.

use accrue::model::{Config, Head, Network};

fn network(seed: u64) -> Network {
    let config = Config { units: 5, embedding: Some(4), ..Config::default() };
    Network::new(&config, Head::Softmax, 7, 3, seed).unwrap()
}

#[test]
fn weights_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let written = network(1);
    written.save(&path).unwrap();
    let read = Network::load(&path).unwrap();
    assert_eq!(read.arrays().unwrap(), written.arrays().unwrap());
    assert_eq!(read.config(), written.config());
    let document: &[u32] = &[1, 2, 6, 0];
    assert_eq!(read.predict(&[document]).unwrap(), written.predict(&[document]).unwrap());
    let names: Vec<String> = read.arrays().unwrap().into_keys().collect();
    for name in ["rnn.weight_ih_l0", "rnn.weight_hh_l0", "rnn.bias_ih_l0", "embedding.weight"] {
        assert!(names.iter().any(|n| n == name), "PyTorch's name {name}");
    }
}

#[test]
fn a_damaged_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    network(1).save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for kept in [0, 10, bytes.len() / 2, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..kept]).unwrap();
        let message = Network::load(&path).unwrap_err().to_string();
        assert!(message.contains("model.safetensors"), "{message}");
    }
}

#[test]
fn the_f64_cell_steps_as_the_f32_network() {
    use accrue::dynamics::{Dynamics, Map};
    let network = network(2);
    let cell = network.cell().unwrap();
    let rows = network.embedding().unwrap().unwrap();
    let mut h = network.initial_state().unwrap();
    let document: &[u32] = &[3, 1, 1, 5];
    for &token in document {
        let input = &rows[token as usize * 4..][..4];
        h = Map::new(&cell, input).unwrap().step(&h).as_slice().to_vec();
    }
    let (w, b) = network.readout().unwrap();
    let found = network.predict(&[document]).unwrap();
    for (o, found) in found[0].iter().enumerate() {
        let logit = b[o] + w[o * 5..][..5].iter().zip(&h).map(|(w, h)| w * h).sum::<f64>();
        assert!((logit - *found as f64).abs() < 1e-5);
    }
}
