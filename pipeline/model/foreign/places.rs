//! Where recurrent cells stand in a file, and which of them are layers and directions of one network.

use super::case::{Case, leaf, prefix};
use crate::{Error, Result};

/// In whose form arrays stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Form {
    /// PyTorch's `nn.GRU` and the like: names end in `_l0`.
    Layer,
    /// PyTorch's `nn.GRUCell` and the like, and Equinox.
    Single,
    Keras,
    /// Flax linen, and its LSTM in NNX: a layer for each gate.
    Flax,
    /// Flax NNX: `dense_i` and `dense_h`.
    Nnx,
}

/// Where one cell stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    pub form: Form,
    /// What stands before its arrays' names, separator included.
    pub before: String,
    /// What stands behind them: `_l0`, `_l1_reverse`, or nothing.
    pub ending: String,
    pub separator: char,
}

impl Place {
    /// As it is named on the command line.
    pub fn name(&self) -> String {
        let before = self.before.trim_end_matches(['.', '/']);
        match (self.form, self.ending.as_str()) {
            (Form::Layer, "_l0") => before.into(),
            (Form::Layer, ending) if before.is_empty() => ending.trim_start_matches('_').into(),
            (_, ending) => format!("{before}{ending}"),
        }
    }

    /// The same, layer and direction always said.
    fn full_name(&self) -> String {
        let before = self.before.trim_end_matches(['.', '/']);
        format!("{before}{}", self.ending).trim_start_matches('_').into()
    }

    /// Layer, and whether backward, of PyTorch's names.
    pub fn level(&self) -> (usize, bool) {
        let (layer, backward) = match self.ending.strip_suffix("_reverse") {
            Some(layer) => (layer, true),
            None => (self.ending.as_str(), false),
        };
        (layer.trim_start_matches("_l").parse().unwrap_or(0), backward)
    }
}

/// The cells of one network: layers from below, each with its directions, forward first.
pub struct Stack {
    pub layers: Vec<Vec<Place>>,
    /// Whether one cell was picked out of a larger network, whose readout is not its own.
    pub alone: bool,
}

impl Case<'_> {
    /// Every place with the arrays of a cell, in the order of names.
    pub fn every_place(&self) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        for name in self.arrays.keys() {
            let before = prefix(name).to_string();
            let leaf = leaf(name);
            let mut found = |form, before: &str, ending: &str, separator| {
                places.push(Place {
                    form,
                    before: before.into(),
                    ending: ending.into(),
                    separator,
                });
            };
            match leaf {
                "weight_hh" => found(Form::Single, &before, "", '.'),
                "recurrent_kernel" => found(Form::Keras, &before, "", '/'),
                "kernel" => {
                    // Flax keeps a layer for each product: `GRUCell_0/hn/kernel`.
                    let separator = before.chars().last().unwrap_or('/');
                    let layer = before.trim_end_matches(['.', '/']);
                    let cell = prefix(layer);
                    let has = |l: &str| {
                        let with = |l: &str| self.has(&format!("{cell}{l}{separator}kernel"));
                        with(l) || with(&format!("{l}_"))
                    };
                    match super::case::leaf(layer) {
                        "hn" if has("ir") && has("hr") => found(Form::Flax, cell, "", separator),
                        "hg" if has("ii") && has("hi") => found(Form::Flax, cell, "", separator),
                        "h" if has("i") => found(Form::Flax, cell, "", separator),
                        "dense_h" if has("dense_i") => found(Form::Nnx, cell, "", separator),
                        _ => {}
                    }
                }
                _ if leaf.starts_with("weight_hr") => {
                    return Err(self.refuse(
                        &format!("array `{name}`"),
                        "a projection of the state, which is not understood",
                        "train it with `proj_size=0`",
                    ));
                }
                _ if leaf.starts_with("weight_hh_l") => {
                    found(Form::Layer, &before, &leaf["weight_hh".len()..], '.');
                }
                _ => {}
            }
        }
        Ok(places)
    }

    /// The cells of the network that is meant.
    pub fn stack(&self) -> Result<Stack> {
        let places = self.every_place()?;
        if places.is_empty() {
            return Err(self.refuse(
                "",
                format!(
                    "no recurrent cell under a known name; it holds {}",
                    self.listed(self.arrays.keys().map(String::as_str))
                ),
                "PyTorch (weight_ih_l0, weight_hh_l0), Equinox, Keras (kernel, \
                 recurrent_kernel) and Flax names are understood; rename yours",
            ));
        }
        let networks = networks(&places);
        let Some(wanted) = &self.settings.recurrent else {
            return match networks.as_slice() {
                [one] => Ok(Stack { layers: one.clone(), alone: false }),
                _ => Err(self.several(&networks)),
            };
        };
        let wanted: Vec<String> = wanted
            .split(',')
            .map(|w| super::names::plain(w.trim().trim_end_matches(['.', '/'])))
            .collect();
        let whole = |name: &str| {
            networks.iter().find(|n| {
                let first = &n[0][0];
                first.before.trim_end_matches(['.', '/']) == name
            })
        };
        if let [name] = wanted.as_slice() {
            let one = places.iter().find(|p| p.full_name() == *name);
            if let Some(layers) = whole(name) {
                return Ok(Stack { layers: layers.clone(), alone: networks.len() > 1 });
            }
            return match one {
                Some(place) => Ok(Stack { layers: vec![vec![place.clone()]], alone: true }),
                None => Err(self.unknown(name, &places, &networks)),
            };
        }
        // Several names are layers, from below.
        let mut layers = Vec::new();
        for name in &wanted {
            match whole(name) {
                Some(part) => layers.extend(part.clone()),
                None => return Err(self.unknown(name, &places, &networks)),
            }
        }
        let named: usize = layers.iter().map(Vec::len).sum();
        Ok(Stack { layers, alone: named < places.len() })
    }

    fn several(&self, networks: &[Vec<Vec<Place>>]) -> Error {
        let names: Vec<String> = networks.iter().map(|n| format!("`{}`", n[0][0].before)).collect();
        let stacked = names.len() == 2;
        let remedy = if stacked {
            "name one of them (`--recurrent PREFIX`), or both from below with a comma where one reads \
             the other's states"
        } else {
            "name one of them (`--recurrent PREFIX`), or several from below with commas where each \
             reads the states of the one before"
        };
        self.refuse("", format!("more than one recurrent cell: {}", names.join(", ")), remedy)
    }

    fn unknown(&self, name: &str, places: &[Place], networks: &[Vec<Vec<Place>>]) -> Error {
        let mut names: Vec<String> =
            networks.iter().map(|n| format!("`{}`", n[0][0].before)).collect();
        if networks.iter().any(|n| n.len() > 1 || n[0].len() > 1) {
            names.extend(places.iter().map(|p| format!("`{}`", p.full_name())));
        }
        if places.iter().any(|p| p.full_name() == name) {
            let problem = format!("`{name}` is a part of a larger module, and several were named");
            let remedy = "name that one alone, or leave `--recurrent` out: its layers and directions belong together";
            return self.refuse("", problem, remedy);
        }
        let problem = format!("`{name}` is none of {}", names.join(", "));
        self.refuse("", problem, "name one of them (`--recurrent PREFIX`)")
    }
}

/// Places that belong together: the layers and directions of one module of PyTorch's, the directions of one
/// `Bidirectional` of Keras.
fn networks(places: &[Place]) -> Vec<Vec<Vec<Place>>> {
    let mut all: Vec<Vec<Vec<Place>>> = Vec::new();
    for place in places {
        let (layer, backward) = place.level();
        let of = all.iter_mut().find(|network| {
            let first = &network[0][0];
            match place.form {
                Form::Layer => first.form == Form::Layer && first.before == place.before,
                Form::Keras => other_direction(&first.before, &place.before),
                _ => false,
            }
        });
        match of {
            None => all.push(vec![vec![place.clone()]]),
            Some(network) if place.form == Form::Keras => {
                // `backward_lstm` comes first in the order of letters.
                network[0].insert(0, place.clone());
            }
            Some(network) => {
                network.resize(network.len().max(layer + 1), Vec::new());
                let at = if backward { network[layer].len() } else { 0 };
                network[layer].insert(at, place.clone());
            }
        }
    }
    all
}

/// Whether two names are those of one `Bidirectional`'s directions.
fn other_direction(backward: &str, forward: &str) -> bool {
    backward.contains("backward_") && backward.replace("backward_", "forward_") == forward
}

/// What a cell reads of a text backwards.
pub fn is_backward(place: &Place) -> bool {
    match place.form {
        Form::Layer => place.level().1,
        Form::Keras => place.before.contains("backward_"),
        _ => false,
    }
}
