//! One measurement for `tests/peers/training.py`, printed as JSON.
//!
//! `peer CELL SIZE POOL THREADS SECONDS [DEVICE [PRECISIONS]]`, for example `peer Gru text Mean 2 4 cuda`; with
//! precisions (`F32,Tf32`) one measurement each, in turn;
//! `grid-256-Gru` trains 256 networks together;
//! `stepwise-Gru` and `stepwise-Lstm` train candle's own layers, one token at a time.

mod work;

use accrue::engine::memory;
use accrue::ops::{CellKind, Pool};
use std::time::Instant;
use work::{CARD, GRID, REVIEWS, SYNTHETIC, Size, TEXT, UNIFORM, Work};

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [cell, size, pool, threads, seconds, ..] = &arguments[..] else {
        println!("peer CELL SIZE POOL THREADS SECONDS [DEVICE [PRECISIONS]]");
        return;
    };
    if let Some(device) = arguments.get(5) {
        accrue::ops::cuda::use_device(accrue::ops::cuda::device(device).expect("a device"));
    }
    let (together, cell) = match cell.strip_prefix("grid-").and_then(|rest| rest.split_once('-')) {
        Some((networks, cell)) => (networks.parse().expect("a number of networks"), cell),
        None => (0, cell.as_str()),
    };
    if let Some(cell) = cell.strip_prefix("stepwise-") {
        let seconds = seconds.parse().expect("seconds");
        return stepwise(cell, size, pool, threads.parse().expect("threads"), seconds);
    }
    let cell: CellKind = accrue::notation::parse("CELL", cell).expect("a cell's name");
    let pool: Pool = accrue::notation::parse("POOL", pool).expect("Last or Mean");
    let mut size = named(size);
    size.pool = pool;
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.parse().expect("a number of threads"))
        .build_global()
        .expect("the pool is built once");
    let seconds: f64 = seconds.parse().expect("seconds");
    let mut work = Work::new(cell, size, 16);
    for precision in arguments.get(6).map_or("F32", String::as_str).split(',') {
        work.precision =
            accrue::notation::parse("PRECISION", precision).expect("F32, Tf32 or Bf16");
        if together > 0 {
            work.steps_together(together, 4);
            let (begin, mut steps, mut spent) = (Instant::now(), 0, 0.0);
            while begin.elapsed().as_secs_f64() < seconds {
                spent += work.steps_together(together, 100);
                steps += 100 * together;
            }
            println!(
                "{{\"precision\": \"{precision}\", \"network_steps_per_second\": {}}}",
                steps as f64 / spent
            );
            continue;
        }
        work.steps(4);
        let (begin, mut tokens, mut spent) = (Instant::now(), 0, 0.0);
        while begin.elapsed().as_secs_f64() < seconds {
            let fit = work.steps(16);
            tokens += fit.tokens;
            spent += fit.seconds;
        }
        println!(
            "{{\"precision\": \"{precision}\", \"tokens_per_second\": {}, \"peak_bytes\": {}}}",
            tokens as f64 / spent,
            memory::peak()
        );
    }
}

fn named(size: &str) -> Size {
    match size {
        "text" => TEXT,
        "reviews" => REVIEWS,
        "uniform" => UNIFORM,
        "synthetic" => SYNTHETIC,
        "64x256x256" => CARD[0],
        "256x256x256" => CARD[1],
        "64x1024x512" => CARD[2],
        "grid" => GRID,
        other => panic!("no size `{other}`: text, reviews, uniform or synthetic"),
    }
}

/// The same work with candle's own GRU or LSTM, step by step.
fn stepwise(cell: &str, size: &str, pool: &str, threads: usize, seconds: f64) {
    use candle_core::{DType, Device, Tensor};
    use candle_nn::{Module, Optimizer, RNN, VarBuilder, VarMap};
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("built once");
    let size = named(size);
    let work = Work::new(CellKind::Gru, size, 4);
    let variables = VarMap::new();
    let load = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
    let words = candle_nn::embedding(size.vocabulary, size.inputs, load.pp("words")).unwrap();
    let readout = candle_nn::linear(size.units, 2, load.pp("readout")).unwrap();
    let gru = candle_nn::gru(size.inputs, size.units, Default::default(), load.pp("gru")).unwrap();
    let lstm = (cell == "Lstm").then(|| {
        candle_nn::lstm(size.inputs, size.units, Default::default(), load.pp("lstm")).unwrap()
    });
    let mut adam = candle_nn::AdamW::new_lr(variables.all_vars(), 1e-3).unwrap();
    let (begin, mut tokens) = (Instant::now(), 0);
    while begin.elapsed().as_secs_f64() < seconds || tokens == 0 {
        let (documents, classes) = work.batch(tokens / (size.batch * size.tokens));
        let ids = Tensor::from_vec(documents, (size.batch, size.tokens), &Device::Cpu).unwrap();
        let classes = Tensor::new(classes, &Device::Cpu).unwrap();
        let x = words.forward(&ids).unwrap();
        let states: Vec<Tensor> = match &lstm {
            Some(lstm) => lstm.seq(&x).unwrap().iter().map(|s| s.h().clone()).collect(),
            None => gru.seq(&x).unwrap().iter().map(|s| s.h.clone()).collect(),
        };
        let pooled = match pool {
            "Mean" => Tensor::stack(&states, 0).unwrap().mean(0).unwrap(),
            _ => states.last().unwrap().clone(),
        };
        let loss = candle_nn::loss::cross_entropy(&readout.forward(&pooled).unwrap(), &classes);
        adam.backward_step(&loss.unwrap()).unwrap();
        tokens += size.batch * size.tokens;
    }
    let speed = tokens as f64 / begin.elapsed().as_secs_f64();
    println!("{{\"tokens_per_second\": {speed}, \"peak_bytes\": {}}}", memory::peak());
}
