use crate::maps::{Turning, circulant, tanh_map};
use accrue_dynamics::complete::count;
use accrue_dynamics::continuation::{Branch, BranchEnd, Crossing, follow};
use accrue_dynamics::cycles::{Orbit, classify};
use accrue_dynamics::{Census, Continuation, Cycles, Dynamics};
use accrue_numerics::linalg::Matrix;
use accrue_numerics::seed;
use rand::Rng;

/// `h' = tanh(g h + x)`, at `x`.
fn unit(gain: f64, x: f64) -> accrue_cells::Map {
    tanh_map(&Matrix::from_element(1, 1, gain), &[1.0], &[0.0], x)
}

fn crossings(branch: &Branch) -> Vec<Crossing> {
    branch.events.iter().map(|e| e.crossing).collect()
}

#[test]
fn a_bistable_unit_folds_where_its_slope_is_one_and_is_followed_round() {
    let gain = 2.0_f64;
    // 1 = g (1 − h²), x = artanh h − g h.
    let h = (1.0 - 1.0 / gain).sqrt();
    let fold = h.atanh() - gain * h;
    // From the lower stable point at x = −1 up: over the fold at −fold, back to the other, up again.
    let map = unit(gain, -1.0);
    let mut start = vec![-1.0];
    (0..200).for_each(|_| start = map.step(&start).as_slice().to_vec());
    let branch = follow(&map, &start, &[1.0], &Continuation::default()).unwrap();
    assert_eq!(branch.end, BranchEnd::Boundary);
    assert_eq!(crossings(&branch), [Crossing::Fold, Crossing::Fold]);
    // x = −1 + 2 λ.
    for (event, (x, state)) in branch.events.iter().zip([(-fold, -h), (fold, h)]) {
        let found = -1.0 + 2.0 * event.lambda;
        assert!((found - x).abs() < 1e-12, "{found} for {x}");
        assert!((event.state[0] - state).abs() < 1e-8, "{:?} for {state}", event.state);
        assert!((event.critical.re - 1.0).abs() < 1e-8);
    }
    let last = branch.points.last().unwrap();
    assert!((last.lambda - 1.0).abs() < 1e-12 && last.state[0] > 0.9, "{last:?}");
    // Stable, then the saddle between the folds, then stable; the index says the same.
    for point in &branch.points {
        let x = -1.0 + 2.0 * point.lambda;
        assert!((point.state[0] - (gain * point.state[0] + x).tanh()).abs() < 1e-12);
        let inner = point.state[0].abs() < h;
        assert_eq!(point.unstable, inner as usize, "{point:?}");
        assert_eq!(point.index, if inner { -1 } else { 1 }, "{point:?}");
    }
    assert!(branch.points.iter().any(|p| p.unstable == 1));
}

#[test]
fn a_unit_that_overshoots_doubles_its_period_where_its_slope_is_minus_one() {
    // h' = tanh(−g h + x): −1 = −g (1 − h²), x = artanh h + g h.
    let gain = 2.0_f64;
    let h = (1.0 - 1.0 / gain).sqrt();
    let x = h.atanh() + gain * h;
    let branch = follow(&unit(-gain, 0.0), &[0.0], &[4.0], &Continuation::default()).unwrap();
    assert_eq!(branch.end, BranchEnd::Boundary);
    assert_eq!(crossings(&branch), [Crossing::PeriodDoubling]);
    let event = &branch.events[0];
    assert!((4.0 * event.lambda - x).abs() < 1e-8, "{} for {x}", 4.0 * event.lambda);
    assert!((event.critical.re + 1.0).abs() < 1e-8, "{event:?}");
    // Before it the point is unstable without a change of index.
    for point in &branch.points {
        assert_eq!(point.unstable, (point.lambda < event.lambda) as usize);
        assert_eq!(point.index, 1);
    }
    // At g = 1 that is at x = 0 itself; with g below 1 nowhere.
    let none = follow(&unit(-0.9, 0.0), &[0.0], &[4.0], &Continuation::default()).unwrap();
    assert!(none.events.is_empty() && none.end == BranchEnd::Boundary);
}

#[test]
fn a_turning_map_meets_neimark_and_sacker_where_its_gain_is_one() {
    for angle in [0.3, 1.0, 2.5] {
        let map = Turning { angle, gain: [0.5] };
        assert!(accrue_dynamics::check_input_jacobian(&map, &[0.2, -0.4]).unwrap() < 1e-8);
        let branch = follow(&map, &[0.1, 0.1], &[1.7], &Continuation::default()).unwrap();
        assert_eq!(crossings(&branch), [Crossing::NeimarkSacker], "{angle}");
        let event = &branch.events[0];
        let gain = 0.5 + 1.2 * event.lambda;
        assert!((gain - 1.0).abs() < 1e-8, "{gain}");
        assert!((event.critical.arg() - angle).abs() < 1e-8, "{event:?}");
        assert_eq!(branch.points[0].unstable, 0);
        assert_eq!(branch.points.last().unwrap().unstable, 2);
        assert!(
            branch.points.iter().all(|p| p.index == 1 && p.state.iter().all(|x| x.abs() < 1e-9))
        );
    }
}

#[test]
fn the_circle_beyond_turns_by_about_the_angle_of_the_pair() {
    let map = Turning { angle: 1.0, gain: [1.02] };
    let orbit = classify(&map, &[0.05, 0.0], &Cycles::default(), 1).unwrap();
    let Orbit::Circle(circle) = orbit else { panic!("{orbit:?} is no circle") };
    assert!((circle.rotation - 1.0).abs() < 0.02, "{}", circle.rotation);
    // tanh z ≈ z − z³/3, which over a turn takes r³/4 from r: r² ≈ 4 (g − 1).
    let radius = (4.0 * 0.02_f64).sqrt();
    let (low, high) = circle.radii;
    assert!(low > 0.9 * radius && high < 1.1 * radius, "{:?} for {radius}", circle.radii);
}

/// Every fixed point of a random map at one end of the input's path, by proof.
fn census(map: &dyn Dynamics) -> Vec<Vec<f64>> {
    let counted = count(map, &[], &Census::default()).unwrap();
    assert!(counted.is_proved());
    counted.points.into_iter().map(|p| p.state).collect()
}

fn place(list: &[Vec<f64>], state: &[f64]) -> Option<usize> {
    list.iter().position(|p| p.iter().zip(state).all(|(a, b)| (a - b).abs() < 1e-7))
}

#[test]
fn curves_of_random_maps_begin_and_end_at_proved_points_and_lead_back() {
    let (mut across, mut round, mut others) = (0, 0, 0);
    for number in 0..150 {
        let mut stream = seed::stream(number, "flow/continuation");
        let w = Matrix::from_fn(2, 2, |_, _| stream.random_range(-3.0..3.0));
        let mut draw = || [0, 1].map(|_| stream.random_range(-1.0..1.0));
        let (a, b) = (draw(), draw());
        let map = tanh_map(&w, &a, &b, -1.0);
        let there = map.with_input(&[2.0]).unwrap();
        let (from, to) = (census(&map), census(&there));
        for (i, start) in from.iter().enumerate() {
            let branch = follow(&map, start, &[2.0], &Continuation::default()).unwrap();
            assert_eq!(branch.end, BranchEnd::Boundary, "map {number} from {start:?}");
            let last = branch.points.last().unwrap();
            let folds = branch.events.iter().filter(|e| e.crossing == Crossing::Fold).count();
            others += branch.events.len() - folds;
            // Each fold turns the index over, and the way.
            let turned = if folds % 2 == 1 { -1 } else { 1 };
            assert_eq!(last.index, turned * branch.points[0].index, "map {number}: {folds} folds");
            if last.lambda > 0.5 {
                assert_eq!(turned, 1, "map {number}: {folds} folds on the way across");
                let end = place(&to, &last.state).expect("the end is a proved point");
                let back = follow(&there, &to[end], &[-1.0], &Continuation::default()).unwrap();
                let last = back.points.last().unwrap();
                assert_eq!(place(&from, &last.state), Some(i), "map {number} from {start:?}");
                across += 1;
            } else {
                assert_eq!(turned, -1, "map {number}: {folds} folds on the way round");
                let end = place(&from, &last.state).expect("the end is a proved point");
                assert_ne!(end, i, "map {number}: a curve does not end where it began");
                round += 1;
            }
        }
    }
    assert!(across >= 150, "each map has a curve across: {across}");
    assert!(round >= 20 && round % 2 == 0, "curves that fold back come twice: {round}");
    assert!(others > 20, "period doublings and Neimark–Sacker points: {others}");
}

#[test]
fn a_pitchfork_is_a_branching_and_every_end_is_told() {
    /// `h' = tanh(g h)`, whose input is `g`.
    struct Gain([f64; 1]);
    impl Dynamics for Gain {
        fn state_size(&self) -> usize {
            1
        }
        fn step(&self, h: &[f64]) -> accrue_numerics::linalg::Vector {
            accrue_numerics::linalg::Vector::from_element(1, (self.0[0] * h[0]).tanh())
        }
        fn jacobian(&self, h: &[f64]) -> Matrix {
            Matrix::from_element(1, 1, self.0[0] * (1.0 - self.step(h)[0].powi(2)))
        }
        fn input(&self) -> &[f64] {
            &self.0
        }
        fn input_jacobian(&self, h: &[f64]) -> Matrix {
            Matrix::from_element(1, 1, h[0] * (1.0 - self.step(h)[0].powi(2)))
        }
        fn with_input(&self, x: &[f64]) -> accrue_numerics::Result<Box<dyn Dynamics + '_>> {
            Ok(Box::new(Gain([x[0]])))
        }
    }
    let settings = Continuation::default();
    let branch = follow(&Gain([0.5]), &[0.0], &[1.55], &settings).unwrap();
    assert_eq!(crossings(&branch), [Crossing::Branching]);
    assert!((0.5 + 1.05 * branch.events[0].lambda - 1.0).abs() < 1e-8);
    // Beyond the ends, and the other way.
    let wide = Continuation { interval: (-1.0, 3.0), ..settings.clone() };
    let onward = follow(&unit(0.5, 0.0), &[0.0], &[1.0], &wide).unwrap();
    assert!((onward.points.last().unwrap().lambda - 3.0).abs() < 1e-12);
    let wide = Continuation { backward: true, ..wide };
    let back = follow(&unit(0.5, 0.0), &[0.0], &[1.0], &wide).unwrap();
    assert!((back.points.last().unwrap().lambda + 1.0).abs() < 1e-12);
    let few = Continuation { steps: 3, ..settings.clone() };
    assert_eq!(follow(&unit(0.5, 0.0), &[0.0], &[1.0], &few).unwrap().end, BranchEnd::OutOfSteps);
    // Nothing rests at the state given.
    let nowhere = follow(&Shift([1.0]), &[0.0], &[2.0], &settings).unwrap();
    assert_eq!((nowhere.end, nowhere.points.len()), (BranchEnd::NoStart, 0));
    let outside = Continuation { interval: (0.5, 1.0), ..settings.clone() };
    assert!(follow(&unit(0.5, 0.0), &[0.0], &[1.0], &outside).is_err());
    assert!(follow(&unit(0.5, 0.0), &[0.0], &[1.0, 2.0], &settings).is_err());
    // Four units, an input that does not enter: the point stays where it is.
    let still = follow(&circulant(4), &[0.0; 4], &[1.0], &settings).unwrap();
    assert!(still.events.is_empty() && still.end == BranchEnd::Boundary);
}

/// `h' = h + x`.
struct Shift([f64; 1]);

impl Dynamics for Shift {
    fn state_size(&self) -> usize {
        1
    }
    fn step(&self, h: &[f64]) -> accrue_numerics::linalg::Vector {
        accrue_numerics::linalg::Vector::from_element(1, h[0] + self.0[0])
    }
    fn jacobian(&self, _: &[f64]) -> Matrix {
        Matrix::from_element(1, 1, 1.0)
    }
    fn input(&self) -> &[f64] {
        &self.0
    }
    fn input_jacobian(&self, _: &[f64]) -> Matrix {
        Matrix::from_element(1, 1, 1.0)
    }
    fn with_input(&self, x: &[f64]) -> accrue_numerics::Result<Box<dyn Dynamics + '_>> {
        Ok(Box::new(Shift([x[0]])))
    }
}

#[test]
fn every_setting_of_a_curve_counts() {
    let map = unit(2.0, -1.0);
    let mut start = vec![-1.0];
    (0..200).for_each(|_| start = map.step(&start).as_slice().to_vec());
    let run = |settings: Continuation| follow(&map, &start, &[1.0], &settings).unwrap();
    let usual = run(Continuation::default());
    let points = |branch: &Branch| branch.points.len();
    assert!(points(&run(Continuation { step: 1e-5, ..Continuation::default() })) > points(&usual));
    let fine = Continuation { largest_step: 0.01, ..Continuation::default() };
    assert!(points(&run(fine)) > 2 * points(&usual));
    // Steps too long for the fold, and none shorter allowed.
    let long =
        Continuation { step: 2.0, largest_step: 2.0, least_step: 1.9, ..Continuation::default() };
    assert_eq!(run(long).end, BranchEnd::Lost);
    let coarse = run(Continuation { located: 1e-3, ..Continuation::default() });
    assert_eq!(crossings(&coarse), crossings(&usual));
    let far = |branch: &Branch| (branch.events[0].state[0].abs() - 0.5_f64.sqrt()).abs();
    assert!(far(&coarse) > far(&usual), "{} {}", far(&coarse), far(&usual));
}
