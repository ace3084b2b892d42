//! What a cell's file says of it, in f64.

use crate::linalg::{Matrix, Vector};
use crate::map::Map;

/// One step of a map, and what was computed on the way.
///
/// A search takes many steps of which few are kept, and needs the Jacobian at those alone: it then follows
/// from the step's own numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// The state after the step, `F(h, x*)`, `[state]`.
    pub next: Vector,
    /// What the Jacobian can be built from, as the map likes it; of a cell, values of its gates.
    pub kept: Vec<Vec<f64>>,
}

/// Bounds of the rounding errors of `F` and `J` at one state, against exact arithmetic with the same f64 weights.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundingErrors {
    /// Of each entry of `F`, `[state]`.
    pub step: Vec<f64>,
    /// Of each row of `J`, as a sum over its entries, `[state]`.
    pub jacobian: Vec<f64>,
}

impl RoundingErrors {
    /// From the bounds of each entry of the state and its row of the Jacobian.
    pub(crate) fn of(rows: impl Iterator<Item = (f64, f64)>) -> Self {
        let (step, jacobian) = rows.unzip();
        Self { step, jacobian }
    }
}

/// A cell's equations, with its input held: one implementation a file.
///
/// Shapes: `state` is `[state]`, in blocks as [`Facts::state`](crate::Facts::state) names them.
pub trait Equations: Sync {
    /// `F(h, x*)`.
    fn evaluate(&self, map: &Map, state: &[f64]) -> Evaluation;

    /// `J_rec = ∂F/∂h`, `[state, state]`, at a state that was evaluated.
    fn jacobian(&self, map: &Map, state: &[f64], at: &Evaluation) -> Matrix;

    /// `J_inp = ∂F/∂x`, `[state, inputs]`, at a state that was evaluated.
    fn input_jacobian(&self, map: &Map, state: &[f64], at: &Evaluation) -> Matrix;

    /// `K_i`: bound of `|D²F_i[v, w]|/(‖v‖‖w‖)` in the maximum norm over the ball of `radius` around `state`,
    /// a row of `F`; `None` where the cell is not smooth in the ball (a ReLU with a unit at its corner).
    ///
    /// The rounding of the bounds themselves is for the caller to cover, by
    /// [`INFLATE`](accrue_numerics::rounding::INFLATE).
    fn curvature(&self, map: &Map, state: &[f64], radius: f64) -> Option<Vec<f64>>;

    /// How far `F` and `J` as computed here may be from the truth; the rounding of the bounds as above.
    fn rounding(&self, map: &Map, state: &[f64]) -> RoundingErrors;

    /// Least and largest value of each number of the state, `[state]`, of a box that `F` takes into its interior
    /// and that holds every fixed point; `None` where the equations give no such box for any weights.
    ///
    /// The box must hold as numbers: one that rounding has made too small is wrong.
    fn invariant_box(&self, _map: &Map) -> Option<Vec<(f64, f64)>> {
        None
    }
}
