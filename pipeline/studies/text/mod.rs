//! One network on one corpus, looked at from all sides.
//!
//! Stages: tokenize → train → states → fixed points → geometry → predict →
//! baselines → modes → context → claims → report. Each reads files and writes files; see
//! [`engine`](crate::engine) for what is done again and what is not.

mod baselines;
mod blocking;
mod check;
mod claims;
pub(super) mod context;
mod deflections;
mod fixed_points;
mod geometry;
mod lyapunov;
mod memory;
mod modes;
mod predict;
mod probes;
mod report;
mod states;
mod train;
mod walk;

pub(super) use claims::{Claim, NONE, write as write_claims};
pub(super) use fixed_points::{FixedPointProblem, apart, find_fixed_points, part as points_part};
pub(super) use geometry::measure;
pub(super) use report::{assets, assumed, costs, describe, write_notes};
pub(super) use states::{axes, padded, read_axes};
pub(super) use train::{fitted_on, write_taken};

use crate::corpus::tokens::Kind;
use crate::corpus::{self, Corpus, Labels, Split};
use crate::engine::{Context, Finished, Run, Stage, StageOutput, StageRecord};
use crate::experiment::{Experiment, FixedPointSettings};
use crate::model::{Foreign, Head, Network};
use crate::ops::{CellKind, cuda};
use crate::records::keys;
use crate::report::plot;
use crate::{Error, Result};
use serde::Serialize;
use std::path::{Path, PathBuf};

pub use check::accuracies;
pub use context::{FAMILIES, text_gains};
pub use predict::{numbers as prediction_numbers, tables as prediction_tables};

/// Names of the stages, in order.
pub const STAGES: [&str; 13] = [
    "tokenize",
    "train",
    "states",
    "fixed_points",
    "transitions",
    "curves",
    "geometry",
    "predict",
    "baselines",
    "modes",
    "context",
    "claims",
    "report",
];

/// What a run may be told besides its experiment.
pub struct Options<'a> {
    /// Folder of the corpora.
    pub data: &'a Path,
    /// Folder of the runs.
    pub out: &'a Path,
    /// Stages to run again.
    pub force: &'a [String],
    /// Told about stages and training.
    pub watch: &'a mut dyn Watch,
}

/// Who is told how a run goes. Nothing it does moves a number.
pub trait Watch {
    /// Stages of other settings left the folder; they stay in the store.
    fn left(&mut self, _stages: &[String]) {}
    /// A stage begins.
    fn begin(&mut self, stage: &str);
    /// A stage was passed: its files were in place, or it took that long.
    fn passed(&mut self, stage: &str, ran: Option<f64>);
    /// What is to be known of the corpus: what was cut, left out or found out, counted.
    fn note(&mut self, _note: &str) {}
    /// Long work within a stage has come this far.
    fn progress(&mut self, _what: &str, _done: usize, _of: usize) {}
    /// The watcher of training.
    fn training(&mut self) -> Box<dyn crate::train::Watch + '_>;
}

/// Runs every stage that is not in place; returns the run's folder.
///
/// # Errors
/// What the stages return; what earlier ones made stays.
pub fn run(experiment: &Experiment, options: Options) -> Result<PathBuf> {
    check(experiment, options.force)?;
    let Options { data, out, force, watch } = options;
    let mut experiment = experiment.clone();
    resolve_weights(&mut experiment, out)?;
    // What weights from elsewhere hold is the network.
    let foreign = experiment.weights.as_ref().map(Foreign::read).transpose()?;
    if let Some(foreign) = &foreign {
        experiment.model = foreign.config(&experiment.model);
    }
    let e = &experiment;
    let sources = fingerprint(&e.corpus, data)?;
    let stages = graph(e, foreign.as_ref(), &sources, data)?;
    let device = cuda::current_name();
    let context = Context { out, study: &e.study, name: &e.name, force, device: &device };
    let mut run = Run::open(context, e.clone(), stages)?;
    watch.left(run.left());
    let place = baselines::Place { data, out, sources: &sources };
    for name in STAGES {
        watch.begin(name);
        let ran = run.pass(name, |workspace, rows| {
            let folder = workspace.folder();
            match name {
                "tokenize" => {
                    let first_word = e.weights.as_ref().map_or(0, |w| w.first_word);
                    let foreign = foreign.as_ref().map(|f| (f, first_word));
                    tokenize(&e.corpus, data, e.corpus_seed(), foreign, folder)
                }
                "train" => match &foreign {
                    None => train::stage(e, workspace, watch),
                    Some(foreign) if e.weights.as_ref().is_some_and(|w| w.train) => {
                        train::further(e, foreign, workspace, watch)
                    }
                    Some(foreign) => train::import(e, foreign, folder),
                },
                "states" => states::stage(e, folder),
                "fixed_points" => fixed_points::stage(e, folder),
                "transitions" => fixed_points::transitions(e, folder),
                "curves" => fixed_points::curves(e, folder),
                "geometry" => geometry::stage(folder),
                "predict" => predict::stage(e, folder),
                "baselines" => baselines::stage(e, &place, folder, watch),
                "modes" => modes::stage(e, folder),
                "context" => context::stage(e, folder),
                "claims" => claims::stage(e, folder),
                _ => report::stage(e, folder, rows),
            }
        })?;
        let seconds = run.stages().last().map(|s| s.seconds);
        if name == "tokenize" {
            let (labels, notes) = corpus::store::about(run.folder())?;
            if !labels.is_empty() {
                watch.note(&corpus::labelling::in_order(&labels));
            }
            notes.iter().for_each(|note| watch.note(note));
            // Before hours of training, not after them.
            context::listed(e, &corpus::store::read(run.folder())?.words)?;
        }
        watch.passed(name, seconds.filter(|_| ran));
    }
    plot::place(&out.join("assets"))?;
    Ok(run.folder().to_path_buf())
}

/// The stages of one experiment, each with what it reads and the settings it follows from.
fn graph(
    e: &Experiment,
    foreign: Option<&Foreign>,
    sources: &[String],
    data: &Path,
) -> Result<Vec<Stage>> {
    let seed = e.seed;
    let (tokenize, train) = match (foreign, &e.weights) {
        (Some(foreign), Some(weights)) => {
            let file = crate::files::fingerprint(&weights.file)?.1;
            let words = foreign.vocabulary();
            let train = match weights.train {
                true => {
                    stage("train", &(&e.model, weights, file, &e.training, seed), &["tokenize"])
                }
                // How well it reads the corpus is checked since.
                false => stage("train", &(&e.model, weights, file, "checked"), &["tokenize"]),
            };
            let seed = e.corpus_seed();
            (stage("tokenize", &(&e.corpus, seed, sources, words, weights.first_word), &[]), train)
        }
        _ => (
            stage("tokenize", &(&e.corpus, e.corpus_seed(), sources), &[]),
            stage("train", &(&e.model, &e.training, seed), &["tokenize"]),
        ),
    };
    // An encoder of other weights is another encoder.
    let encoder = e.baseline.encoder.as_ref().map(|s| baselines::prints(s, data));
    let points = ["tokenize", "train", "states", "fixed_points"];
    let words = ["tokenize", "train", "states", "fixed_points", "baselines"];
    let linear = e.modes.linear_model.then_some(&e.training);
    Ok(vec![
        tokenize,
        train,
        stage("states", &(&e.states, seed), &["tokenize", "train"]),
        stage(
            "fixed_points",
            &fixed_points::part(&e.fixed_points, seed)?,
            &["tokenize", "train", "states"],
        ),
        stage("transitions", &(&e.transitions, seed), &points),
        stage("curves", &e.curves, &points),
        stage(
            "geometry",
            &e.fixed_points.primary.to_string(),
            &["tokenize", "train", "states", "fixed_points"],
        ),
        stage("predict", &(&e.prediction, seed), &["tokenize"]),
        stage("baselines", &(&e.baseline, encoder), &points),
        stage("modes", &(&e.modes, seed, linear), &words),
        stage("context", &(&e.context, &e.modes, seed), &words),
        stage("claims", &seed, &STAGES[..STAGES.len() - 2]),
        // The page shows every setting.
        stage("report", e, &STAGES[..STAGES.len() - 1]),
    ])
}

/// Trains the networks of many experiments side by side on the card, those of one shape together; each
/// [`run`] then finds its network in place. What cannot be trained here is left to that run, which says
/// why. `watch` makes a watcher for a stack of so many networks.
///
/// # Errors
/// [`Error::Interrupted`] after Ctrl-C; checkpoints are written.
pub fn train_together(
    experiments: &[&Experiment],
    data: &Path,
    out: &Path,
    watch: &dyn Fn(usize) -> Box<dyn crate::train::Watch>,
) -> Result<()> {
    let mut stacks: Vec<(String, Vec<train::Waiting>)> = Vec::new();
    for waiting in experiments.iter().filter_map(|e| waiting(e, data, out).ok().flatten()) {
        let shape = waiting.shape();
        match stacks.iter_mut().find(|(of, _)| *of == shape) {
            Some((_, stack)) => stack.push(waiting),
            None => stacks.push((shape, vec![waiting])),
        }
    }
    for (_, stack) in stacks {
        let mut watch = watch(stack.len());
        train::together(stack, &mut *watch)?;
    }
    crate::interrupt::check("between training and the other stages")
}

/// A case that is tokenized and not trained, if it can be.
fn waiting<'a>(e: &'a Experiment, data: &Path, out: &Path) -> Result<Option<train::Waiting<'a>>> {
    if e.weights.is_some() {
        return Ok(None);
    }
    let sources = fingerprint(&e.corpus, data)?;
    let stages = graph(e, None, &sources, data)?;
    let device = cuda::current_name();
    let context = Context { out, study: &e.study, name: &e.name, force: &[], device: &device };
    let mut run = Run::open(context, e.clone(), stages)?;
    run.pass("tokenize", |workspace, _| {
        tokenize(&e.corpus, data, e.corpus_seed(), None, workspace.folder())
    })?;
    if run.is_made("train") { Ok(None) } else { train::Waiting::new(run, e).map(Some) }
}

/// A finished run whose network and words in context can read new texts.
///
/// # Errors
/// [`Error::Input`] for a folder of a network that reads no documents, or where a stage is missing or changed.
pub(super) fn reading(run: &Path) -> Result<Finished> {
    let stages = Finished::open(run, &[])?;
    let has = |name: &str| stages.stages().iter().any(|s| s.name == name);
    let other = match (has("tokenize"), has("inspect"), has("states"), has("compare")) {
        (false, true, ..) => {
            Some("it holds networks beside linear systems (`accrue explain`), or a map of models")
        }
        (false, _, true, _) => {
            Some("its network reads no documents: a task, or a network without a corpus")
        }
        (.., true) => Some("it holds learned optimisers"),
        _ => None,
    };
    if let Some(problem) = other {
        return Err(Error::input(run.display(), "", problem, "give a run of a network on text"));
    }
    Finished::open(run, &["tokenize", "train", "baselines", "context"])
}

/// Writes the report of a finished run again, from its tables and record.
///
/// # Errors
/// [`Error::Input`] if the folder holds no finished run, or what stands there does not belong together.
pub fn rewrite(folder: &Path) -> Result<()> {
    let finished = Finished::open(folder, &STAGES[..STAGES.len() - 1])?;
    let experiment: Experiment = finished.experiment()?;
    let place = (experiment.study.as_str(), experiment.name.as_str());
    let work = |folder: &Path, rows: &[StageRecord]| report::stage(&experiment, folder, rows);
    finished.rewrite(&experiment, place, "report", work)
}

pub(super) fn stage(name: &'static str, part: &impl Serialize, reads: &[&'static str]) -> Stage {
    // Raised when the same settings make other files or numbers.
    let version = match name {
        // 2: marks belong to their letters, composed text, notes on all that was found out.
        "tokenize" => 2,
        // 2: rounding bounds of the proofs; the bias of the bag of words; scaled counts.
        "baselines" => 2,
        // 2: dimensions seen from close by, restricted accuracy; 3: what components remember; 4: outputs without a name are numbered.
        "geometry" => 4,
        // 3: intervals around the value; 4: the shape as text; 5: classes that cannot be halved.
        // 6: what makes no row is counted.
        "predict" => 6,
        // 3: a search ends where q is level; 4: Lyapunov exponents; 5: searches without a limit of distance, spectra
        // beside the proofs; 6: on where a point is missing, and counted by proof; 7: its starts are drawn as exploring draws
        // them; 8: proofs between kinks.
        "fixed_points" => 8,
        // 2: what is said at every step is read in the loop.
        "train" => 2,
        // 2: an orbit that creeps is no cycle; 3: an output of 0 has no sign.
        "transitions" => 3,
        // 2: a bifurcation that two curves come by is one.
        "curves" => 2,
        // 2: impulses, single units, deflections, words in another order; 3: within the plane;
        // 4: left vectors beside Jordan blocks; 5: the phase of a slow mode that turns.
        "modes" => 5,
        // 2: probes of the toy language; 3: how many phrases were scored; 4: clusters, subspace,
        // blocking, positions; 5: a robust fit, a null without what is looked for; 6: the line while
        // a neutral word is held; 7: modified valences and ends together, left vectors beside Jordan blocks;
        // 8: the phase of a slow mode that turns; 9: several modes taken out, sums in another order; 10: what
        // the text says each word does.
        "context" => 10,
        // 2: L1, G1, G7-G11, G14; 3: C1-C5; 4: C7; 5: C4 there; 6: points of L1, pairs of C5;
        // 7: one value has no interval.
        "claims" => 7,
        // 2: what is no text has steps and trials.
        "report" => 2,
        _ => 1,
    };
    Stage::new(name, version, part, reads)
}

fn check(experiment: &Experiment, force: &[String]) -> Result<()> {
    if let Some(unknown) = force.iter().find(|f| !STAGES.contains(&f.as_str())) {
        let hint = crate::nearest::hint(unknown, &STAGES);
        return Err(Error::Usage(format!("--force {unknown}: no such stage; {hint}")));
    }
    let longest = baselines::NGRAMS.len() + 1;
    if experiment.baseline.ngrams == 1 || experiment.baseline.ngrams > longest {
        return Err(Error::Usage(format!(
            "baseline.ngrams: {} is no length of a sequence; 0 for none, or 2 to {longest}",
            experiment.baseline.ngrams
        )));
    }
    check_points(&experiment.fixed_points)
}

/// Refuses settings of the search that contradict each other.
pub(super) fn check_points(points: &FixedPointSettings) -> Result<()> {
    if points.inputs.is_empty() {
        return Err(Error::Usage("fixed_points.inputs: name at least one input".into()));
    }
    check_tolerances(points)
}

/// Refuses a primary tolerance that no search has.
pub(super) fn check_tolerances(points: &FixedPointSettings) -> Result<()> {
    if !points.finder.tolerances.contains(&points.primary) {
        return Err(Error::Usage(format!(
            "fixed_points.primary: {:e} is none of the finder's tolerances",
            points.primary
        )));
    }
    Ok(())
}

/// Weights named by the folder of a run, or of a grid, become that network's file; the words they were trained with
/// become this corpus's, unless it says what its tokens are.
fn resolve_weights(e: &mut Experiment, out: &Path) -> Result<()> {
    let Some(weights) = &mut e.weights else { return Ok(()) };
    let named = weights.file.clone();
    if named.is_file() {
        return Ok(());
    }
    let Some(folder) = [named.clone(), out.join(&named)].into_iter().find(|f| f.is_dir()) else {
        return Err(Error::input(
            named.display(),
            "",
            format!("no such file, and no run of this name in {}", out.display()),
            "name a file of weights, or run that experiment first",
        ));
    };
    let folder = match folder.join("cases") {
        cases if cases.is_dir() => of_the_same(&cases, e.model.cell, e.seed)?,
        _ => folder,
    };
    weights.file = folder.join("model.safetensors");
    let tokenizer = folder.join("tokenizer.json");
    if e.corpus.tokens.kind == Kind::Words && tokenizer.is_file() {
        e.corpus.tokens.kind = Kind::Given(tokenizer);
    }
    Ok(())
}

/// The case of a grid that has this cell and this seed.
fn of_the_same(cases: &Path, cell: CellKind, seed: u64) -> Result<PathBuf> {
    let entries = std::fs::read_dir(cases).map_err(Error::io(cases))?;
    let mut found = Vec::new();
    for entry in entries {
        let folder = entry.map_err(Error::io(cases))?.path();
        let record = folder.join(crate::engine::RECORD);
        let Ok(text) = std::fs::read_to_string(&record) else { continue };
        let of: Experiment = crate::engine::experiment_of(&record.display().to_string(), &text)?;
        if of.model.cell == cell && of.seed == seed {
            found.push(folder);
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        n => Err(Error::input(
            cases.display(),
            "",
            format!("{n} cases with the cell {cell:?} and the seed {seed}"),
            "name the folder of one case in `weights.file`",
        )),
    }
}

/// Hash of every file the corpus is read from: a changed file is a changed corpus.
pub(in crate::studies) fn fingerprint(
    settings: &corpus::Settings,
    data: &Path,
) -> Result<Vec<String>> {
    let files = corpus::load::files(settings, data)?;
    let below = files.iter().flat_map(|p| walk(p));
    below.map(|path| Ok(crate::files::fingerprint(&path)?.1)).collect()
}

/// The file itself, or the files below a folder, in order.
fn walk(path: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(path) else { return vec![path.to_path_buf()] };
    let mut below: Vec<_> = entries.filter_map(|e| Some(e.ok()?.path())).collect();
    below.sort();
    below.iter().flat_map(|p| walk(p)).collect()
}

pub(super) fn tokenize(
    settings: &corpus::Settings,
    data: &Path,
    seed: u64,
    foreign: Option<(&Foreign, usize)>,
    folder: &Path,
) -> Result<StageOutput> {
    let mut loaded = corpus::load(settings, data, seed)?;
    if let Some((foreign, first_word)) = foreign {
        let (words, rows) = (&mut loaded.corpus.words, foreign.vocabulary());
        if words.len() > rows {
            return Err(Error::input(
                foreign.file.display(),
                "",
                format!(
                    "{rows} rows for words from row {first_word} on, and the tokenizer or vocabulary has {} words",
                    words.len()
                ),
                match first_word {
                    0 => {
                        "give the tokenizer or vocabulary that the network was trained with: a blank line or a word too many counts"
                    }
                    _ => {
                        "leave `--first-word` out where the list or the ids hold the padding's row themselves"
                    }
                },
            ));
        }
        if words.len() < rows {
            let problem = format!(
                "{}: the embedding has {rows} rows and the vocabulary {} words; they are taken to begin at row \
                 {first} (`--first-word {next}`: at row {next}, as where row 0 is padding)",
                foreign.file.display(),
                words.len(),
                first = first_word,
                next = first_word + 1,
            );
            loaded.corpus.notes.push(problem);
        }
        // Rows that no word reaches, such as padding.
        words.extend((words.len()..rows).map(|id| format!("[{id}]")));
    }
    let mut files = corpus::store::write(folder, &loaded.corpus)?;
    if let Some(tokenizer) = &loaded.tokenizer {
        crate::files::replace(&folder.join("tokenizer.json"), tokenizer.to_json().as_bytes())?;
        files.push("tokenizer.json".into());
    }
    let train = &loaded.corpus.train;
    Ok(StageOutput::files(files)
        .with(keys::CORPUS_DOCUMENTS, train.documents.len() as f64)
        .with(keys::CORPUS_TOKENS, train.documents.token_count() as f64)
        .with(keys::CORPUS_VOCABULARY, loaded.corpus.words.len() as f64))
}

/// What stages after training read.
fn read(folder: &Path) -> Result<(Corpus, Network)> {
    let corpus = corpus::store::read(folder)?;
    let network = Network::load(&folder.join("model.safetensors"))?;
    check_fit(folder, &corpus, &network)?;
    Ok((corpus, network))
}

/// Refuses a network that reads other words, or says other labels, than the corpus beside it has.
pub(super) fn check_fit(folder: &Path, corpus: &Corpus, network: &Network) -> Result<()> {
    let refuse = |problem: String| {
        let remedy =
            "`accrue run` the experiment again: it makes what does not belong together anew";
        Err(Error::input(folder.join("model.safetensors").display(), "", problem, remedy))
    };
    let (words, rows) = (corpus.words.len(), network.vocabulary());
    if words != rows {
        return refuse(format!("a network of {rows} words beside a corpus of {words}"));
    }
    let (labels, outputs) = (corpus.label_names.len(), network.outputs());
    let fits = match network.head() {
        Head::Binary => labels == 2,
        Head::Softmax | Head::MultiLabel => labels == outputs,
        Head::Score | Head::Steps => true,
    };
    if !fits {
        return refuse(format!(
            "a network of {outputs} outputs beside a corpus of {labels} labels"
        ));
    }
    Ok(())
}

/// Names of what document `d` carries, as one text.
fn label_text(split: &Split, d: usize, names: &[String]) -> String {
    match &split.labels {
        Labels::Class(classes) => names[classes[d] as usize].clone(),
        Labels::Multi { labels, flags } => {
            joined((0..*labels).filter(|k| flags[d * labels + k]), names)
        }
        Labels::Score(_) => "score".into(),
    }
}

/// What the readout says in words.
fn predicted_text(head: Head, logits: &[f64], names: &[String]) -> String {
    match head {
        Head::Binary => names[(logits[0] > 0.0) as usize].clone(),
        Head::Softmax => {
            let logits: Vec<f32> = logits.iter().map(|&x| x as f32).collect();
            names[crate::train::loss::argmax(&logits)].clone()
        }
        Head::MultiLabel => joined((0..names.len()).filter(|&k| logits[k] >= 0.0), names),
        Head::Score | Head::Steps => String::new(),
    }
}

fn joined(indices: impl Iterator<Item = usize>, names: &[String]) -> String {
    let parts: Vec<&str> = indices.map(|k| names[k].as_str()).collect();
    if parts.is_empty() { "none".into() } else { parts.join(" + ") }
}

/// Logits `W s + b` of one state.
pub(super) fn logits(readout: &(Vec<f64>, Vec<f64>), state: &[f64]) -> Vec<f64> {
    let (weights, bias) = readout;
    weights
        .chunks(state.len())
        .zip(bias)
        .map(|(w, b)| b + w.iter().zip(state).map(|(w, s)| w * s).sum::<f64>())
        .collect()
}
