//! Many rules in one network: fifteen tasks of one circle of directions, told apart by a rule that is shown all along.
//!
//! ```text
//! x_t = (fixation, γ_1 cos θ_1, γ_1 sin θ_1, γ_2 cos θ_2, γ_2 sin θ_2, [rule = 1], …)    two modalities
//! ŷ_t = (1, 0, 0) while the eye rests,  (0, cos φ, sin φ) while it answers in direction φ
//! ```
//!
//! | rule | periods (c context, s stimulus, m memory, a answer) | answer |
//! |---|---|---|
//! | `DelayPro`, `DelayAnti` | c, s, a (the stimulus stays) | θ, θ + π |
//! | `MemoryPro`, `MemoryAnti` | c, s, m, a | θ, θ + π |
//! | `ReactPro`, `ReactAnti` | c, a (with the stimulus) | θ, θ + π, at once |
//! | `IntegrationModality1`, `…2` | c, s, m, s, a | the stronger of two stimuli in one modality |
//! | `ContextIntegration1`, `…2` | the same, both modalities shown | the stronger one in the rule's modality |
//! | `MultimodalIntegration` | the same | the stronger one of both modalities' sum |
//! | `MatchToSample`, `NonMatchToSample` | c, s, m, a (with a second stimulus) | the second direction, if it is (not) the first |
//! | `CategoryPro`, `CategoryAnti` | the same | the second direction, if it lies in the same (the other) half circle |
//!
//! Where a match rule asks for no answer, the eye goes on resting. The fixation input is 1 until an answer is asked for; in
//! rules that react to a stimulus it stays 1, for the stimulus is the signal. After Yang et al. (2019), with the fifteen
//! names of Driscoll et al. (2024); periods, strengths and noise are settings, in steps of this program and not in milliseconds.

use super::{Drawn, Held, Law, Scores};
use crate::seed::Stream;
use crate::{StepLoss, StepTargets, Vectors, seed, setting};
use rand::Rng;
use rand_distr::StandardNormal;
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, TAU};

/// What is asked in a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Answer in the stimulus' direction when the fixation input ends; the stimulus stays.
    DelayPro,
    /// The same, in the opposite direction.
    DelayAnti,
    /// Answer in the direction of a stimulus that is gone.
    MemoryPro,
    /// The same, in the opposite direction.
    MemoryAnti,
    /// Answer as soon as the stimulus is there.
    ReactPro,
    /// The same, in the opposite direction.
    ReactAnti,
    /// Of two stimuli of the first modality, the stronger one's direction.
    IntegrationModality1,
    /// Of two stimuli of the second modality.
    IntegrationModality2,
    /// Both modalities are shown, the first counts.
    ContextIntegration1,
    /// Both modalities are shown, the second counts.
    ContextIntegration2,
    /// Both modalities are shown, their sum counts.
    MultimodalIntegration,
    /// Answer if the second direction is the first one.
    MatchToSample,
    /// Answer if it is not.
    NonMatchToSample,
    /// Answer if both directions lie in one half of the circle.
    CategoryPro,
    /// Answer if they do not.
    CategoryAnti,
}

/// All rules, in the order of the table.
pub const RULES: [Rule; 15] = [
    Rule::DelayPro,
    Rule::DelayAnti,
    Rule::MemoryPro,
    Rule::MemoryAnti,
    Rule::ReactPro,
    Rule::ReactAnti,
    Rule::IntegrationModality1,
    Rule::IntegrationModality2,
    Rule::ContextIntegration1,
    Rule::ContextIntegration2,
    Rule::MultimodalIntegration,
    Rule::MatchToSample,
    Rule::NonMatchToSample,
    Rule::CategoryPro,
    Rule::CategoryAnti,
];

impl Rule {
    /// Whether this rule answers in the opposite direction.
    fn is_anti(self) -> bool {
        matches!(self, Rule::DelayAnti | Rule::MemoryAnti | Rule::ReactAnti)
    }

    /// Periods in which the eye rests before the answer.
    fn waits(self) -> usize {
        match self {
            Rule::ReactPro | Rule::ReactAnti => 1,
            Rule::DelayPro | Rule::DelayAnti => 2,
            Rule::MemoryPro | Rule::MemoryAnti => 3,
            rule if rule.matches() => 3,
            _ => 4,
        }
    }

    /// Whether half of its trials ask for no answer.
    fn matches(self) -> bool {
        matches!(
            self,
            Rule::MatchToSample | Rule::NonMatchToSample | Rule::CategoryPro | Rule::CategoryAnti
        )
    }
}

/// How trials are drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Rules that are asked, each as often; none: all fifteen.
    pub rules: Vec<Rule>,
    /// Directions of the circle, evenly spaced; one more is added to an odd number, so that both halves hold as many.
    #[serde(deserialize_with = "setting::whole::<_, 4, 1024>")]
    pub directions: usize,
    /// Least steps of a period: context, stimulus, memory.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000>")]
    pub period_least: usize,
    /// Most steps of a period; each number from least to most is as likely.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000>")]
    pub period_most: usize,
    /// Steps of the answer.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000>")]
    pub answer: usize,
    /// Steps after an answer is asked for that are not scored; at least one step of an answer is.
    #[serde(deserialize_with = "setting::count")]
    pub grace: usize,
    /// By how much the stronger of two stimuli exceeds 1, and the weaker falls short of it; each is as likely.
    #[serde(deserialize_with = "setting::numbers")]
    pub coherences: Vec<f64>,
    /// Standard deviation of normal noise on fixation and stimuli.
    #[serde(deserialize_with = "setting::not_negative")]
    pub noise: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            directions: 32,
            period_least: 5,
            period_most: 15,
            answer: 10,
            grace: 2,
            coherences: vec![0.08, 0.16, 0.32, 0.64],
            noise: 0.1,
        }
    }
}

/// Numbers that enter beside the rule: fixation, two modalities of two.
const STIMULI: usize = 5;

/// A direction as a number of the circle's, and its strength, in each modality.
type Shown = [Option<(usize, f64)>; 2];

/// What happens in a trial.
struct Script {
    /// Steps of each period before the answer, with what is shown.
    waits: Vec<(usize, Shown)>,
    /// What is shown while an answer is asked for.
    then: Shown,
    /// Whether the fixation input ends there.
    released: bool,
    /// The direction of the answer, radians; `None`: the eye rests.
    answer: Option<f64>,
}

impl Settings {
    /// The rules that are asked, each once.
    pub fn asked(&self) -> Vec<Rule> {
        if self.rules.is_empty() {
            return RULES.to_vec();
        }
        let mut asked = Vec::new();
        for &rule in &self.rules {
            if !asked.contains(&rule) {
                asked.push(rule);
            }
        }
        asked
    }

    /// Directions of the circle: an even number.
    fn circle(&self) -> usize {
        self.directions.next_multiple_of(2)
    }

    /// `θ_i = 2π (i + ½)/n`: none lies between the halves.
    fn angle(&self, direction: usize) -> f64 {
        TAU * (direction as f64 + 0.5) / self.circle() as f64
    }

    fn longest(&self) -> usize {
        self.period_most.max(self.period_least)
    }

    /// Steps of the answer that are scored.
    fn scored(&self) -> usize {
        self.answer.saturating_sub(self.grace).max(1)
    }

    fn coherence(&self, stream: &mut Stream) -> f64 {
        let size = match self.coherences.len() {
            0 => 0.0,
            n => self.coherences[stream.random_range(0..n)],
        };
        if stream.random_bool(0.5) { size } else { -size }
    }

    fn script(&self, rule: Rule, stream: &mut Stream) -> Script {
        let n = self.circle();
        let mut period = || stream.random_range(self.period_least..=self.longest());
        let steps: Vec<usize> = (0..rule.waits()).map(|_| period()).collect();
        let first = stream.random_range(0..n);
        let single = |modality: usize, direction| {
            let mut shown = [None; 2];
            shown[modality] = Some((direction, 1.0));
            shown
        };
        let none: Shown = [None; 2];
        if rule.matches() {
            let (modality, yes) = (stream.random_range(0..2), stream.random_bool(0.5));
            let same = yes == matches!(rule, Rule::MatchToSample | Rule::CategoryPro);
            let half = n / 2;
            let second = match rule {
                Rule::CategoryPro | Rule::CategoryAnti => {
                    let side = if same { first / half } else { 1 - first / half };
                    side * half + stream.random_range(0..half)
                }
                _ if same => first,
                _ => (first + stream.random_range(1..n)) % n,
            };
            let shown = [none, single(modality, first), none];
            return Script {
                waits: steps.into_iter().zip(shown).collect(),
                then: single(modality, second),
                released: false,
                answer: yes.then(|| self.angle(second)),
            };
        }
        if rule.waits() == 4 {
            return self.comparison(rule, first, steps, stream);
        }
        let stimulus = single(stream.random_range(0..2), first);
        let (shown, then) = match rule {
            Rule::ReactPro | Rule::ReactAnti => (vec![none], stimulus),
            Rule::DelayPro | Rule::DelayAnti => (vec![none, stimulus], stimulus),
            _ => (vec![none, stimulus, none], none),
        };
        let turn = if rule.is_anti() { PI } else { 0.0 };
        Script {
            waits: steps.into_iter().zip(shown).collect(),
            then,
            released: !matches!(rule, Rule::ReactPro | Rule::ReactAnti),
            answer: Some(self.angle(first) + turn),
        }
    }

    /// Two stimuli, one after the other: which was stronger?
    fn comparison(
        &self,
        rule: Rule,
        first: usize,
        steps: Vec<usize>,
        stream: &mut Stream,
    ) -> Script {
        let second = (first + stream.random_range(1..self.circle())) % self.circle();
        let (asked, other) = (self.coherence(stream), self.coherence(stream));
        // By how much the first stimulus exceeds the second one in each modality, halved.
        let by: [Option<f64>; 2] = match rule {
            Rule::IntegrationModality1 => [Some(asked), None],
            Rule::IntegrationModality2 => [None, Some(asked)],
            Rule::ContextIntegration1 => [Some(asked), Some(other)],
            Rule::ContextIntegration2 => [Some(other), Some(asked)],
            // Together they say `asked`; each alone may say otherwise.
            _ => [Some(asked + other), Some(asked - other)],
        };
        let shown = |direction, sign: f64| by.map(|c| c.map(|c| (direction, 1.0 + sign * c)));
        let all = [[None; 2], shown(first, 1.0), [None; 2], shown(second, -1.0)];
        let answer = if asked > 0.0 { first } else { second };
        Script {
            waits: steps.into_iter().zip(all).collect(),
            then: [None; 2],
            released: true,
            answer: Some(self.angle(answer)),
        }
    }

    /// One step's input without noise.
    fn input(&self, fixation: f64, shown: &Shown, rule: usize, rules: usize) -> Vec<f64> {
        let mut x = vec![0.0; STIMULI + rules];
        x[0] = fixation;
        for (modality, stimulus) in shown.iter().enumerate() {
            if let Some((direction, strength)) = stimulus {
                let (sin, cos) = self.angle(*direction).sin_cos();
                x[1 + 2 * modality] = strength * cos;
                x[2 + 2 * modality] = strength * sin;
            }
        }
        x[STIMULI + rule] = 1.0;
        x
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        match self.asked().len() {
            1 => format!("one rule, {:?}", self.asked()[0]),
            n => format!("{n} rules"),
        }
    }

    fn inputs(&self) -> usize {
        STIMULI + self.asked().len()
    }

    fn outputs(&self) -> usize {
        3
    }

    fn steps(&self) -> usize {
        let waits = self.asked().into_iter().map(Rule::waits).max().unwrap_or(0);
        waits.saturating_mul(self.longest()).saturating_add(self.answer)
    }

    /// The condition is the rule, by its place in [`Settings::asked`].
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let rules = self.asked();
        let mut inputs = Vectors::new(self.inputs());
        let (mut values, mut mask, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
        for trial in 0..count {
            let mut stream = seed::stream(seed, &format!("task/{split}/{trial}"));
            let place = stream.random_range(0..rules.len());
            let script = self.script(rules[place], &mut stream);
            let mut sequence = Vec::new();
            let mut step = |fixation: f64, shown: &Shown| {
                let clean = self.input(fixation, shown, place, rules.len());
                sequence.extend(clean.iter().enumerate().map(|(i, x)| {
                    let noise = match i < STIMULI && self.noise > 0.0 {
                        true => self.noise * stream.sample::<f64, _>(StandardNormal),
                        false => 0.0,
                    };
                    (x + noise) as f32
                }));
            };
            for (steps, shown) in &script.waits {
                (0..*steps).for_each(|_| step(1.0, shown));
                values.extend([1.0, 0.0, 0.0].repeat(*steps));
                mask.extend(vec![1.0; *steps]);
            }
            let said = script.answer.map_or([1.0, 0.0, 0.0], |angle| {
                let (sin, cos) = angle.sin_cos();
                [0.0, cos as f32, sin as f32]
            });
            for t in 0..self.answer {
                step(if script.released { 0.0 } else { 1.0 }, &script.then);
                values.extend(said);
                mask.push((t + self.scored() >= self.answer) as u8 as f32);
            }
            inputs.push(&sequence);
            conditions.push(place as u32);
        }
        let targets = StepTargets { width: 3, values, mask, loss: StepLoss::Squared };
        Drawn { inputs, targets, conditions }
    }

    /// Let the eye rest in a share `p` of the scored steps. All directions are as likely, so the best constant answer
    /// is `(p, 0, 0)`, and errs by `(p (1 − p) + (1 − p) E[cos²] + (1 − p) E[sin²]) / 3 = (1 − p²)/3`. With `w` periods of
    /// `m` steps each in the mean before the answer, of which `a` steps are scored,
    ///
    /// ```text
    /// p = Σ_rules (w m + a g) / Σ_rules (w m + a)        g = ½ for the match rules, 0 for the others
    /// ```
    ///
    /// Without noise nothing need be left; with noise 0 is a lower bound.
    fn scores(&self) -> Scores {
        let mean = (self.period_least + self.longest()) as f64 / 2.0;
        let answer = self.scored() as f64;
        let (mut rests, mut all) = (0.0, 0.0);
        for rule in self.asked() {
            let waits = rule.waits() as f64 * mean;
            rests += waits + if rule.matches() { 0.5 * answer } else { 0.0 };
            all += waits + answer;
        }
        let p: f64 = rests / all;
        Scores { chance: (1.0 - p * p) / 3.0, best: 0.0 }
    }

    /// Each rule, waiting: fixation, no stimulus.
    fn held(&self) -> Vec<Held> {
        let rules = self.asked();
        let held = |(place, rule): (usize, &Rule)| Held {
            name: format!("{rule:?}, waiting"),
            input: self.input(1.0, &[None; 2], place, rules.len()),
        };
        rules.iter().enumerate().map(held).collect()
    }

    fn conditions(&self) -> Vec<String> {
        self.asked().iter().map(|rule| format!("{rule:?}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Angle and strength of a modality at a step, if anything is shown.
    fn seen(x: &[f32], modality: usize) -> Option<(f64, f64)> {
        let (c, s) = (x[1 + 2 * modality] as f64, x[2 + 2 * modality] as f64);
        let strength = c.hypot(s);
        (strength > 1e-3).then(|| (s.atan2(c).rem_euclid(TAU), strength))
    }

    /// Stimuli of a trial in the order they are shown: for each, both modalities.
    fn stimuli(drawn: &Drawn, trial: usize) -> Vec<[Option<(f64, f64)>; 2]> {
        let mut found: Vec<[Option<(f64, f64)>; 2]> = Vec::new();
        let mut before = false;
        for t in 0..drawn.inputs.length(trial) {
            let now = [0, 1].map(|m| seen(drawn.inputs.at(trial, t), m));
            let shown = now.iter().any(Option::is_some);
            if shown && !before {
                found.push(now);
            }
            before = shown;
        }
        found
    }

    /// What the names of the rules say, read off the inputs alone.
    fn expected(rule: Rule, stimuli: &[[Option<(f64, f64)>; 2]]) -> Option<f64> {
        let any = |i: usize| stimuli[i].iter().flatten().next().unwrap().0;
        let strength = |i: usize, m: usize| stimuli[i][m].map_or(0.0, |s| s.1);
        let stronger = |difference: f64| Some(if difference > 0.0 { any(0) } else { any(1) });
        let difference = |m: usize| strength(0, m) - strength(1, m);
        let close = || (any(0) - any(1)).abs() < 1e-3;
        let category = || (any(0) < PI) == (any(1) < PI);
        match rule {
            Rule::DelayPro | Rule::MemoryPro | Rule::ReactPro => Some(any(0)),
            Rule::DelayAnti | Rule::MemoryAnti | Rule::ReactAnti => Some(any(0) + PI),
            Rule::IntegrationModality1 | Rule::ContextIntegration1 => stronger(difference(0)),
            Rule::IntegrationModality2 | Rule::ContextIntegration2 => stronger(difference(1)),
            Rule::MultimodalIntegration => stronger(difference(0) + difference(1)),
            Rule::MatchToSample => close().then(|| any(1)),
            Rule::NonMatchToSample => (!close()).then(|| any(1)),
            Rule::CategoryPro => category().then(|| any(1)),
            Rule::CategoryAnti => (!category()).then(|| any(1)),
        }
    }

    #[test]
    fn every_rule_asks_for_what_its_name_says() {
        let settings = Settings { noise: 0.0, ..Settings::default() };
        let drawn = settings.draw(3000, 5, "train");
        let mut answered = [0; 15];
        let mut asked = [0; 15];
        for trial in 0..3000 {
            let place = drawn.conditions[trial] as usize;
            let rule = RULES[place];
            asked[place] += 1;
            let (first, steps) = (drawn.inputs.start(trial), drawn.inputs.length(trial));
            let cue = &drawn.inputs.at(trial, 0)[5..];
            assert_eq!(cue.iter().position(|x| *x == 1.0), Some(place));
            let target = &drawn.targets.values[3 * (first + steps - 1)..][..3];
            match expected(rule, &stimuli(&drawn, trial)) {
                Some(angle) => {
                    answered[place] += 1;
                    assert!((target[1] as f64 - angle.cos()).abs() < 1e-5, "{rule:?} {trial}");
                    assert!((target[2] as f64 - angle.sin()).abs() < 1e-5, "{rule:?} {trial}");
                    assert_eq!(target[0], 0.0);
                }
                None => assert_eq!(target, [1.0, 0.0, 0.0], "{rule:?} {trial}"),
            }
            // The last input says whether the answer was released, and two steps after the signal are not scored.
            let reacts = rule.matches() || matches!(rule, Rule::ReactPro | Rule::ReactAnti);
            assert_eq!(drawn.inputs.at(trial, steps - 1)[0] == 1.0, reacts);
            let mask = &drawn.targets.mask[first..first + steps];
            assert_eq!(mask.iter().sum::<f32>(), (steps - 2) as f32);
            assert_eq!(mask[steps - 10..steps - 8], [0.0, 0.0]);
        }
        for (place, rule) in RULES.iter().enumerate() {
            let share = answered[place] as f64 / asked[place] as f64;
            assert!((140..=260).contains(&asked[place]), "{rule:?}: {} of 3000", asked[place]);
            match rule.matches() {
                true => assert!((0.35..0.65).contains(&share), "{rule:?}: {share}"),
                false => assert_eq!(share, 1.0),
            }
        }
    }

    #[test]
    fn the_best_constant_answer_errs_as_its_formula_says() {
        let few = vec![Rule::MemoryPro, Rule::MatchToSample, Rule::MemoryPro];
        for rules in [Vec::new(), few] {
            let settings = Settings { rules, ..Settings::default() };
            let drawn = settings.draw(4000, 6, "train");
            let scored = |k: usize| {
                let steps = drawn.targets.mask.iter().enumerate().filter(|(_, m)| **m > 0.0);
                steps.map(|(t, _)| drawn.targets.values[3 * t + k] as f64).collect::<Vec<_>>()
            };
            let variance = |y: Vec<f64>| {
                let mean = y.iter().sum::<f64>() / y.len() as f64;
                y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / y.len() as f64
            };
            let found = (0..3).map(|k| variance(scored(k))).sum::<f64>() / 3.0;
            let chance = settings.scores().chance;
            assert!((found / chance - 1.0).abs() < 0.02, "{found} and {chance}");
            assert!(drawn.inputs.len() == 4000 && settings.held().len() == settings.asked().len());
        }
    }
}
