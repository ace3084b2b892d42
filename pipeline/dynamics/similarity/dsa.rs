//! Dynamical similarity: do two networks move by the same law, whatever shape their states have.
//!
//! Dynamical similarity analysis (Ostrow et al. 2023, arXiv:2306.10168) sees trajectories only:
//!
//! 1. *Delays*: `[x_t, x_{t+τ}, …, x_{t+(d−1)τ}]` is a state of which a linear law says more than of `x_t`.
//! 2. *Reduction*: the leading `r` principal components `z_t` of those, each of unit variance.
//! 3. *Operator*: the least-squares `A` of `z_{t+1} = A z_t` (dynamic mode decomposition, HAVOK).
//! 4. *Distance*: `min_C ‖A − C B Cᵀ‖_F` over orthogonal `C` ([`super::rotation`]), or the smallest angle
//!    `arccos ⟨A, C B Cᵀ⟩/(‖A‖‖B‖)`.
//!
//! Where all components are kept, unit variance makes any invertible linear map of the states a rotation of `z`: the
//! distance does not see it. States are centred, and the law has a constant, so that it sees no shift either.
//!
//! Trajectories that inputs drive are compared by both matrices of `z_{t+1} = A z_t + B u_{t+1}` (dynamic mode
//! decomposition with control, Proctor et al. 2016), under one `C`: `√(‖A − C A' Cᵀ‖² + ‖B − C B'‖²)`. The axes of the
//! inputs are those of both networks and are not turned.

use super::DistanceMatrix;
use super::cca::Keep;
use super::procrustes::Measure;
use super::rotation::{Rotation, Settings, align};
use super::states::{Number, States};
use crate::geometry::Pca;
use crate::linalg::{Matrix, svd};
use crate::{Error, Result};
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a network's state (or its input) was along several trials.
#[derive(Clone, Debug)]
pub struct Trajectories {
    name: String,
    /// `[steps, dims]` of each trial.
    trials: Vec<Matrix>,
    epsilon: f64,
}

impl Trajectories {
    /// From whole trials end to end, all of the same length.
    ///
    /// * `name`: of the network, for errors; `values`: `[trials, steps, dims]`, f32 or f64
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of values; [`Error::NotFinite`] for NaN and infinities.
    pub fn new<T: Number>(name: &str, values: &[T], shape: [usize; 3]) -> Result<Self> {
        let [trials, steps, dims] = shape;
        if values.len() != trials * steps * dims || values.is_empty() {
            let expected = format!("{trials} trials · {steps} steps · {dims}, none of them 0");
            return Err(Error::shape(format!("trajectories of `{name}`"), values.len(), expected));
        }
        let matrix = |trial: &[T]| Matrix::from_fn(steps, dims, |t, i| trial[t * dims + i].into());
        let trials = values.chunks(steps * dims).map(matrix).collect();
        Self::checked(name, trials, T::EPSILON)
    }

    /// From a matrix `[steps, dims]` a trial; steps may differ.
    ///
    /// # Errors
    /// [`Error::Shape`] for no trials, or trials of different `dims`; [`Error::NotFinite`].
    pub fn of(name: &str, trials: Vec<Matrix>) -> Result<Self> {
        Self::checked(name, trials, f64::EPSILON)
    }

    fn checked(name: &str, trials: Vec<Matrix>, epsilon: f64) -> Result<Self> {
        let what = format!("trajectories of `{name}`");
        let dims = trials.first().map_or(0, |t| t.ncols());
        if dims == 0 {
            return Err(Error::shape(what, "no trial, or no dimension", "at least one of each"));
        }
        for (number, trial) in trials.iter().enumerate() {
            if trial.ncols() != dims {
                let found = format!("{} dimensions in trial {number}", trial.ncols());
                return Err(Error::shape(what, found, format!("{dims}, as in trial 0")));
            }
            if let Some(at) = trial.iter().position(|x| !x.is_finite()) {
                let (t, i) = (at % trial.nrows(), at / trial.nrows());
                let remedy = "leave the trial out, or look why it broke down".into();
                let place = format!("trial {number}, step {t}, dimension {i}");
                return Err(Error::NotFinite { what, place, remedy });
            }
        }
        Ok(Self { name: name.into(), trials, epsilon })
    }

    /// Of the network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `[steps, dims]` of each trial.
    pub fn trials(&self) -> &[Matrix] {
        &self.trials
    }

    /// All steps of all trials, as a cloud of points for the measures of geometry.
    ///
    /// # Errors
    /// As [`States::new`].
    pub fn states(&self) -> Result<States> {
        States::centre(&self.name, stacked(&self.trials), self.epsilon)
    }

    /// Mean over trials at each step, `[steps, dims]`: the condition average that geometry is often measured on.
    ///
    /// # Errors
    /// [`Error::Shape`] for trials of different lengths.
    pub fn average(&self) -> Result<Matrix> {
        let steps = self.trials[0].nrows();
        if let Some(number) = self.trials.iter().position(|t| t.nrows() != steps) {
            let found = format!("{} steps in trial {number}", self.trials[number].nrows());
            let what = format!("trajectories of `{}`", self.name);
            return Err(Error::shape(what, found, format!("{steps}, as in trial 0")));
        }
        let sum = self.trials[1..].iter().fold(self.trials[0].clone(), |sum, t| sum + t);
        Ok(sum / self.trials.len() as f64)
    }
}

/// Matrices below each other.
fn stacked(parts: &[Matrix]) -> Matrix {
    let rows = parts.iter().map(|p| p.nrows()).sum();
    let mut all = Matrix::zeros(rows, parts.first().map_or(0, |p| p.ncols()));
    let mut at = 0;
    for part in parts {
        all.rows_mut(at, part.nrows()).copy_from(part);
        at += part.nrows();
    }
    all
}

/// How trajectories become states of a linear law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Embedding {
    /// `d`: copies of the state, later and later; 1 for the state alone.
    pub delays: usize,
    /// `τ`: steps between two copies.
    pub interval: usize,
    /// Principal components of the states that are taken before delays; `None`: the states as they are.
    pub components: Option<usize>,
    /// `r`: principal components of the delayed states that the law is fitted to.
    pub rank: Keep,
    /// Whether means are taken off and the law has a constant, `z_{t+1} = A z_t + c`, that is not compared. Without it
    /// a shift of the states is a mode with eigenvalue 1, as in the authors' code.
    pub centre: bool,
}

impl Default for Embedding {
    fn default() -> Self {
        Self { delays: 5, interval: 1, components: None, rank: Keep::Share(0.99), centre: true }
    }
}

impl Embedding {
    /// Delayed states `[steps − (d−1)τ, d · dims]` of each trial.
    ///
    /// # Errors
    /// [`Error::Usage`] for no delay or no interval; [`Error::Input`] for a trial too short to have two of them.
    pub fn hankel(&self, trajectories: &Trajectories) -> Result<Vec<Matrix>> {
        let Embedding { delays, interval, .. } = *self;
        if delays == 0 || interval == 0 {
            let problem = format!("{delays} delays {interval} steps apart; at least 1 of each");
            return Err(Error::Usage(problem));
        }
        let lost = (delays - 1) * interval;
        let one = |(number, trial): (usize, &Matrix)| {
            let (steps, dims) = trial.shape();
            if steps < lost + 2 {
                let problem =
                    format!("{steps} steps are too few for {delays} delays of {interval}");
                let remedy = format!("give at least {}, or fewer delays", lost + 2);
                let place = format!("trial {number}");
                return Err(Error::input(&trajectories.name, place, problem, remedy));
            }
            let at = |t: usize, j: usize| trial[(t + j / dims * interval, j % dims)];
            Ok(Matrix::from_fn(steps - lost, delays * dims, at))
        };
        trajectories.trials.iter().enumerate().map(one).collect()
    }

    /// The trajectories in their first principal components.
    fn projected(&self, trajectories: &Trajectories) -> Result<Trajectories> {
        let Some(kept) = self.components else { return Ok(trajectories.clone()) };
        if kept == 0 {
            return Err(Error::Usage("0 components of the states kept; keep at least one".into()));
        }
        let pca = Pca::of(&stacked(&trajectories.trials))?;
        let kept = kept.min(pca.directions.ncols());
        let directions = pca.directions.columns(0, kept).into_owned();
        let mut turned = trajectories.clone();
        turned.trials.iter_mut().for_each(|trial| *trial = &*trial * &directions);
        Ok(turned)
    }
}

/// The linear law of a network's trajectories.
#[derive(Clone, Debug)]
pub struct Operator {
    /// Of the network.
    pub name: String,
    /// `A`, `[r, r]`.
    pub matrix: Matrix,
    /// `B`, `[r, inputs]`, per root mean square of all inputs; `None` where no inputs were given.
    pub input: Option<Matrix>,
    /// Directions in which the delayed states vary by more than rounding; `r` is no more.
    pub rank: usize,
    /// Share of the variance of the delayed states in the `r` components.
    pub explained: f64,
    /// Share of the variance of `z_{t+1}` that the law predicts from the step before: near 0, the law says nothing.
    pub predicted: f64,
    /// Pairs of steps it was fitted to.
    pub samples: usize,
    /// Directions of states and inputs together that do not vary by themselves, such as inputs that follow from the
    /// state: what goes through them could be `A` or `B`, and the smallest pair was taken.
    pub undetermined: usize,
}

impl Operator {
    /// From trajectories of a network that no input moves, or whose input is part of what is compared.
    ///
    /// # Errors
    /// [`Error::Usage`] for settings that make no sense; [`Error::Input`] for trials that are too short, states that
    /// do not vary, and fewer steps than the law has numbers in a row.
    pub fn of(trajectories: &Trajectories, embedding: &Embedding) -> Result<Self> {
        Self::fitted(trajectories, None, embedding)
    }

    /// From trajectories and the inputs that drove them.
    ///
    /// * `inputs`: trials and steps as the trajectories; row `t` enters in the step that leads to state `t`,
    ///   `h_t = F(h_{t−1}, u_t)`
    ///
    /// With delays, the newest input enters: the others are part of the delayed state.
    ///
    /// # Errors
    /// As [`Operator::of`]; [`Error::Shape`] where trials or steps differ; [`Error::Input`] for inputs that never
    /// change, and an interval above 1, between whose steps inputs would be lost.
    pub fn driven(
        trajectories: &Trajectories,
        inputs: &Trajectories,
        embedding: &Embedding,
    ) -> Result<Self> {
        let lengths = |t: &Trajectories| t.trials.iter().map(|t| t.nrows()).collect::<Vec<_>>();
        if lengths(trajectories) != lengths(inputs) {
            let count = |t: &Trajectories| {
                let steps = t.trials.iter().map(|t| t.nrows()).sum::<usize>();
                format!("{} trials of {steps} steps together", t.trials.len())
            };
            let what = format!("inputs of `{}`", trajectories.name);
            return Err(Error::shape(what, count(inputs), count(trajectories)));
        }
        if embedding.interval > 1 {
            let problem = format!("delays {} steps apart lose inputs", embedding.interval);
            return Err(Error::input(&trajectories.name, "", problem, "use an interval of 1"));
        }
        Self::fitted(trajectories, Some(inputs), embedding)
    }

    fn fitted(
        trajectories: &Trajectories,
        inputs: Option<&Trajectories>,
        embedding: &Embedding,
    ) -> Result<Self> {
        let name = trajectories.name();
        let delayed = embedding.hankel(&embedding.projected(trajectories)?)?;
        let lost = (embedding.delays - 1) * embedding.interval;
        let all = stacked(&delayed);
        let rows = all.nrows();
        // Checks that something varies, and knows what is rounding.
        let states = States::centre(name, all.clone(), trajectories.epsilon)?;
        let centred = match embedding.centre {
            true => states.centred().clone(),
            false => all * states.factor(),
        };
        let parts = svd(&centred)?;
        let rank = states.rank(&parts.singular)?;
        let kept = embedding.rank.count(&parts.singular[..rank])?;
        let inputs_wide = inputs.map_or(0, |u| u.trials[0].ncols());
        let samples = rows - delayed.len();
        if samples <= kept + inputs_wide {
            let problem = format!("{samples} steps cannot tell a law of rank {kept}");
            let remedy = "give more or longer trials, or a smaller `rank`";
            return Err(Error::input(name, "", problem, remedy));
        }
        // Unit variance: √rows U.
        let z = parts.u.columns(0, kept) * (rows as f64).sqrt();
        let (mut now, mut next) =
            (Matrix::zeros(samples, kept + inputs_wide), Matrix::zeros(samples, kept));
        let (mut from, mut to) = (0, 0);
        for (trial, part) in delayed.iter().enumerate() {
            let steps = part.nrows() - 1;
            now.view_mut((to, 0), (steps, kept)).copy_from(&z.rows(from, steps));
            next.rows_mut(to, steps).copy_from(&z.rows(from + 1, steps));
            if let Some(inputs) = inputs {
                let newest = inputs.trials[trial].rows(lost + 1, steps);
                now.view_mut((to, kept), (steps, inputs_wide)).copy_from(&newest);
            }
            from += part.nrows();
            to += steps;
        }
        if inputs.is_some() {
            unit_inputs(name, &mut now, kept)?;
        }
        if embedding.centre {
            // The constant of the law: what is left of the means, as a trial's last step is no step's start.
            for mut column in now.column_iter_mut().chain(next.column_iter_mut()) {
                let mean = column.mean();
                column.add_scalar_mut(-mean);
            }
        }
        let (law, undetermined) = least_squares(&now, &next)?;
        let left = (&next - &now * &law).norm_squared();
        let mean = next.row_mean();
        let varies: f64 = next.row_iter().map(|row| (row - &mean).norm_squared()).sum();
        let variance = |of: &[f64]| of.iter().map(|s| s * s).sum::<f64>();
        Ok(Self {
            name: name.into(),
            matrix: law.rows(0, kept).transpose(),
            input: inputs.map(|_| law.rows(kept, inputs_wide).transpose()),
            rank,
            explained: variance(&parts.singular[..kept]) / variance(&parts.singular),
            predicted: if varies > 0.0 { 1.0 - left / varies } else { 0.0 },
            samples,
            undetermined,
        })
    }

    /// `r`.
    pub fn dimensions(&self) -> usize {
        self.matrix.nrows()
    }
}

/// Brings the inputs, the columns from `first` on, to a root mean square of 1 about their means, all by one factor.
fn unit_inputs(name: &str, now: &mut Matrix, first: usize) -> Result<()> {
    let (samples, count) = (now.nrows(), now.ncols() - first);
    let inputs = &now.as_slice()[first * samples..];
    let size = inputs.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    let varies = |column: &[f64]| {
        let mean = column.iter().sum::<f64>() / samples as f64;
        column.iter().map(|x| (x - mean).powi(2)).sum::<f64>()
    };
    let varies: f64 = inputs.chunks(samples).map(varies).sum();
    let spread = (varies / (samples * count) as f64).sqrt();
    if !(spread > size * f64::EPSILON) {
        let problem = "its inputs never change: nothing tells what they do";
        return Err(Error::input(name, "", problem, "compare it without inputs"));
    }
    now.columns_mut(first, count).iter_mut().for_each(|x| *x /= spread);
    Ok(())
}

/// Share of the largest singular value below which a direction of what a law is fitted to does not count.
const FLAT: f64 = 1e-10;

/// The smallest `X` of least `‖Y − Z X‖`, and how many directions of `Z` do not vary.
fn least_squares(z: &Matrix, y: &Matrix) -> Result<(Matrix, usize)> {
    let parts = svd(z)?;
    let floor = FLAT * parts.singular[0];
    let known = parts.singular.iter().take_while(|s| **s > floor).count();
    let mut right = parts.u.columns(0, known).tr_mul(y);
    right.row_iter_mut().zip(&parts.singular).for_each(|(mut row, s)| row /= *s);
    Ok((parts.v.columns(0, known) * right, parts.singular.len() - known))
}

/// How far two laws are apart after the best rotation.
#[derive(Clone, Debug)]
pub struct Dsa {
    /// Smallest angle, in radians: 0 to π.
    pub angular: f64,
    /// `min_C ‖A − C B Cᵀ‖_F`, with the inputs' part where there is one.
    pub euclidean: f64,
    /// The rotation of both, where it was found, and whether it converged.
    pub rotation: Rotation,
    /// Modes that one law has more than the other; they are compared with modes that vanish in one step.
    pub padded: usize,
}

impl Dsa {
    /// One of the two distances.
    pub fn distance(&self, measure: Measure) -> f64 {
        match measure {
            Measure::Angular => self.angular,
            Measure::Euclidean => self.euclidean,
        }
    }
}

/// Compares the laws of two networks.
///
/// Both distances belong to the same rotation: it maximises `⟨A, C B Cᵀ⟩`. Not converging is a result
/// ([`Rotation::converged`]): the distances returned are those at the rotation returned, never below the smallest.
///
/// # Errors
/// [`Error::Input`] where one has inputs and the other has none, or a law is zero; [`Error::Shape`] for different
/// numbers of inputs.
pub fn dsa(a: &Operator, b: &Operator, settings: &Settings) -> Result<Dsa> {
    let n = a.dimensions().max(b.dimensions());
    let wide = |m: &Matrix| m.clone().resize(n, n, 0.0);
    let tall = |m: &Matrix| m.clone().resize_vertically(n, 0.0);
    let (own_a, own_b) = (wide(&a.matrix), wide(&b.matrix));
    let inputs = match (&a.input, &b.input) {
        (None, None) => None,
        (Some(i), Some(j)) if i.ncols() == j.ncols() => Some((tall(i), tall(j))),
        (Some(i), Some(j)) => {
            let what = format!("inputs of `{}`", b.name);
            let expected = format!("{}, as `{}` has", i.ncols(), a.name);
            return Err(Error::shape(what, j.ncols(), expected));
        }
        (with, _) => {
            let without = if with.is_some() { &b.name } else { &a.name };
            let problem = "its law has no inputs, the other one's has";
            return Err(Error::input(
                without,
                "",
                problem,
                "fit both with inputs, or both without",
            ));
        }
    };
    let square = |own: &Matrix, input: Option<&Matrix>| {
        own.norm_squared() + input.map_or(0.0, |i| i.norm_squared())
    };
    let norm_a = square(&own_a, inputs.as_ref().map(|i| &i.0)).sqrt();
    let norm_b = square(&own_b, inputs.as_ref().map(|i| &i.1)).sqrt();
    for (norm, of) in [(norm_a, &a.name), (norm_b, &b.name)] {
        if !(norm > 0.0) {
            let problem = "its law is zero: no step follows from the one before";
            return Err(Error::input(of, "", problem, "leave it out of the comparison"));
        }
    }
    let linear = inputs.as_ref().map(|(i, j)| i * j.transpose());
    let rotation = align(&own_a, &own_b, linear.as_ref(), settings)?;
    let c = &rotation.matrix;
    let turned = c * &own_b * c.transpose();
    // Differences themselves, so that small distances lose no digits.
    let apart = |scale_a: f64, scale_b: f64| {
        let own = &own_a * scale_a - &turned * scale_b;
        let input = inputs.as_ref().map(|(i, j)| i * scale_a - c * j * scale_b);
        square(&own, input.as_ref()).sqrt()
    };
    let chord = apart(1.0 / norm_a, 1.0 / norm_b);
    Ok(Dsa {
        angular: 2.0 * (chord / 2.0).min(1.0).asin(),
        euclidean: apart(1.0, 1.0),
        padded: a.dimensions().abs_diff(b.dimensions()),
        rotation,
    })
}

/// Distances of all pairs of laws.
#[derive(Clone, Debug)]
pub struct DsaDistances {
    /// Of networks.
    pub distances: DistanceMatrix,
    /// Pairs whose rotation did not converge: their distance may be too large.
    pub not_converged: usize,
    /// Pairs whose best value only one ascent of several found: others may hide a better one.
    pub found_once: usize,
    /// Pairs of laws of different rank.
    pub padded: usize,
}

/// [`dsa`] of all pairs, over all cores.
///
/// # Errors
/// As [`dsa`].
pub fn dsa_distances(
    networks: &[Operator],
    measure: Measure,
    settings: &Settings,
) -> Result<DsaDistances> {
    let [not_converged, found_once, padded] = [(); 3].map(|_| AtomicUsize::new(0));
    let count = |counter: &AtomicUsize, is: bool| {
        counter.fetch_add(is as usize, Ordering::Relaxed);
    };
    let distances = DistanceMatrix::between(networks.len(), |i, j| {
        let found = dsa(&networks[i], &networks[j], settings)?;
        count(&not_converged, !found.rotation.converged);
        count(&found_once, found.rotation.agreed == 1 && found.rotation.tried > 1);
        count(&padded, found.padded > 0);
        Ok(found.distance(measure))
    })?;
    Ok(DsaDistances {
        distances,
        not_converged: not_converged.into_inner(),
        found_once: found_once.into_inner(),
        padded: padded.into_inner(),
    })
}
