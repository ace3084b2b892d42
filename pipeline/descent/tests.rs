use crate::*;

const ADAM: Adam =
    Adam { beta1: 0.9, beta2: 0.999, epsilon: 0.1, clip: 0.0, shrink: 0.0, rates: None };

fn plan(steps: usize, adam: Adam) -> Plan {
    Plan {
        steps,
        adam,
        learning_rate: &|k| 0.02 * 0.5_f64.powi(k as i32),
        checkpoint_every: 7,
        record_every: 4,
    }
}

/// A valley of known slopes: `½ Σ (i + 1)(x_i − 1)²`.
fn valley(x: &[f32], _: usize) -> Result<Found<f64>> {
    let slope = |(i, x): (usize, &f32)| (i + 1) as f32 * (x - 1.0);
    let gradient: Vec<f32> = x.iter().enumerate().map(slope).collect();
    let loss = x.iter().zip(&gradient).map(|(x, g)| f64::from(0.5 * (x - 1.0) * g)).sum();
    Ok(Found { terms: loss, loss, gradient })
}

#[test]
fn steps_follow_adam_as_published() {
    let done = descend(vec![0.0], &plan(2, ADAM), None, valley, |_| ()).unwrap();
    // By hand: step 1 has g = −1, m̂ = −1, v̂ = 1; step 2 at lr .01 with g = −1 + .02/1.1.
    let first = 0.02 / 1.1;
    let g = first - 1.0;
    let (m, v) =
        ((0.9 * -0.1 + 0.1 * g) / (1.0 - 0.81), (0.999e-3 + 1e-3 * g * g) / (1.0 - 0.998001));
    let second = first - 0.01 * m / (f64::sqrt(v) + 0.1);
    assert!(
        (f64::from(done.parameters[0]) - second).abs() < 1e-6,
        "{:?} {second}",
        done.parameters
    );
}

#[test]
fn a_clip_a_penalty_and_rates_of_ones_own_do_what_they_say() {
    // One step moves by lr · g/(|g| + eps) with the gradient that is left.
    let after = |adam: Adam| descend(vec![0.0, 3.0], &plan(1, adam), None, valley, |_| ()).unwrap();
    let moved = |g: f64| 0.02 * g / (g.abs() + 0.1);
    // 1 − .999 is right to 5e-5 of itself in f32; the longest move is .2.
    let near = |found: &[f32], wanted: [f64; 2], what: &str| {
        for (x, y) in found.iter().zip(wanted) {
            assert!((f64::from(*x) - y).abs() < 1e-5, "{what}: {found:?} {wanted:?}");
        }
    };
    // The gradient is (−1, 4), its norm √17.
    let clip = 0.5 / 17.0_f64.sqrt();
    let clipped = after(Adam { clip: 0.5, ..ADAM });
    near(&clipped.parameters, [-moved(-clip), 3.0 - moved(4.0 * clip)], "clip");
    assert!((clipped.records[0].norm - 17.0_f64.sqrt()).abs() < 1e-6, "the norm before the clip");
    // With .5 · squares the gradient is (−1 + 0, 4 + 3).
    let shrunk = after(Adam { shrink: 1.0, ..ADAM });
    near(&shrunk.parameters, [-moved(-1.0), 3.0 - moved(7.0)], "penalty");
    assert!((shrunk.records[0].norm - 50.0_f64.sqrt()).abs() < 1e-6);
    let rates = after(Adam { rates: Some(&[1.0, 10.0]), ..ADAM });
    near(&rates.parameters, [-moved(-1.0), 3.0 - 10.0 * moved(4.0)], "rates");
}

#[test]
fn what_was_put_down_goes_on_to_the_same_bits_and_a_foreign_checkpoint_is_not_used() {
    let folder = std::env::temp_dir().join(format!("accrue-descent-{}", std::process::id()));
    let path = folder.join("checkpoint");
    let adam = Adam { shrink: 2e-3, ..ADAM };
    let start = || vec![0.3, -2.0, 5.0];
    let at = |key| Some(Checkpoint { path: &path, key });
    let run = |key| descend(start(), &plan(20, adam), at(key), valley, |_| ()).unwrap();
    let whole = descend(start(), &plan(20, adam), None, valley, |_| ()).unwrap();
    assert_eq!(whole.records.iter().map(|r| r.step).collect::<Vec<_>>(), [4, 8, 12, 16, 20]);
    // Stopped in the middle of a row of the table; what is begun of it is put down.
    let stop = |x: &[f32], k: usize| match k {
        10 => Err(Error::Usage("stop".into())),
        _ => valley(x, k),
    };
    descend(start(), &plan(20, adam), at("a"), stop, |_| ()).unwrap_err();
    let resumed = run("a");
    assert_eq!((resumed.parameters, resumed.records), (whole.parameters.clone(), whole.records));
    assert_eq!(run("b").parameters, whole.parameters);
    for damaged in [&b"{}\n"[..], b"no line"] {
        std::fs::write(&path, damaged).unwrap();
        let said = descend(start(), &plan(2, adam), at("a"), valley, |_| ()).unwrap_err();
        assert!(said.to_string().contains("remove it"), "{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_loss_that_is_not_finite_names_the_step() {
    let bad = |x: &[f32], k: usize| {
        let found = valley(x, k)?;
        Ok(Found { loss: if k == 3 { f64::NAN } else { found.loss }, ..found })
    };
    let said = descend(vec![0.0], &plan(9, ADAM), None, bad, |_| ()).unwrap_err();
    assert!(said.to_string().contains("step 4"), "{said}");
}
