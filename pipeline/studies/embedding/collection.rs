//! The networks of a collection: trained here, or read from runs; the phrases that they all read.

use super::networks::{outputs, permuted, record};
use super::text::{self, Watch};
use crate::corpus::synthetic::{Kind, lexicon};
use crate::corpus::{self, Corpus, Labels, Source, Split};
use crate::data::tasks::Law;
use crate::data::{Documents, Sequences, StepLoss, Targets};
use crate::embedding::recording::Agreement;
use crate::embedding::{Measure, Phrases, Reads, Recording, check};
use crate::engine::{Finished, StageOutput, Workspace};
use crate::experiment::{Group, MetaModel, TaskExperiment, Training};
use crate::model::{Config, Head, Network};
use crate::ops::{CellKind, Pool};
use crate::records::{self, column, keys};
use crate::{Error, Result, seed, summary, train};
use rand::seq::SliceRandom;
use std::path::{Path, PathBuf};

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

/// Names of the networks to train: group, cell, units, number.
fn jobs(groups: &[Group]) -> Vec<(usize, CellKind, usize, usize)> {
    let mut all = Vec::new();
    for (g, group) in groups.iter().enumerate() {
        for &cell in &group.cells {
            for &units in &group.units {
                all.extend((0..group.replicates).map(|r| (g, cell, units, r)));
            }
        }
    }
    all
}

fn file(i: usize) -> String {
    format!("networks/{i}.safetensors")
}

/// Folders of finished runs, stars filled in, sorted.
pub fn folders(patterns: &[String]) -> Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for pattern in patterns {
        let mut found = vec![PathBuf::new()];
        for part in Path::new(pattern).components() {
            let name = part.as_os_str().to_string_lossy().into_owned();
            if !name.contains('*') {
                found.iter_mut().for_each(|p| p.push(&name));
                continue;
            }
            let (before, after) = name.split_once('*').unwrap_or((&name, ""));
            let mut next = Vec::new();
            for folder in found {
                let Ok(entries) = std::fs::read_dir(&folder) else { continue };
                for entry in entries.flatten() {
                    let own = entry.file_name().to_string_lossy().into_owned();
                    let long = own.len() >= before.len() + after.len();
                    if long
                        && !own.starts_with('.')
                        && own.starts_with(before)
                        && own.ends_with(after)
                    {
                        next.push(folder.join(own));
                    }
                }
            }
            found = next;
        }
        found.retain(|f| f.join("model.safetensors").exists());
        if found.is_empty() {
            let remedy = "name folders of finished runs that hold model.safetensors, as `reports/population/memory/cases/*`";
            return Err(Error::input("collection", pattern, "no run lies there", remedy));
        }
        all.extend(found);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// What the stages hang on besides settings.
pub fn sources(e: &MetaModel, data: &Path) -> Result<Vec<String>> {
    if e.collection.is_empty() {
        return text::fingerprint(&e.trained.corpus, data);
    }
    let key = |f: PathBuf| -> Result<String> {
        let run = Finished::open(&f, &["train"])?;
        Ok(format!("{} {}", f.display(), run.key("train").map_or("", String::as_str)))
    };
    folders(&e.collection)?.into_iter().map(key).collect()
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

pub fn tokenize(e: &MetaModel, data: &Path, folder: &Path) -> Result<StageOutput> {
    if e.collection.is_empty() {
        return text::tokenize(&e.trained.corpus, data, e.seed, None, folder);
    }
    let first = &folders(&e.collection)?[0];
    match Finished::open(first, &[])?.experiment::<TaskExperiment>() {
        Ok(_) => Ok(StageOutput::default()),
        Err(_) => {
            let corpus = corpus::store::read(first)?;
            Ok(StageOutput::files(corpus::store::write(folder, &corpus)?))
        }
    }
}

/// Scores of the phrase's words up to each label rule: `None` where two classes tie or there is no evidence.
fn class(scores: &[Vec<f64>], words: &[u32]) -> Option<u32> {
    let mut totals = vec![0.0; scores[0].len()];
    for &w in words {
        totals.iter_mut().zip(&scores[w as usize]).for_each(|(t, s)| *t += s);
    }
    let best = (0..totals.len()).fold(0, |b, i| if totals[i] > totals[b] { i } else { b });
    let tied = totals.iter().filter(|t| **t == totals[best]).count() > 1;
    (!tied).then_some(best as u32)
}

fn label(scores: &[Vec<f64>], words: &[u32], reads: Training) -> Option<u32> {
    match reads {
        Training::FirstHalf => class(scores, &words[..words.len() / 2]),
        Training::LastEvidence => {
            let last = words.iter().rev().find(|w| scores[**w as usize].iter().any(|s| *s != 0.0));
            class(scores, &[*last?])
        }
        _ => class(scores, words),
    }
}

/// The split as each group reads it. Where some group has labels of its own, phrases on which any group's label is not clear are
/// left out for all.
fn splits(e: &MetaModel, corpus: &Corpus, split: &Split) -> (Vec<Split>, usize) {
    let groups = &e.trained.groups;
    if groups.is_empty() {
        return (vec![split.clone()], 0);
    }
    if !groups.iter().any(|g| g.reads.relabels()) {
        return (groups.iter().map(|_| split.clone()).collect(), 0);
    }
    let Source::Synthetic(of) = &e.trained.corpus.source else {
        unreachable!("settings were checked")
    };
    let scores = lexicon(&of.kind, e.trained.corpus.seed.unwrap_or(e.seed)).scores;
    debug_assert_eq!(scores.len(), corpus.words.len());
    let found: Vec<Vec<Option<u32>>> = (0..split.documents.len())
        .map(|d| groups.iter().map(|g| label(&scores, split.documents.get(d), g.reads)).collect())
        .collect();
    let clear = |d: usize| found[d].iter().all(Option::is_some);
    let kept = split.part(clear);
    let left_out = split.documents.len() - kept.documents.len();
    let labels = |g: usize| {
        found.iter().enumerate().filter(|(d, _)| clear(*d)).filter_map(move |(_, l)| l[g])
    };
    let all = (0..groups.len())
        .map(|g| Split {
            documents: kept.documents.clone(),
            labels: Labels::Class(labels(g).collect()),
        })
        .collect();
    (all, left_out)
}

/// The same documents with the words of each in another order.
fn shuffled(split: &Split, seed: u64) -> Split {
    let mut documents = Documents::new();
    let mut stream = seed::stream(seed, "embedding/shuffled words");
    for document in split.documents.iter() {
        let mut words = document.to_vec();
        words.shuffle(&mut stream);
        documents.push(&words);
    }
    Split { documents, labels: split.labels.clone() }
}

/// Trains or reads the networks; leaves their weights and a table.
pub fn collect(e: &MetaModel, place: &Workspace, watch: &mut dyn Watch) -> Result<StageOutput> {
    let folder = place.folder();
    let networks = folder.join("networks");
    std::fs::create_dir_all(&networks).map_err(Error::io(&networks))?;
    let (mut made, left_out) = match e.collection.is_empty() {
        true => trained(e, place, watch)?,
        false => (taken(e)?, 0),
    };
    let mut notes: Vec<String> = Vec::new();
    if left_out > 0 {
        notes.push(format!(
            "{left_out} training phrases have two commonest classes, or no evidence, by the labels of some group: no network reads them"
        ));
    }
    let chance = |outputs: usize| 1.0 / outputs as f64;
    let learned: Vec<bool> = made
        .iter()
        .map(|b| match b.accuracy {
            Some(a) if e.collection.is_empty() => {
                let c = chance(outputs(&b.network));
                (a - c) / (1.0 - c) >= e.trained.learned
            }
            _ => true,
        })
        .collect();
    let lost = learned.iter().filter(|l| !**l).count();
    if lost > 0 {
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
    let groups = group_names(e, &made)?;
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
        return Err(Error::Usage(format!(
            "{kept} of {} networks of the collection have learned: train them longer, or lower `trained.learned`",
            made.len()
        )));
    }
    output = output.with(keys::EMBEDDING_BASE_MODELS, kept as f64);
    output.files.push(write_notes(folder, NOTES, &notes)?);
    Ok(output)
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

fn group_names(e: &MetaModel, made: &[Base]) -> Result<Vec<String>> {
    if e.collection.is_empty() {
        return Ok(e.trained.groups.iter().map(|g| g.name.clone()).collect());
    }
    let count = made.iter().map(|b| b.group + 1).max().unwrap_or(0);
    let mut names = vec![String::new(); count];
    for (folder, base) in folders(&e.collection)?.iter().zip(made) {
        names[base.group] = group_of(folder);
    }
    Ok(names)
}

/// The folder that a run lies in; of a case of a grid, the grid's.
fn group_of(folder: &Path) -> String {
    let mut above = folder.parent().unwrap_or(folder);
    if above.ends_with("cases") {
        above = above.parent().unwrap_or(above);
    }
    above.file_name().map_or("runs".into(), |n| n.to_string_lossy().into_owned())
}

fn trained(e: &MetaModel, place: &Workspace, watch: &mut dyn Watch) -> Result<(Vec<Base>, usize)> {
    let corpus = corpus::store::read(place.folder())?;
    if !matches!(corpus.train.labels, Labels::Class(_)) {
        return Err(Error::Usage(
            "trained.corpus: documents with a class each are needed here".into(),
        ));
    }
    let (train_splits, left_out) = splits(e, &corpus, &corpus.train);
    let (validation, _) = splits(e, &corpus, &corpus.validation);
    let (test, _) = splits(e, &corpus, &corpus.test);
    let jobs = jobs(&e.trained.groups);
    let classes = corpus.label_names.len();
    let mut all = Vec::new();
    for (i, (g, cell, units, _)) in jobs.iter().copied().enumerate() {
        let group = &e.trained.groups[g];
        let own_seed = e.seed.wrapping_add(1000 * (i as u64 + 1));
        let config = Config { cell, units, ..e.trained.model.clone() };
        let head = train::head(config.head, &corpus.train.labels, classes);
        let network =
            Network::new(&config, head, corpus.words.len(), head.outputs(classes), own_seed)?;
        let mut settings = e.trained.training.clone();
        let mut split = train_splits[g].clone();
        match group.reads {
            Training::Shuffled => split = shuffled(&split, own_seed),
            Training::Crops(shortest, longest) => settings.crop = train::Crop { shortest, longest },
            _ => {}
        }
        let name = format!("{} {} {units} {}", group.name, cell.facts().spelling, i + 1);
        watch.progress("base models", i, jobs.len());
        let checkpoint = place.checkpoint(&format!("base_{i}"));
        // What is trained already stands beside the checkpoint.
        let ready = place.checkpoint(&format!("base_{i}.safetensors"));
        let network = match Network::load(&ready) {
            Ok(network) => network,
            Err(_) => {
                let at = (checkpoint.as_path(), place.key());
                train::fit(&network, &split, &validation[g], &settings, own_seed, at, &mut ())?;
                if let Some(below) = ready.parent() {
                    std::fs::create_dir_all(below).map_err(Error::io(below))?;
                }
                network.save(&ready)?;
                network
            }
        };
        let accuracy = train::score(&network, &test[g])?.accuracy();
        all.push(Base { name, group: g, network, copy_of: None, accuracy: Some(accuracy) });
    }
    Ok((all, left_out))
}

/// The first networks of each group again, with their units in another order.
fn copies(
    e: &MetaModel,
    made: &mut Vec<Base>,
    numbers: &mut Vec<Option<usize>>,
    (folder, files): (&Path, &mut Vec<String>),
) -> Result<()> {
    for g in 0..e.trained.groups.len() {
        let own = (0..made.len()).filter(|&i| made[i].group == g && made[i].copy_of.is_none());
        let own: Vec<usize> = own.filter(|&i| numbers[i].is_some()).collect();
        // Spread over cells and sizes.
        let every = (own.len() / e.trained.copies.max(1)).max(1);
        for &i in own.iter().step_by(every).take(e.trained.copies) {
            let base = &made[i];
            let mut order: Vec<usize> = (0..base.units()).collect();
            order.shuffle(&mut seed::stream(e.seed, &format!("embedding/copy {i}")));
            let network = Network::new(
                base.network.config(),
                base.network.head(),
                base.network.reads(),
                base.network.outputs(),
                0,
            )?;
            network.set_arrays(&permuted(&base.network.arrays()?, base.cell(), &order))?;
            let number = files.len();
            network.save(&folder.join(file(number)))?;
            files.push(file(number));
            let copy = Base {
                name: format!("{}, units in another order", base.name),
                group: g,
                network,
                copy_of: numbers[i],
                accuracy: base.accuracy,
            };
            made.push(copy);
            numbers.push(Some(number));
        }
    }
    Ok(())
}

/// Networks of finished runs, with what must agree checked.
fn taken(e: &MetaModel) -> Result<Vec<Base>> {
    let (mut all, mut said, mut names): (Vec<Base>, Vec<Agreement>, Vec<String>) =
        Default::default();
    for folder in folders(&e.collection)? {
        let run = Finished::open(&folder, &["train"])?;
        let network = Network::load(&folder.join("model.safetensors"))?;
        let name = folder.file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned());
        let group = group_of(&folder);
        let words = match run.experiment::<TaskExperiment>() {
            Ok(_) => Vec::new(),
            Err(_) => corpus::store::read(&folder)?.words,
        };
        let shown = if names.contains(&group) || names.is_empty() {
            name.clone()
        } else {
            format!("{group} {name}")
        };
        said.push(Agreement {
            name: shown.clone(),
            words,
            inputs: network.sizes().inputs(),
            outputs: outputs(&network),
        });
        check(&said)?;
        let at = names.iter().position(|n| *n == group).unwrap_or_else(|| {
            names.push(group.clone());
            names.len() - 1
        });
        let accuracy = crate::report::Summary::read(&folder)?.get(keys::ACCURACY_NETWORK);
        all.push(Base { name: shown, group: at, network, copy_of: None, accuracy });
    }
    Ok(all)
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
        && let Ok(task) =
            Finished::open(&folders(&e.collection)?[0], &[])?.experiment::<TaskExperiment>()
    {
        return open_task(e, &task, (bases, groups));
    }
    open_text(e, folder, (bases, groups))
}

fn recorded(
    bases: &[Base],
    inputs: [Sequences; 2],
) -> Result<(Vec<Recording>, Vec<Recording>, usize)> {
    let (mut recordings, mut held_out, mut bytes) = (Vec::new(), Vec::new(), 0);
    for base in bases {
        let (states, said) = record(&base.name, &base.network, inputs[0])?;
        bytes += 4 * (states.len() + said.len());
        let (size, k) = (base.network.state_size(), outputs(&base.network));
        let own = Recording::new(&base.name, size, &states, k, said)?;
        let (states, said) = record(&base.name, &base.network, inputs[1])?;
        held_out.push(own.on(&states, said));
        recordings.push(own);
    }
    Ok((recordings, held_out, bytes))
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
        recorded(&bases, [Sequences::Tokens(&documents), Sequences::Tokens(&fresh)])?;
    let of = |split: &Split| match &split.labels {
        Labels::Class(labels) => Some(chosen.iter().map(|&d| labels[d]).collect()),
        _ => None,
    };
    // One set of labels for every group of runs.
    let by_group = |g: usize| tests.get(g).unwrap_or(&tests[0]);
    let labels: Option<Vec<Vec<u32>>> = (0..groups.len()).map(|g| of(by_group(g))).collect();
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
    let (recordings, held_out, bytes) =
        recorded(&bases, [Sequences::Vectors(&drawn.inputs), Sequences::Vectors(&fresh.inputs)])?;
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
