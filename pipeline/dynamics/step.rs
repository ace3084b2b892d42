//! One step `F(h, x)` and its Jacobians, in f64, from the equations.

use crate::linalg::{Matrix, Vector};
use crate::{Error, Result};
use accrue_cells::{Cell, CellKind};
use pulp::Arch;
use std::sync::Arc;

/// A cell with its input held fixed: `h ↦ F(h, x*)`.
///
/// `A x* + b_ih` is computed once; `W` and `A` are kept as a matrix a gate.
#[derive(Clone, Debug)]
pub struct Map {
    cell: Arc<Cell>,
    input: Vec<f64>,
    /// `a = A x* + b_ih`, `[gates·n]`.
    entry: Vec<f64>,
    /// `W_g`, `[n, n]`, in the order of the gates.
    recurrent: Arc<Vec<Matrix>>,
    /// Input weights, likewise.
    inputs: Arc<Vec<Matrix>>,
}

/// Values of the gates at one state, from which `F` and `J` follow.
pub(super) struct Gates {
    /// Activations in the order of the weight blocks.
    values: Vec<Vec<f64>>,
    /// `W_c h + b_hc`, of the GRU that resets after the product.
    w_c: Vec<f64>,
    /// The state after the step.
    pub(super) next: Vector,
}

/// `σ(z) = 1/(1 + e^{−z})`.
fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// `D(d) M`: row `i` times `d[i]`.
fn scaled(d: impl Fn(usize) -> f64, m: &Matrix) -> Matrix {
    let d: Vec<f64> = (0..m.nrows()).map(d).collect();
    let mut out = m.clone();
    let n = d.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for column in out.as_mut_slice().chunks_exact_mut(n) {
                column.iter_mut().zip(&d).for_each(|(x, d)| *x *= d);
            }
        },
    );
    out
}

/// `out += D(d) M`.
fn add_scaled(out: &mut Matrix, d: &[f64], m: &Matrix) {
    let n = d.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (to, from) in
                out.as_mut_slice().chunks_exact_mut(n).zip(m.as_slice().chunks_exact(n))
            {
                for ((t, f), d) in to.iter_mut().zip(from).zip(d) {
                    *t += d * f;
                }
            }
        },
    );
}

/// `out += M x`, four columns at a time.
fn add_product(out: &mut [f64], m: &Matrix, x: &[f64]) {
    let n = out.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            let mut four = m.as_slice().chunks_exact(4 * n);
            let mut xs = x.chunks_exact(4);
            for (columns, x) in four.by_ref().zip(xs.by_ref()) {
                let (a, rest) = columns.split_at(n);
                let (b, rest) = rest.split_at(n);
                let (c, d) = rest.split_at(n);
                for ((((o, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    *o += (a * x[0] + b * x[1]) + (c * x[2] + d * x[3]);
                }
            }
            for (column, x) in four.remainder().chunks_exact(n).zip(xs.remainder()) {
                out.iter_mut().zip(column).for_each(|(o, w)| *o += w * x);
            }
        },
    );
}

/// `A x + b_ih`, `[gates·n]`; zeros of one-hot inputs cost nothing.
fn entry(cell: &Cell, input: &[f64]) -> Vec<f64> {
    let u = cell.inputs;
    let used: Vec<(usize, f64)> =
        input.iter().copied().enumerate().filter(|(_, x)| *x != 0.0).collect();
    let row = |(row, bias): (usize, &f64)| {
        let a = &cell.input_weights[row * u..][..u];
        bias + used.iter().map(|&(k, x)| a[k] * x).sum::<f64>()
    };
    cell.input_bias.iter().enumerate().map(row).collect()
}

impl Map {
    /// Holds the input of `cell` at `input`.
    ///
    /// # Errors
    /// [`Error::Shape`] if `input` does not fit the cell, or the cell its own
    /// sizes; [`Error::NotFinite`] for NaN or infinite weights or input.
    pub fn new(cell: &Cell, input: &[f64]) -> Result<Self> {
        let (n, u, gates) = (cell.units, cell.inputs, cell.kind.gates());
        let sizes = [
            ("input", input.len(), u),
            ("input weights", cell.input_weights.len(), gates * n * u),
            ("recurrent weights", cell.recurrent_weights.len(), gates * n * n),
            ("input bias", cell.input_bias.len(), gates * n),
            ("recurrent bias", cell.recurrent_bias.len(), gates * n),
        ];
        for (what, found, expected) in sizes {
            if found != expected {
                return Err(Error::shape(what, found, expected));
            }
        }
        let arrays = [
            ("input", input),
            ("input weights", &cell.input_weights),
            ("recurrent weights", &cell.recurrent_weights),
            ("input bias", &cell.input_bias),
            ("recurrent bias", &cell.recurrent_bias),
        ];
        for (what, numbers) in arrays {
            if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite {
                    what: what.into(),
                    place: format!("entry {at}"),
                    remedy: "train again, or give weights that are finite".into(),
                });
            }
        }
        let block = |weights: &[f64], g: usize, columns: usize| {
            Matrix::from_row_slice(n, columns, &weights[g * n * columns..][..n * columns])
        };
        let recurrent = (0..gates).map(|g| block(&cell.recurrent_weights, g, n)).collect();
        let inputs = (0..gates).map(|g| block(&cell.input_weights, g, u)).collect();
        let entry = entry(cell, input);
        Ok(Self {
            cell: Arc::new(cell.clone()),
            input: input.to_vec(),
            entry,
            recurrent: Arc::new(recurrent),
            inputs: Arc::new(inputs),
        })
    }

    /// The same cell with its input held elsewhere, `[inputs]`.
    ///
    /// # Errors
    /// [`Error::Shape`] if it does not fit, [`Error::NotFinite`] for NaN in it.
    pub fn with_input(&self, input: &[f64]) -> Result<Self> {
        if input.len() != self.cell.inputs {
            return Err(Error::shape("input", input.len(), self.cell.inputs));
        }
        if let Some(at) = input.iter().position(|x| !x.is_finite()) {
            return Err(Error::NotFinite {
                what: "input".into(),
                place: format!("entry {at}"),
                remedy: "give an input that is finite".into(),
            });
        }
        Ok(Self {
            cell: self.cell.clone(),
            input: input.to_vec(),
            entry: entry(&self.cell, input),
            recurrent: self.recurrent.clone(),
            inputs: self.inputs.clone(),
        })
    }

    /// The cell.
    pub fn cell(&self) -> &Cell {
        &self.cell
    }

    /// The input that is held.
    pub fn input(&self) -> &[f64] {
        &self.input
    }

    /// `A x* + b_ih`, `[gates·n]`.
    pub fn entry(&self) -> &[f64] {
        &self.entry
    }

    /// `W_g`, `[n, n]`, of gate `g`.
    pub fn recurrent(&self, g: usize) -> &Matrix {
        &self.recurrent[g]
    }

    /// Numbers in the state.
    pub fn state_size(&self) -> usize {
        self.cell.state_size()
    }

    /// Checks that a state fits.
    ///
    /// # Errors
    /// [`Error::Shape`] if it does not.
    pub fn check(&self, state: &[f64]) -> Result<()> {
        if state.len() == self.state_size() {
            return Ok(());
        }
        Err(Error::shape("state", state.len(), self.state_size()))
    }

    /// `W_g h + b_hh` of gate `g`.
    fn product(&self, g: usize, h: &[f64]) -> Vec<f64> {
        let n = self.cell.units;
        let mut out = self.cell.recurrent_bias[g * n..][..n].to_vec();
        add_product(&mut out, &self.recurrent[g], h);
        out
    }

    pub(super) fn gates(&self, state: &[f64]) -> Gates {
        let n = self.cell.units;
        let h = &state[..n];
        let act = |g: usize, w: &[f64], f: fn(f64) -> f64| -> Vec<f64> {
            w.iter().zip(&self.entry[g * n..]).map(|(w, a)| f(w + a)).collect()
        };
        let sum = |g: usize, f: fn(f64) -> f64| act(g, &self.product(g, h), f);
        let mixed = |u: &[f64], c: &[f64]| {
            Vector::from_iterator(n, (0..n).map(|i| u[i] * h[i] + (1.0 - u[i]) * c[i]))
        };
        match self.cell.kind {
            CellKind::Vanilla => {
                let next = sum(0, f64::tanh);
                Gates { next: Vector::from_column_slice(&next), values: vec![next], w_c: vec![] }
            }
            CellKind::VanillaRelu => {
                let next = sum(0, |z| if z > 0.0 { z } else { 0.0 });
                Gates { next: Vector::from_column_slice(&next), values: vec![next], w_c: vec![] }
            }
            CellKind::Linear => {
                let next = sum(0, |z| z);
                Gates { next: Vector::from_column_slice(&next), values: vec![], w_c: vec![] }
            }
            CellKind::Ugrnn => {
                let (u, c) = (sum(0, logistic), sum(1, f64::tanh));
                Gates { next: mixed(&u, &c), values: vec![u, c], w_c: vec![] }
            }
            CellKind::Gru => {
                let (r, u) = (sum(0, logistic), sum(1, logistic));
                let w_c = self.product(2, h);
                let reset: Vec<f64> = r.iter().zip(&w_c).map(|(r, w)| r * w).collect();
                let c = act(2, &reset, f64::tanh);
                Gates { next: mixed(&u, &c), values: vec![r, u, c], w_c }
            }
            CellKind::GruResetBefore => {
                let (r, u) = (sum(0, logistic), sum(1, logistic));
                let reset: Vec<f64> = r.iter().zip(h).map(|(r, h)| r * h).collect();
                let c = act(2, &self.product(2, &reset), f64::tanh);
                Gates { next: mixed(&u, &c), values: vec![r, u, c], w_c: vec![] }
            }
            CellKind::Lstm => {
                let (i, f, g, o) =
                    (sum(0, logistic), sum(1, logistic), sum(2, f64::tanh), sum(3, logistic));
                let c: Vec<f64> = (0..n).map(|k| f[k] * state[n + k] + i[k] * g[k]).collect();
                let next = (0..n).map(|k| o[k] * c[k].tanh()).chain(c.iter().copied());
                let next = Vector::from_iterator(2 * n, next);
                Gates { next, values: vec![i, f, g, o], w_c: vec![] }
            }
        }
    }

    /// `F(h, x*)`, `[state]`.
    ///
    /// # Panics
    /// If the state does not fit ([`Map::check`] tells).
    pub fn step(&self, state: &[f64]) -> Vector {
        self.gates(state).next
    }

    /// `q(h) = ½ Σ_i (F(h, x*)_i − h_i)²`: half the *sum* over units.
    pub fn speed(&self, state: &[f64]) -> f64 {
        let next = self.step(state);
        0.5 * next.iter().zip(state).map(|(f, h)| (f - h) * (f - h)).sum::<f64>()
    }

    /// `F(h, x*)` and `J_rec = ∂F/∂h`, `[state, state]`.
    pub fn step_and_jacobian(&self, state: &[f64]) -> (Vector, Matrix) {
        let gates = self.gates(state);
        let jacobian = self.jacobian_of(&gates, state);
        (gates.next, jacobian)
    }

    /// `J_rec = ∂F/∂h`, `[state, state]`, in closed form.
    pub fn jacobian(&self, state: &[f64]) -> Matrix {
        self.jacobian_of(&self.gates(state), state)
    }

    /// `J_rec` at a state whose gates are known.
    pub(super) fn jacobian_of(&self, gates: &Gates, state: &[f64]) -> Matrix {
        let n = self.cell.units;
        let h = &state[..n];
        let w = &self.recurrent;
        let v = &gates.values;
        let each = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<f64>>();
        match self.cell.kind {
            CellKind::Vanilla => scaled(|i| 1.0 - v[0][i] * v[0][i], &w[0]),
            CellKind::VanillaRelu => scaled(|i| (v[0][i] > 0.0) as u8 as f64, &w[0]),
            CellKind::Linear => w[0].clone(),
            CellKind::Ugrnn => {
                let (u, c) = (&v[0], &v[1]);
                let mut j = scaled(|i| (h[i] - c[i]) * slope(u[i]), &w[0]);
                add_scaled(&mut j, &each(&|i| (1.0 - u[i]) * flat(c[i])), &w[1]);
                (0..n).for_each(|i| j[(i, i)] += u[i]);
                j
            }
            CellKind::Gru => {
                let (r, u, c) = (&v[0], &v[1], &v[2]);
                let dc = each(&|i| (1.0 - u[i]) * flat(c[i]));
                let mut j = scaled(|i| (h[i] - c[i]) * slope(u[i]), &w[1]);
                add_scaled(&mut j, &each(&|i| dc[i] * r[i]), &w[2]);
                add_scaled(&mut j, &each(&|i| dc[i] * gates.w_c[i] * slope(r[i])), &w[0]);
                (0..n).for_each(|i| j[(i, i)] += u[i]);
                j
            }
            CellKind::GruResetBefore => {
                let (r, u, c) = (&v[0], &v[1], &v[2]);
                let mut inner = scaled(|i| h[i] * slope(r[i]), &w[0]);
                (0..n).for_each(|i| inner[(i, i)] += r[i]);
                let mut j = scaled(|i| (h[i] - c[i]) * slope(u[i]), &w[1]);
                add_scaled(&mut j, &each(&|i| (1.0 - u[i]) * flat(c[i])), &(&w[2] * inner));
                (0..n).for_each(|i| j[(i, i)] += u[i]);
                j
            }
            CellKind::Lstm => {
                let (i, f, g, o) = (&v[0], &v[1], &v[2], &v[3]);
                let (before, after) = (&state[n..], &gates.next.as_slice()[n..]);
                let t: Vec<f64> = after.iter().map(|c| c.tanh()).collect();
                let mut c_h = scaled(|k| before[k] * slope(f[k]), &w[1]);
                add_scaled(&mut c_h, &each(&|k| g[k] * slope(i[k])), &w[0]);
                add_scaled(&mut c_h, &each(&|k| i[k] * flat(g[k])), &w[2]);
                let mut h_h = scaled(|k| t[k] * slope(o[k]), &w[3]);
                add_scaled(&mut h_h, &each(&|k| o[k] * flat(t[k])), &c_h);
                let mut j = Matrix::zeros(2 * n, 2 * n);
                j.view_mut((0, 0), (n, n)).copy_from(&h_h);
                j.view_mut((n, 0), (n, n)).copy_from(&c_h);
                for k in 0..n {
                    j[(k, n + k)] = o[k] * flat(t[k]) * f[k];
                    j[(n + k, n + k)] = f[k];
                }
                j
            }
        }
    }

    /// `J_inp = ∂F/∂x`, `[state, inputs]`, in closed form.
    pub fn input_jacobian(&self, state: &[f64]) -> Matrix {
        let (n, u) = (self.cell.units, self.cell.inputs);
        let gates = self.gates(state);
        let v = &gates.values;
        let h = &state[..n];
        let a = &self.inputs;
        let each = |f: &dyn Fn(usize) -> f64| (0..n).map(f).collect::<Vec<f64>>();
        match self.cell.kind {
            CellKind::Vanilla => scaled(|i| 1.0 - v[0][i] * v[0][i], &a[0]),
            CellKind::VanillaRelu => scaled(|i| (v[0][i] > 0.0) as u8 as f64, &a[0]),
            CellKind::Linear => a[0].clone(),
            CellKind::Ugrnn => {
                let (u, c) = (&v[0], &v[1]);
                let mut j = scaled(|i| (h[i] - c[i]) * slope(u[i]), &a[0]);
                add_scaled(&mut j, &each(&|i| (1.0 - u[i]) * flat(c[i])), &a[1]);
                j
            }
            CellKind::Gru => {
                let (r, u, c) = (&v[0], &v[1], &v[2]);
                let dc = each(&|i| (1.0 - u[i]) * flat(c[i]));
                let mut j = scaled(|i| (h[i] - c[i]) * slope(u[i]), &a[1]);
                add_scaled(&mut j, &dc, &a[2]);
                add_scaled(&mut j, &each(&|i| dc[i] * gates.w_c[i] * slope(r[i])), &a[0]);
                j
            }
            CellKind::GruResetBefore => {
                let (r, u, c) = (&v[0], &v[1], &v[2]);
                let reset = &self.recurrent[2] * scaled(|i| h[i] * slope(r[i]), &a[0]);
                let mut j = scaled(|i| (h[i] - c[i]) * slope(u[i]), &a[1]);
                add_scaled(&mut j, &each(&|i| (1.0 - u[i]) * flat(c[i])), &(&a[2] + reset));
                j
            }
            CellKind::Lstm => {
                let (i, f, g, o) = (&v[0], &v[1], &v[2], &v[3]);
                let (before, after) = (&state[n..], &gates.next.as_slice()[n..]);
                let t: Vec<f64> = after.iter().map(|c| c.tanh()).collect();
                let mut c_x = scaled(|k| before[k] * slope(f[k]), &a[1]);
                add_scaled(&mut c_x, &each(&|k| g[k] * slope(i[k])), &a[0]);
                add_scaled(&mut c_x, &each(&|k| i[k] * flat(g[k])), &a[2]);
                let mut h_x = scaled(|k| t[k] * slope(o[k]), &a[3]);
                add_scaled(&mut h_x, &each(&|k| o[k] * flat(t[k])), &c_x);
                let mut j = Matrix::zeros(2 * n, u);
                j.view_mut((0, 0), (n, u)).copy_from(&h_x);
                j.view_mut((n, 0), (n, u)).copy_from(&c_x);
                j
            }
        }
    }
}

/// `σ'` from the value: `s(1 − s)`.
fn slope(s: f64) -> f64 {
    s * (1.0 - s)
}

/// `tanh'` from the value: `1 − t²`.
fn flat(t: f64) -> f64 {
    1.0 - t * t
}
