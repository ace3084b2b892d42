use crate::maps::{Ring, circulant, states, tanh, views};
use accrue_dynamics::cycles::{Iterated, Orbit, classify, ends, of_period};
use accrue_dynamics::{Cycles, Dynamics, Finder, check_jacobian};
use accrue_numerics::linalg::{Matrix, Vector};
use std::f64::consts::PI;
use std::sync::atomic::{AtomicUsize, Ordering};

const STARTS: [[f64; 2]; 4] = [[0.7, 0.2], [-1.4, 0.3], [0.1, -0.9], [1.0, 1.0]];

#[test]
fn the_jacobian_of_many_steps_is_that_of_the_map_taken_so_often() {
    let map = circulant(4);
    for h in states(&map, 5, 1) {
        let three = Iterated::new(&map, 3);
        assert!(check_jacobian(&three, &h).unwrap() < 1e-8);
        let steps = map.step(map.step(map.step(&h).as_slice()).as_slice());
        assert_eq!(three.step(&h), steps);
    }
}

#[test]
fn a_ring_that_locks_to_five_steps_has_the_cycle_and_multipliers_found_by_hand() {
    // Where sin 5φ = 0: at cos 5φ = 1 the step's slope along the ring is 1 + 5 lock < 1, at −1 it is above.
    let map = Ring { a: 0.25, turn: 2.0 * PI / 5.0, lock: -0.02, k: 5.0 };
    for h in STARTS {
        assert!(check_jacobian(&map, &h).unwrap() < 1e-8);
    }
    let (across, stable, unstable) = (0.6_f64.powi(5), 0.9_f64.powi(5), 1.1_f64.powi(5));
    let found = ends(&map, &views(&STARTS.map(|h| h.to_vec())), &Cycles::default(), 1).unwrap();
    assert_eq!((found.cycles.len(), found.circles.len()), (1, 0), "{:?}", found.orbits);
    let cycle = &found.cycles[0];
    assert_eq!(cycle.period(), 5);
    assert!(cycle.is_stable());
    for (found, truth) in cycle.multipliers.iter().zip([stable, across]) {
        assert!((found - truth).norm() < 1e-9, "{:?}", cycle.multipliers);
    }
    for state in &cycle.states {
        assert!((state[0].hypot(state[1]) - 1.0).abs() < 1e-9);
        assert!((5.0 * state[1].atan2(state[0])).sin().abs() < 1e-8);
    }
    assert!(cycle.distance(&[0.0, 0.0]) > 0.99);
    // The repelling one lies between; only a search for the period finds it.
    let finder = Finder { tolerances: vec![1e-24], ..Finder::default() };
    let starts: Vec<Vec<f64>> =
        (0..40).map(|k| vec![(0.1 * k as f64).cos(), (0.1 * k as f64).sin()]).collect();
    let mut both = of_period(&map, 5, &views(&starts), &finder).unwrap();
    both.sort_by(|a, b| a.multipliers[0].norm().total_cmp(&b.multipliers[0].norm()));
    assert_eq!(both.len(), 2, "{both:?}");
    assert!((both[1].multipliers[0] - unstable).norm() < 1e-9 && !both[1].is_stable());
    assert!((both[1].multipliers[1] - across).norm() < 1e-9);
    // Fixed points and shorter periods are none of period 10, nor is anything of period 3.
    assert!(of_period(&map, 10, &views(&starts), &finder).unwrap().is_empty());
    assert!(of_period(&map, 3, &views(&starts), &finder).unwrap().is_empty());
    assert!(of_period(&map, 0, &views(&starts), &finder).is_err());
}

#[test]
fn a_ring_that_turns_by_an_irrational_angle_is_a_circle_with_that_rotation() {
    for turn in [PI * (5.0_f64.sqrt() - 1.0), 0.1 * 2.0_f64.sqrt(), -2.0] {
        let map = Ring { a: 0.25, turn, lock: 0.0, k: 1.0 };
        let found = ends(&map, &views(&STARTS.map(|h| h.to_vec())), &Cycles::default(), 1).unwrap();
        assert_eq!((found.cycles.len(), found.circles.len()), (0, 1), "{turn}");
        let circle = &found.circles[0];
        let truth = ((turn + PI).rem_euclid(2.0 * PI) - PI).abs();
        assert!((circle.rotation - truth).abs() < 1e-3, "{} for {truth}", circle.rotation);
        assert!((circle.radii.0 - 1.0).abs() < 0.02 && (circle.radii.1 - 1.0).abs() < 0.02);
        // Along the ring nothing is stretched, across it everything shrinks by 0.6.
        assert!(circle.exponents[0].abs() < 1e-3, "{:?}", circle.exponents);
        assert!((circle.exponents[1] - 0.6_f64.ln()).abs() < 1e-3, "{:?}", circle.exponents);
    }
}

#[test]
fn orbits_that_rest_run_away_or_do_neither_are_told_apart() {
    let settings = Cycles::default();
    let still = tanh(&Matrix::from_element(1, 1, 2.0));
    let Orbit::Point(point) = classify(&still, &[0.3], &settings, 1).unwrap() else {
        panic!("tanh(2h) comes to rest");
    };
    assert!((point[0] - 0.957_504_024).abs() < 1e-8);
    // tanh(−2h) flips between ±0.9575, with multiplier (2(1 − h²))².
    let flips = tanh(&Matrix::from_element(1, 1, -2.0));
    let Orbit::Cycle(cycle) = classify(&flips, &[0.3], &settings, 1).unwrap() else {
        panic!("tanh(−2h) flips");
    };
    let slope = 2.0 * (1.0 - 0.957_504_024_f64.powi(2));
    assert_eq!(cycle.period(), 2);
    assert!((cycle.multipliers[0].re - slope * slope).abs() < 1e-8);
    /// `h' = r h (1 − h)`.
    struct Logistic(f64);
    impl Dynamics for Logistic {
        fn state_size(&self) -> usize {
            1
        }
        fn step(&self, h: &[f64]) -> accrue_numerics::linalg::Vector {
            accrue_numerics::linalg::Vector::from_element(1, self.0 * h[0] * (1.0 - h[0]))
        }
        fn jacobian(&self, h: &[f64]) -> Matrix {
            Matrix::from_element(1, 1, self.0 * (1.0 - 2.0 * h[0]))
        }
    }
    // At 4 it is chaotic with exponent ln 2, above it runs away, at 3.5 it has period 4.
    let Orbit::Irregular(exponents) = classify(&Logistic(4.0), &[0.3], &settings, 1).unwrap()
    else {
        panic!("the logistic map at 4 is chaotic");
    };
    assert!((exponents[0] - 2.0_f64.ln()).abs() < 0.05, "{exponents:?}");
    assert_eq!(classify(&Logistic(4.5), &[0.3], &settings, 1).unwrap(), Orbit::Diverged);
    let Orbit::Cycle(four) = classify(&Logistic(3.5), &[0.3], &settings, 1).unwrap() else {
        panic!("the logistic map at 3.5 has a cycle");
    };
    assert_eq!(four.period(), 4);
}

#[test]
fn every_setting_of_an_orbits_end_counts() {
    let locked = Ring { a: 0.25, turn: 2.0 * PI / 5.0, lock: -0.02, k: 5.0 };
    let turning = Ring { a: 0.25, turn: 2.0, lock: 0.0, k: 1.0 };
    let end = |map: &Ring, settings: Cycles| classify(map, &[0.7, 0.2], &settings, 1).unwrap();
    let few = end(&locked, Cycles { period: 4, ..Cycles::default() });
    assert!(!matches!(few, Orbit::Cycle(_)), "five steps are more than four: {few:?}");
    // After 20 steps it is 0.3 · 0.9²⁰ rad off, and returns to within 0.41 of that: 0.7 % of the ring.
    let unsettled = Cycles { settle: 20, close: 1e-3, ..Cycles::default() };
    assert!(!matches!(end(&locked, unsettled.clone()), Orbit::Cycle(_)));
    assert!(matches!(end(&locked, Cycles { settle: 2000, ..unsettled.clone() }), Orbit::Cycle(_)));
    assert!(matches!(end(&locked, Cycles { close: 0.05, ..unsettled }), Orbit::Cycle(_)));
    let Orbit::Circle(circle) = end(&turning, Cycles { window: 500, ..Cycles::default() }) else {
        panic!("the ring turns");
    };
    assert_eq!((circle.states.len(), circle.exponents.len()), (500, 2));
    // No exponent is nearer to 0 than that.
    let strict = end(&turning, Cycles { neutral: 1e-300, ..Cycles::default() });
    assert!(matches!(strict, Orbit::Irregular(_)), "{strict:?}");
    let map = circulant(4);
    for exponents in [2, 3] {
        let settings = Cycles { settle: 1, period: 1, exponents, ..Cycles::default() };
        let flip = tanh(&(-Matrix::identity(4, 4) * 2.0));
        let Orbit::Irregular(found) =
            classify(&flip, &states(&map, 1, 1)[0], &settings, 1).unwrap()
        else {
            panic!("a cycle of two steps has no period of one");
        };
        assert_eq!(found.len(), exponents);
    }
}

/// Counts how often its Jacobian is asked for.
struct Counted<'a>(&'a dyn Dynamics, AtomicUsize);

impl Dynamics for Counted<'_> {
    fn state_size(&self) -> usize {
        self.0.state_size()
    }
    fn step(&self, h: &[f64]) -> Vector {
        self.0.step(h)
    }
    fn jacobian(&self, h: &[f64]) -> Matrix {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.jacobian(h)
    }
}

#[test]
fn an_orbit_that_creeps_or_turns_slowly_is_not_tried_for_every_period() {
    // A turn of 1e-4 rad, and no lock: within 64 steps the orbit is within a hundredth of its extent of where it was.
    let ring = Ring { a: 0.25, turn: 1e-4, lock: 0.0, k: 1.0 };
    // The same with a point on the ring that attracts as slowly.
    let creeping = Ring { a: 0.25, turn: 1e-4, lock: -2e-4, k: 1.0 };
    for map in [&ring, &creeping] {
        let counted = Counted(map, AtomicUsize::new(0));
        let settings = Cycles { settle: 200, ..Cycles::default() };
        let found = classify(&counted, &STARTS[0], &settings, 1).unwrap();
        assert!(!matches!(found, Orbit::Cycle(_)), "{found:?}");
        // Exponents ask once a step; 63 periods of up to 64 steps in each of Newton's would ask thousands of times more.
        let asked = counted.1.into_inner();
        assert!(asked <= settings.window * 3 / 2 + 200, "{asked}");
    }
}
