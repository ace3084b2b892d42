//! By which of three mechanisms is an input integrated in one context and not in the other (Pagan et al., Nature 639,
//! 2025).
//!
//! Near a line attractor along `ρ`, a unit of an input that moves the state by `i` adds `s · i` to what is integrated,
//! with the selection vector `s`. Between the context in which the input is relevant and the one in which it is not,
//!
//! ```text
//! Δ(s · i) = s̄ · Δi_∥  +  s̄ · Δi_⊥  +  Δs · ī
//!            direct       indirect     selection vector
//! ```
//!
//! where the bar is the mean over both contexts, Δ relevant less irrelevant, and `Δi` has a part along `ρ` and one across.
//! The three add up exactly; every linear solution is a point of the triangle they span.

use crate::linalg::Vector;

/// What each mechanism adds to the difference between the contexts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mixture {
    /// The input changes along the line: direct input modulation.
    pub direct: f64,
    /// It changes across the line, from where it reaches it later: indirect input modulation.
    pub indirect: f64,
    /// The recurrent dynamics change what is read of it: selection-vector modulation.
    pub selection: f64,
    /// `s · i` in the context in which the input is relevant.
    pub relevant: f64,
    /// The same in the other.
    pub irrelevant: f64,
}

impl Mixture {
    /// All three together: what is integrated more of the input where it is relevant.
    pub fn total(&self) -> f64 {
        self.direct + self.indirect + self.selection
    }

    /// Each as a share of the total: direct, indirect, selection vector. One that works against selection is negative.
    pub fn shares(&self) -> [f64; 3] {
        [self.direct, self.indirect, self.selection].map(|x| x / self.total())
    }
}

/// Splits the difference between two contexts.
///
/// * `selection`: `s` in the context in which the input is relevant and in the other, scaled to the same output
/// * `input`: `i` in the same contexts; `line`: `ρ`, of any length, averaged over both
///
/// # Panics
/// If the vectors have different lengths.
pub fn mixture(selection: [&Vector; 2], input: [&Vector; 2], line: &Vector) -> Mixture {
    let mean = |v: [&Vector; 2]| (v[0] + v[1]) / 2.0;
    let (s, i) = (mean(selection), mean(input));
    let (ds, di) = (selection[0] - selection[1], input[0] - input[1]);
    let along = line * (line.dot(&di) / line.norm_squared());
    Mixture {
        direct: s.dot(&along),
        indirect: s.dot(&(&di - &along)),
        selection: ds.dot(&i),
        relevant: selection[0].dot(input[0]),
        irrelevant: selection[1].dot(input[1]),
    }
}
