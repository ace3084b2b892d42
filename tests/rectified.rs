//! Cells with a rectified candidate: what is proved between kinks, and that bounds of second derivatives hold in every cell.

use crate::dynamics::{random_cell, separate, states};
use accrue::dynamics::certificate::certify;
use accrue::dynamics::{Dynamics, Map};
use accrue::ops::CellKind;

#[test]
fn a_gated_cell_with_a_rectified_candidate_is_proved_between_kinks_and_never_on_one() {
    // One unit, gates at ½ whatever the state: c' = ½ c + ½ max(0, weight h + b). Shut, 0 is fixed; open, one more.
    let of = |kind: CellKind, weight: f64, bias: f64| {
        let gates = kind.gates();
        let candidate = if gates == 4 { 2 } else { gates - 1 };
        let mut cell = separate(1, 0.0);
        cell.kind = kind;
        let at_candidate =
            |x: f64| (0..gates).map(|g| if g == candidate { x } else { 0.0 }).collect::<Vec<f64>>();
        cell.recurrent_weights = at_candidate(weight);
        cell.input_bias = at_candidate(bias);
        cell.input_weights = vec![0.0; gates];
        cell.recurrent_bias = vec![0.0; gates];
        Map::new(&cell, &[0.0]).unwrap()
    };
    for near in [1e-1, 1e-3, 1e-6] {
        // UGRNN: h = 3 h − b, fixed at b/2; a reset gate of ½ takes twice the weight.
        let mut open = vec![near / 2.0];
        for (kind, weight) in [
            (CellKind::UgrnnRelu, 3.0),
            (CellKind::GruRelu, 6.0),
            (CellKind::GruResetBeforeRelu, 6.0),
            (CellKind::LstmRelu, 4.0),
        ] {
            let map = of(kind, weight, -near);
            if kind == CellKind::LstmRelu {
                // c = 4 h − b and h = ½ tanh c: b = 2 tanh c − c, by Newton's method.
                let c = (0..20).fold(near, |c, _| {
                    c - (2.0 * c.tanh() - c - near) / (1.0 - 2.0 * c.tanh().powi(2))
                });
                open = vec![0.5 * c.tanh(), c];
            }
            let found = certify(&map, &open).unwrap();
            assert!(found.radius.is_some_and(|r| r < 1e-12), "{kind:?} {near}: {found:?}");
            let proved = (found.unstable_modes, found.index);
            assert_eq!(proved, (Some(1), Some(-1)), "{kind:?} {near}");
            let shut = certify(&map, &vec![0.0; open.len()]).unwrap();
            assert!(shut.is_stable() && shut.index == Some(1), "{kind:?} {near}: {shut:?}");
            // The proof tells the two from each other.
            assert!(found.alone_within.is_some_and(|r| r < open[0]), "{kind:?} {near}: {found:?}");
            let kink = certify(&of(kind, weight, 0.0), &vec![0.0; open.len()]).unwrap();
            assert!(!kink.exists(), "{kind:?}: two pieces meet there");
        }
    }
}

#[test]
fn a_jacobian_moves_no_farther_within_a_ball_than_its_curvature_allows() {
    for kind in CellKind::ALL {
        let (mut bounded, mut tight) = (0, 0.0_f64);
        for seed in 0..40 {
            let map = Map::new(&random_cell(kind, 4, 2, seed), &[0.4, -0.7]).unwrap();
            let centre = &states(1, map.state_size(), 1.5, seed)[0];
            for radius in [1e-3, 3e-2] {
                let Some(bounds) = map.curvature(centre, radius) else { continue };
                bounded += 1;
                let jacobian = map.jacobian(centre);
                for by in states(20, centre.len(), radius, seed + 100) {
                    let there: Vec<f64> = centre.iter().zip(&by).map(|(h, v)| h + v).collect();
                    let far = by.iter().fold(0.0_f64, |m, v| m.max(v.abs()));
                    let moved = map.jacobian(&there) - &jacobian;
                    for (i, bound) in bounds.iter().enumerate() {
                        let row: f64 = moved.row(i).iter().map(|x| x.abs()).sum();
                        assert!(row <= bound * far + 1e-14, "{kind:?} {seed}: {row} {bound} {far}");
                        tight = tight.max(row / (bound * far + 1e-14));
                    }
                }
            }
        }
        // Balls without a kink are common, and bounds are not beyond use.
        assert!(bounded >= 20, "{kind:?}: {bounded}");
        let straight = [CellKind::Linear, CellKind::VanillaRelu].contains(&kind);
        assert!(straight || tight > 0.02, "{kind:?}: {tight}");
    }
}
