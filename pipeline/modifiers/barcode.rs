//! Barcodes: how each word changes what the next words do.
//!
//! From a central slow point `h*` with the input held at `x*`, let `h_0 = F(h*, x*)`
//! and, for a word `m`, `d_m = F(h*, x_m) − h_0`, with `s_m = ℓ₁ᵀ d_m` what it adds along the
//! line. Every word moves the state, one of strong valence most, and off the line too.
//! What words of a valence do on average is fitted over the vocabulary, `f(s) = c_0 + c_1 s +
//! c_2 s²`, robustly, and a *modifier* is a word that does something else. With the readout vector `w`,
//!
//! ```text
//! b_m[v] = wᵀ (J_inp(h_0 + d_m) − J_inp(h_0 + f(s_m))) (x_v − x*)      (the barcode)
//! b_0[v] = wᵀ J_inp(h_0 + f(0)) (x_v − x*)                           (plain valence)
//! ```
//!
//! over probe words `v`. The *effect* is `‖b_m‖/‖b_0‖`; the *gain*,
//! `⟨b_m, b_0⟩/⟨b_0, b_0⟩`, tells negators (below 0) from intensifiers (above 0): −2
//! turns "good" into as much of "bad". (The plain comparison, `J_inp(F(h*, x_m)) − J_inp(h*)`,
//! ranks "worst" first on film reviews and finds no modifier among the first fifty.)

use crate::Result;
use crate::dynamics::{Dynamics, Map};
use crate::geometry::Pca;
use crate::linalg::{Matrix, Vector, svd};
use crate::seed;
use rand::seq::SliceRandom;
use rayon::prelude::*;

/// Where and with what the barcodes are read.
pub struct ModifierProbe<'a> {
    /// The cell with its input held at `x*`.
    pub map: &'a Map,
    /// The central slow point `h*`, or another state from which words are read, `[state]`.
    pub centre: &'a [f64],
    /// Readout vector `w`, `[state]`.
    pub readout: &'a [f64],
    /// Left vector `ℓ₁` of the slow mode, `[state]`.
    pub slow: &'a [f64],
    /// Input vectors of all words, `[words][inputs]`.
    pub inputs: &'a [Vec<f64>],
    /// Words whose reading is watched.
    pub probes: &'a [usize],
}

/// What was found for each word.
pub struct Barcodes {
    /// `‖b_m‖/‖b_0‖`, `[words]`.
    pub effect: Vec<f64>,
    /// `⟨b_m, b_0⟩/⟨b_0, b_0⟩`, `[words]`.
    pub gain: Vec<f64>,
    /// Displacements `d_m`, and `f(s_m)`, `[words][state]` each.
    displacement: Vec<(Vec<f64>, Vec<f64>)>,
    /// `‖b_0‖`.
    norm: f64,
    /// Barcodes, `[words][probes]`.
    codes: Vec<Vec<f64>>,
}

/// Times the fit of `f` is weighed anew.
const REWEIGHTED: usize = 20;
/// Multiples of the median displacement besides `f` beyond which a word has no part in the null.
const OUTLYING: f64 = 5.0;
/// Tokens over which a modifier's effect is followed.
const FOLLOWED: usize = 40;

impl ModifierProbe<'_> {
    /// `wᵀ J_inp(h)` against every probe, `[probes]`.
    fn read(&self, state: &[f64]) -> Vec<f64> {
        let jacobian = self.map.input_jacobian(state);
        let w = Vector::from_column_slice(self.readout);
        let row = jacobian.tr_mul(&w);
        let held = self.map.input();
        let of = |&v: &usize| -> f64 {
            self.inputs[v].iter().zip(held).zip(row.iter()).map(|((x, h), j)| (x - h) * j).sum()
        };
        self.probes.iter().map(of).collect()
    }

    fn quiet(&self) -> Vec<f64> {
        self.map.step(self.centre).as_slice().to_vec()
    }

    /// Barcodes of every word, over all threads.
    ///
    /// * `usual`: words over which `f` is fitted: those that are frequent enough
    ///
    /// # Errors
    /// [`crate::Error::Shape`] for an input or state of the wrong size.
    pub fn barcodes(&self, usual: &[usize]) -> Result<Barcodes> {
        self.map.check(self.centre)?;
        let quiet = self.quiet();
        let moved: Vec<(Vec<f64>, f64)> = self
            .inputs
            .par_iter()
            .map(|x| {
                let next = self.map.with_input(x)?.step(self.centre);
                let d: Vec<f64> = next.iter().zip(&quiet).map(|(a, b)| a - b).collect();
                let along = d.iter().zip(self.slow).map(|(d, l)| d * l).sum();
                Ok((d, along))
            })
            .collect::<Result<_>>()?;
        let usually = fitted(&moved, usual)?;
        let displacement: Vec<(Vec<f64>, Vec<f64>)> =
            moved.into_iter().map(|(d, s)| (d, usually(s))).collect();
        let plain = self.read(&sum(&quiet, &usually(0.0)));
        let codes: Vec<Vec<f64>> =
            displacement.par_iter().map(|(d, f)| self.code(&quiet, d, f)).collect();
        let square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>();
        let size = square(&plain).max(f64::MIN_POSITIVE);
        let gain = |b: &Vec<f64>| b.iter().zip(&plain).map(|(b, p)| b * p).sum::<f64>() / size;
        Ok(Barcodes {
            effect: codes.iter().map(|b| (square(b) / size).sqrt()).collect(),
            gain: codes.iter().map(gain).collect(),
            norm: size.sqrt(),
            displacement,
            codes,
        })
    }

    /// Change of the readout of every probe between two displacements of `quiet`.
    fn code(&self, quiet: &[f64], to: &[f64], from: &[f64]) -> Vec<f64> {
        let (there, here) = (self.read(&sum(quiet, to)), self.read(&sum(quiet, from)));
        there.iter().zip(&here).map(|(a, b)| a - b).collect()
    }

    /// Effects of displacements that no word has: what the words do besides `f` is
    /// shuffled among them, each of its principal components on its own.
    ///
    /// Words that move the state besides `f` by more than five times the median are what is looked
    /// for: they play no part in the null, which in a vocabulary of twelve words would be made of them.
    ///
    /// * `words`: whose displacements; `count`: effects drawn
    ///
    /// # Errors
    /// [`crate::Error::NotFinite`] for displacements with NaN.
    pub fn null(
        &self,
        found: &Barcodes,
        words: &[usize],
        count: usize,
        seed: u64,
    ) -> Result<Vec<f64>> {
        let length = |w: &usize| found.beyond(*w).iter().map(|x| x * x).sum::<f64>().sqrt();
        let mut lengths: Vec<f64> = words.iter().map(length).collect();
        lengths.sort_by(f64::total_cmp);
        let usual = OUTLYING * lengths.get(lengths.len() / 2).copied().unwrap_or(0.0);
        let words: Vec<usize> = words.iter().copied().filter(|w| length(w) <= usual).collect();
        if words.len() < 2 {
            return Ok(Vec::new());
        }
        let size = self.centre.len();
        let rest: Vec<Vec<f64>> = words.iter().map(|&w| found.beyond(w)).collect();
        let pca = Pca::of(&Matrix::from_fn(words.len(), size, |i, j| rest[i][j]))?;
        let axes = pca.directions.ncols();
        let coordinates: Vec<Vec<f64>> = rest.iter().map(|d| pca.coordinates(d, axes)).collect();
        let quiet = self.quiet();
        let mut stream = seed::stream(seed, "modifiers/null");
        let mut drawn = Vec::with_capacity(count);
        while drawn.len() < count {
            let mut columns: Vec<Vec<f64>> =
                (0..axes).map(|a| coordinates.iter().map(|c| c[a]).collect()).collect();
            columns.iter_mut().for_each(|c| c.shuffle(&mut stream));
            let effect = |i: usize| -> f64 {
                let mut d = pca.mean.clone();
                for (a, column) in columns.iter().enumerate() {
                    d.axpy(column[i], &pca.directions.column(a), 1.0);
                }
                let usual = &found.displacement[words[i]].1;
                let code = self.code(&quiet, &sum(usual, d.as_slice()), usual);
                code.iter().map(|x| x * x).sum::<f64>().sqrt() / found.norm
            };
            let more = words.len().min(count - drawn.len());
            drawn.extend((0..more).into_par_iter().map(effect).collect::<Vec<_>>());
        }
        Ok(drawn)
    }

    /// How a word's effect fades while the input is held.
    pub fn decay(&self, found: &Barcodes, word: usize) -> Decay {
        let quiet = self.quiet();
        let (own, usual) = &found.displacement[word];
        let (mut state, mut base) = (sum(&quiet, own), sum(&quiet, usual));
        let mut effects = Vec::with_capacity(FOLLOWED);
        for _ in 0..FOLLOWED {
            let (there, here) = (self.read(&state), self.read(&base));
            let square = there.iter().zip(&here).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
            effects.push(square.sqrt());
            base = self.map.step(&base).as_slice().to_vec();
            state = self.map.step(&state).as_slice().to_vec();
        }
        Decay::of(&effects)
    }
}

/// How an effect fades, in tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decay {
    /// The lag at which half of it is left, over `ln 2`; `None` if it outlasts what is followed.
    pub half: Option<f64>,
    /// `τ` of the exponential `e^{−k/τ}` that fits the logarithms by least squares; `None` for
    /// fewer than three lags, or an effect that does not fade.
    pub fitted: Option<f64>,
    /// 95 % interval of `fitted`, from the standard error of the slope; the upper end is infinite
    /// where a slope of zero lies within. NaN where nothing was fitted.
    pub interval: (f64, f64),
}

/// Share of its first value below which an effect is over.
const OVER: f64 = 0.05;
/// Standard errors of a 95 % interval.
const WIDTH: f64 = 1.96;

impl Decay {
    /// * `effects`: at lags 0, 1, …
    pub fn of(effects: &[f64]) -> Self {
        let first = effects.first().copied().unwrap_or(0.0);
        let below = effects.iter().position(|e| *e <= first / 2.0).filter(|lag| *lag > 0);
        let half = below.map(|lag| {
            let (before, after) = (effects[lag - 1], effects[lag]);
            let share = (before - first / 2.0) / (before - after);
            ((lag - 1) as f64 + share) / std::f64::consts::LN_2
        });
        let logs: Vec<f64> =
            effects.iter().take_while(|e| **e > OVER * first).map(|e| e.ln()).collect();
        let count = logs.len() as f64;
        let none = Self { half, fitted: None, interval: (f64::NAN, f64::NAN) };
        if logs.len() < 3 {
            return none;
        }
        let (lag, mean) = ((count - 1.0) / 2.0, logs.iter().sum::<f64>() / count);
        let spread: f64 = (0..logs.len()).map(|k| (k as f64 - lag).powi(2)).sum();
        let slope =
            (0..logs.len()).map(|k| (k as f64 - lag) * (logs[k] - mean)).sum::<f64>() / spread;
        let line = |k: usize| mean + slope * (k as f64 - lag);
        let rest: f64 = (0..logs.len()).map(|k| (logs[k] - line(k)).powi(2)).sum();
        let error = WIDTH * (rest / (count - 2.0) / spread).sqrt();
        if slope >= 0.0 {
            return none;
        }
        let tau = |slope: f64| if slope < 0.0 { -1.0 / slope } else { f64::INFINITY };
        Self {
            fitted: Some(tau(slope)),
            interval: (tau(slope - error), tau(slope + error)),
            ..none
        }
    }
}

fn sum(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

/// `f(s) = c_0 + c_1 s + c_2 s²` over the `usual` words, by least squares in which a word
/// counts the less the further it lies from the fit: with `r` its distance in units of the
/// median distance, by `1/(1 + r²)` (Cauchy's weights), repeated. Modifiers would draw a plain
/// fit towards them where words are few.
fn fitted(moved: &[(Vec<f64>, f64)], usual: &[usize]) -> Result<impl Fn(f64) -> Vec<f64> + use<>> {
    let size = moved.first().map_or(0, |m| m.0.len());
    let powers = |s: f64| [1.0, s, s * s];
    let design = Matrix::from_fn(usual.len(), 3, |i, j| powers(moved[usual[i]].1)[j]);
    let target = Matrix::from_fn(usual.len(), size, |i, j| moved[usual[i]].0[j]);
    let solve = |weights: &[f64]| -> Result<Matrix> {
        let scaled = |m: &Matrix| {
            Matrix::from_fn(m.nrows(), m.ncols(), |i, j| m[(i, j)] * weights[i].sqrt())
        };
        let parts = svd(&scaled(&design))?;
        let largest = parts.singular.first().copied().unwrap_or(0.0);
        let mut inverse = parts.v;
        for (mut column, s) in inverse.column_iter_mut().zip(&parts.singular) {
            column *= if *s > 1e-12 * largest { 1.0 / s } else { 0.0 };
        }
        Ok(inverse * parts.u.transpose() * scaled(&target))
    };
    let mut coefficients = solve(&vec![1.0; usual.len()])?;
    for _ in 0..REWEIGHTED {
        let rest = &target - &design * &coefficients;
        let far: Vec<f64> = rest.row_iter().map(|r| r.norm()).collect();
        let mut sorted = far.clone();
        sorted.sort_by(f64::total_cmp);
        let median = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
        if median == 0.0 {
            break;
        }
        let weights: Vec<f64> = far.iter().map(|r| 1.0 / (1.0 + (r / median).powi(2))).collect();
        coefficients = solve(&weights)?;
    }
    Ok(move |s: f64| {
        let at = powers(s);
        coefficients.column_iter().map(|c| c.iter().zip(&at).map(|(c, p)| c * p).sum()).collect()
    })
}

impl Barcodes {
    /// What a word does to the state besides what words of its valence do, `d_m − f(s_m)`.
    pub fn beyond(&self, word: usize) -> Vec<f64> {
        let (own, usual) = &self.displacement[word];
        own.iter().zip(usual).map(|(d, f)| d - f).collect()
    }

    /// A word's barcode, `[probes]`.
    pub fn code(&self, word: usize) -> &[f64] {
        &self.codes[word]
    }

    /// Coordinates of all words on the first component of the barcodes of `strong`
    /// words, `[words]`; negators and intensifiers differ in sign. The sign is that
    /// of the gain.
    ///
    /// # Errors
    /// [`crate::Error::NotFinite`] for barcodes with NaN.
    pub fn component(&self, strong: &[usize]) -> Result<Vec<f64>> {
        let probes = self.codes.first().map_or(0, Vec::len);
        let rows = Matrix::from_fn(strong.len(), probes, |i, j| self.codes[strong[i]][j]);
        let direction = svd(&rows)?.v.column(0).into_owned();
        let on = |b: &Vec<f64>| b.iter().zip(direction.iter()).map(|(b, v)| b * v).sum::<f64>();
        let all: Vec<f64> = self.codes.iter().map(on).collect();
        let agree: f64 = strong.iter().map(|&w| all[w] * self.gain[w]).sum();
        Ok(all.into_iter().map(|x| if agree < 0.0 { -x } else { x }).collect())
    }
}
