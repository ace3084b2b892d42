//! States of one network, checked and centred once for every measure.

use crate::linalg::{Matrix, Vector, svd};
use crate::{Error, Result};

/// A number that states may come in.
pub trait Number: Copy + Into<f64> {
    /// Distance from 1 to the next number of this type.
    const EPSILON: f64;
}

impl Number for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
}

impl Number for f64 {
    const EPSILON: f64 = f64::EPSILON;
}

/// What a network's states were at each sample, less their mean.
///
/// All measures that take it are blind to a shift and to one factor of all states, so the largest entry is
/// brought to 1: no square of states of 1e200 or 1e−200 leaves the range of f64.
#[derive(Clone, Debug)]
pub struct States {
    name: String,
    /// `[samples, units]`, largest magnitude 1, each column of mean 0.
    centred: Matrix,
    /// What the states were multiplied by.
    factor: f64,
    /// Singular value below which a direction of `centred` may be rounding.
    floor: f64,
}

impl States {
    /// From whole rows end to end.
    ///
    /// * `name`: of the network, for errors; `values`: `[samples, units]`, f32 or f64
    ///
    /// # Errors
    /// [`Error::Shape`] where the numbers are not `samples · units`; [`Error::NotFinite`] for NaN and infinities;
    /// [`Error::Input`] for fewer than two samples, and where nothing varies by more than the type's rounding.
    pub fn new<T: Number>(name: &str, values: &[T], shape: [usize; 2]) -> Result<Self> {
        let [samples, units] = shape;
        if values.len() != samples * units || units == 0 {
            let expected = format!("{samples} samples · {units} units, at least one");
            return Err(Error::shape(format!("states of `{name}`"), values.len(), expected));
        }
        let points = Matrix::from_fn(samples, units, |s, i| values[s * units + i].into());
        Self::centre(name, points, T::EPSILON)
    }

    /// From a matrix of f64, `[samples, units]`.
    ///
    /// # Errors
    /// As [`States::new`].
    pub fn of(name: &str, points: &Matrix) -> Result<Self> {
        Self::centre(name, points.clone(), f64::EPSILON)
    }

    pub(super) fn centre(name: &str, mut points: Matrix, epsilon: f64) -> Result<Self> {
        let (samples, units) = points.shape();
        let remedy = "leave the network out, or look why it broke down";
        if let Some(at) = points.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite {
                what: format!("states of `{name}`"),
                place: format!("sample {}, unit {}", at % samples, at / samples),
                remedy: remedy.into(),
            });
        }
        if samples < 2 {
            let problem = format!("states of {samples} samples cannot be compared");
            return Err(Error::input(name, "", problem, "give at least two samples"));
        }
        let size = points.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        let scale = if size > 0.0 { size } else { 1.0 };
        points /= scale;
        // Shifted by the first sample before the mean is taken: a unit that never moves is exactly 0.
        let first: Vector = points.row(0).transpose();
        for (mut column, first) in points.column_iter_mut().zip(first.iter()) {
            column.add_scalar_mut(-first);
            let mean = column.mean();
            column.add_scalar_mut(-mean);
        }
        // Independent errors of ε in each entry are a matrix of norm ε(√samples + √units).
        let rounding = epsilon * ((samples as f64).sqrt() + (units as f64).sqrt());
        let varies = points.norm();
        if !(varies > rounding) {
            return Err(still(name, samples, varies));
        }
        let largest = points.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
        points /= largest;
        Ok(Self {
            name: name.into(),
            centred: points,
            factor: 1.0 / scale / largest,
            floor: rounding / largest,
        })
    }

    /// Of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Samples of which there are states.
    pub fn samples(&self) -> usize {
        self.centred.nrows()
    }

    /// Units of the network, those that never move included.
    pub fn units(&self) -> usize {
        self.centred.ncols()
    }

    /// States less their mean, `[samples, units]`, largest magnitude 1.
    pub fn centred(&self) -> &Matrix {
        &self.centred
    }

    /// What the states were multiplied by to bring the largest to 1.
    pub(crate) fn factor(&self) -> f64 {
        self.factor
    }

    /// How many of some singular values of the centred states are more than rounding: at least one.
    ///
    /// What the type of the states leaves in every direction, or what the decomposition does
    /// (`ε max(samples, units) s₁`), whichever is more.
    ///
    /// # Errors
    /// [`Error::Input`] where none is.
    pub fn rank(&self, singular: &[f64]) -> Result<usize> {
        let most = singular.first().copied().unwrap_or(0.0);
        let decomposed = f64::EPSILON * self.samples().max(self.units()) as f64 * most;
        match singular.iter().take_while(|s| **s > self.floor.max(decomposed)).count() {
            0 => Err(still(&self.name, self.samples(), most)),
            rank => Ok(rank),
        }
    }

    /// The centred states in at most as many columns as samples: turned so that the columns left out are zero, which
    /// changes no product `X Xᵀ`.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the decomposition fails.
    pub(crate) fn narrow(&self) -> Result<Matrix> {
        if self.units() <= self.samples() {
            return Ok(self.centred.clone());
        }
        let parts = svd(&self.centred)?;
        let mut turned = parts.u;
        turned.column_iter_mut().zip(&parts.singular).for_each(|(mut column, s)| column *= *s);
        Ok(turned)
    }
}

fn still(name: &str, samples: usize, varies: f64) -> Error {
    let problem = format!(
        "its states do not vary: all {samples} samples are alike to a relative {:.1e}",
        varies / (samples as f64).sqrt()
    );
    Error::input(name, "", problem, "leave it out of the comparison")
}

/// Refuses networks with states of different numbers of samples.
///
/// * `networks`: name and number of samples of each
pub(crate) fn same_samples<'a>(mut networks: impl Iterator<Item = (&'a str, usize)>) -> Result<()> {
    let Some((first, expected)) = networks.next() else { return Ok(()) };
    match networks.find(|(_, samples)| *samples != expected) {
        None => Ok(()),
        Some((name, samples)) => Err(Error::shape(
            format!("states of `{name}`"),
            format!("{samples} samples"),
            format!("{expected}, as of `{first}`: the same inputs in the same order"),
        )),
    }
}
