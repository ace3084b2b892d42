//! How long a map of many networks takes; run by hand:
//!
//! `RAYON_NUM_THREADS=2 cargo test --release --locked -p accrue-dynamics similarity::tests::speed -- --ignored --nocapture`

use super::*;
use crate::similarity::svcca_distances;
use rayon::prelude::*;
use std::time::Instant;

#[test]
#[ignore = "a measurement, half a minute on two cores"]
fn two_hundred_networks_of_64_units_at_8000_states() {
    let (networks, samples, units) = (200, 8000, 64);
    let points: Vec<Vec<f32>> = (0..networks)
        .into_par_iter()
        .map(|i| normal(units, samples, &format!("speed {i}")).iter().map(|x| *x as f32).collect())
        .collect();
    let begin = Instant::now();
    let bases: Vec<Basis> = points
        .par_iter()
        .map(|rows| {
            let states = States::new("a network", rows, [samples, units]).unwrap();
            Basis::of(&states, Keep::All).unwrap()
        })
        .collect();
    let prepared = begin.elapsed().as_secs_f64();
    let distances = svcca_distances(&bases).unwrap();
    let all = begin.elapsed().as_secs_f64();
    assert_eq!(distances.pairs().len(), 19_900);
    println!("{prepared:.2} s for bases, {:.2} s for 19,900 pairs", all - prepared);
}
