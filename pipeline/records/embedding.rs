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

    /// One row a dimension of the map and weight of the states that were compared (`choose`), means over base models on training
    /// phrases held out.
    EmbeddingChoices("embedding_choices") {
        /// numbers of `θ`
        dimension: u64,
        /// `λ`: weight of the states' share that is missed, against the outputs' divergence in nats (for numbers: their squared error
        /// as a share of the variance)
        lambda: f64,
        /// 1 less the share of the variance of the base models' states that is missed
        r2: f64,
        /// divergence of the outputs over all steps, nats; for numbers the squared error as a share of the variance
        divergence: f64,
        /// share of phrases after which the largest output is the base model's; for numbers as in `embeddings`
        agreement: f64,
        /// `(1 − R²) + D`: what is missed of states and outputs, the same measure for every `λ`
        missed: f64,
        /// its standard error over base models
        error: f64,
        /// base models, copies left out
        n: u64,
        /// phrases held out
        phrases: u64,
        /// whether it is chosen: the smallest dimension within one standard error of the least that is missed, and there the weight
        /// that misses least
        chosen: bool,
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

    /// One row a map, label and statistic: do base models of one label lie together, and do two maps agree?
    EmbeddingTests("embedding_tests") {
        /// seed of the meta-model whose `θ` play a part; null where none do
        seed: Option<u64>,
        /// theta (distances of `θ_n`), svcca (1 less the mean canonical correlation of states) or dsa (angle between laws of motion, rad)
        map: String,
        /// group, cell or units; the other map for mantel
        by: String,
        /// neighbours (share of base models whose nearest other one has their label), silhouette, or mantel (rank correlation of
        /// the distances of two maps)
        statistic: String,
        /// its value
        value: f64,
        /// its mean over permuted labels, or permuted base models
        chance: f64,
        /// share of permutations that reach it
        p: f64,
        /// base models, copies left out
        n: u64,
    }

    /// One row a base model and measure: its place on a map that no meta-model made, by multidimensional scaling.
    BaseMaps("base_maps") {
        /// svcca (of states) or dsa (of laws of motion)
        measure: String,
        /// number of the base model
        base_model: u64,
        /// first coordinate
        x: f64,
        /// second coordinate
        y: f64,
        /// stress of the map, the same in every row of a measure
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
        /// what lies there: a group (its middle), a cluster of the map (likewise, where there is one group), or grid
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

    /// One row a curve of fixed points of the first meta-model over a straight segment of the map, from the middle of one group (or
    /// cluster) to another's. Curves that would repeat one above are left out.
    EmbeddingCurves("embedding_curves") {
        /// the middle at share 0
        from: String,
        /// the middle at share 1
        to: String,
        /// the end it was begun at: from, to
        begun: String,
        /// points computed along it
        points: u64,
        /// why it ended: boundary (share 0 or 1), closed (where it began), out_of_steps, lost, no_start
        end: String,
        /// share of the way where it ended
        share: f64,
        /// folds on it: two fixed points meet and vanish, or are born
        folds: u64,
        /// places where another branch crosses
        branchings: u64,
        /// places where a cycle of two steps is born or dies
        doublings: u64,
        /// places where an invariant circle is born or dies (Neimark–Sacker)
        circles: u64,
        /// eigenvalues outside the unit circle where it begins
        unstable_first: u64,
        /// where it ends
        unstable_last: u64,
        /// whether it goes from the one end to the other and nothing crosses the unit circle
        passes: bool,
    }

    /// One row a fixed point on such a curve.
    EmbeddingCurvePoints("embedding_curve_points") {
        /// row of `embedding_curves`
        curve: u64,
        /// share of the way
        share: f64,
        /// sign det(I − J)
        index: f64,
        /// eigenvalues outside the unit circle
        unstable: u64,
        /// the outputs there
        readout: Vec<f64>,
        /// first principal component of the outputs of all curves of its segment (of logits, less their mean over the classes)
        said: f64,
    }

    /// One row a place on such a curve where an eigenvalue crosses the unit circle.
    EmbeddingBifurcations("embedding_bifurcations") {
        /// row of `embedding_curves`
        curve: u64,
        /// fold, branching, period_doubling, neimark_sacker
        crossing: String,
        /// share of the way
        share: f64,
        /// `θ` there
        theta: Vec<f64>,
        /// the eigenvalue that crosses, real part
        re: f64,
        /// imaginary part
        im: f64,
        /// eigenvalues outside the unit circle besides it, or its pair
        unstable: u64,
        /// what the outputs gain where the state moves by one along the mode that crosses; the largest number is positive
        mode: Vec<f64>,
        /// the outputs there
        readout: Vec<f64>,
        /// as in `embedding_curve_points`
        said: f64,
        /// the fixed point there
        state: Vec<f64>,
    }
}
