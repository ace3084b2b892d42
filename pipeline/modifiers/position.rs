//! Words at the beginning and at the end of a document count differently
//! (Maheswaranathan & Sussillo 2020, arXiv:2004.08013).
//!
//! Probe words are presented from a state, the input is held for `K` tokens, and what they
//! have changed is read. With `Δ_k(h)[v] = wᵀ (F^k(F(h, x_v)) − F^k(F(h, x*)))`,
//!
//! ```text
//! beginning, t words in:  ⟨Δ_K(h_t), Δ_K(h*)⟩ / ⟨Δ_K(h*), Δ_K(h*)⟩
//! end, k words before it: ⟨Δ_k(h*), Δ_K(h*)⟩ / ⟨Δ_K(h*), Δ_K(h*)⟩
//! ```
//!
//! where `h_t` follows from the trained initial state by `t` held inputs and `h*` is a slow point in
//! the middle of the line. 1 is what a word in the middle of a document leaves behind.

use crate::Result;
use crate::dynamics::{Dynamics, Map};
use rayon::prelude::*;

/// How words are read.
pub struct Reader<'a> {
    /// The cell with its input held at `x*`.
    pub map: &'a Map,
    /// Input vectors of the probe words, `[probes][inputs]`.
    pub probes: Vec<&'a [f64]>,
    /// Readout vector `w`, `[state]`.
    pub readout: &'a [f64],
    /// StaticInput inputs `K` after a probe.
    pub later: usize,
}

impl Reader<'_> {
    /// `Δ_k(h)`, `[K + 1][probes]`.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] for a probe of the wrong size.
    pub fn changes(&self, state: &[f64]) -> Result<Vec<Vec<f64>>> {
        let said = |from: Vec<f64>| -> Vec<f64> {
            let mut state = from;
            let mut all = Vec::with_capacity(self.later + 1);
            for _ in 0..=self.later {
                all.push(state.iter().zip(self.readout).map(|(h, w)| h * w).sum());
                state = self.map.step(&state).as_slice().to_vec();
            }
            all
        };
        let quiet = said(self.map.step(state).as_slice().to_vec());
        let each: Vec<Vec<f64>> = self
            .probes
            .par_iter()
            .map(|x| Ok(said(self.map.with_input(x)?.step(state).as_slice().to_vec())))
            .collect::<Result<_>>()?;
        let at = |k: usize| each.iter().map(|said| said[k] - quiet[k]).collect();
        Ok((0..=self.later).map(at).collect())
    }

    /// Gains of the words that follow each of `states`, against those that follow `centre`.
    ///
    /// # Errors
    /// As [`Reader::changes`].
    pub fn beginning(&self, centre: &[f64], states: &[Vec<f64>]) -> Result<Vec<f64>> {
        let usual = self.last(centre)?;
        states.iter().map(|h| Ok(gain(&self.last(h)?, &usual))).collect()
    }

    /// Gains of words with `0, 1, …, K` more to come.
    ///
    /// # Errors
    /// As [`Reader::changes`].
    pub fn end(&self, centre: &[f64]) -> Result<Vec<f64>> {
        let all = self.changes(centre)?;
        Ok(all.iter().map(|change| gain(change, &all[self.later])).collect())
    }

    fn last(&self, state: &[f64]) -> Result<Vec<f64>> {
        Ok(self.changes(state)?.pop().expect("there is one for no held input"))
    }
}

/// `⟨a, b⟩/⟨b, b⟩`.
fn gain(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    dot(a, b) / dot(b, b)
}
