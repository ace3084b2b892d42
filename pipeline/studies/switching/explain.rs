//! What each word of a text says to a co-trained network, by its linear system.

use super::reading::Reading;
use super::{Job, jobs, read};
use crate::engine::Finished;
use crate::experiment::{Source, Switching};
use crate::studies::explain::named;
use crate::switching::contributions::contributions;
use crate::switching::{Sequence, Target};
use crate::{Error, Result, model};
use serde::Serialize;
use std::path::Path;

/// One word.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinearWord {
    /// The word, as the reader wrote it.
    pub word: String,
    /// The token that stands for it in the vocabulary.
    pub token: String,
    /// Change of the network's readout when it is read, logits.
    pub network: f64,
    /// What it says at the end, logits: read at its expansion point, kept by the linear steps after it.
    pub says: f64,
    /// Where the expansion point of its step pulls the end to, logits.
    pub point: f64,
    /// How far the expansion point is from that of the word before, state units.
    pub moved: f64,
}

/// A text, word by word: `linear = start + Σ says + Σ point`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LinearlyExplained {
    /// Which part's network, and its seed.
    pub part: String,
    /// Its seed.
    pub seed: u64,
    /// The label that evidence above zero speaks for.
    pub evidence_for: String,
    /// What the network says.
    pub network: String,
    /// What the linear system says.
    pub linear: String,
    /// Logits of the network's last state.
    pub network_logit: f64,
    /// The same of the linear system's.
    pub linear_logit: f64,
    /// What is there before a word is read, kept until the end.
    pub start: f64,
    /// The words.
    pub words: Vec<LinearWord>,
}

/// Whether `folder` holds a study of networks with linear systems.
pub fn is_in(folder: &Path) -> bool {
    Finished::open(folder, &[]).is_ok_and(|f| f.experiment::<Switching>().is_ok())
}

/// Explains `text` with the first network that reads text and was trained together with its linear system.
///
/// * `data`: folder of the corpora
///
/// # Errors
/// [`Error::Usage`] for a study whose networks read no text, and a text without words; what loading the corpus returns.
pub fn explain(folder: &Path, data: &Path, text: &str) -> Result<LinearlyExplained> {
    let e = Finished::open(folder, &super::STAGES[..1])?.experiment::<Switching>()?;
    let (e, _) = super::given::sized(&e)?;
    let jobs = jobs(&e);
    let reads = |job: &&Job| job.is_joint() && matches!(job.part.reads, Source::Text(_));
    let Some(job) = jobs.iter().find(reads) else {
        let problem = "explain: the networks of this study read trials of a task, no text";
        return Err(Error::Usage(problem.into()));
    };
    let reading = Reading::open(job.part, data, job.seed)?;
    let cut = reading.cut(text)?;
    if cut.is_empty() {
        return Err(Error::Usage("explain: the text has no words".into()));
    }
    let shape = job.shape(&reading);
    let all = read(job, &reading, folder)?.0;
    let tokens: Vec<u32> = cut.iter().map(|(id, _)| *id).collect();
    let (inputs, at_rest) = reading.embedded(&all[shape.parameters()..], &tokens);
    let sequence = Sequence { inputs: &inputs, expansion_input: &at_rest, target: Target::Nothing };
    let wide: Vec<f64> = all[..shape.parameters()].iter().map(|x| *x as f64).collect();
    let found = contributions(&shape, &wide, &sequence)?;
    let names = reading.labels();
    let last = found.network.last().expect("the first is there");
    let shown = (0..last.len()).fold(0, |best, k| if last[k] > last[best] { k } else { best });
    // Against the mean of the others, where there are several.
    let against = |z: &[f64]| match z.len() {
        1 => z[0],
        n => z[shown] - (z.iter().sum::<f64>() - z[shown]) / (n - 1) as f64,
    };
    let name = |z: &[f64]| named(model::Head::Softmax, z, names);
    let explained = cut.iter().enumerate().map(|(t, (id, word))| LinearWord {
        word: word.clone(),
        token: reading.words()[*id as usize].clone(),
        network: against(&found.network[t + 1]) - against(&found.network[t]),
        says: against(&found.inputs[t]),
        point: against(&found.points[t]),
        moved: found.moved[t],
    });
    Ok(LinearlyExplained {
        part: job.part.name.clone(),
        seed: job.seed,
        evidence_for: names[if last.len() == 1 { names.len() - 1 } else { shown }].clone(),
        network: name(last),
        linear: name(&found.linear),
        network_logit: against(last),
        linear_logit: against(&found.linear),
        start: against(&found.start),
        words: explained.collect(),
    })
}
