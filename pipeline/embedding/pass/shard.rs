//! One base model's phrases through the cell, forward and backward.

use super::affine::{Affine, bare};
use super::prepared::Prepared;
use super::{Objective, Terms, Trace};
use crate::ops::CellKind;
use crate::ops::buffers::Buffer;
use crate::ops::denormals::FlushDenormals;
use crate::ops::equations::input_gradient_blocks;
use crate::ops::outer::Outer;
use crate::ops::panel::{Start, Vectors, load, store};
use crate::ops::step::WeightGradient;
use crate::{Measure, Phrases, Recording, Said};
use pulp::{Simd, WithSimd};

/// One base model's rows.
pub(super) struct Shard<'a> {
    pub(super) prepared: &'a Prepared<'a>,
    /// `C θ_n`.
    pub(super) added: Vec<f32>,
    pub(super) rows: &'a [(usize, Vec<u32>)],
    /// What is asked; none to run forward alone.
    pub(super) asked: Option<Asked<'a>>,
}

pub(super) struct Asked<'a> {
    pub(super) objective: &'a Objective,
    pub(super) recording: &'a Recording,
    /// `V_n` and `v_n`.
    pub(super) map: Affine,
    pub(super) phrases: &'a Phrases,
    pub(super) batch: &'a [usize],
    /// Weight of each phrase in the loss.
    pub(super) share: f64,
}

/// What a shard gives.
#[derive(Default)]
pub(super) struct Part {
    pub(super) terms: Terms,
    /// By the table's rows, `[distinct, G·np]`.
    pub(super) table: Vec<f32>,
    pub(super) recurrent: Option<WeightGradient>,
    /// Of the candidate's recurrent bias, where the reset gate acts on it: `[np]`.
    pub(super) candidate_bias: Vec<f32>,
    pub(super) initial: Vec<f32>,
    pub(super) readout: Option<Outer>,
    pub(super) readout_bias: Vec<f32>,
    pub(super) map: Option<Outer>,
    pub(super) map_bias: Vec<f32>,
    /// Traces, by the phrase's place in the batch, where nothing is asked.
    pub(super) traces: Vec<(usize, Trace)>,
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
