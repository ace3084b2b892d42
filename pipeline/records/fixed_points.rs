//! Slow points: where the state nearly stands still, and how it moves nearby.

use super::table::tables;

tables! {
    /// One row a slow point that was kept, for each held input and tolerance.
    FixedPoints("fixed_points") {
        /// where the input is held: zero, mean (mean token of the corpus), uniform (mean over the
        /// vocabulary), or a word
        input: String,
        /// the point is the first below this speed on its way
        tolerance: f64,
        /// speed ½‖F(h,x*) − h‖² at the point returned: half the sum over units
        q: f64,
        /// Euclidean distance from the seed state
        moved: f64,
        /// Levenberg–Marquardt steps from the seed
        steps: u64,
        /// why the whole search from this seed ended: converged, stalled, too_far, out_of_steps
        stop: String,
        /// row of `states` the search started from
        seed_state: u64,
        /// a fixed point is proved within `radius`; null where no proof was tried
        certified: Option<bool>,
        /// radius of the proof, maximum norm
        radius: Option<f64>,
        /// proved to attract; null where no proof was tried
        stable: Option<bool>,
        /// proved upper bound of the spectral radius
        spectral_bound: Option<f64>,
        /// slowest time constant |1/ln|λ||, tokens; null where no spectrum was computed
        tau_1: Option<f64>,
        /// second slowest
        tau_2: Option<f64>,
        /// third slowest
        tau_3: Option<f64>,
        /// eigenvalues outside the unit circle
        unstable: u64,
        /// coordinate on the first principal component of the states
        pc_1: f64,
        /// on the second
        pc_2: f64,
        /// on the third
        pc_3: f64,
        /// [outputs] logits at the point
        readout: Vec<f64>,
        /// [state] every coordinate
        state: Vec<f64>,
    }

    /// One row a held input and tolerance: how the search went.
    Searches("searches") {
        /// as in `fixed_points`
        input: String,
        /// speed
        tolerance: f64,
        /// searches started
        seeds: u64,
        /// searches that came below the tolerance; all, at the headline's, where they were led
        /// together and their mean did
        reached: u64,
        /// points kept as distinct
        kept: u64,
        /// median distance from the seed, in median state norms, of those that did
        median_moved: Option<f64>,
        /// searches of this input that ended where only steps out of reach lead further down
        too_far: u64,
        /// searches of this input that ended at a minimum that is no zero
        stalled: u64,
        /// searches of this input that ran out of steps
        out_of_steps: u64,
        /// dimension of the points kept
        participation_ratio: f64,
    }

    /// One row a mode of the Jacobian at a slow point (headline input and tolerance).
    Eigenvalues("eigenvalues") {
        /// row of `fixed_points`
        point: u64,
        /// from 1, largest modulus first
        mode: u64,
        /// real part
        re: f64,
        /// imaginary part
        im: f64,
        /// |λ|
        modulus: f64,
        /// time constant |1/ln|λ||, tokens
        tau: f64,
    }

    /// How long differences last while test documents are read: Lyapunov exponents along them, no
    /// input held.
    Lyapunov("lyapunov") {
        /// from 1, longest memory first
        mode: u64,
        /// mean ln of what the mode is stretched by at a token, over documents, their first third
        /// left out
        exponent: f64,
        /// 2.5th percentile of the bootstrap over documents
        low: f64,
        /// 97.5th percentile
        high: f64,
        /// time constant 1/|exponent|, tokens
        tau: f64,
        /// documents
        n: u64,
    }

    /// One row a step under the held input, from visited states.
    Relaxation("relaxation") {
        /// steps taken
        step: u64,
        /// ‖h′ − h‖/‖h‖ of this step, 10th percentile of the states
        low: f64,
        /// median
        median: f64,
        /// 90th percentile
        high: f64,
        /// states
        n: u64,
    }

    /// One row a visited state brought onto the slow manifold: solved along all modes but the
    /// slowest.
    Manifold("manifold") {
        /// step along the manifold that is left, state units a token
        drift: f64,
        /// largest entry of the rest of the residual
        off: f64,
        /// distance from the visited state
        moved: f64,
        /// Newton steps
        steps: u64,
        /// coordinate on the first principal component of the states
        pc_1: f64,
        /// on the second
        pc_2: f64,
        /// on the third
        pc_3: f64,
    }
}
