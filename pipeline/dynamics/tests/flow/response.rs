use crate::maps::{random_cell, tanh_map};
use accrue_cells::CellKind;
use accrue_dynamics::Dynamics;
use accrue_dynamics::linearise::Linearisation;
use accrue_dynamics::response::Responses;
use accrue_numerics::linalg::Matrix;

/// At the origin of a tanh map `J = W`: modes of 0.9 and of 0.5 e^{±i}, and one of 0.1 that no readout sees.
fn planted() -> Matrix {
    let (s, c) = 1.0_f64.sin_cos();
    let blocks = Matrix::from_row_slice(
        4,
        4,
        &[
            0.9,
            0.0,
            0.0,
            0.0, //
            0.0,
            0.5 * c,
            -0.5 * s,
            0.0, //
            0.0,
            0.5 * s,
            0.5 * c,
            0.0, //
            0.0,
            0.0,
            0.0,
            0.1,
        ],
    );
    let mix =
        Matrix::from_fn(
            4,
            4,
            |i, j| if i == j { 1.0 } else { 0.3 / (1.0 + i as f64 + 2.0 * j as f64) },
        );
    &mix * blocks * mix.try_inverse().unwrap()
}

#[test]
fn a_response_needs_the_modes_that_input_and_readout_share() {
    let w = planted();
    let map = tanh_map(&w, &[1.0, -0.5, 0.7, 0.2], &[0.0; 4], 0.0);
    let near = Linearisation::at(&map, &[0.0; 4], None).unwrap();
    // Left vectors of the real modes: a readout along them sees those alone.
    let left = |a: usize| -> Vec<f64> { near.eigen.left.column(a).iter().map(|z| z.re).collect() };
    let slow = Responses::to_input(&map, &near, &left(0), 0, 30).unwrap();
    assert_eq!(slow.kept, [1, 3, 4], "a pair comes together");
    assert_eq!(slow.enough(1e-9), Some(1));
    let fast = Responses::to_input(&map, &near, &left(3), 0, 30).unwrap();
    assert_eq!(fast.enough(1e-9), Some(4));
    assert!(fast.errors()[1] > 0.99, "{:?}", fast.errors());
    let all = Responses::to_input(&map, &near, &[1.0, 1.0, 1.0, 1.0], 0, 30).unwrap();
    assert_eq!(all.enough(1e-9), Some(4));
    // Against the map itself, a small input at the first step: y(t) is its derivative.
    let delta = 1e-6;
    let pushed = Dynamics::with_input(&map, &[delta]).unwrap();
    let mut h = pushed.step(&[0.0; 4]);
    for y in &all.full {
        assert!((h.sum() / delta - y).abs() < 1e-5, "{} for {y}", h.sum() / delta);
        h = map.step(h.as_slice());
    }
    for (y, full) in all.responses[2].iter().zip(&all.full) {
        assert!((y - full).abs() < 1e-12);
    }
    assert!(Responses::to_input(&map, &near, &[1.0; 4], 1, 3).is_err());
    assert!(Responses::of(&near, &[1.0; 3], &[1.0; 4], 3).is_err());
}

#[test]
fn nearly_dependent_eigenvectors_are_not_taken_for_an_answer() {
    // A Jordan block: no modes add up to its response.
    let w = Matrix::from_row_slice(2, 2, &[0.5, 1.0, 0.0, 0.5]);
    let map = tanh_map(&w, &[0.0, 1.0], &[0.0; 2], 0.0);
    let near = Linearisation::at(&map, &[0.0; 2], None).unwrap();
    let found = Responses::to_input(&map, &near, &[1.0, 0.0], 0, 20).unwrap();
    assert_eq!(found.full[..3], [0.0, 1.0, 1.0], "t 0.5^(t−1)");
    assert_eq!(found.enough(1e-6), None, "{:?}", found.errors());
}

#[test]
fn every_cell_has_a_response_to_its_input() {
    for kind in CellKind::ALL {
        let map = random_cell(kind, 3, 0.4, 5);
        let point = vec![0.1; map.state_size()];
        let near = Linearisation::at(&map, &point, None).unwrap();
        let w = vec![1.0; map.state_size()];
        let found = Responses::to_input(&map, &near, &w, 0, 10).unwrap();
        assert_eq!(*found.kept.last().unwrap(), map.state_size());
        assert!(*found.errors().last().unwrap() < 1e-9, "{kind:?}: {:?}", found.errors());
    }
}
