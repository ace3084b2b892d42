//! Shape distances: what is left between two networks after the best rotation.
//!
//! States are centred and brought to `‖X‖_F = 1`. Over all orthogonal `Q`, rotations and reflections,
//! `max ⟨X, YQ⟩ = ‖XᵀY‖_*`, the sum of the singular values (Schönemann 1966). From it follow the angle
//! `arccos ‖XᵀY‖_*`, a metric (the triangle inequality holds), and the Euclidean `√(2 − 2‖XᵀY‖_*)`, a metric too
//! (Williams et al. 2021, arXiv:2110.14739). Networks of different widths are compared as if the narrower had units
//! that are always 0.

use super::DistanceMatrix;
use super::states::{States, same_samples};
use crate::Result;
use crate::linalg::{Matrix, inner, svd};

/// Centred states of unit norm.
#[derive(Clone, Debug)]
pub struct Shape {
    name: String,
    /// `[samples, columns]`, `‖X‖_F = 1`.
    states: Matrix,
}

impl Shape {
    /// Of a network's states.
    ///
    /// # Errors
    /// [`crate::Error::NotFinite`] if the decomposition of a wide network fails.
    pub fn of(states: &States) -> Result<Self> {
        let mut centred = states.narrow()?;
        centred /= centred.norm();
        Ok(Self { name: states.name().into(), states: centred })
    }

    /// Of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Samples of which there are states.
    pub fn samples(&self) -> usize {
        self.states.nrows()
    }
}

/// Two shapes after the best rotation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Procrustes {
    /// `‖XᵀY‖_*`: 1 for the same shape.
    pub overlap: f64,
    /// `arccos` of it, in radians: 0 to π/2.
    pub angular: f64,
    /// `√(2 − 2 overlap)`: 0 to √2.
    pub euclidean: f64,
}

/// Which distance between shapes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Measure {
    /// The angle, in radians.
    #[default]
    Angular,
    /// The distance in the states' own space.
    Euclidean,
}

/// Overlap above which `1 − overlap` has lost half of its digits or more.
const CLOSE: f64 = 1.0 - 1e-6;

/// Both distances between two shapes.
///
/// # Errors
/// [`crate::Error::Shape`] for different numbers of samples; [`crate::Error::NotFinite`] if the decomposition fails.
pub fn procrustes(a: &Shape, b: &Shape) -> Result<Procrustes> {
    same_samples([(a.name(), a.samples()), (b.name(), b.samples())].into_iter())?;
    // The wider first: of a product that is not square, U Vᵀ turns the narrower into the wider.
    let (a, b) = if a.states.ncols() >= b.states.ncols() { (a, b) } else { (b, a) };
    let parts = svd(&inner(&a.states, &b.states))?;
    let overlap = parts.singular.iter().sum::<f64>().min(1.0);
    let euclidean = if overlap > CLOSE {
        // Of near shapes the difference itself: no digits cancel.
        (&b.states * (parts.v * parts.u.transpose()) - &a.states).norm()
    } else {
        (2.0 - 2.0 * overlap).sqrt()
    };
    Ok(Procrustes { overlap, angular: 2.0 * (euclidean / 2.0).min(1.0).asin(), euclidean })
}

/// Shape distances of all pairs, over all cores.
///
/// # Errors
/// As [`procrustes`].
pub fn shape_distances(networks: &[Shape], measure: Measure) -> Result<DistanceMatrix> {
    same_samples(networks.iter().map(|n| (n.name(), n.samples())))?;
    DistanceMatrix::between(networks.len(), |i, j| {
        let found = procrustes(&networks[i], &networks[j])?;
        Ok(match measure {
            Measure::Angular => found.angular,
            Measure::Euclidean => found.euclidean,
        })
    })
}
