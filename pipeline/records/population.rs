//! Networks of a population, compared.

use super::table::tables;

tables! {
    /// One row a network of a population.
    Networks("networks") {
        /// as in `cases`
        case: u64,
        /// folder under `cases/`
        name: String,
        /// architecture of the cell
        architecture: String,
        /// nonlinearity of its candidate
        activation: String,
        /// units
        units: u64,
        /// mean squared error on test trials, as a share of the best constant answer's
        error: f64,
        /// whether that is at most the share asked for: others are in no comparison
        learned: bool,
        /// proved fixed points under the first input
        fixed_points: u64,
        /// of these, proved to attract
        stable: u64,
        /// of these, proved to repel along some direction
        unstable: u64,
        /// sum of their indices; null where one is not proved
        index_sum: Option<f64>,
        /// participation ratio of the states on test trials
        dimension: f64,
    }

    /// One row a measure and pair of networks that learned.
    NetworkDistances("network_distances") {
        /// svcca (1 − mean canonical correlation), cka (1 − linear CKA), shape (angle after the best rotation, rad), dsa
        /// (angle of the laws of delayed states, rad), indices (share of fixed points by unstable modes that differs), graph
        /// (share of saddles with one unstable mode that differs, each told by what its two orbits reach)
        measure: String,
        /// as in `cases`
        a: u64,
        /// as in `cases`
        b: u64,
        /// distance
        distance: f64,
    }

    /// One row a measure and network: maps in which distances differ least from those measured.
    NetworkMaps("network_maps") {
        /// as in `network_distances`
        measure: String,
        /// as in `cases`
        case: u64,
        /// first coordinate
        x: f64,
        /// second coordinate
        y: f64,
        /// Kruskal's stress-1 of the whole map
        stress: f64,
    }

    /// One row a measure and question, against permuted labels.
    NetworkTests("network_tests") {
        /// as in `network_distances`
        measure: String,
        /// neighbours (share of networks whose nearest other one has their label), silhouette, mantel (rank correlation
        /// with the distances of another measure)
        statistic: String,
        /// architecture, activation, units; of mantel the other measure
        by: String,
        /// value
        value: f64,
        /// its mean over permutations
        chance: f64,
        /// 2.5th percentile of the permutations
        low: f64,
        /// 97.5th percentile
        high: f64,
        /// share of permutations that are as large or larger, the own one counted
        p: f64,
        /// networks
        n: u64,
    }
}
