//! What is asked of trained meta-models.

use super::beside::beside;
use super::collection::{self, Opened};
use super::networks::averaged;
use super::standing::{Standing, standing};
use super::{knob, labels, layout, load, names, seeds, tables};
use crate::embedding;
use crate::embedding::analysis::{self, Fidelity};
use crate::engine::{StageOutput, Workspace};
use crate::experiment::MetaModel;
use crate::model::Network;
use crate::records::keys;
use crate::similarity::DistanceMatrix;
use crate::similarity::statistics::{AgainstChance, neighbour_accuracy, silhouette};
use crate::studies::text::Watch;
use crate::{Result, interrupt, summary, train};
use std::path::Path;

/// Shuffles of every permutation test.
pub const PERMUTATIONS: usize = 1000;
/// What was left out while meta-models were looked at.
const INSPECTED: &str = "inspected.json";

/// One base model on one map.
pub struct Placed {
    pub theta: Vec<f64>,
    pub at: [f64; 2],
    pub fidelity: Fidelity,
    pub accuracy: Option<f64>,
}

/// A test of labels on a map.
pub struct Test {
    pub map: &'static str,
    pub by: &'static str,
    pub statistic: &'static str,
    pub found: AgainstChance,
    pub n: usize,
}

/// A place along a way.
pub struct Way {
    pub from: usize,
    pub to: usize,
    pub kind: &'static str,
    pub share: f64,
    pub accuracies: [f64; 2],
}

/// A group's middle.
pub struct Average {
    pub group: usize,
    pub theta: f64,
    pub base: f64,
    pub weights: Option<f64>,
    pub n: usize,
}

/// A copy beside its original.
pub struct Copy {
    pub original: usize,
    pub copy: usize,
    pub distance: f64,
    pub share: f64,
}

/// What was found of one meta-model.
pub struct Looked {
    pub seed: u64,
    pub placed: Vec<Placed>,
    pub tests: Vec<Test>,
    pub copies: Vec<Copy>,
    pub ways: Vec<Way>,
    pub averages: Vec<Average>,
    pub few: Vec<labels::Few>,
}

pub fn inspect(e: &MetaModel, place: &Workspace, watch: &mut dyn Watch) -> Result<StageOutput> {
    let folder = place.folder();
    let opened = collection::open(e, folder)?;
    let layout = layout(e, &opened);
    let mut beside = beside(e, &opened)?;
    let weights = weight_averages(&opened)?;
    let mut all = Vec::new();
    let mut found = Standing { stands: Vec::new(), segments: Vec::new(), notes: Vec::new() };
    let mut page = None;
    for (r, seed) in seeds(e).enumerate() {
        watch.progress("inspect", r, e.replicates);
        let meta = load(&layout, names(&opened), (folder, seed))?;
        let mut looked = look(e, seed, &meta, &opened, &weights)?;
        looked.tests.extend(beside.agreements(&meta, e.seed)?);
        if opened.labels.is_some() && e.collection.is_empty() {
            looked.few = labels::few(e, seed, &meta, &opened, place)?;
        }
        if r == 0 {
            found = standing(e, &meta, &opened, &looked.placed)?;
            let named = (&opened.words[..], &opened.label_names[..]);
            page = Some(knob::write(folder, &meta, &opened, &looked.placed, named)?);
        }
        all.push(looked);
    }
    let over = |f: &dyn Fn(&Placed) -> f64| -> f64 {
        let values: Vec<f64> = all.iter().flat_map(|l| l.placed.iter().map(f)).collect();
        summary::mean(&values)
    };
    let mut files = tables::write(folder, &opened, &all, &beside, &found)?;
    files.extend(page);
    beside.notes.append(&mut found.notes);
    files.push(collection::write_notes(folder, INSPECTED, &beside.notes)?);
    let curves = || found.segments.iter().flat_map(|s| &s.curves);
    let met: usize = curves().map(|c| c.met.len()).sum();
    let changed = curves().filter(|c| !c.followed.passes()).count();
    Ok(StageOutput::files(files)
        .with(keys::EMBEDDING_AGREEMENT, over(&|p| p.fidelity.agreement))
        .with(keys::EMBEDDING_R2, over(&|p| p.fidelity.r2))
        .with(keys::EMBEDDING_CURVES, curves().count() as f64)
        .with(keys::EMBEDDING_CURVES_CHANGED, changed as f64)
        .with(keys::EMBEDDING_BIFURCATIONS, met as f64))
}

/// Do base models of one group, cell or size lie together?
///
/// * `distances`: of the originals
pub fn tests(
    map: &'static str,
    opened: &Opened,
    distances: &DistanceMatrix,
    seed: u64,
) -> Result<Vec<Test>> {
    let originals = opened.originals();
    let mut all = Vec::new();
    if originals.len() < 3 {
        return Ok(all);
    }
    let of = |f: &dyn Fn(usize) -> String| originals.iter().map(|&i| f(i)).collect::<Vec<String>>();
    let kinds = [
        ("group", of(&|i| opened.groups[opened.bases[i].group].clone())),
        ("cell", of(&|i| opened.bases[i].cell().facts().name.into())),
        ("units", of(&|i| opened.bases[i].units().to_string())),
    ];
    for (by, values) in kinds {
        if values.iter().all(|v| *v == values[0]) {
            continue;
        }
        let near = neighbour_accuracy(distances, &values, PERMUTATIONS, seed)?.accuracy;
        let tight = silhouette(distances, &values, PERMUTATIONS, seed)?;
        for (statistic, found) in [("neighbours", near), ("silhouette", tight)] {
            all.push(Test { map, by, statistic, found, n: originals.len() });
        }
    }
    Ok(all)
}

fn look(
    e: &MetaModel,
    seed: u64,
    meta: &embedding::MetaModel,
    opened: &Opened,
    weights: &[Option<f64>],
) -> Result<Looked> {
    let thetas = meta.thetas();
    let (plane, _) = analysis::plane(&thetas)?;
    let placed: Vec<Placed> = (0..opened.bases.len())
        .map(|i| Placed {
            theta: thetas[i].clone(),
            at: plane[i],
            fidelity: analysis::fidelity(
                meta,
                i,
                &opened.test,
                &opened.held_out[i],
                opened.measure,
            ),
            accuracy: accuracy_at(meta, &meta.theta(i), opened, opened.bases[i].group),
        })
        .collect();
    interrupt::check("while meta-models were looked at")?;
    let all = analysis::distances(&thetas)?;
    let originals = opened.originals();
    let groups: Vec<usize> = originals.iter().map(|&i| opened.bases[i].group).collect();
    let own = all.of(&originals);
    let apart = analysis::between_groups(&own, &groups);
    let copies = (0..opened.bases.len())
        .filter_map(|copy| {
            let original = opened.bases[copy].copy_of?;
            let distance = all.at(original, copy);
            Some(Copy { original, copy, distance, share: distance / apart })
        })
        .collect();
    Ok(Looked {
        seed,
        tests: tests("theta", opened, &own, e.seed)?,
        copies,
        ways: ways(e, meta, opened),
        averages: averages(meta, opened, weights),
        placed,
        few: Vec::new(),
    })
}

/// Accuracy of the meta-model at a `θ` on a group's labels, where there are labels.
fn accuracy_at(
    meta: &embedding::MetaModel,
    theta: &[f32],
    opened: &Opened,
    group: usize,
) -> Option<f64> {
    let labels = &opened.labels.as_ref()?[group];
    Some(analysis::accuracy(meta, theta, &opened.test, labels))
}

/// Straight ways between base models, inside groups and between them.
fn ways(e: &MetaModel, meta: &embedding::MetaModel, opened: &Opened) -> Vec<Way> {
    if opened.labels.is_none() {
        return Vec::new();
    }
    let members: Vec<Vec<usize>> = (0..opened.groups.len()).map(|g| opened.of_group(g)).collect();
    let mut inside = Vec::new();
    for k in 0.. {
        let more = members.iter().filter(|m| m.len() > 2 * k + 1).map(|m| (m[2 * k], m[2 * k + 1]));
        let before = inside.len();
        inside.extend(more);
        if inside.len() == before || inside.len() >= e.inspect.ways {
            break;
        }
    }
    let mut between = Vec::new();
    for k in 0.. {
        let before = between.len();
        for (g, own) in members.iter().enumerate() {
            for other in &members[g + 1..] {
                between.extend(own.get(k).zip(other.get(k)).map(|(a, b)| (*a, *b)));
            }
        }
        if between.len() == before || between.len() >= e.inspect.ways {
            break;
        }
    }
    let mut all = Vec::new();
    for (kind, pairs) in [("inside", inside), ("between", between)] {
        for (from, to) in pairs.into_iter().take(e.inspect.ways) {
            let (a, b) = (meta.theta(from), meta.theta(to));
            for k in 0..e.inspect.places {
                let share = k as f64 / (e.inspect.places - 1) as f64;
                let theta: Vec<f32> =
                    a.iter().zip(&b).map(|(a, b)| a + share as f32 * (b - a)).collect();
                let of = |i: usize| {
                    accuracy_at(meta, &theta, opened, opened.bases[i].group).unwrap_or(f64::NAN)
                };
                all.push(Way { from, to, kind, share, accuracies: [of(from), of(to)] });
            }
        }
    }
    all
}

/// Of each group, the mean accuracy of averages of weights over originals with the same cell and units.
fn weight_averages(opened: &Opened) -> Result<Vec<Option<f64>>> {
    let mut all = Vec::new();
    for g in 0..opened.groups.len() {
        let own = opened.of_group(g);
        let mut found = Vec::new();
        let mut seen: Vec<(crate::ops::CellKind, usize)> = Vec::new();
        for &i in &own {
            let base = &opened.bases[i];
            let kind = (base.cell(), base.units());
            if seen.contains(&kind) {
                continue;
            }
            seen.push(kind);
            let alike: Vec<usize> = own
                .iter()
                .copied()
                .filter(|&j| (opened.bases[j].cell(), opened.bases[j].units()) == kind)
                .collect();
            if alike.len() < 2 || opened.labels.is_none() || opened.splits.is_empty() {
                continue;
            }
            let arrays: Vec<_> =
                alike.iter().map(|&j| opened.bases[j].network.arrays()).collect::<Result<_>>()?;
            let of = &base.network;
            let mean = Network::new(of.config(), of.head(), of.reads(), of.outputs(), 0)?;
            mean.set_arrays(&averaged(&arrays))?;
            found.push(train::score(&mean, &labels::test_split(opened, g))?.accuracy());
        }
        all.push((!found.is_empty()).then(|| summary::mean(&found)));
    }
    Ok(all)
}

fn averages(meta: &embedding::MetaModel, opened: &Opened, weights: &[Option<f64>]) -> Vec<Average> {
    let of = |group: usize| {
        let own = opened.of_group(group);
        let accuracy = |theta: &[f32]| accuracy_at(meta, theta, opened, group);
        let base: Vec<f64> = own.iter().filter_map(|&i| labels::accuracy(opened, i)).collect();
        (!own.is_empty()).then_some(())?;
        Some(Average {
            group,
            theta: accuracy(&middle(meta, &own))?,
            base: summary::mean(&base),
            weights: weights[group],
            n: own.len(),
        })
    };
    (0..opened.groups.len()).filter_map(of).collect()
}

/// Mean `θ` of some base models.
pub fn middle(meta: &embedding::MetaModel, own: &[usize]) -> Vec<f32> {
    let p = meta.layout.shape.dimension;
    let share = 1.0 / own.len() as f32;
    (0..p).map(|j| own.iter().map(|&i| share * meta.theta(i)[j]).sum()).collect()
}

/// What was guessed or left out.
pub fn notes(e: &MetaModel, folder: &Path) -> Result<Vec<(&'static str, String)>> {
    let told = collection::notes(folder, INSPECTED)?;
    let mut all: Vec<_> = told.into_iter().map(|note| ("inspect", note)).collect();
    if e.model.dimension != 2 && e.inspect.grid > 1 {
        all.push((
            "inspect",
            format!(
                "θ has {} numbers: fixed points are sought at the groups' middles, not over a grid",
                e.model.dimension
            ),
        ));
    }
    if !e.collection.is_empty() {
        all.push((
            "inspect",
            "networks of runs: no copies, no averages of weights and no networks from few labels; groups are the folders that the runs \
             lie in"
                .into(),
        ));
    }
    Ok(all)
}
