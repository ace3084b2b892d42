//! States that were visited, and what becomes of them.

use super::kind::{Even, Optional};
use super::table::tables;

tables! {
    /// One row a visited state of a test document, thinned.
    States("states") {
        /// test document, as in `documents`; for a task, test trial
        document: u64,
        /// position of the token just read, from 0; for a task, step
        token: u64,
        /// tokens of the document; for a task, steps of the trial
        length: Optional<u64>,
        /// the token just read
        word: Optional<String>,
        /// the document's own label(s); for a task, signs of the wanted outputs; `given` for states from
        /// elsewhere
        label: String,
        /// what the readout says at this state
        predicted: Optional<String>,
        /// coordinate on the first principal component of all states
        pc_1: f64,
        /// on the second
        pc_2: f64,
        /// on the third
        pc_3: f64,
        /// [outputs] logits at this state
        readout: Optional<Even<f64>>,
        /// [state] the state itself; [h; c] for the LSTM
        state: Even<f64>,
    }

    /// Mean state (component 0) and principal directions of all states.
    Axes("axes") {
        /// 0 for the mean, then 1, 2, …, descending variance
        component: u64,
        /// variance of the states along it, 1/(m−1) (0 for the mean)
        variance: f64,
        /// variance of the same rank for the network before training (absent for weights from
        /// elsewhere)
        untrained_variance: Optional<f64>,
        /// [state] unit vector (for component 0 the mean state)
        direction: Even<f64>,
    }

    /// Test accuracy when the state that is read keeps only its first principal components, its
    /// mean for the rest.
    Restricted("restricted") {
        /// components kept; 0 reads the mean state
        components: u64,
        /// share right
        accuracy: f64,
        /// documents
        n: u64,
    }

    /// What each principal component remembers: how much of its variance over visited states leaky
    /// sums of the words' evidence explain.
    Memory("memory") {
        /// principal component of the states
        component: u64,
        /// its share of the variance
        ratio: f64,
        /// time constant of the sums, tokens; inf: nothing is forgotten
        memory: f64,
        /// R², fitted in half of the documents, measured in the others; below 0 it says less than
        /// the mean
        explained: f64,
        /// the same for the sums of all memories at once
        together: f64,
        /// states it was measured on
        n: u64,
    }

    /// One row a unit and a token of two documents, of the first and the last class.
    Units("units") {
        /// number in the test split
        document: u64,
        /// its class
        label: String,
        /// position, from 0
        token: u64,
        /// index among the units, evenly spaced
        unit: u64,
        /// h of that unit after the token
        activation: f64,
    }

    /// One row a test document whose words were read in another order, drawn by the seed.
    Shuffled("shuffled") {
        /// number in the test split
        document: u64,
        /// distance of the last state from where it was, share of its norm
        change: f64,
        /// whether the network's answer stayed
        agrees: bool,
    }

    /// One row a step of a test document: the linear step at the nearest slow point.
    OneStep("one_step") {
        /// test document, as in `documents`
        document: u64,
        /// position of the token, from 0
        token: u64,
        /// distance of the state before it to the nearest slow point
        distance: f64,
        /// ‖F(h,x) − linear step‖/‖F(h,x)‖
        error: f64,
    }

    /// One row a model, on drawn test documents (linear_trained: on all of them).
    Linear("linear") {
        /// network; linearised_nearest (linear steps at the nearest slow point, rolled out);
        /// linearised_fixed (at the central one); linear_trained (a linear recurrent model trained
        /// as such; absent where it was not asked for or diverged)
        model: String,
        /// share right
        accuracy: f64,
        /// 95 % interval (Wilson)
        low: f64,
        /// its upper end
        high: f64,
        /// documents
        n: u64,
    }
}
