//! `accrue analyze WEIGHTS`.

use super::run::{Watch, finished};
use super::{Common, predict, terminal};
use crate::corpus::settings::Label;
use crate::corpus::tokens::{self, Kind, Tokenizer};
use crate::corpus::{self, Source};
use crate::experiment::{Experiment, FixedPointSettings, StatesOrder, Study};
use crate::model::StaticInput;
use crate::model::{Foreign, foreign};
use crate::notation::counted;
use crate::ops::CellKind;
use crate::records;
use crate::studies::{states_only, switching, text};
use crate::{Error, Result};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Look at a network trained elsewhere (PyTorch, Keras, Flax, Equinox)
///
/// With a corpus, everything: accuracy, states on its test documents,
/// slow points with proofs, dimension against the prediction from counts, what
/// each word does, words in context. Without one, slow points, proofs and spectra
/// from states that you give.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Analyze {
    /// The weights: safetensors, a PyTorch state dict or checkpoint (.pt, .pth,
    /// .ckpt) or NumPy's .npz
    #[arg(value_name = "WEIGHTS")]
    weights: PathBuf,
    /// The text to read: a name of the catalogue, a file of your own text, or an
    /// experiment file (.ron)
    #[arg(long, value_name = "CORPUS")]
    corpus: Option<String>,
    #[command(flatten)]
    columns: predict::Columns,
    /// How text became ids: a tokenizer.json in the Hugging Face format
    #[arg(long, value_name = "FILE", conflicts_with = "vocabulary")]
    tokenizer: Option<PathBuf>,
    /// How words became ids: one word a line, in the order of the embedding's
    /// rows, or JSON ids by word
    #[arg(long, value_name = "FILE")]
    vocabulary: Option<PathBuf>,
    /// Row of the embedding in which the vocabulary's first word stands, counted
    /// from 0: 1 where row 0 is padding
    #[arg(long, value_name = "ROW", default_value_t = 0)]
    first_word: usize,
    /// Labels in the order of the readout's outputs [default: by name]
    #[arg(long, value_name = "LABEL,…", value_delimiter = ',', requires = "corpus")]
    label_order: Vec<String>,
    /// States that the network visited, where there is no corpus: .npy of [n, units]
    /// or [trials, steps, units]; an LSTM's are [h, c]
    #[arg(long, value_name = "FILE", alias = "seeds")]
    states: Option<PathBuf>,
    /// How an LSTM's states stand in that file
    #[arg(long, value_name = "ORDER", requires = "states")]
    states_order: Option<OrderName>,
    /// More states to search from (noise, a grid, another tool's), which are no part of
    /// the states' dimension: .npy of [n, units]
    #[arg(long, value_name = "FILE")]
    initial_states: Option<PathBuf>,
    /// Where the input is held while fixed points are sought: zero, mean, uniform, a
    /// word (`word=zero` for a word of such a name), or numbers as `0,0,1`; repeatable,
    /// the first one is primary
    #[arg(long, value_name = "INPUT", allow_hyphen_values = true, value_parser = static_input)]
    static_input: Vec<StaticInput>,
    /// Where in a checkpoint the network stands, as `model_state_dict`; several keys
    /// joined by commas
    #[arg(long, value_name = "KEY")]
    state_dict: Option<String>,
    /// The cell [default: by the shapes of its arrays, which do not say whether a
    /// candidate is rectified]
    #[arg(long, value_parser = cells())]
    cell: Option<CellKind>,
    /// Which states the readout sees: the last one, their mean over the words, or
    /// the largest of each unit
    #[arg(long)]
    pool: Option<PoolName>,
    /// The same, in full: h, c, hc or ch of the last state; last, mean, max over the
    /// words, several joined as `mean-max` in the order of the readout's columns; of
    /// two directions last (each its own), end, sum or average; layers
    #[arg(long, value_name = "WHAT", conflicts_with = "pool")]
    readout_reads: Option<String>,
    /// Where a norm stands: readout, words or none; `PREFIX=` before it where there
    /// are several [default: by its size]
    #[arg(long, value_name = "PLACE")]
    norm: Option<String>,
    /// What a norm adds to the variance [default: its framework's]
    #[arg(long, value_name = "NUMBER")]
    norm_epsilon: Option<f64>,
    /// What stands before the recurrent arrays' names, as `encoder.rnn`; several from
    /// below with commas are layers; `rnn_l0_reverse` is one direction alone
    #[arg(long, value_name = "PREFIX")]
    recurrent: Option<String>,
    /// Name of the embedding's array; `none` for one-hot words
    #[arg(long, value_name = "ARRAY")]
    embedding: Option<String>,
    /// Name of the readout's weights; `none` leaves it out
    #[arg(long, value_name = "ARRAY")]
    readout: Option<String>,
    /// It was trained together with a switching linear system (arXiv 2111.01256): an
    /// experiment file `Switching(…)` whose first part says what it reads
    #[arg(long, value_name = "FILE.ron", conflicts_with_all = ["corpus", "states", "train"])]
    switching: Option<PathBuf>,
    /// Train it further on the corpus first (`--set training…`)
    #[arg(long, requires = "corpus")]
    train: bool,
    /// Folder under reports/analyze [default: the weights file's name]
    #[arg(long)]
    name: Option<String>,
    /// Run this stage again, and those that read it; repeatable
    #[arg(long, value_name = "STAGE")]
    force: Vec<String>,
    /// Print summary.json instead of the headline
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  accrue analyze gru.safetensors --corpus imdb --tokenizer tokenizer.json
  accrue analyze gru.pt --corpus reviews.csv --vocabulary words.txt --pool mean
  accrue analyze lstm.npz --states states.npy --readout none
  accrue analyze rnn.pt --states visited.npy --initial-states noise.npy \\
      --static-input 0,0,0 --static-input 1,0,0

How each framework writes a file that is read, and the command for it:
  PyTorch     torch.save(model.state_dict(), \"gru.pt\")
              accrue analyze gru.pt --corpus reviews.csv --vocabulary words.txt
  Lightning   its checkpoint as it is; where several networks are in one:
              accrue analyze epoch=9.ckpt --state-dict state_dict --corpus …
  Keras       numpy.savez(\"gru.npz\",
                  **{w.path: w.numpy() for w in model.weights})
              accrue analyze gru.npz --first-word 1 --corpus …
              (--first-word 1 where row 0 is padding that the words do not list)
  Flax linen  variables = model.init(…)  # or what training made of it, whole
              numpy.savez(\"gru.npz\", **flax.traverse_util.flatten_dict(
                  variables, sep=\"/\"))
              accrue analyze gru.npz --corpus …
  Flax NNX    kinds = (flax.nnx.Param, flax.nnx.BatchStat)
              numpy.savez(\"gru.npz\", **{\".\".join(map(str, k)): v[...] for k, v
                  in flax.nnx.to_flat_state(flax.nnx.state(model, kinds))})
              accrue analyze gru.npz --corpus …
  Equinox     leaves = jax.tree_util.tree_leaves_with_path(
                  equinox.filter(model, equinox.is_array))
              numpy.savez(\"gru.npz\", **{jax.tree_util.keystr(k): v
                  for k, v in leaves})
              accrue analyze gru.npz --corpus …

A network with a switching linear system, arrays named cell.weight_ih [G·n, inputs],
cell.weight_hh [G·n, n], cell.bias_ih and cell.bias_hh [G·n], initial [s],
readout.weight [outputs, s], readout.bias, expansion.0.weight [s, s],
expansion.0.bias [s], … (PyTorch's gate order; text also embedding.weight):
  accrue analyze jslds.npz --switching memory.ron";

/// Cells as they are typed.
fn cells() -> impl TypedValueParser<Value = CellKind> {
    let values = CellKind::ALL.map(CellKind::facts);
    PossibleValuesParser::new(values.map(|f| PossibleValue::new(f.spelling).help(f.name))).map(
        |typed| {
            let is = |kind: &CellKind| kind.facts().spelling == typed;
            CellKind::ALL.into_iter().find(is).expect("only these can be typed")
        },
    )
}

/// A held input as it is typed.
fn static_input(typed: &str) -> std::result::Result<StaticInput, String> {
    if let Some(word) = typed.strip_prefix("word=") {
        return Ok(StaticInput::Word(word.into()));
    }
    let list = typed.trim().trim_start_matches('[').trim_end_matches(']');
    let numbers: Option<Vec<f64>> = list.split(',').map(|x| x.trim().parse().ok()).collect();
    match (typed, numbers) {
        ("zero", _) => Ok(StaticInput::Zero),
        ("mean", _) => Ok(StaticInput::Mean),
        ("uniform", _) => Ok(StaticInput::Uniform),
        (_, Some(numbers)) if numbers.iter().all(|x| x.is_finite()) => {
            Ok(StaticInput::Given(numbers))
        }
        (_, Some(_)) => Err("give finite numbers".into()),
        ("", _) => Err("give zero, mean, uniform, a word, or numbers".into()),
        (word, None) => Ok(StaticInput::Word(word.into())),
    }
}

/// Poolings as they are typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PoolName {
    Last,
    Mean,
    Max,
}

/// Orders of an LSTM's state as they are typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum OrderName {
    /// h, then c
    Hc,
    /// c, then h
    Ch,
}

impl PoolName {
    /// As `--readout-reads` has it.
    fn reads(self) -> String {
        match self {
            Self::Last => "last",
            Self::Mean => "mean",
            Self::Max => "max",
        }
        .into()
    }
}

/// Says what was found on the way, beyond what was said of the file, and of the corpus, at the beginning.
fn tell(folder: &Path, network: &Foreign, common: &Common) -> Result<()> {
    let notes = records::Notes::read(folder)?;
    for (stage, note) in notes.stage()?.into_iter().zip(notes.note()?) {
        if stage != "tokenize" && !network.notes.contains(&note) {
            terminal::say(common.quiet, format!("note: {note}"));
        }
    }
    Ok(())
}

impl Analyze {
    pub fn go(self, common: &Common) -> Result<()> {
        common.end_safely();
        if let Some(file) = &self.switching {
            return self.beside_linear_system(file, common);
        }
        let weights = foreign::Settings {
            file: self.weights.clone(),
            train: self.train,
            cell: self.cell,
            recurrent: self.recurrent.clone(),
            embedding: self.embedding.clone(),
            readout: self.readout.clone(),
            reads: self.readout_reads.clone().or(self.pool.map(PoolName::reads)),
            state_dict: self.state_dict.clone(),
            norm: self.norm.clone(),
            norm_epsilon: self.norm_epsilon,
            first_word: self.first_word,
        };
        let network = Foreign::read(&weights).inspect_err(|_| self.compare(&weights, common))?;
        self.introduce(&network, common);
        if self.corpus.is_some() && !network.reads_words {
            return Err(Error::input(
                self.weights.display(),
                format!("`{}`", self.recurrent.as_deref().unwrap_or_default()),
                "it reads the states of the layer below, and no words",
                "leave `--recurrent` out for the whole network, or leave the corpus out and give `--states`",
            ));
        }
        if self.corpus.is_some() && !self.train && network.outputs() == 0 {
            return Err(Error::input(
                self.weights.display(),
                "readout",
                "no readout, and with a corpus its answers are looked at",
                "name it (`--readout`), or leave the corpus out and give `--states`",
            ));
        }
        let mut experiment = match &self.corpus {
            Some(corpus) => self.experiment(corpus, common)?,
            None => common.set.iter().try_fold(
                Experiment { seed: common.seed.unwrap_or(1), ..Experiment::default() },
                |e, s| e.with(s),
            )?,
        };
        let stem = self.weights.file_stem().map(|s| s.to_string_lossy().into_owned());
        experiment.study = "analyze".into();
        experiment.name = self.name.clone().or(stem).unwrap_or_else(|| "network".into());
        experiment.title = self.weights.display().to_string();
        experiment.weights = Some(weights);
        let mut watch = Watch::new(common.quiet);
        let options = text::Options {
            data: &common.data,
            out: &common.out,
            force: &self.force,
            watch: &mut watch,
        };
        self.held(&mut experiment, &network);
        let folder = match (&self.corpus, &self.states) {
            (Some(_), Some(_)) => {
                return Err(Error::Usage(
                    "--states is for a network without a corpus; states are visited on --corpus"
                        .into(),
                ));
            }
            (None, None) => {
                return Err(Error::Usage(
                    "nothing to start from: give --corpus (text the network reads) or --states \
                     (states it visited, an .npy of [n, units])"
                        .into(),
                ));
            }
            (Some(_), None) => text::run(&experiment, options)?,
            (None, Some(states)) => {
                experiment.states.given = Some(states.clone());
                experiment.states.order = match self.states_order {
                    Some(OrderName::Ch) => StatesOrder::Ch,
                    _ => StatesOrder::Hc,
                };
                states_only::run(&experiment, &self.words()?, options)?
            }
        };
        tell(&folder, &network, common)?;
        finished(&folder, self.json, common)
    }

    /// A network with its linear system goes through the analyses of that study.
    fn beside_linear_system(&self, file: &Path, common: &Common) -> Result<()> {
        let Study::Switching(mut e) = Study::read(file, &common.set)? else {
            return Err(Error::Usage(format!(
                "--switching {}: a file `Switching(parts: [(reads: …, cell: …)])` says what the network reads",
                file.display()
            )));
        };
        if e.parts.len() > 1 {
            let (first, left) = (&e.parts[0].name, e.parts.len() - 1);
            terminal::say(
                common.quiet,
                format!(
                    "note: it reads what part `{first}` reads; {left} more parts of {} are left out",
                    file.display()
                ),
            );
        }
        e.parts.truncate(1);
        for part in &mut e.parts {
            part.weights = Some(self.weights.clone());
            part.cell = self.cell.unwrap_or(part.cell);
        }
        (e.replicates, e.alone, e.ablations) = (1, false, false);
        e.seed = common.seed.unwrap_or(e.seed);
        e.study = "analyze".into();
        let stem = self.weights.file_stem().map(|s| s.to_string_lossy().into_owned());
        e.name = self.name.clone().or(stem).unwrap_or_else(|| "network".into());
        e.title = self.weights.display().to_string();
        let mut watch = Watch::new(common.quiet);
        let options = text::Options {
            data: &common.data,
            out: &common.out,
            force: &self.force,
            watch: &mut watch,
        };
        let folder = switching::run(&e, options)?;
        finished(&folder, self.json, common)
    }

    /// Where searches begin and where the input is held, as far as it was said; without a corpus there is no mean of
    /// its words.
    fn held(&self, experiment: &mut Experiment, network: &Foreign) {
        let points = &mut experiment.fixed_points;
        points.given = self.initial_states.clone().or(points.given.take());
        if !self.static_input.is_empty() {
            points.inputs = self.static_input.clone();
        } else if self.corpus.is_none() && points.inputs == FixedPointSettings::default().inputs {
            let words = network.embedding.is_some()
                && network.whole.as_ref().is_none_or(|w| w.reads_words());
            points.inputs = vec![StaticInput::Zero];
            points.inputs.extend(words.then_some(StaticInput::Uniform));
        }
    }

    /// What is asked with a corpus.
    fn experiment(&self, corpus: &str, common: &Common) -> Result<Experiment> {
        let mut experiment = predict::experiment(corpus, &self.columns, common)?;
        if !self.label_order.is_empty() {
            let names = self.label_order.iter().cloned();
            experiment.corpus.variant.keep = names.map(Label::Name).collect();
        }
        self.read_whole(&mut experiment, common);
        self.tokens(&mut experiment)?;
        Ok(experiment)
    }

    /// Says how much of the corpus each way of reading would read right, where the file leaves several open.
    fn compare(&self, weights: &foreign::Settings, common: &Common) {
        let Some(corpus) = &self.corpus else { return };
        let ways = Foreign::readings(weights);
        if ways.len() < 2 {
            return;
        }
        let Ok(experiment) = self.experiment(corpus, common) else { return };
        let Ok(loaded) = corpus::load(&experiment.corpus, &common.data, experiment.corpus_seed())
        else {
            return;
        };
        let found = text::accuracies(&loaded.corpus, &experiment, &ways);
        if !found.is_empty() {
            terminal::say(common.quiet, "share of the test documents that each way reads right:");
        }
        found.iter().for_each(|(way, right)| {
            terminal::say(common.quiet, format!("  --readout-reads {way:<14} {right:.3}"));
        });
    }

    /// Nothing is cut off documents, unless an experiment or a `--set` says so: the network may have read them whole.
    fn read_whole(&self, experiment: &mut Experiment, common: &Common) {
        let file = self.corpus.as_ref().is_some_and(|c| c.ends_with(".ron"));
        let told = common.set.iter().any(|s| {
            ["corpus.tokens.longest", "corpus.tokens=", "corpus="]
                .iter()
                .any(|p| s.trim().starts_with(p))
        });
        if !file && !told {
            // The most that a run's record may say: `accrue report` reads it again.
            experiment.corpus.tokens.longest = crate::setting::MANY;
        }
    }

    /// Says what was recognised, before anything long begins.
    fn introduce(&self, network: &Foreign, common: &Common) {
        let say = |line: String| terminal::say(common.quiet, line);
        let words = match network.word_vectors() {
            Some(width) => format!("{} words as vectors of {width}", network.vocabulary()),
            None => counted(network.vocabulary(), "input"),
        };
        let readout = match network.outputs() {
            0 => "no readout".into(),
            n => format!("a readout of {n}"),
        };
        let units = counted(network.units, "unit");
        say(format!("{:?}, {units}, {words}, {readout}", network.kind));
        network
            .taken
            .iter()
            .for_each(|t| say(format!("  {:<17} {} {:?}", t.role, t.array, t.shape)));
        network.notes.iter().for_each(|n| say(format!("note: {n}")));
    }

    /// What says which word is which row, where it was given.
    fn given(&self) -> Option<Kind> {
        let tokenizer = self.tokenizer.clone().map(Kind::Given);
        tokenizer.or_else(|| self.vocabulary.clone().map(Kind::List))
    }

    /// The tokenizer of the corpus.
    fn tokens(&self, experiment: &mut Experiment) -> Result<()> {
        let corpus = &mut experiment.corpus;
        // A synthetic corpus brings its words; an experiment may name a tokenizer.
        let known = matches!(corpus.source, Source::Synthetic(_))
            || matches!(corpus.tokens.kind, Kind::Given(_) | Kind::List(_));
        match self.given() {
            Some(kind) => corpus.tokens.kind = kind,
            None if known => {}
            None => {
                return Err(Error::Usage(
                    "which word is which row of the embedding? give --tokenizer \
                     (tokenizer.json) or --vocabulary (one word a line)"
                        .into(),
                ));
            }
        }
        Ok(())
    }

    /// Names of the embedding's rows, where they were given.
    fn words(&self) -> Result<Vec<String>> {
        let Some(kind) = self.given() else { return Ok(Vec::new()) };
        let settings = tokens::Settings { kind, ..Default::default() };
        Ok(Tokenizer::new(&settings, &[])?.words())
    }
}
