//! Weights of learned optimisers, under PyTorch's names.

use crate::experiment::LearnedOptimiser;
use crate::model::weights;
use crate::optimisers::Learned;
use crate::{Error, Result};
use std::collections::HashMap;
use std::path::Path;

/// Where the weights of an optimiser lie.
fn file_of(network: usize) -> String {
    format!("optimiser_{}.safetensors", network + 1)
}

/// Writes weights under PyTorch's names.
pub fn save(learned: &Learned, folder: &Path, network: usize) -> Result<String> {
    let settings = &learned.settings;
    let (n, inputs) = (settings.units, settings.features.count());
    let rows = settings.cell.gates() * n;
    let [cell, initial, readout, bias] = learned.parts();
    let [a, w, b_ih, b_hh] = settings.sizes().split(cell);
    let arrays: weights::Arrays = [
        ("rnn.weight_ih_l0", vec![rows, inputs], a),
        ("rnn.weight_hh_l0", vec![rows, n], w),
        ("rnn.bias_ih_l0", vec![rows], b_ih),
        ("rnn.bias_hh_l0", vec![rows], b_hh),
        ("initial_state", vec![initial.len()], initial),
        ("readout.weight", vec![1, readout.len()], readout),
        ("readout.bias", vec![1], bias),
    ]
    .into_iter()
    .map(|(name, shape, numbers)| (name.to_string(), (shape, numbers.to_vec())))
    .collect();
    let about = serde_json::to_string(settings).expect("settings are plain data");
    let file = file_of(network);
    weights::write(&folder.join(&file), &arrays, HashMap::from([("optimiser".into(), about)]))?;
    Ok(file)
}

/// Reads what [`save`] wrote.
pub fn load(e: &LearnedOptimiser, folder: &Path, network: usize) -> Result<Learned> {
    let path = folder.join(file_of(network));
    let (arrays, _) = weights::read(&path)?;
    let order = [
        "rnn.weight_ih_l0",
        "rnn.weight_hh_l0",
        "rnn.bias_ih_l0",
        "rnn.bias_hh_l0",
        "initial_state",
        "readout.weight",
        "readout.bias",
    ];
    let mut parameters = Vec::with_capacity(e.model.parameters());
    for name in order {
        let missing =
            || Error::input(path.display(), "", format!("no array `{name}`"), "train again");
        parameters.extend_from_slice(&arrays.get(name).ok_or_else(missing)?.1);
    }
    if parameters.len() != e.model.parameters() {
        return Err(Error::shape(
            "weights of an optimiser",
            parameters.len(),
            e.model.parameters(),
        ));
    }
    Ok(Learned { settings: e.model.clone(), parameters })
}
