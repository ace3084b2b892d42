//! Steps of training a population a second, for `tests/peers/population.py`, printed as JSON:
//! `population CELL NETWORKS UNITS THREADS SECONDS`. Three bits of memory, 64 steps, batches of 128, a loss at every step.

use accrue::data::tasks::{Law, memory};
use accrue::model::{Config, Head, Network, Reads};
use accrue::ops::CellKind;
use accrue::train::{Settings, fit};
use rayon::prelude::*;
use std::time::Instant;

const BATCH: usize = 128;

fn main() {
    accrue::engine::memory::keep_freed();
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [cell, networks, units, threads, seconds] = &arguments[..] else {
        println!("population CELL NETWORKS UNITS THREADS SECONDS");
        return;
    };
    let cell: CellKind = accrue::notation::parse("CELL", cell).expect("a cell's name");
    let number = |n: &String| n.parse::<usize>().expect("a number");
    let (networks, units) = (number(networks), number(units));
    let seconds: f64 = seconds.parse().expect("seconds");
    rayon::ThreadPoolBuilder::new().num_threads(number(threads)).build_global().expect("once");
    let law = memory::Settings { bits: 3, steps: 64, pulse: 0.2, ..Default::default() };
    let (train, validation) = (law.draw(8 * BATCH, 1, "train"), law.draw(8, 1, "validation"));
    let config = Config { cell, units, embedding: None, ..Config::default() };
    let settings =
        Settings { batch: BATCH, epochs: 1, steps: 8, learning_rate: 0.005, ..Settings::default() };
    let folder = tempfile::tempdir().expect("a folder");
    let round = |number: usize| -> u64 {
        let one = |i: usize| {
            let network =
                Network::new(&config, Head::Steps, Reads::Vectors(law.inputs()), 3, i as u64)
                    .expect("a network");
            let path = folder.path().join(format!("{number}-{i}"));
            let made = fit(&network, &train, &validation, &settings, 1, (&path, "bench"), &mut ())
                .expect("it trains");
            made.tokens
        };
        (0..networks).into_par_iter().map(one).sum()
    };
    round(0);
    let (began, mut tokens, mut rounds) = (Instant::now(), 0, 0);
    while began.elapsed().as_secs_f64() < seconds {
        rounds += 1;
        tokens += round(rounds);
    }
    let rate = tokens as f64 / began.elapsed().as_secs_f64();
    println!("{{\"tokens_per_second\": {rate}, \"rounds\": {rounds}}}");
}
