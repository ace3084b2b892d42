//! The equations of one row, unit by unit: each cell in a loop of its own.

use crate::CellKind;
use crate::equations::{
    Equations, Gru, GruResetBefore, Linear, Lstm, MOST, Rectified, Relu, Tanh, Ugrnn, Vanilla,
};
use crate::ops::panel::{load, store};
use crate::ring::{Dual, Lane, Number};
use pulp::Simd;

/// Equations that are in a loop of their own for each cell.
pub(super) trait Known: Equations {
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
pub(super) struct Row {
    pub(super) n: usize,
    /// Kept numbers of `h`, or of `e` and `v`.
    pub(super) kept: (*mut f32, *mut f32),
    /// `A u + b`, and `A u* + b`.
    pub(super) drive: (*const f32, *const f32),
    /// `h`, or `e` and `v`.
    pub(super) at: (*const f32, *const f32),
}

/// The network's equations. `to`: the next state.
#[inline(always)]
pub(super) unsafe fn forward_row<S: Simd, E: Known>(simd: S, row: Row, to: *mut f32) {
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
pub(super) unsafe fn candidate_row<S: Simd, E: Known>(simd: S, row: Row, to: *mut f32) {
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
pub(super) unsafe fn dual_row<S: Simd, E: Known>(simd: S, row: Row, to: (*mut f32, *mut f32)) {
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
pub(super) unsafe fn dual_candidate_row<S: Simd, E: Known>(
    simd: S,
    row: Row,
    to: (*mut f32, *mut f32),
) {
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
pub(super) unsafe fn backward_row<S: Simd, E: Known>(
    simd: S,
    row: Row,
    next: *const f32,
    to: *mut f32,
) {
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
pub(super) unsafe fn dual_backward_row<S: Simd, E: Known>(
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
pub(super) unsafe fn candidate_back_row<S: Simd, E: Known>(
    simd: S,
    row: Row,
    d_rh: *const f32,
    to: *mut f32,
) {
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
pub(super) unsafe fn dual_candidate_back_row<S: Simd, E: Known>(
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
pub(super) unsafe fn each<S: Simd>(
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
