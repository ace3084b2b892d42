//! Weights and how they were found.

use super::table::tables;

tables! {
    /// One row an array of a weights file from elsewhere (`accrue analyze`).
    Weights("weights") {
        /// its name in the file
        array: String,
        /// its shape there
        shape: Vec<f64>,
        /// what it was taken as, or `not used`
        role: String,
    }

    /// One row every few optimiser steps: means over the steps since the row before.
    Training("training") {
        /// steps taken
        step: u64,
        /// passes over the training split
        epoch: f64,
        /// mean data loss of the batches, nats a document (a label, for label lists; squared units
        /// for a score)
        loss: f64,
        /// penalty at the last step, added to the loss
        penalty: f64,
        /// share right on the batches, before each step (R² for a score)
        accuracy: f64,
        /// learning rate of the last step
        learning_rate: f64,
        /// mean global gradient norm before the clip
        gradient_norm: f64,
        /// tokens read so far
        tokens: u64,
        /// seconds of training so far, validation not counted
        seconds: f64,
        /// loss on the validation split, where it was measured
        validation_loss: Option<f64>,
        /// accuracy there
        validation_accuracy: Option<f64>,
    }

    /// One row a condition of a task's test trials, such as a rule or a cue.
    Conditions("conditions") {
        /// its number in the task
        condition: u64,
        /// what it stands for
        name: String,
        /// test trials of it
        trials: u64,
        /// the network's mean squared error on them, over outputs and the steps that count
        error: f64,
        /// the same of the best constant answer for this condition alone: the variance of its targets
        constant: f64,
    }
}
