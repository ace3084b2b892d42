//! Which modes carry what a modifier does: take them away and read again (SPEC CONTEXT 2.6).
//!
//! A modifier's deflection `d` lies in directions that some left vectors select. With `Q`
//! an orthonormal basis of the left vectors of one mode (real and imaginary part of a
//! complex pair), the deflection without it is `d − Q Qᵀ d`, and the principal angle between
//! `d` and the mode is `arccos ‖Qᵀ d‖/‖d‖`.

use crate::Result;
use crate::dynamics::Map;
use crate::dynamics::linearise::Linearisation;
use crate::linalg::{Matrix, Vector, svd};

/// One real mode or one complex pair.
#[derive(Clone, Debug)]
pub struct Mode {
    /// Index of the (first) eigenvalue, slowest first.
    pub index: usize,
    /// `|λ|`.
    pub modulus: f64,
    /// Whether it is one of a complex pair.
    pub pair: bool,
    /// Orthonormal basis of its left vectors, `[state, 1 or 2]`.
    pub basis: Matrix,
}

/// The modes at a point, complex pairs once.
///
/// # Errors
/// [`crate::Error::NotFinite`] for left vectors with NaN.
pub fn modes(near: &Linearisation) -> Result<Vec<Mode>> {
    let values = &near.eigen.values;
    let mut all = Vec::new();
    for (index, value) in values.iter().enumerate() {
        let pair = !near.is_real(index);
        if pair && value.im < 0.0 {
            continue;
        }
        let left = near.eigen.left.column(index);
        let mut columns = vec![left.map(|z| z.re)];
        if pair {
            columns.push(left.map(|z| z.im));
        }
        let basis = svd(&Matrix::from_columns(&columns))?.u;
        all.push(Mode { index, modulus: value.norm(), pair, basis });
    }
    Ok(all)
}

impl Mode {
    /// Principal angle between a deflection and the mode, degrees.
    pub fn angle(&self, deflection: &Vector) -> f64 {
        let inside = self.basis.tr_mul(deflection).norm() / deflection.norm();
        inside.clamp(0.0, 1.0).acos().to_degrees()
    }

    /// The deflection with the mode taken out.
    pub fn without(&self, deflection: &Vector) -> Vector {
        deflection - &self.basis * self.basis.tr_mul(deflection)
    }
}

/// `wᵀ (F(h, x) − h)`: what a word says from a state.
///
/// * `word`: the map with the word's input held
pub fn contribution(word: &Map, w: &[f64], state: &Vector) -> f64 {
    let moved = word.step(state.as_slice()) - state;
    moved.iter().zip(w).map(|(m, w)| m * w).sum()
}

/// `wᵀ J_inp(h) (x − x*)`: the same by the input Jacobian alone.
///
/// * `map`: with the usual input held; `input`: the word's
pub fn linear(map: &Map, w: &[f64], state: &Vector, input: &[f64]) -> f64 {
    let change = input.iter().zip(map.input()).map(|(x, held)| x - held);
    let moved = map.input_jacobian(state.as_slice()) * Vector::from_iterator(input.len(), change);
    moved.iter().zip(w).map(|(m, w)| m * w).sum()
}
