//! Where modifiers move the state, and reading without it (Maheswaranathan & Sussillo
//! 2020, arXiv:2004.08013).
//!
//! Take what each modifier does to the state besides what words of its valence do, `d_m − f(s_m)`
//! (see [`barcode`](super::barcode)), and remove the direction of the line. The *modifier
//! subspace* `S` is spanned by the first principal directions of the rest, as few as hold the
//! wanted share. Reading is *blocked* by taking away at a token
//!
//! ```text
//! h ← h − S Sᵀ (h − p(h))
//! ```
//!
//! with `p(h)` the slow point nearest to `h` (the line bends, so that a single point would take
//! evidence away with the context).

use crate::Result;
use crate::dynamics::{Dynamics, Map};
use crate::linalg::{Matrix, Vector, svd};

/// Directions in which modifiers move the state.
#[derive(Clone, Debug)]
pub struct Subspace {
    /// Orthonormal basis `S`, `[state, directions]`.
    pub basis: Matrix,
    /// Share of the displacements' squared length that each direction holds, all of
    /// them, descending.
    pub shares: Vec<f64>,
}

impl Subspace {
    /// The subspace of some displacements; `None` where they all lie along the line.
    ///
    /// * `moved`: `[modifiers][state]`; `line`: direction to leave out, `[state]`
    /// * `held`: share that the directions are to hold, 0.9 in a run
    ///
    /// # Errors
    /// [`crate::Error::NotFinite`] for displacements with NaN.
    pub fn of(moved: &[Vec<f64>], line: &[f64], held: f64) -> Result<Option<Self>> {
        let line = Vector::from_column_slice(line).normalize();
        let mut rows = Matrix::zeros(moved.len(), line.len());
        for (mut row, d) in rows.row_iter_mut().zip(moved) {
            let d = Vector::from_column_slice(d);
            row.copy_from(&(&d - &line * line.dot(&d)).transpose());
        }
        let parts = svd(&rows)?;
        let total: f64 = parts.singular.iter().map(|s| s * s).sum();
        if total == 0.0 {
            return Ok(None);
        }
        let shares: Vec<f64> = parts.singular.iter().map(|s| s * s / total).collect();
        let sums = shares.iter().scan(0.0, |sum, share| {
            *sum += share;
            Some(*sum)
        });
        let count = (1 + sums.take_while(|sum| *sum < held).count()).min(shares.len());
        Ok(Some(Self { basis: parts.v.columns(0, count).into_owned(), shares }))
    }

    /// Coordinates of a displacement `[state]` in the subspace, `[directions]`.
    pub fn coordinates(&self, displacement: &[f64]) -> Vec<f64> {
        self.basis.tr_mul(&Vector::from_column_slice(displacement)).as_slice().to_vec()
    }

    /// Share of a displacement's length that lies in the subspace, 0 to 1.
    pub fn inside(&self, displacement: &[f64]) -> f64 {
        let length = displacement.iter().map(|x| x * x).sum::<f64>().sqrt();
        let within = self.coordinates(displacement).iter().map(|x| x * x).sum::<f64>().sqrt();
        if length > 0.0 { within / length } else { 0.0 }
    }

    /// The state with its part in the subspace set to that of the nearest of `points`.
    ///
    /// # Panics
    /// If there are no points.
    pub fn without(&self, state: &[f64], points: &[Vec<f64>]) -> Vec<f64> {
        let far = |p: &Vec<f64>| p.iter().zip(state).map(|(p, h)| (p - h).powi(2)).sum::<f64>();
        let near = points.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
        let near = near.expect("a line has points");
        let off: Vec<f64> = state.iter().zip(near).map(|(h, p)| h - p).collect();
        let inside = &self.basis * Vector::from_vec(self.coordinates(&off));
        state.iter().zip(inside.iter()).map(|(h, x)| h - x).collect()
    }
}

/// The state after some tokens, blocked after those for which `block` says so.
///
/// * `inputs`: vectors of all words; `start`: the state before the first token
/// * `points`: slow points, for the nearest
///
/// # Errors
/// [`crate::Error::Shape`] for an input of the wrong size.
pub fn blocked(
    (map, inputs, points): (&Map, &[Vec<f64>], &[Vec<f64>]),
    subspace: &Subspace,
    (start, tokens): (&[f64], &[u32]),
    block: impl Fn(u32) -> bool,
) -> Result<Vec<f64>> {
    let mut state = start.to_vec();
    for &token in tokens {
        state = map.with_input(&inputs[token as usize])?.step(&state).as_slice().to_vec();
        if block(token) {
            state = subspace.without(&state, points);
        }
    }
    Ok(state)
}
