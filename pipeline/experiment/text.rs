//! What is asked of one network on one corpus.

use crate::dynamics::{Census, Deflate, Explore, Finder, select::Selection};
use crate::model::StaticInput;
use crate::setting;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Which states are looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StatesSettings {
    /// Test documents that are walked through, drawn by the seed.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::MANY }>")]
    pub documents: usize,
    /// Most states that are kept in the table; principal components are
    /// computed from all states of these documents.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000000>")]
    pub most: usize,
    /// States to look at where there is no corpus to visit them on: a NumPy
    /// file, `[n, state]` (`accrue analyze --states`).
    pub given: Option<PathBuf>,
    /// How an LSTM's states stand in that file.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub order: StatesOrder,
}

/// In which order the two parts of an LSTM's state stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatesOrder {
    /// `h`, then `c`.
    #[default]
    Hc,
    /// `c`, then `h`.
    Ch,
}

impl Default for StatesSettings {
    /// 1,000 documents, as arXiv:1906.10720.
    fn default() -> Self {
        Self { documents: 1000, most: 10_000, given: None, order: StatesOrder::Hc }
    }
}

/// How slow points are sought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FixedPointSettings {
    /// Where the input is held; the first one is the primary one.
    pub inputs: Vec<StaticInput>,
    /// States the search starts from, drawn by the seed.
    #[serde(alias = "seeds", deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub initial_states: usize,
    /// Standard deviation of normal noise added to these states, in units of the states; visited states alone
    /// lie near what attracts, and noise finds what does not.
    #[serde(deserialize_with = "setting::not_negative", skip_serializing_if = "setting::is_zero")]
    pub noise: f64,
    /// The tolerance that figures and claims are about: one of the finder's.
    #[serde(alias = "headline", deserialize_with = "setting::positive")]
    pub primary: f64,
    /// The search.
    pub finder: Finder,
    /// How the points of the primary tolerance are sought.
    pub search: SearchMethod,
    /// The thinning.
    pub selection: Selection,
    /// Points (primary input and tolerance) at which spectra are computed,
    /// evenly spread over those kept.
    #[serde(deserialize_with = "setting::whole::<_, 0, 1000000>")]
    pub spectra: usize,
    /// Points below the smallest tolerance for which a proof is tried and a spectrum computed, for
    /// each input, slowest first: so many near the states, and so many of those that exploring adds.
    #[serde(deserialize_with = "setting::whole::<_, 0, 1000000>")]
    pub proofs: usize,
    /// Searches without a limit of distance, which find what is farther, and saddles.
    #[serde(skip_serializing_if = "is_default")]
    pub explore: Explore,
    /// How the search goes on where the indices of the points found say that one is missing.
    #[serde(skip_serializing_if = "is_default")]
    pub deflate: Deflate,
    /// How points are counted by proof, where the state has four numbers or fewer.
    #[serde(skip_serializing_if = "is_default")]
    pub census: Census,
    /// More states to search from without a limit: a NumPy file, `[n, state]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<PathBuf>,
    /// Whether Jacobians and their left and right vectors are kept too, in a table of their own: three matrices of
    /// `state` by `state` a point.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub save_jacobians: bool,
}

pub(super) fn is_default<T: Default + PartialEq>(settings: &T) -> bool {
    *settings == T::default()
}

/// Who decides when a point is slow enough.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SearchMethod {
    /// Each initial state goes down by itself, by second-order steps, until its own speed is below the tolerance.
    #[default]
    #[serde(alias = "Each")]
    Sequential,
    /// As published: all initial states go down by Adam until the *mean* of their speeds is below the primary
    /// tolerance, 1,000 steps at most. Keep all points if their mean converged; otherwise those that did. Small
    /// steps leave a state where it is along slow modes, which second-order steps follow for a way. Other tolerances are
    /// each state's own.
    #[serde(alias = "Together")]
    Joint,
}

impl Default for FixedPointSettings {
    fn default() -> Self {
        Self {
            inputs: vec![StaticInput::Mean, StaticInput::Zero],
            initial_states: 512,
            noise: 0.0,
            primary: 1e-6,
            finder: Finder::default(),
            search: SearchMethod::Sequential,
            selection: Selection::default(),
            spectra: 64,
            proofs: 64,
            explore: Explore::default(),
            deflate: Deflate::default(),
            census: Census::default(),
            given: None,
            save_jacobians: false,
        }
    }
}

/// What is asked of the slow modes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModesSettings {
    /// Words in each set: most positive, most negative, closest to zero by the
    /// bag of words' coefficient.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub words: usize,
    /// Words with fewer occurrences are in no set.
    #[serde(deserialize_with = "setting::count")]
    pub least: usize,
    /// Neighbours of the locally linear embedding.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000>")]
    pub neighbours: usize,
    /// Test documents whose steps are compared with the linear ones.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub documents: usize,
    /// Test documents that are rolled out, and read in another order.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub rollouts: usize,
    /// Visited states that relax, are brought onto the slow manifold, and from which words
    /// are tried.
    #[serde(deserialize_with = "setting::whole::<_, 1, 1000000>")]
    pub states: usize,
    /// Steps of relaxation under the held input.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub relaxation: usize,
    /// Tokens for which the words of the sets are followed.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub later: usize,
    /// Whether a linear recurrent model is trained for comparison; takes as long
    /// as the network did.
    pub linear_model: bool,
}

impl Default for ModesSettings {
    fn default() -> Self {
        Self {
            words: 100,
            least: 100,
            neighbours: 12,
            documents: 50,
            rollouts: 500,
            states: 200,
            relaxation: 50,
            later: 50,
            linear_model: false,
        }
    }
}
