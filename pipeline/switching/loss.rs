//! The terms of the loss, and what a sequence asks.

use crate::setting;
use serde::{Deserialize, Serialize};

/// Weights of the terms of the loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Losses {
    /// `λ_rnn`: the network's outputs.
    #[serde(deserialize_with = "setting::not_negative")]
    pub rnn: f64,
    /// `λ_jslds`: the linear system's outputs.
    #[serde(deserialize_with = "setting::not_negative")]
    pub jslds: f64,
    /// `λ_e`: how far expansion points are from being fixed.
    #[serde(deserialize_with = "setting::not_negative")]
    pub expansion: f64,
    /// `λ_a`: how far the linear system's states are from the network's.
    #[serde(deserialize_with = "setting::not_negative")]
    pub state: f64,
    /// `λ_2`: squares of all parameters.
    #[serde(deserialize_with = "setting::not_negative")]
    pub l2: f64,
}

impl Default for Losses {
    /// Those published for three bits of memory.
    fn default() -> Self {
        Self { rnn: 3.0, jslds: 1.0, expansion: 100.0, state: 10.0, l2: 0.0 }
    }
}

impl Losses {
    /// The network alone, without its linear system; where its own outputs have no weight, they have 1 here: else nothing would
    /// be asked of it.
    pub fn alone(self) -> Self {
        let rnn = if self.rnn > 0.0 { self.rnn } else { 1.0 };
        Self { rnn, jslds: 0.0, expansion: 0.0, state: 0.0, ..self }
    }

    /// Whether the linear system has a part in the loss.
    pub fn is_joint(&self) -> bool {
        self.jslds > 0.0 || self.expansion > 0.0 || self.state > 0.0
    }

    /// The sum of the terms, each times its weight; the squares of the parameters are not among them.
    pub fn total(&self, terms: &Terms) -> f64 {
        self.rnn * terms.rnn
            + self.jslds * terms.jslds
            + self.expansion * terms.expansion
            + self.state * terms.state
    }
}

/// What each term is, before its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// Mean loss of the network's outputs.
    pub rnn: f64,
    /// The same of the linear system's.
    pub jslds: f64,
    /// `mean (e − F(e, u*))²`.
    pub expansion: f64,
    /// `mean (a − h)²`.
    pub state: f64,
}

impl std::ops::AddAssign for Terms {
    fn add_assign(&mut self, other: Self) {
        self.rnn += other.rnn;
        self.jslds += other.jslds;
        self.expansion += other.expansion;
        self.state += other.state;
    }
}

impl std::ops::Mul<f64> for Terms {
    type Output = Self;

    fn mul(self, share: f64) -> Self {
        Self {
            rnn: share * self.rnn,
            jslds: share * self.jslds,
            expansion: share * self.expansion,
            state: share * self.state,
        }
    }
}

/// What should come out of a sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Target<'a> {
    /// A vector at every step: squared errors, mean over outputs and the steps that count.
    Steps {
        /// `[t, k]`.
        values: &'a [f32],
        /// `[t]`: how much a step counts.
        mask: &'a [f32],
    },
    /// A class at the last step: cross-entropy in nats, mean over sequences; with one output, `σ(o)` is the probability of
    /// class 1.
    Class(usize),
    /// Nothing: the sequence is only run.
    Nothing,
}

/// One sequence.
#[derive(Clone, Copy, Debug)]
pub struct Sequence<'a> {
    /// `[t, u]`, a step at least.
    pub inputs: &'a [f32],
    /// `u*`, `[u]`: the input at which the network is linearised.
    pub expansion_input: &'a [f32],
    /// What should come out.
    pub target: Target<'a>,
}

/// What the means of the loss divide by, over all sequences of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counts {
    /// Steps that count times outputs, or sequences with a class.
    pub outputs: f64,
    /// Steps times numbers of the state.
    pub states: f64,
}

impl Counts {
    pub(crate) fn of(sequences: &[Sequence], inputs: usize, outputs: usize, state: usize) -> Self {
        let mut counts = Self { outputs: 0.0, states: 0.0 };
        for sequence in sequences {
            counts.states += (sequence.inputs.len() / inputs * state) as f64;
            counts.outputs += match sequence.target {
                Target::Steps { mask, .. } => {
                    mask.iter().map(|m| *m as f64).sum::<f64>() * outputs as f64
                }
                Target::Class(_) => 1.0,
                Target::Nothing => 0.0,
            };
        }
        // Nothing counts: the sums are 0 too.
        counts.outputs = if counts.outputs > 0.0 { counts.outputs } else { 1.0 };
        counts
    }
}

/// Cross-entropy of a class in nats, and its slope by each output.
///
/// * `outputs`: `[k]`; one output is the logit of class 1
pub(crate) fn cross_entropy(outputs: &[f64], class: usize, slope: &mut [f64]) -> f64 {
    if let [x] = *outputs {
        let y = (class == 1) as u8 as f64;
        slope[0] = 1.0 / (1.0 + (-x).exp()) - y;
        return x.max(0.0) - x * y + (-x.abs()).exp().ln_1p();
    }
    let largest = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = outputs.iter().map(|x| (x - largest).exp()).sum();
    for (k, (x, slope)) in outputs.iter().zip(slope).enumerate() {
        *slope = (x - largest).exp() / total - (k == class) as u8 as f64;
    }
    total.ln() + largest - outputs[class]
}
