//! A network from a few labels: `θ` alone is learned, with the meta-model frozen.

use crate::pass::{Objective, gradient};
use crate::{Layout, Measure, MetaModel, Phrases, Recording, Result, Said, seed, setting};
use accrue_descent::{Adam, Moments};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};

/// How `θ` is sought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Searches, each from its own place.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000>")]
    pub restarts: usize,
    /// Steps of Adam, on all labelled phrases at once.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub steps: usize,
    /// Learning rate, in standard deviations of the base models' `θ`.
    #[serde(deserialize_with = "setting::positive")]
    pub learning_rate: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { restarts: 20, steps: 60, learning_rate: 0.1 }
    }
}

/// The `θ` whose loss on the labelled phrases is least, and that loss, in nats.
///
/// Searches begin at draws from a normal distribution with the mean and the standard deviations of the base models' `θ_n`; the loss is
/// the cross-entropy of the last step's output. All of them go through the cell together.
///
/// * `phrases`: the labelled ones
/// * `labels`: class of each
///
/// # Errors
/// [`crate::Error::Shape`] for phrases that the meta-model cannot read.
pub fn search(
    meta: &MetaModel,
    phrases: &Phrases,
    labels: &[u32],
    settings: &Settings,
    seed: u64,
) -> Result<(Vec<f32>, f64)> {
    phrases.fit(meta.layout.shape.reads)?;
    let k = meta.layout.shape.outputs;
    let mut outputs = vec![0.0; phrases.steps() * k];
    for (i, label) in labels.iter().enumerate() {
        outputs[(phrases.range(i).end - 1) * k + *label as usize] = 1.0;
    }
    let target = Recording::of_outputs("labels", outputs);
    let recordings = vec![target; settings.restarts];
    let layout = Layout { shape: meta.layout.shape, widths: vec![0; settings.restarts] };
    let shared = layout.shared();
    let mut parameters = vec![0.0; layout.parameters()];
    parameters[..shared].copy_from_slice(&meta.parameters[..shared]);
    let thetas = meta.thetas();
    let spread: Vec<(f64, f64)> = (0..meta.layout.shape.dimension)
        .map(|j| {
            let values: Vec<f64> = thetas.iter().map(|t| t[j]).collect();
            let deviation = accrue_numerics::summary::deviation(&values);
            let own = if deviation.is_finite() && deviation > 0.0 { deviation } else { 1.0 };
            (accrue_numerics::summary::mean(&values), own)
        })
        .collect();
    let mut stream = seed::stream(seed, "search of theta");
    for model in 0..settings.restarts {
        for (at, (mean, deviation)) in layout.theta(model).zip(&spread) {
            let draw: f64 = stream.sample(StandardNormal);
            parameters[at] = (mean + deviation * draw) as f32;
        }
    }
    let objective =
        Objective { lambda: 0.0, measure: Measure::Distribution, said: Said::Last, shared: false };
    let all: Vec<usize> = (0..phrases.len()).collect();
    let scale = spread.iter().map(|s| s.1).sum::<f64>() / spread.len() as f64;
    let adam =
        Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clip: 0.0, shrink: 0.0, rates: None };
    let mut moments = Moments::new(parameters.len());
    let mut best = (f64::INFINITY, vec![0.0; meta.layout.shape.dimension]);
    for step in 0..=settings.steps {
        let found = gradient(&layout, &parameters, phrases, &recordings, &all, &objective);
        for (model, terms) in found.terms.iter().enumerate() {
            if terms.outputs < best.0 {
                best = (terms.outputs, parameters[layout.theta(model)].to_vec());
            }
        }
        if step < settings.steps {
            let rate = settings.learning_rate * scale;
            adam.step(step, rate, 0.0, &found.parameters, &mut parameters, &mut moments);
        }
    }
    Ok((best.1, best.0))
}
