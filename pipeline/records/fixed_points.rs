//! Slow points: where the state nearly stands still, and how it moves nearby.

use super::kind::Even;
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
        /// Euclidean distance from the state its search began at
        moved: f64,
        /// steps of the search from there
        steps: u64,
        /// why the whole search from this state ended: converged, stalled, too_far, out_of_steps
        stop: String,
        /// what figures and claims are about: the first input, the primary tolerance, found from visited states
        /// within `fixed_points.finder.max_distance`
        primary: bool,
        /// how the point was sought: near (from a visited state, within that distance); or without a limit, at the
        /// smallest tolerance alone, from: running (where the map leads to from a visited state), visited, noisy,
        /// mixture, uniform, given; deflated (on from what is known, where indices say that a point is missing) and
        /// census (in the count by proof)
        start: String,
        /// row of `states` that this was (of a mixture, the first); null for uniform, given, deflated and census
        initial_state: Option<u64>,
        /// distance from the nearest state that the searches began at or were made of, in median state norms
        distance_from_states: f64,
        /// whether that is within `fixed_points.finder.max_distance`
        near: bool,
        /// a fixed point is proved within `radius`; null where no proof was tried
        certified: Option<bool>,
        /// radius of the proof, maximum norm
        radius: Option<f64>,
        /// proved to attract; false: not proved; null where no proof was tried
        stable: Option<bool>,
        /// what is proved of the fixed point: stable, unstable, or undecided; null where no fixed point is proved
        stability: Option<String>,
        /// proved upper bound of the spectral radius
        spectral_bound: Option<f64>,
        /// proved sign of det(I − J), 1 or −1: the fixed point's index
        index: Option<f64>,
        /// slowest time constant |1/ln|λ||, steps; null where no spectrum was computed
        tau_1: Option<f64>,
        /// second slowest
        tau_2: Option<f64>,
        /// third slowest
        tau_3: Option<f64>,
        /// eigenvalues outside the unit circle, computed; null where no spectrum was
        unstable: Option<u64>,
        /// coordinate on the first principal component of the states
        pc_1: f64,
        /// on the second
        pc_2: f64,
        /// on the third
        pc_3: f64,
        /// [outputs] logits at the point
        readout: Even<f64>,
        /// [state] every coordinate
        state: Even<f64>,
    }

    /// One row a held input and tolerance: how the search went.
    Searches("searches") {
        /// as in `fixed_points`
        input: String,
        /// speed
        tolerance: f64,
        /// searches started
        searches: u64,
        /// searches that came below the tolerance; all, at the primary one, where they were led
        /// jointly and their mean did
        reached: u64,
        /// points kept as distinct
        kept: u64,
        /// median distance from the initial state, in median state norms, of those that did
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

    /// One row a held input and kind of start: how the searches without a limit of distance went, at the smallest
    /// tolerance.
    Explorations("explorations") {
        /// as in `fixed_points`
        input: String,
        /// as in `fixed_points`
        start: String,
        /// searches
        searches: u64,
        /// of these, states that left the range of numbers while the map was run
        diverged: u64,
        /// of these, searches that ended outside the box into which the map takes every state, where rounding alone
        /// keeps a state: no fixed point is there
        outside: u64,
        /// that converged to a fixed point, as far as the smallest tolerance says
        converged: u64,
        /// distinct points they came to
        points: u64,
        /// of these, points to which no search within the limit, and no kind of start above this row, had come
        added: u64,
        /// of these added ones, farther from the states than `fixed_points.finder.max_distance`
        farther: u64,
        /// share of the searches that came to a point no other of this kind came to: about how likely the next one
        /// ends at a new point; null where none converged
        unseen: Option<f64>,
    }

    /// One row a mode of the Jacobian at a slow point.
    Eigenvalues("eigenvalues") {
        /// row of `fixed_points`
        point: u64,
        /// as in `fixed_points`
        primary: bool,
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

    /// One row a point with a spectrum, where `fixed_points.save_jacobians` asks for it. Matrices row by row,
    /// `[state, state]`.
    Jacobians("jacobians") {
        /// row of `fixed_points`
        point: u64,
        /// J = ∂F/∂h at the point
        jacobian: Vec<f64>,
        /// right eigenvectors, one a column, in the order of `eigenvalues`; real parts
        right_re: Vec<f64>,
        /// imaginary parts
        right_im: Vec<f64>,
        /// left eigenvectors, one a column, Lᵀ R = I; real parts
        left_re: Vec<f64>,
        /// imaginary parts
        left_im: Vec<f64>,
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
