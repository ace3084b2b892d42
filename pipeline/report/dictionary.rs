//! What every table and every summary number means.

use std::fmt::Write;

/// One column.
pub struct Field {
    /// Name.
    pub name: &'static str,
    /// Type, as polars calls it.
    pub kind: &'static str,
    /// Meaning, with unit and shape.
    pub about: &'static str,
}

/// One table.
pub struct Described {
    /// Name: the file is `tables/NAME.parquet`.
    pub name: &'static str,
    /// What a row is.
    pub about: &'static str,
    /// Columns.
    pub columns: &'static [Field],
}

const fn f(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, kind, about }
}

/// Every table of a run.
pub const TABLES: &[Described] = &[
    Described {
        name: "documents",
        about: "One row a document of the tokenised corpus.",
        columns: &[
            f("split", "str", "train, validation or test"),
            f("document", "u32", "number within the split, from 0"),
            f("tokens", "list[u32]", "token ids, rows of `vocabulary`"),
            f("label", "u32", "class index (single labels)"),
            f("labels", "list[u32]", "label indices (label lists)"),
            f("score", "list[f32]", "running score after each token (toy language)"),
        ],
    },
    Described {
        name: "vocabulary",
        about: "One row a token id.",
        columns: &[
            f("id", "u32", "token id"),
            f("word", "str", "its text"),
            f("count", "u32", "occurrences in the training split"),
        ],
    },
    Described {
        name: "weights",
        about: "One row an array of a weights file from elsewhere (`accrue analyze`).",
        columns: &[
            f("array", "str", "its name in the file"),
            f("shape", "list[f64]", "its shape there"),
            f("role", "str", "what it was taken as, or `not used`"),
        ],
    },
    Described {
        name: "training",
        about: "One row every few optimiser steps: means over the steps since the row before.",
        columns: &[
            f("step", "u64", "steps taken"),
            f("epoch", "f64", "passes over the training split"),
            f(
                "loss",
                "f64",
                "mean data loss of the batches, nats a document (a label, for label lists; squared units for a score)",
            ),
            f("penalty", "f64", "penalty at the last step, added to the loss"),
            f("accuracy", "f64", "share right on the batches, before each step (R² for a score)"),
            f("learning_rate", "f64", "learning rate of the last step"),
            f("gradient_norm", "f64", "mean global gradient norm before the clip"),
            f("tokens", "u64", "tokens read so far"),
            f("seconds", "f64", "seconds of training so far, validation not counted"),
            f("validation_loss", "f64", "loss on the validation split, where it was measured"),
            f("validation_accuracy", "f64", "accuracy there"),
        ],
    },
    Described {
        name: "states",
        about: "One row a visited state of a test document, thinned.",
        columns: &[
            f("document", "u64", "test document, as in `documents`"),
            f("token", "u64", "position of the token just read, from 0"),
            f("length", "u64", "tokens of the document"),
            f("word", "str", "the token just read"),
            f("label", "str", "the document's own label(s)"),
            f("predicted", "str", "what the readout says at this state"),
            f("pc_1", "f64", "coordinate on the first principal component of all states"),
            f("pc_2", "f64", "on the second"),
            f("pc_3", "f64", "on the third"),
            f("readout", "list[f64]", "[outputs] logits at this state"),
            f("state", "list[f64]", "[state] the state itself; [h; c] for the LSTM"),
        ],
    },
    Described {
        name: "axes",
        about: "Mean state (component 0) and principal directions of all states.",
        columns: &[
            f("component", "u64", "0 for the mean, then 1, 2, …, descending variance"),
            f("variance", "f64", "variance of the states along it, 1/(m−1) (0 for the mean)"),
            f(
                "untrained_variance",
                "f64",
                "variance of the same rank for the network before training (absent for weights \
                 from elsewhere)",
            ),
            f("direction", "list[f64]", "[state] unit vector (for component 0 the mean state)"),
        ],
    },
    Described {
        name: "spectrum",
        about: "Variance along each principal component of one set of points.",
        columns: &[
            f(
                "source",
                "str",
                "states, untrained (states before training), fixed_points (headline)",
            ),
            f("component", "u64", "from 1, descending variance"),
            f("variance", "f64", "variance, 1/(m−1); squared units of the points"),
            f("ratio", "f64", "share of the total"),
            f("cumulative", "f64", "sum of the shares so far"),
        ],
    },
    Described {
        name: "spectrum_predicted",
        about: "The same for the class means of word counts, which know no network.",
        columns: &[
            f(
                "source",
                "str",
                "predicted (class means of word counts), predicted_unbiased (without sampling noise, from split halves), predicted_scaled (and each word divided by the root of its share)",
            ),
            f("component", "u64", "from 1, descending variance"),
            f(
                "variance",
                "f64",
                "variance, 1/(rows−1); squared shares of tokens; may be negative for predicted_unbiased",
            ),
            f("ratio", "f64", "share of the total"),
            f("cumulative", "f64", "sum of the shares so far"),
        ],
    },
    Described {
        name: "dimensions",
        about: "One row a set of points and measure of dimension.",
        columns: &[
            f("source", "str", "as in `spectrum`"),
            f(
                "measure",
                "str",
                "participation_ratio, variance_90, variance_95, variance_n (share N/(N+1) for N labels); from close by, on at most 2,000 points: local_participation_ratio (of the nearest 50 a label, mean over 20 points), levina_bickel_10, _50, _100 (maximum likelihood from so many neighbours), correlation (slope of the share of close pairs)",
            ),
            f("value", "f64", "dimensions"),
            f("n", "u64", "points"),
        ],
    },
    Described {
        name: "restricted",
        about: "Test accuracy when the state that is read keeps only its first principal components, its mean for the rest.",
        columns: &[
            f("components", "u64", "components kept; 0 reads the mean state"),
            f("accuracy", "f64", "share right"),
            f("n", "u64", "documents"),
        ],
    },
    Described {
        name: "memory",
        about: "What each principal component remembers: how much of its variance over visited states leaky sums of the words' evidence explain.",
        columns: &[
            f("component", "u64", "principal component of the states"),
            f("ratio", "f64", "its share of the variance"),
            f("memory", "f64", "time constant of the sums, tokens; inf: nothing is forgotten"),
            f(
                "explained",
                "f64",
                "R², fitted in half of the documents, measured in the others; below 0 it says less than the mean",
            ),
            f("together", "f64", "the same for the sums of all memories at once"),
            f("n", "u64", "states it was measured on"),
        ],
    },
    Described {
        name: "dimensions_predicted",
        about: "The dimensions that word counts predict.",
        columns: &[
            f("source", "str", "as in `spectrum_predicted`"),
            f("measure", "str", "participation_ratio"),
            f("value", "f64", "dimensions"),
            f("low", "f64", "2.5th percentile of the bootstrap over documents"),
            f("high", "f64", "97.5th percentile"),
            f("n", "u64", "training documents"),
        ],
    },
    Described {
        name: "fixed_points",
        about: "One row a slow point that was kept, for each held input and tolerance.",
        columns: &[
            f(
                "input",
                "str",
                "where the input is held: zero, mean (mean token of the corpus), uniform (mean over the vocabulary), or a word",
            ),
            f("tolerance", "f64", "the point is the first below this speed on its way"),
            f("q", "f64", "speed ½‖F(h,x*) − h‖² at the point returned: half the sum over units"),
            f("moved", "f64", "Euclidean distance from the seed state"),
            f("steps", "u64", "Levenberg–Marquardt steps from the seed"),
            f(
                "stop",
                "str",
                "why the whole search from this seed ended: converged, stalled, too_far, out_of_steps",
            ),
            f("seed_state", "u64", "row of `states` the search started from"),
            f(
                "certified",
                "bool",
                "a fixed point is proved within `radius`; null where no proof was tried",
            ),
            f("radius", "f64", "radius of the proof, maximum norm"),
            f("stable", "bool", "proved to attract; null where no proof was tried"),
            f("spectral_bound", "f64", "proved upper bound of the spectral radius"),
            f(
                "tau_1",
                "f64",
                "slowest time constant |1/ln|λ||, tokens; null where no spectrum was computed",
            ),
            f("tau_2", "f64", "second slowest"),
            f("tau_3", "f64", "third slowest"),
            f("unstable", "u64", "eigenvalues outside the unit circle"),
            f("pc_1", "f64", "coordinate on the first principal component of the states"),
            f("pc_2", "f64", "on the second"),
            f("pc_3", "f64", "on the third"),
            f("readout", "list[f64]", "[outputs] logits at the point"),
            f("state", "list[f64]", "[state] every coordinate"),
        ],
    },
    Described {
        name: "searches",
        about: "One row a held input and tolerance: how the search went.",
        columns: &[
            f("input", "str", "as in `fixed_points`"),
            f("tolerance", "f64", "speed"),
            f("seeds", "u64", "searches started"),
            f(
                "reached",
                "u64",
                "searches that came below the tolerance; all, at the headline's, where they were led together and their mean did",
            ),
            f("kept", "u64", "points kept as distinct"),
            f(
                "median_moved",
                "f64",
                "median distance from the seed, in median state norms, of those that did",
            ),
            f(
                "too_far",
                "u64",
                "searches of this input that ended where only steps out of reach lead further down",
            ),
            f("stalled", "u64", "searches of this input that ended at a minimum that is no zero"),
            f("out_of_steps", "u64", "searches of this input that ran out of steps"),
            f("participation_ratio", "f64", "dimension of the points kept"),
        ],
    },
    Described {
        name: "eigenvalues",
        about: "One row a mode of the Jacobian at a slow point (headline input and tolerance).",
        columns: &[
            f("point", "u64", "row of `fixed_points`"),
            f("mode", "u64", "from 1, largest modulus first"),
            f("re", "f64", "real part"),
            f("im", "f64", "imaginary part"),
            f("modulus", "f64", "|λ|"),
            f("tau", "f64", "time constant |1/ln|λ||, tokens"),
        ],
    },
    Described {
        name: "lyapunov",
        about: "How long differences last while test documents are read: Lyapunov exponents along them, no input held.",
        columns: &[
            f("mode", "u64", "from 1, longest memory first"),
            f(
                "exponent",
                "f64",
                "mean ln of what the mode is stretched by at a token, over documents, their first third left out",
            ),
            f("low", "f64", "2.5th percentile of the bootstrap over documents"),
            f("high", "f64", "97.5th percentile"),
            f("tau", "f64", "time constant 1/|exponent|, tokens"),
            f("n", "u64", "documents"),
        ],
    },
    Described {
        name: "readouts",
        about: "One row an output of the network.",
        columns: &[
            f("output", "u64", "index"),
            f("name", "str", "its label"),
            f("norm", "f64", "length of the readout vector"),
            f("pc_1", "f64", "its share along the first principal component of the states"),
            f("pc_2", "f64", "along the second"),
            f("pc_3", "f64", "along the third"),
            f("in_span", "f64", "share of its length within the span of the other readouts"),
            f("angles", "list[f64]", "[outputs] angle to every readout, degrees"),
        ],
    },
    Described {
        name: "prediction",
        about: "One row a class (or combination of labels): a row of the class-mean matrix.",
        columns: &[
            f("row", "str", "class, label, or combination"),
            f("documents", "u64", "training documents behind it"),
        ],
    },
    Described {
        name: "words",
        about: "One row a word of the vocabulary.",
        columns: &[
            f("word", "str", "text"),
            f("id", "u64", "token id"),
            f("count", "u64", "occurrences in the training split"),
            f(
                "evidence",
                "list[f64]",
                "[labels] log-odds of the word inside and outside the label's documents, nats",
            ),
            f(
                "bag_of_words",
                "list[f64]",
                "[outputs] coefficient of the logistic regression, logits an occurrence",
            ),
            f(
                "network",
                "list[f64]",
                "[outputs] change of the readout by the word at the central state, beyond the held input's, logits",
            ),
        ],
    },
    Described {
        name: "accuracies",
        about: "One row a model, on the test split.",
        columns: &[
            f(
                "model",
                "str",
                "network, bag_of_words, bigrams, trigrams and encoder (where `baseline` asks), majority (always the commonest answer)",
            ),
            f("accuracy", "f64", "share right (R² for a score)"),
            f("low", "f64", "95 % interval (Wilson)"),
            f("high", "f64", "its upper end"),
            f("n", "u64", "answers"),
        ],
    },
    Described {
        name: "penalties",
        about: "One row a penalty tried for the bag of words.",
        columns: &[
            f("penalty", "f64", "λ in λ/2‖β‖²"),
            f("validation_loss", "f64", "mean loss on the validation split, nats"),
            f("validation_accuracy", "f64", "accuracy there"),
            f("converged", "bool", "whether the fit reached its gradient tolerance"),
        ],
    },
    Described {
        name: "modes",
        about: "One row a slow point with a spectrum: its slow mode.",
        columns: &[
            f("point", "u64", "row of `fixed_points`"),
            f("theta", "f64", "coordinate along the points, −1 … 1 (locally linear embedding)"),
            f(
                "rank_agreement",
                "f64",
                "|Spearman correlation| of theta with the first component of the points (same in every row)",
            ),
            f("residual", "f64", "‖F(h*,x*) − h*‖, state units"),
            f("condition", "f64", "condition of the eigenvectors; 1 for a normal Jacobian"),
            f("tau_1", "f64", "slowest time constant |1/ln|λ||, tokens"),
            f("tau_2", "f64", "second slowest"),
            f("tau_3", "f64", "third slowest"),
            f("overlap_tangent", "f64", "|cosine| of the slow mode r₁ with the local tangent"),
            f("overlap_axis", "f64", "|cosine| of r₁ with the points' first component"),
            f("positive", "f64", "mean ℓ₁ᵀ J_inp (x − x*) over the most positive words"),
            f("negative", "f64", "the same over the most negative words"),
            f("neutral", "f64", "the same over the words closest to zero"),
            f("auc", "f64", "probability that a positive word's exceeds a negative word's"),
        ],
    },
    Described {
        name: "word_modes",
        about: "One row a word: what it adds to the slow mode at the central slow point.",
        columns: &[
            f("word", "str", "text"),
            f("count", "u64", "occurrences in the training split"),
            f(
                "coefficient",
                "f64",
                "of the bag of words, logits an occurrence (last output against the first)",
            ),
            f("selected", "f64", "ℓ₁ᵀ J_inp (x − x*)"),
            f(
                "effect_1",
                "f64",
                "J_inp (x − x*) along the first principal component of the slow points",
            ),
            f("effect_2", "f64", "along the second"),
            f("selects_1", "f64", "ℓ₁, unit length, along the first; the same in every row"),
            f("selects_2", "f64", "along the second"),
            f("set", "str", "positive, negative, neutral, or none"),
        ],
    },
    Described {
        name: "impulse",
        about: "One row a set of words and a delay: what they leave behind, read along the readout, at the central slow point.",
        columns: &[
            f("set", "str", "positive, negative or neutral, by the bag of words"),
            f("later", "u64", "tokens read since, the input held"),
            f(
                "network",
                "f64",
                "readout difference between the path with the word and without, mean",
            ),
            f("linear", "f64", "Σₐ λₐᵏ (wᵀ rₐ)(ℓₐᵀ J_inp (x − x*)), mean over the words"),
            f("slow_mode", "f64", "the slowest mode's term alone"),
            f("n", "u64", "words"),
        ],
    },
    Described {
        name: "deflections",
        about: "One row a chosen word: how it moves the state, mean over visited states. The words with most evidence for each label by counts, and the most neutral.",
        columns: &[
            f("word", "str", "text"),
            f("label", "str", "the label it is evidence for; empty for a neutral word"),
            f("length", "f64", "‖mean of F(h, x) − h‖ over the states"),
            f(
                "in_plane",
                "f64",
                "the same within the plane of the states' first components (classes less one, or labels)",
            ),
            f("pc_1", "f64", "the mean along the first principal component of the states"),
            f("pc_2", "f64", "along the second"),
            f("pc_3", "f64", "along the third"),
            f("along", "f64", "cosine with the label's readout vector, both in that plane"),
            f("n", "u64", "states"),
        ],
    },
    Described {
        name: "deflection_field",
        about: "One row a visited state and the first word of a label, or the most neutral: where the word moves the state.",
        columns: &[
            f("word", "str", "text"),
            f("label", "str", "the label it is evidence for; empty for the neutral word"),
            f("from_1", "f64", "the state along the first principal component of the states"),
            f("from_2", "f64", "along the second"),
            f("by_1", "f64", "F(h, x) − h along the first"),
            f("by_2", "f64", "along the second"),
        ],
    },
    Described {
        name: "shuffled",
        about: "One row a test document whose words were read in another order, drawn by the seed.",
        columns: &[
            f("document", "u64", "number in the test split"),
            f("change", "f64", "distance of the last state from where it was, share of its norm"),
            f("agrees", "bool", "whether the network's answer stayed"),
        ],
    },
    Described {
        name: "units",
        about: "One row a unit and a token of two documents, of the first and the last class.",
        columns: &[
            f("document", "u64", "number in the test split"),
            f("label", "str", "its class"),
            f("token", "u64", "position, from 0"),
            f("unit", "u64", "index among the units, evenly spaced"),
            f("activation", "f64", "h of that unit after the token"),
        ],
    },
    Described {
        name: "relaxation",
        about: "One row a step under the held input, from visited states.",
        columns: &[
            f("step", "u64", "steps taken"),
            f("low", "f64", "‖h′ − h‖/‖h‖ of this step, 10th percentile of the states"),
            f("median", "f64", "median"),
            f("high", "f64", "90th percentile"),
            f("n", "u64", "states"),
        ],
    },
    Described {
        name: "manifold",
        about: "One row a visited state brought onto the slow manifold: solved along all modes but the slowest.",
        columns: &[
            f("drift", "f64", "step along the manifold that is left, state units a token"),
            f("off", "f64", "largest entry of the rest of the residual"),
            f("moved", "f64", "distance from the visited state"),
            f("steps", "u64", "Newton steps"),
            f("pc_1", "f64", "coordinate on the first principal component of the states"),
            f("pc_2", "f64", "on the second"),
            f("pc_3", "f64", "on the third"),
        ],
    },
    Described {
        name: "one_step",
        about: "One row a step of a test document: the linear step at the nearest slow point.",
        columns: &[
            f("document", "u64", "test document, as in `documents`"),
            f("token", "u64", "position of the token, from 0"),
            f("distance", "f64", "distance of the state before it to the nearest slow point"),
            f("error", "f64", "‖F(h,x) − linear step‖/‖F(h,x)‖"),
        ],
    },
    Described {
        name: "linear",
        about: "One row a model, on drawn test documents (linear_trained: on all of them).",
        columns: &[
            f(
                "model",
                "str",
                "network; linearised_nearest (linear steps at the nearest slow point, rolled out); linearised_fixed (at the central one); linear_trained (a linear recurrent model trained as such; absent where it was not asked for or diverged)",
            ),
            f("accuracy", "f64", "share right"),
            f("low", "f64", "95 % interval (Wilson)"),
            f("high", "f64", "its upper end"),
            f("n", "u64", "documents"),
        ],
    },
    Described {
        name: "claims",
        about: "One row a claim of the papers, measured on this run (one network, one seed).",
        columns: &[
            f("claim", "str", "its code; *Claims*, below, lists them"),
            f("statement", "str", "what is claimed"),
            f("measured", "f64", "what was found"),
            f("low", "f64", "95 % interval over points or steps (bootstrap), where there is one"),
            f("high", "f64", "its upper end"),
            f("n", "u64", "points, steps, states or documents behind it"),
            f("reference", "str", "published value; criterion"),
            f("holds", "bool", "whether the criterion is met"),
        ],
    },
    Described {
        name: "bag_of_words",
        about: "One row an output of the bag of words; its coefficients are in `words`.",
        columns: &[
            f("output", "u64", "index"),
            f("bias", "f64", "logits (for a score, units)"),
            f("penalty", "f64", "the chosen λ"),
        ],
    },
    Described {
        name: "modifiers",
        about: "One row a word that is frequent enough, strongest effect first: how it changes the reading of other words, at the central slow point; at the mean of the states, where there is none.",
        columns: &[
            f("word", "str", "text"),
            f("id", "u64", "token id"),
            f("count", "u64", "occurrences in the training split"),
            f("effect", "f64", "change of the probes' readout, share of their plain readout"),
            f("null_quantile", "f64", "share of shuffled displacements with a smaller effect"),
            f(
                "discovery_rate",
                "f64",
                "share of false discoveries among the words from the first to this one (Benjamini & Hochberg)",
            ),
            f(
                "gain",
                "f64",
                "change along the plain readout: −2 turns good into as much of bad, +1 doubles",
            ),
            f("gain_mean", "f64", "mean gain over several places along the line"),
            f("gain_deviation", "f64", "standard deviation over these places"),
            f("contexts", "u64", "the places, the middle among them"),
            f(
                "tau",
                "f64",
                "time constant of the effect, tokens, from the lag at which half is left; null beyond the strongest 200, or where it lasts longer than 40",
            ),
            f("tau_fitted", "f64", "τ of the exponential fitted to the effect at all lags, tokens"),
            f("tau_low", "f64", "95 % interval of tau_fitted, from the error of the slope"),
            f("tau_high", "f64", "its upper end; infinite where the effect may not fade"),
            f("component_1", "f64", "coordinate on the first component of the barcodes"),
            f(
                "cluster",
                "f64",
                "group of modifiers with like barcodes (mean cosine above .5), the largest 1; null for words within the null",
            ),
        ],
    },
    Described {
        name: "modifier_subspace",
        about: "One row a modifier of the network (at most 100): where it moves the state, the line and what words of its valence do left aside.",
        columns: &[
            f("word", "str", "text"),
            f("gain", "f64", "as in `modifiers`"),
            f("s_1", "f64", "coordinate on the first direction of the subspace"),
            f("s_2", "f64", "on the second; null where it has one"),
            f("s_3", "f64", "on the third"),
            f("inside", "f64", "share of the displacement's length inside the subspace"),
            f(
                "directions",
                "u64",
                "directions that hold .9 of the displacements (same in every row)",
            ),
            f("share_1", "f64", "share that the first holds"),
            f("share_2", "f64", "the second"),
            f("share_3", "f64", "the third"),
        ],
    },
    Described {
        name: "blocking",
        about: "One row a set of test documents and a way of reading: with the modifier subspace open, and with the state's part in it set to that of the nearest slow point.",
        columns: &[
            f("documents", "str", "all; with (a modifier in it); without"),
            f(
                "reading",
                "str",
                "open; after_modifiers (blocked there); always (blocked at every token)",
            ),
            f("measure", "str", "accuracy, or squared_error of a score at the end"),
            f("value", "f64", "its mean"),
            f("low", "f64", "95 % interval (Wilson); NaN for an error"),
            f("high", "f64", "its upper end"),
            f("n", "u64", "documents"),
        ],
    },
    Described {
        name: "phrases",
        about: "One row a modifier and a probe word: what the word says in the middle of the line, after the modifier, and after it with the subspace blocked.",
        columns: &[
            f("modifier", "str", "text"),
            f("word", "str", "the probe"),
            f("plain", "f64", "change of the readout, logits (for a score, units)"),
            f("modified", "f64", "after the modifier"),
            f("blocked", "f64", "after the modifier, its part in the subspace taken away"),
        ],
    },
    Described {
        name: "positions",
        about: "One row a place from either end of a document: how much a word there counts against one in the middle.",
        columns: &[
            f("from", "str", "beginning; end"),
            f("words", "u64", "words before it, or after it"),
            f("gain", "f64", "⟨its effect, the usual effect⟩/⟨usual, usual⟩ over the probe words"),
            f(
                "gain_blocked",
                "f64",
                "from the initial state without its part in the modifier subspace; null at the end, and without modifiers",
            ),
            f(
                "initial_inside",
                "f64",
                "share of the initial state's distance to the nearest slow point that lies in the subspace (same in every row)",
            ),
        ],
    },
    Described {
        name: "text_gains",
        about: "One row a word that is frequent enough: how the training text itself says that it changes the next two words, the surest first; no network is asked.",
        columns: &[
            f("word", "str", "text"),
            f("id", "u64", "token id"),
            f("documents", "u64", "training documents in which words follow it"),
            f(
                "gain",
                "f64",
                "gain on the valence of the next two words, as in `modifiers`: −2 turns good into as much of bad, +1 doubles; by logistic regression beside a bag of words that has not seen the document",
            ),
            f(
                "low",
                "f64",
                "95 % interval (the greater of the model's and White's errors, widened to what most words show)",
            ),
            f("high", "f64", "its upper end"),
            f(
                "p",
                "f64",
                "probability of a gain as far from zero where there is none; 1 where the fit did not converge",
            ),
            f("discovery_rate", "f64", "as in `modifiers`"),
            f(
                "converged",
                "bool",
                "whether the gain came to rest, to a twentieth of its error; few occurrences may be fitted by any gain",
            ),
        ],
    },
    Described {
        name: "candidates",
        about: "One row a word that is frequent enough: how much the loss of the bag of words asks for it as a modifier; no network is asked.",
        columns: &[
            f("word", "str", "text"),
            f("id", "u64", "token id"),
            f(
                "score",
                "f64",
                "score statistic of its strength at zero; about χ² with one degree of freedom for a word that modifies nothing",
            ),
        ],
    },
    Described {
        name: "augmented",
        about: "One row a bag of words, with more and more context; test split.",
        columns: &[
            f(
                "model",
                "str",
                "bag_of_words; ends (first and last words count differently); modifiers (strength and time constant a modifier); modifiers_untied (modified words have a valence of their own); taps (a strength at each of the next 5 tokens, multiplied); …_ends (both); network_shuffled (the network, the words of each document in another order: what it gains without context); network",
            ),
            f("accuracy", "f64", "share right (R² for a score)"),
            f("low", "f64", "95 % interval (Wilson)"),
            f("high", "f64", "its upper end"),
            f("n", "u64", "answers"),
            f("validation_loss", "f64", "mean loss on the validation split, nats"),
            f(
                "recovered",
                "f64",
                "(accuracy − words)/(network − words); NaN where the network reads no better than words",
            ),
            f("recovered_low", "f64", "2.5th percentile, bootstrap over test documents"),
            f("recovered_high", "f64", "97.5th percentile"),
        ],
    },
    Described {
        name: "context_words",
        about: "One row a word: every number of the model of the family that validation data prefer.",
        columns: &[
            f("word", "str", "text"),
            f("count", "u64", "occurrences in the training split"),
            f("valence", "list[f64]", "[outputs] β, logits an occurrence"),
            f("modified", "list[f64]", "[outputs] β̃, times the modification μ"),
            f("strength", "f64", "a_m of a modifier; null for other words"),
            f("tau", "f64", "its time constant, tokens"),
            f(
                "taps",
                "list[f64]",
                "[5] its strength at distances 1 to 5, where the model has taps; else empty",
            ),
            f("beginning", "f64", "a_B; null where the model has no ends (same in every row)"),
            f("beginning_tau", "f64", "τ_B, tokens"),
            f("end", "f64", "a_E"),
            f("end_tau", "f64", "τ_E, tokens"),
        ],
    },
    Described {
        name: "cases",
        about: "One row a case of a grid (in the grid's own folder).",
        columns: &[
            f("case", "u64", "number, from 0"),
            f("name", "str", "folder under `cases/`"),
            f("finished", "bool", "whether all its stages were passed"),
            f("failure", "str", "why not; empty where it finished"),
        ],
    },
    Described {
        name: "case_settings",
        about: "One row a case and axis of the grid.",
        columns: &[
            f("case", "u64", "as in `cases`"),
            f("setting", "str", "path of the setting"),
            f("value", "str", "its value"),
        ],
    },
    Described {
        name: "case_numbers",
        about: "One row a case and summary key.",
        columns: &[
            f("case", "u64", "as in `cases`"),
            f("key", "str", "key of `summary.json`"),
            f("value", "f64", "its number"),
        ],
    },
    Described {
        name: "case_trends",
        about: "One row an axis of a grid (of three values or more that have an order) and a number: how it changes along the axis.",
        columns: &[
            f("setting", "str", "the axis"),
            f(
                "among",
                "str",
                "what the cases share along the other axes but for the seed; empty for all cases together",
            ),
            f("key", "str", "the summary number"),
            f(
                "spearman",
                "f64",
                "rank correlation with the value's place on the axis, over these cases",
            ),
            f("falls", "bool", "whether the median falls from each value to the next"),
            f("medians", "list[f64]", "median over these cases, for each value in order"),
            f("n", "u64", "cases"),
            f("claim", "str", "what a paper says of this number along this axis; else empty"),
            f("holds", "bool", "whether it is so; null where none speaks of it"),
        ],
    },
    Described {
        name: "case_modifiers",
        about: "One row a word that all networks of a grid have measured that differ by their seed alone, smallest p first: how it changes the reading of other words, over these networks.",
        columns: &[
            f("group", "str", "the other settings along the grid's axes"),
            f("word", "str", "text"),
            f("gain", "f64", "median over the networks of `gain` in `modifiers`"),
            f("gain_low", "f64", "its smallest value"),
            f("gain_high", "f64", "its largest value"),
            f("networks", "u64", "networks"),
            f("beyond", "u64", "of them, those in which it lies beyond the null's 99th percentile"),
            f("p", "f64", "the networks' p-values put together (Fisher)"),
            f(
                "discovery_rate",
                "f64",
                "share of false discoveries among the words from the first to this one (Benjamini & Hochberg)",
            ),
            f(
                "text_gain",
                "f64",
                "median over the networks of `gain` in `text_gains`, each from the part of the text it was taught with; NaN where none came to rest",
            ),
            f("text_low", "f64", "median of the lower ends of its 95 % interval"),
            f("text_high", "f64", "median of the upper ends"),
        ],
    },
    Described {
        name: "case_augmented",
        about: "One row a model of `augmented`, for the networks of a grid that differ by their seed alone: what words in context recover of these networks' gain.",
        columns: &[
            f("group", "str", "the other settings along the grid's axes"),
            f("model", "str", "which extensions are on, as in `augmented`"),
            f("networks", "u64", "networks"),
            f("accuracy", "f64", "median over the networks of its accuracy on the test split"),
            f("accuracy_low", "f64", "its smallest value"),
            f("accuracy_high", "f64", "its largest value"),
            f(
                "recovered",
                "f64",
                "(model - words) / (network - words), of means over the networks; NaN for words and networks themselves, and where these read no better than words",
            ),
            f("recovered_low", "f64", "lower end of its 95 % interval, bootstrap over networks"),
            f("recovered_high", "f64", "upper end"),
        ],
    },
    Described {
        name: "probes",
        about: "One row a context and a valence word of the toy language: what the word adds to the readout there.",
        columns: &[
            f("context", "str", "what was read just before; empty for neutral words only"),
            f("word", "str", "the valence word"),
            f("planted", "f64", "what the language says it adds"),
            f("linear", "f64", "wᵀ J_inp(h) (x − x*) at the mean state of the context"),
            f("full", "f64", "wᵀ (F(h, x) − h) from there"),
        ],
    },
    Described {
        name: "probe_states",
        about: "One row a context of the toy language: its mean state over phrases of neutral words.",
        columns: &[
            f("context", "str", "as in `probes`"),
            f("norm", "f64", "norm of the mean state"),
            f(
                "off_line",
                "f64",
                "distance to the line through the slow points, mean over the phrases",
            ),
            f(
                "off_noise_line",
                "f64",
                "the same to the line through the slow points while a neutral word is held; null where none were sought there",
            ),
            f("n", "u64", "phrases"),
            f(
                "error",
                "f64",
                "mean squared error of the readout over all steps of test phrases; the same in every row",
            ),
            f("scored", "u64", "those phrases"),
        ],
    },
    Described {
        name: "mode_deletion",
        about: "One row a modifier of the toy language and number of modes: a valence word after it, with and without the modes that carry the modifier's deflection.",
        columns: &[
            f("modifier", "str", "the modifier"),
            f("word", "str", "the valence word"),
            f(
                "modes",
                "u64",
                "modes taken out: this one and those of the rows before; of the not's, turning pairs only",
            ),
            f("re", "f64", "real part of the mode's eigenvalue"),
            f("im", "f64", "imaginary part"),
            f(
                "angle",
                "f64",
                "principal angle between the deflection and the mode's left vectors, degrees",
            ),
            f("modified", "f64", "what the word adds after the modifier"),
            f("deleted", "f64", "the same with the modes taken out of the deflection"),
            f("plain", "f64", "what the word adds after a neutral word"),
            f("plain_deleted", "f64", "the same with the modes taken out of that deflection"),
        ],
    },
    Described {
        name: "runs",
        about: "One row a network of the folder of runs, beside its `index.html`: the predicted and the found dimension.",
        columns: &[
            f("run", "str", "its folder, below the folder of runs"),
            f(
                "predicted",
                "f64",
                "participation ratio of the class means of counts, scaled, without noise",
            ),
            f("found", "f64", "participation ratio of the network's states"),
            f("reason", "str", "where they are more than .5 apart: what the accuracies say of it"),
        ],
    },
    Described {
        name: "case_claims",
        about: "One row a case and claim.",
        columns: &[
            f("case", "u64", "as in `cases`"),
            f("claim", "str", "as in `claims`"),
            f("measured", "f64", "as in `claims`"),
            f("holds", "bool", "as in `claims`"),
            f("reference", "str", "as in `claims`"),
        ],
    },
    Described {
        name: "notes",
        about: "What was cut, dropped or doubtful on the way, in sentences.",
        columns: &[f("stage", "str", "where"), f("note", "str", "what")],
    },
];

/// Every key of `summary.json`.
pub const SUMMARY: &[Field] = &[
    f("accuracy.network", "number", "test accuracy of the network (share right; R² for a score)"),
    f(
        "accuracy.start",
        "number",
        "the same before training, where that went on from weights trained elsewhere",
    ),
    f("accuracy.bag_of_words", "number", "the same of logistic regression on word counts"),
    f(
        "accuracy.bigrams",
        "number",
        "the same for a bag of words and of frequent pairs of them (where `baseline.ngrams` asks)",
    ),
    f("accuracy.trigrams", "number", "the same with triples"),
    f(
        "accuracy.encoder",
        "number",
        "the same for a logistic probe on a frozen pretrained encoder (where `baseline.encoder` asks)",
    ),
    f(
        "accuracy.augmented",
        "number",
        "the same of the bag of words in context that validation data prefer",
    ),
    f("accuracy.majority", "number", "the same of always giving the commonest answer"),
    f(
        "task.error",
        "number",
        "mean squared error on test trials, over the steps that are scored (task studies)",
    ),
    f("task.chance", "number", "the same of the best constant answer, by the law of the task"),
    f("task.best", "number", "the same of the best answer there is, by the law of the task"),
    f("claims.held", "number", "claims of the papers that hold on this run"),
    f("claims.tested", "number", "claims that were tested"),
    f("corpus.documents", "number", "training documents"),
    f("corpus.tokens", "number", "training tokens"),
    f("corpus.vocabulary", "number", "words"),
    f("dimension.states", "number", "participation ratio of the states on test documents"),
    f("dimension.untrained", "number", "the same before training"),
    f(
        "dimension.fixed_points",
        "number",
        "participation ratio of the slow points (headline input and tolerance); 0 for none",
    ),
    f("dimension.predicted", "number", "participation ratio of the class means of word counts"),
    f("dimension.predicted.low", "number", "2.5th percentile, bootstrap over documents"),
    f("dimension.predicted.high", "number", "97.5th percentile"),
    f(
        "dimension.predicted_unbiased",
        "number",
        "the same without sampling noise, from split halves",
    ),
    f(
        "dimension.predicted_scaled",
        "number",
        "the same, each word's share divided by the root of its overall share",
    ),
    f("dimension.predicted_scaled.low", "number", "2.5th percentile"),
    f("dimension.predicted_scaled.high", "number", "97.5th percentile"),
    f("dimension.predicted_unbiased.low", "number", "2.5th percentile"),
    f("dimension.predicted_unbiased.high", "number", "97.5th percentile"),
    f("fixed_points.count", "number", "distinct slow points (headline input and tolerance)"),
    f(
        "fixed_points.reached",
        "number",
        "share of the searches that came below the headline tolerance",
    ),
    f(
        "fixed_points.tried",
        "number",
        "points below the smallest tolerance for which a proof was tried (headline input)",
    ),
    f("fixed_points.certified", "number", "of these, proved to be fixed points"),
    f("fixed_points.stable", "number", "of these, proved to attract"),
    f("fixed_points.tau_1", "number", "median slowest time constant, tokens"),
    f(
        "fixed_points.slow_modes",
        "number",
        "modes whose median time constant is at least the median document length",
    ),
    f(
        "recovered.fraction",
        "number",
        "share of the network's gain over words that words in context recover; null where it reads no better than words",
    ),
    f("recovered.fraction.low", "number", "2.5th percentile, bootstrap over test documents"),
    f("recovered.fraction.high", "number", "97.5th percentile"),
    f(
        "shape.predicted",
        "text",
        "line, curve, simplex, product or other: the figure the class means draw",
    ),
    f(
        "text_gains.agreement",
        "number",
        "rank correlation of the gains of words by the text and by the network, over words whose gain by the text is known to ±1",
    ),
    f("text_gains.agreement.low", "number", "2.5th percentile, bootstrap over words"),
    f("text_gains.agreement.high", "number", "97.5th percentile"),
    f("text_gains.compared", "number", "these words"),
    f(
        "text_gains.count",
        "number",
        "words after which the next ones count otherwise, by the labels alone (false discoveries .05)",
    ),
    f(
        "text_gains.words",
        "text",
        "these words, the surest first (only from `accrue predict --modifiers --json`)",
    ),
    f("states.variance_2", "number", "share of the states' variance in two components"),
    f(
        "train.tokens_per_second",
        "number",
        "tokens a second of training, forward, backward and update",
    ),
    f("train.seconds", "number", "seconds in training steps"),
    f("train.steps", "number", "optimiser steps"),
    f("train.stopped_early", "number", "1 if the patience ran out"),
    f("time.seconds", "number", "seconds of all stages, each counted when it last ran"),
    f("memory.peak_bytes", "number", "largest resident memory of any stage"),
    f("seed", "number", "seed of every random draw"),
    f("corpus.name", "text", "name of the corpus"),
];

/// What each of the papers' claims is about, in a few words: L from 1906.10720, G from 2010.15114, C from 2004.08013.
pub const CLAIMS: &[(&str, &str)] = &[
    ("L1", "the accuracy is the published one"),
    ("L2", "states in few dimensions"),
    ("L3", "slow points on a line"),
    ("L4", "the slow mode outlasts the document"),
    ("L5", "it points along the line"),
    ("L6", "words enter it by their valence"),
    ("L7", "one linear step suffices"),
    ("L8", "linear pieces in a chain do not"),
    ("G1", "the task is solved"),
    ("G2", "variance in the first N − 1 components"),
    ("G3", "N − 1 dimensions"),
    ("G4", "readouts at the simplex's angles"),
    ("G5", "slow points fill the simplex"),
    ("G6", "N − 1 slow modes"),
    ("G7", "words move the state along their readouts"),
    ("G8", "three ordered classes on a line"),
    ("G9", "five on a line that bends, two slow modes"),
    ("G10", "two labels make a square"),
    ("G11", "three labels make a cube"),
    ("G12", "the counts have N − 1 dimensions"),
    ("G13", "a stronger penalty, fewer dimensions"),
    ("G14", "the same answer with the words shuffled"),
    ("G15", "classes more alike, fewer dimensions"),
    ("C1", "the network follows the running score"),
    ("C2", "a slow mode and a turning pair"),
    ("C3", "the input Jacobian reads words in context"),
    ("C4", "modifiers move the state off the line"),
    ("C5", "without the turning pair \"not bad\" is bad"),
    ("C6", "some words turn how others are read, some strengthen it"),
    ("C7", "the beginning counts more"),
    ("C8", "words in context recover the network's gain"),
    ("dimension", "the states' dimension is the one the counts predict"),
];

/// What a claim is about; nothing for an unknown one.
pub fn claim(name: &str) -> &'static str {
    CLAIMS.iter().find(|(claim, _)| *claim == name).map_or("", |(_, about)| about)
}

/// The table of that name.
pub fn table(name: &str) -> Option<&'static Described> {
    TABLES.iter().find(|t| t.name == name)
}

/// `reports/README.md`.
pub fn readme() -> String {
    let mut text = String::from(INTRODUCTION);
    for table in TABLES {
        let _ = write!(text, "\n## tables/{}.parquet\n\n{}\n\n", table.name, table.about);
        text.push_str("| column | type | meaning |\n|---|---|---|\n");
        for c in table.columns {
            let _ =
                writeln!(text, "| `{}` | {} | {} |", c.name, c.kind, c.about.replace('|', "\\|"));
        }
    }
    text.push_str("\n## Claims\n\nTables `claims` and `case_claims` name them.\n\n");
    text.push_str("| claim | what is tested |\n|---|---|\n");
    for (name, about) in CLAIMS {
        let _ = writeln!(text, "| {name} | {about} |");
    }
    text.push_str("\n## summary.json\n\nFlat: one object, these keys. A key is absent where its stage has nothing to say.\n\n");
    text.push_str("| key | type | meaning |\n|---|---|---|\n");
    for c in SUMMARY {
        let _ = writeln!(text, "| `{}` | {} | {} |", c.name, c.kind, c.about.replace('|', "\\|"));
    }
    text
}

const INTRODUCTION: &str = "# Reports: the data dictionary

<!-- Written by `accrue dictionary > reports/README.md`; a test keeps it true. -->

A run leaves one folder, `reports/<study>/<name>/`:

| file | what it is |
|---|---|
| `index.html` | the report, readable offline |
| `summary.json` | the headline numbers, for programs |
| `run.ron` | the whole resolved experiment, seed, program version, and one row a stage with its key, the keys of the stages it read, seconds, peak memory, device, and its files with size and SHA-256 |
| `model.safetensors` | weights under PyTorch's names, the make-up of the network in the metadata |
| `tokenizer.json` | the tokenizer in the Hugging Face format (text corpora) |
| `corpus.json` | corpus name, label names, notes |
| `tables/*.parquet` | every table below |
| `figures/*.svg` | every figure, drawn from a table |

The files are links to `reports/.store/`, where each stage lies once under its key: runs with the same corpus share it, and
a run that was stopped goes on from the last stage there. Copy them before you change them. `accrue prune` removes
what no run holds any more.

Read a table:

```python
import polars as pl
points = pl.read_parquet(\"reports/quickstart/three_topics/tables/fixed_points.parquet\")
points.group_by(\"input\", \"tolerance\").agg(pl.len(), pl.col(\"q\").median())
```

```python
import pandas as pd; pd.read_parquet(\"…/tables/spectrum.parquet\")     # pandas
```

```r
arrow::read_parquet(\"…/tables/spectrum.parquet\")                      # R
```

```sql
SELECT source, value FROM '…/tables/dimensions.parquet';               -- DuckDB
```
";
