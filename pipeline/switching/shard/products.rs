//! Products and outer products, each in a function of its own: one copy for each width of vectors.

use crate::ops::outer::Outer;
use crate::ops::panel::{Panels, Start};
use pulp::{Simd, WithSimd};

/// A product in a function of its own: one copy for each width of vectors.
struct Product<'a> {
    panels: &'a Panels,
    rows: usize,
    from: (*const f32, usize),
    to: (*mut f32, usize),
    start: Start<'a>,
}

impl WithSimd for Product<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { panels, rows, from, to, start } = self;
        if rows > 0 && panels.n() > 0 {
            // SAFETY: `multiply`'s caller's.
            unsafe { panels.product(simd, rows, from.0, from.1, to.0, to.1, start) }
        }
    }
}

/// `to = start + from · B`.
///
/// # Safety
/// As [`Panels::product`].
#[inline(always)]
pub(super) unsafe fn multiply<S: Simd>(
    simd: S,
    panels: &Panels,
    rows: usize,
    from: (*const f32, usize),
    to: (*mut f32, usize),
    start: Start,
) {
    simd.vectorize(Product { panels, rows, from, to, start });
}

/// Outer products in a function of its own.
pub(super) struct Add<'a> {
    pub(super) to: &'a mut Outer,
    pub(super) rows: usize,
    pub(super) a: (*const f32, usize),
    pub(super) b: (*const f32, usize),
}

impl WithSimd for Add<'_> {
    type Output = ();
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // SAFETY: the caller's of `gather`.
        unsafe { self.to.add(simd, self.rows, self.a, self.b) }
    }
}
