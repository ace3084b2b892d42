//! All base models on a batch of phrases, forward and backward, in f32.
//!
//! # The scheme
//! 1. What words or vectors add to the gates, `A x + b_ih`, is computed once for each distinct one of the batch: it is the same
//!    for every base model. `C θ_n` is added to it once a base model.
//! 2. A shard is the phrases of one base model, at most [`ROWS`]: one product of their states with the recurrent weights a step
//!    ([`accrue_ops::step`]). All that the way back needs stays near.
//! 3. On the way back the shard meets `V_n` and the readout step by step; gradients of weights are summed over all its steps at once.
//! 4. Parts are summed in the order of the shards: the bits do not depend on the number of threads.
//!
//! Per step and row `G n² + d_n s` products forward and twice as many back.

use crate::ops::buffers::Buffer;
use crate::ops::denormals::FlushDenormals;
use crate::ops::equations::input_gradient_blocks;
use crate::ops::outer::Outer;
use crate::ops::panel::{Panels, Start, Vectors, load, store};
use crate::ops::step::{WeightGradient, Weights};
use crate::ops::{CellKind, Sizes};
use crate::{Layout, Measure, Phrases, Reads, Recording, Said};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Phrases that one thread carries together. Part of the definition of the results' bits.
pub const ROWS: usize = 32;

/// Units are padded to a multiple of this: whole vectors on every processor.
const PAD: usize = 16;

/// What is minimised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective {
    /// `λ`, of the states' term.
    pub lambda: f64,
    /// What outputs are.
    pub measure: Measure,
    /// Which steps' outputs count.
    pub said: Said,
    /// Whether gradients of what all base models share are wanted, or those of `θ_n`, `V_n` and `v_n` alone.
    pub shared: bool,
}

/// Terms of the loss of one base model, means over the phrases.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Terms {
    /// `mean_t ‖V h̃ + v − h‖² / Var h`: the share of the states that is missed.
    pub states: f64,
    /// `mean_t D(ỹ, y)`, in nats or as a share of the variance; of the last step alone for [`Said::Last`].
    pub outputs: f64,
}

impl std::ops::AddAssign for Terms {
    fn add_assign(&mut self, other: Self) {
        self.states += other.states;
        self.outputs += other.outputs;
    }
}

impl std::ops::Mul<f64> for Terms {
    type Output = Self;

    fn mul(self, share: f64) -> Self {
        Self { states: share * self.states, outputs: share * self.outputs }
    }
}

/// Loss and gradient of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradient {
    /// Terms of each base model.
    pub terms: Vec<Terms>,
    /// Of the mean over base models, in the order of the parameters; zero where it was not asked for.
    pub parameters: Vec<f32>,
}

impl Gradient {
    /// `mean_n (λ states + outputs)`.
    pub fn loss(&self, objective: &Objective) -> f64 {
        let of = |t: &Terms| objective.lambda * t.states + t.outputs;
        self.terms.iter().map(of).sum::<f64>() / self.terms.len() as f64
    }
}

/// What the meta-model did on one phrase.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// `h̃_t`, `[t, state]`, from `h̃_1` on.
    pub states: Vec<f32>,
    /// `ỹ_t`, `[t, outputs]`: logits or numbers.
    pub outputs: Vec<f32>,
}

/// Copies blocks of `n` numbers to blocks of `np`, zeros between.
fn padded(numbers: &[f32], n: usize, np: usize) -> Vec<f32> {
    let mut all = vec![0.0; numbers.len() / n * np];
    for (to, from) in all.chunks_exact_mut(np).zip(numbers.chunks_exact(n)) {
        to[..n].copy_from_slice(from);
    }
    all
}

/// The same back.
fn bare(numbers: &[f32], n: usize, np: usize) -> impl Iterator<Item = f32> {
    numbers.chunks_exact(np).flat_map(move |block| block[..n].iter().copied())
}

/// How wide this processor's vectors are.
struct Widths;

impl WithSimd for Widths {
    type Output = Vectors;
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vectors {
        Vectors::of(simd)
    }
}

/// An affine map of padded states, as both ways read it: `m [d, s]`, `bias [d]`.
struct Affine {
    d: usize,
    /// Padded.
    dp: usize,
    forward: Panels,
    backward: Panels,
    bias: Vec<f32>,
}

impl Affine {
    fn pack(vectors: Vectors, sizes: Sizes, m: &[f32], bias: &[f32]) -> Self {
        let (n, np, d) = (sizes.units, sizes.padded(), bias.len());
        let (s, sp, dp) = (sizes.kind.state_size(n), sizes.state(), d.next_multiple_of(PAD));
        let at = |row: usize, column: usize| {
            let (block, i) = (column / np, column % np);
            if row < d && i < n { m[row * s + block * n + i] } else { 0.0 }
        };
        let (mut forward, mut backward) = (Panels::default(), Panels::default());
        if d > 0 {
            forward.pack(vectors, sp, dp, |p, j| at(j, p));
            backward.pack(vectors, dp, sp, at);
        }
        let mut bias = bias.to_vec();
        bias.resize(dp, 0.0);
        Self { d, dp, forward, backward, bias }
    }
}

/// A batch as the shards read it.
struct Laid {
    /// Phrases, longest first: which of the batch, and the table's row of each step.
    phrases: Vec<(usize, Vec<u32>)>,
    /// Distinct words, or steps of vectors.
    distinct: Vec<usize>,
}

fn lay_out(reads: Reads, phrases: &Phrases, batch: &[usize]) -> Laid {
    let words = !matches!(reads, Reads::Vectors(_));
    let mut places: BTreeMap<usize, u32> = BTreeMap::new();
    let key = |step: usize| match words {
        true => phrases.word(step).expect("phrases of words") as usize,
        false => step,
    };
    for &b in batch {
        phrases.range(b).for_each(|step| {
            places.insert(key(step), 0);
        });
    }
    let distinct: Vec<usize> = places.keys().copied().collect();
    places.values_mut().enumerate().for_each(|(i, place)| *place = i as u32);
    let mut laid: Vec<(usize, Vec<u32>)> = batch
        .iter()
        .enumerate()
        .map(|(i, &b)| (i, phrases.range(b).map(|step| places[&key(step)]).collect()))
        .collect();
    laid.sort_by_key(|(_, steps)| std::cmp::Reverse(steps.len()));
    Laid { phrases: laid, distinct }
}

/// What the shards share.
struct Prepared<'a> {
    layout: &'a Layout,
    sizes: Sizes,
    weights: Weights,
    /// `A x + b_ih`, `[distinct, G·np]`.
    table: Vec<f32>,
    /// `h̃_0`.
    initial: Vec<f32>,
    readout: Affine,
}

/// The vector of a distinct input; none for a one-hot word.
fn vector<'a>(
    layout: &Layout,
    parameters: &'a [f32],
    phrases: &'a Phrases,
    key: usize,
) -> &'a [f32] {
    match layout.shape.reads {
        Reads::Words(_) => &[],
        Reads::Embedded(_, width) => &parameters[layout.words()][key * width..][..width],
        Reads::Vectors(_) => phrases.vector(key),
    }
}

impl<'a> Prepared<'a> {
    fn new(layout: &'a Layout, parameters: &[f32], phrases: &Phrases, distinct: &[usize]) -> Self {
        let vectors = Arch::new().dispatch(Widths);
        let sizes = layout.shape.sizes();
        let (n, np, u) = (sizes.units, sizes.padded(), sizes.inputs());
        let [a, w, b_ih, b_hh] = sizes.split(&parameters[layout.cell()]);
        let mut table = vec![0.0; distinct.len() * sizes.table()];
        for (row, &key) in table.chunks_exact_mut(sizes.table()).zip(distinct) {
            let x = vector(layout, parameters, phrases, key);
            for (j, to) in row.iter_mut().enumerate().filter(|(j, _)| j % np < n) {
                let i = j / np * n + j % np;
                *to = b_ih[i]
                    + match layout.shape.reads {
                        Reads::Words(_) => a[i * u + key],
                        _ => a[i * u..][..u].iter().zip(x).map(|(a, x)| a * x).sum::<f32>(),
                    };
            }
        }
        Self {
            layout,
            sizes,
            weights: Weights::pack(sizes, w, b_hh),
            table,
            initial: padded(&parameters[layout.initial()], n, np),
            readout: Affine::pack(
                vectors,
                sizes,
                &parameters[layout.readout()],
                &parameters[layout.readout_bias()],
            ),
        }
    }

    /// `C θ`, `[G·np]`.
    fn conditioned(&self, parameters: &[f32], theta: &[f32]) -> Vec<f32> {
        let c = &parameters[self.layout.conditioning()];
        let of = |row: &[f32]| row.iter().zip(theta).map(|(c, t)| c * t).sum::<f32>();
        let all: Vec<f32> = c.chunks_exact(theta.len()).map(of).collect();
        padded(&all, self.sizes.units, self.sizes.padded())
    }
}

/// One base model's rows.
struct Shard<'a> {
    prepared: &'a Prepared<'a>,
    /// `C θ_n`.
    added: Vec<f32>,
    rows: &'a [(usize, Vec<u32>)],
    /// What is asked; none to run forward alone.
    asked: Option<Asked<'a>>,
}

struct Asked<'a> {
    objective: &'a Objective,
    recording: &'a Recording,
    /// `V_n` and `v_n`.
    map: Affine,
    phrases: &'a Phrases,
    batch: &'a [usize],
    /// Weight of each phrase in the loss.
    share: f64,
}

/// What a shard gives.
#[derive(Default)]
struct Part {
    terms: Terms,
    /// By the table's rows, `[distinct, G·np]`.
    table: Vec<f32>,
    recurrent: Option<WeightGradient>,
    /// Of the candidate's recurrent bias, where the reset gate acts on it: `[np]`.
    candidate_bias: Vec<f32>,
    initial: Vec<f32>,
    readout: Option<Outer>,
    readout_bias: Vec<f32>,
    map: Option<Outer>,
    map_bias: Vec<f32>,
    /// Traces, by the phrase's place in the batch, where nothing is asked.
    traces: Vec<(usize, Trace)>,
}

/// `to += from` over whole vectors.
#[inline(always)]
fn add<S: Simd>(simd: S, to: &mut [f32], from: &[f32]) {
    assert!(to.len() == from.len() && to.len().is_multiple_of(S::F32_LANES));
    for j in (0..to.len()).step_by(S::F32_LANES) {
        // SAFETY: both are of one length in whole vectors.
        unsafe {
            let (a, b) = (load::<S>(to.as_ptr().add(j)), load::<S>(from.as_ptr().add(j)));
            store::<S>(to.as_mut_ptr().add(j), simd.add_f32s(a, b));
        }
    }
}

impl WithSimd for Shard<'_> {
    type Output = Part;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Part {
        let _flush = FlushDenormals::on_this_thread();
        let p = self.prepared;
        let (s, blocks, wide) = (p.sizes.state(), p.sizes.saved(), p.sizes.table());
        let rows = self.rows.len();
        let steps = self.rows[0].1.len();
        let active: Vec<usize> =
            (0..steps).map(|t| self.rows.iter().take_while(|r| r.1.len() > t).count()).collect();
        let mut before = Buffer::of((steps + 1) * rows * s);
        let mut saved = Buffer::of(steps * rows * blocks);
        let mut drive = vec![0.0_f32; rows * wide];
        for row in before[..rows * s].chunks_exact_mut(s) {
            row.copy_from_slice(&p.initial);
        }
        for (t, &on) in active.iter().enumerate() {
            for (r, to) in drive.chunks_exact_mut(wide).take(on).enumerate() {
                let place = self.rows[r].1[t] as usize;
                to.copy_from_slice(&p.table[place * wide..][..wide]);
                add(simd, to, &self.added);
            }
            // SAFETY: `on` ≤ rows; steps t and t + 1 of `before` and step t of `saved` lie within the buffers; `drive` has
            // `rows` rows of `wide`.
            unsafe {
                let h = before.as_mut_ptr();
                p.weights.forward(
                    simd,
                    on,
                    h.add(t * rows * s),
                    drive.as_ptr(),
                    saved.as_mut_ptr().add(t * rows * blocks),
                    h.add((t + 1) * rows * s),
                );
            }
            // Rows that have ended enter sums as zeros.
            before[((t + 1) * rows + on) * s..(t + 2) * rows * s].fill(0.0);
            saved[(t * rows + on) * blocks..(t + 1) * rows * blocks].fill(0.0);
        }
        match &self.asked {
            None => self.traced(simd, &active, &before),
            Some(asked) => self.backward(simd, asked, &active, &before, &mut saved),
        }
    }
}

impl Shard<'_> {
    #[inline(always)]
    fn traced<S: Simd>(&self, simd: S, active: &[usize], before: &[f32]) -> Part {
        let p = self.prepared;
        let (s, rows, kp, k) = (p.sizes.state(), self.rows.len(), p.readout.dp, p.readout.d);
        let (n, np) = (p.sizes.units, p.sizes.padded());
        let mut part = Part::default();
        let empty = || Trace { states: Vec::new(), outputs: Vec::new() };
        part.traces = self.rows.iter().map(|(i, _)| (*i, empty())).collect();
        let mut said = vec![0.0_f32; rows * kp];
        for (t, &on) in active.iter().enumerate() {
            let h = &before[(t + 1) * rows * s..][..rows * s];
            // SAFETY: `h` has `on` rows of `s`, `said` of `kp`.
            unsafe {
                let start = Start::Bias(&p.readout.bias);
                p.readout.forward.product(simd, on, h.as_ptr(), s, said.as_mut_ptr(), kp, start);
            }
            for (r, (_, trace)) in part.traces.iter_mut().enumerate().take(on) {
                trace.states.extend(bare(&h[r * s..][..s], n, np));
                trace.outputs.extend_from_slice(&said[r * kp..][..k]);
            }
        }
        part
    }

    #[inline(always)]
    fn backward<S: Simd>(
        &self,
        simd: S,
        asked: &Asked,
        active: &[usize],
        before: &[f32],
        saved: &mut [f32],
    ) -> Part {
        let p = self.prepared;
        let (s, blocks, wide) = (p.sizes.state(), p.sizes.saved(), p.sizes.table());
        let (np, rows, steps) = (p.sizes.padded(), self.rows.len(), active.len());
        let (dp, kp) = (asked.map.dp, p.readout.dp);
        let vectors = Vectors::of(simd);
        let mut part = Part::default();
        let mut d = vec![0.0_f32; rows * s];
        let mut room = vec![0.0_f32; rows * np];
        let mut missed = vec![0.0_f32; steps * rows * dp];
        let mut wrong = vec![0.0_f32; steps * rows * kp];
        for (t, &on) in active.iter().enumerate().rev() {
            let h = &before[(t + 1) * rows * s..][..rows * s];
            let missed = &mut missed[t * rows * dp..][..rows * dp];
            let wrong = &mut wrong[t * rows * kp..][..rows * kp];
            // SAFETY: `h` and `d` have `rows` rows of `s`, `missed` of `dp`, `wrong` of `kp`; step t of `before` and `saved`
            // lie within them.
            unsafe {
                if asked.map.d > 0 {
                    let start = Start::Bias(&asked.map.bias);
                    let to = missed.as_mut_ptr();
                    asked.map.forward.product(simd, on, h.as_ptr(), s, to, dp, start);
                    part.terms.states += self.states_missed(asked, t, on, missed);
                    let from = missed.as_ptr();
                    let to = d.as_mut_ptr();
                    asked.map.backward.product(simd, on, from, dp, to, s, Start::Sum);
                }
                let start = Start::Bias(&p.readout.bias);
                p.readout.forward.product(simd, on, h.as_ptr(), s, wrong.as_mut_ptr(), kp, start);
                part.terms.outputs += self.outputs_missed(asked, t, on, wrong);
                let (from, to) = (wrong.as_ptr(), d.as_mut_ptr());
                p.readout.backward.product(simd, on, from, kp, to, s, Start::Sum);
                p.weights.backward(
                    simd,
                    on,
                    before.as_ptr().add(t * rows * s),
                    saved.as_mut_ptr().add(t * rows * blocks),
                    d.as_mut_ptr(),
                    room.as_mut_ptr(),
                );
            }
        }
        let slots = steps * rows;
        part.table = vec![0.0; p.table.len()];
        let places = input_gradient_blocks(p.sizes.kind);
        for (t, &on) in active.iter().enumerate() {
            for (r, (_, of)) in self.rows.iter().enumerate().take(on) {
                let gates = &saved[(t * rows + r) * blocks..][..blocks];
                let to = &mut part.table[of[t] as usize * wide..][..wide];
                for (gate, &block) in places.iter().enumerate() {
                    add(simd, &mut to[gate * np..][..np], &gates[block * np..][..np]);
                }
            }
        }
        let after = &before[rows * s..];
        if asked.map.d > 0 {
            let mut sum = Outer::new(vectors, dp, s);
            // SAFETY: `slots` rows of `dp` and of `s`.
            unsafe { sum.add(simd, slots, (missed.as_ptr(), dp), (after.as_ptr(), s)) };
            part.map = Some(sum);
            part.map_bias = vec![0.0; dp];
            missed.chunks_exact(dp).for_each(|row| add(simd, &mut part.map_bias, row));
        }
        if asked.objective.shared {
            let mut sum = Outer::new(vectors, kp, s);
            // SAFETY: `slots` rows of `kp` and of `s`.
            unsafe { sum.add(simd, slots, (wrong.as_ptr(), kp), (after.as_ptr(), s)) };
            part.readout = Some(sum);
            part.readout_bias = vec![0.0; kp];
            wrong.chunks_exact(kp).for_each(|row| add(simd, &mut part.readout_bias, row));
            let mut sum = WeightGradient::new(p.sizes);
            sum.add(simd, slots, &saved[..slots * blocks], &before[..slots * s]);
            part.recurrent = Some(sum);
            if p.sizes.kind.architecture() == CellKind::Gru {
                part.candidate_bias = vec![0.0; np];
                for gates in saved[..slots * blocks].chunks_exact(blocks) {
                    add(simd, &mut part.candidate_bias, &gates[2 * np..3 * np]);
                }
            }
            part.initial = vec![0.0; s];
            d.chunks_exact(s).for_each(|row| add(simd, &mut part.initial, row));
        }
        part
    }

    /// From emulated states to the loss's slopes by them; the share of the states that was missed, weighted.
    #[inline(always)]
    fn states_missed(&self, asked: &Asked, t: usize, on: usize, emulated: &mut [f32]) -> f64 {
        let (d, dp) = (asked.map.d, asked.map.dp);
        let mut sum = 0.0;
        for (r, row) in emulated.chunks_exact_mut(dp).take(on).enumerate() {
            let (i, of) = &self.rows[r];
            let step = asked.phrases.range(asked.batch[*i]).start + t;
            let weight = asked.share / of.len() as f64;
            let slope = (2.0 * asked.objective.lambda * weight) as f32;
            let mut own = 0.0_f32;
            for (x, z) in row[..d].iter_mut().zip(&asked.recording.states[step * d..][..d]) {
                let e = *x - z;
                own += e * e;
                *x = slope * e;
            }
            row[d..].fill(0.0);
            sum += weight * f64::from(own);
        }
        sum
    }

    /// From outputs to the loss's slopes by them; how far they are off, weighted.
    #[inline(always)]
    fn outputs_missed(&self, asked: &Asked, t: usize, on: usize, said: &mut [f32]) -> f64 {
        let (k, kp) = (self.prepared.readout.d, self.prepared.readout.dp);
        let mut sum = 0.0;
        for (r, row) in said.chunks_exact_mut(kp).take(on).enumerate() {
            let (i, of) = &self.rows[r];
            let step = asked.phrases.range(asked.batch[*i]).start + t;
            let weight = match asked.objective.said {
                Said::Every => asked.share / of.len() as f64,
                Said::Last if t + 1 == of.len() => asked.share,
                Said::Last => {
                    row.fill(0.0);
                    continue;
                }
            };
            let y = &asked.recording.outputs[step * k..][..k];
            row[k..].fill(0.0);
            let row = &mut row[..k];
            sum += weight
                * f64::from(match asked.objective.measure {
                    Measure::Distribution => divergence(row, y, weight as f32),
                    Measure::Numbers => {
                        let scale = asked.recording.weight as f32;
                        let mut own = 0.0;
                        for (x, y) in row.iter_mut().zip(y) {
                            let e = *x - y;
                            own += scale * e * e;
                            *x = 2.0 * scale * weight as f32 * e;
                        }
                        own
                    }
                });
        }
        sum
    }
}

/// `Σ y ln(y / softmax(x))` in nats; `x` becomes its slope, times `weight`.
#[inline(always)]
fn divergence(x: &mut [f32], y: &[f32], weight: f32) -> f32 {
    let most = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let total: f32 = x.iter().map(|x| (x - most).exp()).sum();
    let log = total.ln() + most;
    let mut sum = 0.0;
    for (x, y) in x.iter_mut().zip(y) {
        let own = *x - log;
        if *y > 0.0 {
            sum += y * (y.ln() - own);
        }
        *x = weight * (own.exp() - y);
    }
    sum
}

/// Loss of a batch of phrases for all base models, and its gradient.
///
/// * `recordings`: one a base model, over all of `phrases`
/// * `batch`: which phrases
pub fn gradient(
    layout: &Layout,
    parameters: &[f32],
    phrases: &Phrases,
    recordings: &[Recording],
    batch: &[usize],
    objective: &Objective,
) -> Gradient {
    let arch = Arch::new();
    let vectors = arch.dispatch(Widths);
    let laid = lay_out(layout.shape.reads, phrases, batch);
    let prepared = Prepared::new(layout, parameters, phrases, &laid.distinct);
    let models = layout.models();
    let share = 1.0 / (batch.len() * models) as f64;
    let chunks = laid.phrases.len().div_ceil(ROWS);
    let parts: Vec<Part> = (0..models * chunks)
        .into_par_iter()
        .map(|i| {
            let (model, chunk) = (i / chunks, i % chunks);
            let first = chunk * ROWS;
            let asked = Asked {
                objective,
                recording: &recordings[model],
                map: Affine::pack(
                    vectors,
                    prepared.sizes,
                    &parameters[layout.map(model)],
                    &parameters[layout.map_bias(model)],
                ),
                phrases,
                batch,
                share,
            };
            arch.dispatch(Shard {
                prepared: &prepared,
                added: prepared.conditioned(parameters, &parameters[layout.theta(model)]),
                rows: &laid.phrases[first..(first + ROWS).min(laid.phrases.len())],
                asked: Some(asked),
            })
        })
        .collect();
    gathered(&prepared, parameters, (phrases, &laid.distinct), (&parts, chunks), objective)
}

/// Sums of the parts, in the order of the parameters.
fn gathered(
    p: &Prepared,
    parameters: &[f32],
    (phrases, distinct): (&Phrases, &[usize]),
    (parts, chunks): (&[Part], usize),
    objective: &Objective,
) -> Gradient {
    let (layout, sizes) = (p.layout, p.sizes);
    let (n, np, wide, s) = (sizes.units, sizes.padded(), sizes.table(), sizes.state());
    let dimension = layout.shape.dimension;
    let mut all = vec![0.0_f32; layout.parameters()];
    let mut table = vec![0.0_f32; p.table.len()];
    let mut conditioning = vec![0.0_f32; layout.conditioning().len()];
    let c = &parameters[layout.conditioning()];
    let models = layout.models() as f64;
    let mut terms = vec![Terms::default(); layout.models()];
    for (model, own) in parts.chunks(chunks).enumerate() {
        let mut drive = vec![0.0_f32; wide];
        for part in own {
            terms[model].states += part.terms.states * models;
            terms[model].outputs += part.terms.outputs * models;
            for row in part.table.chunks_exact(wide) {
                drive.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
            }
            if objective.shared {
                table.iter_mut().zip(&part.table).for_each(|(sum, x)| *sum += x);
            }
            if let Some(map) = &part.map {
                let (dp, d) = (part.map_bias.len(), layout.widths[model]);
                let mut sum = vec![0.0; dp * s];
                map.add_to(0, &mut sum);
                let to = &mut all[layout.map(model)];
                let rows = bare(&sum[..d * s], n, np);
                to.iter_mut().zip(rows).for_each(|(to, x)| *to += x);
                let to = &mut all[layout.map_bias(model)];
                to.iter_mut().zip(&part.map_bias).for_each(|(to, x)| *to += x);
            }
        }
        let drive: Vec<f32> = bare(&drive, n, np).collect();
        let theta = layout.theta(model);
        for (i, d) in drive.iter().enumerate() {
            for j in 0..dimension {
                all[theta.start + j] += c[i * dimension + j] * d;
                conditioning[i * dimension + j] += d * parameters[theta.start + j];
            }
        }
    }
    if !objective.shared {
        return Gradient { terms, parameters: all };
    }
    let conditioned = layout.conditioning();
    all[conditioned].copy_from_slice(&conditioning);
    shared(p, parts, &mut all);
    entered(p, parameters, (phrases, distinct), &table, &mut all);
    Gradient { terms, parameters: all }
}

/// Recurrent weights and bias of the candidate, first state, readout.
fn shared(p: &Prepared, parts: &[Part], all: &mut [f32]) {
    let (layout, sizes) = (p.layout, p.sizes);
    let (n, np, s) = (sizes.units, sizes.padded(), sizes.state());
    let (k, kp) = (p.readout.d, p.readout.dp);
    let u = sizes.inputs();
    let w = layout.cell().start + layout.shape.gates() * u;
    let bias_hh = w + layout.shape.gates() * (n + 1);
    let mut readout = vec![0.0_f32; kp * s];
    for part in parts {
        if let Some(sum) = &part.recurrent {
            sum.add_to(&mut all[w..w + layout.shape.gates() * n]);
        }
        if sizes.kind.architecture() == CellKind::Gru {
            let to = &mut all[bias_hh + 2 * n..bias_hh + 3 * n];
            to.iter_mut().zip(&part.candidate_bias).for_each(|(to, x)| *to += x);
        }
        let to = &mut all[layout.initial()];
        to.iter_mut().zip(bare(&part.initial, n, np)).for_each(|(to, x)| *to += x);
        if let Some(sum) = &part.readout {
            sum.add_to(0, &mut readout);
        }
        let to = &mut all[layout.readout_bias()];
        to.iter_mut().zip(&part.readout_bias).for_each(|(to, x)| *to += x);
    }
    let to = &mut all[layout.readout()];
    to.iter_mut().zip(bare(&readout[..k * s], n, np)).for_each(|(to, x)| *to += x);
}

/// What entered at the steps: input weights and biases, rows of words.
fn entered(
    p: &Prepared,
    parameters: &[f32],
    (phrases, distinct): (&Phrases, &[usize]),
    table: &[f32],
    all: &mut [f32],
) {
    let (layout, sizes) = (p.layout, p.sizes);
    let (n, np, wide, u) = (sizes.units, sizes.padded(), sizes.table(), sizes.inputs());
    let gates = layout.shape.gates();
    let cell = layout.cell().start;
    let [a, ..] = sizes.split(&parameters[layout.cell()]);
    let b_ih = cell + gates * (u + n);
    for (row, &key) in table.chunks_exact(wide).zip(distinct) {
        let row: Vec<f32> = bare(row, n, np).collect();
        let x = vector(layout, parameters, phrases, key);
        for (i, d) in row.iter().enumerate() {
            all[b_ih + i] += d;
            match layout.shape.reads {
                Reads::Words(_) => all[cell + i * u + key] += d,
                _ => {
                    let to = &mut all[cell + i * u..][..u];
                    to.iter_mut().zip(x).for_each(|(to, x)| *to += d * x);
                }
            }
            if let Reads::Embedded(..) = layout.shape.reads {
                let to = &mut all[layout.words().start + key * u..][..u];
                to.iter_mut().zip(&a[i * u..][..u]).for_each(|(to, a)| *to += d * a);
            }
        }
    }
    // The recurrent bias enters where the other does, but for a candidate behind a reset gate.
    let rest = if sizes.kind.architecture() == CellKind::Gru { 2 * n } else { gates };
    for i in 0..rest {
        all[b_ih + gates + i] = all[b_ih + i];
    }
}

/// The meta-model at a `θ` on phrases `batch`.
pub fn emulate(
    layout: &Layout,
    parameters: &[f32],
    theta: &[f32],
    phrases: &Phrases,
    batch: &[usize],
) -> Vec<Trace> {
    let laid = lay_out(layout.shape.reads, phrases, batch);
    let prepared = Prepared::new(layout, parameters, phrases, &laid.distinct);
    let arch = Arch::new();
    let parts: Vec<Part> = laid
        .phrases
        .par_chunks(ROWS)
        .map(|rows| {
            let added = prepared.conditioned(parameters, theta);
            arch.dispatch(Shard { prepared: &prepared, added, rows, asked: None })
        })
        .collect();
    let mut traces: Vec<(usize, Trace)> = parts.into_iter().flat_map(|p| p.traces).collect();
    traces.sort_by_key(|(i, _)| *i);
    traces.into_iter().map(|(_, trace)| trace).collect()
}
