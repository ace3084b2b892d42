//! The networks of a collection, and the phrases that they all read.

use super::bases::{copies, jobs, trained};
use super::given::{Taken, taken, task};
use super::networks::{outputs, record};
use super::rules::splits;
use super::text::Watch;
use crate::corpus::synthetic::Kind;
use crate::corpus::{self, Labels, Source, Split};
use crate::data::tasks::Law;
use crate::data::{Documents, Sequences, StepLoss, Targets};
use crate::embedding::{Measure, Phrases, Reads, Recording};
use crate::engine::{StageOutput, Workspace};
use crate::experiment::{MetaModel, TaskExperiment};
use crate::model::{Head, Network};
use crate::ops::{CellKind, Pool};
use crate::records::{self, column, keys};
use crate::{Error, Result, seed, summary};
use rand::seq::SliceRandom;
use std::path::Path;

/// Test labels of groups that have others than the first run's.
const LABELS: &str = "group_labels.json";

/// What was left out of the collection.
pub const NOTES: &str = "collection.json";

/// A network of the collection.
pub struct Base {
    pub name: String,
    pub group: usize,
    pub network: Network,
    /// Number of the original.
    pub copy_of: Option<usize>,
    /// On its group's labels.
    pub accuracy: Option<f64>,
}

impl Base {
    pub fn cell(&self) -> CellKind {
        self.network.config().cell
    }

    pub fn units(&self) -> usize {
        self.network.config().units
    }
}

/// A collection with its phrases.
pub struct Opened {
    pub bases: Vec<Base>,
    pub groups: Vec<String>,
    /// Training phrases, and what base models did on them.
    pub phrases: Phrases,
    pub recordings: Vec<Recording>,
    /// Test phrases, likewise.
    pub test: Phrases,
    pub held_out: Vec<Recording>,
    /// Labels of the test phrases by each group's rule; none where there are no classes.
    pub labels: Option<Vec<Vec<u32>>>,
    /// Training documents with each group's labels, for networks from few of them.
    pub splits: Vec<Split>,
    pub reads: Reads,
    pub outputs: usize,
    pub measure: Measure,
    /// An input at which the state is left to itself, `[u]` of a one-hot word or of vectors: shares of words.
    pub rest: Vec<f64>,
    /// Bytes of the recordings.
    pub bytes: usize,
    /// Words and names of classes; none for tasks.
    pub words: Vec<String>,
    pub label_names: Vec<String>,
}

/// Where a network of the collection lies.
pub fn file(i: usize) -> String {
    format!("networks/{i}.safetensors")
}

/// Refuses settings that contradict each other.
pub fn check_settings(e: &MetaModel) -> Result<()> {
    let groups = &e.trained.groups;
    if !e.collection.is_empty() {
        return match groups.is_empty() {
            true => Ok(()),
            false => Err(Error::Usage(
                "`collection` names runs and `trained.groups` networks to train: leave one of them out".into(),
            )),
        };
    }
    if jobs(groups).len() < 2 {
        return Err(Error::Usage(
            "a collection of fewer than two networks; say `collection: [\"reports/…/*\"]`, or \
             `trained: (groups: [(name: \"all\", cells: [Gru], units: [24, 32])])`"
                .into(),
        ));
    }
    let synthetic = match &e.trained.corpus.source {
        Source::Synthetic(s) => matches!(s.kind, Kind::Unordered(_)),
        _ => false,
    };
    if let Some(g) = groups.iter().find(|g| g.reads.relabels() && !synthetic) {
        return Err(Error::Usage(format!(
            "group `{}`: FirstHalf and LastEvidence label phrases of unordered classes, `corpus: (source: Synthetic(kind: \
             Unordered(…)))`",
            g.name
        )));
    }
    Ok(())
}

/// Trains or reads the networks; leaves their weights and a table.
pub fn collect(e: &MetaModel, place: &Workspace, watch: &mut dyn Watch) -> Result<StageOutput> {
    let folder = place.folder();
    let networks = folder.join("networks");
    std::fs::create_dir_all(&networks).map_err(Error::io(&networks))?;
    let (taken, left_out) = match e.collection.is_empty() {
        true => {
            let groups: Vec<String> = e.trained.groups.iter().map(|g| g.name.clone()).collect();
            let (bases, left_out) = trained(e, place, watch)?;
            let (learned, labels) = (vec![None; bases.len()], vec![None; groups.len()]);
            (Taken { bases, learned, groups, labels, notes: Vec::new() }, left_out)
        }
        false => (taken(e, folder)?, 0),
    };
    let Taken { bases: mut made, learned: shares, groups, labels, mut notes } = taken;
    if left_out > 0 {
        notes.push(format!(
            "{left_out} training phrases have two commonest classes, or no evidence, by the labels of some group: no network reads them"
        ));
    }
    let chance = |outputs: usize| 1.0 / outputs as f64;
    let learned: Vec<bool> = made
        .iter()
        .zip(&shares)
        .map(|(b, share)| match b.accuracy {
            Some(a) if e.collection.is_empty() => {
                let c = chance(outputs(&b.network));
                (a - c) / (1.0 - c) >= e.trained.learned
            }
            // What says nothing of itself is taken at its word.
            _ => share.is_none_or(|share| share >= e.learned),
        })
        .collect();
    let lost = learned.iter().filter(|l| !**l).count();
    let all = made.iter().zip(&shares).zip(&learned);
    notes.extend(all.filter(|(_, learned)| !**learned).filter_map(|((base, share), _)| {
        let (name, least) = (&base.name, e.learned);
        share.map(|share| {
            format!(
                "{name}: from the commonest answer (0) to perfect (1) it has learned {share:.2}, below {least} (`learned`): left out"
            )
        })
    }));
    if lost > 0 && e.collection.is_empty() {
        notes.push(format!(
            "{lost} of {} networks did not learn (`trained.learned`) and are left out",
            made.len()
        ));
    }
    let mut numbers: Vec<Option<usize>> = Vec::new();
    let mut files = Vec::new();
    for (base, learned) in made.iter().zip(&learned) {
        let number = learned.then_some(files.len());
        if let Some(i) = number {
            base.network.save(&folder.join(file(i)))?;
            files.push(file(i));
        }
        numbers.push(number);
    }
    if e.collection.is_empty() {
        copies(e, &mut made, &mut numbers, (folder, &mut files))?;
    }
    let table = records::BaseModels {
        name: column(made.iter().map(|b| b.name.as_str())),
        group: column(made.iter().map(|b| groups[b.group].as_str())),
        cell: column(made.iter().map(|b| b.cell().facts().name)),
        units: column(made.iter().map(Base::units)),
        base_model: column(numbers.clone()),
        copy_of: column(made.iter().map(|b| b.copy_of)),
        accuracy: column(made.iter().map(|b| b.accuracy)),
    };
    files.push(table.write(folder)?);
    let kept = numbers.iter().flatten().count();
    let mut output = StageOutput::files(files);
    if kept < 2 {
        let (many, setting) = match e.collection.is_empty() {
            true => (made.len(), "trained.learned"),
            false => (made.len(), "learned"),
        };
        return Err(Error::Usage(match many {
            0 | 1 => format!(
                "collection: {many} network; a map is of at least two: name more runs, or files of weights"
            ),
            _ => format!(
                "{kept} of {many} networks of the collection have learned{}, and a map is of at least two: train them longer, or lower \
                 `{setting}`",
                told(&shares)
            ),
        }));
    }
    let path = folder.join(LABELS);
    let text = serde_json::to_vec(&labels).expect("labels are plain numbers");
    crate::files::replace(&path, &text)?;
    output.files.push(LABELS.into());
    output = output.with(keys::EMBEDDING_BASE_MODELS, kept as f64);
    output.files.push(write_notes(folder, NOTES, &notes)?);
    Ok(output)
}

/// What runs say of themselves, from the commonest answer (0) to perfect (1); nothing where none does.
fn told(shares: &[Option<f64>]) -> String {
    let known: Vec<String> = shares.iter().flatten().map(|s| format!("{s:.2}")).collect();
    match known.is_empty() {
        true => String::new(),
        false => format!(" (from the commonest answer, 0, to perfect, 1: {})", known.join(", ")),
    }
}

/// Keeps sentences for the report.
pub fn write_notes(folder: &Path, file: &str, notes: &[String]) -> Result<String> {
    let text = serde_json::to_vec(notes).expect("sentences are plain");
    crate::files::replace(&folder.join(file), &text)?;
    Ok(file.to_string())
}

/// Sentences that a stage left.
pub fn notes(folder: &Path, file: &str) -> Result<Vec<String>> {
    let path = folder.join(file);
    let text = std::fs::read(&path).map_err(Error::io(&path))?;
    serde_json::from_slice(&text)
        .map_err(|e| Error::input(path.display(), "", e, "run its stage again (`--force`)"))
}

/// The collection as stage `collect` left it, recorded on the phrases.
pub fn open(e: &MetaModel, folder: &Path) -> Result<Opened> {
    let table = records::BaseModels::read(folder)?;
    let (name, group, number) = (table.name()?, table.group()?, table.base_model()?);
    let (copy_of, accuracy) = (table.copy_of()?, table.accuracy()?);
    let mut groups: Vec<String> = Vec::new();
    let mut bases = Vec::new();
    let mut rows: Vec<usize> = (0..name.len()).filter(|&i| number[i].is_some()).collect();
    rows.sort_by_key(|&i| number[i]);
    group.iter().for_each(|g| {
        if !groups.contains(g) {
            groups.push(g.clone());
        }
    });
    for i in rows {
        let at = groups.iter().position(|g| *g == group[i]).expect("it was added");
        bases.push(Base {
            name: name[i].clone(),
            group: at,
            network: Network::load(&folder.join(file(number[i].expect("rows have numbers"))))?,
            copy_of: copy_of[i],
            accuracy: Some(accuracy[i]).filter(|a| !a.is_nan()),
        });
    }
    if !e.collection.is_empty()
        && let Some(task) = task(e)?
    {
        return open_task(e, &task, folder, (bases, groups));
    }
    open_text(e, folder, (bases, groups))
}

/// What base models did on training and test phrases, and bytes of it. States of more than `held_megabytes` go to files in `folder`,
/// which is removed with the stage's own.
fn recorded(
    e: &MetaModel,
    folder: &Path,
    bases: &[Base],
    inputs: [Sequences; 2],
) -> Result<(Vec<Recording>, Vec<Recording>, usize)> {
    let steps = |s: Sequences| (0..s.len()).map(|i| s.length(i)).sum::<usize>();
    let all: usize = inputs.map(steps).iter().sum();
    let numbers: usize = bases.iter().map(|b| all * b.network.state_size()).sum();
    let held = 4 * numbers <= e.held_megabytes * 1_000_000;
    let place = |i: usize, part: &str| folder.join(format!("recorded_{i}_{part}"));
    let (mut recordings, mut held_out, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (i, base) in bases.iter().enumerate() {
        let (states, said) = record(&base.name, &base.network, inputs[0])?;
        bytes += 4 * (states.len() + said.len());
        let (size, k) = (base.network.state_size(), outputs(&base.network));
        let own = Recording::new(&base.name, size, &states, k, said)?;
        let (states, said) = record(&base.name, &base.network, inputs[1])?;
        let other = own.on(&states, said);
        drop(states);
        let (own, other) = match held {
            true => (own, other),
            false => (own.stored(&place(i, "train"))?, other.stored(&place(i, "test"))?),
        };
        held_out.push(other);
        recordings.push(own);
    }
    Ok((recordings, held_out, bytes))
}

fn labels_of_groups(folder: &Path) -> Result<Vec<Option<Vec<u32>>>> {
    let path = folder.join(LABELS);
    let text = std::fs::read(&path).map_err(Error::io(&path))?;
    let again = "run again with `--force collect`";
    serde_json::from_slice(&text).map_err(|e| Error::input(path.display(), "", e, again))
}

/// What is to be known where there are fewer phrases than were asked for.
pub fn fewer(e: &MetaModel, folder: &Path) -> Result<Vec<String>> {
    // A task draws as many as it is asked for.
    if corpus::store::about(folder).is_err() {
        return Ok(Vec::new());
    }
    let corpus = corpus::store::read(folder)?;
    let there = |split: &Split| splits(e, &corpus, split).0[0].documents.len();
    let asked =
        [("phrases", "training", e.phrases, &corpus.train), ("test", "test", e.test, &corpus.test)];
    Ok(asked
        .into_iter()
        .filter(|(.., many, split)| there(split) < *many)
        .map(|(setting, what, many, split)| {
            format!(
                "{many} {what} phrases were asked for (`{setting}`); the text has {}",
                there(split)
            )
        })
        .collect())
}

fn open_text(
    e: &MetaModel,
    folder: &Path,
    (bases, groups): (Vec<Base>, Vec<String>),
) -> Result<Opened> {
    let corpus = corpus::store::read(folder)?;
    let (all, _) = splits(e, &corpus, &corpus.train);
    let (tests, _) = splits(e, &corpus, &corpus.test);
    // Files may be sorted by label.
    let drawn = |split: &Split, count: usize, name: &str| -> Vec<usize> {
        let mut all: Vec<usize> = (0..split.documents.len()).collect();
        all.shuffle(&mut seed::stream(e.seed, &format!("embedding/phrases/{name}")));
        all.truncate(count);
        all
    };
    let of_split = |split: &Split, chosen: &[usize]| -> Documents {
        chosen.iter().map(|&d| split.documents.get(d)).collect()
    };
    let chosen = drawn(&tests[0], e.test, "test");
    let documents = of_split(&all[0], &drawn(&all[0], e.phrases, "train"));
    let fresh = of_split(&tests[0], &chosen);
    let (recordings, held_out, bytes) =
        recorded(e, folder, &bases, [Sequences::Tokens(&documents), Sequences::Tokens(&fresh)])?;
    let of = |split: &Split| match &split.labels {
        Labels::Class(labels) => Some(chosen.iter().map(|&d| labels[d]).collect()),
        _ => None,
    };
    // One set of labels for every group of runs.
    let by_group = |g: usize| tests.get(g).unwrap_or(&tests[0]);
    let own: Vec<Option<Vec<u32>>> = labels_of_groups(folder)?;
    let labels: Option<Vec<Vec<u32>>> = (0..groups.len())
        .map(|g| match own.get(g) {
            Some(Some(own)) => chosen.iter().map(|&d| own.get(d).copied()).collect(),
            _ => of(by_group(g)),
        })
        .collect();
    let splits = (0..groups.len()).map(|g| all.get(g).unwrap_or(&all[0]).clone()).collect();
    let words = corpus.words.len();
    let reads = match e.model.embedding {
        Some(width) => Reads::Embedded(words, width),
        None => Reads::Words(words),
    };
    let mut rest = vec![0.0; words];
    match &e.trained.corpus.source {
        Source::Synthetic(_) if e.collection.is_empty() => rest[0] = 1.0,
        _ => {
            let share = 1.0 / documents.token_count() as f64;
            documents.tokens().iter().for_each(|w| rest[*w as usize] += share);
        }
    }
    Ok(Opened {
        phrases: Phrases::of_words(documents.iter())?,
        test: Phrases::of_words(fresh.iter())?,
        recordings,
        held_out,
        labels,
        splits,
        reads,
        outputs: outputs(&bases[0].network),
        measure: Measure::Distribution,
        rest,
        bytes,
        words: corpus.words,
        label_names: corpus.label_names,
        bases,
        groups,
    })
}

fn open_task(
    e: &MetaModel,
    task: &TaskExperiment,
    folder: &Path,
    (bases, groups): (Vec<Base>, Vec<String>),
) -> Result<Opened> {
    let (drawn, fresh) = (task.draw(e.phrases, "train"), task.draw(e.test, "test"));
    if let Targets::Steps(targets) = (crate::data::Trials::from(&drawn)).targets
        && targets.loss != StepLoss::Squared
    {
        return Err(Error::Usage(
            "collection: networks on tasks are emulated where their outputs are numbers with a squared error".into(),
        ));
    }
    let (recordings, held_out, bytes) = recorded(
        e,
        folder,
        &bases,
        [Sequences::Vectors(&drawn.inputs), Sequences::Vectors(&fresh.inputs)],
    )?;
    let phrases =
        |v: &crate::data::Vectors| Phrases::of_vectors(v.width(), (0..v.len()).map(|i| v.get(i)));
    debug_assert!(
        bases.iter().all(|b| b.network.head() == Head::Steps && b.network.pool() == Pool::Every)
    );
    Ok(Opened {
        phrases: phrases(&drawn.inputs)?,
        test: phrases(&fresh.inputs)?,
        recordings,
        held_out,
        labels: None,
        splits: Vec::new(),
        reads: Reads::Vectors(drawn.inputs.width()),
        outputs: task.task.outputs(),
        measure: Measure::Numbers,
        rest: vec![0.0; drawn.inputs.width()],
        bytes,
        words: Vec::new(),
        label_names: Vec::new(),
        bases,
        groups,
    })
}

impl Opened {
    /// Numbers of the base models that are no copies.
    pub fn originals(&self) -> Vec<usize> {
        (0..self.bases.len()).filter(|&i| self.bases[i].copy_of.is_none()).collect()
    }

    /// Those of a group.
    pub fn of_group(&self, g: usize) -> Vec<usize> {
        self.originals().into_iter().filter(|&i| self.bases[i].group == g).collect()
    }

    /// Median steps of a test phrase.
    pub fn length(&self) -> f64 {
        let lengths: Vec<f64> = (0..self.test.len()).map(|i| self.test.length(i) as f64).collect();
        summary::median(&lengths).unwrap_or(1.0)
    }
}
