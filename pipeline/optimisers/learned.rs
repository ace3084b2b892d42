//! The learned optimiser: a cell that reads a gradient, and a readout that moves a parameter.

use crate::problems::normal;
use crate::seed;
use crate::setting;
use accrue_cells::{Cell, CellKind};
use accrue_ops::{Entry, Sizes};
use serde::{Deserialize, Serialize};

/// What the cell sees of a gradient.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Features {
    /// `φ(g) = s_in g`.
    #[default]
    Scaled,
    /// `φ(g) = (ln(1 + s_in |g|), sign g)`: gradients of any size.
    LogSign,
}

impl Features {
    /// Numbers that enter the cell.
    pub fn count(self) -> usize {
        match self {
            Features::Scaled => 1,
            Features::LogSign => 2,
        }
    }
}

/// Which cell, how many units, what enters and how far it moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The cell.
    pub cell: CellKind,
    /// Its units.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1024>")]
    pub units: usize,
    /// What it sees of a gradient.
    pub features: Features,
    /// `s_in`, what gradients are multiplied by.
    #[serde(deserialize_with = "setting::positive")]
    pub input_scale: f64,
    /// `s_out`, what the readout is multiplied by.
    #[serde(deserialize_with = "setting::positive")]
    pub output_scale: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cell: CellKind::Gru,
            units: 32,
            features: Features::Scaled,
            input_scale: 1.0,
            output_scale: 1.0,
        }
    }
}

impl Settings {
    /// Sizes of the cell.
    pub fn sizes(&self) -> Sizes {
        let entry = Entry::Vectors(self.features.count());
        Sizes { kind: self.cell, units: self.units, entry }
    }

    /// Numbers in the state.
    pub fn state_size(&self) -> usize {
        self.cell.state_size(self.units)
    }

    /// Parameters of the cell, the first state `h_0`, the readout `w` and its bias.
    pub fn parameters(&self) -> usize {
        self.sizes().parameters() + 2 * self.state_size() + 1
    }
}

/// An optimiser with its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned {
    /// Cell, features, scales.
    pub settings: Settings,
    /// `A [G·n, inputs]`, `W [G·n, n]`, `b_ih`, `b_hh` as [`Sizes::split`] reads them, then `h_0 [state]`, `w [state]`,
    /// `b`.
    pub parameters: Vec<f32>,
}

impl Learned {
    /// Weights before training: normal with variance `1/n`, everything else 0. The readout is 0 too, so that the
    /// optimiser does nothing at first.
    pub fn new(settings: &Settings, seed: u64) -> Self {
        let (gates, n) = (settings.cell.gates(), settings.units);
        let inputs = settings.features.count();
        let scale = 1.0 / (n as f64).sqrt();
        let mut stream = seed::stream(seed, "initial weights/optimiser");
        let weights = normal(&mut stream, gates * n * (inputs + n));
        let mut parameters: Vec<f32> = weights.into_iter().map(|x| (scale * x) as f32).collect();
        parameters.resize(settings.parameters(), 0.0);
        Self { settings: settings.clone(), parameters }
    }

    /// The cell's parameters, `h_0`, `w`, and `[b]`.
    pub fn parts(&self) -> [&[f32]; 4] {
        let state = self.settings.state_size();
        let (cell, rest) = self.parameters.split_at(self.settings.sizes().parameters());
        let (initial, rest) = rest.split_at(state);
        let (readout, bias) = rest.split_at(state);
        [cell, initial, readout, bias]
    }

    /// The cell in f64.
    pub fn cell(&self) -> Cell {
        let sizes = self.settings.sizes();
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        let [a, w, b_ih, b_hh] = sizes.split(self.parts()[0]);
        Cell {
            kind: sizes.kind,
            units: sizes.units,
            inputs: sizes.inputs(),
            input_weights: wide(a),
            recurrent_weights: wide(w),
            input_bias: wide(b_ih),
            recurrent_bias: wide(b_hh),
        }
    }

    /// `h_0`, `w` and `b` in f64.
    pub fn ends(&self) -> (Vec<f64>, Vec<f64>, f64) {
        let [_, initial, readout, bias] = self.parts();
        let wide = |x: &[f32]| x.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        (wide(initial), wide(readout), f64::from(bias[0]))
    }

    /// Momentum by hand, as a linear cell of one unit: `h' = β h + g`, `Δx = −α h'`.
    pub fn momentum(alpha: f64, beta: f64) -> Self {
        let settings = Settings { cell: CellKind::Linear, units: 1, ..Settings::default() };
        // A, W, b_ih, b_hh, h_0, w, b.
        let parameters = vec![1.0, beta as f32, 0.0, 0.0, 0.0, -alpha as f32, 0.0];
        Self { settings, parameters }
    }
}
