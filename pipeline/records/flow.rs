//! What leads where: orbits from saddles, cycles, curves of fixed points.

use super::table::tables;

tables! {
    /// One row an orbit that leaves a saddle along an unstable direction, the first input held.
    Transitions("transitions") {
        /// the saddle: row of `fixed_points`
        from: u64,
        /// number of the mode it leaves along, largest modulus first; null for a direction drawn among all unstable
        /// ones
        mode: Option<u64>,
        /// phase at which it leaves along that mode, rad: 0 and π are the two senses of a real one; null for a drawn
        /// direction
        phase: Option<f64>,
        /// where it ends: point, cycle, diverged, unended (at nothing known within `transitions.follow.steps`)
        end: String,
        /// the fixed point it ends at: row of `fixed_points`
        to: Option<u64>,
        /// the cycle it ends in: row of `cycles`; null too for one that only this orbit found
        cycle: Option<u64>,
        /// what the network says there
        label: String,
        /// steps until there
        steps: u64,
        /// other saddles it passes nearer than `transitions.follow.near`: rows of `fixed_points`, nearest first
        passes: Vec<f64>,
    }

    /// One row a saddle: which attractors its orbits reach, those of saddles on the way followed on. All of them for one
    /// unstable mode, which has two orbits; for more, those that the directions tried lead to: a sector may be too thin
    /// to be met.
    Saddles("saddles") {
        /// row of `fixed_points`
        point: u64,
        /// unstable modes
        unstable: u64,
        /// what the network says at the attractors reached, each once, sorted, ` | ` between them
        reaches: String,
        /// attractors reached
        attractors: u64,
    }

    /// One row a held input: how the map's orbits from visited states end.
    Orbits("orbits") {
        /// as in `fixed_points`
        input: String,
        /// visited states from which the map was run
        starts: u64,
        /// that end at a fixed point
        points: u64,
        /// in a cycle of a whole number of steps
        cycles: u64,
        /// on an invariant circle
        circles: u64,
        /// in none of these as far as `transitions.cycles` tells: chaotic, or not yet at rest
        irregular: u64,
        /// that left the range of numbers
        diverged: u64,
    }

    /// One row a cycle or invariant circle in which orbits from visited states end.
    Cycles("cycles") {
        /// as in `fixed_points`
        input: String,
        /// cycle or circle
        kind: String,
        /// steps until a cycle is where it was; null for a circle, which never is
        period: Option<u64>,
        /// mean angle of a step about the orbit's mean, rad; null for a cycle of two steps
        rotation: Option<f64>,
        /// modulus of the largest Floquet multiplier of a cycle; null for a circle
        multiplier: Option<f64>,
        /// the largest Lyapunov exponents of a circle, per step; empty for a cycle
        exponents: Vec<f64>,
        /// whether it attracts: all multipliers inside the unit circle; of a circle, no exponent above 0
        stable: bool,
        /// largest entry of F^T(h) − h; null for a circle
        residual: Option<f64>,
        /// orbits that end in it
        starts: u64,
        /// its states along the first principal component of the states, in order, 256 at most
        pc_1: Vec<f64>,
        /// along the second
        pc_2: Vec<f64>,
        /// a state of it
        state: Vec<f64>,
    }

    /// One row a curve: a fixed point of the first held input, followed while the input moves to another one.
    Curves("curves") {
        /// row of `fixed_points` where it begins
        point: u64,
        /// the held input it begins at, λ = 0
        from_input: String,
        /// the held input it moves to, λ = 1
        to_input: String,
        /// points computed along it
        points: u64,
        /// why it ended: boundary (λ = 0 or 1), closed (where it began), out_of_steps, lost, no_start
        end: String,
        /// λ where it ended
        lambda: f64,
        /// folds on it: λ turns, two fixed points meet
        folds: u64,
        /// places where another branch crosses
        branchings: u64,
        /// places where a cycle of two steps is born
        doublings: u64,
        /// places where an invariant circle is born (Neimark–Sacker)
        circles: u64,
    }

    /// One row a fixed point on a curve.
    CurvePoints("curve_points") {
        /// row of `curves`
        curve: u64,
        /// share of the way from the one input to the other
        lambda: f64,
        /// sign det(I − J)
        index: f64,
        /// eigenvalues outside the unit circle
        unstable: u64,
        /// the outputs there
        readout: Vec<f64>,
        /// coordinate on the first principal component of the states
        pc_1: f64,
        /// on the second
        pc_2: f64,
    }

    /// One row a place where an eigenvalue crosses the unit circle along a curve.
    Bifurcations("bifurcations") {
        /// row of `curves`
        curve: u64,
        /// fold, branching, period_doubling, neimark_sacker
        crossing: String,
        /// share of the way
        lambda: f64,
        /// the eigenvalue that crosses, real part
        re: f64,
        /// imaginary part
        im: f64,
        /// the outputs there
        readout: Vec<f64>,
        /// coordinate on the first principal component of the states
        pc_1: f64,
        /// on the second
        pc_2: f64,
        /// the fixed point there
        state: Vec<f64>,
    }
}
