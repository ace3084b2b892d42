//! Tasks whose law is known: what enters, what should come out, and how well that can be done.

pub mod accumulation;
pub mod discrimination;
pub mod integration;
pub mod labels;
pub mod memory;
pub mod own;
pub mod path;
pub mod rules;
pub mod sine;

use super::{Sequences, StepTargets, Targets, Trials, Vectors};
use serde::{Deserialize, Serialize};

/// Which task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Task {
    /// Each channel remembers the sign of its last pulse.
    Memory(memory::Settings),
    /// A constant input says which sine wave to say.
    Sine(sine::Settings),
    /// Of two noisy streams the cued one is added up.
    Integration(integration::Settings),
    /// Two stimuli with a pause between them: which was larger?
    Discrimination(discrimination::Settings),
    /// From speed and heading to a place in the plane.
    Path(path::Settings),
    /// Trials of one's own, from a file.
    File(own::Settings),
    /// Evidence is added up by one of three strategies.
    Accumulation(accumulation::Settings),
    /// Words speak of two labels, one of which is asked.
    Labels(labels::Settings),
    /// Fifteen rules on one circle of directions.
    Rules(rules::Settings),
}

impl Default for Task {
    fn default() -> Self {
        Self::Memory(memory::Settings::default())
    }
}

/// An input that a task holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What it stands for.
    pub name: String,
    /// The input, `[inputs]`.
    pub input: Vec<f64>,
}

/// What a task has to say of itself.
pub trait Law {
    /// Name for people.
    fn name(&self) -> String;

    /// Numbers that enter at a step.
    fn inputs(&self) -> usize;

    /// Numbers that should come out at a step.
    fn outputs(&self) -> usize;

    /// Steps of the longest trial.
    fn steps(&self) -> usize;

    /// `count` trials, drawn from streams `task/<split>/…` of `seed`.
    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn;

    /// Mean squared errors derived from the law.
    fn scores(&self) -> Scores;

    /// Inputs that stay for many steps, under which fixed points mean something; the most telling first.
    fn held(&self) -> Vec<Held>;

    /// Names of the conditions that [`Law::draw`] numbers; none: they are numbers and no more.
    fn conditions(&self) -> Vec<String> {
        Vec::new()
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
    /// The law of the task.
    pub fn law(&self) -> &dyn Law {
        match self {
            Task::Memory(settings) => settings,
            Task::Sine(settings) => settings,
            Task::Integration(settings) => settings,
            Task::Discrimination(settings) => settings,
            Task::Path(settings) => settings,
            Task::File(settings) => settings,
            Task::Accumulation(settings) => settings,
            Task::Labels(settings) => settings,
            Task::Rules(settings) => settings,
        }
    }
}

impl Law for Task {
    fn name(&self) -> String {
        self.law().name()
    }

    fn inputs(&self) -> usize {
        self.law().inputs()
    }

    fn outputs(&self) -> usize {
        self.law().outputs()
    }

    fn steps(&self) -> usize {
        self.law().steps()
    }

    fn draw(&self, count: usize, seed: u64, split: &str) -> Drawn {
        self.law().draw(count, seed, split)
    }

    fn scores(&self) -> Scores {
        self.law().scores()
    }

    fn held(&self) -> Vec<Held> {
        self.law().held()
    }

    fn conditions(&self) -> Vec<String> {
        self.law().conditions()
    }
}
