//! One step back: losses, gradients of states, outer products.

use super::forward::Place;
use super::products::{Add, multiply};
use super::rows::{
    backward_row, candidate_back_row, dual_backward_row, dual_candidate_back_row, each,
};
use super::{Pass, Work};
use crate::equations::{Gru, GruResetBefore, Linear, Lstm, Rectified, Relu, Tanh, Ugrnn, Vanilla};
use crate::fused::PackedBack;
use crate::loss::{Counts, cross_entropy};
use crate::ops::buffers::Buffer;
use crate::ops::outer::Outer;
use crate::ops::panel::{Start, Vectors, load, store};
use crate::ring::{Lane, Number};
use crate::{Activation, CellKind, Losses, Target, Terms};
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Steps whose outer products are added together: two weights' panels and some rows of factors fit the caches.
const TOGETHER: usize = 4;

/// What is carried on the way back.
pub(super) struct Back<'a> {
    losses: &'a Losses,
    counts: Counts,
    pub(super) terms: Terms,
    /// Gradients of `h` and `a` after the step, `[rows, s]`.
    pub(super) dh: Vec<f32>,
    pub(super) da: Vec<f32>,
    /// Gradients of `h`, `e`, `v` before it, `[3·rows, s]`.
    dx: Buffer,
    /// Of `r∘h`, `[3·rows, np]`.
    d_rh: Buffer,
    /// Gradients of outputs, `[slots, kp]`, of the network and of the linear system.
    pub(super) outputs: [Buffer; 2],
    /// Gradients of what the layers add up, `[slots, s]` each.
    pub(super) layers: Vec<Buffer>,
    /// Of `A u* + b`, `[rows, G·np]`.
    pub(super) resting: Vec<f32>,
    /// Of the candidate's recurrent bias, `[np]`: the GRU that resets after.
    pub(super) candidate_bias: Vec<f32>,
    pub(super) recurrent: Outer,
    pub(super) candidate: Option<Outer>,
    pub(super) expansion: Vec<Outer>,
    pub(super) readout: Outer,
    pub(super) input: Outer,
    /// Slots from this one on are in the sums.
    added: usize,
}

impl<'a> Back<'a> {
    #[inline(always)]
    pub(super) fn new<S: Simd>(simd: S, pass: &Pass, losses: &'a Losses, counts: Counts) -> Self {
        let (sizes, slots, rows) = (pass.sizes, pass.shard.slots(), pass.shard.rows.len());
        let (vectors, split) = (Vectors::of(simd), sizes.is_split());
        let layers = if pass.joint { sizes.shape.layers } else { 0 };
        let (s, n, g) = (sizes.s, sizes.n, sizes.g);
        let back = pass.packed.back.is_some();
        let room = |count: usize| if back { count } else { 0 };
        let outer = |m: usize, n: usize| Outer::new(vectors, room(m), n);
        Self {
            losses,
            counts,
            terms: Terms::default(),
            dh: vec![0.0; rows * s],
            da: vec![0.0; rows * s],
            dx: Buffer::of(3 * rows * s),
            d_rh: Buffer::of(if split { 3 * rows * n } else { 0 }),
            outputs: [Buffer::of(slots * sizes.k), Buffer::of(slots * sizes.k)],
            layers: (0..layers).map(|_| Buffer::of(room(slots * s))).collect(),
            resting: vec![0.0; rows * g],
            candidate_bias: vec![0.0; n],
            recurrent: outer(if split { 2 * n } else { g }, n),
            candidate: split.then(|| outer(n, n)),
            expansion: (0..layers).map(|_| outer(s, s)).collect(),
            readout: outer(sizes.k, s),
            input: outer(g, sizes.shape.inputs),
            added: slots,
        }
    }

    /// Losses after step `t`; their gradients are added to those of the states.
    #[inline(always)]
    pub(super) fn losses<S: Simd>(
        &mut self,
        simd: S,
        pass: &Pass,
        back: Option<&PackedBack>,
        work: &Work,
        t: usize,
    ) {
        let sizes = pass.sizes;
        let (rows, first, s, k) = (pass.shard.active(t), pass.shard.offset[t], sizes.s, sizes.k);
        let range = first * s..(first + rows) * s;
        for (which, states) in
            [&work.h, &work.a].into_iter().enumerate().take(1 + pass.joint as usize)
        {
            let weight = if which == 0 { self.losses.rnn } else { self.losses.jslds };
            let outputs = &mut self.outputs[which][first * k..(first + rows) * k];
            let last = |row: usize| t + 1 == pass.sequences[row].inputs.len() / sizes.shape.inputs;
            let asked = |&row: &usize| match pass.sequences[row].target {
                Target::Steps { mask, .. } => mask[t] != 0.0,
                Target::Class(_) => last(row),
                Target::Nothing => false,
            };
            if !pass.shard.rows[..rows].iter().any(asked) {
                outputs.fill(0.0);
                continue;
            }
            // SAFETY: rows of s and k numbers.
            unsafe {
                let from = (states[range.clone()].as_ptr(), s);
                let bias = Start::Bias(&pass.packed.readout_bias);
                multiply(simd, &pass.packed.readout, rows, from, (outputs.as_mut_ptr(), k), bias);
            }
            let mut sum = 0.0;
            for (r, outputs) in outputs.chunks_exact_mut(k).enumerate() {
                let row = pass.shard.rows[r];
                let loss = if asked(&row) {
                    let target = pass.sequences[row].target;
                    slope(
                        target,
                        t,
                        &mut outputs[..sizes.shape.outputs],
                        weight / self.counts.outputs,
                    )
                } else {
                    outputs.fill(0.0);
                    0.0
                };
                sum += loss;
            }
            let term = if which == 0 { &mut self.terms.rnn } else { &mut self.terms.jslds };
            *term += sum / self.counts.outputs;
            if let Some(back) = back {
                let d = if which == 0 { &mut self.dh } else { &mut self.da };
                // SAFETY: as above.
                unsafe {
                    let (from, to) = ((outputs.as_ptr(), k), (d.as_mut_ptr(), s));
                    multiply(simd, &back.readout, rows, from, to, Start::Sum);
                }
            }
        }
        if pass.joint {
            self.state_losses(simd, work, range);
        }
    }

    #[inline(always)]
    fn state_losses<S: Simd>(&mut self, simd: S, work: &Work, range: Range<usize>) {
        let (h, a) = (work.h[range.clone()].as_ptr(), work.a[range.clone()].as_ptr());
        let residual = work.residual[range.clone()].as_ptr();
        let (dh, da) = (self.dh.as_mut_ptr(), self.da.as_mut_ptr());
        let pull = (2.0 * self.losses.state / self.counts.states) as f32;
        let pull = Lane(simd, simd.splat_f32s(pull));
        let (mut apart, mut moved) = (pull.zero(), pull.zero());
        for j in (0..range.len()).step_by(S::F32_LANES) {
            // SAFETY: all hold the step's rows.
            unsafe {
                let lane = |at: *const f32| Lane(simd, load::<S>(at.add(j)));
                let (off, rho) = (lane(a) - lane(h), lane(residual));
                apart = apart + off * off;
                moved = moved + rho * rho;
                store::<S>(da.add(j), (lane(da) + pull * off).1);
                store::<S>(dh.add(j), (lane(dh) - pull * off).1);
            }
        }
        let total = |x: Lane<S>| simd.reduce_sum_f32s(x.1) as f64;
        self.terms.state += total(apart) / self.counts.states;
        self.terms.expansion += total(moved) / self.counts.states;
    }

    /// Adds the outer products of slots from `from` on.
    #[inline(always)]
    fn gather<S: Simd>(&mut self, simd: S, pass: &Pass, work: &Work, from: usize) {
        let sizes = pass.sizes;
        let (s, n, g, k, u) = (sizes.s, sizes.n, sizes.g, sizes.k, sizes.shape.inputs);
        let (count, sets) = (self.added - from, work.sets);
        self.added = from;
        let z = work.z[sets * from * sizes.kept..].as_ptr();
        let x = work.x[sets * from * s..].as_ptr();
        let add = |to: &mut Outer, rows, a, b| simd.vectorize(Add { to, rows, a, b });
        add(&mut self.recurrent, sets * count, (z, sizes.kept), (x, s));
        if let Some(candidate) = &mut self.candidate {
            let (a, b) = (z.wrapping_add(2 * n), z.wrapping_add(3 * n));
            add(candidate, sets * count, (a, sizes.kept), (b, sizes.kept));
        }
        for (l, outer) in self.expansion.iter_mut().enumerate() {
            let (d, z) = (self.layers[l][from * s..].as_ptr(), work.layers[l][from * s..].as_ptr());
            add(outer, count, (d, s), (z, s));
        }
        let d = work.drive[from * g..].as_ptr();
        add(&mut self.input, count, (d, g), (work.inputs[from * u..].as_ptr(), u));
        for (outputs, states) in
            self.outputs.iter().zip([&work.h, &work.a]).take(1 + pass.joint as usize)
        {
            let (a, b) = (outputs[from * k..].as_ptr(), states[from * s..].as_ptr());
            add(&mut self.readout, count, (a, k), (b, s));
        }
    }
}

/// Loss of one row's outputs at step `t`, which become `scale` times its slope.
#[inline(always)]
fn slope(target: Target, t: usize, outputs: &mut [f32], scale: f64) -> f64 {
    match target {
        Target::Steps { values, mask } => {
            let weight = mask[t] as f64;
            let wanted = &values[t * outputs.len()..][..outputs.len()];
            let mut sum = 0.0;
            for (o, y) in outputs.iter_mut().zip(wanted) {
                let error = *o as f64 - *y as f64;
                sum += weight * error * error;
                *o = (scale * weight * 2.0 * error) as f32;
            }
            sum
        }
        Target::Class(class) => {
            let exact: Vec<f64> = outputs.iter().map(|o| *o as f64).collect();
            let mut slopes = vec![0.0; exact.len()];
            let loss = cross_entropy(&exact, class, &mut slopes);
            outputs.iter_mut().zip(slopes).for_each(|(o, slope)| *o = (scale * slope) as f32);
            loss
        }
        Target::Nothing => 0.0,
    }
}

/// One step back.
pub(super) struct Backward<'a, 'b, 'c> {
    pub(super) pass: &'a Pass<'b>,
    pub(super) back: &'a PackedBack,
    pub(super) work: &'a mut Work,
    pub(super) way: &'a mut Back<'c>,
    pub(super) t: usize,
}

impl WithSimd for Backward<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pass, back, work, way, t } = self;
        let (sizes, shard, joint) = (pass.sizes, pass.shard, pass.joint);
        let (kind, s, n, ldz) = (sizes.shape.kind, sizes.s, sizes.n, sizes.kept);
        let (rows, first) = (shard.active(t), shard.offset[t]);
        way.losses(simd, pass, Some(back), work, t);
        let press = (2.0 * way.losses.expansion / way.counts.states) as f32;
        let place = Place::of(pass, work, t);
        let all = if joint { 3 * rows } else { rows };
        // SAFETY: as `Forward`; `dx` and `d_rh` hold three sets of rows.
        unsafe {
            let dx = way.dx.as_mut_ptr();
            let set = |which: usize, r: usize| dx.add((which * rows + r) * s);
            for r in 0..rows {
                let (dh, da) = (way.dh[r * s..].as_ptr(), way.da[r * s..].as_ptr());
                of_kind!(kind, backward_row::<S>(simd, place.row(r), dh, set(0, r)));
                if joint {
                    let (residual, to) = (place.arrival(r).0.cast_const(), (set(1, r), set(2, r)));
                    of_kind!(
                        kind,
                        dual_backward_row::<S>(simd, place.dual(r), da, (residual, press), to)
                    );
                }
            }
            if sizes.is_split() {
                let d_rh = way.d_rh.as_mut_ptr();
                let from = (place.z(0, 0).add(2 * n).cast_const(), ldz);
                multiply(simd, &back.candidate, all, from, (d_rh, n), Start::Zero);
                let d_rh = |which: usize, r: usize| d_rh.add((which * rows + r) * n).cast_const();
                // Of the candidate's product, which is linear: the same for every nonlinearity.
                for r in 0..rows {
                    candidate_back_row::<S, GruResetBefore<Tanh>>(
                        simd,
                        place.row(r),
                        d_rh(0, r),
                        set(0, r),
                    );
                    if joint {
                        let (d, to) = ((d_rh(1, r), d_rh(2, r)), (set(1, r), set(2, r)));
                        dual_candidate_back_row::<S, GruResetBefore<Tanh>>(
                            simd,
                            place.dual(r),
                            d,
                            to,
                        );
                    }
                }
            }
            for r in 0..rows {
                drive_back(simd, &place, way, r);
            }
            multiply(simd, &back.recurrent, all, (place.z(0, 0), ldz), (dx, s), Start::Sum);
            set(0, 0).cast_const().copy_to_nonoverlapping(way.dh.as_mut_ptr(), rows * s);
            if joint {
                // v = a − e.
                each(simd, rows * s, set(1, 0), set(2, 0), set(1, 0), |e, v| e - v);
                expand_back(simd, &place, back, way, first);
            }
        }
        if t.is_multiple_of(TOGETHER) {
            way.gather(simd, pass, work, first);
        }
    }
}

/// Gradients of what inputs add to the gates: of `A u + b` in place of it, of `A u* + b`, and of the candidate's bias.
#[inline(always)]
unsafe fn drive_back<S: Simd>(simd: S, place: &Place, way: &mut Back, r: usize) {
    let sizes = place.pass.sizes;
    let (n, joint, kind) = (sizes.n, place.pass.joint, sizes.shape.kind);
    let to = place.drive(r);
    let resting = way.resting[r * sizes.g..].as_mut_ptr();
    let z = [0, 1, 2].map(|set| if joint || set == 0 { place.z(set, r) } else { place.z(0, r) });
    // SAFETY: the caller's.
    unsafe {
        for (gate, &block) in accrue_ops::equations::input_gradient_blocks(kind).iter().enumerate()
        {
            for j in (0..n).step_by(S::F32_LANES) {
                let lane = |at: *const f32| Lane(simd, load::<S>(at.add(block * n + j)));
                let (at, h) = (gate * n + j, lane(z[0]));
                if joint {
                    let (e, v) = (lane(z[1]), lane(z[2]));
                    let rest = Lane(simd, load::<S>(resting.add(at)));
                    store::<S>(resting.add(at), (rest + e - v).1);
                    store::<S>(to.add(at), (h + v).1);
                } else {
                    store::<S>(to.add(at), h.1);
                }
            }
        }
        if kind.architecture() == CellKind::Gru {
            let bias = way.candidate_bias.as_mut_ptr();
            for j in (0..n).step_by(S::F32_LANES) {
                let lane = |at: *const f32| Lane(simd, load::<S>(at.add(2 * n + j)));
                let mut sum = Lane(simd, load::<S>(bias.add(j))) + lane(z[0]);
                if joint {
                    sum = sum + lane(z[1]);
                }
                store::<S>(bias.add(j), sum.1);
            }
        }
    }
}

/// Through the expansion network; `da` becomes the gradient of the linear state before the step.
#[inline(always)]
unsafe fn expand_back<S: Simd>(
    simd: S,
    place: &Place,
    back: &PackedBack,
    way: &mut Back,
    first: usize,
) {
    let (sizes, rows) = (place.pass.sizes, place.rows);
    let (s, layers) = (sizes.s, sizes.shape.layers);
    let dx = way.dx.as_mut_ptr();
    // SAFETY: the caller's.
    unsafe {
        let (g, dv) = (dx.add(rows * s), dx.add(2 * rows * s));
        for l in (0..layers).rev() {
            let from = place.layer(l, 0);
            let to = if l + 1 < layers { place.layer(l + 1, 0) } else { place.x(1, 0) };
            let d = way.layers[l][first * s..].as_mut_ptr();
            for j in (0..rows * s).step_by(S::F32_LANES) {
                let lane = |at: *const f32| Lane(simd, load::<S>(at.add(j)));
                let y = lane(to);
                let slope = match sizes.shape.activation {
                    Activation::Tanh => y.one() - y * y,
                    Activation::Relu => Number::positive(y),
                    Activation::Residual => {
                        let t = y - lane(from);
                        y.one() - t * t
                    }
                };
                let sum = slope * lane(g);
                store::<S>(d.add(j), sum.1);
                if sizes.shape.activation != Activation::Residual {
                    store::<S>(g.add(j), sum.1);
                }
            }
            multiply(simd, &back.expansion[l], rows, (d, s), (g, s), Start::Sum);
        }
        each(simd, rows * s, g, dv, way.da.as_mut_ptr(), |e, v| e + v);
    }
}
