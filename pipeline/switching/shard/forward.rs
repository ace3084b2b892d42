//! One step forward, and where its rows lie.

use super::products::multiply;
use super::rows::{Known, Row, candidate_row, dual_candidate_row, dual_row, each, forward_row};
use super::{Pass, Work};
use crate::equations::{Gru, GruResetBefore, Linear, Lstm, Rectified, Relu, Tanh, Ugrnn, Vanilla};
use crate::fused::Sizes;
use crate::ops::buffers::Buffer;
use crate::ops::panel::Start;
use crate::ring::Number;
use crate::{Activation, CellKind};
use accrue_cells::Nonlinearity;
use pulp::{Simd, WithSimd};

/// One step forward.
pub(super) struct Forward<'a, 'b> {
    pub(super) pass: &'a Pass<'b>,
    pub(super) work: &'a mut Work,
    pub(super) t: usize,
}

impl WithSimd for Forward<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pass, work, t } = self;
        let (sizes, packed, shard) = (pass.sizes, pass.packed, pass.shard);
        let (kind, s, n, joint) = (sizes.shape.kind, sizes.s, sizes.n, pass.joint);
        let place = Place::of(pass, work, t);
        let rows = place.rows;
        // SAFETY: slots of a step hold `rows` rows of each array; see `Work::new`.
        unsafe {
            let (x, z) = (place.x(0, 0), place.z(0, 0));
            // Rows of the step before lie right before this one's, as many or more.
            let before = |array: *mut f32, r: usize| match t {
                0 => packed.initial.as_ptr(),
                t => array.wrapping_sub(shard.active(t - 1) * s).wrapping_add(r * s).cast_const(),
            };
            for r in 0..rows {
                before(place.h, r).copy_to_nonoverlapping(place.x(0, r), s);
            }
            if joint {
                let from = place.layer(0, 0);
                for r in 0..rows {
                    before(place.a, r).copy_to_nonoverlapping(place.layer(0, r), s);
                }
                expand(simd, &place);
                let (e, v) = (place.x(1, 0), place.x(2, 0));
                each(simd, rows * s, from, e, v, |a, e| a - e);
            }
            let (near, ldz) = (if joint { 2 * rows } else { rows }, sizes.kept);
            let bias = Start::Bias(&packed.recurrent_bias);
            multiply(simd, &packed.recurrent, near, (x, s), (z, ldz), bias);
            if joint {
                let to = (place.z(2, 0), ldz);
                multiply(simd, &packed.recurrent, rows, (place.x(2, 0), s), to, Start::Zero);
            }
            for r in 0..rows {
                of_kind!(kind, forward_row::<S>(simd, place.row(r), place.h(r)));
                if joint {
                    of_kind!(kind, dual_row::<S>(simd, place.dual(r), place.arrival(r)));
                }
            }
            if sizes.is_split() {
                let bias = Start::Bias(&packed.recurrent_bias[2 * n..]);
                let (from, to) = ((z.add(3 * n).cast_const(), ldz), (z.add(2 * n), ldz));
                multiply(simd, &packed.candidate, near, from, to, bias);
                if joint {
                    let z = place.z(2, 0);
                    let (from, to) = ((z.add(3 * n).cast_const(), ldz), (z.add(2 * n), ldz));
                    multiply(simd, &packed.candidate, rows, from, to, Start::Zero);
                }
                if kind.nonlinearity() == Nonlinearity::Relu {
                    candidate_rows::<S, GruResetBefore<Relu>>(simd, &place);
                } else {
                    candidate_rows::<S, GruResetBefore<Tanh>>(simd, &place);
                }
            }
        }
    }
}

/// Candidates of all rows of a step, after their own product.
#[inline(always)]
unsafe fn candidate_rows<S: Simd, E: Known>(simd: S, place: &Place) {
    for r in 0..place.rows {
        // SAFETY: the caller's.
        unsafe {
            candidate_row::<S, E>(simd, place.row(r), place.h(r));
            if place.pass.joint {
                dual_candidate_row::<S, E>(simd, place.dual(r), place.arrival(r));
            }
        }
    }
}

/// Where a step's rows lie.
pub(super) struct Place<'a, 'b> {
    pub(super) pass: &'a Pass<'b>,
    pub(super) rows: usize,
    pub(super) sets: usize,
    pub(super) x: *mut f32,
    pub(super) z: *mut f32,
    pub(super) h: *mut f32,
    pub(super) a: *mut f32,
    pub(super) residual: *mut f32,
    pub(super) drive: *mut f32,
    pub(super) resting: *const f32,
    pub(super) layers: Vec<*mut f32>,
}

impl<'a, 'b> Place<'a, 'b> {
    pub(super) fn of(pass: &'a Pass<'b>, work: &mut Work, t: usize) -> Self {
        let (rows, first, sets) = (pass.shard.active(t), pass.shard.offset[t], work.sets);
        let Sizes { s, kept, g, .. } = *pass.sizes;
        let linear = |array: &mut Buffer| array.as_mut_ptr().wrapping_add(first * s);
        Self {
            pass,
            rows,
            sets,
            x: work.x.as_mut_ptr().wrapping_add(sets * first * s),
            z: work.z.as_mut_ptr().wrapping_add(sets * first * kept),
            h: linear(&mut work.h),
            a: linear(&mut work.a),
            residual: linear(&mut work.residual),
            drive: work.drive.as_mut_ptr().wrapping_add(first * g),
            resting: work.resting.as_ptr(),
            layers: work.layers.iter_mut().map(linear).collect(),
        }
    }

    pub(super) fn x(&self, set: usize, r: usize) -> *mut f32 {
        debug_assert!(set < self.sets);
        self.x.wrapping_add((set * self.rows + r) * self.pass.sizes.s)
    }

    pub(super) fn z(&self, set: usize, r: usize) -> *mut f32 {
        debug_assert!(set < self.sets);
        self.z.wrapping_add((set * self.rows + r) * self.pass.sizes.kept)
    }

    pub(super) fn h(&self, r: usize) -> *mut f32 {
        self.h.wrapping_add(r * self.pass.sizes.s)
    }

    pub(super) fn layer(&self, l: usize, r: usize) -> *mut f32 {
        self.layers[l].wrapping_add(r * self.pass.sizes.s)
    }

    pub(super) fn drive(&self, r: usize) -> *mut f32 {
        self.drive.wrapping_add(r * self.pass.sizes.g)
    }

    /// `e − F(e)`, and the linear state.
    pub(super) fn arrival(&self, r: usize) -> (*mut f32, *mut f32) {
        let s = self.pass.sizes.s;
        (self.residual.wrapping_add(r * s), self.a.wrapping_add(r * s))
    }

    pub(super) fn row(&self, r: usize) -> Row {
        let z = self.z(0, r);
        let resting = self.resting.wrapping_add(r * self.pass.sizes.g);
        let x = self.x(0, r).cast_const();
        Row { n: self.pass.sizes.n, kept: (z, z), drive: (self.drive(r), resting), at: (x, x) }
    }

    pub(super) fn dual(&self, r: usize) -> Row {
        let at = (self.x(1, r).cast_const(), self.x(2, r).cast_const());
        Row { kept: (self.z(1, r), self.z(2, r)), at, ..self.row(r) }
    }
}

/// The expansion network.
///
/// # Safety
/// The first layer's input is written.
#[inline(always)]
unsafe fn expand<S: Simd>(simd: S, place: &Place) {
    let (sizes, rows) = (place.pass.sizes, place.rows);
    let (s, layers) = (sizes.s, sizes.shape.layers);
    let e = place.x(1, 0);
    // SAFETY: each layer has `rows` rows of s numbers.
    unsafe {
        if layers == 0 {
            place.layer(0, 0).copy_to_nonoverlapping(e, rows * s);
        }
        for (l, (weights, bias)) in place.pass.packed.expansion.iter().enumerate() {
            let from = place.layer(l, 0);
            let to = if l + 1 < layers { place.layer(l + 1, 0) } else { e };
            multiply(simd, weights, rows, (from, s), (to, s), Start::Bias(bias));
            match sizes.shape.activation {
                Activation::Tanh => each(simd, rows * s, from, to, to, |z, w| Number::tanh(z + w)),
                Activation::Relu => {
                    each(simd, rows * s, from, to, to, |z, w| Number::rectified(z + w))
                }
                Activation::Residual => {
                    each(simd, rows * s, from, to, to, |z, w| z + Number::tanh(w))
                }
            }
        }
    }
}
