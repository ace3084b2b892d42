//! One step of Adam (Kingma & Ba 2015).

use accrue_ops::denormals::FlushDenormals;
use rayon::prelude::*;

/// Numbers that one piece of work moves; the order of all sums hangs on it.
const CHUNK: usize = 16 * 1024;

/// How a step is made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam<'a> {
    /// Decay of the mean gradient, `b1`.
    pub beta1: f64,
    /// Decay of the mean squared gradient, `b2`.
    pub beta2: f64,
    /// Added to the root.
    pub epsilon: f64,
    /// Largest global gradient norm; longer gradients are scaled down. 0 for none.
    pub clip: f64,
    /// Twice the weight of the parameters' squares in the loss.
    pub shrink: f64,
    /// How many times larger each parameter's learning rate is; none: they are alike.
    pub rates: Option<&'a [f32]>,
}

/// Means of gradients and of their squares.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Moments {
    /// `m`.
    pub first: Vec<f32>,
    /// `v`.
    pub second: Vec<f32>,
}

impl Moments {
    /// Zeros.
    pub fn new(count: usize) -> Self {
        Self { first: vec![0.0; count], second: vec![0.0; count] }
    }
}

impl Adam<'_> {
    /// Norm of the gradient, that of the parameters' squares included.
    pub fn norm(&self, parameters: &[f32], gradient: &[f32]) -> f64 {
        let shrink = self.shrink as f32;
        let of = |(x, g): (&[f32], &[f32])| -> f64 {
            x.iter().zip(g).map(|(x, g)| f64::from(g + shrink * x).powi(2)).sum()
        };
        let parts = parameters.par_chunks(CHUNK).zip(gradient.par_chunks(CHUNK));
        let parts: Vec<f64> = parts.map(of).collect();
        parts.iter().sum::<f64>().sqrt()
    }

    /// `x ← x − lr · m̂/(√v̂ + eps)` with gradient `clip·(g + shrink·x)`, at step `k`, counted from 0.
    ///
    /// * `norm`: that of the gradient
    pub fn step(
        &self,
        k: usize,
        learning_rate: f64,
        norm: f64,
        gradient: &[f32],
        parameters: &mut [f32],
        moments: &mut Moments,
    ) {
        let power = (k + 1) as f64;
        let clip = if self.clip > 0.0 && norm > self.clip { self.clip / norm } else { 1.0 };
        let (b1, b2) = (self.beta1 as f32, self.beta2 as f32);
        let rate = (learning_rate / (1.0 - self.beta1.powf(power))) as f32;
        let root = (1.0 / (1.0 - self.beta2.powf(power)).sqrt()) as f32;
        let (epsilon, clip, shrink) = (self.epsilon as f32, clip as f32, self.shrink as f32);
        parameters
            .par_chunks_mut(CHUNK)
            .zip(moments.first.par_chunks_mut(CHUNK))
            .zip(moments.second.par_chunks_mut(CHUNK))
            .zip(gradient.par_chunks(CHUNK))
            .enumerate()
            .for_each(|(chunk, (((x, m), v), g))| {
                let _flush = FlushDenormals::on_this_thread();
                let own = self.rates.map(|rates| &rates[chunk * CHUNK..][..x.len()]);
                for (i, (((x, m), v), g)) in x.iter_mut().zip(m).zip(v).zip(g).enumerate() {
                    let g = clip * (g + shrink * *x);
                    *m = b1 * *m + (1.0 - b1) * g;
                    *v = b2 * *v + (1.0 - b2) * g * g;
                    let rate = own.map_or(rate, |own| own[i] * rate);
                    *x -= rate * *m / (v.sqrt() * root + epsilon);
                }
            });
    }
}
