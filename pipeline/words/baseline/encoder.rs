//! An upper bound: a pretrained encoder, frozen, under a logistic probe.
//!
//! A document becomes the mean of the last layer's vectors over its word pieces
//! (special ones included, padding not), `f ∈ R^d`; each feature is brought to mean 0
//! and variance 1 over the training split, and a logistic regression reads them,
//! its penalty chosen on validation data as for the bag of words.
//!
//! BERT is exact; candle's DistilBERT takes the tanh form of GELU, at most 5e-4 from the
//! exact one an activation.

use super::design::Dense;
use super::logistic::{self, Answers, Regression, Score};
use crate::corpus::Split;
use crate::{Error, Result, setting};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{bert, distilbert};
use serde::{Deserialize, Serialize};
use std::path::Path;
use tokenizers::{PaddingParams, Tokenizer, TruncationParams};

/// Files of an encoder, as the Hub names them.
pub const FILES: [&str; 3] = ["config.json", "tokenizer.json", "model.safetensors"];

/// Which encoder, and how much of a text it reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// A folder with `config.json`, `tokenizer.json` and `model.safetensors`, or a
    /// repository of the Hub (`sentence-transformers/all-MiniLM-L6-v2`).
    pub model: String,
    /// Most word pieces of a document; longer ones are cut.
    #[serde(deserialize_with = "setting::whole::<_, 2, 8192>")]
    pub longest: usize,
    /// Documents read at once.
    #[serde(deserialize_with = "setting::whole::<_, 1, 4096>")]
    pub batch: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let model = "sentence-transformers/all-MiniLM-L6-v2".into();
        Self { model, longest: 256, batch: 32 }
    }
}

enum Body {
    Bert(bert::BertModel),
    DistilBert(distilbert::DistilBertModel),
}

/// A pretrained encoder.
pub struct Encoder {
    body: Body,
    tokenizer: Tokenizer,
    batch: usize,
}

impl Encoder {
    /// Reads an encoder of the BERT family from a folder.
    ///
    /// # Errors
    /// [`Error::Io`] if a file is missing, [`Error::Input`] if it is of another
    /// family or damaged.
    pub fn open(folder: &Path, settings: &Settings) -> Result<Self> {
        let [config, tokenizer, weights] = FILES.map(|name| folder.join(name));
        let read = |path: &Path| std::fs::read(path).map_err(Error::io(path));
        let refuse = |path: &Path, e: &dyn std::fmt::Display| {
            let remedy = "give a folder of the BERT family (BERT, MiniLM, DistilBERT) with \
                          config.json, tokenizer.json and model.safetensors";
            Error::input(path.display(), "", e, remedy)
        };
        #[derive(Deserialize)]
        struct Family {
            model_type: Option<String>,
            max_position_embeddings: Option<usize>,
        }
        let text = read(&config)?;
        let family: Family = serde_json::from_slice(&text).map_err(|e| refuse(&config, &e))?;
        let load = VarBuilder::from_buffered_safetensors(read(&weights)?, DType::F32, &Device::Cpu);
        let load = load.map_err(|e| refuse(&weights, &e))?;
        let body = match family.model_type.as_deref() {
            Some("bert") => {
                let shape = serde_json::from_slice(&text).map_err(|e| refuse(&config, &e))?;
                let body = bert::BertModel::load(load, &shape);
                Body::Bert(body.map_err(|e| refuse(&weights, &e))?)
            }
            Some("distilbert") => {
                let shape = serde_json::from_slice(&text).map_err(|e| refuse(&config, &e))?;
                let body = distilbert::DistilBertModel::load(load, &shape);
                Body::DistilBert(body.map_err(|e| refuse(&weights, &e))?)
            }
            other => {
                let other = other.unwrap_or("nothing");
                return Err(refuse(&config, &format!("model_type is {other}")));
            }
        };
        let bytes = read(&tokenizer)?;
        let mut pieces = Tokenizer::from_bytes(bytes).map_err(|e| refuse(&tokenizer, &e))?;
        let most = family.max_position_embeddings.unwrap_or(settings.longest);
        let cut = TruncationParams { max_length: settings.longest.min(most), ..Default::default() };
        pieces.with_truncation(Some(cut)).map_err(|e| refuse(&tokenizer, &e))?;
        pieces.with_padding(Some(PaddingParams::default()));
        Ok(Self { body, tokenizer: pieces, batch: settings.batch })
    }

    /// Features of each text, in their order; `each` is told how many are done.
    ///
    /// # Errors
    /// [`Error::Input`] if the tokenizer fails, [`Error::Candle`] if the encoder does.
    pub fn features(
        &self,
        texts: &[String],
        mut each: impl FnMut(usize) -> Result<()>,
    ) -> Result<Dense> {
        // Texts of like length together: padding is work for nothing.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&d| texts[d].len());
        let mut all = Dense::default();
        for (done, indices) in order.chunks(self.batch).enumerate() {
            let batch: Vec<&str> = indices.iter().map(|&d| texts[d].as_str()).collect();
            let means = self.means(batch)?;
            all.width = means.dim(1)?;
            all.values.resize(texts.len() * all.width, 0.0);
            for (&d, row) in indices.iter().zip(means.to_vec2::<f32>()?) {
                all.values[d * all.width..][..all.width].copy_from_slice(&row);
            }
            each((done * self.batch + indices.len()).min(texts.len()))?;
        }
        Ok(all)
    }

    /// Mean vectors `[texts, d]` of a batch.
    fn means(&self, batch: Vec<&str>) -> Result<Tensor> {
        let remedy = "give the tokenizer that the encoder was trained with";
        let encoded = self
            .tokenizer
            .encode_batch(batch, true)
            .map_err(|e| Error::input("tokenizer.json", "", e, remedy))?;
        let (rows, columns) = (encoded.len(), encoded[0].get_ids().len());
        let table = |of: &dyn Fn(&tokenizers::Encoding) -> Vec<u32>| {
            let flat: Vec<u32> = encoded.iter().flat_map(of).collect();
            Tensor::from_vec(flat, (rows, columns), &Device::Cpu)
        };
        let ids = table(&|e| e.get_ids().to_vec())?;
        let mask = table(&|e| e.get_attention_mask().to_vec())?;
        let last = match &self.body {
            Body::Bert(body) => {
                let types = table(&|e| e.get_type_ids().to_vec())?;
                body.forward(&ids, &types, Some(&mask))?
            }
            // Here a mask says what is left out.
            Body::DistilBert(body) => {
                let hidden = mask.eq(0_u32)?.reshape((rows, 1, 1, columns))?;
                body.forward(&ids, &hidden)?
            }
        };
        let mask = mask.to_dtype(DType::F32)?;
        let sums = last.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?;
        Ok(sums.broadcast_div(&mask.sum_keepdim(1)?)?)
    }
}

/// A logistic regression on features.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// `[outputs][features + 1]`, the bias last, for standardised features.
    weights: Vec<Vec<f64>>,
    mean: Vec<f64>,
    deviation: Vec<f64>,
    /// The chosen penalty.
    pub penalty: f64,
}

impl Probe {
    /// Fits on `train`, with the penalty of lowest validation loss.
    ///
    /// # Errors
    /// [`Error::Usage`] if no penalty is given.
    pub fn fit(
        train: (&Dense, &Split),
        validation: (&Dense, &Split),
        classes: usize,
        settings: &logistic::Settings,
    ) -> Result<Self> {
        let (mean, deviation) = moments(train.0);
        let probe = Self { weights: Vec::new(), mean, deviation, penalty: f64::NAN };
        let design = probe.standardised(train.0);
        let answers = Answers::of(train.1, classes);
        let held_out = probe.standardised(validation.0);
        let mut best: Option<(f64, f64, Vec<Vec<f64>>)> = None;
        Regression::new(&design, &answers).path(settings, |penalty, x, _| {
            let weights: Vec<Vec<f64>> = x.chunks(design.width + 1).map(<[f64]>::to_vec).collect();
            let score = score(&weights, &held_out, validation.1, classes);
            if best.as_ref().is_none_or(|(lowest, ..)| score.loss < *lowest) {
                best = Some((score.loss, penalty, weights));
            }
        })?;
        let (_, penalty, weights) = best.expect("at least one penalty was tried");
        Ok(Self { weights, penalty, ..probe })
    }

    /// Loss and accuracy on a split.
    pub fn score(&self, features: &Dense, split: &Split, classes: usize) -> Score {
        score(&self.weights, &self.standardised(features), split, classes)
    }

    fn standardised(&self, features: &Dense) -> Dense {
        let scaled = features.values.iter().enumerate().map(|(i, &x)| {
            let j = i % features.width;
            ((x as f64 - self.mean[j]) / self.deviation[j]) as f32
        });
        Dense { width: features.width, values: scaled.collect() }
    }
}

fn score(weights: &[Vec<f64>], features: &Dense, split: &Split, classes: usize) -> Score {
    Answers::of(split, classes).score(split.documents.len(), |d| {
        let x = features.row(d);
        let output = |w: &Vec<f64>| {
            w[features.width] + x.iter().zip(w).map(|(&x, w)| x as f64 * w).sum::<f64>()
        };
        weights.iter().map(output).collect()
    })
}

/// Mean and standard deviation of each feature; 1 where it does not vary.
fn moments(features: &Dense) -> (Vec<f64>, Vec<f64>) {
    let count = (features.values.len() / features.width) as f64;
    let mut mean = vec![0.0; features.width];
    let rows = || features.values.chunks(features.width);
    rows().for_each(|r| mean.iter_mut().zip(r).for_each(|(m, &x)| *m += x as f64 / count));
    let mut square = vec![0.0; features.width];
    rows().for_each(|r| {
        let pairs = square.iter_mut().zip(r).zip(&mean);
        pairs.for_each(|((s, &x), m)| *s += (x as f64 - m).powi(2) / count);
    });
    let deviation = square.iter().map(|s| if *s > 0.0 { s.sqrt() } else { 1.0 });
    (mean, deviation.collect())
}
