//! Two labels, one of them asked: every word speaks for or against both, and a cue says which one to answer.
//!
//! ```text
//! words (±1, ±1), one-hot      score_k = Σ_t w_t,k      ŷ = sign(score_cued), at the last step alone
//! ```
//!
//! The language is the product of two binary labels (arXiv 2010.15114). With the cue first the other label need not be
//! kept; with the cue last both must be.

use super::{Drawn, Held, Law, Scores};
use crate::seed::Stream;
use crate::{StepLoss, StepTargets, Vectors, seed, setting};
use rand::Rng;
use serde::{Deserialize, Serialize};

/// When the cue is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cue {
    /// Before the words.
    #[default]
    First,
    /// After them.
    Last,
}

/// How phrases are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Words of a phrase; one more is added to an even number, so that no score is 0.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000>")]
    pub words: usize,
    /// When the cue is read.
    pub cue: Cue,
}

impl Default for Settings {
    fn default() -> Self {
        Self { words: 21, cue: Cue::First }
    }
}

/// Labels, and so many words `2^LABELS`.
const LABELS: usize = 2;
const WORDS: usize = 4;

impl Settings {
    /// Words of a phrase: an odd number.
    fn length(&self) -> usize {
        self.words | 1
    }

    /// What an input says of a label: 1 or −1 for a word, 0 for the cue.
    pub fn said(&self, input: &[f32], label: usize) -> f64 {
        match input[..WORDS].iter().position(|x| *x == 1.0) {
            Some(word) if word >> label & 1 == 1 => 1.0,
            Some(_) => -1.0,
            None => 0.0,
        }
    }

    /// One phrase: inputs `[t, u]`, and the score of the cued label.
    ///
    /// * `bias`: mean of what a word says of each label, −1 to 1
    pub fn phrase(&self, cued: usize, bias: [f64; 2], stream: &mut Stream) -> (Vec<f32>, i64) {
        let mut sequence = Vec::with_capacity(self.steps() * self.inputs());
        let one_hot = |i: usize| (0..WORDS + LABELS).map(move |j| (i == j) as u8 as f32);
        if self.cue == Cue::First {
            sequence.extend(one_hot(WORDS + cued));
        }
        let mut score = 0;
        for _ in 0..self.length() {
            let said = bias.map(|b| stream.random_bool((1.0 + b.clamp(-1.0, 1.0)) / 2.0));
            sequence.extend(one_hot(said[0] as usize + 2 * said[1] as usize));
            score += if said[cued] { 1 } else { -1 };
        }
        if self.cue == Cue::Last {
            sequence.extend(one_hot(WORDS + cued));
        }
        (sequence, score)
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        "two labels, one asked".into()
    }

    fn inputs(&self) -> usize {
        WORDS + LABELS
    }

    fn outputs(&self) -> usize {
        1
    }

    fn steps(&self) -> usize {
        self.length() + 1
    }

    /// The condition is the label that is asked.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let mut inputs = Vectors::new(self.inputs());
        let (mut values, mut mask, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
        for trial in 0..count {
            let mut stream = seed::stream(seed, &format!("task/{split}/{trial}"));
            let cued = stream.random_range(0..LABELS);
            let (sequence, score) = self.phrase(cued, [0.0; 2], &mut stream);
            inputs.push(&sequence);
            for step in 1..=self.steps() {
                let last = step == self.steps();
                values.push(if last { score.signum() as f32 } else { 0.0 });
                mask.push(last as u8 as f32);
            }
            conditions.push(cued as u32);
        }
        let targets = StepTargets { width: 1, values, mask, loss: StepLoss::Squared };
        Drawn { inputs, targets, conditions }
    }

    /// Both answers are as likely: the best constant is 0 and errs by 1. All words are seen: nothing need be left.
    fn scores(&self) -> Scores {
        Scores { chance: 1.0, best: 0.0 }
    }

    fn conditions(&self) -> Vec<String> {
        (1..=LABELS).map(|label| format!("label {label} is asked")).collect()
    }

    /// The mean word.
    fn held(&self) -> Vec<Held> {
        let mean = |i: usize| if i < WORDS { 1.0 / WORDS as f64 } else { 0.0 };
        vec![Held { name: "mean word".into(), input: (0..WORDS + LABELS).map(mean).collect() }]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_the_sign_of_the_cued_labels_words() {
        for cue in [Cue::First, Cue::Last] {
            let settings = Settings { words: 8, cue };
            let drawn = settings.draw(100, 3, "train");
            for trial in 0..100 {
                let (first, steps) = (drawn.inputs.start(trial), drawn.inputs.length(trial));
                assert_eq!(steps, 10);
                let asked = drawn.conditions[trial] as usize;
                let at = if cue == Cue::First { 0 } else { 9 };
                assert_eq!(drawn.inputs.at(trial, at)[4 + asked], 1.0);
                let mut score = 0.0;
                for t in (0..10).filter(|t| *t != at) {
                    let word = drawn.inputs.at(trial, t).iter().position(|x| *x == 1.0).unwrap();
                    score += if word >> asked & 1 == 1 { 1.0 } else { -1.0_f32 };
                    let said = settings.said(drawn.inputs.at(trial, t), asked);
                    assert_eq!(said > 0.0, word >> asked & 1 == 1);
                }
                assert_eq!(drawn.targets.values[first + 9], score.signum());
                assert_eq!(drawn.targets.mask[first..first + 10].iter().sum::<f32>(), 1.0);
            }
        }
    }
}
