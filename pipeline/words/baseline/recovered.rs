//! How much of what a network gains over words another model recovers:
//! `(model − words)/(network − words)`, of accuracies.

use crate::seed;
use crate::summary;
use rand::Rng;

/// Samples behind the interval over documents.
const SAMPLES: usize = 1000;

/// The part recovered, from three accuracies; NaN where the network reads no better than words, and there is
/// nothing to recover.
pub fn fraction(words: f64, model: f64, network: f64) -> f64 {
    if network > words { (model - words) / (network - words) } else { f64::NAN }
}

/// 95 % interval of [`fraction`], bootstrap over test documents; NaN where that is.
///
/// * `words`, `model`, `network`: 1 where a document is read rightly, else 0, `[documents]` each
pub fn over_documents(words: &[f64], model: &[f64], network: &[f64], seed: u64) -> (f64, f64) {
    let mut stream = seed::stream(seed, "context/recovered");
    let n = words.len();
    if network.iter().sum::<f64>() <= words.iter().sum::<f64>() {
        return (f64::NAN, f64::NAN);
    }
    let found: Vec<f64> = (0..SAMPLES)
        .map(|_| {
            let (mut gain, mut whole) = (0.0, 0.0);
            for _ in 0..n {
                let d = stream.random_range(0..n);
                gain += model[d] - words[d];
                whole += network[d] - words[d];
            }
            gain / whole
        })
        .collect();
    let at = |share| summary::quantile(&found, share).unwrap_or(f64::NAN);
    (at(0.025), at(0.975))
}

/// Accuracies beside one network.
#[derive(Clone, Copy, Debug)]
pub struct Gain {
    /// Of words alone.
    pub words: f64,
    /// Of the network.
    pub network: f64,
    /// Of the model that is judged.
    pub model: f64,
}

/// [`fraction`] of means over networks, and its 95 % interval, bootstrap over networks; NaN for words and the
/// networks themselves, and where these read no better than words.
pub fn over_networks(gains: &[Gain]) -> (f64, (f64, f64)) {
    const NONE: (f64, (f64, f64)) = (f64::NAN, (f64::NAN, f64::NAN));
    if gains.iter().all(|g| g.model == g.words) || gains.iter().all(|g| g.model == g.network) {
        return NONE;
    }
    // What is recovered, and what there is.
    let sums = |sample: &[f64]| -> (f64, f64) {
        let sum = |of: &dyn Fn(&Gain) -> f64| -> f64 {
            sample.iter().map(|&i| of(&gains[i as usize])).sum()
        };
        (sum(&|g| g.model - g.words), sum(&|g| g.network - g.words))
    };
    let every: Vec<f64> = (0..gains.len()).map(|i| i as f64).collect();
    let (gain, whole) = sums(&every);
    if whole <= 0.0 {
        return NONE;
    }
    let part = |sample: &[f64]| {
        let (gain, whole) = sums(sample);
        Some(gain / whole)
    };
    (gain / whole, summary::bootstrap(&every, part, 1, "grid/recovered"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_recovered_is_that_of_a_hand_calculation() {
        assert!((fraction(0.8, 0.89, 0.9) - 0.9).abs() < 1e-12);
        let gains = [
            Gain { words: 0.8, model: 0.89, network: 0.9 },
            Gain { words: 0.7, model: 0.8, network: 0.9 },
        ];
        // (.09 + .10)/(.10 + .20); single networks have .9 and .5.
        let (found, (low, high)) = over_networks(&gains);
        assert!((found - 0.19 / 0.3).abs() < 1e-12, "{found}");
        assert!((low - 0.5).abs() < 1e-12 && (high - 0.9).abs() < 1e-12, "{low} {high}");
        let same = gains.map(|g| Gain { model: g.network, ..g });
        assert!(over_networks(&same).0.is_nan());
        // Networks that read no better than words have no gain, whatever the model reads.
        let worse = gains.map(|g| Gain { network: g.words - 0.1, ..g });
        let (found, (low, high)) = over_networks(&worse);
        assert!(found.is_nan() && low.is_nan() && high.is_nan());
        assert!(fraction(0.8, 0.9, 0.8).is_nan() && fraction(0.8, 0.9, 0.7).is_nan());
        assert!(over_documents(&[1.0, 0.0], &[1.0, 1.0], &[0.0, 1.0], 3).0.is_nan());
        // Whatever is drawn, half of the gain is half of it.
        let (words, model, network) = ([0.0, 0.0], [0.5, 0.5], [1.0, 1.0]);
        assert_eq!(over_documents(&words, &model, &network, 3), (0.5, 0.5));
    }
}
