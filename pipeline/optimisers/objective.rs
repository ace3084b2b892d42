//! What a run is worth: from the losses on the way to one number, and back.

use serde::{Deserialize, Serialize};

/// How the losses `f_0 … f_{T−1}` of a run become one number; all are shares of `f_0`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// `mean_t f_t / f_0`: being fast counts.
    #[default]
    Mean,
    /// `f_{T−1} / f_0`.
    Last,
    /// `min_t f_t / f_0` over the finite ones.
    Least,
}

impl Objective {
    /// The value; NaN where `f_0` is not above 0, or what counts is not finite.
    pub fn of(self, losses: &[f64]) -> f64 {
        let Some(&first) = losses.first().filter(|f| **f > 0.0 && f.is_finite()) else {
            return f64::NAN;
        };
        match self {
            Objective::Mean => losses.iter().sum::<f64>() / (losses.len() as f64 * first),
            Objective::Last => losses[losses.len() - 1] / first,
            Objective::Least => {
                losses.iter().copied().filter(|f| f.is_finite()).fold(first, f64::min) / first
            }
        }
    }

    /// Derivatives by each of the losses; `f_0` counts as a constant: no optimiser moves it.
    pub fn derivatives(self, losses: &[f64]) -> Vec<f64> {
        let mut all = vec![0.0; losses.len()];
        let Some(&first) = losses.first() else { return all };
        match self {
            Objective::Mean => all.fill(1.0 / (losses.len() as f64 * first)),
            Objective::Last => all[losses.len() - 1] = 1.0 / first,
            Objective::Least => {
                let finite = (0..losses.len()).filter(|&t| losses[t].is_finite());
                let least = finite.min_by(|&a, &b| losses[a].total_cmp(&losses[b]));
                least.into_iter().for_each(|t| all[t] = 1.0 / first);
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::Objective;

    #[test]
    fn objectives_are_shares_of_the_first_loss() {
        let losses = [4.0, 2.0, 1.0, 3.0];
        assert_eq!(Objective::Mean.of(&losses), 10.0 / 16.0);
        assert_eq!(Objective::Last.of(&losses), 0.75);
        assert_eq!(Objective::Least.of(&losses), 0.25);
        assert_eq!(Objective::Least.derivatives(&losses), [0.0, 0.0, 0.25, 0.0]);
        assert!(Objective::Mean.of(&[0.0, 0.0]).is_nan(), "nothing to be won");
        assert!(Objective::Mean.of(&[1.0, f64::INFINITY]).is_infinite());
        assert_eq!(Objective::Least.of(&[1.0, 0.5, f64::NAN]), 0.5);
    }
}
