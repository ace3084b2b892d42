//! From names and shapes to a cell, an embedding and a readout.

use super::arrays::Named;
use super::{ArrayRole, Foreign, Readout, Settings};
use crate::ops::CellKind;
use crate::{Error, Result};

/// The recurrent part of a file.
struct Recurrent {
    kind: CellKind,
    units: usize,
    inputs: usize,
    parts: [Vec<f32>; 4],
    /// Names in the file, with their roles.
    roles: Vec<(String, &'static str)>,
    notes: Vec<String>,
}

/// Where recurrent arrays stand, and in whose form.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Form {
    /// PyTorch's `nn.GRU` and the like: names end in `_l0`.
    Layer,
    /// PyTorch's `nn.GRUCell` and the like, and Equinox.
    Single,
    Keras,
    Flax,
}

/// A file under recognition.
struct Case<'a> {
    settings: &'a Settings,
    arrays: &'a Named,
}

/// The part of a name after its last `.` or `/`.
fn leaf(name: &str) -> &str {
    name.rsplit(['.', '/']).next().unwrap_or(name)
}

/// The part of a name before its leaf, separator included.
fn prefix(name: &str) -> &str {
    &name[..name.len() - leaf(name).len()]
}

/// `[rows, columns]` turned to `[columns, rows]`.
fn transposed(numbers: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| numbers[r * columns + c])).collect()
}

/// Blocks of equal length in another order.
fn reordered(numbers: &[f32], order: &[usize]) -> Vec<f32> {
    let block = numbers.len() / order.len();
    order.iter().flat_map(|&b| &numbers[b * block..][..block]).copied().collect()
}

pub fn recognise(
    settings: &Settings,
    arrays: &Named,
    described: Option<CellKind>,
) -> Result<Foreign> {
    let case = Case { settings, arrays };
    let (form, before) = case.place()?;
    let found = match form {
        Form::Layer | Form::Single => case.torch(&before, form == Form::Layer, described)?,
        Form::Keras => case.keras(&before)?,
        Form::Flax => case.flax(&before)?,
    };
    let mut roles = found.roles;
    let used = |roles: &[(String, &str)], name: &str| roles.iter().any(|(n, _)| n == name);
    let embedding = case.embedding(found.inputs, &|n| used(&roles, n))?;
    if let Some(name) = &embedding {
        roles.push((name.clone(), "embedding"));
    }
    let readout = case.readout(found.units, found.kind, &|n| used(&roles, n))?;
    if let Some((weights, bias, _)) = &readout {
        roles.push((weights.clone(), "readout"));
        roles.extend(bias.clone().map(|b| (b, "readout bias")));
    }
    let state = found.kind.state_size(found.units);
    let initial = arrays.iter().find(|(name, (_, numbers))| {
        let known = ["initial_state", "h0", "h_0", "initial_hidden"].contains(&leaf(name));
        known && numbers.len() == state && !used(&roles, name)
    });
    roles.extend(initial.map(|(name, _)| (name.clone(), "initial state")));
    let taken = arrays.iter().map(|(name, (shape, _))| ArrayRole {
        array: name.clone(),
        shape: shape.clone(),
        role: roles.iter().find(|(n, _)| n == name).map_or("not used", |(_, role)| role),
    });
    Ok(Foreign {
        file: settings.file.clone(),
        kind: found.kind,
        units: found.units,
        inputs: found.inputs,
        parts: found.parts,
        embedding: embedding.map(|name| arrays[&name].1.clone()),
        readout: readout.map(|(_, _, readout)| readout),
        initial: initial.map(|(_, (_, numbers))| numbers.clone()),
        taken: taken.collect(),
        notes: found.notes,
    })
}

impl Case<'_> {
    fn refuse(&self, place: &str, problem: impl ToString, remedy: &str) -> Error {
        Error::input(self.settings.file.display(), place, problem, remedy)
    }

    fn has(&self, name: &str) -> bool {
        self.arrays.contains_key(name)
    }

    fn shape(&self, name: &str) -> &[usize] {
        self.arrays.get(name).map_or(&[], |(shape, _)| shape)
    }

    /// Numbers of an array that must have this shape.
    fn take(&self, name: &str, shape: &[usize]) -> Result<&[f32]> {
        match self.arrays.get(name) {
            Some((found, numbers)) if found == shape => Ok(numbers),
            Some((found, _)) => Err(self.refuse(
                &format!("array `{name}`"),
                format!("shape {found:?} where {shape:?} fits the other arrays"),
                "check that the file holds one network whole",
            )),
            None => Err(self.refuse(
                "",
                format!("no array `{name}`"),
                "check that the file holds one network whole",
            )),
        }
    }

    /// Names and shapes, for messages.
    fn listed<'n>(&self, names: impl Iterator<Item = &'n str>) -> String {
        let shown: Vec<String> = names.map(|n| format!("{n} {:?}", self.shape(n))).collect();
        if shown.is_empty() { "none".into() } else { shown.join(", ") }
    }

    /// The one place with recurrent arrays.
    fn place(&self) -> Result<(Form, String)> {
        let mut places: Vec<(Form, String)> = Vec::new();
        let mut deeper: Option<(&str, &str)> = None;
        for name in self.arrays.keys() {
            let before = prefix(name).to_string();
            match leaf(name) {
                "weight_hh_l0" => places.push((Form::Layer, before)),
                "weight_hh" => places.push((Form::Single, before)),
                "recurrent_kernel" => places.push((Form::Keras, before)),
                "kernel" => {
                    // Flax keeps a layer for each product: `GRUCell_0/hn/kernel`.
                    let layer = &before[..before.len().saturating_sub(1)];
                    let cell = prefix(layer).to_string();
                    let has =
                        |l: &str| self.has(&format!("{cell}{l}{}kernel", &before[layer.len()..]));
                    let whole = match leaf(layer) {
                        "hn" => has("ir") && has("hr"),
                        "hg" => has("ii") && has("hi"),
                        "h" => has("i"),
                        _ => false,
                    };
                    if whole {
                        places.push((Form::Flax, cell));
                    }
                }
                l if l.starts_with("weight_hr") => {
                    deeper = Some((name, "a projection of the state"))
                }
                l if l.starts_with("weight_hh_l") && l.ends_with("_reverse") => {
                    deeper = Some((name, "a second direction"));
                }
                l if l.starts_with("weight_hh_l") => deeper = Some((name, "a second layer")),
                _ => {}
            }
        }
        if let Some(wanted) = &self.settings.recurrent {
            let wanted = wanted.trim_end_matches(['.', '/']);
            let same = |(_, p): &&(Form, String)| p.trim_end_matches(['.', '/']) == wanted;
            if let Some(found) = places.iter().find(same) {
                return Ok(found.clone());
            }
        } else if let Some((name, what)) = deeper {
            return Err(self.refuse(
                &format!("array `{name}`"),
                format!("{what}; one layer that reads forwards is understood"),
                "give the arrays of one layer in a file of its own, or name one \
                 (`--recurrent PREFIX`) to look at it alone",
            ));
        }
        match places.len() {
            1 if self.settings.recurrent.is_none() => Ok(places.remove(0)),
            0 => Err(self.refuse(
                "",
                format!(
                    "no recurrent cell under a known name; it holds {}",
                    self.listed(self.arrays.keys().map(String::as_str))
                ),
                "PyTorch (weight_ih_l0, weight_hh_l0), Equinox, Keras (kernel, \
                 recurrent_kernel) and Flax names are understood; rename yours",
            )),
            _ => {
                let names: Vec<String> = places.iter().map(|(_, p)| format!("`{p}`")).collect();
                let problem = match &self.settings.recurrent {
                    Some(name) => format!("`{name}` is none of {}", names.join(", ")),
                    None => format!("more than one recurrent cell: {}", names.join(", ")),
                };
                Err(self.refuse("", problem, "name one of them (`--recurrent PREFIX`)"))
            }
        }
    }

    /// The cell by its blocks of rows, or as the settings have it.
    fn kind(&self, gates: usize, usual: CellKind, notes: &mut Vec<String>) -> Result<CellKind> {
        if let Some(kind) = self.settings.cell {
            if kind.gates() != gates {
                return Err(self.refuse(
                    "",
                    format!("{gates} blocks of rows, and {kind:?} has {}", kind.gates()),
                    "leave `--cell` out, or give the right one",
                ));
            }
            return Ok(kind);
        }
        if gates == 1 {
            notes.push(
                "one block of rows: taken as a tanh cell; the file cannot say otherwise \
                 (`--cell relu` for a rectified one)"
                    .into(),
            );
        }
        Ok(usual)
    }

    /// Gates of a matrix with `rows` rows of `units` columns.
    fn gates(&self, name: &str, rows: usize, units: usize) -> Result<usize> {
        match (units > 0).then(|| (rows / units, rows % units)) {
            Some((gates @ 1..=4, 0)) => Ok(gates),
            _ => Err(self.refuse(
                &format!("array `{name}`"),
                format!("{rows} rows for {units} units; one to four blocks are understood"),
                "check that the file holds one network whole",
            )),
        }
    }

    fn torch(&self, before: &str, layer: bool, described: Option<CellKind>) -> Result<Recurrent> {
        let ending = if layer { "_l0" } else { "" };
        let name = |part: &str| format!("{before}{part}{ending}");
        let hh = name("weight_hh");
        let &[rows, units] = self.shape(&hh) else {
            return Err(self.refuse(&format!("array `{hh}`"), "not a matrix", "check the file"));
        };
        let gates = self.gates(&hh, rows, units)?;
        let ih = name("weight_ih");
        let inputs = self.shape(&ih).last().copied().unwrap_or(0);
        let mut notes = Vec::new();
        let usual = [CellKind::Vanilla, CellKind::Ugrnn, CellKind::Gru, CellKind::Lstm][gates - 1];
        let kind = match described.filter(|k| k.gates() == gates && self.settings.cell.is_none()) {
            Some(kind) => kind,
            None => self.kind(gates, usual, &mut notes)?,
        };
        let mut roles = vec![(ih.clone(), "input weights"), (hh.clone(), "recurrent weights")];
        let mut bias = |part: &str, role| -> Result<Option<Vec<f32>>> {
            let name = name(part);
            if !self.has(&name) {
                return Ok(None);
            }
            let numbers = self.take(&name, &[rows])?.to_vec();
            roles.push((name, role));
            Ok(Some(numbers))
        };
        let zero = || vec![0.0; rows];
        // Equinox has one bias, and one more for the candidate of the GRU.
        let b_ih = match bias("bias_ih", "input bias")? {
            Some(bias) => bias,
            None if layer => zero(),
            None => bias("bias", "input bias")?.unwrap_or_else(zero),
        };
        let mut b_hh = bias("bias_hh", "recurrent bias")?.unwrap_or_else(zero);
        let candidate = format!("{before}bias_n");
        if !layer && gates == 3 && self.has(&candidate) {
            b_hh[2 * units..].copy_from_slice(self.take(&candidate, &[units])?);
            roles.push((candidate, "recurrent bias"));
        }
        let parts = [
            self.take(&ih, &[rows, inputs])?.to_vec(),
            self.take(&hh, &[rows, units])?.to_vec(),
            b_ih,
            b_hh,
        ];
        Ok(Recurrent { kind, units, inputs, parts, roles, notes })
    }

    fn keras(&self, before: &str) -> Result<Recurrent> {
        let name = |part: &str| format!("{before}{part}");
        let recurrent = name("recurrent_kernel");
        let &[units, columns] = self.shape(&recurrent) else {
            let place = format!("array `{recurrent}`");
            return Err(self.refuse(&place, "not a matrix", "check the file"));
        };
        let gates = self.gates(&recurrent, columns, units)?;
        let kernel = name("kernel");
        let inputs = self.shape(&kernel).first().copied().unwrap_or(0);
        // Keras keeps z, r, h where PyTorch keeps r, z, n.
        let order: &[usize] = [&[0][..], &[0, 1], &[1, 0, 2], &[0, 1, 2, 3]][gates - 1];
        let turned = |name: &str, rows: usize| -> Result<Vec<f32>> {
            Ok(reordered(&transposed(self.take(name, &[rows, columns])?, rows, columns), order))
        };
        let mut notes = Vec::new();
        let mut roles =
            vec![(kernel.clone(), "input weights"), (recurrent.clone(), "recurrent weights")];
        let bias = name("bias");
        let zero = vec![0.0; columns];
        let (mut b_ih, mut b_hh, mut usual) = (
            zero.clone(),
            zero,
            [CellKind::Vanilla, CellKind::Ugrnn, CellKind::Gru, CellKind::Lstm][gates - 1],
        );
        if self.has(&bias) {
            if self.shape(&bias).len() == 2 {
                let both = self.take(&bias, &[2, columns])?;
                b_ih = reordered(&both[..columns], order);
                b_hh = reordered(&both[columns..], order);
            } else {
                b_ih = reordered(self.take(&bias, &[columns])?, order);
                if gates == 3 {
                    usual = CellKind::GruResetBefore;
                }
            }
            roles.push((bias, "bias"));
        } else if gates == 3 {
            notes.push(
                "a Keras GRU without biases: taken as one that resets after the product, its \
                 default (`--cell gru-reset-before` for `reset_after=False`)"
                    .into(),
            );
        }
        let kind = self.kind(gates, usual, &mut notes)?;
        let parts = [turned(&kernel, inputs)?, turned(&recurrent, units)?, b_ih, b_hh];
        Ok(Recurrent { kind, units, inputs, parts, roles, notes })
    }

    fn flax(&self, before: &str) -> Result<Recurrent> {
        let separator = if self.arrays.keys().any(|n| n.contains('/')) { "/" } else { "." };
        let name = |layer: &str, part: &str| format!("{before}{layer}{separator}{part}");
        let has = |layer: &str| self.has(&name(layer, "kernel"));
        let (gates, usual): (&[(&str, &str)], CellKind) = if has("hn") {
            (&[("ir", "hr"), ("iz", "hz"), ("in", "hn")], CellKind::Gru)
        } else if has("hg") {
            (&[("ii", "hi"), ("if", "hf"), ("ig", "hg"), ("io", "ho")], CellKind::Lstm)
        } else {
            (&[("i", "h")], CellKind::Vanilla)
        };
        let mut notes = Vec::new();
        let kind = self.kind(gates.len(), usual, &mut notes)?;
        let &[inputs, units] = self.shape(&name(gates[0].0, "kernel")) else {
            return Err(self.refuse("", "no kernel of two axes", "check the file"));
        };
        let mut roles = Vec::new();
        let mut parts = [const { Vec::new() }; 4];
        for (entry, state) in gates {
            for (part, layer, rows, role) in
                [(0, entry, inputs, "input weights"), (1, state, units, "recurrent weights")]
            {
                let kernel = name(layer, "kernel");
                let numbers = self.take(&kernel, &[rows, units])?;
                parts[part].extend(transposed(numbers, rows, units));
                roles.push((kernel, role));
                let bias = name(layer, "bias");
                if self.has(&bias) {
                    parts[part + 2].extend_from_slice(self.take(&bias, &[units])?);
                    roles.push((bias, "bias"));
                } else {
                    parts[part + 2].extend(std::iter::repeat_n(0.0, units));
                }
            }
        }
        Ok(Recurrent { kind, units, inputs, parts, roles, notes })
    }

    /// The bias that stands beside a layer's weights.
    fn bias_beside(&self, name: &str, outputs: usize) -> Option<String> {
        let bias = match name.strip_suffix(leaf(name)) {
            Some(before) => format!("{before}bias"),
            None => return None,
        };
        (self.shape(&bias) == [outputs]).then_some(bias)
    }

    fn is_embedding_by_name(name: &str) -> bool {
        let lower = name.to_lowercase();
        lower.contains("emb") || lower.contains("lookup") || lower.contains("wte")
    }

    /// Name of the embedding.
    fn embedding(&self, inputs: usize, used: &dyn Fn(&str) -> bool) -> Result<Option<String>> {
        if let Some(name) = &self.settings.embedding {
            if name == "none" {
                return Ok(None);
            }
            return match self.shape(name) {
                [_, width] if *width == inputs => Ok(Some(name.clone())),
                _ => Err(self.refuse(
                    "",
                    format!("`{name}` is no matrix of {inputs} columns"),
                    &format!("one of: {}", self.listed(self.arrays.keys().map(String::as_str))),
                )),
            };
        }
        let fits = |name: &&String| {
            matches!(self.shape(name), [rows, width] if *width == inputs && *rows > 1)
                && !used(name)
        };
        let all: Vec<&String> = self.arrays.keys().filter(fits).collect();
        let named: Vec<&String> =
            all.iter().copied().filter(|n| Self::is_embedding_by_name(n)).collect();
        let unbiased = |n: &&&String| self.bias_beside(n, self.shape(n)[0]).is_none();
        let plain: Vec<&String> = all.iter().filter(unbiased).copied().collect();
        let candidates = if named.is_empty() { plain } else { named };
        match candidates.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.to_string())),
            several => Err(self.refuse(
                "",
                format!(
                    "more than one array could be the embedding: {}",
                    self.listed(several.iter().map(|n| n.as_str()))
                ),
                "name it (`--embedding NAME`, or `none`)",
            )),
        }
    }

    /// Names of weights and bias, and the readout.
    fn readout(
        &self,
        units: usize,
        kind: CellKind,
        used: &dyn Fn(&str) -> bool,
    ) -> Result<Option<(String, Option<String>, Readout)>> {
        let state = kind.state_size(units);
        // Keras and Flax keep a dense layer as `kernel`, [inputs, outputs].
        let sides = |name: &str| -> Option<(usize, usize)> {
            match (self.shape(name), leaf(name)) {
                (&[inputs, outputs], "kernel") => Some((inputs, outputs)),
                (&[outputs, inputs], _) => Some((inputs, outputs)),
                _ => None,
            }
        };
        let fits = |name: &str| sides(name).is_some_and(|(i, _)| i == units || i == state);
        let name = match self.settings.readout.as_deref() {
            Some("none") => return Ok(None),
            Some(name) if fits(name) => name.to_string(),
            Some(name) => {
                return Err(self.refuse(
                    "",
                    format!("`{name}` is no matrix that reads {units} units"),
                    &format!("one of: {}", self.listed(self.arrays.keys().map(String::as_str))),
                ));
            }
            None => {
                let names = self.arrays.keys().map(String::as_str);
                let found: Vec<&str> = names
                    .filter(|n| fits(n) && !used(n) && !Self::is_embedding_by_name(n))
                    .collect();
                match found.as_slice() {
                    [] => return Ok(None),
                    [one] => one.to_string(),
                    several => {
                        return Err(self.refuse(
                            "",
                            format!(
                                "more than one array could be the readout: {}",
                                self.listed(several.iter().copied())
                            ),
                            "name it (`--readout NAME`, or `none`)",
                        ));
                    }
                }
            }
        };
        let (inputs, outputs) = sides(&name).expect("a matrix was chosen");
        let next = self.arrays.keys().find(|n| {
            **n != name
                && !used(n)
                && leaf(n) == leaf(&name)
                && sides(n).is_some_and(|(i, _)| i == outputs)
        });
        if let (Some(next), None) = (next, &self.settings.readout) {
            return Err(self.refuse(
                "",
                format!("the readout seems to have two layers, `{name}` and `{next}`"),
                "only affine readouts are understood: `--readout NAME` takes one layer as the \
                 readout, `--readout none` leaves it out",
            ));
        }
        let numbers = &self.arrays[&name].1;
        let rows = if leaf(&name) == "kernel" {
            transposed(numbers, inputs, outputs)
        } else {
            numbers.clone()
        };
        let mut weights = Vec::with_capacity(outputs * state);
        for row in rows.chunks(inputs) {
            weights.extend_from_slice(row);
            weights.extend(std::iter::repeat_n(0.0, state - inputs));
        }
        let bias_name = self.bias_beside(&name, outputs);
        let bias = match &bias_name {
            Some(name) => self.arrays[name].1.clone(),
            None => vec![0.0; outputs],
        };
        Ok(Some((name, bias_name, Readout { weights, bias })))
    }
}
