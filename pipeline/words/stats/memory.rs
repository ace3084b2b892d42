//! For how long a quantity remembers the evidence of the words read before it.
//!
//! A network that adds up evidence holds the sum `Σ_{s ≤ t} e(w_s)` of what its words say. One that forgets
//! holds a leaky sum, whose words fade with a time constant `τ`. Which `τ` explains a quantity best says
//! what kind of memory it is; the words' evidence comes from counts alone
//! ([`log_odds`](super::evidence::log_odds)).

use crate::linalg::{Cholesky, Matrix, Vector};

/// Time constants that are tried, in tokens; the last one forgets nothing.
pub const MEMORIES: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, f64::INFINITY];

/// Added to the variance of each feature, as a share of their mean: two classes' evidence are each
/// other's opposite.
const RIDGE: f64 = 1e-9;

/// Leaky sums after every token, `s_t = e(w_t) + e^{−1/τ} s_{t−1}`.
///
/// * `evidence`: `[words][labels]`, nats
/// * `memory`: `τ`, tokens; infinite for the plain sum
///
/// Returns `[tokens][labels]`.
pub fn leaky_sums(tokens: &[u32], evidence: &[Vec<f64>], memory: f64) -> Vec<Vec<f64>> {
    let keep = (-1.0 / memory).exp();
    let mut sum: Vec<f64> = Vec::new();
    let step = |&word: &u32| {
        let said = &evidence[word as usize];
        sum.resize(said.len(), 0.0);
        sum.iter_mut().zip(said).for_each(|(s, e)| *s = *s * keep + e);
        sum.clone()
    };
    tokens.iter().map(step).collect()
}

/// Share of each quantity's variance that an affine function of the features explains, in rows that
/// the function was not fitted to: `R² = 1 − Σ(y − ŷ)² / Σ(y − ȳ)²`, `ȳ` the mean of the fitted rows.
/// Below 0 where it says less than that mean; NaN where nothing varies.
///
/// * `features`: `[rows, features]`; `quantities`: `[rows, quantities]`
/// * `fitted`: of each row, whether the function is fitted to it
pub fn explained(features: &Matrix, quantities: &Matrix, fitted: &[bool]) -> Vec<f64> {
    let pick = |of: &Matrix, which: bool| {
        let rows: Vec<usize> = (0..fitted.len()).filter(|&i| fitted[i] == which).collect();
        of.select_rows(&rows)
    };
    let (mut x, mut y) = (pick(features, true), pick(quantities, true));
    let (mut other_x, mut other_y) = (pick(features, false), pick(quantities, false));
    let centre = |of: &mut Matrix, other: &mut Matrix| {
        for j in 0..of.ncols() {
            let mean = of.column(j).mean();
            of.column_mut(j).add_scalar_mut(-mean);
            other.column_mut(j).add_scalar_mut(-mean);
        }
    };
    centre(&mut x, &mut other_x);
    centre(&mut y, &mut other_y);
    let mut normal = x.tr_mul(&x);
    let ridge = RIDGE * normal.trace() / normal.nrows().max(1) as f64;
    (0..normal.nrows()).for_each(|i| normal[(i, i)] += ridge);
    let Some(solver) = Cholesky::new(&normal) else {
        return vec![f64::NAN; y.ncols()];
    };
    let share = |j: usize| {
        let weights = solver.solve(&x.tr_mul(&y.column(j)));
        let found: Vector = &other_x * weights;
        let left = (other_y.column(j) - found).norm_squared();
        1.0 - left / other_y.column(j).norm_squared()
    };
    (0..y.ncols()).map(share).collect()
}
