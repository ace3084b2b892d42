//! Numbers that sum others up: quantiles, ranks, intervals.

use crate::seed;
use rand::Rng;

/// Half a 95 % interval of a normal number, in standard deviations.
pub const NORMAL_WIDTH: f64 = 1.959_963_984_540_054;

/// The value below which a share of the values lies (the nearest rank); `None`
/// for no values.
pub fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().checked_sub(1)?;
    sorted.get((share * last as f64).round() as usize).copied()
}

/// The middle value.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The mean; NaN for no values.
pub fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The standard deviation of a sample (divided by one less than its size); NaN for fewer
/// than two values.
pub fn deviation(values: &[f64]) -> f64 {
    let middle = mean(values);
    let square: f64 = values.iter().map(|x| (x - middle).powi(2)).sum();
    (square / (values.len() as f64 - 1.0)).sqrt()
}

/// Probability that a value of `above` exceeds one of `below`, ties counted half
/// (the area under the ROC curve, Mann & Whitney 1947); `None` if either is empty.
pub fn auc(above: &[f64], below: &[f64]) -> Option<f64> {
    if above.is_empty() || below.is_empty() {
        return None;
    }
    let wins = |a: &f64| -> f64 {
        below.iter().map(|b| if a > b { 1.0 } else { 0.5 * (a == b) as u8 as f64 }).sum()
    };
    Some(above.iter().map(wins).sum::<f64>() / (above.len() * below.len()) as f64)
}

/// Ranks from 1, the mean rank for ties.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for run in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = from as f64 + (run.len() as f64 + 1.0) / 2.0;
        run.iter().for_each(|&i| ranks[i] = rank);
        from += run.len();
    }
    ranks
}

/// Pearson's correlation; NaN where either does not vary.
pub fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len() as f64;
    let (mean_a, mean_b) = (a.iter().sum::<f64>() / n, b.iter().sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        ab += x * y;
        aa += x * x;
        bb += y * y;
    }
    ab / (aa * bb).sqrt()
}

/// Spearman's rank correlation.
pub fn spearman(a: &[f64], b: &[f64]) -> f64 {
    pearson(&ranks(a), &ranks(b))
}

/// Samples behind a bootstrap interval.
const SAMPLES: usize = 500;

/// 95 % interval of a statistic by bootstrap over the values, from a named stream; NaN where there are fewer than two: one value has no
/// spread.
pub fn bootstrap(
    values: &[f64],
    statistic: impl Fn(&[f64]) -> Option<f64>,
    seed: u64,
    name: &str,
) -> (f64, f64) {
    if values.len() < 2 {
        return (f64::NAN, f64::NAN);
    }
    let mut stream = seed::stream(seed, name);
    let mut found = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let sample: Vec<f64> =
            values.iter().map(|_| values[stream.random_range(0..values.len())]).collect();
        found.extend(statistic(&sample));
    }
    let at = |share| quantile(&found, share).unwrap_or(f64::NAN);
    (at(0.025), at(0.975))
}

/// False-discovery rate at which each of some p-values is called (Benjamini & Hochberg 1995):
/// `q_i = min over j with p_j ≥ p_i of p_j n / rank_j`.
pub fn discovery_rates(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[b].total_cmp(&p[a]));
    let (mut rates, mut least) = (vec![1.0; p.len()], 1.0_f64);
    for (place, &i) in order.iter().enumerate() {
        let rank = p.len() - place;
        least = least.min(p[i] * p.len() as f64 / rank as f64);
        rates[i] = least;
    }
    rates
}

/// One p-value from several independent ones (Fisher 1932): `−2 Σ ln p_i` has a χ² distribution
/// with `2k` degrees of freedom where nothing is to be found; 1 for none.
pub fn combined(p: &[f64]) -> f64 {
    let half: f64 = -p.iter().map(|p| p.ln()).sum::<f64>();
    // Its upper tail for an even number of degrees: e^{−x/2} Σ_{j<k} (x/2)^j / j!.
    let (mut term, mut sum) = (1.0, 0.0);
    for j in 0..p.len() {
        sum += term;
        term *= half / (j + 1) as f64;
    }
    if p.is_empty() { 1.0 } else { ((-half).exp() * sum).min(1.0) }
}
