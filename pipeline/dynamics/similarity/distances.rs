//! Distances between all pairs of some networks.

use crate::{Error, Result};
use rayon::prelude::*;

/// Networks a tile: pairs of two tiles follow each other, so that what was prepared of a few networks is read from
/// the cache.
const TILE: usize = 8;

/// A symmetric matrix of distances with zeros on its diagonal.
#[derive(Clone, Debug, PartialEq)]
pub struct DistanceMatrix {
    count: usize,
    /// `[count, count]`.
    values: Vec<f64>,
}

impl DistanceMatrix {
    /// From whole rows end to end, `[count, count]`.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of values; [`Error::NotFinite`]; [`Error::Input`] where a distance is
    /// negative, a diagonal is not zero, or the two of a pair differ by more than `1e-9` of the larger.
    pub fn new(count: usize, values: Vec<f64>) -> Result<Self> {
        let what = "distance matrix";
        if values.len() != count * count {
            return Err(Error::shape(what, values.len(), format!("{count} · {count}")));
        }
        let mut matrix = Self { count, values };
        for i in 0..count {
            for j in 0..=i {
                let (there, back) = (matrix.at(i, j), matrix.at(j, i));
                let place = format!("row {i}, column {j}");
                if !(there.is_finite() && back.is_finite()) {
                    let remedy = "leave out the network without distances".into();
                    return Err(Error::NotFinite { what: what.into(), place, remedy });
                }
                let problem = if there < 0.0 || back < 0.0 {
                    format!("distance {} is negative", there.min(back))
                } else if i == j && there != 0.0 {
                    format!("a network is {there} away from itself")
                } else if (there - back).abs() > 1e-9 * there.max(back) {
                    format!("{there} there, but {back} back")
                } else {
                    matrix.values[i * count + j] = back;
                    continue;
                };
                return Err(Error::input(what, place, problem, "give distances, not similarities"));
            }
        }
        Ok(matrix)
    }

    /// Distances by a function of each pair `i < j`, over all cores.
    ///
    /// # Errors
    /// What `far` returns; [`Error::NotFinite`] where it returns no number.
    pub fn between(count: usize, far: impl Fn(usize, usize) -> Result<f64> + Sync) -> Result<Self> {
        let mut pairs: Vec<(usize, usize)> =
            (0..count).flat_map(|j| (0..j).map(move |i| (i, j))).collect();
        pairs.sort_by_key(|&(i, j)| (i / TILE, j / TILE));
        let found: Vec<f64> = pairs.par_iter().map(|&(i, j)| far(i, j)).collect::<Result<_>>()?;
        let mut values = vec![0.0; count * count];
        for ((i, j), distance) in pairs.into_iter().zip(found) {
            values[i * count + j] = distance;
            values[j * count + i] = distance;
        }
        Self::new(count, values)
    }

    /// Networks.
    pub fn count(&self) -> usize {
        self.count
    }

    /// From network `i` to network `j`.
    pub fn at(&self, i: usize, j: usize) -> f64 {
        self.values[i * self.count + j]
    }

    /// From network `i` to all.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.count..][..self.count]
    }

    /// All of them, `[count, count]`.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Each pair once: `(0, 1), (0, 2), (1, 2), (0, 3), …`.
    pub fn pairs(&self) -> Vec<f64> {
        (0..self.count).flat_map(|j| (0..j).map(move |i| self.at(i, j))).collect()
    }

    /// The distances of all pairs of some networks that may be named twice; a network and itself are no pair.
    pub fn pairs_of(&self, networks: &[usize]) -> Vec<f64> {
        let pairs = (0..networks.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
        let different = pairs.map(|(a, b)| (networks[a], networks[b])).filter(|(i, j)| i != j);
        different.map(|(i, j)| self.at(i, j)).collect()
    }

    /// The same distances with networks in another order, or some of them.
    ///
    /// # Panics
    /// If a network is not there.
    pub fn of(&self, networks: &[usize]) -> Self {
        let row = |&i: &usize| networks.iter().map(move |&j| self.at(i, j));
        Self { count: networks.len(), values: networks.iter().flat_map(row).collect() }
    }
}
