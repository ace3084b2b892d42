//! What a shard adds up: gradients of parameters in their places, and of inputs.

use super::backward::Back;
use super::products::{Add, multiply};
use super::{InputGradients, Part, Pass, Work};
use crate::CellKind;
use crate::fused::PackedBack;
use crate::ops::panel::{Panels, Start};
use pulp::Simd;
use std::ops::Range;

impl Back<'_> {
    /// Sums over the shard, in the places of the parameters.
    #[inline(always)]
    pub(super) fn finish<S: Simd>(
        &mut self,
        simd: S,
        pass: &Pass,
        back: &PackedBack,
        work: &mut Work,
        part: &mut Part,
    ) {
        let (sizes, shape) = (pass.sizes, &pass.sizes.shape);
        let (slots, rows) = (pass.shard.slots(), pass.shard.rows.len());
        let (s, n, g, u) = (sizes.s, sizes.n, sizes.g, shape.inputs);
        let (resting, at_rest) = (self.resting.as_ptr(), work.at_rest.as_ptr());
        simd.vectorize(Add { to: &mut self.input, rows, a: (resting, g), b: (at_rest, u) });
        part.terms = self.terms;
        let of = shape.ranges();
        let mut all = vec![0.0; shape.parameters()];
        let unit = |j: usize| sizes.real(j);
        let input = |j: usize| Some(j);
        let output = |j: usize| (j < shape.outputs).then_some(j);
        // [padded rows, padded columns] → [rows, columns]
        let mut put = |range: &Range<usize>,
                       from: &[f32],
                       row: &dyn Fn(usize) -> Option<usize>,
                       (wide, columns): (usize, usize),
                       column: &dyn Fn(usize) -> Option<usize>| {
            let to = &mut all[range.clone()];
            for (p, from) in from.chunks_exact(wide).enumerate() {
                let Some(row) = row(p) else { continue };
                for (j, x) in from.iter().enumerate() {
                    if let Some(column) = column(j) {
                        to[row * columns + column] = *x;
                    }
                }
            }
        };
        let mut w = vec![0.0; g * n];
        match &self.candidate {
            Some(candidate) => {
                self.recurrent.add_to(0, &mut w[..2 * n * n]);
                candidate.add_to(0, &mut w[2 * n * n..]);
            }
            None => self.recurrent.add_to(0, &mut w),
        }
        put(&of.recurrent_weights, &w, &unit, (n, shape.units), &unit);
        let mut a = vec![0.0; g * u];
        self.input.add_to(0, &mut a);
        put(&of.input_weights, &a, &unit, (u, u), &input);
        let mut r = vec![0.0; sizes.k * s];
        self.readout.add_to(0, &mut r);
        put(&of.readout_weights, &r, &output, (s, shape.state()), &unit);
        for (outer, (weights, _)) in self.expansion.iter().zip(&of.expansion) {
            let mut m = vec![0.0; s * s];
            outer.add_to(0, &mut m);
            put(weights, &m, &unit, (s, shape.state()), &unit);
        }
        let sum = |width: usize, parts: &[&[f32]]| {
            let mut sum = vec![0.0_f32; width];
            for row in parts.iter().flat_map(|part| part.chunks_exact(width)) {
                sum.iter_mut().zip(row).for_each(|(s, x)| *s += x);
            }
            sum
        };
        let drive = &work.drive[..slots * g];
        let input_bias = sum(g, &[drive, &self.resting]);
        put(&of.input_bias, &input_bias, &unit, (1, 1), &input);
        let mut recurrent_bias = input_bias;
        if shape.kind.architecture() == CellKind::Gru {
            recurrent_bias[2 * n..].copy_from_slice(&self.candidate_bias);
        }
        put(&of.recurrent_bias, &recurrent_bias, &unit, (1, 1), &input);
        let linear = &self.outputs[1][..if pass.joint { slots * sizes.k } else { 0 }];
        let readout_bias = sum(sizes.k, &[&self.outputs[0][..slots * sizes.k], linear]);
        let initial = sum(s, &[&self.dh, if pass.joint { &self.da } else { &[] }]);
        put(&of.initial, &initial, &unit, (1, 1), &input);
        for (d, (_, bias)) in self.layers.iter().zip(&of.expansion) {
            put(bias, &sum(s, &[&d[..slots * s]]), &unit, (1, 1), &input);
        }
        put(&of.readout_bias, &readout_bias, &output, (1, 1), &input);
        part.parameters = all;
        if let Some(weights) = &back.input {
            part.inputs = self.input_gradients(simd, pass, weights, work);
        }
    }

    /// Gradients of each row's inputs and of its `u*`.
    #[inline(always)]
    fn input_gradients<S: Simd>(
        &self,
        simd: S,
        pass: &Pass,
        weights: &Panels,
        work: &Work,
    ) -> Vec<InputGradients> {
        let (shard, g, wide, u) = (pass.shard, pass.sizes.g, pass.sizes.u, pass.sizes.shape.inputs);
        let (slots, rows) = (shard.slots(), shard.rows.len());
        let (mut moved, mut resting) = (vec![0.0_f32; slots * wide], vec![0.0_f32; rows * wide]);
        // SAFETY: a row of `wide` numbers a slot, and one a row.
        unsafe {
            let (from, to) = ((work.drive.as_ptr(), g), (moved.as_mut_ptr(), wide));
            multiply(simd, weights, slots, from, to, Start::Zero);
            let (from, to) = ((self.resting.as_ptr(), g), (resting.as_mut_ptr(), wide));
            multiply(simd, weights, rows, from, to, Start::Zero);
        }
        let of = |r: usize| {
            let steps = (0..shard.row_length(r))
                .flat_map(|t| moved[(shard.offset[t] + r) * wide..][..u].iter().copied());
            (shard.rows[r], (steps.collect(), resting[r * wide..][..u].to_vec()))
        };
        (0..rows).map(of).collect()
    }
}
