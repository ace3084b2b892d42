//! Modes near a point: eigenvalues, time constants, selection vectors.

use crate::linalg::{Complex, Eigen, Matrix, Vector, eigen, time_constant};
use crate::{Dynamics, Result};

/// Imaginary parts below this are rounding: the eigenvalue counts as real.
pub const REAL: f64 = 1e-6;

/// The map near one point: `F(h, x*) ≈ F(h*, x*) + J (h − h*)`.
///
/// The residual `F(h*, x*) − h*` is kept; it is not zero at a slow point.
#[derive(Clone, Debug)]
pub struct Linearisation {
    /// The point `h*`, `[state]`.
    pub point: Vector,
    /// `F(h*, x*) − h*`, `[state]`.
    pub residual: Vector,
    /// `J_rec`, `[state, state]`.
    pub jacobian: Matrix,
    /// Its eigenvalues and vectors.
    pub eigen: Eigen,
}

impl Linearisation {
    /// Linearises at a point. Vectors have no sign of their own, those of a complex pair no phase: for the slowest mode
    /// they are turned so that `wᵀ r_a` is real and above 0, with the readout vector `w`. What `v` adds to the
    /// readout through that mode has then the sign of `Re ℓ_aᵀ v`.
    ///
    /// * `readout`: `w`, `[state]`; `None` leaves the signs of [`eigen`]
    ///
    /// # Errors
    /// [`crate::Error::Shape`] for a state of the wrong size;
    /// [`crate::Error::NotFinite`] if the Jacobian is not finite.
    pub fn at(map: &dyn Dynamics, point: &[f64], readout: Option<&[f64]>) -> Result<Self> {
        map.check(point)?;
        let (next, jacobian) = map.step_and_jacobian(point);
        let point = Vector::from_column_slice(point);
        let mut eigen = eigen(&jacobian)?;
        if let Some(w) = readout {
            let along: Complex = eigen.right.column(0).iter().zip(w).map(|(r, w)| r * *w).sum();
            let turn = along / along.norm();
            if turn.is_finite() {
                let paired = eigen.values[0].im != 0.0;
                for (mode, turn) in
                    [(0, turn), (1, turn.conj())].into_iter().take(1 + paired as usize)
                {
                    eigen.right.column_mut(mode).iter_mut().for_each(|z| *z *= turn.conj());
                    eigen.left.column_mut(mode).iter_mut().for_each(|z| *z *= turn);
                }
            }
        }
        Ok(Self { residual: next - &point, point, jacobian, eigen })
    }

    /// Time constants `τ_a = |1/ln|λ_a||` in steps, slowest modulus first.
    pub fn time_constants(&self) -> Vec<f64> {
        self.eigen.values.iter().map(|&l| time_constant(l)).collect()
    }

    /// Whether mode `a` is real.
    pub fn is_real(&self, a: usize) -> bool {
        self.eigen.values[a].im.abs() < REAL
    }

    /// `ℓ_aᵀ v`: how much of `v` enters mode `a`.
    pub fn selected(&self, a: usize, v: &[f64]) -> Complex {
        self.eigen.left.column(a).iter().zip(v).map(|(l, x)| l * *x).sum()
    }

    /// Next state by the linear map.
    pub fn step(&self, state: &[f64]) -> Vector {
        let offset = Vector::from_column_slice(state) - &self.point;
        &self.point + &self.residual + &self.jacobian * offset
    }
}
