//! `tanh` and the logistic function for vectors of f32, with a stated error.
//!
//! `tanh(x) = x P(x²) / Q(x²)` with polynomials of degree 6 and 3, fitted for
//! the smallest largest relative error on `|x| ≤ 9` (`tests/references/tanh.py`
//! finds the coefficients) and constant beyond. The largest error in f32
//! arithmetic, absolute and relative, is 3.0e-7, and 4.14e-7 where two vectors share a division
//! (two more roundings). `σ(x) = ½ + ½ tanh(x/2)` has
//! half the absolute error; where σ is near 0 its *relative* error is not
//! small, which a gate does not notice.

use pulp::Simd;

/// `1 − tanh(9) = 3e-8`, below half a unit in the last place of 1.
const LIMIT: f32 = 9.0;

const P: [f32; 7] = [
    1.0,
    0.130_840_1,
    0.003_103_955_9,
    1.115_430_4e-5,
    -2.022_521_2e-8,
    5.277_943e-11,
    -8.488_699e-14,
];
const Q: [f32; 4] = [1.0, 0.464_173_38, 0.024_495_177, 0.000_254_614_45];

/// No error of [`tanh`] and [`tanh_of_two`] is larger: 4.14e-7 is the largest of 1e8 pairs of arguments
/// (`tests/references/tanh.py`).
pub const TANH_ERROR: f32 = 4.2e-7;

#[inline(always)]
fn horner<S: Simd, const N: usize>(simd: S, z: S::f32s, coefficients: [f32; N]) -> S::f32s {
    let mut sum = simd.splat_f32s(coefficients[N - 1]);
    for c in coefficients[..N - 1].iter().rev() {
        sum = simd.mul_add_f32s(sum, z, simd.splat_f32s(*c));
    }
    sum
}

/// Numerator and denominator of `tanh`.
///
/// NaN stays NaN: the clamp puts the variable second, where x86 and NEON keep it.
#[inline(always)]
fn fraction<S: Simd>(simd: S, x: S::f32s) -> (S::f32s, S::f32s) {
    let x = simd.max_f32s(simd.splat_f32s(-LIMIT), x);
    let x = simd.min_f32s(simd.splat_f32s(LIMIT), x);
    let z = simd.mul_f32s(x, x);
    (simd.mul_f32s(x, horner(simd, z, P)), horner(simd, z, Q))
}

/// `tanh` of each lane.
#[inline(always)]
pub fn tanh<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    let (p, q) = fraction(simd, x);
    simd.div_f32s(p, q)
}

/// `tanh` of two vectors with one division, which takes as long as all the rest:
/// `r = 1/(q₁q₂)`, `p₁/q₁ = p₁ (q₂ r)`. Denominators are between 1 and 340.
#[inline(always)]
pub fn tanh_of_two<S: Simd>(simd: S, x: [S::f32s; 2]) -> [S::f32s; 2] {
    let ((p, q), (u, v)) = (fraction(simd, x[0]), fraction(simd, x[1]));
    let r = simd.div_f32s(simd.splat_f32s(1.0), simd.mul_f32s(q, v));
    [simd.mul_f32s(p, simd.mul_f32s(v, r)), simd.mul_f32s(u, simd.mul_f32s(q, r))]
}

/// `x/2`, whose `tanh` is [`opened`] to `σ(x)`.
#[inline(always)]
pub fn half<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    simd.mul_f32s(simd.splat_f32s(0.5), x)
}

/// `½ + ½ t`.
#[inline(always)]
pub fn opened<S: Simd>(simd: S, t: S::f32s) -> S::f32s {
    let half = simd.splat_f32s(0.5);
    simd.mul_add_f32s(half, t, half)
}

/// `σ(x) = 1/(1 + e^−x)` of each lane of two vectors.
#[inline(always)]
pub fn logistic_of_two<S: Simd>(simd: S, x: [S::f32s; 2]) -> [S::f32s; 2] {
    let [s, t] = tanh_of_two(simd, [half(simd, x[0]), half(simd, x[1])]);
    [opened(simd, s), opened(simd, t)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulp::{Arch, WithSimd};

    /// What is applied to `x`, beside another vector for those of two.
    #[derive(Clone, Copy)]
    enum Of {
        Tanh,
        TanhOfTwo,
        LogisticOfTwo,
    }

    struct Apply<'a> {
        x: &'a [f32],
        out: &'a mut [f32],
        of: Of,
    }

    impl WithSimd for Apply<'_> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            let (x, _) = S::as_simd_f32s(self.x);
            let (out, _) = S::as_mut_simd_f32s(self.out);
            // The other vector comes from the upper half, and stands second and first in turn.
            for (i, out) in out.iter_mut().enumerate() {
                let (own, other) = (x[i], x[x.len() - 1 - i / 2]);
                let at = i % 2;
                let two = if at == 0 { [own, other] } else { [other, own] };
                *out = match self.of {
                    Of::Tanh => tanh(simd, own),
                    Of::TanhOfTwo => tanh_of_two(simd, two)[at],
                    Of::LogisticOfTwo => logistic_of_two(simd, two)[at],
                };
            }
        }
    }

    fn apply(x: &[f32], of: Of) -> Vec<f32> {
        let mut out = vec![0.0; x.len()];
        Arch::new().dispatch(Apply { x, out: &mut out, of });
        out
    }

    #[test]
    fn tanh_and_logistic_stay_within_the_stated_error() {
        let x: Vec<f32> = (0..(1 << 18)).map(|i| (i as f32 - 131_072.0) * 1e-4).collect();
        for of in [Of::Tanh, Of::TanhOfTwo] {
            for (x, y) in x.iter().zip(apply(&x, of)) {
                let exact = (*x as f64).tanh();
                assert!((y as f64 - exact).abs() < TANH_ERROR as f64, "tanh({x}) = {y}");
            }
        }
        for (x, y) in x.iter().zip(apply(&x, Of::LogisticOfTwo)) {
            let exact = 1.0 / (1.0 + (-*x as f64).exp());
            assert!((y as f64 - exact).abs() < TANH_ERROR as f64, "logistic({x}) = {y}");
        }
    }

    #[test]
    fn small_arguments_keep_their_relative_precision_and_nan_stays_nan() {
        let mut x: Vec<f32> = (0..64).map(|i| 10f32.powi(-(i % 30))).collect();
        x[0] = f32::NAN;
        for of in [Of::Tanh, Of::TanhOfTwo] {
            let y = apply(&x, of);
            assert!(y[0].is_nan());
            for (x, y) in x.iter().zip(y).skip(1) {
                assert!(
                    (y as f64 / (*x as f64).tanh() - 1.0).abs() < TANH_ERROR as f64,
                    "tanh({x}) = {y}"
                );
            }
        }
    }
}
