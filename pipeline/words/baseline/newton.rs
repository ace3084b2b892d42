//! Minimising a smooth convex function: Newton's method with a trust region,
//! its linear systems solved by conjugate gradients (Steihaug 1983; Lin, Weng
//! & Keerthi 2008).

/// A function with gradient and curvature.
pub trait Objective {
    /// Moves to `x`; returns the value and writes the gradient.
    fn evaluate(&mut self, x: &[f64], gradient: &mut [f64]) -> f64;
    /// `H v` at the point evaluated last.
    fn curvature(&self, v: &[f64], out: &mut [f64]);
    /// Diagonal of `H` at the point evaluated last, positive: preconditions.
    fn diagonal(&self, out: &mut [f64]);
}

/// How a minimisation ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    /// Value there.
    pub value: f64,
    /// Largest entry of the gradient there.
    pub gradient: f64,
    /// Outer steps.
    pub steps: usize,
    /// Whether `gradient` is within the tolerance.
    pub converged: bool,
}

/// Share of the gradient norm that the inner solver leaves.
const INNER: f64 = 0.1;

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn largest(g: &[f64]) -> f64 {
    g.iter().fold(0.0, |m: f64, x| m.max(x.abs()))
}

/// Minimises from `x` until no entry of the gradient exceeds `tolerance`.
pub fn minimise(
    objective: &mut impl Objective,
    x: &mut [f64],
    tolerance: f64,
    most_steps: usize,
) -> Outcome {
    let n = x.len();
    let mut gradient = vec![0.0; n];
    let mut trial = vec![0.0; n];
    let mut trial_gradient = vec![0.0; n];
    let mut diagonal = vec![0.0; n];
    let mut value = objective.evaluate(x, &mut gradient);
    let mut radius = f64::INFINITY;
    let mut steps = 0;
    while largest(&gradient) > tolerance && steps < most_steps {
        objective.diagonal(&mut diagonal);
        let (step, residual) = conjugate(objective, &gradient, &diagonal, radius);
        steps += 1;
        // s holds (H s + g) in `residual`: the model's decrease needs no extra product.
        let predicted = -0.5 * (dot(&gradient, &step) + dot(&residual, &step));
        for i in 0..n {
            trial[i] = x[i] + step[i];
        }
        let trial_value = objective.evaluate(&trial, &mut trial_gradient);
        let actual = value - trial_value;
        let length = scaled_norm(&step, &diagonal);
        if !radius.is_finite() {
            radius = length.max(f64::MIN_POSITIVE);
        }
        // At the end of f64's digits the decrease is rounding: trust the gradient.
        let at_the_end = predicted.abs() <= 1e-14 * value.abs().max(1.0)
            && largest(&trial_gradient) < largest(&gradient);
        if (actual > 1e-4 * predicted && predicted > 0.0) || at_the_end {
            x.copy_from_slice(&trial);
            gradient.copy_from_slice(&trial_gradient);
            value = trial_value;
            if actual > 0.75 * predicted {
                radius = radius.max(3.0 * length);
            } else if actual < 0.25 * predicted {
                radius = 0.5 * length;
            }
        } else {
            radius = 0.25 * length;
            objective.evaluate(x, &mut gradient);
            if radius <= 1e-14 * scaled_norm(x, &diagonal).max(1.0) {
                break;
            }
        }
    }
    let gradient = largest(&gradient);
    Outcome { value, gradient, steps, converged: gradient <= tolerance }
}

fn scaled_norm(s: &[f64], diagonal: &[f64]) -> f64 {
    s.iter().zip(diagonal).map(|(s, d)| s * s * d).sum::<f64>().sqrt()
}

/// A step `s` with `H s ≈ −g` within the radius (in the norm of the
/// diagonal), and `r = −g − H s` negated to `H s + g`.
fn conjugate(
    objective: &impl Objective,
    gradient: &[f64],
    diagonal: &[f64],
    radius: f64,
) -> (Vec<f64>, Vec<f64>) {
    let n = gradient.len();
    let mut s = vec![0.0; n];
    let mut r: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let precondition =
        |r: &[f64]| -> Vec<f64> { r.iter().zip(diagonal).map(|(r, d)| r / d).collect() };
    let mut z = precondition(&r);
    let mut d = z.clone();
    let mut rz = dot(&r, &z);
    let goal = INNER * INNER * rz.min(rz.sqrt() * rz);
    let mut h_d = vec![0.0; n];
    for _ in 0..n.max(10) {
        if rz <= goal || rz <= 0.0 {
            break;
        }
        objective.curvature(&d, &mut h_d);
        let bend = dot(&d, &h_d);
        let alpha = rz / bend;
        let candidate: Vec<f64> = s.iter().zip(&d).map(|(s, d)| s + alpha * d).collect();
        if bend <= 0.0 || scaled_norm(&candidate, diagonal) >= radius {
            // To the edge of the region along d.
            let weighted = |a: &[f64], b: &[f64]| -> f64 {
                a.iter().zip(b).zip(diagonal).map(|((a, b), w)| a * b * w).sum()
            };
            let (dd, sd, ss) = (weighted(&d, &d), weighted(&s, &d), weighted(&s, &s));
            let alpha = (-sd + (sd * sd + dd * (radius * radius - ss)).max(0.0).sqrt()) / dd;
            for i in 0..n {
                s[i] += alpha * d[i];
                r[i] -= alpha * h_d[i];
            }
            break;
        }
        s = candidate;
        r.iter_mut().zip(&h_d).for_each(|(r, h)| *r -= alpha * h);
        z = precondition(&r);
        let next = dot(&r, &z);
        let beta = next / rz;
        rz = next;
        d.iter_mut().zip(&z).for_each(|(d, z)| *d = z + beta * *d);
    }
    r.iter_mut().for_each(|r| *r = -*r);
    (s, r)
}
