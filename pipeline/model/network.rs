//! The network: parameters, and passes over batches of documents.

use super::config::{Config, Head, InitialState, Reads};
use super::initial;
use crate::Inputs;
use crate::data::{Documents, Sequences};
use crate::ops::readout::{Readout, ReadoutGradient};
use crate::ops::sequence::{self, Gradients, Saved, Wanted};
use crate::ops::{Batch, Cell, Pool, Sizes, cuda, fused};
use crate::whole::Whole;
use crate::{Error, Result};
use candle_core::{CpuStorage, DType, Device, Shape, Storage, Tensor, Var};
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Documents that one pass without gradients carries together.
const ROWS: usize = 64;

/// One trainable array.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Name within the network.
    pub name: &'static str,
    /// The numbers, f32.
    pub var: Var,
    /// Whether it belongs to the recurrent cell (some penalties concern only those).
    pub recurrent: bool,
}

/// A recurrent classifier: embedding (or one-hot), one cell, an affine readout.
#[derive(Clone, Debug)]
pub struct Network {
    config: Config,
    head: Head,
    reads: Reads,
    outputs: usize,
    /// `[vocabulary, inputs]`; none for one-hot entry and for vectors.
    embedding: Option<Var>,
    /// `[parameters]`: `A | W | b_ih | b_hh`.
    cell: Var,
    /// `[state]`.
    initial: Var,
    /// `[outputs, state]`.
    readout: Var,
    /// `[outputs]`.
    bias: Var,
    /// What its outputs come from, where they are not `W s + b` of a pooled state.
    whole: Option<Arc<Whole>>,
}

/// Most numbers of a network: 8 GB, and as much twice again for the optimiser.
const MOST_NUMBERS: usize = 2_000_000_000;

/// Refuses a network that no machine here holds, before memory is asked for.
fn check_size(config: &Config, reads: Reads, outputs: usize) -> Result<()> {
    let (gates, units) = (config.cell.gates(), config.units);
    let inputs = config.sizes(reads).inputs();
    let cell = inputs.saturating_add(units).saturating_mul(gates * units);
    let words = match (reads, config.embedding) {
        (Reads::Words(words), Some(width)) => words.saturating_mul(width),
        _ => 0,
    };
    let readout = outputs.saturating_mul(config.cell.state_size(units));
    let numbers = cell.saturating_add(words).saturating_add(readout);
    if numbers > MOST_NUMBERS {
        return Err(Error::Usage(format!(
            "model: a network of {numbers} numbers, at most {MOST_NUMBERS}; lower `model.units`, `model.embedding` or \
             `corpus.tokens.vocabulary`"
        )));
    }
    Ok(())
}

impl Network {
    /// An untrained network that reads words or vectors, with `outputs` readout
    /// numbers, on the current device ([`cuda::current`]), its weights drawn from the streams `initial weights/…` of `seed`.
    ///
    /// # Errors
    /// [`Error::Candle`] if memory for the weights cannot be had.
    pub fn new(
        config: &Config,
        head: Head,
        reads: impl Into<Reads>,
        outputs: usize,
        seed: u64,
    ) -> Result<Self> {
        Self::on(&cuda::current(), config, head, reads, outputs, seed)
    }

    /// [`Network::new`] on a device of its own.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn on(
        device: &Device,
        config: &Config,
        head: Head,
        reads: impl Into<Reads>,
        outputs: usize,
        seed: u64,
    ) -> Result<Self> {
        let reads = reads.into();
        check_size(config, reads, outputs)?;
        let var = |numbers: Vec<f32>, shape: &[usize]| -> Result<Var> {
            Ok(Var::from_tensor(&Tensor::from_vec(numbers, shape, device)?)?)
        };
        let state = config.cell.state_size(config.units);
        let embedding = match (reads, config.embedding) {
            (Reads::Words(vocabulary), Some(u)) => {
                Some(var(initial::embedding(config, vocabulary, u, seed), &[vocabulary, u])?)
            }
            _ => None,
        };
        let flat = initial::cell(config, config.sizes(reads).inputs(), seed);
        let count = flat.len();
        let (readout, bias) = initial::readout(config, outputs, seed);
        Ok(Self {
            config: config.clone(),
            head,
            reads,
            outputs,
            embedding,
            cell: var(flat, &[count])?,
            initial: var(vec![0.0; state], &[state])?,
            readout: var(readout, &[outputs, state])?,
            bias: var(bias, &[outputs])?,
            whole: None,
        })
    }

    /// The same cell as one of a larger network from elsewhere, whose outputs are the larger one's.
    pub fn with_whole(mut self, whole: Whole) -> Self {
        self.whole = Some(Arc::new(whole));
        self
    }

    /// The larger network, where there is one: [`Network::readout`] is then that of single states, which outputs need
    /// not follow from.
    pub fn whole(&self) -> Option<&Whole> {
        self.whole.as_deref()
    }

    /// Where its numbers lie.
    pub fn device(&self) -> &Device {
        self.cell.device()
    }

    /// What it is made of.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What its readout says.
    pub fn head(&self) -> Head {
        self.head
    }

    /// What it reads at a step.
    pub fn reads(&self) -> Reads {
        self.reads
    }

    /// Words it knows; none where it reads vectors.
    pub fn vocabulary(&self) -> usize {
        match self.reads {
            Reads::Words(vocabulary) => vocabulary,
            Reads::Vectors(_) => 0,
        }
    }

    /// Numbers its readout gives.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Numbers in its state.
    pub fn state_size(&self) -> usize {
        self.config.cell.state_size(self.config.units)
    }

    /// Sizes of its recurrent pass.
    pub fn sizes(&self) -> Sizes {
        self.config.sizes(self.reads)
    }

    /// The arrays that training may move, in a fixed order: `embedding`,
    /// `cell`, `initial_state`, `readout`, `bias` (those that this network trains).
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::with_capacity(5);
        let mut add = |name, var: &Var, recurrent| {
            all.push(Parameter { name, var: var.clone(), recurrent });
        };
        if let Some(embedding) = &self.embedding {
            add("embedding", embedding, false);
        }
        add("cell", &self.cell, true);
        if self.config.initial_state == InitialState::Trained {
            add("initial_state", &self.initial, true);
        }
        add("readout", &self.readout, false);
        if self.config.readout_bias {
            add("bias", &self.bias, false);
        }
        all
    }

    /// The array called `name` in [`Network::parameters`].
    pub(super) fn array(&self, name: &str) -> Option<&Var> {
        match name {
            "embedding" => self.embedding.as_ref(),
            "cell" => Some(&self.cell),
            "initial_state" => Some(&self.initial),
            "readout" => Some(&self.readout),
            "bias" => Some(&self.bias),
            _ => None,
        }
    }

    /// Input vectors of the batch's distinct tokens, `[distinct, inputs]`, cut
    /// off from the embedding: gradients are for these rows alone. `None` for
    /// one-hot entry.
    ///
    /// # Errors
    /// [`Error::Shape`] for a token id outside the vocabulary.
    pub fn vectors(&self, batch: &Batch) -> Result<Option<Tensor>> {
        let Some(embedding) = &self.embedding else { return Ok(None) };
        self.knows(batch)?;
        let ids = Tensor::new(batch.distinct.as_slice(), embedding.device())?;
        Ok(Some(embedding.as_detached_tensor().index_select(&ids, 0)?))
    }

    /// Pooled states of a batch from its input vectors: `[b, state]`, or
    /// `[b, t, state]` for [`Pool::Every`]; without gradients.
    ///
    /// # Errors
    /// [`Error::Shape`] if `vectors` does not fit the batch.
    pub fn pooled(
        &self,
        pool: Pool,
        batch: &Arc<Batch>,
        vectors: Option<&Tensor>,
    ) -> Result<Tensor> {
        fused::run(self.sizes(), pool, batch, &self.cell, vectors, &self.initial, false)
    }

    /// Shape of [`Network::pooled`].
    pub fn pooled_shape(&self, pool: Pool, batch: &Batch) -> Shape {
        sequence::pooled_shape(self.sizes(), pool, batch)
    }

    /// [`Network::vectors`] of a network on the processor, `[distinct, inputs]` end to end; nothing for
    /// one-hot entry.
    ///
    /// # Errors
    /// [`Error::Shape`] for a token id outside the vocabulary, [`Error::Candle`] on a card.
    pub fn rows(&self, batch: &Batch) -> Result<Vec<f32>> {
        self.knows(batch)?;
        let Some(embedding) = &self.embedding else { return Ok(Vec::new()) };
        let width = embedding.dim(1)?;
        let mut rows = vec![0.0; batch.distinct.len() * width];
        on_processor(embedding, |table| {
            let rows = rows.par_chunks_exact_mut(width).zip(&batch.distinct);
            rows.for_each(|(row, &token)| {
                row.copy_from_slice(&table[token as usize * width..][..width]);
            });
        })?;
        Ok(rows)
    }

    /// Pooled states of a batch ([`Network::pooled_shape`]) on the processor, and what
    /// [`Network::backward`] needs.
    ///
    /// * `vectors`: [`Network::rows`], or what became of them
    ///
    /// # Errors
    /// [`Error::Shape`] for a token id outside the vocabulary, [`Error::Candle`] on a card.
    pub fn forward(&self, batch: &Batch, vectors: &[f32]) -> Result<(Vec<f32>, Saved)> {
        self.knows(batch)?;
        let (sizes, pool) = (self.sizes(), self.pool());
        on_processor(&self.cell, |cell| {
            on_processor(&self.initial, |initial| {
                let (pooled, saved) =
                    sequence::forward(sizes, pool, batch, cell, vectors, initial, true);
                (pooled, saved.expect("a way back was asked for"))
            })
        })?
    }

    /// Gradients of the cell, the embedded words and the initial state, from that of the pooled states.
    ///
    /// # Errors
    /// [`Error::Candle`] on a card.
    pub fn backward(
        &self,
        batch: &Batch,
        vectors: &[f32],
        saved: &mut Saved,
        gradient: &[f32],
    ) -> Result<Gradients> {
        let (sizes, pool, wanted) = (self.sizes(), self.pool(), self.wanted());
        on_processor(&self.cell, |cell| {
            sequence::backward(sizes, pool, batch, cell, vectors, saved, gradient, wanted)
        })
    }

    /// What the network says after every token, `[b, t, outputs]`, on the processor; and what the way back needs.
    ///
    /// # Errors
    /// As [`Network::forward`].
    pub fn forward_read(&self, batch: &Batch, vectors: &[f32]) -> Result<(Vec<f32>, Saved)> {
        self.knows(batch)?;
        let (weights, bias) = self.readout_f32()?;
        let readout = Readout { weights: &weights, bias: &bias };
        on_processor(&self.cell, |cell| {
            on_processor(&self.initial, |initial| {
                sequence::forward_read(self.sizes(), batch, cell, vectors, initial, readout)
            })
        })?
    }

    /// Gradients from the slope of what was said after every token; the readout's beside.
    ///
    /// # Errors
    /// [`Error::Candle`] on a card.
    pub fn backward_read(
        &self,
        batch: &Batch,
        vectors: &[f32],
        saved: &mut Saved,
        slope: &[f32],
    ) -> Result<(Gradients, ReadoutGradient)> {
        let (weights, bias) = self.readout_f32()?;
        let readout = Readout { weights: &weights, bias: &bias };
        let (sizes, wanted) = (self.sizes(), self.wanted());
        on_processor(&self.cell, |cell| {
            sequence::backward_read(sizes, batch, cell, vectors, saved, readout, slope, wanted)
        })
    }

    /// Vectors of a task are what they are; those of words are learned.
    fn wanted(&self) -> Wanted {
        match self.reads {
            Reads::Words(_) => Wanted::Vectors,
            Reads::Vectors(_) => Wanted::Parameters,
        }
    }

    fn knows(&self, batch: &Batch) -> Result<()> {
        match batch.distinct.last() {
            Some(&token) if matches!(self.reads, Reads::Words(vocabulary) if token as usize >= vocabulary) => {
                Err(Error::shape("token id", token, format!("below {}", self.vocabulary())))
            }
            _ => Ok(()),
        }
    }

    /// Readout `W s + b` of states `[…, state]`: `[…, outputs]`.
    ///
    /// # Errors
    /// [`Error::Candle`] if the last axis is not `state`.
    pub fn read(&self, states: &Tensor) -> Result<Tensor> {
        let mut shape = states.dims().to_vec();
        let flat = states.reshape(((), self.state_size()))?;
        let logits = flat.matmul(&self.readout.t()?)?.broadcast_add(&self.bias)?;
        *shape.last_mut().expect("states have an axis") = self.outputs;
        Ok(logits.reshape(shape)?)
    }

    /// Pooling that training and prediction use: every step where something is said at each.
    pub fn pool(&self) -> Pool {
        if self.head.is_stepwise() { Pool::Every } else { self.config.pool }
    }

    /// Lays out some of the sequences, with their input vectors ([`Network::rows`]).
    ///
    /// A vector is a token that occurs once: all vectors of a batch meet the input weights in one product.
    ///
    /// * `ranges`: the sequences, and which steps of each
    ///
    /// # Errors
    /// [`Error::Shape`] for an empty sequence, an unknown token id, tokens where the network reads vectors, or the other
    /// way round.
    pub fn lay_out(
        &self,
        inputs: Sequences,
        ranges: &[(usize, Range<usize>)],
    ) -> Result<(Batch, Vec<f32>)> {
        match (inputs, self.reads) {
            (Sequences::Tokens(documents), Reads::Words(_)) => {
                let rows = ranges.iter().map(|(d, steps)| &documents.get(*d)[steps.clone()]);
                let batch = Batch::new(&rows.collect::<Vec<_>>())?;
                let vectors = self.rows(&batch)?;
                Ok((batch, vectors))
            }
            (Sequences::Vectors(all), Reads::Vectors(width)) if all.width() == width => {
                let rows = ranges
                    .iter()
                    .map(|(i, steps)| &all.get(*i)[steps.start * width..steps.end * width]);
                let lengths: Vec<usize> = ranges.iter().map(|(_, steps)| steps.len()).collect();
                let mut vectors = Vec::with_capacity(lengths.iter().sum::<usize>() * width);
                rows.for_each(|row| vectors.extend_from_slice(row));
                Ok((Batch::of_vectors(&lengths)?, vectors))
            }
            (Sequences::Tokens(_), _) => Err(Error::shape("inputs", "token ids", "vectors")),
            (Sequences::Vectors(all), reads) => Err(Error::shape(
                "inputs",
                format!("vectors of {}", all.width()),
                format!("{reads:?}"),
            )),
        }
    }

    /// Pooled states of `documents`, without gradients, handed on batch by
    /// batch: `each(indices of the documents, states [b, state] or [b, t, state])`.
    ///
    /// Documents are taken shortest first, so that a batch holds similar lengths.
    ///
    /// # Errors
    /// What `each` returns; [`Error::Shape`] for an empty document or an unknown token id.
    pub fn walk(
        &self,
        pool: Pool,
        documents: &[&[u32]],
        each: impl FnMut(&[usize], &Tensor) -> Result<()>,
    ) -> Result<()> {
        let all: Documents = documents.iter().copied().collect();
        self.walk_sequences(pool, Sequences::Tokens(&all), each)
    }

    /// [`Network::walk`] over tokens or vectors.
    ///
    /// # Errors
    /// As [`Network::walk`] and [`Network::lay_out`].
    pub fn walk_sequences(
        &self,
        pool: Pool,
        inputs: Sequences,
        mut each: impl FnMut(&[usize], &Tensor) -> Result<()>,
    ) -> Result<()> {
        let order = by_length(inputs);
        for indices in order.chunks(ROWS) {
            if let (Some(whole), Sequences::Tokens(documents)) = (self.upper(), inputs) {
                let rows: Vec<&[u32]> = indices.iter().map(|&d| documents.get(d)).collect();
                each(indices, &self.pooled_above(whole, pool, &rows)?)?;
                continue;
            }
            let ranges: Vec<_> = indices.iter().map(|&i| (i, 0..inputs.length(i))).collect();
            let batch = match inputs {
                Sequences::Tokens(documents) => {
                    let rows: Vec<&[u32]> = indices.iter().map(|&d| documents.get(d)).collect();
                    let batch = Arc::new(Batch::new(&rows)?);
                    let vectors = self.vectors(&batch)?;
                    each(indices, &self.pooled(pool, &batch, vectors.as_ref())?)?;
                    continue;
                }
                Sequences::Vectors(_) => self.lay_out(inputs, &ranges)?,
            };
            let (batch, vectors) = (Arc::new(batch.0), batch.1);
            let shape = [batch.slots(), self.sizes().inputs()];
            let vectors = Tensor::from_vec(vectors, &shape[..], self.device())?;
            each(indices, &self.pooled(pool, &batch, Some(&vectors))?)?;
        }
        Ok(())
    }

    /// The larger network, where this cell reads another layer's states and no words.
    fn upper(&self) -> Option<&Whole> {
        self.whole().filter(|w| !w.reads_words())
    }

    /// Pooled states of a cell that reads another layer's states.
    fn pooled_above(&self, whole: &Whole, pool: Pool, documents: &[&[u32]]) -> Result<Tensor> {
        let size = self.state_size();
        let states = whole.analysed_states(documents, whole.embedding.as_deref())?;
        let longest = documents.iter().map(|d| d.len()).max().unwrap_or(0);
        let mut all = Vec::new();
        for steps in &states {
            match pool {
                Pool::Every => {
                    all.extend_from_slice(steps);
                    all.resize(all.len() + longest * size - steps.len(), 0.0);
                }
                Pool::Last => all.extend_from_slice(&steps[steps.len() - size..]),
                Pool::Mean => {
                    let tokens = steps.len() / size;
                    let sum = |i: usize| steps.iter().skip(i).step_by(size).sum::<f32>();
                    all.extend((0..size).map(|i| sum(i) / tokens as f32));
                }
            }
        }
        let shape = match pool {
            Pool::Every => vec![documents.len(), longest, size],
            _ => vec![documents.len(), size],
        };
        Ok(Tensor::from_vec(all, shape, self.device())?)
    }

    /// What it says of each sequence, batch by batch: `each(indices, outputs)`, the outputs of a batch end to end: `[b,
    /// outputs]`, for a score `[b, t]`, for steps `[b, t, outputs]`.
    ///
    /// # Errors
    /// As [`Network::walk_sequences`].
    pub fn outputs_of(
        &self,
        inputs: Sequences,
        mut each: impl FnMut(&[usize], &[f32]) -> Result<()>,
    ) -> Result<()> {
        let (Some(whole), Sequences::Tokens(documents)) = (self.whole(), inputs) else {
            return self.walk_sequences(self.pool(), inputs, |indices, states| {
                let logits: Vec<f32> = self.read(states)?.flatten_all()?.to_vec1()?;
                each(indices, &logits)
            });
        };
        let mut over = |table: Option<&[f32]>| -> Result<()> {
            for indices in by_length(inputs).chunks(ROWS) {
                let rows: Vec<&[u32]> = indices.iter().map(|&d| documents.get(d)).collect();
                each(indices, &whole.outputs(&rows, table)?.concat())?;
            }
            Ok(())
        };
        match &self.embedding {
            Some(embedding) if whole.reads_words() => {
                on_processor(embedding, |table| over(Some(table)))?
            }
            _ => over(whole.embedding.as_deref()),
        }
    }

    /// Readout of each document, `[documents][outputs]`, or for a score
    /// `[documents][tokens]`.
    ///
    /// # Errors
    /// As [`Network::walk`].
    pub fn predict(&self, documents: &[&[u32]]) -> Result<Vec<Vec<f32>>> {
        let mut all = vec![Vec::new(); documents.len()];
        let sequences: Documents = documents.iter().copied().collect();
        self.outputs_of(Sequences::Tokens(&sequences), |indices, logits| {
            let width = logits.len() / indices.len();
            for (&d, row) in indices.iter().zip(logits.chunks(width)) {
                let used = if self.head == Head::Score { documents[d].len() } else { width };
                all[d] = row[..used].to_vec();
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// The cell with its weights in f64, for fixed points and Jacobians.
    ///
    /// # Errors
    /// [`Error::Candle`] if the weights cannot be brought to the processor.
    pub fn cell(&self) -> Result<Cell> {
        let sizes = self.sizes();
        let flat: Vec<f32> = self.cell.to_vec1()?;
        let [a, w, b_ih, b_hh] = sizes.split(&flat).map(wide);
        Ok(Cell {
            kind: sizes.kind,
            units: sizes.units,
            inputs: sizes.inputs(),
            input_weights: a,
            recurrent_weights: w,
            input_bias: b_ih,
            recurrent_bias: b_hh,
        })
    }

    /// Embedding rows `[vocabulary, inputs]`, row-major, in f64; none for one-hot entry.
    ///
    /// # Errors
    /// [`Error::Candle`] if the weights cannot be brought to the processor.
    pub fn embedding(&self) -> Result<Option<Vec<f64>>> {
        self.embedding.as_ref().map(|e| numbers(e)).transpose()
    }

    /// Input vectors of every word, in f64.
    ///
    /// # Errors
    /// [`Error::Candle`] if the weights cannot be brought to the processor.
    pub fn inputs(&self) -> Result<Inputs> {
        Ok(Inputs::new(self.sizes().inputs(), self.embedding()?))
    }

    /// Initial state `[state]` in f64.
    ///
    /// # Errors
    /// [`Error::Candle`] if the weights cannot be brought to the processor.
    pub fn initial_state(&self) -> Result<Vec<f64>> {
        numbers(&self.initial)
    }

    /// Readout weights `[outputs, state]`, row-major, and bias `[outputs]`, in f64.
    ///
    /// # Errors
    /// [`Error::Candle`] if the weights cannot be brought to the processor.
    pub fn readout(&self) -> Result<(Vec<f64>, Vec<f64>)> {
        Ok((numbers(&self.readout)?, numbers(&self.bias)?))
    }

    /// [`Network::readout`] in the numbers that it is trained in.
    ///
    /// # Errors
    /// [`Error::Candle`] if the weights do not lie on the processor.
    pub fn readout_f32(&self) -> Result<(Vec<f32>, Vec<f32>)> {
        Ok((
            on_processor(&self.readout, <[f32]>::to_vec)?,
            on_processor(&self.bias, <[f32]>::to_vec)?,
        ))
    }
}

/// Sequences, shortest first.
fn by_length(inputs: Sequences) -> Vec<usize> {
    let mut order: Vec<usize> = (0..inputs.len()).collect();
    order.sort_by_key(|&d| inputs.length(d));
    order
}

fn numbers(tensor: &Tensor) -> Result<Vec<f64>> {
    Ok(wide(&tensor.to_dtype(DType::F32)?.flatten_all()?.to_vec1()?))
}

fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|&x| x as f64).collect()
}

/// Gives `see` the numbers of an array that lies on the processor in one piece.
fn on_processor<R>(array: &Var, see: impl FnOnce(&[f32]) -> R) -> Result<R> {
    let (storage, layout) = array.storage_and_layout();
    match (&*storage, layout.contiguous_offsets()) {
        (Storage::Cpu(CpuStorage::F32(all)), Some((from, to))) => Ok(see(&all[from..to])),
        _ => {
            Err(candle_core::Error::Msg("f32 numbers in one piece on the processor".into()).into())
        }
    }
}
