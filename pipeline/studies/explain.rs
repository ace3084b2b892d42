//! What each word of a text says to the network of a run, and to its bag of
//! words, with and without context.

use crate::baseline::context::Context;
use crate::corpus::{store, tokens::Tokenizer};
use crate::dynamics::{Dynamics, Map};
use crate::model::{Head, Network};
use crate::records;
use crate::{Error, Result};
use serde::Serialize;
use std::path::Path;

/// Most bytes of a model in context.
const LARGEST_MODEL: u64 = 4 << 30;
/// Name of the file that holds the model in context of a run.
pub const CONTEXT: &str = "context.json";

/// One word of the text.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Word {
    /// The word, as the reader wrote it.
    pub word: String,
    /// The token that stands for it in the vocabulary.
    pub token: String,
    /// Change of the network's readout by it, logits.
    pub network: f64,
    /// Its coefficient in the bag of words, logits.
    pub alone: f64,
    /// What it adds to the bag of words in context, logits; `None` where the run has none.
    pub in_context: Option<f64>,
}

/// One output of every reader, logits.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Output {
    /// The label it speaks for.
    pub label: String,
    /// Of the network.
    pub network: f64,
    /// Of words alone.
    pub alone: f64,
    /// Of words in context; `None` where the run has none.
    pub in_context: Option<f64>,
}

/// A text, word by word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// What the network says.
    pub network: String,
    /// What the bag of words says.
    pub alone: String,
    /// What the bag of words in context says, where there is one.
    pub in_context: Option<String>,
    /// The label that evidence above zero speaks for.
    pub evidence_for: String,
    /// What each output says.
    pub outputs: Vec<Output>,
    /// Evidence for that label against the mean of the others, word by word.
    pub words: Vec<Word>,
}

/// Explains `text` with the networks and models of a run.
///
/// # Errors
/// [`Error::Io`] if the folder holds no finished run; [`Error::Usage`] for a
/// text without words, or a run without labels or tokenizer and words it does not know.
pub fn explain(run: &Path, text: &str) -> Result<Explained> {
    super::text::reading(run)?;
    let corpus = store::read(run)?;
    let network = Network::load(&run.join("model.safetensors"))?;
    super::text::check_fit(run, &corpus, &network)?;
    let names = &corpus.label_names;
    if names.is_empty() {
        return Err(Error::Usage("explain: this run follows a score, it has no labels".into()));
    }
    let cut = parts(run, text, &corpus.words)?;
    let tokens: Vec<u32> = cut.iter().map(|(id, _)| *id).collect();
    if tokens.is_empty() {
        return Err(Error::Usage("explain: the text has no words".into()));
    }
    let said = readouts(&network, &tokens)?;
    let last = said.last().expect("the first is there");
    // Which output, and against which others.
    let shown = if last.len() == 1 { 0 } else { largest(last) };
    let against = |z: &[f64]| {
        if z.len() == 1 || network.head() == Head::MultiLabel {
            return z[shown];
        }
        let rest: f64 = z.iter().sum::<f64>() - z[shown];
        z[shown] - rest / (z.len() - 1) as f64
    };
    let (table, mut alone) = bag_of_words(run, corpus.words.len(), last.len())?;
    for &t in &tokens {
        alone.iter_mut().zip(&table[t as usize]).for_each(|(z, w)| *z += w);
    }
    let like = |z: &[f64]| as_outputs(z, last.len());
    let context = context_of(run, corpus.words.len())?;
    let added = context.as_ref().map(|c| c.contributions(&tokens));
    let words = tokens.iter().enumerate().map(|(i, &t)| Word {
        word: cut[i].1.clone(),
        token: corpus.words[t as usize].clone(),
        network: against(&said[i + 1]) - against(&said[i]),
        alone: against(&like(&table[t as usize])),
        in_context: added.as_ref().map(|a| against(&like(&a[i]))),
    });
    let name = |z: &[f64]| named(network.head(), z, names);
    let alone = like(&alone);
    let in_context = context.map(|c| like(&c.outputs(&tokens)));
    let outputs = (0..last.len()).map(|k| Output {
        label: names[if last.len() == 1 { names.len() - 1 } else { k }].clone(),
        network: last[k],
        alone: alone[k],
        in_context: in_context.as_ref().map(|z| z[k]),
    });
    Ok(Explained {
        network: name(last),
        alone: name(&alone),
        in_context: in_context.as_ref().map(|z| name(z)),
        outputs: outputs.collect(),
        evidence_for: names[if last.len() == 1 { names.len() - 1 } else { shown }].clone(),
        words: words.collect(),
    })
}

/// Coefficients `[words][outputs]` and bias of the bag of words of a run whose network has `outputs`.
///
/// # Errors
/// [`Error::Input`] if the tables are those of other words, or of other outputs.
pub(super) fn bag_of_words(
    run: &Path,
    words: usize,
    outputs: usize,
) -> Result<(Vec<Vec<f64>>, Vec<f64>)> {
    let table = records::Words::read(run)?;
    table.has_rows(words, "words of the vocabulary")?;
    let coefficients = table.bag_of_words()?;
    let bias = records::BagOfWords::read(run)?;
    // For two classes it has one output, where a network from elsewhere may have two.
    if bias.height() != outputs && (bias.height(), outputs) != (1, 2) {
        bias.has_rows(outputs, "outputs of the network")?;
    }
    table.are_long("bag_of_words", &coefficients, bias.height())?;
    Ok((coefficients, bias.bias()?))
}

/// The model in context of a run.
fn context(path: &Path, words: usize) -> Result<Context> {
    let remedy = "run the experiment again with `--force context`";
    let refuse = |problem: String| Error::input(path.display(), "", problem, remedy);
    let text = crate::files::text(path, LARGEST_MODEL)?;
    let model: Context = serde_json::from_str(&text).map_err(|e| refuse(e.to_string()))?;
    if !model.is_for(words) {
        return Err(refuse(format!("no model of the {words} words of this run")));
    }
    Ok(model)
}

/// Logits of a bag of words over as many outputs as the network has: for two
/// classes it has one, where a network from elsewhere may have two.
pub(super) fn as_outputs(logits: &[f64], outputs: usize) -> Vec<f64> {
    match (logits, outputs) {
        (&[z], 2) => vec![-z / 2.0, z / 2.0],
        _ => logits.to_vec(),
    }
}

fn largest(z: &[f64]) -> usize {
    (0..z.len()).fold(0, |best, k| if z[k] > z[best] { k } else { best })
}

/// The label that outputs give.
pub(super) fn named(head: Head, z: &[f64], names: &[String]) -> String {
    match z.len() {
        // One output tells two classes apart, or says whether the only label is there.
        1 if names.len() == 2 => names[(z[0] > 0.0) as usize].clone(),
        _ if head == Head::MultiLabel => {
            let given: Vec<&str> =
                (0..z.len()).filter(|&k| z[k] >= 0.0).map(|k| names[k].as_str()).collect();
            if given.is_empty() { "none".into() } else { given.join(" + ") }
        }
        _ => names[largest(z)].clone(),
    }
}

/// The model in context of a run, where it has one.
pub(super) fn context_of(run: &Path, words: usize) -> Result<Option<Context>> {
    let path = run.join(CONTEXT);
    path.is_file().then(|| context(&path, words)).transpose()
}

/// Tokens of a text with the words that they stand for.
fn parts(run: &Path, text: &str, words: &[String]) -> Result<Vec<(u32, String)>> {
    let path = run.join("tokenizer.json");
    match path.is_file() {
        true => Tokenizer::read(&path)?.encode_with_parts(text),
        false => of_a_synthetic_corpus(text, words),
    }
}

/// Tokens of a text of a synthetic corpus, which has words and no tokenizer.
pub(super) fn of_a_synthetic_corpus(text: &str, words: &[String]) -> Result<Vec<(u32, String)>> {
    text.split_whitespace()
        .map(|w| {
            let id = words.iter().position(|known| known == w);
            id.map(|i| (i as u32, w.to_string())).ok_or_else(|| {
                let names: Vec<&str> = words.iter().map(String::as_str).collect();
                let hint = crate::nearest::hint(w, &names);
                Error::Usage(format!("`{w}` is no word of this corpus; {hint}"))
            })
        })
        .collect()
}

/// Readout before the first token and after each, `[tokens + 1][outputs]`.
fn readouts(network: &Network, tokens: &[u32]) -> Result<Vec<Vec<f64>>> {
    if network.whole().is_some() {
        return whole_readouts(network, tokens);
    }
    let cell = network.cell()?;
    let (weights, bias) = network.readout()?;
    let inputs = network.inputs()?;
    let map = Map::new(&cell, &vec![0.0; cell.inputs])?;
    let mut state = network.initial_state()?;
    let read = |state: &[f64]| -> Vec<f64> {
        let rows = weights.chunks(state.len()).zip(&bias);
        rows.map(|(w, b)| b + w.iter().zip(state).map(|(w, s)| w * s).sum::<f64>()).collect()
    };
    let mut all = vec![read(&state)];
    for &token in tokens {
        state = map.with_input(&inputs.vector(token as usize))?.step(&state).as_slice().to_vec();
        all.push(read(&state));
    }
    Ok(all)
}

/// The same of a network whose outputs are not those of one state: what it says of the text so far, and, before it
/// begins, what its readout says of the initial state.
fn whole_readouts(network: &Network, tokens: &[u32]) -> Result<Vec<Vec<f64>>> {
    let (weights, bias) = network.readout()?;
    let state = network.initial_state()?;
    let rows = weights.chunks(state.len()).zip(&bias);
    let start = rows.map(|(w, b)| b + w.iter().zip(&state).map(|(w, s)| w * s).sum::<f64>());
    let beginnings: Vec<&[u32]> = (1..=tokens.len()).map(|t| &tokens[..t]).collect();
    let said = network.predict(&beginnings)?;
    let said = said.iter().map(|z| z.iter().map(|&x| x as f64).collect());
    Ok(std::iter::once(start.collect()).chain(said).collect())
}
