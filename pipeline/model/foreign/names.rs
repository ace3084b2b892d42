//! Names and re-parametrisations brought to one form.
//!
//! | found | becomes |
//! |---|---|
//! | `module.…`, `_orig_mod.…`, `…/value`, `['cell']['kernel']` | the name without it |
//! | `…weight_raw` (weight drop, AWD-LSTM) | `…weight`; a thinned copy beside it goes |
//! | `…_g`, `…_v`; `…parametrizations.weight.original0`, `original1` (weight norm) | `w = g · v/‖v‖`, the norm over all axes on which `g` has one entry |
//! | `…_orig`, `…_u`, `…_v`; `….original`, `….0._u`, `….0._v` (spectral norm) | `w/(uᵀ W v)` |
//! | `…_orig`, `…_mask` (pruning) | their product |
//!
//! Weight norm: arXiv:1602.07868; spectral norm: arXiv:1802.05957; weight drop: arXiv:1708.02182.

use super::arrays::{Named, Read};
use crate::{Error, Result};
use std::path::Path;

/// A name without what wrappers and savers add to it.
pub fn plain(name: &str) -> String {
    // JAX writes a path as `['cell']['kernel']`, and as `.cell.layers[0].kernel`.
    let mut plain = String::with_capacity(name.len());
    for part in name.split(['[', ']']) {
        let part = part.trim_matches(['\'', '"']);
        if part.is_empty() {
            continue;
        }
        if !plain.is_empty() && !part.starts_with(['.', '/']) {
            plain.push('.');
        }
        plain.push_str(part);
    }
    let plain = plain.trim_start_matches(['.', '/']).replace("_orig_mod.", "");
    // TensorFlow's names end in `:0`, those of a Flax NNX state in `value`.
    let plain = plain.trim_end_matches(":0");
    let ends = [".value", "/value", ".raw_value", "/raw_value"];
    ends.iter().find_map(|end| plain.strip_suffix(end)).unwrap_or(plain).to_string()
}

/// Brings all names to one form, and puts together what training kept apart.
///
/// # Errors
/// [`Error::Input`] for a re-parametrisation that is not known, and for two arrays of one name.
pub fn settle(path: &Path, read: &mut Read) -> Result<()> {
    let mut plainer = Named::new();
    let wrapped = read.arrays.keys().all(|name| name.starts_with("module."));
    for (name, array) in std::mem::take(&mut read.arrays) {
        let bare = plain(if wrapped { &name["module.".len()..] } else { &name });
        if plainer.insert(bare.clone(), array).is_some() {
            let problem = format!("two arrays are called `{bare}` without their wrappers");
            return Err(Error::input(path.display(), "", problem, "save the network alone"));
        }
    }
    read.arrays = plainer;
    raw(read);
    joined(path, read)
}

/// Weight drop: `_raw` holds the weights, the name without it a copy that the last step of training thinned.
fn raw(read: &mut Read) {
    let names: Vec<String> = read.arrays.keys().filter(|n| n.ends_with("_raw")).cloned().collect();
    for name in names {
        let weights = read.arrays.remove(&name).expect("it was listed");
        let bare = name.trim_end_matches("_raw").to_string();
        let cut = bare.rfind('.').map_or(0, |at| at + 1);
        let inner = format!("{}module.{}", &bare[..cut], &bare[cut..]);
        // The thinned copy may lie a module deeper, where the other arrays of the cell are.
        let beside = read.arrays.keys().any(|n| n.starts_with(&inner[..cut + "module.".len()]));
        let to = if beside { inner } else { bare };
        let copy = if read.arrays.contains_key(&to) {
            format!(", and `{to}` is a thinned copy of them")
        } else {
            String::new()
        };
        read.notes.push(format!("`{name}` holds the weights before weight drop{copy}"));
        read.arrays.insert(to, weights);
    }
}

/// How the parts of one array are called.
struct Parts {
    /// What the array is called when it is whole.
    whole: String,
    parts: Vec<String>,
    how: How,
}

enum How {
    WeightNorm,
    SpectralNorm,
    Pruning,
}

fn parts_of(arrays: &Named, name: &str) -> Option<Parts> {
    let has = |names: &[String]| names.iter().all(|n| arrays.contains_key(n));
    let made =
        |whole: String, parts: Vec<String>, how| has(&parts).then_some(Parts { whole, parts, how });
    if let Some(at) = name.find("parametrizations.") {
        let (before, rest) = (&name[..at], &name[at + "parametrizations.".len()..]);
        let (leaf, part) = rest.split_once('.')?;
        let whole = format!("{before}{leaf}");
        let inner = |part: &str| format!("{before}parametrizations.{leaf}.{part}");
        return match part {
            "original0" => {
                made(whole, vec![inner("original0"), inner("original1")], How::WeightNorm)
            }
            "original" => made(
                whole,
                vec![inner("original"), inner("0._u"), inner("0._v")],
                How::SpectralNorm,
            ),
            _ => None,
        };
    }
    if let Some(whole) = name.strip_suffix("_g") {
        return made(whole.into(), vec![name.into(), format!("{whole}_v")], How::WeightNorm);
    }
    let whole = name.strip_suffix("_orig")?;
    let with = |ending: &str| format!("{whole}{ending}");
    made(whole.into(), vec![name.into(), with("_u"), with("_v")], How::SpectralNorm)
        .or_else(|| made(whole.into(), vec![name.into(), with("_mask")], How::Pruning))
}

fn joined(path: &Path, read: &mut Read) -> Result<()> {
    let names: Vec<String> = read.arrays.keys().cloned().collect();
    for name in names {
        let Some(Parts { whole, parts, how }) = parts_of(&read.arrays, &name) else { continue };
        let of: Vec<(Vec<usize>, Vec<f32>)> =
            parts.iter().map(|part| read.arrays[part].clone()).collect();
        let refuse = |problem: String| {
            let remedy = "take the parametrisation off before saving: \
                          torch.nn.utils.parametrize.remove_parametrizations";
            Error::input(path.display(), format!("array `{whole}`"), problem, remedy)
        };
        let shapes = || format!("{:?}", of.iter().map(|(shape, _)| shape).collect::<Vec<_>>());
        let (put, what) = match how {
            How::WeightNorm => (weight_norm(&of[0], &of[1]), "g · v/‖v‖ (weight norm)"),
            How::SpectralNorm => (spectral_norm(&of), "divided by its norm (spectral norm)"),
            How::Pruning => (pruned(&of), "with its mask (pruning)"),
        };
        let put =
            put.ok_or_else(|| refuse(format!("shapes {} do not fit each other", shapes())))?;
        parts.iter().for_each(|part| drop(read.arrays.remove(part)));
        // A wrapper may leave the array of its last step beside the parts.
        read.arrays.insert(whole.clone(), put);
        read.notes.push(format!("`{whole}` was put together: {what}"));
    }
    match read.arrays.keys().find(|name| name.contains("parametrizations.")) {
        None => Ok(()),
        Some(name) => Err(Error::input(
            path.display(),
            format!("array `{name}`"),
            "a parametrisation that is not known here",
            "take it off before saving: torch.nn.utils.parametrize.remove_parametrizations(module, \"weight\")",
        )),
    }
}

type Array = (Vec<usize>, Vec<f32>);

/// `w = g · v/‖v‖`, the norm over the axes on which `g` has one entry.
fn weight_norm(g: &Array, v: &Array) -> Option<Array> {
    let (rows, columns) = match v.0.as_slice() {
        [rows] => (*rows, 1),
        [rows, rest @ ..] => (*rows, rest.iter().product()),
        [] => return None,
    };
    // One norm a row, a column, or for all.
    let of = |r: usize, c: usize| match g.1.len() {
        1 => Some(0),
        n if n == rows && g.0.first() == Some(&rows) => Some(r),
        n if n == columns && g.0.last() == Some(&columns) => Some(c),
        _ => None,
    };
    let mut squares = vec![0.0_f64; g.1.len()];
    for (i, &x) in v.1.iter().enumerate() {
        squares[of(i / columns, i % columns)?] += (x as f64).powi(2);
    }
    let numbers = v.1.iter().enumerate().map(|(i, &x)| {
        let at = of(i / columns, i % columns).expect("looked up before");
        let norm = squares[at].sqrt();
        if norm > 0.0 { (g.1[at] as f64 * x as f64 / norm) as f32 } else { 0.0 }
    });
    Some((v.0.clone(), numbers.collect()))
}

/// `W/(uᵀ W v)`, the axes of `W` after the first taken together.
fn spectral_norm(parts: &[Array]) -> Option<Array> {
    let [(shape, w), (_, u), (_, v)] = parts else { return None };
    if u.len() * v.len() != w.len() {
        return None;
    }
    let dot = |row: &[f32]| row.iter().zip(v).map(|(w, v)| *w as f64 * *v as f64).sum::<f64>();
    let norm: f64 = w.chunks(v.len()).zip(u).map(|(row, u)| *u as f64 * dot(row)).sum();
    (norm != 0.0).then(|| (shape.clone(), w.iter().map(|x| (*x as f64 / norm) as f32).collect()))
}

fn pruned(parts: &[Array]) -> Option<Array> {
    let [(shape, w), (mask_shape, mask)] = parts else { return None };
    (shape == mask_shape).then(|| (shape.clone(), w.iter().zip(mask).map(|(w, m)| w * m).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrappers_leave_names_as_they_were() {
        assert_eq!(plain("['cell']['dense_i']['kernel']"), "cell.dense_i.kernel");
        assert_eq!(plain(".layers[0].cell.weight_hh"), "layers.0.cell.weight_hh");
        assert_eq!(plain("_orig_mod.rnn.weight_hh_l0"), "rnn.weight_hh_l0");
        assert_eq!(plain("cell/if_/kernel/value"), "cell/if_/kernel");
        assert_eq!(plain("gru/kernel:0"), "gru/kernel");
        assert_eq!(plain("a/b.c"), "a/b.c");
    }

    #[test]
    fn weight_norm_keeps_the_direction_and_takes_the_length() {
        let v = (vec![2, 2], vec![3.0, 4.0, 0.0, 2.0]);
        let rows = weight_norm(&(vec![2, 1], vec![10.0, -1.0]), &v).unwrap();
        assert_eq!(rows.1, [6.0, 8.0, 0.0, -1.0]);
        let columns = weight_norm(&(vec![1, 2], vec![6.0, 1.0]), &v).unwrap();
        let root = 20.0_f32.sqrt();
        assert!((columns.1[3] - 2.0 / root).abs() < 1e-6 && columns.1[0] == 6.0);
        let all = weight_norm(&(vec![], vec![29.0_f32.sqrt()]), &v).unwrap();
        assert!(all.1.iter().zip(&v.1).all(|(a, b)| (a - b).abs() < 1e-6));
        assert!(weight_norm(&(vec![3, 1], vec![1.0; 3]), &v).is_none());
    }

    #[test]
    fn a_spectral_norm_is_the_largest_singular_value() {
        // diag(3, 2): u = v = (1, 0).
        let parts = [
            (vec![2, 2], vec![3.0, 0.0, 0.0, 2.0]),
            (vec![2], vec![1.0, 0.0]),
            (vec![2], vec![1.0, 0.0]),
        ];
        let w = spectral_norm(&parts).unwrap().1;
        assert_eq!(w[0], 1.0);
        assert!((w[3] - 2.0 / 3.0).abs() < 1e-7);
    }
}
