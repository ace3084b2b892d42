//! The penalty's part of loss and gradient.

use super::settings::Penalty;

/// What the penalty adds to the gradient of one parameter array: `factor · θ`.
///
/// * `recurrent`: whether the array belongs to the cell (its weights, biases and
///   initial state)
/// * `norm`: `‖θ‖₂` over all parameters, used by [`Penalty::Norm`] alone
pub fn factor(penalty: Penalty, recurrent: bool, norm: f64) -> f64 {
    match penalty {
        Penalty::None => 0.0,
        Penalty::All(strength) => 2.0 * strength,
        Penalty::Recurrent(strength) => {
            if recurrent {
                2.0 * strength
            } else {
                0.0
            }
        }
        // The norm's slope at the origin is taken as 0.
        Penalty::Norm(strength) => {
            if norm > 0.0 {
                strength / norm
            } else {
                0.0
            }
        }
    }
}

/// The penalty itself.
///
/// * `squares`: `Σθ²` of each array, and whether it belongs to the cell
pub fn value(penalty: Penalty, squares: &[(f64, bool)]) -> f64 {
    let total = |recurrent_only: bool| -> f64 {
        squares.iter().filter(|(_, r)| *r || !recurrent_only).map(|(s, _)| s).sum()
    };
    match penalty {
        Penalty::None => 0.0,
        Penalty::All(strength) => strength * total(false),
        Penalty::Recurrent(strength) => strength * total(true),
        Penalty::Norm(strength) => strength * total(false).sqrt(),
    }
}
