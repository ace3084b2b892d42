//! Steps of Adam on the loss of all base models; a new base model.

use crate::pass::{Objective, Terms, gradient};
use crate::{Layout, MetaModel, Phrases, Recording, Result, initial, seed, setting};
use accrue_descent::{Adam, Found, Plan, descend};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

pub use accrue_descent::Checkpoint;

/// One row of the training table; the terms are means over base models.
pub type Record = accrue_descent::Record<Terms>;
/// A trained meta-model.
pub type Trained = accrue_descent::Trained<Terms>;

/// How a meta-model is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000000>")]
    pub steps: usize,
    /// Phrases a step; every base model reads the same ones.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub batch: usize,
    /// Learning rate at the first step; it falls exponentially to `last_rate` at the last.
    #[serde(deserialize_with = "setting::positive")]
    pub learning_rate: f64,
    /// See `learning_rate`.
    #[serde(deserialize_with = "setting::positive")]
    pub last_rate: f64,
    /// How many times larger the learning rate of `θ_n` is.
    #[serde(deserialize_with = "setting::positive")]
    pub theta_rate: f64,
    /// Weight `λ` of the states' term.
    #[serde(deserialize_with = "setting::not_negative")]
    pub lambda: f64,
    /// Adam's decay of the mean gradient.
    #[serde(deserialize_with = "setting::share")]
    pub beta1: f64,
    /// Adam's decay of the mean squared gradient.
    #[serde(deserialize_with = "setting::share")]
    pub beta2: f64,
    /// Added to Adam's root.
    #[serde(deserialize_with = "setting::positive")]
    pub epsilon: f64,
    /// Largest global gradient norm; longer gradients are scaled down. 0 for none.
    #[serde(deserialize_with = "setting::not_negative")]
    pub clip: f64,
    /// Steps between checkpoints.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub checkpoint_every: usize,
    /// Steps that one row of the training table sums up.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub record_every: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            steps: 8000,
            batch: 16,
            learning_rate: 1e-3,
            last_rate: 1e-4,
            theta_rate: 1.0,
            lambda: 1.0,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            clip: 1.0,
            checkpoint_every: 500,
            record_every: 50,
        }
    }
}

impl Settings {
    /// Learning rate of step `k`, counted from 0.
    pub fn learning_rate_at(&self, k: usize) -> f64 {
        let share = k as f64 / (self.steps.max(2) - 1) as f64;
        self.learning_rate * (self.last_rate / self.learning_rate).powf(share)
    }
}

/// What is learned.
#[derive(Clone, Copy, Debug)]
pub struct Collection<'a> {
    /// Places of the parameters.
    pub layout: &'a Layout,
    /// Inputs.
    pub phrases: &'a Phrases,
    /// What each base model did on them.
    pub recordings: &'a [Recording],
    /// What is minimised.
    pub objective: Objective,
}

/// Phrases of step `k`: each pass over them has its own order.
fn batch(phrases: usize, size: usize, k: usize, seed: u64) -> Vec<usize> {
    let size = size.min(phrases);
    let a_pass = phrases / size;
    let mut order: Vec<usize> = (0..phrases).collect();
    order.shuffle(&mut seed::stream(seed, &format!("batch order/pass {}", k / a_pass)));
    order[k % a_pass * size..][..size].to_vec()
}

/// Trains from `parameters` on.
///
/// * `watch`: told each step's number
///
/// # Errors
/// Those of [`descend`]; [`crate::Error::Shape`] for phrases that the meta-model cannot read.
pub fn train(
    of: &Collection,
    parameters: Vec<f32>,
    settings: &Settings,
    seed: u64,
    checkpoint: Option<Checkpoint>,
    watch: impl FnMut(usize),
) -> Result<Trained> {
    of.phrases.fit(of.layout.shape.reads)?;
    let mut rates = vec![1.0; parameters.len()];
    for model in 0..of.layout.models() {
        rates[of.layout.theta(model)].fill(settings.theta_rate as f32);
    }
    let Settings { beta1, beta2, epsilon, clip, .. } = *settings;
    let plan = Plan {
        steps: settings.steps,
        adam: Adam { beta1, beta2, epsilon, clip, shrink: 0.0, rates: Some(&rates) },
        learning_rate: &|k| settings.learning_rate_at(k),
        checkpoint_every: settings.checkpoint_every,
        record_every: settings.record_every,
    };
    let find = |parameters: &[f32], k: usize| {
        let now = batch(of.phrases.len(), settings.batch, k, seed);
        let found = gradient(of.layout, parameters, of.phrases, of.recordings, &now, &of.objective);
        let models = found.terms.len() as f64;
        let mean = |term: fn(&Terms) -> f64| found.terms.iter().map(term).sum::<f64>() / models;
        let terms = Terms { states: mean(|t| t.states), outputs: mean(|t| t.outputs) };
        Ok(Found { terms, loss: found.loss(&of.objective), gradient: found.parameters })
    };
    descend(parameters, &plan, checkpoint, find, watch)
}

/// A new base model beside the others, with the meta-model frozen: its `θ` and linear map alone are learned.
///
/// Returns a meta-model of this base model alone.
///
/// # Errors
/// As [`train`].
pub fn embed(
    meta: &MetaModel,
    phrases: &Phrases,
    recording: &Recording,
    objective: &Objective,
    settings: &Settings,
    seed: u64,
) -> Result<MetaModel> {
    let layout = Layout { shape: meta.layout.shape, widths: vec![recording.width] };
    let names = vec![recording.name.clone()];
    let mut parameters = initial::parameters(&layout, &names, seed);
    let shared = layout.shared();
    parameters[..shared].copy_from_slice(&meta.parameters[..shared]);
    // From the middle of the map.
    let middle = |j: usize| {
        let all = meta.thetas();
        (all.iter().map(|t| t[j]).sum::<f64>() / all.len() as f64) as f32
    };
    for (j, at) in layout.theta(0).enumerate() {
        parameters[at] = middle(j);
    }
    let of = Collection {
        layout: &layout,
        phrases,
        recordings: std::slice::from_ref(recording),
        objective: Objective { shared: false, ..*objective },
    };
    let done = train(&of, parameters, settings, seed, None, |_| ())?;
    MetaModel::new(layout, names, done.parameters)
}
