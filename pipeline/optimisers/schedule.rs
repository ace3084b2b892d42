//! What the optimiser does by itself: the learning rate along its way to rest (arXiv 2011.02159, section 5.4).

use crate::map::OptimiserMap;
use accrue_dynamics::Dynamics;

/// The autonomous trajectory: no gradient at all, from the first state.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// `h_t`, `[T][state]`.
    pub states: Vec<Vec<f64>>,
    /// `η_t = −∂U_{h_t}(g)/∂g` at `g = 0`.
    pub rates: Vec<f64>,
}

/// Follows the state for `steps` steps with the gradient at 0.
///
/// * `map`: with its gradient held at 0
pub fn schedule(map: &OptimiserMap, initial: &[f64], steps: usize) -> Schedule {
    let mut found = Schedule { states: Vec::with_capacity(steps), rates: Vec::new() };
    let mut h = initial.to_vec();
    for _ in 0..steps {
        found.rates.push(-map.update_slope(&h));
        let next = map.step(&h);
        found.states.push(std::mem::replace(&mut h, next.as_slice().to_vec()));
    }
    found
}

impl Schedule {
    /// The step with the largest rate.
    pub fn peak(&self) -> usize {
        let by = |a: &usize, b: &usize| self.rates[*a].total_cmp(&self.rates[*b]);
        (0..self.rates.len()).max_by(by).unwrap_or(0)
    }

    /// The largest rate over the last; NaN where the last is not above 0.
    pub fn ratio(&self) -> f64 {
        let last = self.rates.last().copied().unwrap_or(f64::NAN);
        if last > 0.0 { self.rates[self.peak()] / last } else { f64::NAN }
    }
}
