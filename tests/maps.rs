//! Maps that no crate knows: everything in `dynamics` takes them.

use accrue::Result;
use accrue::dynamics::certificate::{Certificate, Unproved, certify};
use accrue::dynamics::explore::{Exploration, Explored, Start, explore, unseen};
use accrue::dynamics::finder::{median_norm, search};
use accrue::dynamics::impulse::Impulse;
use accrue::dynamics::linearise::Linearisation;
use accrue::dynamics::piecewise_linear::PiecewiseLinear;
use accrue::dynamics::select::{Selection, select};
use accrue::dynamics::{
    Dynamics, Explore, Finder, Map, RoundingErrors, SearchResult, Stop, adam, check_input_jacobian,
    check_jacobian, deflection, lyapunov, manifold, relaxation,
};
use accrue::linalg::{Matrix, Vector, eigenvalues};
use accrue::ops::{Cell, CellKind};
use accrue::rounding::{FEW, INFLATE, LIBM, U, gamma};
use accrue::seed;
use rand::Rng;

/// `h' = tanh(W h)`, with bounds: `tanh'' ≤ 4/(3√3)`.
struct Tanh {
    w: Matrix,
}

impl Tanh {
    /// `W[i, :] = −roll(linspace(−1, 1, n), −i)`.
    fn circulant(n: usize) -> Self {
        let ramp = |k: usize| -1.0 + 2.0 * k as f64 / (n - 1) as f64;
        Self { w: Matrix::from_fn(n, n, |i, j| -ramp((i + j) % n)) }
    }

    fn row_sums(&self) -> Vec<f64> {
        self.w.row_iter().map(|w| INFLATE * w.iter().map(|x| x.abs()).sum::<f64>()).collect()
    }
}

impl Dynamics for Tanh {
    fn state_size(&self) -> usize {
        self.w.nrows()
    }

    fn step(&self, h: &[f64]) -> Vector {
        (&self.w * Vector::from_column_slice(h)).map(f64::tanh)
    }

    fn jacobian(&self, h: &[f64]) -> Matrix {
        Matrix::from_diagonal(&self.step(h).map(|t| 1.0 - t * t)) * &self.w
    }

    fn curvature(&self, _: &[f64], _: f64) -> Option<Vec<f64>> {
        let bound = 4.0 / (3.0 * 3.0_f64.sqrt());
        Some(self.row_sums().iter().map(|r| INFLATE * bound * r * r).collect())
    }

    fn rounding(&self, h: &[f64]) -> Option<RoundingErrors> {
        let sizes = self.w.abs() * Vector::from_column_slice(h).abs();
        let step: Vec<f64> =
            sizes.iter().map(|s| INFLATE * (gamma(h.len() + 2) * s + LIBM * U)).collect();
        let rows = step.iter().zip(self.row_sums());
        let jacobian = rows.map(|(e, r)| INFLATE * (2.0 * e + FEW * U) * r).collect();
        Some(RoundingErrors { step, jacobian })
    }
}

/// The same without bounds: three methods.
struct Unbounded(Tanh);

impl Dynamics for Unbounded {
    fn state_size(&self) -> usize {
        self.0.state_size()
    }

    fn step(&self, h: &[f64]) -> Vector {
        self.0.step(h)
    }

    fn jacobian(&self, h: &[f64]) -> Matrix {
        self.0.jacobian(h)
    }
}

fn states(count: usize, size: usize) -> Vec<Vec<f64>> {
    let mut stream = seed::stream(size as u64, "tests/maps");
    (0..count).map(|_| (0..size).map(|_| stream.random_range(-1.0..1.0)).collect()).collect()
}

/// Fixed points that are reached from anywhere, each once.
fn fixed_points(map: &dyn Dynamics) -> Vec<Vec<f64>> {
    let initial_states = states(800, map.state_size());
    let views = || initial_states.iter().map(Vec::as_slice);
    let finder = Finder { tolerances: vec![1e-20], max_distance: 10.0, ..Finder::default() };
    let mut found: Vec<SearchResult> = Vec::new();
    search(map, views(), median_norm(views()), &finder, |result| {
        found.push(result);
        Ok(())
    })
    .unwrap();
    found.retain(|r| r.stop == Stop::Converged);
    let points: Vec<(&[f64], f64)> =
        found.iter().map(|r| (r.last.state.as_slice(), r.last.speed)).collect();
    let selection = Selection { unique: 1e-4, outlier: 0.0 };
    select(&points, 1.0, &selection).into_iter().map(|i| points[i].0.to_vec()).collect()
}

#[test]
fn circulant_maps_have_three_three_and_nine_fixed_points_all_proved() {
    for (n, count, stable) in [(2, 3, 2), (3, 3, 0), (4, 9, 2)] {
        let map = Tanh::circulant(n);
        for h in states(20, n) {
            let error = check_jacobian(&map, &h).unwrap();
            assert!(error < 1e-8, "{n} units: {error}");
        }
        let points = fixed_points(&map);
        assert_eq!(points.len(), count, "{n} units");
        assert_eq!(fixed_points(&Unbounded(Tanh::circulant(n))), points, "bounds change no search");
        let mut attracting = 0;
        for point in &points {
            let spectrum = eigenvalues(&map.jacobian(point)).unwrap();
            let near = Linearisation::at(&map, point, None).unwrap();
            assert_eq!(near.eigen.values, spectrum);
            assert!(near.residual.norm() < 1e-9);
            let proof = certify(&map, point).unwrap();
            assert!(proof.exists() && proof.radius.unwrap() < 1e-6, "{n} units: {proof:?}");
            assert_eq!(proof.is_stable(), spectrum[0].norm() < 1.0, "{n} units at {point:?}");
            // W is odd, and so is tanh: each point has its mirror image.
            let mirrored =
                points.iter().any(|p| p.iter().zip(point).all(|(a, b)| (a + b).abs() < 1e-6));
            assert!(mirrored, "{n} units: {point:?} alone");
            attracting += proof.is_stable() as usize;
        }
        assert_eq!(attracting, stable, "{n} units");
    }
}

#[test]
fn lyapunov_exponents_of_a_map_at_rest_are_the_moduli_of_its_eigenvalues() {
    for n in [2, 3, 4] {
        let map = Tanh::circulant(n);
        for point in fixed_points(&map) {
            let moduli: Vec<f64> =
                eigenvalues(&map.jacobian(&point)).unwrap().iter().map(|l| l.norm()).collect();
            // Where it repels, rounding leads away in the end: few steps there.
            let steps = if moduli[0] < 1.0 { 2000 } else { 24 };
            let found =
                lyapunov::exponents(&[steps, 2, steps], |_, _| Ok(&map), &point, 1, 5).unwrap();
            assert_eq!(found.len(), 2, "two steps are too few");
            let tolerance = if moduli[0] < 1.0 { 1e-3 } else { 0.1 };
            for exponents in found {
                let off = (exponents[0] - moduli[0].ln()).abs();
                assert!(off < tolerance, "{n} units at {point:?}: {exponents:?}, {moduli:?}");
            }
        }
    }
}

#[test]
fn everything_else_takes_a_map_of_three_methods() {
    let map = Unbounded(Tanh::circulant(4));
    let initial_states = states(12, 4);
    let views: Vec<&[f64]> = initial_states.iter().map(Vec::as_slice).collect();
    for r in adam::search(&map, &views, &adam::Adam { steps: 50, ..adam::Adam::default() }) {
        assert!(r.last.speed < map.speed(&initial_states[r.initial_state]), "it goes down");
    }
    let pieces = PiecewiseLinear::of(&map, &views).unwrap();
    assert!((pieces.step(3, views[3], &[]) - map.step(views[3])).norm() < 1e-15);
    let field = deflection::field(&map, &views);
    assert_eq!(field[2], map.step(views[2]) - Vector::from_column_slice(views[2]));
    assert_eq!(relaxation::speeds(&map, views[0], 9).len(), 9);
    assert!(manifold::project(&map, views[0], 4, 20).unwrap().distance_from_init < 1e-9);
    let near = Linearisation::at(&map, &[0.0; 4], None).unwrap();
    let without = Impulse::of(&map, &near, &[1.0; 4], &[1.0], 3).unwrap_err();
    assert!(without.to_string().contains("no input"), "{without}");
}

#[test]
fn a_map_without_bounds_gets_no_proof_and_its_certificate_says_so() {
    let map = Unbounded(Tanh::circulant(4));
    for point in fixed_points(&map) {
        let certificate = certify(&map, &point).unwrap();
        assert!(!certificate.exists() && !certificate.is_stable());
        assert_eq!(certificate.unproved, Some(Unproved::NoRoundingBounds));
    }
}

/// What an author may get wrong.
struct Wrong {
    jacobian: fn(&Tanh, &[f64]) -> Matrix,
    step_error: f64,
}

impl Dynamics for Wrong {
    fn state_size(&self) -> usize {
        3
    }

    fn step(&self, h: &[f64]) -> Vector {
        Tanh::circulant(3).step(h)
    }

    fn jacobian(&self, h: &[f64]) -> Matrix {
        (self.jacobian)(&Tanh::circulant(3), h)
    }

    fn curvature(&self, h: &[f64], radius: f64) -> Option<Vec<f64>> {
        Tanh::circulant(3).curvature(h, radius)
    }

    fn rounding(&self, h: &[f64]) -> Option<RoundingErrors> {
        let right = Tanh::circulant(3).rounding(h)?;
        Some(RoundingErrors { step: vec![self.step_error; 3], ..right })
    }
}

#[test]
fn a_wrong_jacobian_is_told() {
    let h = [0.2, -0.4, 0.7];
    let error = |jacobian| check_jacobian(&Wrong { jacobian, step_error: 0.0 }, &h);
    assert!(error(|map, h| map.jacobian(h)).unwrap() < 1e-8);
    assert!(error(|map, h| map.jacobian(h).transpose()).unwrap() > 1e-2);
    assert!(error(|map, _| map.w.clone()).unwrap() > 1e-2, "the slope of tanh forgotten");
    let one_entry = |map: &Tanh, h: &[f64]| {
        let mut j = map.jacobian(h);
        j[(1, 2)] *= 1.001;
        j
    };
    assert!(error(one_entry).unwrap() > 1e-5);
    assert!(error(|map, h| map.jacobian(h) * f64::NAN).unwrap().is_nan());
    let misshapen = error(|_, _| Matrix::zeros(3, 2)).unwrap_err().to_string();
    assert!(misshapen.contains("columns of the Jacobian"), "{misshapen}");
    // A search says so too, instead of a panic.
    let map = Wrong { jacobian: |_, _| Matrix::zeros(2, 3), step_error: 0.0 };
    assert!(search(&map, [&h[..]], 1.0, &Finder::default(), |_| Ok(())).is_err());
    assert!(check_jacobian(&map, &[0.0; 2]).is_err(), "a state of the wrong size");
}

#[test]
fn bounds_that_are_none_prove_nothing() {
    let point = fixed_points(&Tanh::circulant(3)).remove(0);
    for step_error in [f64::NAN, -1.0, f64::INFINITY] {
        let map = Wrong { jacobian: |map, h| map.jacobian(h), step_error };
        assert!(!certify(&map, &point).unwrap().exists(), "{step_error}");
    }
    let map = Wrong { jacobian: |map, h| map.jacobian(h), step_error: 1e-15 };
    assert!(certify(&map, &point).unwrap().exists());
}

#[test]
fn a_cell_is_a_map_behind_any_pointer_and_its_jacobians_are_right() -> Result<()> {
    for kind in CellKind::ALL {
        let (units, inputs) = (5, 3);
        let rows = kind.gates() * units;
        let mut stream = seed::stream(3, "tests/maps/cell");
        let mut draw = |n: usize| (0..n).map(|_| stream.random_range(-0.6..0.6)).collect();
        let cell = Cell {
            kind,
            units,
            inputs,
            input_weights: draw(rows * inputs),
            recurrent_weights: draw(rows * units),
            input_bias: draw(rows),
            recurrent_bias: draw(rows),
        };
        let map = Map::new(&cell, &[0.1, -0.5, 0.3])?;
        let boxed: Box<dyn Dynamics + '_> = Dynamics::with_input(&map, &[0.1, -0.5, 0.3])?;
        for h in states(4, map.state_size()) {
            assert!(check_jacobian(&map, &h)? < 1e-8, "{kind:?}");
            assert!(check_input_jacobian(&boxed, &h)? < 1e-8, "{kind:?}");
            assert_eq!(boxed.step(&h), map.step(&h));
            assert_eq!(boxed.jacobian(&h), map.jacobian(&h));
        }
    }
    Ok(())
}

/// Fixed points by hand, each once, and their proofs.
fn proved(map: &dyn Dynamics) -> Vec<(Vec<f64>, Certificate)> {
    let points = fixed_points(map).into_iter();
    points.map(|p| (p.clone(), certify(map, &p).unwrap())).collect()
}

#[test]
fn unstable_modes_are_counted_by_proof_and_indices_of_all_fixed_points_add_up_to_one() {
    let mut maps: Vec<Tanh> = [2, 3, 4].map(Tanh::circulant).into();
    let mut stream = seed::stream(7, "tests/maps/indices");
    for n in [1, 2, 2, 2, 3, 3, 3] {
        // Strong enough for several fixed points.
        maps.push(Tanh { w: Matrix::from_fn(n, n, |_, _| stream.random_range(-2.5..2.5)) });
    }
    let mut several = 0;
    for map in maps {
        let points = proved(&map);
        several += (points.len() > 1) as usize;
        for (point, proof) in &points {
            let jacobian = map.jacobian(point);
            let outside = eigenvalues(&jacobian).unwrap().iter().filter(|l| l.norm() > 1.0).count();
            assert_eq!(proof.unstable_modes, Some(outside), "{} at {point:?}: {proof:?}", map.w);
            assert_eq!(proof.is_unstable(), outside > 0);
            let n = point.len();
            let sign = (Matrix::identity(n, n) - jacobian).determinant().signum();
            assert_eq!(proof.index.map(f64::from), Some(sign));
        }
        let sum: i32 = points.iter().map(|(_, proof)| proof.index.unwrap() as i32).sum();
        assert_eq!(sum, 1, "{}: {points:?}", map.w);
    }
    assert!(several >= 5, "{several} maps with more than one fixed point");
}

#[test]
fn saddles_and_far_attractors_are_found_from_states_in_one_basin() {
    let map = Tanh::circulant(4);
    let all = fixed_points(&map);
    let stable: Vec<&Vec<f64>> =
        all.iter().filter(|p| certify(&map, p).unwrap().is_stable()).collect();
    // Visited: two states on the way to one attractor each.
    let near: Vec<Vec<f64>> = stable.iter().map(|p| p.iter().map(|x| 0.9 * x).collect()).collect();
    let visited: Vec<&[f64]> = near.iter().map(Vec::as_slice).collect();
    let finder = Finder { tolerances: vec![1e-20], ..Finder::default() };
    let found = explore(&map, &visited, &[], &Explore::default(), &finder, 1).unwrap();
    let is_at = |e: &Explored, p: &[f64]| {
        e.result.last.state.iter().zip(p).all(|(a, b)| (a - b).abs() < 1e-6)
    };
    for point in &all {
        assert!(found.searches.iter().any(|e| is_at(e, point)), "{point:?} was not found");
    }
    let mut ran = 0;
    for e in found.searches.iter().filter(|e| e.start == Start::Running) {
        let own = stable[e.visited.unwrap()];
        assert!(is_at(e, own), "running leads to the attractor of its basin: {e:?}");
        ran += 1;
    }
    assert_eq!(ran, 2);
    let again = explore(&map, &visited, &[], &Explore::default(), &finder, 1).unwrap();
    let ends = |found: &Exploration| -> Vec<Vec<f64>> {
        found.searches.iter().map(|e| e.result.last.state.clone()).collect()
    };
    assert_eq!(ends(&found), ends(&again), "same seed, same bits");
    let only = explore(&map, &visited, &[vec![0.1; 4]], &Explore::none(), &finder, 1).unwrap();
    assert_eq!(only.searches.len(), 1);
    assert_eq!(only.searches[0].start, Start::Given);
}

/// `h' = 2 h`: one fixed point, and everything else runs away.
struct Doubling;

impl Dynamics for Doubling {
    fn state_size(&self) -> usize {
        1
    }

    fn step(&self, h: &[f64]) -> Vector {
        Vector::from_element(1, 2.0 * h[0])
    }

    fn jacobian(&self, _: &[f64]) -> Matrix {
        Matrix::from_element(1, 1, 2.0)
    }
}

#[test]
fn a_state_that_runs_away_is_counted_and_ends_nothing() {
    let visited = [[1.0], [-3.0], [0.0]];
    let visited: Vec<&[f64]> = visited.iter().map(|s| s.as_slice()).collect();
    let settings = Explore { steps: 2000, uniform: 4, ..Explore::none() };
    let settings = Explore { running: 3, ..settings };
    let found = explore(&Doubling, &visited, &[], &settings, &Finder::default(), 1).unwrap();
    assert_eq!((found.diverged, found.searches.len()), (2, 5));
    assert!(found.searches.iter().all(|e| e.result.last.state[0].abs() < 1e-5));
}

#[test]
fn points_reached_once_say_how_many_are_missing() {
    assert_eq!(unseen(&[]), None);
    // Of five searches two came to points that no other came to.
    assert_eq!(unseen(&[0, 1, 1, 2, 1]), Some(0.4));
    assert_eq!(unseen(&[3, 3]), Some(0.0));
}
