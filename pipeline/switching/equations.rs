//! Each cell's equations for one unit, forward and backward, for numbers with and without tangents ([`Ring`]).
//!
//! `w_g` is gate `g` of `W h + b_hh`, `a_g` that of `A x + b_ih`. What a unit keeps of a step stands in blocks:
//!
//! | cell | before [`Equations::forward`] | after it | after [`Equations::backward`] |
//! |---|---|---|---|
//! | Vanilla, ReLU | `w` | `h'` | `dw` |
//! | Linear | `w` | – | `dw` |
//! | UGRNN | `w_u w_c` | `u c` | `dw_u dw_c` |
//! | GRU | `w_r w_u w_c –` | `r u c w_c` | `dw_r dw_u dw_c da_c` |
//! | GRU, reset before | `w_r w_u – –` | `r u – r∘h` | `dw_r dw_u dw_c r∘h` |
//! | LSTM | `w_i w_f w_g w_o` | `i f g o` | `dw_i dw_f dw_g dw_o` |
//!
//! A cell with a rectified candidate has the row of its architecture.
//!
//! The GRU that resets before its product needs a second one for its candidate: [`Equations::candidate`] and
//! [`Equations::candidate_back`] come after it.

use crate::ring::Ring;
use std::marker::PhantomData;

/// Blocks that a unit keeps at most.
pub(crate) const MOST: usize = 4;

/// What a candidate goes through.
pub(crate) trait Candidate {
    fn of<R: Ring>(z: R) -> R;
    /// Its slope, from its value.
    fn slope<R: Ring>(value: R) -> R;
}

/// `tanh`.
pub(crate) struct Tanh;

impl Candidate for Tanh {
    #[inline(always)]
    fn of<R: Ring>(z: R) -> R {
        z.tanh()
    }

    #[inline(always)]
    fn slope<R: Ring>(value: R) -> R {
        value.tanh_slope()
    }
}

/// `max(0, z)`.
pub(crate) struct Relu;

impl Candidate for Relu {
    #[inline(always)]
    fn of<R: Ring>(z: R) -> R {
        z.rectified()
    }

    #[inline(always)]
    fn slope<R: Ring>(value: R) -> R {
        value.positive()
    }
}

/// One cell's equations. Arrays have as many entries as the cell uses; the others hold anything.
pub(crate) trait Equations {
    /// From `w` to what is kept, and the next state.
    fn forward<R: Ring>(w: [R; MOST], a: [R; MOST], state: [R; 2]) -> ([R; MOST], [R; 2]);

    /// From the gradient of the next state to those of `w` (see the table) and of the state, as far as it does not
    /// pass through the recurrent product.
    fn backward<R: Ring>(kept: [R; MOST], state: [R; 2], next: [R; 2]) -> ([R; MOST], [R; 2]);

    /// The candidate and the next state, from `w_c = W_c (r∘h) + b_hc`.
    fn candidate<R: Ring>(_kept: [R; MOST], w_c: R, _a_c: R, _h: R) -> (R, R) {
        (w_c, w_c)
    }

    /// `dw_r`, and what is added to the gradient of the state, from the gradient of `r∘h`.
    fn candidate_back<R: Ring>(_r: R, _h: R, d_rh: R) -> (R, R) {
        (d_rh, d_rh)
    }
}

/// `h' = tanh(a + w)`.
pub(crate) struct Vanilla;

impl Equations for Vanilla {
    #[inline(always)]
    fn forward<R: Ring>(w: [R; MOST], a: [R; MOST], s: [R; 2]) -> ([R; MOST], [R; 2]) {
        let h = (a[0] + w[0]).tanh();
        ([h, w[1], w[2], w[3]], [h, s[1]])
    }

    #[inline(always)]
    fn backward<R: Ring>(kept: [R; MOST], _: [R; 2], g: [R; 2]) -> ([R; MOST], [R; 2]) {
        let dw = kept[0].tanh_slope().pull(g[0]);
        let zero = g[0].zero();
        ([dw, dw, dw, dw], [zero, zero])
    }
}

/// `h' = max(0, a + w)`.
pub(crate) struct Rectified;

impl Equations for Rectified {
    #[inline(always)]
    fn forward<R: Ring>(w: [R; MOST], a: [R; MOST], s: [R; 2]) -> ([R; MOST], [R; 2]) {
        let h = (a[0] + w[0]).rectified();
        ([h, w[1], w[2], w[3]], [h, s[1]])
    }

    #[inline(always)]
    fn backward<R: Ring>(kept: [R; MOST], _: [R; 2], g: [R; 2]) -> ([R; MOST], [R; 2]) {
        let dw = kept[0].positive().pull(g[0]);
        let zero = g[0].zero();
        ([dw, dw, dw, dw], [zero, zero])
    }
}

/// `h' = a + w`.
pub(crate) struct Linear;

impl Equations for Linear {
    #[inline(always)]
    fn forward<R: Ring>(w: [R; MOST], a: [R; MOST], s: [R; 2]) -> ([R; MOST], [R; 2]) {
        (w, [a[0] + w[0], s[1]])
    }

    #[inline(always)]
    fn backward<R: Ring>(_: [R; MOST], _: [R; 2], g: [R; 2]) -> ([R; MOST], [R; 2]) {
        let zero = g[0].zero();
        ([g[0], g[0], g[0], g[0]], [zero, zero])
    }
}

/// `u∘h + (1 − u)∘c`.
#[inline(always)]
fn mixed<R: Ring>(u: R, h: R, c: R) -> R {
    u * (h - c) + c
}

/// Gradients of `w_u`, `w_c` and `h` from that of [`mixed`].
#[inline(always)]
fn mixed_back<C: Candidate, R: Ring>(u: R, h: R, c: R, g: R) -> (R, R, R) {
    let du = u.logistic_slope().pull((h - c).pull(g));
    let dc = C::slope(c).pull((u.one() - u).pull(g));
    (du, dc, u.pull(g))
}

/// `u = σ(a_u + w_u)`, `c = φ(a_c + w_c)`, `h' = u∘h + (1 − u)∘c`.
pub(crate) struct Ugrnn<C>(PhantomData<C>);

impl<C: Candidate> Equations for Ugrnn<C> {
    #[inline(always)]
    fn forward<R: Ring>(w: [R; MOST], a: [R; MOST], s: [R; 2]) -> ([R; MOST], [R; 2]) {
        let (u, c) = ((a[0] + w[0]).logistic(), C::of(a[1] + w[1]));
        ([u, c, w[2], w[3]], [mixed(u, s[0], c), s[1]])
    }

    #[inline(always)]
    fn backward<R: Ring>(kept: [R; MOST], s: [R; 2], g: [R; 2]) -> ([R; MOST], [R; 2]) {
        let (du, dc, dh) = mixed_back::<C, R>(kept[0], s[0], kept[1], g[0]);
        ([du, dc, dc, dc], [dh, dh])
    }
}

/// `c = φ(a_c + r∘w_c)`.
pub(crate) struct Gru<C>(PhantomData<C>);

impl<C: Candidate> Equations for Gru<C> {
    #[inline(always)]
    fn forward<R: Ring>(w: [R; MOST], a: [R; MOST], s: [R; 2]) -> ([R; MOST], [R; 2]) {
        let (r, u) = ((a[0] + w[0]).logistic(), (a[1] + w[1]).logistic());
        let c = C::of(a[2] + r * w[2]);
        ([r, u, c, w[2]], [mixed(u, s[0], c), s[1]])
    }

    #[inline(always)]
    fn backward<R: Ring>(kept: [R; MOST], s: [R; 2], g: [R; 2]) -> ([R; MOST], [R; 2]) {
        let [r, u, c, w_c] = kept;
        let (du, dc, dh) = mixed_back::<C, R>(u, s[0], c, g[0]);
        let dr = r.logistic_slope().pull(w_c.pull(dc));
        ([dr, du, r.pull(dc), dc], [dh, dh])
    }
}

/// `c = φ(a_c + W_c (r∘h) + b_hc)`.
pub(crate) struct GruResetBefore<C>(PhantomData<C>);

impl<C: Candidate> Equations for GruResetBefore<C> {
    #[inline(always)]
    fn forward<R: Ring>(w: [R; MOST], a: [R; MOST], s: [R; 2]) -> ([R; MOST], [R; 2]) {
        let (r, u) = ((a[0] + w[0]).logistic(), (a[1] + w[1]).logistic());
        ([r, u, r, r * s[0]], s)
    }

    #[inline(always)]
    fn candidate<R: Ring>(kept: [R; MOST], w_c: R, a_c: R, h: R) -> (R, R) {
        let c = C::of(a_c + w_c);
        (c, mixed(kept[1], h, c))
    }

    /// Block 0 still holds `r`: [`Equations::candidate_back`] follows.
    #[inline(always)]
    fn backward<R: Ring>(kept: [R; MOST], s: [R; 2], g: [R; 2]) -> ([R; MOST], [R; 2]) {
        let (du, dc, dh) = mixed_back::<C, R>(kept[1], s[0], kept[2], g[0]);
        ([kept[0], du, dc, kept[3]], [dh, dh])
    }

    #[inline(always)]
    fn candidate_back<R: Ring>(r: R, h: R, d_rh: R) -> (R, R) {
        (r.logistic_slope().pull(h.pull(d_rh)), r.pull(d_rh))
    }
}

/// `f, i, o = σ(·)`, `g = φ(·)`, `c' = f∘c + i∘g`, `h' = o∘tanh(c')`.
pub(crate) struct Lstm<C>(PhantomData<C>);

impl<C: Candidate> Equations for Lstm<C> {
    #[inline(always)]
    fn forward<R: Ring>(w: [R; MOST], a: [R; MOST], s: [R; 2]) -> ([R; MOST], [R; 2]) {
        let (i, f) = ((a[0] + w[0]).logistic(), (a[1] + w[1]).logistic());
        let (g, o) = (C::of(a[2] + w[2]), (a[3] + w[3]).logistic());
        let c = f * s[1] + i * g;
        ([i, f, g, o], [o * c.tanh(), c])
    }

    #[inline(always)]
    fn backward<R: Ring>(kept: [R; MOST], s: [R; 2], next: [R; 2]) -> ([R; MOST], [R; 2]) {
        let [i, f, g, o] = kept;
        let t = (f * s[1] + i * g).tanh();
        let dc = next[1] + t.tanh_slope().pull(o.pull(next[0]));
        let di = i.logistic_slope().pull(g.pull(dc));
        let df = f.logistic_slope().pull(s[1].pull(dc));
        let dg = C::slope(g).pull(i.pull(dc));
        let d_o = o.logistic_slope().pull(t.pull(next[0]));
        let zero = dc.zero();
        ([di, df, dg, d_o], [zero, f.pull(dc)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CellKind;
    use crate::ring::Dual;

    /// `w`, `a`, the state, and the number that multiplies `r∘h` in the candidate's product.
    type Point = ([Dual<f64>; MOST], [Dual<f64>; MOST], [Dual<f64>; 2], f64);

    /// The next state from the recurrent shares, one unit.
    fn next<E: Equations>((w, a, s, weight): &Point, split: bool) -> [Dual<f64>; 2] {
        let (kept, next) = E::forward(*w, *a, *s);
        if !split {
            return next;
        }
        let product = Dual { value: weight * kept[3].value, tangent: weight * kept[3].tangent };
        [E::candidate(kept, w[2] + product, a[2], s[0]).1, next[1]]
    }

    /// `Σ` of the next state's numbers and tangents, each times a number of its own.
    fn weighted<E: Equations>(p: &Point, split: bool, states: usize) -> f64 {
        let next = next::<E>(p, split);
        let g = gradient_of_next();
        (0..states).map(|b| next[b].value * g[b].value + next[b].tangent * g[b].tangent).sum()
    }

    fn gradient_of_next() -> [Dual<f64>; 2] {
        [Dual { value: 0.7, tangent: -1.3 }, Dual { value: -0.4, tangent: 0.9 }]
    }

    fn check<E: Equations>(kind: CellKind) {
        let d = |value: f64, tangent: f64| Dual { value, tangent };
        let w = [d(0.3, -0.2), d(-0.5, 0.8), d(0.9, 0.4), d(-0.1, 0.6)];
        let a = [d(0.2, 0.5), d(0.4, -0.3), d(-0.6, 0.1), d(0.25, -0.7)];
        let s = [d(0.35, -0.45), d(-0.8, 0.15)];
        let point: Point = (w, a, s, 0.6);
        let split = kind.architecture() == CellKind::GruResetBefore;
        let states = kind.state_blocks();
        let (mut kept, _) = E::forward(w, a, s);
        if split {
            let product = d(0.6 * kept[3].value, 0.6 * kept[3].tangent);
            kept[2] = E::candidate(kept, w[2] + product, a[2], s[0]).0;
        }
        let (mut dw, mut ds) = E::backward(kept, s, gradient_of_next());
        if split {
            let d_rh = d(0.6 * dw[2].value, 0.6 * dw[2].tangent);
            let (dr, dh) = E::candidate_back(kept[0], s[0], d_rh);
            dw[0] = dr;
            ds[0] = ds[0] + dh;
        }
        let step = 1e-6;
        let slope = |change: &dyn Fn(&mut Point, f64)| {
            let (mut above, mut below) = (point, point);
            change(&mut above, step);
            change(&mut below, -step);
            (weighted::<E>(&above, split, states) - weighted::<E>(&below, split, states))
                / (2.0 * step)
        };
        let agree = |what: String, found: f64, change: &dyn Fn(&mut Point, f64)| {
            let truth = slope(change);
            assert!((found - truth).abs() < 1e-8, "{kind:?}, {what}: {found}, not {truth}");
        };
        for g in 0..kind.gates() {
            agree(format!("w {g}"), dw[g].value, &move |p, x| p.0[g].value += x);
            agree(format!("ẇ {g}"), dw[g].tangent, &move |p, x| p.0[g].tangent += x);
            let block = accrue_ops::equations::input_gradient_blocks(kind)[g];
            agree(format!("a {g}"), dw[block].value, &move |p, x| p.1[g].value += x);
            agree(format!("ȧ {g}"), dw[block].tangent, &move |p, x| p.1[g].tangent += x);
        }
        for (b, slope) in ds.iter().enumerate().take(states) {
            agree(format!("state {b}"), slope.value, &move |p, x| p.2[b].value += x);
            agree(format!("direction {b}"), slope.tangent, &move |p, x| p.2[b].tangent += x);
        }
    }

    #[test]
    fn gradients_of_a_step_and_of_its_tangent_equal_central_differences_in_every_cell() {
        check::<Vanilla>(CellKind::Vanilla);
        check::<Rectified>(CellKind::VanillaRelu);
        check::<Linear>(CellKind::Linear);
        check::<Ugrnn<Tanh>>(CellKind::Ugrnn);
        check::<Gru<Tanh>>(CellKind::Gru);
        check::<GruResetBefore<Tanh>>(CellKind::GruResetBefore);
        check::<Lstm<Tanh>>(CellKind::Lstm);
        check::<Ugrnn<Relu>>(CellKind::UgrnnRelu);
        check::<Gru<Relu>>(CellKind::GruRelu);
        check::<GruResetBefore<Relu>>(CellKind::GruResetBeforeRelu);
        check::<Lstm<Relu>>(CellKind::LstmRelu);
    }
}
