//! Canonical correlations of the states of two networks, and SVCCA.
//!
//! Of two networks `X`, `Y` with centred states at the same samples, the first canonical correlation is the largest
//! correlation that a weighted sum of the units of one can have with one of the other; each next is the largest of
//! sums uncorrelated with those before. Any invertible linear map of the units leaves them all.
//!
//! With orthonormal bases of the columns, `X = Q₁R₁` and `Y = Q₂R₂`, they are the singular values of `Q₁ᵀQ₂`
//! (Björck & Golub 1973). SVCCA takes the leading principal components of each network first (Raghu et al. 2017,
//! arXiv:1706.05806), which leaves out directions of little variance that correlate by chance; Maheswaranathan et al.
//! (2019, arXiv:1907.08549) map networks by `1 − mean ρ`.

use super::DistanceMatrix;
use super::states::{States, same_samples};
use crate::linalg::{Matrix, inner, singular_values, svd};
use crate::{Error, Result};

/// Which principal components of a network are compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    /// All that are more than rounding: plain CCA.
    All,
    /// The fewest that explain this share of the variance, above 0 and up to 1: SVCCA.
    Share(f64),
    /// This many, or as many as there are.
    Components(usize),
}

impl Default for Keep {
    /// The 99 % of Raghu et al. (2017).
    fn default() -> Self {
        Self::Share(0.99)
    }
}

impl Keep {
    /// How many of some singular values are kept, those that are more than rounding given.
    ///
    /// # Errors
    /// [`Error::Usage`] for a share that is none, or no component.
    pub(crate) fn count(self, singular: &[f64]) -> Result<usize> {
        match self {
            Keep::All => Ok(singular.len()),
            Keep::Components(0) => {
                Err(Error::Usage("0 components kept of a network; keep at least one".into()))
            }
            Keep::Components(count) => Ok(count.min(singular.len())),
            Keep::Share(share) if share > 0.0 && share <= 1.0 => {
                let variances: Vec<f64> = singular.iter().map(|s| s * s).collect();
                Ok(crate::geometry::variance_dimension(&variances, share))
            }
            Keep::Share(share) => Err(Error::Usage(format!(
                "{share} is no share of the variance to keep: above 0, up to 1"
            ))),
        }
    }
}

/// Orthonormal basis of the directions in which a network's states vary over samples.
#[derive(Clone, Debug)]
pub struct Basis {
    name: String,
    units: usize,
    rank: usize,
    explained: f64,
    /// `Q`, `[samples, dimensions]`.
    directions: Matrix,
}

impl Basis {
    /// The kept principal components of the centred states, each with unit norm.
    ///
    /// # Errors
    /// [`Error::Usage`] if `keep` makes no sense; [`Error::NotFinite`] if the decomposition fails.
    pub fn of(states: &States, keep: Keep) -> Result<Self> {
        let parts = svd(states.centred())?;
        let rank = states.rank(&parts.singular)?;
        let kept = keep.count(&parts.singular[..rank])?;
        let variance = |of: &[f64]| of.iter().map(|s| s * s).sum::<f64>();
        Ok(Self {
            name: states.name().into(),
            units: states.units(),
            rank,
            explained: variance(&parts.singular[..kept]) / variance(&parts.singular),
            directions: parts.u.columns(0, kept).into_owned(),
        })
    }

    /// Of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Samples of which there are states.
    pub fn samples(&self) -> usize {
        self.directions.nrows()
    }

    /// Units of the network.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Directions in which the states vary by more than rounding.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// Directions that were kept: `k`.
    pub fn dimensions(&self) -> usize {
        self.directions.ncols()
    }

    /// Share of the variance in the kept directions.
    pub fn explained(&self) -> f64 {
        self.explained
    }
}

/// Canonical correlations of two networks.
#[derive(Clone, Debug, PartialEq)]
pub struct Cca {
    /// `ρ`, descending, `[min(k₁, k₂)]`.
    pub correlations: Vec<f64>,
    /// How many are 1 whatever the networks do: two spaces of `k₁` and `k₂` dimensions among `samples − 1` share at
    /// least `k₁ + k₂ − (samples − 1)`.
    pub forced: usize,
}

impl Cca {
    /// Mean correlation.
    pub fn mean(&self) -> f64 {
        self.correlations.iter().sum::<f64>() / self.correlations.len() as f64
    }

    /// `1 − mean ρ`: 0 for networks that are linear maps of each other.
    pub fn distance(&self) -> f64 {
        1.0 - self.mean()
    }
}

/// Correlations that are 1 by the numbers alone.
fn forced(a: &Basis, b: &Basis) -> usize {
    let smaller = a.dimensions().min(b.dimensions());
    (a.dimensions() + b.dimensions()).saturating_sub(a.samples() - 1).min(smaller)
}

fn too_few_samples(a: &Basis, b: &Basis) -> Error {
    let (k_a, k_b) = (a.dimensions(), b.dimensions());
    let problem = format!(
        "{k_a} and {k_b} dimensions in {} samples: {} of {} correlations are 1 whatever the networks do",
        a.samples(),
        forced(a, b),
        k_a.min(k_b),
    );
    let remedy = format!("give more than {} samples, or keep fewer components", k_a + k_b);
    Error::input(format!("`{}` and `{}`", a.name, b.name), "", problem, remedy)
}

/// Canonical correlations of two networks at the same samples.
///
/// [`Cca::forced`] counts those that the number of samples alone makes 1.
///
/// # Errors
/// [`Error::Shape`] for different numbers of samples; [`Error::Input`] where all correlations are 1 whatever the
/// networks do, as with more units than samples.
pub fn cca(a: &Basis, b: &Basis) -> Result<Cca> {
    same_samples([(a.name(), a.samples()), (b.name(), b.samples())].into_iter())?;
    let forced = forced(a, b);
    if forced == a.dimensions().min(b.dimensions()) {
        return Err(too_few_samples(a, b));
    }
    let found = singular_values(&inner(&a.directions, &b.directions))?;
    // Rounding brings some above 1.
    Ok(Cca { correlations: found.into_iter().map(|rho| rho.min(1.0)).collect(), forced })
}

/// `1 − mean ρ` of all pairs, over all cores: one product `[k₁, samples] · [samples, k₂]` a pair.
///
/// Memory beside the bases: one `[k₁, k₂]` a core.
///
/// # Errors
/// [`Error::Shape`] for different numbers of samples; [`Error::Input`] where a correlation of some pair is 1 whatever
/// the networks do: such distances are too small, and more so between wide networks.
pub fn svcca_distances(networks: &[Basis]) -> Result<DistanceMatrix> {
    same_samples(networks.iter().map(|n| (n.name(), n.samples())))?;
    let mut by_width: Vec<&Basis> = networks.iter().collect();
    by_width.sort_by_key(|n| std::cmp::Reverse(n.dimensions()));
    if let [a, b, ..] = by_width[..]
        && forced(a, b) > 0
    {
        return Err(too_few_samples(a, b));
    }
    DistanceMatrix::between(networks.len(), |i, j| Ok(cca(&networks[i], &networks[j])?.distance()))
}

/// Points at which the density of [`chance`] is summed.
const POINTS: usize = 2000;

/// Mean correlation to expect of networks that have nothing in common, whose samples are independent.
///
/// `ρ²` of two random spaces of `k₁ ≤ k₂` dimensions among `n = samples − 1` have Wachter's (1980) density
/// `√((λ₊ − x)(x − λ₋))/(2π (k₁/n) x(1 − x))` between `λ± = (√(c₁(1 − c₂)) ± √(c₂(1 − c₁)))²`, `c = k/n`; this is the
/// mean of its `√x`. The limit of large `k`; for `k₁ = k₂ = 1` it is 6 % too high. Samples along a trajectory are not
/// independent: of those fewer count.
///
/// Correlations forced to 1 are counted too: all of them where `k₂ ≥ n`. NaN for no dimension.
pub fn chance(dimensions: [usize; 2], samples: usize) -> f64 {
    let n = samples.saturating_sub(1) as f64;
    let [small, large] = [dimensions[0].min(dimensions[1]), dimensions[0].max(dimensions[1])];
    if small == 0 {
        return f64::NAN;
    }
    if large as f64 >= n {
        return 1.0;
    }
    let shared = (small as f64 + large as f64 - n).max(0.0);
    let (c1, c2) = (small as f64 / n, large as f64 / n);
    let (left, right) = ((c1 * (1.0 - c2)).sqrt(), (c2 * (1.0 - c1)).sqrt());
    let (low, high) = ((left - right).powi(2), (left + right).powi(2));
    let (middle, half) = ((low + high) / 2.0, (high - low) / 2.0);
    // x = middle + half cos θ takes the roots at both ends away.
    let sum: f64 = (0..POINTS)
        .map(|p| {
            let theta = std::f64::consts::PI * (p as f64 + 0.5) / POINTS as f64;
            let x = middle + half * theta.cos();
            (half * theta.sin()).powi(2) / (x.sqrt() * (1.0 - x))
        })
        .sum();
    let free = sum * std::f64::consts::PI / POINTS as f64 / (std::f64::consts::TAU * c1);
    // Those that are forced are an atom at 1 beside the density.
    free + shared / small as f64
}
