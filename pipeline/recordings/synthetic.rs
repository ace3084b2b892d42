//! A recording whose shares of variance are known.

use crate::encoding::variance;
use crate::linalg::Matrix;
use crate::{Error, Result, process, seed};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// Shares of the variance of all units; noise has what is left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shares {
    /// Of the task's states.
    pub task: f64,
    /// Of movements.
    pub movement: f64,
}

impl Default for Shares {
    /// Movements explain twice as much as the task (Musall et al. 2019).
    fn default() -> Self {
        Self { task: 0.2, movement: 0.4 }
    }
}

/// Activity, and what it was made of.
#[derive(Clone, Debug)]
pub struct Recording {
    /// `[samples, units]`.
    pub activity: Matrix,
    /// What of it is of the task, `[samples, units]`.
    pub task: Matrix,
    /// What of it is of movements.
    pub movement: Matrix,
}

/// `z = task · G + movement · H + noise`, every entry of `G`, `H` and the noise normal, the three scaled to their shares
/// of a variance of 1 a unit.
///
/// * `task`: `[samples, states]`; `movement`: `[samples, variables]`, each of variance about 1
///
/// # Errors
/// [`Error::Usage`] for shares that leave nothing for noise; [`Error::Input`] for states that do not vary.
pub fn record(
    task: &Matrix,
    movement: &Matrix,
    units: usize,
    shares: Shares,
    seed: u64,
    name: &str,
) -> Result<Recording> {
    let noise = 1.0 - shares.task - shares.movement;
    if !(shares.task >= 0.0) || !(shares.movement >= 0.0) || !(noise > 0.0) {
        return Err(Error::Usage(format!(
            "shares of {} for the task and {} for movements: both at least 0, and below 1 together",
            shares.task, shares.movement
        )));
    }
    let mixed = |of: &Matrix, what: &str, share: f64| -> Result<Matrix> {
        let mut stream = seed::stream(seed, &format!("{name}/{what}"));
        let mixing = Matrix::from_fn(of.ncols(), units, |_, _| stream.sample(StandardNormal));
        let part = of * mixing;
        let own = variance(&part);
        if !(own > 0.0) {
            let remedy = "give states that differ between samples";
            return Err(Error::input("recording", what, "its states do not vary", remedy));
        }
        Ok(part * (share * units as f64 / own).sqrt())
    };
    let task = mixed(task, "task", shares.task)?;
    let movement = mixed(movement, "movement", shares.movement)?;
    let mut stream = seed::stream(seed, &format!("{name}/noise"));
    let mut activity = &task + &movement;
    for x in activity.iter_mut() {
        *x += noise.sqrt() * stream.sample::<f64, _>(StandardNormal);
    }
    Ok(Recording { activity, task, movement })
}

/// Steps over which the three movements change.
const LENGTHS: [f64; 2] = [2.0, 200.0];

/// Three movements, `[samples, 3]`: one of its own, smooth over 2 steps; one that follows the choice, which rises within
/// a trial towards its end on the chosen side, with as much of its own; and a slow drift over 200 steps, as of arousal.
///
/// * `choice`: −1 or 1 of each trial; `steps`: of a trial
pub fn movements(choice: &[f64], steps: usize, seed: u64, name: &str) -> Matrix {
    let samples = choice.len() * steps;
    let own = |k: usize, length: f64| {
        process::draw(samples, length, &mut seed::stream(seed, &format!("{name}/movement/{k}")))
    };
    let (free, locked, drift) = (own(0, LENGTHS[0]), own(1, LENGTHS[0]), own(2, LENGTHS[1]));
    let rise = |step: usize| ((step + 1) as f64 / steps as f64).powi(2);
    Matrix::from_fn(samples, 3, |s, k| match k {
        0 => free[s],
        1 => (choice[s / steps] * rise(s % steps) + locked[s]) / 2f64.sqrt(),
        _ => drift[s],
    })
}
