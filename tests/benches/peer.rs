//! One measurement for `tests/peers/training.py`, printed as JSON.
//!
//! `peer CELL SIZE POOL THREADS SECONDS`, for example `peer Gru text Mean 2 4`.

mod work;

use accrue::ops::{CellKind, Pool};
use accrue::run::memory;
use std::time::Instant;
use work::{SYNTHETIC, TEXT, UNIFORM, Work};

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [cell, size, pool, threads, seconds] = &arguments[..] else {
        println!("peer CELL SIZE POOL THREADS SECONDS");
        return;
    };
    let cell: CellKind = accrue::notation::parse("CELL", cell).expect("a cell's name");
    let pool: Pool = accrue::notation::parse("POOL", pool).expect("Last or Mean");
    let mut size = match size.as_str() {
        "text" => TEXT,
        "uniform" => UNIFORM,
        "synthetic" => SYNTHETIC,
        other => panic!("no size `{other}`: text, uniform or synthetic"),
    };
    size.pool = pool;
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads.parse().expect("a number of threads"))
        .build_global()
        .expect("the pool is built once");
    let seconds: f64 = seconds.parse().expect("seconds");
    let work = Work::new(cell, size, 16);
    work.steps(4);
    let (begin, mut tokens, mut spent) = (Instant::now(), 0, 0.0);
    while begin.elapsed().as_secs_f64() < seconds {
        let fit = work.steps(16);
        tokens += fit.tokens;
        spent += fit.seconds;
    }
    println!(
        "{{\"tokens_per_second\": {}, \"peak_bytes\": {}}}",
        tokens as f64 / spent,
        memory::peak()
    );
}
