//! A recording beside networks: behaviour, what explains the activity, and which candidate is nearest.

use crate::dynamics::linearise::Linearisation;
use crate::dynamics::response::Responses;
use crate::dynamics::{Dynamics, Map};
use crate::linalg::Matrix;
use crate::recordings::encoding::{Regressors, Share, lagged, shares, variance};
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
    /// Principal components of the recording that are compared.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub components: usize,
}

impl Analysis {
    /// Refuses what no recording of these settings can give, before networks are trained for it.
    ///
    /// * `steps`: of a trial
    ///
    /// # Errors
    /// [`Error::Usage`] naming the setting.
    pub fn check(&self, steps: usize) -> Result<()> {
        let refuse = |problem: String| Err(Error::Usage(format!("analysis.{problem}")));
        if self.bins > steps {
            return refuse(format!(
                "bins: {} bins of {steps} steps; there may not be more",
                self.bins
            ));
        }
        if self.recorded > self.trials {
            return refuse(format!(
                "recorded: {} of {} trials; it may not be more",
                self.recorded, self.trials
            ));
        }
        let Shares { task, movement } = self.shares;
        if !(task >= 0.0 && movement >= 0.0 && task + movement < 1.0) {
            return refuse(format!(
                "shares: {task} for the task and {movement} for movements: both at least 0, and below 1 together"
            ));
        }
        if self.trials < self.bins + 2 || self.recorded < self.folds {
            return refuse(format!(
                "folds: {} folds of {} recorded trials, {} time bins of {} trials; give more trials, or fewer folds and bins",
                self.folds, self.recorded, self.bins, self.trials
            ));
        }
        Ok(())
    }
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
            components: 2,
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
    /// What each group of regressors explains: task, and movement where it was measured.
    pub shares: Vec<Share>,
    /// Held-out `R²` of the whole model.
    pub explained: f64,
    /// Variance of the task's and the movements' part of the recording, as shares of all; unknown of a real one.
    pub planted: [f64; 2],
    /// Activity without the movements' part, smoothed within trials, `[samples, units]`.
    pub corrected: Matrix,
}

/// Trials as an experimenter has them.
pub struct Observed {
    /// `[trials, steps]`.
    pub evidence: Matrix,
    /// Whether the choice was right, of each trial.
    pub right: Vec<bool>,
    /// Of the first trials, one after the other, `[recorded · steps, units]`.
    pub activity: Matrix,
    /// What was measured of movements in the same trials, `[recorded · steps, variables]`.
    pub movement: Option<Matrix>,
}

/// Makes the recording of a hidden network, and analyses it.
///
/// * `latent`: the value that a strategy gives to a trial's evidence, of the strategy that the kernel speaks of
///
/// # Errors
/// [`Error::Input`] for behaviour without both choices, or too few trials for the regressors.
pub fn block(
    settings: &Analysis,
    block: Block,
    latent: impl Fn(f64, &[f64]) -> Vec<f64>,
    seed: u64,
    name: &str,
) -> Result<Found> {
    let (trials, steps) = block.evidence.shape();
    if settings.recorded > trials {
        return Err(Error::Usage(format!(
            "analysis.recorded: {} of {trials} trials; it may not be more",
            settings.recorded
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
    let movement = movements(&sides(&right[..settings.recorded]), steps, seed, name);
    let made = record(&block.states, &movement, settings.units, settings.shares, seed, name)?;
    let total = variance(&made.activity);
    let planted = [&made.task, &made.movement].map(|p| variance(p) / total);
    let seen = Observed {
        evidence: block.evidence,
        right,
        activity: made.activity,
        movement: Some(movement),
    };
    Ok(Found { planted, ..observed(settings, seen, latent, seed)? })
}

/// −1 for left, 1 for right.
fn sides(right: &[bool]) -> Vec<f64> {
    right.iter().map(|r| if *r { 1.0 } else { -1.0 }).collect()
}

/// Behaviour, encoding model and movement correction.
///
/// * `latent`: as in [`block`]
///
/// # Errors
/// As [`block`].
pub fn observed(
    settings: &Analysis,
    seen: Observed,
    latent: impl Fn(f64, &[f64]) -> Vec<f64>,
    seed: u64,
) -> Result<Found> {
    let steps = seen.evidence.ncols();
    if settings.bins > steps {
        return Err(Error::Usage(format!(
            "analysis.bins: {} bins of {steps} steps; there may not be more",
            settings.bins
        )));
    }
    let kernel = Kernel::fit(&binned(&seen.evidence, settings.bins), &seen.right, settings.folds)?;
    let recorded = seen.activity.nrows() / steps;
    let choice = sides(&seen.right[..recorded]);
    let rows: Vec<Vec<f64>> =
        (0..recorded).map(|t| seen.evidence.row(t).iter().copied().collect()).collect();
    let values: Vec<f64> = rows.iter().flat_map(|e| latent(kernel.recency(), e)).collect();
    let trial: Vec<usize> = (0..recorded * steps).map(|s| s / steps).collect();
    let mut regressors = Regressors::default();
    regressors.group("task", task(&values, &rows.concat(), &choice, &trial, settings.lags))?;
    if let Some(movement) = &seen.movement {
        let moved = movement
            .column_iter()
            .flat_map(|m| lagged(&m.iter().copied().collect::<Vec<f64>>(), &trial, settings.lags));
        regressors.group("movement", moved.collect())?;
    }
    let (shares, full) = shares(&regressors, &seen.activity, &trial, settings.folds, seed)?;
    let corrected = match full.parts.get(1) {
        Some(moved) => seen.activity - moved,
        None => seen.activity,
    };
    Ok(Found {
        kernel,
        shares,
        explained: full.explained,
        planted: [f64::NAN; 2],
        corrected: smoothed(&corrected, steps, settings.smoothing)?,
    })
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

/// `1 − mean ρ` between the leading components of a recording and a network's states in the same trials (SVCCA): how much
/// of what the recording does most is in the network, whatever else the network does.
///
/// * `components`: of the recording; of the network those that explain 99 % are kept
///
/// # Errors
/// [`Error::Shape`] for other samples, [`Error::Input`] for states that do not vary.
pub fn representational(recording: &Matrix, states: &Matrix, components: usize) -> Result<f64> {
    let basis = |name: &str, of: &Matrix, keep| Basis::of(&States::of(name, of)?, keep);
    let recording = basis("recording", recording, Keep::Components(components))?;
    Ok(cca(&recording, &basis("network", states, Keep::default())?)?.distance())
}

/// What a network's fixed points say of its strategy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Portrait {
    /// Points that are proved to attract.
    pub stable: f64,
    /// Modes at settled states that outlast a trial, median.
    pub slow: f64,
    /// How long a unit of evidence is kept in the output, median over settled states, steps: [`kept`].
    pub tau: f64,
}

/// How long a unit of evidence is kept in the output near a point, steps: `k / ln(y(0)/y(k))` of the linear response
/// `y(t) = wᵀ Jᵗ b` over `k` steps. That of the mode that is written and read, where one mode is; a slower one that nobody
/// reads does not count. For ever where the response does not fall; none where it turns its sign.
///
/// # Errors
/// [`Error::Shape`] for a readout of another state.
pub fn kept(map: &Map, near: &Linearisation, readout: &[f64], steps: usize) -> Result<Option<f64>> {
    let entering: Vec<f64> =
        map.input_jacobian(near.point.as_slice()).column(0).iter().copied().collect();
    let y = Responses::of(near, readout, &entering, steps)?.full;
    let ratio = y[0] / y[steps];
    Ok(match ratio {
        r if r > 1.0 => Some(steps as f64 / r.ln()).map(|tau: f64| tau.min(FOR_EVER)),
        r if r > 0.0 => Some(FOR_EVER),
        _ => None,
    })
}

/// Largest time constant that counts: longer ones are as good as for ever.
const FOR_EVER: f64 = 1e4;

impl Portrait {
    /// What is compared; `None` where something of it is not known.
    fn features(&self) -> Option<[f64; 3]> {
        // `min` with a NaN is the other number: a time constant that is not there is no one that lasts for ever.
        let all = [self.stable, self.slow, self.tau.ln()];
        let known = all.iter().all(|x| !x.is_nan());
        known.then(|| [all[0], all[1], all[2].min(FOR_EVER.ln())])
    }
}

/// Distances of a network to each candidate: Euclidean, each feature divided by its standard deviation over the
/// candidates that have all of them; a feature that does not vary among those is left out. `None` where the network or the candidate lacks
/// a feature: the response to evidence that turns its sign has no time constant.
pub fn dynamical(of: &Portrait, candidates: &[Portrait]) -> Vec<Option<f64>> {
    let all: Vec<Option<[f64; 3]>> = candidates.iter().map(Portrait::features).collect();
    let spread = |k: usize| {
        let known: Vec<f64> = all.iter().flatten().map(|f| f[k]).collect();
        crate::summary::deviation(&known)
    };
    let used: Vec<(usize, f64)> = (0..3).map(|k| (k, spread(k))).filter(|s| s.1 > 0.0).collect();
    let own = of.features();
    let far = |f: &Option<[f64; 3]>| {
        let (own, f) = (own?, f.as_ref()?);
        Some(used.iter().map(|&(k, s)| ((own[k] - f[k]) / s).powi(2)).sum::<f64>().sqrt())
    };
    all.iter().map(far).collect()
}
