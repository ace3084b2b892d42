//! Modes near the slow points, and what words do there.

use super::table::tables;

tables! {
    /// One row a slow point with a spectrum: its slow mode.
    Modes("modes") {
        /// row of `fixed_points`
        point: u64,
        /// coordinate along the points, −1 … 1 (locally linear embedding)
        theta: f64,
        /// |Spearman correlation| of theta with the first component of the points (same in every
        /// row)
        rank_agreement: f64,
        /// ‖F(h*,x*) − h*‖, state units
        residual: f64,
        /// condition of the eigenvectors; 1 for a normal Jacobian
        condition: f64,
        /// slowest time constant |1/ln|λ||, tokens
        tau_1: Option<f64>,
        /// second slowest
        tau_2: Option<f64>,
        /// third slowest
        tau_3: Option<f64>,
        /// |cosine| of the slow mode r₁ with the local tangent
        overlap_tangent: f64,
        /// |cosine| of r₁ with the points' first component
        overlap_axis: f64,
        /// mean ℓ₁ᵀ J_inp (x − x*) over the most positive words
        positive: f64,
        /// the same over the most negative words
        negative: f64,
        /// the same over the words closest to zero
        neutral: f64,
        /// probability that a positive word's exceeds a negative word's
        auc: Option<f64>,
    }

    /// One row a word: what it adds to the slow mode at the central slow point.
    WordModes("word_modes") {
        /// text
        word: String,
        /// occurrences in the training split
        count: u64,
        /// of the bag of words, logits an occurrence (last output against the first)
        coefficient: f64,
        /// ℓ₁ᵀ J_inp (x − x*)
        selected: f64,
        /// J_inp (x − x*) along the first principal component of the slow points
        effect_1: f64,
        /// along the second
        effect_2: f64,
        /// ℓ₁, unit length, along the first; the same in every row
        selects_1: f64,
        /// along the second
        selects_2: f64,
        /// positive, negative, neutral, or none
        set: String,
    }

    /// One row a set of words and a delay: what they leave behind, read along the readout, at the
    /// central slow point.
    Impulse("impulse") {
        /// positive, negative or neutral, by the bag of words
        set: String,
        /// tokens read since, the input held
        later: u64,
        /// readout difference between the path with the word and without, mean
        network: f64,
        /// Σₐ λₐᵏ (wᵀ rₐ)(ℓₐᵀ J_inp (x − x*)), mean over the words
        linear: f64,
        /// the slowest mode's term alone
        slow_mode: f64,
        /// words
        n: u64,
    }

    /// One row a chosen word: how it moves the state, mean over visited states. The words with most
    /// evidence for each label by counts, and the most neutral.
    Deflections("deflections") {
        /// text
        word: String,
        /// the label it is evidence for; empty for a neutral word
        label: String,
        /// ‖mean of F(h, x) − h‖ over the states
        length: f64,
        /// the same within the plane of the states' first components (classes less one, or labels)
        in_plane: f64,
        /// the mean along the first principal component of the states
        pc_1: f64,
        /// along the second
        pc_2: f64,
        /// along the third
        pc_3: f64,
        /// cosine with the label's readout vector, both in that plane; NaN for a neutral word
        along: f64,
        /// states
        n: u64,
    }

    /// One row a visited state and the first word of a label, or the most neutral: where the word
    /// moves the state.
    DeflectionField("deflection_field") {
        /// text
        word: String,
        /// the label it is evidence for; empty for the neutral word
        label: String,
        /// the state along the first principal component of the states
        from_1: f64,
        /// along the second
        from_2: f64,
        /// F(h, x) − h along the first
        by_1: f64,
        /// along the second
        by_2: f64,
    }
}
