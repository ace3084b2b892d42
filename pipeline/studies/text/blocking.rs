//! Where modifiers move the state, what is read without it, and how words count at both ends
//! (Maheswaranathan & Sussillo 2020, arXiv:2004.08013).

use super::logits;
use super::modes::SlowPointAnalysis;
use crate::Result;
use crate::corpus::Labels;
use crate::dynamics::Dynamics;
use crate::experiment::Experiment;
use crate::modifiers::position::Reader;
use crate::modifiers::subspace::{Subspace, blocked};
use crate::modifiers::{self, Barcodes};
use crate::records::{self, Table, column};
use crate::stats::evidence;
use crate::summary;
use rayon::prelude::*;

/// Share of the displacements' variance that the modifier subspace holds.
const HELD: f64 = 0.9;
/// Strongest modifiers of each sign, and probe words, in the table of phrases.
const PHRASES: (usize, usize) = (5, 3);
/// StaticInput inputs after a probe, and words from either end that are shown.
const LATER: usize = 20;

/// What the search found, as these tables need it.
pub(super) struct Found<'a> {
    pub scene: &'a SlowPointAnalysis,
    /// Where and with what it was found.
    pub watched: &'a modifiers::ModifierProbe<'a>,
    pub codes: &'a Barcodes,
    /// The modifiers, strongest first.
    pub list: &'a [usize],
    /// Direction of the line at the central point, `[state]`.
    pub line: &'a [f64],
}

/// Tables `modifier_subspace`, `blocking`, `phrases` and `positions`; the first three where
/// there are modifiers, all but the first where there are slow points to go back to.
pub(super) fn tables(e: &Experiment, found: &Found) -> Result<Vec<Table>> {
    let moved: Vec<Vec<f64>> = found.list.iter().map(|&w| found.codes.beyond(w)).collect();
    let subspace = match moved.len() {
        0 | 1 => None,
        _ => Subspace::of(&moved, found.line, HELD)?,
    };
    let mut tables = Vec::new();
    if let Some(subspace) = &subspace {
        tables.push(members(found, subspace, &moved).table());
    }
    if found.scene.points.is_empty() {
        return Ok(tables);
    }
    if let Some(subspace) = &subspace {
        tables.extend(documents(e, found, subspace)?.map(records::Blocking::table));
        tables.push(phrases(found, subspace)?.table());
    }
    tables.push(positions(found, subspace.as_ref())?.table());
    Ok(tables)
}

fn members(found: &Found, subspace: &Subspace, moved: &[Vec<f64>]) -> records::ModifierSubspace {
    let at: Vec<Vec<f64>> = moved.iter().map(|d| subspace.coordinates(d)).collect();
    let axis = |a: usize| at.iter().map(move |c| c.get(a).copied());
    let share = |a: usize| subspace.shares.get(a).copied().unwrap_or(0.0);
    let count = found.list.len();
    records::ModifierSubspace {
        word: column(found.list.iter().map(|&w| found.scene.corpus.words[w].as_str())),
        gain: column(found.list.iter().map(|&w| found.codes.gain[w])),
        s_1: column(axis(0)),
        s_2: column(axis(1)),
        s_3: column(axis(2)),
        inside: column(moved.iter().map(|d| subspace.inside(d))),
        directions: column(vec![subspace.basis.ncols(); count]),
        share_1: column(vec![share(0); count]),
        share_2: column(vec![share(1); count]),
        share_3: column(vec![share(2); count]),
    }
}

/// Test documents read with the subspace open, blocked after modifiers, and blocked at every
/// token; nothing where documents have neither classes nor a score.
fn documents(
    e: &Experiment,
    found: &Found,
    subspace: &Subspace,
) -> Result<Option<records::Blocking>> {
    let scene = found.scene;
    let chosen = super::modes::documents(e, scene, e.modes.rollouts, "context/blocking");
    let start = scene.last(&[])?;
    let around = (&scene.map, scene.inputs.as_slice(), scene.points.as_slice());
    let is_modifier = |token: u32| found.list.contains(&(token as usize));
    // Right (1) or not for classes; the squared error for a score.
    let measured = |d: usize, state: &[f64]| -> Option<f64> {
        match &scene.corpus.test.labels {
            Labels::Class(_) => scene.right(d, state).map(|right| right as u8 as f64),
            Labels::Score(scores) => {
                let documents = &scene.corpus.test.documents;
                let end = documents.start(d) + documents.get(d).len() - 1;
                Some((logits(scene.readout(), state)[0] - scores[end] as f64).powi(2))
            }
            Labels::Multi { .. } => None,
        }
    };
    let rows: Vec<(bool, [Option<f64>; 3])> = chosen
        .par_iter()
        .map(|&d| {
            let tokens = scene.corpus.test.documents.get(d);
            let from = (start.as_slice(), tokens);
            let open = scene.last(tokens)?;
            let after = blocked(around, subspace, from, is_modifier)?;
            let always = blocked(around, subspace, from, |_| true)?;
            let has = tokens.iter().any(|&t| is_modifier(t));
            Ok((has, [measured(d, &open), measured(d, &after), measured(d, &always)]))
        })
        .collect::<Result<_>>()?;
    if rows.iter().all(|r| r.1[0].is_none()) {
        return Ok(None);
    }
    let score = matches!(scene.corpus.test.labels, Labels::Score(_));
    struct Line {
        set: &'static str,
        reading: &'static str,
        mean: f64,
        interval: (f64, f64),
        count: usize,
    }
    let mut lines: Vec<Line> = Vec::new();
    for (set, wanted) in [("all", None), ("with", Some(true)), ("without", Some(false))] {
        for (i, reading) in ["open", "after_modifiers", "always"].into_iter().enumerate() {
            let of = rows.iter().filter(|r| wanted.is_none_or(|w| r.0 == w));
            let values: Vec<f64> = of.filter_map(|r| r.1[i]).collect();
            if values.is_empty() {
                continue;
            }
            let mean = summary::mean(&values);
            let interval = match score {
                true => (f64::NAN, f64::NAN),
                false => evidence::share_interval(mean, values.len()),
            };
            lines.push(Line { set, reading, mean, interval, count: values.len() });
        }
    }
    let what = if score { "squared_error" } else { "accuracy" };
    Ok(Some(records::Blocking {
        documents: column(lines.iter().map(|l| l.set)),
        reading: column(lines.iter().map(|l| l.reading)),
        measure: column(lines.iter().map(|_| what)),
        value: column(lines.iter().map(|l| l.mean)),
        low: column(lines.iter().map(|l| l.interval.0)),
        high: column(lines.iter().map(|l| l.interval.1)),
        n: column(lines.iter().map(|l| l.count)),
    }))
}

/// Pairs of a modifier and a probe word, read from the middle of the line.
fn phrases(found: &Found, subspace: &Subspace) -> Result<records::Phrases> {
    let (scene, watched) = (found.scene, found.watched);
    let sign = |negative: bool| {
        let of = found.list.iter().filter(move |&&w| (found.codes.gain[w] < 0.0) == negative);
        of.take(PHRASES.0).copied()
    };
    let half = watched.probes.len() / 2;
    let probes: Vec<usize> = watched.probes[..half.min(PHRASES.1)]
        .iter()
        .chain(watched.probes.iter().rev().take(PHRASES.1.min(half)))
        .copied()
        .collect();
    // What each probe says from a state, against the held input.
    let reader = reader(found, &probes, 0);
    let says = |state: &[f64]| Ok::<_, crate::Error>(reader.changes(state)?.swap_remove(0));
    let plain = says(scene.map.step(watched.centre).as_slice())?;
    let mut rows = Vec::new();
    for modifier in sign(true).chain(sign(false)) {
        let after = scene.step(watched.centre, modifier)?;
        let open = says(&after)?;
        let closed = says(&subspace.without(&after, &scene.points))?;
        for (i, &probe) in probes.iter().enumerate() {
            rows.push((modifier, probe, [plain[i], open[i], closed[i]]));
        }
    }
    let word = |w: usize| scene.corpus.words[w].as_str();
    Ok(records::Phrases {
        modifier: column(rows.iter().map(|r| word(r.0))),
        word: column(rows.iter().map(|r| word(r.1))),
        plain: column(rows.iter().map(|r| r.2[0])),
        modified: column(rows.iter().map(|r| r.2[1])),
        blocked: column(rows.iter().map(|r| r.2[2])),
    })
}

/// Reads some probe words as they were read in the search.
fn reader<'a>(found: &Found<'a>, probes: &[usize], later: usize) -> Reader<'a> {
    Reader {
        map: &found.scene.map,
        probes: probes.iter().map(|&v| found.scene.inputs[v].as_slice()).collect(),
        readout: found.watched.readout,
        later,
    }
}

/// How much words count at the first and at the last places.
fn positions(found: &Found, subspace: Option<&Subspace>) -> Result<records::Positions> {
    let (scene, watched) = (found.scene, found.watched);
    let reader = reader(found, watched.probes, LATER);
    let follow = |from: Vec<f64>| {
        let mut states = vec![from];
        for t in 0..LATER {
            states.push(scene.map.step(&states[t]).as_slice().to_vec());
        }
        states
    };
    let start = scene.last(&[])?;
    let own = reader.beginning(watched.centre, &follow(start.clone()))?;
    let near = scene.nearest(&start);
    let off: Vec<f64> = start.iter().zip(near).map(|(h, p)| h - p).collect();
    let inside = subspace.map(|s| s.inside(&off));
    let without = subspace
        .map(|s| reader.beginning(watched.centre, &follow(s.without(&start, &scene.points))))
        .transpose()?;
    let end = reader.end(watched.centre)?;
    let places = 0..=LATER;
    let both = |first: &[f64], last: &[f64]| [first, last].concat();
    let blocked = places.clone().map(|t| without.as_ref().map(|g| g[t]));
    Ok(records::Positions {
        from: column([vec!["beginning"; LATER + 1], vec!["end"; LATER + 1]].concat()),
        words: column(places.clone().chain(places.clone())),
        gain: column(both(&own, &end)),
        gain_blocked: column(blocked.chain(places.clone().map(|_| None))),
        initial_inside: column(places.clone().chain(places).map(|_| inside)),
    })
}
