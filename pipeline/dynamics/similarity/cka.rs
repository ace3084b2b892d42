//! Centred kernel alignment with the linear kernel.
//!
//! `CKA(X, Y) = ‖XᵀY‖²_F / (‖XᵀX‖_F ‖YᵀY‖_F)` of centred states: the cosine between the two networks' matrices of
//! similarities between samples, `⟨XXᵀ, YYᵀ⟩` (Kornblith et al. 2019, arXiv:1905.00414). A rotation and a scale of
//! the units leave it; another linear map does not. Components count by the square of their variance, so that a
//! network's first few decide.

use super::DistanceMatrix;
use super::states::{States, same_samples};
use crate::linalg::{Matrix, inner};
use crate::{Error, Result};

/// Centred states with what each pair needs of them.
///
/// A network with more units than samples is turned into as many columns as samples, so that the product of a pair is
/// the smaller of the two forms (by features, by samples).
#[derive(Clone, Debug)]
pub struct Features {
    name: String,
    /// `[samples, columns]`.
    centred: Matrix,
    /// `‖XᵀX‖_F`.
    norm: f64,
    /// `(XXᵀ)_ss`, `[samples]`.
    diagonal: Vec<f64>,
}

impl Features {
    /// Of a network's states.
    ///
    /// # Errors
    /// [`Error::NotFinite`] if the decomposition of a wide network fails.
    pub fn of(states: &States) -> Result<Self> {
        let centred = states.narrow()?;
        Ok(Self {
            name: states.name().into(),
            norm: inner(&centred, &centred).norm(),
            diagonal: centred.row_iter().map(|row| row.norm_squared()).collect(),
            centred,
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
}

fn alike(a: &Features, b: &Features) -> Result<()> {
    same_samples([(a.name(), a.samples()), (b.name(), b.samples())].into_iter())
}

/// Linear CKA: 1 for networks that are rotations of each other, 0 for uncorrelated ones.
///
/// Independent networks of many units do not come near 0 unless there are many more samples: see [`debiased_cka`].
///
/// # Errors
/// [`Error::Shape`] for different numbers of samples.
pub fn cka(a: &Features, b: &Features) -> Result<f64> {
    alike(a, b)?;
    Ok((inner(&a.centred, &b.centred).norm_squared() / (a.norm * b.norm)).min(1.0))
}

/// The unbiased estimate of `⟨XXᵀ, YYᵀ⟩` up to a factor: without the similarity of a sample to itself (Song et al.
/// 2012): `‖XᵀY‖² − m/(m−2) Σ x_s y_s + Σ x_s Σ y_s/((m−1)(m−2))`, `x`, `y` the diagonals, `m` samples.
fn unbiased(a: &Features, b: &Features) -> f64 {
    let m = a.samples() as f64;
    let both: f64 = a.diagonal.iter().zip(&b.diagonal).map(|(x, y)| x * y).sum();
    let sums = a.diagonal.iter().sum::<f64>() * b.diagonal.iter().sum::<f64>();
    inner(&a.centred, &b.centred).norm_squared() - m / (m - 2.0) * both
        + sums / ((m - 1.0) * (m - 2.0))
}

/// Linear CKA from unbiased estimates: near 0 for independent networks, below it for some of them.
///
/// # Errors
/// [`Error::Shape`] for different numbers of samples; [`Error::Input`] for fewer than four, or where a network is not
/// more alike at any two samples than chance has it.
pub fn debiased_cka(a: &Features, b: &Features) -> Result<f64> {
    alike(a, b)?;
    if a.samples() < 4 {
        let problem = format!("{} samples have no unbiased CKA", a.samples());
        return Err(Error::input(&a.name, "", problem, "give at least four"));
    }
    let own = |f: &Features| match unbiased(f, f) {
        own if own > 0.0 => Ok(own),
        own => {
            let problem = format!("its own unbiased similarity is {own:.1e}, not above 0");
            Err(Error::input(&f.name, "", problem, "use more samples than units, or plain CKA"))
        }
    };
    Ok(unbiased(a, b) / (own(a)? * own(b)?).sqrt())
}

/// `1 − CKA` of all pairs, over all cores.
///
/// # Errors
/// [`Error::Shape`] for different numbers of samples.
pub fn cka_distances(networks: &[Features]) -> Result<DistanceMatrix> {
    same_samples(networks.iter().map(|n| (n.name(), n.samples())))?;
    DistanceMatrix::between(networks.len(), |i, j| Ok(1.0 - cka(&networks[i], &networks[j])?))
}
