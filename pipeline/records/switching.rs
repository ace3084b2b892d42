//! Networks trained together with a switching linear system.

use super::table::tables;

tables! {
    /// One row a network of a study of switching linear systems.
    SwitchingNetworks("switching_networks") {
        /// name of its part in the experiment file
        part: String,
        /// seed of its weights and trials
        seed: u64,
        /// joint (trained together with its linear system), alone (without), without_expansion (λ_e = 0),
        /// without_state (λ_a = 0)
        training: String,
        /// cell
        cell: String,
        /// units
        units: u64,
        /// training steps
        steps: u64,
        /// seconds in training steps
        seconds: f64,
        /// error of the network's outputs on test trials: mean squared error as a share of the best constant answer's; of
        /// text, the share of wrong answers
        error: f64,
        /// the same of the linear system's outputs; null for a network trained alone
        linear_error: Option<f64>,
        /// mean over test steps of ‖h − a‖/‖h‖, the linear system rolled out from the first step; null for a network trained
        /// alone
        state_error: Option<f64>,
        /// mean over test steps of ‖e − F(e, u*)‖/‖e‖
        residual: Option<f64>,
        /// mean over test steps of the relative error of one linear step from the network's own state, around the
        /// nearest slow point that a search found; null where it found none
        one_step_error: Option<f64>,
        /// slow points that the search kept
        slow_points: u64,
        /// inputs at rest, beyond the four commonest, under which none was sought
        unsearched: u64,
        /// of these, leading on to a point that was proved to be fixed
        proved: u64,
        /// clusters of expansion points
        clusters: Option<f64>,
        /// largest modulus of an eigenvalue at the clusters' centres
        largest_modulus: Option<f64>,
        /// of memory: what enters the slow modes of inputs that flip a bit, over that of inputs that do not; of
        /// integration: of the cued stream over the other one
        selection: Option<f64>,
        /// of memory: readout ‖W J_inp u‖ of inputs that flip a bit, over that of inputs that do not
        read: Option<f64>,
        /// median distance of expansion points to the nearest slow point, in units of the states' median norm
        distance: Option<f64>,
        /// participation ratio of the expansion points
        dimension: Option<f64>,
        /// participation ratio of the states
        dimension_states: f64,
    }

    /// One row every few training steps: means over the steps since the row before.
    SwitchingTraining("switching_training") {
        /// as in `switching_networks`
        part: String,
        /// as in `switching_networks`
        seed: u64,
        /// as in `switching_networks`
        training: String,
        /// steps taken
        step: u64,
        /// loss of the network's outputs, before its weight
        rnn: f64,
        /// loss of the linear system's outputs
        jslds: f64,
        /// mean (e − F(e, u*))²
        expansion: f64,
        /// mean (a − h)²
        state: f64,
        /// mean global gradient norm before the clip
        gradient_norm: f64,
        /// learning rate of the last step
        learning_rate: f64,
    }

    /// One row an expansion point, of a sample of test steps; principal components are those of the network's states.
    ExpansionPoints("expansion_points") {
        /// as in `switching_networks`
        part: String,
        /// as in `switching_networks`
        seed: u64,
        /// trial or document of the test split
        trial: u64,
        /// step
        step: u64,
        /// the word read at this step; absent for tasks
        word: String,
        /// first principal component
        pc_1: f64,
        /// second
        pc_2: f64,
        /// third
        pc_3: f64,
        /// number of its cluster, largest first; null for a scattered point
        cluster: Option<u64>,
        /// distance to the nearest slow point, in units of the states' median norm; null where none was found
        distance: Option<f64>,
    }

    /// One row a cluster of expansion points: what the network does at its centre.
    ExpansionClusters("expansion_clusters") {
        /// as in `switching_networks`
        part: String,
        /// as in `switching_networks`
        seed: u64,
        /// number, largest first
        cluster: u64,
        /// share of the sampled points that are in it
        share: f64,
        /// readout at its centre
        outputs: Vec<f64>,
        /// moduli of the eigenvalues there, largest first
        moduli: Vec<f64>,
        /// eigenvalues outside the unit circle
        unstable: u64,
        /// ‖e − F(e, u*)‖/‖e‖ there
        residual: f64,
    }

    /// One row a cluster and input: what the input does at the cluster's centre.
    EffectiveInputs("effective_inputs") {
        /// as in `switching_networks`
        part: String,
        /// as in `switching_networks`
        seed: u64,
        /// as in `expansion_clusters`
        cluster: u64,
        /// which input is 1, the others at rest
        input: u64,
        /// whether it changes what should come out there
        flips: bool,
        /// ‖ℓ_aᵀ J_inp u‖ over the slow modes, left eigenvectors of unit length
        selected: f64,
        /// readout of J_inp u
        outputs: Vec<f64>,
    }

    /// One row a step of a few test trials: both roll-outs side by side.
    SwitchingTrials("switching_trials") {
        /// as in `switching_networks`
        part: String,
        /// as in `switching_networks`
        seed: u64,
        /// trial or document of the test split
        trial: u64,
        /// step
        step: u64,
        /// the word read; empty for tasks
        word: String,
        /// what should come out; empty for text before the last step
        target: Vec<f64>,
        /// the network's outputs
        outputs: Vec<f64>,
        /// the linear system's
        linear_outputs: Vec<f64>,
        /// first two principal components of the network's state
        state: Vec<f64>,
        /// of the linear system's
        linear_state: Vec<f64>,
        /// of the expansion point
        expansion_point: Vec<f64>,
    }

    /// One row a context, pair of biases and step: the mean over trials, along the axes of choice and of both streams.
    ContextTrajectories("context_trajectories") {
        /// as in `switching_networks`
        part: String,
        /// as in `switching_networks`
        seed: u64,
        /// which stream is cued
        context: u64,
        /// bias of the first stream
        bias_1: f64,
        /// bias of the second
        bias_2: f64,
        /// step
        step: u64,
        /// network's state along choice, first and second stream
        state: Vec<f64>,
        /// expansion point along them
        expansion_point: Vec<f64>,
    }

    /// One row a context: the selection vector of the slowest mode, mean over expansion points, unit length.
    ContextSelection("context_selection") {
        /// as in `switching_networks`
        part: String,
        /// as in `switching_networks`
        seed: u64,
        /// which stream is cued
        context: u64,
        /// its part along choice, first and second stream
        along: Vec<f64>,
        /// mean |ℓ₁ᵀ J_inp| of a unit of the cued stream
        relevant: f64,
        /// of the other one
        irrelevant: f64,
        /// largest real part of an eigenvalue, mean
        slowest: f64,
    }

    /// One row a word of test documents with five places or more: what it does to the expansion point; farthest first.
    SwitchingWords("switching_words") {
        /// as in `switching_networks`
        part: String,
        /// as in `switching_networks`
        seed: u64,
        /// the word
        word: String,
        /// its places
        count: u64,
        /// mean distance of the next expansion point from the one before, in units of the points' root mean square
        /// distance from their mean
        moved: f64,
        /// mean change of the network's first output
        said: f64,
    }
}
