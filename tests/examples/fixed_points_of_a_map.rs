//! Where does a map of one's own stand still, and what happens nearby?
//!
//!     cargo run --release --example fixed_points_of_a_map
//!
//! Four units that drive and inhibit each other round a circle. The map is three methods; two more bound its
//! second derivatives and its rounding errors, so that each fixed point found is proved.

use accrue::Result;
use accrue::dynamics::certificate::certify;
use accrue::dynamics::finder::{median_norm, search};
use accrue::dynamics::select::{Selection, select};
use accrue::dynamics::{Dynamics, Finder, RoundingErrors, SearchResult, Stop, check_jacobian};
use accrue::linalg::{Matrix, Vector, eigenvalues, time_constant};
use accrue::rounding::{FEW, INFLATE, LIBM, U, gamma};
use accrue::seed;
use rand::Rng;

/// `h' = tanh(W h)`.
struct Circle {
    w: Matrix,
}

impl Dynamics for Circle {
    fn state_size(&self) -> usize {
        self.w.nrows()
    }

    fn step(&self, h: &[f64]) -> Vector {
        (&self.w * Vector::from_column_slice(h)).map(f64::tanh)
    }

    fn jacobian(&self, h: &[f64]) -> Matrix {
        Matrix::from_diagonal(&self.step(h).map(|t| 1.0 - t * t)) * &self.w
    }

    /// `|tanh''| ≤ 4/(3√3) < 0.77`, twice through the weights.
    fn curvature(&self, _: &[f64], _: f64) -> Option<Vec<f64>> {
        Some(self.w.row_iter().map(|w| INFLATE * 0.77 * w.abs().sum().powi(2)).collect())
    }

    /// A sum errs by `γ_n` of its terms' sizes, `tanh` by some roundoffs, `1 − t²` by twice the error of `t`.
    fn rounding(&self, h: &[f64]) -> Option<RoundingErrors> {
        let sizes = self.w.abs() * Vector::from_column_slice(h).abs();
        let step = sizes.map(|s| INFLATE * (gamma(h.len() + 2) * s + LIBM * U));
        let rows = self.w.row_iter().zip(step.iter());
        let jacobian = rows.map(|(w, e)| INFLATE * (2.0 * e + FEW * U) * w.abs().sum()).collect();
        Some(RoundingErrors { step: step.as_slice().to_vec(), jacobian })
    }
}

fn main() -> Result<()> {
    // Each row of W is the one before it, turned by a place.
    let ramp = [-1.0, -1.0 / 3.0, 1.0 / 3.0, 1.0];
    let map = Circle { w: Matrix::from_fn(4, 4, |i, j| -ramp[(i + j) % 4]) };

    let mut stream = seed::stream(1, "example");
    let states: Vec<Vec<f64>> =
        (0..500).map(|_| (0..4).map(|_| stream.random_range(-1.0..1.0)).collect()).collect();
    println!("Jacobian against central differences: {:.0e}", check_jacobian(&map, &states[0])?);

    // Search from every state, as far as it leads, and keep each point once.
    let initial_states = || states.iter().map(Vec::as_slice);
    let finder = Finder { tolerances: vec![1e-20], max_distance: 10.0, ..Finder::default() };
    let mut found: Vec<SearchResult> = Vec::new();
    search(&map, initial_states(), median_norm(initial_states()), &finder, |result| {
        found.push(result);
        Ok(())
    })?;
    found.retain(|result| result.stop == Stop::Converged);
    let points: Vec<(&[f64], f64)> =
        found.iter().map(|r| (r.last.state.as_slice(), r.last.speed)).collect();
    let mut kept = select(&points, 1.0, &Selection { unique: 1e-4, outlier: 0.0 });
    kept.sort_by(|&a, &b| points[a].0.partial_cmp(points[b].0).expect("states are finite"));

    println!("{} of {} searches converged, to {} points\n", found.len(), states.len(), kept.len());
    println!("{:^35}  |λ₁|  τ, steps  proved within  attracts", "fixed point");
    for state in kept.into_iter().map(|i| points[i].0) {
        let slowest = eigenvalues(&map.jacobian(state))?[0];
        let proof = certify(&map, state)?;
        let numbers: Vec<String> = state.iter().map(|x| format!("{x:8.4}")).collect();
        println!(
            "{}  {:5.3}  {:8.2}  {:>13}  {}",
            numbers.join(" "),
            slowest.norm(),
            time_constant(slowest),
            proof.radius.map_or("no".into(), |r| format!("{r:.0e}")),
            match (proof.is_stable(), slowest.norm() < 1.0) {
                (true, _) => "yes, proved",
                (false, true) => "not proved",
                (false, false) => "no",
            },
        );
    }
    Ok(())
}
