//! A recording beside networks.

use super::kind::Even;
use super::table::tables;

tables! {
    /// One row a block of a recording: behaviour, and what explains its activity.
    Blocks("blocks") {
        /// number of the block, from 1
        block: u64,
        /// as in `cases`: the hidden network; null for a recording of one's own
        case: Option<u64>,
        /// its strategy, with its number where several are of one kind; empty where nobody knows it
        strategy: String,
        /// kind of strategy that the kernel speaks of
        by_kernel: String,
        /// weight of late evidence less that of early evidence, over the mean weight
        recency: f64,
        /// weights of the time bins
        kernel: Even<f64>,
        /// held-out R² of the whole encoding model
        explained: f64,
        /// R² of task regressors alone
        task_alone: Option<f64>,
        /// R² that the whole model loses when they are shuffled
        task_unique: Option<f64>,
        /// variance of their part of the predictions, as a share of all
        task_part: Option<f64>,
        /// variance of the task's part of the recording, as a share of all
        task_planted: Option<f64>,
        /// R² of movement regressors alone
        movement_alone: Option<f64>,
        /// R² that the whole model loses when they are shuffled
        movement_unique: Option<f64>,
        /// variance of their part of the predictions, as a share of all
        movement_part: Option<f64>,
        /// variance of the movements' part of the recording, as a share of all
        movement_planted: Option<f64>,
    }

    /// One row a network: what its fixed points say of its strategy.
    Portraits("portraits") {
        /// as in `cases`
        case: u64,
        /// hidden (behind a block) or candidate
        role: String,
        /// its strategy
        strategy: String,
        /// cell
        cell: String,
        /// mean squared error on test trials, as a share of the best constant answer's
        error: f64,
        /// whether that is small enough (`learned`); others stand behind no block and beside none
        learned: bool,
        /// fixed points proved to attract
        stable: f64,
        /// modes at settled states that outlast a trial, median
        slow: f64,
        /// steps for which a unit of evidence is kept in the output, median over settled states; 10,000 is for ever, NaN: the
        /// response turns its sign
        tau: f64,
    }

    /// One row a block, candidate that has learned, and measure; none by dynamics where either has no time constant.
    CandidateDistances("candidate_distances") {
        /// as in `blocks`
        block: u64,
        /// as in `cases`: the candidate
        case: u64,
        /// svcca (of the movement-corrected recording and the candidate's states) or dynamics (of fixed points)
        measure: String,
        /// cell of the candidate
        cell: String,
        /// its strategy
        strategy: String,
        /// distance
        distance: f64,
    }

    /// One row a way to infer the strategy, true strategy and inferred one.
    Confusion("confusion") {
        /// kernel, svcca or dynamics
        measure: String,
        /// cell of the candidates; empty for the kernel
        cell: String,
        /// strategy of the blocks; its kind for the kernel
        strategy: String,
        /// strategy inferred
        inferred: String,
        /// blocks
        count: u64,
    }
}
