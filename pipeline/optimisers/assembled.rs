//! An optimiser made by hand from the measured parts: are they enough (arXiv 2011.02159, section 5.6)?
//!
//! ```text
//! g̃ = C(g)    v ← β₁ v + g̃    m ← β₁ m + (1 − β₁) g    Δ_t = −α₁ (η_t/η_T) a(m) v
//! ```
//!
//! with `C` the update function at rest, scaled to slope 1 at 0, `η_t` the autonomous learning rates, and `a(m)` the
//! learning rate at the fixed point for constant gradient `m` as a share of that for 0. Each part can be left out.

use crate::problems::Problem;

/// A function by its values on rising arguments, constant beyond them.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Rising.
    pub x: Vec<f64>,
    /// Values.
    pub y: Vec<f64>,
}

impl Curve {
    /// Between the values on both sides, in a straight line.
    ///
    /// # Panics
    /// For a curve without values.
    pub fn at(&self, x: f64) -> f64 {
        let k = self.x.partition_point(|k| *k <= x);
        match k {
            0 => self.y[0],
            k if k == self.x.len() => self.y[k - 1],
            k => {
                let share = (x - self.x[k - 1]) / (self.x[k] - self.x[k - 1]);
                self.y[k - 1] + share * (self.y[k] - self.y[k - 1])
            }
        }
    }
}

/// The measured parts; those that are `None` play no part.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// `α₁`.
    pub alpha: f64,
    /// `β₁`.
    pub beta: f64,
    /// `η_t/η_T` of each step.
    pub schedule: Option<Vec<f64>>,
    /// `C(g)`.
    pub clipping: Option<Curve>,
    /// `a(m)`.
    pub adaptation: Option<Curve>,
}

impl Parts {
    /// The losses of a run, `[T]`; infinite once they are not finite.
    pub fn run(&self, problem: &dyn Problem<f32>, steps: usize) -> Vec<f64> {
        let (mut v, mut mean) = (vec![0.0; problem.parameters()], vec![0.0; problem.parameters()]);
        walk(problem, steps, |t, i, g| {
            let clipped = self.clipping.as_ref().map_or(g, |c| c.at(g));
            v[i] = self.beta * v[i] + clipped;
            mean[i] = self.beta * mean[i] + (1.0 - self.beta) * g;
            let scheduled = match &self.schedule {
                Some(all) => all[t.min(all.len() - 1)],
                None => 1.0,
            };
            let adapted = self.adaptation.as_ref().map_or(1.0, |a| a.at(mean[i]));
            -self.alpha * scheduled * adapted * v[i]
        })
    }
}

/// The losses of a linear optimiser, `Δ_t = c − Σ_s K_s g_{t−s}`.
///
/// * `kernel`: `K`, at least `steps` numbers; `drift`: `c`
pub fn linear(problem: &dyn Problem<f32>, steps: usize, kernel: &[f64], drift: f64) -> Vec<f64> {
    let mut met: Vec<Vec<f64>> = vec![Vec::with_capacity(steps); problem.parameters()];
    walk(problem, steps, |_, i, g| {
        met[i].push(g);
        let past = met[i].iter().rev().zip(kernel);
        drift - past.map(|(g, k)| g * k).sum::<f64>()
    })
}

/// A run in which `update` says how parameter `i` moves at step `t` with its gradient.
fn walk(
    problem: &dyn Problem<f32>,
    steps: usize,
    mut update: impl FnMut(usize, usize, f64) -> f64,
) -> Vec<f64> {
    let mut x = problem.start().to_vec();
    let mut g = vec![0.0_f32; x.len()];
    let mut losses = Vec::with_capacity(steps);
    for t in 0..steps {
        let loss = problem.evaluate(&x, &mut g);
        if !loss.is_finite() {
            losses.resize(steps, f64::INFINITY);
            break;
        }
        losses.push(f64::from(loss));
        for i in 0..x.len() {
            x[i] += update(t, i, f64::from(g[i])) as f32;
        }
    }
    losses
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adaptation::{arms, stand, standing_points};
    use crate::baseline::{Baseline, Method};
    use crate::clipping::{relative_slope, update_function};
    use crate::learned::Learned;
    use crate::linalg::Matrix;
    use crate::map::OptimiserMap;
    use crate::momentum::momentum;
    use crate::problems::{Data, Family, Task};
    use crate::schedule::schedule;
    use crate::unroll::{Prepared, run};
    use accrue_dynamics::geometry::Pca;

    // Powers of two that f32 holds.
    const ALPHA: f64 = 0.75;
    const BETA: f64 = 0.875;

    #[test]
    fn momentum_built_by_hand_is_measured_exactly() {
        let learned = Learned::momentum(ALPHA, BETA);
        let map = OptimiserMap::new(&learned, 0.0).unwrap();
        let (points, unfinished) = standing_points(&map, &[vec![3.0], vec![-7.0]]).unwrap();
        assert_eq!((points.len(), unfinished), (1, 0));
        assert!(points[0].certificate.exists());
        assert_eq!(points[0].certificate.unstable_modes, Some(0));
        let found = momentum(&map, &points[0].state).unwrap();
        assert_eq!(found.modes.len(), 1);
        assert!((found.modes[0].alpha.re - ALPHA).abs() < 1e-15);
        assert!((found.modes[0].beta.re - BETA).abs() < 1e-15);
        assert!((found.impulse(3) - ALPHA * BETA.powi(3)).abs() < 1e-15);
        // The schedule is constant, the update linear.
        let alone = schedule(&map, &[5.0], 30);
        assert!(alone.rates.iter().all(|r| *r == ALPHA) && alone.ratio() == 1.0);
        for g in [0.1, 3.0, 1e4] {
            assert_eq!(relative_slope(&map, &[2.0], g).unwrap(), 1.0);
        }
    }

    #[test]
    fn momentum_built_by_hand_stands_on_a_line_with_one_learning_rate() {
        // Three units with momenta of their own, mixed by a rotation: the line is none of the axes.
        let mut learned = Learned::momentum(ALPHA, BETA);
        learned.settings.units = 3;
        let rates = [0.875, 0.5, 0.25];
        let (a, b) = (0.6, 0.8);
        let turn = Matrix::from_row_slice(3, 3, &[a, -b, 0.0, b, a, 0.0, 0.0, 0.0, 1.0]);
        let w = &turn * Matrix::from_fn(3, 3, |i, j| rates[i] * turn[(j, i)]);
        let mut parameters = vec![1.0_f32, 0.5, -0.25];
        parameters.extend((0..9).map(|k| w[(k / 3, k % 3)] as f32));
        parameters.extend([0.0; 9]);
        parameters.extend([-0.5_f32, 0.25, 1.0, 0.0]);
        learned.parameters = parameters;
        let map = OptimiserMap::new(&learned, 0.0).unwrap();
        let point = stand(&map, &[1.0, 2.0, 3.0]).unwrap().unwrap();
        let arms = arms(&map, &point.state, 4.0, 8).unwrap();
        assert_eq!((arms.points.len(), arms.missing, arms.crossings), (17, 0, 0));
        let states: Vec<f64> = arms.points.iter().flat_map(|p| p.state.clone()).collect();
        let pca = Pca::of(&Matrix::from_row_slice(17, 3, &states)).unwrap();
        assert!(pca.ratios()[0] > 1.0 - 1e-12, "{:?}", pca.ratios());
        let first = arms.points[0].rate;
        assert!(
            arms.points.iter().all(|p| (p.rate - first).abs() < 1e-12 && p.certificate.exists())
        );
        // (I − W) h* = g A, by hand.
        let last = &arms.points[16];
        let from =
            Matrix::identity(3, 3) - Matrix::from_fn(3, 3, |i, j| f64::from(w[(i, j)] as f32));
        let back = from * Matrix::from_column_slice(3, 1, &last.state);
        for (found, a) in back.iter().zip([1.0, 0.5, -0.25]) {
            assert!((found - 4.0 * a).abs() < 1e-9);
        }
    }

    #[test]
    fn momentum_built_by_hand_runs_as_the_baseline_and_as_its_own_parts() {
        let (task, data) = (Task::default(), Data::default());
        let family = Family { task: &task, data: &data, seed: 1, split: "test" };
        let problems = family.problems::<f32>(4).unwrap();
        let learned = run(&Prepared::new(&Learned::momentum(ALPHA, BETA)), &problems, 60, true);
        let baseline = Baseline::new(Method::Momentum, ALPHA, BETA, 0.0);
        let parts =
            Parts { alpha: ALPHA, beta: BETA, schedule: None, clipping: None, adaptation: None };
        let kernel: Vec<f64> = (0..60).map(|s| ALPHA * BETA.powi(s)).collect();
        for (problem, losses) in problems.iter().zip(&learned.losses) {
            for other in [
                baseline.run(&**problem, 60),
                parts.run(&**problem, 60),
                linear(&**problem, 60, &kernel, 0.0),
            ] {
                for (a, b) in losses.iter().zip(&other) {
                    assert!((a - b).abs() < 1e-3 * (a.abs() + 1e-3 * losses[0]), "{a} {b}");
                }
            }
        }
        // States are the sums of past gradients.
        let (g, h) = (&learned.gradients, &learned.states);
        let rows = learned.rows;
        assert_eq!((rows, h.len()), (20, 59 * 20));
        let expected = BETA as f32 * g[7] + g[rows + 7];
        assert!((h[2 * rows + 7] - expected).abs() <= 1e-5 * expected.abs());
    }

    #[test]
    fn the_update_function_of_a_tanh_unit_saturates_as_its_equation_says() {
        let mut learned = Learned::momentum(2.0, 0.0);
        learned.settings.cell = accrue_cells::CellKind::Vanilla;
        let map = OptimiserMap::new(&learned, 0.0).unwrap();
        let found = update_function(&map, &[0.3], &[-1.0, 0.0, 2.0]).unwrap();
        for (g, (u, rate)) in found.gradients.iter().zip(found.updates.iter().zip(&found.rates)) {
            assert!((u + 2.0 * g.tanh()).abs() < 1e-12);
            assert!((rate - 2.0 * (1.0 - g.tanh().powi(2))).abs() < 1e-12);
        }
        let slope = relative_slope(&map, &[0.3], 1.5).unwrap();
        assert!((slope - (1.0 - 1.5f64.tanh().powi(2))).abs() < 1e-12);
    }
}
