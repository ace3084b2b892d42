//! What the papers claim, and what was cut or doubtful.

use super::table::tables;

tables! {
    /// One row a claim of the papers, measured on this run (one network, one seed).
    Claims("claims") {
        /// its code; *Claims*, below, lists them
        claim: String,
        /// what is claimed
        statement: String,
        /// what was found
        measured: f64,
        /// 95 % interval over points or steps (bootstrap), where there is one
        low: f64,
        /// its upper end
        high: f64,
        /// points, steps, states or documents behind it
        n: u64,
        /// published value; criterion
        reference: String,
        /// whether the criterion is met
        holds: bool,
    }

    /// What was cut, dropped or doubtful on the way, in sentences.
    Notes("notes") {
        /// where
        stage: String,
        /// what
        note: String,
    }
}
