//! A run of the learned optimiser on some problems, and the gradient of its worth by every weight.
//!
//! All parameters of all problems of a shard go through the cell together, a row each. On the way back the gradient of
//! the inner gradient is included: what the step at `x_t` owes to `∇f(x_t)` passes through a product with the Hessian.
//!
//! ```text
//! g_t = ∇f(x_t)    h_{t+1} = F(h_t, φ(g_t))    x_{t+1} = x_t + s (wᵀ h_{t+1} + b)        t = 0 … T−2
//! J = Σ_t c_t f(x_t)      λ_t = λ_{t+1} + H(x_t) φ'(g_t) ∂J/∂φ_t + c_t g_t
//! ```
//!
//! States and gates are kept for [`segment`] steps at a time and computed again on the way back, from the states at
//! which segments begin: memory grows with the root of the steps, and what is worked on stays in the caches. Runs that
//! fit are kept whole.

use crate::learned::{Features, Learned, Settings};
use crate::objective::Objective;
use crate::problems::Problem;
use accrue_ops::buffers::Buffer;
use accrue_ops::denormals::FlushDenormals;
use accrue_ops::equations::input_gradient_blocks;
use accrue_ops::panel::{load, store};
use accrue_ops::step::{WeightGradient, Weights};
use accrue_ops::{CellKind, Sizes};
use pulp::{Arch, Simd, WithSimd};

/// Rows that one thread carries together, whole problems: enough to use each weight that is fetched several times. Part of
/// the definition of the results' bits.
pub const SHARD_ROWS: usize = 40;

/// Bytes of states and gates that are kept whole: half of a second-level cache of 2 MiB. Part of the definition of the
/// results' bits.
const KEPT: usize = 1 << 20;

/// A problem in f32.
pub type Boxed = Box<dyn Problem<f32>>;

/// Problems of `parameters` parameters that a shard takes.
pub fn shard(parameters: usize) -> usize {
    (SHARD_ROWS / parameters.max(1)).max(1)
}

/// Steps whose states and gates are kept at a time.
pub fn segment(sizes: Sizes, rows: usize, updates: usize) -> usize {
    let step = 4 * rows * (sizes.saved() + sizes.state());
    if updates * step <= KEPT {
        return updates.max(1);
    }
    (updates as f64).sqrt().ceil() as usize
}

/// An optimiser's weights as the loops read them.
pub struct Prepared {
    settings: Settings,
    sizes: Sizes,
    weights: Weights,
    /// `A`, a padded row a feature, `[inputs, G·np]`.
    input: Vec<f32>,
    /// `b_ih`, `[G·np]`.
    bias: Vec<f32>,
    /// `h_0` and `w`, `[state]`.
    initial: Vec<f32>,
    readout: Vec<f32>,
    /// `b`.
    readout_bias: f32,
}

/// Copies blocks of `n` numbers to blocks of `np`, zeros between.
fn padded(blocks: impl Iterator<Item = f32>, n: usize, np: usize) -> Vec<f32> {
    let mut out = Vec::new();
    for (i, x) in blocks.enumerate() {
        if i % n == 0 {
            out.resize(i / n * np, 0.0);
        }
        out.push(x);
    }
    let whole = out.len().next_multiple_of(np);
    out.resize(whole, 0.0);
    out
}

impl Prepared {
    /// Packs the weights.
    pub fn new(learned: &Learned) -> Self {
        let sizes = learned.settings.sizes();
        let (n, np, inputs) = (sizes.units, sizes.padded(), sizes.inputs());
        let [cell, initial, readout, readout_bias] = learned.parts();
        let [a, w, b_ih, b_hh] = sizes.split(cell);
        let feature = |f: usize| padded(a.iter().skip(f).step_by(inputs).copied(), n, np);
        Self {
            settings: learned.settings.clone(),
            sizes,
            weights: Weights::pack(sizes, w, b_hh),
            input: (0..inputs).flat_map(feature).collect(),
            bias: padded(b_ih.iter().copied(), n, np),
            initial: padded(initial.iter().copied(), n, np),
            readout: padded(readout.iter().copied(), n, np),
            readout_bias: readout_bias[0],
        }
    }

    /// `φ(g)`; the second is 0 where there is one feature.
    #[inline(always)]
    fn features(&self, g: f32) -> [f32; 2] {
        let scale = self.settings.input_scale as f32;
        match self.settings.features {
            Features::Scaled => [scale * g, 0.0],
            Features::LogSign => {
                let sign = if g > 0.0 { 1.0 } else { -((g < 0.0) as u8 as f32) };
                [(scale * g.abs()).ln_1p(), if g.is_nan() { g } else { sign }]
            }
        }
    }

    /// `φ'(g)ᵀ d`; a sign has no slope.
    #[inline(always)]
    fn feature_gradient(&self, g: f32, d: [f32; 2]) -> f32 {
        let scale = self.settings.input_scale as f32;
        match self.settings.features {
            Features::Scaled => scale * d[0],
            Features::LogSign if g == 0.0 => 0.0,
            Features::LogSign => d[0] * scale * g.signum() / (1.0 + scale * g.abs()),
        }
    }
}

/// What a run left.
pub struct Runs {
    /// `f(x_t)` of each problem, `[problems][T]`.
    pub losses: Vec<Vec<f64>>,
    /// `∇f(x_t)`, `[T, rows]`, rows being the parameters of all problems in turn.
    pub gradients: Vec<f32>,
    /// States before step `t`, `[T − 1, rows, state]`, unpadded, where asked for.
    pub states: Vec<f32>,
    /// Rows.
    pub rows: usize,
}

/// Runs the optimiser on problems, `steps` losses each.
pub fn run(prepared: &Prepared, problems: &[Boxed], steps: usize, states: bool) -> Runs {
    let work = Unroll { prepared, problems, steps, states, back: None };
    Arch::new().dispatch(work).0
}

/// The worth of runs and the gradient of their sum.
pub struct Worth {
    /// Objective of each problem; NaN or infinite for one that is lost.
    pub values: Vec<f64>,
    /// Of the sum over the problems that are not lost, as [`Learned::parameters`].
    pub gradient: Vec<f32>,
    /// Problems that are not lost.
    pub good: usize,
}

/// Runs the optimiser on problems and goes all the way back. A problem that diverges, has nothing to win, or whose gradient
/// overflows is lost: it has its value, and no part in the gradient.
pub fn worth(
    prepared: &Prepared,
    problems: Vec<Boxed>,
    steps: usize,
    objective: Objective,
) -> Worth {
    let work =
        Unroll { prepared, problems: &problems, steps, states: false, back: Some(objective) };
    let (runs, gradient) = Arch::new().dispatch(work);
    let values: Vec<f64> = runs.losses.iter().map(|l| objective.of(l)).collect();
    let fine = gradient.iter().all(|g| g.is_finite());
    let good = values.iter().filter(|v| v.is_finite()).count();
    if fine && good == values.len() {
        return Worth { values, gradient, good };
    }
    let nothing = vec![0.0; gradient.len()];
    if problems.len() == 1 {
        return Worth { values: vec![f64::NAN], gradient: nothing, good: 0 };
    }
    // A number that is not finite spoils every sum it is in: each problem by itself.
    let mut all = Worth { values: Vec::new(), gradient: nothing, good: 0 };
    for problem in problems {
        let one = worth(prepared, vec![problem], steps, objective);
        all.values.extend(one.values);
        all.good += one.good;
        all.gradient.iter_mut().zip(&one.gradient).for_each(|(sum, g)| *sum += g);
    }
    all
}

struct Unroll<'a> {
    prepared: &'a Prepared,
    problems: &'a [Boxed],
    steps: usize,
    /// Whether states are wanted.
    states: bool,
    /// Whether and by what the way back begins.
    back: Option<Objective>,
}

impl WithSimd for Unroll<'_> {
    type Output = (Runs, Vec<f32>);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let _flush = FlushDenormals::on_this_thread();
        let mut walk = Walk::new(self.prepared, self.problems, self.steps);
        let mut states = Vec::new();
        let losses = walk.forward(simd, self.states.then_some(&mut states));
        let gradient = match self.back {
            Some(objective) => walk.backward(simd, &losses, objective),
            None => Vec::new(),
        };
        (Runs { losses, gradients: walk.gradients, states, rows: walk.rows }, gradient)
    }
}

/// The arrays of a run.
struct Walk<'a> {
    prepared: &'a Prepared,
    problems: &'a [Boxed],
    /// First row of each problem, and the end.
    first: Vec<usize>,
    rows: usize,
    steps: usize,
    segment: usize,
    /// `x_t` and `g_t`, `[T, rows]`.
    points: Vec<f32>,
    gradients: Vec<f32>,
    /// States before the steps of a segment and after the last, `[segment + 1, rows, state]`.
    before: Buffer,
    /// What the steps of a segment saved, `[segment, rows, saved]`.
    saved: Buffer,
    /// States at which segments begin.
    begins: Vec<Vec<f32>>,
    /// `A φ + b_ih` of one step, `[rows, G·np]`.
    table: Vec<f32>,
}

impl<'a> Walk<'a> {
    fn new(prepared: &'a Prepared, problems: &'a [Boxed], steps: usize) -> Self {
        let sizes = prepared.sizes;
        let mut first = vec![0];
        for problem in problems {
            first.push(first[first.len() - 1] + problem.parameters());
        }
        let rows = first[problems.len()];
        let segment = segment(sizes, rows, steps - 1);
        Self {
            prepared,
            problems,
            first,
            rows,
            steps,
            segment,
            points: vec![0.0; steps * rows],
            gradients: vec![0.0; steps * rows],
            before: Buffer::of((segment + 1) * rows * sizes.state()),
            saved: Buffer::of(segment * rows * sizes.saved()),
            begins: Vec::new(),
            table: vec![0.0; rows * sizes.table()],
        }
    }

    /// One step of the cell within its segment: from slot `k` to `k + 1`.
    #[inline(always)]
    fn step<S: Simd>(&mut self, simd: S, t: usize, k: usize) {
        let p = self.prepared;
        let (rows, wide) = (self.rows, p.sizes.table());
        let (s, blocks) = (p.sizes.state(), p.sizes.saved());
        let inputs = p.sizes.inputs();
        // SAFETY: rows of `table` hold `wide` numbers, as do `bias` and each feature of `input`, whole vectors; slots
        // k and k + 1 of `before` and slot k of `saved` lie within the buffers.
        unsafe {
            for (r, row) in self.table.chunks_exact_mut(wide).enumerate() {
                let phi = p.features(self.gradients[t * rows + r]);
                let x = [simd.splat_f32s(phi[0]), simd.splat_f32s(phi[1])];
                for j in (0..wide).step_by(S::F32_LANES) {
                    let mut sum = load::<S>(p.bias.as_ptr().add(j));
                    for (f, x) in x.iter().enumerate().take(inputs) {
                        let a = load::<S>(p.input.as_ptr().add(f * wide + j));
                        sum = simd.mul_add_f32s(*x, a, sum);
                    }
                    store::<S>(row.as_mut_ptr().add(j), sum);
                }
            }
            let before = self.before.as_mut_ptr();
            p.weights.forward(
                simd,
                rows,
                before.add(k * rows * s),
                self.table.as_ptr(),
                self.saved.as_mut_ptr().add(k * rows * blocks),
                before.add((k + 1) * rows * s),
            );
        }
    }

    /// Losses of each problem.
    #[inline(always)]
    fn forward<S: Simd>(&mut self, simd: S, mut states: Option<&mut Vec<f32>>) -> Vec<Vec<f64>> {
        let p = self.prepared;
        let (rows, s) = (self.rows, p.sizes.state());
        let mut losses = vec![Vec::with_capacity(self.steps); self.problems.len()];
        for (problem, &first) in self.problems.iter().zip(&self.first) {
            self.points[first..][..problem.parameters()].copy_from_slice(problem.start());
        }
        for row in self.before[..rows * s].chunks_exact_mut(s) {
            row.copy_from_slice(&p.initial);
        }
        for t in 0..self.steps {
            let (x, g) =
                (&self.points[t * rows..][..rows], &mut self.gradients[t * rows..][..rows]);
            for (i, problem) in self.problems.iter().enumerate() {
                let own = self.first[i]..self.first[i + 1];
                let loss = problem.evaluate(&x[own.clone()], &mut g[own]);
                losses[i].push(f64::from(loss));
            }
            if t + 1 == self.steps {
                break;
            }
            let k = t % self.segment;
            if k == 0 {
                if t > 0 {
                    let last = self.segment * rows * s;
                    self.before.copy_within(last..last + rows * s, 0);
                }
                self.begins.push(self.before[..rows * s].to_vec());
            }
            if let Some(states) = &mut states {
                let (n, np) = (p.sizes.units, p.sizes.padded());
                for block in self.before[k * rows * s..][..rows * s].chunks_exact(np) {
                    states.extend_from_slice(&block[..n]);
                }
            }
            self.step(simd, t, k);
            let scale = p.settings.output_scale as f32;
            let (now, next) = self.points.split_at_mut((t + 1) * rows);
            let after = &self.before[(k + 1) * rows * s..][..rows * s];
            for (r, h) in after.chunks_exact(s).enumerate() {
                let moved = dot(simd, h, &p.readout) + p.readout_bias;
                next[r] = now[t * rows + r] + scale * moved;
            }
        }
        losses
    }

    /// The gradient of the sum of the objectives, as [`Learned::parameters`].
    #[inline(always)]
    fn backward<S: Simd>(
        &mut self,
        simd: S,
        losses: &[Vec<f64>],
        objective: Objective,
    ) -> Vec<f32> {
        let p = self.prepared;
        let (rows, sizes) = (self.rows, p.sizes);
        let (s, blocks) = (sizes.state(), sizes.saved());
        let scale = p.settings.output_scale as f32;
        let shares: Vec<Vec<f64>> = losses.iter().map(|l| objective.derivatives(l)).collect();
        let mut sums = Sums::new(sizes);
        let mut d = vec![0.0_f32; rows * s];
        let mut room = vec![0.0_f32; rows * sizes.padded()];
        // λ of each row; the derivative by the gradient, and what the Hessian makes of it.
        let (mut lambda, mut owed, mut curved) =
            (vec![0.0_f32; rows], vec![0.0_f32; rows], vec![0.0_f32; rows]);
        let updates = self.steps - 1;
        let last = updates.div_ceil(self.segment).saturating_sub(1);
        for segment in (0..updates.div_ceil(self.segment)).rev() {
            let begin = segment * self.segment;
            let end = (begin + self.segment).min(updates);
            if segment != last {
                self.before[..rows * s].copy_from_slice(&self.begins[segment]);
                for t in begin..end {
                    self.step(simd, t, t - begin);
                }
            }
            for t in (begin..end).rev() {
                let k = t - begin;
                // What f(x_{t+1}) counts by itself.
                let after = &self.gradients[(t + 1) * rows..][..rows];
                for (i, share) in shares.iter().enumerate() {
                    let c = share[t + 1] as f32;
                    for r in self.first[i]..self.first[i + 1] {
                        lambda[r] += c * after[r];
                    }
                }
                let h = &self.before[(k + 1) * rows * s..][..rows * s];
                for r in 0..rows {
                    let by = scale * lambda[r];
                    sums.moved(simd, by, &p.readout, &h[r * s..][..s], &mut d[r * s..][..s]);
                }
                // SAFETY: slot k of both buffers lies within them.
                unsafe {
                    p.weights.backward(
                        simd,
                        rows,
                        self.before.as_ptr().add(k * rows * s),
                        self.saved.as_mut_ptr().add(k * rows * blocks),
                        d.as_mut_ptr(),
                        room.as_mut_ptr(),
                    );
                }
                let g = &self.gradients[t * rows..][..rows];
                let gates = &self.saved[k * rows * blocks..][..rows * blocks];
                for (r, gates) in gates.chunks_exact(blocks).enumerate() {
                    let by = sums.entered(simd, p, p.features(g[r]), gates);
                    owed[r] = p.feature_gradient(g[r], by);
                }
                let x = &self.points[t * rows..][..rows];
                for (i, problem) in self.problems.iter().enumerate() {
                    let own = self.first[i]..self.first[i + 1];
                    let v = &owed[own.clone()];
                    problem.hessian_product(&x[own.clone()], v, &mut curved[own]);
                }
                lambda.iter_mut().zip(&curved).for_each(|(l, c)| *l += c);
            }
            let count = (end - begin) * rows;
            sums.recurrent.add(
                simd,
                count,
                &self.saved[..count * blocks],
                &self.before[..count * s],
            );
        }
        for row in d.chunks_exact(s) {
            sums.initial.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
        }
        sums.flat()
    }
}

/// `Σ a_i b_i` over whole vectors.
#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let mut sum = simd.splat_f32s(0.0);
    for j in (0..a.len()).step_by(S::F32_LANES) {
        // SAFETY: both are of one length in whole vectors.
        unsafe {
            let (a, b) = (load::<S>(a.as_ptr().add(j)), load::<S>(b.as_ptr().add(j)));
            sum = simd.mul_add_f32s(a, b, sum);
        }
    }
    simd.reduce_sum_f32s(sum)
}

/// Gradients of the weights, padded.
struct Sums {
    sizes: Sizes,
    recurrent: WeightGradient,
    /// `[inputs, G·np]`, `[G·np]`.
    input: Vec<f32>,
    bias: Vec<f32>,
    /// Of the candidate's recurrent bias, where the reset gate acts on it: `[np]`.
    candidate_bias: Vec<f32>,
    initial: Vec<f32>,
    readout: Vec<f32>,
    readout_bias: f32,
}

impl Sums {
    fn new(sizes: Sizes) -> Self {
        let (wide, s) = (sizes.table(), sizes.state());
        Self {
            sizes,
            recurrent: WeightGradient::new(sizes),
            input: vec![0.0; sizes.inputs() * wide],
            bias: vec![0.0; wide],
            candidate_bias: vec![0.0; sizes.padded()],
            initial: vec![0.0; s],
            readout: vec![0.0; s],
            readout_bias: 0.0,
        }
    }

    /// A row moves its parameter: `d += by · w`, and the readout's gradient.
    #[inline(always)]
    fn moved<S: Simd>(&mut self, simd: S, by: f32, w: &[f32], h: &[f32], d: &mut [f32]) {
        self.readout_bias += by;
        let by = simd.splat_f32s(by);
        for j in (0..h.len()).step_by(S::F32_LANES) {
            // SAFETY: all have `state` numbers, whole vectors.
            unsafe {
                let (w, h) = (load::<S>(w.as_ptr().add(j)), load::<S>(h.as_ptr().add(j)));
                let (to, sum) = (d.as_mut_ptr().add(j), self.readout.as_mut_ptr().add(j));
                store::<S>(to, simd.mul_add_f32s(by, w, load::<S>(to)));
                store::<S>(sum, simd.mul_add_f32s(by, h, load::<S>(sum)));
            }
        }
    }

    /// What entered a row: gradients of input weights and biases; returns that by the features.
    #[inline(always)]
    fn entered<S: Simd>(
        &mut self,
        simd: S,
        p: &Prepared,
        phi: [f32; 2],
        gates: &[f32],
    ) -> [f32; 2] {
        let (np, wide) = (self.sizes.padded(), self.sizes.table());
        let inputs = self.sizes.inputs();
        let x = [simd.splat_f32s(phi[0]), simd.splat_f32s(phi[1])];
        let mut by = [simd.splat_f32s(0.0); 2];
        let places = input_gradient_blocks(self.sizes.kind);
        // SAFETY: blocks of np numbers, whole vectors, all within their arrays.
        unsafe {
            for (gate, &block) in places.iter().enumerate() {
                for j in (0..np).step_by(S::F32_LANES) {
                    let at = gate * np + j;
                    let d = load::<S>(gates.as_ptr().add(block * np + j));
                    let bias = self.bias.as_mut_ptr().add(at);
                    store::<S>(bias, simd.add_f32s(load::<S>(bias), d));
                    for f in 0..inputs {
                        let a = load::<S>(p.input.as_ptr().add(f * wide + at));
                        by[f] = simd.mul_add_f32s(d, a, by[f]);
                        let sum = self.input.as_mut_ptr().add(f * wide + at);
                        store::<S>(sum, simd.mul_add_f32s(d, x[f], load::<S>(sum)));
                    }
                }
            }
            if self.sizes.kind.architecture() == CellKind::Gru {
                for j in (0..np).step_by(S::F32_LANES) {
                    let sum = self.candidate_bias.as_mut_ptr().add(j);
                    let d = load::<S>(gates.as_ptr().add(2 * np + j));
                    store::<S>(sum, simd.add_f32s(load::<S>(sum), d));
                }
            }
        }
        by.map(|by| simd.reduce_sum_f32s(by))
    }

    /// In the order of [`Learned::parameters`].
    fn flat(&self) -> Vec<f32> {
        let (n, np) = (self.sizes.units, self.sizes.padded());
        let (gates, wide, inputs) =
            (self.sizes.kind.gates(), self.sizes.table(), self.sizes.inputs());
        let bare = |x: &[f32]| -> Vec<f32> {
            x.chunks_exact(np).flat_map(|block| block[..n].iter().copied()).collect()
        };
        let mut flat = Vec::new();
        let unit = |row: usize| row / n * np + row % n;
        for row in 0..gates * n {
            flat.extend((0..inputs).map(|f| self.input[f * wide + unit(row)]));
        }
        let mut w = vec![0.0; gates * n * n];
        self.recurrent.add_to(&mut w);
        flat.extend(w);
        let bias = bare(&self.bias);
        flat.extend_from_slice(&bias);
        let mut recurrent_bias = bias;
        if self.sizes.kind.architecture() == CellKind::Gru {
            let candidate = (gates - 1) * n;
            recurrent_bias[candidate..].copy_from_slice(&self.candidate_bias[..n]);
        }
        flat.extend(recurrent_bias);
        flat.extend(bare(&self.initial));
        flat.extend(bare(&self.readout));
        flat.push(self.readout_bias);
        flat
    }
}
