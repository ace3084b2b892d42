//! Steps of Adam on the loss of all base models; checkpoints that go on to the same bits; a new base model.

use crate::ops::denormals::FlushDenormals;
use crate::pass::{Objective, Terms, gradient};
use crate::{
    Error, Layout, MetaModel, Phrases, Recording, Result, initial, interrupt, seed, setting,
};
use accrue_numerics::files;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::path::Path;

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

/// One row of the training table: means over base models, and over the steps since the row before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Steps taken.
    pub step: usize,
    /// The terms of the loss.
    pub terms: Terms,
    /// Global gradient norm before the clip.
    pub norm: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
}

/// What a training came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// All parameters.
    pub parameters: Vec<f32>,
    /// The training table.
    pub records: Vec<Record>,
    /// Seconds in training steps, all sittings together.
    pub seconds: f64,
}

/// A place on disk where a training can be put down, and the hash of all that decides its bits.
#[derive(Clone, Copy, Debug)]
pub struct Checkpoint<'a> {
    /// The file.
    pub path: &'a Path,
    /// What is written with it; a file of another is not used.
    pub key: &'a str,
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

/// Where a training stands, besides its arrays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Progress {
    key: String,
    step: usize,
    seconds: f64,
    records: Vec<Record>,
    /// Sums of the row that is being filled.
    open: Record,
    opened: usize,
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
/// [`Error::Diverged`] where the loss is not finite; [`Error::Interrupted`] after a checkpoint was written; [`Error::Input`] for a
/// damaged checkpoint; [`Error::Shape`] for phrases that the meta-model cannot read.
pub fn train(
    of: &Collection,
    parameters: Vec<f32>,
    settings: &Settings,
    seed: u64,
    checkpoint: Option<Checkpoint>,
    mut watch: impl FnMut(usize),
) -> Result<Trained> {
    of.phrases.fit(of.layout.shape.reads)?;
    let mut adam = Adam::new(parameters, of.layout, settings);
    let mut progress = Progress::default();
    if let Some(from) = checkpoint
        && let Some(found) = read(from, &mut adam)?
    {
        progress = found;
    }
    while progress.step < settings.steps {
        if interrupt::requested() {
            if let Some(to) = checkpoint {
                write(to, &progress, &adam)?;
            }
            return Err(interrupt::stopped(&format!("after training step {}", progress.step)));
        }
        let started = std::time::Instant::now();
        let now = batch(of.phrases.len(), settings.batch, progress.step, seed);
        let found =
            gradient(of.layout, &adam.parameters, of.phrases, of.recordings, &now, &of.objective);
        let loss = found.loss(&of.objective);
        let squares = |part: &[f32]| part.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>();
        let norm = squares(&found.parameters).sqrt();
        let learning_rate = settings.learning_rate_at(progress.step);
        if !(loss.is_finite() && norm.is_finite()) {
            let kept = match checkpoint.filter(|c| c.path.exists()) {
                Some(_) => "the last checkpoint was kept".into(),
                None => "no checkpoint was written yet".into(),
            };
            return Err(Error::Diverged {
                step: progress.step + 1,
                loss: loss as f32,
                learning_rate,
                gradient_norm: norm,
                kept,
            });
        }
        adam.step(settings, learning_rate, progress.step, norm, &found.parameters);
        progress.step += 1;
        progress.seconds += started.elapsed().as_secs_f64();
        progress.add(&found.terms, norm, learning_rate, settings);
        watch(progress.step);
        if let Some(to) = checkpoint
            && (progress.step.is_multiple_of(settings.checkpoint_every)
                || progress.step == settings.steps)
        {
            write(to, &progress, &adam)?;
        }
    }
    let Progress { records, seconds, .. } = progress;
    Ok(Trained { parameters: adam.parameters, records, seconds })
}

impl Progress {
    fn add(&mut self, terms: &[Terms], norm: f64, learning_rate: f64, settings: &Settings) {
        let models = terms.len() as f64;
        self.open.terms.states += terms.iter().map(|t| t.states).sum::<f64>() / models;
        self.open.terms.outputs += terms.iter().map(|t| t.outputs).sum::<f64>() / models;
        self.open.norm += norm;
        self.opened += 1;
        if self.step.is_multiple_of(settings.record_every) || self.step == settings.steps {
            let share = 1.0 / self.opened as f64;
            let Terms { states, outputs } = self.open.terms;
            self.records.push(Record {
                step: self.step,
                terms: Terms { states: share * states, outputs: share * outputs },
                norm: share * self.open.norm,
                learning_rate,
            });
            (self.open, self.opened) = (Record::default(), 0);
        }
    }
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

/// Parameters with the means of their gradients and of the squares.
pub(crate) struct Adam {
    pub(crate) parameters: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
    /// How many times larger each one's learning rate is.
    rates: Vec<f32>,
}

impl Adam {
    pub(crate) fn new(parameters: Vec<f32>, layout: &Layout, settings: &Settings) -> Self {
        let zeros = vec![0.0; parameters.len()];
        let mut rates = vec![1.0; parameters.len()];
        for model in 0..layout.models() {
            rates[layout.theta(model)].fill(settings.theta_rate as f32);
        }
        Self { first: zeros.clone(), second: zeros, parameters, rates }
    }

    /// `x ← x − lr · m̂/(√v̂ + ε)`.
    pub(crate) fn step(
        &mut self,
        settings: &Settings,
        learning_rate: f64,
        k: usize,
        norm: f64,
        gradient: &[f32],
    ) {
        let _flush = FlushDenormals::on_this_thread();
        let power = (k + 1) as f64;
        let clip =
            if settings.clip > 0.0 && norm > settings.clip { settings.clip / norm } else { 1.0 };
        let (b1, b2) = (settings.beta1 as f32, settings.beta2 as f32);
        let rate = (learning_rate / (1.0 - settings.beta1.powf(power))) as f32;
        let root = (1.0 / (1.0 - settings.beta2.powf(power)).sqrt()) as f32;
        let (epsilon, clip) = (settings.epsilon as f32, clip as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        let all = self.parameters.iter_mut().zip(&self.rates).zip(gradient).zip(moments);
        for (((x, own), g), (m, v)) in all {
            let g = clip * g;
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *x -= own * rate * *m / (v.sqrt() * root + epsilon);
        }
    }
}

/// A line of JSON, then parameters and both means, in f32 of the low end first.
fn write(to: Checkpoint, progress: &Progress, adam: &Adam) -> Result<()> {
    let progress = Progress { key: to.key.into(), ..progress.clone() };
    let mut bytes = serde_json::to_vec(&progress).expect("progress is plain and finite");
    bytes.push(b'\n');
    for array in [&adam.parameters, &adam.first, &adam.second] {
        bytes.extend(array.iter().flat_map(|x| x.to_le_bytes()));
    }
    if let Some(folder) = to.path.parent() {
        std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
    }
    files::replace(to.path, &bytes)
}

fn read(from: Checkpoint, adam: &mut Adam) -> Result<Option<Progress>> {
    let bytes = match std::fs::read(from.path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(Error::io(from.path)(e)),
    };
    let damaged = |problem: &str| {
        Error::input(from.path.display(), "", problem, "remove it to train from the start")
    };
    let end = bytes.iter().position(|b| *b == b'\n').ok_or_else(|| damaged("not a checkpoint"))?;
    let progress: Progress =
        serde_json::from_slice(&bytes[..end]).map_err(|e| damaged(&e.to_string()))?;
    if progress.key != from.key {
        return Ok(None);
    }
    let count = adam.parameters.len();
    let (numbers, rest) = bytes[end + 1..].as_chunks::<4>();
    if numbers.len() != 3 * count || !rest.is_empty() {
        return Err(damaged("its arrays are cut short"));
    }
    let part = |i: usize| -> Vec<f32> {
        numbers[i * count..][..count].iter().map(|x| f32::from_le_bytes(*x)).collect()
    };
    (adam.parameters, adam.first, adam.second) = (part(0), part(1), part(2));
    Ok(Some(progress))
}
