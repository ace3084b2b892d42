//! What is claimed of gating: of the formula, whose truth is known, and of networks.

use super::{Seen, Selects};
use crate::analyses::gating::Draw;
use crate::data::Task;
use crate::data::tasks::labels::Cue;
use crate::experiment::Gating;
use crate::recordings::generator::Decision;
use crate::recordings::geometry::{Model, apparent_ratio};
use crate::studies::text::{Claim, NONE};
use crate::summary;

/// Decision signals at which the formula is compared (arXiv 2306.16733).
const COMPARED: [f64; 3] = [0.0, 1.0, 3.0];

/// Every claim that the settings allow.
pub(super) fn all(g: &Gating, draws: &[Draw], seen: &[Seen], selects: &[Selects]) -> Vec<Claim> {
    let mut all = of_formula(g, draws);
    match &g.of.task {
        Task::Labels(law) if !seen.is_empty() => all.extend(of_labels(g, seen, law.cue)),
        _ if !seen.is_empty() => all.extend(of_networks(g, seen, selects)),
        _ => {}
    }
    all
}

/// 95 % interval of a mean.
fn interval(values: &[f64], seed: u64, name: &str) -> (f64, f64) {
    summary::bootstrap(values, |v| Some(summary::mean(v)), seed, &format!("gating/{name}"))
}

/// A mean with its interval.
struct Mean {
    value: f64,
    low: f64,
    high: f64,
    n: usize,
}

impl Mean {
    fn of(values: &[f64], seed: u64, name: &str) -> Self {
        let (low, high) = interval(values, seed, name);
        Self { value: summary::mean(values), low, high, n: values.len() }
    }

    fn within(&self, centre: f64, margin: f64) -> bool {
        self.low >= centre - margin && self.high <= centre + margin
    }

    fn claim(
        &self,
        name: &'static str,
        statement: String,
        reference: &'static str,
        holds: bool,
    ) -> Claim {
        let interval = (self.low, self.high);
        Claim { name, statement, measured: self.value, interval, n: self.n, reference, holds }
    }
}

fn of_formula(g: &Gating, draws: &[Draw]) -> Vec<Claim> {
    let values = |decision, strength, gate, f: &dyn Fn(&Draw) -> f64| -> Vec<f64> {
        let own = |d: &&Draw| d.decision == decision && d.strength == strength && d.gate == gate;
        draws.iter().filter(own).map(f).collect()
    };
    let mut all = Vec::new();
    let strengths: Vec<f64> =
        COMPARED.into_iter().filter(|s| g.generated.strengths.contains(s)).collect();
    let open = g.shown.gates.contains(&1.0);
    if let Some(&most) = strengths.last().filter(|s| **s > 0.0 && open) {
        let before = values(Decision::Shared, most, 1.0, &|d| d.measured.before[0]);
        let before = Mean::of(&before, g.seed, "F1");
        all.push(before.claim(
            "F1",
            format!(
                "a code without a gate looks gated: irrelevant over relevant, with a decision signal {most} times the \
                 input"
            ),
            "arXiv 2306.16733; the whole interval below .5",
            before.high < 0.5,
        ));
        let errors: Vec<(f64, Mean)> = strengths
            .iter()
            .map(|&s| {
                let found = values(Decision::Shared, s, 1.0, &|d| {
                    d.measured.before[0] / apparent_ratio(s, 1.0)
                });
                (s, Mean::of(&found, g.seed, "F2"))
            })
            .collect();
        let worst = errors
            .iter()
            .max_by(|a, b| (a.1.value - 1.0).abs().total_cmp(&(b.1.value - 1.0).abs()));
        let (strength, worst) = worst.expect("there are strengths");
        all.push(worst.claim(
            "F2",
            format!(
                "ratio over that of the formula 1/(1 + s²), where it is farthest off of s = {}: s = {strength}",
                list(&strengths)
            ),
            "derived; within 10 %, the whole interval",
            errors.iter().all(|(_, m)| m.within(1.0, 0.1)),
        ));
        let after = |gate: f64| -> Vec<(f64, Mean)> {
            let of = |&s: &f64| {
                let found = values(Decision::Shared, s, gate, &|d| d.measured.without_choice);
                (s, Mean::of(&found, g.seed, "F3"))
            };
            strengths.iter().map(of).collect()
        };
        let farthest = |all: &[(f64, Mean)], from: f64| {
            let off = |m: &Mean| (m.value - from).abs();
            let i = (0..all.len()).max_by(|&i, &j| off(&all[i].1).total_cmp(&off(&all[j].1)));
            i.expect("there are strengths")
        };
        let ungated = after(1.0);
        let (strength, worst) = &ungated[farthest(&ungated, 1.0)];
        all.push(worst.claim(
            "F3",
            format!(
                "without the axes of choice nothing looks gated, farthest from 1 at s = {strength}"
            ),
            "derived; 1 ± .15, the whole interval, at every s",
            ungated.iter().all(|(_, m)| m.within(1.0, 0.15)),
        ));
        for &gate in g.shown.gates.iter().filter(|gate| **gate < 1.0) {
            let gated = after(gate);
            let (strength, worst) = &gated[farthest(&gated, gate * gate)];
            all.push(worst.claim(
                "F4",
                format!(
                    "a gate of {gate} is found without the axes of choice: ratio, farthest from {:.2} at s = {strength}",
                    gate * gate
                ),
                "derived; γ² ± .1, the whole interval, at every s",
                gated.iter().all(|(_, m)| m.within(gate * gate, 0.1)),
            ));
        }
    }
    let winners = |decision, strength: f64, f: &dyn Fn(Model) -> bool| {
        values(decision, strength, 1.0, &|d| f(d.measured.models.winner) as u8 as f64)
    };
    if strengths.contains(&0.0) && open {
        let share = winners(Decision::Shared, 0.0, &|m| m == Model::Grid);
        let share = Mean::of(&share, g.seed, "F5");
        all.push(share.claim(
            "F5",
            "without a decision signal the grid wins the regression of distances: share of draws".into(),
            "derived; every draw",
            share.value == 1.0,
        ));
    }
    if let Some(&most) = strengths.last().filter(|s| **s > 0.0) {
        for (decision, name, wins) in [
            (Decision::Shared, "one axis for both contexts", Model::Parallel),
            (Decision::Own, "an axis for each context", Model::Orthogonal),
        ] {
            let share = winners(decision, most, &|m| m == wins);
            let share = Mean::of(&share, g.seed, "F6");
            all.push(share.claim(
                "F6",
                format!(
                    "with a decision signal {most} times the input and {name}, {} wins, though nothing is gated: share of \
                     draws",
                    wins.name()
                ),
                "a gated model wins (arXiv 2306.16733); every draw",
                share.value == 1.0,
            ));
        }
        let first = values(Decision::TiedToFirst, most, 1.0, &|d| d.measured.before[1]);
        let second = values(Decision::TiedToFirst, most, 1.0, &|d| d.measured.before[2]);
        let (first, second) =
            (Mean::of(&first, g.seed, "F7/first"), Mean::of(&second, g.seed, "F7/second"));
        all.push(first.claim(
            "F7",
            format!(
                "where the answer's place is tied to the first feature alone, only its context looks gated: ratio there; {:.2} \
                 ({:.2} – {:.2}) in the other",
                second.value, second.low, second.high
            ),
            "asymmetry of the contexts (as in Mante et al. 2013); below .5, and 1 ± .15 in the other",
            first.high < 0.5 && second.within(1.0, 0.15),
        ));
    }
    all
}

fn list(values: &[f64]) -> String {
    values.iter().map(|v| v.to_string()).collect::<Vec<_>>().join(", ")
}

/// A ratio that was measured in a network.
type Ratio = fn(&Seen) -> f64;

/// Values of all networks through one gate in one window.
fn at(seen: &[Seen], gate: f64, window: usize, f: impl Fn(&Seen) -> f64) -> Vec<f64> {
    seen.iter().filter(|s| s.gate == gate && s.window == window).map(f).collect()
}

fn of_networks(g: &Gating, seen: &[Seen], selects: &[Selects]) -> Vec<Claim> {
    let mut all = Vec::new();
    let last = seen.iter().map(|s| s.window).max().unwrap_or(0);
    if g.shown.gates.contains(&1.0) {
        let before = Mean::of(&at(seen, 1.0, last, |s| s.measured.before[0]), g.seed, "F8");
        all.push(before.claim(
            "F8",
            "networks without a gate at their input look gated at the end of a trial: irrelevant over relevant, mean".into(),
            "arXiv 2306.16733; the whole interval below .5",
            before.high < 0.5,
        ));
        let removed: [(&str, Ratio); 2] = [
            ("the axes of choice", |s| s.measured.without_choice),
            ("the axes of choice and of the decision variable", |s| s.measured.without_decision),
        ];
        for (what, f) in removed {
            let after = Mean::of(&at(seen, 1.0, last, f), g.seed, "F9");
            all.push(after.claim(
                "F9",
                format!("without {what} they no longer do: ratio, mean"),
                "near 1 (arXiv 2306.16733); 1 ± .15, the whole interval",
                after.within(1.0, 0.15),
            ));
        }
        let early = at(seen, 1.0, 1, |s| s.measured.before[0]);
        let late = at(seen, 1.0, last, |s| s.measured.before[0]);
        let growth: Vec<f64> = early.iter().zip(&late).map(|(e, l)| e - l).collect();
        let growth = Mean::of(&growth, g.seed, "F11");
        all.push(growth.claim(
            "F11",
            "apparent gating grows within a trial: ratio in the first window less that in the last, mean".into(),
            "evidence is added up (derived); above 0 with its whole interval",
            growth.low > 0.0,
        ));
    }
    for &gate in g.shown.gates.iter().filter(|gate| **gate < 1.0) {
        let after = at(seen, gate, last, |s| s.measured.without_decision);
        let after = Mean::of(&after, g.seed, "F10");
        all.push(after.claim(
            "F10",
            format!(
                "a gate of {gate} at the input is found without choice and decision variable: ratio, mean; the gate asks for \
                 {:.2}",
                gate * gate
            ),
            "γ² ± .1 (derived), the whole interval",
            after.within(gate * gate, 0.1),
        ));
    }
    if !selects.is_empty() {
        let largest: Vec<f64> = selects
            .iter()
            .map(|s| s.mixture.shares().into_iter().fold(f64::NEG_INFINITY, f64::max))
            .collect();
        let mixed: Vec<f64> = largest.iter().map(|l| (*l < 0.95) as u8 as f64).collect();
        let mixed = Mean::of(&mixed, g.seed, "F12");
        let of = |k: usize| {
            summary::mean(&selects.iter().map(|s| s.mixture.shares()[k]).collect::<Vec<_>>())
        };
        all.push(mixed.claim(
            "F12",
            format!(
                "networks mix mechanisms: share of streams whose selection is due to one mechanism by less than 95 %; means: \
                 direct {:.2}, indirect {:.2}, selection vector {:.2}",
                of(0),
                of(1),
                of(2)
            ),
            "every network mixes three (Pagan et al., Nature 2025); all",
            mixed.value == 1.0,
        ));
    }
    all
}

/// With the cue first the label that is not asked need not be kept; with the cue last it must.
fn of_labels(g: &Gating, seen: &[Seen], cue: Cue) -> Vec<Claim> {
    let last = seen.iter().map(|s| s.window).max().unwrap_or(0);
    // Before the last window a cue that comes last has not been read.
    let window = if cue == Cue::Last { last - 1 } else { last };
    let before = Mean::of(&at(seen, 1.0, window, |s| s.measured.before[0]), g.seed, "F13");
    let after = Mean::of(&at(seen, 1.0, window, |s| s.measured.without_choice), g.seed, "F13a");
    let (statement, holds) = match cue {
        Cue::First => (
            "told beforehand which label is asked, networks do not keep the other: unasked over asked",
            before.high < 0.5,
        ),
        Cue::Last => (
            "told afterwards, they keep both: unasked over asked before the cue",
            before.within(1.0, 0.15),
        ),
    };
    vec![
        before.claim(
            "F13",
            statement.into(),
            "nobody has published it; below .5 with the cue first, 1 ± .15 with the cue last",
            holds,
        ),
        Claim {
            name: "F13a",
            statement:
                "the same without the axes of choice: below 1 the unasked label itself is kept less"
                    .into(),
            measured: after.value,
            interval: if after.n > 1 { (after.low, after.high) } else { NONE },
            n: after.n,
            reference: "gated truly, not by the answer alone, if its whole interval is below .85",
            holds: if cue == Cue::First { after.high < 0.85 } else { after.within(1.0, 0.15) },
        },
    ]
}
