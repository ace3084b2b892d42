//! What one token leaves behind, some tokens later.
//!
//! At a slow point, one step with the word's input in place of the held one, then
//! `k` steps with the input held. What the word has changed, read along a
//! direction `w`, is to first order (Maheswaranathan, Williams et al. 2019, arXiv:1906.10720)
//!
//! ```text
//! wᵀ Δh_k ≈ Σ_a λ_aᵏ (wᵀ r_a) (ℓ_aᵀ J_inp (x − x*))
//! ```
//!
//! [`Impulse`] holds that sum, its slowest mode alone, and the change of the map
//! itself, which needs no linearity.

use super::linearise::Linearisation;
use crate::linalg::{Complex, Vector};
use crate::{Dynamics, Result};

/// Readings along `w` after `0, 1, …, steps` more tokens.
#[derive(Clone, Debug, PartialEq)]
pub struct Impulse {
    /// Of the map: two paths, with the word and without it.
    pub map: Vec<f64>,
    /// Sum over all modes.
    pub linear: Vec<f64>,
    /// The slowest mode alone (both of a complex pair).
    pub slow: Vec<f64>,
}

impl Impulse {
    /// Follows one word for `steps` tokens.
    ///
    /// * `near`: the point, linearised; `map`: with the input held there
    /// * `w`: reading direction, `[state]`; `input`: the word's vector, `[inputs]`
    ///
    /// # Errors
    /// [`crate::Error::Shape`] for an input of the wrong size; [`crate::Error::Usage`] for a map without one.
    pub fn of(
        map: &dyn Dynamics,
        near: &Linearisation,
        w: &[f64],
        input: &[f64],
        steps: usize,
    ) -> Result<Self> {
        let start = near.point.as_slice();
        let mut with = map.with_input(input)?.step(start);
        let mut without = map.step(start);
        let w = Vector::from_column_slice(w);
        let change = Vector::from_iterator(
            input.len(),
            input.iter().zip(map.input()).map(|(x, held)| x - held),
        );
        let pushed = map.input_jacobian(start) * change;
        let terms: Vec<(Complex, Complex)> = (0..near.eigen.values.len())
            .map(|a| {
                let read: Complex =
                    near.eigen.right.column(a).iter().zip(w.iter()).map(|(r, w)| r * *w).sum();
                (near.eigen.values[a], read * near.selected(a, pushed.as_slice()))
            })
            .collect();
        let slow = if near.is_real(0) { 1 } else { 2 };
        let sum = |terms: &[(Complex, Complex)], k: usize| -> f64 {
            terms.iter().map(|(value, term)| (value.powu(k as u32) * term).re).sum()
        };
        let mut followed = Vec::with_capacity(steps + 1);
        for _ in 0..=steps {
            followed.push((&with - &without).dot(&w));
            (with, without) = (map.step(with.as_slice()), map.step(without.as_slice()));
        }
        Ok(Self {
            map: followed,
            linear: (0..=steps).map(|k| sum(&terms, k)).collect(),
            slow: (0..=steps).map(|k| sum(&terms[..slow.min(terms.len())], k)).collect(),
        })
    }
}
