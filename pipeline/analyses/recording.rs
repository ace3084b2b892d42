//! A recording beside networks: behaviour, what explains the activity, and which candidate is nearest.

use crate::linalg::Matrix;
use crate::recordings::encoding::{Regressors, Share, lagged, shares};
use crate::recordings::kernel::Kernel;
use crate::recordings::process::Smoother;
use crate::recordings::synthetic::{Shares, movements, record};
use crate::similarity::{Basis, Keep, States, cca};
use crate::{Error, Result, seed, setting};
use rand::Rng;
use serde::{Deserialize, Serialize};

/// How a recording is made and looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Analysis {
    /// Trials of a block's behaviour.
    #[serde(deserialize_with = "setting::whole::<_, 20, 1000000>")]
    pub trials: usize,
    /// Of these, trials in which units were recorded.
    #[serde(deserialize_with = "setting::whole::<_, 10, 100000>")]
    pub recorded: usize,
    /// Units.
    #[serde(deserialize_with = "setting::whole::<_, 2, 10000>")]
    pub units: usize,
    /// Shares of the units' variance.
    pub shares: Shares,
    /// Share of trials whose choice is a coin's.
    #[serde(deserialize_with = "setting::share")]
    pub lapses: f64,
    /// Time bins of the psychophysical kernel.
    #[serde(deserialize_with = "setting::whole::<_, 3, 1000>")]
    pub bins: usize,
    /// Recency above which a kernel speaks of a leak, and below whose negative of a bound.
    #[serde(deserialize_with = "setting::positive")]
    pub recency: f64,
    /// Steps before and after by which regressors are shifted.
    #[serde(deserialize_with = "setting::whole::<_, 0, 100>")]
    pub lags: usize,
    /// Folds of trials.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000>")]
    pub folds: usize,
    /// Length, in steps, by which activity is smoothed before it is compared.
    #[serde(deserialize_with = "setting::positive")]
    pub smoothing: f64,
    /// Principal components that are compared.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub components: usize,
}

impl Default for Analysis {
    fn default() -> Self {
        Self {
            trials: 1000,
            recorded: 200,
            units: 150,
            shares: Shares::default(),
            lapses: 0.05,
            bins: 10,
            recency: 0.25,
            lags: 2,
            folds: 10,
            smoothing: 1.5,
            components: 3,
        }
    }
}

/// One block: evidence, and what the hidden network made of it.
pub struct Block {
    /// `[trials, steps]`.
    pub evidence: Matrix,
    /// Its output at the end of each trial.
    pub decision: Vec<f64>,
    /// Its states in the recorded trials, one trial after the other, `[recorded · steps, state]`.
    pub states: Matrix,
}

/// What a block's analysis found.
pub struct Found {
    /// Weights of evidence by time bin.
    pub kernel: Kernel,
    /// What each group of regressors explains: task, movement.
    pub shares: Vec<Share>,
    /// Held-out `R²` of the whole model.
    pub explained: f64,
    /// Variance of the task's and the movements' part of the recording, as shares of all.
    pub planted: [f64; 2],
    /// Activity without the movements' part, smoothed within trials, `[samples, units]`.
    pub corrected: Matrix,
}

/// Behaviour, encoding model and movement correction of one block.
///
/// * `latent`: the value that a strategy gives to a trial's evidence, of the strategy that the kernel speaks of
///
/// # Errors
/// [`Error::Input`] for behaviour without both choices, or too few trials for the regressors.
pub fn block(
    settings: &Analysis,
    block: &Block,
    latent: impl Fn(f64, &[f64]) -> Vec<f64>,
    seed: u64,
    name: &str,
) -> Result<Found> {
    let (trials, steps) = block.evidence.shape();
    if settings.bins > steps || settings.recorded > trials {
        return Err(Error::Usage(format!(
            "analysis: {} bins of {steps} steps, {} recorded of {trials} trials; neither may be more",
            settings.bins, settings.recorded
        )));
    }
    let mut stream = seed::stream(seed, &format!("{name}/lapses"));
    let right: Vec<bool> = block
        .decision
        .iter()
        .map(|d| match stream.random::<f64>() < settings.lapses {
            true => stream.random(),
            false => *d > 0.0,
        })
        .collect();
    let kernel = Kernel::fit(&binned(&block.evidence, settings.bins), &right, settings.folds)?;
    let choice: Vec<f64> =
        right[..settings.recorded].iter().map(|r| if *r { 1.0 } else { -1.0 }).collect();
    let movement = movements(&choice, steps, seed, name);
    let made = record(&block.states, &movement, settings.units, settings.shares, seed, name)?;
    let rows: Vec<Vec<f64>> =
        (0..settings.recorded).map(|t| block.evidence.row(t).iter().copied().collect()).collect();
    let values: Vec<f64> = rows.iter().flat_map(|e| latent(kernel.recency(), e)).collect();
    let trial: Vec<usize> = (0..settings.recorded * steps).map(|s| s / steps).collect();
    let mut regressors = Regressors::default();
    regressors.group("task", task(&values, &rows.concat(), &choice, &trial, settings.lags))?;
    let moved = movement
        .column_iter()
        .flat_map(|m| lagged(&m.iter().copied().collect::<Vec<f64>>(), &trial, settings.lags));
    regressors.group("movement", moved.collect())?;
    let (shares, full) = shares(&regressors, &made.activity, &trial, settings.folds, seed)?;
    let total = crate::recordings::encoding::variance(&made.activity);
    let planted =
        [&made.task, &made.movement].map(|p| crate::recordings::encoding::variance(p) / total);
    let corrected = smoothed(&(made.activity - &full.parts[1]), steps, settings.smoothing)?;
    Ok(Found { kernel, shares, explained: full.explained, planted, corrected })
}

/// Means of evidence over bins of time, `[trials, bins]`.
fn binned(evidence: &Matrix, bins: usize) -> Matrix {
    let steps = evidence.ncols();
    Matrix::from_fn(evidence.nrows(), bins, |t, b| {
        evidence.row(t).columns_range(b * steps / bins..(b + 1) * steps / bins).mean()
    })
}

/// Regressors of the task: the latent value, its square and cube, and the evidence, all shifted; and each step of a trial
/// by itself, alone and with the choice.
fn task(
    values: &[f64],
    evidence: &[f64],
    choice: &[f64],
    trial: &[usize],
    lags: usize,
) -> Vec<Vec<f64>> {
    let steps = trial.len() / choice.len();
    let power = |k: i32| values.iter().map(|v| v.powi(k)).collect::<Vec<f64>>();
    let signals = [power(1), power(2), power(3), evidence.to_vec()];
    let mut all: Vec<Vec<f64>> = signals.iter().flat_map(|s| lagged(s, trial, lags)).collect();
    for step in 0..steps {
        let at = |s: usize| (s % steps == step) as u8 as f64;
        all.push((0..trial.len()).map(at).collect());
        all.push((0..trial.len()).map(|s| at(s) * choice[trial[s]]).collect());
    }
    all
}

/// Trials smoothed one by one.
fn smoothed(activity: &Matrix, steps: usize, length: f64) -> Result<Matrix> {
    // As much noise as signal: what the corrected recording of the default shares has, over its few dimensions.
    let smoother = Smoother::new(steps, length, 1.0)?;
    let mut out = activity.clone();
    for t in 0..activity.nrows() / steps {
        let rows = activity.rows(t * steps, steps).into_owned();
        out.rows_mut(t * steps, steps).copy_from(&smoother.smooth(&rows)?);
    }
    Ok(out)
}

/// `1 − mean ρ` between a recording and a network's states in the same trials, of their leading components (SVCCA).
///
/// # Errors
/// [`Error::Shape`] for other samples, [`Error::Input`] for states that do not vary.
pub fn representational(recording: &Matrix, states: &Matrix, components: usize) -> Result<f64> {
    let keep = Keep::Components(components);
    let basis = |name: &str, of: &Matrix| Basis::of(&States::of(name, of)?, keep);
    Ok(cca(&basis("recording", recording)?, &basis("network", states)?)?.distance())
}

/// What a network's fixed points say of its strategy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Portrait {
    /// Points that are proved to attract.
    pub stable: f64,
    /// Modes at slow points that outlast a trial, median.
    pub slow: f64,
    /// Time constant of the slowest mode, median over slow points, steps.
    pub tau: f64,
}

/// Largest time constant that counts: longer ones are as good as for ever.
const FOR_EVER: f64 = 1e4;

impl Portrait {
    fn features(&self) -> [f64; 3] {
        [self.stable, self.slow, self.tau.min(FOR_EVER).ln()]
    }
}

/// Distances of a network to each candidate: Euclidean, each feature divided by its standard deviation over the
/// candidates; one that does not vary among them is left out.
pub fn dynamical(of: &Portrait, candidates: &[Portrait]) -> Vec<f64> {
    let all: Vec<[f64; 3]> = candidates.iter().map(Portrait::features).collect();
    let spread =
        |k: usize| crate::summary::deviation(&all.iter().map(|f| f[k]).collect::<Vec<_>>());
    let used: Vec<(usize, f64)> = (0..3).map(|k| (k, spread(k))).filter(|s| s.1 > 0.0).collect();
    let own = of.features();
    let far =
        |f: &[f64; 3]| used.iter().map(|&(k, s)| ((own[k] - f[k]) / s).powi(2)).sum::<f64>().sqrt();
    all.iter().map(far).collect()
}
