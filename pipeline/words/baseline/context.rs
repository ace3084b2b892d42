//! A bag of words that knows about context.
//!
//! With a list of modifiers `M`, each with a strength `a_m` and a time constant `τ_m`
//! (tokens), and the tokens `w_1 … w_T` of a document,
//!
//! ```text
//! μ_t = Σ_{m∈M} a_m (Σ_{s≥1} 1[w_{t−s} = m] e^{−(s−1)/τ_m} − f_m/(1 − e^{−1/τ_m}))
//! γ_t = (1 + a_B e^{−(t−1)/τ_B}) (1 + a_E e^{−(T−t)/τ_E}),   g_t = γ_t / mean_t γ_t
//! z   = b + Σ_t g_t (β[w_t] + μ_t β̃[w_t])
//! ```
//!
//! with `f_m` the modifier's share of the training tokens, so that `μ` is zero and `g` one on
//! average. Without that every frequent word is asked for as an intensifier: it
//! scales all valences up, and the penalty, which holds `β` down, does not see it.
//!
//! With *taps* a modifier has a strength of its own at each of the next
//! `K` tokens, and modifiers multiply, so that "not very good" is −2:
//!
//! ```text
//! 1 + μ_t = Π_{s≤K} (1 + a_{w_{t−s},s}) / Π_{s≤K} (1 + Σ_m f_m a_{m,s})
//! ```
//!
//! (words that are no modifiers have `a = 0`). *Tied*, `β̃ = β`: a modifier turns or strengthens what the next
//! words say, and is two numbers. *Untied*, modified words have a valence of their
//! own. `g` weighs the beginning and the end. Everything is fitted together by
//! L-BFGS on the whole training split, from the bag of words on (`μ = 0`, `g = 1`);
//! the step with the lowest validation loss stays, so that no model is worse there
//! than the bag of words.
//!
//! One leaky accumulator a modifier gives `μ` in `O(T·|M|)`, and exact gradients in as
//! much on the way back ([`super::leaky`]).

use super::lbfgs;
use super::leaky::{Leaky, powers};
use super::logistic::{Answers, Model, Score};
use crate::corpus::Split;
use crate::{Error, Result, setting};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// How the models are fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Whether the models are fitted: minutes on long texts.
    pub fit: bool,
    /// Modifiers taken from the network: those beyond the null, strongest first.
    #[serde(deserialize_with = "setting::whole::<_, 0, 10000>")]
    pub from_network: usize,
    /// Modifiers taken from the training text: the words whose strength the loss asks
    /// for most, by the score test of [`super::candidates`].
    #[serde(deserialize_with = "setting::whole::<_, 0, 10000>")]
    pub from_text: usize,
    /// Words with fewer occurrences in the training split are no modifiers.
    #[serde(deserialize_with = "setting::count")]
    pub least: usize,
    /// Further modifiers, by name.
    pub list: Vec<String>,
    /// Steps of the minimiser at most.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub steps: usize,
    /// Steps between looks at the validation split.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub look: usize,
    /// Looks without a lower validation loss after which fitting stops.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub patience: usize,
    /// Penalties `ν` on strengths and ends, `ν/2 Σ a²`, and, beside the bag of words' own,
    /// on what modified valences differ by; chosen on the validation split.
    #[serde(deserialize_with = "setting::numbers")]
    pub penalties: Vec<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            fit: false,
            from_network: 25,
            from_text: 50,
            least: 50,
            list: Vec::new(),
            steps: 60,
            look: 1,
            patience: 5,
            penalties: vec![1e-2, 1e-3],
        }
    }
}

/// Which extensions of the bag of words are on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Modifiers.
    pub modifiers: bool,
    /// A valence of their own for modified words.
    pub untied: bool,
    /// Beginning and end.
    pub ends: bool,
    /// A strength at each distance instead of one that decays; tied only.
    pub taps: bool,
}

/// `K`: tokens that a modifier with taps reaches.
pub const TAPS: usize = 5;

/// A fitted model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    family: Family,
    /// Outputs.
    outputs: usize,
    words: usize,
    /// The modifiers, as word ids.
    pub modifiers: Vec<u32>,
    slot: Vec<Option<u32>>,
    /// `f_m`.
    shares: Vec<f64>,
    /// All parameters, see [`Context::layout`].
    x: Vec<f64>,
    /// Penalty `λ` of the bag of words it started from.
    penalty: f64,
    /// Validation loss.
    pub validation_loss: f64,
}

/// Where each kind of parameter starts.
struct Layout {
    modified: usize,
    bias: usize,
    strength: usize,
    time: usize,
    ends: usize,
    all: usize,
}

/// Time constant with which every filter starts, tokens.
pub(super) const START: f64 = 3.0;
/// Documents a piece of work; the order of all sums hangs on it.
pub(super) const CHUNK: usize = 512;

/// `ln(1 + eˣ)`, and its slope.
fn softplus(x: f64) -> (f64, f64) {
    (x.max(0.0) + (-x.abs()).exp().ln_1p(), 1.0 / (1.0 + (-x).exp()))
}

/// The number whose softplus is `y`.
fn inverse_softplus(y: f64) -> f64 {
    y + (-(-y).exp_m1()).ln()
}

impl Context {
    fn new(bag: &Model, family: Family, modifiers: &[u32], train: &Split) -> Self {
        let (outputs, words) = (bag.weights.len(), bag.weights.first().map_or(0, Vec::len));
        let modifiers = if family.modifiers { modifiers.to_vec() } else { Vec::new() };
        let mut slot = vec![None; words];
        modifiers.iter().enumerate().for_each(|(m, &w)| slot[w as usize] = Some(m as u32));
        let tokens = train.documents.tokens();
        let share = |&w: &u32| {
            tokens.iter().filter(|&&t| t == w).count() as f64 / tokens.len().max(1) as f64
        };
        let shares = modifiers.iter().map(share).collect();
        let mut model = Self {
            family,
            shares,
            outputs,
            words,
            modifiers,
            slot,
            x: Vec::new(),
            penalty: bag.penalty,
            validation_loss: f64::NAN,
        };
        let l = model.layout();
        model.x = vec![0.0; l.all];
        for (o, weights) in bag.weights.iter().enumerate() {
            for (w, value) in weights.iter().enumerate() {
                model.x[w * outputs + o] = *value;
                if family.untied {
                    model.x[l.modified + w * outputs + o] = *value;
                }
            }
            model.x[l.bias + o] = bag.bias[o];
        }
        model.x[l.time..l.ends].fill(inverse_softplus(START));
        if family.ends {
            model.x[l.ends + 1] = inverse_softplus(START);
            model.x[l.ends + 3] = inverse_softplus(START);
        }
        model
    }

    /// `β [words, outputs]`, `β̃` likewise if untied, `b`, `a_m`, raw `τ_m`, and
    /// `a_B, raw τ_B, a_E, raw τ_E`.
    fn layout(&self) -> Layout {
        let table = self.words * self.outputs;
        let modified = table;
        let bias = modified + if self.family.untied { table } else { 0 };
        let strength = bias + self.outputs;
        let (taps, times) = if self.family.taps { (TAPS, 0) } else { (1, 1) };
        let time = strength + taps * self.modifiers.len();
        let ends = time + times * self.modifiers.len();
        let all = ends + if self.family.ends { 4 } else { 0 };
        Layout { modified, bias, strength, time, ends, all }
    }

    /// Whether a model that was read from a file is one for so many words: its parts fit each other.
    pub fn is_for(&self, words: usize) -> bool {
        let sized = self.words == words && self.outputs.checked_mul(words).is_some();
        let known = |word: &u32| (*word as usize) < words;
        sized
            && self.modifiers.iter().all(known)
            && self.shares.len() == self.modifiers.len()
            && self.slot.len() == words
            && self.slot.iter().flatten().all(|&m| (m as usize) < self.modifiers.len())
            && self.x.len() == self.layout().all
    }

    /// Valence of a word, `[outputs]`.
    pub fn valence(&self, word: usize) -> &[f64] {
        &self.x[word * self.outputs..][..self.outputs]
    }

    /// Valence of a modified word, `[outputs]`.
    pub fn modified(&self, word: usize) -> &[f64] {
        let from = if self.family.untied { self.layout().modified } else { 0 };
        &self.x[from + word * self.outputs..][..self.outputs]
    }

    /// Strength and time constant (tokens) of modifier `m`; `None` with taps.
    pub fn modifier(&self, m: usize) -> Option<(f64, f64)> {
        let l = self.layout();
        (!self.family.taps).then(|| (self.x[l.strength + m], softplus(self.x[l.time + m]).0))
    }

    /// Strengths of modifier `m` at distances 1 to [`TAPS`]; `None` without taps.
    pub fn taps(&self, m: usize) -> Option<&[f64]> {
        self.family.taps.then(|| &self.x[self.layout().strength + m * TAPS..][..TAPS])
    }

    /// Modifiers among the [`TAPS`] tokens before position `t`: distance − 1, and slot.
    fn reached<'a>(
        &'a self,
        tokens: &'a [u32],
        t: usize,
    ) -> impl Iterator<Item = (usize, usize)> + 'a {
        let before = tokens[t.saturating_sub(TAPS)..t].iter().rev().enumerate();
        before.filter_map(|(s, &w)| self.slot[w as usize].map(|m| (s, m as usize)))
    }

    /// `(a_B, τ_B, a_E, τ_E)`; `None` without ends.
    pub fn ends(&self) -> Option<(f64, f64, f64, f64)> {
        let at = self.family.ends.then(|| self.layout().ends)?;
        let x = &self.x[at..];
        Some((x[0], softplus(x[1]).0, x[2], softplus(x[3]).0))
    }

    /// What each token adds to the outputs, `[tokens][outputs]`: all but the bias.
    pub fn contributions(&self, tokens: &[u32]) -> Vec<Vec<f64>> {
        let read = Shared::of(self).read(tokens);
        let each = |(t, &word): (usize, &u32)| {
            let pairs = self.valence(word as usize).iter().zip(self.modified(word as usize));
            pairs.map(|(b, m)| read.weight(t) * (b + read.mu[t] * m)).collect()
        };
        tokens.iter().enumerate().map(each).collect()
    }

    /// Outputs for one document, `[outputs]`.
    pub fn outputs(&self, tokens: &[u32]) -> Vec<f64> {
        Shared::of(self).outputs(tokens)
    }

    /// Loss and accuracy on a split.
    pub fn score(&self, split: &Split, classes: usize) -> Score {
        let shared = Shared::of(self);
        Answers::of(split, classes)
            .score(split.documents.len(), |d| shared.outputs(split.documents.get(d)))
    }

    /// For each document of a split, the share of its answers that are right.
    pub fn right(&self, split: &Split, classes: usize) -> Vec<f64> {
        let shared = Shared::of(self);
        Answers::of(split, classes)
            .right(split.documents.len(), |d| shared.outputs(split.documents.get(d)))
    }
}

/// What all documents share at one point of the parameters.
struct Shared<'a> {
    model: &'a Context,
    layout: Layout,
    /// `ρ_m = e^{−1/τ_m}`, and its slope in the raw parameter; none with taps.
    decays: Vec<f64>,
    decay_slopes: Vec<f64>,
    /// `Σ_m a_m f_m / (1 − ρ_m)`.
    usual: f64,
    /// `1 + Σ_m f_m a_{m,s}` by distance, and their product.
    usual_taps: [f64; TAPS],
    whole: f64,
}

/// How one document is read.
struct Read {
    /// `μ_t`.
    mu: Vec<f64>,
    /// `None` without ends.
    ends: Option<Ends>,
    /// `None` with taps.
    leaky: Option<Leaky>,
}

impl Read {
    /// `g_t`.
    fn weight(&self, t: usize) -> f64 {
        self.ends.as_ref().map_or(1.0, |e| e.gamma(t) / e.mean)
    }
}

/// What the ends weigh in a document.
struct Ends {
    /// `(1 + a_B e^{−(t−1)/τ_B})`, and the power in it.
    first: Vec<(f64, f64)>,
    /// `(1 + a_E e^{−(T−t)/τ_E})` likewise, from the end.
    last: Vec<(f64, f64)>,
    /// Of `γ_t`.
    mean: f64,
}

impl Ends {
    fn of((a, tau, b, end): (f64, f64, f64, f64), length: usize) -> Self {
        let side = |a: f64, tau: f64| -> Vec<(f64, f64)> {
            powers((-1.0 / tau).exp()).take(length).map(|p| (1.0 + a * p, p)).collect()
        };
        let mut own = Self { first: side(a, tau), last: side(b, end), mean: f64::NAN };
        own.mean = (0..length).map(|t| own.gamma(t)).sum::<f64>() / length as f64;
        own
    }

    fn gamma(&self, t: usize) -> f64 {
        self.first[t].0 * self.last[self.last.len() - 1 - t].0
    }
}

impl<'a> Shared<'a> {
    fn of(model: &'a Context) -> Self {
        let layout = model.layout();
        let times = if model.family.taps { 0 } else { model.modifiers.len() };
        let decay = |m: usize| {
            let (tau, rise) = softplus(model.x[layout.time + m]);
            let rho = (-1.0 / tau).exp();
            (rho, rho / (tau * tau) * rise)
        };
        let (decays, decay_slopes): (Vec<f64>, Vec<f64>) = (0..times).map(decay).unzip();
        let left = model.shares.iter().zip(&decays).map(|(share, rho)| share / (1.0 - rho));
        let usual = model.x[layout.strength..].iter().zip(left).map(|(a, left)| a * left).sum();
        let at = |s: usize| -> f64 {
            let each = model.shares.iter().enumerate();
            each.map(|(m, share)| share * model.taps(m).map_or(0.0, |a| a[s])).sum()
        };
        let usual_taps: [f64; TAPS] = std::array::from_fn(|s| 1.0 + at(s));
        let whole = usual_taps.iter().product();
        Self { model, layout, decays, decay_slopes, usual, usual_taps, whole }
    }

    /// Strength of modifier `m`, `s + 1` tokens on.
    fn tap(&self, m: usize, s: usize) -> f64 {
        self.model.x[self.layout.strength + m * TAPS + s]
    }

    fn read(&self, tokens: &[u32]) -> Read {
        let model = self.model;
        let ends = model.ends().map(|ends| Ends::of(ends, tokens.len()));
        if model.family.taps {
            let factor = |t: usize| -> f64 {
                model.reached(tokens, t).map(|(s, m)| 1.0 + self.tap(m, s)).product()
            };
            let mu = (0..tokens.len()).map(|t| factor(t) / self.whole - 1.0).collect();
            return Read { mu, ends, leaky: None };
        }
        let leaky = Leaky::new(tokens, &model.slot, &self.decays);
        let mut mu = leaky.sums(&model.x[self.layout.strength..self.layout.time]);
        mu.iter_mut().for_each(|mu| *mu -= self.usual);
        Read { mu, ends, leaky: Some(leaky) }
    }

    /// Outputs for one document, `[outputs]`.
    fn outputs(&self, tokens: &[u32]) -> Vec<f64> {
        self.outputs_of(tokens, &self.read(tokens))
    }

    fn outputs_of(&self, tokens: &[u32], read: &Read) -> Vec<f64> {
        let mut z = self.model.x[self.layout.bias..][..self.model.outputs].to_vec();
        for (t, &word) in tokens.iter().enumerate() {
            let plain = self.model.valence(word as usize);
            let pairs = plain.iter().zip(self.model.modified(word as usize));
            let (mu, g) = (read.mu[t], read.weight(t));
            z.iter_mut().zip(pairs).for_each(|(z, (b, m))| *z += g * (b + mu * m));
        }
        z
    }

    /// Loss of one document; its gradient is added to `sum`.
    fn gradient(&self, answers: &Answers, d: usize, tokens: &[u32], sum: &mut [f64]) -> f64 {
        let (model, l, k) = (self.model, &self.layout, self.model.outputs);
        let read = self.read(tokens);
        let z = self.outputs_of(tokens, &read);
        let mut slope = vec![0.0; k];
        let (loss, _) = answers.document(d, &z, &mut slope);
        (0..k).for_each(|o| sum[l.bias + o] += slope[o]);
        // Slopes in μ_t and g_t.
        let (mut d_mu, mut d_weights) = (vec![0.0; tokens.len()], vec![0.0; tokens.len()]);
        for (t, &word) in tokens.iter().enumerate() {
            let word = word as usize;
            let (plain, modified) = (model.valence(word), model.modified(word));
            let (mu, g) = (read.mu[t], read.weight(t));
            for o in 0..k {
                d_mu[t] += g * slope[o] * modified[o];
                d_weights[t] += slope[o] * (plain[o] + mu * modified[o]);
                let own = if model.family.untied { 1.0 } else { 1.0 + mu };
                sum[word * k + o] += g * slope[o] * own;
                if model.family.untied {
                    sum[l.modified + word * k + o] += g * slope[o] * mu;
                }
            }
        }
        match &read.leaky {
            Some(leaky) => self.leaky_gradient(leaky, &d_mu, sum),
            None => self.taps_gradient(tokens, &read, &d_mu, sum),
        }
        if let Some(ends) = &read.ends {
            self.ends_gradient(ends, &d_weights, sum);
        }
        loss
    }

    fn leaky_gradient(&self, leaky: &Leaky, d_mu: &[f64], sum: &mut [f64]) {
        let l = &self.layout;
        for (&m, (in_strength, in_decay)) in leaky.modifiers.iter().zip(leaky.slopes(d_mu)) {
            sum[l.strength + m] += in_strength;
            sum[l.time + m] += self.model.x[l.strength + m] * in_decay * self.decay_slopes[m];
        }
        // What is usual: f/(1 − ρ).
        let all: f64 = d_mu.iter().sum();
        for (m, rho) in self.decays.iter().enumerate() {
            let share = self.model.shares[m] / (1.0 - rho);
            let slope = share / (1.0 - rho) * self.decay_slopes[m];
            sum[l.strength + m] -= all * share;
            sum[l.time + m] -= all * self.model.x[l.strength + m] * slope;
        }
    }

    fn taps_gradient(&self, tokens: &[u32], read: &Read, d_mu: &[f64], sum: &mut [f64]) {
        let from = self.layout.strength;
        for (t, d_mu) in d_mu.iter().enumerate() {
            let near: Vec<(usize, usize)> = self.model.reached(tokens, t).collect();
            for &(s, m) in &near {
                let others = near.iter().filter(|&&n| n != (s, m));
                let others: f64 = others.map(|&(s, m)| 1.0 + self.tap(m, s)).product();
                sum[from + m * TAPS + s] += d_mu * others / self.whole;
            }
        }
        let all: f64 = d_mu.iter().zip(&read.mu).map(|(d, mu)| d * (1.0 + mu)).sum();
        for (m, share) in self.model.shares.iter().enumerate() {
            for (s, usual) in self.usual_taps.iter().enumerate() {
                sum[from + m * TAPS + s] -= all * share / usual;
            }
        }
    }

    fn ends_gradient(&self, ends: &Ends, d_weights: &[f64], sum: &mut [f64]) {
        let (from, n) = (self.layout.ends, d_weights.len());
        let (a, tau, b, end) = self.model.ends().expect("there are ends");
        // g = γ/mean: what all weights share is taken out.
        let shared = d_weights.iter().enumerate().map(|(t, d)| d * ends.gamma(t) / ends.mean);
        let shared = shared.sum::<f64>() / n as f64;
        let rise = |i: usize| softplus(self.model.x[from + i]).1;
        let (in_tau, in_end) = (a / (tau * tau) * rise(1), b / (end * end) * rise(3));
        for (t, d) in d_weights.iter().enumerate() {
            let d_g = (d - shared) / ends.mean;
            let rest = n - 1 - t;
            let ((first, p), (last, q)) = (ends.first[t], ends.last[rest]);
            sum[from] += d_g * p * last;
            sum[from + 1] += d_g * p * last * t as f64 * in_tau;
            sum[from + 2] += d_g * q * first;
            sum[from + 3] += d_g * q * first * rest as f64 * in_end;
        }
    }
}

/// Fits one model of the family, from the bag of words on.
///
/// * `modifiers`: word ids; `classes`: number of label names
///
/// Deterministic, whatever the number of threads.
///
/// # Errors
/// [`Error::Usage`] for a modifier that is no word, or a family with modifiers and none given.
pub fn fit(
    bag: &Model,
    (train, validation): (&Split, &Split),
    classes: usize,
    family: Family,
    modifiers: &[u32],
    settings: &Settings,
) -> Result<Context> {
    let words = bag.weights.first().map_or(0, Vec::len);
    if let Some(unknown) = modifiers.iter().find(|&&m| m as usize >= words) {
        return Err(Error::Usage(format!("context: modifier {unknown} of {words} words")));
    }
    if family.taps && family.untied {
        return Err(Error::Usage("context: taps are for tied valences".into()));
    }
    if family.modifiers && modifiers.is_empty() {
        return Err(Error::Usage("context: no modifiers were found or listed".into()));
    }
    if settings.penalties.iter().any(|p| !(*p >= 0.0)) || settings.penalties.is_empty() {
        return Err(Error::Usage("context.penalties: give numbers of 0 or more".into()));
    }
    let mut best: Option<Context> = None;
    for &penalty in &settings.penalties {
        let found =
            fit_with(bag, (train, validation), classes, family, modifiers, settings, penalty);
        if best.as_ref().is_none_or(|b| found.validation_loss < b.validation_loss) {
            best = Some(found);
        }
    }
    Ok(best.expect("there are penalties"))
}

fn fit_with(
    bag: &Model,
    (train, validation): (&Split, &Split),
    classes: usize,
    family: Family,
    modifiers: &[u32],
    settings: &Settings,
    penalty: f64,
) -> Context {
    let mut model = Context::new(bag, family, modifiers, train);
    let answers = Answers::of(train, classes);
    model.validation_loss = model.score(validation, classes).loss;
    let (mut best, mut waited) = (model.clone(), 0);
    // Each parameter in units of what one document says about it: valences of rare words,
    // strengths and time constants differ by orders of magnitude.
    let scale = model.scale(&answers, train);
    let mut point: Vec<f64> = model.x.iter().zip(&scale).map(|(x, s)| x * s).collect();
    let natural = |x: &[f64]| -> Vec<f64> { x.iter().zip(&scale).map(|(x, s)| x / s).collect() };
    let mut shape = model.clone();
    let objective = |x: &[f64]| {
        shape.x = natural(x);
        let (loss, mut gradient) = shape.objective(&answers, train, penalty);
        gradient.iter_mut().zip(&scale).for_each(|(g, s)| *g /= s);
        (loss, gradient)
    };
    lbfgs::minimise(objective, &mut point, settings.steps, |step, x| {
        if step % settings.look != 0 {
            return true;
        }
        model.x = natural(x);
        model.validation_loss = model.score(validation, classes).loss;
        if model.validation_loss < best.validation_loss {
            best = model.clone();
            waited = 0;
        } else {
            waited += 1;
        }
        waited < settings.patience
    });
    best
}

impl Context {
    /// Root mean square of the documents' slopes in each parameter, with the penalty
    /// and a floor under it.
    fn scale(&self, answers: &Answers, train: &Split) -> Vec<f64> {
        let l = self.layout();
        let shared = Shared::of(self);
        let documents = train.documents.len();
        let piece = |chunk: usize| -> Vec<f64> {
            let (mut sums, mut own) = (vec![0.0; l.all], vec![0.0; l.all]);
            for d in chunk * CHUNK..((chunk + 1) * CHUNK).min(documents) {
                let tokens = train.documents.get(d);
                shared.gradient(answers, d, tokens, &mut own);
                let k = self.outputs;
                let mut settle = |i: usize| {
                    sums[i] += own[i] * own[i];
                    own[i] = 0.0;
                };
                // A word that comes twice has been settled the second time.
                for &word in tokens {
                    (0..k).for_each(|o| settle(word as usize * k + o));
                    if self.family.untied {
                        (0..k).for_each(|o| settle(l.modified + word as usize * k + o));
                    }
                }
                (l.bias..l.all).for_each(settle);
            }
            sums
        };
        let pieces: Vec<Vec<f64>> =
            (0..documents.div_ceil(CHUNK)).into_par_iter().map(piece).collect();
        let mut sums = vec![0.0; l.all];
        for piece in &pieces {
            sums.iter_mut().zip(piece).for_each(|(s, p)| *s += p);
        }
        let per = answers.count() as f64;
        let floor = |i: usize| if i < l.bias { self.penalty } else { 1e-4 };
        sums.iter().enumerate().map(|(i, s)| (s / per + floor(i)).sqrt()).collect()
    }

    /// Penalised mean loss and its gradient, over all threads, sums in a fixed order.
    fn objective(&self, answers: &Answers, train: &Split, penalty: f64) -> (f64, Vec<f64>) {
        let l = self.layout();
        let shared = Shared::of(self);
        let documents = train.documents.len();
        let piece = |chunk: usize| -> (f64, Vec<f64>) {
            let mut sum = vec![0.0; l.all];
            let range = chunk * CHUNK..((chunk + 1) * CHUNK).min(documents);
            let loss = range
                .map(|d| shared.gradient(answers, d, train.documents.get(d), &mut sum))
                .sum::<f64>();
            (loss, sum)
        };
        let pieces: Vec<(f64, Vec<f64>)> =
            (0..documents.div_ceil(CHUNK)).into_par_iter().map(piece).collect();
        // The means are over answers, as the bag of words has them.
        let per = answers.count() as f64;
        let (mut loss, mut gradient) = (0.0, vec![0.0; l.all]);
        for (own, sum) in &pieces {
            loss += own / per;
            gradient.iter_mut().zip(sum).for_each(|(g, s)| *g += s / per);
        }
        let mut add = |i: usize, weight: f64, x: f64| {
            loss += weight / 2.0 * x * x;
            gradient[i] += weight * x;
        };
        for i in 0..self.words * self.outputs {
            add(i, self.penalty, self.x[i]);
            if self.family.untied {
                // Modified valences are held to the plain ones.
                let apart = self.x[l.modified + i] - self.x[i];
                add(l.modified + i, self.penalty + penalty, apart);
            }
        }
        if self.family.untied {
            let weight = self.penalty + penalty;
            let apart = self.x[l.modified..].iter().zip(&self.x);
            gradient.iter_mut().take(self.words * self.outputs).zip(apart).for_each(
                |(g, (m, x))| {
                    *g -= weight * (m - x);
                },
            );
        }
        let small = (l.strength..l.time).chain([l.ends, l.ends + 2]);
        for i in small.filter(|&i| i < l.all) {
            loss += penalty / 2.0 * self.x[i] * self.x[i];
            gradient[i] += penalty * self.x[i];
        }
        (loss, gradient)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::{Documents, Labels};

    /// Exact gradients, against central differences of the loss.
    #[test]
    fn gradients_equal_central_differences() {
        let documents: Documents =
            [&[0_u32, 1, 2, 1, 3, 0][..], &[4, 4, 1, 2]].into_iter().collect();
        for (labels, outputs) in [
            (Labels::Class(vec![1, 0]), 1),
            (Labels::Class(vec![2, 0]), 3),
            (Labels::Score((0..10).map(|i| i as f32 * 0.3).collect()), 1),
        ] {
            let classes = if outputs == 1 { 2 } else { outputs };
            let split = Split { documents: documents.clone(), labels };
            let answers = Answers::of(&split, classes);
            for (untied, ends, taps) in [
                (false, false, false),
                (true, false, false),
                (false, true, false),
                (true, true, false),
                (false, false, true),
                (false, true, true),
            ] {
                let weights: Vec<Vec<f64>> = (0..outputs)
                    .map(|o| (0..5).map(|w| 0.3 * (w as f64 - 2.0) + 0.1 * o as f64).collect())
                    .collect();
                let bag = Model::plain(weights, vec![0.1; outputs], 1e-3);
                let family = Family { modifiers: true, untied, ends, taps };
                let mut model = Context::new(&bag, family, &[1, 4], &split);
                for (i, x) in model.x.iter_mut().enumerate() {
                    *x += 0.05 * ((i * 7 % 11) as f64 - 5.0);
                }
                let (_, exact) = model.objective(&answers, &split, 0.1);
                for (i, exact) in exact.iter().enumerate() {
                    let here = model.x[i];
                    let mut loss = |x: f64| {
                        model.x[i] = x;
                        model.objective(&answers, &split, 0.1).0
                    };
                    let slope = (loss(here + 1e-5) - loss(here - 1e-5)) / 2e-5;
                    model.x[i] = here;
                    assert!(
                        (slope - exact).abs() < 1e-7 * (1.0 + slope.abs()),
                        "untied {untied}, ends {ends}, taps {taps}, {i}: {slope}, {exact}"
                    );
                }
            }
        }
    }
}
