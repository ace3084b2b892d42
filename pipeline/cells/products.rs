//! Products with weight matrices and diagonals, in the widest vectors of the processor.

use crate::linalg::Matrix;
use pulp::Arch;

/// `D(d) M`: row `i` times `d[i]`.
pub(crate) fn scaled(d: impl Fn(usize) -> f64, m: &Matrix) -> Matrix {
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
pub(crate) fn add_scaled(out: &mut Matrix, d: impl Fn(usize) -> f64, m: &Matrix) {
    let d: Vec<f64> = (0..m.nrows()).map(d).collect();
    let n = d.len();
    Arch::new().dispatch(
        #[inline(always)]
        || {
            for (to, from) in
                out.as_mut_slice().chunks_exact_mut(n).zip(m.as_slice().chunks_exact(n))
            {
                for ((t, f), d) in to.iter_mut().zip(from).zip(&d) {
                    *t += d * f;
                }
            }
        },
    );
}

/// `out += M x`, four columns at a time.
pub(crate) fn add_product(out: &mut [f64], m: &Matrix, x: &[f64]) {
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

/// `out += D(d)`.
pub(crate) fn add_diagonal(out: &mut Matrix, d: &[f64]) {
    d.iter().enumerate().for_each(|(i, d)| out[(i, i)] += d);
}

/// `σ(z) = 1/(1 + e^{−z})`.
pub(crate) fn logistic(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// `σ'` from the value: `s(1 − s)`.
pub(crate) fn sigmoid_prime(s: f64) -> f64 {
    s * (1.0 - s)
}

/// `tanh'` from the value: `1 − t²`.
pub(crate) fn tanh_prime(t: f64) -> f64 {
    1.0 - t * t
}
