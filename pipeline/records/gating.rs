//! Whether irrelevant features are gated.

use super::kind::Even;
use super::table::tables;

tables! {
    /// One row a draw of the generator, or a network, gate and window of its trials.
    Gates("gating") {
        /// generator or network
        source: String,
        /// as in `cases`; null for the generator
        case: Option<u64>,
        /// draw of the generator's axes and noise; 0 for a network
        draw: u64,
        /// along what the decision lies: shared (one axis), own (an axis a context), tied (to the first feature); empty for a
        /// network
        decision: String,
        /// decision signal, in units of the input's; null for a network
        strength: Option<f64>,
        /// γ: the irrelevant input entered times this
        gate: f64,
        /// window of the trial, from 1; 0 for the generator
        window: u64,
        /// irrelevant over relevant of squared distances, both contexts
        ratio: f64,
        /// the same in the first context
        ratio_first: f64,
        /// the same in the second context
        ratio_second: f64,
        /// ratio of both contexts without the axes of choice
        without_choice: f64,
        /// ratio of both contexts without the axes of choice and of the decision variable
        without_decision: f64,
        /// ratio by the formula γ²/(1 + s²); null for a network
        formula: Option<f64>,
        /// the model with the largest non-negative weight
        winner: String,
        /// the same without the axes of choice
        winner_after: String,
        /// non-negative weights of the z-scored models: grid, rotated grid, diagonal, orthogonal, parallel
        weights: Even<f64>,
        /// the same without the axes of choice
        weights_after: Even<f64>,
        /// correlations of each model alone
        correlations: Even<f64>,
        /// R² of the non-negative fit
        explained: f64,
    }

    /// One row a condition, of one generator's draw and one network a gate: mean responses along orthonormal axes of choice,
    /// relevant and irrelevant feature.
    GatingPlaces("gating_places") {
        /// generator or network
        source: String,
        /// γ
        gate: f64,
        /// number of the condition
        condition: u64,
        /// context, 1 or 2
        context: u64,
        /// relevant feature, the largest being 1
        relevant: f64,
        /// irrelevant feature
        irrelevant: f64,
        /// mean response along the relevant axis
        along_relevant: f64,
        /// along the irrelevant axis
        along_irrelevant: f64,
        /// along the axis of choice
        along_choice: f64,
        /// squared distances to all conditions, cross-validated
        distances: Even<f64>,
    }

    /// One row a network and stream: by which mechanism it is integrated in its own context and not in the other.
    Mechanisms("mechanisms") {
        /// as in `cases`
        case: u64,
        /// stream, 1 or 2
        stream: u64,
        /// share of direct input modulation
        direct: f64,
        /// share of indirect input modulation
        indirect: f64,
        /// share of selection-vector modulation; the three sum to 1
        selection: f64,
        /// what a unit of the stream adds to the output's slow mode where it is relevant
        relevant: f64,
        /// the same where it is not
        irrelevant: f64,
        /// slow points of both contexts
        points: u64,
    }
}
