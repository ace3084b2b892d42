//! Modes at the zero-gradient fixed point, read as momentum (arXiv 2011.02159, section 5.2).
//!
//! Near `h*` the update at time `t` is `Δ_t = c + Σ_k Σ_{s ≥ 0} (wᵀ r_k)(ℓ_kᵀ B) λ_k^s g_{t−s}`, with `B = ∂F/∂g`.
//! Momentum with rate `β` and learning rate `α` answers an impulse by `−α β^s`: mode `k` is one with `β_k = λ_k` and
//! `α_k = −s (wᵀ r_k)(ℓ_kᵀ B)`.

use crate::Result;
use crate::linalg::Complex;
use crate::map::OptimiserMap;
use accrue_dynamics::Dynamics;
use accrue_dynamics::linearise::{Linearisation, REAL};

/// A mode as momentum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mode {
    /// `β_k = λ_k`.
    pub beta: Complex,
    /// `α_k`; of a complex pair, that of one of both.
    pub alpha: Complex,
}

/// All modes at a point, slowest first, with the linearisation they come from.
#[derive(Clone, Debug)]
pub struct Momentum {
    /// Slowest first.
    pub modes: Vec<Mode>,
    /// Where they were found.
    pub linearisation: Linearisation,
}

/// The modes at a state.
///
/// # Errors
/// As [`Linearisation::at`].
pub fn momentum(map: &OptimiserMap, point: &[f64]) -> Result<Momentum> {
    let linearisation = Linearisation::at(map, point, Some(map.readout()))?;
    let by = map.input_jacobian(point);
    let eigen = &linearisation.eigen;
    let modes = (0..point.len())
        .map(|k| {
            let read: Complex =
                eigen.right.column(k).iter().zip(map.readout()).map(|(r, w)| r * *w).sum();
            let entered = linearisation.selected(k, by.as_slice());
            Mode { beta: eigen.values[k], alpha: -(read * entered) * map.output_scale() }
        })
        .collect();
    Ok(Momentum { modes, linearisation })
}

impl Momentum {
    /// How far the slowest mode lies from all others: `|λ_1| − |λ_2|` where it is real, 0 where it is not.
    pub fn gap(&self) -> f64 {
        let size = |k: usize| self.modes.get(k).map_or(0.0, |m| m.beta.norm());
        match self.modes.first() {
            Some(first) if first.beta.im.abs() < REAL => size(0) - size(1),
            _ => 0.0,
        }
    }

    /// What an impulse of the gradient does `s` steps later, by all modes: `Σ_k α_k β_k^s`, as a learning rate.
    pub fn impulse(&self, s: usize) -> f64 {
        self.modes.iter().map(|m| (m.alpha * m.beta.powu(s as u32)).re).sum()
    }
}

/// The best momentum for curvatures from `least` to `largest`: `α* = 4/(√L + √l)²`, `β* = ((√L − √l)/(√L + √l))²`
/// (Polyak 1964).
pub fn optimum(least: f64, largest: f64) -> (f64, f64) {
    let (low, high) = (least.sqrt(), largest.sqrt());
    let sum = high + low;
    (4.0 / (sum * sum), ((high - low) / sum).powi(2))
}

/// The best learning rate without momentum: `2/(L + l)`.
pub fn optimal_rate(least: f64, largest: f64) -> f64 {
    2.0 / (least + largest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_momentum_for_three_decades_of_curvature_is_the_one_by_hand() {
        // √.001 = .0316228: 4/1.0316228² and (.9683772/1.0316228)².
        let (alpha, beta) = optimum(1e-3, 1.0);
        assert!((alpha - 3.758_531).abs() < 1e-5, "{alpha}");
        assert!((beta - 0.881_145).abs() < 1e-5, "{beta}");
        assert!((optimal_rate(1e-3, 1.0) - 1.998_002).abs() < 1e-6);
    }
}
