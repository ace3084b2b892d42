//! The training loop.

use super::adam::{self, Gradient, Moments, Step};
use super::average::{self, Average};
use super::batches::{self, Excerpt};
use super::checkpoint::{self, Progress, Restored};
use super::loss::{Tally, Targets};
use super::penalty;
use super::settings::Settings;
#[cfg(feature = "cuda")]
use crate::data::Sequences;
use crate::data::Trials;
use crate::model::{Network, Parameter, weights::Arrays};
use crate::ops::cuda::Precision;
use crate::ops::readout::ReadoutGradient;
use crate::ops::sequence::Gradients;
use crate::ops::{Batch, Noise};
use crate::{Error, Result, interrupt, seed};
use candle_core::{Device, Tensor, Var};
use rand::Rng;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Instant;

/// One row of the training table: means over the steps since the row before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Steps taken, at the end of the row.
    pub step: usize,
    /// Passes over the training split, with the fraction of the current one.
    pub epoch: f64,
    /// Mean data loss, without the penalty.
    pub loss: f64,
    /// The penalty at the last step.
    pub penalty: f64,
    /// Share right (for a score R²) on the batches, before each step.
    pub accuracy: f64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean global gradient norm before the clip.
    pub gradient_norm: f64,
    /// Tokens read so far.
    pub tokens: u64,
    /// Seconds of training so far, validation not counted.
    pub seconds: f64,
    /// Loss on the validation split, where it was measured.
    pub validation_loss: Option<f64>,
    /// Accuracy there.
    pub validation_accuracy: Option<f64>,
}

/// What training came to, besides the weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fit {
    /// The training table.
    pub records: Vec<Record>,
    /// Steps taken.
    pub steps: usize,
    /// Step whose weights were kept.
    pub kept: usize,
    /// Whether the patience ran out.
    pub stopped_early: bool,
    /// Tokens read.
    pub tokens: u64,
    /// Seconds in training steps.
    pub seconds: f64,
}

impl Fit {
    /// Tokens a second of training, forward, backward and update.
    pub fn tokens_per_second(&self) -> f64 {
        self.tokens as f64 / self.seconds
    }
}

/// Who is told how training goes. Nothing it does moves a number.
pub trait Watch {
    /// Called after every step: where training stands, the steps planned, and
    /// this step's batch.
    fn step(&mut self, progress: &Progress, planned: usize, tally: &Tally);
    /// Called after every measurement on the validation split.
    fn validated(&mut self, progress: &Progress, tally: &Tally);
}

/// A watcher that looks away.
impl Watch for () {
    fn step(&mut self, _: &Progress, _: usize, _: &Tally) {}
    fn validated(&mut self, _: &Progress, _: &Tally) {}
}

/// Trains `network` in place.
///
/// Deterministic: the bits of the weights follow from the network's initial
/// weights, the splits, `settings` and `seed`, whatever the number of threads.
/// A checkpoint at `checkpoint` with the same `key` is taken up where it
/// stands and leads to the same bits; it is removed at the end by the caller,
/// once the weights are safe.
///
/// # Errors
/// [`Error::Diverged`] when the loss is no longer finite; the last checkpoint
/// stays. [`Error::Shape`] for an empty document; [`Error::Usage`] for settings that do not go with the network.
pub fn fit<'a>(
    network: &'a Network,
    train: impl Into<Trials<'a>>,
    validation: impl Into<Trials<'a>>,
    settings: &'a Settings,
    seed: u64,
    checkpoint: (&'a Path, &'a str),
    watch: &'a mut dyn Watch,
) -> Result<Fit> {
    let (train, validation) = (train.into(), validation.into());
    let member = Member { network, train, validation, settings, seed, checkpoint, watch };
    fit_together(vec![member])?.remove(0)
}

/// One network, what it is trained on, and who watches.
pub struct Member<'a> {
    /// Trained in place.
    pub network: &'a Network,
    /// What it learns from.
    pub train: Trials<'a>,
    /// What it stops by.
    pub validation: Trials<'a>,
    /// How.
    pub settings: &'a Settings,
    /// Seed of the batches' order and of dropout.
    pub seed: u64,
    /// Where a checkpoint lies, and its key.
    pub checkpoint: (&'a Path, &'a str),
    /// Who is told.
    pub watch: &'a mut dyn Watch,
}

/// Trains several networks, each as [`fit`] would: on the processor one after another; on a card
/// side by side in one stack, if they have the same sizes, readout and pooling.
///
/// Side by side a network meets the same batches in the same order as alone.
///
/// One result a network, as [`fit`] would give it.
///
/// # Errors
/// [`Error::Shape`] for networks that do not stack, and what the card reports: nobody is trained then.
pub fn fit_together(members: Vec<Member>) -> Result<Vec<Result<Fit>>> {
    #[cfg(feature = "cuda")]
    if members.first().is_some_and(|m| m.network.device().is_cuda()) {
        return super::stack::fit(members);
    }
    let alone = |member: Member| {
        let precision = member.settings.precision;
        if precision != Precision::F32 {
            return Err(Error::Usage(format!(
                "training.precision: {precision:?}: products are rounded on a card alone; add --device cuda, or \
                 leave the setting out"
            )));
        }
        let (mut run, watch) = Run::new(member)?;
        let targets = Targets::new(run.network.head(), run.train);
        while let Some(excerpts) = run.next() {
            let tally = run.step(&targets, &excerpts)?;
            run.stepped(&tally, watch, &mut |_, _| Ok(()))?;
        }
        run.end()
    };
    Ok(members.into_iter().map(alone).collect())
}

/// Loss and accuracy of `network` on trials, without dropout.
///
/// # Errors
/// [`Error::Shape`] for an empty document or an unknown token id.
pub fn score<'a>(network: &Network, trials: impl Into<Trials<'a>>) -> Result<Tally> {
    let trials = trials.into();
    let targets = Targets::new(network.head(), trials);
    let mut total = Tally::default();
    network.outputs_of(trials.inputs, |indices, logits| {
        total.add(&targets.measure(indices, logits).0);
        Ok(())
    })?;
    Ok(total)
}

/// Where one network's training stands.
pub(super) struct Run<'a> {
    pub(super) network: &'a Network,
    pub(super) parameters: Vec<Parameter>,
    pub(super) train: Trials<'a>,
    validation: Trials<'a>,
    pub(super) settings: &'a Settings,
    pub(super) seed: u64,
    path: &'a Path,
    lengths: Vec<usize>,
    planned: usize,
    pub(super) progress: Progress,
    pub(super) moments: Vec<Moments>,
    best: Option<Arrays>,
    average: Option<Average>,
    /// Step of the last checkpoint on disk.
    safe: Option<usize>,
    stopped_early: bool,
    /// An epoch, and its batches.
    order: Option<(usize, Vec<Vec<Excerpt>>)>,
}

impl<'a> Run<'a> {
    pub(super) fn new(member: Member<'a>) -> Result<(Self, &'a mut dyn Watch)> {
        let Member { network, train, validation, settings, seed, checkpoint, watch } = member;
        if settings.crop.longest > 0 && network.head().is_stepwise() {
            return Err(Error::Usage(
                "training.crop: what is said at every token or step depends on all before it; leave the setting out"
                    .into(),
            ));
        }
        let (path, key) = checkpoint;
        let parameters = network.parameters();
        let lengths: Vec<usize> = (0..train.len()).map(|i| train.inputs.length(i)).collect();
        let planned = settings.epochs * lengths.len().div_ceil(settings.batch);
        let planned = if settings.steps > 0 { planned.min(settings.steps) } else { planned };
        let found = checkpoint::read(path, key, network)?;
        let safe = found.as_ref().map(|found| found.progress.step);
        let found = found.unwrap_or_else(|| Restored {
            progress: Progress { key: key.into(), ..Progress::default() },
            moments: parameters.iter().map(|p| Moments::new(p.var.elem_count())).collect(),
            best: None,
            average: None,
        });
        let run = Self {
            network,
            parameters,
            train,
            validation,
            settings,
            seed,
            path,
            lengths,
            planned,
            progress: found.progress,
            moments: found.moments,
            best: found.best,
            average: found.average,
            safe,
            stopped_early: false,
            order: None,
        };
        Ok((run, watch))
    }

    /// What the next step reads, or none at the end of training.
    pub(super) fn next(&mut self) -> Option<Vec<Excerpt>> {
        if self.stopped_early || self.progress.step >= self.planned {
            return None;
        }
        let epoch = self.progress.epoch;
        if self.order.as_ref().is_none_or(|(of, _)| *of != epoch) {
            self.order = Some((epoch, self.epoch(epoch)));
        }
        self.order.as_ref().map(|(_, order)| order[self.progress.batch].clone())
    }

    /// What [`Run::next`] will say after the next step, if training goes on as it does.
    #[cfg(feature = "cuda")]
    pub(super) fn after_next(&self) -> Option<Vec<Excerpt>> {
        let (epoch, order) = self.order.as_ref()?;
        if self.stopped_early || self.progress.step + 1 >= self.planned {
            return None;
        }
        match order.get(self.progress.batch + 1) {
            Some(excerpts) => Some(excerpts.clone()),
            None => self.epoch(epoch + 1).into_iter().next(),
        }
    }

    fn epoch(&self, epoch: usize) -> Vec<Vec<Excerpt>> {
        let Settings { crop, batch, .. } = *self.settings;
        batches::epoch(&self.lengths, crop, batch, self.seed, epoch)
    }

    /// Tokens of excerpts, and the documents they are of.
    ///
    /// # Errors
    /// [`Error::Usage`] where vectors are read: a card takes tokens.
    #[cfg(feature = "cuda")]
    pub(super) fn read(&self, excerpts: &[Excerpt]) -> Result<(Vec<&'a [u32]>, Vec<usize>)> {
        let Sequences::Tokens(documents) = self.train.inputs else {
            return Err(Error::Usage(
                "networks that read vectors are trained on the processor; leave out --device cuda"
                    .into(),
            ));
        };
        let of = |e: &Excerpt| (&documents.get(e.document)[e.tokens.clone()], e.document);
        Ok(excerpts.iter().map(of).unzip())
    }

    /// Notes what a step came to, before [`Run::stepped`].
    pub(super) fn note(
        &mut self,
        tally: &Tally,
        tokens: usize,
        norm: f64,
        penalty: f64,
        seconds: f64,
    ) {
        self.progress.tokens += tokens as u64;
        self.progress.seconds += seconds;
        self.progress.open.add(tally, norm, penalty);
    }

    /// Everything that follows a step.
    ///
    /// * `bring`: called before anyone looks at weights, and moments where it says so, which may lie
    ///   on a card
    pub(super) fn stepped(
        &mut self,
        tally: &Tally,
        watch: &mut dyn Watch,
        bring: &mut dyn FnMut(&mut Self, bool) -> Result<()>,
    ) -> Result<()> {
        let batches = self.order.as_ref().map_or(0, |(_, order)| order.len());
        self.progress.batch += 1;
        self.progress.step += 1;
        let last_of_epoch = self.progress.batch == batches;
        self.close_record(batches, false);
        watch.step(&self.progress, self.planned, tally);
        if average::is_due(self.settings.average, self.progress.step) {
            bring(self, false)?;
            match &mut self.average {
                Some(average) => average.add(self.network, self.settings.average)?,
                None => self.average = Some(Average::new(self.network)?),
            }
        }
        if self.validation_is_due(last_of_epoch) {
            bring(self, false)?;
            self.stopped_early = self.validate(batches, watch)?;
        }
        if last_of_epoch {
            self.progress.epoch += 1;
            self.progress.batch = 0;
        }
        let safe = self.progress.step.is_multiple_of(self.settings.checkpoint_every);
        if safe && !self.stopped_early && self.progress.step < self.planned {
            bring(self, true)?;
            self.save()?;
        }
        if interrupt::requested() {
            bring(self, true)?;
            self.save()?;
            let step = self.progress.step;
            return Err(interrupt::stopped(&format!("training at step {step}")));
        }
        Ok(())
    }

    /// The weights that are kept, and what training came to.
    pub(super) fn end(&self) -> Result<Fit> {
        let mut kept = self.progress.step;
        if let (Some(best), Some((_, step))) = (&self.best, self.progress.best) {
            self.network.set_arrays(best)?;
            kept = step;
        } else if let Some(average) = &self.average {
            self.network.set_arrays(&average.arrays)?;
        }
        Ok(Fit {
            records: self.progress.records.clone(),
            steps: self.progress.step,
            kept,
            stopped_early: self.stopped_early,
            tokens: self.progress.tokens,
            seconds: self.progress.seconds,
        })
    }

    fn validation_is_due(&self, last_of_epoch: bool) -> bool {
        let every = self.settings.validate_every;
        let due = if every == 0 { last_of_epoch } else { self.progress.step.is_multiple_of(every) };
        due || self.progress.step == self.planned
    }

    /// Measures the validation split; whether the patience has run out.
    fn validate(&mut self, batches: usize, watch: &mut dyn Watch) -> Result<bool> {
        self.close_record(batches, true);
        let Some(average) = &self.average else {
            return self.validate_as_it_is(watch);
        };
        let now = self.network.arrays()?;
        self.network.set_arrays(&average.arrays)?;
        let stops = self.validate_as_it_is(watch)?;
        self.network.set_arrays(&now)?;
        Ok(stops)
    }

    /// [`Run::validate`] with the weights that the network has.
    fn validate_as_it_is(&mut self, watch: &mut dyn Watch) -> Result<bool> {
        let tally = score(self.network, self.validation)?;
        let loss = tally.mean_loss();
        if let Some(record) = self.progress.records.last_mut() {
            record.validation_loss = Some(loss);
            record.validation_accuracy = Some(tally.accuracy());
        }
        watch.validated(&self.progress, &tally);
        if self.settings.patience == 0 {
            return Ok(false);
        }
        if self.progress.best.is_none_or(|(lowest, _)| loss < lowest) {
            self.progress.best = Some((loss, self.progress.step));
            self.progress.waited = 0;
            self.best = Some(self.network.arrays()?);
        } else {
            self.progress.waited += 1;
        }
        Ok(self.progress.waited >= self.settings.patience)
    }

    fn save(&mut self) -> Result<()> {
        let Self { path, progress, network, moments, best, average, .. } = self;
        checkpoint::write(path, progress, network, moments, best.as_ref(), average.as_ref())?;
        self.safe = Some(self.progress.step);
        Ok(())
    }

    /// Ends the open row of the training table if it is full, or `now`.
    fn close_record(&mut self, batches: usize, now: bool) {
        let Progress { step, epoch, batch, tokens, seconds, open, .. } = self.progress;
        let due = step % self.settings.record_every == 0 || step == self.planned;
        if open.steps == 0 || !(due || now) {
            return;
        }
        self.progress.records.push(Record {
            step,
            epoch: epoch as f64 + batch as f64 / batches as f64,
            loss: open.loss / open.steps as f64,
            penalty: open.penalty,
            accuracy: open.accuracy(),
            learning_rate: self.settings.learning_rate_at(step - 1),
            gradient_norm: open.norm / open.steps as f64,
            tokens,
            seconds,
            validation_loss: None,
            validation_accuracy: None,
        });
        self.progress.open = Default::default();
    }

    /// One optimiser step.
    fn step(&mut self, targets: &Targets, excerpts: &[Excerpt]) -> Result<Tally> {
        let begin = Instant::now();
        let documents: Vec<usize> = excerpts.iter().map(|e| e.document).collect();
        let ranges: Vec<_> = excerpts.iter().map(|e| (e.document, e.tokens.clone())).collect();
        let (mut batch, vectors) = self.network.lay_out(self.train.inputs, &ranges)?;
        if self.settings.state_noise > 0.0 {
            let stream = format!("state noise/step {}", self.progress.step);
            batch.noise = Some(Noise {
                deviation: self.settings.state_noise as f32,
                stream: seed::stream(self.seed, &stream),
            });
        }
        let (tally, gradients) = self.gradients(targets, &documents, &batch, vectors)?;

        let penalty = self.settings.penalty;
        let squares: Vec<(f64, bool)> = match penalty {
            super::Penalty::None => Vec::new(),
            _ => self
                .parameters
                .iter()
                .map(|p| Ok((adam::square_sum(&p.var)?, p.recurrent)))
                .collect::<Result<_>>()?,
        };
        let norm_of_all = squares.iter().map(|(s, _)| s).sum::<f64>().sqrt();
        let penalty_value = penalty::value(penalty, &squares);
        let shrink = |p: &Parameter| penalty::factor(penalty, p.recurrent, norm_of_all) as f32;
        let mut norm = 0.0;
        for (parameter, gradient) in self.parameters.iter().zip(&gradients) {
            norm += adam::gradient_square_sum(&parameter.var, gradient, shrink(parameter))?;
        }
        let norm = norm.sqrt();
        let k = self.progress.step;
        if !(tally.loss + penalty_value).is_finite() || !norm.is_finite() {
            return Err(self.diverged(tally.mean_loss() + penalty_value, norm));
        }
        let step = Step::new(self.settings, k, norm);
        for ((parameter, gradient), moments) in
            self.parameters.iter().zip(&gradients).zip(&mut self.moments)
        {
            adam::step(step, &parameter.var, gradient, shrink(parameter), moments)?;
        }
        self.note(&tally, batch.slots(), norm, penalty_value, begin.elapsed().as_secs_f64());
        Ok(tally)
    }

    /// Loss of a batch and the gradients of its mean, in the order of the parameters.
    ///
    /// The graph holds the readout alone: the recurrence hands its gradients over by itself, which saves the
    /// copies and sums of large arrays that a node of the graph would cost.
    fn gradients(
        &self,
        targets: &Targets,
        indices: &[usize],
        batch: &Batch,
        mut vectors: Vec<f32>,
    ) -> Result<(Tally, Vec<Gradient>)> {
        let entering = self.mask(self.settings.input_dropout, "input dropout", vectors.len());
        scale(&mut vectors, entering.as_deref());
        // Dropout thins states: they must be there.
        let read = match self.network.head().is_stepwise() && self.settings.dropout == 0.0 {
            true => self.read_steps(targets, indices, batch, &vectors)?,
            false => self.read_pooled(targets, indices, batch, &vectors)?,
        };
        let Read { tally, gradients: mut d, readout: of } = read;
        scale(&mut d.vectors, entering.as_deref());

        let gradients = self.parameters.iter().map(|p| {
            Ok(match p.name {
                "embedding" => Gradient::Rows {
                    rows: batch.distinct.clone(),
                    width: d.vectors.len() / batch.distinct.len(),
                    numbers: std::mem::take(&mut d.vectors),
                },
                "cell" => Gradient::Dense(std::mem::take(&mut d.parameters)),
                "initial_state" => Gradient::Dense(std::mem::take(&mut d.initial)),
                _ => Gradient::Dense(of(p)?),
            })
        });
        Ok((tally, gradients.collect::<Result<_>>()?))
    }

    /// The readout of pooled states and its gradients by candle's graph.
    fn read_pooled(
        &self,
        targets: &Targets,
        indices: &[usize],
        batch: &Batch,
        vectors: &[f32],
    ) -> Result<Read> {
        let network = self.network;
        let (mut pooled, mut saved) = network.forward(batch, vectors)?;
        let leaving = self.mask(self.settings.dropout, "dropout", pooled.len());
        scale(&mut pooled, leaving.as_deref());
        let shape = network.pooled_shape(network.pool(), batch);
        let states = Var::from_vec(pooled, shape, &Device::Cpu)?;
        let logits = network.read(&states)?;
        let (tally, slope) = targets.measure(indices, &numbers(&logits)?);
        // The slope of the loss in the logits is known; what remains is linear in them.
        let slope = Tensor::from_vec(slope, logits.shape(), &Device::Cpu)?;
        let store = (&logits * slope)?.sum_all()?.backward()?;
        let of = move |var: &Var| match store.get(var) {
            Some(gradient) => numbers(gradient),
            None => Ok(vec![0.0; var.elem_count()]),
        };
        let mut slope = of(&states)?;
        scale(&mut slope, leaving.as_deref());
        let gradients = network.backward(batch, vectors, &mut saved, &slope)?;
        Ok(Read { tally, gradients, readout: Box::new(move |p: &Parameter| of(&p.var)) })
    }

    /// The same where something is said at every step: thousands of states, which are read in the loop that makes them.
    fn read_steps(
        &self,
        targets: &Targets,
        indices: &[usize],
        batch: &Batch,
        vectors: &[f32],
    ) -> Result<Read> {
        let (said, mut saved) = self.network.forward_read(batch, vectors)?;
        let (tally, slope) = targets.measure(indices, &said);
        let (gradients, ReadoutGradient { weights, bias }) =
            self.network.backward_read(batch, vectors, &mut saved, &slope)?;
        let of = move |p: &Parameter| {
            Ok(match p.name {
                "readout" => weights.clone(),
                "bias" => bias.clone(),
                _ => vec![0.0; p.var.elem_count()],
            })
        };
        Ok(Read { tally, gradients, readout: Box::new(of) })
    }

    /// What dropout of a share multiplies numbers by at this step; none if nothing is dropped.
    fn mask(&self, share: f64, name: &str, count: usize) -> Option<Vec<f32>> {
        (share > 0.0).then(|| mask(self.seed, share, name, self.progress.step, count))
    }

    pub(super) fn diverged(&self, loss: f64, gradient_norm: f64) -> Error {
        let kept = match self.safe {
            Some(step) => {
                format!("the checkpoint of step {step} is kept ({})", self.path.display())
            }
            None => "no checkpoint had been written yet".into(),
        };
        Error::Diverged {
            step: self.progress.step + 1,
            loss: loss as f32,
            learning_rate: self.settings.learning_rate_at(self.progress.step),
            gradient_norm,
            kept,
        }
    }
}

/// The gradient of each parameter of the readout.
type OfReadout = Box<dyn Fn(&Parameter) -> Result<Vec<f32>>>;

/// A loss and its gradients.
struct Read {
    tally: Tally,
    /// Of the cell, the input vectors and the initial state.
    gradients: Gradients,
    readout: OfReadout,
}

fn numbers(tensor: &Tensor) -> Result<Vec<f32>> {
    Ok(tensor.flatten_all()?.to_vec1()?)
}

fn scale(numbers: &mut [f32], by: Option<&[f32]>) {
    numbers.iter_mut().zip(by.unwrap_or_default()).for_each(|(x, by)| *x *= by);
}

/// What dropout of a share multiplies `count` numbers by at step `k`: 0, or what keeps the mean.
pub(super) fn mask(seed: u64, share: f64, name: &str, k: usize, count: usize) -> Vec<f32> {
    let mut stream = seed::stream(seed, &format!("{name}/step {k}"));
    let scale = (1.0 / (1.0 - share)) as f32;
    (0..count).map(|_| if stream.random::<f64>() < share { 0.0 } else { scale }).collect()
}
