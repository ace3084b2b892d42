//! Which dimension `p` of the map, and which weight `λ` of the states: what is missed on phrases held out from training.
//!
//! `λ` weighs the share of the base models' state variance that is missed against the divergence of the outputs in nats (for numbers:
//! their squared error as a share of the variance). Meta-models that were trained with different `λ` are compared by one number that
//! has none, the loss at `λ = 1` on held-out phrases:
//!
//! ```text
//! missed = (1 − R²) + D
//! ```

use crate::analysis::Fidelity;
use accrue_numerics::summary::{deviation, mean};

/// What a meta-model of one dimension and weight came to, over base models.
#[derive(Clone, Debug, PartialEq)]
pub struct Measured {
    /// `p`.
    pub dimension: usize,
    /// `λ`.
    pub lambda: f64,
    /// Of each base model, on phrases held out.
    pub fidelity: Vec<Fidelity>,
}

impl Measured {
    /// `(1 − R²) + D` of each base model.
    pub fn missed(&self) -> Vec<f64> {
        self.fidelity.iter().map(|f| 1.0 - f.r2 + f.divergence).collect()
    }

    /// Mean over base models of what is missed, and its standard error.
    pub fn mean_missed(&self) -> (f64, f64) {
        let all = self.missed();
        (mean(&all), deviation(&all) / (all.len() as f64).sqrt())
    }
}

/// The number of the setting that is chosen: the smallest `p` at which some `λ` misses no more than the best setting of all plus one
/// standard error of that one (Breiman et al. 1984); at this `p`, the `λ` that misses least. `None` for no settings, or none that is
/// finite.
pub fn choose(all: &[Measured]) -> Option<usize> {
    let missed: Vec<(f64, f64)> = all.iter().map(Measured::mean_missed).collect();
    let known = (0..all.len()).filter(|&i| missed[i].0.is_finite());
    let best = known.clone().min_by(|&a, &b| missed[a].0.total_cmp(&missed[b].0))?;
    let error = if missed[best].1.is_finite() { missed[best].1 } else { 0.0 };
    let enough = known.filter(|&i| missed[i].0 <= missed[best].0 + error);
    enough.min_by(|&a, &b| {
        let p = all[a].dimension.cmp(&all[b].dimension);
        p.then(missed[a].0.total_cmp(&missed[b].0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(dimension: usize, lambda: f64, missed: [f64; 4]) -> Measured {
        let of = |m: &f64| Fidelity {
            agreement: 1.0,
            agreement_of_steps: 1.0,
            divergence: 0.25 * m,
            r2: 1.0 - 0.75 * m,
        };
        Measured { dimension, lambda, fidelity: missed.iter().map(of).collect() }
    }

    #[test]
    fn the_smallest_dimension_within_one_standard_error_of_the_best_is_chosen() {
        // By hand: deviation of .1, .2, .3, .4 is √(.05/3) = .1291, its standard error .0645; the mean is .25.
        let best = measured(3, 1.0, [0.1, 0.2, 0.3, 0.4]);
        let (mean, error) = best.mean_missed();
        assert!((mean - 0.25).abs() < 1e-12 && (error - 0.064_549_722).abs() < 1e-8);
        let all = |near: f64, far: f64| {
            vec![
                measured(1, 1.0, [far; 4]),
                measured(2, 0.1, [near + 0.01; 4]),
                measured(2, 1.0, [near; 4]),
                best.clone(),
                measured(4, 1.0, [0.26; 4]),
            ]
        };
        assert_eq!(
            choose(&all(0.30, 0.32)),
            Some(2),
            "p = 2, and of its λ the one that misses less"
        );
        assert_eq!(choose(&all(0.32, 0.32)), Some(3), "no smaller p is within .3145");
        assert_eq!(choose(&all(0.30, 0.31)), Some(0));
        assert_eq!(choose(&[]), None);
        assert_eq!(choose(&[measured(1, 1.0, [f64::NAN; 4])]), None);
    }
}
