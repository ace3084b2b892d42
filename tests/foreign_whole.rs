//! Networks of several layers, directions and poolings, and of norms, against the same computed step by step in f64.

use super::foreign_files::drawn;
use accrue::dynamics::{Dynamics, Map};
use accrue::model::foreign::{Foreign, Settings};
use accrue::model::{Config, Network, weights};
use accrue::ops::{Cell, CellKind};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;

const TEXTS: [&[u32]; 4] = [&[1, 2, 3, 0, 6], &[5], &[4, 4, 2, 1, 1, 0], &[0, 6]];
const INPUTS: usize = 3;
const UNITS: usize = 4;

/// A file's arrays.
#[derive(Default)]
struct Arrays(BTreeMap<String, (Vec<usize>, Vec<f32>)>);

impl Arrays {
    fn add(&mut self, name: &str, shape: &[usize]) {
        let count = shape.iter().product();
        let seed = name.bytes().fold(7_u32, |h, b| h.wrapping_mul(31).wrapping_add(b as u32));
        self.0.insert(name.into(), (shape.into(), drawn(count, seed)));
    }

    fn of(&self, name: &str) -> &[f32] {
        &self.0[name].1
    }

    /// The arrays of one direction of one layer.
    fn cell(&mut self, kind: CellKind, ending: &str, inputs: usize) {
        let rows = kind.gates() * UNITS;
        self.add(&format!("rnn.weight_ih{ending}"), &[rows, inputs]);
        self.add(&format!("rnn.weight_hh{ending}"), &[rows, UNITS]);
        self.add(&format!("rnn.bias_ih{ending}"), &[rows]);
        self.add(&format!("rnn.bias_hh{ending}"), &[rows]);
    }

    fn save(&self, folder: &Path) -> Settings {
        let file = folder.join("network.safetensors");
        weights::write(&file, &self.0, HashMap::new()).unwrap();
        Settings { file, ..Settings::default() }
    }

    /// States after each step, `[h; c]` for an LSTM, in the order of the text.
    fn states(
        &self,
        kind: CellKind,
        ending: &str,
        inputs: &[Vec<f64>],
        backward: bool,
    ) -> Vec<Vec<f64>> {
        let wide = |part: &str| {
            self.of(&format!("rnn.{part}{ending}")).iter().map(|&x| x as f64).collect()
        };
        let cell = Cell {
            kind,
            units: UNITS,
            inputs: inputs[0].len(),
            input_weights: wide("weight_ih"),
            recurrent_weights: wide("weight_hh"),
            input_bias: wide("bias_ih"),
            recurrent_bias: wide("bias_hh"),
        };
        let mut state = match self.0.get("h0") {
            Some((_, start)) => start.iter().map(|&x| x as f64).collect(),
            None => vec![0.0; kind.state_size(UNITS)],
        };
        let mut step = |x: &Vec<f64>| {
            state = Map::new(&cell, x).unwrap().step(&state).as_slice().to_vec();
            state.clone()
        };
        if backward {
            let mut all: Vec<_> = inputs.iter().rev().map(&mut step).collect();
            all.reverse();
            all
        } else {
            inputs.iter().map(step).collect()
        }
    }

    fn words(&self, text: &[u32]) -> Vec<Vec<f64>> {
        let row = |&w: &u32| self.of("embedding.weight")[w as usize * INPUTS..][..INPUTS].to_vec();
        text.iter().map(|w| row(w).iter().map(|&x| x as f64).collect()).collect()
    }

    fn say(&self, z: &[f64]) -> Vec<f64> {
        let rows = self.of("fc.weight").chunks(z.len()).zip(self.of("fc.bias"));
        rows.map(|(w, b)| *b as f64 + w.iter().zip(z).map(|(w, z)| *w as f64 * z).sum::<f64>())
            .collect()
    }
}

fn network(settings: &Settings) -> Network {
    let found = Foreign::read(settings).unwrap_or_else(|e| panic!("{e}"));
    let head = found.head(2, false).unwrap();
    found.network(&Config::default(), head, &TEXTS).unwrap()
}

/// Largest difference between what the network says and what it should.
fn difference(settings: &Settings, should: impl Fn(&[u32]) -> Vec<f64>) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let network = network(settings);
    let said = network.predict(&TEXTS).unwrap();
    // Later stages read it from its own file.
    network.save(&folder.path().join("model.safetensors")).unwrap();
    let again = Network::load(&folder.path().join("model.safetensors")).unwrap();
    assert_eq!(again.predict(&TEXTS).unwrap(), said);
    let pairs =
        said.iter().zip(TEXTS).flat_map(|(said, text)| said.clone().into_iter().zip(should(text)));
    pairs.map(|(a, b)| (a as f64 - b).abs()).fold(0.0, f64::max)
}

/// f32 against f64 over a few steps.
const CLOSE: f64 = 2e-6;

fn column(states: &[Vec<f64>], i: usize) -> impl Iterator<Item = f64> {
    states.iter().map(move |s| s[i])
}

/// One pooling of the first `UNITS` numbers.
fn pooled(name: &str, states: &[Vec<f64>]) -> Vec<f64> {
    let each = |f: &dyn Fn(usize) -> f64| (0..UNITS).map(f).collect();
    match name {
        "last" => states[states.len() - 1][..UNITS].to_vec(),
        "mean" => each(&|i| column(states, i).sum::<f64>() / states.len() as f64),
        "max" => each(&|i| column(states, i).fold(f64::NEG_INFINITY, f64::max)),
        "c" => states[states.len() - 1][UNITS..].to_vec(),
        other => panic!("{other}"),
    }
}

fn plain(kind: CellKind, reads: usize) -> Arrays {
    let mut arrays = Arrays::default();
    arrays.add("embedding.weight", &[7, INPUTS]);
    arrays.cell(kind, "_l0", INPUTS);
    arrays.add("fc.weight", &[2, reads]);
    arrays.add("fc.bias", &[2]);
    arrays
}

#[test]
fn twice_the_units_are_refused_with_every_way_to_read_them_and_each_way_is_exact() {
    let folder = tempfile::tempdir().unwrap();
    let arrays = plain(CellKind::Lstm, 2 * UNITS);
    let mut settings = arrays.save(folder.path());
    let refused = Foreign::read(&settings).unwrap_err().to_string();
    assert!(
        refused.contains("8 numbers of an LSTM of 4 units") && refused.contains("--readout-reads"),
        "{refused}"
    );
    let ways: Vec<String> =
        Foreign::readings(&settings).into_iter().map(|(name, _)| name).collect();
    assert_eq!(ways.len(), 8);
    for way in ways {
        assert!(refused.contains(&format!("`{way}`")), "{way}: {refused}");
        let parts: Vec<&str> = match way.as_str() {
            "hc" => vec!["last", "c"],
            "ch" => vec!["c", "last"],
            other => other.split('-').collect(),
        };
        settings.reads = Some(way.clone());
        let far = difference(&settings, |text| {
            let states = arrays.states(CellKind::Lstm, "_l0", &arrays.words(text), false);
            let z: Vec<f64> = parts.iter().flat_map(|p| pooled(p, &states)).collect();
            arrays.say(&z)
        });
        assert!(far < CLOSE, "{way}: {far:e}");
    }
    settings.reads = Some("mean".into());
    let refused = Foreign::read(&settings).unwrap_err().to_string();
    assert!(refused.contains("`mean` gives 4 numbers"), "{refused}");
    // What stands still is read the same by last, mean and largest.
    settings.reads = Some("mean-max".into());
    let (weights, bias) = network(&settings).readout().unwrap();
    let state: Vec<f64> = drawn(2 * UNITS, 5).iter().map(|&x| x as f64).collect();
    let standing = arrays.say(&[&state[..UNITS], &state[..UNITS]].concat());
    let said = weights.chunks(2 * UNITS).zip(&bias);
    let said = said.map(|(w, b)| b + w.iter().zip(&state).map(|(w, s)| w * s).sum::<f64>());
    assert!(said.zip(standing).all(|(a, b)| (a - b).abs() < CLOSE));
}

#[test]
fn as_many_numbers_as_units_are_the_last_state_unless_it_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let arrays = plain(CellKind::Gru, UNITS);
    for (reads, way) in [(None, "last"), (Some("mean"), "mean"), (Some("max"), "max")] {
        let settings = Settings { reads: reads.map(String::from), ..arrays.save(folder.path()) };
        let far = difference(&settings, |text| {
            arrays
                .say(&pooled(way, &arrays.states(CellKind::Gru, "_l0", &arrays.words(text), false)))
        });
        assert!(far < CLOSE, "{way}: {far:e}");
        let notes = Foreign::read(&settings).unwrap().notes;
        assert_eq!(
            reads.is_none(),
            notes.iter().any(|n| n.contains("taken to read the last state"))
        );
    }
    let arrays = plain(CellKind::Gru, 3 * UNITS);
    let settings = Settings { reads: Some("last-max-mean".into()), ..arrays.save(folder.path()) };
    let far = difference(&settings, |text| {
        let states = arrays.states(CellKind::Gru, "_l0", &arrays.words(text), false);
        arrays.say(&["last", "max", "mean"].map(|p| pooled(p, &states)).concat())
    });
    assert!(far < CLOSE, "{far:e}");
}

#[test]
fn a_learned_first_state_is_where_every_document_starts() {
    let folder = tempfile::tempdir().unwrap();
    let mut arrays = plain(CellKind::Gru, 2 * UNITS);
    arrays.add("h0", &[1, 1, UNITS]);
    let settings = Settings { reads: Some("mean-max".into()), ..arrays.save(folder.path()) };
    let far = difference(&settings, |text| {
        let states = arrays.states(CellKind::Gru, "_l0", &arrays.words(text), false);
        arrays.say(&[pooled("mean", &states), pooled("max", &states)].concat())
    });
    assert!(far < CLOSE, "{far:e}");
}

/// Two directions, and as many layers.
fn directions(kind: CellKind, layers: usize, reads: usize) -> Arrays {
    let mut arrays = plain(kind, reads);
    arrays.cell(kind, "_l0_reverse", INPUTS);
    for layer in 1..layers {
        arrays.cell(kind, &format!("_l{layer}"), 2 * UNITS);
        arrays.cell(kind, &format!("_l{layer}_reverse"), 2 * UNITS);
    }
    arrays
}

impl Arrays {
    /// States of both directions of the uppermost layer.
    fn both(&self, kind: CellKind, layers: usize, text: &[u32]) -> [Vec<Vec<f64>>; 2] {
        let mut inputs = self.words(text);
        for layer in 0.. {
            let forward = self.states(kind, &format!("_l{layer}"), &inputs, false);
            let backward = self.states(kind, &format!("_l{layer}_reverse"), &inputs, true);
            if layer + 1 == layers {
                return [forward, backward];
            }
            let side = forward.iter().zip(&backward);
            inputs = side.map(|(f, b)| [&f[..UNITS], &b[..UNITS]].concat()).collect();
        }
        unreachable!("there is a last layer")
    }
}

#[test]
fn two_directions_are_read_as_two_directions_and_never_as_h_and_c() {
    let folder = tempfile::tempdir().unwrap();
    for (kind, layers) in [(CellKind::Lstm, 1), (CellKind::Gru, 1), (CellKind::Lstm, 2)] {
        let arrays = directions(kind, layers, 2 * UNITS);
        let mut settings = arrays.save(folder.path());
        let refused = Foreign::read(&settings).unwrap_err().to_string();
        assert!(refused.contains("`last`, `end`") && !refused.contains("`hc`"), "{refused}");
        for way in ["last", "end", "mean", "max"] {
            settings.reads = Some(way.into());
            let far = difference(&settings, |text| {
                let [f, b] = arrays.both(kind, layers, text);
                let z = match way {
                    "last" => [pooled("last", &f), b[0][..UNITS].to_vec()],
                    "end" => [pooled("last", &f), pooled("last", &b)],
                    _ => [pooled(way, &f), pooled(way, &b)],
                };
                arrays.say(&z.concat())
            });
            assert!(far < CLOSE, "{kind:?}, {layers} layers, {way}: {far:e}");
        }
    }
    let arrays = directions(CellKind::Gru, 1, UNITS);
    for (way, share) in [("sum", 1.0), ("average", 0.5)] {
        let settings = Settings { reads: Some(way.into()), ..arrays.save(folder.path()) };
        let far = difference(&settings, |text| {
            let [f, b] = arrays.both(CellKind::Gru, 1, text);
            let z: Vec<f64> = (0..UNITS).map(|i| share * (f[f.len() - 1][i] + b[0][i])).collect();
            arrays.say(&z)
        });
        assert!(far < CLOSE, "{way}: {far:e}");
    }
}

#[test]
fn a_layer_reads_the_states_below_and_its_own_states_are_those_of_the_documents() {
    let folder = tempfile::tempdir().unwrap();
    for kind in [CellKind::Gru, CellKind::Lstm] {
        let mut arrays = plain(kind, UNITS);
        arrays.cell(kind, "_l1", UNITS);
        let settings = arrays.save(folder.path());
        let above = |text: &[u32]| {
            let below = arrays.states(kind, "_l0", &arrays.words(text), false);
            let below: Vec<Vec<f64>> = below.iter().map(|s| s[..UNITS].to_vec()).collect();
            arrays.states(kind, "_l1", &below, false)
        };
        let far = difference(&settings, |text| arrays.say(&pooled("last", &above(text))));
        assert!(far < CLOSE, "{kind:?}: {far:e}");
        let network = network(&settings);
        let size = kind.state_size(UNITS);
        let mut seen = 0;
        network
            .walk(accrue::ops::Pool::Every, &TEXTS, |indices, states| {
                let stride = states.dim(1)? * size;
                let flat: Vec<f32> = states.flatten_all()?.to_vec1()?;
                for (&d, rows) in indices.iter().zip(flat.chunks(stride)) {
                    let should = above(TEXTS[d]).concat();
                    assert!(rows.iter().zip(&should).all(|(a, b)| (*a as f64 - b).abs() < CLOSE));
                    assert!(rows[should.len()..].iter().all(|x| *x == 0.0));
                    seen += 1;
                }
                Ok(())
            })
            .unwrap();
        assert_eq!(seen, TEXTS.len());
        // A word that stands in one place only says there what the layer below hands up after it.
        let inputs = network.inputs().unwrap();
        let below = arrays.states(kind, "_l0", &arrays.words(TEXTS[0]), false);
        assert!(inputs.vector(3).iter().zip(&below[2]).all(|(a, b)| (a - b).abs() < CLOSE));
    }
}

#[test]
fn one_cell_of_several_has_no_readout() {
    let folder = tempfile::tempdir().unwrap();
    let settings = directions(CellKind::Lstm, 1, 2 * UNITS).save(folder.path());
    for name in ["rnn_l0", "rnn_l0_reverse"] {
        let mut one = Settings { recurrent: Some(name.into()), ..settings.clone() };
        let found = Foreign::read(&one).unwrap();
        assert_eq!((found.outputs(), found.units, found.inputs), (0, UNITS, INPUTS));
        assert!(found.notes.iter().any(|n| n.contains("left out")), "{:?}", found.notes);
        one.readout = Some("fc.weight".into());
        let refused = Foreign::read(&one).unwrap_err().to_string();
        assert!(refused.contains("readout is of the whole network"), "{refused}");
    }
    let mut arrays = plain(CellKind::Gru, UNITS);
    arrays.cell(CellKind::Gru, "_l1", UNITS);
    let settings = arrays.save(folder.path());
    let upper = Settings { recurrent: Some("rnn_l1".into()), ..settings };
    let found = Foreign::read(&upper).unwrap();
    assert!(!found.reads_words && found.embedding.is_none() && found.outputs() == 0);
    let named = Settings { readout: Some("fc.weight".into()), ..upper };
    assert_eq!(
        Foreign::read(&named).unwrap().outputs(),
        2,
        "the uppermost layer's readout is its own"
    );
}

fn layer_norm(z: &[f64], scale: &[f32], shift: &[f32]) -> Vec<f64> {
    let n = z.len() as f64;
    let mean = z.iter().sum::<f64>() / n;
    let spread = (z.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n + 1e-5).sqrt();
    z.iter()
        .zip(scale)
        .zip(shift)
        .map(|((x, a), b)| (x - mean) / spread * *a as f64 + *b as f64)
        .collect()
}

#[test]
fn norms_are_part_of_the_network_wherever_they_stand() {
    let folder = tempfile::tempdir().unwrap();
    let kind = CellKind::Gru;
    let states =
        |arrays: &Arrays, text: &[u32]| arrays.states(kind, "_l0", &arrays.words(text), false);
    let with = |arrays: &mut Arrays, size: usize| {
        arrays.add("norm.weight", &[size]);
        arrays.add("norm.bias", &[size]);
    };
    // Before the readout.
    let mut arrays = plain(kind, UNITS);
    with(&mut arrays, UNITS);
    let normed = |arrays: &Arrays, z: &[f64]| {
        layer_norm(z, arrays.of("norm.weight"), arrays.of("norm.bias"))
    };
    let settings = arrays.save(folder.path());
    let far = difference(&settings, |t| {
        arrays.say(&normed(&arrays, &pooled("last", &states(&arrays, t))))
    });
    assert!(far < 4.0 * CLOSE, "{far:e}");
    let without = Settings { norm: Some("none".into()), ..settings.clone() };
    assert!(difference(&without, |t| arrays.say(&pooled("last", &states(&arrays, t)))) < CLOSE);
    let notes = Foreign::read(&without).unwrap().notes.join("; ");
    assert!(notes.contains("warning: not used") && notes.contains("`norm.weight`"), "{notes}");
    let other = Settings { norm_epsilon: Some(0.5), ..settings };
    let far =
        difference(&other, |t| arrays.say(&normed(&arrays, &pooled("last", &states(&arrays, t)))));
    assert!(far > 1e-3, "what is added to the variance counts");

    // At every step, before means and largest states.
    let mut arrays = plain(kind, 2 * UNITS);
    with(&mut arrays, UNITS);
    let settings = Settings { reads: Some("mean-max".into()), ..arrays.save(folder.path()) };
    let far = difference(&settings, |t| {
        let steps: Vec<Vec<f64>> = states(&arrays, t).iter().map(|s| normed(&arrays, s)).collect();
        arrays.say(&[pooled("mean", &steps), pooled("max", &steps)].concat())
    });
    assert!(far < 4.0 * CLOSE, "{far:e}");

    // Of the words' vectors.
    let mut arrays = plain(kind, UNITS);
    with(&mut arrays, INPUTS);
    let far = difference(&arrays.save(folder.path()), |t| {
        let words: Vec<Vec<f64>> = arrays.words(t).iter().map(|w| normed(&arrays, w)).collect();
        arrays.say(&pooled("last", &arrays.states(kind, "_l0", &words, false)))
    });
    assert!(far < 8.0 * CLOSE, "{far:e}");

    // A batch norm is folded into the readout, which stays one of the state.
    let mut arrays = plain(kind, UNITS);
    with(&mut arrays, UNITS);
    arrays.add("norm.running_mean", &[UNITS]);
    arrays.0.insert("norm.running_var".into(), (vec![UNITS], vec![0.3, 1.2, 2.0, 0.01]));
    let settings = arrays.save(folder.path());
    let far = difference(&settings, |t| {
        let z = pooled("last", &states(&arrays, t));
        let z: Vec<f64> = (0..UNITS)
            .map(|i| {
                let [mean, var] = ["running_mean", "running_var"]
                    .map(|p| arrays.of(&format!("norm.{p}"))[i] as f64);
                let [a, b] = ["weight", "bias"].map(|p| arrays.of(&format!("norm.{p}"))[i] as f64);
                (z[i] - mean) / (var + 1e-5).sqrt() * a + b
            })
            .collect();
        arrays.say(&z)
    });
    assert!(far < 8.0 * CLOSE, "{far:e}");
    assert!(Foreign::read(&settings).unwrap().whole.is_none());
}

#[test]
fn a_norm_that_could_stand_in_two_places_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let mut arrays = Arrays::default();
    arrays.add("embedding.weight", &[7, UNITS]);
    arrays.cell(CellKind::Gru, "_l0", UNITS);
    arrays.add("fc.weight", &[2, UNITS]);
    arrays.add("fc.bias", &[2]);
    arrays.add("norm.weight", &[UNITS]);
    arrays.add("norm.bias", &[UNITS]);
    let settings = arrays.save(folder.path());
    let refused = Foreign::read(&settings).unwrap_err().to_string();
    assert!(refused.contains("--norm words") && refused.contains("--norm readout"), "{refused}");
    let said = |norm: &str| {
        network(&Settings { norm: Some(norm.into()), ..settings.clone() }).predict(&TEXTS).unwrap()
    };
    let all = ["words", "readout", "norm=readout", "none"].map(said);
    assert_ne!(all[0], all[1]);
    assert_eq!(all[1], all[2]);
    assert_ne!(all[1], all[3]);
}

#[test]
fn layers_and_mixtures_are_not_trained_further() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        reads: Some("mean-max".into()),
        ..plain(CellKind::Gru, 2 * UNITS).save(folder.path())
    };
    let found = Foreign::read(&settings).unwrap();
    let head = found.head(2, false).unwrap();
    let refused = found.start(&Config::default(), head, 2, 1).unwrap_err().to_string();
    assert!(refused.contains("--train"), "{refused}");
}
