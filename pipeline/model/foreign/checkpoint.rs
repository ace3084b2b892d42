//! PyTorch's files: a zip with a pickled tree and the numbers beside it.
//!
//! A state dict may be the file, or stand somewhere in a checkpoint, beside optimisers and hyper-parameters
//! (Lightning keeps it under `state_dict`). What holds arrays is a *section*: a dictionary of arrays, or of modules.
//! Optimisers are told by their form (`param_groups`) and name, and passed over. Where several sections are left,
//! the settings have to say which one is the network.

use super::arrays::Read;
use super::bounds::{Allowance, Number, count, each_place};
use super::pickle::{Id, Pickle, Value};
use super::zipped::Zipped;
use crate::{Error, Result};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

const REMEDY: &str = "save it again: torch.save(model.state_dict(), \"model.pt\")";
const SCRIPTED: &str =
    "save its weights: torch.save(torch.jit.load(\"model.pt\").state_dict(), \"weights.pt\")";

/// Levels of dictionaries that are followed.
const DEPTH: usize = 16;

/// Keys that are looked at, over the whole tree: a few lists may hold each other again and again.
const KEYS: usize = 4_000_000;

/// A pickle on its way through [`members`].
struct Tree {
    pickle: Pickle,
    /// Keys that may still be looked at.
    left: Cell<usize>,
}

impl Tree {
    fn get(&self, id: Id) -> &Value {
        self.pickle.get(id)
    }

    /// Whether so many more keys may be looked at.
    fn may(&self, keys: usize) -> bool {
        let left = self.left.get().saturating_sub(keys + 1);
        self.left.set(left);
        left > 0
    }
}

/// Arrays by name.
type Tensors = BTreeMap<String, Id>;

/// Reads the arrays of one section.
///
/// * `wanted`: the way to it, keys parted by dots; several parted by commas; `None`: found
///
/// # Errors
/// [`Error::Input`] if the file is damaged, or several sections could be meant.
pub fn read(path: &Path, wanted: Option<&str>) -> Result<Read> {
    let mut zip = Zipped::open(path, REMEDY)?;
    let refuse =
        |place: &str, problem: String| Error::input(path.display(), place, problem, REMEDY);
    let names = zip.names()?;
    let Some(at) = names.iter().position(|n| n == "data.pkl" || n.ends_with("/data.pkl")) else {
        return Err(refuse("", "an archive without `data.pkl`: no file of PyTorch's".into()));
    };
    let root = names[at].trim_end_matches("data.pkl").to_string();
    if names.iter().any(|n| n.ends_with("/constants.pkl") && n.starts_with(&root)) {
        let problem = "a TorchScript program, and no state dict";
        return Err(Error::input(path.display(), "", problem, SCRIPTED));
    }
    let bytes = zip.bytes();
    let whole = zip.entry(at).and_then(|e| e.whole(bytes.saturating_mul(4)));
    let pickle = whole.and_then(|b| Pickle::read(&b)).map_err(|e| refuse("data.pkl", e))?;
    let tree = Tree { pickle, left: Cell::new(KEYS) };
    let order = names.iter().position(|n| *n == format!("{root}byteorder"));
    let big = match order {
        Some(at) => {
            zip.entry(at).and_then(|e| e.whole(64)).map_err(|e| refuse("byteorder", e))? == b"big"
        }
        None => false,
    };
    let mut read = Read::default();
    let tensors = chosen(&tree, path, wanted, &mut read.notes)?;
    if tree.left.get() == 0 {
        return Err(refuse("data.pkl", "a tree of more keys than any checkpoint has".into()));
    }
    let mut allowance = Allowance::of(bytes);
    let mut skipped = Vec::new();
    let mut cached: Option<(String, Vec<u8>)> = None;
    for (name, id) in tensors {
        let refuse = |problem: String| refuse(&format!("array `{name}`"), problem);
        let Value::Tensor { storage, offset, shape, strides, number } = tree.get(id) else {
            continue;
        };
        let Value::Storage { key, kind, count: held, .. } = tree.get(*storage) else { continue };
        let Some(number) = number.filter(|n| n.is_float()) else {
            skipped.push(format!("`{name}` ({})", kind.to_lowercase()));
            continue;
        };
        let fits =
            span(*offset, shape, strides).filter(|(count, last)| last <= held && count <= held);
        let Some((total, _)) = fits else {
            return Err(refuse(format!("shape {shape:?} on {held} stored numbers: it is damaged")));
        };
        allowance.take((total * number.bytes()) as u64).map_err(refuse)?;
        let needed = *held as u64 * number.bytes() as u64;
        // Arrays that share a storage, as those of one layer often do, stand side by side.
        if cached.as_ref().is_none_or(|(of, _)| of != key) {
            let entry = format!("{root}data/{key}");
            let at = names.iter().position(|n| *n == entry);
            let at = at.ok_or_else(|| refuse(format!("no entry `{entry}` in the archive")))?;
            let stored = zip.entry(at).map_err(refuse)?;
            allowance.take(stored.size()).map_err(refuse)?;
            let most = stored.size();
            cached = Some((key.clone(), stored.whole(most).map_err(refuse)?));
        }
        let stored = cached.as_ref().map_or(&[][..], |(_, bytes)| bytes);
        if (stored.len() as u64) < needed {
            return Err(refuse(format!(
                "{held} numbers, {needed} bytes, and {} are there",
                stored.len()
            )));
        }
        let numbers = gather(stored, (number, big), *offset, shape, strides);
        read.arrays.insert(name, (shape.clone(), numbers));
    }
    read.skipped(skipped);
    Ok(read)
}

/// Numbers of a view, and one more than the place of the last one.
fn span(offset: usize, shape: &[usize], strides: &[usize]) -> Option<(usize, usize)> {
    let total = count(shape).filter(|_| shape.len() == strides.len() && shape.len() <= 64)?;
    if total == 0 {
        return Some((0, 0));
    }
    let last = shape.iter().zip(strides).try_fold(offset, |last, (&side, &stride)| {
        last.checked_add((side - 1).checked_mul(stride)?)
    })?;
    Some((total, last.checked_add(1)?))
}

/// The numbers of a view, row by row.
fn gather(
    stored: &[u8],
    (number, big): (Number, bool),
    offset: usize,
    shape: &[usize],
    strides: &[usize],
) -> Vec<f32> {
    let width = number.bytes();
    let mut all = Vec::with_capacity(shape.iter().product());
    each_place(shape, strides, |place| {
        all.push(number.read(&stored[(offset + place) * width..][..width], big) as f32);
    });
    all
}

/// Keys and values of a dictionary, of an object's fields, or of a module's parameters and parts.
fn members(tree: &Tree, id: Id) -> Vec<(String, Id)> {
    let named = |pairs: &[(Id, Id)]| -> Vec<(String, Id)> {
        let pairs = if tree.may(pairs.len()) { pairs } else { &[] };
        pairs.iter().filter_map(|&(key, value)| Some((tree.pickle.key(key)?, value))).collect()
    };
    match tree.get(id) {
        Value::Table(pairs) => named(pairs),
        Value::Items(items) if tree.may(items.len()) => {
            items.iter().enumerate().map(|(i, &id)| (i.to_string(), id)).collect()
        }
        Value::Object { state, items, .. } => {
            let mut all = named(items);
            // What a slot or a plain object keeps: fields, or (fields, slots).
            let fields = state.map_or(Vec::new(), |state| match tree.get(state) {
                Value::Table(pairs) => named(pairs),
                _ => Vec::new(),
            });
            let parts = ["_parameters", "_buffers", "_modules"];
            if fields.iter().any(|(key, _)| key == "_modules") {
                // A module that was pickled whole: its parts stand where a state dict has them.
                let own = fields.iter().filter(|(key, _)| parts.contains(&key.as_str()));
                all.extend(own.flat_map(|(_, id)| members(tree, *id)));
            } else {
                all.extend(fields);
            }
            all
        }
        _ => Vec::new(),
    }
}

/// Every array below a value, names parted by dots.
fn below(tree: &Tree, id: Id, before: &str, depth: usize, into: &mut Tensors) {
    // A tree that holds itself, or one long list after another, is followed so far.
    if depth > DEPTH || into.len() > 100_000 {
        return;
    }
    for (key, id) in members(tree, id) {
        let name = if before.is_empty() { key } else { format!("{before}.{key}") };
        if let Value::Tensor { .. } = tree.get(id) {
            into.insert(name, id);
        } else if name.len() < 4096 {
            below(tree, id, &name, depth + 1, into);
        }
    }
}

/// Whether a dictionary is an optimiser's.
fn is_optimiser(tree: &Tree, key: &str, id: Id) -> bool {
    let key = key.to_lowercase();
    let by_name = [
        "optim", "sched", "scaler", "rng", "callback", "loop", "hparam", "hyper", "args", "config",
    ];
    let has = |id: Id| members(tree, id).iter().any(|(k, _)| k == "param_groups");
    key == "opt"
        || key.starts_with("opt_")
        || by_name.iter().any(|n| key.contains(n))
        || has(id)
        // Lightning keeps a list of them.
        || matches!(tree.get(id), Value::Items(_)) && members(tree, id).iter().any(|&(_, id)| has(id))
}

/// The arrays of the network.
fn chosen(
    tree: &Tree,
    path: &Path,
    wanted: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Tensors> {
    let option = "name it (`--state-dict KEY`; several joined by commas)";
    let refuse = |problem: String| Error::input(path.display(), "", problem, option);
    let mut found = Tensors::new();
    if let Some(wanted) = wanted {
        let keys: Vec<&str> = wanted.split(',').map(str::trim).collect();
        for key in &keys {
            let Some(id) = at(tree, tree.pickle.top, key) else {
                let known: Vec<String> = sections(tree, tree.pickle.top)
                    .into_iter()
                    .map(|(key, ..)| format!("`{key}`"))
                    .collect();
                return Err(refuse(format!(
                    "no `{key}` in it; arrays stand under {}",
                    listed(&known)
                )));
            };
            below(tree, id, if keys.len() > 1 { key } else { "" }, 0, &mut found);
        }
        if found.is_empty() {
            return Err(refuse(format!("no array under `{wanted}`")));
        }
        return Ok(found);
    }
    let (mut top, mut way) = (tree.pickle.top, String::new());
    for _ in 0..DEPTH {
        let inside = members(tree, top);
        let direct = inside.iter().any(|(_, id)| matches!(tree.get(*id), Value::Tensor { .. }));
        let sections = sections(tree, top);
        // A dictionary of modules is one network; one of state dicts is several.
        let modules = sections.len() > 1
            && sections.iter().all(|(.., tensors)| tensors.keys().all(|n| !n.contains('.')));
        let dotted = inside
            .iter()
            .any(|(key, id)| matches!(tree.get(*id), Value::Tensor { .. }) && key.contains('.'));
        match sections.as_slice() {
            _ if dotted || modules => break,
            [] => break,
            [(key, id, _)] if !direct || sections_are_states(&sections) => {
                way = if way.is_empty() { key.clone() } else { format!("{way}.{key}") };
                top = *id;
            }
            _ if direct && !sections_are_states(&sections) => break,
            several => {
                let shown: Vec<String> = several
                    .iter()
                    .map(|(key, _, tensors)| {
                        let way = if way.is_empty() { String::new() } else { format!("{way}.") };
                        format!("`{way}{key}` ({} arrays)", tensors.len())
                    })
                    .collect();
                return Err(refuse(format!(
                    "arrays stand under several keys: {}",
                    shown.join(", ")
                )));
            }
        }
    }
    below(tree, top, "", 0, &mut found);
    if !way.is_empty() {
        notes.push(format!("the arrays under `{way}` were read (`--state-dict KEY` names others)"));
    }
    Ok(found)
}

/// Whether a section has names as a state dict has them, parted by dots.
fn sections_are_states(sections: &[(String, Id, Tensors)]) -> bool {
    sections.iter().any(|(.., tensors)| tensors.keys().any(|name| name.contains('.')))
}

/// The parts of a dictionary that hold arrays, optimisers left out.
fn sections(tree: &Tree, id: Id) -> Vec<(String, Id, Tensors)> {
    let parts = members(tree, id).into_iter().filter(|(key, id)| !is_optimiser(tree, key, *id));
    let with = parts.map(|(key, id)| {
        let mut tensors = Tensors::new();
        below(tree, id, "", 0, &mut tensors);
        (key, id, tensors)
    });
    with.filter(|(.., tensors)| !tensors.is_empty()).collect()
}

/// The value at the end of a way of keys parted by dots, which keys may hold too.
fn at(tree: &Tree, from: Id, way: &str) -> Option<Id> {
    let all = members(tree, from);
    if let Some((_, id)) = all.iter().find(|(key, _)| key == way) {
        return Some(*id);
    }
    all.iter().find_map(|(key, id)| {
        let rest = way.strip_prefix(key.as_str())?.strip_prefix('.')?;
        at(tree, *id, rest)
    })
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "no key".into() } else { names.join(", ") }
}
