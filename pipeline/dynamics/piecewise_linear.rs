//! The map as linear pieces, one around each of some points.
//!
//! Near a slow point `h*` with the input held at `x*`,
//!
//! ```text
//! F(h, x) ≈ F(h*, x*) + J_rec (h − h*) + J_inp (x − x*)
//! ```
//!
//! where the residual `F(h*, x*) − h*` is kept, because it is not zero at a slow
//! point. How far this carries is measured one step at a time, or by rolling
//! whole documents out (Maheswaranathan, Williams et al. 2019, arXiv:1906.10720).

use crate::linalg::{Matrix, Vector};
use crate::{Dynamics, Result};
use rayon::prelude::*;

struct Piece {
    point: Vector,
    next: Vector,
    jacobian: Matrix,
    input_jacobian: Matrix,
}

/// Linear pieces of one map.
pub struct PiecewiseLinear {
    pieces: Vec<Piece>,
    input: Vector,
}

impl PiecewiseLinear {
    /// Linearises at each point, over all threads.
    ///
    /// # Errors
    /// [`crate::Error::Shape`] for a state of the wrong size.
    pub fn of(map: &dyn Dynamics, points: &[&[f64]]) -> Result<Self> {
        let piece = |point: &&[f64]| -> Result<Piece> {
            map.check(point)?;
            let (next, jacobian) = map.step_and_jacobian(point);
            let input_jacobian = map.input_jacobian(point);
            Ok(Piece { point: Vector::from_column_slice(point), next, jacobian, input_jacobian })
        };
        let pieces = points.par_iter().map(piece).collect::<Result<_>>()?;
        Ok(Self { pieces, input: Vector::from_column_slice(map.input()) })
    }

    /// Number of pieces.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The piece whose point is nearest to `state`, and how far that is.
    ///
    /// # Panics
    /// If there are no pieces.
    pub fn nearest(&self, state: &[f64]) -> (usize, f64) {
        let distance =
            |p: &Piece| -> f64 { p.point.iter().zip(state).map(|(a, b)| (a - b) * (a - b)).sum() };
        let all = self.pieces.iter().map(distance).enumerate();
        let (i, square) = all.min_by(|a, b| a.1.total_cmp(&b.1)).expect("there are pieces");
        (i, square.sqrt())
    }

    /// Next state by piece `i`.
    ///
    /// * `state`: `[state]`; `input`: `[inputs]`
    pub fn step(&self, i: usize, state: &[f64], input: &[f64]) -> Vector {
        let p = &self.pieces[i];
        let offset = Vector::from_column_slice(state) - &p.point;
        let mut next = &p.next + &p.jacobian * offset;
        // Only what differs from the held input; one-hot inputs differ in few places.
        for (k, column) in p.input_jacobian.column_iter().enumerate() {
            let change = input[k] - self.input[k];
            if change != 0.0 {
                next.axpy(change, &column, 1.0);
            }
        }
        next
    }
}
