//! One meta-model over many networks.

use crate::analyses::maps::Laws;
use crate::dynamics::Continuation;
use crate::embedding::{search, train as meta};
use crate::ops::CellKind;
use crate::{corpus, model, setting, train};
use serde::{Deserialize, Serialize};

/// Networks of a collection, emulated by one meta-model, each at a point of a map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MetaModel {
    /// Folder under `reports/`; empty: the name of the folder the file lies in.
    pub study: String,
    /// Folder under the study; empty: the file's name.
    pub name: String,
    /// One line for the head of the report.
    pub title: String,
    /// Seed of the base models, and of the first meta-model; the next ones have the next numbers.
    pub seed: u64,
    /// Folders of finished runs, a star standing for any name: their networks are the base models. Empty: `trained` makes
    /// them.
    pub collection: Vec<String>,
    /// Least share of what a finished run of the collection has learned, from the commonest answer (0; of a task the best constant one)
    /// to perfect (1); others are told and left out. Networks that are trained here have `trained.learned`.
    #[serde(deserialize_with = "setting::share")]
    pub learned: f64,
    /// Base models that are trained here, where `collection` is empty.
    pub trained: Trained,
    /// The meta-model.
    pub model: Sizes,
    /// How it is trained.
    pub training: meta::Settings,
    /// Meta-models that differ by their seed alone.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000>")]
    pub replicates: usize,
    /// Megabytes of base models' states, on all phrases together, that are held in memory; of more, states are written to a file once a
    /// stage and read from there as they are asked for.
    #[serde(deserialize_with = "setting::whole::<_, 0, 1000000>")]
    pub held_megabytes: usize,
    /// Training phrases on which base models are recorded, and that the meta-model learns from.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub phrases: usize,
    /// Test phrases on which everything is measured.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000000>")]
    pub test: usize,
    /// Dimensions of the map and weights of the states that are compared beforehand.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub choose: Choose,
    /// What is asked of it.
    pub inspect: Inspect,
}

impl Default for MetaModel {
    fn default() -> Self {
        Self {
            study: String::new(),
            name: String::new(),
            title: String::new(),
            seed: 1,
            collection: Vec::new(),
            learned: 0.1,
            trained: Trained::default(),
            model: Sizes::default(),
            training: meta::Settings::default(),
            replicates: 3,
            held_megabytes: 512,
            phrases: 1024,
            test: 400,
            choose: Choose::default(),
            inspect: Inspect::default(),
        }
    }
}

/// Sizes of a meta-model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sizes {
    /// Its cell.
    pub cell: CellKind,
    /// Units.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1024>")]
    pub units: usize,
    /// Numbers of `θ`, `p`.
    #[serde(deserialize_with = "setting::whole::<_, 1, 64>")]
    pub dimension: usize,
    /// Numbers of a word's vector; `None`: words are one-hot.
    #[serde(deserialize_with = "setting::optional::<_, 1, 1024>")]
    pub embedding: Option<usize>,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { cell: CellKind::Gru, units: 64, dimension: 2, embedding: None }
    }
}

/// Which dimension `p` of `θ` and which weight `λ` of the states: a meta-model is trained for every pair on part of the training
/// phrases and measured on the rest. It tells; the study's meta-models have the file's `model.dimension` and `training.lambda`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Choose {
    /// Dimensions; none, and no weights: nothing is compared. None beside weights: `model.dimension`.
    #[serde(deserialize_with = "dimensions")]
    pub dimensions: Vec<usize>,
    /// Weights; none beside dimensions: `training.lambda`.
    #[serde(deserialize_with = "setting::numbers")]
    pub weights: Vec<f64>,
    /// Steps for which each is trained; all else is `training`'s.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000000>")]
    pub steps: usize,
    /// Share of the training phrases, the last ones drawn, on which they are measured.
    #[serde(deserialize_with = "setting::share")]
    pub held_out: f64,
}

/// A list of dimensions, each as `model.dimension` may be.
fn dimensions<'de, D: serde::Deserializer<'de>>(de: D) -> Result<Vec<usize>, D::Error> {
    let all = Vec::<usize>::deserialize(de)?;
    match all.iter().find(|p| !(1..=64).contains(*p)) {
        None if all.len() <= 64 => Ok(all),
        None => Err(serde::de::Error::custom(format!("{} dimensions, at most 64", all.len()))),
        Some(p) => {
            let problem = format!("{p} is impossible here: at least 1, at most 64");
            Err(serde::de::Error::custom(problem))
        }
    }
}

impl Default for Choose {
    fn default() -> Self {
        Self { dimensions: Vec::new(), weights: Vec::new(), steps: 2000, held_out: 0.2 }
    }
}

impl Choose {
    /// Every pair of a dimension and a weight; none where nothing is compared.
    pub fn pairs(&self, of: &MetaModel) -> Vec<(usize, f64)> {
        if self.dimensions.is_empty() && self.weights.is_empty() {
            return Vec::new();
        }
        let dimensions = match self.dimensions.is_empty() {
            true => vec![of.model.dimension],
            false => self.dimensions.clone(),
        };
        let weights = match self.weights.is_empty() {
            true => vec![of.training.lambda],
            false => self.weights.clone(),
        };
        dimensions.iter().flat_map(|&p| weights.iter().map(move |&l| (p, l))).collect()
    }
}

/// Base models on one text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Trained {
    /// Which text.
    pub corpus: corpus::Settings,
    /// What all networks have in common; groups say cell and units.
    pub model: model::Config,
    /// How they are trained.
    pub training: train::Settings,
    /// Groups of networks that do the same.
    pub groups: Vec<Group>,
    /// Networks of each group that stand in the collection a second time with their units in another order.
    #[serde(deserialize_with = "setting::whole::<_, 0, 1000>")]
    pub copies: usize,
    /// Least accuracy on its own labels, from chance (0) to perfect (1), of a network that has learned; others are counted and
    /// left out.
    #[serde(deserialize_with = "setting::share")]
    pub learned: f64,
}

impl Default for Trained {
    fn default() -> Self {
        Self {
            corpus: corpus::Settings::default(),
            model: model::Config { embedding: None, ..model::Config::default() },
            training: train::Settings::default(),
            groups: Vec::new(),
            copies: 2,
            learned: 0.7,
        }
    }
}

/// Networks that do the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What it is trained on.
    pub reads: Training,
    /// Cells; with `units` and `replicates` every combination is one network.
    pub cells: Vec<CellKind>,
    /// Units.
    pub units: Vec<usize>,
    /// Networks that differ by their seed alone.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000>")]
    pub replicates: usize,
}

impl Default for Group {
    fn default() -> Self {
        Self {
            name: String::new(),
            reads: Training::AllWords,
            cells: vec![CellKind::Vanilla, CellKind::Gru],
            units: vec![24, 32],
            replicates: 2,
        }
    }
}

/// What the networks of a group are trained on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Training {
    /// The text as it is.
    #[default]
    AllWords,
    /// Labels by the evidence in the first half of the phrase alone (unordered classes of a synthetic language).
    FirstHalf,
    /// Labels by the last word with evidence (likewise).
    LastEvidence,
    /// The words of each training document in another order.
    Shuffled,
    /// Crops of training documents, of the shortest to the longest length.
    Crops(usize, usize),
}

impl Training {
    /// Whether the group has labels of its own.
    pub fn relabels(self) -> bool {
        matches!(self, Self::FirstHalf | Self::LastEvidence)
    }
}

/// What is asked of a meta-model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Inspect {
    /// Numbers of labelled phrases from which a network is to be made; none: the question is left out.
    pub labels: Vec<usize>,
    /// Draws of labelled phrases for each.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000>")]
    pub draws: usize,
    /// How `θ` is sought from them.
    pub search: search::Settings,
    /// Steps for which a fresh network and a base model are trained on the labelled phrases.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub tuning: usize,
    /// Places along each way between two base models.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000>")]
    pub places: usize,
    /// Ways between base models, inside groups and between them.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000>")]
    pub ways: usize,
    /// Places along each side of the grid over the map on which fixed points are sought, in the first meta-model; 0: at the
    /// groups' middles alone.
    #[serde(deserialize_with = "setting::whole::<_, 0, 100>")]
    pub grid: usize,
    /// Visited states from which they are sought.
    #[serde(deserialize_with = "setting::whole::<_, 1, 10000>")]
    pub starts: usize,
    /// Fixed points, those first found, that are followed from each end of a segment between the middles of two groups (of clusters
    /// of the map where there is one group), in the first meta-model; 0: none.
    #[serde(deserialize_with = "setting::whole::<_, 0, 1000>")]
    pub curves: usize,
    /// Most such segments.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000>")]
    pub segments: usize,
    /// How they are followed; `interval` and `backward` play no part, the way is the whole segment.
    pub follow: Continuation,
    /// How the map by laws of motion (DSA), which stands beside the map of `θ`, is made.
    pub laws: Laws,
}

impl Default for Inspect {
    fn default() -> Self {
        Self {
            labels: vec![5, 10, 20, 50, 100],
            draws: 3,
            search: search::Settings::default(),
            tuning: 100,
            places: 11,
            ways: 6,
            grid: 5,
            starts: 60,
            curves: 8,
            segments: 6,
            follow: Continuation { steps: 400, largest_step: 0.1, ..Continuation::default() },
            laws: Laws::default(),
        }
    }
}
