//! Numbers, and numbers with tangents, so that a cell's equations are written once.
//!
//! A [`Dual`] is a number `x` with its tangent `ẋ`: what a small change of the arguments, in a direction that is held,
//! does to it. Sums and products follow the rules of derivatives, so that the equations of a cell, fed with `e` and
//! the direction `v`, give `F(e)` and `J v` at once. The way back of a product `y = x z` is
//!
//! ```text
//! dz = x dy + ẋ dẏ,   dż = x dẏ
//! ```
//!
//! which [`Ring::pull`] is; for plain numbers it is the product. With it the way back is written once too.

use accrue_ops::activation;
use pulp::Simd;
use std::ops::{Add, Mul, Sub};

/// What a cell's equations are made of.
pub(crate) trait Ring:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    /// 0.
    fn zero(self) -> Self;
    /// 1.
    fn one(self) -> Self;
    /// `tanh`.
    fn tanh(self) -> Self;
    /// `σ`.
    fn logistic(self) -> Self;
    /// `max(0, x)`.
    fn rectified(self) -> Self;
    /// 1 where above 0, else 0.
    fn positive(self) -> Self;
    /// The gradient of `z`, from that of `self · z`.
    fn pull(self, gradient: Self) -> Self;

    /// Slope of `tanh` from its value.
    #[inline(always)]
    fn tanh_slope(self) -> Self {
        self.one() - self * self
    }

    /// Slope of `σ` from its value.
    #[inline(always)]
    fn logistic_slope(self) -> Self {
        self * (self.one() - self)
    }
}

/// A number without a tangent: of a test, or a vector of the processor's.
pub(crate) trait Number:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
    fn zero(self) -> Self;
    fn one(self) -> Self;
    fn tanh(self) -> Self;
    fn logistic(self) -> Self;
    fn rectified(self) -> Self;
    fn positive(self) -> Self;
}

impl<N: Number> Ring for N {
    #[inline(always)]
    fn zero(self) -> Self {
        Number::zero(self)
    }
    #[inline(always)]
    fn one(self) -> Self {
        Number::one(self)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        Number::tanh(self)
    }
    #[inline(always)]
    fn logistic(self) -> Self {
        Number::logistic(self)
    }
    #[inline(always)]
    fn rectified(self) -> Self {
        Number::rectified(self)
    }
    #[inline(always)]
    fn positive(self) -> Self {
        Number::positive(self)
    }
    #[inline(always)]
    fn pull(self, gradient: Self) -> Self {
        self * gradient
    }
}

/// A number with its tangent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Dual<N> {
    pub value: N,
    pub tangent: N,
}

impl<N: Number> Add for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Self { value: self.value + o.value, tangent: self.tangent + o.tangent }
    }
}

impl<N: Number> Sub for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Self { value: self.value - o.value, tangent: self.tangent - o.tangent }
    }
}

impl<N: Number> Mul for Dual<N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        let tangent = self.value * o.tangent + self.tangent * o.value;
        Self { value: self.value * o.value, tangent }
    }
}

impl<N: Number> Ring for Dual<N> {
    #[inline(always)]
    fn zero(self) -> Self {
        let zero = Number::zero(self.value);
        Self { value: zero, tangent: zero }
    }
    #[inline(always)]
    fn one(self) -> Self {
        Self { value: Number::one(self.value), tangent: Number::zero(self.value) }
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let value = Number::tanh(self.value);
        Self { value, tangent: Ring::tanh_slope(value) * self.tangent }
    }
    #[inline(always)]
    fn logistic(self) -> Self {
        let value = Number::logistic(self.value);
        Self { value, tangent: Ring::logistic_slope(value) * self.tangent }
    }
    #[inline(always)]
    fn rectified(self) -> Self {
        let slope = Number::positive(self.value);
        Self { value: Number::rectified(self.value), tangent: slope * self.tangent }
    }
    #[inline(always)]
    fn positive(self) -> Self {
        Self { value: Number::positive(self.value), tangent: Number::zero(self.value) }
    }
    #[inline(always)]
    fn pull(self, g: Self) -> Self {
        Self {
            value: self.value * g.value + self.tangent * g.tangent,
            tangent: self.value * g.tangent,
        }
    }
}

/// A vector of the processor's.
#[derive(Clone, Copy)]
pub(crate) struct Lane<S: Simd>(pub S, pub S::f32s);

impl<S: Simd> Add for Lane<S> {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        Self(self.0, self.0.add_f32s(self.1, o.1))
    }
}

impl<S: Simd> Sub for Lane<S> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        Self(self.0, self.0.sub_f32s(self.1, o.1))
    }
}

impl<S: Simd> Mul for Lane<S> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, o: Self) -> Self {
        Self(self.0, self.0.mul_f32s(self.1, o.1))
    }
}

impl<S: Simd> Number for Lane<S> {
    #[inline(always)]
    fn zero(self) -> Self {
        Self(self.0, self.0.splat_f32s(0.0))
    }
    #[inline(always)]
    fn one(self) -> Self {
        Self(self.0, self.0.splat_f32s(1.0))
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        Self(self.0, activation::tanh(self.0, self.1))
    }
    #[inline(always)]
    fn logistic(self) -> Self {
        let half = activation::half(self.0, self.1);
        Self(self.0, activation::opened(self.0, activation::tanh(self.0, half)))
    }
    #[inline(always)]
    fn rectified(self) -> Self {
        // The variable second: NaN must not become 0.
        Self(self.0, self.0.max_f32s(self.0.splat_f32s(0.0), self.1))
    }
    #[inline(always)]
    fn positive(self) -> Self {
        let (zero, one) = (self.0.splat_f32s(0.0), self.0.splat_f32s(1.0));
        Self(self.0, self.0.select_f32s(self.0.greater_than_f32s(self.1, zero), one, zero))
    }
}

/// For tests of the equations.
impl Number for f64 {
    fn zero(self) -> Self {
        0.0
    }
    fn one(self) -> Self {
        1.0
    }
    fn tanh(self) -> Self {
        f64::tanh(self)
    }
    fn logistic(self) -> Self {
        1.0 / (1.0 + (-self).exp())
    }
    fn rectified(self) -> Self {
        self.max(0.0)
    }
    fn positive(self) -> Self {
        (self > 0.0) as u8 as f64
    }
}
