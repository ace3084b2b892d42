//! Which arrangement of conditions do distances have: models of a gated and an ungated code, and how much the irrelevant
//! feature is compressed.
//!
//! A condition shows two features, of which a context makes one relevant. Models as in Flesch et al. (2022).

use crate::rdm::{Rdm, pairs};
use crate::regression::{Design, Fit};
use crate::{Error, Result, summary};

/// What was shown.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    /// Which feature is relevant: 0 or 1.
    pub context: usize,
    /// Both features, signed.
    pub features: [f64; 2],
}

impl Condition {
    /// The feature that the context asks for.
    pub fn relevant(&self) -> f64 {
        self.features[self.context]
    }

    /// The other one.
    pub fn irrelevant(&self) -> f64 {
        self.features[1 - self.context]
    }
}

/// All pairs of levels in both contexts: `2 · levels²` conditions.
pub fn conditions(levels: &[f64]) -> Vec<Condition> {
    let mut all = Vec::with_capacity(2 * levels.len() * levels.len());
    for context in 0..2 {
        for &a in levels {
            all.extend(levels.iter().map(|&b| Condition { context, features: [a, b] }));
        }
    }
    all
}

/// An arrangement of conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Model {
    /// Both features in both contexts, in one plane: nothing is gated.
    Grid,
    /// The same, the plane of the second context turned by a right angle.
    RotatedGrid,
    /// The sum of both features, on one axis.
    Diagonal,
    /// The relevant feature alone, each context on an axis of its own: gated.
    Orthogonal,
    /// The relevant feature alone, both contexts on one axis: gated, and ready to be read by one choice.
    Parallel,
}

impl Model {
    /// All of them.
    pub const ALL: [Model; 5] =
        [Model::Grid, Model::RotatedGrid, Model::Diagonal, Model::Orthogonal, Model::Parallel];

    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Model::Grid => "grid",
            Model::RotatedGrid => "rotated_grid",
            Model::Diagonal => "diagonal",
            Model::Orthogonal => "orthogonal",
            Model::Parallel => "parallel",
        }
    }

    /// Whether it leaves the irrelevant feature out.
    pub fn is_gated(self) -> bool {
        matches!(self, Model::Orthogonal | Model::Parallel)
    }

    /// Where it puts a condition.
    pub fn place(self, of: &Condition) -> [f64; 2] {
        let [a, b] = of.features;
        match (self, of.context) {
            (Model::Grid, _) | (Model::RotatedGrid, 0) => [a, b],
            (Model::RotatedGrid, _) => [b, -a],
            (Model::Diagonal, _) => [(a + b) / 2f64.sqrt(), 0.0],
            (Model::Orthogonal, 0) => [a, 0.0],
            (Model::Orthogonal, _) => [0.0, b],
            (Model::Parallel, _) => [of.relevant(), 0.0],
        }
    }

    /// Squared distances of the conditions.
    ///
    /// # Errors
    /// [`Error::Input`] for fewer than two conditions.
    pub fn distances(self, conditions: &[Condition]) -> Result<Rdm> {
        let places: Vec<[f64; 2]> = conditions.iter().map(|c| self.place(c)).collect();
        Rdm::between(places.len(), |i, j| {
            let (a, b) = (places[i], places[j]);
            (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
        })
    }
}

/// How distances are explained by the models.
#[derive(Clone, Debug, PartialEq)]
pub struct Explained {
    /// Non-negative weights of the z-scored models, in the order of [`Model::ALL`].
    pub weights: Vec<f64>,
    /// Free weights of the same.
    pub free: Vec<f64>,
    /// Correlation of each model alone with the distances.
    pub correlations: Vec<f64>,
    /// The model with the largest non-negative weight.
    pub winner: Model,
    /// `R²` of the non-negative fit.
    pub explained: f64,
}

/// Regresses distances on the models, and on whether the contexts differ: a shift of all responses between contexts
/// speaks for none of them.
///
/// # Errors
/// [`Error::Input`] for conditions from which the models cannot be told apart, [`Error::Shape`] for other conditions than
/// those of the distances.
pub fn explain(distances: &Rdm, conditions: &[Condition]) -> Result<Explained> {
    fits(distances, conditions)?;
    let models: Vec<Rdm> =
        Model::ALL.iter().map(|m| m.distances(conditions)).collect::<Result<_>>()?;
    let apart = Rdm::between(conditions.len(), |i, j| {
        (conditions[i].context != conditions[j].context) as u8 as f64
    })?;
    let named = Model::ALL.iter().zip(&models).map(|(m, rdm)| (m.name(), rdm.values()));
    let design = Design::new(named.chain([("context", apart.values())]))?;
    let (bound, free): (Fit, Fit) =
        (design.non_negative(distances.values())?, design.ordinary(distances.values())?);
    let of_models = |fit: &Fit| fit.standard[..models.len()].to_vec();
    let weights = of_models(&bound);
    let most = (0..weights.len()).max_by(|&i, &j| weights[i].total_cmp(&weights[j]));
    let correlation = |m: &Rdm| summary::pearson(m.values(), distances.values());
    Ok(Explained {
        winner: Model::ALL[most.expect("there are models")],
        weights,
        free: of_models(&free),
        correlations: models.iter().map(correlation).collect(),
        explained: bound.explained,
    })
}

/// What distances along both features come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compression {
    /// `a` of `d² ≈ a (Δ relevant)² + b (Δ irrelevant)²`.
    pub relevant: f64,
    /// `b` of the same.
    pub irrelevant: f64,
}

impl Compression {
    /// `ρ = b/a`: 1 where both features are coded alike, 0 where the irrelevant one is not there.
    pub fn ratio(&self) -> f64 {
        self.irrelevant / self.relevant
    }

    /// By how much the axis of the irrelevant feature is shortened: `1 − √ρ`.
    pub fn shortened(&self) -> f64 {
        1.0 - self.ratio().max(0.0).sqrt()
    }
}

/// Fits `d² = a (Δ relevant)² + b (Δ irrelevant)²` to the pairs within a context, by least squares.
///
/// * `context`: of these pairs; both where none is named
///
/// # Errors
/// [`Error::Input`] where a feature does not vary, [`Error::Shape`] for other conditions than those of the distances.
pub fn compression(
    distances: &Rdm,
    conditions: &[Condition],
    context: Option<usize>,
) -> Result<Compression> {
    fits(distances, conditions)?;
    let (mut aa, mut ab, mut bb, mut ay, mut by) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (i, j) in pairs(conditions.len()) {
        let (one, two) = (&conditions[i], &conditions[j]);
        if one.context != two.context || context.is_some_and(|c| c != one.context) {
            continue;
        }
        let a = (one.relevant() - two.relevant()).powi(2);
        let b = (one.irrelevant() - two.irrelevant()).powi(2);
        let y = distances.at(i, j);
        (aa, ab, bb) = (aa + a * a, ab + a * b, bb + b * b);
        (ay, by) = (ay + a * y, by + b * y);
    }
    let determinant = aa * bb - ab * ab;
    if !(determinant > 1e-12 * aa * bb) {
        return Err(Error::input(
            "compression",
            "",
            "the relevant or the irrelevant feature does not vary by itself within a context",
            "give each feature at least two levels in every context",
        ));
    }
    Ok(Compression {
        relevant: (bb * ay - ab * by) / determinant,
        irrelevant: (aa * by - ab * ay) / determinant,
    })
}

/// `ρ = γ² / (1 + s²)` of responses `β γ c a_c + β m a_m + s β m a_d` with orthonormal axes: what a decision signal `s`
/// times as strong as the input makes of a feature that is gated by `γ`.
pub fn apparent_ratio(strength: f64, gate: f64) -> f64 {
    gate * gate / (1.0 + strength * strength)
}

fn fits(distances: &Rdm, conditions: &[Condition]) -> Result<()> {
    if distances.conditions() == conditions.len() {
        return Ok(());
    }
    Err(Error::shape("conditions", conditions.len(), distances.conditions()))
}
