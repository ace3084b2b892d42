//! Smooth random signals: Gaussian processes with the kernel `k(t, s) = exp(−(t − s)²/2ℓ²)`, drawn and smoothed.

use crate::linalg::{Cholesky, Matrix};
use crate::seed::Stream;
use crate::{Error, Result};
use rand::Rng;
use rand_distr::StandardNormal;

/// Lengths `ℓ` beyond which a weight of the kernel's root is below 2e−7.
const REACH: f64 = 4.0;

/// A draw of so many steps, of variance 1.
///
/// White noise is weighted by `exp(−t²/ℓ²)`, whose product with itself is the kernel: exact up to the cut at 4 `ℓ`.
///
/// * `length`: `ℓ`, in steps, above 0
pub fn draw(steps: usize, length: f64, stream: &mut Stream) -> Vec<f64> {
    let reach = (REACH * length).ceil() as usize;
    let weight = |k: usize| (-((k as f64 - reach as f64) / length).powi(2)).exp();
    let weights: Vec<f64> = (0..=2 * reach).map(weight).collect();
    let norm = weights.iter().map(|w| w * w).sum::<f64>().sqrt();
    let white: Vec<f64> = (0..steps + 2 * reach).map(|_| stream.sample(StandardNormal)).collect();
    (0..steps)
        .map(|t| weights.iter().zip(&white[t..]).map(|(w, x)| w * x).sum::<f64>() / norm)
        .collect()
}

/// The mean of a Gaussian process given noisy values: `K (K + ν I)⁻¹ y` (Rasmussen & Williams 2006, 2.25).
///
/// Prepared once for signals of one length.
#[derive(Clone, Debug)]
pub struct Smoother {
    /// `[steps, steps]`.
    weights: Matrix,
}

impl Smoother {
    /// * `length`: `ℓ`, in steps; `noise`: `ν`, the variance of the noise as a multiple of the signal's
    ///
    /// # Errors
    /// [`Error::Usage`] for a length or a noise that is not above 0, or no step.
    pub fn new(steps: usize, length: f64, noise: f64) -> Result<Self> {
        if !(length > 0.0) || !(noise > 0.0) || steps == 0 {
            return Err(Error::Usage(format!(
                "smoothing {steps} steps with length {length} and noise {noise}: all three must be above 0"
            )));
        }
        let far = |i: usize, j: usize| (i as f64 - j as f64) / length;
        let kernel = Matrix::from_fn(steps, steps, |i, j| (-0.5 * far(i, j).powi(2)).exp());
        let mut noisy = kernel.clone();
        (0..steps).for_each(|i| noisy[(i, i)] += noise);
        let factor = Cholesky::new(&noisy).ok_or_else(|| {
            Error::Usage(format!("smoothing: noise {noise} is below what f64 resolves; raise it"))
        })?;
        let columns: Vec<_> = kernel.column_iter().map(|k| factor.solve(&k.into_owned())).collect();
        // (K + νI)⁻¹ K = K (K + νI)⁻¹: both are functions of K.
        Ok(Self { weights: Matrix::from_columns(&columns) })
    }

    /// Signals smoothed, each less its mean, which is added again.
    ///
    /// * `signals`: `[steps, signals]`
    ///
    /// # Errors
    /// [`Error::Shape`] for signals of another length.
    pub fn smooth(&self, signals: &Matrix) -> Result<Matrix> {
        if signals.nrows() != self.weights.nrows() {
            return Err(Error::shape("signals", signals.nrows(), self.weights.nrows()));
        }
        let means = signals.row_mean();
        let mut centred = signals.clone();
        centred.row_iter_mut().for_each(|mut row| row -= &means);
        let mut smooth = &self.weights * centred;
        smooth.row_iter_mut().for_each(|mut row| row += &means);
        Ok(smooth)
    }
}
