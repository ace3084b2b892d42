//! How long maps of many networks take; run by hand:
//!
//! `RAYON_NUM_THREADS=2 cargo test --release --locked -p accrue-dynamics similarity::tests::speed -- --ignored --nocapture --test-threads 1`

use super::*;
use crate::similarity::procrustes::Measure;
use crate::similarity::rotation::Settings;
use crate::similarity::{Operator, dsa_distances, svcca_distances};
use rayon::prelude::*;
use std::time::Instant;

/// Seconds of all processors that this process has had: what others do meanwhile does not count. 0 where Linux is not.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = text.rsplit(')').next().unwrap_or_default();
    let ticks = after.split(' ').skip(12).take(2).filter_map(|x| x.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// What a part of the work took.
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let (begin, before) = (Instant::now(), processor());
    let done = work();
    let (seconds, processor) = (begin.elapsed().as_secs_f64(), processor() - before);
    println!("{what}: {seconds:.2} s, {processor:.2} s of processors");
    done
}

#[test]
#[ignore = "a measurement, half a minute on two cores"]
fn two_hundred_networks_of_64_units_at_8000_states() {
    let (networks, samples, units) = (200, 8000, 64);
    let points: Vec<Vec<f32>> = (0..networks)
        .into_par_iter()
        .map(|i| normal(units, samples, &format!("speed {i}")).iter().map(|x| *x as f32).collect())
        .collect();
    let one = |rows: &Vec<f32>| {
        let states = States::new("a network", rows, [samples, units]).unwrap();
        Basis::of(&states, Keep::All).unwrap()
    };
    let bases: Vec<Basis> = timed("200 bases", || points.par_iter().map(one).collect());
    let found = timed("19,900 pairs by SVCCA", || svcca_distances(&bases).unwrap());
    assert_eq!(found.pairs().len(), 19_900);
}

#[test]
#[ignore = "a measurement, half a minute on two cores"]
fn forty_laws_of_ten_modes() {
    let one = |i: usize| {
        let matrix = normal(10, 10, &format!("speed of laws {i}")) * 0.25;
        Operator {
            name: format!("law {i}"),
            rank: 10,
            matrix,
            input: None,
            explained: 1.0,
            predicted: 1.0,
            samples: 100,
            undetermined: 0,
        }
    };
    let laws: Vec<Operator> = (0..40).map(one).collect();
    let found = timed("780 pairs by their laws", || {
        dsa_distances(&laws, Measure::Angular, &Settings::default()).unwrap()
    });
    println!("not converged {}, found once {}", found.not_converged, found.found_once);
    assert_eq!(found.not_converged, 0);
}
