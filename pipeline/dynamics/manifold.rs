//! Onto the slow manifold, where `q` has no zero nearby.
//!
//! An approximate attractor keeps its shape although its points drift. Searching
//! for zeros of `F(h) − h` slides along it to wherever the drift vanishes. The
//! projection here solves for the fast part only: with the `k` slowest modes of
//! the Jacobian at the start, right vectors `R_s` and left vectors `L_s`, it finds
//!
//! ```text
//! F(h) − h = R_s μ    and    L_sᵀ (h − h_0) = 0
//! ```
//!
//! by Newton's method on the bordered system. What is left, `R_s μ`, is the drift along
//! the manifold in one step; the second condition keeps the point from sliding.

use crate::linalg::{Lu, Matrix, Vector, eigen};
use crate::{Dynamics, Error, Result};

/// A state brought onto the slow manifold.
#[derive(Clone, Debug, PartialEq)]
pub struct Projected {
    /// The state.
    pub state: Vec<f64>,
    /// `‖R_s μ‖`: how far the state drifts along the manifold in one step.
    pub drift: f64,
    /// Largest entry of the rest of the residual, which Newton's method brings to zero.
    pub off: f64,
    /// Distance from the start (Euclid).
    pub distance_from_init: f64,
    /// Newton steps.
    pub steps: usize,
}

/// Residual below which a point counts as on the manifold, relative to the
/// largest entry of the state.
const ON: f64 = 1e-12;

/// Projects `state` along the fast modes.
///
/// * `slow`: number of modes along which the point must not move; one more is
///   taken where that would cut a complex pair
/// * `most`: Newton steps at most; not arriving is a result, see [`Projected::off`]
///
/// # Errors
/// [`Error::Shape`] for a state of the wrong size, [`Error::Usage`] for more slow
/// modes than numbers in the state.
pub fn project(map: &dyn Dynamics, state: &[f64], slow: usize, most: usize) -> Result<Projected> {
    map.check(state)?;
    let n = state.len();
    if slow > n {
        return Err(Error::Usage(format!("{slow} slow modes of a state of {n} numbers")));
    }
    let start = Vector::from_column_slice(state);
    let modes = eigen(&map.jacobian(state))?;
    let (right, left) = spans(&modes, slow);
    let k = right.ncols();
    let mut h = start.clone();
    let mut mu = Vector::zeros(k);
    let scale = 1.0 + h.amax();
    let mut steps = 0;
    let off = loop {
        let (next, jacobian) = map.step_and_jacobian(h.as_slice());
        let residual = next - &h - &right * &mu;
        let slid = left.transpose() * (&h - &start);
        let off = residual.amax();
        if off <= ON * scale && slid.amax() <= ON * scale || steps == most {
            break off;
        }
        // [J − I, −R_s; L_sᵀ, 0] [Δh; Δμ] = −[residual; slid].
        let mut bordered = Matrix::zeros(n + k, n + k);
        bordered.view_mut((0, 0), (n, n)).copy_from(&jacobian);
        (0..n).for_each(|i| bordered[(i, i)] -= 1.0);
        bordered.view_mut((0, n), (n, k)).copy_from(&(-&right));
        bordered.view_mut((n, 0), (k, n)).copy_from(&left.transpose());
        let mut target = Vector::zeros(n + k);
        target.rows_mut(0, n).copy_from(&(-residual));
        target.rows_mut(n, k).copy_from(&(-slid));
        let change = Lu::new(&bordered).solve(&target);
        if change.iter().any(|x| !x.is_finite()) {
            break off;
        }
        h += change.rows(0, n);
        mu += change.rows(n, k);
        steps += 1;
    };
    Ok(Projected {
        drift: (&right * &mu).norm(),
        off,
        distance_from_init: (&h - &start).norm(),
        steps,
        state: h.as_slice().to_vec(),
    })
}

/// Real bases of the spans of the `slow` slowest right and left vectors; a
/// complex pair gives its real and imaginary part.
fn spans(modes: &crate::linalg::Eigen, slow: usize) -> (Matrix, Matrix) {
    let n = modes.values.len();
    let (mut right, mut left) = (Vec::new(), Vec::new());
    let mut a = 0;
    while a < n && right.len() < slow {
        let part = |m: &crate::linalg::ComplexMatrix, im: bool| -> Vec<f64> {
            m.column(a).iter().map(|z| if im { z.im } else { z.re }).collect()
        };
        right.push(part(&modes.right, false));
        left.push(part(&modes.left, false));
        if modes.values[a].im != 0.0 {
            right.push(part(&modes.right, true));
            left.push(part(&modes.left, true));
            a += 1;
        }
        a += 1;
    }
    let columns = |c: Vec<Vec<f64>>| Matrix::from_fn(n, c.len(), |i, j| c[j][i]);
    (columns(right), columns(left))
}
