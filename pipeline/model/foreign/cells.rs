//! The arrays of one cell, in this program's layout.

use super::case::Case;
use super::places::{Form, Place};
use crate::Result;
use crate::ops::CellKind;

/// One recurrent cell of a file.
#[derive(Clone)]
pub struct Recurrent {
    pub kind: CellKind,
    pub units: usize,
    pub inputs: usize,
    /// `A`, `W`, `b_ih`, `b_hh`.
    pub parts: [Vec<f32>; 4],
    /// Names in the file, with their roles.
    pub roles: Vec<(String, &'static str)>,
    pub notes: Vec<String>,
}

/// `[rows, columns]` turned to `[columns, rows]`.
pub fn transposed(numbers: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| numbers[r * columns + c])).collect()
}

/// Blocks of equal length in another order.
fn reordered(numbers: &[f32], order: &[usize]) -> Vec<f32> {
    let block = numbers.len() / order.len();
    order.iter().flat_map(|&b| &numbers[b * block..][..block]).copied().collect()
}

impl Case<'_> {
    /// The cell that stands at a place.
    pub fn cell(&self, place: &Place, described: Option<CellKind>) -> Result<Recurrent> {
        match place.form {
            Form::Layer | Form::Single => self.torch(place, described),
            Form::Keras => self.keras(place),
            Form::Flax => self.flax(place),
            Form::Nnx => self.nnx(place),
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
                "the recurrent weights have one block of rows and no gates: read as a tanh cell. A file of a ReLU \
                 network looks the same; if it is one, give `--cell relu`"
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

    fn torch(&self, place: &Place, described: Option<CellKind>) -> Result<Recurrent> {
        let layer = place.form == Form::Layer;
        let name = |part: &str| format!("{}{part}{}", place.before, place.ending);
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
        let candidate = format!("{}bias_n", place.before);
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

    fn keras(&self, place: &Place) -> Result<Recurrent> {
        let name = |part: &str| format!("{}{part}", place.before);
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
        if kind == CellKind::LstmRelu {
            notes.push(
                "read with h = o∘tanh(c), the candidate alone rectified. Keras's `LSTM(activation=\"relu\")` has \
                 h = o∘max(0, c): if that is where this file comes from, no cell here is its"
                    .into(),
            );
        }
        let parts = [turned(&kernel, inputs)?, turned(&recurrent, units)?, b_ih, b_hh];
        Ok(Recurrent { kind, units, inputs, parts, roles, notes })
    }

    fn flax(&self, place: &Place) -> Result<Recurrent> {
        let (before, separator) = (&place.before, place.separator);
        let path = |layer: &str, part: &str| format!("{before}{layer}{separator}{part}");
        // NNX keeps `if` under `if_`, a word that Python lets nobody use.
        let name = |layer: &str, part: &str| {
            let other = path(&format!("{layer}_"), part);
            if self.has(&path(&format!("{layer}_"), "kernel")) { other } else { path(layer, part) }
        };
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

    /// Flax NNX: one product for what enters, one for the state; gates in PyTorch's order.
    fn nnx(&self, place: &Place) -> Result<Recurrent> {
        let name =
            |layer: &str, part: &str| format!("{}{layer}{}{part}", place.before, place.separator);
        let (entry, state) = (name("dense_i", "kernel"), name("dense_h", "kernel"));
        let &[units, columns] = self.shape(&state) else {
            return Err(self.refuse(&format!("array `{state}`"), "not a matrix", "check the file"));
        };
        let gates = self.gates(&state, columns, units)?;
        let inputs = self.shape(&entry).first().copied().unwrap_or(0);
        let usual = [CellKind::Vanilla, CellKind::Ugrnn, CellKind::Gru, CellKind::Lstm][gates - 1];
        let mut notes = Vec::new();
        let kind = self.kind(gates, usual, &mut notes)?;
        let mut roles =
            vec![(entry.clone(), "input weights"), (state.clone(), "recurrent weights")];
        let mut bias = |layer: &str| -> Result<Vec<f32>> {
            let name = name(layer, "bias");
            if !self.has(&name) {
                return Ok(vec![0.0; columns]);
            }
            let numbers = self.take(&name, &[columns])?.to_vec();
            roles.push((name, "bias"));
            Ok(numbers)
        };
        let parts = [
            transposed(self.take(&entry, &[inputs, columns])?, inputs, columns),
            transposed(self.take(&state, &[units, columns])?, units, columns),
            bias("dense_i")?,
            bias("dense_h")?,
        ];
        Ok(Recurrent { kind, units, inputs, parts, roles, notes })
    }
}
