//! Which modes carry what a modifier does: take them away and read again
//! (Maheswaranathan & Sussillo 2020, arXiv:2004.08013).
//!
//! A modifier's deflection `d` lies in directions that some left vectors select. With `Q`
//! an orthonormal basis of the left vectors of one mode (real and imaginary part of a
//! complex pair), the deflection without it is `d − Q Qᵀ d`, and the principal angle between
//! `d` and the mode is `arccos ‖Qᵀ d‖/‖d‖`. Where one mode does not carry all of it, the next
//! is the one with the least angle to what is left, and `Q` spans both.

use crate::Result;
use crate::dynamics::linearise::Linearisation;
use crate::dynamics::{Dynamics, Map};
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
}

/// The modes that carry a deflection, each with an orthonormal basis of its left vectors and those
/// of the modes before it.
///
/// * `most`: how many, fewer if there are no more
///
/// # Errors
/// [`crate::Error::NotFinite`] for left vectors with NaN.
pub fn carriers<'a>(
    mut modes: Vec<&'a Mode>,
    deflection: &Vector,
    most: usize,
) -> Result<Vec<(&'a Mode, Matrix)>> {
    let mut found: Vec<(&Mode, Matrix)> = Vec::new();
    while found.len() < most && !modes.is_empty() {
        let left = match found.last() {
            Some((_, basis)) => without(basis, deflection),
            None => deflection.clone(),
        };
        let angle = |i: &usize| modes[*i].angle(&left);
        let next = (0..modes.len()).min_by(|a, b| angle(a).total_cmp(&angle(b)));
        let mode = modes.swap_remove(next.expect("there are modes"));
        let before = found.last().map_or_else(Vec::new, |(_, basis)| columns(basis));
        let basis = svd(&Matrix::from_columns(&[before, columns(&mode.basis)].concat()))?.u;
        found.push((mode, basis));
    }
    Ok(found)
}

fn columns(of: &Matrix) -> Vec<Vector> {
    of.column_iter().map(|c| c.into_owned()).collect()
}

/// A deflection with what an orthonormal basis spans taken out.
pub fn without(basis: &Matrix, deflection: &Vector) -> Vector {
    deflection - basis * basis.tr_mul(deflection)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Two planes that share no direction and an axis, in five dimensions.
    #[test]
    fn carriers_come_by_what_is_left_and_their_bases_add_up() {
        let axis = |i: usize| Vector::from_fn(5, |j, _| f64::from(i == j));
        let mode = |index, axes: &[Vector]| Mode {
            index,
            modulus: 0.5,
            pair: axes.len() == 2,
            basis: Matrix::from_columns(axes),
        };
        let leaning = (axis(2) + axis(0)) / 2.0_f64.sqrt();
        let modes =
            [mode(0, &[axis(4)]), mode(1, &[leaning, axis(3)]), mode(2, &[axis(0), axis(1)])];
        let deflection = axis(0) * 3.0 + axis(1) * 2.0 + axis(2) * 1.5 + axis(4) * 0.5;
        let found = carriers(modes.iter().collect(), &deflection, 2).unwrap();
        let order: Vec<usize> = found.iter().map(|(mode, _)| mode.index).collect();
        // Of 3, 2, 1.5 and .5 the first plane holds 3 and 2; of the rest the leaning one 1.5/√2, the
        // axis .5.
        assert_eq!(order, [2, 1]);
        let rest = |i: usize| without(&found[i].1, &deflection);
        assert!((rest(0) - (axis(2) * 1.5 + axis(4) * 0.5)).norm() < 1e-12);
        // Together the planes span the first four axes.
        assert!((rest(1) - axis(4) * 0.5).norm() < 1e-12);
        assert_eq!(carriers(modes.iter().collect(), &deflection, 9).unwrap().len(), 3);
    }
}
