//! One meta-model over many networks.

use super::table::tables;

tables! {
    /// One row a network of the collection of a meta-model; base models are numbered from 0.
    BaseModels("base_models") {
        /// name
        name: String,
        /// what it was trained on; of a run from elsewhere, the folder that its folder lies in
        group: String,
        /// cell
        cell: String,
        /// units
        units: u64,
        /// number, null for a network that did not learn and is left out
        base_model: Option<u64>,
        /// number of the network whose units it has in another order; null for an original
        copy_of: Option<u64>,
        /// share of test phrases on which it gives its group's label; null where there are no labels
        accuracy: Option<f64>,
    }

    /// One row every few steps of a meta-model's training: means over base models, and over the steps since the row before.
    EmbeddingTraining("embedding_training") {
        /// seed of the meta-model
        seed: u64,
        /// steps taken
        step: u64,
        /// share of the base models' states that is missed
        states: f64,
        /// divergence of the outputs in nats, or their squared error as a share of the variance
        outputs: f64,
        /// mean global gradient norm before the clip
        gradient_norm: f64,
        /// learning rate of the last step
        learning_rate: f64,
    }

    /// One row a base model and meta-model: its place on the map, and how well it is emulated there on test phrases.
    Embeddings("embeddings") {
        /// seed of the meta-model
        seed: u64,
        /// number of the base model
        base_model: u64,
        /// `θ_n`
        theta: Vec<f64>,
        /// first coordinate on the map: of `θ_n`, or its first principal component where `θ_n` has more than two numbers
        x: f64,
        /// second coordinate
        y: f64,
        /// share of phrases after which the largest output is the base model's; for numbers 1 less the squared error of the last step
        /// as a share of the variance
        agreement: f64,
        /// the same over all steps
        agreement_of_steps: f64,
        /// mean divergence of the outputs over all steps, nats; for numbers the squared error as a share of the variance
        divergence: f64,
        /// 1 less the share of the variance of the base model's states that is missed
        r2: f64,
        /// share of phrases on which the meta-model at `θ_n` gives the group's label; null where there are no labels
        accuracy: Option<f64>,
    }

    /// One row a meta-model (or a map by SVCCA), label and statistic: do base models of one label lie together?
    EmbeddingTests("embedding_tests") {
        /// seed of the meta-model; null for the map by SVCCA
        seed: Option<u64>,
        /// theta (distances of `θ_n`) or svcca (1 less the mean canonical correlation of states)
        map: String,
        /// group, cell or units
        by: String,
        /// neighbours (share of base models whose nearest other one has their label) or silhouette
        statistic: String,
        /// its value
        value: f64,
        /// its mean over permuted labels
        chance: f64,
        /// share of permutations that reach it
        p: f64,
        /// base models, copies left out
        n: u64,
    }

    /// One row a base model: its place on the map by SVCCA of states, by multidimensional scaling.
    BaseMaps("base_maps") {
        /// number of the base model
        base_model: u64,
        /// first coordinate
        x: f64,
        /// second coordinate
        y: f64,
        /// stress of the map, the same in every row
        stress: f64,
    }

    /// One row a copy and meta-model: how far from its original it lies on the map.
    EmbeddingCopies("embedding_copies") {
        /// seed of the meta-model
        seed: u64,
        /// number of the original
        base_model: u64,
        /// number of the copy
        copy: u64,
        /// distance of their places
        distance: f64,
        /// the same as a share of the mean distance of base models of different groups
        share: f64,
    }

    /// One row a place along a straight way between two base models on the map.
    EmbeddingWays("embedding_ways") {
        /// seed of the meta-model
        seed: u64,
        /// number of the base model where it begins
        from: u64,
        /// number of that where it ends
        to: u64,
        /// inside (both of one group) or between
        kind: String,
        /// share of the way, 0 to 1
        share: f64,
        /// accuracy of the meta-model there on the labels of the first one's group
        accuracy_from: f64,
        /// on those of the second one's
        accuracy_to: f64,
    }

    /// One row a group and meta-model: the network at the mean of the group's places, against averages of weights.
    ModelAverages("model_averages") {
        /// seed of the meta-model
        seed: u64,
        /// group
        group: String,
        /// accuracy of the meta-model at the mean `θ` of the group, on the group's labels
        theta: f64,
        /// mean accuracy of the group's base models
        base: f64,
        /// mean accuracy of networks whose weights are means over base models of the group with the same cell and units; null where no two
        /// are alike
        weights: Option<f64>,
        /// base models of the group, copies left out
        n: u64,
    }

    /// One row a method, number of labels and draw: a network from few labels.
    FewLabels("few_labels") {
        /// seed of the meta-model
        seed: u64,
        /// group whose labels are given
        group: String,
        /// labelled phrases
        labels: u64,
        /// draw of these phrases
        draw: u64,
        /// theta (θ is sought, the meta-model frozen), fresh (a new network), tuned (a base model drawn from the collection, trained further),
        /// chosen (the base model that fits the labels best, trained further)
        method: String,
        /// accuracy on test phrases
        accuracy: f64,
    }

    /// One row a place on the map of the first meta-model: its slow points under a held input.
    EmbeddingPoints("embedding_points") {
        /// what lies there: a group (its middle), or grid
        place: String,
        /// `θ`
        theta: Vec<f64>,
        /// first coordinate on the map
        x: f64,
        /// second coordinate
        y: f64,
        /// distinct slow points (q below 1e-4)
        slow: u64,
        /// participation ratio of these; null for fewer than two
        dimension: Option<f64>,
        /// median number of modes, at these points, whose time constant is at least the median phrase length; null without points
        slow_modes: Option<f64>,
        /// points below q = 1e-12 for which a proof was tried
        tried: u64,
        /// of these, proved to be fixed points
        proved: u64,
        /// of these, proved to attract
        stable: u64,
        /// of these, proved to repel along some direction
        unstable: u64,
        /// searches that reached no slow point
        missed: u64,
    }
}
