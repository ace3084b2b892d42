//! Against other packages (`tests/references/recordings.py`), planted structure, and calculations by hand.

use crate::encoding::{Regressors, held_out, lagged, shares};
use crate::generator::{Decision, Generator, folds};
use crate::geometry::{Model, apparent_ratio, compression, conditions, explain};
use crate::kernel::Kernel;
use crate::linalg::{Matrix, Vector};
use crate::process::Smoother;
use crate::rdm::{cross_validated, euclidean};
use crate::regression::Design;
use crate::selection::mixture;
use crate::synthetic::{Shares, movements, record};
use crate::targeted::{axes, orthonormal, without};
use crate::{process, seed, summary};
use rand::Rng;
use rand_distr::StandardNormal;
use serde_json::Value;

fn reference() -> Value {
    let text = include_str!("../../tests/references/recordings.json");
    serde_json::from_str(text).expect("the reference is JSON")
}

fn numbers(of: &Value) -> Vec<f64> {
    of.as_array().expect("a list").iter().map(|x| x.as_f64().expect("of numbers")).collect()
}

fn matrix(of: &Value, rows: usize) -> Matrix {
    let values = numbers(of);
    Matrix::from_row_slice(rows, values.len() / rows, &values)
}

#[track_caller]
fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        assert!((f - e).abs() <= tolerance, "{i}: {f}, expected {e}");
    }
}

fn unit(v: &[f64]) -> Vec<f64> {
    let norm = v.iter().map(|x| x * x).sum::<f64>().sqrt();
    v.iter().map(|x| x / norm).collect()
}

#[test]
fn distances_and_their_regression_are_those_of_rsatoolbox() {
    let of = reference();
    let all = conditions(&numbers(&of["levels"]));
    let parts: Vec<Matrix> =
        of["folds"].as_array().unwrap().iter().map(|f| matrix(f, all.len())).collect();
    let plain = euclidean(&parts[0]).unwrap();
    close(plain.values(), &numbers(&of["euclidean"]), 1e-9);
    assert_eq!(plain.at(5, 2), plain.at(2, 5));
    assert_eq!(plain.at(2, 5), numbers(&of["euclidean"])[31 + 30 + 2]);
    let held = cross_validated(&parts).unwrap();
    close(held.values(), &numbers(&of["crossnobis"]), 1e-9);
    // Its weights are of the models as they are, scaled to length 1; ours are undone from the z-scored ones.
    let models: Vec<_> = Model::ALL.iter().map(|m| m.distances(&all).unwrap()).collect();
    let apart: Vec<f64> = crate::rdm::pairs(all.len())
        .map(|(i, j)| (all[i].context != all[j].context) as u8 as f64)
        .collect();
    let columns = models.iter().map(|m| ("model", m.values())).chain([("context", &apart[..])]);
    let design = Design::new(columns).unwrap();
    let free = design.ordinary(held.values()).unwrap();
    close(&unit(&free.weights), &numbers(&of["theta"]), 1e-6);
    let bound = design.non_negative(held.values()).unwrap();
    close(&bound.weights, &numbers(&of["nnls"]), 1e-6);
    let found = explain(&held, &all).unwrap();
    assert_eq!(found.weights, bound.standard[..5]);
    assert_eq!(found.winner, Model::Parallel);
}

#[test]
fn ridge_logistic_and_smoothed_values_are_those_of_scikit_learn() {
    let of = reference();
    let (x, z) = (matrix(&of["x"], 40), matrix(&of["z"], 40));
    // Held-out folds are fitted by the same function: here one fold holds a copy of all rows.
    let twice = |m: &Matrix| Matrix::from_fn(80, m.ncols(), |i, j| m[(i % 40, j)]);
    let mut regressors = Regressors::default();
    let columns = twice(&x).column_iter().map(|c| c.iter().copied().collect()).collect();
    regressors.group("all", columns).unwrap();
    let trial: Vec<usize> = (0..80).map(|i| i / 40).collect();
    let found = held_out(&regressors, &twice(&z), &trial, 2).unwrap();
    let expected = matrix(&of["ridge"]["predicted"], 40);
    for i in 0..40 {
        for u in 0..3 {
            let predicted = found.parts[0][(i, u)] + z.column(u).mean();
            assert!((predicted - expected[(i, u)]).abs() < 1e-8, "{predicted}");
        }
    }
    assert_eq!(found.penalty, 0.01);
    let evidence = matrix(&of["evidence"], 120);
    let right: Vec<bool> = of["right"].as_array().unwrap().iter().map(|b| b == true).collect();
    let kernel = Kernel::fit(&evidence, &right, 5).unwrap();
    let expected = numbers(&of["logistic"]);
    assert_eq!(kernel.penalty, 1.0, "the reference's penalty is the one that is chosen");
    close(&[&[kernel.bias], &kernel.weights[..]].concat(), &expected, 1e-4);
    let series = Matrix::from_column_slice(12, 1, &numbers(&of["series"]));
    let smooth = Smoother::new(12, 2.5, 0.4).unwrap().smooth(&series).unwrap();
    close(smooth.as_slice(), &numbers(&of["smooth"]), 1e-9);
}

/// Ratio before and after the decision's axis is taken out of drawn responses.
fn ratios(strength: f64, gate: f64, seed: u64) -> (f64, f64) {
    let levels = [-1.0, -0.5, -0.225, 0.225, 0.5, 1.0];
    let all = conditions(&levels);
    let generator = Generator {
        units: 200,
        trials: 80,
        strength,
        gate,
        noise: 0.1,
        decision_noise: 0.5,
        decision: Decision::Shared,
    };
    let trials = generator.draw(&all, seed).unwrap();
    let ratio = |responses: &Matrix| {
        let parts = folds(responses, &trials.condition, all.len(), 4).unwrap();
        compression(&cross_validated(&parts).unwrap(), &all, None).unwrap().ratio()
    };
    let before = ratio(&trials.responses);
    (before, ratio(&without(&trials.responses, &trials.readout).unwrap()))
}

#[test]
fn an_ungated_code_looks_gated_by_the_formula_until_the_decision_is_taken_out() {
    assert!((apparent_ratio(3.0, 1.0) - 0.1).abs() < 1e-12, "1/(1 + 9) by hand");
    for strength in [0.0, 1.0, 3.0] {
        let (before, after) = ratios(strength, 1.0, 5);
        let formula = 1.0 / (1.0 + strength * strength);
        assert!((before / formula - 1.0).abs() < 0.1, "{before}, by the formula {formula}");
        assert!((after - 1.0).abs() < 0.05, "{after}");
    }
    let (before, after) = ratios(3.0, 0.3, 6);
    assert!(before < 0.02 && (after - 0.09).abs() < 0.03, "{before}, {after}");
}

#[test]
fn regression_finds_the_axis_of_the_choice_where_decisions_vary() {
    let all = conditions(&[-1.0, -0.5, 0.5, 1.0]);
    let generator = Generator {
        units: 100,
        trials: 40,
        strength: 2.0,
        gate: 1.0,
        noise: 0.1,
        decision_noise: 0.5,
        decision: Decision::Shared,
    };
    let trials = generator.draw(&all, 3).unwrap();
    let of =
        |f: &dyn Fn(usize) -> f64| -> Vec<f64> { trials.condition.iter().map(|&c| f(c)).collect() };
    let (first, second) = (of(&|c| all[c].features[0]), of(&|c| all[c].features[1]));
    let context = of(&|c| all[c].context as f64);
    let regressors = [
        ("choice", &trials.choice[..]),
        ("first", &first),
        ("second", &second),
        ("context", &context),
    ];
    let found = axes(&trials.responses, &regressors).unwrap();
    let along = found.orthonormal.column(0).dot(&trials.readout.column(0));
    assert!(along > 0.98, "{along}");
    let left = without(&trials.responses, &found.orthonormal.columns(0, 1).into_owned()).unwrap();
    assert!((&left * found.orthonormal.column(0)).amax() < 1e-9);
}

#[test]
fn three_mechanisms_are_told_apart_and_add_up() {
    let v = |x: [f64; 3]| Vector::from_column_slice(&x);
    let line = v([1.0, 0.0, 0.0]);
    let s = v([1.0, 0.5, 0.0]);
    // The input changes along the line alone; across it alone; only what is read of it changes.
    let direct = mixture([&s, &s], [&v([1.0, 0.2, 0.0]), &v([0.0, 0.2, 0.0])], &line);
    assert_eq!(direct.shares(), [1.0, 0.0, 0.0]);
    let indirect = mixture([&s, &s], [&v([0.1, 1.0, 0.3]), &v([0.1, 0.0, 0.0])], &line);
    assert_eq!(indirect.shares(), [0.0, 1.0, 0.0]);
    let i = v([0.0, 0.4, 0.2]);
    let selection = mixture([&s, &v([1.0, 0.0, 0.0])], [&i, &i], &line);
    assert_eq!(selection.shares(), [0.0, 0.0, 1.0]);
    let mixed =
        mixture([&s, &v([1.0, -0.3, 0.1])], [&v([0.3, 0.4, 0.2]), &v([0.2, 0.1, 0.9])], &line);
    assert!((mixed.total() - (mixed.relevant - mixed.irrelevant)).abs() < 1e-15);
}

#[test]
fn smooth_draws_have_the_kernels_correlations() {
    let mut stream = seed::stream(4, "test");
    let x = process::draw(200_000, 3.0, &mut stream);
    let at = |lag: usize| summary::pearson(&x[lag..], &x[..x.len() - lag]);
    assert!((summary::deviation(&x) - 1.0).abs() < 0.02);
    for lag in [1, 3, 6] {
        let expected = (-0.5 * (lag as f64 / 3.0).powi(2)).exp();
        assert!((at(lag) - expected).abs() < 0.02, "lag {lag}: {}, by hand {expected}", at(lag));
    }
}

#[test]
fn planted_shares_of_variance_are_found_and_shuffled_groups_lose_theirs() {
    let (trials, steps) = (200, 20);
    let mut stream = seed::stream(9, "test");
    let trial: Vec<usize> = (0..trials * steps).map(|s| s / steps).collect();
    let choice: Vec<f64> = (0..trials).map(|_| if stream.random() { 1.0 } else { -1.0 }).collect();
    let states = Matrix::from_fn(trials * steps, 3, |_, _| stream.sample(StandardNormal));
    let moved = movements(&choice, steps, 9, "test");
    let made = record(&states, &moved, 60, Shares::default(), 9, "test").unwrap();
    let mut regressors = Regressors::default();
    let columns = |of: &Matrix| of.column_iter().map(|c| c.iter().copied().collect()).collect();
    regressors.group("task", columns(&states)).unwrap();
    regressors.group("movement", columns(&moved)).unwrap();
    let (found, full) = shares(&regressors, &made.activity, &trial, 10, 9).unwrap();
    assert!((full.explained - 0.6).abs() < 0.02, "{}", full.explained);
    for (share, planted) in found.iter().zip([0.2, 0.4]) {
        for measured in [share.alone, share.unique, share.part] {
            assert!((measured - planted).abs() < 0.02, "{share:?}");
        }
    }
}

#[test]
fn kernels_rise_for_a_leak_fall_for_a_bound_and_are_flat_without_both() {
    let (trials, steps) = (2000, 24);
    let mut stream = seed::stream(2, "test");
    let evidence = Matrix::from_fn(trials, steps, |_, _| stream.sample(StandardNormal));
    let run = |leak: f64, bound: f64| -> f64 {
        let right: Vec<bool> = (0..trials)
            .map(|i| {
                let mut v = 0.0_f64;
                for e in evidence.row(i).iter() {
                    if v.abs() < bound {
                        v = leak * v + e;
                    }
                }
                v > 0.0
            })
            .collect();
        Kernel::fit(&evidence, &right, 5).unwrap().recency()
    };
    let (leaky, perfect, bounded) = (run(0.875, 1e9), run(1.0, 1e9), run(1.0, 3.0));
    assert!(leaky > 0.25 && perfect.abs() < 0.25 && bounded < -0.25, "{leaky} {perfect} {bounded}");
}

#[test]
fn lags_stay_within_their_trial() {
    let found = lagged(&[1.0, 2.0, 3.0, 4.0], &[0, 0, 1, 1], 1);
    assert_eq!(found[0], [2.0, 0.0, 4.0, 0.0]);
    assert_eq!(found[1], [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(found[2], [0.0, 1.0, 0.0, 3.0]);
}

#[test]
fn designs_that_have_no_solution_are_refused_with_the_reason() {
    let says = |e: crate::Result<Design>, part: &str| {
        let e = e.expect_err("it has no solution").to_string();
        assert!(e.contains(part), "{e}");
    };
    let (a, b) = ([1.0, 2.0, 3.0, 4.0, 6.0], [2.0, 4.0, 6.0, 8.0, 12.0]);
    says(
        Design::new([("a", &a[..]), ("same", &[0.1; 5][..])]),
        "regressor `same`: it does not vary",
    );
    says(Design::new([("a", &a[..]), ("b", &b[..])]), "weighted sum");
    says(Design::new([("a", &a[..2])]), "2 rows for 1 regressors");
    says(Design::new([("a", &[1.0, 2.0, f64::NAN, 1.0][..])]), "not finite");
    let one = Matrix::from_element(1, 3, 1.0);
    assert!(euclidean(&one).unwrap_err().to_string().contains("1 conditions make no pair"));
    assert!(cross_validated(&[Matrix::zeros(3, 2)]).unwrap_err().to_string().contains("1 folds"));
    let single = conditions(&[1.0]);
    let still = euclidean(&Matrix::from_fn(2, 3, |i, j| (i * j) as f64)).unwrap();
    let e = compression(&still, &single, None).unwrap_err().to_string();
    assert!(e.contains("does not vary"), "{e}");
    assert!(orthonormal(&Matrix::from_element(4, 2, 1.0)).is_err(), "the same axis twice");
    let mut regressors = Regressors::default();
    let e = regressors.group("task", vec![vec![1.0; 9]]).unwrap_err().to_string();
    assert!(e.contains("task, regressor 1") && e.contains("does not vary"), "{e}");
    let columns: Vec<Vec<f64>> =
        (0..8).map(|k| (0..9).map(|i| ((i * i + i * k + k) % 7) as f64).collect()).collect();
    regressors.group("task", columns).unwrap();
    let z = Matrix::from_fn(9, 2, |i, j| (i + j) as f64);
    let e = held_out(&regressors, &z, &(0..9).collect::<Vec<_>>(), 3).unwrap_err().to_string();
    assert!(e.contains("9 samples in 3 folds for 8 regressors"), "{e}");
    let evidence = Matrix::from_fn(10, 2, |i, j| (i + j) as f64 - 5.0);
    let e = Kernel::fit(&evidence, &[true; 10], 2).unwrap_err().to_string();
    assert!(e.contains("10 of 10 choices are right"), "{e}");
}
