//! Distances between what fixed points two networks have, and what leads to what.
//!
//! Networks of one task may differ in every measure of geometry and still have the same attractors and the same
//! transitions between them (Maheswaranathan et al. 2019, arXiv:1907.08549).

use crate::{Error, Result};
use std::collections::BTreeSet;

/// Attractors by label, and which leads to which.
///
/// A label must mean the same in all networks: the output at the attractor, or the input that was held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttractorGraph {
    attractors: BTreeSet<String>,
    edges: BTreeSet<(String, String)>,
}

/// How far two graphs are apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GraphDistance {
    /// Edges that only one of the two has, as a share of those that either has; 0 where neither has any.
    pub edges: f64,
    /// The same for attractors.
    pub attractors: f64,
    /// Edges that either has.
    pub edges_of_either: usize,
    /// Attractors that either has.
    pub attractors_of_either: usize,
}

impl AttractorGraph {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an attractor; one that is there stays.
    pub fn attractor(&mut self, label: impl Into<String>) {
        self.attractors.insert(label.into());
    }

    /// Adds an edge, and its ends where they are not there: what begins near `from` comes to rest at `to`.
    pub fn edge(&mut self, from: impl Into<String>, to: impl Into<String>) {
        let (from, to) = (from.into(), to.into());
        self.attractor(from.clone());
        self.attractor(to.clone());
        self.edges.insert((from, to));
    }

    /// `|E₁ △ E₂|/|E₁ ∪ E₂|`, for edges and for attractors: both are metrics (Jaccard's).
    pub fn distance(&self, other: &Self) -> GraphDistance {
        let (edges, edges_of_either) = jaccard(&self.edges, &other.edges);
        let (attractors, attractors_of_either) = jaccard(&self.attractors, &other.attractors);
        GraphDistance { edges, attractors, edges_of_either, attractors_of_either }
    }
}

/// Share of the union that only one has, and its size.
fn jaccard<T: Ord>(a: &BTreeSet<T>, b: &BTreeSet<T>) -> (f64, usize) {
    let (differ, either) = (a.symmetric_difference(b).count(), a.union(b).count());
    (if either > 0 { differ as f64 / either as f64 } else { 0.0 }, either)
}

/// Total-variation distance between the indices (numbers of unstable modes) of two networks' fixed points:
/// `½ Σ_k |p_k − p'_k|` of the shares `p_k` of points with `k` unstable modes. 0 for the same shares, 1 for no index in
/// common.
///
/// * `a`, `b`: the index of each fixed point
///
/// Shares do not tell one point of each kind from ten: compare [`index_counts`] for that.
///
/// # Errors
/// [`Error::Input`] for a network without fixed points.
pub fn index_distance(a: &[usize], b: &[usize]) -> Result<f64> {
    for (which, points) in [("first", a), ("second", b)] {
        if points.is_empty() {
            let problem = format!("the {which} network has no fixed points to compare");
            let remedy = "leave it out, or search with a looser tolerance";
            return Err(Error::input("fixed points", "", problem, remedy));
        }
    }
    let share = |counts: &[usize], k: usize, of: &[usize]| {
        counts.get(k).copied().unwrap_or(0) as f64 / of.len() as f64
    };
    let (counts_a, counts_b) = (index_counts(a), index_counts(b));
    let differ = |k| (share(&counts_a, k, a) - share(&counts_b, k, b)).abs();
    Ok((0..counts_a.len().max(counts_b.len())).map(differ).sum::<f64>() / 2.0)
}

/// How many fixed points have each index, from 0 on.
pub fn index_counts(indices: &[usize]) -> Vec<usize> {
    let mut counts = vec![0; indices.iter().max().map_or(0, |most| most + 1)];
    indices.iter().for_each(|&k| counts[k] += 1);
    counts
}
