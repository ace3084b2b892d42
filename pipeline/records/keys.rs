//! Keys of `summary.json`: the main numbers of a run.
//!
//! A key that is not declared here does not compile, nor a number where text belongs.
//!
//! ```
//! use accrue::records::keys;
//! assert_eq!(keys::DIMENSION_STATES.name(), "dimension.states");
//! ```
//!
//! ```compile_fail,E0308
//! use accrue::{records::keys, report::Summary};
//! Summary::new().number(keys::CORPUS_NAME, 1.0);
//! ```

use super::schema::{Column, Presence};
use std::marker::PhantomData;

/// A key with the type of what stands under it: `f64`, or `String`.
pub struct Key<T> {
    name: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    const fn new(name: &'static str) -> Self {
        Self { name, of: PhantomData }
    }

    /// As it stands in the file.
    pub const fn name(self) -> &'static str {
        self.name
    }

    /// What it means.
    pub fn about(self) -> &'static str {
        KEYS.iter().find(|k| k.name == self.name).map_or("", |k| k.about)
    }
}

impl<T> std::fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Key<T> {}

impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// How the dictionary calls what stands under a key.
trait Value {
    const KIND: &'static str;
}

impl Value for f64 {
    const KIND: &'static str = "number";
}

impl Value for String {
    const KIND: &'static str = "text";
}

macro_rules! keys {
    ($($(#[doc = $about:literal])+ $key:ident: $kind:ty = $name:literal,)+) => {
        $($(#[doc = $about])+ pub const $key: Key<$kind> = Key::new($name);)+

        /// Every key, in the order of the file.
        pub const KEYS: &[Column] = &[$(Column {
            name: $name,
            kind: <$kind as Value>::KIND,
            presence: Presence::Always,
            about: concat!($($about),+).trim_ascii(),
        }),+];
    };
}

keys! {
    /// test accuracy of the network (share right; R² for a score)
    ACCURACY_NETWORK: f64 = "accuracy.network",
    /// the same before training, where that went on from weights trained elsewhere
    ACCURACY_START: f64 = "accuracy.start",
    /// the same of logistic regression on word counts
    ACCURACY_BAG_OF_WORDS: f64 = "accuracy.bag_of_words",
    /// the same for a bag of words and of frequent pairs of them (where `baseline.ngrams` asks)
    ACCURACY_BIGRAMS: f64 = "accuracy.bigrams",
    /// the same with triples
    ACCURACY_TRIGRAMS: f64 = "accuracy.trigrams",
    /// the same for a logistic probe on a frozen pretrained encoder (where `baseline.encoder` asks)
    ACCURACY_ENCODER: f64 = "accuracy.encoder",
    /// the same of the bag of words in context that validation data prefer
    ACCURACY_AUGMENTED: f64 = "accuracy.augmented",
    /// the same of always giving the commonest answer
    ACCURACY_MAJORITY: f64 = "accuracy.majority",
    /// mean squared error on test trials, over the steps that are scored (task studies)
    TASK_ERROR: f64 = "task.error",
    /// the same of the best constant answer, by the law of the task
    TASK_CHANCE: f64 = "task.chance",
    /// the same of the best answer there is, by the law of the task
    TASK_BEST: f64 = "task.best",
    /// objective on test problems, mean over the learned optimisers (learned optimisers)
    OPTIMISER_OBJECTIVE: f64 = "optimiser.objective",
    /// the same of the best tuned method
    OPTIMISER_BEST_METHOD: f64 = "optimiser.best_method",
    /// base models of the collection, copies included (maps of models)
    EMBEDDING_BASE_MODELS: f64 = "embedding.base_models",
    /// share of test phrases after which the meta-model says what the base model says, mean over base models and meta-models
    EMBEDDING_AGREEMENT: f64 = "embedding.agreement",
    /// share of the base models' state variance that the meta-model has, likewise
    EMBEDDING_R2: f64 = "embedding.r2",
    /// numbers of `θ` that are chosen on held-out training phrases (where `choose` asks)
    EMBEDDING_CHOSEN_DIMENSION: f64 = "embedding.chosen.dimension",
    /// weight of the states that is chosen there
    EMBEDDING_CHOSEN_LAMBDA: f64 = "embedding.chosen.lambda",
    /// curves of fixed points over segments of the first meta-model's map, between the middles of groups or clusters
    EMBEDDING_CURVES: f64 = "embedding.curves",
    /// of these, those that meet a bifurcation or do not reach the other end
    EMBEDDING_CURVES_CHANGED: f64 = "embedding.curves_changed",
    /// places on them where an eigenvalue crosses the unit circle
    EMBEDDING_BIFURCATIONS: f64 = "embedding.bifurcations",
    /// bytes of the base models' states and outputs on the training phrases
    EMBEDDING_BYTES: f64 = "embedding.bytes",
    /// 1 where states were read from a file as they were asked for, 0 where they were held in memory
    EMBEDDING_STREAMED: f64 = "embedding.streamed",
    /// steps of meta-training a second (learned optimisers, maps of models)
    META_STEPS_PER_SECOND: f64 = "train.meta_steps_per_second",
    /// claims of the papers that hold on this run
    CLAIMS_HELD: f64 = "claims.held",
    /// claims that were tested
    CLAIMS_TESTED: f64 = "claims.tested",
    /// training documents
    CORPUS_DOCUMENTS: f64 = "corpus.documents",
    /// training tokens
    CORPUS_TOKENS: f64 = "corpus.tokens",
    /// words
    CORPUS_VOCABULARY: f64 = "corpus.vocabulary",
    /// participation ratio of the states on test documents
    DIMENSION_STATES: f64 = "dimension.states",
    /// the same before training
    DIMENSION_UNTRAINED: f64 = "dimension.untrained",
    /// participation ratio of the slow points (primary input and tolerance); 0 for none
    DIMENSION_FIXED_POINTS: f64 = "dimension.fixed_points",
    /// participation ratio of the class means of word counts
    DIMENSION_PREDICTED: f64 = "dimension.predicted",
    /// 2.5th percentile, bootstrap over documents
    DIMENSION_PREDICTED_LOW: f64 = "dimension.predicted.low",
    /// 97.5th percentile
    DIMENSION_PREDICTED_HIGH: f64 = "dimension.predicted.high",
    /// the same corrected for sampling noise, from split halves
    DIMENSION_PREDICTED_UNBIASED: f64 = "dimension.predicted_unbiased",
    /// the same, each word's share divided by the root of its overall share
    DIMENSION_PREDICTED_SCALED: f64 = "dimension.predicted_scaled",
    /// 2.5th percentile
    DIMENSION_PREDICTED_SCALED_LOW: f64 = "dimension.predicted_scaled.low",
    /// 97.5th percentile
    DIMENSION_PREDICTED_SCALED_HIGH: f64 = "dimension.predicted_scaled.high",
    /// training documents that play no part in the prediction: their combination of labels is too rare for a row
    PREDICTION_LEFT_OUT: f64 = "prediction.left_out",
    /// 2.5th percentile
    DIMENSION_PREDICTED_UNBIASED_LOW: f64 = "dimension.predicted_unbiased.low",
    /// 97.5th percentile
    DIMENSION_PREDICTED_UNBIASED_HIGH: f64 = "dimension.predicted_unbiased.high",
    /// distinct slow points (primary input and tolerance)
    FIXED_POINTS_COUNT: f64 = "fixed_points.count",
    /// share of the searches that came below the primary tolerance
    FIXED_POINTS_REACHED: f64 = "fixed_points.reached",
    /// searches from visited states (primary input)
    FIXED_POINTS_SEARCHES: f64 = "fixed_points.searches",
    /// of these, searches that would have to go farther than `fixed_points.finder.max_distance`
    FIXED_POINTS_TOO_FAR: f64 = "fixed_points.too_far",
    /// of these, searches that ended at a minimum of q that is no zero
    FIXED_POINTS_STALLED: f64 = "fixed_points.stalled",
    /// of these, searches that ran out of steps
    FIXED_POINTS_OUT_OF_STEPS: f64 = "fixed_points.out_of_steps",
    /// searches without a limit of distance, from states run by the map, noisy, mixed and uniform ones
    FIXED_POINTS_EXPLORED: f64 = "fixed_points.explored",
    /// distinct points below the smallest tolerance, near the states or not (primary input)
    FIXED_POINTS_DISTINCT: f64 = "fixed_points.distinct",
    /// of these, points farther from the states than `fixed_points.finder.max_distance`
    FIXED_POINTS_FARTHER: f64 = "fixed_points.farther",
    /// of these, points for which a proof was tried
    FIXED_POINTS_TRIED: f64 = "fixed_points.tried",
    /// of these, proved to be fixed points
    FIXED_POINTS_CERTIFIED: f64 = "fixed_points.certified",
    /// of these, proved to attract
    FIXED_POINTS_STABLE: f64 = "fixed_points.stable",
    /// of those proved, proved to repel along some direction
    FIXED_POINTS_UNSTABLE: f64 = "fixed_points.unstable",
    /// Σ sign det(I − J) over these points, where all are proved: 1 for all fixed points of a recurrent cell, another
    /// number says that some were not found (Lefschetz)
    FIXED_POINTS_INDEX_SUM: f64 = "fixed_points.index_sum",
    /// saddles from which orbits were followed (first input)
    TRANSITIONS_SADDLES: f64 = "transitions.saddles",
    /// fixed points that attract, cycles and circles (first input)
    TRANSITIONS_ATTRACTORS: f64 = "transitions.attractors",
    /// orbits that leave saddles along unstable directions
    TRANSITIONS_ORBITS: f64 = "transitions.orbits",
    /// orbits beyond `transitions.follow.orbits`, which were not followed
    TRANSITIONS_LEFT_OUT: f64 = "transitions.left_out",
    /// of the orbits that were followed, those that end at a fixed point or in a cycle
    TRANSITIONS_ENDED: f64 = "transitions.ended",
    /// fixed points followed from the first held input to another
    CURVES_COUNT: f64 = "curves.count",
    /// places on these curves where an eigenvalue crosses the unit circle
    CURVES_BIFURCATIONS: f64 = "curves.bifurcations",
    /// cycles and invariant circles in which orbits from visited states end, over all held inputs
    CYCLES_COUNT: f64 = "cycles.count",
    /// 1 where the points are proved to be all fixed points there are, by a search through the whole box that leaves
    /// nothing out; 0 where that did not end; only for states of four numbers or fewer
    FIXED_POINTS_COMPLETE: f64 = "fixed_points.complete",
    /// median slowest time constant, tokens
    FIXED_POINTS_TAU_1: f64 = "fixed_points.tau_1",
    /// modes whose median time constant is at least the median document length
    FIXED_POINTS_SLOW_MODES: f64 = "fixed_points.slow_modes",
    /// share of the network's gain over words that words in context recover; absent where it reads no
    /// better than words
    RECOVERED_FRACTION: f64 = "recovered.fraction",
    /// 2.5th percentile, bootstrap over test documents
    RECOVERED_FRACTION_LOW: f64 = "recovered.fraction.low",
    /// 97.5th percentile
    RECOVERED_FRACTION_HIGH: f64 = "recovered.fraction.high",
    /// point (classes of the same counts: no shape), line, curve, simplex, product or other: the figure the class
    /// means draw
    SHAPE_PREDICTED: String = "shape.predicted",
    /// rank correlation of the gains of words by the text and by the network, over words whose gain
    /// by the text is known to ±1
    TEXT_GAINS_AGREEMENT: f64 = "text_gains.agreement",
    /// 2.5th percentile, bootstrap over words
    TEXT_GAINS_AGREEMENT_LOW: f64 = "text_gains.agreement.low",
    /// 97.5th percentile
    TEXT_GAINS_AGREEMENT_HIGH: f64 = "text_gains.agreement.high",
    /// these words
    TEXT_GAINS_COMPARED: f64 = "text_gains.compared",
    /// words after which the next ones count otherwise, by the labels alone (false discoveries .05)
    TEXT_GAINS_COUNT: f64 = "text_gains.count",
    /// these words, the surest first (only from `accrue predict --modifiers --json`)
    TEXT_GAINS_WORDS: String = "text_gains.words",
    /// relative error of the linear system's state, rolled out from the first step: mean over the networks of the first part
    /// (studies of switching linear systems)
    SWITCHING_STATE_ERROR: f64 = "switching.state_error",
    /// of one linear step around the nearest slow point: mean over the same networks trained alone
    SWITCHING_ONE_STEP_ERROR: f64 = "switching.one_step_error",
    /// share of the states' variance in two components
    STATES_VARIANCE_2: f64 = "states.variance_2",
    /// tokens a second of training, forward, backward and update
    TRAIN_TOKENS_PER_SECOND: f64 = "train.tokens_per_second",
    /// seconds in training steps
    TRAIN_SECONDS: f64 = "train.seconds",
    /// optimiser steps
    TRAIN_STEPS: f64 = "train.steps",
    /// 1 if the patience ran out
    TRAIN_STOPPED_EARLY: f64 = "train.stopped_early",
    /// seconds of all stages, each counted when it last ran
    TIME_SECONDS: f64 = "time.seconds",
    /// largest resident memory of any stage
    MEMORY_PEAK_BYTES: f64 = "memory.peak_bytes",
    /// seed of every random draw
    SEED: f64 = "seed",
    /// name of the corpus
    CORPUS_NAME: String = "corpus.name",
}
