//! The published search, to compare with: Adam on the mean speed of all states.

use super::finder::{SearchResult, SlowPoint, Stop};
use crate::Dynamics;
use crate::linalg::Vector;
use rayon::prelude::*;

/// Settings of the published procedures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// Learning rate at step 0.
    pub learning_rate: f64,
    /// Factor a step.
    pub decay: f64,
    /// `b1`.
    pub beta1: f64,
    /// `b2`.
    pub beta2: f64,
    /// `eps`.
    pub epsilon: f64,
    /// Most steps.
    pub steps: usize,
    /// The search ends when the *mean* half-sum speed over the states is at most this.
    pub tolerance: f64,
}

impl Default for Adam {
    /// The library of the papers' authors.
    fn default() -> Self {
        Self {
            learning_rate: 0.01,
            decay: 1.0,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            steps: 1000,
            tolerance: 1e-6,
        }
    }
}

/// One state on its way.
struct Walker {
    start: Vector,
    h: Vector,
    m: Vector,
    v: Vector,
    q: f64,
}

/// Adam on the mean of `q = ½‖F − h‖²` over all initial states. The mean is separable,
/// so each walks by itself; they share the end.
///
/// The gradient of `q` is `Aᵀ r` with `A = J − I`, `r = F − h`; scaling the
/// loss by their number leaves Adam's steps unchanged but for `eps`,
/// which is applied to the gradient of the state's own `q`.
pub fn search(map: &dyn Dynamics, initial_states: &[&[f64]], adam: &Adam) -> Vec<SearchResult> {
    let mut walkers: Vec<Walker> = initial_states
        .iter()
        .map(|s| {
            let h = Vector::from_column_slice(s);
            let zeros = Vector::zeros(h.len());
            Walker { start: h.clone(), h, m: zeros.clone(), v: zeros, q: f64::NAN }
        })
        .collect();
    let mut steps = 0;
    let stop = loop {
        walkers.par_iter_mut().for_each(|w| w.q = map.speed(w.h.as_slice()));
        let mean = walkers.iter().map(|w| w.q).sum::<f64>() / walkers.len() as f64;
        if mean <= adam.tolerance {
            break Stop::Converged;
        }
        if steps == adam.steps {
            break Stop::OutOfSteps;
        }
        let rate = adam.learning_rate * adam.decay.powi(steps as i32);
        let power = steps as i32 + 1;
        let (c1, c2) = (1.0 - adam.beta1.powi(power), 1.0 - adam.beta2.powi(power));
        walkers.par_iter_mut().for_each(|w| {
            let (next, jacobian) = map.step_and_jacobian(w.h.as_slice());
            let r = next - &w.h;
            let g = jacobian.tr_mul(&r) - r;
            for i in 0..g.len() {
                w.m[i] = adam.beta1 * w.m[i] + (1.0 - adam.beta1) * g[i];
                w.v[i] = adam.beta2 * w.v[i] + (1.0 - adam.beta2) * g[i] * g[i];
                w.h[i] -= rate * (w.m[i] / c1) / ((w.v[i] / c2).sqrt() + adam.epsilon);
            }
        });
        steps += 1;
    };
    let results = walkers.into_iter().enumerate().map(|(initial_state, w)| SearchResult {
        initial_state,
        reached: Vec::new(),
        last: SlowPoint {
            distance_from_init: (&w.h - &w.start).norm(),
            state: w.h.as_slice().to_vec(),
            speed: w.q,
            steps,
        },
        stop,
    });
    results.collect()
}
