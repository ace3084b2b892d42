//! How much of the activity do groups of regressors explain: ridge regression, held out by trials.
//!
//! ```text
//! z = Σ_g X_g B_g + error        B minimises ‖z − X B‖² + λ ‖B‖², X z-scored
//! ```
//!
//! Each unit's `λ` is the one with the least generalised cross-validation error (Golub, Heath & Wahba 1979),
//! `n RSS/(n − tr H)²`, on the trials that are fitted. What is unique to a group is what the whole model loses when the
//! rows of that group are shuffled (Musall et al. 2019).

use crate::linalg::{Matrix, inner, symmetric};
use crate::{Error, Result, seed};
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::ops::Range;

/// Penalties that are tried, as multiples of the mean variance of a direction of the regressors.
pub const PENALTIES: [f64; 9] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2];

/// Regressors in named groups.
#[derive(Clone, Debug, Default)]
pub struct Regressors {
    groups: Vec<(String, Range<usize>)>,
    columns: Vec<Vec<f64>>,
}

impl Regressors {
    /// Adds a group, a vector a regressor.
    ///
    /// # Errors
    /// [`Error::Input`] for a regressor that does not vary, and for a group without any; [`Error::Shape`] for one of
    /// another length; [`Error::NotFinite`] for values that are no numbers.
    pub fn group(&mut self, name: &str, columns: Vec<Vec<f64>>) -> Result<()> {
        if columns.is_empty() {
            return Err(refuse(name, "it has no regressor"));
        }
        let begin = self.columns.len();
        for (k, column) in columns.into_iter().enumerate() {
            let rows = self.columns.first().map_or(column.len(), Vec::len);
            let place = format!("{name}, regressor {}", k + 1);
            if column.len() != rows {
                return Err(Error::shape(place, column.len(), rows));
            }
            if let Some(at) = column.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite {
                    what: place,
                    place: format!("sample {at}"),
                    remedy: "leave the trial out".into(),
                });
            }
            if column.iter().all(|x| *x == column[0]) {
                return Err(refuse(&place, "it does not vary"));
            }
            self.columns.push(column);
        }
        self.groups.push((name.into(), begin..self.columns.len()));
        Ok(())
    }

    /// Names of the groups, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(|(name, _)| name.as_str())
    }

    /// How many regressors there are.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    fn matrix(&self) -> Matrix {
        let rows = self.columns.first().map_or(0, Vec::len);
        Matrix::from_fn(rows, self.columns.len(), |i, j| self.columns[j][i])
    }

    /// Of one group alone.
    fn only(&self, group: usize) -> Self {
        let (name, range) = &self.groups[group];
        Self {
            groups: vec![(name.clone(), 0..range.len())],
            columns: self.columns[range.clone()].to_vec(),
        }
    }

    /// With the rows of one group in another order.
    fn shuffled(&self, group: usize, order: &[usize]) -> Self {
        let mut all = self.clone();
        for column in &mut all.columns[self.groups[group].1.clone()] {
            *column = order.iter().map(|&i| column[i]).collect();
        }
        all
    }
}

fn refuse(place: &str, problem: &str) -> Error {
    Error::input("encoding model", place, problem, "leave it out of the regressors")
}

/// Shifts a signal by `−reach` to `reach` steps within each trial; steps outside a trial are 0.
///
/// * `trial`: of each sample; trials lie end to end
pub fn lagged(signal: &[f64], trial: &[usize], reach: usize) -> Vec<Vec<f64>> {
    let reach = reach as isize;
    (-reach..=reach)
        .map(|lag| {
            (0..signal.len() as isize)
                .map(|t| {
                    let from = t - lag;
                    let inside = (0..signal.len() as isize).contains(&from)
                        && trial[from as usize] == trial[t as usize];
                    if inside { signal[from as usize] } else { 0.0 }
                })
                .collect()
        })
        .collect()
}

/// What the held-out model says.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// Share of the variance of all units that held-out predictions explain.
    pub explained: f64,
    /// What each group adds to the predictions, `[samples, units]`, in the order of the groups.
    pub parts: Vec<Matrix>,
    /// Variance of each part, as a share of that of the activity.
    pub shares: Vec<f64>,
    /// Median over units and folds of the chosen penalty, as a multiple.
    pub penalty: f64,
}

/// Fits on all folds but one and predicts that one; trials are never split.
///
/// * `activity`: `[samples, units]`; `trial`: of each sample; trial `i` belongs to fold `i mod folds`
///
/// # Errors
/// [`Error::Shape`] for activity or trials of other samples; [`Error::Input`] for fewer trials than folds, fewer samples than
/// regressors, and activity that does not vary; [`Error::NotFinite`] for activity that is no number.
pub fn held_out(
    regressors: &Regressors,
    activity: &Matrix,
    trial: &[usize],
    folds: usize,
) -> Result<HeldOut> {
    let x = regressors.matrix();
    check(&x, activity, trial, folds)?;
    let fitted: Vec<(Vec<usize>, Ridge)> = (0..folds)
        .into_par_iter()
        .map(|fold| {
            let (test, train): (Vec<usize>, Vec<usize>) =
                (0..trial.len()).partition(|&i| trial[i] % folds == fold);
            Ok((test, Ridge::fit(&rows(&x, &train), &rows(activity, &train))?))
        })
        .collect::<Result<_>>()?;
    let mut parts = vec![Matrix::zeros(x.nrows(), activity.ncols()); regressors.groups.len()];
    let mut left = activity.clone();
    let mut penalties = Vec::new();
    for (test, ridge) in &fitted {
        let scaled = ridge.scaled(&rows(&x, test));
        for (&i, k) in test.iter().zip(0..) {
            let mut to = left.row_mut(i);
            to -= &ridge.mean;
            for (part, (_, range)) in parts.iter_mut().zip(&regressors.groups) {
                let own = scaled.columns(range.start, range.len());
                let of = own.row(k) * ridge.weights.rows(range.start, range.len());
                to -= &of;
                part.set_row(i, &of);
            }
        }
        penalties.extend_from_slice(&ridge.penalties);
    }
    let total = variance(activity);
    Ok(HeldOut {
        explained: 1.0 - left.norm_squared() / activity.nrows() as f64 / total,
        shares: parts.iter().map(|p| variance(p) / total).collect(),
        parts,
        penalty: crate::summary::median(&penalties).unwrap_or(f64::NAN),
    })
}

/// What a group explains.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// The group.
    pub group: String,
    /// Held-out `R²` of the group alone.
    pub alone: f64,
    /// What the whole model loses when the group's rows are shuffled.
    pub unique: f64,
    /// Variance of what the group adds to the whole model's predictions.
    pub part: f64,
}

/// What each group explains, alone and beside the others, and the whole model.
///
/// # Errors
/// As [`held_out`].
pub fn shares(
    regressors: &Regressors,
    activity: &Matrix,
    trial: &[usize],
    folds: usize,
    seed: u64,
) -> Result<(Vec<Share>, HeldOut)> {
    let full = held_out(regressors, activity, trial, folds)?;
    let mut all = Vec::new();
    for (g, name) in regressors.names().enumerate() {
        let mut order: Vec<usize> = (0..trial.len()).collect();
        order.shuffle(&mut seed::stream(seed, &format!("encoding/shuffle/{name}")));
        let alone = held_out(&regressors.only(g), activity, trial, folds)?.explained;
        let without = held_out(&regressors.shuffled(g, &order), activity, trial, folds)?.explained;
        let unique = full.explained - without;
        all.push(Share { group: name.into(), alone, unique, part: full.shares[g] });
    }
    Ok((all, full))
}

fn check(x: &Matrix, activity: &Matrix, trial: &[usize], folds: usize) -> Result<()> {
    let samples = activity.nrows();
    if trial.len() != samples || x.nrows() != samples {
        let found = format!("{} trials, {} rows of regressors", trial.len(), x.nrows());
        return Err(Error::shape("samples of an encoding model", found, samples));
    }
    let mut trials = trial.to_vec();
    trials.sort_unstable();
    trials.dedup();
    let problem = if folds < 2 || trials.len() < folds {
        format!("{} trials for {folds} folds", trials.len())
    } else if samples * (folds - 1) / folds <= x.ncols() {
        format!("{samples} samples in {folds} folds for {} regressors", x.ncols())
    } else if !(variance(activity) > 0.0) {
        "the activity does not vary, or is no number".into()
    } else {
        return Ok(());
    };
    Err(Error::input("encoding model", "", problem, "give more trials, or fewer regressors"))
}

/// Mean squared distance of the rows from their mean.
pub fn variance(of: &Matrix) -> f64 {
    let mean = mean_row(of);
    of.row_iter().map(|row| (row - &mean).norm_squared()).sum::<f64>() / of.nrows() as f64
}

/// Mean of the rows, `[1, units]`.
fn mean_row(of: &Matrix) -> Matrix {
    Matrix::from_fn(1, of.ncols(), |_, j| of.column(j).mean())
}

fn rows(of: &Matrix, which: &[usize]) -> Matrix {
    of.select_rows(which)
}

/// A fitted model.
struct Ridge {
    /// Of each unit, `[1, units]`.
    mean: Matrix,
    means: Vec<f64>,
    deviations: Vec<f64>,
    /// `[regressors, units]`.
    weights: Matrix,
    /// Chosen for each unit, as a multiple.
    penalties: Vec<f64>,
}

impl Ridge {
    fn fit(x: &Matrix, z: &Matrix) -> Result<Self> {
        let n = x.nrows() as f64;
        let means: Vec<f64> = x.column_iter().map(|c| c.mean()).collect();
        // A regressor of some trials alone may stand still in the others.
        let deviation = |c: f64| if c > 0.0 { c.sqrt() } else { 1.0 };
        let deviations = x.column_iter().map(|c| deviation(c.variance())).collect();
        let mean = mean_row(z);
        let mut model =
            Self { mean, means, deviations, weights: Matrix::zeros(0, 0), penalties: Vec::new() };
        let x = model.scaled(x);
        let mut z = z.clone();
        z.row_iter_mut().for_each(|mut row| row -= &model.mean);
        let (values, vectors) = symmetric(&inner(&x, &x))?;
        let values: Vec<f64> = values.into_iter().map(|v| v.max(0.0)).collect();
        let scale = values.iter().sum::<f64>() / values.len() as f64;
        // Vᵀ Xᵀ z: what the error needs of the data.
        let turned = inner(&vectors, &inner(&x, &z));
        let mut kept = turned.clone();
        for u in 0..z.ncols() {
            let square = z.column(u).norm_squared();
            let error = |penalty: f64| {
                let lambda = penalty * scale;
                let (mut left, mut free) = (square, n - 1.0);
                for (s, q) in values.iter().zip(turned.column(u).iter()) {
                    let shrunk = 1.0 / (s + lambda);
                    left -= q * q * shrunk * (2.0 - s * shrunk);
                    free -= s * shrunk;
                }
                n * left / (free * free)
            };
            let best = PENALTIES.into_iter().min_by(|a, b| error(*a).total_cmp(&error(*b)));
            let best = best.expect("some are tried");
            for (i, s) in values.iter().enumerate() {
                kept[(i, u)] /= s + best * scale;
            }
            model.penalties.push(best);
        }
        model.weights = vectors * kept;
        Ok(model)
    }

    fn scaled(&self, x: &Matrix) -> Matrix {
        Matrix::from_fn(x.nrows(), x.ncols(), |i, j| {
            (x[(i, j)] - self.means[j]) / self.deviations[j]
        })
    }
}
