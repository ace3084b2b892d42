//! Networks from elsewhere whose outputs are more than one affine readout of one cell's state.
//!
//! Layers, two directions, mixtures of last, mean and largest states, a norm before the readout: all of it is
//! evaluated here as it was trained, so that outputs are the network's own. What is analysed is one cell of it; its
//! states' readout is affine, made by [`Whole::beside`].

use crate::ops::sequence::{self, Pool};
use crate::ops::{Batch, CellKind, Entry, Sizes};
use crate::{Error, Result};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Named arrays with their shapes.
type Arrays = BTreeMap<String, (Vec<usize>, Vec<f32>)>;

/// One cell that runs over the sequence, forwards or backwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// The cell's equations.
    pub kind: CellKind,
    /// Units `n`.
    pub units: usize,
    /// Numbers, or words for one-hot entry, that enter.
    pub inputs: usize,
    /// Whether a word is a one-hot vector.
    pub one_hot: bool,
    /// Whether it reads from the end.
    pub backward: bool,
    /// `A | W | b_ih | b_hh` end to end.
    #[serde(skip)]
    pub parameters: Vec<f32>,
    /// The state before the first token; empty: zero.
    #[serde(skip)]
    pub initial: Vec<f32>,
}

impl Pass {
    fn sizes(&self) -> Sizes {
        let entry =
            if self.one_hot { Entry::OneHot(self.inputs) } else { Entry::Vectors(self.inputs) };
        Sizes { kind: self.kind, units: self.units, entry }
    }

    fn state(&self) -> usize {
        self.kind.state_size(self.units)
    }
}

/// Which half of an LSTM's state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// `h`; the whole state of every other cell.
    Hidden,
    /// `c`.
    Cell,
}

/// How one vector follows from the states of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Pooling {
    /// The last state that the direction came to: of a backward one, that at the first token.
    Last,
    /// The state at the last token, of a backward direction too.
    End,
    /// The mean over tokens.
    Mean,
    /// The largest over tokens, unit by unit.
    Max,
}

/// One of the vectors that the readout reads, end to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Layer, from below.
    pub layer: usize,
    /// Direction in it.
    pub direction: usize,
    /// Part of the state.
    pub part: Part,
    /// Over tokens.
    pub pooling: Pooling,
}

/// A layer norm (arXiv:1607.06450): `γ (z − μ)/√(σ² + ε) + β` over the numbers of one vector, `σ²` their mean square.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Norm {
    /// `ε`.
    pub epsilon: f64,
    /// Whether it acts on the states of every token, before they are pooled; else on what is pooled.
    pub stepwise: bool,
    /// `γ`.
    #[serde(skip)]
    pub scale: Vec<f32>,
    /// `β`.
    #[serde(skip)]
    pub shift: Vec<f32>,
}

impl Norm {
    fn apply(&self, z: &mut [f32]) {
        let n = z.len() as f64;
        let mean = z.iter().map(|&x| x as f64).sum::<f64>() / n;
        let spread = deviation(z, self.epsilon);
        for ((x, scale), shift) in z.iter_mut().zip(&self.scale).zip(&self.shift) {
            *x = ((*x as f64 - mean) / spread * *scale as f64 + *shift as f64) as f32;
        }
    }
}

/// `√(σ² + ε)`.
fn deviation(z: &[f32], epsilon: f64) -> f64 {
    let n = z.len() as f64;
    let mean = z.iter().map(|&x| x as f64).sum::<f64>() / n;
    (z.iter().map(|&x| (x as f64 - mean).powi(2)).sum::<f64>() / n + epsilon).sqrt()
}

/// The whole of a network from elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Whole {
    /// Layers from below, each with one direction or two, forward first.
    pub layers: Vec<Vec<Pass>>,
    /// What the readout reads.
    pub blocks: Vec<Block>,
    /// A norm before the readout.
    pub norm: Option<Norm>,
    /// The layer and direction that is analysed.
    pub analysed: (usize, usize),
    /// `[vocabulary, inputs]`, what the lowest layer reads, where it is not the analysed one.
    #[serde(skip)]
    pub embedding: Option<Vec<f32>>,
    /// `[outputs, width]`.
    #[serde(skip)]
    pub readout: Vec<f32>,
    /// `[outputs]`.
    #[serde(skip)]
    pub bias: Vec<f32>,
}

/// States of every document, `[tokens, state]` each.
type States = Vec<Vec<f32>>;

impl Whole {
    /// Numbers that the readout reads.
    pub fn width(&self) -> usize {
        self.blocks.iter().map(|b| self.layers[b.layer][b.direction].units).sum()
    }

    /// Its own arrays, under names that begin with `whole.`.
    pub fn arrays(&self) -> Arrays {
        let mut arrays = Arrays::new();
        let mut add = |name: String, numbers: &[f32]| {
            arrays.insert(format!("whole.{name}"), (vec![numbers.len()], numbers.to_vec()));
        };
        for (l, layer) in self.layers.iter().enumerate() {
            for (d, pass) in layer.iter().enumerate() {
                add(format!("{l}.{d}"), &pass.parameters);
                if !pass.initial.is_empty() {
                    add(format!("{l}.{d}.initial"), &pass.initial);
                }
            }
        }
        self.embedding.iter().for_each(|rows| add("embedding".into(), rows));
        if let Some(norm) = &self.norm {
            add("norm.scale".into(), &norm.scale);
            add("norm.shift".into(), &norm.shift);
        }
        add("readout".into(), &self.readout);
        add("bias".into(), &self.bias);
        arrays
    }

    /// Takes over arrays as [`Whole::arrays`] gives them.
    ///
    /// # Errors
    /// [`Error::Shape`] for an array that is missing or does not fit.
    pub fn set_arrays(&mut self, arrays: &Arrays) -> Result<()> {
        let find = |name: String| arrays.get(&format!("whole.{name}")).map(|(_, x)| x.clone());
        let need = |name: String, count: Option<usize>| match find(name.clone()) {
            Some(numbers) if count.is_none_or(|c| c == numbers.len()) => Ok(numbers),
            other => {
                let found = other.map_or("absent".into(), |x| x.len().to_string());
                let wanted = count.map_or("there".into(), |c| c.to_string());
                Err(Error::shape(format!("whole.{name}"), found, wanted))
            }
        };
        for (l, layer) in self.layers.iter_mut().enumerate() {
            for (d, pass) in layer.iter_mut().enumerate() {
                pass.parameters = need(format!("{l}.{d}"), Some(pass.sizes().parameters()))?;
                let initial = format!("{l}.{d}.initial");
                if find(initial.clone()).is_some() {
                    pass.initial = need(initial, Some(pass.state()))?;
                }
            }
        }
        self.embedding = find("embedding".into());
        if let Some(norm) = &mut self.norm {
            norm.scale = need("norm.scale".into(), None)?;
            norm.shift = need("norm.shift".into(), Some(norm.scale.len()))?;
        }
        self.bias = need("bias".into(), None)?;
        self.readout = need("readout".into(), Some(self.bias.len() * self.width()))?;
        Ok(())
    }

    /// Whether the analysed cell reads words, and not the states of a layer below.
    pub fn reads_words(&self) -> bool {
        self.analysed.0 == 0
    }

    /// States of every layer and direction over documents.
    ///
    /// * `table`: `[vocabulary, inputs]`, unless words are one-hot
    ///
    /// # Errors
    /// [`Error::Shape`] for an empty document or an unknown word.
    fn run(&self, documents: &[&[u32]], table: Option<&[f32]>) -> Result<Vec<Vec<States>>> {
        let mut all: Vec<Vec<States>> = Vec::new();
        for layer in &self.layers {
            let entering = all.last().map(|below| self.stepwise(below, all.len() - 1));
            let passes = layer.iter().map(|pass| match &entering {
                None => over_words(pass, documents, table),
                Some(vectors) => over_vectors(pass, vectors),
            });
            let states = passes.collect::<Result<Vec<_>>>()?;
            all.push(states);
        }
        Ok(all)
    }

    /// What a layer hands up: the `h` of its directions side by side, token by token.
    fn stepwise(&self, states: &[States], layer: usize) -> States {
        let passes = &self.layers[layer];
        (0..states[0].len())
            .map(|d| {
                let tokens = states[0][d].len() / passes[0].state();
                let step = |t: usize| {
                    passes.iter().zip(states).flat_map(move |(pass, states)| {
                        states[d][t * pass.state()..][..pass.units].iter().copied()
                    })
                };
                (0..tokens).flat_map(step).collect()
            })
            .collect()
    }

    /// What the readout reads of each document.
    fn pooled(&self, states: &[Vec<States>], documents: usize) -> Vec<Vec<f32>> {
        (0..documents)
            .map(|d| {
                let mut z = Vec::with_capacity(self.width());
                let stepwise = self.norm.as_ref().filter(|n| n.stepwise);
                let normed = stepwise.map(|norm| {
                    let top = self.layers.len() - 1;
                    let width: usize = self.layers[top].iter().map(|p| p.units).sum();
                    let mut side = self.stepwise(&one(&states[top], d), top).remove(0);
                    side.chunks_mut(width).for_each(|step| norm.apply(step));
                    (side, width)
                });
                for block in &self.blocks {
                    let pass = &self.layers[block.layer][block.direction];
                    let n = pass.units;
                    let (from, stride, offset) = match &normed {
                        Some((side, width)) => (side.as_slice(), *width, block.direction * n),
                        None => {
                            let of = &states[block.layer][block.direction][d];
                            let offset = if block.part == Part::Cell { n } else { 0 };
                            (of.as_slice(), pass.state(), offset)
                        }
                    };
                    let steps: Vec<&[f32]> =
                        from.chunks_exact(stride).map(|s| &s[offset..offset + n]).collect();
                    z.extend(pool(&steps, block.pooling, pass.backward));
                }
                if let Some(norm) = self.norm.as_ref().filter(|n| !n.stepwise) {
                    norm.apply(&mut z);
                }
                z
            })
            .collect()
    }

    /// Outputs of documents, `[documents][outputs]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for an empty document or an unknown word.
    pub fn outputs(&self, documents: &[&[u32]], table: Option<&[f32]>) -> Result<Vec<Vec<f32>>> {
        let states = self.run(documents, table)?;
        Ok(self.pooled(&states, documents.len()).iter().map(|z| self.read(z)).collect())
    }

    fn read(&self, z: &[f32]) -> Vec<f32> {
        let rows = self.readout.chunks_exact(z.len()).zip(&self.bias);
        rows.map(|(w, b)| {
            (*b as f64 + w.iter().zip(z).map(|(w, z)| *w as f64 * *z as f64).sum::<f64>()) as f32
        })
        .collect()
    }

    /// States of the analysed cell, `[tokens, state]` for each document.
    ///
    /// # Errors
    /// [`Error::Shape`] for an empty document or an unknown word.
    pub fn analysed_states(&self, documents: &[&[u32]], table: Option<&[f32]>) -> Result<States> {
        let (layer, direction) = self.analysed;
        Ok(self.run(documents, table)?.swap_remove(layer).swap_remove(direction))
    }

    /// The mean over documents of what the analysed layer reads after each word, `[vocabulary, inputs]`: what a word
    /// says to a layer that reads another layer's states. A word that occurs nowhere stands for itself alone.
    ///
    /// # Errors
    /// [`Error::Shape`] for an empty document or an unknown word.
    pub fn words_from_below(
        &self,
        documents: &[&[u32]],
        table: Option<&[f32]>,
        vocabulary: usize,
    ) -> Result<Vec<f32>> {
        let below = self.analysed.0 - 1;
        let width: usize = self.layers[below].iter().map(|p| p.units).sum();
        let mut sums = vec![0.0_f64; vocabulary * width];
        let mut counts = vec![0_usize; vocabulary];
        let mut add = |documents: &[&[u32]], alone: bool| -> Result<()> {
            let states = self.run(documents, table)?;
            let before = alone.then(|| counts.clone());
            for (document, steps) in documents.iter().zip(self.stepwise(&states[below], below)) {
                for (&word, step) in document.iter().zip(steps.chunks_exact(width)) {
                    let word = word as usize;
                    if before.as_ref().is_some_and(|b| b[word] > 0) {
                        continue;
                    }
                    counts[word] += 1;
                    let to = &mut sums[word * width..][..width];
                    to.iter_mut().zip(step).for_each(|(to, x)| *to += *x as f64);
                }
            }
            Ok(())
        };
        for part in documents.chunks(64) {
            add(part, false)?;
        }
        let all: Vec<u32> = (0..vocabulary as u32).collect();
        let alone: Vec<&[u32]> = all.chunks(1).collect();
        for part in alone.chunks(512) {
            add(part, true)?;
        }
        let mean = |(i, sum): (usize, &f64)| (sum / counts[i / width].max(1) as f64) as f32;
        Ok(sums.iter().enumerate().map(mean).collect())
    }

    /// Weights `[outputs, state]` and bias `[outputs]` of an affine readout of the analysed cell's state alone: what
    /// the network says of a document that stands in that state, the other cells at their mean over `documents`, and a
    /// layer norm with the mean deviation there. Exact for a document that stands still, without a norm and without
    /// other cells.
    ///
    /// # Errors
    /// [`Error::Shape`] for an empty document or an unknown word.
    pub fn beside(
        &self,
        documents: &[&[u32]],
        table: Option<&[f32]>,
    ) -> Result<(Vec<f32>, Vec<f32>)> {
        let without = Self { norm: None, ..self.clone() };
        let mut pooled: Vec<Vec<f32>> = Vec::new();
        for part in documents.chunks(64) {
            let states = without.run(part, table)?;
            pooled.extend(without.pooled(&states, part.len()));
        }
        Ok(self.affine(&pooled))
    }

    /// Whether the readout reads the analysed cell alone.
    pub fn reads_one_cell(&self) -> bool {
        self.blocks.iter().all(|b| (b.layer, b.direction) == self.analysed)
    }

    /// What the readout reads, before a norm, of documents that stand in these states; of the analysed cell alone.
    pub fn standing(&self, states: &[Vec<f64>]) -> Vec<Vec<f32>> {
        let n = self.layers[self.analysed.0][self.analysed.1].units;
        let part = |state: &[f64], block: &Block| -> Vec<f32> {
            let offset = if block.part == Part::Cell { n } else { 0 };
            state[offset..offset + n].iter().map(|&x| x as f32).collect()
        };
        states.iter().map(|s| self.blocks.iter().flat_map(|b| part(s, b)).collect()).collect()
    }

    /// [`Whole::beside`] from vectors as the readout reads them, before a norm; none for means of zero.
    pub fn affine(&self, pooled: &[Vec<f32>]) -> (Vec<f32>, Vec<f32>) {
        let width = self.width();
        let count = pooled.len().max(1) as f64;
        let mean: Vec<f64> =
            (0..width).map(|i| pooled.iter().map(|z| z[i] as f64).sum::<f64>() / count).collect();
        let mut readout: Vec<f64> = self.readout.iter().map(|&x| x as f64).collect();
        let mut bias: Vec<f64> = self.bias.iter().map(|&x| x as f64).collect();
        if let Some(norm) = &self.norm {
            self.through_norm(norm, pooled, &mut readout, &mut bias);
        }
        let pass = &self.layers[self.analysed.0][self.analysed.1];
        let state = pass.state();
        let mut weights = vec![0.0_f64; bias.len() * state];
        let mut first = 0;
        for block in &self.blocks {
            let n = self.layers[block.layer][block.direction].units;
            let own = (block.layer, block.direction) == self.analysed;
            let offset = if block.part == Part::Cell { n } else { 0 };
            for (o, bias) in bias.iter_mut().enumerate() {
                for i in 0..n {
                    let w = readout[o * width + first + i];
                    if own {
                        weights[o * state + offset + i] += w;
                    } else {
                        *bias += w * mean[first + i];
                    }
                }
            }
            first += n;
        }
        let narrow = |all: &[f64]| all.iter().map(|&x| x as f32).collect();
        (narrow(&weights), narrow(&bias))
    }

    /// The readout of what is not yet normed: `W γ (I − 11ᵀ/n)/σ̄`, with the mean deviation `σ̄` of `pooled`.
    fn through_norm(
        &self,
        norm: &Norm,
        pooled: &[Vec<f32>],
        readout: &mut [f64],
        bias: &mut [f64],
    ) {
        let (width, size) = (self.width(), norm.scale.len());
        let parts: Vec<f64> = pooled
            .iter()
            .flat_map(|z| z.chunks_exact(size))
            .map(|part| deviation(part, norm.epsilon))
            .collect();
        let spread =
            if parts.is_empty() { 1.0 } else { parts.iter().sum::<f64>() / parts.len() as f64 };
        for (row, bias) in readout.chunks_exact_mut(width).zip(bias) {
            for part in row.chunks_exact_mut(size) {
                let along = part.iter_mut().zip(&norm.scale).zip(&norm.shift);
                for ((w, scale), shift) in along {
                    *bias += *w * *shift as f64;
                    *w *= *scale as f64 / spread;
                }
                let mean = part.iter().sum::<f64>() / size as f64;
                part.iter_mut().for_each(|w| *w -= mean);
            }
        }
    }
}

/// The states of one document alone.
fn one(states: &[States], d: usize) -> Vec<States> {
    states.iter().map(|direction| vec![direction[d].clone()]).collect()
}

fn pool(steps: &[&[f32]], pooling: Pooling, backward: bool) -> Vec<f32> {
    let last = steps.len() - 1;
    match pooling {
        Pooling::Last => steps[if backward { 0 } else { last }].to_vec(),
        Pooling::End => steps[last].to_vec(),
        Pooling::Mean => {
            let share = 1.0 / steps.len() as f64;
            let unit = |i: usize| steps.iter().map(|s| s[i] as f64).sum::<f64>();
            (0..steps[0].len()).map(|i| (unit(i) * share) as f32).collect()
        }
        Pooling::Max => {
            let unit = |i: usize| steps.iter().map(|s| s[i]).fold(f32::NEG_INFINITY, f32::max);
            (0..steps[0].len()).map(unit).collect()
        }
    }
}

fn over_words(pass: &Pass, documents: &[&[u32]], table: Option<&[f32]>) -> Result<States> {
    let turned: Vec<Vec<u32>> = documents
        .iter()
        .map(|d| if pass.backward { d.iter().rev().copied().collect() } else { d.to_vec() })
        .collect();
    let rows: Vec<&[u32]> = turned.iter().map(Vec::as_slice).collect();
    let batch = Batch::new(&rows)?;
    let words = match (table, pass.one_hot) {
        (Some(table), false) => table.len() / pass.inputs,
        _ => pass.inputs,
    };
    if let Some(token) = batch.distinct.last().filter(|&&token| token as usize >= words) {
        return Err(Error::shape("token id", token, format!("below {words}")));
    }
    let vectors: Vec<f32> = match (table, pass.one_hot) {
        (Some(table), false) => {
            let row = |&t: &u32| &table[t as usize * pass.inputs..][..pass.inputs];
            batch.distinct.iter().flat_map(row).copied().collect()
        }
        _ => Vec::new(),
    };
    Ok(states(pass, &batch, &vectors))
}

fn over_vectors(pass: &Pass, vectors: &States) -> Result<States> {
    let width = pass.inputs;
    let lengths: Vec<usize> = vectors.iter().map(|v| v.len() / width).collect();
    let batch = Batch::of_vectors(&lengths)?;
    let entering: Vec<f32> = vectors
        .iter()
        .flat_map(|steps| if pass.backward { reversed(steps, width) } else { steps.clone() })
        .collect();
    Ok(states(pass, &batch, &entering))
}

/// States after each token, in the order of the text.
fn states(pass: &Pass, batch: &Batch, vectors: &[f32]) -> States {
    let state = pass.state();
    let zero = vec![0.0; state];
    let start = if pass.initial.is_empty() { &zero } else { &pass.initial };
    let parameters = &pass.parameters;
    let (all, _) =
        sequence::forward(pass.sizes(), Pool::Every, batch, parameters, vectors, start, false);
    let documents = all.par_chunks_exact(batch.longest() * state).zip(&batch.lengths);
    documents
        .map(|(steps, &length)| {
            let steps = &steps[..length * state];
            if pass.backward { reversed(steps, state) } else { steps.to_vec() }
        })
        .collect()
}

/// Steps of `width` numbers in the other order.
fn reversed(steps: &[f32], width: usize) -> Vec<f32> {
    steps.chunks_exact(width).rev().flatten().copied().collect()
}
