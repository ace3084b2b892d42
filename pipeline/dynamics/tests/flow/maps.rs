//! Maps of which something is known.

use accrue_cells::{Cell, CellKind, Map};
use accrue_dynamics::Dynamics;
use accrue_dynamics::finder::{Finder, Stop, search};
use accrue_dynamics::select::{Selection, select};
use accrue_numerics::linalg::{Matrix, Vector};
use accrue_numerics::seed;
use rand::Rng;

/// `h' = tanh(W h + a x + b)` with one input, held at `x`.
pub fn tanh_map(w: &Matrix, a: &[f64], b: &[f64], x: f64) -> Map {
    let n = w.nrows();
    let cell = Cell {
        kind: CellKind::Vanilla,
        units: n,
        inputs: 1,
        input_weights: a.to_vec(),
        recurrent_weights: w.transpose().as_slice().to_vec(),
        input_bias: b.to_vec(),
        recurrent_bias: vec![0.0; n],
    };
    Map::new(&cell, &[x]).unwrap()
}

/// `h' = tanh(W h)`.
pub fn tanh(w: &Matrix) -> Map {
    tanh_map(w, &vec![0.0; w.nrows()], &vec![0.0; w.nrows()], 0.0)
}

/// `h_i' = tanh(g h_i)`: `n` bits that know nothing of each other.
pub fn bits(n: usize, gain: f64) -> Map {
    tanh(&Matrix::from_diagonal_element(n, n, gain))
}

/// `W[i, :] = −roll(linspace(−1, 1, n), −i)`.
pub fn circulant(n: usize) -> Map {
    let ramp = |k: usize| -1.0 + 2.0 * k as f64 / (n - 1) as f64;
    tanh(&Matrix::from_fn(n, n, |i, j| -ramp((i + j) % n)))
}

/// Weights and biases uniform in ±`width`.
pub fn random_cell(kind: CellKind, units: usize, width: f64, seed: u64) -> Map {
    let mut stream = seed::stream(seed, "flow/cell");
    let mut draw = |n: usize| (0..n).map(|_| stream.random_range(-width..width)).collect();
    let rows = kind.gates() * units;
    let cell = Cell {
        kind,
        units,
        inputs: 1,
        input_weights: draw(rows),
        recurrent_weights: draw(rows * units),
        input_bias: draw(rows),
        recurrent_bias: draw(rows),
    };
    Map::new(&cell, &[0.5]).unwrap()
}

/// States in the map's invariant box.
pub fn states(map: &dyn Dynamics, count: usize, seed: u64) -> Vec<Vec<f64>> {
    let sides = map.invariant_box().unwrap();
    let mut stream = seed::stream(seed, "flow/states");
    let mut draw = |(low, high): &(f64, f64)| stream.random_range(*low..*high);
    (0..count).map(|_| sides.iter().map(&mut draw).collect()).collect()
}

pub fn views(states: &[Vec<f64>]) -> Vec<&[f64]> {
    states.iter().map(Vec::as_slice).collect()
}

pub fn finder() -> Finder {
    Finder { tolerances: vec![1e-24], max_distance: 1e9, steps: 200 }
}

/// Fixed points that are reached from some states, each once.
pub fn fixed_points(map: &dyn Dynamics, initial_states: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut found = Vec::new();
    search(map, initial_states.iter().map(Vec::as_slice), 1.0, &finder(), |result| {
        found.push(result);
        Ok(())
    })
    .unwrap();
    found.retain(|r| r.stop == Stop::Converged);
    let points: Vec<(&[f64], f64)> =
        found.iter().map(|r| (r.last.state.as_slice(), r.last.speed)).collect();
    let selection = Selection { unique: 1e-5, outlier: 0.0 };
    select(&points, 1.0, &selection).into_iter().map(|i| points[i].0.to_vec()).collect()
}

/// A ring of radius 1 that attracts: `r' = r (1 + a)/(1 + a r²)`, `φ' = φ + turn + lock · sin(k φ)`.
///
/// On the ring `dr'/dr = 1 − 2a/(1 + a) = (1 − a)/(1 + a)`, and `dφ'/dφ = 1 + lock · k cos(k φ)`.
pub struct Ring {
    pub a: f64,
    pub turn: f64,
    pub lock: f64,
    pub k: f64,
}

impl Dynamics for Ring {
    fn state_size(&self) -> usize {
        2
    }

    fn step(&self, h: &[f64]) -> Vector {
        let (r, phi) = (h[0].hypot(h[1]), h[1].atan2(h[0]));
        let r_next = r * (1.0 + self.a) / (1.0 + self.a * r * r);
        let phi_next = phi + self.turn + self.lock * (self.k * phi).sin();
        Vector::from_vec(vec![r_next * phi_next.cos(), r_next * phi_next.sin()])
    }

    fn jacobian(&self, h: &[f64]) -> Matrix {
        let (r, phi) = (h[0].hypot(h[1]), h[1].atan2(h[0]));
        let scale = 1.0 + self.a * r * r;
        let r_next = r * (1.0 + self.a) / scale;
        let stretch = (1.0 + self.a) * (1.0 - self.a * r * r) / (scale * scale);
        let phi_next = phi + self.turn + self.lock * (self.k * phi).sin();
        let twist = 1.0 + self.lock * self.k * (self.k * phi).cos();
        // ∂(x', y')/∂(r, φ) · ∂(r, φ)/∂(x, y).
        let (s, c) = phi_next.sin_cos();
        let out = Matrix::from_row_slice(2, 2, &[c, -r_next * s, s, r_next * c]);
        let polar = Matrix::from_row_slice(2, 2, &[stretch, 0.0, 0.0, twist]);
        let (s, c) = phi.sin_cos();
        out * polar * Matrix::from_row_slice(2, 2, &[c, s, -s / r, c / r])
    }
}

/// `h' = tanh(g R(θ) h)`, whose input is the gain `g`.
pub struct Turning {
    pub angle: f64,
    pub gain: [f64; 1],
}

impl Turning {
    fn turned(&self, h: &[f64]) -> Vector {
        let (s, c) = self.angle.sin_cos();
        Vector::from_vec(vec![c * h[0] - s * h[1], s * h[0] + c * h[1]])
    }
}

impl Dynamics for Turning {
    fn state_size(&self) -> usize {
        2
    }

    fn step(&self, h: &[f64]) -> Vector {
        (self.turned(h) * self.gain[0]).map(f64::tanh)
    }

    fn jacobian(&self, h: &[f64]) -> Matrix {
        let (s, c) = self.angle.sin_cos();
        let slope = self.step(h).map(|t| 1.0 - t * t);
        Matrix::from_diagonal(&slope) * Matrix::from_row_slice(2, 2, &[c, -s, s, c]) * self.gain[0]
    }

    fn input(&self) -> &[f64] {
        &self.gain
    }

    fn input_jacobian(&self, h: &[f64]) -> Matrix {
        let slope = self.step(h).map(|t| 1.0 - t * t);
        Matrix::from_column_slice(2, 1, slope.component_mul(&self.turned(h)).as_slice())
    }

    fn with_input(&self, input: &[f64]) -> accrue_numerics::Result<Box<dyn Dynamics + '_>> {
        Ok(Box::new(Turning { angle: self.angle, gain: [input[0]] }))
    }
}
