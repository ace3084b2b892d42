//! Each cell's equations for one row and one token, forward and backward.
//!
//! This is the file to change when a cell's equations change (with
//! `reference.rs`, which spells the same in differentiable tensor operations
//! and is the truth in the tests, and the cell's file in `accrue-cells` for f64 and Jacobians).
//!
//! # What a row looks like
//! Each token of each sequence has a row of *saved* numbers, in blocks of `n`
//! units (padded to whole vectors; padding stays zero through every equation):
//!
//! | cell | before [`forward`] | after it | after [`backward`] |
//! |---|---|---|---|
//! | Vanilla | `w` | `h'` | `da` |
//! | Linear | `w` | – | `da` |
//! | UGRNN | `w_u w_c` | `u c` | `du dc` |
//! | GRU | `w_r w_u w_c –` | `r u c w_c` | `dr du dc∘r dc` |
//! | GRU, reset before | `w_r w_u w_c –` | `r u c r∘h` | `dr du dc r∘h` |
//! | LSTM | `w_i w_f w_g w_o` | `i f g o` | `di df dg do` |
//!
//! A cell with a rectified candidate has the row of its architecture.
//! `w_g` is gate `g` of `W h + b_hh`; the row of the *table* holds `a_g`, the
//! same of `A x + b_ih` for the row's token. What `backward` leaves are the
//! gradients of the pre-activations: the first `gates` blocks multiply `W`.

use super::activation::{half, logistic_of_two, opened, tanh, tanh_of_two};
use super::panel::{ask_early_for, ask_for, load, store};
use super::{CellKind, Nonlinearity};
use pulp::Simd;

/// Blocks that a cell has at most, of any sort.
const MOST: usize = 4;

/// Blocks of `n` numbers saved for each token of each sequence.
pub fn saved_blocks(kind: CellKind) -> usize {
    match kind.gates() {
        1 => 1,
        2 => 2,
        _ => 4,
    }
}

/// For each gate block of `A x + b_ih`, the saved block that holds its gradient.
pub fn input_gradient_blocks(kind: CellKind) -> &'static [usize] {
    if kind.architecture() == CellKind::Gru {
        return &[0, 1, 3];
    }
    &[0, 1, 2, 3][..kind.gates()]
}

/// Where the way forward will be soon, so that memory is asked for in time.
#[derive(Clone, Copy)]
pub struct Ahead {
    /// The saved blocks of the row, a step later: they are written next.
    pub saved: *const f32,
    /// The state after the row, a step later.
    pub after: *const f32,
    /// The table's row of the next row's token.
    pub table: *const f32,
}

/// `$body`, a call of [`forward`] or [`backward`], with `$kind` known when it is compiled: their loops hold
/// no choice between cells then.
macro_rules! known {
    ($kind:ident, $body:expr) => {
        known!($kind, $body, Vanilla VanillaRelu Linear Ugrnn Gru GruResetBefore Lstm
            UgrnnRelu GruRelu GruResetBeforeRelu LstmRelu)
    };
    ($kind:ident, $body:expr, $($name:ident)*) => {
        match $kind {
            $($crate::CellKind::$name => {
                let $kind = $crate::CellKind::$name;
                $body
            })*
        }
    };
}
pub(super) use known;

/// `max(0, x)`; the variable stands second: NaN must not become 0.
#[inline(always)]
fn rectified<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.max_f32s(simd.splat_f32s(0.0), x)
}

/// A cell's candidate.
#[inline(always)]
fn candidate<S: Simd>(simd: S, of: Nonlinearity, x: S::f32s) -> S::f32s {
    match of {
        Nonlinearity::Tanh => tanh(simd, x),
        Nonlinearity::Relu => rectified(simd, x),
        Nonlinearity::Identity => x,
    }
}

/// Its gradient's product with the slope, from the candidate's value.
#[inline(always)]
fn through<S: Simd>(simd: S, of: Nonlinearity, gradient: S::f32s, value: S::f32s) -> S::f32s {
    match of {
        Nonlinearity::Tanh => simd.mul_f32s(gradient, flat(simd, value)),
        Nonlinearity::Relu => {
            let zero = simd.splat_f32s(0.0);
            simd.select_f32s(simd.greater_than_f32s(value, zero), gradient, zero)
        }
        Nonlinearity::Identity => gradient,
    }
}

/// `tanh' = 1 − t²` from the value.
#[inline(always)]
fn flat<S: Simd>(simd: S, t: S::f32s) -> S::f32s {
    simd.neg_f32s(simd.mul_add_f32s(t, t, simd.splat_f32s(-1.0)))
}

/// A gate `σ(x)` beside a candidate of `y`: two `tanh` share a division.
#[inline(always)]
fn gate_and_candidate<S: Simd>(simd: S, of: Nonlinearity, x: S::f32s, y: S::f32s) -> [S::f32s; 2] {
    let [t, c] = match of {
        Nonlinearity::Tanh => tanh_of_two(simd, [half(simd, x), y]),
        _ => [tanh(simd, half(simd, x)), candidate(simd, of, y)],
    };
    [opened(simd, t), c]
}

/// One row, one token, forward: pre-activations to gates and the next state.
///
/// For the GRU that resets before the product this computes `r`, `u` and
/// `r∘h` only; [`forward_candidate`] follows after the candidate's product.
///
/// # Safety
/// `saved` holds [`saved_blocks`] blocks of `n`, `table` one block a gate,
/// `before` and `after` the state; `n` is a multiple of the vector length;
/// `after` overlaps none of the others.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub unsafe fn forward<S: Simd>(
    simd: S,
    kind: CellKind,
    n: usize,
    saved: *mut f32,
    table: *const f32,
    before: *const f32,
    after: *mut f32,
    ahead: Ahead,
) {
    let (states, gates, of) = (kind.state_blocks(), kind.gates(), kind.nonlinearity());
    // SAFETY: every access is at block·n + j with j < n, within the caller's bounds.
    unsafe {
        let w = |block: usize, j: usize| load::<S>(saved.add(block * n + j));
        let a = |block: usize, j: usize| load::<S>(table.add(block * n + j));
        let keep = |block: usize, j: usize, x| store::<S>(saved.add(block * n + j), x);
        let sum = |block: usize, j: usize| simd.add_f32s(w(block, j), a(block, j));
        for j in (0..n).step_by(S::F32_LANES) {
            for block in 0..MOST {
                if block < saved_blocks(kind) {
                    ask_early_for(ahead.saved.wrapping_add(block * n + j));
                }
                if block < states {
                    ask_early_for(ahead.after.wrapping_add(block * n + j));
                }
                if block < gates {
                    ask_for(ahead.table.wrapping_add(block * n + j));
                }
            }
            match kind {
                CellKind::Vanilla | CellKind::VanillaRelu => {
                    let h = candidate(simd, of, sum(0, j));
                    keep(0, j, h);
                    store::<S>(after.add(j), h);
                }
                // Nothing to keep: its slope is 1.
                CellKind::Linear => store::<S>(after.add(j), sum(0, j)),
                CellKind::Ugrnn | CellKind::UgrnnRelu => {
                    let [u, c] = gate_and_candidate(simd, of, sum(0, j), sum(1, j));
                    let h = load::<S>(before.add(j));
                    keep(0, j, u);
                    keep(1, j, c);
                    store::<S>(after.add(j), simd.mul_add_f32s(u, simd.sub_f32s(h, c), c));
                }
                CellKind::Gru | CellKind::GruRelu => {
                    let [r, u] = logistic_of_two(simd, [sum(0, j), sum(1, j)]);
                    let w_c = w(2, j);
                    let c = candidate(simd, of, simd.mul_add_f32s(r, w_c, a(2, j)));
                    let h = load::<S>(before.add(j));
                    keep(0, j, r);
                    keep(1, j, u);
                    keep(2, j, c);
                    keep(3, j, w_c);
                    store::<S>(after.add(j), simd.mul_add_f32s(u, simd.sub_f32s(h, c), c));
                }
                CellKind::GruResetBefore | CellKind::GruResetBeforeRelu => {
                    let [r, u] = logistic_of_two(simd, [sum(0, j), sum(1, j)]);
                    keep(0, j, r);
                    keep(1, j, u);
                    keep(3, j, simd.mul_f32s(r, load::<S>(before.add(j))));
                }
                CellKind::Lstm | CellKind::LstmRelu => {
                    let [i, f] = logistic_of_two(simd, [sum(0, j), sum(1, j)]);
                    let [o, g] = gate_and_candidate(simd, of, sum(3, j), sum(2, j));
                    let c = load::<S>(before.add(n + j));
                    let c = simd.mul_add_f32s(f, c, simd.mul_f32s(i, g));
                    keep(0, j, i);
                    keep(1, j, f);
                    keep(2, j, g);
                    keep(3, j, o);
                    store::<S>(after.add(j), simd.mul_f32s(o, tanh(simd, c)));
                    store::<S>(after.add(n + j), c);
                }
            }
        }
    }
}

/// Second half of [`forward`] for the GRU that resets before the product:
/// block 2 holds `W_c (r∘h) + b_hc`.
///
/// # Safety
/// As [`forward`].
#[inline(always)]
pub unsafe fn forward_candidate<S: Simd>(
    simd: S,
    kind: CellKind,
    n: usize,
    saved: *mut f32,
    table: *const f32,
    before: *const f32,
    after: *mut f32,
) {
    // SAFETY: as `forward`. Each loop is compiled with its nonlinearity in it.
    unsafe {
        match kind.nonlinearity() {
            Nonlinearity::Relu => {
                candidate_row(simd, Nonlinearity::Relu, n, saved, table, before, after);
            }
            _ => candidate_row(simd, Nonlinearity::Tanh, n, saved, table, before, after),
        }
    }
}

/// # Safety
/// As [`forward`].
#[inline(always)]
unsafe fn candidate_row<S: Simd>(
    simd: S,
    of: Nonlinearity,
    n: usize,
    saved: *mut f32,
    table: *const f32,
    before: *const f32,
    after: *mut f32,
) {
    // SAFETY: the caller's.
    unsafe {
        for j in (0..n).step_by(S::F32_LANES) {
            let w_c = load::<S>(saved.add(2 * n + j));
            let c = candidate(simd, of, simd.add_f32s(w_c, load::<S>(table.add(2 * n + j))));
            let u = load::<S>(saved.add(n + j));
            let h = load::<S>(before.add(j));
            store::<S>(saved.add(2 * n + j), c);
            store::<S>(after.add(j), simd.mul_add_f32s(u, simd.sub_f32s(h, c), c));
        }
    }
}

/// One row, one token, backward: gates to gradients of pre-activations.
///
/// * `d`: on entry the gradient of the state after the token, on return the
///   part of the gradient of the state before it that does not pass through
///   the recurrent product
/// * `soon`: saved numbers and state before of the row that comes next, asked for while this
///   one is worked on: they were written long ago
///
/// For the GRU that resets before the product, block 3 is left as `r∘h` and
/// block 0 still holds `r`; [`backward_candidate`] follows.
///
/// # Safety
/// As [`forward`]; `d` holds the state.
#[inline(always)]
pub unsafe fn backward<S: Simd>(
    simd: S,
    kind: CellKind,
    n: usize,
    saved: *mut f32,
    before: *const f32,
    d: *mut f32,
    soon: (*const f32, *const f32),
) {
    let (one, of) = (simd.splat_f32s(1.0), kind.nonlinearity());
    // SAFETY: as `forward`.
    unsafe {
        let at = |block: usize, j: usize| load::<S>(saved.add(block * n + j));
        let keep = |block: usize, j: usize, x| store::<S>(saved.add(block * n + j), x);
        // σ' = s(1−s), from the value.
        let sigma = |s: S::f32s| simd.mul_f32s(s, simd.sub_f32s(one, s));
        let states = kind.state_blocks();
        for j in (0..n).step_by(S::F32_LANES) {
            for block in 0..MOST {
                if block < saved_blocks(kind) {
                    ask_for(soon.0.wrapping_add(block * n + j));
                }
                if block < states {
                    ask_for(soon.1.wrapping_add(block * n + j));
                }
            }
            let dh = load::<S>(d.add(j));
            match kind {
                CellKind::Vanilla | CellKind::VanillaRelu | CellKind::Linear => {
                    keep(0, j, through(simd, of, dh, at(0, j)));
                    store::<S>(d.add(j), simd.splat_f32s(0.0));
                }
                CellKind::Ugrnn
                | CellKind::UgrnnRelu
                | CellKind::Gru
                | CellKind::GruRelu
                | CellKind::GruResetBefore
                | CellKind::GruResetBeforeRelu => {
                    let first = if kind.gates() == 2 { 0 } else { 1 };
                    let (u, c) = (at(first, j), at(first + 1, j));
                    let h = load::<S>(before.add(j));
                    let du = simd.mul_f32s(simd.mul_f32s(dh, simd.sub_f32s(h, c)), sigma(u));
                    let dc = through(simd, of, simd.mul_f32s(dh, simd.sub_f32s(one, u)), c);
                    keep(first, j, du);
                    if kind.architecture() == CellKind::Gru {
                        let (r, w_c) = (at(0, j), at(3, j));
                        keep(0, j, simd.mul_f32s(simd.mul_f32s(dc, w_c), sigma(r)));
                        keep(2, j, simd.mul_f32s(dc, r));
                        keep(3, j, dc);
                    } else {
                        keep(first + 1, j, dc);
                    }
                    store::<S>(d.add(j), simd.mul_f32s(dh, u));
                }
                CellKind::Lstm | CellKind::LstmRelu => {
                    let (i, f, g, o) = (at(0, j), at(1, j), at(2, j), at(3, j));
                    let c_before = load::<S>(before.add(n + j));
                    let c = simd.mul_add_f32s(f, c_before, simd.mul_f32s(i, g));
                    let t = tanh(simd, c);
                    let d_c = simd.mul_add_f32s(
                        simd.mul_f32s(dh, o),
                        flat(simd, t),
                        load::<S>(d.add(n + j)),
                    );
                    keep(0, j, simd.mul_f32s(simd.mul_f32s(d_c, g), sigma(i)));
                    keep(1, j, simd.mul_f32s(simd.mul_f32s(d_c, c_before), sigma(f)));
                    keep(2, j, through(simd, of, simd.mul_f32s(d_c, i), g));
                    keep(3, j, simd.mul_f32s(simd.mul_f32s(dh, t), sigma(o)));
                    store::<S>(d.add(j), simd.splat_f32s(0.0));
                    store::<S>(d.add(n + j), simd.mul_f32s(d_c, f));
                }
            }
        }
    }
}

/// Second half of [`backward`] for the GRU that resets before the product.
///
/// * `d_rh`: gradient of `r∘h`, from the candidate's product
///
/// Turns block 0 from `r` into `dr` and adds `d_rh ∘ r` to `d`.
///
/// # Safety
/// As [`backward`]; `d_rh` holds `n`.
#[inline(always)]
pub unsafe fn backward_candidate<S: Simd>(
    simd: S,
    n: usize,
    saved: *mut f32,
    before: *const f32,
    d_rh: *const f32,
    d: *mut f32,
) {
    let one = simd.splat_f32s(1.0);
    // SAFETY: as `backward`.
    unsafe {
        for j in (0..n).step_by(S::F32_LANES) {
            let r = load::<S>(saved.add(j));
            let g = load::<S>(d_rh.add(j));
            let h = load::<S>(before.add(j));
            let sigma = simd.mul_f32s(r, simd.sub_f32s(one, r));
            store::<S>(saved.add(j), simd.mul_f32s(simd.mul_f32s(g, h), sigma));
            store::<S>(d.add(j), simd.mul_add_f32s(g, r, load::<S>(d.add(j))));
        }
    }
}
