//! The recurrent cells: names, gate order, and weights in PyTorch's layout.

use serde::{Deserialize, Serialize};

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
}

impl CellKind {
    /// Number of row blocks of `n` units in the weight matrices.
    pub fn gates(self) -> usize {
        match self {
            CellKind::Vanilla | CellKind::VanillaRelu | CellKind::Linear => 1,
            CellKind::Ugrnn => 2,
            CellKind::Gru | CellKind::GruResetBefore => 3,
            CellKind::Lstm => 4,
        }
    }

    /// Blocks of `n` units in the state: 2 (`[h; c]`) for the LSTM, else 1.
    pub fn state_blocks(self) -> usize {
        if self == CellKind::Lstm { 2 } else { 1 }
    }

    /// Numbers in the state of a cell of `units`.
    pub fn state_size(self, units: usize) -> usize {
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
