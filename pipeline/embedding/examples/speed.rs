//! Steps of a meta-model's training a second, for `tests/peers/embedding.py`, printed as JSON: `speed UNITS THREADS SECONDS`.
//!
//! 24 base models (12 with 24 units, 12 with 32), 16 phrases of 20 words a step, three classes, a θ of two numbers.

use accrue_embedding::train::{Collection, Settings, train};
use accrue_embedding::{
    CellKind, Layout, Measure, Objective, Phrases, Reads, Recording, Said, Shape, initial,
};
use accrue_numerics::seed;
use rand::Rng;
use std::time::Instant;

/// Phrases that base models were recorded on.
const PHRASES: usize = 512;
/// Words of a phrase.
const LENGTH: usize = 20;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [units, threads, seconds] = &arguments[..] else {
        println!("speed UNITS THREADS SECONDS");
        return;
    };
    let threads = threads.parse().expect("a number of threads");
    let seconds: f64 = seconds.parse().expect("seconds");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("built once");
    let units = units.parse().expect("a number of units");
    let mut stream = seed::stream(1, "speed");
    let words: Vec<Vec<u32>> =
        (0..PHRASES).map(|_| (0..LENGTH).map(|_| stream.random_range(0..4)).collect()).collect();
    let phrases = Phrases::of_words(words.iter().map(Vec::as_slice)).expect("phrases have words");
    let widths: Vec<usize> = (0..24).map(|i| if i < 12 { 24 } else { 32 }).collect();
    let recordings: Vec<Recording> = widths
        .iter()
        .enumerate()
        .map(|(i, &d)| {
            let mut draw = |count: usize| -> Vec<f32> {
                (0..count).map(|_| stream.random_range(-1.0..1.0)).collect()
            };
            let states = draw(phrases.steps() * d);
            let outputs = vec![1.0 / 3.0; phrases.steps() * 3];
            Recording::new(&i.to_string(), d, &states, 3, outputs).expect("states move")
        })
        .collect();
    let shape =
        Shape { cell: CellKind::Gru, units, reads: Reads::Words(4), outputs: 3, dimension: 2 };
    let layout = Layout { shape, widths };
    let objective =
        Objective { lambda: 1.0, measure: Measure::Distribution, said: Said::Every, shared: true };
    let of = Collection { layout: &layout, phrases: &phrases, recordings: &recordings, objective };
    let names: Vec<String> = (0..24).map(|i| i.to_string()).collect();
    let run = |parameters: Vec<f32>, steps: usize| {
        let settings = Settings { steps, ..Settings::default() };
        train(&of, parameters, &settings, 1, None, |_| ()).expect("it trains").parameters
    };
    let mut parameters = run(initial::parameters(&layout, &names, 1), 10);
    let (mut steps, began) = (0, Instant::now());
    while began.elapsed().as_secs_f64() < seconds {
        parameters = run(parameters, 20);
        steps += 20;
    }
    let rate = f64::from(steps) / began.elapsed().as_secs_f64();
    println!(
        "{{\"units\": {units}, \"threads\": {threads}, \"steps\": {steps}, \"steps_per_second\": {rate}}}"
    );
}
