//! The training loop on a card: one network, or many of the same sizes side by side.
//!
//! Every array is stacked, `[networks, …]`; one launch carries all networks' batches through all
//! tokens. Losses and their slopes are the processor's (`loss.rs`), in f64: they are a few numbers a
//! document. So are the decisions: the clip, the penalty, when to stop.

use super::adam::{Moments, Step};
use super::batches::Excerpt;
use super::fit::{Fit, Member, Run, mask};
use super::loss::{Tally, Targets};
use super::penalty;
use super::settings::Penalty;
use crate::ops::cuda::Way;
use crate::ops::cuda::layout::Stacked;
use crate::ops::cuda::optimiser::{Moving, Numbers, Optimiser, PIECES};
use crate::ops::cuda::pass::{self, Laid};
use crate::ops::{Batch, Pool, Sizes};
use crate::{Error, Result};
use candle_core::cuda_backend::cudarc::driver::CudaSlice;
use candle_core::{CudaDevice, Device, Tensor};
use rayon::prelude::*;
use std::time::Instant;

/// Trains `members` side by side; a network that fails stands still and leaves the others alone.
///
/// # Errors
/// What the card reports, [`Error::Shape`] for networks that do not stack, and [`Error::Usage`] for noise on the state:
/// nobody is trained then.
pub fn fit(members: Vec<Member>) -> Result<Vec<Result<Fit>>> {
    let (mut runs, mut watches) = (Vec::new(), Vec::new());
    for member in members {
        if member.settings.state_noise > 0.0 {
            return Err(Error::Usage(
                "training.state_noise: noise is added on the processor alone; leave the setting out, or --device \
                 cuda"
                    .into(),
            ));
        }
        let targets = Targets::new(member.network.head(), member.train);
        let (run, watch) = Run::new(member)?;
        runs.push((run, targets));
        watches.push(watch);
    }
    let mut failures: Vec<Option<Error>> = runs.iter().map(|_| None).collect();
    let mut stack = Stack::new(&runs)?;
    let mut ready: Option<Ready> = None;
    loop {
        let begin = Instant::now();
        let next = |((run, _), failure): (&mut Trained, &Option<Error>)| {
            failure.is_none().then(|| run.next()).flatten()
        };
        let excerpts: Vec<Option<Vec<Excerpt>>> =
            runs.iter_mut().zip(&failures).map(next).collect();
        let live = excerpts.iter().flatten().count();
        if live == 0 {
            break;
        }
        let now = match ready.take().filter(|ready| ready.excerpts == excerpts) {
            Some(ready) => ready,
            None => Ready::new(&runs, excerpts)?,
        };
        // The processor lays out the next batches while the card works on these.
        let (outcomes, ahead) = std::thread::scope(|scope| {
            let ahead = scope.spawn(|| {
                Ready::new(&runs, runs.iter().map(|(run, _)| run.after_next()).collect())
            });
            (stack.step(&runs, &now), ahead.join().expect("laying out does not panic"))
        });
        ready = ahead.ok();
        // A network's share of the time that the stack took.
        let seconds = begin.elapsed().as_secs_f64() / live as f64;
        for (m, outcome) in outcomes?.into_iter().enumerate() {
            let run = &mut runs[m].0;
            let stepped = match outcome {
                None => continue,
                Some(Err(e)) => Err(e),
                Some(Ok(Outcome { tally, tokens, norm, penalty })) => {
                    run.note(&tally, tokens, norm, penalty, seconds);
                    let mut bring = |run: &mut Run, moments| stack.bring(m, run, moments);
                    run.stepped(&tally, &mut *watches[m], &mut bring)
                }
            };
            failures[m] = stepped.err();
        }
    }
    let end = |((run, _), failure): (&Trained, Option<Error>)| match failure {
        Some(e) => Err(e),
        None => run.end(),
    };
    Ok(runs.iter().zip(failures).map(end).collect())
}

/// The batches of one step.
struct Ready {
    /// What each network reads; none for one that has ended.
    excerpts: Vec<Option<Vec<Excerpt>>>,
    batches: Vec<Batch>,
    stacked: Stacked,
}

impl Ready {
    fn new(runs: &[Trained], excerpts: Vec<Option<Vec<Excerpt>>>) -> Result<Self> {
        let batch = |((run, _), excerpts): (&Trained, &Option<Vec<Excerpt>>)| match excerpts {
            Some(excerpts) => run.read(excerpts).and_then(|(rows, _)| Batch::new(&rows)),
            // One that has ended stands still; something must stand in its place.
            None => Batch::new(&[&[0]]),
        };
        let batches: Vec<Batch> =
            runs.par_iter().zip(&excerpts).map(batch).collect::<Result<_>>()?;
        let stacked = Stacked::new(&batches.iter().collect::<Vec<_>>());
        Ok(Self { excerpts, batches, stacked })
    }
}

/// What a step came to for one network.
struct Outcome {
    tally: Tally,
    tokens: usize,
    norm: f64,
    penalty: f64,
}

/// One array of every network.
struct Array {
    name: &'static str,
    recurrent: bool,
    /// Numbers of one network.
    count: usize,
    x: Tensor,
    first: Tensor,
    second: Tensor,
}

type Trained<'a> = (Run<'a>, Targets<'a>);

/// Networks of the same sizes on a card.
struct Stack {
    device: Device,
    cuda: CudaDevice,
    optimiser: Optimiser,
    networks: usize,
    sizes: Sizes,
    pool: Pool,
    way: Way,
    outputs: usize,
    vocabulary: usize,
    /// What training moves, in the order of [`crate::model::Network::parameters`].
    arrays: Vec<Array>,
    /// What it does not: initial states or readout biases that stay.
    initial: Tensor,
    bias: Tensor,
    /// `[networks, vocabulary]`: rows of the embedding's gradient.
    index: Option<CudaSlice<i32>>,
}

impl Stack {
    fn new(runs: &[Trained]) -> Result<Self> {
        let one = runs[0].0.network;
        let device = one.device().clone();
        let networks = runs.len();
        let make = |run: &Run| {
            let n = run.network;
            (n.sizes(), n.pool(), n.head(), n.outputs(), n.vocabulary(), run.settings.precision)
        };
        for (m, (run, _)) in runs.iter().enumerate() {
            let names = |run: &Run| run.parameters.iter().map(|p| p.name).collect::<Vec<_>>();
            if make(run) != make(&runs[0].0) || names(run) != names(&runs[0].0) {
                let found = format!("{:?}", make(run));
                return Err(Error::shape(
                    format!("network {m} of a stack"),
                    found,
                    format!("{:?}", make(&runs[0].0)),
                ));
            }
        }
        let mut arrays = Vec::new();
        for (i, p) in one.parameters().iter().enumerate() {
            let count = p.var.elem_count();
            let stack = |each: &dyn Fn(&Run) -> Result<Vec<f32>>| -> Result<Tensor> {
                let mut all = Vec::with_capacity(networks * count);
                for (run, _) in runs {
                    all.extend(each(run)?);
                }
                Ok(Tensor::from_vec(all, (networks, count), &device)?)
            };
            arrays.push(Array {
                name: p.name,
                recurrent: p.recurrent,
                count,
                x: stack(&|run| Ok(run.parameters[i].var.flatten_all()?.to_vec1()?))?,
                first: stack(&|run| Ok(run.moments[i].first.clone()))?,
                second: stack(&|run| Ok(run.moments[i].second.clone()))?,
            });
        }
        let still = |each: &dyn Fn(&Run) -> Result<Vec<f64>>| -> Result<Tensor> {
            let mut all: Vec<f32> = Vec::new();
            for (run, _) in runs {
                all.extend(each(run)?.iter().map(|&x| x as f32));
            }
            let count = all.len() / networks;
            Ok(Tensor::from_vec(all, (networks, count), &device)?)
        };
        let cuda = device.as_cuda_device()?.clone();
        let vocabulary = one.vocabulary();
        let embeds = arrays.iter().any(|a| a.name == "embedding");
        let index =
            embeds.then(|| cuda.clone_htod(&vec![-1_i32; networks * vocabulary])).transpose()?;
        Ok(Self {
            optimiser: Optimiser::new(&cuda, networks)?,
            device: device.clone(),
            networks,
            sizes: one.sizes(),
            pool: one.pool(),
            way: runs[0].0.settings.precision.into(),
            outputs: one.outputs(),
            vocabulary,
            initial: still(&|run| run.network.initial_state())?,
            bias: still(&|run| Ok(run.network.readout()?.1))?,
            arrays,
            index,
            cuda,
        })
    }

    fn array(&self, name: &str) -> Option<&Tensor> {
        self.arrays.iter().find(|a| a.name == name).map(|a| &a.x)
    }

    /// Brings network `m`'s weights, and its `moments` where they are wanted, to where the rest of the
    /// program looks for them.
    fn bring(&self, m: usize, run: &mut Run, moments: bool) -> Result<()> {
        for (i, array) in self.arrays.iter().enumerate() {
            let var = &run.parameters[i].var;
            var.set(&array.x.narrow(0, m, 1)?.reshape(var.shape())?)?;
            if moments {
                let numbers = |t: &Tensor| t.narrow(0, m, 1)?.flatten_all()?.to_vec1::<f32>();
                let (first, second) = (numbers(&array.first)?, numbers(&array.second)?);
                run.moments[i] = Moments { first, second };
            }
        }
        Ok(())
    }

    /// One step of every network that has a batch.
    fn step(&mut self, runs: &[Trained], ready: &Ready) -> Result<Vec<Option<Result<Outcome>>>> {
        let laid = Laid::new(&self.cuda, &ready.stacked)?;
        let (tallies, gradients) = self.gradients(runs, ready, &laid)?;
        self.move_all(runs, ready, &laid, tallies, &gradients)
    }

    /// Losses of every network's batch, and the gradients of their means, in the order of the arrays.
    fn gradients(
        &self,
        runs: &[Trained],
        Ready { excerpts, batches, .. }: &Ready,
        laid: &Laid,
    ) -> Result<(Vec<Tally>, Vec<Tensor>)> {
        let (networks, stacked) = (self.networks, &laid.stacked);
        let state = self.sizes.kind.state_size(self.sizes.units);
        let tokens = if self.pool == Pool::Every { stacked.longest } else { 1 };
        let every = Every { rows: stacked.rows, tokens };
        let own = |m: usize| Every {
            rows: batches[m].len(),
            tokens: if self.pool == Pool::Every { batches[m].longest() } else { 1 },
        };
        // `[networks, rows, tokens, width]` from each network's own `[rows, tokens, width]`.
        let spread = |width: usize,
                      fill: f32,
                      each: &(dyn Fn(usize) -> Vec<f32> + Sync)|
         -> Result<Tensor> {
            let size = every.rows * every.tokens * width;
            let mut all = vec![fill; networks * size];
            all.par_chunks_mut(size)
                .enumerate()
                .for_each(|(m, to)| every.spread(own(m), width, &each(m), to));
            Ok(Tensor::from_vec(all, (networks, every.rows * every.tokens, width), &self.device)?)
        };
        let drops = |share: fn(&Run) -> f64| runs.iter().any(|(run, _)| share(run) > 0.0);

        let cell = self.array("cell").expect("every network trains its cell");
        let (mut vectors, mut input_mask) = (None, None);
        if let Some(embedding) = self.array("embedding") {
            let (distinct, u) = (stacked.distinct, self.sizes.inputs());
            let rows =
                Tensor::zeros((networks, distinct, u), candle_core::DType::F32, &self.device)?;
            let (to, from) = (pass::tensor_address(&rows)?, pass::tensor_address(embedding)?);
            // SAFETY: both arrays were made here, in these shapes.
            unsafe { self.optimiser.embed(to, from, laid, u, self.vocabulary)? };
            let share = |run: &Run| run.settings.input_dropout;
            if drops(share) {
                let mut all = vec![1.0; networks * distinct * u];
                all.par_chunks_mut(distinct * u).zip(runs).zip(batches).for_each(
                    |((to, (run, _)), batch)| {
                        if share(run) > 0.0 {
                            let count = batch.distinct.len() * u;
                            let k = run.progress.step;
                            let mask = mask(run.seed, share(run), "input dropout", k, count);
                            to[..count].copy_from_slice(&mask);
                        }
                    },
                );
                input_mask = Some(Tensor::from_vec(all, (networks, distinct, u), &self.device)?);
            }
            vectors = Some(match &input_mask {
                Some(mask) => (rows * mask)?,
                None => rows,
            });
        }
        let initial = self.array("initial_state").unwrap_or(&self.initial);
        let address = |t: &Tensor| pass::tensor_address(t);
        let (parameters, initial) = (address(cell)?, address(initial)?);
        let entering = vectors.as_ref().map_or(Ok(0), address)?;
        let run = pass::Run::new(&self.cuda, self.sizes, self.pool, laid, self.way)?;
        // SAFETY: the arrays have the shapes that `Stack::new` gave them.
        let (pooled, saved) = unsafe { run.forward(parameters, entering, initial, true)? };
        let saved = saved.expect("asked for");
        let shape = (networks, every.rows * every.tokens, state);
        let mut pooled = pass::tensor(pooled, shape, &self.cuda);
        let mut pooled_mask = None;
        if drops(|run| run.settings.dropout) {
            let mask = spread(state, 1.0, &|m| {
                let run = &runs[m].0;
                let count = own(m).rows * own(m).tokens * state;
                match run.settings.dropout {
                    0.0 => vec![1.0; count],
                    share => mask(run.seed, share, "dropout", run.progress.step, count),
                }
            })?;
            pooled = (pooled * &mask)?;
            pooled_mask = Some(mask);
        }
        let readout = self.array("readout").expect("every network trains its readout");
        let readout = readout.reshape((networks, self.outputs, state))?;
        let bias = self.array("bias").unwrap_or(&self.bias).reshape((networks, 1, self.outputs))?;
        let logits = pooled.matmul(&readout.t()?)?.broadcast_add(&bias)?;
        let logits: Vec<f32> = logits.flatten_all()?.to_vec1()?;
        let size = logits.len() / networks;
        let (tallies, slopes): (Vec<Tally>, Vec<Vec<f32>>) = logits
            .par_chunks(size)
            .enumerate()
            .map(|(m, logits)| match &excerpts[m] {
                Some(excerpts) => {
                    let (_, targets) = &runs[m];
                    let logits = every.collect(own(m), self.outputs, logits);
                    let documents: Vec<usize> = excerpts.iter().map(|e| e.document).collect();
                    targets.measure(&documents, &logits)
                }
                None => (Tally::default(), vec![0.0; own(m).rows * own(m).tokens * self.outputs]),
            })
            .unzip();
        let slope = spread(self.outputs, 0.0, &|m| slopes[m].clone())?;
        let mut d_pooled = slope.matmul(&readout)?;
        if let Some(mask) = &pooled_mask {
            d_pooled = (d_pooled * mask)?;
        }
        let gradient = address(&d_pooled)?;
        // SAFETY: as before; the gradient has the shape of the pooled states.
        let d = unsafe { run.backward(parameters, entering, initial, saved, gradient)? };
        let mut d_vectors = match (d.vectors, &vectors) {
            (Some(numbers), Some(like)) => Some(pass::tensor(numbers, like.shape(), &self.cuda)),
            _ => None,
        };
        if let (Some(d), Some(mask)) = (&d_vectors, &input_mask) {
            d_vectors = Some((d * mask)?);
        }
        let cell = pass::tensor(d.parameters, cell.shape(), &self.cuda);
        let initial = pass::tensor(d.initial, (networks, state), &self.cuda);
        let gradients = self.arrays.iter().map(|array| {
            Ok(match array.name {
                "embedding" => d_vectors.clone().expect("networks with an embedding have vectors"),
                "cell" => cell.clone(),
                "initial_state" => initial.clone(),
                "readout" => slope.t()?.matmul(&pooled)?,
                _ => slope.sum(1)?,
            })
        });
        Ok((tallies, gradients.collect::<Result<_>>()?))
    }

    /// Penalties, norms, clips, and one step of Adam.
    fn move_all(
        &self,
        runs: &[Trained],
        Ready { excerpts, batches, .. }: &Ready,
        laid: &Laid,
        tallies: Vec<Tally>,
        gradients: &[Tensor],
    ) -> Result<Vec<Option<Result<Outcome>>>> {
        let networks = self.networks;
        let index = self.index.as_ref().map(|i| pass::address(i, &self.cuda.cuda_stream()));
        if let Some(index) = index {
            // SAFETY: `index` is `[networks, vocabulary]`.
            unsafe { self.optimiser.mark(index, laid, self.vocabulary, true)? };
        }
        let mut moving = Vec::new();
        for (array, gradient) in self.arrays.iter().zip(gradients) {
            let rows = array.name == "embedding";
            moving.push(Moving {
                x: pass::tensor_address(&array.x)?,
                first: pass::tensor_address(&array.first)?,
                second: pass::tensor_address(&array.second)?,
                gradient: pass::tensor_address(gradient)?,
                index: if rows { index.unwrap_or(0) } else { 0 },
                count: array.count,
                rows: laid.stacked.distinct,
                width: self.sizes.inputs(),
            });
        }
        let mut numbers = vec![Numbers::default(); moving.len() * networks];
        let mut shrinks = vec![0.0_f32; numbers.len()];
        let mut squares = vec![Vec::new(); networks];
        if runs.iter().any(|(run, _)| run.settings.penalty != Penalty::None) {
            let sums = self.squares(&moving, &numbers, true)?;
            for (m, squares) in squares.iter_mut().enumerate() {
                let of = |(a, array): (usize, &Array)| (sums[a * networks + m], array.recurrent);
                *squares = self.arrays.iter().enumerate().map(of).collect();
            }
        }
        let mut penalties = vec![0.0; networks];
        for (m, (run, _)) in runs.iter().enumerate() {
            let of_all = squares[m].iter().map(|(s, _): &(f64, bool)| s).sum::<f64>().sqrt();
            penalties[m] = penalty::value(run.settings.penalty, &squares[m]);
            for (a, array) in self.arrays.iter().enumerate() {
                let shrink = penalty::factor(run.settings.penalty, array.recurrent, of_all);
                shrinks[a * networks + m] = shrink as f32;
            }
        }
        for (numbers, &shrink) in numbers.iter_mut().zip(&shrinks) {
            numbers[7] = shrink;
        }
        let sums = self.squares(&moving, &numbers, false)?;
        let mut outcomes = Vec::new();
        for (m, (run, _)) in runs.iter().enumerate() {
            if excerpts[m].is_none() {
                outcomes.push(None);
                continue;
            }
            let norm = (0..moving.len()).map(|a| sums[a * networks + m]).sum::<f64>().sqrt();
            let (tally, penalty) = (tallies[m], penalties[m]);
            if !(tally.loss + penalty).is_finite() || !norm.is_finite() {
                outcomes.push(Some(Err(run.diverged(tally.mean_loss() + penalty, norm))));
                continue;
            }
            let step = Step::new(run.settings, run.progress.step, norm);
            for a in 0..moving.len() {
                let at = a * networks + m;
                numbers[at] = step.numbers(shrinks[at]);
            }
            outcomes.push(Some(Ok(Outcome { tally, tokens: batches[m].slots(), norm, penalty })));
        }
        let steps = self.upload(&numbers)?;
        let steps = pass::address(&steps, &self.cuda.cuda_stream());
        for (a, array) in moving.iter().enumerate() {
            // SAFETY: the addresses are those of arrays of this stack.
            unsafe { self.optimiser.step(*array, steps + of_array(a, networks))? };
        }
        if let Some(index) = index {
            // SAFETY: as above.
            unsafe { self.optimiser.mark(index, laid, self.vocabulary, false)? };
        }
        Ok(outcomes)
    }

    fn upload(&self, numbers: &[Numbers]) -> Result<CudaSlice<f32>> {
        Ok(self.cuda.clone_htod(numbers.as_flattened())?)
    }

    /// Sums of squares of `g + shrink·x`, or of `x`: `[arrays, networks]`.
    fn squares(&self, moving: &[Moving], numbers: &[Numbers], values: bool) -> Result<Vec<f64>> {
        let networks = self.networks;
        let steps = self.upload(numbers)?;
        let steps = pass::address(&steps, &self.cuda.cuda_stream());
        let sums = self.cuda.alloc_zeros::<f64>(moving.len() * networks * PIECES)?;
        let to = pass::address(&sums, &self.cuda.cuda_stream());
        for (a, array) in moving.iter().enumerate() {
            let to = to + (8 * a * networks * PIECES) as u64;
            // SAFETY: the addresses are those of arrays of this stack.
            unsafe { self.optimiser.squares(to, *array, steps + of_array(a, networks), values)? };
        }
        let all = self.cuda.clone_dtoh(&sums)?;
        Ok(all.chunks(PIECES).map(|pieces| pieces.iter().sum()).collect())
    }
}

/// Bytes before array `a`'s numbers among those of all arrays.
fn of_array(a: usize, networks: usize) -> u64 {
    (a * networks * size_of::<Numbers>()) as u64
}

/// Rows and tokens of a network's pooled states; the stack's are the largest.
#[derive(Clone, Copy)]
struct Every {
    rows: usize,
    tokens: usize,
}

impl Every {
    /// Puts `[own.rows, own.tokens, width]` where `[rows, tokens, width]` has them.
    fn spread(self, own: Every, width: usize, from: &[f32], to: &mut [f32]) {
        for r in 0..own.rows {
            let own_row = &from[r * own.tokens * width..][..own.tokens * width];
            to[r * self.tokens * width..][..own.tokens * width].copy_from_slice(own_row);
        }
    }

    /// The way back.
    fn collect(self, own: Every, width: usize, from: &[f32]) -> Vec<f32> {
        (0..own.rows)
            .flat_map(|r| from[r * self.tokens * width..][..own.tokens * width].iter().copied())
            .collect()
    }
}
