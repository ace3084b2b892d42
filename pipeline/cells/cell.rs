//! Which cells there are, and one cell with its weights.

use crate::activation::{Nonlinearity, Rectifier, Tanh};
use crate::equations::Equations;
use crate::{gru, gru_reset_before, linear, lstm, relu, ugrnn, vanilla};
use serde::{Deserialize, Serialize};
use std::marker::PhantomData;

/// Which recurrent cell. Gate order in the weight rows is PyTorch's.
///
/// `σ` is the logistic function, `∘` the elementwise product; `a_g` is gate
/// `g`'s row block of `A x + b_ih`, and `w_g` that of `W h + b_hh`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum CellKind {
    /// `h' = tanh(a + w)` (Elman). One block.
    Vanilla,
    /// `h' = max(0, a + w)`. One block.
    VanillaRelu,
    /// `h' = a + w`: the linear model that is trained for comparison. One block.
    Linear,
    /// `u = σ(a_u + w_u)`, `c = tanh(a_c + w_c)`, `h' = u∘h + (1−u)∘c`
    /// (Collins et al. 2017). Blocks `u, c`.
    Ugrnn,
    /// GRU with the reset gate *after* the product, as PyTorch and cuDNN:
    /// `r = σ(a_r + w_r)`, `u = σ(a_u + w_u)`, `c = tanh(a_c + r∘w_c)`,
    /// `h' = u∘h + (1−u)∘c`. Blocks `r, u, c` (PyTorch's `r, z, n`).
    #[default]
    Gru,
    /// GRU with the reset gate *before* the product (Cho et al. 2014 v3, the
    /// papers' own): `c = tanh(a_c + W_c (r∘h) + b_hc)`. Blocks `r, u, c`.
    GruResetBefore,
    /// `f, i, o = σ(·)`, `g = tanh(·)`, `c' = f∘c + i∘g`, `h' = o∘tanh(c')`.
    /// Blocks `i, f, g, o`; state `[h; c]`.
    Lstm,
    /// UGRNN with a rectified candidate, `c = max(0, a_c + w_c)`; its gate stays logistic.
    UgrnnRelu,
    /// GRU with a rectified candidate, `c = max(0, a_c + r∘w_c)`; its gates stay logistic.
    GruRelu,
    /// GRU that resets before the product, with a rectified candidate: `c = max(0, a_c + W_c (r∘h) + b_hc)`.
    GruResetBeforeRelu,
    /// LSTM with a rectified candidate, `g = max(0, a_g + w_g)`. That alone: gates stay logistic, and
    /// `h' = o∘tanh(c')` as ever. Papers leave open whether the second `tanh` goes too; this is the choice here, so
    /// that one thing differs between the two. Keras's `LSTM(activation="relu")` rectifies `c'` too: another cell.
    LstmRelu,
}

/// What is known of a cell besides its equations.
#[derive(Debug)]
pub struct Facts {
    /// Its name for people.
    pub name: &'static str,
    /// Its name as it is typed.
    pub spelling: &'static str,
    /// Gates in the order of the weights' row blocks, each of `n` rows.
    pub gates: &'static [&'static str],
    /// Blocks of the state, each of `n` numbers.
    pub state: &'static [&'static str],
    /// The gate that keeps the state where it is 1: its row block.
    pub keeping_gate: Option<usize>,
    /// Bias with which training usually starts that gate.
    pub keeping_bias: f64,
    /// The cell of the same gates whose candidate goes through `tanh`.
    pub architecture: CellKind,
    /// What the candidate goes through; of a cell without gates, the whole step.
    pub nonlinearity: Nonlinearity,
}

impl CellKind {
    /// All of them.
    pub const ALL: [CellKind; 11] = [
        CellKind::Vanilla,
        CellKind::VanillaRelu,
        CellKind::Linear,
        CellKind::Ugrnn,
        CellKind::Gru,
        CellKind::GruResetBefore,
        CellKind::Lstm,
        CellKind::UgrnnRelu,
        CellKind::GruRelu,
        CellKind::GruResetBeforeRelu,
        CellKind::LstmRelu,
    ];

    /// Its names, gates and state.
    // Constant and inlined: loops over tokens are compiled for a kind each, with its numbers in them.
    #[inline]
    pub const fn facts(self) -> &'static Facts {
        match self {
            CellKind::Vanilla => &vanilla::FACTS,
            CellKind::VanillaRelu => &relu::FACTS,
            CellKind::Linear => &linear::FACTS,
            CellKind::Ugrnn => &ugrnn::FACTS,
            CellKind::Gru => &gru::FACTS,
            CellKind::GruResetBefore => &gru_reset_before::FACTS,
            CellKind::Lstm => &lstm::FACTS,
            CellKind::UgrnnRelu => &ugrnn::RECTIFIED,
            CellKind::GruRelu => &gru::RECTIFIED,
            CellKind::GruResetBeforeRelu => &gru_reset_before::RECTIFIED,
            CellKind::LstmRelu => &lstm::RECTIFIED,
        }
    }

    /// Its equations in f64.
    pub fn equations(self) -> &'static dyn Equations {
        match self {
            CellKind::Vanilla => &vanilla::Vanilla,
            CellKind::VanillaRelu => &relu::Relu,
            CellKind::Linear => &linear::Linear,
            CellKind::Ugrnn => &ugrnn::Ugrnn::<Tanh>(PhantomData),
            CellKind::Gru => &gru::Gru::<Tanh>(PhantomData),
            CellKind::GruResetBefore => &gru_reset_before::GruResetBefore::<Tanh>(PhantomData),
            CellKind::Lstm => &lstm::Lstm::<Tanh>(PhantomData),
            CellKind::UgrnnRelu => &ugrnn::Ugrnn::<Rectifier>(PhantomData),
            CellKind::GruRelu => &gru::Gru::<Rectifier>(PhantomData),
            CellKind::GruResetBeforeRelu => {
                &gru_reset_before::GruResetBefore::<Rectifier>(PhantomData)
            }
            CellKind::LstmRelu => &lstm::Lstm::<Rectifier>(PhantomData),
        }
    }

    /// The cell of the same gates whose candidate goes through `tanh`: what decides where gates and gradients lie.
    #[inline]
    pub const fn architecture(self) -> CellKind {
        self.facts().architecture
    }

    /// What its candidate goes through; of a cell without gates, the whole step.
    #[inline]
    pub const fn nonlinearity(self) -> Nonlinearity {
        self.facts().nonlinearity
    }

    /// Number of row blocks of `n` units in the weight matrices.
    #[inline]
    pub const fn gates(self) -> usize {
        self.facts().gates.len()
    }

    /// Blocks of `n` units in the state: 2 (`[h; c]`) for the LSTM, else 1.
    #[inline]
    pub const fn state_blocks(self) -> usize {
        self.facts().state.len()
    }

    /// Numbers in the state of a cell of `units`.
    #[inline]
    pub const fn state_size(self, units: usize) -> usize {
        self.state_blocks() * units
    }
}

/// One cell with its weights in f64: what fixed points and Jacobians are computed from.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Which equations.
    pub kind: CellKind,
    /// Units `n`.
    pub units: usize,
    /// Inputs `u`.
    pub inputs: usize,
    /// `A`: `[gates·n, u]`, row-major (PyTorch `weight_ih`).
    pub input_weights: Vec<f64>,
    /// `W`: `[gates·n, n]`, row-major (PyTorch `weight_hh`).
    pub recurrent_weights: Vec<f64>,
    /// `b_ih`: `[gates·n]`.
    pub input_bias: Vec<f64>,
    /// `b_hh`: `[gates·n]`.
    pub recurrent_bias: Vec<f64>,
}

impl Cell {
    /// Numbers in the state.
    pub fn state_size(&self) -> usize {
        self.kind.state_size(self.units)
    }
}
