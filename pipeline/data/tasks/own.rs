//! A task of one's own: trials from a file.
//!
//! Its arrays: `inputs` `[trial, step, u]` and `targets` `[trial, step, k]`; and, where they are there, `mask`
//! `[trial, step]` (how much a step counts; 1 where it is left out), `lengths` `[trial]` (steps of each; all where it is
//! left out) and `conditions` `[trial]` (whole numbers; which trials are alike). Trials are put in an order drawn by the
//! seed; the first seven tenths of them are for training, one tenth for validation, two tenths for tests.

use super::{Drawn, Held, Law, Scores};
use crate::{StepLoss, StepTargets, Vectors};
use accrue_numerics::{Error, Result, seed};
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

/// Where the trials are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// NumPy's `.npz` with `inputs`, `targets` and more.
    pub file: PathBuf,
    /// What the task is called; empty: the file's name.
    pub name: String,
    /// Names and inputs under which fixed points are sought; empty: zero, and the mean input.
    pub held: Vec<(String, Vec<f64>)>,
    /// What the file holds, once it was read.
    #[serde(skip)]
    pub trials: Option<Arc<Own>>,
}

/// Arrays of a file, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Own {
    inputs: Vectors,
    targets: Vec<f32>,
    width: usize,
    mask: Vec<f32>,
    conditions: Vec<u32>,
    unread: Vec<String>,
}

/// Arrays of a file that are read.
const READ: [&str; 5] = ["inputs", "targets", "mask", "lengths", "conditions"];

/// An array of a file: its shape, and its numbers row by row.
pub type Array = (Vec<usize>, Vec<f32>);

/// Shares of the trials up to which they are for training, and then for validation.
const SHARES: (f64, f64) = (0.7, 0.8);
/// Whole numbers from here on are not all apart as `f32`.
const LARGEST: f32 = 16_777_216.0;
/// Fewest trials: each split has one.
const FEWEST: usize = 10;

impl Own {
    /// From the arrays of a file.
    ///
    /// * `file`: named in messages; `others`: names of arrays that hold no numbers, and what they hold
    ///
    /// # Errors
    /// [`Error::Input`] for an array that is missing, does not fit the others or holds what is not finite, and for fewer
    /// than ten trials.
    pub fn new(
        file: &str,
        arrays: &[(String, Array)],
        others: &[(String, String)],
    ) -> Result<Self> {
        let refuse = |name: &str, problem: String, remedy: &str| {
            Error::input(file, format!("array `{name}`"), problem, remedy)
        };
        if let Some((name, what)) = others.iter().find(|(n, _)| READ.contains(&n.as_str())) {
            let problem = format!("it holds {what}");
            return Err(refuse(name, problem, "save it as numbers: array.astype(\"float32\")"));
        }
        let of = |name: &str| arrays.iter().find(|(n, _)| n == name).map(|(_, a)| a);
        let needed = |name: &str| {
            let names: Vec<&str> = arrays.iter().map(|(n, _)| n.as_str()).collect();
            let problem = format!("it is not there; there are: {}", names.join(", "));
            of(name).ok_or_else(|| {
                refuse(
                    name,
                    problem,
                    "numpy.savez(file, inputs=[trial, step, u], targets=[trial, step, k])",
                )
            })
        };
        let (inputs, targets) = (needed("inputs")?, needed("targets")?);
        for (name, array) in [("inputs", inputs), ("targets", targets)] {
            if array.0.len() != 3 || array.0.contains(&0) {
                let problem = format!("shape {:?}", array.0);
                return Err(refuse(name, problem, "give [trial, step, numbers], none of them 0"));
            }
        }
        let [n, steps, u] = inputs.0[..] else { unreachable!("it has three axes") };
        if targets.0[..2] != [n, steps] {
            let problem = format!("shape {:?} beside inputs of {:?}", targets.0, inputs.0);
            return Err(refuse("targets", problem, "give as many trials and steps as inputs have"));
        }
        if n < FEWEST {
            let problem = format!("{n} trials");
            return Err(refuse("inputs", problem, "give ten or more: each split needs one"));
        }
        let width = targets.0[2];
        let optional = |name: &str, shape: &[usize], least: f32| match of(name) {
            None => Ok(None),
            Some((found, numbers)) if found == shape => {
                match numbers.iter().position(|x| !x.is_finite() || *x < least) {
                    None => Ok(Some(numbers.clone())),
                    Some(i) => {
                        let problem = format!("number {i} is {}", numbers[i]);
                        Err(refuse(
                            name,
                            problem,
                            "give finite numbers, 0 or more (lengths: 1 or more)",
                        ))
                    }
                }
            }
            Some((found, _)) => {
                let problem = format!("shape {found:?}, and {shape:?} fits the inputs");
                Err(refuse(name, problem, "leave it out, or give one number each"))
            }
        };
        let mask = optional("mask", &[n, steps], 0.0)?.unwrap_or_else(|| vec![1.0; n * steps]);
        let lengths = optional("lengths", &[n], 1.0)?.unwrap_or_else(|| vec![steps as f32; n]);
        let conditions = optional("conditions", &[n], 0.0)?.unwrap_or_else(|| vec![0.0; n]);
        for (name, numbers) in [("lengths", &lengths), ("conditions", &conditions)] {
            if let Some(i) = numbers.iter().position(|x| x.fract() != 0.0) {
                return Err(refuse(
                    name,
                    format!("trial {i}: {}", numbers[i]),
                    "give whole numbers",
                ));
            }
        }
        if let Some(i) = conditions.iter().position(|c| *c >= LARGEST) {
            let problem = format!("trial {i}: {}", conditions[i]);
            let remedy = "number them below 2²⁴: numpy.unique(conditions, return_inverse=True)[1]";
            return Err(refuse("conditions", problem, remedy));
        }
        if let Some(i) = lengths.iter().position(|l| *l as usize > steps) {
            let problem = format!("trial {i} has {} of {steps} steps", lengths[i]);
            return Err(refuse("lengths", problem, "give at most the steps of the inputs"));
        }
        for (name, array) in [("inputs", inputs), ("targets", targets)] {
            let per = array.0[1] * array.0[2];
            let bad = array.1.iter().enumerate().find(|(i, x)| {
                !x.is_finite() && (i % per) / array.0[2] < lengths[i / per] as usize
            });
            if let Some((i, x)) = bad {
                let problem = format!("trial {}, step {}: {x}", i / per, (i % per) / array.0[2]);
                return Err(refuse(
                    name,
                    problem,
                    "give finite numbers, or shorten the trial by `lengths`",
                ));
            }
        }
        let mut own = Self {
            inputs: Vectors::new(u),
            targets: Vec::new(),
            width,
            mask: Vec::new(),
            conditions: conditions.iter().map(|&c| c as u32).collect(),
            unread: arrays
                .iter()
                .map(|a| a.0.clone())
                .filter(|n| !READ.contains(&&**n))
                .chain(others.iter().map(|(name, what)| format!("{name} ({what})")))
                .collect(),
        };
        for i in 0..n {
            let length = lengths[i] as usize;
            own.inputs.push(&inputs.1[i * steps * u..][..length * u]);
            own.targets.extend_from_slice(&targets.1[i * steps * width..][..length * width]);
            own.mask.extend_from_slice(&mask[i * steps..][..length]);
        }
        if own.mask.iter().all(|m| *m == 0.0) {
            return Err(refuse("mask", "no step counts".into(), "give 1 where a step is scored"));
        }
        Ok(own)
    }

    /// Names of the file's arrays that are not read.
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    /// Numbers of an input.
    pub fn inputs(&self) -> usize {
        self.inputs.width()
    }

    /// Trials of the file.
    pub fn count(&self) -> usize {
        self.inputs.len()
    }

    /// Numbers of the trials of a split, in the order drawn by the seed.
    fn split(&self, seed: u64, split: &str) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.count()).collect();
        order.shuffle(&mut seed::stream(seed, "task/own"));
        let at = |share: f64| (share * order.len() as f64) as usize;
        let (train, validation) = (at(SHARES.0), at(SHARES.1).max(at(SHARES.0) + 1));
        match split {
            "train" => order[..train].to_vec(),
            "validation" => order[train..validation].to_vec(),
            _ => order[validation..].to_vec(),
        }
    }
}

impl Settings {
    fn own(&self) -> &Own {
        self.trials.as_ref().expect("the file is read before the task is asked")
    }
}

impl Law for Settings {
    fn name(&self) -> String {
        let stem = || self.file.file_stem().map(|s| s.to_string_lossy().into_owned());
        if self.name.is_empty() { stem().unwrap_or_default() } else { self.name.clone() }
    }

    fn inputs(&self) -> usize {
        self.own().inputs.width()
    }

    fn outputs(&self) -> usize {
        self.own().width
    }

    fn steps(&self) -> usize {
        let own = self.own();
        (0..own.count()).map(|i| own.inputs.length(i)).max().unwrap_or(0)
    }

    /// The first `count` trials of the split; all where it has fewer.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        let own = self.own();
        let mut inputs = Vectors::new(own.inputs.width());
        let (mut values, mut mask, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
        for i in own.split(seed, split).into_iter().take(count) {
            inputs.push(own.inputs.get(i));
            let (start, length) = (own.inputs.start(i), own.inputs.length(i));
            values.extend_from_slice(&own.targets[start * own.width..][..length * own.width]);
            mask.extend_from_slice(&own.mask[start..][..length]);
            conditions.push(own.conditions[i]);
        }
        let targets = StepTargets { width: own.width, values, mask, loss: StepLoss::Squared };
        Drawn { inputs, targets, conditions }
    }

    /// The best constant is the mean target over the steps that count, its error their variance; what can be reached is not
    /// known.
    fn scores(&self) -> Scores {
        let own = self.own();
        let total: f64 = own.mask.iter().map(|&m| f64::from(m)).sum();
        let mean = |f: &dyn Fn(f64) -> f64, k: usize| {
            let of = own.targets.chunks(own.width).zip(&own.mask);
            of.map(|(y, &m)| f64::from(m) * f(f64::from(y[k]))).sum::<f64>() / total
        };
        let variance = |k: usize| {
            let centre = mean(&|y| y, k);
            mean(&|y| (y - centre) * (y - centre), k)
        };
        let chance = (0..own.width).map(variance).sum::<f64>() / own.width as f64;
        Scores { chance, best: f64::NAN }
    }

    fn held(&self) -> Vec<Held> {
        if !self.held.is_empty() {
            let given = self.held.iter();
            return given.map(|(name, x)| Held { name: name.clone(), input: x.clone() }).collect();
        }
        let own = self.own();
        let width = own.inputs.width();
        let mut mean = vec![0.0; width];
        for i in 0..own.count() {
            for x in own.inputs.get(i).chunks(width) {
                mean.iter_mut().zip(x).for_each(|(m, x)| *m += f64::from(*x));
            }
        }
        mean.iter_mut().for_each(|m| *m /= own.inputs.steps() as f64);
        vec![
            Held { name: "zero".into(), input: vec![0.0; width] },
            Held { name: "mean".into(), input: mean },
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Arrays = Vec<(String, Array)>;

    /// Twenty trials of three steps: one input that counts up, its double as the target.
    fn arrays() -> Arrays {
        let inputs: Vec<f32> = (0..60).map(|i| i as f32).collect();
        let targets: Vec<f32> = inputs.iter().map(|x| 2.0 * x).collect();
        vec![
            ("inputs".into(), (vec![20, 3, 1], inputs)),
            ("targets".into(), (vec![20, 3, 1], targets)),
        ]
    }

    fn settings(arrays: &[(String, Array)]) -> Settings {
        let own = Own::new("own.npz", arrays, &[]).unwrap();
        Settings { file: "own.npz".into(), trials: Some(Arc::new(own)), ..Settings::default() }
    }

    #[test]
    fn every_trial_is_in_one_split_with_its_own_targets() {
        let law = settings(&arrays());
        let mut seen = Vec::new();
        for (split, trials) in [("train", 14), ("validation", 2), ("test", 4)] {
            let drawn = law.draw(1000, 7, split);
            assert_eq!(drawn.inputs.len(), trials, "{split}");
            let inputs: Vec<f32> = (0..trials).flat_map(|i| drawn.inputs.get(i).to_vec()).collect();
            assert!(inputs.iter().zip(&drawn.targets.values).all(|(x, y)| *y == 2.0 * x));
            seen.extend(inputs);
        }
        seen.sort_by(f32::total_cmp);
        assert_eq!(seen, (0..60).map(|i| i as f32).collect::<Vec<_>>());
        // The numbers 0, 2, …, 118: their variance is 4 (60² − 1)/12.
        assert!((law.scores().chance - 4.0 * 3599.0 / 12.0).abs() < 1e-9);
        assert_eq!(law.held()[1].input, [29.5]);
        let mut more = arrays();
        more.push(("reaction_time".into(), (vec![20], vec![0.5; 20])));
        assert_eq!(settings(&more).own().unread(), ["reaction_time"]);
    }

    #[test]
    fn shorter_trials_and_masks_are_heeded() {
        let mut arrays = arrays();
        let lengths: Vec<f32> = (0..20).map(|i| if i == 4 { 1.0 } else { 3.0 }).collect();
        arrays.push(("lengths".into(), (vec![20], lengths)));
        let mask: Vec<f32> = (0..60).map(|i| (i % 3 == 2) as u8 as f32).collect();
        arrays.push(("mask".into(), (vec![20, 3], mask)));
        // What lies behind a trial's end need not be a number.
        arrays[0].1.1[13] = f32::NAN;
        let law = settings(&arrays);
        let all: usize = ["train", "validation", "test"]
            .map(|s| law.draw(1000, 1, s).targets.mask.iter().filter(|m| **m == 1.0).count())
            .iter()
            .sum();
        assert_eq!(all, 19);
    }

    #[test]
    fn arrays_that_do_not_fit_are_refused_by_name() {
        let said = |change: fn(&mut Arrays)| {
            let mut arrays = arrays();
            change(&mut arrays);
            Own::new("own.npz", &arrays, &[]).unwrap_err().to_string()
        };
        let missing = said(|a| drop(a.pop()));
        assert!(missing.contains("`targets`") && missing.contains("savez"), "{missing}");
        let flat = said(|a| a[0].1.0 = vec![20, 3]);
        assert!(flat.contains("`inputs`") && flat.contains("[20, 3]"), "{flat}");
        let nan = said(|a| a[1].1.1[7] = f32::NAN);
        assert!(nan.contains("trial 2, step 1"), "{nan}");
        let mask = said(|a| a.push(("mask".into(), (vec![3, 20], vec![1.0; 60]))));
        assert!(mask.contains("`mask`") && mask.contains("[20, 3]"), "{mask}");
        let half = said(|a| a.push(("lengths".into(), (vec![20], vec![2.5; 20]))));
        assert!(half.contains("`lengths`") && half.contains("whole numbers"), "{half}");
        let large = said(|a| a.push(("conditions".into(), (vec![20], vec![67_108_864.0; 20]))));
        assert!(large.contains("trial 0: 67108864") && large.contains("2²⁴"), "{large}");
    }

    #[test]
    fn arrays_that_hold_no_numbers_are_refused_where_they_are_read_and_named_where_they_are_not() {
        let text = |name: &str| [(name.to_string(), "text (<U3)".to_string())];
        let said = Own::new("own.npz", &arrays(), &text("mask")).unwrap_err().to_string();
        assert!(said.contains("`mask`") && said.contains("text (<U3)"), "{said}");
        let own = Own::new("own.npz", &arrays(), &text("subject")).unwrap();
        assert_eq!(own.unread(), ["subject (text (<U3))"]);
    }
}
