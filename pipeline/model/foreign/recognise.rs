//! From names and shapes to a cell, an embedding and a readout.

use super::arrays::Read;
use super::case::{Case, leaf};
use super::cells::Recurrent;
use super::places::{Place, Stack, is_backward};
use super::reading::{Reading, Shape};
use super::readout::Affine;
use super::{ArrayRole, Foreign, Readout, Settings};
use crate::Result;
use crate::config::Config;
use crate::ops::Pool;
use crate::whole::{Block, Norm, Part, Pass, Pooling, Whole};

/// The recurrent part of a network that is read whole.
struct Cells<'a> {
    /// `[layers][directions]`.
    places: &'a [Vec<Place>],
    /// The same.
    cells: &'a [Vec<Recurrent>],
    /// Whether words enter as one-hot vectors.
    one_hot: bool,
    /// The state before the first word.
    initial: Option<&'a [f32]>,
}

pub fn recognise(settings: &Settings, read: Read) -> Result<Foreign> {
    let Read { arrays, described, mut notes } = read;
    let case = Case { settings, arrays: &arrays };
    let stack = case.stack()?;
    let kind = described.as_ref().map(|d| d.cell);
    let cells: Vec<Vec<Recurrent>> = stack
        .layers
        .iter()
        .map(|layer| layer.iter().map(|place| case.cell(place, kind)).collect())
        .collect::<Result<_>>()?;
    case.fit(&stack.layers, &cells)?;
    let shape = Shape {
        layers: cells.len(),
        directions: cells[cells.len() - 1].len(),
        units: cells[cells.len() - 1][0].units,
        lstm: cells[cells.len() - 1][0].kind.state_blocks() == 2,
    };
    let mut roles: Vec<(String, &'static str)> = Vec::new();
    for cell in cells.iter().flatten() {
        roles.extend(cell.roles.clone());
        for note in &cell.notes {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
    }
    // What belongs to other cells of the file is no embedding and no readout.
    let others = case.of_other_cells(&stack.layers)?;
    let used = |roles: &[(String, &str)], name: &str| {
        roles.iter().any(|(n, _)| n == name) || others.iter().any(|n| n == name)
    };
    let lowest = &cells[0][0];
    let reads_words = stack.layers[0][0].level().0 == 0;
    let embedding = match reads_words {
        true => case.embedding(lowest.inputs, &|n| used(&roles, n))?,
        false => None,
    };
    roles.extend(embedding.clone().map(|name| (name, "embedding")));
    let mut rows = embedding.map(|name| arrays[&name].1.clone());

    let mut affine = case.readout_of(&stack, shape, &others, &|n| used(&roles, n), &mut notes)?;
    if let Some(affine) = &affine {
        roles.push((affine.name.clone(), "readout"));
        roles.extend(affine.bias_name.clone().map(|b| (b, "readout bias")));
    }
    let norms =
        case.norms(shape, lowest.inputs, affine.as_mut(), rows.as_mut(), &|n| used(&roles, n))?;
    roles.extend(norms.roles);
    notes.extend(norms.notes);

    let state = lowest.kind.state_size(lowest.units);
    let initial = arrays.iter().find(|(name, (_, numbers))| {
        let known = ["initial_state", "h0", "h_0", "initial_hidden"].contains(&leaf(name));
        known && numbers.len() == state && !used(&roles, name)
    });
    roles.extend(initial.map(|(name, _)| (name.clone(), "initial state")));

    let initial = initial.map(|(_, (_, numbers))| numbers.clone());
    let one_hot = rows.is_none();
    let Reads { pool, readout, mut whole } = match affine {
        None => Reads::default(),
        Some(affine) => {
            let parts = Cells {
                places: &stack.layers,
                cells: &cells,
                one_hot,
                initial: initial.as_deref(),
            };
            case.reads(
                described.as_ref(),
                shape,
                (affine, norms.before_readout),
                parts,
                &mut notes,
            )?
        }
    };
    let analysed = cells[whole.as_ref().map_or(0, |w| w.analysed.0)][0].clone();
    case.leave_out_first(&mut rows, lowest.inputs, &mut notes)?;
    let copied = |name: &String| roles.iter().any(|(n, _)| arrays.get(n) == arrays.get(name));
    let role = |name: &String| match roles.iter().find(|(n, _)| n == name) {
        Some((_, role)) => role,
        None if others.contains(name) => "another cell",
        None if copied(name) => "a copy",
        None => "not used",
    };
    let taken: Vec<ArrayRole> = arrays
        .iter()
        .map(|(name, (shape, _))| ArrayRole {
            array: name.clone(),
            shape: shape.clone(),
            role: role(name),
        })
        .collect();
    if readout.is_some() || whole.is_some() {
        let (wide, rows) = (shape.units * shape.directions, lowest.kind.gates() * lowest.units);
        notes.extend(near(&taken, &[shape.units, state, wide, lowest.inputs, rows]));
    }
    if let Some(whole) = &mut whole {
        notes.push(describe(whole, &stack.layers));
        if !whole.reads_words() {
            whole.embedding = rows.take();
        }
    }
    Ok(Foreign {
        reads_words,
        file: settings.file.clone(),
        kind: analysed.kind,
        units: analysed.units,
        inputs: analysed.inputs,
        parts: analysed.parts,
        embedding: rows,
        readout,
        initial: initial.filter(|_| stack.layers.len() == 1 && shape.directions == 1),
        pool,
        whole,
        taken,
        notes,
    })
}

/// What the outputs come from: a readout of the state, or the whole network.
#[derive(Default)]
struct Reads {
    pool: Option<Pool>,
    readout: Option<Readout>,
    whole: Option<Whole>,
}

/// A warning of arrays that are not used though they have one of these sizes.
fn near(taken: &[ArrayRole], sizes: &[usize]) -> Option<String> {
    let unused = taken.iter().filter(|t| t.role == "not used");
    let near: Vec<String> = unused
        .filter(|t| t.shape.iter().any(|side| sizes.contains(side) && *side > 1))
        .map(|t| format!("`{}` {:?}", t.array, t.shape))
        .collect();
    (!near.is_empty()).then(|| {
        format!(
            "warning: not used, though they have the size of the state or of the words' vectors: {}; if the network \
             uses them, what is said here is not what it says",
            near.join(", ")
        )
    })
}

/// How the last state, or a mean, is pooled where that is all of the reading: `Some(None)` leaves it to the settings.
fn plain(reading: Option<&Reading>) -> Option<Option<Pool>> {
    match reading.map(|r| r.name.as_str()) {
        None => Some(None),
        Some("h" | "last" | "c" | "hc" | "ch") => Some(Some(Pool::Last)),
        Some("mean") => Some(Some(Pool::Mean)),
        Some(_) => None,
    }
}

/// A readout of part of the state as one of `[h; c]`.
fn of_the_state(affine: &Affine, reading: Option<&Reading>, n: usize, state: usize) -> Readout {
    let last = [Block { layer: 0, direction: 0, part: Part::Hidden, pooling: Pooling::Last }];
    let blocks = reading.map_or(&last[..], |r| &r.blocks);
    let outputs = affine.bias.len();
    let mut weights = vec![0.0; outputs * state];
    for o in 0..outputs {
        for (b, block) in blocks.iter().enumerate() {
            let offset = if block.part == Part::Cell { n } else { 0 };
            let from = &affine.weights[o * affine.inputs + b * n..][..n];
            weights[o * state + offset..][..n].copy_from_slice(from);
        }
    }
    Readout { weights, bias: affine.bias.clone() }
}

/// What the outputs are of, and what the rest of the analysis is of.
fn describe(whole: &Whole, layers: &[Vec<Place>]) -> String {
    let (layer, direction) = whole.analysed;
    let several = whole.layers.len() > 1 || whole.layers[0].len() > 1;
    let outputs = "outputs and accuracy are of the whole network";
    let states = "what is said of a single state is what a document says that stands in it";
    let norm = if whole.norm.is_some() { ", the layer norm with its mean deviation" } else { "" };
    if !several {
        return format!("{outputs}; {states}{norm}");
    }
    let other = ", the other cells at their mean over the documents";
    let mut text = format!(
        "{outputs}; states, slow points and words are of `{}`: {states}{other}{norm}",
        layers[layer][direction].name()
    );
    if !whole.reads_words() {
        text.push_str(
            ". A word's vector there is the mean of what the layer below hands up after it; states are those \
             of the documents themselves",
        );
    }
    text
}

impl Case<'_> {
    /// The readout, which one cell picked out of a larger network does not have.
    fn readout_of(
        &self,
        stack: &Stack,
        shape: Shape,
        others: &[String],
        used: &dyn Fn(&str) -> bool,
        notes: &mut Vec<String>,
    ) -> Result<Option<Affine>> {
        match (stack.alone, &self.settings.readout) {
            (true, None) => {
                let name = self.settings.recurrent.as_deref().unwrap_or_default();
                notes.push(format!(
                    "`{name}` is one of several cells of the file: the readout, which is of the whole \
                     network, is left out (leave `--recurrent` out for the whole)"
                ));
                Ok(None)
            }
            (true, Some(readout))
                if readout != "none" && !others.is_empty() && !self.is_top(&stack.layers)? =>
            {
                Err(self.refuse(
                    &format!("array `{readout}`"),
                    "the readout is of the whole network, and one cell of it was named",
                    "leave `--recurrent` out for the whole network, or `--readout` for this cell alone (with `--states`, no corpus)",
                ))
            }
            _ => self.affine(shape, used),
        }
    }

    /// From what the outputs follow.
    fn reads(
        &self,
        described: Option<&Config>,
        shape: Shape,
        (affine, norm): (Affine, Option<Norm>),
        of: Cells,
        notes: &mut Vec<String>,
    ) -> Result<Reads> {
        let said = self.settings.reads.as_deref();
        // This program's readout is of the whole state.
        if let (Some(own), None | Some("last" | "mean")) = (described, said) {
            let pool = match said {
                Some("last") => Pool::Last,
                Some(_) => Pool::Mean,
                None => own.pool,
            };
            let readout = Readout { weights: affine.weights, bias: affine.bias };
            return Ok(Reads { pool: Some(pool), readout: Some(readout), whole: None });
        }
        let reading = self.reading(shape, &affine, notes)?;
        let Cells { places, cells, one_hot, initial } = of;
        let alone = cells.len() == 1 && shape.directions == 1;
        if let (true, None, Some(pool)) = (alone, &norm, plain(reading.as_ref())) {
            let state = cells[0][0].kind.state_size(shape.units);
            let readout = of_the_state(&affine, reading.as_ref(), shape.units, state);
            return Ok(Reads { pool, readout: Some(readout), whole: None });
        }
        let reading = reading
            .unwrap_or_else(|| Reading::of("last", shape).expect("every network has a last state"));
        let mut whole = assembled(places, cells, (reading, affine, norm), one_hot);
        match initial {
            Some(initial) if alone => whole.layers[0][0].initial = initial.to_vec(),
            Some(_) => notes
                .push("the initial state is not used: layers and directions start at zero".into()),
            None => {}
        }
        Ok(Reads { whole: Some(whole), ..Reads::default() })
    }

    /// Leaves out the rows before the first word.
    fn leave_out_first(
        &self,
        rows: &mut Option<Vec<f32>>,
        inputs: usize,
        notes: &mut Vec<String>,
    ) -> Result<()> {
        let first = self.settings.first_word;
        if first == 0 {
            return Ok(());
        }
        let Some(rows) = rows else {
            return Err(self.refuse(
                "",
                "no embedding, whose rows `--first-word` counts",
                "leave it out, and give the vocabulary with a line for every input",
            ));
        };
        let total = rows.len() / inputs;
        if first >= total {
            return Err(self.refuse(
                "",
                format!("words begin at row {first} of {total}"),
                "give the row of the first word, counted from 0 (`--first-word`)",
            ));
        }
        rows.drain(..first * inputs);
        let what = if first == 1 {
            "row before the first word is"
        } else {
            "rows before the first word are"
        };
        notes.push(format!("{first} {what} left out (`--first-word`)"));
        Ok(())
    }

    /// Whether each layer reads what the one below hands up, and directions are alike.
    fn fit(&self, places: &[Vec<Place>], cells: &[Vec<Recurrent>]) -> Result<()> {
        for (layer, directions) in cells.iter().enumerate() {
            let first = &directions[0];
            for (cell, place) in directions.iter().zip(&places[layer]) {
                if (cell.kind, cell.units, cell.inputs) != (first.kind, first.units, first.inputs) {
                    return Err(self.refuse(
                        &format!("`{}`", place.name()),
                        "the two directions have different sizes",
                        "check that the file holds one network whole",
                    ));
                }
            }
            let below: usize = match layer {
                0 => continue,
                _ => cells[layer - 1].iter().map(|c| c.units).sum(),
            };
            if first.inputs != below {
                return Err(self.refuse(
                    &format!("`{}`", places[layer][0].name()),
                    format!(
                        "it reads {} numbers, and the layer below hands up {below}",
                        first.inputs
                    ),
                    "name the layers from below with commas (`--recurrent FIRST,SECOND`)",
                ));
            }
        }
        Ok(())
    }

    /// Names of the arrays of cells that were not chosen.
    fn of_other_cells(&self, chosen: &[Vec<Place>]) -> Result<Vec<String>> {
        let mut names = Vec::new();
        let others =
            self.every_place()?.into_iter().filter(|p| !chosen.iter().flatten().any(|c| c == p));
        for place in others {
            // A cell that cannot be read is not used either.
            if let Ok(cell) = self.cell(&place, None) {
                names.extend(cell.roles.into_iter().map(|(name, _)| name));
            }
        }
        Ok(names)
    }

    /// Whether the chosen cell is the uppermost layer, of one direction: what a readout usually reads.
    fn is_top(&self, chosen: &[Vec<Place>]) -> Result<bool> {
        let all = self.every_place()?;
        let one = &chosen[chosen.len() - 1];
        let mut same = all.iter().filter(|p| p.before == one[0].before);
        Ok(same.all(|p| {
            !is_backward(p) && p.ending.len() <= one[0].ending.len() && p.ending <= one[0].ending
        }))
    }
}

/// The whole network, where its outputs are not one affine readout of one cell's state.
fn assembled(
    places: &[Vec<Place>],
    cells: &[Vec<Recurrent>],
    (reading, affine, norm): (Reading, Affine, Option<Norm>),
    one_hot: bool,
) -> Whole {
    let pass = |layer: usize, cell: &Recurrent, place: &Place| Pass {
        kind: cell.kind,
        units: cell.units,
        inputs: cell.inputs,
        one_hot: one_hot && layer == 0,
        backward: is_backward(place),
        parameters: cell.parts.concat(),
        initial: Vec::new(),
    };
    let layers: Vec<Vec<Pass>> = cells
        .iter()
        .zip(places)
        .enumerate()
        .map(|(l, (cells, places))| cells.iter().zip(places).map(|(c, p)| pass(l, c, p)).collect())
        .collect();
    let analysed = (layers.len() - 1, 0);
    let readout = match reading.shared {
        None => affine.weights,
        // Both directions meet the same weights.
        Some(share) => {
            let directions = reading.blocks.len() * layers[analysed.0][0].units / affine.inputs;
            let row = |row: &[f32]| -> Vec<f32> {
                row.iter().map(|w| w * share).collect::<Vec<_>>().repeat(directions)
            };
            affine.weights.chunks_exact(affine.inputs).flat_map(row).collect()
        }
    };
    let (blocks, bias) = (reading.blocks, affine.bias);
    Whole { layers, blocks, norm, analysed, embedding: None, readout, bias }
}
