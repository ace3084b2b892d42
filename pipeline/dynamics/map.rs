//! What a map has to say of itself to be searched, linearised and proved about.

use crate::linalg::{Matrix, Vector};
use crate::{Error, Evaluation, Result, RoundingErrors};

/// A map of a state to the next one, `h ↦ F(h, x*)`, with its input held at `x*`.
///
/// Three methods make a map; everything else has a default. Searches, spectra, Lyapunov exponents and slow
/// manifolds need no more. [`check_jacobian`](crate::check_jacobian) tells whether the Jacobian is right.
///
/// | also given | what it opens |
/// |---|---|
/// | `input`, `input_jacobian`, `with_input` | what an input leaves behind, linear pieces in the input |
/// | `evaluate`, `jacobian_at` | Jacobians from what a step has computed: speed |
/// | `curvature`, `rounding` | proofs; without either none is tried |
/// | `invariant_box` | whether a list of fixed points is complete |
///
/// ```
/// use accrue_dynamics::Dynamics;
/// use accrue_numerics::linalg::{Matrix, Vector};
///
/// /// `h' = tanh(g h)`.
/// struct Tanh(f64);
///
/// impl Dynamics for Tanh {
///     fn state_size(&self) -> usize {
///         1
///     }
///     fn step(&self, h: &[f64]) -> Vector {
///         Vector::from_vec(vec![(self.0 * h[0]).tanh()])
///     }
///     fn jacobian(&self, h: &[f64]) -> Matrix {
///         Matrix::from_element(1, 1, self.0 * (1.0 - self.step(h)[0].powi(2)))
///     }
/// }
/// ```
// Every function of this crate takes `&dyn Dynamics`: a step costs at least a product with a matrix, beside which
// a call through a table is nothing, and the crate is compiled once, not once a map. What a step keeps for its
// Jacobian is therefore a plain type, `Evaluation`, and no associated one.
pub trait Dynamics: Sync {
    /// Numbers in the state.
    fn state_size(&self) -> usize;

    /// `F(h, x*)`, `[state]`.
    ///
    /// # Panics
    /// If the state does not fit ([`Dynamics::check`] tells).
    fn step(&self, state: &[f64]) -> Vector;

    /// `J_rec = ∂F/∂h`, `[state, state]`: entry `(i, j)` is `∂F_i/∂h_j`.
    fn jacobian(&self, state: &[f64]) -> Matrix;

    /// The input `x*` that is held, `[inputs]`; empty for a map without one.
    fn input(&self) -> &[f64] {
        &[]
    }

    /// `J_inp = ∂F/∂x`, `[state, inputs]`.
    ///
    /// # Panics
    /// If a map has an input and does not give this.
    fn input_jacobian(&self, state: &[f64]) -> Matrix {
        assert!(self.input().is_empty(), "a map with an input gives its input Jacobian");
        Matrix::zeros(state.len(), 0)
    }

    /// The same map with its input held elsewhere, `[inputs]`.
    ///
    /// # Errors
    /// [`Error::Usage`] for a map whose input cannot be changed, [`Error::Shape`] for one that does not fit.
    fn with_input(&self, _input: &[f64]) -> Result<Box<dyn Dynamics + '_>> {
        Err(Error::Usage("this map has no input that could be held elsewhere".into()))
    }

    /// [`Dynamics::step`], with what the Jacobian can be built from.
    fn evaluate(&self, state: &[f64]) -> Evaluation {
        Evaluation { next: self.step(state), kept: Vec::new() }
    }

    /// `J_rec` at a state that was evaluated.
    fn jacobian_at(&self, state: &[f64], _evaluation: &Evaluation) -> Matrix {
        self.jacobian(state)
    }

    /// `K_i` with `|D²F_i[v, w]| ≤ K_i ‖v‖‖w‖` in the maximum norm, at every point within `radius` of `state`
    /// (the same norm), `[state]`; `None` where there is no such bound, or none is known.
    ///
    /// The bounds must hold as numbers: one that rounding has made too small is wrong.
    fn curvature(&self, _state: &[f64], _radius: f64) -> Option<Vec<f64>> {
        None
    }

    /// How far [`Dynamics::step`] and [`Dynamics::jacobian`] as computed here may be from exact arithmetic with
    /// the same parameters; `None` where that is not known.
    fn rounding(&self, _state: &[f64]) -> Option<RoundingErrors> {
        None
    }

    /// A box that the map takes into its interior and outside which it has no fixed point: least and largest value
    /// of each number of the state, `[state]`; `None` where there is none, or none is known.
    ///
    /// The box must hold as numbers: one that rounding has made too small is wrong.
    fn invariant_box(&self) -> Option<Vec<(f64, f64)>> {
        None
    }

    /// `q(h) = ½ Σ_i (F(h, x*)_i − h_i)²`: half the *sum* over the state, squared state units per step².
    fn speed(&self, state: &[f64]) -> f64 {
        let next = self.step(state);
        0.5 * next.iter().zip(state).map(|(f, h)| (f - h) * (f - h)).sum::<f64>()
    }

    /// `F(h, x*)` and `J_rec`.
    fn step_and_jacobian(&self, state: &[f64]) -> (Vector, Matrix) {
        let evaluation = self.evaluate(state);
        let jacobian = self.jacobian_at(state, &evaluation);
        (evaluation.next, jacobian)
    }

    /// Checks that a state fits.
    ///
    /// # Errors
    /// [`Error::Shape`] if it does not.
    fn check(&self, state: &[f64]) -> Result<()> {
        if state.len() == self.state_size() {
            return Ok(());
        }
        Err(Error::shape("state", state.len(), self.state_size()))
    }
}

/// A pointer to a map is a map.
macro_rules! forward {
    ($pointer:ty) => {
        impl<D: Dynamics + ?Sized> Dynamics for $pointer {
            fn state_size(&self) -> usize {
                (**self).state_size()
            }
            fn step(&self, state: &[f64]) -> Vector {
                (**self).step(state)
            }
            fn jacobian(&self, state: &[f64]) -> Matrix {
                (**self).jacobian(state)
            }
            fn input(&self) -> &[f64] {
                (**self).input()
            }
            fn input_jacobian(&self, state: &[f64]) -> Matrix {
                (**self).input_jacobian(state)
            }
            fn with_input(&self, input: &[f64]) -> Result<Box<dyn Dynamics + '_>> {
                (**self).with_input(input)
            }
            fn evaluate(&self, state: &[f64]) -> Evaluation {
                (**self).evaluate(state)
            }
            fn jacobian_at(&self, state: &[f64], evaluation: &Evaluation) -> Matrix {
                (**self).jacobian_at(state, evaluation)
            }
            fn curvature(&self, state: &[f64], radius: f64) -> Option<Vec<f64>> {
                (**self).curvature(state, radius)
            }
            fn rounding(&self, state: &[f64]) -> Option<RoundingErrors> {
                (**self).rounding(state)
            }
            fn invariant_box(&self) -> Option<Vec<(f64, f64)>> {
                (**self).invariant_box()
            }
            fn speed(&self, state: &[f64]) -> f64 {
                (**self).speed(state)
            }
            fn step_and_jacobian(&self, state: &[f64]) -> (Vector, Matrix) {
                (**self).step_and_jacobian(state)
            }
            fn check(&self, state: &[f64]) -> Result<()> {
                (**self).check(state)
            }
        }
    };
}
forward!(&D);
// `Send` is not asked for: `Sync` is what searches on many threads need.
forward!(Box<D>);
