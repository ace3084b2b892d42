//! Clusters of the map, where no groups are known.

use accrue_dynamics::similarity::DistanceMatrix;

/// Most clusters that are tried.
pub const MOST: usize = 6;

/// Cluster of each base model by average linkage (Sokal & Michener 1958), the largest first; equal sizes in the order of their first
/// members. The number of clusters, from 2 to [`MOST`], is the one with the largest mean silhouette (Rousseeuw 1987), returned
/// beside them.
///
/// Fewer than three base models are one cluster, with a silhouette of 0.
pub fn clusters(distances: &DistanceMatrix) -> (Vec<usize>, f64) {
    let count = distances.count();
    let mut groups: Vec<Vec<usize>> = (0..count).map(|i| vec![i]).collect();
    let mut best = (vec![0; count], 0.0);
    let mean = |a: &[usize], b: &[usize]| {
        let pairs = a.iter().flat_map(|&i| b.iter().map(move |&j| distances.at(i, j)));
        pairs.sum::<f64>() / (a.len() * b.len()) as f64
    };
    while groups.len() > 2 && count > 2 {
        let pairs = (0..groups.len()).flat_map(|j| (0..j).map(move |i| (i, j)));
        let nearest = pairs
            .min_by(|a, b| {
                let far = |&(i, j): &(usize, usize)| mean(&groups[i], &groups[j]);
                far(a).total_cmp(&far(b))
            })
            .expect("there are pairs");
        let joined = groups.remove(nearest.1);
        groups[nearest.0].extend(joined);
        if groups.len() <= MOST {
            let own = silhouette(distances, &groups);
            // Of two numbers that do equally well, the smaller one: it comes later.
            if own >= best.1 {
                best = (numbered(&groups, count), own);
            }
        }
    }
    best
}

fn numbered(groups: &[Vec<usize>], count: usize) -> Vec<usize> {
    let mut order: Vec<&Vec<usize>> = groups.iter().collect();
    let first = |g: &Vec<usize>| g.iter().copied().min();
    order.sort_by(|a, b| b.len().cmp(&a.len()).then(first(a).cmp(&first(b))));
    let mut of = vec![0; count];
    for (number, group) in order.into_iter().enumerate() {
        group.iter().for_each(|&i| of[i] = number);
    }
    of
}

/// Mean over base models of `(b − a)/max(a, b)`, `a` the mean distance to its own cluster and `b` the least mean distance to another;
/// one alone counts 0.
fn silhouette(distances: &DistanceMatrix, groups: &[Vec<usize>]) -> f64 {
    let mean = |i: usize, of: &[usize]| {
        let others = of.iter().filter(|&&j| j != i);
        others.clone().map(|&j| distances.at(i, j)).sum::<f64>() / others.count() as f64
    };
    let mut sum = 0.0;
    for (g, own) in groups.iter().enumerate() {
        for &i in own.iter().filter(|_| own.len() > 1) {
            let a = mean(i, own);
            let apart = groups.iter().enumerate().filter(|(o, _)| *o != g);
            let b = apart.map(|(_, other)| mean(i, other)).fold(f64::INFINITY, f64::min);
            let largest = a.max(b);
            sum += if largest > 0.0 { (b - a) / largest } else { 0.0 };
        }
    }
    sum / distances.count() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planted_clusters_are_found_with_their_number() {
        let places = [0.0, 0.1, 5.0, 5.1, 5.2, 9.0, 9.1];
        let far = |i: usize, j: usize| Ok::<f64, crate::Error>(f64::abs(places[i] - places[j]));
        let (found, silhouette) = clusters(&DistanceMatrix::between(7, far).unwrap());
        assert_eq!(found, [1, 1, 0, 0, 0, 2, 2]);
        // By hand: 1 − .1/5.1, 1 − .1/5, 1 − .15/4.05, 1 − .1/3.95, 1 − .15/3.85, 1 − .1/3.9 and 1 − .1/4, their mean.
        assert!((silhouette - 0.972_634).abs() < 1e-6, "{silhouette}");
    }

    #[test]
    fn two_base_models_are_one_cluster() {
        let apart = DistanceMatrix::between(2, |_, _| Ok::<f64, crate::Error>(1.0)).unwrap();
        assert_eq!(clusters(&apart).0, [0, 0]);
    }
}
