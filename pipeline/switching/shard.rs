//! One shard of rows through all its steps, forward and backward, on one thread.
//!
//! Rows of a step lie together, finished ones drop out. Each step has three sets of rows: `h`, `e` and `v`; without the
//! linear system `h` alone.

use crate::equations::{
    Equations, Gru, GruResetBefore, Linear, Lstm, MOST, Rectified, Relu, Tanh, Ugrnn, Vanilla,
};
use crate::fused::{Packed, PackedBack, Sizes, Trace};
use crate::loss::{Counts, cross_entropy};
use crate::ops::batch::Shard;
use crate::ops::buffers::Buffer;
use crate::ops::outer::Outer;
use crate::ops::panel::{Panels, Start, Vectors, load, store};
use crate::ring::{Dual, Lane, Number};
use crate::{Activation, CellKind, Losses, Sequence, Target, Terms};
use accrue_cells::Nonlinearity;
use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Steps whose outer products are added together: two weights' panels and some rows of factors fit the caches.
const TOGETHER: usize = 4;

/// What one shard is asked.
pub(crate) struct Pass<'a> {
    pub sizes: &'a Sizes,
    pub packed: &'a Packed,
    pub shard: &'a Shard,
    pub sequences: &'a [Sequence<'a>],
    pub losses: Option<(&'a Losses, Counts)>,
    pub joint: bool,
    pub trace: bool,
}

/// A row's number, and the gradients of its inputs and of its `u*`.
type InputGradients = (usize, (Vec<f32>, Vec<f32>));

/// What one shard gives; rows by their number in the batch.
#[derive(Default)]
pub(crate) struct Part {
    pub terms: Terms,
    pub parameters: Vec<f32>,
    pub inputs: Vec<InputGradients>,
    pub traces: Vec<(usize, Trace)>,
}

/// Equations that are in a loop of their own for each cell.
trait Known: Equations {
    const KIND: CellKind;
}

macro_rules! known {
    ($d:tt $($cell:ty: $kind:ident),*) => {
        $(impl Known for $cell { const KIND: CellKind = CellKind::$kind; })*
        /// Calls a function with the cell known when it is compiled.
        macro_rules! of_kind {
            ($of:expr, $function:ident::<$simd:ident>($d($d argument:expr),*)) => {
                match $of {
                    $(CellKind::$kind => $function::<$simd, $cell>($d($d argument),*),)*
                }
            };
        }
    };
}
known!($ Vanilla: Vanilla, Rectified: VanillaRelu, Linear: Linear, Ugrnn<Tanh>: Ugrnn, Gru<Tanh>: Gru,
    GruResetBefore<Tanh>: GruResetBefore, Lstm<Tanh>: Lstm, Ugrnn<Relu>: UgrnnRelu, Gru<Relu>: GruRelu,
    GruResetBefore<Relu>: GruResetBeforeRelu, Lstm<Relu>: LstmRelu);

/// A product in a function of its own: one copy for each width of vectors.
struct Product<'a> {
    panels: &'a Panels,
    rows: usize,
    from: (*const f32, usize),
    to: (*mut f32, usize),
    start: Start<'a>,
}

impl WithSimd for Product<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { panels, rows, from, to, start } = self;
        if rows > 0 && panels.n() > 0 {
            // SAFETY: `multiply`'s caller's.
            unsafe { panels.product(simd, rows, from.0, from.1, to.0, to.1, start) }
        }
    }
}

/// `to = start + from · B`.
///
/// # Safety
/// As [`Panels::product`].
#[inline(always)]
unsafe fn multiply<S: Simd>(
    simd: S,
    panels: &Panels,
    rows: usize,
    from: (*const f32, usize),
    to: (*mut f32, usize),
    start: Start,
) {
    simd.vectorize(Product { panels, rows, from, to, start });
}

/// Outer products in a function of its own.
struct Add<'a> {
    to: &'a mut Outer,
    rows: usize,
    a: (*const f32, usize),
    b: (*const f32, usize),
}

impl WithSimd for Add<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // SAFETY: the caller's of `gather`.
        unsafe { self.to.add(simd, self.rows, self.a, self.b) }
    }
}

/// Blocks of up to [`MOST`] vectors at unit `j`; those beyond `count` repeat the first.
#[inline(always)]
unsafe fn blocks<S: Simd>(
    simd: S,
    from: *const f32,
    n: usize,
    count: usize,
    j: usize,
) -> [Lane<S>; MOST] {
    // SAFETY: the caller's.
    unsafe {
        std::array::from_fn(|b| {
            let b = if b < count { b } else { 0 };
            Lane(simd, load::<S>(from.add(b * n + j)))
        })
    }
}

#[inline(always)]
unsafe fn keep<S: Simd>(to: *mut f32, n: usize, count: usize, j: usize, from: [Lane<S>; MOST]) {
    for (b, x) in from.into_iter().enumerate().take(count) {
        // SAFETY: the caller's.
        unsafe { store::<S>(to.add(b * n + j), x.1) };
    }
}

#[inline(always)]
unsafe fn state<S: Simd>(
    simd: S,
    from: *const f32,
    n: usize,
    count: usize,
    j: usize,
) -> [Lane<S>; 2] {
    // SAFETY: the caller's.
    let [a, b, ..] = unsafe { blocks(simd, from, n, count, j) };
    [a, b]
}

#[inline(always)]
fn duals<S: Simd, const N: usize>(
    value: [Lane<S>; N],
    tangent: [Lane<S>; N],
) -> [Dual<Lane<S>>; N] {
    std::array::from_fn(|i| Dual { value: value[i], tangent: tangent[i] })
}

const fn saved(kind: CellKind) -> usize {
    match kind.gates() {
        1 => 1,
        2 => 2,
        _ => 4,
    }
}

/// Where one row's numbers of one step lie.
#[derive(Clone, Copy)]
struct Row {
    n: usize,
    /// Kept numbers of `h`, or of `e` and `v`.
    kept: (*mut f32, *mut f32),
    /// `A u + b`, and `A u* + b`.
    drive: (*const f32, *const f32),
    /// `h`, or `e` and `v`.
    at: (*const f32, *const f32),
}

/// The network's equations. `to`: the next state.
#[inline(always)]
unsafe fn forward_row<S: Simd, E: Known>(simd: S, row: Row, to: *mut f32) {
    let (gates, states, n) = (E::KIND.gates(), E::KIND.state_blocks(), row.n);
    for j in (0..n).step_by(S::F32_LANES) {
        // SAFETY: the row holds the cell's blocks.
        unsafe {
            let w = blocks(simd, row.kept.0, n, gates.min(saved(E::KIND)), j);
            let a = blocks(simd, row.drive.0, n, gates, j);
            let (kept, next) = E::forward(w, a, state(simd, row.at.0, n, states, j));
            keep(row.kept.0, n, saved(E::KIND), j, kept);
            if !matches!(E::KIND.architecture(), CellKind::GruResetBefore) {
                next.iter()
                    .take(states)
                    .enumerate()
                    .for_each(|(b, x)| store::<S>(to.add(b * n + j), x.1));
            }
        }
    }
}

/// Its second half, where the candidate has a product of its own.
#[inline(always)]
unsafe fn candidate_row<S: Simd, E: Known>(simd: S, row: Row, to: *mut f32) {
    let n = row.n;
    for j in (0..n).step_by(S::F32_LANES) {
        // SAFETY: as `forward_row`.
        unsafe {
            let kept = blocks(simd, row.kept.0, n, MOST, j);
            let a = Lane(simd, load::<S>(row.drive.0.add(2 * n + j)));
            let h = Lane(simd, load::<S>(row.at.0.add(j)));
            let (c, next) = E::candidate(kept, kept[2], a, h);
            store::<S>(row.kept.0.add(2 * n + j), c.1);
            store::<S>(to.add(j), next.1);
        }
    }
}

/// `ȧ = A (u − u*)` beside `A u* + b`.
#[inline(always)]
unsafe fn drives<S: Simd>(simd: S, row: &Row, gates: usize, j: usize) -> [Dual<Lane<S>>; MOST] {
    // SAFETY: the caller's.
    unsafe {
        let moved = blocks(simd, row.drive.0, row.n, gates, j);
        let resting = blocks(simd, row.drive.1, row.n, gates, j);
        std::array::from_fn(|b| Dual { value: resting[b], tangent: moved[b] - resting[b] })
    }
}

/// `e − F(e)` and `e + Ḟ`.
#[inline(always)]
unsafe fn arrive<S: Simd>(next: Dual<Lane<S>>, e: Lane<S>, at: usize, to: (*mut f32, *mut f32)) {
    // SAFETY: the caller's.
    unsafe {
        store::<S>(to.0.add(at), (e - next.value).1);
        store::<S>(to.1.add(at), (e + next.tangent).1);
    }
}

/// The equations at the expansion point with their tangent. `to`: `e − F(e)`, and the next linear state.
#[inline(always)]
unsafe fn dual_row<S: Simd, E: Known>(simd: S, row: Row, to: (*mut f32, *mut f32)) {
    let (gates, states, n) = (E::KIND.gates(), E::KIND.state_blocks(), row.n);
    let kept_blocks = saved(E::KIND);
    for j in (0..n).step_by(S::F32_LANES) {
        // SAFETY: as `forward_row`.
        unsafe {
            let w = duals(
                blocks(simd, row.kept.0, n, gates.min(kept_blocks), j),
                blocks(simd, row.kept.1, n, gates.min(kept_blocks), j),
            );
            let a = drives(simd, &row, gates, j);
            let at =
                duals(state(simd, row.at.0, n, states, j), state(simd, row.at.1, n, states, j));
            let (kept, next) = E::forward(w, a, at);
            keep(row.kept.0, n, kept_blocks, j, kept.map(|k| k.value));
            keep(row.kept.1, n, kept_blocks, j, kept.map(|k| k.tangent));
            if !matches!(E::KIND.architecture(), CellKind::GruResetBefore) {
                for b in 0..states {
                    arrive(next[b], at[b].value, b * n + j, to);
                }
            }
        }
    }
}

/// Its second half.
#[inline(always)]
unsafe fn dual_candidate_row<S: Simd, E: Known>(simd: S, row: Row, to: (*mut f32, *mut f32)) {
    let n = row.n;
    for j in (0..n).step_by(S::F32_LANES) {
        // SAFETY: as `forward_row`.
        unsafe {
            let kept =
                duals(blocks(simd, row.kept.0, n, MOST, j), blocks(simd, row.kept.1, n, MOST, j));
            let a = drives(simd, &row, 3, j);
            let e = Lane(simd, load::<S>(row.at.0.add(j)));
            let v = Lane(simd, load::<S>(row.at.1.add(j)));
            let (c, next) = E::candidate(kept, kept[2], a[2], Dual { value: e, tangent: v });
            store::<S>(row.kept.0.add(2 * n + j), c.value.1);
            store::<S>(row.kept.1.add(2 * n + j), c.tangent.1);
            arrive(next, e, j, to);
        }
    }
}

/// Gradients from that of the next state, `next`, in place; those of the state go to `to`.
#[inline(always)]
unsafe fn backward_row<S: Simd, E: Known>(simd: S, row: Row, next: *const f32, to: *mut f32) {
    let (states, n) = (E::KIND.state_blocks(), row.n);
    for j in (0..n).step_by(S::F32_LANES) {
        // SAFETY: as `forward_row`.
        unsafe {
            let kept = blocks(simd, row.kept.0, n, saved(E::KIND), j);
            let g = state(simd, next, n, states, j);
            let (d, ds) = E::backward(kept, state(simd, row.at.0, n, states, j), g);
            keep(row.kept.0, n, saved(E::KIND), j, d);
            ds.iter()
                .take(states)
                .enumerate()
                .for_each(|(b, x)| store::<S>(to.add(b * n + j), x.1));
        }
    }
}

/// The same at the expansion point. The next linear state is `e + Ḟ` with gradient `next`, the residual `ρ = e − F`
/// has gradient `press · ρ`. `to`: gradients of `e` and `v`.
#[inline(always)]
unsafe fn dual_backward_row<S: Simd, E: Known>(
    simd: S,
    row: Row,
    next: *const f32,
    (residual, press): (*const f32, f32),
    to: (*mut f32, *mut f32),
) {
    let (states, n, kept_blocks) = (E::KIND.state_blocks(), row.n, saved(E::KIND));
    let press = Lane(simd, simd.splat_f32s(press));
    for j in (0..n).step_by(S::F32_LANES) {
        // SAFETY: as `forward_row`.
        unsafe {
            let kept = duals(
                blocks(simd, row.kept.0, n, kept_blocks, j),
                blocks(simd, row.kept.1, n, kept_blocks, j),
            );
            let at =
                duals(state(simd, row.at.0, n, states, j), state(simd, row.at.1, n, states, j));
            let along = state(simd, next, n, states, j);
            let pressed = state(simd, residual, n, states, j).map(|r| press * r);
            let g = std::array::from_fn(|b| Dual {
                value: pressed[b].zero() - pressed[b],
                tangent: along[b],
            });
            let (d, ds) = E::backward(kept, at, g);
            keep(row.kept.0, n, kept_blocks, j, d.map(|d| d.value));
            keep(row.kept.1, n, kept_blocks, j, d.map(|d| d.tangent));
            for b in 0..states {
                store::<S>(to.0.add(b * n + j), (ds[b].value + along[b] + pressed[b]).1);
                store::<S>(to.1.add(b * n + j), ds[b].tangent.1);
            }
        }
    }
}

/// Second half of [`backward_row`]. `d_rh`: gradient of `r∘h`; its part of the state's is added to `to`.
#[inline(always)]
unsafe fn candidate_back_row<S: Simd, E: Known>(simd: S, row: Row, d_rh: *const f32, to: *mut f32) {
    for j in (0..row.n).step_by(S::F32_LANES) {
        // SAFETY: as `forward_row`.
        unsafe {
            let lane = |at: *const f32| Lane(simd, load::<S>(at.add(j)));
            let (dr, dh) = E::candidate_back(lane(row.kept.0), lane(row.at.0), lane(d_rh));
            store::<S>(row.kept.0.add(j), dr.1);
            store::<S>(to.add(j), (lane(to) + dh).1);
        }
    }
}

/// The same at the expansion point.
#[inline(always)]
unsafe fn dual_candidate_back_row<S: Simd, E: Known>(
    simd: S,
    row: Row,
    d_rh: (*const f32, *const f32),
    to: (*mut f32, *mut f32),
) {
    for j in (0..row.n).step_by(S::F32_LANES) {
        // SAFETY: as `forward_row`.
        unsafe {
            let lane = |at: *const f32| Lane(simd, load::<S>(at.add(j)));
            let dual = |a: *const f32, b: *const f32| Dual { value: lane(a), tangent: lane(b) };
            let (r, e) = (dual(row.kept.0, row.kept.1), dual(row.at.0, row.at.1));
            let (dr, de) = E::candidate_back(r, e, dual(d_rh.0, d_rh.1));
            store::<S>(row.kept.0.add(j), dr.value.1);
            store::<S>(row.kept.1.add(j), dr.tangent.1);
            store::<S>(to.0.add(j), (lane(to.0) + de.value).1);
            store::<S>(to.1.add(j), (lane(to.1) + de.tangent).1);
        }
    }
}

/// `to = f(a, b)` over `n` numbers.
#[inline(always)]
unsafe fn each<S: Simd>(
    simd: S,
    n: usize,
    a: *const f32,
    b: *const f32,
    to: *mut f32,
    f: impl Fn(Lane<S>, Lane<S>) -> Lane<S>,
) {
    for j in (0..n).step_by(S::F32_LANES) {
        // SAFETY: the caller's: all hold n numbers.
        unsafe {
            let (a, b) = (Lane(simd, load::<S>(a.add(j))), Lane(simd, load::<S>(b.add(j))));
            store::<S>(to.add(j), f(a, b).1);
        }
    }
}

/// All that a shard keeps on its way.
struct Work {
    /// Sets of rows: 3, or 1 without the linear system.
    sets: usize,
    /// `h`, `e`, `v` before each step, `[sets·slots, s]`.
    x: Buffer,
    /// Kept numbers of each, `[sets·slots, kept]`.
    z: Buffer,
    /// `h` after each step, `[slots, s]`.
    h: Buffer,
    /// `a` after each step.
    a: Buffer,
    /// `e − F(e)`.
    residual: Buffer,
    /// Input of each layer of the expansion network, `[slots, s]`; the first is `a` before the step.
    layers: Vec<Buffer>,
    /// `A u + b_ih`, `[slots, G·np]`; on the way back its gradient.
    drive: Buffer,
    /// The same of `u*`, `[rows, G·np]`.
    resting: Buffer,
    /// `u`, `[slots, u]`, and `u*`, `[rows, u]`.
    inputs: Vec<f32>,
    at_rest: Vec<f32>,
}

impl Work {
    fn new(pass: &Pass) -> Self {
        let (sizes, slots, rows) = (pass.sizes, pass.shard.slots(), pass.shard.rows.len());
        let sets = if pass.joint { 3 } else { 1 };
        let linear = if pass.joint { slots } else { 0 };
        let u = sizes.shape.inputs;
        let mut inputs = Vec::with_capacity(slots * u);
        for t in 0..pass.shard.tokens() {
            for &row in &pass.shard.rows[..pass.shard.active(t)] {
                inputs.extend_from_slice(&pass.sequences[row].inputs[t * u..][..u]);
            }
        }
        let at_rest = pass.shard.rows.iter();
        let at_rest: Vec<f32> =
            at_rest.flat_map(|&row| pass.sequences[row].expansion_input).copied().collect();
        Self {
            sets,
            x: Buffer::of(sets * slots * sizes.s),
            z: Buffer::of(sets * slots * sizes.kept),
            h: Buffer::of(slots * sizes.s),
            a: Buffer::of(linear * sizes.s),
            residual: Buffer::of(linear * sizes.s),
            layers: (0..sizes.shape.layers.max(1)).map(|_| Buffer::of(linear * sizes.s)).collect(),
            drive: Buffer::of(slots * sizes.g),
            resting: Buffer::of(rows * sizes.g),
            inputs,
            at_rest,
        }
    }
}

impl WithSimd for Pass<'_> {
    type Output = Part;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Part {
        let mut work = Work::new(&self);
        let (u, g) = (self.sizes.shape.inputs, self.sizes.g);
        let bias = Start::Bias(&self.packed.input_bias);
        let (slots, rows) = (self.shard.slots(), self.shard.rows.len());
        // SAFETY: `Work::new` made room for a row of `g` numbers a slot, and one a row.
        unsafe {
            let (inputs, at_rest) = (work.inputs.as_ptr(), work.at_rest.as_ptr());
            let to = (work.drive.as_mut_ptr(), g);
            multiply(simd, &self.packed.input, slots, (inputs, u), to, bias);
            let to = (work.resting.as_mut_ptr(), g);
            multiply(simd, &self.packed.input, rows, (at_rest, u), to, bias);
        }
        for t in 0..self.shard.tokens() {
            simd.vectorize(Forward { pass: &self, work: &mut work, t });
        }
        let mut part = Part::default();
        if let (Some((losses, counts)), Some(back)) = (self.losses, &self.packed.back) {
            let mut way = Back::new(simd, &self, losses, counts);
            for t in (0..self.shard.tokens()).rev() {
                simd.vectorize(Backward { pass: &self, back, work: &mut work, way: &mut way, t });
            }
            way.finish(simd, &self, back, &mut work, &mut part);
        } else if let Some((_, counts)) = self.losses {
            let mut way = Back::new(simd, &self, &NOTHING, counts);
            for t in 0..self.shard.tokens() {
                way.losses(simd, &self, None, &work, t);
            }
            part.terms = way.terms;
        }
        if self.trace {
            part.traces = self.traces(simd, &work);
        }
        part
    }
}

const NOTHING: Losses = Losses { rnn: 0.0, jslds: 0.0, expansion: 0.0, state: 0.0, l2: 0.0 };

/// One step forward.
struct Forward<'a, 'b> {
    pass: &'a Pass<'b>,
    work: &'a mut Work,
    t: usize,
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
struct Place<'a, 'b> {
    pass: &'a Pass<'b>,
    rows: usize,
    sets: usize,
    x: *mut f32,
    z: *mut f32,
    h: *mut f32,
    a: *mut f32,
    residual: *mut f32,
    drive: *mut f32,
    resting: *const f32,
    layers: Vec<*mut f32>,
}

impl<'a, 'b> Place<'a, 'b> {
    fn of(pass: &'a Pass<'b>, work: &mut Work, t: usize) -> Self {
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

    fn x(&self, set: usize, r: usize) -> *mut f32 {
        debug_assert!(set < self.sets);
        self.x.wrapping_add((set * self.rows + r) * self.pass.sizes.s)
    }

    fn z(&self, set: usize, r: usize) -> *mut f32 {
        debug_assert!(set < self.sets);
        self.z.wrapping_add((set * self.rows + r) * self.pass.sizes.kept)
    }

    fn h(&self, r: usize) -> *mut f32 {
        self.h.wrapping_add(r * self.pass.sizes.s)
    }

    fn layer(&self, l: usize, r: usize) -> *mut f32 {
        self.layers[l].wrapping_add(r * self.pass.sizes.s)
    }

    fn drive(&self, r: usize) -> *mut f32 {
        self.drive.wrapping_add(r * self.pass.sizes.g)
    }

    /// `e − F(e)`, and the linear state.
    fn arrival(&self, r: usize) -> (*mut f32, *mut f32) {
        let s = self.pass.sizes.s;
        (self.residual.wrapping_add(r * s), self.a.wrapping_add(r * s))
    }

    fn row(&self, r: usize) -> Row {
        let z = self.z(0, r);
        let resting = self.resting.wrapping_add(r * self.pass.sizes.g);
        let x = self.x(0, r).cast_const();
        Row { n: self.pass.sizes.n, kept: (z, z), drive: (self.drive(r), resting), at: (x, x) }
    }

    fn dual(&self, r: usize) -> Row {
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

/// What is carried on the way back.
struct Back<'a> {
    losses: &'a Losses,
    counts: Counts,
    terms: Terms,
    /// Gradients of `h` and `a` after the step, `[rows, s]`.
    dh: Vec<f32>,
    da: Vec<f32>,
    /// Gradients of `h`, `e`, `v` before it, `[3·rows, s]`.
    dx: Buffer,
    /// Of `r∘h`, `[3·rows, np]`.
    d_rh: Buffer,
    /// Gradients of outputs, `[slots, kp]`, of the network and of the linear system.
    outputs: [Buffer; 2],
    /// Gradients of what the layers add up, `[slots, s]` each.
    layers: Vec<Buffer>,
    /// Of `A u* + b`, `[rows, G·np]`.
    resting: Vec<f32>,
    /// Of the candidate's recurrent bias, `[np]`: the GRU that resets after.
    candidate_bias: Vec<f32>,
    recurrent: Outer,
    candidate: Option<Outer>,
    expansion: Vec<Outer>,
    readout: Outer,
    input: Outer,
    /// Slots from this one on are in the sums.
    added: usize,
}

impl<'a> Back<'a> {
    #[inline(always)]
    fn new<S: Simd>(simd: S, pass: &Pass, losses: &'a Losses, counts: Counts) -> Self {
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
    fn losses<S: Simd>(
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
    fn state_losses<S: Simd>(&mut self, simd: S, work: &Work, range: std::ops::Range<usize>) {
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
struct Backward<'a, 'b, 'c> {
    pass: &'a Pass<'b>,
    back: &'a PackedBack,
    work: &'a mut Work,
    way: &'a mut Back<'c>,
    t: usize,
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

impl Back<'_> {
    /// Sums over the shard, in the places of the parameters.
    #[inline(always)]
    fn finish<S: Simd>(
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

impl Pass<'_> {
    /// Each row's states and outputs, without padding.
    #[inline(always)]
    fn traces<S: Simd>(&self, simd: S, work: &Work) -> Vec<(usize, Trace)> {
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
