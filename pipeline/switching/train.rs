//! Steps of Adam on the joint loss; checkpoints that go on to the same bits.

use crate::loss::Losses;
use crate::ops::denormals::FlushDenormals;
use crate::{Error, Gradient, Result, Terms, interrupt, setting};
use accrue_numerics::files;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// How a network is trained. Learning rate, decay, `epsilon` and clip are those published (arXiv 2111.01256), steps and batch
/// a small profile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Steps.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000000>")]
    pub steps: usize,
    /// Trials or documents a step.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub batch: usize,
    /// Learning rate `lr₀` at step 0; `lr₀ · decay^k` at step `k`.
    #[serde(deserialize_with = "setting::positive")]
    pub learning_rate: f64,
    /// See `learning_rate`.
    #[serde(deserialize_with = "setting::positive")]
    pub decay: f64,
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
    /// Steps over which the weights of the linear system's terms grow from 0 to their full size, in a straight line; 0:
    /// they have it from the first step.
    #[serde(deserialize_with = "setting::count")]
    pub warm_up: usize,
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
            steps: 5000,
            batch: 64,
            learning_rate: 0.02,
            decay: 0.9999,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 0.1,
            clip: 10.0,
            warm_up: 0,
            checkpoint_every: 500,
            record_every: 50,
        }
    }
}

impl Settings {
    /// Weights of the terms at step `k`, counted from 0.
    pub fn losses_at(&self, losses: &Losses, k: usize) -> Losses {
        let share = match self.warm_up {
            0 => 1.0,
            steps => ((k + 1) as f64 / steps as f64).min(1.0),
        };
        Losses {
            jslds: share * losses.jslds,
            expansion: share * losses.expansion,
            state: share * losses.state,
            ..*losses
        }
    }
}

/// One row of the training table: means over the steps since the row before.
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

/// Where a training stands, besides its arrays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Progress {
    key: String,
    step: usize,
    seconds: f64,
    records: Vec<Record>,
    /// Sums of the row that is being filled.
    open: Record,
    opened: usize,
}

/// A trained network.
#[derive(Clone, Debug, PartialEq)]
pub struct Trained {
    /// Its parameters.
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

/// Trains from `parameters` on.
///
/// * `gradient`: the loss and gradient at step `k`, for these parameters and these weights of the terms
/// * `watch`: told each step's number
///
/// # Errors
/// [`Error::Diverged`] where the loss is not finite; [`Error::Interrupted`] after a checkpoint was written; what `gradient`
/// returns; [`Error::Input`] for a damaged checkpoint.
pub fn train(
    parameters: Vec<f32>,
    settings: &Settings,
    losses: &Losses,
    checkpoint: Option<Checkpoint>,
    mut gradient: impl FnMut(&[f32], &Losses, usize) -> Result<Gradient>,
    mut watch: impl FnMut(usize),
) -> Result<Trained> {
    let mut adam = Adam::new(parameters);
    let mut progress = Progress::default();
    if let Some(from) = checkpoint
        && let Some(read) = read(from, adam.parameters.len())?
    {
        (progress, adam) = read;
    }
    while progress.step < settings.steps {
        if interrupt::requested() {
            if let Some(to) = checkpoint {
                write(to, &progress, &adam)?;
            }
            return Err(interrupt::stopped(&format!("after training step {}", progress.step)));
        }
        let started = std::time::Instant::now();
        let now = settings.losses_at(losses, progress.step);
        let found = gradient(&adam.parameters, &now, progress.step)?;
        let shrink = (2.0 * losses.l2) as f32;
        let norm = adam.norm(&found.parameters, shrink);
        let loss = now.total(&found.terms);
        let learning_rate = settings.learning_rate * settings.decay.powf(progress.step as f64);
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
        adam.step(settings, learning_rate, progress.step, norm, &found.parameters, shrink);
        progress.step += 1;
        progress.seconds += started.elapsed().as_secs_f64();
        progress.add(&found.terms, norm, learning_rate, settings);
        watch(progress.step);
        if let Some(to) = checkpoint
            && (progress.step % settings.checkpoint_every == 0 || progress.step == settings.steps)
        {
            write(to, &progress, &adam)?;
        }
    }
    let Progress { records, seconds, .. } = progress;
    Ok(Trained { parameters: adam.parameters, records, seconds })
}

impl Progress {
    fn add(&mut self, terms: &Terms, norm: f64, learning_rate: f64, settings: &Settings) {
        self.open.terms += *terms;
        self.open.norm += norm;
        self.opened += 1;
        if self.step.is_multiple_of(settings.record_every) || self.step == settings.steps {
            let share = 1.0 / self.opened as f64;
            let Terms { rnn, jslds, expansion, state } = self.open.terms;
            self.records.push(Record {
                step: self.step,
                terms: Terms {
                    rnn: share * rnn,
                    jslds: share * jslds,
                    expansion: share * expansion,
                    state: share * state,
                },
                norm: share * self.open.norm,
                learning_rate,
            });
            (self.open, self.opened) = (Record::default(), 0);
        }
    }
}

/// Parameters with the means of their gradients and of the squares.
struct Adam {
    parameters: Vec<f32>,
    first: Vec<f32>,
    second: Vec<f32>,
}

/// Numbers that one piece of work moves; the order of all sums hangs on it.
const CHUNK: usize = 16 * 1024;

impl Adam {
    fn new(parameters: Vec<f32>) -> Self {
        let zeros = vec![0.0; parameters.len()];
        Self { first: zeros.clone(), second: zeros, parameters }
    }

    /// Norm of the gradient, that of the squares of the parameters included.
    fn norm(&self, gradient: &[f32], shrink: f32) -> f64 {
        let of = |(p, g): (&[f32], &[f32])| -> f64 {
            p.iter().zip(g).map(|(p, g)| ((g + shrink * p) as f64).powi(2)).sum()
        };
        let parts = self.parameters.par_chunks(CHUNK).zip(gradient.par_chunks(CHUNK));
        let parts: Vec<f64> = parts.map(of).collect();
        parts.iter().sum::<f64>().sqrt()
    }

    /// `θ ← θ − lr · m̂/(√v̂ + eps)` with gradient `clip·(g + shrink·θ)`.
    fn step(
        &mut self,
        settings: &Settings,
        learning_rate: f64,
        k: usize,
        norm: f64,
        gradient: &[f32],
        shrink: f32,
    ) {
        let power = (k + 1) as f64;
        let clip =
            if settings.clip > 0.0 && norm > settings.clip { settings.clip / norm } else { 1.0 };
        let (b1, b2) = (settings.beta1 as f32, settings.beta2 as f32);
        let rate = (learning_rate / (1.0 - settings.beta1.powf(power))) as f32;
        let root = (1.0 / (1.0 - settings.beta2.powf(power)).sqrt()) as f32;
        let (epsilon, clip) = (settings.epsilon as f32, clip as f32);
        self.parameters
            .par_chunks_mut(CHUNK)
            .zip(self.first.par_chunks_mut(CHUNK))
            .zip(self.second.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .for_each(|(((x, m), v), g)| {
                let _flush = FlushDenormals::on_this_thread();
                for (((x, m), v), g) in x.iter_mut().zip(m).zip(v).zip(g) {
                    let g = clip * (g + shrink * *x);
                    *m = b1 * *m + (1.0 - b1) * g;
                    *v = b2 * *v + (1.0 - b2) * g * g;
                    *x -= rate * *m / (v.sqrt() * root + epsilon);
                }
            });
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
    files::replace(to.path, &bytes)
}

fn read(from: Checkpoint, count: usize) -> Result<Option<(Progress, Adam)>> {
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
    let numbers: Vec<f32> = bytes[end + 1..]
        .chunks_exact(4)
        .map(|x| f32::from_le_bytes(x.try_into().expect("four bytes")))
        .collect();
    if numbers.len() != 3 * count || (bytes.len() - end - 1) != 12 * count {
        return Err(damaged("its arrays are cut short"));
    }
    let part = |i: usize| numbers[i * count..][..count].to_vec();
    Ok(Some((progress, Adam { parameters: part(0), first: part(1), second: part(2) })))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A valley of known slopes: `½ Σ (i + 1)(x_i − 1)²`.
    fn valley(x: &[f32], _: &Losses, _: usize) -> Result<Gradient> {
        let slope = |(i, x): (usize, &f32)| (i + 1) as f32 * (x - 1.0);
        let parameters: Vec<f32> = x.iter().enumerate().map(slope).collect();
        let rnn = x.iter().zip(&parameters).map(|(x, g)| (0.5 * (x - 1.0) * g) as f64).sum();
        Ok(Gradient { terms: Terms { rnn, ..Terms::default() }, parameters, ..Gradient::default() })
    }

    #[test]
    fn steps_follow_adam_as_published() {
        let settings = Settings { steps: 2, clip: 0.0, decay: 0.5, ..Settings::default() };
        let done = train(vec![0.0], &settings, &Losses::default(), None, valley, |_| ()).unwrap();
        // By hand: step 1 has g = −1, m̂ = −1, v̂ = 1; step 2 at lr .01 with g = −1 + .02/1.1.
        let first = 0.02 / 1.1;
        let g = first - 1.0;
        let (m, v) =
            ((0.9 * -0.1 + 0.1 * g) / (1.0 - 0.81), (0.999e-3 + 1e-3 * g * g) / (1.0 - 0.998001));
        let second = first - 0.01 * m / (f64::sqrt(v) + 0.1);
        assert!(
            (done.parameters[0] as f64 - second).abs() < 1e-6,
            "{:?} {second}",
            done.parameters
        );
    }

    #[test]
    fn training_that_was_put_down_goes_on_to_the_same_bits_and_a_foreign_checkpoint_is_not_used() {
        let folder = std::env::temp_dir().join(format!("accrue-switching-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("checkpoint");
        let settings =
            |steps| Settings { steps, checkpoint_every: 7, record_every: 4, ..Settings::default() };
        let losses = Losses { l2: 1e-3, ..Losses::default() };
        let run = |steps, key| {
            let to = Some(Checkpoint { path: &path, key });
            train(vec![0.3, -2.0, 5.0], &settings(steps), &losses, to, valley, |_| ()).unwrap()
        };
        let whole =
            train(vec![0.3, -2.0, 5.0], &settings(20), &losses, None, valley, |_| ()).unwrap();
        // Stopped in the middle of a row of the table; the last row of 11 steps is put down with it.
        let mut seen = 0;
        let to = Some(Checkpoint { path: &path, key: "a" });
        let stopped = train(
            vec![0.3, -2.0, 5.0],
            &settings(20),
            &losses,
            to,
            |p, l, k| {
                seen = k;
                if k == 10 {
                    return Err(Error::Usage("stop".into()));
                }
                valley(p, l, k)
            },
            |_| (),
        );
        assert!(stopped.is_err() && seen == 10);
        let resumed = run(20, "a");
        assert_eq!(resumed.parameters, whole.parameters);
        assert_eq!(resumed.records, whole.records);
        assert_eq!(run(20, "b").parameters, whole.parameters);
        std::fs::write(&path, b"{}").unwrap();
        let to = Some(Checkpoint { path: &path, key: "a" });
        let said = train(vec![0.0], &settings(2), &losses, to, valley, |_| ()).unwrap_err();
        assert!(said.to_string().contains("remove it"), "{said}");
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_loss_that_is_not_finite_names_the_step() {
        let bad = |p: &[f32], l: &Losses, k: usize| {
            let mut found = valley(p, l, k)?;
            found.terms.rnn = if k == 3 { f64::NAN } else { 0.0 };
            Ok(found)
        };
        let settings = Settings { steps: 9, ..Settings::default() };
        let said = train(vec![0.0], &settings, &Losses::default(), None, bad, |_| ()).unwrap_err();
        assert!(said.to_string().contains("step 4"), "{said}");
    }

    #[test]
    fn the_linear_terms_grow_during_the_warm_up() {
        let settings = Settings { warm_up: 10, ..Settings::default() };
        let at = |k| settings.losses_at(&Losses::default(), k);
        assert_eq!((at(0).rnn, at(0).expansion, at(4).state), (3.0, 10.0, 5.0));
        assert_eq!((at(9), at(50)), (Losses::default(), Losses::default()));
    }
}
