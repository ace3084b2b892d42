//! How far apart the responses of two conditions are: representational dissimilarity matrices.

use crate::linalg::Matrix;
use crate::{Error, Result};

/// Squared distances between all pairs of conditions.
#[derive(Clone, Debug, PartialEq)]
pub struct Rdm {
    conditions: usize,
    /// Pairs `(0, 1), (0, 2), …, (1, 2), …`.
    pairs: Vec<f64>,
}

impl Rdm {
    /// Of a function of two conditions.
    ///
    /// # Errors
    /// [`Error::Input`] for fewer than two conditions.
    pub fn between(conditions: usize, far: impl Fn(usize, usize) -> f64) -> Result<Self> {
        if conditions < 2 {
            return Err(Error::input(
                "distances of conditions",
                "",
                format!("{conditions} conditions make no pair"),
                "give at least two",
            ));
        }
        let pairs = pairs(conditions).map(|(i, j)| far(i, j)).collect();
        Ok(Self { conditions, pairs })
    }

    /// Conditions.
    pub fn conditions(&self) -> usize {
        self.conditions
    }

    /// Squared distances, pairs `(0, 1), (0, 2), …, (1, 2), …`.
    pub fn values(&self) -> &[f64] {
        &self.pairs
    }

    /// Squared distance of two conditions.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        match i.cmp(&j) {
            std::cmp::Ordering::Equal => 0.0,
            std::cmp::Ordering::Greater => self.at(j, i),
            std::cmp::Ordering::Less => {
                self.pairs[i * self.conditions - i * (i + 1) / 2 + j - i - 1]
            }
        }
    }
}

/// Pairs of conditions in the order of [`Rdm::values`].
pub fn pairs(conditions: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..conditions).flat_map(move |i| (i + 1..conditions).map(move |j| (i, j)))
}

/// Squared Euclidean distances `‖r_i − r_j‖²` of mean responses.
///
/// Noise of variance `v` in each unit's mean adds `2 v · units` to every pair: see [`cross_validated`].
///
/// * `means`: `[conditions, units]`
///
/// # Errors
/// [`Error::Input`] for fewer than two conditions; [`Error::NotFinite`] for responses that are no numbers.
pub fn euclidean(means: &Matrix) -> Result<Rdm> {
    check(means)?;
    // A condition a column, so that a pair is two runs of memory.
    let rows = means.transpose();
    Rdm::between(means.nrows(), |i, j| (rows.column(i) - rows.column(j)).norm_squared())
}

/// Cross-validated squared distances: the mean over ordered pairs of folds `f ≠ g` of
/// `(r_i − r_j)_f · (r_i − r_j)_g` (Walther et al. 2016, without a model of the noise).
///
/// Noise that is independent between folds has mean 0 in it: distances of equal conditions are 0 on average, and may
/// be negative.
///
/// * `folds`: mean responses of each fold of trials, `[conditions, units]` each
///
/// # Errors
/// [`Error::Input`] for fewer than two folds or conditions; [`Error::Shape`] for folds of other sizes;
/// [`Error::NotFinite`] for responses that are no numbers.
pub fn cross_validated(folds: &[Matrix]) -> Result<Rdm> {
    let Some(first) = folds.first().filter(|_| folds.len() > 1) else {
        return Err(Error::input(
            "cross-validated distances",
            "",
            format!("{} folds of trials", folds.len()),
            "give every condition at least two trials",
        ));
    };
    for fold in folds {
        check(fold)?;
        if fold.shape() != first.shape() {
            let found = format!("{:?}", fold.shape());
            return Err(Error::shape("a fold's responses", found, format!("{:?}", first.shape())));
        }
    }
    let folds: Vec<Matrix> = folds.iter().map(Matrix::transpose).collect();
    let count = folds.len() as f64;
    Rdm::between(first.nrows(), |i, j| {
        // Σ_{f≠g} a_f · a_g = ‖Σ a_f‖² − Σ ‖a_f‖².
        let apart = |fold: &Matrix| fold.column(i) - fold.column(j);
        let mut sum = apart(&folds[0]);
        let mut own = sum.norm_squared();
        for fold in &folds[1..] {
            let a = apart(fold);
            own += a.norm_squared();
            sum += a;
        }
        (sum.norm_squared() - own) / (count * (count - 1.0))
    })
}

fn check(means: &Matrix) -> Result<()> {
    match means.iter().position(|x| !x.is_finite()) {
        None => Ok(()),
        Some(at) => Err(Error::NotFinite {
            what: "mean responses".into(),
            place: format!("condition {}, unit {}", at % means.nrows(), at / means.nrows()),
            remedy: "leave the unit out, or give every condition a trial".into(),
        }),
    }
}
