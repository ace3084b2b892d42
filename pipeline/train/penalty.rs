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
        Penalty::Parts { recurrent: of_cell, rest } => 2.0 * if recurrent { of_cell } else { rest },
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
        Penalty::Parts { recurrent, rest } => {
            recurrent * total(true) + rest * (total(false) - total(true))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_to_gradients_is_the_slope_of_what_is_added_to_the_loss() {
        // One number of the cell, one of the readout.
        let (cell, readout) = (0.7f64, -1.3f64);
        let of = |penalty, cell: f64, readout: f64| {
            value(penalty, &[(cell * cell, true), (readout * readout, false)])
        };
        let norm = cell.hypot(readout);
        for penalty in [
            Penalty::None,
            Penalty::All(0.3),
            Penalty::Recurrent(0.3),
            Penalty::Norm(0.3),
            Penalty::Parts { recurrent: 0.3, rest: 0.02 },
        ] {
            let d = 1e-6;
            let slope = |c: f64, r: f64| {
                (of(penalty, cell + c * d, readout + r * d)
                    - of(penalty, cell - c * d, readout - r * d))
                    / (2.0 * d)
            };
            let (by_cell, by_readout) = (slope(1.0, 0.0), slope(0.0, 1.0));
            assert!((by_cell - factor(penalty, true, norm) * cell).abs() < 1e-8, "{penalty:?}");
            assert!(
                (by_readout - factor(penalty, false, norm) * readout).abs() < 1e-8,
                "{penalty:?}"
            );
        }
        // Equal parts are one penalty over all, a cell's part alone is that of the cell.
        let equal = |a, b| assert_eq!(of(a, cell, readout), of(b, cell, readout));
        equal(Penalty::Parts { recurrent: 0.3, rest: 0.0 }, Penalty::Recurrent(0.3));
        let (all, parts) = (Penalty::All(0.25), Penalty::Parts { recurrent: 0.25, rest: 0.25 });
        assert!((of(all, cell, readout) - of(parts, cell, readout)).abs() < 1e-15);
    }
}
