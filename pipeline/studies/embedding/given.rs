//! Base models that a collection names: finished runs, and weights from elsewhere beside them.

use super::collection::Base;
use super::networks::outputs;
use super::text;
use crate::corpus::{self, Corpus, Labels};
use crate::data::tasks::Law;
use crate::embedding::check;
use crate::embedding::recording::Agreement;
use crate::engine::{Finished, StageOutput};
use crate::experiment::{MetaModel, TaskExperiment};
use crate::model::{Config, Foreign, Head, Network, Reads, foreign};
use crate::ops::Pool;
use crate::records::keys;
use crate::{Error, Result, files, train};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Endings of files of weights.
const ENDINGS: [&str; 5] = ["safetensors", "npz", "pt", "pth", "ckpt"];

/// What stands at a place that a collection names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Given {
    /// The folder of a finished run.
    Run(PathBuf),
    /// A file of weights, as `accrue analyze` reads them.
    Weights(PathBuf),
}

impl Given {
    fn path(&self) -> &Path {
        match self {
            Self::Run(path) | Self::Weights(path) => path,
        }
    }

    /// What lies at a path: a run, a file of weights, or a folder of such files that is no run's.
    fn at(path: &Path) -> Vec<Self> {
        let weights = |p: &Path| {
            let ending = p.extension().map(|e| e.to_string_lossy().to_lowercase());
            p.is_file() && ending.is_some_and(|e| ENDINGS.contains(&e.as_str()))
        };
        if path.join("model.safetensors").exists() {
            return vec![Self::Run(path.into())];
        }
        if weights(path) {
            return vec![Self::Weights(path.into())];
        }
        if path.join("run.ron").exists() {
            return Vec::new();
        }
        let Ok(entries) = std::fs::read_dir(path) else { return Vec::new() };
        let files = entries.flatten().map(|e| e.path());
        files.filter(|p| weights(p)).map(Self::Weights).collect()
    }

    /// The folder it lies in; of a case of a grid, the grid's.
    fn group(&self) -> String {
        let path = self.path();
        let mut above = path.parent().unwrap_or(path);
        if above.ends_with("cases") {
            above = above.parent().unwrap_or(above);
        }
        above.file_name().map_or("runs".into(), |n| n.to_string_lossy().into_owned())
    }

    fn name(&self) -> String {
        self.path().file_name().map_or(String::new(), |n| n.to_string_lossy().into_owned())
    }
}

/// Everything that patterns name, stars filled in, sorted by place.
///
/// # Errors
/// [`Error::Input`] for a pattern that names nothing.
pub fn given(patterns: &[String]) -> Result<Vec<Given>> {
    let mut all = Vec::new();
    for pattern in patterns {
        let found: Vec<Given> = filled(pattern).iter().flat_map(|p| Given::at(p)).collect();
        if found.is_empty() {
            let problem = "no run lies there, and no file of weights";
            let remedy = "name folders of finished runs that hold model.safetensors, as `reports/population/memory/cases/*`, or files of weights \
                          (safetensors, npz, pt, pth, ckpt)";
            return Err(Error::input("collection", pattern, problem, remedy));
        }
        all.extend(found);
    }
    all.sort_by(|a, b| a.path().cmp(b.path()));
    all.dedup();
    Ok(all)
}

/// Paths that a pattern stands for.
fn filled(pattern: &str) -> Vec<PathBuf> {
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
            let Ok(entries) = std::fs::read_dir(folder.clone()) else { continue };
            for entry in entries.flatten() {
                let own = entry.file_name().to_string_lossy().into_owned();
                let long = own.len() >= before.len() + after.len();
                if long && !own.starts_with('.') && own.starts_with(before) && own.ends_with(after)
                {
                    next.push(folder.join(own));
                }
            }
        }
        found = next;
    }
    found
}

/// The first run of a collection: it says what is read.
fn first(all: &[Given]) -> Result<&Path> {
    let run = |g: &&Given| matches!(g, Given::Run(_));
    all.iter().find(run).map(Given::path).ok_or_else(|| {
        Error::Usage(
            "collection: files of weights alone do not say which words or inputs they read; put a finished run that reads the same beside \
             them, as `accrue analyze FILE --corpus …` leaves one"
                .into(),
        )
    })
}

/// The task of the collection's first run; `None` where it reads text.
pub fn task(e: &MetaModel) -> Result<Option<TaskExperiment>> {
    Ok(Finished::open(first(&given(&e.collection)?)?, &[])?.experiment().ok())
}

/// What the stages hang on besides settings.
pub fn sources(e: &MetaModel, data: &Path) -> Result<Vec<String>> {
    if e.collection.is_empty() {
        return text::fingerprint(&e.trained.corpus, data);
    }
    let key = |g: &Given| -> Result<String> {
        let own = match g {
            Given::Run(folder) => {
                Finished::open(folder, &["train"])?.key("train").cloned().unwrap_or_default()
            }
            Given::Weights(file) => files::fingerprint(file)?.1,
        };
        Ok(format!("{} {own}", g.path().display()))
    };
    let all = given(&e.collection)?;
    first(&all)?;
    let least = std::iter::once(Ok(format!("learned {}", e.learned)));
    least.chain(all.iter().map(key)).collect()
}

/// The text that is read: the corpus of the networks to be trained, or that of the first run; nothing for a task.
pub fn tokenize(e: &MetaModel, data: &Path, folder: &Path) -> Result<StageOutput> {
    if e.collection.is_empty() {
        return text::tokenize(&e.trained.corpus, data, e.seed, None, folder);
    }
    if task(e)?.is_some() {
        return Ok(StageOutput::default());
    }
    let corpus = corpus::store::read(first(&given(&e.collection)?)?)?;
    Ok(StageOutput::files(corpus::store::write(folder, &corpus)?))
}

/// What a collection names.
pub struct Taken {
    pub bases: Vec<Base>,
    /// From the commonest answer (0) to perfect (1), as each run says of itself; files of weights say nothing.
    pub learned: Vec<Option<f64>>,
    /// Names of the groups.
    pub groups: Vec<String>,
    /// Labels of the test documents as each group's runs have them; `None`: those of the first run.
    pub labels: Vec<Option<Vec<u32>>>,
    /// What was assumed.
    pub notes: Vec<String>,
}

/// Networks of runs and of files, with what must agree checked.
///
/// * `folder`: where stage `tokenize` left the corpus
pub fn taken(e: &MetaModel, folder: &Path) -> Result<Taken> {
    let corpus = match task(e)? {
        Some(_) => None,
        None => Some(corpus::store::read(folder)?),
    };
    let all = given(&e.collection)?;
    // What the first run reads is what the others must agree with.
    let (runs, files): (Vec<&Given>, Vec<&Given>) =
        all.iter().partition(|g| matches!(g, Given::Run(_)));
    let (mut bases, mut said) = (Vec::new(), Vec::new());
    let (mut names, mut notes): (Vec<String>, Vec<String>) = Default::default();
    for given in all.iter() {
        let group = given.group();
        if !names.contains(&group) {
            names.push(group);
        }
    }
    let mut asked: Vec<Option<(String, Vec<u32>)>> = vec![None; names.len()];
    for given in runs.into_iter().chain(files) {
        let group = names.iter().position(|n| *n == given.group()).expect("it was added");
        let shown = match group {
            0 => given.name(),
            _ => format!("{} {}", names[group], given.name()),
        };
        let (network, accuracy, learned) = match given {
            Given::Run(place) => {
                let run = run(place, &shown, &mut said)?;
                if let (Some(first), Some(own)) = (&corpus, &run.corpus) {
                    let labels = labels_of(first, own).map_err(|problem| {
                        let remedy = "runs of one collection answer the same question, or other ones on the same documents; make a collection \
                                      of each";
                        Error::input(format!("base model `{shown}`"), "labels", problem, remedy)
                    })?;
                    agree(&mut asked[group], labels, &shown, &mut notes)?;
                }
                (run.network, run.accuracy, run.learned)
            }
            Given::Weights(file) => {
                let found = weights(file, &shown, corpus.as_ref(), (&mut said, &mut notes))?;
                (found.0, found.1, None)
            }
        };
        let base = Base { name: shown, group, network, copy_of: None, accuracy };
        bases.push((given, base, learned));
    }
    bases.sort_by(|a, b| a.0.path().cmp(b.0.path()));
    // Labels of their own have those groups alone whose runs have others than the first.
    let first = corpus.as_ref().and_then(|c| classes(&c.test.labels));
    let labels: Vec<Option<Vec<u32>>> = asked
        .into_iter()
        .map(|own| own.map(|(_, own)| own).filter(|own| Some(own) != first))
        .collect();
    for (name, _) in names.iter().zip(&labels).filter(|(_, own)| own.is_some()) {
        notes.push(format!(
            "`{name}`: its runs have other labels than the first run's; they are measured on their own, class by class in their order"
        ));
    }
    let (mut all, mut learned) = (Vec::new(), Vec::new());
    for (_, base, own) in bases {
        all.push(base);
        learned.push(own);
    }
    Ok(Taken { bases: all, learned, groups: names, labels, notes })
}

fn classes(labels: &Labels) -> Option<&Vec<u32>> {
    match labels {
        Labels::Class(classes) => Some(classes),
        _ => None,
    }
}

/// Labels of the collection's test documents as a run has them: by place where its documents are the same, else by their words. `None`
/// where they are no classes, or where documents are missing and the names of the classes are the same.
///
/// # Errors
/// The problem, where classes have other names and documents are missing.
fn labels_of(first: &Corpus, own: &Corpus) -> std::result::Result<Option<Vec<u32>>, String> {
    let Some(test) = classes(&own.test.labels) else { return Ok(None) };
    if own.test.documents == first.test.documents {
        return Ok(Some(test.clone()));
    }
    let mut known: HashMap<&[u32], u32> = HashMap::new();
    for split in [&own.test, &own.train, &own.validation] {
        for (document, label) in
            split.documents.iter().zip(classes(&split.labels).into_iter().flatten())
        {
            known.entry(document).or_insert(*label);
        }
    }
    let found: Vec<Option<u32>> =
        first.test.documents.iter().map(|d| known.get(d).copied()).collect();
    let missing = found.iter().filter(|l| l.is_none()).count();
    if missing == 0 {
        return Ok(Some(found.into_iter().flatten().collect()));
    }
    if own.label_names == first.label_names {
        return Ok(None);
    }
    Err(format!(
        "its classes are {}, those of the first run {}, and {missing} of the {} test documents are not among its own",
        own.label_names.join(", "),
        first.label_names.join(", "),
        found.len()
    ))
}

/// Runs of one group have the same labels.
fn agree(
    group: &mut Option<(String, Vec<u32>)>,
    own: Option<Vec<u32>>,
    name: &str,
    notes: &mut Vec<String>,
) -> Result<()> {
    let Some(own) = own else {
        notes.push(format!(
            "{name}: it reads other documents; it is measured on those of the first run, by that run's labels"
        ));
        return Ok(());
    };
    match group {
        None => *group = Some((name.into(), own)),
        Some((first, labels)) => {
            if let Some(at) = (0..own.len()).find(|&d| own[d] != labels[d]) {
                let problem = format!(
                    "test document {} has class {} here and {} in `{first}`",
                    at + 1,
                    own[at],
                    labels[at]
                );
                let remedy = "runs of one folder answer the same question; put runs on other labels into a folder of their own";
                return Err(Error::input(
                    format!("base model `{name}`"),
                    "labels",
                    problem,
                    remedy,
                ));
            }
        }
    }
    Ok(())
}

/// What a finished run left.
struct Ran {
    network: Network,
    accuracy: Option<f64>,
    learned: Option<f64>,
    corpus: Option<Corpus>,
}

/// A network of a finished run, and how well it did.
fn run(folder: &Path, name: &str, said: &mut Vec<Agreement>) -> Result<Ran> {
    let run = Finished::open(folder, &["train"])?;
    let network = Network::load(&folder.join("model.safetensors"))?;
    let summary = crate::report::Summary::read(folder)?;
    let accuracy = summary.get(keys::ACCURACY_NETWORK);
    let (corpus, learned) = match run.experiment::<TaskExperiment>() {
        Ok(task) => {
            let error = summary.get(keys::TASK_ERROR);
            (None, error.map(|error| 1.0 - error / task.task.scores().chance))
        }
        Err(_) => {
            let majority = summary.get(keys::ACCURACY_MAJORITY);
            let learned = accuracy.zip(majority).map(|(a, m)| (a - m) / (1.0 - m));
            (Some(corpus::store::read(folder)?), learned)
        }
    };
    let words = corpus.as_ref().map_or(Vec::new(), |c| c.words.clone());
    let (inputs, outputs) = (network.sizes().inputs(), outputs(&network));
    said.push(Agreement { name: name.into(), words, inputs, outputs });
    check(said)?;
    Ok(Ran { network, accuracy, learned, corpus })
}

/// A network from a file; its words are the collection's, in their order, or it is refused.
fn weights(
    file: &Path,
    name: &str,
    corpus: Option<&Corpus>,
    (said, notes): (&mut Vec<Agreement>, &mut Vec<String>),
) -> Result<(Network, Option<f64>)> {
    let settings = foreign::Settings { file: file.into(), ..foreign::Settings::default() };
    let found = Foreign::read(&settings)?;
    if found.outputs() == 0 {
        let remedy = "`accrue analyze FILE --corpus … --readout ARRAY` names it, and that run's folder can stand in the collection";
        return Err(Error::input(file.display(), "readout", "no readout was found", remedy));
    }
    let (words, inputs) = match corpus {
        Some(corpus) if found.vocabulary() == corpus.words.len() => (corpus.words.clone(), 0),
        Some(_) => (vec![String::new(); found.vocabulary()], 0),
        None if found.embedding.is_some() => (vec![String::new(); found.vocabulary()], 0),
        None => (Vec::new(), found.inputs),
    };
    let classes = corpus.map_or(0, |c| c.label_names.len());
    let outputs = if (found.outputs(), classes) == (1, 2) { 2 } else { found.outputs() };
    said.push(Agreement { name: name.into(), words, inputs, outputs });
    check(said)?;
    notes.extend(found.notes.iter().map(|note| format!("{name}: {note}")));
    let Some(corpus) = corpus else {
        return Ok((on_vectors(&found)?, None));
    };
    notes.push(format!(
        "{name}: row by row its {} words were taken as those of the collection",
        found.vocabulary()
    ));
    let head = found.head(classes, matches!(corpus.train.labels, Labels::Multi { .. }))?;
    let documents: Vec<&[u32]> = corpus.train.documents.iter().collect();
    let network = found.network(&Config::default(), head, &documents)?;
    let accuracy = train::score(&network, &corpus.test)?.accuracy();
    if let Labels::Class(classes) = &corpus.test.labels {
        let count = |c: usize| classes.iter().filter(|l| **l as usize == c).count();
        let most = (0..corpus.label_names.len()).map(count).max().unwrap_or(0);
        let commonest = most as f64 / classes.len().max(1) as f64;
        if accuracy < commonest {
            notes.push(format!(
                "{name}: it reads {accuracy:.3} of the test documents right, the commonest answer {commonest:.3}: are its words and labels in the \
                 order of the collection's?"
            ));
        }
    }
    Ok((network, Some(accuracy)))
}

/// The same network on vectors, with outputs after every step.
fn on_vectors(found: &Foreign) -> Result<Network> {
    let config = found.config(&Config { pool: Pool::Every, ..Config::default() });
    let config = Config { pool: Pool::Every, embedding: None, ..config };
    let arrays = found.network(&config, Head::Steps, &[])?.arrays()?;
    let network =
        Network::new(&config, Head::Steps, Reads::Vectors(found.inputs), found.outputs(), 0)?;
    network.set_arrays(&arrays)?;
    Ok(network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Split;
    use crate::data::Documents;

    fn split(documents: &[(&[u32], u32)]) -> Split {
        let mut all = Documents::new();
        documents.iter().for_each(|d| all.push(d.0));
        Split { documents: all, labels: Labels::Class(documents.iter().map(|d| d.1).collect()) }
    }

    fn corpus(names: [&str; 2], train: &[(&[u32], u32)], test: &[(&[u32], u32)]) -> Corpus {
        Corpus {
            name: String::new(),
            words: ["w", "x", "y"].map(String::from).to_vec(),
            label_names: names.map(String::from).to_vec(),
            train: split(train),
            validation: split(&[]),
            test: split(test),
            notes: Vec::new(),
        }
    }

    #[test]
    fn a_run_is_measured_on_its_own_labels_wherever_its_documents_stand() {
        let (a, b): (&[u32], &[u32]) = (&[0, 1], &[2]);
        let first = corpus(["good", "bad"], &[], &[(a, 0), (b, 1)]);
        let swapped = corpus(["good", "bad"], &[], &[(a, 1), (b, 0)]);
        assert_eq!(labels_of(&first, &first).unwrap(), Some(vec![0, 1]));
        assert_eq!(labels_of(&first, &swapped).unwrap(), Some(vec![1, 0]));
        // The same documents in other splits.
        let moved = corpus(["old", "new"], &[(b, 0)], &[(a, 1)]);
        assert_eq!(labels_of(&first, &moved).unwrap(), Some(vec![1, 0]));
        // Other documents of the same classes; other documents of other classes.
        assert_eq!(labels_of(&first, &corpus(["good", "bad"], &[], &[(a, 0)])).unwrap(), None);
        let said = labels_of(&first, &corpus(["old", "new"], &[], &[(a, 0)])).unwrap_err();
        assert!(said.contains("old, new") && said.contains("1 of the 2 test documents"), "{said}");
    }

    #[test]
    fn runs_of_one_folder_with_other_labels_are_refused() {
        let (mut group, mut notes) = (None, Vec::new());
        agree(&mut group, Some(vec![0, 1]), "one", &mut notes).unwrap();
        agree(&mut group, Some(vec![0, 1]), "two", &mut notes).unwrap();
        assert!(notes.is_empty());
        let e = agree(&mut group, Some(vec![0, 0]), "three", &mut notes).unwrap_err().to_string();
        assert!(
            e.contains("base model `three`")
                && e.contains("test document 2 has class 0 here and 1 in `one`"),
            "{e}"
        );
        agree(&mut group, None, "four", &mut notes).unwrap();
        assert!(notes[0].contains("four: it reads other documents"));
    }
}
