//! Minimising a smooth function of many numbers by limited-memory BFGS.
//!
//! The last ten steps and changes of the gradient stand for the inverse
//! Hessian (Nocedal 1980, two-loop recursion); each step is shortened until the
//! function falls by the Armijo rule. Where the curvature along a step is not positive
//! the step is not remembered.

/// Steps remembered.
const MEMORY: usize = 10;
/// Share of the expected fall that must come true.
const ARMIJO: f64 = 1e-4;
/// Halvings of a step before the search gives up.
const HALVINGS: usize = 30;
/// Largest entry of the gradient, relative to the start, at which the search is over.
const FLAT: f64 = 1e-7;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Walks `x` down `f`, which gives value and gradient.
///
/// * `steps`: most steps; `each`: told of every step taken (from 1) and where it led;
///   `false` ends the walk
///
/// Returns the steps taken.
pub fn minimise(
    mut f: impl FnMut(&[f64]) -> (f64, Vec<f64>),
    x: &mut [f64],
    steps: usize,
    mut each: impl FnMut(usize, &[f64]) -> bool,
) -> usize {
    let (mut value, mut gradient) = f(x);
    let largest = |g: &[f64]| g.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    let flat = FLAT * largest(&gradient).max(f64::MIN_POSITIVE);
    // Steps s, changes of the gradient y, and 1/(s·y), oldest first.
    let mut memory: Vec<(Vec<f64>, Vec<f64>, f64)> = Vec::new();
    for step in 1..=steps {
        let mut direction = descent(&gradient, &memory);
        let mut slope = dot(&gradient, &direction);
        if !(slope < 0.0) {
            memory.clear();
            direction = gradient.iter().map(|g| -g).collect();
            slope = dot(&gradient, &direction);
        }
        // Without a memory the gradient has no scale: a first step of length one.
        let mut length =
            if memory.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let mut found = None;
        for _ in 0..HALVINGS {
            let trial: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + length * d).collect();
            let (there, slopes) = f(&trial);
            if there <= value + ARMIJO * length * slope {
                found = Some((trial, there, slopes));
                break;
            }
            length /= 2.0;
        }
        let Some((trial, there, slopes)) = found else { return step - 1 };
        let s: Vec<f64> = trial.iter().zip(&*x).map(|(a, b)| a - b).collect();
        let y: Vec<f64> = slopes.iter().zip(&gradient).map(|(a, b)| a - b).collect();
        let curvature = dot(&s, &y);
        if curvature > 1e-10 * dot(&y, &y) {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((s, y, 1.0 / curvature));
        }
        x.copy_from_slice(&trial);
        (value, gradient) = (there, slopes);
        if !each(step, x) || largest(&gradient) <= flat {
            return step;
        }
    }
    steps
}

/// `−H g` by the two-loop recursion.
fn descent(gradient: &[f64], memory: &[(Vec<f64>, Vec<f64>, f64)]) -> Vec<f64> {
    let mut q: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for (s, y, rho) in memory.iter().rev() {
        let share = rho * dot(s, &q);
        q.iter_mut().zip(y).for_each(|(q, y)| *q -= share * y);
        shares.push(share);
    }
    if let Some((_, y, rho)) = memory.last() {
        let scale = 1.0 / (rho * dot(y, y));
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((s, y, rho), share) in memory.iter().zip(shares.into_iter().rev()) {
        let back = rho * dot(y, &q);
        q.iter_mut().zip(s).for_each(|(q, s)| *q += (share - back) * s);
    }
    q
}

#[cfg(test)]
mod tests {
    use super::minimise;

    #[test]
    fn the_banana_valley_ends_at_one() {
        // Rosenbrock (1960): minimum 0 at (1, 1).
        let f = |x: &[f64]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            (a * a + 100.0 * b * b, vec![-2.0 * a - 400.0 * x[0] * b, 200.0 * b])
        };
        let mut x = [-1.2, 1.0];
        let steps = minimise(f, &mut x, 200, |_, _| true);
        assert!(steps < 100 && (x[0] - 1.0).abs() < 1e-6 && (x[1] - 1.0).abs() < 1e-6, "{x:?}");
    }

    #[test]
    fn a_walk_ends_when_it_is_told_to() {
        let f = |x: &[f64]| (x[0].powi(4), vec![4.0 * x[0].powi(3)]);
        let mut x = [3.0];
        assert_eq!(minimise(f, &mut x, 50, |step, _| step < 4), 4);
    }
}
