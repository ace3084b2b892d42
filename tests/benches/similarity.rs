//! Distances of all pairs of networks, for `tests/peers/similarity.py`, printed as JSON:
//! `similarity svcca NETWORKS SAMPLES UNITS THREADS` or `similarity dsa FILE THREADS [STARTS]`.

use accrue::linalg::Matrix;
use accrue::model::foreign::read_arrays;
use accrue::seed;
use accrue::similarity::States;
use accrue::similarity::cca::{Basis, Keep, svcca_distances};
use accrue::similarity::dsa::{Operator, dsa_distances};
use accrue::similarity::procrustes::Measure;
use accrue::similarity::rotation::Settings;
use rand::Rng;
use rand_distr::StandardNormal;
use std::path::Path;
use std::time::Instant;

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let threads = |n: &str| {
        let threads = n.parse().expect("a number of threads");
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().expect("built once");
    };
    match arguments[..] {
        ["svcca", networks, samples, units, t] => {
            threads(t);
            let number = |n: &str| n.parse::<usize>().expect("a number");
            svcca(number(networks), number(samples), number(units));
        }
        ["dsa", file, t, ref starts @ ..] => {
            threads(t);
            let mut settings = Settings::default();
            if let [starts] = starts {
                settings.starts = starts.parse().expect("a number of random starts");
            }
            dsa(Path::new(file), &settings);
        }
        _ => println!(
            "similarity svcca NETWORKS SAMPLES UNITS THREADS | similarity dsa FILE THREADS [STARTS]"
        ),
    }
}

/// States whose spectrum falls by a tenth from unit to unit, mixed at random: SVCCA to 99 % of the variance.
fn svcca(networks: usize, samples: usize, units: usize) {
    let made: Vec<States> = (0..networks)
        .map(|i| {
            let mut stream = seed::stream(i as u64, "bench/similarity");
            let mut draw = |scale: f64| scale * stream.sample::<f64, _>(StandardNormal);
            let mixing = Matrix::from_fn(units, units, |_, _| draw(1.0));
            let own = Matrix::from_fn(samples, units, |_, j| draw(0.9_f64.powi(j as i32)));
            States::of(&format!("network {i}"), &(own * mixing.qr().q())).expect("states that vary")
        })
        .collect();
    let began = Instant::now();
    let bases: Vec<Basis> =
        made.iter().map(|s| Basis::of(s, Keep::Share(0.99)).expect("states that vary")).collect();
    let prepared = began.elapsed().as_secs_f64();
    let distances = svcca_distances(&bases).expect("bases of the same samples");
    let seconds = began.elapsed().as_secs_f64();
    let kept = bases[0].dimensions();
    println!(
        "{{\"seconds\": {seconds}, \"bases\": {prepared}, \"kept\": {kept}, \"first\": {}}}",
        distances.at(0, 1)
    );
}

/// Angles between the laws of a file, `laws` `[n, r, r]`.
fn dsa(file: &Path, settings: &Settings) {
    let arrays = read_arrays(file, None).expect("a readable file").arrays;
    let (shape, numbers) = &arrays["laws"];
    let [n, r, _] = shape[..] else { panic!("laws [n, r, r]") };
    let law = |i: usize| Operator {
        name: format!("law {i}"),
        matrix: Matrix::from_fn(r, r, |a, b| numbers[(i * r + a) * r + b] as f64),
        input: None,
        rank: r,
        explained: 1.0,
        predicted: 1.0,
        samples: 0,
        undetermined: 0,
    };
    let laws: Vec<Operator> = (0..n).map(law).collect();
    let began = Instant::now();
    let found = dsa_distances(&laws, Measure::Angular, settings).expect("laws that move");
    let seconds = began.elapsed().as_secs_f64();
    let pairs: Vec<f64> = (0..n)
        .flat_map(|i| (i + 1..n).map(move |j| (i, j)))
        .map(|(i, j)| found.distances.at(i, j))
        .collect();
    println!(
        "{{\"seconds\": {seconds}, \"not_converged\": {}, \"distances\": {pairs:?}}}",
        found.not_converged
    );
}
