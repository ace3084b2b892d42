use crate::maps::{Ring, bits, circulant, finder, fixed_points, states, tanh, views};
use accrue_dynamics::deflation::{Deflated, search_on};
use accrue_dynamics::{Deflate, check_jacobian};
use accrue_numerics::linalg::Matrix;

#[test]
fn the_jacobian_of_a_deflated_map_is_that_of_its_step() {
    let map = circulant(4);
    let known = [vec![0.0; 4], vec![0.5, -0.1, 0.2, 0.9]];
    for length in [0.3, 2.0] {
        let deflated = Deflated::new(&map, &known, length).unwrap();
        for h in states(&map, 20, 1) {
            let error = check_jacobian(&deflated, &h).unwrap();
            assert!(error < 1e-7, "length {length} at {h:?}: {error}");
        }
    }
    assert!(Deflated::new(&map, &[vec![0.0; 3]], 1.0).is_err(), "a point of another size");
}

#[test]
fn from_one_start_the_other_two_roots_of_tanh_2h_are_found() {
    let map = tanh(&Matrix::from_element(1, 1, 2.0));
    let start = vec![0.4];
    let first = fixed_points(&map, std::slice::from_ref(&start));
    assert_eq!(first.len(), 1);
    let found = search_on(&map, &first, &[&start], &finder(), &Deflate::default()).unwrap();
    let mut all: Vec<f64> =
        first.iter().chain(found.points.iter().map(|p| &p.state)).map(|p| p[0]).collect();
    all.sort_by(f64::total_cmp);
    // h = tanh(2h): 0 and ±0.957504 (bisection by hand).
    assert_eq!(all.len(), 3, "{all:?}");
    for (found, truth) in all.iter().zip([-0.957_504_024, 0.0, 0.957_504_024]) {
        assert!((found - truth).abs() < 1e-9, "{found} is not {truth}");
    }
    assert!(found.exhausted);
}

#[test]
fn what_is_known_is_not_found_again_and_the_limit_on_points_ends_a_search() {
    let map = bits(2, 2.0);
    let starts = states(&map, 8, 2);
    let none = search_on(&map, &[], &views(&starts), &finder(), &Deflate::default()).unwrap();
    assert_eq!(none.points.len(), 9, "{:?}", none.points);
    let all: Vec<Vec<f64>> = none.points.iter().map(|p| p.state.clone()).collect();
    let more = search_on(&map, &all, &views(&starts), &finder(), &Deflate::default()).unwrap();
    assert!(more.points.is_empty() && more.exhausted, "{more:?}");
    let few = Deflate { points: 4, ..Deflate::default() };
    let few = search_on(&map, &[], &views(&starts), &finder(), &few).unwrap();
    assert!(few.points.len() == 4 && !few.exhausted);
    // A ring of fixed points has no last one.
    let ring = Ring { a: 0.5, turn: 0.0, lock: 0.0, k: 1.0 };
    let few = Deflate { points: 20, ..Deflate::default() };
    let starts = [vec![0.9, 0.1], vec![-0.5, 1.2]];
    let found = search_on(&ring, &[], &views(&starts), &finder(), &few).unwrap();
    assert!(found.points.len() > 2, "{}", found.points.len());
    // The middle is a fixed point too.
    for p in found.points.iter().filter(|p| p.state[0].hypot(p.state[1]) > 1e-6) {
        assert!((p.state[0].hypot(p.state[1]) - 1.0).abs() < 1e-6, "{p:?}");
    }
}
