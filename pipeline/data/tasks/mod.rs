//! Tasks whose law is known: what enters, what should come out, and how well that can be done.

pub mod memory;

use super::{Sequences, StepTargets, Targets, Trials, Vectors};
use serde::{Deserialize, Serialize};

/// Which task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// Each channel remembers the sign of its last pulse.
    Memory(memory::Settings),
}

impl Default for Task {
    fn default() -> Self {
        Self::Memory(memory::Settings::default())
    }
}

/// Trials of a task.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// `[trial][t, u]`.
    pub inputs: Vectors,
    /// `[trial][t, k]`, with masks.
    pub targets: StepTargets,
    /// Which trials are alike.
    pub conditions: Vec<u32>,
}

impl<'a> From<&'a Drawn> for Trials<'a> {
    fn from(drawn: &'a Drawn) -> Self {
        Self {
            inputs: Sequences::Vectors(&drawn.inputs),
            targets: Targets::Steps(&drawn.targets),
            conditions: &drawn.conditions,
        }
    }
}

/// Mean squared errors between which a network's lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scores {
    /// Of the best constant answer.
    pub chance: f64,
    /// Of the best answer there is.
    pub best: f64,
}

impl Task {
    /// Name for people.
    pub fn name(&self) -> String {
        match self {
            Task::Memory(settings) => format!("{}-bit memory", settings.bits),
        }
    }

    /// Numbers that enter at a step.
    pub fn inputs(&self) -> usize {
        match self {
            Task::Memory(settings) => settings.bits,
        }
    }

    /// Numbers that should come out at a step.
    pub fn outputs(&self) -> usize {
        match self {
            Task::Memory(settings) => settings.bits,
        }
    }

    /// `count` trials, drawn from the stream `task/<split>` of `seed`.
    pub fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        match self {
            Task::Memory(settings) => settings.draw(count, seed, split),
        }
    }

    /// Derived from the law.
    pub fn scores(&self) -> Scores {
        match self {
            Task::Memory(settings) => settings.scores(),
        }
    }
}
