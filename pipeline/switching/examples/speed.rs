//! Steps a second of training a GRU together with its linear system on three bits of memory, and peak memory, as JSON: the
//! same work as `tests/peers/switching.py`.
//!
//! `cargo run --release -p accrue-switching --example speed -- [units] [batch] [seconds] [alone]`

use accrue_switching::train::{Settings, train};
use accrue_switching::{Activation, CellKind, Losses, Sequence, Shape, Target, gradient, initial};
use rand::Rng;
use std::time::Instant;

const STEPS: usize = 25;

/// Inputs `[t, 6]` and targets `[t, 3]` of one trial.
fn trial(stream: &mut impl Rng) -> (Vec<f32>, Vec<f32>) {
    let (mut inputs, mut targets, mut held) = (Vec::new(), Vec::new(), [-1.0_f32; 3]);
    for _ in 0..STEPS {
        for held in &mut held {
            let pulse = stream.random_range(-1..2);
            inputs.extend([(pulse < 0) as u8 as f32, (pulse > 0) as u8 as f32]);
            *held = if pulse == 0 { *held } else { pulse as f32 };
            targets.push(*held);
        }
    }
    (inputs, targets)
}

/// Peak resident memory of this process, bytes.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    1024 * kilobytes.unwrap_or(0)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number =
        |i: usize, default: f64| arguments.get(i).map_or(default, |a| a.parse().expect("a number"));
    let (units, batch, seconds) =
        (number(0, 100.0) as usize, number(1, 256.0) as usize, number(2, 20.0));
    let losses = match arguments.get(3) {
        Some(_) => Losses::default().alone(),
        None => Losses::default(),
    };
    let shape = Shape {
        kind: CellKind::Gru,
        units,
        inputs: 6,
        outputs: 3,
        layers: 2,
        activation: Activation::Tanh,
    };
    let mut stream = accrue_numerics::seed::stream(2, "speed");
    let mask: Vec<f32> = (0..STEPS).map(|t| (t >= 5) as u8 as f32).collect();
    let parameters = initial::parameters(&shape, &Default::default(), 1);
    let (mut began, mut taken) = (Instant::now(), 0);
    let settings = Settings { steps: usize::MAX, batch, ..Settings::default() };
    // The first steps warm up.
    let stopped = train(
        parameters,
        &settings,
        &losses,
        None,
        |p, losses, k| {
            if k == 3 {
                began = Instant::now();
            }
            taken = k.saturating_sub(3);
            if k > 3 && began.elapsed().as_secs_f64() > seconds {
                return Err(accrue_numerics::Error::Usage("done".into()));
            }
            let trials: Vec<_> = (0..batch).map(|_| trial(&mut stream)).collect();
            let sequences: Vec<Sequence> = trials
                .iter()
                .map(|(inputs, values)| Sequence {
                    inputs,
                    expansion_input: &[0.0; 6],
                    target: Target::Steps { values, mask: &mask },
                })
                .collect();
            gradient(&shape, p, losses, &sequences, false)
        },
        |_| (),
    );
    assert!(stopped.is_err(), "the clock ends it");
    let rate = taken as f64 / began.elapsed().as_secs_f64();
    println!("{{\"steps_per_second\": {rate:.3}, \"peak_bytes\": {}}}", peak());
}
