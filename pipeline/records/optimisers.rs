//! Learned optimisers: training, comparison, dynamics.

use super::table::tables;

tables! {
    /// One row a stretch of meta-training of a learned optimiser.
    MetaTraining("meta_training") {
        /// the optimiser, from 1
        network: u64,
        /// steps of training so far
        step: u64,
        /// objective, mean over the problems of the stretch that were not lost
        objective: f64,
        /// Euclidean norm of the mean gradient before the clip, mean over the steps
        gradient: f64,
        /// problems that diverged, had nothing to win, or whose gradient overflowed: left out of the step
        lost: u64,
    }

    /// One row a family of problems and method, with the numbers that random search found.
    TunedMethods("tuned_methods") {
        /// the problems: those of training first, then others
        problems: String,
        /// the method
        method: String,
        /// learning rate of the first step
        learning_rate: f64,
        /// decay of the mean gradient a step; null where the method has none
        beta: Option<f64>,
        /// decay of the mean squared gradient a step; null where the method has none
        beta_2: Option<f64>,
        /// learning rate after all steps, as a share of the first
        decay: f64,
        /// objective on the problems it was tuned on
        tuned: f64,
        /// draws of the search
        trials: u64,
        /// draws that diverged on some problem
        diverged: u64,
    }

    /// One row a family of problems and optimiser: how it does on test problems.
    OptimiserScores("optimiser_scores") {
        /// the problems
        problems: String,
        /// learned, or a method
        optimiser: String,
        /// the learned optimiser, from 1; null for a method
        network: Option<u64>,
        /// objective, mean over the test problems that were not lost
        objective: f64,
        /// standard error of that mean
        error: f64,
        /// test problems behind it
        n: u64,
        /// test problems on which it diverged, or with nothing to win
        lost: u64,
        /// of the others, those whose last loss is above their first
        worse: u64,
    }

    /// One row a step of each optimiser on test problems.
    LossCurves("loss_curves") {
        /// as in `optimiser_scores`
        problems: String,
        /// as in `optimiser_scores`
        optimiser: String,
        /// as in `optimiser_scores`
        network: Option<u64>,
        /// step, from 0
        step: u64,
        /// loss, mean over test problems
        loss: f64,
        /// standard error of that mean
        error: f64,
        /// loss as a share of the first, mean over test problems
        share: f64,
    }

    /// One row a fixed point of a learned optimiser at gradient 0.
    OptimiserPoints("optimiser_points") {
        /// the learned optimiser, from 1
        network: u64,
        /// the point, from 0; the first is the one that everything else is measured at
        point: u64,
        /// half the sum of squares of what a step changes
        q: f64,
        /// whether a fixed point was proved to lie here
        certified: bool,
        /// radius of the proof (maximum norm)
        radius: Option<f64>,
        /// eigenvalues proved to lie outside the unit circle
        unstable: Option<u64>,
        /// what it does to a parameter at rest, a step
        drift: f64,
    }

    /// One row a mode at the first fixed point, slowest first.
    OptimiserModes("optimiser_modes") {
        /// the learned optimiser, from 1
        network: u64,
        /// mode, from 1
        mode: u64,
        /// momentum β: real part of the eigenvalue
        beta: f64,
        /// its imaginary part
        beta_imaginary: f64,
        /// learning rate α: real part
        alpha: f64,
        /// its imaginary part
        alpha_imaginary: f64,
    }

    /// One row a state and gradient: the update that a learned optimiser makes there.
    UpdateFunctions("update_functions") {
        /// the learned optimiser, from 1
        network: u64,
        /// start (the first state) or mode (the fixed point at gradient 0, moved along its slowest mode)
        at: String,
        /// how far along the slowest mode
        shift: f64,
        /// gradient
        gradient: f64,
        /// what is added to the parameter
        update: f64,
        /// learning rate: minus the slope of the update in the gradient
        rate: f64,
    }

    /// One row a percentile of the gradients' magnitude that a learned optimiser meets on test problems.
    MetGradients("met_gradients") {
        /// the learned optimiser, from 1
        network: u64,
        /// share of the gradients that are smaller
        share: f64,
        /// magnitude
        gradient: f64,
    }

    /// One row a step without any gradient, from the first state.
    Schedules("schedules") {
        /// the learned optimiser, from 1
        network: u64,
        /// step, from 0
        step: u64,
        /// learning rate: minus the slope of the update at gradient 0
        rate: f64,
        /// state along the first principal component of the states on test problems
        pc_1: f64,
        /// along the second
        pc_2: f64,
    }

    /// One row a constant gradient: where the state of a learned optimiser stands under it.
    ConstantGradients("constant_gradients") {
        /// the learned optimiser, from 1
        network: u64,
        /// gradient
        gradient: f64,
        /// learning rate there: minus the slope of the update in the gradient
        rate: f64,
        /// what is added to the parameter at each step
        update: f64,
        /// whether the fixed point was proved
        certified: bool,
        /// eigenvalues proved to lie outside the unit circle
        unstable: Option<u64>,
        /// state along the first principal component of the states on test problems
        pc_1: f64,
        /// along the second
        pc_2: f64,
    }

    /// One row a learned optimiser: its dynamics in numbers.
    OptimiserDynamics("optimiser_dynamics") {
        /// the learned optimiser, from 1
        network: u64,
        /// distinct fixed points at gradient 0
        points: u64,
        /// of these proved
        certified: u64,
        /// searches that ended in none
        unfinished: u64,
        /// share of the states' variance along their first principal component
        variance_1: f64,
        /// along the first two
        variance_2: f64,
        /// momentum of the slowest mode
        beta: f64,
        /// learning rate of the slowest mode
        alpha: f64,
        /// modulus of the slowest mode less that of the next; 0 where the slowest turns
        gap: f64,
        /// learning rate at the 95th percentile of the gradients as a share of that at 0, at the first state
        slope_start: f64,
        /// the same at rest
        slope_rest: f64,
        /// step of the largest learning rate without gradient
        peak: u64,
        /// that rate over the last
        schedule: f64,
        /// rank correlation of learning rate and magnitude of the gradient along the fixed points
        adaptation: f64,
        /// share of the variance of these fixed points off the straight line that fits them best
        off_line: f64,
        /// folds and other crossings on the way of these points
        crossings: u64,
        /// constant gradients under which no fixed point was found
        missing: u64,
    }

    /// One row an optimiser made by hand from the measured parts of a learned one.
    AssembledScores("assembled_scores") {
        /// the learned optimiser, from 1
        network: u64,
        /// which parts
        parts: String,
        /// objective, mean over the test problems that were not lost
        objective: f64,
        /// standard error of that mean
        error: f64,
        /// test problems behind it
        n: u64,
        /// test problems on which it diverged, or with nothing to win
        lost: u64,
    }
}
