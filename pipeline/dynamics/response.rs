//! How many modes the linear response to an input needs.
//!
//! Near a fixed point with `J = R Λ Lᵀ`, a unit of input that enters by the column `b` of `J_inp` is read along `w`
//! after `t` more steps as (Maheswaranathan, Williams et al. 2019, arXiv:1907.08549, Figure 3f)
//!
//! ```text
//! y_k(t) = Σ_{a ≤ k} (wᵀ r_a) λ_aᵗ (ℓ_aᵀ b)
//! ```
//!
//! with the `k` modes of largest modulus; the smallest are removed first. All modes give `y(t) = wᵀ Jᵗ b`.

use crate::linalg::{Complex, Vector};
use crate::linearise::Linearisation;
use crate::{Dynamics, Error, Result};

/// Responses with ever more modes.
#[derive(Clone, Debug, PartialEq)]
pub struct Responses {
    /// Modes kept, ascending; the two of a complex pair come together.
    pub kept: Vec<usize>,
    /// `y_k(t)` for each of them, `[kept][steps + 1]`.
    pub responses: Vec<Vec<f64>>,
    /// `wᵀ Jᵗ b`, without modes, `[steps + 1]`.
    pub full: Vec<f64>,
}

impl Responses {
    /// Follows a unit of input for `steps` more steps.
    ///
    /// * `near`: the fixed point, linearised; `w`: reading direction, `[state]`; `b`: how the input enters, `[state]`
    ///
    /// # Errors
    /// [`Error::Shape`] for vectors that do not fit.
    pub fn of(near: &Linearisation, w: &[f64], b: &[f64], steps: usize) -> Result<Self> {
        let n = near.point.len();
        for (what, found) in [("reading direction", w.len()), ("input column", b.len())] {
            if found != n {
                return Err(Error::shape(what, found, n));
            }
        }
        let values = &near.eigen.values;
        let mut sum = vec![0.0; steps + 1];
        let (mut kept, mut responses) = (Vec::new(), Vec::new());
        for (a, value) in values.iter().enumerate() {
            let read: Complex = near.eigen.right.column(a).iter().zip(w).map(|(r, w)| r * *w).sum();
            let mut term = read * near.selected(a, b);
            for y in &mut sum {
                *y += term.re;
                term *= value;
            }
            // The first of a pair has the positive imaginary part.
            let cut = value.im > 0.0
                && values.get(a + 1).is_some_and(|next| (next - value.conj()).norm() < 1e-9);
            if !cut {
                kept.push(a + 1);
                responses.push(sum.clone());
            }
        }
        let w = Vector::from_column_slice(w);
        let mut state = Vector::from_column_slice(b);
        let mut full = Vec::with_capacity(steps + 1);
        for _ in 0..=steps {
            full.push(w.dot(&state));
            state = &near.jacobian * state;
        }
        Ok(Self { kept, responses, full })
    }

    /// [`Responses::of`] a unit of input number `input`.
    ///
    /// # Errors
    /// As there; [`Error::Usage`] for a number that the map has no input of.
    pub fn to_input(
        map: &dyn Dynamics,
        near: &Linearisation,
        w: &[f64],
        input: usize,
        steps: usize,
    ) -> Result<Self> {
        let entering = map.input_jacobian(near.point.as_slice());
        if input >= entering.ncols() {
            return Err(Error::Usage(format!(
                "input {input} of a map with {} inputs; they count from 0",
                entering.ncols()
            )));
        }
        Self::of(near, w, entering.column(input).as_slice(), steps)
    }

    /// Largest difference of each response from the full one over all steps, as a share of the full one's largest
    /// value, `[kept]`; zeros where the full one is zero and so is the other.
    pub fn errors(&self) -> Vec<f64> {
        let largest = |y: &mut dyn Iterator<Item = f64>| {
            y.fold(0.0, |m: f64, x| if x.abs() <= m { m } else { x.abs() })
        };
        let size = largest(&mut self.full.iter().copied());
        let off = |y: &Vec<f64>| {
            let off = largest(&mut y.iter().zip(&self.full).map(|(a, b)| a - b));
            if off == 0.0 { 0.0 } else { off / size }
        };
        self.responses.iter().map(off).collect()
    }

    /// The fewest modes with which, and with any more, the response is the full one to within `tolerance` (a share of
    /// its largest value); `None` if all modes do not give it, as where eigenvectors are nearly dependent.
    pub fn enough(&self, tolerance: f64) -> Option<usize> {
        let within = self.errors().into_iter().rev().take_while(|off| *off <= tolerance).count();
        (within > 0).then(|| self.kept[self.kept.len() - within])
    }
}
