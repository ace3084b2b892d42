//! A cell with its input held, as [`Dynamics`]: its own file in `accrue-cells` has the equations.

use crate::linalg::{Matrix, Vector};
use crate::{Dynamics, Evaluation, Map, Result, RoundingErrors};
use accrue_numerics::rounding::INFLATE;

/// Covers the rounding of the bounds' own arithmetic.
fn inflated(bounds: Vec<f64>) -> Vec<f64> {
    bounds.into_iter().map(|x| INFLATE * x).collect()
}

impl Dynamics for Map {
    fn state_size(&self) -> usize {
        self.cell().state_size()
    }

    fn step(&self, state: &[f64]) -> Vector {
        self.evaluate(state).next
    }

    fn jacobian(&self, state: &[f64]) -> Matrix {
        self.jacobian_at(state, &self.evaluate(state))
    }

    fn input(&self) -> &[f64] {
        Map::input(self)
    }

    fn input_jacobian(&self, state: &[f64]) -> Matrix {
        self.cell().kind.equations().input_jacobian(self, state, &self.evaluate(state))
    }

    fn with_input(&self, input: &[f64]) -> Result<Box<dyn Dynamics + '_>> {
        Ok(Box::new(Map::with_input(self, input)?))
    }

    fn evaluate(&self, state: &[f64]) -> Evaluation {
        assert_eq!(state.len(), self.state_size(), "the state has the cell's size");
        self.cell().kind.equations().evaluate(self, state)
    }

    fn jacobian_at(&self, state: &[f64], evaluation: &Evaluation) -> Matrix {
        self.cell().kind.equations().jacobian(self, state, evaluation)
    }

    fn curvature(&self, state: &[f64], radius: f64) -> Option<Vec<f64>> {
        self.cell().kind.equations().curvature(self, state, radius).map(inflated)
    }

    fn rounding(&self, state: &[f64]) -> Option<RoundingErrors> {
        let RoundingErrors { step, jacobian } = self.cell().kind.equations().rounding(self, state);
        Some(RoundingErrors { step: inflated(step), jacobian: inflated(jacobian) })
    }

    fn invariant_box(&self) -> Option<Vec<(f64, f64)>> {
        Map::invariant_box(self)
    }
}
