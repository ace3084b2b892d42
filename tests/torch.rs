//! Every cell against numbers of PyTorch (`references/cells.py`).

use accrue::dynamics::{Dynamics, Map};
use accrue::ops::{Batch, Cell, CellKind, Entry, Pool, Sizes, fused, reference};
use candle_core::{DType, Device, Tensor, Var};
use serde::Deserialize;
use std::sync::Arc;

#[derive(Deserialize)]
struct File {
    cells: Vec<Reference>,
}

/// One cell of the file; shapes as the script has them.
#[derive(Deserialize)]
struct Reference {
    kind: CellKind,
    units: usize,
    inputs: usize,
    vocabulary: usize,
    sequences: Vec<Vec<u32>>,
    parameters: Vec<f64>,
    vectors: Vec<f64>,
    initial: Vec<f64>,
    probe: Vec<f64>,
    states: Vec<f64>,
    gradients: Vec<Vec<f64>>,
    next: Vec<f64>,
    jacobian_state: Vec<f64>,
    jacobian_input: Vec<f64>,
}

fn references() -> Vec<Reference> {
    let file: File = serde_json::from_str(include_str!("references/cells.json")).unwrap();
    assert_eq!(file.cells.len(), 10);
    file.cells
}

impl Reference {
    fn var(&self, numbers: &[f64], shape: &[usize], dtype: DType) -> Var {
        let tensor = Tensor::from_slice(numbers, shape, &Device::Cpu).unwrap();
        Var::from_tensor(&tensor.to_dtype(dtype).unwrap()).unwrap()
    }

    /// Last states, and gradients of parameters, vectors and initial state.
    fn outcome(&self, is_fused: bool) -> (Vec<f64>, Vec<Vec<f64>>) {
        let dtype = if is_fused { DType::F32 } else { DType::F64 };
        let (kind, units) = (self.kind, self.units);
        let sizes = Sizes { kind, units, entry: Entry::Vectors(self.inputs) };
        let parameters = self.var(&self.parameters, &[self.parameters.len()], dtype);
        let vectors = self.var(&self.vectors, &[self.vocabulary, self.inputs], dtype);
        let initial = self.var(&self.initial, &[self.initial.len()], dtype);
        let views: Vec<&[u32]> = self.sequences.iter().map(Vec::as_slice).collect();
        let states = if is_fused {
            let batch = Arc::new(Batch::new(&views).unwrap());
            let ids = Tensor::new(batch.distinct.as_slice(), &Device::Cpu).unwrap();
            let rows = vectors.index_select(&ids, 0).unwrap();
            fused::run(sizes, Pool::Last, &batch, &parameters, Some(&rows), &initial, true)
        } else {
            reference::run(sizes, Pool::Last, &views, &parameters, Some(&vectors), &initial, None)
        }
        .unwrap();
        let probe = Tensor::from_slice(&self.probe, states.shape(), &Device::Cpu).unwrap();
        let loss = (&states * probe.to_dtype(dtype).unwrap()).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        let flat = |t: &Tensor| -> Vec<f64> {
            t.flatten_all().unwrap().to_dtype(DType::F64).unwrap().to_vec1().unwrap()
        };
        let of = |v: &Var| flat(gradients.get(v).unwrap());
        (flat(&states), vec![of(&parameters), of(&vectors), of(&initial)])
    }

    fn cell(&self) -> Cell {
        let rows = self.kind.gates() * self.units;
        let (a, rest) = self.parameters.split_at(rows * self.inputs);
        let (w, rest) = rest.split_at(rows * self.units);
        let (b_ih, b_hh) = rest.split_at(rows);
        Cell {
            kind: self.kind,
            units: self.units,
            inputs: self.inputs,
            input_weights: a.to_vec(),
            recurrent_weights: w.to_vec(),
            input_bias: b_ih.to_vec(),
            recurrent_bias: b_hh.to_vec(),
        }
    }
}

fn close(found: &[f64], exact: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), exact.len(), "{what}");
    let scale = exact.iter().fold(1.0_f64, |m, x| m.max(x.abs()));
    for (i, (x, y)) in found.iter().zip(exact).enumerate() {
        assert!((x - y).abs() <= tolerance * scale, "{what}, entry {i}: {x}, PyTorch has {y}");
    }
}

#[test]
fn every_cell_and_all_its_gradients_equal_pytorchs() {
    for r in references() {
        // Five units and four tokens: a few roundings of each precision.
        for (is_fused, tolerance) in [(true, 32.0 * f32::EPSILON as f64), (false, 1e-14)] {
            let (states, gradients) = r.outcome(is_fused);
            let what = format!("{:?}, fused {is_fused}", r.kind);
            close(&states, &r.states, tolerance, &format!("{what}: states"));
            for (g, name) in ["parameters", "vectors", "initial state"].iter().enumerate() {
                let what = format!("{what}: gradient of {name}");
                close(&gradients[g], &r.gradients[g], tolerance, &what);
            }
        }
    }
}

#[test]
fn every_step_and_its_jacobians_equal_pytorchs() {
    for r in references() {
        let map = Map::new(&r.cell(), &r.vectors[r.inputs..2 * r.inputs]).unwrap();
        let row_major = |m: &accrue::linalg::Matrix| m.transpose().as_slice().to_vec();
        let what = format!("{:?}", r.kind);
        close(map.step(&r.initial).as_slice(), &r.next, 1e-14, &format!("{what}: step"));
        let (of_state, of_input) = (map.jacobian(&r.initial), map.input_jacobian(&r.initial));
        close(&row_major(&of_state), &r.jacobian_state, 1e-14, &format!("{what}: dF/dh"));
        close(&row_major(&of_input), &r.jacobian_input, 1e-14, &format!("{what}: dF/dx"));
    }
}
