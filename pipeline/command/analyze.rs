//! `accrue analyze WEIGHTS`.

use super::run::{Watch, finished};
use super::{Common, predict, terminal};
use crate::corpus::Source;
use crate::corpus::tokens::{self, Kind, Tokenizer};
use crate::experiment::Experiment;
use crate::model::StaticInput;
use crate::model::{Foreign, foreign};
use crate::ops::{CellKind, Pool};
use crate::studies::{states_only, text};
use crate::{Error, Result};
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Look at a network trained elsewhere (PyTorch, Keras, Flax, Equinox)
///
/// With a corpus, everything: accuracy, states on its test documents,
/// slow points with proofs, dimension against the prediction from counts, what
/// each word does, words in context. Without one, slow points, proofs and spectra
/// from states that you give.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub struct Analyze {
    /// The weights: safetensors, a PyTorch state dict (.pt, .pth) or NumPy's .npz
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
    /// States to start from where there is no corpus: .npy of [n, units]
    #[arg(long, value_name = "FILE")]
    seeds: Option<PathBuf>,
    /// The cell [default: by the shapes of its arrays]
    #[arg(long, value_parser = cells())]
    cell: Option<CellKind>,
    /// Which states the readout sees: the last one, or their mean over tokens
    #[arg(long)]
    pool: Option<PoolName>,
    /// What stands before the recurrent arrays' names, as `encoder.rnn`
    #[arg(long, value_name = "PREFIX")]
    recurrent: Option<String>,
    /// Name of the embedding's array; `none` for one-hot words
    #[arg(long, value_name = "ARRAY")]
    embedding: Option<String>,
    /// Name of the readout's weights; `none` leaves it out
    #[arg(long, value_name = "ARRAY")]
    readout: Option<String>,
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
  accrue analyze model.pt --corpus reviews.csv --vocabulary words.txt --pool mean
  accrue analyze lstm.npz --seeds states.npy --readout none

From PyTorch: from safetensors.torch import save_file
              save_file(model.state_dict(), \"gru.safetensors\")
From Keras:   numpy.savez(\"gru.npz\", **{w.path: w.numpy() for w in model.weights})";

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

/// Poolings as they are typed.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PoolName {
    Last,
    Mean,
}

impl Analyze {
    pub fn go(self, common: &Common) -> Result<()> {
        common.end_safely();
        let weights = foreign::Settings {
            file: self.weights.clone(),
            train: self.train,
            cell: self.cell,
            recurrent: self.recurrent.clone(),
            embedding: self.embedding.clone(),
            readout: self.readout.clone(),
        };
        let network = Foreign::read(&weights)?;
        self.introduce(&network, common);
        let mut experiment = match &self.corpus {
            Some(corpus) => predict::experiment(corpus, &self.columns, common)?,
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
        if let Some(pool) = self.pool {
            experiment.model.pool = match pool {
                PoolName::Last => Pool::Last,
                PoolName::Mean => Pool::Mean,
            };
        }
        let mut watch = Watch::new(common.quiet);
        let options = text::Options {
            data: &common.data,
            out: &common.out,
            force: &self.force,
            watch: &mut watch,
        };
        let folder = match (&self.corpus, &self.seeds) {
            (Some(_), Some(_)) => {
                return Err(Error::Usage(
                    "--seeds is for a network without a corpus; states are visited on --corpus"
                        .into(),
                ));
            }
            (None, None) => {
                return Err(Error::Usage(
                    "nothing to start from: give --corpus (text the network reads) or --seeds \
                     (states it visited, an .npy of [n, units])"
                        .into(),
                ));
            }
            (Some(_), None) => {
                self.tokens(&mut experiment)?;
                text::run(&experiment, options)?
            }
            (None, Some(seeds)) => {
                experiment.states.given = Some(seeds.clone());
                experiment.fixed_points.inputs = match network.embedding {
                    Some(_) => vec![StaticInput::Zero, StaticInput::Uniform],
                    None => vec![StaticInput::Zero],
                };
                states_only::run(&experiment, &self.words()?, options)?
            }
        };
        finished(&folder, self.json, common)
    }

    /// Says what was recognised, before anything long begins.
    fn introduce(&self, network: &Foreign, common: &Common) {
        let say = |line: String| terminal::say(common.quiet, line);
        let words = match network.embedding {
            Some(_) => format!("{} words as vectors of {}", network.vocabulary(), network.inputs),
            None => format!("{} inputs", network.inputs),
        };
        let readout = match network.outputs() {
            0 => "no readout".into(),
            n => format!("a readout of {n}"),
        };
        say(format!("{:?}, {} units, {words}, {readout}", network.kind, network.units));
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
