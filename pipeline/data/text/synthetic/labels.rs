//! From the words of a phrase to its class.

use super::{Between, Kind, Lexicon};
use crate::seed::Stream;
use rand::Rng;

/// Words that the "not" of early tests inverts, and that "extremely" doubles.
const NOT_REACH: usize = 3;

/// How a phrase gets its class (or combination of labels: bit `k` is label `k`).
pub struct Rule<'a>(&'a Kind);

/// The rule of `kind`.
pub fn rule(kind: &Kind) -> Rule<'_> {
    Rule(kind)
}

impl Rule<'_> {
    /// Number of classes or of combinations of labels.
    pub fn combinations(&self) -> usize {
        match self.0 {
            Kind::Unordered(u) => u.classes,
            Kind::Ordered(o) => o.classes,
            Kind::TwoScores(_) => 5,
            Kind::Labels(l) => 1 << l.labels,
            Kind::Valence => 2,
            Kind::Toy => 1,
        }
    }

    /// Class of a phrase; the coin of correlated classes comes from `stream`.
    pub fn class(&self, phrase: &[u32], lexicon: &Lexicon, stream: &mut Stream) -> usize {
        let length = phrase.len();
        match self.0 {
            Kind::Unordered(u) => {
                let mut scores = totals(phrase, lexicon);
                let raw = scores.clone();
                for &(i, j, c) in &u.correlated {
                    let coin = if stream.random::<bool>() { 2.0 } else { 0.0 };
                    correlate(&mut scores, &raw, (i, j, c), coin);
                }
                between(u.between, scores, length)
            }
            Kind::Ordered(o) if o.independent => {
                let score = if o.context_words {
                    in_context(phrase, lexicon)
                } else {
                    totals(phrase, lexicon)[0]
                };
                independent_level(score, length, o.classes)
            }
            Kind::Ordered(o) => {
                let reach = length as f64 * if o.five_words { 2.0 } else { 1.0 };
                level(totals(phrase, lexicon)[0], reach, o.classes)
            }
            Kind::TwoScores(_) => {
                let scores = totals(phrase, lexicon);
                five_star(scores[0], scores[1])
            }
            Kind::Labels(_) => totals(phrase, lexicon)
                .iter()
                .enumerate()
                .map(|(k, &score)| ((score >= 0.0) as usize) << k)
                .sum(),
            Kind::Valence => (totals(phrase, lexicon)[0] >= 0.0) as usize,
            Kind::Toy => 0,
        }
    }
}

/// Sum of each score over the words.
fn totals(phrase: &[u32], lexicon: &Lexicon) -> Vec<f64> {
    let mut totals = vec![0.0; lexicon.scores[0].len()];
    for &word in phrase {
        totals.iter_mut().zip(&lexicon.scores[word as usize]).for_each(|(t, s)| *t += s);
    }
    totals
}

/// Shares evidence between classes `i` and `j`: with
/// `a = (s_i + s_j)/2` of the raw scores and a coin `r ∈ {0, 2}`,
/// `s_i ← s_i − c s_i + r c a`, `s_j ← s_j − c s_j + (2 − r) c a`.
pub fn correlate(scores: &mut [f64], raw: &[f64], (i, j, c): (usize, usize, f64), coin: f64) {
    let a = (raw[i] + raw[j]) / 2.0;
    scores[i] += -c * scores[i] + coin * c * a;
    scores[j] += -c * scores[j] + (2.0 - coin) * c * a;
}

/// The class from the evidence for each.
fn between(between: Between, mut s: Vec<f64>, length: usize) -> usize {
    let l = length as f64;
    match between {
        Between::Argmax => {}
        Between::Order(eps) if s.len() == 3 => {
            if (s[0] - s[2]).abs() < eps * l / (50.0 / 3.0) {
                return 1;
            }
            s[1] *= 1.0 - eps;
        }
        Between::Order(eps) => {
            let d = s[0] - s[4];
            let a = l / 25.0;
            let b = a + l / 12.5;
            if d.abs() < eps * a {
                return 2;
            }
            if eps * a < d && d < eps * b {
                return 1;
            }
            if -eps * b < d && d < -eps * a {
                return 3;
            }
            s[1..4].iter_mut().for_each(|x| *x *= 1.0 - eps);
        }
        Between::Filter(m) => {
            let m = m as f64;
            if s[0] > l / 2.0 - m && s[2] > l / 2.0 - m {
                let moved = s[0].min(s[2]).min(m);
                s[0] -= moved;
                s[2] -= moved;
                s[1] += 2.0 * moved;
            }
        }
    }
    s.iter().enumerate().fold(0, |best, (k, &x)| if x > s[best] { k } else { best })
}

/// Class of a score in `−reach … reach`, cut into `n` equal parts; a score at
/// a threshold belongs to the lower class.
fn level(score: f64, reach: f64, n: usize) -> usize {
    let size = 2.0 * reach + 1.0;
    (1..n).filter(|&k| score > -reach + k as f64 * size / n as f64).count()
}

/// Class of the score of independent tokens, with that variant's thresholds.
fn independent_level(score: f64, length: usize, n: usize) -> usize {
    let l = length as f64;
    match n {
        2 => (score >= 0.0) as usize,
        3 => 1 + (score >= l / 3.0) as usize - (score <= -l / 3.0) as usize,
        _ => [-0.18, -0.05, 0.05, 0.18].iter().filter(|&&cut| score > cut * l).count(),
    }
}

/// Class from sentiment and neutrality.
fn five_star(sentiment: f64, neutrality: f64) -> usize {
    if neutrality.abs() >= sentiment.abs() && neutrality > 0.0 {
        2
    } else if sentiment > 0.0 {
        if neutrality > 0.0 { 3 } else { 4 }
    } else if sentiment < 0.0 && neutrality > 0.0 {
        1
    } else {
        0
    }
}

/// Score with "not" (inverts the next [`NOT_REACH`] words) and "extremely"
/// (doubles the next).
fn in_context(phrase: &[u32], lexicon: &Lexicon) -> f64 {
    let (mut invert, mut double) = (0, 0);
    let mut score = 0.0;
    for &word in phrase {
        let sign = if invert > 0 { -1.0 } else { 1.0 };
        let strength = if double > 0 { 2.0 } else { 1.0 };
        score += sign * strength * lexicon.scores[word as usize][0];
        invert = if lexicon.words[word as usize] == "not" {
            NOT_REACH
        } else {
            invert.saturating_sub(1)
        };
        double = (lexicon.words[word as usize] == "extremely") as usize;
    }
    score
}
