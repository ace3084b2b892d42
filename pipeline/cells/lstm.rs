//! The LSTM (Hochreiter & Schmidhuber 1997, with the forget gate of Gers et al. 2000); state `[h; c]`.
//!
//! ```text
//! i, f, o = σ(a + w)    g = φ(a_g + w_g)    c' = f∘c + i∘g    h' = o∘tanh(c')
//! ∂c'/∂h = D(c f(1 − f)) W_f + D(g i(1 − i)) W_i + D(i φ') W_g        ∂c'/∂c = D(f)
//! ∂h'/∂h = D(t o(1 − o)) W_o + D(o (1 − t²)) ∂c'/∂h                   ∂h'/∂c = D(o (1 − t²) f)
//! ```
//!
//! `φ` is `tanh` with `φ' = 1 − g²`, or a rectifier with `φ' = 1` where `g > 0`, else 0: the candidate alone changes.
//! `t = tanh(c')`; `J_inp` is the first column of these with `A` in place of `W`.

use crate::activation::{Activation, Nonlinearity};
use crate::bounds::{
    Products, SIGMA_2, TANH_2, arguments, candidate_errors, candidate_sizes, logistic_errors,
    row_sums,
};
use crate::cell::{CellKind, Facts};
use crate::equations::{Equations, Evaluation, RoundingErrors};
use crate::linalg::{Matrix, Vector};
use crate::map::Map;
use crate::products::{add_scaled, logistic, scaled, sigmoid_prime, tanh_prime};
use crate::rounding::{FEW, INFLATE, LIBM, U};
use std::cell::LazyCell;
use std::marker::PhantomData;

pub(crate) const FACTS: Facts = Facts {
    name: "LSTM",
    spelling: "lstm",
    gates: &["i", "f", "g", "o"],
    state: &["h", "c"],
    keeping_gate: Some(1),
    // Without it an LSTM starts by forgetting (Jozefowicz et al. 2015).
    keeping_bias: 1.0,
    architecture: CellKind::Lstm,
    nonlinearity: Nonlinearity::Tanh,
};

pub(crate) const RECTIFIED: Facts = Facts {
    name: "LSTM with a ReLU candidate",
    spelling: "lstm-relu",
    nonlinearity: Nonlinearity::Relu,
    ..FACTS
};

const I: usize = 0;
const F: usize = 1;
const G: usize = 2;
const O: usize = 3;

pub(crate) struct Lstm<A>(pub(crate) PhantomData<A>);

impl<A: Activation> Lstm<A> {
    /// `∂h'` and `∂c'` through the gates, with the matrices `m` of the gates in their order.
    fn through<'m>(
        state: &[f64],
        at: &Evaluation,
        m: impl Fn(usize) -> &'m Matrix,
    ) -> (Matrix, Matrix) {
        let n = state.len() / 2;
        let (i, f, g, o) = (&at.kept[I], &at.kept[F], &at.kept[G], &at.kept[O]);
        let before = &state[n..];
        let t = tanh_of_cell(at);
        let mut of_c = scaled(|k| before[k] * sigmoid_prime(f[k]), m(F));
        add_scaled(&mut of_c, |k| g[k] * sigmoid_prime(i[k]), m(I));
        add_scaled(&mut of_c, |k| i[k] * A::slope(g[k]), m(G));
        let mut of_h = scaled(|k| t[k] * sigmoid_prime(o[k]), m(O));
        add_scaled(&mut of_h, |k| o[k] * tanh_prime(t[k]), &of_c);
        (of_h, of_c)
    }
}

/// `tanh(c')`.
fn tanh_of_cell(at: &Evaluation) -> Vec<f64> {
    let n = at.next.len() / 2;
    at.next.as_slice()[n..].iter().map(|c| c.tanh()).collect()
}

impl<A: Activation> Equations for Lstm<A> {
    fn evaluate(&self, map: &Map, state: &[f64]) -> Evaluation {
        let n = state.len() / 2;
        let (h, before) = state.split_at(n);
        let (i, f) = (map.gate(I, h, logistic), map.gate(F, h, logistic));
        let (g, o) = (map.gate(G, h, A::of), map.gate(O, h, logistic));
        let c: Vec<f64> = (0..n).map(|k| f[k] * before[k] + i[k] * g[k]).collect();
        let next = (0..n).map(|k| o[k] * c[k].tanh()).chain(c.iter().copied());
        Evaluation { next: Vector::from_iterator(2 * n, next), kept: vec![i, f, g, o] }
    }

    fn jacobian(&self, map: &Map, state: &[f64], at: &Evaluation) -> Matrix {
        let n = state.len() / 2;
        let (h_h, c_h) = Self::through(state, at, |g| map.recurrent(g));
        let (f, o, t) = (&at.kept[F], &at.kept[O], tanh_of_cell(at));
        let mut j = Matrix::zeros(2 * n, 2 * n);
        j.view_mut((0, 0), (n, n)).copy_from(&h_h);
        j.view_mut((n, 0), (n, n)).copy_from(&c_h);
        for k in 0..n {
            j[(k, n + k)] = o[k] * tanh_prime(t[k]) * f[k];
            j[(n + k, n + k)] = f[k];
        }
        j
    }

    fn input_jacobian(&self, map: &Map, state: &[f64], at: &Evaluation) -> Matrix {
        let (n, u) = (state.len() / 2, map.cell().inputs);
        let (h_x, c_x) = Self::through(state, at, |g| map.input_weights(g));
        let mut j = Matrix::zeros(2 * n, u);
        j.view_mut((0, 0), (n, u)).copy_from(&h_x);
        j.view_mut((n, 0), (n, u)).copy_from(&c_x);
        j
    }

    /// `x_1` and `x_2` are bounds of the first and second derivatives of `x`.
    fn curvature(&self, map: &Map, state: &[f64], radius: f64) -> Option<Vec<f64>> {
        let n = state.len() / 2;
        let rho = row_sums(map);
        let z = LazyCell::new(|| arguments(map, G, state));
        let mut all = vec![0.0; 2 * n];
        for k in 0..n {
            let [i, f, z_1, o] = [I, F, G, O].map(|gate| rho[gate][k]);
            let g = A::over(|| z[k], z_1 * radius)?;
            let c = state[n + k].abs() + radius;
            let (i_1, f_1, g_1, o_1) = (i / 4.0, f / 4.0, g.slope * z_1, o / 4.0);
            let (i_2, f_2, g_2, o_2) =
                (SIGMA_2 * i * i, SIGMA_2 * f * f, g.bend * z_1 * z_1, SIGMA_2 * o * o);
            // c' = f c + i g.
            let c_1 = f_1 * c + 1.0 + i_1 * g.size + g_1;
            let c_2 = f_2 * c + 2.0 * f_1 + i_2 * g.size + 2.0 * i_1 * g_1 + g_2;
            // h' = o tanh(c').
            all[k] = o_2 + 2.0 * o_1 * c_1 + TANH_2 * c_1 * c_1 + c_2;
            all[n + k] = c_2;
        }
        Some(all)
    }

    fn rounding(&self, map: &Map, state: &[f64]) -> RoundingErrors {
        let n = state.len() / 2;
        let rho = row_sums(map);
        let [i, f, o] = [I, F, O].map(|g| logistic_errors(map, g, state));
        let g = candidate_errors::<A>(map, G, state);
        let size = candidate_sizes::<A>(map, G, state);
        let rows: Vec<[(f64, f64); 2]> = (0..n)
            .map(|k| {
                let c = state[n + k].abs();
                // c' = f c + i g, and its row f' c W_f + i' g W_i + i g' W_g, f.
                let c_step = f[k] * c + i[k] * size[k] + g[k] + FEW * U * (c + size[k]);
                let c_row = rho[F][k] * (f[k] + FEW * U) * c
                    + rho[I][k] * ((i[k] + FEW * U) * size[k] + g[k] / 4.0)
                    + rho[G][k] * (A::slope_error(g[k]) + i[k] + FEW * U)
                    + f[k];
                // h' = o tanh(c'), and its row o' tanh(c') W_o + o (1 − tanh²) ∂c'.
                let d = rho[F][k] / 4.0 * c + rho[I][k] / 4.0 * size[k] + rho[G][k] + 1.0;
                let t = c_step + LIBM * U;
                let h_step = o[k] + t + FEW * U;
                let h_row =
                    rho[O][k] * (o[k] + t / 4.0 + FEW * U) + (o[k] + 2.0 * t + FEW * U) * d + c_row;
                [(h_step, h_row), (c_step, c_row)]
            })
            .collect();
        let half = |half: usize| rows.iter().map(move |row| row[half]);
        RoundingErrors::of(half(0).chain(half(1)))
    }

    /// `|h'| = |o tanh(c')| < 1`. While `|h| ≤ 1`, gates keep to `z ∈ b + a ± ρ`: with `f ≤ f_max`, `i ≤ i_max`
    /// and `|g| ≤ g_max` there, `|c'| ≤ f_max C + i_max g_max ≤ C` for `C = i_max g_max/(1 − f_max)`. That holds of a
    /// rectified candidate too: its argument is bounded, as `h` is.
    fn invariant_box(&self, map: &Map) -> Option<Vec<(f64, f64)>> {
        let n = map.cell().units;
        let rho = row_sums(map);
        let unit = vec![1.0; n];
        // The least and the largest argument of a gate, rounding included.
        let range = |gate: usize| -> Vec<(f64, f64)> {
            let bias = &map.cell().recurrent_bias[gate * n..][..n];
            let p = Products::of(map, gate, &unit, None);
            (0..n)
                .map(|k| {
                    let (centre, drive) = (map.drive(gate)[k] + bias[k], map.drive(gate)[k].abs());
                    let error = p.drive_error[k] + FEW * U * (drive + bias[k].abs());
                    let half = INFLATE * (rho[gate][k] + error);
                    (centre - half, centre + half)
                })
                .collect()
        };
        let (i, f, g) = (range(I), range(F), range(G));
        let cell = (0..n).map(|k| {
            // 1 − σ(z) = σ(−z), which keeps its digits where σ(z) is almost 1.
            let forgotten = logistic(-f[k].1) / INFLATE;
            let candidate = A::of(g[k].0.abs().max(g[k].1.abs()));
            INFLATE * logistic(i[k].1) * candidate / forgotten
        });
        let cell: Vec<f64> = cell.map(|c| INFLATE * c + f64::MIN_POSITIVE).collect();
        // A gate that is open for ever as far as f64 can tell bounds nothing.
        let bounded = cell.iter().all(|c| c.is_finite());
        let all = unit.into_iter().chain(cell).map(|c| (-c, c));
        bounded.then(|| all.collect())
    }
}
