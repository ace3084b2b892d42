//! What the text says each word does to the next ones, without any network.
//!
//! Where a word `m` turns or strengthens what follows, labels fit `(1 + g_m) β` of the next two words better than
//! `β`. With the outputs `η_d` of a bag of words that has not seen document `d`,
//!
//! ```text
//! z_d = κ η_d + g_m Σ_{t: w_t = m} κ (β[w_{t+1}] + β[w_{t+2}]) + c_m Σ_{t: w_t = m} u_m
//! ```
//!
//! where `κ` fits the bag to documents it has not seen, and `c_m` lets the word itself count for more or less along
//! `u_m = β[m]/|β[m]|` (1 for two classes), so that `g_m` cannot stand in for it. `g_m` is the *gain* of the study of modifiers, −2 for a word that turns good into
//! as much of bad and +1 for one that doubles it, fitted by Newton's method for each word alone. The bag of words knows
//! a word by what it says on average, after modifiers too; so a usual word has a gain of its own, and what is told is
//! `(1 + g_m)/(1 + ĝ) − 1`, with `ĝ` the median over words, each weighed by one
//! over the square of its error. Its error is the greater of the model's (`H⁻¹`) and White's (1982; `H⁻¹ (Σ_d s_d s_dᵀ) H⁻¹`). That the bag of words is not the whole truth shows
//! in all words: errors are widened by the factor by which the median of `|g_m|` over its error exceeds a normal's,
//! .6745 (Devlin & Roeder 1999).

use super::context::CHUNK;
use super::logistic::{self, Answers, Model};
use crate::Result;
use crate::corpus::Split;
use crate::summary::{self, NORMAL_WIDTH};
use rayon::prelude::*;

/// Parts of the training split, each read with a bag of words fitted to the others.
const FOLDS: usize = 5;
/// Neighbouring documents that stay in one part: reviews of one film name its actors.
const TOGETHER: usize = 64;
/// Range of `κ`.
const SCALES: (f64, f64) = (0.125, 8.0);
/// Halvings of that range.
const HALVINGS: usize = 50;
/// Words after a modifier on which it is tried.
const REACH: usize = 2;
/// Steps of Newton's method.
const STEPS: usize = 8;
/// Part of its error that a gain would still move by where it counts as converged.
const SETTLED: f64 = 0.05;
/// Longest of them.
const LONGEST: f64 = 2.0;
/// Median of the modulus of a normal number.
const MIDDLE: f64 = 0.674_489_750_196_082;
/// Half the widest interval of a gain that is compared with a network's.
const KNOWN: f64 = 1.0;
/// Rate of false discoveries below which a word is told from such as change nothing.
const TOLD: f64 = 0.05;

/// What the text says of one word.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gain {
    /// Token id.
    pub word: u32,
    /// Documents in which a word follows it.
    pub documents: usize,
    /// `(1 + g_m)/(1 + ĝ) − 1`.
    pub gain: f64,
    /// Its standard error.
    pub error: f64,
    /// Whether Newton's method came to rest; few occurrences may be fitted by any gain.
    pub converged: bool,
    /// Rate of false discoveries among the words from the surest to this one.
    pub rate: f64,
}

impl Gain {
    /// 95 % interval.
    pub fn interval(&self) -> (f64, f64) {
        (self.gain - NORMAL_WIDTH * self.error, self.gain + NORMAL_WIDTH * self.error)
    }

    /// Probability of a gain as far from zero where there is none; 1 for one that did not converge.
    pub fn p(&self) -> f64 {
        if !self.converged {
            return 1.0;
        }
        libm::erfc(self.gain.abs() / self.error / std::f64::consts::SQRT_2)
    }

    /// Whether it is told from a word that changes nothing, one in twenty wrongly.
    pub fn is_significant(&self) -> bool {
        self.rate < TOLD
    }
}

/// Sums over documents with a word: `Σ s`, `Σ s sᵀ` (White), `H`; first `g`, then `c`.
#[derive(Clone, Copy, Default)]
struct Sums {
    documents: usize,
    slope: [f64; 2],
    outer: [f64; 3],
    curvature: [f64; 3],
}

impl Sums {
    fn add(&mut self, other: &Sums) {
        self.documents += other.documents;
        for (to, from) in [
            (&mut self.slope[..], &other.slope[..]),
            (&mut self.outer[..], &other.outer[..]),
            (&mut self.curvature[..], &other.curvature[..]),
        ] {
            to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        }
    }

    /// Rows of `H⁻¹`; without the second where a word has no valence of its own, or follows itself only.
    fn inverse(&self) -> Option<[[f64; 2]; 2]> {
        let [gg, gc, cc] = self.curvature;
        let determinant = gg * cc - gc * gc;
        if determinant > 1e-9 * gg * cc {
            let [gg, gc, cc] = [gg, gc, cc].map(|x| x / determinant);
            return Some([[cc, -gc], [-gc, gg]]);
        }
        (gg > 0.0).then(|| [[1.0 / gg, 0.0], [0.0, 0.0]])
    }

    /// Where Newton's method goes from `at`; nowhere where the text says nothing.
    fn step(&self, at: [f64; 2]) -> [f64; 2] {
        let Some(inverse) = self.inverse() else { return at };
        let step = inverse.map(|row| -(row[0] * self.slope[0] + row[1] * self.slope[1]));
        let shorter = (LONGEST / step[0].abs().max(step[1].abs())).min(1.0);
        [at[0] + shorter * step[0], at[1] + shorter * step[1]]
    }

    /// Standard error of `g`; `None` where the text says nothing.
    fn error(&self) -> Option<f64> {
        let [row, _] = self.inverse()?;
        let [aa, ac, bb] = self.outer;
        let white = row[0] * row[0] * aa + 2.0 * row[0] * row[1] * ac + row[1] * row[1] * bb;
        let variance = white.max(row[0]);
        (variance > 0.0).then(|| variance.sqrt())
    }
}

/// How far a network does to the next words what the text says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Rank correlation of both gains (Spearman 1904) over words whose gain by the text is known to within one.
    pub correlation: f64,
    /// 95 % interval, bootstrap over words.
    pub interval: (f64, f64),
    /// These words.
    pub words: usize,
}

impl Agreement {
    /// * `network`: the network's gain of each word, `[vocabulary]`
    pub fn of(gains: &[Gain], network: &[f64], seed: u64) -> Self {
        let sure = gains.iter().filter(|g| g.converged && NORMAL_WIDTH * g.error <= KNOWN);
        let pairs: Vec<(f64, f64)> = sure.map(|g| (g.gain, network[g.word as usize])).collect();
        let places: Vec<f64> = (0..pairs.len()).map(|i| i as f64).collect();
        let correlation = |places: &[f64]| -> f64 {
            let (text, network): (Vec<f64>, Vec<f64>) =
                places.iter().map(|&i| pairs[i as usize]).unzip();
            summary::spearman(&text, &network)
        };
        let finite = |sample: &[f64]| Some(correlation(sample)).filter(|r| r.is_finite());
        Self {
            correlation: correlation(&places),
            interval: summary::bootstrap(&places, finite, seed, "context/text gains"),
            words: pairs.len(),
        }
    }
}

/// Gains of all words that are frequent enough, the surest first.
///
/// * `vocabulary`, `classes`: numbers of words and of label names
/// * `penalty`: of the bags of words
/// * `least`: occurrences a word must have
///
/// # Errors
/// [`crate::Error::Usage`] for a penalty that is not above 0.
pub fn gains(
    train: &Split,
    vocabulary: usize,
    classes: usize,
    penalty: f64,
    least: usize,
) -> Result<Vec<Gain>> {
    let together = TOGETHER.min(train.documents.len() / (4 * FOLDS)).max(1);
    let fold = |d: usize| d / together % FOLDS;
    let settings = logistic::Settings { penalties: vec![penalty], ..Default::default() };
    let bags: Vec<Model> = (0..FOLDS)
        .map(|k| {
            let kept = train.part(|d| fold(d) != k);
            logistic::fit(&kept, &kept, vocabulary, classes, &settings)
        })
        .collect::<Result<_>>()?;
    let text = Text::new(train, classes, &bags, fold);
    let mut found = vec![[0.0; 2]; vocabulary];
    for _ in 0..STEPS {
        let sums = text.sums(&found);
        found = found.iter().zip(&sums).map(|(&at, s)| s.step(at)).collect();
    }
    let sums = text.sums(&found);
    let mut counts = vec![0; vocabulary];
    train.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let mut gains: Vec<Gain> = (0..vocabulary)
        .filter(|&w| counts[w] >= least)
        .filter_map(|w| {
            let (error, documents) = (sums[w].error()?, sums[w].documents);
            let gain = found[w][0];
            let converged = (sums[w].step(found[w])[0] - gain).abs() <= SETTLED * error;
            Some(Gain { word: w as u32, documents, gain, error, converged, rate: 1.0 })
        })
        .collect();
    let usual = middle(&gains);
    // Not where the bag of words says so little that gains are noise.
    let usual = usual.max(-0.5);
    for g in &mut gains {
        g.gain = (g.gain - usual) / (1.0 + usual);
        g.error /= 1.0 + usual;
    }
    let settled = gains.iter().filter(|g| g.converged);
    let ratios: Vec<f64> = settled.map(|g| g.gain.abs() / g.error).collect();
    let widened = (summary::median(&ratios).unwrap_or(0.0) / MIDDLE).max(1.0);
    gains.iter_mut().for_each(|g| g.error *= widened);
    let p: Vec<f64> = gains.iter().map(Gain::p).collect();
    gains.iter_mut().zip(summary::discovery_rates(&p)).for_each(|(g, rate)| g.rate = rate);
    gains.sort_by(|a, b| a.p().total_cmp(&b.p()).then(a.word.cmp(&b.word)));
    Ok(gains)
}

/// The median gain, each weighed by one over the square of its error; 0 for none.
fn middle(gains: &[Gain]) -> f64 {
    let mut order: Vec<&Gain> = gains.iter().filter(|g| g.converged).collect();
    order.sort_by(|a, b| a.gain.total_cmp(&b.gain));
    let weight = |g: &Gain| g.error.powi(-2);
    let mut left = 0.5 * order.iter().map(|g| weight(g)).sum::<f64>();
    let at = order.iter().find(|g| {
        left -= weight(g);
        left <= 0.0
    });
    at.map_or(0.0, |g| g.gain)
}

/// A training split, read by bags of words that have not seen it.
struct Text<'a, F> {
    train: &'a Split,
    answers: Answers,
    bags: &'a [Model],
    /// Which of the bags reads a document.
    fold: F,
    /// `κ η_d`, `[documents][outputs]`.
    outputs: Vec<Vec<f64>>,
    /// `u`, `[outputs][vocabulary]`; 0 where the word has no valence.
    directions: Vec<Vec<f64>>,
    scale: f64,
    /// Nats that a unit of the loss is.
    nats: f64,
}

impl<'a, F: Fn(usize) -> usize + Sync> Text<'a, F> {
    fn new(train: &'a Split, classes: usize, bags: &'a [Model], fold: F) -> Self {
        let answers = Answers::of(train, classes);
        let documents = train.documents.len();
        let read = |d: usize| bags[fold(d)].outputs(train.documents.get(d));
        let mut outputs: Vec<Vec<f64>> = (0..documents).into_par_iter().map(read).collect();
        let scale = scale(&answers, &outputs);
        outputs.iter_mut().flatten().for_each(|z| *z *= scale);
        let nats = answers.nats(documents, |d| outputs[d].clone());
        let directions = directions(bags);
        Self { train, answers, bags, fold, outputs, directions, scale, nats }
    }

    /// Sums of each word at its own `g` and `c`, `[vocabulary]`.
    fn sums(&self, at: &[[f64; 2]]) -> Vec<Sums> {
        let documents = self.train.documents.len();
        let piece = |chunk: usize| -> Vec<(u32, Sums)> {
            let mut found: Vec<Sums> = vec![Sums::default(); at.len()];
            for d in chunk * CHUNK..((chunk + 1) * CHUNK).min(documents) {
                self.document(d, at, &mut found);
            }
            let there = found.into_iter().enumerate().filter(|(_, s)| s.documents > 0);
            there.map(|(w, s)| (w as u32, s)).collect()
        };
        let pieces: Vec<Vec<(u32, Sums)>> =
            (0..documents.div_ceil(CHUNK)).into_par_iter().map(piece).collect();
        let mut whole = vec![Sums::default(); at.len()];
        pieces.iter().flatten().for_each(|(w, s)| whole[*w as usize].add(s));
        whole
    }

    /// Adds what one document says of each of its words.
    fn document(&self, d: usize, at: &[[f64; 2]], found: &mut [Sums]) {
        let (tokens, plain) = (self.train.documents.get(d), &self.outputs[d]);
        let weights = &self.bags[(self.fold)(d)].weights;
        let mut places: Vec<(u32, usize)> = tokens.iter().copied().zip(0..).collect();
        // The last word has none after it.
        places.pop();
        places.sort_unstable();
        let mut slope = vec![0.0; plain.len()];
        for of in places.chunk_by(|a, b| a.0 == b.0) {
            let word = of[0].0 as usize;
            let after = |w: &Vec<f64>| -> f64 {
                let next = |&(_, t): &(u32, usize)| -> f64 {
                    let end = (t + 1 + REACH).min(tokens.len());
                    tokens[t + 1..end].iter().map(|&v| w[v as usize]).sum()
                };
                self.scale * of.iter().map(next).sum::<f64>()
            };
            let after: Vec<f64> = weights.iter().map(after).collect();
            let times = of.len() as f64;
            let own: Vec<f64> = self.directions.iter().map(|u| times * u[word]).collect();
            let [g, c] = at[word];
            let z: Vec<f64> = plain
                .iter()
                .zip(after.iter().zip(&own))
                .map(|(z, (a, o))| z + g * a + c * o)
                .collect();
            self.answers.document(d, &z, &mut slope);
            let dot = |a: &[f64]| self.nats * a.iter().zip(&slope).map(|(a, s)| a * s).sum::<f64>();
            let (g, c) = (dot(&after), dot(&own));
            let bend = |a: &[f64], b: &[f64]| self.nats * self.answers.curvature(&z, a, b);
            found[word].add(&Sums {
                documents: 1,
                slope: [g, c],
                outer: [g * g, g * c, c * c],
                curvature: [bend(&after, &after), bend(&after, &own), bend(&own, &own)],
            });
        }
    }
}

/// `u`: where the mean of the bags' `β` points; one output has one direction, whatever a word says.
fn directions(bags: &[Model]) -> Vec<Vec<f64>> {
    let outputs = bags[0].weights.len();
    let mut mean = vec![vec![0.0; bags[0].weights[0].len()]; outputs];
    if outputs == 1 {
        mean[0].fill(1.0);
        return mean;
    }
    for bag in bags {
        for (to, from) in mean.iter_mut().zip(&bag.weights) {
            to.iter_mut().zip(from).for_each(|(a, b)| *a += b);
        }
    }
    for word in 0..mean[0].len() {
        let length = mean.iter().map(|row| row[word].powi(2)).sum::<f64>().sqrt();
        if length > 0.0 {
            mean.iter_mut().for_each(|row| row[word] /= length);
        }
    }
    mean
}

/// `κ`: where the slope of the loss along the outputs is zero.
fn scale(answers: &Answers, plain: &[Vec<f64>]) -> f64 {
    let rises = |scale: f64| -> bool {
        let one = |(d, z): (usize, &Vec<f64>)| -> f64 {
            let scaled: Vec<f64> = z.iter().map(|z| z * scale).collect();
            let mut slope = vec![0.0; z.len()];
            answers.document(d, &scaled, &mut slope);
            z.iter().zip(&slope).map(|(z, s)| z * s).sum()
        };
        plain.iter().enumerate().map(one).sum::<f64>() > 0.0
    };
    let (mut low, mut high) = SCALES;
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if rises(middle) { high = middle } else { low = middle }
    }
    (low * high).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{Documents, Labels};
    use crate::seed;
    use rand::Rng;

    /// Documents of pairs: a word, then one with a valence; the first three double, turn, and leave it.
    fn planted(documents: usize, classes: usize) -> Split {
        let mut stream = seed::stream(3, "planted");
        let gains = [1.0, -1.5, 0.0, 0.0, 0.0, 0.0];
        let valences = [1.2, 0.8, -0.7, -1.3];
        let (mut all, mut labels) = (Documents::new(), Vec::new());
        for _ in 0..documents {
            let (mut tokens, mut z) = (Vec::new(), vec![0.0_f64; classes]);
            for _ in 0..4 {
                let (m, v) = (stream.random_range(0..6), stream.random_range(0..4));
                tokens.extend([m as u32, 6 + v as u32]);
                // With more than two classes a word speaks for its own.
                let of = if classes == 2 { 1 } else { v % classes };
                z[of] += (1.0 + gains[m]) * valences[v];
            }
            let total: f64 = z.iter().map(|z| z.exp()).sum();
            let mut left = stream.random::<f64>() * total;
            let class = z.iter().position(|z| {
                left -= z.exp();
                left < 0.0
            });
            all.push(&tokens);
            labels.push(class.unwrap_or(classes - 1) as u32);
        }
        Split { documents: all, labels: Labels::Class(labels) }
    }

    #[test]
    fn gains_that_were_planted_are_found_and_no_others() {
        for classes in [2, 3] {
            let found = gains(&planted(20_000, classes), 10, classes, 1e-4, 1).unwrap();
            let of = |word: u32| *found.iter().find(|g| g.word == word).unwrap();
            for (word, planted) in [(0, 1.0), (1, -1.5), (2, 0.0), (3, 0.0), (4, 0.0), (5, 0.0)] {
                let found = of(word);
                let off = (found.gain - planted).abs();
                assert!(off < 4.0 * found.error + 0.1, "{classes} {word}: {planted} {found:?}");
            }
            let mut first = [found[0].word, found[1].word];
            first.sort_unstable();
            assert_eq!(first, [0, 1], "{found:?}");
            assert!(found[1].is_significant() && !found[2].is_significant(), "{found:?}");
        }
    }

    #[test]
    fn agreement_is_of_ranks_and_of_words_that_are_known() {
        let gain = |word: u32, gain: f64, error: f64| Gain {
            word,
            documents: 9,
            gain,
            error,
            converged: true,
            rate: 1.0,
        };
        let all: Vec<Gain> = (0..40).map(|w| gain(w, w as f64 - 20.0, 0.3)).collect();
        let network: Vec<f64> = (0..41).map(|w| (w as f64 - 20.0).powi(3)).collect();
        let found = Agreement::of(&all, &network, 1);
        assert!((found.correlation - 1.0).abs() < 1e-12 && found.words == 40, "{found:?}");
        // One whose gain is not known, and one whose fit did not come to rest, change nothing.
        let restless = Gain { converged: false, ..gain(40, -1000.0, 0.3) };
        for other in [gain(40, -1000.0, 0.6), restless] {
            let more = [&all[..], &[other]].concat();
            assert_eq!(Agreement::of(&more, &network, 1), found);
        }
        assert!(restless.p() == 1.0 && gain(40, -1000.0, 0.3).p() == 0.0);
        let mixed: Vec<f64> = (0..41).map(|w| ((w * 17) % 41) as f64).collect();
        let found = Agreement::of(&all, &mixed, 1);
        let (low, high) = found.interval;
        assert!(low < 0.0 && 0.0 < high && low < found.correlation, "{found:?}");
    }

    #[test]
    fn words_that_modify_nothing_are_seldom_called() {
        // The same documents with every label drawn anew: the text says nothing at all.
        let mut split = planted(4000, 2);
        let mut stream = seed::stream(5, "labels");
        let (mut called, mut all) = (0, 0);
        for _ in 0..20 {
            let drawn = (0..4000).map(|_| stream.random_range(0..2)).collect();
            split.labels = Labels::Class(drawn);
            let found = gains(&split, 10, 2, 1e-3, 1).unwrap();
            called += found.iter().filter(|g| g.p() < 0.05).count();
            all += found.len();
        }
        assert!(called as f64 <= 0.1 * all as f64, "{called} of {all}");
    }

    #[test]
    fn sums_are_the_derivatives_of_the_loss() {
        let at = [0.3, -0.2];
        for classes in [2, 3] {
            let split = planted(40, classes);
            let outputs = if classes == 2 { 1 } else { classes };
            let weight = |o: usize, w: usize| ((w * 7 + o * 5) % 11) as f64 / 8.0 - 0.6;
            let length = |w: usize| (0..outputs).map(|o| weight(o, w).powi(2)).sum::<f64>().sqrt();
            // One output has one direction.
            let unit = |o: usize, w: usize| {
                if outputs == 1 { 1.0 } else { weight(o, w) / length(w) }
            };
            let table = (0..outputs).map(|o| (0..10).map(|w| weight(o, w)).collect()).collect();
            let bag = Model::plain(table, vec![0.1; outputs], 1e-3);
            let text = Text::new(&split, classes, std::slice::from_ref(&bag), |_| 0);
            for word in 0..3_u32 {
                let loss = |g: f64, c: f64| -> f64 {
                    let one = |d: usize| {
                        let tokens = split.documents.get(d);
                        let mut z = bag.outputs(tokens);
                        for (t, _) in tokens.iter().enumerate().filter(|(_, w)| **w == word) {
                            for (o, z) in z.iter_mut().enumerate() {
                                let next = tokens.iter().skip(t + 1).take(2);
                                *z += g * next.map(|&v| weight(o, v as usize)).sum::<f64>();
                                // A last word is not counted: it has nothing after it.
                                if t + 1 < tokens.len() {
                                    *z += c * unit(o, word as usize) / text.scale;
                                }
                            }
                        }
                        z.iter_mut().for_each(|z| *z *= text.scale);
                        text.answers.document(d, &z, &mut vec![0.0; outputs]).0
                    };
                    (0..40).map(one).sum()
                };
                let found = text.sums(&[at; 10])[word as usize];
                let loss = |g: f64, c: f64| loss(at[0] + g, at[1] + c);
                let h = 1e-4;
                let first = (loss(h, 0.0) - loss(-h, 0.0)) / (2.0 * h);
                let second = (loss(h, 0.0) - 2.0 * loss(0.0, 0.0) + loss(-h, 0.0)) / (h * h);
                let mixed = (loss(h, h) - loss(h, -h) - loss(-h, h) + loss(-h, -h)) / (4.0 * h * h);
                for (a, b) in [
                    (found.slope[0], first),
                    (found.curvature[0], second),
                    (found.curvature[1], mixed),
                ] {
                    assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()), "{word}: {a} {b}");
                }
            }
        }
    }
}
