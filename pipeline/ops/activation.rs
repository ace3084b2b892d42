//! `tanh` and the logistic function for vectors of f32, with a stated error.
//!
//! `tanh(x) = x P(x²) / Q(x²)` with polynomials of degree 6 and 3, fitted for
//! the smallest largest relative error on `|x| ≤ 9` (`tests/references/tanh.py`
//! finds the coefficients) and constant beyond. The largest error in f32
//! arithmetic is 3.0e-7, absolute and relative. `σ(x) = ½ + ½ tanh(x/2)` has
//! half the absolute error; where σ is near 0 its *relative* error is not
//! small, which a gate does not notice.

use pulp::Simd;

/// `1 − tanh(9) = 3e-8`, below half a unit in the last place of 1.
const LIMIT: f32 = 9.0;

const P: [f32; 7] = [
    1.0,
    0.130_840_1,
    0.003_103_956,
    1.115_430_4e-5,
    -2.022_521_2e-8,
    5.277_943e-11,
    -8.488_699e-14,
];
const Q: [f32; 4] = [1.0, 0.464_173_38, 0.024_495_177, 0.000_254_614_45];

/// Largest absolute error of [`tanh`], measured over all exponents.
pub const TANH_ERROR: f32 = 3.0e-7;

#[inline(always)]
fn horner<S: Simd, const N: usize>(simd: S, z: S::f32s, coefficients: [f32; N]) -> S::f32s {
    let mut sum = simd.splat_f32s(coefficients[N - 1]);
    for c in coefficients[..N - 1].iter().rev() {
        sum = simd.mul_add_f32s(sum, z, simd.splat_f32s(*c));
    }
    sum
}

/// `tanh` of each lane.
///
/// NaN stays NaN: the clamp puts the variable second, where x86 and NEON keep it.
#[inline(always)]
pub fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let x = simd.max_f32s(simd.splat_f32s(-LIMIT), x);
    let x = simd.min_f32s(simd.splat_f32s(LIMIT), x);
    let z = simd.mul_f32s(x, x);
    simd.div_f32s(simd.mul_f32s(x, horner(simd, z, P)), horner(simd, z, Q))
}

/// `σ(x) = 1/(1 + e^−x)` of each lane.
#[inline(always)]
pub fn logistic<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let half = simd.splat_f32s(0.5);
    simd.mul_add_f32s(half, tanh(simd, simd.mul_f32s(half, x)), half)
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, WithSimd};

    struct Apply<'a> {
        x: &'a [f32],
        out: &'a mut [f32],
        sigma: bool,
    }

    impl WithSimd for Apply<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (x, _) = S::as_simd_f32s(self.x);
            let (out, _) = S::as_mut_simd_f32s(self.out);
            for (out, x) in out.iter_mut().zip(x) {
                *out = if self.sigma { logistic(simd, *x) } else { tanh(simd, *x) };
            }
        }
    }

    fn apply(x: &[f32], sigma: bool) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        Arch::new().dispatch(Apply { x, out: &mut out, sigma });
        out
    }

    #[test]
    fn tanh_and_logistic_stay_within_the_stated_error() {
        let x: Vec<f32> = (0..(1 << 18)).map(|i| (i as f32 - 131_072.0) * 1e-4).collect();
        for (x, y) in x.iter().zip(apply(&x, false)) {
            assert!((y as f64 - (*x as f64).tanh()).abs() < TANH_ERROR as f64, "tanh({x}) = {y}");
        }
        for (x, y) in x.iter().zip(apply(&x, true)) {
            let exact = 1.0 / (1.0 + (-*x as f64).exp());
            assert!((y as f64 - exact).abs() < TANH_ERROR as f64, "logistic({x}) = {y}");
        }
    }

    #[test]
    fn small_arguments_keep_their_relative_precision_and_nan_stays_nan() {
        let mut x: Vec<f32> = (0..64).map(|i| 10f32.powi(-(i % 30))).collect();
        x[0] = f32::NAN;
        let y = apply(&x, false);
        assert!(y[0].is_nan());
        for (x, y) in x.iter().zip(y).skip(1) {
            assert!(
                (y as f64 / (*x as f64).tanh() - 1.0).abs() < TANH_ERROR as f64,
                "tanh({x}) = {y}"
            );
        }
    }
}
