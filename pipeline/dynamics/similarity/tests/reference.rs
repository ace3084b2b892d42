//! Numbers of NumPy and SciPy, from `tests/references/similarity.py`.

use super::*;
use crate::similarity::cca::chance;
use crate::similarity::cka::debiased_cka;
use crate::similarity::dsa::Embedding;
use crate::similarity::rotation::Settings;
use crate::similarity::statistics::{self, Correlation, mantel};
use crate::similarity::{
    DistanceMatrix, Operator, Trajectories, cca, cka, classical_mds, dsa, mds, procrustes,
    stress_mds,
};
use serde_json::Value;

const TEXT: &str = include_str!("../../../../tests/references/similarity.json");

fn reference() -> Value {
    serde_json::from_str(TEXT).expect("the reference is JSON")
}

fn number(of: &Value, name: &str) -> f64 {
    of[name].as_f64().unwrap_or_else(|| panic!("{name} is a number"))
}

fn numbers(of: &Value, name: &str) -> Vec<f64> {
    let list = of[name].as_array().unwrap_or_else(|| panic!("{name} is a list"));
    list.iter().map(|x| x.as_f64().expect("of numbers")).collect()
}

fn matrix(of: &Value, name: &str, rows: usize) -> Matrix {
    let values = numbers(of, name);
    Matrix::from_row_slice(rows, values.len() / rows, &values)
}

#[track_caller]
fn all_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{found:?}, expected {expected:?}");
    found.iter().zip(expected).for_each(|(f, e)| close(*f, *e, tolerance));
}

#[test]
fn measures_of_geometry_agree_with_numpy() {
    let of = reference();
    let (x, y) = (matrix(&of, "x", 30), matrix(&of, "y", 30));
    let found = cca(&basis(&x, Keep::All), &basis(&y, Keep::All)).unwrap();
    all_close(&found.correlations, &numbers(&of, "correlations"), 1e-10);
    let [kept_x, kept_y] = [&x, &y].map(|p| basis(p, Keep::Share(0.8)));
    let found = cca(&kept_x, &kept_y).unwrap();
    all_close(&found.correlations, &numbers(&of, "leading_correlations"), 1e-10);
    close(kept_x.explained(), number(&of, "leading_explained"), 1e-12);
    close(cka(&features(&x), &features(&y)).unwrap(), number(&of, "cka"), 1e-12);
    let found = debiased_cka(&features(&x), &features(&y)).unwrap();
    close(found, number(&of, "debiased_cka"), 1e-12);
    let found = procrustes(&shape(&x), &shape(&y)).unwrap();
    close(found.angular, number(&of, "angular"), 1e-10);
    close(found.euclidean, number(&of, "euclidean"), 1e-10);
}

#[test]
fn chance_agrees_with_a_simulation_in_numpy() {
    for case in reference()["chance"].as_array().unwrap() {
        let at = |i: usize| case[i].as_u64().unwrap() as usize;
        let expected = case[3].as_f64().unwrap();
        close(chance([at(0), at(1)], at(2)), expected, 0.02 * expected);
    }
}

fn law(name: &str, matrix: Matrix, input: Option<Matrix>) -> Operator {
    Operator {
        name: name.into(),
        rank: matrix.nrows(),
        matrix,
        input,
        explained: 1.0,
        predicted: 1.0,
        samples: 100,
        undetermined: 0,
    }
}

#[test]
fn the_best_rotation_is_the_one_that_scipy_finds() {
    let of = reference();
    let settings = Settings { starts: 20, ..Settings::default() };
    let [a, b] = ["a", "b"].map(|name| matrix(&of, name, 4));
    let [i, j] = ["i", "j"].map(|name| matrix(&of, name, 4));
    let plain = dsa(&law("a", a.clone(), None), &law("b", b.clone(), None), &settings).unwrap();
    close(plain.euclidean, number(&of, "rotated"), 1e-7);
    assert!(plain.rotation.converged, "{:?}", plain.rotation);
    let driven = dsa(&law("a", a, Some(i)), &law("b", b, Some(j)), &settings).unwrap();
    close(driven.euclidean, number(&of, "rotated_with_inputs"), 1e-7);
    assert!(driven.rotation.converged, "{:?}", driven.rotation);
}

#[test]
fn operators_are_those_of_the_authors_equations() {
    let of = reference();
    let trajectories = Trajectories::new("law", &numbers(&of, "trials"), [3, 25, 3]).unwrap();
    let rank = Keep::Components(4);
    let embedding = Embedding { delays: 3, rank, centre: false, ..Embedding::default() };
    let found = Operator::of(&trajectories, &embedding).unwrap();
    let magnitudes: Vec<f64> = found.matrix.transpose().iter().map(|x| x.abs()).collect();
    all_close(&magnitudes, &numbers(&of, "operator_magnitudes"), 1e-10);
    let traces: Vec<f64> = (1..=4).map(|k| found.matrix.pow(k).trace()).collect();
    all_close(&traces, &numbers(&of, "operator_traces"), 1e-10);
}

#[test]
fn maps_and_statistics_agree_with_scipy() {
    let of = reference();
    let [first, second] =
        ["first", "second"].map(|name| DistanceMatrix::new(8, numbers(&of, name)).unwrap());
    let found = classical_mds(&second, 2).unwrap();
    all_close(&found.eigenvalues, &numbers(&of, "eigenvalues"), 1e-10);
    let settings = mds::Settings { starts: 20, ..mds::Settings::default() };
    let found = stress_mds(&second, 2, &settings).unwrap();
    close(found.stress, number(&of, "stress"), 1e-6);
    for (correlation, name) in
        [(Correlation::Pearson, "mantel_pearson"), (Correlation::Rank, "mantel_rank")]
    {
        let found = mantel(&first, &second, correlation, 99, 1).unwrap();
        close(found.value, number(&of, name), 1e-12);
    }
    let labels = numbers(&of, "labels");
    let found = statistics::silhouette(&first, &labels, 20_000, 1).unwrap();
    close(found.value, number(&of, "silhouette"), 1e-12);
    // Three standard errors of a share from 20,000 draws.
    let expected = number(&of, "silhouette_p");
    close(found.p, expected, 3.0 * (expected * (1.0 - expected) / 20_000.0).sqrt() + 5e-5);
}
