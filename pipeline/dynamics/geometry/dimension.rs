//! How many dimensions a spectrum has.

/// Share of variance the kept dimensions must explain: two of the thresholds
/// used for text classifiers by Aitken et al. (2021); their third, `N/(N+1)`,
/// hangs on the number of classes.
pub const VARIANCE_KEPT: [f64; 2] = [0.90, 0.95];

/// Spread below which states of order 1 do not differ: f32's resolution there.
const STILL: f64 = f32::EPSILON as f64;

/// The variances of states, or none where a penalty has silenced the network: what is left of its states
/// (`1e-30` and less) has a spectrum, but no dimension.
pub fn varied(variances: &[f64]) -> &[f64] {
    if variances.iter().sum::<f64>() > STILL * STILL { variances } else { &[] }
}

/// Participation ratio `(Σ λ)²/Σ λ²` over all variances: 1 for a line, `d` for
/// `d` equal variances; 0 if nothing varies.
pub fn participation_ratio(variances: &[f64]) -> f64 {
    let total: f64 = variances.iter().sum();
    let squares: f64 = variances.iter().map(|v| v * v).sum();
    if squares > 0.0 { total * total / squares } else { 0.0 }
}

/// Smallest number of leading variances whose sum is at least `share` of all;
/// 0 if nothing varies.
pub fn variance_dimension(variances: &[f64], share: f64) -> usize {
    let total: f64 = variances.iter().sum();
    if total <= 0.0 {
        return 0;
    }
    let mut sum = 0.0;
    let reached = variances.iter().position(|v| {
        sum += v;
        // The full sum must count as reached although it was added in order.
        sum >= share * total * (1.0 - 1e-12)
    });
    reached.map_or(variances.len(), |k| k + 1)
}
