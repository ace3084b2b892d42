//! Sizes of a meta-model, and where each of its parameters lies.

use crate::CellKind;
use crate::ops::{Entry, Sizes};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What is read at a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reads {
    /// One of so many words, one-hot.
    Words(usize),
    /// One of so many words, as a row of so many numbers that are learned.
    Embedded(usize, usize),
    /// A vector of so many numbers.
    Vectors(usize),
}

/// Sizes of a meta-model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Its cell.
    pub cell: CellKind,
    /// Units `n`.
    pub units: usize,
    /// What it reads.
    pub reads: Reads,
    /// Numbers of an output.
    pub outputs: usize,
    /// Numbers of `θ`, `p`.
    pub dimension: usize,
}

impl Shape {
    /// Sizes of the recurrent pass.
    pub fn sizes(&self) -> Sizes {
        let entry = match self.reads {
            Reads::Words(words) => Entry::OneHot(words),
            Reads::Embedded(_, width) | Reads::Vectors(width) => Entry::Vectors(width),
        };
        Sizes { kind: self.cell, units: self.units, entry }
    }

    /// Numbers of the state.
    pub fn state(&self) -> usize {
        self.cell.state_size(self.units)
    }

    /// Gates times units.
    pub fn gates(&self) -> usize {
        self.cell.gates() * self.units
    }
}

/// Places of all parameters: what all base models share, then `θ_n`, `V_n` and `v_n` of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Sizes.
    pub shape: Shape,
    /// State numbers of each base model; 0 for one whose states are not asked for.
    pub widths: Vec<usize>,
}

impl Layout {
    fn next(at: &mut usize, count: usize) -> Range<usize> {
        *at += count;
        *at - count..*at
    }

    /// Rows of words, `[words, width]`; empty where none are learned.
    pub fn words(&self) -> Range<usize> {
        match self.shape.reads {
            Reads::Embedded(words, width) => 0..words * width,
            _ => 0..0,
        }
    }

    /// The cell's `A [G·n, u]`, `W [G·n, n]`, `b_ih`, `b_hh` ([`Sizes::split`]).
    pub fn cell(&self) -> Range<usize> {
        let start = self.words().end;
        start..start + self.shape.sizes().parameters()
    }

    /// `C`, `[G·n, p]`.
    pub fn conditioning(&self) -> Range<usize> {
        Self::next(&mut self.cell().end, self.shape.gates() * self.shape.dimension)
    }

    /// `h̃_0`, `[state]`.
    pub fn initial(&self) -> Range<usize> {
        Self::next(&mut self.conditioning().end, self.shape.state())
    }

    /// `R`, `[outputs, state]`.
    pub fn readout(&self) -> Range<usize> {
        Self::next(&mut self.initial().end, self.shape.outputs * self.shape.state())
    }

    /// `r`, `[outputs]`.
    pub fn readout_bias(&self) -> Range<usize> {
        Self::next(&mut self.readout().end, self.shape.outputs)
    }

    /// Parameters that all base models share: they come first.
    pub fn shared(&self) -> usize {
        self.readout_bias().end
    }

    fn own(&self, model: usize) -> usize {
        let before = self.widths[..model].iter();
        self.shared()
            + before.map(|d| self.shape.dimension + d * (self.shape.state() + 1)).sum::<usize>()
    }

    /// `θ_n`, `[p]`.
    pub fn theta(&self, model: usize) -> Range<usize> {
        Self::next(&mut self.own(model), self.shape.dimension)
    }

    /// `V_n`, `[d_n, state]`.
    pub fn map(&self, model: usize) -> Range<usize> {
        Self::next(&mut self.theta(model).end, self.widths[model] * self.shape.state())
    }

    /// `v_n`, `[d_n]`.
    pub fn map_bias(&self, model: usize) -> Range<usize> {
        Self::next(&mut self.map(model).end, self.widths[model])
    }

    /// Everything that belongs to one base model alone.
    pub fn of_model(&self, model: usize) -> Range<usize> {
        self.own(model)..self.map_bias(model).end
    }

    /// Base models.
    pub fn models(&self) -> usize {
        self.widths.len()
    }

    /// All parameters.
    pub fn parameters(&self) -> usize {
        self.own(self.models())
    }
}
