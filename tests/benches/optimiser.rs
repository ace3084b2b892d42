//! Steps of meta-training a second, for `tests/peers/optimisers.py`, printed as JSON: `optimiser UNITS THREADS SECONDS`.

use accrue::optimisers::problems::{Data, Family};
use accrue::optimisers::training::{self, Progress};
use accrue::optimisers::{Learned, LearnedSettings, Task, TrainingSettings};
use std::time::Instant;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let [units, threads, seconds] = &arguments[..] else {
        println!("optimiser UNITS THREADS SECONDS");
        return;
    };
    let threads = threads.parse().expect("a number of threads");
    let seconds: f64 = seconds.parse().expect("seconds");
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("built once");
    let units = units.parse().expect("a number of units");
    let (task, data) = (Task::default(), Data::default());
    let family = Family { task: &task, data: &data, seed: 1, split: "train" };
    let learned = Learned::new(&LearnedSettings { units, ..Default::default() }, 1);
    let settings = TrainingSettings { inner_steps: 201, batch: 64, ..Default::default() };
    let until = |steps: usize, from: Progress| {
        let settings = TrainingSettings { outer_steps: steps, ..settings.clone() };
        training::train(&learned, &family, &settings, from, |_| Ok(())).expect("training goes on")
    };
    let mut progress = until(5, Progress::new(&learned));
    let (first, began) = (progress.step, Instant::now());
    while began.elapsed().as_secs_f64() < seconds {
        progress = until(progress.step + 5, progress);
    }
    let rate = (progress.step - first) as f64 / began.elapsed().as_secs_f64();
    let steps = progress.step;
    println!(
        "{{\"units\": {units}, \"threads\": {threads}, \"steps\": {steps}, \"steps_per_second\": {rate}}}"
    );
}
