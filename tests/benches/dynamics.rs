//! Fixed points, Jacobians and spectra on a trained-size network: `make bench`.

use accrue::dynamics::certificate::certify;
use accrue::dynamics::finder::{median_norm, search};
use accrue::dynamics::{Dynamics, Finder, Map};
use accrue::linalg::eigen;
use accrue::model::{Config, Head, Network};
use accrue::ops::CellKind;
use divan::counter::ItemsCount;
use rayon::prelude::*;

const CELLS: [CellKind; 4] = [CellKind::Gru, CellKind::Lstm, CellKind::Ugrnn, CellKind::Vanilla];

fn main() {
    divan::main();
}

/// A network as it starts, its input held at zero, and states it visits.
fn scene(cell: CellKind, units: usize, states: usize) -> (Map, Vec<Vec<f64>>) {
    let config = Config { cell, units, embedding: Some(16), ..Config::default() };
    let network = Network::new(&config, Head::Softmax, 50, 2, 1).expect("the sizes fit");
    let cell = network.cell().expect("the weights are here");
    let map = Map::new(&cell, &vec![0.0; cell.inputs]).expect("the input fits");
    let inputs = network.inputs().expect("the weights are here");
    let mut state = vec![0.0; map.state_size()];
    let visited = (0..states)
        .map(|i| {
            let x = inputs.vector(i * 7 % 50);
            state = map.with_input(&x).expect("it fits").step(&state).as_slice().to_vec();
            state.clone()
        })
        .collect();
    (map, visited)
}

#[divan::bench(args = CELLS, sample_count = 5, sample_size = 1)]
fn search_from_512_states_128_units(bencher: divan::Bencher, cell: CellKind) {
    let (map, states) = scene(cell, 128, 512);
    let scale = median_norm(states.iter().map(Vec::as_slice));
    let finder = Finder::default();
    bencher.counter(ItemsCount::new(states.len())).bench_local(|| {
        let mut reached = 0;
        search(&map, states.iter().map(Vec::as_slice), scale, &finder, |d| {
            reached += d.reached.iter().any(Option::is_some) as usize;
            Ok(())
        })
        .expect("states are finite");
        reached
    });
}

#[divan::bench(args = CELLS, sample_count = 5, sample_size = 1)]
fn jacobians_and_spectra_of_100_points_256_units(bencher: divan::Bencher, cell: CellKind) {
    // An LSTM of 128 units has 256 numbers in its state.
    let units = if cell == CellKind::Lstm { 128 } else { 256 };
    let (map, states) = scene(cell, units, 100);
    bencher.counter(ItemsCount::new(states.len())).bench_local(|| {
        let all: Vec<f64> = states
            .par_iter()
            .map(|s| eigen(&map.jacobian(s)).expect("finite").values[0].norm())
            .collect();
        all
    });
}

#[divan::bench(args = CELLS, sample_count = 5, sample_size = 1)]
fn proof_at_the_origin_128_units(bencher: divan::Bencher, cell: CellKind) {
    let (map, _) = scene(cell, 128, 1);
    let origin = vec![0.0; map.state_size()];
    bencher.bench_local(|| certify(&map, &origin).expect("the origin is finite"));
}
