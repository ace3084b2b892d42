//! Trials and documents as a network with a linear system reads them.

use super::wide;
use crate::data::tasks::Drawn;
use crate::switching::{Sequence, Target};

/// Trials or documents as vectors.
#[derive(Clone, Debug, Default)]
pub struct Examples {
    /// `[t, u]` each.
    pub inputs: Vec<Vec<f32>>,
    /// `u*`, `[u]` each.
    pub at_rest: Vec<Vec<f32>>,
    /// What should come out.
    pub wanted: Wanted,
    /// Tokens of each; none for tasks.
    pub tokens: Vec<Vec<u32>>,
}

/// What should come out.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// Values `[t, k]` and masks `[t]` of each.
    Steps(Vec<(Vec<f32>, Vec<f32>)>),
    /// A class each.
    Classes(Vec<usize>),
}

impl Default for Wanted {
    fn default() -> Self {
        Self::Steps(Vec::new())
    }
}

impl Examples {
    /// Trials of a task.
    ///
    /// * `at_rest`: the input at rest, from a trial's inputs `[t, u]`
    pub fn of_task(drawn: &Drawn, at_rest: impl Fn(&[f32]) -> Vec<f32>) -> Self {
        let k = drawn.targets.width;
        let trials = 0..drawn.inputs.len();
        let steps =
            |i: usize| drawn.inputs.start(i)..drawn.inputs.start(i) + drawn.inputs.length(i);
        let wanted = trials.clone().map(|i| {
            let steps = steps(i);
            let values = drawn.targets.values[steps.start * k..steps.end * k].to_vec();
            (values, drawn.targets.mask[steps].to_vec())
        });
        let inputs: Vec<Vec<f32>> = trials.clone().map(|i| drawn.inputs.get(i).to_vec()).collect();
        Self {
            at_rest: inputs.iter().map(|x| at_rest(x)).collect(),
            wanted: Wanted::Steps(wanted.collect()),
            inputs,
            tokens: Vec::new(),
        }
    }

    /// As the network reads them.
    pub fn sequences(&self) -> Vec<Sequence<'_>> {
        let target = |i: usize| match &self.wanted {
            Wanted::Steps(of) => Target::Steps { values: &of[i].0, mask: &of[i].1 },
            Wanted::Classes(of) => Target::Class(of[i]),
        };
        let sequence = |i: usize| Sequence {
            inputs: &self.inputs[i],
            expansion_input: &self.at_rest[i],
            target: target(i),
        };
        (0..self.inputs.len()).map(sequence).collect()
    }
}

/// The parts of a trial's inputs that are the same at all its steps, the others 0.
pub fn constant_parts(inputs: &[f32], width: usize) -> Vec<f32> {
    let first = &inputs[..width];
    let same = |j: &usize| inputs.chunks(width).all(|x| x[*j] == first[*j]);
    (0..width).map(|j| if same(&j) { first[j] } else { 0.0 }).collect()
}

impl Wanted {
    /// What should come out of a trial at a step, `[k]`; nothing where only the end counts.
    pub fn at(&self, trial: usize, step: usize, k: usize) -> Vec<f64> {
        match self {
            Self::Steps(of) => wide(&of[trial].0[step * k..][..k]),
            Self::Classes(_) => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_parts_are_those_that_no_step_changes() {
        assert_eq!(constant_parts(&[0.5, 1.0, 0.0, 0.25, 1.0, 0.0], 3), [0.0, 1.0, 0.0]);
    }
}
