use crate::maps::{Turning, circulant, tanh_map};
use accrue_dynamics::continuation::{Branch, BranchEnd, Crossing, follow};
use accrue_dynamics::{Continuation, Dynamics};
use accrue_numerics::linalg::Matrix;

/// `h' = tanh(g h + x)`, at `x`.
fn unit(gain: f64, x: f64) -> accrue_cells::Map {
    tanh_map(&Matrix::from_element(1, 1, gain), &[1.0], &[0.0], x)
}

fn crossings(branch: &Branch) -> Vec<Crossing> {
    branch.events.iter().map(|e| e.crossing).collect()
}

#[test]
fn a_bistable_unit_folds_where_its_slope_is_one_and_is_followed_round() {
    let gain = 2.0;
    // 1 = g (1 − h²), x = artanh h − g h.
    let h = (1.0 - 1.0 / gain as f64).sqrt();
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
    let gain = 2.0;
    let h = (1.0 - 1.0 / gain as f64).sqrt();
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
