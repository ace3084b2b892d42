//! Leaky accumulators: what is left of the modifiers read so far.
//!
//! Modifier `m` of a document `w_1 … w_T` has
//!
//! ```text
//! u_{t+1} = ρ_m u_t + 1[w_t = m],   u_1 = 0
//! ```
//!
//! so that `u_t = Σ_{s≥1} 1[w_{t−s} = m] ρ_m^{s−1}`. For slopes `d_t` the sums `Σ_t d_t u_t` and
//! `Σ_t d_t ∂u_t/∂ρ_m` are found backwards,
//!
//! ```text
//! λ_t = d_t + ρ λ_{t+1},   κ_t = λ_{t+1} + ρ κ_{t+1}
//! ```
//!
//! and read off where the modifier stands, as the sums of `λ_{t+1}` and `κ_{t+1}` over
//! `w_t = m`: two products and one or two sums a modifier and token, each way.

/// Powers below this are zero: what is left is below the rounding of the sums they stand in.
const GONE: f64 = 1e-12;
/// Tokens between looks for them: a look at every token costs more than all the rest.
const SWEEP: usize = 16;
/// Modifiers side by side, in as many sums.
const LANES: usize = 4;

/// `1, ρ, ρ², …`
pub(super) fn powers(rho: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(1.0), move |&p| Some(if p > GONE { p * rho } else { 0.0 }))
}

/// The accumulators of the modifiers that one document has.
pub(super) struct Leaky {
    /// The modifier behind each accumulator.
    pub(super) modifiers: Vec<usize>,
    /// For each token, the accumulator that it fills.
    fills: Vec<Option<usize>>,
    /// `ρ`; zero where there is no modifier, up to whole lanes.
    decays: Vec<f64>,
}

impl Leaky {
    /// * `slots`: the modifier that each word is; `decays`: `ρ_m` of each modifier
    pub(super) fn new(tokens: &[u32], slots: &[Option<u32>], decays: &[f64]) -> Self {
        let mut place = vec![None; decays.len()];
        let mut modifiers = Vec::new();
        let fills = tokens.iter().map(|&word| {
            let m = slots[word as usize]? as usize;
            Some(*place[m].get_or_insert_with(|| {
                modifiers.push(m);
                modifiers.len() - 1
            }))
        });
        let fills = fills.collect();
        let mut decays: Vec<f64> = modifiers.iter().map(|&m| decays[m]).collect();
        decays.resize(decays.len().next_multiple_of(LANES), 0.0);
        Self { modifiers, fills, decays }
    }

    /// `Σ_m a_m u_t` before each token; `strengths`: `a_m` of each modifier.
    pub(super) fn sums(&self, strengths: &[f64]) -> Vec<f64> {
        let mut left = vec![0.0; self.decays.len()];
        let mut weights: Vec<f64> = self.modifiers.iter().map(|&m| strengths[m]).collect();
        weights.resize(left.len(), 0.0);
        let mut sums = Vec::with_capacity(self.fills.len());
        for (t, fill) in self.fills.iter().enumerate() {
            if t % SWEEP == 0 {
                left.iter_mut().filter(|u| **u < GONE).for_each(|u| *u = 0.0);
            }
            let mut sum = [0.0; LANES];
            for (u, a) in left.chunks_exact(LANES).zip(weights.chunks_exact(LANES)) {
                (0..LANES).for_each(|i| sum[i] += a[i] * u[i]);
            }
            left.iter_mut().zip(&self.decays).for_each(|(u, rho)| *u *= rho);
            sums.push(sum.iter().sum());
            if let Some(i) = *fill {
                left[i] += 1.0;
            }
        }
        sums
    }

    /// `Σ_t d_t u_t` and `Σ_t d_t ∂u_t/∂ρ` of each accumulator.
    pub(super) fn slopes(&self, d: &[f64]) -> Vec<(f64, f64)> {
        let mut found = vec![(0.0, 0.0); self.modifiers.len()];
        let (mut lambda, mut kappa) = (vec![0.0; self.decays.len()], vec![0.0; self.decays.len()]);
        for (fill, d) in self.fills.iter().zip(d).rev() {
            if let Some(i) = *fill {
                found[i].0 += lambda[i];
                found[i].1 += kappa[i];
            }
            for ((l, k), rho) in lambda.iter_mut().zip(&mut kappa).zip(&self.decays) {
                *k = *l + rho * *k;
                *l = d + rho * *l;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::Leaky;

    /// Against the sums written out.
    #[test]
    fn sums_and_slopes_are_those_of_their_definition() {
        let tokens = [3_u32, 0, 1, 3, 3, 2, 0, 1, 4, 3];
        // Words 3, 1 and 0 are modifiers 0, 1 and 2; modifier 3 does not occur.
        let slots = [Some(2), Some(1), None, Some(0), None, Some(3)];
        let (decays, strengths) = ([0.7, 0.2, 0.95, 0.5], [1.5, -2.0, 0.25, 9.0]);
        let d: Vec<f64> = (0..tokens.len()).map(|t| (t as f64 * 1.3).sin()).collect();
        let leaky = Leaky::new(&tokens, &slots, &decays);
        // u_t, or its slope in ρ, of modifier m.
        let at = |m: u32, t: usize, of: &dyn Fn(f64, i32) -> f64| -> f64 {
            let before = (1..=t).filter(|s| slots[tokens[t - s] as usize] == Some(m));
            before.map(|s| of(decays[m as usize], s as i32 - 1)).sum()
        };
        for (t, sum) in leaky.sums(&strengths).iter().enumerate() {
            let power = |rho: f64, n: i32| rho.powi(n);
            let direct: f64 = (0..4).map(|m| strengths[m as usize] * at(m, t, &power)).sum();
            assert!((sum - direct).abs() < 1e-12, "{t}: {sum}, {direct}");
        }
        let slopes = leaky.slopes(&d);
        assert_eq!(leaky.modifiers, [0, 2, 1]);
        for (&m, (in_strength, in_decay)) in leaky.modifiers.iter().zip(slopes) {
            let sum = |of: &dyn Fn(f64, i32) -> f64| -> f64 {
                (0..tokens.len()).map(|t| d[t] * at(m as u32, t, of)).sum()
            };
            let power = sum(&|rho, n| rho.powi(n));
            let slope = sum(&|rho, n| n as f64 * rho.powi(n - 1));
            assert!((in_strength - power).abs() < 1e-12, "{m}: {in_strength}, {power}");
            assert!((in_decay - slope).abs() < 1e-12, "{m}: {in_decay}, {slope}");
        }
    }
}
