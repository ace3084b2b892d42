//! States and outputs of each row as they were, without padding.

use super::products::multiply;
use super::{Pass, Work};
use crate::fused::Trace;
use crate::ops::buffers::Buffer;
use crate::ops::panel::Start;
use pulp::Simd;

impl Pass<'_> {
    /// Each row's states and outputs, without padding.
    #[inline(always)]
    pub(super) fn traces<S: Simd>(&self, simd: S, work: &Work) -> Vec<(usize, Trace)> {
        let (sizes, shard) = (self.sizes, self.shard);
        let (s, k, slots) = (sizes.s, sizes.k, shard.slots());
        let outputs = |states: &Buffer| {
            let mut all = vec![0.0_f32; if states.is_empty() { 0 } else { slots * k }];
            if !states.is_empty() {
                let bias = Start::Bias(&self.packed.readout_bias);
                // SAFETY: rows of s and k numbers.
                unsafe {
                    let (from, to) = ((states.as_ptr(), s), (all.as_mut_ptr(), k));
                    multiply(simd, &self.packed.readout, slots, from, to, bias);
                }
            }
            all
        };
        let (own, linear) = (outputs(&work.h), outputs(&work.a));
        let of = |r: usize| {
            let steps = shard.row_length(r);
            let kept = |row: &[f32], real: bool| -> Vec<f32> {
                let is_kept = |j: usize| match real {
                    true => sizes.real(j).is_some(),
                    false => j < sizes.shape.outputs,
                };
                row.iter().enumerate().filter(|(j, _)| is_kept(*j)).map(|(_, x)| *x).collect()
            };
            let rows = |array: &[f32], wide: usize, real: bool| -> Vec<f32> {
                let at = |t: usize| (shard.offset[t] + r) * wide;
                let steps = if array.is_empty() { 0 } else { steps };
                (0..steps).flat_map(|t| kept(&array[at(t)..][..wide], real)).collect()
            };
            let points = |t: usize| {
                let at = 3 * shard.offset[t] + shard.active(t) + r;
                kept(&work.x[at * s..][..s], true)
            };
            let trace = Trace {
                states: rows(&work.h, s, true),
                linear_states: rows(&work.a, s, true),
                expansion_points: match self.joint {
                    true => (0..steps).flat_map(points).collect(),
                    false => Vec::new(),
                },
                residuals: rows(&work.residual, s, true),
                outputs: rows(&own, k, false),
                linear_outputs: rows(&linear, k, false),
            };
            (shard.rows[r], trace)
        };
        (0..shard.rows.len()).map(of).collect()
    }
}
