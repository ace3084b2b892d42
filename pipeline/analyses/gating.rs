//! Whether an irrelevant feature is gated: distances of conditions before and after the decision is taken out, and the
//! mechanisms by which networks select.

use crate::dynamics::linearise::Linearisation;
use crate::dynamics::{Dynamics, Map};
use crate::linalg::{Matrix, Vector};
use crate::recordings::generator::{Decision, Generator, folds};
use crate::recordings::geometry::{Condition, Explained, apparent_ratio, compression, explain};
use crate::recordings::rdm::cross_validated;
use crate::recordings::selection::{Mixture, mixture};
use crate::recordings::targeted::{axes, without};
use crate::recordings::{geometry, rdm::Rdm};
use crate::{Error, Result, setting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// What is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shown {
    /// Levels of both features; every pair is shown in both contexts.
    pub levels: Vec<f64>,
    /// Trials of each condition in networks.
    #[serde(deserialize_with = "setting::whole::<_, 4, 100000>")]
    pub trials: usize,
    /// Folds of trials of the cross-validated distances.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000>")]
    pub folds: usize,
    /// `γ`: gates through which the irrelevant input enters networks and formula; 1 is none.
    #[serde(deserialize_with = "setting::numbers")]
    pub gates: Vec<f64>,
    /// Windows into which a trial is cut.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000>")]
    pub windows: usize,
}

impl Default for Shown {
    /// Six signed levels of each feature, as in the recordings (Mante et al. 2013) and in arXiv 2111.01256.
    fn default() -> Self {
        Self {
            levels: vec![-0.04, -0.02, -0.009, 0.009, 0.02, 0.04],
            trials: 128,
            folds: 4,
            gates: vec![1.0, 0.3, 0.0],
            windows: 5,
        }
    }
}

impl Shown {
    /// The conditions, features scaled so that the largest is 1.
    ///
    /// # Errors
    /// [`Error::Usage`] for levels that make no two conditions, or folds that have no trial.
    pub fn conditions(&self) -> Result<Vec<Condition>> {
        let most = self.levels.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        if self.levels.len() < 2
            || !(most > 0.0 && most < 1e38)
            || self.levels.iter().all(|l| *l == self.levels[0])
        {
            return Err(Error::Usage(format!(
                "shown.levels: {:?} make no two conditions: give at least two levels that differ",
                self.levels
            )));
        }
        if self.trials < self.folds {
            return Err(Error::Usage(format!(
                "shown.folds: {} folds of {} trials a condition; give every fold a trial",
                self.folds, self.trials
            )));
        }
        if self.gates.is_empty() {
            return Err(Error::Usage("shown.gates: none; 1 is an open gate".into()));
        }
        let scaled: Vec<f64> = self.levels.iter().map(|l| l / most).collect();
        Ok(geometry::conditions(&scaled))
    }

    /// What the features of [`Shown::conditions`] were divided by.
    pub fn scale(&self) -> f64 {
        self.levels.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
    }
}

/// Responses made by a formula.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Generated {
    /// Units.
    #[serde(deserialize_with = "setting::whole::<_, 4, 10000>")]
    pub units: usize,
    /// Trials of each condition.
    #[serde(deserialize_with = "setting::whole::<_, 4, 100000>")]
    pub trials: usize,
    /// Draws of axes and noise.
    #[serde(deserialize_with = "setting::whole::<_, 2, 10000>")]
    pub draws: usize,
    /// Decision signals, in units of the input's.
    #[serde(deserialize_with = "setting::numbers")]
    pub strengths: Vec<f64>,
    /// Standard deviation of each unit's noise, the largest input being 1 along its axis.
    #[serde(deserialize_with = "setting::not_negative")]
    pub noise: f64,
    /// Standard deviation of the decision in the same units: without it no regression tells choice and feature apart.
    #[serde(deserialize_with = "setting::positive")]
    pub decision_noise: f64,
}

impl Default for Generated {
    fn default() -> Self {
        Self {
            units: 200,
            trials: 40,
            draws: 10,
            strengths: vec![0.0, 0.5, 1.0, 2.0, 3.0, 5.0],
            noise: 0.1,
            decision_noise: 0.5,
        }
    }
}

/// Trials of known conditions.
pub struct Trials<'a> {
    /// `[trials, units]`.
    pub responses: &'a Matrix,
    /// The condition of each.
    pub condition: &'a [usize],
    /// Both features as they were shown in each trial, noise included: in the window from which the responses are.
    pub shown: &'a [[f64; 2]],
    /// −1 or 1 of each.
    pub choice: &'a [f64],
    /// The decision variable of each.
    pub decision: &'a [f64],
}

/// What distances say of gating.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Irrelevant over relevant, of both contexts together and of each.
    pub before: [f64; 3],
    /// The same of both without the axes of choice.
    pub without_choice: f64,
    /// The same without those of choice and of the decision variable.
    pub without_decision: f64,
    /// Models of the distances.
    pub models: Explained,
    /// Models of the distances without the axes of choice.
    pub models_after: Explained,
    /// Mean response of each condition along the relevant axis, the irrelevant axis and that of choice, orthonormal in the
    /// order choice, relevant, irrelevant, of its context.
    pub places: Vec<[f64; 3]>,
    /// Distances.
    pub distances: Rdm,
}

/// Measures distances and their ratio, and does it again without the decision.
///
/// Axes are those of a regression within each context on choice (or the decision variable) and both features as they were
/// shown in each trial. The condition's own level would not do: of evidence that is added up, noise and level enter a
/// decision alike, and the axis of the decision would hold what the window's own input does to the state.
///
/// # Errors
/// [`Error::Input`] for conditions and choices that make no regression, and conditions with fewer trials than folds.
pub fn measure(trials: &Trials, conditions: &[Condition], parts: usize) -> Result<Measured> {
    let distances = |responses: &Matrix| -> Result<Rdm> {
        cross_validated(&folds(responses, trials.condition, conditions.len(), parts)?)
    };
    let ratio = |of: &Rdm, context| Ok::<_, Error>(compression(of, conditions, context)?.ratio());
    let plain = distances(trials.responses)?;
    let (mut of_choice, mut of_decision) = (Vec::new(), Vec::new());
    let mut places = vec![[0.0; 3]; conditions.len()];
    let means = folds(trials.responses, trials.condition, conditions.len(), 1)?.remove(0);
    for context in 0..2 {
        let rows: Vec<usize> = (0..trials.condition.len())
            .filter(|&i| conditions[trials.condition[i]].context == context)
            .collect();
        let responses = trials.responses.select_rows(&rows);
        let of = |f: &dyn Fn(usize) -> f64| rows.iter().map(|&i| f(i)).collect::<Vec<f64>>();
        let relevant = of(&|i| trials.shown[i][context]);
        let irrelevant = of(&|i| trials.shown[i][1 - context]);
        let choice = of(&|i| trials.choice[i]);
        let decision = of(&|i| trials.decision[i]);
        let features =
            [("relevant feature", &relevant[..]), ("irrelevant feature", &irrelevant[..])];
        let by_choice = axes(&responses, &[("choice", &choice[..]), features[0], features[1]])?;
        let by_decision =
            axes(&responses, &[("decision", &decision[..]), features[0], features[1]])?;
        of_choice.push(by_choice.weights.column(0).into_owned());
        of_decision.push(by_decision.weights.column(0).into_owned());
        let along = &means * &by_choice.orthonormal;
        for c in (0..conditions.len()).filter(|&c| conditions[c].context == context) {
            places[c] = [along[(c, 1)], along[(c, 2)], along[(c, 0)]];
        }
    }
    let left = without(trials.responses, &Matrix::from_columns(&of_choice))?;
    of_choice.extend(of_decision);
    let still = without(trials.responses, &Matrix::from_columns(&of_choice))?;
    let after = distances(&left)?;
    Ok(Measured {
        before: [ratio(&plain, None)?, ratio(&plain, Some(0))?, ratio(&plain, Some(1))?],
        without_choice: ratio(&after, None)?,
        without_decision: ratio(&distances(&still)?, None)?,
        models: explain(&plain, conditions)?,
        models_after: explain(&after, conditions)?,
        places,
        distances: plain,
    })
}

/// A generator's draw, measured.
pub struct Draw {
    /// Along what the decision lies.
    pub decision: Decision,
    /// Decision signal.
    pub strength: f64,
    /// Gate.
    pub gate: f64,
    /// Which draw.
    pub draw: usize,
    /// The ratio by the formula: of both contexts, or of the first where the decision is tied to it.
    pub formula: f64,
    /// What was found.
    pub measured: Measured,
}

/// Its name in tables.
pub fn decision_name(decision: Decision) -> &'static str {
    match decision {
        Decision::Shared => "shared",
        Decision::Own => "own",
        Decision::TiedToFirst => "tied",
    }
}

/// Measures every strength and gate with a shared axis of decision, and every strength without a gate where each context
/// has an axis of its own, and where the decision is tied to the first feature.
///
/// # Errors
/// As [`measure`] and [`Shown::conditions`].
pub fn generated(settings: &Generated, shown: &Shown, seed: u64) -> Result<Vec<Draw>> {
    let conditions = shown.conditions()?;
    let mut jobs = Vec::new();
    for &strength in &settings.strengths {
        for draw in 0..settings.draws {
            jobs.extend(shown.gates.iter().map(|&gate| (Decision::Shared, strength, gate, draw)));
            jobs.push((Decision::Own, strength, 1.0, draw));
            jobs.push((Decision::TiedToFirst, strength, 1.0, draw));
        }
    }
    let measured = |(decision, strength, gate, draw): (Decision, f64, f64, usize)| {
        let generator = Generator {
            units: settings.units,
            trials: settings.trials,
            strength,
            gate,
            noise: settings.noise,
            decision_noise: settings.decision_noise,
            decision,
        };
        // Another draw has other axes and noise; strengths and gates are compared on the same.
        let made = generator.draw(&conditions, seed.wrapping_add(draw as u64))?;
        let shown_features: Vec<[f64; 2]> =
            made.condition.iter().map(|&c| conditions[c].features).collect();
        let trials = Trials {
            responses: &made.responses,
            condition: &made.condition,
            shown: &shown_features,
            choice: &made.choice,
            decision: &made.decision,
        };
        let measured = measure(&trials, &conditions, shown.folds)?;
        let formula = apparent_ratio(strength, gate);
        Ok(Draw { decision, strength, gate, draw, formula, measured })
    };
    jobs.into_par_iter().map(measured).collect()
}

/// States after `steps` more steps under the input that a map holds: what is left once all fast modes have died away lies on
/// the slow manifold, near where states were.
pub fn settled(map: &Map, states: &[&[f64]], steps: usize) -> Vec<Vec<f64>> {
    let settle =
        |state: &&[f64]| (0..steps).fold(state.to_vec(), |h, _| map.step(&h).as_slice().to_vec());
    states.par_iter().map(settle).collect()
}

/// By which mechanisms a network integrates each of two streams in its own context and not in the other.
///
/// Selection vector, line and input are means over slow points of a context, as [`settled`] gives them; points whose slowest mode turns are left out.
/// They are scaled so that both contexts move the output alike: `s = (wᵀ r₁) ℓ₁`, `ρ = r₁/(wᵀ r₁)`.
///
/// * `maps`, `points`: by context; `readout`: `w`, `[state]`; the number of a stream is that of its context
///
/// Returns the mixture of each stream, and how many points there were; none where a context has no point.
///
/// # Errors
/// What linearising returns.
pub fn mechanisms(
    maps: [&Map; 2],
    points: [&[&[f64]]; 2],
    readout: &[f64],
) -> Result<Option<([Mixture; 2], usize)>> {
    let n = readout.len();
    let mut used = 0;
    let mut of = Vec::new();
    for (map, points) in maps.into_iter().zip(points) {
        let (mut s, mut line) = (Vector::zeros(n), Vector::zeros(n));
        let mut inputs = [Vector::zeros(n), Vector::zeros(n)];
        let mut count = 0.0;
        for point in points {
            let near = Linearisation::at(map, point, Some(readout))?;
            if !near.is_real(0) {
                continue;
            }
            let left = near.eigen.left.column(0).map(|z| z.re);
            let right = near.eigen.right.column(0).map(|z| z.re);
            let read: f64 = right.iter().zip(readout).map(|(r, w)| r * w).sum();
            s += left * read;
            line += right / read;
            let entering = map.input_jacobian(point);
            inputs.iter_mut().enumerate().for_each(|(k, to)| *to += entering.column(k));
            count += 1.0;
        }
        if count == 0.0 {
            return Ok(None);
        }
        used += count as usize;
        of.push((s / count, line / count, inputs.map(|i| i / count)));
    }
    let line = (&of[0].1 + &of[1].1) / 2.0;
    let stream = |k: usize| {
        let (own, other) = (&of[k], &of[1 - k]);
        mixture([&own.0, &other.0], [&own.2[k], &other.2[k]], &line)
    };
    Ok(Some(([stream(0), stream(1)], used)))
}
