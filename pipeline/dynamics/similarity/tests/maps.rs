//! Maps of many networks, what chance gives, and topology.

use super::*;
use crate::similarity::mds::Settings;
use crate::similarity::statistics::{
    Correlation, bootstrap, mantel, neighbour_accuracy, neighbour_share, silhouette,
};
use crate::similarity::topology::index_counts;
use crate::similarity::{
    AttractorGraph, DistanceMatrix, classical_mds, index_distance, stress_mds,
};

fn euclidean(points: &Matrix) -> DistanceMatrix {
    let far = |i: usize, j: usize| Ok((points.row(i) - points.row(j)).norm());
    DistanceMatrix::between(points.nrows(), far).unwrap()
}

#[test]
fn points_of_the_plane_come_back() {
    let given = euclidean(&normal(40, 2, "plane"));
    let classical = classical_mds(&given, 2).unwrap();
    let stress = stress_mds(&given, 2, &Settings::default()).unwrap();
    for points in [&classical.points, &stress.points] {
        for (found, expected) in euclidean(points).pairs().iter().zip(given.pairs()) {
            close(*found, expected, 1e-7);
        }
    }
    assert!(stress.stress < 1e-6 && stress.converged, "{stress:?}");
    assert!(classical.negative < 1e-12, "{}", classical.negative);
    close(classical.explained, 1.0, 1e-12);
}

#[test]
fn distances_of_no_flat_space_are_told() {
    // Four points around a circle, by their arcs.
    let arcs = |i: usize, j: usize| [0.0, 1.0, 2.0, 1.0][i.abs_diff(j)];
    let given = DistanceMatrix::between(4, |i, j| Ok(arcs(i, j))).unwrap();
    let found = classical_mds(&given, 2).unwrap();
    // The squares 0, 1, 4, 1 are a circulant: beside 0, eigenvalues −½(2 cos(kπ/2) + 4 cos kπ), k = 1, 2, 3.
    for (found, expected) in found.eigenvalues.iter().zip([2.0, 2.0, 0.0, -1.0]) {
        close(*found, expected, 1e-12);
    }
    close(found.negative, 0.2, 1e-12);
    close(found.explained, 1.0, 1e-12);
    // The best square: sides s, diagonals √2 s; raw stress 4(s − 1)² + 2(√2 s − 2)² is least at s = (4 + 4√2)/8.
    let s = (1.0 + 2.0_f64.sqrt()) / 2.0;
    let raw = 4.0 * (s - 1.0).powi(2) + 2.0 * (2.0_f64.sqrt() * s - 2.0).powi(2);
    let found = stress_mds(&given, 2, &Settings::default()).unwrap();
    close(found.stress, (raw / (4.0 * s * s + 2.0 * 2.0 * s * s)).sqrt(), 1e-6);
}

#[test]
fn maps_of_one_two_and_equal_networks_are_maps() {
    let one = DistanceMatrix::new(1, vec![0.0]).unwrap();
    let two = DistanceMatrix::new(2, vec![0.0, 3.0, 3.0, 0.0]).unwrap();
    let same = DistanceMatrix::new(3, vec![0.0; 9]).unwrap();
    assert_eq!(classical_mds(&one, 2).unwrap().points, Matrix::zeros(1, 2));
    assert_eq!(stress_mds(&one, 2, &Settings::default()).unwrap().stress, 0.0);
    close(euclidean(&classical_mds(&two, 2).unwrap().points).at(0, 1), 3.0, 1e-12);
    assert!(stress_mds(&two, 2, &Settings::default()).unwrap().stress < 1e-12);
    assert_eq!(stress_mds(&same, 2, &Settings::default()).unwrap().stress, 0.0);
    let none = DistanceMatrix::new(0, Vec::new()).unwrap();
    assert!(classical_mds(&none, 2).is_err() && classical_mds(&two, 0).is_err());
}

#[test]
fn what_is_no_distance_is_refused() {
    for (values, says) in [
        (vec![0.0, 1.0, f64::NAN, 0.0], "not finite at row 1, column 0"),
        (vec![0.0, -1.0, -1.0, 0.0], "distance -1 is negative"),
        (vec![0.0, 1.0, 2.0, 0.0], "2 there, but 1 back"),
        (vec![1.0, 0.5, 0.5, 1.0], "a network is 1 away from itself"),
        (vec![0.0; 3], "shape 3"),
    ] {
        let error = DistanceMatrix::new(2, values).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// Two tight groups of networks far apart, in turn.
fn groups(apart: f64, name: &str) -> (DistanceMatrix, Vec<&'static str>) {
    let mut points = normal(24, 3, name);
    (0..24).for_each(|i| points[(i, 0)] += if i % 2 == 0 { apart } else { 0.0 });
    (euclidean(&points), (0..24).map(|i| if i % 2 == 0 { "gru" } else { "lstm" }).collect())
}

#[test]
fn neighbours_tell_labels_that_distances_know_and_no_others() {
    let (far, labels) = groups(50.0, "far");
    let found = neighbour_accuracy(&far, &labels, 999, 1).unwrap();
    assert_eq!(found.accuracy.value, 1.0);
    assert_eq!(found.accuracy.p, 1.0 / 1000.0);
    // 11 of 23 others have one's label.
    close(found.accuracy.chance, 11.0 / 23.0, 0.02);
    assert!(silhouette(&far, &labels, 99, 1).unwrap().value > 0.9);
    let p: Vec<f64> = (0..20)
        .map(|i| {
            let (none, labels) = groups(0.0, &format!("none {i}"));
            neighbour_accuracy(&none, &labels, 199, i).unwrap().accuracy.p
        })
        .collect();
    // Of 20 uniform p-values more than 5 below 0.05 come once in 3,000 times.
    assert!(p.iter().filter(|p| **p < 0.05).count() <= 5, "{p:?}");
    assert!(p.iter().sum::<f64>() / 20.0 > 0.3, "{p:?}");
}

#[test]
fn copies_of_a_network_do_not_tell_its_label() {
    // Two networks near each other with different labels, and one far away: always wrong, also where they come twice.
    let points = Matrix::from_column_slice(3, 1, &[0.0, 1.0, 9.0]);
    let (given, labels) = (euclidean(&points), ["a", "b", "b"]);
    close(neighbour_share(&given, &labels, &[0, 1, 2]).unwrap(), 1.0 / 3.0, 1e-15);
    assert_eq!(neighbour_share(&given, &labels, &[0, 0, 1]), Some(0.0));
    assert_eq!(neighbour_share(&given, &labels, &[1, 1, 1]), None);
    let (far, labels) = groups(3.0, "copies");
    let value = neighbour_accuracy(&far, &labels, 9, 1).unwrap().accuracy.value;
    let share = |networks: &[usize]| neighbour_share(&far, &labels, networks);
    let found = bootstrap(24, 300, share, 1, "accuracy").unwrap();
    close(found.value, value, 1e-15);
    assert!(found.low <= value && found.high >= value && found.low > 0.5, "{found:?}");
}

#[test]
fn ties_count_their_part_and_lonely_labels_are_told() {
    let same = DistanceMatrix::new(4, vec![0.0; 16]).unwrap();
    let found = neighbour_accuracy(&same, &["a", "a", "a", "b"], 99, 1).unwrap();
    // Each a has two of its own among three others, b has none.
    close(found.accuracy.value, 3.0 * (2.0 / 3.0) / 4.0, 1e-15);
    assert_eq!((found.alone, found.tied, found.accuracy.p), (1, 4, 1.0));
    assert!(neighbour_accuracy(&same, &["a"; 3], 9, 1).is_err());
    assert!(silhouette(&same, &["a"; 4], 9, 1).is_err());
    assert_eq!(silhouette(&same, &["a", "a", "b", "c"], 9, 1).unwrap().value, 0.0);
}

#[test]
fn silhouette_by_hand() {
    // On a line at 0, 1 | 10: (9.5 wrong way round) (10 − 1)/10, (9 − 1)/9, alone 0.
    let points = Matrix::from_column_slice(3, 1, &[0.0, 1.0, 10.0]);
    let found = silhouette(&euclidean(&points), &[1, 1, 2], 9, 1).unwrap();
    close(found.value, (9.0 / 10.0 + 8.0 / 9.0) / 3.0, 1e-15);
}

#[test]
fn a_matrix_agrees_with_itself_and_not_with_a_permuted_one() {
    let given = euclidean(&normal(20, 3, "mantel"));
    for correlation in [Correlation::Pearson, Correlation::Rank] {
        let itself = mantel(&given, &given, correlation, 499, 1).unwrap();
        close(itself.value, 1.0, 1e-12);
        assert_eq!(itself.p, 1.0 / 500.0);
        close(itself.chance, 0.0, 0.03);
        let order: Vec<usize> = (0..20).map(|i| (i * 7 + 3) % 20).collect();
        let moved = mantel(&given, &given.of(&order), correlation, 499, 1).unwrap();
        assert!(moved.range.0 <= moved.value && moved.value <= moved.range.1, "{moved:?}");
    }
    let flat = DistanceMatrix::between(20, |_, _| Ok(1.0)).unwrap();
    assert!(mantel(&given, &flat, Correlation::Pearson, 9, 1).is_err());
    let fewer = given.of(&[0, 1, 2]);
    assert!(mantel(&given, &fewer, Correlation::Pearson, 9, 1).is_err());
}

#[test]
fn permutations_are_those_of_rows_and_columns_together() {
    // All 6 orders of three networks: p of one side is (1 + share)/…; counted by hand on distances 1, 2, 3.
    let given = DistanceMatrix::new(3, vec![0.0, 1.0, 2.0, 1.0, 0.0, 3.0, 2.0, 3.0, 0.0]).unwrap();
    let found = mantel(&given, &given, Correlation::Pearson, 6000, 1).unwrap();
    // The correlation 1 comes with one order in six: other orders change some pair.
    close(found.p, 1.0 / 6.0, 0.02);
}

#[test]
fn an_interval_over_networks_leaves_copies_out() {
    let given = euclidean(&normal(30, 3, "interval"));
    let mean_of = |networks: &[usize]| {
        let pairs = given.pairs_of(networks);
        (!pairs.is_empty()).then(|| pairs.iter().sum::<f64>() / pairs.len() as f64)
    };
    let found = bootstrap(30, 500, mean_of, 1, "mean distance").unwrap();
    close(found.value, given.pairs().iter().sum::<f64>() / 435.0, 1e-12);
    assert!(found.low < found.value && found.value < found.high, "{found:?}");
    // With the zeros of copies the middle would fall by one thirtieth.
    close((found.low + found.high) / 2.0, found.value, 0.02 * found.value);
    // Two networks: half of the draws name one twice and have no pair.
    let two = bootstrap(2, 400, |n| mean_of(n), 1, "mean distance").unwrap();
    assert!((150..250).contains(&two.undefined), "{two:?}");
    assert!(bootstrap(1, 9, mean_of, 1, "mean distance").is_err());
    assert!(bootstrap(3, 9, |_| None, 1, "nothing").is_err());
}

#[test]
fn intervals_cover_the_truth_about_as_often_as_they_say() {
    // The mean distance of networks drawn from a cloud: E‖x − y‖ = 2/√π for normal numbers.
    let truth = 2.0 / std::f64::consts::PI.sqrt();
    let covered = (0..60)
        .filter(|i| {
            let given = euclidean(&normal(40, 1, &format!("covered {i}")));
            let mean_of = |networks: &[usize]| {
                let pairs = given.pairs_of(networks);
                Some(pairs.iter().sum::<f64>() / pairs.len() as f64)
            };
            let found = bootstrap(40, 200, mean_of, *i, "coverage").unwrap();
            found.low <= truth && truth <= found.high
        })
        .count();
    assert!(covered >= 50, "{covered} of 60");
}

#[test]
fn graphs_differ_by_their_share_of_edges() {
    let graph = |edges: &[(&str, &str)]| {
        let mut graph = AttractorGraph::new();
        edges.iter().for_each(|(from, to)| graph.edge(*from, *to));
        graph
    };
    let a = graph(&[("+", "-"), ("-", "+")]);
    let mut b = graph(&[("+", "-"), ("-", "0")]);
    let found = a.distance(&b);
    // Of three edges one is shared; of three attractors two.
    assert_eq!((found.edges_of_either, found.attractors_of_either), (3, 3));
    close(found.edges, 2.0 / 3.0, 1e-15);
    close(found.attractors, 1.0 / 3.0, 1e-15);
    assert_eq!(a.distance(&a).edges, 0.0);
    // An edge has a direction.
    assert_eq!(graph(&[("+", "-")]).distance(&graph(&[("-", "+")])).edges, 1.0);
    // Attractors alone: no edges to differ, attractors do.
    let (mut c, empty) = (AttractorGraph::new(), AttractorGraph::new());
    c.attractor("0");
    assert_eq!((c.distance(&empty).edges, c.distance(&empty).attractors), (0.0, 1.0));
    assert_eq!(empty.distance(&empty).attractors_of_either, 0);
    b.attractor("0");
    assert_eq!(a.distance(&b), found);
}

#[test]
fn indices_are_compared_by_their_shares() {
    assert_eq!(index_counts(&[0, 2, 0]), [2, 0, 1]);
    // Shares ½, ½ and ¾, 0, ¼.
    close(index_distance(&[0, 1], &[0, 0, 0, 2]).unwrap(), 0.5, 1e-15);
    assert_eq!(index_distance(&[0, 1], &[1, 0, 0, 1]).unwrap(), 0.0);
    assert_eq!(index_distance(&[0], &[3]).unwrap(), 1.0);
    let error = index_distance(&[0], &[]).unwrap_err().to_string();
    assert!(error.contains("the second network has no fixed points"), "{error}");
}
