//! What rounding to f64 may do to a computed number: the constants of all error bounds.
//!
//! A dot product of `m` terms errs by at most `γ_m Σ|a_k b_k|` in any order, with
//! `γ_m = m u/(1 − m u)` (Higham 2002, ch. 3). Errors are carried on by the product rule,
//! `e(xy) ≤ |x| e(y) + |y| e(x) + e(x) e(y)`.

/// Unit roundoff of f64.
pub const U: f64 = f64::EPSILON / 2.0;
/// Roundoffs that an activation (from `exp` or `tanh`) may be off; the C
/// library's are below 2.
pub const LIBM: f64 = 8.0;
/// Factor on sums of non-negative bounds, larger than the rounding of any of
/// them (`1 + γ_m` for `m` up to 10⁵).
pub const INFLATE: f64 = 1.0 + 1e-10;
/// Roundoffs for the elementary operations of one entry of a step or one factor of
/// its Jacobian, products of two errors included.
pub const FEW: f64 = 16.0;

/// `γ_m = m u/(1 − m u)`.
pub fn gamma(m: usize) -> f64 {
    let mu = m as f64 * U;
    mu / (1.0 - mu)
}
