//! Words that change how others are read.

use super::kind::Even;
use super::table::tables;

tables! {
    /// One row a word that is frequent enough, strongest effect first: how it changes the reading
    /// of other words, at the central slow point; at the mean of the states, where there is none.
    Modifiers("modifiers") {
        /// text
        word: String,
        /// token id
        id: u64,
        /// occurrences in the training split
        count: u64,
        /// change of the probes' readout, share of their plain readout
        effect: f64,
        /// share of shuffled displacements with a smaller effect
        null_quantile: f64,
        /// share of false discoveries among the words from the first to this one (Benjamini &
        /// Hochberg)
        discovery_rate: f64,
        /// change along the plain readout: −2 turns good into as much of bad, +1 doubles
        gain: f64,
        /// mean gain over several places along the line
        gain_mean: f64,
        /// standard deviation over these places
        gain_deviation: f64,
        /// the places, the middle among them
        contexts: u64,
        /// time constant of the effect, tokens, from the lag at which half is left; null beyond the
        /// strongest 200, or where it lasts longer than 40
        tau: Option<f64>,
        /// τ of the exponential fitted to the effect at all lags, tokens
        tau_fitted: Option<f64>,
        /// 95 % interval of tau_fitted, from the error of the slope
        tau_low: Option<f64>,
        /// its upper end; infinite where the effect may not fade
        tau_high: Option<f64>,
        /// coordinate on the first component of the barcodes
        component_1: f64,
        /// group of modifiers with like barcodes (mean cosine above .5), the largest 1; null for
        /// words within the null
        cluster: Option<f64>,
    }

    /// One row a modifier of the network (at most 100): where it moves the state, the line and what
    /// words of its valence do left aside.
    ModifierSubspace("modifier_subspace") {
        /// text
        word: String,
        /// as in `modifiers`
        gain: f64,
        /// coordinate on the first direction of the subspace
        s_1: Option<f64>,
        /// on the second; null where it has one
        s_2: Option<f64>,
        /// on the third
        s_3: Option<f64>,
        /// share of the displacement's length inside the subspace
        inside: f64,
        /// directions that hold .9 of the displacements (same in every row)
        directions: u64,
        /// share that the first holds
        share_1: f64,
        /// the second
        share_2: f64,
        /// the third
        share_3: f64,
    }

    /// One row a set of test documents and a way of reading: with the modifier subspace open, and
    /// with the state's part in it set to that of the nearest slow point.
    Blocking("blocking") {
        /// all; with (a modifier in it); without
        documents: String,
        /// open; after_modifiers (blocked there); always (blocked at every token)
        reading: String,
        /// accuracy, or squared_error of a score at the end
        measure: String,
        /// its mean
        value: f64,
        /// 95 % interval (Wilson); NaN for an error
        low: f64,
        /// its upper end
        high: f64,
        /// documents
        n: u64,
    }

    /// One row a modifier and a probe word: what the word says in the middle of the line, after the
    /// modifier, and after it with the subspace blocked.
    Phrases("phrases") {
        /// text
        modifier: String,
        /// the probe
        word: String,
        /// change of the readout, logits (for a score, units)
        plain: f64,
        /// after the modifier
        modified: f64,
        /// after the modifier, its part in the subspace taken away
        blocked: f64,
    }

    /// One row a place from either end of a document: how much a word there counts against one in
    /// the middle.
    Positions("positions") {
        /// beginning; end
        from: String,
        /// words before it, or after it
        words: u64,
        /// ⟨its effect, the usual effect⟩/⟨usual, usual⟩ over the probe words
        gain: f64,
        /// from the initial state without its part in the modifier subspace; null at the end, and
        /// without modifiers
        gain_blocked: Option<f64>,
        /// share of the initial state's distance to the nearest slow point that lies in the
        /// subspace (same in every row)
        initial_inside: Option<f64>,
    }

    /// One row a word that is frequent enough: how the training text itself says that it changes
    /// the next two words, the surest first; no network is asked.
    TextGains("text_gains") {
        /// text
        word: String,
        /// token id
        id: u64,
        /// training documents in which words follow it
        documents: u64,
        /// gain on the valence of the next two words, as in `modifiers`: −2 turns good into as much
        /// of bad, +1 doubles; by logistic regression beside a bag of words that has not seen the
        /// document
        gain: f64,
        /// 95 % interval (the greater of the model's and White's errors, widened to what most words
        /// show)
        low: f64,
        /// its upper end
        high: f64,
        /// probability of a gain as far from zero where there is none; 1 where the fit did not
        /// converge
        p: f64,
        /// as in `modifiers`
        discovery_rate: f64,
        /// whether the gain came to rest, to a twentieth of its error; few occurrences may be
        /// fitted by any gain
        converged: bool,
    }

    /// One row a word that is frequent enough: how much the loss of the bag of words asks for it as
    /// a modifier; no network is asked.
    Candidates("candidates") {
        /// text
        word: String,
        /// token id
        id: u64,
        /// score statistic of its strength at zero; about χ² with one degree of freedom for a word
        /// that modifies nothing
        score: f64,
    }

    /// One row a bag of words, with more and more context; test split.
    Augmented("augmented") {
        /// bag_of_words; ends (first and last words count differently); modifiers (strength and
        /// time constant a modifier); modifiers_untied (modified words have a valence of their
        /// own); taps (a strength at each of the next 5 tokens, multiplied); …_ends (both);
        /// network_shuffled (the network, the words of each document in another order: what it
        /// gains without context); network
        model: String,
        /// share right (R² for a score)
        accuracy: f64,
        /// 95 % interval (Wilson)
        low: f64,
        /// its upper end
        high: f64,
        /// answers
        n: u64,
        /// mean loss on the validation split, nats
        validation_loss: f64,
        /// (accuracy − words)/(network − words); NaN where the network reads no better than words
        recovered: f64,
        /// 2.5th percentile, bootstrap over test documents
        recovered_low: f64,
        /// 97.5th percentile
        recovered_high: f64,
    }

    /// One row a word: every number of the model of the family that validation data prefer.
    ContextWords("context_words") {
        /// text
        word: String,
        /// occurrences in the training split
        count: u64,
        /// [outputs] β, logits an occurrence
        valence: Even<f64>,
        /// [outputs] β̃, times the modification μ
        modified: Even<f64>,
        /// a_m of a modifier; null for other words
        strength: Option<f64>,
        /// its time constant, tokens
        tau: Option<f64>,
        /// [5] its strength at distances 1 to 5, where the model has taps; else empty
        taps: Vec<f64>,
        /// a_B; null where the model has no ends (same in every row)
        beginning: Option<f64>,
        /// τ_B, tokens
        beginning_tau: Option<f64>,
        /// a_E
        end: Option<f64>,
        /// τ_E, tokens
        end_tau: Option<f64>,
    }

    /// One row a context and a valence word of the toy language: what the word adds to the readout
    /// there.
    Probes("probes") {
        /// what was read just before; empty for neutral words only
        context: String,
        /// the valence word
        word: String,
        /// what the language says it adds
        planted: f64,
        /// wᵀ J_inp(h) (x − x*) at the mean state of the context
        linear: f64,
        /// wᵀ (F(h, x) − h) from there
        full: f64,
    }

    /// One row a context of the toy language: its mean state over phrases of neutral words.
    ProbeStates("probe_states") {
        /// as in `probes`
        context: String,
        /// norm of the mean state
        norm: f64,
        /// distance to the line through the slow points, mean over the phrases
        off_line: f64,
        /// the same to the line through the slow points while a neutral word is held; null where
        /// none were sought there
        off_noise_line: Option<f64>,
        /// phrases
        n: u64,
        /// mean squared error of the readout over all steps of test phrases; the same in every row
        error: f64,
        /// those phrases
        scored: u64,
    }

    /// One row a modifier of the toy language and number of modes: a valence word after it, with
    /// and without the modes that carry the modifier's deflection.
    ModeDeletion("mode_deletion") {
        /// the modifier
        modifier: String,
        /// the valence word
        word: String,
        /// modes taken out: this one and those of the rows before; of the not's, turning pairs only
        modes: u64,
        /// real part of the mode's eigenvalue
        re: f64,
        /// imaginary part
        im: f64,
        /// principal angle between the deflection and the mode's left vectors, degrees
        angle: f64,
        /// what the word adds after the modifier
        modified: f64,
        /// the same with the modes taken out of the deflection
        deleted: f64,
        /// what the word adds after a neutral word
        plain: f64,
        /// the same with the modes taken out of that deflection
        plain_deleted: f64,
    }
}
