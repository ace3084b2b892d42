//! Whether what a matrix of distances shows could be chance.
//!
//! Distances of all pairs are not independent: of `n` networks there are `n(n − 1)/2`. Nulls permute *networks*, and
//! intervals draw *networks* again, never pairs.

use super::DistanceMatrix;
use crate::{Error, Result, seed};
use accrue_numerics::summary::{mean, pearson, quantile, ranks};
use rand::Rng;
use rand::seq::SliceRandom;
use rayon::prelude::*;

/// A number beside what chance gives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AgainstChance {
    /// The number itself.
    pub value: f64,
    /// Its mean over permutations.
    pub chance: f64,
    /// Between these lie 95 % of the permutations.
    pub range: (f64, f64),
    /// `(1 + permutations that give as much or more)/(1 + permutations)`: never 0.
    pub p: f64,
    /// Permutations drawn.
    pub permutations: usize,
}

/// Sums of permutations may differ from the number itself by rounding where nothing was changed.
const ROUNDING: f64 = 1e-12;

/// A number against those of permutations, each from a stream of its own.
///
/// * `of`: the number for networks in some order
fn against_chance(
    count: usize,
    permutations: usize,
    seed: u64,
    name: &str,
    of: impl Fn(&[usize]) -> f64 + Sync,
) -> AgainstChance {
    let straight: Vec<usize> = (0..count).collect();
    let value = of(&straight);
    let one = |number: usize| {
        let mut order = straight.clone();
        order.shuffle(&mut seed::stream(seed, &format!("{name}/permutation {number}")));
        of(&order)
    };
    let drawn: Vec<f64> = (0..permutations).into_par_iter().map(one).collect();
    let as_much = drawn.iter().filter(|x| **x >= value - ROUNDING).count();
    let at = |share| quantile(&drawn, share).unwrap_or(f64::NAN);
    AgainstChance {
        value,
        chance: mean(&drawn),
        range: (at(0.025), at(0.975)),
        p: (1 + as_much) as f64 / (1 + permutations) as f64,
        permutations,
    }
}

fn fits(distances: &DistanceMatrix, what: &str, given: usize, least: usize) -> Result<()> {
    let n = distances.count();
    if given != n {
        return Err(Error::shape(what, given, format!("{n}, one a network")));
    }
    if n < least {
        let problem = format!("{n} networks; this needs at least {least}");
        return Err(Error::input("distances", "", problem, "compare more networks"));
    }
    Ok(())
}

/// How well a network's nearest neighbour tells its label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NeighbourAccuracy {
    /// Share of networks whose nearest other one has their label, against permuted labels.
    pub accuracy: AgainstChance,
    /// Networks alone with their label: they can never be right.
    pub alone: usize,
    /// Networks with several others equally near; each of those counts its part.
    pub tied: usize,
}

/// Leave-one-out nearest-neighbour accuracy of predicting labels from distances.
///
/// # Errors
/// [`Error::Shape`] for another number of labels; [`Error::Input`] for fewer than two networks.
pub fn neighbour_accuracy<T: PartialEq + Sync>(
    distances: &DistanceMatrix,
    labels: &[T],
    permutations: usize,
    seed: u64,
) -> Result<NeighbourAccuracy> {
    fits(distances, "labels", labels.len(), 2)?;
    let near: Vec<Vec<usize>> = (0..labels.len()).map(|i| nearest(distances, i)).collect();
    let of = |order: &[usize]| {
        let right = |i: usize| {
            let same = near[i].iter().filter(|&&j| labels[order[j]] == labels[order[i]]).count();
            same as f64 / near[i].len() as f64
        };
        (0..labels.len()).map(right).sum::<f64>() / labels.len() as f64
    };
    let accuracy = against_chance(labels.len(), permutations, seed, "neighbours", of);
    let alone = |label: &&T| labels.iter().filter(|other| other == label).count() == 1;
    Ok(NeighbourAccuracy {
        accuracy,
        alone: labels.iter().filter(alone).count(),
        tied: near.iter().filter(|near| near.len() > 1).count(),
    })
}

/// The share of some networks, each with its copies left out, whose nearest other one among them has their label: the
/// accuracy of [`neighbour_accuracy`] for [`bootstrap`].
///
/// * `networks`: by number, some named twice
///
/// `None` where all are copies of one.
///
/// # Panics
/// If a network has no label.
pub fn neighbour_share<T: PartialEq>(
    distances: &DistanceMatrix,
    labels: &[T],
    networks: &[usize],
) -> Option<f64> {
    let right = |&i: &usize| {
        let others = || networks.iter().copied().filter(move |&j| j != i);
        let least = others().map(|j| distances.at(i, j)).fold(f64::INFINITY, f64::min);
        let near: Vec<usize> = others().filter(|&j| distances.at(i, j) == least).collect();
        let same = near.iter().filter(|&&j| labels[j] == labels[i]).count();
        (!near.is_empty()).then(|| same as f64 / near.len() as f64)
    };
    let found: Vec<f64> = networks.iter().map(right).collect::<Option<_>>()?;
    (!found.is_empty()).then(|| mean(&found))
}

/// The others nearest to network `i`; several where they are equally near.
fn nearest(distances: &DistanceMatrix, i: usize) -> Vec<usize> {
    let others = || (0..distances.count()).filter(move |&j| j != i);
    let least = others().map(|j| distances.at(i, j)).fold(f64::INFINITY, f64::min);
    others().filter(|&j| distances.at(i, j) == least).collect()
}

/// Mean silhouette of a labelling, against permuted labels (Rousseeuw 1987).
///
/// `(b − a)/max(a, b)` of each network, `a` its mean distance to others of its label, `b` the smallest mean distance
/// to those of another: 1 for tight groups far apart, 0 for none, below 0 where neighbours have another label. A
/// network alone with its label counts 0.
///
/// # Errors
/// [`Error::Shape`] for another number of labels; [`Error::Input`] for fewer than three networks, or one label.
pub fn silhouette<T: PartialEq + Sync>(
    distances: &DistanceMatrix,
    labels: &[T],
    permutations: usize,
    seed: u64,
) -> Result<AgainstChance> {
    fits(distances, "labels", labels.len(), 3)?;
    let mut kinds: Vec<&T> = Vec::new();
    let group: Vec<usize> = labels
        .iter()
        .map(|label| {
            kinds.iter().position(|k| *k == label).unwrap_or_else(|| {
                kinds.push(label);
                kinds.len() - 1
            })
        })
        .collect();
    if kinds.len() < 2 {
        let problem = format!("all {} networks have one label", labels.len());
        return Err(Error::input("labels", "", problem, "give at least two"));
    }
    let of = |order: &[usize]| {
        let one = |i: usize| {
            let mut sums = vec![(0.0, 0_usize); kinds.len()];
            for (j, distance) in distances.row(i).iter().enumerate().filter(|(j, _)| *j != i) {
                let sum = &mut sums[group[order[j]]];
                *sum = (sum.0 + distance, sum.1 + 1);
            }
            let own = group[order[i]];
            if sums[own].1 == 0 {
                return 0.0;
            }
            let mean = |k: usize| sums[k].0 / sums[k].1 as f64;
            let others = (0..kinds.len()).filter(|&k| k != own && sums[k].1 > 0);
            let (a, b) = (mean(own), others.map(mean).fold(f64::INFINITY, f64::min));
            if a.max(b) > 0.0 { (b - a) / a.max(b) } else { 0.0 }
        };
        (0..labels.len()).map(one).sum::<f64>() / labels.len() as f64
    };
    Ok(against_chance(labels.len(), permutations, seed, "silhouette", of))
}

/// How two matrices of distances are correlated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Correlation {
    /// Pearson's.
    #[default]
    Pearson,
    /// Of ranks: Spearman's.
    Rank,
}

/// Whether two ways to measure the same networks agree (Mantel 1967): the correlation over pairs, against that with
/// the networks of one permuted, rows and columns together. `p` is of one side: as large or larger.
///
/// # Errors
/// [`Error::Shape`] for different numbers of networks; [`Error::Input`] for fewer than three, and where all distances
/// of one matrix are the same.
pub fn mantel(
    a: &DistanceMatrix,
    b: &DistanceMatrix,
    correlation: Correlation,
    permutations: usize,
    seed: u64,
) -> Result<AgainstChance> {
    fits(a, "rows of the second matrix", b.count(), 3)?;
    let prepared = |of: &DistanceMatrix| match correlation {
        Correlation::Pearson => of.pairs(),
        Correlation::Rank => ranks(&of.pairs()),
    };
    let (x, y) = (prepared(a), prepared(b));
    for (which, values) in [("first", &x), ("second", &y)] {
        if values.iter().all(|v| *v == values[0]) {
            let problem = format!("all distances of the {which} are the same");
            return Err(Error::input("distances", "", problem, "such a matrix tells nothing"));
        }
    }
    // Pairs as they stand in `pairs()`: (i, j), i < j, at j(j − 1)/2 + i.
    let at = |i: usize, j: usize| {
        let (low, high) = (i.min(j), i.max(j));
        high * (high - 1) / 2 + low
    };
    let of = |order: &[usize]| {
        let pairs = (0..order.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
        let moved: Vec<f64> = pairs.map(|(i, j)| y[at(order[i], order[j])]).collect();
        pearson(&x, &moved)
    };
    Ok(against_chance(a.count(), permutations, seed, "mantel", of))
}

/// An interval of a number of several networks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The number of all networks.
    pub value: f64,
    /// 95 % interval.
    pub low: f64,
    /// 95 % interval.
    pub high: f64,
    /// Draws in which the number was not defined; the interval is of the rest.
    pub undefined: usize,
}

/// 95 % interval by drawing networks again, as many as there are, with replacement.
///
/// A network drawn twice is at distance 0 from itself, which says nothing of others: `statistic` gets the drawn
/// networks by their numbers and must leave such pairs out, as [`DistanceMatrix::pairs_of`] does.
///
/// * `statistic`: of networks by number, some named twice; `None` where it is not defined
/// * `name`: of the stream
///
/// # Errors
/// [`Error::Input`] for fewer than two networks, and where the number of all is not defined.
pub fn bootstrap(
    networks: usize,
    draws: usize,
    statistic: impl Fn(&[usize]) -> Option<f64> + Sync,
    seed: u64,
    name: &str,
) -> Result<Interval> {
    if networks < 2 {
        let problem = format!("{networks} networks have no spread");
        return Err(Error::input("networks", "", problem, "compare at least two"));
    }
    let Some(value) = statistic(&(0..networks).collect::<Vec<_>>()) else {
        let problem = "the number is not defined for all networks together";
        return Err(Error::input(name, "", problem, "choose another, or more networks"));
    };
    let one = |draw: usize| {
        let mut stream = seed::stream(seed, &format!("{name}/draw {draw}"));
        let drawn: Vec<usize> = (0..networks).map(|_| stream.random_range(0..networks)).collect();
        statistic(&drawn).filter(|x| x.is_finite())
    };
    let found: Vec<f64> = (0..draws).into_par_iter().filter_map(one).collect();
    let at = |share| quantile(&found, share).unwrap_or(f64::NAN);
    Ok(Interval { value, low: at(0.025), high: at(0.975), undefined: draws - found.len() })
}
