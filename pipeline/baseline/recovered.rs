//! How much of what a network gains over words another model recovers:
//! `(model − words)/(network − words)`, of accuracies.

use crate::seed;
use crate::stats::summary;
use rand::Rng;

/// Samples behind the interval over documents.
const SAMPLES: usize = 1000;

/// The part recovered, from three accuracies; not finite where the network gains nothing.
pub fn fraction(words: f64, model: f64, network: f64) -> f64 {
    (model - words) / (network - words)
}

/// 95 % interval of [`fraction`], bootstrap over test documents.
///
/// * `words`, `model`, `network`: 1 where a document is read rightly, else 0, `[documents]` each
pub fn over_documents(words: &[f64], model: &[f64], network: &[f64], seed: u64) -> (f64, f64) {
    let mut stream = seed::stream(seed, "context/recovered");
    let n = words.len();
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
/// networks themselves.
pub fn over_networks(gains: &[Gain]) -> (f64, (f64, f64)) {
    if gains.iter().all(|g| g.model == g.words) || gains.iter().all(|g| g.model == g.network) {
        return (f64::NAN, (f64::NAN, f64::NAN));
    }
    let of = |sample: &[f64]| -> Option<f64> {
        let sum = |of: &dyn Fn(&Gain) -> f64| -> f64 {
            sample.iter().map(|&i| of(&gains[i as usize])).sum()
        };
        Some(fraction(sum(&|g| g.words), sum(&|g| g.model), sum(&|g| g.network)))
    };
    let every: Vec<f64> = (0..gains.len()).map(|i| i as f64).collect();
    (of(&every).unwrap_or(f64::NAN), summary::bootstrap(&every, of, 1, "grid/recovered"))
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
        // Whatever is drawn, half of the gain is half of it.
        let (words, model, network) = ([0.0, 0.0], [0.5, 0.5], [1.0, 1.0]);
        assert_eq!(over_documents(&words, &model, &network, 3), (0.5, 0.5));
    }
}
