//! The learned optimiser as a map of its state, with the gradient held.

use crate::learned::{Features, Learned};
use crate::linalg::{Matrix, Vector};
use crate::{Error, Result};
use accrue_cells::{Evaluation, Map, RoundingErrors};
use accrue_dynamics::Dynamics;

/// `h ↦ F(h, φ(g))` with `g` held, and the update `U_h(g) = s (wᵀ F(h, φ(g)) + b)` it makes. Its input is the gradient
/// itself, `[1]`.
#[derive(Clone, Debug)]
pub struct OptimiserMap {
    map: Map,
    features: Features,
    input_scale: f64,
    output_scale: f64,
    gradient: [f64; 1],
    readout: Vec<f64>,
    bias: f64,
    /// Gradients within which a sign counts as a slope.
    width: f64,
}

impl OptimiserMap {
    /// Holds the gradient at `gradient`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for weights or a gradient with NaN.
    pub fn new(learned: &Learned, gradient: f64) -> Result<Self> {
        let settings = &learned.settings;
        let (_, readout, bias) = learned.ends();
        let inputs = vec![0.0; settings.features.count()];
        let map = Map::new(&learned.cell(), &inputs)?;
        let own = Self {
            map,
            features: settings.features,
            input_scale: settings.input_scale,
            output_scale: settings.output_scale,
            gradient: [0.0],
            readout,
            bias,
            width: 1.0 / settings.input_scale,
        };
        own.at(gradient)
    }

    /// The same with gradients up to `width` counted as small: where features have a sign, which has no slope at 0, the slope
    /// there is that of the line from `−width` to `width`.
    pub fn with_width(mut self, width: f64) -> Self {
        self.width = width;
        self
    }

    /// The same with the gradient held elsewhere.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for NaN.
    pub fn at(&self, gradient: f64) -> Result<Self> {
        let map = self.map.with_input(&self.phi(gradient))?;
        Ok(Self { map, gradient: [gradient], ..self.clone() })
    }

    /// The gradient that is held.
    pub fn gradient(&self) -> f64 {
        self.gradient[0]
    }

    /// `w`, `[state]`.
    pub fn readout(&self) -> &[f64] {
        &self.readout
    }

    /// `s`, what the readout is multiplied by.
    pub fn output_scale(&self) -> f64 {
        self.output_scale
    }

    fn phi(&self, g: f64) -> Vec<f64> {
        match self.features {
            Features::Scaled => vec![self.input_scale * g],
            Features::LogSign => {
                let sign = if g == 0.0 { 0.0 } else { g.signum() };
                vec![(self.input_scale * g.abs()).ln_1p(), sign]
            }
        }
    }

    /// `φ'(g)`.
    fn phi_slope(&self, g: f64) -> Vector {
        Vector::from_vec(match self.features {
            Features::Scaled => vec![self.input_scale],
            Features::LogSign if g == 0.0 => vec![0.0, 1.0 / self.width],
            Features::LogSign => {
                vec![self.input_scale * g.signum() / (1.0 + self.input_scale * g.abs()), 0.0]
            }
        })
    }

    /// `s (wᵀ h' + b)`: what a state after the step adds to the parameter.
    pub fn moved(&self, next: &[f64]) -> f64 {
        let read: f64 = self.readout.iter().zip(next).map(|(w, h)| w * h).sum();
        self.output_scale * (read + self.bias)
    }

    /// `U_h(g)`.
    pub fn update(&self, state: &[f64]) -> f64 {
        self.moved(self.step(state).as_slice())
    }

    /// `∂U_h(g)/∂g = s wᵀ ∂F/∂g`; its negative is the learning rate at this state.
    pub fn update_slope(&self, state: &[f64]) -> f64 {
        let by = self.input_jacobian(state);
        let along: f64 = self.readout.iter().zip(by.iter()).map(|(w, b)| w * b).sum();
        self.output_scale * along
    }
}

impl Dynamics for OptimiserMap {
    fn state_size(&self) -> usize {
        self.map.state_size()
    }

    fn step(&self, state: &[f64]) -> Vector {
        Dynamics::step(&self.map, state)
    }

    fn jacobian(&self, state: &[f64]) -> Matrix {
        Dynamics::jacobian(&self.map, state)
    }

    fn input(&self) -> &[f64] {
        &self.gradient
    }

    fn input_jacobian(&self, state: &[f64]) -> Matrix {
        let by = Dynamics::input_jacobian(&self.map, state) * self.phi_slope(self.gradient[0]);
        Matrix::from_column_slice(by.len(), 1, by.as_slice())
    }

    fn with_input(&self, input: &[f64]) -> Result<Box<dyn Dynamics + '_>> {
        match input {
            [gradient] => Ok(Box::new(self.at(*gradient)?)),
            other => Err(Error::shape("gradient", other.len(), 1)),
        }
    }

    fn evaluate(&self, state: &[f64]) -> Evaluation {
        Dynamics::evaluate(&self.map, state)
    }

    fn jacobian_at(&self, state: &[f64], evaluation: &Evaluation) -> Matrix {
        Dynamics::jacobian_at(&self.map, state, evaluation)
    }

    fn curvature(&self, state: &[f64], radius: f64) -> Option<Vec<f64>> {
        Dynamics::curvature(&self.map, state, radius)
    }

    fn rounding(&self, state: &[f64]) -> Option<RoundingErrors> {
        Dynamics::rounding(&self.map, state)
    }

    fn invariant_box(&self) -> Option<Vec<(f64, f64)>> {
        Dynamics::invariant_box(&self.map)
    }
}
